/*
 * One WebSocket. The stream gives octets, a framer cuts them
 * into frames, this file makes messages of them and answers control frames.
 *
 * Two ways to end. ws_session_close() shakes hands: our Close leaves, what
 * still arrives is read and dropped until the peer's Close or a timeout.
 * A peer that breaks the rules is failed (RFC 6455 7.1.7): our Close leaves,
 * nothing more is read. Either way on_close() is the last that the owner
 * hears, and it destroys the session from there or at any other time; while
 * octets are being worked off, destroy only marks and ws_receive() frees.
 */
#include "ws/ws_session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "ws_frame.h"

/* Control frames in a second: far more than anybody needs, and few enough that
 * a peer which sends nothing else gets no share of the loop by it. */
#define MAX_CONTROLS 1000

/* Octets after our Close: what was on its way, not a flood. */
#define IGNORED_MAX (4u << 20)

enum ws_state {
	WS_OPEN,
	WS_CLOSING,		/* our Close is sent, the peer's awaited */
	WS_CLOSED,		/* the owner has been told */
};

struct ws_pool {
	struct reactor *r;		/* borrowed */
	const struct ws_conf *conf;
	struct ws_counters counters;
	size_t unfinished;		/* octets of messages so far */
	struct ws_framer *spare;	/* clean, for borrowing; or NULL */
	struct ws_framer *sender;	/* owned */
};

struct ws_session {
	struct ws_pool *pool;		/* borrowed */
	const struct ws_session_ops *ops;	/* NULL once destroyed */
	void *owner;

	struct stream *stream;		/* owned; NULL when given up */
	struct ws_framer *framer;	/* owned, while a frame is partial */
	struct buf message;		/* fragments so far */

	enum ws_state state;		/* ws_enter() only */
	bool receiving;			/* ws_receive() is on the stack */
	uint8_t opcode;			/* of the message begun; 0: none */
	bool ended_one;			/* a message ended in this read */
	unsigned fragments;
	unsigned controls;		/* in control_second */
	uint64_t control_second;	/* of the loop's time */
	struct utf8 utf8;
	unsigned close_code;		/* what we sent */
	size_t ignored;			/* octets that came after it */
	uint64_t pinged_at;		/* loop ms; 0: no ping is out */
	struct timeout alive;		/* ping, pong, and the end of closing */
	struct timeout slow;		/* a message that does not end */
};

static void ws_enter(struct ws_session *ws, enum ws_state to)
{
	assert(to > ws->state);
	ws->state = to;
}

static void drop_message(struct ws_session *ws)
{
	ws->pool->unfinished -= ws->message.len;
	buf_deinit(&ws->message);
}

static void ws_free(struct ws_session *ws)
{
	ws_framer_destroy(ws->framer);
	drop_message(ws);
	free(ws);
}

/* The owner hears code once; it may destroy ws in there. */
static void ws_tell_closed(struct ws_session *ws, unsigned code)
{
	ws_enter(ws, WS_CLOSED);
	reactor_disarm(ws->pool->r, &ws->alive);
	reactor_disarm(ws->pool->r, &ws->slow);
	ws->ops->on_close(ws->owner, code);
}

static int send_close(struct ws_session *ws, unsigned code, struct str reason)
{
	char payload[125] = { (char)(code >> 8), (char)(code & 0xff) };
	size_t len = reason.len < 123 ? reason.len : 123;

	memcpy(payload + 2, reason.p, len);
	ws->close_code = code;
	return ws_framer_send(ws->pool->sender, ws->stream,
			      WSLAY_CONNECTION_CLOSE,
			      (struct str){ payload, 2 + len });
}

/* The stream sends what it holds and goes; we keep the struct only. */
static void let_stream_go(struct ws_session *ws)
{
	stream_release(ws->stream);
	ws->stream = NULL;
}

/* Fails the connection. */
static void ws_fail(struct ws_session *ws, unsigned code, struct str reason)
{
	if (ws->state == WS_OPEN)
		(void)!send_close(ws, code, reason);	/* no room: just go */
	let_stream_go(ws);
	ws_tell_closed(ws, code);
}

/* What may be in a Close frame (RFC 6455 7.4, IANA's registry). */
static bool is_close_code(unsigned code)
{
	return (code >= 1000 && code <= 1003) ||
	       (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

static void on_close_frame(struct ws_session *ws, struct str payload)
{
	unsigned code = WS_CLOSE_NONE;

	if (payload.len == 1) {
		ws_fail(ws, WS_CLOSE_PROTOCOL, STR("half a close code"));
		return;
	}
	if (payload.len >= 2) {
		code = (unsigned)(unsigned char)payload.p[0] << 8 |
		       (unsigned char)payload.p[1];
		if (!is_close_code(code)) {
			ws_fail(ws, WS_CLOSE_PROTOCOL, STR("close code"));
			return;
		}
		if (!utf8_valid(str_skip(payload, 2))) {
			ws_fail(ws, WS_CLOSE_BAD_DATA, STR("close reason"));
			return;
		}
	}
	if (ws->state == WS_OPEN) {
		payload.len = payload.len >= 2 ? 2 : 0;
		(void)!ws_framer_send(ws->pool->sender, ws->stream,
				      WSLAY_CONNECTION_CLOSE, payload);
	}
	let_stream_go(ws);
	ws_tell_closed(ws, code);
}

static void on_control_frame(struct ws_session *ws, uint8_t opcode,
			     struct str payload)
{
	switch (opcode) {
	case WSLAY_CONNECTION_CLOSE:
		on_close_frame(ws, payload);
		break;
	case WSLAY_PING:
		ws->pool->counters.pings_in++;
		/* a peer that does not read its pongs gets none */
		if (ws->state == WS_OPEN)
			(void)!ws_framer_send(ws->pool->sender, ws->stream,
					      WSLAY_PONG, payload);
		break;
	default:
		ws->pool->counters.pongs_in++;
	}
}

static void end_message(struct ws_session *ws, struct str whole)
{
	bool text = ws->opcode == WSLAY_TEXT_FRAME;

	if (text && !utf8_done(&ws->utf8)) {
		ws->pool->counters.bad_utf8++;
		ws_fail(ws, WS_CLOSE_BAD_DATA, STR("not UTF-8"));
		return;
	}
	ws->opcode = 0;
	ws->ended_one = true;
	ws->pool->counters.messages_in++;
	ws->pool->counters.octets_in += whole.len;
	if (ws->state == WS_OPEN)
		ws->ops->on_message(ws->owner, whole, text);
	drop_message(ws);
}

/* Small messages come whole, and never need this. */
static bool keep_part(struct ws_session *ws, struct str part)
{
	struct ws_pool *pool = ws->pool;

	if (pool->unfinished + part.len > pool->conf->max_unfinished) {
		pool->counters.unfinished++;
		ws_fail(ws, WS_CLOSE_TRY_LATER, STR("too much to keep"));
		return false;
	}
	if (!buf_reserve(&ws->message, part.len)) {
		ws_fail(ws, WS_CLOSE_INTERNAL, STR("out of memory"));
		return false;
	}
	buf_add_str(&ws->message, part);
	pool->unfinished += part.len;
	return true;
}

static void on_data_chunk(struct ws_session *ws, const struct ws_chunk *chunk)
{
	const struct wslay_frame_iocb *frame = &chunk->frame;
	struct str part = { (const char *)frame->data, frame->data_length };

	if (ws->opcode == WSLAY_TEXT_FRAME && !utf8_feed(&ws->utf8, part)) {
		ws->pool->counters.bad_utf8++;
		ws_fail(ws, WS_CLOSE_BAD_DATA, STR("not UTF-8"));
		return;
	}
	if (chunk->first && chunk->last && frame->fin &&
	    ws->message.len == 0) {
		end_message(ws, part);	/* the usual one: no copy */
		return;
	}
	if (keep_part(ws, part) && chunk->last && frame->fin)
		end_message(ws, buf_str(&ws->message));
}

/* RFC 6455 5.2 to 5.5: what wslay leaves to us. NULL: fine. */
static const char *frame_fault(const struct ws_session *ws,
			       const struct wslay_frame_iocb *frame)
{
	if (!frame->mask != ws->pool->conf->client)
		return frame->mask ? "frame masked" : "frame not masked";
	if (frame->rsv != 0)
		return "reserved bit set";
	switch (frame->opcode) {
	case WSLAY_CONTINUATION_FRAME:
		return ws->opcode == 0 ? "nothing to continue" : NULL;
	case WSLAY_TEXT_FRAME:
	case WSLAY_BINARY_FRAME:
		return ws->opcode != 0 ? "message within a message" : NULL;
	case WSLAY_CONNECTION_CLOSE:
	case WSLAY_PING:
	case WSLAY_PONG:
		return NULL;
	default:
		return "reserved opcode";
	}
}

static bool is_flood(struct ws_session *ws)
{
	uint64_t second = reactor_now(ws->pool->r) / 1000;

	if (second != ws->control_second)
		ws->controls = 0;
	ws->control_second = second;
	return ++ws->controls > MAX_CONTROLS;
}

/* The first sight of a control frame. False: failed. */
static bool on_control(struct ws_session *ws)
{
	if (!is_flood(ws))
		return true;
	ws->pool->counters.too_many_controls++;
	ws_fail(ws, WS_CLOSE_POLICY, STR("too many control frames"));
	return false;
}

/* The first sight of a frame. False: failed. */
static bool on_frame(struct ws_session *ws,
		     const struct wslay_frame_iocb *frame)
{
	const struct ws_conf *conf = ws->pool->conf;
	const char *fault = frame_fault(ws, frame);

	if (fault != NULL) {
		ws->pool->counters.bad_frames++;
		ws_fail(ws, WS_CLOSE_PROTOCOL, str_of(fault));
		return false;
	}
	if (wslay_is_ctrl_frame(frame->opcode))
		return on_control(ws);
	if (frame->opcode != WSLAY_CONTINUATION_FRAME) {
		ws->opcode = frame->opcode;
		ws->fragments = 0;
		ws->utf8 = (struct utf8){ 0 };
	}
	if (++ws->fragments > conf->max_fragments) {
		ws->pool->counters.too_many_fragments++;
		ws_fail(ws, WS_CLOSE_POLICY, STR("too many fragments"));
		return false;
	}
	if (frame->payload_length > conf->max_message ||
	    ws->message.len > conf->max_message - frame->payload_length) {
		ws->pool->counters.too_big++;
		ws_fail(ws, WS_CLOSE_TOO_BIG, STR("message too big"));
		return false;
	}
	return true;
}

static void on_chunk(struct ws_session *ws, struct ws_framer *f,
		     const struct ws_chunk *chunk)
{
	const struct wslay_frame_iocb *frame = &chunk->frame;
	size_t had = (size_t)(chunk->last ? frame->payload_length : f->offset) -
		     frame->data_length;

	if (chunk->first && !on_frame(ws, frame))
		return;
	if (!wslay_is_ctrl_frame(frame->opcode)) {
		on_data_chunk(ws, chunk);
		return;
	}
	if (frame->data_length > 0)
		memcpy(f->control + had, frame->data, frame->data_length);
	if (chunk->last)
		on_control_frame(ws, frame->opcode,
				 (struct str){ f->control,
					       had + frame->data_length });
}

static int borrow_framer(struct ws_framer **out, struct ws_session *ws)
{
	*out = ws->framer != NULL ? ws->framer : ws->pool->spare;
	if (*out == NULL)
		return ws_framer_create(out);
	if (ws->framer != NULL)
		ws->framer = NULL;
	else
		ws->pool->spare = NULL;
	return 0;
}

/* ws keeps it within a frame; else it is everybody's again. */
static void return_framer(struct ws_session *ws, struct ws_framer *f)
{
	if (ws->ops != NULL && ws->state != WS_CLOSED &&
	    !ws_framer_is_clean(f))
		ws->framer = f;
	else if (ws->pool->spare == NULL && ws_framer_is_clean(f))
		ws->pool->spare = f;
	else
		ws_framer_destroy(f);
}

/* A message that has begun must end in time. */
static void watch_message(struct ws_session *ws)
{
	bool within = ws->opcode != 0 || ws->framer != NULL;

	if (ws->ended_one || !within)
		reactor_disarm(ws->pool->r, &ws->slow);
	if (within && ws->slow.due == 0)
		reactor_arm(ws->pool->r, &ws->slow,
			    ws->pool->conf->message_timeout_ms);
}

static bool is_live(const struct ws_session *ws)
{
	return ws->ops != NULL && ws->state != WS_CLOSED;
}

static bool goes_on_for_ever(struct ws_session *ws, size_t len)
{
	if (ws->state != WS_CLOSING)
		return false;
	ws->ignored += len;
	return ws->ignored > IGNORED_MAX;
}

static void ws_receive(struct ws_session *ws, struct str octets)
{
	struct ws_framer *f;
	struct ws_chunk chunk;
	int more;

	if (goes_on_for_ever(ws, octets.len)) {
		ws_fail(ws, ws->close_code, STR(""));
		return;
	}
	if (borrow_framer(&f, ws) != 0) {
		ws_fail(ws, WS_CLOSE_INTERNAL, STR("out of memory"));
		return;
	}
	f->in = octets;
	ws->receiving = true;
	ws->ended_one = false;
	while ((more = ws_framer_next(&chunk, f)) > 0) {
		on_chunk(ws, f, &chunk);
		if (!is_live(ws))
			break;
	}
	if (more < 0) {
		ws->pool->counters.bad_frames++;
		ws_framer_destroy(f);
		ws_fail(ws, WS_CLOSE_PROTOCOL, STR("malformed frame"));
	} else {
		return_framer(ws, f);
	}
	ws->receiving = false;
	if (ws->ops == NULL)
		ws_free(ws);
	else if (ws->state != WS_CLOSED)
		watch_message(ws);
}

static void on_stream_data(void *owner, const char *data, size_t len)
{
	ws_receive(owner, (struct str){ data, len });
}

static void on_stream_end(void *owner, int err)
{
	struct ws_session *ws = owner;

	(void)err;
	stream_destroy(ws->stream);
	ws->stream = NULL;
	ws_tell_closed(ws, WS_CLOSE_ABNORMAL);
}

static const struct stream_ops stream_ops = {
	.on_data = on_stream_data,
	.on_end = on_stream_end,
};

static void on_slow(struct timeout *t)
{
	struct ws_session *ws = container_of(t, struct ws_session, slow);

	ws->pool->counters.too_slow++;
	ws_fail(ws, WS_CLOSE_POLICY, STR("message too slow"));
}

/* Any octet from the peer, and any that it took, is as good as a pong. */
static void on_alive(struct timeout *t)
{
	struct ws_session *ws = container_of(t, struct ws_session, alive);
	const struct ws_conf *conf = ws->pool->conf;
	struct reactor *r = ws->pool->r;
	uint64_t now = reactor_now(r);
	uint64_t active = stream_last_active(ws->stream);

	if (ws->state == WS_CLOSING) {
		ws->pool->counters.no_close++;
		ws_fail(ws, ws->close_code, STR(""));
		return;
	}
	if (ws->pinged_at != 0 && active < ws->pinged_at) {
		ws->pool->counters.no_pong++;
		stream_destroy(ws->stream);
		ws->stream = NULL;
		ws_tell_closed(ws, WS_CLOSE_ABNORMAL);
		return;
	}
	ws->pinged_at = 0;
	if (now - active < conf->ping_interval_ms) {
		reactor_arm(r, t, conf->ping_interval_ms - (now - active));
		return;
	}
	ws->pinged_at = now;
	(void)!ws_framer_send(ws->pool->sender, ws->stream, WSLAY_PING,
			      STR(""));
	reactor_arm(r, t, conf->pong_timeout_ms);
}

int ws_session_create(struct ws_session **out, struct ws_pool *pool,
		      struct stream *stream, const struct ws_session_ops *ops,
		      void *owner)
{
	struct ws_session *ws = calloc(1, sizeof(*ws));

	if (ws == NULL) {
		stream_destroy(stream);
		return UV_ENOMEM;
	}
	ws->pool = pool;
	ws->ops = ops;
	ws->owner = owner;
	ws->stream = stream;
	ws->alive.on_timeout = on_alive;
	ws->slow.on_timeout = on_slow;
	stream_set_owner(stream, &stream_ops, ws);
	if (pool->conf->ping_interval_ms > 0)
		reactor_arm(pool->r, &ws->alive,
			    pool->conf->ping_interval_ms);
	*out = ws;
	return 0;
}

void ws_session_feed(struct ws_session *ws, struct str octets)
{
	if (octets.len > 0)
		ws_receive(ws, octets);
}

void ws_session_destroy(struct ws_session *ws)
{
	if (ws == NULL)
		return;
	ws->ops = NULL;
	reactor_disarm(ws->pool->r, &ws->alive);
	reactor_disarm(ws->pool->r, &ws->slow);
	if (ws->stream != NULL)
		let_stream_go(ws);
	if (!ws->receiving)
		ws_free(ws);
}

int ws_session_send(struct ws_session *ws, struct str message, bool text)
{
	int err;

	if (ws->state != WS_OPEN)
		return UV_EPIPE;
	err = ws_framer_send(ws->pool->sender, ws->stream,
			     text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
			     message);
	if (err)
		return err;
	ws->pool->counters.messages_out++;
	ws->pool->counters.octets_out += message.len;
	return 0;
}

struct str ws_session_peer(const struct ws_session *ws, char *space, size_t len)
{
	return ws->stream != NULL ? stream_peer(ws->stream, space, len) :
				    STR("");
}

struct str ws_session_peer_name(const struct ws_session *ws)
{
	return ws->stream != NULL ? stream_peer_name(ws->stream) : STR("");
}

void ws_session_close(struct ws_session *ws, enum ws_close code,
		      struct str reason)
{
	if (ws->state != WS_OPEN)
		return;
	/* without room for our Close, the end of closing_timeout ends it */
	(void)!send_close(ws, code, reason);
	ws_enter(ws, WS_CLOSING);
	reactor_arm(ws->pool->r, &ws->alive, ws->pool->conf->close_timeout_ms);
}

int ws_pool_create(struct ws_pool **out, struct reactor *r,
		   const struct ws_conf *conf)
{
	struct ws_pool *pool = calloc(1, sizeof(*pool));
	int err;

	if (pool == NULL)
		return UV_ENOMEM;
	pool->r = r;
	pool->conf = conf;
	err = ws_framer_create(&pool->sender);
	if (err) {
		free(pool);
		return err;
	}
	pool->sender->masks = conf->client;
	*out = pool;
	return 0;
}

void ws_pool_destroy(struct ws_pool *pool)
{
	if (pool == NULL)
		return;
	ws_framer_destroy(pool->spare);
	ws_framer_destroy(pool->sender);
	free(pool);
}

const struct ws_counters *ws_pool_counters(const struct ws_pool *pool)
{
	return &pool->counters;
}
