#ifndef TESTS_STORE_RULES_RIG_H
#define TESTS_STORE_RULES_RIG_H

#include "unit.h"

#include <jansson.h>

#include "store/resource.h"

#define RULES_NOW UINT64_C(1780300800000)	/* 20260601T080000 */

/*
 * A store in memory with a few resources for the rules to meet: an AE, a
 * policy, a full container, a container with limits, a group's parent.
 */
struct rules_rig {
	struct store_conf conf;
	struct store *store;
	struct store_conn *c;
	struct store_events events;
	struct prim request;	/* fr is all that the rules read of it */
	struct resource base, ae, cnt, small;
	unsigned named;
};

static inline json_t *rig_json(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(json != NULL, "%s in %s", error.text, text);
	return json;
}

/* text in a row is JSON with ' for ", to stay readable. */
static inline json_t *rig_row(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	json = rig_json(copy);
	free(copy);
	return json;
}

static inline bool rig_same(const json_t *got, const char *want)
{
	json_t *expected = rig_row(want);
	bool same = json_equal(got, expected);

	if (!same) {
		char *text = json_dumps(got, JSON_COMPACT);

		fprintf(stderr, "got  %s\nwant %s\n", text, want);
		free(text);
	}
	json_decref(expected);
	return same;
}

/* As a CREATE would: judged, named, inserted, counted. The rsc. */
static inline int rig_add_as(struct rules_rig *rig, struct resource *out,
			     struct resource *parent, int ty,
			     const char *member, const char *in,
			     uint64_t now_ms)
{
	json_t *json = rig_row(in);
	char name[24];
	int rc = rules_create(out, rig->c, parent, ty, member, json,
			      &rig->request, now_ms);

	json_decref(json);
	if (rc != 0)
		return rc;
	out->parent = parent->id;
	snprintf(name, sizeof(name), "r%u", ++rig->named);
	out->ri = strdup(name);
	if (out->rn == NULL)
		out->rn = strdup(name);
	rc = tree_insert(out, rig->c);
	return rc != 0 ? rc : rules_child_added(rig->c, parent, out, now_ms);
}

static inline int rig_add(struct rules_rig *rig, struct resource *out,
			  struct resource *parent, int ty, const char *in)
{
	return rig_add_as(rig, out, parent, ty, type_name(ty), in, RULES_NOW);
}

static inline void rig_get(struct rules_rig *rig, struct resource *out,
			   struct str to)
{
	struct store_target t = { 0 };

	ck_assert_int_eq(store_resolve(&t, rig->c, to), 0);
	*out = t.r;
	t.r = (struct resource){ 0 };
	store_target_deinit(&t);
}

static inline void rig_from(struct rules_rig *rig, const char *fr)
{
	prim_set_str(&rig->request, PARAM_FR, str_of(fr));
}

static inline void rig_add_fixtures(struct rules_rig *rig)
{
	struct resource acp = { 0 };

	ck_assert_int_eq(rig_add(rig, &rig->ae, &rig->base, 2,
				 "{'rn':'ae','api':'Na','rr':true,"
				 "'srv':['3']}"), 0);
	ck_assert_int_eq(rig_add(rig, &acp, &rig->ae, 1,
				 "{'rn':'acp','pv':{'acr':[]},"
				 "'pvs':{'acr':[{'acor':['all'],"
				 "'acop':63}]}}"), 0);
	resource_deinit(&acp);
	ck_assert_int_eq(rig_add(rig, &rig->cnt, &rig->ae, 3,
				 "{'rn':'cnt'}"), 0);
	ck_assert_int_eq(rig_add(rig, &rig->small, &rig->ae, 3,
				 "{'rn':'small','mni':3,'mbs':20}"), 0);
}

static inline void rig_open(struct rules_rig *rig)
{
	const char *why = NULL;

	*rig = (struct rules_rig){
		.conf = {
			.path = ":memory:",
			.cse_id = "/id-in",
			.cse_name = "cse-in",
			.admin = "CAdmin",
			.codec = { 64, 100000 },
		},
	};
	ck_assert_msg(store_create(&rig->store, &why, &rig->conf) == 0,
		      "%s", why);
	ck_assert_int_eq(store_conn_create(&rig->c, rig->store, STORE_WRITER),
			 0);
	ck_assert_int_eq(store_begin(rig->c), 0);
	rig->request.kind = PRIM_REQUEST;
	rig_from(rig, "CAdmin");
	rig_get(rig, &rig->base, STR("cse-in"));
	rig_add_fixtures(rig);
}

static inline void rig_close(struct rules_rig *rig)
{
	resource_deinit(&rig->base);
	resource_deinit(&rig->ae);
	resource_deinit(&rig->cnt);
	resource_deinit(&rig->small);
	store_events_deinit(&rig->events);
	prim_deinit(&rig->request);
	store_rollback(rig->c);
	store_conn_destroy(rig->c);
	store_destroy(rig->store);
}

#endif
