#include "unit.h"

#include "ws/ws_handshake.h"

#define GET_AT(target) "GET " target " HTTP/1.1\r\nHost: gw.example:8180\r\n"
#define GET_OF(host) "GET / HTTP/1.1\r\nHost: " host "\r\n"
#define GET     GET_AT("/")
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY_IS(key) "Sec-WebSocket-Key: " key "\r\n"
#define KEY     KEY_IS("dGhlIHNhbXBsZSBub25jZQ==")
#define OFFER(names) "Sec-WebSocket-Protocol: " names "\r\n"
#define ORIGIN(from) "Origin: " from "\r\n"
#define EXTENSIONS(list) "Sec-WebSocket-Extensions: " list "\r\n"

#define BEGIN GET UPGRADE VERSION KEY
#define JSON  OFFER("oneM2M.json")
#define END   "\r\n"

#define ALL_FORMATS (1u << FORMAT_JSON | 1u << FORMAT_XML | 1u << FORMAT_CBOR)

static const struct str listed[] = {
	STR_INIT("https://good.example"), STR_INIT("http://Dev.Example:3000"),
};
static const struct str everybody[] = { STR_INIT("*") };

static const struct ws_handshake_conf strict = {
	.formats = ALL_FORMATS, .default_format = -1, .path = STR_INIT("/"),
};
static const struct ws_handshake_conf lenient = {
	.formats = 1u << FORMAT_JSON, .default_format = FORMAT_JSON,
};
static const struct ws_handshake_conf raw = {
	.default_format = -1, .any_subprotocol = true,
};
static const struct ws_handshake_conf browsers = {
	.formats = ALL_FORMATS, .default_format = -1,
	.origins = listed, .origin_count = ARRAY_LEN(listed),
};
static const struct ws_handshake_conf any_browser = {
	.formats = ALL_FORMATS, .default_format = -1,
	.origins = everybody, .origin_count = ARRAY_LEN(everybody),
};

/* subprotocol: what is echoed on 101. */
static const struct row {
	const char *name;
	const struct ws_handshake_conf *conf;
	const char *request;
	int status;
	const char *subprotocol;
} rows[] = {
	{ "a good one", &strict, BEGIN JSON END, 101, "oneM2M.json" },
	{ "as browsers send it", &strict, GET
	  "Connection: keep-alive, Upgrade\r\nPragma: no-cache\r\n"
	  "Cache-Control: no-cache\r\nUpgrade: websocket\r\n"
	  ORIGIN("https://gw.example") VERSION
	  "Sec-WebSocket-Extensions: permessage-deflate; "
	  "client_max_window_bits\r\n" KEY JSON END,
	  101, "oneM2M.json" },
	{ "WebSocket in capitals, as TS-0020 6.2.2.3 has it", &strict, GET
	  "Upgrade: WebSocket\r\nConnection: UPGRADE\r\n" VERSION KEY JSON END,
	  101, "oneM2M.json" },
	{ "several protocols to upgrade to", &strict, GET
	  "Upgrade: h2c, websocket\r\nConnection: Upgrade\r\n" VERSION KEY
	  JSON END, 101, "oneM2M.json" },
	{ "header names have no case", &strict, GET
	  "upgrade: websocket\r\nconnection: upgrade\r\n"
	  "SEC-WEBSOCKET-VERSION: 13\r\n"
	  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	  "sec-websocket-protocol: oneM2M.json\r\n" END, 101, "oneM2M.json" },

	/* method, version, path, body */
	{ "POST", &strict, "POST / HTTP/1.1\r\nHost: gw\r\n" UPGRADE VERSION
	  KEY JSON END, 405, "" },
	{ "HEAD", &strict, "HEAD / HTTP/1.1\r\nHost: gw\r\n" UPGRADE VERSION
	  KEY JSON END, 405, "" },
	{ "HTTP/1.0", &strict, "GET / HTTP/1.0\r\nHost: gw\r\n" UPGRADE
	  VERSION KEY JSON END, 400, "" },
	{ "another path", &strict, GET_AT("/ws") UPGRADE VERSION KEY JSON END,
	  404, "" },
	{ "a longer path", &strict, GET_AT("//") UPGRADE VERSION KEY JSON END,
	  404, "" },
	{ "a query does not count", &strict, GET_AT("/?a=/b") UPGRADE VERSION
	  KEY JSON END, 101, "oneM2M.json" },
	{ "any path", &lenient, GET_AT("/a/b?c") UPGRADE VERSION KEY JSON END,
	  101, "oneM2M.json" },
	{ "an announced empty body", &strict, GET UPGRADE VERSION KEY JSON
	  "Content-Length: 0\r\n" END, 101, "oneM2M.json" },

	/* Upgrade, Connection */
	{ "plain GET", &strict, GET END, 400, "" },
	{ "no Upgrade", &strict, GET "Connection: Upgrade\r\n" VERSION KEY
	  JSON END, 400, "" },
	{ "Upgrade to something else", &strict, GET
	  "Upgrade: websocket2\r\nConnection: Upgrade\r\n" VERSION KEY JSON
	  END, 400, "" },
	{ "no Connection", &strict, GET "Upgrade: websocket\r\n" VERSION KEY
	  JSON END, 400, "" },
	{ "Connection: keep-alive", &strict, GET
	  "Upgrade: websocket\r\nConnection: keep-alive\r\n" VERSION KEY JSON
	  END, 400, "" },

	/* Sec-WebSocket-Extensions: RFC 6455 9.1 */
	{ "several, over two headers", &strict, BEGIN JSON
	  EXTENSIONS("permessage-deflate; a; b=1 ; c = \"15\", x-y,")
	  EXTENSIONS("z;q=\"\\1\\5\"") EXTENSIONS("") END, 101,
	  "oneM2M.json" },
	{ "extension without name", &strict, BEGIN JSON EXTENSIONS("; a=1")
	  END, 400, "" },
	{ "extension of two words", &strict, BEGIN JSON EXTENSIONS("a b") END,
	  400, "" },
	{ "parameter without name", &strict, BEGIN JSON EXTENSIONS("a; =1")
	  END, 400, "" },
	{ "no parameter", &strict, BEGIN JSON EXTENSIONS("a;") END, 400, "" },
	{ "parameter without value", &strict, BEGIN JSON EXTENSIONS("a; b=")
	  END, 400, "" },
	{ "quoted value that is no token", &strict, BEGIN JSON
	  EXTENSIONS("a; b=\"1 2\"") END, 400, "" },
	{ "quoted value without end", &strict, BEGIN JSON
	  EXTENSIONS("a; b=\"12") END, 400, "" },
	{ "quoted backslash", &strict, BEGIN JSON
	  EXTENSIONS("a; b=\"1\\\\\"") END, 400, "" },
	{ "quoted nothing", &strict, BEGIN JSON EXTENSIONS("a; b=\"\"") END,
	  400, "" },
	{ "malformed in the second header", &strict, BEGIN JSON
	  EXTENSIONS("a") EXTENSIONS("a, ;b") END, 400, "" },

	/* Sec-WebSocket-Version */
	{ "no version", &strict, GET UPGRADE KEY JSON END, 400, "" },
	{ "version 8", &strict, GET UPGRADE "Sec-WebSocket-Version: 8\r\n" KEY
	  JSON END, 426, "" },
	{ "version 013", &strict, GET UPGRADE
	  "Sec-WebSocket-Version: 013\r\n" KEY JSON END, 426, "" },
	{ "version list", &strict, GET UPGRADE
	  "Sec-WebSocket-Version: 13, 8\r\n" KEY JSON END, 426, "" },
	{ "version twice", &strict, GET UPGRADE VERSION VERSION KEY JSON END,
	  400, "" },
	{ "version 8 comes before a missing key", &strict, GET UPGRADE
	  "Sec-WebSocket-Version: 8\r\n" JSON END, 426, "" },

	/* Sec-WebSocket-Key */
	{ "no key", &strict, GET UPGRADE VERSION JSON END, 400, "" },
	{ "two keys", &strict, BEGIN KEY JSON END, 400, "" },
	{ "empty key", &strict, GET UPGRADE VERSION KEY_IS("") JSON END,
	  400, "" },
	{ "key of 15 octets", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXBsZSBub25j") JSON END, 400, "" },
	{ "key of 17 octets", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXBsZSBub25jZWU=") JSON END, 400, "" },
	{ "key of 18 octets", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXBsZSBub25jZWVl") JSON END, 400, "" },
	{ "key without padding", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXBsZSBub25jZQ") JSON END, 400, "" },
	{ "padding misplaced", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXBsZSBub25jZ=Q=") JSON END, 400, "" },
	{ "half the padding", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXBsZSBub25jZQ=A") JSON END, 400, "" },
	{ "padding in the middle", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXB=ZSBub25jZQ==") JSON END, 400, "" },
	{ "key in base64url", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXB-ZSBub25jZ_==") JSON END, 400, "" },
	{ "space in the key", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXB ZSBub25jZQ==") JSON END, 400, "" },
	{ "brackets in the key", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXB[{SBub25jZQ==") JSON END, 400, "" },
	{ "all of the alphabet", &strict, GET UPGRADE VERSION
	  KEY_IS("azAZ09+/zzzzzzzzzzzzzA==") JSON END, 101, "oneM2M.json" },
	{ "spare bits are set", &strict, GET UPGRADE VERSION
	  KEY_IS("dGhlIHNhbXBsZSBub25jZR==") JSON END, 101, "oneM2M.json" },

	/* sub-protocols (TS-0020 6.2.2.7, 6.2.2.9) */
	{ "XML", &strict, BEGIN OFFER("oneM2M.xml") END, 101, "oneM2M.xml" },
	{ "CBOR", &strict, BEGIN OFFER("oneM2M.cbor") END, 101, "oneM2M.cbor" },
	{ "JSON of release 2", &strict, BEGIN OFFER("oneM2M.R2.0.json") END,
	  101, "oneM2M.R2.0.json" },
	{ "XML of release 2", &strict, BEGIN OFFER("oneM2M.R2.0.xml") END,
	  101, "oneM2M.R2.0.xml" },
	{ "CBOR of release 2", &strict, BEGIN OFFER("oneM2M.R2.0.cbor") END,
	  101, "oneM2M.R2.0.cbor" },
	{ "the client's spelling is echoed", &strict, BEGIN
	  OFFER("onem2m.r2.0.JSON") END, 101, "onem2m.r2.0.JSON" },
	{ "the first is preferred", &strict, BEGIN
	  OFFER("oneM2M.xml, oneM2M.json") END, 101, "oneM2M.xml" },
	{ "first over two headers", &strict, BEGIN OFFER("oneM2M.cbor") JSON
	  END, 101, "oneM2M.cbor" },
	{ "unknown ones are skipped", &strict, BEGIN
	  OFFER("chat ,\toneM2M.cbor") END, 101, "oneM2M.cbor" },
	{ "unknown over two headers", &strict, BEGIN OFFER("chat")
	  OFFER("oneM2M.R9.json,oneM2M.xml") END, 101, "oneM2M.xml" },
	{ "disabled ones are skipped", &lenient, BEGIN
	  OFFER("oneM2M.xml,oneM2M.json") END, 101, "oneM2M.json" },
	{ "empty elements", &strict, BEGIN OFFER(", ,oneM2M.json,") END,
	  101, "oneM2M.json" },
	{ "a name twice", &strict, BEGIN OFFER("oneM2M.json, oneM2M.json")
	  END, 101, "oneM2M.json" },
	{ "none offered", &strict, BEGIN END, 400, "" },
	{ "an empty list is none", &strict, BEGIN OFFER("") END, 400, "" },
	{ "only unknown", &strict, BEGIN OFFER("chat, oneM2M.yaml") END,
	  400, "" },
	{ "only disabled", &lenient, BEGIN OFFER("oneM2M.xml") END, 400, "" },
	{ "a longer name", &strict, BEGIN OFFER("oneM2M.jsonx") END, 400, "" },
	{ "name is no token", &strict, BEGIN OFFER("one M2M.json") END,
	  400, "" },
	{ "no token behind a good name", &strict, BEGIN
	  OFFER("oneM2M.json, \"a\"") END, 400, "" },
	{ "no token in another header", &strict, BEGIN JSON OFFER("a/b") END,
	  400, "" },
	{ "none offered: the default, not echoed", &lenient, BEGIN END,
	  101, "" },
	{ "raw: none needed", &raw, BEGIN END, 101, "" },
	{ "raw: none echoed", &raw, BEGIN JSON END, 101, "" },
	{ "raw: not read", &raw, BEGIN OFFER("a b") END, 101, "" },

	/* Origin (RFC 6454 7) */
	{ "nothing listed: another page", &strict, BEGIN JSON
	  ORIGIN("https://good.example") END, 403, "" },
	{ "nothing listed: null", &strict, BEGIN JSON ORIGIN("null") END, 403,
	  "" },
	{ "nothing listed: the gateway's own page", &strict, BEGIN JSON
	  ORIGIN("http://gw.example:8180") END, 101, "oneM2M.json" },
	{ "none, as devices send", &browsers, BEGIN JSON END, 101,
	  "oneM2M.json" },
	{ "listed", &browsers, BEGIN JSON ORIGIN("https://good.example") END,
	  101, "oneM2M.json" },
	{ "listed in another case", &browsers, BEGIN JSON
	  ORIGIN("http://dev.example:3000") END, 101, "oneM2M.json" },
	{ "listed, in capitals", &browsers, BEGIN JSON
	  ORIGIN("HTTPS://GOOD.EXAMPLE") END, 101, "oneM2M.json" },
	{ "the gateway's own page", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example:8180") END, 101, "oneM2M.json" },
	{ "its own page by https", &browsers, BEGIN JSON
	  ORIGIN("https://GW.example:8180") END, 101, "oneM2M.json" },
	{ "its own host, another port", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example:9") END, 101, "oneM2M.json" },
	{ "its own host, no port", &browsers, BEGIN JSON
	  ORIGIN("https://gw.example") END, 101, "oneM2M.json" },
	{ "its own host by IPv6", &browsers, GET_OF("[2001:DB8::1]:8180")
	  UPGRADE VERSION KEY JSON ORIGIN("https://[2001:db8::1]") END, 101,
	  "oneM2M.json" },
	{ "its own host by IPv4", &browsers, GET_OF("192.0.2.1")
	  UPGRADE VERSION KEY JSON ORIGIN("http://192.0.2.1:3000") END, 101,
	  "oneM2M.json" },
	{ "another IPv6 address", &browsers, GET_OF("[2001:db8::1]")
	  UPGRADE VERSION KEY JSON ORIGIN("https://[2001:db8::11]") END, 403,
	  "" },
	{ "IPv6 without an end", &browsers, GET_OF("[2001:db8::1]")
	  UPGRADE VERSION KEY JSON ORIGIN("https://[2001:db8::1") END, 403,
	  "" },
	{ "IPv6 with something behind", &browsers, GET_OF("[2001:db8::1]")
	  UPGRADE VERSION KEY JSON ORIGIN("https://[2001:db8::1].evil") END,
	  403, "" },
	{ "its own host by file", &browsers, BEGIN JSON
	  ORIGIN("file://gw.example:8180") END, 403, "" },
	{ "its own host by ws", &browsers, BEGIN JSON
	  ORIGIN("ws://gw.example:8180") END, 403, "" },
	{ "its own host with a dot", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example.") END, 403, "" },
	{ "its own host and a suffix", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example.evil.net") END, 403, "" },
	{ "its own host behind a prefix", &browsers, BEGIN JSON
	  ORIGIN("http://evilgw.example") END, 403, "" },
	{ "below its own host", &browsers, BEGIN JSON
	  ORIGIN("http://a.gw.example") END, 403, "" },
	{ "its own host as a user", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example@evil.net") END, 403, "" },
	{ "as a user with a password", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example:8180@evil.net") END, 403, "" },
	{ "a user before its own host", &browsers, BEGIN JSON
	  ORIGIN("http://user@gw.example") END, 403, "" },
	{ "its own host with a path", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example/") END, 403, "" },
	{ "its own host with a query", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example?.evil.net") END, 403, "" },
	{ "a port that is none", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example:8180x") END, 403, "" },
	{ "an empty port", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example:") END, 403, "" },
	{ "two ports", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example:80:81") END, 403, "" },
	{ "a port too high", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example:65536") END, 403, "" },
	{ "two origins in one header", &browsers, BEGIN JSON
	  ORIGIN("http://gw.example http://evil.net") END, 403, "" },
	{ "another scheme", &browsers, BEGIN JSON
	  ORIGIN("http://good.example") END, 403, "" },
	{ "a port that is the default", &browsers, BEGIN JSON
	  ORIGIN("https://good.example:443") END, 403, "" },
	{ "another port", &browsers, BEGIN JSON
	  ORIGIN("https://good.example:444") END, 403, "" },
	{ "without the port", &browsers, BEGIN JSON
	  ORIGIN("http://dev.example") END, 403, "" },
	{ "a suffix", &browsers, BEGIN JSON
	  ORIGIN("https://good.example.evil") END, 403, "" },
	{ "a trailing dot", &browsers, BEGIN JSON
	  ORIGIN("https://good.example.") END, 403, "" },
	{ "a prefix", &browsers, BEGIN JSON
	  ORIGIN("https://not-good.example") END, 403, "" },
	{ "a prefix without a hyphen", &browsers, BEGIN JSON
	  ORIGIN("https://evilgood.example") END, 403, "" },
	{ "a sub-domain", &browsers, BEGIN JSON
	  ORIGIN("https://a.good.example") END, 403, "" },
	{ "user information", &browsers, BEGIN JSON
	  ORIGIN("https://good.example@evil") END, 403, "" },
	{ "user information with a port", &browsers, BEGIN JSON
	  ORIGIN("https://good.example:443@evil") END, 403, "" },
	{ "a path", &browsers, BEGIN JSON
	  ORIGIN("https://good.example/") END, 403, "" },
	{ "null", &browsers, BEGIN JSON ORIGIN("null") END, 403, "" },
	{ "empty", &browsers, BEGIN JSON ORIGIN("") END, 403, "" },
	{ "no host", &browsers, BEGIN JSON ORIGIN("http://") END, 403, "" },
	{ "two of them", &browsers, BEGIN JSON ORIGIN("https://good.example")
	  ORIGIN("https://good.example") END, 403, "" },
	{ "an empty one beside it", &browsers, BEGIN JSON ORIGIN("")
	  ORIGIN("https://good.example") END, 403, "" },
	{ "two of them, for all", &any_browser, BEGIN JSON ORIGIN("http://a")
	  ORIGIN("http://b") END, 403, "" },
	{ "a star for all", &any_browser, BEGIN JSON ORIGIN("null") END, 101,
	  "oneM2M.json" },
};

static const struct {
	const char *name;
	struct str key;
	const char *accept;
} accepts[] = {
	{ "RFC 6455 1.3", STR_INIT("dGhlIHNhbXBsZSBub25jZQ=="),
	  "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" },
	{ "the key of TS-0020 6.2.3.4, whose example is wrong",
	  STR_INIT("ud63env87LQLd4uIV20/oQ=="),
	  "5thN0mVgdTFTgHSjknHQ8H0EtnM=" },
};

static struct http_parser *parse(const char *text, size_t step)
{
	const struct http_limits limits = { 4096, 32, 64 };
	struct http_parser *p;
	struct str in = str_of(text);

	ck_assert_int_eq(http_parser_create(&p, HTTP_KIND_REQUEST, &limits),
			 0);
	while (in.len > 0) {
		ssize_t n = http_parser_feed(p, in.p,
					     in.len < step ? in.len : step);

		ck_assert_int_gt(n, 0);
		in = str_skip(in, (size_t)n);
	}
	ck_assert_ptr_nonnull(http_parser_message(p));
	return p;
}

/* By the last letter of the name; JSON where there is none. */
static enum prim_format format_of(const char *subprotocol)
{
	size_t len = strlen(subprotocol);

	switch (len > 0 ? subprotocol[len - 1] : 'n') {
	case 'l':
		return FORMAT_XML;
	case 'r':
		return FORMAT_CBOR;
	default:
		return FORMAT_JSON;
	}
}

static void check_row(const struct row *row, size_t step)
{
	struct http_parser *p = parse(row->request, step);
	struct ws_handshake h = { 0 };
	const char *why = NULL;
	int status = ws_handshake_check(&h, &why, http_parser_message(p),
					row->conf);

	ck_assert_msg(status == row->status, "%s: %d, %s", row->name, status,
		      why == NULL ? "" : why);
	ck_assert_msg((why == NULL) == (status == 101), "%s", row->name);
	ck_assert_msg(str_eq(h.subprotocol, str_of(row->subprotocol)), "%s",
		      row->name);
	ck_assert_msg(h.format == format_of(row->subprotocol), "%s",
		      row->name);
	ck_assert_msg(strlen(h.accept) == (status == 101 ? 28 : 0), "%s",
		      row->name);
	http_parser_destroy(p);
}

START_TEST(test_check)
{
	check_row(&rows[_i], SIZE_MAX);
	check_row(&rows[_i], 1);
}
END_TEST

START_TEST(test_accept)
{
	char out[29];

	ws_handshake_accept(out, accepts[_i].key);
	ck_assert_msg(strcmp(out, accepts[_i].accept) == 0, "%s",
		      accepts[_i].name);
}
END_TEST

/* The parser refuses such a request first. */
START_TEST(test_body)
{
	struct http_parser *p = parse(BEGIN JSON END, SIZE_MAX);
	struct http_msg m = *http_parser_message(p);
	struct ws_handshake h;
	const char *why;

	ck_assert_int_eq(ws_handshake_check(&h, &why, &m, &strict), 101);
	m.has_body = true;
	ck_assert_int_eq(ws_handshake_check(&h, &why, &m, &strict), 400);
	http_parser_destroy(p);
}
END_TEST

static void check_response(const char *request,
			   const struct ws_handshake_conf *conf,
			   const char *want)
{
	struct http_parser *p = parse(request, SIZE_MAX);
	struct ws_handshake h;
	struct buf out = { 0 };
	const char *why;

	ck_assert_int_eq(ws_handshake_check(&h, &why, http_parser_message(p),
					    conf), 101);
	ws_handshake_write(&out, &h);
	ck_assert_msg(str_eq(buf_str(&out), str_of(want)), "%.*s",
		      (int)out.len, out.p);
	buf_deinit(&out);
	http_parser_destroy(p);
}

START_TEST(test_write)
{
	check_response(BEGIN OFFER("chat, onem2m.JSON") END, &strict,
		       "HTTP/1.1 101 Switching Protocols\r\n"
		       "Upgrade: websocket\r\n"
		       "Connection: Upgrade\r\n"
		       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		       "Sec-WebSocket-Protocol: onem2m.JSON\r\n\r\n");
	check_response(BEGIN END, &lenient,
		       "HTTP/1.1 101 Switching Protocols\r\n"
		       "Upgrade: websocket\r\n"
		       "Connection: Upgrade\r\n"
		       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		       "\r\n");
}
END_TEST

START_TEST(test_refusal)
{
	ck_assert(str_eq(ws_handshake_refusal_headers(405),
			 STR("Allow: GET\r\n")));
	ck_assert(str_eq(ws_handshake_refusal_headers(426),
			 STR("Upgrade: websocket\r\nConnection: Upgrade\r\n"
			     "Sec-WebSocket-Version: 13\r\n")));
	ck_assert_uint_eq(ws_handshake_refusal_headers(400).len, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ws_handshake");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, test_check, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(tc, test_accept, 0, ARRAY_LEN(accepts));
	tcase_add_test(tc, test_body);
	tcase_add_test(tc, test_write);
	tcase_add_test(tc, test_refusal);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
