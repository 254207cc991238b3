/*
 * Threads and queues. One lock guards the queues and the mailboxes' lists; it
 * is held for a few pointer moves only. The writer takes all that waits, up
 * to BATCH, executes it in one transaction and hands the answers out after
 * the commit: under load the cost of a commit is shared by many, without load
 * nobody waits for company.
 */
#include "backend/store_service.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define BATCH       512		/* requests of one transaction */
#define EXPIRE_MS   1000	/* how often expired resources are looked for */
#define EXPIRE_MAX  256		/* of them at a time */
#define MAX_READERS 16

#define TY_SUBSCRIPTION 23

struct store_thread {
	struct store_service *service;
	struct store_conn *conn;	/* owned */
	uv_thread_t thread;
	bool started;
	struct prim request, answer;	/* scratch */
	struct store_events events;
};

struct store_service {
	const struct store_service_conf *conf;	/* borrowed */
	struct store *store;			/* owned */

	uv_mutex_t lock;
	uv_cond_t writes_wait, reads_wait;	/* something is queued */
	uv_cond_t settled;			/* a mailbox has nothing left */
	struct store_jobs writes, reads;
	size_t waiting;				/* octets queued */
	bool ending;

	struct store_thread writer;
	struct store_thread readers[MAX_READERS];
	unsigned reader_count;
};

/* An answer that the store did not give. */
static void write_failure(struct store_thread *t, struct buf *out, int rsc,
			  const char *why)
{
	struct prim *p = &t->answer;

	prim_refuse(p, prim_text(&t->request, PARAM_RQI),
		    prim_text(&t->request, PARAM_RVI), rsc, why);
	buf_clear(out);
	codec_json.encode(out, p);
}

/* Nothing delivers notifications and later results yet, so nobody may be left
 * waiting for one. */
static bool wants_delivery(const struct prim *p)
{
	int64_t ty;

	return prim_response_type(p) == 2 ||
	       (p->op == OP_CREATE && prim_int(&ty, p, PARAM_TY) &&
		ty == TY_SUBSCRIPTION);
}

static void execute(struct store_thread *t, struct store_job *job)
{
	const struct codec_conf *limits = &t->service->conf->store.codec;
	struct store_pass pass = { 0 };
	const char *why = NULL;
	int err;

	err = codec_json.decode(&t->request, &why, limits,
				buf_str(&job->request));
	if (!err && wants_delivery(&t->request)) {
		write_failure(t, &job->answer, RSC_NOT_IMPLEMENTED,
			      "notifications are not available yet");
		return;
	}
	if (!err)
		err = store_execute(t->conn, &t->answer, &t->events,
				    &pass, &t->request,
				    clock_wall_ms());
	buf_clear(&job->answer);
	if (err)
		write_failure(t, &job->answer, RSC_INTERNAL_SERVER_ERROR,
			      "the store failed");
	else if (t->request.op == OP_NOTIFY && t->events.count > 0)
		write_failure(t, &job->answer, RSC_TARGET_NOT_REACHABLE,
			      "notifications are not available yet");
	else
		codec_json.encode(&job->answer, &t->answer);
	if (t->events.count > 0)
		store_events_deinit(&t->events);
}

/* The transaction is lost, and with it what its answers would say. */
static void fail_all(struct store_thread *t, struct store_jobs *jobs)
{
	const struct codec_conf *limits = &t->service->conf->store.codec;
	struct store_job *job;
	const char *why;

	TAILQ_FOREACH(job, jobs, link) {
		(void)!codec_json.decode(&t->request, &why, limits,
					 buf_str(&job->request));
		write_failure(t, &job->answer, RSC_INTERNAL_SERVER_ERROR,
			      "the store could not commit");
	}
}

static void hand_out(struct store_service *s, struct store_jobs *jobs)
{
	struct store_job *job;

	uv_mutex_lock(&s->lock);
	while ((job = TAILQ_FIRST(jobs)) != NULL) {
		struct store_mailbox *m = job->mailbox;

		TAILQ_REMOVE(jobs, job, link);
		TAILQ_INSERT_TAIL(&m->done, job, link);
		if (--m->pending == 0)
			uv_cond_broadcast(&s->settled);
		uv_async_send(&m->async);
	}
	uv_mutex_unlock(&s->lock);
}

static void take(struct store_service *s, struct store_jobs *to,
		 struct store_jobs *from, unsigned max)
{
	struct store_job *job;

	while (max-- > 0 && (job = TAILQ_FIRST(from)) != NULL) {
		TAILQ_REMOVE(from, job, link);
		s->waiting -= job->request.len;
		TAILQ_INSERT_TAIL(to, job, link);
	}
}

static void write_batch(struct store_thread *t, struct store_jobs *jobs)
{
	struct store_job *job;
	int err = store_begin(t->conn);

	if (!err) {
		TAILQ_FOREACH(job, jobs, link)
			execute(t, job);
		err = store_commit(t->conn);
	}
	if (err) {
		log_warning("store_commit_failed", LOG_ERRNO(err));
		fail_all(t, jobs);
	}
}

static void expire(struct store_thread *t)
{
	int n = store_begin(t->conn);

	if (n == 0)
		n = store_expire(t->conn, &t->events, clock_wall_ms(), EXPIRE_MAX);
	store_events_deinit(&t->events);
	if (n >= 0)
		n = store_commit(t->conn);
	else
		store_rollback(t->conn);
	if (n < 0)
		log_warning("store_expire_failed", LOG_ERRNO(n));
}

static void writer_main(void *arg)
{
	struct store_thread *t = arg;
	struct store_service *s = t->service;
	uint64_t expired_at = uv_hrtime();

	for (;;) {
		struct store_jobs jobs = TAILQ_HEAD_INITIALIZER(jobs);
		bool ending;

		uv_mutex_lock(&s->lock);
		if (TAILQ_EMPTY(&s->writes) && !s->ending)
			uv_cond_timedwait(&s->writes_wait, &s->lock,
					  EXPIRE_MS * UINT64_C(1000000));
		ending = s->ending;
		take(s, &jobs, &s->writes, BATCH);
		uv_mutex_unlock(&s->lock);
		if (!TAILQ_EMPTY(&jobs))
			write_batch(t, &jobs);
		else if (ending)
			break;
		hand_out(s, &jobs);
		if (uv_hrtime() - expired_at >
		    EXPIRE_MS * UINT64_C(1000000)) {
			expired_at = uv_hrtime();
			expire(t);
		}
		log_flush();
	}
}

static void reader_main(void *arg)
{
	struct store_thread *t = arg;
	struct store_service *s = t->service;

	for (;;) {
		struct store_jobs jobs = TAILQ_HEAD_INITIALIZER(jobs);
		bool ending;

		uv_mutex_lock(&s->lock);
		while (TAILQ_EMPTY(&s->reads) && !s->ending)
			uv_cond_wait(&s->reads_wait, &s->lock);
		ending = s->ending;
		take(s, &jobs, &s->reads, 1);
		uv_mutex_unlock(&s->lock);
		if (!TAILQ_EMPTY(&jobs))
			execute(t, TAILQ_FIRST(&jobs));
		else if (ending)
			break;
		hand_out(s, &jobs);
	}
}

static int thread_start(struct store_thread *t, struct store_service *s,
			enum store_role role)
{
	int err;

	t->service = s;
	err = store_conn_create(&t->conn, s->store, role);
	if (err)
		return err;
	err = uv_thread_create(&t->thread,
			       role == STORE_WRITER ? writer_main :
						      reader_main, t);
	t->started = err == 0;
	return err;
}

static void thread_end(struct store_thread *t)
{
	if (t->started)
		uv_thread_join(&t->thread);
	store_conn_destroy(t->conn);
	store_events_deinit(&t->events);
	prim_deinit(&t->request);
	prim_deinit(&t->answer);
}

static int start_threads(struct store_service *s)
{
	bool memory = strcmp(s->conf->store.path, ":memory:") == 0;
	int err = thread_start(&s->writer, s, STORE_WRITER);

	assert(s->conf->readers <= MAX_READERS);
	while (!err && !memory && s->reader_count < s->conf->readers)
		err = thread_start(&s->readers[s->reader_count++], s,
				   STORE_READER);
	return err;
}

int store_service_create(struct store_service **out, const char **why,
			 const struct store_service_conf *conf)
{
	struct store_service *s = calloc(1, sizeof(*s));
	int err;

	*why = "out of memory";
	if (s == NULL)
		return UV_ENOMEM;
	s->conf = conf;
	TAILQ_INIT(&s->writes);
	TAILQ_INIT(&s->reads);
	err = store_create(&s->store, why, &conf->store);
	if (err) {
		free(s);
		return err;
	}
	if (uv_mutex_init(&s->lock) || uv_cond_init(&s->writes_wait) ||
	    uv_cond_init(&s->reads_wait) || uv_cond_init(&s->settled))
		abort();		/* only by lack of memory */
	err = start_threads(s);
	if (err) {
		*why = err_text(err);
		store_service_destroy(s);
		return err;
	}
	*out = s;
	return 0;
}

void store_service_destroy(struct store_service *s)
{
	if (s == NULL)
		return;
	uv_mutex_lock(&s->lock);
	s->ending = true;
	uv_cond_broadcast(&s->writes_wait);
	uv_cond_broadcast(&s->reads_wait);
	uv_mutex_unlock(&s->lock);
	thread_end(&s->writer);
	for (unsigned i = 0; i < s->reader_count; i++)
		thread_end(&s->readers[i]);
	store_destroy(s->store);
	uv_cond_destroy(&s->settled);
	uv_cond_destroy(&s->reads_wait);
	uv_cond_destroy(&s->writes_wait);
	uv_mutex_destroy(&s->lock);
	free(s);
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
		s->waiting -= job->request.len;
		m->pending--;
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
	TAILQ_INIT(&m->done);
	uv_mutex_unlock(&s->lock);
	uv_close((uv_handle_t *)&m->async, on_async_closed);
}

int store_mailbox_submit(struct store_mailbox *m, struct store_job *job,
			 bool read)
{
	struct store_service *s = m->service;
	bool fits;

	read = read && s->reader_count > 0;
	job->mailbox = m;
	uv_mutex_lock(&s->lock);
	fits = s->waiting + job->request.len <= s->conf->max_waiting;
	if (fits) {
		TAILQ_INSERT_TAIL(read ? &s->reads : &s->writes, job, link);
		s->waiting += job->request.len;
		m->pending++;
		uv_cond_signal(read ? &s->reads_wait : &s->writes_wait);
	}
	uv_mutex_unlock(&s->lock);
	return fits ? 0 : ERR_LIMIT;
}
