/* A loop's end of the service: requests in, answers out. */
#include "backend/store_service_priv.h"

#define PRICE_NS 20000		/* of a request, besides its octets */

size_t store_job_octets(const struct store_job *job)
{
	return sizeof(*job) + job->request.store.len;
}

uint64_t store_job_price(const struct store_job *job)
{
	return PRICE_NS + STORE_OCTET_NS * job->request.store.len;
}

void store_job_refuse(struct store_job *job, int rsc, const char *why)
{
	store_events_deinit(&job->events);
	job->pass.outcome = STORE_ANSWERED;
	prim_refuse(&job->answer, prim_text(&job->request, PARAM_RQI),
		    prim_text(&job->request, PARAM_RVI), rsc, why);
}

void store_job_deinit(struct store_job *job)
{
	prim_deinit(&job->request);
	prim_deinit(&job->answer);
	store_events_deinit(&job->events);
}

static bool queue(struct store_service *s, struct fair_queue *q,
		  struct store_job *job)
{
	fair_price(&s->account, &job->turn, job->sender, store_job_price(job));
	if (fair_add(q, &job->turn) != 0)
		return false;
	s->waiting += store_job_octets(job);
	job->mailbox->pending++;
	return true;
}

bool store_queue_write(struct store_service *s, struct store_job *job)
{
	uv_cond_signal(&s->writes_wait);
	return queue(s, &s->writes, job);
}

static bool queue_read(struct store_service *s, struct store_job *job)
{
	uv_cond_signal(&s->reads_wait);
	return queue(s, &s->reads, job);
}

void store_mailbox_deliver(struct store_mailbox *m, struct store_job *job)
{
	TAILQ_INSERT_TAIL(&m->done, job, link);
	uv_async_send(&m->async);
}

static void on_async(uv_async_t *async)
{
	struct store_mailbox *m =
		container_of(async, struct store_mailbox, async);
	struct store_jobs done = TAILQ_HEAD_INITIALIZER(done);
	struct store_job *job;

	uv_mutex_lock(&m->service->lock);
	TAILQ_CONCAT(&done, &m->done, link);
	uv_mutex_unlock(&m->service->lock);
	while ((job = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, job, link);
		m->on_done(job);
	}
}

int store_mailbox_init(struct store_mailbox *m, struct store_service *s,
		       uv_loop_t *loop, void (*on_done)(struct store_job *job))
{
	m->service = s;
	m->on_done = on_done;
	m->pending = 0;
	TAILQ_INIT(&m->done);
	TAILQ_INIT(&m->away);
	return uv_async_init(loop, &m->async, on_async);
}

static bool is_others(struct fair_item *item, void *arg)
{
	struct store_job *job = container_of(item, struct store_job, turn);
	struct store_mailbox *m = arg;

	if (job->mailbox != m)
		return true;
	m->service->waiting -= store_job_octets(job);
	m->pending--;
	return false;
}

/* Their errands go on, and end without an answer. */
static void part_from_errands(struct store_mailbox *m)
{
	struct store_job *job;

	while ((job = TAILQ_FIRST(&m->away)) != NULL) {
		TAILQ_REMOVE(&m->away, job, link);
		job->errand->job = NULL;
		job->errand = NULL;
	}
}

static void on_async_closed(uv_handle_t *handle)
{
	struct store_mailbox *m = container_of(handle, struct store_mailbox,
					       async);

	m->on_closed(m);
}

void store_mailbox_close(struct store_mailbox *m,
			 void (*on_closed)(struct store_mailbox *m))
{
	struct store_service *s = m->service;

	m->on_closed = on_closed;
	uv_mutex_lock(&s->lock);
	fair_filter(&s->writes, is_others, m);
	fair_filter(&s->reads, is_others, m);
	while (m->pending > 0)
		uv_cond_wait(&s->settled, &s->lock);
	part_from_errands(m);
	TAILQ_INIT(&m->done);
	uv_mutex_unlock(&s->lock);
	uv_close((uv_handle_t *)&m->async, on_async_closed);
}

static bool has_room(const struct store_service *s, size_t octets)
{
	return s->waiting < s->conf->max_waiting &&
	       octets <= (s->conf->max_waiting - s->waiting) / 2;
}

int store_mailbox_submit(struct store_mailbox *m, struct store_job *job,
			 bool read)
{
	struct store_service *s = m->service;
	int err = 0;

	job->mailbox = m;
	job->pass = (struct store_pass){ 0 };
	job->spent_ns = 0;
	job->unwanted = false;
	uv_mutex_lock(&s->lock);
	if (!has_room(s, store_job_octets(job)))
		err = ERR_LIMIT;
	else if (!(read && s->reader_count > 0 ? queue_read(s, job) :
						 store_queue_write(s, job)))
		err = UV_ENOMEM;
	uv_mutex_unlock(&s->lock);
	return err;
}

void store_job_forget(struct store_job *job)
{
	struct store_service *s = job->mailbox->service;

	uv_mutex_lock(&s->lock);
	job->unwanted = true;
	uv_mutex_unlock(&s->lock);
}
