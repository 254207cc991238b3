#include "unit.h"

#include "m2m/xml.h"
#include "xml_random.h"

/*
 * JSON -> XML -> JSON: what XML can tell comes back, text for text, whatever
 * the order in which JSON had it. XML_RANDOM_ROUNDS resources (2000).
 */
static const struct codec_conf limits = { 64, 65536 };

static unsigned rounds(void)
{
	const char *n = getenv("XML_RANDOM_ROUNDS");

	return n != NULL ? (unsigned)strtoul(n, NULL, 10) : 2000;
}

static void to_xml(struct buf *out, const struct buf *json)
{
	const char *why = NULL;
	int err;

	buf_clear(out);
	err = json_to_xml(out, &limits, buf_str(json), &why);
	ck_assert_msg(err == 0, "%d %s: %.*s", err, why, (int)json->len,
		      json->p);
}

static void check_one(struct random *r)
{
	struct buf xml = { 0 }, again = { 0 }, json = { 0 };
	struct pair content = { 0 };
	const char *why = NULL;
	int err;

	r->update = random_below(r, 3) == 0;
	random_content(r, &content);
	to_xml(&xml, &content.ordered);
	to_xml(&again, &content.mixed);
	ck_assert_msg(str_eq(buf_str(&xml), buf_str(&again)),
		      "%.*s\n%.*s", (int)xml.len, xml.p, (int)again.len,
		      again.p);
	err = xml_to_json(&json, &limits, r->update ? OP_UPDATE : OP_NONE,
			  buf_str(&xml), &why);
	ck_assert_msg(err == 0 && str_eq(buf_str(&json),
					 buf_str(&content.ordered)),
		      "%d %s\n%.*s\n%.*s\n%.*s", err, why,
		      (int)content.ordered.len, content.ordered.p,
		      (int)xml.len, xml.p, (int)json.len, json.p);
	pair_deinit(&content);
	buf_deinit(&xml);
	buf_deinit(&again);
	buf_deinit(&json);
}

START_TEST(test_round_trip)
{
	struct random r = { .state = 0x9e3779b97f4a7c15 + (unsigned)_i };

	for (unsigned n = rounds() / 4; n > 0; n--)
		check_one(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xml_random");
	TCase *tc = tcase_create("random");

	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, test_round_trip, 0, 4);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
