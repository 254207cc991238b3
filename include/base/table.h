#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <uv.h>

#include "base/siphash.h"

/*
 * Hash tables are uthash's. This is the only file that includes it, because of
 * what it is told here:
 *
 * - Without memory an element is not added, and nothing else happens: the
 *   table is as it was. table_added() tells, and is asked after every addition.
 * - HASH_FIND and HASH_ADD hash with table_hash(). They are for keys that no
 *   peer chooses, such as numbers of our own: who knows the function can make
 *   up keys that all collide.
 * - Keys that a peer chooses go with table_hash_keyed() and
 *   HASH_FIND_BYHASHVALUE, HASH_ADD_KEYPTR_BYHASHVALUE. The hash is in a
 *   variable by then, as the macros read it more than once.
 *
 * A table is a pointer to an element, NULL while it is empty, and elements
 * stay in the order in which they came. An element has a UT_hash_handle for
 * each table that it is in; a table does not own its elements, but they do not
 * move while they are in it, nor do their keys. With its last element the
 * table's own memory goes, so a table has no end of its own: all of one go by
 *
 *	while (table != NULL)
 *		remove(table);
 *
 * The macros are for the file that keeps the table, in a find and an add.
 */
static inline unsigned table_hash(const void *key, size_t len)
{
	const unsigned char *p = key;
	unsigned hash = 2166136261u;	/* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 16777619u;
	return hash;
}

static inline unsigned table_hash_keyed(const struct siphash_key *key,
					struct str s)
{
	return (unsigned)siphash(key, s);
}

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION(key, len, hash) ((hash) = table_hash(key, len))
#include <uthash.h>

/* Of an element that was just added. UV_ENOMEM: it was not. */
MUST_CHECK static inline int table_added(const UT_hash_handle *hh)
{
	return hh->tbl != NULL ? 0 : UV_ENOMEM;
}

#endif
