#ifndef STATE_STATE_DB_H
#define STATE_STATE_DB_H

#include <sqlite3.h>

#include "base/str.h"

/*
 * The database file, its schema and its statements; one thread at a time.
 */
enum state_statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,

	SQL_ENTITIES,		/* id, token, kind, poa, dcse, strength */
	SQL_ENTITY_PUT,		/* the same */
	SQL_ENTITY_REMOVE,	/* token */

	SQL_ITEM_COUNTS,	/* -> entity, items, octets */
	SQL_ITEM_DUE,		/* -> the least due, or NULL */
	SQL_ITEM_SINCE,		/* -> when the first was stored */
	SQL_ITEM_EXPIRE,	/* due, how many -> entity, seq, octets */
	SQL_ITEM_PUT,		/* entity, sur, ec, expires, due, octets,
				 * message, stored */
	SQL_ITEM_NEXT,		/* entity, now, after -> seq, sur, ec, expires,
				 * octets, message, stored */
	SQL_ITEM_SAME,		/* entity, sur, not seq -> items, octets */
	SQL_ITEM_REPLACE,	/* entity, sur, not seq -> seq, octets */
	SQL_ITEM_OLDEST,	/* entity, not seq -> seq, octets */
	SQL_ITEM_REMOVE,	/* seq, entity -> octets */
	SQL_ITEM_DROP,		/* entity */

	SQL_COUNT,
};

struct state_db {
	sqlite3 *db;		/* owned; NULL: not open */
	sqlite3_stmt *prepared[SQL_COUNT];
};

/* path NULL: in memory. *why is static. A zeroed one can be opened. */
MUST_CHECK int state_db_open(struct state_db *d, const char **why,
			     const char *path);
void state_db_close(struct state_db *d);

/* 1: a row; 0: the end, the statement is reset; negative: a code. */
MUST_CHECK int state_db_step(sqlite3_stmt *stmt);

/* Executes and resets; a row that comes is not looked at. */
MUST_CHECK int state_db_run(sqlite3_stmt *stmt);

/* The text stays put until the statement is reset. */
void state_db_bind(sqlite3_stmt *stmt, int at, struct str text);

/* Good until the statement is stepped or reset. */
struct str state_db_column(sqlite3_stmt *stmt, int at);

/* False: the database cannot be used any more, it has to be opened anew. */
MUST_CHECK bool state_db_rollback(struct state_db *d);

#endif
