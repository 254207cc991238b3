#include "unit.h"

#include "base/siphash.h"

/* Vectors of SipHash's authors: key 00 01 .. 0f, text 00 01 .. (len - 1). */
static const struct {
	size_t len;
	uint64_t hash;
} vectors[] = {
	{ 0, UINT64_C(0x726fdb47dd0e0e31) },
	{ 1, UINT64_C(0x74f839c593dc67fd) },
	{ 7, UINT64_C(0xab0200f58b01d137) },
	{ 8, UINT64_C(0x93f5f5799a932462) },
	{ 9, UINT64_C(0x9e0082df0ba9e4b0) },
	{ 15, UINT64_C(0xa129ca6149be45e5) },
	{ 63, UINT64_C(0x958a324ceb064572) },
};

START_TEST(test_vectors)
{
	struct siphash_key key = { UINT64_C(0x0706050403020100),
				   UINT64_C(0x0f0e0d0c0b0a0908) };
	char text[64];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	ck_assert_uint_eq(siphash(&key, (struct str){ text, vectors[_i].len }),
			  vectors[_i].hash);
}
END_TEST

START_TEST(test_random_key)
{
	struct siphash_key a = { 0 }, b = { 0 };

	ck_assert_int_eq(siphash_key_random(&a), 0);
	ck_assert_int_eq(siphash_key_random(&b), 0);
	ck_assert_uint_ne(siphash(&a, STR("")), siphash(&b, STR("")));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("siphash");
	TCase *tc = tcase_create("siphash");

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_vectors, 0, ARRAY_LEN(vectors));
	tcase_add_test(tc, test_random_key);
	return unit_run(s);
}
