#include "unit.h"

#include "ws/ws_ask.h"
#include "ws/ws_handshake.h"

#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="		/* RFC 6455 1.3 */
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define SUB    "Sec-WebSocket-Protocol: oneM2M.json\r\n"
#define UP     "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static const struct http_limits limits = { 4096, 32, 4096 };

static struct ws_ask ask;

static void setup(void)
{
	ask = (struct ws_ask){
		.authority = STR("gw.example.org:8180"),
		.target = STR("/x?y=1"),
		.subprotocol = STR("oneM2M.json"),
	};
}

static struct http_parser *feed(enum http_kind kind, struct str octets)
{
	struct http_parser *p;

	ck_assert_int_eq(http_parser_create(&p, kind, &limits), 0);
	if (kind == HTTP_KIND_RESPONSE)
		http_parser_expect_upgrade(p);
	ck_assert_int_eq(http_parser_feed(p, octets.p, octets.len),
			 (ssize_t)octets.len);
	ck_assert_ptr_nonnull(http_parser_message(p));
	return p;
}

static const struct {
	const char *name;
	const char *answer;
	bool fine;
} answers[] = {
	{ "as asked", "HTTP/1.1 101 S\r\n" UP ACCEPT SUB "\r\n", true },
	{ "no 101", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false },
	{ "no Upgrade",
	  "HTTP/1.1 101 S\r\nConnection: Upgrade\r\n" ACCEPT SUB "\r\n",
	  false },
	{ "no Connection",
	  "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n" ACCEPT SUB "\r\n",
	  false },
	{ "no Accept", "HTTP/1.1 101 S\r\n" UP SUB "\r\n", false },
	{ "of another key", "HTTP/1.1 101 S\r\n" UP
	  "Sec-WebSocket-Accept: t3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" SUB "\r\n",
	  false },
	{ "no sub-protocol", "HTTP/1.1 101 S\r\n" UP ACCEPT "\r\n", false },
	{ "another sub-protocol", "HTTP/1.1 101 S\r\n" UP ACCEPT
	  "Sec-WebSocket-Protocol: oneM2M.xml\r\n\r\n", false },
	{ "an extension", "HTTP/1.1 101 S\r\n" UP ACCEPT SUB
	  "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", false },
};

START_TEST(test_answer)
{
	struct http_parser *p = feed(HTTP_KIND_RESPONSE,
				     str_of(answers[_i].answer));
	const char *why = ws_ask_fault(http_parser_message(p), &ask, KEY);

	ck_assert_msg((why == NULL) == answers[_i].fine, "%s: %s",
		      answers[_i].name, why);
	http_parser_destroy(p);
}
END_TEST

/* Our own server takes it. */
START_TEST(test_request)
{
	const struct ws_handshake_conf conf = {
		.formats = 1u << FORMAT_JSON,
		.default_format = -1,
	};
	char key[WS_KEY_LEN + 1];
	struct ws_handshake h;
	struct http_parser *p;
	struct buf out = { 0 };
	const char *why = "";

	ask.originator = STR("Cmeter7");
	ask.token = STR("meter.secret");
	ck_assert_int_eq(ws_ask_key(key), 0);
	ck_assert_int_eq(ws_ask_write(&out, &ask, key), 0);
	p = feed(HTTP_KIND_REQUEST, buf_str(&out));
	ck_assert_msg(ws_handshake_check(&h, &why, http_parser_message(p),
					 &conf) == 101, "%s", why);
	ck_assert(str_eq(http_parser_message(p)->target, STR("/x?y=1")));
	ck_assert(str_eq(http_msg_header(http_parser_message(p),
					 STR("Authorization")),
			 STR("Bearer meter.secret")));
	http_parser_destroy(p);
	buf_deinit(&out);
}
END_TEST

static const struct {
	const char *name;
	struct str originator, target;
} bad[] = {
	{ "two lines in the originator", STR_INIT("C\r\nX: y"),
	  STR_INIT("/") },
	{ "a blank in the target", STR_INIT("C"), STR_INIT("/a b") },
	{ "a target without a slash", STR_INIT("C"), STR_INIT("a") },
};

START_TEST(test_bad)
{
	struct buf out = { 0 };

	ask.originator = bad[_i].originator;
	ask.target = bad[_i].target;
	ck_assert_msg(ws_ask_write(&out, &ask, KEY) == ERR_PROTO, "%s",
		      bad[_i].name);
	ck_assert_uint_eq(out.len, 0);
	buf_deinit(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ws_ask");
	TCase *tc = tcase_create("ws_ask");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, test_answer, 0, ARRAY_LEN(answers));
	tcase_add_test(tc, test_request);
	tcase_add_loop_test(tc, test_bad, 0, ARRAY_LEN(bad));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
