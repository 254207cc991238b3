#ifndef WS_WS_SESSION_H
#define WS_WS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "net/stream.h"

/*
 * One end of a WebSocket (RFC 6455) on a stream, the server's unless its pool
 * says otherwise: whole messages in, whole messages out. Framing is wslay's;
 * messages, UTF-8, control frames and the close handshake are handled here,
 * within limits.
 */
struct ws_session;

struct ws_conf {
	bool client;			/* masks its frames, the peer does not;
					 * fixed when the pool is made */
	size_t max_message;		/* octets; above: Close 1009 */
	size_t max_unfinished;		/* octets that all sessions keep of
					 * messages; above: Close 1013 */
	unsigned max_fragments;		/* of one message; above: Close 1008 */
	uint64_t message_timeout_ms;	/* first octet to last; Close 1008 */
	uint64_t ping_interval_ms;	/* of silence; 0: no pings */
	uint64_t pong_timeout_ms;	/* then the connection is dropped */
	uint64_t close_timeout_ms;	/* for the peer's Close */
};

/* What the sessions of one loop share: codec contexts that are borrowed while
 * a frame passes, configuration, counters. */
struct ws_pool;

struct ws_counters {
	uint64_t messages_in, messages_out;
	uint64_t octets_in, octets_out;		/* of messages */
	uint64_t pings_in, pongs_in;
	uint64_t too_big, too_many_fragments, too_slow, no_pong, no_close;
	uint64_t too_many_controls;
	uint64_t unfinished;			/* max_unfinished bit */
	uint64_t bad_frames, bad_utf8;
};

/* conf is borrowed and outlives the pool. */
MUST_CHECK int ws_pool_create(struct ws_pool **out, struct reactor *r,
			      const struct ws_conf *conf);
void ws_pool_destroy(struct ws_pool *pool);	/* after its sessions */
const struct ws_counters *ws_pool_counters(const struct ws_pool *pool);

enum ws_close {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_GOING_AWAY = 1001,
	WS_CLOSE_PROTOCOL = 1002,
	WS_CLOSE_UNACCEPTABLE = 1003,
	WS_CLOSE_NONE = 1005,		/* reported only, never sent */
	WS_CLOSE_ABNORMAL = 1006,	/* reported only, never sent */
	WS_CLOSE_BAD_DATA = 1007,
	WS_CLOSE_POLICY = 1008,
	WS_CLOSE_TOO_BIG = 1009,
	WS_CLOSE_INTERNAL = 1011,
	WS_CLOSE_RESTART = 1012,
	WS_CLOSE_TRY_LATER = 1013,
};

struct ws_session_ops {
	/* A whole message, good for the call only. text: opcode 1, valid
	 * UTF-8. Not called after ws_session_close(). */
	void (*on_message)(void *owner, struct str message, bool text);

	/* The session is over: code is the peer's, or the one we gave up
	 * with, 1005 or 1006. The owner destroys it. */
	void (*on_close)(void *owner, unsigned code);
};

/* Takes stream, also on failure. */
MUST_CHECK int ws_session_create(struct ws_session **out, struct ws_pool *pool,
				 struct stream *stream,
				 const struct ws_session_ops *ops,
				 void *owner);

/* Octets that arrived behind the upgrade request. May call back. */
void ws_session_feed(struct ws_session *ws, struct str octets);

/* Without a Close frame unless one was sent; queued output still leaves.
 * Accepts NULL. */
void ws_session_destroy(struct ws_session *ws);

/* One message of one frame; text must be UTF-8. ERR_LIMIT: the peer reads too
 * slowly, nothing was queued; UV_EPIPE: closing already. */
MUST_CHECK int ws_session_send(struct ws_session *ws, struct str message,
			       bool text);

/* Whose connection it is, and whom its certificate names: stream_peer() and
 * stream_peer_name(). Empty once the connection is over. */
struct str ws_session_peer(const struct ws_session *ws, char *space,
			   size_t len);
struct str ws_session_peer_name(const struct ws_session *ws);

/* Starts the close handshake; on_close() follows, at the latest after
 * close_timeout_ms. reason: at most 123 octets, UTF-8. */
void ws_session_close(struct ws_session *ws, enum ws_close code,
		      struct str reason);

#endif
