#ifndef GATEWAY_WORKER_LISTENER_H
#define GATEWAY_WORKER_LISTENER_H

#include "base/log_limit.h"
#include "http/http_server.h"
#include "net/listener.h"
#include "worker.h"

/* One listener on this worker's loop. */
struct worker_listener {
	LIST_ENTRY(worker_listener) link;	/* in w's listeners */
	struct worker *w;
	struct listener_shared *shared;		/* held */
	struct gateway_listener_conf conf;	/* a copy; shared's name */
	struct http_server_conf http;
	struct tls_context *tls;		/* owned, or NULL */
	struct listener *listener;		/* owned; NULL: draining, or it
						 * could not be opened */
	size_t connections;			/* that have a place */
	bool retired;				/* in no list; the last of them
						 * takes it along */
	struct log_limit log_arrivals, log_handshakes;	/* refused ones */
};

/* Nothing is open yet, and it is in no list. UV_ENOMEM. */
MUST_CHECK int worker_listener_create(struct worker_listener **out,
				      struct worker *w,
				      struct listener_shared *shared,
				      const struct gateway_listener_conf *conf);
/* Accepts NULL. */
void worker_listener_destroy(struct worker_listener *l);

/* Opens one when w begins. What fails is logged. */
MUST_CHECK int worker_listener_open(struct worker *w,
				    const struct gateway_listener_conf *conf);

/* Accepts no more. */
void worker_listener_close(struct worker_listener *l);

/* w's part of it, or NULL. */
struct worker_listener *worker_listener_find(const struct worker *w,
					     const struct listener_shared *s);

/* What follows is served by next, after w's own configuration. What next points
 * to is borrowed until the next call. */
void worker_listener_take(struct worker_listener *l,
			  const struct gateway_listener_conf *next);

/* On w's loop, in a reload: as worker_listener_take(). Takes tls, which may be
 * NULL, and fd, which listens and replaces the socket that it has; -1: it keeps
 * that. When it cannot open it is closed, logged, and broken. */
void worker_listener_renew(struct worker_listener *l,
			   const struct gateway_listener_conf *next,
			   struct tls_context *tls, int fd);

/* Likewise: there is no such listener any more. What has not shaken hands ends;
 * its sessions stay, and l with them. */
void worker_listener_retire(struct worker_listener *l);

/* A connection has its place, and has left it; in the latter l may end. */
void worker_listener_enter(struct worker_listener *l);
void worker_listener_leave(struct worker_listener *l);

#endif
