#include "m2m/xml_write.h"

#include <assert.h>
#include <limits.h>
#include <uv.h>

#include "m2m/xml.h"
#include "m2m/xml_scan.h"

/* Longer ones, if they have escapes, are no names of ours. */
#define MAX_ESCAPED 64
#define MAX_REST    128		/* as are read, of one object */

/* One member on its way out. */
struct item {
	const struct xml_scope *scope;
	struct str prefix, local;
	const struct xml_attr *attr;	/* NULL: unknown */
	bool loose;			/* attr goes by the name alone */
	bool guess;			/* in a flexContainer specialisation */
};

/* What an object holds, by the rows of its type. */
struct object {
	const struct xml_scope *scope;
	const struct xml_type *type;
	struct str json;
	struct str row[XML_MAX_ROWS];	/* p == NULL: absent */
	bool loose;			/* holds members without a row, or that
					 * text has no place beside */
	bool global;			/* holds members with a prefix */
};

static int write_object(struct xml_writer *w, const struct xml_scope *scope,
			const struct xml_type *t, struct str json);

static int fail(struct xml_writer *w, const char *why)
{
	w->why = why;
	return ERR_PROTO;
}

/* It was validated when it came. */
static void walk(struct jscan *s, struct str json, enum jscan_type type)
{
	int err;

	jscan_init(s, json, JSCAN_DEPTH_MAX, UINT_MAX);
	err = jscan_enter(s, type);
	assert(err == 0);
}

static void read_json(struct jscan_value *out, struct str json)
{
	struct jscan s;
	int err;

	jscan_init(&s, json, JSCAN_DEPTH_MAX, UINT_MAX);
	err = jscan_value(out, &s);
	assert(err == 0);
}

/* The text of a string or of any other scalar; "" for null. */
static struct str text_of(struct xml_writer *w, const struct jscan_value *v)
{
	if (v->type == JSCAN_NULL)
		return STR("");
	if (v->type != JSCAN_STRING)
		return v->raw;
	if (!v->escaped)
		return jscan_inside(v);
	buf_clear(&w->scratch);
	buf_reserve_exact(&w->scratch, v->raw.len);
	jscan_unescape(&w->scratch, jscan_inside(v));
	return buf_str(&w->scratch);
}

static int add_text(struct xml_writer *w, struct str text)
{
	return xml_put_text(&w->out, text) ?
		       0 : fail(w, "text that XML cannot carry");
}

static bool is_nested(const struct jscan_value *v)
{
	return v->type == JSCAN_ARRAY || v->type == JSCAN_OBJECT;
}

/* White space outside of strings goes. */
static int add_json(struct xml_writer *w, struct str json)
{
	bool quoted = false;

	buf_clear(&w->scratch);
	buf_reserve_exact(&w->scratch, json.len);
	for (size_t i = 0; i < json.len; i++) {
		char c = json.p[i];

		if (!quoted && xml_is_space(c))
			continue;
		buf_add_char(&w->scratch, c);
		if (c == '\\' && i + 1 < json.len)
			buf_add_char(&w->scratch, json.p[++i]);
		else if (c == '"')
			quoted = !quoted;
	}
	return add_text(w, buf_str(&w->scratch));
}

static bool has_space(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (xml_is_space(s.p[i]))
			return true;
	return false;
}

/* Fits an xs:list: text without blanks. */
static bool is_word(struct xml_writer *w, const struct jscan_value *v)
{
	struct str text;

	if (is_nested(v) || v->type == JSCAN_NULL)
		return false;
	text = text_of(w, v);
	return text.len > 0 && !has_space(text);
}

static bool is_word_list(struct xml_writer *w, struct str json)
{
	struct jscan_value none, v;
	struct jscan s;

	walk(&s, json, JSCAN_ARRAY);
	for (bool first = true; jscan_next(&none, &v, &s, first) > 0;
	     first = false)
		if (!is_word(w, &v))
			return false;
	return true;
}

static int add_words(struct xml_writer *w, struct str json)
{
	struct jscan_value none, v;
	struct jscan s;
	int err = 0;

	walk(&s, json, JSCAN_ARRAY);
	for (bool first = true;
	     err == 0 && jscan_next(&none, &v, &s, first) > 0; first = false) {
		if (!is_word(w, &v))
			return fail(w, "list member that XML cannot carry");
		if (!first)
			xml_put_char(&w->out, ' ');
		err = add_text(w, text_of(w, &v));
	}
	return err;
}

static void add_name(struct xml_writer *w, const struct item *it)
{
	if (it->prefix.len > 0) {
		xml_put(&w->out, it->prefix);
		xml_put_char(&w->out, ':');
	}
	xml_put(&w->out, it->local);
}

/* True: this element has to declare its prefix. */
static bool is_new_prefix(const struct item *it)
{
	const struct xml_scope *s = it->scope;

	if (it->prefix.len == 0)
		return false;
	while (s != NULL && !str_eq(s->prefix, it->prefix))
		s = s->up;
	return s == NULL;
}

static void add_declaration(struct xml_writer *w, struct str prefix)
{
	struct str head, tail;

	xml_uri_of_prefix(&head, &tail, prefix);
	xml_put(&w->out, STR(" xmlns:"));
	xml_put(&w->out, prefix);
	xml_put(&w->out, STR("=\""));
	xml_put(&w->out, head);
	xml_put(&w->out, tail);
	xml_put_char(&w->out, '"');
}

/* Behind the start tag: the value, which is no object. */
static int add_value(struct xml_writer *w, const struct item *it,
		     const struct jscan_value *v)
{
	if (!is_nested(v))
		return add_text(w, text_of(w, v));
	if (it->attr != NULL && it->attr->form == XML_ANY)
		return add_json(w, v->raw);
	if (it->attr == NULL || it->loose || it->attr->form == XML_WORDS ||
	    it->attr->form == XML_NUMBERS || it->attr->form == XML_NUMBER)
		return add_words(w, v->raw);
	return fail(w, "array where XML has a single value");
}

static void end_start_tag(struct xml_writer *w)
{
	xml_put_char(&w->out, '>');
	w->start = w->out.buf->len;
}

/* From behind the name to before the end tag. An object ends its start tag
 * itself, because some of its members stand there. */
static int write_inside(struct xml_writer *w, const struct item *it,
			const struct xml_scope *scope, struct str json)
{
	const struct xml_type *t = it->guess ? &xml_custom : &xml_unknown;
	struct jscan_value v;

	read_json(&v, json);
	if (it->attr != NULL && it->attr->form == XML_OBJECT)
		t = it->attr->type;
	if (v.type == JSCAN_OBJECT &&
	    (it->attr == NULL || it->attr->form != XML_ANY))
		return write_object(w, scope, t, json);
	end_start_tag(w);
	return add_value(w, it, &v);
}

static int write_one(struct xml_writer *w, const struct item *it,
		     struct str json)
{
	struct xml_scope own = { it->prefix, it->scope };
	const struct xml_scope *scope = it->scope;
	int err;

	xml_put_char(&w->out, '<');
	add_name(w, it);
	if (is_new_prefix(it)) {
		add_declaration(w, it->prefix);
		scope = &own;
	}
	err = write_inside(w, it, scope, json);
	if (err || w->out.full || w->out.buf->failed)
		return err;
	if (w->out.buf->len == w->start) {
		w->out.buf->len--;		/* nothing behind the start tag */
		xml_put(&w->out, STR("/>"));
		return 0;
	}
	xml_put(&w->out, STR("</"));
	add_name(w, it);
	xml_put_char(&w->out, '>');
	return 0;
}

static int write_each(struct xml_writer *w, const struct item *it,
		      struct str json)
{
	struct jscan_value none, v;
	struct jscan s;
	int err = 0;

	walk(&s, json, JSCAN_ARRAY);
	for (bool first = true;
	     err == 0 && jscan_next(&none, &v, &s, first) > 0; first = false) {
		if (v.type == JSCAN_NULL)
			return fail(w, "null in a list");
		if (v.type == JSCAN_ARRAY)
			return fail(w, "list in a list");
		err = write_one(w, it, v.raw);
	}
	return err;
}

/* The two kinds of lists. */
static bool is_repeated(struct xml_writer *w, const struct item *it,
			struct str json)
{
	const struct xml_attr *a = it->attr;

	if (a != NULL && (a->flags & XML_MANY) != 0)
		return true;
	if (a == NULL || (it->loose && a->form != XML_WORDS &&
			  a->form != XML_NUMBERS && a->form != XML_ANY))
		return !is_word_list(w, json);
	return it->prefix.len > 0 && a->form == XML_OBJECT;
}

static int write_element(struct xml_writer *w, const struct item *it,
			 struct str json)
{
	if (json.p[0] == '[' && is_repeated(w, it, json))
		return write_each(w, it, json);
	return write_one(w, it, json);
}

/* A decoded name as an item of an object of type t. */
static int make_item(struct xml_writer *w, struct item *out,
		     const struct xml_scope *scope, const struct xml_type *t,
		     struct str name)
{
	bool global = memchr(name.p, ':', name.len) != NULL;

	*out = (struct item){ .scope = scope, .local = name,
			      .guess = t->guess };
	if (global)
		str_cut(name, ':', &out->prefix, &out->local);
	if (!xml_is_name(out->local) ||
	    (global && (!xml_is_name(out->prefix) ||
			str_istarts(out->prefix, STR("xml")))))
		return fail(w, "name that XML cannot have");
	if (global)
		out->attr = xml_global(out->prefix, out->local);
	else
		out->attr = xml_find_loose(t, name);
	out->loose = !global;
	return 0;
}

/* The text of a member's name; in space, if it has escapes. */
static int name_of(struct str *out, struct xml_writer *w,
		   char space[MAX_ESCAPED], const struct jscan_value *name)
{
	*out = name->raw;
	if (!name->escaped)
		return name->raw.len > 0 ?
			       0 : fail(w, "name that XML cannot have");
	buf_clear(&w->scratch);
	jscan_unescape(&w->scratch, name->raw);
	if (w->scratch.failed || w->scratch.len > MAX_ESCAPED)
		return fail(w, "name that XML cannot have");
	memcpy(space, w->scratch.p, w->scratch.len);
	*out = (struct str){ space, w->scratch.len };
	return 0;
}

static bool has_prefix(struct str name)
{
	return memchr(name.p, ':', name.len) != NULL;
}

static int gather(struct xml_writer *w, struct object *o)
{
	struct jscan_value name, v;
	struct jscan s;
	int err = 0;

	walk(&s, o->json, JSCAN_OBJECT);
	for (bool first = true;
	     err == 0 && jscan_next(&name, &v, &s, first) > 0; first = false) {
		char space[MAX_ESCAPED];
		struct str text;
		int row;

		err = name_of(&text, w, space, &name);
		if (err)
			break;
		row = xml_find_row(o->type, text);
		if (row < 0) {
			*(has_prefix(text) ? &o->global : &o->loose) = true;
			continue;
		}
		if (o->row[row].p != NULL)
			err = fail(w, "one name twice");
		o->row[row] = v.raw;
		o->loose |= o->type->inside && strchr("[{", v.raw.p[0]);
	}
	return err;
}

/* What comes twice would be read as a list. */
static int see(uint64_t seen[MAX_REST], unsigned *count, struct xml_writer *w,
	       struct str name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);	/* FNV-1a */

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.p[i]) * 0x100000001b3u;
	for (unsigned i = 0; i < *count; i++)
		if (seen[i] == hash)
			return fail(w, "one name twice");
	if (*count == MAX_REST)
		return fail(w, "too many names that nobody knows");
	seen[(*count)++] = hash;
	return 0;
}

/* Members that have no row, in the order in which they came. */
static int write_rest(struct xml_writer *w, const struct object *o,
		      bool global)
{
	uint64_t seen[MAX_REST];
	unsigned count = 0;
	struct jscan_value name, v;
	struct jscan s;
	int err = 0;

	if (!(global ? o->global : o->loose))
		return 0;
	walk(&s, o->json, JSCAN_OBJECT);
	for (bool first = true;
	     err == 0 && jscan_next(&name, &v, &s, first) > 0; first = false) {
		char space[MAX_ESCAPED];
		struct str text;
		struct item it;

		err = name_of(&text, w, space, &name);
		if (err || has_prefix(text) != global ||
		    xml_find_row(o->type, text) >= 0)
			continue;
		err = see(seen, &count, w, text);
		if (err == 0)
			err = make_item(w, &it, o->scope, o->type, text);
		if (err == 0)
			err = write_element(w, &it, v.raw);
	}
	return err;
}

/* Where a row's value stands: what is no scalar has no place in a start tag,
 * text none beside elements. */
static unsigned place_of(const struct object *o, int row)
{
	unsigned flags = xml_row(o->type, row)->flags;
	char first = o->row[row].p[0];

	if (first == '{' || first == '[')
		return 0;
	if ((flags & XML_INSIDE) != 0 && (o->loose || o->global))
		return 0;
	return flags & (XML_TAG | XML_INSIDE);
}

static int write_tag_row(struct xml_writer *w, const struct xml_attr *a,
			 struct str json)
{
	struct jscan_value v;

	read_json(&v, json);
	xml_put_char(&w->out, ' ');
	xml_put(&w->out, a->name);
	xml_put(&w->out, STR("=\""));
	if (!xml_put_attr_text(&w->out, text_of(w, &v)))
		return fail(w, "text that XML cannot carry");
	xml_put_char(&w->out, '"');
	return 0;
}

static int write_row(struct xml_writer *w, const struct object *o, int row)
{
	const struct xml_attr *a = xml_row(o->type, row);
	struct item it = { .scope = o->scope, .local = a->name, .attr = a };
	struct jscan_value v;

	if (place_of(o, row) != XML_INSIDE)
		return write_element(w, &it, o->row[row]);
	read_json(&v, o->row[row]);
	return add_text(w, text_of(w, &v));
}

/* Rows from..to; those of the start tag, or all others. */
static int write_rows(struct xml_writer *w, const struct object *o, int from,
		      int to, bool tag)
{
	int err = 0;

	for (int i = from; i < to && err == 0; i++) {
		if (o->row[i].p == NULL || tag != (place_of(o, i) == XML_TAG))
			continue;
		err = tag ? write_tag_row(w, xml_row(o->type, i), o->row[i]) :
			    write_row(w, o, i);
	}
	return err;
}

/* Attributes, then what the table does not know, then references to children
 * or children; what is carried (rce) comes before what is said of it. */
static int write_members(struct xml_writer *w, const struct object *o)
{
	bool ahead = o->type->globals == XML_GLOBALS_ONE;
	int count = (int)xml_row_count(o->type);
	int refs = o->type->resource ? count - 1 : count;
	int err = write_rows(w, o, 0, count, true);

	end_start_tag(w);
	if (err == 0 && ahead)
		err = write_rest(w, o, true);
	if (err == 0)
		err = write_rows(w, o, 0, refs, false);
	if (err == 0)
		err = write_rest(w, o, false);
	if (err == 0)
		err = write_rows(w, o, refs, count, false);
	if (err == 0 && !ahead)
		err = write_rest(w, o, true);
	return err;
}

static int write_object(struct xml_writer *w, const struct xml_scope *scope,
			const struct xml_type *t, struct str json)
{
	struct object o = { .scope = scope, .type = t, .json = json };
	int err = gather(w, &o);

	return err ? err : write_members(w, &o);
}

void xml_writer_init(struct xml_writer *w, struct xml_out out)
{
	*w = (struct xml_writer){ .out = out };
}

void xml_writer_deinit(struct xml_writer *w)
{
	buf_deinit(&w->scratch);
}

static int fault_of(struct xml_writer *w)
{
	if (w->scratch.failed) {
		w->why = "out of memory";
		return UV_ENOMEM;
	}
	return xml_out_fault(&w->out, &w->why);
}

int xml_write_member(struct xml_writer *w, const struct xml_scope *scope,
		     const struct xml_type *t, struct str name,
		     struct str json)
{
	int row = xml_find_row(t, name), err = 0;
	struct item it;

	if (name.len == 0)
		return fail(w, "name that XML cannot have");
	err = make_item(w, &it, scope, t, name);
	if (err)
		return err;
	if (row >= 0) {
		it.attr = xml_row(t, row);
		it.loose = false;
	}
	err = write_element(w, &it, json);
	return err ? err : fault_of(w);
}

int xml_write_content(struct xml_writer *w, const struct xml_scope *scope,
		      struct str json)
{
	static const struct xml_type root = { .globals = XML_GLOBALS_ONE };
	struct jscan_value name, v, more;
	char space[MAX_ESCAPED];
	struct str text;
	struct item it;
	struct jscan s;
	int err;

	read_json(&v, json);
	if (v.type != JSCAN_OBJECT)
		return fail(w, "content is not an object");
	walk(&s, json, JSCAN_OBJECT);
	if (jscan_next(&name, &v, &s, true) == 0)
		return 0;
	if (jscan_next(&more, &more, &s, false) != 0)
		return fail(w, "content is more than one element");
	err = name_of(&text, w, space, &name);
	if (err == 0)
		err = make_item(w, &it, scope, &root, text);
	if (err)
		return err;
	if (v.type == JSCAN_ARRAY && is_repeated(w, &it, v.raw))
		return fail(w, "content is more than one element");
	err = write_one(w, &it, v.raw);
	return err ? err : fault_of(w);
}

int json_to_xml(struct buf *out, const struct codec_conf *conf,
		struct str json, const char **why)
{
	struct xml_out to = { .buf = out };
	size_t from = out->len;
	struct xml_writer w;
	int err = jscan_check(json, conf->max_depth, conf->max_tokens, why);

	if (err)
		return err;
	/* all that the scratch can take is off */
	to.bound = from + (XML_GROWTH - 1) * json.len + XML_SPARE;
	xml_writer_init(&w, to);
	err = xml_write_content(&w, NULL, json);
	if (err) {
		*why = w.why;
		out->len = from;
	}
	xml_writer_deinit(&w);
	return err;
}
