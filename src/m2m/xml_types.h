#ifndef M2M_XML_TYPES_H
#define M2M_XML_TYPES_H

#include <stdbool.h>

#include "base/str.h"

/*
 * What XML does not say and JSON needs (TS-0004 8.3, 8.4): the type of each
 * attribute, which of the two kinds of lists it is, and the order of elements.
 * One const table; its rows are in xml_types.c.
 */
#define XML_NS	    "http://www.onem2m.org/xml/protocols"
#define XML_NS_ATTR " xmlns:m2m=\"" XML_NS "\""

enum xml_form {
	XML_TEXT,	/* a JSON string */
	XML_NUMBER,	/* integers, enumerations, floats */
	XML_BOOL,
	XML_WORDS,	/* xs:list of strings: one element, blanks between */
	XML_NUMBERS,	/* xs:list of numbers */
	XML_ANY,	/* xs:anyType: text is a JSON string */
	XML_OBJECT,	/* a complex type */
};

/* Where a member of a complex type stands, if not in one element. */
#define XML_MANY   1	/* in one element per value */
#define XML_TAG	   2	/* in the start tag, as an XML attribute */
#define XML_INSIDE 4	/* it is the text of the element itself */

struct xml_attr {
	struct str name;
	enum xml_form form;
	unsigned flags;
	const struct xml_type *type;	/* of an XML_OBJECT */
};

/* Qualified elements within a complex type: children, or what is carried. */
enum xml_globals {
	XML_GLOBALS_LOOSE,	/* an array if there are several */
	XML_GLOBALS_ONE,	/* pc, rep, rce: a single one, never an array */
	XML_GLOBALS_MANY,	/* resources, agn, agr: always arrays */
};

struct xml_type {
	const struct xml_attr *attrs;	/* in the order of the schema */
	unsigned count;
	enum xml_globals globals;
	bool resource;	/* has the common attributes in front */
	bool guess;	/* unknown members have the type they look like */
	bool inside;	/* has an XML_INSIDE: it is an object, also without
			 * XML attributes */
};

/* At most so many rows has a type, the common ones included. */
#define XML_MAX_ROWS 64

/* Complex types that the table does not know; custom: within a flexContainer
 * specialisation, where values have the type that they look like. */
extern const struct xml_type xml_unknown, xml_custom;

/* What a primitive holds beside pc (TS-0004 6.4.1, 6.4.2). */
extern const struct xml_type xml_request, xml_response;

/* The place of a member in its type, in the order of writing; negative: the
 * type has none of that name. */
int xml_find_row(const struct xml_type *t, struct str name);
const struct xml_attr *xml_row(const struct xml_type *t, int row);
unsigned xml_row_count(const struct xml_type *t);

/* A member without namespace that has no row in t, by its name alone. NULL:
 * known nowhere. */
const struct xml_attr *xml_find_loose(const struct xml_type *t,
				      struct str name);

/* A global element of oneM2M's own namespace; announced variants (…A) too.
 * NULL: no such one. */
const struct xml_attr *xml_find_global(struct str local);

/* The same for any name with a prefix, never NULL: what is not known counts
 * as a resource, under another prefix as a flexContainer specialisation. */
const struct xml_attr *xml_global(struct str prefix, struct str local);

/* The URI that a prefix is bound to, head and tail to be joined. */
void xml_uri_of_prefix(struct str *head, struct str *tail, struct str prefix);

/* The prefix that JSON has for a URI that its writer calls `own`: that, if it
 * stands for the URI here too; else ours; else, for a URI that we do not know,
 * own again, which may be empty. */
struct str xml_prefix_of_uri(struct str uri, struct str own);

/* Letters, digits, '.', '-', '_' of ASCII, not a digit or '.' or '-' first:
 * all names of oneM2M, and what both JSON and XML can name. */
bool xml_is_name(struct str s);

static inline bool xml_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

#endif
