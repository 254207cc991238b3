/*
 * The inbox's side of the thread: what its jobs do in the open transaction,
 * with the tallies in step.
 */
#include "state/inbox.h"

#include <stdlib.h>

#include "state/state_priv.h"

#define EC_LATEST 4
#define SWEEP_MAX 256		/* items of one transaction */

/* ---- put ---- */

struct sum {
	uint64_t items, bytes;
};

static uint64_t bytes_of(const struct inbox_item *item)
{
	return item->entity.len + item->sur.len + item->message.len;
}

static bool within(uint64_t n, uint64_t bound)
{
	return bound == 0 || n <= bound;
}

/* One more item beside what the entity has then. */
static bool fits(const struct state *s, const struct tally *tally,
		 struct sum has, uint64_t bytes)
{
	uint64_t others = s->tallies.now.bytes - tally->now.bytes;

	return within(has.items + 1, s->inbox.max_count) &&
	       within(has.bytes + bytes, s->inbox.max_bytes) &&
	       within(others + has.bytes + bytes, s->inbox.max_total_bytes);
}

/* What the item takes the place of. */
static int sum_same(struct sum *out, struct state *s,
		    const struct tally *tally, const struct inbox_item *item)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_SAME];
	int err;

	*out = (struct sum){ 0 };
	if (item->ec != EC_LATEST || item->sur.len == 0 ||
	    tally->now.items == 0)
		return 0;
	state_db_bind(stmt, 1, item->entity);
	state_db_bind(stmt, 2, item->sur);
	sqlite3_bind_int64(stmt, 3, (int64_t)tally->now.handed);
	err = state_db_step(stmt);
	if (err < 0)
		return err;
	out->items = (uint64_t)sqlite3_column_int64(stmt, 0);
	out->bytes = (uint64_t)sqlite3_column_int64(stmt, 1);
	sqlite3_reset(stmt);
	return 0;
}

/* What remains when all has gone that may go for a new item. */
static struct sum least(const struct state *s, const struct tally *tally,
			struct sum same)
{
	if (s->inbox.overflow == INBOX_OLDEST)
		return (struct sum){ tally->now.handed != 0,
				     tally->now.handed_bytes };
	return (struct sum){ tally->now.items - same.items,
			     tally->now.bytes - same.bytes };
}

static int replace_same(struct state *s, struct tally *tally,
			const struct inbox_item *item)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_REPLACE];
	int more;

	state_db_bind(stmt, 1, item->entity);
	state_db_bind(stmt, 2, item->sur);
	sqlite3_bind_int64(stmt, 3, (int64_t)tally->now.handed);
	while ((more = state_db_step(stmt)) == 1) {
		tallies_subtract(&s->tallies, tally,
				 (uint64_t)sqlite3_column_int64(stmt, 0),
				 (uint64_t)sqlite3_column_int64(stmt, 1));
		s->tallies.now.replaced++;
	}
	return more;
}

static int remove_item(bool *found, struct state *s, struct tally *tally,
		       struct str entity, uint64_t seq)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_REMOVE];
	int more;

	*found = false;
	sqlite3_bind_int64(stmt, 1, (int64_t)seq);
	state_db_bind(stmt, 2, entity);
	while ((more = state_db_step(stmt)) == 1) {
		tallies_subtract(&s->tallies, tally, seq,
				 (uint64_t)sqlite3_column_int64(stmt, 0));
		*found = true;
	}
	return more;
}

static int drop_oldest(struct state *s, struct tally *tally,
		       struct str entity)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_OLDEST];
	uint64_t seq;
	bool found;
	int err;

	state_db_bind(stmt, 1, entity);
	sqlite3_bind_int64(stmt, 2, (int64_t)tally->now.handed);
	err = state_db_step(stmt);
	if (err != 1)
		return err == 0 ? UV_EIO : err;	/* the tally knows of one */
	seq = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	err = remove_item(&found, s, tally, entity, seq);
	if (err || !found)
		return err ? err : UV_EIO;
	s->tallies.now.dropped_oldest++;
	return 0;
}

static int make_room(struct state *s, struct tally *tally,
		     const struct inbox_item *item)
{
	struct sum has = { tally->now.items, tally->now.bytes };
	int err = 0;

	while (!err && !fits(s, tally, has, bytes_of(item))) {
		err = drop_oldest(s, tally, item->entity);
		has = (struct sum){ tally->now.items, tally->now.bytes };
	}
	return err;
}

static uint64_t due_of(const struct state *s, const struct inbox_item *item)
{
	uint64_t aged = s->inbox.max_age_ms > 0 ?
				s->now + s->inbox.max_age_ms : 0;

	if (item->expires_ms == 0 || (aged > 0 && aged < item->expires_ms))
		return aged;
	return item->expires_ms;
}

static int insert(struct state *s, struct tally *tally,
		  const struct inbox_item *item)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_PUT];
	uint64_t due = due_of(s, item);
	int err;

	state_db_bind(stmt, 1, item->entity);
	state_db_bind(stmt, 2, item->sur);
	sqlite3_bind_int64(stmt, 3, (int64_t)item->ec);
	sqlite3_bind_int64(stmt, 4, (int64_t)item->expires_ms);
	sqlite3_bind_int64(stmt, 5, (int64_t)due);
	sqlite3_bind_int64(stmt, 6, (int64_t)bytes_of(item));
	state_db_bind(stmt, 7, item->message);
	sqlite3_bind_int64(stmt, 8, (int64_t)s->now);
	err = state_db_run(stmt);
	if (err)
		return err;
	tallies_add(&s->tallies, tally, bytes_of(item));
	s->tallies.now.stored++;
	/* too early does no harm should this be rolled back */
	if (due > 0 && (s->next_due == 0 || due < s->next_due))
		s->next_due = due;
	return 0;
}

static int run_put(struct state *s, struct state_job *job)
{
	const struct inbox_item *item = &job->item;
	struct tally *tally = tallies_get(&s->tallies, item->entity);
	struct sum same;
	int err;

	if (tally == NULL) {
		job->err = UV_ENOMEM;
		return 0;
	}
	err = sum_same(&same, s, tally, item);
	if (err)
		return err;
	/* before anything goes for an item that does not come */
	if (!fits(s, tally, least(s, tally, same), bytes_of(item))) {
		s->tallies.now.refused++;
		job->err = ERR_LIMIT;
		return 0;
	}
	if (same.items > 0)
		err = replace_same(s, tally, item);
	if (!err)
		err = make_room(s, tally, item);
	return err ? err : insert(s, tally, item);
}

/* ---- next, remove, release, drop ---- */

/* The strings of the row, which goes with the next step. */
static bool copy_found(struct state_job *job, struct str sur,
		       struct str message)
{
	struct inbox_item *item = &job->item;

	job->space = malloc(sur.len + message.len + 1);
	if (job->space == NULL)
		return false;
	memcpy(job->space, sur.p, sur.len);
	memcpy(job->space + sur.len, message.p, message.len);
	item->sur = (struct str){ job->space, sur.len };
	item->message = (struct str){ job->space + sur.len, message.len };
	return true;
}

static void take_found(struct state_job *job, sqlite3_stmt *stmt)
{
	struct inbox_item *item = &job->item;

	if (!copy_found(job, state_db_column(stmt, 1),
			state_db_column(stmt, 5))) {
		job->err = UV_ENOMEM;
		return;
	}
	item->seq = (uint64_t)sqlite3_column_int64(stmt, 0);
	item->ec = (unsigned)sqlite3_column_int64(stmt, 2);
	item->expires_ms = (uint64_t)sqlite3_column_int64(stmt, 3);
	item->stored_ms = (uint64_t)sqlite3_column_int64(stmt, 6);
	job->found = true;
}

/* The first one after seq; *octets of it, where there is one. */
static int find_next(struct state *s, struct state_job *job,
		     const struct tally *tally, uint64_t seq, uint64_t *octets)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_NEXT];
	int more;

	if (tally == NULL || tally->now.items == 0)
		return 0;
	state_db_bind(stmt, 1, job->item.entity);
	sqlite3_bind_int64(stmt, 2, (int64_t)s->now);
	sqlite3_bind_int64(stmt, 3, (int64_t)seq);
	more = state_db_step(stmt);
	if (more != 1)
		return more;
	*octets = (uint64_t)sqlite3_column_int64(stmt, 4);
	take_found(job, stmt);
	sqlite3_reset(stmt);
	return 0;
}

static int run_next(struct state *s, struct state_job *job)
{
	struct tally *tally = tallies_find(&s->tallies, job->item.entity);
	uint64_t octets = 0;
	int err = find_next(s, job, tally, 0, &octets);

	if (err || !job->found)
		return err;
	tallies_change(&s->tallies, tally);
	tally->now.handed = job->item.seq;
	tally->now.handed_bytes = octets;
	return 0;
}

static int run_peek(struct state *s, struct state_job *job)
{
	uint64_t octets;

	return find_next(s, job, tallies_find(&s->tallies, job->item.entity),
			 job->item.seq, &octets);
}

static int run_remove(struct state *s, struct state_job *job)
{
	struct tally *tally = tallies_find(&s->tallies, job->item.entity);
	bool found;
	int err;

	if (tally == NULL || tally->now.items == 0)
		return 0;
	err = remove_item(&found, s, tally, job->item.entity, job->item.seq);
	if (found)
		s->tallies.now.delivered++;
	return err;
}

static int run_discard(struct state *s, struct state_job *job)
{
	struct tally *tally = tallies_find(&s->tallies, job->item.entity);
	bool found;
	int err;

	if (tally == NULL || tally->now.items == 0)
		return 0;
	err = remove_item(&found, s, tally, job->item.entity, job->item.seq);
	job->count = found;
	s->tallies.now.dropped += found;
	return err;
}

static int run_release(struct state *s, struct state_job *job)
{
	struct tally *tally = tallies_find(&s->tallies, job->item.entity);

	if (tally == NULL || tally->now.handed != job->item.seq)
		return 0;
	tallies_change(&s->tallies, tally);
	tally->now.handed = 0;
	tally->now.handed_bytes = 0;
	return 0;
}

static int run_drop(struct state *s, struct state_job *job)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_DROP];
	struct tally *tally = tallies_find(&s->tallies, job->item.entity);

	if (tally == NULL || tally->now.items == 0)
		return 0;
	tallies_change(&s->tallies, tally);
	job->count = tally->now.items;
	s->tallies.now.dropped += tally->now.items;
	s->tallies.now.items -= tally->now.items;
	s->tallies.now.bytes -= tally->now.bytes;
	tally->now = (struct tally_counts){ 0 };
	state_db_bind(stmt, 1, job->item.entity);
	return state_db_run(stmt);
}

/* ---- without a caller ---- */

static int read_next_due(struct state *s)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_DUE];
	int err = state_db_step(stmt);

	if (err < 0)
		return err;
	s->next_due = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return 0;
}

int inbox_note_oldest(struct state *s)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_SINCE];
	int more = state_db_step(stmt);

	if (more < 0)
		return more;
	s->tallies.now.since = 0;
	if (more == 1)
		s->tallies.now.since = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return 0;
}

int inbox_recount(struct state *s)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_COUNTS];
	int more;

	tallies_reset(&s->tallies);
	while ((more = state_db_step(stmt)) == 1) {
		struct tally *tally = tallies_get(&s->tallies,
						  state_db_column(stmt, 0));

		if (tally == NULL) {
			sqlite3_reset(stmt);
			return UV_ENOMEM;
		}
		tallies_change(&s->tallies, tally);
		tally->now.items = (uint64_t)sqlite3_column_int64(stmt, 1);
		tally->now.bytes = (uint64_t)sqlite3_column_int64(stmt, 2);
		s->tallies.now.items += tally->now.items;
		s->tallies.now.bytes += tally->now.bytes;
	}
	if (more == 0)
		more = inbox_note_oldest(s);
	return more < 0 ? more : read_next_due(s);
}

int inbox_sweep(struct state *s)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ITEM_EXPIRE];
	unsigned count = 0;
	int more;

	sqlite3_bind_int64(stmt, 1, (int64_t)s->now);
	sqlite3_bind_int(stmt, 2, SWEEP_MAX);
	while ((more = state_db_step(stmt)) == 1) {
		struct tally *tally = tallies_find(&s->tallies,
						   state_db_column(stmt, 0));

		if (tally == NULL) {		/* who changed the file? */
			sqlite3_reset(stmt);
			return UV_EIO;
		}
		count++;
		s->tallies.now.expired++;
		tallies_subtract(&s->tallies, tally,
				 (uint64_t)sqlite3_column_int64(stmt, 1),
				 (uint64_t)sqlite3_column_int64(stmt, 2));
	}
	s->more_due = count == SWEEP_MAX;
	return more < 0 ? more : read_next_due(s);
}

/* ---- the callers' side ---- */

static int submit(struct state_mailbox *m, struct state_call *call,
		  int (*run)(struct state *s, struct state_job *job),
		  struct str entity, uint64_t seq)
{
	struct state_job *job = state_job_create(run, entity.len);

	if (job != NULL) {
		job->item.seq = seq;
		job->item.entity = entity;
		state_job_copy(job, &job->item.entity);
	}
	return state_job_submit(m, call, job, false);
}

int inbox_put(struct state_mailbox *m, struct state_call *call,
	      const struct inbox_item *item)
{
	struct state_job *job = state_job_create(run_put, bytes_of(item));

	if (job != NULL) {
		job->item = *item;
		state_job_copy(job, &job->item.entity);
		state_job_copy(job, &job->item.sur);
		state_job_copy(job, &job->item.message);
	}
	return state_job_submit(m, call, job, true);
}

int inbox_next(struct state_mailbox *m, struct state_call *call,
	       struct str entity)
{
	return submit(m, call, run_next, entity, 0);
}

int inbox_remove(struct state_mailbox *m, struct state_call *call,
		 struct str entity, uint64_t seq)
{
	return submit(m, call, run_remove, entity, seq);
}

int inbox_release(struct state_mailbox *m, struct state_call *call,
		  struct str entity, uint64_t seq)
{
	return submit(m, call, run_release, entity, seq);
}

int inbox_peek(struct state_mailbox *m, struct state_call *call,
	       struct str entity, uint64_t seq)
{
	return submit(m, call, run_peek, entity, seq);
}

int inbox_discard(struct state_mailbox *m, struct state_call *call,
		  struct str entity, uint64_t seq)
{
	return submit(m, call, run_discard, entity, seq);
}

int inbox_drop(struct state_mailbox *m, struct state_call *call,
	       struct str entity)
{
	return submit(m, call, run_drop, entity, 0);
}

uint64_t inbox_count(struct state *s, struct str entity)
{
	return tallies_count(&s->tallies, entity);
}

void inbox_each(struct state *s,
		bool (*on_entity)(void *arg, struct str entity, uint64_t items,
				  uint64_t octets),
		void *arg)
{
	tallies_each(&s->tallies, on_entity, arg);
}

void inbox_stats(struct inbox_stats *out, struct state *s)
{
	tallies_stats(out, &s->tallies);
}
