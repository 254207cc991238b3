#include "unit.h"

#include <limits.h>

#include "m2m/json.h"

#define S(literal) STR_INIT(literal)

/* An allocation that ends where the text does, so that the sanitizer sees one
 * octet too many being read. */
static struct str copy_of(struct str text)
{
	char *p = malloc(text.len > 0 ? text.len : 1);

	ck_assert_ptr_nonnull(p);
	memcpy(p, text.p, text.len);
	return (struct str){ p, text.len };
}

static int check(struct str text, const char **why)
{
	struct str copy = copy_of(text);
	int err;

	*why = "";
	err = jscan_check(copy, JSCAN_DEPTH_MAX, UINT_MAX, why);
	free((char *)copy.p);
	return err;
}

static const struct {
	const char *name;
	struct str text;
} good[] = {
	{ "null", S("null") },
	{ "true", S("true") },
	{ "false", S("false") },
	{ "white space around", S(" \t\r\n1 \t\r\n") },
	{ "zero", S("0") },
	{ "minus zero", S("-0") },
	{ "integer of any size", S("123456789012345678901234567890") },
	{ "fraction", S("-0.50") },
	{ "exponents", S("[1e5,1E+05,1.5e-999]") },
	{ "empty string", S("\"\"") },
	{ "string of eight", S("\"12345678\"") },
	{ "string longer than a word", S("\"0123456789abcdefghij\"") },
	{ "DEL is no control", S("\"\x7f\"") },
	{ "each escape", S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"") },
	{ "\\u0000", S("\"\\u0000\"") },
	{ "surrogate pair", S("\"\\ud83d\\uDE00\"") },
	{ "not surrogates", S("\"\\ud7ff\\ue000\"") },
	{ "UTF-8", S("\"\xc2\xb0\xe2\x82\xac\xf0\x9f\x98\x80\"") },
	{ "UTF-8 behind plain text", S("\"0123456789\xc3\xa9\"") },
	{ "UTF-8 in a name", S("{\"\xc3\xa9\":1}") },
	{ "UTF-8 in the next string only", S("[\"a\",\"\xc3\xa9\"]") },
	{ "empty array", S("[]") },
	{ "empty array with space", S("[ ]") },
	{ "empty object", S("{}") },
	{ "empty object with space", S("{\n}") },
	{ "array", S("[1,\"a\",null,true,[],{}]") },
	{ "nested", S("{\"a\":{\"b\":[{},[[]],{\"c\":1}]},\"d\":2}") },
	{ "space everywhere",
	  S(" { \"a\" : [ 1 , { \"b\" : 2 } ] , \"c\" : \"d\" } ") },
	{ "equal names are the reader's matter", S("{\"a\":1,\"a\":2}") },
	{ "empty name", S("{\"\":1}") },
};

START_TEST(test_good)
{
	const char *why;

	ck_assert_msg(check(good[_i].text, &why) == 0, "%s: %s", good[_i].name,
		      why);
}
END_TEST

static const struct {
	const char *name;
	struct str text;
	const char *why;
} bad[] = {
	{ "nothing", S(""), "text ends where a value is expected" },
	{ "only space", S(" \n"), "text ends where a value is expected" },
	{ "BOM", S("\xef\xbb\xbf{}"), "value expected" },
	{ "NUL", S("\0"), "value expected" },
	{ "NUL behind", S("1\0"), "text goes on after the value" },
	{ "form feed is no space", S("\f1"), "value expected" },
	{ "two values", S("1 2"), "text goes on after the value" },
	{ "bracket too many", S("[]]"), "text goes on after the value" },
	{ "short word", S("tru"), "value expected" },
	{ "wrong word", S("nul1"), "value expected" },
	{ "capitals", S("False"), "value expected" },
	{ "word runs on", S("truex"), "text goes on after the value" },
	{ "NaN", S("NaN"), "value expected" },
	{ "minus alone", S("-"), "number without digits" },
	{ "minus infinity", S("-Infinity"), "number without digits" },
	{ "plus", S("+1"), "value expected" },
	{ "point first", S(".5"), "value expected" },
	{ "leading zero", S("01"), "number with a leading zero" },
	{ "leading zero behind minus", S("-00"),
	  "number with a leading zero" },
	{ "point last", S("1."), "number ends after its point" },
	{ "point, then exponent", S("1.e5"), "number ends after its point" },
	{ "exponent without digits", S("1e"), "number without an exponent" },
	{ "exponent with sign only", S("1E-"), "number without an exponent" },
	{ "hexadecimal", S("0x10"), "text goes on after the value" },
	{ "open string", S("\"abc"), "text ends within a string" },
	{ "open string of a word", S("\"12345678"),
	  "text ends within a string" },
	{ "open behind a backslash", S("\"\\"), "text ends within a string" },
	{ "single quotes", S("'a'"), "value expected" },
	{ "unknown escape", S("\"\\x41\""), "unknown escape" },
	{ "escaped NUL octet", S("\"\\\0\""), "unknown escape" },
	{ "short \\u", S("\"\\u12"), "\\u without four hexadecimal digits" },
	{ "odd \\u", S("\"\\u12g4\""), "\\u without four hexadecimal digits" },
	{ "odd \\u, @", S("\"\\u@000\""),
	  "\\u without four hexadecimal digits" },
	{ "lone high surrogate", S("\"\\ud800\""), "lone surrogate" },
	{ "lone low surrogate", S("\"\\udfff\""), "lone surrogate" },
	{ "high surrogate, then text", S("\"\\udbffabcdef\""),
	  "lone surrogate" },
	{ "high surrogate, then escape", S("\"\\ud800\\n12345\""),
	  "lone surrogate" },
	{ "high surrogate twice", S("\"\\ud800\\ud800\""), "lone surrogate" },
	{ "high surrogate, then above", S("\"\\ud800\\ue000\""),
	  "lone surrogate" },
	{ "newline in a string", S("\"a\nb\""),
	  "control character in a string" },
	{ "NUL in a string", S("\"a\0b\""), "control character in a string" },
	{ "control at the end of a word", S("\"1234567\x1f\""),
	  "control character in a string" },
	{ "not UTF-8", S("\"\xff\""), "not UTF-8" },
	{ "overlong", S("\"\xc0\x80\""), "not UTF-8" },
	{ "raw surrogate", S("\"\xed\xa0\x80\""), "not UTF-8" },
	{ "cut by the quote", S("\"0123456789\xe2\x82\""), "not UTF-8" },
	{ "not UTF-8 behind an escape", S("\"\\n\x80\""), "not UTF-8" },
	{ "not UTF-8 in a name", S("{\"\x80\":1}"), "not UTF-8" },
	{ "open array", S("["), "text ends where a value is expected" },
	{ "open array behind a value", S("[1"),
	  "comma or closing bracket expected" },
	{ "open array behind a comma", S("[1,"),
	  "text ends where a value is expected" },
	{ "trailing comma", S("[1,]"), "value expected" },
	{ "leading comma", S("[,1]"), "value expected" },
	{ "no comma", S("[1 2]"), "comma or closing bracket expected" },
	{ "closed by the other", S("[1}"),
	  "comma or closing bracket expected" },
	{ "object closed by the other", S("{\"a\":1]"),
	  "comma or closing bracket expected" },
	{ "open object", S("{"), "member name expected" },
	{ "trailing comma in object", S("{\"a\":1,}"),
	  "member name expected" },
	{ "bare name", S("{a:1}"), "member name expected" },
	{ "number as name", S("{1:1}"), "member name expected" },
	{ "no colon", S("{\"a\" 1}"), "colon expected" },
	{ "no value", S("{\"a\":}"), "value expected" },
	{ "bad name", S("{\"\\q\":1}"), "unknown escape" },
	{ "comment", S("[1/**/]"), "comma or closing bracket expected" },
};

START_TEST(test_bad)
{
	const char *why;

	ck_assert_msg(check(bad[_i].text, &why) == ERR_PROTO, "%s",
		      bad[_i].name);
	ck_assert_msg(strcmp(why, bad[_i].why) == 0, "%s: %s", bad[_i].name,
		      why);
}
END_TEST

/* Whatever is cut off a text that ends in a bracket, it is no longer one. */
START_TEST(test_cut_anywhere)
{
	struct str all = STR("{\"a\\n\\ud83d\\ude00\":[1,-2.5e+3,true,null,"
			     "\"\xe2\x82\xac \\u00e9\",{\"b\":{}},[[]]]}");
	const char *why;

	ck_assert_int_eq(check(all, &why), 0);
	for (size_t n = 0; n < all.len; n++)
		ck_assert_msg(check((struct str){ all.p, n }, &why) ==
				      ERR_PROTO,
			      "%zu octets", n);
}
END_TEST

/* An octet that is wrong in a string, at every place of a word. */
START_TEST(test_every_offset)
{
	static const char wrong[] = { '\0', '\x1f', '\x80', '\xff' };
	const char *why;

	for (size_t at = 1; at < 24; at++) {
		for (size_t i = 0; i < sizeof(wrong); i++) {
			char text[] = "\"!#[]^~ 89abcdefghijklmno\"";

			ck_assert_int_eq(check(str_of(text), &why), 0);
			text[at] = wrong[i];
			ck_assert_int_eq(check((struct str){
						 text, sizeof(text) - 1 },
					       &why), ERR_PROTO);
		}
	}
}
END_TEST

static const struct {
	const char *name, *text;
	unsigned depth, tokens;
	int want;
} limits[] = {
	{ "scalar at depth 0", "1", 0, 1, 0 },
	{ "array at depth 0", "[]", 0, 1, ERR_LIMIT },
	{ "depth reached", "[{}]", 2, 9, 0 },
	{ "depth passed by an array", "[{\"a\":[]}]", 2, 9, ERR_LIMIT },
	{ "side by side is not deeper", "[[],[],[{}]]", 3, 9, 0 },
	{ "names count", "{\"a\":1}", 9, 2, ERR_LIMIT },
	{ "tokens reached", "{\"a\":1}", 9, 3, 0 },
	{ "array counts", "[[]]", 9, 1, ERR_LIMIT },
	{ "no token", "1", 9, 0, ERR_LIMIT },
	{ "name is one too many", "{\"a\":1,\"b\":2}", 9, 3, ERR_LIMIT },
};

START_TEST(test_limits)
{
	const char *why = "";

	ck_assert_msg(jscan_check(str_of(limits[_i].text), limits[_i].depth,
				  limits[_i].tokens, &why) == limits[_i].want,
		      "%s: %s", limits[_i].name, why);
}
END_TEST

START_TEST(test_depth_is_clamped)
{
	char text[2 * (JSCAN_DEPTH_MAX + 1)];
	struct str most = { text + 1, sizeof(text) - 2 };
	const char *why;

	memset(text, '[', sizeof(text) / 2);
	memset(text + sizeof(text) / 2, ']', sizeof(text) / 2);
	ck_assert_int_eq(jscan_check(most, UINT_MAX, UINT_MAX, &why), 0);
	ck_assert_int_eq(jscan_check((struct str){ text, sizeof(text) },
				     UINT_MAX, UINT_MAX, &why), ERR_LIMIT);
}
END_TEST

static const struct {
	const char *text;
	enum jscan_type type;
	bool escaped;
} kinds[] = {
	{ "\"a\"", JSCAN_STRING, false },
	{ "\"\\n\"", JSCAN_STRING, true },
	{ "-1.5e3", JSCAN_NUMBER, false },
	{ "true", JSCAN_TRUE, false },
	{ "false", JSCAN_FALSE, false },
	{ "null", JSCAN_NULL, false },
	{ "[\"\\n\"]", JSCAN_ARRAY, false },
	{ "{\"a\":[]}", JSCAN_OBJECT, false },
};

START_TEST(test_value)
{
	struct str text = str_of(kinds[_i].text);
	struct buf padded = { 0 };
	struct jscan_value v;
	struct jscan s;

	buf_add_lit(&padded, " ");
	buf_add_str(&padded, text);
	buf_add_lit(&padded, " x");
	jscan_init(&s, buf_str(&padded), 8, 8);
	ck_assert_int_eq(jscan_value(&v, &s), 0);
	ck_assert_int_eq(v.type, kinds[_i].type);
	ck_assert_int_eq(v.escaped, kinds[_i].escaped);
	ck_assert(str_eq(v.raw, text));
	ck_assert(!jscan_at_end(&s));
	ck_assert_int_eq(*s.p, 'x');
	buf_deinit(&padded);
}
END_TEST

START_TEST(test_walk_object)
{
	static const char *const names[] = { "a", "b\\u0063", "" };
	static const char *const values[] = { "1", "[ 2 ]", "{\"x\":{}}" };
	struct jscan_value name, value;
	struct jscan s;

	jscan_init(&s, STR(" { \"a\":1,\"b\\u0063\" : [ 2 ] "
			   ",\"\":{\"x\":{}} } "), 3, 99);
	ck_assert_int_eq(jscan_enter(&s, JSCAN_OBJECT), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ck_assert_int_eq(jscan_next(&name, &value, &s, i == 0), 1);
		ck_assert(str_eq(name.raw, str_of(names[i])));
		ck_assert_int_eq(name.escaped, i == 1);
		ck_assert(str_eq(value.raw, str_of(values[i])));
	}
	ck_assert_int_eq(jscan_next(&name, &value, &s, false), 0);
	ck_assert(jscan_at_end(&s));
	ck_assert_uint_eq(s.depth, 0);
}
END_TEST

START_TEST(test_walk_array)
{
	struct jscan_value name, value;
	struct jscan s;

	jscan_init(&s, STR("[\"a\",[]]"), 2, 99);
	ck_assert_int_eq(jscan_enter(&s, JSCAN_ARRAY), 0);
	ck_assert_int_eq(jscan_next(&name, &value, &s, true), 1);
	ck_assert(str_eq(jscan_inside(&value), STR("a")));
	ck_assert_int_eq(jscan_next(&name, &value, &s, false), 1);
	ck_assert_int_eq(value.type, JSCAN_ARRAY);
	ck_assert_int_eq(jscan_next(&name, &value, &s, false), 0);

	jscan_init(&s, STR("[ ]"), 1, 99);
	ck_assert_int_eq(jscan_enter(&s, JSCAN_ARRAY), 0);
	ck_assert_int_eq(jscan_next(&name, &value, &s, true), 0);
}
END_TEST

static const struct {
	const char *name, *text;
	enum jscan_type type;
	int entered, next;
	unsigned depth;
} walks[] = {
	{ "no object", "[]", JSCAN_OBJECT, ERR_PROTO, 0, 9 },
	{ "no array", "{}", JSCAN_ARRAY, ERR_PROTO, 0, 9 },
	{ "nothing", "", JSCAN_OBJECT, ERR_PROTO, 0, 9 },
	{ "too deep to enter", "[]", JSCAN_ARRAY, ERR_LIMIT, 0, 0 },
	{ "member too deep", "[[]]", JSCAN_ARRAY, 0, ERR_LIMIT, 1 },
	{ "leading comma", "{,\"a\":1}", JSCAN_OBJECT, 0, ERR_PROTO, 9 },
	{ "bad name", "{\"\n\":1}", JSCAN_OBJECT, 0, ERR_PROTO, 9 },
	{ "bad value", "{\"a\":.}", JSCAN_OBJECT, 0, ERR_PROTO, 9 },
	{ "ends", "{", JSCAN_OBJECT, 0, ERR_PROTO, 9 },
	{ "other bracket", "{]", JSCAN_OBJECT, 0, ERR_PROTO, 9 },
};

START_TEST(test_walk_fails)
{
	struct jscan_value name, value;
	struct jscan s;
	int err;

	jscan_init(&s, str_of(walks[_i].text), walks[_i].depth, 99);
	err = jscan_enter(&s, walks[_i].type);
	ck_assert_msg(err == walks[_i].entered, "%s", walks[_i].name);
	if (err == 0)
		ck_assert_msg(jscan_next(&name, &value, &s, true) ==
				      walks[_i].next, "%s", walks[_i].name);
	ck_assert_ptr_nonnull(s.why);
}
END_TEST

static const struct {
	const char *name;
	struct str text, want;
} escapes[] = {
	{ "none", S("plain"), S("plain") },
	{ "nothing", S(""), S("") },
	{ "named", S("\\\"\\\\\\/\\b\\f\\n\\r\\t"), S("\"\\/\b\f\n\r\t") },
	{ "among text", S("a\\nb\\tc"), S("a\nb\tc") },
	{ "one octet", S("\\u0041\\u007F"), S("A\x7f") },
	{ "NUL", S("a\\u0000b"), S("a\0b") },
	{ "two octets", S("\\u0080\\u07ff"), S("\xc2\x80\xdf\xbf") },
	{ "three octets", S("\\u0800\\uFFFF\\ud7ff"),
	  S("\xe0\xa0\x80\xef\xbf\xbf\xed\x9f\xbf") },
	{ "pair", S("\\uD83d\\uDe00"), S("\xf0\x9f\x98\x80") },
	{ "lowest pair", S("\\ud800\\udc00"), S("\xf0\x90\x80\x80") },
	{ "highest pair", S("\\udbff\\udfff"), S("\xf4\x8f\xbf\xbf") },
	{ "letters that are no escapes", S("u0041\\\\u0041"),
	  S("u0041\\u0041") },
};

START_TEST(test_unescape)
{
	struct buf out = { 0 };

	buf_add_lit(&out, "<");
	jscan_unescape(&out, escapes[_i].text);
	ck_assert_msg(str_eq(str_skip(buf_str(&out), 1), escapes[_i].want),
		      "%s", escapes[_i].name);
	buf_deinit(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *tc = tcase_create("json");

	tcase_add_loop_test(tc, test_good, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, test_bad, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, test_cut_anywhere);
	tcase_add_test(tc, test_every_offset);
	tcase_add_loop_test(tc, test_limits, 0, ARRAY_LEN(limits));
	tcase_add_test(tc, test_depth_is_clamped);
	tcase_add_loop_test(tc, test_value, 0, ARRAY_LEN(kinds));
	tcase_add_test(tc, test_walk_object);
	tcase_add_test(tc, test_walk_array);
	tcase_add_loop_test(tc, test_walk_fails, 0, ARRAY_LEN(walks));
	tcase_add_loop_test(tc, test_unescape, 0, ARRAY_LEN(escapes));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
