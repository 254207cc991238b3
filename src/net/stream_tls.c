#include <uv.h>

#include "base/log.h"
#include "stream_priv.h"

int stream_seal(struct stream *s)
{
	int err;

	if (!tls_is_open(s->tls))
		return 0;
	if (s->sealed.cap == 0)
		s->sealed = reactor_take_buf(s->r);
	err = tls_write(s->tls, buf_str(&s->out), &s->sealed);
	if (err)
		return err;
	reactor_give_buf(s->r, &s->out);
	if (s->state == STREAM_RELEASED)
		tls_close(s->tls, &s->sealed);
	return s->sealed.failed ? UV_ENOMEM : 0;
}

static void log_failure(struct stream *s)
{
	char peer[64], why[128];

	log_info("tls_failed",
		 LOG_STR("peer", stream_peer(s, peer, sizeof(peer))),
		 LOG_STR("why", tls_why(s->tls, why, sizeof(why))));
}

/* The last word, as far as the kernel takes it now: the owner drops what is
 * queued. */
static void say_last(struct stream *s)
{
	uv_buf_t last;

	tls_close(s->tls, &s->sealed);
	if (s->rest != NULL || s->sealed.len == 0)
		return;
	last = uv_buf_init(s->sealed.p, (unsigned)s->sealed.len);
	(void)uv_try_write(&s->h.stream, &last, 1);
}

void stream_unseal(struct stream *s, struct str octets)
{
	char *plain = s->r->plain_space;
	ssize_t n;

	do {
		n = tls_read(s->tls, &octets, plain, REACTOR_READ_SIZE,
			     &s->sealed);
		if (n > 0)
			s->ops->on_data(s->owner, plain, (size_t)n);
	} while (n > 0 && s->state == STREAM_OPEN);
	if (s->state != STREAM_OPEN)
		return;
	if (n < 0) {
		if (n != UV_EOF)
			log_failure(s);
		say_last(s);
		stream_end(s, (int)n);
	} else if (s->sealed.len > 0 ||
		   (s->out.len > 0 && tls_is_open(s->tls))) {
		stream_mark_dirty(s);
	}
}

struct str stream_peer_name(const struct stream *s)
{
	return s->tls != NULL ? tls_peer_name(s->tls) : STR("");
}

void stream_drop_tls(struct stream *s)
{
	reactor_give_buf(s->r, &s->sealed);
	tls_destroy(s->tls);
	s->tls = NULL;
}
