#include "tree.h"

#include <stdlib.h>
#include <time.h>
#include <uv.h>

void attr_set_text(json_t *attrs, const char *name, const char *text)
{
	json_object_set_new(attrs, name, json_string(text));
}

void attr_set_now(json_t *attrs, const char *name)
{
	char text[32];
	struct tm utc;
	time_t now = time(NULL);

	gmtime_r(&now, &utc);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &utc);
	attr_set_text(attrs, name, text);
}

void tree_remove(struct tree *t, struct resource *r)
{
	struct resource *child;

	while ((child = TAILQ_FIRST(&r->children)) != NULL)
		tree_remove(t, child);
	if (r->parent != NULL)
		TAILQ_REMOVE(&r->parent->children, r, link);
	json_decref(r->attrs);
	free(r->tag);
	free(r->ri);
	free(r->rn);
	free(r);
	t->count--;
}

struct resource *tree_add(struct tree *t, struct resource *parent, int64_t ty,
			  const char *tag, struct str ri, struct str rn,
			  json_t *attrs)
{
	struct resource *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		json_decref(attrs);
		return NULL;
	}
	t->count++;
	TAILQ_INIT(&r->children);
	r->ty = ty;
	r->tag = strdup(tag);
	r->ri = strndup(ri.p, ri.len);
	r->rn = strndup(rn.p, rn.len);
	r->attrs = attrs;
	if (attrs == NULL || r->tag == NULL || r->ri == NULL || r->rn == NULL) {
		tree_remove(t, r);
		return NULL;
	}
	r->parent = parent;
	if (parent != NULL)
		TAILQ_INSERT_TAIL(&parent->children, r, link);
	attr_set_text(attrs, "rn", r->rn);
	attr_set_text(attrs, "ri", r->ri);
	attr_set_text(attrs, "pi", parent != NULL ? parent->ri : "");
	json_object_set_new(attrs, "ty", json_integer(ty));
	attr_set_now(attrs, "ct");
	attr_set_now(attrs, "lt");
	return r;
}

static struct resource *find_id(struct resource *r, struct str ri)
{
	struct resource *child, *found = NULL;

	if (str_eq(str_of(r->ri), ri))
		return r;
	TAILQ_FOREACH(child, &r->children, link) {
		found = find_id(child, ri);
		if (found != NULL)
			break;
	}
	return found;
}

static struct resource *oldest_instance(const struct resource *cnt)
{
	struct resource *r;

	TAILQ_FOREACH(r, &cnt->children, link)
		if (r->ty == TYPE_CIN)
			break;
	return r;
}

static struct resource *latest_instance(const struct resource *cnt)
{
	struct resource *r;

	TAILQ_FOREACH_REVERSE(r, &cnt->children, resources, link)
		if (r->ty == TYPE_CIN)
			break;
	return r;
}

struct resource *resource_child(const struct resource *r, struct str rn)
{
	struct resource *child;

	if (r->ty == TYPE_CNT && str_eq(rn, STR("la")))
		return latest_instance(r);
	if (r->ty == TYPE_CNT && str_eq(rn, STR("ol")))
		return oldest_instance(r);
	TAILQ_FOREACH(child, &r->children, link)
		if (str_eq(str_of(child->rn), rn))
			break;
	return child;
}

/* Absolute and SP-relative addresses of this CSE become CSE-relative; false:
 * the address is in another CSE. */
static bool make_local(const struct tree *t, struct str *to)
{
	struct str rest;

	if (str_starts(*to, STR("//"))) {
		str_cut(str_skip(*to, 2), '/', &rest, &rest);
		if (rest.len == 0)
			return false;
		*to = str_range(rest.p - 1, rest.p + rest.len);
	}
	if (!str_starts(*to, STR("/")))
		return true;
	if (!str_starts(*to, str_of(t->cse_id)))
		return false;
	*to = str_skip(*to, strlen(t->cse_id));
	if (to->len > 0 && *to->p != '/')
		return false;
	*to = str_skip(*to, 1);
	return true;
}

struct resource *tree_find(const struct tree *t, struct str to)
{
	struct resource *r = t->base;
	struct str step;

	if (!make_local(t, &to))
		return NULL;
	str_cut(to, '/', &step, &to);
	if (step.len > 0 && !str_eq(step, STR("-")) &&
	    !str_eq(step, str_of(t->cse_name)))
		r = find_id(t->base, step);
	while (r != NULL && to.len > 0) {
		str_cut(to, '/', &step, &to);
		r = resource_child(r, step);
	}
	return r;
}

void resource_add_path(struct buf *out, const struct resource *r)
{
	if (r->parent != NULL) {
		resource_add_path(out, r->parent);
		buf_add_char(out, '/');
	}
	buf_add_str(out, str_of(r->rn));
}

struct resource *tree_find_id(const struct tree *t, struct str ri)
{
	return find_id(t->base, ri);
}

void tree_trim(struct tree *t, struct resource *cnt, int64_t most)
{
	struct resource *r;
	int64_t n = 0;

	TAILQ_FOREACH(r, &cnt->children, link)
		n += r->ty == TYPE_CIN;
	/* the newest stays, or CREATE would have nothing to show */
	for (; n > most && n > 1; n--)
		tree_remove(t, oldest_instance(cnt));
	json_object_set_new(cnt->attrs, "cni", json_integer(n));
}

int tree_init(struct tree *t, const char *cse_id, const char *cse_name)
{
	json_t *attrs = json_pack("{s:s, s:i, s:[s,s,s], s:b}", "csi", cse_id,
				  "cst", 1, "srv", "2a", "3", "4", "rr", 1);

	*t = (struct tree){ .cse_id = cse_id, .cse_name = cse_name };
	t->base = tree_add(t, NULL, TYPE_CB, "m2m:cb",
			   str_skip(str_of(cse_id), 1), str_of(cse_name),
			   attrs);
	return t->base != NULL ? 0 : UV_ENOMEM;
}

void tree_deinit(struct tree *t)
{
	if (t->base != NULL)
		tree_remove(t, t->base);
	t->base = NULL;
}
