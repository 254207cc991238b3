#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_rig.h"

/*
 * A writer is killed in the middle of its work, again and again on the same
 * file: what it has acknowledged is there, and of each group commit there is
 * all or nothing. STORE_CRASH_ROUNDS makes it longer.
 */

#define BATCH_MAX 20

static char folder[64];
static char path[96];

static unsigned long rounds(void)
{
	const char *text = getenv("STORE_CRASH_ROUNDS");

	return text == NULL ? 20 : strtoul(text, NULL, 10);
}

/* Batch b holds 1 + b % BATCH_MAX instances, so that a count alone tells
 * whether it ends with a batch. */
static bool ends_a_batch(uint64_t count)
{
	uint64_t n = 0;

	for (uint64_t b = 0; n < count; b++)
		n += 1 + b % BATCH_MAX;
	return n == count;
}

static uint64_t batches_in(uint64_t count)
{
	uint64_t n = 0, b = 0;

	while (n < count)
		n += 1 + b++ % BATCH_MAX;
	return b;
}

static void create_instance(struct rig *rig, uint64_t number)
{
	char request[200];
	int rsc;

	snprintf(request, sizeof(request),
		 "'op':1,'to':'cse-in/a/c','fr':'Ca','ty':4,'pc':{'m2m:cin':{"
		 "'rn':'i%llu','con':'%llu','lbl':['n:%llu']}}",
		 (unsigned long long)number, (unsigned long long)number,
		 (unsigned long long)number % 7);
	rsc = rig_within(rig, request);
	ck_assert_msg(rsc == 2001, "%s: %d", request, rsc);
}

/* Runs until it is killed; tells each count once it is durable. */
static void write_for_ever(int out, uint64_t count)
{
	struct rig rig;

	rig_open_path(&rig, path);
	for (uint64_t b = batches_in(count);; b++) {
		ck_assert_int_eq(store_begin(rig.c), 0);
		for (uint64_t i = 0; i < 1 + b % BATCH_MAX; i++)
			create_instance(&rig, ++count);
		ck_assert_int_eq(store_commit(rig.c), 0);
		if (write(out, &count, sizeof(count)) != (ssize_t)sizeof(count))
			_exit(1);
	}
}

/* The last count that was acknowledged before the end. */
static uint64_t kill_some_time(pid_t writer, int in, unsigned acks)
{
	uint64_t count = 0, last = 0;
	int status;

	for (unsigned i = 0; i < acks; i++) {
		ck_assert_int_eq(read(in, &count, sizeof(count)),
				 (int)sizeof(count));
		last = count;
	}
	/* anywhere in the batches that follow */
	usleep((useconds_t)(random() % 3000));
	kill(writer, SIGKILL);
	ck_assert_int_eq(waitpid(writer, &status, 0), writer);
	ck_assert(WIFSIGNALED(status));
	while (read(in, &count, sizeof(count)) == (ssize_t)sizeof(count))
		last = count;
	return last;
}

static uint64_t crash(uint64_t count)
{
	unsigned acks = (unsigned)random() % 40 + 1;
	uint64_t last;
	int ends[2];
	pid_t writer;

	ck_assert_int_eq(pipe(ends), 0);
	writer = fork();
	ck_assert(writer >= 0);
	if (writer == 0) {
		unit_detach();
		close(ends[0]);
		write_for_ever(ends[1], count);
	}
	close(ends[1]);
	last = kill_some_time(writer, ends[0], acks);
	close(ends[0]);
	return last;
}

static void check_integrity(struct rig *rig)
{
	sqlite3_stmt *stmt = NULL;

	ck_assert_int_eq(sqlite3_prepare_v2(rig->c->db,
					    "PRAGMA integrity_check", -1, &stmt,
					    NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	ck_assert_str_eq((const char *)sqlite3_column_text(stmt, 0), "ok");
	sqlite3_finalize(stmt);
}

static uint64_t count_instances(struct rig *rig)
{
	json_t *cnt;

	rig_must(rig, 2000, "'op':2,'to':'cse-in/a/c','fr':'Ca'");
	cnt = json_object_get(rig->pc, "m2m:cnt");
	return (uint64_t)json_integer_value(json_object_get(cnt, "cni"));
}

static void check_instances(struct rig *rig, uint64_t from, uint64_t to)
{
	char request[100], con[24];

	for (uint64_t i = from; i <= to; i++) {
		json_t *cin;

		snprintf(request, sizeof(request),
			 "'op':2,'to':'cse-in/a/c/i%llu','fr':'Ca'",
			 (unsigned long long)i);
		rig_must(rig, 2000, request);
		cin = json_object_get(rig->pc, "m2m:cin");
		snprintf(con, sizeof(con), "%llu", (unsigned long long)i);
		ck_assert_str_eq(json_string_value(json_object_get(cin, "con")),
				 con);
	}
	snprintf(request, sizeof(request),
		 "'op':2,'to':'cse-in/a/c/i%llu','fr':'Ca'",
		 (unsigned long long)to + 1);
	rig_must(rig, 4004, request);
}

static void plant(void)
{
	struct rig rig;

	rig_open_path(&rig, path);
	rig_must(&rig, 2001,
		 "'op':1,'to':'cse-in','fr':'Ca','ty':2,'pc':{'m2m:ae':{'rn':"
		 "'a','api':'Nx','rr':true,'srv':['3']}}");
	rig_must(&rig, 2001,
		 "'op':1,'to':'cse-in/a','fr':'Ca','ty':3,'pc':{'m2m:cnt':{"
		 "'rn':'c','mni':1000000}}");
	rig_close(&rig);
}

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/store_crash.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/cse.db", folder);
	srandom(1);
	plant();
}

static void teardown(void)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char file[128];

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	rmdir(folder);
}

START_TEST(test_kill)
{
	uint64_t count = 0;

	for (unsigned long i = 0; i < rounds(); i++) {
		uint64_t acknowledged = crash(count);
		uint64_t before = count;
		struct rig rig;

		rig_open_path(&rig, path);
		check_integrity(&rig);
		count = count_instances(&rig);
		ck_assert_uint_ge(count, acknowledged);
		ck_assert_msg(ends_a_batch(count), "%llu",
			      (unsigned long long)count);
		check_instances(&rig, before + 1, count);
		rig_close(&rig);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("store_crash");
	TCase *tc = tcase_create("crash");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 600);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_kill);
	return unit_run(s);
}
