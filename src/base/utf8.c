#include "base/utf8.h"

#include <string.h>

/* Starts a sequence: how many follow and what the next byte may be. */
static bool utf8_lead(struct utf8 *u, unsigned char c)
{
	u->min = 0x80;
	u->max = 0xbf;
	if (c < 0xc2 || c > 0xf4)
		return false;
	if (c < 0xe0) {
		u->need = 1;
	} else if (c < 0xf0) {
		u->need = 2;
		if (c == 0xe0)
			u->min = 0xa0;		/* overlong */
		else if (c == 0xed)
			u->max = 0x9f;		/* surrogates */
	} else {
		u->need = 3;
		if (c == 0xf0)
			u->min = 0x90;		/* overlong */
		else if (c == 0xf4)
			u->max = 0x8f;		/* above U+10FFFF */
	}
	return true;
}

/* How many bytes at the front are ASCII, in steps of eight. */
static size_t ascii_run(const char *p, size_t len)
{
	size_t n = 0;

	while (len - n >= 8) {
		uint64_t word;

		memcpy(&word, p + n, 8);
		if (word & UINT64_C(0x8080808080808080))
			break;
		n += 8;
	}
	return n;
}

bool utf8_feed(struct utf8 *u, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c;

		if (u->need == 0) {
			i += ascii_run(s.p + i, s.len - i);
			if (i == s.len)
				break;
		}
		c = (unsigned char)s.p[i];
		if (u->need > 0) {
			if (c < u->min || c > u->max)
				return false;
			u->need--;
			u->min = 0x80;
			u->max = 0xbf;
		} else if (c >= 0x80 && !utf8_lead(u, c)) {
			return false;
		}
	}
	return true;
}

bool utf8_valid(struct str s)
{
	struct utf8 u = { 0 };

	return utf8_feed(&u, s) && utf8_done(&u);
}
