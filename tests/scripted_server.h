#ifndef SCRIPTED_SERVER_H
#define SCRIPTED_SERVER_H

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/str.h"

/*
 * An HTTP server that does what it is told: the nth connection plays the nth
 * script; without one it answers every request well. It lives on the loop of
 * the code under test, so what happens has an order. In what it says, %I is
 * the X-M2M-RI of the request that it read last, %P that of the one before, if
 * there was one.
 */
enum act {
	ACT_END,		/* does nothing more; the connection stays */
	ACT_READ,		/* a whole request */
	ACT_READ_HEAD,		/* a head; nothing is read after it */
	ACT_SAY,
	ACT_DRIP,		/* an octet a tick */
	ACT_PAUSE,		/* until the peer has read all of it */
	ACT_HEARD,		/* waits until the caller heard n outcomes */
	ACT_UNTIL,		/* waits until *counter >= n */
	ACT_FIN,
	ACT_RST,
	ACT_AGAIN,		/* from the top */
};

struct step {
	enum act act;
	const char *text;
	unsigned n;
};

#define READ	  { ACT_READ, NULL, 0 }
#define READ_HEAD { ACT_READ_HEAD, NULL, 0 }
#define SAY(t)	  { ACT_SAY, (t), 0 }
#define DRIP(t)	  { ACT_DRIP, (t), 0 }
#define PAUSE	  { ACT_PAUSE, NULL, 0 }
#define HEARD(k)  { ACT_HEARD, NULL, (k) }
#define UNTIL(k)  { ACT_UNTIL, NULL, (k) }
#define FIN	  { ACT_FIN, NULL, 0 }
#define RST	  { ACT_RST, NULL, 0 }
#define AGAIN	  { ACT_AGAIN, NULL, 0 }
#define SCRIPT(...) (const struct step[]){ __VA_ARGS__, { ACT_END, NULL, 0 } }

#define ANSWER                                                  \
	"HTTP/1.1 200 OK\r\nX-M2M-RI: %I\r\nX-M2M-RSC: 2000\r\n" \
	"Content-Length: 3\r\n\r\n<%I>"

#define CLOSE_ANSWER                                             \
	"HTTP/1.1 200 OK\r\nX-M2M-RI: %I\r\nConnection: close\r\n" \
	"Content-Length: 3\r\n\r\n<%I>"
#define OLD_ANSWER                           \
	"HTTP/1.1 200 OK\r\nX-M2M-RI: %P\r\n" \
	"Content-Length: 3\r\n\r\n<%P>"
#define HEAD_WITH(lines)                              \
	"HTTP/1.1 200 OK\r\nX-M2M-RI: %I\r\n" lines \
	"Content-Length: 3\r\n\r\n<%I>"
#define TEN(x) x x x x x x x x x x

struct server_conn;

struct server {
	uv_loop_t *loop;
	union {
		uv_handle_t any;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} listen;
	bool closed;
	unsigned port;

	const struct step *const *scripts;
	size_t count;
	const unsigned *heard;
	const uint64_t *counter;
	void *owner;
	/* the request is the first of conn->in */
	void (*on_request)(struct server *s, struct server_conn *conn);

	struct server_conn *conns;
	unsigned accepted, requests;
	struct buf seen;		/* "0a 1b": connection and id */
};

struct server_conn {
	union {
		uv_handle_t any;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} h;
	struct server *s;
	struct server_conn *next;
	unsigned nth;
	const struct step *script, *at;
	size_t dripped;
	unsigned paused;		/* ticks */
	struct buf in, out;
	char id[32], before[32];
	bool closed;
};

static const struct step good_server[] = { READ, SAY(ANSWER), AGAIN };

static inline void server_conn_freed(uv_handle_t *h)
{
	struct server_conn *conn = h->data;

	buf_deinit(&conn->in);
	buf_deinit(&conn->out);
	free(conn);
}

static inline void server_conn_close(struct server_conn *conn, bool reset)
{
	struct server_conn **at = &conn->s->conns;

	while (*at != conn)
		at = &(*at)->next;
	*at = conn->next;
	conn->closed = true;
	if (!reset || conn->h.any.type != UV_TCP ||
	    uv_tcp_close_reset(&conn->h.tcp, server_conn_freed) != 0)
		uv_close(&conn->h.any, server_conn_freed);
}

static inline void server_fill(struct server_conn *conn, const char *text)
{
	buf_clear(&conn->out);
	for (; *text != '\0'; text++) {
		if (text[0] != '%' || (text[1] != 'I' && text[1] != 'P')) {
			buf_add_char(&conn->out, *text);
			continue;
		}
		buf_add_str(&conn->out, str_of(*++text == 'I' ? conn->id :
							conn->before));
	}
}

static inline void server_write(struct server_conn *conn, struct str what)
{
	uv_buf_t b = uv_buf_init((char *)(uintptr_t)what.p,
				 (unsigned)what.len);

	/* the peer may be gone already: that is the script's business */
	uv_try_write(&conn->h.stream, &b, 1);
}

static inline void server_say(struct server_conn *conn, const char *text)
{
	server_fill(conn, text);
	server_write(conn, buf_str(&conn->out));
}

/* True: all is said. */
static inline bool server_drip(struct server_conn *conn, const char *text)
{
	server_fill(conn, text);
	server_write(conn, (struct str){ conn->out.p + conn->dripped, 1 });
	if (++conn->dripped < conn->out.len)
		return false;
	conn->dripped = 0;
	return true;
}

/* Where the first head ends, 0: not yet. */
static inline size_t server_head_len(const struct server_conn *conn)
{
	for (size_t i = 3; i < conn->in.len; i++)
		if (memcmp(conn->in.p + i - 3, "\r\n\r\n", 4) == 0)
			return i + 1;
	return 0;
}

static inline struct str server_header(const struct server_conn *conn,
				       size_t head, const char *name)
{
	struct str rest = { conn->in.p, head }, line, n, value;

	while (rest.len > 0) {
		str_cut(rest, '\n', &line, &rest);
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (str_cut(line, ':', &n, &value) && str_ieq(n, str_of(name)))
			return str_trim(value);
	}
	return (struct str){ NULL, 0 };
}

static inline bool server_take_request(struct server_conn *conn,
				       bool head_only)
{
	struct server *s = conn->s;
	size_t head = server_head_len(conn);
	uint64_t body = 0;
	struct str id;

	if (head == 0)
		return false;
	if (!str_to_u64(&body, server_header(conn, head, "Content-Length")))
		body = 0;
	if (!head_only && conn->in.len - head < body)
		return false;
	id = server_header(conn, head, "X-M2M-RI");
	ck_assert_uint_lt(id.len, sizeof(conn->id));
	memcpy(conn->before, conn->id, sizeof(conn->id));
	memset(conn->id, 0, sizeof(conn->id));
	if (id.len > 0)
		memcpy(conn->id, id.p, id.len);
	if (conn->before[0] == '\0')
		memcpy(conn->before, conn->id, sizeof(conn->id));
	if (s->seen.len > 0)
		buf_add_char(&s->seen, ' ');
	buf_add_u64(&s->seen, conn->nth);
	buf_add_str(&s->seen, id);
	s->requests++;
	if (s->on_request != NULL)
		s->on_request(s, conn);
	if (head_only)
		uv_read_stop(&conn->h.stream);
	else
		buf_consume(&conn->in, head + body);
	return true;
}

/* True: go on with the next step. */
static inline bool server_step(struct server_conn *conn)
{
	const struct step *at = conn->at;

	switch (at->act) {
	case ACT_END:
		return false;
	case ACT_READ:
		return server_take_request(conn, false);
	case ACT_READ_HEAD:
		return server_take_request(conn, true);
	case ACT_SAY:
		server_say(conn, at->text);
		return true;
	case ACT_DRIP:
		return server_drip(conn, at->text);
	case ACT_PAUSE:
		if (conn->paused < 2)
			return false;
		conn->paused = 0;
		return true;
	case ACT_HEARD:
		return *conn->s->heard >= at->n;
	case ACT_UNTIL:
		return *conn->s->counter >= at->n;
	case ACT_FIN:
	case ACT_RST:
		server_conn_close(conn, at->act == ACT_RST);
		return false;
	case ACT_AGAIN:
		conn->at = conn->script - 1;
		return true;
	}
	return false;
}

static inline void server_play(struct server_conn *conn)
{
	while (server_step(conn))
		conn->at++;
}

/* To be called now and then: scripts wait for what others do. */
static inline void server_tick(struct server *s)
{
	struct server_conn *conn, *next;

	for (conn = s->conns; conn != NULL; conn = next) {
		next = conn->next;
		if (conn->at->act == ACT_PAUSE)
			conn->paused++;
		server_play(conn);
	}
}

static inline void server_alloc(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
	(void)h;
	*b = uv_buf_init(malloc(hint), (unsigned)hint);
}

static inline void server_on_read(uv_stream_t *h, ssize_t n,
				  const uv_buf_t *b)
{
	struct server_conn *conn = h->data;

	if (n > 0)
		buf_add(&conn->in, b->base, (size_t)n);
	free(b->base);
	if (conn->closed)
		return;
	if (n < 0)
		server_conn_close(conn, false);
	else
		server_play(conn);
}

static inline void server_on_connection(uv_stream_t *h, int status)
{
	struct server *s = h->data;
	struct server_conn *conn = calloc(1, sizeof(*conn));

	ck_assert_int_eq(status, 0);
	if (h->type == UV_TCP)
		uv_tcp_init(s->loop, &conn->h.tcp);
	else
		uv_pipe_init(s->loop, &conn->h.pipe, 0);
	conn->h.any.data = conn;
	conn->s = s;
	conn->next = s->conns;
	s->conns = conn;
	ck_assert_int_eq(uv_accept(h, &conn->h.stream), 0);
	if (h->type == UV_TCP)
		uv_tcp_nodelay(&conn->h.tcp, 1);
	conn->nth = s->accepted++;
	conn->script = conn->nth < s->count ? s->scripts[conn->nth] : NULL;
	if (conn->script == NULL)
		conn->script = good_server;
	conn->at = conn->script;
	uv_read_start(&conn->h.stream, server_alloc, server_on_read);
	server_play(conn);
}

static inline void server_listen_unix(struct server *s, uv_loop_t *loop,
				      const char *path)
{
	s->loop = loop;
	uv_pipe_init(loop, &s->listen.pipe, 0);
	s->listen.any.data = s;
	ck_assert_int_eq(uv_pipe_bind(&s->listen.pipe, path), 0);
	ck_assert_int_eq(uv_listen(&s->listen.stream, 64,
				   server_on_connection), 0);
}

/* 0, or why this host has no such address. */
static inline int server_listen_port(struct server *s, uv_loop_t *loop,
				     const char *host, unsigned port)
{
	struct sockaddr_storage addr;
	int len = sizeof(addr), err;

	s->loop = loop;
	if (uv_ip4_addr(host, (int)port, (struct sockaddr_in *)&addr) != 0)
		ck_assert_int_eq(uv_ip6_addr(host, (int)port,
					     (struct sockaddr_in6 *)&addr), 0);
	uv_tcp_init(loop, &s->listen.tcp);
	s->listen.any.data = s;
	err = uv_tcp_bind(&s->listen.tcp, (struct sockaddr *)&addr, 0);
	if (err == 0)
		err = uv_listen(&s->listen.stream, 64, server_on_connection);
	if (err)
		return err;
	uv_tcp_getsockname(&s->listen.tcp, (struct sockaddr *)&addr, &len);
	s->port = ntohs(((struct sockaddr_in *)&addr)->sin_port);
	return 0;
}

static inline int server_listen(struct server *s, uv_loop_t *loop,
				const char *host)
{
	return server_listen_port(s, loop, host, 0);
}

/* Later connects are refused. */
static inline void server_stop_listening(struct server *s)
{
	if (!s->closed)
		uv_close(&s->listen.any, NULL);
	s->closed = true;
}

/* The loop must run once more. */
static inline void server_close(struct server *s)
{
	server_stop_listening(s);
	while (s->conns != NULL)
		server_conn_close(s->conns, false);
	buf_deinit(&s->seen);
}

#endif
