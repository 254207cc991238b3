#ifndef TESTS_HTTP_MAP_UTIL_H
#define TESTS_HTTP_MAP_UTIL_H

/*
 * What the tests of http_map share: primitives from JSON, and a reading of
 * HTTP heads of their own, so that no writer is judged by its own mirror.
 */
#include "backend/http_map.h"
#include "m2m/codec.h"
#include "unit.h"

#define TEST_HOST  "cse.example.org:8080"
#define MAX_LINES  64

static const struct http_map_conf test_conf = {
	.host = STR_INIT(TEST_HOST),
	.codec = { .max_depth = 64, .max_tokens = 4096 },
};

static const struct http_map_reply test_reply = {
	.codec = { .max_depth = 64, .max_tokens = 4096 },
};

struct test_head {
	struct str start;
	struct http_header headers[MAX_LINES];
	size_t count;
	struct str body;
};

/* Only visible ASCII and spaces, lines ending in CRLF, an empty line. */
static inline void head_parse(struct test_head *h, struct str text)
{
	memset(h, 0, sizeof(*h));
	for (size_t line = 0;; line++) {
		const char *end = memchr(text.p, '\r', text.len);
		struct str one;

		unit_must(end != NULL);
		one = str_range(text.p, end);
		unit_must(text.len >= one.len + 2 && end[1] == '\n');
		for (size_t i = 0; i < one.len; i++)
			unit_must(one.p[i] >= 0x20 && one.p[i] <= 0x7e);
		text = (struct str){ end + 2, text.len - one.len - 2 };
		if (one.len == 0)
			break;
		if (line == 0) {
			h->start = one;
			continue;
		}
		unit_must(h->count < MAX_LINES);
		unit_must(str_cut(one, ':', &h->headers[h->count].name,
				  &h->headers[h->count].value));
		h->headers[h->count].value =
			str_trim(h->headers[h->count].value);
		h->count++;
	}
	h->body = text;
}

static inline struct http_msg head_request(const struct test_head *h)
{
	struct http_msg msg = { .kind = HTTP_KIND_REQUEST, .minor = 1 };
	struct str rest;

	unit_must(str_cut(h->start, ' ', &msg.method, &rest));
	unit_must(str_cut(rest, ' ', &msg.target, &rest));
	unit_must(str_eq(rest, STR("HTTP/1.1")));
	msg.headers = h->headers;
	msg.header_count = h->count;
	msg.body = h->body;
	return msg;
}

static inline struct http_msg head_response(const struct test_head *h)
{
	struct http_msg msg = { .kind = HTTP_KIND_RESPONSE, .minor = 1 };

	unit_must(str_starts(h->start, STR("HTTP/1.1 ")));
	msg.status = atoi(h->start.p + 9);
	msg.headers = h->headers;
	msg.header_count = h->count;
	msg.body = h->body;
	return msg;
}

static inline void prim_of(struct prim *p, const char *json, const char *name)
{
	const char *why = "";
	int err = codec_json.decode(p, &why, &test_conf.codec, str_of(json));

	ck_assert_msg(err == 0, "%s: decode: %s", name, why);
}

static inline void check_text(struct str got, const char *want,
			      const char *name)
{
	ck_assert_msg(str_eq(got, str_of(want)),
		      "%s\n--- got\n%.*s\n--- want\n%s",
		      name, (int)got.len, got.len > 0 ? got.p : "", want);
}

#endif
