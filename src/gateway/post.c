#include "post.h"

#include <stdlib.h>

#include "reach.h"
#include "session.h"
#include "worker.h"

struct notice {
	TAILQ_ENTRY(notice) link;
	enum notice_kind kind;
	uint64_t sid;
	struct entity *e;	/* a reference */
};

static void deliver(struct worker *w, struct delivery *d)
{
	struct session *s = session_find(w, d->at.sid);

	if (s != NULL) {
		session_deliver(s, d);
		return;
	}
	d->end = DELIVERY_UNSENT;
	post_home(w, d);
}

static void carry_out(struct worker *w, enum notice_kind kind, uint64_t sid,
		      struct entity *e)
{
	struct session *s;

	if (kind == NOTICE_ONLINE) {
		reach_on_online(w->reach, e);
		return;
	}
	s = session_find(w, sid);
	if (s == NULL)
		return;
	if (kind == NOTICE_REPLACED)
		session_replaced(s, e);
	else
		session_redeliver(s, e);
}

static void put(struct worker *to, struct delivery *d, struct notice *n)
{
	uv_mutex_lock(&to->post.lock);
	if (d != NULL)
		TAILQ_INSERT_TAIL(&to->post.deliveries, d, link);
	if (n != NULL)
		TAILQ_INSERT_TAIL(&to->post.notices, n, link);
	uv_mutex_unlock(&to->post.lock);
	worker_wake(to);
}

void post_delivery(struct worker *from, unsigned to, struct delivery *d)
{
	d->homeward = false;
	if (to == from->index)
		deliver(from, d);
	else
		put(from->shared->workers[to], d, NULL);
}

void post_home(struct worker *from, struct delivery *d)
{
	d->homeward = true;
	if (d->home == from)
		d->on_end(d);
	else
		put(d->home, d, NULL);
}

static void lose(struct worker *to)
{
	uv_mutex_lock(&to->post.lock);
	to->post.lost = true;
	uv_mutex_unlock(&to->post.lock);
	worker_wake(to);
}

void post_notice(struct worker *from, unsigned to, enum notice_kind kind,
		 uint64_t sid, struct entity *e)
{
	struct notice *n;

	n = calloc(1, sizeof(*n));
	if (n == NULL) {
		lose(from->shared->workers[to]);
		return;
	}
	n->kind = kind;
	n->sid = sid;
	n->e = entity_ref(e);
	put(from->shared->workers[to], NULL, n);
}

void post_notice_all(struct worker *from, enum notice_kind kind,
		     struct entity *e)
{
	for (unsigned i = 0; i < from->conf->workers; i++)
		post_notice(from, i, kind, 0, e);
}

/* False: to has ended. */
static bool put_visit(struct worker *to, struct visit *v)
{
	bool there;

	uv_mutex_lock(&to->post.lock);
	there = !to->post.ended;
	if (there)
		TAILQ_INSERT_TAIL(&to->post.visits, v, link);
	uv_mutex_unlock(&to->post.lock);
	if (there)
		worker_wake(to);
	return there;
}

/* To the next one that still has a thread. Those that have none are visited by
 * this one: nobody else touches them any more. */
static void pass_on(struct worker_shared *shared, unsigned next,
		    struct visit *v)
{
	for (; next < shared->conf->workers; next++) {
		if (put_visit(shared->workers[next], v))
			return;
		v->on_worker(v, shared->workers[next]);
	}
	visit_come_home(&shared->home, v);
}

void post_visit(struct worker_shared *shared, struct visit *v)
{
	pass_on(shared, 0, v);
}

static void run_visits(struct worker *w, struct visit_list *list)
{
	struct visit *v;

	while ((v = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, v, link);
		v->on_worker(v, w);
		pass_on(w->shared, w->index + 1, v);
	}
}

void post_end(struct worker *w)
{
	struct visit_list visits = TAILQ_HEAD_INITIALIZER(visits);

	uv_mutex_lock(&w->post.lock);
	w->post.ended = true;
	TAILQ_CONCAT(&visits, &w->post.visits, link);
	uv_mutex_unlock(&w->post.lock);
	run_visits(w, &visits);
}

static void run_notices(struct worker *w, struct notice_list *list)
{
	struct notice *n;

	while ((n = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, n, link);
		carry_out(w, n->kind, n->sid, n->e);
		entity_unref(n->e);
		free(n);
	}
}

void post_run(struct worker *w)
{
	struct delivery_list deliveries = TAILQ_HEAD_INITIALIZER(deliveries);
	struct notice_list notices = TAILQ_HEAD_INITIALIZER(notices);
	struct visit_list visits = TAILQ_HEAD_INITIALIZER(visits);
	struct delivery *d;
	bool lost;

	uv_mutex_lock(&w->post.lock);
	TAILQ_CONCAT(&deliveries, &w->post.deliveries, link);
	TAILQ_CONCAT(&notices, &w->post.notices, link);
	TAILQ_CONCAT(&visits, &w->post.visits, link);
	lost = w->post.lost;
	w->post.lost = false;
	uv_mutex_unlock(&w->post.lock);
	run_visits(w, &visits);
	run_notices(w, &notices);
	if (lost) {
		session_catch_up_all(w);
		reach_on_online(w->reach, NULL);
	}
	while ((d = TAILQ_FIRST(&deliveries)) != NULL) {
		TAILQ_REMOVE(&deliveries, d, link);
		if (d->homeward)
			d->on_end(d);
		else
			deliver(w, d);
	}
}

int post_init(struct post *p)
{
	TAILQ_INIT(&p->deliveries);
	TAILQ_INIT(&p->notices);
	TAILQ_INIT(&p->visits);
	return uv_mutex_init(&p->lock);
}

void post_deinit(struct post *p)
{
	struct notice *n;

	while ((n = TAILQ_FIRST(&p->notices)) != NULL) {
		TAILQ_REMOVE(&p->notices, n, link);
		entity_unref(n->e);
		free(n);
	}
	uv_mutex_destroy(&p->lock);
}
