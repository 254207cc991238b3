#ifndef STORE_ROUTE_H
#define STORE_ROUTE_H

#include "store/resource.h"

/* Where the target of a notification or a request is reached (TS-0004
 * 7.3.2.6, 7.3.3.9.1, 7.5.1.2.2). */
enum route_kind {
	ROUTE_NONE,		/* nobody of that id */
	ROUTE_SELF,		/* this CSE */
	ROUTE_URL,
	ROUTE_AE,
	ROUTE_CSE,		/* it, or what lies behind it */
};

struct route {
	enum route_kind kind;
	struct store_route at;	/* without urls and channel: no way there */
};

/* target is a URL or the id of an AE, of a remoteCSE, of its or another CSE's
 * resources, or of a pcu. The slices of out live in target, or in c until its
 * next route_find(). */
MUST_CHECK int route_find(struct route *out, struct store_conn *c,
			  struct str target);

/* Adds a copy of event with the route to its target; what is for this CSE
 * itself goes nowhere. */
MUST_CHECK int route_send(struct store_events *out, struct store_conn *c,
			  const struct store_event *event);

/* It leads to the originator itself, in whatever form that is named. */
bool route_is_of(const struct store_conn *c, const struct route *route,
		 struct str originator);

/* id is hosted by another CSE. */
bool route_is_foreign(const struct store_conn *c, struct str id);

/* A URL; all else is an id. */
bool route_is_url(struct str target);

void routes_destroy(struct routes *routes);

#endif
