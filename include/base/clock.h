#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since 1970, UTC: what timestamps of primitives are compared
 * with. It may jump; durations are the loop's. */
uint64_t clock_wall_ms(void);

#endif
