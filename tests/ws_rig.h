#ifndef TESTS_WS_RIG_H
#define TESTS_WS_RIG_H

#include "unit.h"

#include "ws/ws_session.h"

/*
 * A ws_session on a socket whose other end is the test's: what goes in and
 * comes out is octets.
 */
struct ws_rig {
	struct reactor *reactor;
	struct ws_pool *pool;
	struct ws_conf conf;

	struct ws_session *ws;		/* NULL once closed */
	int fd;				/* the peer's end; -1: closed */
	struct buf heard;		/* "T:text|" or "B:octets|" each */
	struct buf out;			/* what the peer got */
	unsigned code;			/* of on_close; 0: open */
	bool ended;			/* the peer saw the end */
	bool echo;			/* every message goes back */
	bool destroys;			/* the session, at the first message */
};

static inline void rig_on_message(void *owner, struct str message, bool text)
{
	struct ws_rig *rig = owner;

	buf_add(&rig->heard, text ? "T:" : "B:", 2);
	buf_add_str(&rig->heard, message);
	buf_add_char(&rig->heard, '|');
	if (rig->echo)
		(void)!ws_session_send(rig->ws, message, text);
	if (rig->destroys) {
		ws_session_destroy(rig->ws);
		rig->ws = NULL;
	}
}

static inline void rig_on_close(void *owner, unsigned code)
{
	struct ws_rig *rig = owner;

	rig->code = code;
	ws_session_destroy(rig->ws);
	rig->ws = NULL;
}

static inline void rig_turn(struct ws_rig *rig, int times)
{
	for (int i = 0; i < times; i++)
		uv_run(reactor_loop(rig->reactor), UV_RUN_NOWAIT);
	if (rig->fd >= 0 && unit_drain(rig->fd, &rig->out))
		rig->ended = true;
}

/* A new connection on the same loop. */
static inline void rig_connect(struct ws_rig *rig)
{
	static const struct ws_session_ops ops = { rig_on_message,
						   rig_on_close };
	struct stream *stream;
	int fds[2];

	buf_clear(&rig->heard);
	buf_clear(&rig->out);
	rig->code = 0;
	rig->ended = false;
	rig->echo = false;
	rig->destroys = false;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0 ||
	    stream_accept(&stream, rig->reactor, fds[0], 1 << 20, NULL,
			  NULL) != 0 ||
	    ws_session_create(&rig->ws, rig->pool, stream, &ops, rig) != 0)
		abort();	/* no ck_assert: fuzzers call this too */
	rig->fd = fds[1];
}

static inline void rig_disconnect(struct ws_rig *rig)
{
	if (rig->fd >= 0)
		close(rig->fd);
	rig->fd = -1;
	rig_turn(rig, 3);
	ws_session_destroy(rig->ws);
	rig->ws = NULL;
}

static inline void rig_init(struct ws_rig *rig)
{
	*rig = (struct ws_rig){
		.conf = { .max_message = 1000, .max_unfinished = 1 << 20,
			  .max_fragments = 8,
			  .message_timeout_ms = 60000,
			  .pong_timeout_ms = 60000,
			  .close_timeout_ms = 60000 },
		.fd = -1,
	};
	if (reactor_create(&rig->reactor) ||
	    ws_pool_create(&rig->pool, rig->reactor, &rig->conf))
		abort();
}

static inline void rig_deinit(struct ws_rig *rig)
{
	rig_disconnect(rig);
	ws_pool_destroy(rig->pool);
	reactor_destroy(rig->reactor);
	buf_deinit(&rig->heard);
	buf_deinit(&rig->out);
}

#endif
