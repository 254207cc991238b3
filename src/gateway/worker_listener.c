#include "worker_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "arrival.h"
#include "base/log.h"
#include "net/addr.h"
#include "upgrade.h"

static void on_connection(void *owner, int fd)
{
	arrival_accept(owner, fd);
}

static void on_refused(void *owner, int err)
{
	struct worker_listener *l = owner;

	/* ten times a second at most; the first of a series is told */
	if (l->w->counters.paused_accepting++ % 100 == 0)
		log_warning("accept_paused",
			    LOG_TEXT("listener", l->conf.name),
			    LOG_ERRNO(err));
}

static const struct listener_ops listener_ops = {
	.on_connection = on_connection,
	.on_refused = on_refused,
};

static int need_handshaker(struct worker *w)
{
	return w->handshaker != NULL ?
		       0 :
		       handshaker_create(&w->handshaker, w->reactor,
					 w->conf->max_handshakes);
}

static int open_tls(struct worker_listener *l)
{
	int err;

	if (!l->conf.tls)
		return 0;
	err = need_handshaker(l->w);
	return err ? err :
		     worker_tls_context(&l->tls, l->w, l->conf.name,
					&l->conf.tls_conf);
}

/* A socket that was inherited is everybody's: who is first gets the
 * connection. */
static int open_listener(struct worker_listener *l)
{
	struct reactor *r = l->w->reactor;
	int fd;

	if (l->shared->fd < 0)
		return listener_create(
			&l->listener, r,
			(const struct sockaddr *)&l->conf.addr,
			l->w->conf->workers > 1, &listener_ops, l);
	fd = fcntl(l->shared->fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? uv_translate_sys_error(errno) :
			listener_create_fd(&l->listener, r, fd, &listener_ops,
					   l);
}

void worker_listener_take(struct worker_listener *l,
			  const struct gateway_listener_conf *next)
{
	const struct gateway_conf *conf = l->w->conf;

	l->conf = *next;
	l->conf.name = l->shared->name;
	l->http.limits.max_head = conf->max_head;
	l->http.limits.max_headers = conf->max_headers;
	l->http.limits.max_body = 0;
	l->http.head_timeout_ms = l->conf.handshake_timeout_ms;
	l->http.idle_timeout_ms = l->conf.handshake_timeout_ms;
}

int worker_listener_create(struct worker_listener **out, struct worker *w,
			   struct listener_shared *shared,
			   const struct gateway_listener_conf *conf)
{
	struct worker_listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return UV_ENOMEM;
	l->w = w;
	l->shared = shared;
	atomic_fetch_add(&shared->holders, 1);
	worker_listener_take(l, conf);
	*out = l;
	return 0;
}

static void log_failed(const struct worker_listener *l, int err)
{
	char space[64];

	log_error("listen_failed", LOG_TEXT("listener", l->conf.name),
		  LOG_STR("address",
			  addr_text((const struct sockaddr *)&l->conf.addr,
				    space, sizeof(space))),
		  LOG_ERRNO(err));
}

int worker_listener_open(struct worker *w,
			 const struct gateway_listener_conf *conf)
{
	struct listener_shared *shared =
		listener_shared_find(&w->shared->listeners, conf->name);
	struct worker_listener *l;
	int err;

	err = worker_listener_create(&l, w, shared, conf);
	if (err)
		return err;
	LIST_INSERT_HEAD(&w->listeners, l, link);
	err = open_tls(l);
	if (err)
		return err;
	err = open_listener(l);
	if (err) {
		log_failed(l, err);
		return err;
	}
	/* who is here needs the CSE, and the CSE needs us */
	listener_leave_some(l->listener);
	if (w->index == 0)
		shared->port = listener_port(l->listener);
	return 0;
}

void worker_listener_close(struct worker_listener *l)
{
	listener_destroy(l->listener);
	l->listener = NULL;
}

void worker_listener_destroy(struct worker_listener *l)
{
	if (l == NULL)
		return;
	worker_listener_close(l);
	tls_context_destroy(l->tls);
	atomic_fetch_sub(&l->shared->holders, 1);
	free(l);
}

struct worker_listener *worker_listener_find(const struct worker *w,
					     const struct listener_shared *s)
{
	struct worker_listener *l;

	LIST_FOREACH(l, &w->listeners, link)
		if (l->shared == s)
			return l;
	return NULL;
}

static int adopt(struct worker_listener *l, int fd)
{
	int err;

	worker_listener_close(l);
	err = listener_create_fd(&l->listener, l->w->reactor, fd,
				 &listener_ops, l);
	if (!err)
		listener_leave_some(l->listener);
	return err;
}

void worker_listener_renew(struct worker_listener *l,
			   const struct gateway_listener_conf *next,
			   struct tls_context *tls, int fd)
{
	int err;

	worker_listener_take(l, next);
	tls_context_destroy(l->tls);
	l->tls = tls;
	err = tls != NULL && !l->w->draining ? need_handshaker(l->w) : 0;
	if (fd >= 0 && (err || l->w->draining))
		close(fd);
	else if (fd >= 0)
		err = adopt(l, fd);
	if (!err)
		return;
	worker_listener_close(l);
	atomic_store(&l->shared->broken, true);
	log_failed(l, err);
}

void worker_listener_retire(struct worker_listener *l)
{
	worker_listener_close(l);
	arrival_end_all(l);
	upgrade_end_all(l);
	tls_context_destroy(l->tls);
	l->tls = NULL;
	l->conf = (struct gateway_listener_conf){ .name = l->shared->name };
	LIST_REMOVE(l, link);
	l->retired = true;
	if (l->connections == 0)
		worker_listener_destroy(l);
}

void worker_listener_enter(struct worker_listener *l)
{
	l->connections++;
}

void worker_listener_leave(struct worker_listener *l)
{
	l->connections--;
	if (l->retired && l->connections == 0)
		worker_listener_destroy(l);
}
