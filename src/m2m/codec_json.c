#include "m2m/codec.h"

#include <limits.h>
#include <uv.h>

#include "m2m/json.h"

/*
 * TS-0004 8.4: a primitive is an object without a wrapper. Decoding is one
 * pass that cuts slices; only text with escapes is made anew, in out->store,
 * which is given the room of the whole message at the first one, so that it
 * never moves under a slice.
 *
 * A fault of syntax ends the pass. A fault of meaning is noted and the pass
 * goes on, because the rqi that the answer needs may still follow.
 */
struct decoder {
	struct prim *out;
	size_t room;		/* octets that decoded text can need */

	struct jscan scan;
	uint64_t seen;		/* a bit per name, of null members also */
	int err;		/* the first fault of meaning */
	const char *why;
};

/* In `seen`, behind the parameters. */
#define SEEN_PC PARAM_COUNT

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

static void note_fault(struct decoder *d, int err, const char *why)
{
	if (d->err == 0) {
		d->err = err;
		d->why = why;
	}
}

static int unescape(struct str *out, struct decoder *d, struct str inside)
{
	struct buf *store = &d->out->store;
	size_t from = store->len;

	if (from == 0 && !buf_reserve(store, d->room)) {
		d->scan.why = "out of memory";
		return UV_ENOMEM;
	}
	jscan_unescape(store, inside);
	*out = str_skip(buf_str(store), from);
	return 0;
}

/* The text of a name or string, without quotes. */
static inline int text_of(struct str *out, struct decoder *d,
			  struct str inside, bool escaped)
{
	*out = inside;
	return escaped ? unescape(out, d, inside) : 0;
}

static bool is_new(struct decoder *d, unsigned bit)
{
	bool fresh = (d->seen >> bit & 1) == 0;

	d->seen |= UINT64_C(1) << bit;
	if (!fresh)
		note_fault(d, ERR_PROTO, "duplicate member");
	return fresh;
}

static int read_param(struct decoder *d, enum prim_param id,
		      const struct jscan_value *v)
{
	struct str text;
	int err;

	switch (v->type) {
	case JSCAN_STRING:
		err = text_of(&text, d, jscan_inside(v), v->escaped);
		if (err)
			return err;
		prim_set_str(d->out, id, text);
		break;
	case JSCAN_NUMBER:
		prim_set(d->out, id, VALUE_NUMBER, v->raw);
		break;
	case JSCAN_TRUE:
	case JSCAN_FALSE:
		prim_set(d->out, id, VALUE_BOOL, v->raw);
		break;
	case JSCAN_ARRAY:
	case JSCAN_OBJECT:
		prim_set(d->out, id, VALUE_JSON, v->raw);
		break;
	case JSCAN_NULL:
		break;
	}
	return 0;
}

static void read_extra(struct decoder *d, struct str name, struct str json)
{
	struct prim *p = d->out;

	for (unsigned i = 0; i < p->extra_count; i++) {
		if (str_eq(p->extra[i].name, name)) {
			note_fault(d, ERR_PROTO, "duplicate member");
			return;
		}
	}
	if (p->extra_count == PRIM_MAX_EXTRAS) {
		note_fault(d, ERR_LIMIT, "too many unknown members");
		return;
	}
	p->extra[p->extra_count++] = (struct prim_extra){ name, json };
}

static int read_member(struct decoder *d, const struct jscan_value *name,
		       const struct jscan_value *value)
{
	enum prim_param id;
	struct str text;
	int err = text_of(&text, d, name->raw, name->escaped);

	if (err)
		return err;
	id = prim_find_param(text);
	if (id != PARAM_COUNT)
		return is_new(d, id) ? read_param(d, id, value) : 0;
	if (!str_eq(text, STR("pc")))
		read_extra(d, text, value->raw);
	else if (is_new(d, SEEN_PC) && value->type != JSCAN_NULL)
		d->out->content = value->raw;
	return 0;
}

static int read_members(struct decoder *d)
{
	struct jscan_value name, value;
	int more = jscan_enter(&d->scan, JSCAN_OBJECT);

	if (more < 0)
		return more;
	for (bool first = true;; first = false) {
		more = jscan_next(&name, &value, &d->scan, first);
		if (more > 0)
			more = read_member(d, &name, &value);
		else
			break;
		if (more)
			break;
	}
	if (more == 0 && !jscan_at_end(&d->scan)) {
		d->scan.why = "text goes on after the primitive";
		more = ERR_PROTO;
	}
	return more;
}

/* The rqi of a primitive within a wrapper; its syntax is known to be good. */
static int read_wrapped_rqi(struct decoder *d, struct str json)
{
	struct jscan_value name, value;
	struct jscan s;
	struct str text;
	int err = 0;

	jscan_init(&s, json, JSCAN_DEPTH_MAX, UINT_MAX);
	if (jscan_enter(&s, JSCAN_OBJECT) != 0)
		return 0;
	for (bool first = true; err == 0; first = false) {
		if (jscan_next(&name, &value, &s, first) <= 0)
			break;
		err = text_of(&text, d, name.raw, name.escaped);
		if (err == 0 && str_eq(text, STR("rqi")) &&
		    is_new(d, PARAM_RQI))
			err = read_param(d, PARAM_RQI, &value);
	}
	return err;
}

/* TS-0004 8.4.2: no m2m:rqp or m2m:rsp around a primitive. */
static int read_wrapper(struct decoder *d)
{
	for (unsigned i = 0; i < d->out->extra_count; i++) {
		const struct prim_extra *x = &d->out->extra[i];
		bool response = str_eq(x->name, STR("m2m:rsp"));

		if (!response && !str_eq(x->name, STR("m2m:rqp")))
			continue;
		if (response)
			d->out->kind = PRIM_RESPONSE;
		note_fault(d, ERR_PROTO, "primitive within a wrapper");
		return read_wrapped_rqi(d, x->json);
	}
	note_fault(d, ERR_PROTO, "neither op nor rsc");
	return 0;
}

static int read_kind(struct decoder *d)
{
	struct prim *p = d->out;
	int64_t n;

	if (prim_has(p, PARAM_RSC)) {
		p->kind = PRIM_RESPONSE;
		if (prim_int(&n, p, PARAM_RSC) && n >= INT_MIN && n <= INT_MAX)
			p->rsc = (int)n;
		else
			note_fault(d, ERR_PROTO, "rsc is not an integer");
	} else if (!prim_has(p, PARAM_OP)) {
		return read_wrapper(d);
	} else if (prim_int(&n, p, PARAM_OP) && n >= OP_CREATE &&
		   n <= OP_NOTIFY) {
		p->op = (enum op)n;
	}
	return 0;
}

static int decode(struct prim *out, const char **why,
		  const struct codec_conf *conf, struct str message)
{
	struct decoder d = { .out = out, .room = message.len };
	int err;

	prim_reset(out, PRIM_REQUEST);
	jscan_init(&d.scan, message, conf->max_depth, conf->max_tokens);
	err = read_members(&d);
	if (err == 0)
		err = read_kind(&d);
	if (err) {
		/* what was to be a response is not answered */
		if (prim_has(out, PARAM_RSC))
			out->kind = PRIM_RESPONSE;
		*why = d.scan.why;
		return err;
	}
	if (d.err)
		*why = d.why;
	return d.err;
}

/* The comma before the first member becomes the opening brace. */
static void add_name(struct buf *out, struct str name)
{
	buf_add_lit(out, ",\"");
	buf_add_str(out, name);
	buf_add_lit(out, "\":");
}

static void add_value(struct buf *out, const struct value *v)
{
	if (v->type == VALUE_STRING)
		buf_add_json(out, v->text);
	else
		buf_add_str(out, v->text);
}

static void add_param(struct buf *out, const struct prim *p,
		      enum prim_param id)
{
	if (id == PARAM_OP && p->op != OP_NONE) {
		buf_add_lit(out, ",\"op\":");
		buf_add_i64(out, p->op);
	} else if (id == PARAM_RSC && p->kind == PRIM_RESPONSE) {
		buf_add_lit(out, ",\"rsc\":");
		buf_add_i64(out, p->rsc);
	} else if (id == PARAM_RQI && prim_has(p, id)) {
		buf_add_lit(out, ",\"rqi\":");
		buf_add_json(out, p->param[id].text);
	} else if (prim_has(p, id)) {
		add_name(out, prim_params[id].name);
		add_value(out, &p->param[id]);
	}
}

static void add_params(struct buf *out, const struct prim *p,
		       const enum prim_param *order, size_t count)
{
	uint64_t rest = p->present;

	for (size_t i = 0; i < count; i++) {
		add_param(out, p, order[i]);
		rest &= ~(UINT64_C(1) << order[i]);
	}
	for (; rest != 0; rest &= rest - 1)
		add_param(out, p, (enum prim_param)__builtin_ctzll(rest));
}

static void encode(struct buf *out, const struct prim *p)
{
	size_t from = out->len;

	if (p->kind == PRIM_REQUEST)
		add_params(out, p, request_order, ARRAY_LEN(request_order));
	else
		add_params(out, p, response_order, ARRAY_LEN(response_order));
	for (unsigned i = 0; i < p->extra_count; i++) {
		buf_add_lit(out, ",");
		buf_add_json(out, p->extra[i].name);
		buf_add_lit(out, ":");
		buf_add_str(out, p->extra[i].json);
	}
	if (p->content.p != NULL) {
		buf_add_lit(out, ",\"pc\":");
		buf_add_str(out, p->content);
	}
	if (out->len == from)
		buf_add_char(out, '{');
	else
		out->p[from] = '{';
	buf_add_char(out, '}');
}

const struct codec codec_json = {
	.format = FORMAT_JSON,
	.decode = decode,
	.encode = encode,
};
