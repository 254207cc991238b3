#include "backend_rig.h"

/* Whole requests come out as http_map writes them; here it is of interest
 * what becomes of the answer. */
#define TEXT(status, headers, len, body) \
	"HTTP/1.1 " status "\r\n" headers "Content-Length: " len "\r\n\r\n" body
#define JSON "Content-Type: application/json\r\n"

static const struct {
	const char *name;
	enum op op;
	const struct step *script;	/* first connection; then a good one */
	const char *heard;
} rows[] = {
	{ "RETRIEVE", OP_RETRIEVE,
	  SCRIPT(READ, SAY(TEXT("200 OK", JSON "X-M2M-RSC: 2000\r\n"
				"X-M2M-RI: %I\r\nX-M2M-RVI: 4\r\n",
				"14", "{\"m2m:cin\":{}}"))),
	  "q1=2000/200:4{\"m2m:cin\":{}}" },
	{ "rqi and rvi come from the request", OP_CREATE,
	  SCRIPT(READ, SAY(TEXT("201 Created", "X-M2M-RSC: 2001\r\n", "0",
				""))),
	  "q1=2001/201:3" },
	{ "no X-M2M-RSC: the status by operation", OP_DELETE,
	  SCRIPT(READ, SAY(TEXT("200 OK", "", "0", ""))),
	  "q1=2002/200:3" },
	{ "another rqi is only remarked", OP_RETRIEVE,
	  SCRIPT(READ, SAY(TEXT("200 OK", "X-M2M-RI: zz\r\n"
				"X-M2M-RSC: 2000\r\n", "0", ""))),
	  "q1=2000/200:3" },
	{ "the CSE refuses: an answer as any", OP_RETRIEVE,
	  SCRIPT(READ, SAY(TEXT("404 Not Found", JSON "X-M2M-RSC: 4004\r\n",
				"15", "{\"m2m:dbg\":\"x\"}"))),
	  "q1=4004/404:3{\"m2m:dbg\":\"x\"}" },
	{ "a body that is not what it says", OP_RETRIEVE,
	  SCRIPT(READ, SAY(TEXT("200 OK", JSON "X-M2M-RSC: 2000\r\n", "5",
				"{\"a\":"))),
	  "q1!PROTO/200" },
	{ "no HTTP", OP_RETRIEVE, SCRIPT(READ, SAY("hello\r\n\r\n")),
	  "q1!PROTO/0" },
	{ "too large", OP_RETRIEVE,
	  SCRIPT(READ, SAY(TEXT("200 OK", "", "201", ""))),
	  "q1!LIMIT/0" },
	{ "no answer", OP_RETRIEVE, SCRIPT(READ, FIN), "q1!ECONNRESET/0" },
};

START_TEST(test_answer)
{
	const struct step *const scripts[] = { rows[_i].script };
	struct rig rig;

	rig_init(&rig);
	rig.server.scripts = scripts;
	rig.server.count = 1;
	rig_create(&rig);
	submit_ok(&rig, 0, rows[_i].op, "q1");
	rig_run(&rig, 1);
	check_log(rows[_i].name, &rig, rows[_i].heard);
	ck_assert(rig.b->ops->healthy(rig.b));
	rig_end(&rig);
}
END_TEST

/* Only what changes nothing is sent twice. */
static const struct {
	enum op op;
	const char *heard;
	const char *seen;
} repeats[] = {
	{ OP_RETRIEVE, "q1=2000/200:3 q2=2000/200:3", "0q1 0q2 1q2" },
	{ OP_CREATE, "q1=2000/200:3 q2!ECONNRESET/0", "0q1 0q2" },
	{ OP_UPDATE, "q1=2000/200:3 q2!ECONNRESET/0", "0q1 0q2" },
	{ OP_DELETE, "q1=2000/200:3 q2!ECONNRESET/0", "0q1 0q2" },
	{ OP_NOTIFY, "q1=2000/200:3 q2!ECONNRESET/0", "0q1 0q2" },
};

#define OK TEXT("200 OK", "X-M2M-RI: %I\r\nX-M2M-RSC: 2000\r\n", "0", "")

START_TEST(test_repeat)
{
	const struct step *const scripts[] = {
		SCRIPT(READ, SAY(OK), READ, RST),
		SCRIPT(READ, SAY(OK)),
	};
	struct rig rig;

	rig_init(&rig);
	rig.server.scripts = scripts;
	rig.server.count = ARRAY_LEN(scripts);
	rig_create(&rig);
	submit_ok(&rig, 0, OP_RETRIEVE, "q1");
	rig_run(&rig, 1);
	submit_ok(&rig, 0, repeats[_i].op, "q2");
	rig_run(&rig, 2);
	check_log(op_name(repeats[_i].op), &rig, repeats[_i].heard);
	buf_add_char(&rig.server.seen, '\0');
	ck_assert_str_eq(rig.server.seen.p, repeats[_i].seen);
	rig_end(&rig);
}
END_TEST

START_TEST(test_stale_answer)
{
	const struct step *const scripts[] = {
		SCRIPT(READ, SAY(OK), READ,
		       SAY(TEXT("200 OK", "X-M2M-RI: %P\r\n", "0", ""))),
	};
	struct rig rig;

	rig_init(&rig);
	rig.server.scripts = scripts;
	rig.server.count = ARRAY_LEN(scripts);
	rig_create(&rig);
	submit_ok(&rig, 0, OP_CREATE, "q1");
	rig_run(&rig, 1);
	submit_ok(&rig, 0, OP_CREATE, "q2");
	rig_run(&rig, 2);
	check_log("stale", &rig, "q1=2000/200:3 q2!PROTO/0");
	rig_end(&rig);
}
END_TEST

START_TEST(test_health)
{
	const struct step *const scripts[] = {
		SCRIPT(READ, SAY(OK), HEARD(2), FIN),
		SCRIPT(READ, SAY(OK)),
	};
	struct server again = { 0 };
	struct rig rig;

	rig_init(&rig);
	server_stop_listening(&rig.server);
	rig_create(&rig);
	submit_ok(&rig, 0, OP_RETRIEVE, "q1");
	submit_ok(&rig, 1, OP_RETRIEVE, "q2");
	rig_run(&rig, 2);
	ck_assert(!rig.b->ops->healthy(rig.b));
	again.scripts = scripts;
	again.count = ARRAY_LEN(scripts);
	again.heard = &rig.heard;
	ck_assert_int_eq(server_listen_port(&again, reactor_loop(rig.r),
					    "127.0.0.1", rig.conf.port), 0);
	submit_ok(&rig, 0, OP_RETRIEVE, "q3");
	ck_assert(!rig.b->ops->healthy(rig.b));
	rig_run(&rig, 3);
	ck_assert(rig.b->ops->healthy(rig.b));
	check_log("health", &rig, "q1!ECONNREFUSED/0 q2!ECONNREFUSED/0 "
				  "q3=2000/200:3");
	server_close(&again);
	rig_end(&rig);
}
END_TEST

START_TEST(test_refused)
{
	const char *why = NULL;
	struct prim p = { 0 };
	struct rig rig;

	rig_init(&rig);
	rig.conf.max_waiting = 100;
	rig_create(&rig);
	/* what HTTP cannot carry */
	ck_assert_int_eq(submit(&rig, &rig.ones[0], OP_RETRIEVE, "a\r\nb",
				&why), ERR_PROTO);
	ck_assert_ptr_nonnull(why);
	ck_assert_ptr_null(rig.ones[0].x.impl);
	prim_reset(&p, PRIM_REQUEST);
	p.op = OP_RETRIEVE;
	prim_set_str(&p, PARAM_RQI, STR("q1"));
	prim_set_str(&p, PARAM_TO, STR("cse-in"));
	prim_set(&p, PARAM_GRTM, VALUE_NUMBER, STR("1"));
	ck_assert_int_eq(backend_submit(rig.b, &rig.ones[0].x, &p, &why),
			 ERR_UNSUPPORTED);
	prim_deinit(&p);
	/* what is too much */
	ck_assert_int_eq(submit(&rig, &rig.ones[0], OP_CREATE, "q2", &why),
			 ERR_LIMIT);
	ck_assert_str_eq(why, "too much is waiting for the target");
	ck_assert_uint_eq(rig.heard, 0);
	rig_end(&rig);
}
END_TEST

START_TEST(test_cancel)
{
	const struct step *const scripts[] = { SCRIPT(READ),
					       SCRIPT(READ, SAY(OK)) };
	struct rig rig;

	rig_init(&rig);
	rig.server.scripts = scripts;
	rig.server.count = ARRAY_LEN(scripts);
	rig.conf.connections = 1;
	rig_create(&rig);
	backend_cancel(rig.b, &rig.ones[0].x);
	submit_ok(&rig, 0, OP_CREATE, "q1");
	submit_ok(&rig, 1, OP_CREATE, "q2");
	submit_ok(&rig, 2, OP_CREATE, "q3");
	while (rig.server.requests == 0)
		rig_run(&rig, 0);
	backend_cancel(rig.b, &rig.ones[0].x);
	backend_cancel(rig.b, &rig.ones[1].x);
	ck_assert_ptr_null(rig.ones[0].x.impl);
	ck_assert_ptr_null(rig.ones[1].x.impl);
	rig_run(&rig, 1);
	check_log("cancel", &rig, "q3=2000/200:3");
	rig_end(&rig);
}
END_TEST

static void submit_another(struct rig *rig)
{
	submit_ok(rig, 1, OP_RETRIEVE, "q2");
}

static void submit_and_cancel(struct rig *rig)
{
	submit_ok(rig, 1, OP_RETRIEVE, "q9");
	backend_cancel(rig->b, &rig->ones[1].x);
}

static const struct {
	const char *name;
	void (*then)(struct rig *rig);
	bool refused;
	unsigned until;
	const char *heard;
} reentries[] = {
	{ "destroys from an answer", destroy_backend, false, 1,
	  "q1=2000/200:3{\"m2m:cin\":{}}" },
	{ "destroys from a failure", destroy_backend, true, 1,
	  "q1!ECONNREFUSED/0" },
	{ "submits from an answer", submit_another, false, 2,
	  "q1=2000/200:3{\"m2m:cin\":{}} q2=2000/200:3{\"m2m:cin\":{}}" },
	{ "submits from a failure", submit_another, true, 2,
	  "q1!ECONNREFUSED/0 q2!ECONNREFUSED/0" },
	{ "submits and cancels", submit_and_cancel, false, 1,
	  "q1=2000/200:3{\"m2m:cin\":{}}" },
};

START_TEST(test_reentry)
{
	const struct step *const scripts[] = {
		SCRIPT(READ, SAY(TEXT("200 OK", JSON "X-M2M-RSC: 2000\r\n",
				      "14", "{\"m2m:cin\":{}}")), AGAIN),
	};
	struct rig rig;

	rig_init(&rig);
	rig.server.scripts = scripts;
	rig.server.count = 1;
	rig.then = reentries[_i].then;
	if (reentries[_i].refused)
		server_stop_listening(&rig.server);
	rig_create(&rig);
	submit_ok(&rig, 0, OP_RETRIEVE, "q1");
	rig_run(&rig, reentries[_i].until);
	check_log(reentries[_i].name, &rig, reentries[_i].heard);
	rig_end(&rig);
}
END_TEST

START_TEST(test_destroy_pending)
{
	const struct step *const scripts[] = { SCRIPT(READ) };
	struct rig rig;

	rig_init(&rig);
	rig.server.scripts = scripts;
	rig.server.count = 1;
	rig.conf.connections = 1;
	rig_create(&rig);
	submit_ok(&rig, 0, OP_CREATE, "q1");
	submit_ok(&rig, 1, OP_CREATE, "q2");
	while (rig.server.requests == 0)
		rig_run(&rig, 0);
	destroy_backend(&rig);
	ck_assert_ptr_null(rig.ones[0].x.impl);
	ck_assert_ptr_null(rig.ones[1].x.impl);
	ck_assert_uint_eq(rig.heard, 0);
	rig_end(&rig);
}
END_TEST

/* More at once than are kept for reuse; twice. */
START_TEST(test_many)
{
	static const struct step good[] = { READ, SAY(OK), AGAIN };
	const struct step *const scripts[] = { good, good };
	struct rig rig;
	char rqi[8];

	rig_init(&rig);
	rig.server.scripts = scripts;
	rig.server.count = 2;
	rig.conf.connections = 2;
	rig_create(&rig);
	for (unsigned round = 1; round <= 2; round++) {
		for (unsigned i = 0; i < EXCHANGES; i++) {
			snprintf(rqi, sizeof(rqi), "q%u", i);
			submit_ok(&rig, i, OP_CREATE, rqi);
		}
		rig_run(&rig, round * EXCHANGES);
	}
	ck_assert_uint_eq(rig.server.accepted, 2);
	rig_end(&rig);
}
END_TEST

START_TEST(test_impossible_host)
{
	struct backend *b;
	struct rig rig;

	rig_init(&rig);
	rig.conf.host = "";
	ck_assert_int_eq(backend_http_create(&b, rig.r, &rig.conf, 1,
					     &codec_conf), UV_EINVAL);
	rig_end(&rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backend_http");
	TCase *tc = tcase_create("backend_http");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_answer, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(tc, test_repeat, 0, ARRAY_LEN(repeats));
	tcase_add_loop_test(tc, test_reentry, 0, ARRAY_LEN(reentries));
	tcase_add_test(tc, test_stale_answer);
	tcase_add_test(tc, test_health);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_cancel);
	tcase_add_test(tc, test_destroy_pending);
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_impossible_host);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
