#include "session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"

/* A peer that never makes sense is not listened to for ever. */
#define MAX_MALFORMED 64		/* messages in a row */

#define MAX_FRAME_HEADER 16		/* octets, and some */

enum session_state {
	SESSION_OPEN,		/* primitives flow */
	SESSION_DRAINING,	/* pending requests are still answered */
	SESSION_CLOSING,	/* Close is on its way, or nobody reads */
};

struct session {
	struct worker *w;		/* borrowed */
	struct worker_listener *l;	/* borrowed */
	LIST_ENTRY(session) link;	/* in w->sessions */
	uint64_t started;		/* loop ms */

	struct ws_session *ws;		/* owned */
	struct dispatch_peer peer;

	enum session_state state;	/* session_enter() only */
	unsigned malformed;		/* in a row */
};

static void session_enter(struct session *s, enum session_state to)
{
	assert(to > s->state);
	s->state = to;
}

static void session_close(struct session *s, enum ws_close code,
			  struct str reason)
{
	if (s->state == SESSION_CLOSING)
		return;
	session_enter(s, SESSION_CLOSING);
	ws_session_close(s->ws, code, reason);
}

/* An answer that the queue could never hold must not cost the session. */
static void encode_too_large(struct session *s, const struct prim *answer)
{
	struct prim instead = { 0 };

	prim_refuse(&instead, prim_text(answer, PARAM_RQI),
		    prim_text(answer, PARAM_RVI), RSC_INTERNAL_SERVER_ERROR,
		    "answer above max_queue");
	buf_clear(&s->w->out);
	s->peer.codec->encode(&s->w->out, &instead);
	prim_deinit(&instead);
}

static size_t on_send(struct dispatch_peer *peer, const struct prim *answer)
{
	struct session *s = container_of(peer, struct session, peer);
	struct buf *out = &s->w->out;
	int err;

	buf_clear(out);
	peer->codec->encode(out, answer);
	if (out->len > s->w->conf->max_queue - MAX_FRAME_HEADER)
		encode_too_large(s, answer);
	err = out->failed ? UV_ENOMEM :
			    ws_session_send(s->ws, buf_str(out),
					    peer->codec->format != FORMAT_CBOR);
	if (err == 0)
		return out->len;
	/* an answer that cannot be queued is lost, so the session is */
	if (err == ERR_LIMIT) {
		s->w->counters.slow_readers++;
		session_close(s, WS_CLOSE_POLICY, STR("answers are not read"));
	} else if (err != UV_EPIPE) {
		session_close(s, WS_CLOSE_INTERNAL, STR("out of memory"));
	}
	return 0;
}

static void on_idle(struct dispatch_peer *peer)
{
	struct session *s = container_of(peer, struct session, peer);

	if (s->state == SESSION_DRAINING)
		session_close(s, WS_CLOSE_RESTART, STR("restarting"));
}

static const struct dispatch_peer_ops peer_ops = {
	.send = on_send,
	.on_idle = on_idle,
};

static void on_malformed(struct session *s, struct str message,
			 const char *why)
{
	struct worker *w = s->w;

	w->counters.malformed++;
	if (w->request.kind == PRIM_REQUEST)	/* responses have no answer */
		dispatch_refuse(w->dispatch, &s->peer, &w->request, message,
				RSC_BAD_REQUEST, why);
	if (++s->malformed >= MAX_MALFORMED)
		session_close(s, WS_CLOSE_POLICY, STR("no primitives"));
}

/* The only place that turns a message into a primitive. */
static void on_message(void *owner, struct str message, bool text)
{
	struct session *s = owner;
	struct worker *w = s->w;
	struct prim *p = &w->request;
	const char *why = "malformed";

	/* TS-0020 6.2.2.9: JSON goes in text messages. Clients that send it
	 * as binary are understood, the codec checks the UTF-8. */
	(void)text;
	if (s->peer.codec->decode(p, &why, &w->conf->codec, message) != 0) {
		on_malformed(s, message, why);
		return;
	}
	s->malformed = 0;
	if (p->kind == PRIM_RESPONSE)
		w->counters.stray_responses++;
	else if (s->state == SESSION_DRAINING)
		dispatch_refuse(w->dispatch, &s->peer, p, message,
				RSC_TARGET_NOT_REACHABLE, "shutting down");
	else
		dispatch_request(w->dispatch, &s->peer, p, message);
}

static void on_close(void *owner, unsigned code)
{
	struct session *s = owner;

	log_info("session_close", LOG_UINT("sid", s->peer.id),
		 LOG_UINT("code", code),
		 LOG_UINT("dur_ms", reactor_now(s->w->reactor) - s->started));
	session_destroy(s);
}

static const struct ws_session_ops ws_ops = {
	.on_message = on_message,
	.on_close = on_close,
};

int session_create(struct session **out, struct worker_listener *l,
		   uint64_t id, struct stream *stream, enum prim_format format)
{
	struct worker *w = l->w;
	struct session *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL) {
		stream_destroy(stream);
		return UV_ENOMEM;
	}
	s->w = w;
	s->l = l;
	s->started = reactor_now(w->reactor);
	dispatch_peer_init(&s->peer, &peer_ops, codec_of(format), id);
	err = ws_session_create(&s->ws, w->ws_pool, stream, &ws_ops, s);
	if (err) {
		free(s);
		return err;
	}
	LIST_INSERT_HEAD(&w->sessions, s, link);
	w->counters.sessions++;
	*out = s;
	return 0;
}

void session_destroy(struct session *s)
{
	struct worker *w;

	if (s == NULL)
		return;
	w = s->w;
	LIST_REMOVE(s, link);
	atomic_fetch_sub(&s->l->shared->sessions, 1);
	atomic_fetch_sub(&s->l->shared->connections, 1);
	dispatch_peer_leave(w->dispatch, &s->peer);
	ws_session_destroy(s->ws);
	free(s);
	worker_check_drained(w);
}

void session_feed(struct session *s, struct str octets)
{
	ws_session_feed(s->ws, octets);
}

void session_drain_all(struct worker *w)
{
	struct session *s;

	LIST_FOREACH(s, &w->sessions, link) {
		if (s->state != SESSION_OPEN)
			continue;
		session_enter(s, SESSION_DRAINING);
		if (dispatch_peer_idle(&s->peer))
			on_idle(&s->peer);
	}
}
