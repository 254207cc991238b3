#ifndef CTL_CTL_TRACE_H
#define CTL_CTL_TRACE_H

#include "ctl_args.h"

/* Prints primitives as they pass, until the daemon ends or is ended. */
int ctl_trace(const struct ctl_args *args);

/* A response of HTTP whose body is chunked lines, octet by octet. */
struct ctl_chunks {
	struct buf kept;		/* owned: octets that are not whole */
	int status;			/* of HTTP; 0: not known yet */
	bool ended;			/* by its last chunk */
};

/* Takes octets; on_lines() is called with each chunk. ERR_PROTO: it is none of
 * that. */
MUST_CHECK int ctl_chunks_feed(struct ctl_chunks *c, struct str octets,
			       void (*on_lines)(void *arg, struct str lines),
			       void *arg);

#endif
