#include "store_script.h"

#include <unistd.h>

/* Requests as such, expiration, transactions and databases in a file. */

static struct rig rig;

static void setup(void)
{
	rig_open(&rig);
}

static void teardown(void)
{
	rig_close(&rig);
}

#define SUB(rn, nu) "'pc':{'m2m:sub':{'rn':'" rn "','nu':['" nu "']," \
	"'enc':{'net':[3]},'nct':1}}"

/* ---- the request itself ---- */

static const struct {
	const char *rule;
	const char *request;	/* whole */
	int rsc;
} requests[] = {
	{ "rvi 2a", "{'op':2,'to':'cse-in','fr':'CAdmin','rqi':'1','rvi':'2a'}",
	  2000 },
	{ "rvi 5", "{'op':2,'to':'cse-in','fr':'CAdmin','rqi':'1','rvi':'5'}",
	  2000 },
	{ "rvi 99", "{'op':2,'to':'cse-in','fr':'CAdmin','rqi':'1','rvi':'99'}",
	  4001 },
	{ "rvi 1", "{'op':2,'to':'cse-in','fr':'CAdmin','rqi':'1','rvi':'1'}",
	  4001 },
	{ "no rvi", "{'op':2,'to':'cse-in','fr':'CAdmin','rqi':'1'}", 4001 },
	{ "no fr", "{'op':2,'to':'cse-in','rqi':'1','rvi':'3'}", 4000 },
	{ "no to", "{'op':2,'fr':'CAdmin','rqi':'1','rvi':'3'}", 4000 },
	{ "no ty", "{'op':1,'to':'cse-in','fr':'CAdmin','rqi':'1','rvi':'3',"
	  "'pc':{'m2m:cnt':{}}}", 4000 },
	{ "no pc", "{'op':1,'to':'cse-in','fr':'CAdmin','rqi':'1','rvi':'3',"
	  "'ty':3}", 4000 },
	{ "rqet has passed", "{'op':2,'to':'cse-in','fr':'CAdmin','rqi':'1',"
	  "'rvi':'3','rqet':'20200101T000000'}", 4008 },
	{ "oet is to come", "{'op':2,'to':'cse-in','fr':'CAdmin','rqi':'1',"
	  "'rvi':'3','oet':'PT1H'}", 5001 },
	{ "oet has passed", "{'op':2,'to':'cse-in','fr':'CAdmin','rqi':'1',"
	  "'rvi':'3','oet':'20200101T000000'}", 2000 },
	{ "rqet is to come", "{'op':2,'to':'cse-in','fr':'CAdmin','rqi':'1',"
	  "'rvi':'3','rqet':'20300101T000000'}", 2000 },
};

START_TEST(test_request)
{
	struct buf text = { 0 };
	struct prim request = { 0 };
	struct store_pass pass = { 0 };
	const char *why = "";

	buf_add_str(&text, str_of(requests[_i].request));
	for (size_t i = 0; i < text.len; i++)
		text.p[i] = text.p[i] == '\'' ? '"' : text.p[i];
	ck_assert_int_eq(codec_json.decode(&request, &why, &rig.conf.codec,
					   buf_str(&text)),
			 0);
	ck_assert_int_eq(store_begin(rig.c), 0);
	ck_assert_int_eq(store_execute(rig.c, &rig.answer, &rig.events,
				       &pass, &request, rig.now),
			 0);
	ck_assert_int_eq(store_commit(rig.c), 0);
	ck_assert_msg(rig.answer.rsc == requests[_i].rsc, "%s: %d, %s",
		      requests[_i].rule, rig.answer.rsc, rig.c->why);
	prim_deinit(&request);
	buf_deinit(&text);
}
END_TEST

/* ---- expiration ---- */

static int expire(unsigned max)
{
	int n;

	store_events_deinit(&rig.events);
	ck_assert_int_eq(store_begin(rig.c), 0);
	n = store_expire(rig.c, &rig.events, rig.now, max);
	ck_assert_int_eq(store_commit(rig.c), 0);
	return n;
}

START_TEST(test_expiration)
{
	rig_must(&rig, 2001, C("cse-in", "Ca", 2) AE("a"));
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 3) CNT("'rn':'t',"
		 "'et':'20260601T080010'"));
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 4) CIN("1"));
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 3) CNT("'rn':'u',"
		 "'et':'20260601T080020'"));
	rig_must(&rig, 4000, C("cse-in/a", "Ca", 3) CNT("'rn':'v',"
		 "'et':'20260601T075959'"));
	rig.now += 9000;
	ck_assert_int_eq(expire(100), 0);
	rig_must(&rig, 2000, R("cse-in/a/t", "Ca"));
	rig.now += 1000;
	/* gone for everyone, before it is swept away and after */
	rig_must(&rig, 4004, R("cse-in/a/t", "Ca"));
	rig_must(&rig, 4004, U("cse-in/a/t", "Ca") CNT("'mni':1"));
	rig_must(&rig, 4004, D("cse-in/a/t", "Ca"));
	rig_must(&rig, 4004, C("cse-in/a/t", "Ca", 4) CIN("2"));
	ck_assert_int_gt(expire(100), 0);
	rig_must(&rig, 4004, R("cse-in/a/t", "Ca"));
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 3) CNT("'rn':'t'"));
	rig_must(&rig, 2000, R("cse-in/a/u", "Ca"));
	rig.now += 10000;
	ck_assert_int_eq(expire(1), 1);
	ck_assert_int_eq(expire(1), 0);
}
END_TEST

/* Nothing outlives its parent, also where an UPDATE wants it to. */
START_TEST(test_within_parent)
{
	static const struct row rows[] = {
		{ "AE", C("cse-in", "Ca", 2) AE("a"), 2001, NULL, 0 },
		{ "cnt", C("cse-in/a", "Ca", 3) CNT("'rn':'t',"
		  "'et':'20260601T090000'"), 2001, NULL, 0 },
		{ "longer than its parent", C("cse-in/a/t", "Ca", 3)
		  CNT("'rn':'u','et':'20260601T100000'"), 2001,
		  "{'m2m:cnt':{'et':'20260601T090000,000'}}", 0 },
		{ "earlier", U("cse-in/a/t/u", "Ca")
		  CNT("'et':'20260601T083000'"), 2004,
		  "{'m2m:cnt':{'et':'20260601T083000,000'}}", 0 },
		{ "later", U("cse-in/a/t/u", "Ca")
		  CNT("'et':'20270601T083000'"), 2004,
		  "{'m2m:cnt':{'et':'20260601T090000,000'}}", 0 },
		{ "the default", U("cse-in/a/t/u", "Ca") CNT("'et':null"),
		  2004, "{'m2m:cnt':{'et':'20260601T090000,000'}}", 0 },
		{ "of no bound", U("cse-in/a", "Ca")
		  "'pc':{'m2m:ae':{'et':'20270601T083000'}}", 2004,
		  "{'m2m:ae':{'et':'20270601T083000,000'}}", 0 },
	};

	PLAY(rows);
}
END_TEST

/* ---- transactions ---- */

START_TEST(test_rollback)
{
	rig_must(&rig, 2001, C("cse-in", "Ca", 2) AE("a"));
	ck_assert_int_eq(store_begin(rig.c), 0);
	ck_assert_int_eq(rig_within(&rig, C("cse-in/a", "Ca", 3)
				    CNT("'rn':'t'")),
			 2001);
	ck_assert_int_eq(rig_within(&rig, R("cse-in/a/t", "Ca")), 2000);
	store_rollback(rig.c);
	rig_must(&rig, 4004, R("cse-in/a/t", "Ca"));
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 3) CNT("'rn':'t'"));
}
END_TEST

/* A refused request among others of one commit leaves nothing behind. */
START_TEST(test_batch)
{
	rig_must(&rig, 2001, C("cse-in", "Ca", 2) AE("a"));
	ck_assert_int_eq(store_begin(rig.c), 0);
	ck_assert_int_eq(rig_within(&rig, C("cse-in/a", "Ca", 3)
				    CNT("'rn':'t'")),
			 2001);
	ck_assert_int_eq(rig_within(&rig, C("cse-in/a/t", "Ca", 23)
				    SUB("s", "Cnobody")),
			 5204);
	ck_assert_int_eq(rig_within(&rig, C("cse-in/a", "Ca", 3)
				    CNT("'rn':'t','lbl':['x']")),
			 4105);
	ck_assert_int_eq(rig_within(&rig, C("cse-in/a/t", "Ca", 4) CIN("1")),
			 2001);
	ck_assert_int_eq(store_commit(rig.c), 0);
	rig_must(&rig, 4004, R("cse-in/a/t/s", "Ca"));
	rig_must(&rig, 2000, R("cse-in/a", "Ca")
		 ",'fc':{'fu':1,'lbl':['x']}");
	ck_assert_uint_eq(json_array_size(json_object_get(rig.pc, "m2m:uril")),
			  0);
	rig_must(&rig, 2000, R("cse-in/a/t/la", "Ca"));
}
END_TEST

START_TEST(test_is_read)
{
	static const struct {
		const char *rule;
		enum op op;
		const char *rt;
		bool read;
	} rows[] = {
		{ "RETRIEVE", OP_RETRIEVE, NULL, true },
		{ "RETRIEVE, rt 2: sends", OP_RETRIEVE, "{\"rtv\":2}", false },
		{ "RETRIEVE, rt 1: keeps", OP_RETRIEVE, "{\"rtv\":1}", false },
		{ "RETRIEVE, rt 3", OP_RETRIEVE, "{\"rtv\":3}", true },
		{ "CREATE", OP_CREATE, NULL, false },
		{ "NOTIFY: sends", OP_NOTIFY, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct prim p = { .op = rows[i].op };

		if (rows[i].rt != NULL)
			prim_set(&p, PARAM_RT, VALUE_JSON, str_of(rows[i].rt));
		ck_assert_msg(store_is_read(&p) == rows[i].read, "%s",
			      rows[i].rule);
	}
}
END_TEST

/* ---- a database in a file ---- */

static char folder[64], path[96];

static void open_file(void)
{
	const char *why = "";

	rig.conf.path = path;
	ck_assert_msg(store_create(&rig.store, &why, &rig.conf) == 0, "%s",
		      why);
	ck_assert_int_eq(store_conn_create(&rig.c, rig.store, STORE_WRITER),
			 0);
}

static void close_file(void)
{
	store_conn_destroy(rig.c);
	store_destroy(rig.store);
}

static void setup_file(void)
{
	rig_open(&rig);
	close_file();
	snprintf(folder, sizeof(folder), "/tmp/test_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/cse.db", folder);
	open_file();
}

static void teardown_file(void)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[128];

	rig_close(&rig);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	rmdir(folder);
}

START_TEST(test_reopen)
{
	rig_must(&rig, 2001, C("cse-in", "Ca", 2) AE("a"));
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 3) CNT("'rn':'t'"));
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 4) CIN("1"));
	close_file();
	open_file();
	rig_must(&rig, 2000, R("cse-in/a/t/la", "Ca"));
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 4) CIN("2"));
	rig_must(&rig, 2000, R("cse-in/a/t", "Ca"));
	ck_assert_int_eq(json_integer_value(json_object_get(
				 json_object_get(rig.pc, "m2m:cnt"), "cni")),
			 2);
	rig_must(&rig, 4117, C("cse-in", "Ca", 2) AE("b"));
}
END_TEST

/* A reader sees the last commit, also while the writer is at work. */
START_TEST(test_reader)
{
	struct store_conn *writer = rig.c, *reader;

	ck_assert_int_eq(store_conn_create(&reader, rig.store, STORE_READER),
			 0);
	rig_must(&rig, 2001, C("cse-in", "Ca", 2) AE("a"));
	ck_assert_int_eq(store_begin(writer), 0);
	ck_assert_int_eq(rig_within(&rig, C("cse-in/a", "Ca", 3)
				    CNT("'rn':'t'")),
			 2001);
	rig.c = reader;
	ck_assert_int_eq(rig_within(&rig, R("cse-in/a", "Ca")), 2000);
	ck_assert_int_eq(rig_within(&rig, R("cse-in/a/t", "Ca")), 4004);
	ck_assert_int_eq(store_commit(writer), 0);
	ck_assert_int_eq(rig_within(&rig, R("cse-in/a/t", "Ca")), 2000);
	rig.c = writer;
	rig_must(&rig, 2002, D("cse-in/a/t", "Ca"));
	rig.c = reader;
	ck_assert_int_eq(rig_within(&rig, R("cse-in/a/t", "Ca")), 4004);
	rig.c = writer;
	store_conn_destroy(reader);
}
END_TEST

/* A reader's access decisions follow the policies. */
START_TEST(test_reader_access)
{
	struct store_conn *writer = rig.c, *reader;

	ck_assert_int_eq(store_conn_create(&reader, rig.store, STORE_READER),
			 0);
	rig_must(&rig, 2001, C("cse-in", "Ca", 2) AE("a"));
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 1)
		 "'pc':{'m2m:acp':{'rn':'p','pv':{'acr':[{'acor':['Cz'],"
		 "'acop':2}]},'pvs':{'acr':[{'acor':['Ca'],'acop':63}]}}}");
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 3)
		 CNT("'rn':'t','acpi':['cse-in/a/p']"));
	rig.c = reader;
	ck_assert_int_eq(rig_within(&rig, R("cse-in/a/t", "Cz")), 2000);
	rig.c = writer;
	rig_must(&rig, 2004, U("cse-in/a/p", "Ca")
		 "'pc':{'m2m:acp':{'pv':{'acr':[]}}}");
	rig.c = reader;
	ck_assert_int_eq(rig_within(&rig, R("cse-in/a/t", "Cz")), 4103);
	rig.c = writer;
	store_conn_destroy(reader);
}
END_TEST

START_TEST(test_other_database)
{
	const char *why = "";
	struct store *other;
	struct store_conf conf = rig.conf;

	conf.cse_id = "/id-other";
	ck_assert_int_ne(store_create(&other, &why, &conf), 0);
	ck_assert_str_ne(why, "");
	conf = rig.conf;
	conf.path = "/nonexistent/folder/cse.db";
	ck_assert_int_ne(store_create(&other, &why, &conf), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("store_file");
	TCase *memory = tcase_create("memory");
	TCase *file = tcase_create("file");

	tcase_add_checked_fixture(memory, setup, teardown);
	tcase_add_loop_test(memory, test_request, 0, ARRAY_LEN(requests));
	tcase_add_test(memory, test_expiration);
	tcase_add_test(memory, test_within_parent);
	tcase_add_test(memory, test_rollback);
	tcase_add_test(memory, test_batch);
	tcase_add_test(memory, test_is_read);
	suite_add_tcase(s, memory);
	tcase_add_checked_fixture(file, setup_file, teardown_file);
	tcase_add_test(file, test_reopen);
	tcase_add_test(file, test_reader);
	tcase_add_test(file, test_reader_access);
	tcase_add_test(file, test_other_database);
	suite_add_tcase(s, file);
	return s;
}

int main(void)
{
	return unit_run(suite());
}
