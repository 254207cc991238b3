#include "store_rules_rig.h"

/* Rows of the rig: 1 CSEBase, 2 ae (r1), 3 acp (r2), 4 cnt (r3), 5 small (r4).
 * Added here: a group, a pollingChannel and an instance, with generated ids. */
static const struct {
	const char *name;
	const char *to;
	int rsc;
	const char *ri;
	enum store_virtual virt;
	const char *rest;
	const char *attribute;
} targets[] = {
	{ "CSEBase by name", "cse-in", 0, "id-in", VIRT_NONE, 0, 0 },
	{ "CSEBase by id", "id-in", 0, "id-in", VIRT_NONE, 0, 0 },
	{ "CSEBase by dash", "-", 0, "id-in", VIRT_NONE, 0, 0 },
	{ "SP-relative", "/id-in/cse-in", 0, "id-in", VIRT_NONE, 0, 0 },
	{ "SP-relative, dash", "/id-in/-", 0, "id-in", VIRT_NONE, 0, 0 },
	{ "absolute", "//sp.example.org/id-in/cse-in", 0, "id-in", VIRT_NONE,
	  0, 0 },
	{ "bare CSE-ID", "/id-in", 4000, NULL, VIRT_NONE, 0, 0 },
	{ "absolute CSE-ID", "//sp/id-in", 4000, NULL, VIRT_NONE, 0, 0 },
	{ "absolute without a CSE", "//sp", 4000, NULL, VIRT_NONE, 0, 0 },
	{ "absolute without a provider", "///id-in/cse-in", 4000, NULL,
	  VIRT_NONE, 0, 0 },
	{ "another CSE", "/id-mn/cse-in", 4004, NULL, VIRT_NONE, 0, 0 },
	{ "another CSE with a longer name", "/id-in2/cse-in", 4004, NULL,
	  VIRT_NONE, 0, 0 },
	{ "another CSE, absolute", "//sp/id-mn/x", 4004, NULL, VIRT_NONE, 0,
	  0 },
	{ "nothing", "", 4000, NULL, VIRT_NONE, 0, 0 },
	{ "a slash", "/", 4004, NULL, VIRT_NONE, 0, 0 },
	{ "structured", "cse-in/ae/cnt", 0, "r3", VIRT_NONE, 0, 0 },
	{ "structured, dash", "-/ae/cnt", 0, "r3", VIRT_NONE, 0, 0 },
	{ "structured, absolute", "//sp/id-in/cse-in/ae/cnt", 0, "r3",
	  VIRT_NONE, 0, 0 },
	{ "trailing slash", "cse-in/ae/cnt/", 4000, NULL, VIRT_NONE, 0, 0 },
	{ "double slash", "cse-in/ae//cnt", 4004, NULL, VIRT_NONE, 0, 0 },
	{ "no such child", "cse-in/ae/nix", 4004, NULL, VIRT_NONE, 0, 0 },
	{ "no such parent", "cse-in/nix/nix", 4004, NULL, VIRT_NONE, 0, 0 },
	{ "unstructured, chosen", "r3", 0, "r3", VIRT_NONE, 0, 0 },
	{ "unstructured, generated", "grp6", 0, "grp6", VIRT_NONE, 0, 0 },
	{ "unstructured, SP-relative", "/id-in/grp6", 0, "grp6", VIRT_NONE, 0,
	  0 },
	{ "the number of another type", "cnt6", 4004, NULL, VIRT_NONE, 0, 0 },
	{ "a number of none", "cnt99", 4004, NULL, VIRT_NONE, 0, 0 },
	{ "no such id", "nix", 4004, NULL, VIRT_NONE, 0, 0 },
	{ "no real child below an unstructured id", "r1/cnt", 4004, NULL,
	  VIRT_NONE, 0, 0 },
	{ "latest", "cse-in/ae/cnt/la", 0, "r3", VIRT_LATEST, 0, 0 },
	{ "oldest", "cse-in/ae/cnt/ol", 0, "r3", VIRT_OLDEST, 0, 0 },
	{ "latest of an id", "r3/la", 0, "r3", VIRT_LATEST, 0, 0 },
	{ "below latest", "cse-in/ae/cnt/la/x", 4004, NULL, VIRT_NONE, 0, 0 },
	{ "latest of an AE", "cse-in/ae/la", 4004, NULL, VIRT_NONE, 0, 0 },
	{ "instance by name", "cse-in/ae/cnt/one", 0, "cin8", VIRT_NONE, 0,
	  0 },
	{ "fan-out", "cse-in/ae/grp/fopt", 0, "grp6", VIRT_FANOUT, 0, 0 },
	{ "fan-out with a path", "cse-in/ae/grp/fopt/x/la", 0, "grp6",
	  VIRT_FANOUT, "x/la", 0 },
	{ "fan-out of an id", "grp6/fopt/la", 0, "grp6", VIRT_FANOUT, "la",
	  0 },
	{ "polling", "cse-in/ae/pch_7/pcu", 0, "pch7", VIRT_POLLING, 0, 0 },
	{ "attribute", "cse-in/ae/cnt#cni", 0, "r3", VIRT_NONE, 0, "cni" },
	{ "empty attribute", "r3#", 0, "r3", VIRT_NONE, 0, "" },
};

static void add(struct rules_rig *rig, struct resource *parent, int ty,
		const char *in)
{
	json_t *json = rig_row(in);
	struct resource r = { 0 };

	ck_assert_int_eq(rules_create(&r, rig->c, parent, ty, type_name(ty),
				      json, &rig->request, RULES_NOW), 0);
	r.parent = parent->id;
	ck_assert_int_eq(tree_insert(&r, rig->c), 0);
	resource_deinit(&r);
	json_decref(json);
}

static void check_text(const char *name, const char *got, const char *want)
{
	ck_assert_msg((got == NULL) == (want == NULL) &&
		      (got == NULL || strcmp(got, want) == 0), "%s: %s", name,
		      got);
}

static void check_target(struct rules_rig *rig, int i)
{
	struct store_target t;
	int rc = store_resolve(&t, rig->c, str_of(targets[i].to));

	ck_assert_msg(rc == targets[i].rsc, "%s: %d", targets[i].name, rc);
	check_text(targets[i].name, t.r.ri, targets[i].ri);
	check_text(targets[i].name, t.rest, targets[i].rest);
	check_text(targets[i].name, t.attribute, targets[i].attribute);
	ck_assert_msg(t.virt == targets[i].virt, "%s", targets[i].name);
	store_target_deinit(&t);
}

START_TEST(test_resolve)
{
	struct rules_rig rig;

	rig_open(&rig);
	add(&rig, &rig.ae, 9, "{'rn':'grp','mnm':1,'mid':[]}");
	add(&rig, &rig.ae, 15, "{}");
	add(&rig, &rig.cnt, 4, "{'rn':'one','con':'x'}");
	check_target(&rig, _i);
	check_target(&rig, _i);		/* by what is remembered */
	rig_close(&rig);
}
END_TEST

START_TEST(test_path_of_what_came_again)
{
	struct rules_rig rig;
	struct resource cnt = { 0 };
	struct store_target t;

	rig_open(&rig);
	add(&rig, &rig.cnt, 3, "{'rn':'x'}");
	rig_get(&rig, &cnt, STR("cse-in/ae/cnt/x"));
	ck_assert_int_eq(tree_delete(rig.c, &rig.cnt), 0);
	ck_assert_int_eq(store_resolve(&t, rig.c, STR("cse-in/ae/cnt/x")),
			 RSC_NOT_FOUND);
	add(&rig, &rig.ae, 3, "{'rn':'cnt'}");
	resource_deinit(&rig.cnt);
	rig_get(&rig, &rig.cnt, STR("cse-in/ae/cnt"));
	add(&rig, &rig.cnt, 3, "{'rn':'x'}");
	resource_deinit(&cnt);
	rig_get(&rig, &cnt, STR("cse-in/ae/cnt/x"));
	ck_assert_str_eq(cnt.ri, "cnt8");
	resource_deinit(&cnt);
	rig_close(&rig);
}
END_TEST

START_TEST(test_names_are_unique)
{
	struct rules_rig rig;
	struct resource r = { 0 };

	rig_open(&rig);
	ck_assert_int_eq(rig_add(&rig, &r, &rig.ae, 3, "{'rn':'cnt'}"),
			 RSC_CONFLICT);
	resource_deinit(&r);
	/* the name that the next row would get */
	add(&rig, &rig.ae, 3, "{'rn':'cnt_8'}");
	add(&rig, &rig.ae, 3, "{}");
	rig_get(&rig, &r, STR("cse-in/ae/cnt_8-1"));
	ck_assert_str_eq(r.ri, "cnt8");
	resource_deinit(&r);
	rig_close(&rig);
}
END_TEST

START_TEST(test_chosen_ids_are_unique)
{
	struct rules_rig rig;
	struct resource r = { 0 };
	static const char *const ids[] = { "r1", "cnt77", "id-in" };

	rig_open(&rig);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		r = (struct resource){ .parent = 1, .ty = 2 };
		r.ri = strdup(ids[i]);
		r.rn = strdup(ids[i]);
		r.attrs = json_object();
		ck_assert_int_eq(tree_insert(&r, rig.c), RSC_CONFLICT);
		resource_deinit(&r);
	}
	rig_close(&rig);
}
END_TEST

START_TEST(test_path_and_parent)
{
	struct rules_rig rig;
	char *text;

	rig_open(&rig);
	ck_assert_int_eq(tree_path(&text, rig.c, &rig.cnt), 0);
	ck_assert_str_eq(text, "cse-in/ae/cnt");
	free(text);
	ck_assert_int_eq(tree_path(&text, rig.c, &rig.base), 0);
	ck_assert_str_eq(text, "cse-in");
	free(text);
	ck_assert_int_eq(tree_ri(&text, rig.c, rig.cnt.parent), 0);
	ck_assert_str_eq(text, "r1");
	free(text);
	ck_assert_int_eq(tree_ri(&text, rig.c, 0), 0);
	ck_assert_str_eq(text, "");
	free(text);
	rig_close(&rig);
}
END_TEST

static int64_t count_rows(struct rules_rig *rig, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t n;

	ck_assert_int_eq(sqlite3_prepare_v2(rig->c->db, sql, -1, &stmt, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

START_TEST(test_labels_follow)
{
	struct rules_rig rig;
	struct resource r = { 0 };
	json_t *changed = NULL, *in = rig_row("{'lbl':['b']}");
	const char *sql = "SELECT count(*) FROM label";

	rig_open(&rig);
	ck_assert_int_eq(rig_add(&rig, &r, &rig.ae, 3,
				 "{'lbl':['a','b','a']}"), 0);
	ck_assert_int_eq(count_rows(&rig, sql), 2);
	ck_assert_int_eq(rules_update(&r, &changed, rig.c, in, &rig.request,
				      RULES_NOW), 0);
	ck_assert_int_eq(tree_update(&r, rig.c), 0);
	ck_assert_int_eq(count_rows(&rig, sql), 1);
	add(&rig, &rig.cnt, 4, "{'con':'x','lbl':['c']}");
	ck_assert_int_eq(count_rows(&rig, sql), 2);
	ck_assert_int_eq(tree_delete(rig.c, &rig.ae), 0);
	ck_assert_int_eq(count_rows(&rig, sql), 0);
	ck_assert_int_eq(count_rows(&rig, "SELECT count(*) FROM resource"), 1);
	json_decref(changed);
	json_decref(in);
	resource_deinit(&r);
	rig_close(&rig);
}
END_TEST

static int count_child(void *arg, const struct resource *r)
{
	int *n = arg;

	ck_assert_ptr_nonnull(r->attrs);
	return ++*n == 3 ? 77 : 0;
}

START_TEST(test_children_stop_where_told)
{
	struct rules_rig rig;
	int n = 0;

	rig_open(&rig);
	ck_assert_int_eq(tree_children(rig.c, rig.ae.id, 3, count_child, &n),
			 0);
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(tree_children(rig.c, rig.ae.id, 0, count_child, &n),
			 77);
	ck_assert_int_eq(n, 3);
	rig_close(&rig);
}
END_TEST

START_TEST(test_undo)
{
	struct rules_rig rig;
	struct store_target t;

	rig_open(&rig);
	ck_assert_int_eq(tree_mark(rig.c), 0);
	add(&rig, &rig.ae, 3, "{'rn':'gone'}");
	tree_undo(rig.c);
	ck_assert_int_eq(tree_mark(rig.c), 0);
	add(&rig, &rig.ae, 3, "{'rn':'kept'}");
	ck_assert_int_eq(tree_keep(rig.c), 0);
	ck_assert_int_eq(store_resolve(&t, rig.c, STR("cse-in/ae/gone")),
			 RSC_NOT_FOUND);
	ck_assert_int_eq(store_resolve(&t, rig.c, STR("cse-in/ae/kept")), 0);
	/* a number is never given twice */
	ck_assert_str_eq(t.r.ri, "cnt7");
	store_target_deinit(&t);
	rig_close(&rig);
}
END_TEST

START_TEST(test_expire)
{
	struct rules_rig rig;
	struct store_events events = { 0 };
	struct resource sub = { 0 };

	rig_open(&rig);
	ck_assert_int_eq(rig_add(&rig, &sub, &rig.cnt, 23,
				 "{'nu':['Ca'],'enc':{'net':[4]},'nct':3}"),
			 0);
	add(&rig, &rig.cnt, 3, "{'et':'20260601T080001','rn':'a'}");
	add(&rig, &rig.cnt, 3, "{'et':'20260601T080002','rn':'b'}");
	add(&rig, &rig.cnt, 3, "{'et':'20260601T080003','rn':'c'}");
	ck_assert_int_eq(store_expire(rig.c, &events, RULES_NOW, 10), 0);
	ck_assert_int_eq(store_expire(rig.c, &events, RULES_NOW + 2000, 1), 1);
	ck_assert_int_eq(store_expire(rig.c, &events, RULES_NOW + 2000, 10),
			 1);
	ck_assert_int_eq(store_expire(rig.c, &events, RULES_NOW + 2000, 10),
			 0);
	ck_assert_uint_eq(events.count, 2);
	ck_assert_int_eq(count_rows(&rig, "SELECT count(*) FROM resource "
				    "WHERE et > 0"), 1);
	store_events_deinit(&events);
	resource_deinit(&sub);
	rig_close(&rig);
}
END_TEST

/* ---- a file ---- */

struct file {
	char dir[32], path[64];
	struct store_conf conf;
	struct store *store;
	struct store_conn *c;
};

static void file_open(struct file *f)
{
	const char *why;

	ck_assert_msg(store_create(&f->store, &why, &f->conf) == 0, "%s", why);
	ck_assert_int_eq(store_conn_create(&f->c, f->store, STORE_WRITER), 0);
}

static void file_close(struct file *f)
{
	store_conn_destroy(f->c);
	store_destroy(f->store);
}

static void file_create(struct file *f)
{
	*f = (struct file){ .dir = "/tmp/test-store-XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/db", f->dir);
	f->conf = (struct store_conf){
		.path = f->path,
		.cse_id = "/id-in",
		.cse_name = "cse-in",
		.admin = "CAdmin",
		.poa = "http://h",
	};
	file_open(f);
}

static void file_remove(struct file *f)
{
	file_close(f);
	unlink(f->path);
	rmdir(f->dir);
}

static void insert(struct store_conn *c, char ri[64])
{
	struct resource r = {
		.parent = 1, .ty = 3, .attrs = json_object(),
	};

	ck_assert_int_eq(tree_insert(&r, c), 0);
	snprintf(ri, 64, "%s", r.ri);
	resource_deinit(&r);
}

static int load(struct store_conn *c, const char *ri)
{
	struct resource r;
	int rc = tree_load_ri(&r, c, ri);

	resource_deinit(&r);
	return rc;
}

START_TEST(test_reader_sees_commits)
{
	struct file f;
	struct store_conn *reader;
	char ri[64];

	file_create(&f);
	ck_assert_int_eq(store_conn_create(&reader, f.store, STORE_READER), 0);
	ck_assert_int_eq(store_begin(f.c), 0);
	insert(f.c, ri);
	ck_assert_int_eq(load(f.c, ri), 0);
	ck_assert_int_eq(load(reader, ri), RSC_NOT_FOUND);
	ck_assert_int_eq(store_begin(reader), 0);
	ck_assert_int_eq(load(reader, ri), RSC_NOT_FOUND);
	ck_assert_int_eq(store_commit(f.c), 0);
	ck_assert_int_eq(load(reader, ri), RSC_NOT_FOUND);
	store_rollback(reader);
	ck_assert_int_eq(load(reader, ri), 0);
	store_conn_destroy(reader);
	file_remove(&f);
}
END_TEST

START_TEST(test_rollback_and_reopen)
{
	struct file f;
	char first[64], gone[64], last[64];

	file_create(&f);
	ck_assert_int_eq(store_begin(f.c), 0);
	insert(f.c, gone);
	store_rollback(f.c);
	ck_assert_int_eq(store_begin(f.c), 0);
	insert(f.c, first);
	ck_assert_int_eq(store_commit(f.c), 0);
	file_close(&f);
	file_open(&f);
	ck_assert_int_eq(load(f.c, gone), RSC_NOT_FOUND);
	ck_assert_int_eq(load(f.c, first), 0);
	ck_assert_int_eq(store_begin(f.c), 0);
	insert(f.c, last);
	ck_assert_int_eq(store_commit(f.c), 0);
	ck_assert_str_ne(last, first);
	ck_assert_str_ne(last, gone);
	file_remove(&f);
}
END_TEST

START_TEST(test_number_of_the_deleted_is_gone)
{
	struct file f;
	struct resource r;
	char first[64], second[64];

	file_create(&f);
	ck_assert_int_eq(store_begin(f.c), 0);
	insert(f.c, first);
	ck_assert_int_eq(tree_load_ri(&r, f.c, first), 0);
	ck_assert_int_eq(tree_delete(f.c, &r), 0);
	resource_deinit(&r);
	ck_assert_int_eq(store_commit(f.c), 0);
	file_close(&f);
	file_open(&f);
	ck_assert_int_eq(store_begin(f.c), 0);
	insert(f.c, second);
	ck_assert_int_eq(store_commit(f.c), 0);
	ck_assert_str_ne(first, second);
	file_remove(&f);
}
END_TEST

START_TEST(test_refused_databases)
{
	struct file f;
	struct store *other;
	const char *why = NULL;

	file_create(&f);
	file_close(&f);
	f.conf.cse_id = "/id-other";
	ck_assert_int_eq(store_create(&other, &why, &f.conf),
			 ERR_UNSUPPORTED);
	ck_assert_str_eq(why, "the database belongs to another CSE");
	f.conf.cse_id = "/id-in";
	f.conf.path = f.dir;
	ck_assert_int_lt(store_create(&other, &why, &f.conf), 0);
	f.conf.path = f.path;
	file_open(&f);
	ck_assert_int_eq(sqlite3_exec(f.c->db, "PRAGMA user_version = 99",
				      NULL, NULL, NULL), SQLITE_OK);
	file_close(&f);
	ck_assert_int_eq(store_create(&other, &why, &f.conf),
			 ERR_UNSUPPORTED);
	ck_assert_str_eq(why, "the database is of another release");
	unlink(f.path);
	rmdir(f.dir);
}
END_TEST

static Suite *tree_suite(void)
{
	Suite *suite = suite_create("store_tree");
	TCase *tc = tcase_create("tree");

	tcase_add_loop_test(tc, test_resolve, 0, (int)ARRAY_LEN(targets));
	tcase_add_test(tc, test_path_of_what_came_again);
	tcase_add_test(tc, test_names_are_unique);
	tcase_add_test(tc, test_chosen_ids_are_unique);
	tcase_add_test(tc, test_path_and_parent);
	tcase_add_test(tc, test_labels_follow);
	tcase_add_test(tc, test_children_stop_where_told);
	tcase_add_test(tc, test_undo);
	tcase_add_test(tc, test_expire);
	tcase_add_test(tc, test_reader_sees_commits);
	tcase_add_test(tc, test_rollback_and_reopen);
	tcase_add_test(tc, test_number_of_the_deleted_is_gone);
	tcase_add_test(tc, test_refused_databases);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return unit_run(tree_suite());
}
