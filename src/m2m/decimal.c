#include "decimal.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DOUBLE_DIGITS 17		/* are always enough */
#define EXPONENT_MAX  1000000000	/* far outside of any double */

struct reader {
	struct decimal *out;
	unsigned zeros;		/* read, but not yet followed by a digit */
	bool fits;
};

/* Only what stands between digits other than zero counts. */
static void take_digit(struct reader *r, char c)
{
	struct decimal *d = r->out;

	if (c == '0') {
		r->zeros += d->count > 0;
		return;
	}
	if (r->zeros >= DECIMAL_DIGITS - d->count) {
		r->fits = false;
		return;
	}
	memset(d->digits + d->count, '0', r->zeros);
	d->count += r->zeros;
	d->digits[d->count++] = c;
	r->zeros = 0;
}

static int64_t read_exponent(struct str text)
{
	bool negative = text.len > 0 && text.p[0] == '-';
	int64_t n = 0;

	if (negative || (text.len > 0 && text.p[0] == '+'))
		text = str_skip(text, 1);
	for (size_t i = 0; i < text.len && n < EXPONENT_MAX; i++)
		n = n * 10 + (text.p[i] - '0');
	return negative ? -n : n;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool decimal_read(struct decimal *out, struct str text)
{
	struct reader r = { .out = out, .fits = true };
	bool fraction = false;
	size_t i = 0;

	*out = (struct decimal){ .negative = text.len > 0 && text.p[0] == '-' };
	for (i = out->negative; i < text.len && r.fits; i++) {
		if (text.p[i] == '.')
			fraction = true;
		else if (!is_digit(text.p[i]))
			break;
		else
			take_digit(&r, text.p[i]);
		out->exponent -= fraction && is_digit(text.p[i]);
	}
	out->exponent += r.zeros + read_exponent(str_skip(text, i + 1));
	if (out->count == 0)
		out->exponent = 0;
	return r.fits;
}

bool decimal_equal(const struct decimal *a, const struct decimal *b)
{
	return a->negative == b->negative && a->exponent == b->exponent &&
	       a->count == b->count &&
	       memcmp(a->digits, b->digits, a->count) == 0;
}

bool decimal_to_u64(uint64_t *out, const struct decimal *d)
{
	char text[DECIMAL_DIGITS + 1];
	size_t len;

	if (d->exponent < 0 ||
	    d->exponent > (int64_t)(DECIMAL_DIGITS - d->count))
		return false;
	len = d->count + (size_t)d->exponent;
	memset(text, '0', sizeof(text));
	memcpy(text, d->digits, d->count);
	return str_to_u64(out, (struct str){ text, len > 0 ? len : 1 });
}

bool decimal_to_double(double *out, const struct decimal *d)
{
	char text[DECIMAL_TEXT + DECIMAL_DIGITS];
	struct decimal back;
	double x;

	if (d->count > DOUBLE_DIGITS || d->exponent > DBL_MAX_10_EXP ||
	    d->exponent < -2 * DBL_MAX_10_EXP)
		return false;
	snprintf(text, sizeof(text), "%s%.*se%d", d->negative ? "-" : "",
		 d->count > 0 ? (int)d->count : 1,
		 d->count > 0 ? d->digits : "0", (int)d->exponent);
	x = strtod(text, NULL);
	if (!isfinite(x))
		return false;
	decimal_write_double(text, x);
	if (!decimal_read(&back, str_of(text)) || !decimal_equal(&back, d))
		return false;
	*out = x;
	return true;
}

/* 15 digits of a number that is not denormal always come back, so that what
 * needs no more has its shortest text there. */
static int first_precision(double x)
{
	return fabs(x) < DBL_MIN ? 1 : DBL_DIG;
}

/* The decimal above, as far from zero; false: not by its digits alone. */
static bool increment(char *text)
{
	char *p = strchr(text, 'e');

	while (--p >= text && (*p == '9' || *p == '.'))
		if (*p == '9')
			*p = '0';
	if (p < text || *p == '-')
		return false;
	++*p;
	return true;
}

/* Below a power of two doubles stand closer than above it, so that a decimal
 * with the same number of digits may be in reach above only. */
static bool write_above(char out[DECIMAL_TEXT], double x, int precision)
{
	char text[DECIMAL_TEXT];
	int exponent;

	if (fabs(frexp(x, &exponent)) != 0.5)
		return false;
	snprintf(text, sizeof(text), "%.*e", precision - 1, x);
	if (!increment(text) || strtod(text, NULL) != x)
		return false;
	memcpy(out, text, sizeof(text));
	return true;
}

/* Returns the length. */
static int write_shortest(char out[DECIMAL_TEXT], double x)
{
	int n;

	for (int i = first_precision(x);; i++) {
		n = snprintf(out, DECIMAL_TEXT, "%.*g", i, x);
		if (i == DOUBLE_DIGITS || strtod(out, NULL) == x)
			return n;
		if (write_above(out, x, i))
			return (int)strlen(out);
	}
}

size_t decimal_write_double(char out[DECIMAL_TEXT], double x)
{
	int n;

	if (x == 0)
		n = snprintf(out, DECIMAL_TEXT, signbit(x) ? "-0" : "0");
	else if (x == trunc(x) && x >= 0x1p63 && x < 0x1p64)
		n = snprintf(out, DECIMAL_TEXT, "%" PRIu64, (uint64_t)x);
	else if (x == trunc(x) && x >= -0x1p63 && x < 0x1p63)
		n = snprintf(out, DECIMAL_TEXT, "%" PRId64, (int64_t)x);
	else
		n = write_shortest(out, x);
	return (size_t)n;
}
