#ifndef M2M_NOTIFICATION_H
#define M2M_NOTIFICATION_H

#include <stdbool.h>

#include "m2m/prim.h"

/*
 * What a gateway has to know of the content of a NOTIFY (TS-0004 6.3.5.13,
 * 7.5.1.1) to carry it rightly; the content itself is never rebuilt.
 */
enum notification_kind {
	NOTIFICATION_EVENT,	/* m2m:sgn or m2m:agn */
	NOTIFICATION_RESULT,	/* m2m:rsp: of a non-blocking request */
	NOTIFICATION_VERIFY,	/* vrq: the subscriber waits for the answer */
	NOTIFICATION_BLOCKING,	/* net 7: an UPDATE waits for the answer */
	NOTIFICATION_NONE,	/* anything else */
};

struct notification {
	enum notification_kind kind;
	struct str sur;		/* subscription reference, decoded; or empty */
};

/* text holds sur where it had escapes; it outlives out. content is valid
 * JSON, or empty. */
void notification_read(struct notification *out, struct buf *text,
		       struct str content);

#endif
