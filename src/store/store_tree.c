#include "store/store_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "store/store_json.h"
#include "store/store_types.h"

#define ID_STEP 65536		/* row numbers per write of the counter */
#define NAME_TEXT 48		/* "fcnt_9223372036854775807-99" */
#define ATTRS_KEPT 65536	/* memory that stays for the next row */
#define PREFIX_LEN 4		/* of "m2m:"; no short name is longer */

void resource_deinit(struct resource *r)
{
	free(r->ri);
	free(r->rn);
	json_decref(r->attrs);
	*r = (struct resource){ 0 };
}

/* ---- names that follow from type and number ---- */

static const char *short_name(int ty)
{
	const char *name = type_name(ty);

	return name != NULL ? name + PREFIX_LEN : "res";
}

static char *generated_ri(int ty, int64_t id)
{
	struct buf text = { 0 };

	buf_add_str(&text, str_of(short_name(ty)));
	buf_add_i64(&text, id);
	buf_add_char(&text, '\0');
	if (text.failed)
		buf_deinit(&text);
	return text.p;
}

/* The number at the end of "cnt12"; false when ri is not of that form. */
static bool read_number(int64_t *id, const char *ri)
{
	size_t letters = strspn(ri, "abcdefghijklmnopqrstuvwxyz");
	char name[NAME_TEXT];
	uint64_t n;

	if (letters > PREFIX_LEN || !str_to_u64(&n, str_of(ri + letters)) ||
	    n > INT64_MAX)
		return false;
	snprintf(name, sizeof(name), "m2m:%.*s", (int)letters, ri);
	*id = (int64_t)n;
	return type_find_name(name) != NULL;
}

/* ---- reading ---- */

static char *column_text(sqlite3_stmt *stmt, int at)
{
	const unsigned char *text = sqlite3_column_text(stmt, at);

	return text != NULL ? strdup((const char *)text) : NULL;
}

/* Columns in the order of COLUMNS. */
static int read_row(struct resource *out, sqlite3_stmt *stmt)
{
	*out = (struct resource){
		.id = sqlite3_column_int64(stmt, 0),
		.parent = sqlite3_column_int64(stmt, 1),
		.ty = sqlite3_column_int(stmt, 2),
		.ri = column_text(stmt, 3),
		.rn = column_text(stmt, 4),
		.ct = (uint64_t)sqlite3_column_int64(stmt, 5),
		.lt = (uint64_t)sqlite3_column_int64(stmt, 6),
		.et = (uint64_t)sqlite3_column_int64(stmt, 7),
		.st = sqlite3_column_int64(stmt, 8),
		.size = sqlite3_column_int64(stmt, 9),
		.count = sqlite3_column_int64(stmt, 10),
		.octets = sqlite3_column_int64(stmt, 11),
	};
	if (out->ri == NULL)
		out->ri = generated_ri(out->ty, out->id);
	out->attrs = json_loadb((const char *)sqlite3_column_text(stmt, 12),
				(size_t)sqlite3_column_bytes(stmt, 12),
				JSON_ALLOW_NUL, NULL);	/* of an originator */
	if (out->ri != NULL && out->rn != NULL && out->attrs != NULL)
		return 0;
	resource_deinit(out);
	return UV_EIO;
}

static int load_one(struct resource *out, struct store_conn *c,
		    sqlite3_stmt *stmt)
{
	int rc = db_step(stmt);

	*out = (struct resource){ 0 };
	if (rc == 0)
		return store_refuse(c, RSC_NOT_FOUND, "no such resource");
	if (rc < 0)
		return rc;
	rc = read_row(out, stmt);
	sqlite3_reset(stmt);
	return rc;
}

int tree_load(struct resource *out, struct store_conn *c, int64_t id)
{
	sqlite3_stmt *stmt = db_statement(c, DB_LOAD);

	sqlite3_bind_int64(stmt, 1, id);
	return load_one(out, c, stmt);
}

int tree_load_ri(struct resource *out, struct store_conn *c, const char *ri)
{
	sqlite3_stmt *stmt = db_statement(c, DB_LOAD_RI);
	int64_t id;
	int rc;

	if (read_number(&id, ri)) {
		rc = tree_load(out, c, id);
		if (rc == 0 && strcmp(out->ri, ri) == 0)
			return 0;
		resource_deinit(out);
	}
	db_bind_text(stmt, 1, str_of(ri));
	rc = load_one(out, c, stmt);
	sqlite3_clear_bindings(stmt);
	return rc;
}

int tree_edge(struct resource *out, struct store_conn *c, int64_t container,
	      bool latest)
{
	sqlite3_stmt *stmt = db_statement(c, latest ? DB_LATEST : DB_OLDEST);

	sqlite3_bind_int64(stmt, 1, container);
	return load_one(out, c, stmt);
}

int tree_first(int64_t *id, struct store_conn *c, int64_t parent, int ty)
{
	sqlite3_stmt *stmt = db_statement(c, DB_FIRST_OF);
	int rc;

	*id = 0;
	sqlite3_bind_int64(stmt, 1, parent);
	sqlite3_bind_int(stmt, 2, ty);
	rc = db_step(stmt);
	if (rc != 1)
		return rc;
	*id = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return 0;
}

int tree_ri(char **out, struct store_conn *c, int64_t id)
{
	sqlite3_stmt *stmt = db_statement(c, DB_HEAD);
	int rc;

	sqlite3_bind_int64(stmt, 1, id);
	rc = db_step(stmt);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		*out = strdup("");
	} else {
		*out = column_text(stmt, 1);
		if (*out == NULL)
			*out = generated_ri(sqlite3_column_int(stmt, 0), id);
		sqlite3_reset(stmt);
	}
	return *out != NULL ? 0 : UV_ENOMEM;
}

/* rn of a row before what path holds; *parent: where to go on. */
static int prepend_name(struct buf *path, int64_t *parent,
			struct store_conn *c, int64_t id)
{
	sqlite3_stmt *stmt = db_statement(c, DB_NAME);
	struct buf longer = { 0 };
	int rc;

	sqlite3_bind_int64(stmt, 1, id);
	rc = db_step(stmt);
	if (rc <= 0)
		return rc < 0 ? rc : UV_EIO;
	*parent = sqlite3_column_int64(stmt, 0);
	buf_add(&longer, sqlite3_column_text(stmt, 1),
		(size_t)sqlite3_column_bytes(stmt, 1));
	sqlite3_reset(stmt);
	buf_add_char(&longer, '/');
	buf_add_str(&longer, buf_str(path));
	buf_deinit(path);
	*path = longer;
	return longer.failed ? UV_ENOMEM : 0;
}

int tree_path(char **out, struct store_conn *c, const struct resource *r)
{
	struct buf path = { 0 };
	int64_t id = r->parent;
	int rc = 0;

	buf_add_str(&path, str_of(r->rn));
	buf_add_char(&path, '\0');
	/* a failed one must not become the tail of one that is not */
	while (rc == 0 && !path.failed && id > 0)
		rc = prepend_name(&path, &id, c, id);
	if (rc == 0 && !path.failed) {
		*out = path.p;
		return 0;
	}
	buf_deinit(&path);
	return rc != 0 ? rc : UV_ENOMEM;
}

static int each_row(sqlite3_stmt *stmt,
		    int (*on_child)(void *arg, const struct resource *r),
		    void *arg)
{
	struct resource r;
	int rc;

	while ((rc = db_step(stmt)) == 1) {
		rc = read_row(&r, stmt);
		if (rc == 0) {
			rc = on_child(arg, &r);
			resource_deinit(&r);
		}
		if (rc != 0)
			break;
	}
	sqlite3_reset(stmt);
	return rc;
}

int tree_children(struct store_conn *c, int64_t parent, int ty,
		  int (*on_child)(void *arg, const struct resource *r),
		  void *arg)
{
	sqlite3_stmt *stmt = db_statement(c, ty == 0 ? DB_CHILDREN :
						       DB_CHILDREN_OF);
	sqlite3_stmt *own = NULL;
	int rc;

	/* one walk within another */
	if (sqlite3_stmt_busy(stmt)) {
		if (sqlite3_prepare_v2(c->db, sqlite3_sql(stmt), -1, &own,
				       NULL) != SQLITE_OK)
			return UV_EIO;
		stmt = own;
	}
	sqlite3_bind_int64(stmt, 1, parent);
	if (ty != 0)
		sqlite3_bind_int(stmt, 2, ty);
	rc = each_row(stmt, on_child, arg);
	sqlite3_finalize(own);
	return rc;
}

/* ---- writing ---- */

static int put_labels(struct store_conn *c, const struct resource *r)
{
	sqlite3_stmt *stmt = db_statement(c, DB_LABEL);
	size_t i;
	json_t *label;
	int rc = 0;

	json_array_foreach(json_object_get(r->attrs, "lbl"), i, label) {
		db_bind_text(stmt, 1, (struct str){
			json_string_value(label),
			json_string_length(label) });
		sqlite3_bind_int64(stmt, 2, r->id);
		rc = db_run(stmt);
		if (rc != 0)
			break;
	}
	sqlite3_clear_bindings(stmt);
	return rc;
}

static int run_by_id(struct store_conn *c, enum statement what, int64_t id)
{
	sqlite3_stmt *stmt = db_statement(c, what);

	sqlite3_bind_int64(stmt, 1, id);
	return db_run(stmt);
}

int64_t tree_next(const struct store_conn *c)
{
	return c->statements->next_id;
}

void tree_take_again(struct store_conn *c, int64_t first, int64_t count)
{
	c->statements->again = first;
	c->statements->again_count = count;
}

/* The next number; in steps of ID_STEP the counter follows. */
static int take_id(int64_t *out, struct store_conn *c)
{
	struct store_statements *s = c->statements;
	bool again = s->again_count > 0;
	int rc = 0;

	*out = again ? s->again++ : s->next_id++;
	s->again_count -= again;
	if (*out >= s->reserved) {
		rc = run_by_id(c, DB_RESERVE, s->next_id + ID_STEP);
		if (rc == 0)
			s->reserved = s->next_id + ID_STEP;
	}
	return rc;
}

static int insert_row(const struct resource *r, struct store_conn *c,
		      const char *ri, struct str attrs)
{
	sqlite3_stmt *stmt = db_statement(c, DB_INSERT);
	int rc;

	sqlite3_bind_int64(stmt, 1, r->id);
	sqlite3_bind_int64(stmt, 2, r->parent);
	sqlite3_bind_int(stmt, 3, r->ty);
	if (ri != NULL)
		db_bind_text(stmt, 4, str_of(ri));
	db_bind_text(stmt, 5, str_of(r->rn));
	sqlite3_bind_int64(stmt, 6, (int64_t)r->ct);
	sqlite3_bind_int64(stmt, 7, (int64_t)r->lt);
	sqlite3_bind_int64(stmt, 8, (int64_t)r->et);
	sqlite3_bind_int64(stmt, 9, r->st);
	sqlite3_bind_int64(stmt, 10, r->size);
	sqlite3_bind_int64(stmt, 11, r->count);
	sqlite3_bind_int64(stmt, 12, r->octets);
	db_bind_text(stmt, 13, attrs);
	rc = db_run(stmt);
	sqlite3_clear_bindings(stmt);
	return rc;
}

/* Somebody may have chosen such a name before. */
static int insert_unnamed(struct resource *r, struct store_conn *c,
			  const char *ri, struct str attrs)
{
	int rc = UV_EEXIST;

	for (unsigned i = 0; rc == UV_EEXIST && i < 100; i++) {
		char name[NAME_TEXT];

		snprintf(name, sizeof(name), i == 0 ? "%s_%lld" : "%s_%lld-%u",
			 short_name(r->ty), (long long)r->id, i);
		free(r->rn);
		r->rn = strdup(name);
		if (r->rn == NULL)
			return UV_ENOMEM;
		rc = insert_row(r, c, ri, attrs);
	}
	return rc;
}

/* A chosen id must not look like one that follows from a number. */
static int check_ri(struct store_conn *c, const char *ri)
{
	struct resource other;
	int64_t id;

	if (!read_number(&id, ri)) {
		int rc = tree_load_ri(&other, c, ri);

		if (rc != 0)
			return rc == RSC_NOT_FOUND ? 0 : rc;
		resource_deinit(&other);
	}
	return store_refuse(c, RSC_CONFLICT, "id exists already: %s", ri);
}

static int insert_new(struct resource *r, struct store_conn *c,
		      struct str attrs)
{
	const char *chosen = r->ri;
	int rc = chosen != NULL ? check_ri(c, chosen) : 0;

	if (rc == 0)
		rc = take_id(&r->id, c);
	if (rc != 0)
		return rc;
	rc = r->rn != NULL ? insert_row(r, c, chosen, attrs) :
			     insert_unnamed(r, c, chosen, attrs);
	if (rc == UV_EEXIST)
		return store_refuse(c, RSC_CONFLICT, "name exists already: %s",
				    r->rn);
	if (rc == 0 && chosen == NULL)
		r->ri = generated_ri(r->ty, r->id);
	return rc != 0 || r->ri != NULL ? rc : UV_ENOMEM;
}

/* Good until the next one. */
static int write_attrs(struct str *out, struct store_conn *c,
		       const struct resource *r)
{
	struct buf *text = &c->statements->attrs;

	if (text->cap > ATTRS_KEPT)
		buf_deinit(text);
	buf_clear(text);
	store_json_add(text, r->attrs);
	*out = buf_str(text);
	return text->failed ? UV_ENOMEM : 0;
}

int tree_insert(struct resource *r, struct store_conn *c)
{
	struct str attrs;
	int rc = write_attrs(&attrs, c, r);

	if (rc == 0)
		rc = insert_new(r, c, attrs);
	return rc != 0 ? rc : put_labels(c, r);
}

static int update_row(const struct resource *r, struct store_conn *c,
		      struct str attrs)
{
	sqlite3_stmt *stmt = db_statement(c, DB_UPDATE);
	int rc;

	sqlite3_bind_int64(stmt, 1, r->id);
	sqlite3_bind_int64(stmt, 2, (int64_t)r->lt);
	sqlite3_bind_int64(stmt, 3, (int64_t)r->et);
	sqlite3_bind_int64(stmt, 4, r->st);
	sqlite3_bind_int64(stmt, 5, r->size);
	sqlite3_bind_int64(stmt, 6, r->count);
	sqlite3_bind_int64(stmt, 7, r->octets);
	db_bind_text(stmt, 8, attrs);
	rc = db_run(stmt);
	sqlite3_clear_bindings(stmt);
	return rc;
}

int tree_update(const struct resource *r, struct store_conn *c)
{
	struct str attrs;
	int rc = write_attrs(&attrs, c, r);

	if (rc == 0)
		rc = update_row(r, c, attrs);
	if (rc == 0)
		rc = run_by_id(c, DB_UNLABEL, r->id);
	return rc != 0 ? rc : put_labels(c, r);
}

int tree_update_counts(const struct resource *r, struct store_conn *c)
{
	sqlite3_stmt *stmt = db_statement(c, DB_UPDATE_COUNTS);

	sqlite3_bind_int64(stmt, 1, r->id);
	sqlite3_bind_int64(stmt, 2, r->st);
	sqlite3_bind_int64(stmt, 3, r->count);
	sqlite3_bind_int64(stmt, 4, r->octets);
	return db_run(stmt);
}

static int delete_instance(struct store_conn *c, const struct resource *r)
{
	sqlite3_stmt *stmt = db_statement(c, DB_UNCOUNT);
	int rc = run_by_id(c, DB_DELETE, r->id);

	if (rc == 0 && json_object_get(r->attrs, "lbl") != NULL)
		rc = run_by_id(c, DB_UNLABEL, r->id);
	if (rc != 0)
		return rc;
	sqlite3_bind_int64(stmt, 1, r->parent);
	sqlite3_bind_int64(stmt, 2, r->size);
	return db_run(stmt);
}

int tree_drop_oldest(int64_t *size, struct store_conn *c, int64_t container,
		     uint64_t before)
{
	sqlite3_stmt *stmt = db_statement(c, DB_OLDEST_HEAD);
	int64_t id;
	uint64_t ct;
	int rc;

	*size = -1;
	sqlite3_bind_int64(stmt, 1, container);
	rc = db_step(stmt);
	if (rc != 1)
		return rc;
	id = sqlite3_column_int64(stmt, 0);
	ct = (uint64_t)sqlite3_column_int64(stmt, 2);
	if (ct < before)
		*size = sqlite3_column_int64(stmt, 1);
	sqlite3_reset(stmt);
	if (ct >= before)
		return 0;
	rc = run_by_id(c, DB_UNLABEL, id);
	return rc != 0 ? rc : run_by_id(c, DB_DELETE, id);
}

int tree_delete(struct store_conn *c, const struct resource *r)
{
	int rc;

	if (r->ty == 4)
		return delete_instance(c, r);
	rc = run_by_id(c, DB_UNLABEL_BELOW, r->id);
	return rc != 0 ? rc : run_by_id(c, DB_DELETE_BELOW, r->id);
}
