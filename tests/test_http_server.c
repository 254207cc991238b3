#include "unit.h"

#include "http/http_server.h"
#include "net/addr.h"
#include "net/listener.h"

#define OCTETS(s) STR_INIT(s)
#define MAX_QUEUE 8192
#define NEVER_MS  600000
#define NONE      { NULL, 0 }

#define H "Host: h\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" H "\r\n"
#define X4(s)   s s s s
#define X256(s) X4(X4(X4(X4(s))))
#define CLOSED(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n" \
		       "Connection: close\r\n\r\n"

/*
 * What a peer sends, and `then` once something came back; what the owner
 * hears; what goes back. A heard text that ends in a full stop: the server
 * ends the connection, else the peer does when it has got all of `out`. The
 * owner does what the path says (requests[] below).
 */
static const struct script {
	const char *name;
	struct str in;
	struct str then;
	const char *heard;
	struct str out;
	uint64_t head_ms, idle_ms;	/* 0: never */
	bool whole;			/* sent in one piece only */
} scripts[] = {
	{ "answered at once", OCTETS(GET("/now")), NONE,
	  "/now;", OCTETS("[/now]"), 0, 0, false },
	{ "answered later", OCTETS(GET("/later")), NONE,
	  "/later;", OCTETS("[/later]"), 0, 0, false },
	{ "with a body",
	  OCTETS("POST /now HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}"),
	  NONE, "/now{};", OCTETS("[/now]"), 0, 0, false },
	{ "pipelined, answered at once",
	  OCTETS(GET("/now") GET("/now") GET("/status")), NONE,
	  "/now;/now;/status;",
	  OCTETS("[/now][/now]HTTP/1.1 404 Not Found\r\nX: y\r\n"
		 "Content-Length: 0\r\n\r\n"), 0, 0, false },
	{ "pipelined, answered later",
	  OCTETS(GET("/later") GET("/now") GET("/later") GET("/now")), NONE,
	  "/later;/now;/later;/now;",
	  OCTETS("[/later][/now][/later][/now]"), 0, 0, false },
	{ "many wait", OCTETS(GET("/later") X256(GET("/now"))), NONE,
	  "/later;" X256("/now;"), OCTETS("[/later]" X256("[/now]")),
	  0, 0, false },
	{ "one after the other", OCTETS(GET("/later")), OCTETS(GET("/now")),
	  "/later;/now;", OCTETS("[/later][/now]"), 0, 0, false },
	{ "no content has no length", OCTETS(GET("/204")), NONE, "/204;",
	  OCTETS("HTTP/1.1 204 No Content\r\n\r\n"), 0, 0, false },

	{ "the owner closes at once",
	  OCTETS(GET("/close") GET("/now")), NONE, "/close;end 0.",
	  OCTETS("[/close]"), 0, 0, false },
	{ "the owner closes later",
	  OCTETS(GET("/later-close") GET("/now")), NONE,
	  "/later-close;end 0.", OCTETS("[/later-close]"), 0, 0, false },
	{ "the owner closes with a status", OCTETS(GET("/status-close")), NONE,
	  "/status-close;end 0.", OCTETS(CLOSED("404 Not Found")),
	  0, 0, false },
	{ "the peer asked to close",
	  OCTETS("GET /now HTTP/1.1\r\n" H "Connection: close\r\n\r\n"
		 GET("/now")), NONE, "/now;end 0.", OCTETS("[/now]"), 0, 0, false },
	{ "and is told so",
	  OCTETS("GET /status HTTP/1.1\r\n" H "Connection: close\r\n\r\n"),
	  NONE, "/status;end 0.",
	  OCTETS("HTTP/1.1 404 Not Found\r\nX: y\r\nContent-Length: 0\r\n"
		 "Connection: close\r\n\r\n"), 0, 0, false },
	{ "HTTP/1.0 closes", OCTETS("GET /now HTTP/1.0\r\n\r\n"), NONE,
	  "/now;end 0.", OCTETS("[/now]"), 0, 0, false },
	{ "HTTP/1.0 keeps alive",
	  OCTETS("GET /status HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
	  OCTETS(GET("/now")), "/status;/now;",
	  OCTETS("HTTP/1.1 404 Not Found\r\nX: y\r\nContent-Length: 0\r\n"
		 "Connection: keep-alive\r\n\r\n[/now]"), 0, 0, false },

	{ "100-continue",
	  OCTETS("POST /now HTTP/1.1\r\n" H "Content-Length: 1\r\n"
		 "Expect: 100-continue\r\n\r\n"), OCTETS("x"),
	  "/nowx;", OCTETS("HTTP/1.1 100 Continue\r\n\r\n[/now]"), 0, 0, false },

	{ "not HTTP", OCTETS("\x16\x03\x01"), NONE, "end 400.",
	  OCTETS(CLOSED("400 Bad Request")), 0, 0, false },
	{ "two Hosts", OCTETS("GET /now HTTP/1.1\r\n" H H "\r\n"), NONE,
	  "end 400.", OCTETS(CLOSED("400 Bad Request")), 0, 0, false },
	{ "HTTP/2", OCTETS("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), NONE,
	  "end 505.", OCTETS(CLOSED("505 HTTP Version Not Supported")), 0, 0, false },
	{ "body too large",
	  OCTETS("POST /now HTTP/1.1\r\n" H "Content-Length: 999\r\n\r\nxxx"),
	  NONE, "end 413.", OCTETS(CLOSED("413 Content Too Large")), 0, 0, false },
	{ "a bad one behind a good one",
	  OCTETS(GET("/now") "GET * HTTP/1.1\r\n" H "\r\n"), NONE,
	  "/now;end 400.", OCTETS("[/now]" CLOSED("400 Bad Request")), 0, 0, false },
	{ "a bad one behind one that is being answered",
	  OCTETS(GET("/later") "GET * HTTP/1.1\r\n" H "\r\n"), NONE,
	  "/later;end 400.",
	  OCTETS("[/later]" CLOSED("400 Bad Request")), 0, 0, false },

	{ "nothing comes", NONE, NONE, "end 408.",
	  OCTETS(CLOSED("408 Request Timeout")), 1, 0, false },
	{ "half a head", OCTETS("GET /now HT"), NONE, "end 408.",
	  OCTETS(CLOSED("408 Request Timeout")), 1, 0, false },
	{ "no second request", OCTETS(GET("/now")), NONE, "/now;end 0.",
	  OCTETS("[/now]"), 0, 1, false },
	{ "empty lines are no second request", OCTETS(GET("/now")),
	  OCTETS("\r\n\r\n"), "/now;end 0.", OCTETS("[/now]"), 0, 1, false },
	{ "half a second request", OCTETS(GET("/now-quick")),
	  OCTETS("GET"), "/now-quick;end 408.",
	  OCTETS("[/now-quick]" CLOSED("408 Request Timeout")), 0, 0, false },

	{ "the owner destroys at once", OCTETS(GET("/destroy") GET("/now")),
	  NONE, "/destroy;destroyed.", OCTETS(""), 0, 0, false },
	{ "the status is above max_queue", OCTETS(GET("/big-status")), NONE,
	  "/big-status;ERR_LIMIT;destroyed.", OCTETS(""), 0, 0, false },
	{ "the owner answers and destroys", OCTETS(GET("/answer-destroy")),
	  NONE, "/answer-destroy;destroyed.", OCTETS("[/answer-destroy]"),
	  0, 0, false },
	{ "the answer is above max_queue", OCTETS(GET("/big")), NONE,
	  "/big;ERR_LIMIT;destroyed.", OCTETS(""), 0, 0, false },
	{ "the stream is given away", OCTETS(GET("/give")), NONE,
	  "/give;given.", OCTETS("[given]"), 0, 0, false },
	{ "with what came behind", OCTETS(GET("/now") GET("/give") "\x81"),
	  NONE, "/now;/give;given\x81.", OCTETS("[/now][given]"), 0, 0, true },
	{ "with what had to wait", OCTETS(GET("/later") GET("/give") "\x81"),
	  NONE, "/later;/give;given\x81.", OCTETS("[/later][given]"), 0, 0, true },
	{ "later", OCTETS(GET("/give-later")), NONE, "/give-later;given.",
	  OCTETS("[given]"), 0, 0, false },
	{ "later, with what came behind", OCTETS(GET("/give-later") "\x81"),
	  NONE, "/give-later;given\x81.", OCTETS("[given]"), 0, 0, true },
	{ "later, with what had to wait",
	  OCTETS(GET("/later") GET("/give-later") "\x81"), NONE,
	  "/later;/give-later;given\x81.", OCTETS("[/later][given]"), 0, 0,
	  true },
};

struct scene {
	struct reactor *reactor;
	struct listener *listener;
	struct http_server_conf conf;
	struct timeout later;
	bool later_closes, later_gives;

	struct http_server *server;	/* NULL: not yet, or destroyed */
	bool over;			/* destroyed */
	int fd;				/* the peer's end */
	bool ended;			/* the peer saw the end */
	struct buf heard;
	struct buf out;
};

static void hear(struct scene *c, struct str what)
{
	buf_add_str(&c->heard, what);
}

static void drop_server(struct scene *c)
{
	reactor_disarm(c->reactor, &c->later);
	http_server_destroy(c->server);
	c->server = NULL;
	c->over = true;
}

static void answer(struct scene *c, struct str target, bool close)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "[%.*s]", (int)target.len,
			 target.p);

	ck_assert_int_eq(http_server_respond(c->server,
					     (struct str){ text, (size_t)n },
					     close), 0);
}

static void do_now(struct scene *c, struct str target)
{
	answer(c, target, false);
}

static void do_now_quick(struct scene *c, struct str target)
{
	answer(c, target, false);
	c->conf.head_timeout_ms = 1;
}

static void do_close(struct scene *c, struct str target)
{
	answer(c, target, true);
}

static void do_give(struct scene *c, struct str target)
{
	struct str rest;
	struct stream *stream = http_server_give_stream(c->server, &rest);

	(void)target;
	hear(c, STR("given"));
	hear(c, rest);		/* good until the server is destroyed */
	hear(c, STR("."));
	drop_server(c);
	ck_assert_int_eq(stream_write(stream, STR("[given]")), 0);
	stream_release(stream);
}

static void on_later(struct timeout *t)
{
	struct scene *c = container_of(t, struct scene, later);

	if (c->later_gives)
		do_give(c, STR("/give-later"));
	else if (c->later_closes)
		answer(c, STR("/later-close"), true);
	else
		answer(c, STR("/later"), false);
}

static void do_later(struct scene *c, struct str target)
{
	(void)target;
	reactor_arm(c->reactor, &c->later, 0);
}

static void do_later_close(struct scene *c, struct str target)
{
	c->later_closes = true;
	do_later(c, target);
}

static void do_give_later(struct scene *c, struct str target)
{
	c->later_gives = true;
	do_later(c, target);
}

static void do_never(struct scene *c, struct str target)
{
	(void)c;
	(void)target;
}

static void do_status(struct scene *c, struct str target)
{
	(void)target;
	ck_assert_int_eq(http_server_respond_status(c->server, 404,
						    STR("X: y\r\n"), false),
			 0);
}

static void do_status_close(struct scene *c, struct str target)
{
	(void)target;
	ck_assert_int_eq(http_server_respond_status(c->server, 404, STR(""),
						    true), 0);
}

static void do_204(struct scene *c, struct str target)
{
	(void)target;
	ck_assert_int_eq(http_server_respond_status(c->server, 204,
						    STR(""), false), 0);
}

static void do_destroy(struct scene *c, struct str target)
{
	(void)target;
	hear(c, STR("destroyed."));
	drop_server(c);
}

static void do_answer_destroy(struct scene *c, struct str target)
{
	answer(c, target, false);
	do_destroy(c, target);
}

static void do_big(struct scene *c, struct str target)
{
	static const char big[MAX_QUEUE + 1];

	if (http_server_respond(c->server, (struct str){ big, sizeof(big) },
				false) == ERR_LIMIT)
		hear(c, STR("ERR_LIMIT;"));
	do_destroy(c, target);
}

static void do_big_status(struct scene *c, struct str target)
{
	static const char big[MAX_QUEUE];

	if (http_server_respond_status(c->server, 404,
				       (struct str){ big, sizeof(big) },
				       false) == ERR_LIMIT)
		hear(c, STR("ERR_LIMIT;"));
	do_destroy(c, target);
}

static const struct {
	struct str target;
	void (*act)(struct scene *c, struct str target);
} requests[] = {
	{ STR_INIT("/now"), do_now },
	{ STR_INIT("/now-quick"), do_now_quick },
	{ STR_INIT("/later"), do_later },
	{ STR_INIT("/never"), do_never },
	{ STR_INIT("/status"), do_status },
	{ STR_INIT("/status-close"), do_status_close },
	{ STR_INIT("/204"), do_204 },
	{ STR_INIT("/close"), do_close },
	{ STR_INIT("/later-close"), do_later_close },
	{ STR_INIT("/destroy"), do_destroy },
	{ STR_INIT("/answer-destroy"), do_answer_destroy },
	{ STR_INIT("/big"), do_big },
	{ STR_INIT("/big-status"), do_big_status },
	{ STR_INIT("/give"), do_give },
	{ STR_INIT("/give-later"), do_give_later },
};

static void on_request(void *owner, const struct http_msg *req)
{
	struct scene *c = owner;

	hear(c, req->target);
	hear(c, req->body);
	hear(c, STR(";"));
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		if (!str_eq(requests[i].target, req->target))
			continue;
		requests[i].act(c, requests[i].target);
		return;
	}
	ck_abort_msg("no such request");
}

static void on_end(void *owner, int status)
{
	struct scene *c = owner;

	hear(c, STR("end "));
	buf_add_u64(&c->heard, (uint64_t)status);
	hear(c, STR("."));
	drop_server(c);
}

static const struct http_server_ops server_ops = {
	.on_request = on_request,
	.on_end = on_end,
};

static void on_connection(void *owner, int fd)
{
	struct scene *c = owner;
	struct stream *stream;

	ck_assert_int_eq(stream_accept(&stream, c->reactor, fd, MAX_QUEUE,
				       NULL, NULL), 0);
	ck_assert_int_eq(http_server_create(&c->server, stream, &c->conf,
					    &server_ops, c), 0);
}

static void scene_init(struct scene *c, const struct script *s)
{
	static const struct listener_ops ops = {
		.on_connection = on_connection,
	};
	struct sockaddr_storage addr;

	*c = (struct scene){
		.conf = {
			.limits = { 256, 8, 64 },
			.head_timeout_ms = NEVER_MS,
			.idle_timeout_ms = NEVER_MS,
		},
		.later = { .on_timeout = on_later },
	};
	if (s->head_ms > 0)
		c->conf.head_timeout_ms = s->head_ms;
	if (s->idle_ms > 0)
		c->conf.idle_timeout_ms = s->idle_ms;
	ck_assert_int_eq(reactor_create(&c->reactor), 0);
	ck_assert_int_eq(addr_parse(&addr, STR("127.0.0.1:0")), 0);
	ck_assert_int_eq(listener_create(&c->listener, c->reactor,
					 (struct sockaddr *)&addr, false, &ops,
					 c),
			 0);
	c->fd = unit_connect(listener_port(c->listener));
}

static void scene_deinit(struct scene *c)
{
	close(c->fd);
	if (c->server != NULL)
		drop_server(c);
	listener_destroy(c->listener);
	reactor_destroy(c->reactor);
	buf_deinit(&c->heard);
	buf_deinit(&c->out);
}

/* One loop turn, which waits for an event when there is nothing to send. */
static void turn(struct scene *c, bool wait)
{
	uv_run(reactor_loop(c->reactor), wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	if (!c->ended)
		c->ended = unit_drain(c->fd, &c->out);
}

static struct str send_some(struct scene *c, struct str octets, size_t step)
{
	size_t n = octets.len < step ? octets.len : step;

	unit_send(c->fd, (struct str){ octets.p, n });
	return str_skip(octets, n);
}

static bool is_done(const struct scene *c, const struct script *s)
{
	if (s->heard[strlen(s->heard) - 1] == '.')
		return c->over && c->ended;
	return c->out.len >= s->out.len;
}

static void play(const struct script *s, size_t step)
{
	struct str in = s->in, then = s->then;
	struct scene c;

	scene_init(&c, s);
	while (!is_done(&c, s)) {
		if (in.len == 0 && c.out.len > 0) {
			in = then;
			then.len = 0;
		}
		in = send_some(&c, in, step);
		turn(&c, in.len == 0);
		if (c.over && !c.ended)
			shutdown(c.fd, SHUT_WR);	/* it lingers for us */
	}
	ck_assert_msg(str_eq(buf_str(&c.heard), str_of(s->heard)),
		      "%s, by %zu: heard %.*s", s->name, step,
		      (int)c.heard.len, c.heard.p);
	ck_assert_msg(str_eq(buf_str(&c.out), s->out), "%s, by %zu: got %.*s",
		      s->name, step, (int)c.out.len, c.out.p);
	scene_deinit(&c);
}

START_TEST(test_script)
{
	play(&scripts[_i], SIZE_MAX);
	if (!scripts[_i].whole)
		play(&scripts[_i], 1);
}
END_TEST

/* Wherever the peer goes away, the owner hears of one end and can destroy. */
START_TEST(test_peer_gone)
{
	const struct script *s = &scripts[_i];

	for (size_t len = 0; len <= s->in.len && len < 200; len++) {
		struct scene c;

		scene_init(&c, s);
		send_some(&c, s->in, len);
		close(c.fd);
		c.ended = true;
		while (!c.over)
			turn(&c, true);
		c.fd = -1;
		scene_deinit(&c);
	}
}
END_TEST

/* A peer that pipelines without end is cut off, not buffered. */
START_TEST(test_pending_bounded)
{
	static const struct script none = { .name = "pipelining" };
	struct str request = STR(GET("/never"));
	struct scene c;

	scene_init(&c, &none);
	while (!c.over) {
		unit_send(c.fd, request);
		turn(&c, false);
	}
	ck_assert(str_eq(buf_str(&c.heard), STR("/never;end 0.")));
	scene_deinit(&c);
	http_server_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_server");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_script, 0, ARRAY_LEN(scripts));
	tcase_add_loop_test(tc, test_peer_gone, 0, ARRAY_LEN(scripts));
	tcase_add_test(tc, test_pending_bounded);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
