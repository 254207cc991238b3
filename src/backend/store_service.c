/*
 * The threads. The writer executes what waits in one transaction, for about
 * twice the time that a commit takes, and hands the answers out after the
 * commit: under load the cost of a commit is shared by many, without load
 * nobody waits for company, and nobody waits long for the others' requests.
 * What is executed next is decided each time anew (fair.h), so that who asks
 * for little does not wait for all who ask for much.
 */
#include <assert.h>
#include <stdlib.h>

#include "backend/store_service_priv.h"
#include "base/clock.h"
#include "base/log.h"

#define TAKEN	   16		/* requests, before the order is looked at
				 * again */
#define BATCH_NS   UINT64_C(1000000)	/* none is added after, or twice the */
#define TIMES	   16		/* what is more than that is chance */
#define COMMIT_NS  UINT64_C(5000000)	/* time of a commit, of that at most */
#define EXPIRE_MS  1000		/* how often expired resources are looked for */
#define EXPIRE_MAX 256		/* of them at a time */

/* The one that is due first; NULL: none waits. */
static struct store_job *take(struct store_service *s, struct fair_queue *q)
{
	struct fair_item *item = fair_first(q);
	struct store_job *job;

	if (item == NULL)
		return NULL;
	job = container_of(item, struct store_job, turn);
	fair_begin(&s->account, item);
	fair_remove(q, item);
	s->waiting -= store_job_octets(job);
	return job;
}

static void execute(struct store_thread *t, struct store_job *job)
{
	uint64_t began = uv_hrtime();
	bool again = job->pass.agreed;
	int err = store_execute(t->conn, &job->answer, &job->events,
				&job->pass, &job->request, clock_wall_ms());

	if (err || (again && job->pass.outcome == STORE_ASKED))
		store_job_refuse(job, RSC_INTERNAL_SERVER_ERROR,
				 "the store failed");
	job->spent_ns = uv_hrtime() - began;
}

/* The transaction is lost, and with it what its answers would say. */
static void fail_all(struct store_jobs *jobs)
{
	struct store_job *job;

	TAILQ_FOREACH(job, jobs, link)
		store_job_refuse(job, RSC_INTERNAL_SERVER_ERROR,
				 "the store could not commit");
}

/* An answer's octets are still to be written. */
static void settle(struct store_service *s, const struct store_job *job)
{
	uint64_t cost = job->spent_ns + STORE_OCTET_NS * job->answer.store.len;
	uint64_t most = TIMES * fair_cost(&job->turn);

	fair_settle(&s->account, &job->turn, job->sender,
		    cost < most ? cost : most);
}

static void hand_out(struct store_service *s, struct store_jobs *jobs)
{
	struct store_job *job;

	TAILQ_FOREACH(job, jobs, link)
		store_job_pack(job);
	uv_mutex_lock(&s->lock);
	while ((job = TAILQ_FIRST(jobs)) != NULL) {
		struct store_mailbox *m = job->mailbox;

		TAILQ_REMOVE(jobs, job, link);
		settle(s, job);
		store_job_hand_out(s, job);
		if (--m->pending == 0)
			uv_cond_broadcast(&s->settled);
	}
	uv_mutex_unlock(&s->lock);
}

/* What is due first, TAKEN at most. None that is thought to take more than a
 * quarter of the time that is left, unless it is the first. */
static void take_writes(struct store_service *s, struct store_jobs *out,
			bool is_first, uint64_t ns)
{
	const struct fair_item *item;
	struct store_job *job;
	uint64_t price;

	uv_mutex_lock(&s->lock);
	for (unsigned n = 0; n < TAKEN; n++) {
		item = fair_first(&s->writes);
		if (item == NULL)
			break;
		price = fair_cost(item);
		if (price > ns / 4 && !(is_first && n == 0))
			break;
		job = take(s, &s->writes);
		TAILQ_INSERT_TAIL(out, job, link);
		ns -= price < ns ? price : ns;
	}
	uv_mutex_unlock(&s->lock);
}

static int commit(struct store_thread *t)
{
	uint64_t began = uv_hrtime(), took;
	int err = store_commit(t->conn);

	took = uv_hrtime() - began;
	t->commit_ns = took < COMMIT_NS ? took : COMMIT_NS;
	return err;
}

static void write_batch(struct store_thread *t, struct store_jobs *done)
{
	struct store_jobs some = TAILQ_HEAD_INITIALIZER(some);
	uint64_t spent = 0, enough = BATCH_NS + 2 * t->commit_ns;
	int err = store_begin(t->conn);
	struct store_job *job;
	bool any;

	do {
		take_writes(t->service, &some, TAILQ_EMPTY(done),
			    enough - spent);
		TAILQ_FOREACH(job, &some, link)
			if (!err) {
				execute(t, job);
				spent += job->spent_ns;
			}
		any = !TAILQ_EMPTY(&some);
		TAILQ_CONCAT(done, &some, link);
	} while (any && spent < enough);
	if (!err)
		err = commit(t);
	if (err) {
		log_warning("store_commit_failed", LOG_ERRNO(err));
		fail_all(done);
	}
}

static void expire(struct store_thread *t)
{
	struct store_service *s = t->service;
	struct store_events events = { 0 };
	struct store_parcel *p = NULL;
	int n = store_begin(t->conn);

	if (n == 0)
		n = store_expire(t->conn, &events, clock_wall_ms(), EXPIRE_MAX);
	if (n >= 0)
		n = store_commit(t->conn);
	else
		store_rollback(t->conn);
	if (n < 0)
		log_warning("store_expire_failed", LOG_ERRNO(n));
	else
		p = store_parcel_create(&events);
	store_events_deinit(&events);
	if (p == NULL)
		return;
	uv_mutex_lock(&s->lock);
	store_outlet_send(s, p);
	uv_mutex_unlock(&s->lock);
}

static void writer_main(void *arg)
{
	struct store_thread *t = arg;
	struct store_service *s = t->service;
	uint64_t expired_at = uv_hrtime();

	for (;;) {
		struct store_jobs jobs = TAILQ_HEAD_INITIALIZER(jobs);
		bool ending, any;

		uv_mutex_lock(&s->lock);
		if (s->writes.count == 0 && !s->ending)
			uv_cond_timedwait(&s->writes_wait, &s->lock,
					  EXPIRE_MS * UINT64_C(1000000));
		ending = s->ending;
		any = s->writes.count > 0;
		uv_mutex_unlock(&s->lock);
		if (any)
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
		struct store_job *job;

		uv_mutex_lock(&s->lock);
		while (s->reads.count == 0 && !s->ending)
			uv_cond_wait(&s->reads_wait, &s->lock);
		job = take(s, &s->reads);
		uv_mutex_unlock(&s->lock);
		if (job == NULL)
			break;
		execute(t, job);
		TAILQ_INSERT_TAIL(&jobs, job, link);
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
}

static int start_threads(struct store_service *s)
{
	bool memory = strcmp(s->conf->store.path, ":memory:") == 0;
	int err = thread_start(&s->writer, s, STORE_WRITER);

	assert(s->conf->readers <= STORE_READERS_MAX);
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
	fair_queue_deinit(&s->writes);
	fair_queue_deinit(&s->reads);
	fair_account_deinit(&s->account);
	uv_cond_destroy(&s->settled);
	uv_cond_destroy(&s->reads_wait);
	uv_cond_destroy(&s->writes_wait);
	uv_mutex_destroy(&s->lock);
	free(s);
}
