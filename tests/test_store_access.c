#include "store_rig.h"

static struct rig rig;

/*
 * Two AEs, one policy and one group; box is governed by p1, what
 * is in it inherits that; own is by Cone. plain has no policy; made there was
 * made by Cb.
 */
static const char *const tree[] = {
	"'op':1,'to':'cse-in','fr':'Ca','ty':2,'pc':{'m2m:ae':{"
	"'rn':'a','api':'Nx','rr':true,'srv':['3']}}",
	"'op':1,'to':'cse-in','fr':'Cb','ty':2,'pc':{'m2m:ae':{"
	"'rn':'b','api':'Nx','rr':true,'srv':['3']}}",
	"'op':1,'to':'cse-in','fr':'/mn-1','ty':16,'pc':{"
	"'m2m:csr':{'rn':'mn','cb':'/mn-1/mcb','csi':'/mn-1',"
	"'rr':true,'srv':['3']}}",
	"'op':1,'to':'cse-in/a','fr':'CAdmin','ty':9,'pc':{"
	"'m2m:grp':{'rn':'g','mnm':9,'mid':['Cb']}}",
	"'op':1,'to':'cse-in/a','fr':'Ca','ty':1,'pc':{"
	"'m2m:acp':{'rn':'p1','pv':{'acr':["
	"{'acor':['Cread','/id-in/Clong'],'acop':34},"
	"{'acor':['Cw*d'],'acop':2},"
	"{'acor':['/id-in/*x'],'acop':2},"
	"{'acor':['/mn-1','/mn-1/Cfar'],'acop':4},"
	"{'acor':['cse-in/a/g'],'acop':8},"
	"{'acor':['all'],'acop':16},"
	"{'acor':['Cone'],'acop':1,'acod':[{'chty':[4]}]},"
	"{'acor':['Ctyped'],'acop':63,'acod':[{'ty':23}]},"
	"{'acor':['Cwhen'],'acop':63,'acco':[{'actw':['* * * * * * "
	"*']}]},"
	"{'acor':['Cauth'],'acop':63,'acaf':true}"
	"]},'pvs':{'acr':[{'acor':['Cself'],'acop':63}]}}}",
	"'op':1,'to':'cse-in/a','fr':'Ca','ty':3,'pc':{"
	"'m2m:cnt':{'rn':'box','acpi':['cse-in/a/p1']}}",
	"'op':1,'to':'cse-in/a/box','fr':'CAdmin','ty':3,'pc':{"
	"'m2m:cnt':{'rn':'inside'}}",
	"'op':1,'to':'cse-in/a/box','fr':'Cone','ty':4,'pc':{"
	"'m2m:cin':{'rn':'own','con':'1','cr':null}}",
	"'op':1,'to':'cse-in/a/box','fr':'CAdmin','ty':4,'pc':{"
	"'m2m:cin':{'rn':'other','con':'2'}}",
	"'op':1,'to':'cse-in/a','fr':'Ca','ty':3,'pc':{"
	"'m2m:cnt':{'rn':'plain'}}",
	"'op':1,'to':'cse-in/a/plain','fr':'CAdmin','ty':3,'pc':{"
	"'m2m:cnt':{'rn':'made','cr':null}}",
	"'op':1,'to':'cse-in/a','fr':'Ca','ty':15,'pc':{"
	"'m2m:pch':{'rn':'pch'}}",
	"'op':1,'to':'cse-in','fr':'Cp','ty':2,'pc':{'m2m:ae':{'rn':'p','api':"
	"'Nx','rr':true,'srv':['3'],'acpi':['cse-in/a/p1']}}",
	"'op':1,'to':'cse-in/p','fr':'CAdmin','ty':15,'pc':{'m2m:pch':{'rn':"
	"'pch'}}",
};

static void setup(void)
{
	rig_open(&rig);
	for (size_t i = 0; i < ARRAY_LEN(tree); i++)
		rig_must(&rig, 2001, tree[i]);
}

static void teardown(void)
{
	rig_close(&rig);
}

static int ask(const char *who, enum access_op op, const char *to, int child)
{
	struct store_target t = { 0 };
	int rc = store_resolve(&t, rig.c, str_of(to));

	ck_assert_msg(rc == 0, "%s: %d", to, rc);
	rc = access_check(rig.c, &t.r, str_of(who), op, child);
	store_target_deinit(&t);
	return rc;
}

#define C ACCESS_CREATE
#define R ACCESS_RETRIEVE
#define U ACCESS_UPDATE
#define D ACCESS_DELETE
#define N ACCESS_NOTIFY
#define F ACCESS_DISCOVER

static const struct {
	const char *name;
	const char *who;
	enum access_op op;
	const char *to;
	int child;
	bool granted;
} rows[] = {
	{ "admin: the CSEBase", "CAdmin", U, "cse-in", 0, true },
	{ "admin, SP-relative", "/id-in/CAdmin", D, "cse-in/a", 0, true },
	{ "admin: another's policy", "CAdmin", U, "cse-in/a/p1", 0, true },
	{ "anybody registers", "", C, "cse-in", 2, true },
	{ "a CSE registers", "/mn-2", C, "cse-in", 16, true },
	{ "an AE is no CSE", "Cnew", C, "cse-in", 16, false },
	{ "far AE is no CSE", "/mn-2/Cx", C, "cse-in", 16, false },
	{ "no container in the base", "Ca", C, "cse-in", 3, false },
	{ "registree reads base", "Ca", R, "cse-in", 0, true },
	{ "registree discovers", "Cb", F, "cse-in", 0, true },
	{ "registered CSE reads", "/mn-1", R, "cse-in", 0, true },
	{ "stranger reads base", "Cstranger", R, "cse-in", 0, false },
	{ "far AE reads base", "/mn-1/Cdev", R, "cse-in", 0, false },
	{ "nobody updates base", "Ca", U, "cse-in", 0, false },
	{ "own AE", "Ca", U, "cse-in/a", 0, true },
	{ "own AE, SP-relative", "/id-in/Ca", D, "cse-in/a", 0, true },
	{ "another's AE", "Cb", R, "cse-in/a", 0, false },
	{ "another CSE's Ca", "/mn-1/Ca", R, "cse-in/a", 0, false },
	{ "no originator", "", R, "cse-in/a", 0, false },
	{ "NOTIFY to another", "Cb", N, "cse-in/a", 0, false },
	{ "own CSR", "/mn-1", U, "cse-in/mn", 0, true },
	{ "another's CSR", "Ca", R, "cse-in/mn", 0, false },
	{ "below own AE", "Ca", C, "cse-in/a/plain", 4, true },
	{ "deep below own AE", "Ca", D, "cse-in/a/plain/made", 0, true },
	{ "below another's AE", "Cb", R, "cse-in/a/plain/made", 0, false },
	{ "policy: its pvs", "Cself", U, "cse-in/a/p1", 0, true },
	{ "policy: not its pv", "Cread", R, "cse-in/a/p1", 0, false },
	{ "policy: not the AE", "Ca", U, "cse-in/a/p1", 0, false },
	{ "acpi outranks the AE", "Ca", R, "cse-in/a/box", 0, false },
	{ "acor: stem", "Cread", R, "cse-in/a/box", 0, true },
	{ "acor: SP-relative", "Clong", R, "cse-in/a/box", 0, true },
	{ "acor: given in full", "/id-in/Cread", R, "cse-in/a/box", 0, true },
	{ "acop: not UPDATE", "Cread", U, "cse-in/a/box", 0, false },
	{ "acop: DISCOVERY", "Cread", F, "cse-in/a/box", 0, true },
	{ "wildcard inside", "Cwild", R, "cse-in/a/box", 0, true },
	{ "wildcard of nothing", "Cwd", R, "cse-in/a/box", 0, true },
	{ "wildcard does not end", "Cwide", R, "cse-in/a/box", 0, false },
	{ "wildcard of this CSE", "Cx", R, "cse-in/a/box", 0, true },
	{ "... is not of others", "/mn-1/Cx", R, "cse-in/a/box", 0, false },
	{ "acor: CSE-ID", "/mn-1", U, "cse-in/a/box", 0, true },
	{ "CSE-ID is not its AEs", "/mn-1/Cy", U, "cse-in/a/box", 0, false },
	{ "acor: far AE", "/mn-1/Cfar", U, "cse-in/a/box", 0, true },
	{ "acor: group", "Cb", D, "cse-in/a/box", 0, true },
	{ "acor: not in group", "Cc", D, "cse-in/a/box", 0, false },
	{ "acor: all", "Canyone", N, "cse-in/a/box", 0, true },
	{ "acor: all, without fr", "", N, "cse-in/a/box", 0, true },
	{ "acod: child type", "Cone", C, "cse-in/a/box", 4, true },
	{ "acod: other child", "Cone", C, "cse-in/a/box", 3, false },
	{ "acod: other target", "Ctyped", R, "cse-in/a/box", 0, false },
	{ "acco is not known", "Cwhen", R, "cse-in/a/box", 0, false },
	{ "acaf is not known", "Cauth", R, "cse-in/a/box", 0, false },
	{ "inherited", "Cread", R, "cse-in/a/box/inside", 0, true },
	{ "inherited, not more", "Cread", U, "cse-in/a/box/inside", 0, false },
	{ "inherited, AE neither", "Ca", R, "cse-in/a/box/inside", 0, false },
	{ "instance: inherited", "Cread", R, "cse-in/a/box/other", 0, true },
	{ "instance: not more", "Cread", U, "cse-in/a/box/other", 0, false },
	{ "instance: its creator", "Cone", R, "cse-in/a/box/own", 0, true },
	{ "... not of its sibling", "Cone", R, "cse-in/a/box/other", 0, false },
	{ "... nor of the container", "Cone", R, "cse-in/a/box", 0, false },
	{ "pollingChannel: its AE", "Ca", R, "cse-in/a/pch", 0, true },
	{ "pollingChannel: no acpi", "Cread", R, "cse-in/p/pch", 0, false },
	{ "... but its AE", "Cp", R, "cse-in/p/pch", 0, true },
	{ "pollingChannel: others", "Cb", R, "cse-in/a/pch", 0, false },
};

START_TEST(test_rows)
{
	/* the second answer is a kept one */
	for (int i = 0; i < 2; i++) {
		int rc = ask(rows[_i].who, rows[_i].op, rows[_i].to,
			     rows[_i].child);

		ck_assert_msg(rc == (rows[_i].granted ? 0 : 4103), "%s: %d",
			      rows[_i].name, rc);
	}
}
END_TEST

/* All rows on one store: kept decisions do not answer for each other. */
START_TEST(test_rows_together)
{
	for (size_t i = 0; i < 3 * ARRAY_LEN(rows); i++) {
		size_t k = i * 61 % ARRAY_LEN(rows);
		int rc =
			ask(rows[k].who, rows[k].op, rows[k].to, rows[k].child);

		ck_assert_msg(rc == (rows[k].granted ? 0 : 4103), "%s: %d",
			      rows[k].name, rc);
	}
}
END_TEST

/* cr alone lets its creator in; a name in another resource does not. */
START_TEST(test_creator)
{
	rig_must(&rig, 2004,
		 "'op':3,'to':'cse-in/a/p1','fr':'Cself','pc':{"
		 "'m2m:acp':{'pv':{'acr':[{'acor':['Cb'],'acop':"
		 "1}]}}}");
	rig_must(&rig, 2001,
		 "'op':1,'to':'cse-in/a/box','fr':'/id-in/Cb','ty':3,"
		 "'pc':{'m2m:cnt':{'rn':'mine','cr':null}}");
	ck_assert_int_eq(ask("Cb", D, "cse-in/a/box/mine", 0), 0);
	ck_assert_int_eq(ask("Cb", D, "cse-in/a/box", 0), 4103);
	ck_assert_int_eq(ask("Ca", D, "cse-in/a/box/mine", 0), 4103);
}
END_TEST

/* Whoever is told of changes reads. */
START_TEST(test_subscriber)
{
	static const char subscribe[] =
		"'op':1,'to':'cse-in/a/box','fr':'Cb','ty':23,"
		"'pc':{'m2m:sub':{'nu':['http://h/']}}";

	rig_must(&rig, 2004,
		 "'op':3,'to':'cse-in/a/p1','fr':'Cself','pc':{"
		 "'m2m:acp':{'pv':{'acr':[{'acor':['Cb'],'acop':1}]}}}");
	rig_must(&rig, 4103, subscribe);
	rig_must(&rig, 2004,
		 "'op':3,'to':'cse-in/a/p1','fr':'Cself','pc':{"
		 "'m2m:acp':{'pv':{'acr':[{'acor':['Cb'],'acop':3}]}}}");
	rig_must(&rig, 2001, subscribe);
}
END_TEST

static const struct {
	const char *name;
	const char *who;
	const char *to;
	bool granted;
} acpi_rows[] = {
	{ "pvs of the policy", "Cself", "cse-in/a/box", true },
	{ "pv is not enough", "/mn-1", "cse-in/a/box", false },
	{ "admin", "CAdmin", "cse-in/a/box", true },
	{ "no acpi: as any UPDATE", "Ca", "cse-in/a/plain", true },
	{ "no acpi: a stranger", "Cb", "cse-in/a/plain", false },
};

START_TEST(test_acpi)
{
	struct store_target t = { 0 };
	int rc = store_resolve(&t, rig.c, str_of(acpi_rows[_i].to));

	ck_assert_int_eq(rc, 0);
	rc = access_check_acpi(rig.c, &t.r, str_of(acpi_rows[_i].who));
	ck_assert_msg(rc == (acpi_rows[_i].granted ? 0 : 4103), "%s: %d",
		      acpi_rows[_i].name, rc);
	store_target_deinit(&t);
}
END_TEST

/* What was decided holds no longer than what it was decided by. */
static const struct {
	const char *name;
	const char *change;
	int rsc;
	const char *who;
	enum access_op op;
	const char *to;
	bool before, after;
} changes[] = {
	{ "UPDATE of the policy",
	  "'op':3,'to':'cse-in/a/p1','fr':'Cself','pc':{"
	  "'m2m:acp':{'pv':{'acr':[{'acor':['Cnew'],'acop':2}]}}}",
	  2004, "Cnew", R, "cse-in/a/box/inside", false, true },
	{ "... the other way",
	  "'op':3,'to':'cse-in/a/p1','fr':'Cself','pc':{"
	  "'m2m:acp':{'pv':{'acr':[]}}}",
	  2004, "Cread", R, "cse-in/a/box/inside", true, false },
	{ "... for an instance",
	  "'op':3,'to':'cse-in/a/p1','fr':'Cself','pc':{"
	  "'m2m:acp':{'pv':{'acr':[]}}}",
	  2004, "Cread", R, "cse-in/a/box/other", true, false },
	{ "DELETE of the policy", "'op':4,'to':'cse-in/a/p1','fr':'Cself'",
	  2002, "Cread", R, "cse-in/a/box", true, false },
	{ "UPDATE of acpi",
	  "'op':3,'to':'cse-in/a/plain','fr':'Ca','pc':{"
	  "'m2m:cnt':{'acpi':['cse-in/a/p1']}}",
	  2004, "Cread", R, "cse-in/a/plain/made", false, true },
	{ "acpi removed",
	  "'op':3,'to':'cse-in/a/box','fr':'Cself','pc':{"
	  "'m2m:cnt':{'acpi':null}}",
	  2004, "Ca", R, "cse-in/a/box/inside", false, true },
	{ "... for an instance",
	  "'op':3,'to':'cse-in/a/box','fr':'Cself','pc':{"
	  "'m2m:cnt':{'acpi':null}}",
	  2004, "Ca", R, "cse-in/a/box/other", false, true },
	{ "UPDATE of a group",
	  "'op':3,'to':'cse-in/a/g','fr':'Ca','pc':{"
	  "'m2m:grp':{'mid':[]}}",
	  2004, "Cb", D, "cse-in/a/box", true, false },
	{ "AE gone: not registered", "'op':4,'to':'cse-in/b','fr':'Cb'", 2002,
	  "Cb", R, "cse-in", true, false },
	{ "AE come: registered",
	  "'op':1,'to':'cse-in','fr':'Cd','ty':2,'pc':{"
	  "'m2m:ae':{'rn':'d','api':'Nx','rr':true,'srv':"
	  "['3']}}",
	  2001, "Cd", R, "cse-in", false, true },
};

START_TEST(test_change)
{
	int rc = ask(changes[_i].who, changes[_i].op, changes[_i].to, 0);

	ck_assert_msg((rc == 0) == changes[_i].before, "%s: before",
		      changes[_i].name);
	rig_must(&rig, changes[_i].rsc, changes[_i].change);
	rc = ask(changes[_i].who, changes[_i].op, changes[_i].to, 0);
	ck_assert_msg((rc == 0) == changes[_i].after, "%s: after",
		      changes[_i].name);
}
END_TEST

/* A rolled back policy has never granted anything. */
START_TEST(test_rollback)
{
	ck_assert_int_eq(ask("Cnew", U, "cse-in/a/box", 0), 4103);
	ck_assert_int_eq(store_begin(rig.c), 0);
	ck_assert_int_eq(
		rig_within(&rig, "'op':3,'to':'cse-in/a/p1','fr':'Cself','pc':"
				 "{'m2m:acp':{'pv':{'acr':[{'acor':['all'],"
				 "'acop':63}]}}}"),
		2004);
	ck_assert_int_eq(ask("Cnew", U, "cse-in/a/box", 0), 0);
	store_rollback(rig.c);
	ck_assert_int_eq(ask("Cnew", U, "cse-in/a/box", 0), 4103);
}
END_TEST

/*
 * A reader keeps decisions too. It sees a policy change when the writer has
 * committed, not before, whatever it kept in between.
 */
static char folder[] = "/tmp/store_access.XXXXXX";

static void setup_file(void)
{
	static char path[64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/cse.db", folder);
	rig_open_path(&rig, path);
	for (size_t i = 0; i < ARRAY_LEN(tree); i++)
		rig_must(&rig, 2001, tree[i]);
}

static void teardown_file(void)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char file[96];

	rig_close(&rig);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(file, sizeof(file), "%s/cse.db%s", folder, ends[i]);
		unlink(file);
	}
	rmdir(folder);
}

static int read_box(struct rig *reader)
{
	return rig_within(reader,
			  "'op':2,'to':'cse-in/a/box/inside','fr':'Cnew'");
}

START_TEST(test_reader)
{
	static const char *const changes_of_pv[] = {
		"'op':3,'to':'cse-in/a/p1','fr':'Cself','pc':{'m2m:acp':{'pv':"
		"{'acr':[{'acor':['Cnew'],'acop':2}]}}}",
		"'op':3,'to':'cse-in/a/p1','fr':'Cself','pc':{'m2m:acp':{'pv':"
		"{'acr':[]}}}",
	};
	struct rig reader = { .conf = rig.conf, .now = rig.now };

	ck_assert_int_eq(store_conn_create(&reader.c, rig.store, STORE_READER),
			 0);
	for (size_t i = 0; i < 6; i++) {
		int before = i % 2 == 0 ? 4103 : 2000;
		int after = i % 2 == 0 ? 2000 : 4103;

		ck_assert_int_eq(read_box(&reader), before);
		ck_assert_int_eq(store_begin(rig.c), 0);
		ck_assert_int_eq(rig_within(&rig, changes_of_pv[i % 2]), 2004);
		ck_assert_int_eq(read_box(&reader), before);
		if (i < 2) {
			ck_assert_int_eq(store_commit(rig.c), 0);
			ck_assert_int_eq(read_box(&reader), after);
			continue;
		}
		store_rollback(rig.c);
		ck_assert_int_eq(read_box(&reader), before);
		rig_must(&rig, 2004, changes_of_pv[i % 2]);
		ck_assert_int_eq(read_box(&reader), after);
	}
	/* a snapshot that was taken before the last commit */
	access_begin(reader.c);
	ck_assert_int_eq(store_begin(reader.c), 0);
	ck_assert_int_eq(read_box(&reader), 4103);
	rig_must(&rig, 2004, changes_of_pv[0]);
	ck_assert_int_eq(read_box(&reader), 4103);
	store_rollback(reader.c);
	ck_assert_int_eq(read_box(&reader), 2000);
	json_decref(reader.pc);
	prim_deinit(&reader.answer);
	store_events_deinit(&reader.events);
	store_conn_destroy(reader.c);
}
END_TEST

int main(void)
{
	TCase *file = tcase_create("reader");
	Suite *s = suite_create("store_access");
	TCase *tc = tcase_create("access");

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_rows, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, test_rows_together);
	tcase_add_test(tc, test_creator);
	tcase_add_test(tc, test_subscriber);
	tcase_add_loop_test(tc, test_acpi, 0, ARRAY_LEN(acpi_rows));
	tcase_add_loop_test(tc, test_change, 0, ARRAY_LEN(changes));
	tcase_add_test(tc, test_rollback);
	suite_add_tcase(s, file);
	tcase_add_checked_fixture(file, setup_file, teardown_file);
	tcase_add_test(file, test_reader);
	return unit_run(s);
}
