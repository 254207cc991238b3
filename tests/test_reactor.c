#include "unit.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net/reactor.h"

#define POOL_THREADS 4		/* libuv's default */

static unsigned count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

START_TEST(test_pool)
{
	unsigned before = count_threads();

	ck_assert_int_eq(reactor_start_pool(), 0);
	ck_assert_uint_eq(count_threads(), before + POOL_THREADS);
	ck_assert_int_eq(reactor_start_pool(), 0);
	ck_assert_uint_eq(count_threads(), before + POOL_THREADS);
}
END_TEST

static const struct {
	const char *name;
	unsigned files;		/* asked for */
	rlim_t limit;		/* of the process */
	unsigned want;		/* there is room for, at least */
} reserves[] = {
	{ "a table",		     900, 1024, 900 },
	{ "no more than one may have", 5000, 1000, 1000 },
	{ "the most there is",	     UINT_MAX, 1000, 1000 },
	{ "one",		     1, 1024, 1 },
	{ "none",		     0, 1024, 0 },
};

START_TEST(test_reserve)
{
	struct rlimit limit;
	struct reactor *r;
	int fd, next;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = reserves[_i].limit;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(reactor_create(&r), 0);
	fd = dup(0);
	reactor_reserve(r, reserves[_i].files);
	ck_assert_msg(reactor_loop(r)->nwatchers >= reserves[_i].want,
		      "%s: %u", reserves[_i].name,
		      reactor_loop(r)->nwatchers);
	next = dup(0);
	ck_assert_int_eq(next, fd + 1);		/* none is left open */
	close(fd);
	close(next);
	reactor_destroy(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("reactor");
	TCase *tc = tcase_create("reactor");

	tcase_add_test(tc, test_pool);
	tcase_add_loop_test(tc, test_reserve, 0, ARRAY_LEN(reserves));
	suite_add_tcase(s, tc);
	return unit_run(s);
}
