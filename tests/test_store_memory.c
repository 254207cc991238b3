#include "store_script.h"

#include <limits.h>

/*
 * Every allocation that jansson makes for a request fails once. Such a request
 * is refused, nothing is left of it (the sanitizers watch), and the next one
 * is as good as ever.
 */
static unsigned countdown = UINT_MAX;	/* jansson's hooks have no argument */
static bool failed;

static void *allocate(size_t size)
{
	if (countdown != UINT_MAX && countdown-- == 0) {
		countdown = UINT_MAX;
		failed = true;
		return NULL;
	}
	return malloc(size);
}

/* One pass; the rsc, or 0: somebody has to agree first. */
static int pass(struct rig *rig, const struct prim *p, unsigned n)
{
	int err;

	store_events_deinit(&rig->events);
	countdown = n;
	err = store_execute(rig->c, &rig->answer, &rig->events, &rig->pass, p,
			    rig->now);
	countdown = UINT_MAX;
	if (err)
		return RSC_INTERNAL_SERVER_ERROR;
	return rig->pass.outcome == STORE_ANSWERED ? rig->answer.rsc : 0;
}

/* Number n of the pass that answers fails: by then whom it concerns has
 * agreed. */
static int request(struct rig *rig, const char *members, unsigned n)
{
	struct prim p = { 0 };
	struct buf text = { 0 };
	const char *why = "";
	int rsc;

	buf_add_str(&text, str_of(members));
	for (size_t i = 0; i < text.len; i++)
		text.p[i] = text.p[i] == '\'' ? '"' : text.p[i];
	ck_assert_int_eq(codec_json.decode(&p, &why, &rig->conf.codec,
					   buf_str(&text)), 0);
	rig->pass = (struct store_pass){ 0 };
	ck_assert_int_eq(store_begin(rig->c), 0);
	failed = false;
	rsc = pass(rig, &p, n);
	if (rsc == 0) {
		rig->pass.agreed = true;
		rsc = pass(rig, &p, failed ? UINT_MAX : n);
	}
	if (store_commit(rig->c) != 0) {
		ck_assert(failed);	/* an instance takes all with it */
		rsc = RSC_INTERNAL_SERVER_ERROR;
	}
	prim_deinit(&p);
	buf_deinit(&text);
	return rsc;
}

static const char *const before[] = {
	C("cse-in", "CAdmin", 3) CNT("'rn':'box','lbl':['a']"),
	C("cse-in", "Cone", 2) AE("one"),
	C("cse-in", "Ctwo", 2) AE("two"),
	C("cse-in/box", "CAdmin", 23)
		"'pc':{'m2m:sub':{'rn':'s','nu':['cse-in/one'],"
		"'enc':{'net':[7]}}}",
	C("cse-in/box", "CAdmin", 23)
		"'pc':{'m2m:sub':{'rn':'t','nu':['cse-in/two'],"
		"'enc':{'net':[1,3]}}}",
	C("cse-in", "CAdmin", 9)
		"'pc':{'m2m:grp':{'rn':'g','mnm':3,'mid':['cse-in/box']}}",
};

#define HEAD "{'rqi':'r','rvi':'3',"

static const struct {
	const char *name;
	int rsc;
	const char *request;
} requests[] = {
	{ "UPDATE that others must agree to", 2004,
	  HEAD U("cse-in/box", "CAdmin") CNT("'mni':5,'lbl':['b']") "}" },
	{ "UPDATE that shows what changed", 2004,
	  HEAD U("cse-in/box", "CAdmin") "'rcn':9," CNT("'mni':6") "}" },
	{ "CREATE with a notification", 2001,
	  HEAD C("cse-in/box", "CAdmin", 4) CIN("1") "}" },
	{ "CREATE of an AE", 2001,
	  HEAD C("cse-in", "C", 2)
	  "'pc':{'m2m:ae':{'api':'Nx','rr':true,'srv':['3']}}}" },
	{ "CREATE of a subscription", 2001,
	  HEAD C("cse-in/box", "CAdmin", 23)
	  "'pc':{'m2m:sub':{'nu':['cse-in/one'],'bn':{'num':3}}}}" },
	{ "CREATE of a group", 2001,
	  HEAD C("cse-in", "CAdmin", 9)
	  "'pc':{'m2m:grp':{'mnm':3,'mid':['cse-in/box']}}}" },
	{ "fan-out", 2000, HEAD R("cse-in/g/fopt", "CAdmin") "}" },
	{ "RETRIEVE with children", 2000,
	  HEAD R("cse-in/box", "CAdmin") ",'rcn':4}" },
	{ "discovery", 2000,
	  HEAD R("cse-in", "CAdmin") ",'fc':{'fu':1,'lbl':['a','b']}}" },
	{ "non-blocking", 1001,
	  HEAD R("cse-in/box", "CAdmin") ",'rt':{'rtv':1}}" },
};

START_TEST(test_each_fails)
{
	struct rig rig;
	unsigned n = 0;
	int rsc;

	rig_open(&rig);
	for (size_t i = 0; i < ARRAY_LEN(before); i++)
		rig_must(&rig, 2001, before[i]);
	json_set_alloc_funcs(allocate, free);
	for (;; n++) {
		rsc = request(&rig, requests[_i].request, n);
		if (!failed)
			break;
		ck_assert_msg(rsc >= 4000 || rsc == requests[_i].rsc,
			      "%s, %u: %d", requests[_i].name, n, rsc);
	}
	ck_assert_msg(rsc == requests[_i].rsc, "%s: %d instead of %d, %s",
		      requests[_i].name, rsc, requests[_i].rsc, rig.c->why);
	ck_assert_uint_gt(n, 5);
	json_set_alloc_funcs(malloc, free);
	rig_close(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("store_memory");
	TCase *tc = tcase_create("store_memory");

	tcase_add_loop_test(tc, test_each_fails, 0, ARRAY_LEN(requests));
	suite_add_tcase(s, tc);
	return unit_run(s);
}
