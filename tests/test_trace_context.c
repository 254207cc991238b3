#include "unit.h"

#include "gateway/trace_context.h"

#define ID     "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define UP(value) { STR_INIT("traceparent"), STR_INIT(value) }
#define STATE(value) { STR_INIT("TraceState"), STR_INIT(value) }

/* flags NULL: it is in no trace. */
static const struct {
	const char *name;
	struct http_header headers[3];
	const char *flags, *state;
} rows[] = {
	{ "none", { STATE("a=1") }, NULL, NULL },
	{ "sampled", { UP("00-" ID "-" PARENT "-01") }, "01", "" },
	{ "not sampled", { UP("00-" ID "-" PARENT "-00") }, "00", "" },
	{ "flags that we do not know", { UP("00-" ID "-" PARENT "-0b") }, "01",
	  "" },
	{ "these without the one we know", { UP("00-" ID "-" PARENT "-fe") },
	  "00", "" },
	{ "with state", { UP("00-" ID "-" PARENT "-01"), STATE("a=1,b=2") },
	  "01", "tracestate: a=1,b=2\r\n" },
	{ "state twice", { UP("00-" ID "-" PARENT "-01"), STATE("a=1"),
			   STATE("b=2") }, "01", "" },
	{ "state that is no text",
	  { UP("00-" ID "-" PARENT "-01"), STATE("a=\x80") }, "01", "" },
	{ "a later version", { UP("cc-" ID "-" PARENT "-01") }, "01", "" },
	{ "which has more", { UP("cc-" ID "-" PARENT "-01-what") }, "01", "" },
	{ "more, but no dash", { UP("cc-" ID "-" PARENT "-01.what") }, NULL,
	  NULL },
	{ "version 00 has no more", { UP("00-" ID "-" PARENT "-01-x") }, NULL,
	  NULL },
	{ "version ff", { UP("ff-" ID "-" PARENT "-01") }, NULL, NULL },
	{ "no version", { UP("0x-" ID "-" PARENT "-01") }, NULL, NULL },
	{ "no trace", { UP("00-00000000000000000000000000000000-" PARENT
			   "-01") }, NULL, NULL },
	{ "no parent", { UP("00-" ID "-0000000000000000-01") }, NULL, NULL },
	{ "upper case", { UP("00-0AF7651916CD43DD8448EB211C80319C-" PARENT
			     "-01") }, NULL, NULL },
	{ "no hexadecimal parent", { UP("00-" ID "-b7ad6b716920333g-01") },
	  NULL, NULL },
	{ "no hexadecimal flags", { UP("00-" ID "-" PARENT "-0g") }, NULL,
	  NULL },
	{ "other dashes", { UP("00_" ID "-" PARENT "-01") }, NULL, NULL },
	{ "too short", { UP("00-" ID "-" PARENT "-0") }, NULL, NULL },
	{ "empty", { UP("") }, NULL, NULL },
	{ "twice", { UP("00-" ID "-" PARENT "-01"),
		     UP("00-" ID "-" PARENT "-01") }, NULL, NULL },
};

static struct trace_context *create(size_t row)
{
	struct http_msg req = { .headers = rows[row].headers };
	struct trace_context *t;

	while (req.header_count < ARRAY_LEN(rows[row].headers) &&
	       rows[row].headers[req.header_count].name.len > 0)
		req.header_count++;
	ck_assert_int_eq(trace_context_create(&t, &req), 0);
	return t;
}

/* "traceparent: 00-ID-SPAN-FLAGS", then the state. */
static void check(struct str lines, size_t row, char span[17])
{
	char want[128];

	ck_assert_uint_gt(lines.len, 54);
	memcpy(span, lines.p + strlen("traceparent: 00-" ID "-"), 16);
	span[16] = '\0';
	ck_assert_uint_eq(strspn(span, "0123456789abcdef"), 16);
	snprintf(want, sizeof(want), "traceparent: 00-" ID "-%s-%s\r\n%s", span,
		 rows[row].flags, rows[row].state);
	ck_assert_msg(str_eq(lines, str_of(want)), "%s: %.*s",
		      rows[row].name, (int)lines.len, lines.p);
}

START_TEST(test_handshake)
{
	size_t row = (size_t)_i;
	struct trace_context *t = create(row);
	char first[17], second[17];

	if (rows[row].flags == NULL) {
		ck_assert_msg(t == NULL, "%s", rows[row].name);
		return;
	}
	ck_assert_msg(t != NULL, "%s", rows[row].name);
	ck_assert(str_eq(trace_context_id(t), STR(ID)));
	check(trace_context_next(t), row, first);
	check(trace_context_next(t), row, second);
	ck_assert_str_ne(first, second);
	ck_assert_str_ne(first, PARENT);
	trace_context_destroy(t);
}
END_TEST

START_TEST(test_long_state)
{
	static char state[514];
	struct http_header headers[] = {
		UP("00-" ID "-" PARENT "-01"),
		{ STR_INIT("tracestate"), { state, 512 } },
	};
	struct http_msg req = { .headers = headers, .header_count = 2 };
	struct trace_context *t;

	memset(state, 'a', sizeof(state));
	for (headers[1].value.len = 512; headers[1].value.len <= 513;
	     headers[1].value.len++) {
		ck_assert_int_eq(trace_context_create(&t, &req), 0);
		ck_assert_uint_eq(trace_context_next(t).len,
				  headers[1].value.len == 512 ?
					  70 + 12 + 512 + 2 : 70);
		trace_context_destroy(t);
	}
}
END_TEST

START_TEST(test_none)
{
	ck_assert_uint_eq(trace_context_next(NULL).len, 0);
	ck_assert_uint_eq(trace_context_id(NULL).len, 0);
	trace_context_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace_context");
	TCase *tc = tcase_create("trace_context");

	tcase_add_loop_test(tc, test_handshake, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, test_long_state);
	tcase_add_test(tc, test_none);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
