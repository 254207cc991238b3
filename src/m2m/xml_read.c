#include "m2m/xml_read.h"

#include <uv.h>

#include "m2m/json.h"
#include "m2m/xml.h"
#include "m2m/xml_value.h"

/*
 * Each element costs a step per distinct name among its siblings at most, as
 * repeated ones are gathered into one array; so there is a limit on names that
 * no table knows.
 */
#define MAX_UNKNOWN 128

#define NONE UINT32_MAX

/* The first element of each name within one object. */
struct members {
	const struct xml_type *type;
	struct xml_tag tag;	/* of the object */
	uint32_t end;		/* of its elements */
	uint32_t row[XML_MAX_ROWS];
	uint32_t unknown[MAX_UNKNOWN];
	unsigned unknown_count;
};

/* What an element is within the object around it. */
struct member {
	uint32_t at;
	struct str prefix, local;	/* prefix: of its JSON name */
	const struct xml_attr *attr;	/* NULL: unknown */
	int row;			/* negative: none in this type */
};

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

/* An element may hold a list where the standard has one number. */
static int add_number(struct xml_reader *r, struct str text)
{
	struct str rest = text, word, scrap;
	int err;

	if (xml_put_number(&r->out, text))
		return take_token(r);
	scrap = rest;
	if (!xml_cut_word(&word, &scrap) || !xml_cut_word(&word, &scrap)) {
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
		    bool guess, struct str text)
{
	const char *word = NULL;

	if (a != NULL && a->form == XML_NUMBER)
		return add_number(r, text);
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
	return add_text(r, a, guess, text);
}

static bool same_name(const struct xml_doc *d, const struct member *a,
		      uint32_t i)
{
	const struct xml_node *x = &d->nodes[a->at], *y = &d->nodes[i];
	struct xml_tag tag;

	if (x->ns != y->ns &&
	    (a->row < 0 || x->ns > XML_NS_M2M || y->ns > XML_NS_M2M))
		return false;
	xml_doc_tag(&tag, d, i);
	return str_eq(a->local, tag.local);
}

/* All elements of one name, from the first on. */
static int read_array(struct xml_reader *r, const struct members *all,
		      const struct member *m)
{
	int err = open_bracket(r, '[');

	for (uint32_t i = m->at; i < all->end && err == 0;
	     i += r->d->nodes[i].size) {
		struct xml_tag tag;

		if (!same_name(r->d, m, i))
			continue;
		if (!is_list(m->attr)) {
			add_comma(r);
			err = read_one(r, m->attr, all->type->guess, true, i);
			continue;
		}
		xml_doc_tag(&tag, r->d, i);
		if (r->d->nodes[i].size > 1)
			return fail(r, ERR_PROTO, "elements within a list");
		err = add_words(r, xml_text(&tag, &r->scratch),
				m->attr->form == XML_NUMBERS);
	}
	close_bracket(r, ']');
	return err;
}

static bool is_repeated(const struct xml_reader *r, const struct members *all,
			const struct member *m)
{
	const struct xml_node *nodes = r->d->nodes;

	for (uint32_t i = m->at + nodes[m->at].size; i < all->end;
	     i += nodes[i].size)
		if (same_name(r->d, m, i))
			return true;
	return false;
}

/* Empty, so that an UPDATE deletes it. */
static bool is_deleted(const struct xml_reader *r, const struct member *m)
{
	const struct xml_node *node = &r->d->nodes[m->at];
	struct xml_tag tag;

	if (!r->update || r->level != 1 || node->size > 1 || node->text)
		return false;
	xml_doc_tag(&tag, r->d, m->at);
	return !has_attrs(&tag);
}

static bool may_repeat(const struct members *all, const struct member *m)
{
	return is_list(m->attr) ||
	       (m->attr != NULL && (m->attr->flags & XML_MANY) != 0) ||
	       (m->row < 0 && all->type->globals != XML_GLOBALS_ONE);
}

static bool is_array(const struct xml_reader *r, const struct members *all,
		     const struct member *m)
{
	const struct xml_attr *a = m->attr;
	const struct xml_node *node = &r->d->nodes[m->at];
	bool always = is_list(a) || (a != NULL && (a->flags & XML_MANY) != 0);

	if (m->prefix.len > 0 && all->type->globals == XML_GLOBALS_MANY &&
	    (node->ns == XML_NS_M2M || !node->text))
		return true;
	if (always && !is_deleted(r, m))
		return true;
	return may_repeat(all, m) && is_repeated(r, all, m);
}

/* Where the first element of m's name is noted; NULL: there are too many. */
static uint32_t *first_of(const struct xml_reader *r, struct members *all,
			  const struct member *m)
{
	if (m->row >= 0)
		return &all->row[m->row];
	for (unsigned i = 0; i < all->unknown_count; i++)
		if (same_name(r->d, m, all->unknown[i]))
			return &all->unknown[i];
	if (all->unknown_count == MAX_UNKNOWN)
		return NULL;
	all->unknown[all->unknown_count] = NONE;
	return &all->unknown[all->unknown_count++];
}

/* With a prefix in its tag, or by a default namespace that is known to hold
 * the name, an element is a global one: a child, or what is carried. */
static void classify(struct member *m, const struct xml_reader *r,
		     const struct xml_type *t, uint32_t i)
{
	unsigned ns = r->d->nodes[i].ns;
	struct str prefix = xml_doc_prefix(r->d, i);
	struct xml_tag tag;
	bool global;

	xml_doc_tag(&tag, r->d, i);
	*m = (struct member){ .at = i, .local = tag.local, .row = -1 };
	if (ns <= XML_NS_M2M || tag.prefix.len == 0)
		m->row = xml_find_row(t, tag.local);
	if (m->row >= 0) {
		m->attr = xml_row(t, m->row);
		return;
	}
	global = ns != XML_NS_NONE &&
		 (tag.prefix.len > 0 || t->globals == XML_GLOBALS_ONE ||
		  (ns == XML_NS_M2M && xml_find_global(tag.local) != NULL));
	if (global) {
		m->prefix = prefix;
		m->attr = xml_global(prefix, tag.local);
	} else {
		m->attr = xml_find_loose(t, tag.local);
	}
}

static int read_first(struct xml_reader *r, const struct members *all,
		      const struct member *m)
{
	int err = add_name(r, m->prefix, m->local);

	if (err)
		return err;
	return is_array(r, all, m) ?
		       read_array(r, all, m) :
		       read_one(r, m->attr, all->type->guess, false, m->at);
}

static int read_member(struct xml_reader *r, struct members *all, uint32_t i)
{
	struct member m;
	uint32_t *first;

	classify(&m, r, all->type, i);
	first = first_of(r, all, &m);
	if (first == NULL)
		return fail(r, ERR_LIMIT, "too many unknown names");
	if (*first == NONE) {
		if (m.prefix.len == 0 && has_attr(&all->tag, m.local))
			return fail(r, ERR_PROTO, "one name twice");
		*first = i;
		return read_first(r, all, &m);
	}
	if (!may_repeat(all, &m) || !same_name(r->d, &m, *first))
		return fail(r, ERR_PROTO, "one name twice");
	return 0;	/* read with the first one */
}

/* The XML attributes of the standard: all of them text but for typ. */
static bool is_attr(struct str name)
{
	return str_eq(name, STR("rn")) || str_eq(name, STR("nm")) ||
	       str_eq(name, STR("typ")) || str_eq(name, STR("spty"));
}

static int read_attrs(struct xml_reader *r, const struct members *all)
{
	static const struct xml_attr typ = { .form = XML_NUMBER };
	const char *at = all->tag.attrs;
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
			       false, value);
	}
	return err;
}

/* Text beside XML attributes. */
static int read_inside(struct xml_reader *r, const struct members *all,
		       bool has_text)
{
	struct str text = xml_text(&all->tag, &r->scratch);
	int err;

	if (text.len == 0 || (!has_text && !all->type->inside))
		return 0;
	err = add_name(r, STR(""), STR("val"));
	xml_put_json(&r->out, text);
	return err ? err : take_token(r);
}

static int read_members(struct xml_reader *r, struct members *all, uint32_t i)
{
	const struct xml_node *node = &r->d->nodes[i];
	int err = read_attrs(r, all);

	for (uint32_t c = i + 1; c < all->end && err == 0;
	     c += r->d->nodes[c].size)
		err = read_member(r, all, c);
	if (err)
		return err;
	if (node->size == 1)
		return read_inside(r, all, node->text);
	return node->text ? fail(r, ERR_PROTO, "text between elements") : 0;
}

static int read_object(struct xml_reader *r, const struct xml_type *t,
		       uint32_t i)
{
	struct members all;
	int err;

	all.type = t;
	all.end = xml_doc_end(r->d, i);
	all.unknown_count = 0;
	memset(all.row, 0xff, sizeof(all.row));		/* NONE */
	xml_doc_tag(&all.tag, r->d, i);
	err = open_bracket(r, '{');
	if (err)
		return err;
	r->level++;
	err = read_members(r, &all, i);
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
	struct members all = { .type = &xml_unknown };
	struct member m = { .at = i, .attr = a };
	struct xml_tag tag;
	int err;

	xml_doc_tag(&tag, r->d, i);
	m.local = tag.local;
	all.end = i + r->d->nodes[i].size;
	err = is_list(a) ? read_array(r, &all, &m) :
			   read_one(r, a, false, false, i);
	return err ? err : fault_of(r);
}

int xml_read_content(struct xml_reader *r, uint32_t i)
{
	static const struct xml_type root = { .globals = XML_GLOBALS_ONE };
	struct members all = { .type = &root, .tag = { .attrs = ">" } };
	int err = open_bracket(r, '{');

	all.end = xml_doc_end(r->d, i);
	if (err == 0)
		err = read_member(r, &all, i);
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
