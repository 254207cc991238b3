/*
 * Notifications that are gathered before they leave (bn, TS-0001 9.6.8): per
 * subscription and target, until there are enough of them or time is up. Then
 * they are one m2m:agn.
 */
#include <stdlib.h>

/* The keys of batches hold slices, whose bytes count. */
#define HASH_KEYCMP(a, b, len) compare_keys(a, b)

#include "m2m/json.h"
#include "store_delivery_priv.h"

#define BATCH_OCTETS 131072	/* no message grows much larger than this */

struct batch_key {
	int64_t subscription;
	struct str target;
};

struct batch {
	struct store_delivery *d;
	UT_hash_handle hh;		/* in d->batches */
	struct batch_key key;		/* its slice is of latest */
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

static struct batch_key key_of(const struct store_event *event)
{
	return (struct batch_key){ event->subscription, event->target };
}

/* As memcmp() is asked: 0 is equal, no more. */
static int compare_keys(const struct batch_key *a, const struct batch_key *b)
{
	return a->subscription != b->subscription ||
	       !str_eq(a->target, b->target);
}

static unsigned hash_of(const struct store_delivery *d,
			const struct batch_key *key)
{
	return table_hash_keyed(&d->key, key->target) ^
	       table_hash(&key->subscription, sizeof(key->subscription));
}

static struct batch *find(const struct store_delivery *d,
			  const struct store_event *event)
{
	struct batch_key key = key_of(event);
	unsigned hash = hash_of(d, &key);
	struct batch *b;

	HASH_FIND_BYHASHVALUE(hh, d->batches, &key, sizeof(key), hash, b);
	return b;
}

static int add_to_table(struct batch *b)
{
	unsigned hash = hash_of(b->d, &b->key);

	HASH_ADD_BYHASHVALUE(hh, b->d->batches, key, sizeof(b->key), hash, b);
	return table_added(&b->hh);
}

static void batch_free(struct batch *b)
{
	HASH_DELETE(hh, b->d->batches, b);
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
	b->key = key_of(&n->event);
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
	if (!renew(b, event) || add_to_table(b) != 0) {
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
	while (d->batches != NULL)
		flush(d->batches);
}

void batches_drop_all(struct store_delivery *d)
{
	while (d->batches != NULL)
		batch_free(d->batches);
}
