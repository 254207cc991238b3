#include "store_delivery_rig.h"

/* Long polling. What a poll gives is written down with its rqi and ot, which
 * nobody can foresee, as R and T. */

#define CHANNEL 70
#define POLL(rqi, more) "{'op':2,'to':'pcu','fr':'Cx','rqi':'" rqi "'," \
			"'rvi':'4'" more "}"
#define RQP(n) "{'m2m:rqp':{'op':5,'to':'Cx','fr':'/id-in','rqi':'R'," \
	       "'rvi':'3','ot':'T','pc':{'m2m:sgn':{'n':" n "}}}}"
#define RQP_LEN 16		/* of an rqi */

static struct rig rig;

static void setup(void)
{
	rig_init(&rig);
}

static void teardown(void)
{
	rig_end(&rig);
}

static const struct store_delivery_counters *counters(void)
{
	return store_delivery_counters(rig.d);
}

static struct store_event event_of(int64_t channel, const char *pc)
{
	struct store_event event = rig_event(&rig, "", pc);

	event.route.channel = channel;
	return event;
}

static void tell_channel(int64_t channel, unsigned n)
{
	char pc[64];

	snprintf(pc, sizeof(pc), "{'m2m:sgn':{'n':%u}}", n);
	rig_notify(&rig, event_of(channel, pc));
}

static void tell(unsigned n)
{
	tell_channel(CHANNEL, n);
}

static void poll_channel(int64_t channel, const char *request)
{
	rig_run_errand(&rig, request, STORE_POLL, channel, NULL, 0);
}

static void poll(const char *request)
{
	poll_channel(CHANNEL, request);
}

/* In the log: 'rqi':'0123456789abcdef' -> 'rqi':'R', and the like of ot. The
 * last rqi goes to out. */
static void mask(const char *name, char mark, char out[RQP_LEN + 1])
{
	char *at, *end;

	buf_add_char(&rig.log, '\0');
	at = rig.log.p;
	while ((at = strstr(at, name)) != NULL) {
		at += strlen(name);
		end = strchr(at, '\'');
		if (end - at < RQP_LEN)
			continue;
		if (out != NULL)
			memcpy(out, at, RQP_LEN);
		*at++ = mark;
		memmove(at, end, strlen(end) + 1);
	}
	rig.log.len = strlen(rig.log.p);
}

static void check(const char *want, char rqi[RQP_LEN + 1])
{
	char space[RQP_LEN + 1];

	if (rqi == NULL)
		rqi = space;
	rqi[RQP_LEN] = '\0';
	mask("'rqi':'", 'R', rqi);
	mask("'ot':'", 'T', NULL);
	rig_check(&rig, want);
}

/* A NOTIFY to pcu with the answer, in which # is the rqi. */
static void answer(int64_t channel, const char *pc, const char *rqi)
{
	const char *mark = strchr(pc, '#');
	int before = mark != NULL ? (int)(mark - pc) : (int)strlen(pc);
	char request[512];

	snprintf(request, sizeof(request),
		 "{'op':5,'to':'pcu','fr':'Cx','rqi':'n1','rvi':'4',"
		 "'pc':%.*s%s%s}", before, pc, mark != NULL ? rqi : "",
		 mark != NULL ? mark + 1 : "");
	rig_run_errand(&rig, request, STORE_POLL_ANSWER, channel, NULL, 0);
}

#define RSP(rsc) "{'m2m:rsp':{'rsc':" rsc ",'rqi':'#','rvi':'3'}}"
#define NO_SUCH	 "n1 4000 {'m2m:dbg':" \
		 "'no request with this rqi waits for an answer'}\n"

/* ---- requests meet polls ---- */

START_TEST(test_request_first)
{
	tell(1);
	tell(2);
	poll(POLL("p1", ""));
	poll(POLL("p2", ""));
	check("p1 2000 " RQP("1") "\np2 2000 " RQP("2") "\n", NULL);
	ck_assert_uint_eq(counters()->polled, 2);
}
END_TEST

START_TEST(test_poll_first)
{
	poll(POLL("p1", ""));
	poll(POLL("p2", ""));
	check("", NULL);
	tell(1);
	check("p1 2000 " RQP("1") "\n", NULL);
	tell(2);
	check("p1 2000 " RQP("1") "\np2 2000 " RQP("2") "\n", NULL);
}
END_TEST

START_TEST(test_other_channel)
{
	poll_channel(71, POLL("p1", ""));
	tell(1);
	check("", NULL);
	poll(POLL("p2", ""));
	tell_channel(71, 2);
	check("p2 2000 " RQP("1") "\np1 2000 " RQP("2") "\n", NULL);
}
END_TEST

static const struct {
	const char *poll;
	uint64_t poll_ms;
} timeouts[] = {
	{ POLL("p1", ""), 50 },
	{ POLL("p1", ",'rqet':'50'"), 100000 },
	{ POLL("p1", ",'rqet':'PT0S'"), 100000 },
};

START_TEST(test_timeout)
{
	rig.conf.poll_ms = timeouts[_i].poll_ms;
	poll(timeouts[_i].poll);
	check("", NULL);
	rig_loop(&rig, 1);
	check("p1 4008 {'m2m:dbg':'no request came in time'}\n", NULL);
	ck_assert(store_delivery_is_idle(rig.d));
}
END_TEST

/* The poll of a client that went away takes no request along. */
START_TEST(test_unwanted)
{
	poll(POLL("p1", ""));
	rig.unwanted = true;
	tell(1);
	check("p1 drop\n", NULL);
	rig.unwanted = false;
	poll(POLL("p2", ""));
	check("p1 drop\np2 2000 " RQP("1") "\n", NULL);
}
END_TEST

/* Polls that clients gave up do not gather until their rqet. */
START_TEST(test_unwanted_gather)
{
	poll(POLL("p1", ",'rqet':3600000"));
	rig.unwanted = true;
	poll(POLL("p2", ",'rqet':3600000"));
	check("p1 drop\n", NULL);
	poll(POLL("p3", ",'rqet':3600000"));
	check("p1 drop\np2 drop\n", NULL);
}
END_TEST

/* What waits for those who do not poll takes nothing from who does. */
START_TEST(test_memory_of_others)
{
	rig.conf.max_memory = 2 * 511;
	for (unsigned i = 1; i <= 9; i++)
		tell_channel(71, i);
	poll(POLL("p1", ""));
	tell(5);
	check("p1 2000 " RQP("5") "\n", NULL);
}
END_TEST

/* One channel does not use up what all requests share. */
START_TEST(test_many_polls)
{
	rig.conf.max_pending = 1000;
	for (unsigned i = 0; i < 32; i++)
		poll(POLL("p1", ""));
	check("", NULL);
	poll(POLL("p2", ""));
	check("p2 5103 {'m2m:dbg':'too many polls wait already'}\n", NULL);
	poll_channel(71, POLL("p3", ""));
	ck_assert_uint_eq(rig.lines, 1);
	ck_assert_uint_eq(counters()->refused, 1);
}
END_TEST

/* ---- answers ---- */

static const struct {
	const char *name;
	int64_t channel;
	const char *pc;
	const char *got;
	uint64_t delivered, declined;
} answers[] = {
	{ "yes", CHANNEL, RSP("2000"), "n1 2000\n", 1, 0 },
	{ "no", CHANNEL, RSP("4103"), "n1 2000\n", 1, 1 },
	{ "of another channel", 71, RSP("2000"), NO_SUCH, 0, 0 },
	{ "of another rqi", CHANNEL, "{'m2m:rsp':{'rsc':2000,'rqi':'x#'}}",
	  NO_SUCH, 0, 0 },
	{ "without rqi", CHANNEL, "{'m2m:rsp':{'rsc':2000,'to':'#'}}",
	  NO_SUCH, 0, 0 },
	{ "a request", CHANNEL, "{'m2m:rsp':{'op':2,'rqi':'#'}}",
	  "n1 4000 {'m2m:dbg':'m2m:rsp has no rsc'}\n", 0, 0 },
	{ "no primitive", CHANNEL, "{'m2m:rsp':{'rqi':'#'}}",
	  "n1 4000 {'m2m:dbg':'neither op nor rsc'}\n", 0, 0 },
	{ "no m2m:rsp", CHANNEL, "{'m2m:sgn':{'rqi':'#'}}",
	  "n1 4000 {'m2m:dbg':'pc is no m2m:rsp'}\n", 0, 0 },
	{ "an empty object", CHANNEL, "{}",
	  "n1 4000 {'m2m:dbg':'pc is no m2m:rsp'}\n", 0, 0 },
};

START_TEST(test_answer)
{
	char rqi[RQP_LEN + 1], want[1024];

	tell(1);
	poll(POLL("p1", ""));
	check("p1 2000 " RQP("1") "\n", rqi);
	answer(answers[_i].channel, answers[_i].pc, rqi);
	snprintf(want, sizeof(want), "p1 2000 " RQP("1") "\n%s",
		 answers[_i].got);
	check(want, NULL);
	ck_assert_uint_eq(counters()->delivered, answers[_i].delivered);
	ck_assert_uint_eq(counters()->declined, answers[_i].declined);
}
END_TEST

START_TEST(test_answered_twice)
{
	char rqi[RQP_LEN + 1];

	tell(1);
	poll(POLL("p1", ""));
	check("p1 2000 " RQP("1") "\n", rqi);
	answer(CHANNEL, RSP("2000"), rqi);
	answer(CHANNEL, RSP("2000"), rqi);
	check("p1 2000 " RQP("1") "\nn1 2000\n" NO_SUCH, NULL);
}
END_TEST

START_TEST(test_answered_late)
{
	char rqi[RQP_LEN + 1];

	rig.conf.timeout_ms = 50;
	tell(1);
	poll(POLL("p1", ""));
	check("p1 2000 " RQP("1") "\n", rqi);
	while (counters()->undelivered == 0)
		rig_loop(&rig, 0);
	answer(CHANNEL, RSP("2000"), rqi);
	check("p1 2000 " RQP("1") "\n" NO_SUCH, NULL);
}
END_TEST

/* ---- whom others wait for ---- */

START_TEST(test_question)
{
	struct store_event event = event_of(CHANNEL, "{'m2m:sgn':{'n':1}}");
	char rqi[RQP_LEN + 1];

	event.ask = STORE_ASK_SUBSCRIBE;
	poll(POLL("p1", ""));
	rig_run_errand(&rig, POLL("j1", ""), STORE_ASKED, 0, &event, 1);
	check("p1 2000 " RQP("1") "\n", rqi);
	answer(CHANNEL, RSP("2000"), rqi);
	check("p1 2000 " RQP("1") "\nj1 again\nn1 2000\n", NULL);
	rig_event_free(&event);
}
END_TEST

START_TEST(test_forward)
{
	struct store_event event = event_of(CHANNEL, "");
	char rqi[RQP_LEN + 1];

	event.route.to = STR("/mn/x");
	rig_run_errand(&rig, "{'op':1,'to':'/mn/cb/x','fr':'Cy','rqi':'j1',"
		       "'rvi':'4','ty':3,'pc':{'m2m:cnt':{}}}",
		       STORE_FORWARD, 0, &event, 1);
	poll(POLL("p1", ""));
#define GIVEN "p1 2000 {'m2m:rqp':{'op':1,'to':'/mn/x','fr':'/id-in'," \
	      "'rqi':'R','rvi':'4','ty':3,'rqet':'26250'," \
	      "'pc':{'m2m:cnt':{}}}}\n"
	check(GIVEN, rqi);
	answer(CHANNEL, "{'m2m:rsp':{'rsc':2001,'rqi':'#','rvi':'3',"
	       "'pc':{'m2m:cnt':{'ri':'a'}}}}", rqi);
	check(GIVEN "j1 2001 {'m2m:cnt':{'ri':'a'}}\nn1 2000\n", NULL);
	rig_event_free(&event);
}
END_TEST

/* Nobody polls; what was given up is given to nobody. */
START_TEST(test_given_up)
{
	struct store_event event = event_of(CHANNEL, "{'m2m:sgn':{'n':1}}");

	rig.conf.timeout_ms = 50;
	event.target = STR("Cx");
	rig_run_errand(&rig, POLL("j1", ""), STORE_ASKED, 0, &event, 1);
	rig_loop(&rig, 1);
	poll(POLL("p1", ""));
	check("j1 5204 {'m2m:dbg':'Cx: no answer in time'}\n", NULL);
	tell(2);
	check("j1 5204 {'m2m:dbg':'Cx: no answer in time'}\n"
	      "p1 2000 " RQP("2") "\n", NULL);
	rig_event_free(&event);
}
END_TEST

/* ---- bounds, the end ---- */

START_TEST(test_latest)
{
	struct store_event event;

	for (unsigned i = 0; i < 3; i++) {
		event = event_of(CHANNEL, i == 2 ? "{'m2m:sgn':{'n':3}}" :
						   "{'m2m:sgn':{'n':0}}");
		event.ec = 4;
		event.subscription = i == 0 ? 8 : 7;
		rig_notify(&rig, event);
	}
	poll(POLL("p1", ""));
	poll(POLL("p2", ""));
	poll(POLL("p3", ""));
	check("p1 2000 {'m2m:rqp':{'op':5,'to':'Cx','fr':'/id-in','rqi':'R',"
	      "'rvi':'3','ot':'T','ec':4,'pc':{'m2m:sgn':{'n':0}}}}\n"
	      "p2 2000 {'m2m:rqp':{'op':5,'to':'Cx','fr':'/id-in','rqi':'R',"
	      "'rvi':'3','ot':'T','ec':4,'pc':{'m2m:sgn':{'n':3}}}}\n", NULL);
	ck_assert_uint_eq(counters()->replaced, 1);
}
END_TEST

/* The oldest notifications go, requests that others wait for do not. */
START_TEST(test_bound)
{
	struct store_event event = event_of(CHANNEL, "{'m2m:sgn':{'n':0}}");

	event.ask = STORE_ASK_SUBSCRIBE;
	event.target = STR("Cx");
	/* one costs between 256 and 511 octets */
	rig.conf.max_queue = 3 * 511;
	rig_run_errand(&rig, POLL("j1", ""), STORE_ASKED, 0, &event, 1);
	for (unsigned i = 1; i <= 10; i++)
		tell(i);
	ck_assert_uint_ge(counters()->overflowed, 5);
	rig.conf.max_queue = 511;
	rig_run_errand(&rig, POLL("j2", ""), STORE_ASKED, 0, &event, 1);
	rig_loop(&rig, 1);
	poll(POLL("p1", ""));
	check("j2 5204 {'m2m:dbg':"
	      "'Cx: too much waits in its polling channel'}\n"
	      "p1 2000 " RQP("0") "\n", NULL);
	rig_event_free(&event);
}
END_TEST

START_TEST(test_newest_stay)
{
	rig.conf.max_queue = 2 * 511;
	for (unsigned i = 1; i <= 20; i++)
		tell(i);
	for (unsigned i = 1; i <= 4; i++)
		poll(POLL("p1", ""));
	ck_assert(rig_holds(&rig.log, "'n':20"));
	ck_assert(!rig_holds(&rig.log, "'n':1}"));
}
END_TEST

static void on_idle(void *owner)
{
	rig_log(owner, "idle");
}

START_TEST(test_drain)
{
	poll(POLL("p1", ""));
	poll(POLL("p2", ""));
	store_delivery_drain(rig.d, on_idle, &rig);
	poll(POLL("p3", ""));
	check("p1 5103 {'m2m:dbg':'shutting down'}\n"
	      "p2 5103 {'m2m:dbg':'shutting down'}\nidle\n"
	      "p3 5103 {'m2m:dbg':'shutting down'}\nidle\n", NULL);
}
END_TEST

START_TEST(test_destroy)
{
	struct store_event event = event_of(CHANNEL, "{'m2m:sgn':{'n':0}}");

	poll(POLL("p1", ""));
	rig_run_errand(&rig, POLL("j1", ""), STORE_ASKED, 0, &event, 1);
	rig_run_errand(&rig, POLL("j2", ""), STORE_ASKED, 0, &event, 1);
	tell(1);
	poll_channel(71, POLL("p2", ""));
	store_delivery_destroy(rig.d);
	rig.d = NULL;
	check("p1 2000 " RQP("0") "\nj1 drop\nj2 drop\np2 drop\n", NULL);
	rig_event_free(&event);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_channels");
	TCase *tc = tcase_create("store_channels");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_request_first);
	tcase_add_test(tc, test_poll_first);
	tcase_add_test(tc, test_other_channel);
	tcase_add_loop_test(tc, test_timeout, 0, ARRAY_LEN(timeouts));
	tcase_add_test(tc, test_unwanted);
	tcase_add_test(tc, test_unwanted_gather);
	tcase_add_test(tc, test_memory_of_others);
	tcase_add_test(tc, test_many_polls);
	tcase_add_loop_test(tc, test_answer, 0, ARRAY_LEN(answers));
	tcase_add_test(tc, test_answered_twice);
	tcase_add_test(tc, test_answered_late);
	tcase_add_test(tc, test_question);
	tcase_add_test(tc, test_forward);
	tcase_add_test(tc, test_given_up);
	tcase_add_test(tc, test_latest);
	tcase_add_test(tc, test_bound);
	tcase_add_test(tc, test_newest_stay);
	tcase_add_test(tc, test_drain);
	tcase_add_test(tc, test_destroy);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
