#include "upstreams.h"

#include <stdlib.h>

#include "base/log.h"

/* The one with least to do. Of equals, the one that was chosen longest ago:
 * upstreams_choose() puts it last. */
static struct upstream *least_loaded(const struct upstreams *s, uint64_t tried,
				     bool backup)
{
	struct upstream *u, *best = NULL;
	double load, least = 0;

	TAILQ_FOREACH(u, &s->list, link) {
		if (!u->up || u->conf.backup != backup || (u->bit & tried))
			continue;
		load = upstream_load(u);
		if (best == NULL || load < least) {
			best = u;
			least = load;
		}
	}
	return best;
}

static struct upstream *find_trial(const struct upstreams *s, uint64_t tried,
				   bool others)
{
	struct upstream *u;

	TAILQ_FOREACH(u, &s->list, link)
		if (!(u->bit & tried) && upstream_takes_trial(u, others))
			return u;
	return NULL;
}

/* A backup only where no other one is up. */
struct upstream *upstreams_choose(struct upstreams *s, uint64_t tried)
{
	struct upstream *up = least_loaded(s, tried, false), *u;

	if (s->count == 1 && up != NULL)
		return up;
	if (up == NULL)
		up = least_loaded(s, tried, true);
	u = find_trial(s, tried, up != NULL);
	if (u == NULL)
		u = up;
	if (u != NULL) {
		TAILQ_REMOVE(&s->list, u, link);
		TAILQ_INSERT_TAIL(&s->list, u, link);
	}
	return u;
}

/* ---- what they have done ---- */

bool upstreams_up(const struct upstreams *s)
{
	const struct upstream *u;

	TAILQ_FOREACH(u, &s->list, link)
		if (u->up)
			return true;
	return false;
}

static void add_counters(struct backend_counters *sum,
			 const struct upstream *u)
{
	const struct http_client_counters *c = mca_pool_counters(u->pool);

	sum->opened += c->opened;
	sum->connect_failed += c->connect_failed;
	sum->poisoned += c->poisoned;
	sum->retried += c->retried;
	sum->refused_waiting += c->refused_waiting;
	sum->moved += u->moved;
}

static void add_present(struct backend_counters *sum, const struct upstream *u)
{
	const struct http_client_counters *c = mca_pool_counters(u->pool);
	uint64_t since = mca_pool_waiting_since(u->pool);

	sum->open += c->open;
	sum->idle += c->idle;
	sum->waiting += c->waiting;
	if (since != 0 &&
	    (sum->waiting_since == 0 || since < sum->waiting_since))
		sum->waiting_since = since;
}

void upstreams_count(const struct upstreams *s, struct backend_counters *out)
{
	const struct upstream_list *lists[] = { &s->list, &s->retired };
	const struct upstream *u;

	*out = s->past;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		TAILQ_FOREACH(u, lists[i], link) {
			add_counters(out, u);
			add_present(out, u);
		}
}

void upstreams_each(const struct upstreams *s,
		    void (*on_upstream)(void *arg,
					const struct upstream_view *v),
		    void *arg)
{
	const struct upstream *u;

	TAILQ_FOREACH(u, &s->list, link) {
		const struct http_client_counters *c =
			mca_pool_counters(u->pool);
		const struct upstream_view view = {
			.name = u->conf.name,
			.up = u->up,
			.pending = mca_pool_pending(u->pool),
			.open = c->open,
			.requests = u->requests,
			.failures = u->failures,
			.moved = u->moved,
			.downs = u->downs,
			.failed_probes = u->failed_probes,
		};

		on_upstream(arg, &view);
	}
}

/* ---- which ones there are ---- */

/* On a turn of its own, as the last answer comes from within the pool. */
static void on_sweep(struct timeout *t)
{
	struct upstreams *s = container_of(t, struct upstreams, sweep);
	struct upstream *u, *next;

	for (u = TAILQ_FIRST(&s->retired); u != NULL; u = next) {
		next = TAILQ_NEXT(u, link);
		if (mca_pool_pending(u->pool) > 0)
			continue;
		TAILQ_REMOVE(&s->retired, u, link);
		add_counters(&s->past, u);
		upstream_destroy(u);
	}
}

void upstreams_tidy(struct upstreams *s)
{
	if (!TAILQ_EMPTY(&s->retired))
		reactor_arm(s->r, &s->sweep, 0);
}

/* The one that is so already; NULL: none. */
static struct upstream *find_equal(const struct upstreams *s,
				   const struct upstream_conf *conf)
{
	struct upstream *u;

	TAILQ_FOREACH(u, &s->list, link)
		if (upstream_conf_equal(&u->conf, conf))
			return u;
	return NULL;
}

/* Those that are not there yet, each at its place in out, which is empty. */
static int create_new(struct upstreams *s, struct upstream **out,
		      const struct upstream_conf *list, size_t count,
		      struct tls_context **contexts)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		if (find_equal(s, &list[i]) != NULL)
			continue;
		err = upstream_create(&out[i], s->r, &list[i], &s->codec,
				      contexts[i]);
		contexts[i] = NULL;
		if (err)
			log_error("upstream_failed",
				  LOG_TEXT("upstream", list[i].name),
				  LOG_ERRNO(err));
	}
	return err;
}

static void retire_all(struct upstreams *s)
{
	TAILQ_CONCAT(&s->retired, &s->list, link);
	s->count = 0;
	upstreams_tidy(s);
}

int upstreams_take(struct upstreams *s, const struct upstream_conf *list,
		   size_t count, struct tls_context **contexts)
{
	struct upstream *next[UPSTREAMS_MAX] = { NULL };
	int err = create_new(s, next, list, count, contexts);

	for (size_t i = 0; i < count && !err; i++) {
		if (next[i] != NULL) {
			next[i]->bit = UINT64_C(1) << s->next_bit++ % 64;
			continue;
		}
		next[i] = find_equal(s, &list[i]);
		TAILQ_REMOVE(&s->list, next[i], link);
		if (contexts[i] != NULL)
			upstream_take_tls(next[i], contexts[i]);
		contexts[i] = NULL;
	}
	if (!err)
		retire_all(s);
	for (size_t i = 0; i < count; i++) {
		tls_context_destroy(contexts[i]);
		contexts[i] = NULL;
		if (err) {
			upstream_destroy(next[i]);
		} else {
			next[i]->client_conf.has_others = count > 1;
			TAILQ_INSERT_TAIL(&s->list, next[i], link);
			s->count++;
		}
	}
	return err;
}

void upstreams_init(struct upstreams *s, struct reactor *r,
		    const struct codec_conf *codec)
{
	*s = (struct upstreams){
		.r = r,
		.codec = *codec,
		.sweep.on_timeout = on_sweep,
	};
	TAILQ_INIT(&s->list);
	TAILQ_INIT(&s->retired);
}

static void destroy_all(struct upstream_list *list)
{
	struct upstream *u;

	while ((u = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, u, link);
		upstream_destroy(u);
	}
}

void upstreams_deinit(struct upstreams *s)
{
	reactor_disarm(s->r, &s->sweep);
	destroy_all(&s->list);
	destroy_all(&s->retired);
}
