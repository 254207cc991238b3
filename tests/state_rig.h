#ifndef TESTS_STATE_RIG_H
#define TESTS_STATE_RIG_H

#include <stdatomic.h>

#include "unit.h"

#include "state/entities.h"
#include "state/state.h"

/*
 * A state with one loop that hands in one operation at a time and waits for
 * its outcome; in a directory of its own, or in memory.
 */
#define RIG_NOW UINT64_C(1780300800000) /* 2026-06-01 08:00:00 UTC */

struct rig {
	struct state_conf conf;
	struct state *state;
	uv_loop_t loop;
	struct state_mailbox *m;

	struct state_call call;
	int err;			/* of the last one; 1: not heard yet */
	struct buf found;		/* message of the last inbox_next() */
	uint64_t seq;			/* its number; 0: none */
	uint64_t stored_ms;		/* of it */
	uint64_t count;			/* of items that went */
};

static _Atomic uint64_t rig_clock = RIG_NOW;
static char rig_dir[64];

static inline uint64_t rig_now_ms(void)
{
	return atomic_load(&rig_clock);
}

static inline void rig_make_dir(void)
{
	snprintf(rig_dir, sizeof(rig_dir), "/tmp/m2mwsd_state.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(rig_dir));
}

static inline void rig_remove_dir(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char file[128];

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(file, sizeof(file), "%s/m2mwsd.db%s", rig_dir,
			 ends[i]);
		unlink(file);
	}
	rmdir(rig_dir);
}

static inline void rig_on_done(struct state_call *call, int err)
{
	struct rig *rig = container_of(call, struct rig, call);

	rig->err = err;
	rig->seq = 0;
	rig->stored_ms = 0;
	rig->count = call->count;
	buf_clear(&rig->found);
	if (call->item != NULL) {
		rig->seq = call->item->seq;
		rig->stored_ms = call->item->stored_ms;
		buf_add_str(&rig->found, call->item->message);
	}
}

/* err is what the operation returned. */
static inline int rig_wait(struct rig *rig, int err)
{
	ck_assert_int_eq(err, 0);
	rig->err = 1;
	while (rig->err == 1)
		uv_run(&rig->loop, UV_RUN_ONCE);
	return rig->err;
}

/* dir NULL: in memory. The thread does not run yet. */
static inline void rig_create(struct rig *rig, const char *dir,
			      const struct inbox_conf *inbox)
{
	const char *why = "";
	int err;

	*rig = (struct rig){
		.conf = { .dir = dir, .max_waiting = 1 << 20,
			  .now_ms = rig_now_ms },
		.call = { .on_done = rig_on_done },
	};
	if (inbox != NULL)
		rig->conf.inbox = *inbox;
	err = state_create(&rig->state, &why, &rig->conf);
	ck_assert_msg(err == 0, "%d: %s", err, why);
	ck_assert_int_eq(uv_loop_init(&rig->loop), 0);
	ck_assert_int_eq(state_mailbox_create(&rig->m, rig->state, &rig->loop),
			 0);
}

static inline void rig_open(struct rig *rig, const char *dir,
			    const struct inbox_conf *inbox)
{
	rig_create(rig, dir, inbox);
	ck_assert_int_eq(state_start(rig->state), 0);
}

static inline void rig_close(struct rig *rig)
{
	state_mailbox_destroy(rig->m);
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&rig->loop), 0);
	state_destroy(rig->state);
	buf_deinit(&rig->found);
}

static inline struct inbox_item rig_item(const char *entity,
					 const char *message)
{
	return (struct inbox_item){ .entity = str_of(entity),
				    .message = str_of(message) };
}

static inline int rig_put(struct rig *rig, const char *entity,
			  const char *message)
{
	struct inbox_item item = rig_item(entity, message);

	return rig_wait(rig, inbox_put(rig->m, &rig->call, &item));
}

static inline int rig_next(struct rig *rig, const char *entity)
{
	return rig_wait(rig,
			inbox_next(rig->m, &rig->call, str_of(entity)));
}

static inline int rig_remove(struct rig *rig, const char *entity, uint64_t seq)
{
	return rig_wait(rig, inbox_remove(rig->m, &rig->call, str_of(entity),
					  seq));
}

/* The message of inbox_next() was this one. */
#define rig_assert_found(rig, text)                                      \
	ck_assert_msg(str_eq(buf_str(&(rig)->found), str_of(text)),      \
		      "%.*s instead of %s", (int)(rig)->found.len,       \
		      (rig)->found.p, text)

#endif
