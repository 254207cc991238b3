#include "ctl_ask.h"

#include <stdio.h>
#include <uv.h>

#include "http/http_client.h"

#define ANSWER_MAX (64u << 20)

struct ask {
	struct http_call call;
	struct reactor *r;		/* owned */
	struct ctl_answer *out;
	int err;
};

static void on_response(struct http_call *call, const struct http_msg *msg)
{
	struct ask *a = container_of(call, struct ask, call);

	a->out->status = msg->status;
	buf_add_str(&a->out->body, msg->body);
	a->err = a->out->body.failed ? UV_ENOMEM : 0;
	reactor_stop(a->r);
}

static void on_fail(struct http_call *call, int err)
{
	struct ask *a = container_of(call, struct ask, call);

	a->err = err;
	reactor_stop(a->r);
}

static int send_and_wait(struct ask *a, struct http_client *client,
			 const char *method, struct str path)
{
	struct buf head = { 0 };
	int err;

	buf_add_str(&head, str_of(method));
	buf_add_char(&head, ' ');
	buf_add_str(&head, path);
	buf_add_lit(&head, " HTTP/1.1\r\nHost: m2mwsd\r\n\r\n");
	err = head.failed ? UV_ENOMEM :
			    http_client_send(client, &a->call, buf_str(&head),
					     STR(""), false);
	buf_deinit(&head);
	if (!err) {
		reactor_run(a->r);
		err = a->err;
	}
	return err;
}

int ctl_ask(struct ctl_answer *out, const char *socket, const char *method,
	    struct str path)
{
	static const struct http_call_ops ops = { on_response, on_fail };
	const struct http_client_conf conf = {
		.unix_path = socket,
		.connections = 1,
		.connect_timeout_ms = 5000,
		.max_waiting = 65536,
		.limits = { 8192, 64, ANSWER_MAX },
	};
	struct ask a = { .call.ops = &ops, .out = out };
	struct http_client *client = NULL;
	int err = reactor_create(&a.r);

	if (err)
		return err;
	err = http_client_create(&client, a.r, &conf);
	if (!err)
		err = send_and_wait(&a, client, method, path);
	http_client_destroy(client);
	http_call_deinit(&a.call);
	reactor_destroy(a.r);
	return err;
}

void ctl_ask_complain(const char *socket, int err)
{
	const char *hint = "";

	if (err == UV_ENOENT || err == UV_ECONNREFUSED)
		hint = "; is m2mwsd running, with this [admin] socket?";
	else if (err == UV_EACCES)
		hint = "; who may use it is in its group";
	fprintf(stderr, "m2mwsctl: %s: %s%s\n", socket, err_text(err), hint);
}
