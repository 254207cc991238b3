#ifndef STATE_STATE_PRIV_H
#define STATE_STATE_PRIV_H

#include "state/entities.h"
#include "state/state.h"
#include "state/state_db.h"
#include "state/tallies.h"

/* One operation on its way. The caller's loop makes it, the thread runs it,
 * the loop frees it. */
struct state_job {
	TAILQ_ENTRY(state_job) link;
	int (*run)(struct state *s, struct state_job *job);

	struct state_mailbox *mailbox;	/* under the lock; NULL: nobody hears */
	struct state_call *call;	/* its loop's; or NULL */

	int err;			/* of this job alone */
	bool found;			/* item is what was looked for */
	uint64_t count;			/* of items that went */
	char *space;			/* owned: strings of what was found */
	union {
		struct inbox_item item;
		struct entity_row row;
	};

	size_t octets;			/* of strings */
	char strings[];			/* what was handed in */
};

TAILQ_HEAD(state_jobs, state_job);

struct state {
	char *path;			/* owned; NULL: in memory */
	size_t max_waiting;
	uint64_t (*now_ms)(void);
	uv_thread_t thread;
	bool started;
	struct tallies tallies;

	/* the thread's */
	struct state_db db;
	struct inbox_conf inbox;	/* of this batch */
	uint64_t now;			/* of this batch */
	uint64_t next_due;		/* none expires before; 0: never */
	bool more_due;			/* the last sweep was not all */
	bool failing;			/* nothing was written since one did */
	bool lost;			/* db: open it anew */

	uv_mutex_t lock;
	uv_cond_t wake;
	/* under the lock */
	struct state_jobs queue;
	struct state_jobs batch;	/* being run */
	size_t waiting;			/* octets in queue */
	struct inbox_conf inbox_conf;
	bool ending;
};

/* NULL: out of memory. run() returns a negative code only for what undoes the
 * whole batch; what concerns its job alone goes to job->err. */
struct state_job *state_job_create(int (*run)(struct state *s,
					      struct state_job *job),
				   size_t octets);

/* Moves *s, of what the caller lent, into the job. */
void state_job_copy(struct state_job *job, struct str *s);

/* Takes job, which may be NULL. bounded: may be refused with ERR_LIMIT. */
MUST_CHECK int state_job_submit(struct state_mailbox *m,
				struct state_call *call, struct state_job *job,
				bool bounded);

/* Counts the items anew, with a transaction open or none begun. */
MUST_CHECK int inbox_recount(struct state *s);
/* Of what is stored. */
MUST_CHECK int inbox_note_oldest(struct state *s);

/* Removes what has expired, or a part of it; in a transaction. */
MUST_CHECK int inbox_sweep(struct state *s);

#endif
