#include "store_script.h"

/* What the store leaves to who has connections: requests for others, and the
 * ends of pollingChannels. */

static struct rig rig;

#define POA(url) "'rr':true,'srv':['3'],'poa':['" url "']"
#define SGN "'pc':{'m2m:sgn':{'sur':'/id-in/x','vrq':false}}"
#define RSP "'pc':{'m2m:rsp':{'rsc':2000,'rqi':'1'}}"
#define GRP(rn, mid) "'pc':{'m2m:grp':{'rn':'" rn "','mnm':10,'mid':[" mid \
	"]}}"

static const struct row tree[] = {
	{ "AE", C("cse-in", "Ca", 2)
	  "'pc':{'m2m:ae':{'rn':'a','api':'Nx'," POA("http://a/") "}}", 2001,
	  NULL, 0 },
	{ "AE without poa", C("cse-in", "Cb", 2) AE("b"), 2001, NULL, 0 },
	{ "AE that polls", C("cse-in", "Cp", 2) AE("p"), 2001, NULL, 0 },
	{ "its channel", C("cse-in/p", "Cp", 15)
	  "'pc':{'m2m:pch':{'rn':'pch'}}", 2001, NULL, 0 },
	{ "cnt", C("cse-in/a", "Ca", 3) CNT("'rn':'t'"), 2001, NULL, 0 },
	{ "CSE", C("cse-in", "/id-mn", 16) "'pc':{'m2m:csr':{'rn':'mn',"
	  "'cb':'/id-mn/cb','dcse':['/id-leaf']," POA("http://mn/") "}}",
	  2001, NULL, 0 },
	{ "CSE that cannot be reached", C("cse-in", "/id-off", 16)
	  "'pc':{'m2m:csr':{'rn':'off','cb':'/id-off/cb','rr':false,"
	  "'srv':['3'],'poa':['http://off/']}}", 2001, NULL, 0 },
	{ "CSE that polls", C("cse-in", "/id-far", 16)
	  "'pc':{'m2m:csr':{'rn':'far','cb':'/id-far/cb','rr':false,"
	  "'srv':['3']}}", 2001, NULL, 0 },
	{ "its channel", C("cse-in/far", "/id-far", 15)
	  "'pc':{'m2m:pch':{'rn':'q'}}", 2001, NULL, 0 },
	{ "who may notify", C("cse-in/p", "Cp", 1) "'pc':{'m2m:acp':{"
	  "'rn':'acp','pv':{'acr':[{'acor':['Ca','/id-mn/*'],'acop':16}]},"
	  "'pvs':{'acr':[{'acor':['Cp'],'acop':63}]}}}", 2001, NULL, 0 },
	{ "... the AE that polls", U("cse-in/p", "Cp")
	  "'pc':{'m2m:ae':{'acpi':['cse-in/p/acp']}}", 2004, NULL, 0 },
	{ "group", C("cse-in/a", "Ca", 9) GRP("g", "'Ca','/id-mn/Cx'"), 2001,
	  NULL, 0 },
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

static const struct {
	const char *rule;
	const char *request;
	int rsc;
	const char *fr;		/* of the forwarded; NULL: it is not */
	const char *urls, *to;
	bool polls;
} rows[] = {
	{ "NOTIFY to an AE", N("cse-in/a", "CAdmin") SGN, -STORE_FORWARD,
	  "CAdmin", "http://a/\n", "Ca", false },
	{ "... to itself", N("/id-in/Ca", "Ca") SGN, -STORE_FORWARD, "Ca",
	  "http://a/\n", "Ca", false },
	{ "... by a stranger", N("cse-in/a", "Cb") SGN, 4103, NULL, NULL,
	  NULL, false },
	{ "... by who may", N("Cp", "Ca") SGN, -STORE_FORWARD, "Ca", "", "Cp",
	  true },
	{ "... from another CSE", N("Cp", "/id-mn/Cx") SGN, -STORE_FORWARD,
	  "/id-mn/Cx", "", "Cp", true },
	{ "... without a way", N("cse-in/b", "CAdmin") SGN, 5103, NULL, NULL,
	  NULL, false },
	{ "... of nothing to notify", N("cse-in/a", "CAdmin") CNT(""), 4000,
	  NULL, NULL, NULL, false },
	{ "... of two things", N("cse-in/a", "CAdmin")
	  "'pc':{'m2m:sgn':{},'m2m:rsp':{}}", 4000, NULL, NULL, NULL, false },
	{ "... as it came", N("cse-in/a", "CAdmin")
	  "'pc':{'m2m:sgn':{'n':123456789012345678901234567890,'n':1}}",
	  -STORE_FORWARD, "CAdmin", "http://a/\n", "Ca", false },
	{ "NOTIFY to a CSE", N("cse-in/mn", "CAdmin") SGN, -STORE_FORWARD,
	  "/id-in/CAdmin", "http://mn/\n", "/id-mn", false },
	{ "NOTIFY to a container", N("cse-in/a/t", "CAdmin") SGN, 4005, NULL,
	  NULL, NULL, false },

	{ "RETRIEVE of another CSE's", R("/id-mn/cb/x", "Ca"),
	  -STORE_FORWARD, "/id-in/Ca", "http://mn/\n", "/id-mn/cb/x",
	  false },
	{ "absolute", R("//sp/id-mn/cb/x", "/id-in/Ca"), -STORE_FORWARD,
	  "/id-in/Ca", "http://mn/\n", "/id-mn/cb/x", false },
	{ "an attribute of it", R("/id-mn/cb/x#lbl", "Ca"), -STORE_FORWARD,
	  "/id-in/Ca", "http://mn/\n", "/id-mn/cb/x#lbl", false },
	{ "from one CSE to another", R("/id-far/x", "/id-mn/Cx"),
	  -STORE_FORWARD, "/id-mn/Cx", "", "/id-far/x", true },
	{ "what is behind it", U("/id-leaf/x", "Ca") CNT("'mni':1"),
	  -STORE_FORWARD, "/id-in/Ca", "http://mn/\n", "/id-leaf/x", false },
	{ "CREATE", C("/id-mn/cb", "Ca", 3) CNT(""), -STORE_FORWARD,
	  "/id-in/Ca", "http://mn/\n", "/id-mn/cb", false },
	{ "DELETE", D("/id-mn/cb/x", "Ca"), -STORE_FORWARD, "/id-in/Ca",
	  "http://mn/\n", "/id-mn/cb/x", false },
	{ "NOTIFY", N("/id-mn/Cx", "Ca") SGN, -STORE_FORWARD, "/id-in/Ca",
	  "http://mn/\n", "/id-mn/Cx", false },
	{ "rt 2", R("/id-mn/cb/x", "Ca") ",'rt':{'rtv':2}", -STORE_FORWARD,
	  "/id-in/Ca", "http://mn/\n", "/id-mn/cb/x", false },
	{ "what is wrong, it judges", R("/id-mn/cb/x", "Ca") ",'rcn':99",
	  -STORE_FORWARD, "/id-in/Ca", "http://mn/\n", "/id-mn/cb/x",
	  false },
	{ "a registration", C("/id-mn/cb", "Cz", 2) AE("z"), 4000, NULL, NULL,
	  NULL, false },
	{ "no such CSE", R("/id-nobody/x", "Ca"), 4004, NULL, NULL, NULL,
	  false },
	{ "no way to it", R("/id-off/x", "Ca"), 5103, NULL, NULL, NULL,
	  false },
};

static bool str_is(struct str have, const char *want)
{
	return str_eq(have, str_of(want));
}

START_TEST(test_forward)
{
	const char *rule = rows[_i].rule;
	const struct store_event *e;
	int rsc = rig_request(&rig, rows[_i].request);

	ck_assert_msg(rsc == rows[_i].rsc, "%s: %d, %s", rule, rsc,
		      rig.c->why);
	ck_assert_msg(rig.events.count == (rows[_i].fr != NULL ? 1 : 0), "%s",
		      rule);
	if (rows[_i].fr == NULL)
		return;
	e = &rig.events.list[0];
	ck_assert_msg(str_is(e->originator, rows[_i].fr), "%s: %.*s", rule,
		      (int)e->originator.len, e->originator.p);
	ck_assert_msg(str_is(e->route.urls, rows[_i].urls), "%s", rule);
	ck_assert_msg(str_is(e->route.to, rows[_i].to), "%s: %.*s", rule,
		      (int)e->route.to.len, e->route.to.p);
	ck_assert_msg((e->route.channel != 0) == rows[_i].polls, "%s", rule);
	ck_assert(!e->route.exact);
	ck_assert_int_eq(e->ask, STORE_TELL);
}
END_TEST

/* The hosting CSE judges the release; here it is of none. */
START_TEST(test_release)
{
	struct prim request = { .kind = PRIM_REQUEST, .op = OP_RETRIEVE };
	struct store_pass pass = { 0 };

	prim_set_str(&request, PARAM_RQI, STR("1"));
	prim_set_str(&request, PARAM_FR, STR("Ca"));
	prim_set_str(&request, PARAM_TO, STR("/id-mn/x"));
	prim_set_str(&request, PARAM_RVI, STR("99"));
	ck_assert(store_is_read(&request));
	ck_assert_int_eq(store_execute(rig.c, &rig.answer, &rig.events, &pass,
				       &request, rig.now), 0);
	ck_assert_int_eq(pass.outcome, STORE_FORWARD);
	ck_assert_int_eq(rig.answer.rsc, 0);
	ck_assert_ptr_null(rig.answer.content.p);
}
END_TEST

/* Members are notified, none of them waits; other requests do not leave. */
static const struct row groups[] = {
	{ "NOTIFY to all", N("cse-in/a/g/fopt", "Ca") SGN, 2000,
	  "{'m2m:agr':{'m2m:rsp':[{'rsc':2000},{'rsc':2000}]}}", 2 },
	{ "RETRIEVE of all", R("cse-in/a/g/fopt", "Ca"), 2000,
	  "{'m2m:agr':{'m2m:rsp':[{'rsc':2000},{'rsc':5001}]}}", 0 },
};

START_TEST(test_group)
{
	PLAY(groups);
	rig_must(&rig, 2000, groups[0].request);
	ck_assert(str_is(rig.events.list[1].originator, "/id-in/Ca"));
	ck_assert(str_is(rig.events.list[1].route.to, "/id-mn/Cx"));
	ck_assert(str_is(rig.events.list[1].content,
			 "{\"m2m:sgn\":{\"sur\":\"/id-in/x\","
			 "\"vrq\":false}}"));
}
END_TEST

/* ---- pollingChannels ---- */

#define PCU "cse-in/p/pch/pcu"

static const struct row polls[] = {
	{ "its owner", R(PCU, "Cp"), -STORE_POLL, NULL, 0 },
	{ "SP-relative", R("/id-in/" PCU, "/id-in/Cp"), -STORE_POLL, NULL, 0 },
	{ "a stranger", R(PCU, "Ca"), 4103, NULL, 0 },
	{ "the administrator", R(PCU, "CAdmin"), 4103, NULL, 0 },
	{ "a CSE", R("cse-in/far/q/pcu", "/id-far"), -STORE_POLL, NULL, 0 },
	{ "a CSE's AE", R("cse-in/far/q/pcu", "/id-far/Cx"), 4103, NULL, 0 },
	{ "an answer", N(PCU, "Cp") RSP, -STORE_POLL_ANSWER, NULL, 0 },
	{ "an answer of a stranger", N(PCU, "Ca") RSP, 4103, NULL, 0 },
	{ "no answer", N(PCU, "Cp") SGN, 4000, NULL, 0 },
	{ "an answer and more", N(PCU, "Cp")
	  "'pc':{'m2m:rsp':{},'m2m:sgn':{}}", 4000, NULL, 0 },
	{ "CREATE", C(PCU, "Cp", 3) CNT(""), 4005, NULL, 0 },
	{ "UPDATE", U(PCU, "Cp") "'pc':{'m2m:pch':{}}", 4005, NULL, 0 },
	{ "DELETE", D(PCU, "Cp"), 4005, NULL, 0 },
	{ "below it", R(PCU "/x", "Cp"), 4004, NULL, 0 },
	{ "a second one", C("cse-in/p", "Cp", 15) "'pc':{'m2m:pch':{}}", 4105,
	  NULL, 0 },
	{ "another's", C("cse-in/a", "Cb", 15) "'pc':{'m2m:pch':{}}", 4103,
	  NULL, 0 },
	{ "gone", D("cse-in/p/pch", "Cp"), 2002, NULL, 0 },
	{ "... for good", R(PCU, "Cp"), 4004, NULL, 0 },
	{ "anew", C("cse-in/p", "Cp", 15) "'pc':{'m2m:pch':{}}", 2001, NULL,
	  0 },
};

START_TEST(test_polls)
{
	PLAY(polls);
}
END_TEST

/* The right to create in an AE is not one over the way to it. */
START_TEST(test_channel_by_policy)
{
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 1) "'pc':{'m2m:acp':{"
		 "'rn':'acp','pv':{'acr':[{'acor':['all'],'acop':63}]},"
		 "'pvs':{'acr':[{'acor':['all'],'acop':63}]}}}");
	rig_must(&rig, 2004, U("cse-in/a", "Ca")
		 "'pc':{'m2m:ae':{'acpi':['cse-in/a/acp']}}");
	rig_must(&rig, 2001, C("cse-in/a", "Cb", 3) CNT(""));
	rig_must(&rig, 4103, C("cse-in/a", "Cb", 15) "'pc':{'m2m:pch':{}}");
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 15) "'pc':{'m2m:pch':{}}");
}
END_TEST

START_TEST(test_channel)
{
	struct store_target t;

	ck_assert_int_eq(store_resolve(&t, rig.c, STR("cse-in/p/pch")), 0);
	rig_must(&rig, -STORE_POLL, R(PCU, "Cp"));
	ck_assert_int_eq(rig.pass.channel, t.r.id);
	rig_must(&rig, -STORE_POLL_ANSWER, N(PCU, "Cp") RSP);
	ck_assert_int_eq(rig.pass.channel, t.r.id);
	rig_must(&rig, -STORE_FORWARD, N("Cp", "Ca") SGN);
	ck_assert_int_eq(rig.events.list[0].route.channel, t.r.id);
	store_target_deinit(&t);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("store_forward");
	TCase *tc = tcase_create("forward");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_forward, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, test_release);
	tcase_add_test(tc, test_group);
	tcase_add_test(tc, test_polls);
	tcase_add_test(tc, test_channel_by_policy);
	tcase_add_test(tc, test_channel);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return unit_run(suite());
}
