#include "upgrade.h"

#include <stdlib.h>
#include <unistd.h>

#include "arrival.h"
#include "base/log.h"
#include "session.h"
#include "trace_context.h"
#include "verify.h"
#include "worker_listener.h"

#define REFUSALS_LOGGED 10	/* a second */

/*
 * A request with a credential waits while that is hashed; its head stays with
 * the HTTP server, and the handshake points into it. The connection may end
 * meanwhile, and so may the worker.
 */
struct upgrade {
	struct worker_listener *l;	/* borrowed */
	struct peer *peer;		/* whose it is; or NULL */
	TAILQ_ENTRY(upgrade) link;	/* in l->w->upgrades */
	struct http_server *http;	/* owned */
	struct stream *stream;		/* http's; borrowed */
	struct ws_handshake handshake;	/* while it waits */
	const struct http_msg *req;
	struct verification *verification;	/* or NULL */
};

/* Leaves its place alone: a session may have taken it over. */
static void upgrade_free(struct upgrade *u)
{
	TAILQ_REMOVE(&u->l->w->upgrades, u, link);
	verification_cancel(u->verification);
	http_server_destroy(u->http);
	free(u);
}

void upgrade_destroy(struct upgrade *u)
{
	struct worker_listener *l = u->l;
	struct peer *peer = u->peer;
	struct worker *w = l->w;

	upgrade_free(u);
	arrival_leave(l, peer);
	worker_ended_one(w);
}

void upgrade_end_all(struct worker_listener *l)
{
	struct upgrade *u, *next;

	for (u = TAILQ_FIRST(&l->w->upgrades); u != NULL; u = next) {
		next = TAILQ_NEXT(u, link);
		if (u->l == l)
			upgrade_destroy(u);
	}
}

static void count_refusal(struct worker *w, int status)
{
	struct worker_counters *c = &w->counters;

	c->refused_handshakes++;
	c->refused_origins += status == 403;
	c->slow_handshakes += status == 408;
	c->large_heads += status == 414 || status == 431;
}

bool upgrade_displace(struct worker_listener *l)
{
	struct upgrade *u;

	TAILQ_FOREACH(u, &l->w->upgrades, link) {
		if (u->l != l)
			continue;
		l->w->counters.displaced++;
		upgrade_destroy(u);
		return true;
	}
	return false;
}

/* stream: NULL once it is gone. */
static void note_refusal(struct worker_listener *l, struct stream *stream,
			 int status, const char *why)
{
	char space[64] = "";

	count_refusal(l->w, status);
	if (!log_limit_allows(&l->log_handshakes, reactor_now(l->w->reactor),
			      REFUSALS_LOGGED))
		return;
	if (stream != NULL)
		stream_peer(stream, space, sizeof(space));
	log_info("handshake_refused", LOG_TEXT("listener", l->conf.name),
		 LOG_TEXT("peer", space), LOG_INT("http_status", status),
		 LOG_TEXT("why", why),
		 LOG_UINT("unlogged", log_limit_missed(&l->log_handshakes)));
}

static void refuse(struct upgrade *u, int status, const char *why,
		   struct str headers)
{
	note_refusal(u->l, u->stream, status, why);
	/* on_end() follows */
	if (http_server_respond_status(u->http, status, headers, true) != 0)
		upgrade_destroy(u);
}

/* Connections without a handshake do not count. False: max_sessions are open,
 * on all workers. */
static bool take_place(struct worker_listener *l)
{
	if (atomic_fetch_add(&l->shared->sessions, 1) < l->conf.max_sessions)
		return true;
	atomic_fetch_sub(&l->shared->sessions, 1);
	return false;
}

static void give_up(struct upgrade *u)
{
	atomic_fetch_sub(&u->l->shared->sessions, 1);
	upgrade_destroy(u);
}

/* The stream changes hands: from HTTP to a session, whose place is taken. */
static void become_session(struct upgrade *u,
			   const struct credential_proof *known)
{
	const struct ws_handshake *h = &u->handshake;
	struct str originator = http_msg_header(u->req, STR("X-M2M-Origin"));
	struct worker_listener *l = u->l;
	struct trace_context *trace;
	uint64_t id = worker_next_id(l->w);
	struct buf *head = &l->w->out;
	char space[64];
	struct session *s;
	struct stream *stream;
	struct str rest;
	int err;

	if (trace_context_create(&trace, u->req) != 0)
		log_warning("trace_lost", LOG_UINT("sid", id),
			    LOG_TEXT("why", "out of memory"));
	buf_clear(head);
	ws_handshake_write(head, h);
	log_info("session_open", LOG_UINT("sid", id),
		 LOG_TEXT("listener", l->conf.name),
		 LOG_STR("peer",
			 stream_peer(u->stream, space, sizeof(space))),
		 LOG_STR("certificate", stream_peer_name(u->stream)),
		 LOG_STR("subprotocol", h->subprotocol),
		 LOG_STR("originator", originator),
		 LOG_TEXT("credential",
			  known != NULL ? known->credential->name : ""),
		 LOG_STR("trace", trace_context_id(trace)));
	stream = http_server_give_stream(u->http, &rest);
	stream_set_max_queue(stream, l->w->conf->max_queue);
	err = head->failed ? UV_ENOMEM : stream_write(stream, buf_str(head));
	if (err) {
		trace_context_destroy(trace);
		stream_destroy(stream);
		give_up(u);
		return;
	}
	err = session_create(&s, l, id, stream, h->format);
	if (err) {
		log_warning("session_failed", LOG_UINT("sid", id),
			    LOG_ERRNO(err));
		trace_context_destroy(trace);
		give_up(u);
		return;
	}
	session_take_trace(s, trace);
	session_take_peer(s, u->peer);
	session_handshake(s, originator, known);
	/* rest lies in http's buffer, so http goes last */
	session_feed(s, rest);
	upgrade_free(u);
}

/* Who it is has been settled. */
static void admit(struct upgrade *u, const struct credential_proof *known)
{
	if (take_place(u->l)) {
		become_session(u, known);
		return;
	}
	u->l->w->counters.refused_sessions++;
	refuse(u, 503, "max_sessions", STR("Retry-After: 10\r\n"));
}

static void refuse_credential(struct upgrade *u, const char *why)
{
	u->l->w->counters.refused_credentials++;
	refuse(u, 401, why, ws_handshake_refusal_headers(401));
}

static void refuse_unchecked(struct upgrade *u)
{
	u->l->w->counters.unchecked_credentials++;
	refuse(u, 503, "too many credentials to check",
	       STR("Retry-After: 1\r\n"));
}

static void on_verdict(struct upgrade *u, enum verdict verdict,
		       const struct credential_proof *known)
{
	if (verdict == VERDICT_RIGHT)
		admit(u, known);
	else if (verdict == VERDICT_WRONG)
		refuse_credential(u, "wrong credential");
	else
		refuse_unchecked(u);
}

static void on_verified(void *owner, enum verdict verdict,
			const struct credential_proof *known)
{
	struct upgrade *u = owner;

	u->verification = NULL;
	on_verdict(u, verdict, known);
}

/* A credential that is not needed may be there, but not a wrong one: its owner
 * would only learn later, and less clearly. */
static void check_proof(struct upgrade *u)
{
	struct worker *w = u->l->w;
	const struct credential_proof *known = NULL;
	struct sockaddr_storage from = { 0 };
	struct proof proof;
	enum verdict verdict;

	if (proof_read(&proof, u->req) != 0) {
		refuse_credential(u, "malformed credential");
	} else if (proof.given) {
		if (stream_peer_address(u->stream, &from) != 0)
			from.ss_family = AF_UNSPEC;
		verdict = verifier_ask(w->verifier, &known, &u->verification,
				       &proof, (struct sockaddr *)&from,
				       on_verified, u);
		proof_wipe(&proof);
		if (verdict != VERDICT_LATER)
			on_verdict(u, verdict, known);
	} else if (w->conf->auth == AUTH_CREDENTIAL) {
		refuse_credential(u, "no credential");
	} else {
		admit(u, NULL);
	}
}

/* The strongest proof counts, and nothing else beside it. */
static void authenticate(struct upgrade *u)
{
	const struct verifier *verifier = u->l->w->verifier;
	const struct credential_proof *known = NULL;

	if (verifier == NULL) {
		admit(u, NULL);
		return;
	}
	known = verifier_find_certificate(verifier,
					  stream_peer_name(u->stream));
	if (known != NULL)
		admit(u, known);
	else
		check_proof(u);
}

/* None of them ends within the call but by its own doing, and none comes. */
void upgrade_check_all(struct worker *w)
{
	struct upgrade *u, *next;

	for (u = TAILQ_FIRST(&w->upgrades); u != NULL; u = next) {
		next = TAILQ_NEXT(u, link);
		if (u->verification == NULL)
			continue;
		verification_cancel(u->verification);
		u->verification = NULL;
		authenticate(u);
	}
}

static void on_request(void *owner, const struct http_msg *req)
{
	struct upgrade *u = owner;
	const char *why = NULL;
	int status = ws_handshake_check(&u->handshake, &why, req,
					&u->l->conf.handshake);

	u->req = req;
	if (status != 101)
		refuse(u, status, why, ws_handshake_refusal_headers(status));
	else if (http_msg_count(req, STR("X-M2M-Origin")) > 1)
		refuse(u, 400, "X-M2M-Origin comes twice", STR(""));
	else if (u->l->w->draining)
		refuse(u, 503, "shutting down", STR("Retry-After: 10\r\n"));
	else
		authenticate(u);
}

static void on_end(void *owner, int status)
{
	struct upgrade *u = owner;

	if (status != 0)
		note_refusal(u->l, NULL, status, "not a valid request");
	upgrade_destroy(u);
}

static const struct http_server_ops http_ops = {
	.on_request = on_request,
	.on_end = on_end,
};

/* Below HTTP and the session, which see no difference. */
static int add_tls(struct upgrade *u)
{
	struct tls *tls;
	int err;

	if (u->l->tls == NULL)
		return 0;
	err = tls_create(&tls, u->l->tls);
	if (!err)
		stream_take_tls(u->stream, tls, u->l->w->handshaker);
	return err;
}

int upgrade_accept(struct worker_listener *l, int fd,
		   const struct sockaddr *told, struct peer *peer)
{
	struct worker *w = l->w;
	struct upgrade *u = calloc(1, sizeof(*u));
	int err;

	if (u == NULL) {
		close(fd);
		return UV_ENOMEM;
	}
	u->l = l;
	u->peer = peer;
	/* the server sets ops and owner */
	err = stream_accept(&u->stream, w->reactor, fd, w->conf->max_head,
			    NULL, NULL);
	if (err)
		goto free_upgrade;
	if (told != NULL)
		err = stream_set_peer(u->stream, told);
	if (!err)
		err = add_tls(u);
	if (err) {
		stream_destroy(u->stream);
		goto free_upgrade;
	}
	err = http_server_create(&u->http, u->stream, &l->http, &http_ops, u);
	if (err)
		goto free_upgrade;
	TAILQ_INSERT_TAIL(&w->upgrades, u, link);
	w->counters.accepted++;
	return 0;

free_upgrade:
	free(u);
	return err;
}
