#ifndef BACKEND_UPSTREAM_H
#define BACKEND_UPSTREAM_H

#include <sys/queue.h>

#include "backend/backend.h"
#include "http/http_client.h"
#include "mca_pool.h"

struct upstream_probe;

/*
 * One of the servers that a CSE answers at: its connections, and whether it is
 * up. It goes down by a connection that cannot be made, or by its health path;
 * it comes up by an answer to a request sent since, or, where it has a health
 * path and does not refuse at once, by that alone.
 */
struct upstream {
	struct upstream_conf conf;	/* owned */
	struct reactor *r;		/* borrowed */
	TAILQ_ENTRY(upstream) link;	/* the backend's, as is bit */
	uint64_t bit;			/* no other one has it, about */

	struct http_map_conf map;
	struct http_client_conf client_conf;
	struct mca_pool *pool;		/* owned, as the next three */
	struct tls_context *tls;	/* NULL: http: */
	struct handshaker *handshaker;	/* of its own, so that a flood at the
					 * listeners is not before it */
	struct upstream_probe *probe;	/* NULL: no health path */

	bool up;
	bool slow;			/* down, and asking it takes time */
	uint64_t since_ms;		/* up, after it was down; else 0 */
	uint64_t trial_ms;		/* down: the next request may go then */
	uint64_t requests, failures, downs, failed_probes;
	uint64_t moved;			/* requests, to another one */
};

/* conf and codec are copied. tls is taken, even on failure; NULL: http:. */
MUST_CHECK int upstream_create(struct upstream **out, struct reactor *r,
			       const struct upstream_conf *conf,
			       const struct codec_conf *codec,
			       struct tls_context *tls);

/* Pending exchanges hear nothing. Accepts NULL. */
void upstream_destroy(struct upstream *u);

/* For connections to come. */
void upstream_take_tls(struct upstream *u, struct tls_context *tls);

/* As submit of backend.h. */
MUST_CHECK int upstream_submit(struct upstream *u, struct exchange *x,
			       const struct prim *p, const char **why);

/* It has answered a request that was sent after so many downs. */
void upstream_answered(struct upstream *u, uint64_t downs);

/* No connection could be made. */
void upstream_unreachable(struct upstream *u, int err);

/* Of its health path; why NULL: it is well. */
void upstream_probed(struct upstream *u, const char *why);

/* Down, and a request is due to find out whether it still is. With others to
 * send requests to, that is less often. */
bool upstream_takes_trial(struct upstream *u, bool others);

/* What is pending, as compared with its weight; slow_start counts. */
double upstream_load(const struct upstream *u);

/* ---- upstream_conf.c ---- */

/* to owns all its texts. UV_ENOMEM: to is empty. */
MUST_CHECK int upstream_conf_copy(struct upstream_conf *to,
				  const struct upstream_conf *from);
void upstream_conf_deinit(struct upstream_conf *c);

/* Nothing of it differs, but what files of TLS hold may. */
bool upstream_conf_equal(const struct upstream_conf *a,
			 const struct upstream_conf *b);

/* ---- upstream_probe.c ---- */

/* Asks u for its health path from now on and tells upstream_probed(). */
MUST_CHECK int upstream_probe_create(struct upstream_probe **out,
				     struct upstream *u);
void upstream_probe_destroy(struct upstream_probe *probe);

/* Borrowed; for connections to come. */
void upstream_probe_take_tls(struct upstream_probe *probe,
			     struct tls_context *tls);

/* What was wrong with TLS the last time; "": nothing. */
const char *upstream_probe_tls_why(const struct upstream_probe *probe);

#endif
