/* Forwards to a CSE over TS-0009 through one pool of connections. */
#include "backend/backend.h"

#include <stdlib.h>

#include "base/log.h"
#include "mca_pool.h"

struct backend_http {
	struct backend base;
	const struct upstream_conf *conf;	/* borrowed */
	struct http_map_conf map;
	struct http_client_conf client_conf;
	struct mca_pool *pool;			/* owned, as the next two */
	struct tls_context *tls;		/* NULL: http: */
	struct handshaker *handshaker;		/* of its own, so that a flood
						 * at the listeners is not
						 * before it */

	uint64_t failures_seen;		/* connect failures before the last
					 * answer */
	bool is_down;			/* logged as such */
};

static struct backend_http *of_base(struct backend *b)
{
	return container_of(b, struct backend_http, base);
}

static bool http_healthy(const struct backend *b)
{
	const struct backend_http *h =
		container_of(b, const struct backend_http, base);

	return h->failures_seen ==
	       mca_pool_counters(h->pool)->connect_failed;
}

static void note_success(struct backend_http *h)
{
	h->failures_seen = mca_pool_counters(h->pool)->connect_failed;
	if (!h->is_down)
		return;
	h->is_down = false;
	log_info("upstream_up", LOG_TEXT("upstream", h->conf->name));
}

static void note_failure(struct backend_http *h, int err)
{
	const char *why = mca_pool_counters(h->pool)->tls_why;

	if (h->is_down || http_healthy(&h->base))
		return;
	h->is_down = true;
	if (why[0] != '\0')
		log_warning("upstream_tls_failed",
			    LOG_TEXT("upstream", h->conf->name),
			    LOG_STR("url", h->conf->url), LOG_TEXT("why", why));
	log_warning("upstream_down", LOG_TEXT("upstream", h->conf->name),
		    LOG_STR("url", h->conf->url), LOG_ERRNO(err));
}

static void on_heard(void *owner, int err)
{
	struct backend_http *h = owner;

	if (err)
		note_failure(h, err);
	else
		note_success(h);
}

static int http_submit(struct backend *b, struct exchange *x,
		       const struct prim *prim, const char **why)
{
	struct backend_http *h = of_base(b);

	h->map.lines = x->lines;
	return mca_pool_submit(h->pool, x, prim, &h->map,
			       prim->op == OP_RETRIEVE, why);
}

static void http_cancel(struct backend *b, struct exchange *x)
{
	(void)b;
	mca_pool_cancel(x);
}

static void http_count(const struct backend *b, struct backend_counters *out)
{
	const struct backend_http *h =
		container_of(b, const struct backend_http, base);
	const struct http_client_counters *c = mca_pool_counters(h->pool);

	*out = (struct backend_counters){
		.opened = c->opened,
		.connect_failed = c->connect_failed,
		.poisoned = c->poisoned,
		.retried = c->retried,
		.refused_waiting = c->refused_waiting,
		.open = c->open,
		.idle = c->idle,
		.waiting = c->waiting,
		.waiting_since = mca_pool_waiting_since(h->pool),
	};
}

static void http_destroy(struct backend *b)
{
	struct backend_http *h = of_base(b);

	mca_pool_destroy(h->pool);
	handshaker_destroy(h->handshaker);
	tls_context_destroy(h->tls);
	free(h);
}

static void http_take_tls(struct backend *b, struct tls_context *tls)
{
	struct backend_http *h = of_base(b);

	tls_context_destroy(h->tls);
	h->tls = tls;
	h->client_conf.tls = tls;
}

static const struct backend_ops http_ops = {
	.submit = http_submit,
	.cancel = http_cancel,
	.healthy = http_healthy,
	.take_tls = http_take_tls,
	.count = http_count,
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
	};
	mca_pool_fill_conf(out, conf->max_answer);
}

int backend_http_context(struct tls_context **out,
			 const struct upstream_conf *conf)
{
	struct tls_fault fault = { .member = "tls", .why = "failed" };
	int err = tls_context_create_client(out, &fault, &conf->tls_conf);

	if (err)
		log_error("tls_failed", LOG_TEXT("upstream", conf->name),
			  LOG_TEXT("option", fault.member),
			  LOG_TEXT("why", fault.why));
	return err;
}

/* A handshake has one step at a time; one more may be at work for nobody. */
static int open_tls(struct backend_http *h, struct reactor *r)
{
	int err;

	if (!h->conf->tls)
		return 0;
	err = backend_http_context(&h->tls, h->conf);
	if (!err)
		err = handshaker_create(&h->handshaker, r,
					h->conf->connections + 1);
	h->client_conf.tls = h->tls;
	h->client_conf.handshaker = h->handshaker;
	return err;
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
	h->map.format = (enum prim_format)conf->format;
	h->map.codec = *codec;
	fill_client_conf(&h->client_conf, conf);
	err = open_tls(h, r);
	if (!err)
		err = mca_pool_create(&h->pool, r, &h->client_conf, codec,
				      on_heard, h);
	if (err) {
		http_destroy(&h->base);
		return err;
	}
	*out = &h->base;
	return 0;
}
