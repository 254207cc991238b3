/*
 * A stand-in for an HTTP CSE, for demonstrations and tests: a tree of resources
 * in memory, with CREATE, RETRIEVE, UPDATE, DELETE and discovery over the HTTP
 * binding. It is no CSE: it checks no privilege, notifies nobody and forgets
 * everything when it ends.
 *
 *	standin-cse [--listen ADDR:PORT] [--cse-id /id-in] [--cse-name cse-in]
 *
 * It prints `ready PORT` when it listens. A request is answered within
 * on_request(), so nothing of a request outlives it.
 */
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <uv.h>

#include "backend/http_map.h"
#include "http/http_server.h"
#include "net/addr.h"
#include "net/listener.h"
#include "standin_cse/operations.h"

#define MAX_QUEUE (1 << 20)

struct cse {
	struct tree tree;

	struct reactor *r;
	struct http_server_conf http;
	struct http_map_conf map;
	LIST_HEAD(, client) clients;
};

struct client {
	struct cse *cse;
	struct http_server *http;	/* owned */
	LIST_ENTRY(client) link;
};

static void client_destroy(struct client *c)
{
	LIST_REMOVE(c, link);
	http_server_destroy(c->http);
	free(c);
}

/* The whole HTTP response to req in out. */
static int write_answer(struct buf *out, const struct answer *a,
			const struct prim *req, bool close)
{
	struct prim p = { .kind = PRIM_RESPONSE, .rsc = a->rsc };
	char *text = NULL;
	int err;

	if (a->content != NULL)
		text = json_dumps(a->content, JSON_COMPACT);
	if (text != NULL)
		p.content = str_of(text);
	if (prim_has(req, PARAM_RQI))
		prim_set_str(&p, PARAM_RQI, prim_text(req, PARAM_RQI));
	if (prim_has(req, PARAM_RVI))
		prim_set_str(&p, PARAM_RVI, prim_text(req, PARAM_RVI));
	err = http_map_write_response(out, &p, close);
	prim_deinit(&p);
	free(text);
	return err;
}

static int rsc_of(int err)
{
	return err == ERR_UNSUPPORTED ? RSC_UNSUPPORTED_MEDIA_TYPE :
					RSC_BAD_REQUEST;
}

static void on_request(void *owner, const struct http_msg *msg)
{
	struct client *c = owner;
	struct cse *cse = c->cse;
	struct prim req = { 0 };
	struct answer a = { 0 };
	struct buf out = { 0 };
	const char *why;
	int err;

	err = http_map_read_request(&req, &why, msg, &cse->map);
	if (err)
		answer_refuse(&a, rsc_of(err), why);
	else
		operation_perform(&a, &cse->tree, &req);
	err = write_answer(&out, &a, &req, !msg->keep_alive);
	json_decref(a.content);
	prim_deinit(&req);
	if (err == 0)
		err = http_server_respond(c->http, buf_str(&out),
					  !msg->keep_alive);
	buf_deinit(&out);
	if (err)
		client_destroy(c);
}

static void on_end(void *owner, int status)
{
	(void)status;
	client_destroy(owner);
}

static const struct http_server_ops http_ops = { on_request, on_end };

static void on_connection(void *owner, int fd)
{
	struct cse *cse = owner;
	struct client *c = calloc(1, sizeof(*c));
	struct stream *stream;

	/* the stream's owner comes with http_server_create() */
	if (c == NULL ||
	    stream_accept(&stream, cse->r, fd, MAX_QUEUE, NULL, NULL) != 0) {
		free(c);
		return;
	}
	c->cse = cse;
	if (http_server_create(&c->http, stream, &cse->http, &http_ops, c)) {
		free(c);
		return;
	}
	LIST_INSERT_HEAD(&cse->clients, c, link);
}

static void on_refused(void *owner, int err)
{
	(void)owner;
	fprintf(stderr, "standin-cse: connection refused: %s\n",
		err_text(err));
}

static const struct listener_ops listener_ops = { on_connection, on_refused };

static void on_signal(uv_signal_t *handle, int number)
{
	struct cse *cse = handle->data;

	(void)number;
	reactor_stop(cse->r);
}

static int watch_signal(struct cse *cse, uv_signal_t *watch, int number)
{
	int err = uv_signal_init(reactor_loop(cse->r), watch);

	watch->data = cse;
	return err ? err : uv_signal_start(watch, on_signal, number);
}

static int serve(struct cse *cse, const char *listen)
{
	uv_signal_t on_term, on_int;
	struct sockaddr_storage addr;
	struct listener *listener;
	int err;

	err = reactor_create(&cse->r);
	if (err)
		return err;
	err = addr_parse(&addr, str_of(listen));
	if (err == 0)
		err = listener_create(&listener, cse->r,
				      (struct sockaddr *)&addr, false,
				      &listener_ops, cse);
	if (err)
		goto destroy_reactor;
	err = watch_signal(cse, &on_term, SIGTERM);
	if (err == 0)
		err = watch_signal(cse, &on_int, SIGINT);
	if (err == 0) {
		printf("ready %u\n", listener_port(listener));
		fflush(stdout);
		reactor_run(cse->r);
	}
	while (!LIST_EMPTY(&cse->clients))
		client_destroy(LIST_FIRST(&cse->clients));
	listener_destroy(listener);

destroy_reactor:
	reactor_destroy(cse->r);
	return err;
}

static const struct option options[] = {
	{ "listen",   required_argument, NULL, 'l' },
	{ "cse-id",   required_argument, NULL, 'i' },
	{ "cse-name", required_argument, NULL, 'n' },
	{ NULL,       0,                 NULL, 0 },
};

int main(int argc, char **argv)
{
	const char *listen = "127.0.0.1:8080", *id = "/id-in", *name = "cse-in";
	struct cse cse = {
		.http = { { 16384, 64, 1 << 20 }, 10000, 60000 },
		.map = { .codec = { 64, 1 << 16 } },
	};
	int c, err;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'l': listen = optarg; break;
		case 'i': id = optarg; break;
		case 'n': name = optarg; break;
		default: return 2;
		}
	}
	err = tree_init(&cse.tree, id, name);
	if (err == 0)
		err = serve(&cse, listen);
	tree_deinit(&cse.tree);
	if (err)
		fprintf(stderr, "standin-cse: %s: %s\n", listen,
			err_text(err));
	return err != 0;
}
