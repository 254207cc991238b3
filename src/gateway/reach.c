#include "reach.h"

#include <stdlib.h>

#include "base/clock.h"
#include "post.h"
#include "worker.h"

/*
 * A call is with the channel of a session (then only its worker knows it), or
 * on `held` until its entity comes or its time is up, or on `storing` until
 * the inbox has committed it.
 */
TAILQ_HEAD(call_list, reach_call);

struct reach {
	struct worker *w;		/* borrowed */
	struct call_list held, storing;
	size_t held_octets;
	unsigned away;			/* calls that channels have */
	struct reach_counters counters;
};

static const struct notify_conf *conf_of(const struct reach *r)
{
	return &r->w->conf->notify;
}

static enum offline_policy policy_of(const struct reach_call *c)
{
	const struct notify_conf *conf = conf_of(c->r);

	switch (c->kind) {
	case NOTIFICATION_EVENT:
	case NOTIFICATION_RESULT:
		return entity_is_cse(c->d.entity) ? conf->offline_cse :
						    conf->offline;
	case NOTIFICATION_VERIFY:
		/* the CREATE waits for it: a buffer is of no use */
		return OFFLINE_REJECT;
	default:
		return conf->offline == OFFLINE_REJECT ? OFFLINE_REJECT :
							 OFFLINE_HOLD;
	}
}

static void end(struct reach_call *c)
{
	buf_deinit(&c->message);
	c->on_end(c);
}

static void unhold(struct reach_call *c)
{
	struct reach *r = c->r;

	reactor_disarm(r->w->reactor, &c->hold);
	TAILQ_REMOVE(&r->held, c, link);
	r->held_octets -= delivery_cost(&c->d);
	atomic_fetch_sub(&c->d.entity->held, 1);
}

static void on_hold_end(struct timeout *t)
{
	struct reach_call *c = container_of(t, struct reach_call, hold);

	unhold(c);
	c->r->counters.rejected++;
	c->d.end = DELIVERY_UNSENT;
	end(c);
}

/* What comes back from a channel is older than what waits by now. */
static void insert_held(struct reach *r, struct reach_call *c)
{
	struct reach_call *it;

	TAILQ_FOREACH_REVERSE(it, &r->held, call_list, link) {
		if (it->order < c->order) {
			TAILQ_INSERT_AFTER(&r->held, it, c, link);
			return;
		}
	}
	TAILQ_INSERT_HEAD(&r->held, c, link);
}

static void try_send(struct reach_call *c);

/* Another session than the one that has just given it back may be there by
 * now. Who comes from here on sees that something is held. */
static bool has_moved(const struct reach_call *c)
{
	struct place at = directory_place(c->r->w->shared->directory,
					  c->d.entity);

	return at.sid != 0 && at.sid != c->d.at.sid;
}

static void hold(struct reach_call *c)
{
	struct reach *r = c->r;
	uint64_t now = reactor_now(r->w->reactor);

	if (r->held_octets + delivery_cost(&c->d) > conf_of(r)->max_held) {
		r->counters.held_full++;
		c->d.end = DELIVERY_FULL;
		end(c);
		return;
	}
	insert_held(r, c);
	r->held_octets += delivery_cost(&c->d);
	r->counters.held++;
	atomic_fetch_add(&c->d.entity->held, 1);
	c->hold.on_timeout = on_hold_end;
	reactor_arm(r->w->reactor, &c->hold,
		    c->d.due > now ? c->d.due - now : 0);
	if (has_moved(c)) {
		unhold(c);
		try_send(c);
	}
}

static void reject(struct reach_call *c)
{
	c->r->counters.rejected++;
	c->d.end = DELIVERY_UNSENT;
	end(c);
}

/* ---- the inbox ---- */

static void on_stored(struct state_call *put, int err)
{
	struct reach_call *c = container_of(put, struct reach_call, put);
	struct reach *r = c->r;
	struct place at = directory_place(r->w->shared->directory,
					  c->d.entity);

	TAILQ_REMOVE(&r->storing, c, link);
	atomic_fetch_sub(&c->d.entity->storing, 1);
	c->was_stored = err == 0;
	c->d.end = err == ERR_LIMIT ? DELIVERY_FULL : DELIVERY_UNSTORED;
	r->counters.stored += err == 0;
	r->counters.not_stored += err != 0;
	if (err == 0 && at.sid != 0)
		post_notice(r->w, at.worker, NOTICE_INBOX, at.sid,
			    c->d.entity);
	end(c);
}

static uint64_t expiry_of(const struct reach_call *c)
{
	uint64_t now = clock_wall_ms(), left;

	return prim_time_left(&left, &c->d.request, PARAM_RQET, now) ?
		       now + left : 0;
}

#define MESSAGE_SPARE 64	/* another rqi, a frame's header */

/* No session could take it later. */
static bool is_too_large(const struct reach_call *c)
{
	return c->message.len + MESSAGE_SPARE > c->r->w->conf->max_queue;
}

/* The inbox is JSON, whoever comes for it. */
static bool write_message(struct reach_call *c)
{
	const char *why;

	buf_clear(&c->message);
	if (codec_json.encode(&c->message, &why, &c->r->w->conf->codec,
			      &c->d.request) == 0)
		c->d.end = is_too_large(c) ? DELIVERY_TOO_LARGE :
					     DELIVERY_FULL;
	else
		c->d.end = c->message.failed ? DELIVERY_UNSTORED :
					       DELIVERY_UNCONVERTIBLE;
	return c->d.end == DELIVERY_FULL;
}

static void store(struct reach_call *c)
{
	struct reach *r = c->r;
	int64_t ec = 0;
	struct inbox_item item = {
		.entity = c->d.entity->id,
		.sur = c->sur,
		.expires_ms = expiry_of(c),
	};

	if (prim_int(&ec, &c->d.request, PARAM_EC) && ec > 0)
		item.ec = (unsigned)ec;
	c->put.on_done = on_stored;
	if (write_message(c))
		item.message = buf_str(&c->message);
	if (c->d.end != DELIVERY_FULL ||
	    inbox_put(r->w->mailbox, &c->put, &item) != 0) {
		r->counters.not_stored++;
		end(c);
		return;
	}
	TAILQ_INSERT_TAIL(&r->storing, c, link);
	atomic_fetch_add(&c->d.entity->storing, 1);
}

/* ---- the way of a call ---- */

static void go_offline(struct reach_call *c)
{
	switch (policy_of(c)) {
	case OFFLINE_STORE:
		store(c);
		break;
	case OFFLINE_HOLD:
		hold(c);
		break;
	case OFFLINE_REJECT:
		reject(c);
		break;
	}
}

/* Others of the entity wait already: whoever comes now queues up. */
static bool must_queue(const struct reach_call *c)
{
	const struct reach *r = c->r;
	const struct reach_call *it;

	/* in this order: what is not on its way any more is counted */
	if (policy_of(c) == OFFLINE_STORE)
		return atomic_load(&c->d.entity->storing) > 0 ||
		       inbox_count(r->w->shared->state, c->d.entity->id) > 0;
	if (atomic_load(&c->d.entity->held) == 0)
		return false;
	TAILQ_FOREACH(it, &r->held, link)
		if (it->d.entity == c->d.entity)
			return true;
	return false;
}

static void try_send(struct reach_call *c)
{
	struct reach *r = c->r;

	c->d.at = directory_place(r->w->shared->directory, c->d.entity);
	if (c->d.at.sid == 0) {
		go_offline(c);
		return;
	}
	r->away++;
	post_delivery(r->w, c->d.at.worker, &c->d);
}

void reach_on_return(struct delivery *d)
{
	struct reach_call *c = container_of(d, struct reach_call, d);
	bool lost = d->end == DELIVERY_LOST &&
		    policy_of(c) == OFFLINE_STORE;

	c->r->away--;
	/* What was not written goes as if its session had never been. What was
	 * written may have been received: again only by who stores anyway. */
	if (d->end == DELIVERY_UNSENT || lost)
		go_offline(c);
	else
		end(c);
}

void reach_send(struct reach *r, struct reach_call *c)
{
	c->r = r;
	c->order = r->counters.requests++;
	if (must_queue(c))
		go_offline(c);
	else
		try_send(c);
}

static bool is_for(const struct reach_call *c, const struct entity *e)
{
	if (e != NULL)
		return c->d.entity == e;
	return directory_place(c->r->w->shared->directory, c->d.entity).sid !=
	       0;
}

void reach_on_online(struct reach *r, struct entity *e)
{
	struct call_list going = TAILQ_HEAD_INITIALIZER(going);
	struct reach_call *c, *next;

	for (c = TAILQ_FIRST(&r->held); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (!is_for(c, e))
			continue;
		unhold(c);
		TAILQ_INSERT_TAIL(&going, c, link);
	}
	while ((c = TAILQ_FIRST(&going)) != NULL) {
		TAILQ_REMOVE(&going, c, link);
		try_send(c);
	}
}

bool reach_is_idle(const struct reach *r)
{
	return TAILQ_EMPTY(&r->held) && TAILQ_EMPTY(&r->storing) &&
	       r->away == 0;
}

const struct reach_counters *reach_counters(const struct reach *r)
{
	return &r->counters;
}

int reach_create(struct reach **out, struct worker *w)
{
	struct reach *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return UV_ENOMEM;
	r->w = w;
	TAILQ_INIT(&r->held);
	TAILQ_INIT(&r->storing);
	*out = r;
	return 0;
}

void reach_destroy(struct reach *r)
{
	struct reach_call *c;

	if (r == NULL)
		return;
	while ((c = TAILQ_FIRST(&r->held)) != NULL) {
		unhold(c);
		reject(c);
	}
	while ((c = TAILQ_FIRST(&r->storing)) != NULL) {
		state_call_cancel(&c->put);
		TAILQ_REMOVE(&r->storing, c, link);
		atomic_fetch_sub(&c->d.entity->storing, 1);
		reject(c);
	}
	free(r);
}
