#ifndef BACKEND_STORE_DELIVERY_H
#define BACKEND_STORE_DELIVERY_H

#include "backend/mca_client.h"
#include "backend/store_service.h"

/*
 * What the embedded CSE asks of others: notifications, verifications, requests
 * for other CSEs; to points of access over HTTP, or by long polling. One for
 * the service, on one loop.
 *
 * Notifications of one target leave one after the other, in the order of the
 * commits; what cannot be delivered is dropped, counted and logged. They are
 * kept in memory only.
 */
struct store_delivery;

struct store_delivery_conf {
	struct mca_client_conf client;
	uint64_t timeout_ms;	/* a target's answer may take this long */
	uint64_t poll_ms;	/* a poll without rqet waits this long */
	size_t max_queue;	/* octets that wait for one target; then the
				 * oldest notification goes */
	size_t max_memory;	/* for all targets */
	size_t max_pending;	/* requests that wait for others' answers */
};

struct store_delivery_counters {
	uint64_t delivered;	/* notifications that were answered, */
	uint64_t declined;	/* of these not with 2xxx */
	uint64_t undelivered;	/* not reached, or no answer */
	uint64_t overflowed;	/* max_queue or max_memory bit */
	uint64_t replaced;	/* by a later one, ec 4 */
	uint64_t asked;		/* verifications and blocking updates */
	uint64_t disagreed;	/* requests that these ended */
	uint64_t forwarded;
	uint64_t polled;	/* polls that got a request */
	uint64_t displaced;	/* client.authorities bit while they waited */
	uint64_t refused_targets;	/* client.deny has their address */
	uint64_t refused;	/* max_pending bit, or too many polls of one
				 * channel wait */
};

/* s: NULL where a test feeds it. conf is borrowed, as is s; both outlive it.
 * Without randomness it fails. */
MUST_CHECK int store_delivery_create(struct store_delivery **out,
				     struct reactor *r,
				     struct store_service *s,
				     const struct store_delivery_conf *conf);

/* Answers nothing more; errands are dropped. Accepts NULL. */
void store_delivery_destroy(struct store_delivery *d);

/* What the outlet hands over. events is borrowed for the call, e is taken. */
void store_delivery_notify(struct store_delivery *d,
			   const struct store_events *events);
void store_delivery_run(struct store_delivery *d, struct store_errand *e);

/* Polls end, batches leave; on_idle is called whenever nothing is left that
 * would come to an end by itself. */
void store_delivery_drain(struct store_delivery *d,
			  void (*on_idle)(void *owner), void *owner);
bool store_delivery_is_idle(struct store_delivery *d);

const struct store_delivery_counters *store_delivery_counters(
	const struct store_delivery *d);

/* Notifications that came faster than they were taken from the store. */
uint64_t store_delivery_left_out(struct store_delivery *d);

#endif
