#ifndef OPS_SERVICE_H
#define OPS_SERVICE_H

#include "base/base.h"

struct gateway;

/*
 * What makes a process a service: signals, limits of the system. SIGTERM and
 * SIGINT drain; the second one ends at once. SIGHUP is ignored until there is
 * a reload.
 */
struct service;

/* On the gateway's main loop. Destroy before the gateway. */
MUST_CHECK int service_create(struct service **out, struct gateway *gw);
void service_destroy(struct service *s);

/* As many descriptors as the system allows this process. */
void service_raise_limits(void);

#endif
