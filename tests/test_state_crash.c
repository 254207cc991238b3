#include <signal.h>
#include <sys/wait.h>

#include "state_rig.h"

#include "state/state_priv.h"

/*
 * A process that stores and removes is killed in the middle of it, again and
 * again on the same file: every acknowledged item is there, in order, no
 * acknowledged removal is undone. STATE_CRASH_ROUNDS makes it longer.
 */

#define ENTITIES 3
#define PUTTERS	 4			/* chains of puts per entity */
#define NUMBERS	 100000			/* of items per entity */
#define BACKLOG	 64			/* with more, nothing is put */

static const char *const names[ENTITIES] = { "/id-in/Ca", "/id-in/Cb", "/mn" };

/* What the child tells through the pipe, of item `number` of an entity. */
enum event {
	NOTHING,
	PUT_BEGUN,
	PUT,				/* acknowledged */
	REMOVAL_BEGUN,
	REMOVED,			/* acknowledged */
	ROW,				/* acknowledged; number: rr */
};

struct record {
	uint32_t event;
	uint32_t entity;
	uint32_t number;
};

/* ---- the child ---- */

struct child {
	struct rig rig;
	int out;
	uint32_t next[ENTITIES];	/* numbers */

	struct putter {
		struct state_call call;
		struct child *child;
		uint32_t entity, number;
	} putters[ENTITIES * PUTTERS];
	struct asker {
		struct state_call call;
		struct child *child;
		uint32_t entity, number;
		bool removing;
	} askers[ENTITIES];
	struct state_call row;
	uint32_t rr;
};

static void report(struct child *c, enum event event, uint32_t entity,
		   uint32_t number)
{
	struct record r = { event, entity, number };

	if (write(c->out, &r, sizeof(r)) != (ssize_t)sizeof(r))
		_exit(1);
}

static void put_one(struct putter *p)
{
	struct child *c = p->child;
	struct inbox_item item;
	char message[16];

	p->number = c->next[p->entity]++;
	report(c, PUT_BEGUN, p->entity, p->number);
	snprintf(message, sizeof(message), "%u", p->number);
	item = rig_item(names[p->entity], message);
	ck_assert_int_eq(inbox_put(c->rig.m, &p->call, &item), 0);
}

static void on_put(struct state_call *call, int err)
{
	struct putter *p = container_of(call, struct putter, call);

	ck_assert_int_eq(err, 0);
	report(p->child, PUT, p->entity, p->number);
	if (inbox_count(p->child->rig.state, str_of(names[p->entity])) <
	    BACKLOG)
		put_one(p);
}

static void ask(struct asker *a)
{
	ck_assert_int_eq(inbox_next(a->child->rig.m, &a->call,
				    str_of(names[a->entity])), 0);
}

/* Any putter that paused goes on. */
static void refill(struct child *c, uint32_t entity)
{
	for (size_t i = 0; i < PUTTERS; i++) {
		struct putter *p = &c->putters[entity * PUTTERS + i];

		if (p->call.job == NULL)
			put_one(p);
	}
}

static void on_removed(struct asker *a)
{
	a->removing = false;
	report(a->child, REMOVED, a->entity, a->number);
	if (inbox_count(a->child->rig.state, str_of(names[a->entity])) <
	    BACKLOG / 2)
		refill(a->child, a->entity);
	ask(a);
}

static void on_asked(struct state_call *call, int err)
{
	struct asker *a = container_of(call, struct asker, call);
	uint64_t number;

	ck_assert_int_eq(err, 0);
	if (a->removing) {
		on_removed(a);
		return;
	}
	if (call->item == NULL) {
		ask(a);
		return;
	}
	ck_assert(str_to_u64(&number, call->item->message));
	a->number = (uint32_t)number;
	a->removing = true;
	report(a->child, REMOVAL_BEGUN, a->entity, a->number);
	ck_assert_int_eq(inbox_remove(a->child->rig.m, call,
				      str_of(names[a->entity]),
				      call->item->seq), 0);
}

static void put_row(struct child *c)
{
	struct entity_row row = { .id = STR("/mn"), .token = STR("token"),
				  .ty = 16,
				  .rr = (int)++c->rr };

	ck_assert_int_eq(entities_put(c->rig.m, &c->row, &row), 0);
}

static void on_row_put(struct state_call *call, int err)
{
	struct child *c = container_of(call, struct child, row);

	ck_assert_int_eq(err, 0);
	report(c, ROW, 0, c->rr);
	put_row(c);
}

static void child_main(int out, const uint32_t next[ENTITIES],
		       uint32_t rr)
{
	static struct child c;

	rig_open(&c.rig, rig_dir, NULL);
	c.out = out;
	memcpy(c.next, next, sizeof(c.next));
	c.rr = rr;
	for (uint32_t i = 0; i < ARRAY_LEN(c.putters); i++) {
		c.putters[i] = (struct putter){ .call.on_done = on_put,
						.child = &c,
						.entity = i / PUTTERS };
		put_one(&c.putters[i]);
	}
	for (uint32_t i = 0; i < ENTITIES; i++) {
		c.askers[i] = (struct asker){ .call.on_done = on_asked,
					      .child = &c,
					      .entity = i };
		ask(&c.askers[i]);
	}
	c.row.on_done = on_row_put;
	put_row(&c);
	uv_run(&c.rig.loop, UV_RUN_DEFAULT);
	_exit(1);
}

/* ---- what must be there ---- */

struct model {
	uint8_t last[ENTITIES][NUMBERS];	/* event of each item */
	uint32_t next[ENTITIES];		/* above all begun */
	uint32_t rr;			/* acknowledged */
	unsigned puts, removals;		/* acknowledged */
};

static void learn(struct model *m, const struct record *r)
{
	ck_assert_uint_lt(r->entity, ENTITIES);
	if (r->event == ROW) {
		m->rr = r->number;
		return;
	}
	ck_assert_uint_lt(r->number, NUMBERS);
	/* its acknowledgement may come after that of its removal's beginning */
	if (r->event > m->last[r->entity][r->number])
		m->last[r->entity][r->number] = (uint8_t)r->event;
	if (r->number >= m->next[r->entity])
		m->next[r->entity] = r->number + 1;
	m->puts += r->event == PUT;
	m->removals += r->event == REMOVED;
}

static bool hear(struct model *m, int in)
{
	struct record r;

	if (read(in, &r, sizeof(r)) != (ssize_t)sizeof(r))
		return false;
	learn(m, &r);
	return true;
}

static void crash(struct model *m)
{
	unsigned records = (unsigned)random() % 1000 + 1;
	int ends[2], status;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	ck_assert(child >= 0);
	if (child == 0) {
		unit_detach();
		close(ends[0]);
		child_main(ends[1], m->next, m->rr);
	}
	close(ends[1]);
	while (records-- > 0)
		ck_assert(hear(m, ends[0]));
	/* anywhere in what follows */
	usleep((useconds_t)(random() % 3000));
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	while (hear(m, ends[0]))
		;
	close(ends[0]);
}

static uint32_t entity_of(const char *name)
{
	uint32_t i = 0;

	while (strcmp(names[i], name) != 0)
		ck_assert_uint_lt(++i, ENTITIES);
	return i;
}

/* Between what was found last and this one nothing may be missing that was
 * acknowledged; from now on what is there is known, and what is not, too. */
static void settle(struct model *m, uint32_t e, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++) {
		ck_assert_msg(m->last[e][n] != PUT, "%s %u is lost", names[e],
			      n);
		m->last[e][n] = REMOVED;
	}
}

static void check_items(struct model *m, sqlite3 *db)
{
	uint32_t expected[ENTITIES] = { 0 };
	sqlite3_stmt *stmt = NULL;

	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT entity, message "
					    "FROM item ORDER BY seq", -1,
					    &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const void *name = sqlite3_column_text(stmt, 0);
		uint32_t e = entity_of(name);
		uint32_t n = (uint32_t)sqlite3_column_int(stmt, 1);

		ck_assert_msg(n >= expected[e], "%s %u: order", names[e], n);
		settle(m, e, expected[e], n);
		ck_assert_msg(m->last[e][n] != REMOVED, "%s %u is back",
			      names[e], n);
		ck_assert_uint_ne(m->last[e][n], NOTHING);
		m->last[e][n] = PUT;
		expected[e] = n + 1;
	}
	sqlite3_finalize(stmt);
	for (uint32_t e = 0; e < ENTITIES; e++)
		settle(m, e, expected[e], m->next[e]);
}

static void check_counts(const struct model *m, struct state *s)
{
	for (uint32_t e = 0; e < ENTITIES; e++) {
		uint64_t count = 0;

		for (uint32_t n = 0; n < m->next[e]; n++)
			count += m->last[e][n] == PUT;
		ck_assert_uint_eq(inbox_count(s, str_of(names[e])), count);
	}
}

static void check_integrity(sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;

	ck_assert_int_eq(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1,
					    &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	ck_assert_str_eq((const char *)sqlite3_column_text(stmt, 0), "ok");
	sqlite3_finalize(stmt);
}

/* The one that was acknowledged, or the one after it. */
static int on_row(void *arg, const struct entity_row *row)
{
	struct model *m = arg;

	ck_assert((uint32_t)row->rr - m->rr <= 1);
	m->rr = (uint32_t)row->rr;
	return 0;
}

START_TEST(test_kill)
{
	static struct model model;
	const char *text = getenv("STATE_CRASH_ROUNDS");
	unsigned long rounds = text != NULL ? strtoul(text, NULL, 10) : 50;

	srandom(1);
	rig_make_dir();
	while (rounds-- > 0) {
		struct rig rig;

		crash(&model);
		rig_create(&rig, rig_dir, NULL);
		check_integrity(rig.state->db.db);
		check_items(&model, rig.state->db.db);
		check_counts(&model, rig.state);
		ck_assert_int_eq(entities_load(rig.state, on_row, &model), 0);
		rig_close(&rig);
	}
	/* it did what it is about */
	ck_assert_uint_gt(model.puts, 0);
	ck_assert_uint_gt(model.removals, 0);
	rig_remove_dir();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("state_crash");
	TCase *tc = tcase_create("crash");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, test_kill);
	return unit_run(s);
}
