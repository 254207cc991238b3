#include "owner.h"

#include <stdlib.h>

#include "base/log.h"
#include "m2m/entity_id.h"
#include "post.h"
#include "redelivery.h"
#include "worker.h"

struct ownership {
	LIST_ENTRY(ownership) link;
	struct entity *e;		/* a reference */
	struct redelivery *redelivery;
};

static struct directory *directory_of(const struct owner *o)
{
	return o->w->shared->directory;
}

static struct ownership *find(const struct owner *o, const struct entity *e)
{
	struct ownership *it;

	LIST_FOREACH(it, &o->list, link)
		if (it->e == e)
			return it;
	return NULL;
}

static void forget_known(struct owner *o)
{
	free(o->known);
	o->known = NULL;
	o->known_len = 0;
}

static void forget(struct owner *o, struct ownership *it)
{
	LIST_REMOVE(it, link);
	o->count--;
	redelivery_stop(&it->redelivery);
	entity_unref(it->e);
	free(it);
	forget_known(o);
}

void owner_init(struct owner *o, struct worker *w, uint64_t sid,
		struct channel *channel)
{
	*o = (struct owner){
		.w = w,
		.at = { w->index, sid },
		.channel = channel,
	};
	LIST_INIT(&o->list);
}

void owner_deinit(struct owner *o)
{
	struct ownership *it;

	while ((it = LIST_FIRST(&o->list)) != NULL)
		owner_drop(o, it->e);
	free(o->known);
}

struct entity *owner_cse(const struct owner *o)
{
	struct ownership *it = LIST_FIRST(&o->list);

	return it != NULL && entity_is_cse(it->e) ? it->e : NULL;
}

void owner_know(struct owner *o, struct str fr)
{
	forget_known(o);
	/* exactly as long as it is: every session has one */
	o->known = malloc(fr.len);
	if (o->known == NULL)
		return;
	memcpy(o->known, fr.p, fr.len);
	o->known_len = fr.len;
}

/* dcse is the directory's: a request from below is one of a descendant. */
static bool is_descendant(const struct owner *o, const struct entity *cse,
			  struct str id)
{
	struct entity *e = directory_find_route(directory_of(o), id);
	bool is = e == cse;

	entity_unref(e);
	return is;
}

bool owner_has(const struct owner *o, struct str id)
{
	struct ownership *it;

	LIST_FOREACH(it, &o->list, link)
		if (str_eq(it->e->id, id))
			return true;
	return false;
}

bool owner_speaks_for(const struct owner *o, struct str id)
{
	struct entity *cse = owner_cse(o);

	if (cse != NULL)
		return entity_id_is_under(cse->id, id) ||
		       is_descendant(o, cse, id);
	return owner_has(o, id);
}

void owner_each(const struct owner *o,
		bool (*on_entity)(void *arg, const struct entity *e),
		void *arg)
{
	struct ownership *it;

	LIST_FOREACH(it, &o->list, link)
		if (!on_entity(arg, it->e))
			return;
}

bool owner_is_full(const struct owner *o)
{
	return o->count >= o->w->conf->max_entities;
}

static bool fits(const struct owner *o, const struct entity *e)
{
	return owner_is_empty(o) ||
	       (!entity_is_cse(e) && owner_cse(o) == NULL);
}

/* Who holds requests for e, and what is stored for it. */
static int wake(struct owner *o, struct ownership *it)
{
	if (atomic_load(&it->e->held) > 0)
		post_notice_all(o->w, NOTICE_ONLINE, it->e);
	return redelivery_start(&it->redelivery, o->w, it->e, o->channel);
}

int owner_claim(struct owner *o, struct entity *e, enum strength strength)
{
	struct ownership *it = find(o, e);
	struct place replaced;
	int err;

	if (it == NULL && !fits(o, e))
		return ERR_PROTO;
	if (it == NULL && owner_is_full(o))
		return ERR_LIMIT;
	if (it == NULL) {
		it = calloc(1, sizeof(*it));
		if (it == NULL)
			return UV_ENOMEM;
		it->e = entity_ref(e);
		LIST_INSERT_HEAD(&o->list, it, link);
		o->count++;
	}
	if (o->credential != NULL)
		strength = STRENGTH_CREDENTIAL;
	err = directory_claim(directory_of(o), e, o->at, strength, &replaced);
	if (err) {
		forget(o, it);
		return err;
	}
	if (replaced.sid != 0)
		post_notice(o->w, replaced.worker, NOTICE_REPLACED,
			    replaced.sid, e);
	return wake(o, it);
}

void owner_drop(struct owner *o, struct entity *e)
{
	struct ownership *it = find(o, e);

	if (it == NULL)
		return;
	directory_leave(directory_of(o), e, o->at);
	forget(o, it);
}

void owner_forget(struct owner *o, struct entity *e)
{
	struct ownership *it = find(o, e);

	if (it != NULL)
		forget(o, it);
}

int owner_redeliver(struct owner *o, struct entity *e)
{
	struct ownership *it = find(o, e);

	return it != NULL ? redelivery_start(&it->redelivery, o->w, e,
					     o->channel) : 0;
}

int owner_redeliver_all(struct owner *o)
{
	struct ownership *it;
	int err = 0;

	LIST_FOREACH(it, &o->list, link)
		if (!err)
			err = redelivery_start(&it->redelivery, o->w, it->e,
					       o->channel);
	return err;
}

struct entity *owner_find_replaced(const struct owner *o)
{
	struct ownership *it;
	struct place at;

	LIST_FOREACH(it, &o->list, link) {
		at = directory_place(directory_of(o), it->e);
		if (at.worker != o->at.worker || at.sid != o->at.sid)
			return it->e;
	}
	return NULL;
}

struct entity *owner_find_target(const struct owner *o, struct str to)
{
	struct ownership *it;

	LIST_FOREACH(it, &o->list, link)
		if (directory_is_target(directory_of(o), it->e, to))
			return it->e;
	return NULL;
}
