#include "unit.h"

#include "m2m/xml.h"
#include "xml_read_rows.h"
#include "xml_rows.h"
#include "xml_write_rows.h"

static const struct codec_conf limits = { .max_depth = 9, .max_tokens = 200 };

static void check_text(const struct buf *got, const char *want,
		       const char *name)
{
	ck_assert(!got->failed);
	ck_assert_msg(str_eq(str_skip(buf_str(got), 1), str_of(want)),
		      "%s: %.*s", name, (int)got->len, got->p);
}

/* want NULL: it is refused with err, and out is as it was. */
static void check_read(const char *xml, enum op op, const char *want, int err,
		       const char *name)
{
	struct buf out = { 0 };
	const char *why = NULL;
	int got;

	buf_add_lit(&out, "x");		/* it appends */
	got = xml_to_json(&out, &limits, op, str_of(xml), &why);
	ck_assert_msg(got == err, "%s: %d %s", name, got, why);
	ck_assert(err == 0 || why != NULL);
	check_text(&out, want != NULL ? want : "", name);
	buf_deinit(&out);
}

static void check_written(const char *json, const char *want, int err,
			  const char *name)
{
	struct buf out = { 0 };
	const char *why = NULL;
	int got;

	buf_add_lit(&out, "x");
	got = json_to_xml(&out, &limits, str_of(json), &why);
	ck_assert_msg(got == err, "%s: %d %s", name, got, why);
	ck_assert(err == 0 || why != NULL);
	check_text(&out, want != NULL ? want : "", name);
	buf_deinit(&out);
}

/* What is written is read as the same again. */
static void check_back(const char *json, const char *want, const char *name)
{
	struct buf xml = { 0 };
	const char *why;

	ck_assert_int_eq(json_to_xml(&xml, &limits, str_of(json), &why), 0);
	buf_add_char(&xml, '\0');
	check_read(xml.p, OP_NONE, want, 0, name);
	buf_deinit(&xml);
}

START_TEST(test_same)
{
	if (same[_i].xml != NULL) {
		check_written(same[_i].json, same[_i].xml, 0, same[_i].name);
		check_read(same[_i].xml, OP_NONE, same[_i].json, 0,
			   same[_i].name);
	} else {
		check_back(same[_i].json,
			   "{\"m2m:aeA\":{\"lbl\":[\"5\"],\"lnk\":\"/in/7\","
			   "\"rr\":true}}", same[_i].name);
	}
}
END_TEST

START_TEST(test_read)
{
	check_read(reads[_i].xml, reads[_i].op, reads[_i].json, reads[_i].err,
		   reads[_i].name);
}
END_TEST

START_TEST(test_write)
{
	check_written(writes[_i].json, writes[_i].xml, writes[_i].err,
		      writes[_i].name);
	if (writes[_i].err == 0)
		check_back(writes[_i].json, writes[_i].back != NULL ?
			   writes[_i].back : writes[_i].json, writes[_i].name);
}
END_TEST

START_TEST(test_nothing)
{
	check_written(" {} ", "", 0, "an empty object");
}
END_TEST

/* unit repeated n times between head and tail */
static void repeat(struct buf *out, const char *head, const char *unit,
		   unsigned n, const char *tail)
{
	buf_clear(out);
	buf_add_str(out, str_of(head));
	for (unsigned i = 0; i < n; i++)
		buf_add_str(out, str_of(unit));
	buf_add_str(out, str_of(tail));
}

START_TEST(test_limits)
{
	const struct codec_conf wide = { 64, 1000000 };
	struct buf text = { 0 }, out = { 0 };
	const char *why = NULL;

	repeat(&text, "<ae><poa>", "a ", 250, "</poa></ae>");
	ck_assert_int_eq(xml_to_json(&out, &limits, OP_NONE, buf_str(&text),
				     &why), ERR_LIMIT);
	repeat(&text, "<a>", "<b/>", 250, "</a>");
	ck_assert_int_eq(xml_check(&limits, buf_str(&text), &why), ERR_LIMIT);
	ck_assert_int_eq(xml_check(&wide, buf_str(&text), &why), 0);

	/* a name of 1000 letters, once in JSON, twice 9000 times in XML */
	repeat(&text, "{\"ae\":{\"", "z", 1000, "\":[\"a b\"");
	for (unsigned i = 0; i < 9000; i++)
		buf_add_lit(&text, ",\"a b\"");
	buf_add_lit(&text, "]}}");
	ck_assert_int_eq(json_to_xml(&out, &wide, buf_str(&text), &why),
			 ERR_LIMIT);
	ck_assert_str_eq(why, "grows too much");
	ck_assert_uint_le(out.cap, XML_GROWTH * text.len + XML_SPARE);
	buf_deinit(&text);
	buf_deinit(&out);
}
END_TEST

/* Names that no table knows cost a comparison each. */
START_TEST(test_unknown_names)
{
	const struct codec_conf wide = { 64, 1000000 };
	struct buf text = { 0 }, out = { 0 };
	const char *why = NULL;

	for (unsigned n = 128; n <= 129; n++) {
		buf_clear(&text);
		buf_add_lit(&text, "<ae>");
		for (unsigned i = 0; i < 2 * n; i++) {
			buf_add_lit(&text, "<z");
			buf_add_u64(&text, i % n);
			buf_add_lit(&text, "/>");
		}
		buf_add_lit(&text, "</ae>");
		ck_assert_int_eq(xml_to_json(&out, &wide, OP_NONE,
					     buf_str(&text), &why),
				 n == 128 ? 0 : ERR_LIMIT);
	}
	buf_deinit(&text);
	buf_deinit(&out);
}
END_TEST

/* What expat would take for UTF-16, whatever it is told: each is well-formed
 * then. Copied, so that a look behind the end is seen. */
static const struct {
	const char *name, *octets;
	size_t len;
} wide_texts[] = {
	{ "little endian", "<\0a\0/\0>\0", 8 },
	{ "big endian", "\0<\0a\0/\0>", 8 },
	{ "little endian, marked", "\xff\xfe<\0a\0/\0>\0", 10 },
	{ "big endian, marked", "\xfe\xff\0<\0a\0/\0>", 10 },
	{ "with attributes", "<\0a\0 \0b\0=\0'\0'\0/\0>\0", 18 },
	{ "as it was found", "<\0qQ\n\n\n\x8a>\0\n", 11 },
	{ "a NUL in text", "<a>\0</a>", 8 },
	{ "behind all", "<a/>\0", 5 },
};

START_TEST(test_wide_text)
{
	size_t len = wide_texts[_i].len;
	char *copy = malloc(len);
	struct str text = { copy, len };
	struct buf out = { 0 };
	const char *why = NULL;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, wide_texts[_i].octets, len);
	ck_assert_int_eq(xml_check(&limits, text, &why), ERR_PROTO);
	ck_assert_ptr_nonnull(why);
	ck_assert_int_eq(xml_to_json(&out, &limits, OP_NONE, text, &why),
			 ERR_PROTO);
	free(copy);
	buf_deinit(&out);
}
END_TEST

/* All that the text can hold are start tags, which none closes. */
START_TEST(test_starts_only)
{
	struct buf text = { 0 };
	const char *why = NULL;

	for (unsigned n = 1; n <= 64; n++) {
		buf_clear(&text);
		for (unsigned i = 0; i < n; i++)
			buf_add_lit(&text, "<a>");
		ck_assert_int_ne(xml_check(&limits, buf_str(&text), &why), 0);
	}
	buf_deinit(&text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xml");
	TCase *tc = tcase_create("xml");

	tcase_add_loop_test(tc, test_same, 0, ARRAY_LEN(same));
	tcase_add_loop_test(tc, test_read, 0, ARRAY_LEN(reads));
	tcase_add_loop_test(tc, test_write, 0, ARRAY_LEN(writes));
	tcase_add_test(tc, test_nothing);
	tcase_add_test(tc, test_limits);
	tcase_add_test(tc, test_unknown_names);
	tcase_add_test(tc, test_starts_only);
	tcase_add_loop_test(tc, test_wide_text, 0, ARRAY_LEN(wide_texts));
	suite_add_tcase(s, tc);
	return unit_run(s);
}
