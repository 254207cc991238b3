#ifndef GATEWAY_RELOAD_H
#define GATEWAY_RELOAD_H

#include "worker.h"

/*
 * What a new configuration changes while the workers serve: limits, the
 * listeners, then certificates, keys and those who vouch for peers, of the
 * notify endpoint and towards the CSE, and the credentials. All of it is made
 * by the main thread, so that once a worker has its part only memory can be
 * missing; then a visit swaps it in. New handshakes use what is new. Sessions
 * stay, but for those whose credential has gone or has changed: Close 1008.
 */

/* As gateway_reload(). draining: no listener opens. What cannot be used is
 * logged. */
MUST_CHECK int reload_start(struct worker_shared *shared,
			    const struct gateway_conf *next, bool draining,
			    struct buf *why,
			    void (*on_done)(void *owner), void *owner);

#endif
