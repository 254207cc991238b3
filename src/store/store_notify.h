#ifndef STORE_NOTIFY_H
#define STORE_NOTIFY_H

#include "store/resource.h"

/* Between the files that make up notify_*(). */

#define NET_BLOCKING 7	/* an UPDATE, before it is done */

/* What happened, to whom, by whom. */
struct occasion {
	struct store_conn *c;
	const struct resource *subject;	/* what is subscribed to */
	const struct resource *child;	/* CHANGE_*_CHILD */
	enum store_change change;
	const json_t *changed;		/* CHANGE_UPDATE */
	struct str originator;
};

/* The resource that a notification represents. */
static inline const struct resource *occasion_about(const struct occasion *o)
{
	return o->child != NULL ? o->child : o->subject;
}

/* ---- store_criteria.c ---- */

/* enc of the subscription lets the occasion through (TS-0001 9.6.8). */
bool criteria_match(const json_t *enc, const struct occasion *o);

#endif
