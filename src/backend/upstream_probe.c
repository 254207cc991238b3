/*
 * On a connection of its own, so that what waits for the others does not make
 * a server look ill.
 */
#include <stdlib.h>

#include "upstream.h"

#define FAILURES 2		/* in a row, and it is down */

struct upstream_probe {
	struct upstream *u;		/* borrowed */
	struct http_client_conf conf;
	struct http_client *client;	/* owned */
	struct http_call call;
	struct buf head;		/* of each request */
	struct timeout next, deadline;
	unsigned failures;		/* in a row */
	char why[64];
};

static void wait_for_next(struct upstream_probe *p)
{
	reactor_disarm(p->u->r, &p->deadline);
	reactor_arm(p->u->r, &p->next, p->u->conf.health_interval_ms);
}

static void on_well(struct upstream_probe *p)
{
	wait_for_next(p);
	p->failures = 0;
	upstream_probed(p->u, NULL);
}

static void on_ill(struct upstream_probe *p)
{
	wait_for_next(p);
	p->u->failed_probes++;
	if (++p->failures >= FAILURES)
		upstream_probed(p->u, p->why);
}

static void on_response(struct http_call *call, const struct http_msg *msg)
{
	struct upstream_probe *p =
		container_of(call, struct upstream_probe, call);

	if (msg->status < 500) {
		on_well(p);
		return;
	}
	snprintf(p->why, sizeof(p->why), "health is answered %d", msg->status);
	on_ill(p);
}

static void on_fail(struct http_call *call, int err)
{
	struct upstream_probe *p =
		container_of(call, struct upstream_probe, call);

	if (err == ERR_LIMIT) {		/* a large answer is one */
		on_well(p);
		return;
	}
	snprintf(p->why, sizeof(p->why), "health: %s", err_text(err));
	on_ill(p);
}

static const struct http_call_ops call_ops = {
	.on_response = on_response,
	.on_fail = on_fail,
};

static void on_deadline(struct timeout *t)
{
	struct upstream_probe *p =
		container_of(t, struct upstream_probe, deadline);

	http_client_cancel(p->client, &p->call);
	snprintf(p->why, sizeof(p->why), "health is not answered in time");
	on_ill(p);
}

static void on_next(struct timeout *t)
{
	struct upstream_probe *p = container_of(t, struct upstream_probe, next);

	if (http_client_send(p->client, &p->call, buf_str(&p->head),
			     (struct str){ NULL, 0 }, true) != 0)
		reactor_arm(p->u->r, t, p->u->conf.health_interval_ms);
	else
		reactor_arm(p->u->r, &p->deadline,
			    p->u->conf.connect_timeout_ms);
}

/* What a CSE wants of any request, so that it can answer without an error of
 * its own; who asks is nobody. */
static void write_head(struct buf *head, const struct upstream_conf *conf)
{
	buf_add_lit(head, "GET ");
	buf_add_str(head, conf->health);
	buf_add_lit(head, " HTTP/1.1\r\nHost: ");
	buf_add_str(head, str_of(conf->authority));
	buf_add_lit(head, "\r\nAccept: */*\r\nX-M2M-RI: health\r\nX-M2M-RVI: ");
	buf_add_str(head, str_of(conf->release));
	buf_add_lit(head, "\r\n\r\n");
}

int upstream_probe_create(struct upstream_probe **out, struct upstream *u)
{
	struct upstream_probe *p = calloc(1, sizeof(*p));
	int err;

	if (p == NULL)
		return UV_ENOMEM;
	p->u = u;
	p->call.ops = &call_ops;
	p->next.on_timeout = on_next;
	p->deadline.on_timeout = on_deadline;
	p->conf = u->client_conf;
	p->conf.connections = 1;
	write_head(&p->head, &u->conf);
	err = p->head.failed ? UV_ENOMEM :
			       http_client_create(&p->client, u->r, &p->conf);
	if (err) {
		upstream_probe_destroy(p);
		return err;
	}
	reactor_arm(u->r, &p->next, 0);
	*out = p;
	return 0;
}

void upstream_probe_take_tls(struct upstream_probe *p, struct tls_context *tls)
{
	p->conf.tls = tls;
}

const char *upstream_probe_tls_why(const struct upstream_probe *p)
{
	return http_client_counters(p->client)->tls_why;
}

void upstream_probe_destroy(struct upstream_probe *p)
{
	if (p == NULL)
		return;
	reactor_disarm(p->u->r, &p->next);
	reactor_disarm(p->u->r, &p->deadline);
	http_client_destroy(p->client);
	http_call_deinit(&p->call);
	buf_deinit(&p->head);
	free(p);
}
