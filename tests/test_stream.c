#include "unit.h"

#include "net/addr.h"
#include "net/listener.h"
#include "net/stream.h"

#define MAX_QUEUE 100000

/* What one stream's owner hears, and how it reacts. */
struct ear {
	struct stream *stream;
	struct buf heard;
	int ends, connects, drains;
	int end_err;
	bool echo;			/* writes back what it hears */
	bool destroys;			/* itself, when it hears anything */
};

static struct reactor *reactor;
static struct listener *listener;
static struct ear server;

static void ear_drop(struct ear *e)
{
	stream_destroy(e->stream);
	e->stream = NULL;
}

static void on_data(void *owner, const char *data, size_t len)
{
	struct ear *e = owner;

	buf_add(&e->heard, data, len);
	if (e->echo)
		ck_assert_int_eq(
			stream_write(e->stream, (struct str){ data, len }), 0);
	if (e->destroys)
		ear_drop(e);
}

static void on_end(void *owner, int err)
{
	struct ear *e = owner;

	e->ends++;
	e->end_err = err;
	ear_drop(e);
}

static void on_drain(void *owner)
{
	struct ear *e = owner;

	e->drains++;
}

static void on_connect(void *owner)
{
	struct ear *e = owner;

	e->connects++;
	if (e->destroys)
		ear_drop(e);
}

static const struct stream_ops ops = { on_data, on_end, on_drain, on_connect };

static void on_connection(void *owner, int fd)
{
	(void)owner;
	ck_assert_int_eq(stream_accept(&server.stream, reactor, fd,
				       MAX_QUEUE, &ops, &server), 0);
}

static void on_refused(void *owner, int err)
{
	(void)owner;
	ck_abort_msg("refused: %s", err_text(err));
}

static const struct listener_ops listener_ops = { on_connection, on_refused };

static void setup(void)
{
	struct sockaddr_storage any;

	server = (struct ear){ 0 };
	ck_assert_int_eq(reactor_create(&reactor), 0);
	ck_assert_int_eq(addr_parse(&any, STR("127.0.0.1:0")), 0);
	ck_assert_int_eq(listener_create(&listener, reactor,
					 (struct sockaddr *)&any, false,
					 &listener_ops, NULL), 0);
}

static void teardown(void)
{
	listener_destroy(listener);
	reactor_destroy(reactor);
	buf_deinit(&server.heard);
}

static void turn(int times)
{
	for (int i = 0; i < times; i++)
		uv_run(reactor_loop(reactor), UV_RUN_NOWAIT);
}

static int connected(void)
{
	int fd = unit_connect(listener_port(listener));

	turn(2);
	ck_assert_ptr_nonnull(server.stream);
	return fd;
}

START_TEST(test_echo)
{
	struct buf got = { 0 };
	int fd = connected();

	server.echo = true;
	unit_send(fd, STR("hello"));
	turn(2);
	unit_drain(fd, &got);
	ck_assert(str_eq(buf_str(&got), STR("hello")));
	ck_assert_int_eq(server.drains, 1);
	ck_assert_uint_eq(stream_queued(server.stream), 0);
	close(fd);
	turn(2);
	ck_assert_int_eq(server.ends, 1);
	ck_assert_int_eq(server.end_err, UV_EOF);
	buf_deinit(&got);
}
END_TEST

START_TEST(test_one_write_per_turn)
{
	struct buf got = { 0 };
	int fd = connected();

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(stream_write(server.stream, STR("x")), 0);
	ck_assert(!unit_drain(fd, &got));
	ck_assert_uint_eq(got.len, 0);		/* not before the turn ends */
	turn(1);
	unit_drain(fd, &got);
	ck_assert_uint_eq(got.len, 10);
	ck_assert_int_eq(server.drains, 1);
	close(fd);
	buf_deinit(&got);
}
END_TEST

START_TEST(test_queue_is_bounded)
{
	static char block[MAX_QUEUE + 1];
	int fd = connected();

	ck_assert_int_eq(stream_write(server.stream,
				      (struct str){ block, MAX_QUEUE + 1 }),
			 ERR_LIMIT);
	/* within one turn the kernel's buffers count too, then no more */
	while (stream_write(server.stream,
			    (struct str){ block, MAX_QUEUE }) == 0)
		continue;
	ck_assert_int_eq(stream_reserve(server.stream, MAX_QUEUE), ERR_LIMIT);
	ck_assert_uint_gt(stream_queued(server.stream), 0);
	ck_assert_uint_le(stream_queued(server.stream), MAX_QUEUE);
	close(fd);
}
END_TEST

/* A peer that reads is not cut off by what one turn gathers for it. */
START_TEST(test_burst_in_one_turn)
{
	static char block[MAX_QUEUE];
	struct buf got = { 0 };
	int fd = connected();

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(stream_write(server.stream,
					      (struct str){ block,
							    MAX_QUEUE }), 0);
	for (int i = 0; i < 1000 && got.len < 3 * MAX_QUEUE; i++) {
		turn(1);
		unit_drain(fd, &got);
	}
	ck_assert_uint_eq(got.len, 3 * MAX_QUEUE);
	close(fd);
	buf_deinit(&got);
}
END_TEST

/* A reader that stops: the kernel's buffers fill, then our queue, then we do
 * not read from it; all arrives once it reads again. */
START_TEST(test_slow_reader)
{
	static char block[MAX_QUEUE / 4];
	struct buf got = { 0 };
	size_t sent = 0, heard;
	int fd = connected();

	while (stream_write(server.stream,
			    (struct str){ block, sizeof(block) }) == 0) {
		sent += sizeof(block);
		turn(1);
	}
	heard = server.heard.len;
	unit_send(fd, STR("are you there"));
	turn(3);
	ck_assert_uint_eq(server.heard.len, heard);	/* gated */
	for (int i = 0; i < 100000 && got.len < sent; i++) {
		unit_drain(fd, &got);
		turn(1);
	}
	ck_assert_uint_eq(got.len, sent);
	turn(3);
	ck_assert(str_eq(buf_str(&server.heard), STR("are you there")));
	ck_assert_uint_eq(stream_queued(server.stream), 0);
	close(fd);
	buf_deinit(&got);
}
END_TEST

/* A peer that always has more to say does not keep the others waiting: each
 * is read once per turn, and hears all in the end. */
START_TEST(test_reading_takes_turns)
{
	static char much[512 * 1024];
	struct str rest = { much, sizeof(much) };
	int fd = connected();
	size_t before = 0;

	while (rest.len > 0) {
		ssize_t n = send(fd, rest.p, rest.len, MSG_DONTWAIT);

		if (n > 0)
			rest = str_skip(rest, (size_t)n);
		turn(1);
		ck_assert_uint_le(server.heard.len - before, 65536);
		before = server.heard.len;
	}
	for (int i = 0; i < 1000 && server.heard.len < sizeof(much); i++) {
		turn(1);
		ck_assert_uint_le(server.heard.len - before, 65536);
		before = server.heard.len;
	}
	ck_assert_uint_eq(server.heard.len, sizeof(much));
	close(fd);
	turn(2);
	ck_assert_int_eq(server.ends, 1);
}
END_TEST

START_TEST(test_destroy_in_callback)
{
	int fd = connected();
	struct buf got = { 0 };

	server.destroys = true;
	unit_send(fd, STR("x"));
	turn(2);
	ck_assert_ptr_null(server.stream);
	ck_assert(unit_drain(fd, &got));
	close(fd);
	buf_deinit(&got);
}
END_TEST

/* What was written before release still arrives, then the end. */
START_TEST(test_release)
{
	static char block[MAX_QUEUE];
	struct buf got = { 0 };
	bool end = false;
	int fd = connected();

	unit_send(fd, STR("unread input must not cause a reset"));
	ck_assert_int_eq(stream_write(server.stream,
				      (struct str){ block, MAX_QUEUE }), 0);
	stream_release(server.stream);
	server.stream = NULL;
	for (int i = 0; i < 10000 && !end; i++) {
		turn(1);
		end = unit_drain(fd, &got);
	}
	ck_assert(end);
	ck_assert_uint_eq(got.len, MAX_QUEUE);
	ck_assert_uint_eq(server.heard.len, 0);
	close(fd);
	turn(3);
	buf_deinit(&got);
}
END_TEST

START_TEST(test_quiet)
{
	int fd = connected();

	ck_assert(stream_is_quiet(server.stream));
	unit_send(fd, STR("x"));
	ck_assert(!stream_is_quiet(server.stream));
	turn(1);
	ck_assert(stream_is_quiet(server.stream));
	close(fd);
	ck_assert(!stream_is_quiet(server.stream));	/* an end waits */
}
END_TEST

/* A proxy may tell more than once whom it speaks for; the last word counts. */
START_TEST(test_told_peer)
{
	static const char *const peers[] = { "192.0.2.1:4711",
					     "[2001:db8::1]:80", "10.0.0.1:1" };
	struct sockaddr_storage told, got;
	int fd = connected();
	char space[64];

	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		ck_assert_int_eq(addr_parse(&told, str_of(peers[i])), 0);
		ck_assert_int_eq(stream_set_peer(server.stream,
						 (struct sockaddr *)&told), 0);
		stream_peer(server.stream, space, sizeof(space));
		ck_assert_str_eq(space, peers[i]);
		ck_assert_int_eq(stream_peer_address(server.stream, &got), 0);
		ck_assert_int_eq(got.ss_family, told.ss_family);
	}
	close(fd);
}
END_TEST

START_TEST(test_connect)
{
	struct ear client = { 0 };
	struct sockaddr_storage to;
	char text[64];
	struct str peer;

	snprintf(text, sizeof(text), "127.0.0.1:%u", listener_port(listener));
	ck_assert_int_eq(addr_parse(&to, str_of(text)), 0);
	ck_assert_int_eq(stream_connect_tcp(&client.stream, reactor,
					    (struct sockaddr *)&to, MAX_QUEUE,
					    &ops, &client), 0);
	/* output before the connection stands is kept */
	ck_assert_int_eq(stream_write(client.stream, STR("early")), 0);
	while (client.connects == 0 || server.heard.len < 5)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
	ck_assert(str_eq(buf_str(&server.heard), STR("early")));
	peer = stream_peer(client.stream, text + 32, 32);
	ck_assert(str_eq(peer, str_of(text)));
	stream_destroy(client.stream);
	while (server.ends == 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
}
END_TEST

START_TEST(test_connect_refused)
{
	struct ear client = { 0 };
	struct sockaddr_storage to;
	char text[64];

	/* a port that was just free */
	snprintf(text, sizeof(text), "127.0.0.1:%u", listener_port(listener));
	listener_destroy(listener);
	turn(1);
	ck_assert_int_eq(addr_parse(&to, str_of(text)), 0);
	ck_assert_int_eq(stream_connect_tcp(&client.stream, reactor,
					    (struct sockaddr *)&to, MAX_QUEUE,
					    &ops, &client), 0);
	while (client.ends == 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
	ck_assert_int_eq(client.end_err, UV_ECONNREFUSED);
	ck_assert_int_eq(client.connects, 0);
	ck_assert_int_eq(addr_parse(&to, STR("127.0.0.1:0")), 0);
	ck_assert_int_eq(listener_create(&listener, reactor,
					 (struct sockaddr *)&to, false,
					 &listener_ops, NULL), 0);
}
END_TEST

START_TEST(test_unix)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct ear client = { 0 };
	struct buf got = { 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), peer;
	char space[64];

	snprintf(un.sun_path, sizeof(un.sun_path), "/tmp/test_stream.%d",
		 (int)getpid());
	unlink(un.sun_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(stream_connect_unix(&client.stream, reactor,
					     un.sun_path, MAX_QUEUE, &ops,
					     &client), 0);
	while (client.connects == 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
	ck_assert(str_eq(stream_peer(client.stream, space, sizeof(space)),
			 STR("unix")));
	ck_assert_int_eq(stream_write(client.stream, STR("over unix")), 0);
	turn(1);
	peer = accept(fd, NULL, NULL);
	unit_drain(peer, &got);
	ck_assert(str_eq(buf_str(&got), STR("over unix")));
	unlink(un.sun_path);
	close(fd);
	close(peer);
	while (client.ends == 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
	ck_assert_int_eq(stream_connect_unix(&client.stream, reactor,
					     "/nowhere/at/all", MAX_QUEUE,
					     &ops, &client), 0);
	while (client.ends == 1)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
	ck_assert_int_eq(client.end_err, UV_ENOENT);
	buf_deinit(&got);
}
END_TEST

/* reactor_destroy() must cope with all that is still alive; the sanitizers
 * see what it forgets. */
START_TEST(test_destroy_with_everything_open)
{
	static char block[MAX_QUEUE];
	int fd = connected();

	ck_assert_int_eq(stream_write(server.stream,
				      (struct str){ block, MAX_QUEUE }), 0);
	turn(1);
	ck_assert_int_eq(stream_write(server.stream, STR("more")), 0);
	close(fd);
}
END_TEST

static const struct {
	const char *text;
	const char *want;		/* NULL: refused */
} addresses[] = {
	{ "127.0.0.1:80", "127.0.0.1:80" },
	{ "[::1]:8180", "[::1]:8180" },
	{ "*:1", "[::]:1" },
	{ ":65535", "[::]:65535" },
	{ "[2001:db8::1]:0", "[2001:db8::1]:0" },
	{ "127.0.0.1", NULL },
	{ "127.0.0.1:", NULL },
	{ "127.0.0.1:65536", NULL },
	{ "127.0.0.1:x", NULL },
	{ "127.0.0.256:80", NULL },
	{ "localhost:80", NULL },
	{ "[::1]", NULL },
	{ "[::1:80", NULL },
	{ "[::1]80", NULL },
	{ "[1234:1234:1234:1234:1234:1234:1234:1234:1234:1234]:1", NULL },
	{ "111.111.111.111.111.111:1", NULL },
	{ "", NULL },
};

START_TEST(test_address)
{
	struct sockaddr_storage addr;
	char space[64];
	int err = addr_parse(&addr, str_of(addresses[_i].text));

	if (addresses[_i].want == NULL) {
		ck_assert_msg(err == UV_EINVAL, "%s", addresses[_i].text);
		return;
	}
	ck_assert_msg(err == 0, "%s", addresses[_i].text);
	addr_text((struct sockaddr *)&addr, space, sizeof(space));
	ck_assert_str_eq(space, addresses[_i].want);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stream");
	TCase *tc = tcase_create("stream");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_echo);
	tcase_add_test(tc, test_one_write_per_turn);
	tcase_add_test(tc, test_queue_is_bounded);
	tcase_add_test(tc, test_burst_in_one_turn);
	tcase_add_test(tc, test_slow_reader);
	tcase_add_test(tc, test_reading_takes_turns);
	tcase_add_test(tc, test_destroy_in_callback);
	tcase_add_test(tc, test_release);
	tcase_add_test(tc, test_quiet);
	tcase_add_test(tc, test_told_peer);
	tcase_add_test(tc, test_connect);
	tcase_add_test(tc, test_connect_refused);
	tcase_add_test(tc, test_unix);
	tcase_add_test(tc, test_destroy_with_everything_open);
	suite_add_tcase(suite, tc);
	tc = tcase_create("address");
	tcase_add_loop_test(tc, test_address, 0, ARRAY_LEN(addresses));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
