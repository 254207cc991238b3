#ifndef NET_REACTOR_PRIV_H
#define NET_REACTOR_PRIV_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/log_limit.h"
#include "net/reactor.h"

struct stream;

TAILQ_HEAD(stream_list, stream);

#define REACTOR_READ_SIZE  65536
#define REACTOR_RELEASED   1024		/* streams that linger, at most */
#define REACTOR_SPARE_MAX  16		/* write buffers kept for reuse */
#define REACTOR_SPARE_SIZE 16384	/* larger ones are freed */

struct reactor {
	uv_loop_t loop;
	uv_timer_t tick;		/* runs while timeouts are armed */
	uv_prepare_t prepare;
	uv_check_t check;
	uv_poll_t highest;		/* of reactor_reserve() */
	struct wheel wheel;
	bool ticking;
	uint64_t turn;			/* of the loop; from 1 */
	unsigned large_reads, fresh_reads;	/* in it */
	uint64_t reading_turn, reading_since;	/* the latest in which a stream
						 * was read, and from when on */
	uint64_t turn_began, turn_idle;	/* ns; the latter of all turns before */
	uint64_t longest_turn;		/* ns at work */
	struct log_limit log_tls;	/* failed handshakes */

	struct stream_list streams;	/* all; for the end */
	unsigned released;		/* of them, without an owner */
	struct stream_list dirty;	/* with output of this turn */
	struct stream_list flooding, fresh;	/* read in a later one */
	uv_idle_t busy;			/* runs while there are any */

	struct buf spare[REACTOR_SPARE_MAX];
	unsigned spare_count;
	char read_space[REACTOR_READ_SIZE];
	char plain_space[REACTOR_READ_SIZE];	/* decrypted from it */
};

/* A write buffer with capacity, or an empty one. */
struct buf reactor_take_buf(struct reactor *r);
void reactor_give_buf(struct reactor *r, struct buf *b);

/* stream.c: writes what has gathered; may call the owner. */
void stream_flush(struct stream *s);

/* turns.c */
void turns_init(struct reactor *r);

/* A turn of the loop is over: the next of those who wait are read. */
void turns_next(struct reactor *r);

#endif
