/*
 * Notifications that wait for their turn. A target has a queue and one
 * notification on its way: so the order is kept, and a target that is slow
 * holds up nobody else.
 */
#include <stdlib.h>

#include "base/log.h"
#include "store_delivery_priv.h"

struct target {
	struct store_delivery *d;
	UT_hash_handle hh;		/* in d->targets, by key */
	struct notices queue;		/* owned */
	size_t octets;			/* of the queue */
	struct sending sending;		/* the one on its way */
	size_t sent;			/* octets of that */
	size_t key_len;
	char key[];			/* nu, or the id that it stands for */
};

/* ---- notices ---- */

static struct str keep(char **at, struct str text)
{
	struct str kept = { *at, text.len };

	if (text.len > 0)
		memcpy(*at, text.p, text.len);
	*at += text.len;
	return kept;
}

struct notice *notice_create(const struct store_event *event)
{
	size_t len = event->target.len + event->route.urls.len +
		     event->route.to.len + event->originator.len +
		     event->content.len;
	struct notice *n = malloc(sizeof(*n) + len);
	char *at;

	if (n == NULL)
		return NULL;
	at = n->text;
	n->cost = sizeof(*n) + len;
	n->event = *event;
	n->event.target = keep(&at, event->target);
	n->event.route.urls = keep(&at, event->route.urls);
	n->event.route.to = keep(&at, event->route.to);
	n->event.originator = keep(&at, event->originator);
	n->event.content = keep(&at, event->content);
	return n;
}

static void dequeue(struct target *t, struct notice *n)
{
	TAILQ_REMOVE(&t->queue, n, link);
	t->octets -= n->cost;
	t->d->octets -= n->cost;
}

static void enqueue(struct target *t, struct notice *n)
{
	TAILQ_INSERT_TAIL(&t->queue, n, link);
	t->octets += n->cost;
	t->d->octets += n->cost;
}

static void drop(struct target *t, struct notice *n)
{
	dequeue(t, n);
	free(n);
}

/* ---- targets ---- */

static struct str key_of(const struct target *t)
{
	return (struct str){ t->key, t->key_len };
}

static struct target *find(struct store_delivery *d, struct str key)
{
	unsigned hash = table_hash_keyed(&d->key, key);
	struct target *t;

	HASH_FIND_BYHASHVALUE(hh, d->targets, key.p, key.len, hash, t);
	return t;
}

static int add_to_table(struct target *t)
{
	unsigned hash = table_hash_keyed(&t->d->key, key_of(t));

	HASH_ADD_KEYPTR_BYHASHVALUE(hh, t->d->targets, t->key, t->key_len,
				    hash, t);
	return table_added(&t->hh);
}

static void charge_sent(struct target *t, size_t cost)
{
	t->d->sent += cost - t->sent;
	t->sent = cost;
}

static void target_free(struct target *t)
{
	charge_sent(t, 0);
	HASH_DELETE(hh, t->d->targets, t);
	while (!TAILQ_EMPTY(&t->queue))
		drop(t, TAILQ_FIRST(&t->queue));
	sending_deinit(&t->sending);
	free(t);
}

static void overflow(struct target *t)
{
	t->d->counters.overflowed++;
	delivery_log_failure(t->d, key_of(t), "too much waits");
}

/* The next one that may go; what is on its way has a bound, too. */
static struct notice *next_of(struct target *t)
{
	struct store_delivery *d = t->d;
	struct notice *n;

	charge_sent(t, 0);
	while ((n = TAILQ_FIRST(&t->queue)) != NULL &&
	       d->sent + n->cost > d->conf->max_memory) {
		drop(t, n);
		overflow(t);
	}
	return n;
}

/* The next one goes; without a next one the target does. */
static void go_on(struct target *t)
{
	struct store_delivery *d = t->d;
	struct notice *n = next_of(t);

	if (n == NULL) {
		target_free(t);
		delivery_check_idle(d);
		return;
	}
	dequeue(t, n);
	charge_sent(t, n->cost);
	delivery_write_notify(d, &t->sending.request, &n->event);
	sending_start(&t->sending, &n->event.route, d->conf->timeout_ms);
	free(n);
}

static void on_end(struct sending *s, const struct sending_end *end)
{
	struct target *t = container_of(s, struct target, sending);
	struct store_delivery *d = t->d;

	if (end->answer == NULL) {
		d->counters.undelivered++;
		delivery_log_failure(d, key_of(t), end->why);
	} else {
		d->counters.delivered++;
		d->counters.declined += end->answer->rsc / 1000 != 2;
		log_debug("notification", LOG_STR("target", key_of(t)),
			  LOG_STR("rqi", prim_text(&s->request, PARAM_RQI)),
			  LOG_INT("rsc", end->answer->rsc));
	}
	go_on(t);
}

static struct target *add(struct store_delivery *d, struct str key)
{
	struct target *t = calloc(1, sizeof(*t) + key.len);

	if (t == NULL)
		return NULL;
	t->d = d;
	TAILQ_INIT(&t->queue);
	t->sending.d = d;
	t->sending.on_end = on_end;
	t->key_len = key.len;
	memcpy(t->key, key.p, key.len);
	if (add_to_table(t) != 0) {
		free(t);
		return NULL;
	}
	return t;
}

/* Those of its subscription that it makes pointless. */
static void drop_replaced(struct target *t, const struct store_event *event)
{
	struct notice *n, *next;

	if (!event_is_latest(event))
		return;
	for (n = TAILQ_FIRST(&t->queue); n != NULL; n = next) {
		next = TAILQ_NEXT(n, link);
		if (n->event.subscription != event->subscription)
			continue;
		drop(t, n);
		t->d->counters.replaced++;
	}
}

static bool fits(const struct target *t, size_t cost)
{
	const struct store_delivery_conf *conf = t->d->conf;

	return t->octets + cost <= conf->max_queue &&
	       t->d->octets + cost <= conf->max_memory;
}

/* The oldest go. False: not even that makes room. */
static bool make_room(struct target *t, size_t cost)
{
	while (!fits(t, cost)) {
		if (TAILQ_EMPTY(&t->queue))
			return false;
		drop(t, TAILQ_FIRST(&t->queue));
		overflow(t);
	}
	return true;
}

static void lose(struct store_delivery *d, const struct store_event *event,
		 const char *why)
{
	d->counters.undelivered++;
	delivery_log_failure(d, event->target, why);
}

/* True: n is the target's now. What leaves at once takes no memory that others
 * might use up. */
static bool put(struct target *t, struct notice *n, bool at_once)
{
	drop_replaced(t, &n->event);
	if (at_once ? n->cost > t->d->conf->max_queue :
		      !make_room(t, n->cost)) {
		overflow(t);
		return false;
	}
	enqueue(t, n);
	return true;
}

/* A target that is new stands still yet, and either goes or goes on. */
static void add_notice(struct store_delivery *d, struct notice *n)
{
	struct target *t = find(d, n->event.target), *fresh = NULL;

	if (t == NULL)
		t = fresh = add(d, n->event.target);
	if (t == NULL) {
		lose(d, &n->event, "out of memory");
		free(n);
		return;
	}
	if (!put(t, n, fresh != NULL))
		free(n);
	if (fresh != NULL)
		go_on(fresh);
}

void targets_add(struct store_delivery *d, const struct store_event *event)
{
	struct notice *n;

	if (event->route.channel != 0) {
		channels_notify(d, event);
	} else if (event->route.urls.len == 0) {
		lose(d, event, "no point of access");
	} else {
		n = notice_create(event);
		if (n != NULL)
			add_notice(d, n);
		else
			lose(d, event, "out of memory");
	}
}

void targets_drop_all(struct store_delivery *d)
{
	struct target *t;

	while ((t = d->targets) != NULL) {
		sending_cancel(&t->sending);
		target_free(t);
	}
}
