#ifndef OPS_ADMIN_PRIV_H
#define OPS_ADMIN_PRIV_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "gateway/gateway.h"
#include "http/http_server.h"
#include "ops/admin.h"
#include "ops/reload.h"
#include "state/state.h"

/*
 * How a request is served:
 *
 *	admin.c			connections, answers
 *	admin_routes.c		which page a request is for
 *	admin_pages.c		what is plain text
 *	admin_console.c		the console's files
 *	admin_api.c		the API: the daemon as a whole
 *	admin_api_sessions.c	who is connected
 *	admin_api_inbox.c	what is stored for whom
 *	admin_api_trace.c	primitives as they pass
 */
#define ADMIN_ARGS 2

struct admin_conn {
	struct admin *admin;		/* NULL: it has ended */
	LIST_ENTRY(admin_conn) link;
	struct http_server *http;	/* owned; NULL: ended */
	bool is_local;			/* came by the Unix socket */

	/* of the request at hand */
	struct str args[ADMIN_ARGS];	/* what `*` stood for, decoded */
	struct str query;
	struct buf text;		/* of args */
	bool waits;			/* for a visit */
	struct reload_ask reload;
	struct state_call call;
	struct admin_listing *listing;	/* owned; or NULL */
};

struct admin {
	struct gateway *gw;		/* borrowed, as the next one */
	struct reloader *reloader;
	struct state_mailbox *mailbox;	/* owned, as all below */
	struct listener *listener;	/* or NULL */
	struct listener *socket;	/* or NULL */
	enum admin_console console;
	uint64_t started_ms;		/* of the loop */
	LIST_HEAD(, admin_conn) conns;
	LIST_HEAD(, admin_trace) traces;
	unsigned count;			/* of both */
};

struct admin_route {
	const char *method;
	const char *path;		/* `*` is one segment of any text */
	bool changes;			/* then by the Unix socket only */
	void (*serve)(struct admin_conn *c);
};

/* Serves the page that req is for, or answers that there is none. */
void admin_route(struct admin_conn *c, const struct http_msg *req);

/* The value of that name in the query, decoded into *space; false: it is not
 * there. */
bool admin_query(struct str *out, struct buf *space,
		 const struct admin_conn *c, const char *name);
/* A number from 1 to max, or preset where there is none; false: answered. */
bool admin_query_count(size_t *out, struct admin_conn *c, const char *name,
		       size_t preset, size_t max);

/* ---- answers; c may be gone afterwards ---- */

void admin_respond(struct admin_conn *c, int status, const char *type,
		   struct str body);
void admin_respond_text(struct admin_conn *c, int status, const char *text);

/* Takes body; NULL: no memory. */
void admin_respond_json(struct admin_conn *c, int status, json_t *body);
/* {"error": why} */
void admin_fail(struct admin_conn *c, int status, const char *why);
void admin_fail_err(struct admin_conn *c, int err);

void admin_conn_end(struct admin_conn *c);

/* c->waits was set and the visit is home. False: c has ended, and is gone. */
bool admin_is_back(struct admin_conn *c);

/* A member of obj; text of a peer that is not UTF-8 is shown without what is
 * not ASCII. */
void admin_set_str(json_t *obj, const char *name, struct str text);
void admin_set_u64(json_t *obj, const char *name, uint64_t n);
json_t *admin_json_str(struct str text);

/* ---- pages ---- */

void admin_show_metrics(struct admin_conn *c);
void admin_show_health(struct admin_conn *c);
void admin_show_readiness(struct admin_conn *c);
void admin_show_console(struct admin_conn *c);

void admin_show_status(struct admin_conn *c);
void admin_show_config(struct admin_conn *c);
void admin_drain(struct admin_conn *c);
void admin_reload(struct admin_conn *c);
void admin_set_log(struct admin_conn *c);

void admin_show_sessions(struct admin_conn *c);
void admin_show_session(struct admin_conn *c);
void admin_kick(struct admin_conn *c);

void admin_show_inboxes(struct admin_conn *c);
void admin_show_inbox(struct admin_conn *c);
void admin_drop_inbox(struct admin_conn *c);
void admin_drop_item(struct admin_conn *c);
void admin_redeliver(struct admin_conn *c);
void admin_listing_destroy(struct admin_listing *l);

void admin_trace(struct admin_conn *c);
void admin_end_traces(struct admin *a);

#endif
