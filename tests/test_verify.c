#include "unit.h"

#include "gateway/verify.h"

/* One credential; the loop runs until nothing is left to do. */
static struct credential_set set;
static const struct credential credential = { .name = "me" };
static struct credential_proof known;
static struct verifier *verifier;
static uv_loop_t loop;
static char owners[4];			/* who asks */
static unsigned heard, order[1000];	/* whose verdicts came */
static enum verdict last;
static const struct credential_proof *got;

static void on_verified(void *owner, enum verdict verdict,
			const struct credential_proof *p)
{
	order[heard++] = (unsigned)((char *)owner - owners);
	last = verdict;
	got = p;
}

/* secret, from the address 127.0.0.number */
static enum verdict ask_from(struct verification **later, unsigned number,
			     const char *secret, void *owner)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f000000 + number),
	};
	struct proof p = { .given = true, .kind = CREDENTIAL_TOKEN,
			   .name = STR("me"), .secret = str_of(secret) };

	got = NULL;
	return verifier_ask(verifier, &got, later, &p,
			    (struct sockaddr *)&from, on_verified, owner);
}

static enum verdict ask(struct verification **later, const char *secret)
{
	return ask_from(later, 1, secret, &owners[0]);
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

	ck_assert_int_eq(ask(&later, "right"), VERDICT_LATER);
	ck_assert_uint_eq(heard, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(heard, 1);
	ck_assert_int_eq(last, VERDICT_RIGHT);
	ck_assert_ptr_eq(got, &known);
	ck_assert_int_eq(ask(&later, "right"), VERDICT_RIGHT);
	ck_assert_ptr_eq(got, &known);
	ck_assert_uint_eq(heard, 1);
}
END_TEST

START_TEST(test_wrong_is_not)
{
	struct verification *later;

	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(ask(&later, "wrong"), VERDICT_LATER);
		uv_run(&loop, UV_RUN_DEFAULT);
		ck_assert_uint_eq(heard, i);
		ck_assert_int_eq(last, VERDICT_WRONG);
		ck_assert_ptr_null(got);
	}
}
END_TEST

START_TEST(test_nobody_of_that_name)
{
	struct proof p = { .given = true, .kind = CREDENTIAL_TOKEN,
			   .name = STR("you"), .secret = STR("right") };
	struct sockaddr from = { .sa_family = AF_UNSPEC };
	struct verification *later;

	ck_assert_int_eq(verifier_ask(verifier, &got, &later, &p, &from,
				      on_verified, &owners[0]), VERDICT_WRONG);
	ck_assert_ptr_null(got);
}
END_TEST

START_TEST(test_cancelled)
{
	struct verification *later;

	ck_assert_int_eq(ask(&later, "right"), VERDICT_LATER);
	verification_cancel(later);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(heard, 0);
}
END_TEST

START_TEST(test_destroyed_meanwhile)
{
	struct verification *later;

	for (unsigned i = 0; i < 20; i++)
		ck_assert_int_eq(ask(&later, i % 2 ? "right" : "wrong"),
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

	while (ask(&later, "right") == VERDICT_LATER)
		ck_assert_uint_lt(++count, 1000);
	ck_assert_int_eq(ask(&later, "right"), VERDICT_BUSY);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(heard, count);
	ck_assert_int_eq(ask(&later, "wrong"), VERDICT_LATER);
}
END_TEST

/* Who asks once does not wait for all whom another address asks for, and who
 * has left is not hashed. */
START_TEST(test_turns)
{
	struct verification *later[6];

	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(ask_from(&later[i], 1, "wrong", &owners[1]),
				 VERDICT_LATER);
	ck_assert_int_eq(ask_from(&later[4], 2, "wrong", &owners[2]),
			 VERDICT_LATER);
	ck_assert_int_eq(ask_from(&later[5], 3, "wrong", &owners[3]),
			 VERDICT_LATER);
	verification_cancel(later[2]);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(heard, 5);
	ck_assert_uint_eq(order[0], 1);
	ck_assert_uint_eq(order[1], 2);
	ck_assert_uint_eq(order[2], 3);
	ck_assert_uint_eq(order[3], 1);
	ck_assert_uint_eq(order[4], 1);
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
	tcase_add_test(tc, test_turns);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
