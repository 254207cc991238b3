#include "worker.h"

#include <malloc.h>
#include <stdlib.h>

#include "arrival.h"
#include "base/log.h"
#include "net/addr.h"
#include "notify.h"
#include "reach.h"
#include "registrar.h"
#include "session.h"
#include "upgrade.h"
#include "verify.h"
#include "worker_conf.h"
#include "worker_listener.h"

/* Who has connected when a drain begins may still hear a 503, but cannot hold
 * it up. */
#define UPGRADES_MS 1000

/* Sessions do not end all at once, so that their clients do not come back all at
 * once: as many a time as it takes to be done in 4/5 of drain_timeout. */
#define DRAIN_MS    50
#define DRAIN_LEAST 50

#define TRIM_MS 10000		/* from the first end to looking for free pages */

uint64_t worker_next_id(struct worker *w)
{
	return w->last_id++ * w->conf->workers + w->index + 1;
}

/* Who serves the embedded CSE goes last: the others' requests may be there. */
static bool is_needed(const struct worker *w)
{
	if (w->delivery == NULL)
		return false;
	return atomic_load(&w->shared->running) > 1 ||
	       !store_delivery_is_idle(w->delivery);
}

void worker_check_drained(struct worker *w)
{
	if (w->draining && LIST_EMPTY(&w->sessions) &&
	    TAILQ_EMPTY(&w->upgrades) && LIST_EMPTY(&w->arrivals) &&
	    reach_is_idle(w->reach) && !is_needed(w))
		reactor_stop(w->reactor);
}

/* What a crowd used lies between what others use: the heap keeps it, unless it
 * is asked. */
static void on_trim(struct timeout *t)
{
	(void)t;
	malloc_trim(0);
}

void worker_ended_one(struct worker *w)
{
	if (w->trim.due == 0)
		reactor_arm(w->reactor, &w->trim, TRIM_MS);
	worker_check_drained(w);
}

static void stop_listening(struct worker *w)
{
	struct worker_listener *l;

	LIST_FOREACH(l, &w->listeners, link)
		worker_listener_close(l);
}

static void on_delivery_idle(void *owner)
{
	worker_check_drained(owner);
}

static void end_upgrades(struct worker *w)
{
	while (!LIST_EMPTY(&w->arrivals))
		arrival_destroy(LIST_FIRST(&w->arrivals));
	while (!TAILQ_EMPTY(&w->upgrades))
		upgrade_destroy(TAILQ_FIRST(&w->upgrades));
}

static void on_upgrades_end(struct timeout *t)
{
	end_upgrades(container_of(t, struct worker, upgrades_end));
}

static void drain_some(struct worker *w)
{
	if (session_drain(w, w->drain_share))
		reactor_arm(w->reactor, &w->drain_next, DRAIN_MS);
}

static void on_drain_next(struct timeout *t)
{
	drain_some(container_of(t, struct worker, drain_next));
}

static size_t drain_share(const struct worker *w)
{
	uint64_t times = w->conf->drain_timeout_ms * 4 / 5 / DRAIN_MS;
	size_t count = session_count(w), share;

	share = times > 0 ? count / times + 1 : count;
	return share > DRAIN_LEAST ? share : DRAIN_LEAST;
}

static void drain(struct worker *w)
{
	w->draining = true;
	stop_listening(w);
	reactor_arm(w->reactor, &w->drain_end, w->conf->drain_timeout_ms);
	reactor_arm(w->reactor, &w->upgrades_end, UPGRADES_MS);
	w->drain_share = drain_share(w);
	drain_some(w);
	if (w->delivery != NULL)
		store_delivery_drain(w->delivery, on_delivery_idle, w);
	worker_check_drained(w);
}

static void on_drain_end(struct timeout *t)
{
	reactor_stop(container_of(t, struct worker, drain_end)->reactor);
}

static void on_wake(uv_async_t *wake)
{
	struct worker *w = wake->data;
	int stops = atomic_load(&w->stops);

	atomic_fetch_add(&w->turns, 1);
	post_run(w);
	if (stops > 0 && !w->draining)
		drain(w);
	else
		worker_check_drained(w);
	if (stops > 1)
		reactor_stop(w->reactor);
}

void worker_wake(struct worker *w)
{
	uv_async_send(&w->wake);
}

void worker_stop(struct worker *w)
{
	atomic_fetch_add(&w->stops, 1);
	worker_wake(w);
}

/* More of the way from the CSE to entities. */
static void log_reverse_end(const struct worker *w)
{
	const struct reach_counters *reach = reach_counters(w->reach);
	const struct channel_counters *channel = &w->channel_counters;
	const struct registrar_counters *registrar =
		registrar_counters(w->registrar);
	static const struct notify_counters none;
	const struct notify_counters *notify =
		w->notify != NULL ? notify_counters(w->notify) : &none;

	log_info("reverse_end", LOG_UINT("worker", w->index),
		 LOG_UINT("notify_requests", notify->requests),
		 LOG_UINT("notify_refused", notify->refused),
		 LOG_UINT("notify_forbidden", notify->forbidden),
		 LOG_UINT("notify_unconvertible", notify->unconvertible),
		 LOG_UINT("notify_abandoned", notify->abandoned),
		 LOG_UINT("refused_connections", notify->refused_connections),
		 LOG_UINT("channel_full", channel->full),
		 LOG_UINT("held", reach->held),
		 LOG_UINT("held_full", reach->held_full),
		 LOG_UINT("not_stored", reach->not_stored),
		 LOG_UINT("registrations", registrar->registrations),
		 LOG_UINT("deregistrations", registrar->deregistrations),
		 LOG_UINT("refused_entities", registrar->refused_entities));
}

static void log_end(const struct worker *w)
{
	const struct dispatch_counters *d = dispatch_counters(w->dispatch);
	const struct ws_counters *ws = ws_pool_counters(w->ws_pool);

	log_info("worker_end", LOG_UINT("worker", w->index),
		 LOG_UINT("connections", w->counters.accepted),
		 LOG_UINT("sessions", w->counters.sessions),
		 LOG_UINT("refused_handshakes",
			  w->counters.refused_handshakes),
		 LOG_UINT("refused_credentials",
			  w->counters.refused_credentials),
		 LOG_UINT("refused_origins", w->counters.refused_origins),
		 LOG_UINT("unchecked_credentials",
			  w->counters.unchecked_credentials),
		 LOG_UINT("large_heads", w->counters.large_heads),
		 LOG_UINT("slow_handshakes", w->counters.slow_handshakes),
		 LOG_UINT("revoked", w->counters.revoked),
		 LOG_UINT("refused_tls", w->handshaker != NULL ?
				handshaker_refused(w->handshaker) : 0),
		 LOG_UINT("refused_sessions", w->counters.refused_sessions),
		 LOG_UINT("refused_per_ip", w->counters.refused_per_ip),
		 LOG_UINT("refused_rate", w->counters.refused_rate),
		 LOG_UINT("refused_proxy", w->counters.refused_proxy),
		 LOG_UINT("displaced", w->counters.displaced),
		 LOG_UINT("paused_accepting", w->counters.paused_accepting),
		 LOG_UINT("messages_in", ws->messages_in),
		 LOG_UINT("messages_out", ws->messages_out),
		 LOG_UINT("malformed", w->counters.malformed),
		 LOG_UINT("too_complex", w->counters.too_complex),
		 LOG_UINT("no_primitives", w->counters.no_primitives),
		 LOG_UINT("unconvertible", w->counters.unconvertible),
		 LOG_UINT("requests", d->requests),
		 LOG_UINT("answered", d->answered),
		 LOG_UINT("refused", d->refused), LOG_UINT("failed", d->failed),
		 LOG_UINT("timed_out", d->timed_out),
		 LOG_UINT("forgotten", d->forgotten),
		 LOG_UINT("orphaned", d->orphaned),
		 LOG_UINT("queue_full", d->queue_full),
		 LOG_UINT("slow_readers", w->counters.slow_readers),
		 LOG_UINT("deliveries", reach_counters(w->reach)->requests),
		 LOG_UINT("delivered", w->channel_counters.answered),
		 LOG_UINT("undelivered", reach_counters(w->reach)->rejected),
		 LOG_UINT("unanswered", w->channel_counters.timed_out),
		 LOG_UINT("lost", w->channel_counters.lost),
		 LOG_UINT("overflowed", w->channel_counters.full +
				reach_counters(w->reach)->held_full),
		 LOG_UINT("stored", reach_counters(w->reach)->stored),
		 LOG_UINT("redelivered", w->counters.redelivered),
		 LOG_UINT("late_answers", w->channel_counters.late),
		 LOG_UINT("refused_originators",
			  registrar_counters(w->registrar)->refused_originators),
		 LOG_UINT("too_big", ws->too_big),
		 LOG_UINT("too_many_fragments", ws->too_many_fragments),
		 LOG_UINT("unfinished", ws->unfinished),
		 LOG_UINT("too_slow", ws->too_slow),
		 LOG_UINT("too_many_controls", ws->too_many_controls),
		 LOG_UINT("bad_frames", ws->bad_frames),
		 LOG_UINT("bad_utf8", ws->bad_utf8),
		 LOG_UINT("no_pong", ws->no_pong),
		 LOG_UINT("no_close", ws->no_close));
}

static void log_delivery_end(const struct worker *w)
{
	const struct store_delivery_counters *c =
		store_delivery_counters(w->delivery);

	log_info("delivery_end", LOG_UINT("delivered", c->delivered),
		 LOG_UINT("declined", c->declined),
		 LOG_UINT("undelivered", c->undelivered),
		 LOG_UINT("overflowed", c->overflowed),
		 LOG_UINT("replaced", c->replaced),
		 LOG_UINT("asked", c->asked),
		 LOG_UINT("disagreed", c->disagreed),
		 LOG_UINT("forwarded", c->forwarded),
		 LOG_UINT("polled", c->polled),
		 LOG_UINT("displaced", c->displaced),
		 LOG_UINT("refused_targets", c->refused_targets),
		 LOG_UINT("refused", c->refused),
		 LOG_UINT("left_out", store_delivery_left_out(w->delivery)),
		 LOG_UINT("refused_connections", w->mca != NULL ?
				mca_server_refused(w->mca) : 0));
}

void worker_run(struct worker *w)
{
	reactor_run(w->reactor);
	post_end(w);
	log_end(w);
	if (w->delivery != NULL)
		log_delivery_end(w);
	log_reverse_end(w);
	log_flush();
}

/* Each worker has a context of its own, the tickets are everybody's. */
int worker_tls_context(struct tls_context **out, const struct worker *w,
		       const char *listener, const struct tls_conf *conf)
{
	struct tls_fault fault = { .member = "tls", .why = "failed" };
	int err = tls_context_create(out, &fault, conf, w->shared->tickets);

	if (err)
		log_error("tls_failed", LOG_TEXT("listener", listener),
			  LOG_TEXT("option", fault.member),
			  LOG_TEXT("why", fault.why));
	return err;
}

static int open_listeners(struct worker *w)
{
	const struct gateway_conf *conf = w->shared->conf;
	int err = 0;

	for (size_t i = 0; i < conf->listener_count && !err; i++)
		err = worker_listener_open(w, &conf->listeners[i]);
	return err;
}

static int open_backend(struct worker *w)
{
	if (w->conf->backend == BACKEND_STORE)
		return backend_store_create(&w->backend, w->shared->store,
					    reactor_loop(w->reactor),
					    &w->conf->codec);
	return backend_http_create(&w->backend, w->reactor, w->conf->upstreams,
				   w->conf->upstream_count, &w->conf->codec);
}

/* The embedded CSE's own HTTP, for others and for this gateway itself. */
static int open_mca(struct worker *w)
{
	struct store_service *store = w->shared->store;
	char space[64];
	int err;

	if (w->index != 0 || store == NULL ||
	    w->conf->mca.addr.ss_family == 0)
		return 0;
	err = backend_store_create(&w->mca_backend, store,
				   reactor_loop(w->reactor),
				   &w->conf->codec);
	if (!err)
		err = mca_server_create(&w->mca, w->reactor, w->mca_backend,
					&w->conf->mca);
	if (err)
		log_error("listen_failed", LOG_TEXT("listener", "store"),
			  LOG_STR("address",
				  addr_text((const struct sockaddr *)
						    &w->conf->mca.addr,
					    space, sizeof(space))),
			  LOG_ERRNO(err));
	return err;
}

/* What the embedded CSE asks of others leaves by the first worker. */
static int open_delivery(struct worker *w)
{
	if (w->index != 0 || w->shared->store == NULL)
		return 0;
	return store_delivery_create(&w->delivery, w->reactor,
				     w->shared->store, &w->conf->delivery);
}

static int open_notify(struct worker *w)
{
	const struct sockaddr *addr =
		(const struct sockaddr *)&w->conf->notify.addr;
	char space[64];
	int err;

	if (addr->sa_family == 0)
		return 0;
	err = notify_create(&w->notify, w);
	if (err)
		log_error("listen_failed", LOG_TEXT("listener", "notify"),
			  LOG_STR("address",
				  addr_text(addr, space, sizeof(space))),
			  LOG_ERRNO(err));
	return err;
}

/* In mode open nobody looks at credentials. */
int worker_verifier(struct verifier **out, struct worker *w,
		    const struct credential_set *credentials)
{
	if (credentials == NULL || w->conf->auth == AUTH_OPEN)
		return 0;
	return verifier_create(out, reactor_loop(w->reactor), credentials);
}

static int open_parts(struct worker *w)
{
	struct worker_shared *shared = w->shared;
	uv_loop_t *loop = reactor_loop(w->reactor);
	int err = open_backend(w);

	if (!err)
		err = open_mca(w);
	if (!err)
		err = open_delivery(w);
	if (!err)
		err = state_mailbox_create(&w->mailbox, shared->state, loop);
	if (!err)
		err = registrar_create(&w->registrar, w);
	if (!err)
		err = dispatch_create(&w->dispatch, w->reactor, w->backend,
				      &w->dispatch_conf, &registrar_hooks,
				      w->registrar);
	if (!err)
		err = reach_create(&w->reach, w);
	if (!err)
		err = ws_pool_create(&w->ws_pool, w->reactor, &w->conf->ws);
	if (!err)
		err = worker_verifier(&w->verifier, w, w->conf->credentials);
	if (!err)
		err = open_listeners(w);
	return err ? err : open_notify(w);
}

int worker_create(struct worker **out, struct worker_shared *shared,
		  unsigned index)
{
	struct worker *w = calloc(1, sizeof(*w));
	int err;

	if (w == NULL)
		return UV_ENOMEM;
	w->shared = shared;
	w->index = index;
	w->drain_next.on_timeout = on_drain_next;
	w->drain_end.on_timeout = on_drain_end;
	w->upgrades_end.on_timeout = on_upgrades_end;
	LIST_INIT(&w->arrivals);
	w->trim.on_timeout = on_trim;
	TAILQ_INIT(&w->upgrades);
	LIST_INIT(&w->sessions);
	LIST_INIT(&w->listeners);
	worker_conf_init(w);
	err = post_init(&w->post);
	if (err)
		goto free_worker;
	err = reactor_create(&w->reactor);
	if (err)
		goto deinit_post;
	reactor_reserve(w->reactor, w->shared->files);
	err = uv_async_init(reactor_loop(w->reactor), &w->wake, on_wake);
	w->wake.data = w;
	if (!err)
		err = open_parts(w);
	if (err) {
		worker_destroy(w);
		return err;
	}
	*out = w;
	return 0;

deinit_post:
	post_deinit(&w->post);
free_worker:
	free(w);
	return err;
}

void worker_close(struct worker *w)
{
	if (w == NULL)
		return;
	stop_listening(w);
	end_upgrades(w);
	while (!LIST_EMPTY(&w->sessions))
		session_destroy(LIST_FIRST(&w->sessions));
}

/* No stream is left that has to do with a context. */
static void destroy_listeners(struct worker *w)
{
	struct worker_listener *l;

	while ((l = LIST_FIRST(&w->listeners)) != NULL) {
		LIST_REMOVE(l, link);
		worker_listener_destroy(l);
	}
}

void worker_destroy(struct worker *w)
{
	if (w == NULL)
		return;
	worker_close(w);
	post_run(w);		/* what was on its way to it or home */
	tap_end_all(&w->taps);
	reach_destroy(w->reach);
	notify_destroy(w->notify);
	dispatch_destroy(w->dispatch);
	registrar_destroy(w->registrar);
	state_mailbox_destroy(w->mailbox);
	mca_server_destroy(w->mca);
	store_delivery_destroy(w->delivery);
	backend_destroy(w->mca_backend);
	backend_destroy(w->backend);
	ws_pool_destroy(w->ws_pool);
	verifier_destroy(w->verifier);
	handshaker_destroy(w->handshaker);
	reactor_destroy(w->reactor);
	post_deinit(&w->post);
	destroy_listeners(w);
	prim_deinit(&w->request);
	prim_deinit(&w->stored);
	buf_deinit(&w->out);
	free(w);
}
