#ifndef M2M_XML_READ_H
#define M2M_XML_READ_H

#include "m2m/xml_doc.h"
#include "m2m/xml_out.h"
#include "m2m/xml_types.h"

/* Elements of one document as JSON; see include/m2m/xml.h for what becomes
 * what. */
struct xml_reader {
	const struct xml_doc *d;
	struct xml_out out;
	unsigned max_depth;
	unsigned tokens;	/* values and names still allowed */
	bool update;		/* empty attributes are to be deleted */

	unsigned depth;		/* open arrays and objects */
	unsigned level;		/* open elements that are objects */
	struct buf scratch;	/* owned */
	const char *why;
};

void xml_reader_init(struct xml_reader *r, const struct xml_doc *d,
		     const struct codec_conf *conf, struct xml_out out);
void xml_reader_deinit(struct xml_reader *r);

/* Appends element i as a value of that type (NULL: not known). ERR_PROTO,
 * ERR_LIMIT, UV_ENOMEM with r->why. */
MUST_CHECK int xml_read_value(struct xml_reader *r, const struct xml_attr *a,
			      uint32_t i);

/* {"prefix:name":value} of element i, as pc holds it. */
MUST_CHECK int xml_read_content(struct xml_reader *r, uint32_t i);

#endif
