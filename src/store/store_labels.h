#ifndef STORE_STORE_LABELS_H
#define STORE_STORE_LABELS_H

#include "store/resource.h"

/* The rows that have one of some labels, an array of strings. */

/* False: so many that going through the tree may be less. A label that was
 * common is taken for it for a while. */
MUST_CHECK int labels_are_rare(bool *out, struct store_conn *c,
			       const json_t *labels, uint64_t now_ms);

/* A statement that gives the row numbers in ascending order, one at a time
 * under c. labels stays as long as it. */
MUST_CHECK int labels_open(sqlite3_stmt **out, struct store_conn *c,
			   const json_t *labels);
void labels_close(sqlite3_stmt *stmt, struct store_conn *c);

#endif
