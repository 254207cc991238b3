#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/str.h"

/*
 * SipHash-2-4: the hash of tables whose keys a peer chooses. Who does not know
 * its key cannot make up strings that collide.
 */
struct siphash_key {
	uint64_t k0, k1;
};

/* From the kernel; fails only where that has no randomness to give. */
MUST_CHECK int siphash_key_random(struct siphash_key *out);

uint64_t siphash(const struct siphash_key *key, struct str s);

#endif
