#include "store_rules_rig.h"

#include <limits.h>

#define CT	"'ct':'20260601T080000,000','lt':'20260601T080000,000'"
#define CIN	"{'m2m:cin':{'rn':'r6','ty':4,'ri':'r6','pi':'r3'," CT \
		",'st':1,'cs':1,'con':'1'}}"
#define KID	"{'m2m:cnt':{'rn':'r6','ty':3,'ri':'r6','pi':'r3'," CT \
		",'st':0,'cni':0,'cbs':0}}"
#define CNT	"{'m2m:cnt':{'rn':'cnt','ty':3,'ri':'r3','pi':'r1'," CT \
		",'st':0,'cni':0,'cbs':0}}"
#define UPDATED	"{'m2m:cnt':{'rn':'cnt','ty':3,'ri':'r3','pi':'r1'," \
		"'ct':'20260601T080000,000','lt':'20260601T080001,000'," \
		"'st':1,'cni':0,'cbs':0,'mni':5}}"
#define NEV(rep, net)	"{'m2m:sgn':{'nev':{'rep':" rep ",'net':" net \
			"},'sur':'/id-in/r5'}}"
#define TO(nu, pc)	"{'to':'" nu "','fr':'/id-in','pc':" pc "}"
#define GONE		"{'m2m:sgn':{'sud':true,'sur':'/id-in/r5'}}"

enum act {
	ADD_INSTANCE,
	ADD_CHILD,
	DELETE_CHILD,
	UPDATE,
	DELETE,
	DELETE_PARENT,
	DELETE_SUBSCRIPTION,
};

/* As one test compares them: a list of what leaves, to whom. */
static json_t *heard(const struct store_events *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->count; i++) {
		const struct store_event *v = &e->list[i];
		json_error_t error;
		json_t *pc = json_loadb(v->content.p, v->content.len, 0,
					&error);
		json_t *one;

		ck_assert_msg(pc != NULL, "%s", error.text);
		one = json_pack("{s:s%, s:s%, s:o}", "to", v->target.p,
				v->target.len, "fr", v->originator.p,
				v->originator.len, "pc", pc);
		if (v->ask == STORE_ASK_SUBSCRIBE)
			json_object_set_new(one, "vrq", json_true());
		if (v->ec != 0)
			json_object_set_new(one, "ec", json_integer(v->ec));
		json_array_append_new(list, one);
	}
	return list;
}

static void check_heard(const char *name, const struct store_events *e,
			const char *want)
{
	json_t *got = heard(e);

	ck_assert_msg(rig_same(got, want), "%s", name);
	json_decref(got);
}

static int change_child(struct rules_rig *rig, int ty, const char *in,
			enum store_change change)
{
	struct resource r = { 0 };
	int rc;

	ck_assert_int_eq(rig_add(rig, &r, &rig->cnt, ty, in), 0);
	rc = notify_change(&rig->events, rig->c, &rig->cnt, &r, change, NULL,
			   &rig->request);
	resource_deinit(&r);
	return rc;
}

static int change_update(struct rules_rig *rig, const char *text)
{
	json_t *in = rig_row(text), *changed = NULL;
	int rc;

	ck_assert_int_eq(rules_update(&rig->cnt, &changed, rig->c, in,
				      &rig->request, RULES_NOW + 1000), 0);
	rc = notify_change(&rig->events, rig->c, &rig->cnt, NULL,
			   CHANGE_UPDATE, changed, &rig->request);
	json_decref(changed);
	json_decref(in);
	return rc;
}

static int change_delete(struct rules_rig *rig, const struct resource *r)
{
	return notify_change(&rig->events, rig->c, r, NULL, CHANGE_DELETE,
			     NULL, &rig->request);
}

static int perform(struct rules_rig *rig, enum act act,
		   const struct resource *sub)
{
	switch (act) {
	case ADD_INSTANCE:
		return change_child(rig, 4, "{'con':'1'}",
				    CHANGE_CREATE_CHILD);
	case ADD_CHILD:
		return change_child(rig, 3, "{}", CHANGE_CREATE_CHILD);
	case DELETE_CHILD:
		return change_child(rig, 3, "{}", CHANGE_DELETE_CHILD);
	case UPDATE:
		return change_update(rig, "{'mni':5,'lbl':null}");
	case DELETE:
		return change_delete(rig, &rig->cnt);
	case DELETE_PARENT:
		return change_delete(rig, &rig->ae);
	case DELETE_SUBSCRIPTION:
		return change_delete(rig, sub);
	}
	return -1;
}

static const struct {
	const char *name;
	const char *sub;
	enum act act;
	const char *heard;
} rows[] = {
	{ "net 3 hears a new instance",
	  "{'nu':['Ca'],'enc':{'net':[3]}}", ADD_INSTANCE,
	  "[" TO("Ca", NEV(CIN, "3")) "]" },
	{ "net 3 hears any child",
	  "{'nu':['Ca'],'enc':{'net':[3]}}", ADD_CHILD,
	  "[" TO("Ca", NEV(KID, "3")) "]" },
	{ "net 3 hears no update",
	  "{'nu':['Ca'],'enc':{'net':[3]}}", UPDATE, "[]" },
	{ "net 3 hears no deletion",
	  "{'nu':['Ca'],'enc':{'net':[3]}}", DELETE, "[]" },
	{ "net 4",
	  "{'nu':['Ca'],'enc':{'net':[4]}}", DELETE_CHILD,
	  "[" TO("Ca", NEV(KID, "4")) "]" },
	{ "net 1 is the default",
	  "{'nu':['Ca']}", UPDATE, "[" TO("Ca", NEV(UPDATED, "1")) "]" },
	{ "net 2",
	  "{'nu':['Ca'],'enc':{'net':[2]}}", DELETE,
	  "[" TO("Ca", NEV(CNT, "2")) "]" },
	{ "net 2 when an ancestor goes",
	  "{'nu':['Ca'],'enc':{'net':[2]}}", DELETE_PARENT,
	  "[" TO("Ca", NEV(CNT, "2")) "]" },
	{ "all events, this one",
	  "{'nu':['Ca'],'enc':{'net':[1,2,3,4]}}", ADD_INSTANCE,
	  "[" TO("Ca", NEV(CIN, "3")) "]" },
	{ "every target, as it stands",
	  "{'nu':['Ca','http://h/x?ct=cbor'],'enc':{'net':[3]}}",
	  ADD_INSTANCE,
	  "[" TO("Ca", NEV(CIN, "3")) ","
	  TO("http://h/x?ct=cbor", NEV(CIN, "3")) "]" },
	{ "nct 2: what was set",
	  "{'nu':['Ca'],'enc':{'net':[1]},'nct':2}", UPDATE,
	  "[" TO("Ca", NEV("{'m2m:cnt':{'mni':5,"
			   "'lt':'20260601T080001,000','st':1}}", "1")) "]" },
	{ "nct 3: the id",
	  "{'nu':['Ca'],'enc':{'net':[3]},'nct':3}", ADD_INSTANCE,
	  "[" TO("Ca", NEV("{'m2m:uri':'r6'}", "3")) "]" },
	{ "chty: that type",
	  "{'nu':['Ca'],'enc':{'net':[3],'chty':[4]}}", ADD_INSTANCE,
	  "[" TO("Ca", NEV(CIN, "3")) "]" },
	{ "chty: another type",
	  "{'nu':['Ca'],'enc':{'net':[3],'chty':[4]}}", ADD_CHILD, "[]" },
	{ "atr: set",
	  "{'nu':['Ca'],'enc':{'net':[1],'atr':['x','mni']},'nct':3}", UPDATE,
	  "[" TO("Ca", NEV("{'m2m:uri':'r3'}", "1")) "]" },
	{ "atr: removed",
	  "{'nu':['Ca'],'enc':{'net':[1],'atr':['lbl']},'nct':3}", UPDATE,
	  "[" TO("Ca", NEV("{'m2m:uri':'r3'}", "1")) "]" },
	{ "atr: another one",
	  "{'nu':['Ca'],'enc':{'net':[1],'atr':['mbs']}}", UPDATE, "[]" },
	{ "cr names the creator",
	  "{'nu':['Ca'],'enc':{'net':[3]},'nct':3,'cr':null}", ADD_INSTANCE,
	  "[" TO("Ca", "{'m2m:sgn':{'nev':{'rep':{'m2m:uri':'r6'},'net':3},"
		       "'sur':'/id-in/r5','cr':'CAdmin'}}") "]" },
	{ "nec",
	  "{'nu':['Ca'],'enc':{'net':[3]},'nct':3,'nec':2}", ADD_INSTANCE,
	  "[{'to':'Ca','fr':'/id-in','ec':2,'pc':"
	  NEV("{'m2m:uri':'r6'}", "3") "}]" },
	{ "latest only",
	  "{'nu':['Ca'],'enc':{'net':[3]},'nct':3,'ln':true}", ADD_INSTANCE,
	  "[{'to':'Ca','fr':'/id-in','ec':4,'pc':"
	  NEV("{'m2m:uri':'r6'}", "3") "}]" },
	{ "om: operation and originator",
	  "{'nu':['Ca'],'enc':{'om':[{'ops':1,'or':'CAdmin'}]},'nct':3}",
	  ADD_INSTANCE,
	  "[" TO("Ca", "{'m2m:sgn':{'nev':{'rep':{'m2m:uri':'r6'},"
		       "'om':{'op':1,'or':'CAdmin'}},'sur':'/id-in/r5'}}")
	  "]" },
	{ "om: another originator",
	  "{'nu':['Ca'],'enc':{'om':[{'ops':1,'or':'Cb'}]}}", ADD_INSTANCE,
	  "[]" },
	{ "om: another operation",
	  "{'nu':['Ca'],'enc':{'om':[{'ops':12}]}}", ADD_INSTANCE, "[]" },
	{ "om: an update by anyone",
	  "{'nu':['Ca'],'enc':{'om':[{'ops':4}]},'nct':3}", UPDATE,
	  "[" TO("Ca", "{'m2m:sgn':{'nev':{'rep':{'m2m:uri':'r3'},"
		       "'om':{'op':3,'or':'CAdmin'}},'sur':'/id-in/r5'}}")
	  "]" },
	{ "su hears when the subscription is deleted",
	  "{'nu':['Ca'],'enc':{'net':[3]},'su':'Cs'}", DELETE_SUBSCRIPTION,
	  "[" TO("Cs", GONE) "]" },
	{ "su hears when the subscription goes with an ancestor",
	  "{'nu':['Ca'],'enc':{'net':[3]},'su':'Cs'}", DELETE_PARENT,
	  "[" TO("Cs", GONE) "]" },
	{ "exc: the last one",
	  "{'nu':['Ca'],'enc':{'net':[3]},'nct':3,'exc':1,'su':'Cs'}",
	  ADD_INSTANCE,
	  "[" TO("Ca", NEV("{'m2m:uri':'r6'}", "3")) ","
	  TO("Cs", GONE) "]" },
};

START_TEST(test_change)
{
	struct rules_rig rig;
	struct resource sub = { 0 };

	rig_open(&rig);
	ck_assert_int_eq(rig_add(&rig, &sub, &rig.cnt, 23, rows[_i].sub), 0);
	ck_assert_int_eq(perform(&rig, rows[_i].act, &sub), 0);
	check_heard(rows[_i].name, &rig.events, rows[_i].heard);
	resource_deinit(&sub);
	rig_close(&rig);
}
END_TEST

/* Conditions, on a new instance of size 1, st 1, at RULES_NOW. */
static const struct {
	const char *enc;
	bool holds;
} conditions[] = {
	{ "'cra':'20260601T075959'", true },
	{ "'cra':'20260601T080000'", false },
	{ "'crb':'20260601T080001'", true },
	{ "'crb':'20260601T080000'", false },
	{ "'ms':'20260601T075959'", true },
	{ "'ms':'20260601T080000'", false },
	{ "'us':'20260601T080001'", true },
	{ "'us':'20260601T080000'", false },
	{ "'exb':'20990101T000000'", false },
	{ "'exa':'20200101T000000'", false },
	{ "'sts':2", true },
	{ "'sts':1", false },
	{ "'stb':0", true },
	{ "'stb':1", false },
	{ "'sza':1", true },
	{ "'sza':2", false },
	{ "'szb':2", true },
	{ "'szb':1", false },
	{ "'sza':1,'stb':0", true },
	{ "'sza':1,'stb':1", false },
	{ "'sza':1,'stb':1,'fo':2", true },
	{ "'sza':2,'stb':1,'fo':2", false },
	{ "'sza':1,'stb':1,'fo':3", true },
	{ "'sza':1,'stb':0,'fo':3", false },
};

START_TEST(test_condition)
{
	struct rules_rig rig;
	struct resource sub = { 0 };
	char in[256];

	rig_open(&rig);
	snprintf(in, sizeof(in), "{'nu':['Ca'],'enc':{'net':[3],%s}}",
		 conditions[_i].enc);
	ck_assert_int_eq(rig_add(&rig, &sub, &rig.cnt, 23, in), 0);
	ck_assert_int_eq(perform(&rig, ADD_INSTANCE, &sub), 0);
	ck_assert_msg(rig.events.count == conditions[_i].holds, "%s",
		      conditions[_i].enc);
	resource_deinit(&sub);
	rig_close(&rig);
}
END_TEST

START_TEST(test_exc_counts_down)
{
	struct rules_rig rig;
	struct resource sub = { 0 };

	rig_open(&rig);
	ck_assert_int_eq(rig_add(&rig, &sub, &rig.cnt, 23,
				 "{'nu':['Ca','Cb'],'enc':{'net':[3]},"
				 "'exc':2}"), 0);
	ck_assert_int_eq(perform(&rig, UPDATE, &sub), 0);
	ck_assert_uint_eq(rig.events.count, 0);
	ck_assert_int_eq(perform(&rig, ADD_INSTANCE, &sub), 0);
	ck_assert_uint_eq(rig.events.count, 2);
	resource_deinit(&sub);
	rig_get(&rig, &sub, STR("r5"));
	ck_assert_int_eq(json_integer_value(json_object_get(sub.attrs,
							    "exc")), 1);
	ck_assert_int_eq(perform(&rig, ADD_INSTANCE, &sub), 0);
	ck_assert_uint_eq(rig.events.count, 4);
	resource_deinit(&sub);
	ck_assert_int_eq(tree_load_ri(&sub, rig.c, "r5"), RSC_NOT_FOUND);
	ck_assert_int_eq(perform(&rig, ADD_INSTANCE, &sub), 0);
	ck_assert_uint_eq(rig.events.count, 4);
	resource_deinit(&sub);
	rig_close(&rig);
}
END_TEST

START_TEST(test_deaf_to_itself)
{
	struct rules_rig rig;
	struct resource sub = { 0 };

	rig_open(&rig);
	ck_assert_int_eq(rig_add(&rig, &sub, &rig.cnt, 23,
				 "{'nu':['Ca'],'enc':{'net':[3,4]}}"), 0);
	ck_assert_int_eq(notify_change(&rig.events, rig.c, &rig.cnt, &sub,
				       CHANGE_CREATE_CHILD, NULL,
				       &rig.request), 0);
	ck_assert_int_eq(notify_change(&rig.events, rig.c, &rig.cnt, &sub,
				       CHANGE_DELETE_CHILD, NULL,
				       &rig.request), 0);
	ck_assert_uint_eq(rig.events.count, 0);
	resource_deinit(&sub);
	rig_close(&rig);
}
END_TEST

/* Slices stay good while the list and its text grow. */
START_TEST(test_many_subscriptions)
{
	struct rules_rig rig;
	struct resource sub = { 0 };
	char in[64];

	rig_open(&rig);
	for (int i = 0; i < 40; i++) {
		snprintf(in, sizeof(in),
			 "{'nu':['C%02d'],'enc':{'net':[3]},'nct':3}", i);
		ck_assert_int_eq(rig_add(&rig, &sub, &rig.cnt, 23, in), 0);
		resource_deinit(&sub);
	}
	ck_assert_int_eq(perform(&rig, ADD_INSTANCE, &sub), 0);
	ck_assert_uint_eq(rig.events.count, 40);
	for (int i = 0; i < 40; i++) {
		const struct store_event *event = &rig.events.list[i];
		char nu[16], sur[32];

		snprintf(nu, sizeof(nu), "C%02d", i);
		snprintf(sur, sizeof(sur), "\"sur\":\"/id-in/r%d\"}}", i + 5);
		ck_assert(str_eq(event->target, str_of(nu)));
		ck_assert(str_eq(event->originator, STR("/id-in")));
		ck_assert(str_eq(str_skip(event->content, event->content.len -
							  strlen(sur)),
				 str_of(sur)));
	}
	rig_close(&rig);
}
END_TEST

/* ---- batches ---- */

static const struct {
	const char *bn;
	unsigned num;
	uint64_t ms;
	const char *kept;
} batches[] = {
	{ "{'num':5}", 5, 3600000, "{'num':5,'dur':'PT1H'}" },
	{ "{'num':1,'dur':'PT10S'}", 1, 10000, "{'num':1,'dur':'PT10S'}" },
	{ "{'dur':'PT1M'}", UINT_MAX, 60000, "{'dur':'PT1M'}" },
	{ "{'num':9223372036854775807}", UINT_MAX, 3600000,
	  "{'num':9223372036854775807,'dur':'PT1H'}" },
};

START_TEST(test_batch)
{
	struct rules_rig rig;
	struct resource sub = { 0 };
	char in[128];

	rig_open(&rig);
	snprintf(in, sizeof(in), "{'nu':['Ca'],'enc':{'net':[3]},'su':'Cs',"
		 "'bn':%s}", batches[_i].bn);
	ck_assert_int_eq(rig_add(&rig, &sub, &rig.cnt, 23, in), 0);
	ck_assert(rig_same(json_object_get(sub.attrs, "bn"),
			   batches[_i].kept));
	ck_assert_int_eq(perform(&rig, ADD_INSTANCE, &sub), 0);
	ck_assert_int_eq(perform(&rig, DELETE_SUBSCRIPTION, &sub), 0);
	ck_assert_uint_eq(rig.events.count, 2);
	ck_assert_uint_eq(rig.events.list[0].batch_num, batches[_i].num);
	ck_assert_uint_eq(rig.events.list[0].batch_ms, batches[_i].ms);
	ck_assert_int_eq(rig.events.list[0].subscription, sub.id);
	/* its end is told at once */
	ck_assert_uint_eq(rig.events.list[1].batch_num, 0);
	ck_assert_int_eq(rig.events.list[1].subscription, sub.id);
	resource_deinit(&sub);
	rig_close(&rig);
}
END_TEST

/* ---- verification ---- */

#define VRQ(nu)	"{'to':'" nu "','fr':'/id-in','vrq':true,'pc':" \
		"{'m2m:sgn':{'vrq':true,'sur':'/id-in/r6','cr':'Cme'}}}"

/* r5 is Cother's AE, r1 that of Cme; ri stands for the AE-ID. */
static const struct {
	const char *name;
	const char *fr;
	const char *nu;
	int rsc;
	const char *heard;
} verifications[] = {
	{ "another AE", "Cme", "['r5']", 0, "[" VRQ("r5") "]" },
	{ "another AE, SP-relative", "Cme", "['/id-in/r5']", 0,
	  "[" VRQ("/id-in/r5") "]" },
	{ "another AE, structured", "Cme", "['cse-in/other']", 0,
	  "[" VRQ("cse-in/other") "]" },
	{ "hint of a serialisation", "Cme", "['r5?ct=json']", 0,
	  "[" VRQ("r5?ct=json") "]" },
	{ "URL", "Cme", "['http://h/x']", 0, "[" VRQ("http://h/x") "]" },
	{ "AE of another CSE", "Cme", "['/id-mn/Cx']", 0,
	  "[" VRQ("/id-mn/Cx") "]" },
	{ "each", "Cme", "['r5','http://h/x']", 0,
	  "[" VRQ("r5") "," VRQ("http://h/x") "]" },
	{ "the subscriber itself", "r5", "['r5']", 0, "[]" },
	{ "the subscriber by another id", "r5", "['/id-in/cse-in/other']", 0,
	  "[]" },
	{ "the subscriber, SP-relative", "/id-in/r5", "['cse-in/other']", 0,
	  "[]" },
	{ "this CSE", "Cme", "['cse-in']", 0, "[]" },
	{ "nobody", "Cme", "['Cnobody']", 5204, NULL },
	{ "no entity", "Cme", "['cse-in/ae/cnt']", 5204, NULL },
	{ "no entity either", "Cme", "['cse-in/ae/cnt/la']", 5204, NULL },
};

START_TEST(test_verify)
{
	struct rules_rig rig;
	struct resource other = { 0 }, sub = { 0 };
	char in[128];
	int rc;

	rig_open(&rig);
	rig_from(&rig, verifications[_i].fr);
	ck_assert_int_eq(rig_add(&rig, &other, &rig.base, 2,
				 "{'rn':'other','api':'Na','rr':true,"
				 "'srv':['3']}"), 0);
	snprintf(in, sizeof(in), "{'nu':%s}", verifications[_i].nu);
	ck_assert_int_eq(rig_add(&rig, &sub, &rig.cnt, 23, in), 0);
	rc = notify_verify(&rig.events, rig.c, &sub, NULL, &rig.request);
	ck_assert_msg(rc == verifications[_i].rsc, "%s: %d",
		      verifications[_i].name, rc);
	if (rc == 0)
		check_heard(verifications[_i].name, &rig.events,
			    verifications[_i].heard);
	resource_deinit(&other);
	resource_deinit(&sub);
	rig_close(&rig);
}
END_TEST

START_TEST(test_verify_only_new)
{
	struct rules_rig rig;
	struct resource sub = { 0 };
	json_t *old_nu = rig_row("['http://h/1']");

	rig_open(&rig);
	ck_assert_int_eq(rig_add(&rig, &sub, &rig.cnt, 23,
				 "{'nu':['http://h/1','http://h/2']}"), 0);
	ck_assert_int_eq(notify_verify(&rig.events, rig.c, &sub, old_nu,
				       &rig.request), 0);
	ck_assert_uint_eq(rig.events.count, 1);
	ck_assert(str_eq(rig.events.list[0].target, STR("http://h/2")));
	json_decref(old_nu);
	resource_deinit(&sub);
	rig_close(&rig);
}
END_TEST

static Suite *notify_suite(void)
{
	Suite *suite = suite_create("store_notify");
	TCase *tc = tcase_create("notify");

	tcase_add_loop_test(tc, test_change, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, test_condition, 0, (int)ARRAY_LEN(conditions));
	tcase_add_test(tc, test_exc_counts_down);
	tcase_add_test(tc, test_deaf_to_itself);
	tcase_add_test(tc, test_many_subscriptions);
	tcase_add_loop_test(tc, test_batch, 0, (int)ARRAY_LEN(batches));
	tcase_add_loop_test(tc, test_verify, 0, (int)ARRAY_LEN(verifications));
	tcase_add_test(tc, test_verify_only_new);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return unit_run(notify_suite());
}
