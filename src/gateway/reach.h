#ifndef GATEWAY_REACH_H
#define GATEWAY_REACH_H

#include "delivery.h"
#include "m2m/notification.h"
#include "state/state.h"

/*
 * Requests of the CSE towards entities, of one worker: to the entity's session
 * where there is one, or else by policy (notifications for those who are away
 * are stored or wait a while, what somebody waits for fails at once). Whatever
 * happens, each ends once.
 */
struct reach;

struct reach_counters {
	uint64_t requests;	/* towards entities */
	uint64_t held;		/* waited for their entity */
	uint64_t stored;	/* in the inbox */
	uint64_t not_stored;	/* its bounds, or the disk */
	uint64_t rejected;	/* the entity was away */
	uint64_t held_full;	/* max_held bit */
};

/* One request; embedded in what its maker keeps. */
struct reach_call {
	struct delivery d;
	enum notification_kind kind;
	struct str sur;			/* subscription; outlives the call */
	void (*on_end)(struct reach_call *c);	/* c is its maker's again */
	bool was_stored;		/* it is in the inbox; or d.end tells */

	/* reach's own */
	struct reach *r;
	uint64_t order;			/* in which they came */
	TAILQ_ENTRY(reach_call) link;	/* while r has it */
	struct timeout hold;
	struct state_call put;
	struct buf message;		/* owned; for the inbox */
};

MUST_CHECK int reach_create(struct reach **out, struct worker *w);
/* What waits ends now. After the sessions of all workers. */
void reach_destroy(struct reach *r);

/* c->d is initialised and its request filled. May end within the call. */
void reach_send(struct reach *r, struct reach_call *c);

/* e has a session now: what waited for it goes there. NULL: it is not known
 * who has. */
void reach_on_online(struct reach *r, struct entity *e);

/* A delivery of this worker has come home. */
void reach_on_return(struct delivery *d);

bool reach_is_idle(const struct reach *r);
const struct reach_counters *reach_counters(const struct reach *r);

#endif
