#include "backend/upstream.h"

#include "unit.h"

static struct upstream_conf sample(void)
{
	return (struct upstream_conf){
		.name = "a", .url = STR("http://cse:80/base"), .host = "cse",
		.port = 80, .base = "/base", .authority = "cse",
		.cse_id = "/id-in", .release = "3", .connections = 1,
		.tls_conf = { .ca_file = "ca", .cert_file = "", .key_file = "",
			      .host = "cse" },
		.connect_timeout_ms = 2, .timeout_ms = 3, .keepalive_ms = 4,
		.max_waiting = 5, .max_answer = 6, .weight = 7,
		.health = STR("/"), .health_interval_ms = 8,
		.slow_start_ms = 9,
	};
}

/* One that lives on when what it came from is gone. */
START_TEST(test_copy)
{
	struct upstream_conf from = sample(), copy;
	char url[] = "http://cse:80/base", name[] = "a";

	from.url.p = url;
	from.name = name;
	ck_assert_int_eq(upstream_conf_copy(&copy, &from), 0);
	memset(url, 'x', sizeof(url) - 1);
	name[0] = 'x';
	from = sample();
	ck_assert(upstream_conf_equal(&copy, &from));
	ck_assert_ptr_null(copy.unix_path);
	upstream_conf_deinit(&copy);
}
END_TEST

enum kind { TEXT, STR_TEXT, NUMBER, INT, FLAG };

#define AT(member, kind) { offsetof(struct upstream_conf, member), kind }

static const struct field {
	size_t at;
	enum kind kind;
} fields[] = {
	AT(name, TEXT), AT(url, STR_TEXT), AT(host, TEXT), AT(port, INT),
	AT(unix_path, TEXT), AT(tls, FLAG), AT(tls_conf.ca_file, TEXT),
	AT(tls_conf.cert_file, TEXT), AT(tls_conf.key_file, TEXT),
	AT(tls_conf.host, TEXT), AT(base, TEXT), AT(authority, TEXT),
	AT(cse_id, TEXT), AT(release, TEXT), AT(format, INT),
	AT(connections, NUMBER), AT(connect_timeout_ms, NUMBER),
	AT(timeout_ms, NUMBER), AT(keepalive_ms, NUMBER),
	AT(max_waiting, NUMBER), AT(max_answer, NUMBER), AT(weight, NUMBER),
	AT(backup, FLAG), AT(health, STR_TEXT), AT(health_interval_ms, NUMBER),
	AT(slow_start_ms, NUMBER),
};

static void change(struct upstream_conf *c, const struct field *f)
{
	void *at = (char *)c + f->at;

	switch (f->kind) {
	case TEXT:
		*(const char **)at = "other";
		break;
	case STR_TEXT:
		*(struct str *)at = STR("other");
		break;
	case NUMBER:
		++*(uint64_t *)at;
		break;
	case INT:
		++*(int *)at;
		break;
	case FLAG:
		*(bool *)at = true;
		break;
	}
}

START_TEST(test_each_difference)
{
	struct upstream_conf a = sample(), b = sample();

	ck_assert(upstream_conf_equal(&a, &b));
	change(&b, &fields[_i]);
	ck_assert(!upstream_conf_equal(&a, &b));
	ck_assert(!upstream_conf_equal(&b, &a));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("upstream_conf");
	TCase *tc = tcase_create("conf");

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_copy);
	tcase_add_loop_test(tc, test_each_difference, 0,
			    (int)ARRAY_LEN(fields));
	return unit_run(s);
}
