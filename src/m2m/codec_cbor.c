#include <limits.h>
#include <uv.h>

#include "cbor_priv.h"
#include "codec_priv.h"
#include "m2m/transcode.h"

/*
 * TS-0004 8.5: the bare object of JSON as a map. Digits, lists and objects of
 * the envelope become JSON text in out->store, which gets its room at once, so
 * that it never moves under a slice; pc stays as it came.
 */
struct decoder {
	struct codec_reading r;
	struct cscan scan;
	struct json_sink sink;
};

/* Why the last step of either failed. */
static const char *why_of(const struct decoder *d)
{
	return d->scan.err ? d->scan.why : d->sink.why;
}

static int read_json(struct str *out, struct decoder *d,
		     const struct cscan_token *t)
{
	struct buf *store = &d->r.out->store;
	size_t from = store->len;
	int err = json_sink_add_item(&d->sink, &d->scan, t);

	if (!err)
		*out = str_skip(buf_str(store), from);
	return err;
}

static int read_param(struct decoder *d, enum prim_param id,
		      const struct cscan_token *t)
{
	enum value_type type = VALUE_STRING;
	struct str text;
	int err = 0;

	switch (t->type) {
	case CSCAN_TEXT:
		err = json_sink_add_text(&text, &d->sink, t);
		break;
	case CSCAN_UINT:
	case CSCAN_NINT:
	case CSCAN_FLOAT:
		type = VALUE_NUMBER;
		err = json_sink_add_number(&text, &d->sink, t);
		break;
	case CSCAN_FALSE:
	case CSCAN_TRUE:
		type = VALUE_BOOL;
		text = t->type == CSCAN_TRUE ? STR("true") : STR("false");
		break;
	case CSCAN_ARRAY:
	case CSCAN_MAP:
		type = VALUE_JSON;
		err = read_json(&text, d, t);
		break;
	case CSCAN_NULL:
	case CSCAN_END:
		return 0;
	}
	if (!err)
		prim_set(d->r.out, id, type, text);
	return err;
}

static int read_content(struct decoder *d, const char *from,
			const struct cscan_token *t)
{
	int err = cscan_skip(&d->scan, t);

	if (err || !codec_is_new(&d->r, CODEC_SEEN_PC) ||
	    t->type == CSCAN_NULL)
		return err;
	d->r.out->content = str_range(from, d->scan.p);
	d->r.out->content_format = FORMAT_CBOR;
	return 0;
}

static int read_extra(struct decoder *d, struct str name,
		      const struct cscan_token *t)
{
	struct str json;
	int err = read_json(&json, d, t);

	if (!err)
		codec_add_extra(&d->r, name, json);
	return err;
}

static int read_member(struct decoder *d, const struct cscan_token *name)
{
	struct cscan_token value;
	enum prim_param id;
	const char *from;
	struct str text;
	int err = json_sink_add_text(&text, &d->sink, name);

	if (err)
		return err;
	from = d->scan.p;
	err = cscan_next(&value, &d->scan);
	if (err)
		return err;
	id = prim_find_param(text);
	if (id != PARAM_COUNT)
		return codec_is_new(&d->r, id) ?
			       read_param(d, id, &value) :
			       cscan_skip(&d->scan, &value);
	return str_eq(text, STR("pc")) ? read_content(d, from, &value) :
					 read_extra(d, text, &value);
}

static int read_members(struct decoder *d)
{
	struct cscan_token t;
	int err = cscan_next(&t, &d->scan);

	if (!err && t.type != CSCAN_MAP) {
		d->sink.why = "not a map";
		return ERR_PROTO;
	}
	while (!err) {
		err = cscan_next(&t, &d->scan);
		if (err || t.type == CSCAN_END)
			break;
		err = read_member(d, &t);
	}
	if (!err && d->scan.p != d->scan.end) {
		d->sink.why = "octets follow the primitive";
		err = ERR_PROTO;
	}
	return err;
}

/* As far as it stands there plainly. */
static void read_wrapped_rqi(struct decoder *d, struct str json)
{
	struct jscan_value name, value;
	struct jscan s;

	jscan_init(&s, json, JSCAN_DEPTH_MAX, UINT_MAX);
	if (jscan_enter(&s, JSCAN_OBJECT) != 0)
		return;
	for (bool first = true; jscan_next(&name, &value, &s, first) > 0;
	     first = false)
		if (str_eq(name.raw, STR("rqi")) &&
		    value.type == JSCAN_STRING && !value.escaped &&
		    codec_is_new(&d->r, PARAM_RQI))
			prim_set_str(d->r.out, PARAM_RQI,
				     jscan_inside(&value));
}

/* Never a body, always to be looked into. */
static int content_as_json(struct decoder *d)
{
	struct prim *p = d->r.out;
	struct cscan_token first;

	if ((p->op != OP_RETRIEVE && p->op != OP_DELETE) ||
	    p->kind == PRIM_RESPONSE || p->content.p == NULL)
		return 0;
	/* it has been counted, and is well nested */
	cscan_init(&d->scan, p->content, CSCAN_DEPTH_MAX, UINT_MAX);
	p->content_format = FORMAT_JSON;
	p->content = (struct str){ NULL, 0 };
	return cscan_next(&first, &d->scan) ||
	       read_json(&p->content, d, &first) ? ERR_LIMIT : 0;
}

static int decode(struct prim *out, const char **why,
		  const struct codec_conf *conf, struct str message)
{
	struct decoder d;
	struct str wrapped;
	int err;

	d.r = (struct codec_reading){ .out = out };
	prim_reset(out, PRIM_REQUEST);
	cscan_init(&d.scan, message, conf->max_depth, conf->max_tokens);
	err = json_sink_init(&d.sink, &out->store, message.len);
	if (!err)
		err = read_members(&d);
	if (!err) {
		wrapped = codec_read_kind(&d.r);
		read_wrapped_rqi(&d, wrapped);
		err = content_as_json(&d);
	}
	if (err) {
		/* what was to be a response is not answered */
		if (prim_has(out, PARAM_RSC))
			out->kind = PRIM_RESPONSE;
		*why = why_of(&d);
		return err;
	}
	if (d.r.err)
		*why = d.r.why;
	return d.r.err;
}

static void add_integer(struct buf *out, int64_t n)
{
	if (n < 0)
		cbor_add_head(out, CBOR_NINT, (uint64_t)-(n + 1));
	else
		cbor_add_head(out, CBOR_UINT, (uint64_t)n);
}

static int add_value(struct buf *out, const char **why,
		     const struct codec_conf *conf, const struct value *v)
{
	switch (v->type) {
	case VALUE_STRING:
		cbor_add_text(out, v->text);
		return 0;
	case VALUE_NUMBER:
		return cbor_add_number(out, v->text, why);
	case VALUE_BOOL:
		buf_add_char(out, str_eq(v->text, STR("true")) ? CBOR_TRUE :
								 CBOR_FALSE);
		return 0;
	case VALUE_JSON:
		break;
	}
	return json_to_cbor(out, conf, v->text, why);
}

static int add_param(struct buf *out, const char **why,
		     const struct codec_conf *conf, const struct prim *p,
		     enum prim_param id)
{
	cbor_add_text(out, prim_params[id].name);
	if (id == PARAM_OP && p->op != OP_NONE)
		add_integer(out, p->op);
	else if (id == PARAM_RSC && p->kind == PRIM_RESPONSE)
		add_integer(out, p->rsc);
	else if (id == PARAM_RQI)
		cbor_add_text(out, p->param[id].text);
	else
		return add_value(out, why, conf, &p->param[id]);
	return 0;
}

static int encode(struct buf *out, const char **why,
		  const struct codec_conf *conf, const struct prim *p)
{
	enum prim_param params[PARAM_COUNT];
	unsigned count = codec_list_params(params, p);
	size_t from = out->len;
	int err = 0;

	cbor_add_head(out, CBOR_MAP,
		      count + p->extra_count + (p->content.p != NULL));
	for (unsigned i = 0; i < count && !err; i++)
		err = add_param(out, why, conf, p, params[i]);
	for (unsigned i = 0; i < p->extra_count && !err; i++) {
		cbor_add_text(out, p->extra[i].name);
		err = json_to_cbor(out, conf, p->extra[i].json, why);
	}
	if (p->content.p != NULL && !err) {
		cbor_add_text(out, STR("pc"));
		err = transcode_content(out, FORMAT_CBOR, p->content_format,
					p->op, p->content, conf, why);
	}
	return codec_encoded(out, from, err, why);
}

const struct codec codec_cbor = {
	.format = FORMAT_CBOR,
	.decode = decode,
	.encode = encode,
};
