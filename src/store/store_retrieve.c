#include <uv.h>

#include "store/resource.h"
#include "store/store_json.h"
#include "store/store_result.h"

/*
 * RETRIEVE of TS-0001 10.1.3 and 10.2.6. With fu 1 the target is where the
 * discovery starts; with rcn 4, 5, 6, 8 the filter chooses among the
 * children; else it is a condition on the target itself.
 */

enum { TY_CNT = 3, TY_CIN = 4, TY_ANNOUNCED = 10000 };

enum rcn {
	RCN_ATTRIBUTES = 1,
	RCN_CHILDREN = 4,
	RCN_REFERENCES = 5,
	RCN_REFERENCES_ONLY = 6,
	RCN_ORIGINAL = 7,
	RCN_CHILDREN_ONLY = 8,
	RCN_SEMANTIC = 10,
	RCN_DISCOVERY = 11,
	RCN_PERMISSIONS = 12,
};

struct retrieval {
	struct store_conn *c;
	const struct resource *r;
	const struct resource *container; /* of la and ol; else NULL */
	const struct prim *request;
	struct filter filter; /* owned */
	int64_t rcn;
	bool structured;
	uint64_t now_ms;
};

/* ---- what is asked ---- */

static bool is_valid_rcn(int64_t rcn, bool discovery)
{
	if (discovery)
		return rcn == RCN_REFERENCES_ONLY || rcn == RCN_DISCOVERY;
	return rcn == RCN_ATTRIBUTES ||
	       (rcn >= RCN_CHILDREN && rcn <= RCN_CHILDREN_ONLY) ||
	       rcn == RCN_SEMANTIC || rcn == RCN_PERMISSIONS;
}

static int read_rcn(struct retrieval *q)
{
	bool discovery = q->filter.usage == FILTER_DISCOVERY;

	q->rcn = discovery ? RCN_DISCOVERY : RCN_ATTRIBUTES;
	if (!prim_has(q->request, PARAM_RCN))
		return 0;
	if (!prim_int(&q->rcn, q->request, PARAM_RCN) ||
	    !is_valid_rcn(q->rcn, discovery))
		return store_refuse(q->c, RSC_BAD_REQUEST,
				    "rcn is not for this operation");
	if (q->rcn == RCN_SEMANTIC || q->rcn == RCN_PERMISSIONS)
		return store_refuse(q->c, RSC_NOT_IMPLEMENTED,
				    "rcn %d is not supported", (int)q->rcn);
	return 0;
}

static int check_path(struct retrieval *q)
{
	if (q->filter.arp.len == 0 || q->filter.usage == FILTER_DISCOVERY)
		return 0;
	return store_refuse(q->c, RSC_BAD_REQUEST, "arp is for discovery");
}

static int read_drt(struct retrieval *q)
{
	int64_t drt = 1;

	if (prim_has(q->request, PARAM_DRT) &&
	    (!prim_int(&drt, q->request, PARAM_DRT) || drt < 1 || drt > 2))
		return store_refuse(q->c, RSC_BAD_REQUEST, "drt is 1 or 2");
	q->structured = drt == 1;
	return 0;
}

static int read_request(struct retrieval *q)
{
	int rc = filter_read(&q->filter, q->c, prim_text(q->request, PARAM_FC));

	if (rc == 0)
		rc = check_path(q);
	if (rc == 0)
		rc = read_rcn(q);
	return rc == 0 ? read_drt(q) : rc;
}

/* ---- whether it may be told ---- */

static int check_access(struct retrieval *q)
{
	return access_check(q->c, q->r, prim_text(q->request, PARAM_FR),
			    q->filter.usage == FILTER_DISCOVERY
				    ? ACCESS_DISCOVER
				    : ACCESS_RETRIEVE,
			    0);
}

/* disableRetrieval of the container (TS-0001 9.6.6). */
static int refuse_disabled(struct store_conn *c,
			   const struct resource *container)
{
	if (!json_is_true(json_object_get(container->attrs, "disr")))
		return 0;
	return store_refuse(c, RSC_OPERATION_NOT_ALLOWED,
			    "retrieval is disabled (disr)");
}

static int check_disabled(struct retrieval *q)
{
	struct resource parent = { 0 };
	int rc;

	if (q->r->ty != TY_CIN)
		return 0;
	if (q->container != NULL)
		return refuse_disabled(q->c, q->container);
	rc = tree_load(&parent, q->c, q->r->parent);
	if (rc != 0)
		return rc > 0 ? UV_EIO : rc;
	rc = refuse_disabled(q->c, &parent);
	resource_deinit(&parent);
	return rc;
}

static bool filters_target(const struct retrieval *q)
{
	return q->filter.usage != FILTER_DISCOVERY &&
	       (q->rcn == RCN_ATTRIBUTES || q->rcn == RCN_ORIGINAL);
}

static int check_filter(struct retrieval *q)
{
	bool match = true;
	int rc = 0;

	if (filters_target(q))
		rc = filter_test(&match, &q->filter, q->c, q->r);
	if (rc != 0 || match)
		return rc;
	return store_refuse(q->c, RSC_NOT_FOUND,
			    "the filter criteria do not match");
}

static int check(struct retrieval *q)
{
	int rc;

	if (q->r->et != 0 && q->r->et <= q->now_ms)
		return store_refuse(q->c, RSC_NOT_FOUND, "it has expired");
	rc = check_access(q);
	if (rc == 0)
		rc = check_disabled(q);
	return rc == 0 ? check_filter(q) : rc;
}

/* ---- parts of a resource ---- */

/* Moves one attribute over; leaves out what the resource lacks. */
static int take_attribute(json_t *out, const struct retrieval *q,
			  const json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);

	if (value == NULL && !rules_knows_attribute(q->r->ty, name))
		return store_refuse(q->c, RSC_BAD_REQUEST,
				    "no attribute %.60s of this type", name);
	if (value == NULL)
		return 0;
	return json_object_set(out, name, value) ? UV_ENOMEM : 0;
}

static int take_attributes(json_t *out, const struct retrieval *q,
			   const json_t *from, const json_t *names)
{
	size_t i;
	json_t *name;
	int rc = 0;

	if (!json_is_array(names) || json_array_size(names) == 0)
		return store_refuse(q->c, RSC_BAD_REQUEST,
				    "m2m:atrl is no list of names");
	json_array_foreach(names, i, name) {
		if (!json_is_string(name))
			return store_refuse(q->c, RSC_BAD_REQUEST,
					    "m2m:atrl is no list of names");
		rc = take_attribute(out, q, from, json_string_value(name));
		if (rc != 0)
			break;
	}
	return rc;
}

/* Reduces pc, the whole representation, to the attributes of that list. */
static int reduce(json_t *pc, const struct retrieval *q, const json_t *names)
{
	const char *member = rules_member(q->r);
	json_t *part = json_object();
	int rc;

	if (part == NULL)
		return UV_ENOMEM;
	rc = take_attributes(part, q, json_object_get(pc, member), names);
	if (rc == 0 && json_object_set(pc, member, part) != 0)
		rc = UV_ENOMEM;
	json_decref(part);
	return rc;
}

static int reduce_to_content(json_t *pc, const struct retrieval *q)
{
	struct str text = q->request->content;
	json_t *content, *names;
	int rc;

	if (text.len == 0)
		return 0;
	rc = store_json_read(&content, q->c, "pc", text);
	if (rc != 0)
		return rc;
	names = json_object_get(content, "m2m:atrl");
	if (names == NULL)
		rc = store_refuse(q->c, RSC_BAD_REQUEST,
				  "pc of a RETRIEVE is an m2m:atrl");
	else
		rc = reduce(pc, q, names);
	json_decref(content);
	return rc;
}

/* `to#attr`: that one attribute must be there. */
static int reduce_to_attribute(json_t *pc, const struct retrieval *q,
			       const char *name)
{
	json_t *names = json_pack("[s]", name);
	int rc;

	if (names == NULL)
		return UV_ENOMEM;
	rc = reduce(pc, q, names);
	json_decref(names);
	if (rc == 0 &&
	    json_object_size(json_object_get(pc, rules_member(q->r))) == 0)
		rc = store_refuse(q->c, RSC_NOT_FOUND, "it has no %.60s", name);
	return rc;
}

static int retrieve_attributes(json_t **pc, struct retrieval *q,
			       const char *attribute)
{
	json_t *whole;
	int rc;

	if (q->rcn == RCN_ORIGINAL)
		return q->r->ty > TY_ANNOUNCED
			       ? store_refuse(q->c, RSC_NOT_IMPLEMENTED,
					      "rcn 7 is not supported")
			       : store_refuse(
					 q->c, RSC_BAD_REQUEST,
					 "rcn 7 is for announced resources");
	rc = rules_represent(&whole, q->c, q->r);
	if (rc != 0)
		return rc;
	rc = attribute != NULL ? reduce_to_attribute(whole, q, attribute)
			       : reduce_to_content(whole, q);
	if (rc != 0) {
		json_decref(whole);
		return rc;
	}
	*pc = whole;
	return 0;
}

/* ---- what is below ---- */

static void walk_init(struct walk *w, struct retrieval *q)
{
	*w = (struct walk){
		.c = q->c,
		.root = q->r,
		.filter = &q->filter,
		.originator = prim_text(q->request, PARAM_FR),
		.op = q->filter.usage == FILTER_DISCOVERY ? ACCESS_DISCOVER
							  : ACCESS_RETRIEVE,
		.now_ms = q->now_ms,
	};
}

static void tell_partial(struct store_conn *c, const struct walk *w)
{
	c->cnst = w->partial ? 1 : 0;
	c->cnot = w->partial ? w->next : 0;
}

static int retrieve_references(json_t **pc, struct retrieval *q)
{
	json_t *refs;
	struct walk w;
	int rc;

	walk_init(&w, q);
	rc = result_references(&refs, &w, q->structured);
	if (rc != 0)
		return rc;
	tell_partial(q->c, &w);
	*pc = json_pack("{s:{s:o}}", "m2m:rrl", "rrf", refs);
	return *pc == NULL ? UV_ENOMEM : 0;
}

static int retrieve_ids(json_t **pc, struct retrieval *q)
{
	json_t *ids;
	struct walk w;
	int rc;

	walk_init(&w, q);
	rc = result_ids(&ids, &w, q->structured);
	if (rc != 0)
		return rc;
	tell_partial(q->c, &w);
	*pc = json_pack("{s:o}", "m2m:uril", ids);
	return *pc == NULL ? UV_ENOMEM : 0;
}

static int add_below(json_t *attributes, struct retrieval *q)
{
	json_t *refs;
	struct walk w;
	int rc;

	walk_init(&w, q);
	if (q->rcn == RCN_REFERENCES) {
		rc = result_references(&refs, &w, q->structured);
		if (rc == 0 && json_object_set_new(attributes, "ch", refs) != 0)
			rc = UV_ENOMEM;
	} else {
		rc = result_nested(attributes, &w);
	}
	tell_partial(q->c, &w);
	return rc;
}

static int retrieve_below(json_t **pc, struct retrieval *q)
{
	const char *member = rules_member(q->r);
	json_t *whole;
	int rc = 0;

	if (q->rcn == RCN_CHILDREN_ONLY) {
		whole = json_pack("{s:{}}", member);
		if (whole == NULL)
			return UV_ENOMEM;
	} else {
		rc = rules_represent(&whole, q->c, q->r);
		if (rc != 0)
			return rc;
	}
	rc = add_below(json_object_get(whole, member), q);
	if (rc != 0) {
		json_decref(whole);
		return rc;
	}
	*pc = whole;
	return 0;
}

static int retrieve(json_t **pc, struct retrieval *q, const char *attribute)
{
	switch (q->rcn) {
	case RCN_DISCOVERY:
		return retrieve_ids(pc, q);
	case RCN_REFERENCES_ONLY:
		return retrieve_references(pc, q);
	case RCN_CHILDREN:
	case RCN_REFERENCES:
	case RCN_CHILDREN_ONLY:
		return retrieve_below(pc, q);
	default:
		return retrieve_attributes(pc, q, attribute);
	}
}

/* ---- la and ol ---- */

static int load_edge(struct resource *out, struct store_conn *c,
		     const struct store_target *t)
{
	if (t->virt != VIRT_LATEST && t->virt != VIRT_OLDEST)
		return store_refuse(c, RSC_OPERATION_NOT_ALLOWED,
				    "it cannot be retrieved");
	return tree_edge(out, c, t->r.id, t->virt == VIRT_LATEST);
}

/* An empty container tells strangers nothing either. */
static int refuse_edge(struct retrieval *q, const struct resource *container,
		       int rc)
{
	int denied;

	if (rc != RSC_NOT_FOUND)
		return rc;
	denied = access_check(q->c, container, prim_text(q->request, PARAM_FR),
			      ACCESS_RETRIEVE, 0);
	return denied != 0 ? denied
			   : store_refuse(q->c, rc, "no instance in %s",
					  container->ri);
}

int store_retrieve(json_t **pc, struct store_conn *c, struct store_target *t,
		   const struct prim *request, uint64_t now_ms)
{
	struct retrieval q = { .c = c, .request = request, .now_ms = now_ms };
	struct resource edge = { 0 };
	int rc;

	c->cnst = 0;
	c->cnot = 0;
	q.r = &t->r;
	rc = read_request(&q);
	if (rc == 0 && t->virt != VIRT_NONE) {
		q.r = &edge;
		q.container = &t->r;
		rc = refuse_edge(&q, &t->r, load_edge(&edge, c, t));
	}
	if (rc == 0)
		rc = check(&q);
	if (rc == 0)
		rc = retrieve(pc, &q, t->attribute);
	filter_deinit(&q.filter);
	resource_deinit(&edge);
	return rc;
}

int store_describe(json_t **pc, struct store_conn *c, const struct resource *r,
		   const struct prim *request, int64_t rcn, uint64_t now_ms)
{
	struct retrieval q = { .c = c,
			       .r = r,
			       .request = request,
			       .rcn = rcn,
			       .structured = true,
			       .now_ms = now_ms };
	/* fc is a condition on r; what it holds is told whole */
	int rc = filter_read(&q.filter, c, (struct str){ NULL, 0 });

	return rc != 0 ? rc : retrieve(pc, &q, NULL);
}
