/*
 * Random resources from JSON to CBOR and back: equal values, and the CBOR of
 * what came back is the same octets. CBOR_RANDOM_RESOURCES=100000 for more.
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>

#include "m2m/cbor.h"
#include "m2m/codec.h"
#include "unit.h"

#define COUNT 3000

static const struct codec_conf wide = { 64, UINT32_MAX };

struct maker {
	struct buf out;
	uint64_t state;
};

/* SplitMix64: the same resource for the same number, everywhere. */
static uint64_t roll(struct maker *m, uint64_t below)
{
	uint64_t z = m->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return below == 0 ? z : z % below;
}

static void add_text(struct maker *m)
{
	static const char *const pieces[] = {
		"a", "cin_", "0", " ", "/", "\\\"", "\\\\", "\\n", "\\u0000",
		"\\u00e9", "\xc3\xa9", "\xe6\xb8\xa9", "\xf0\x9f\x8c\xa1",
		"\\ud83c\\udf21", "\\u001f", "null", "site:north", "\x7f",
	};
	uint64_t n = roll(m, 4) == 0 ? roll(m, 60) : roll(m, 6);

	buf_add_char(&m->out, '"');
	while (n-- > 0)
		buf_add_str(&m->out,
			    str_of(pieces[roll(m, ARRAY_LEN(pieces))]));
	buf_add_char(&m->out, '"');
}

/* Of any size, as int64_t holds it: the reference knows no more. */
static void add_integer(struct maker *m)
{
	buf_add_i64(&m->out, (int64_t)roll(m, 0) >> roll(m, 64));
}

/* Up to 15 digits, which a double always gives back; never whole. */
static void add_decimal(struct maker *m)
{
	uint64_t digits = roll(m, 15) + 1;
	char text[64];
	int len;

	if (roll(m, 2) == 0)
		buf_add_char(&m->out, '-');
	buf_add_u64(&m->out, roll(m, 10));
	buf_add_char(&m->out, '.');
	for (uint64_t i = 1; i < digits - 1 + (digits == 1); i++)
		buf_add_u64(&m->out, roll(m, 10));
	buf_add_u64(&m->out, roll(m, 9) + 1);
	if (roll(m, 3) != 0)
		return;
	len = snprintf(text, sizeof(text), "%s%" PRId64,
		       roll(m, 2) == 0 ? "e-" : "E-", (int64_t)roll(m, 280));
	buf_add(&m->out, text, (size_t)len);
}

/* Any double, by its shortest digits; but for those that are whole numbers
 * above what the reference takes for one. */
static void add_double(struct maker *m)
{
	uint64_t bits = roll(m, 0);
	char text[64];
	double x;

	memcpy(&x, &bits, sizeof(x));
	if (!isfinite(x) || (fabs(x) >= 0x1p63 && fabs(x) <= 0x1p64))
		x = 0.5;
	for (int i = 1; i <= 17; i++) {
		snprintf(text, sizeof(text), "%.*e", i - 1, x);
		if (strtod(text, NULL) == x)
			break;
	}
	buf_add_str(&m->out, str_of(text));
}

static void add_value(struct maker *m, unsigned depth);

static void add_container(struct maker *m, unsigned depth, bool map)
{
	uint64_t n = roll(m, 5) == 0 ? roll(m, 300 >> 2 * depth) : roll(m, 5);

	buf_add_char(&m->out, map ? '{' : '[');
	for (uint64_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(&m->out, ',');
		if (map) {
			buf_add_lit(&m->out, "\"n");
			buf_add_u64(&m->out, i);
			buf_add_lit(&m->out, "\":");
		}
		add_value(m, depth + 1);
	}
	buf_add_char(&m->out, map ? '}' : ']');
}

static void add_value(struct maker *m, unsigned depth)
{
	static const char *const plain[] = {
		"null", "\"\"", "[]", "{}", "true", "false", "0", "-0.0",
		"9223372036854775807", "-9223372036854775808",
	};
	uint64_t kind = roll(m, depth < 5 ? 9 : 6);

	if (kind < 2)
		add_text(m);
	else if (kind == 2)
		add_integer(m);
	else if (kind == 3)
		add_decimal(m);
	else if (kind == 4)
		add_double(m);
	else if (kind == 5)
		buf_add_str(&m->out, str_of(plain[roll(m, ARRAY_LEN(plain))]));
	else
		add_container(m, depth, kind != 6);
}

static void make_resource(struct maker *m)
{
	static const char *const roots[] = { "m2m:ae", "m2m:cnt", "m2m:cin",
					     "m2m:sub", "cod:tempe" };

	buf_clear(&m->out);
	buf_add_lit(&m->out, "{\"");
	buf_add_str(&m->out, str_of(roots[roll(m, ARRAY_LEN(roots))]));
	buf_add_lit(&m->out, "\":");
	add_container(m, 1, true);
	buf_add_char(&m->out, '}');
}

/* Whole numbers that were written as decimals count as whole. */
static json_t *load(struct str text)
{
	json_error_t why;
	json_t *root = json_loadb(text.p, text.len,
				  JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);

	ck_assert_msg(root != NULL, "%s", why.text);
	return root;
}

static bool equal(const json_t *a, const json_t *b)
{
	const char *name;
	json_t *value;
	size_t i;

	if (json_is_number(a) && json_is_number(b))
		return json_is_integer(a) && json_is_integer(b) ?
			       json_integer_value(a) == json_integer_value(b) :
			       json_number_value(a) == json_number_value(b);
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_object(a)) {
		json_object_foreach((json_t *)a, name, value)
			if (json_object_get(b, name) == NULL ||
			    !equal(value, json_object_get(b, name)))
				return false;
		return json_object_size(a) == json_object_size(b);
	}
	if (!json_is_array(a))
		return json_equal(a, b);
	json_array_foreach(a, i, value)
		if (json_array_get(b, i) == NULL ||
		    !equal(value, json_array_get(b, i)))
			return false;
	return json_array_size(a) == json_array_size(b);
}

/* Check takes no messages of any length. */
#define SHOWN(s) ((s).len < 1500 ? (int)(s).len : 1500), (s).p

static void check_round(struct str json)
{
	struct buf cbor = { 0 }, back = { 0 }, again = { 0 };
	const char *why = "";
	json_t *want, *got;

	ck_assert_msg(json_to_cbor(&cbor, &wide, json, &why) == 0,
		      "%s: %.*s", why, SHOWN(json));
	ck_assert_msg(cbor_to_json(&back, &wide, buf_str(&cbor), &why) == 0,
		      "%s: %.*s", why, SHOWN(json));
	want = load(json);
	got = load(buf_str(&back));
	ck_assert_msg(equal(want, got), "%.*s\n%.*s", SHOWN(json),
		      SHOWN(back));
	ck_assert_int_eq(json_to_cbor(&again, &wide, buf_str(&back), &why), 0);
	ck_assert(str_eq(buf_str(&cbor), buf_str(&again)));
	json_decref(want);
	json_decref(got);
	buf_deinit(&cbor);
	buf_deinit(&back);
	buf_deinit(&again);
}

START_TEST(test_random)
{
	const char *wanted = getenv("CBOR_RANDOM_RESOURCES");
	unsigned long count = wanted != NULL ? strtoul(wanted, NULL, 10) :
					       COUNT;
	struct maker m = { 0 };

	for (unsigned long i = 0; i < count; i++) {
		m.state = i;
		make_resource(&m);
		check_round(buf_str(&m.out));
	}
	buf_deinit(&m.out);
}
END_TEST

/* They mean different things to an UPDATE. */
START_TEST(test_empties)
{
	static const struct str json = STR_INIT(
		"{\"m2m:cnt\":{\"a\":null,\"b\":\"\",\"c\":[],\"d\":{},"
		"\"e\":false,\"f\":0,\"g\":[null],\"h\":[\"\"],\"i\":[[]]}}");
	struct buf cbor = { 0 }, back = { 0 };
	const char *why;

	ck_assert_int_eq(json_to_cbor(&cbor, &wide, json, &why), 0);
	ck_assert_int_eq(cbor_to_json(&back, &wide, buf_str(&cbor), &why), 0);
	ck_assert(str_eq(buf_str(&back), json));
	buf_deinit(&cbor);
	buf_deinit(&back);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cbor_random");
	TCase *tc = tcase_create("cbor_random");

	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, test_random);
	tcase_add_test(tc, test_empties);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
