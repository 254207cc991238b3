#ifndef STATE_INBOX_H
#define STATE_INBOX_H

#include "base/str.h"

struct state;
struct state_call;
struct state_mailbox;

/*
 * Stored notifications: a queue per entity, oldest first. Operations are of
 * state.h: asynchronous, on the loop of the mailbox; strings are copied.
 * They return 0 and on_done() follows, or UV_ENOMEM, or, inbox_put() only,
 * ERR_LIMIT: too much is waiting for the disk.
 *
 * Whoever delivers keeps a window of one per entity: inbox_next(), send,
 * and on the entity's answer inbox_remove() and inbox_next() again, at once:
 * they are executed in that order.
 */
enum inbox_overflow {
	INBOX_OLDEST,		/* the entity's oldest make room */
	INBOX_REFUSE,		/* ERR_LIMIT for the new one */
};

/* Octets are those of entity, sur and message; the file takes about twice as
 * much. 0: no bound. */
struct inbox_conf {
	uint64_t max_count;		/* of an entity */
	uint64_t max_bytes;		/* of an entity */
	uint64_t max_total_bytes;	/* of all; an entity that meets it
					 * makes room only among its own */
	uint64_t max_age_ms;		/* counts from when it is stored, as
					 * configured then */
	enum inbox_overflow overflow;
};

struct inbox_item {
	uint64_t seq;			/* given by inbox_put(); grows, and is
					 * never used twice */
	struct str entity;		/* canonical id: "/id-in/Cmeter7" */
	struct str sur;			/* subscription, or empty */
	unsigned ec;			/* event category; 0: none given */
	uint64_t expires_ms;		/* wall clock; 0: never */
	uint64_t stored_ms;		/* likewise; 0: by an older release;
					 * given by inbox_put() */
	struct str message;		/* request primitive, JSON */
};

/*
 * Stored when on_done(0) comes. on_done(ERR_LIMIT): by overflow policy, or
 * because it alone is too much. ec 4 (latest) takes the place of all queued
 * items of the same entity and sur, at the queue's end. An item that expires
 * before it is stored is stored and expires. item->seq
 * and stored_ms are not read.
 */
MUST_CHECK int inbox_put(struct state_mailbox *m, struct state_call *call,
			 const struct inbox_item *item);

/*
 * The oldest item that has not expired, in call->item. It stays stored, and
 * from now on it is `handed out`: neither overflow nor ec 4 touches it, expiry
 * does. Asking again gives the same one again, as long as it is there.
 */
MUST_CHECK int inbox_next(struct state_mailbox *m, struct state_call *call,
			  struct str entity);

/* The entity answered: exactly this item goes. on_done(0) also when it has
 * expired meanwhile. */
MUST_CHECK int inbox_remove(struct state_mailbox *m, struct state_call *call,
			    struct str entity, uint64_t seq);

/* The entity went away without an answer: the item is one of the queue
 * again. */
MUST_CHECK int inbox_release(struct state_mailbox *m, struct state_call *call,
			     struct str entity, uint64_t seq);

/* A look at the oldest one of a greater seq that has not expired, in
 * call->item: nothing is handed out. */
MUST_CHECK int inbox_peek(struct state_mailbox *m, struct state_call *call,
			  struct str entity, uint64_t seq);

/* Whoever runs the gateway does not want it: exactly this item goes, handed
 * out or not. call->count: 1, or 0: there is none. */
MUST_CHECK int inbox_discard(struct state_mailbox *m, struct state_call *call,
			     struct str entity, uint64_t seq);

/* The entity is no more: all its items go; call->count of them. */
MUST_CHECK int inbox_drop(struct state_mailbox *m, struct state_call *call,
			  struct str entity);

/* How many items the entity has, as of the last commit; any thread, and no
 * disk. Before on_done() of a put comes, its item is counted. */
uint64_t inbox_count(struct state *s, struct str entity);

/* Every entity that has items, as of the last commit, in no order, until
 * on_entity() returns false; any thread. It is called under a lock of the
 * inbox and does nothing that takes long. */
void inbox_each(struct state *s,
		bool (*on_entity)(void *arg, struct str entity, uint64_t items,
				  uint64_t octets),
		void *arg);

/* Since the start, committed ones only: items at start + stored = items +
 * delivered + dropped_oldest + expired + replaced + dropped. */
struct inbox_stats {
	uint64_t items, bytes;		/* now */
	uint64_t since;			/* when the oldest was stored, wall ms;
					 * 0: there is none, or nobody knows */

	uint64_t stored;
	uint64_t delivered;		/* removed */
	uint64_t dropped_oldest;	/* made room */
	uint64_t refused;
	uint64_t expired;
	uint64_t replaced;		/* by ec 4 */
	uint64_t dropped;		/* with their entity, or by hand */
	uint64_t failed_commits;	/* of entities too */
};

void inbox_stats(struct inbox_stats *out, struct state *s);	/* any thread */

#endif
