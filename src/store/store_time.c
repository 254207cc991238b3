#include "store/store_time.h"

#include <string.h>
#include <time.h>

#define LAST_MS UINT64_C(253402300799999)	/* end of the year 9999 */

static char *add_digits(char *at, unsigned n, unsigned count)
{
	for (unsigned i = count; i-- > 0; n /= 10)
		at[i] = (char)('0' + n % 10);
	return at + count;
}

void time_write(char out[TIME_TEXT], uint64_t ms)
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
