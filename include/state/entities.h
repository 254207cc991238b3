#ifndef STATE_ENTITIES_H
#define STATE_ENTITIES_H

#include "base/str.h"

struct state;
struct state_call;
struct state_mailbox;

/*
 * The entities that registered through the gateway, each under the token of
 * the URL by which the CSE reaches it. What a row means is the caller's
 * business; this module keeps it.
 */
struct entity_row {
	struct str id;			/* canonical: "/id-in/Cmeter7" */
	struct str token;		/* unique */
	int ty;				/* of its resource: 2 AE, 16 CSE */
	struct str rn;			/* name of that, or empty */
	struct str poa;			/* as the client sent it: JSON; or
					 * empty */
	int rr;				/* what it said of rr and of */
	bool routed;			/* ws points of access */
	struct str dcse;		/* JSON array, or empty */
};

/*
 * Every row in order of tokens, between state_create() and state_start(), on
 * that thread. row is good during the call; what on_row() returns other than 0
 * ends it and is returned. UV_EIO: the database is damaged.
 */
MUST_CHECK int entities_load(struct state *s,
			     int (*on_row)(void *arg,
					   const struct entity_row *row),
			     void *arg);

/* Operations as in inbox.h: durable when on_done(0) comes; strings are
 * copied; ERR_LIMIT at once: too much is waiting for the disk. */

/* In place of the row with this token, if there is one. */
MUST_CHECK int entities_put(struct state_mailbox *m, struct state_call *call,
			    const struct entity_row *row);

/* on_done(0) also when there was none; never ERR_LIMIT. */
MUST_CHECK int entities_remove(struct state_mailbox *m,
			       struct state_call *call, struct str token);

#endif
