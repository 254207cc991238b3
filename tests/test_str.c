#include "unit.h"

#include "base/utf8.h"

#define S(literal) STR_INIT(literal)

static const struct {
	const char *name;
	struct str in, head, tail;
	bool found;
} cuts[] = {
	{ "in the middle", S("a,b"), S("a"), S("b"), true },
	{ "first place counts", S("a,b,c"), S("a"), S("b,c"), true },
	{ "at the start", S(",b"), S(""), S("b"), true },
	{ "at the end", S("a,"), S("a"), S(""), true },
	{ "absent", S("ab"), S("ab"), S(""), false },
	{ "empty", S(""), S(""), S(""), false },
};

START_TEST(test_cut)
{
	struct str head, tail;
	bool found = str_cut(cuts[_i].in, ',', &head, &tail);

	ck_assert_msg(found == cuts[_i].found, "%s", cuts[_i].name);
	ck_assert_msg(str_eq(head, cuts[_i].head), "%s", cuts[_i].name);
	ck_assert_msg(str_eq(tail, cuts[_i].tail), "%s", cuts[_i].name);
}
END_TEST

static const struct {
	const char *list;
	const char *words;		/* with a bar behind each */
} lists[] = {
	{ "", "" },
	{ " ,\t", "" },
	{ "a", "a|" },
	{ "a b,c\td", "a|b|c|d|" },
	{ ", /a.pem ,, /b.pem ", "/a.pem|/b.pem|" },
};

START_TEST(test_word)
{
	struct str rest = str_of(lists[_i].list), one;
	struct buf words = { 0 };

	while (str_word(&one, &rest)) {
		buf_add_str(&words, one);
		buf_add_char(&words, '|');
	}
	ck_assert_msg(str_eq(buf_str(&words), str_of(lists[_i].words)), "%s",
		      lists[_i].list);
	buf_deinit(&words);
}
END_TEST

START_TEST(test_compare)
{
	ck_assert(str_eq(STR("aB"), STR("aB")));
	ck_assert(!str_eq(STR("aB"), STR("ab")));
	ck_assert(!str_eq(STR("a"), STR("ab")));
	ck_assert(str_ieq(STR("aBz"), STR("AbZ")));
	ck_assert(!str_ieq(STR("@["), STR("`{")));	/* not letters */
	ck_assert(!str_ieq(STR("a"), STR("ab")));
	ck_assert(str_starts(STR("abc"), STR("ab")));
	ck_assert(!str_starts(STR("a"), STR("ab")));
	ck_assert(str_istarts(STR("ABc"), STR("ab")));
	ck_assert(!str_istarts(STR("xbc"), STR("ab")));
	ck_assert(str_eq(str_trim(STR(" \t a b\t ")), STR("a b")));
	ck_assert(str_eq(str_trim(STR(" \t")), STR("")));
	ck_assert(str_eq(str_skip(STR("abc"), 1), STR("bc")));
	ck_assert(str_skip(STR("abc"), 4).len == 0);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	uint64_t value;
} numbers[] = {
	{ "0", true, 0 },
	{ "007", true, 7 },
	{ "18446744073709551615", true, UINT64_MAX },
	{ "18446744073709551616", false, 0 },
	{ "99999999999999999999", false, 0 },
	{ "", false, 0 },
	{ "-1", false, 0 },
	{ "1x", false, 0 },
	{ " 1", false, 0 },
};

START_TEST(test_number)
{
	uint64_t n = 42;
	bool ok = str_to_u64(&n, str_of(numbers[_i].text));

	ck_assert_msg(ok == numbers[_i].ok, "%s", numbers[_i].text);
	ck_assert_uint_eq(n, ok ? numbers[_i].value : 42);
}
END_TEST

START_TEST(test_buf)
{
	struct buf b = { 0 };

	buf_add_lit(&b, "n=");
	buf_add_u64(&b, UINT64_MAX);
	buf_add_char(&b, ' ');
	buf_add_i64(&b, INT64_MIN);
	ck_assert(str_eq(buf_str(&b), STR("n=18446744073709551615 "
					  "-9223372036854775808")));
	buf_consume(&b, 2);
	ck_assert(str_starts(buf_str(&b), STR("1844")));
	buf_consume(&b, b.len);
	ck_assert_uint_eq(b.len, 0);
	for (int i = 0; i < 1000; i++)
		buf_add_u64(&b, (uint64_t)i);
	ck_assert_uint_eq(b.len, 10 + 90 * 2 + 900 * 3);
	buf_deinit(&b);
	ck_assert_ptr_null(b.p);
}
END_TEST

START_TEST(test_buf_fails_once)
{
	struct buf b = { 0 };

	buf_add_lit(&b, "kept");
	ck_assert(!buf_reserve(&b, SIZE_MAX - 8));
	ck_assert(b.failed);
	buf_add_lit(&b, "ignored");
	ck_assert(str_eq(buf_str(&b), STR("kept")));
	buf_clear(&b);
	ck_assert(!b.failed);
	buf_deinit(&b);
}
END_TEST

START_TEST(test_json_text)
{
	struct buf b = { 0 };

	buf_add_json(&b, (struct str){ NULL, 0 });
	ck_assert(str_eq(buf_str(&b), STR("\"\"")));
	buf_clear(&b);
	buf_add_json(&b, STR("a\"b\\c\b\t\n\f\r\v\x01\x1f\x7f\xc3\xa9/"));
	ck_assert(str_eq(buf_str(&b),
			 STR("\"a\\\"b\\\\c\\b\\t\\n\\f\\r\\u000b\\u0001"
			     "\\u001f\x7f\xc3\xa9/\"")));
	buf_deinit(&b);
}
END_TEST

START_TEST(test_percent)
{
	static const bool keep[256] = { ['a'] = true };
	struct buf b = { 0 };

	buf_add_percent(&b, STR("a/a\xff"), keep);
	ck_assert(str_eq(buf_str(&b), STR("a%2Fa%FF")));
	buf_deinit(&b);
}
END_TEST

static const struct {
	const char *name;
	struct str text;
	bool valid;
} texts[] = {
	{ "ASCII", S("plain text, longer than eight"), true },
	{ "two octets", S("\xc2\x80\xdf\xbf"), true },
	{ "three octets", S("\xe0\xa0\x80\xef\xbf\xbf"), true },
	{ "four octets", S("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), true },
	{ "before and after surrogates", S("\xed\x9f\xbf\xee\x80\x80"), true },
	{ "NUL is a character", S("a\0b"), true },
	{ "overlong two", S("\xc0\x80"), false },
	{ "overlong two, c1", S("\xc1\xbf"), false },
	{ "overlong three", S("\xe0\x9f\xbf"), false },
	{ "overlong four", S("\xf0\x8f\xbf\xbf"), false },
	{ "surrogate", S("\xed\xa0\x80"), false },
	{ "above U+10FFFF", S("\xf4\x90\x80\x80"), false },
	{ "f5", S("\xf5\x80\x80\x80"), false },
	{ "lone continuation", S("abcdefgh\x80"), false },
	{ "cut off", S("abc\xe2\x82"), false },
	{ "continuation missing", S("\xe2\x82z"), false },
};

START_TEST(test_utf8)
{
	struct str t = texts[_i].text;
	struct utf8 u = { 0 };
	bool ok = true;

	ck_assert_msg(utf8_valid(t) == texts[_i].valid, "%s", texts[_i].name);
	for (size_t i = 0; i < t.len && ok; i++)
		ok = utf8_feed(&u, (struct str){ t.p + i, 1 });
	ck_assert_msg((ok && utf8_done(&u)) == texts[_i].valid,
		      "%s, octet by octet", texts[_i].name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("str");
	TCase *tc = tcase_create("str");

	tcase_add_loop_test(tc, test_cut, 0, ARRAY_LEN(cuts));
	tcase_add_loop_test(tc, test_word, 0, ARRAY_LEN(lists));
	tcase_add_test(tc, test_compare);
	tcase_add_loop_test(tc, test_number, 0, ARRAY_LEN(numbers));
	tcase_add_test(tc, test_buf);
	tcase_add_test(tc, test_buf_fails_once);
	tcase_add_test(tc, test_json_text);
	tcase_add_test(tc, test_percent);
	tcase_add_loop_test(tc, test_utf8, 0, ARRAY_LEN(texts));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
