#ifndef HTTP_HTTP_CLIENT_H
#define HTTP_HTTP_CLIENT_H

#include <sys/queue.h>

#include "base/fair.h"
#include "http/http_msg.h"
#include "net/addr.h"
#include "net/handshaker.h"
#include "net/reactor.h"
#include "net/tls.h"

/*
 * A pool of connections to one HTTP server. One exchange in flight per
 * connection; the one that was used last is used next. A connection whose
 * answer was not framed exactly as announced (octets after it, a second
 * response, a short body, an echo that is another request's) never carries
 * another request. What has the echo of another request of this pool is
 * nobody's answer; of other pools' requests it knows nothing.
 */
struct http_client;

struct http_client_conf {
	const char *host;		/* name or address; NULL: unix_path */
	unsigned port;
	const char *unix_path;
	struct tls_context *tls;	/* https: of a client; NULL: http: */
	struct handshaker *handshaker;	/* for it, or NULL */
	size_t connections;		/* at most, per client */
	uint64_t connect_timeout_ms;
	uint64_t keepalive_ms;		/* an idle connection is closed after;
					 * a shorter Keep-Alive: timeout of the
					 * server wins */
	size_t max_waiting;		/* octets of requests that wait for a
					 * connection; one may take half of
					 * what is left */
	struct addr_nets deny;		/* addresses never connected to */
	bool has_others;		/* calls have other servers to go to:
					 * a refused connection fails all that
					 * wait */
	const char *echo_header;	/* repeats call->echo; NULL: none */
	struct http_limits limits;	/* of responses */
};

struct http_client_counters {
	uint64_t opened;		/* connections that succeeded */
	uint64_t connect_failed;
	uint64_t poisoned;		/* closed for framing reasons */
	uint64_t retried;
	uint64_t refused_waiting;	/* max_waiting bit */
	size_t open, idle, waiting;	/* now */
	char tls_why[128];		/* what was wrong with TLS the last
					 * time; "": it works */
};

struct http_call;

/* Exactly one of the two is called for each sent call, never from within
 * http_client_send(); the call may be reused or freed inside. */
struct http_call_ops {
	/* msg is good for the call only, also when the client is destroyed
	 * in it. */
	void (*on_response)(struct http_call *call, const struct http_msg *msg);

	/* UV_E*: unreachable or broken before the answer began; ERR_DENIED:
	 * conf->deny has its address; ERR_PROTO: the answer is malformed or
	 * cut off; ERR_LIMIT: it is too large. */
	void (*on_fail)(struct http_call *call, int err);
};

enum http_call_state {
	HTTP_CALL_NONE,			/* not pending */
	HTTP_CALL_WAITING,		/* for a connection */
	HTTP_CALL_SENT,			/* on `conn`, or promised to it */
	HTTP_CALL_FAILING,		/* on_fail() is due in this turn */
};

/* Embedded in what the caller keeps per request. Zero it before use. */
struct http_call {
	const struct http_call_ops *ops;
	struct str echo;		/* what conf->echo_header of the answer
					 * should hold, or empty; borrowed
					 * until send returns */

	uint64_t sender;		/* any number, 0: nobody */
	unsigned others;		/* calls of the same sender that are
					 * pending: who has fewer goes first */

	bool sent;			/* in on_fail(): the server may have
					 * seen something of it */

	/* http_client's own: */
	enum http_call_state state;
	unsigned rank;			/* where it waits */
	struct http_conn *conn;		/* carries it now */
	uint64_t since;			/* it waits, ms */
	size_t octets;			/* what it costs, without its answer */
	struct fair_item turn;		/* while it waits */
	TAILQ_ENTRY(http_call) link;	/* while it is failing */
	struct buf bytes;		/* kept while it waits or may repeat */
	uint64_t echo_hash;
	bool repeatable;
};

/* Frees what a call that is not pending keeps for its next use. */
static inline void http_call_deinit(struct http_call *call)
{
	buf_deinit(&call->bytes);
}

/* conf is borrowed and outlives the client. UV_EINVAL: host can be no name. */
MUST_CHECK int http_client_create(struct http_client **out, struct reactor *r,
				  const struct http_client_conf *conf);
/* Calls still pending hear nothing and are pending no more. Accepts NULL. */
void http_client_destroy(struct http_client *c);

/*
 * Sends head + body, copied before it returns. repeatable: the server acting
 * twice does no harm, so that a kept-alive connection which the server closed
 * meanwhile is replaced by a fresh one, once. ERR_LIMIT: max_waiting; of that,
 * as of the connections, senders with many pending calls may use the half.
 * UV_ENOMEM.
 */
MUST_CHECK int http_client_send(struct http_client *c, struct http_call *call,
				struct str head, struct str body,
				bool repeatable);

/* The caller does not want the answer any more: a waiting call is dropped, a
 * sent one costs its connection. Does nothing for a call not pending. */
void http_client_cancel(struct http_client *c, struct http_call *call);

/* When the call began that has waited longest for a connection, on the loop's
 * clock (ms); 0: none waits. Looks at all. */
uint64_t http_client_waiting_since(const struct http_client *c);

const struct http_client_counters *http_client_counters(
	const struct http_client *c);

#endif
