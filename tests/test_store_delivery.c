#include "store_delivery_rig.h"

/* Notifications that nobody waits for. */

#define SGN(n)	"{'m2m:sgn':{'n':" #n "}}"
#define URL0	"http://127.0.0.1:%0/a\n"
#define SILENT	SCRIPT(READ, UNTIL(UINT_MAX))
#define LATEST	4

static const uint64_t never;

static struct rig rig;

static void setup(void)
{
	rig_init(&rig);
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

/* A notification with a number for content. */
static void tell(const char *urls, unsigned n)
{
	char pc[64];

	snprintf(pc, sizeof(pc), "{'m2m:sgn':{'n':%u}}", n);
	rig_notify(&rig, rig_event(&rig, urls, pc));
}

static struct str header(const char *name)
{
	struct str rest = buf_str(&rig.head), line, n, value;

	while (rest.len > 0) {
		(void)str_cut(rest, '\n', &line, &rest);
		if (str_cut(line, ':', &n, &value) &&
		    str_ieq(n, str_of(name))) {
			value = str_trim(value);
			value.len -= value.len > 0;	/* CR */
			return value;
		}
	}
	return (struct str){ NULL, 0 };
}

static bool is_header(const char *name, const char *want)
{
	return str_eq(header(name), str_of(want));
}

START_TEST(test_form)
{
	struct store_event event = rig_event(&rig, URL0, SGN(1));
	char first[32];
	uint64_t ot;

	event.ec = 3;
	rig_notify(&rig, event);
	rig_loop(&rig, 1);
	rig_check(&rig, "0 POST /a " SGN(1) "\n");
	ck_assert(is_header("X-M2M-Origin", "/id-in"));
	ck_assert(is_header("X-M2M-RVI", "3"));
	ck_assert(is_header("X-M2M-EC", "3"));
	ck_assert(is_header("Content-Type", "application/json"));
	ck_assert(prim_read_time(&ot, header("X-M2M-OT")));
	ck_assert_uint_eq(header("X-M2M-RI").len, 16);
	memcpy(first, header("X-M2M-RI").p, 16);
	tell(URL0, 2);
	rig_loop(&rig, 2);
	ck_assert(!str_eq(header("X-M2M-RI"), (struct str){ first, 16 }));
	ck_assert_ptr_null(header("X-M2M-EC").p);
}
END_TEST

/* ---- where to ---- */

static const struct {
	const char *name;
	const char *urls;
	bool exact;
	const char *to;
	const char *got;	/* "": it is undelivered */
} ways[] = {
	{ "as it stands", "http://127.0.0.1:%0/n?t=1&ct=json\n", true, "Cx",
	  "0 POST /n?t=1 {}\n" },
	{ "to follows", "http://127.0.0.1:%0/r/k3\n", false, "/in/Cx",
	  "0 POST /r/k3/~/in/Cx {}\n" },
	{ "the first one does",
	  "http://127.0.0.1:%0/a\nhttp://127.0.0.1:%1/b\n", true, "Cx",
	  "0 POST /a {}\n" },
	{ "refused, then the next one",
	  "http://127.0.0.1:%2/a\nhttp://127.0.0.1:%1/b\n", true, "Cx",
	  "1 POST /b {}\n" },
	{ "of no use, then the next ones",
	  "https://127.0.0.1/\nhttp://u@h/\n\nhttp://127.0.0.1:%0/\n", true,
	  "Cx", "0 POST / {}\n" },
	{ "all refused", "http://127.0.0.1:%2/a\nhttp://127.0.0.1:%2/b\n",
	  true, "Cx", "" },
	{ "all of no use", "https://127.0.0.1/\n", true, "Cx", "" },
	{ "none", "", true, "Cx", "" },
	{ "no to that HTTP can carry",
	  "http://127.0.0.1:%0/a\nhttp://127.0.0.1:%1/b\n", false, "a/../b",
	  "" },
};

START_TEST(test_way)
{
	struct store_event event = rig_event(&rig, ways[_i].urls, "{}");

	server_stop_listening(&rig.servers[2]);
	event.route.exact = ways[_i].exact;
	event.route.to = str_of(ways[_i].to);
	rig_notify(&rig, event);
	rig_loop(&rig, ways[_i].got[0] != '\0');
	while (counters()->delivered + counters()->undelivered == 0)
		rig_loop(&rig, 0);
	rig_check(&rig, ways[_i].got);
	ck_assert_uint_eq(counters()->delivered, ways[_i].got[0] != '\0');
	ck_assert(store_delivery_is_idle(rig.d));
}
END_TEST

/* ---- one target ---- */

START_TEST(test_order)
{
	struct buf want = { 0 };
	char line[64];

	for (unsigned i = 0; i < 100; i++) {
		tell(URL0, i);
		snprintf(line, sizeof(line),
			 "0 POST /a {'m2m:sgn':{'n':%u}}\n", i);
		buf_add_str(&want, str_of(line));
	}
	buf_add_char(&want, '\0');
	rig_loop(&rig, 100);
	rig_check(&rig, want.p);
	ck_assert_uint_eq(rig.servers[0].accepted, 1);
	buf_deinit(&want);
}
END_TEST

/* It is served on, and so are others. */
START_TEST(test_silent_target)
{
	const struct step *const silent[] = { SILENT, RIG_GOOD };

	rig.conf.timeout_ms = 60;
	rig_script(&rig, 0, silent, ARRAY_LEN(silent));
	tell(URL0, 1);
	tell(URL0, 2);
	rig_loop(&rig, 1);
	tell("http://127.0.0.1:%1/b\n", 3);
	rig_loop(&rig, 3);
	while (counters()->delivered < 2)
		rig_loop(&rig, 0);
	ck_assert_uint_eq(counters()->undelivered, 1);
	ck_assert_uint_eq(rig.servers[0].accepted, 2);
}
END_TEST

static const struct {
	const char *answer;
	uint64_t delivered, declined, undelivered;
} answers[] = {
	{ RIG_OK("2000"), 1, 0, 0 },
	{ RIG_OK("2001"), 1, 0, 0 },
	{ RIG_OK("4103"), 1, 1, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1, 0, 0 },
	{ "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 1, 1, 0 },
	{ "garbage\r\n\r\n", 0, 0, 1 },
};

START_TEST(test_answer)
{
	const struct step *const script[] = {
		SCRIPT(READ, SAY(answers[_i].answer)),
	};

	rig_script(&rig, 0, script, 1);
	tell(URL0 "http://127.0.0.1:%1/b\n", 1);
	rig_loop(&rig, 1);
	while (!store_delivery_is_idle(rig.d))
		rig_loop(&rig, 0);
	rig_check(&rig, "0 POST /a " SGN(1) "\n");
	ck_assert_uint_eq(counters()->delivered, answers[_i].delivered);
	ck_assert_uint_eq(counters()->declined, answers[_i].declined);
	ck_assert_uint_eq(counters()->undelivered, answers[_i].undelivered);
}
END_TEST

/* ---- bounds ---- */

static const struct {
	size_t max_queue, max_memory;
	const char *more;		/* got after the first one */
	uint64_t overflowed;
} bounds[] = {
	/* what one notification costs is between 150 and 299 octets */
	{ 1 << 20, 1 << 20, "0 POST /a " SGN(2) "\n0 POST /a " SGN(3) "\n", 0 },
	{ 299, 1 << 20, "0 POST /a " SGN(3) "\n", 1 },
	{ 1 << 20, 299, "0 POST /a " SGN(3) "\n", 1 },
	{ 100, 1 << 20, "", 3 },
};

START_TEST(test_bound)
{
	const struct step *const late[] = {
		SCRIPT(READ, HEARD(2), SAY(RIG_OK("2000")), READ,
		       SAY(RIG_OK("2000")), READ, SAY(RIG_OK("2000"))),
	};
	bool first = bounds[_i].max_queue > 100;
	char want[200];

	rig_script(&rig, 0, late, 1);
	rig.conf.max_queue = bounds[_i].max_queue;
	rig.conf.max_memory = bounds[_i].max_memory;
	tell(URL0, 1);
	if (first)
		rig_loop(&rig, 1);
	tell(URL0, 2);
	tell(URL0, 3);
	rig_log(&rig, "told");
	while (!store_delivery_is_idle(rig.d))
		rig_loop(&rig, 0);
	snprintf(want, sizeof(want), "%stold\n%s",
		 first ? "0 POST /a " SGN(1) "\n" : "", bounds[_i].more);
	rig_check(&rig, want);
	ck_assert_uint_eq(counters()->overflowed, bounds[_i].overflowed);
}
END_TEST

/* What waits for those who are slow takes nothing from who is idle. */
START_TEST(test_memory_of_others)
{
	const struct step *const silent[] = { SILENT };

	rig_script(&rig, 0, silent, 1);
	rig.conf.max_memory = 2 * 299;
	tell(URL0, 0);
	rig_loop(&rig, 1);
	for (unsigned i = 1; i <= 9; i++)
		tell(URL0, i);
	tell("http://127.0.0.1:%1/b\n", 5);
	rig_loop(&rig, 2);
	rig_check(&rig, "0 POST /a " SGN(0) "\n1 POST /b " SGN(5) "\n");
}
END_TEST

/* What is on its way takes memory as well. */
START_TEST(test_memory_of_what_left)
{
	const struct step *const silent[] = { SILENT, SILENT };

	rig_script(&rig, 0, silent, 2);
	rig.conf.max_memory = 299;
	rig.conf.timeout_ms = 50;
	tell("http://127.0.0.1:%0/a\n", 1);
	tell("http://127.0.0.1:%0/b\n", 2);
	ck_assert_uint_eq(counters()->overflowed, 1);
	while (!store_delivery_is_idle(rig.d))
		rig_loop(&rig, 0);
	rig_check(&rig, "0 POST /a " SGN(1) "\n");
	tell("http://127.0.0.1:%0/b\n", 3);
	rig_loop(&rig, 2);
	rig_check(&rig, "0 POST /a " SGN(1) "\n0 POST /b " SGN(3) "\n");
}
END_TEST

/* ec 4: of one subscription the latest that has not left. */
START_TEST(test_latest)
{
	const struct step *const late[] = {
		SCRIPT(READ, HEARD(2), SAY(RIG_OK("2000")), READ,
		       SAY(RIG_OK("2000")), AGAIN),
	};
	static const struct {
		int ec;
		int64_t sub;
	} events[] = { { 4, 7 }, { 4, 7 }, { 4, 8 }, { 0, 7 },
		       { 4, 0 }, { 4, 0 }, { 4, 7 } };
	char pc[64];

	rig_script(&rig, 0, late, 1);
	for (unsigned i = 0; i < ARRAY_LEN(events); i++) {
		struct store_event event;

		snprintf(pc, sizeof(pc), "{'m2m:sgn':{'n':%u}}", i);
		event = rig_event(&rig, URL0, pc);
		event.ec = events[i].ec;
		event.subscription = events[i].sub;
		rig_notify(&rig, event);
		if (i == 0)
			rig_loop(&rig, 1);
	}
	rig_log(&rig, "told");
	rig_loop(&rig, 6);
	rig_check(&rig, "0 POST /a " SGN(0) "\ntold\n"
			"0 POST /a " SGN(2) "\n0 POST /a " SGN(4) "\n"
			"0 POST /a " SGN(5) "\n0 POST /a " SGN(6) "\n");
	ck_assert_uint_eq(counters()->replaced, 2);
}
END_TEST

/* ---- batches ---- */

#define AGN(list) "{'m2m:agn':{'m2m:sgn':[" list "]}}"

static void gather(const char *urls, unsigned n, unsigned num, uint64_t ms,
		   int64_t sub, int ec)
{
	struct store_event event;
	char pc[64];

	snprintf(pc, sizeof(pc), "{'m2m:sgn':{'n':%u}}", n);
	event = rig_event(&rig, urls, pc);
	event.batch_num = num;
	event.batch_ms = ms;
	event.subscription = sub;
	event.ec = ec;
	rig_notify(&rig, event);
}

START_TEST(test_batch_by_number)
{
	gather(URL0, 1, 2, 0, 7, 0);
	gather(URL0, 2, 2, 0, 8, 0);
	gather("http://127.0.0.1:%1/b\n", 3, 2, 0, 7, 0);
	rig_turns(&rig);
	rig_check(&rig, "");
	ck_assert(!store_delivery_is_idle(rig.d));
	gather(URL0, 4, 2, 0, 7, 0);
	rig_loop(&rig, 1);
	gather(URL0, 5, 1, 0, 7, 0);
	rig_loop(&rig, 2);
	rig_check(&rig, "0 POST /a " AGN("{'n':1},{'n':4}") "\n"
			"0 POST /a " AGN("{'n':5}") "\n");
}
END_TEST

START_TEST(test_batch_by_time)
{
	gather(URL0, 1, 100, 50, 7, 0);
	gather(URL0, 2, 100, 50, 7, 0);
	rig_loop(&rig, 1);
	rig_check(&rig, "0 POST /a " AGN("{'n':1},{'n':2}") "\n");
}
END_TEST

START_TEST(test_batch_latest)
{
	gather(URL0, 1, 3, 0, 7, LATEST);
	gather(URL0, 2, 3, 0, 7, LATEST);
	gather(URL0, 3, 3, 0, 7, LATEST);
	rig_loop(&rig, 1);
	rig_check(&rig, "0 POST /a " AGN("{'n':3}") "\n");
	ck_assert_uint_eq(counters()->replaced, 2);
}
END_TEST

/* What comes after, such as the end of the subscription, comes after. */
START_TEST(test_batch_order)
{
	gather(URL0, 1, 3, 0, 7, 0);
	gather(URL0, 2, 0, 0, 8, 0);
	gather(URL0, 3, 0, 0, 7, 0);
	rig_loop(&rig, 3);
	rig_check(&rig, "0 POST /a " SGN(2) "\n"
			"0 POST /a " AGN("{'n':1}") "\n"
			"0 POST /a " SGN(3) "\n");
}
END_TEST

/* The route is the one of the latest. */
START_TEST(test_batch_moves)
{
	struct store_event event = rig_event(&rig, URL0, SGN(1));

	event.batch_num = 2;
	event.target = STR("Cx");
	rig_notify(&rig, event);
	event = rig_event(&rig, "http://127.0.0.1:%1/b\n", SGN(2));
	event.batch_num = 2;
	event.target = STR("Cx");
	rig_notify(&rig, event);
	rig_loop(&rig, 1);
	rig_check(&rig, "1 POST /b " AGN("{'n':1},{'n':2}") "\n");
}
END_TEST

START_TEST(test_batch_of_no_sgn)
{
	struct store_event event =
		rig_event(&rig, URL0, "{'m2m:rsp':{'rsc':2000}}");

	event.batch_num = 2;
	rig_notify(&rig, event);
	rig_loop(&rig, 1);
	rig_check(&rig, "0 POST /a {'m2m:rsp':{'rsc':2000}}\n");
}
END_TEST

/* ---- the end ---- */

static void on_idle(void *owner)
{
	struct rig *r = owner;

	r->idle = true;
	rig_log(r, "idle");
}

START_TEST(test_drain)
{
	gather(URL0, 1, 3, 0, 7, 0);
	tell(URL0, 2);
	store_delivery_drain(rig.d, on_idle, &rig);
	ck_assert(!rig.idle);
	gather(URL0, 3, 3, 0, 8, 0);
	rig_loop(&rig, 4);
	rig_check(&rig, "0 POST /a " SGN(2) "\n"
			"0 POST /a " AGN("{'n':1}") "\n"
			"0 POST /a " AGN("{'n':3}") "\nidle\n");
}
END_TEST

START_TEST(test_destroy)
{
	const struct step *const silent[] = { SILENT };

	rig_script(&rig, 0, silent, 1);
	gather(URL0, 1, 3, 1000, 7, 0);
	tell(URL0, 2);
	tell(URL0, 3);
	tell("http://127.0.0.1:%1/b\n", 4);
	rig_loop(&rig, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_delivery");
	TCase *tc = tcase_create("store_delivery");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_form);
	tcase_add_loop_test(tc, test_way, 0, ARRAY_LEN(ways));
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_silent_target);
	tcase_add_loop_test(tc, test_answer, 0, ARRAY_LEN(answers));
	tcase_add_loop_test(tc, test_bound, 0, ARRAY_LEN(bounds));
	tcase_add_test(tc, test_memory_of_others);
	tcase_add_test(tc, test_memory_of_what_left);
	tcase_add_test(tc, test_latest);
	tcase_add_test(tc, test_batch_by_number);
	tcase_add_test(tc, test_batch_by_time);
	tcase_add_test(tc, test_batch_latest);
	tcase_add_test(tc, test_batch_order);
	tcase_add_test(tc, test_batch_moves);
	tcase_add_test(tc, test_batch_of_no_sgn);
	tcase_add_test(tc, test_drain);
	tcase_add_test(tc, test_destroy);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
