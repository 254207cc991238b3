#ifndef TESTS_HEX_H
#define TESTS_HEX_H

#include "unit.h"

static inline unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return (unsigned)((c | 0x20) - 'a') + 10;
}

/* Appends the octets of "A6 62 6f70"; blanks may stand between octets. */
static inline void hex_add(struct buf *out, const char *hex)
{
	while (*hex != '\0') {
		if (*hex == ' ') {
			hex++;
			continue;
		}
		buf_add_char(out, (char)(hex_value(hex[0]) << 4 |
					 hex_value(hex[1])));
		hex += 2;
	}
}

/* The same octets; name is of the row. */
static inline void hex_check(struct str got, const char *hex, const char *name)
{
	struct buf want = { 0 }, text = { 0 };

	hex_add(&want, hex);
	for (size_t i = 0; i < got.len; i++) {
		static const char digits[] = "0123456789abcdef";

		buf_add_char(&text, digits[(unsigned char)got.p[i] >> 4]);
		buf_add_char(&text, digits[(unsigned char)got.p[i] & 15]);
	}
	ck_assert_msg(str_eq(got, buf_str(&want)),
		      "%s\n--- got\n%.*s\n--- want\n%s", name, (int)text.len,
		      text.len > 0 ? text.p : "", hex);
	buf_deinit(&want);
	buf_deinit(&text);
}

#endif
