#include <assert.h>
#include <jansson.h>
#include <limits.h>

#include "m2m/codec.h"
#include "m2m/json.h"

/*
 * jansson is the reference: what it takes, we take, and what we read is what
 * it reads. Where it stops at numbers out of its range or at \u0000 in a name,
 * both legal JSON, there is nothing to compare.
 */
#define REFERENCE_FLAGS (JSON_DECODE_ANY | JSON_ALLOW_NUL)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct codec_conf wide = { JSCAN_DEPTH_MAX, UINT_MAX };
static const struct codec_conf narrow = { 8, 40 };

/* NULL: it refuses the text; *legal then tells if only it does. */
static json_t *reference(bool *legal, struct str text)
{
	json_error_t why;
	json_t *root = json_loadb(text.p, text.len, REFERENCE_FLAGS, &why);

	*legal = root == NULL &&
		 (json_error_code(&why) == json_error_numeric_overflow ||
		  json_error_code(&why) == json_error_null_byte_in_key);
	return root;
}

static void check_verdict(struct str text, const json_t *root, bool legal)
{
	const char *why = NULL;
	int err = jscan_check(text, wide.max_depth, wide.max_tokens, &why);

	if (err == ERR_LIMIT || legal)
		return;
	/* It takes a NUL behind a bare number; nobody should. */
	if (memchr(text.p, '\0', text.len) != NULL) {
		assert(err == ERR_PROTO);
		return;
	}
	assert((err == 0) == (root != NULL));
	assert(err == 0 || why != NULL);
}

static void check_same(const struct prim *a, const struct prim *b)
{
	assert(a->kind == b->kind && a->op == b->op && a->rsc == b->rsc);
	assert(a->present == b->present);
	for (int id = 0; id < PARAM_COUNT; id++) {
		const struct value *v = &a->param[id], *w = &b->param[id];

		if (!prim_has(a, (enum prim_param)id) || id == PARAM_RSC ||
		    (id == PARAM_OP && a->op != OP_NONE))
			continue;
		assert(id == PARAM_RQI || v->type == w->type);
		assert(str_eq(v->text, w->text));
	}
	assert((a->content.p == NULL) == (b->content.p == NULL));
	assert(str_eq(a->content, b->content));
	assert(a->extra_count == b->extra_count);
	for (unsigned i = 0; i < a->extra_count; i++) {
		assert(str_eq(a->extra[i].name, b->extra[i].name));
		assert(str_eq(a->extra[i].json, b->extra[i].json));
	}
}

/* Written and read again, nothing has changed. */
static void check_round_trip(const struct prim *p)
{
	struct prim again = { 0 };
	struct buf text = { 0 };
	const char *why;
	int err;

	err = codec_json.encode(&text, &why, &wide, p);
	assert(err == 0);
	err = codec_json.decode(&again, &why, &wide, buf_str(&text));
	assert(err == 0);
	check_same(p, &again);
	prim_deinit(&again);
	buf_deinit(&text);
}

static void check_equal(struct str slice, const json_t *want)
{
	bool legal;
	json_t *got = reference(&legal, slice);

	assert(got != NULL && json_equal(got, want));
	json_decref(got);
}

/* The slices say what the reference found under those names. */
static void check_values(const struct prim *p, const json_t *root)
{
	const json_t *want = json_object_get(root, "pc");

	assert((p->content.p == NULL) == (want == NULL || json_is_null(want)));
	if (p->content.p != NULL)
		check_equal(p->content, want);
	for (int id = 0; id < PARAM_COUNT; id++) {
		const struct value *v = &p->param[id];
		struct str text;

		want = json_object_get(root, prim_params[id].name.p);
		if (!prim_has(p, (enum prim_param)id)) {
			assert(want == NULL || json_is_null(want));
			continue;
		}
		if (v->type != VALUE_STRING) {
			check_equal(v->text, want);
			continue;
		}
		assert(json_is_string(want));
		text = (struct str){ json_string_value(want),
				     json_string_length(want) };
		assert(str_eq(v->text, text));
	}
	for (unsigned i = 0; i < p->extra_count; i++) {
		want = json_object_getn(root, p->extra[i].name.p,
					p->extra[i].name.len);
		check_equal(p->extra[i].json, want);
	}
}

static void check_primitive(struct str text, const json_t *root)
{
	struct prim p = { 0 };
	const char *why = NULL;
	uint64_t left;
	int err = codec_json.decode(&p, &why, &wide, text);
	bool decodes = err == 0;

	if (decodes) {
		check_round_trip(&p);
		if (root != NULL)
			check_values(&p, root);
		(void)prim_response_type(&p);
		(void)prim_time_left(&left, &p, PARAM_RQET, 1);
		err = prim_check_request(&why, &p, 1);
		assert(err == 0 || why != NULL);
	} else {
		assert(why != NULL);
	}
	err = codec_json.decode(&p, &why, &narrow, text);
	assert(err != 0 || decodes);
	prim_deinit(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	bool legal;
	json_t *root = reference(&legal, text);

	check_verdict(text, root, legal);
	check_primitive(text, root);
	json_decref(root);
	return 0;
}
