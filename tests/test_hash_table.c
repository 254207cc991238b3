#include "unit.h"

#include "base/hash_table.h"

#define MANY 1000

struct item {
	struct hash_node node;
	unsigned key;
	bool in;
};

/* Few hashes for many keys: chains hold strangers and equals. */
static uint64_t hash_of(unsigned key)
{
	return key % 37 * UINT64_C(0x100000001);
}

static struct item *find(const struct hash_table *t, unsigned key)
{
	struct hash_node *n;

	for (n = hash_table_first(t, hash_of(key)); n != NULL;
	     n = hash_table_next(n)) {
		struct item *item = container_of(n, struct item, node);

		ck_assert_uint_eq(n->hash, hash_of(key));
		if (item->key == key)
			return item;
	}
	return NULL;
}

START_TEST(test_against_flags)
{
	static struct item items[MANY];
	struct hash_table t = { 0 };
	size_t count = 0;

	ck_assert_ptr_null(find(&t, 1));
	ck_assert_ptr_null(hash_table_any(&t));
	srand(1);
	for (unsigned step = 0; step < 20 * MANY; step++) {
		struct item *item = &items[rand() % MANY];

		item->key = (unsigned)(item - items);
		if (item->in) {
			hash_table_remove(&t, &item->node);
			count--;
		} else {
			ck_assert_int_eq(hash_table_add(&t, &item->node,
							hash_of(item->key)),
					 0);
			count++;
		}
		item->in = !item->in;
		ck_assert_uint_eq(t.count, count);
		ck_assert_int_eq(find(&t, item->key) == item, item->in);
	}
	for (unsigned key = 0; key < MANY; key++)
		ck_assert_int_eq(find(&t, key) != NULL, items[key].in);
	while (t.count > 0)
		hash_table_remove(&t, hash_table_any(&t));
	ck_assert_ptr_null(hash_table_any(&t));
	hash_table_deinit(&t);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hash_table");
	TCase *tc = tcase_create("hash_table");

	tcase_add_test(tc, test_against_flags);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
