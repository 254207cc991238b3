#include "m2m/prim.h"

#include <time.h>

/*
 * The three forms of a point in time (m2m:absRelTimestamp, TS-0004 6.3.3):
 * a timestamp, milliseconds from now, a duration from now. The second one has
 * no unit in the standard; milliseconds is how CSEs read it. The third is not
 * of that type, but examples of TS-0009 and clients use it.
 */

#define SECOND  UINT64_C(1000)		/* in milliseconds */
#define MINUTE  (60 * SECOND)
#define HOUR    (60 * MINUTE)
#define DAY     (24 * HOUR)
#define MONTH   (30 * DAY)		/* a duration has no date to count */
#define YEAR    (365 * DAY)		/* the true length from */

#define STAMP_LEN 15			/* YYYYMMDDThhmmss */

static bool is_leap(uint64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint64_t days_in_month(uint64_t year, uint64_t month)
{
	static const unsigned char days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
	};

	return days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

/* Since the first of January of the year 1. */
static uint64_t days_before(uint64_t year, uint64_t month, uint64_t day)
{
	uint64_t past = year - 1;
	uint64_t days = past * 365 + past / 4 - past / 100 + past / 400;

	for (uint64_t m = 1; m < month; m++)
		days += days_in_month(year, m);
	return days + day - 1;
}

static bool field(uint64_t *out, struct str s, size_t at, size_t len,
		  uint64_t min, uint64_t max)
{
	return str_to_u64(out, (struct str){ s.p + at, len }) &&
	       *out >= min && *out <= max;
}

/* `,f{1,6}`, finer than a millisecond cut off; or nothing. */
static bool fraction_ms(uint64_t *out, struct str s, char point)
{
	static const uint64_t scale[] = { 0, 100000, 10000, 1000, 100, 10, 1 };
	uint64_t n;

	*out = 0;
	if (s.len == 0)
		return true;
	if (s.p[0] != point || s.len > 7 || !str_to_u64(&n, str_skip(s, 1)))
		return false;
	*out = n * scale[s.len - 1] / 1000;
	return true;
}

/* ms since 1970; what lies before counts as 1970. */
bool prim_read_time(uint64_t *out, struct str s)
{
	uint64_t epoch = days_before(1970, 1, 1);
	uint64_t year, month, day, hour, minute, second, ms, days;

	if (s.len < STAMP_LEN || s.p[8] != 'T' ||
	    !field(&year, s, 0, 4, 1, 9999) ||
	    !field(&month, s, 4, 2, 1, 12) ||
	    !field(&day, s, 6, 2, 1, days_in_month(year, month)) ||
	    !field(&hour, s, 9, 2, 0, 23) ||
	    !field(&minute, s, 11, 2, 0, 59) ||
	    !field(&second, s, 13, 2, 0, 59) ||
	    !fraction_ms(&ms, str_skip(s, STAMP_LEN), ','))
		return false;
	days = days_before(year, month, day);
	*out = days < epoch ? 0 :
			      (days - epoch) * DAY + hour * HOUR +
				      minute * MINUTE + second * SECOND + ms;
	return true;
}

/* Digits at the front of *s, stepped over; n is 0 where there are none. */
static struct str cut_digits(struct str *s)
{
	struct str digits = { s->p, 0 };

	while (digits.len < s->len && s->p[digits.len] >= '0' &&
	       s->p[digits.len] <= '9')
		digits.len++;
	*s = str_skip(*s, digits.len);
	return digits;
}

static bool add_scaled(uint64_t *sum, uint64_t n, uint64_t ms)
{
	uint64_t product;

	return !__builtin_mul_overflow(n, ms, &product) &&
	       !__builtin_add_overflow(*sum, product, sum);
}

/* `n.fS`: fractions of any length are legal, three digits of them count. */
static bool add_fraction(uint64_t *sum, struct str *s)
{
	struct str digits;
	uint64_t ms;

	*s = str_skip(*s, 1);
	digits = cut_digits(s);
	if (digits.len == 0 || s->len == 0 || s->p[0] != 'S')
		return false;
	ms = 0;
	for (size_t i = 0; i < 3; i++)
		ms = ms * 10 + (i < digits.len ?
					(uint64_t)(digits.p[i] - '0') : 0);
	return add_scaled(sum, ms, 1);
}

/*
 * The components of one half of a duration, in order, each at most once.
 * Stops before what it does not know. False: none, or a bad one.
 */
static bool add_components(uint64_t *sum, struct str *s, const char *letters,
			   const uint64_t *ms)
{
	bool any = false;

	while (s->len > 0 && s->p[0] != 'T') {
		struct str digits = cut_digits(s);
		const char *letter;
		uint64_t n;

		if (!str_to_u64(&n, digits) || s->len == 0)
			return false;
		if (s->p[0] == '.' && !add_fraction(sum, s))
			return false;
		letter = memchr(letters, s->p[0], strlen(letters));
		if (letter == NULL || !add_scaled(sum, n, ms[letter - letters]))
			return false;
		ms += letter - letters + 1;
		letters = letter + 1;
		*s = str_skip(*s, 1);
		any = true;
	}
	return any;
}

bool prim_read_duration(uint64_t *out, struct str s)
{
	static const uint64_t date[] = { YEAR, MONTH, DAY };
	static const uint64_t time[] = { HOUR, MINUTE, SECOND };
	uint64_t sum = 0;

	if (s.len < 2 || s.p[0] != 'P')
		return false;
	s = str_skip(s, 1);
	if (s.p[0] != 'T' && !add_components(&sum, &s, "YMD", date))
		return false;
	if (s.len > 0) {
		s = str_skip(s, 1);
		if (!add_components(&sum, &s, "HMS", time) || s.len > 0)
			return false;
	}
	*out = sum;
	return true;
}

#define LAST_MS UINT64_C(253402300799999)	/* end of the year 9999 */

static bool read_left(uint64_t *out, const struct prim *p, enum prim_param id,
		      uint64_t now_ms)
{
	uint64_t deadline;
	int64_t ms;

	if (prim_int(&ms, p, id)) {
		*out = ms > 0 ? (uint64_t)ms : 0;
		return true;
	}
	if (!prim_has(p, id) || p->param[id].type != VALUE_STRING)
		return false;
	if (prim_read_time(&deadline, p->param[id].text)) {
		*out = deadline > now_ms ? deadline - now_ms : 0;
		return true;
	}
	return prim_read_duration(out, p->param[id].text);
}

bool prim_time_left(uint64_t *left_ms, const struct prim *p,
		    enum prim_param id, uint64_t now_ms)
{
	uint64_t left;

	if (!read_left(&left, p, id, now_ms))
		return false;
	*left_ms = left < LAST_MS ? left : LAST_MS;
	return true;
}

static char *add_digits(char *at, unsigned n, unsigned count)
{
	for (unsigned i = count; i-- > 0; n /= 10)
		at[i] = (char)('0' + n % 10);
	return at + count;
}

void prim_write_time(char out[PRIM_TIME_TEXT], uint64_t ms)
{
	time_t seconds;
	struct tm tm;
	char *at;

	if (ms > LAST_MS)
		ms = LAST_MS;
	seconds = (time_t)(ms / 1000);
	gmtime_r(&seconds, &tm);
	at = add_digits(out, (unsigned)tm.tm_year + 1900, 4);
	at = add_digits(at, (unsigned)tm.tm_mon + 1, 2);
	at = add_digits(at, (unsigned)tm.tm_mday, 2);
	*at++ = 'T';
	at = add_digits(at, (unsigned)tm.tm_hour, 2);
	at = add_digits(at, (unsigned)tm.tm_min, 2);
	at = add_digits(at, (unsigned)tm.tm_sec, 2);
	*at++ = ',';
	at = add_digits(at, (unsigned)(ms % 1000), 3);
	*at = '\0';
}
