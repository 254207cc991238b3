#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stddef.h>

/*
 * What every module shares: error codes and four macros.
 *
 * A function that can fail returns 0 or a negative code. libuv's UV_E* codes
 * pass through unchanged; ours lie below them.
 */
enum err {
	ERR_PROTO = -6000,	/* the peer broke the protocol */
	ERR_LIMIT = -5999,	/* more than the configuration allows */
	ERR_UNSUPPORTED = -5998,	/* valid, but not done here */
	ERR_DENIED = -5997,	/* excluded by the configuration */
};

/* A short English text for any code, ours or libuv's; never NULL. */
const char *err_text(int err);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MUST_CHECK   __attribute__((warn_unused_result))

/* The struct of the given type whose member this pointer is. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
