#ifndef OPS_ADMIN_H
#define OPS_ADMIN_H

#include <sys/socket.h>

#include "base/base.h"

struct gateway;

struct admin_conf {
	struct sockaddr_storage addr;	/* ss_family 0: not there */
};

/*
 * HTTP for who runs the gateway, on its main loop:
 *
 *	GET /metrics	what was counted, for Prometheus
 *	GET /healthz	200 while every worker has its turns, else no answer
 *	GET /readyz	200 while clients are served, else 503
 *
 * It is not asked who asks: it listens where only operators are.
 */
struct admin;

/* conf is borrowed; UV_EADDRINUSE and the like are logged. */
MUST_CHECK int admin_create(struct admin **out, struct gateway *gw,
			    const struct admin_conf *conf);
/* Before the gateway. Accepts NULL. */
void admin_destroy(struct admin *a);

/* 0: it does not listen. */
unsigned admin_port(const struct admin *a);

#endif
