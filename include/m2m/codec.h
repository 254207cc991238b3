#ifndef M2M_CODEC_H
#define M2M_CODEC_H

#include "m2m/prim.h"

/* Bounds on what a peer's message may cost to look at. */
struct codec_conf {
	unsigned max_depth;	/* nesting of arrays and objects */
	unsigned max_tokens;	/* values and member names in one message */
};

/*
 * A serialisation of primitives (TS-0004 clause 8). Pure functions.
 *
 * decode: out is reset and filled; its slices point into message and into
 *	out->store. ERR_PROTO, ERR_LIMIT: not a primitive; *why is a static
 *	text, and rqi is present in out if it could be read, so that the answer
 *	can name it. UV_ENOMEM. A message with `rsc` is a response, whatever
 *	else it holds (TS-0004 8.4.3).
 * encode: appends the whole primitive to out, its content transcoded where it
 *	is in another serialisation. ERR_PROTO, ERR_LIMIT with *why: this one
 *	has no form for it; UV_ENOMEM. On failure out is as it was.
 */
struct codec {
	enum prim_format format;
	int (*decode)(struct prim *out, const char **why,
		      const struct codec_conf *conf, struct str message);
	int (*encode)(struct buf *out, const char **why,
		      const struct codec_conf *conf, const struct prim *p);
};

extern const struct codec codec_json;
extern const struct codec codec_cbor;
extern const struct codec codec_xml;

/* The codec of a serialisation; NULL when this build has none. */
const struct codec *codec_of(enum prim_format format);

#endif
