#include <limits.h>

#include "store_delivery_rig.h"

/* Jobs that wait for others: questions, and requests for another CSE. */

#define URL0	"http://127.0.0.1:%0/a\n"
#define URL1	"http://127.0.0.1:%1/b\n"
#define DEAD	"http://127.0.0.1:%2/c\n"
#define CREATE	"{'op':1,'to':'cse-in','fr':'CAdmin','rqi':'j1','rvi':'3'," \
		"'ty':23,'pc':{'m2m:sub':{}}}"
#define VRQ	"{'m2m:sgn':{'vrq':true}}"
#define SILENT	SCRIPT(READ, UNTIL(UINT_MAX))

static const uint64_t never;

static struct rig rig;

static void setup(void)
{
	rig_init(&rig);
	server_stop_listening(&rig.servers[2]);
	for (size_t i = 0; i < RIG_SERVERS; i++)
		rig.servers[i].counter = &never;
}

static void teardown(void)
{
	rig_end(&rig);
}

static const struct store_delivery_counters *counters(void)
{
	return store_delivery_counters(rig.d);
}

/* ---- questions ---- */

/* The errand with a question for each of urls. */
static void ask(const char *const *urls, size_t count, enum store_ask kind)
{
	struct store_event events[4];

	for (size_t i = 0; i < count; i++) {
		events[i] = rig_event(&rig, urls[i], VRQ);
		events[i].ask = kind;
	}
	rig_run_errand(&rig, CREATE, STORE_ASKED, 0, events, count);
	ck_assert(!store_delivery_is_idle(rig.d));
	/* their texts are the errand's, which goes first */
	while (!store_delivery_is_idle(rig.d))
		rig_loop(&rig, 0);
	for (size_t i = 0; i < count; i++)
		rig_event_free(&events[i]);
}

#define SUB STORE_ASK_SUBSCRIBE
#define UPD STORE_ASK_UPDATE

static const struct {
	const char *name;
	enum store_ask kind;
	const char *urls;
	const char *answer;	/* NULL: none, ever */
	const char *got;
} questions[] = {
	{ "agreed", SUB, URL0, RIG_OK("2000"),
	  "0 POST /a " VRQ "\nj1 again\n" },
	{ "2001 is no yes to a verification", SUB, URL0, RIG_OK("2001"),
	  "0 POST /a " VRQ "\nj1 5204 {'m2m:dbg':"
	  "'http://127.0.0.1:%0/a: answered 2001'}\n" },
	{ "no privilege", SUB, URL0, RIG_OK("4101"),
	  "0 POST /a " VRQ "\nj1 5204 {'m2m:dbg':"
	  "'http://127.0.0.1:%0/a: answered 4101'}\n" },
	{ "no answer", SUB, URL0, NULL,
	  "0 POST /a " VRQ "\nj1 5204 {'m2m:dbg':"
	  "'http://127.0.0.1:%0/a: no answer in time'}\n" },
	{ "a senseless answer", SUB, URL0, "hello\r\n\r\n",
	  "0 POST /a " VRQ "\nj1 5204 {'m2m:dbg':'http://127.0.0.1:%0/a: "
	  "the target's answer is no HTTP or cut off'}\n" },
	{ "not reached", SUB, DEAD, NULL,
	  "j1 5204 {'m2m:dbg':'http://127.0.0.1:%2/c: "
	  "the target cannot be reached'}\n" },
	{ "nowhere", SUB, "", NULL,
	  "j1 5204 {'m2m:dbg':': no point of access'}\n" },
	{ "of no use", SUB, "https://h/\n", NULL,
	  "j1 5204 {'m2m:dbg':'https://h/: https: is not available yet'}\n" },
	{ "the next point of access", SUB, DEAD URL1, NULL,
	  "1 POST /b " VRQ "\nj1 again\n" },
	{ "an update is agreed to", UPD, URL0, RIG_OK("2004"),
	  "0 POST /a " VRQ "\nj1 again\n" },
	{ "an update is denied", UPD, URL0, RIG_OK("4005"),
	  "0 POST /a " VRQ "\nj1 4127 {'m2m:dbg':"
	  "'http://127.0.0.1:%0/a: answered 4005'}\n" },
	{ "an update: 5103 is a gateway's", UPD, URL0, RIG_OK("5103"),
	  "0 POST /a " VRQ "\nj1 5107 {'m2m:dbg':"
	  "'http://127.0.0.1:%0/a: answered 5103'}\n" },
	{ "an update: no answer", UPD, URL0, NULL,
	  "0 POST /a " VRQ "\nj1 5107 {'m2m:dbg':"
	  "'http://127.0.0.1:%0/a: no answer in time'}\n" },
	{ "an update: not reached", UPD, DEAD, NULL,
	  "j1 5107 {'m2m:dbg':'http://127.0.0.1:%2/c: "
	  "the target cannot be reached'}\n" },
};

START_TEST(test_question)
{
	const struct step *const silent[] = { SILENT };
	const struct step *const script[] = {
		SCRIPT(READ, SAY(questions[_i].answer)),
	};
	bool says = questions[_i].answer != NULL;

	rig.conf.timeout_ms = says ? 10000 : 100;
	rig_script(&rig, 0, says ? script : silent, 1);
	ask(&questions[_i].urls, 1, questions[_i].kind);
	rig_check(&rig, questions[_i].got);
	ck_assert_uint_eq(counters()->asked, 1);
}
END_TEST

/* All are asked at once; the second answers only when both were. */
START_TEST(test_questions)
{
	const char *const urls[] = { URL0, URL1 };
	const struct step *const late[] = {
		SCRIPT(READ, HEARD(2), SAY(RIG_OK("2000"))),
	};

	rig_script(&rig, 0, late, 1);
	rig_script(&rig, 1, late, 1);
	ask(urls, 2, SUB);
	ck_assert_uint_eq(rig.lines, 3);
	ck_assert(rig_holds(&rig.log, "j1 again"));
}
END_TEST

/* One yes is not. */
START_TEST(test_late_no)
{
	const char *const urls[] = { URL0, URL1 };
	const struct step *const late[] = {
		SCRIPT(READ, HEARD(2), PAUSE, SAY(RIG_OK("4103"))),
	};

	rig_script(&rig, 1, late, 1);
	ask(urls, 2, SUB);
	ck_assert(rig_holds(&rig.log, "j1 5204"));
}
END_TEST

/* One no is enough: nobody waits for the rest. */
START_TEST(test_one_no)
{
	const char *const urls[] = { URL0, DEAD, "" };
	const struct step *const silent[] = { SILENT };

	rig_script(&rig, 0, silent, 1);
	ask(urls, 3, SUB);
	ck_assert_uint_eq(counters()->disagreed, 1);
	ck_assert(rig_holds(&rig.log, "j1 5204"));
}
END_TEST

START_TEST(test_no_question)
{
	rig_run_errand(&rig, CREATE, STORE_ASKED, 0, NULL, 0);
	rig_check(&rig, "j1 again\n");
}
END_TEST

/* ---- requests for another CSE ---- */

/* With its own rqi, at another CSE of which `to` is. */
static void forward(const char *request, const char *urls)
{
	struct store_event event = rig_event(&rig, urls, "");

	event.route.exact = false;
	event.route.to = STR("/mn/cb/x");
	event.originator = STR("/id-in/Cme");
	rig_run_errand(&rig, request, STORE_FORWARD, 0, &event, 1);
	while (!store_delivery_is_idle(rig.d))
		rig_loop(&rig, 0);
	rig_event_free(&event);
}

#define REQ(op, more) "{'op':" #op ",'to':'/mn/cb/x','fr':'Cme'," \
		      "'rqi':'j1','rvi':'3'" more "}"
#define SAYS(rsc, more, len, body)					    \
	"HTTP/1.1 200 OK\r\nX-M2M-RI: %I\r\nX-M2M-RSC: " rsc "\r\n" more \
	"Content-Length: " len "\r\n\r\n" body
#define JSON "Content-Type: application/json\r\n"

static const struct {
	const char *name;
	const char *request;
	const char *urls;
	const char *answer;
	const char *got;
} forwards[] = {
	{ "CREATE", REQ(1, ",'ty':3,'pc':{'m2m:cnt':{}}"), URL0,
	  SAYS("2001", JSON, "19", "{\"m2m:cnt\":{\"a\":1}}"),
	  "0 POST /a/~/mn/cb/x {'m2m:cnt':{}}\n"
	  "j1 2001 {'m2m:cnt':{'a':1}}\n" },
	{ "RETRIEVE", REQ(2, ",'rcn':4"), URL0, SAYS("2000", "", "0", ""),
	  "0 GET /a/~/mn/cb/x?rcn=4\nj1 2000\n" },
	{ "UPDATE", REQ(3, ",'pc':{'m2m:cnt':{}}"), URL0,
	  SAYS("2004", "", "0", ""),
	  "0 PUT /a/~/mn/cb/x {'m2m:cnt':{}}\nj1 2004\n" },
	{ "DELETE", REQ(4, ""), URL0, SAYS("2002", "", "0", ""),
	  "0 DELETE /a/~/mn/cb/x\nj1 2002\n" },
	{ "NOTIFY", REQ(5, ",'pc':{'m2m:sgn':{}}"), URL0,
	  SAYS("2000", "", "0", ""),
	  "0 POST /a/~/mn/cb/x {'m2m:sgn':{}}\nj1 2000\n" },
	{ "an error of the target", REQ(2, ""), URL0,
	  SAYS("4103", JSON, "13", "{\"m2m:dbg\":1}"),
	  "0 GET /a/~/mn/cb/x\nj1 4103 {'m2m:dbg':1}\n" },
	{ "not reached", REQ(2, ""), DEAD, NULL,
	  "j1 5103 {'m2m:dbg':'the target cannot be reached'}\n" },
	{ "the next point of access", REQ(4, ""), DEAD URL1, NULL,
	  "1 DELETE /b/~/mn/cb/x\nj1 2000\n" },
	{ "no point of access", REQ(2, ""), "", NULL,
	  "j1 5103 {'m2m:dbg':'no point of access'}\n" },
	{ "no answer", REQ(2, ""), URL0 URL1, NULL,
	  "0 GET /a/~/mn/cb/x\nj1 4008 {'m2m:dbg':'no answer in time'}\n" },
	{ "no answer within rqet", REQ(4, ",'rqet':'50'"), URL0, NULL,
	  "0 DELETE /a/~/mn/cb/x\nj1 4008 {'m2m:dbg':"
	  "'no answer in time'}\n" },
	{ "a senseless answer", REQ(4, ""), URL0 URL1, "x\r\n\r\n",
	  "0 DELETE /a/~/mn/cb/x\nj1 5000 {'m2m:dbg':"
	  "'the target's answer is no HTTP or cut off'}\n" },
	{ "what HTTP cannot carry", REQ(2, ",'vsi':'a\\u0001'"), URL0 URL1,
	  NULL, "j1 4000 {'m2m:dbg':'vsi has no HTTP form: octets that a "
	  "header cannot carry'}\n" },
	{ "what HTTP has no place for", REQ(2, ",'grtm':['a']"), URL0 URL1,
	  NULL, "j1 5001 {'m2m:dbg':'grtm has no HTTP form'}\n" },
};

START_TEST(test_forward)
{
	const struct step *const silent[] = { SILENT };
	const struct step *const script[] = {
		SCRIPT(READ, SAY(forwards[_i].answer)),
	};
	bool says = forwards[_i].answer != NULL;

	rig.conf.timeout_ms = says ? 10000 : 50;
	if (strstr(forwards[_i].request, "rqet") != NULL)
		rig.conf.timeout_ms = 1000000;
	rig_script(&rig, 0, says ? script : silent, 1);
	forward(forwards[_i].request, forwards[_i].urls);
	rig_check(&rig, forwards[_i].got);
}
END_TEST

/* It may have acted: no other one is asked. */
START_TEST(test_forward_broken)
{
	const struct step *const script[] = { SCRIPT(READ, FIN) };

	rig_script(&rig, 0, script, 1);
	forward(REQ(4, ""), URL0 URL1);
	rig_check(&rig, "0 DELETE /a/~/mn/cb/x\nj1 5103 {'m2m:dbg':"
			"'the target closed the connection without an "
			"answer'}\n");
}
END_TEST

START_TEST(test_forward_head)
{
	static const char *const lines[] = {
		"\r\nX-M2M-Origin: /id-in/Cme\r\n", "\r\nX-M2M-RI: j1\r\n",
		"\r\nX-M2M-RVI: 3\r\n", "\r\nX-M2M-GID: g\r\n",
	};

	forward(REQ(2, ",'gid':'g'"), URL0);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		ck_assert_msg(rig_holds(&rig.head, lines[i]), "%s", lines[i]);
}
END_TEST

/* Less than there is, and not by anybody's clock: CSEs that send it to each
 * other run out of time. */
static const struct {
	const char *request;
	const char *line;
} times_left[] = {
	{ REQ(2, ""), "\r\nX-M2M-RET: 26250\r\n" },
	{ REQ(2, ",'rqet':'8000'"), "\r\nX-M2M-RET: 7000\r\n" },
	{ REQ(2, ",'rqet':'99991231T235959'"), "\r\nX-M2M-RET: 26250\r\n" },
};

START_TEST(test_time_left)
{
	forward(times_left[_i].request, URL0);
	ck_assert(rig_holds(&rig.head, times_left[_i].line));
}
END_TEST

START_TEST(test_no_way)
{
	rig_run_errand(&rig, REQ(2, ""), STORE_FORWARD, 0, NULL, 0);
	rig_check(&rig, "j1 5103 {'m2m:dbg':'no way to the target'}\n");
}
END_TEST

/* ---- bounds, the end ---- */

/* One request with many questions counts for many. */
START_TEST(test_too_many_questions)
{
	const struct step *const silent[] = { SILENT, SILENT, SILENT };
	struct store_event events[3];

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		events[i] = rig_event(&rig, URL0, VRQ);
	rig_script(&rig, 0, silent, 3);
	rig.conf.max_pending = 5;
	rig.conf.timeout_ms = 50;
	rig_run_errand(&rig, CREATE, STORE_ASKED, 0, events, 3);
	rig_run_errand(&rig, CREATE, STORE_ASKED, 0, events, 3);
	rig_check(&rig, "j1 5103 {'m2m:dbg':"
			"'too many requests wait for others'}\n");
	while (!store_delivery_is_idle(rig.d))
		rig_loop(&rig, 0);
	/* what has ended counts no more */
	buf_clear(&rig.log);
	rig_run_errand(&rig, CREATE, STORE_ASKED, 0, events, 3);
	rig_check(&rig, "");
	while (!store_delivery_is_idle(rig.d))
		rig_loop(&rig, 0);
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		rig_event_free(&events[i]);
}
END_TEST

START_TEST(test_too_many)
{
	const struct step *const silent[] = { SILENT, SILENT };
	struct store_event event = rig_event(&rig, URL0, VRQ);

	rig_script(&rig, 0, silent, 2);
	rig.conf.max_pending = 2;
	rig_run_errand(&rig, REQ(2, ""), STORE_FORWARD, 0, &event, 1);
	rig_run_errand(&rig, CREATE, STORE_ASKED, 0, &event, 1);
	rig_run_errand(&rig, REQ(2, ""), STORE_FORWARD, 0, &event, 1);
	rig_check(&rig, "j1 5103 {'m2m:dbg':"
			"'too many requests wait for others'}\n");
	ck_assert_uint_eq(counters()->refused, 1);
	rig_loop(&rig, 3);
	/* what still waits is dropped */
	store_delivery_destroy(rig.d);
	rig.d = NULL;
	ck_assert_uint_eq(rig.lines, 5);
	rig_event_free(&event);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_waits");
	TCase *tc = tcase_create("store_waits");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_question, 0, ARRAY_LEN(questions));
	tcase_add_test(tc, test_questions);
	tcase_add_test(tc, test_late_no);
	tcase_add_test(tc, test_one_no);
	tcase_add_test(tc, test_no_question);
	tcase_add_loop_test(tc, test_forward, 0, ARRAY_LEN(forwards));
	tcase_add_test(tc, test_forward_broken);
	tcase_add_test(tc, test_forward_head);
	tcase_add_loop_test(tc, test_time_left, 0, ARRAY_LEN(times_left));
	tcase_add_test(tc, test_no_way);
	tcase_add_test(tc, test_too_many_questions);
	tcase_add_test(tc, test_too_many);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
