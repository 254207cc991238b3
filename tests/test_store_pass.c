#define _GNU_SOURCE		/* memmem() */
#include "store_script.h"

/* Requests that have to ask somebody before they are carried out. */

static struct rig rig;

#define SUB(rn, nu) "'pc':{'m2m:sub':{'rn':'" rn "','nu':[" nu "]," \
	"'enc':{'net':[3]},'nct':3}}"
#define GRP(rn, mid) "'pc':{'m2m:grp':{'rn':'" rn "','mnm':10,'mid':[" mid \
	"]}}"

static const struct row tree[] = {
	{ "AE", C("cse-in", "Ca", 2) AE("a"), 2001, NULL, 0 },
	{ "AE", C("cse-in", "Cb", 2) AE("b"), 2001, NULL, 0 },
	{ "cnt", C("cse-in/a", "Ca", 3) CNT("'rn':'t'"), 2001, NULL, 0 },
	{ "cnt", C("cse-in/a", "Ca", 3) CNT("'rn':'u'"), 2001, NULL, 0 },
	{ "group", C("cse-in/a", "Ca", 9) GRP("g", "'cse-in/a/t',"
	  "'cse-in/a/u'"), 2001, NULL, 0 },
	{ "who hears of new children", C("cse-in/a/t", "Ca", 23)
	  SUB("own", "'Ca'"), 2001, NULL, 0 },
};

static void setup(void)
{
	rig_open(&rig);
	PLAY(tree);
}

static void teardown(void)
{
	rig_close(&rig);
}

/* Once, in a transaction of its own. */
static int pass(const char *members)
{
	int rsc;

	ck_assert_int_eq(store_begin(rig.c), 0);
	rsc = rig_pass(&rig, members);
	ck_assert_int_eq(store_commit(rig.c), 0);
	return rsc;
}

static int first(const char *members)
{
	rig.pass = (struct store_pass){ 0 };
	return pass(members);
}

/* Others' requests have their own pass. */
static int again(struct store_pass before, const char *members)
{
	rig.pass = before;
	rig.pass.agreed = true;
	return pass(members);
}

/* sur of the i-th question. */
static void read_sur(char out[32], size_t i)
{
	const struct store_event *e = &rig.events.list[i];
	json_t *pc = json_loadb(e->content.p, e->content.len, 0, NULL);
	json_t *sgn = json_object_get(pc, "m2m:sgn");
	const char *sur = json_string_value(json_object_get(sgn, "sur"));

	ck_assert_int_eq(e->ask, STORE_ASK_SUBSCRIBE);
	ck_assert(json_is_true(json_object_get(sgn, "vrq")));
	ck_assert_ptr_nonnull(sur);
	snprintf(out, 32, "%s", sur);
	json_decref(pc);
}

static const char *answered_ri(const json_t *pc, const char *member)
{
	return json_string_value(json_object_get(json_object_get(pc, member),
						 "ri"));
}

#define ASKING C("cse-in/a/t", "Ca", 23) SUB("s", "'Cb'")

START_TEST(test_asked)
{
	struct store_pass before;
	char sur[32], want[32];

	ck_assert_int_eq(first(ASKING), -STORE_ASKED);
	/* a question; not what the container's own subscriber would hear */
	ck_assert_uint_eq(rig.events.count, 1);
	ck_assert(str_eq(rig.events.list[0].route.to, STR("Cb")));
	read_sur(sur, 0);
	before = rig.pass;
	ck_assert_int_eq(before.row_count, 1);
	rig_must(&rig, 4004, R("cse-in/a/t/s", "Ca"));

	ck_assert_int_eq(again(before, ASKING), 2001);
	snprintf(want, sizeof(want), "/id-in/%s",
		 answered_ri(rig.pc, "m2m:sub"));
	ck_assert_str_eq(sur, want);
	ck_assert_uint_eq(rig.events.count, 1);
	ck_assert_int_eq(rig.events.list[0].ask, STORE_TELL);
	rig_must(&rig, 2000, R("cse-in/a/t/s", "Ca"));
}
END_TEST

/* What others create while a question is out has other numbers. */
START_TEST(test_numbers)
{
	struct store_pass one, two;
	char sur[2][32], got[32];

	ck_assert_int_eq(first(ASKING), -STORE_ASKED);
	one = rig.pass;
	read_sur(sur[0], 0);
	ck_assert_int_eq(first(C("cse-in/a/u", "Ca", 23) SUB("s", "'Cb'")),
			 -STORE_ASKED);
	two = rig.pass;
	read_sur(sur[1], 0);
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 3) CNT("'rn':'other'"));
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 23) SUB("x", "'Ca'"));

	ck_assert_int_eq(again(two, C("cse-in/a/u", "Ca", 23)
			       SUB("s", "'Cb'")), 2001);
	snprintf(got, sizeof(got), "/id-in/%s",
		 answered_ri(rig.pc, "m2m:sub"));
	ck_assert_str_eq(got, sur[1]);
	ck_assert_int_eq(again(one, ASKING), 2001);
	snprintf(got, sizeof(got), "/id-in/%s",
		 answered_ri(rig.pc, "m2m:sub"));
	ck_assert_str_eq(got, sur[0]);
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 23) SUB("y", "'Ca'"));
}
END_TEST

static int64_t query(const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t n;

	ck_assert_int_eq(sqlite3_prepare_v2(rig.c->db, sql, -1, &stmt, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

/* The counter on the disk stays above every row: after a crash no number
 * comes twice, although the row that had it is gone again. */
START_TEST(test_counter)
{
	ck_assert_int_eq(first(ASKING), -STORE_ASKED);
	ck_assert_int_eq(sqlite3_exec(rig.c->db, "UPDATE counter SET next = 1",
				      NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(again(rig.pass, ASKING), 2001);
	ck_assert_int_gt(query("SELECT next FROM counter"),
			 query("SELECT max(id) FROM resource"));
}
END_TEST

/* The transaction in which it asked may be lost. */
START_TEST(test_lost)
{
	char sur[32], want[32];

	rig.pass = (struct store_pass){ 0 };
	ck_assert_int_eq(store_begin(rig.c), 0);
	ck_assert_int_eq(rig_pass(&rig, ASKING), -STORE_ASKED);
	read_sur(sur, 0);
	store_rollback(rig.c);
	ck_assert_int_eq(again(rig.pass, ASKING), 2001);
	snprintf(want, sizeof(want), "/id-in/%s",
		 answered_ri(rig.pc, "m2m:sub"));
	ck_assert_str_eq(sur, want);
}
END_TEST

/* ---- through a group ---- */

#define ALL C("cse-in/a/g/fopt", "Ca", 23) SUB("s", "'Cb'")

START_TEST(test_group)
{
	struct store_pass before;
	char sur[2][32], want[32];
	json_t *answers, *one;
	size_t i;

	ck_assert_int_eq(first(ALL), -STORE_ASKED);
	ck_assert_uint_eq(rig.events.count, 2);
	read_sur(sur[0], 0);
	read_sur(sur[1], 1);
	ck_assert_str_ne(sur[0], sur[1]);
	before = rig.pass;
	rig_must(&rig, 4004, R("cse-in/a/t/s", "Ca"));
	rig_must(&rig, 4004, R("cse-in/a/u/s", "Ca"));

	ck_assert_int_eq(again(before, ALL), 2000);
	answers = json_object_get(json_object_get(rig.pc, "m2m:agr"),
				  "m2m:rsp");
	ck_assert_uint_eq(json_array_size(answers), 2);
	json_array_foreach(answers, i, one) {
		snprintf(want, sizeof(want), "/id-in/%s",
			 answered_ri(json_object_get(one, "pc"), "m2m:sub"));
		ck_assert_str_eq(sur[i], want);
	}
}
END_TEST

/* Who refuses by itself does not keep the others from asking; what needs
 * nobody's word waits for those that do. */
START_TEST(test_group_in_part)
{
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 23) SUB("s", "'Ca'"));
	ck_assert_int_eq(first(ALL), -STORE_ASKED);
	ck_assert_uint_eq(rig.events.count, 1);
	ck_assert_int_eq(again(rig.pass, ALL), 2000);
	rig_must(&rig, 2000, R("cse-in/a/u/s", "Ca"));
}
END_TEST

/* ---- UPDATE ---- */

#define NEW_NU U("cse-in/a/t/own", "Ca") "'pc':{'m2m:sub':{" \
	"'nu':['Ca','Cb']}}"

START_TEST(test_update)
{
	ck_assert_int_eq(first(NEW_NU), -STORE_ASKED);
	ck_assert_uint_eq(rig.events.count, 1);
	ck_assert(str_eq(rig.events.list[0].target, STR("Cb")));
	rig_must(&rig, 2000, R("cse-in/a/t/own", "Ca"));
	ck_assert_uint_eq(json_array_size(json_object_get(
				  json_object_get(rig.pc, "m2m:sub"), "nu")),
			  1);
	ck_assert_int_eq(first(NEW_NU), -STORE_ASKED);
	ck_assert_int_eq(again(rig.pass, NEW_NU), 2004);
	/* both are known now */
	ck_assert_int_eq(first(NEW_NU), 2004);
}
END_TEST

/* ---- what is refused ---- */

static const struct row refusals[] = {
	{ "one of them is nobody", C("cse-in/a/t", "Ca", 23)
	  SUB("s", "'Cb','Cnobody'"), 5204, NULL, 0 },
	{ "no right", C("cse-in/a/t", "Cb", 23) SUB("s", "'Ca'"), 4103, NULL,
	  0 },
	{ "name taken", C("cse-in/a/t", "Ca", 23) SUB("own", "'Cb'"), 4105,
	  NULL, 0 },
};

START_TEST(test_refusals)
{
	PLAY(refusals);
}
END_TEST

START_TEST(test_too_late)
{
	struct store_pass before;

	ck_assert_int_eq(first(ASKING), -STORE_ASKED);
	before = rig.pass;
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 23) SUB("s", "'Ca'"));
	ck_assert_int_eq(again(before, ASKING), 4105);
	ck_assert_uint_eq(rig.events.count, 0);
}
END_TEST

/* rt 2 is acknowledged when it is done. */
START_TEST(test_asynch)
{
	const char *request = C("cse-in/a/u", "Ca", 23) "'rt':{'rtv':2},"
			      SUB("s", "'Cb'");

	ck_assert_int_eq(first(request), -STORE_ASKED);
	ck_assert_uint_eq(rig.events.count, 1);
	ck_assert_int_eq(rig.events.list[0].ask, STORE_ASK_SUBSCRIBE);
	ck_assert_int_eq(again(rig.pass, request), 1002);
	ck_assert_uint_eq(rig.events.count, 1);
	ck_assert(str_starts(rig.events.list[0].content,
			     STR("{\"m2m:rsp\":{\"rsc\":2001,")));
}
END_TEST

/* ---- net 7: UPDATEs that a target has to agree to ---- */

#define BLOCKING(rn, nu, more) "'pc':{'m2m:sub':{'rn':'" rn "','nu':['" nu \
	"'],'enc':{'net':[7]" more "}}}"

static const struct row blocking[] = {
	{ "the first", C("cse-in/a/t", "Ca", 23) BLOCKING("s", "Ca", ""), 2001,
	  "{'m2m:sub':{'nct':2}}", 1 },
	{ "another one", C("cse-in/a/t", "Ca", 23) BLOCKING("z", "Ca", ""),
	  4124, NULL, 0 },
	{ "... of another resource", C("cse-in/a/u", "Ca", 23)
	  BLOCKING("s", "Ca", ""), 2001, NULL, 0 },
	{ "itself anew", U("cse-in/a/t/s", "Ca")
	  "'pc':{'m2m:sub':{'enc':{'net':[7],'atr':['lbl']}}}", 2004, NULL,
	  0 },
	{ "by an UPDATE", U("cse-in/a/t/own", "Ca")
	  "'pc':{'m2m:sub':{'enc':{'net':[7]},'nct':2}}", 4124, NULL, 0 },
	{ "gone", D("cse-in/a/t/s", "Ca"), 2002, NULL, 1 },
	{ "by an UPDATE", U("cse-in/a/t/own", "Ca")
	  "'pc':{'m2m:sub':{'enc':{'net':[7]},'nct':2}}", 2004, NULL, 0 },
};

START_TEST(test_one_blocking)
{
	/* the group's subscriber hears of the second */
	rig_must(&rig, 2004, U("cse-in/a/t/own", "Ca")
		 "'pc':{'m2m:sub':{'enc':{'net':[3,4]}}}");
	PLAY(blocking);
}
END_TEST

static void check_content(size_t i, const char *text)
{
	const struct store_event *e = &rig.events.list[i];
	json_t *have = json_loadb(e->content.p, e->content.len, 0, NULL);
	json_t *want = script_parse(text);

	ck_assert_msg(rig_holds(have, want), "%.*s", (int)e->content.len,
		      e->content.p);
	json_decref(have);
	json_decref(want);
}

#define CHANGE U("cse-in/a/t", "CAdmin") CNT("'mni':7")

START_TEST(test_blocking)
{
	const struct store_event *e;

	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 23)
		 BLOCKING("s", "Cb", ""));
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 23)
		 "'pc':{'m2m:sub':{'nu':['Ca']}}");
	ck_assert_int_eq(first(CHANGE), -STORE_ASKED);
	ck_assert_uint_eq(rig.events.count, 1);
	e = &rig.events.list[0];
	ck_assert_int_eq(e->ask, STORE_ASK_UPDATE);
	ck_assert(str_eq(e->route.to, STR("Cb")));
	ck_assert(str_eq(e->originator, STR("/id-in")));
	ck_assert_int_gt(e->subscription, 0);
	check_content(0, "{'m2m:sgn':{'nev':{'rep':{'m2m:cnt':{'mni':7}},"
		      "'net':7}}}");
	ck_assert_ptr_null(memmem(e->content.p, e->content.len, "cbs", 3));
	ck_assert_ptr_null(memmem(e->content.p, e->content.len, "lt", 2));
	rig_must(&rig, 2000, R("cse-in/a/t#st", "Ca"));
	ck_assert_int_eq(json_integer_value(json_object_get(
				 json_object_get(rig.pc, "m2m:cnt"), "st")),
			 0);

	ck_assert_int_eq(first(CHANGE), -STORE_ASKED);
	ck_assert_int_eq(again(rig.pass, CHANGE), 2004);
	/* whoever only listens hears once it is done */
	ck_assert_uint_eq(rig.events.count, 1);
	ck_assert_int_eq(rig.events.list[0].ask, STORE_TELL);
	check_content(0, "{'m2m:sgn':{'nev':{'rep':{'m2m:cnt':{'mni':7,"
		      "'st':1}},'net':1}}}");
}
END_TEST

static const struct row held[] = {
	{ "blocking", C("cse-in/a/t", "Ca", 23)
	  BLOCKING("s", "Ca", ",'atr':['lbl','mbs'],'stb':0"), 2001, NULL,
	  1 },
	{ "another attribute", U("cse-in/a/t", "CAdmin") CNT("'mni':7"), 2004,
	  NULL, 0 },
	{ "that attribute", U("cse-in/a/t", "CAdmin") CNT("'mbs':7"), 2004,
	  NULL, 1 },
	{ "removed", U("cse-in/a/t", "CAdmin") CNT("'mbs':null"), 2004, NULL,
	  1 },
	{ "its own", U("cse-in/a/t", "Ca") CNT("'mbs':8"), 2004, NULL, 0 },
	{ "its own, SP-relative", U("cse-in/a/t", "/id-in/Ca") CNT("'mbs':9"),
	  2004, NULL, 0 },
	{ "through a group", U("cse-in/a/g/fopt", "CAdmin") CNT("'mbs':7"),
	  2000, "{'m2m:agr':{'m2m:rsp':[{'rsc':2004},{'rsc':2004}]}}", 1 },
	{ "refused before it is asked", U("cse-in/a/t", "Cb") CNT("'mbs':1"),
	  4103, NULL, 0 },
	{ "... and for what is wrong", U("cse-in/a/t", "CAdmin")
	  CNT("'mbs':'x'"), 4000, NULL, 0 },
	{ "a new child is none", C("cse-in/a/t", "Ca", 3) CNT(""), 2001, NULL,
	  1 },
	{ "deletion is none", D("cse-in/a/t", "Ca"), 2002, NULL, 0 },
};

START_TEST(test_held)
{
	PLAY(held);
}
END_TEST

/* A question is never collected with others. */
START_TEST(test_blocking_batch)
{
	rig_must(&rig, 2001, C("cse-in/a/u", "Ca", 23)
		 "'pc':{'m2m:sub':{'nu':['Ca'],'enc':{'net':[7]},"
		 "'bn':{'num':5}}}");
	ck_assert_int_eq(first(U("cse-in/a/u", "CAdmin") CNT("'mni':1")),
			 -STORE_ASKED);
	ck_assert_uint_eq(rig.events.list[0].batch_num, 0);
	ck_assert_uint_eq(rig.events.list[0].batch_ms, 0);
}
END_TEST

/* One that has agreed to all it was made for is gone. */
START_TEST(test_blocking_exc)
{
	rig_must(&rig, 2001, C("cse-in/a/u", "Ca", 23) "'pc':{'m2m:sub':{"
		 "'rn':'s','nu':['Ca'],'enc':{'net':[7]},'exc':1}}");
	ck_assert_int_eq(first(U("cse-in/a/u", "CAdmin") CNT("'mni':1")),
			 -STORE_ASKED);
	rig_must(&rig, 2000, R("cse-in/a/u/s", "Ca"));
	rig_must(&rig, 2004, U("cse-in/a/u", "CAdmin") CNT("'mni':1"));
	rig_must(&rig, 4004, R("cse-in/a/u/s", "Ca"));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("store_pass");
	TCase *tc = tcase_create("pass");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_asked);
	tcase_add_test(tc, test_numbers);
	tcase_add_test(tc, test_counter);
	tcase_add_test(tc, test_lost);
	tcase_add_test(tc, test_group);
	tcase_add_test(tc, test_group_in_part);
	tcase_add_test(tc, test_update);
	tcase_add_test(tc, test_refusals);
	tcase_add_test(tc, test_too_late);
	tcase_add_test(tc, test_asynch);
	tcase_add_test(tc, test_one_blocking);
	tcase_add_test(tc, test_blocking);
	tcase_add_test(tc, test_held);
	tcase_add_test(tc, test_blocking_batch);
	tcase_add_test(tc, test_blocking_exc);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return unit_run(suite());
}
