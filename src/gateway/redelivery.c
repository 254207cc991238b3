#include "redelivery.h"

#include <stdlib.h>

#include "base/log.h"
#include "post.h"
#include "worker.h"

#define RETRY_MS 1000		/* when the disk takes nothing */

enum redelivery_state {
	REDELIVERY_ASKING,	/* the inbox for the next one */
	REDELIVERY_SENT,	/* the channel has it */
	REDELIVERY_RETRYING,	/* the inbox failed; the timer runs */
};

struct redelivery {
	struct redelivery **slot;	/* NULL: stopped */
	struct worker *w;		/* borrowed */
	struct entity *e;		/* a reference */
	struct channel *channel;	/* borrowed */
	enum redelivery_state state;
	bool again;			/* more was stored meanwhile */
	uint64_t seq;			/* of what was sent */
	uint64_t answered;		/* seq of what need not come again */
	struct timeout retry;
	struct state_call next;
	struct delivery d;
};

static void redelivery_free(struct redelivery *r)
{
	if (r->slot != NULL)
		*r->slot = NULL;
	entity_unref(r->e);
	free(r);
}

static void ask(struct redelivery *r);

static void on_retry(struct timeout *t)
{
	ask(container_of(t, struct redelivery, retry));
}

/* What was answered stays answered, although the inbox still has it. */
static void retry(struct redelivery *r)
{
	r->state = REDELIVERY_RETRYING;
	r->retry.on_timeout = on_retry;
	reactor_arm(r->w->reactor, &r->retry, RETRY_MS);
}

/* Both in one transaction, in this order. */
static void ask(struct redelivery *r)
{
	struct state_mailbox *m = r->w->mailbox;
	int err = 0;

	r->state = REDELIVERY_ASKING;
	r->again = false;
	if (r->answered != 0)
		err = inbox_remove(m, NULL, r->e->id, r->answered);
	if (!err)
		err = inbox_next(m, &r->next, r->e->id);
	if (err)
		retry(r);
}

/* Without memory for it the item stays handed out: it is the next one. */
static void release(struct redelivery *r)
{
	if (inbox_release(r->w->mailbox, NULL, r->e->id, r->seq) != 0)
		log_warning("inbox_failed", LOG_STR("originator", r->e->id),
			    LOG_ERRNO(UV_ENOMEM));
}

/* The session is going: what it has answered goes too, as far as it can. */
static void leave(struct redelivery *r, bool is_over)
{
	if (is_over &&
	    inbox_remove(r->w->mailbox, NULL, r->e->id, r->seq) != 0)
		log_warning("inbox_failed", LOG_STR("originator", r->e->id),
			    LOG_ERRNO(UV_ENOMEM));
	redelivery_free(r);
}

/* What was stored under another max_queue, or what the serialisation of the
 * entity cannot carry, would be in the way for ever. */
static bool is_hopeless(enum delivery_end end)
{
	return end == DELIVERY_TOO_LARGE || end == DELIVERY_UNCONVERTIBLE;
}

static void tell_hopeless(const struct redelivery *r, enum delivery_end end)
{
	log_error(end == DELIVERY_TOO_LARGE ? "inbox_too_large" :
					      "inbox_unconvertible",
		  LOG_STR("originator", r->e->id));
}

static void on_end(struct delivery *d)
{
	struct redelivery *r = container_of(d, struct redelivery, d);
	bool over = d->end == DELIVERY_ANSWERED || is_hopeless(d->end);
	bool goes_on = r->slot != NULL && !r->w->draining &&
		       (over || d->end == DELIVERY_TIMED_OUT);

	if (is_hopeless(d->end))
		tell_hopeless(r, d->end);
	r->w->counters.redelivered += d->end == DELIVERY_ANSWERED;
	delivery_deinit(d);
	if (over)
		r->answered = r->seq;
	else
		release(r);
	if (goes_on)
		ask(r);
	else
		leave(r, over);
}

static uint64_t due(const struct redelivery *r)
{
	return reactor_now(r->w->reactor) + r->w->conf->timeout_ms;
}

/* 0: it is with the channel, which may have ended it by now. */
static int redeliver(struct redelivery *r, struct str message)
{
	struct prim *p = &r->w->stored;
	const char *why;
	int err = codec_json.decode(p, &why, &r->w->conf->codec, message);

	delivery_init(&r->d, r->w, entity_ref(r->e), due(r), on_end);
	if (!err)
		err = prim_copy(&r->d.request, p);
	if (err) {
		delivery_deinit(&r->d);
		return err;
	}
	r->d.patient = true;
	r->state = REDELIVERY_SENT;
	channel_send(r->channel, &r->d);
	return 0;
}

/* What was stored cannot be read: it would come for ever. */
static void skip(struct redelivery *r, int err)
{
	log_error("inbox_unreadable", LOG_STR("originator", r->e->id),
		  LOG_ERRNO(err));
	r->answered = r->seq;
	ask(r);
}

static void on_next(struct state_call *call, int err)
{
	struct redelivery *r = container_of(call, struct redelivery, next);
	const struct inbox_item *item = call->item;

	if (err) {
		retry(r);
	} else if (item == NULL) {
		if (r->again)
			ask(r);
		else
			redelivery_free(r);
	} else if (item->seq == r->answered) {
		retry(r);		/* it could not be removed */
	} else {
		r->seq = item->seq;
		err = redeliver(r, item->message);
		if (err == UV_ENOMEM)
			retry(r);
		else if (err)
			skip(r, err);
	}
}

int redelivery_start(struct redelivery **slot, struct worker *w,
		     struct entity *e, struct channel *channel)
{
	struct redelivery *r = *slot;

	if (r != NULL) {
		r->again = true;
		return 0;
	}
	if (inbox_count(w->shared->state, e->id) == 0)
		return 0;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return UV_ENOMEM;
	*slot = r;
	r->slot = slot;
	r->w = w;
	r->e = entity_ref(e);
	r->channel = channel;
	r->next.on_done = on_next;
	ask(r);
	return 0;
}

void redelivery_stop(struct redelivery **slot)
{
	struct redelivery *r = *slot;

	if (r == NULL)
		return;
	*slot = NULL;
	r->slot = NULL;
	if (r->state == REDELIVERY_SENT)
		return;		/* on_end() follows */
	reactor_disarm(r->w->reactor, &r->retry);
	state_call_cancel(&r->next);
	redelivery_free(r);
}
