#include "m2m/xml_read.h"

#include <uv.h>

#include "m2m/json.h"
#include "m2m/xml.h"
#include "m2m/xml_group.h"
#include "m2m/xml_value.h"

static int read_object(struct xml_reader *r, const struct xml_type *t,
		       uint32_t i);

static int fail(struct xml_reader *r, int err, const char *why)
{
	r->why = why;
	return err;
}

static int take_token(struct xml_reader *r)
{
	if (r->tokens == 0)
		return fail(r, ERR_LIMIT, "too many values");
	r->tokens--;
	return 0;
}

static int open_bracket(struct xml_reader *r, char c)
{
	if (r->depth == r->max_depth)
		return fail(r, ERR_LIMIT, "nested too deeply");
	r->depth++;
	xml_put_char(&r->out, c);
	return take_token(r);
}

static void close_bracket(struct xml_reader *r, char c)
{
	r->depth--;
	xml_put_char(&r->out, c);
}

/* Before a member or a value of an array. */
static void add_comma(struct xml_reader *r)
{
	const struct buf *out = r->out.buf;
	char last = out->len > 0 ? out->p[out->len - 1] : '[';

	if (last != '{' && last != '[')
		xml_put_char(&r->out, ',');
}

static int add_name(struct xml_reader *r, struct str prefix, struct str local)
{
	add_comma(r);
	xml_put_char(&r->out, '"');
	if (prefix.len > 0) {
		xml_put(&r->out, prefix);
		xml_put_char(&r->out, ':');
	}
	xml_put(&r->out, local);
	xml_put(&r->out, STR("\":"));
	return take_token(r);
}

static int add_words(struct xml_reader *r, struct str text, bool numbers)
{
	struct str word;
	int err = 0;

	while (err == 0 && xml_cut_word(&word, &text)) {
		add_comma(r);
		err = take_token(r);
		if (!numbers || !xml_put_number(&r->out, word))
			xml_put_json(&r->out, word);
	}
	return err;
}

/* An element may hold a list where the standard has one number, but not within
 * a list. */
static int add_number(struct xml_reader *r, bool in_list, struct str text)
{
	struct str rest = text, word, scrap;
	int err;

	if (xml_put_number(&r->out, text))
		return take_token(r);
	scrap = rest;
	if (in_list || !xml_cut_word(&word, &scrap) ||
	    !xml_cut_word(&word, &scrap)) {
		xml_put_json(&r->out, text);
		return take_token(r);
	}
	err = open_bracket(r, '[');
	if (err == 0)
		err = add_words(r, rest, true);
	close_bracket(r, ']');
	return err;
}

/* A list holds no null. */
static int add_empty(struct xml_reader *r, const struct xml_attr *a,
		     bool in_list)
{
	enum xml_form form = a != NULL ? a->form : XML_TEXT;
	bool deleted = r->update && r->level == 1 && form != XML_ANY;

	if (!in_list && (deleted || form == XML_NUMBER || form == XML_BOOL ||
			 (a != NULL && str_eq(a->name, STR("cr")))))
		xml_put(&r->out, STR("null"));
	else if (form == XML_OBJECT && r->depth == r->max_depth)
		return fail(r, ERR_LIMIT, "nested too deeply");
	else
		xml_put(&r->out, form == XML_OBJECT ? STR("{}") : STR("\"\""));
	return take_token(r);
}

/* Text that is not empty, of a type that is no list. */
static int add_text(struct xml_reader *r, const struct xml_attr *a,
		    bool guess, bool in_list, struct str text)
{
	const char *word = NULL;

	if (a != NULL && a->form == XML_NUMBER)
		return add_number(r, in_list, text);
	if (a != NULL && a->form == XML_BOOL)
		word = xml_bool(text);
	if (word != NULL)
		xml_put(&r->out, str_of(word));
	else if (a == NULL && guess && xml_looks_typed(text))
		xml_put(&r->out, text);
	else
		xml_put_json(&r->out, text);
	return take_token(r);
}

/* Of XML itself and of schemas: no part of what is said. */
static bool is_ignored(struct str name)
{
	return memchr(name.p, ':', name.len) != NULL ||
	       str_eq(name, STR("xmlns"));
}

static bool has_attrs(const struct xml_tag *tag)
{
	struct str name, value;
	const char *at = tag->attrs;

	while (xml_next_attr(&name, &value, &at))
		if (!is_ignored(name))
			return true;
	return false;
}

static bool has_attr(const struct xml_tag *tag, struct str want)
{
	struct str name, value;
	const char *at = tag->attrs;

	while (xml_next_attr(&name, &value, &at))
		if (str_eq(name, want))
			return true;
	return false;
}

static bool is_list(const struct xml_attr *a)
{
	return a != NULL && (a->form == XML_WORDS || a->form == XML_NUMBERS);
}

/* xs:anyType: what has elements is kept as it is written. */
static int read_any(struct xml_reader *r, const struct xml_tag *tag,
		    uint32_t i)
{
	const struct xml_doc *d = r->d;

	if (d->nodes[i].size > 1)
		xml_put_json(&r->out,
			     xml_inside(tag, d->text.p + d->nodes[i].at));
	else
		xml_put_json(&r->out, xml_text(tag, &r->scratch));
	return take_token(r);
}

static int read_one(struct xml_reader *r, const struct xml_attr *a, bool guess,
		    bool in_list, uint32_t i)
{
	const struct xml_type *t = guess ? &xml_custom : &xml_unknown;
	const struct xml_node *node = &r->d->nodes[i];
	struct xml_tag tag;
	struct str text;

	xml_doc_tag(&tag, r->d, i);
	if (a != NULL && a->form == XML_ANY)
		return read_any(r, &tag, i);
	if (a != NULL && a->form == XML_OBJECT)
		t = a->type;
	if (node->size > 1 || t->inside || has_attrs(&tag))
		return read_object(r, t, i);
	text = xml_text(&tag, &r->scratch);
	if (text.len == 0 || (!node->text && a != NULL && a->form != XML_TEXT))
		return add_empty(r, a, in_list);
	return add_text(r, a, guess, in_list, text);
}

/* All elements of one name, from the first on. */
static int read_array(struct xml_reader *r, const struct xml_type *t,
		      const struct xml_member *m)
{
	const struct xml_node *nodes = r->d->nodes;
	uint32_t left = m->count;
	int err = open_bracket(r, '[');

	for (uint32_t i = m->at; left > 0 && err == 0; i += nodes[i].size) {
		struct xml_tag tag;

		if (nodes[i].group != nodes[m->at].group)
			continue;
		left--;
		if (!is_list(m->attr)) {
			add_comma(r);
			err = read_one(r, m->attr, t->guess, true, i);
			continue;
		}
		if (nodes[i].size > 1)
			return fail(r, ERR_PROTO, "elements within a list");
		xml_doc_tag(&tag, r->d, i);
		err = add_words(r, xml_text(&tag, &r->scratch),
				m->attr->form == XML_NUMBERS);
	}
	close_bracket(r, ']');
	return err;
}

/* Empty, so that an UPDATE deletes it. */
static bool is_deleted(const struct xml_reader *r, const struct xml_member *m)
{
	const struct xml_node *node = &r->d->nodes[m->at];
	struct xml_tag tag;

	if (!r->update || r->level != 1 || node->size > 1 || node->text)
		return false;
	xml_doc_tag(&tag, r->d, m->at);
	return !has_attrs(&tag);
}

/* A global element that is no resource, as m2m:uri, is one value wherever it
 * stands: JSON has no list of it. */
static bool is_single(const struct xml_member *m)
{
	return m->prefix.len > 0 && m->attr != NULL &&
	       m->attr->form != XML_OBJECT;
}

static bool is_array(const struct xml_reader *r, const struct xml_type *t,
		     const struct xml_member *m)
{
	const struct xml_attr *a = m->attr;
	const struct xml_node *node = &r->d->nodes[m->at];
	bool always = is_list(a) || (a != NULL && (a->flags & XML_MANY) != 0);

	if (m->prefix.len > 0 && t->globals == XML_GLOBALS_MANY &&
	    !is_single(m) && (node->ns == XML_NS_M2M || !node->text))
		return true;
	return m->count > 1 || (always && !is_deleted(r, m));
}

static bool may_repeat(const struct xml_type *t, const struct xml_member *m)
{
	return is_list(m->attr) ||
	       (m->attr != NULL && (m->attr->flags & XML_MANY) != 0) ||
	       (m->row < 0 && t->globals != XML_GLOBALS_ONE && !is_single(m));
}

static int read_member(struct xml_reader *r, const struct xml_type *t,
		       const struct xml_member *m)
{
	int err = add_name(r, m->prefix, m->local);

	if (err)
		return err;
	if (m->count > 1 && !may_repeat(t, m))
		return fail(r, ERR_PROTO, "one name twice");
	return is_array(r, t, m) ?
		       read_array(r, t, m) :
		       read_one(r, m->attr, t->guess, false, m->at);
}

/* The XML attributes of the standard: all of them text but for typ. */
static bool is_attr(struct str name)
{
	return str_eq(name, STR("rn")) || str_eq(name, STR("nm")) ||
	       str_eq(name, STR("typ")) || str_eq(name, STR("spty"));
}

static int read_attrs(struct xml_reader *r, const struct xml_tag *tag)
{
	static const struct xml_attr typ = { .form = XML_NUMBER };
	const char *at = tag->attrs;
	struct str name, value;
	int err = 0;

	while (err == 0 && xml_next_attr(&name, &value, &at)) {
		if (is_ignored(name))
			continue;
		if (!is_attr(name))
			return fail(r, ERR_PROTO, "unknown XML attribute");
		err = add_name(r, STR(""), name);
		if (err)
			return err;
		value = xml_attr_text(value, &r->scratch);
		err = add_text(r, str_eq(name, STR("typ")) ? &typ : NULL,
			       false, false, value);
	}
	return err;
}

/* Text beside XML attributes. */
static int read_inside(struct xml_reader *r, const struct xml_type *t,
		       const struct xml_tag *tag, bool has_text)
{
	struct str text = xml_text(tag, &r->scratch);
	int err;

	if (text.len == 0 || (!has_text && !t->inside))
		return 0;
	err = add_name(r, STR(""), STR("val"));
	xml_put_json(&r->out, text);
	return err ? err : take_token(r);
}

/* Each name where its first element stands. */
static int read_elements(struct xml_reader *r, const struct xml_type *t,
			 const struct xml_tag *tag, uint32_t i)
{
	const struct xml_node *nodes = r->d->nodes;
	uint32_t end = xml_doc_end(r->d, i);
	struct xml_groups all;
	int err = xml_group_elements(&all, r->d, t, i);

	if (err)
		return fail(r, err, "too many unknown names");
	for (uint32_t c = i + 1; c < end && err == 0; c += nodes[c].size) {
		const struct xml_group *g = &all.of[nodes[c].group];
		struct xml_member m;

		if (g->first != c)
			continue;
		xml_find_member(&m, r->d, t, c);
		m.count = g->count;
		if (m.prefix.len == 0 && has_attr(tag, m.local))
			return fail(r, ERR_PROTO, "one name twice");
		err = read_member(r, t, &m);
	}
	return err;
}

static int read_members(struct xml_reader *r, const struct xml_type *t,
			uint32_t i)
{
	const struct xml_node *node = &r->d->nodes[i];
	struct xml_tag tag;
	int err;

	xml_doc_tag(&tag, r->d, i);
	err = read_attrs(r, &tag);
	if (err)
		return err;
	if (node->size == 1)
		return read_inside(r, t, &tag, node->text);
	if (node->text)
		return fail(r, ERR_PROTO, "text between elements");
	return read_elements(r, t, &tag, i);
}

static int read_object(struct xml_reader *r, const struct xml_type *t,
		       uint32_t i)
{
	int err = open_bracket(r, '{');

	if (err)
		return err;
	r->level++;
	err = read_members(r, t, i);
	r->level--;
	close_bracket(r, '}');
	return err;
}

void xml_reader_init(struct xml_reader *r, const struct xml_doc *d,
		     const struct codec_conf *conf, struct xml_out out)
{
	*r = (struct xml_reader){
		.d = d,
		.out = out,
		.max_depth = conf->max_depth < JSCAN_DEPTH_MAX ?
				     conf->max_depth : JSCAN_DEPTH_MAX,
		.tokens = conf->max_tokens,
	};
}

void xml_reader_deinit(struct xml_reader *r)
{
	buf_deinit(&r->scratch);
}

static int fault_of(struct xml_reader *r)
{
	if (r->scratch.failed)
		return fail(r, UV_ENOMEM, "out of memory");
	return xml_out_fault(&r->out, &r->why);
}

int xml_read_value(struct xml_reader *r, const struct xml_attr *a, uint32_t i)
{
	struct xml_member m = { .at = i, .count = 1, .attr = a };
	int err = is_list(a) ? read_array(r, &xml_unknown, &m) :
			       read_one(r, a, false, false, i);

	return err ? err : fault_of(r);
}

int xml_read_content(struct xml_reader *r, uint32_t i)
{
	static const struct xml_type root = { .globals = XML_GLOBALS_ONE };
	struct xml_member m;
	int err = open_bracket(r, '{');

	xml_find_member(&m, r->d, &root, i);
	if (err == 0)
		err = read_member(r, &root, &m);
	close_bracket(r, '}');
	return err ? err : fault_of(r);
}

int xml_to_json(struct buf *out, const struct codec_conf *conf, enum op op,
		struct str xml, const char **why)
{
	struct xml_out to = { .buf = out, .bound = out->len };
	struct xml_doc d = { .count = 0 };
	size_t from = out->len;
	struct xml_reader r;
	int err = xml_doc_read(&d, conf, xml, why);

	if (err == 0) {
		/* all that the index and the scratch can take is off */
		to.bound += XML_GROWTH * xml.len + XML_SPARE - xml.len -
			    d.cap * sizeof(*d.nodes);
		xml_reader_init(&r, &d, conf, to);
		r.update = op == OP_UPDATE;
		err = xml_read_content(&r, 0);
		if (err)
			*why = r.why;
		xml_reader_deinit(&r);
	}
	xml_doc_deinit(&d);
	if (err)
		out->len = from;
	return err;
}

bool xml_may_have_pieces(struct str xml)
{
	for (size_t i = 0; i < xml.len; i++)
		if (xml.p[i] == '&' ||
		    (xml.p[i] == '<' && i + 1 < xml.len &&
		     (xml.p[i + 1] == '!' || xml.p[i + 1] == '?')))
			return true;
	return false;
}

int xml_check(const struct codec_conf *conf, struct str xml, const char **why)
{
	struct xml_doc d = { .count = 0 };
	int err = xml_doc_read(&d, conf, xml, why);

	xml_doc_deinit(&d);
	return err;
}
