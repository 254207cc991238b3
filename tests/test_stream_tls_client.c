#include "tls_rig.h"

#include "net/addr.h"
#include "net/listener.h"
#include "net/stream.h"

#define MAX_QUEUE 100000

/* One side: a stream with its owner. */
struct ear {
	struct stream *stream;
	struct buf heard;
	int connects, ends;
	int end_err;
	char why[128];			/* TLS ended it; empty: it did not */
	bool echo;
	bool destroys;			/* itself, when it is connected */
};

static struct reactor *reactor;
static struct listener *listener;
static struct tls_context *server_ctx, *client_ctx;
static struct handshaker *shaker;
static struct ear server, client;

static void drop(struct ear *e)
{
	stream_destroy(e->stream);
	e->stream = NULL;
}

static void on_data(void *owner, const char *data, size_t len)
{
	struct ear *e = owner;

	/* nobody hears before it is told that the connection is there */
	ck_assert(e != &client || e->connects == 1);
	buf_add(&e->heard, data, len);
	if (e->echo)
		ck_assert_int_eq(
			stream_write(e->stream, (struct str){ data, len }), 0);
}

static void on_end(void *owner, int err)
{
	struct ear *e = owner;
	struct str why = stream_tls_why(e->stream, e->why, sizeof(e->why));

	e->why[why.len] = '\0';
	e->ends++;
	e->end_err = err;
	drop(e);
}

static void on_connect(void *owner)
{
	struct ear *e = owner;

	e->connects++;
	if (e->destroys)
		drop(e);
}

static const struct stream_ops ops = {
	.on_data = on_data,
	.on_end = on_end,
	.on_connect = on_connect,
};

static void on_connection(void *owner, int fd)
{
	struct tls *tls;

	(void)owner;
	ck_assert_int_eq(stream_accept(&server.stream, reactor, fd, MAX_QUEUE,
				       &ops, &server), 0);
	ck_assert_int_eq(tls_create(&tls, server_ctx), 0);
	stream_take_tls(server.stream, tls, NULL);
}

static void on_refused(void *owner, int err)
{
	(void)owner;
	ck_abort_msg("refused: %s", err_text(err));
}

static const struct listener_ops listener_ops = { on_connection, on_refused };

static void open_client(const char *host)
{
	struct tls_file ca;
	struct tls_client_conf conf = {
		.host = host,
		.ca_file = tls_file_write(&ca, NAMES_CERT),
	};
	struct tls_fault fault;
	struct sockaddr_storage to;
	struct buf text = { 0 };
	struct tls *tls;

	ck_assert_int_eq(tls_context_create_client(&client_ctx, &fault, &conf),
			 0);
	unlink(ca.path);
	buf_add_lit(&text, "127.0.0.1:");
	buf_add_u64(&text, listener_port(listener));
	ck_assert_int_eq(addr_parse(&to, buf_str(&text)), 0);
	buf_deinit(&text);
	ck_assert_int_eq(stream_connect_tcp(&client.stream, reactor,
					    (struct sockaddr *)&to, MAX_QUEUE,
					    &ops, &client), 0);
	ck_assert_int_eq(tls_create(&tls, client_ctx), 0);
	stream_take_tls(client.stream, tls, shaker);
}

static void setup(void)
{
	struct tls_fault fault;
	struct sockaddr_storage any;

	server = client = (struct ear){ 0 };
	ck_assert_int_eq(reactor_create(&reactor), 0);
	server_ctx = tls_context_of(&fault, NAMES_CERT, EC256_KEY, NULL);
	ck_assert_int_eq(addr_parse(&any, STR("127.0.0.1:0")), 0);
	ck_assert_int_eq(listener_create(&listener, reactor,
					 (struct sockaddr *)&any, false,
					 &listener_ops, NULL), 0);
	shaker = NULL;
}

static void setup_shaker(void)
{
	setup();
	ck_assert_int_eq(handshaker_create(&shaker, reactor, 1), 0);
}

static void teardown(void)
{
	listener_destroy(listener);
	stream_destroy(client.stream);
	stream_destroy(server.stream);
	handshaker_destroy(shaker);
	reactor_destroy(reactor);
	tls_context_destroy(client_ctx);
	tls_context_destroy(server_ctx);
	buf_deinit(&client.heard);
	buf_deinit(&server.heard);
}

static void run_until(const int *count)
{
	while (*count == 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
}

static void run_until_heard(const struct ear *e, size_t len)
{
	while (e->heard.len < len)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
}

START_TEST(test_echo)
{
	server.echo = true;
	open_client("a.example");
	run_until(&client.connects);
	ck_assert_int_eq(stream_write(client.stream, STR("hello")), 0);
	run_until_heard(&client, 5);
	ck_assert(str_eq(buf_str(&client.heard), STR("hello")));
	ck_assert(stream_is_quiet(client.stream));
	stream_release(client.stream);
	client.stream = NULL;
	run_until(&server.ends);
	ck_assert_int_eq(server.end_err, UV_EOF);
	ck_assert_int_eq(client.connects, 1);
}
END_TEST

/* What is written before goes when it can. */
START_TEST(test_early_word)
{
	open_client("a.example");
	ck_assert_int_eq(stream_write(client.stream, STR("early")), 0);
	run_until_heard(&server, 5);
	ck_assert_int_eq(client.connects, 1);
	ck_assert(str_eq(buf_str(&server.heard), STR("early")));
}
END_TEST

START_TEST(test_wrong_name)
{
	open_client("b.example");
	run_until(&client.ends);
	ck_assert_int_eq(client.connects, 0);
	ck_assert_int_eq(client.end_err, ERR_PROTO);
	ck_assert_msg(strstr(client.why, "does not match") != NULL, "%s",
		      client.why);
	run_until(&server.ends);
	ck_assert_int_eq(server.end_err, ERR_PROTO);
}
END_TEST

START_TEST(test_cut_off)
{
	open_client("a.example");
	run_until(&client.connects);
	ck_assert_int_eq(stream_write(client.stream, STR("x")), 0);
	run_until_heard(&server, 1);
	drop(&server);
	run_until(&client.ends);
	ck_assert_int_eq(client.end_err, UV_ECONNABORTED);
	ck_assert_str_eq(client.why, "");
}
END_TEST

START_TEST(test_closed)
{
	open_client("a.example");
	run_until(&client.connects);
	ck_assert_int_eq(stream_write(client.stream, STR("x")), 0);
	run_until_heard(&server, 1);
	stream_release(server.stream);
	server.stream = NULL;
	run_until(&client.ends);
	ck_assert_int_eq(client.end_err, UV_EOF);
	ck_assert_str_eq(client.why, "");
}
END_TEST

START_TEST(test_destroyed_when_connected)
{
	client.destroys = true;
	open_client("a.example");
	run_until(&client.connects);
	run_until(&server.ends);
	ck_assert_int_eq(client.ends, 0);
}
END_TEST

START_TEST(test_destroyed_on_the_way)
{
	open_client("a.example");
	for (int i = 0; i < _i; i++)
		uv_run(reactor_loop(reactor), UV_RUN_NOWAIT);
	drop(&client);
	uv_run(reactor_loop(reactor), UV_RUN_NOWAIT);
	ck_assert_int_eq(client.ends, 0);
}
END_TEST

static void add_case(Suite *suite, TCase *tc, void (*init)(void))
{
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, init, teardown);
	tcase_add_test(tc, test_echo);
	tcase_add_test(tc, test_early_word);
	tcase_add_test(tc, test_wrong_name);
	tcase_add_test(tc, test_cut_off);
	tcase_add_test(tc, test_closed);
	tcase_add_test(tc, test_destroyed_when_connected);
	tcase_add_loop_test(tc, test_destroyed_on_the_way, 0, 6);
}

int main(void)
{
	Suite *suite = suite_create("stream_tls_client");

	add_case(suite, tcase_create("on the loop"), setup);
	add_case(suite, tcase_create("by a handshaker"), setup_shaker);
	return unit_run(suite);
}
