#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "state_rig.h"

/* ---- entities ---- */

struct rows {
	struct buf text;	/* "id token ty rn poa rr routed dcse;" each */
	unsigned count;
	unsigned stop_at;		/* 0: never */
};

static int on_row(void *arg, const struct entity_row *row)
{
	struct rows *rows = arg;
	struct buf *b = &rows->text;

	buf_add_str(b, row->id);
	buf_add_char(b, ' ');
	buf_add_str(b, row->token);
	buf_add_char(b, ' ');
	buf_add_i64(b, row->ty);
	buf_add_char(b, ' ');
	buf_add_str(b, row->rn);
	buf_add_char(b, ' ');
	buf_add_str(b, row->poa);
	buf_add_char(b, ' ');
	buf_add_i64(b, row->rr);
	buf_add_i64(b, row->routed);
	buf_add_char(b, ' ');
	buf_add_str(b, row->dcse);
	buf_add_char(b, ';');
	return ++rows->count == rows->stop_at ? ERR_LIMIT : 0;
}

static const struct entity_row meter = {
	.id = STR_INIT("/id-in/Cmeter7"),
	.token = STR_INIT("b0b0"),
	.ty = 2,
	.rn = STR_INIT("meter"),
	.poa = STR_INIT("[\"ws://default\"]"),
	.rr = 2,
	.routed = true,
};

static const struct entity_row field = {
	.id = STR_INIT("/mn-cse7"),
	.token = STR_INIT("a1a1"),
	.ty = 16,
	.dcse = STR_INIT("[\"/mn-8\"]"),
};

static int put_entity(struct rig *rig, const struct entity_row *row)
{
	return rig_wait(rig, entities_put(rig->m, &rig->call, row));
}

static void assert_rows(const char *want)
{
	struct rows rows = { 0 };
	struct rig rig;

	rig_create(&rig, rig_dir, NULL);
	ck_assert_int_eq(entities_load(rig.state, on_row, &rows), 0);
	ck_assert_msg(str_eq(buf_str(&rows.text), str_of(want)), "%.*s",
		      (int)rows.text.len, rows.text.p);
	buf_deinit(&rows.text);
	rig_close(&rig);
}

START_TEST(test_entities)
{
	struct entity_row again = meter;
	struct rig rig;

	rig_make_dir();
	assert_rows("");
	rig_open(&rig, rig_dir, NULL);
	ck_assert_int_eq(put_entity(&rig, &meter), 0);
	ck_assert_int_eq(put_entity(&rig, &field), 0);
	rig_close(&rig);
	assert_rows("/mn-cse7 a1a1 16   00 [\"/mn-8\"];"
		    "/id-in/Cmeter7 b0b0 2 meter [\"ws://default\"] 21 ;");
	rig_open(&rig, rig_dir, NULL);
	again.poa = STR("[]");
	ck_assert_int_eq(put_entity(&rig, &again), 0);
	ck_assert_int_eq(rig_wait(&rig, entities_remove(rig.m, &rig.call,
							field.token)), 0);
	ck_assert_int_eq(rig_wait(&rig, entities_remove(rig.m, &rig.call,
							STR("none"))), 0);
	rig_close(&rig);
	assert_rows("/id-in/Cmeter7 b0b0 2 meter [] 21 ;");
	rig_remove_dir();
}
END_TEST

START_TEST(test_load_stops)
{
	struct rows rows = { .stop_at = 1 };
	struct rig rig;

	rig_make_dir();
	rig_open(&rig, rig_dir, NULL);
	ck_assert_int_eq(put_entity(&rig, &meter), 0);
	ck_assert_int_eq(put_entity(&rig, &field), 0);
	rig_close(&rig);
	rig_create(&rig, rig_dir, NULL);
	ck_assert_int_eq(entities_load(rig.state, on_row, &rows), ERR_LIMIT);
	ck_assert_uint_eq(rows.count, 1);
	/* from the start again */
	rows.stop_at = 0;
	ck_assert_int_eq(entities_load(rig.state, on_row, &rows), 0);
	ck_assert_uint_eq(rows.count, 3);
	buf_deinit(&rows.text);
	rig_close(&rig);
	rig_remove_dir();
}
END_TEST

/* In memory all works, and nothing survives. */
START_TEST(test_memory)
{
	struct rows rows = { 0 };
	struct rig rig;

	rig_open(&rig, NULL, NULL);
	ck_assert_int_eq(put_entity(&rig, &meter), 0);
	ck_assert_int_eq(rig_put(&rig, "a", "m"), 0);
	rig_close(&rig);
	rig_create(&rig, NULL, NULL);
	ck_assert_int_eq(entities_load(rig.state, on_row, &rows), 0);
	ck_assert_uint_eq(rows.count, 0);
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), 0);
	rig_close(&rig);
}
END_TEST

/* ---- calls ---- */

START_TEST(test_only_its_owner_reads)
{
	char path[128];
	struct stat st;
	struct rig rig;

	rig_make_dir();
	rig_open(&rig, rig_dir, NULL);
	ck_assert_int_eq(rig_put(&rig, "a", "m"), 0);
	snprintf(path, sizeof(path), "%s/m2mwsd.db", rig_dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	strcat(path, "-wal");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	rig_close(&rig);
	rig_remove_dir();
}
END_TEST

/* What is handed in together is executed in order. */
START_TEST(test_order)
{
	struct inbox_item item = rig_item("a", "1");
	struct rig rig;

	rig_create(&rig, NULL, NULL);
	ck_assert_int_eq(inbox_put(rig.m, NULL, &item), 0);
	item.message = STR("2");
	ck_assert_int_eq(inbox_put(rig.m, NULL, &item), 0);
	ck_assert_int_eq(inbox_remove(rig.m, NULL, item.entity, 1), 0);
	ck_assert_int_eq(inbox_next(rig.m, &rig.call, item.entity), 0);
	ck_assert_int_eq(state_start(rig.state), 0);
	ck_assert_int_eq(rig_wait(&rig, 0), 0);
	rig_assert_found(&rig, "2");
	rig_close(&rig);
}
END_TEST

/* Strings are copied: the caller's may go at once. */
START_TEST(test_copies)
{
	char text[] = "text", name[] = "a";
	struct inbox_item item = rig_item(name, text);
	struct rig rig;

	rig_create(&rig, NULL, NULL);
	ck_assert_int_eq(inbox_put(rig.m, NULL, &item), 0);
	memset(text, 'x', sizeof(text) - 1);
	memset(name, 'x', sizeof(name) - 1);
	ck_assert_int_eq(state_start(rig.state), 0);
	ck_assert_int_eq(rig_next(&rig, "a"), 0);
	rig_assert_found(&rig, "text");
	rig_close(&rig);
}
END_TEST

START_TEST(test_too_much_waits)
{
	char large[1000] = { 0 };
	struct inbox_item item = rig_item("a", "");
	struct rig rig;
	int refused = 0;

	rig_create(&rig, NULL, NULL);
	item.message = (struct str){ large, sizeof(large) };
	for (size_t i = 0; i < rig.conf.max_waiting / sizeof(large) + 2; i++)
		refused += inbox_put(rig.m, NULL, &item) == ERR_LIMIT;
	ck_assert_int_gt(refused, 0);
	ck_assert_int_eq(inbox_put(rig.m, &rig.call, &item), ERR_LIMIT);
	ck_assert_ptr_null(rig.call.job);
	ck_assert_int_eq(entities_put(rig.m, NULL,
				      &(struct entity_row){
					      .poa = item.message }),
			 ERR_LIMIT);
	/* what makes room is always taken */
	ck_assert_int_eq(state_start(rig.state), 0);
	ck_assert_int_eq(rig_remove(&rig, "a", 1), 0);
	ck_assert_int_eq(rig_put(&rig, "a", "1"), 0);
	rig_close(&rig);
}
END_TEST

struct counted {
	struct state_call call;
	struct state_mailbox *ends;	/* which it destroys; or NULL */
	int heard;
};

static void on_counted(struct state_call *call, int err)
{
	struct counted *c = container_of(call, struct counted, call);

	ck_assert_int_eq(err, 0);
	c->heard++;
	if (c->ends != NULL)
		state_mailbox_destroy(c->ends);
	c->ends = NULL;
}

START_TEST(test_cancel)
{
	struct counted c = { .call.on_done = on_counted };
	struct inbox_item item = rig_item("a", "1");
	struct rig rig;

	rig_create(&rig, NULL, NULL);
	state_call_cancel(&c.call);
	ck_assert_int_eq(inbox_put(rig.m, &c.call, &item), 0);
	state_call_cancel(&c.call);
	/* and it is free for the next one */
	ck_assert_int_eq(inbox_put(rig.m, &c.call, &item), 0);
	ck_assert_int_eq(state_start(rig.state), 0);
	ck_assert_int_eq(rig_put(&rig, "a", "2"), 0);
	ck_assert_int_eq(c.heard, 1);
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), 3);
	rig_close(&rig);
}
END_TEST

/* The first outcome ends the mailbox: the others are not heard, but have
 * taken place; and their calls are no longer in use. */
START_TEST(test_mailbox_ends_in_callback)
{
	struct counted c[3] = { 0 };
	struct inbox_item item = rig_item("a", "1");
	struct rig rig;

	rig_create(&rig, NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		c[i].call.on_done = on_counted;
		c[i].ends = rig.m;
		ck_assert_int_eq(inbox_put(rig.m, &c[i].call, &item), 0);
	}
	ck_assert_int_eq(state_start(rig.state), 0);
	uv_run(&rig.loop, UV_RUN_DEFAULT);
	rig.m = NULL;
	ck_assert_int_eq(c[0].heard, 1);
	ck_assert_int_eq(c[1].heard + c[2].heard, 0);
	ck_assert_ptr_null(c[1].call.job);
	state_call_cancel(&c[2].call);
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), 3);
	rig_close(&rig);
}
END_TEST

/* Whoever goes is not heard, but what was handed in is executed. */
START_TEST(test_mailbox_ends_early)
{
	struct counted c = { .call.on_done = on_counted };
	struct inbox_item item = rig_item("a", "1");
	struct rig rig;

	rig_make_dir();
	rig_create(&rig, rig_dir, NULL);
	ck_assert_int_eq(inbox_put(rig.m, &c.call, &item), 0);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(inbox_put(rig.m, NULL, &item), 0);
	ck_assert_int_eq(state_start(rig.state), 0);
	rig_close(&rig);
	ck_assert_int_eq(c.heard, 0);
	rig_open(&rig, rig_dir, NULL);
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), 2001);
	rig_close(&rig);
	rig_remove_dir();
}
END_TEST

/* ---- two loops, two threads ---- */

#define WORK 2000

struct worker {
	struct rig rig;			/* state is the other's */
	uv_thread_t thread;
	const char *entity;
	struct state_call ask;
	int stored;
	int delivered;
};

static void on_stored(struct state_call *call, int err)
{
	struct worker *w = container_of(call, struct worker, rig.call);
	struct inbox_item item = rig_item(w->entity, "m");

	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(inbox_count(w->rig.state, item.entity) +
				  (uint64_t)w->delivered, 0);
	if (++w->stored < WORK)
		ck_assert_int_eq(inbox_put(w->rig.m, call, &item), 0);
}

/* A window of one: removed, and the next one asked for. */
static void on_asked(struct state_call *call, int err)
{
	struct worker *w = container_of(call, struct worker, ask);
	struct str entity = str_of(w->entity);

	ck_assert_int_eq(err, 0);
	if (call->item != NULL) {
		w->delivered++;
		ck_assert_int_eq(inbox_remove(w->rig.m, NULL, entity,
					      call->item->seq), 0);
	}
	if (w->delivered < WORK)
		ck_assert_int_eq(inbox_next(w->rig.m, call, entity), 0);
	else
		state_mailbox_destroy(w->rig.m);
}

static void worker_main(void *arg)
{
	struct worker *w = arg;
	struct inbox_item item = rig_item(w->entity, "m");

	w->rig.call.on_done = on_stored;
	w->ask.on_done = on_asked;
	ck_assert_int_eq(inbox_put(w->rig.m, &w->rig.call, &item), 0);
	ck_assert_int_eq(inbox_next(w->rig.m, &w->ask, item.entity), 0);
	uv_run(&w->rig.loop, UV_RUN_DEFAULT);
}

static void start_worker(struct worker *w, struct state *s, const char *entity)
{
	w->rig.state = s;
	w->entity = entity;
	ck_assert_int_eq(uv_loop_init(&w->rig.loop), 0);
	ck_assert_int_eq(state_mailbox_create(&w->rig.m, s, &w->rig.loop), 0);
	ck_assert_int_eq(uv_thread_create(&w->thread, worker_main, w), 0);
}

START_TEST(test_two_loops)
{
	static const char *const names[] = { "a", "b" };
	struct worker workers[2] = { 0 };
	struct inbox_stats stats;
	struct rig rig;

	rig_open(&rig, NULL, NULL);
	for (size_t i = 0; i < 2; i++)
		start_worker(&workers[i], rig.state, names[i]);
	for (size_t i = 0; i < 2; i++) {
		uv_thread_join(&workers[i].thread);
		ck_assert_int_eq(workers[i].stored, WORK);
		ck_assert_int_eq(workers[i].delivered, WORK);
		ck_assert_int_eq(uv_loop_close(&workers[i].rig.loop), 0);
	}
	/* behind all that they handed in */
	ck_assert_int_eq(rig_next(&rig, "c"), 0);
	inbox_stats(&stats, rig.state);
	ck_assert_uint_eq(stats.stored, 2 * WORK);
	ck_assert_uint_eq(stats.delivered, 2 * WORK);
	ck_assert_uint_eq(stats.items, 0);
	rig_close(&rig);
}
END_TEST

/* ---- what is found at start ---- */

static void write_garbage(const char *path)
{
	FILE *f = fopen(path, "w");

	for (int i = 0; i < 1000; i++)
		fprintf(f, "not a database\n");
	fclose(f);
}

static void execute_in(const char *path, const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void make_foreign(const char *path)
{
	execute_in(path, "CREATE TABLE theirs (x)");
}

static void make_newer(const char *path)
{
	struct rig rig;

	rig_open(&rig, rig_dir, NULL);
	rig_close(&rig);
	execute_in(path, "PRAGMA user_version = 99");
}

/* All pages but the first: the schema is right, what it points to is not. */
static void make_damaged(const char *path)
{
	char junk[4096];
	struct stat st;
	struct rig rig;
	int fd;

	rig_open(&rig, rig_dir, NULL);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(rig_put(&rig, "a", path), 0);
	rig_close(&rig);
	memset(junk, 0xa5, sizeof(junk));
	ck_assert_int_eq(stat(path, &st), 0);
	fd = open(path, O_WRONLY);
	for (off_t at = sizeof(junk); at < st.st_size;
	     at += (off_t)sizeof(junk))
		ck_assert_int_eq(pwrite(fd, junk, sizeof(junk), at),
				 (int)sizeof(junk));
	close(fd);
}

static void make_folder(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void remove_the_dir(const char *path)
{
	(void)path;
	ck_assert_int_eq(rmdir(rig_dir), 0);
}

static const struct {
	const char *name;
	void (*make)(const char *path);
	int err;
	const char *why;
	bool untouched;			/* octet for octet */
} starts[] = {
	{ "garbage", write_garbage, UV_EIO,
	  "m2mwsd.db is no database, or damaged", true },
	{ "of another program", make_foreign, ERR_UNSUPPORTED,
	  "m2mwsd.db is a database of another program", true },
	{ "of another release", make_newer, ERR_UNSUPPORTED,
	  "m2mwsd.db is of another release", false },
	{ "damaged", make_damaged, UV_EIO,
	  "m2mwsd.db is damaged, or cannot be read", false },
	{ "a folder", make_folder, UV_EIO, "m2mwsd.db cannot be opened",
	  false },
	{ "no directory", remove_the_dir, UV_ENOENT,
	  "m2mwsd.db cannot be created there", false },
};

static void slurp(struct buf *out, const char *path)
{
	char space[65536];
	FILE *f = fopen(path, "r");

	buf_add(out, space, fread(space, 1, sizeof(space), f));
	fclose(f);
}

START_TEST(test_start)
{
	struct state_conf conf = { .dir = rig_dir, .now_ms = rig_now_ms };
	struct buf before = { 0 }, after = { 0 };
	struct state *s = NULL;
	const char *why = "";
	char path[128];
	int err;

	rig_make_dir();
	snprintf(path, sizeof(path), "%s/m2mwsd.db", rig_dir);
	starts[_i].make(path);
	if (starts[_i].untouched)
		slurp(&before, path);
	err = state_create(&s, &why, &conf);
	ck_assert_msg(err == starts[_i].err, "%s: %d", starts[_i].name, err);
	ck_assert_str_eq(why, starts[_i].why);
	ck_assert_ptr_null(s);
	if (starts[_i].untouched)
		slurp(&after, path);
	ck_assert(str_eq(buf_str(&before), buf_str(&after)));
	buf_deinit(&before);
	buf_deinit(&after);
	rmdir(path);
	rig_remove_dir();
}
END_TEST

/* What it has is there afterwards, of unknown age. */
START_TEST(test_from_version_1)
{
	struct rig rig;
	char path[128];

	rig_make_dir();
	snprintf(path, sizeof(path), "%s/m2mwsd.db", rig_dir);
	rig_open(&rig, rig_dir, NULL);
	ck_assert_int_eq(rig_put(&rig, "a", "old"), 0);
	rig_close(&rig);
	execute_in(path, "ALTER TABLE item DROP COLUMN stored;"
			 "PRAGMA user_version = 1");
	for (int i = 0; i < 2; i++) {	/* the second time it is of ours */
		rig_open(&rig, rig_dir, NULL);
		ck_assert_int_eq(rig_next(&rig, "a"), 0);
		rig_assert_found(&rig, "old");
		ck_assert_uint_eq(rig.stored_ms, 0);
		ck_assert_int_eq(rig_put(&rig, "b", "new"), 0);
		ck_assert_int_eq(rig_next(&rig, "b"), 0);
		ck_assert_uint_eq(rig.stored_ms, RIG_NOW);
		rig_close(&rig);
	}
	rig_remove_dir();
}
END_TEST

/* Another process is one that holds the file by other means, too. */
START_TEST(test_second_process)
{
	struct state_conf conf = { .dir = rig_dir, .now_ms = rig_now_ms };
	struct state *second = NULL;
	const char *why = "";
	struct rig rig;

	rig_make_dir();
	rig_open(&rig, rig_dir, NULL);
	ck_assert_int_eq(state_create(&second, &why, &conf), UV_EBUSY);
	ck_assert_str_eq(why, "another process has m2mwsd.db open");
	/* the first does not notice */
	ck_assert_int_eq(rig_put(&rig, "a", "m"), 0);
	rig_close(&rig);
	rig_remove_dir();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("state");
	TCase *tc = tcase_create("state");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_entities);
	tcase_add_test(tc, test_load_stops);
	tcase_add_test(tc, test_memory);
	tcase_add_test(tc, test_only_its_owner_reads);
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_copies);
	tcase_add_test(tc, test_too_much_waits);
	tcase_add_test(tc, test_cancel);
	tcase_add_test(tc, test_mailbox_ends_in_callback);
	tcase_add_test(tc, test_mailbox_ends_early);
	tcase_add_test(tc, test_two_loops);
	tcase_add_loop_test(tc, test_start, 0, ARRAY_LEN(starts));
	tcase_add_test(tc, test_from_version_1);
	tcase_add_test(tc, test_second_process);
	return unit_run(s);
}
