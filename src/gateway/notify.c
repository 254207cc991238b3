#include "notify_priv.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "net/addr.h"

void notify_conn_destroy(struct notify_conn *c)
{
	if (c->call != NULL) {
		c->n->counters.abandoned++;
		c->call->conn = NULL;
	}
	LIST_REMOVE(c, link);
	c->n->conn_count--;
	http_server_destroy(c->http);
	free(c);
}

static void on_conn_end(void *owner, int status)
{
	struct notify_conn *c = owner;

	if (status != 0)	/* answered below, as no HTTP */
		c->n->counters.refused++;
	notify_conn_destroy(c);
}

static const struct http_server_ops http_ops = { notify_on_request,
						 on_conn_end };

static int add_tls(struct notify_conn *c)
{
	struct tls *tls;
	int err;

	if (c->n->tls == NULL)
		return 0;
	err = tls_create(&tls, c->n->tls);
	if (!err)
		stream_take_tls(c->stream, tls, c->n->handshaker);
	return err;
}

/* The server sets ops and owner. */
static int conn_open(struct notify_conn *c, int fd)
{
	const struct worker *w = c->n->w;
	int err = stream_accept(&c->stream, w->reactor, fd,
				w->conf->max_queue, NULL, NULL);

	if (err)
		return err;
	err = add_tls(c);
	if (err) {
		stream_destroy(c->stream);
		return err;
	}
	return http_server_create(&c->http, c->stream, &notify_conf_of(c->n)->http,
				  &http_ops, c);
}

static void on_connection(void *owner, int fd)
{
	struct notify *n = owner;
	struct notify_conn *c = NULL;

	if (n->conn_count < notify_conf_of(n)->max_connections)
		c = calloc(1, sizeof(*c));
	else
		n->counters.refused_connections++;
	if (c == NULL) {
		close(fd);
		return;
	}
	c->n = n;
	if (conn_open(c, fd) != 0) {
		free(c);
		return;
	}
	LIST_INSERT_HEAD(&n->conns, c, link);
	n->conn_count++;
}

static void on_refused(void *owner, int err)
{
	(void)owner;
	log_warning("accept_paused", LOG_TEXT("listener", "notify"),
		    LOG_ERRNO(err));
}

static const struct listener_ops listener_ops = { on_connection, on_refused };

/* A handshake has one step at a time; one more may be at work for nobody. */
static int open_tls(struct notify *n)
{
	const struct notify_conf *conf = notify_conf_of(n);
	int err;

	if (!conf->tls)
		return 0;
	err = worker_tls_context(&n->tls, n->w, "notify", &conf->tls_conf);
	return err ? err :
		     handshaker_create(&n->handshaker, n->w->reactor,
				       conf->max_connections + 1);
}

int notify_create(struct notify **out, struct worker *w)
{
	struct notify *n = calloc(1, sizeof(*n));
	int err;

	if (n == NULL)
		return UV_ENOMEM;
	n->w = w;
	LIST_INIT(&n->conns);
	LIST_INIT(&n->calls);
	err = open_tls(n);
	if (!err)
		err = listener_create(
			&n->listener, w->reactor,
			(const struct sockaddr *)&notify_conf_of(n)->addr,
			w->conf->workers > 1, &listener_ops, n);
	if (err) {
		notify_destroy(n);
		return err;
	}
	*out = n;
	return 0;
}

void notify_destroy(struct notify *n)
{
	if (n == NULL)
		return;
	listener_destroy(n->listener);
	while (!LIST_EMPTY(&n->conns))
		notify_conn_destroy(LIST_FIRST(&n->conns));
	handshaker_destroy(n->handshaker);
	tls_context_destroy(n->tls);
	prim_deinit(&n->request);
	prim_deinit(&n->answer);
	buf_deinit(&n->out);
	buf_deinit(&n->id);
	buf_deinit(&n->text);
	buf_deinit(&n->json);
	free(n);
}

void notify_take_tls(struct notify *n, struct tls_context *tls)
{
	tls_context_destroy(n->tls);
	n->tls = tls;
}

unsigned notify_port(const struct notify *n)
{
	return listener_port(n->listener);
}

const struct notify_counters *notify_counters(const struct notify *n)
{
	return &n->counters;
}
