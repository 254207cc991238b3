#ifndef NET_REACTOR_H
#define NET_REACTOR_H

#include <stdint.h>
#include <uv.h>

#include "base/str.h"
#include "net/wheel.h"

/*
 * One libuv loop and what its streams share: a read buffer, spare write
 * buffers, the list of streams with unsent output, the timer wheel. One
 * thread. Output is written once per loop turn, after all callbacks of the
 * turn have appended to it.
 */
struct reactor;

/*
 * Where libuv has no memory for the threads of its pool, or for a longer table
 * of descriptors, it ends the process. Both are made at the start, rather than
 * with the client that is the first to need them: reactor_start_pool() once,
 * before any reactor, and reactor_reserve() of each. UV_ENOMEM, and the codes
 * of uv_loop_init() and uv_queue_work().
 */
MUST_CHECK int reactor_start_pool(void);
/* For descriptors below `files`, as far as the process may have them. */
void reactor_reserve(struct reactor *r, unsigned files);

/* Also makes the process ignore SIGPIPE. */
MUST_CHECK int reactor_create(struct reactor **out);

/* Closes every stream that is left and the loop. Nothing is called back. */
void reactor_destroy(struct reactor *r);

uv_loop_t *reactor_loop(struct reactor *r);

/* Until reactor_stop(), which is safe from a callback. */
void reactor_run(struct reactor *r);
void reactor_stop(struct reactor *r);

/* Milliseconds, monotonic, of this loop turn. */
uint64_t reactor_now(const struct reactor *r);

/* How long, in ms, the longest turn since the last call kept all others
 * waiting. */
uint64_t reactor_take_lag(struct reactor *r);

void reactor_arm(struct reactor *r, struct timeout *t, uint64_t delay_ms);
void reactor_disarm(struct reactor *r, struct timeout *t);

#endif
