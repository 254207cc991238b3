#include "unit.h"

#include "gateway/id_set.h"

/* The same two parts, and no others, have the same hash. */
static const struct {
	const char *name;
	const char *a, *b, *c, *d;
	bool same;
} ids[] = {
	{ "same", "r1", "Cae1", "r1", "Cae1", true },
	{ "other request", "r1", "Cae1", "r2", "Cae1", false },
	{ "other originator", "r1", "Cae1", "r1", "Cae2", false },
	{ "cut elsewhere", "r1C", "ae1", "r1", "Cae1", false },
	{ "swapped", "ab", "cd", "cd", "ab", false },
	{ "empty parts", "", "r1", "r1", "", false },
	{ "the ninth octet", "12345678a", "C", "12345678b", "C", false },
	{ "zeroes at the end are told apart by the length", "", "", "0", "",
	  false },
};

static const struct siphash_key key = { 1, 2 };

START_TEST(test_hash)
{
	uint64_t one = id_hash(&key, str_of(ids[_i].a), str_of(ids[_i].b));
	uint64_t two = id_hash(&key, str_of(ids[_i].c), str_of(ids[_i].d));

	ck_assert_msg((one == two) == ids[_i].same, "%s", ids[_i].name);
}
END_TEST

/* What collides under one key does not under another: it cannot be prepared. */
START_TEST(test_other_key)
{
	const struct siphash_key other = { 1, 3 };

	ck_assert(id_hash(&key, STR("r1"), STR("C")) !=
		  id_hash(&other, STR("r1"), STR("C")));
	ck_assert(id_hash(&key, STR("r1"), STR("")) !=
		  id_hash(&other, STR("r1"), STR("")));
}
END_TEST

START_TEST(test_add_and_remove)
{
	struct id_set set = { 0 };

	ck_assert(!id_set_has(&set, 1));
	id_set_remove(&set, 1);			/* nothing to remove */
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert(id_set_add(&set, i));
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert(id_set_has(&set, i));
	for (uint64_t i = 0; i < 1000; i += 2)
		id_set_remove(&set, i);
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert_int_eq(id_set_has(&set, i), i % 2);
	ck_assert_uint_eq(set.count, 500);
	for (uint64_t i = 1; i < 1000; i += 2)
		id_set_remove(&set, i);
	ck_assert_uint_eq(set.count, 0);
	ck_assert_uint_eq(set.cap, 0);		/* a burst leaves nothing */
}
END_TEST

START_TEST(test_one_of_two)
{
	struct id_set set = { 0 };

	ck_assert(id_set_add(&set, 7));
	ck_assert(id_set_add(&set, 7));
	id_set_remove(&set, 7);
	ck_assert(id_set_has(&set, 7));
	id_set_remove(&set, 7);
	ck_assert(!id_set_has(&set, 7));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("id_set");
	TCase *tc = tcase_create("id_set");

	tcase_add_loop_test(tc, test_hash, 0, ARRAY_LEN(ids));
	tcase_add_test(tc, test_other_key);
	tcase_add_test(tc, test_add_and_remove);
	tcase_add_test(tc, test_one_of_two);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
