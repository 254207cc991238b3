#include "unit.h"

#include "m2m/codec.h"

/* 2026-06-01 08:00:00 UTC */
#define NOW UINT64_C(1780300800000)

static const struct codec_conf limits = { .max_depth = 32, .max_tokens = 999 };

/* p points into text afterwards. */
static void decode(struct prim *p, const char *text)
{
	const char *why = "";

	ck_assert_msg(codec_json.decode(p, &why, &limits, str_of(text)) == 0,
		      "%s: %s", text, why);
}

START_TEST(test_names)
{
	const struct prim_param_info *info = &prim_params[_i];

	ck_assert_uint_gt(info->name.len, 0);
	ck_assert(info->request || info->response);
	ck_assert_int_eq(prim_find_param(info->name), (enum prim_param)_i);
}
END_TEST

static const struct str strangers[] = {
	STR_INIT(""),	     STR_INIT("o"),	 STR_INIT("po"),
	STR_INIT("pc"),	     STR_INIT("TO"),	 STR_INIT("rqj"),
	STR_INIT("rsets"),   STR_INIT("\0to"),	 STR_INIT("to\0"),
	STR_INIT("ltidss"),  STR_INIT("prpi"),
};

START_TEST(test_strangers)
{
	ck_assert_int_eq(prim_find_param(strangers[_i]), PARAM_COUNT);
}
END_TEST

START_TEST(test_life)
{
	struct prim p = { 0 };

	ck_assert(!prim_has(&p, PARAM_TO));
	ck_assert_uint_eq(prim_text(&p, PARAM_TO).len, 0);
	prim_set_str(&p, PARAM_TO, STR("cb1"));
	prim_set(&p, PARAM_TY, VALUE_NUMBER, STR("3"));
	p.content = STR("{}");
	p.extra_count = 1;
	p.op = OP_CREATE;
	p.rsc = 1;
	buf_add_lit(&p.store, "text");
	ck_assert(str_eq(prim_text(&p, PARAM_TO), STR("cb1")));
	ck_assert_int_eq(p.param[PARAM_TY].type, VALUE_NUMBER);

	prim_reset(&p, PRIM_RESPONSE);
	ck_assert_int_eq(p.kind, PRIM_RESPONSE);
	ck_assert(!prim_has(&p, PARAM_TO) && !prim_has(&p, PARAM_TY));
	ck_assert_ptr_null(p.content.p);
	ck_assert_uint_eq(p.extra_count, 0);
	ck_assert_int_eq(p.op, OP_NONE);
	ck_assert_int_eq(p.rsc, 0);
	ck_assert_uint_eq(p.store.len, 0);
	ck_assert_uint_gt(p.store.cap, 0);	/* the memory is kept */

	prim_deinit(&p);
	ck_assert_ptr_null(p.store.p);
	prim_deinit(&p);
}
END_TEST

static const struct {
	const char *text;
	enum value_type type;
	bool ok;
	int64_t want;
} ints[] = {
	{ "0", VALUE_NUMBER, true, 0 },
	{ "-0", VALUE_NUMBER, true, 0 },
	{ "-12", VALUE_NUMBER, true, -12 },
	{ "2000", VALUE_STRING, true, 2000 },
	{ "-7", VALUE_STRING, true, -7 },
	{ "3.0", VALUE_NUMBER, true, 3 },	/* tinyIoT writes them so */
	{ "3.000", VALUE_NUMBER, true, 3 },
	{ "3.5", VALUE_NUMBER, false, 0 },
	{ "3.0", VALUE_STRING, false, 0 },
	{ "3e2", VALUE_NUMBER, false, 0 },
	{ "9223372036854775807", VALUE_NUMBER, true, INT64_MAX },
	{ "9223372036854775808", VALUE_NUMBER, false, 0 },
	{ "99999999999999999999", VALUE_NUMBER, false, 0 },
	{ "", VALUE_STRING, false, 0 },
	{ "-", VALUE_STRING, false, 0 },
	{ "--1", VALUE_STRING, false, 0 },
	{ "1a", VALUE_STRING, false, 0 },
	{ "true", VALUE_BOOL, false, 0 },
	{ "1", VALUE_BOOL, false, 0 },
	{ "1", VALUE_JSON, false, 0 },
};

START_TEST(test_int)
{
	struct prim p = { 0 };
	int64_t n = 42;
	bool ok;

	ck_assert(!prim_int(&n, &p, PARAM_TY));
	prim_set(&p, PARAM_TY, ints[_i].type, str_of(ints[_i].text));
	ok = prim_int(&n, &p, PARAM_TY);
	ck_assert_msg(ok == ints[_i].ok, "%s", ints[_i].text);
	ck_assert_int_eq(n, ok ? ints[_i].want : 42);
}
END_TEST

#define FROM "\"to\":\"cb1\",\"fr\":\"Cm\",\"rqi\":\"1\""
#define LIST "\"pc\":{\"m2m:atrl\":"

static const struct {
	const char *name, *text;
	int rsc;
	const char *why;
} requests[] = {
	{ "RETRIEVE", "{\"op\":2," FROM "}", 0, "" },
	{ "op as text", "{\"op\":\"2\"," FROM "}", 0, "" },
	{ "rqi as number", "{\"op\":2,\"to\":\"a\",\"fr\":\"C\",\"rqi\":1}",
	  0, "" },
	{ "op unknown", "{\"op\":6," FROM "}", 4000, "op is unknown" },
	{ "op 0", "{\"op\":0," FROM "}", 4000, "op is unknown" },
	{ "op as name", "{\"op\":\"CREATE\"," FROM "}", 4000,
	  "op is unknown" },
	{ "op is a list", "{\"op\":[2]," FROM "}", 4000, "op is unknown" },
	{ "to missing", "{\"op\":2,\"fr\":\"Cm\",\"rqi\":\"1\"}", 4000,
	  "to is missing" },
	{ "to null",
	  "{\"op\":2,\"to\":null,\"fr\":\"Cm\",\"rqi\":\"1\"}", 4000,
	  "to is missing" },
	{ "to empty", "{\"op\":2,\"to\":\"\",\"fr\":\"Cm\",\"rqi\":\"1\"}",
	  4000, "to is missing" },
	{ "rqi missing", "{\"op\":2,\"to\":\"a\",\"fr\":\"Cm\"}", 4000,
	  "rqi is missing" },
	{ "rqi empty", "{\"op\":2,\"to\":\"a\",\"fr\":\"C\",\"rqi\":\"\"}",
	  4000, "rqi is missing" },
	{ "rqi is an object",
	  "{\"op\":2,\"to\":\"a\",\"fr\":\"C\",\"rqi\":{}}", 4000,
	  "rqi is not a string" },
	{ "fr missing", "{\"op\":2,\"to\":\"a\",\"rqi\":\"1\"}", 4000,
	  "fr is missing" },
	{ "fr empty", "{\"op\":2,\"to\":\"a\",\"fr\":\"\",\"rqi\":\"1\"}",
	  4000, "fr is missing" },
	{ "CREATE AE without fr",
	  "{\"op\":1,\"to\":\"a\",\"rqi\":\"1\",\"ty\":2,\"pc\":{}}", 0, "" },
	{ "CREATE AE with an empty fr, ty as text",
	  "{\"op\":1,\"to\":\"a\",\"fr\":\"\",\"rqi\":\"1\",\"ty\":\"2\","
	  "\"pc\":{}}", 0, "" },
	{ "other CREATE without fr",
	  "{\"op\":1,\"to\":\"a\",\"rqi\":\"1\",\"ty\":16,\"pc\":{}}", 4000,
	  "fr is missing" },
	{ "UPDATE with ty 2 without fr",
	  "{\"op\":3,\"to\":\"a\",\"rqi\":\"1\",\"ty\":2,\"pc\":{}}", 4000,
	  "fr is missing" },
	{ "CREATE without fr and ty",
	  "{\"op\":1,\"to\":\"a\",\"rqi\":\"1\",\"pc\":{}}", 4000,
	  "fr is missing" },
	{ "CREATE without ty", "{\"op\":1," FROM ",\"pc\":{}}", 4000,
	  "ty is missing" },
	{ "CREATE without pc", "{\"op\":1," FROM ",\"ty\":3}", 4000,
	  "pc is missing" },
	{ "CREATE with pc null", "{\"op\":1," FROM ",\"ty\":3,\"pc\":null}",
	  4000, "pc is missing" },
	{ "UPDATE", "{\"op\":3," FROM ",\"pc\":{}}", 0, "" },
	{ "UPDATE without pc", "{\"op\":3," FROM "}", 4000, "pc is missing" },
	{ "DELETE", "{\"op\":4," FROM "}", 0, "" },
	{ "DELETE with pc", "{\"op\":4," FROM ",\"pc\":{\"a\":1}}", 4000,
	  "pc in a DELETE" },
	{ "DELETE with empty pc", "{\"op\":4," FROM ",\"pc\":{}}", 0, "" },
	{ "RETRIEVE with empty pc", "{\"op\":2," FROM ",\"pc\": { } }", 0, "" },
	{ "NOTIFY", "{\"op\":5," FROM ",\"pc\":{}}", 0, "" },
	{ "NOTIFY without pc", "{\"op\":5," FROM "}", 4000, "pc is missing" },
	{ "attribute list", "{\"op\":2," FROM "," LIST "[\"a\",\"b\"]}}",
	  0, "" },
	{ "attribute list, name escaped",
	  "{\"op\":2," FROM ",\"pc\":{\"m2m\\u003aatrl\":[]}}", 0, "" },
	{ "attribute list of numbers", "{\"op\":2," FROM "," LIST "[1]}}",
	  4000, "pc of a RETRIEVE is not an m2m:atrl" },
	{ "attribute list is text", "{\"op\":2," FROM "," LIST "\"a\"}}",
	  4000, "pc of a RETRIEVE is not an m2m:atrl" },
	{ "a second member", "{\"op\":2," FROM "," LIST "[],\"b\":1}}",
	  4000, "pc of a RETRIEVE is not an m2m:atrl" },
	{ "another member", "{\"op\":2," FROM ",\"pc\":{\"m2m:cnt\":[]}}",
	  4000, "pc of a RETRIEVE is not an m2m:atrl" },
	{ "list without its name", "{\"op\":2," FROM ",\"pc\":[\"a\"]}",
	  4000, "pc of a RETRIEVE is not an m2m:atrl" },
	{ "rqet to come", "{\"op\":2," FROM ",\"rqet\":\"20260601T080001\"}",
	  0, "" },
	{ "rqet passed", "{\"op\":2," FROM ",\"rqet\":\"20200101T000000\"}",
	  4008, "rqet has passed" },
	{ "rqet this very moment",
	  "{\"op\":2," FROM ",\"rqet\":\"20260601T080000\"}", 4008,
	  "rqet has passed" },
	{ "rqet of no time", "{\"op\":2," FROM ",\"rqet\":0}", 4008,
	  "rqet has passed" },
	{ "rqet not understood: the CSE judges",
	  "{\"op\":2," FROM ",\"rqet\":\"tomorrow\"}", 0, "" },
	{ "what is missing comes before what has passed",
	  "{\"op\":1," FROM ",\"rqet\":0}", 4000, "ty is missing" },
	{ "oet passed: executed at once",
	  "{\"op\":2," FROM ",\"oet\":\"20200101T000000\"}", 0, "" },
	{ "the CSE judges the rest",
	  "{\"op\":1," FROM ",\"ty\":\"x\",\"fc\":{\"odd\":1},"
	  "\"rt\":{\"rtv\":9},\"pc\":1}", 0, "" },
};

START_TEST(test_request)
{
	struct prim p = { 0 };
	const char *why = "";

	decode(&p, requests[_i].text);
	ck_assert_msg(prim_check_request(&why, &p, NOW) == requests[_i].rsc,
		      "%s: %s", requests[_i].name, why);
	ck_assert_msg(strcmp(why, requests[_i].why) == 0, "%s: %s",
		      requests[_i].name, why);
	prim_deinit(&p);
}
END_TEST

START_TEST(test_request_without_op)
{
	struct prim p = { 0 };
	const char *why = "";

	prim_set_str(&p, PARAM_RQI, STR("1"));
	ck_assert_int_eq(prim_check_request(&why, &p, NOW), 4000);
	ck_assert_str_eq(why, "op is missing");
}
END_TEST

#define DAY    UINT64_C(86400000)
#define LAST_MS UINT64_C(253402300799999)	/* 9999-12-31, its end */
#define NEVER  UINT64_MAX	/* not understood */

static const struct {
	const char *name, *text;
	uint64_t want;
} times[] = {
	{ "timestamp", "20260601T080130", 90000 },
	{ "the moment itself", "20260601T080000", 0 },
	{ "passed", "20260601T075959", 0 },
	{ "tenths", "20260601T080000,1", 100 },
	{ "milliseconds", "20260601T080001,125", 1125 },
	{ "microseconds are cut", "20260601T080000,000999", 0 },
	{ "six digits", "20260601T080000,123456", 123 },
	{ "next month", "20260701T080000", 30 * DAY },
	{ "next year", "20270601T080000", 365 * DAY },
	{ "over a leap day", "20280601T080000", 731 * DAY },
	{ "the last one", "99991231T235959,999", UINT64_C(251622000000000) -
						  1 },
	{ "leap day", "20280229T080000", 638 * DAY },
	{ "leap day of a 400th year", "20000229T000000", 0 },
	{ "before 1970", "19691231T235959", 0 },
	{ "the first year", "00010101T000000", 0 },
	{ "year 0", "00000101T000000", NEVER },
	{ "no leap year", "20270229T000000", NEVER },
	{ "no leap year in a 100th", "21000229T000000", NEVER },
	{ "month 0", "20260001T000000", NEVER },
	{ "month 13", "20261301T000000", NEVER },
	{ "day 0", "20260600T000000", NEVER },
	{ "day 31 in June", "20260631T000000", NEVER },
	{ "hour 24", "20260601T240000", NEVER },
	{ "minute 60", "20260601T086000", NEVER },
	{ "second 60", "20260601T080060", NEVER },
	{ "zone", "20260601T080000Z", NEVER },
	{ "point", "20260601T080000.5", NEVER },
	{ "comma alone", "20260601T080000,", NEVER },
	{ "seven digits", "20260601T080000,1234567", NEVER },
	{ "letter in the fraction", "20260601T080000,1a", NEVER },
	{ "no seconds", "20260601T0800", NEVER },
	{ "letter in the year", "2O260601T080000", NEVER },
	{ "space for T", "20260601 080000", NEVER },
	{ "extended form", "2026-06-01T08:00:00", NEVER },

	{ "milliseconds from now", "1500", 1500 },
	{ "as long as a timestamp's digits", "20260601080000",
	  UINT64_C(20260601080000) },
	{ "below now", "-5", 0 },
	{ "too far", "99999999999999999999", NEVER },
	{ "fraction of one", "0.5", NEVER },
	{ "empty", "", NEVER },

	{ "seconds", "PT2S", 2000 },
	{ "seconds with a fraction", "PT1.5S", 1500 },
	{ "long fraction", "PT0.0019999999S", 1 },
	{ "no time", "PT0S", 0 },
	{ "minutes", "PT3M", 180000 },
	{ "months", "P1M", 30 * DAY },
	{ "all of them", "P1Y2M3DT10H1M0S",
	  (365 + 60 + 3) * DAY + 36060000 },
	{ "days and seconds", "P1DT1S", DAY + 1000 },
	{ "P alone", "P", NEVER },
	{ "T without a part", "PT", NEVER },
	{ "T without a part, behind days", "P1DT", NEVER },
	{ "wrong order", "P1D1Y", NEVER },
	{ "twice", "PT1M1M", NEVER },
	{ "hours without T", "P1H", NEVER },
	{ "T twice", "PT1HT1M", NEVER },
	{ "no digits", "PD", NEVER },
	{ "no letter", "PT1", NEVER },
	{ "fraction of minutes", "PT1.5M", NEVER },
	{ "fraction of days", "P1.5D", NEVER },
	{ "fraction without digits", "PT1.S", NEVER },
	{ "fraction without a letter", "PT1.5", NEVER },
	{ "fraction only", "PT.5S", NEVER },
	{ "negative duration", "-PT2S", NEVER },
	{ "lower case", "pt2s", NEVER },
	{ "weeks are not of XSD", "P1W", NEVER },
	{ "more than any date holds", "P8036Y", LAST_MS },
	{ "just not too large", "P584942417Y", LAST_MS },
	{ "a number just not too large", "9223372036854775807", LAST_MS },
	{ "a product too large", "P999999999999Y", NEVER },
	{ "a sum too large", "P584942417Y999999999M", NEVER },
	{ "a number too large", "PT99999999999999999999S", NEVER },
};

START_TEST(test_time)
{
	struct prim p = { 0 };
	uint64_t left = 42;
	bool known;

	prim_set_str(&p, PARAM_RQET, str_of(times[_i].text));
	known = prim_time_left(&left, &p, PARAM_RQET, NOW);
	ck_assert_msg(known == (times[_i].want != NEVER), "%s",
		      times[_i].name);
	if (known)
		ck_assert_msg(left == times[_i].want, "%s: %llu",
			      times[_i].name, (unsigned long long)left);
}
END_TEST

static const struct {
	uint64_t ms;
	const char *text;
} stamps[] = {
	{ 0, "19700101T000000,000" },
	{ 1, "19700101T000000,001" },
	{ 999, "19700101T000000,999" },
	{ 951782400000, "20000229T000000,000" },
	{ 1709210096007, "20240229T123456,007" },
	{ 1767225599999, "20251231T235959,999" },
	{ 4107542399050, "21000228T235959,050" },
	{ 4107542400000, "21000301T000000,000" },
	{ LAST_MS, "99991231T235959,999" },
	{ LAST_MS + 1, "99991231T235959,999" },
	{ UINT64_MAX, "99991231T235959,999" },
};

START_TEST(test_write_time)
{
	char text[PRIM_TIME_TEXT + 1];
	uint64_t back;

	memset(text, '#', sizeof(text));
	prim_write_time(text, stamps[_i].ms);
	ck_assert_str_eq(text, stamps[_i].text);
	ck_assert_uint_eq(strlen(text), PRIM_TIME_TEXT - 1);
	ck_assert_int_eq(text[PRIM_TIME_TEXT], '#');
	ck_assert(prim_read_time(&back, str_of(text)));
	ck_assert(back == stamps[_i].ms || stamps[_i].ms > LAST_MS);
}
END_TEST

START_TEST(test_time_types)
{
	struct prim p = { 0 };
	uint64_t left;

	ck_assert(!prim_time_left(&left, &p, PARAM_RQET, NOW));
	prim_set(&p, PARAM_RQET, VALUE_NUMBER, STR("2000"));
	ck_assert(prim_time_left(&left, &p, PARAM_RQET, NOW));
	ck_assert_uint_eq(left, 2000);
	prim_set(&p, PARAM_RQET, VALUE_NUMBER, STR("2.5"));
	ck_assert(!prim_time_left(&left, &p, PARAM_RQET, NOW));
	prim_set(&p, PARAM_RQET, VALUE_BOOL, STR("true"));
	ck_assert(!prim_time_left(&left, &p, PARAM_RQET, NOW));
	prim_set(&p, PARAM_RQET, VALUE_JSON, STR("[\"PT2S\"]"));
	ck_assert(!prim_time_left(&left, &p, PARAM_RQET, NOW));
	prim_set_str(&p, PARAM_RQET, STR("P1D\0"));
	ck_assert(!prim_time_left(&left, &p, PARAM_RQET, NOW));
	prim_set_str(&p, PARAM_RQET, STR("PT1\0"));
	ck_assert(!prim_time_left(&left, &p, PARAM_RQET, NOW));
}
END_TEST

static const struct {
	const char *rt;
	enum value_type type;
	int want;
} response_types[] = {
	{ "{\"rtv\":1}", VALUE_JSON, 1 },
	{ "{ \"rtv\" : 2 , \"nu\" : [ \"/a/b\" ] }", VALUE_JSON, 2 },
	{ "{\"nu\":[],\"rtv\":5}", VALUE_JSON, 5 },
	{ "{\"rtv\":\"4\"}", VALUE_JSON, 4 },
	{ "{\"\\u0072tv\":2}", VALUE_JSON, 2 },
	{ "{\"rtv\":5.0}", VALUE_JSON, 5 },
	{ "{\"rtv\":5.1}", VALUE_JSON, 3 },
	{ "{}", VALUE_JSON, 3 },
	{ "{\"rtv\":0}", VALUE_JSON, 3 },
	{ "{\"rtv\":6}", VALUE_JSON, 3 },
	{ "{\"rtv\":22}", VALUE_JSON, 3 },
	{ "{\"rtv\":\"\"}", VALUE_JSON, 3 },
	{ "{\"rtv\":null}", VALUE_JSON, 3 },
	{ "[{\"rtv\":2}]", VALUE_JSON, 3 },
	{ "2", VALUE_NUMBER, 3 },
	{ "2", VALUE_STRING, 3 },
};

START_TEST(test_response_type)
{
	struct prim p = { 0 };

	ck_assert_int_eq(prim_response_type(&p), 3);
	prim_set(&p, PARAM_RT, response_types[_i].type,
		 str_of(response_types[_i].rt));
	ck_assert_msg(prim_response_type(&p) == response_types[_i].want, "%s",
		      response_types[_i].rt);
}
END_TEST

START_TEST(test_op_name)
{
	static const char *const names[] = {
		"?", "CREATE", "RETRIEVE", "UPDATE", "DELETE", "NOTIFY",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_assert_str_eq(op_name((enum op)i), names[i]);
}
END_TEST

static const char *const copies[] = {
	"{}",
	"{\"rsc\":2000,\"rqi\":\"r1\",\"rvi\":\"3\",\"pc\":{\"m2m:cin\":{}}}",
	"{\"rsc\":2000,\"rqi\":\"\"}",
	"{\"op\":1,\"to\":\"cse-in/a\",\"fr\":\"C1\",\"rqi\":\"\\u0041\\\"\","
	"\"rvi\":\"4\",\"ty\":4,\"pc\":{\"m2m:cin\":{\"con\":\"1\"}}}",
	"{\"op\":2,\"to\":\"x\",\"rqet\":2000,\"da\":true,"
	"\"fc\":{\"lbl\":[\"a\",\"b\"]},\"sqi\":false,\"x\\u0079\":[1],\"z\":null}",
};

/* The copy is the same, also when what it was made of is gone, and holds
 * nothing of what was there before. */
START_TEST(test_copy)
{
	struct prim from = { 0 }, to = { 0 };
	struct buf message = { 0 }, before = { 0 }, after = { 0 };
	const char *why;

	prim_set_str(&to, PARAM_VSI, STR("of before"));
	to.content = STR("before");
	buf_add_str(&to.store, STR("before"));
	buf_add_str(&message, str_of(copies[_i]));
	(void)!codec_json.decode(&from, &why, &limits, buf_str(&message));
	(void)!codec_json.encode(&before, &why, &limits, &from);
	ck_assert_int_eq(prim_copy(&to, &from), 0);
	memset(message.p, '#', message.len);
	if (from.store.p != NULL)
		memset(from.store.p, '#', from.store.cap);
	(void)!codec_json.encode(&after, &why, &limits, &to);
	ck_assert_int_eq(to.kind, from.kind);
	ck_assert_int_eq(to.op, from.op);
	ck_assert_uint_eq(to.present, from.present);
	ck_assert(!after.failed && str_eq(buf_str(&after), buf_str(&before)));
	prim_deinit(&from);
	prim_deinit(&to);
	buf_deinit(&message);
	buf_deinit(&before);
	buf_deinit(&after);
}
END_TEST

/* Empty content is there; that of a RETRIEVE is not. */
START_TEST(test_copy_content)
{
	struct prim from = { .content = STR("") }, to = { 0 };

	ck_assert_int_eq(prim_copy(&to, &from), 0);
	ck_assert_ptr_nonnull(to.content.p);
	ck_assert_uint_eq(to.content.len, 0);
	from.content = (struct str){ NULL, 0 };
	ck_assert_int_eq(prim_copy(&to, &from), 0);
	ck_assert_ptr_null(to.content.p);
	prim_deinit(&to);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prim");
	TCase *tc = tcase_create("prim");

	tcase_add_loop_test(tc, test_names, 0, PARAM_COUNT);
	tcase_add_loop_test(tc, test_strangers, 0, ARRAY_LEN(strangers));
	tcase_add_test(tc, test_life);
	tcase_add_loop_test(tc, test_int, 0, ARRAY_LEN(ints));
	tcase_add_loop_test(tc, test_request, 0, ARRAY_LEN(requests));
	tcase_add_test(tc, test_request_without_op);
	tcase_add_loop_test(tc, test_time, 0, ARRAY_LEN(times));
	tcase_add_loop_test(tc, test_write_time, 0, ARRAY_LEN(stamps));
	tcase_add_test(tc, test_time_types);
	tcase_add_loop_test(tc, test_response_type, 0,
			    ARRAY_LEN(response_types));
	tcase_add_test(tc, test_op_name);
	tcase_add_loop_test(tc, test_copy, 0, ARRAY_LEN(copies));
	tcase_add_test(tc, test_copy_content);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
