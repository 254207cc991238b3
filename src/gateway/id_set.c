#include "id_set.h"

#include <stdlib.h>

#define CAP_MIN 32

/* Nobody who does not know the key finds a second pair of one hash. */
uint64_t id_hash(const struct siphash_key *key, struct str a, struct str b)
{
	return 3 * siphash(key, a) + siphash(key, b);
}

static bool grow(struct id_set *set)
{
	size_t cap = set->cap > 0 ? 2 * set->cap : CAP_MIN;
	uint64_t *p = realloc(set->hashes, cap * sizeof(*p));

	if (p == NULL)
		return false;
	set->hashes = p;
	set->cap = cap;
	return true;
}

bool id_set_add(struct id_set *set, uint64_t hash)
{
	if (set->count == set->cap && !grow(set))
		return false;
	set->hashes[set->count++] = hash;
	return true;
}

static size_t find(const struct id_set *set, uint64_t hash)
{
	size_t i = 0;

	while (i < set->count && set->hashes[i] != hash)
		i++;
	return i;
}

bool id_set_has(const struct id_set *set, uint64_t hash)
{
	return find(set, hash) < set->count;
}

void id_set_remove(struct id_set *set, uint64_t hash)
{
	size_t i = find(set, hash);

	if (i == set->count)
		return;
	set->hashes[i] = set->hashes[--set->count];
	if (set->count > 0)
		return;
	free(set->hashes);
	*set = (struct id_set){ 0 };
}
