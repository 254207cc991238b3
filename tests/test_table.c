#include "unit.h"

static size_t blocks;			/* allocated and not freed */
static unsigned fail_in;		/* this allocation fails; 0: none does */

static void *alloc(size_t size)
{
	void *p;

	if (fail_in > 0 && --fail_in == 0)
		return NULL;
	p = malloc(size);
	ck_assert_ptr_nonnull(p);
	blocks++;
	return p;
}

static void release(void *p)
{
	free(p);
	blocks--;
}

#define uthash_malloc(size) alloc(size)
#define uthash_free(p, size) release(p)
#include "base/table.h"

#define MANY 1000

struct item {
	UT_hash_handle hh;
	uint64_t id;
	bool in;
};

static struct item *find(struct item *table, uint64_t id)
{
	struct item *item;

	HASH_FIND(hh, table, &id, sizeof(id), item);
	return item;
}

static int add(struct item **table, struct item *item)
{
	HASH_ADD(hh, *table, id, sizeof(item->id), item);
	return table_added(&item->hh);
}

static void drop(struct item **table, struct item *item)
{
	HASH_DELETE(hh, *table, item);
}

static void drop_all(struct item **table)
{
	while (*table != NULL)
		drop(table, *table);
	ck_assert_uint_eq(blocks, 0);
}

/* Ids that lie so far apart, as those of one worker do. */
static void fill_ids(struct item items[MANY], uint64_t apart)
{
	memset(items, 0, MANY * sizeof(items[0]));
	for (size_t i = 0; i < MANY; i++)
		items[i].id = (i + 1) * apart;
}

static void check_all(struct item *table, struct item items[MANY])
{
	size_t count = 0;

	for (size_t i = 0; i < MANY; i++) {
		struct item *found = find(table, items[i].id);

		ck_assert_ptr_eq(found, items[i].in ? &items[i] : NULL);
		count += items[i].in;
	}
	ck_assert_uint_eq(HASH_COUNT(table), count);
}

START_TEST(test_against_flags)
{
	static struct item items[MANY];
	struct item *table = NULL;

	fill_ids(items, 1);
	check_all(table, items);
	srand(1);
	for (unsigned step = 0; step < 20 * MANY; step++) {
		struct item *item = &items[rand() % MANY];

		if (item->in)
			drop(&table, item);
		else
			ck_assert_int_eq(add(&table, item), 0);
		item->in = !item->in;
		ck_assert_ptr_eq(find(table, item->id), item->in ? item : NULL);
	}
	check_all(table, items);
	drop_all(&table);
}
END_TEST

/* Those that are in stay in, in their order; the next attempt is as good as
 * the first. */
START_TEST(test_without_memory)
{
	static struct item items[MANY];
	struct item *table = NULL, *item;
	unsigned failures = 0;
	size_t i, was;

	fill_ids(items, 1);
	for (i = 0; i < MANY; i++) {
		for (unsigned n = 1; n <= 2; n++) {
			was = blocks;
			fail_in = n;
			if (add(&table, &items[i]) == 0)
				break;
			ck_assert_uint_eq(blocks, was);
			check_all(table, items);
			failures++;
		}
		fail_in = 0;
		if (find(table, items[i].id) == NULL)
			ck_assert_int_eq(add(&table, &items[i]), 0);
		items[i].in = true;
	}
	ck_assert_uint_ge(failures, 4);	/* both of a table, and some to grow */
	check_all(table, items);
	for (i = 0, item = table; i < MANY; i++, item = item->hh.next)
		ck_assert_ptr_eq(item, &items[i]);
	drop_all(&table);
}
END_TEST

static const uint64_t distances[] = {
	1, 2, 3, 7, 16, 32, 64, 100, 128, 256, 4096, UINT64_C(1) << 20,
	UINT64_C(1) << 32, UINT64_C(1) << 48,
};

/* uthash keeps a table small, and slow, that does not get better by growing. */
START_TEST(test_spreads_numbers)
{
	static struct item items[MANY];
	struct item *table = NULL;

	fill_ids(items, distances[_i]);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_int_eq(add(&table, &items[i]), 0);
	ck_assert_uint_eq(table->hh.tbl->noexpand, 0);
	ck_assert_uint_eq(table->hh.tbl->ineff_expands, 0);
	ck_assert_uint_ge(table->hh.tbl->num_buckets, MANY / 10);
	for (size_t i = 0; i < table->hh.tbl->num_buckets; i++)
		ck_assert_uint_lt(table->hh.tbl->buckets[i].count, 20);
	drop_all(&table);
}
END_TEST

START_TEST(test_keyed)
{
	const struct siphash_key key = { 1, 2 }, other = { 1, 3 };

	ck_assert_uint_eq(table_hash_keyed(&key, STR("Cae1")),
			  (unsigned)siphash(&key, STR("Cae1")));
	ck_assert_uint_ne(table_hash_keyed(&key, STR("Cae1")),
			  table_hash_keyed(&other, STR("Cae1")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, test_against_flags);
	tcase_add_test(tc, test_without_memory);
	tcase_add_loop_test(tc, test_spreads_numbers, 0, ARRAY_LEN(distances));
	tcase_add_test(tc, test_keyed);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
