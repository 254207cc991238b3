#include "net/preface.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/proxy_header.h"

/*
 * No stream reads yet, as that would take more than the header. Octets are
 * looked at first and taken when they are known to belong to it; what is
 * incomplete is taken, too, or the loop would be woken for it again and again.
 */
struct preface {
	uv_poll_t poll;
	struct reactor *r;		/* borrowed */
	const struct preface_ops *ops;
	void *owner;
	int fd;				/* owned; -1: given away */
	struct timeout timer;

	size_t len;			/* octets taken so far */
	char octets[PROXY_HEADER_MAX];
};

static void on_closed(uv_handle_t *handle)
{
	free(container_of(handle, struct preface, poll));
}

void preface_destroy(struct preface *p)
{
	if (p == NULL)
		return;
	reactor_disarm(p->r, &p->timer);
	/* at once, as far as the descriptor is concerned: it may be watched
	 * by another handle now */
	uv_close((uv_handle_t *)&p->poll, on_closed);
	if (p->fd >= 0)
		close(p->fd);
}

static void fail(struct preface *p, int err)
{
	const struct preface_ops *ops = p->ops;
	void *owner = p->owner;

	preface_destroy(p);
	ops->on_end(owner, err);
}

static void succeed(struct preface *p, const struct proxy_header *h)
{
	const struct sockaddr *from = (const struct sockaddr *)&h->from;
	const struct preface_ops *ops = p->ops;
	void *owner = p->owner;
	int fd = p->fd;

	p->fd = -1;
	preface_destroy(p);
	ops->on_header(owner, fd, from->sa_family != 0 ? from : NULL);
}

/* Up to a length of all; they have been looked at already. */
static int take(struct preface *p, size_t len)
{
	size_t n = len - p->len;

	if (recv(p->fd, p->octets + p->len, n, 0) != (ssize_t)n)
		return UV_ECONNRESET;
	p->len = len;
	return 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct preface *p = container_of(poll, struct preface, poll);
	ssize_t n = recv(p->fd, p->octets + p->len,
			 sizeof(p->octets) - p->len, MSG_PEEK);
	struct proxy_header h;
	int got, err;

	(void)status;			/* recv() knows */
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail(p, n == 0 ? UV_EOF : uv_translate_sys_error(errno));
		return;
	}
	got = proxy_header_parse(&h, (struct str){ p->octets,
						   p->len + (size_t)n });
	if (got < 0)
		err = got;
	else
		err = take(p, got > 0 ? h.len : p->len + (size_t)n);
	if (err)
		fail(p, err);
	else if (got > 0)
		succeed(p, &h);
}

static void on_timeout(struct timeout *t)
{
	fail(container_of(t, struct preface, timer), UV_ETIMEDOUT);
}

int preface_create(struct preface **out, struct reactor *r, int fd,
		   uint64_t timeout_ms, const struct preface_ops *ops,
		   void *owner)
{
	struct preface *p = calloc(1, sizeof(*p));
	int err;

	if (p == NULL) {
		close(fd);
		return UV_ENOMEM;
	}
	p->r = r;
	p->ops = ops;
	p->owner = owner;
	p->fd = fd;
	p->timer.on_timeout = on_timeout;
	err = uv_poll_init(reactor_loop(r), &p->poll, fd);
	if (err) {
		close(fd);
		free(p);
		return err;
	}
	err = uv_poll_start(&p->poll, UV_READABLE, on_readable);
	if (err) {
		preface_destroy(p);
		return err;
	}
	reactor_arm(r, &p->timer, timeout_ms);
	*out = p;
	return 0;
}
