#include "store_rig.h"

static struct rig rig;

#define AE(rn, fr) "'op':1,'to':'cse-in','fr':'" fr "','ty':2,'pc':{'m2m:ae':" \
	"{'rn':'" rn "','api':'Nx','rr':true,'srv':['3']}}"
#define CNT(to, members) "'op':1,'to':'cse-in/" to "','fr':'CAdmin','ty':3," \
	"'pc':{'m2m:cnt':{" members "}}"
#define CIN(to, members) "'op':1,'to':'cse-in/" to "','fr':'CAdmin','ty':4," \
	"'pc':{'m2m:cin':{" members "}}"

/*
 * cse-in/a          AE Ca
 *   room            lbl site:1, kind:x
 *     temp          lbl kind:x, mni 3; v2, v3, v4 (v1 has gone)
 *     hum           h1
 *   shut            acpi: Ca may not discover, only retrieve
 *     deep          acpi: Ca may do all
 *   none            disr; n1
 *   s               a subscription
 * cse-in/b          AE Cb; b1, lbl kind:x
 */
static const char *const tree[] = {
	AE("a", "Ca"),
	AE("b", "Cb"),
	CNT("a", "'rn':'room','lbl':['site:1','kind:x']"),
	CNT("a/room", "'rn':'temp','lbl':['kind:x'],'mni':3"),
	CNT("a/room", "'rn':'hum','mbs':1000"),
	CIN("a/room/temp", "'rn':'v1','con':'1'"),
	CIN("a/room/temp", "'rn':'v2','con':'22','cnf':'text/plain:0'"),
	CIN("a/room/temp", "'rn':'v3','con':'333','lbl':['q:ok']"),
	CIN("a/room/temp", "'rn':'v4','con':'4444','cnf':"
			   "'application/json:0'"),
	CIN("a/room/hum", "'rn':'h1','con':'5'"),
	"'op':1,'to':'cse-in/a','fr':'CAdmin','ty':1,'pc':{'m2m:acp':{'rn':'p',"
	"'pv':{'acr':[{'acor':['Ca'],'acop':2}]},'pvs':{'acr':[]}}}",
	"'op':1,'to':'cse-in/a','fr':'CAdmin','ty':1,'pc':{'m2m:acp':{'rn':'q',"
	"'pv':{'acr':[{'acor':['Ca'],'acop':63}]},'pvs':{'acr':[]}}}",
	CNT("a", "'rn':'shut','acpi':['cse-in/a/p']"),
	CNT("a/shut", "'rn':'deep','acpi':['cse-in/a/q']"),
	CNT("a", "'rn':'none','disr':true"),
	CIN("a/none", "'rn':'n1','con':'6','lbl':['z']"),
	"'op':1,'to':'cse-in/a','fr':'CAdmin','ty':23,'pc':{'m2m:sub':{'rn':'s',"
	"'nu':['http://127.0.0.1:9/x'],'nct':1}}",
	CNT("b", "'rn':'b1','lbl':['kind:x']"),
};

static void setup(void)
{
	rig_open(&rig);
	for (size_t i = 0; i < ARRAY_LEN(tree); i++) {
		rig_must(&rig, 2001, tree[i]);
		rig.now += 1000;
	}
}

static void teardown(void)
{
	rig_close(&rig);
}

static json_t *parse(const char *text)
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

static void check_content(const char *name, const char *want)
{
	json_t *w = parse(want);
	char *have = json_dumps(rig.pc, JSON_COMPACT);

	ck_assert_msg(rig_holds(rig.pc, w), "%s: %s", name, have);
	free(have);
	json_decref(w);
}

/* ---- discovery ---- */

#define ROOM "'cse-in/a/room'"
#define TEMP "'cse-in/a/room/temp'"
#define LATE "'cse-in/a/room/late'"
#define HUM "'cse-in/a/room/hum'"
#define V2 "'cse-in/a/room/temp/v2'"
#define V3 "'cse-in/a/room/temp/v3'"
#define V4 "'cse-in/a/room/temp/v4'"
#define H1 "'cse-in/a/room/hum/h1'"

static const struct {
	const char *name;
	const char *to;
	const char *fr;
	const char *fc;		/* without fu */
	const char *want;	/* ids; NULL: 4000 */
	int next;		/* cnot; 0: complete */
} discoveries[] = {
	{ "all below", "room", "Ca", "", TEMP "," V2 "," V3 "," V4 "," HUM ","
	  H1, 0 },
	{ "one type", "room", "Ca", "'ty':3", TEMP "," HUM, 0 },
	{ "a list of types", "room", "Ca", "'ty':[4,23]",
	  V2 "," V3 "," V4 "," H1, 0 },
	{ "a type as text", "room", "Ca", "'ty':['3']", TEMP "," HUM, 0 },
	{ "no such type", "room", "Ca", "'ty':[9]", "", 0 },
	{ "label", "", "CAdmin", "'lbl':['kind:x']",
	  ROOM "," TEMP ",'cse-in/b/b1'", 0 },
	{ "label, one", "room", "Ca", "'lbl':'kind:x'", TEMP, 0 },
	{ "one of the labels", "room", "Ca", "'lbl':['kind:x','q:ok']",
	  TEMP "," V3, 0 },
	{ "label of nothing", "room", "Ca", "'lbl':['kind']", "", 0 },
	{ "labels and type", "room", "Ca", "'lbl':['kind:x','q:ok'],'ty':4",
	  V3, 0 },
	{ "labels: level", "", "CAdmin", "'lbl':['kind:x'],'lvl':2",
	  ROOM ",'cse-in/b/b1'", 0 },
	{ "labels: lim", "", "CAdmin", "'lbl':['kind:x'],'lim':1", ROOM, 2 },
	{ "labels: lim, ofst", "", "CAdmin",
	  "'lbl':['kind:x'],'lim':2,'ofst':2", TEMP ",'cse-in/b/b1'", 0 },
	{ "fo 2: or", "room", "Ca", "'fo':2,'lbl':['q:ok'],'ty':3",
	  TEMP "," V3 "," HUM, 0 },
	{ "fo 3: xor", "room", "Ca", "'fo':3,'lbl':['kind:x'],'ty':3",
	  HUM, 0 },
	{ "lvl 1", "room", "Ca", "'lvl':1", TEMP "," HUM, 0 },
	{ "lim", "room", "Ca", "'lim':2", TEMP "," V2, 3 },
	{ "lim 0", "room", "Ca", "'lim':0", "", 1 },
	{ "lim met exactly", "room", "Ca", "'lim':6", TEMP "," V2 "," V3 ","
	  V4 "," HUM "," H1, 0 },
	{ "ofst from 1", "room", "Ca", "'lim':2,'ofst':1", TEMP "," V2, 3 },
	{ "lim and ofst", "room", "Ca", "'lim':2,'ofst':3", V3 "," V4, 5 },
	{ "ofst to the end", "room", "Ca", "'ofst':5", HUM "," H1, 0 },
	{ "ofst beyond", "room", "Ca", "'ofst':7", "", 0 },
	{ "crb", "room", "Ca", "'crb':'20260601T080004'", TEMP, 0 },
	{ "cra", "room", "Ca", "'cra':'20260601T080007','ty':4", V4 "," H1,
	  0 },
	{ "cra with a fraction", "room", "Ca",
	  "'cra':'20260601T080006,999','ty':4", V3 "," V4 "," H1, 0 },
	{ "ms", "room", "Ca", "'ms':'20260601T080008'", H1, 0 },
	{ "us", "room", "Ca", "'us':'20260601T080007','ty':4", V2, 0 },
	{ "exb", "room", "Ca", "'exb':'20260601T090000'", "", 0 },
	{ "exa", "room", "Ca", "'exa':'20260601T090000','ty':3",
	  TEMP "," HUM, 0 },
	{ "sts", "room", "Ca", "'sts':3,'ty':4", V2 "," H1, 0 },
	{ "stb", "room", "Ca", "'stb':2,'ty':4", V3 "," V4, 0 },
	{ "sza: at least", "room", "Ca", "'sza':3", V3 "," V4, 0 },
	{ "szb: less", "room", "Ca", "'szb':3", V2 "," H1, 0 },
	{ "cty", "room", "Ca", "'cty':['text/plain:0']", V2, 0 },
	{ "cty without encoding", "room", "Ca", "'cty':['text/plain',"
	  "'application/json']", V2 "," V4, 0 },
	{ "cty wildcard", "room", "Ca", "'cty':'application/*'", V4, 0 },
	{ "chty", "room", "Ca", "'chty':[4]", TEMP "," HUM, 0 },
	{ "pty", "room", "Ca", "'pty':[3],'ty':4", V2 "," V3 "," V4 "," H1,
	  0 },
	{ "pty of none", "room", "Ca", "'pty':[2]", "", 0 },
	{ "clbl", "room", "Ca", "'clbl':['q:ok']", TEMP, 0 },
	{ "palb", "room", "Ca", "'palb':['kind:x'],'ty':3", TEMP "," HUM, 0 },
	{ "atr: equal", "room", "Ca", "'atr':[{'nm':'mni','val':3}]", TEMP,
	  0 },
	{ "atr: number as text", "room", "Ca",
	  "'atr':[{'nm':'mbs','val':'1000'}]", HUM, 0 },
	{ "atr: wildcard", "room", "Ca", "'atr':[{'nm':'con','val':'*3*'}]",
	  V3, 0 },
	{ "atr: the same, or", "room", "Ca", "'atr':[{'nm':'con','val':'22'},"
	  "{'nm':'con','val':'5'}]", V2 "," H1, 0 },
	{ "atr: different, and", "room", "Ca", "'atr':[{'nm':'con','val':'22'}"
	  ",{'nm':'rn','val':'v3'}]", "", 0 },
	{ "atr: a single object", "room", "Ca",
	  "'atr':{'nm':'rn','val':'h*'}", HUM "," H1, 0 },
	{ "atr: counters", "room", "Ca", "'atr':[{'nm':'cni','val':1}]", HUM,
	  0 },
	{ "flat attribute", "", "CAdmin", "'rn':'hum','ty':3", HUM, 0 },
	{ "patr", "room", "Ca", "'patr':[{'nm':'rn','val':'temp'}]",
	  V2 "," V3 "," V4, 0 },
	{ "patr of none", "room", "Ca", "'patr':[{'nm':'rn','val':'x'}]", "",
	  0 },
	{ "catr", "room", "Ca", "'catr':[{'nm':'con','val':'*4'}]", TEMP, 0 },
	{ "catr: the same, or", "room", "Ca", "'catr':[{'nm':'con','val':'5'},"
	  "{'nm':'con','val':'22'}]", TEMP "," HUM, 0 },
	{ "catr of none", "room", "Ca", "'catr':[{'nm':'con','val':'x'}]", "",
	  0 },
	{ "arp: la", "room", "Ca", "'ty':3,'arp':'la'", V4 "," H1, 0 },
	{ "arp: ol", "room", "Ca", "'lbl':['kind:x'],'arp':'ol'", V2, 0 },
	{ "arp: up and down", "room", "Ca", "'rn':'v3','arp':'../../hum/h1'",
	  H1, 0 },
	{ "arp: many to one", "room", "Ca", "'ty':4,'arp':'..'",
	  TEMP "," HUM, 0 },
	{ "arp: to nothing", "room", "Ca", "'ty':3,'arp':'./x'", "", 0 },
	{ "arp: beyond the CSEBase", "room", "Ca", "'ty':3,"
	  "'arp':'../../../../../../x'", "", 0 },
	{ "arp: what it may not see", "room", "Ca", "'ty':3,'arp':'../../shut'"
	  , "", 0 },
	{ "arp: disr", "", "CAdmin", "'rn':'none','arp':'la'", "", 0 },
	{ "arp: no path", "room", "Ca", "'arp':5", NULL, 0 },
	{ "only what it may discover", "", "Ca", "'ty':3",
	  ROOM "," TEMP "," HUM ",'cse-in/a/shut/deep','cse-in/a/none'", 0 },
	{ "... also by labels", "", "Ca", "'lbl':['kind:x']", ROOM "," TEMP,
	  0 },
	{ "disr hides instances", "none", "CAdmin", "", "", 0 },
	{ "... also by label", "none", "CAdmin", "'lbl':['z']", "", 0 },
	{ "fc is no number", "room", "Ca", "'lim':'x'", NULL, 0 },
	{ "lvl 0", "room", "Ca", "'lvl':0", NULL, 0 },
	{ "ofst 0", "room", "Ca", "'ofst':0", NULL, 0 },
	{ "no timestamp", "room", "Ca", "'crb':'yesterday'", NULL, 0 },
	{ "fo 9", "room", "Ca", "'fo':9", NULL, 0 },
	{ "no such condition", "room", "Ca", "'foo':'bar'", NULL, 0 },
	{ "atr: has its own", "room", "Ca", "'atr':[{'nm':'ty','val':3}]",
	  NULL, 0 },
	{ "atr without val", "room", "Ca", "'atr':[{'nm':'rn'}]", NULL, 0 },
	{ "lbl of numbers", "room", "Ca", "'lbl':[1]", NULL, 0 },
	{ "negative", "room", "Ca", "'sza':-1", NULL, 0 },
};

/* "" is the CSEBase, "room" is below cse-in/a. */
static void discover(const char *to, const char *fr, const char *fc,
		     const char *more)
{
	char request[512];

	snprintf(request, sizeof(request),
		 "'op':2,'to':'cse-in%s%s','fr':'%s','fc':{'fu':1%s%s}%s",
		 *to == '\0' ? "" : "/a/", to, fr, *fc == '\0' ? "" : ",", fc,
		 more);
	rig_request(&rig, request);
}

static void check_discovery(size_t i)
{
	const char *name = discoveries[i].name;
	int64_t cnot = 0, cnst = 0;
	char want[512];

	discover(discoveries[i].to, discoveries[i].fr, discoveries[i].fc, "");
	if (discoveries[i].want == NULL) {
		ck_assert_msg(rig.answer.rsc == 4000, "%s: %d", name,
			      rig.answer.rsc);
		return;
	}
	ck_assert_msg(rig.answer.rsc == 2000, "%s: %d %s", name,
		      rig.answer.rsc, rig.c->why);
	snprintf(want, sizeof(want), "{'m2m:uril':[%s]}", discoveries[i].want);
	check_content(name, want);
	if (prim_int(&cnot, &rig.answer, PARAM_CNOT))
		ck_assert(prim_int(&cnst, &rig.answer, PARAM_CNST));
	ck_assert_msg(cnot == discoveries[i].next, "%s: cnot %d", name,
		      (int)cnot);
	ck_assert_int_eq(cnst, discoveries[i].next == 0 ? 0 : 1);
}

START_TEST(test_discovery)
{
	check_discovery((size_t)_i);
}
END_TEST

/* What one walk has prepared serves the next, whatever that looks for. */
START_TEST(test_discovery_together)
{
	for (size_t i = 0; i < 3 * ARRAY_LEN(discoveries); i++)
		check_discovery(i * 61 % ARRAY_LEN(discoveries));
}
END_TEST

static void run_sql(const char *sql)
{
	ck_assert_int_eq(sqlite3_exec(rig.c->db, sql, NULL, NULL, NULL),
			 SQLITE_OK);
}

/* So many rows have it that nobody counts them for each discovery. */
static void make_common(void)
{
	run_sql("WITH RECURSIVE n(i) AS (SELECT 1000000 UNION ALL SELECT "
		"i + 1 FROM n WHERE i < 1025000) INSERT INTO label(label, id) "
		"SELECT 'kind:x', i FROM n");
}

/* Both ways to find labels give the same. */
START_TEST(test_common_labels)
{
	const char *want = "{'m2m:uril':[" TEMP "," V3 "]}";

	discover("room", "Ca", "'lbl':['kind:x','q:ok']", "");
	check_content("from the labels", want);
	make_common();
	discover("room", "Ca", "'lbl':['kind:x','q:ok']", "");
	check_content("by walking", want);
}
END_TEST

/* Only the order tells the ways apart: of creation, or of the tree. */
START_TEST(test_order_of_labels)
{
	const char *created = "{'m2m:uril':[" TEMP ",'cse-in/a/z'," LATE "]}";
	const char *walked = "{'m2m:uril':[" TEMP "," LATE ",'cse-in/a/z']}";

	rig_must(&rig, 2001, CNT("a", "'rn':'z','lbl':['kind:x']"));
	rig_must(&rig, 2001, CNT("a/room", "'rn':'late','lbl':['kind:x']"));
	discover("", "Ca", "'lbl':['kind:x'],'ofst':2", "");
	check_content("few", created);
	make_common();
	discover("", "Ca", "'lbl':['kind:x'],'ofst':2,'lim':2", "");
	check_content("at the base", "{'m2m:uril':[" TEMP ",'cse-in/a/z']}");
	discover("", "Ca", "'lbl':['kind:x'],'ofst':2,'lvl':4", "");
	check_content("many", walked);
	run_sql("DELETE FROM label WHERE id >= 1000000");
	discover("", "Ca", "'lbl':['kind:x'],'ofst':2,'lvl':4", "");
	check_content("many just now", walked);
	rig.now += 10000;
	discover("", "Ca", "'lbl':['kind:x'],'ofst':2,'lvl':4", "");
	check_content("few again", created);
}
END_TEST

/* Page by page each result comes once, however many have the label. */
START_TEST(test_pages_of_labels)
{
	enum { ALL = 600 };
	json_t *seen = json_object();
	char fc[64];

	rig_must(&rig, 2001, CNT("a/room", "'rn':'two'"));
	for (int i = 0; i < ALL; i++)
		rig_must(&rig, 2001, i % 2 == 0 ?
				 CIN("a/room/hum", "'con':'','lbl':['p']") :
				 CIN("a/room/two", "'con':'','lbl':['p']"));
	for (int i = 1; i <= ALL; i++) {
		snprintf(fc, sizeof(fc), "'lbl':['p'],'lim':1,'ofst':%d", i);
		discover("room", "Ca", fc, ",'drt':2");
		json_object_set(seen, json_string_value(json_array_get(
				json_object_get(rig.pc, "m2m:uril"), 0)),
				json_true());
	}
	ck_assert_uint_eq(json_object_size(seen), ALL);
	json_decref(seen);
}
END_TEST

START_TEST(test_identifiers)
{
	json_t *ids;

	discover("room", "Ca", "'ty':3", ",'drt':2");
	ids = json_object_get(rig.pc, "m2m:uril");
	ck_assert_uint_eq(json_array_size(ids), 2);
	for (size_t i = 0; i < 2; i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		struct resource r = { 0 };

		ck_assert_int_eq(tree_load_ri(&r, rig.c, id), 0);
		ck_assert_str_eq(r.rn, i == 0 ? "temp" : "hum");
		resource_deinit(&r);
	}
	discover("room", "Ca", "'ty':3", ",'drt':3");
	ck_assert_int_eq(rig.answer.rsc, 4000);
	discover("room", "Cb", "", "");
	ck_assert_int_eq(rig.answer.rsc, 4103);
}
END_TEST

START_TEST(test_max_results)
{
	rig.conf.max_results = 2;
	discover("room", "Ca", "", "");
	check_content("most", "{'m2m:uril':[" TEMP "," V2 "]}");
	ck_assert(prim_has(&rig.answer, PARAM_CNOT));
	discover("room", "Ca", "'lim':1000000", "");
	check_content("lim is lowered", "{'m2m:uril':[" TEMP "," V2 "]}");
	rig.conf.max_results = 0;
	discover("room", "Ca", "'ty':3", "");
	check_content("no bound", "{'m2m:uril':[" TEMP "," HUM "]}");
}
END_TEST

START_TEST(test_expired)
{
	rig_must(&rig, 2001, CNT("a", "'rn':'soon','et':'20260601T090000',"
				      "'lbl':['e']"));
	rig_must(&rig, 2001, CNT("a/soon", "'rn':'in','lbl':['e']"));
	rig_must(&rig, 2001, CIN("a/room/hum", "'rn':'h2','con':'','et':"
					       "'20260601T090000'"));
	rig_must(&rig, 2000, "'op':2,'to':'cse-in/a/room/hum/la','fr':'Ca'");
	discover("soon", "Ca", "", "");
	check_content("not yet", "{'m2m:uril':['cse-in/a/soon/in']}");
	rig.now += 3600 * 1000;
	ck_assert_int_eq(rig_request(&rig, "'op':2,'to':'cse-in/a/soon',"
					   "'fr':'Ca'"),
			 4004);
	rig_must(&rig, 4004, "'op':2,'to':'cse-in/a/room/hum/la','fr':'Ca'");
	discover("", "Ca", "'rn':'soon','lvl':2", "");
	check_content("gone", "{'m2m:uril':[]}");
	discover("", "Ca", "'lbl':['e']", "");
	check_content("gone, by label", "{'m2m:uril':[]}");
}
END_TEST

/* ---- one resource and its children ---- */

#define REF(nm, typ, val) \
	"{'nm':'" nm "','typ':" typ ",'val':'cse-in/a/" val "'}"

static const struct {
	const char *name;
	const char *request;	/* op 2 */
	int rsc;
	const char *want;	/* members that must be there; NULL: any */
} rows[] = {
	{ "attributes", "'to':'cse-in/a/room','fr':'Ca'", 2000,
	  "{'m2m:cnt':{'rn':'room','ty':3,'cni':0,'lbl':['site:1','kind:x']}}" },
	{ "rcn 1", "'to':'cse-in/a/room','fr':'Ca','rcn':1", 2000,
	  "{'m2m:cnt':{'rn':'room'}}" },
	{ "la", "'to':'cse-in/a/room/temp/la','fr':'Ca'", 2000,
	  "{'m2m:cin':{'rn':'v4','con':'4444','cs':4}}" },
	{ "ol", "'to':'cse-in/a/room/temp/ol','fr':'Ca'", 2000,
	  "{'m2m:cin':{'rn':'v2','con':'22'}}" },
	{ "la of nothing", "'to':'cse-in/a/shut/deep/la','fr':'Ca'", 4004,
	  NULL },
	{ "la of nothing, for a stranger",
	  "'to':'cse-in/a/shut/deep/la','fr':'Cb'", 4103, NULL },
	{ "la of another's", "'to':'cse-in/a/room/temp/la','fr':'Cb'", 4103,
	  NULL },
	{ "disr: la", "'to':'cse-in/a/none/la','fr':'Ca'", 4005, NULL },
	{ "disr: instance", "'to':'cse-in/a/none/n1','fr':'Ca'", 4005, NULL },
	{ "disr: the container", "'to':'cse-in/a/none','fr':'Ca'", 2000,
	  "{'m2m:cnt':{'disr':true}}" },
	{ "#attribute", "'to':'cse-in/a/room/temp#cni','fr':'Ca'", 2000,
	  "{'m2m:cnt':{'cni':3}}" },
	{ "#attribute of la", "'to':'cse-in/a/room/temp/la#con','fr':'Ca'",
	  2000, "{'m2m:cin':{'con':'4444'}}" },
	{ "#attribute it lacks", "'to':'cse-in/a/room/temp#mbs','fr':'Ca'",
	  4004, NULL },
	{ "#attribute unknown", "'to':'cse-in/a/room/temp#nix','fr':'Ca'",
	  4000, NULL },
	{ "atrl", "'to':'cse-in/a/room/temp','fr':'Ca','pc':{'m2m:atrl':"
	  "['rn','lbl','mbs']}", 2000,
	  "{'m2m:cnt':{'rn':'temp','lbl':['kind:x']}}" },
	{ "atrl: unknown", "'to':'cse-in/a/room','fr':'Ca','pc':{'m2m:atrl':"
	  "['nix']}", 4000, NULL },
	{ "atrl: empty", "'to':'cse-in/a/room','fr':'Ca','pc':{'m2m:atrl':[]}",
	  4000, NULL },
	{ "atrl: numbers", "'to':'cse-in/a/room','fr':'Ca','pc':{'m2m:atrl':"
	  "[1]}", 4000, NULL },
	{ "other content", "'to':'cse-in/a/room','fr':'Ca','pc':{'m2m:cnt':"
	  "{}}", 4000, NULL },
	{ "condition holds", "'to':'cse-in/a/room','fr':'Ca','fc':{'ty':3}",
	  2000, NULL },
	{ "condition fails", "'to':'cse-in/a/room','fr':'Ca','fc':{'ty':4}",
	  4004, NULL },
	{ "condition: fu 2", "'to':'cse-in/a/room','fr':'Ca','fc':{'fu':2,"
	  "'crb':'20200101T000000'}", 4004, NULL },
	{ "rcn 4", "'to':'cse-in/a/room','fr':'Ca','rcn':4", 2000,
	  "{'m2m:cnt':{'rn':'room','m2m:cnt':[{'rn':'temp','cni':3,'m2m:cin':"
	  "[{'rn':'v2'},{'rn':'v3'},{'rn':'v4'}]},{'rn':'hum','m2m:cin':"
	  "[{'con':'5'}]}]}}" },
	{ "rcn 4, lvl 1", "'to':'cse-in/a/room','fr':'Ca','rcn':4,'fc':"
	  "{'lvl':1}", 2000,
	  "{'m2m:cnt':{'m2m:cnt':[{'rn':'temp'},{'rn':'hum'}]}}" },
	{ "rcn 4, ty", "'to':'cse-in/a/room/temp','fr':'Ca','rcn':4,'fc':"
	  "{'ty':4}", 2000,
	  "{'m2m:cnt':{'rn':'temp','m2m:cin':[{'rn':'v2'},{'rn':'v3'},"
	  "{'rn':'v4'}]}}" },
	{ "rcn 4, lim", "'to':'cse-in/a/room','fr':'Ca','rcn':4,'fc':"
	  "{'lim':2}", 2000,
	  "{'m2m:cnt':{'m2m:cnt':[{'rn':'temp','m2m:cin':[{'rn':'v2'}]}]}}" },
	{ "rcn 4, lim and ofst: a skeleton leads there",
	  "'to':'cse-in/a/room','fr':'Ca','rcn':4,'fc':{'lim':3,'ofst':3}",
	  2000,
	  "{'m2m:cnt':{'m2m:cnt':[{'rn':'temp','m2m:cin':[{'rn':'v3'},"
	  "{'rn':'v4'}]},{'rn':'hum','cni':1}]}}" },
	{ "rcn 4: what may not be read", "'to':'cse-in/b','fr':'Cb','rcn':4",
	  2000, "{'m2m:ae':{'m2m:cnt':[{'rn':'b1'}]}}" },
	{ "rcn 5", "'to':'cse-in/a/room','fr':'Ca','rcn':5,'fc':{'ty':3}",
	  2000,
	  "{'m2m:cnt':{'rn':'room','ch':[" REF("temp", "3", "room/temp") ","
	  REF("hum", "3", "room/hum") "]}}" },
	{ "rcn 5: none", "'to':'cse-in/a/shut/deep','fr':'Ca','rcn':5", 2000,
	  "{'m2m:cnt':{'ch':[]}}" },
	{ "rcn 6", "'to':'cse-in/a/room/hum','fr':'Ca','rcn':6", 2000,
	  "{'m2m:rrl':{'rrf':[" REF("h1", "4", "room/hum/h1") "]}}" },
	{ "rcn 6 in discovery", "'to':'cse-in/a/room','fr':'Ca','rcn':6,'fc':"
	  "{'fu':1,'lbl':['q:ok']}", 2000,
	  "{'m2m:rrl':{'rrf':[" REF("v3", "4", "room/temp/v3") "]}}" },
	{ "rcn 11", "'to':'cse-in/a/room','fr':'Ca','rcn':11,'fc':{'fu':1,"
	  "'lvl':1}", 2000, "{'m2m:uril':[" TEMP "," HUM "]}" },
	{ "rcn 8", "'to':'cse-in/a/room','fr':'Ca','rcn':8,'fc':{'lvl':1}",
	  2000, "{'m2m:cnt':{'m2m:cnt':[{'rn':'temp'},{'rn':'hum'}]}}" },
	{ "rcn 0", "'to':'cse-in/a','fr':'Ca','rcn':0", 4000, NULL },
	{ "rcn 2", "'to':'cse-in/a','fr':'Ca','rcn':2", 4000, NULL },
	{ "rcn 3", "'to':'cse-in/a','fr':'Ca','rcn':3", 4000, NULL },
	{ "rcn 7 of no announcement", "'to':'cse-in/a','fr':'Ca','rcn':7",
	  4000, NULL },
	{ "rcn 9", "'to':'cse-in/a','fr':'Ca','rcn':9", 4000, NULL },
	{ "rcn 10", "'to':'cse-in/a','fr':'Ca','rcn':10", 5001, NULL },
	{ "rcn 11 without discovery", "'to':'cse-in/a','fr':'Ca','rcn':11",
	  4000, NULL },
	{ "rcn 1 in discovery", "'to':'cse-in/a','fr':'Ca','rcn':1,'fc':"
	  "{'fu':1}", 4000, NULL },
	{ "rcn 99", "'to':'cse-in/a','fr':'Ca','rcn':99", 4000, NULL },
	{ "by an IPE", "'to':'cse-in/a','fr':'Ca','fc':{'fu':3}", 5001, NULL },
	{ "no such use", "'to':'cse-in/a','fr':'Ca','fc':{'fu':5}", 4000,
	  NULL },
	{ "arp without discovery", "'to':'cse-in/a','fr':'Ca','fc':"
	  "{'arp':'x'}", 4000, NULL },
	{ "geographic filter", "'to':'cse-in/a','fr':'Ca','fc':{'geom':'x'}",
	  5001, NULL },
	{ "semantic filter", "'to':'cse-in/a','fr':'Ca','fc':{'smf':['x']}",
	  5001, NULL },
};

START_TEST(test_row)
{
	char request[512];
	int rsc;

	snprintf(request, sizeof(request), "'op':2,%s", rows[_i].request);
	rsc = rig_request(&rig, request);
	ck_assert_msg(rsc == rows[_i].rsc, "%s: %d %s", rows[_i].name, rsc,
		      rig.c->why);
	if (rows[_i].want != NULL)
		check_content(rows[_i].name, rows[_i].want);
}
END_TEST

/* Only what was asked for. */
START_TEST(test_parts_alone)
{
	rig_must(&rig, 2000, "'op':2,'to':'cse-in/a/room/temp#cni','fr':'Ca'");
	ck_assert_uint_eq(
		json_object_size(json_object_get(rig.pc, "m2m:cnt")), 1);
	rig_must(&rig, 2000, "'op':2,'to':'cse-in/a/room','fr':'Ca','rcn':8");
	ck_assert_uint_eq(
		json_object_size(json_object_get(rig.pc, "m2m:cnt")), 1);
}
END_TEST

/* A tree deeper than any C stack of frames would like. */
START_TEST(test_deep)
{
	char request[256], ri[64] = "Ca";

	for (int i = 0; i < 2000; i++) {
		snprintf(request, sizeof(request),
			 "'op':1,'to':'%s','fr':'Ca','ty':3,'pc':{'m2m:cnt':{"
			 "'rn':'n'}}", ri);
		rig_must(&rig, 2001, request);
		snprintf(ri, sizeof(ri), "%s",
			 json_string_value(json_object_get(
				 json_object_get(rig.pc, "m2m:cnt"), "ri")));
	}
	rig.conf.max_results = 0;
	rig_must(&rig, 2000, "'op':2,'to':'cse-in/a/n','fr':'Ca','drt':2,'fc':"
			     "{'fu':1}");
	ck_assert_uint_eq(json_array_size(json_object_get(rig.pc,
							  "m2m:uril")),
			  1999);
	rig_must(&rig, 2000, "'op':2,'to':'cse-in/a/n','fr':'Ca','rcn':5,'fc':"
			     "{'lim':1}");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("store_retrieve");
	TCase *tc = tcase_create("retrieve");

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_discovery, 0, ARRAY_LEN(discoveries));
	tcase_add_test(tc, test_discovery_together);
	tcase_add_test(tc, test_common_labels);
	tcase_add_test(tc, test_order_of_labels);
	tcase_add_test(tc, test_pages_of_labels);
	tcase_add_test(tc, test_identifiers);
	tcase_add_test(tc, test_max_results);
	tcase_add_test(tc, test_expired);
	tcase_add_loop_test(tc, test_row, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, test_parts_alone);
	tcase_add_test(tc, test_deep);
	return unit_run(s);
}
