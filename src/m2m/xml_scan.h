#ifndef M2M_XML_SCAN_H
#define M2M_XML_SCAN_H

#include <stdbool.h>

#include "base/str.h"

/*
 * Cuts slices out of an element that expat has read to its end and found well
 * formed, in a text without DTD: nothing is judged here, nothing can run over
 * the end.
 */
struct xml_tag {
	struct str prefix;	/* empty: none */
	struct str local;
	const char *attrs;	/* behind the name */
	const char *end;	/* behind the '>' */
	bool empty;		/* <a/> */
};

/* The name in the tag whose '<' is at p. */
struct str xml_cut_name(const char *p);

/* The start tag whose '<' is at p. */
void xml_cut_tag(struct xml_tag *out, const char *p);

/* The next XML attribute from *at on; false: there is none left. value is
 * what stands between the quotes, which are octets value.p[-1]. */
bool xml_next_attr(struct str *name, struct str *value, const char **at);

/* Behind the comment, processing instruction or CDATA section at p; p itself
 * when there is none. */
const char *xml_skip_aside(const char *p);

/* Behind the end tag of the element that starts at p. */
const char *xml_skip_element(const char *p);

/* All between start tag and end tag, as it stands there. */
struct str xml_inside(const struct xml_tag *tag, const char *p);

/* The text of an element without children: a slice, or decoded in scratch,
 * which is cleared for it. */
struct str xml_text(const struct xml_tag *tag, struct buf *scratch);

/* The same of an attribute's value, normalised as XML 1.0 3.3.3 says. */
struct str xml_attr_text(struct str value, struct buf *scratch);

#endif
