#include "store_script.h"

/* rt 1: requests whose answers wait in a <request>. */

static struct rig rig;

static const struct row tree[] = {
	{ "AE", C("cse-in", "Ca", 2) AE("a"), 2001, NULL, 0 },
	{ "AE", C("cse-in", "Cb", 2) AE("b"), 2001, NULL, 0 },
	{ "cnt", C("cse-in/a", "Ca", 3) CNT("'rn':'t'"), 2001, NULL, 0 },
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

/* The <request> that the last answer named, as its originator sees it. */
static void fetch(char uri[64], const char *fr)
{
	char request[160];
	const char *text = json_string_value(json_object_get(rig.pc,
							     "m2m:uri"));

	ck_assert_ptr_nonnull(text);
	ck_assert(strncmp(text, "cse-in/", 7) == 0);
	snprintf(uri, 64, "%s", text);
	snprintf(request, sizeof(request), "'op':2,'to':'%s','fr':'%s'", uri,
		 fr);
	rig_must(&rig, 2000, request);
}

#define RT1 ",'rt':{'rtv':1}"

static const struct {
	const char *rule;
	const char *request;
	const char *req;	/* what is in the <request> */
} rows[] = {
	{ "RETRIEVE", R("cse-in/a/t#mni", "Ca") RT1,
	  "{'op':2,'tg':'cse-in/a/t#mni','org':'Ca','rid':'r','ty':17,"
	  "'pi':'id-in','rs':2,'ors':{'rsc':4004,'rqi':'r','rvi':'3'},"
	  "'mi':{'rvi':'3','rt':{'rtv':1}},'st':0}" },
	{ "... of what is there", R("cse-in/a/t#rn", "/id-in/Ca") RT1,
	  "{'org':'/id-in/Ca','rs':1,'ors':{'rsc':2000,"
	  "'pc':{'m2m:cnt':{'rn':'t'}}}}" },
	{ "CREATE", C("cse-in/a/t", "Ca", 4) "'rt':{'rtv':1},'rcn':2,"
	  "'ec':'4','da':true,'vsi':'v'," CIN("1"),
	  "{'op':1,'mi':{'ty':4,'rcn':2,'ec':4,'da':true,'vsi':'v'},"
	  "'pc':{'m2m:cin':{'con':'1'}},'rs':1,'ors':{'rsc':2001}}" },
	{ "UPDATE", U("cse-in/a/t", "Ca") "'rt':{'rtv':1}," CNT("'mni':3"),
	  "{'op':3,'rs':1,'ors':{'rsc':2004,'pc':{'m2m:cnt':{'mni':3}}}}" },
	{ "DELETE", D("cse-in/a/t", "Ca") RT1,
	  "{'op':4,'rs':1,'ors':{'rsc':2002}}" },
	{ "refused", D("cse-in/a/t", "Cb") RT1,
	  "{'org':'Cb','rs':2,'ors':{'rsc':4103}}" },
	{ "refused for its content", U("cse-in/a/t", "Ca")
	  "'rt':{'rtv':1},'pc':{'m2m:cnt':{'mni':99999999999999999999}}",
	  "{'rs':2,'ors':{'rsc':4000}}" },
	{ "a part of the whole", R("cse-in", "CAdmin") RT1
	  ",'fc':{'fu':1,'lim':1}", "{'mi':{'fc':{'fu':1,'lim':1}},"
	  "'ors':{'rsc':2000,'cnst':1,'cnot':2}}" },
};

START_TEST(test_kept)
{
	json_t *want = script_parse(rows[_i].req);
	char uri[64], *text;

	rig_must(&rig, 1001, rows[_i].request);
	ck_assert(!prim_has(&rig.answer, PARAM_CNST));
	fetch(uri, "CAdmin");
	text = json_dumps(rig.pc, JSON_COMPACT);
	ck_assert_msg(rig_holds(json_object_get(rig.pc, "m2m:req"), want),
		      "%s: %s", rows[_i].rule, text);
	free(text);
	json_decref(want);
}
END_TEST

/* It was done when it was acknowledged. */
START_TEST(test_done)
{
	rig_must(&rig, 1001, C("cse-in/a/t", "Ca", 4) "'rt':{'rtv':1},"
		 CIN("1"));
	rig_must(&rig, 2000, R("cse-in/a/t/la", "Ca"));
	rig_must(&rig, 1001, C("cse-in/a", "Cb", 3) "'rt':{'rtv':1},"
		 CNT("'rn':'no'"));
	rig_must(&rig, 4004, R("cse-in/a/no", "Ca"));
}
END_TEST

/* What cannot be told did not happen. */
START_TEST(test_failure)
{
	struct prim request = { .kind = PRIM_REQUEST, .op = OP_DELETE };
	struct store_pass pass = { 0 };

	prim_set_str(&request, PARAM_RQI, STR("1"));
	prim_set_str(&request, PARAM_RVI, STR("3"));
	prim_set_str(&request, PARAM_FR, STR("Ca"));
	prim_set_str(&request, PARAM_TO, STR("cse-in/a/t"));
	prim_set(&request, PARAM_RT, VALUE_JSON, STR("{\"rtv\":1}"));
	ck_assert_int_eq(sqlite3_exec(rig.c->db, "CREATE TEMP TRIGGER full "
				      "BEFORE INSERT ON resource BEGIN "
				      "SELECT RAISE(ABORT, 'full'); END",
				      NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(store_begin(rig.c), 0);
	ck_assert_int_lt(store_execute(rig.c, &rig.answer, &rig.events, &pass,
				       &request, rig.now), 0);
	ck_assert_int_eq(store_commit(rig.c), 0);
	ck_assert_uint_eq(rig.events.count, 0);
	rig_must(&rig, 2000, R("cse-in/a/t", "Ca"));
}
END_TEST

/* ---- whose it is ---- */

static const struct {
	const char *rule;
	const char *request;	/* %s: the <request> */
	int rsc;
} rights[] = {
	{ "its originator", "'op':2,'to':'%s','fr':'Ca'", 2000 },
	{ "... SP-relative", "'op':2,'to':'%s','fr':'/id-in/Ca'", 2000 },
	{ "the administrator", "'op':2,'to':'%s','fr':'CAdmin'", 2000 },
	{ "a stranger", "'op':2,'to':'%s','fr':'Cb'", 4103 },
	{ "a stranger deletes", "'op':4,'to':'%s','fr':'Cb'", 4103 },
	{ "UPDATE", "'op':3,'to':'%s','fr':'Ca',"
	  "'pc':{'m2m:req':{'lbl':['x']}}", 4005 },
	{ "CREATE below", "'op':1,'to':'%s','fr':'Ca','ty':3,"
	  "'pc':{'m2m:cnt':{}}", 4108 },
	{ "NOTIFY", "'op':5,'to':'%s','fr':'Ca','pc':{'m2m:sgn':{}}", 4005 },
	{ "deletes", "'op':4,'to':'%s','fr':'Ca'", 2002 },
	{ "gone", "'op':2,'to':'%s','fr':'Ca'", 4004 },
};

START_TEST(test_rights)
{
	char uri[64], request[200];

	rig_must(&rig, 1001, R("cse-in/a/t", "Ca") RT1);
	fetch(uri, "Ca");
	rig_must(&rig, 2000, R("cse-in", "Cb") ",'fc':{'fu':1,'ty':[17]}");
	ck_assert_uint_eq(json_array_size(json_object_get(rig.pc, "m2m:uril")),
			  0);
	rig_must(&rig, 2000, R("cse-in", "Ca") ",'fc':{'fu':1,'ty':[17]}");
	ck_assert_uint_eq(json_array_size(json_object_get(rig.pc, "m2m:uril")),
			  1);
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		const char *at = strstr(rights[i].request, "%s");

		snprintf(request, sizeof(request), "%.*s%s%s",
			 (int)(at - rights[i].request), rights[i].request, uri,
			 at + 2);
		ck_assert_msg(rig_request(&rig, request) == rights[i].rsc,
			      "%s: %s", rights[i].rule, rig.c->why);
	}
}
END_TEST

/* ---- for how long ---- */

static const struct {
	const char *rule;
	const char *more;
	int rsc;
	const char *et;
} times[] = {
	{ "five minutes", "", 1001, "20260601T080500,000" },
	{ "rp, absolute", ",'rp':'20260601T090000'", 1001,
	  "20260601T090000,000" },
	{ "rp, ms", ",'rp':60000", 1001, "20260601T080100,000" },
	{ "rp, ms as text", ",'rp':'60000'", 1001, "20260601T080100,000" },
	{ "rp, duration", ",'rp':'PT2H'", 1001, "20260601T100000,000" },
	{ "rset", ",'rset':'PT1H'", 1001, "20260601T090000,000" },
	{ "rp goes before rset", ",'rset':'PT1H','rp':'PT2H'", 1001,
	  "20260601T100000,000" },
	{ "no longer than anything", ",'rp':'P1Y'", 1001,
	  "20260602T080000,000" },
	{ "rp is too large", ",'rp':9223372036854775807", 1001,
	  "20260602T080000,000" },
	{ "rp has passed", ",'rp':'20260601T075959'", 4000, NULL },
	{ "rp is no time", ",'rp':'soon'", 4000, NULL },
	{ "rset has passed", ",'rset':'20260601T075959'", 4008, NULL },
};

START_TEST(test_time)
{
	struct buf request = { 0 };
	char uri[64];
	json_t *et;

	buf_add_str(&request, STR(R("cse-in/a/t", "Ca") RT1));
	buf_add_str(&request, str_of(times[_i].more));
	buf_add_char(&request, '\0');
	rig.now = RIG_NOW;
	rig_must(&rig, times[_i].rsc, request.p);
	buf_deinit(&request);
	if (times[_i].et == NULL)
		return;
	fetch(uri, "Ca");
	et = json_object_get(json_object_get(rig.pc, "m2m:req"), "et");
	ck_assert_str_eq(json_string_value(et), times[_i].et);
}
END_TEST

START_TEST(test_expires)
{
	char uri[64];

	rig.now = RIG_NOW;
	rig_must(&rig, 1001, R("cse-in/a/t", "Ca") RT1);
	fetch(uri, "Ca");
	ck_assert_int_eq(store_begin(rig.c), 0);
	ck_assert_int_eq(store_expire(rig.c, &rig.events, RIG_NOW + 299999,
				      9), 0);
	ck_assert_int_eq(store_expire(rig.c, &rig.events, RIG_NOW + 300000,
				      9), 1);
	ck_assert_int_eq(store_commit(rig.c), 0);
}
END_TEST

/* ---- beside other things ---- */

#define SUB(rn, nu, net) "'pc':{'m2m:sub':{'rn':'" rn "','nu':['" nu \
	"'],'enc':{'net':[" net "]},'nct':3}}"

static const struct row beside[] = {
	{ "who asks somebody", C("cse-in/a/t", "Ca", 23) "'rt':{'rtv':1},"
	  SUB("s", "Cb", "3"), 1001, NULL, 1 },
	{ "... is heard then", C("cse-in/a/t", "Ca", 4) "'rt':{'rtv':1},"
	  CIN("1"), 1001, NULL, 1 },
	{ "a child of the CSEBase", C("cse-in", "CAdmin", 23)
	  SUB("s", "Ca", "3"), 2001, NULL, 1 },
	{ "... is told of", R("cse-in/a/t", "Ca") RT1, 1001, NULL, 1 },
	{ "through a group", C("cse-in/a", "Ca", 9)
	  "'pc':{'m2m:grp':{'rn':'g','mnm':3,'mid':['cse-in/a/t']}}", 2001,
	  NULL, 0 },
	{ "... once", R("cse-in/a/g/fopt", "Ca") RT1, 1001, NULL, 1 },
	{ "no type to create", C("cse-in", "CAdmin", 17)
	  "'pc':{'m2m:req':{'rn':'x'}}", 4005, NULL, 0 },
	{ "what is forwarded is forwarded", C("cse-in", "/id-mn", 16)
	  "'pc':{'m2m:csr':{'cb':'/id-mn/cb','rr':true,'srv':['3'],"
	  "'poa':['http://mn/']}}", 2001, NULL, 1 },
	{ "... as it is", R("/id-mn/x", "Ca") RT1, -STORE_FORWARD, NULL, 1 },
};

START_TEST(test_beside)
{
	PLAY(beside);
}
END_TEST

/* Bytes that a JSON string may hold, but none of C. */
START_TEST(test_odd_originator)
{
	char uri[64];

	rig_must(&rig, 1001, R("cse-in/a/t", "C\\u0000a") RT1);
	fetch(uri, "CAdmin");
	ck_assert_uint_eq(json_string_length(json_object_get(
				  json_object_get(rig.pc, "m2m:req"), "org")),
			  3);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("store_request");
	TCase *tc = tcase_create("request");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_kept, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, test_done);
	tcase_add_test(tc, test_failure);
	tcase_add_test(tc, test_rights);
	tcase_add_loop_test(tc, test_time, 0, (int)ARRAY_LEN(times));
	tcase_add_test(tc, test_expires);
	tcase_add_test(tc, test_beside);
	tcase_add_test(tc, test_odd_originator);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return unit_run(suite());
}
