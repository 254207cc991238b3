#include "codec_priv.h"

#include <limits.h>
#include <uv.h>

/* Written first, in this order; then the rest, then pc: what a reader wants
 * to see in a log comes early. */
static const enum prim_param request_order[] = {
	PARAM_OP, PARAM_TO, PARAM_FR, PARAM_RQI, PARAM_RVI, PARAM_TY,
};

static const enum prim_param response_order[] = {
	PARAM_RSC, PARAM_RQI, PARAM_RVI, PARAM_TO, PARAM_FR, PARAM_OT,
	PARAM_RSET, PARAM_EC, PARAM_CNST, PARAM_CNOT, PARAM_ATI, PARAM_TQF,
	PARAM_ASRI, PARAM_VSI,
};

const struct codec *codec_of(enum prim_format format)
{
	switch (format) {
	case FORMAT_JSON:
		return &codec_json;
	case FORMAT_CBOR:
		return &codec_cbor;
	case FORMAT_XML:
		return &codec_xml;
	}
	return NULL;
}

void codec_note_fault(struct codec_reading *r, int err, const char *why)
{
	if (r->err == 0) {
		r->err = err;
		r->why = why;
	}
}

bool codec_is_new(struct codec_reading *r, unsigned bit)
{
	bool fresh = (r->seen >> bit & 1) == 0;

	r->seen |= UINT64_C(1) << bit;
	if (!fresh)
		codec_note_fault(r, ERR_PROTO, "duplicate member");
	return fresh;
}

void codec_add_extra(struct codec_reading *r, struct str name, struct str json)
{
	struct prim *p = r->out;

	for (unsigned i = 0; i < p->extra_count; i++) {
		if (str_eq(p->extra[i].name, name)) {
			codec_note_fault(r, ERR_PROTO, "duplicate member");
			return;
		}
	}
	if (p->extra_count == PRIM_MAX_EXTRAS) {
		codec_note_fault(r, ERR_LIMIT, "too many unknown members");
		return;
	}
	p->extra[p->extra_count++] = (struct prim_extra){ name, json };
}

/* TS-0004 8.4.2: no m2m:rqp or m2m:rsp around a primitive. */
static struct str find_wrapped(struct codec_reading *r)
{
	for (unsigned i = 0; i < r->out->extra_count; i++) {
		const struct prim_extra *x = &r->out->extra[i];
		bool response = str_eq(x->name, STR("m2m:rsp"));

		if (!response && !str_eq(x->name, STR("m2m:rqp")))
			continue;
		if (response)
			r->out->kind = PRIM_RESPONSE;
		codec_note_fault(r, ERR_PROTO, "primitive within a wrapper");
		return x->json;
	}
	codec_note_fault(r, ERR_PROTO, "neither op nor rsc");
	return (struct str){ NULL, 0 };
}

struct str codec_read_kind(struct codec_reading *r)
{
	struct prim *p = r->out;
	int64_t n;

	if (prim_has(p, PARAM_RSC)) {
		p->kind = PRIM_RESPONSE;
		if (prim_int(&n, p, PARAM_RSC) && n >= INT_MIN && n <= INT_MAX)
			p->rsc = (int)n;
		else
			codec_note_fault(r, ERR_PROTO, "rsc is not an integer");
	} else if (!prim_has(p, PARAM_OP)) {
		return find_wrapped(r);
	} else if (prim_int(&n, p, PARAM_OP) && n >= OP_CREATE &&
		   n <= OP_NOTIFY) {
		p->op = (enum op)n;
	}
	return (struct str){ NULL, 0 };
}

static bool is_written(const struct prim *p, enum prim_param id)
{
	return prim_has(p, id) || (id == PARAM_OP && p->op != OP_NONE) ||
	       (id == PARAM_RSC && p->kind == PRIM_RESPONSE);
}

unsigned codec_list_params(enum prim_param out[PARAM_COUNT],
			   const struct prim *p)
{
	bool request = p->kind == PRIM_REQUEST;
	const enum prim_param *order = request ? request_order :
						 response_order;
	size_t n = request ? ARRAY_LEN(request_order) :
			     ARRAY_LEN(response_order);
	uint64_t rest = p->present;
	unsigned count = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_written(p, order[i]))
			out[count++] = order[i];
		rest &= ~(UINT64_C(1) << order[i]);
	}
	for (; rest != 0; rest &= rest - 1)
		out[count++] = (enum prim_param)__builtin_ctzll(rest);
	return count;
}

int codec_encoded(struct buf *out, size_t from, int err, const char **why)
{
	if (!err && out->failed) {
		err = UV_ENOMEM;
		*why = "out of memory";
	}
	if (err)
		out->len = from;
	return err;
}
