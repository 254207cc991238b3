#ifndef GATEWAY_VISIT_H
#define GATEWAY_VISIT_H

#include <sys/queue.h>
#include <uv.h>

#include "base/base.h"

/*
 * How the main thread reaches what is the workers': a visit goes from worker to
 * worker, on the loop of each as long as it runs, and then comes home. Where
 * several are on their way none overtakes another.
 */
struct worker;
struct visit;

TAILQ_HEAD(visit_list, visit);

/* Embedded in what it carries; the sender's again in on_done(). */
struct visit {
	TAILQ_ENTRY(visit) link;
	void (*on_worker)(struct visit *v, struct worker *w);
	void (*on_done)(struct visit *v);
};

/* Where visits come home. */
struct visit_home {
	uv_mutex_t lock;
	uv_async_t async;
	struct visit_list done;		/* under the lock */
};

MUST_CHECK int visit_home_init(struct visit_home *h, uv_loop_t *loop);
/* Ends those that are at home. The loop runs once more. */
void visit_home_deinit(struct visit_home *h);

/* Any thread. */
void visit_come_home(struct visit_home *h, struct visit *v);

#endif
