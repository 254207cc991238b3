#include "session.h"

#include <assert.h>
#include <stdlib.h>

#include "arrival.h"
#include "base/clock.h"
#include "base/log.h"
#include "owner.h"
#include "post.h"
#include "registrar.h"
#include "trace_context.h"
#include "verify.h"
#include "worker_listener.h"

/* A peer that says nothing but what is no primitive, or not its to say, is not
 * listened to for ever. */
#define MAX_VAIN 64		/* messages in a row */

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
	UT_hash_handle hh;		/* in w->session_table, by id */
	uint64_t started;		/* loop ms */
	struct peer *from;		/* whose connection it is; or NULL */

	struct ws_session *ws;		/* owned */
	struct dispatch_peer peer;	/* requests of the client */
	struct channel channel;		/* requests to it */
	struct owner owner;		/* whom it stands for */

	enum session_state state;	/* session_enter() only */
	unsigned vain;			/* messages in a row */
	uint64_t messages_in, messages_out;
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

static bool fits_queue(const struct session *s, const struct buf *out)
{
	return out->len <= s->w->conf->max_queue - MAX_FRAME_HEADER;
}

/* What is in w->out; the octets, or 0: it could not be queued. */
static size_t send_out(struct session *s)
{
	struct buf *out = &s->w->out;
	int err = out->failed ? UV_ENOMEM :
				ws_session_send(s->ws, buf_str(out),
						s->peer.codec->format !=
							FORMAT_CBOR);

	if (err == 0) {
		s->messages_out++;
		return out->len;
	}
	/* an answer that cannot be queued is lost, so the session is */
	if (err == ERR_LIMIT) {
		s->w->counters.slow_readers++;
		session_close(s, WS_CLOSE_POLICY, STR("messages are not read"));
	} else if (err != UV_EPIPE) {
		session_close(s, WS_CLOSE_INTERNAL, STR("out of memory"));
	}
	return 0;
}

/* 0, or why the session's serialisation has no form for p. */
static int encode(struct session *s, const struct prim *p, const char **why)
{
	struct buf *out = &s->w->out;

	buf_clear(out);
	return s->peer.codec->encode(out, why, &s->w->conf->codec, p);
}

/* An answer that cannot be sent must not cost the session. */
static void encode_instead(struct session *s, const struct prim *answer,
			   const char *why)
{
	struct prim instead = { 0 };

	prim_refuse(&instead, prim_text(answer, PARAM_RQI),
		    prim_text(answer, PARAM_RVI), RSC_INTERNAL_SERVER_ERROR,
		    why);
	if (encode(s, &instead, &why) != 0)	/* only for want of memory */
		s->w->out.failed = true;
	prim_deinit(&instead);
}

static void trace(struct session *s, const char *dir, const struct prim *p)
{
	if (!SLIST_EMPTY(&s->w->taps))
		tap_note(s->w, &s->owner, s->peer.id, dir, p);
}

static size_t send_answer(struct dispatch_peer *peer, const struct prim *answer)
{
	struct session *s = container_of(peer, struct session, peer);
	const char *why = NULL;

	trace(s, "out", answer);
	if (encode(s, answer, &why) != 0) {
		s->w->counters.unconvertible++;
		encode_instead(s, answer, why);
	} else if (!fits_queue(s, &s->w->out)) {
		encode_instead(s, answer, "answer above max_queue");
	}
	return send_out(s);
}

static int send_request(struct channel *c, const struct prim *request)
{
	struct session *s = container_of(c, struct session, channel);
	const char *why = NULL;

	if (s->state == SESSION_CLOSING)
		return UV_EPIPE;
	trace(s, "out", request);
	if (encode(s, request, &why) != 0 && !s->w->out.failed) {
		s->w->counters.unconvertible++;
		return ERR_PROTO;
	}
	if (!fits_queue(s, &s->w->out))
		return ERR_LIMIT;
	return send_out(s) > 0 ? 0 : UV_EPIPE;
}

/* When draining: nothing is open in either direction. */
static void check_idle(struct session *s)
{
	if (s->state == SESSION_DRAINING && dispatch_peer_idle(&s->peer) &&
	    channel_is_idle(&s->channel) && s->owner.owed == 0)
		session_close(s, WS_CLOSE_RESTART, STR("restarting"));
}

static void on_idle(struct dispatch_peer *peer)
{
	check_idle(container_of(peer, struct session, peer));
}

static void give_back(struct channel *c, struct delivery *d)
{
	struct session *s = container_of(c, struct session, channel);

	post_home(s->w, d);
	check_idle(s);
}

static const struct channel_ops channel_ops = {
	.send = send_request,
	.give_back = give_back,
};

static const struct dispatch_peer_ops peer_ops = {
	.send = send_answer,
	.on_idle = on_idle,
};

static void in_vain(struct session *s, struct str reason)
{
	if (++s->vain < MAX_VAIN)
		return;
	s->w->counters.no_primitives++;
	session_close(s, WS_CLOSE_POLICY, reason);
}

static void on_malformed(struct session *s, struct str message, int err,
			 const char *why)
{
	struct worker *w = s->w;

	w->counters.malformed++;
	w->counters.too_complex += err == ERR_LIMIT;
	if (w->request.kind == PRIM_REQUEST)	/* responses have no answer */
		dispatch_refuse(w->dispatch, &s->peer, &w->request, message,
				RSC_BAD_REQUEST, why);
	in_vain(s, STR("no primitives"));
}

static void on_request(struct session *s, struct prim *p, struct str message)
{
	struct worker *w = s->w;
	const char *why = NULL;
	int rsc;

	if (s->state == SESSION_DRAINING) {
		dispatch_refuse(w->dispatch, &s->peer, p, message,
				RSC_TARGET_NOT_REACHABLE, "shutting down");
		return;
	}
	rsc = registrar_admit(w->registrar, &s->owner, p, &why);
	if (rsc == 0) {
		s->vain = 0;
		dispatch_request(w->dispatch, &s->peer, p, message);
		return;
	}
	dispatch_refuse(w->dispatch, &s->peer, p, message, rsc, why);
	in_vain(s, STR("nothing permitted"));
}

/* The only place that turns a message into a primitive. */
static void on_message(void *owner, struct str message, bool text)
{
	struct session *s = owner;
	struct worker *w = s->w;
	struct prim *p = &w->request;
	const char *why = "malformed";
	int err;

	/* TS-0020 6.2.2.9. Clients that send text as binary are understood,
	 * the codec checks the UTF-8; CBOR as text is not. */
	if (text && s->peer.codec->format == FORMAT_CBOR) {
		w->counters.malformed++;
		session_close(s, WS_CLOSE_UNACCEPTABLE, STR("CBOR is binary"));
		return;
	}
	s->messages_in++;
	err = s->peer.codec->decode(p, &why, &w->conf->codec, message);
	if (err) {
		on_malformed(s, message, err, why);
		return;
	}
	trace(s, "in", p);
	if (p->kind == PRIM_RESPONSE) {
		s->vain = 0;
		channel_answer(&s->channel, p);
	} else {
		on_request(s, p, message);
	}
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

static int add_to_table(struct session *s)
{
	HASH_ADD(hh, s->w->session_table, peer.id, sizeof(s->peer.id), s);
	return table_added(&s->hh);
}

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
	channel_init(&s->channel, &channel_ops, &w->channel_conf,
		     &w->channel_counters, w->reactor);
	owner_init(&s->owner, w, id, &s->channel);
	err = add_to_table(s);
	if (err) {
		stream_destroy(stream);
		free(s);
		return err;
	}
	err = ws_session_create(&s->ws, w->ws_pool, stream, &ws_ops, s);
	if (err) {
		HASH_DELETE(hh, w->session_table, s);
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
	HASH_DELETE(hh, w->session_table, s);
	s->state = SESSION_CLOSING;
	atomic_fetch_sub(&s->l->shared->sessions, 1);
	arrival_leave(s->l, s->from);
	dispatch_peer_leave(w->dispatch, &s->peer);
	channel_end(&s->channel);
	owner_deinit(&s->owner);
	trace_context_destroy(s->peer.trace);
	ws_session_destroy(s->ws);
	free(s);
	worker_ended_one(w);
}

void session_take_trace(struct session *s, struct trace_context *trace)
{
	s->peer.trace = trace;
}

void session_take_peer(struct session *s, struct peer *peer)
{
	s->from = peer;
}

struct session *session_find(const struct worker *w, uint64_t id)
{
	struct session *s;

	HASH_FIND(hh, w->session_table, &id, sizeof(id), s);
	return s;
}

void session_handshake(struct session *s, struct str originator,
		       const struct credential_proof *known)
{
	s->owner.proof = known;
	s->owner.credential = known != NULL ? known->credential : NULL;
	if (originator.len > 0)
		registrar_handshake(s->w->registrar, &s->owner, originator);
}

void session_deliver(struct session *s, struct delivery *d)
{
	/* when draining: a request of its own may be waiting for it */
	if (s->state != SESSION_CLOSING) {
		channel_send(&s->channel, d);
		return;
	}
	d->end = DELIVERY_UNSENT;
	post_home(s->w, d);
}

void session_replaced(struct session *s, struct entity *e)
{
	owner_forget(&s->owner, e);
	session_close(s, WS_CLOSE_NORMAL, STR("replaced"));
}

void session_fail(struct owner *o)
{
	session_close(container_of(o, struct session, owner),
		      WS_CLOSE_INTERNAL, STR("out of memory"));
}

void session_redeliver(struct session *s, struct entity *e)
{
	if (s->state == SESSION_OPEN && owner_redeliver(&s->owner, e) != 0)
		session_fail(&s->owner);
}

void session_catch_up_all(struct worker *w)
{
	struct session *s;
	struct entity *e;

	LIST_FOREACH(s, &w->sessions, link) {
		e = owner_find_replaced(&s->owner);
		if (e != NULL)
			session_replaced(s, e);
		else if (s->state == SESSION_OPEN &&
			 owner_redeliver_all(&s->owner) != 0)
			session_fail(&s->owner);
	}
}

void session_give_answer(struct session *s, const struct prim *answer)
{
	s->owner.owed--;
	if (s->state != SESSION_CLOSING)
		send_answer(&s->peer, answer);
	check_idle(s);
}

struct owner *session_owner(struct dispatch_peer *peer)
{
	return &container_of(peer, struct session, peer)->owner;
}

void session_feed(struct session *s, struct str octets)
{
	ws_session_feed(s->ws, octets);
}

const struct session *session_first(const struct worker *w)
{
	return LIST_FIRST(&w->sessions);
}

const struct session *session_next(const struct session *s)
{
	return LIST_NEXT(s, link);
}

static struct str name_of(const struct credential *credential)
{
	return credential != NULL ? str_of(credential->name) : STR("");
}

void session_view(struct session_view *out, const struct session *s,
		  char space[SESSION_PEER_MAX])
{
	*out = (struct session_view){
		.sid = s->peer.id,
		.worker = s->w->index,
		.listener = s->l->conf.name,
		.peer = ws_session_peer(s->ws, space, SESSION_PEER_MAX),
		.credential = name_of(s->owner.credential),
		.certificate = ws_session_peer_name(s->ws),
		.subprotocol = ws_handshake_subprotocol(s->peer.codec->format),
		.opened_ms = clock_wall_ms() -
			     (reactor_now(s->w->reactor) - s->started),
		.messages_in = s->messages_in,
		.messages_out = s->messages_out,
		.in_flight = s->peer.at_cse_count,
		.waiting_octets = s->peer.waiting_octets,
		.asked = s->channel.sent_count,
		.entities = s->owner.count,
		.owner = &s->owner,
	};
}

void session_kick(struct session *s)
{
	if (s->state != SESSION_CLOSING)
		log_info("session_kicked", LOG_UINT("sid", s->peer.id));
	session_close(s, WS_CLOSE_POLICY, STR("ended by the operator"));
}

/* Stands for nobody, as long as its Close takes. */
static void revoke(struct session *s)
{
	static const struct credential nobody = { .name = "" };
	static const struct credential_proof none = {
		.name = STR(""),
		.credential = &nobody,
	};

	s->owner.proof = &none;
	s->owner.credential = &nobody;
	if (s->state == SESSION_CLOSING)
		return;
	s->w->counters.revoked++;
	log_info("session_revoked", LOG_UINT("sid", s->peer.id));
	session_close(s, WS_CLOSE_POLICY, STR("credential changed"));
}

void session_check_all(struct worker *w)
{
	const struct credential_proof *known;
	struct session *s;

	LIST_FOREACH(s, &w->sessions, link) {
		if (s->owner.proof == NULL)
			continue;
		known = verifier_find_same(w->verifier, s->owner.proof);
		if (known == NULL) {
			revoke(s);
			continue;
		}
		s->owner.proof = known;
		s->owner.credential = known->credential;
	}
}

bool session_drain(struct worker *w, size_t max)
{
	struct session *s;

	LIST_FOREACH(s, &w->sessions, link) {
		if (s->state != SESSION_OPEN)
			continue;
		if (max-- == 0)
			return true;
		session_enter(s, SESSION_DRAINING);
		check_idle(s);
	}
	return false;
}

size_t session_count(const struct worker *w)
{
	const struct session *s;
	size_t count = 0;

	LIST_FOREACH(s, &w->sessions, link)
		count++;
	return count;
}

uint64_t session_waiting_since(const struct worker *w)
{
	const struct session *s;
	uint64_t least = 0, since;

	LIST_FOREACH(s, &w->sessions, link) {
		since = dispatch_peer_waiting_since(&s->peer);
		if (since != 0 && (least == 0 || since < least))
			least = since;
	}
	return least;
}
