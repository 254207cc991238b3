#ifndef M2M_XML_GROUP_H
#define M2M_XML_GROUP_H

#include "m2m/xml_doc.h"
#include "m2m/xml_types.h"

/*
 * The elements within one object by the name that JSON has for them, wherever
 * they stand among the others: JSON says a name once. Names that no row of the
 * object's type has are compared with each other, so their number is limited.
 */
#define XML_MAX_UNKNOWN 128
#define XML_MAX_GROUPS	(XML_MAX_ROWS + XML_MAX_UNKNOWN)

struct xml_group {		/* small: each open object has them all */
	uint64_t first : 26;	/* element */
	uint64_t count : 24;	/* of elements */
	uint64_t ns : 5;	/* of a name with prefix, else none */
	uint64_t hash : 9;	/* of an unknown name */
};

struct xml_groups {
	const struct xml_type *type;
	unsigned unknown_count;
	struct xml_group of[XML_MAX_GROUPS];	/* rows, then the unknown */
};

/* What an element is in an object of type t. */
struct xml_member {
	uint32_t at;
	uint32_t count;			/* elements of the name */
	struct str prefix, local;	/* prefix: of the JSON name */
	const struct xml_attr *attr;	/* NULL: unknown */
	int row;			/* negative: none in t */
};

/* Notes in each element within `parent` the group that it is in. ERR_LIMIT. */
MUST_CHECK int xml_group_elements(struct xml_groups *out,
				  const struct xml_doc *d,
				  const struct xml_type *t, uint32_t parent);

/* Element i, as if it was the only one of its name. */
void xml_find_member(struct xml_member *out, const struct xml_doc *d,
		     const struct xml_type *t, uint32_t i);

#endif
