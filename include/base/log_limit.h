#ifndef BASE_LOG_LIMIT_H
#define BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * For an event that others can cause as often as they like: a few lines in a
 * second, so that a flood does not fill the log. Zero it before use.
 */
struct log_limit {
	uint64_t second;
	unsigned lines;			/* in it */
	uint64_t unlogged;		/* since the last line */
};

/* May there be a line now, of per_second? Else it is counted. */
static inline bool log_limit_allows(struct log_limit *l, uint64_t now_ms,
				    unsigned per_second)
{
	if (l->second != now_ms / 1000) {
		l->second = now_ms / 1000;
		l->lines = 0;
	}
	if (l->lines == per_second) {
		l->unlogged++;
		return false;
	}
	l->lines++;
	return true;
}

/* How many there were without a line, for the line's field `unlogged`. */
static inline uint64_t log_limit_missed(struct log_limit *l)
{
	uint64_t n = l->unlogged;

	l->unlogged = 0;
	return n;
}

#endif
