#include "http/http_client.h"

#include <stdio.h>

#include "scripted_server.h"
#include "unit.h"

/*
 * Nobody ever hears another's answer: a thousand calls, some of them
 * cancelled, against a server that errs in every way it can think of.
 */
#define CALLS	 1000
#define PARALLEL 24

struct storm;

struct storm_call {
	struct http_call call;
	struct storm *storm;
	char id[8];
	bool pending;
};

struct storm {
	struct reactor *r;
	struct http_client *c;
	struct server server;
	uv_timer_t tick;
	uint32_t seed;
	unsigned sent, heard, good;
	struct storm_call calls[PARALLEL];
};

static uint32_t dice(struct storm *st, uint32_t n)
{
	st->seed = st->seed * 1664525 + 1013904223;
	return (st->seed >> 8) % n;
}

#define STORM_HEAD(id, len) "HTTP/1.1 200 OK\r\nX-M2M-RI: " id "\r\n" len "\r\n"
#define STORM_ANSWER	    STORM_HEAD("%I", "Content-Length: 6\r\n") "<%I>"
#define STORM_OLD	    STORM_HEAD("%P", "Content-Length: 6\r\n") "<%P>"

/* Each is appended to the script of the connection once its request is in. */
static const struct step *const moods[] = {
	SCRIPT(SAY(STORM_ANSWER), READ),
	SCRIPT(SAY(STORM_ANSWER), READ),
	SCRIPT(SAY(STORM_ANSWER), READ),
	SCRIPT(SAY(STORM_ANSWER), READ),
	SCRIPT(DRIP(STORM_ANSWER), READ),
	SCRIPT(SAY(STORM_ANSWER), SAY(STORM_ANSWER), READ),
	SCRIPT(SAY(STORM_ANSWER "\r\n"), READ),
	SCRIPT(SAY(STORM_OLD), SAY(STORM_ANSWER), READ),
	SCRIPT(SAY(STORM_ANSWER), READ, SAY(STORM_OLD), SAY(STORM_ANSWER),
	       READ),
	SCRIPT(SAY(STORM_ANSWER), READ, SAY(STORM_OLD STORM_ANSWER), READ),
	SCRIPT(SAY(STORM_ANSWER), FIN),
	SCRIPT(SAY(STORM_ANSWER), READ, FIN),
	SCRIPT(SAY(STORM_ANSWER), READ, RST),
	SCRIPT(FIN),
	SCRIPT(RST),
	SCRIPT(SAY("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<%I>"), FIN),
	SCRIPT(SAY(STORM_HEAD("%I", "") "<%I>"), FIN),
	SCRIPT(SAY(STORM_HEAD("%I", "Transfer-Encoding: chunked\r\n")
		   "6\r\n<%I>\r\n0\r\n\r\n"), READ),
	SCRIPT(SAY(STORM_HEAD("other", "Content-Length: 6\r\n") "<%I>"), READ),
	SCRIPT(SAY("garbage\r\n\r\n")),
	SCRIPT(SAY("HTTP/1.1 100 Continue\r\n\r\n" STORM_ANSWER), READ),
};

static void storm_on_request(struct server *s, struct server_conn *conn)
{
	struct storm *st = container_of(s, struct storm, server);
	enum act next = conn->at[1].act;

	/* inside of a mood the request is already planned for */
	if (next != ACT_END)
		return;
	conn->script = moods[dice(st, ARRAY_LEN(moods))];
	conn->at = conn->script - 1;
}

static void storm_send(struct storm *st, struct storm_call *sc);

static void storm_on_response(struct http_call *call,
			      const struct http_msg *msg)
{
	struct storm_call *sc = container_of(call, struct storm_call, call);
	struct storm *st = sc->storm;
	char want[16];
	int len = snprintf(want, sizeof(want), "<%s>", sc->id);

	ck_assert(sc->pending);
	sc->pending = false;
	ck_assert_msg(str_eq(msg->body, (struct str){ want, (size_t)len }),
		      "%s heard %.*s", sc->id, (int)msg->body.len,
		      msg->body.p);
	st->heard++;
	st->good++;
	storm_send(st, sc);
}

static void storm_on_fail(struct http_call *call, int err)
{
	struct storm_call *sc = container_of(call, struct storm_call, call);

	ck_assert_int_ne(err, 0);
	ck_assert(sc->pending);
	sc->pending = false;
	sc->storm->heard++;
	storm_send(sc->storm, sc);
}

static const struct http_call_ops storm_ops = {
	.on_response = storm_on_response,
	.on_fail = storm_on_fail,
};

static void storm_send(struct storm *st, struct storm_call *sc)
{
	bool repeatable = dice(st, 2) == 0;
	char head[160];

	if (st->sent == CALLS)
		return;
	snprintf(sc->id, sizeof(sc->id), "%04u", st->sent++);
	snprintf(head, sizeof(head),
		 "GET / HTTP/1.1\r\nHost: cse\r\nX-M2M-RI: %s\r\n\r\n",
		 sc->id);
	sc->call.echo = str_of(sc->id);
	sc->pending = true;
	ck_assert_int_eq(http_client_send(st->c, &sc->call, str_of(head),
					  (struct str){ NULL, 0 },
					  repeatable), 0);
}

static void storm_cancel(struct storm *st, struct storm_call *sc)
{
	if (!sc->pending)
		return;
	http_client_cancel(st->c, &sc->call);
	sc->pending = false;
	st->heard++;
	storm_send(st, sc);
}

static void storm_tick(uv_timer_t *timer)
{
	struct storm *st = timer->data;

	server_tick(&st->server);
	if (dice(st, 20) == 0)
		storm_cancel(st, &st->calls[dice(st, PARALLEL)]);
	/* a mood may leave a connection without a word: nobody else would
	 * end it */
	if (st->sent == CALLS || dice(st, 200) == 0)
		for (size_t i = 0; i < PARALLEL; i++)
			storm_cancel(st, &st->calls[i]);
	if (st->heard == CALLS)
		reactor_stop(st->r);
}

START_TEST(test_storm)
{
	static const struct step hello[] = { READ, { ACT_END, NULL, 0 } };
	const struct step *scripts[2000];
	struct http_client_conf conf = {
		.host = "127.0.0.1",
		.connections = 8,
		.connect_timeout_ms = 1000,
		.keepalive_ms = 60000,
		.max_waiting = 1 << 20,
		.echo_header = "X-M2M-RI",
		.limits = { 500, 20, 100 },
	};
	struct storm st = { .seed = (uint32_t)_i + 1 };

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		scripts[i] = hello;
	ck_assert_int_eq(reactor_create(&st.r), 0);
	ck_assert_int_eq(server_listen(&st.server, reactor_loop(st.r),
				       "127.0.0.1"), 0);
	st.server.scripts = scripts;
	st.server.count = ARRAY_LEN(scripts);
	st.server.on_request = storm_on_request;
	conf.port = st.server.port;
	ck_assert_int_eq(http_client_create(&st.c, st.r, &conf), 0);
	for (size_t i = 0; i < PARALLEL; i++) {
		st.calls[i].storm = &st;
		st.calls[i].call.ops = &storm_ops;
		storm_send(&st, &st.calls[i]);
	}
	uv_timer_init(reactor_loop(st.r), &st.tick);
	st.tick.data = &st;
	uv_timer_start(&st.tick, storm_tick, 1, 1);
	reactor_run(st.r);
	uv_close((uv_handle_t *)&st.tick, NULL);
	ck_assert_uint_gt(st.good, CALLS / 3);
	ck_assert_uint_gt(http_client_counters(st.c)->retried, 0);
	ck_assert_uint_gt(http_client_counters(st.c)->poisoned, 0);
	http_client_destroy(st.c);
	for (size_t i = 0; i < PARALLEL; i++)
		http_call_deinit(&st.calls[i].call);
	server_close(&st.server);
	reactor_destroy(st.r);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_client_storm");
	TCase *tc = tcase_create("storm");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_storm, 0, 4);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
