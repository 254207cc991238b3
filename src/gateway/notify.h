#ifndef GATEWAY_NOTIFY_H
#define GATEWAY_NOTIFY_H

#include "reach.h"

/*
 * The HTTP server by which the CSE reaches entities, of one worker: TS-0009
 * requests to /r/TOKEN[/to], the point of access that registrations got; and,
 * from peers on the allow-list, to the path of an entity's id. Every request
 * gets exactly one answer, with X-M2M-RSC.
 */
struct notify;
struct tls_context;

struct notify_counters {
	uint64_t requests;
	uint64_t refused;	/* malformed, or to nobody we know */
	uint64_t forbidden;	/* by id, from a peer that may not */
	uint64_t unconvertible;	/* answers, into what the CSE speaks */
	uint64_t abandoned;	/* the CSE had gone before the answer */
	uint64_t refused_connections;	/* max_connections bit */
};

/* What is wrong with a file of TLS is logged. */
MUST_CHECK int notify_create(struct notify **out, struct worker *w);
/* After reach_destroy(), which ends what is on its way. Accepts NULL. */
void notify_destroy(struct notify *n);

/* From now on the connections that come get that context. */
void notify_take_tls(struct notify *n, struct tls_context *tls);

unsigned notify_port(const struct notify *n);
const struct notify_counters *notify_counters(const struct notify *n);

#endif
