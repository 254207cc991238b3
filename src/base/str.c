#include "base/str.h"

#include <stdlib.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_ows(char c)
{
	return c == ' ' || c == '\t';
}

bool str_ieq_long(struct str a, struct str b)
{
	size_t i = 0;

	for (; a.len - i >= 8; i += 8) {
		uint64_t x, y;

		memcpy(&x, a.p + i, 8);
		memcpy(&y, b.p + i, 8);
		if (x != y)
			break;
	}
	for (; i < a.len; i++)
		if (a.p[i] != b.p[i] && lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       str_eq((struct str){ s.p, prefix.len }, prefix);
}

bool str_istarts(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       str_ieq((struct str){ s.p, prefix.len }, prefix);
}

struct str str_skip(struct str s, size_t n)
{
	if (n >= s.len)
		return (struct str){ NULL, 0 };
	return (struct str){ s.p + n, s.len - n };
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && is_ows(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_ows(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool str_cut(struct str s, char sep, struct str *head, struct str *tail)
{
	const char *at = s.len > 0 ? memchr(s.p, sep, s.len) : NULL;

	if (at == NULL) {
		*head = s;
		*tail = (struct str){ NULL, 0 };
		return false;
	}
	*head = str_range(s.p, at);
	*tail = str_range(at + 1, s.p + s.len);
	return true;
}

static bool is_between(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

bool str_word(struct str *word, struct str *rest)
{
	size_t n = 0;

	while (rest->len > 0 && is_between(rest->p[0]))
		*rest = str_skip(*rest, 1);
	while (n < rest->len && !is_between(rest->p[n]))
		n++;
	*word = (struct str){ rest->p, n };
	*rest = str_skip(*rest, n);
	return n > 0;
}

bool str_to_u64(uint64_t *out, struct str s)
{
	uint64_t n = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

void buf_deinit(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

static bool grow(struct buf *b, size_t cap)
{
	char *p = realloc(b->p, cap);

	if (p == NULL) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

bool buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap > 0 ? b->cap : 256;

	if (b->failed)
		return false;
	if (b->cap - b->len >= n)
		return true;
	while (cap - b->len < n) {
		if (cap > SIZE_MAX / 2) {
			b->failed = true;
			return false;
		}
		cap *= 2;
	}
	return grow(b, cap);
}

bool buf_reserve_exact(struct buf *b, size_t n)
{
	if (b->failed)
		return false;
	if (b->cap - b->len >= n)
		return true;
	if (n > SIZE_MAX - b->len) {
		b->failed = true;
		return false;
	}
	return grow(b, b->len + n);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n < b->len)
		memmove(b->p, b->p + n, b->len - n);
	b->len -= n;
}

void buf_add_u64(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_add_i64(struct buf *b, int64_t n)
{
	if (n < 0)
		buf_add_char(b, '-');
	buf_add_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static void add_json_escape(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char named[] = "btn\0fr";	/* 0x08 to 0x0d */

	buf_add_char(b, '\\');
	if (c == '"' || c == '\\') {
		buf_add_char(b, (char)c);
	} else if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
		buf_add_char(b, named[c - 0x08]);
	} else {
		buf_add_lit(b, "u00");
		buf_add_char(b, hex[c >> 4]);
		buf_add_char(b, hex[c & 15]);
	}
}

static const bool json_special[256] = {
	[0 ... 0x1f] = true, ['"'] = true, ['\\'] = true,
};

void buf_add_json_inside(struct buf *b, struct str s)
{
	const char *p = s.p, *from = s.p;
	const char *end = s.len > 0 ? s.p + s.len : s.p;

	for (; p < end; p++) {
		if (!json_special[(unsigned char)*p])
			continue;
		buf_add_str(b, str_range(from, p));
		add_json_escape(b, (unsigned char)*p);
		from = p + 1;
	}
	buf_add_str(b, str_range(from, end));
}

void buf_add_json(struct buf *b, struct str s)
{
	buf_add_char(b, '"');
	buf_add_json_inside(b, s);
	buf_add_char(b, '"');
}

static bool has_short_escape(char c)
{
	return c == '"' || c == '\\' || (c >= 0x08 && c <= 0x0d && c != 0x0b);
}

size_t str_json_len(struct str s)
{
	size_t len = s.len;

	for (size_t i = 0; i < s.len; i++)
		if (json_special[(unsigned char)s.p[i]])
			len += has_short_escape(s.p[i]) ? 1 : 5;
	return len;
}

void buf_add_percent(struct buf *b, struct str s, const bool keep[256])
{
	static const char hex[] = "0123456789ABCDEF";
	size_t from = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char code[3] = { '%', hex[c >> 4], hex[c & 15] };

		if (keep[c])
			continue;
		buf_add(b, s.p + from, i - from);
		buf_add(b, code, sizeof(code));
		from = i + 1;
	}
	if (s.len > from)
		buf_add(b, s.p + from, s.len - from);
}
