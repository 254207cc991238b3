#include <stdlib.h>
#include <uv.h>

#include "store/store_result.h"

enum { TY_FCNT = 28 };

static json_t *text(struct str s)
{
	return json_stringn(s.p, s.len);
}

/* ---- applyRelativePath (TS-0001 Table 8.1.2-1) ---- */

/* `..` is the parent. */
static void add_step(struct buf *path, struct str step)
{
	if (str_eq(step, STR("..")))
		while (path->len > 0 && path->p[--path->len] != '/')
			;
	else if (step.len > 0 && !str_eq(step, STR("."))) {
		buf_add_char(path, '/');
		buf_add_str(path, step);
	}
}

static void add_steps(struct buf *path, struct str from, struct str steps)
{
	struct str step;

	buf_add_str(path, from);
	while (str_cut(steps, '/', &step, &steps))
		add_step(path, step);
	add_step(path, step);
}

/* The instance behind la and ol; other virtual resources have no id. */
static int take_resource(struct resource *out, struct store_conn *c,
			 struct store_target *t)
{
	if (t->virt == VIRT_LATEST || t->virt == VIRT_OLDEST)
		return tree_edge(out, c, t->r.id, t->virt == VIRT_LATEST);
	if (t->virt != VIRT_NONE)
		return RSC_NOT_FOUND;
	*out = t->r;
	t->r = (struct resource){ 0 };
	return 0;
}

static bool is_hidden(const struct store_target *t)
{
	return t->virt != VIRT_NONE &&
	       json_is_true(json_object_get(t->r.attrs, "disr"));
}

/* 0, or an rsc: what leads nowhere, or to what may not be seen, is left
 * out. */
static int follow(struct resource *out, const struct walk *w, struct str from)
{
	struct store_target t = { 0 };
	struct buf path = { 0 };
	int rc = UV_ENOMEM;

	add_steps(&path, from, w->filter->arp);
	if (!path.failed)
		rc = store_resolve(&t, w->c, buf_str(&path));
	buf_deinit(&path);
	if (rc == 0 && is_hidden(&t))
		rc = RSC_NOT_FOUND;
	if (rc == 0)
		rc = take_resource(out, w->c, &t);
	store_target_deinit(&t);
	if (rc == 0 && out->et != 0 && out->et <= w->now_ms)
		rc = RSC_NOT_FOUND;
	return rc != 0 ? rc :
			 access_check(w->c, out, w->originator, w->op, 0);
}

/* ---- references ---- */

struct list {
	json_t *array;
	json_t *seen;		/* set of ids; with arp, where many results
				 * lead to one */
	const struct walk *w;
	bool structured;
	int (*add)(struct list *l, const struct resource *r, struct str path);
};

static json_t *id_of(const struct list *l, const struct resource *r,
		     struct str path)
{
	return text(l->structured ? path : str_of(r->ri));
}

static int add_id(struct list *l, const struct resource *r, struct str path)
{
	return json_array_append_new(l->array, id_of(l, r, path)) ?
		       UV_ENOMEM : 0;
}

static int add_reference(struct list *l, const struct resource *r,
			 struct str path)
{
	json_t *ref = json_pack("{s:s, s:i, s:o}", "nm", r->rn, "typ", r->ty,
				"val", id_of(l, r, path));
	json_t *cnd = json_object_get(r->attrs, "cnd");

	if (ref != NULL && r->ty == TY_FCNT && cnd != NULL &&
	    json_object_set(ref, "spty", cnd) != 0) {
		json_decref(ref);
		return UV_ENOMEM;
	}
	return json_array_append_new(l->array, ref) ? UV_ENOMEM : 0;
}

static int add_once(struct list *l, const struct resource *r)
{
	char *path;
	int rc;

	if (json_object_get(l->seen, r->ri) != NULL)
		return 0;
	if (json_object_set_new(l->seen, r->ri, json_true()) != 0)
		return UV_ENOMEM;
	rc = tree_path(&path, l->w->c, r);
	if (rc != 0)
		return rc;
	rc = l->add(l, r, str_of(path));
	free(path);
	return rc;
}

static int on_listed(void *arg, const struct walk_item *item)
{
	struct list *l = arg;
	struct resource r = { 0 };
	int rc;

	if (l->w->filter->arp.len == 0)
		return l->add(l, item->r, item->path);
	rc = follow(&r, l->w, item->path);
	if (rc == 0)
		rc = add_once(l, &r);
	resource_deinit(&r);
	return rc < 0 ? rc : 0;
}

static int make_list(json_t **out, struct walk *w, bool structured,
		     int (*add)(struct list *l, const struct resource *r,
				struct str path))
{
	struct list l = { json_array(), json_object(), w, structured, add };
	int rc = UV_ENOMEM;

	if (l.array != NULL && l.seen != NULL) {
		w->on_item = on_listed;
		w->arg = &l;
		rc = walk_run(w);
	}
	json_decref(l.seen);
	if (rc != 0) {
		json_decref(l.array);
		return rc;
	}
	*out = l.array;
	return 0;
}

int result_ids(json_t **out, struct walk *w, bool structured)
{
	return make_list(out, w, structured, add_id);
}

int result_references(json_t **out, struct walk *w, bool structured)
{
	return make_list(out, w, structured, add_reference);
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
