#ifndef M2M_CSCAN_H
#define M2M_CSCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "m2m/json.h"

/*
 * A validating walk over one CBOR item (RFC 8949), token by token, as jscan is
 * one over JSON. It cuts slices and allocates nothing: what an item's head
 * claims costs nothing until the octets are there.
 *
 * What has no meaning in JSON is refused: NaN and infinities, undefined and
 * other simple values, names that are no text, bignums and all tags but those
 * that only comment on a value. Byte strings are text (TS-0004 8.5.2 writes
 * its examples so) and checked as UTF-8 like it, each piece on its own.
 */
#define CSCAN_DEPTH_MAX JSCAN_DEPTH_MAX

enum cscan_type {
	CSCAN_UINT,
	CSCAN_NINT,
	CSCAN_FLOAT,
	CSCAN_TEXT,
	CSCAN_FALSE,
	CSCAN_TRUE,
	CSCAN_NULL,
	CSCAN_ARRAY,		/* elements, then CSCAN_END */
	CSCAN_MAP,		/* names and values, then CSCAN_END */
	CSCAN_END,
};

enum cscan_place {
	CSCAN_ELEMENT,		/* of an array, or the item itself */
	CSCAN_NAME,
	CSCAN_VALUE,		/* behind its name */
};

struct cscan_token {
	enum cscan_type type;
	enum cscan_place place;	/* not of CSCAN_END, as is the next */
	bool first;		/* nothing stands before it in its container */
	bool map;		/* CSCAN_END: it was a map */

	uint64_t n;		/* UINT: the number is n; NINT: it is -1 - n */
	double number;		/* FLOAT: finite */
	struct str text;	/* TEXT; read it by cscan_text() */
	bool pieces;		/* text is a row of definite strings */
};

struct cscan_level {
	uint64_t left;		/* items still to come */
	bool endless;		/* until a break; left means nothing */
	bool map;
	bool started;
	bool value;		/* a name came last */
};

struct cscan {
	const char *p;		/* next octet */
	const char *end;
	unsigned depth;		/* open arrays and maps */
	unsigned max_depth;
	unsigned tokens;	/* items, tags and pieces still allowed */
	int err;		/* set on failure */
	const char *why;	/* likewise; static text */
	struct cscan_level levels[CSCAN_DEPTH_MAX];
};

/* A max_depth above CSCAN_DEPTH_MAX counts as that. */
void cscan_init(struct cscan *s, struct str cbor, unsigned max_depth,
		unsigned max_tokens);

/* 0, ERR_PROTO or ERR_LIMIT with s->why. The item is over when s->depth is
 * what it was before its first token. */
MUST_CHECK int cscan_next(struct cscan_token *out, struct cscan *s);

/* Steps over the rest of the item whose first token was `first`. */
MUST_CHECK int cscan_skip(struct cscan *s, const struct cscan_token *first);

/* The text of CSCAN_TEXT: a slice where it is in one piece; else it is
 * appended to store (which has the room, if its slices must stay). */
struct str cscan_text(const struct cscan_token *t, struct buf *store);

/* Cuts the first string off pieces. False: nothing is left. */
bool cscan_cut_piece(struct str *pieces, struct str *piece);

#endif
