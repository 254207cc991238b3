#include "unit.h"

#include "base/log_limit.h"

START_TEST(test_a_second)
{
	static const struct {
		uint64_t now_ms;
		bool allowed;
		uint64_t missed;	/* as the line tells */
	} steps[] = {
		{ 5000, true, 0 },  { 5001, true, 0 },	 { 5002, false, 0 },
		{ 5999, false, 0 }, { 6000, true, 2 },	 { 6000, true, 0 },
		{ 6500, false, 0 }, { 900000, true, 1 }, { 900001, true, 0 },
	};
	struct log_limit l = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		ck_assert_msg(log_limit_allows(&l, steps[i].now_ms, 2) ==
				      steps[i].allowed, "step %zu", i);
		if (steps[i].allowed)
			ck_assert_uint_eq(log_limit_missed(&l),
					  steps[i].missed);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_limit");
	TCase *tc = tcase_create("log_limit");

	tcase_add_test(tc, test_a_second);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
