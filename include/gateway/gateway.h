#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <sys/socket.h>

#include "backend/backend.h"
#include "backend/mca_server.h"
#include "backend/store_service.h"
#include "http/http_server.h"
#include "m2m/codec.h"
#include "ws/ws_handshake.h"
#include "ws/ws_session.h"

/*
 * The whole of a running daemon: its workers and what they share. Everything
 * hangs from here; nothing is file-scope.
 */
struct gateway;

/* One [listener "NAME"]. */
struct gateway_listener_conf {
	const char *name;
	struct sockaddr_storage addr;
	uint64_t max_sessions;		/* over all workers */
	uint64_t handshake_timeout_ms;
	struct ws_handshake_conf handshake;
};

enum gateway_backend {
	BACKEND_HTTP,		/* the upstream */
	BACKEND_STORE,		/* the embedded CSE, without a hop */
};

struct gateway_conf {
	unsigned workers;
	uint64_t drain_timeout_ms;

	const struct gateway_listener_conf *listeners;
	size_t listener_count;

	enum gateway_backend backend;
	const struct upstream_conf *upstream;	/* BACKEND_HTTP */
	uint64_t timeout_ms;		/* for an answer */

	bool has_store;			/* the embedded CSE runs */
	struct store_service_conf store;
	struct mca_server_conf mca;	/* ss_family 0: no HTTP */

	struct ws_conf ws;
	struct codec_conf codec;
	unsigned in_flight;		/* requests of one session at the CSE */
	size_t max_queue;		/* octets waiting for one session */
	size_t max_head;		/* octets of an HTTP head */
	size_t max_headers;
};

/* Opens the listeners. conf is borrowed and outlives the gateway. */
MUST_CHECK int gateway_create(struct gateway **out,
			      const struct gateway_conf *conf);

/* Serves until gateway_stop(); runs the workers' threads. */
MUST_CHECK int gateway_run(struct gateway *gw);

/* Stops accepting, finishes what is in flight, closes every session with 1012
 * and ends, at the latest after drain_timeout; at once when asked twice. Safe
 * from a signal watcher on the loop given by gateway_loop(). */
void gateway_stop(struct gateway *gw);

/* The main thread's loop, for signals; carries no traffic. */
struct uv_loop_s *gateway_loop(struct gateway *gw);

/* The port of the embedded CSE's HTTP; 0: none. */
unsigned gateway_store_port(const struct gateway *gw);

/* The port of a listener after binding to port 0. */
unsigned gateway_port(const struct gateway *gw, size_t listener);

void gateway_destroy(struct gateway *gw);

#endif
