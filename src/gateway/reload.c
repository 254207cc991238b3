#include "reload.h"

#include <stdlib.h>

#include "base/log.h"
#include "directory.h"
#include "notify.h"
#include "peers.h"
#include "reload_listeners.h"
#include "session.h"
#include "upgrade.h"
#include "verify.h"
#include "worker_conf.h"

/* One worker's. */
struct part {
	struct verifier *verifier;	/* owned; or NULL */
	struct tls_context *notify;	/* owned; NULL: as it was */
	struct tls_context *upstreams[UPSTREAMS_MAX];	/* owned; of next */
};

struct reload {
	struct visit visit;
	struct listener_plan *listeners;	/* owned */
	const struct gateway_conf *conf;	/* borrowed, the running one */
	const struct gateway_conf *next;	/* likewise */
	void (*on_done)(void *owner);
	void *owner;
	struct part parts[];			/* by worker */
};

static bool has_notify_tls(const struct gateway_conf *conf)
{
	return conf->notify.addr.ss_family != 0 && conf->notify.tls;
}

/* There may be none: the backend takes a restart. */
static bool takes_upstreams(const struct gateway_conf *conf,
			    const struct gateway_conf *next)
{
	return conf->backend == BACKEND_HTTP && next->upstream_count > 0;
}

static int make_upstreams(struct part *part, const struct gateway_conf *conf,
			  const struct gateway_conf *next)
{
	int err = 0;

	if (!takes_upstreams(conf, next))
		return 0;
	for (size_t i = 0; i < next->upstream_count && !err; i++)
		err = backend_http_context(&part->upstreams[i],
					   &next->upstreams[i]);
	return err;
}

static int make_contexts(struct part *part, struct worker *w,
			 const struct gateway_conf *next)
{
	int err = 0;

	if (has_notify_tls(w->conf) && has_notify_tls(next))
		err = worker_tls_context(&part->notify, w, "notify",
					 &next->notify.tls_conf);
	return err ? err : make_upstreams(part, w->conf, next);
}

static void part_deinit(struct part *part)
{
	tls_context_destroy(part->notify);
	for (size_t i = 0; i < UPSTREAMS_MAX; i++)
		tls_context_destroy(part->upstreams[i]);
	verifier_destroy(part->verifier);
}

static void reload_destroy(struct reload *r)
{
	for (unsigned i = 0; i < r->conf->workers; i++)
		part_deinit(&r->parts[i]);
	listener_plan_destroy(r->listeners);
	free(r);
}

static void take_notify(struct worker *w, struct part *part)
{
	if (part->notify != NULL)
		notify_take_tls(w->notify, part->notify);
	part->notify = NULL;
}

/* For want of memory they are as before, which was logged. */
static void take_upstreams(struct worker *w, struct part *part,
			   const struct gateway_conf *next)
{
	if (takes_upstreams(w->conf, next))
		(void)w->backend->ops->take(w->backend, next->upstreams,
					    next->upstream_count,
					    part->upstreams);
}

static void on_worker(struct visit *v, struct worker *w)
{
	struct reload *r = container_of(v, struct reload, visit);
	struct part *part = &r->parts[w->index];
	struct verifier *old = w->verifier;

	worker_conf_take(w, r->next);
	listener_plan_apply(r->listeners, w);
	take_notify(w, part);
	take_upstreams(w, part, r->next);
	w->verifier = part->verifier;
	part->verifier = NULL;
	upgrade_check_all(w);
	session_check_all(w);
	verifier_destroy(old);
}

static void on_done(struct visit *v)
{
	struct reload *r = container_of(v, struct reload, visit);
	void (*tell)(void *owner) = r->on_done;
	void *owner = r->owner;

	listener_plan_finish(r->listeners);
	reload_destroy(r);
	tell(owner);
}

static int make_parts(struct reload *r, struct worker_shared *shared,
		      const struct gateway_conf *next)
{
	int err = 0;

	for (unsigned i = 0; i < r->conf->workers && !err; i++) {
		struct worker *w = shared->workers[i];

		err = make_contexts(&r->parts[i], w, next);
		if (!err)
			err = worker_verifier(&r->parts[i].verifier, w,
					      next->credentials);
	}
	return err;
}

/* What all workers look at. */
static void take_shared(struct worker_shared *shared,
			const struct gateway_conf *next)
{
	peers_set_limits(shared->peers, next->sessions_per_ip,
			 next->handshake_rate);
	directory_set_limits(shared->directory, next->max_registered,
			     next->max_descendants);
	state_set_inbox_conf(shared->state, &next->state.inbox);
}

int reload_start(struct worker_shared *shared, const struct gateway_conf *next,
		 bool draining, struct buf *why, void (*tell)(void *owner),
		 void *owner)
{
	const struct gateway_conf *conf = shared->conf;
	struct reload *r = calloc(1, sizeof(*r) + conf->workers *
						  sizeof(r->parts[0]));
	int err;

	if (r == NULL)
		return UV_ENOMEM;
	r->visit.on_worker = on_worker;
	r->visit.on_done = on_done;
	r->conf = conf;
	r->next = next;
	r->on_done = tell;
	r->owner = owner;
	err = listener_plan_create(&r->listeners, shared, next, draining, why);
	if (!err)
		err = make_parts(r, shared, next);
	if (!err)
		err = listener_plan_commit(r->listeners, why);
	if (err) {
		reload_destroy(r);
		return err;
	}
	take_shared(shared, next);
	post_visit(shared, &r->visit);
	return 0;
}
