#ifndef M2M_XML_WRITE_H
#define M2M_XML_WRITE_H

#include "m2m/json.h"
#include "m2m/xml_out.h"
#include "m2m/xml_types.h"

/* A prefix that an enclosing element has declared. */
struct xml_scope {
	struct str prefix;
	const struct xml_scope *up;
};

/* JSON as elements; see include/m2m/xml.h for what becomes what. */
struct xml_writer {
	struct xml_out out;
	size_t start;		/* in the buffer, behind the last start tag */
	struct buf scratch;	/* owned */
	const char *why;
};

void xml_writer_init(struct xml_writer *w, struct xml_out out);
void xml_writer_deinit(struct xml_writer *w);

/* Appends a member of an object of type t; json has been validated. name is
 * decoded. ERR_PROTO with w->why: XML has no form for it; ERR_LIMIT,
 * UV_ENOMEM. */
MUST_CHECK int xml_write_member(struct xml_writer *w,
				const struct xml_scope *scope,
				const struct xml_type *t, struct str name,
				struct str json);

/* What pc holds, an object with one member. */
MUST_CHECK int xml_write_content(struct xml_writer *w,
				 const struct xml_scope *scope,
				 struct str json);

#endif
