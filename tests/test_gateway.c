/*
 * A whole gateway in this process: its workers' threads, a CSE that is a few
 * blocking lines, and clients that are plain sockets. What needs a process
 * (signals, exit codes, descriptors) is in tests/system.
 */
#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/gateway.h"
#include "net/addr.h"

#define WAIT_MS 10000		/* bounds a failure; success does not wait */

static struct gateway_listener_conf listeners[1];
static struct upstream_conf upstream;
static struct gateway_conf conf;
static struct gateway *gateway;
static pthread_t gateway_thread, cse_thread;
static int cse_fd;
static bool cse_silent;

/* Waits until fd is readable; got is what came before, for the report. */
static void await(int fd, const struct buf *got)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	ck_assert_msg(poll(&p, 1, WAIT_MS) == 1, "no more came: %.*s",
		      (int)got->len, got->len > 0 ? got->p : "");
}

/* The value of X-M2M-RI in a head. */
static struct str rqi_of(const char *head)
{
	const char *at = strstr(head, "X-M2M-RI: ");

	return at == NULL ? STR("") :
			    str_range(at + 10, strstr(at, "\r\n"));
}

/* One connection after the other, one request each, requests without body. The
 * gateway may not have a second one then: it could be served first, and wait
 * for a request that went elsewhere. */
static void *cse_main(void *arg)
{
	char head[4096], answer[512];
	int fd;

	(void)arg;
	while ((fd = accept(cse_fd, NULL, NULL)) >= 0) {
		size_t len = 0;
		ssize_t n;

		while ((n = recv(fd, head + len, sizeof(head) - 1 - len, 0)) >
		       0) {
			struct str rqi;

			len += (size_t)n;
			head[len] = '\0';
			if (strstr(head, "\r\n\r\n") == NULL || cse_silent)
				continue;
			rqi = rqi_of(head);
			snprintf(answer, sizeof(answer),
				 "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n"
				 "X-M2M-RI: %.*s\r\nConnection: close\r\n"
				 "Content-Length: 2\r\n\r\n{}",
				 (int)rqi.len, rqi.p);
			unit_send(fd, str_of(answer));
			break;
		}
		close(fd);
	}
	return NULL;
}

static void *gateway_main(void *arg)
{
	(void)arg;
	ck_assert_int_eq(gateway_run(gateway), 0);
	return NULL;
}

static unsigned listen_anywhere(int *fd)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(any);

	*fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(*fd, (struct sockaddr *)&any, len), 0);
	ck_assert_int_eq(listen(*fd, 16), 0);
	ck_assert_int_eq(getsockname(*fd, (struct sockaddr *)&any, &len), 0);
	return ntohs(any.sin_port);
}

static void fill_conf(void)
{
	listeners[0] = (struct gateway_listener_conf){
		.name = "main",
		.max_sessions = 100,
		.handshake_timeout_ms = 60000,
		.handshake = { .formats = 1U << FORMAT_JSON,
			       .default_format = -1 },
	};
	upstream = (struct upstream_conf){
		.name = "cse", .url = STR("http://127.0.0.1"),
		.host = "127.0.0.1", .port = listen_anywhere(&cse_fd),
		.base = "", .authority = "127.0.0.1", .cse_id = "",
		.connections = 1, .connect_timeout_ms = 5000,
		.keepalive_ms = 4000,
		.max_waiting = 1 << 20, .max_answer = 1 << 20,
		.weight = 1,
	};
	conf = (struct gateway_conf){
		.workers = 1, .drain_timeout_ms = 60000,
		.listeners = listeners, .listener_count = 1,
		.upstreams = &upstream, .upstream_count = 1, .timeout_ms = 60000,
		.ws = { .max_message = 4096, .max_unfinished = 1 << 20,
			.max_fragments = 8,
			.message_timeout_ms = 60000, .pong_timeout_ms = 60000,
			.close_timeout_ms = 60000 },
		.codec = { .max_depth = 16, .max_tokens = 100 },
		.reserved = "",
		.notify = { .in_flight = 4, .max_connections = 16,
			    .max_held = 65536 },
		.max_entities = 16, .max_registered = 1 << 20,
		.max_descendants = 16,
		.state = { .max_waiting = 1 << 20, .now_ms = clock_wall_ms },
		.in_flight = 4, .max_queue = 65536, .max_head = 4096,
		.max_headers = 32,
	};
	ck_assert_int_eq(addr_parse(&listeners[0].addr, STR("127.0.0.1:0")),
			 0);
}

static void start(void)
{
	ck_assert_int_eq(gateway_create(&gateway, &conf, NULL, 0), 0);
	ck_assert_int_eq(pthread_create(&gateway_thread, NULL, gateway_main,
					NULL), 0);
}

static void setup(void)
{
	static const struct log_conf quiet = { .level = LOG_LEVEL_ERROR };

	log_setup(&quiet, STDERR_FILENO);
	cse_silent = false;
	fill_conf();
	ck_assert_int_eq(pthread_create(&cse_thread, NULL, cse_main, NULL),
			 0);
}

static void stop(void)
{
	gateway_stop(gateway);
	gateway_stop(gateway);
	pthread_join(gateway_thread, NULL);
	gateway_destroy(gateway);
	shutdown(cse_fd, SHUT_RDWR);
	pthread_join(cse_thread, NULL);
	close(cse_fd);
}

/* Reads until what came holds `until`; all of it is in got. */
static void read_until(int fd, struct buf *got, const char *until)
{
	do {
		char byte;

		await(fd, got);
		ck_assert_msg(recv(fd, &byte, 1, 0) == 1, "ended: %.*s",
			      (int)got->len, got->p);
		buf_add_char(got, byte);
	} while (got->len < strlen(until) ||
		 memcmp(got->p + got->len - strlen(until), until,
			strlen(until)) != 0);
}

static void read_end(int fd)
{
	struct buf nothing = { 0 };
	char byte;

	await(fd, &nothing);
	ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

static const char upgrade_lines[] =
	"Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	"Sec-WebSocket-Version: 13\r\n"
	"Sec-WebSocket-Protocol: oneM2M.json\r\n\r\n";

static unsigned port(void)
{
	struct gateway_listener l;

	ck_assert(gateway_listener(&l, gateway, 0));
	return l.port;
}

/* A WebSocket; extra octets go in the same segment as the handshake. */
static int open_session(struct str extra)
{
	int fd = unit_connect(port());
	struct buf out = { 0 }, got = { 0 };

	buf_add_lit(&out, "GET / HTTP/1.1\r\n");
	buf_add_str(&out, str_of(upgrade_lines));
	buf_add_str(&out, extra);
	unit_send(fd, buf_str(&out));
	read_until(fd, &got, "\r\n\r\n");
	ck_assert(str_starts(buf_str(&got), STR("HTTP/1.1 101 ")));
	buf_deinit(&out);
	buf_deinit(&got);
	return fd;
}

/* A text message of one frame whose mask changes nothing. */
static void frame(struct buf *out, const char *text)
{
	buf_add_char(out, '\x81');
	buf_add_char(out, (char)(0x80 | strlen(text)));
	buf_add_lit(out, "\0\0\0\0");
	buf_add_str(out, str_of(text));
}

static void say(int fd, const char *text)
{
	struct buf out = { 0 };

	frame(&out, text);
	unit_send(fd, buf_str(&out));
	buf_deinit(&out);
}

static void expect(int fd, const char *until)
{
	struct buf got = { 0 };

	read_until(fd, &got, until);
	buf_deinit(&got);
}

#define RETRIEVE(rqi) \
	"{\"op\":2,\"to\":\"cb1\",\"fr\":\"C\",\"rqi\":\"" rqi "\",\"rvi\":\"3\"}"
#define OK(rqi) "{\"rsc\":2000,\"rqi\":\"" rqi "\",\"rvi\":\"3\",\"pc\":{}}"

START_TEST(test_request)
{
	int fd;

	start();
	fd = open_session((struct str){ NULL, 0 });
	say(fd, RETRIEVE("a"));
	expect(fd, OK("a"));
	say(fd, "{\"op\":2");
	expect(fd, "{\"rsc\":4000,\"rqi\":\"\",\"pc\":{\"m2m:dbg\":");
	say(fd, "{\"rsc\":2000,\"rqi\":\"nobody asked\"}");
	say(fd, RETRIEVE("b"));
	expect(fd, OK("b"));
	close(fd);
	stop();
}
END_TEST

START_TEST(test_request_behind_the_handshake)
{
	struct buf extra = { 0 };
	int fd;

	start();
	frame(&extra, RETRIEVE("early"));
	fd = open_session(buf_str(&extra));
	expect(fd, OK("early"));
	close(fd);
	stop();
	buf_deinit(&extra);
}
END_TEST

START_TEST(test_several_workers)
{
	int fds[32], fd;
	char text[32];

	conf.workers = 3;
	/* all on one port, so it cannot be port 0 */
	snprintf(text, sizeof(text), "127.0.0.1:%u", listen_anywhere(&fd));
	close(fd);
	ck_assert_int_eq(addr_parse(&listeners[0].addr, str_of(text)), 0);
	start();
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = open_session((struct str){ NULL, 0 });
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		say(fds[i], RETRIEVE("w"));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		expect(fds[i], OK("w"));
		close(fds[i]);
	}
	stop();
}
END_TEST

static const struct {
	const char *name;
	const char *line, *lines;
	const char *answer;
} refusals[] = {
	{ "not GET", "POST / HTTP/1.1\r\n", upgrade_lines, "HTTP/1.1 405 " },
	{ "no upgrade", "GET / HTTP/1.1\r\n", "Host: x\r\n\r\n",
	  "HTTP/1.1 400 " },
	{ "not HTTP", "hello\r\n", "\r\n", "HTTP/1.1 400 " },
};

START_TEST(test_refusal)
{
	int fd;

	start();
	fd = unit_connect(port());
	unit_send(fd, str_of(refusals[_i].line));
	unit_send(fd, str_of(refusals[_i].lines));
	expect(fd, refusals[_i].answer);
	expect(fd, "\r\n\r\n");
	read_end(fd);
	stop();
}
END_TEST

START_TEST(test_max_sessions)
{
	char request[512];
	int first, second, third;

	listeners[0].max_sessions = 1;
	start();
	first = open_session((struct str){ NULL, 0 });
	second = unit_connect(port());
	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\n%s",
		 upgrade_lines);
	unit_send(second, str_of(request));
	expect(second, "HTTP/1.1 503 ");
	expect(second, "Retry-After: ");
	expect(second, "\r\n\r\n");
	read_end(second);
	/* a flood that never shakes hands gives way to those that come */
	second = unit_connect(port());
	third = unit_connect(port());
	read_end(second);
	close(third);
	close(first);
	stop();
}
END_TEST

START_TEST(test_malformed_for_ever)
{
	int fd;

	start();
	fd = open_session((struct str){ NULL, 0 });
	for (int i = 0; i < 64; i++)
		say(fd, "{");
	expect(fd, "\x03\xf0no primitives");
	close(fd);
	stop();
}
END_TEST

/* Drain: the pending answer comes, new requests are refused, then Close. */
START_TEST(test_drain)
{
	int busy, idle;

	cse_silent = true;
	conf.timeout_ms = 300;
	start();
	busy = open_session((struct str){ NULL, 0 });
	idle = open_session((struct str){ NULL, 0 });
	say(busy, RETRIEVE("slow"));
	say(busy, RETRIEVE("slow"));	/* refused: the first has arrived */
	expect(busy, "is pending\"}}");
	gateway_stop(gateway);
	expect(idle, "\x03\xf4restarting");
	say(busy, RETRIEVE("late"));
	expect(busy, "{\"rsc\":5103,\"rqi\":\"late\"");
	expect(busy, "{\"rsc\":4008,\"rqi\":\"slow\"");
	expect(busy, "\x03\xf4restarting");
	close(idle);
	close(busy);
	pthread_join(gateway_thread, NULL);
	gateway_destroy(gateway);
	shutdown(cse_fd, SHUT_RDWR);
	pthread_join(cse_thread, NULL);
	close(cse_fd);
}
END_TEST

START_TEST(test_port_is_taken)
{
	static const struct log_conf none = { .level = LOG_LEVEL_ERROR };
	char text[32];
	int fd;

	log_setup(&none, -1);		/* it says so, which is not wanted */
	snprintf(text, sizeof(text), "127.0.0.1:%u", listen_anywhere(&fd));
	ck_assert_int_eq(addr_parse(&listeners[0].addr, str_of(text)), 0);
	ck_assert_int_eq(gateway_create(&gateway, &conf, NULL, 0), UV_EADDRINUSE);
	close(fd);
	shutdown(cse_fd, SHUT_RDWR);
	pthread_join(cse_thread, NULL);
	close(cse_fd);
}
END_TEST

/* Turns that were had are believed in; one must be had in between. */
START_TEST(test_alive)
{
	ck_assert_int_eq(gateway_create(&gateway, &conf, NULL, 0), 0);
	ck_assert(!gateway_is_alive(gateway));
	ck_assert(!gateway_is_alive(gateway));
	ck_assert_int_eq(pthread_create(&gateway_thread, NULL, gateway_main,
					NULL), 0);
	while (!gateway_is_alive(gateway))
		sched_yield();
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gateway");
	TCase *tc = tcase_create("gateway");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_request);
	tcase_add_test(tc, test_request_behind_the_handshake);
	tcase_add_test(tc, test_several_workers);
	tcase_add_loop_test(tc, test_refusal, 0, ARRAY_LEN(refusals));
	tcase_add_test(tc, test_max_sessions);
	tcase_add_test(tc, test_malformed_for_ever);
	tcase_add_test(tc, test_drain);
	tcase_add_test(tc, test_alive);
	tcase_add_test(tc, test_port_is_taken);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
