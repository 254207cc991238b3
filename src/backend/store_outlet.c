/*
 * The way out. An errand takes along what it needs of its job, because the
 * job's owner may go at any time; the two know of each other under the lock
 * only.
 */
#include <stdlib.h>

#include "backend/store_service_priv.h"

/* ---- errands ---- */

static void errand_free(struct store_errand *e)
{
	prim_deinit(&e->request);
	prim_deinit(&e->answer);
	store_events_deinit(&e->events);
	free(e);
}

/* Moves a primitive; slices stay good, for the memory of texts stays. */
static void move_prim(struct prim *to, struct prim *from)
{
	prim_deinit(to);
	*to = *from;
	from->store = (struct buf){ 0 };
	prim_reset(from, from->kind);
}

/* The job as it was, or with an answer; NULL: it is gone. */
static struct store_job *take_job(struct store_errand *e)
{
	struct store_job *job = e->job;

	if (job == NULL)
		return NULL;
	e->job = NULL;
	job->errand = NULL;
	TAILQ_REMOVE(&job->mailbox->away, job, link);
	move_prim(&job->request, &e->request);
	move_prim(&job->answer, &e->answer);
	job->pass = e->pass;
	return job;
}

static void answer(struct store_errand *e)
{
	struct store_service *s = e->service;
	struct store_job *job;

	uv_mutex_lock(&s->lock);
	job = take_job(e);
	if (job != NULL)
		store_mailbox_deliver(job->mailbox, job);
	uv_mutex_unlock(&s->lock);
	errand_free(e);
}

static void again(struct store_errand *e)
{
	struct store_service *s = e->service;
	struct store_job *job;

	uv_mutex_lock(&s->lock);
	job = take_job(e);
	if (job != NULL && !store_queue_write(s, job)) {
		store_job_refuse(job, RSC_INTERNAL_SERVER_ERROR,
				 "out of memory");
		store_mailbox_deliver(job->mailbox, job);
	}
	uv_mutex_unlock(&s->lock);
	errand_free(e);
}

static void drop(struct store_errand *e)
{
	struct store_service *s = e->service;
	struct store_job *job;

	prim_refuse(&e->answer, prim_text(&e->request, PARAM_RQI),
		    prim_text(&e->request, PARAM_RVI), RSC_REQUEST_TIMEOUT,
		    NULL);
	uv_mutex_lock(&s->lock);
	job = take_job(e);
	/* its memory is needed again; who waits for it goes with us */
	if (job != NULL && job->unwanted)
		store_mailbox_deliver(job->mailbox, job);
	uv_mutex_unlock(&s->lock);
	errand_free(e);
}

static bool is_wanted(struct store_errand *e)
{
	struct store_service *s = e->service;
	bool wanted;

	uv_mutex_lock(&s->lock);
	wanted = e->job != NULL && !e->job->unwanted;
	uv_mutex_unlock(&s->lock);
	return wanted;
}

static const struct store_errand_ops errand_ops = {
	.answer = answer,
	.again = again,
	.drop = drop,
	.is_wanted = is_wanted,
};

/* ---- out of the threads ---- */

struct store_parcel *store_parcel_create(struct store_events *events)
{
	struct store_parcel *p = NULL;

	if (events->count > 0)
		p = calloc(1, sizeof(*p));
	if (p != NULL) {
		p->events = *events;
		*events = (struct store_events){ 0 };
	}
	return p;
}

static void parcel_free(struct store_parcel *p)
{
	store_events_deinit(&p->events);
	free(p);
}

static void pack_errand(struct store_job *job)
{
	struct store_errand *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		store_job_refuse(job, RSC_INTERNAL_SERVER_ERROR,
				 "out of memory");
		return;
	}
	e->ops = &errand_ops;
	e->pass = job->pass;
	e->events = job->events;
	job->events = (struct store_events){ 0 };
	job->errand = e;
	move_prim(&e->request, &job->request);
}

void store_job_pack(struct store_job *job)
{
	job->parcel = NULL;
	job->errand = NULL;
	if (job->pass.outcome != STORE_ANSWERED) {
		pack_errand(job);
		return;
	}
	job->parcel = store_parcel_create(&job->events);
	store_events_deinit(&job->events);
}

static size_t parcel_cost(const struct store_parcel *p)
{
	return sizeof(*p) + p->events.count * sizeof(*p->events.list) +
	       p->events.store.len;
}

void store_outlet_send(struct store_service *s, struct store_parcel *p)
{
	struct store_outlet *o = s->outlet;

	if (o == NULL || o->octets + parcel_cost(p) > s->conf->max_leaving) {
		if (o != NULL)
			o->dropped += p->events.count;
		parcel_free(p);
		return;
	}
	o->octets += parcel_cost(p);
	TAILQ_INSERT_TAIL(&o->parcels, p, link);
	uv_async_send(&o->async);
}

/* Nobody is there to run it. */
static void refuse_errand(struct store_job *job)
{
	struct store_errand *e = job->errand;

	job->errand = NULL;
	move_prim(&job->request, &e->request);
	store_job_refuse(job, RSC_TARGET_NOT_REACHABLE,
			 "requests for others do not leave here");
	errand_free(e);
	store_mailbox_deliver(job->mailbox, job);
}

void store_job_hand_out(struct store_service *s, struct store_job *job)
{
	if (job->parcel != NULL)
		store_outlet_send(s, job->parcel);
	job->parcel = NULL;
	if (job->errand == NULL) {
		store_mailbox_deliver(job->mailbox, job);
	} else if (s->outlet == NULL) {
		refuse_errand(job);
	} else {
		job->errand->job = job;
		job->errand->service = s;
		TAILQ_INSERT_TAIL(&job->mailbox->away, job, link);
		TAILQ_INSERT_TAIL(&s->outlet->errands, job->errand, link);
		uv_async_send(&s->outlet->async);
	}
}

/* ---- the outlet's loop ---- */

static void take_all(struct store_outlet *o, struct store_parcels *parcels,
		     struct store_errands *errands)
{
	uv_mutex_lock(&o->service->lock);
	TAILQ_CONCAT(parcels, &o->parcels, link);
	TAILQ_CONCAT(errands, &o->errands, link);
	o->octets = 0;
	uv_mutex_unlock(&o->service->lock);
}

static void on_async(uv_async_t *async)
{
	struct store_outlet *o =
		container_of(async, struct store_outlet, async);
	struct store_parcels parcels = TAILQ_HEAD_INITIALIZER(parcels);
	struct store_errands errands = TAILQ_HEAD_INITIALIZER(errands);
	struct store_parcel *p;
	struct store_errand *e;

	take_all(o, &parcels, &errands);
	while ((p = TAILQ_FIRST(&parcels)) != NULL) {
		TAILQ_REMOVE(&parcels, p, link);
		o->on_events(o, &p->events);
		parcel_free(p);
	}
	while ((e = TAILQ_FIRST(&errands)) != NULL) {
		TAILQ_REMOVE(&errands, e, link);
		o->on_errand(o, e);
	}
}

bool store_outlet_is_empty(struct store_outlet *o)
{
	bool empty;

	uv_mutex_lock(&o->service->lock);
	empty = TAILQ_EMPTY(&o->parcels) && TAILQ_EMPTY(&o->errands);
	uv_mutex_unlock(&o->service->lock);
	return empty;
}

uint64_t store_outlet_dropped(struct store_outlet *o)
{
	uint64_t dropped;

	uv_mutex_lock(&o->service->lock);
	dropped = o->dropped;
	uv_mutex_unlock(&o->service->lock);
	return dropped;
}

int store_outlet_init(struct store_outlet *o, struct store_service *s,
		      uv_loop_t *loop)
{
	int err = uv_async_init(loop, &o->async, on_async);

	if (err)
		return err;
	o->service = s;
	o->octets = 0;
	o->dropped = 0;
	TAILQ_INIT(&o->parcels);
	TAILQ_INIT(&o->errands);
	uv_mutex_lock(&s->lock);
	s->outlet = o;
	uv_mutex_unlock(&s->lock);
	return 0;
}

static void on_async_closed(uv_handle_t *handle)
{
	struct store_outlet *o =
		container_of(handle, struct store_outlet, async);

	o->on_closed(o);
}

void store_outlet_close(struct store_outlet *o,
			void (*on_closed)(struct store_outlet *o))
{
	struct store_parcels parcels = TAILQ_HEAD_INITIALIZER(parcels);
	struct store_errands errands = TAILQ_HEAD_INITIALIZER(errands);
	struct store_parcel *p;
	struct store_errand *e;

	uv_mutex_lock(&o->service->lock);
	o->service->outlet = NULL;
	uv_mutex_unlock(&o->service->lock);
	take_all(o, &parcels, &errands);
	while ((p = TAILQ_FIRST(&parcels)) != NULL) {
		TAILQ_REMOVE(&parcels, p, link);
		parcel_free(p);
	}
	while ((e = TAILQ_FIRST(&errands)) != NULL) {
		TAILQ_REMOVE(&errands, e, link);
		store_errand_drop(e);
	}
	o->on_closed = on_closed;
	uv_close((uv_handle_t *)&o->async, on_async_closed);
}
