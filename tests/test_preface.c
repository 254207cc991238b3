#include "unit.h"

#include <sys/ioctl.h>

#include "net/addr.h"
#include "net/preface.h"

#define V1  "PROXY TCP4 192.0.2.1 127.0.0.1 4711 443\r\n"
#define V2  "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" \
	    "\xc0\0\2\1\x7f\0\0\1\x12\x67\1\xbb"
#define WHO "192.0.2.1:4711"

static struct reactor *reactor;
static struct preface *preface;
static int peer;		/* the proxy's end; -1: closed */
static int headers, ends, end_err, given;
static char from[64];

static void on_header(void *owner, int fd, const struct sockaddr *addr)
{
	ck_assert_ptr_eq(owner, &preface);
	headers++;
	given = fd;
	from[0] = '\0';
	if (addr != NULL)
		addr_text(addr, from, sizeof(from));
}

static void on_end(void *owner, int err)
{
	ck_assert_ptr_eq(owner, &preface);
	ends++;
	end_err = err;
}

static const struct preface_ops ops = { on_header, on_end };

static void begin(uint64_t timeout_ms)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	peer = fds[1];
	ck_assert_int_eq(preface_create(&preface, reactor, fds[0], timeout_ms,
					&ops, &preface), 0);
}

static void setup(void)
{
	headers = ends = end_err = 0;
	given = peer = -1;
	ck_assert_int_eq(reactor_create(&reactor), 0);
}

static void teardown(void)
{
	if (peer >= 0)
		close(peer);
	if (given >= 0)
		close(given);
	reactor_destroy(reactor);	/* aborts when a handle is left */
}

static void turn(void)
{
	uv_run(reactor_loop(reactor), UV_RUN_NOWAIT);
}

static void until_over(void)
{
	while (headers + ends == 0)
		uv_run(reactor_loop(reactor), UV_RUN_ONCE);
}

static bool is_closed(void)
{
	struct buf nothing = { 0 };
	bool end = unit_drain(peer, &nothing);

	buf_deinit(&nothing);
	return end;
}

/* from: NULL where it is none. */
static const struct {
	const char *name;
	struct str octets;
	const char *from;
	const char *behind;		/* left in the socket */
} rows[] = {
	{ "version 1", STR_INIT(V1 "GET /"), WHO, "GET /" },
	{ "version 2", STR_INIT(V2 "GET /"), WHO, "GET /" },
	{ "nothing behind", STR_INIT(V2), WHO, "" },
	{ "another header behind it", STR_INIT(V1 V1), WHO, V1 },
	{ "nobody", STR_INIT("PROXY UNKNOWN\r\nx"), "", "x" },
	{ "HTTP", STR_INIT("GET / HTTP/1.1\r\n"), NULL, "" },
	{ "turns out wrong", STR_INIT("PROXY TCP4 x\r\n"), NULL, "" },
};

static void check(size_t i)
{
	struct buf got = { 0 };

	if (rows[i].from == NULL) {
		ck_assert_int_eq(ends, 1);
		ck_assert_int_eq(end_err, ERR_PROTO);
		ck_assert(is_closed());
		return;
	}
	ck_assert_int_eq(headers, 1);
	ck_assert_msg(strcmp(from, rows[i].from) == 0, "%s", rows[i].name);
	unit_drain(given, &got);
	ck_assert_msg(str_eq(buf_str(&got), str_of(rows[i].behind)), "%s",
		      rows[i].name);
	buf_deinit(&got);
}

START_TEST(test_whole)
{
	begin(60000);
	unit_send(peer, rows[_i].octets);
	until_over();
	check((size_t)_i);
}
END_TEST

/* What follows arrives when the header has been taken. */
START_TEST(test_octets)
{
	struct str rest = rows[_i].octets;

	begin(60000);
	for (; rest.len > 0; rest = str_skip(rest, 1)) {
		unit_send(peer, (struct str){ rest.p, 1 });
		turn();
	}
	until_over();
	check((size_t)_i);
}
END_TEST

/* A part of it does not stay in the socket, where it would wake the loop again
 * and again. */
START_TEST(test_waits)
{
	int unread = -1;

	begin(60000);
	unit_send(peer, STR("PROXY "));
	turn();
	ck_assert_int_eq(headers + ends, 0);
	ck_assert_int_eq(ioctl(peer, TIOCOUTQ, &unread), 0);
	ck_assert_int_eq(unread, 0);
	preface_destroy(preface);
	ck_assert(is_closed());
	ck_assert_int_eq(headers + ends, 0);
}
END_TEST

static const struct str slow[] = {
	STR_INIT(""), STR_INIT("P"), STR_INIT("\r\n\r\n\0\r\nQUIT\n\x21"),
};

START_TEST(test_timeout)
{
	begin(1);
	unit_send(peer, slow[_i]);
	until_over();
	ck_assert_int_eq(ends, 1);
	ck_assert_int_eq(end_err, UV_ETIMEDOUT);
	ck_assert(is_closed());
}
END_TEST

START_TEST(test_peer_goes)
{
	begin(60000);
	unit_send(peer, slow[_i]);
	close(peer);
	peer = -1;
	until_over();
	ck_assert_int_eq(ends, 1);
	ck_assert_int_eq(end_err, UV_EOF);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("preface");
	TCase *tc = tcase_create("preface");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_whole, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(tc, test_octets, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, test_waits);
	tcase_add_loop_test(tc, test_timeout, 0, ARRAY_LEN(slow));
	tcase_add_loop_test(tc, test_peer_goes, 0, ARRAY_LEN(slow));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
