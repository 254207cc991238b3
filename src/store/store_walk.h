#ifndef STORE_STORE_WALK_H
#define STORE_STORE_WALK_H

#include "store/store_filter.h"

/*
 * Goes through what is below a resource and hands over what passes filter,
 * access control and lim/ofst: each resource before its descendants,
 * contentInstances after their siblings.
 */
struct walk_item {
	const struct resource *r;
	struct str path; /* structured CSE-relative id */
	uint64_t level;	 /* 1: a child of the root */
	bool skipped;	 /* before ofst; whole trees only */
};

struct walk {
	struct store_conn *c; /* borrowed, as all here */
	const struct resource *root;
	const struct filter *filter;
	struct str originator;
	enum access_op op;
	uint64_t now_ms;
	bool tree; /* go below what passes only, and tell what ofst
		    * skips; else go everywhere */
	int (*on_item)(void *arg, const struct walk_item *item);
	void *arg;

	/* afterwards */
	bool partial;  /* lim has cut the result */
	uint64_t next; /* offset of the first one left out */

	uint64_t seen; /* private from here */
	uint64_t lim, lvl;
	bool done;
	struct buf path;
	struct walk_frame *frames;
	size_t depth, room;
};

MUST_CHECK int walk_run(struct walk *w);

#endif
