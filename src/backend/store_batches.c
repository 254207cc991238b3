/*
 * Notifications that are gathered before they leave (bn, TS-0001 9.6.8): per
 * subscription and target, until there are enough of them or time is up. Then
 * they are one m2m:agn.
 */
#include <stdlib.h>

#include "m2m/json.h"
#include "store_delivery_priv.h"

#define BATCH_OCTETS 131072	/* no message grows much larger than this */

struct batch {
	struct store_delivery *d;
	struct hash_node node;		/* in d->batches */
	struct notice *latest;		/* owned; all but content counts */
	struct buf list;		/* m2m:sgn's, with commas */
	unsigned count;
	size_t cost;			/* in d->octets */
	struct timeout timer;
};

/* What is gathered: the object in {"m2m:sgn":{...}}. */
static bool find_sgn(struct str *out, struct str content)
{
	struct jscan_value name, value;
	struct jscan s;

	jscan_init(&s, content, JSCAN_DEPTH_MAX, UINT32_MAX);
	if (jscan_enter(&s, JSCAN_OBJECT) != 0 ||
	    jscan_next(&name, &value, &s, true) != 1 ||
	    !str_eq(name.raw, STR("m2m:sgn")))
		return false;
	*out = value.raw;
	return true;
}

static uint64_t hash_of(const struct store_delivery *d,
			const struct store_event *event)
{
	return siphash(&d->key, event->target) ^
	       (uint64_t)event->subscription * UINT64_C(0x9e3779b97f4a7c15);
}

static struct batch *find(const struct store_delivery *d,
			  const struct store_event *event)
{
	struct hash_node *n = hash_table_first(&d->batches, hash_of(d, event));

	for (; n != NULL; n = hash_table_next(n)) {
		struct batch *b = container_of(n, struct batch, node);

		if (b->latest->event.subscription == event->subscription &&
		    str_eq(b->latest->event.target, event->target))
			return b;
	}
	return NULL;
}

static void batch_free(struct batch *b)
{
	hash_table_remove(&b->d->batches, &b->node);
	reactor_disarm(b->d->r, &b->timer);
	b->d->octets -= b->cost;
	buf_deinit(&b->list);
	free(b->latest);
	free(b);
}

static void flush(struct batch *b)
{
	struct store_delivery *d = b->d;
	struct store_event event = b->latest->event;
	struct buf content = { 0 };

	buf_add_lit(&content, "{\"m2m:agn\":{\"m2m:sgn\":[");
	buf_add_str(&content, buf_str(&b->list));
	buf_add_lit(&content, "]}}");
	event.content = buf_str(&content);
	if (content.failed || b->list.failed) {
		d->counters.undelivered++;
		delivery_log_failure(d, event.target, "out of memory");
	} else {
		targets_add(d, &event);
	}
	buf_deinit(&content);
	batch_free(b);
}

static void on_timer(struct timeout *t)
{
	flush(container_of(t, struct batch, timer));
}

/* Where it goes and how is the latest one's; target stays as it was. */
static bool renew(struct batch *b, const struct store_event *event)
{
	struct store_event bare = *event;
	struct notice *n;

	bare.content = STR("");
	bare.batch_num = 0;
	bare.batch_ms = 0;
	n = notice_create(&bare);
	if (n == NULL)
		return false;
	free(b->latest);
	b->latest = n;
	return true;
}

static struct batch *create(struct store_delivery *d,
			    const struct store_event *event)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->d = d;
	b->timer.on_timeout = on_timer;
	if (!renew(b, event) ||
	    hash_table_add(&d->batches, &b->node, hash_of(d, event))) {
		free(b->latest);
		free(b);
		return NULL;
	}
	if (event->batch_ms > 0)
		reactor_arm(d->r, &b->timer, event->batch_ms);
	return b;
}

static void account(struct batch *b)
{
	size_t cost = sizeof(*b) + b->latest->cost + b->list.cap;

	b->d->octets += cost - b->cost;
	b->cost = cost;
}

static bool is_full(const struct batch *b, const struct store_event *event)
{
	const struct store_delivery *d = b->d;

	return (event->batch_num > 0 && b->count >= event->batch_num) ||
	       b->list.len >= BATCH_OCTETS ||
	       d->octets >= d->conf->max_memory || d->draining;
}

static void append(struct batch *b, const struct store_event *event,
		   struct str sgn)
{
	/* ln: only the latest of them leaves, but all count */
	if (event_is_latest(event) && b->list.len > 0) {
		buf_clear(&b->list);
		b->d->counters.replaced++;
	}
	if (b->list.len > 0)
		buf_add_char(&b->list, ',');
	buf_add_str(&b->list, sgn);
	b->count++;
	account(b);
	if (is_full(b, event))
		flush(b);
}

void batches_add(struct store_delivery *d, const struct store_event *event)
{
	struct batch *b = find(d, event);
	struct str sgn;

	if (!find_sgn(&sgn, event->content)) {
		targets_add(d, event);
		return;
	}
	if (b == NULL)
		b = create(d, event);
	else if (!renew(b, event))
		b = NULL;
	if (b != NULL) {
		append(b, event, sgn);
		return;
	}
	d->counters.undelivered++;
	delivery_log_failure(d, event->target, "out of memory");
}

void batches_flush(struct store_delivery *d, const struct store_event *event)
{
	struct batch *b = find(d, event);

	if (b != NULL)
		flush(b);
}

void batches_flush_all(struct store_delivery *d)
{
	struct hash_node *n;

	while ((n = hash_table_any(&d->batches)) != NULL)
		flush(container_of(n, struct batch, node));
}

void batches_drop_all(struct store_delivery *d)
{
	struct hash_node *n;

	while ((n = hash_table_any(&d->batches)) != NULL)
		batch_free(container_of(n, struct batch, node));
	hash_table_deinit(&d->batches);
}
