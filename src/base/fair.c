#include "base/fair.h"

#include <stdlib.h>
#include <uv.h>

#define FIRST_ROOM 64
#define SETS	   256		/* a sender's debt stands in one of them, */
#define WAYS	   4		/* in any place of that */

struct fair_debt {
	uint64_t sender;
	uint64_t due;		/* > now: else it owes nothing */
	uint64_t usual;		/* what an item of it costs, of late */
};

/* ---- accounts ---- */

/* Where the sender's debt stands, or that of whom it may take the place. */
static struct fair_debt *debt_of(struct fair_account *a, uint64_t sender)
{
	uint64_t mixed = sender * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	struct fair_debt *set = &a->debts[mixed % SETS * WAYS], *least = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].sender == sender)
			return &set[i];
		if (set[i].due < least->due)
			least = &set[i];
	}
	return least;
}

/* Its own from now on; NULL: it has none. */
static struct fair_debt *take_debt(struct fair_account *a, uint64_t sender)
{
	struct fair_debt *debt;

	if (sender != 0 && a->debts == NULL)
		a->debts = calloc(SETS * WAYS, sizeof(*a->debts));
	if (sender == 0 || a->debts == NULL)
		return NULL;
	debt = debt_of(a, sender);
	if (debt->sender != sender)
		*debt = (struct fair_debt){ .sender = sender };
	if (debt->due < a->now)
		debt->due = a->now;
	return debt;
}

void fair_price(struct fair_account *a, struct fair_item *item,
		uint64_t sender, uint64_t cost)
{
	struct fair_debt *debt = take_debt(a, sender);

	item->number = a->number++;
	item->start = item->due = a->now;
	if (debt == NULL)
		return;
	item->start = debt->due;
	item->due = item->start + (cost > debt->usual ? cost : debt->usual);
	debt->due = item->due;
}

void fair_settle(struct fair_account *a, const struct fair_item *item,
		 uint64_t sender, uint64_t cost)
{
	struct fair_debt *debt = take_debt(a, sender);

	if (debt == NULL)
		return;
	if (cost > fair_cost(item))
		debt->due += cost - fair_cost(item);
	debt->usual = cost > debt->usual ? (debt->usual + cost) / 2 :
					   (3 * debt->usual + cost) / 4;
}

void fair_begin(struct fair_account *a, const struct fair_item *item)
{
	if (item->start > a->now)
		a->now = item->start;
}

/* ---- queues: binary heaps ---- */

static bool is_before(const struct fair_item *x, const struct fair_item *y)
{
	return x->due != y->due ? x->due < y->due : x->number < y->number;
}

static void put(struct fair_queue *q, size_t at, struct fair_item *item)
{
	q->heap[at] = item;
	item->at = at;
}

static void rise(struct fair_queue *q, struct fair_item *item)
{
	size_t at = item->at;

	while (at > 0 && is_before(item, q->heap[(at - 1) / 2])) {
		put(q, at, q->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(q, at, item);
}

static void sink(struct fair_queue *q, struct fair_item *item)
{
	size_t at = item->at, below;

	while ((below = 2 * at + 1) < q->count) {
		if (below + 1 < q->count &&
		    is_before(q->heap[below + 1], q->heap[below]))
			below++;
		if (!is_before(q->heap[below], item))
			break;
		put(q, at, q->heap[below]);
		at = below;
	}
	put(q, at, item);
}

static int grow(struct fair_queue *q)
{
	size_t room = q->room > 0 ? 2 * q->room : FIRST_ROOM;
	struct fair_item **heap = realloc(q->heap, room * sizeof(*heap));

	if (heap == NULL)
		return UV_ENOMEM;
	q->heap = heap;
	q->room = room;
	return 0;
}

int fair_add(struct fair_queue *q, struct fair_item *item)
{
	if (q->count == q->room && grow(q) != 0)
		return UV_ENOMEM;
	put(q, q->count++, item);
	rise(q, item);
	return 0;
}

void fair_remove(struct fair_queue *q, struct fair_item *item)
{
	struct fair_item *last = q->heap[--q->count];

	if (last == item)
		return;
	put(q, item->at, last);
	rise(q, last);
	sink(q, last);
}

void fair_filter(struct fair_queue *q,
		 bool (*keep)(struct fair_item *item, void *arg), void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < q->count; i++)
		if (keep(q->heap[i], arg))
			put(q, kept++, q->heap[i]);
	q->count = kept;
	for (size_t i = kept / 2; i-- > 0;)
		sink(q, q->heap[i]);
}

void fair_account_deinit(struct fair_account *a)
{
	free(a->debts);
	*a = (struct fair_account){ 0 };
}

void fair_queue_deinit(struct fair_queue *q)
{
	free(q->heap);
	*q = (struct fair_queue){ 0 };
}
