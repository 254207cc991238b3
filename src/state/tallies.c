#include "state/tallies.h"

#include <stdlib.h>

static unsigned hash_of(const struct tallies *t, struct str entity)
{
	return table_hash_keyed(&t->key, entity);
}

/* Under the lock, or by the only thread that changes the table. */
static struct tally *find(struct tallies *t, struct str entity, unsigned hash)
{
	struct tally *tally;

	HASH_FIND_BYHASHVALUE(hh, t->table, entity.p, entity.len, hash, tally);
	return tally;
}

struct tally *tallies_find(struct tallies *t, struct str entity)
{
	return find(t, entity, hash_of(t, entity));
}

static int add_to_table(struct tallies *t, struct tally *tally, unsigned hash)
{
	int err;

	uv_rwlock_wrlock(&t->lock);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, t->table, tally->entity, tally->len,
				    hash, tally);
	err = table_added(&tally->hh);
	if (!err)
		LIST_INSERT_HEAD(&t->all, tally, of_all);
	uv_rwlock_wrunlock(&t->lock);
	return err;
}

static void tally_destroy(struct tallies *t, struct tally *tally)
{
	HASH_DELETE(hh, t->table, tally);
	LIST_REMOVE(tally, of_all);
	free(tally);
}

static struct tally *tally_create(struct str entity)
{
	struct tally *tally = calloc(1, sizeof(*tally) + entity.len);

	if (tally == NULL)
		return NULL;
	tally->len = entity.len;
	memcpy(tally->entity, entity.p, entity.len);
	return tally;
}

struct tally *tallies_get(struct tallies *t, struct str entity)
{
	unsigned hash = hash_of(t, entity);
	struct tally *tally = find(t, entity, hash);

	if (tally != NULL)
		return tally;
	tally = tally_create(entity);
	if (tally == NULL)
		return NULL;
	if (add_to_table(t, tally, hash) != 0) {
		free(tally);
		return NULL;
	}
	/* if nothing comes of it, commit or rollback takes it away again */
	tallies_change(t, tally);
	return tally;
}

void tallies_change(struct tallies *t, struct tally *tally)
{
	if (tally->changed)
		return;
	tally->changed = true;
	SLIST_INSERT_HEAD(&t->changed, tally, link);
}

void tallies_add(struct tallies *t, struct tally *tally, uint64_t bytes)
{
	tallies_change(t, tally);
	tally->now.items++;
	tally->now.bytes += bytes;
	t->now.items++;
	t->now.bytes += bytes;
}

void tallies_subtract(struct tallies *t, struct tally *tally, uint64_t seq,
		      uint64_t bytes)
{
	tallies_change(t, tally);
	tally->now.items--;
	tally->now.bytes -= bytes;
	t->now.items--;
	t->now.bytes -= bytes;
	if (tally->now.handed != seq)
		return;
	tally->now.handed = 0;
	tally->now.handed_bytes = 0;
}

/* Changed ones: what `now` and `committed` agree on is settled, and who has
 * nothing goes. Under the lock. */
static void settle(struct tallies *t)
{
	struct tally *tally;

	while ((tally = SLIST_FIRST(&t->changed)) != NULL) {
		SLIST_REMOVE_HEAD(&t->changed, link);
		tally->changed = false;
		if (tally->committed.items > 0)
			continue;
		tally_destroy(t, tally);
	}
}

void tallies_commit(struct tallies *t)
{
	struct tally *tally;

	uv_rwlock_wrlock(&t->lock);
	SLIST_FOREACH(tally, &t->changed, link)
		tally->committed = tally->now;
	t->committed = t->now;
	settle(t);
	uv_rwlock_wrunlock(&t->lock);
}

void tallies_rollback(struct tallies *t)
{
	struct tally *tally;

	uv_rwlock_wrlock(&t->lock);
	SLIST_FOREACH(tally, &t->changed, link)
		tally->now = tally->committed;
	t->committed.failed_commits++;
	t->now = t->committed;
	settle(t);
	uv_rwlock_wrunlock(&t->lock);
}

void tallies_reset(struct tallies *t)
{
	struct tally *tally;

	LIST_FOREACH(tally, &t->all, of_all) {
		tallies_change(t, tally);
		tally->now = (struct tally_counts){ 0 };
	}
	t->now.items = 0;
	t->now.bytes = 0;
}

uint64_t tallies_count(struct tallies *t, struct str entity)
{
	unsigned hash = hash_of(t, entity);
	struct tally *tally;
	uint64_t items;

	uv_rwlock_rdlock(&t->lock);
	tally = find(t, entity, hash);
	items = tally != NULL ? tally->committed.items : 0;
	uv_rwlock_rdunlock(&t->lock);
	return items;
}

void tallies_each(struct tallies *t,
		  bool (*on_entity)(void *arg, struct str entity,
				    uint64_t items, uint64_t octets),
		  void *arg)
{
	const struct tally *tally;

	uv_rwlock_rdlock(&t->lock);
	LIST_FOREACH(tally, &t->all, of_all)
		if (tally->committed.items > 0 &&
		    !on_entity(arg,
			       (struct str){ tally->entity, tally->len },
			       tally->committed.items,
			       tally->committed.bytes))
			break;
	uv_rwlock_rdunlock(&t->lock);
}

void tallies_stats(struct inbox_stats *out, struct tallies *t)
{
	uv_rwlock_rdlock(&t->lock);
	*out = t->committed;
	uv_rwlock_rdunlock(&t->lock);
}

int tallies_init(struct tallies *t)
{
	SLIST_INIT(&t->changed);
	LIST_INIT(&t->all);
	if (uv_rwlock_init(&t->lock))
		abort();		/* only by lack of memory */
	return siphash_key_random(&t->key);
}

void tallies_deinit(struct tallies *t)
{
	struct tally *tally;

	while ((tally = LIST_FIRST(&t->all)) != NULL)
		tally_destroy(t, tally);
	uv_rwlock_destroy(&t->lock);
}
