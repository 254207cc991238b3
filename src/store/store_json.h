#ifndef STORE_JSON_H
#define STORE_JSON_H

#include <jansson.h>

#include "store/resource.h"

/* JSON text and its trees. jansson's own writer changes numbers. */

/* Appends value without blanks; out->failed: no memory. */
void store_json_add(struct buf *out, const json_t *value);

#define STORE_REAL_TEXT 32

/* The fewest digits that read back as the same number, never as an integer;
 * NUL-terminated. The length. */
size_t store_json_real(char out[STORE_REAL_TEXT], double real);

/* What a request holds under the name of `what`: 0, or 4000 with c->why. */
MUST_CHECK int store_json_read(json_t **out, struct store_conn *c,
			       const char *what, struct str text);

#endif
