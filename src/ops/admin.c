/*
 * An answer may take a visit to all workers, and its connection may end
 * meanwhile, even the whole of admin: the connection's struct lives until the
 * visit is home.
 */
#include "ops/admin.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"
#include "http/http_server.h"
#include "net/addr.h"
#include "net/listener.h"
#include "ops/metrics.h"

#define CONNECTIONS_MAX 64
#define QUEUE_MAX	(4u << 20)

static const struct http_server_conf http_conf = {
	.limits = { .max_head = 8192, .max_headers = 64, .max_body = 0 },
	.head_timeout_ms = 10000,
	.idle_timeout_ms = 60000,
};

struct admin_conn {
	struct admin *admin;		/* NULL: it has ended */
	LIST_ENTRY(admin_conn) link;
	struct http_server *http;	/* owned; NULL: ended */
	bool waits;			/* for a visit */
};

struct admin {
	struct gateway *gw;		/* borrowed */
	struct listener *listener;	/* owned */
	LIST_HEAD(, admin_conn) conns;	/* owned */
	unsigned count;
};

static void conn_end(struct admin_conn *c)
{
	http_server_destroy(c->http);
	c->http = NULL;
	if (c->admin != NULL) {
		LIST_REMOVE(c, link);
		c->admin->count--;
	}
	c->admin = NULL;
	if (!c->waits)
		free(c);
}

/* c may be gone afterwards. */
static void respond(struct admin_conn *c, int status, const char *type,
		    struct str body)
{
	struct buf out = { 0 };
	int err;

	buf_add_lit(&out, "HTTP/1.1 ");
	buf_add_u64(&out, (uint64_t)status);
	buf_add_char(&out, ' ');
	buf_add_str(&out, str_of(http_status_text(status)));
	buf_add_lit(&out, "\r\nContent-Type: ");
	buf_add_str(&out, str_of(type));
	buf_add_lit(&out, "\r\nContent-Length: ");
	buf_add_u64(&out, body.len);
	buf_add_lit(&out, "\r\nCache-Control: no-store\r\n\r\n");
	buf_add_str(&out, body);
	err = out.failed ? UV_ENOMEM :
			   http_server_respond(c->http, buf_str(&out), false);
	buf_deinit(&out);
	if (err)
		conn_end(c);
}

static void respond_text(struct admin_conn *c, int status, const char *text)
{
	respond(c, status, "text/plain", str_of(text));
}

/* ---- what there is to see ---- */

static void on_collected(void *owner, const struct gateway_stats *s)
{
	struct admin_conn *c = owner;
	struct buf text = { 0 };

	c->waits = false;
	if (c->http == NULL) {
		conn_end(c);
		return;
	}
	metrics_write(&text, s);
	if (text.failed)
		conn_end(c);
	else
		respond(c, 200, METRICS_TYPE, buf_str(&text));
	buf_deinit(&text);
}

static void show_metrics(struct admin_conn *c)
{
	if (gateway_collect(c->admin->gw, on_collected, c) == 0)
		c->waits = true;
	else
		respond_text(c, 503, "no memory\n");
}

/* Workers that have their turns bring a visit home. */
static void on_alive(void *owner, const struct gateway_stats *s)
{
	struct admin_conn *c = owner;

	(void)s;
	c->waits = false;
	if (c->http != NULL)
		respond_text(c, 200, "ok\n");
	else
		conn_end(c);
}

static void show_health(struct admin_conn *c)
{
	if (gateway_collect(c->admin->gw, on_alive, c) == 0)
		c->waits = true;
	else
		respond_text(c, 503, "no memory\n");
}

static void on_ready(void *owner, const struct gateway_stats *s)
{
	struct admin_conn *c = owner;

	(void)s;
	c->waits = false;
	if (c->http == NULL)
		conn_end(c);
	else if (gateway_is_stopping(c->admin->gw))
		respond_text(c, 503, "draining\n");
	else
		respond_text(c, 200, "ready\n");
}

static void show_readiness(struct admin_conn *c)
{
	if (gateway_collect(c->admin->gw, on_ready, c) == 0)
		c->waits = true;
	else
		respond_text(c, 503, "no memory\n");
}

static const struct {
	const char *path;
	void (*show)(struct admin_conn *c);
} pages[] = {
	{ "/metrics", show_metrics },
	{ "/healthz", show_health },
	{ "/readyz", show_readiness },
};

static void on_request(void *owner, const struct http_msg *req)
{
	struct admin_conn *c = owner;
	struct str path, query;

	(void)str_cut(req->target, '?', &path, &query);
	if (!str_eq(req->method, STR("GET"))) {
		respond_text(c, 405, "GET only\n");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		if (str_eq(path, str_of(pages[i].path))) {
			pages[i].show(c);
			return;
		}
	respond_text(c, 404, "/metrics /healthz /readyz\n");
}

static void on_end(void *owner, int status)
{
	(void)status;
	conn_end(owner);
}

static const struct http_server_ops http_ops = { on_request, on_end };

/* ---- connections ---- */

static void on_connection(void *owner, int fd)
{
	struct admin *a = owner;
	struct admin_conn *c = NULL;
	struct stream *stream;

	if (a->count < CONNECTIONS_MAX)
		c = calloc(1, sizeof(*c));
	if (c == NULL) {
		close(fd);
		return;
	}
	if (stream_accept(&stream, gateway_reactor(a->gw), fd, QUEUE_MAX, NULL,
			  NULL) != 0 ||
	    http_server_create(&c->http, stream, &http_conf, &http_ops, c) !=
		    0) {
		free(c);
		return;
	}
	c->admin = a;
	a->count++;
	LIST_INSERT_HEAD(&a->conns, c, link);
}

static void on_refused(void *owner, int err)
{
	(void)owner;
	log_warning("accept_paused", LOG_TEXT("listener", "admin"),
		    LOG_ERRNO(err));
}

static const struct listener_ops listener_ops = { on_connection, on_refused };

static int listen_there(struct admin *a, const struct admin_conf *conf)
{
	const struct sockaddr *addr = (const struct sockaddr *)&conf->addr;
	char space[64];
	int err;

	if (addr->sa_family == 0)
		return 0;
	err = listener_create(&a->listener, gateway_reactor(a->gw), addr,
			      false, &listener_ops, a);
	if (err)
		log_error("listen_failed", LOG_TEXT("listener", "admin"),
			  LOG_STR("address",
				  addr_text(addr, space, sizeof(space))),
			  LOG_ERRNO(err));
	return err;
}

int admin_create(struct admin **out, struct gateway *gw,
		 const struct admin_conf *conf)
{
	struct admin *a = calloc(1, sizeof(*a));
	int err;

	if (a == NULL)
		return UV_ENOMEM;
	a->gw = gw;
	LIST_INIT(&a->conns);
	err = listen_there(a, conf);
	if (err) {
		free(a);
		return err;
	}
	*out = a;
	return 0;
}

void admin_destroy(struct admin *a)
{
	if (a == NULL)
		return;
	listener_destroy(a->listener);
	while (!LIST_EMPTY(&a->conns))
		conn_end(LIST_FIRST(&a->conns));
	free(a);
}

unsigned admin_port(const struct admin *a)
{
	return a->listener != NULL ? listener_port(a->listener) : 0;
}
