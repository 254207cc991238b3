#include "store/store_db.h"

#include <stdlib.h>
#include <time.h>
#include <uv.h>

#include "base/log.h"
#include "store/store_route.h"

/*
 * The database.
 *
 * resource: one row per resource.
 *	id	never given twice, not even after a crash: `counter` holds the
 *		first number that no row may have yet, and moves in steps of
 *		ID_STEP, in the transaction that needs it. It grows with
 *		creation (of a subscription: with the request for it, which
 *		may ask first), so it is the order of la and ol, of offsets
 *		and of access decisions that are kept by row.
 *	parent	id of the parent; 0: the CSEBase, which is row 1.
 *	ri	only where an entity chose its own (AE-ID, CSE-ID); all
 *		others are their type's short name and id, "cnt12", and need
 *		neither text nor index.
 *	rn	for ever; so a path once resolved stays right as long as its
 *		row is there.
 *	ct, lt, et	ms since 1970; et 0: never.
 *	st, size, count, octets	stateTag; contentSize; currentNrOfInstances
 *		and currentByteSize, counted as instances come and go.
 *	attrs	JSON object of all other attributes.
 *
 * Indexes, as few as will do, because each costs every CREATE:
 *	resource_name	(parent, rn): paths; no two siblings of a name.
 *	resource_type	(parent, ty), and by that the row number: la, ol,
 *		children by type in order of creation, subscriptions.
 *	resource_ri	of chosen ids only.
 *	resource_et	what expires next.
 *
 * label: (label, id) for each member of lbl; label_id finds them for removal.
 *
 * Journal: WAL, so that readers see the last commit and never wait. The writer
 * is synchronous=FULL: COMMIT returns when the log is on the disk, and one
 * COMMIT serves all requests between store_begin() and it.
 */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS resource ("
	"id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, "
	"ty INTEGER NOT NULL, ri TEXT, rn TEXT NOT NULL, "
	"ct INTEGER NOT NULL, lt INTEGER NOT NULL, et INTEGER NOT NULL, "
	"st INTEGER NOT NULL, size INTEGER NOT NULL, "
	"count INTEGER NOT NULL, octets INTEGER NOT NULL, "
	"attrs TEXT NOT NULL);"
	"CREATE UNIQUE INDEX IF NOT EXISTS resource_name "
	"ON resource (parent, rn);"
	"CREATE INDEX IF NOT EXISTS resource_type ON resource (parent, ty);"
	"CREATE UNIQUE INDEX IF NOT EXISTS resource_ri ON resource (ri) "
	"WHERE ri IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS resource_et ON resource (et) WHERE et > 0;"
	"CREATE TABLE IF NOT EXISTS label ("
	"label TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (label, id)"
	") WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS label_id ON label (id);"
	"CREATE TABLE IF NOT EXISTS counter (next INTEGER NOT NULL);"
	"INSERT INTO counter SELECT 1 "
	"WHERE NOT EXISTS (SELECT 1 FROM counter);"
	"PRAGMA user_version = 1;";

#define SCHEMA_VERSION 1

#define COLUMNS "id, parent, ty, ri, rn, ct, lt, et, st, size, count, " \
		"octets, attrs"
#define BELOW	"WITH RECURSIVE below (id) AS (VALUES (?1) UNION ALL " \
		"SELECT r.id FROM below JOIN resource r " \
		"ON r.parent = below.id) "

static const char *const sql[DB_COUNT] = {
	[DB_BEGIN] = "BEGIN IMMEDIATE",
	[DB_BEGIN_READ] = "BEGIN",
	[DB_COMMIT] = "COMMIT",
	[DB_ROLLBACK] = "ROLLBACK",
	[DB_SAVEPOINT] = "SAVEPOINT request",
	[DB_RELEASE] = "RELEASE request",
	[DB_UNDO] = "ROLLBACK TO request",
	[DB_LOAD] = "SELECT " COLUMNS " FROM resource WHERE id = ?1",
	[DB_LOAD_RI] = "SELECT " COLUMNS " FROM resource WHERE ri = ?1",
	[DB_HEAD] = "SELECT ty, ri FROM resource WHERE id = ?1",
	[DB_CHILD] = "SELECT id, ty FROM resource WHERE parent = ?1 AND "
		     "rn = ?2",
	[DB_NAME] = "SELECT parent, rn FROM resource WHERE id = ?1",
	[DB_INSERT] = "INSERT INTO resource (" COLUMNS ") VALUES "
		      "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
		      "?13)",
	[DB_UPDATE] = "UPDATE resource SET lt = ?2, et = ?3, st = ?4, "
		      "size = ?5, count = ?6, octets = ?7, attrs = ?8 "
		      "WHERE id = ?1",
	[DB_UPDATE_COUNTS] = "UPDATE resource SET st = ?2, count = ?3, "
			     "octets = ?4 WHERE id = ?1",
	[DB_DELETE] = "DELETE FROM resource WHERE id = ?1",
	[DB_DELETE_BELOW] = BELOW "DELETE FROM resource WHERE id IN below",
	[DB_UNCOUNT] = "UPDATE resource SET count = count - 1, "
		       "octets = octets - ?2 WHERE id = ?1",
	[DB_LATEST] = "SELECT " COLUMNS " FROM resource WHERE parent = ?1 "
		      "AND ty = 4 ORDER BY id DESC LIMIT 1",
	[DB_OLDEST] = "SELECT " COLUMNS " FROM resource WHERE parent = ?1 "
		      "AND ty = 4 ORDER BY id LIMIT 1",
	[DB_OLDEST_HEAD] = "SELECT id, size, ct FROM resource WHERE "
			   "parent = ?1 AND ty = 4 ORDER BY id LIMIT 1",
	[DB_FIRST_OF] = "SELECT id FROM resource WHERE parent = ?1 AND "
			"ty = ?2 ORDER BY id LIMIT 1",
	[DB_CHILDREN] = "SELECT " COLUMNS " FROM resource WHERE parent = ?1 "
			"ORDER BY id",
	[DB_CHILDREN_OF] = "SELECT " COLUMNS " FROM resource WHERE "
			   "parent = ?1 AND ty = ?2 ORDER BY id",
	[DB_LABEL] = "INSERT OR IGNORE INTO label VALUES (?1, ?2)",
	[DB_UNLABEL] = "DELETE FROM label WHERE id = ?1",
	[DB_UNLABEL_BELOW] = BELOW "DELETE FROM label WHERE id IN below",
	[DB_LABELLED] = "SELECT id FROM label WHERE label = ?1 ORDER BY id",
	[DB_COUNT_LABEL] = "SELECT count(*) FROM (SELECT 1 FROM label WHERE "
			   "label = ?1 LIMIT ?2)",
	[DB_EXPIRED] = "SELECT id FROM resource WHERE et > 0 AND et <= ?1 "
		       "ORDER BY et LIMIT ?2",
	[DB_RESERVE] = "UPDATE counter SET next = ?1",
};

/* ---- statements ---- */

sqlite3_stmt *db_statement(const struct store_conn *c, enum statement id)
{
	return c->statements->prepared[id];
}

static int db_error(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return UV_ENOMEM;
	case SQLITE_CONSTRAINT:
		return UV_EEXIST;
	default:
		return UV_EIO;
	}
}

int db_step(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? 0 : db_error(rc);
}

int db_run(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? 0 : db_error(rc);
}

void db_bind_text(sqlite3_stmt *stmt, int at, struct str text)
{
	sqlite3_bind_text64(stmt, at, text.p != NULL ? text.p : "", text.len,
			    SQLITE_STATIC, SQLITE_UTF8);
}

static int prepare_all(struct store_conn *c)
{
	for (int i = 0; i < DB_COUNT; i++) {
		int rc = sqlite3_prepare_v3(c->db, sql[i], -1,
					    SQLITE_PREPARE_PERSISTENT,
					    &c->statements->prepared[i], NULL);

		if (rc != SQLITE_OK)
			return db_error(rc);
	}
	return 0;
}

/* ---- opening ---- */

static int exec(sqlite3 *db, const char *text)
{
	int rc = sqlite3_exec(db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_error(rc);
}

static int open_db(sqlite3 **out, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX;
	int rc = sqlite3_open_v2(path, out, flags, NULL);

	if (rc != SQLITE_OK)
		return db_error(rc);
	sqlite3_busy_timeout(*out, 5000);
	return exec(*out, "PRAGMA journal_mode = WAL;"
			  "PRAGMA synchronous = FULL;"
			  "PRAGMA wal_autocheckpoint = 4000;"
			  "PRAGMA cache_size = -65536;"
			  "PRAGMA temp_store = MEMORY;");
}

static int query_int(int64_t *out, sqlite3 *db, const char *text)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, text, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	*out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : db_error(rc);
}

static int create_schema(sqlite3 *db, const char **why)
{
	int64_t version;
	int rc = query_int(&version, db, "PRAGMA user_version");

	if (rc == 0 && version != 0 && version != SCHEMA_VERSION) {
		*why = "the database is of another release";
		return ERR_UNSUPPORTED;
	}
	return rc != 0 ? rc : exec(db, schema);
}

/* The attributes that follow the configuration, at each start. */
static json_t *base_attributes(const struct store_conf *conf)
{
	json_t *attrs = json_pack("{s:s, s:i, s:[i,i,i,i,i,i,i,i,i,i,i], "
				  "s:[s,s,s,s], s:[s]}",
				  "csi", conf->cse_id, "cst", 1, "srt", 1, 2,
				  3, 4, 5, 9, 15, 16, 17, 23, 28, "srv", "2a",
				  "3", "4", "5", "csz", "application/json");

	if (attrs != NULL && conf->poa != NULL &&
	    json_object_set_new(attrs, "poa", json_pack("[s]", conf->poa)) !=
		    0) {
		json_decref(attrs);
		return NULL;
	}
	return attrs;
}

static int insert_base(struct store_conn *c, json_t *attrs)
{
	const struct store_conf *conf = c->store->conf;
	struct resource base = {
		.ty = 5,
		.ri = strdup(conf->cse_id + 1),
		.rn = strdup(conf->cse_name),
		.ct = (uint64_t)time(NULL) * 1000,
		.attrs = attrs,
	};
	int rc = UV_ENOMEM;

	base.lt = base.ct;
	if (base.ri != NULL && base.rn != NULL)
		rc = tree_insert(&base, c);
	resource_deinit(&base);
	return rc;
}

static int refresh_base(struct resource *base, struct store_conn *c,
			json_t *attrs, const char **why)
{
	const struct store_conf *conf = c->store->conf;

	if (strcmp(base->ri, conf->cse_id + 1) != 0 ||
	    strcmp(base->rn, conf->cse_name) != 0) {
		json_decref(attrs);
		*why = "the database belongs to another CSE";
		return ERR_UNSUPPORTED;
	}
	json_decref(base->attrs);
	base->attrs = attrs;
	return tree_update(base, c);
}

/* Row 1 is the CSEBase. */
static int put_base(struct store_conn *c, const char **why)
{
	json_t *attrs = base_attributes(c->store->conf);
	struct resource base = { 0 };
	int rc = tree_load(&base, c, 1);

	if (attrs == NULL)
		rc = UV_ENOMEM;
	else if (rc == RSC_NOT_FOUND)
		rc = insert_base(c, attrs);
	else if (rc == 0)
		rc = refresh_base(&base, c, attrs, why);
	else
		json_decref(attrs);
	resource_deinit(&base);
	return rc;
}

static int make_base(struct store *s, const char **why)
{
	struct store_conn *c;
	int rc = store_conn_create(&c, s, STORE_WRITER);

	if (rc != 0)
		return rc;
	rc = store_begin(c);
	if (rc == 0) {
		rc = put_base(c, why);
		if (rc == 0)
			rc = store_commit(c);
		else
			store_rollback(c);
	}
	store_conn_destroy(c);
	return rc;
}

static bool is_memory(const struct store_conf *conf)
{
	return strcmp(conf->path, ":memory:") == 0;
}

static int open_store(struct store *s, const char **why)
{
	sqlite3 *db = NULL;
	int rc = open_db(&db, s->conf->path);

	if (rc == 0)
		rc = create_schema(db, why);
	if (rc == 0 && is_memory(s->conf))
		s->memory = db;
	else
		sqlite3_close(db);
	return rc != 0 ? rc : make_base(s, why);
}

int store_create(struct store **out, const char **why,
		 const struct store_conf *conf)
{
	struct store *s = calloc(1, sizeof(*s));
	int rc;

	*why = "cannot open the database";
	if (s == NULL)
		return UV_ENOMEM;
	/* counting its memory costs SQLite a lock per allocation */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	s->conf = conf;
	rc = open_store(s, why);
	if (rc != 0)
		store_destroy(s);
	else
		*out = s;
	return rc;
}

void store_destroy(struct store *s)
{
	if (s == NULL)
		return;
	sqlite3_close(s->memory);
	free(s);
}

/* ---- connections ---- */

/* Above all rows, whatever a crash left in the counter. */
static int read_counter(struct store_conn *c)
{
	return query_int(&c->statements->next_id, c->db,
			 "SELECT max(next, (SELECT coalesce(max(id), 0) + 1 "
			 "FROM resource)) FROM counter");
}

static int open_conn(struct store_conn *c)
{
	int rc = 0;

	c->db = c->store->memory;
	if (c->db == NULL)
		rc = open_db(&c->db, c->store->conf->path);
	if (rc == 0 && c->store->memory == NULL && c->role == STORE_READER)
		rc = exec(c->db, "PRAGMA query_only = 1");
	if (rc == 0)
		rc = prepare_all(c);
	return rc != 0 ? rc : read_counter(c);
}

int store_conn_create(struct store_conn **out, struct store *s,
		      enum store_role role)
{
	struct store_conn *c = calloc(1, sizeof(*c));
	int rc = UV_ENOMEM;

	if (c == NULL)
		return UV_ENOMEM;
	c->store = s;
	c->role = role;
	c->statements = calloc(1, sizeof(*c->statements));
	if (c->statements != NULL)
		rc = open_conn(c);
	if (rc != 0)
		store_conn_destroy(c);
	else
		*out = c;
	return rc;
}

static void free_statements(struct store_statements *statements)
{
	for (size_t i = 0; i < DB_COUNT; i++)
		sqlite3_finalize(statements->prepared[i]);
	for (size_t i = 0; i < DB_PATHS; i++)
		free(statements->paths[i].path);
	walk_free_frames(statements->frames, statements->frame_room);
	buf_deinit(&statements->attrs);
	free(statements);
}

/* Numbers that nobody took; a crash merely skips them. */
static void return_reserved(const struct store_conn *c)
{
	const struct store_statements *s = c->statements;
	sqlite3_stmt *stmt = db_statement(c, DB_RESERVE);

	if (s->next_id >= s->reserved)
		return;
	sqlite3_bind_int64(stmt, 1, s->next_id);
	if (db_run(stmt) != 0)
		log_warning("store-counter", LOG_TEXT("why", "not written"));
}

void store_conn_destroy(struct store_conn *c)
{
	if (c == NULL)
		return;
	if (c->in_transaction)
		store_rollback(c);
	if (c->statements != NULL) {
		return_reserved(c);
		free_statements(c->statements);
	}
	access_destroy(c->access);
	routes_destroy(c->routes);
	if (c->db != c->store->memory)
		sqlite3_close(c->db);
	free(c);
}

/* ---- transactions ---- */

int store_begin(struct store_conn *c)
{
	int rc = db_run(db_statement(c, c->role == STORE_WRITER ?
						DB_BEGIN : DB_BEGIN_READ));

	c->in_transaction = rc == 0;
	return rc;
}

int store_commit(struct store_conn *c)
{
	int rc = db_run(db_statement(c, DB_COMMIT));

	if (rc != 0) {
		store_rollback(c);
		return rc;
	}
	c->in_transaction = false;
	access_settle(c);
	return 0;
}

void store_rollback(struct store_conn *c)
{
	/* a full disk may have undone it already */
	if (sqlite3_get_autocommit(c->db) == 0 &&
	    db_run(db_statement(c, DB_ROLLBACK)) != 0)
		log_error("store-rollback",
			  LOG_TEXT("why", sqlite3_errmsg(c->db)));
	c->in_transaction = false;
	c->statements->reserved = 0;
	access_settle(c);
}

int tree_mark(struct store_conn *c)
{
	return db_run(db_statement(c, DB_SAVEPOINT));
}

int tree_keep(struct store_conn *c)
{
	return db_run(db_statement(c, DB_RELEASE));
}

void tree_undo(struct store_conn *c)
{
	/* what was reserved since then is not */
	c->statements->reserved = 0;
	if (db_run(db_statement(c, DB_UNDO)) != 0 || tree_keep(c) != 0)
		store_rollback(c);
}
