#include "upstream.h"

#include <stdlib.h>

#include "base/log.h"

#define TRIAL_MS      1000	/* between requests that find out */
#define RARE_TRIAL_MS 10000	/* where each costs time, and others are up */

#define SLOW_START_LEAST 0.05	/* of its weight */

/* ---- up and down ---- */

static void rise(struct upstream *u)
{
	u->up = true;
	u->slow = false;
	u->since_ms = reactor_now(u->r);
	log_info("upstream_up", LOG_TEXT("upstream", u->conf.name));
}

static void fall(struct upstream *u, const char *why, const char *tls_why)
{
	u->up = false;
	u->downs++;
	if (tls_why[0] != '\0')
		log_warning("upstream_tls_failed",
			    LOG_TEXT("upstream", u->conf.name),
			    LOG_STR("url", u->conf.url),
			    LOG_TEXT("why", tls_why));
	log_warning("upstream_down", LOG_TEXT("upstream", u->conf.name),
		    LOG_STR("url", u->conf.url), LOG_TEXT("why", why));
}

void upstream_answered(struct upstream *u, uint64_t downs)
{
	if (!u->up && downs == u->downs && (!u->slow || u->probe == NULL))
		rise(u);
}

void upstream_unreachable(struct upstream *u, int err)
{
	uint64_t soon = reactor_now(u->r) + TRIAL_MS;

	u->slow = err == UV_EHOSTUNREACH;	/* a timeout, too */
	if (u->trial_ms < soon)
		u->trial_ms = soon;
	if (u->up)
		fall(u, err_text(err), mca_pool_counters(u->pool)->tls_why);
}

void upstream_probed(struct upstream *u, const char *why)
{
	if (why == NULL && !u->up)
		rise(u);
	if (why != NULL)
		u->slow = true;		/* no trials: the probe finds out */
	if (why != NULL && u->up)
		fall(u, why, upstream_probe_tls_why(u->probe));
}

bool upstream_takes_trial(struct upstream *u, bool others)
{
	uint64_t now = reactor_now(u->r);

	if (u->up || (u->slow && u->probe != NULL))
		return false;
	if (!u->slow && !others)	/* costs nothing */
		return true;
	if (now < u->trial_ms)
		return false;
	u->trial_ms = now + (u->slow && others ? RARE_TRIAL_MS : TRIAL_MS);
	return true;
}

double upstream_load(const struct upstream *u)
{
	uint64_t age = reactor_now(u->r) - u->since_ms;
	double weight = (double)u->conf.weight;

	if (u->since_ms != 0 && age < u->conf.slow_start_ms) {
		double part = (double)age / (double)u->conf.slow_start_ms;

		weight *= part > SLOW_START_LEAST ? part : SLOW_START_LEAST;
	}
	return (double)(mca_pool_pending(u->pool) + 1) / weight;
}

/* ---- its connections ---- */

int upstream_submit(struct upstream *u, struct exchange *x,
		    const struct prim *p, const char **why)
{
	int err;

	u->map.lines = x->lines;
	err = mca_pool_submit(u->pool, x, p, &u->map, p->op == OP_RETRIEVE,
			      why);
	if (!err)
		u->requests++;
	return err;
}

void upstream_take_tls(struct upstream *u, struct tls_context *tls)
{
	tls_context_destroy(u->tls);
	u->tls = tls;
	u->client_conf.tls = tls;
	if (u->probe != NULL)
		upstream_probe_take_tls(u->probe, tls);
}

void upstream_destroy(struct upstream *u)
{
	if (u == NULL)
		return;
	upstream_probe_destroy(u->probe);
	mca_pool_destroy(u->pool);
	handshaker_destroy(u->handshaker);
	tls_context_destroy(u->tls);
	upstream_conf_deinit(&u->conf);
	free(u);
}

static void fill_client_conf(struct upstream *u)
{
	const struct upstream_conf *conf = &u->conf;

	u->client_conf = (struct http_client_conf){
		.host = conf->host,
		.port = conf->port,
		.unix_path = conf->unix_path,
		.tls = u->tls,
		.handshaker = u->handshaker,
		.connections = conf->connections,
		.connect_timeout_ms = conf->connect_timeout_ms,
		.keepalive_ms = conf->keepalive_ms,
		.max_waiting = conf->max_waiting,
	};
	mca_pool_fill_conf(&u->client_conf, conf->max_answer);
}

static void fill_map(struct upstream *u, const struct codec_conf *codec)
{
	u->map.host = str_of(u->conf.authority);
	u->map.base = str_of(u->conf.base);
	u->map.cse_id = str_of(u->conf.cse_id);
	u->map.format = (enum prim_format)u->conf.format;
	u->map.codec = *codec;
}

static int open_parts(struct upstream *u, const struct codec_conf *codec)
{
	int err = 0;

	/* a handshake has one step at a time; one more may be at work for
	 * nobody, and one is the probe's */
	if (u->tls != NULL)
		err = handshaker_create(&u->handshaker, u->r,
					u->conf.connections + 2);
	if (err)
		return err;
	fill_client_conf(u);
	fill_map(u, codec);
	err = mca_pool_create(&u->pool, u->r, &u->client_conf, codec);
	if (!err && u->conf.health.len > 0)
		err = upstream_probe_create(&u->probe, u);
	return err;
}

int upstream_create(struct upstream **out, struct reactor *r,
		    const struct upstream_conf *conf,
		    const struct codec_conf *codec, struct tls_context *tls)
{
	struct upstream *u = calloc(1, sizeof(*u));
	int err;

	if (u == NULL) {
		tls_context_destroy(tls);
		return UV_ENOMEM;
	}
	u->r = r;
	u->tls = tls;
	u->up = true;
	err = upstream_conf_copy(&u->conf, conf);
	if (!err)
		err = open_parts(u, codec);
	if (err)
		upstream_destroy(u);
	else
		*out = u;
	return err;
}
