#ifndef M2M_POA_PRIV_H
#define M2M_POA_PRIV_H

#include "m2m/json.h"
#include "m2m/poa.h"

/* What the parts of poa share: steps through JSON that is valid, and the
 * exchange of ws entries in a list. */

struct poa_walk {
	struct jscan scan;
	bool first;

	struct jscan_value name;	/* of the member stepped to */
	struct jscan_value value;
};

/* Into an array or object, as type says; a text of any other type has no
 * members. name is set in objects only. */
void poa_walk_begin(struct poa_walk *w, struct str text, enum jscan_type type);
bool poa_walk_next(struct poa_walk *w);

/* The decoded text of a string's inside; in scratch if it has escapes. */
struct str poa_decode(struct buf *scratch, struct str inside, bool escaped);

/* The decoded text of a string; of any other type nothing. */
struct str poa_text(struct buf *scratch, const struct jscan_value *v);

bool poa_name_is(struct buf *scratch, const struct poa_walk *w,
		 struct str want);

/* The first member of that name, and how many there are, at most 2. */
unsigned poa_find(struct jscan_value *out, struct buf *scratch,
		  struct str object, struct str name);

/* The resource of that name, all that the content holds (TS-0004 7.2.1.1). */
bool poa_find_resource(struct jscan_value *out, struct buf *scratch,
		       struct str content, struct str name);

/* A decoded entry that stands for the client's own connection. */
bool poa_is_ws(struct str entry);

enum poa_list {
	POA_LIST_ODD,		/* no array, or not of strings only */
	POA_LIST_EMPTY,
	POA_LIST_OTHERS,	/* no ws entry */
	POA_LIST_WS,
};

enum poa_list poa_list_kind(struct buf *scratch, const struct jscan_value *v);

/* Appends a list with text in place of the first ws entry and without the
 * others. */
void poa_add_list(struct buf *out, struct buf *scratch, struct str list,
		  struct str text);

#endif
