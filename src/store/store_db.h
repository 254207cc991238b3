#ifndef STORE_DB_H
#define STORE_DB_H

#include "store/resource.h"

/* Between the files that touch the database. */

enum statement {
	DB_BEGIN,
	DB_BEGIN_READ,
	DB_COMMIT,
	DB_ROLLBACK,
	DB_SAVEPOINT,
	DB_RELEASE,
	DB_UNDO,
	DB_LOAD,
	DB_LOAD_RI,
	DB_HEAD,
	DB_CHILD,
	DB_NAME,
	DB_INSERT,
	DB_UPDATE,
	DB_UPDATE_COUNTS,
	DB_DELETE,
	DB_DELETE_BELOW,
	DB_UNCOUNT,
	DB_LATEST,
	DB_OLDEST,
	DB_OLDEST_HEAD,
	DB_FIRST_OF,
	DB_CHILDREN,
	DB_CHILDREN_OF,
	DB_LABEL,
	DB_UNLABEL,
	DB_UNLABEL_BELOW,
	DB_LABELLED,
	DB_COUNT_LABEL,
	DB_EXPIRED,
	DB_RESERVE,
	DB_COUNT,
};

#define DB_PATHS 1024		/* slots; a power of two */

/* Where a path led. A row keeps its path and its number for life, so only its
 * existence has to be asked again. */
struct path_slot {
	char *path;		/* owned; NULL: free */
	size_t len;
	int64_t id;
};

#define DB_COMMON 16		/* slots */
#define DB_LABEL_TEXT 64	/* longer labels are counted each time */

/* A label that many have, and until when it is not counted again. */
struct common_label {
	char text[DB_LABEL_TEXT];
	size_t len;
	uint64_t until_ms;
};

struct walk_frame;

struct store_statements {
	sqlite3_stmt *prepared[DB_COUNT];	/* owned */
	int64_t next_id;	/* writer: of the next row */
	int64_t reserved;	/* writer: rows below it may be given away */
	int64_t again, again_count;	/* writer: taken before, by a request
					 * that asked first; to be given now */
	struct buf attrs;	/* owned; scratch: a row's, as text */
	struct path_slot paths[DB_PATHS];
	struct common_label common[DB_COMMON];	/* store_labels.c */
	unsigned next_common;
	struct walk_frame *frames;	/* owned; of the last walk */
	size_t frame_room;
};

/* Prepared, reset, without bindings left from before. */
sqlite3_stmt *db_statement(const struct store_conn *c, enum statement id);

/* Runs a statement that gives no rows, and resets it: 0, UV_EIO, UV_ENOMEM.
 * SQLITE_CONSTRAINT becomes UV_EEXIST. */
MUST_CHECK int db_run(sqlite3_stmt *stmt);
/* One row: 1. None: 0. Else negative. The caller resets after a row. */
MUST_CHECK int db_step(sqlite3_stmt *stmt);

/* In place of NULL for an empty str, which would be SQL's NULL. */
void db_bind_text(sqlite3_stmt *stmt, int at, struct str text);

/* Of store_walk.c. */
void walk_free_frames(struct walk_frame *frames, size_t room);

#endif
