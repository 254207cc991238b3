#include "store_script.h"

/* Requests and their answers, through store_execute(). */

static struct rig rig;

static void setup(void)
{
	rig_open(&rig);
}

static void teardown(void)
{
	rig_close(&rig);
}

/* ---- who registers ---- */

static const struct row registration[] = {
	{ "an AE chooses its id", C("cse-in", "Ca", 2) AE("a"), 2001,
	  "{'m2m:ae':{'rn':'a','ri':'Ca','aei':'Ca','pi':'id-in','ty':2}}", 0 },
	{ "... and its name", R("cse-in/a", "Ca"), 2000,
	  "{'m2m:ae':{'ri':'Ca'}}", 0 },
	{ "... once", C("cse-in", "Ca", 2) AE("b"), 4117, NULL, 0 },
	{ "... also SP-relative", C("cse-in", "/id-in/Ca", 2) AE("b"), 4117,
	  NULL, 0 },
	{ "a name is taken once", C("cse-in", "Cb", 2) AE("a"), 4105, NULL,
	  0 },
	{ "the refused may come again", C("cse-in", "Cb", 2) AE("b"), 2001,
	  NULL, 0 },
	{ "SP-relative AE-ID", C("cse-in", "/id-in/Cc", 2) AE("c"), 2001,
	  "{'m2m:ae':{'ri':'Cc','aei':'Cc'}}", 0 },
	{ "given one: C", C("cse-in", "C", 2) AE("d"), 2001,
	  "{'m2m:ae':{'rn':'d'}}", 0 },
	{ "given one: S", C("cse-in", "S", 2) AE("e"), 2001,
	  "{'m2m:ae':{'rn':'e'}}", 0 },
	{ "given one: no fr", "'op':1,'to':'cse-in','ty':2," AE("f"), 2001,
	  "{'m2m:ae':{'rn':'f'}}", 0 },
	{ "given one: empty fr", C("cse-in", "", 2) AE("g"), 2001,
	  "{'m2m:ae':{'rn':'g'}}", 0 },
	{ "fr is no AE-ID", C("cse-in", "meter", 2) AE("h"), 4000, NULL, 0 },
	{ "fr has a blank", C("cse-in", "Cx y", 2) AE("h"), 4000, NULL, 0 },
	{ "an id that looks like a row", C("cse-in", "Ccnt1", 2) AE("h"), 2001,
	  NULL, 0 },
	{ "mandatory: api", C("cse-in", "Ci", 2)
	  "'pc':{'m2m:ae':{'rr':true,'srv':['3']}}", 4000, NULL, 0 },
	{ "api begins with N or R", C("cse-in", "Ci", 2)
	  "'pc':{'m2m:ae':{'api':'x','rr':true,'srv':['3']}}", 4000, NULL,
	  0 },
	{ "only below the CSEBase", C("cse-in/a", "CAdmin", 2) AE("x"), 4108,
	  NULL, 0 },
	{ "a CSE", C("cse-in", "/id-mn", 16) "'pc':{'m2m:csr':{'rn':'mn',"
	  "'cb':'/id-mn/mn','rr':true,'srv':['3']}}", 2001,
	  "{'m2m:csr':{'ri':'id-mn','csi':'/id-mn','ty':16}}", 0 },
	{ "a CSE, once", C("cse-in", "/id-mn", 16) "'pc':{'m2m:csr':{"
	  "'cb':'/id-mn/mn','rr':true,'srv':['3']}}", 4117, NULL, 0 },
	{ "csi is as it registered", R("id-mn", "/id-mn"), 2000,
	  "{'m2m:csr':{'rn':'mn'}}", 0 },
	{ "fr is no CSE-ID", C("cse-in", "CAdmin", 16) "'pc':{'m2m:csr':{"
	  "'cb':'/id-mn/mn','rr':true,'srv':['3']}}", 4000, NULL, 0 },
	{ "a stranger's CSE", D("id-mn", "Ca"), 4103, NULL, 0 },
	{ "deregistration", D("cse-in/a", "Ca"), 2002, "", 0 },
	{ "gone", R("Ca", "CAdmin"), 4004, NULL, 0 },
	{ "registers again", C("cse-in", "Ca", 2) AE("a"), 2001, NULL, 0 },
};

START_TEST(test_registration)
{
	PLAY(registration);
}
END_TEST

/* The id that the CSE gives has the letter that was asked for. */
START_TEST(test_given_ids)
{
	char *first;
	const char *aei;

	rig_must(&rig, 2001, C("cse-in", "S", 2) AE("s1"));
	aei = json_string_value(json_object_get(
		json_object_get(rig.pc, "m2m:ae"), "aei"));
	ck_assert_msg(aei[0] == 'S' && strlen(aei) > 8, "%s", aei);
	first = strdup(aei);
	rig_must(&rig, 2001, C("cse-in", "S", 2) AE("s2"));
	aei = json_string_value(json_object_get(
		json_object_get(rig.pc, "m2m:ae"), "aei"));
	ck_assert_str_ne(first, aei);
	free(first);
}
END_TEST

/* ---- the five operations and rcn ---- */

static const struct row operations[] = {
	{ "AE", C("cse-in", "Ca", 2) AE("a"), 2001, NULL, 0 },
	{ "CREATE", C("cse-in/a", "Ca", 3) CNT("'rn':'t','lbl':['x']"), 2001,
	  "{'m2m:cnt':{'rn':'t','lbl':['x'],'cni':0,'cbs':0,'st':0,"
	  "'pi':'Ca'}}", 0 },
	{ "a name", C("Ca", "Ca", 3) CNT(""), 2001, NULL, 0 },
	{ "rcn 0", C("cse-in/a", "Ca", 3) "'rcn':0," CNT("'rn':'r0'"), 2001,
	  "", 0 },
	{ "rcn 1", C("cse-in/a", "Ca", 3) "'rcn':1," CNT("'rn':'r1'"), 2001,
	  "{'m2m:cnt':{'rn':'r1'}}", 0 },
	{ "rcn 2", C("cse-in/a", "Ca", 3) "'rcn':2," CNT("'rn':'r2'"), 2001,
	  "{'m2m:uri':'cse-in/a/r2'}", 0 },
	{ "rcn 3", C("cse-in/a", "Ca", 3) "'rcn':3," CNT("'rn':'r3'"), 2001,
	  "{'m2m:rce':{'m2m:cnt':{'rn':'r3'},'uri':'cse-in/a/r3'}}", 0 },
	{ "rcn 9", C("cse-in/a", "Ca", 3) "'rcn':9," CNT("'rn':'r9'"), 2001,
	  "{'m2m:cnt':{'cni':0,'ty':3,'pi':'Ca'}}", 0 },
	{ "rcn 4 is no CREATE's", C("cse-in/a", "Ca", 3) "'rcn':4," CNT(""),
	  4000, NULL, 0 },
	{ "rcn as text", C("cse-in/a", "Ca", 3) "'rcn':'2'," CNT("'rn':'rt'"),
	  2001, "{'m2m:uri':'cse-in/a/rt'}", 0 },
	{ "rcn 99", C("cse-in/a", "Ca", 3) "'rcn':99," CNT(""), 4000, NULL,
	  0 },
	{ "rcn -1", C("cse-in/a", "Ca", 3) "'rcn':-1," CNT(""), 4000, NULL,
	  0 },
	{ "a name twice", C("cse-in/a", "Ca", 3) CNT("'rn':'t'"), 4105, NULL,
	  0 },
	{ "instance", C("cse-in/a/t", "Ca", 4) CIN("21.5"), 2001,
	  "{'m2m:cin':{'con':'21.5','cs':4,'st':1}}", 0 },
	{ "counted", R("cse-in/a/t", "Ca"), 2000,
	  "{'m2m:cnt':{'cni':1,'cbs':4,'st':1}}", 0 },
	{ "la", R("cse-in/a/t/la", "Ca"), 2000,
	  "{'m2m:cin':{'con':'21.5'}}", 0 },
	{ "UPDATE", U("cse-in/a/t", "Ca") CNT("'mni':5"), 2004,
	  "{'m2m:cnt':{'rn':'t','mni':5,'lbl':['x']}}", 0 },
	{ "UPDATE rcn 0", U("cse-in/a/t", "Ca") "'rcn':0," CNT("'mni':6"),
	  2004, "", 0 },
	{ "UPDATE rcn 9", U("cse-in/a/t", "Ca") "'rcn':9," CNT("'mni':7"),
	  2004, "{'m2m:cnt':{'mni':7,'st':4}}", 0 },
	{ "UPDATE rcn 2", U("cse-in/a/t", "Ca") "'rcn':2," CNT("'mni':7"),
	  4000, NULL, 0 },
	{ "null removes", U("cse-in/a/t", "Ca") CNT("'lbl':null"), 2004, NULL,
	  0 },
	{ "UPDATE of another type", U("cse-in/a/t", "Ca")
	  "'pc':{'m2m:ae':{'lbl':['x']}}", 4000, NULL, 0 },
	{ "two members", U("cse-in/a/t", "Ca")
	  "'pc':{'m2m:cnt':{},'m2m:ae':{}}", 4000, NULL, 0 },
	{ "no object", U("cse-in/a/t", "Ca") "'pc':{'m2m:cnt':5}", 4000,
	  NULL, 0 },
	{ "a member twice", U("cse-in/a/t", "Ca")
	  "'pc':{'m2m:cnt':{'mni':1,'mni':2}}", 4000, NULL, 0 },
	{ "condition", U("cse-in/a/t", "Ca") "'fc':{'ty':[2]}," CNT("'mni':1"),
	  4004, NULL, 0 },
	{ "condition met", U("cse-in/a/t", "Ca") "'fc':{'ty':[3]},"
	  CNT("'mni':8"), 2004, NULL, 0 },
	{ "fc in a CREATE", C("cse-in/a/t", "Ca", 4) "'fc':{'ty':[3]},"
	  CIN("1"), 4000, NULL, 0 },
	{ "UPDATE of an instance", U("cse-in/a/t/la", "Ca")
	  "'pc':{'m2m:cin':{'lbl':['x']}}", 4005, NULL, 0 },
	{ "CREATE below la", C("cse-in/a/t/la", "Ca", 4) CIN("1"), 4005, NULL,
	  0 },
	{ "UPDATE of the CSEBase", U("cse-in", "CAdmin")
	  "'pc':{'m2m:cb':{'lbl':['x']}}", 4005, NULL, 0 },
	{ "DELETE of the CSEBase", D("cse-in", "CAdmin"), 4005, NULL, 0 },
	{ "CREATE of a CSEBase", C("cse-in", "CAdmin", 5)
	  "'pc':{'m2m:cb':{'rn':'x'}}", 4005, NULL, 0 },
	{ "CREATE of a request", C("cse-in", "CAdmin", 17)
	  "'pc':{'m2m:req':{'rn':'x'}}", 4005, NULL, 0 },
	{ "no such type", C("cse-in/a", "Ca", 999) CNT(""), 4000, NULL, 0 },
	{ "a type that is not served", C("cse-in", "CAdmin", 18)
	  "'pc':{'m2m:sch':{}}", 5001, NULL, 0 },
	{ "ty is not of pc", C("cse-in/a", "Ca", 3)
	  "'pc':{'m2m:ae':{}}", 4000, NULL, 0 },
	{ "DELETE", D("cse-in/a/r0", "Ca"), 2002, "", 0 },
	{ "DELETE rcn 1", D("cse-in/a/r1", "Ca") ",'rcn':1", 2002,
	  "{'m2m:cnt':{'rn':'r1'}}", 0 },
	{ "DELETE rcn 3", D("cse-in/a/r2", "Ca") ",'rcn':3", 4000, NULL, 0 },
	{ "DELETE, condition", D("cse-in/a/r2", "Ca") ",'fc':{'ty':[2]}",
	  4004, NULL, 0 },
	{ "DELETE of what is gone", D("cse-in/a/r0", "Ca"), 4004, NULL, 0 },
	{ "DELETE of la", D("cse-in/a/t/la", "Ca"), 2002, NULL, 0 },
	{ "... counted", R("cse-in/a/t", "Ca"), 2000,
	  "{'m2m:cnt':{'cni':0,'cbs':0}}", 0 },
	{ "DELETE of la of nothing", D("cse-in/a/t/la", "Ca"), 4004, NULL, 0 },
	{ "... by a stranger", D("cse-in/a/t/la", "Cz"), 4103, NULL, 0 },
	{ "DELETE takes all below", D("cse-in/a", "Ca"), 2002, NULL, 0 },
	{ "... the container", R("cse-in/a/t", "CAdmin"), 4004, NULL, 0 },
};

START_TEST(test_operations)
{
	PLAY(operations);
	ck_assert(prim_has(&rig.answer, PARAM_RQI));
	ck_assert(str_eq(prim_text(&rig.answer, PARAM_RQI), STR("r")));
	ck_assert(str_eq(prim_text(&rig.answer, PARAM_RVI), STR("3")));
}
END_TEST

/* ---- ids ---- */

static const struct row ids[] = {
	{ "AE", C("cse-in", "Ca", 2) AE("a"), 2001, NULL, 0 },
	{ "container", C("cse-in/a", "Ca", 3) CNT("'rn':'t'"), 2001, NULL, 0 },
	{ "instance", C("cse-in/a/t", "Ca", 4) CIN("1"), 2001, NULL, 0 },
	{ "structured", R("cse-in/a/t", "Ca"), 2000, NULL, 0 },
	{ "hyphen", R("-/a/t", "Ca"), 2000, NULL, 0 },
	{ "SP-relative", R("/id-in/cse-in/a/t", "Ca"), 2000, NULL, 0 },
	{ "SP-relative hyphen", R("/id-in/-/a/t", "Ca"), 2000, NULL, 0 },
	{ "absolute", R("//acme.example.com/id-in/cse-in/a/t", "Ca"), 2000,
	  NULL, 0 },
	{ "unstructured", R("Ca", "Ca"), 2000, NULL, 0 },
	{ "SP-relative unstructured", R("/id-in/Ca", "Ca"), 2000, NULL, 0 },
	{ "CSEBase by id", R("id-in", "Ca"), 2000, NULL, 0 },
	{ "CSEBase by name", R("cse-in", "Ca"), 2000, NULL, 0 },
	{ "CSEBase, hyphen", R("-", "Ca"), 2000, NULL, 0 },
	{ "the CSE-ID is no resource", R("/id-in", "Ca"), 4000, NULL, 0 },
	{ "trailing slash", R("cse-in/a/t/", "Ca"), 4000, NULL, 0 },
	{ "double slash", R("cse-in//a", "Ca"), 4004, NULL, 0 },
	{ "another CSE", R("/id-nobody/x", "Ca"), 4004, NULL, 0 },
	{ "a CSE-ID that begins as ours", R("/id-in2/cse-in", "Ca"), 4004,
	  NULL, 0 },
	{ "no such name", R("cse-in/a/nix", "Ca"), 4004, NULL, 0 },
	{ "no such id", R("cnt99", "Ca"), 4004, NULL, 0 },
	{ "case matters", R("cse-in/A", "Ca"), 4004, NULL, 0 },
	{ "below la", R("cse-in/a/t/la/x", "Ca"), 4004, NULL, 0 },
	{ "an attribute", R("cse-in/a/t#cni", "Ca"), 2000,
	  "{'m2m:cnt':{'cni':1}}", 0 },
	{ "an attribute of others", R("cse-in/a/t#foo", "Ca"), 4000, NULL, 0 },
	{ "only to retrieve", D("cse-in/a/t#cni", "Ca"), 4000, NULL, 0 },
};

START_TEST(test_ids)
{
	PLAY(ids);
}
END_TEST

/* An unstructured id, with and without a virtual child. */
START_TEST(test_generated_ids)
{
	char request[256], ri[64];

	rig_must(&rig, 2001, C("cse-in", "Ca", 2) AE("a"));
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 3) CNT(""));
	snprintf(ri, sizeof(ri), "%s",
		 json_string_value(json_object_get(
			 json_object_get(rig.pc, "m2m:cnt"), "ri")));
	snprintf(request, sizeof(request), "'op':1,'to':'%s','fr':'Ca',"
		 "'ty':4,'pc':{'m2m:cin':{'con':'7'}}", ri);
	rig_must(&rig, 2001, request);
	snprintf(request, sizeof(request), "'op':2,'to':'%s/la','fr':'Ca'",
		 ri);
	rig_must(&rig, 2000, request);
	snprintf(request, sizeof(request), "'op':2,'to':'%s/x','fr':'Ca'", ri);
	rig_must(&rig, 4004, request);
}
END_TEST

/* ---- what goes below what; the model and other tests do the rest ---- */

static const struct {
	const char *to;
	const char *what;
	bool allowed;
} nesting[] = {
	{ "cse-in", "3,'pc':{'m2m:cnt':{}}", true },
	{ "cse-in", "4,'pc':{'m2m:cin':{'con':'1'}}", false },
	{ "cse-in", "15,'pc':{'m2m:pch':{}}", false },
	{ "cse-in/a", "4,'pc':{'m2m:cin':{'con':'1'}}", false },
	{ "cse-in/a", "15,'pc':{'m2m:pch':{}}", true },
	{ "cse-in/a", "16,'pc':{'m2m:csr':{}}", false },
	{ "cse-in/a/t", "3,'pc':{'m2m:cnt':{}}", true },
	{ "cse-in/a/t", "4,'pc':{'m2m:cin':{'con':'1'}}", true },
	{ "cse-in/a/t", "9,'pc':{'m2m:grp':{'mnm':1,'mid':[]}}", false },
	{ "cse-in/a/t", "1,'pc':{'m2m:acp':{}}", false },
	{ "cse-in/a/t/i", "4,'pc':{'m2m:cin':{'con':'1'}}", false },
	{ "cse-in/a/t/i", "23,'pc':{'m2m:sub':{'nu':['http://h/']}}", false },
	{ "cse-in/a/g", "23,'pc':{'m2m:sub':{'nu':['Ca']}}", true },
	{ "cse-in/a/g", "3,'pc':{'m2m:cnt':{}}", false },
	{ "cse-in/a/f", "28,'pc':{'cod:x':{'cnd':'x'}}", true },
	{ "cse-in/a/f", "4,'pc':{'m2m:cin':{'con':'1'}}", false },
	{ "cse-in/a/s", "3,'pc':{'m2m:cnt':{}}", false },
};

static const struct row one_of_each[] = {
	{ "AE", C("cse-in", "Ca", 2) AE("a"), 2001, NULL, 0 },
	{ "cnt", C("cse-in/a", "Ca", 3) CNT("'rn':'t'"), 2001, NULL, 0 },
	{ "cin", C("cse-in/a/t", "Ca", 4)
	  "'pc':{'m2m:cin':{'rn':'i','con':'1'}}", 2001, NULL, 0 },
	{ "grp", C("cse-in/a", "Ca", 9)
	  "'pc':{'m2m:grp':{'rn':'g','mnm':5,'mid':[]}}", 2001, NULL, 0 },
	{ "fcnt", C("cse-in/a", "Ca", 28)
	  "'pc':{'cod:color':{'rn':'f','cnd':'x','red':1}}", 2001,
	  "{'cod:color':{'red':1}}", 0 },
	{ "sub", C("cse-in/a", "Ca", 23)
	  "'pc':{'m2m:sub':{'rn':'s','nu':['Ca']}}", 2001, NULL, 0 },
};

START_TEST(test_nesting)
{
	char request[256];
	int want = nesting[_i].allowed ? 2001 : 4108;

	PLAY(one_of_each);
	snprintf(request, sizeof(request),
		 "'op':1,'to':'%s','fr':'CAdmin','ty':%s", nesting[_i].to,
		 nesting[_i].what);
	/* the Admin's own subscription would have to be verified */
	rig_must(&rig, want, request);
}
END_TEST

/* ---- what is refused first ---- */

static const struct row order[] = {
	{ "AE", C("cse-in", "Ca", 2) AE("a"), 2001, NULL, 0 },
	{ "cnt", C("cse-in/a", "Ca", 3) CNT("'rn':'t'"), 2001, NULL, 0 },
	{ "4004 before 4103", R("cse-in/a/nix", "Cz"), 4004, NULL, 0 },
	{ "4103 before 4108", C("cse-in/a", "Cz", 4) CIN("1"), 4103, NULL, 0 },
	{ "4108 before 4000", C("cse-in/a", "Ca", 4)
	  "'pc':{'m2m:cnt':{'foo':1}}", 4108, NULL, 0 },
	{ "4103 before 4000", C("cse-in/a", "Cz", 3) CNT("'foo':1"), 4103,
	  NULL, 0 },
	{ "4000 before 4105", C("cse-in/a", "Ca", 3) CNT("'rn':'t','foo':1"),
	  4000, NULL, 0 },
	{ "UPDATE: 4103 before 4000", U("cse-in/a/t", "Cz") CNT("'foo':1"),
	  4103, NULL, 0 },
	{ "UPDATE: 4103 before fc", U("cse-in/a/t", "Cz") "'fc':{'ty':[2]},"
	  CNT("'mni':1"), 4103, NULL, 0 },
	{ "DELETE: 4103 before fc", D("cse-in/a/t", "Cz") ",'fc':{'ty':[2]}",
	  4103, NULL, 0 },
	{ "nothing of it was done", R("cse-in/a/t", "Ca"), 2000,
	  "{'m2m:cnt':{'st':0}}", 0 },
};

START_TEST(test_order)
{
	PLAY(order);
}
END_TEST

/* ---- groups ---- */

#define GRP(rn, mid) "'pc':{'m2m:grp':{'rn':'" rn "','mnm':10,'mid':[" mid \
	"]}}"
#define AGR(answers) "{'m2m:agr':{'m2m:rsp':[" answers "]}}"

static const struct row groups[] = {
	{ "AE", C("cse-in", "Ca", 2) AE("a"), 2001, NULL, 0 },
	{ "cnt", C("cse-in/a", "Ca", 3) CNT("'rn':'t1'"), 2001, NULL, 0 },
	{ "cnt", C("cse-in/a", "Ca", 3) CNT("'rn':'t2'"), 2001, NULL, 0 },
	{ "group", C("cse-in/a", "Ca", 9) GRP("g", "'cse-in/a/t1',"
	  "'cse-in/a/t2'"), 2001, "{'m2m:grp':{'cnm':2,'mtv':true}}", 0 },
	{ "CREATE", C("cse-in/a/g/fopt", "Ca", 4) CIN("fan"), 2000,
	  AGR("{'rsc':2001,'rqi':'r','rvi':'3','pc':{'m2m:cin':{'con':'fan'}}}"
	  ",{'rsc':2001}"), 0 },
	{ "a path below", R("cse-in/a/g/fopt/la", "Ca"), 2000,
	  AGR("{'rsc':2000,'pc':{'m2m:cin':{'con':'fan'}}},{'rsc':2000}"),
	  0 },
	{ "UPDATE", U("cse-in/a/g/fopt", "Ca") CNT("'mni':3"), 2000,
	  AGR("{'rsc':2004,'pc':{'m2m:cnt':{'mni':3}}},{'rsc':2004}"), 0 },
	{ "each is judged by itself", U("cse-in/a/t1", "Ca") CNT("'mbs':5"),
	  2004, NULL, 0 },
	{ "... one refuses", C("cse-in/a/g/fopt", "Ca", 4) CIN("longer"),
	  2000, AGR("{'rsc':5207},{'rsc':2001}"), 0 },
	{ "... and is as it was", R("cse-in/a/t1", "Ca"), 2000,
	  "{'m2m:cnt':{'cni':1,'st':3}}", 0 },
	{ "a stranger", R("cse-in/a/g/fopt", "Cz"), 4103, NULL, 0 },
	{ "another AE", C("cse-in", "Cb", 2) AE("b"), 2001, NULL, 0 },
	{ "its group of others' resources", C("cse-in/b", "Cb", 9)
	  GRP("g", "'cse-in/a/t1'"), 4103, NULL, 0 },
	{ "... of none", C("cse-in/b", "Cb", 9) GRP("g", ""), 2001, NULL, 0 },
	{ "... that become members", U("cse-in/b/g", "Cb")
	  "'pc':{'m2m:grp':{'mid':['cse-in/a/t1']}}", 4103, NULL, 0 },
	{ "grtm", R("cse-in/a/g/fopt", "Ca") ",'grtm':['cse-in/a/t1']", 5001,
	  NULL, 0 },
	{ "a group of groups", C("cse-in/a", "Ca", 9)
	  GRP("h", "'cse-in/a/g/fopt','cse-in/a/t1'"), 2001, NULL, 0 },
	{ "... in its turn", R("cse-in/a/h/fopt", "Ca"), 2000,
	  AGR("{'rsc':2000,'pc':{'m2m:agr':{'m2m:rsp':[{'rsc':2000},"
	  "{'rsc':2000}]}}},{'rsc':2000}"), 0 },
	{ "a loop", U("cse-in/a/g", "Ca")
	  "'pc':{'m2m:grp':{'mid':['cse-in/a/h/fopt','cse-in/a/t2']}}", 2004,
	  NULL, 0 },
	{ "... has an end", R("cse-in/a/g/fopt", "Ca"), 2000,
	  AGR("{'rsc':2000,'pc':{'m2m:agr':{'m2m:rsp':[{'rsc':4104},"
	  "{'rsc':2000}]}}},{'rsc':2000}"), 0 },
	{ "a member gone", D("cse-in/a/t2", "Ca"), 2002, NULL, 0 },
	{ "... is told", R("cse-in/a/g/fopt", "Ca"), 2000,
	  AGR("{'rsc':2000},{'rsc':4004}"), 0 },
	{ "empty", U("cse-in/a/g", "Ca") "'pc':{'m2m:grp':{'mid':[]}}", 2004,
	  NULL, 0 },
	{ "... 4109", R("cse-in/a/g/fopt", "Ca"), 4109, NULL, 0 },
	{ "DELETE", D("cse-in/a/h/fopt", "Ca"), 2000,
	  AGR("{'rsc':4109},{'rsc':2002}"), 0 },
};

START_TEST(test_groups)
{
	PLAY(groups);
}
END_TEST

/* ---- what is sent ---- */

#define SGN "'pc':{'m2m:sgn':{'sur':'/id-in/x','vrq':false}}"
#define SUB(rn, nu) "'pc':{'m2m:sub':{'rn':'" rn "','nu':['" nu "']," \
	"'enc':{'net':[3]},'nct':1}}"

static const struct row notifications[] = {
	{ "AE", C("cse-in", "Ca", 2) AE("a"), 2001, NULL, 0 },
	{ "AE", C("cse-in", "Cb", 2) AE("b"), 2001, NULL, 0 },
	{ "cnt", C("cse-in/a", "Ca", 3) CNT("'rn':'t'"), 2001, NULL, 0 },
	{ "pch", C("cse-in/a", "Ca", 15) "'pc':{'m2m:pch':{'rn':'pch'}}", 2001,
	  NULL, 0 },
	{ "NOTIFY by a stranger", N("cse-in/a", "Cb") SGN, 4103, NULL, 0 },
	{ "NOTIFY", N("cse-in/a", "CAdmin") SGN, -STORE_FORWARD, NULL, 1 },
	{ "NOTIFY without a notification", N("cse-in/a", "CAdmin")
	  CNT("'rn':'x'"), 4000, NULL, 0 },
	{ "NOTIFY to a container", N("cse-in/a/t", "CAdmin") SGN, 4005, NULL,
	  0 },
	{ "own subscription", C("cse-in/a/t", "Ca", 23) SUB("s", "Ca"), 2001,
	  NULL, 0 },
	{ "a subscription on itself", C("cse-in/a/t/s", "Ca", 23)
	  SUB("x", "Ca"), 4108, NULL, 0 },
	{ "polling, by a stranger", R("cse-in/a/pch/pcu", "Cb"), 4103, NULL,
	  0 },
	{ "polling", R("cse-in/a/pch/pcu", "Ca"), -STORE_POLL, NULL, 0 },
	{ "another's is verified, and the first hears of the second",
	  C("cse-in/a/t", "Ca", 23) SUB("v", "Cb"), 2001, NULL, 2 },
	{ "nobody's", C("cse-in/a/t", "Ca", 23) SUB("n", "Cnobody"), 5204,
	  NULL, 0 },
	{ "... was not made", R("cse-in/a/t/n", "Ca"), 4004, NULL, 0 },
	{ "both hear", C("cse-in/a/t", "Ca", 4) CIN("1"), 2001, NULL, 2 },
	{ "refused: silence", C("cse-in/a/t", "Ca", 4)
	  "'pc':{'m2m:cin':{}}", 4000, NULL, 0 },
	{ "not an UPDATE", U("cse-in/a/t", "Ca") CNT("'mni':5"), 2004, NULL,
	  0 },
	{ "rt 2: the answer is one", R("cse-in/a/t", "Ca") ",'rt':{'rtv':2}",
	  1002, "", 1 },
	{ "rt 2: nu", R("cse-in/a/t", "Ca")
	  ",'rt':{'rtv':2,'nu':['http://h/','Cb']}", 1002, "", 2 },
	{ "rt 2: nobody", R("cse-in/a/t", "Ca") ",'rt':{'rtv':2,'nu':[]}",
	  1002, "", 0 },
	{ "rt 2: an error too", R("cse-in/a/x", "Ca") ",'rt':{'rtv':2}", 1002,
	  "", 1 },
	{ "rt 3", R("cse-in/a/t", "Ca") ",'rt':{'rtv':3}", 2000, NULL, 0 },
};

START_TEST(test_notifications)
{
	PLAY(notifications);
}
END_TEST

START_TEST(test_event)
{
	const struct store_event *e;

	rig_must(&rig, 2001, C("cse-in", "Ca", 2) AE("a"));
	rig_must(&rig, 1002, R("Cnone", "Ca") ",'rt':{'rtv':2}");
	e = &rig.events.list[0];
	ck_assert(str_eq(e->target, STR("Ca")));
	ck_assert(str_eq(e->originator, STR("/id-in")));
	ck_assert_msg(str_starts(e->content, STR("{\"m2m:rsp\":{\"rsc\":4004,"
						 "\"rqi\":\"r\"")),
		      "%.*s", (int)e->content.len, e->content.p);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("store");
	TCase *memory = tcase_create("memory");

	tcase_add_checked_fixture(memory, setup, teardown);
	tcase_add_test(memory, test_registration);
	tcase_add_test(memory, test_given_ids);
	tcase_add_test(memory, test_operations);
	tcase_add_test(memory, test_ids);
	tcase_add_test(memory, test_generated_ids);
	tcase_add_loop_test(memory, test_nesting, 0, ARRAY_LEN(nesting));
	tcase_add_test(memory, test_order);
	tcase_add_test(memory, test_groups);
	tcase_add_test(memory, test_notifications);
	tcase_add_test(memory, test_event);
	suite_add_tcase(s, memory);
	return s;
}

int main(void)
{
	return unit_run(suite());
}
