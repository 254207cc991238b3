#include "unit.h"

#include "ops/metrics.h"

static struct gateway_stats stats;
static struct buf text;

static void setup(void)
{
	stats = (struct gateway_stats){ 0 };
}

static void teardown(void)
{
	buf_deinit(&text);
}

/* NUL-terminated. */
static const char *write_text(void)
{
	metrics_write(&text, &stats);
	buf_add_char(&text, '\0');
	ck_assert(!text.failed);
	return text.p;
}

static bool is_first_of(size_t row)
{
	return row == 0 || strcmp(stat_infos[row].name,
				  stat_infos[row - 1].name) != 0;
}

/* The first row of a name explains it, the others differ in their label, and
 * no name comes back later. */
START_TEST(test_rows)
{
	const struct stat_info *info = &stat_infos[_i];

	ck_assert_msg(info->name != NULL, "no row %d", _i);
	ck_assert_msg(is_first_of((size_t)_i) == (info->help != NULL), "%s",
		      info->name);
	for (int i = 0; i < _i; i++) {
		const struct stat_info *other = &stat_infos[i];

		if (strcmp(other->name, info->name) != 0)
			continue;
		ck_assert_msg(!is_first_of((size_t)_i), "%s", info->name);
		ck_assert_ptr_nonnull(info->label);
		ck_assert_str_ne(other->label, info->label);
		ck_assert(other->now == info->now);
	}
}
END_TEST

START_TEST(test_values)
{
	const char *p;

	for (size_t i = 0; i < STAT_COUNT; i++)
		stats.values[i] = i + 1000;
	p = write_text();
	for (size_t i = 0; i < STAT_COUNT; i++) {
		const struct stat_info *info = &stat_infos[i];
		char want[128];

		snprintf(want, sizeof(want), "\nm2mwsd_%s%s%s%s %zu\n",
			 info->name, info->label != NULL ? "{" : "",
			 info->label != NULL ? info->label : "",
			 info->label != NULL ? "}" : "", i + 1000);
		ck_assert_msg(strstr(p, want) != NULL, "%s", want);
	}
}
END_TEST

static const struct {
	int op, rsc;
	uint64_t us;
	const char *first;		/* bucket that has it */
	const char *last;		/* bucket before it */
} latencies[] = {
	{ 1, 2001, 0, "op=\"CREATE\",rsc=\"2xxx\",le=\"0.0001\"", NULL },
	{ 1, 1001, 100, "op=\"CREATE\",rsc=\"2xxx\",le=\"0.0001\"", NULL },
	{ 2, 2000, 101, "op=\"RETRIEVE\",rsc=\"2xxx\",le=\"0.00025\"",
	  "op=\"RETRIEVE\",rsc=\"2xxx\",le=\"0.0001\"" },
	{ 5, 4004, 2500000, "op=\"NOTIFY\",rsc=\"4xxx\",le=\"2.5\"",
	  "op=\"NOTIFY\",rsc=\"4xxx\",le=\"1\"" },
	{ 4, 5103, 10000001, "op=\"DELETE\",rsc=\"5xxx\",le=\"+Inf\"",
	  "op=\"DELETE\",rsc=\"5xxx\",le=\"10\"" },
	{ 3, 6010, UINT32_MAX, "op=\"UPDATE\",rsc=\"5xxx\",le=\"+Inf\"",
	  "op=\"UPDATE\",rsc=\"5xxx\",le=\"10\"" },
};

static void check_bucket(const char *p, const char *label, int count)
{
	char want[128];

	snprintf(want, sizeof(want), "m2mwsd_request_seconds_bucket{%s} %d\n",
		 label, count);
	ck_assert_msg(strstr(p, want) != NULL, "%s", want);
}

START_TEST(test_latency)
{
	const char *p;

	latency_note(&stats.latencies, latencies[_i].op, latencies[_i].rsc,
		     latencies[_i].us);
	latency_note(&stats.latencies, 0, 2000, 1);
	latency_note(&stats.latencies, 6, 2000, 1);
	p = write_text();
	check_bucket(p, latencies[_i].first, 1);
	if (latencies[_i].last != NULL)
		check_bucket(p, latencies[_i].last, 0);
}
END_TEST

START_TEST(test_latency_sum)
{
	latency_note(&stats.latencies, 2, 2000, 1500000);
	latency_note(&stats.latencies, 2, 2000, 7);
	ck_assert_ptr_nonnull(strstr(
		write_text(), "m2mwsd_request_seconds_sum{op=\"RETRIEVE\","
			      "rsc=\"2xxx\"} 1.500007\n"));
	ck_assert_ptr_nonnull(strstr(
		text.p, "m2mwsd_request_seconds_count{op=\"RETRIEVE\","
			"rsc=\"2xxx\"} 2\n"));
}
END_TEST

START_TEST(test_ages)
{
	stats.ages_ms[QUEUE_INBOX] = 61007;
	ck_assert_ptr_nonnull(strstr(write_text(),
				     "m2mwsd_queue_age_seconds{queue="
				     "\"inbox\"} 61.007000\n"));
	ck_assert_ptr_nonnull(strstr(text.p, "m2mwsd_queue_age_seconds{queue="
					     "\"upstream\"} 0.000000\n"));
}
END_TEST

START_TEST(test_upstreams)
{
	const char *p;

	ck_assert_ptr_null(strstr(write_text(), "each_upstream"));
	buf_clear(&text);
	stats.upstream_count = 2;
	for (size_t i = 0; i < 2; i++) {
		stats.upstreams[i].name[0] = (char)('a' + i);
		for (size_t j = 0; j < UPSTREAM_STAT_COUNT; j++)
			stats.upstreams[i].values[j] = 10 * j + i;
	}
	p = strstr(write_text(), "# TYPE m2mwsd_each_upstream_up gauge\n");
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(strstr(
		p, "\nm2mwsd_each_upstream_up{upstream=\"a\"} 0\n"
		   "m2mwsd_each_upstream_up{upstream=\"b\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(
		p, "each_upstream_failed_probes_total{upstream=\"b\"} 71\n"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("all");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_rows, 0, STAT_COUNT);
	tcase_add_test(tc, test_values);
	tcase_add_test(tc, test_upstreams);
	tcase_add_loop_test(tc, test_latency, 0, ARRAY_LEN(latencies));
	tcase_add_test(tc, test_latency_sum);
	tcase_add_test(tc, test_ages);
	return unit_run(suite);
}
