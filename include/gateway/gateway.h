#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <sys/socket.h>

#include "backend/backend.h"
#include "backend/mca_server.h"
#include "backend/store_delivery.h"
#include "backend/store_service.h"
#include "gateway/credential.h"
#include "http/http_server.h"
#include "m2m/codec.h"
#include "m2m/entity_id.h"
#include "net/addr.h"
#include "net/tls.h"
#include "state/state.h"
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
	bool tls;			/* wss: with these files */
	struct tls_conf tls_conf;
	bool proxy_protocol;		/* a proxy tells whose each is */
	struct addr_nets proxy_from;	/* who may do that, and connect */
	uint64_t max_sessions;		/* over all workers */
	uint64_t handshake_timeout_ms;
	struct ws_handshake_conf handshake;
};

/* Who may send what. */
enum gateway_auth {
	AUTH_OPEN,		/* anybody anything; the CSE judges */
	AUTH_REGISTERED,	/* fr has registered through this gateway, or
				 * is the credential's, where there is one */
	AUTH_CREDENTIAL,	/* nobody without one; fr is the credential's */
};

/* What becomes of a request for an entity that is not connected. */
enum offline_policy {
	OFFLINE_HOLD,		/* it waits for the entity, until its deadline */
	OFFLINE_STORE,		/* into the inbox; the CSE is answered 2000 */
	OFFLINE_REJECT,		/* 5103 at once */
};

/* How the CSE reaches entities. */
struct notify_conf {
	struct sockaddr_storage addr;	/* ss_family 0: no reverse channel */
	bool tls;			/* https: with these files */
	struct tls_conf tls_conf;
	const char *advertise;		/* HOST:PORT that the CSE calls */
	struct str prefix;		/* http[s]://HOST:PORT/r/ for points
					 * of access; empty: none are given */
	struct addr_nets allow;		/* who may name an entity by its id */
	const char *originator;		/* of requests without X-M2M-Origin */
	const char *release;		/* of those without X-M2M-RVI */
	uint64_t timeout_ms;		/* for an entity's answer */
	enum offline_policy offline;	/* of notifications for AEs */
	enum offline_policy offline_cse;	/* and for CSEs */
	unsigned in_flight;		/* unanswered, of one session */
	unsigned max_connections;	/* of the CSE, to each worker */
	size_t max_held;		/* octets held, in each worker */
	struct http_server_conf http;
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
	const struct upstream_conf *upstreams;	/* BACKEND_HTTP; all of them
						 * are one CSE */
	size_t upstream_count;
	uint64_t timeout_ms;		/* for an answer */

	bool has_store;			/* the embedded CSE runs */
	struct store_service_conf store;
	struct store_delivery_conf delivery;
	struct mca_server_conf mca;	/* ss_family 0: no HTTP */

	enum gateway_auth auth;
	const char *reserved;		/* originators that need a credential,
					 * with commas between them */
	const char *originators_file;	/* where credentials come from */
	const struct credential_set *credentials;	/* NULL: nobody looks */
	struct entity_home home;	/* the CSE */
	unsigned max_entities;		/* that one session stands for */
	size_t max_registered;		/* octets of what registrations say */
	unsigned max_descendants;	/* of one CSE */
	struct notify_conf notify;
	struct state_conf state;

	struct ws_conf ws;
	struct codec_conf codec;
	unsigned sessions_per_ip;	/* connections of one peer; 0: any */
	unsigned handshake_rate;	/* a second, of one peer; 0: any */
	unsigned in_flight;		/* requests of one session at the CSE */
	size_t max_queue;		/* octets waiting for one session */
	size_t max_head;		/* octets of an HTTP head */
	size_t max_headers;
	size_t max_handshakes;		/* of TLS, that wait in a worker */
};

/* NULL: there is none of that name. */
const struct gateway_listener_conf *
gateway_find_listener(const struct gateway_conf *conf, const char *name);

/* A socket that listens already, for the listener of that name. */
struct gateway_socket {
	int fd;
	const char *name;
};

/* Opens the listeners, other than those that are in sockets, which are
 * borrowed. conf is borrowed, too, and outlives the gateway. */
MUST_CHECK int gateway_create(struct gateway **out,
			      const struct gateway_conf *conf,
			      const struct gateway_socket *sockets,
			      size_t socket_count);

/* Serves until gateway_stop(); runs the workers' threads. */
MUST_CHECK int gateway_run(struct gateway *gw);

/* Stops accepting, finishes what is in flight, closes every session with 1012
 * and ends, at the latest after drain_timeout; at once when asked twice. Safe
 * from a signal watcher on the loop given by gateway_reactor(). */
void gateway_stop(struct gateway *gw);

/*
 * On the loop given by gateway_reactor(), one at a time: takes over from next
 * what can change while it serves, namely most limits, the listeners, the files
 * of TLS, the upstreams and the credentials. Listeners are told apart by their
 * names: a new one opens, one that is gone closes, one with another address does
 * both, and none of their sessions ends. While draining nothing opens.
 *
 * Either all of it or, when it fails, nothing; why then has a line for people
 * where the code alone would not tell, and is empty else. on_done() follows:
 * until then the configuration of the reload before is still in use, and next is
 * until that of the reload after.
 */
MUST_CHECK int gateway_reload(struct gateway *gw,
			      const struct gateway_conf *next, struct buf *why,
			      void (*on_done)(void *owner), void *owner);

/* The main thread's loop, for signals and administration; carries no traffic
 * of clients or the CSE. Who uses it ends before the gateway. */
struct reactor *gateway_reactor(struct gateway *gw);

/* What outlives the process, for who has a mailbox on that loop. */
struct state *gateway_state(struct gateway *gw);

/* It drains, or ends. */
bool gateway_is_stopping(const struct gateway *gw);

/* Whether each worker has had its turn since the last call, which is the reason
 * to believe that it will have another one. On the loop given by
 * gateway_reactor(). */
bool gateway_is_alive(struct gateway *gw);

/* Open WebSockets, on all listeners. */
uint64_t gateway_sessions(const struct gateway *gw);

/* The port of the embedded CSE's HTTP; 0: none. */
unsigned gateway_store_port(const struct gateway *gw);

/* The port of the notify endpoint; 0: none. */
unsigned gateway_notify_port(const struct gateway *gw);

/* Its socket was handed over, and stays where it is. */
bool gateway_is_inherited(const struct gateway *gw, const char *listener);

/* A listener that is open. */
struct gateway_listener {
	const char *name;		/* good until the next reload */
	unsigned port;			/* after binding to port 0, too */
	bool tls;
};

/* In the order in which they came. False: there are no more. */
bool gateway_listener(struct gateway_listener *out, const struct gateway *gw,
		      size_t index);

void gateway_destroy(struct gateway *gw);

#endif
