#ifndef TESTS_XML_RANDOM_H
#define TESTS_XML_RANDOM_H

#include "m2m/xml_types.h"

/*
 * Random content, by the rows of the type table: all that XML tells apart.
 * `ordered` has members in the order in which XML has them, `mixed` the same
 * members in the opposite order; numbers, strings and blanks are written as a
 * reader of XML writes them, so that texts can be compared.
 */
struct random {
	uint64_t state;
	bool update;		/* what an UPDATE carries: nulls, no empties */
	unsigned level;
};

struct pair {
	struct buf ordered, mixed;
};

static inline void random_object(struct random *r, struct pair *out,
				 const struct xml_type *t);

static inline unsigned random_below(struct random *r, unsigned n)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (unsigned)(r->state >> 33) % n;
}

static inline void pair_add(struct pair *p, struct str s)
{
	buf_add_str(&p->ordered, s);
	buf_add_str(&p->mixed, s);
}

static inline void pair_deinit(struct pair *p)
{
	buf_deinit(&p->ordered);
	buf_deinit(&p->mixed);
}

/* words: without what separates them in a list. */
static inline void random_string(struct random *r, struct pair *out,
				 unsigned min, bool words)
{
	static const char *const parts[] = {
		"a", "7", "Z", ".", "<", "&", ">", "]]>", "\"", "'", "\\",
		"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "&amp;",
		"\x7f", "\xc2\x85", "\xef\xbb\xbf", "/in", "true", "-1",
		/* not in words */
		" ", "\t", "\n", "\r",
	};
	unsigned count = min + random_below(r, 6);
	struct buf text = { 0 }, json = { 0 };

	for (unsigned i = 0; i < count; i++)
		buf_add_str(&text, str_of(parts[random_below(
			r, ARRAY_LEN(parts) - (words ? 4 : 0))]));
	buf_add_json(&json, buf_str(&text));
	pair_add(out, buf_str(&json));
	buf_deinit(&text);
	buf_deinit(&json);
}

static inline void random_number(struct random *r, struct pair *out)
{
	static const char *const numbers[] = {
		"0", "-1", "7", "2.50", "-0.125", "9223372036854775807",
		"18446744073709551615", "-9223372036854775808", "1e-7",
		"123456789012345678901234567890", "0.1", "1E+30", "-0",
	};
	char text[24];

	if (random_below(r, 2) == 0) {
		snprintf(text, sizeof(text), "%u", random_below(r, 100000));
		pair_add(out, str_of(text));
		return;
	}
	pair_add(out, str_of(numbers[random_below(r, ARRAY_LEN(numbers))]));
}

static inline void random_list(struct random *r, struct pair *out,
			       const struct xml_attr *a)
{
	unsigned min = r->update && r->level == 1 ? 1 : 0;
	unsigned count = min + random_below(r, 4);

	pair_add(out, STR("["));
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			pair_add(out, STR(","));
		if (a->form == XML_NUMBERS)
			random_number(r, out);
		else
			random_string(r, out, 1, true);
	}
	pair_add(out, STR("]"));
}

static inline void random_one(struct random *r, struct pair *out,
			      const struct xml_attr *a)
{
	bool deletes = r->update && r->level == 1;
	bool tag = (a->flags & XML_TAG) != 0;

	switch (a->form) {
	case XML_NUMBER:
		random_number(r, out);
		break;
	case XML_BOOL:
		pair_add(out, random_below(r, 2) ? STR("true") : STR("false"));
		break;
	case XML_WORDS:
	case XML_NUMBERS:
		random_list(r, out, a);
		break;
	case XML_OBJECT:
		random_object(r, out, a->type);
		break;
	case XML_TEXT:
		/* an empty one is null where the standard lets it be */
		random_string(r, out, (deletes && !tag) ||
			      (a->flags & XML_INSIDE) != 0 ||
			      str_eq(a->name, STR("cr")) ? 1 : 0,
			      (a->flags & XML_INSIDE) != 0);
		break;
	case XML_ANY:
		random_string(r, out, 0, false);
		break;
	}
}

/* The value of a member. */
static inline void random_value(struct random *r, struct pair *out,
				const struct xml_attr *a)
{
	bool number = a->form == XML_NUMBER || a->form == XML_BOOL;
	bool may_be_null = a->form != XML_ANY &&
			   (a->flags & (XML_TAG | XML_INSIDE)) == 0 &&
			   (number || (r->update && r->level == 1) ||
			    str_eq(a->name, STR("cr")));

	if (may_be_null && (a->flags & XML_MANY) == 0 &&
	    random_below(r, 8) == 0) {
		pair_add(out, STR("null"));
		return;
	}
	if ((a->flags & XML_MANY) == 0) {
		random_one(r, out, a);
		return;
	}
	pair_add(out, STR("["));
	for (unsigned n = random_below(r, 3); n > 0; n--) {
		random_one(r, out, a);
		pair_add(out, STR(","));
	}
	random_one(r, out, a);
	pair_add(out, STR("]"));
}

/* One more member: behind those in ordered, before those in mixed. */
static inline void add_member(struct pair *out, const char *prefix,
			      struct str name, struct pair *value)
{
	struct buf front = { 0 };

	buf_add_lit(&front, "\"");
	buf_add_str(&front, str_of(prefix));
	buf_add_str(&front, name);
	buf_add_lit(&front, "\":");
	if (out->ordered.len > 0)
		buf_add_char(&out->ordered, ',');
	buf_add_str(&out->ordered, buf_str(&front));
	buf_add_str(&out->ordered, buf_str(&value->ordered));
	buf_add_str(&front, buf_str(&value->mixed));
	if (out->mixed.len > 0)
		buf_add_char(&front, ',');
	buf_add_str(&front, buf_str(&out->mixed));
	buf_clear(&out->mixed);
	buf_add_str(&out->mixed, buf_str(&front));
	pair_deinit(value);
	buf_deinit(&front);
}

/* One that no table has. */
static inline void add_unknown(struct random *r, struct pair *out, bool guess)
{
	struct pair value = { 0 };

	switch (random_below(r, 3)) {
	case 0:
		if (guess)
			pair_add(&value, STR("-12.50"));
		else
			random_string(r, &value, 1, false);
		break;
	case 1:
		pair_add(&value, STR("{\"zz\":\"a\"}"));
		break;
	default:
		pair_add(&value, STR("[\"a b\",{\"zy\":\"c\"}]"));
		break;
	}
	add_member(out, "", STR("zx"), &value);
}

static inline void add_child(struct random *r, struct pair *out,
			     enum xml_globals globals)
{
	static const char *const names[] = { "cin", "sub", "cnt", "ae", "zq" };
	const char *name = names[random_below(r, ARRAY_LEN(names))];
	const struct xml_attr *a = xml_global(STR("m2m"), str_of(name));
	struct pair value = { 0 };

	if (globals == XML_GLOBALS_MANY)
		pair_add(&value, STR("["));
	random_object(r, &value, a->type);
	if (globals == XML_GLOBALS_MANY)
		pair_add(&value, STR("]"));
	add_member(out, "m2m:", str_of(name), &value);
}

static inline void random_object(struct random *r, struct pair *out,
				 const struct xml_type *t)
{
	unsigned count = xml_row_count(t);
	struct pair members = { 0 };
	bool first = t->globals == XML_GLOBALS_ONE;

	r->level++;
	if (first && r->level < 4)
		add_child(r, &members, t->globals);
	for (unsigned i = 0; i < count; i++) {
		const struct xml_attr *a = xml_row(t, (int)i);
		struct pair value = { 0 };

		if (t->resource && i + 1 == count && random_below(r, 4) == 0)
			add_unknown(r, &members, t->guess);
		/* a type's own row goes before a common one */
		if (random_below(r, 4) != 0 || r->level > 6 ||
		    xml_find_row(t, a->name) != (int)i)
			continue;
		random_value(r, &value, a);
		add_member(&members, "", a->name, &value);
	}
	if (!first && t->globals == XML_GLOBALS_MANY && r->level < 3 &&
	    random_below(r, 2) == 0)
		add_child(r, &members, t->globals);
	/* nothing is null for an attribute of an UPDATE */
	if (members.ordered.len == 0 && r->update && r->level == 2) {
		struct pair value = { 0 };

		pair_add(&value, STR("\"x\""));
		add_member(&members, "", STR("zx"), &value);
	}
	r->level--;
	buf_add_char(&out->ordered, '{');
	buf_add_str(&out->ordered, buf_str(&members.ordered));
	buf_add_char(&out->ordered, '}');
	buf_add_char(&out->mixed, '{');
	buf_add_str(&out->mixed, buf_str(&members.mixed));
	buf_add_char(&out->mixed, '}');
	pair_deinit(&members);
}

/* Content as pc holds it. */
static inline void random_content(struct random *r, struct pair *out)
{
	static const char *const names[] = {
		"ae", "csr", "cb", "cnt", "cin", "sub", "acp", "grp", "pch",
		"nod", "req", "sch", "ts", "tsi", "fcnt", "smd", "lcp", "tk",
		"fwr", "swr", "mem", "ani", "andi", "bat", "dvi", "dvc",
		"rbo", "evl", "cmp", "aeA", "uri", "uril", "atrl", "dbg",
		"sgn", "agn", "agr", "rce", "rrl", "rqp", "rsp", "tsn", "dac",
		"crs", "zq",
	};
	const char *name = names[random_below(r, ARRAY_LEN(names))];
	const struct xml_attr *a = xml_global(STR("m2m"), str_of(name));

	pair_add(out, STR("{\"m2m:"));
	pair_add(out, str_of(name));
	pair_add(out, STR("\":"));
	random_one(r, out, a);
	pair_add(out, STR("}"));
}

#endif
