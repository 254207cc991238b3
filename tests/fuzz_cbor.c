/*
 * The decoder of primitives in CBOR: what it takes it writes again, and reads
 * to the same; narrower limits only refuse more; its room is bounded.
 */
#include <assert.h>
#include <limits.h>

#include "m2m/cbor.h"
#include "m2m/codec.h"
#include "m2m/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct codec_conf wide = { JSCAN_DEPTH_MAX, UINT_MAX };
static const struct codec_conf narrow = { 8, 40 };

static bool is_within(struct str slice, struct str text)
{
	return slice.p == NULL ||
	       (slice.p >= text.p && slice.p + slice.len <= text.p + text.len);
}

/* All that is in p is of the message, of the store, or static. */
static void check_slices(const struct prim *p, struct str message)
{
	struct str store = buf_str(&p->store);

	for (int id = 0; id < PARAM_COUNT; id++) {
		const struct value *v = &p->param[id];

		if (!prim_has(p, (enum prim_param)id) || v->type == VALUE_BOOL)
			continue;
		assert(is_within(v->text, message) || is_within(v->text, store));
	}
	for (unsigned i = 0; i < p->extra_count; i++)
		assert(is_within(p->extra[i].json, store));
	assert(is_within(p->content, message) || is_within(p->content, store));
}

static void add_json(struct buf *out, const struct prim *p)
{
	const char *why;
	int err = codec_json.encode(out, &why, &wide, p);

	assert(err == 0);
	assert(jscan_check(buf_str(out), wide.max_depth, wide.max_tokens,
			   &why) == 0);
}

static void check_round_trip(const struct prim *p)
{
	struct buf json = { 0 }, cbor = { 0 }, again = { 0 };
	struct prim back = { 0 };
	const char *why;
	int err = codec_cbor.encode(&cbor, &why, &wide, p);

	assert(err == 0);
	err = codec_cbor.decode(&back, &why, &wide, buf_str(&cbor));
	assert(err == 0);
	add_json(&json, p);
	add_json(&again, &back);
	assert(str_eq(buf_str(&json), buf_str(&again)));
	buf_deinit(&json);
	buf_deinit(&cbor);
	buf_deinit(&again);
	prim_deinit(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str message = { (const char *)data, size };
	struct prim p = { 0 };
	const char *why = NULL;
	bool decodes = codec_cbor.decode(&p, &why, &wide, message) == 0;

	assert(decodes || why != NULL);
	assert(p.store.cap <= CBOR_GROWTH * size + CBOR_SPARE);
	check_slices(&p, message);
	if (decodes) {
		assert(cbor_check(&wide, message, &why) == 0);
		check_round_trip(&p);
		(void)prim_response_type(&p);
		assert(prim_check_request(&why, &p, 1) == 0 || why != NULL);
	}
	assert(codec_cbor.decode(&p, &why, &narrow, message) != 0 || decodes);
	prim_deinit(&p);
	return 0;
}
