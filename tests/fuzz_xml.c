/*
 * Primitives in XML, from a peer's octets. What decodes stands alone: its
 * content is a document of its own, and what is written of it says the same.
 */
#include <assert.h>

#include "m2m/codec.h"
#include "m2m/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct codec_conf wide = { 64, 1 << 20 };
static const struct codec_conf narrow = { 6, 30 };

static void check_room(const struct prim *p, struct str message)
{
	assert(p->store.cap <= XML_GROWTH * message.len + XML_SPARE);
}

/* In another form, but once it has ours it is always the same. */
static void check_written(const struct prim *p)
{
	struct buf first = { 0 }, second = { 0 };
	struct prim again = { 0 };
	const char *why = NULL;
	int err = codec_xml.encode(&first, &why, &wide, p);

	assert(err == 0);
	err = codec_xml.decode(&again, &why, &wide, buf_str(&first));
	/* pc is two elements deeper in a message */
	assert(err == 0 || err == ERR_LIMIT);
	if (err == 0) {
		assert(again.kind == p->kind && again.op == p->op &&
		       again.rsc == p->rsc && again.present == p->present &&
		       again.extra_count == p->extra_count);
		err = codec_xml.encode(&second, &why, &wide, &again);
		assert(err == 0);
		assert(str_eq(buf_str(&first), buf_str(&second)));
	}
	prim_deinit(&again);
	buf_deinit(&first);
	buf_deinit(&second);
}

/* A peer that speaks JSON hears it, or it is refused. */
static void check_json(const struct prim *p)
{
	struct buf json = { 0 };
	struct prim again = { 0 };
	const char *why = NULL;

	if (codec_json.encode(&json, &why, &wide, p) == 0) {
		int err = codec_json.decode(&again, &why, &wide,
					    buf_str(&json));

		assert(err == 0 || err == ERR_LIMIT);
		assert(err != 0 || again.kind == p->kind);
	} else {
		assert(why != NULL);
	}
	prim_deinit(&again);
	buf_deinit(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str message = { (const char *)data, size };
	struct prim p = { 0 };
	const char *why = NULL;
	int err = codec_xml.decode(&p, &why, &wide, message);
	bool decodes = err == 0;

	check_room(&p, message);
	if (decodes) {
		err = p.content_format != FORMAT_XML ? 0 :
			      xml_check(&wide, p.content, &why);
		assert(err == 0);
		check_written(&p);
		check_json(&p);
	} else {
		assert(why != NULL);
	}
	why = NULL;
	err = codec_xml.decode(&p, &why, &narrow, message);
	assert(err != 0 || decodes);
	assert(err == 0 || why != NULL);
	prim_deinit(&p);
	return 0;
}
