#ifndef GATEWAY_RELOAD_H
#define GATEWAY_RELOAD_H

#include "worker.h"

/*
 * What a new configuration changes in one worker while it serves: certificates,
 * keys and those who vouch for clients, by listener, and the credentials. All
 * of it is made by the main thread, so that nothing can fail any more once the
 * worker has it.
 */
struct reload;

/* The running configuration is w's, next the one that follows; it is borrowed
 * until every worker has taken the following reload. What cannot be used is
 * logged. */
MUST_CHECK int reload_create(struct reload **out, struct worker *w,
			     const struct gateway_conf *next);
void reload_destroy(struct reload *r);		/* accepts NULL */

/* On w's loop. New handshakes use what is new. Sessions stay, but for those
 * whose credential has gone or has changed: Close 1008. Takes r. */
void reload_take(struct worker *w, struct reload *r);

#endif
