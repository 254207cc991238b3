#include "base/hash_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <uv.h>

#define FIRST_SLOTS 64

static struct hash_node **slot_of(const struct hash_table *t, uint64_t hash)
{
	return &t->slots[hash & (t->slot_count - 1)];
}

static void push(struct hash_table *t, struct hash_node *n)
{
	struct hash_node **slot = slot_of(t, n->hash);

	n->next = *slot;
	*slot = n;
}

/* False: it stays as it is, with longer chains. */
static bool grow(struct hash_table *t)
{
	struct hash_table larger = {
		.slot_count = t->slot_count > 0 ? 2 * t->slot_count :
						  FIRST_SLOTS,
		.count = t->count,
	};

	larger.slots = calloc(larger.slot_count, sizeof(struct hash_node *));
	if (larger.slots == NULL)
		return false;
	for (size_t i = 0; i < t->slot_count; i++) {
		struct hash_node *n, *next;

		for (n = t->slots[i]; n != NULL; n = next) {
			next = n->next;
			push(&larger, n);
		}
	}
	free(t->slots);
	*t = larger;
	return true;
}

void hash_table_deinit(struct hash_table *t)
{
	free(t->slots);
	*t = (struct hash_table){ 0 };
}

int hash_table_add(struct hash_table *t, struct hash_node *n, uint64_t hash)
{
	if (t->count >= t->slot_count && !grow(t) && t->slot_count == 0)
		return UV_ENOMEM;
	n->hash = hash;
	push(t, n);
	t->count++;
	return 0;
}

void hash_table_remove(struct hash_table *t, struct hash_node *n)
{
	struct hash_node **at = slot_of(t, n->hash);

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	t->count--;
}

static struct hash_node *with_hash(struct hash_node *n, uint64_t hash)
{
	while (n != NULL && n->hash != hash)
		n = n->next;
	return n;
}

struct hash_node *hash_table_first(const struct hash_table *t, uint64_t hash)
{
	return t->count > 0 ? with_hash(*slot_of(t, hash), hash) : NULL;
}

struct hash_node *hash_table_next(const struct hash_node *n)
{
	return with_hash(n->next, n->hash);
}

struct hash_node *hash_table_any(const struct hash_table *t)
{
	for (size_t i = 0; t->count > 0 && i < t->slot_count; i++)
		if (t->slots[i] != NULL)
			return t->slots[i];
	return NULL;
}
