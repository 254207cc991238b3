#include "unit.h"

#include <inttypes.h>

#include "../src/gateway/channel.h"
#include "m2m/codec.h"

#define MAX_DELIVERIES 64

/* What a delivery is to the test; the channel sees the delivery only. */
static struct parcel {
	struct delivery d;
	unsigned ended;			/* times */
} parcels[MAX_DELIVERIES];

static struct reactor *reactor;
static struct channel_conf conf;
static struct channel_counters counters;
static struct channel channel;
static size_t used;			/* parcels */
static size_t refuse_from;		/* this many are written, no more */
static size_t written;
static int again;			/* deliveries that give_back() sends */

static struct buf story;			/* what happened, in order */

static void check_story(const char *want)
{
	ck_assert_msg(str_eq(buf_str(&story), str_of(want)), "%.*s",
		      (int)story.len, story.p);
	buf_clear(&story);
}

static void note(const char *what, struct str who)
{
	buf_add_str(&story, str_of(what));
	buf_add_str(&story, who);
	buf_add_char(&story, ' ');
}

static int on_send(struct channel *c, const struct prim *request)
{
	ck_assert_ptr_eq(c, &channel);
	if (written == refuse_from)
		return UV_EPIPE;
	if (str_eq(prim_text(request, PARAM_TO), STR("huge")))
		return ERR_LIMIT;
	written++;
	note(">", prim_text(request, PARAM_TO));
	return 0;
}

static void send_new(const char *to, uint64_t delay_ms);

static const char *const ends[] = {
	[DELIVERY_ANSWERED] = "answered:", [DELIVERY_TIMED_OUT] = "late:",
	[DELIVERY_UNSENT] = "unsent:",	   [DELIVERY_LOST] = "lost:",
	[DELIVERY_FULL] = "full:",	   [DELIVERY_UNSTORED] = "unstored:",
	[DELIVERY_TOO_LARGE] = "large:",
	[DELIVERY_UNCONVERTIBLE] = "unconvertible:",
};

static void on_give_back(struct channel *c, struct delivery *d)
{
	struct parcel *p = container_of(d, struct parcel, d);

	ck_assert_ptr_eq(c, &channel);
	ck_assert_ptr_null(d->channel);
	ck_assert_uint_eq(d->deadline.due, 0);
	p->ended++;
	note(ends[d->end], prim_text(&d->request, PARAM_TO));
	if (again-- > 0)
		send_new("again", 60000);
}

static const struct channel_ops ops = { on_send, on_give_back };

static void setup(void)
{
	memset(parcels, 0, sizeof(parcels));
	used = 0;
	written = 0;
	refuse_from = SIZE_MAX;
	again = 0;
	conf = (struct channel_conf){ .in_flight = 2, .max_queue = 1 << 20 };
	counters = (struct channel_counters){ 0 };
	ck_assert_int_eq(reactor_create(&reactor), 0);
	channel_init(&channel, &ops, &conf, &counters, reactor);
}

/* Every delivery has ended once, and nothing is left. */
static void teardown(void)
{
	channel_end(&channel);
	for (size_t i = 0; i < used; i++) {
		ck_assert_uint_eq(parcels[i].ended, 1);
		delivery_deinit(&parcels[i].d);
	}
	ck_assert(channel_is_idle(&channel));
	ck_assert_uint_eq(channel.queued_octets, 0);
	ck_assert_uint_eq(channel.sent_count, 0);
	reactor_destroy(reactor);
	buf_deinit(&story);
}

static struct delivery *make(const char *to, uint64_t delay_ms)
{
	struct parcel *p = &parcels[used++];

	ck_assert_uint_le(used, MAX_DELIVERIES);
	delivery_init(&p->d, NULL, NULL, reactor_now(reactor) + delay_ms,
		      NULL);
	prim_reset(&p->d.request, PRIM_REQUEST);
	p->d.request.op = OP_NOTIFY;
	prim_set_str(&p->d.request, PARAM_TO, str_of(to));
	return &p->d;
}

static void send_new(const char *to, uint64_t delay_ms)
{
	channel_send(&channel, make(to, delay_ms));
}

static void post(const char *to)
{
	send_new(to, 60000);
}

static void answer(const char *rqi)
{
	struct prim response = { 0 };

	prim_reset(&response, PRIM_RESPONSE);
	response.rsc = 2000;
	prim_set_str(&response, PARAM_RQI, str_of(rqi));
	channel_answer(&channel, &response);
	prim_deinit(&response);
}

START_TEST(test_order_and_window)
{
	post("a");
	post("b");
	post("c");
	post("d");
	check_story(">a >b ");
	answer("2");
	check_story("answered:b >c ");
	answer("1");
	check_story("answered:a >d ");
	answer("3");
	answer("4");
	check_story("answered:c answered:d ");
	ck_assert_uint_eq(counters.sent, 4);
	ck_assert_uint_eq(counters.answered, 4);
	ck_assert_uint_eq(counters.late, 0);
	ck_assert_int_eq(parcels[0].d.answer.rsc, 2000);
}
END_TEST

/* Only what names an open request counts, and once. */
static const char *const strangers[] = { "2", "0", "", "01", "1 ", "-1",
					 "18446744073709551617" };

START_TEST(test_stranger)
{
	post("a");
	answer(strangers[_i]);
	ck_assert_uint_eq(counters.late, 1);
	check_story(">a ");
}
END_TEST

START_TEST(test_answered_twice)
{
	struct prim without_rqi = { 0 };

	post("a");
	answer("1");
	answer("1");
	prim_reset(&without_rqi, PRIM_RESPONSE);
	channel_answer(&channel, &without_rqi);
	check_story(">a answered:a ");
	ck_assert_uint_eq(counters.answered, 1);
	ck_assert_uint_eq(counters.late, 2);
}
END_TEST

/* The answer lives on its own: the message that it came in is gone. */
START_TEST(test_answer_is_a_copy)
{
	struct prim response = { 0 };
	char rqi[] = "1", content[] = "{\"m2m:dbg\":\"x\"}";

	post("a");
	prim_reset(&response, PRIM_RESPONSE);
	response.rsc = 4000;
	prim_set_str(&response, PARAM_RQI, str_of(rqi));
	response.content = str_of(content);
	channel_answer(&channel, &response);
	prim_deinit(&response);
	memset(content, '-', sizeof(content));
	rqi[0] = '-';
	ck_assert(str_eq(parcels[0].d.answer.content,
			 STR("{\"m2m:dbg\":\"x\"}")));
	ck_assert(str_eq(prim_text(&parcels[0].d.answer, PARAM_RQI),
			 STR("1")));
}
END_TEST

START_TEST(test_queue_is_bounded)
{
	size_t cost = delivery_cost(make("unused", 0));

	used = 0;
	conf.max_queue = 2 * cost;
	post("a");
	post("b");
	post("c");
	post("d");
	post("e");
	check_story(">a >b full:e ");
	ck_assert_uint_eq(counters.full, 1);
	/* what is patient waits in any case */
	make("f", 60000)->patient = true;
	channel_send(&channel, &parcels[used - 1].d);
	check_story("");
	answer("1");
	check_story("answered:a >c ");
}
END_TEST

/* One that need not wait is no matter of the queue's. */
START_TEST(test_large_one_at_once)
{
	conf.max_queue = 1;
	post("a");
	post("b");
	post("c");
	check_story(">a >b full:c ");
}
END_TEST

static void run_until(const unsigned *count)
{
	while (*count == 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
}

START_TEST(test_deadlines)
{
	send_new("a", 60000);
	send_new("b", 120);
	send_new("c", 0);
	send_new("d", 60000);
	/* c and d wait; c's time is up where it stands, b's makes room */
	check_story(">a >b ");
	run_until(&parcels[1].ended);
	run_until(&parcels[2].ended);
	ck_assert_uint_eq(counters.timed_out, 2);
	ck_assert_ptr_nonnull(parcels[3].d.channel);
	ck_assert(parcels[3].d.sent);
	buf_clear(&story);
	answer("2");			/* too late */
	check_story("");
	ck_assert_uint_eq(counters.late, 1);
	answer("3");
	check_story("answered:d ");
}
END_TEST

/* Due before it came: it still ends by the loop, and only once. */
START_TEST(test_due_already)
{
	struct delivery *d = make("a", 0);

	d->due = 0;
	channel_send(&channel, d);
	check_story(">a ");
	run_until(&parcels[0].ended);
	check_story("late:a ");
}
END_TEST

START_TEST(test_end)
{
	post("a");
	post("b");
	post("c");
	post("d");
	buf_clear(&story);
	/* what comes while it ends is not written either */
	again = 2;
	channel_end(&channel);
	check_story("lost:a lost:b unsent:c unsent:d unsent:again "
		    "unsent:again ");
	ck_assert_uint_eq(counters.lost, 2);
	ck_assert_uint_eq(counters.sent, 2);
	channel_end(&channel);
	check_story("");
}
END_TEST

START_TEST(test_cannot_be_written)
{
	refuse_from = 1;
	post("a");
	post("b");
	check_story(">a unsent:b ");
	ck_assert_uint_eq(counters.sent, 1);
	refuse_from = SIZE_MAX;
	post("c");
	check_story(">c ");
}
END_TEST

/* What never could be written is told from what cannot be now, and nothing
 * waits behind it. */
START_TEST(test_too_large)
{
	post("huge");
	post("a");
	check_story("large:huge >a ");
}
END_TEST

/* give_back() sends: what it sends has its turn, in a loop and not a
 * recursion. */
START_TEST(test_sends_from_give_back)
{
	again = 1;
	post("a");
	post("b");
	post("c");
	answer("1");
	check_story(">a >b answered:a >c ");
	answer("2");
	check_story("answered:b >again ");
	again = 30;
	refuse_from = written;
	answer("3");
	ck_assert_uint_eq(used, 4 + 30);
	ck_assert_uint_eq(written, 4);
}
END_TEST

/* Numbers are never used twice, so that a late answer meets nobody else. */
START_TEST(test_request_ids)
{
	conf.in_flight = 1;
	for (unsigned i = 1; i <= 20; i++) {
		char rqi[24];

		post("a");
		snprintf(rqi, sizeof(rqi), "%u", i);
		ck_assert_str_eq(parcels[i - 1].d.rqi, rqi);
		answer(rqi);
		ck_assert_uint_eq(parcels[i - 1].ended, 1);
	}
}
END_TEST

static const struct {
	enum delivery_end end;
	int rsc;
	bool has_why;
} rscs[] = {
	{ DELIVERY_ANSWERED, 4101, false },
	{ DELIVERY_TIMED_OUT, RSC_REQUEST_TIMEOUT, true },
	{ DELIVERY_UNSENT, RSC_TARGET_NOT_REACHABLE, true },
	{ DELIVERY_LOST, RSC_TARGET_NOT_REACHABLE, true },
	{ DELIVERY_FULL, RSC_TARGET_NOT_REACHABLE, true },
	{ DELIVERY_UNSTORED, RSC_TARGET_NOT_REACHABLE, true },
	{ DELIVERY_TOO_LARGE, RSC_TARGET_NOT_REACHABLE, true },
	{ DELIVERY_UNCONVERTIBLE, RSC_BAD_REQUEST, true },
};

START_TEST(test_rsc)
{
	struct delivery d = { .end = rscs[_i].end, .answer.rsc = 4101 };
	const char *why = "";

	ck_assert_int_eq(delivery_rsc(&d, &why), rscs[_i].rsc);
	ck_assert_int_eq(why != NULL, rscs[_i].has_why);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel");
	TCase *tc = tcase_create("channel");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_order_and_window);
	tcase_add_loop_test(tc, test_stranger, 0, ARRAY_LEN(strangers));
	tcase_add_test(tc, test_answered_twice);
	tcase_add_test(tc, test_answer_is_a_copy);
	tcase_add_test(tc, test_queue_is_bounded);
	tcase_add_test(tc, test_large_one_at_once);
	tcase_add_test(tc, test_deadlines);
	tcase_add_test(tc, test_due_already);
	tcase_add_test(tc, test_end);
	tcase_add_test(tc, test_cannot_be_written);
	tcase_add_test(tc, test_too_large);
	tcase_add_test(tc, test_sends_from_give_back);
	tcase_add_test(tc, test_request_ids);
	tcase_add_loop_test(tc, test_rsc, 0, ARRAY_LEN(rscs));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
