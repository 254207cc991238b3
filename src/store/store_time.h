#ifndef STORE_TIME_H
#define STORE_TIME_H

#include <stdint.h>

/* m2m:timestamp (TS-0004 6.3.3) with milliseconds and its NUL:
 * "20260601T080200,125"; prim_read_time() reads it. */
#define TIME_TEXT 20

void time_write(char out[TIME_TEXT], uint64_t ms);

#endif
