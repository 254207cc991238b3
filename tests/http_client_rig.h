#ifndef HTTP_CLIENT_RIG_H
#define HTTP_CLIENT_RIG_H

#include "http/http_client.h"

#include <signal.h>
#include <stdio.h>

#include "scripted_server.h"
#include "unit.h"

/*
 * The caller follows a program of one-letter orders, each with an argument:
 *   +a  send a repeatable request with id a      *a  one that is not
 *   %a  as + but of a sender with many others pending
 *   $a1 as + but of sender 1
 *   -a  cancel                                   !   destroy the client
 *   =2  wait until two outcomes were heard       ~1  until one was read there
 *   .   wait until no connection is open         o1  until one is
 *   X   the server stops listening
 */
#define IDS 26

struct run;

struct one {
	struct http_call call;
	struct run *run;
	char id[8];
	bool pending;
};

struct run {
	struct reactor *r;
	struct http_client *c;
	struct http_client_conf conf;
	struct server server;
	uv_timer_t tick;

	const char *program;
	struct one ones[IDS];
	unsigned heard, pending;
	struct buf log;
	struct http_client_counters counters;	/* at the end */

	char on_id;			/* whose outcome makes us obey then */
	const char *then;
};

static inline void obey(struct run *run, const char *order);

static inline const char *err_name(int err)
{
	switch (err) {
	case ERR_PROTO:
		return "PROTO";
	case ERR_LIMIT:
		return "LIMIT";
	case UV_ECONNRESET:
		return "RESET";
	case UV_ECONNREFUSED:
		return "REFUSED";
	case UV_EHOSTUNREACH:
		return "UNREACH";
	case UV_EMFILE:
		return "EMFILE";
	default:
		return uv_err_name(err);
	}
}

static inline void note(struct run *run, const char *id, const char *what)
{
	if (run->log.len > 0)
		buf_add_char(&run->log, ' ');
	buf_add_str(&run->log, str_of(id));
	buf_add_str(&run->log, str_of(what));
}

static inline void note_outcome(struct one *one)
{
	struct run *run = one->run;

	ck_assert_msg(one->pending, "%s heard twice", one->id);
	one->pending = false;
	run->pending--;
	run->heard++;
	if (run->then != NULL && run->on_id == one->id[0]) {
		const char *then = run->then;

		run->then = NULL;
		while (*then != '\0') {
			obey(run, then);
			then += strcspn(then, " ");
			then += strspn(then, " ");
		}
	}
}

static inline void on_response(struct http_call *call,
				      const struct http_msg *msg)
{
	struct one *one = container_of(call, struct one, call);
	char what[16];

	note_outcome(one);
	/* what was lent stays good whatever was done meanwhile */
	snprintf(what, sizeof(what), "=%d:", msg->status);
	note(one->run, one->id, what);
	buf_add_str(&one->run->log, msg->body);
}

static inline void on_fail(struct http_call *call, int err)
{
	struct one *one = container_of(call, struct one, call);

	note(one->run, one->id, "!");
	buf_add_str(&one->run->log, str_of(err_name(err)));
	note_outcome(one);
}

static const struct http_call_ops call_ops = {
	.on_response = on_response,
	.on_fail = on_fail,
};

static inline void send_one(struct run *run, struct one *one, size_t body_len,
		     bool repeatable)
{
	unsigned before = run->heard;
	struct buf body = { 0 };
	char head[200];
	int err;

	snprintf(head, sizeof(head),
		 "%s / HTTP/1.1\r\nHost: cse\r\nX-M2M-RI: %s\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 repeatable ? "GET" : "POST", one->id, body_len);
	ck_assert(buf_reserve(&body, body_len + 1));
	memset(body.p, 'x', body_len);
	one->run = run;
	one->call.ops = &call_ops;
	one->call.echo = str_of(one->id);
	err = http_client_send(run->c, &one->call, str_of(head),
			       (struct str){ body.p, body_len }, repeatable);
	buf_deinit(&body);
	ck_assert_uint_eq(before, run->heard);
	if (err) {
		note(run, one->id, "?");
		buf_add_str(&run->log, str_of(err_name(err)));
		return;
	}
	one->pending = true;
	run->pending++;
}

static inline struct one *one_of(struct run *run, char id)
{
	struct one *one = &run->ones[id - 'a'];

	ck_assert(id >= 'a' && id <= 'z');
	one->id[0] = id;
	return one;
}

static inline void cancel_one(struct run *run, struct one *one)
{
	http_client_cancel(run->c, &one->call);
	if (one->pending)
		run->pending--;
	one->pending = false;
}

static inline void destroy_client(struct run *run)
{
	if (run->c == NULL)
		return;
	run->counters = *http_client_counters(run->c);
	http_client_destroy(run->c);
	run->c = NULL;
	run->pending = 0;
}

static inline void obey(struct run *run, const char *order)
{
	switch (order[0]) {
	case '+':
		send_one(run, one_of(run, order[1]), 0, true);
		break;
	case '%':
		one_of(run, order[1])->call.others = 20;
		send_one(run, one_of(run, order[1]), 0, true);
		break;
	case '$':
		one_of(run, order[1])->call.sender = (uint64_t)(order[2] - '0');
		send_one(run, one_of(run, order[1]), 0, true);
		break;
	case '*':
		send_one(run, one_of(run, order[1]), 3, false);
		break;
	case '#':
		send_one(run, one_of(run, order[1]), 32 << 20, false);
		break;
	case '-':
		cancel_one(run, one_of(run, order[1]));
		break;
	case '!':
		destroy_client(run);
		break;
	case 'X':
		server_stop_listening(&run->server);
		break;
	default:
		ck_abort_msg("no such order: %s", order);
	}
}

/* True: order is a wait, and not over. */
static inline bool must_wait(const struct run *run, const char *order)
{
	unsigned n = (unsigned)strtoul(order + 1, NULL, 10);

	switch (order[0]) {
	case '=':
		return run->heard < n;
	case '~':
		return run->server.requests < n;
	case 'o':
		return http_client_counters(run->c)->open < n;
	case '.':
		return http_client_counters(run->c)->open > 0;
	default:
		return false;
	}
}

static inline bool is_wait(const char *order)
{
	return strchr("=~o.", order[0]) != NULL;
}

static inline void on_tick(uv_timer_t *timer)
{
	struct run *run = timer->data;

	server_tick(&run->server);
	while (*run->program != '\0') {
		if (must_wait(run, run->program))
			return;
		if (!is_wait(run->program))
			obey(run, run->program);
		run->program += strcspn(run->program, " ");
		run->program += strspn(run->program, " ");
	}
	if (run->pending == 0)
		reactor_stop(run->r);
}

static inline void run_init(struct run *run)
{
	*run = (struct run){
		.conf = {
			.connections = 4,
			.connect_timeout_ms = 1000,
			.keepalive_ms = 60000,
			.max_waiting = 1 << 30,
			.echo_header = "X-M2M-RI",
			.limits = { 500, 20, 100 },
		},
		.program = "",
	};
	ck_assert_int_eq(reactor_create(&run->r), 0);
	uv_timer_init(reactor_loop(run->r), &run->tick);
	run->tick.data = run;
	run->server.heard = &run->heard;
}

static inline void run_listen(struct run *run, const char *host)
{
	ck_assert_int_eq(server_listen(&run->server, reactor_loop(run->r),
				       host), 0);
	run->conf.port = run->server.port;
	run->conf.host = host;
}

static inline void run_create(struct run *run)
{
	ck_assert_int_eq(http_client_create(&run->c, run->r, &run->conf), 0);
	run->server.counter = &http_client_counters(run->c)->connect_failed;
}

static inline void run_go(struct run *run)
{
	uv_timer_start(&run->tick, on_tick, 1, 1);
	reactor_run(run->r);
	uv_close((uv_handle_t *)&run->tick, NULL);
	destroy_client(run);
}

static inline void run_end(struct run *run)
{
	server_close(&run->server);
	for (size_t i = 0; i < IDS; i++)
		http_call_deinit(&run->ones[i].call);
	buf_deinit(&run->log);
	reactor_destroy(run->r);
}

static inline void check_log(const char *name, const char *what,
			     struct buf *log, const char *want)
{
	buf_add_char(log, '\0');
	ck_assert_msg(strcmp(log->p, want) == 0, "%s: %s\n got: %s\nwant: %s",
		      name, what, log->p, want);
}

#endif
