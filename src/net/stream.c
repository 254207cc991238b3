/*
 * Life of a stream. The uv handle is part of the struct, so the struct is
 * freed by the handle's close callback, always a loop turn after destroy.
 * The owner hears nothing after it destroyed or released the stream.
 *
 * Output: stream_write() appends to `out` and puts the stream on the
 * reactor's dirty list; at the end of the turn stream_flush() offers all of it
 * with uv_try_write(). Only what the kernel refuses goes through uv_write()
 * as `rest`; until that is done, new output gathers in `out` again.
 *
 * With TLS there is one step between: `out` is sealed into `sealed` when it is
 * about to be offered, so that what one turn appended shares records. While a
 * handshaker works on `tls`, nobody else touches it, and nothing is read.
 */
#include "stream_priv.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/addr.h"

#define LINGER_SEND_MS 5000	/* for the last output to leave */
#define LINGER_END_MS  2000	/* then, for the peer's end */

static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf);

static struct stream *stream_of(void *handle)
{
	return container_of(handle, struct stream, h);
}

static void stream_enter(struct stream *s, enum stream_state to)
{
	assert(to > s->state);		/* a stream only ever ages */
	s->state = to;
}

/* libuv would read 32 times in a row from a peer that sends without end, which
 * keeps the others waiting: without space it leaves the rest to the next turn
 * of the loop (UV_ENOBUFS). */
static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	struct stream *s = stream_of(handle);
	bool again = s->had_its_turn == s->r->turn;
	bool not_now = again || turns_deny(s);

	(void)hint;
	*buf = uv_buf_init(s->r->read_space,
			   not_now ? 0 : (unsigned)turns_read_size(s));
}

void stream_watch(struct stream *s)
{
	bool on = s->reading && s->held_in == NULL;

	if (s->watched == on)
		return;
	s->watched = on;
	if (on)
		uv_read_start(&s->h.stream, on_alloc, on_read);
	else
		uv_read_stop(&s->h.stream);
}

static void set_reading(struct stream *s, bool on)
{
	s->reading = on;
	stream_watch(s);
}

void stream_gate(struct stream *s)
{
	size_t queued = stream_queued(s);

	if (s->state != STREAM_OPEN)
		return;
	if (s->step != NULL || (s->reading && queued > s->max_queue / 2))
		set_reading(s, false);
	else if (!s->reading && queued <= s->max_queue / 4)
		set_reading(s, true);
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *s = stream_of(handle);

	free(s->told);
	free(s);
}

void stream_destroy(struct stream *s)
{
	struct reactor *r;

	if (s == NULL)
		return;
	r = s->r;
	if (s->state == STREAM_RELEASED)
		r->released--;
	stream_enter(s, STREAM_CLOSING);
	s->ops = NULL;
	reactor_disarm(r, &s->linger);
	turns_forget(s);
	TAILQ_REMOVE(&r->streams, s, link);
	if (s->is_dirty)
		TAILQ_REMOVE(&r->dirty, s, dirty_link);
	reactor_give_buf(r, &s->out);
	stream_drop_tls(s);
	uv_close(&s->h.any, on_closed);
}

void stream_end(struct stream *s, int err)
{
	if (s->state == STREAM_RELEASED) {
		stream_destroy(s);
		return;
	}
	set_reading(s, false);
	stream_enter(s, STREAM_ENDED);
	s->ops->on_end(s->owner, err);
}

/* libuv tells a reset that comes together with the last octets as an end;
 * whoever reads to the end must know the difference. */
static int end_reason(struct stream *s, int err)
{
	int pending = 0;
	socklen_t len = sizeof(pending);
	uv_os_fd_t fd;

	if (err == UV_EOF && uv_fileno(&s->h.any, &fd) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &len) == 0 &&
	    pending != 0)
		return -pending;
	/* anybody can cut a connection; only the peer can close TLS */
	return err == UV_EOF && s->tls != NULL ? UV_ECONNABORTED : err;
}

/* May destroy s, whose memory is good until the end of the turn. */
static void work_off(struct stream *s, struct str octets)
{
	uint64_t began = s->sends_much ? uv_hrtime() : 0;

	if (s->tls != NULL)
		stream_unseal(s, octets);
	else
		s->ops->on_data(s->owner, octets.p, octets.len);
	if (began != 0)
		turns_worked(s, uv_hrtime() - began);
}

static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf)
{
	struct stream *s = stream_of(handle);

	if (n == UV_ENOBUFS)
		turns_took_none(s);
	if (n == 0 || n == UV_ENOBUFS)
		return;
	s->last_active = reactor_now(s->r);
	if (n < 0) {
		stream_end(s, end_reason(s, (int)n));
		return;
	}
	if ((size_t)n == turns_read_size(s))
		s->had_its_turn = s->r->turn;
	turns_took(s, (size_t)n);
	if (s->state == STREAM_OPEN)
		work_off(s, (struct str){ buf->base, (size_t)n });
}

/* All is sent: half-close, so that the peer reads to the end before it sees
 * the connection go. */
static void linger_end(struct stream *s)
{
	uv_os_fd_t fd;

	if (uv_fileno(&s->h.any, &fd) == 0)
		shutdown(fd, SHUT_WR);
	reactor_arm(s->r, &s->linger, LINGER_END_MS);
}

/* The owner hears of its own output only, not of a handshake's. */
static void drained(struct stream *s)
{
	bool owes = s->owes_drain;

	s->owes_drain = false;
	if (s->state == STREAM_RELEASED)
		linger_end(s);
	else if (s->ops->on_drain != NULL && owes)
		s->ops->on_drain(s->owner);
}

void stream_mark_dirty(struct stream *s)
{
	if (s->is_dirty)
		return;
	s->is_dirty = true;
	TAILQ_INSERT_TAIL(&s->r->dirty, s, dirty_link);
}

static void on_rest_written(uv_write_t *req, int err)
{
	struct stream_rest *rest =
		container_of(req, struct stream_rest, req);
	struct stream *s = rest->stream;

	buf_deinit(&rest->bytes);
	free(rest);
	if (s->state == STREAM_CLOSING)
		return;
	s->rest = NULL;
	if (s->state == STREAM_ENDED)
		return;
	if (err) {
		stream_end(s, err);
		return;
	}
	s->last_active = reactor_now(s->r);
	stream_gate(s);
	if (s->out.len > 0 || s->sealed.len > 0)
		stream_mark_dirty(s);
	else
		drained(s);
}

/* What goes to the kernel. */
static struct buf *wire_of(struct stream *s)
{
	return s->tls != NULL ? &s->sealed : &s->out;
}

/* The kernel took n octets; libuv waits for room for the others. */
static int write_rest(struct stream *s, size_t n)
{
	struct stream_rest *rest = calloc(1, sizeof(*rest));
	struct buf *wire = wire_of(s);
	uv_buf_t left = uv_buf_init(wire->p + n, (unsigned)(wire->len - n));
	int err;

	if (rest == NULL)
		return UV_ENOMEM;
	rest->stream = s;
	err = uv_write(&rest->req, &s->h.stream, &left, 1, on_rest_written);
	if (err) {
		free(rest);
		return err;
	}
	rest->bytes = *wire;
	*wire = (struct buf){ 0 };
	s->rest = rest;
	return 0;
}

static int offer(struct stream *s)
{
	struct buf *wire = wire_of(s);
	uv_buf_t all = uv_buf_init(wire->p, (unsigned)wire->len);
	int n = uv_try_write(&s->h.stream, &all, 1);

	if (n == UV_EAGAIN)
		n = 0;
	if (n >= 0 && (size_t)n < wire->len)
		n = write_rest(s, (size_t)n);
	return n < 0 ? n : 0;
}

void stream_flush(struct stream *s)
{
	int err = 0;

	TAILQ_REMOVE(&s->r->dirty, s, dirty_link);
	s->is_dirty = false;
	if (s->rest != NULL ||
	    (s->state != STREAM_OPEN && s->state != STREAM_RELEASED))
		return;
	if (s->tls != NULL)
		err = stream_seal(s);
	if (!err && wire_of(s)->len == 0)
		return;
	if (!err)
		err = offer(s);
	if (err) {
		stream_end(s, err);
		return;
	}
	if (s->rest != NULL)
		return;
	reactor_give_buf(s->r, wire_of(s));
	stream_gate(s);
	if (s->out.len == 0)	/* else the handshake goes before it */
		drained(s);
}

static void on_linger(struct timeout *t)
{
	stream_destroy(container_of(t, struct stream, linger));
}

static struct stream *stream_new(struct reactor *r, size_t max_queue,
				 const struct stream_ops *ops, void *owner,
				 bool is_asked)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->r = r;
	s->ops = ops;
	s->owner = owner;
	s->max_queue = max_queue;
	s->last_active = reactor_now(r);
	s->linger.on_timeout = on_linger;
	turns_begin(s, is_asked);
	return s;
}

/* From here on libuv knows the handle: the struct dies by stream_destroy(). */
static void stream_adopt(struct stream *s)
{
	TAILQ_INSERT_TAIL(&s->r->streams, s, link);
}

int stream_accept(struct stream **out, struct reactor *r, int fd,
		  size_t max_queue, const struct stream_ops *ops, void *owner)
{
	struct stream *s = stream_new(r, max_queue, ops, owner, false);
	int err;

	if (s == NULL) {
		close(fd);
		return UV_ENOMEM;
	}
	err = uv_tcp_init(&r->loop, &s->h.tcp);
	if (err) {
		close(fd);
		free(s);
		return err;
	}
	stream_adopt(s);
	err = uv_tcp_open(&s->h.tcp, fd);
	if (err) {
		close(fd);
		stream_destroy(s);
		return err;
	}
	uv_tcp_nodelay(&s->h.tcp, 1);
	stream_enter(s, STREAM_OPEN);
	set_reading(s, true);
	*out = s;
	return 0;
}

static void on_connected(uv_connect_t *req, int err)
{
	struct stream *s = stream_of(req->handle);

	free(req);
	if (s->state == STREAM_CLOSING)
		return;
	if (err) {
		stream_end(s, err);
		return;
	}
	stream_enter(s, STREAM_OPEN);
	set_reading(s, true);
	if (s->out.len > 0)
		stream_mark_dirty(s);
	if (s->tls != NULL)
		stream_unseal(s, STR(""));
	else if (s->ops->on_connect != NULL)
		s->ops->on_connect(s->owner);
}

int stream_connect_tcp(struct stream **out, struct reactor *r,
		       const struct sockaddr *to, size_t max_queue,
		       const struct stream_ops *ops, void *owner)
{
	struct stream *s = stream_new(r, max_queue, ops, owner, true);
	uv_connect_t *req = malloc(sizeof(*req));
	int err;

	if (s == NULL || req == NULL) {
		free(s);
		free(req);
		return UV_ENOMEM;
	}
	err = uv_tcp_init(&r->loop, &s->h.tcp);
	if (err) {
		free(s);
		free(req);
		return err;
	}
	stream_adopt(s);
	err = uv_tcp_connect(req, &s->h.tcp, to, on_connected);
	if (err) {
		free(req);
		stream_destroy(s);
		return err;
	}
	uv_tcp_nodelay(&s->h.tcp, 1);
	*out = s;
	return 0;
}

int stream_connect_unix(struct stream **out, struct reactor *r,
			const char *path, size_t max_queue,
			const struct stream_ops *ops, void *owner)
{
	struct stream *s = stream_new(r, max_queue, ops, owner, true);
	uv_connect_t *req = malloc(sizeof(*req));
	int err;

	if (s == NULL || req == NULL) {
		free(s);
		free(req);
		return UV_ENOMEM;
	}
	err = uv_pipe_init(&r->loop, &s->h.pipe, 0);
	if (err) {
		free(s);
		free(req);
		return err;
	}
	stream_adopt(s);
	uv_pipe_connect(req, &s->h.pipe, path, on_connected);
	*out = s;
	return 0;
}

void stream_release(struct stream *s)
{
	s->ops = NULL;
	s->owner = NULL;
	/* a flood of refused connections must not hold descriptors for long */
	if (s->state == STREAM_ENDED || s->state == STREAM_CONNECTING ||
	    s->r->released == REACTOR_RELEASED ||
	    (s->tls != NULL && !stream_is_sealable(s))) {
		stream_destroy(s);
		return;
	}
	stream_enter(s, STREAM_RELEASED);
	s->r->released++;
	if (s->tls != NULL && stream_seal(s) != 0) {
		stream_destroy(s);
		return;
	}
	set_reading(s, true);
	if (s->sealed.len > 0)		/* at least close_notify */
		stream_mark_dirty(s);
	if (stream_queued(s) > 0)
		reactor_arm(s->r, &s->linger, LINGER_SEND_MS);
	else
		linger_end(s);
}

void stream_take_tls(struct stream *s, struct tls *tls, struct handshaker *h)
{
	assert(s->tls == NULL && stream_queued(s) == 0);
	s->tls = tls;
	s->shaker = h;
}

void stream_set_owner(struct stream *s, const struct stream_ops *ops,
		      void *owner)
{
	s->ops = ops;
	s->owner = owner;
}

void stream_set_max_queue(struct stream *s, size_t max_queue)
{
	s->max_queue = max_queue;
}

/* Offers what has gathered before the turn ends, when the queue is full: the
 * kernel may have room for all of it. An error shows itself at the flush. */
static void make_room(struct stream *s)
{
	struct buf *wire = wire_of(s);
	uv_buf_t all;
	int n;

	if (s->rest != NULL || s->state != STREAM_OPEN ||
	    (s->tls != NULL && stream_seal(s) != 0) || wire->len == 0)
		return;
	all = uv_buf_init(wire->p, (unsigned)wire->len);
	n = uv_try_write(&s->h.stream, &all, 1);
	if (n > 0)
		buf_consume(wire, (size_t)n);
}

int stream_reserve(struct stream *s, size_t n)
{
	if (s->state == STREAM_ENDED)
		return UV_EPIPE;
	if (n <= s->max_queue && stream_queued(s) > s->max_queue - n)
		make_room(s);
	if (n > s->max_queue || stream_queued(s) > s->max_queue - n)
		return ERR_LIMIT;
	if (s->out.cap == 0)
		s->out = reactor_take_buf(s->r);
	if (!buf_reserve(&s->out, n)) {
		s->out.failed = false;	/* what was there is still good */
		return UV_ENOMEM;
	}
	return 0;
}

int stream_write(struct stream *s, struct str bytes)
{
	int err = stream_reserve(s, bytes.len);

	if (err)
		return err;
	buf_add_str(&s->out, bytes);
	s->owes_drain = true;
	if (s->state != STREAM_CONNECTING)
		stream_mark_dirty(s);
	stream_gate(s);
	return 0;
}

size_t stream_queued(const struct stream *s)
{
	return s->out.len + s->sealed.len +
	       (s->rest != NULL ? s->h.stream.write_queue_size : 0);
}

uint64_t stream_last_active(const struct stream *s)
{
	return s->last_active;
}

bool stream_is_quiet(struct stream *s)
{
	uv_os_fd_t fd;
	char byte;

	if (s->state != STREAM_OPEN || uv_fileno(&s->h.any, &fd) != 0)
		return false;
	if (s->tls != NULL)
		return stream_tls_is_quiet(s, fd);
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

/* Room for either family. */
static size_t told_size(const struct sockaddr *addr)
{
	return addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					     sizeof(struct sockaddr_in);
}

int stream_set_peer(struct stream *s, const struct sockaddr *addr)
{
	if (s->told == NULL)
		s->told = calloc(1, sizeof(*s->told));
	if (s->told == NULL)
		return UV_ENOMEM;
	memcpy(s->told, addr, told_size(addr));
	return 0;
}

int stream_peer_address(struct stream *s, struct sockaddr_storage *out)
{
	int n = sizeof(*out);

	if (s->told != NULL) {
		memcpy(out, s->told, sizeof(*s->told));
		return 0;
	}
	if (s->h.any.type != UV_TCP)
		return UV_ENOTSUP;
	return uv_tcp_getpeername(&s->h.tcp, (struct sockaddr *)out, &n);
}

struct str stream_peer(struct stream *s, char *space, size_t len)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNIX };

	/* without an address there is none to show */
	(void)!stream_peer_address(s, &addr);
	return addr_text((const struct sockaddr *)&addr, space, len);
}

struct reactor *stream_reactor(const struct stream *s)
{
	return s->r;
}
