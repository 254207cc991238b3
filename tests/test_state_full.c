#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "state_rig.h"

#include "state/state_priv.h"

/*
 * No room: what was handed in fails, nothing else does, and it goes on when
 * there is room again.
 */

/* The thread is idle whenever its last outcome has been heard: then the
 * connection may be borrowed. */
static void set_max_pages(struct rig *rig, int pages)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %d", pages);
	ck_assert_int_eq(sqlite3_exec(rig->state->db.db, sql, NULL, NULL,
				      NULL), SQLITE_OK);
}

static int page_count(struct rig *rig)
{
	sqlite3_stmt *stmt = NULL;
	int pages;

	ck_assert_int_eq(sqlite3_prepare_v2(rig->state->db.db,
					    "PRAGMA page_count", -1, &stmt,
					    NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	pages = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return pages;
}

static int put_large(struct rig *rig, const char *entity)
{
	static char large[20000];
	struct inbox_item item = rig_item(entity, "");

	memset(large, 'x', sizeof(large));
	item.message = (struct str){ large, sizeof(large) };
	return rig_wait(rig, inbox_put(rig->m, &rig->call, &item));
}

static void check_full(struct rig *rig)
{
	struct inbox_stats stats;

	ck_assert_int_eq(rig_put(rig, "a", "1"), 0);
	set_max_pages(rig, page_count(rig));
	ck_assert_int_eq(put_large(rig, "a"), UV_ENOSPC);
	ck_assert_int_eq(put_large(rig, "b"), UV_ENOSPC);
	inbox_stats(&stats, rig->state);
	ck_assert_uint_eq(stats.failed_commits, 2);
	ck_assert_uint_eq(stats.stored, 1);
	ck_assert_uint_eq(stats.items, 1);
	ck_assert_uint_eq(inbox_count(rig->state, STR("b")), 0);
	/* to read, and to remove, takes no room */
	ck_assert_int_eq(rig_next(rig, "a"), 0);
	rig_assert_found(rig, "1");
	ck_assert_int_eq(rig_remove(rig, "a", rig->seq), 0);
	set_max_pages(rig, 1000000);
	ck_assert_int_eq(put_large(rig, "a"), 0);
	ck_assert_uint_eq(inbox_count(rig->state, STR("a")), 1);
}

START_TEST(test_full_memory)
{
	struct rig rig;

	rig_open(&rig, NULL, NULL);
	check_full(&rig);
	rig_close(&rig);
}
END_TEST

START_TEST(test_full_disk)
{
	struct rig rig;

	rig_make_dir();
	rig_open(&rig, rig_dir, NULL);
	check_full(&rig);
	rig_close(&rig);
	rig_open(&rig, rig_dir, NULL);
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), 1);
	rig_close(&rig);
	rig_remove_dir();
}
END_TEST

/* What is in one transaction with a failure fails with it, what is after it
 * does not: nothing is counted, found or handed out by it. */
START_TEST(test_whole_batch)
{
	struct inbox_conf conf = { .max_count = 2, .overflow = INBOX_REFUSE };
	struct inbox_item item = rig_item("a", "2"), large;
	char octets[20000] = { 0 };
	struct rig rig;

	rig_make_dir();
	rig_open(&rig, rig_dir, &conf);
	ck_assert_int_eq(rig_put(&rig, "a", "1"), 0);
	rig_close(&rig);
	rig_create(&rig, rig_dir, &conf);
	set_max_pages(&rig, page_count(&rig));
	large = rig_item("b", "");
	large.message = (struct str){ octets, sizeof(octets) };
	ck_assert_int_eq(inbox_put(rig.m, NULL, &item), 0);
	ck_assert_int_eq(inbox_next(rig.m, &rig.call, item.entity), 0);
	ck_assert_int_eq(inbox_put(rig.m, NULL, &large), 0);
	ck_assert_int_eq(state_start(rig.state), 0);
	ck_assert_int_eq(rig_wait(&rig, 0), UV_ENOSPC);
	ck_assert_uint_eq(rig.seq, 0);
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), 1);
	ck_assert_int_eq(rig_put(&rig, "a", "3"), 0);
	ck_assert_int_eq(rig_next(&rig, "a"), 0);
	rig_assert_found(&rig, "1");
	ck_assert_int_eq(rig_remove(&rig, "a", rig.seq), 0);
	ck_assert_int_eq(rig_next(&rig, "a"), 0);
	rig_assert_found(&rig, "3");
	rig_close(&rig);
	rig_remove_dir();
}
END_TEST

/* Expired items that cannot be removed do not keep others from being read. */
START_TEST(test_reads_while_full)
{
	struct inbox_item item = rig_item("b", "m");
	struct rlimit was, none;
	struct rig rig;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	rig_make_dir();
	rig_open(&rig, rig_dir, NULL);
	item.expires_ms = RIG_NOW + 1;
	ck_assert_int_eq(rig_put(&rig, "a", "1"), 0);
	ck_assert_int_eq(rig_wait(&rig, inbox_put(rig.m, &rig.call, &item)),
			 0);
	none = (struct rlimit){ .rlim_cur = 4096, .rlim_max = was.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_lt(rig_put(&rig, "a", "2"), 0);
	atomic_store(&rig_clock, RIG_NOW + 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(rig_next(&rig, "a"), 0);
		rig_assert_found(&rig, "1");
		ck_assert_int_eq(rig_next(&rig, "b"), 0);
		ck_assert_uint_eq(rig.seq, 0);
	}
	ck_assert_uint_eq(inbox_count(rig.state, STR("b")), 1);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	ck_assert_int_eq(rig_put(&rig, "a", "3"), 0);
	ck_assert_int_eq(rig_next(&rig, "b"), 0);
	ck_assert_uint_eq(inbox_count(rig.state, STR("b")), 0);
	rig_close(&rig);
	rig_remove_dir();
}
END_TEST

/*
 * The kernel refuses to let files grow: an I/O error, after which the database
 * is opened anew. What was acknowledged is there, what failed is not, again
 * and again, and at the next start.
 */
START_TEST(test_write_errors)
{
	struct rlimit was, tight;
	char path[128];
	struct stat st;
	struct rig rig;
	unsigned stored = 0, failed;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	rig_make_dir();
	snprintf(path, sizeof(path), "%s/m2mwsd.db-wal", rig_dir);
	rig_open(&rig, rig_dir, NULL);
	for (int round = 0; round < 5; round++) {
		stored += put_large(&rig, "a") == 0;
		ck_assert_int_eq(stat(path, &st), 0);
		tight = (struct rlimit){
			.rlim_cur = (rlim_t)st.st_size + 30000,
			.rlim_max = was.rlim_max,
		};
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
		failed = 0;
		for (int i = 0; i < 10; i++) {
			int err = put_large(&rig, "a");

			ck_assert(err == 0 || err == UV_EIO ||
				  err == UV_ENOSPC);
			ck_assert(err != UV_EIO || rig.state->lost);
			stored += err == 0;
			failed += err != 0;
		}
		ck_assert_uint_gt(failed, 0);
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
		ck_assert_int_eq(put_large(&rig, "a"), 0);
		stored++;
		ck_assert_uint_eq(inbox_count(rig.state, STR("a")), stored);
	}
	rig_close(&rig);
	rig_open(&rig, rig_dir, NULL);
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), stored);
	rig_close(&rig);
	rig_remove_dir();
}
END_TEST

/* Whatever ends the connection: the next batch finds another one, and what
 * the first one had. */
START_TEST(test_opens_anew)
{
	struct rig rig;

	rig_make_dir();
	rig_open(&rig, rig_dir, NULL);
	ck_assert_int_eq(rig_put(&rig, "a", "1"), 0);
	ck_assert_int_eq(rig_put(&rig, "b", "2"), 0);
	/* the tally of b is more than there is */
	ck_assert_int_eq(sqlite3_exec(rig.state->db.db,
				      "DELETE FROM item WHERE entity = 'b'",
				      NULL, NULL, NULL), SQLITE_OK);
	rig.state->lost = true;
	ck_assert_int_eq(rig_next(&rig, "a"), 0);
	rig_assert_found(&rig, "1");
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), 1);
	ck_assert_uint_eq(inbox_count(rig.state, STR("b")), 0);
	rig_close(&rig);
	rig_remove_dir();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("state_full");
	TCase *tc = tcase_create("full");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_full_memory);
	tcase_add_test(tc, test_full_disk);
	tcase_add_test(tc, test_whole_batch);
	tcase_add_test(tc, test_reads_while_full);
	tcase_add_test(tc, test_write_errors);
	tcase_add_test(tc, test_opens_anew);
	return unit_run(s);
}
