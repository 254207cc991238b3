#include "store_rules_rig.h"

#include "store_create_rows.h"

static struct resource *parent_of(struct rules_rig *rig, enum parent parent)
{
	struct resource *const parents[] = {
		[IN_BASE] = &rig->base,
		[IN_AE] = &rig->ae,
		[IN_CNT] = &rig->cnt,
		[IN_SMALL] = &rig->small,
	};

	return parents[parent];
}

START_TEST(test_create)
{
	struct rules_rig rig;
	struct resource r = { 0 };
	const char *member = creates[_i].member;
	int rc;

	rig_open(&rig);
	if (member == NULL)
		member = type_name(creates[_i].ty);
	rc = rig_add_as(&rig, &r, parent_of(&rig, creates[_i].parent),
			creates[_i].ty, member, creates[_i].in, RULES_NOW);
	ck_assert_msg(rc == creates[_i].rsc, "%s: %d (%s)", creates[_i].name,
		      rc, rig.c->why);
	ck_assert_msg(rc == 0 || rig.c->why[0] != '\0', "%s: no reason",
		      creates[_i].name);
	resource_deinit(&r);
	rig_close(&rig);
}
END_TEST

START_TEST(test_subscription)
{
	struct rules_rig rig;
	struct resource r = { 0 };
	int rc;

	rig_open(&rig);
	rc = rig_add(&rig, &r, &rig.cnt, 23, subscriptions[_i].in);
	ck_assert_msg(rc == subscriptions[_i].rsc, "%s: %d (%s)",
		      subscriptions[_i].name, rc, rig.c->why);
	resource_deinit(&r);
	rig_close(&rig);
}
END_TEST

/* What CREATE makes of its content. */
static const struct {
	const char *name;
	enum parent parent;
	int ty;
	const char *member;
	const char *in;
	const char *out;
} representations[] = {
	{ "container", IN_AE, 3, "m2m:cnt",
	  "{'rn':'n','lbl':['a'],'cr':null}",
	  "{'m2m:cnt':{'rn':'n','ty':3,'ri':'r5','pi':'r1',"
	  "'ct':'20260601T080000,000','lt':'20260601T080000,000','st':0,"
	  "'cni':0,'cbs':0,'lbl':['a'],'cr':'CAdmin'}}" },
	{ "et is normalised", IN_AE, 15, "m2m:pch",
	  "{'et':'20270101T000000'}",
	  "{'m2m:pch':{'rn':'r5','ty':15,'ri':'r5','pi':'r1',"
	  "'ct':'20260601T080000,000','lt':'20260601T080000,000',"
	  "'et':'20270101T000000,000'}}" },
	{ "instance: size in bytes, st of the container", IN_CNT, 4,
	  "m2m:cin", "{'con':'\u00b0C'}",
	  "{'m2m:cin':{'rn':'r5','ty':4,'ri':'r5','pi':'r3',"
	  "'ct':'20260601T080000,000','lt':'20260601T080000,000','st':1,"
	  "'cs':3,'con':'\u00b0C'}}" },
	{ "instance: size of an object is that of its JSON", IN_CNT, 4,
	  "m2m:cin", "{'con':{'t': [1, null]}}",
	  "{'m2m:cin':{'rn':'r5','ty':4,'ri':'r5','pi':'r3',"
	  "'ct':'20260601T080000,000','lt':'20260601T080000,000','st':1,"
	  "'cs':14,'con':{'t':[1,null]}}}" },
	{ "flexContainer: its name, its size", IN_AE, 28, "cod:color",
	  "{'cnd':'c','red':10,'name':'abc'}",
	  "{'cod:color':{'rn':'r5','ty':28,'ri':'r5','pi':'r1',"
	  "'ct':'20260601T080000,000','lt':'20260601T080000,000','st':0,"
	  "'cs':5,'cnd':'c','red':10,'name':'abc'}}" },
	{ "subscription: defaults", IN_CNT, 23, "m2m:sub", "{'nu':['Ca']}",
	  "{'m2m:sub':{'rn':'r5','ty':23,'ri':'r5','pi':'r3',"
	  "'ct':'20260601T080000,000','lt':'20260601T080000,000',"
	  "'nu':['Ca'],'enc':{'net':[1]},'nct':1}}" },
	{ "group: defaults, members by id, each once", IN_AE, 9, "m2m:grp",
	  "{'mnm':3,'mid':['cse-in/ae/cnt','/id-in/r3','/id-x/y',"
	  "'cse-in/ae/cnt/la']}",
	  "{'m2m:grp':{'rn':'r5','ty':9,'ri':'r5','pi':'r1',"
	  "'ct':'20260601T080000,000','lt':'20260601T080000,000','cnm':3,"
	  "'mnm':3,'mid':['r3','/id-x/y','r3/la'],'mt':0,'mtv':false,"
	  "'csy':1,'ssi':false}}" },
};

START_TEST(test_represent)
{
	struct rules_rig rig;
	struct resource r = { 0 };
	json_t *out;
	int rc;

	rig_open(&rig);
	rc = rig_add_as(&rig, &r, parent_of(&rig, representations[_i].parent),
			representations[_i].ty, representations[_i].member,
			representations[_i].in, RULES_NOW);
	ck_assert_msg(rc == 0, "%s: %d (%s)", representations[_i].name, rc,
		      rig.c->why);
	ck_assert_int_eq(rules_represent(&out, rig.c, &r), 0);
	ck_assert_msg(rig_same(out, representations[_i].out), "%s",
		      representations[_i].name);
	json_decref(out);
	resource_deinit(&r);
	rig_close(&rig);
}
END_TEST

static const struct {
	const char *name;
	enum parent parent;
	int ty;
	const char *member;
	const char *before;
	const char *in;
	int rsc;
	const char *changed;	/* where rsc is 0 */
} updates[] = {
	{ "set", IN_AE, 3, "m2m:cnt", "{}", "{'mni':5}", 0,
	  "{'mni':5,'lt':'20260601T080001,000','st':1}" },
	{ "set, remove", IN_AE, 3, "m2m:cnt", "{'mni':5,'lbl':['a']}",
	  "{'mni':6,'lbl':null}", 0,
	  "{'mni':6,'lbl':null,'lt':'20260601T080001,000','st':1}" },
	{ "remove what is not there", IN_AE, 3, "m2m:cnt", "{}",
	  "{'lbl':null}", 0,
	  "{'lbl':null,'lt':'20260601T080001,000','st':1}" },
	{ "nothing", IN_AE, 3, "m2m:cnt", "{}", "{}", 0,
	  "{'lt':'20260601T080001,000','st':1}" },
	{ "et", IN_AE, 3, "m2m:cnt", "{}", "{'et':'20270101T000000'}", 0,
	  "{'et':'20270101T000000,000','lt':'20260601T080001,000','st':1}" },
	{ "et removed", IN_AE, 3, "m2m:cnt", "{'et':'20270101T000000'}",
	  "{'et':null}", 0,
	  "{'et':null,'lt':'20260601T080001,000','st':1}" },
	{ "et in the past", IN_AE, 3, "m2m:cnt", "{}",
	  "{'et':'20260601T080001'}", 4000, NULL },
	{ "unknown", IN_AE, 3, "m2m:cnt", "{}", "{'wrong':1}", 4000, NULL },
	{ "NP", IN_AE, 3, "m2m:cnt", "{}", "{'rn':'x'}", 4000, NULL },
	{ "NP by null", IN_AE, 3, "m2m:cnt", "{}", "{'cr':null}", 4000, NULL },
	{ "wrong type", IN_AE, 3, "m2m:cnt", "{}", "{'mni':'5'}", 4000, NULL },
	{ "mandatory removed", IN_BASE, 2, "m2m:ae", "{" AE "}",
	  "{'rr':null}", 4000, NULL },
	{ "mandatory set", IN_BASE, 2, "m2m:ae", "{" AE "}", "{'rr':false}",
	  0, "{'rr':false,'lt':'20260601T080001,000'}" },
	{ "api is for ever", IN_BASE, 2, "m2m:ae", "{" AE "}",
	  "{'api':'Nb'}", 4000, NULL },
	{ "acpi alone", IN_AE, 3, "m2m:cnt", "{}",
	  "{'acpi':['cse-in/ae/acp']}", 0,
	  "{'acpi':['cse-in/ae/acp'],'lt':'20260601T080001,000','st':1}" },
	{ "acpi with more", IN_AE, 3, "m2m:cnt", "{}",
	  "{'acpi':['cse-in/ae/acp'],'mni':1}", 4000, NULL },
	{ "acpi of nothing", IN_AE, 3, "m2m:cnt", "{}", "{'acpi':['nix']}",
	  4000, NULL },
	{ "instance", IN_CNT, 4, "m2m:cin", "{'con':'x'}", "{'con':'y'}",
	  4005, NULL },
	{ "custom attribute", IN_AE, 28, "cod:color", "{'cnd':'c','red':1}",
	  "{'red':2,'blue':null}", 0,
	  "{'red':2,'blue':null,'lt':'20260601T080001,000','st':1}" },
	{ "cnd is for ever", IN_AE, 28, "cod:color", "{'cnd':'c'}",
	  "{'cnd':'d'}", 4000, NULL },
	{ "subscription: whole combination", IN_CNT, 23, "m2m:sub",
	  "{'nu':['Ca'],'enc':{'net':[1]},'nct':2}", "{'enc':{'net':[3]}}",
	  4000, NULL },
	{ "subscription: enc back to its default", IN_CNT, 23, "m2m:sub",
	  "{'nu':['Ca'],'enc':{'net':[3]}}", "{'enc':null}", 0,
	  "{'enc':{'net':[1]},'lt':'20260601T080001,000'}" },
	{ "group: mid normalised", IN_AE, 9, "m2m:grp",
	  "{'mnm':2,'mid':[]}", "{'mid':['cse-in/ae/cnt']}", 0,
	  "{'mid':['r3'],'lt':'20260601T080001,000'}" },
	{ "group: mnm too small", IN_AE, 9, "m2m:grp",
	  "{'mnm':2,'mid':['cse-in/ae/cnt','cse-in/ae/small']}",
	  "{'mnm':1}", 6010, NULL },
	{ "group: mt is for ever", IN_AE, 9, "m2m:grp",
	  "{'mnm':2,'mid':[]}", "{'mt':3}", 4000, NULL },
};

START_TEST(test_update)
{
	struct rules_rig rig;
	struct resource r = { 0 };
	json_t *changed = NULL, *in = rig_row(updates[_i].in), *before;
	int rc;

	rig_open(&rig);
	rc = rig_add_as(&rig, &r, parent_of(&rig, updates[_i].parent),
			updates[_i].ty, updates[_i].member, updates[_i].before,
			RULES_NOW);
	ck_assert_msg(rc == 0, "%s: %d (%s)", updates[_i].name, rc,
		      rig.c->why);
	before = json_deep_copy(r.attrs);
	rc = rules_update(&r, &changed, rig.c, in, &rig.request,
			  RULES_NOW + 1000);
	ck_assert_msg(rc == updates[_i].rsc, "%s: %d (%s)", updates[_i].name,
		      rc, rig.c->why);
	if (rc == 0)
		ck_assert_msg(rig_same(changed, updates[_i].changed), "%s",
			      updates[_i].name);
	else
		ck_assert_msg(json_equal(before, r.attrs) && r.st <= 1 &&
			      r.lt == RULES_NOW, "%s: touched",
			      updates[_i].name);
	json_decref(before);
	json_decref(changed);
	json_decref(in);
	resource_deinit(&r);
	rig_close(&rig);
}
END_TEST

START_TEST(test_modified_hides_removed)
{
	json_t *changed = rig_row("{'a':null,'b':1}");
	json_t *shown = rules_modified(changed);

	ck_assert(rig_same(shown, "{'b':1}"));
	json_decref(shown);
	json_decref(changed);
}
END_TEST

/* mt and csy against members of other types. */
static const struct {
	const char *name;
	const char *fr;
	const char *in;
	int rsc;
	const char *mid;
	int mt;
} groups[] = {
	{ "right type", "CAdmin", "{'mnm':2,'mt':3,'mid':['cse-in/ae/cnt']}",
	  0, "['r3']", 3 },
	{ "default: without the odd one", "CAdmin",
	  "{'mnm':2,'mt':3,'mid':['cse-in/ae','cse-in/ae/cnt']}", 0, "['r3']",
	  3 },
	{ "ABANDON_GROUP", "CAdmin",
	  "{'mnm':2,'mt':3,'csy':2,'mid':['cse-in/ae']}", 4110, NULL, 0 },
	{ "SET_MIXED", "CAdmin",
	  "{'mnm':2,'mt':3,'csy':3,'mid':['cse-in/ae','cse-in/ae/cnt']}", 0,
	  "['r1','r3']", 0 },
	{ "oldest is a type", "CAdmin",
	  "{'mnm':2,'mt':20001,'mid':['cse-in/ae/cnt/ol']}", 0, "['r3/ol']",
	  20001 },
	{ "latest is another", "CAdmin",
	  "{'mnm':2,'mt':20001,'csy':2,'mid':['cse-in/ae/cnt/la']}", 4110,
	  NULL, 0 },
	{ "no such member", "CAdmin", "{'mnm':2,'mid':['nix']}", 4004, NULL,
	  0 },
	{ "no members", "CAdmin", "{'mnm':2,'mid':[]}", 0, "[]", 0 },
	{ "no mid", "CAdmin", "{'mnm':2}", 4000, NULL, 0 },
	{ "no mnm", "CAdmin", "{'mid':[]}", 4000, NULL, 0 },
	{ "too many", "CAdmin",
	  "{'mnm':1,'mid':['cse-in/ae','cse-in/ae/cnt']}", 6010, NULL, 0 },
	{ "consistency strategy out of range", "CAdmin",
	  "{'mnm':1,'mid':[],'csy':4}", 4000, NULL, 0 },
	{ "a member that the creator may not see", "Cstranger",
	  "{'mnm':1,'mid':['cse-in/ae/cnt']}", 4103, NULL, 0 },
};

START_TEST(test_group)
{
	struct rules_rig rig;
	struct resource r = { 0 };
	int rc;

	rig_open(&rig);
	rig_from(&rig, groups[_i].fr);
	rc = rig_add(&rig, &r, &rig.ae, 9, groups[_i].in);
	ck_assert_msg(rc == groups[_i].rsc, "%s: %d (%s)", groups[_i].name, rc,
		      rig.c->why);
	if (rc == 0) {
		ck_assert_msg(rig_same(json_object_get(r.attrs, "mid"),
				       groups[_i].mid), "%s", groups[_i].name);
		ck_assert_int_eq(json_integer_value(
			json_object_get(r.attrs, "mt")), groups[_i].mt);
	}
	resource_deinit(&r);
	rig_close(&rig);
}
END_TEST

/* ---- containers ---- */

static void add_instance(struct rules_rig *rig, struct resource *cnt,
			 const char *con, uint64_t now_ms)
{
	struct resource r = { 0 };
	char in[128];

	snprintf(in, sizeof(in), "{'con':'%s'}", con);
	ck_assert_int_eq(rig_add_as(rig, &r, cnt, 4, "m2m:cin", in, now_ms),
			 0);
	resource_deinit(&r);
}

static void check_edge(struct rules_rig *rig, const struct resource *cnt,
		       bool latest, const char *con)
{
	struct resource r = { 0 };

	ck_assert_int_eq(tree_edge(&r, rig->c, cnt->id, latest), 0);
	ck_assert_str_eq(json_string_value(json_object_get(r.attrs, "con")),
			 con);
	resource_deinit(&r);
}

/* What the row says, beside what the caller holds. */
static void check_counts(struct rules_rig *rig, const struct resource *cnt,
			 int64_t count, int64_t octets, int64_t st)
{
	struct resource row = { 0 };

	ck_assert_int_eq(tree_load(&row, rig->c, cnt->id), 0);
	ck_assert_int_eq(row.count, count);
	ck_assert_int_eq(row.octets, octets);
	ck_assert_int_eq(row.st, st);
	ck_assert_int_eq(cnt->count, count);
	ck_assert_int_eq(cnt->octets, octets);
	resource_deinit(&row);
}

START_TEST(test_oldest_goes_by_mni)
{
	struct rules_rig rig;

	rig_open(&rig);
	add_instance(&rig, &rig.small, "1", RULES_NOW);
	add_instance(&rig, &rig.small, "22", RULES_NOW);
	add_instance(&rig, &rig.small, "333", RULES_NOW);
	check_counts(&rig, &rig.small, 3, 6, 3);
	add_instance(&rig, &rig.small, "4444", RULES_NOW);
	check_counts(&rig, &rig.small, 3, 9, 4);
	check_edge(&rig, &rig.small, false, "22");
	check_edge(&rig, &rig.small, true, "4444");
	rig_close(&rig);
}
END_TEST

START_TEST(test_oldest_go_by_mbs)
{
	struct rules_rig rig;

	rig_open(&rig);
	add_instance(&rig, &rig.small, "12345678", RULES_NOW);
	add_instance(&rig, &rig.small, "12345678", RULES_NOW);
	add_instance(&rig, &rig.small, "1234567890123", RULES_NOW);
	check_counts(&rig, &rig.small, 1, 13, 3);
	rig_close(&rig);
}
END_TEST

START_TEST(test_limits_shrink)
{
	struct rules_rig rig;
	json_t *changed = NULL, *in = rig_row("{'mni':1}");

	rig_open(&rig);
	add_instance(&rig, &rig.small, "1", RULES_NOW);
	add_instance(&rig, &rig.small, "22", RULES_NOW);
	ck_assert_int_eq(rules_update(&rig.small, &changed, rig.c, in,
				      &rig.request, RULES_NOW), 0);
	ck_assert_int_eq(tree_update(&rig.small, rig.c), 0);
	check_counts(&rig, &rig.small, 1, 2, 3);
	check_edge(&rig, &rig.small, false, "22");
	json_decref(changed);
	json_decref(in);
	rig_close(&rig);
}
END_TEST

START_TEST(test_old_go_by_mia)
{
	struct rules_rig rig;
	struct resource cnt = { 0 }, r = { 0 };

	rig_open(&rig);
	ck_assert_int_eq(rig_add(&rig, &cnt, &rig.ae, 3, "{'mia':10}"), 0);
	add_instance(&rig, &cnt, "1", RULES_NOW);
	add_instance(&rig, &cnt, "2", RULES_NOW + 5000);
	add_instance(&rig, &cnt, "3", RULES_NOW + 11000);
	check_counts(&rig, &cnt, 2, 2, 3);
	check_edge(&rig, &cnt, false, "2");
	ck_assert_int_eq(tree_edge(&r, rig.c, cnt.id, true), 0);
	ck_assert_uint_eq(r.et, RULES_NOW + 21000);
	resource_deinit(&r);
	resource_deinit(&cnt);
	rig_close(&rig);
}
END_TEST

START_TEST(test_configured_limit)
{
	struct rules_rig rig;

	rig_open(&rig);
	rig.conf.max_instances = 2;
	add_instance(&rig, &rig.cnt, "1", RULES_NOW);
	add_instance(&rig, &rig.cnt, "2", RULES_NOW);
	add_instance(&rig, &rig.cnt, "3", RULES_NOW);
	check_counts(&rig, &rig.cnt, 2, 2, 3);
	rig_close(&rig);
}
END_TEST

START_TEST(test_lifetime)
{
	struct rules_rig rig;
	struct resource parent = { 0 }, r = { 0 };

	rig_open(&rig);
	rig.conf.default_lifetime_s = 3600;
	ck_assert_int_eq(rig_add(&rig, &parent, &rig.ae, 3, "{}"), 0);
	ck_assert_uint_eq(parent.et, RULES_NOW + 3600 * 1000);
	ck_assert_int_eq(rig_add(&rig, &r, &parent, 3,
				 "{'et':'20270101T000000'}"), 0);
	ck_assert_uint_eq(r.et, parent.et);
	resource_deinit(&r);
	ck_assert_int_eq(rig_add(&rig, &r, &parent, 3,
				 "{'et':'20260601T083000'}"), 0);
	ck_assert_uint_eq(r.et, RULES_NOW + 1800 * 1000);
	resource_deinit(&r);
	resource_deinit(&parent);
	rig_close(&rig);
}
END_TEST

START_TEST(test_known_attributes)
{
	ck_assert(rules_knows_attribute(3, "mni"));
	ck_assert(rules_knows_attribute(3, "lbl"));
	ck_assert(!rules_knows_attribute(4, "acpi"));
	ck_assert(!rules_knows_attribute(3, "nix"));
	ck_assert(rules_knows_attribute(28, "nix"));
	ck_assert(rules_knows_attribute(0, "con"));
	ck_assert(!rules_knows_attribute(0, "nix"));
	ck_assert_ptr_null(type_name(999));
}
END_TEST

static Suite *rules_suite(void)
{
	Suite *suite = suite_create("store_rules");
	TCase *tc = tcase_create("rules");

	tcase_add_loop_test(tc, test_create, 0, (int)ARRAY_LEN(creates));
	tcase_add_loop_test(tc, test_subscription, 0,
			    (int)ARRAY_LEN(subscriptions));
	tcase_add_loop_test(tc, test_represent, 0,
			    (int)ARRAY_LEN(representations));
	tcase_add_loop_test(tc, test_update, 0, (int)ARRAY_LEN(updates));
	tcase_add_test(tc, test_modified_hides_removed);
	tcase_add_loop_test(tc, test_group, 0, (int)ARRAY_LEN(groups));
	tcase_add_test(tc, test_oldest_goes_by_mni);
	tcase_add_test(tc, test_oldest_go_by_mbs);
	tcase_add_test(tc, test_limits_shrink);
	tcase_add_test(tc, test_old_go_by_mia);
	tcase_add_test(tc, test_configured_limit);
	tcase_add_test(tc, test_lifetime);
	tcase_add_test(tc, test_known_attributes);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return unit_run(rules_suite());
}
