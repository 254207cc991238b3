#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/*
 * Incremental UTF-8 validation (RFC 3629: no surrogates, no overlong forms,
 * nothing above U+10FFFF). A zeroed state is the start.
 */
struct utf8 {
	uint8_t need;		/* continuation bytes still to come */
	uint8_t min, max;	/* range of the next one */
};

/* False as soon as a byte cannot continue the text; then do not go on. */
bool utf8_feed(struct utf8 *u, struct str s);

/* True when the text may end here. */
static inline bool utf8_done(const struct utf8 *u)
{
	return u->need == 0;
}

/* All of s is UTF-8. */
bool utf8_valid(struct str s);

/* Appends the character c, at most U+10FFFF. */
void utf8_add(struct buf *out, uint32_t c);

#endif
