#ifndef GATEWAY_UPGRADE_H
#define GATEWAY_UPGRADE_H

#include "worker.h"

struct peer;

/*
 * A connection that is not a session yet: it speaks HTTP until its handshake
 * is accepted or refused. Owned by its worker's list; it ends by itself.
 */
struct upgrade;

/* Takes a connection of l, also on failure, and on success its place, for
 * arrival_leave(). told: whom a proxy named, or NULL. peer: or NULL. */
MUST_CHECK int upgrade_accept(struct worker_listener *l, int fd,
			      const struct sockaddr *told, struct peer *peer);
void upgrade_destroy(struct upgrade *u);

/* What proves who they are has changed: those that wait are checked anew. */
void upgrade_check_all(struct worker *w);

/* All of l. */
void upgrade_end_all(struct worker_listener *l);

/* Ends the oldest one of l. False: this worker has none. */
bool upgrade_displace(struct worker_listener *l);

#endif
