#ifndef STANDIN_CSE_TREE_H
#define STANDIN_CSE_TREE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/str.h"

/* The resources of the stand-in, in memory. */
enum type {
	TYPE_ACP = 1, TYPE_AE = 2, TYPE_CNT = 3, TYPE_CIN = 4, TYPE_CB = 5,
};

TAILQ_HEAD(resources, resource);

struct resource {
	int64_t ty;
	char *tag;			/* owned: m2m:cnt */
	char *ri, *rn;			/* owned */
	json_t *attrs;			/* owned */

	struct resource *parent;	/* NULL: the CSEBase */
	struct resources children;	/* owned, the oldest first */
	TAILQ_ENTRY(resource) link;
};

struct tree {
	const char *cse_id, *cse_name;	/* borrowed */
	struct resource *base;		/* owned */
	size_t count;			/* of resources */
	uint64_t last_id;
};

/* UV_ENOMEM. */
MUST_CHECK int tree_init(struct tree *t, const char *cse_id,
			 const char *cse_name);
void tree_deinit(struct tree *t);

/* A resource with the attributes that every one has. Takes attrs, also on
 * failure; NULL: no memory. */
struct resource *tree_add(struct tree *t, struct resource *parent, int64_t ty,
			  const char *tag, struct str ri, struct str rn,
			  json_t *attrs);

/* With all that is below. */
void tree_remove(struct tree *t, struct resource *r);

/* By any form of address (TS-0001 7.2); NULL: not here. */
struct resource *tree_find(const struct tree *t, struct str to);
struct resource *tree_find_id(const struct tree *t, struct str ri);

/* By name, or `la` and `ol` of a container. */
struct resource *resource_child(const struct resource *r, struct str rn);

/* Counts a container's instances, of which only the newest `most` stay. */
void tree_trim(struct tree *t, struct resource *cnt, int64_t most);

/* cse-in/meter7/temp */
void resource_add_path(struct buf *out, const struct resource *r);

void attr_set_text(json_t *attrs, const char *name, const char *text);
void attr_set_now(json_t *attrs, const char *name);

#endif
