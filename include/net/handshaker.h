#ifndef NET_HANDSHAKER_H
#define NET_HANDSHAKER_H

#include "net/reactor.h"

/*
 * A thread that does the TLS handshakes of one loop's streams, so that those
 * who are connected do not wait for the arithmetic of those who come: a full
 * handshake takes milliseconds, a message microseconds. First come, first
 * served.
 */
struct handshaker;

/* max_waiting: steps of handshakes that wait for their turn. */
MUST_CHECK int handshaker_create(struct handshaker **out, struct reactor *r,
				 size_t max_waiting);

/* On the reactor's loop; for those to come. */
void handshaker_set_max(struct handshaker *h, size_t max_waiting);

/* After the streams that it works for, before the reactor and the contexts.
 * Accepts NULL. */
void handshaker_destroy(struct handshaker *h);

/* Steps that wait or are at work. */
size_t handshaker_waiting(const struct handshaker *h);

/* Connections that were given up since max_waiting bit. */
uint64_t handshaker_refused(const struct handshaker *h);

#endif
