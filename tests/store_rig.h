#ifndef TESTS_STORE_RIG_H
#define TESTS_STORE_RIG_H

#include "unit.h"

#include "store/resource.h"

/*
 * A store, in memory or not, with its writer. Requests and answers are JSON as
 * on the wire.
 */
#define RIG_NOW UINT64_C(1780300800000) /* 2026-06-01 08:00:00 UTC */

struct rig {
	struct store_conf conf;
	struct store *store;
	struct store_conn *c;
	struct prim answer;
	struct store_pass pass;     /* of the last request */
	size_t asked;		    /* questions that it had first */
	struct store_events events; /* of the last request */
	json_t *pc;		    /* owned; of the last answer; or NULL */
	uint64_t now;
};

static inline void rig_open_path(struct rig *rig, const char *path)
{
	const char *why = "";

	memset(rig, 0, sizeof(*rig));
	rig->conf = (struct store_conf){
		.path = path,
		.cse_id = "/id-in",
		.cse_name = "cse-in",
		.admin = "CAdmin",
		.codec = { .max_depth = 64, .max_tokens = 10000 },
		.default_lifetime_s = 86400,
		.max_instances = 1000,
		.max_results = 1000,
	};
	rig->now = RIG_NOW;
	ck_assert_msg(store_create(&rig->store, &why, &rig->conf) == 0, "%s",
		      why);
	ck_assert_int_eq(store_conn_create(&rig->c, rig->store, STORE_WRITER),
			 0);
}

static inline void rig_open(struct rig *rig)
{
	rig_open_path(rig, ":memory:");
}

static inline void rig_close(struct rig *rig)
{
	json_decref(rig->pc);
	store_events_deinit(&rig->events);
	prim_deinit(&rig->answer);
	store_conn_destroy(rig->c);
	store_destroy(rig->store);
}

static inline void rig_take_content(struct rig *rig)
{
	json_decref(rig->pc);
	rig->pc = NULL;
	if (rig->answer.content.len > 0) {
		rig->pc = json_loadb(rig->answer.content.p,
				     rig->answer.content.len, JSON_ALLOW_NUL,
				     NULL);
		ck_assert_ptr_nonnull(rig->pc);
	}
}

/*
 * Executes once, within a transaction of the caller's; the answer's rsc, or
 * the outcome's number below 0. members is the request without its braces, rqi
 * and rvi, and with ' for ".
 */
static inline int rig_pass(struct rig *rig, const char *members)
{
	struct prim request = { 0 };
	struct buf text = { 0 };
	const char *why = "";

	buf_add_lit(&text, "{'rqi':'r','rvi':'3',");
	buf_add_str(&text, str_of(members));
	buf_add_lit(&text, "}");
	for (size_t i = 0; i < text.len; i++)
		text.p[i] = text.p[i] == '\'' ? '"' : text.p[i];
	ck_assert_msg(codec_json.decode(&request, &why, &rig->conf.codec,
					buf_str(&text)) == 0,
		      "%s: %s", members, why);
	store_events_deinit(&rig->events);
	memset(&rig->events, 0, sizeof(rig->events));
	ck_assert_int_eq(store_execute(rig->c, &rig->answer, &rig->events,
				       &rig->pass, &request, rig->now),
			 0);
	rig_take_content(rig);
	prim_deinit(&request);
	buf_deinit(&text);
	if (rig->pass.outcome == STORE_ANSWERED)
		return rig->answer.rsc;
	ck_assert_int_eq(rig->answer.rsc, 0);
	ck_assert_ptr_null(rig->pc);
	return -(int)rig->pass.outcome;
}

/* Likewise, where everybody who is asked agrees at once. */
static inline int rig_within(struct rig *rig, const char *members)
{
	int rsc;

	rig->pass = (struct store_pass){ 0 };
	rig->asked = 0;
	rsc = rig_pass(rig, members);
	if (rsc != -STORE_ASKED)
		return rsc;
	rig->asked = rig->events.count;
	rig->pass.agreed = true;
	return rig_pass(rig, members);
}

static inline int rig_request(struct rig *rig, const char *members)
{
	int rsc;

	ck_assert_int_eq(store_begin(rig->c), 0);
	rsc = rig_within(rig, members);
	ck_assert_int_eq(store_commit(rig->c), 0);
	return rsc;
}

static inline void rig_must(struct rig *rig, int rsc, const char *members)
{
	int got = rig_request(rig, members);

	ck_assert_msg(got == rsc, "%s: %d instead of %d, %s", members, got, rsc,
		      rig->c->why);
}

/* True: all that want has is in have; lists are compared whole. */
static inline bool rig_holds(const json_t *have, const json_t *want)
{
	const char *name;
	json_t *value, *one;
	size_t i;

	if (json_is_array(want)) {
		if (json_array_size(have) != json_array_size(want))
			return false;
		json_array_foreach(want, i, one) {
			if (!rig_holds(json_array_get(have, i), one))
				return false;
		}
		return true;
	}
	if (!json_is_object(want))
		return json_equal(have, want) != 0;
	json_object_foreach((json_t *)want, name, value) {
		if (!rig_holds(json_object_get(have, name), value))
			return false;
	}
	return json_is_object(have);
}

#endif
