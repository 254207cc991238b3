#include "channel.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * A delivery is on `queued`, then on `sent`, then given back. give_back() may
 * send again from within, so that pump() is a loop that only its outermost
 * call runs.
 */

static void unlink_delivery(struct channel *c, struct delivery *d)
{
	if (d->sent) {
		TAILQ_REMOVE(&c->sent, d, link);
		c->sent_count--;
	} else {
		TAILQ_REMOVE(&c->queued, d, link);
		c->queued_octets -= delivery_cost(d);
	}
	reactor_disarm(c->r, &d->deadline);
	d->channel = NULL;
	d->sent = false;
}

static void finish(struct channel *c, struct delivery *d, enum delivery_end end)
{
	unlink_delivery(c, d);
	d->end = end;
	c->ops->give_back(c, d);
}

/* Digits only: no peer makes more of it than an opaque id. */
static void set_rqi(struct delivery *d, uint64_t n)
{
	int len = snprintf(d->rqi, sizeof(d->rqi), "%" PRIu64, n);

	prim_set_str(&d->request, PARAM_RQI,
		     (struct str){ d->rqi, (size_t)len });
}

static enum delivery_end end_of(int err)
{
	switch (err) {
	case ERR_LIMIT:
		return DELIVERY_TOO_LARGE;
	case ERR_PROTO:
		return DELIVERY_UNCONVERTIBLE;
	default:
		return DELIVERY_UNSENT;
	}
}

static void send_one(struct channel *c, struct delivery *d)
{
	int err;

	set_rqi(d, ++c->last_rqi);
	err = c->ops->send(c, &d->request);
	if (err) {
		finish(c, d, end_of(err));
		return;
	}
	TAILQ_REMOVE(&c->queued, d, link);
	c->queued_octets -= delivery_cost(d);
	TAILQ_INSERT_TAIL(&c->sent, d, link);
	c->sent_count++;
	c->counters->sent++;
	d->sent = true;
}

static void pump(struct channel *c)
{
	if (c->sending)
		return;
	c->sending = true;
	while (!TAILQ_EMPTY(&c->queued) && c->sent_count < c->conf->in_flight)
		send_one(c, TAILQ_FIRST(&c->queued));
	c->sending = false;
}

static void on_deadline(struct timeout *t)
{
	struct delivery *d = container_of(t, struct delivery, deadline);
	struct channel *c = d->channel;

	c->counters->timed_out++;
	finish(c, d, DELIVERY_TIMED_OUT);
	pump(c);
}

void channel_send(struct channel *c, struct delivery *d)
{
	uint64_t now = reactor_now(c->r);

	d->channel = c;
	TAILQ_INSERT_TAIL(&c->queued, d, link);
	c->queued_octets += delivery_cost(d);
	d->deadline.on_timeout = on_deadline;
	reactor_arm(c->r, &d->deadline, d->due > now ? d->due - now : 0);
	if (!d->patient && c->sent_count >= c->conf->in_flight &&
	    c->queued_octets > c->conf->max_queue) {
		c->counters->full++;
		finish(c, d, DELIVERY_FULL);
		return;
	}
	pump(c);
}

static struct delivery *find_sent(const struct channel *c, struct str rqi)
{
	struct delivery *d;

	TAILQ_FOREACH(d, &c->sent, link)
		if (str_eq(str_of(d->rqi), rqi))
			return d;
	return NULL;
}

void channel_answer(struct channel *c, const struct prim *response)
{
	struct delivery *d = find_sent(c, prim_text(response, PARAM_RQI));

	if (d == NULL) {
		c->counters->late++;
		return;
	}
	c->counters->answered++;
	/* without memory it is as if no answer had come */
	finish(c, d, prim_copy(&d->answer, response) ? DELIVERY_LOST :
						       DELIVERY_ANSWERED);
	pump(c);
}

void channel_end(struct channel *c)
{
	struct delivery *d;

	c->sending = true;	/* nothing is sent any more */
	while ((d = TAILQ_FIRST(&c->sent)) != NULL) {
		c->counters->lost++;
		finish(c, d, DELIVERY_LOST);
	}
	while ((d = TAILQ_FIRST(&c->queued)) != NULL)
		finish(c, d, DELIVERY_UNSENT);
}

void channel_init(struct channel *c, const struct channel_ops *ops,
		  const struct channel_conf *conf,
		  struct channel_counters *counters, struct reactor *r)
{
	*c = (struct channel){
		.ops = ops,
		.conf = conf,
		.counters = counters,
		.r = r,
	};
	TAILQ_INIT(&c->sent);
	TAILQ_INIT(&c->queued);
}
