#include "store/store_db.h"

#include <stdlib.h>
#include <uv.h>

/* Rows that have expired; *count of at most max. */
static int list_expired(int64_t *ids, size_t *count, struct store_conn *c,
			uint64_t now_ms, unsigned max)
{
	sqlite3_stmt *stmt = db_statement(c, DB_EXPIRED);
	int rc;

	*count = 0;
	sqlite3_bind_int64(stmt, 1, (int64_t)now_ms);
	sqlite3_bind_int64(stmt, 2, max);
	while ((rc = db_step(stmt)) == 1)
		ids[(*count)++] = sqlite3_column_int64(stmt, 0);
	return rc;
}

static int expire_loaded(struct store_conn *c, struct store_events *events,
			 const struct resource *r)
{
	struct resource parent = { 0 };
	int rc = notify_change(events, c, r, NULL, CHANGE_DELETE, NULL, NULL);

	if (rc == 0)
		rc = tree_load(&parent, c, r->parent);
	if (rc == 0)
		rc = notify_change(events, c, &parent, r, CHANGE_DELETE_CHILD,
				   NULL, NULL);
	if (rc == 0)
		rc = tree_delete(c, r);
	if (rc == 0 && r->ty != 4 && r->ty != 17 && r->ty != 23)
		access_invalidate(c);
	resource_deinit(&parent);
	return rc;
}

/* 1; 0 when it went with one of its ancestors. */
static int expire_one(struct store_conn *c, struct store_events *events,
		      int64_t id)
{
	struct resource r = { 0 };
	int rc = tree_load(&r, c, id);

	if (rc == RSC_NOT_FOUND)
		return 0;
	if (rc != 0)
		return rc;
	rc = expire_loaded(c, events, &r);
	resource_deinit(&r);
	return rc != 0 ? rc : 1;
}

int store_expire(struct store_conn *c, struct store_events *events,
		 uint64_t now_ms, unsigned max)
{
	int64_t *ids = calloc(max, sizeof(*ids));
	size_t count = 0;
	int gone = 0;
	int rc = ids != NULL ? list_expired(ids, &count, c, now_ms, max) :
			       UV_ENOMEM;

	for (size_t i = 0; rc >= 0 && i < count; i++) {
		rc = expire_one(c, events, ids[i]);
		gone += rc == 1;
	}
	free(ids);
	return rc < 0 ? rc : gone;
}
