#ifndef STORE_STORE_RESULT_H
#define STORE_STORE_RESULT_H

#include "store/store_walk.h"

/*
 * The forms in which what lies below a resource is told. Each runs the walk;
 * on_item and arg are set here.
 */

/* [id, ...], structured or not. */
MUST_CHECK int result_ids(json_t **out, struct walk *w, bool structured);

/* [{nm,typ,val}, ...]: m2m:childResourceRef (TS-0004 6.3.5.29). */
MUST_CHECK int result_references(json_t **out, struct walk *w, bool structured);

/* Puts children into `into`, the root's attributes, as "m2m:cnt":[{...}], and
 * theirs into them. Between the root and the first result after ofst stand
 * resources with rn and ri only. */
MUST_CHECK int result_nested(json_t *into, struct walk *w);

#endif
