#ifndef BACKEND_STORE_DELIVERY_PRIV_H
#define BACKEND_STORE_DELIVERY_PRIV_H

#include "backend/store_delivery.h"
#include "base/log_limit.h"
#include "base/table.h"
#include "net/reactor.h"

/*
 * The parts of the delivery, each in a file of its name: a sending is one
 * request on its way; targets hold the notifications that wait, batches those
 * that are gathered first; channels are what clients poll; waits are jobs that
 * wait for others.
 */
struct batch;
struct channel;
struct poll;
struct sending;
struct target;
struct wait;

TAILQ_HEAD(polls, poll);
TAILQ_HEAD(waits, wait);

struct store_delivery {
	struct reactor *r;			/* borrowed, as is conf */
	const struct store_delivery_conf *conf;
	struct store_delivery_counters counters;

	struct store_outlet outlet;
	bool has_outlet;
	bool draining;
	void (*on_idle)(void *owner);		/* while draining */
	void *owner;

	struct mca_client *client;		/* owned, as are all below */
	struct siphash_key key;			/* of tables and rqi */
	uint64_t last_rqi;
	struct target *targets;			/* by key */
	struct batch *batches;			/* by batch_key */
	struct channel *channels;		/* by id */
	size_t octets;				/* of all notices that wait */
	size_t sent;				/* of those on their way */
	struct polls polls;
	struct waits waits;
	size_t pending;				/* errands */
	size_t questions;			/* of waits; one, or more */

	struct log_limit log_failures;
};

/* Fresh, and nobody can guess it. */
#define DELIVERY_RQI_LEN 17
struct str delivery_rqi(struct store_delivery *d, char out[DELIVERY_RQI_LEN]);

/* Each ends an errand: with an answer of our own, because max_pending bit,
 * with e->answer, by another execution, without an answer. */
void delivery_reply(struct store_delivery *d, struct store_errand *e, int rsc,
		    const char *why);
void delivery_refuse(struct store_delivery *d, struct store_errand *e);
void delivery_answer(struct store_delivery *d, struct store_errand *e);
void delivery_again(struct store_delivery *d, struct store_errand *e);
void delivery_drop(struct store_delivery *d, struct store_errand *e);

/* Something came to an end. */
void delivery_check_idle(struct store_delivery *d);

/* A URL leads to where the configuration forbids to go. */
void delivery_refuse_target(struct store_delivery *d, struct str url);

/* A notification did not arrive. */
void delivery_log_failure(struct store_delivery *d, struct str target,
			  const char *why);

/* Makes out the NOTIFY for an event; false: no memory. */
bool delivery_write_notify(struct store_delivery *d, struct prim *out,
			   const struct store_event *event);

/* ---- sending ---- */

/* How it ended. */
struct sending_end {
	const struct prim *answer;	/* NULL: there is none, */
	int rsc;			/* but this to say, */
	const char *why;		/* and this */
};

struct channel_item;

/* Embedded in what owns it, zeroed before its first use. */
struct sending {
	struct store_delivery *d;	/* set by the owner, as is on_end */
	void (*on_end)(struct sending *s, const struct sending_end *end);
	struct prim request;		/* owned; filled by the owner */

	struct exchange x;
	struct buf urls;		/* owned; each with a line feed */
	size_t tried;			/* octets of urls */
	struct str url;			/* the last one of these */
	bool exact;
	struct channel_item *item;	/* waits in a channel */
	struct timeout timer;
	struct sending_end failure;	/* due in this turn */
};

/* s->request goes the route; on_end() follows, not from within. */
void sending_start(struct sending *s, const struct store_route *route,
		   uint64_t timeout_ms);
/* on_end() does not follow. */
void sending_cancel(struct sending *s);
void sending_deinit(struct sending *s);

/* By its channel, whose item is gone. */
void sending_answered(struct sending *s, const struct prim *answer);

/* ---- notices ---- */

/* A notification that waits. */
struct notice {
	TAILQ_ENTRY(notice) link;
	struct store_event event;	/* its slices point to text */
	size_t cost;
	char text[];
};

TAILQ_HEAD(notices, notice);

/* Event category: only the latest is of interest. */
static inline bool event_is_latest(const struct store_event *event)
{
	return event->ec == 4 && event->subscription != 0;
}

/* A copy; NULL: no memory. */
struct notice *notice_create(const struct store_event *event);

void targets_add(struct store_delivery *d, const struct store_event *event);
void targets_drop_all(struct store_delivery *d);

void batches_add(struct store_delivery *d, const struct store_event *event);
/* What was gathered for the event's subscription and target goes first. */
void batches_flush(struct store_delivery *d, const struct store_event *event);
void batches_flush_all(struct store_delivery *d);
void batches_drop_all(struct store_delivery *d);

/* ---- channels ---- */

void channels_notify(struct store_delivery *d,
		     const struct store_event *event);
/* 0, or why not; NULL then means memory. */
MUST_CHECK int channels_send(struct store_delivery *d, int64_t channel,
			     struct sending *s, const char **why);
void channels_forget(struct store_delivery *d, struct channel_item *item);
void channels_poll(struct store_delivery *d, struct store_errand *e);
void channels_answer(struct store_delivery *d, struct store_errand *e);
void channels_end_polls(struct store_delivery *d);
void channels_drop_all(struct store_delivery *d);

/* ---- waits ---- */

void waits_ask(struct store_delivery *d, struct store_errand *e);
void waits_forward(struct store_delivery *d, struct store_errand *e);
void waits_drop_all(struct store_delivery *d);

#endif
