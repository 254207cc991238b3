#ifndef BASE_HASH_TABLE_H
#define BASE_HASH_TABLE_H

#include <stdint.h>

#include "base/base.h"

/*
 * A table of structs that embed a node. It knows hashes, not keys: whoever
 * looks something up walks the nodes of one hash and compares. A zeroed table
 * is empty and valid.
 */
struct hash_node {
	struct hash_node *next;
	uint64_t hash;
};

struct hash_table {
	struct hash_node **slots;	/* owned */
	size_t slot_count;		/* 0 or a power of two */
	size_t count;			/* of nodes */
};

/* The nodes are their owners'. */
void hash_table_deinit(struct hash_table *t);

/* UV_ENOMEM: there are no slots at all. */
MUST_CHECK int hash_table_add(struct hash_table *t, struct hash_node *n,
			      uint64_t hash);
void hash_table_remove(struct hash_table *t, struct hash_node *n);

/* The nodes of that hash; NULL: no more. */
struct hash_node *hash_table_first(const struct hash_table *t, uint64_t hash);
struct hash_node *hash_table_next(const struct hash_node *n);

/* Any node; NULL: it is empty. */
struct hash_node *hash_table_any(const struct hash_table *t);

#endif
