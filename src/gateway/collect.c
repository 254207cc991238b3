#include "gateway/stats.h"

#include <stdlib.h>

#include "base/clock.h"
#include "collect.h"
#include "notify.h"
#include "reach.h"
#include "registrar.h"
#include "session.h"
#include "worker.h"

struct collection {
	struct visit visit;
	struct worker_shared *shared;		/* borrowed */
	struct gateway_stats stats;
	void (*on_done)(void *owner, const struct gateway_stats *s);
	void *owner;
};

static void add_worker(uint64_t *v, const struct worker *w)
{
	const struct worker_counters *c = &w->counters;

	v[STAT_CONNECTIONS] += c->accepted;
	v[STAT_SESSIONS_OPENED] += c->sessions;
	v[STAT_REVOKED] += c->revoked;
	v[STAT_REFUSED_SESSIONS] += c->refused_sessions;
	v[STAT_DISPLACED] += c->displaced;
	v[STAT_REFUSED_PER_IP] += c->refused_per_ip;
	v[STAT_REFUSED_RATE] += c->refused_rate;
	v[STAT_REFUSED_PROXY] += c->refused_proxy;
	v[STAT_REFUSED_HANDSHAKES] += c->refused_handshakes;
	v[STAT_REFUSED_ORIGINS] += c->refused_origins;
	v[STAT_UNCHECKED_CREDENTIALS] += c->unchecked_credentials;
	v[STAT_LARGE_HEADS] += c->large_heads;
	v[STAT_SLOW_HANDSHAKES] += c->slow_handshakes;
	v[STAT_REFUSED_CREDENTIALS] += c->refused_credentials;
	if (w->handshaker != NULL)
		v[STAT_REFUSED_TLS] += handshaker_refused(w->handshaker);
	v[STAT_PAUSED_ACCEPTING] += c->paused_accepting;
	v[STAT_MALFORMED] += c->malformed;
	v[STAT_TOO_COMPLEX] += c->too_complex;
	v[STAT_UNCONVERTIBLE] += c->unconvertible;
	v[STAT_NO_PRIMITIVES] += c->no_primitives;
	v[STAT_SLOW_READERS] += c->slow_readers;
	v[STAT_REDELIVERED] += c->redelivered;
}

static void add_ws(uint64_t *v, const struct ws_counters *c)
{
	v[STAT_MESSAGES_IN] += c->messages_in;
	v[STAT_MESSAGES_OUT] += c->messages_out;
	v[STAT_OCTETS_IN] += c->octets_in;
	v[STAT_OCTETS_OUT] += c->octets_out;
	v[STAT_PINGS_IN] += c->pings_in;
	v[STAT_PONGS_IN] += c->pongs_in;
	v[STAT_BAD_FRAMES] += c->bad_frames;
	v[STAT_BAD_UTF8] += c->bad_utf8;
	v[STAT_TOO_BIG] += c->too_big;
	v[STAT_TOO_MANY_FRAGMENTS] += c->too_many_fragments;
	v[STAT_TOO_SLOW] += c->too_slow;
	v[STAT_NO_PONG] += c->no_pong;
	v[STAT_NO_CLOSE] += c->no_close;
	v[STAT_TOO_MANY_CONTROLS] += c->too_many_controls;
	v[STAT_UNFINISHED] += c->unfinished;
}

static void add_dispatch(uint64_t *v, const struct dispatch_counters *c)
{
	v[STAT_REQUESTS] += c->requests;
	v[STAT_ANSWERED] += c->answered;
	v[STAT_REFUSED_REQUESTS] += c->refused;
	v[STAT_FAILED] += c->failed;
	v[STAT_TIMED_OUT] += c->timed_out;
	v[STAT_QUEUE_FULL] += c->queue_full;
	v[STAT_ORPHANED] += c->orphaned;
	v[STAT_FORGOTTEN] += c->forgotten;
}

/* Since then, if there is any. */
static void add_age(uint64_t *age, uint64_t since, uint64_t now)
{
	if (since != 0 && now > since && now - since > *age)
		*age = now - since;
}

/* NULL: there is no room, while a reload is under way. */
static struct upstream_stats *find_upstream(struct gateway_stats *stats,
					    const char *name)
{
	struct upstream_stats *u;
	size_t i;

	for (i = 0; i < stats->upstream_count; i++) {
		u = &stats->upstreams[i];
		if (strcmp(u->name, name) == 0)
			return u;
	}
	if (i == UPSTREAMS_MAX)
		return NULL;
	u = &stats->upstreams[stats->upstream_count++];
	snprintf(u->name, sizeof(u->name), "%s", name);
	return u;
}

static void on_upstream(void *arg, const struct upstream_view *view)
{
	struct upstream_stats *u = find_upstream(arg, view->name);

	if (u == NULL)
		return;
	u->values[UPSTREAM_STAT_WORKERS] += view->up;
	u->values[UPSTREAM_STAT_PENDING] += view->pending;
	u->values[UPSTREAM_STAT_CONNECTIONS] += view->open;
	u->values[UPSTREAM_STAT_REQUESTS] += view->requests;
	u->values[UPSTREAM_STAT_FAILURES] += view->failures;
	u->values[UPSTREAM_STAT_MOVED] += view->moved;
	u->values[UPSTREAM_STAT_DOWNS] += view->downs;
	u->values[UPSTREAM_STAT_FAILED_PROBES] += view->failed_probes;
}

static void add_backend(struct gateway_stats *stats, const struct worker *w)
{
	struct backend_counters c = backend_count(w->backend);
	uint64_t *v = stats->values;

	v[STAT_UPSTREAM_OPENED] += c.opened;
	v[STAT_UPSTREAM_FAILED] += c.connect_failed;
	v[STAT_UPSTREAM_POISONED] += c.poisoned;
	v[STAT_UPSTREAM_RETRIED] += c.retried;
	v[STAT_UPSTREAM_MOVED] += c.moved;
	v[STAT_UPSTREAM_REFUSED] += c.refused_waiting;
	v[STAT_UPSTREAM_OPEN] += c.open;
	v[STAT_UPSTREAM_IDLE] += c.idle;
	v[STAT_UPSTREAM_WAITING] += c.waiting;
	v[STAT_UPSTREAM_UP] += w->backend->ops->healthy(w->backend);
	add_age(&stats->ages_ms[QUEUE_UPSTREAM], c.waiting_since,
		reactor_now(w->reactor));
	if (w->backend->ops->each != NULL)
		w->backend->ops->each(w->backend, on_upstream, stats);
}

static void add_reverse(uint64_t *v, const struct worker *w)
{
	const struct reach_counters *reach = reach_counters(w->reach);
	const struct channel_counters *channel = &w->channel_counters;
	const struct registrar_counters *registrar =
		registrar_counters(w->registrar);

	v[STAT_DELIVERIES] += reach->requests;
	v[STAT_DELIVERED] += channel->answered;
	v[STAT_UNDELIVERED] += reach->rejected;
	v[STAT_UNANSWERED] += channel->timed_out;
	v[STAT_LOST] += channel->lost;
	v[STAT_LATE_ANSWERS] += channel->late;
	v[STAT_CHANNEL_FULL] += channel->full;
	v[STAT_HELD] += reach->held;
	v[STAT_HELD_FULL] += reach->held_full;
	v[STAT_STORED] += reach->stored;
	v[STAT_NOT_STORED] += reach->not_stored;
	v[STAT_REGISTRATIONS] += registrar->registrations;
	v[STAT_DEREGISTRATIONS] += registrar->deregistrations;
	v[STAT_REFUSED_ORIGINATORS] += registrar->refused_originators;
	v[STAT_REFUSED_ENTITIES] += registrar->refused_entities;
}

static void add_notify(uint64_t *v, const struct notify_counters *c)
{
	v[STAT_NOTIFY_REQUESTS] += c->requests;
	v[STAT_NOTIFY_REFUSED] += c->refused;
	v[STAT_NOTIFY_FORBIDDEN] += c->forbidden;
	v[STAT_NOTIFY_UNCONVERTIBLE] += c->unconvertible;
	v[STAT_NOTIFY_ABANDONED] += c->abandoned;
	v[STAT_NOTIFY_REFUSED_CONNECTIONS] += c->refused_connections;
}

static void add_latencies(struct latencies *to, const struct latencies *from)
{
	struct latency *t = &to->of[0][0];
	const struct latency *f = &from->of[0][0];

	for (size_t i = 0; i < sizeof(*to) / sizeof(*t); i++) {
		for (size_t j = 0; j < LATENCY_BUCKETS; j++)
			t[i].buckets[j] += f[i].buckets[j];
		t[i].sum_us += f[i].sum_us;
	}
}

static void on_worker(struct visit *visit, struct worker *w)
{
	struct collection *c = container_of(visit, struct collection, visit);
	uint64_t *v = c->stats.values;
	uint64_t lag = reactor_take_lag(w->reactor);

	add_worker(v, w);
	add_ws(v, ws_pool_counters(w->ws_pool));
	add_dispatch(v, dispatch_counters(w->dispatch));
	add_backend(&c->stats, w);
	add_reverse(v, w);
	if (w->notify != NULL)
		add_notify(v, notify_counters(w->notify));
	add_latencies(&c->stats.latencies, dispatch_latencies(w->dispatch));
	add_age(&c->stats.ages_ms[QUEUE_SESSION],
		session_waiting_since(w) / 1000000, uv_hrtime() / 1000000);
	if (lag > c->stats.loop_lag_ms)
		c->stats.loop_lag_ms = lag;
}

/* What the workers share. */
static void add_shared(struct gateway_stats *stats,
		       const struct worker_shared *shared)
{
	uint64_t *v = stats->values;
	struct directory_counters d = directory_counters(shared->directory);
	struct inbox_stats inbox;

	v[STAT_SESSIONS] = listener_shared_sessions(&shared->listeners);
	v[STAT_ENTITIES] = d.entities;
	v[STAT_ENTITIES_ONLINE] = d.online;
	v[STAT_ENTITIES_OCTETS] = d.octets;
	v[STAT_CAME] = d.came;
	v[STAT_WENT] = d.went;
	v[STAT_REPLACED] = d.replaced;
	v[STAT_TAKEOVERS_REFUSED] = d.takeovers_refused;
	v[STAT_REGISTERED_FULL] = d.full;
	v[STAT_MANY_DESCENDANTS] = d.many_descendants;
	inbox_stats(&inbox, shared->state);
	add_age(&stats->ages_ms[QUEUE_INBOX], inbox.since, clock_wall_ms());
	v[STAT_INBOX_ITEMS] = inbox.items;
	v[STAT_INBOX_OCTETS] = inbox.bytes;
	v[STAT_INBOX_STORED] = inbox.stored;
	v[STAT_INBOX_DELIVERED] = inbox.delivered;
	v[STAT_INBOX_DROPPED_OLDEST] = inbox.dropped_oldest;
	v[STAT_INBOX_REFUSED] = inbox.refused;
	v[STAT_INBOX_EXPIRED] = inbox.expired;
	v[STAT_INBOX_REPLACED] = inbox.replaced;
	v[STAT_INBOX_DROPPED] = inbox.dropped;
	v[STAT_FAILED_COMMITS] = inbox.failed_commits;
}

static void on_done(struct visit *visit)
{
	struct collection *c = container_of(visit, struct collection, visit);

	add_shared(&c->stats, c->shared);
	c->on_done(c->owner, &c->stats);
	free(c);
}

int collect_start(struct worker_shared *shared,
		  void (*tell)(void *owner, const struct gateway_stats *s),
		  void *owner)
{
	struct collection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return UV_ENOMEM;
	c->visit.on_worker = on_worker;
	c->visit.on_done = on_done;
	c->shared = shared;
	c->on_done = tell;
	c->owner = owner;
	post_visit(shared, &c->visit);
	return 0;
}
