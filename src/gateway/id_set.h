#ifndef GATEWAY_ID_SET_H
#define GATEWAY_ID_SET_H

#include <stdbool.h>

#include "base/siphash.h"

/*
 * Which requests of a peer wait, by hashes of their ids. Thousands may, and
 * each new one is looked up: so the hashes lie side by side, where a look
 * takes a microsecond, and walking the requests themselves is left to the
 * rare ones whose hash is known. It says "maybe" or "surely not", and as the
 * hash is keyed, no peer can make up ids that are all "maybe". A zeroed one
 * is empty and valid, and an empty one holds no memory; the same hash may be
 * in it several times.
 */
struct id_set {
	uint64_t *hashes;		/* owned */
	size_t count, cap;
};

/* False: no memory. */
MUST_CHECK bool id_set_add(struct id_set *set, uint64_t hash);

/* One of that hash, if there is any. */
void id_set_remove(struct id_set *set, uint64_t hash);
bool id_set_has(const struct id_set *set, uint64_t hash);

/* Of an id with two parts. */
uint64_t id_hash(const struct siphash_key *key, struct str a, struct str b);

#endif
