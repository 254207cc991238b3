/*
 * Content between CBOR and JSON, from either side: what goes over comes back
 * the same, whatever form it first had, and takes a bounded room.
 */
#include <assert.h>

#include "m2m/cbor.h"
#include "m2m/codec.h"
#include "m2m/json.h"
#include "m2m/transcode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct codec_conf wide = { 64, 1 << 20 };
static const struct codec_conf narrow = { 4, 30 };

/* 0, or the fault; out is fresh. */
static int make(struct buf *out, enum prim_format to, enum prim_format from,
		struct str in)
{
	const char *why = NULL;
	int err = transcode_content(out, to, from, OP_NONE, in, &wide, &why);

	assert(err == 0 || (why != NULL && out->len == 0));
	assert(out->cap <= CBOR_GROWTH * in.len + CBOR_SPARE);
	if (err == 0)
		assert(transcode_check(to, buf_str(out), &wide, &why) == 0);
	return err;
}

static void must_make(struct buf *out, enum prim_format to,
		      enum prim_format from, struct str in)
{
	int err = make(out, to, from, in);

	assert(err == 0);
}

static void check_narrow(enum prim_format from, struct str in, bool taken)
{
	const char *why;

	assert(transcode_check(from, in, &narrow, &why) != 0 ||
	       transcode_check(from, in, &wide, &why) == 0);
	assert(!taken || transcode_check(from, in, &wide, &why) == 0);
}

static void check(enum prim_format from, struct str in)
{
	enum prim_format to = from == FORMAT_JSON ? FORMAT_CBOR : FORMAT_JSON;
	struct buf there = { 0 }, back = { 0 }, again = { 0 };
	bool taken = make(&there, to, from, in) == 0;

	check_narrow(from, in, taken);
	if (taken) {
		must_make(&back, from, to, buf_str(&there));
		must_make(&again, to, from, buf_str(&back));
		assert(str_eq(buf_str(&there), buf_str(&again)));
	}
	buf_deinit(&there);
	buf_deinit(&back);
	buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };

	check(FORMAT_CBOR, in);
	check(FORMAT_JSON, in);
	return 0;
}
