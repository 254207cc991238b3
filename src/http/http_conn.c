/*
 * An answer belongs to a request only by its place on the connection, so
 * nothing may come to stand out of its place: whatever arrives while nothing
 * is asked, before the request has left, after an answer's announced end, or
 * with another request's echo, ends the connection's use.
 *
 * The answer is lent to the owner out of the parser, which therefore forgets
 * it only when the next one begins, and a connection that is destroyed inside
 * on_answer() is freed when that returns.
 */
#include "http_conn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"

#define LOOK_AFTER_MS 10	/* of idling */
#define TRUST_AFTER   3		/* answers with their echo on one connection */

enum echo {
	ECHO_NONE,		/* not told, or not asked for */
	ECHO_OURS,
	ECHO_OTHERS,		/* of another request that we sent */
	ECHO_FOREIGN,		/* of nothing we sent */
};

uint64_t http_conn_hash(struct str text)
{
	uint64_t h = UINT64_C(14695981039346656037);	/* FNV-1a */

	if (text.len == 0)
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		h ^= (unsigned char)text.p[i];
		h *= UINT64_C(1099511628211);
	}
	return h != 0 ? h : 1;
}

void http_conn_poisoned(struct http_conn *conn, const char *why)
{
	conn->counters->poisoned++;
	log_debug("http_conn_poisoned", LOG_TEXT("why", why),
		  LOG_UINT("served", conn->served));
}

static void conn_free(struct http_conn *conn)
{
	http_parser_destroy(conn->parser);
	free(conn);
}

static void drop_stream(struct http_conn *conn)
{
	reactor_disarm(conn->r, &conn->timer);
	stream_destroy(conn->stream);
	conn->stream = NULL;
}

/* UV_ETIMEDOUT is left to whoever waits for an answer: the kernel's says that
 * the peer cannot be reached. */
static int told(int err)
{
	return err == UV_ETIMEDOUT ? UV_EHOSTUNREACH : err;
}

/* Of a connection that has carried no request, ERR_* tells of TLS. */
static int told_of_connect(int err)
{
	switch (err) {
	case ERR_PROTO:
		return UV_EPROTO;
	case ERR_LIMIT:
		return UV_EAGAIN;
	default:
		return told(err);
	}
}

static void end(struct http_conn *conn, int err)
{
	conn->state = HTTP_CONN_CLOSED;
	drop_stream(conn);
	conn->ops->on_end(conn, told(err));
}

static void refuse(struct http_conn *conn, int err)
{
	conn->state = HTTP_CONN_CLOSED;
	if (conn->resolver != NULL)
		http_resolver_failed(conn->resolver);
	conn->ops->on_refused(conn, told_of_connect(err));
}

/* Found out while the owner is on the stack: told on a later turn. */
static void fail_later(struct http_conn *conn, int err)
{
	drop_stream(conn);
	conn->failing = err;
	reactor_arm(conn->r, &conn->timer, 0);
}

bool http_conn_asked(const struct http_conn *conn, uint64_t echo)
{
	for (size_t i = 0; i < ARRAY_LEN(conn->earlier); i++)
		if (conn->earlier[i] == echo)
			return true;
	return conn->echo == echo;
}

static enum echo judge_echo(const struct http_conn *conn,
			    const struct http_msg *msg)
{
	uint64_t hash;

	if (conn->conf->echo_header == NULL || conn->echo == 0)
		return ECHO_NONE;
	hash = http_conn_hash(
		http_msg_header(msg, str_of(conn->conf->echo_header)));
	if (hash == 0)
		return ECHO_NONE;
	if (hash == conn->echo)
		return ECHO_OURS;
	if (http_conn_asked(conn, hash) || conn->ops->is_others(conn, hash))
		return ECHO_OTHERS;
	return ECHO_FOREIGN;
}

/* N of `Keep-Alive: timeout=N`, in ms; UINT64_MAX where the server tells
 * none. */
static uint64_t announced_idle_ms(const struct http_msg *msg)
{
	struct str rest = http_msg_header(msg, STR("Keep-Alive"));
	struct str one, value;
	uint64_t seconds;

	while (rest.len > 0) {
		str_cut(rest, ',', &one, &rest);
		if (str_cut(str_trim(one), '=', &one, &value) &&
		    str_ieq(str_trim(one), STR("timeout")) &&
		    str_to_u64(&seconds, str_trim(value)) &&
		    seconds < UINT64_MAX / 1000)
			return seconds * 1000;
	}
	return UINT64_MAX;
}

/* How long the connection may idle; 0: it must not be used again. A second
 * less than the server says, because our request may meet its close. */
static uint64_t idle_ms(const struct http_conn *conn,
			const struct http_msg *msg)
{
	uint64_t ms = announced_idle_ms(msg);

	if (!msg->keep_alive)
		return 0;
	ms = ms > 1000 ? ms - 1000 : 0;
	return ms < conn->conf->keepalive_ms ? ms : conn->conf->keepalive_ms;
}

static void deliver(struct http_conn *conn, const struct http_msg *msg,
		    uint64_t idle)
{
	conn->served++;
	if (idle > 0) {
		conn->state = HTTP_CONN_IDLE;
		reactor_arm(conn->r, &conn->timer, idle);
	} else {
		conn->state = HTTP_CONN_CLOSED;
		drop_stream(conn);
	}
	conn->delivering = true;
	conn->ops->on_answer(conn, msg);
	conn->delivering = false;
	if (conn->state == HTTP_CONN_CLOSED)	/* destroyed meanwhile */
		conn_free(conn);
}

/* CSEs answer with ids that nobody sent, above all errors, and are taken as
 * they are. One that repeats the id of another request is an answer behind, or
 * has mixed them up: nobody must get another's. */
static void on_message(struct http_conn *conn, const struct http_msg *msg,
		       bool surplus, uint64_t idle)
{
	enum echo echo = judge_echo(conn, msg);
	const char *why = NULL;

	if (echo == ECHO_OTHERS) {
		http_conn_poisoned(conn, "answer to another request");
		end(conn, ERR_PROTO);
		return;
	}
	if (echo == ECHO_OURS)
		conn->echoed++;
	if (surplus)
		why = "octets after the answer";
	else if (echo == ECHO_FOREIGN)
		why = "echo of no request";
	if (why != NULL)
		http_conn_poisoned(conn, why);
	/* an early answer: the rest of the request would be taken for the
	 * next one */
	if (why != NULL || stream_queued(conn->stream) > 0)
		idle = 0;
	deliver(conn, msg, idle);
}

/* What comes now cannot be an answer; NULL: it can. */
static const char *why_unasked(const struct http_conn *conn)
{
	if (conn->state != HTTP_CONN_BUSY)
		return "octets while idle";
	if (!conn->heard && stream_queued(conn->stream) >= conn->queued)
		return "octets before the request has left";
	return NULL;
}

static void on_data(void *owner, const char *data, size_t len)
{
	struct http_conn *conn = owner;
	const struct http_msg *msg;
	const char *why = why_unasked(conn);
	ssize_t n;

	if (why != NULL) {
		http_conn_poisoned(conn, why);
		end(conn, UV_ECONNRESET);
		return;
	}
	if (!conn->heard)
		http_parser_next(conn->parser);
	conn->heard = true;
	n = http_parser_feed(conn->parser, data, len);
	if (n < 0) {
		http_conn_poisoned(conn, http_parser_why(conn->parser));
		end(conn, (int)n);
		return;
	}
	msg = http_parser_message(conn->parser);
	if (msg != NULL)
		on_message(conn, msg, (size_t)n < len, idle_ms(conn, msg));
}

/* The end may be what completes the answer (RFC 9112 6.3, point 8). */
static void on_end_while_busy(struct http_conn *conn, int err)
{
	const struct http_msg *msg = NULL;

	if (err == UV_EOF && http_parser_finish(conn->parser) == 0)
		msg = http_parser_message(conn->parser);
	if (msg != NULL) {
		on_message(conn, msg, false, 0);
		return;
	}
	http_conn_poisoned(conn, "answer cut off");
	end(conn, ERR_PROTO);
}

/* Whether the server, or we, did not like what TLS showed. */
static bool note_tls(struct http_conn *conn)
{
	char text[sizeof(conn->counters->tls_why)];
	struct str why = stream_tls_why(conn->stream, text, sizeof(text));

	if (why.len == 0)
		return false;
	memcpy(conn->counters->tls_why, why.p, why.len);
	conn->counters->tls_why[why.len] = '\0';
	return true;
}

static int connect_next(struct http_conn *conn, int err);

static void on_stream_end(void *owner, int err)
{
	struct http_conn *conn = owner;
	bool is_tls = note_tls(conn);

	if (err == UV_ECONNABORTED)	/* TLS that was cut off */
		err = UV_ECONNRESET;
	if (conn->state == HTTP_CONN_OPENING) {
		drop_stream(conn);
		err = connect_next(conn, err);
		if (err)
			refuse(conn, err);
	} else if (conn->state == HTTP_CONN_BUSY && conn->heard) {
		on_end_while_busy(conn, err);
	} else if (is_tls && conn->served == 0) {
		/* TLS 1.3: a client without a certificate learns it late */
		conn->counters->connect_failed++;
		end(conn, told_of_connect(err));
	} else {
		end(conn, err == UV_EOF ? UV_ECONNRESET : err);
	}
}

static void on_connect(void *owner)
{
	struct http_conn *conn = owner;

	if (conn->resolver != NULL)
		http_resolver_worked(conn->resolver, conn->first,
				     conn->tried - 1);
	conn->counters->tls_why[0] = '\0';
	conn->state = HTTP_CONN_IDLE;
	reactor_arm(conn->r, &conn->timer, conn->conf->keepalive_ms);
	conn->ops->on_open(conn);
}

static const struct stream_ops stream_ops = {
	.on_data = on_data,
	.on_end = on_stream_end,
	.on_connect = on_connect,
};

/* One exchange at a time bounds what is queued, hence no limit here. */
static int connect_unix(struct http_conn *conn)
{
	conn->tried++;
	return stream_connect_unix(&conn->stream, conn->r,
				   conn->conf->unix_path, SIZE_MAX, &stream_ops,
				   conn);
}

static const struct sockaddr *next_addr(struct http_conn *conn)
{
	return http_resolver_addr(conn->resolver, conn->first, conn->tried++);
}

/* Asked of the address itself, right before it is connected to: what a name
 * stood for when it was looked at before does not count. */
static bool is_denied(const struct http_conn *conn, const struct sockaddr *to)
{
	char space[64];

	if (!addr_nets_have(&conn->conf->deny, to))
		return false;
	log_debug("address_denied", LOG_TEXT("host", conn->conf->host),
		  LOG_STR("address", addr_text(to, space, sizeof(space))));
	return true;
}

static int connect_tcp(struct http_conn *conn, const struct sockaddr *to)
{
	struct tls *tls = NULL;
	int err = is_denied(conn, to) ? ERR_DENIED : 0;

	if (!err && conn->conf->tls != NULL)
		err = tls_create(&tls, conn->conf->tls);
	if (!err)
		err = stream_connect_tcp(&conn->stream, conn->r, to, SIZE_MAX,
					 &stream_ops, conn);
	if (err)
		tls_destroy(tls);
	else if (tls != NULL)
		stream_take_tls(conn->stream, tls, conn->conf->handshaker);
	return err;
}

/* Begins with the next address. Else err, or what the last address gave. */
static int connect_next(struct http_conn *conn, int err)
{
	const struct sockaddr *to;

	if (conn->resolver == NULL) {
		if (conn->tried == 0)
			err = connect_unix(conn);
	} else {
		if (conn->tried == 0)
			conn->first = http_resolver_first(conn->resolver);
		while (conn->stream == NULL && (to = next_addr(conn)) != NULL)
			err = connect_tcp(conn, to);
	}
	if (conn->stream == NULL)
		return err;
	reactor_arm(conn->r, &conn->timer, conn->conf->connect_timeout_ms);
	return 0;
}

static void on_lookup_done(struct http_lookup *l, int err)
{
	struct http_conn *conn = container_of(l, struct http_conn, lookup);

	reactor_disarm(conn->r, &conn->timer);
	if (err == 0)
		err = connect_next(conn, UV_EAI_NODATA);
	if (err)
		refuse(conn, err);
}

static int look_up(struct http_conn *conn)
{
	int err = http_resolver_ask(conn->resolver, &conn->lookup);

	if (err == 0)
		reactor_arm(conn->r, &conn->timer,
			    conn->conf->connect_timeout_ms);
	return err;
}

static void on_timeout(struct timeout *t)
{
	struct http_conn *conn = container_of(t, struct http_conn, timer);
	int err = conn->failing;

	if (conn->state != HTTP_CONN_OPENING) {
		end(conn, err != 0 ? err : UV_EOF);
		return;
	}
	if (err == 0) {
		drop_stream(conn);
		if (conn->lookup.pending)
			err = UV_EAI_AGAIN;
		else
			err = connect_next(conn, UV_EHOSTUNREACH);
	}
	if (err)
		refuse(conn, err);
}

int http_conn_create(struct http_conn **out, struct reactor *r,
		     const struct http_client_conf *conf,
		     struct http_resolver *resolver,
		     const struct http_conn_ops *ops,
		     struct http_client_counters *counters)
{
	struct http_conn *conn = calloc(1, sizeof(*conn));
	int err;

	if (conn == NULL)
		return UV_ENOMEM;
	err = http_parser_create(&conn->parser, HTTP_KIND_RESPONSE,
				 &conf->limits);
	if (err) {
		free(conn);
		return err;
	}
	conn->r = r;
	conn->ops = ops;
	conn->conf = conf;
	conn->counters = counters;
	conn->resolver = resolver;
	conn->lookup.on_done = on_lookup_done;
	conn->timer.on_timeout = on_timeout;
	if (resolver != NULL && !http_resolver_ready(resolver))
		err = look_up(conn);
	else
		err = connect_next(conn, UV_EAI_NODATA);
	if (err)
		fail_later(conn, err);
	*out = conn;
	return 0;
}

void http_conn_destroy(struct http_conn *conn)
{
	http_lookup_cancel(&conn->lookup);
	drop_stream(conn);
	conn->state = HTTP_CONN_CLOSED;
	if (!conn->delivering)			/* else deliver() frees */
		conn_free(conn);
}

/* What came before this turn of the loop has been heard of. Only a look at the
 * socket shows a close that crosses with our request. It costs a system call,
 * so a busy connection to a server that has shown to keep them, and whose
 * answers tell what they answer, is spared. */
bool http_conn_is_quiet(struct http_conn *conn)
{
	uint64_t idle;

	if (conn->state != HTTP_CONN_IDLE)
		return false;
	idle = reactor_now(conn->r) - stream_last_active(conn->stream);
	if (idle < LOOK_AFTER_MS && conn->echoed >= TRUST_AFTER)
		return true;
	return stream_is_quiet(conn->stream);
}

void http_conn_send(struct http_conn *conn, struct str head, struct str body,
		    uint64_t echo)
{
	int err;

	assert(conn->state == HTTP_CONN_IDLE);
	reactor_disarm(conn->r, &conn->timer);
	conn->state = HTTP_CONN_BUSY;
	conn->heard = false;
	conn->earlier[conn->served % ARRAY_LEN(conn->earlier)] = conn->echo;
	conn->echo = echo;
	err = stream_write(conn->stream, head);
	if (err == 0 && body.len > 0)
		err = stream_write(conn->stream, body);
	if (err)
		fail_later(conn, err);
	else
		conn->queued = stream_queued(conn->stream);
}
