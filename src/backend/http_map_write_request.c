#include <uv.h>

#include "backend/http_map_priv.h"
#include "m2m/transcode.h"

bool request_refuse(struct request_writer *w, int err, const char *why)
{
	if (w->err == 0) {
		w->err = err;
		w->why = why;
	}
	return false;
}

static bool refuse(struct request_writer *w, const char *why)
{
	return request_refuse(w, ERR_PROTO, why);
}

static bool write_method(struct request_writer *w)
{
	switch (w->p->op) {
	case OP_CREATE:
	case OP_NOTIFY:
		buf_add_lit(w->head, "POST ");
		return true;
	case OP_RETRIEVE:
		buf_add_lit(w->head, "GET ");
		return true;
	case OP_UPDATE:
		buf_add_lit(w->head, "PUT ");
		return true;
	case OP_DELETE:
		buf_add_lit(w->head, "DELETE ");
		return true;
	default:
		return refuse(w, "op has no HTTP form");
	}
}

/* A dot segment would be resolved on the way and name another resource. */
static bool check_segments(struct request_writer *w, struct str path)
{
	struct str segment, rest = path;
	bool more;

	do {
		more = str_cut(rest, '/', &segment, &rest);
		if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
			return refuse(w, "to has a . or .. segment");
	} while (more);
	/* /~/x and /_/x are how the other two forms look (6.2.2.1) */
	(void)str_cut(path, '/', &segment, &rest);
	if (str_eq(segment, STR("~")) || str_eq(segment, STR("_")))
		return refuse(w, "to begins with a ~ or _ segment");
	return true;
}

static bool check_path(struct request_writer *w, struct str path)
{
	if (path.len == 0)
		return refuse(w, "to is empty");
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.p[i];

		if (c < 0x20 || c == 0x7f)
			return refuse(w, "to has control characters");
	}
	return check_segments(w, path);
}

static bool write_mapped_path(struct request_writer *w)
{
	const struct value *to = &w->p->param[PARAM_TO];
	struct str cse_id = w->conf->cse_id, path;

	if (!prim_has(w->p, PARAM_TO) || to->type == VALUE_JSON)
		return refuse(w, "to is missing");
	if (str_cut(to->text, '#', &path, &w->attribute)) {
		/* or a DELETE of one attribute would take them all */
		if (w->p->op != OP_RETRIEVE)
			return refuse(w, "to#attribute is for RETRIEVE only");
		if (w->attribute.len == 0)
			return refuse(w, "to ends in #");
	}
	if (!check_path(w, path))
		return false;
	buf_add_str(w->head, w->conf->base);
	if (str_starts(path, STR("//"))) {
		buf_add_lit(w->head, "/_");
		buf_add_percent(w->head, str_skip(path, 1),
				http_map_path_keep);
	} else {
		buf_add(w->head, "/~", path.p[0] == '/' ? 2 : 1);
		buf_add_percent(w->head, path, http_map_path_keep);
	}
	if (cse_id.len > 0 && str_eq(path, cse_id))
		buf_add_lit(w->head, "/-");
	return true;
}

static bool write_path(struct request_writer *w)
{
	if (!w->conf->exact) {
		if (!write_mapped_path(w))
			return false;
	} else if (w->conf->base.len > 0) {
		buf_add_str(w->head, w->conf->base);
	} else {
		buf_add_char(w->head, '/');
	}
	if (w->conf->query.len > 0) {
		buf_add_char(w->head, '?');
		buf_add_str(w->head, w->conf->query);
		w->has_query = true;
	}
	return true;
}

/* The name; without the space after its colon when the value is empty. */
static void add_line(struct buf *head, struct str line, bool empty)
{
	buf_add(head, line.p, line.len - (empty ? 1 : 0));
}

static bool write_scalar(struct request_writer *w,
			 const struct http_map_header *row)
{
	const struct value *v = &w->p->param[row->id];

	if (v->type == VALUE_JSON)
		return refuse(w, row->why_type);
	if (!http_map_is_header_value(v->text))
		return refuse(w, row->why_octets);
	add_line(w->head, row->line, v->text.len == 0);
	buf_add_str(w->head, v->text);
	buf_add_lit(w->head, "\r\n");
	return true;
}

static bool write_member(struct request_writer *w,
			 const struct http_map_header *row, struct str text,
			 bool first)
{
	bool targets = row->shape == HEADER_TARGETS;

	if (text.len == 0 || !http_map_is_header_value(text) ||
	    memchr(text.p, targets ? '&' : '+', text.len) != NULL ||
	    (!targets && memchr(text.p, ' ', text.len) != NULL))
		return refuse(w, row->why_octets);
	if (!first)
		buf_add_char(w->head, targets ? '&' : '+');
	buf_add_str(w->head, text);
	return true;
}

/* The members of an array of strings, or one string. */
static bool write_members(struct request_writer *w,
			  const struct http_map_header *row, struct str json)
{
	struct json_walk walk;
	struct str text;

	if (!json_walk_begin(&walk, json, '['))
		return refuse(w, row->why_type);
	for (bool first = true; json_walk_next(&walk); first = false) {
		if (walk.value.type != JSCAN_STRING)
			return refuse(w, row->why_type);
		(void)json_scalar(&text, &w->scratch, &walk.value);
		if (!write_member(w, row, text, first))
			return false;
	}
	return walk.err == 0 || refuse(w, row->why_type);
}

/* No members, no header: an absent list and an empty one mean the same. */
static bool write_joined(struct request_writer *w,
			 const struct http_map_header *row)
{
	const struct value *v = &w->p->param[row->id];
	size_t line = w->head->len, from;

	buf_add_str(w->head, row->line);
	from = w->head->len;
	if (v->type == VALUE_STRING) {
		if (!write_member(w, row, v->text, true))
			return false;
	} else if (!write_members(w, row, v->text)) {
		return false;
	}
	if (w->head->len == from)
		w->head->len = line;
	else
		buf_add_lit(w->head, "\r\n");
	return true;
}

/* An empty list says "notify nobody" (TS-0004 6.3.5.30): it is sent. */
static bool write_targets(struct request_writer *w,
			  const struct http_map_header *row,
			  const struct jscan_value *nu)
{
	struct str text;
	size_t from;

	buf_add_str(w->head, row->line);
	from = w->head->len;
	if (nu->type == JSCAN_STRING) {
		(void)json_scalar(&text, &w->scratch, nu);
		if (!write_member(w, row, text, true))
			return false;
	} else if (!write_members(w, row, nu->raw)) {
		return false;
	}
	if (w->head->len == from)
		w->head->len--;
	buf_add_lit(w->head, "\r\n");
	return true;
}

static bool write_rtu(struct request_writer *w,
		      const struct http_map_header *row)
{
	const struct value *rt = &w->p->param[PARAM_RT];
	struct json_walk walk;
	bool seen = false;

	if (rt->type != VALUE_JSON)
		return true;		/* a bare rtv */
	if (!json_walk_begin(&walk, rt->text, '{'))
		return refuse(w, "rt has no HTTP form: wrong type");
	while (json_walk_next(&walk)) {
		if (!json_name_is(&w->scratch, &walk.name, STR("nu")))
			continue;
		if (seen)
			return refuse(w, "rt has two members nu");
		seen = true;
		if (walk.value.type != JSCAN_NULL &&
		    !write_targets(w, row, &walk.value))
			return false;
	}
	return walk.err == 0 || refuse(w, "rt is nested too deeply");
}

static bool write_params(struct request_writer *w)
{
	const struct http_map_headers *headers = &http_map_request_headers;

	for (size_t i = 0; i < headers->count; i++) {
		const struct http_map_header *row = &headers->rows[i];
		bool ok = true;

		if (!prim_has(w->p, row->id))
			continue;
		if (row->shape == HEADER_SCALAR)
			ok = write_scalar(w, row);
		else if (row->shape == HEADER_JOINED)
			ok = write_joined(w, row);
		else
			ok = write_rtu(w, row);
		if (!ok)
			return false;
	}
	return true;
}

static bool write_content_type(struct request_writer *w)
{
	const struct value *ty = &w->p->param[PARAM_TY];

	buf_add_lit(w->head, "Content-Type: ");
	buf_add_str(w->head, http_map_media(w->conf->format));
	if (w->p->op == OP_CREATE) {
		/* without it the CSE would take this for a NOTIFY */
		if (!prim_has(w->p, PARAM_TY))
			return refuse(w, "ty is missing");
		if (ty->type == VALUE_JSON || !http_is_token(ty->text))
			return refuse(w, "ty has no HTTP form");
		buf_add_lit(w->head, ";ty=");
		buf_add_str(w->head, ty->text);
	}
	buf_add_lit(w->head, "\r\n");
	return true;
}

/* What the other serialisation cannot carry is the sender's fault. */
static bool make_body(struct request_writer *w)
{
	const struct prim *p = w->p;
	const char *why;
	int err;

	buf_clear(w->made);
	err = transcode_content(w->made, w->conf->format, p->content_format,
				p->op, p->content, &w->conf->codec, &why);
	if (!err)
		return true;
	return request_refuse(w, err == UV_ENOMEM ? err : ERR_PROTO, why);
}

/* RETRIEVE and DELETE have none: write_query() dealt with their content. */
static bool write_body_headers(struct request_writer *w, struct str *body)
{
	if (w->p->op == OP_RETRIEVE || w->p->op == OP_DELETE)
		return true;
	*body = w->p->content;
	if (body->len > 0 && w->p->content_format != w->conf->format) {
		if (!make_body(w))
			return false;
		*body = buf_str(w->made);
	}
	if ((body->len > 0 || w->p->op == OP_CREATE) && !write_content_type(w))
		return false;
	buf_add_lit(w->head, "Content-Length: ");
	buf_add_u64(w->head, body->len);
	buf_add_lit(w->head, "\r\n");
	return true;
}

static bool write_head(struct request_writer *w, struct str *body)
{
	if (prim_has(w->p, PARAM_GRTM))
		return request_refuse(w, ERR_UNSUPPORTED,
				      "grtm has no HTTP form");
	if (!write_method(w) || !write_path(w) || !request_write_query(w))
		return false;
	buf_add_lit(w->head, " HTTP/1.1\r\nHost: ");
	buf_add_str(w->head, w->conf->host);
	buf_add_lit(w->head, "\r\n");
	if (!write_params(w))
		return false;
	buf_add_str(w->head, w->conf->lines);
	buf_add_lit(w->head, "Accept: ");
	buf_add_str(w->head, http_map_media(w->conf->format));
	buf_add_lit(w->head, "\r\n");
	if (!write_body_headers(w, body))
		return false;
	buf_add_lit(w->head, "\r\n");
	return true;
}

int http_map_write_request(struct buf *head, struct str *body,
			   struct buf *made, const char **why,
			   const struct prim *p,
			   const struct http_map_conf *conf)
{
	struct request_writer w = { .head = head, .made = made, .p = p,
				    .conf = conf };
	struct str content = { NULL, 0 };
	size_t from = head->len;
	bool ok = write_head(&w, &content);

	if (head->failed || w.scratch.failed) {
		w.err = UV_ENOMEM;
		w.why = "out of memory";
	} else if (ok) {
		*body = content;
	}
	if (w.err != 0) {
		head->len = from;
		*why = w.why;
	}
	buf_deinit(&w.scratch);
	return w.err;
}
