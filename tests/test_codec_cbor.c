#include "hex.h"

#include "example_messages.h"
#include "m2m/codec.h"
#include "m2m/transcode.h"

static const struct codec_conf limits = { .max_depth = 16,
					  .max_tokens = 200 };

static int decode_hex(struct prim *p, struct buf *message, const char **why,
		      const char *hex)
{
	buf_clear(message);
	hex_add(message, hex);
	*why = NULL;
	return codec_cbor.decode(p, why, &limits, buf_str(message));
}

static void check_json(const struct prim *p, const char *want,
		       const char *name)
{
	struct buf out = { 0 };
	const char *why = "";

	ck_assert_msg(codec_json.encode(&out, &why, &limits, p) == 0,
		      "%s: %s", name, why);
	ck_assert_msg(str_eq(buf_str(&out), str_of(want)), "%s: %.*s", name,
		      (int)out.len, out.p);
	buf_deinit(&out);
}

static void check_cbor(const struct prim *p, const char *hex,
		       const char *name)
{
	struct buf out = { 0 };
	const char *why = "";

	buf_add_char(&out, '<');	/* it appends */
	ck_assert_msg(codec_cbor.encode(&out, &why, &limits, p) == 0,
		      "%s: %s", name, why);
	hex_check(str_skip(buf_str(&out), 1), hex, name);
	buf_deinit(&out);
}

START_TEST(test_examples)
{
	const char *json = example_messages[_i].json;
	const char *cbor = example_messages[_i].cbor;
	struct prim p = { 0 }, q = { 0 };
	struct buf message = { 0 };
	const char *why = "";

	ck_assert_int_eq(codec_json.decode(&p, &why, &limits, str_of(json)),
			 0);
	check_cbor(&p, cbor, json);
	ck_assert_msg(decode_hex(&q, &message, &why, cbor) == 0, "%s: %s",
		      json, why);
	check_json(&q, json, json);
	check_cbor(&q, cbor, json);
	ck_assert_int_eq(q.kind, p.kind);
	ck_assert_int_eq(q.op, p.op);
	ck_assert_int_eq(q.rsc, p.rsc);
	prim_deinit(&p);
	prim_deinit(&q);
	buf_deinit(&message);
}
END_TEST

/* What the digest gives in octets, and what peers may make of it. */
static const struct {
	const char *name;
	const char *cbor;
	const char *json;
} taken[] = {
	{ "request",
	  "A6 62 6F70 02 62 746F 63 636231 62 6672 62 436D 63 727169 61 61 "
	  "63 727669 61 33 63 72636E 01",
	  "{\"op\":2,\"to\":\"cb1\",\"fr\":\"Cm\",\"rqi\":\"a\",\"rvi\":\"3\","
	  "\"rcn\":1}" },
	{ "byte strings",
	  "A6 42 6F70 02 42 746F 43 636231 42 6672 42 436D 43 727169 41 61 "
	  "43 727669 41 33 43 72636E 01",
	  "{\"op\":2,\"to\":\"cb1\",\"fr\":\"Cm\",\"rqi\":\"a\",\"rvi\":\"3\","
	  "\"rcn\":1}" },
	{ "response",
	  "A4 63 727363 19 07D4 63 727169 61 61 63 727669 61 33 62 7063 "
	  "A1 67 6D326D3A636E74 A3 63 6D6E69 18 32 64 64697372 F4 63 6C626C F6",
	  "{\"rsc\":2004,\"rqi\":\"a\",\"rvi\":\"3\",\"pc\":{\"m2m:cnt\":{"
	  "\"mni\":50,\"disr\":false,\"lbl\":null}}}" },
	{ "short response", "A2 63 727363 19 07D0 63 727169 61 61",
	  "{\"rsc\":2000,\"rqi\":\"a\"}" },
	{ "endless, in pieces, tagged",
	  "D9D9F7 BF 7F 61 6F 61 70 FF 02 62 746F 7F 61 78 60 FF 63 727169 "
	  "C0 61 61 FF", "{\"op\":2,\"to\":\"x\",\"rqi\":\"a\"}" },
	{ "a number for a string", "A2 63 727363 19 07D0 63 727169 18 7B",
	  "{\"rsc\":2000,\"rqi\":\"123\"}" },
	{ "rsc as float", "A2 63 727363 F9 67D0 63 727169 61 61",
	  "{\"rsc\":2000,\"rqi\":\"a\"}" },
	{ "null is absent", "A3 63 727363 19 07D0 62 7063 F6 62 746F F6",
	  "{\"rsc\":2000}" },
	{ "lists and objects in the envelope",
	  "A4 62 6F70 02 63 727169 61 61 62 6663 A1 62 7479 82 03 04 "
	  "64 74696473 81 61 74",
	  "{\"op\":2,\"rqi\":\"a\",\"fc\":{\"ty\":[3,4]},\"tids\":[\"t\"]}" },
	{ "a relative time", "A3 62 6F70 04 63 727169 61 61 64 72716574 1907D0",
	  "{\"op\":4,\"rqi\":\"a\",\"rqet\":2000}" },
	{ "a boolean", "A3 62 6F70 02 63 727169 61 61 62 6461 F5",
	  "{\"op\":2,\"rqi\":\"a\",\"da\":true}" },
	{ "unknown members",
	  "A3 62 6F70 02 63 727169 61 61 63 787878 82 F6 61 22",
	  "{\"op\":2,\"rqi\":\"a\",\"xxx\":[null,\"\\\"\"]}" },
};

START_TEST(test_taken)
{
	struct prim p = { 0 }, back = { 0 };
	struct buf message = { 0 }, out = { 0 };
	const char *why;

	ck_assert_msg(decode_hex(&p, &message, &why, taken[_i].cbor) == 0,
		      "%s: %s", taken[_i].name, why);
	check_json(&p, taken[_i].json, taken[_i].name);
	ck_assert_int_eq(codec_cbor.encode(&out, &why, &limits, &p), 0);
	ck_assert_int_eq(codec_cbor.decode(&back, &why, &limits, buf_str(&out)),
			 0);
	check_json(&back, taken[_i].json, taken[_i].name);
	prim_deinit(&p);
	prim_deinit(&back);
	buf_deinit(&message);
	buf_deinit(&out);
}
END_TEST

static const struct {
	const char *name;
	const char *cbor;
	int err;
	const char *why;
	const char *rqi;		/* NULL: absent */
	enum prim_kind kind;
} refused[] = {
	{ "nothing", "", ERR_PROTO, "CBOR is cut off", NULL, PRIM_REQUEST },
	{ "no map", "81 01", ERR_PROTO, "not a map", NULL, PRIM_REQUEST },
	{ "JSON", "7b226f70223a327d", ERR_PROTO, "CBOR is cut off", NULL,
	  PRIM_REQUEST },
	{ "cut off", "A3 62 6F70 02 63 727169 61 61", ERR_PROTO,
	  "CBOR is cut off", "a", PRIM_REQUEST },
	{ "cut off response", "A3 63 727363 19 07D0 63 727169 61 61",
	  ERR_PROTO, "CBOR is cut off", "a", PRIM_RESPONSE },
	{ "octets behind", "A2 62 6F70 02 63 727169 61 61 00", ERR_PROTO,
	  "octets follow the primitive", "a", PRIM_REQUEST },
	{ "an op twice, then rqi", "A3 62 6F70 02 42 6F70 02 63 727169 61 61",
	  ERR_PROTO, "duplicate member", "a", PRIM_REQUEST },
	{ "pc twice", "A4 62 6F70 01 62 7063 A0 62 7063 F6 63 727169 61 61",
	  ERR_PROTO, "duplicate member", "a", PRIM_REQUEST },
	{ "an unknown member twice",
	  "A4 62 6F70 02 61 78 00 7F 61 78 FF 01 63 727169 61 61",
	  ERR_PROTO, "duplicate member", "a", PRIM_REQUEST },
	{ "neither", "A1 63 727169 61 61", ERR_PROTO, "neither op nor rsc",
	  "a", PRIM_REQUEST },
	{ "wrapped", "A1 67 6D326D3A727170 A2 62 6F70 02 63 727169 61 61",
	  ERR_PROTO, "primitive within a wrapper", "a", PRIM_REQUEST },
	{ "wrapped response",
	  "A1 67 6D326D3A727370 A1 63 727169 61 61", ERR_PROTO,
	  "primitive within a wrapper", "a", PRIM_RESPONSE },
	{ "rsc is text", "A2 63 727363 61 78 63 727169 61 61", ERR_PROTO,
	  "rsc is not an integer", "a", PRIM_RESPONSE },
	{ "a bignum in pc",
	  "A3 62 6F70 01 63 727169 61 61 62 7063 C2 41 01", ERR_PROTO,
	  "integer above 64 bits", "a", PRIM_REQUEST },
	{ "NaN in fc", "A3 62 6F70 01 63 727169 61 61 62 6663 A1 61 78 F97E00",
	  ERR_PROTO, "number is not finite", "a", PRIM_REQUEST },
	{ "a number as name", "A2 63 727169 61 61 01 02", ERR_PROTO,
	  "a name is not text", "a", PRIM_REQUEST },
	{ "too deep",
	  "A3 62 6F70 02 63 727169 61 61 62 7063 8181818181818181818181818181"
	  "818180", ERR_LIMIT, "nested too deeply", "a", PRIM_REQUEST },
};

START_TEST(test_refused)
{
	struct prim p = { 0 };
	struct buf message = { 0 };
	const char *why;

	ck_assert_msg(decode_hex(&p, &message, &why, refused[_i].cbor) ==
			      refused[_i].err, "%s", refused[_i].name);
	ck_assert_str_eq(why, refused[_i].why);
	ck_assert_int_eq(p.kind, refused[_i].kind);
	ck_assert_int_eq(prim_has(&p, PARAM_RQI), refused[_i].rqi != NULL);
	if (refused[_i].rqi != NULL)
		ck_assert(str_eq(prim_text(&p, PARAM_RQI),
				 str_of(refused[_i].rqi)));
	prim_deinit(&p);
	buf_deinit(&message);
}
END_TEST

/* Octets that came as CBOR leave as they came, whatever their form. */
START_TEST(test_content_passes)
{
	static const char pc[] = "BF 61 78 18 01 41 79 FB 3FF8000000000000 FF";
	struct prim p = { 0 };
	struct buf message = { 0 }, want = { 0 };
	const char *why;

	ck_assert_int_eq(decode_hex(&p, &message, &why,
				    "A3 62 6F70 01 62 7063 BF 61 78 18 01 41 79 "
				    "FB 3FF8000000000000 FF 63 727169 61 61"),
			 0);
	hex_add(&want, pc);
	ck_assert(str_eq(p.content, buf_str(&want)));
	ck_assert_int_eq(p.content_format, FORMAT_CBOR);
	check_cbor(&p, "A3 62 6F70 01 63 727169 61 61 62 7063 BF 61 78 18 01 "
		       "41 79 FB 3FF8000000000000 FF", "passes");
	check_json(&p, "{\"op\":1,\"rqi\":\"a\",\"pc\":{\"x\":1,\"y\":1.5}}",
		   "transcoded");
	prim_deinit(&p);
	buf_deinit(&message);
	buf_deinit(&want);
}
END_TEST

/* It is looked into, and never a body. */
START_TEST(test_content_of_retrieve)
{
	struct prim p = { 0 };
	struct buf message = { 0 };
	const char *why;

	ck_assert_int_eq(decode_hex(&p, &message, &why,
				    "A5 62 7063 A1 68 6D326D3A6174726C 81 62 "
				    "7272 62 6F70 02 63 727169 61 61 62 746F 61 "
				    "78 62 6672 61 43"), 0);
	ck_assert_int_eq(p.content_format, FORMAT_JSON);
	ck_assert(str_eq(p.content, STR("{\"m2m:atrl\":[\"rr\"]}")));
	ck_assert_int_eq(prim_check_request(&why, &p, 0), 0);
	prim_deinit(&p);
	buf_deinit(&message);
}
END_TEST

/* What JSON said, and CBOR cannot: nothing of the message is left. */
static const char *const unwritten[] = {
	"{\"rsc\":2000,\"rqi\":\"a\",\"pc\":{\"x\":1e400}}",
	"{\"op\":2,\"rqi\":\"a\",\"rcn\":1180591620717411303424}",
	"{\"op\":2,\"rqi\":\"a\",\"fc\":{\"sza\":1e400}}",
	"{\"op\":2,\"rqi\":\"a\",\"xxx\":[1e400]}",
};

START_TEST(test_unwritten)
{
	struct prim p = { 0 };
	struct buf out = { 0 };
	const char *why = "";

	ck_assert_int_eq(codec_json.decode(&p, &why, &limits,
					   str_of(unwritten[_i])), 0);
	buf_add_char(&out, '<');
	ck_assert_int_eq(codec_cbor.encode(&out, &why, &limits, &p),
			 ERR_PROTO);
	ck_assert_str_eq(why, "a number that cannot be carried exactly");
	ck_assert_uint_eq(out.len, 1);
	prim_deinit(&p);
	buf_deinit(&out);
}
END_TEST

START_TEST(test_refusal)
{
	struct prim p = { 0 };

	prim_refuse(&p, STR("a"), STR("3"), RSC_BAD_REQUEST, "no");
	check_cbor(&p, "A4 63 727363 190FA0 63 727169 61 61 63 727669 61 33 "
		       "62 7063 A1 67 6D326D3A646267 62 6E6F", "refusal");
	prim_deinit(&p);
}
END_TEST

START_TEST(test_copy)
{
	struct prim p = { 0 }, copy = { 0 };
	struct buf message = { 0 };
	const char *why;

	ck_assert_int_eq(decode_hex(&p, &message, &why, taken[2].cbor), 0);
	ck_assert_int_eq(prim_copy(&copy, &p), 0);
	prim_deinit(&p);
	buf_deinit(&message);
	check_json(&copy, taken[2].json, "copy");
	prim_deinit(&copy);
}
END_TEST

START_TEST(test_transcode)
{
	struct prim p = { .content = STR_INIT("\xa1\x61x\xf5"),
			  .content_format = FORMAT_CBOR };
	struct buf made = { 0 }, out = { 0 };
	const char *why;

	ck_assert_int_eq(transcode_prim(&p, FORMAT_CBOR, &made, &limits, &why),
			 0);
	ck_assert_ptr_null(made.p);
	ck_assert_int_eq(transcode_prim(&p, (enum prim_format)9, &made,
					&limits, &why), ERR_UNSUPPORTED);
	ck_assert_int_eq(p.content_format, FORMAT_CBOR);
	ck_assert_int_eq(transcode_prim(&p, FORMAT_JSON, &made, &limits, &why),
			 0);
	ck_assert(str_eq(p.content, STR("{\"x\":true}")));
	ck_assert_int_eq(p.content_format, FORMAT_JSON);
	ck_assert_int_eq(transcode_content(&out, FORMAT_JSON, FORMAT_JSON,
					   OP_NONE, p.content, &limits, &why),
			 0);
	ck_assert(str_eq(buf_str(&out), p.content));
	p.content = (struct str){ NULL, 0 };
	ck_assert_int_eq(transcode_prim(&p, FORMAT_CBOR, &made, &limits, &why),
			 0);
	ck_assert_ptr_null(p.content.p);
	buf_deinit(&made);
	buf_deinit(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec_cbor");
	TCase *tc = tcase_create("codec_cbor");

	tcase_add_loop_test(tc, test_examples, 0, ARRAY_LEN(example_messages));
	tcase_add_loop_test(tc, test_taken, 0, ARRAY_LEN(taken));
	tcase_add_loop_test(tc, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, test_unwritten, 0, ARRAY_LEN(unwritten));
	tcase_add_test(tc, test_content_passes);
	tcase_add_test(tc, test_content_of_retrieve);
	tcase_add_test(tc, test_refusal);
	tcase_add_test(tc, test_copy);
	tcase_add_test(tc, test_transcode);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
