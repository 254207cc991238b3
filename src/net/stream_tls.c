#include <sys/socket.h>
#include <uv.h>

#include "base/log.h"
#include "stream_priv.h"

#define FAILURES_LOGGED 10	/* a second */

bool stream_is_sealable(const struct stream *s)
{
	return s->step == NULL && tls_is_open(s->tls);
}

int stream_seal(struct stream *s)
{
	int err;

	if (!stream_is_sealable(s))
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

/* Towards a server the owner knows better what to say. */
static void log_failure(struct stream *s)
{
	struct reactor *r = s->r;
	char peer[64], why[128];

	if (tls_is_client(s->tls) ||
	    !log_limit_allows(&r->log_tls, reactor_now(r), FAILURES_LOGGED))
		return;
	log_info("tls_failed",
		 LOG_STR("peer", stream_peer(s, peer, sizeof(peer))),
		 LOG_STR("why", tls_why(s->tls, why, sizeof(why))),
		 LOG_UINT("unlogged", log_limit_missed(&r->log_tls)));
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

static void fail(struct stream *s, int err)
{
	if (err != UV_EOF)
		log_failure(s);
	say_last(s);
	stream_end(s, err);
}

/* A client's owner has waited for the end of the handshake. */
static void tell_open(struct stream *s)
{
	if (tls_is_client(s->tls) && s->ops->on_connect != NULL)
		s->ops->on_connect(s->owner);
}

static void unseal(struct stream *s, struct str octets)
{
	char *plain = s->r->plain_space;
	bool was_open;
	ssize_t n;

	do {
		was_open = tls_is_open(s->tls);
		n = tls_read(s->tls, &octets, plain, REACTOR_READ_SIZE,
			     &s->sealed);
		if (!was_open && tls_is_open(s->tls))
			tell_open(s);
		if (n > 0 && s->state == STREAM_OPEN)
			s->ops->on_data(s->owner, plain, (size_t)n);
	} while (n > 0 && s->state == STREAM_OPEN);
	if (s->state != STREAM_OPEN)
		return;
	if (n < 0)
		fail(s, (int)n);
	else if (s->sealed.len > 0 ||
		 (s->out.len > 0 && tls_is_open(s->tls)))
		stream_mark_dirty(s);
}

/* From the handshake to what follows it. */
static void go_on(struct stream *s, struct str octets)
{
	tell_open(s);
	if (s->state == STREAM_OPEN)
		unseal(s, octets);
}

static void on_shaken(void *owner, struct handshake *step)
{
	struct stream *s = owner;

	s->step = NULL;
	if (s->state != STREAM_OPEN)
		return;
	buf_add_str(&s->sealed, buf_str(&step->out));
	if (step->err)
		fail(s, step->err);
	else if (s->sealed.failed)
		stream_end(s, UV_ENOMEM);
	else if (tls_is_open(s->tls))
		go_on(s, step->left);
	else if (s->sealed.len > 0)
		stream_mark_dirty(s);
	stream_gate(s);
}

static void shake(struct stream *s, struct str octets)
{
	int err = handshaker_start(&s->step, s->shaker, s->tls, octets,
				   on_shaken, s);

	stream_gate(s);
	if (err)
		stream_end(s, err);
}

void stream_unseal(struct stream *s, struct str octets)
{
	if (s->shaker != NULL && !tls_is_open(s->tls))
		shake(s, octets);
	else
		unseal(s, octets);
}

struct str stream_peer_name(const struct stream *s)
{
	return s->tls != NULL && s->step == NULL ? tls_peer_name(s->tls) :
						   STR("");
}

struct str stream_tls_why(const struct stream *s, char *space, size_t len)
{
	return s->tls != NULL && s->step == NULL ?
		       tls_why(s->tls, space, len) : STR("");
}

/* The spaces of the reactor may be in use: who asks may be just hearing. */
bool stream_tls_is_quiet(struct stream *s, int fd)
{
	char octets[2048], plain[1];
	ssize_t n;

	if (s->step != NULL)
		return false;
	while ((n = recv(fd, octets, sizeof(octets), MSG_DONTWAIT)) > 0) {
		struct str in = { octets, (size_t)n };

		if (tls_read(s->tls, &in, plain, sizeof(plain),
			     &s->sealed) != 0)
			return false;
		if (s->sealed.len > 0)
			stream_mark_dirty(s);
	}
	return n < 0;
}

void stream_drop_tls(struct stream *s)
{
	reactor_give_buf(s->r, &s->sealed);
	if (s->step != NULL)
		handshaker_drop(s->step);
	else
		tls_destroy(s->tls);
	s->step = NULL;
	s->tls = NULL;
}
