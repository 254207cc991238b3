#ifndef TESTS_STORE_SCRIPT_H
#define TESTS_STORE_SCRIPT_H

#include "store_rig.h"

/*
 * Scripts: sequences of requests, of which each row finds what the rows before
 * it have made.
 */
struct row {
	const char *rule;
	const char *request;	/* as rig_request() takes it */
	int rsc;
	const char *pc;		/* must be in the answer; NULL: whatever */
	int events;		/* that it must cause, and questions before */
};

static inline json_t *script_parse(const char *text)
{
	struct buf b = { 0 };
	json_t *v;

	buf_add_str(&b, str_of(text));
	for (size_t i = 0; i < b.len; i++)
		b.p[i] = b.p[i] == '\'' ? '"' : b.p[i];
	v = json_loadb(b.p, b.len, JSON_DECODE_ANY, NULL);
	ck_assert_msg(v != NULL, "%s", text);
	buf_deinit(&b);
	return v;
}

static inline void script_check(const struct rig *rig, const struct row *row)
{
	json_t *want;
	char *have;

	if (row->pc == NULL)
		return;
	have = rig->pc != NULL ? json_dumps(rig->pc, JSON_COMPACT) : NULL;
	if (*row->pc == '\0') {
		ck_assert_msg(rig->pc == NULL, "%s: %s", row->rule, have);
		return;
	}
	want = script_parse(row->pc);
	ck_assert_msg(rig_holds(rig->pc, want), "%s: %s", row->rule,
		      have != NULL ? have : "no content");
	free(have);
	json_decref(want);
}

static inline void script_play(struct rig *rig, const struct row *rows,
			       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		int rsc = rig_request(rig, row->request);

		ck_assert_msg(rsc == row->rsc, "%s: %d instead of %d, %s",
			      row->rule, rsc, row->rsc, rig->c->why);
		script_check(rig, row);
		ck_assert_msg((int)(rig->asked + rig->events.count) ==
				      row->events,
			      "%s: %zu + %zu events instead of %d", row->rule,
			      rig->asked, rig->events.count, row->events);
		rig->now += 10;
	}
}

#define PLAY(rows) script_play(&rig, rows, ARRAY_LEN(rows))

#define C(to, fr, ty) "'op':1,'to':'" to "','fr':'" fr "','ty':" #ty ","
#define R(to, fr) "'op':2,'to':'" to "','fr':'" fr "'"
#define U(to, fr) "'op':3,'to':'" to "','fr':'" fr "',"
#define D(to, fr) "'op':4,'to':'" to "','fr':'" fr "'"
#define N(to, fr) "'op':5,'to':'" to "','fr':'" fr "',"
#define AE(rn) "'pc':{'m2m:ae':{'rn':'" rn "','api':'Nx','rr':true," \
	"'srv':['3']}}"
#define CNT(members) "'pc':{'m2m:cnt':{" members "}}"
#define CIN(con) "'pc':{'m2m:cin':{'con':'" con "'}}"

#endif
