/* A loop's end of the service: requests in, answers out. */
#include "backend/store_service_priv.h"

size_t store_job_cost(const struct store_job *job)
{
	return sizeof(*job) + job->request.store.len;
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

void store_queue_write(struct store_service *s, struct store_job *job)
{
	TAILQ_INSERT_TAIL(&s->writes, job, link);
	s->waiting += store_job_cost(job);
	job->mailbox->pending++;
	uv_cond_signal(&s->writes_wait);
}

static void queue_read(struct store_service *s, struct store_job *job)
{
	TAILQ_INSERT_TAIL(&s->reads, job, link);
	s->waiting += store_job_cost(job);
	job->mailbox->pending++;
	uv_cond_signal(&s->reads_wait);
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

static void drop_queued(struct store_service *s, struct store_jobs *queue,
			struct store_mailbox *m)
{
	struct store_job *job, *next;

	for (job = TAILQ_FIRST(queue); job != NULL; job = next) {
		next = TAILQ_NEXT(job, link);
		if (job->mailbox != m)
			continue;
		TAILQ_REMOVE(queue, job, link);
		s->waiting -= store_job_cost(job);
		m->pending--;
	}
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
	drop_queued(s, &s->writes, m);
	drop_queued(s, &s->reads, m);
	while (m->pending > 0)
		uv_cond_wait(&s->settled, &s->lock);
	part_from_errands(m);
	TAILQ_INIT(&m->done);
	uv_mutex_unlock(&s->lock);
	uv_close((uv_handle_t *)&m->async, on_async_closed);
}

int store_mailbox_submit(struct store_mailbox *m, struct store_job *job,
			 bool read)
{
	struct store_service *s = m->service;
	bool fits;

	job->mailbox = m;
	job->pass = (struct store_pass){ 0 };
	job->unwanted = false;
	uv_mutex_lock(&s->lock);
	fits = s->waiting + store_job_cost(job) <= s->conf->max_waiting;
	if (fits && read && s->reader_count > 0)
		queue_read(s, job);
	else if (fits)
		store_queue_write(s, job);
	uv_mutex_unlock(&s->lock);
	return fits ? 0 : ERR_LIMIT;
}

void store_job_forget(struct store_job *job)
{
	struct store_service *s = job->mailbox->service;

	uv_mutex_lock(&s->lock);
	job->unwanted = true;
	uv_mutex_unlock(&s->lock);
}
