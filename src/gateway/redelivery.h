#ifndef GATEWAY_REDELIVERY_H
#define GATEWAY_REDELIVERY_H

#include "channel.h"
#include "state/state.h"

/*
 * What the inbox holds for an entity, sent to its session: one at a time, in
 * order, each removed when the entity has answered it, whatever it answered;
 * again when it did not answer. At least once, therefore.
 */
struct redelivery;

/* Begins, unless *slot runs already: then it looks once more before it ends.
 * *slot is set to NULL when nothing is left. e and channel outlive it.
 * UV_ENOMEM: it does not run. */
MUST_CHECK int redelivery_start(struct redelivery **slot, struct worker *w,
				struct entity *e, struct channel *channel);

/* The session does not stand for the entity any more. Accepts a NULL slot;
 * sets it to NULL. */
void redelivery_stop(struct redelivery **slot);

#endif
