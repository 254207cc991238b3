#include "http_client_rig.h"
#include "http_client_framing_rows.h"
#include "http_client_pool_rows.h"

static void play(const struct row *row)
{
	const struct http_client_counters *c;
	struct run run;

	run_init(&run);
	run_listen(&run, "127.0.0.1");
	run.server.scripts = row->scripts;
	run.server.count = ARRAY_LEN(row->scripts);
	run.program = row->program;
	if (row->connections > 0)
		run.conf.connections = row->connections;
	if (row->max_waiting > 0)
		run.conf.max_waiting = row->max_waiting;
	if (row->keepalive_ms > 0)
		run.conf.keepalive_ms = row->keepalive_ms;
	run_create(&run);
	run_go(&run);
	check_log(row->name, "heard", &run.log, row->heard);
	if (row->seen != NULL)
		check_log(row->name, "seen", &run.server.seen, row->seen);
	c = &run.counters;
	if (row->opened != UINT64_MAX) {
		ck_assert_msg(c->opened == row->opened, "%s: opened %d",
			      row->name, (int)c->opened);
		ck_assert_msg(c->poisoned == row->poisoned, "%s: poisoned %d",
			      row->name, (int)c->poisoned);
	}
	ck_assert_msg(c->connect_failed == row->connect_failed,
		      "%s: connect_failed %d", row->name,
		      (int)c->connect_failed);
	ck_assert_msg(c->retried == row->retried, "%s: retried %d", row->name,
		      (int)c->retried);
	ck_assert_msg(c->refused_waiting == row->refused_waiting,
		      "%s: refused_waiting %d", row->name,
		      (int)c->refused_waiting);
	run_end(&run);
}

START_TEST(test_framing)
{
	play(&framing_rows[_i]);
}
END_TEST

START_TEST(test_pool)
{
	play(&pool_rows[_i]);
}
END_TEST

/* What an owner does inside a callback. */
static const struct {
	const char *name;
	const char *program;
	char on_id;
	const char *then;
	bool refused;
	size_t connections;
	const char *heard;
	const char *seen;
} reentries[] = {
	{ "sends from an answer: the same connection", "+a", 'a', "+b", false,
	  4, "a=200:<a> b=200:<b>", "0a 0b" },
	{ "who waits comes before", "+a +b", 'a', "+c", false, 1,
	  "a=200:<a> b=200:<b> c=200:<c>", "0a 0b 0c" },
	{ "sends the same call", "+a", 'a', "+a", false, 4,
	  "a=200:<a> a=200:<a>", "0a 0a" },
	{ "cancels the one that got the connection", "+a +b +c", 'a', "-b",
	  false, 1, "a=200:<a> c=200:<c>", NULL },
	{ "sends and cancels", "+a +d", 'a', "+b -b +c", false, 4, NULL,
	  NULL },
	{ "destroys from an answer", "+a +b", 'a', "!", false, 1,
	  "a=200:<a>", NULL },
	{ "destroys from a failure", "+a +b +c", 'a', "!", true, 1,
	  "a!REFUSED", NULL },
	{ "destroys from the last failure", "+a", 'a', "!", true, 1,
	  "a!REFUSED", NULL },
	{ "cancels another that is failing", "+a +b +c", 'a', "-b", true, 1,
	  "a!REFUSED c!REFUSED", NULL },
	{ "sends from a failure", "+a +b", 'a', "+c", true, 1,
	  "a!REFUSED b!REFUSED c!REFUSED", NULL },
};

START_TEST(test_reentry)
{
	struct run run;

	run_init(&run);
	run_listen(&run, "127.0.0.1");
	run.program = reentries[_i].program;
	run.on_id = reentries[_i].on_id;
	run.then = reentries[_i].then;
	run.conf.connections = reentries[_i].connections;
	if (reentries[_i].refused)
		server_stop_listening(&run.server);
	run_create(&run);
	run_go(&run);
	if (reentries[_i].heard != NULL)
		check_log(reentries[_i].name, "heard", &run.log,
			  reentries[_i].heard);
	if (reentries[_i].seen != NULL)
		check_log(reentries[_i].name, "seen", &run.server.seen,
			  reentries[_i].seen);
	run_end(&run);
}
END_TEST

/* What came before a request has left is no answer to it, though nobody has
 * looked at the socket: b is sent in the very turn that brings it. */
START_TEST(test_octets_before)
{
	static const char forged[] = "HTTP/1.1 200 OK\r\n"
				     "Content-Length: 6\r\n\r\nforged";
	const struct step *const scripts[] = {
		SCRIPT(READ, DRIP(ANSWER), READ, SAY(ANSWER), READ,
		       SAY(ANSWER), HEARD(3), SAY(forged)),
		SCRIPT(READ, HEARD(3), SAY(CLOSE_ANSWER)),
	};
	struct run run;

	run_init(&run);
	run_listen(&run, "127.0.0.1");
	run.server.scripts = scripts;
	run.server.count = ARRAY_LEN(scripts);
	run_create(&run);
	run.program = "+x ~1 +a =1 +y =2 +z";
	run.on_id = 'a';
	run.then = "+b";
	run_go(&run);
	check_log("before", "heard", &run.log, "x=200:<x> y=200:<y> "
		  "z=200:<z> a=200:<a> b=200:<b>");
	ck_assert_uint_ge(run.counters.poisoned, 1);
	run_end(&run);
}
END_TEST

START_TEST(test_counters)
{
	const struct step *const scripts[] = { SCRIPT(READ) };
	struct run run;

	run_init(&run);
	run_listen(&run, "127.0.0.1");
	run.server.scripts = scripts;
	run.server.count = 1;
	run.conf.connections = 1;
	run_create(&run);
	run.program = "+a ~1 +b +c !";
	run_go(&run);
	ck_assert_uint_eq(run.counters.open, 1);
	ck_assert_uint_eq(run.counters.idle, 0);
	ck_assert_uint_eq(run.counters.waiting, 2);
	run_end(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_client");
	TCase *tc = tcase_create("http_client");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_framing, 0, ARRAY_LEN(framing_rows));
	tcase_add_test(tc, test_octets_before);
	tcase_add_loop_test(tc, test_pool, 0, ARRAY_LEN(pool_rows));
	tcase_add_loop_test(tc, test_reentry, 0, ARRAY_LEN(reentries));
	tcase_add_test(tc, test_counters);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
