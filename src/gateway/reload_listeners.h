#ifndef GATEWAY_RELOAD_LISTENERS_H
#define GATEWAY_RELOAD_LISTENERS_H

#include "worker.h"

/*
 * What a reload does to the listeners: which come, go or move, with all that
 * the workers need for it. The main thread's, but for listener_plan_apply().
 */
struct listener_plan;

/* Makes what can fail, and changes nothing. While draining nothing opens. why:
 * what failed, where an error code tells too little; or it stays empty. */
MUST_CHECK int listener_plan_create(struct listener_plan **out,
				    struct worker_shared *shared,
				    const struct gateway_conf *next,
				    bool draining, struct buf *why);
/* With what no worker has taken. Accepts NULL. */
void listener_plan_destroy(struct listener_plan *p);

/* From now on it holds: the sockets listen, and listener_plan_apply() of each
 * worker follows. When it fails nothing has changed; why as above. */
MUST_CHECK int listener_plan_commit(struct listener_plan *p, struct buf *why);

/* On w's loop, once. What a worker cannot open for want of memory is logged;
 * the next reload tries again. */
void listener_plan_apply(struct listener_plan *p, struct worker *w);

/* All workers have it. */
void listener_plan_finish(struct listener_plan *p);

#endif
