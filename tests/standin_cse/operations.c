#include "operations.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_RESOURCES 50000
#define MAX_INSTANCES 1000	/* of one container, the oldest go */

/* What this CSE knows about a type; all others pass as they are. */
static const struct kind {
	int64_t ty;
	const char *tag;
	const char *prefix;	/* of resource ids */
	const char *must[2];	/* attributes that CREATE has to bring */
} kinds[] = {
	{ TYPE_ACP, "m2m:acp", "acp", { "pv", "pvs" } },
	{ TYPE_AE,  "m2m:ae",  "ae",  { "api", "rr" } },
	{ TYPE_CNT, "m2m:cnt", "cnt", { NULL, NULL } },
	{ TYPE_CIN, "m2m:cin", "cin", { "con", NULL } },
	{ 9,        "m2m:grp", "grp", { "mid", "mnm" } },
	{ 23,       "m2m:sub", "sub", { "nu", NULL } },
	{ 0,        NULL,      "res", { NULL, NULL } },
};

/* The CSE's to give, never the originator's. */
static const char *const reserved[] = { "ri", "pi", "ty", "ct", "lt", "aei" };

void answer_refuse(struct answer *a, int rsc, const char *why)
{
	a->rsc = rsc;
	a->content = json_pack("{s:s}", "m2m:dbg", why);
}

/* rcn 0 or 1; this stand-in has no others. */
static void represent(struct answer *a, int rsc, const struct prim *req,
		      int64_t rcn, const struct resource *r)
{
	if (prim_has(req, PARAM_RCN) && !prim_int(&rcn, req, PARAM_RCN))
		rcn = -1;
	if (rcn != 0 && rcn != 1) {
		answer_refuse(a, RSC_NOT_IMPLEMENTED, "rcn 0 and 1 only");
		return;
	}
	a->rsc = rsc;
	if (rcn == 1)
		a->content = json_pack("{s:O}", r->tag, r->attrs);
}

/* The attributes in pc, with their tag; borrowed from root. NULL: refused. */
static json_t *read_content(struct answer *a, json_t **root, const char **tag,
			    const struct prim *req)
{
	json_t *attrs;
	size_t i;

	*root = json_loadb(req->content.p, req->content.len, 0, NULL);
	*tag = json_object_iter_key(json_object_iter(*root));
	attrs = json_object_iter_value(json_object_iter(*root));
	if (json_object_size(*root) != 1 || !json_is_object(attrs)) {
		answer_refuse(a, RSC_BAD_REQUEST, "pc is not one resource");
		return NULL;
	}
	for (i = 0; i < ARRAY_LEN(reserved); i++)
		if (json_object_get(attrs, reserved[i]) != NULL) {
			answer_refuse(a, RSC_BAD_REQUEST, "not yours to give");
			return NULL;
		}
	return attrs;
}

static const struct kind *kind_of(int64_t ty)
{
	const struct kind *k = kinds;

	while (k->ty != 0 && k->ty != ty)
		k++;
	return k;
}

static bool may_hold(const struct resource *parent, int64_t ty)
{
	switch (ty) {
	case TYPE_AE:	return parent->ty == TYPE_CB;
	case TYPE_CIN:	return parent->ty == TYPE_CNT;
	case TYPE_CB:	return false;
	default:	return parent->ty != TYPE_CIN;
	}
}

/* 0, or the rsc to refuse with and *why. */
static int check_new(const char **why, const struct tree *t,
		     const struct resource *parent, const struct kind *kind,
		     int64_t ty, const char *tag, const json_t *attrs)
{
	const char *rn = json_string_value(json_object_get(attrs, "rn"));
	size_t i;

	*why = "a child of this type cannot be here";
	if (!may_hold(parent, ty))
		return 4108;	/* INVALID_CHILD_RESOURCE_TYPE */
	*why = "pc is of another type than ty";
	if (kind->tag != NULL && strcmp(kind->tag, tag) != 0)
		return RSC_BAD_REQUEST;
	*why = "a mandatory attribute is missing";
	for (i = 0; i < ARRAY_LEN(kind->must) && kind->must[i] != NULL; i++)
		if (json_object_get(attrs, kind->must[i]) == NULL)
			return RSC_BAD_REQUEST;
	*why = "rn is not a name";
	if (json_object_get(attrs, "rn") != NULL &&
	    (rn == NULL || *rn == '\0' || strchr(rn, '/') != NULL))
		return RSC_BAD_REQUEST;
	*why = "the name is taken";
	if (rn != NULL && resource_child(parent, str_of(rn)) != NULL)
		return RSC_CONFLICT;
	*why = "this stand-in is full";
	if (t->count >= MAX_RESOURCES)
		return RSC_NOT_ACCEPTABLE;
	return 0;
}

/* An AE's id is its originator's; C or nothing asks for one. */
static struct str choose_id(char *space, size_t len, struct tree *t,
			    const struct kind *kind, struct str fr)
{
	uint64_t n = ++t->last_id;

	if (kind->ty != TYPE_AE)
		snprintf(space, len, "%s%" PRIu64, kind->prefix, n);
	else if (fr.len > 1)
		return fr;
	else
		snprintf(space, len, "%c%06" PRIu64,
			 str_eq(fr, STR("S")) ? 'S' : 'C', n);
	return str_of(space);
}

static void count_instances(struct tree *t, struct resource *cnt)
{
	const json_t *mni = json_object_get(cnt->attrs, "mni");
	int64_t most = MAX_INSTANCES;

	if (json_is_integer(mni) && json_integer_value(mni) < most)
		most = json_integer_value(mni);
	tree_trim(t, cnt, most);
}

static void create(struct answer *a, struct tree *t, struct resource *parent,
		   const struct prim *req)
{
	json_t *root, *attrs, *rn;
	struct resource *r = NULL;
	const struct kind *kind;
	const char *tag, *why;
	char space[32];
	struct str ri;
	int64_t ty = 0;

	attrs = read_content(a, &root, &tag, req);
	if (attrs == NULL)
		goto drop_root;
	if (!prim_int(&ty, req, PARAM_TY))
		ty = 0;
	kind = kind_of(ty);
	a->rsc = check_new(&why, t, parent, kind, ty, tag, attrs);
	if (a->rsc != 0) {
		answer_refuse(a, a->rsc, why);
		goto drop_root;
	}
	ri = choose_id(space, sizeof(space), t, kind,
		       prim_text(req, PARAM_FR));
	if (ty == TYPE_AE && tree_find_id(t, ri) != NULL) {
		answer_refuse(a, 4117, "the originator has registered already");
		goto drop_root;
	}
	rn = json_object_get(attrs, "rn");
	r = tree_add(t, parent, ty, tag, ri,
		     rn != NULL ? str_of(json_string_value(rn)) : ri,
		     json_incref(attrs));
	if (r == NULL) {
		answer_refuse(a, RSC_INTERNAL_SERVER_ERROR, "no memory");
		goto drop_root;
	}
	if (ty == TYPE_AE)
		attr_set_text(r->attrs, "aei", r->ri);
	if (ty == TYPE_CIN)
		count_instances(t, parent);
	represent(a, RSC_CREATED, req, 1, r);

drop_root:
	json_decref(root);
}

static int64_t number_of(const json_t *v)
{
	return json_is_string(v) ? strtoll(json_string_value(v), NULL, 10) :
				   json_integer_value(v);
}

/* One of wanted, a list or a single value, is in r; no wish is fulfilled. */
static bool has_type(const struct resource *r, const json_t *wanted)
{
	size_t i;

	for (i = 0; i < json_array_size(wanted); i++)
		if (number_of(json_array_get(wanted, i)) == r->ty)
			return true;
	return !json_is_array(wanted) &&
	       (wanted == NULL || number_of(wanted) == r->ty);
}

static bool has_label(const struct resource *r, const json_t *wanted)
{
	const json_t *labels = json_object_get(r->attrs, "lbl");
	const json_t *one = wanted;
	size_t i, k, n = json_is_array(wanted) ? json_array_size(wanted) : 1;

	for (i = 0; i < n; i++) {
		if (json_is_array(wanted))
			one = json_array_get(wanted, i);
		for (k = 0; k < json_array_size(labels); k++)
			if (json_equal(one, json_array_get(labels, k)))
				return true;
	}
	return wanted == NULL;
}

static void collect(json_t *list, size_t most, const struct resource *below,
		    const json_t *fc)
{
	const struct resource *r;
	struct buf path = { 0 };

	TAILQ_FOREACH(r, &below->children, link) {
		if (json_array_size(list) >= most)
			break;
		if (has_type(r, json_object_get(fc, "ty")) &&
		    has_label(r, json_object_get(fc, "lbl"))) {
			buf_clear(&path);
			resource_add_path(&path, r);
			json_array_append_new(list,
					      json_stringn(path.p, path.len));
		}
		collect(list, most, r, fc);
	}
	buf_deinit(&path);
}

static void retrieve(struct answer *a, struct tree *t, struct resource *r,
		     const struct prim *req)
{
	struct str text = prim_text(req, PARAM_FC);
	json_t *fc = json_loadb(text.p, text.len, 0, NULL);
	json_t *list, *lim = json_object_get(fc, "lim");

	(void)t;
	if (number_of(json_object_get(fc, "fu")) != 1) {
		represent(a, RSC_OK, req, 1, r);
	} else {
		list = json_array();
		collect(list, lim != NULL ? (size_t)number_of(lim) : SIZE_MAX,
			r, fc);
		a->rsc = RSC_OK;
		a->content = json_pack("{s:o}", "m2m:uril", list);
	}
	json_decref(fc);
}

static void update(struct answer *a, struct tree *t, struct resource *r,
		   const struct prim *req)
{
	json_t *root, *attrs, *value;
	const char *tag, *name;

	(void)t;
	attrs = read_content(a, &root, &tag, req);
	if (attrs == NULL)
		goto drop_root;
	if (r->ty == TYPE_CIN || r->parent == NULL) {
		answer_refuse(a, RSC_OPERATION_NOT_ALLOWED, "it never changes");
		goto drop_root;
	}
	if (strcmp(tag, r->tag) != 0 || json_object_get(attrs, "rn") != NULL) {
		answer_refuse(a, RSC_BAD_REQUEST, "type and name stay");
		goto drop_root;
	}
	json_object_foreach(attrs, name, value) {
		if (json_is_null(value))
			json_object_del(r->attrs, name);
		else
			json_object_set(r->attrs, name, value);
	}
	attr_set_now(r->attrs, "lt");
	represent(a, RSC_UPDATED, req, 1, r);

drop_root:
	json_decref(root);
}

static void delete(struct answer *a, struct tree *t, struct resource *r,
		   const struct prim *req)
{
	struct resource *parent = r->parent;
	bool instance = r->ty == TYPE_CIN;

	if (parent == NULL) {
		answer_refuse(a, RSC_OPERATION_NOT_ALLOWED, "it always stays");
		return;
	}
	represent(a, RSC_DELETED, req, 0, r);
	if (a->rsc != RSC_DELETED)
		return;
	tree_remove(t, r);
	if (instance)
		count_instances(t, parent);
}

static void notify(struct answer *a, struct tree *t, struct resource *r,
		   const struct prim *req)
{
	(void)t;
	(void)r;
	(void)req;
	answer_refuse(a, RSC_OPERATION_NOT_ALLOWED, "not for NOTIFY");
}

static void (*const operations[])(struct answer *a, struct tree *t,
				  struct resource *r,
				  const struct prim *req) = {
	[OP_CREATE] = create,	[OP_RETRIEVE] = retrieve,
	[OP_UPDATE] = update,	[OP_DELETE] = delete,
	[OP_NOTIFY] = notify,
};

void operation_perform(struct answer *a, struct tree *t, const struct prim *req)
{
	struct resource *r = tree_find(t, prim_text(req, PARAM_TO));

	if (!prim_has(req, PARAM_RQI))
		answer_refuse(a, RSC_BAD_REQUEST, "no X-M2M-RI");
	else if (r == NULL)
		answer_refuse(a, RSC_NOT_FOUND, "no such resource");
	else
		operations[req->op](a, t, r, req);
}
