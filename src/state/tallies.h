#ifndef STATE_TALLIES_H
#define STATE_TALLIES_H

#include <sys/queue.h>
#include <uv.h>

#include "base/table.h"
#include "state/inbox.h"

/*
 * How much of the inbox is whose, in memory: only entities that have items are
 * here. The thread changes `now` along with its open transaction; others see
 * `committed`, which follows by tallies_commit(). All but tallies_count(),
 * tallies_each() and tallies_stats() is the thread's, or of the time before it
 * runs.
 */
struct tally_counts {
	uint64_t items, bytes;
	uint64_t handed;		/* seq of the one handed out; 0: none */
	uint64_t handed_bytes;
};

struct tally {
	UT_hash_handle hh;		/* in table */
	LIST_ENTRY(tally) of_all;
	SLIST_ENTRY(tally) link;	/* in changed */
	bool changed;
	struct tally_counts now;
	struct tally_counts committed;	/* written under the lock */
	size_t len;
	char entity[];
};

struct tallies {
	struct siphash_key key;
	SLIST_HEAD(, tally) changed;	/* since the last commit */
	struct inbox_stats now;

	uv_rwlock_t lock;
	/* changed under it */
	struct tally *table;		/* by entity */
	LIST_HEAD(, tally) all;		/* owned; the same */
	struct inbox_stats committed;
};

MUST_CHECK int tallies_init(struct tallies *t);
void tallies_deinit(struct tallies *t);

/* NULL: the entity has no items. */
struct tally *tallies_find(struct tallies *t, struct str entity);

/* Of an entity that has none, too. NULL: out of memory. */
struct tally *tallies_get(struct tallies *t, struct str entity);

/* Before every change of tally->now. */
void tallies_change(struct tallies *t, struct tally *tally);

/* An item of this size came or went. */
void tallies_add(struct tallies *t, struct tally *tally, uint64_t bytes);
void tallies_subtract(struct tallies *t, struct tally *tally, uint64_t seq,
		      uint64_t bytes);

void tallies_commit(struct tallies *t);
void tallies_rollback(struct tallies *t);	/* counts it */

/* All to nothing, to be counted anew and committed. */
void tallies_reset(struct tallies *t);

/* Any thread. */
uint64_t tallies_count(struct tallies *t, struct str entity);
void tallies_each(struct tallies *t,
		  bool (*on_entity)(void *arg, struct str entity,
				    uint64_t items, uint64_t octets),
		  void *arg);
void tallies_stats(struct inbox_stats *out, struct tallies *t);

#endif
