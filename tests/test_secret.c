#include "unit.h"

#include "gateway/secret.h"

#define SALT   "000102030405060708090a0b0c0d0e0f"
#define DIGEST "4efb2bbb6d2eb58ea8deaed54417ae2fd87fd50a8a8568709363da60d4560606"
#define GOOD   "pbkdf2-sha256:1000:" SALT ":" DIGEST

/* DIGEST is Python's hashlib.pbkdf2_hmac() of "secret". */
START_TEST(test_known_answer)
{
	struct buf text = { 0 };
	struct secret_hash h;

	ck_assert_ptr_null(secret_hash_read(&h, STR(GOOD)));
	ck_assert(secret_hash_matches(&h, STR("secret")));
	ck_assert(!secret_hash_matches(&h, STR("Secret")));
	ck_assert(!secret_hash_matches(&h, STR("secre")));
	ck_assert(!secret_hash_matches(&h, STR("secret ")));
	ck_assert(!secret_hash_matches(&h, STR("")));
	h.count++;
	ck_assert(!secret_hash_matches(&h, STR("secret")));
	h.count--;
	h.salt[15] ^= 1;
	ck_assert(!secret_hash_matches(&h, STR("secret")));
	h.salt[15] ^= 1;
	secret_hash_write(&text, &h);
	ck_assert(str_eq(buf_str(&text), STR(GOOD)));
	buf_deinit(&text);
}
END_TEST

static const struct {
	const char *name;
	struct str text;
	const char *why;
} bad[] = {
	{ "empty", STR_INIT(""), "must be what m2mwsd --hash-token prints" },
	{ "the secret itself", STR_INIT("secret"),
	  "must be what m2mwsd --hash-token prints" },
	{ "another hash", STR_INIT("bcrypt:1000:" SALT ":" DIGEST),
	  "must be what m2mwsd --hash-token prints" },
	{ "too few rounds", STR_INIT("pbkdf2-sha256:999:" SALT ":" DIGEST),
	  "must have a count from 1000 to 10000000" },
	{ "too many", STR_INIT("pbkdf2-sha256:10000001:" SALT ":" DIGEST),
	  "must have a count from 1000 to 10000000" },
	{ "no number", STR_INIT("pbkdf2-sha256:-1:" SALT ":" DIGEST),
	  "must have a count from 1000 to 10000000" },
	{ "no salt", STR_INIT("pbkdf2-sha256:1000"),
	  "must be 32 and 64 hexadecimal digits behind the count" },
	{ "no digest", STR_INIT("pbkdf2-sha256:1000:" SALT),
	  "must be 32 and 64 hexadecimal digits behind the count" },
	{ "a short salt", STR_INIT("pbkdf2-sha256:1000:00:" DIGEST),
	  "must be 32 and 64 hexadecimal digits behind the count" },
	{ "a long digest", STR_INIT(GOOD "0"),
	  "must be 32 and 64 hexadecimal digits behind the count" },
	{ "more behind it", STR_INIT(GOOD ":x"),
	  "must be 32 and 64 hexadecimal digits behind the count" },
	{ "not hexadecimal",
	  STR_INIT("pbkdf2-sha256:1000:g00102030405060708090a0b0c0d0e0:"
		   DIGEST),
	  "must be 32 and 64 hexadecimal digits behind the count" },
};

START_TEST(test_bad)
{
	struct secret_hash h;
	const char *why = secret_hash_read(&h, bad[_i].text);

	ck_assert_msg(why != NULL && strcmp(why, bad[_i].why) == 0, "%s: %s",
		      bad[_i].name, why != NULL ? why : "read");
}
END_TEST

START_TEST(test_make)
{
	struct secret_hash a, b;

	ck_assert_int_eq(secret_hash_make(&a, STR("x"), 1000), 0);
	ck_assert_int_eq(secret_hash_make(&b, STR("x"), 1000), 0);
	ck_assert(secret_hash_matches(&a, STR("x")));
	ck_assert(secret_hash_matches(&b, STR("x")));
	ck_assert(memcmp(a.salt, b.salt, sizeof(a.salt)) != 0);
	ck_assert(memcmp(a.digest, b.digest, sizeof(a.digest)) != 0);
}
END_TEST

START_TEST(test_equal)
{
	char a[32], b[32];

	memset(a, 7, sizeof(a));
	memset(b, 7, sizeof(b));
	ck_assert(secret_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++)
		for (int bit = 1; bit < 256; bit <<= 1) {
			b[i] = (char)(7 ^ bit);
			ck_assert(!secret_equal(a, b, sizeof(a)));
			ck_assert(secret_equal(a, b, i));
			b[i] = 7;
		}
}
END_TEST

START_TEST(test_random)
{
	char a[SECRET_TEXT_LEN + 1], b[SECRET_TEXT_LEN + 1];

	ck_assert_int_eq(secret_random(a), 0);
	ck_assert_int_eq(secret_random(b), 0);
	ck_assert_uint_eq(strlen(a), SECRET_TEXT_LEN);
	ck_assert_uint_eq(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
				    "mnopqrstuvwxyz0123456789-_"),
			  SECRET_TEXT_LEN);
	ck_assert_str_ne(a, b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("secret");
	TCase *tc = tcase_create("secret");

	tcase_add_test(tc, test_known_answer);
	tcase_add_loop_test(tc, test_bad, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, test_make);
	tcase_add_test(tc, test_equal);
	tcase_add_test(tc, test_random);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
