/*
 * HTTP request -> request primitive. Text that has to be made (percent signs
 * resolved, lists and fc as JSON) goes to the primitive's store, which gets
 * its room at once so that slices into it stay good.
 */
#include <assert.h>
#include <uv.h>

#include "backend/http_map_priv.h"
#include "base/utf8.h"
#include "m2m/transcode.h"

bool request_fail(struct request_reader *r, int err, const char *why)
{
	if (r->err == 0) {
		r->err = err;
		r->why = why;
	}
	return false;
}

static bool fail(struct request_reader *r, const char *why)
{
	return request_fail(r, ERR_PROTO, why);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* The octet that %XX at i stands for; 0 when it is none or NUL. */
static char octet_at(struct str s, size_t i)
{
	int high, low;

	if (s.len - i < 3)
		return 0;
	high = hex_digit(s.p[i + 1]);
	low = hex_digit(s.p[i + 2]);
	return high < 0 || low < 0 ? 0 : (char)(high * 16 + low);
}

static bool resolve(struct request_reader *r, struct str raw, bool plus)
{
	r->scratch.len = 0;
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.p[i];

		if (c == '%') {
			c = octet_at(raw, i);
			if (c == 0)
				return fail(r, "bad percent-encoding");
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		buf_add_char(&r->scratch, c);
	}
	return !r->scratch.failed || request_fail(r, UV_ENOMEM, "no memory");
}

bool request_decode(struct request_reader *r, struct str *out, struct str raw,
		    bool plus)
{
	*out = raw;
	if (raw.len == 0)
		return true;
	if (memchr(raw.p, '%', raw.len) != NULL ||
	    (plus && memchr(raw.p, '+', raw.len) != NULL)) {
		if (!resolve(r, raw, plus))
			return false;
		*out = buf_str(&r->scratch);
	}
	return utf8_valid(*out) || fail(r, "text is not UTF-8");
}

void request_add_json(struct request_reader *r, struct str text, bool numeric)
{
	if (numeric && http_map_is_number(text))
		buf_add_str(&r->out->store, text);
	else
		buf_add_json(&r->out->store, text);
}

bool request_add_list(struct request_reader *r, struct str text, bool numeric,
		      bool more)
{
	struct str member, rest = text;
	bool cut;

	do {
		cut = str_cut(rest, ' ', &member, &rest);
		if (member.len == 0)
			continue;
		if (more)
			buf_add_char(&r->out->store, ',');
		request_add_json(r, member, numeric);
		more = true;
	} while (cut);
	return more;
}

/* What was added to the store since it was `from` long. */
static struct str made(const struct request_reader *r, size_t from)
{
	return str_skip(buf_str(&r->out->store), from);
}

/* The value of ty among the parameters of a media type, quoted or not. */
static bool find_ty(struct str *out, struct str content_type)
{
	struct str one, rest;

	(void)str_cut(content_type, ';', &one, &rest);
	while (rest.len > 0) {
		(void)str_cut(rest, ';', &one, &rest);
		one = str_trim(one);
		if (!str_istarts(one, STR("ty=")))
			continue;
		*out = str_trim(str_skip(one, 3));
		if (out->len >= 2 && out->p[0] == '"' &&
		    out->p[out->len - 1] == '"')
			*out = (struct str){ out->p + 1, out->len - 2 };
		return true;
	}
	return false;
}

/* TS-0009 6.2.1; only ty tells a CREATE from a NOTIFY. */
static bool read_op(struct request_reader *r)
{
	struct str method = r->msg->method, ty = { NULL, 0 };
	enum op op;

	if (str_eq(method, STR("GET")))
		op = OP_RETRIEVE;
	else if (str_eq(method, STR("PUT")))
		op = OP_UPDATE;
	else if (str_eq(method, STR("DELETE")))
		op = OP_DELETE;
	else if (!str_eq(method, STR("POST")))
		return fail(r, "the method stands for no operation");
	else if (find_ty(&ty, http_msg_header(r->msg, STR("Content-Type"))))
		op = OP_CREATE;
	else
		op = OP_NOTIFY;
	r->out->op = op;
	if (op != OP_CREATE)
		return true;
	if (!utf8_valid(ty))
		return fail(r, "ty is not UTF-8");
	http_map_set_text(r->out, PARAM_TY, ty);
	return true;
}

/* Without base, trailing slashes and the slash that begins it. */
static struct str inner_path(struct str path, struct str base)
{
	if (base.len > 0 && str_starts(path, base) &&
	    (path.len == base.len || path.p[base.len] == '/'))
		path = str_skip(path, base.len);
	while (path.len > 0 && path.p[path.len - 1] == '/')
		path.len--;
	/* tinyIoT has been seen to leave it out */
	if (path.len > 0 && path.p[0] == '/')
		path = str_skip(path, 1);
	return path;
}

/*
 * TS-0009 6.2.2.1 backwards. Nothing after the base leaves `to` absent: the
 * URL itself says who is meant.
 */
static bool read_path(struct request_reader *r, struct str path)
{
	struct buf *store = &r->out->store;
	size_t from = store->len;
	struct str text;

	path = inner_path(path, r->base);
	if (!request_decode(r, &text, path, false))
		return false;
	if (text.len == 0)
		return true;
	if (str_eq(text, STR("~")) || str_starts(text, STR("~/"))) {
		text = str_skip(text, 1);
	} else if (str_eq(text, STR("_")) || str_starts(text, STR("_/"))) {
		text = str_skip(text, 1);
		while (str_starts(text, STR("//")))	/* tinyIoT */
			text = str_skip(text, 1);
		buf_add_char(store, '/');
	}
	buf_add_str(store, text);
	if (store->len > from)
		prim_set_str(r->out, PARAM_TO, made(r, from));
	return true;
}

static void read_joined(struct request_reader *r, enum prim_param id,
			struct str text, char separator)
{
	struct buf *store = &r->out->store;
	size_t from = store->len;
	bool cut, more = false;
	struct str one;

	buf_add_char(store, '[');
	do {
		cut = str_cut(text, separator, &one, &text);
		more = request_add_list(r, one, false, more);
	} while (cut);
	buf_add_char(store, ']');
	prim_set(r->out, id, VALUE_JSON, made(r, from));
}

/* HTTP's own credentials (TS-0009 7.1) share the header with tkns. */
static bool is_http_credential(struct str value)
{
	return str_istarts(value, STR("Basic ")) ||
	       str_istarts(value, STR("Bearer "));
}

static bool read_header(struct request_reader *r, const struct http_header *h)
{
	const struct http_map_header *row =
		http_map_find_header(&http_map_request_headers, h->name);

	if (row == NULL)
		return true;
	if (!utf8_valid(h->value))
		return fail(r, "a header is not UTF-8");
	if (row->shape == HEADER_TARGETS) {
		if (r->targets == NULL)
			r->targets = &h->value;
		return true;
	}
	/* who sent it compares what comes back, and the answer has ASCII only */
	if (row->id == PARAM_RQI && !http_map_is_header_value(h->value))
		return fail(r, "an octet in X-M2M-RI that is not ASCII");
	/* Mobius takes an empty originator for `S` */
	if (h->value.len == 0 && row->id != PARAM_FR)
		return true;
	/* whoever checks one of them may have checked the other */
	if (prim_has(r->out, row->id))
		return row->shape != HEADER_SCALAR ||
		       fail(r, "a header that says one thing comes twice");
	if (row->shape == HEADER_SCALAR)
		http_map_set_text(r->out, row->id, h->value);
	else if (row->id != PARAM_TKNS || !is_http_credential(h->value))
		read_joined(r, row->id, h->value, '+');
	return true;
}

static void add_targets(struct request_reader *r, struct str text)
{
	struct buf *store = &r->out->store;
	struct str one;
	bool cut, more = false;

	buf_add_lit(store, "\"nu\":[");
	do {
		cut = str_cut(text, '&', &one, &text);
		if (one.len == 0)
			continue;
		if (more)
			buf_add_char(store, ',');
		buf_add_json(store, one);
		more = true;
	} while (cut);
	buf_add_char(store, ']');
}

/* Field rt and header X-M2M-RTU -> {"rtv":n,"nu":[...]} */
static bool read_rt(struct request_reader *r)
{
	struct buf *store = &r->out->store;
	size_t from = store->len;
	struct str rtv;

	if (r->rtv.p == NULL && r->targets == NULL)
		return true;
	buf_add_char(store, '{');
	if (r->rtv.p != NULL) {
		if (!request_decode(r, &rtv, r->rtv, true))
			return false;
		buf_add_lit(store, "\"rtv\":");
		request_add_json(r, rtv, true);
	}
	if (r->rtv.p != NULL && r->targets != NULL)
		buf_add_char(store, ',');
	if (r->targets != NULL)
		add_targets(r, *r->targets);
	buf_add_char(store, '}');
	prim_set(r->out, PARAM_RT, VALUE_JSON, made(r, from));
	return true;
}

/* What stands below a GET or DELETE is ignored: Mobius sends {} there. */
static bool read_body(struct request_reader *r, const struct codec_conf *limits)
{
	struct str type = http_msg_header(r->msg, STR("Content-Type"));
	struct str body = r->msg->body;
	enum prim_format format;

	if (r->out->op == OP_RETRIEVE || r->out->op == OP_DELETE ||
	    http_map_trim_json(body).len == 0)
		return true;
	if (!http_map_find_format(&format, type, body))
		return request_fail(r, ERR_UNSUPPORTED,
				    "the body's media type is not supported");
	if (transcode_check(format, body, limits, &r->why))
		return fail(r, r->why);
	r->out->content = body;
	r->out->content_format = format;
	return true;
}

/*
 * An octet of a target takes at most nine in the store: decoded, escaped for
 * JSON, with the commas and quotes of a list member; a field adds its frame.
 */
static size_t room_for(const struct http_msg *msg)
{
	size_t room = 256 + 10 * msg->target.len;

	for (size_t i = 0; i < msg->target.len; i++)
		if (msg->target.p[i] == '&' || msg->target.p[i] == '?')
			room += 48;
	for (size_t i = 0; i < msg->header_count; i++) {
		const struct http_map_header *row = http_map_find_header(
			&http_map_request_headers, msg->headers[i].name);

		if (row != NULL && row->shape != HEADER_SCALAR)
			room += 16 + 9 * msg->headers[i].value.len;
	}
	return room;
}

static bool read_head(struct request_reader *r)
{
	struct str path;

	(void)str_cut(r->msg->target, '?', &path, &r->query);
	if (http_msg_count(r->msg, STR("Content-Type")) > 1)
		return fail(r, "Content-Type comes twice");
	if (!read_op(r) || !read_path(r, path))
		return false;
	for (size_t i = 0; i < r->msg->header_count; i++)
		if (!read_header(r, &r->msg->headers[i]))
			return false;
	return request_read_query(r) && read_rt(r);
}

int http_map_read_request(struct prim *out, const char **why,
			  const struct http_msg *msg,
			  const struct http_map_conf *conf)
{
	struct request_reader r = { .out = out, .msg = msg,
				    .base = conf->base };
	size_t room = room_for(msg);

	prim_reset(out, PRIM_REQUEST);
	if (!buf_reserve(&out->store, room)) {
		*why = "no memory";
		return UV_ENOMEM;
	}
	if (read_head(&r))
		(void)read_body(&r, &conf->codec);
	assert(out->store.len <= room);	/* slices are still good */
	buf_deinit(&r.scratch);
	if (r.err != 0)
		*why = r.why;
	return r.err;
}
