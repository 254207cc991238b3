#include "net/wheel.h"

#include <assert.h>
#include <stddef.h>

void wheel_init(struct wheel *w, uint64_t now_ms)
{
	for (unsigned i = 0; i < WHEEL_SLOTS; i++)
		LIST_INIT(&w->slots[i]);
	w->tick = 0;
	w->start_ms = now_ms;
	w->armed = 0;
}

void wheel_arm(struct wheel *w, struct timeout *t, uint64_t now_ms,
	       uint64_t delay_ms)
{
	uint64_t due;

	assert(t->on_timeout != NULL);
	wheel_disarm(w, t);
	/* rounded up: never early, not even by the part of a tick that has
	 * already passed */
	due = (now_ms - w->start_ms + delay_ms + WHEEL_TICK_MS - 1) /
	      WHEEL_TICK_MS;
	t->due = due > w->tick ? due : w->tick + 1;
	LIST_INSERT_HEAD(&w->slots[t->due % WHEEL_SLOTS], t, link);
	w->armed++;
}

void wheel_disarm(struct wheel *w, struct timeout *t)
{
	if (t->due == 0)
		return;
	LIST_REMOVE(t, link);
	t->due = 0;
	w->armed--;
}

/* What is due in one slot moves to a list of its own first: a callback may
 * disarm the very timeout that a plain walk would visit next. */
static void run_slot(struct wheel *w, struct timeout_list *slot)
{
	struct timeout_list due = LIST_HEAD_INITIALIZER(due);
	struct timeout *t, *next;

	for (t = LIST_FIRST(slot); t != NULL; t = next) {
		next = LIST_NEXT(t, link);
		if (t->due > w->tick)
			continue;
		LIST_REMOVE(t, link);
		LIST_INSERT_HEAD(&due, t, link);
	}
	while ((t = LIST_FIRST(&due)) != NULL) {
		wheel_disarm(w, t);
		t->on_timeout(t);
	}
}

void wheel_advance(struct wheel *w, uint64_t now_ms)
{
	uint64_t target = (now_ms - w->start_ms) / WHEEL_TICK_MS;

	/* after a long sleep one round visits every slot */
	if (target > w->tick + WHEEL_SLOTS)
		w->tick = target - WHEEL_SLOTS;
	while (w->tick < target) {
		w->tick++;
		run_slot(w, &w->slots[w->tick % WHEEL_SLOTS]);
	}
}
