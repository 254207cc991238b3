#ifndef GATEWAY_WORKER_LISTENER_H
#define GATEWAY_WORKER_LISTENER_H

#include "http/http_server.h"
#include "net/listener.h"
#include "worker.h"

/* One listener on this worker's loop. */
struct worker_listener {
	LIST_ENTRY(worker_listener) link;	/* in w's listeners */
	struct worker *w;
	struct listener_shared *shared;		/* held */
	struct gateway_listener_conf conf;	/* a copy; shared's name */
	struct http_server_conf http;
	struct tls_context *tls;		/* owned, or NULL */
	struct listener *listener;		/* owned; NULL: draining */
	uint64_t log_again_ms;			/* of the loop */
	uint64_t unlogged;			/* since the last of them */
};

/* Nothing is open yet, and it is in no list. UV_ENOMEM. */
MUST_CHECK int worker_listener_create(struct worker_listener **out,
				      struct worker *w,
				      struct listener_shared *shared,
				      const struct gateway_listener_conf *conf);
void worker_listener_destroy(struct worker_listener *l);

/* Opens one when w begins. What fails is logged. */
MUST_CHECK int worker_listener_open(struct worker *w,
				    const struct gateway_listener_conf *conf);

/* Accepts no more. */
void worker_listener_close(struct worker_listener *l);

/* What follows is served by next, after w's own configuration. What next points
 * to is borrowed until the next call. */
void worker_listener_take(struct worker_listener *l,
			  const struct gateway_listener_conf *next);

#endif
