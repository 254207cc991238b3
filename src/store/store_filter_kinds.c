#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/glob.h"
#include "store/store_filter.h"
#include "store/store_json.h"

enum { TY_CNT = 3, TY_CIN = 4, TY_FCNT = 28, TY_TS = 29, TY_TSI = 30 };

/* ---- values ---- */

static struct str text_of(const json_t *string)
{
	return (struct str){ json_string_value(string),
			     json_string_length(string) };
}

/* How a scalar is written where there are no types (a query of HTTP). */
static struct str scalar_text(const json_t *v, char space[STORE_REAL_TEXT])
{
	size_t n = 0;

	switch (json_typeof(v)) {
	case JSON_STRING:
		return text_of(v);
	case JSON_TRUE:
		return STR("true");
	case JSON_FALSE:
		return STR("false");
	case JSON_INTEGER:
		n = (size_t)snprintf(space, STORE_REAL_TEXT,
				     "%" JSON_INTEGER_FORMAT,
				     json_integer_value(v));
		break;
	case JSON_REAL:
		n = store_json_real(space, json_real_value(v));
		break;
	default:
		return (struct str){ NULL, 0 };
	}
	return (struct str){ space, n };
}

/* 1.50 is 1.5, and 2 is 2.0 */
static bool number_matches(const json_t *have, const json_t *want)
{
	const char *text = json_string_value(want);
	char *end;
	double n;

	/* a double does not tell all integers apart */
	if (json_is_integer(have) && json_is_integer(want))
		return json_integer_value(have) == json_integer_value(want);
	if (json_is_number(want))
		return json_number_value(have) == json_number_value(want);
	if (!json_is_real(have) || text == NULL || *text == '\0')
		return false;
	n = strtod(text, &end);
	return *end == '\0' && n == json_real_value(have);
}

static bool scalar_matches(const json_t *have, const json_t *want)
{
	char a[STORE_REAL_TEXT], b[STORE_REAL_TEXT];

	if (json_is_number(have) && number_matches(have, want))
		return true;
	if (json_is_object(have) || json_is_array(have) || json_is_null(have))
		return json_equal(have, want) != 0;
	return glob_matches(scalar_text(want, b), scalar_text(have, a));
}

/* Of a list, one element is enough. */
static bool value_matches(const json_t *have, const json_t *want)
{
	size_t i;
	json_t *one;

	if (!json_is_array(have))
		return scalar_matches(have, want);
	json_array_foreach(have, i, one) {
		if (scalar_matches(one, want))
			return true;
	}
	return json_equal(have, want) != 0;
}

static bool one_matches(const json_t *have, const json_t *values)
{
	size_t i;
	json_t *want;

	json_array_foreach(values, i, want) {
		if (value_matches(have, want))
			return true;
	}
	return false;
}

bool filter_has_number(const json_t *values, int n)
{
	size_t i;
	json_t *one;

	json_array_foreach(values, i, one) {
		if (json_integer_value(one) == n)
			return true;
	}
	return false;
}

/* Labels are compared whole: `key` does not find `key:value`. */
static bool has_label(const json_t *lbl, const json_t *values)
{
	size_t i, j;
	json_t *have, *want;

	json_array_foreach(lbl, i, have) {
		json_array_foreach(values, j, want) {
			if (json_equal(have, want))
				return true;
		}
	}
	return false;
}

/* ---- conditions on the resource itself ---- */

static int match_crb(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = r->ct < t->number;
	return 0;
}

static int match_cra(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = r->ct > t->number;
	return 0;
}

static int match_ms(bool *out, const struct filter_term *t,
		    struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = r->lt > t->number;
	return 0;
}

static int match_us(bool *out, const struct filter_term *t,
		    struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = r->lt < t->number;
	return 0;
}

static int match_exb(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = r->et != 0 && r->et < t->number;
	return 0;
}

static int match_exa(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = r->et != 0 && r->et > t->number;
	return 0;
}

static bool has_state_tag(int ty)
{
	return ty == TY_CNT || ty == TY_CIN || ty == TY_FCNT || ty == TY_TS;
}

static int match_sts(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = has_state_tag(r->ty) && (uint64_t)r->st < t->number;
	return 0;
}

static int match_stb(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = has_state_tag(r->ty) && (uint64_t)r->st > t->number;
	return 0;
}

static bool has_size(int ty)
{
	return ty == TY_CIN || ty == TY_FCNT || ty == TY_TSI;
}

/* At least: TS-0001 Table 8.1.2-3. */
static int match_sza(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = has_size(r->ty) && (uint64_t)r->size >= t->number;
	return 0;
}

static int match_szb(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = has_size(r->ty) && (uint64_t)r->size < t->number;
	return 0;
}

static int match_ty(bool *out, const struct filter_term *t,
		    struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = filter_has_number(t->values, r->ty);
	return 0;
}

static int match_lbl(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	(void)c;
	*out = has_label(json_object_get(r->attrs, "lbl"), t->values);
	return 0;
}

/* cnf is `type/subtype:encoding`; a condition may leave out the encoding. */
static int match_cty(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	struct str cnf = text_of(json_object_get(r->attrs, "cnf"));
	struct str media, rest;
	size_t i;
	json_t *one;

	(void)c;
	str_cut(cnf, ':', &media, &rest);
	*out = false;
	json_array_foreach(t->values, i, one)
		*out = *out ||
		       (cnf.len > 0 && (glob_matches(text_of(one), cnf) ||
					glob_matches(text_of(one), media)));
	return 0;
}

/* ---- attributes ---- */

/* Attributes that a row tells only in its whole representation. */
static bool is_derived(const char *name)
{
	static const char *const names[] = { "pi", "cni", "cbs", "cnm" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static int match_derived(bool *out, const struct filter_term *t,
			 struct store_conn *c, const struct resource *r)
{
	json_t *whole, *have;
	int rc = rules_represent(&whole, c, r);

	if (rc != 0)
		return rc;
	have = json_object_get(json_object_get(whole, rules_member(r)),
			       t->name);
	*out = have != NULL && one_matches(have, t->values);
	json_decref(whole);
	return 0;
}

static bool text_matches(const char *have, const json_t *values)
{
	char space[STORE_REAL_TEXT];
	size_t i;
	json_t *want;

	json_array_foreach(values, i, want) {
		if (glob_matches(scalar_text(want, space), str_of(have)))
			return true;
	}
	return false;
}

static int match_attribute(bool *out, const struct filter_term *t,
			   struct store_conn *c, const struct resource *r)
{
	json_t *have;

	if (strcmp(t->name, "rn") == 0) {
		*out = text_matches(r->rn, t->values);
		return 0;
	}
	if (strcmp(t->name, "ri") == 0) {
		*out = text_matches(r->ri, t->values);
		return 0;
	}
	have = json_object_get(r->attrs, t->name);
	if (have == NULL && is_derived(t->name))
		return match_derived(out, t, c, r);
	*out = have != NULL && one_matches(have, t->values);
	return 0;
}

const struct filter_kind filter_attribute = {
	"",
	SHAPE_STRINGS,
	match_attribute,
	NULL,
};

/* ---- conditions on parent and children ---- */

static int with_parent(bool *out, const struct filter_term *t,
		       struct store_conn *c, const struct resource *r,
		       filter_match_fn *match)
{
	struct resource parent = { 0 };
	int rc;

	*out = false;
	if (r->parent == 0)
		return 0;
	rc = tree_load(&parent, c, r->parent);
	if (rc != 0)
		return rc > 0 ? UV_EIO : rc;
	rc = match(out, t, c, &parent);
	resource_deinit(&parent);
	return rc;
}

static int match_pty(bool *out, const struct filter_term *t,
		     struct store_conn *c, const struct resource *r)
{
	return with_parent(out, t, c, r, match_ty);
}

static int match_palb(bool *out, const struct filter_term *t,
		      struct store_conn *c, const struct resource *r)
{
	return with_parent(out, t, c, r, match_lbl);
}

static int match_parent_attribute(bool *out, const struct filter_term *t,
				  struct store_conn *c,
				  const struct resource *r)
{
	return with_parent(out, t, c, r, match_attribute);
}

const struct filter_kind filter_parent_attribute = {
	"",
	SHAPE_STRINGS,
	match_parent_attribute,
	NULL,
};

struct find_child {
	const struct filter_term *term;
	struct store_conn *c;
	bool found;
};

/* 1: no more of them. */
static int on_child(void *arg, const struct resource *r)
{
	struct find_child *f = arg;
	int rc = match_attribute(&f->found, f->term, f->c, r);

	return rc == 0 && f->found ? 1 : rc;
}

static int match_child_attribute(bool *out, const struct filter_term *t,
				 struct store_conn *c,
				 const struct resource *r)
{
	struct find_child f = { .term = t, .c = c };
	int rc = tree_children(c, r->id, 0, on_child, &f);

	*out = f.found;
	return rc < 0 ? rc : 0;
}

const struct filter_kind filter_child_attribute = {
	"",
	SHAPE_STRINGS,
	match_child_attribute,
	NULL,
};

/* True when one of the values, bound as ?2, gives a row. */
static int exists(bool *out, struct store_conn *c, const char *sql,
		  const struct resource *r, const json_t *values)
{
	sqlite3_stmt *stmt;
	size_t i;
	json_t *one;
	int rc = SQLITE_DONE;

	*out = false;
	if (sqlite3_prepare_v2(c->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return UV_EIO;
	json_array_foreach(values, i, one) {
		struct str s = text_of(one);

		sqlite3_bind_int64(stmt, 1, r->id);
		if (json_is_string(one))
			sqlite3_bind_text64(stmt, 2, s.p, s.len, SQLITE_STATIC,
					    SQLITE_UTF8);
		else
			sqlite3_bind_int64(stmt, 2, json_integer_value(one));
		rc = sqlite3_step(stmt);
		sqlite3_reset(stmt);
		if (rc != SQLITE_DONE)
			break;
	}
	sqlite3_finalize(stmt);
	*out = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : UV_EIO;
}

static int match_chty(bool *out, const struct filter_term *t,
		      struct store_conn *c, const struct resource *r)
{
	return exists(out, c,
		      "SELECT 1 FROM resource WHERE parent = ?1 AND ty = ?2 "
		      "LIMIT 1",
		      r, t->values);
}

static int match_clbl(bool *out, const struct filter_term *t,
		      struct store_conn *c, const struct resource *r)
{
	return exists(out, c,
		      "SELECT 1 FROM label JOIN resource USING (id) "
		      "WHERE label = ?2 AND parent = ?1 LIMIT 1",
		      r, t->values);
}

static const struct filter_kind kinds[] = {
	{ "crb",  SHAPE_TIME,        match_crb,              "ct <" },
	{ "cra",  SHAPE_TIME,        match_cra,              "ct >" },
	{ "ms",   SHAPE_TIME,        match_ms,               "lt >" },
	{ "us",   SHAPE_TIME,        match_us,               "lt <" },
	{ "exb",  SHAPE_TIME,        match_exb,              "et <" },
	{ "exa",  SHAPE_TIME,        match_exa,              "et >" },
	{ "sts",  SHAPE_NUMBER,      match_sts,              "st <" },
	{ "stb",  SHAPE_NUMBER,      match_stb,              "st >" },
	{ "sza",  SHAPE_NUMBER,      match_sza,              "size >=" },
	{ "szb",  SHAPE_NUMBER,      match_szb,              "size <" },
	{ "ty",   SHAPE_NUMBERS,     match_ty,               NULL },
	{ "chty", SHAPE_NUMBERS,     match_chty,             NULL },
	{ "pty",  SHAPE_NUMBERS,     match_pty,              NULL },
	{ "lbl",  SHAPE_STRINGS,     match_lbl,              NULL },
	{ "clbl", SHAPE_STRINGS,     match_clbl,             NULL },
	{ "palb", SHAPE_STRINGS,     match_palb,             NULL },
	{ "cty",  SHAPE_STRINGS,     match_cty,              NULL },
	{ "atr",  SHAPE_PAIRS,       match_attribute,        NULL },
	{ "patr", SHAPE_PAIRS,       match_parent_attribute, NULL },
	{ "catr", SHAPE_PAIRS,       match_child_attribute,  NULL },
	{ "smf",  SHAPE_UNSUPPORTED, NULL,                   NULL },
	{ "lbq",  SHAPE_UNSUPPORTED, NULL,                   NULL },
	{ "cfs",  SHAPE_UNSUPPORTED, NULL,                   NULL },
	{ "cfq",  SHAPE_UNSUPPORTED, NULL,                   NULL },
	{ "aq",   SHAPE_UNSUPPORTED, NULL,                   NULL },
	{ "gmty", SHAPE_UNSUPPORTED, NULL,                   NULL },
	{ "geom", SHAPE_UNSUPPORTED, NULL,                   NULL },
	{ "gsf",  SHAPE_UNSUPPORTED, NULL,                   NULL },
};

const struct filter_kind *filter_find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}
