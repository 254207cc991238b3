#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include "m2m/prim.h"
#include "net/tls.h"

struct codec_conf;
struct reactor;

/*
 * The plug for a CSE. A backend takes request primitives and gives response
 * primitives, asynchronously, on the loop of the worker that created it. A
 * new one is a .c file with a `const struct backend_ops` and a row in
 * backend.c.
 */
struct backend;
struct exchange;

/* Exactly one of the two is called for each submitted exchange, never from
 * within submit(). The exchange may be reused or freed inside. */
struct exchange_ops {
	/* answer is good for the call only; its rqi is the request's. */
	void (*on_answer)(struct exchange *x, const struct prim *answer);

	/* UV_E*: the CSE cannot be reached; ERR_PROTO, ERR_LIMIT: its answer
	 * makes no sense or is too large. */
	void (*on_fail)(struct exchange *x, int err, const char *why);
};

/* One request in flight; embedded in what the caller keeps for it. */
struct exchange {
	const struct exchange_ops *ops;
	void *impl;		/* the backend's while submitted, else NULL */
	uint64_t sender;	/* a number for who shares the CSE with others;
				 * 0: nobody in particular */
	unsigned others;	/* of the same sender, submitted and not
				 * answered; 0 where nobody counts */
	struct str lines;	/* of HTTP headers for the CSE, each with its
				 * end; borrowed for submit, may be empty */
	int status;		/* transport's own status (HTTP), or 0; for logs */
	bool unsent;		/* in on_fail(): the CSE has seen nothing */
};

/* What a backend has done; each worker has one of its own. */
struct backend_counters {
	uint64_t opened, connect_failed, poisoned, retried, refused_waiting;
	uint64_t moved;			/* requests, to another upstream */
	uint64_t open, idle, waiting;	/* now */
	uint64_t waiting_since;		/* the oldest, on the loop's clock (ms);
					 * 0: none waits */
};

/* One upstream, on one worker. */
struct upstream_view {
	const char *name;		/* borrowed */
	bool up;
	uint64_t pending, open;		/* requests; connections */
	uint64_t requests, failures;
	uint64_t moved;			/* of failures: another one got it */
	uint64_t downs;			/* times it went down */
	uint64_t failed_probes;		/* of its health path */
};

struct upstream_conf;

struct backend_ops {
	/*
	 * p is borrowed for the call. 0: on_answer or on_fail follows.
	 * Negative: neither does; *why is set. ERR_PROTO: p cannot be carried
	 * to this CSE (4000); ERR_UNSUPPORTED (5001); ERR_LIMIT: too much
	 * is waiting already; UV_EHOSTUNREACH: it is known that nobody would
	 * answer (5103).
	 */
	int (*submit)(struct backend *b, struct exchange *x,
		      const struct prim *p, const char **why);

	/* The answer is not wanted any more; nothing is called for x. */
	void (*cancel)(struct backend *b, struct exchange *x);

	/* True while requests have a chance to be answered. */
	bool (*healthy)(const struct backend *b);

	/*
	 * The upstreams from now on; what others have pending is finished
	 * there. One that is as it was keeps its connections. contexts, of
	 * TLS, are taken, one for each, or NULL. UV_ENOMEM: all is as
	 * before, which is logged. NULL: it has no upstreams.
	 */
	int (*take)(struct backend *b, const struct upstream_conf *list,
		    size_t count, struct tls_context **contexts);

	/* NULL: it has no connections. */
	void (*count)(const struct backend *b, struct backend_counters *out);

	/* NULL: it has no upstreams. */
	void (*each)(const struct backend *b,
		     void (*on_upstream)(void *arg,
					 const struct upstream_view *v),
		     void *arg);

	void (*destroy)(struct backend *b);	/* pending ones hear nothing */
};

struct backend {
	const struct backend_ops *ops;
};

#define UPSTREAMS_MAX 32

/* One place at which the CSE answers. */
struct upstream_conf {
	const char *name;
	struct str url;			/* as configured, for logs */
	const char *host;		/* NULL: unix_path */
	unsigned port;
	const char *unix_path;
	bool tls;			/* https: */
	struct tls_client_conf tls_conf;
	const char *base;		/* path prefix without final slash */
	const char *authority;		/* Host header */
	const char *cse_id;		/* "" when not configured */
	const char *release;		/* rvi of its requests without one */
	int format;			/* enum prim_format: of what we send */
	uint64_t connections;
	uint64_t connect_timeout_ms;
	uint64_t timeout_ms;		/* for an answer; the gateway keeps it */
	uint64_t keepalive_ms;
	uint64_t max_waiting;		/* octets */
	uint64_t max_answer;		/* octets of a response body */
	uint64_t weight;		/* its share, as compared with others */
	bool backup;			/* only while no other one is up */
	struct str health;		/* path that is asked for; empty: none */
	uint64_t health_interval_ms;
	uint64_t slow_start_ms;		/* until it has its whole share */
};

/* Of the files of conf; NULL: it is http:. What cannot be used of them is
 * logged. */
MUST_CHECK int backend_http_context(struct tls_context **out,
				    const struct upstream_conf *conf);

/* One to UPSTREAMS_MAX in list, which is copied. A file of TLS that cannot be
 * read is logged. */
MUST_CHECK int backend_http_create(struct backend **out, struct reactor *r,
				   const struct upstream_conf *list,
				   size_t count,
				   const struct codec_conf *codec);

static inline int backend_submit(struct backend *b, struct exchange *x,
				 const struct prim *p, const char **why)
{
	return b->ops->submit(b, x, p, why);
}

static inline struct backend_counters backend_count(const struct backend *b)
{
	struct backend_counters counters = { 0 };

	if (b->ops->count != NULL)
		b->ops->count(b, &counters);
	return counters;
}

static inline void backend_cancel(struct backend *b, struct exchange *x)
{
	b->ops->cancel(b, x);
}

static inline void backend_destroy(struct backend *b)
{
	if (b != NULL)
		b->ops->destroy(b);
}

#endif
