/*
 * Long polling (TS-0001 10.2.5): requests for the owner of a pollingChannel
 * wait here until it asks for one. What it was given is answered by a NOTIFY,
 * and is known by its rqi until then.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "m2m/json.h"
#include "store_delivery_priv.h"

#define UNCLAIMED_MS 3600000	/* a notification waits this long */
#define POLL_MS_MAX  3600000	/* and a poll, whatever its rqet */
#define POLLS_MAX    32		/* of one channel */

TAILQ_HEAD(channel_items, channel_item);

struct channel {
	struct store_delivery *d;
	UT_hash_handle hh;		/* in d->channels, by id */
	int64_t id;
	struct channel_items queue;	/* owned; nobody has asked for them */
	struct channel_items given;	/* owned; they wait for an answer */
	struct polls polls;		/* owned */
	unsigned poll_count;		/* in polls */
	size_t octets;			/* of both lists of items */
};

/* A request for the channel's owner. */
struct channel_item {
	struct channel *channel;
	TAILQ_ENTRY(channel_item) link;
	bool given;
	struct sending *s;		/* waits for the answer; or NULL */
	struct timeout timer;		/* of one that nobody waits for */
	int64_t subscription;
	size_t cost;
	char rqi[DELIVERY_RQI_LEN];
	struct buf text;		/* m2m:rqp */
};

/* A RETRIEVE of pcu. */
struct poll {
	struct channel *channel;
	TAILQ_ENTRY(poll) link;		/* in its channel's */
	TAILQ_ENTRY(poll) all;		/* in d->polls */
	struct store_errand *e;		/* owned */
	struct timeout timer;
};

/* ---- channels ---- */

static struct channel *find(const struct store_delivery *d, int64_t id)
{
	struct channel *c;

	HASH_FIND(hh, d->channels, &id, sizeof(id), c);
	return c;
}

static int add_to_table(struct channel *c)
{
	HASH_ADD(hh, c->d->channels, id, sizeof(c->id), c);
	return table_added(&c->hh);
}

static struct channel *find_or_add(struct store_delivery *d, int64_t id)
{
	struct channel *c = find(d, id);

	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->d = d;
	c->id = id;
	TAILQ_INIT(&c->queue);
	TAILQ_INIT(&c->given);
	TAILQ_INIT(&c->polls);
	if (add_to_table(c) != 0) {
		free(c);
		return NULL;
	}
	return c;
}

static void free_if_empty(struct channel *c)
{
	if (!TAILQ_EMPTY(&c->queue) || !TAILQ_EMPTY(&c->given) ||
	    !TAILQ_EMPTY(&c->polls))
		return;
	HASH_DELETE(hh, c->d->channels, c);
	free(c);
}

/* ---- items ---- */

static void charge(struct channel_item *item)
{
	struct channel *c = item->channel;
	size_t cost = sizeof(*item) + item->text.cap;

	c->octets += cost - item->cost;
	c->d->octets += cost - item->cost;
	item->cost = cost;
}

static void item_free(struct channel_item *item)
{
	struct channel *c = item->channel;

	TAILQ_REMOVE(item->given ? &c->given : &c->queue, item, link);
	reactor_disarm(c->d->r, &item->timer);
	c->octets -= item->cost;
	c->d->octets -= item->cost;
	buf_deinit(&item->text);
	free(item);
}

/* Nobody asked for it, or nobody answered. */
static void on_item_timer(struct timeout *t)
{
	struct channel_item *item =
		container_of(t, struct channel_item, timer);
	struct channel *c = item->channel;

	c->d->counters.undelivered++;
	item_free(item);
	free_if_empty(c);
}

/* The oldest notifications go; requests that somebody waits for stay. False:
 * not even that makes room. */
static bool make_room(struct channel *c, size_t cost)
{
	struct store_delivery *d = c->d;
	struct channel_item *item = TAILQ_FIRST(&c->queue), *next;

	for (; item != NULL; item = next) {
		if (c->octets + cost <= d->conf->max_queue &&
		    d->octets + cost <= d->conf->max_memory)
			break;
		next = TAILQ_NEXT(item, link);
		if (item->s != NULL)
			continue;
		item_free(item);
		d->counters.overflowed++;
	}
	return c->octets + cost <= d->conf->max_queue &&
	       d->octets + cost <= d->conf->max_memory;
}

/* At the end of the queue; request has an rqi of delivery_rqi(). */
static int enqueue(struct channel_item **out, struct channel *c,
		   const struct prim *request)
{
	struct str rqi = prim_text(request, PARAM_RQI);
	struct channel_item *item = calloc(1, sizeof(*item));
	const char *why;
	int err;
	bool fits;

	if (item == NULL)
		return UV_ENOMEM;
	err = codec_json.encode(&item->text, &why,
				&c->d->conf->client.codec, request);
	/* for who polls it leaves at once: others may have used up all */
	fits = !err &&
	       (!TAILQ_EMPTY(&c->polls) ||
		make_room(c, sizeof(*item) + item->text.cap));
	if (!fits) {
		buf_deinit(&item->text);
		free(item);
		return err ? err : ERR_LIMIT;
	}
	item->channel = c;
	item->timer.on_timeout = on_item_timer;
	memcpy(item->rqi, rqi.p, rqi.len);
	TAILQ_INSERT_TAIL(&c->queue, item, link);
	charge(item);
	*out = item;
	return 0;
}

/* ---- polls ---- */

static struct store_errand *take_errand(struct poll *poll)
{
	struct store_errand *e = poll->e;
	struct store_delivery *d = poll->channel->d;

	TAILQ_REMOVE(&poll->channel->polls, poll, link);
	poll->channel->poll_count--;
	TAILQ_REMOVE(&d->polls, poll, all);
	reactor_disarm(d->r, &poll->timer);
	free(poll);
	return e;
}

static bool write_rqp(struct store_errand *e, struct str rqp)
{
	struct prim *p = &e->answer;

	prim_reset(p, PRIM_RESPONSE);
	p->rsc = RSC_OK;
	prim_set_str(p, PARAM_RQI, prim_text(&e->request, PARAM_RQI));
	if (prim_has(&e->request, PARAM_RVI))
		prim_set_str(p, PARAM_RVI, prim_text(&e->request, PARAM_RVI));
	buf_add_lit(&p->store, "{\"m2m:rqp\":");
	buf_add_str(&p->store, rqp);
	buf_add_char(&p->store, '}');
	p->content = buf_str(&p->store);
	return !p->store.failed;
}

/* From now on its answer is waited for. */
static void mark_given(struct channel_item *item)
{
	struct channel *c = item->channel;

	TAILQ_REMOVE(&c->queue, item, link);
	TAILQ_INSERT_TAIL(&c->given, item, link);
	item->given = true;
	buf_deinit(&item->text);
	charge(item);
	if (item->s == NULL)
		reactor_arm(c->d->r, &item->timer, c->d->conf->timeout_ms);
}

static void give(struct channel_item *item, struct store_errand *e)
{
	struct store_delivery *d = item->channel->d;

	if (!write_rqp(e, buf_str(&item->text))) {
		delivery_reply(d, e, RSC_INTERNAL_SERVER_ERROR,
			       "out of memory");
		return;
	}
	mark_given(item);
	d->counters.polled++;
	delivery_answer(d, e);
}

/* Requests meet polls, the oldest the oldest. */
static void serve(struct channel *c)
{
	while (!TAILQ_EMPTY(&c->queue) && !TAILQ_EMPTY(&c->polls)) {
		struct store_errand *e = take_errand(TAILQ_FIRST(&c->polls));

		if (store_errand_is_wanted(e))
			give(TAILQ_FIRST(&c->queue), e);
		else
			delivery_drop(c->d, e);
	}
	free_if_empty(c);
}

static void on_poll_timer(struct timeout *t)
{
	struct poll *poll = container_of(t, struct poll, timer);
	struct channel *c = poll->channel;
	struct store_errand *e = take_errand(poll);

	delivery_reply(c->d, e, RSC_REQUEST_TIMEOUT,
		       "no request came in time");
	free_if_empty(c);
}

static uint64_t poll_ms(const struct store_delivery *d,
			const struct prim *request)
{
	uint64_t left;

	if (!prim_time_left(&left, request, PARAM_RQET, clock_wall_ms()))
		return d->conf->poll_ms;
	return left < POLL_MS_MAX ? left : POLL_MS_MAX;
}

/* Clients come back and poll anew, long before rqet of what they gave up. */
static void drop_unwanted(struct channel *c)
{
	struct poll *poll, *next;

	for (poll = TAILQ_FIRST(&c->polls); poll != NULL; poll = next) {
		next = TAILQ_NEXT(poll, link);
		if (!store_errand_is_wanted(poll->e))
			delivery_drop(c->d, take_errand(poll));
	}
}

/* False: no memory. Takes e only otherwise. */
static bool add_poll(struct channel *c, struct store_errand *e)
{
	struct poll *poll = calloc(1, sizeof(*poll));

	if (poll == NULL)
		return false;
	poll->channel = c;
	poll->e = e;
	poll->timer.on_timeout = on_poll_timer;
	TAILQ_INSERT_TAIL(&c->polls, poll, link);
	TAILQ_INSERT_TAIL(&c->d->polls, poll, all);
	c->poll_count++;
	reactor_arm(c->d->r, &poll->timer, poll_ms(c->d, &e->request));
	return true;
}

void channels_poll(struct store_delivery *d, struct store_errand *e)
{
	struct channel *c = find_or_add(d, e->pass.channel);

	if (c != NULL)
		drop_unwanted(c);
	if (c != NULL && c->poll_count >= POLLS_MAX) {
		d->counters.refused++;
		delivery_reply(d, e, RSC_TARGET_NOT_REACHABLE,
			       "too many polls wait already");
		return;
	}
	if (c == NULL || !add_poll(c, e))
		delivery_reply(d, e, RSC_INTERNAL_SERVER_ERROR,
			       "out of memory");
	if (c != NULL)
		serve(c);
}

void channels_end_polls(struct store_delivery *d)
{
	struct poll *poll;

	while ((poll = TAILQ_FIRST(&d->polls)) != NULL) {
		struct channel *c = poll->channel;

		delivery_reply(d, take_errand(poll), RSC_TARGET_NOT_REACHABLE,
			       "shutting down");
		free_if_empty(c);
	}
}

/* ---- requests for the channel's owner ---- */

static void drop_replaced(struct channel *c, const struct store_event *event)
{
	struct channel_item *item, *next;

	if (!event_is_latest(event))
		return;
	for (item = TAILQ_FIRST(&c->queue); item != NULL; item = next) {
		next = TAILQ_NEXT(item, link);
		if (item->subscription != event->subscription)
			continue;
		item_free(item);
		c->d->counters.replaced++;
	}
}

void channels_notify(struct store_delivery *d,
		     const struct store_event *event)
{
	struct channel *c = find_or_add(d, event->route.channel);
	struct channel_item *item;
	struct prim request = { 0 };
	int err = UV_ENOMEM;

	if (c != NULL)
		drop_replaced(c, event);
	if (c != NULL && delivery_write_notify(d, &request, event))
		err = enqueue(&item, c, &request);
	if (!err) {
		item->subscription = event->subscription;
		reactor_arm(d->r, &item->timer, UNCLAIMED_MS);
	} else if (err == ERR_LIMIT) {
		d->counters.overflowed++;
	} else {
		d->counters.undelivered++;
		delivery_log_failure(d, event->target, "out of memory");
	}
	prim_deinit(&request);
	if (c != NULL)
		serve(c);
}

int channels_send(struct store_delivery *d, int64_t channel,
		  struct sending *s, const char **why)
{
	struct channel *c = find_or_add(d, channel);
	struct prim request = s->request;	/* a look with another rqi */
	char rqi[DELIVERY_RQI_LEN];
	int err;

	*why = "out of memory";
	if (c == NULL)
		return UV_ENOMEM;
	prim_set_str(&request, PARAM_RQI, delivery_rqi(d, rqi));
	err = enqueue(&s->item, c, &request);
	if (err == ERR_LIMIT)
		*why = "too much waits in its polling channel";
	if (!err)
		s->item->s = s;
	serve(c);
	return err;
}

void channels_forget(struct store_delivery *d, struct channel_item *item)
{
	struct channel *c = item->channel;

	(void)d;
	item_free(item);
	free_if_empty(c);
}

/* ---- their answers ---- */

static struct channel_item *find_given(const struct store_delivery *d,
				       int64_t channel, struct str rqi)
{
	struct channel *c = find(d, channel);
	struct channel_item *item = NULL;

	if (c != NULL)
		TAILQ_FOREACH(item, &c->given, link)
			if (str_eq(rqi, str_of(item->rqi)))
				break;
	return item;
}

/* The primitive in {"m2m:rsp":{...}}. */
static bool read_rsp(struct prim *out, const struct codec_conf *conf,
		     struct str content, const char **why)
{
	struct jscan_value name, value;
	struct jscan s;

	*why = "pc is no m2m:rsp";
	jscan_init(&s, content, JSCAN_DEPTH_MAX, UINT32_MAX);
	if (jscan_enter(&s, JSCAN_OBJECT) != 0 ||
	    jscan_next(&name, &value, &s, true) != 1 ||
	    !str_eq(name.raw, STR("m2m:rsp")) ||
	    codec_json.decode(out, why, conf, value.raw) != 0)
		return false;
	*why = "m2m:rsp has no rsc";
	return out->kind == PRIM_RESPONSE;
}

static void take_answer(struct channel_item *item, const struct prim *rsp)
{
	struct channel *c = item->channel;
	struct sending *s = item->s;

	if (s == NULL) {
		c->d->counters.delivered++;
		c->d->counters.declined += rsp->rsc / 1000 != 2;
	}
	item_free(item);
	free_if_empty(c);
	if (s != NULL)
		sending_answered(s, rsp);
}

void channels_answer(struct store_delivery *d, struct store_errand *e)
{
	struct channel_item *item = NULL;
	struct prim rsp = { 0 };
	const char *why = NULL;
	int rsc = RSC_BAD_REQUEST;

	if (read_rsp(&rsp, &d->conf->client.codec, e->request.content, &why)) {
		item = find_given(d, e->pass.channel,
				  prim_text(&rsp, PARAM_RQI));
		why = "no request with this rqi waits for an answer";
	}
	if (item != NULL) {
		take_answer(item, &rsp);
		rsc = RSC_OK;
		why = NULL;
	}
	delivery_reply(d, e, rsc, why);
	prim_deinit(&rsp);
}

void channels_drop_all(struct store_delivery *d)
{
	struct channel *c;

	while (!TAILQ_EMPTY(&d->polls))
		delivery_drop(d, take_errand(TAILQ_FIRST(&d->polls)));
	while ((c = d->channels) != NULL) {
		while (!TAILQ_EMPTY(&c->queue))
			item_free(TAILQ_FIRST(&c->queue));
		while (!TAILQ_EMPTY(&c->given))
			item_free(TAILQ_FIRST(&c->given));
		HASH_DELETE(hh, d->channels, c);
		free(c);
	}
}
