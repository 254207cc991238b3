#ifndef TESTS_HTTP_FUZZ_H
#define TESTS_HTTP_FUZZ_H

#include <stdlib.h>

#include "http/http_msg.h"

/*
 * What the fuzz targets of the parser share: octets are fed in pieces, and
 * all that comes out is written down, so that two ways of cutting can be
 * compared. judge(), may be NULL, looks at each message.
 */
struct http_fuzz {
	enum http_kind kind;
	void (*judge)(struct buf *record, const struct http_msg *m);
};

static inline void fuzz_need(bool holds)
{
	if (!holds)
		abort();
}

static inline void fuzz_line(struct buf *record, struct str s)
{
	buf_add_str(record, s);
	buf_add_char(record, '\n');
}

/* What no message may be like, whatever came in. */
static inline void fuzz_check(const struct http_msg *m)
{
	size_t lengths = http_msg_count(m, STR("Content-Length"));
	size_t codings = http_msg_count(m, STR("Transfer-Encoding"));

	fuzz_need(m->minor == 0 || m->minor == 1);
	fuzz_need(lengths + codings <= 1);
	for (size_t i = 0; i < m->header_count; i++) {
		fuzz_need(http_is_token(m->headers[i].name));
		for (size_t k = 0; k < m->headers[i].value.len; k++)
			fuzz_need(strchr("\r\n", m->headers[i].value.p[k]) ==
				  NULL);
	}
	if (m->kind == HTTP_KIND_RESPONSE) {
		fuzz_need(m->status >= 200 && m->status <= 599);
		return;
	}
	fuzz_need(http_is_token(m->method));
	fuzz_need(str_starts(m->target, STR("/")));
	fuzz_need(http_is_field_value(m->target));
	fuzz_need(http_msg_count(m, STR("Host")) == 1 || m->minor == 0);
	fuzz_need(m->body.len == 0 || lengths + codings == 1);
}

static inline void fuzz_note(struct buf *record, const struct http_msg *m)
{
	fuzz_line(record, m->method);
	fuzz_line(record, m->target);
	buf_add_i64(record, m->status);
	buf_add_i64(record, m->minor);
	buf_add_i64(record, m->keep_alive);
	buf_add_i64(record, m->has_body);
	buf_add_i64(record, m->expect_continue);
	for (size_t i = 0; i < m->header_count; i++) {
		fuzz_line(record, m->headers[i].name);
		fuzz_line(record, m->headers[i].value);
	}
	fuzz_line(record, m->body);
}

static inline void fuzz_message(struct buf *record, const struct http_fuzz *f,
				struct http_parser *p)
{
	const struct http_msg *m = http_parser_message(p);

	fuzz_check(m);
	fuzz_note(record, m);
	if (f->judge != NULL)
		f->judge(record, m);
}

static inline void fuzz_play(struct buf *record, const struct http_fuzz *f,
			     struct str in, size_t piece)
{
	const struct http_limits limits = { 512, 16, 128 };
	struct http_parser *p;
	ssize_t n = 0;

	fuzz_need(http_parser_create(&p, f->kind, &limits) == 0);
	while (in.len > 0) {
		n = http_parser_feed(p, in.p,
				     in.len < piece ? in.len : piece);
		if (n < 0)
			break;
		in = str_skip(in, (size_t)n);
		if (http_parser_message(p) == NULL)
			continue;
		fuzz_message(record, f, p);
		http_parser_next(p);
	}
	if (n >= 0)
		n = http_parser_finish(p);
	if (n >= 0 && http_parser_message(p) != NULL)
		fuzz_message(record, f, p);
	buf_add_i64(record, n);
	if (n < 0)
		buf_add_i64(record, http_parser_status(p));
	http_parser_destroy(p);
}

static inline void fuzz_compare(const struct http_fuzz *f, struct str in)
{
	struct buf whole = { 0 }, pieces = { 0 };

	fuzz_play(&whole, f, in, SIZE_MAX);
	fuzz_play(&pieces, f, in, 1);
	fuzz_need(str_eq(buf_str(&whole), buf_str(&pieces)));
	buf_clear(&pieces);
	fuzz_play(&pieces, f, in, in.len % 13 + 2);
	fuzz_need(str_eq(buf_str(&whole), buf_str(&pieces)));
	buf_deinit(&whole);
	buf_deinit(&pieces);
}

#endif
