#ifndef M2M_XML_VALUE_H
#define M2M_XML_VALUE_H

#include <stdbool.h>

#include "base/str.h"

/* Text of XML as values. Blanks around numbers and booleans do not count. */

/* Appends an xs:decimal or xs:double as a JSON number; false: it is none. */
bool xml_add_number(struct buf *out, struct str text);

/* xs:boolean as true or false; NULL: it is none. */
const char *xml_bool(struct str text);

/* true, false or -?(0|[1-9][0-9]*)(\.[0-9]+)?, no longer than what a double
 * is sure to hold. */
bool xml_looks_typed(struct str s);

/* The next word of an xs:list, which *rest then is without; false: none. */
bool xml_cut_word(struct str *word, struct str *rest);

#endif
