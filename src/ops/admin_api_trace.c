/*
 * The connection is given away by HTTP and is a trace's from then on. Lines are
 * taken when those before have left: who reads slowly fills the trace's own
 * buffer, which is bounded and counts what it drops.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin_priv.h"
#include "gateway/trace.h"

#define HEAD                                                                \
	"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"         \
	"Cache-Control: no-store\r\nTransfer-Encoding: chunked\r\n"         \
	"Connection: close\r\n\r\n"

struct admin_trace {
	LIST_ENTRY(admin_trace) link;
	struct admin *admin;		/* borrowed */
	struct stream *stream;		/* owned, as the next one */
	struct trace *trace;
};

static void end(struct admin_trace *t)
{
	trace_destroy(t->trace);
	stream_release(t->stream);
	t->admin->count--;
	LIST_REMOVE(t, link);
	free(t);
}

static int write_chunk(struct admin_trace *t, struct str lines)
{
	char size[24];
	int len = snprintf(size, sizeof(size), "%zx\r\n", lines.len);
	int err = stream_reserve(t->stream, lines.len + (size_t)len + 2);

	if (!err)
		err = stream_write(t->stream, (struct str){ size,
							    (size_t)len });
	if (!err)
		err = stream_write(t->stream, lines);
	return err ? err : stream_write(t->stream, STR("\r\n"));
}

static void pass_on(struct admin_trace *t)
{
	struct buf lines = { 0 };
	int err = 0;

	if (stream_queued(t->stream) > 0)
		return;			/* on_drain() comes */
	trace_take(t->trace, &lines);
	if (lines.failed)
		err = UV_ENOMEM;
	else if (lines.len > 0)
		err = write_chunk(t, buf_str(&lines));
	buf_deinit(&lines);
	if (err)
		end(t);
}

static void on_lines(void *owner)
{
	pass_on(owner);
}

static void on_drain(void *owner)
{
	pass_on(owner);
}

/* Nothing more is asked on such a connection. */
static void on_data(void *owner, const char *data, size_t len)
{
	(void)owner;
	(void)data;
	(void)len;
}

static void on_end(void *owner, int err)
{
	(void)err;
	end(owner);
}

static const struct stream_ops ops = {
	.on_data = on_data,
	.on_end = on_end,
	.on_drain = on_drain,
};

/* From here on it is no connection of HTTP any more. */
static void take_stream(struct admin_trace *t, struct admin_conn *c)
{
	struct str rest;

	t->admin = c->admin;
	t->admin->count++;
	LIST_INSERT_HEAD(&t->admin->traces, t, link);
	t->stream = http_server_give_stream(c->http, &rest);
	stream_set_owner(t->stream, &ops, t);
	admin_conn_end(c);
	if (stream_write(t->stream, STR(HEAD)) != 0)
		end(t);
}

void admin_trace(struct admin_conn *c)
{
	struct buf space = { 0 };
	struct str originator = STR("");
	struct admin_trace *t = calloc(1, sizeof(*t));
	int err = UV_ENOMEM;

	(void)admin_query(&originator, &space, c, "originator");
	if (t != NULL)
		err = gateway_trace(&t->trace, c->admin->gw, originator,
				    on_lines, t);
	buf_deinit(&space);
	if (!err) {
		take_stream(t, c);
		return;
	}
	free(t);
	if (err == UV_EINVAL)
		admin_fail(c, 400, "originator is no id of an AE or CSE");
	else
		admin_fail_err(c, err);
}

void admin_end_traces(struct admin *a)
{
	struct admin_trace *t;

	while ((t = LIST_FIRST(&a->traces)) != NULL) {
		(void)!stream_write(t->stream, STR("0\r\n\r\n"));
		end(t);
	}
}
