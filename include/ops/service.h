#ifndef OPS_SERVICE_H
#define OPS_SERVICE_H

#include "base/base.h"

struct gateway;
struct reloader;

/*
 * What makes a process a service: signals, limits of the system. SIGTERM and
 * SIGINT drain; the second one ends at once. SIGHUP reloads. The service
 * manager, where there is one, hears of all that, of how many sessions there
 * are, and that every worker has its turns.
 */
struct service;

/* On the gateway's main loop. Destroy before the gateway. */
MUST_CHECK int service_create(struct service **out, struct gateway *gw,
			      struct reloader *reloader);
void service_destroy(struct service *s);

/* Clients are served from now on. */
void service_ready(struct service *s);

/* Before anything else: as many descriptors as the system allows this process,
 * what a peak of load needed goes back when it is over, and a signal that comes
 * too early waits for service_create(). */
void service_prepare(void);

#endif
