#ifndef M2M_CODEC_PRIV_H
#define M2M_CODEC_PRIV_H

#include "m2m/codec.h"

/*
 * What codecs of bare objects share (TS-0004 8.4, 8.5). A fault of syntax ends
 * the reading; a fault of meaning is noted and the reading goes on, because
 * the rqi that the answer needs may still follow.
 */
struct codec_reading {
	struct prim *out;
	uint64_t seen;		/* a bit per name, of null members also */
	int err;		/* the first fault of meaning */
	const char *why;
};

/* In `seen`, behind the parameters. */
#define CODEC_SEEN_PC PARAM_COUNT

void codec_note_fault(struct codec_reading *r, int err, const char *why);

/* False, with a fault: the name came before. */
bool codec_is_new(struct codec_reading *r, unsigned bit);

/* A member that no parameter is; a duplicate and one too many are faults. */
void codec_add_extra(struct codec_reading *r, struct str name,
		     struct str json);

/* Once all members are there: kind, op and rsc of out. Returns the inside of
 * a wrapper, a fault, where the rqi may be found; else p == NULL. */
struct str codec_read_kind(struct codec_reading *r);

/* The parameters to write, in their order; returns how many. */
unsigned codec_list_params(enum prim_param out[PARAM_COUNT],
			   const struct prim *p);

/* What encode() returns, when it began at from and met err. */
MUST_CHECK int codec_encoded(struct buf *out, size_t from, int err,
			     const char **why);

#endif
