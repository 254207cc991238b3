#ifndef M2M_CBOR_H
#define M2M_CBOR_H

#include <stdbool.h>

#include "base/str.h"

struct codec_conf;

/*
 * Content between JSON and CBOR (TS-0004 8.5: "the CBOR encoding of the JSON
 * object"), by value and never rounded. Pure functions.
 *
 *	numbers		whole ones from -2^63 to 2^64 - 1 are integers, others
 *			the shortest float that is the same double, if its
 *			shortest text is the number again: 0.1 and 1.10 are,
 *			2^70 in digits or thirty digits are refused
 *	text		UTF-8; byte strings count as text, where they are UTF-8
 *	null		null; undefined and other simple values are refused
 *	names		text only
 *	tags		those that only comment on a value are dropped (0, 1,
 *			32 to 36, 55799); others and bignums are refused
 *	written		shortest heads, definite lengths, members in the order
 *			in which they came
 *
 * What comes in is validated against conf as a codec does: ERR_PROTO,
 * ERR_LIMIT with *why (static); UV_ENOMEM. On failure out is as it was. The
 * room that is taken is bounded: four times the octets that come in, and
 * CBOR_SPARE; what would grow beyond that (long arrays of `false`, text that
 * is all escapes) is ERR_LIMIT.
 */
#define CBOR_GROWTH 4
#define CBOR_SPARE  65536

/* cbor is one item, of any type; appends its JSON. */
MUST_CHECK int cbor_to_json(struct buf *out, const struct codec_conf *conf,
			    struct str cbor, const char **why);

/* json is one value; appends its CBOR. */
MUST_CHECK int json_to_cbor(struct buf *out, const struct codec_conf *conf,
			    struct str json, const char **why);

/* False: every string in it is in one piece, so that what it says is found
 * where it stands. */
bool cbor_may_have_pieces(struct str cbor);

/* cbor_to_json() would take it, unless it grew too much. */
MUST_CHECK int cbor_check(const struct codec_conf *conf, struct str cbor,
			  const char **why);

#endif
