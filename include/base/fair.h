#ifndef BASE_FAIR_H
#define BASE_FAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/*
 * Who goes next, where many want the same thing: self-clocked fair queueing.
 * Every item says who sends it and what it costs, in a unit that all items
 * share. An item is due when its sender's earlier ones have been paid for, at a
 * price that all senders pay alike: who asks for little goes before who asks
 * for much, the items of one sender stay in order, and among equals the first
 * comes first.
 *
 * One account, and as many queues as there are kinds of items that may have to
 * wait for different reasons.
 */
struct fair_item {
	uint64_t start, due;		/* in the account's time */
	uint64_t number;
	size_t at;			/* in its queue */
};

struct fair_debt;

/* Zero it before use. */
struct fair_account {
	uint64_t now;			/* what has been taken was due since */
	uint64_t number;
	struct fair_debt *debts;	/* owned; NULL until a sender pays */
};

/* Items by their due time; they do not move while they are here. */
struct fair_queue {
	struct fair_item **heap;	/* owned; the items are the caller's */
	size_t count, room;
};

/* Notes in the item when it is due, at a cost that is thought to be cost, or
 * what the sender's items turned out to cost of late where that is more. sender
 * 0 is nobody, and pays nothing. */
void fair_price(struct fair_account *a, struct fair_item *item,
		uint64_t sender, uint64_t cost);

/* What the item was thought to cost. */
static inline uint64_t fair_cost(const struct fair_item *item)
{
	return item->due - item->start;
}

/* The item turned out to cost that: its sender's next ones are due by as much
 * later as it was more. Of many who owe, some may be forgiven, first who owes
 * least; without memory all are. */
void fair_settle(struct fair_account *a, const struct fair_item *item,
		 uint64_t sender, uint64_t cost);

/* It is served, or about to be: time goes on. */
void fair_begin(struct fair_account *a, const struct fair_item *item);

/* A priced item waits. UV_ENOMEM: it does not. */
MUST_CHECK int fair_add(struct fair_queue *q, struct fair_item *item);

/* The one that is due first; NULL: the queue is empty. */
static inline struct fair_item *fair_first(const struct fair_queue *q)
{
	return q->count > 0 ? q->heap[0] : NULL;
}

/* Waits no more. */
void fair_remove(struct fair_queue *q, struct fair_item *item);

/* Those that are not to be kept wait no more. */
void fair_filter(struct fair_queue *q,
		 bool (*keep)(struct fair_item *item, void *arg), void *arg);

/* Items that still wait are not looked at. */
void fair_queue_deinit(struct fair_queue *q);
void fair_account_deinit(struct fair_account *a);

#endif
