#include <stdlib.h>
#include <uv.h>

#include "store/store_result.h"

enum { TY_FCNT = 28 };

static json_t *text(struct str s)
{
	return json_stringn(s.p, s.len);
}

/* ---- references ---- */

struct list {
	json_t *array;
	bool structured;
};

static json_t *id_of(const struct list *l, const struct walk_item *item)
{
	return text(l->structured ? item->path : str_of(item->r->ri));
}

static int on_id(void *arg, const struct walk_item *item)
{
	struct list *l = arg;

	return json_array_append_new(l->array, id_of(l, item)) ? UV_ENOMEM : 0;
}

static int on_reference(void *arg, const struct walk_item *item)
{
	struct list *l = arg;
	json_t *ref = json_pack("{s:s, s:i, s:o}", "nm", item->r->rn, "typ",
				item->r->ty, "val", id_of(l, item));
	json_t *cnd = json_object_get(item->r->attrs, "cnd");

	if (ref != NULL && item->r->ty == TY_FCNT && cnd != NULL &&
	    json_object_set(ref, "spty", cnd) != 0) {
		json_decref(ref);
		return UV_ENOMEM;
	}
	return json_array_append_new(l->array, ref) ? UV_ENOMEM : 0;
}

static int make_list(json_t **out, struct walk *w, bool structured,
		     int (*on_item)(void *arg, const struct walk_item *item))
{
	struct list l = { json_array(), structured };
	int rc;

	if (l.array == NULL)
		return UV_ENOMEM;
	w->on_item = on_item;
	w->arg = &l;
	rc = walk_run(w);
	if (rc != 0) {
		json_decref(l.array);
		return rc;
	}
	*out = l.array;
	return 0;
}

int result_ids(json_t **out, struct walk *w, bool structured)
{
	return make_list(out, w, structured, on_id);
}

int result_references(json_t **out, struct walk *w, bool structured)
{
	return make_list(out, w, structured, on_reference);
}

/* ---- nested children ---- */

/* The resources on the way to the last one, by level; 0 is the root. */
struct place {
	json_t *object; /* a reference held */
	char *member;	/* owned */
	bool attached;
};

struct nest {
	struct store_conn *c;
	struct place *places;
	size_t count, room;
};

static void place_deinit(struct place *p)
{
	json_decref(p->object);
	free(p->member);
	memset(p, 0, sizeof(*p));
}

static int nest_make_room(struct nest *n, size_t level)
{
	size_t room = n->room == 0 ? 8 : n->room * 2;
	struct place *p;

	if (level < n->room)
		return 0;
	p = realloc(n->places, room * sizeof(*p));
	if (p == NULL)
		return UV_ENOMEM;
	memset(p + n->room, 0, (room - n->room) * sizeof(*p));
	n->places = p;
	n->room = room;
	return 0;
}

/* Takes object. */
static int nest_place(struct nest *n, size_t level, json_t *object,
		      const char *member)
{
	int rc = nest_make_room(n, level);

	if (rc == 0) {
		place_deinit(&n->places[level]);
		n->places[level].member = strdup(member);
		if (n->places[level].member == NULL)
			rc = UV_ENOMEM;
	}
	if (rc != 0) {
		json_decref(object);
		return rc;
	}
	n->places[level].object = object;
	if (n->count <= level)
		n->count = level + 1;
	return 0;
}

static int attach(struct nest *n, size_t level)
{
	struct place *p = &n->places[level];
	json_t *parent = n->places[level - 1].object;
	json_t *siblings = json_object_get(parent, p->member);

	if (siblings == NULL) {
		siblings = json_array();
		if (json_object_set_new(parent, p->member, siblings) != 0)
			return UV_ENOMEM;
	}
	p->attached = true;
	return json_array_append(siblings, p->object) ? UV_ENOMEM : 0;
}

static int attributes_of(json_t **out, struct store_conn *c,
			 const struct resource *r)
{
	json_t *whole;
	int rc = rules_represent(&whole, c, r);

	if (rc != 0)
		return rc;
	*out = json_incref(json_object_get(whole, rules_member(r)));
	json_decref(whole);
	return 0;
}

static int on_nested(void *arg, const struct walk_item *item)
{
	struct nest *n = arg;
	json_t *object = NULL;
	int rc = 0;

	if (item->skipped)
		object = json_pack("{s:s, s:s}", "rn", item->r->rn, "ri",
				   item->r->ri);
	else
		rc = attributes_of(&object, n->c, item->r);
	if (rc != 0 || object == NULL)
		return rc != 0 ? rc : UV_ENOMEM;
	rc = nest_place(n, item->level, object, rules_member(item->r));
	for (size_t i = 1; rc == 0 && !item->skipped && i <= item->level; i++) {
		if (!n->places[i].attached)
			rc = attach(n, i);
	}
	return rc;
}

int result_nested(json_t *into, struct walk *w)
{
	struct nest n = { .c = w->c };
	int rc = nest_place(&n, 0, json_incref(into), "");

	w->on_item = on_nested;
	w->arg = &n;
	w->tree = true;
	if (rc == 0)
		rc = walk_run(w);
	for (size_t i = 0; i < n.count; i++)
		place_deinit(&n.places[i]);
	free(n.places);
	return rc;
}
