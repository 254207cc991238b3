#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

#include "worker.h"

/*
 * One connected entity on one WebSocket. Owned by its worker's list; it
 * destroys itself when the WebSocket has closed.
 */
struct session;

/* Takes stream, also on failure. id names it in the log. */
MUST_CHECK int session_create(struct session **out, struct worker_listener *l,
			      uint64_t id, struct stream *stream,
			      enum prim_format format);
void session_destroy(struct session *s);

/* Octets that came behind the upgrade request. May destroy s. */
void session_feed(struct session *s, struct str octets);

/* Every session of w: no new requests, Close 1012 once the pending ones are
 * answered. None ends within the call. */
void session_drain_all(struct worker *w);

#endif
