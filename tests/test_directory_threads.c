/* Two threads use one directory as workers do. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "../src/gateway/directory.h"

static const struct entity_home home = { STR_INIT("id-in"), STR_INIT("") };
static const struct directory_conf conf = {
	.home = &home,
	.max_octets = 1 << 20,
	.max_descendants = 100,
};

#define ROUNDS 3000
#define IDS    7

static struct directory *directory;
static atomic_uint came, went;

static void count_online(void *owner, struct entity *e, struct place at)
{
	(void)owner;
	(void)e;
	(void)at;
	atomic_fetch_add(&came, 1);
}

static void count_offline(void *owner, struct entity *e, struct place at)
{
	(void)owner;
	(void)e;
	(void)at;
	atomic_fetch_add(&went, 1);
}

static void do_round(unsigned thread, unsigned n)
{
	struct entity_data data = { .rn = STR_INIT("x"),
				    .dcse = STR_INIT("[\"/a\",\"/b\"]") };
	char id[16], token[TOKEN_LEN + 1];
	struct place at = { thread, 1 + n * 2 + thread }, replaced;
	struct buf store = { 0 };
	struct entity *e, *other;

	snprintf(id, sizeof(id), "/mn%u", n % IDS);
	if (directory_make_token(token) != 0)
		abort();
	if (n % 3 == 0)
		e = directory_open(directory, str_of(id), true);
	else
		e = directory_register(directory, str_of(id), true,
				       str_of(token), &data);
	if (directory_claim(directory, e, at, STRENGTH_FROM, &replaced) == 0 &&
	    replaced.sid != 0)
		directory_leave(directory, e, replaced);
	(void)directory_read(&data, &store, directory, e);
	other = directory_find_route(directory, STR("/b/Cx"));
	entity_unref(other);
	other = directory_find_token(directory, str_of(token));
	entity_unref(other);
	if (n % 5 == 0)
		directory_remove(directory, e);
	directory_leave(directory, e, at);
	directory_close(directory, e);
	buf_deinit(&store);
}

static void *hammer(void *arg)
{
	unsigned thread = *(unsigned *)arg;

	for (unsigned n = 0; n < ROUNDS; n++)
		do_round(thread, n);
	return NULL;
}

START_TEST(test_two_threads)
{
	static const struct directory_ops counting = { count_online,
						       count_offline };
	unsigned numbers[] = { 0, 1 };
	struct directory_counters c;
	pthread_t threads[2];

	ck_assert_int_eq(directory_create(&directory, &conf, &counting, NULL),
			 0);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer,
						&numbers[i]), 0);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	c = directory_counters(directory);
	ck_assert_uint_eq(c.online, 0);
	ck_assert_uint_eq(c.came, atomic_load(&came));
	ck_assert_uint_eq(c.went, atomic_load(&went));
	ck_assert_uint_eq(c.came, c.went + c.replaced);
	ck_assert_uint_gt(c.came, 0);
	for (unsigned i = 0; i < IDS; i++) {
		char id[16];
		struct entity *e;

		snprintf(id, sizeof(id), "/mn%u", i);
		e = directory_find(directory, str_of(id));
		if (e != NULL)
			directory_remove(directory, e);
		entity_unref(e);
	}
	c = directory_counters(directory);
	ck_assert_uint_eq(c.entities, 0);
	ck_assert_uint_eq(c.octets, 0);
	directory_destroy(directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("directory_threads");
	TCase *tc = tcase_create("directory_threads");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_two_threads);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
