#include "tls_rig.h"

#include "net/addr.h"
#include "net/listener.h"
#include "net/stream.h"

#define MAX_QUEUE 100000

/* The server's side: a stream with its owner. */
struct ear {
	struct stream *stream;
	struct buf heard;
	int calls, ends, drains;
	int end_err;
	bool echo;
	bool destroys;			/* itself, when it hears anything */
};

static struct reactor *reactor;
static struct listener *listener;
static struct tls_context *ctx;
static struct handshaker *shaker;	/* NULL: the stream shakes hands */
static struct ear server;
static struct tls_client client;
static int fd;				/* the client's */
static bool gone;			/* the client saw the end */
static size_t records;			/* that the client was sent, less the
					 * handshake's */

static void on_data(void *owner, const char *data, size_t len)
{
	struct ear *e = owner;

	e->calls++;
	buf_add(&e->heard, data, len);
	if (e->echo)
		ck_assert_int_eq(
			stream_write(e->stream, (struct str){ data, len }), 0);
	if (e->destroys) {
		stream_destroy(e->stream);
		e->stream = NULL;
	}
}

static void on_end(void *owner, int err)
{
	struct ear *e = owner;

	e->ends++;
	e->end_err = err;
	stream_destroy(e->stream);
	e->stream = NULL;
}

static void on_drain(void *owner)
{
	((struct ear *)owner)->drains++;
}

static const struct stream_ops ops = { on_data, on_end, on_drain, NULL };

static void on_connection(void *owner, int conn)
{
	struct tls *tls;

	(void)owner;
	ck_assert_int_eq(stream_accept(&server.stream, reactor, conn,
				       MAX_QUEUE, &ops, &server), 0);
	ck_assert_int_eq(tls_create(&tls, ctx), 0);
	stream_take_tls(server.stream, tls, shaker);
}

static void on_refused(void *owner, int err)
{
	(void)owner;
	ck_abort_msg("refused: %s", err_text(err));
}

static const struct listener_ops listener_ops = { on_connection, on_refused };

static void turn(int times)
{
	for (int i = 0; i < times; i++)
		uv_run(reactor_loop(reactor), UV_RUN_NOWAIT);
	while (shaker != NULL && handshaker_waiting(shaker) > 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
}

static void open_all(void)
{
	struct tls_fault fault = { 0 };
	struct sockaddr_storage any;

	server = (struct ear){ 0 };
	gone = false;
	ctx = tls_context_of(&fault, EC256_CERT, EC256_KEY, NULL);
	ck_assert_msg(ctx != NULL, "%s", fault.why);
	ck_assert_int_eq(addr_parse(&any, STR("127.0.0.1:0")), 0);
	ck_assert_int_eq(listener_create(&listener, reactor,
					 (struct sockaddr *)&any, false,
					 &listener_ops, NULL), 0);
	fd = unit_connect(listener_port(listener));
	turn(2);
	ck_assert_ptr_nonnull(server.stream);
	tls_client_init(&client);
	tls_client_start(&client);
}

static void setup(void)
{
	shaker = NULL;
	ck_assert_int_eq(reactor_create(&reactor), 0);
	open_all();
}

static void setup_shaker(void)
{
	ck_assert_int_eq(reactor_create(&reactor), 0);
	ck_assert_int_eq(handshaker_create(&shaker, reactor, 1), 0);
	open_all();
}

static void teardown(void)
{
	tls_client_deinit(&client);
	close(fd);
	listener_destroy(listener);
	stream_destroy(server.stream);
	handshaker_destroy(shaker);
	reactor_destroy(reactor);
	tls_context_destroy(ctx);
	buf_deinit(&server.heard);
}

static void client_send(void)
{
	unit_send(fd, buf_str(&client.out));
	buf_clear(&client.out);
}

/* The heads of whole records, as they came. */
static void count_records(struct str in)
{
	while (in.len >= 5) {
		size_t len = (size_t)(unsigned char)in.p[3] << 8 |
			     (unsigned char)in.p[4];

		records++;
		in = str_skip(in, 5 + len);
	}
}

/* Until neither side has anything to say. */
static void talk(void)
{
	for (int quiet = 0; quiet < 2; quiet++) {
		tls_client_turn(&client);
		if (client.out.len > 0)
			quiet = 0;
		client_send();
		turn(2);
		if (unit_drain(fd, &client.in))
			gone = true;
		if (client.in.len > 0)
			quiet = 0;
		count_records(buf_str(&client.in));
	}
}

static void shake(void)
{
	talk();
	ck_assert(client.open);
	ck_assert_int_eq(server.calls, 0);
	records = 0;
}

/* Until the client has heard that much. */
static void talk_until(size_t len)
{
	while (client.heard.len < len && !gone)
		talk();
}

START_TEST(test_echo)
{
	server.echo = true;
	shake();
	server.drains = 0;
	tls_client_say(&client, STR("hello"));
	talk();
	ck_assert(str_eq(buf_str(&client.heard), STR("hello")));
	ck_assert_int_eq(server.drains, 1);
	ck_assert_uint_eq(stream_queued(server.stream), 0);
	ck_assert(stream_is_quiet(server.stream));
	mbedtls_ssl_close_notify(&client.ssl);
	talk();
	ck_assert_int_eq(server.ends, 1);
	ck_assert_int_eq(server.end_err, UV_EOF);
	/* and is answered in kind */
	ck_assert(gone);
	ck_assert_int_eq(client.code, MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
}
END_TEST

/* Octets that say nothing are no reason to give a connection up. */
START_TEST(test_quiet)
{
	struct str said;

	shake();
	ck_assert(stream_is_quiet(server.stream));
	tls_client_say(&client, STR("hello"));
	said = buf_str(&client.out);
	unit_send(fd, (struct str){ said.p, 10 });
	ck_assert(stream_is_quiet(server.stream));
	unit_send(fd, str_skip(said, 10));
	ck_assert(!stream_is_quiet(server.stream));
	buf_clear(&client.out);
	mbedtls_ssl_close_notify(&client.ssl);
	client_send();
	ck_assert(!stream_is_quiet(server.stream));
}
END_TEST

START_TEST(test_cut_off)
{
	shake();
	tls_client_say(&client, STR("and then"));
	client_send();
	shutdown(fd, SHUT_WR);
	turn(4);
	ck_assert(str_eq(buf_str(&server.heard), STR("and then")));
	ck_assert_int_eq(server.ends, 1);
	ck_assert_int_eq(server.end_err, UV_ECONNABORTED);
}
END_TEST

START_TEST(test_one_record_per_turn)
{
	shake();
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(stream_write(server.stream, STR("0123456789")),
				 0);
	ck_assert_uint_eq(stream_queued(server.stream), 1000);
	talk();
	ck_assert_uint_eq(client.heard.len, 1000);
	ck_assert_uint_eq(records, 1);
	ck_assert_int_eq(server.drains, 1);
}
END_TEST

/* What is written before the handshake waits for it. */
START_TEST(test_early_word)
{
	ck_assert_int_eq(stream_write(server.stream, STR("welcome")), 0);
	turn(2);
	ck_assert_uint_eq(stream_queued(server.stream), 7);
	ck_assert_int_eq(server.drains, 0);
	talk();
	ck_assert(str_eq(buf_str(&client.heard), STR("welcome")));
	ck_assert_int_eq(server.drains, 1);
}
END_TEST

/* The kernel takes what it can; the rest counts, and reading pauses. */
START_TEST(test_slow_reader)
{
	struct buf space = { 0 }, want = { 0 };
	struct str text = long_text(&space, 30000);
	int err;

	shake();
	while ((err = stream_write(server.stream, text)) == 0) {
		buf_add_str(&want, text);
		turn(1);
	}
	ck_assert_int_eq(err, ERR_LIMIT);
	ck_assert_uint_gt(stream_queued(server.stream), MAX_QUEUE / 2);
	tls_client_say(&client, STR("are you there?"));
	client_send();
	turn(3);
	ck_assert_int_eq(server.calls, 0);
	talk_until(want.len);
	talk();
	ck_assert(str_eq(buf_str(&client.heard), buf_str(&want)));
	ck_assert_int_eq(server.calls, 1);
	ck_assert_uint_eq(stream_queued(server.stream), 0);
	buf_deinit(&space);
	buf_deinit(&want);
}
END_TEST

/* The last word is behind what the kernel has not taken yet. */
START_TEST(test_slow_reader_released)
{
	struct buf space = { 0 };
	struct str text = long_text(&space, 30000);
	size_t want = 0;

	shake();
	for (; stream_write(server.stream, text) == 0; want += text.len)
		turn(1);
	stream_release(server.stream);
	server.stream = NULL;
	talk_until(want);
	while (!gone)
		talk();
	talk();
	ck_assert_uint_eq(client.heard.len, want);
	ck_assert_int_eq(client.code, MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
	buf_deinit(&space);
}
END_TEST

/* More than max_queue in one turn, as far as the kernel has room. */
START_TEST(test_room_within_turn)
{
	struct buf space = { 0 };
	struct str text = long_text(&space, 60000);

	shake();
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(stream_write(server.stream, text), 0);
	ck_assert_int_eq(stream_write(server.stream,
				      (struct str){ text.p, MAX_QUEUE + 1 }),
			 ERR_LIMIT);
	talk_until(4 * text.len);
	ck_assert_uint_eq(client.heard.len, 4 * text.len);
	ck_assert(str_eq((struct str){ client.heard.p + 3 * text.len,
				       text.len }, text));
	buf_deinit(&space);
}
END_TEST

START_TEST(test_release)
{
	struct buf space = { 0 };
	struct str text = long_text(&space, 90000);

	shake();
	ck_assert_int_eq(stream_write(server.stream, text), 0);
	stream_release(server.stream);
	server.stream = NULL;
	talk_until(text.len);
	talk();
	ck_assert(str_eq(buf_str(&client.heard), text));
	ck_assert_int_eq(client.code, MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
	ck_assert(gone);
	ck_assert_int_eq(server.ends, 0);
	buf_deinit(&space);
}
END_TEST

START_TEST(test_release_quiet)
{
	shake();
	stream_release(server.stream);
	server.stream = NULL;
	talk();
	ck_assert_int_eq(client.code, MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
	ck_assert(gone);
}
END_TEST

/* Nobody could read what was written. */
START_TEST(test_release_early)
{
	ck_assert_int_eq(stream_write(server.stream, STR("408")), 0);
	stream_release(server.stream);
	server.stream = NULL;
	turn(2);
	ck_assert(unit_drain(fd, &client.in));
	ck_assert_uint_eq(client.in.len, 0);
}
END_TEST

START_TEST(test_garbage)
{
	unit_send(fd, STR("GET / HTTP/1.1\r\n\r\n"));
	turn(3);
	ck_assert_int_eq(server.ends, 1);
	ck_assert_int_eq(server.end_err, ERR_PROTO);
	ck_assert(unit_drain(fd, &client.in));
	ck_assert_uint_eq(client.in.len, 7);
	ck_assert_int_eq(client.in.p[0], 0x15);
}
END_TEST

/* With a second record behind it. */
START_TEST(test_destroyed_while_heard)
{
	struct buf space = { 0 };
	struct str text = long_text(&space, 60000);

	shake();
	server.destroys = true;
	tls_client_say(&client, text);
	tls_client_say(&client, text);
	client_send();
	turn(4);
	ck_assert_int_eq(server.calls, 1);
	ck_assert_int_eq(server.ends, 0);
	buf_deinit(&space);
}
END_TEST

/* What the thread works on goes when it is done. */
START_TEST(test_destroyed_while_shaken)
{
	tls_client_turn(&client);
	client_send();
	while (handshaker_waiting(shaker) == 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
	stream_destroy(server.stream);
	server.stream = NULL;
	turn(2);
	ck_assert_uint_eq(handshaker_waiting(shaker), 0);
	ck_assert(unit_drain(fd, &client.in));
	ck_assert_uint_eq(client.in.len, 0);
	ck_assert_int_eq(server.ends, 0);
}
END_TEST

/* One may wait; the other one is given up. */
START_TEST(test_too_many)
{
	int first = fd;
	struct stream *busy = server.stream;

	fd = unit_connect(listener_port(listener));
	while (server.stream == busy)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
	tls_client_turn(&client);
	unit_send(first, buf_str(&client.out));
	unit_send(fd, buf_str(&client.out));
	turn(2);
	ck_assert_uint_eq(handshaker_refused(shaker), 1);
	ck_assert_int_eq(server.ends, 1);
	ck_assert_int_eq(server.end_err, ERR_LIMIT);
	close(first);
}
END_TEST

/* Whoever shakes hands, the owner sees no difference. */
static void add_case(Suite *suite, TCase *tc, SFun set)
{
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, set, teardown);
	tcase_add_test(tc, test_echo);
	tcase_add_test(tc, test_quiet);
	tcase_add_test(tc, test_cut_off);
	tcase_add_test(tc, test_one_record_per_turn);
	tcase_add_test(tc, test_early_word);
	tcase_add_test(tc, test_slow_reader);
	tcase_add_test(tc, test_slow_reader_released);
	tcase_add_test(tc, test_room_within_turn);
	tcase_add_test(tc, test_release);
	tcase_add_test(tc, test_release_quiet);
	tcase_add_test(tc, test_release_early);
	tcase_add_test(tc, test_garbage);
	tcase_add_test(tc, test_destroyed_while_heard);
}

int main(void)
{
	Suite *suite = suite_create("stream_tls");
	TCase *shaken = tcase_create("by a handshaker");

	add_case(suite, tcase_create("on the loop"), setup);
	add_case(suite, shaken, setup_shaker);
	tcase_add_test(shaken, test_destroyed_while_shaken);
	tcase_add_test(shaken, test_too_many);
	return unit_run(suite);
}
