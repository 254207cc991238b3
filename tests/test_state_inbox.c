#include "state_rig.h"

/*
 * Scripts: one step a word.
 *	+e:text		put for entity e; then /sur, then ! for ec 4, then
 *			@ms: expires so many ms after the beginning
 *	?e		next
 *	-e		remove what next gave last for e
 *	~e		release it
 *	*e		drop the entity's
 *	#e		how many it has
 *	>ms		time passes
 *
 * What is heard, a word a step: ok, limit, what next found or "none", the
 * number. Steps of time are silent.
 */
static const struct {
	const char *name;
	struct inbox_conf conf;
	const char *script;
	const char *heard;
	struct inbox_stats stats;
	bool brief;			/* of what a restart forgets */
} scripts[] = {
	{ .name = "nothing there", .script = "?a #a -a ~a *a",
	  .heard = "none 0 ok ok ok" },
	{ .name = "oldest first, by entity",
	  .script = "+a:1 +b:2 +a:3 #a ?a -a ?a -a ?a ?b",
	  .heard = "ok ok ok 2 1 ok 3 ok none 2",
	  .stats = { .stored = 3, .delivered = 2, .items = 1, .bytes = 2 } },
	{ .name = "next gives the same until it is removed",
	  .script = "+a:1 +a:2 ?a ?a ~a ?a -a ?a",
	  .heard = "ok ok 1 1 ok 1 ok 2",
	  .stats = { .stored = 2, .delivered = 1, .items = 1, .bytes = 2 } },
	{ .name = "removed twice counts once",
	  .script = "+a:1 +a:2 ?a -a -a #a",
	  .heard = "ok ok 1 ok ok 1",
	  .stats = { .stored = 2, .delivered = 1, .items = 1, .bytes = 2 } },
	{ .name = "drop is of one entity",
	  .script = "+a:1 +b:1 +a:2 *a #a ?a ?b",
	  .heard = "ok ok ok ok 0 none 1",
	  .stats = { .stored = 3, .dropped = 2, .items = 1, .bytes = 2 } },

	{ .name = "count: the oldest go", .conf = { .max_count = 2 },
	  .script = "+a:1 +a:2 +a:3 +b:4 #a ?a -a ?a",
	  .heard = "ok ok ok ok 2 2 ok 3",
	  .stats = { .stored = 4, .delivered = 1, .dropped_oldest = 1,
		     .items = 2, .bytes = 4 } },
	{ .name = "count: the new one is refused",
	  .conf = { .max_count = 2, .overflow = INBOX_REFUSE },
	  .script = "+a:1 +a:2 +a:3 #a ?a -a +a:4 #a",
	  .heard = "ok ok limit 2 1 ok ok 2",
	  .stats = { .stored = 3, .delivered = 1, .refused = 1, .items = 2,
		     .bytes = 4 } },
	{ .name = "bytes: as many go as it takes", .conf = { .max_bytes = 10 },
	  .script = "+a:11 +a:22 +a:33 +a:44444 #a ?a -a ?a",
	  .heard = "ok ok ok ok 2 33 ok 44444",
	  .stats = { .stored = 4, .delivered = 1, .dropped_oldest = 2,
		     .items = 1, .bytes = 6 } },
	{ .name = "bytes: sur counts", .conf = { .max_bytes = 5 },
	  .script = "+a:1/345 +a:1/3456 #a", .heard = "ok limit 1",
	  .stats = { .stored = 1, .refused = 1, .items = 1, .bytes = 5 } },
	{ .name = "too large alone: nothing goes for it",
	  .conf = { .max_bytes = 6 }, .script = "+a:1 +a:2 +a:666666 #a ?a",
	  .heard = "ok ok limit 2 1",
	  .stats = { .stored = 2, .refused = 1, .items = 2, .bytes = 4 } },
	{ .name = "total: makes room among its own only",
	  .conf = { .max_total_bytes = 8 },
	  .script = "+a:1 +b:1 +a:2 +a:3 +a:4 #a #b +b:55555 +b:666 #a #b ?a",
	  .heard = "ok ok ok ok ok 3 1 limit limit 3 1 2",
	  .stats = { .stored = 5, .dropped_oldest = 1, .refused = 2,
		     .items = 4, .bytes = 8 } },
	{ .name = "total: who has nothing is refused",
	  .conf = { .max_total_bytes = 4 }, .script = "+a:1 +a:2 +b:1 #b",
	  .heard = "ok ok limit 0",
	  .stats = { .stored = 2, .refused = 1, .items = 2, .bytes = 4 } },

	{ .name = "overflow spares what is handed out",
	  .conf = { .max_count = 2 },
	  .script = "+a:1 ?a +a:2 +a:3 +a:4 #a ?a -a ?a",
	  .heard = "ok 1 ok ok ok 2 1 ok 4",
	  .stats = { .stored = 4, .delivered = 1, .dropped_oldest = 2,
		     .items = 1, .bytes = 2 },
	  .brief = true },
	{ .name = "handed out, and there is room for one only",
	  .conf = { .max_count = 1 }, .script = "+a:1 ?a +a:2 ~a +a:3 ?a",
	  .heard = "ok 1 limit ok ok 3",
	  .stats = { .stored = 2, .refused = 1, .dropped_oldest = 1,
		     .items = 1, .bytes = 2 },
	  .brief = true },
	{ .name = "bytes handed out count, too", .conf = { .max_bytes = 8 },
	  .script = "+a:4444 ?a +a:333 +a:22 #a ?a -a +a:333 #a",
	  .heard = "ok 4444 limit ok 2 4444 ok ok 2",
	  .stats = { .stored = 3, .refused = 1, .delivered = 1, .items = 2,
		     .bytes = 7 },
	  .brief = true },

	{ .name = "latest replaces, at the end",
	  .script = "+a:1/s +a:2/t +a:3/s! #a ?a -a ?a -a ?a",
	  .heard = "ok ok ok 2 2 ok 3 ok none",
	  .stats = { .stored = 3, .replaced = 1, .delivered = 2 } },
	{ .name = "latest replaces all older ones of its subscription",
	  .script = "+a:1/s +a:2/s +b:3/s +a:4/s! #a #b ?a",
	  .heard = "ok ok ok ok 1 1 4",
	  .stats = { .stored = 4, .replaced = 2, .items = 2, .bytes = 6 } },
	{ .name = "without a subscription there is nothing to replace",
	  .script = "+a:1! +a:2! #a", .heard = "ok ok 2",
	  .stats = { .stored = 2, .items = 2, .bytes = 4 } },
	{ .name = "latest spares what is handed out, until it is released",
	  .script = "+a:1/s ?a +a:2/s! +a:3/s! #a ~a +a:4/s! #a ?a",
	  .heard = "ok 1 ok ok 2 ok ok 1 4",
	  .stats = { .stored = 4, .replaced = 3, .items = 1, .bytes = 3 },
	  .brief = true },
	{ .name = "latest fits in the place of the older",
	  .conf = { .max_count = 2, .overflow = INBOX_REFUSE },
	  .script = "+a:1/s +a:2/t +a:3/s! #a ?a",
	  .heard = "ok ok ok 2 2",
	  .stats = { .stored = 3, .replaced = 1, .items = 2, .bytes = 6 } },
	{ .name = "latest that is refused replaces nothing",
	  .conf = { .max_bytes = 4 }, .script = "+a:1/s +a:333/s! #a ?a",
	  .heard = "ok limit 1 1",
	  .stats = { .stored = 1, .refused = 1, .items = 1, .bytes = 3 } },

	{ .name = "expires at its time",
	  .script = "+a:1@100 +a:2 >99 ?a >1 ?a #a",
	  .heard = "ok ok 1 2 1",
	  .stats = { .stored = 2, .expired = 1, .items = 1, .bytes = 2 } },
	{ .name = "expired on arrival", .script = ">100 +a:1@50 ?a #a",
	  .heard = "ok none 0", .stats = { .stored = 1, .expired = 1 } },
	{ .name = "nobody asks, yet it goes", .script = "+a:1@10 >10 #b ?b #a",
	  .heard = "ok 0 none 0", .stats = { .stored = 1, .expired = 1 } },
	{ .name = "age", .conf = { .max_age_ms = 100 },
	  .script = "+a:1 >60 +a:2 +a:3@70 >39 ?a >1 ?a #a >59 ?a >1 ?a",
	  .heard = "ok ok ok 1 2 1 2 none",
	  .stats = { .stored = 3, .expired = 3 } },
	{ .name = "handed out, and expires",
	  .script = "+a:1@10 ?a >10 ?a -a #a",
	  .heard = "ok 1 none ok 0", .stats = { .stored = 1, .expired = 1 } },
	{ .name = "what expires makes room first",
	  .conf = { .max_count = 1, .overflow = INBOX_REFUSE },
	  .script = "+a:1@10 +a:2 >10 +a:3 ?a", .heard = "ok limit ok 3",
	  .stats = { .stored = 2, .refused = 1, .expired = 1, .items = 1,
		     .bytes = 2 } },
};

/* How the script runs. */
static const struct {
	const char *name;
	bool on_disk;
	bool restarts;			/* before every step */
} ways[] = {
	{ "memory", false, false },
	{ "disk", true, false },
	{ "restarts", true, true },
};

static const char *outcome(struct rig *rig, int err)
{
	return rig_wait(rig, err) == 0	  ? "ok" :
	       rig->err == ERR_LIMIT ? "limit" : "error";
}

static int put_word(struct rig *rig, struct str entity, struct str word)
{
	struct inbox_item item = { .entity = entity };
	struct str expires;

	if (str_cut(word, '@', &word, &expires)) {
		ck_assert(str_to_u64(&item.expires_ms, expires));
		item.expires_ms += RIG_NOW;
	}
	if (word.p[word.len - 1] == '!') {
		item.ec = 4;
		word.len--;
	}
	str_cut(word, '/', &item.message, &item.sur);
	return inbox_put(rig->m, &rig->call, &item);
}

static void next_word(struct buf *heard, struct rig *rig, uint64_t *seq,
		      struct str entity)
{
	ck_assert_int_eq(rig_wait(rig, inbox_next(rig->m, &rig->call, entity)),
			 0);
	*seq = rig->seq > 0 ? rig->seq : *seq;
	if (rig->seq > 0)
		buf_add_str(heard, buf_str(&rig->found));
	else
		buf_add_lit(heard, "none");
}

static void pass_time(struct str word)
{
	uint64_t ms;

	ck_assert(str_to_u64(&ms, word));
	atomic_fetch_add(&rig_clock, ms);
}

static void step(struct buf *heard, struct rig *rig, struct str word)
{
	static uint64_t seqs[256];	/* given by next, by entity */
	struct str entity = { word.p + 1, 1 };
	uint64_t *seq = &seqs[(unsigned char)word.p[1]];
	int err = 1;

	switch (word.p[0]) {
	case '>':
		pass_time(str_skip(word, 1));
		return;
	case '+':
		err = put_word(rig, entity, str_skip(word, 3));
		break;
	case '-':
		err = inbox_remove(rig->m, &rig->call, entity, *seq);
		break;
	case '~':
		err = inbox_release(rig->m, &rig->call, entity, *seq);
		break;
	case '*':
		err = inbox_drop(rig->m, &rig->call, entity);
		break;
	case '?':
		next_word(heard, rig, seq, entity);
		break;
	case '#':
		buf_add_u64(heard, inbox_count(rig->state, entity));
		break;
	}
	if (err <= 0)
		buf_add_str(heard, str_of(outcome(rig, err)));
	buf_add_char(heard, ' ');
}

static void run_script(struct buf *heard, struct inbox_stats *stats, int row,
		       size_t way)
{
	const char *dir = ways[way].on_disk ? rig_dir : NULL;
	struct str rest = str_of(scripts[row].script), word;
	struct rig rig;

	rig_open(&rig, dir, &scripts[row].conf);
	while (rest.len > 0) {
		str_cut(rest, ' ', &word, &rest);
		step(heard, &rig, word);
		if (ways[way].restarts) {
			rig_close(&rig);
			rig_open(&rig, dir, &scripts[row].conf);
		}
	}
	inbox_stats(stats, rig.state);
	stats->since = 0;		/* test_since() looks at it */
	rig_close(&rig);
}

START_TEST(test_script)
{
	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		struct buf heard = { 0 };
		struct inbox_stats stats;

		if (ways[way].restarts && scripts[_i].brief)
			continue;
		atomic_store(&rig_clock, RIG_NOW);
		rig_make_dir();
		run_script(&heard, &stats, _i, way);
		rig_remove_dir();
		heard.len -= heard.len > 0;
		ck_assert_msg(str_eq(buf_str(&heard),
				     str_of(scripts[_i].heard)),
			      "%s, %s: %.*s", scripts[_i].name,
			      ways[way].name, (int)heard.len, heard.p);
		ck_assert_msg(ways[way].restarts ||
				      memcmp(&stats, &scripts[_i].stats,
					     sizeof(stats)) == 0,
			      "%s, %s: stats", scripts[_i].name,
			      ways[way].name);
		buf_deinit(&heard);
	}
}
END_TEST

/* Every field comes back, whatever the octets. */
static const struct inbox_item kept = {
	.entity = STR_INIT("/id-in/C'\xc3\xa9\"%s"),
	.sur = STR_INIT("cse-in/s u\\b"),
	.ec = 3,
	.expires_ms = RIG_NOW + 5,
	.message = STR_INIT("{\"rqi\":\"a\0b\"}\n"),
};

static void on_kept(struct state_call *call, int err)
{
	const struct inbox_item *item = call->item;

	ck_assert_ptr_nonnull(item);
	ck_assert(str_eq(item->entity, kept.entity));
	ck_assert(str_eq(item->sur, kept.sur));
	ck_assert_uint_eq(item->ec, kept.ec);
	ck_assert_uint_eq(item->expires_ms, kept.expires_ms);
	ck_assert(str_eq(item->message, kept.message));
	rig_on_done(call, err);
}

static void reset_clock(void)
{
	atomic_store(&rig_clock, RIG_NOW);
}

START_TEST(test_item_is_kept)
{
	struct rig rig;

	rig_make_dir();
	rig_open(&rig, rig_dir, NULL);
	ck_assert_int_eq(rig_wait(&rig, inbox_put(rig.m, &rig.call, &kept)),
			 0);
	rig_close(&rig);
	rig_open(&rig, rig_dir, NULL);
	ck_assert_uint_eq(inbox_count(rig.state, kept.entity), 1);
	rig.call.on_done = on_kept;
	ck_assert_int_eq(rig_wait(&rig, inbox_next(rig.m, &rig.call,
						   kept.entity)), 0);
	rig_close(&rig);
	rig_remove_dir();
}
END_TEST

/* The thread looks by itself. */
START_TEST(test_expires_unasked)
{
	struct inbox_item item = rig_item("a", "m");
	struct rig rig;

	rig_open(&rig, NULL, NULL);
	item.expires_ms = RIG_NOW + 1;
	ck_assert_int_eq(rig_wait(&rig, inbox_put(rig.m, &rig.call, &item)),
			 0);
	atomic_store(&rig_clock, RIG_NOW + 1);
	while (inbox_count(rig.state, STR("a")) > 0)
		uv_sleep(1);
	rig_close(&rig);
}
END_TEST

/* More expire at once than one transaction takes. */
START_TEST(test_many_expire)
{
	struct inbox_item item = rig_item("a", "m");
	struct inbox_stats stats;
	struct rig rig;

	rig_open(&rig, NULL, NULL);
	item.expires_ms = RIG_NOW + 1;
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(inbox_put(rig.m, NULL, &item), 0);
	ck_assert_int_eq(rig_next(&rig, "a"), 0);
	rig_assert_found(&rig, "m");
	atomic_store(&rig_clock, RIG_NOW + 1);
	do {
		ck_assert_int_eq(rig_next(&rig, "a"), 0);
		ck_assert_uint_eq(rig.seq, 0);
		inbox_stats(&stats, rig.state);
	} while (stats.items > 0);
	ck_assert_uint_eq(stats.expired, 1000);
	rig_close(&rig);
}
END_TEST

/* Whosever it is. */
START_TEST(test_since)
{
	struct inbox_stats stats;
	struct rig rig;
	uint64_t first;

	rig_open(&rig, NULL, NULL);
	ck_assert_int_eq(rig_put(&rig, "a", "m"), 0);
	atomic_store(&rig_clock, RIG_NOW + 7);
	ck_assert_int_eq(rig_put(&rig, "b", "m"), 0);
	inbox_stats(&stats, rig.state);
	ck_assert_uint_eq(stats.since, RIG_NOW);
	ck_assert_int_eq(rig_next(&rig, "a"), 0);
	first = rig.seq;
	ck_assert_int_eq(rig_remove(&rig, "a", first), 0);
	inbox_stats(&stats, rig.state);
	ck_assert_uint_eq(stats.since, RIG_NOW + 7);
	ck_assert_int_eq(rig_next(&rig, "b"), 0);
	ck_assert_int_eq(rig_remove(&rig, "b", rig.seq), 0);
	inbox_stats(&stats, rig.state);
	ck_assert_uint_eq(stats.since, 0);
	rig_close(&rig);
}
END_TEST

/* A number never comes back, not even that of the last one removed. */
START_TEST(test_numbers_grow)
{
	uint64_t last = 0;
	struct rig rig;

	rig_make_dir();
	for (int i = 0; i < 5; i++) {
		rig_open(&rig, rig_dir, NULL);
		ck_assert_int_eq(rig_put(&rig, "a", "m"), 0);
		ck_assert_int_eq(rig_next(&rig, "a"), 0);
		ck_assert_uint_gt(rig.seq, last);
		last = rig.seq;
		ck_assert_int_eq(rig_remove(&rig, "a", last), 0);
		rig_close(&rig);
	}
	rig_remove_dir();
}
END_TEST

/* A number belongs to its entity. */
START_TEST(test_remove_checks_entity)
{
	struct rig rig;

	rig_open(&rig, NULL, NULL);
	ck_assert_int_eq(rig_put(&rig, "a", "m"), 0);
	ck_assert_int_eq(rig_put(&rig, "b", "n"), 0);
	ck_assert_int_eq(rig_next(&rig, "a"), 0);
	ck_assert_int_eq(rig_remove(&rig, "b", rig.seq), 0);
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), 1);
	ck_assert_uint_eq(inbox_count(rig.state, STR("b")), 1);
	rig_close(&rig);
}
END_TEST

static void peek(struct rig *rig, const char *entity, uint64_t seq)
{
	ck_assert_int_eq(rig_wait(rig, inbox_peek(rig->m, &rig->call,
						  str_of(entity), seq)), 0);
}

/* Item by item, and nothing is handed out: the oldest still makes room. */
START_TEST(test_peek)
{
	const struct inbox_conf two = { .max_count = 2 };
	struct rig rig;

	rig_open(&rig, NULL, &two);
	ck_assert_int_eq(rig_put(&rig, "a", "m"), 0);
	ck_assert_int_eq(rig_put(&rig, "b", "x"), 0);
	ck_assert_int_eq(rig_put(&rig, "a", "n"), 0);
	peek(&rig, "a", 0);
	rig_assert_found(&rig, "m");
	ck_assert_uint_eq(rig.stored_ms, RIG_NOW);
	peek(&rig, "a", rig.seq);
	rig_assert_found(&rig, "n");
	peek(&rig, "a", rig.seq);
	ck_assert_uint_eq(rig.seq, 0);
	peek(&rig, "nobody", 0);
	ck_assert_uint_eq(rig.seq, 0);
	peek(&rig, "a", 0);
	ck_assert_int_eq(rig_put(&rig, "a", "o"), 0);
	ck_assert_int_eq(rig_next(&rig, "a"), 0);
	rig_assert_found(&rig, "n");
	rig_close(&rig);
}
END_TEST

START_TEST(test_by_hand)
{
	struct inbox_stats stats;
	struct rig rig;

	rig_open(&rig, NULL, NULL);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(rig_put(&rig, "a", "m"), 0);
	ck_assert_int_eq(rig_next(&rig, "a"), 0);
	ck_assert_int_eq(rig_wait(&rig, inbox_discard(rig.m, &rig.call,
						      STR("b"), 1)), 0);
	ck_assert_uint_eq(rig.count, 0);
	/* the one that is handed out, too */
	ck_assert_int_eq(rig_wait(&rig, inbox_discard(rig.m, &rig.call,
						      STR("a"), 1)), 0);
	ck_assert_uint_eq(rig.count, 1);
	ck_assert_int_eq(rig_wait(&rig, inbox_discard(rig.m, &rig.call,
						      STR("a"), 1)), 0);
	ck_assert_uint_eq(rig.count, 0);
	ck_assert_int_eq(rig_wait(&rig, inbox_drop(rig.m, &rig.call,
						   STR("a"))), 0);
	ck_assert_uint_eq(rig.count, 2);
	inbox_stats(&stats, rig.state);
	ck_assert_uint_eq(stats.items, 0);
	ck_assert_uint_eq(stats.dropped, 3);
	ck_assert_uint_eq(stats.delivered, 0);
	rig_close(&rig);
}
END_TEST

struct seen {
	unsigned entities, max;
	uint64_t items, octets;
};

static bool on_entity(void *arg, struct str entity, uint64_t items,
		      uint64_t octets)
{
	struct seen *seen = arg;

	ck_assert_uint_eq(entity.len, 1);
	seen->items += items;
	seen->octets += octets;
	return ++seen->entities < seen->max;
}

START_TEST(test_each)
{
	struct seen all = { .max = 10 }, one = { .max = 1 };
	struct rig rig;

	rig_open(&rig, NULL, NULL);
	ck_assert_int_eq(rig_put(&rig, "a", "mm"), 0);
	ck_assert_int_eq(rig_put(&rig, "a", "mm"), 0);
	ck_assert_int_eq(rig_put(&rig, "b", "m"), 0);
	ck_assert_int_eq(rig_put(&rig, "c", "m"), 0);
	ck_assert_int_eq(rig_next(&rig, "c"), 0);
	ck_assert_int_eq(rig_remove(&rig, "c", rig.seq), 0);
	inbox_each(rig.state, on_entity, &all);
	ck_assert_uint_eq(all.entities, 2);
	ck_assert_uint_eq(all.items, 3);
	ck_assert_uint_eq(all.octets, 3 + 3 + 2);
	inbox_each(rig.state, on_entity, &one);
	ck_assert_uint_eq(one.entities, 1);
	rig_close(&rig);
}
END_TEST

START_TEST(test_new_bounds)
{
	struct inbox_conf conf = { .max_count = 1 };
	struct rig rig;

	rig_open(&rig, NULL, NULL);
	ck_assert_int_eq(rig_put(&rig, "a", "1"), 0);
	ck_assert_int_eq(rig_put(&rig, "a", "2"), 0);
	state_set_inbox_conf(rig.state, &conf);
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), 2);
	ck_assert_int_eq(rig_put(&rig, "a", "3"), 0);
	ck_assert_uint_eq(inbox_count(rig.state, STR("a")), 1);
	ck_assert_int_eq(rig_next(&rig, "a"), 0);
	rig_assert_found(&rig, "3");
	rig_close(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("state_inbox");
	TCase *tc = tcase_create("inbox");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_script, 0, ARRAY_LEN(scripts));
	tcase_add_checked_fixture(tc, reset_clock, NULL);
	tcase_add_test(tc, test_item_is_kept);
	tcase_add_test(tc, test_expires_unasked);
	tcase_add_test(tc, test_many_expire);
	tcase_add_test(tc, test_since);
	tcase_add_test(tc, test_numbers_grow);
	tcase_add_test(tc, test_remove_checks_entity);
	tcase_add_test(tc, test_peek);
	tcase_add_test(tc, test_by_hand);
	tcase_add_test(tc, test_each);
	tcase_add_test(tc, test_new_bounds);
	return unit_run(s);
}
