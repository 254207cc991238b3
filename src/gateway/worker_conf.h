#ifndef GATEWAY_WORKER_CONF_H
#define GATEWAY_WORKER_CONF_H

#include "worker.h"

/*
 * Each worker has a configuration of its own, which all that runs on its loop
 * borrows, so that a reload can change numbers in it without telling anybody.
 */

/* The one that the workers share, into w. */
void worker_conf_init(struct worker *w);

/* On w's loop: what of next can change while it serves (the `live` options that
 * are no files), but for the listeners, which have their own. next is borrowed
 * until the next call. */
void worker_conf_take(struct worker *w, const struct gateway_conf *next);

#endif
