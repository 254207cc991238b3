#include <limits.h>
#include <uv.h>

#include "codec_priv.h"
#include "m2m/json.h"
#include "m2m/transcode.h"

/*
 * TS-0004 8.4: a primitive is an object without a wrapper. Decoding is one
 * pass that cuts slices; only text with escapes is made anew, in out->store,
 * which is given the room of the whole message at the first one, so that it
 * never moves under a slice.
 */
struct decoder {
	struct codec_reading r;
	size_t room;		/* octets that decoded text can need */
	struct jscan scan;
};

static int unescape(struct str *out, struct decoder *d, struct str inside)
{
	struct buf *store = &d->r.out->store;
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
		prim_set_str(d->r.out, id, text);
		break;
	case JSCAN_NUMBER:
		prim_set(d->r.out, id, VALUE_NUMBER, v->raw);
		break;
	case JSCAN_TRUE:
	case JSCAN_FALSE:
		prim_set(d->r.out, id, VALUE_BOOL, v->raw);
		break;
	case JSCAN_ARRAY:
	case JSCAN_OBJECT:
		prim_set(d->r.out, id, VALUE_JSON, v->raw);
		break;
	case JSCAN_NULL:
		break;
	}
	return 0;
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
		return codec_is_new(&d->r, id) ? read_param(d, id, value) : 0;
	if (!str_eq(text, STR("pc")))
		codec_add_extra(&d->r, text, value->raw);
	else if (codec_is_new(&d->r, CODEC_SEEN_PC) &&
		 value->type != JSCAN_NULL)
		d->r.out->content = value->raw;
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
		    codec_is_new(&d->r, PARAM_RQI))
			err = read_param(d, PARAM_RQI, &value);
	}
	return err;
}

static int decode(struct prim *out, const char **why,
		  const struct codec_conf *conf, struct str message)
{
	struct decoder d = { .r.out = out, .room = message.len };
	struct str wrapped;
	int err;

	prim_reset(out, PRIM_REQUEST);
	jscan_init(&d.scan, message, conf->max_depth, conf->max_tokens);
	err = read_members(&d);
	if (err == 0) {
		wrapped = codec_read_kind(&d.r);
		if (wrapped.p != NULL)
			err = read_wrapped_rqi(&d, wrapped);
	}
	if (err) {
		/* what was to be a response is not answered */
		if (prim_has(out, PARAM_RSC))
			out->kind = PRIM_RESPONSE;
		*why = d.scan.why;
		return err;
	}
	if (d.r.err)
		*why = d.r.why;
	return d.r.err;
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

static int encode(struct buf *out, const char **why,
		  const struct codec_conf *conf, const struct prim *p)
{
	enum prim_param params[PARAM_COUNT];
	unsigned count = codec_list_params(params, p);
	size_t from = out->len;
	int err = 0;

	for (unsigned i = 0; i < count; i++)
		add_param(out, p, params[i]);
	for (unsigned i = 0; i < p->extra_count; i++) {
		buf_add_lit(out, ",");
		buf_add_json(out, p->extra[i].name);
		buf_add_lit(out, ":");
		buf_add_str(out, p->extra[i].json);
	}
	if (p->content.p != NULL) {
		buf_add_lit(out, ",\"pc\":");
		err = transcode_content(out, FORMAT_JSON, p->content_format,
					p->op, p->content, conf, why);
	}
	if (out->len == from)
		buf_add_char(out, '{');
	else
		out->p[from] = '{';
	buf_add_char(out, '}');
	return codec_encoded(out, from, err, why);
}

const struct codec codec_json = {
	.format = FORMAT_JSON,
	.decode = decode,
	.encode = encode,
};
