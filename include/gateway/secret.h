#ifndef GATEWAY_SECRET_H
#define GATEWAY_SECRET_H

#include <stdbool.h>

#include "base/str.h"

/*
 * What is kept of a secret: PBKDF2-HMAC-SHA256 of it (RFC 8018), as text
 *
 *	pbkdf2-sha256:COUNT:SALT:HASH		SALT and HASH in hexadecimal
 *
 * A token of 128 bits by chance needs no more than a small COUNT, a password
 * that a person chose needs a large one. All functions are for any thread.
 */
#define SECRET_SALT_LEN   16
#define SECRET_DIGEST_LEN 32
#define SECRET_COUNT_MIN  1000
#define SECRET_COUNT_MAX  10000000
#define SECRET_MAX	  256		/* octets of a secret */

struct secret_hash {
	unsigned count;
	unsigned char salt[SECRET_SALT_LEN];
	unsigned char digest[SECRET_DIGEST_LEN];
};

/* NULL, or why text is none: "must be ...". */
const char *secret_hash_read(struct secret_hash *out, struct str text);
void secret_hash_write(struct buf *out, const struct secret_hash *h);

/* With a salt by chance. UV_EIO, UV_ENOMEM. */
MUST_CHECK int secret_hash_make(struct secret_hash *out, struct str secret,
				unsigned count);

/* Takes as long as count says. False: another one, or no memory. */
MUST_CHECK bool secret_hash_matches(const struct secret_hash *h,
				    struct str secret);

/* 162 bits by chance, as base64url. UV_EIO. */
#define SECRET_TEXT_LEN 27
MUST_CHECK int secret_random(char out[SECRET_TEXT_LEN + 1]);

/* In a time that only depends on len. */
bool secret_equal(const void *a, const void *b, size_t len);

/* Not left out by a compiler that sees no reader. */
void secret_wipe(void *p, size_t len);

#endif
