#ifndef HTTP_HTTP_CONN_H
#define HTTP_HTTP_CONN_H

#include "http/http_client.h"
#include "http_resolve.h"
#include "net/stream.h"

/*
 * One outbound connection: connects, carries one exchange at a time, and
 * judges whether it may carry another.
 */
enum http_conn_state {
	HTTP_CONN_OPENING,	/* name look-up or connect */
	HTTP_CONN_IDLE,		/* may take a request */
	HTTP_CONN_BUSY,		/* a request is sent, its answer not here */
	HTTP_CONN_CLOSED,	/* only good to destroy */
};

struct http_conn_ops {
	/* Connected; idle. */
	void (*on_open)(struct http_conn *conn);

	/* Could not connect; destroy it. */
	void (*on_refused)(struct http_conn *conn, int err);

	/* The whole answer. The state is IDLE, or CLOSED: destroy it. msg is
	 * good for the call even then. */
	void (*on_answer)(struct http_conn *conn, const struct http_msg *msg);

	/* Over without an answer; destroy it. */
	void (*on_end)(struct http_conn *conn, int err);

	/* Another connection carries, or carried, the request of that echo. */
	bool (*is_others)(const struct http_conn *conn, uint64_t echo);
};

TAILQ_HEAD(http_conn_list, http_conn);

/* Connections in one state, as the pool sees it. */
struct http_conn_set {
	struct http_conn_list list;	/* idle ones: used last comes first */
	size_t count;
};

struct http_conn {
	/* the pool's */
	struct http_client *pool;
	struct http_conn_set *set;	/* holds it */
	TAILQ_ENTRY(http_conn) link;
	struct http_call *call;		/* carried, or promised while opening */

	/* fixed at birth, borrowed */
	struct reactor *r;
	const struct http_conn_ops *ops;
	const struct http_client_conf *conf;
	struct http_client_counters *counters;
	struct http_resolver *resolver;	/* NULL: Unix socket */

	/* owned */
	struct stream *stream;		/* NULL while there is none */
	struct http_parser *parser;

	enum http_conn_state state;
	struct http_lookup lookup;
	struct timeout timer;		/* connect, keep-alive, failing */
	size_t first, tried;		/* addresses */
	int failing;			/* reported when timer fires */
	size_t queued;			/* output once the request was sent */
	bool heard;			/* octets of this answer came */
	bool delivering;		/* on_answer() is running */
	size_t served;			/* answers */
	size_t echoed;			/* of them, with their own echo */
	uint64_t echo;			/* hash; 0: none */
	uint64_t earlier[8];		/* the last requests' echoes */
};

/* on_open or on_refused follows, later. */
MUST_CHECK int http_conn_create(struct http_conn **out, struct reactor *r,
				const struct http_client_conf *conf,
				struct http_resolver *resolver,
				const struct http_conn_ops *ops,
				struct http_client_counters *counters);
void http_conn_destroy(struct http_conn *conn);

/* Idle, and nothing came that has not been looked at. */
bool http_conn_is_quiet(struct http_conn *conn);

/* Sends head + body on an idle connection; on_answer or on_end follows,
 * later. */
void http_conn_send(struct http_conn *conn, struct str head, struct str body,
		    uint64_t echo);

/* It carries, or carried, the request of that echo. */
bool http_conn_asked(const struct http_conn *conn, uint64_t echo);

/* For conn->echo; never 0 for a text that is not empty. */
uint64_t http_conn_hash(struct str text);

/* Counts and logs one more connection that cannot be trusted. */
void http_conn_poisoned(struct http_conn *conn, const char *why);

#endif
