#ifndef M2M_DECIMAL_H
#define M2M_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/*
 * A JSON number by its value: digits * 10^exponent, without zeros at either
 * end of the digits, so that 1.10, 11e-1 and 1.1 are one number. Zero has no
 * digits. Nothing is ever rounded.
 */
#define DECIMAL_DIGITS 20	/* of 2^64 - 1 */

struct decimal {
	bool negative;
	unsigned count;
	char digits[DECIMAL_DIGITS];
	int64_t exponent;
};

/* text is a valid JSON number. False: it has more digits than any number that
 * can be carried. */
MUST_CHECK bool decimal_read(struct decimal *out, struct str text);

bool decimal_equal(const struct decimal *a, const struct decimal *b);

/* The magnitude, when it is whole and fits; the sign is d's. */
MUST_CHECK bool decimal_to_u64(uint64_t *out, const struct decimal *d);

/* The double whose shortest text is this number; false when there is none:
 * it would not come back as it went. */
MUST_CHECK bool decimal_to_double(double *out, const struct decimal *d);

#define DECIMAL_TEXT 32		/* octets of a double's text with its NUL */

/* The shortest JSON number that reads back as x, which is finite; whole
 * numbers up to 64 bits without exponent. Returns its length. */
size_t decimal_write_double(char out[DECIMAL_TEXT], double x);

#endif
