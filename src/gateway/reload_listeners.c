#include "reload_listeners.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "net/addr.h"
#include "worker_listener.h"

/* One worker's. */
struct listener_part {
	struct worker_listener *l;	/* owned; of a new one, else NULL */
	struct tls_context *tls;	/* owned; or NULL */
	int fd;				/* owned; or -1: as it was */
};

/* Of one listener. */
struct listener_change {
	struct listener_shared *shared;	/* owned, as long as it is not in the
					 * gateway's list */
	const struct gateway_listener_conf *next;	/* NULL: it goes */
	bool owned;
	bool opens, closes;		/* both: it moves */
	struct sockaddr_storage was;	/* where it closes */
	unsigned was_port;
	struct listener_part *parts;	/* owned; by worker */
};

struct listener_plan {
	struct worker_shared *shared;	/* borrowed */
	unsigned workers;
	size_t count;
	struct listener_change changes[];
};

/* ---- what is to happen ---- */

static bool is_same(const struct sockaddr_storage *a,
		    const struct sockaddr_storage *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void plan_old(struct listener_change *c, struct listener_shared *s,
		     const struct gateway_listener_conf *next, bool draining)
{
	c->shared = s;
	c->next = next;
	c->was = s->addr;
	c->was_port = s->port;
	c->closes = next == NULL;
	/* the service manager has that socket, wherever it is */
	if (next == NULL || draining || s->inherited)
		return;
	c->closes = !is_same(&s->addr, &next->addr);
	c->opens = c->closes || atomic_load(&s->broken);
}

static int plan_new(struct listener_change *c,
		    const struct gateway_listener_conf *next)
{
	int err = listener_shared_create(&c->shared, next);

	c->next = next;
	c->owned = c->opens = err == 0;
	return err;
}

static int plan_all(struct listener_plan *p, const struct gateway_conf *next,
		    bool draining)
{
	struct listener_list *list = &p->shared->listeners;
	struct listener_shared *s;
	int err = 0;

	TAILQ_FOREACH(s, list, link)
		if (!s->retired)
			plan_old(&p->changes[p->count++], s,
				 gateway_find_listener(next, s->name),
				 draining);
	for (size_t i = 0; i < next->listener_count && !draining && !err; i++)
		if (listener_shared_find(list, next->listeners[i].name) == NULL)
			err = plan_new(&p->changes[p->count++],
				       &next->listeners[i]);
	return err;
}

/* ---- what that takes ---- */

static int make_part(struct listener_change *c, struct worker *w)
{
	struct listener_part *part = &c->parts[w->index];
	int err = 0;

	if (c->owned)
		err = worker_listener_create(&part->l, w, c->shared, c->next);
	if (!err && c->next != NULL && c->next->tls)
		err = worker_tls_context(&part->tls, w, c->next->name,
					 &c->next->tls_conf);
	return err;
}

static int make_parts(struct listener_plan *p, struct listener_change *c)
{
	int err = 0;

	c->parts = calloc(p->workers, sizeof(c->parts[0]));
	if (c->parts == NULL)
		return UV_ENOMEM;
	for (unsigned i = 0; i < p->workers; i++)
		c->parts[i].fd = -1;
	for (unsigned i = 0; i < p->workers && !err; i++)
		err = make_part(c, p->shared->workers[i]);
	return err;
}

/* Who on w listens there now, and leaves: with one worker nobody else could
 * bind there, and what waits there should not be lost. NULL: nobody. */
static const struct listener *find_leaving(const struct listener_plan *p,
					   const struct worker *w,
					   const struct sockaddr_storage *addr)
{
	/* of IPv6 it lies there as well */
	if (((const struct sockaddr_in *)addr)->sin_port == 0)
		return NULL;
	for (size_t i = 0; i < p->count; i++) {
		const struct listener_change *c = &p->changes[i];
		const struct worker_listener *l;

		if (c->owned || c->shared->inherited ||
		    !(c->closes || c->opens) || !is_same(&c->was, addr))
			continue;
		l = worker_listener_find(w, c->shared);
		return l != NULL ? l->listener : NULL;
	}
	return NULL;
}

static void tell_why(struct buf *why, const struct gateway_listener_conf *conf,
		     int err)
{
	char space[64];

	buf_add_str(why, STR("[listener \""));
	buf_add_str(why, str_of(conf->name));
	buf_add_str(why, STR("\"] cannot listen at "));
	buf_add_str(why, addr_text((const struct sockaddr *)&conf->addr, space,
				   sizeof(space)));
	buf_add_str(why, STR(": "));
	buf_add_str(why, str_of(err_text(err)));
}

static int open_sockets(struct listener_plan *p, struct listener_change *c,
			struct buf *why)
{
	const struct sockaddr *addr;
	int err = 0;

	if (!c->opens)
		return 0;
	addr = (const struct sockaddr *)&c->next->addr;
	for (unsigned i = 0; i < p->workers && !err; i++) {
		const struct listener *old = find_leaving(
			p, p->shared->workers[i], &c->next->addr);

		err = old != NULL ?
			      listener_share(&c->parts[i].fd, old) :
			      listener_bind(&c->parts[i].fd, addr,
					    p->workers > 1);
	}
	if (err)
		tell_why(why, c->next, err);
	return err;
}

int listener_plan_create(struct listener_plan **out,
			 struct worker_shared *shared,
			 const struct gateway_conf *next, bool draining,
			 struct buf *why)
{
	const struct listener_shared *s;
	size_t count = next->listener_count;
	struct listener_plan *p;
	int err;

	TAILQ_FOREACH(s, &shared->listeners, link)
		count++;
	p = calloc(1, sizeof(*p) + count * sizeof(p->changes[0]));
	if (p == NULL)
		return UV_ENOMEM;
	p->shared = shared;
	p->workers = shared->conf->workers;
	err = plan_all(p, next, draining);
	for (size_t i = 0; i < p->count && !err; i++)
		err = make_parts(p, &p->changes[i]);
	for (size_t i = 0; i < p->count && !err; i++)
		err = open_sockets(p, &p->changes[i], why);
	if (err)
		listener_plan_destroy(p);
	else
		*out = p;
	return err;
}

static void part_deinit(struct listener_part *part)
{
	if (part->fd >= 0)
		close(part->fd);
	tls_context_destroy(part->tls);
	worker_listener_destroy(part->l);
}

void listener_plan_destroy(struct listener_plan *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++) {
		struct listener_change *c = &p->changes[i];

		for (unsigned j = 0; c->parts != NULL && j < p->workers; j++)
			part_deinit(&c->parts[j]);
		free(c->parts);
		if (c->owned)
			listener_shared_destroy(c->shared);
	}
	free(p);
}

/* ---- how it happens ---- */

static int listen_all(struct listener_plan *p, struct listener_change *c,
		      struct buf *why)
{
	int err = 0;

	for (unsigned i = 0; c->opens && i < p->workers && !err; i++)
		err = listener_listen(c->parts[i].fd);
	if (err)
		tell_why(why, c->next, err);
	return err;
}

static void commit(struct listener_plan *p, struct listener_change *c)
{
	struct listener_shared *s = c->shared;

	if (c->owned)
		TAILQ_INSERT_TAIL(&p->shared->listeners, s, link);
	c->owned = false;
	s->retired = c->next == NULL;
	if (s->retired)
		return;
	s->tls = c->next->tls;
	if (!c->opens)
		return;
	s->addr = c->next->addr;
	s->port = listener_port_of(c->parts[0].fd);
	atomic_store(&s->broken, false);
}

int listener_plan_commit(struct listener_plan *p, struct buf *why)
{
	int err = 0;

	for (size_t i = 0; i < p->count && !err; i++)
		err = listen_all(p, &p->changes[i], why);
	for (size_t i = 0; i < p->count && !err; i++)
		commit(p, &p->changes[i]);
	return err;
}

static void apply(struct listener_change *c, struct worker *w)
{
	struct listener_part *part = &c->parts[w->index];
	struct worker_listener *l = part->l;

	if (l != NULL)
		LIST_INSERT_HEAD(&w->listeners, l, link);
	else
		l = worker_listener_find(w, c->shared);
	part->l = NULL;
	if (c->next == NULL) {
		worker_listener_retire(l);
		return;
	}
	worker_listener_renew(l, c->next, part->tls, part->fd);
	part->tls = NULL;
	part->fd = -1;
}

void listener_plan_apply(struct listener_plan *p, struct worker *w)
{
	for (size_t i = 0; i < p->count; i++)
		apply(&p->changes[i], w);
}

static void log_one(const char *event, const char *name,
		    const struct sockaddr_storage *addr, unsigned port)
{
	char space[64];

	log_event(LOG_LEVEL_INFO, event, LOG_TEXT("listener", name),
		  LOG_STR("address", addr_text((const struct sockaddr *)addr,
					       space, sizeof(space))),
		  LOG_UINT("port", port));
}

void listener_plan_finish(struct listener_plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct listener_change *c = &p->changes[i];
		const struct listener_shared *s = c->shared;

		if (c->closes)
			log_one("listener_closed", s->name, &c->was,
				c->was_port);
		if (c->opens && !atomic_load(&s->broken))
			log_one("listener_opened", s->name, &s->addr, s->port);
	}
	listener_shared_sweep(&p->shared->listeners);
}
