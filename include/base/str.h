#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

/*
 * Bytes somebody else owns, not NUL-terminated. An empty slice may have a
 * NULL pointer.
 */
struct str {
	const char *p;
	size_t len;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_INIT(literal) { (literal), sizeof(literal) - 1 }

static inline struct str str_of(const char *z)
{
	return (struct str){ z, strlen(z) };
}

static inline struct str str_range(const char *from, const char *to)
{
	return (struct str){ from, (size_t)(to - from) };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* The slow part of str_ieq(): a and b are of one length. */
bool str_ieq_long(struct str a, struct str b);

/* ASCII letters compare without regard to case, nothing else does. */
static inline bool str_ieq(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	if (a.len == 0)
		return true;
	/* most names differ here already */
	if (((a.p[0] ^ b.p[0]) & ~0x20) != 0 ||
	    ((a.p[a.len - 1] ^ b.p[a.len - 1]) & ~0x20) != 0)
		return false;
	return str_ieq_long(a, b);
}

bool str_starts(struct str s, struct str prefix);
bool str_istarts(struct str s, struct str prefix);

/* s without its first n bytes; empty when there are fewer. */
struct str str_skip(struct str s, size_t n);

/* Without spaces and tabs at both ends (OWS of RFC 9110). */
struct str str_trim(struct str s);

/* True: sep occurs; head is before its first place, tail after it. False:
 * head is all of s and tail is empty. head or tail may alias &s. */
bool str_cut(struct str s, char sep, struct str *head, struct str *tail);

/* The next word of a list with spaces, tabs or commas between; rest begins
 * behind it. False: there is none. */
bool str_word(struct str *word, struct str *rest);

/* A decimal number without sign, all of s; false when it is none or does not
 * fit. */
MUST_CHECK bool str_to_u64(uint64_t *out, struct str s);

/*
 * A growable byte string, owned. A zeroed one is empty and valid. A failed
 * allocation makes it `failed`: later additions are ignored, so a writer
 * checks once, at its end. buf_clear() forgives.
 */
struct buf {
	char *p;
	size_t len;
	size_t cap;
	bool failed;
};

void buf_deinit(struct buf *b);		/* b may be used again */

/* Room for n more bytes without moving p; false: failed. */
bool buf_reserve(struct buf *b, size_t n);

/* The same, but not an octet more than that where p has to grow: for what has
 * a known bound. */
bool buf_reserve_exact(struct buf *b, size_t n);

/* Forgets the contents, keeps the memory. */
static inline void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* Removes n bytes from the front; n <= len. */
void buf_consume(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p, b->len };
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	if (b->cap - b->len < n && !buf_reserve(b, n))
		return;
	if (b->failed || n == 0)
		return;
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

static inline void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.len);
}

static inline void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

#define buf_add_lit(b, literal) buf_add((b), (literal), sizeof(literal) - 1)

void buf_add_u64(struct buf *b, uint64_t n);	/* decimal */
void buf_add_i64(struct buf *b, int64_t n);

/* JSON string with its quotes: escapes quote, backslash and controls; the
 * bytes are expected to be UTF-8 already. */
void buf_add_json(struct buf *b, struct str s);

/* The octets that buf_add_json() makes of s, without the quotes. */
size_t str_json_len(struct str s);

/* The inside of such a string. */
void buf_add_json_inside(struct buf *b, struct str s);

/* Appends s with every byte that `keep` does not name as %XX. keep is a
 * 256-entry table. */
void buf_add_percent(struct buf *b, struct str s, const bool keep[256]);

#endif
