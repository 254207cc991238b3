#include <limits.h>
#include <uv.h>

#include "codec_priv.h"
#include "m2m/transcode.h"
#include "m2m/xml.h"
#include "m2m/xml_read.h"
#include "m2m/xml_value.h"
#include "m2m/xml_write.h"

/*
 * TS-0004 8.3: m2m:rqp or m2m:rsp around the parameters. pc keeps the octets
 * of the element in it. What the envelope declared above it, prefixes and
 * default namespace, is added to its start tag then, so that the content can
 * stand alone; nothing else of it changes.
 */
#define MAX_FIXES (PARAM_COUNT + PRIM_MAX_EXTRAS + 1)

struct decoder {
	struct codec_reading r;
	struct xml_doc doc;
	struct xml_reader x;		/* writes to out->store */

	/* text in the store, which may still move */
	struct {
		struct str *text;
		size_t from;
	} fix[MAX_FIXES];
	unsigned fix_count;
};

/* Content in a primitive has m2m declared above it. */
static const struct xml_scope envelope = { STR_INIT("m2m"), NULL };

static const struct xml_type *type_of(const struct prim *p)
{
	return p->kind == PRIM_REQUEST ? &xml_request : &xml_response;
}

/* text becomes what the store holds from there on. */
static void keep_from(struct decoder *d, struct str *text, size_t from)
{
	text->len = d->r.out->store.len - from;
	d->fix[d->fix_count].text = text;
	d->fix[d->fix_count++].from = from;
}

static void settle_store(struct decoder *d)
{
	for (unsigned i = 0; i < d->fix_count; i++)
		d->fix[i].text->p = d->r.out->store.p + d->fix[i].from;
}

static bool is_within(struct str part, struct str whole)
{
	return part.p >= whole.p && part.p <= whole.p + whole.len;
}

static const struct xml_attr *attr_of(const struct decoder *d,
				      struct str name)
{
	const struct xml_type *t = type_of(d->r.out);
	int row = xml_find_row(t, name);

	return row >= 0 ? xml_row(t, row) : xml_find_loose(t, name);
}

static int read_json(struct decoder *d, struct str *text, uint32_t i,
		     struct str name)
{
	size_t from = d->r.out->store.len;
	int err = xml_read_value(&d->x, attr_of(d, name), i);

	if (err == 0)
		keep_from(d, text, from);
	return err;
}

static void set_text(struct decoder *d, enum prim_param id, struct str text)
{
	size_t from = d->r.out->store.len;

	prim_set_str(d->r.out, id, text);
	if (is_within(text, d->doc.text))
		return;
	xml_put(&d->x.out, text);
	keep_from(d, &d->r.out->param[id].text, from);
}

static void set_number(struct decoder *d, enum prim_param id, struct str text)
{
	size_t from = d->r.out->store.len;

	if (!xml_put_number(&d->x.out, text)) {
		set_text(d, id, text);
		return;
	}
	prim_set(d->r.out, id, VALUE_NUMBER, text);
	keep_from(d, &d->r.out->param[id].text, from);
}

static void set_bool(struct decoder *d, enum prim_param id, struct str text)
{
	const char *word = xml_bool(text);

	if (word != NULL)
		prim_set(d->r.out, id, VALUE_BOOL, str_of(word));
	else
		set_text(d, id, text);
}

/* An empty element is null, as if it was not there; but for rqi, which is
 * empty where a request had none. */
static void read_scalar(struct decoder *d, enum prim_param id, uint32_t i)
{
	struct xml_tag tag;
	struct str text;

	xml_doc_tag(&tag, &d->doc, i);
	text = xml_text(&tag, &d->x.scratch);
	if (text.len == 0 && id != PARAM_RQI)
		return;
	switch (prim_params[id].type) {
	case TYPE_NUMBER:
		set_number(d, id, text);
		break;
	case TYPE_BOOL:
		set_bool(d, id, text);
		break;
	default:
		set_text(d, id, text);
		break;
	}
}

static int read_param(struct decoder *d, enum prim_param id, uint32_t i)
{
	enum prim_type type = prim_params[id].type;

	if (!codec_is_new(&d->r, id))
		return 0;
	if (type != TYPE_STRINGS && type != TYPE_OBJECT &&
	    d->doc.nodes[i].size == 1) {
		read_scalar(d, id, i);
		return 0;
	}
	prim_set(d->r.out, id, VALUE_JSON, STR(""));
	return read_json(d, &d->r.out->param[id].text, i,
			 prim_params[id].name);
}

static int read_extra(struct decoder *d, struct str name, uint32_t i)
{
	struct prim *p = d->r.out;
	unsigned count = p->extra_count;

	codec_add_extra(&d->r, name, STR(""));
	if (p->extra_count == count)
		return 0;
	return read_json(d, &p->extra[count].json, i, name);
}

static bool is_declaration(struct str name)
{
	return str_eq(name, STR("xmlns")) || str_starts(name, STR("xmlns:"));
}

static bool declares(const struct xml_tag *tag, struct str want)
{
	struct str name, value;
	const char *at = tag->attrs;

	while (xml_next_attr(&name, &value, &at))
		if (str_eq(name, want))
			return true;
	return false;
}

/* Declarations of `of` that neither `inner` nor `between` makes anew. */
static void add_declarations(struct xml_out *out, const struct xml_tag *of,
			     const struct xml_tag *between,
			     const struct xml_tag *inner)
{
	struct str name, value;
	const char *at = of->attrs;

	while (xml_next_attr(&name, &value, &at)) {
		if (!is_declaration(name) || declares(inner, name) ||
		    (between != NULL && declares(between, name)))
			continue;
		xml_put_char(out, ' ');
		xml_put(out, name);
		xml_put_char(out, '=');
		xml_put(out, (struct str){ value.p - 1, value.len + 2 });
	}
}

static void set_content(struct decoder *d, uint32_t pc, uint32_t i)
{
	const char *from = d->doc.text.p + d->doc.nodes[i].at;
	struct str whole = str_range(from, xml_skip_element(from));
	struct xml_out *out = &d->x.out;
	size_t start = out->buf->len, added;
	struct xml_tag root, around, tag;

	xml_doc_tag(&root, &d->doc, 0);
	xml_doc_tag(&around, &d->doc, pc);
	xml_doc_tag(&tag, &d->doc, i);
	d->r.out->content = whole;
	d->r.out->content_format = FORMAT_XML;
	xml_put(out, str_range(from, tag.attrs));
	added = out->buf->len;
	add_declarations(out, &around, NULL, &tag);
	add_declarations(out, &root, &around, &tag);
	if (out->buf->len == added) {
		out->buf->len = start;
		return;
	}
	xml_put(out, str_skip(whole, (size_t)(tag.attrs - from)));
	keep_from(d, &d->r.out->content, start);
}

/* The root has said whether it is a response. */
static void read_kind(struct decoder *d)
{
	struct prim *p = d->r.out;
	int64_t n;

	if (p->kind == PRIM_REQUEST) {
		if (prim_has(p, PARAM_RSC))
			codec_note_fault(&d->r, ERR_PROTO, "rsc in a request");
		if (!prim_has(p, PARAM_OP))
			codec_note_fault(&d->r, ERR_PROTO, "op is missing");
		if (prim_int(&n, p, PARAM_OP) && n >= OP_CREATE &&
		    n <= OP_NOTIFY)
			p->op = (enum op)n;
	} else if (prim_int(&n, p, PARAM_RSC) && n >= INT_MIN &&
		   n <= INT_MAX) {
		p->rsc = (int)n;
	} else {
		codec_note_fault(&d->r, ERR_PROTO, "rsc is not an integer");
	}
}

/* Of a RETRIEVE or DELETE it is no body, and always looked into. */
static int read_content(struct decoder *d, uint32_t pc)
{
	const struct xml_node *nodes = d->doc.nodes;
	enum op op = d->r.out->op;
	size_t from = d->r.out->store.len;
	int err;

	if (nodes[pc].text)
		codec_note_fault(&d->r, ERR_PROTO, "text within pc");
	if (nodes[pc].size == 1)
		return 0;
	if (nodes[pc + 1].size + 1 != nodes[pc].size)
		codec_note_fault(&d->r, ERR_PROTO,
				 "pc holds more than one element");
	if (op != OP_RETRIEVE && op != OP_DELETE) {
		set_content(d, pc, pc + 1);
		return 0;
	}
	err = xml_read_content(&d->x, pc + 1);
	if (err == 0)
		keep_from(d, &d->r.out->content, from);
	return err;
}

static int read_member(struct decoder *d, uint32_t *pc, uint32_t i)
{
	enum prim_param id;
	struct xml_tag tag;

	xml_doc_tag(&tag, &d->doc, i);
	if (d->doc.nodes[i].ns > XML_NS_M2M) {
		codec_note_fault(&d->r, ERR_PROTO,
				 "parameter of another namespace");
		return 0;
	}
	id = prim_find_param(tag.local);
	if (id != PARAM_COUNT)
		return read_param(d, id, i);
	if (!str_eq(tag.local, STR("pc")))
		return read_extra(d, tag.local, i);
	if (codec_is_new(&d->r, CODEC_SEEN_PC))
		*pc = i;
	return 0;
}

/* op says what to do with pc, which comes before or after it. */
static int read_members(struct decoder *d)
{
	const struct xml_node *nodes = d->doc.nodes;
	uint32_t pc = 0;
	int err = 0;

	if (nodes[0].text)
		codec_note_fault(&d->r, ERR_PROTO, "text between parameters");
	for (uint32_t i = 1; i < nodes[0].size && err == 0; i += nodes[i].size)
		err = read_member(d, &pc, i);
	settle_store(d);
	read_kind(d);
	if (err == 0 && pc > 0)
		err = read_content(d, pc);
	if (err)
		d->r.why = d->x.why;
	return err;
}

/* rqi alone, of a document that may be cut off. */
static void read_rqi(struct decoder *d)
{
	const struct xml_node *nodes = d->doc.nodes;
	uint32_t end = xml_doc_end(&d->doc, 0);

	for (uint32_t i = 1; i < end && nodes[i].size > 0;
	     i += nodes[i].size) {
		struct xml_tag tag;

		xml_doc_tag(&tag, &d->doc, i);
		if (str_eq(tag.local, STR("rqi")) && nodes[i].size == 1 &&
		    !prim_has(d->r.out, PARAM_RQI))
			read_scalar(d, PARAM_RQI, i);
	}
}

static bool read_root(struct decoder *d)
{
	struct xml_tag tag;

	xml_doc_tag(&tag, &d->doc, 0);
	if (d->doc.nodes[0].ns != XML_NS_M2M)
		return false;
	if (str_eq(tag.local, STR("rsp")))
		d->r.out->kind = PRIM_RESPONSE;
	return d->r.out->kind == PRIM_RESPONSE || str_eq(tag.local, STR("rqp"));
}

/* The document is good, as far as XML goes. */
static int read_primitive(struct decoder *d)
{
	int err = 0;

	if (read_root(d))
		err = read_members(d);
	else
		codec_note_fault(&d->r, ERR_PROTO,
				 "neither m2m:rqp nor m2m:rsp");
	read_rqi(d);
	return err ? err : xml_out_fault(&d->x.out, &d->r.why);
}

static int decode(struct prim *out, const char **why,
		  const struct codec_conf *conf, struct str message)
{
	struct xml_out store = { .buf = &out->store };
	struct decoder d = { .r.out = out };
	int err;

	prim_reset(out, PRIM_REQUEST);
	err = xml_doc_read(&d.doc, conf, message, why);
	store.bound = XML_GROWTH * message.len + XML_SPARE - message.len -
		      d.doc.cap * sizeof(*d.doc.nodes);
	xml_reader_init(&d.x, &d.doc, conf, store);
	if (err == 0) {
		err = read_primitive(&d);
		if (err == 0)
			err = d.r.err;
		if (err)
			*why = d.r.why;
	} else if (d.doc.count > 0) {
		(void)read_root(&d);
		read_rqi(&d);
	}
	settle_store(&d);
	xml_reader_deinit(&d.x);
	xml_doc_deinit(&d.doc);
	return err;
}

/* The root element of a document, without what stands before it and without
 * the declaration of m2m, which the envelope has made. */
static void add_root(struct buf *out, struct str xml)
{
	const char *p = memchr(xml.p, '<', xml.len);
	struct xml_tag tag;

	while (p[1] == '?' || p[1] == '!')
		p = memchr(xml_skip_aside(p), '<', xml.len);
	xml_cut_tag(&tag, p);
	buf_add_str(out, str_range(p, tag.attrs));
	p = tag.attrs;
	if (str_starts(str_range(p, xml.p + xml.len), STR(XML_NS_ATTR)))
		p += sizeof(XML_NS_ATTR) - 1;
	buf_add_str(out, str_range(p, xml.p + xml.len));
}

/* JSON of that length makes so much XML at most. */
static struct xml_out bounded(struct buf *out, size_t len)
{
	return (struct xml_out){
		.buf = out,
		.bound = out->len + (XML_GROWTH - 1) * len + XML_SPARE,
	};
}

static int add_json_content(struct buf *out, const char **why,
			    struct str json)
{
	struct xml_writer w;
	int err;

	xml_writer_init(&w, bounded(out, json.len));
	err = xml_write_content(&w, &envelope, json);
	if (err)
		*why = w.why;
	xml_writer_deinit(&w);
	return err;
}

static int add_content(struct buf *out, const char **why,
		       const struct codec_conf *conf, const struct prim *p)
{
	struct buf json = { 0 };
	int err = 0;

	if (p->content.len == 0)
		return 0;
	buf_add_lit(out, "<pc>");
	if (p->content_format == FORMAT_XML) {
		add_root(out, p->content);
	} else if (p->content_format == FORMAT_JSON) {
		err = add_json_content(out, why, p->content);
	} else {
		err = transcode_content(&json, FORMAT_JSON, p->content_format,
					p->op, p->content, conf, why);
		if (err == 0)
			err = add_json_content(out, why, buf_str(&json));
	}
	buf_add_lit(out, "</pc>");
	buf_deinit(&json);
	return err;
}

static int add_json(struct buf *out, const char **why, const struct prim *p,
		    struct str name, struct str json)
{
	struct xml_writer w;
	int err;

	xml_writer_init(&w, bounded(out, json.len));
	err = xml_write_member(&w, &envelope, type_of(p), name, json);
	if (err)
		*why = w.why;
	xml_writer_deinit(&w);
	return err;
}

static int add_scalar(struct buf *out, const char **why, struct str name,
		      struct str text)
{
	struct xml_out to = { .buf = out, .bound = SIZE_MAX };

	buf_add_char(out, '<');
	buf_add_str(out, name);
	buf_add_char(out, '>');
	if (!xml_put_text(&to, text)) {
		*why = "text that XML cannot carry";
		return ERR_PROTO;
	}
	buf_add_lit(out, "</");
	buf_add_str(out, name);
	buf_add_char(out, '>');
	return 0;
}

static int add_param(struct buf *out, const char **why, const struct prim *p,
		     enum prim_param id)
{
	const struct value *v = &p->param[id];
	struct str name = prim_params[id].name;
	struct buf digits = { 0 };
	int err;

	if (id == PARAM_OP && p->op != OP_NONE)
		buf_add_i64(&digits, p->op);
	else if (id == PARAM_RSC && p->kind == PRIM_RESPONSE)
		buf_add_i64(&digits, p->rsc);
	else if (v->type == VALUE_JSON)
		return add_json(out, why, p, name, v->text);
	err = add_scalar(out, why, name,
			 digits.len > 0 ? buf_str(&digits) : v->text);
	buf_deinit(&digits);
	return err;
}

static int add_members(struct buf *out, const char **why,
		       const struct codec_conf *conf, const struct prim *p)
{
	const struct xml_type *t = type_of(p);
	enum prim_param params[PARAM_COUNT];
	unsigned count = codec_list_params(params, p);
	int err = 0;

	/* in the order of the schema, then what has no place there */
	for (int row = 0; row < (int)xml_row_count(t) && err == 0; row++) {
		struct str name = xml_row(t, row)->name;

		if (str_eq(name, STR("pc")))
			err = add_content(out, why, conf, p);
		for (unsigned i = 0; i < count && err == 0; i++)
			if (str_eq(prim_params[params[i]].name, name))
				err = add_param(out, why, p, params[i]);
	}
	for (unsigned i = 0; i < count && err == 0; i++)
		if (xml_find_row(t, prim_params[params[i]].name) < 0)
			err = add_param(out, why, p, params[i]);
	for (unsigned i = 0; i < p->extra_count && err == 0; i++)
		err = add_json(out, why, p, p->extra[i].name,
			       p->extra[i].json);
	return err;
}

static int encode(struct buf *out, const char **why,
		  const struct codec_conf *conf, const struct prim *p)
{
	bool request = p->kind == PRIM_REQUEST;
	size_t from = out->len;
	int err;

	buf_add_lit(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	buf_add_str(out, request ? STR("<m2m:rqp" XML_NS_ATTR ">") :
				   STR("<m2m:rsp" XML_NS_ATTR ">"));
	err = add_members(out, why, conf, p);
	buf_add_str(out, request ? STR("</m2m:rqp>") : STR("</m2m:rsp>"));
	return codec_encoded(out, from, err, why);
}

const struct codec codec_xml = {
	.format = FORMAT_XML,
	.decode = decode,
	.encode = encode,
};
