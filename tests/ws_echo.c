/*
 * ws-echo --listen ADDR:PORT [--max-message OCTETS] [--max-fragments N]
 *
 * Sends every WebSocket message back: the gateway's own net, http and ws
 * modules with nothing behind them, for conformance suites and benchmarks.
 * Prints `ready PORT` when it listens. SIGTERM ends it.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/http_server.h"
#include "net/addr.h"
#include "net/listener.h"
#include "ws/ws_handshake.h"
#include "ws/ws_session.h"

#define MAX_QUEUE_FACTOR 4	/* of a message, for pipelining clients */

LIST_HEAD(echo_conns, echo_conn);

struct echo {
	struct echo_conns conns;
	struct reactor *reactor;
	struct ws_pool *pool;
	struct ws_conf ws;
	struct http_server_conf http;
	struct ws_handshake_conf handshake;
	size_t max_queue;
};

/* First HTTP, then WebSocket. */
struct echo_conn {
	struct echo *echo;
	LIST_ENTRY(echo_conn) link;
	struct http_server *http;
	struct ws_session *ws;
};

static void conn_free(struct echo_conn *c)
{
	LIST_REMOVE(c, link);
	http_server_destroy(c->http);
	ws_session_destroy(c->ws);
	free(c);
}

static void on_message(void *owner, struct str message, bool text)
{
	struct echo_conn *c = owner;

	if (ws_session_send(c->ws, message, text) != 0)
		ws_session_close(c->ws, WS_CLOSE_POLICY, STR("slow reader"));
}

static void on_close(void *owner, unsigned code)
{
	(void)code;
	conn_free(owner);
}

static const struct ws_session_ops ws_ops = {
	.on_message = on_message,
	.on_close = on_close,
};

static void upgrade(struct echo_conn *c, const struct ws_handshake *h)
{
	struct buf head = { 0 };
	struct http_server *http = c->http;
	struct stream *stream;
	struct str rest;
	int err;

	ws_handshake_write(&head, h);
	stream = http_server_give_stream(http, &rest);
	stream_set_max_queue(stream, c->echo->max_queue);
	err = stream_write(stream, buf_str(&head));
	buf_deinit(&head);
	if (err) {
		stream_destroy(stream);
		conn_free(c);
		return;
	}
	if (ws_session_create(&c->ws, c->echo->pool, stream, &ws_ops, c) !=
	    0) {
		conn_free(c);
		return;
	}
	c->http = NULL;
	ws_session_feed(c->ws, rest);
	http_server_destroy(http);	/* rest lay in its buffer */
}

static void on_request(void *owner, const struct http_msg *req)
{
	struct echo_conn *c = owner;
	struct ws_handshake h;
	const char *why;
	int status = ws_handshake_check(&h, &why, req, &c->echo->handshake);

	if (status == 101)
		upgrade(c, &h);
	else if (http_server_respond_status(
			 c->http, status, ws_handshake_refusal_headers(status),
			 true) != 0)
		conn_free(c);
}

static void on_http_end(void *owner, int status)
{
	(void)status;
	conn_free(owner);
}

static const struct http_server_ops http_ops = {
	.on_request = on_request,
	.on_end = on_http_end,
};

static void on_connection(void *owner, int fd)
{
	struct echo *echo = owner;
	struct echo_conn *c = calloc(1, sizeof(*c));
	struct stream *stream;

	if (c == NULL) {
		close(fd);
		return;
	}
	c->echo = echo;
	LIST_INSERT_HEAD(&echo->conns, c, link);
	if (stream_accept(&stream, echo->reactor, fd, 65536, NULL, NULL) !=
		    0 ||
	    http_server_create(&c->http, stream, &echo->http, &http_ops, c) !=
		    0)
		conn_free(c);
}

static void on_refused(void *owner, int err)
{
	(void)owner;
	fprintf(stderr, "ws-echo: accept: %s\n", err_text(err));
}

static const struct listener_ops listener_ops = {
	.on_connection = on_connection,
	.on_refused = on_refused,
};

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	uv_stop(handle->loop);
}

static uint64_t number_arg(const char *text)
{
	uint64_t n;

	if (!str_to_u64(&n, str_of(text)) || n == 0) {
		fprintf(stderr, "ws-echo: not a number: %s\n", text);
		exit(2);
	}
	return n;
}

static void parse_arguments(struct echo *echo, struct sockaddr_storage *addr,
			    int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "max-message", required_argument, NULL, 'm' },
		{ "max-fragments", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'm') {
			echo->ws.max_message = (size_t)number_arg(optarg);
		} else if (c == 'f') {
			echo->ws.max_fragments = (unsigned)number_arg(optarg);
		} else if (c != 'l' || addr_parse(addr, str_of(optarg)) != 0) {
			fprintf(stderr,
				"usage: ws-echo --listen ADDR:PORT "
				"[--max-message N] [--max-fragments N]\n");
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct echo echo = {
		.ws = { .max_message = 64 << 20,
			.max_unfinished = SIZE_MAX / 2,
			.max_fragments = 1 << 20,
			.message_timeout_ms = 60000,
			.pong_timeout_ms = 20000,
			.close_timeout_ms = 5000 },
		.http = { .limits = { .max_head = 16384, .max_headers = 100 },
			  .head_timeout_ms = 10000,
			  .idle_timeout_ms = 10000 },
		.handshake = { .any_subprotocol = true },
	};
	struct sockaddr_storage addr = { 0 };
	struct listener *listener;
	uv_signal_t term;
	int err;

	parse_arguments(&echo, &addr, argc, argv);
	echo.max_queue = echo.ws.max_message * MAX_QUEUE_FACTOR;
	err = reactor_create(&echo.reactor);
	if (!err)
		err = ws_pool_create(&echo.pool, echo.reactor, &echo.ws);
	if (!err)
		err = listener_create(&listener, echo.reactor,
				      (const struct sockaddr *)&addr, false,
				      &listener_ops, &echo);
	if (err) {
		fprintf(stderr, "ws-echo: %s\n", err_text(err));
		return 1;
	}
	uv_signal_init(reactor_loop(echo.reactor), &term);
	uv_signal_start(&term, on_signal, SIGTERM);
	printf("ready %u\n", listener_port(listener));
	fflush(stdout);
	reactor_run(echo.reactor);
	listener_destroy(listener);
	while (!LIST_EMPTY(&echo.conns))
		conn_free(LIST_FIRST(&echo.conns));
	ws_pool_destroy(echo.pool);
	reactor_destroy(echo.reactor);
	return 0;
}
