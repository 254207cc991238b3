#define _GNU_SOURCE	/* memmem */
#include "ctl_trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "ctl_ask.h"
#include "ctl_show.h"
#include "ctl_table.h"
#include "net/stream.h"

#define HEAD_MAX  16384
#define CHUNK_MAX (16u << 20)
#define SIZE_DIGITS 16		/* of a chunk's size, zeros in front too */

/* ---- chunks ---- */

/* Where the first CRLF is, or len. */
static size_t line_end(struct str s)
{
	const char *p = s.len > 1 ? memmem(s.p, s.len, "\r\n", 2) : NULL;

	return p != NULL ? (size_t)(p - s.p) : s.len;
}

/* The octets of the head, 0: not whole. */
static size_t head_size(struct str s)
{
	const char *p = s.len > 3 ? memmem(s.p, s.len, "\r\n\r\n", 4) : NULL;

	return p != NULL ? (size_t)(p - s.p) + 4 : 0;
}

/* HTTP/1.1 200 OK */
static int take_head(struct ctl_chunks *c)
{
	struct str s = buf_str(&c->kept);
	size_t n = head_size(s);
	uint64_t status;

	if (n == 0)
		return s.len >= HEAD_MAX ? ERR_PROTO : 0;
	if (n > HEAD_MAX || n < 16 || !str_starts(s, STR("HTTP/1.1 ")) ||
	    !str_to_u64(&status, (struct str){ s.p + 9, 3 }) || status < 100)
		return ERR_PROTO;
	c->status = (int)status;
	buf_consume(&c->kept, n);
	return 0;
}

static bool read_size(size_t *out, struct str hex)
{
	*out = 0;
	for (size_t i = 0; i < hex.len; i++) {
		char low = (char)(hex.p[i] | 0x20);
		int digit = hex.p[i] >= '0' && hex.p[i] <= '9' ?
				    hex.p[i] - '0' :
			    low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;

		if (digit < 0 || *out > CHUNK_MAX)
			return false;
		*out = *out << 4 | (size_t)digit;
	}
	return hex.len > 0 && hex.len <= SIZE_DIGITS && *out <= CHUNK_MAX;
}

/* 1: took one; 0: it is not whole. */
static int take_chunk(struct ctl_chunks *c,
		      void (*on_lines)(void *arg, struct str lines), void *arg)
{
	struct str s = buf_str(&c->kept);
	size_t at = line_end(s), size;

	if (at == s.len)
		return s.len > SIZE_DIGITS + 1 ? ERR_PROTO : 0;
	if (!read_size(&size, (struct str){ s.p, at }))
		return ERR_PROTO;
	if (s.len < at + 2 + size + 2)
		return 0;
	c->ended = size == 0;
	if (!c->ended)
		on_lines(arg, (struct str){ s.p + at + 2, size });
	buf_consume(&c->kept, at + 2 + size + 2);
	return 1;
}

int ctl_chunks_feed(struct ctl_chunks *c, struct str octets,
		    void (*on_lines)(void *arg, struct str lines), void *arg)
{
	int err = 0;

	buf_add_str(&c->kept, octets);
	if (c->kept.failed)
		return UV_ENOMEM;
	if (c->status == 0)
		err = take_head(c);
	if (err || c->status != 200)
		return err;		/* what it says instead is kept */
	do
		err = c->ended ? 0 : take_chunk(c, on_lines, arg);
	while (err == 1);
	return err;
}

/* ---- what passes ---- */

struct tracing {
	const struct ctl_args *args;	/* borrowed */
	struct reactor *r;		/* owned, as all below */
	struct stream *stream;
	struct ctl_chunks chunks;
	int err;
};

static void show_time(double at)
{
	time_t seconds = (time_t)at;
	struct tm tm;
	char text[16];

	if (localtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%H:%M:%S", &tm) == 0)
		return;
	printf("%s.%03d", text, (int)((at - (double)seconds) * 1000));
}

static void show_prim(const json_t *prim)
{
	char *text = json_dumps(prim, JSON_COMPACT | JSON_REAL_PRECISION(15));
	struct buf out = { 0 };

	if (text != NULL)
		ctl_add_visible(&out, str_of(text));
	fwrite(out.p, 1, out.len, stdout);
	buf_deinit(&out);
	free(text);
}

static void show_line(struct str line)
{
	json_t *obj = json_loadb(line.p, line.len, 0, NULL);
	int64_t dropped = json_integer_value(json_object_get(obj, "dropped"));
	const char *dir = json_string_value(json_object_get(obj, "dir"));

	if (dropped > 0)
		printf("%" PRId64 " missing\n", dropped);
	show_time(json_number_value(json_object_get(obj, "at")));
	printf(" %6" PRId64 " %s ",
	       (int64_t)json_integer_value(json_object_get(obj, "sid")),
	       dir != NULL && strcmp(dir, "in") == 0 ? ">" : "<");
	show_prim(json_object_get(obj, "prim"));
	putchar('\n');
	json_decref(obj);
}

static void on_lines(void *arg, struct str lines)
{
	const struct tracing *t = arg;
	struct str line;

	if (t->args->json)
		fwrite(lines.p, 1, lines.len, stdout);
	while (!t->args->json && lines.len > 0) {
		(void)str_cut(lines, '\n', &line, &lines);
		show_line(line);
	}
	fflush(stdout);
}

static void finish(struct tracing *t, int err)
{
	t->err = err;
	reactor_stop(t->r);
}

static void on_data(void *owner, const char *data, size_t len)
{
	struct tracing *t = owner;
	int err = ctl_chunks_feed(&t->chunks, (struct str){ data, len },
				  on_lines, t);

	if (err || t->chunks.ended)
		finish(t, err);
}

static void on_end(void *owner, int err)
{
	struct tracing *t = owner;

	finish(t, t->chunks.status != 0 ? 0 : err);
}

static void on_connect(void *owner)
{
	struct tracing *t = owner;
	struct buf head = { 0 };
	int err;

	buf_add_lit(&head, "GET ");
	ctl_args_write_path(&head, t->args);
	buf_add_lit(&head, " HTTP/1.1\r\nHost: m2mwsd\r\n"
			   "Connection: close\r\n\r\n");
	err = head.failed ? UV_ENOMEM :
			    stream_write(t->stream, buf_str(&head));
	buf_deinit(&head);
	if (err)
		finish(t, err);
}

static const struct stream_ops ops = {
	.on_data = on_data,
	.on_end = on_end,
	.on_connect = on_connect,
};

static int tell_end(const struct tracing *t)
{
	json_t *body;
	const char *why;

	if (t->err) {
		ctl_ask_complain(t->args->socket, t->err);
		return CTL_FAILED;
	}
	if (t->chunks.status == 200)
		return CTL_FINE;
	body = json_loadb(t->chunks.kept.p, t->chunks.kept.len, 0, NULL);
	why = json_string_value(json_object_get(body, "error"));
	ctl_complain(why != NULL ? why : "no trace", NULL);
	json_decref(body);
	return CTL_FAILED;
}

int ctl_trace(const struct ctl_args *args)
{
	struct tracing t = { .args = args };
	int status = CTL_FAILED;

	if (reactor_create(&t.r) != 0)
		return CTL_FAILED;
	t.err = stream_connect_unix(&t.stream, t.r, args->socket, 65536, &ops,
				    &t);
	if (!t.err)
		reactor_run(t.r);
	status = tell_end(&t);
	stream_destroy(t.stream);
	reactor_destroy(t.r);
	buf_deinit(&t.chunks.kept);
	return status;
}
