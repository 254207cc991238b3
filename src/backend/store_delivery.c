/*
 * What leaves the embedded CSE; store_delivery_priv.h tells its parts.
 */
#include "store_delivery_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define FAILURES_LOGGED 10	/* a second */

/* ---- what all parts need ---- */

struct str delivery_rqi(struct store_delivery *d, char out[DELIVERY_RQI_LEN])
{
	uint64_t n = d->last_rqi++;

	n = siphash(&d->key, (struct str){ (const char *)&n, sizeof(n) });
	for (int i = DELIVERY_RQI_LEN - 2; i >= 0; i--, n >>= 4)
		out[i] = "0123456789abcdef"[n & 15];
	out[DELIVERY_RQI_LEN - 1] = '\0';
	return (struct str){ out, DELIVERY_RQI_LEN - 1 };
}

static struct store_errand *release(struct store_delivery *d,
				    struct store_errand *e)
{
	d->pending--;
	return e;
}

void delivery_reply(struct store_delivery *d, struct store_errand *e, int rsc,
		    const char *why)
{
	prim_refuse(&e->answer, prim_text(&e->request, PARAM_RQI),
		    prim_text(&e->request, PARAM_RVI), rsc, why);
	delivery_answer(d, e);
}

void delivery_refuse(struct store_delivery *d, struct store_errand *e)
{
	d->counters.refused++;
	delivery_reply(d, e, RSC_TARGET_NOT_REACHABLE,
		       "too many requests wait for others");
}

void delivery_answer(struct store_delivery *d, struct store_errand *e)
{
	store_errand_answer(release(d, e));
	delivery_check_idle(d);
}

void delivery_again(struct store_delivery *d, struct store_errand *e)
{
	e->pass.agreed = true;
	store_errand_again(release(d, e));
	delivery_check_idle(d);
}

void delivery_drop(struct store_delivery *d, struct store_errand *e)
{
	store_errand_drop(release(d, e));
}

void delivery_check_idle(struct store_delivery *d)
{
	if (d->draining && store_delivery_is_idle(d))
		d->on_idle(d->owner);
}

static bool may_log(struct store_delivery *d)
{
	return log_limit_allows(&d->log_failures, reactor_now(d->r),
				FAILURES_LOGGED);
}

void delivery_refuse_target(struct store_delivery *d, struct str url)
{
	d->counters.refused_targets++;
	if (may_log(d))
		log_warning("target_refused", LOG_STR("url", url),
			    LOG_TEXT("why", "[store] notify_deny"),
			    LOG_UINT("unlogged",
				     log_limit_missed(&d->log_failures)));
}

void delivery_log_failure(struct store_delivery *d, struct str target,
			  const char *why)
{
	if (may_log(d))
		log_info("notification_failed", LOG_STR("target", target),
			 LOG_TEXT("why", why),
			 LOG_UINT("unlogged",
				  log_limit_missed(&d->log_failures)));
}

/* The release that every CSE with notifications of this form knows. */
bool delivery_write_notify(struct store_delivery *d, struct prim *out,
			   const struct store_event *event)
{
	struct prim p = { .kind = PRIM_REQUEST, .op = OP_NOTIFY };
	char rqi[DELIVERY_RQI_LEN], ot[PRIM_TIME_TEXT], ec[12];

	prim_set_str(&p, PARAM_TO, event->route.to);
	prim_set_str(&p, PARAM_FR, event->originator);
	prim_set_str(&p, PARAM_RQI, delivery_rqi(d, rqi));
	prim_set_str(&p, PARAM_RVI, STR("3"));
	prim_write_time(ot, clock_wall_ms());
	prim_set_str(&p, PARAM_OT, str_of(ot));
	if (event->ec != 0) {
		snprintf(ec, sizeof(ec), "%d", event->ec);
		prim_set(&p, PARAM_EC, VALUE_NUMBER, str_of(ec));
	}
	p.content = event->content;
	return prim_copy(out, &p) == 0;
}

/* ---- what comes ---- */

static void notify(struct store_delivery *d, const struct store_event *event)
{
	if (event->batch_num > 0 || event->batch_ms > 0) {
		batches_add(d, event);
		return;
	}
	/* what was gathered before it does not come after it */
	if (event->subscription != 0)
		batches_flush(d, event);
	targets_add(d, event);
}

void store_delivery_notify(struct store_delivery *d,
			   const struct store_events *events)
{
	for (size_t i = 0; i < events->count; i++)
		notify(d, &events->list[i]);
}

void store_delivery_run(struct store_delivery *d, struct store_errand *e)
{
	if (++d->pending > d->conf->max_pending) {
		delivery_refuse(d, e);
		return;
	}
	switch (e->pass.outcome) {
	case STORE_ASKED:
		waits_ask(d, e);
		break;
	case STORE_FORWARD:
		waits_forward(d, e);
		break;
	case STORE_POLL:
		if (d->draining)
			delivery_reply(d, e, RSC_TARGET_NOT_REACHABLE,
				       "shutting down");
		else
			channels_poll(d, e);
		break;
	case STORE_POLL_ANSWER:
		channels_answer(d, e);
		break;
	case STORE_ANSWERED:
		delivery_reply(d, e, RSC_INTERNAL_SERVER_ERROR, NULL);
		break;
	}
}

static void on_events(struct store_outlet *o, const struct store_events *events)
{
	store_delivery_notify(container_of(o, struct store_delivery, outlet),
			      events);
}

static void on_errand(struct store_outlet *o, struct store_errand *e)
{
	store_delivery_run(container_of(o, struct store_delivery, outlet), e);
}

/* ---- its end ---- */

void store_delivery_drain(struct store_delivery *d,
			  void (*on_idle)(void *owner), void *owner)
{
	d->on_idle = on_idle;
	d->owner = owner;
	d->draining = true;
	channels_end_polls(d);
	batches_flush_all(d);
}

/* What waits in a channel may wait for good. */
bool store_delivery_is_idle(struct store_delivery *d)
{
	return d->pending == 0 && d->targets == NULL && d->batches == NULL &&
	       (!d->has_outlet || store_outlet_is_empty(&d->outlet));
}

const struct store_delivery_counters *store_delivery_counters(
	const struct store_delivery *d)
{
	return &d->counters;
}

uint64_t store_delivery_left_out(struct store_delivery *d)
{
	return d->has_outlet ? store_outlet_dropped(&d->outlet) : 0;
}

int store_delivery_create(struct store_delivery **out, struct reactor *r,
			  struct store_service *s,
			  const struct store_delivery_conf *conf)
{
	struct store_delivery *d = calloc(1, sizeof(*d));
	int err;

	if (d == NULL)
		return UV_ENOMEM;
	d->r = r;
	d->conf = conf;
	TAILQ_INIT(&d->polls);
	TAILQ_INIT(&d->waits);
	err = siphash_key_random(&d->key);
	if (err)
		goto free_delivery;
	err = mca_client_create(&d->client, r, &conf->client);
	if (err)
		goto free_delivery;
	d->outlet.on_events = on_events;
	d->outlet.on_errand = on_errand;
	if (s != NULL)
		err = store_outlet_init(&d->outlet, s, reactor_loop(r));
	if (err)
		goto destroy_client;
	d->has_outlet = s != NULL;
	*out = d;
	return 0;

destroy_client:
	mca_client_destroy(d->client);
free_delivery:
	free(d);
	return err;
}

static void on_outlet_closed(struct store_outlet *o)
{
	free(container_of(o, struct store_delivery, outlet));
}

void store_delivery_destroy(struct store_delivery *d)
{
	if (d == NULL)
		return;
	d->draining = false;
	waits_drop_all(d);
	batches_drop_all(d);
	targets_drop_all(d);
	channels_drop_all(d);
	mca_client_destroy(d->client);
	if (d->has_outlet)
		store_outlet_close(&d->outlet, on_outlet_closed);
	else
		free(d);
}
