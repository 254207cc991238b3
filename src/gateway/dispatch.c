#include "dispatch_request.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "trace_context.h"

#define FREE_MAX  64		/* request objects kept for reuse */
#define KEEP_TEXT 1024		/* octets of text kept with each */

struct dispatch {
	struct reactor *r;		/* borrowed */
	struct backend *backend;	/* borrowed */
	const struct dispatch_conf *conf;
	const struct dispatch_hooks *hooks;	/* borrowed, or NULL */
	void *hook_arg;
	struct siphash_key key;		/* of what clients call requests */
	struct dispatch_counters counters;
	struct latencies latencies;

	struct request_list orphans;
	struct request_list unused;
	unsigned unused_count;

	struct prim again;		/* a waiting message, decoded */
	struct prim refusal;		/* an answer of our own */
};

/* What the request could not be given to the backend for. */
static int rsc_of_refusal(int err)
{
	switch (err) {
	case ERR_PROTO:
		return RSC_BAD_REQUEST;
	case ERR_UNSUPPORTED:
		return RSC_NOT_IMPLEMENTED;
	case ERR_LIMIT:
	case UV_EHOSTUNREACH:
		return RSC_TARGET_NOT_REACHABLE;
	default:
		return RSC_INTERNAL_SERVER_ERROR;
	}
}

/* Why no usable answer came (TS-0009 digest, 9). */
static int rsc_of_failure(int err)
{
	switch (err) {
	case ERR_PROTO:
	case ERR_LIMIT:
	case UV_ENOMEM:
		return RSC_INTERNAL_SERVER_ERROR;
	case UV_ETIMEDOUT:
		return RSC_REQUEST_TIMEOUT;
	default:
		return RSC_TARGET_NOT_REACHABLE;
	}
}

static void note_end(struct dispatch *d, const struct dispatch_peer *peer,
		     struct str rqi, struct str fr, enum op op, struct str to,
		     int rsc, int status, uint64_t started, size_t in,
		     size_t out)
{
	uint64_t us = (uv_hrtime() - started) / 1000;

	latency_note(&d->latencies, (int)op, rsc, us);
	if (!log_access_enabled())
		return;
	log_info("primitive", LOG_STR("rqi", rqi),
		 LOG_UINT("sid", peer != NULL ? peer->id : 0),
		 LOG_STR("originator", fr), LOG_TEXT("op", op_name(op)),
		 LOG_STR("to", to), LOG_INT("rsc", rsc),
		 LOG_INT("http_status", status),
		 LOG_UINT("dur_us", us),
		 LOG_UINT("bytes_in", in), LOG_UINT("bytes_out", out));
}

static struct request *request_new(struct dispatch *d)
{
	struct request *rq = TAILQ_FIRST(&d->unused);

	if (rq == NULL)
		return calloc(1, sizeof(*rq));
	TAILQ_REMOVE(&d->unused, rq, link);
	d->unused_count--;
	return rq;
}

static void request_free(struct dispatch *d, struct request *rq)
{
	if (rq->text.cap > KEEP_TEXT)
		buf_deinit(&rq->text);
	if (d->unused_count == FREE_MAX) {
		buf_deinit(&rq->text);
		free(rq);
		return;
	}
	TAILQ_INSERT_HEAD(&d->unused, rq, link);
	d->unused_count++;
}

static void request_unwait(struct dispatch_peer *peer, struct request *rq)
{
	TAILQ_REMOVE(&peer->waiting, rq, link);
	peer->waiting_octets -= request_waiting_cost(rq->octets_in);
	id_set_remove(&peer->waiting_ids, rq->id);
}

static void request_unlink(struct request *rq)
{
	struct dispatch_peer *peer = rq->peer;

	reactor_disarm(rq->d->r, &rq->deadline);
	if (peer == NULL) {
		TAILQ_REMOVE(&rq->d->orphans, rq, link);
	} else if (rq->waiting) {
		request_unwait(peer, rq);
	} else {
		TAILQ_REMOVE(&peer->at_cse, rq, link);
		peer->at_cse_count--;
	}
}

/* What the peer is sent; NULL: nothing, or not now. */
static const struct prim *show(struct request *rq, const struct prim *answer)
{
	const struct dispatch_hooks *hooks = rq->d->hooks;
	struct dispatch_about about = {
		.op = rq->op,
		.rqi = request_rqi(rq),
		.rvi = request_rvi(rq),
		.fr = request_fr(rq),
		.to = request_to(rq),
	};
	void *note = rq->note;

	rq->note = NULL;
	if (hooks == NULL)
		return answer;
	return hooks->on_answer(rq->d->hook_arg, rq->peer, &about, note,
				answer);
}

/* The one place where a request ends. */
static void conclude(struct request *rq, const struct prim *answer)
{
	struct dispatch *d = rq->d;
	struct dispatch_peer *peer = rq->peer;
	const struct prim *shown;
	size_t out = 0;

	request_unlink(rq);
	shown = show(rq, answer);
	if (peer == NULL)
		d->counters.orphaned++;
	else if (!rq->silent && shown != NULL)
		out = peer->ops->send(peer, shown);
	note_end(d, peer, request_rqi(rq), request_fr(rq), rq->op,
		 request_to(rq), answer->rsc, rq->x.status, rq->started,
		 rq->octets_in, out);
	request_free(d, rq);
}

static void conclude_refused(struct request *rq, int rsc, const char *why)
{
	struct prim *answer = &rq->d->refusal;

	prim_refuse(answer, request_rqi(rq), request_rvi(rq), rsc, why);
	conclude(rq, answer);
}

/* Hands rq to the backend; when it does not take it, rq is concluded. */
static void start(struct request *rq, struct prim *p)
{
	struct dispatch *d = rq->d;
	const char *why = NULL;
	int rsc = 0, err;

	if (d->hooks != NULL)
		rsc = d->hooks->on_request(d->hook_arg, rq->peer, p, &rq->note,
					   &why);
	if (rsc == 0) {
		rq->x.sender = rq->peer->id;
		rq->x.lines = trace_context_next(rq->peer->trace);
		rq->x.others = request_is_poll(rq) ? UINT_MAX :
					     rq->peer->at_cse_count - 1;
		err = backend_submit(d->backend, &rq->x, p, &why);
		if (err == 0)
			return;
		rsc = rsc_of_refusal(err);
		why = why != NULL ? why : err_text(err);
	}
	d->counters.refused++;
	conclude_refused(rq, rsc, why);
}

/* The oldest waiting request of peer moves to the CSE. */
static void start_waiting(struct dispatch *d, struct dispatch_peer *peer)
{
	struct request *rq = TAILQ_FIRST(&peer->waiting);
	struct str message = request_message(rq);
	const char *why = NULL;
	int err;

	request_unwait(peer, rq);
	rq->waiting = false;
	TAILQ_INSERT_TAIL(&peer->at_cse, rq, link);
	peer->at_cse_count++;
	err = peer->codec->decode(&d->again, &why, &d->conf->codec, message);
	if (err)	/* it decoded once: only memory can be missing */
		conclude_refused(rq, RSC_INTERNAL_SERVER_ERROR, why);
	else
		start(rq, &d->again);
}

/* After an answer: others may go. A loop, not a recursion: start() itself may
 * conclude. */
static void settle(struct dispatch *d, struct dispatch_peer *peer)
{
	if (peer == NULL)
		return;
	while (!TAILQ_EMPTY(&peer->waiting) &&
	       peer->at_cse_count < d->conf->in_flight)
		start_waiting(d, peer);
	if (dispatch_peer_idle(peer))
		peer->ops->on_idle(peer);
}

static void on_answer(struct exchange *x, const struct prim *answer)
{
	struct request *rq = container_of(x, struct request, x);
	struct dispatch_peer *peer = rq->peer;
	struct dispatch *d = rq->d;

	d->counters.answered++;
	conclude(rq, answer);
	settle(d, peer);
}

static void on_fail(struct exchange *x, int err, const char *why)
{
	struct request *rq = container_of(x, struct request, x);
	struct dispatch_peer *peer = rq->peer;
	struct dispatch *d = rq->d;

	d->counters.failed++;
	conclude_refused(rq, rsc_of_failure(err),
			 why != NULL ? why : err_text(err));
	settle(d, peer);
}

static const struct exchange_ops exchange_ops = {
	.on_answer = on_answer,
	.on_fail = on_fail,
};

static void on_deadline(struct timeout *t)
{
	struct request *rq = container_of(t, struct request, deadline);
	struct dispatch_peer *peer = rq->peer;
	struct dispatch *d = rq->d;

	d->counters.timed_out++;
	if (!rq->waiting)
		backend_cancel(d->backend, &rq->x);
	conclude_refused(rq, RSC_REQUEST_TIMEOUT, "no answer in time");
	settle(d, peer);
}

static void arm_deadline(struct dispatch *d, struct request *rq,
			 const struct prim *p, uint64_t now_ms)
{
	uint64_t delay = d->conf->timeout_ms, left;

	if (prim_time_left(&left, p, PARAM_RQET, now_ms) && left < delay)
		delay = left;
	reactor_arm(d->r, &rq->deadline, delay);
}

/* Several AEs may share a connection, each with ids of its own. */
static uint64_t id_of(const struct dispatch *d, const struct prim *p)
{
	return id_hash(&d->key, prim_text(p, PARAM_RQI),
		       prim_text(p, PARAM_FR));
}

static bool is_pending(const struct dispatch *d,
		       const struct dispatch_peer *peer, const struct prim *p)
{
	if (request_is_listed(&peer->at_cse, p))
		return true;
	return !TAILQ_EMPTY(&peer->waiting) &&
	       id_set_has(&peer->waiting_ids, id_of(d, p)) &&
	       request_is_listed(&peer->waiting, p);
}

void dispatch_refuse(struct dispatch *d, struct dispatch_peer *peer,
		     const struct prim *p, struct str message, int rsc,
		     const char *why)
{
	struct str rqi = request_scalar(p, PARAM_RQI);
	size_t out = 0;

	d->counters.refused++;
	if (prim_response_type(p) != 5) {
		prim_refuse(&d->refusal, rqi, request_scalar(p, PARAM_RVI), rsc,
			    why);
		out = peer->ops->send(peer, &d->refusal);
	}
	note_end(d, peer, rqi, prim_text(p, PARAM_FR), p->op,
		 prim_text(p, PARAM_TO), rsc, 0, uv_hrtime(), message.len,
		 out);
}

/* Takes p: it is well-formed and may go. */
static void admit(struct dispatch *d, struct dispatch_peer *peer,
		  struct prim *p, struct str message, uint64_t now_ms)
{
	bool wait = peer->at_cse_count >= d->conf->in_flight;
	struct request *rq = request_new(d);

	if (rq != NULL && wait)
		rq->id = id_of(d, p);
	if (rq == NULL || !request_fill(rq, p, message, wait) ||
	    (wait && !id_set_add(&peer->waiting_ids, rq->id))) {
		if (rq != NULL)
			request_free(d, rq);
		dispatch_refuse(d, peer, p, message,
				RSC_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	rq->d = d;
	rq->peer = peer;
	rq->x = (struct exchange){ .ops = &exchange_ops };
	rq->deadline.on_timeout = on_deadline;
	arm_deadline(d, rq, p, now_ms);
	if (wait) {
		TAILQ_INSERT_TAIL(&peer->waiting, rq, link);
		peer->waiting_octets += request_waiting_cost(message.len);
		return;
	}
	TAILQ_INSERT_TAIL(&peer->at_cse, rq, link);
	peer->at_cse_count++;
	start(rq, p);
}

void dispatch_request(struct dispatch *d, struct dispatch_peer *peer,
		      struct prim *p, struct str message)
{
	uint64_t now_ms = prim_has(p, PARAM_RQET) ? clock_wall_ms() : 0;
	const char *why = NULL;
	int rsc = prim_check_request(&why, p, now_ms);

	d->counters.requests++;
	if (rsc != 0) {
		dispatch_refuse(d, peer, p, message, rsc, why);
	} else if (is_pending(d, peer, p)) {
		/* TS-0001 7.1.7 */
		dispatch_refuse(d, peer, p, message, RSC_BAD_REQUEST,
				"a request with this rqi is pending");
	} else if (peer->at_cse_count >= d->conf->in_flight &&
		   peer->waiting_octets + request_waiting_cost(message.len) >
			   d->conf->max_queue) {
		d->counters.queue_full++;
		dispatch_refuse(d, peer, p, message, RSC_TARGET_NOT_REACHABLE,
				"too many requests are waiting");
	} else {
		admit(d, peer, p, message, now_ms);
	}
}

uint64_t dispatch_peer_waiting_since(const struct dispatch_peer *peer)
{
	const struct request *rq = TAILQ_FIRST(&peer->waiting);

	return rq != NULL ? rq->started : 0;
}

/* The peer has left before the answer. */
static void forget(struct request *rq)
{
	struct dispatch *d = rq->d;

	d->counters.forgotten++;
	backend_cancel(d->backend, &rq->x);
	request_unlink(rq);
	if (rq->note != NULL)
		d->hooks->on_forgotten(d->hook_arg, rq->note);
	request_free(d, rq);
}

void dispatch_peer_leave(struct dispatch *d, struct dispatch_peer *peer)
{
	struct request *rq;

	while ((rq = TAILQ_FIRST(&peer->waiting)) != NULL) {
		d->counters.forgotten++;
		request_unlink(rq);
		request_free(d, rq);
	}
	while ((rq = TAILQ_FIRST(&peer->at_cse)) != NULL) {
		if (request_is_poll(rq)) {
			forget(rq);
			continue;
		}
		TAILQ_REMOVE(&peer->at_cse, rq, link);
		peer->at_cse_count--;
		rq->peer = NULL;
		TAILQ_INSERT_TAIL(&d->orphans, rq, link);
	}
}

int dispatch_create(struct dispatch **out, struct reactor *r,
		    struct backend *backend, const struct dispatch_conf *conf,
		    const struct dispatch_hooks *hooks, void *arg)
{
	struct dispatch *d = calloc(1, sizeof(*d));
	int err;

	if (d == NULL)
		return UV_ENOMEM;
	err = siphash_key_random(&d->key);
	if (err) {
		free(d);
		return err;
	}
	d->r = r;
	d->backend = backend;
	d->conf = conf;
	d->hooks = hooks;
	d->hook_arg = arg;
	TAILQ_INIT(&d->orphans);
	TAILQ_INIT(&d->unused);
	*out = d;
	return 0;
}

void dispatch_destroy(struct dispatch *d)
{
	struct request *rq;

	if (d == NULL)
		return;
	while ((rq = TAILQ_FIRST(&d->orphans)) != NULL) {
		backend_cancel(d->backend, &rq->x);
		request_unlink(rq);
		if (rq->note != NULL)
			d->hooks->on_forgotten(d->hook_arg, rq->note);
		request_free(d, rq);
	}
	while ((rq = TAILQ_FIRST(&d->unused)) != NULL) {
		TAILQ_REMOVE(&d->unused, rq, link);
		buf_deinit(&rq->text);
		free(rq);
	}
	prim_deinit(&d->again);
	prim_deinit(&d->refusal);
	free(d);
}

const struct dispatch_counters *dispatch_counters(const struct dispatch *d)
{
	return &d->counters;
}

const struct latencies *dispatch_latencies(const struct dispatch *d)
{
	return &d->latencies;
}
