#include "gateway/gateway.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "census.h"
#include "collect.h"
#include "notify.h"
#include "peers.h"
#include "reload.h"
#include "state/entities.h"
#include "worker.h"

#define TY_CSR 16

#define PEERS_IDLE 65536	/* some 8 MB */

struct worker_thread {
	struct gateway *gw;
	struct worker *worker;		/* owned */
	unsigned turns;			/* of it, when it was last looked at */
	uv_thread_t thread;
	bool started;
};

struct gateway {
	const struct gateway_conf *conf;	/* borrowed */
	struct reactor *reactor;		/* owned; main thread's */
	uv_async_t ended;			/* a worker has */
	bool closing;				/* no visits any more */
	struct worker_shared shared;		/* owned, as far as it is ours */
	struct worker_thread *threads;		/* conf->workers of them */
};

static void thread_main(void *arg)
{
	struct worker_thread *t = arg;

	worker_run(t->worker);
	atomic_fetch_sub(&t->gw->shared.running, 1);
	uv_async_send(&t->gw->ended);
}

static void on_ended(uv_async_t *async)
{
	struct gateway *gw = async->data;

	if (atomic_load(&gw->shared.running) == 0)
		reactor_stop(gw->reactor);
	else
		worker_wake(gw->threads[0].worker);
}

static int open_store(struct gateway *gw)
{
	const char *why;
	int err;

	if (!gw->conf->has_store)
		return 0;
	err = store_service_create(&gw->shared.store, &why,
				   &gw->conf->store);
	if (err)
		log_error("store_failed",
			  LOG_TEXT("path", gw->conf->store.store.path),
			  LOG_TEXT("why", why));
	return err;
}

static void log_presence(const char *event, const struct entity *e,
			 struct place at)
{
	log_event(LOG_LEVEL_INFO, event, LOG_STR("originator", e->id),
		  LOG_UINT("sid", at.sid));
}

static void on_online(void *owner, struct entity *e, struct place at)
{
	(void)owner;
	log_presence("online", e, at);
}

static void on_offline(void *owner, struct entity *e, struct place at)
{
	(void)owner;
	log_presence("offline", e, at);
}

static const struct directory_ops directory_ops = { on_online, on_offline };

static int load_entity(void *arg, const struct entity_row *row)
{
	struct gateway *gw = arg;
	struct entity_data data = {
		.rn = row->rn,
		.poa = {
			.known = true,
			.routed = row->routed,
			.rr = (enum poa_rr)row->rr,
			.poa = row->poa,
		},
		.dcse = row->dcse,
	};
	struct entity *e = directory_register(gw->shared.directory, row->id,
					      row->ty == TY_CSR, row->token,
					      &data);

	entity_unref(e);
	return e != NULL ? 0 : UV_ENOMEM;
}

/* Who registered in earlier lives. */
static int open_state(struct gateway *gw)
{
	struct directory_conf directory = {
		.home = &gw->conf->home,
		.max_octets = gw->conf->max_registered,
		.max_descendants = gw->conf->max_descendants,
	};
	const char *why = "out of memory";
	int err = state_create(&gw->shared.state, &why, &gw->conf->state);

	if (!err)
		err = directory_create(&gw->shared.directory, &directory,
				       &directory_ops, gw);
	if (!err)
		err = entities_load(gw->shared.state, load_entity, gw);
	if (!err)
		err = state_start(gw->shared.state);
	if (err)
		log_error("state_failed",
			  LOG_TEXT("dir", gw->conf->state.dir != NULL ?
						  gw->conf->state.dir : ""),
			  LOG_TEXT("why", why), LOG_ERRNO(err));
	return err;
}

static int open_peers(struct gateway *gw)
{
	const struct peers_conf conf = {
		.sessions = gw->conf->sessions_per_ip,
		.rate = gw->conf->handshake_rate,
		.max_idle = PEERS_IDLE,
	};

	return peers_create(&gw->shared.peers, &conf);
}

static bool has_tls(const struct gateway_conf *conf)
{
	for (size_t i = 0; i < conf->listener_count; i++)
		if (conf->listeners[i].tls)
			return true;
	return conf->notify.tls;
}

/* The fleet that comes back after a restart resumes its sessions. */
static int open_tickets(struct gateway *gw, const struct gateway_conf *users)
{
	struct tls_tickets_conf conf = { .now_ms = clock_wall_ms };
	const char *dir = gw->conf->state.dir;
	struct buf path = { 0 };
	int err = 0;

	if (!has_tls(users) || gw->shared.tickets != NULL)
		return 0;
	if (dir != NULL) {
		buf_add_str(&path, str_of(dir));
		buf_add(&path, "/tickets", sizeof("/tickets"));
		err = path.failed ? UV_ENOMEM : 0;
		conf.file = path.p;
	}
	if (!err)
		err = tls_tickets_create(&gw->shared.tickets, &conf);
	buf_deinit(&path);
	return err;
}

static int create_workers(struct gateway *gw)
{
	for (unsigned i = 0; i < gw->conf->workers; i++) {
		struct worker_thread *t = &gw->threads[i];
		int err;

		t->gw = gw;
		err = worker_create(&t->worker, &gw->shared, i);
		if (err)
			return err;
		gw->shared.workers[i] = t->worker;
	}
	return 0;
}

const struct gateway_listener_conf *
gateway_find_listener(const struct gateway_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->listener_count; i++)
		if (strcmp(conf->listeners[i].name, name) == 0)
			return &conf->listeners[i];
	return NULL;
}

static int create_listeners(struct gateway *gw)
{
	struct listener_shared *s;
	int err;

	for (size_t i = 0; i < gw->conf->listener_count; i++) {
		err = listener_shared_create(&s, &gw->conf->listeners[i]);
		if (err)
			return err;
		TAILQ_INSERT_TAIL(&gw->shared.listeners, s, link);
	}
	return 0;
}

static void inherit(struct gateway *gw, const struct gateway_socket *sockets,
		    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct listener_shared *s = listener_shared_find(
			&gw->shared.listeners, sockets[i].name);

		if (s == NULL) {
			log_warning("unknown_socket",
				    LOG_TEXT("name", sockets[i].name));
			continue;
		}
		s->fd = sockets[i].fd;
		s->inherited = true;
	}
}

#define FILES_BESIDE 4096	/* those that are no session's, about */

/* Twice: those that have not shaken hands yet. */
static unsigned files_of(const struct gateway_conf *conf)
{
	uint64_t files = FILES_BESIDE;

	for (size_t i = 0; i < conf->listener_count; i++)
		files += 2 * conf->listeners[i].max_sessions;
	return files > INT_MAX ? INT_MAX : (unsigned)files;
}

int gateway_create(struct gateway **out, const struct gateway_conf *conf,
		   const struct gateway_socket *sockets, size_t socket_count)
{
	struct gateway *gw = calloc(1, sizeof(*gw));
	int err;

	if (gw == NULL)
		return UV_ENOMEM;
	err = reactor_start_pool();
	if (!err)
		err = reactor_create(&gw->reactor);
	if (err) {
		free(gw);
		return err;
	}
	gw->conf = conf;
	gw->ended.data = gw;
	gw->shared.conf = conf;
	gw->shared.files = files_of(conf);
	reactor_reserve(gw->reactor, gw->shared.files);
	TAILQ_INIT(&gw->shared.listeners);
	gw->shared.workers = calloc(conf->workers,
				    sizeof(*gw->shared.workers));
	gw->threads = calloc(conf->workers, sizeof(*gw->threads));
	err = gw->shared.workers == NULL || gw->threads == NULL ?
		      UV_ENOMEM :
		      uv_async_init(reactor_loop(gw->reactor),
				    &gw->ended, on_ended);
	if (!err)
		err = visit_home_init(&gw->shared.home,
				      reactor_loop(gw->reactor));
	if (!err)
		err = create_listeners(gw);
	if (!err)
		inherit(gw, sockets, socket_count);
	if (!err)
		err = open_state(gw);
	if (!err)
		err = open_store(gw);
	if (!err)
		err = open_peers(gw);
	if (!err)
		err = open_tickets(gw, conf);
	if (!err)
		err = create_workers(gw);
	if (err) {
		gateway_destroy(gw);
		return err;
	}
	*out = gw;
	return 0;
}

static void log_end(const struct gateway *gw)
{
	struct directory_counters d = directory_counters(gw->shared.directory);
	struct inbox_stats inbox;

	inbox_stats(&inbox, gw->shared.state);
	log_info("gateway_end", LOG_UINT("entities", d.entities),
		 LOG_UINT("entities_octets", d.octets),
		 LOG_UINT("online", d.online), LOG_UINT("came", d.came),
		 LOG_UINT("went", d.went), LOG_UINT("replaced", d.replaced),
		 LOG_UINT("takeovers_refused", d.takeovers_refused),
		 LOG_UINT("registered_full", d.full),
		 LOG_UINT("many_descendants", d.many_descendants),
		 LOG_UINT("peers", peers_count(gw->shared.peers)),
		 LOG_UINT("peers_forgotten",
			  peers_forgotten(gw->shared.peers)),
		 LOG_UINT("inbox_items", inbox.items),
		 LOG_UINT("inbox_octets", inbox.bytes),
		 LOG_UINT("inbox_stored", inbox.stored),
		 LOG_UINT("inbox_delivered", inbox.delivered),
		 LOG_UINT("inbox_dropped_oldest", inbox.dropped_oldest),
		 LOG_UINT("inbox_refused", inbox.refused),
		 LOG_UINT("inbox_expired", inbox.expired),
		 LOG_UINT("inbox_replaced", inbox.replaced),
		 LOG_UINT("inbox_dropped", inbox.dropped),
		 LOG_UINT("failed_commits", inbox.failed_commits));
}

int gateway_run(struct gateway *gw)
{
	int err = 0;

	for (unsigned i = 0; i < gw->conf->workers && !err; i++) {
		struct worker_thread *t = &gw->threads[i];

		atomic_fetch_add(&gw->shared.running, 1);
		err = uv_thread_create(&t->thread, thread_main, t);
		t->started = err == 0;
		if (err)
			atomic_fetch_sub(&gw->shared.running, 1);
	}
	if (err) {
		log_error("start_failed", LOG_ERRNO(err));
		gateway_stop(gw);
	}
	if (atomic_load(&gw->shared.running) > 0)
		reactor_run(gw->reactor);
	for (unsigned i = 0; i < gw->conf->workers; i++)
		if (gw->threads[i].started)
			uv_thread_join(&gw->threads[i].thread);
	log_end(gw);
	return err;
}

void gateway_stop(struct gateway *gw)
{
	for (unsigned i = 0; i < gw->conf->workers; i++)
		worker_stop(gw->threads[i].worker);
}

int gateway_reload(struct gateway *gw, const struct gateway_conf *next,
		   struct buf *why, void (*on_done)(void *owner), void *owner)
{
	int err;

	if (gw->closing)
		return UV_ECANCELED;
	err = open_tickets(gw, next);
	return err ? err :
		     reload_start(&gw->shared, next, gateway_is_stopping(gw),
				  why, on_done, owner);
}

int gateway_collect(struct gateway *gw,
		    void (*on_done)(void *owner, const struct gateway_stats *s),
		    void *owner)
{
	return gw->closing ? UV_ECANCELED :
			     collect_start(&gw->shared, on_done, owner);
}

int gateway_census(struct gateway *gw, const struct census_filter *filter,
		   bool (*on_session)(void *owner,
				      const struct session_view *v),
		   void (*on_done)(void *owner), void *owner)
{
	return gw->closing ? UV_ECANCELED :
			     census_start(&gw->shared, filter, on_session,
					  on_done, owner);
}

int gateway_kick(struct gateway *gw, uint64_t sid,
		 void (*on_done)(void *owner, bool found), void *owner)
{
	return gw->closing ? UV_ECANCELED :
			     census_kick(&gw->shared, sid, on_done, owner);
}

int gateway_redeliver(struct gateway *gw, struct str id)
{
	return census_redeliver(&gw->shared, id);
}

int gateway_canonical(struct buf *out, const struct gateway *gw, struct str id)
{
	return census_canonical(out, &gw->shared, id);
}

int gateway_trace(struct trace **out, struct gateway *gw, struct str originator,
		  void (*on_lines)(void *owner), void *owner)
{
	return gw->closing ? UV_ECANCELED :
			     tap_start(out, &gw->shared,
				       reactor_loop(gw->reactor), originator,
				       on_lines, owner);
}

bool gateway_is_stopping(const struct gateway *gw)
{
	return gw->closing ||
	       atomic_load(&gw->threads[0].worker->stops) > 0;
}

struct reactor *gateway_reactor(struct gateway *gw)
{
	return gw->reactor;
}

struct state *gateway_state(struct gateway *gw)
{
	return gw->shared.state;
}

bool gateway_is_alive(struct gateway *gw)
{
	bool alive = true;

	for (unsigned i = 0; i < gw->conf->workers; i++) {
		struct worker_thread *t = &gw->threads[i];
		unsigned turns = atomic_load(&t->worker->turns);

		if (turns == t->turns && atomic_load(&t->worker->stops) == 0)
			alive = false;
		t->turns = turns;
		worker_wake(t->worker);
	}
	return alive;
}

bool gateway_is_inherited(const struct gateway *gw, const char *listener)
{
	const struct listener_shared *s =
		listener_shared_find(&gw->shared.listeners, listener);

	return s != NULL && s->inherited;
}

uint64_t gateway_sessions(const struct gateway *gw)
{
	return listener_shared_sessions(&gw->shared.listeners);
}

unsigned gateway_notify_port(const struct gateway *gw)
{
	const struct notify *notify = gw->threads[0].worker->notify;

	return notify != NULL ? notify_port(notify) : 0;
}

unsigned gateway_store_port(const struct gateway *gw)
{
	const struct mca_server *mca = gw->threads[0].worker->mca;

	return mca != NULL ? mca_server_port(mca) : 0;
}

bool gateway_listener(struct gateway_listener *out, const struct gateway *gw,
		      size_t index)
{
	const struct listener_shared *s;

	TAILQ_FOREACH(s, &gw->shared.listeners, link) {
		if (s->retired || index-- > 0)
			continue;
		*out = (struct gateway_listener){ s->name, s->port, s->tls };
		return true;
	}
	return false;
}

static void destroy_workers(struct gateway *gw)
{
	unsigned count = gw->threads != NULL ? gw->conf->workers : 0;

	for (unsigned i = 0; i < count; i++)
		worker_close(gw->threads[i].worker);
	/* twice: out to a session that is gone, then home */
	for (unsigned i = 0; i < 2 * count; i++)
		if (gw->threads[i % count].worker != NULL)
			post_run(gw->threads[i % count].worker);
	for (unsigned i = 0; i < count; i++)
		worker_destroy(gw->threads[i].worker);
}

/* No worker is left. */
static void destroy_listeners(struct gateway *gw)
{
	struct listener_shared *s;

	while ((s = TAILQ_FIRST(&gw->shared.listeners)) != NULL) {
		TAILQ_REMOVE(&gw->shared.listeners, s, link);
		listener_shared_destroy(s);
	}
}

void gateway_destroy(struct gateway *gw)
{
	if (gw == NULL)
		return;
	gw->closing = true;
	destroy_workers(gw);
	tls_tickets_destroy(gw->shared.tickets);
	if (gw->shared.home.async.type == UV_ASYNC)
		visit_home_deinit(&gw->shared.home);
	if (gw->ended.type == UV_ASYNC)
		uv_close((uv_handle_t *)&gw->ended, NULL);
	reactor_destroy(gw->reactor);
	peers_destroy(gw->shared.peers);
	store_service_destroy(gw->shared.store);
	state_destroy(gw->shared.state);
	directory_destroy(gw->shared.directory);
	free(gw->threads);
	free(gw->shared.workers);
	destroy_listeners(gw);
	free(gw);
}
