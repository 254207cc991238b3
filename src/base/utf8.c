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

/* Over the ASCII at p, eight octets a step. */
static const char *skip_ascii(const char *p, const char *end)
{
	while (end - p >= 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
		p += 8;
	}
	while (p < end && (unsigned char)*p < 0x80)
		p++;
	return p;
}

bool utf8_feed(struct utf8 *u, struct str s)
{
	const char *p = s.p, *end = s.len > 0 ? s.p + s.len : s.p;

	while (p < end) {
		unsigned char c = (unsigned char)*p;

		if (u->need > 0) {
			if (c < u->min || c > u->max)
				return false;
			u->need--;
			u->min = 0x80;
			u->max = 0xbf;
			p++;
		} else if (c < 0x80) {
			p = skip_ascii(p, end);
		} else {
			if (!utf8_lead(u, c))
				return false;
			p++;
		}
	}
	return true;
}

bool utf8_valid(struct str s)
{
	struct utf8 u = { 0 };

	return utf8_feed(&u, s) && utf8_done(&u);
}

void utf8_add(struct buf *out, uint32_t c)
{
	char p[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1) {
		buf_add_char(out, (char)c);
		return;
	}
	for (size_t i = n; --i > 0; c >>= 6)
		p[i] = (char)(0x80 | (c & 0x3f));
	p[0] = (char)(0xf00 >> n | c);		/* n ones, a zero, c */
	buf_add(out, p, n);
}
