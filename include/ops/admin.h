#ifndef OPS_ADMIN_H
#define OPS_ADMIN_H

#include <sys/socket.h>

#include "base/base.h"

struct gateway;
struct reloader;

enum admin_console {
	ADMIN_CONSOLE_NONE,
	ADMIN_CONSOLE_LOCAL,		/* on a loopback address only */
	ADMIN_CONSOLE_ANYWHERE,
};

struct admin_conf {
	struct sockaddr_storage addr;	/* ss_family 0: not there */
	enum admin_console console;
	const char *socket;		/* path; NULL or empty: not there */
};

/*
 * HTTP for who runs the gateway, on its main loop: on an address, and on a
 * Unix socket (mode 0660) for m2mwsctl. On the address it is not asked who
 * asks: it listens where only operators are. What changes anything is served
 * on the socket alone.
 *
 *	GET /metrics	what was counted, for Prometheus
 *	GET /healthz	200 while every worker has its turns, else no answer
 *	GET /readyz	200 while clients are served, else 503
 *
 *	GET /, /console/FILE
 *			the console, a page for browsers; 404 where it is off
 *
 * The API answers with JSON; a failure is {"error": TEXT}. Times are seconds
 * since 1970, ages seconds. An id in a path has its slashes coded (%2F).
 *
 *	GET /api/status
 *		version, uptime, draining, workers, log (level), sessions,
 *		entities, online, listeners: [{name, port, tls}], inbox: {items,
 *		octets}, upstream: {up (of the workers), open, idle, waiting},
 *		upstreams: [{name, up (of the workers), open, pending,
 *		requests, failures, moved, downs, failed_probes}], counters: {NAME: N, ...}
 *	GET /api/sessions[?originator=ID][&peer=ADDRESS][&limit=N]
 *		sessions: [...], more (true: limit bit); of each: sid, peer,
 *		listener, worker, credential, certificate, originators (the first
 *		16), entities (how many), subprotocol, opened, messages_in,
 *		messages_out, in_flight (requests at the CSE), waiting_octets
 *		(of those that wait for that), asked (requests to it,
 *		unanswered). limit: 1 to 10000 [1000];
 *		peer without a port means any port.
 *	GET /api/sessions/SID
 *		one of them, with all originators; 404
 *	POST /api/sessions/SID/kick
 *		sid: it is being closed with 1008, so that its client does not
 *		come back at once; 404
 *	POST /api/drain
 *		202, draining: true, sessions; as SIGTERM does, but never the
 *		second, hasty one
 *	POST /api/reload
 *		ok, errors: [LINE], restart_needed: [OPTION]; 409 when not ok
 *	POST /api/log?level=LEVEL
 *		level; until the next reload
 *	GET /api/inbox[?limit=N]
 *		entities: [{entity, items, octets, oldest}], more. oldest: when
 *		its oldest item was stored
 *	GET /api/inbox/ID[?limit=N][&after=SEQ]
 *		entity, items: [{seq, sur, ec, stored, expires, octets,
 *		message}], more. limit: 1 to 1000 [100]
 *	DELETE /api/inbox/ID, DELETE /api/inbox/ID/SEQ
 *		dropped: N; 404 when there is no such item
 *	POST /api/inbox/ID/redeliver
 *		202, items; to the session that stands for it; 404, 409 when
 *		there is none
 *	GET /api/config
 *		text/plain: as --dump-config, of the last reload
 *	GET /api/trace?originator=ID
 *		for as long as the client stays, in chunks, a line of JSON for
 *		each primitive of it: at (seconds), sid, dir (in: from it, out:
 *		to it), prim. What does not fit is left out: dropped is how many
 *		before this one.
 */
struct admin;

/* All but conf is borrowed and outlives it, which is for the call.
 * UV_EADDRINUSE and the like are logged. */
MUST_CHECK int admin_create(struct admin **out, struct gateway *gw,
			    struct reloader *reloader,
			    const struct admin_conf *conf);
/* Before the gateway and the reloader. Accepts NULL. */
void admin_destroy(struct admin *a);

/* 0: it does not listen. */
unsigned admin_port(const struct admin *a);

#endif
