#ifndef GATEWAY_ARRIVAL_H
#define GATEWAY_ARRIVAL_H

#include "worker.h"

struct peer;

/*
 * A connection that was accepted, until it may shake hands: whether there is
 * room for it, whose it is (a proxy may have to tell), and whether that peer
 * may have one more. Who may not is closed unheard, before any TLS.
 */
struct arrival;

/* Takes a connection of l: it becomes an upgrade, or waits for its proxy's
 * header in the worker's list, or is closed. */
void arrival_accept(struct worker_listener *l, int fd);

/* One that still waits; closes it. */
void arrival_destroy(struct arrival *a);

/* All of l. */
void arrival_end_all(struct worker_listener *l);

/* A connection that became an upgrade is over; l may end with it. */
void arrival_leave(struct worker_listener *l, struct peer *peer);

#endif
