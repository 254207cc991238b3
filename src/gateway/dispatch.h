#ifndef GATEWAY_DISPATCH_H
#define GATEWAY_DISPATCH_H

#include <stdbool.h>
#include <sys/queue.h>

#include "backend/backend.h"
#include "gateway/stats.h"
#include "id_set.h"
#include "m2m/codec.h"
#include "net/reactor.h"

/*
 * Requests in flight between peers (sessions) and the backend, of one worker.
 * Every request that is handed in gets exactly one answer: the CSE's, or one
 * made here when the request cannot be carried, the CSE cannot be reached or
 * the deadline passes. Answers come in any order. Requests above a peer's
 * share wait here, bounded, so that reading from the peer never stops: the
 * answers that the CSE awaits from it use the same socket.
 */
struct dispatch;
struct trace_context;

struct dispatch_conf {
	unsigned in_flight;		/* of one peer at the CSE */
	size_t max_queue;		/* octets of a peer's waiting requests */
	uint64_t timeout_ms;		/* for an answer */
	struct codec_conf codec;
};

struct dispatch_counters {
	uint64_t requests;
	uint64_t answered;		/* by the CSE */
	uint64_t refused;		/* by us, before the CSE saw it */
	uint64_t failed;		/* the CSE gave no usable answer */
	uint64_t timed_out;
	uint64_t queue_full;		/* max_queue bit */
	uint64_t orphaned;		/* ended after the peer had gone */
	uint64_t forgotten;		/* it went while they waited */
};

TAILQ_HEAD(request_list, request);

struct dispatch_peer;

struct dispatch_peer_ops {
	/* Sends the answer; returns the octets of the message, 0 when it
	 * could not be sent. Must not destroy the peer. */
	size_t (*send)(struct dispatch_peer *peer, const struct prim *answer);

	/* The last request is answered. May destroy the peer. */
	void (*on_idle)(struct dispatch_peer *peer);
};

/* What a request was, for whoever looks at its answer. */
struct dispatch_about {
	enum op op;
	struct str rqi, rvi, fr, to;
};

/* Somebody who sees every request on its way to the CSE and every answer on
 * its way back, and may change both. */
struct dispatch_hooks {
	/* p goes to the CSE now. *note comes back with the answer. 0, or the
	 * rsc to refuse p with and *why. */
	int (*on_request)(void *arg, struct dispatch_peer *peer, struct prim *p,
			  void **note, const char **why);

	/* The answer, the CSE's or one of ours; note is the hook's again. peer
	 * NULL: it has left. What is returned is sent; NULL: nothing, the hook
	 * sends it later. */
	const struct prim *(*on_answer)(void *arg, struct dispatch_peer *peer,
					const struct dispatch_about *about,
					void *note, const struct prim *answer);

	/* There will be no answer. */
	void (*on_forgotten)(void *arg, void *note);
};

/* Embedded in whoever sends requests. */
struct dispatch_peer {
	const struct dispatch_peer_ops *ops;
	const struct codec *codec;
	uint64_t id;			/* for the log, and as a sender */
	struct trace_context *trace;	/* borrowed; NULL: it is in none */

	/* dispatch's own */
	struct request_list at_cse;
	struct request_list waiting;
	unsigned at_cse_count;
	size_t waiting_octets;
	struct id_set waiting_ids;
};

/* Borrows all of them; they outlive it. hooks may be NULL. */
MUST_CHECK int dispatch_create(struct dispatch **out, struct reactor *r,
			       struct backend *backend,
			       const struct dispatch_conf *conf,
			       const struct dispatch_hooks *hooks, void *arg);
void dispatch_destroy(struct dispatch *d);

static inline void dispatch_peer_init(struct dispatch_peer *peer,
				      const struct dispatch_peer_ops *ops,
				      const struct codec *codec, uint64_t id)
{
	*peer = (struct dispatch_peer){ .ops = ops, .codec = codec, .id = id };
	TAILQ_INIT(&peer->at_cse);
	TAILQ_INIT(&peer->waiting);
}

/* The peer goes: what waits is forgotten, as is a poll; what else is at the
 * CSE is completed there and its answer dropped. */
void dispatch_peer_leave(struct dispatch *d, struct dispatch_peer *peer);

static inline bool dispatch_peer_idle(const struct dispatch_peer *peer)
{
	return TAILQ_EMPTY(&peer->at_cse) && TAILQ_EMPTY(&peer->waiting);
}

/* When the oldest of its requests came that are not at the CSE yet, as by
 * uv_hrtime(); 0: none waits. */
uint64_t dispatch_peer_waiting_since(const struct dispatch_peer *peer);

/* A request primitive, which hooks may change, and the message it was decoded
 * from, both borrowed. */
void dispatch_request(struct dispatch *d, struct dispatch_peer *peer,
		      struct prim *p, struct str message);

/* Answers a message that is not to be carried. p may be only partly decoded;
 * without rqi the answer has an empty one. */
void dispatch_refuse(struct dispatch *d, struct dispatch_peer *peer,
		     const struct prim *p, struct str message, int rsc,
		     const char *why);

const struct dispatch_counters *dispatch_counters(const struct dispatch *d);
const struct latencies *dispatch_latencies(const struct dispatch *d);

#endif
