#ifndef GATEWAY_DELIVERY_H
#define GATEWAY_DELIVERY_H

#include <sys/queue.h>

#include "directory.h"
#include "m2m/prim.h"
#include "net/wheel.h"

struct channel;
struct worker;

/*
 * One request towards an entity, on its way there and back. The worker that
 * makes it is its home; the worker of the entity's session has it in between.
 * Whoever has it alone touches it. It ends exactly once, at home.
 */
enum delivery_end {
	DELIVERY_ANSWERED,	/* `answer` is the entity's */
	DELIVERY_TIMED_OUT,	/* none came in time */
	DELIVERY_UNSENT,	/* no session took it, nothing was written */
	DELIVERY_LOST,		/* written; then the session ended */
	DELIVERY_FULL,		/* too much waits for the session already */
	DELIVERY_UNSTORED,	/* no session, and the disk failed */
	DELIVERY_TOO_LARGE,	/* for any session */
	DELIVERY_UNCONVERTIBLE,	/* into the session's serialisation */
};

struct delivery {
	TAILQ_ENTRY(delivery) link;	/* in the list of whoever has it */
	struct worker *home;		/* borrowed */
	struct entity *entity;		/* a reference */
	struct place at;		/* the session that it is sent to */
	uint64_t due;			/* loop ms: then it has timed out */
	struct timeout deadline;	/* of the loop that has it */

	struct channel *channel;	/* that has it, or NULL */
	bool sent;			/* written there, unanswered */
	bool patient;			/* no bound on what waits concerns it */
	char rqi[24];			/* of the request there */

	struct prim request;		/* owned; rqi is set by the channel */
	struct prim answer;		/* owned; of DELIVERY_ANSWERED */
	enum delivery_end end;
	bool homeward;			/* it has ended */

	/* on home's loop; the delivery is its maker's again */
	void (*on_end)(struct delivery *d);
};

TAILQ_HEAD(delivery_list, delivery);

/* Takes the reference to entity; request is empty. */
void delivery_init(struct delivery *d, struct worker *home,
		   struct entity *entity, uint64_t due,
		   void (*on_end)(struct delivery *d));
void delivery_deinit(struct delivery *d);

/* What waits costs memory beside its octets. */
size_t delivery_cost(const struct delivery *d);

/* The rsc to answer the CSE with where the entity gave none, and why. */
int delivery_rsc(const struct delivery *d, const char **why);

#endif
