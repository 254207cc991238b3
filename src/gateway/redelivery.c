#include "redelivery.h"

#include <stdlib.h>

#include "base/log.h"
#include "post.h"
#include "worker.h"

enum redelivery_state {
	REDELIVERY_ASKING,	/* the inbox for the next one */
	REDELIVERY_SENT,	/* the channel has it */
};

struct redelivery {
	struct redelivery **slot;	/* NULL: stopped */
	struct worker *w;		/* borrowed */
	struct entity *e;		/* a reference */
	struct channel *channel;	/* borrowed */
	enum redelivery_state state;
	bool again;			/* more was stored meanwhile */
	uint64_t seq;			/* of what was sent */
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

static void ask(struct redelivery *r)
{
	r->state = REDELIVERY_ASKING;
	r->again = false;
	if (inbox_next(r->w->mailbox, &r->next, r->e->id) == 0)
		return;
	log_warning("redelivery_failed", LOG_STR("originator", r->e->id),
		    LOG_ERRNO(UV_ENOMEM));
	redelivery_free(r);
}

/* A failed operation leaves the item where it is: it comes once more. */
static void operate(struct redelivery *r,
		    int (*operation)(struct state_mailbox *m,
				     struct state_call *call,
				     struct str entity, uint64_t seq))
{
	if (operation(r->w->mailbox, NULL, r->e->id, r->seq) != 0)
		log_warning("inbox_failed", LOG_STR("originator", r->e->id),
			    LOG_ERRNO(UV_ENOMEM));
}

static void on_end(struct delivery *d)
{
	struct redelivery *r = container_of(d, struct redelivery, d);
	bool goes_on = r->slot != NULL && !r->w->draining &&
		       (d->end == DELIVERY_ANSWERED ||
			d->end == DELIVERY_TIMED_OUT);

	operate(r, d->end == DELIVERY_ANSWERED ? inbox_remove : inbox_release);
	r->w->counters.redelivered += d->end == DELIVERY_ANSWERED;
	delivery_deinit(d);
	if (goes_on)
		ask(r);
	else
		redelivery_free(r);
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

static void on_next(struct state_call *call, int err)
{
	struct redelivery *r = container_of(call, struct redelivery, next);
	const struct inbox_item *item = call->item;

	if (err || item == NULL) {
		if (!err && r->again)
			ask(r);
		else
			redelivery_free(r);
		return;
	}
	r->seq = item->seq;
	err = redeliver(r, item->message);
	if (err == 0)
		return;
	/* what was stored cannot be read: it would come for ever */
	log_error("inbox_unreadable", LOG_STR("originator", r->e->id),
		  LOG_ERRNO(err));
	operate(r, err == UV_ENOMEM ? inbox_release : inbox_remove);
	if (err == UV_ENOMEM)
		redelivery_free(r);
	else
		ask(r);
}

void redelivery_start(struct redelivery **slot, struct worker *w,
		      struct entity *e, struct channel *channel)
{
	struct redelivery *r = *slot;

	if (r != NULL) {
		r->again = true;
		return;
	}
	if (inbox_count(w->shared->state, e->id) == 0)
		return;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return;
	*slot = r;
	r->slot = slot;
	r->w = w;
	r->e = entity_ref(e);
	r->channel = channel;
	r->next.on_done = on_next;
	ask(r);
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
	state_call_cancel(&r->next);
	redelivery_free(r);
}
