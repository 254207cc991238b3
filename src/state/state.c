/*
 * Threads and queues. The lock guards the queue, the batch's list and the
 * mailboxes' lists; it is held for a few pointer moves only. The thread takes
 * what waits, runs it in one transaction and hands the outcomes out after the
 * commit: under load the cost of a commit is shared by many, without load
 * nobody waits for company.
 *
 * A job belongs to the thread from submission until it is in its mailbox.
 * job->call is touched by the caller's loop alone, and job->mailbox under the
 * lock: so a mailbox can go while its jobs are being run, they are just not
 * handed out.
 */
#include "state/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "state/state_priv.h"

#define BATCH_JOBS   512
#define BATCH_OCTETS (4u << 20)	/* bounds the log of the database, too */
#define TICK_NS	     UINT64_C(1000000000)	/* looks for expired items */

struct state_mailbox {
	struct state *state;		/* borrowed */
	uv_async_t async;
	struct state_jobs done;		/* under the lock */
	struct state_jobs heard;	/* the loop's */
};

/* ---- jobs ---- */

struct state_job *state_job_create(int (*run)(struct state *s,
					      struct state_job *job),
				   size_t octets)
{
	struct state_job *job = calloc(1, sizeof(*job) + octets);

	if (job != NULL)
		job->run = run;
	return job;
}

void state_job_copy(struct state_job *job, struct str *s)
{
	char *to = job->strings + job->octets;

	if (s->len > 0)
		memcpy(to, s->p, s->len);
	s->p = to;
	job->octets += s->len;
}

static void job_destroy(struct state_job *job)
{
	free(job->space);
	free(job);
}

/* Nobody hears of it any more. On the call's loop. */
static void let_go(struct state_job *job)
{
	if (job->call != NULL)
		job->call->job = NULL;
	job->call = NULL;
}

static void destroy_all(struct state_jobs *jobs)
{
	struct state_job *job;

	while ((job = TAILQ_FIRST(jobs)) != NULL) {
		TAILQ_REMOVE(jobs, job, link);
		let_go(job);
		job_destroy(job);
	}
}

/* ---- the thread ---- */

/* Opens the database once more, which is then the truth: of a commit that
 * failed after all was written, more may be there than was acknowledged. */
static int reopen(struct state *s)
{
	const char *why = "";
	int err;

	state_db_close(&s->db);
	err = state_db_open(&s->db, &why, s->path);
	if (!err)
		err = inbox_recount(s);
	if (err)
		return err;
	tallies_commit(&s->tallies);
	s->lost = false;
	return 0;
}

/* While there is no room, reading works: then nobody's reading may fail by a
 * sweep that does not. */
static bool is_sweep_due(const struct state *s)
{
	return s->next_due > 0 && s->next_due <= s->now &&
	       (!s->failing || TAILQ_EMPTY(&s->batch));
}

static int run_all(struct state *s)
{
	struct state_job *job;
	int changes = sqlite3_total_changes(s->db.db);
	int err = state_db_run(s->db.prepared[SQL_BEGIN]);

	if (!err && is_sweep_due(s))
		err = inbox_sweep(s);
	TAILQ_FOREACH(job, &s->batch, link) {
		if (err)
			break;
		err = job->run(s, job);
	}
	if (!err && sqlite3_total_changes(s->db.db) != changes)
		err = inbox_note_oldest(s);
	return err ? err : state_db_run(s->db.prepared[SQL_COMMIT]);
}

/* Without room all is well but for room, in any other case a new start may
 * help. A database in memory has none. */
static void undo(struct state *s, int err)
{
	struct state_job *job;

	if (s->db.db == NULL || !state_db_rollback(&s->db) ||
	    (err != UV_ENOSPC && err != UV_ENOMEM))
		s->lost = s->path != NULL;
	s->more_due = false;
	tallies_rollback(&s->tallies);
	TAILQ_FOREACH(job, &s->batch, link) {
		job->err = err;
		job->found = false;
		job->count = 0;
	}
}

/* The first of a row of failures, and its end, and not the thousands that a
 * full disk makes in between. */
static void tell_failed(struct state *s, int err)
{
	if (!s->failing)
		log_error("state_commit_failed", LOG_ERRNO(err));
	s->failing = true;
}

static void tell_written(struct state *s)
{
	if (s->failing)
		log_warning("state_commit_recovered",
			    LOG_UINT("failed", s->tallies.now.failed_commits));
	s->failing = false;
}

static void run_batch(struct state *s)
{
	int err = s->lost ? reopen(s) : 0;
	int changes = err ? 0 : sqlite3_total_changes(s->db.db);

	if (!err)
		err = run_all(s);
	if (err) {
		undo(s, err);
		tell_failed(s, err);
		return;
	}
	tallies_commit(&s->tallies);
	if (sqlite3_total_changes(s->db.db) != changes)
		tell_written(s);
}

/* Under the lock. */
static void take_batch(struct state *s)
{
	struct state_job *job;
	size_t jobs = 0, octets = 0;

	while ((job = TAILQ_FIRST(&s->queue)) != NULL &&
	       jobs < BATCH_JOBS && octets < BATCH_OCTETS) {
		TAILQ_REMOVE(&s->queue, job, link);
		TAILQ_INSERT_TAIL(&s->batch, job, link);
		s->waiting -= job->octets;
		octets += job->octets;
		jobs++;
	}
}

static void hand_out(struct state *s)
{
	struct state_job *job;

	uv_mutex_lock(&s->lock);
	while ((job = TAILQ_FIRST(&s->batch)) != NULL) {
		struct state_mailbox *m = job->mailbox;

		TAILQ_REMOVE(&s->batch, job, link);
		if (m == NULL) {
			job_destroy(job);
			continue;
		}
		TAILQ_INSERT_TAIL(&m->done, job, link);
		uv_async_send(&m->async);
	}
	uv_mutex_unlock(&s->lock);
}

/* False: nothing is left, and nothing will come. */
static bool wait_for_work(struct state *s)
{
	bool ending;

	uv_mutex_lock(&s->lock);
	if (TAILQ_EMPTY(&s->queue) && !s->ending && !s->more_due)
		uv_cond_timedwait(&s->wake, &s->lock, TICK_NS);
	take_batch(s);
	s->inbox = s->inbox_conf;
	ending = s->ending && TAILQ_EMPTY(&s->batch);
	uv_mutex_unlock(&s->lock);
	return !ending;
}

static void thread_main(void *arg)
{
	struct state *s = arg;

	while (wait_for_work(s)) {
		s->now = s->now_ms();
		if (TAILQ_EMPTY(&s->batch) &&
		    (s->next_due == 0 || s->next_due > s->now))
			continue;
		run_batch(s);
		hand_out(s);
		log_flush();
	}
}

/* ---- life ---- */

static int make_path(char **out, const char *dir)
{
	size_t size = strlen(dir) + sizeof("/m2mwsd.db");

	*out = malloc(size);
	if (*out == NULL)
		return UV_ENOMEM;
	snprintf(*out, size, "%s/m2mwsd.db", dir);
	return 0;
}

static int open_contents(struct state *s, const char **why, const char *dir)
{
	int err = dir != NULL ? make_path(&s->path, dir) : 0;

	if (!err)
		err = state_db_open(&s->db, why, s->path);
	if (err)
		return err;
	err = inbox_recount(s);
	if (err)
		*why = "m2mwsd.db is damaged, or cannot be read";
	else
		tallies_commit(&s->tallies);
	return err;
}

int state_create(struct state **out, const char **why,
		 const struct state_conf *conf)
{
	struct state *s = calloc(1, sizeof(*s));
	int err;

	*why = "out of memory";
	if (s == NULL)
		return UV_ENOMEM;
	s->max_waiting = conf->max_waiting;
	s->now_ms = conf->now_ms;
	s->inbox_conf = conf->inbox;
	TAILQ_INIT(&s->queue);
	TAILQ_INIT(&s->batch);
	if (uv_mutex_init(&s->lock) || uv_cond_init(&s->wake))
		abort();		/* only by lack of memory */
	err = tallies_init(&s->tallies);
	if (!err)
		err = open_contents(s, why, conf->dir);
	if (err)
		state_destroy(s);
	else
		*out = s;
	return err;
}

int state_start(struct state *s)
{
	int err = uv_thread_create(&s->thread, thread_main, s);

	s->started = err == 0;
	return err;
}

void state_destroy(struct state *s)
{
	if (s == NULL)
		return;
	uv_mutex_lock(&s->lock);
	s->ending = true;
	uv_cond_signal(&s->wake);
	uv_mutex_unlock(&s->lock);
	if (s->started)
		uv_thread_join(&s->thread);
	destroy_all(&s->queue);
	state_db_close(&s->db);
	tallies_deinit(&s->tallies);
	uv_cond_destroy(&s->wake);
	uv_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

void state_set_inbox_conf(struct state *s, const struct inbox_conf *conf)
{
	uv_mutex_lock(&s->lock);
	s->inbox_conf = *conf;
	uv_mutex_unlock(&s->lock);
}

/* ---- mailboxes ---- */

static void on_async(uv_async_t *async)
{
	struct state_mailbox *m =
		container_of(async, struct state_mailbox, async);
	struct state_job *job;

	uv_mutex_lock(&m->state->lock);
	TAILQ_CONCAT(&m->heard, &m->done, link);
	uv_mutex_unlock(&m->state->lock);
	/* destroying the mailbox empties the list; m lives on until then */
	while ((job = TAILQ_FIRST(&m->heard)) != NULL) {
		struct state_call *call = job->call;

		TAILQ_REMOVE(&m->heard, job, link);
		let_go(job);
		if (call != NULL) {
			call->item = job->found ? &job->item : NULL;
			call->count = job->count;
			call->on_done(call, job->err);
		}
		job_destroy(job);
	}
}

int state_mailbox_create(struct state_mailbox **out, struct state *s,
			 uv_loop_t *loop)
{
	struct state_mailbox *m = calloc(1, sizeof(*m));
	int err;

	if (m == NULL)
		return UV_ENOMEM;
	m->state = s;
	TAILQ_INIT(&m->done);
	TAILQ_INIT(&m->heard);
	err = uv_async_init(loop, &m->async, on_async);
	if (err)
		free(m);
	else
		*out = m;
	return err;
}

/* Under the lock. */
static void forget(struct state_jobs *jobs, const struct state_mailbox *m)
{
	struct state_job *job;

	TAILQ_FOREACH(job, jobs, link) {
		if (job->mailbox != m)
			continue;
		job->mailbox = NULL;
		let_go(job);
	}
}

static void on_async_closed(uv_handle_t *handle)
{
	free(container_of((uv_async_t *)handle, struct state_mailbox, async));
}

void state_mailbox_destroy(struct state_mailbox *m)
{
	struct state *s;

	if (m == NULL)
		return;
	s = m->state;
	uv_mutex_lock(&s->lock);
	forget(&s->queue, m);
	forget(&s->batch, m);
	destroy_all(&m->done);
	uv_mutex_unlock(&s->lock);
	destroy_all(&m->heard);
	uv_close((uv_handle_t *)&m->async, on_async_closed);
}

int state_job_submit(struct state_mailbox *m, struct state_call *call,
		     struct state_job *job, bool bounded)
{
	struct state *s = m->state;
	bool fits;

	if (job == NULL)
		return UV_ENOMEM;
	job->mailbox = m;
	job->call = call;
	if (call != NULL)
		call->job = job;
	uv_mutex_lock(&s->lock);
	fits = !bounded || s->waiting + job->octets <= s->max_waiting;
	if (fits) {
		TAILQ_INSERT_TAIL(&s->queue, job, link);
		s->waiting += job->octets;
		uv_cond_signal(&s->wake);
	}
	uv_mutex_unlock(&s->lock);
	if (fits)
		return 0;
	let_go(job);
	job_destroy(job);
	return ERR_LIMIT;
}

void state_call_cancel(struct state_call *call)
{
	if (call->job != NULL)
		let_go(call->job);
}
