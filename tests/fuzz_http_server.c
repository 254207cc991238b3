/*
 * The server's side of a connection. The first octet cuts the rest into
 * pieces: whole and in pieces the owner must hear the same requests, and the
 * peer the same answers. What the owner does with a request is the first
 * letter of its path: answers later, closes, destroys, or takes the stream.
 */
#include "http/http_server.h"
#include "http_fuzz.h"
#include "unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define NEVER_MS 600000

static const struct http_server_conf conf = {
	.limits = { 512, 16, 128 },
	.head_timeout_ms = NEVER_MS,
	.idle_timeout_ms = NEVER_MS,
};

struct scene {
	struct reactor *reactor;
	struct http_server *server;	/* NULL: destroyed */
	struct stream *given;		/* ours since an upgrade */
	bool owes;			/* an answer, after this turn */
	int fd;				/* the peer's end */
	struct buf heard, out;
};

static void drop_server(struct scene *c)
{
	c->owes = false;
	http_server_destroy(c->server);
	c->server = NULL;
}

static void drop_given(struct scene *c)
{
	stream_destroy(c->given);
	c->given = NULL;
}

static void answer(struct scene *c, bool close)
{
	if (http_server_respond_status(c->server, 200, STR("A: b\r\n"),
				       close) != 0)
		drop_server(c);
}

static void on_given_data(void *owner, const char *data, size_t len)
{
	struct scene *c = owner;

	buf_add(&c->heard, data, len);
}

static void on_given_end(void *owner, int err)
{
	(void)err;
	drop_given(owner);
}

static void give(struct scene *c)
{
	static const struct stream_ops ops = {
		.on_data = on_given_data,
		.on_end = on_given_end,
	};
	struct str rest;

	c->given = http_server_give_stream(c->server, &rest);
	stream_set_owner(c->given, &ops, c);
	buf_add_lit(&c->heard, "given ");
	buf_add_str(&c->heard, rest);
	drop_server(c);
}

static void on_request(void *owner, const struct http_msg *req)
{
	struct scene *c = owner;
	char what = req->target.len > 1 ? req->target.p[1] : 0;

	fuzz_check(req);
	fuzz_note(&c->heard, req);
	if (what == 'l')
		c->owes = true;
	else if (what == 'd')
		drop_server(c);
	else if (what == 'u')
		give(c);
	else
		answer(c, what == 'c');
}

/* Behind an answer that closes it comes by a timer, which nobody waits for. */
static void on_end(void *owner, int status)
{
	struct scene *c = owner;

	if (status != 0)
		buf_add_i64(&c->heard, status);
	drop_server(c);
}

static void turn(struct scene *c)
{
	uv_run(reactor_loop(c->reactor), UV_RUN_NOWAIT);
	if (c->owes) {
		c->owes = false;
		answer(c, false);
	}
	(void)unit_drain(c->fd, &c->out);
}

static void connect_server(struct scene *c)
{
	static const struct http_server_ops ops = { on_request, on_end };
	struct stream *stream;
	int fds[2];

	fuzz_need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	c->fd = fds[1];
	fuzz_need(stream_accept(&stream, c->reactor, fds[0], 1 << 20, NULL,
				NULL) == 0);
	fuzz_need(http_server_create(&c->server, stream, &conf, &ops, c) == 0);
	buf_clear(&c->heard);
	buf_clear(&c->out);
}

/* A whole request, once read, hears its answer before the peer's end. */
static void play(struct scene *c, struct str in, size_t piece)
{
	size_t before;

	connect_server(c);
	while (in.len > 0) {
		struct str some = { in.p, in.len < piece ? in.len : piece };

		unit_send(c->fd, some);
		in = str_skip(in, some.len);
		turn(c);
	}
	do {
		before = c->heard.len + c->out.len;
		for (int i = 0; i < 4; i++)
			turn(c);
	} while (c->heard.len + c->out.len > before);
	shutdown(c->fd, SHUT_WR);
	for (int i = 0; i < 3; i++)
		turn(c);
	fuzz_need(c->given == NULL);
	if (c->server != NULL)
		drop_server(c);
	close(c->fd);
	turn(c);
}

/* Only who sends a head without its body is told to go on. */
static void add_without_continue(struct buf *record, struct str out)
{
	struct str word = STR(CONTINUE);

	while (out.len > 0) {
		size_t n = str_starts(out, word) ? word.len : 1;

		if (n == 1)
			buf_add_char(record, out.p[0]);
		out = str_skip(out, n);
	}
}

static void record(struct buf *record, struct scene *c, struct str in,
		   size_t piece)
{
	play(c, in, piece);
	buf_add_str(record, buf_str(&c->heard));
	add_without_continue(record, buf_str(&c->out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scene scene;
	struct str in = { (const char *)data, size };
	struct buf whole = { 0 }, pieces = { 0 };

	if (size < 2)
		return 0;
	if (scene.reactor == NULL)
		fuzz_need(reactor_create(&scene.reactor) == 0);
	in = str_skip(in, 1);
	record(&whole, &scene, in, in.len);
	record(&pieces, &scene, in, data[0] % 64 + 1);
	fuzz_need(str_eq(buf_str(&whole), buf_str(&pieces)));
	buf_deinit(&whole);
	buf_deinit(&pieces);
	return 0;
}
