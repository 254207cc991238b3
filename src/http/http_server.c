/*
 * Requests are handed over one at a time. What arrives behind one that is
 * being answered waits in `pending`; it is looked at when the answer has left
 * (on_drain), so that the owner is never called from inside its own call, and
 * a peer that does not read its answers gets no further.
 *
 * The owner may answer, destroy the server or take the stream inside
 * on_request(), with serve() below it on the stack: destroy marks, serve()
 * frees.
 */
#include "http/http_server.h"

#include <assert.h>
#include <stdlib.h>

#define PENDING_MIN  65536	/* one read may hold that many octets */
#define KEEP_PENDING 2048

enum server_state {
	SERVER_READING,		/* a request must come; head_timeout_ms */
	SERVER_IDLE,		/* one may come; idle_timeout_ms */
	SERVER_ANSWERING,	/* the owner has one */
	SERVER_OVER,		/* nothing more; on_end() is due or done */
	SERVER_GIVEN,		/* the stream is somebody else's */
};

struct http_server {
	const struct http_server_conf *conf;
	const struct http_server_ops *ops;
	void *owner;
	struct reactor *reactor;

	struct stream *stream;		/* owned; NULL: released or given */
	struct http_parser *parser;	/* owned */

	enum server_state state;
	int end_status;			/* for on_end() */
	struct timeout timer;
	struct buf pending;
	struct str rest;		/* not parsed yet, in serve() */
	bool serving;
	bool destroyed;
};

static void server_free(struct http_server *s)
{
	buf_deinit(&s->pending);
	http_parser_destroy(s->parser);
	free(s);
}

/* Nothing is read any more; what is queued still leaves. */
static void leave(struct http_server *s, int status)
{
	reactor_disarm(s->reactor, &s->timer);
	stream_release(s->stream);
	s->stream = NULL;
	s->state = SERVER_OVER;
	s->end_status = status;
}

static int write_status(struct http_server *s, int status, struct str extra,
			struct str connection)
{
	struct buf out = { 0 };
	int err;

	buf_add_lit(&out, "HTTP/1.1 ");
	buf_add_u64(&out, (uint64_t)status);
	buf_add_char(&out, ' ');
	buf_add_str(&out, str_of(http_status_text(status)));
	buf_add_lit(&out, "\r\n");
	buf_add_str(&out, extra);
	if (status != 204)	/* RFC 9110 8.6 */
		buf_add_lit(&out, "Content-Length: 0\r\n");
	buf_add_str(&out, connection);
	buf_add_lit(&out, "\r\n");
	err = out.failed ? UV_ENOMEM : stream_write(s->stream, buf_str(&out));
	buf_deinit(&out);
	return err;
}

/* The one place where what is not HTTP is answered. A peer that takes no
 * answer is left without. */
static void refuse(struct http_server *s, int status)
{
	int err = write_status(s, status, s->conf->refusal,
			       STR("Connection: close\r\n"));

	leave(s, err ? 0 : status);
}

static void say_continue(struct http_server *s)
{
	if (stream_write(s->stream, STR("HTTP/1.1 100 Continue\r\n\r\n")))
		leave(s, 0);
}

/* One step: up to the end of a request. */
static void serve_some(struct http_server *s)
{
	ssize_t n = http_parser_feed(s->parser, s->rest.p, s->rest.len);
	const struct http_msg *req;

	if (n < 0) {
		refuse(s, http_parser_status(s->parser));
		return;
	}
	s->rest = str_skip(s->rest, (size_t)n);
	req = http_parser_message(s->parser);
	if (req != NULL) {
		reactor_disarm(s->reactor, &s->timer);
		s->state = SERVER_ANSWERING;
		s->ops->on_request(s->owner, req);
		return;
	}
	if (s->state == SERVER_IDLE && http_parser_busy(s->parser)) {
		s->state = SERVER_READING;
		reactor_arm(s->reactor, &s->timer, s->conf->head_timeout_ms);
	}
	if (http_parser_wants_continue(s->parser))
		say_continue(s);
}

static bool wants_octets(const struct http_server *s)
{
	return s->state == SERVER_READING || s->state == SERVER_IDLE;
}

static void serve(struct http_server *s, struct str octets)
{
	s->rest = octets;
	s->serving = true;
	while (wants_octets(s) && s->rest.len > 0)
		serve_some(s);
	s->serving = false;
}

/* Behind serve(): the owner is called last. */
static void served(struct http_server *s)
{
	if (s->destroyed)
		server_free(s);
	else if (s->state == SERVER_OVER)
		s->ops->on_end(s->owner, s->end_status);
}

static size_t pending_max(const struct http_server *s)
{
	size_t request = s->conf->limits.max_head + s->conf->limits.max_body;

	return request < PENDING_MIN ? PENDING_MIN : request;
}

static bool keep(struct http_server *s, struct str octets)
{
	if (octets.len > pending_max(s) - s->pending.len)
		return false;
	buf_add_str(&s->pending, octets);
	return !s->pending.failed;
}

static void serve_pending(struct http_server *s)
{
	serve(s, buf_str(&s->pending));
	if (s->rest.len > 0)
		buf_consume(&s->pending, s->pending.len - s->rest.len);
	else if (s->pending.cap > KEEP_PENDING)
		buf_deinit(&s->pending);
	else
		buf_clear(&s->pending);
	served(s);
}

static void serve_data(struct http_server *s, struct str octets)
{
	serve(s, octets);
	if (s->state == SERVER_ANSWERING && !keep(s, s->rest))
		leave(s, 0);
	s->rest = STR("");		/* the octets are the stream's */
	served(s);
}

static void on_data(void *owner, const char *data, size_t len)
{
	struct http_server *s = owner;
	struct str octets = { data, len };

	if (wants_octets(s) && s->pending.len == 0) {
		serve_data(s, octets);
	} else if (!keep(s, octets)) {	/* else on_drain() is due */
		leave(s, 0);
		s->ops->on_end(s->owner, 0);
	}
}

static void on_drain(void *owner)
{
	struct http_server *s = owner;

	if (wants_octets(s) && s->pending.len > 0)
		serve_pending(s);
}

static void on_stream_end(void *owner, int err)
{
	struct http_server *s = owner;

	(void)err;
	leave(s, 0);
	s->ops->on_end(s->owner, 0);
}

static const struct stream_ops stream_ops = {
	.on_data = on_data,
	.on_end = on_stream_end,
	.on_drain = on_drain,
};

static void on_timeout(struct timeout *t)
{
	struct http_server *s = container_of(t, struct http_server, timer);

	if (s->state == SERVER_READING)
		refuse(s, 408);
	else if (s->state == SERVER_IDLE)
		leave(s, 0);
	s->ops->on_end(s->owner, s->end_status);
}

/* The answer is queued. */
static void answered(struct http_server *s, bool close)
{
	if (close) {
		leave(s, 0);
		if (!s->serving)	/* not from inside the owner's call */
			reactor_arm(s->reactor, &s->timer, 0);
		return;
	}
	http_parser_next(s->parser);
	s->state = SERVER_IDLE;
	reactor_arm(s->reactor, &s->timer, s->conf->idle_timeout_ms);
}

int http_server_respond(struct http_server *s, struct str response, bool close)
{
	bool last = close || !http_parser_message(s->parser)->keep_alive;
	int err;

	assert(s->state == SERVER_ANSWERING);
	err = stream_write(s->stream, response);
	if (err)
		return err;
	answered(s, last);
	return 0;
}

int http_server_respond_status(struct http_server *s, int status,
			       struct str extra, bool close)
{
	const struct http_msg *req = http_parser_message(s->parser);
	struct str connection = { NULL, 0 };
	bool last = close || !req->keep_alive;
	int err;

	assert(s->state == SERVER_ANSWERING);
	if (last)
		connection = STR("Connection: close\r\n");
	else if (req->minor == 0)
		connection = STR("Connection: keep-alive\r\n");
	err = write_status(s, status, extra, connection);
	if (err)
		return err;
	answered(s, last);
	return 0;
}

struct stream *http_server_give_stream(struct http_server *s, struct str *rest)
{
	struct stream *stream = s->stream;

	assert(s->state == SERVER_ANSWERING);
	*rest = s->serving ? s->rest : buf_str(&s->pending);
	s->rest.len = 0;
	s->stream = NULL;
	s->state = SERVER_GIVEN;
	return stream;
}

int http_server_create(struct http_server **out, struct stream *stream,
		       const struct http_server_conf *conf,
		       const struct http_server_ops *ops, void *owner)
{
	struct http_server *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL) {
		stream_destroy(stream);
		return UV_ENOMEM;
	}
	err = http_parser_create(&s->parser, HTTP_KIND_REQUEST, &conf->limits);
	if (err) {
		stream_destroy(stream);
		free(s);
		return err;
	}
	s->conf = conf;
	s->ops = ops;
	s->owner = owner;
	s->stream = stream;
	s->reactor = stream_reactor(stream);
	s->timer.on_timeout = on_timeout;
	stream_set_owner(stream, &stream_ops, s);
	reactor_arm(s->reactor, &s->timer, conf->head_timeout_ms);
	*out = s;
	return 0;
}

void http_server_destroy(struct http_server *s)
{
	if (s == NULL)
		return;
	if (s->stream != NULL)
		leave(s, 0);
	reactor_disarm(s->reactor, &s->timer);
	s->destroyed = true;
	if (!s->serving)		/* else served() frees */
		server_free(s);
}
