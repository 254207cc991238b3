#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "channel.h"
#include "dispatch.h"
#include "gateway/gateway.h"
#include "listener_shared.h"
#include "post.h"
#include "state/state.h"
#include "tap.h"

struct arrival;
struct handshaker;
struct notify;
struct peers;
struct reach;
struct registrar;
struct session;
struct upgrade;
struct verifier;
struct worker;
struct worker_listener;

LIST_HEAD(arrival_list, arrival);
LIST_HEAD(session_list, session);
LIST_HEAD(worker_listener_list, worker_listener);
TAILQ_HEAD(upgrade_list, upgrade);

struct worker_counters {
	uint64_t accepted;
	uint64_t paused_accepting;	/* EMFILE and the like */
	uint64_t refused_sessions;	/* max_sessions bit */
	uint64_t displaced;		/* handshakes, by newer ones */
	uint64_t refused_per_ip;	/* sessions_per_ip bit */
	uint64_t refused_rate;		/* handshake_rate bit */
	uint64_t refused_proxy;		/* without the PROXY header that must
					 * be, or not from proxy_from */
	uint64_t refused_handshakes;	/* these are, too: */
	uint64_t refused_credentials;	/* absent, or wrong */
	uint64_t refused_origins;	/* of pages */
	uint64_t unchecked_credentials;	/* too many waited */
	uint64_t large_heads;		/* max_head, max_headers bit */
	uint64_t slow_handshakes;	/* handshake_timeout bit */

	uint64_t revoked;		/* sessions, by a reload */
	uint64_t sessions;
	uint64_t malformed;		/* messages that were no primitive */
	uint64_t too_complex;		/* these, too: max_depth or max_tokens
					 * bit */
	uint64_t no_primitives;		/* sessions that sent nothing else */
	uint64_t unconvertible;		/* into a session's serialisation */
	uint64_t redelivered;		/* from the inbox, and answered */
	uint64_t slow_readers;		/* max_queue bit */
};

/* What the workers share; the gateway's. */
struct worker_shared {
	const struct gateway_conf *conf;
	unsigned files;				/* descriptors, at most; about */
	struct listener_list listeners;		/* main thread's */
	struct peers *peers;
	struct tls_tickets *tickets;		/* NULL: no TLS */
	struct store_service *store;		/* or NULL */
	struct state *state;
	struct directory *directory;
	struct worker **workers;
	atomic_uint running;			/* that have not ended */
	struct visit_home home;			/* main thread's */
};

/*
 * One thread: a loop with its listeners, sessions, pool of connections to the
 * CSE and buffers. Workers share nothing on the path of a request.
 */
struct worker {
	struct worker_shared *shared;		/* borrowed, as conf */
	const struct gateway_conf *conf;	/* own_conf */
	struct gateway_conf own_conf;		/* worker_conf_take() only; the
						 * listeners have their own */
	unsigned index;

	struct reactor *reactor;		/* owned, as all down to wake */
	struct backend *backend;
	struct backend *mca_backend;	/* first worker's: behind mca */
	struct mca_server *mca;		/* or NULL */
	struct store_delivery *delivery;	/* likewise */
	struct state_mailbox *mailbox;
	struct registrar *registrar;
	struct verifier *verifier;	/* or NULL */
	struct dispatch *dispatch;
	struct reach *reach;
	struct notify *notify;		/* or NULL */
	struct ws_pool *ws_pool;
	struct handshaker *handshaker;	/* or NULL */
	struct worker_listener_list listeners;
	uv_async_t wake;
	struct post post;
	struct dispatch_conf dispatch_conf;
	struct channel_conf channel_conf;

	struct arrival_list arrivals;		/* owned */
	struct upgrade_list upgrades;		/* owned; the oldest first */
	struct session_list sessions;		/* owned */
	struct session *session_table;		/* the same, by id */
	struct tap_list taps;			/* of traces */
	uint64_t last_id;			/* ids given away */
	bool draining;
	atomic_int stops;			/* asked for; any thread */
	atomic_uint turns;			/* that it was woken for */
	struct timeout drain_next, drain_end;
	size_t drain_share;		/* sessions that end each time */
	struct timeout upgrades_end;	/* while draining */
	struct timeout trim;

	struct prim request;			/* the message at hand */
	struct prim stored;			/* the inbox item at hand */
	struct buf out;				/* the answer at hand */
	struct worker_counters counters;
	struct channel_counters channel_counters;
};

MUST_CHECK int worker_create(struct worker **out, struct worker_shared *shared,
			     unsigned index);
/* Ends its sessions; what they had goes home. Of all workers, then
 * worker_destroy(), when no thread runs any more. Both accept NULL. */
void worker_close(struct worker *w);
void worker_destroy(struct worker *w);

/* Serves until stopped; the calling thread is the worker's. */
void worker_run(struct worker *w);

/* Any thread. Once: drain. Twice: at once. */
void worker_stop(struct worker *w);

/* What a listener of conf offers, and who checks credentials; NULL: nobody.
 * For any thread as long as the worker has neither. */
MUST_CHECK int worker_tls_context(struct tls_context **out,
				  const struct worker *w, const char *listener,
				  const struct tls_conf *conf);
MUST_CHECK int worker_verifier(struct verifier **out, struct worker *w,
			       const struct credential_set *credentials);

/* Any thread: looks again whether it may end. */
void worker_wake(struct worker *w);

/* When draining, what has ended may be the last. */
void worker_check_drained(struct worker *w);

/* A session or an upgrade has ended. */
void worker_ended_one(struct worker *w);

/* From 1 on, never reused within the daemon. */
uint64_t worker_next_id(struct worker *w);

#endif
