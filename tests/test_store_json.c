#include "store_script.h"

#include <math.h>

#include "m2m/json.h"
#include "store/store_json.h"

/* Numbers come back as they were sent. */

static const struct {
	const char *in;
	const char *out;
} rows[] = {
	{ "1.1", "1.1" },
	{ "0.1", "0.1" },
	{ "3.14", "3.14" },
	{ "21.50", "21.5" },
	{ "1.0", "1.0" },
	{ "-0.0", "-0.0" },
	{ "0.30000000000000004", "0.30000000000000004" },
	{ "123456789.123456789", "123456789.12345679" },
	{ "1e300", "1e300" },
	{ "1E+2", "100.0" },
	{ "1e-7", "1e-7" },
	{ "1.5e-10", "1.5e-10" },
	{ "1e15", "1e15" },
	{ "1e23", "1e23" },
	{ "123456789012345.6", "123456789012345.6" },
	{ "1.7976931348623157e308", "1.7976931348623157e308" },
	{ "5e-324", "5e-324" },
	{ "2.2250738585072014e-308", "2.2250738585072014e-308" },
	{ "0", "0" },
	{ "-1", "-1" },
	{ "9007199254740993", "9007199254740993" },
	{ "9223372036854775807", "9223372036854775807" },
	{ "-9223372036854775808", "-9223372036854775808" },
	{ "true", "true" },
	{ "false", "false" },
	{ "null", "null" },
	{ "[]", "[]" },
	{ "{}", "{}" },
	{ "[ 1 , [ 2.5 , { } ] ]", "[1,[2.5,{}]]" },
	{ "{ \"b\" : 1 , \"a\" : { \"c\" : [ ] } }",
	  "{\"b\":1,\"a\":{\"c\":[]}}" },
	{ "\"\\u00b0 \\\"q\\\" \\\\ \\/ \\n \\u0001\"",
	  "\"\u00b0 \\\"q\\\" \\\\ / \\n \\u0001\"" },
	{ "{\"\\n\":\"\\ud83d\\ude00\"}", "{\"\\n\":\"\U0001f600\"}" },
};

static char *text_of(const json_t *value)
{
	struct buf b = { 0 };

	store_json_add(&b, value);
	buf_add_char(&b, '\0');
	ck_assert(!b.failed);
	return b.p;
}

START_TEST(test_row)
{
	json_t *value = json_loads(rows[_i].in, JSON_DECODE_ANY, NULL);
	char *text = text_of(value);

	ck_assert_str_eq(text, rows[_i].out);
	free(text);
	json_decref(value);
}
END_TEST

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Doubles of all magnitudes: a legal number, the same one, and no more digits
 * than it takes. */
START_TEST(test_chance)
{
	uint64_t seed = 88172645463325252u;

	for (int i = 0; i < 200000; i++) {
		uint64_t bits = next(&seed);
		char text[STORE_REAL_TEXT];
		const char *why;
		double real;
		size_t n;

		memcpy(&real, &bits, sizeof(real));
		if (i % 2 == 0)
			real = (double)(int64_t)(bits % 2000000) / 1000;
		if (!isfinite(real))
			continue;
		n = store_json_real(text, real);
		ck_assert_uint_eq(n, strlen(text));
		ck_assert_uint_lt(n, sizeof(text));
		ck_assert_int_eq(jscan_check((struct str){ text, n }, 1, 1,
					     &why), 0);
		ck_assert_msg(strtod(text, NULL) == real, "%s", text);
		ck_assert(strpbrk(text, ".e") != NULL);
		if (i % 2 == 0)
			ck_assert_msg(n <= 8, "%s", text);
	}
}
END_TEST

/* ---- through the store ---- */

static struct rig rig;

static void setup(void)
{
	rig_open(&rig);
	rig_must(&rig, 2001, C("cse-in", "Ca", 2) AE("a"));
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 3) CNT("'rn':'t'"));
}

static void teardown(void)
{
	rig_close(&rig);
}

static bool answer_has(const char *text)
{
	struct str content = rig.answer.content;
	struct buf b = { 0 };
	bool has;

	buf_add_str(&b, content);
	buf_add_char(&b, '\0');
	has = strstr(b.p, text) != NULL;
	buf_deinit(&b);
	return has;
}

#define NUMBERS "{\"t\":1.1,\"n\":[9007199254740993,1e300,-0.0,2.0]}"

START_TEST(test_stored)
{
	char size[16];

	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 4)
		 "'pc':{'m2m:cin':{'con':" NUMBERS "}}");
	ck_assert(answer_has("\"con\":" NUMBERS));
	snprintf(size, sizeof(size), "\"cs\":%zu", sizeof(NUMBERS) - 1);
	ck_assert(answer_has(size));
	rig_must(&rig, 2000, R("cse-in/a/t/la", "Ca"));
	ck_assert(answer_has("\"con\":" NUMBERS));
	rig_must(&rig, 2000, R("cse-in/a/t", "Ca") ",'rcn':4");
	ck_assert(answer_has("\"con\":" NUMBERS));
}
END_TEST

START_TEST(test_changed)
{
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 28)
		 "'pc':{'cod:x':{'rn':'f','cnd':'x','v':1.1}}");
	rig_must(&rig, 2001, C("cse-in/a/f", "Ca", 23)
		 "'pc':{'m2m:sub':{'nu':['Ca'],'nct':2}}");
	rig_must(&rig, 2004, U("cse-in/a/f", "Ca")
		 "'pc':{'cod:x':{'v':2.2}}");
	ck_assert(answer_has("\"v\":2.2"));
	ck_assert_uint_eq(rig.events.count, 1);
	ck_assert(str_starts(rig.events.list[0].content,
			     STR("{\"m2m:sgn\":{\"nev\":{\"rep\":{\"cod:x\":{"
				 "\"lt\":\"20260601T080000,000\","
				 "\"v\":2.2,\"st\":1}},\"net\":1}")));
	rig_must(&rig, 1002, R("cse-in/a/f#v", "Ca") ",'rt':{'rtv':2}");
	ck_assert(str_starts(rig.events.list[0].content,
			     STR("{\"m2m:rsp\":{\"rsc\":2000,\"rqi\":\"r\","
				 "\"rvi\":\"3\","
				 "\"pc\":{\"cod:x\":{\"v\":2.2}}")));
}
END_TEST

static const struct row large[] = {
	{ "an integer", C("cse-in/a/t", "Ca", 4)
	  "'pc':{'m2m:cin':{'con':9223372036854775808}}", 4000,
	  "{'m2m:dbg':'pc: a number does not fit into 64 bits'}", 0 },
	{ "a negative one", C("cse-in/a/t", "Ca", 4)
	  "'pc':{'m2m:cin':{'con':-9223372036854775809}}", 4000,
	  "{'m2m:dbg':'pc: a number does not fit into 64 bits'}", 0 },
	{ "a real", C("cse-in/a/t", "Ca", 4)
	  "'pc':{'m2m:cin':{'con':1e400}}", 4000,
	  "{'m2m:dbg':'pc: a number does not fit into 64 bits'}", 0 },
	{ "a condition", R("cse-in/a/t", "Ca")
	  ",'fc':{'stb':18446744073709551616}", 4000,
	  "{'m2m:dbg':'fc: a number does not fit into 64 bits'}", 0 },
};

START_TEST(test_large)
{
	PLAY(large);
}
END_TEST

static const struct row conditions[] = {
	{ "fcnt", C("cse-in/a", "Ca", 28)
	  "'pc':{'m2m:fcnt':{'rn':'f','cnd':'x','mni':9007199254740993,"
	  "'mbs':2.5,'mia':2.0}}", 2001, NULL, 0 },
	{ "an integer", R("cse-in", "Ca")
	  ",'fc':{'fu':1,'mni':9007199254740993}", 2000,
	  "{'m2m:uril':['cse-in/a/f']}", 0 },
	{ "the next one", R("cse-in", "Ca")
	  ",'fc':{'fu':1,'mni':9007199254740992}", 2000, "{'m2m:uril':[]}",
	  0 },
	{ "as text", R("cse-in", "Ca") ",'fc':{'fu':1,'mbs':'2.50'}", 2000,
	  "{'m2m:uril':['cse-in/a/f']}", 0 },
	{ "a whole one as text", R("cse-in", "Ca") ",'fc':{'fu':1,'mia':'2'}",
	  2000, "{'m2m:uril':['cse-in/a/f']}", 0 },
	{ "another one", R("cse-in", "Ca") ",'fc':{'fu':1,'mbs':'2.6'}", 2000,
	  "{'m2m:uril':[]}", 0 },
};

START_TEST(test_conditions)
{
	PLAY(conditions);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("store_json");
	TCase *text = tcase_create("text"), *store = tcase_create("store");

	tcase_add_loop_test(text, test_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(text, test_chance);
	suite_add_tcase(s, text);
	tcase_add_checked_fixture(store, setup, teardown);
	tcase_add_test(store, test_stored);
	tcase_add_test(store, test_changed);
	tcase_add_test(store, test_large);
	tcase_add_test(store, test_conditions);
	suite_add_tcase(s, store);
	return s;
}

int main(void)
{
	return unit_run(suite());
}
