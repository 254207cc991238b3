#include <uv.h>

#include "store/store_db.h"
#include "store/store_labels.h"

#define MANY	  20000	/* rows */
#define COMMON_MS 10000	/* that long a label is taken to be common */

static struct str text_of(const json_t *string)
{
	return (struct str){ json_string_value(string),
			     json_string_length(string) };
}

/* ---- how many ---- */

static bool is_known(const struct store_conn *c, struct str label,
		     uint64_t now_ms)
{
	const struct common_label *known = c->statements->common;

	for (size_t i = 0; i < DB_COMMON; i++) {
		if (now_ms < known[i].until_ms &&
		    str_eq((struct str){ known[i].text, known[i].len }, label))
			return true;
	}
	return false;
}

static void know(struct store_conn *c, struct str label, uint64_t now_ms)
{
	struct store_statements *s = c->statements;
	struct common_label *known = &s->common[s->next_common % DB_COMMON];

	if (label.len > sizeof(known->text))
		return;
	s->next_common++;
	memcpy(known->text, label.p, label.len);
	known->len = label.len;
	known->until_ms = now_ms + COMMON_MS;
}

static int count_rows(int64_t *out, struct store_conn *c, struct str label,
		      int64_t most)
{
	sqlite3_stmt *stmt = db_statement(c, DB_COUNT_LABEL);
	int rc;

	db_bind_text(stmt, 1, label);
	sqlite3_bind_int64(stmt, 2, most);
	rc = db_step(stmt);
	*out = rc == 1 ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc < 0 ? rc : 0;
}

int labels_are_rare(bool *out, struct store_conn *c, const json_t *labels,
		    uint64_t now_ms)
{
	int64_t n, room = MANY;
	size_t i;
	json_t *one;

	json_array_foreach(labels, i, one) {
		struct str label = text_of(one);
		int rc;

		if (is_known(c, label, now_ms))
			room = 0;
		if (room == 0)
			break;
		rc = count_rows(&n, c, label, room);
		if (rc != 0)
			return rc;
		if (n == MANY)
			know(c, label, now_ms);
		room -= n;
	}
	*out = room > 0;
	return 0;
}

/* ---- which ---- */

static int prepare(sqlite3_stmt **out, struct store_conn *c, size_t count)
{
	struct buf sql = { 0 };
	int rc;

	buf_add_lit(&sql, "SELECT DISTINCT id FROM label WHERE label IN (");
	for (size_t i = 0; i < count; i++)
		buf_add_str(&sql, i == 0 ? STR("?") : STR(",?"));
	buf_add_lit(&sql, ") ORDER BY id");
	if (sql.failed)
		return UV_ENOMEM;
	rc = sqlite3_prepare_v2(c->db, sql.p, (int)sql.len, out, NULL);
	buf_deinit(&sql);
	return rc == SQLITE_OK ? 0 : UV_EIO;
}

int labels_open(sqlite3_stmt **out, struct store_conn *c, const json_t *labels)
{
	size_t i, count = json_array_size(labels);
	json_t *one;
	int rc = 0;

	/* one, as usual, need not be prepared */
	if (count == 1)
		*out = db_statement(c, DB_LABELLED);
	else
		rc = prepare(out, c, count);
	if (rc != 0)
		return rc;
	json_array_foreach(labels, i, one)
		db_bind_text(*out, (int)i + 1, text_of(one));
	return 0;
}

void labels_close(sqlite3_stmt *stmt, struct store_conn *c)
{
	if (stmt != db_statement(c, DB_LABELLED)) {
		sqlite3_finalize(stmt);
		return;
	}
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
}
