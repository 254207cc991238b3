#ifndef GATEWAY_NOTIFY_PRIV_H
#define GATEWAY_NOTIFY_PRIV_H

#include "backend/http_map.h"
#include "notify.h"
#include "worker.h"

/*
 * The endpoint in two parts: notify.c has its connections, notify_request.c
 * what is asked and answered on them.
 */
struct notify_conn {
	struct notify *n;		/* borrowed */
	LIST_ENTRY(notify_conn) link;
	struct http_server *http;	/* owned */
	struct stream *stream;		/* http's */
	struct notify_call *call;	/* pending, or NULL */
	struct http_map_reply reply;	/* to the request at hand */
};

/* One request of the CSE; goes on when its connection has gone. */
struct notify_call {
	struct reach_call reach;
	struct notify *n;
	LIST_ENTRY(notify_call) link;
	struct notify_conn *conn;	/* NULL: nobody waits */
	uint64_t started;		/* ns */
	size_t octets_in;
	struct buf text;		/* owned: rqi, rvi, sur */
	size_t rqi_len, rvi_len;
};

struct notify {
	struct worker *w;		/* borrowed */
	struct listener *listener;	/* owned, as the next two */
	struct tls_context *tls;	/* NULL: http: */
	struct handshaker *handshaker;	/* not the one that strangers at the
					 * listeners keep busy */
	LIST_HEAD(, notify_conn) conns;	/* owned */
	unsigned conn_count;
	LIST_HEAD(, notify_call) calls;	/* owned */
	struct prim request, answer;	/* scratch */
	struct buf out, id, text, json;
	struct notify_counters counters;
};

static inline const struct notify_conf *notify_conf_of(const struct notify *n)
{
	return &n->w->conf->notify;
}

/* Who asked on it is not answered. */
void notify_conn_destroy(struct notify_conn *c);

/* notify_request.c; as of http_server_ops. */
void notify_on_request(void *owner, const struct http_msg *msg);

#endif
