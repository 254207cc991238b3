#ifndef GATEWAY_CHANNEL_H
#define GATEWAY_CHANNEL_H

#include "delivery.h"
#include "net/reactor.h"

/*
 * The requests that one session's peer is asked: in the order in which they
 * come, so many at a time unanswered, the rest waiting within a bound. Each
 * has an rqi that is new on this session; an answer counts only if it comes on
 * it, names one that is open, and in time.
 */
struct channel;

struct channel_conf {
	unsigned in_flight;		/* unanswered at a time */
	size_t max_queue;		/* octets that wait */
};

struct channel_counters {
	uint64_t sent, answered, timed_out, lost, full;
	uint64_t late;			/* answers to what had timed out, or
					 * to nothing */
};

struct channel_ops {
	/* Writes one request. ERR_LIMIT: it is larger than can be written
	 * ever; ERR_PROTO: it has no form here; other codes: it could not be.
	 * Does not destroy the channel. */
	int (*send)(struct channel *c, const struct prim *request);

	/* d has ended and goes home. */
	void (*give_back)(struct channel *c, struct delivery *d);
};

/* Embedded in the session. */
struct channel {
	const struct channel_ops *ops;
	const struct channel_conf *conf;	/* borrowed, as the next two */
	struct channel_counters *counters;
	struct reactor *r;

	struct delivery_list sent, queued;
	unsigned sent_count;
	size_t queued_octets;
	uint64_t last_rqi;
	bool sending;			/* pump() is on the stack */
};

void channel_init(struct channel *c, const struct channel_ops *ops,
		  const struct channel_conf *conf,
		  struct channel_counters *counters, struct reactor *r);

/* Takes d. It may end within the call. */
void channel_send(struct channel *c, struct delivery *d);

/* A response that the peer sent. */
void channel_answer(struct channel *c, const struct prim *response);

/* The session is over: all that is left ends. */
void channel_end(struct channel *c);

static inline bool channel_is_idle(const struct channel *c)
{
	return TAILQ_EMPTY(&c->sent) && TAILQ_EMPTY(&c->queued);
}

#endif
