#include "unit.h"

#include <uv.h>

#include "base/fair.h"

#define ITEMS 4000

struct item {
	struct fair_item turn;
	char name;
	bool served;
};

static struct item items[ITEMS];
static struct fair_account account;
static struct fair_queue queue;

static void setup(void)
{
	memset(items, 0, sizeof(items));
}

static void teardown(void)
{
	fair_queue_deinit(&queue);
	fair_account_deinit(&account);
}

static struct item *serve_next(void)
{
	struct fair_item *turn = fair_first(&queue);

	if (turn == NULL)
		return NULL;
	fair_begin(&account, turn);
	fair_remove(&queue, turn);
	return container_of(turn, struct item, turn);
}

/*
 * Programs of words: "a1:5" is an item a of sender 1 that should cost 5; "+a1:5"
 * is that it cost 5; "!a" takes a away; "." serves the next one.
 */
static struct item *item_of(char name)
{
	struct item *item = &items[(unsigned char)name];

	item->name = name;
	return item;
}

static void obey(const char *word, struct buf *served)
{
	const char *item = word + (word[0] == '+');
	char *end;
	uint64_t sender = strtoull(item + 1, &end, 10), cost = 0;

	if (*end == ':')
		cost = strtoull(end + 1, NULL, 10);
	if (word[0] == '.') {
		buf_add_char(served, serve_next()->name);
	} else if (word[0] == '!') {
		fair_remove(&queue, &item_of(word[1])->turn);
	} else if (word[0] == '+') {
		fair_settle(&account, &item_of(*item)->turn, sender, cost);
	} else {
		fair_price(&account, &item_of(word[0])->turn, sender, cost);
		ck_assert_int_eq(fair_add(&queue, &item_of(word[0])->turn), 0);
	}
}

static const struct {
	const char *name, *program, *served;
} programs[] = {
	{ "one sender: in order", "a1:1 b1:9 c1:1 d1:5", "abcd" },
	{ "equals take turns", "a1:1 b1:1 c1:1 x2:1 y2:1 z2:1", "axbycz" },
	{ "little before much", "a1:9 b2:1", "ba" },
	{ "much is not kept out", "a1:9 b2:4 c2:4 d2:4", "bcad" },
	{ "who comes late owes nothing for the past",
	  "a1:5 b1:5 c1:5 . . x2:4", "abxc" },
	{ "who comes late has earned nothing either",
	  "x2:1 . a1:5 b1:5 c1:5 d1:5 . . . x2:5 y2:5 z2:5", "xabcxdyz" },
	{ "what is served leaves a debt",
	  "a1:50 . x9:1 b1:1 c2:3 d2:3 e2:3", "axcdeb" },
	{ "what it cost in the end counts as much",
	  "a1:1 . +a1:50 x9:1 b1:1 c2:3 d2:3 e2:3", "axcdeb" },
	{ "what cost little is not given back",
	  "a1:50 . +a1:1 x9:1 b1:1 c2:3 d2:3 e2:3", "axcdeb" },
	{ "who cost much may again",
	  "a1:1 . +a1:400 b1:1 . c1:1 d2:99", "abdc" },
	{ "until it did not for a while",
	  "a1:1 . +a1:400 b1:1 . +b1:0 c1:1 . +c1:0 d1:1 . +d1:0 e1:1 . "
	  "+e1:0 f1:1 . g1:1 h2:150", "abcdefgh" },
	{ "nobody pays nothing", "z0:1 . +z0:50 a1:1 b0:9 c0:9 d1:1", "zbcad" },
	{ "one is taken away", "a1:1 b2:2 c3:3 d4:4 !b", "acd" },
	{ "the first is taken away", "a1:1 b2:2 c3:3 d4:4 !a", "bcd" },
	{ "the last is taken away", "a1:1 b2:2 c3:3 d4:4 !d", "abc" },
	{ "the only one is taken away", "a1:1 !a b2:2", "b" },
};

START_TEST(test_order)
{
	char text[256], *word, *rest;
	struct buf served = { 0 };

	snprintf(text, sizeof(text), "%s", programs[_i].program);
	for (word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		obey(word, &served);
	while (queue.count > 0)
		obey(".", &served);
	buf_add_char(&served, '\0');
	ck_assert_msg(strcmp(served.p, programs[_i].served) == 0,
		      "%s:\n got: %s\nwant: %s", programs[_i].name, served.p,
		      programs[_i].served);
	buf_deinit(&served);
}
END_TEST

/* Of a deterministic disorder. */
static unsigned chance(void)
{
	static uint32_t state = 1;

	state = state * 1664525u + 1013904223u;
	return state >> 16;
}

static void add_some(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		fair_price(&account, &items[i].turn, 1 + chance() % 300,
			   1 + chance() % 1000);
		ck_assert_int_eq(fair_add(&queue, &items[i].turn), 0);
	}
}

static size_t serve_all(void)
{
	struct item *item, *last = NULL;
	size_t count = 0;

	while ((item = serve_next()) != NULL) {
		if (last != NULL)
			ck_assert_uint_le(last->turn.due, item->turn.due);
		ck_assert(!item->served);
		item->served = true;
		last = item;
		count++;
	}
	return count;
}

START_TEST(test_many)
{
	add_some(0, ITEMS);
	ck_assert_uint_eq(serve_all(), ITEMS);
}
END_TEST

START_TEST(test_many_taken_away)
{
	add_some(0, ITEMS);
	for (size_t i = 0; i < ITEMS; i += 3)
		fair_remove(&queue, &items[i].turn);
	ck_assert_uint_eq(serve_all(), ITEMS - (ITEMS + 2) / 3);
	for (size_t i = 0; i < ITEMS; i++)
		ck_assert(items[i].served == (i % 3 != 0));
}
END_TEST

static bool is_even(struct fair_item *item, void *arg)
{
	(void)arg;
	return (container_of(item, struct item, turn) - items) % 2 == 0;
}

START_TEST(test_filter)
{
	add_some(0, ITEMS);
	fair_filter(&queue, is_even, NULL);
	ck_assert_uint_eq(queue.count, ITEMS / 2);
	ck_assert_uint_eq(serve_all(), ITEMS / 2);
	for (size_t i = 0; i < ITEMS; i++)
		ck_assert(items[i].served == (i % 2 == 0));
	fair_filter(&queue, is_even, NULL);
	ck_assert_ptr_null(fair_first(&queue));
}
END_TEST

/* However many owe: one who asks for little among many who ask for much is
 * served within a round, and they among themselves about alike. */
START_TEST(test_shares)
{
	uint64_t got[4] = { 0 };
	size_t next = 0;

	for (size_t i = 0; i < 4; i++)
		fair_price(&account, &items[next++].turn, i + 1, 10 * (i + 1));
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(fair_add(&queue, &items[i].turn), 0);
	for (size_t i = 0; i < 3000; i++) {
		struct item *item = serve_next();
		size_t who = (size_t)(item - items) % 4;

		got[who] += 10 * (who + 1);
		fair_price(&account, &item->turn, who + 1, 10 * (who + 1));
		ck_assert_int_eq(fair_add(&queue, &item->turn), 0);
	}
	for (size_t i = 1; i < 4; i++) {
		ck_assert_uint_lt(got[i], got[0] + 100);
		ck_assert_uint_lt(got[0], got[i] + 100);
	}
}
END_TEST

/* More senders than there is memory for: some are forgiven, none is lost. */
START_TEST(test_many_senders)
{
	struct fair_item turn;

	for (uint64_t sender = 1; sender <= 100000; sender++)
		fair_price(&account, &turn, sender, sender);
	add_some(0, ITEMS);
	ck_assert_uint_eq(serve_all(), ITEMS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fair");
	TCase *tc = tcase_create("fair");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_order, 0, (int)ARRAY_LEN(programs));
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_many_taken_away);
	tcase_add_test(tc, test_filter);
	tcase_add_test(tc, test_shares);
	tcase_add_test(tc, test_many_senders);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
