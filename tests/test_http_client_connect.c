#include <fcntl.h>
#include <sys/resource.h>

#include "http_client_rig.h"

/* Where the server is, where the client looks for it, and what comes of it. */
static const struct {
	const char *name;
	const char *listen;
	const char *host;
	const char *heard;		/* NULL: a!, of some kind */
} places[] = {
	{ "IPv6", "::1", "::1", "a=200:<a> b=200:<b>" },
	{ "a name: all its addresses are tried", "127.0.0.1", "localhost",
	  "a=200:<a> b=200:<b>" },
	{ "a label too long to exist", "127.0.0.1",
	  TEN("abcdefgh") ".example", NULL },
	{ "no name at all", "127.0.0.1", "a..b", NULL },
	{ "no UTF-8", "127.0.0.1", "\xff", NULL },
};

START_TEST(test_place)
{
	const struct step *const scripts[] = {
		SCRIPT(READ, SAY(CLOSE_ANSWER)),
	};
	struct run run;

	run_init(&run);
	if (server_listen(&run.server, reactor_loop(run.r),
			  places[_i].listen) != 0)
		goto end;		/* this host has no IPv6 */
	run.server.scripts = scripts;
	run.server.count = ARRAY_LEN(scripts);
	run.conf.port = run.server.port;
	run.conf.host = places[_i].host;
	run.program = "+a =1 +b";
	run_create(&run);
	run_go(&run);
	if (places[_i].heard != NULL)
		check_log(places[_i].name, "heard", &run.log,
			  places[_i].heard);
	else
		ck_assert_msg(run.log.len > 3 && run.log.p[1] == '!', "%s",
			      places[_i].name);
	ck_assert_uint_eq(run.heard, 2);
end:
	run_end(&run);
}
END_TEST

/* Keeps libuv's pool, where names are looked up, busy. */
#define POOL_MAX 16

struct pool_jam {
	uv_sem_t sem;
	uv_work_t work[POOL_MAX];
};

static void jam_work(uv_work_t *work)
{
	uv_sem_wait(work->data);
}

static void jam_pool(struct pool_jam *jam, uv_loop_t *loop)
{
	setenv("UV_THREADPOOL_SIZE", "4", 1);
	uv_sem_init(&jam->sem, 0);
	for (size_t i = 0; i < POOL_MAX; i++) {
		jam->work[i].data = &jam->sem;
		uv_queue_work(loop, &jam->work[i], jam_work, NULL);
	}
}

static void free_pool(struct pool_jam *jam)
{
	for (size_t i = 0; i < POOL_MAX; i++)
		uv_sem_post(&jam->sem);
}

static const struct {
	const char *name;
	const char *program;
	uint64_t timeout_ms;
	const char *heard;
} lookups[] = {
	{ "destroyed during a look-up", "+a +b -a !", 1000, "" },
	{ "a look-up that takes too long", "+a +b", 1,
	  "a!EAI_AGAIN b!EAI_AGAIN" },
};

START_TEST(test_lookup)
{
	struct pool_jam jam;
	struct run run;

	run_init(&run);
	run_listen(&run, "127.0.0.1");
	jam_pool(&jam, reactor_loop(run.r));
	run.conf.host = "localhost";
	run.conf.connect_timeout_ms = lookups[_i].timeout_ms;
	run.program = lookups[_i].program;
	run_create(&run);
	run_go(&run);
	check_log(lookups[_i].name, "heard", &run.log, lookups[_i].heard);
	free_pool(&jam);
	run_end(&run);
	uv_sem_destroy(&jam.sem);
}
END_TEST

START_TEST(test_name_too_long)
{
	struct http_client_conf conf = { .port = 80, .connections = 1 };
	struct http_client *c;
	struct reactor *r;
	char name[256];

	memset(name, 'a', 254);
	for (size_t i = 60; i < 254; i += 60)
		name[i] = '.';
	name[254] = '\0';
	conf.host = name;
	ck_assert_int_eq(reactor_create(&r), 0);
	ck_assert_int_eq(http_client_create(&c, r, &conf), UV_EINVAL);
	conf.host = "";
	ck_assert_int_eq(http_client_create(&c, r, &conf), UV_EINVAL);
	http_client_destroy(NULL);
	reactor_destroy(r);
}
END_TEST

START_TEST(test_unix)
{
	const struct step *const scripts[] = {
		SCRIPT(READ, SAY(ANSWER), READ, FIN),
	};
	char path[64];
	struct run run;

	snprintf(path, sizeof(path), "/tmp/test_http_client.%d",
		 (int)getpid());
	run_init(&run);
	server_listen_unix(&run.server, reactor_loop(run.r), path);
	run.server.scripts = scripts;
	run.server.count = ARRAY_LEN(scripts);
	run.conf.unix_path = path;
	run.program = "+a =1 +b =2 +c";
	run_create(&run);
	run_go(&run);
	check_log("unix", "heard", &run.log,
		  "a=200:<a> b=200:<b> c=200:<c>");
	check_log("unix", "seen", &run.server.seen, "0a 0b 1b 1c");
	run_end(&run);
}
END_TEST

START_TEST(test_unix_missing)
{
	struct run run;

	run_init(&run);
	run_listen(&run, "127.0.0.1");
	run.conf.host = NULL;
	run.conf.unix_path = "/nonexistent/socket";
	run.program = "+a =1 +b";
	run_create(&run);
	run_go(&run);
	check_log("unix", "heard", &run.log, "a!ENOENT b!ENOENT");
	run_end(&run);
}
END_TEST

/* Fills the queue of a socket that accepts nothing, so that a further connect
 * stays without an answer. */
static unsigned listen_deaf(int fds[4])
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fds[0], (struct sockaddr *)&in, len), 0);
	ck_assert_int_eq(listen(fds[0], 0), 0);
	getsockname(fds[0], (struct sockaddr *)&in, &len);
	for (int i = 1; i < 4; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
		(void)!connect(fds[i], (struct sockaddr *)&in, len);
	}
	return ntohs(in.sin_port);
}

START_TEST(test_connect_timeout)
{
	struct run run;
	int fds[4];

	run_init(&run);
	run_listen(&run, "127.0.0.1");
	run.conf.port = listen_deaf(fds);
	run.conf.connect_timeout_ms = 1;
	run.program = "+a *b";
	run_create(&run);
	run_go(&run);
	check_log("timeout", "heard", &run.log, "a!UNREACH b!UNREACH");
	ck_assert_uint_eq(run.counters.connect_failed, 2);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	run_end(&run);
}
END_TEST

START_TEST(test_no_descriptors)
{
	struct rlimit all, none;
	struct run run;

	run_init(&run);
	run_listen(&run, "127.0.0.1");
	run.program = "+a *b";
	run_create(&run);
	getrlimit(RLIMIT_NOFILE, &all);
	none = all;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	run_go(&run);
	setrlimit(RLIMIT_NOFILE, &all);
	check_log("descriptors", "heard", &run.log, "a!EMFILE b!EMFILE");
	run_end(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_client_connect");
	TCase *tc = tcase_create("connect");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_place, 0, ARRAY_LEN(places));
	tcase_add_loop_test(tc, test_lookup, 0, ARRAY_LEN(lookups));
	tcase_add_test(tc, test_name_too_long);
	tcase_add_test(tc, test_unix);
	tcase_add_test(tc, test_unix_missing);
	tcase_add_test(tc, test_connect_timeout);
	tcase_add_test(tc, test_no_descriptors);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
