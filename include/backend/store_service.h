#ifndef BACKEND_STORE_SERVICE_H
#define BACKEND_STORE_SERVICE_H

#include <sys/queue.h>
#include <uv.h>

#include "backend/backend.h"
#include "base/fair.h"
#include "store/store.h"

/*
 * The embedded CSE with its threads: one writer that commits many requests at
 * a time and answers after the commit, and readers that do not wait for it.
 * One per process; every loop that asks has a mailbox to it, and one loop has
 * the outlet, through which notifications and requests for others leave. Only
 * messages pass between threads.
 */
struct store_service;

struct store_service_conf {
	struct store_conf store;
	unsigned readers;
	size_t max_waiting;		/* octets of requests not yet begun; one
					 * may take half of what is left */
	size_t max_leaving;		/* octets of notifications that the
					 * outlet has not taken yet */
};

/* *why tells what was wrong with the database. conf is borrowed. */
MUST_CHECK int store_service_create(struct store_service **out,
				    const char **why,
				    const struct store_service_conf *conf);

/* After mailboxes and outlet. */
void store_service_destroy(struct store_service *s);

/* One request on its way; embedded in what the caller keeps, zeroed before
 * its first use. Its memory stays put until on_done() or
 * store_mailbox_close(). */
struct store_job {
	TAILQ_ENTRY(store_job) link;
	struct store_mailbox *mailbox;
	uint64_t sender;		/* the caller's; as in an exchange */
	struct prim request;		/* the caller's copy; owned */
	struct prim answer;		/* owned; may point into request */

	/* the service's own */
	struct fair_item turn;		/* while it waits */
	uint64_t spent_ns;		/* on its execution */
	struct store_pass pass;
	struct store_events events;
	struct store_parcel *parcel;
	struct store_errand *errand;	/* at the outlet for it */
	bool unwanted;
};

TAILQ_HEAD(store_jobs, store_job);

void store_job_deinit(struct store_job *job);

/* One loop's end. */
struct store_mailbox {
	struct store_service *service;
	uv_async_t async;
	void (*on_done)(struct store_job *job);	/* on the loop */
	void (*on_closed)(struct store_mailbox *m);	/* memory is free */

	/* under the service's lock */
	struct store_jobs done;
	struct store_jobs away;		/* as errands at the outlet */
	size_t pending;			/* queued or being executed */
};

MUST_CHECK int store_mailbox_init(struct store_mailbox *m,
				  struct store_service *s, uv_loop_t *loop,
				  void (*on_done)(struct store_job *job));

/* Waits for what is being executed, forgets the rest; on_closed() follows.
 * The jobs are the caller's again at once. */
void store_mailbox_close(struct store_mailbox *m,
			 void (*on_closed)(struct store_mailbox *m));

/* job->sender and request are filled; on_done() follows with job->answer. Jobs
 * of one sender are executed in order, and who asks for little goes before who
 * asks for much. ERR_LIMIT: max_waiting. */
MUST_CHECK int store_mailbox_submit(struct store_mailbox *m,
				    struct store_job *job, bool read);

/* Nobody waits for the answer any more: on_done() still follows. */
void store_job_forget(struct store_job *job);

/*
 * A job whose answer others give (store_outcome): on loan to the outlet's
 * owner, who ends it with one of these three, from the outlet's loop.
 */
struct store_errand {
	TAILQ_ENTRY(store_errand) link;
	const struct store_errand_ops *ops;
	struct store_service *service;
	struct store_job *job;		/* under the lock; NULL: it is gone */

	struct prim request;		/* owned, as are the next two */
	struct prim answer;		/* may point into request */
	struct store_events events;
	struct store_pass pass;
};

struct store_errand_ops {
	void (*answer)(struct store_errand *e);	/* e->answer is complete */
	void (*again)(struct store_errand *e);	/* e->pass.agreed is set */
	void (*drop)(struct store_errand *e);	/* without an answer */
	bool (*is_wanted)(struct store_errand *e);
};

static inline void store_errand_answer(struct store_errand *e)
{
	e->ops->answer(e);
}

static inline void store_errand_again(struct store_errand *e)
{
	e->ops->again(e);
}

static inline void store_errand_drop(struct store_errand *e)
{
	e->ops->drop(e);
}

/* False: nobody waits for its answer any more. */
static inline bool store_errand_is_wanted(struct store_errand *e)
{
	return e->ops->is_wanted(e);
}

TAILQ_HEAD(store_errands, store_errand);
TAILQ_HEAD(store_parcels, store_parcel);

/* Where notifications, in the order of the commits, and errands leave; at most
 * one. Without it the former are dropped, the latter answered 5103. */
struct store_outlet {
	struct store_service *service;
	uv_async_t async;
	void (*on_events)(struct store_outlet *o,
			  const struct store_events *events);
	void (*on_errand)(struct store_outlet *o, struct store_errand *e);
	void (*on_closed)(struct store_outlet *o);	/* memory is free */

	/* under the service's lock */
	struct store_parcels parcels;
	struct store_errands errands;
	size_t octets;
	uint64_t dropped;		/* events: max_leaving bit */
};

/* on_events and on_errand are set. */
MUST_CHECK int store_outlet_init(struct store_outlet *o,
				 struct store_service *s, uv_loop_t *loop);

/* Nothing waits to be taken. */
bool store_outlet_is_empty(struct store_outlet *o);
/* Events that max_leaving kept back. */
uint64_t store_outlet_dropped(struct store_outlet *o);
void store_outlet_close(struct store_outlet *o,
			void (*on_closed)(struct store_outlet *o));

/* The backend on top, for one worker. The store reads and writes JSON: what
 * comes in another serialisation is transcoded within codec,
 * which is copied. */
MUST_CHECK int backend_store_create(struct backend **out,
				    struct store_service *s, uv_loop_t *loop,
				    const struct codec_conf *codec);

#endif
