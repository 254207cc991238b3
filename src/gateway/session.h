#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

#include "gateway/census.h"
#include "worker.h"

struct credential_proof;
struct owner;
struct peer;
struct trace_context;

/*
 * One connected entity on one WebSocket. Owned by its worker's list; it
 * destroys itself when the WebSocket has closed.
 */
struct session;

/* Takes stream, also on failure. id names it in the log and to the other
 * workers. */
MUST_CHECK int session_create(struct session **out, struct worker_listener *l,
			      uint64_t id, struct stream *stream,
			      enum prim_format format);
void session_destroy(struct session *s);

/* Whose connection it is, for arrival_leave(); may be NULL. */
void session_take_peer(struct session *s, struct peer *peer);

/* Takes the trace that its requests belong to; NULL: none. */
void session_take_trace(struct session *s, struct trace_context *trace);

/* Who its handshake says that it is; may be empty, known NULL. */
void session_handshake(struct session *s, struct str originator,
		       const struct credential_proof *known);

/* Octets that came behind the upgrade request. May destroy s. */
void session_feed(struct session *s, struct str octets);

/* The session of that id, or NULL. */
struct session *session_find(const struct worker *w, uint64_t id);

/* All of them. */
const struct session *session_first(const struct worker *w);
const struct session *session_next(const struct session *s);

/* What there is to see of it; out is good as long as space and nothing
 * changes. */
#define SESSION_PEER_MAX 64
void session_view(struct session_view *out, const struct session *s,
		  char space[SESSION_PEER_MAX]);

/* Closes it with 1008: who runs the gateway says so. */
void session_kick(struct session *s);

/* Takes a request towards one of its entities; it may end at once. */
void session_deliver(struct session *s, struct delivery *d);

/* Another session stands for e: this one is closed with 1000. */
void session_replaced(struct session *s, struct entity *e);

/* Something is stored for e. */
void session_redeliver(struct session *s, struct entity *e);

/* The session of this owner lacks the memory for what it has to be told or to
 * keep: Close 1011, so that its client begins anew. It ends later. */
void session_fail(struct owner *o);

/* Any session of w may have been replaced, and something be stored for any
 * entity. */
void session_catch_up_all(struct worker *w);

/* An answer that was held back. */
void session_give_answer(struct session *s, const struct prim *answer);

/* The entities of the session whose dispatch_peer this is. */
struct owner *session_owner(struct dispatch_peer *peer);

/* What w's verifier knows has changed: who is not in it as before is closed
 * with 1008. None ends within the call. */
void session_check_all(struct worker *w);

/* Up to max sessions of w that do not yet: no new requests, Close 1012 once the
 * pending ones are answered. None ends within the call. False: all do now. */
bool session_drain(struct worker *w, size_t max);
size_t session_count(const struct worker *w);

/* dispatch_peer_waiting_since() of whom it is longest. */
uint64_t session_waiting_since(const struct worker *w);

#endif
