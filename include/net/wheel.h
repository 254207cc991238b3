#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/*
 * A coarse timer wheel: many timeouts, one libuv timer. Arming and disarming
 * cost a list operation. A timeout is never early and at most one tick late.
 */
#define WHEEL_TICK_MS 50
#define WHEEL_SLOTS   1024

struct timeout {
	LIST_ENTRY(timeout) link;
	uint64_t due;			/* tick; 0: not armed */
	void (*on_timeout)(struct timeout *t);
};

LIST_HEAD(timeout_list, timeout);

struct wheel {
	struct timeout_list slots[WHEEL_SLOTS];
	uint64_t tick;			/* last one that has run */
	uint64_t start_ms;
	unsigned armed;
};

void wheel_init(struct wheel *w, uint64_t now_ms);

/* (Re)arms t to fire delay_ms after now_ms; on_timeout must be set. */
void wheel_arm(struct wheel *w, struct timeout *t, uint64_t now_ms,
	       uint64_t delay_ms);
void wheel_disarm(struct wheel *w, struct timeout *t);

/* Fires what is due. A callback may arm and disarm anything. */
void wheel_advance(struct wheel *w, uint64_t now_ms);

#endif
