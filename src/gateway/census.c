#include "census.h"

#include <stdlib.h>

#include "m2m/entity_id.h"
#include "owner.h"
#include "session.h"
#include "worker.h"

/* ---- who there is ---- */

struct census {
	struct visit visit;
	bool (*on_session)(void *owner, const struct session_view *v);
	void (*on_done)(void *owner);
	void *owner;
	bool over;			/* on_session() has had enough */
	uint64_t sid;
	struct buf originator;		/* owned; canonical */
	struct buf peer;		/* owned */
};

/* ADDRESS is that of any port. */
static bool is_peer(struct str peer, struct str want)
{
	struct str rest;

	if (want.len == 0)
		return true;
	if (!str_starts(peer, want))
		return false;
	rest = str_skip(peer, want.len);
	return rest.len == 0 || rest.p[0] == ':';
}

static bool is_wanted(const struct census *c, const struct session_view *v)
{
	struct str originator = buf_str(&c->originator);

	return is_peer(v->peer, buf_str(&c->peer)) &&
	       (originator.len == 0 || owner_speaks_for(v->owner, originator));
}

/* False: it has had enough. */
static bool look(struct census *c, const struct session *s)
{
	char space[SESSION_PEER_MAX];
	struct session_view v;

	session_view(&v, s, space);
	return !is_wanted(c, &v) || c->on_session(c->owner, &v);
}

static void on_worker(struct visit *visit, struct worker *w)
{
	struct census *c = container_of(visit, struct census, visit);
	const struct session *s;

	if (c->sid != 0) {
		s = session_find(w, c->sid);
		if (s != NULL)
			(void)look(c, s);
		return;
	}
	for (s = session_first(w); s != NULL && !c->over; s = session_next(s))
		c->over = !look(c, s);
}

static void census_destroy(struct census *c)
{
	buf_deinit(&c->originator);
	buf_deinit(&c->peer);
	free(c);
}

static void on_done(struct visit *visit)
{
	struct census *c = container_of(visit, struct census, visit);
	void (*tell)(void *owner) = c->on_done;
	void *owner = c->owner;

	census_destroy(c);
	tell(owner);
}

int census_canonical(struct buf *out, const struct worker_shared *shared,
		     struct str id)
{
	if (!entity_id_canonicalise(out, &shared->conf->home, id))
		return out->failed ? UV_ENOMEM : UV_EINVAL;
	return out->failed ? UV_ENOMEM : 0;
}

static int take_filter(struct census *c, const struct worker_shared *shared,
		       const struct census_filter *filter)
{
	c->sid = filter->sid;
	buf_add_str(&c->peer, filter->peer);
	if (c->peer.failed)
		return UV_ENOMEM;
	if (filter->originator.len == 0)
		return 0;
	return census_canonical(&c->originator, shared, filter->originator);
}

int census_start(struct worker_shared *shared,
		 const struct census_filter *filter,
		 bool (*on_session)(void *owner, const struct session_view *v),
		 void (*tell)(void *owner), void *owner)
{
	struct census *c = calloc(1, sizeof(*c));
	int err;

	if (c == NULL)
		return UV_ENOMEM;
	c->visit.on_worker = on_worker;
	c->visit.on_done = on_done;
	c->on_session = on_session;
	c->on_done = tell;
	c->owner = owner;
	err = take_filter(c, shared, filter);
	if (err)
		census_destroy(c);
	else
		post_visit(shared, &c->visit);
	return err;
}

struct listing {
	unsigned left;
	void (*on_id)(void *arg, struct str id);
	void *arg;
};

static bool on_entity(void *arg, const struct entity *e)
{
	struct listing *l = arg;

	if (l->left == 0)
		return false;
	l->left--;
	l->on_id(l->arg, e->id);
	return true;
}

void session_view_entities(const struct session_view *v, unsigned max,
			   void (*on_id)(void *arg, struct str id), void *arg)
{
	struct listing l = { max, on_id, arg };

	owner_each(v->owner, on_entity, &l);
}

/* ---- kick ---- */

struct kick {
	struct visit visit;
	void (*on_done)(void *owner, bool found);
	void *owner;
	uint64_t sid;
	bool found;
};

static void kick_on_worker(struct visit *visit, struct worker *w)
{
	struct kick *k = container_of(visit, struct kick, visit);
	struct session *s = session_find(w, k->sid);

	if (s == NULL)
		return;
	k->found = true;
	session_kick(s);
}

static void kick_on_done(struct visit *visit)
{
	struct kick *k = container_of(visit, struct kick, visit);
	void (*tell)(void *owner, bool found) = k->on_done;
	void *owner = k->owner;
	bool found = k->found;

	free(k);
	tell(owner, found);
}

int census_kick(struct worker_shared *shared, uint64_t sid,
		void (*tell)(void *owner, bool found), void *owner)
{
	struct kick *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return UV_ENOMEM;
	k->visit.on_worker = kick_on_worker;
	k->visit.on_done = kick_on_done;
	k->on_done = tell;
	k->owner = owner;
	k->sid = sid;
	post_visit(shared, &k->visit);
	return 0;
}

/* ---- the inbox ---- */

static int notify_session(struct worker_shared *shared, struct entity *e)
{
	struct place at = directory_place(shared->directory, e);

	if (at.sid == 0)
		return UV_ENOTCONN;
	/* by way of whichever worker: it is only where the notice is made */
	post_notice(shared->workers[at.worker], at.worker, NOTICE_INBOX,
		    at.sid, e);
	return 0;
}

int census_redeliver(struct worker_shared *shared, struct str id)
{
	struct buf canonical = { 0 };
	struct entity *e = NULL;
	int err = census_canonical(&canonical, shared, id);

	if (!err)
		e = directory_find(shared->directory, buf_str(&canonical));
	if (!err)
		err = e != NULL ? notify_session(shared, e) : UV_ENOENT;
	entity_unref(e);
	buf_deinit(&canonical);
	return err;
}
