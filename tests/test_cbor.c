#include "hex.h"
#include "m2m/cbor.h"
#include "m2m/codec.h"

static const struct codec_conf limits = { .max_depth = 6, .max_tokens = 60 };

/* Values that are the same both ways: written so, and read so. */
static const struct {
	const char *json;
	const char *cbor;
} same[] = {
	/* RFC 8949, appendix A */
	{ "0", "00" },
	{ "23", "17" },
	{ "24", "1818" },
	{ "255", "18ff" },
	{ "256", "190100" },
	{ "1000000", "1a000f4240" },
	{ "1000000000000", "1b000000e8d4a51000" },
	{ "18446744073709551615", "1bffffffffffffffff" },
	{ "-1", "20" },
	{ "-1000", "3903e7" },
	{ "-9223372036854775808", "3b7fffffffffffffff" },
	{ "1.5", "f93e00" },
	{ "1.1", "fb3ff199999999999a" },
	{ "-4.1", "fbc010666666666666" },
	{ "1e+300", "fb7e37e43c8800759c" },
	{ "6.103515625e-05", "f90400" },
	{ "5.960464477539063e-08", "f90001" },
	{ "4.235164736271502e-22", "fa1c000000" },
	{ "6.189700196426902e+26", "fa6c000000" },
	{ "9.055679078826712e-72", "fb3130000000000000" },
	{ "3.4028234663852886e+38", "fa7f7fffff" },
	{ "false", "f4" },
	{ "true", "f5" },
	{ "null", "f6" },
	{ "\"\"", "60" },
	{ "\"IETF\"", "6449455446" },
	{ "\"\xc3\xbc\"", "62c3bc" },
	{ "\"\xf0\x90\x85\x91\"", "64f0908591" },
	{ "[]", "80" },
	{ "[1,[2,3],[4,5]]", "8301820203820405" },
	{ "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]",
	  "98190102030405060708090a0b0c0d0e0f101112131415161718181819" },
	{ "{}", "a0" },
	{ "{\"a\":1,\"b\":[2,3]}", "a26161016162820203" },
	/* floats: the shortest that is the same double */
	{ "0.1", "fb3fb999999999999a" },
	{ "0.10000000149011612", "fa3dcccccd" },
	{ "0.25", "f93400" },
	{ "1e-05", "fb3ee4f8b588e368f1" },
	{ "5e-324", "fb0000000000000001" },
	{ "2.2250738585072014e-308", "fb0010000000000000" },
	{ "1.7976931348623157e+308", "fb7fefffffffffffff" },
	{ "1.401298464324817e-45", "fa00000001" },
	{ "3.0517578125e-05", "f90200" },
	{ "65504.5", "fa477fe080" },
	{ "-0", "f98000" },
	{ "1e+20", "fb4415af1d78b58c40" },
	{ "-1e+19", "fbc3e158e460913d00" },
	/* what is told apart: oneM2M deletes by null */
	{ "{\"lbl\":null,\"dsp\":\"\",\"poa\":[]}",
	  "a3636c626cf66364737060" "63706f6180" },
	{ "\"\\\"\\\\\\b\\t\\n\\u000b\\f\\r\\u0000\\u001f/\x7f\"",
	  "6c225c08090a0b0c0d001f2f7f" },
};

/* JSON that comes back in another form of the same value. */
static const struct {
	const char *json;
	const char *cbor;
	const char *back;
} written[] = {
	{ " [ 1 , { \"a\" : 2 } ]\r\n\t", "8201a1616102", "[1,{\"a\":2}]" },
	{ "1.10", "fb3ff199999999999a", "1.1" },
	{ "11e-1", "fb3ff199999999999a", "1.1" },
	{ "3.0", "03", "3" },
	{ "1E2", "1864", "100" },
	{ "100e-2", "01", "1" },
	{ "1e19", "1b8ac7230489e80000", "10000000000000000000" },
	{ "0.0", "00", "0" },
	{ "0e999999999999", "00", "0" },
	{ "-0.00", "f98000", "-0" },
	{ "100000000000000000000000", "fb44b52d02c7e14af6", "1e+23" },
	{ "0.000000000000000000000000000001", "fb39b4484bfeebc2a0", "1e-30" },
	{ "\"\\u00fc\\/\\ud800\\udd51\"", "67c3bc2ff0908591",
	  "\"\xc3\xbc/\xf0\x90\x85\x91\"" },
	{ "{\"\\u0061\":1}", "a1616101", "{\"a\":1}" },
};

/* CBOR that others may write, and its JSON. */
static const struct {
	const char *name;
	const char *cbor;
	const char *json;
} reads[] = {
	{ "long heads", "1b0000000000000001", "1" },
	{ "long head of text", "7800", "\"\"" },
	{ "endless array", "9f018202039f0405ffff", "[1,[2,3],[4,5]]" },
	{ "endless and empty", "9fff", "[]" },
	{ "endless map", "bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}" },
	{ "endless text", "7f657374726561646d696e67ff", "\"streaming\"" },
	{ "endless, no pieces", "7fff", "\"\"" },
	{ "long pieces", "7f7801617900016260ff", "\"ab\"" },
	{ "endless name", "a17f6161ff01", "{\"a\":1}" },
	{ "escapes in pieces", "7f61226109ff", "\"\\\"\\t\"" },
	{ "bytes as text", "4449455446", "\"IETF\"" },
	{ "bytes as name", "a1416101", "{\"a\":1}" },
	{ "endless bytes", "5f42c3bc4161ff", "\"\xc3\xbc" "a\"" },
	{ "a whole float", "f94400", "4" },
	{ "a large whole float", "fb43e0000000000000", "9223372036854775808" },
	{ "the largest such", "fb43efffffffffffff", "18446744073709549568" },
	{ "2^64 as float", "fb43f0000000000000", "1.8446744073709552e+19" },
	{ "a million as float", "fa49742400", "1000000" },
	{ "1e15 as float", "fb430c6bf526340000", "1000000000000000" },
	{ "single 0.1", "fa3dcccccd", "0.10000000149011612" },
	{ "this is CBOR", "d9d9f7a0", "{}" },
	{ "a date", "c074323031332d30332d32315432303a30343a30305a",
	  "\"2013-03-21T20:04:00Z\"" },
	{ "an epoch time", "c11a514b67b0", "1363896240" },
	{ "a URI in a map", "a16161d82063623a63", "{\"a\":\"b:c\"}" },
	{ "tags upon tags", "d9d9f7d9d9f701", "1" },
};

static const struct {
	const char *name;
	const char *cbor;
	int err;
	const char *why;
} refused[] = {
	{ "nothing", "", ERR_PROTO, "CBOR is cut off" },
	{ "half a head", "19 03", ERR_PROTO, "CBOR is cut off" },
	{ "half a text", "63 6161", ERR_PROTO, "CBOR is cut off" },
	{ "2^63 octets", "7b8000000000000000 61", ERR_PROTO,
	  "CBOR is cut off" },
	{ "2^64-1 octets", "5bffffffffffffffff 61", ERR_PROTO,
	  "CBOR is cut off" },
	{ "2^64-1 elements", "9bffffffffffffffff", ERR_PROTO,
	  "CBOR is cut off" },
	{ "2^63 pairs", "bb8000000000000000", ERR_PROTO, "CBOR is cut off" },
	{ "2^32 elements", "9affffffff 01", ERR_PROTO, "CBOR is cut off" },
	{ "a missing element", "8201", ERR_PROTO, "CBOR is cut off" },
	{ "a missing value", "a16161", ERR_PROTO, "CBOR is cut off" },
	{ "no break", "9f01", ERR_PROTO, "CBOR is cut off" },
	{ "octets behind", "0000", ERR_PROTO, "octets follow" },
	{ "break", "ff", ERR_PROTO, "undefined or misplaced" },
	{ "break in a definite array", "81ff", ERR_PROTO,
	  "undefined or misplaced" },
	{ "break for a value", "bf6161ff", ERR_PROTO,
	  "undefined or misplaced" },
	{ "undefined", "f7", ERR_PROTO, "undefined or misplaced" },
	{ "simple value", "f0", ERR_PROTO, "not valid CBOR" },
	{ "simple value 255", "f8ff", ERR_PROTO, "not valid CBOR" },
	{ "reserved head", "1c", ERR_PROTO, "not valid CBOR" },
	{ "endless number", "1f", ERR_PROTO, "not valid CBOR" },
	{ "endless tag", "df00", ERR_PROTO, "not valid CBOR" },
	{ "not UTF-8", "61ff", ERR_PROTO, "text is not UTF-8" },
	{ "surrogate", "63eda080", ERR_PROTO, "text is not UTF-8" },
	{ "bytes that are no text", "42c328", ERR_PROTO, "text is not UTF-8" },
	{ "a character in two pieces", "7f61c361bcff", ERR_PROTO,
	  "text is not UTF-8" },
	{ "bytes in an endless text", "7f4161ff", ERR_PROTO,
	  "wrong piece of a string" },
	{ "a number in it", "7f01ff", ERR_PROTO, "wrong piece of a string" },
	{ "an endless text in it", "7f7f6161ffff", ERR_PROTO,
	  "wrong piece of a string" },
	{ "a tag in it", "7fd9d9f76161ff", ERR_PROTO,
	  "wrong piece of a string" },
	{ "NaN", "f97e00", ERR_PROTO, "number is not finite" },
	{ "infinity", "fa7f800000", ERR_PROTO, "number is not finite" },
	{ "-infinity", "fbfff0000000000000", ERR_PROTO,
	  "number is not finite" },
	{ "-2^64", "3bffffffffffffffff", ERR_PROTO, "integer above 64 bits" },
	{ "bignum", "c249010000000000000000", ERR_PROTO,
	  "integer above 64 bits" },
	{ "negative bignum", "c349010000000000000000", ERR_PROTO,
	  "integer above 64 bits" },
	{ "decimal fraction", "c48221196ab3", ERR_PROTO, "unknown tag" },
	{ "base64 to be", "d64161", ERR_PROTO, "unknown tag" },
	{ "tag without a value", "9fc0ff", ERR_PROTO, "tag without a value" },
	{ "tag at the end", "c0", ERR_PROTO, "CBOR is cut off" },
	{ "a number as name", "a10102", ERR_PROTO, "a name is not text" },
	{ "null as name", "a1f602", ERR_PROTO, "a name is not text" },
	{ "an array as name", "a1806161", ERR_PROTO, "a name is not text" },
	{ "too deep", "81818181818180", ERR_LIMIT, "nested too deeply" },
};

static const struct {
	const char *name;
	const char *json;
} uncarried[] = {
	{ "2^70", "1180591620717411303424" },
	{ "2^64", "18446744073709551616" },
	{ "below -2^63", "-9223372036854775809" },
	{ "thirty digits", "0.123456789012345678901234567890" },
	{ "a digit too many", "0.10000000000000001" },
	{ "too large", "1e400" },
	{ "too small", "1e-400" },
	{ "half of the smallest", "2e-324" },
	{ "not the shortest of the smallest", "4e-324" },
	{ "an endless exponent", "1e99999999999999999999" },
	{ "an endless negative exponent", "-1e-99999999999999999999" },
	{ "deep inside", "{\"a\":[1,{\"b\":1e400}]}" },
};

static void check_json(const char *cbor, const char *json, const char *name)
{
	struct buf in = { 0 }, out = { 0 };
	const char *why = "";

	hex_add(&in, cbor);
	ck_assert_msg(cbor_to_json(&out, &limits, buf_str(&in), &why) == 0,
		      "%s: %s", name, why);
	ck_assert_msg(str_eq(buf_str(&out), str_of(json)),
		      "%s: %.*s, not %s", name, (int)out.len, out.p, json);
	ck_assert_int_eq(cbor_check(&limits, buf_str(&in), &why), 0);
	buf_deinit(&in);
	buf_deinit(&out);
}

static void check_cbor(const char *json, const char *cbor)
{
	struct buf out = { 0 };
	const char *why = "";

	ck_assert_msg(json_to_cbor(&out, &limits, str_of(json), &why) == 0,
		      "%s: %s", json, why);
	hex_check(buf_str(&out), cbor, json);
	buf_deinit(&out);
}

START_TEST(test_same)
{
	check_json(same[_i].cbor, same[_i].json, same[_i].json);
	check_cbor(same[_i].json, same[_i].cbor);
}
END_TEST

START_TEST(test_written)
{
	check_cbor(written[_i].json, written[_i].cbor);
	check_json(written[_i].cbor, written[_i].back, written[_i].json);
}
END_TEST

START_TEST(test_read)
{
	check_json(reads[_i].cbor, reads[_i].json, reads[_i].name);
}
END_TEST

/* Refused, and nothing is left of the attempt. */
START_TEST(test_refused)
{
	struct buf in = { 0 }, out = { 0 };
	const char *why = "";

	hex_add(&in, refused[_i].cbor);
	buf_add_char(&out, '#');
	ck_assert_msg(cbor_to_json(&out, &limits, buf_str(&in), &why) ==
			      refused[_i].err, "%s", refused[_i].name);
	ck_assert_str_eq(why, refused[_i].why);
	ck_assert_uint_eq(out.len, 1);
	why = "";
	ck_assert_int_eq(cbor_check(&limits, buf_str(&in), &why),
			 refused[_i].err);
	ck_assert_str_eq(why, refused[_i].why);
	buf_deinit(&in);
	buf_deinit(&out);
}
END_TEST

START_TEST(test_uncarried)
{
	struct buf out = { 0 };
	const char *why = "";

	buf_add_char(&out, '#');
	ck_assert_msg(json_to_cbor(&out, &limits, str_of(uncarried[_i].json),
				   &why) == ERR_PROTO, "%s", uncarried[_i].name);
	ck_assert_str_eq(why, "a number that cannot be carried exactly");
	ck_assert_uint_eq(out.len, 1);
	buf_deinit(&out);
}
END_TEST

START_TEST(test_json_is_checked)
{
	struct buf out = { 0 };
	const char *why = NULL;

	ck_assert_int_eq(json_to_cbor(&out, &limits, STR("[1,"), &why),
			 ERR_PROTO);
	ck_assert_ptr_nonnull(why);
	ck_assert_int_eq(json_to_cbor(&out, &limits, STR("[[[[[[[]]]]]]]"),
				      &why), ERR_LIMIT);
	ck_assert_uint_eq(out.len, 0);
	buf_deinit(&out);
}
END_TEST

/* Values, names, tags and pieces all count. */
START_TEST(test_tokens)
{
	static const struct codec_conf few = { .max_depth = 6,
					       .max_tokens = 4 };
	static const char *const rows[] = {
		"8400000000", "a2616100616201", "d9d9f7d9d9f7d9d9f7d9d9f700",
		"7f6060606060ff",
	};
	const char *why = "";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf in = { 0 };

		hex_add(&in, rows[i]);
		ck_assert_int_eq(cbor_check(&few, buf_str(&in), &why),
				 ERR_LIMIT);
		ck_assert_str_eq(why, "too many values");
		buf_deinit(&in);
	}
}
END_TEST

/* An array of n items of one octet; each becomes `false` and a comma. */
static int grow(struct buf *out, size_t n)
{
	static const struct codec_conf wide = { 64, UINT32_MAX };
	struct buf in = { 0 };
	const char *why = "";
	int err;

	hex_add(&in, "9f");
	for (size_t i = 0; i < n; i++)
		buf_add_char(&in, '\xf4');
	hex_add(&in, "ff");
	err = cbor_to_json(out, &wide, buf_str(&in), &why);
	ck_assert(err == 0 || strcmp(why, "grows too much as JSON") == 0);
	ck_assert_uint_le(out->cap, CBOR_GROWTH * in.len + CBOR_SPARE);
	buf_deinit(&in);
	return err;
}

START_TEST(test_growth)
{
	struct buf out = { 0 };

	ck_assert_int_eq(grow(&out, CBOR_SPARE / 2), 0);
	ck_assert_uint_eq(out.len, CBOR_SPARE / 2 * 6 + 1);
	buf_deinit(&out);
	ck_assert_int_eq(grow(&out, CBOR_SPARE), ERR_LIMIT);
	ck_assert_uint_eq(out.len, 0);
	/* what memory there is already changes nothing */
	buf_reserve(&out, 10 * CBOR_SPARE);
	out.cap = CBOR_GROWTH * CBOR_SPARE;
	ck_assert_int_eq(grow(&out, CBOR_SPARE), ERR_LIMIT);
	buf_deinit(&out);
}
END_TEST

/* Text that is all escapes takes six octets for one. */
START_TEST(test_growth_of_text)
{
	static const struct codec_conf wide = { 64, UINT32_MAX };
	static const size_t sizes[] = { CBOR_SPARE / 2, CBOR_SPARE };
	const char *why = "";

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct buf in = { 0 }, out = { 0 };
		int err;

		hex_add(&in, "7a");
		for (int shift = 24; shift >= 0; shift -= 8)
			buf_add_char(&in, (char)(sizes[i] >> shift));
		for (size_t n = 0; n < sizes[i]; n++)
			buf_add_char(&in, 1);
		err = cbor_to_json(&out, &wide, buf_str(&in), &why);
		ck_assert_int_eq(err, i == 0 ? 0 : ERR_LIMIT);
		ck_assert_uint_le(out.cap, CBOR_GROWTH * in.len + CBOR_SPARE);
		ck_assert_uint_eq(out.len, i == 0 ? 6 * sizes[i] + 2 : 0);
		buf_deinit(&in);
		buf_deinit(&out);
	}
}
END_TEST

/* All that needs more octets than JSON had. */
START_TEST(test_room)
{
	static const struct codec_conf wide = { 64, UINT32_MAX };
	static const char *const items[] = {
		"9e9", "1e9", "0.1", "1e-9", "0", "\"\"", "[]", "{}", "-1e9",
	};
	const char *why = "";

	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		struct buf in = { 0 }, out = { 0 };

		buf_add_char(&in, '[');
		for (unsigned n = 0; n < 70000; n++) {
			if (n > 0)
				buf_add_char(&in, ',');
			buf_add_str(&in, str_of(items[i]));
		}
		buf_add_char(&in, ']');
		ck_assert_int_eq(json_to_cbor(&out, &wide, buf_str(&in), &why),
				 0);
		ck_assert_uint_le(out.cap, in.len / 4 * 9 + 32);
		buf_deinit(&in);
		buf_deinit(&out);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cbor");
	TCase *tc = tcase_create("cbor");

	tcase_add_loop_test(tc, test_same, 0, ARRAY_LEN(same));
	tcase_add_loop_test(tc, test_written, 0, ARRAY_LEN(written));
	tcase_add_loop_test(tc, test_read, 0, ARRAY_LEN(reads));
	tcase_add_loop_test(tc, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, test_uncarried, 0, ARRAY_LEN(uncarried));
	tcase_add_test(tc, test_json_is_checked);
	tcase_add_test(tc, test_tokens);
	tcase_add_test(tc, test_growth);
	tcase_add_test(tc, test_growth_of_text);
	tcase_add_test(tc, test_room);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
