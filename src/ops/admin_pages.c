#include "admin_priv.h"
#include "gateway/stats.h"
#include "ops/metrics.h"

/* Asks the workers; on_done() comes with c as its owner. */
static void collect(struct admin_conn *c,
		    void (*on_done)(void *owner, const struct gateway_stats *s))
{
	if (gateway_collect(c->admin->gw, on_done, c) == 0)
		c->waits = true;
	else
		admin_respond_text(c, 503, "no memory\n");
}

static void on_collected(void *owner, const struct gateway_stats *s)
{
	struct admin_conn *c = owner;
	struct buf text = { 0 };

	if (!admin_is_back(c))
		return;
	metrics_write(&text, s);
	if (text.failed)
		admin_conn_end(c);
	else
		admin_respond(c, 200, METRICS_TYPE, buf_str(&text));
	buf_deinit(&text);
}

void admin_show_metrics(struct admin_conn *c)
{
	collect(c, on_collected);
}

/* Workers that have their turns bring a visit home. */
static void on_alive(void *owner, const struct gateway_stats *s)
{
	struct admin_conn *c = owner;

	(void)s;
	if (admin_is_back(c))
		admin_respond_text(c, 200, "ok\n");
}

void admin_show_health(struct admin_conn *c)
{
	collect(c, on_alive);
}

static void on_ready(void *owner, const struct gateway_stats *s)
{
	struct admin_conn *c = owner;

	(void)s;
	if (!admin_is_back(c))
		return;
	if (gateway_is_stopping(c->admin->gw))
		admin_respond_text(c, 503, "draining\n");
	else
		admin_respond_text(c, 200, "ready\n");
}

void admin_show_readiness(struct admin_conn *c)
{
	collect(c, on_ready);
}
