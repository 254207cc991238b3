/*
 * Forwards to a CSE over TS-0009 through one pool of connections.
 *
 * An answer points into the HTTP message, into what was kept of the request
 * and into `answer`, so these stay until the owner has heard, even when it
 * destroys the backend while it hears.
 */
#include "backend/backend.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "backend/http_map.h"
#include "base/log.h"
#include "http/http_client.h"

#define MAX_ANSWER_HEAD    65536	/* a long rqi comes back in it */
#define MAX_ANSWER_HEADERS 100
#define MAX_SPARE          64		/* pending structs kept for reuse */
#define KEPT_CAPACITY      4096		/* octets of ids kept with each */

/* What belongs to one exchange while it is submitted. */
struct pending {
	struct http_call call;
	struct backend_http *h;
	struct exchange *x;		/* NULL once it has been told */
	LIST_ENTRY(pending) link;	/* in pending or spare */
	struct buf ids;			/* what request points to */
	struct http_map_request request;
};

LIST_HEAD(pending_list, pending);

struct backend_http {
	struct backend base;
	const struct upstream_conf *conf;	/* borrowed */
	struct http_map_conf map;
	struct http_client_conf client_conf;

	struct http_client *client;		/* owned */
	struct pending_list pending, spare;
	size_t spare_count;
	struct prim answer;
	struct buf head;			/* scratch */

	uint64_t failures_seen;		/* connect failures before the last
					 * answer */
	bool is_down;			/* logged as such */
	bool telling;			/* an owner is on the stack */
	bool destroyed;
};

static struct backend_http *of_base(struct backend *b)
{
	return container_of(b, struct backend_http, base);
}

static void pending_free(struct pending *p)
{
	http_call_deinit(&p->call);
	buf_deinit(&p->ids);
	free(p);
}

static void free_list(struct pending_list *list)
{
	struct pending *p;

	while ((p = LIST_FIRST(list)) != NULL) {
		LIST_REMOVE(p, link);
		pending_free(p);
	}
}

static void backend_free(struct backend_http *h)
{
	free_list(&h->pending);
	free_list(&h->spare);
	prim_deinit(&h->answer);
	buf_deinit(&h->head);
	free(h);
}

static void give_back(struct backend_http *h, struct pending *p)
{
	LIST_REMOVE(p, link);
	if (h->spare_count == MAX_SPARE) {
		pending_free(p);
		return;
	}
	if (p->ids.cap > KEPT_CAPACITY)
		buf_deinit(&p->ids);
	LIST_INSERT_HEAD(&h->spare, p, link);
	h->spare_count++;
}

/* The exchange is its owner's again; the owner hears next. */
static struct exchange *give_exchange(struct pending *p)
{
	struct exchange *x = p->x;

	p->x = NULL;
	x->impl = NULL;
	return x;
}

static void tell_failed(struct pending *p, int err, const char *why)
{
	struct exchange *x = give_exchange(p);

	give_back(p->h, p);
	x->ops->on_fail(x, err, why);
}

static void tell_answer(struct pending *p)
{
	struct backend_http *h = p->h;
	struct exchange *x = give_exchange(p);

	h->telling = true;
	x->ops->on_answer(x, &h->answer);
	h->telling = false;
	if (h->destroyed)
		backend_free(h);
	else
		give_back(h, p);
}

static void note_success(struct backend_http *h)
{
	h->failures_seen = http_client_counters(h->client)->connect_failed;
	if (!h->is_down)
		return;
	h->is_down = false;
	log_info("upstream_up", LOG_TEXT("upstream", h->conf->name));
}

static bool http_healthy(const struct backend *b)
{
	const struct backend_http *h =
		container_of(b, const struct backend_http, base);

	return h->failures_seen ==
	       http_client_counters(h->client)->connect_failed;
}

static void note_failure(struct backend_http *h, int err)
{
	if (h->is_down || http_healthy(&h->base))
		return;
	h->is_down = true;
	log_warning("upstream_down", LOG_TEXT("upstream", h->conf->name),
		    LOG_STR("url", h->conf->url), LOG_ERRNO(err));
}

/* The answer belongs to the request by its connection; a CSE that does not
 * repeat the id well is only remarked (http-binding 9). */
static void check_id(const struct pending *p, const struct http_msg *msg)
{
	struct str rqi = http_msg_header(msg, STR("X-M2M-RI"));

	if (!str_eq(rqi, p->request.rqi))
		log_debug("upstream_other_id", LOG_STR("rqi", p->request.rqi),
			  LOG_STR("answered", rqi));
}

static void on_response(struct http_call *call, const struct http_msg *msg)
{
	struct pending *p = container_of(call, struct pending, call);
	struct backend_http *h = p->h;
	const char *why = "";
	int err;

	note_success(h);
	check_id(p, msg);
	p->x->status = msg->status;
	err = http_map_read_response(&h->answer, &why, msg, &p->request,
				     &h->map);
	if (err)
		tell_failed(p, err, why);
	else
		tell_answer(p);
}

static const char *why_failed(int err)
{
	switch (err) {
	case ERR_PROTO:
		return "the CSE's answer is no HTTP or cut off";
	case ERR_LIMIT:
		return "the CSE's answer is too large";
	case UV_ECONNRESET:
		return "the CSE closed the connection without an answer";
	default:
		return "the CSE cannot be reached";
	}
}

static void on_fail(struct http_call *call, int err)
{
	struct pending *p = container_of(call, struct pending, call);

	note_failure(p->h, err);
	tell_failed(p, err, why_failed(err));
}

static const struct http_call_ops call_ops = {
	.on_response = on_response,
	.on_fail = on_fail,
};

static struct pending *take_pending(struct backend_http *h)
{
	struct pending *p = LIST_FIRST(&h->spare);

	if (p != NULL) {
		LIST_REMOVE(p, link);
		h->spare_count--;
	} else {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return NULL;
		p->h = h;
		p->call.ops = &call_ops;
	}
	LIST_INSERT_HEAD(&h->pending, p, link);
	return p;
}

/* False: no memory. */
static bool keep_request(struct pending *p, const struct prim *prim)
{
	struct str rqi = prim_text(prim, PARAM_RQI);
	struct str rvi = prim_text(prim, PARAM_RVI);

	buf_clear(&p->ids);
	buf_add_str(&p->ids, rqi);
	buf_add_str(&p->ids, rvi);
	if (p->ids.failed)
		return false;
	p->request.op = prim->op;
	p->request.rqi = (struct str){ p->ids.p, rqi.len };
	p->request.rvi = str_skip(buf_str(&p->ids), rqi.len);
	return true;
}

static int http_submit(struct backend *b, struct exchange *x,
		       const struct prim *prim, const char **why)
{
	struct backend_http *h = of_base(b);
	struct pending *p;
	struct str body;
	int err;

	buf_clear(&h->head);
	err = http_map_write_request(&h->head, &body, why, prim, &h->map);
	if (err)
		return err;
	*why = "out of memory";
	p = take_pending(h);
	if (p == NULL)
		return UV_ENOMEM;
	err = UV_ENOMEM;
	if (!keep_request(p, prim))
		goto give_pending;
	p->call.echo = p->request.rqi;
	err = http_client_send(h->client, &p->call, buf_str(&h->head), body,
			       prim->op == OP_RETRIEVE);
	if (err)
		goto give_pending;
	p->x = x;
	x->impl = p;
	x->status = 0;
	return 0;

give_pending:
	if (err == ERR_LIMIT)
		*why = "too much is waiting for the CSE";
	give_back(h, p);
	return err;
}

static void http_cancel(struct backend *b, struct exchange *x)
{
	struct backend_http *h = of_base(b);
	struct pending *p = x->impl;

	if (p == NULL)
		return;
	x->impl = NULL;
	http_client_cancel(h->client, &p->call);
	give_back(h, p);
}

static void http_destroy(struct backend *b)
{
	struct backend_http *h = of_base(b);
	struct pending *p;

	http_client_destroy(h->client);
	h->client = NULL;
	LIST_FOREACH(p, &h->pending, link)
		if (p->x != NULL)
			p->x->impl = NULL;
	h->destroyed = true;
	if (!h->telling)			/* else tell_answer() frees */
		backend_free(h);
}

static const struct backend_ops http_ops = {
	.submit = http_submit,
	.cancel = http_cancel,
	.healthy = http_healthy,
	.destroy = http_destroy,
};

static void fill_client_conf(struct http_client_conf *out,
			     const struct upstream_conf *conf)
{
	*out = (struct http_client_conf){
		.host = conf->host,
		.port = conf->port,
		.unix_path = conf->unix_path,
		.connections = conf->connections,
		.connect_timeout_ms = conf->connect_timeout_ms,
		.keepalive_ms = conf->keepalive_ms,
		.max_waiting = conf->max_waiting,
		.echo_header = "X-M2M-RI",
		.limits = {
			.max_head = MAX_ANSWER_HEAD,
			.max_headers = MAX_ANSWER_HEADERS,
			.max_body = conf->max_answer,
		},
	};
}

int backend_http_create(struct backend **out, struct reactor *r,
			const struct upstream_conf *conf,
			const struct codec_conf *codec)
{
	struct backend_http *h = calloc(1, sizeof(*h));
	int err;

	if (h == NULL)
		return UV_ENOMEM;
	h->base.ops = &http_ops;
	h->conf = conf;
	h->map.host = str_of(conf->authority);
	h->map.base = str_of(conf->base);
	h->map.cse_id = str_of(conf->cse_id);
	h->map.codec = *codec;
	LIST_INIT(&h->pending);
	LIST_INIT(&h->spare);
	fill_client_conf(&h->client_conf, conf);
	err = http_client_create(&h->client, r, &h->client_conf);
	if (err) {
		free(h);
		return err;
	}
	*out = &h->base;
	return 0;
}
