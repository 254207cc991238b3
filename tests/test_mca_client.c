#include "backend/mca_client.h"

#include <stdio.h>

#include "m2m/codec.h"
#include "net/reactor.h"
#include "scripted_server.h"
#include "unit.h"

/* A client, servers for it, and what became of the exchanges. */
#define EXCHANGES 8
#define SERVERS	  3

struct rig;

struct one {
	struct exchange x;
	struct rig *rig;
	char rqi[8];
};

struct rig {
	struct reactor *r;
	struct mca_client *c;
	struct mca_client_conf conf;
	struct server servers[SERVERS];
	uv_timer_t tick;
	unsigned heard, until;
	struct buf log;
	struct buf head;		/* what server 0 was sent first */
	struct one ones[EXCHANGES];
	void (*then)(struct rig *rig);	/* run inside the next answer */
};

static void note(struct one *one, const char *what)
{
	struct rig *rig = one->rig;
	void (*then)(struct rig *) = rig->then;

	ck_assert_ptr_null(one->x.impl);
	rig->then = NULL;
	if (then != NULL)
		then(rig);
	if (rig->log.len > 0)
		buf_add_char(&rig->log, ' ');
	buf_add_str(&rig->log, str_of(one->rqi));
	buf_add_str(&rig->log, str_of(what));
	rig->heard++;
}

static void on_answer(struct exchange *x, const struct prim *answer)
{
	char what[32];

	snprintf(what, sizeof(what), "=%d", answer->rsc);
	note(container_of(x, struct one, x), what);
}

static void on_fail(struct exchange *x, int err, const char *why)
{
	char what[32];

	ck_assert_uint_gt(strlen(why), 0);
	snprintf(what, sizeof(what), "!%s",
		 err == ERR_PROTO  ? "PROTO" :
		 err == ERR_DENIED ? "DENIED" :
				     uv_err_name(err));
	note(container_of(x, struct one, x), what);
}

static const struct exchange_ops exchange_ops = {
	.on_answer = on_answer,
	.on_fail = on_fail,
};

static void on_tick(uv_timer_t *timer)
{
	struct rig *rig = timer->data;

	for (size_t i = 0; i < SERVERS; i++)
		server_tick(&rig->servers[i]);
	if (rig->heard >= rig->until)
		reactor_stop(rig->r);
}

static void rig_init(struct rig *rig)
{
	*rig = (struct rig){
		.conf = {
			.authorities = 2,
			.connections = 4,
			.connect_timeout_ms = 1000,
			.keepalive_ms = 60000,
			.max_waiting = 1 << 20,
			.max_answer = 200,
			.codec = { 64, 10000 },
		},
	};
	ck_assert_int_eq(reactor_create(&rig->r), 0);
	for (size_t i = 0; i < SERVERS; i++) {
		ck_assert_int_eq(server_listen(&rig->servers[i],
					       reactor_loop(rig->r),
					       "127.0.0.1"), 0);
		rig->servers[i].heard = &rig->heard;
	}
	ck_assert_int_eq(mca_client_create(&rig->c, rig->r, &rig->conf), 0);
	uv_timer_init(reactor_loop(rig->r), &rig->tick);
	rig->tick.data = rig;
	uv_timer_start(&rig->tick, on_tick, 1, 1);
}

static void rig_run(struct rig *rig, unsigned until)
{
	rig->until = until;
	reactor_run(rig->r);
}

static void rig_end(struct rig *rig)
{
	mca_client_destroy(rig->c);
	uv_close((uv_handle_t *)&rig->tick, NULL);
	for (size_t i = 0; i < SERVERS; i++)
		server_close(&rig->servers[i]);
	buf_deinit(&rig->log);
	buf_deinit(&rig->head);
	reactor_destroy(rig->r);
}

/* %N in rest is the port of server N. */
static void fill_url(char *out, size_t size, const struct rig *rig,
		     const char *url)
{
	const char *mark = strchr(url, '%');

	if (mark == NULL)
		snprintf(out, size, "%s", url);
	else
		snprintf(out, size, "%.*s%u%s", (int)(mark - url), url,
			 rig->servers[mark[1] - '0'].port, mark + 2);
}

static int submit(struct rig *rig, size_t nth, enum op op, const char *url,
		  bool exact, const char *to, const char **why)
{
	struct one *one = &rig->ones[nth];
	struct prim p = { 0 };
	char text[200];
	int err;

	fill_url(text, sizeof(text), rig, url);
	snprintf(one->rqi, sizeof(one->rqi), "q%u", (unsigned)nth);
	prim_reset(&p, PRIM_REQUEST);
	p.op = op;
	prim_set_str(&p, PARAM_RQI, str_of(one->rqi));
	prim_set_str(&p, PARAM_TO, str_of(to));
	prim_set_str(&p, PARAM_FR, STR("/id-in"));
	prim_set_str(&p, PARAM_RVI, STR("3"));
	if (op == OP_NOTIFY)
		p.content = STR("{\"m2m:sgn\":{}}");
	one->rig = rig;
	one->x.ops = &exchange_ops;
	err = mca_client_submit(rig->c, &one->x, str_of(text), exact, &p, why);
	ck_assert_int_eq(one->x.impl != NULL, err == 0);
	prim_deinit(&p);
	return err;
}

static void submit_ok(struct rig *rig, size_t nth, const char *url)
{
	const char *why = "";

	ck_assert_msg(submit(rig, nth, OP_NOTIFY, url, true, "x", &why) == 0,
		      "%s", why);
}

static void check_log(struct rig *rig, const char *want)
{
	buf_add_char(&rig->log, '\0');
	ck_assert_str_eq(rig->log.p, want);
}

#define OK							   \
	"HTTP/1.1 200 OK\r\nX-M2M-RI: %I\r\nX-M2M-RSC: 2000\r\n" \
	"Content-Length: 0\r\n\r\n"

/* ---- where a request goes ---- */

static const struct {
	const char *url;
	bool exact;
	const char *to;
	enum op op;
	const char *start;
} places[] = {
	{ "http://127.0.0.1:%0/r/k3", false, "Cx", OP_NOTIFY,
	  "POST /r/k3/Cx HTTP/1.1\r\nHost: 127.0.0.1:%0\r\n" },
	{ "http://127.0.0.1:%0/r/k3/", false, "/in/Cx", OP_NOTIFY,
	  "POST /r/k3/~/in/Cx HTTP/1.1\r\n" },
	{ "HTTP://127.0.0.1:%0", false, "/mn/cb/x", OP_RETRIEVE,
	  "GET /~/mn/cb/x HTTP/1.1\r\n" },
	{ "http://127.0.0.1:%0?a=1", false, "Cx", OP_NOTIFY,
	  "POST /Cx?a=1 HTTP/1.1\r\n" },
	{ "http://127.0.0.1:%0/n/", true, "Cx", OP_NOTIFY,
	  "POST /n/ HTTP/1.1\r\n" },
	{ "http://127.0.0.1:%0", true, "Cx", OP_NOTIFY, "POST / HTTP/1.1\r\n" },
	{ "http://127.0.0.1:%0?ct=json", true, "Cx", OP_NOTIFY,
	  "POST / HTTP/1.1\r\n" },
	{ "http://127.0.0.1:%0/n?ct=cbor&a=b&ctx&ct&c=d", true, "Cx",
	  OP_NOTIFY, "POST /n?a=b&ctx&c=d HTTP/1.1\r\n" },
};

static void keep_head(struct server *s, struct server_conn *conn)
{
	struct rig *rig = container_of(s, struct rig, servers[0]);

	buf_add_str(&rig->head, buf_str(&conn->in));
}

START_TEST(test_place)
{
	const struct step *const scripts[] = { SCRIPT(READ_HEAD, SAY(OK)) };
	const char *why = "";
	char start[200];
	struct rig rig;

	rig_init(&rig);
	rig.servers[0].scripts = scripts;
	rig.servers[0].count = 1;
	rig.servers[0].on_request = keep_head;
	ck_assert_msg(submit(&rig, 0, places[_i].op, places[_i].url,
			     places[_i].exact, places[_i].to, &why) == 0,
		      "%s: %s", places[_i].url, why);
	rig_run(&rig, 1);
	check_log(&rig, "q0=2000");
	fill_url(start, sizeof(start), &rig, places[_i].start);
	ck_assert_msg(str_starts(buf_str(&rig.head), str_of(start)),
		      "%s: %.*s", places[_i].url, (int)rig.head.len,
		      rig.head.p);
	rig_end(&rig);
}
END_TEST

static const struct {
	const char *url, *to;
	int err;
	const char *why;
} refusals[] = {
	{ "", "Cx", UV_EINVAL, "is no HTTP URL" },
	{ "mqtt://127.0.0.1/x", "Cx", UV_EINVAL, "is no HTTP URL" },
	{ "http://a@127.0.0.1/", "Cx", UV_EINVAL,
	  "must not hold a user or a password" },
	{ "http://127.0.0.1:x/", "Cx", UV_EINVAL,
	  "has no port from 1 to 65535" },
	{ "http://127.0.0.1/\r\nX: y", "Cx", UV_EINVAL,
	  "has a path with characters that must be percent-encoded" },
	{ "https://127.0.0.1/", "Cx", UV_EINVAL,
	  "https: is not available yet" },
	{ "http://127.0.0.1:%0/", "", ERR_PROTO, "to is empty" },
	{ "http://127.0.0.1:%0/", "a/../b", ERR_PROTO,
	  "to has a . or .. segment" },
};

START_TEST(test_refusal)
{
	const char *why = "";
	struct rig rig;

	rig_init(&rig);
	ck_assert_int_eq(submit(&rig, 0, OP_NOTIFY, refusals[_i].url, false,
				refusals[_i].to, &why), refusals[_i].err);
	ck_assert_str_eq(why, refusals[_i].why);
	ck_assert_uint_eq(rig.heard, 0);
	rig_end(&rig);
}
END_TEST

/* ---- where none goes ---- */

static const struct {
	const char *url;
	const char *deny;
	const char *heard;
} denials[] = {
	{ "http://127.0.0.1:%0/", "127.0.0.0/8", "q0!DENIED" },
	{ "http://127.0.0.1:%0/", "10.0.0.0/8", "q0=2000" },
	{ "http://127.0.0.1:%0/", "0.0.0.0/0", "q0!DENIED" },
	{ "http://2130706433:%0/", "127.0.0.1", "q0!DENIED" },
	{ "http://[::ffff:127.0.0.1]:%0/", "127.0.0.1", "q0!DENIED" },
	{ "http://[::ffff:127.0.0.1]:%0/", "::1", "q0=2000" },
	/* the other address of the name serves */
	{ "http://localhost:%0/", "::1", "q0=2000" },
	{ "http://localhost:%0/", "127.0.0.0/8", NULL },
};

/* Whether localhost has a second address depends on the machine. */
START_TEST(test_denied)
{
	const struct step *const scripts[] = { SCRIPT(READ, SAY(OK)) };
	struct addr_net net;
	struct rig rig;

	rig_init(&rig);
	rig.servers[0].scripts = scripts;
	rig.servers[0].count = 1;
	ck_assert_int_eq(addr_net_parse(&net, str_of(denials[_i].deny)), 0);
	rig.conf.deny = (struct addr_nets){ &net, 1 };
	submit_ok(&rig, 0, denials[_i].url);
	rig_run(&rig, 1);
	if (denials[_i].heard != NULL)
		check_log(&rig, denials[_i].heard);
	buf_add_char(&rig.log, '\0');
	ck_assert_uint_eq(rig.servers[0].accepted,
			  strstr(rig.log.p, "=2000") != NULL);
	rig_end(&rig);
}
END_TEST

/* ---- one pool for each authority ---- */

START_TEST(test_pools)
{
	const struct step *const good[] = { SCRIPT(READ, SAY(OK), AGAIN),
					    SCRIPT(READ, SAY(OK)) };
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i < SERVERS; i++) {
		rig.servers[i].scripts = good;
		rig.servers[i].count = ARRAY_LEN(good);
	}
	submit_ok(&rig, 0, "http://127.0.0.1:%0/a");
	rig_run(&rig, 1);
	submit_ok(&rig, 1, "http://127.0.0.1:%1/b");
	rig_run(&rig, 2);
	submit_ok(&rig, 0, "http://127.0.0.1:%0/c?x");
	rig_run(&rig, 3);
	ck_assert_uint_eq(rig.servers[0].accepted, 1);
	/* server 1, used longest ago, makes room */
	submit_ok(&rig, 2, "http://127.0.0.1:%2/");
	rig_run(&rig, 4);
	submit_ok(&rig, 0, "http://127.0.0.1:%0/");
	rig_run(&rig, 5);
	ck_assert_uint_eq(rig.servers[0].accepted, 1);
	submit_ok(&rig, 1, "http://127.0.0.1:%1/");
	rig_run(&rig, 6);
	ck_assert_uint_eq(rig.servers[1].accepted, 2);
	check_log(&rig, "q0=2000 q1=2000 q0=2000 q2=2000 q0=2000 q1=2000");
	rig_end(&rig);
}
END_TEST

/* Host and port in any spelling are one server. */
START_TEST(test_one_server)
{
	const struct step *const good[] = {
		SCRIPT(READ, SAY(OK), READ, SAY(OK), READ, SAY(OK)),
	};
	struct rig rig;

	rig_init(&rig);
	rig.servers[0].scripts = good;
	rig.servers[0].count = 1;
	submit_ok(&rig, 0, "http://localhost:%0/");
	rig_run(&rig, 1);
	submit_ok(&rig, 1, "HTTP://LOCALHOST:%0");
	rig_run(&rig, 2);
	submit_ok(&rig, 2, "http://LocalHost:%0/x?y");
	rig_run(&rig, 3);
	check_log(&rig, "q0=2000 q1=2000 q2=2000");
	ck_assert_uint_eq(rig.servers[0].accepted, 1);
	rig_end(&rig);
}
END_TEST

/* Two servers that never answer hold both places. */
static void fill_places(struct rig *rig, const struct step *const silent[2],
			const struct step *const good[2])
{
	rig_init(rig);
	for (size_t i = 0; i < SERVERS; i++) {
		rig->servers[i].scripts = i < 2 ? silent : good;
		rig->servers[i].count = 2;
	}
	submit_ok(rig, 0, "http://127.0.0.1:%0/");
	submit_ok(rig, 1, "http://127.0.0.1:%1/");
}

START_TEST(test_all_busy)
{
	const struct step *const silent[] = { SCRIPT(READ), SCRIPT(READ) };
	const struct step *const good[] = { SCRIPT(READ, SAY(OK)),
					    SCRIPT(READ, SAY(OK)) };
	struct rig rig;

	fill_places(&rig, silent, good);
	submit_ok(&rig, 3, "http://127.0.0.1:%1/");
	/* server 0, asked longest ago, makes room */
	submit_ok(&rig, 2, "http://127.0.0.1:%2/");
	rig_run(&rig, 2);
	ck_assert(rig.ones[0].x.impl == NULL && rig.ones[2].x.impl == NULL);
	ck_assert_ptr_nonnull(rig.ones[1].x.impl);
	ck_assert_ptr_nonnull(rig.ones[3].x.impl);
	/* it asks again, and takes the place of who idles */
	submit_ok(&rig, 0, "http://127.0.0.1:%0/");
	submit_ok(&rig, 2, "http://127.0.0.1:%2/");
	rig_run(&rig, 5);
	ck_assert_ptr_nonnull(rig.ones[0].x.impl);
	ck_assert(rig.ones[1].x.impl == NULL && rig.ones[3].x.impl == NULL);
	buf_add_char(&rig.log, '\0');
	ck_assert_ptr_nonnull(strstr(rig.log.p, "q0!ECANCELED"));
	ck_assert_ptr_nonnull(strstr(rig.log.p, "q1!ECANCELED"));
	ck_assert_ptr_nonnull(strstr(rig.log.p, "q3!ECANCELED"));
	rig_end(&rig);
}
END_TEST

static void destroy_client(struct rig *rig)
{
	mca_client_destroy(rig->c);
	rig->c = NULL;
}

static void cancel_others(struct rig *rig)
{
	mca_client_cancel(rig->c, &rig->ones[0].x);
	mca_client_cancel(rig->c, &rig->ones[3].x);
	mca_client_cancel(rig->c, &rig->ones[4].x);
}

static const struct {
	void (*then)(struct rig *rig);
	unsigned until;
} displacings[] = {
	{ destroy_client, 1 },
	{ cancel_others, 2 },
	{ NULL, 4 },
};

/* What those do who hear that they lost their place. */
START_TEST(test_displaced)
{
	const struct step *const silent[] = { SCRIPT(READ), SCRIPT(READ) };
	const struct step *const good[] = { SCRIPT(READ, SAY(OK)),
					    SCRIPT(READ, SAY(OK)) };
	struct rig rig;

	fill_places(&rig, silent, good);
	submit_ok(&rig, 3, "http://127.0.0.1:%0/");
	submit_ok(&rig, 4, "http://127.0.0.1:%0/");
	submit_ok(&rig, 5, "http://127.0.0.1:%1/");
	rig.then = displacings[_i].then;
	submit_ok(&rig, 2, "http://127.0.0.1:%2/");
	rig_run(&rig, displacings[_i].until);
	rig_end(&rig);
}
END_TEST

/* ---- what becomes of exchanges ---- */

/* A server that closed a kept connection: who hears it twice is not harmed. */
START_TEST(test_repeat)
{
	const struct step *const scripts[] = {
		SCRIPT(READ, SAY(OK), READ, RST),
		SCRIPT(READ, SAY(OK), READ, RST),
	};
	const char *why;
	struct rig rig;

	rig_init(&rig);
	rig.servers[0].scripts = scripts;
	rig.servers[0].count = ARRAY_LEN(scripts);
	submit_ok(&rig, 0, "http://127.0.0.1:%0/");
	rig_run(&rig, 1);
	submit_ok(&rig, 1, "http://127.0.0.1:%0/");
	rig_run(&rig, 2);
	ck_assert_int_eq(submit(&rig, 2, OP_DELETE, "http://127.0.0.1:%0/",
				false, "x", &why), 0);
	rig_run(&rig, 3);
	check_log(&rig, "q0=2000 q1=2000 q2!ECONNRESET");
	rig_end(&rig);
}
END_TEST

START_TEST(test_cancel)
{
	const struct step *const scripts[] = { SCRIPT(READ),
					       SCRIPT(READ, SAY(OK)) };
	struct rig rig;

	rig_init(&rig);
	rig.conf.connections = 1;
	rig.servers[0].scripts = scripts;
	rig.servers[0].count = ARRAY_LEN(scripts);
	mca_client_cancel(rig.c, &rig.ones[0].x);
	for (size_t i = 0; i < 3; i++)
		submit_ok(&rig, i, "http://127.0.0.1:%0/");
	while (rig.servers[0].requests == 0)
		rig_run(&rig, 0);
	mca_client_cancel(rig.c, &rig.ones[0].x);
	mca_client_cancel(rig.c, &rig.ones[1].x);
	ck_assert_ptr_null(rig.ones[1].x.impl);
	rig_run(&rig, 1);
	check_log(&rig, "q2=2000");
	/* all are told: the place is free again */
	submit_ok(&rig, 1, "http://127.0.0.1:%1/");
	submit_ok(&rig, 2, "http://127.0.0.1:%2/");
	rig_end(&rig);
}
END_TEST

/* Its own pool is the one that idles longest. */
static void submit_elsewhere(struct rig *rig)
{
	submit_ok(rig, 1, "http://127.0.0.1:%1/");
	submit_ok(rig, 2, "http://127.0.0.1:%2/");
}

static const struct {
	void (*then)(struct rig *rig);
	bool refused;
	unsigned until;
	const char *heard;
} reentries[] = {
	{ destroy_client, false, 1, "q0=2000" },
	{ destroy_client, true, 1, "q0!ECONNREFUSED" },
	{ submit_elsewhere, false, 3, "q0=2000 q1=2000 q2=2000" },
	{ submit_elsewhere, true, 3, "q0!ECONNREFUSED q1=2000 q2=2000" },
};

START_TEST(test_reentry)
{
	const struct step *const good[] = { SCRIPT(READ, SAY(OK), FIN) };
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i < SERVERS; i++) {
		rig.servers[i].scripts = good;
		rig.servers[i].count = 1;
	}
	rig.then = reentries[_i].then;
	if (reentries[_i].refused)
		server_stop_listening(&rig.servers[0]);
	submit_ok(&rig, 0, "http://127.0.0.1:%0/");
	rig_run(&rig, reentries[_i].until);
	if (reentries[_i].until == 1)
		check_log(&rig, reentries[_i].heard);
	rig_end(&rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mca_client");
	TCase *tc = tcase_create("mca_client");

	tcase_add_loop_test(tc, test_place, 0, ARRAY_LEN(places));
	tcase_add_loop_test(tc, test_refusal, 0, ARRAY_LEN(refusals));
	tcase_add_loop_test(tc, test_denied, 0, ARRAY_LEN(denials));
	tcase_add_test(tc, test_pools);
	tcase_add_test(tc, test_one_server);
	tcase_add_test(tc, test_all_busy);
	tcase_add_loop_test(tc, test_displaced, 0, ARRAY_LEN(displacings));
	tcase_add_test(tc, test_repeat);
	tcase_add_test(tc, test_cancel);
	tcase_add_loop_test(tc, test_reentry, 0, ARRAY_LEN(reentries));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
