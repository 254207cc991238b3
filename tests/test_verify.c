#include "unit.h"

#include "gateway/verify.h"

/* One credential; the loop runs until nothing is left to do. */
static struct credential_set set;
static const struct credential credential = { .name = "me" };
static struct credential_proof known;
static struct verifier *verifier;
static uv_loop_t loop;
static unsigned heard;
static enum verdict last;
static const struct credential_proof *got;

static void on_verified(void *owner, enum verdict verdict,
			const struct credential_proof *p)
{
	ck_assert_ptr_eq(owner, &heard);
	heard++;
	last = verdict;
	got = p;
}

static enum verdict ask(struct verification **later, const char *name,
			const char *secret)
{
	struct proof p = { .given = true, .kind = CREDENTIAL_TOKEN,
			   .name = str_of(name), .secret = str_of(secret) };

	got = NULL;
	return verifier_ask(verifier, &got, later, &p, on_verified, &heard);
}

static void setup(void)
{
	heard = 0;
	known = (struct credential_proof){
		.kind = CREDENTIAL_TOKEN,
		.name = STR("me"),
		.credential = &credential,
	};
	ck_assert_int_eq(secret_hash_make(&known.hash, STR("right"), 1000), 0);
	ck_assert_int_eq(credential_set_init(&set), 0);
	ck_assert_int_eq(credential_set_add(&set, &known), 0);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(verifier_create(&verifier, &loop, &set), 0);
}

static void teardown(void)
{
	verifier_destroy(verifier);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	credential_set_deinit(&set);
}

START_TEST(test_right_is_remembered)
{
	struct verification *later;

	ck_assert_int_eq(ask(&later, "me", "right"), VERDICT_LATER);
	ck_assert_uint_eq(heard, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(heard, 1);
	ck_assert_int_eq(last, VERDICT_RIGHT);
	ck_assert_ptr_eq(got, &known);
	ck_assert_int_eq(ask(&later, "me", "right"), VERDICT_RIGHT);
	ck_assert_ptr_eq(got, &known);
	ck_assert_uint_eq(heard, 1);
}
END_TEST

START_TEST(test_wrong_is_not)
{
	struct verification *later;

	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(ask(&later, "me", "wrong"), VERDICT_LATER);
		uv_run(&loop, UV_RUN_DEFAULT);
		ck_assert_uint_eq(heard, i);
		ck_assert_int_eq(last, VERDICT_WRONG);
		ck_assert_ptr_null(got);
	}
}
END_TEST

START_TEST(test_nobody_of_that_name)
{
	struct verification *later;

	ck_assert_int_eq(ask(&later, "you", "right"), VERDICT_WRONG);
	ck_assert_ptr_null(got);
}
END_TEST

START_TEST(test_cancelled)
{
	struct verification *later;

	ck_assert_int_eq(ask(&later, "me", "right"), VERDICT_LATER);
	verification_cancel(later);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(heard, 0);
}
END_TEST

START_TEST(test_destroyed_meanwhile)
{
	struct verification *later;

	for (unsigned i = 0; i < 20; i++)
		ck_assert_int_eq(ask(&later, "me", i % 2 ? "right" : "wrong"),
				 VERDICT_LATER);
	verifier_destroy(verifier);
	verifier = NULL;
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(heard, 0);
}
END_TEST

START_TEST(test_busy)
{
	struct verification *later;
	unsigned count = 0;

	while (ask(&later, "me", "right") == VERDICT_LATER)
		ck_assert_uint_lt(++count, 1000);
	ck_assert_int_eq(ask(&later, "me", "right"), VERDICT_BUSY);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(heard, count);
	ck_assert_int_eq(ask(&later, "me", "wrong"), VERDICT_LATER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verify");
	TCase *tc = tcase_create("verify");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_right_is_remembered);
	tcase_add_test(tc, test_wrong_is_not);
	tcase_add_test(tc, test_nobody_of_that_name);
	tcase_add_test(tc, test_cancelled);
	tcase_add_test(tc, test_destroyed_meanwhile);
	tcase_add_test(tc, test_busy);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
