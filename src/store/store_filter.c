#include <stdlib.h>
#include <uv.h>

#include "store/store_filter.h"
#include "store/store_json.h"

static struct str text_of(const json_t *string)
{
	return (struct str){ json_string_value(string),
			     json_string_length(string) };
}

/* ---- reading ---- */

static int bad(struct store_conn *c, const char *name)
{
	return store_refuse(c, RSC_BAD_REQUEST, "fc: bad value of %.40s", name);
}

/* A digit string passes for a number: HTTP knows no other. */
static bool read_number(uint64_t *out, const json_t *v)
{
	if (json_is_string(v))
		return str_to_u64(out, text_of(v));
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*out = (uint64_t)json_integer_value(v);
	return true;
}

static bool append_number(json_t *list, const json_t *v)
{
	uint64_t n;

	return read_number(&n, v) && n <= INT32_MAX &&
	       json_array_append_new(list, json_integer((json_int_t)n)) == 0;
}

static bool append(json_t *list, enum filter_shape shape, json_t *v)
{
	if (shape == SHAPE_NUMBERS)
		return append_number(list, v);
	return json_is_string(v) && json_array_append(list, v) == 0;
}

/* A single value stands for a list of one. */
static bool read_values(json_t *list, enum filter_shape shape, json_t *v)
{
	size_t i;
	json_t *one;

	if (!json_is_array(v))
		return append(list, shape, v);
	json_array_foreach(v, i, one) {
		if (!append(list, shape, one))
			return false;
	}
	return true;
}

static int new_term(struct filter_term **out, struct filter *f,
		    struct store_conn *c, const struct filter_kind *kind)
{
	struct filter_term *t = &f->terms[f->count];

	if (f->count == FILTER_TERMS)
		return store_refuse(c, RSC_BAD_REQUEST, "fc: too many");
	*t = (struct filter_term){ .kind = kind };
	f->count++;
	*out = t;
	return 0;
}

/* 7.3.3.17.9: these have conditions of their own. */
static bool is_barred(const char *name)
{
	static const char *const names[] = {
		"ct", "lt", "st", "et", "lbl", "ty", "cs", "cnf",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static struct filter_term *find_attribute(struct filter *f,
					  const struct filter_kind *kind,
					  const char *name)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->terms[i].kind == kind &&
		    strcmp(f->terms[i].name, name) == 0)
			return &f->terms[i];
	}
	return NULL;
}

static int add_attribute(struct filter *f, struct store_conn *c,
			 const struct filter_kind *kind, const char *name,
			 json_t *value)
{
	struct filter_term *t = find_attribute(f, kind, name);
	int rc;

	if (is_barred(name) || name[0] == ':' ||
	    !rules_knows_attribute(0, name))
		return store_refuse(c, RSC_BAD_REQUEST,
				    "fc: no condition %.40s", name);
	if (t == NULL) {
		rc = new_term(&t, f, c, kind);
		if (rc != 0)
			return rc;
		t->name = name;
		t->values = json_array();
	}
	if (json_is_array(value))
		return json_array_extend(t->values, value) ? UV_ENOMEM : 0;
	return json_array_append(t->values, value) ? UV_ENOMEM : 0;
}

static int add_pair(struct filter *f, struct store_conn *c,
		    const struct filter_kind *kind, json_t *pair)
{
	const char *name = json_string_value(json_object_get(pair, "nm"));
	json_t *value = json_object_get(pair, "val");

	if (name == NULL || value == NULL)
		return bad(c, kind->name);
	return add_attribute(f, c,
			     kind->name[0] == 'p' ? &filter_parent_attribute :
			     kind->name[0] == 'c' ? &filter_child_attribute :
						    &filter_attribute,
			     name, value);
}

static int add_pairs(struct filter *f, struct store_conn *c,
		     const struct filter_kind *kind, json_t *v)
{
	size_t i;
	json_t *one;
	int rc = 0;

	if (!json_is_array(v))
		return add_pair(f, c, kind, v);
	json_array_foreach(v, i, one) {
		rc = add_pair(f, c, kind, one);
		if (rc != 0)
			break;
	}
	return rc;
}

static int add_kind(struct filter *f, struct store_conn *c,
		    const struct filter_kind *kind, json_t *v)
{
	struct filter_term *t = NULL;
	int rc;

	if (kind->shape == SHAPE_UNSUPPORTED)
		return store_refuse(c, RSC_NOT_IMPLEMENTED,
				    "fc: %s is not supported", kind->name);
	if (kind->shape == SHAPE_PAIRS)
		return add_pairs(f, c, kind, v);
	rc = new_term(&t, f, c, kind);
	if (rc != 0)
		return rc;
	if (kind->shape == SHAPE_TIME)
		return json_is_string(v) &&
				       prim_read_time(&t->number, text_of(v))
			       ? 0
			       : bad(c, kind->name);
	if (kind->shape == SHAPE_NUMBER)
		return read_number(&t->number, v) ? 0 : bad(c, kind->name);
	t->values = json_array();
	if (t->values == NULL)
		return UV_ENOMEM;
	return read_values(t->values, kind->shape, v) ? 0 : bad(c, kind->name);
}

/* True: name is about the result or the use, not a condition. */
static bool read_control(struct filter *f, const char *name, const json_t *v,
			 bool *ok)
{
	uint64_t n = 0;

	*ok = read_number(&n, v);
	if (strcmp(name, "fu") == 0) {
		*ok = *ok && (n == FILTER_DISCOVERY || n == FILTER_CONDITIONAL);
		f->usage = (int)n;
	} else if (strcmp(name, "fo") == 0) {
		*ok = *ok && n >= JOIN_AND && n <= JOIN_XOR;
		f->join = (int)n;
	} else if (strcmp(name, "lim") == 0) {
		f->lim = n;
	} else if (strcmp(name, "lvl") == 0) {
		*ok = *ok && n > 0;
		f->lvl = n;
	} else if (strcmp(name, "ofst") == 0) {
		*ok = *ok && n > 0;
		f->ofst = n;
	} else {
		return false;
	}
	return true;
}

/* Of the standard, but not done here: by an IPE, with operations. */
static bool is_unserved_use(const char *name, const json_t *v)
{
	uint64_t n;

	return strcmp(name, "fu") == 0 && read_number(&n, v) && n > 2 &&
	       n <= 4;
}

static int read_member(struct filter *f, struct store_conn *c, const char *name,
		       json_t *v)
{
	const struct filter_kind *kind;
	bool ok;

	if (strcmp(name, "arp") == 0) {
		f->arp = text_of(v);
		return f->arp.len > 0 ? 0 : bad(c, name);
	}
	if (is_unserved_use(name, v))
		return store_refuse(c, RSC_NOT_IMPLEMENTED,
				    "fc: fu 3 and 4 are not supported");
	if (read_control(f, name, v, &ok))
		return ok ? 0 : bad(c, name);
	kind = filter_find_kind(name);
	if (kind != NULL)
		return add_kind(f, c, kind, v);
	/* implementations put attribute conditions here, without atr */
	return add_attribute(f, c, &filter_attribute, name, v);
}

int filter_read(struct filter *f, struct store_conn *c, struct str fc)
{
	const char *name;
	json_t *v;
	int rc;

	memset(f, 0, sizeof(*f));
	f->usage = FILTER_CONDITIONAL;
	f->join = JOIN_AND;
	f->lim = f->lvl = FILTER_NONE;
	f->ofst = 1;
	if (fc.len == 0)
		return 0;
	rc = store_json_read(&f->root, c, "fc", fc);
	if (rc != 0)
		return rc;
	if (!json_is_object(f->root)) {
		filter_deinit(f);
		return store_refuse(c, RSC_BAD_REQUEST, "fc is no object");
	}
	json_object_foreach(f->root, name, v) {
		rc = read_member(f, c, name, v);
		if (rc != 0) {
			filter_deinit(f);
			return rc;
		}
	}
	return 0;
}

void filter_deinit(struct filter *f)
{
	for (size_t i = 0; i < f->count; i++)
		json_decref(f->terms[i].values);
	json_decref(f->root);
	memset(f, 0, sizeof(*f));
}

/* ---- use ---- */

int filter_test(bool *out, const struct filter *f, struct store_conn *c,
		const struct resource *r)
{
	bool all = true, any = false, odd = false;

	for (size_t i = 0; i < f->count; i++) {
		bool match = false;
		int rc = f->terms[i].kind->match(&match, &f->terms[i], c, r);

		if (rc != 0)
			return rc;
		all = all && match;
		any = any || match;
		odd = odd != match;
		if (f->join == JOIN_AND ? !all : f->join == JOIN_OR && any)
			break;
	}
	*out = f->count == 0	     ? true
	       : f->join == JOIN_AND ? all
	       : f->join == JOIN_OR  ? any
				     : odd;
	return 0;
}

static const struct filter_term *find_term(const struct filter *f,
					   const char *name)
{
	const struct filter_kind *kind = filter_find_kind(name);

	for (size_t i = 0; f->join == JOIN_AND && i < f->count; i++) {
		if (f->terms[i].kind == kind)
			return &f->terms[i];
	}
	return NULL;
}

bool filter_wants_type(const struct filter *f, int ty)
{
	const struct filter_term *t = find_term(f, "ty");

	if (t != NULL && !filter_has_number(t->values, ty))
		return false;
	for (size_t i = 0; f->join == JOIN_AND && i < f->count; i++) {
		if (f->terms[i].kind == &filter_attribute &&
		    !rules_knows_attribute(ty, f->terms[i].name))
			return false;
	}
	return true;
}

const json_t *filter_labels(const struct filter *f)
{
	const struct filter_term *t = find_term(f, "lbl");

	return t == NULL ? NULL : t->values;
}

/* The one name that rn must have; NULL: any of several. */
static const json_t *exact_name(const struct filter_term *t)
{
	const json_t *name = json_array_get(t->values, 0);
	const char *text = json_string_value(name);

	if (t->kind != &filter_attribute || strcmp(t->name, "rn") != 0 ||
	    json_array_size(t->values) != 1 || text == NULL ||
	    strchr(text, '*') != NULL)
		return NULL;
	return name;
}

static const char *sql_of(const struct filter_term *t)
{
	return exact_name(t) != NULL ? "rn =" : t->kind->sql;
}

bool filter_has_sql(const struct filter *f)
{
	for (size_t i = 0; f->join == JOIN_AND && i < f->count; i++) {
		if (sql_of(&f->terms[i]) != NULL)
			return true;
	}
	return false;
}

void filter_add_sql(struct buf *sql, const struct filter *f)
{
	for (size_t i = 0; f->join == JOIN_AND && i < f->count; i++) {
		const char *condition = sql_of(&f->terms[i]);

		if (condition == NULL)
			continue;
		buf_add_lit(sql, " AND ");
		buf_add_str(sql, str_of(condition));
		buf_add_lit(sql, " ?");
	}
}

static int bind_term(sqlite3_stmt *stmt, const struct filter_term *t, int at)
{
	const json_t *name = exact_name(t);
	uint64_t n = t->number > INT64_MAX ? INT64_MAX : t->number;

	if (name != NULL)
		return sqlite3_bind_text64(stmt, at, json_string_value(name),
					   json_string_length(name),
					   SQLITE_STATIC, SQLITE_UTF8);
	return sqlite3_bind_int64(stmt, at, (int64_t)n);
}

int filter_bind_sql(sqlite3_stmt *stmt, const struct filter *f, int at)
{
	for (size_t i = 0; f->join == JOIN_AND && i < f->count; i++) {
		if (sql_of(&f->terms[i]) != NULL &&
		    bind_term(stmt, &f->terms[i], at++) != SQLITE_OK)
			return UV_EIO;
	}
	return 0;
}

int filter_matches(bool *out, struct store_conn *c, const struct resource *r,
		   struct str fc)
{
	struct filter f;
	int rc = filter_read(&f, c, fc);

	if (rc != 0)
		return rc;
	rc = filter_test(out, &f, c, r);
	filter_deinit(&f);
	return rc;
}
