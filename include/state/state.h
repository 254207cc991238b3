#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <uv.h>

#include "state/inbox.h"

/*
 * What outlives the process: who registered through the gateway
 * (entities.h), and the notifications that wait for those who are away
 * (inbox.h). One SQLite database, m2mwsd.db in the state directory; without a
 * directory it is in memory, and all works the same until the process ends.
 *
 * One thread does all SQL. What waits for it is executed in one transaction,
 * in the order in which it was handed in, and callers hear of it after the
 * commit: what was acknowledged survives kill -9. A commit that fails undoes
 * and fails all that was in it, with UV_ENOSPC or UV_EIO; the next one is
 * tried as if nothing had been.
 */
struct state;

struct state_conf {
	const char *dir;		/* NULL: in memory */
	size_t max_waiting;		/* octets handed in and not yet begun */
	uint64_t (*now_ms)(void);	/* wall clock; from any thread */
	struct inbox_conf inbox;
};

/*
 * Opens or creates the database. *why is a static sentence. UV_EBUSY: another
 * process has it open. ERR_UNSUPPORTED: of another program or another release;
 * it stays as it is. UV_EIO: damaged, or not to be read or written. conf is
 * copied. The thread does not run yet: now is the time for entities_load().
 */
MUST_CHECK int state_create(struct state **out, const char **why,
			    const struct state_conf *conf);
MUST_CHECK int state_start(struct state *s);

/* Executes what is still queued. After the mailboxes. */
void state_destroy(struct state *s);

/* The inbox's bounds from now on; what is stored already stays. Any thread. */
void state_set_inbox_conf(struct state *s, const struct inbox_conf *conf);

/*
 * One loop's end; loop thread only. It is created on its loop's thread or
 * before that runs. After destroy nothing more is heard; what was handed in is
 * still executed; the memory is freed by the loop, later.
 */
struct state_mailbox;

MUST_CHECK int state_mailbox_create(struct state_mailbox **out,
				    struct state *s, uv_loop_t *loop);
void state_mailbox_destroy(struct state_mailbox *m);

/*
 * How the caller of one operation hears of it; embedded in what it keeps, and
 * in use from a call that returned 0 until on_done() begins or
 * state_call_cancel(). Every operation takes NULL instead, for callers who do
 * not care. on_done() never comes from within the operation, and may do
 * anything: start another one, destroy the mailbox.
 */
struct state_call {
	/* 0, or a negative code: then nothing has happened. (With UV_EIO the
	 * next start may find that it has: at-least-once holds.) */
	void (*on_done)(struct state_call *call, int err);

	/* of inbox_next() and inbox_peek(); good during on_done(). NULL: there
	 * is none */
	const struct inbox_item *item;
	uint64_t count;			/* of inbox_drop(), inbox_discard() */

	struct state_job *job;		/* ours; NULL: not in use */
};

/* The operation takes place, but nobody hears of it. A call that is not in
 * use is fine if it is zeroed. */
void state_call_cancel(struct state_call *call);

#endif
