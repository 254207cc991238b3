#ifndef M2M_JSON_H
#define M2M_JSON_H

#include <stdbool.h>

#include "base/str.h"

#define JSCAN_DEPTH_MAX 512

/*
 * A validating scanner for RFC 8259 text that cuts slices instead of building
 * trees. It never changes or copies its input; only jscan_unescape() writes.
 *
 * Text is UTF-8 and checked as such; \u escapes must pair their surrogates
 * (a lone one is refused); \u0000 and numbers of any size are legal.
 */
struct jscan {
	const char *p;		/* next byte */
	const char *end;
	unsigned depth;		/* open arrays and objects */
	unsigned max_depth;	/* at most JSCAN_DEPTH_MAX */
	char close;		/* the bracket that ends what is walked */
	unsigned tokens;	/* values and names still allowed */
	int err;		/* set on failure */
	const char *why;	/* likewise; static text */
};

enum jscan_type {
	JSCAN_STRING,
	JSCAN_NUMBER,
	JSCAN_TRUE,
	JSCAN_FALSE,
	JSCAN_NULL,
	JSCAN_ARRAY,
	JSCAN_OBJECT,
};

struct jscan_value {
	enum jscan_type type;
	struct str raw;		/* the value's bytes; strings with quotes */
	bool escaped;		/* strings: holds a backslash */
};

/* A max_depth above JSCAN_DEPTH_MAX counts as that. */
void jscan_init(struct jscan *s, struct str text, unsigned max_depth,
		unsigned max_tokens);

/* One whole value, white space before it skipped. 0, ERR_PROTO or ERR_LIMIT
 * with s->why. */
MUST_CHECK int jscan_value(struct jscan_value *out, struct jscan *s);

/* True when only white space is left. */
bool jscan_at_end(struct jscan *s);

/*
 * Walks an object or array: jscan_enter() steps over the bracket (type must
 * be ARRAY or OBJECT), then each jscan_next() gives the next member until it
 * returns 0 at the closing bracket. 1: name (objects) and value are set;
 * negative: as jscan_value(). name->raw is without quotes. One level per
 * scanner: to walk a member's value, take another one for value->raw.
 */
MUST_CHECK int jscan_enter(struct jscan *s, enum jscan_type type);
MUST_CHECK int jscan_next(struct jscan_value *name, struct jscan_value *value,
			  struct jscan *s, bool first);

/* text is the inside of a string (no quotes) that has been validated; appends
 * its decoded bytes, never more than text.len. */
void jscan_unescape(struct buf *out, struct str text);

/* The inside of a string value: without its quotes. */
static inline struct str jscan_inside(const struct jscan_value *v)
{
	return (struct str){ v->raw.p + 1, v->raw.len - 2 };
}

/* text is exactly one JSON value with optional white space around it. */
MUST_CHECK int jscan_check(struct str text, unsigned max_depth,
			   unsigned max_tokens, const char **why);

#endif
