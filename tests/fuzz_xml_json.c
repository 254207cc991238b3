/*
 * Content between XML and JSON, from either side. What XML becomes is JSON
 * without a name twice, within the limits; written as XML and read again it
 * does not change any more. The room is bounded.
 */
#include <assert.h>
#include <jansson.h>

#include "m2m/json.h"
#include "m2m/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct codec_conf wide = { 64, 1 << 20 };
static const struct codec_conf narrow = { 4, 30 };

static void check_made(const struct buf *out, struct str in, int err,
		       const char *why)
{
	assert(err == 0 || (why != NULL && out->len == 0));
	assert(out->cap <= XML_GROWTH * in.len + XML_SPARE);
}

static int to_json(struct buf *out, enum op op, struct str xml)
{
	const char *why = NULL;
	int err = xml_to_json(out, &wide, op, xml, &why);

	check_made(out, xml, err, why);
	if (err == 0) {
		err = jscan_check(buf_str(out), wide.max_depth,
				  wide.max_tokens, &why);
		assert(err == 0);
	}
	return err;
}

static int to_xml(struct buf *out, struct str json)
{
	const char *why = NULL;
	int err = json_to_xml(out, &wide, json, &why);

	check_made(out, json, err, why);
	if (err == 0 && out->len > 0) {
		err = xml_check(&wide, buf_str(out), &why);
		assert(err == 0);
	}
	return err;
}

static void check_names(const struct buf *json)
{
	json_error_t why;
	json_t *root = json_loadb(json->p, json->len, JSON_REJECT_DUPLICATES,
				  &why);

	/* numbers may be beyond its range */
	assert(root != NULL ||
	       json_error_code(&why) == json_error_numeric_overflow);
	json_decref(root);
}

/* json came from XML: it can be written, and is then settled. */
static void check_settled(enum op op, const struct buf *json)
{
	struct buf xml = { 0 }, back = { 0 }, again = { 0 };
	int err = to_xml(&xml, buf_str(json));

	assert(err == 0 || err == ERR_LIMIT);
	if (err == 0 && to_json(&back, op, buf_str(&xml)) == 0 &&
	    to_xml(&again, buf_str(&back)) == 0)
		assert(str_eq(buf_str(&xml), buf_str(&again)));
	buf_deinit(&xml);
	buf_deinit(&back);
	buf_deinit(&again);
}

static void check_xml(enum op op, struct str xml)
{
	struct buf json = { 0 };
	const char *why = NULL;
	int err = to_json(&json, op, xml);

	if (err == 0) {
		err = xml_check(&wide, xml, &why);
		assert(err == 0);
		check_names(&json);
		check_settled(op, &json);
	}
	assert(xml_check(&narrow, xml, &why) != 0 ||
	       xml_check(&wide, xml, &why) == 0);
	buf_deinit(&json);
}

static void check_json(struct str json)
{
	struct buf xml = { 0 }, back = { 0 };

	if (to_xml(&xml, json) == 0 && xml.len > 0 &&
	    to_json(&back, OP_NONE, buf_str(&xml)) == 0) {
		check_names(&back);
		check_settled(OP_NONE, &back);
	}
	buf_deinit(&xml);
	buf_deinit(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };

	check_xml(OP_NONE, in);
	check_xml(OP_UPDATE, in);
	check_json(in);
	return 0;
}
