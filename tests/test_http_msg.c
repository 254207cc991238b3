#include "unit.h"

#include "http/http_head.h"
#include "http_msg_rows.h"

#define LIMITS { .max_head = 256, .max_headers = 6, .max_body = 32 }

static const char *const hosts_good[] = {
	"h", "h:80", "h:", "192.0.2.1:8180", "[::1]", "[2001:db8::1]:80",
	"cse-1.example.com", "a_b",
};

static const char *const hosts_bad[] = {
	"", ":80", "h:123456", "h:8x", "h/a", "u@h", "a b", "a,b", "[]",
	"[::1", "[::1]80", "[::1]:8x", "[::1]:123456", "[h]", "h%41", "h:1:2",
};

static struct http_parser *parser_new(enum http_kind kind)
{
	const struct http_limits limits = LIMITS;
	struct http_parser *p;

	ck_assert_int_eq(http_parser_create(&p, kind, &limits), 0);
	return p;
}

static void note_message(struct buf *out, const struct http_msg *m)
{
	if (m->kind == HTTP_KIND_REQUEST) {
		buf_add_str(out, m->method);
		buf_add_char(out, ' ');
		buf_add_str(out, m->target);
	} else {
		buf_add_u64(out, (uint64_t)m->status);
	}
	buf_add_str(out, m->minor == 1 ? STR(" 1.1") : STR(" 1.0"));
	buf_add_str(out, m->keep_alive ? STR(" keep [") : STR(" close ["));
	buf_add_str(out, m->body);
	buf_add_str(out, STR("];"));
}

static void note_error(struct buf *out, struct http_parser *p, int err)
{
	buf_add_str(out, err == ERR_PROTO ? STR("ERR_PROTO ") :
					    STR("ERR_LIMIT "));
	buf_add_u64(out, (uint64_t)http_parser_status(p));
	ck_assert(err == ERR_PROTO || err == ERR_LIMIT);
	ck_assert_ptr_nonnull(http_parser_why(p));
	ck_assert_int_eq(http_parser_feed(p, "x", 1), err);
	ck_assert_int_eq(http_parser_finish(p), err);
}

/* What is heard when `in` comes in pieces of at most `step` octets and the
 * peer closes behind it. */
static void play(struct buf *out, enum http_kind kind, struct str in,
		 size_t step)
{
	struct http_parser *p = parser_new(kind);
	ssize_t n = 0;

	buf_clear(out);
	while (in.len > 0) {
		n = http_parser_feed(p, in.p, in.len < step ? in.len : step);
		if (n < 0)
			break;
		in = str_skip(in, (size_t)n);
		if (http_parser_message(p) == NULL)
			continue;
		ck_assert(!http_parser_busy(p));
		ck_assert_int_eq(http_parser_feed(p, "x", 1), 0);
		note_message(out, http_parser_message(p));
		http_parser_next(p);
	}
	if (n >= 0)
		n = http_parser_finish(p);
	if (n < 0)
		note_error(out, p, (int)n);
	else if (http_parser_message(p) != NULL)
		note_message(out, http_parser_message(p));
	http_parser_destroy(p);
}

static void check_row(const struct row *row, enum http_kind kind)
{
	struct buf got = { 0 };

	for (size_t step = 1; step <= row->in.len + 1; step++) {
		play(&got, kind, row->in, step);
		ck_assert_msg(str_eq(buf_str(&got), str_of(row->want)),
			      "%s, by %zu: %.*s", row->name, step,
			      (int)got.len, got.p);
	}
	buf_deinit(&got);
}

/* A first message that is cut short at any octet is none. */
static void check_cuts(const struct row *row, enum http_kind kind)
{
	for (size_t len = 0; len < row->in.len; len++) {
		struct http_parser *p = parser_new(kind);
		ssize_t n = http_parser_feed(p, row->in.p, len);
		bool whole = http_parser_message(p) != NULL;

		ck_assert_msg(!whole || (n >= 0 && (size_t)n <= len), "%s",
			      row->name);
		if (whole)
			len = row->in.len;
		else if (n >= 0 && http_parser_busy(p) &&
			 (kind == HTTP_KIND_REQUEST ||
			  strstr(row->in.p, "Content-Length") != NULL))
			ck_assert_msg(http_parser_finish(p) == ERR_PROTO, "%s",
				      row->name);
		http_parser_destroy(p);
	}
}

START_TEST(test_request)
{
	check_row(&requests[_i], HTTP_KIND_REQUEST);
	check_cuts(&requests[_i], HTTP_KIND_REQUEST);
}
END_TEST

START_TEST(test_response)
{
	check_row(&responses[_i], HTTP_KIND_RESPONSE);
	check_cuts(&responses[_i], HTTP_KIND_RESPONSE);
}
END_TEST

static bool feed_head(const char *head, size_t len)
{
	struct http_parser *p = parser_new(HTTP_KIND_REQUEST);
	ssize_t n = http_parser_feed(p, head, len);

	http_parser_destroy(p);
	return n == (ssize_t)len;
}

/* One octet of a header's name, then of its value, at each place of a word of
 * eight. */
static void check_octet(int octet)
{
	char c = (char)octet;
	bool in_name = http_is_token((struct str){ &c, 1 }) || c == ':';
	bool in_value = (octet >= ' ' && octet != 0x7f) || c == '\t';

	for (size_t at = 0; at < 9; at++) {
		char head[] = "GET / HTTP/1.1\r\nHost: h\r\n"
			      "abcdefghij: abcdefghijkl\r\n\r\n";
		char *line = strstr(head, "abc");

		line[1 + at] = c;
		ck_assert_msg(feed_head(head, sizeof(head) - 1) == in_name,
			      "%#x in a name", octet);
		line[1 + at] = 'x';
		line[12 + at] = c;
		ck_assert_msg(feed_head(head, sizeof(head) - 1) == in_value,
			      "%#x in a value", octet);
	}
}

START_TEST(test_octets)
{
	for (int octet = 0; octet < 256; octet++)
		check_octet(octet);
}
END_TEST

static bool feed_host(const char *host)
{
	char text[128];
	int n = snprintf(text, sizeof(text),
			 "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);

	return feed_head(text, (size_t)n);
}

START_TEST(test_host)
{
	for (size_t i = 0; i < ARRAY_LEN(hosts_good); i++)
		ck_assert_msg(feed_host(hosts_good[i]), "%s", hosts_good[i]);
	for (size_t i = 0; i < ARRAY_LEN(hosts_bad); i++)
		ck_assert_msg(!feed_host(hosts_bad[i]), "%s", hosts_bad[i]);
}
END_TEST

/* What llhttp finds before we do is refused by the checks of our own, too. */
static const struct {
	const char *name;
	enum http_kind kind;
	int minor, status;
	struct http_header headers[3];
	size_t count;
	int want;			/* 0: accepted */
} fields[] = {
	{ "Host", HTTP_KIND_REQUEST, 1, 0,
	  { { STR_INIT("Host"), STR_INIT("h") } }, 1, 0 },
	{ "no Host in HTTP/1.0", HTTP_KIND_REQUEST, 0, 0,
	  { { STR_INIT(""), STR_INIT("") } }, 0, 0 },
	{ "Content-Length repeated", HTTP_KIND_RESPONSE, 1, 200,
	  { { STR_INIT("Content-Length"), STR_INIT("1") },
	    { STR_INIT("content-length"), STR_INIT("1") } }, 2, 400 },
	{ "Content-Length malformed", HTTP_KIND_RESPONSE, 1, 200,
	  { { STR_INIT("Content-Length"), STR_INIT("+1") } }, 1, 400 },
	{ "Content-Length beside Transfer-Encoding", HTTP_KIND_RESPONSE, 1,
	  200, { { STR_INIT("Content-Length"), STR_INIT("1") },
		 { STR_INIT("Transfer-Encoding"), STR_INIT("chunked") } }, 2,
	  400 },
	{ "chunked twice", HTTP_KIND_RESPONSE, 1, 200,
	  { { STR_INIT("Transfer-Encoding"), STR_INIT("chunked") },
	    { STR_INIT("Transfer-Encoding"), STR_INIT("chunked") } }, 2,
	  501 },
	{ "Expect is for requests", HTTP_KIND_RESPONSE, 1, 200,
	  { { STR_INIT("Expect"), STR_INIT("100-continue") } }, 1, 0 },
};

START_TEST(test_fields)
{
	struct http_msg m = {
		.kind = fields[_i].kind,
		.minor = fields[_i].minor,
		.status = fields[_i].status,
		.headers = fields[_i].headers,
		.header_count = fields[_i].count,
	};
	struct head_framing framing;
	struct http_fault f = { 0 };
	bool ok = head_check_fields(&framing, &m, false, &f);

	ck_assert_msg(ok == (fields[_i].want == 0) &&
		      f.status == fields[_i].want, "%s", fields[_i].name);
	ck_assert(!m.expect_continue);
}
END_TEST

static void feed_all(struct http_parser *p, struct str s)
{
	ck_assert_int_eq(http_parser_feed(p, s.p, s.len), (ssize_t)s.len);
}

START_TEST(test_headers)
{
	struct http_parser *p = parser_new(HTTP_KIND_REQUEST);
	const struct http_msg *m;

	feed_all(p, STR("GET / HTTP/1.1\r\nhOST: h\r\nX-M2m-Rsc:\t2000 \t\r\n"
			"A: x , Y,,z\r\na: \"q\",w\r\nEmpty:\r\n\r\n"));
	m = http_parser_message(p);
	ck_assert_uint_eq(m->header_count, 5);
	ck_assert(str_eq(http_msg_header(m, STR("X-M2M-RSC")), STR("2000")));
	ck_assert(str_eq(http_msg_header(m, STR("A")), STR("x , Y,,z")));
	ck_assert_ptr_nonnull(http_msg_header(m, STR("empty")).p);
	ck_assert_uint_eq(http_msg_header(m, STR("empty")).len, 0);
	ck_assert_ptr_null(http_msg_header(m, STR("B")).p);
	ck_assert_uint_eq(http_msg_count(m, STR("a")), 2);
	ck_assert_uint_eq(http_msg_count(m, STR("b")), 0);
	ck_assert(http_msg_has_token(m, STR("A"), STR("y")));
	ck_assert(http_msg_has_token(m, STR("A"), STR("W")));
	ck_assert(!http_msg_has_token(m, STR("A"), STR("q")));
	ck_assert(!http_msg_has_token(m, STR("B"), STR("x")));
	http_parser_destroy(p);
}
END_TEST

START_TEST(test_no_body)
{
	struct http_parser *p = parser_new(HTTP_KIND_RESPONSE);
	const struct str head = STR("HTTP/1.1 200 OK\r\n"
				    "Content-Length: 999\r\n\r\n");

	http_parser_expect_no_body(p);
	feed_all(p, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	feed_all(p, head);
	ck_assert_ptr_nonnull(http_parser_message(p));
	ck_assert(http_parser_message(p)->keep_alive);
	ck_assert(!http_parser_message(p)->has_body);
	http_parser_next(p);
	http_parser_expect_no_body(p);
	feed_all(p, STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
			"\r\n"));
	ck_assert_ptr_nonnull(http_parser_message(p));
	http_parser_next(p);
	http_parser_expect_no_body(p);
	feed_all(p, STR("HTTP/1.1 200 OK\r\n\r\n"));
	ck_assert(http_parser_message(p)->keep_alive);

	http_parser_next(p);	/* it holds for one message */
	ck_assert_int_eq(http_parser_feed(p, head.p, head.len), ERR_LIMIT);
	http_parser_next(p);	/* and a dead parser stays so */
	ck_assert_int_eq(http_parser_feed(p, head.p, head.len), ERR_LIMIT);
	ck_assert_int_eq(http_parser_status(p), 413);
	http_parser_destroy(p);
}
END_TEST

/* Where one was asked for, a 101 is the last of HTTP; else test_response. */
START_TEST(test_upgrade)
{
	struct http_parser *p = parser_new(HTTP_KIND_RESPONSE);
	const struct str octets = STR("HTTP/1.1 101 Switching Protocols\r\n"
				      "Upgrade: websocket\r\n"
				      "Connection: Upgrade\r\n\r\n\x81\x00");

	http_parser_expect_upgrade(p);
	feed_all(p, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	ck_assert_int_eq(http_parser_feed(p, octets.p, octets.len),
			 (ssize_t)octets.len - 2);
	ck_assert_ptr_nonnull(http_parser_message(p));
	ck_assert_int_eq(http_parser_message(p)->status, 101);
	http_parser_destroy(p);
}
END_TEST

START_TEST(test_continue)
{
	struct http_parser *p = parser_new(HTTP_KIND_REQUEST);

	feed_all(p, STR("POST / HTTP/1.1\r\n" H "Content-Length: 2\r\n"
			"Expect: 100-Continue\r\n\r"));
	ck_assert(!http_parser_wants_continue(p));
	feed_all(p, STR("\n"));
	ck_assert(http_parser_busy(p));
	ck_assert(http_parser_wants_continue(p));
	ck_assert(!http_parser_wants_continue(p));
	feed_all(p, STR("ab"));
	ck_assert(http_parser_message(p)->expect_continue);
	ck_assert(http_parser_message(p)->has_body);

	http_parser_next(p);
	feed_all(p, STR("POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
			"Expect: 100-continue\r\n\r\nx"));
	ck_assert(!http_parser_wants_continue(p));

	http_parser_next(p);	/* RFC 9110 10.1.1 */
	feed_all(p, STR("POST / HTTP/1.0\r\nContent-Length: 1\r\n"
			"Expect: 100-continue\r\n\r\n"));
	ck_assert(!http_parser_wants_continue(p));
	http_parser_destroy(p);
}
END_TEST

/* Large messages go through, and a parser lives through many of them. */
START_TEST(test_large)
{
	const struct http_limits limits = { 65536, 100, 1 << 20 };
	struct http_parser *p;
	struct buf in = { 0 };

	ck_assert_int_eq(http_parser_create(&p, HTTP_KIND_REQUEST, &limits),
			 0);
	buf_add_str(&in, STR("POST / HTTP/1.1\r\n" H
			     "Content-Length: 1048576\r\n"));
	for (int i = 0; i < 98; i++)
		buf_add_str(&in, STR("X: " A64 "\r\n"));
	buf_add_str(&in, STR("\r\n"));
	for (int i = 0; i < 1 << 20; i++)
		buf_add_char(&in, 'b');
	for (int i = 0; i < 3; i++) {
		feed_all(p, buf_str(&in));
		ck_assert_uint_eq(http_parser_message(p)->header_count, 100);
		ck_assert(str_eq(http_parser_message(p)->target, STR("/")));
		ck_assert_uint_eq(http_parser_message(p)->body.len, 1 << 20);
		http_parser_next(p);
	}
	buf_deinit(&in);
	http_parser_destroy(p);
}
END_TEST

START_TEST(test_words)
{
	ck_assert(http_is_token(STR("oneM2M.R2.0.json")));
	ck_assert(!http_is_token(STR("")));
	ck_assert(!http_is_token(STR("a b")));
	ck_assert(!http_is_token(STR("a\xc3\xa4")));
	ck_assert(http_is_field_value(STR("a b\t~")));
	ck_assert(http_is_field_value(STR("")));
	ck_assert(!http_is_field_value(STR("a\r\nb")));
	ck_assert(!http_is_field_value(STR("a\0")));
	ck_assert(!http_is_field_value(STR("a\x7f")));
	ck_assert(!http_is_field_value(STR("\xc3\xa4")));
	ck_assert_str_eq(http_status_text(404), "Not Found");
	ck_assert_str_eq(http_status_text(499), "Client Error");
	ck_assert_str_eq(http_status_text(99), "Unknown");
	ck_assert_str_eq(http_status_text(600), "Unknown");
	http_parser_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_msg");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, test_request, 0, ARRAY_LEN(requests));
	tcase_add_loop_test(tc, test_response, 0, ARRAY_LEN(responses));
	tcase_add_loop_test(tc, test_fields, 0, ARRAY_LEN(fields));
	tcase_add_test(tc, test_octets);
	tcase_add_test(tc, test_host);
	tcase_add_test(tc, test_headers);
	tcase_add_test(tc, test_no_body);
	tcase_add_test(tc, test_upgrade);
	tcase_add_test(tc, test_continue);
	tcase_add_test(tc, test_large);
	tcase_add_test(tc, test_words);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
