#ifndef GATEWAY_WORKER_LISTENER_H
#define GATEWAY_WORKER_LISTENER_H

#include "http/http_server.h"
#include "net/listener.h"
#include "worker.h"

/* One listener on this worker's loop. */
struct worker_listener {
	struct worker *w;
	const struct gateway_listener_conf *conf;
	struct listener_shared *shared;		/* the gateway's */
	struct http_server_conf http;
	struct tls_context *tls;		/* owned, or NULL */
	struct listener *listener;		/* owned; NULL: draining */
	uint64_t log_again_ms;			/* of the loop */
	uint64_t unlogged;			/* since the last of them */
};

/* The one of that index in w's configuration, into l, which is zeroed; what
 * fails is logged. */
MUST_CHECK int worker_listener_open(struct worker_listener *l, struct worker *w,
				    size_t index);

/* Accepts no more. */
void worker_listener_close(struct worker_listener *l);

/* What l's connections keep of its configuration, which has changed. */
void worker_listener_spread(struct worker_listener *l);

#endif
