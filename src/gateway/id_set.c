#include "id_set.h"

#include <stdlib.h>

#define CAP_MIN 32

static uint64_t mix(uint64_t h, uint64_t octets)
{
	h = (h ^ octets) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static uint64_t mix_str(uint64_t h, struct str s)
{
	h = mix(h, s.len);
	while (s.len > 0) {
		uint64_t octets = 0;
		size_t n = s.len < sizeof(octets) ? s.len : sizeof(octets);

		memcpy(&octets, s.p, n);
		h = mix(h, octets);
		s = str_skip(s, n);
	}
	return h;
}

uint64_t id_hash(struct str a, struct str b)
{
	return mix_str(mix_str(0, a), b);
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
