#include "state/state_db.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

/*
 * entity: one row per token. Loaded as a whole at start, so by no other key.
 *
 * item: one row per stored notification.
 *	seq	the order of a queue; AUTOINCREMENT, so that no number comes
 *		back, not even that of the last item removed.
 *	expires	as handed in, ms since 1970; 0: never.
 *	due	when it goes: expires or max_age, whichever is earlier.
 *	octets	what it counts for in the bounds.
 *	stored	when, ms since 1970; 0: before there was this column.
 *
 * Indexes, as few as will do, because each costs every item twice:
 *	item_queue	(entity, seq): the next, the oldest; with octets it
 *		holds all that counting at start needs, so that this does not
 *		read the messages.
 *	item_sur	(entity, sur): what ec 4 replaces.
 *	item_due	what expires next.
 *
 * Journal: WAL, synchronous=FULL: COMMIT returns when the log is on the disk.
 * EXCLUSIVE: nobody else reads the file, so there is no shared memory file,
 * and a second process is told at its start.
 */
#define APPLICATION_ID 0x6d326d77	/* "m2mw" */
#define SCHEMA_VERSION 2

#define TEXT_OF(number) #number
#define LITERAL(macro)	TEXT_OF(macro)

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE entity ("
	"token TEXT PRIMARY KEY, id TEXT NOT NULL, ty INTEGER NOT NULL, "
	"rn TEXT NOT NULL, poa TEXT NOT NULL, rr INTEGER NOT NULL, "
	"routed INTEGER NOT NULL, dcse TEXT NOT NULL"
	") WITHOUT ROWID;"
	"CREATE TABLE item ("
	"seq INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, "
	"sur TEXT NOT NULL, ec INTEGER NOT NULL, expires INTEGER NOT NULL, "
	"due INTEGER NOT NULL, octets INTEGER NOT NULL, "
	"message TEXT NOT NULL, stored INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX item_queue ON item (entity, seq, octets);"
	"CREATE INDEX item_sur ON item (entity, sur) WHERE sur <> '';"
	"CREATE INDEX item_due ON item (due) WHERE due > 0;"
	"PRAGMA application_id = " LITERAL(APPLICATION_ID) ";"
	"PRAGMA user_version = " LITERAL(SCHEMA_VERSION) ";"
	"COMMIT;";

/* From version 1. */
static const char upgrade[] =
	"BEGIN IMMEDIATE;"
	"ALTER TABLE item ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;"
	"PRAGMA user_version = " LITERAL(SCHEMA_VERSION) ";"
	"COMMIT;";

static const char *const sql[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_ENTITIES] = "SELECT id, token, ty, rn, poa, rr, routed, "
			 "dcse "
			 "FROM entity ORDER BY token",
	[SQL_ENTITY_PUT] = "INSERT OR REPLACE INTO entity "
			   "(id, token, ty, rn, poa, rr, routed, dcse) "
			   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_ENTITY_REMOVE] = "DELETE FROM entity WHERE token = ?1",
	[SQL_ITEM_COUNTS] = "SELECT entity, count(*), sum(octets) FROM item "
			    "GROUP BY entity",
	[SQL_ITEM_DUE] = "SELECT min(due) FROM item WHERE due > 0",
	[SQL_ITEM_SINCE] = "SELECT stored FROM item ORDER BY seq LIMIT 1",
	[SQL_ITEM_EXPIRE] = "DELETE FROM item WHERE seq IN (SELECT seq "
			    "FROM item WHERE due > 0 AND due <= ?1 "
			    "ORDER BY due LIMIT ?2) "
			    "RETURNING entity, seq, octets",
	[SQL_ITEM_PUT] = "INSERT INTO item (entity, sur, ec, expires, due, "
			 "octets, message, stored) "
			 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_ITEM_NEXT] = "SELECT seq, sur, ec, expires, octets, message, "
			  "stored FROM item WHERE entity = ?1 AND "
			  "seq > ?3 AND (due = 0 OR due > ?2) "
			  "ORDER BY seq LIMIT 1",
	[SQL_ITEM_SAME] = "SELECT count(*), coalesce(sum(octets), 0) "
			  "FROM item WHERE entity = ?1 AND sur = ?2 AND "
			  "sur <> '' AND seq <> ?3",
	[SQL_ITEM_REPLACE] = "DELETE FROM item WHERE entity = ?1 AND "
			     "sur = ?2 AND sur <> '' AND seq <> ?3 "
			     "RETURNING seq, octets",
	[SQL_ITEM_OLDEST] = "SELECT seq, octets FROM item WHERE "
			    "entity = ?1 AND seq <> ?2 ORDER BY seq LIMIT 1",
	[SQL_ITEM_REMOVE] = "DELETE FROM item WHERE seq = ?1 AND "
			    "entity = ?2 RETURNING octets",
	[SQL_ITEM_DROP] = "DELETE FROM item WHERE entity = ?1",
};

static int db_error(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return UV_ENOMEM;
	case SQLITE_FULL:
		return UV_ENOSPC;
	case SQLITE_BUSY:
		return UV_EBUSY;
	default:
		return UV_EIO;
	}
}

/* ---- statements ---- */

int state_db_step(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? 0 : db_error(rc);
}

int state_db_run(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : db_error(rc);
}

void state_db_bind(sqlite3_stmt *stmt, int at, struct str text)
{
	sqlite3_bind_text64(stmt, at, text.p != NULL ? text.p : "", text.len,
			    SQLITE_STATIC, SQLITE_UTF8);
}

struct str state_db_column(sqlite3_stmt *stmt, int at)
{
	const void *p = sqlite3_column_text(stmt, at);

	return (struct str){ p, (size_t)sqlite3_column_bytes(stmt, at) };
}

bool state_db_rollback(struct state_db *d)
{
	/* a full disk may have undone it already */
	return sqlite3_get_autocommit(d->db) != 0 ||
	       state_db_run(d->prepared[SQL_ROLLBACK]) == 0;
}

/* ---- opening ---- */

static const struct {
	int rc;
	int err;
	const char *why;
} open_errors[] = {
	{ SQLITE_BUSY, UV_EBUSY, "another process has m2mwsd.db open" },
	{ SQLITE_NOTADB, UV_EIO, "m2mwsd.db is no database, or damaged" },
	{ SQLITE_CORRUPT, UV_EIO, "m2mwsd.db is damaged" },
	{ SQLITE_CANTOPEN, UV_EIO, "m2mwsd.db cannot be opened" },
	{ SQLITE_PERM, UV_EACCES, "m2mwsd.db may not be read or written" },
	{ SQLITE_READONLY, UV_EACCES, "m2mwsd.db may not be written" },
	{ SQLITE_FULL, UV_ENOSPC, "no room on the disk for m2mwsd.db" },
	{ SQLITE_NOMEM, UV_ENOMEM, "out of memory" },
};

static int explain(const char **why, int rc)
{
	for (size_t i = 0; i < ARRAY_LEN(open_errors); i++) {
		if (open_errors[i].rc == (rc & 0xff)) {
			*why = open_errors[i].why;
			return open_errors[i].err;
		}
	}
	*why = "m2mwsd.db cannot be read or written";
	return db_error(rc);
}

static int exec(const char **why, sqlite3 *db, const char *text)
{
	int rc = sqlite3_exec(db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : explain(why, rc);
}

static int query_int(int64_t *out, const char **why, sqlite3 *db,
		     const char *text)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, text, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : explain(why, rc);
}

/* SQLite would make it readable for all; its other files follow this one. An
 * existing file is not even opened: closing it would end SQLite's locks. */
static int create_file(const char **why, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	*why = "m2mwsd.db cannot be created there";
	return uv_translate_sys_error(errno);
}

static int open_file(sqlite3 **out, const char **why, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int err = path != NULL ? create_file(why, path) : 0;
	int rc;

	if (err)
		return err;
	rc = sqlite3_open_v2(path != NULL ? path : ":memory:", out, flags,
			     NULL);
	if (rc != SQLITE_OK)
		return explain(why, rc);
	sqlite3_busy_timeout(*out, 1000);
	return exec(why, *out, "PRAGMA locking_mode = EXCLUSIVE");
}

/* Only looks: what belongs to others stays as it is. *then: what makes it ours,
 * or NULL. */
static int check_owner(const char **then, const char **why, sqlite3 *db)
{
	int64_t id = 0, version = 0, objects = 0;
	int err = query_int(&id, why, db, "PRAGMA application_id");

	if (!err)
		err = query_int(&version, why, db, "PRAGMA user_version");
	if (!err)
		err = query_int(&objects, why, db,
				"SELECT count(*) FROM sqlite_schema");
	if (err)
		return err;
	*then = id == 0 && version == 0 && objects == 0 ? schema : NULL;
	if (*then != NULL)
		return 0;
	if (id != APPLICATION_ID) {
		*why = "m2mwsd.db is a database of another program";
		return ERR_UNSUPPORTED;
	}
	if (version == 1)
		*then = upgrade;
	else if (version != SCHEMA_VERSION) {
		*why = "m2mwsd.db is of another release";
		return ERR_UNSUPPORTED;
	}
	return 0;
}

static int set_up(sqlite3 *db, const char **why)
{
	const char *then = NULL;
	int err = check_owner(&then, why, db);

	if (!err)
		err = exec(why, db,
			   "PRAGMA journal_mode = WAL;"
			   "PRAGMA synchronous = FULL;"
			   "PRAGMA journal_size_limit = 16777216;"
			   "PRAGMA cache_size = -8192;"
			   "PRAGMA temp_store = MEMORY;");
	if (!err && then != NULL)
		err = exec(why, db, then);
	return err;
}

static int prepare_all(struct state_db *d, const char **why)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		int rc = sqlite3_prepare_v3(d->db, sql[i], -1,
					    SQLITE_PREPARE_PERSISTENT,
					    &d->prepared[i], NULL);

		if (rc != SQLITE_OK)
			return explain(why, rc);
	}
	return 0;
}

int state_db_open(struct state_db *d, const char **why, const char *path)
{
	int err;

	/* counting its memory costs SQLite a lock per allocation */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	err = open_file(&d->db, why, path);
	if (!err)
		err = set_up(d->db, why);
	if (!err)
		err = prepare_all(d, why);
	if (err)
		state_db_close(d);
	return err;
}

void state_db_close(struct state_db *d)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		sqlite3_finalize(d->prepared[i]);
		d->prepared[i] = NULL;
	}
	sqlite3_close(d->db);
	d->db = NULL;
}
