#ifndef M2M_TRANSCODE_H
#define M2M_TRANSCODE_H

#include "m2m/codec.h"

/*
 * Content in another serialisation, by value. op is that of the request which
 * carries it, OP_NONE of a response: in XML that tells what an empty element
 * means. Appends to out; where nothing
 * changes, the octets. ERR_PROTO, ERR_LIMIT: it has no form there, *why is a
 * static text; ERR_UNSUPPORTED: this build does not know one of the two;
 * UV_ENOMEM. On failure out is as it was. Each direction bounds its room as
 * its own header says.
 */
MUST_CHECK int transcode_content(struct buf *out, enum prim_format to,
				 enum prim_format from, enum op op,
				 struct str content,
				 const struct codec_conf *conf,
				 const char **why);

/* p's content in `to`: as it is, or made in made, which was somebody's
 * scratch and which p->content points into then. */
MUST_CHECK int transcode_prim(struct prim *p, enum prim_format to,
			      struct buf *made, const struct codec_conf *conf,
			      const char **why);

/* content is one value in that format, within conf. Fails as above. */
MUST_CHECK int transcode_check(enum prim_format format, struct str content,
			       const struct codec_conf *conf,
			       const char **why);

#endif
