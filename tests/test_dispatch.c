#include "unit.h"

#include "../src/gateway/dispatch.h"
#include "base/log.h"

#define MAX_HELD 64

/*
 * A backend as a third party would write it: it holds what it is given, and
 * the test decides when and how each is answered.
 */
struct held {
	struct exchange *x;		/* NULL: answered or cancelled */
	char rqi[32];
};

static struct hold {
	struct backend base;
	struct held held[MAX_HELD];
	size_t count;			/* submitted so far */
	unsigned cancelled;
	int refuse_with;		/* error of submit; 0: takes it */
} hold;

static int hold_submit(struct backend *b, struct exchange *x,
		       const struct prim *p, const char **why)
{
	struct hold *h = container_of(b, struct hold, base);
	struct str rqi = prim_text(p, PARAM_RQI);

	if (h->refuse_with) {
		*why = "as told";
		return h->refuse_with;
	}
	ck_assert_uint_lt(h->count, MAX_HELD);
	h->held[h->count].x = x;
	snprintf(h->held[h->count].rqi, sizeof(h->held[0].rqi), "%.*s",
		 (int)rqi.len, rqi.p);
	x->impl = &h->held[h->count++];
	return 0;
}

static void hold_cancel(struct backend *b, struct exchange *x)
{
	struct hold *h = container_of(b, struct hold, base);
	struct held *held = x->impl;

	held->x = NULL;
	h->cancelled++;
}

static bool hold_healthy(const struct backend *b)
{
	(void)b;
	return true;
}

static void hold_destroy(struct backend *b)
{
	(void)b;
}

static const struct backend_ops hold_ops = {
	.submit = hold_submit,
	.cancel = hold_cancel,
	.healthy = hold_healthy,
	.destroy = hold_destroy,
};

static struct exchange *hold_take(size_t i)
{
	struct exchange *x = hold.held[i].x;

	ck_assert_ptr_nonnull(x);
	hold.held[i].x = NULL;
	return x;
}

/* The CSE answers the i-th request it got. */
static void hold_answer(size_t i, int rsc)
{
	struct prim answer = { 0 };
	struct exchange *x = hold_take(i);

	prim_reset(&answer, PRIM_RESPONSE);
	answer.rsc = rsc;
	prim_set_str(&answer, PARAM_RQI, str_of(hold.held[i].rqi));
	x->ops->on_answer(x, &answer);
	prim_deinit(&answer);
}

static struct reactor *reactor;
static struct dispatch *dispatch;
static struct dispatch_conf conf;
static struct dispatch_peer peer;
static struct buf sent;			/* every answer, one a line */
static unsigned idles;
static struct prim request;

static size_t on_send(struct dispatch_peer *p, const struct prim *answer)
{
	size_t before = sent.len;
	const char *why;

	ck_assert_ptr_eq(p, &peer);
	ck_assert_int_eq(codec_json.encode(&sent, &why, &conf.codec, answer),
			 0);
	buf_add_char(&sent, '\n');
	return sent.len - before;
}

static void on_idle(struct dispatch_peer *p)
{
	ck_assert_ptr_eq(p, &peer);
	idles++;
}

static const struct dispatch_peer_ops peer_ops = { on_send, on_idle };

static void setup(void)
{
	static const struct log_conf quiet = { .level = LOG_LEVEL_ERROR };

	log_setup(&quiet, STDERR_FILENO);
	hold = (struct hold){ .base = { &hold_ops } };
	conf = (struct dispatch_conf){
		.in_flight = 2,
		.max_queue = 2000,
		.timeout_ms = 60000,
		.codec = { .max_depth = 16, .max_tokens = 1000 },
	};
	idles = 0;
	ck_assert_int_eq(reactor_create(&reactor), 0);
	ck_assert_int_eq(dispatch_create(&dispatch, reactor, &hold.base,
					 &conf, NULL, NULL), 0);
	dispatch_peer_init(&peer, &peer_ops, &codec_json, 1);
}

static void teardown(void)
{
	dispatch_peer_leave(dispatch, &peer);
	ck_assert_ptr_null(peer.waiting_ids.hashes);
	ck_assert_uint_eq(peer.waiting_octets, 0);
	dispatch_destroy(dispatch);
	reactor_destroy(reactor);
	prim_deinit(&request);
	buf_deinit(&sent);
}

/* The peer sends this message. */
static void say(const char *text)
{
	const char *why = NULL;

	ck_assert_msg(codec_json.decode(&request, &why, &conf.codec,
					str_of(text)) == 0,
		      "%s: %s", text, why);
	dispatch_request(dispatch, &peer, &request, str_of(text));
}

static void say_retrieve(const char *rqi)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "{\"op\":2,\"to\":\"cb1\",\"fr\":\"Cm\",\"rqi\":\"%s\","
		 "\"rvi\":\"3\"}",
		 rqi);
	say(text);
}

/* All that has been sent since the last call. */
static void check_sent(const char *want)
{
	ck_assert_msg(str_eq(buf_str(&sent), str_of(want)), "sent %.*s",
		      (int)sent.len, sent.p);
	buf_clear(&sent);
}

START_TEST(test_any_order)
{
	say_retrieve("a");
	say_retrieve("b");
	check_sent("");
	hold_answer(1, 2000);
	check_sent("{\"rsc\":2000,\"rqi\":\"b\"}\n");
	ck_assert_uint_eq(idles, 0);
	hold_answer(0, 4004);
	check_sent("{\"rsc\":4004,\"rqi\":\"a\"}\n");
	ck_assert_uint_eq(idles, 1);
	ck_assert_uint_eq(dispatch_counters(dispatch)->answered, 2);
}
END_TEST

/* TS-0001 7.1.7: refused while pending, at the CSE or waiting; free later */
START_TEST(test_duplicate_rqi)
{
	static const char refusal[] =
		"{\"rsc\":4000,\"rqi\":\"a\",\"rvi\":\"3\",\"pc\":{\"m2m:dbg\":"
		"\"a request with this rqi is pending\"}}\n";

	say_retrieve("a");
	say_retrieve("a");
	check_sent(refusal);
	say_retrieve("b");
	say_retrieve("c");
	say_retrieve("c");
	check_sent("{\"rsc\":4000,\"rqi\":\"c\",\"rvi\":\"3\",\"pc\":{"
		   "\"m2m:dbg\":\"a request with this rqi is pending\"}}\n");
	hold_answer(0, 2000);
	check_sent("{\"rsc\":2000,\"rqi\":\"a\"}\n");
	say_retrieve("a");
	check_sent("");
}
END_TEST

/* TS-0020 5.2: the AEs of a node share its connection, not their ids */
START_TEST(test_rqi_of_two_originators)
{
	say_retrieve("a");
	say("{\"op\":2,\"to\":\"cb1\",\"fr\":\"Cn\",\"rqi\":\"a\",\"rvi\":"
	    "\"3\"}");
	check_sent("");
	ck_assert_uint_eq(hold.count, 2);
}
END_TEST

/* Always a string or absent, whatever came (TS-0004 6.4.2). */
START_TEST(test_rvi_of_a_refusal)
{
	say("{\"op\":2,\"fr\":\"Cm\",\"rqi\":\"a\",\"rvi\":[3]}");
	hold.refuse_with = ERR_PROTO;
	say("{\"op\":2,\"to\":\"cb1\",\"fr\":\"Cm\",\"rqi\":\"b\",\"rvi\":"
	    "[3]}");
	check_sent("{\"rsc\":4000,\"rqi\":\"a\",\"pc\":{\"m2m:dbg\":"
		   "\"to is missing\"}}\n"
		   "{\"rsc\":4000,\"rqi\":\"b\",\"pc\":{\"m2m:dbg\":"
		   "\"as told\"}}\n");
}
END_TEST

/* Above in_flight they wait, in order, and go as answers come. */
START_TEST(test_waiting)
{
	say_retrieve("a");
	say_retrieve("b");
	say_retrieve("c");
	say_retrieve("d");
	ck_assert_uint_eq(hold.count, 2);
	hold_answer(1, 2000);
	ck_assert_uint_eq(hold.count, 3);
	ck_assert_str_eq(hold.held[2].rqi, "c");
	hold_answer(0, 2000);
	ck_assert_str_eq(hold.held[3].rqi, "d");
	hold_answer(2, 2000);
	ck_assert_uint_eq(idles, 0);
	hold_answer(3, 2000);
	ck_assert_uint_eq(idles, 1);
	check_sent("{\"rsc\":2000,\"rqi\":\"b\"}\n"
		   "{\"rsc\":2000,\"rqi\":\"a\"}\n"
		   "{\"rsc\":2000,\"rqi\":\"c\"}\n"
		   "{\"rsc\":2000,\"rqi\":\"d\"}\n");
}
END_TEST

START_TEST(test_waiting_is_bounded)
{
	say_retrieve("a");
	say_retrieve("b");
	for (char rqi[2] = "c"; rqi[0] <= 'z'; rqi[0]++)
		say_retrieve(rqi);
	ck_assert_uint_gt(dispatch_counters(dispatch)->queue_full, 0);
	ck_assert(str_starts(buf_str(&sent), STR("{\"rsc\":5103,")));
	buf_clear(&sent);
	/* what waits is still served */
	hold_answer(0, 2000);
	ck_assert_uint_eq(hold.count, 3);
}
END_TEST

/* When the backend refuses all that waits, each is answered once, in a loop
 * and not a recursion. */
START_TEST(test_waiting_refused)
{
	conf.max_queue = 16 << 20;
	say_retrieve("a");
	say_retrieve("b");
	for (int i = 0; i < 5000; i++) {
		char rqi[16];

		snprintf(rqi, sizeof(rqi), "w%d", i);
		say_retrieve(rqi);
	}
	hold.refuse_with = UV_ECONNREFUSED;
	hold_answer(0, 2000);
	ck_assert_uint_eq(dispatch_counters(dispatch)->refused, 5000);
	ck_assert_uint_eq(idles, 0);
	hold_answer(1, 2000);
	ck_assert_uint_eq(idles, 1);
}
END_TEST

static const struct {
	int err;
	int at_submit, later;		/* rsc */
} failures[] = {
	{ ERR_PROTO, 4000, 5000 },
	{ ERR_UNSUPPORTED, 5001, 5103 },
	{ ERR_LIMIT, 5103, 5000 },
	{ UV_ENOMEM, 5000, 5000 },
	{ UV_ECONNREFUSED, 5000, 5103 },
	{ UV_EOF, 5000, 5103 },
	{ UV_ETIMEDOUT, 5000, 4008 },
};

START_TEST(test_failure)
{
	struct exchange *x;
	char want[160];

	hold.refuse_with = failures[_i].err;
	say_retrieve("s");
	snprintf(want, sizeof(want),
		 "{\"rsc\":%d,\"rqi\":\"s\",\"rvi\":\"3\",\"pc\":{\"m2m:dbg\":"
		 "\"as told\"}}\n",
		 failures[_i].at_submit);
	check_sent(want);
	hold.refuse_with = 0;
	say_retrieve("l");
	x = hold_take(0);
	x->ops->on_fail(x, failures[_i].err, "no luck");
	snprintf(want, sizeof(want),
		 "{\"rsc\":%d,\"rqi\":\"l\",\"rvi\":\"3\",\"pc\":{\"m2m:dbg\":"
		 "\"no luck\"}}\n",
		 failures[_i].later);
	check_sent(want);
}
END_TEST

START_TEST(test_deadline)
{
	conf.timeout_ms = 60;
	conf.in_flight = 1;
	say_retrieve("a");
	say_retrieve("b");		/* waits, and its time runs too */
	while (idles == 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
	ck_assert_uint_ge(hold.cancelled, 1);
	ck_assert_uint_eq(dispatch_counters(dispatch)->timed_out, 2);
	ck_assert_ptr_nonnull(strstr(sent.p, "{\"rsc\":4008,\"rqi\":\"a\""));
	ck_assert_ptr_nonnull(strstr(sent.p, "{\"rsc\":4008,\"rqi\":\"b\""));
}
END_TEST

START_TEST(test_rqet_shortens_the_deadline)
{
	say("{\"op\":2,\"to\":\"cb1\",\"fr\":\"Cm\",\"rqi\":\"a\",\"rvi\":"
	    "\"3\",\"rqet\":\"20\"}");
	while (idles == 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
	ck_assert(str_starts(buf_str(&sent), STR("{\"rsc\":4008,")));
}
END_TEST

START_TEST(test_rqet_past)
{
	say("{\"op\":2,\"to\":\"cb1\",\"fr\":\"Cm\",\"rqi\":\"a\",\"rvi\":"
	    "\"3\",\"rqet\":\"20200101T000000\"}");
	ck_assert(str_starts(buf_str(&sent), STR("{\"rsc\":4008,")));
	ck_assert_uint_eq(hold.count, 0);
}
END_TEST

/* rt 5: nothing is answered, whatever happens */
START_TEST(test_no_response)
{
	static const char silent[] =
		"{\"op\":2,\"to\":\"cb1\",\"fr\":\"Cm\",\"rqi\":\"a\","
		"\"rvi\":\"3\",\"rt\":{\"rtv\":5}}";

	say(silent);
	hold_answer(0, 2000);
	say(silent);
	say(silent);			/* a duplicate */
	hold.refuse_with = ERR_PROTO;
	hold_answer(1, 2000);
	say(silent);
	check_sent("");
	ck_assert_uint_eq(hold.count, 2);
}
END_TEST

START_TEST(test_peer_leaves)
{
	say_retrieve("a");
	say_retrieve("b");
	say_retrieve("c");
	dispatch_peer_leave(dispatch, &peer);
	ck_assert(dispatch_peer_idle(&peer));
	ck_assert_uint_eq(hold.cancelled, 0);	/* the CSE may be acting */
	hold_answer(0, 2001);
	check_sent("");
	ck_assert_uint_eq(dispatch_counters(dispatch)->orphaned, 1);
	ck_assert_uint_eq(idles, 0);
	/* b is left to dispatch_destroy() */
}
END_TEST

/* But a poll, which would take a request along. */
START_TEST(test_poller_leaves)
{
	say("{\"op\":2,\"to\":\"cb1/pch/pcu\",\"fr\":\"Cm\",\"rqi\":\"a\"}");
	say("{\"op\":2,\"to\":\"cb1/pcu/x\",\"fr\":\"Cm\",\"rqi\":\"b\"}");
	ck_assert_uint_eq(hold.count, 2);
	dispatch_peer_leave(dispatch, &peer);
	ck_assert_uint_eq(hold.cancelled, 1);
	ck_assert_ptr_null(hold.held[0].x);
	ck_assert_uint_eq(dispatch_counters(dispatch)->forgotten, 1);
}
END_TEST

START_TEST(test_refuse_without_rqi)
{
	prim_reset(&request, PRIM_REQUEST);
	dispatch_refuse(dispatch, &peer, &request, STR("{\"op"), 4000,
			"not \"valid\" JSON");
	check_sent("{\"rsc\":4000,\"rqi\":\"\",\"pc\":{\"m2m:dbg\":\"not "
		   "\\\"valid\\\" JSON\"}}\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dispatch");
	TCase *tc = tcase_create("dispatch");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_any_order);
	tcase_add_test(tc, test_duplicate_rqi);
	tcase_add_test(tc, test_rqi_of_two_originators);
	tcase_add_test(tc, test_rvi_of_a_refusal);
	tcase_add_test(tc, test_waiting);
	tcase_add_test(tc, test_waiting_is_bounded);
	tcase_add_test(tc, test_waiting_refused);
	tcase_add_loop_test(tc, test_failure, 0, ARRAY_LEN(failures));
	tcase_add_test(tc, test_deadline);
	tcase_add_test(tc, test_rqet_shortens_the_deadline);
	tcase_add_test(tc, test_rqet_past);
	tcase_add_test(tc, test_no_response);
	tcase_add_test(tc, test_peer_leaves);
	tcase_add_test(tc, test_poller_leaves);
	tcase_add_test(tc, test_refuse_without_rqi);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
