#include <uv.h>

#include "backend/http_map_priv.h"
#include "m2m/transcode.h"

/* `scratch` failing only costs a header that nobody needs. */
struct response_writer {
	struct buf *out;
	const struct prim *p;
	const struct http_map_reply *reply;
	struct buf scratch;
	struct buf made;	/* the body, where it had to be transcoded */
};

/* lti and tkid are joined with `:`, pairs with `+`. */
static bool is_token_id(struct str s, char separator)
{
	return s.len > 0 && http_map_is_header_value(s) &&
	       memchr(s.p, separator, s.len) == NULL &&
	       memchr(s.p, '+', s.len) == NULL &&
	       memchr(s.p, ' ', s.len) == NULL;
}

static bool write_pair(struct response_writer *w, struct str pair, bool first)
{
	static const struct str names[] = { STR_INIT("lti"), STR_INIT("tkid") };
	struct str text[2] = { { NULL, 0 }, { NULL, 0 } };
	struct json_walk walk;

	if (!json_walk_begin(&walk, pair, '{'))
		return false;
	while (json_walk_next(&walk))
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (walk.value.type == JSCAN_STRING &&
			    str_eq(walk.name.raw, names[i]))
				text[i] = jscan_inside(&walk.value);
	/* what needs an escape in JSON is no token id */
	if (!is_token_id(text[0], ':') || !is_token_id(text[1], '\\') ||
	    memchr(text[0].p, '\\', text[0].len) != NULL)
		return false;
	if (!first)
		buf_add_char(w->out, '+');
	buf_add_str(w->out, text[0]);
	buf_add_char(w->out, ':');
	buf_add_str(w->out, text[1]);
	return true;
}

static bool write_pairs(struct response_writer *w, struct str list)
{
	struct json_walk walk;
	bool first = true;

	if (!json_walk_begin(&walk, list, '['))
		return false;
	for (; json_walk_next(&walk); first = false)
		if (!write_pair(w, walk.value.raw, first))
			return false;
	return walk.err == 0 && !first;
}

/* {"ltia":[{"lti":lti,"tkid":tkid}]} */
static void write_ati(struct response_writer *w,
		      const struct http_map_header *row)
{
	const struct value *v = &w->p->param[row->id];
	size_t from = w->out->len;
	struct json_walk walk;
	bool ok = false;

	if (v->type != VALUE_JSON || !json_walk_begin(&walk, v->text, '{'))
		return;
	buf_add_str(w->out, row->line);
	while (!ok && json_walk_next(&walk))
		ok = str_eq(walk.name.raw, STR("ltia")) &&
		     write_pairs(w, walk.value.raw);
	if (ok)
		buf_add_lit(w->out, "\r\n");
	else
		w->out->len = from;
}

static void write_header(struct response_writer *w, struct str line,
			 struct str text)
{
	if (text.len == 0 || !http_map_is_header_value(text))
		return;
	buf_add_str(w->out, line);
	buf_add_str(w->out, text);
	buf_add_lit(w->out, "\r\n");
}

static void write_params(struct response_writer *w)
{
	const struct http_map_headers *headers = &http_map_response_headers;

	for (size_t i = 0; i < headers->count; i++) {
		const struct http_map_header *row = &headers->rows[i];

		if (!prim_has(w->p, row->id))
			continue;
		if (row->shape == HEADER_TOKEN_IDS)
			write_ati(w, row);
		else if (w->p->param[row->id].type != VALUE_JSON)
			write_header(w, row->line, w->p->param[row->id].text);
	}
}

/* The member of an object; p == NULL: none. */
static struct str find_member(struct response_writer *w, struct str object,
			      struct str name, enum jscan_type type)
{
	struct json_walk walk;

	if (!json_walk_begin(&walk, object, '{'))
		return (struct str){ NULL, 0 };
	while (json_walk_next(&walk))
		if (walk.value.type == type &&
		    json_name_is(&w->scratch, &walk.name, name))
			return walk.value.raw;
	return (struct str){ NULL, 0 };
}

/* A glance that spares all other contents the walk; pc has one member. */
static bool may_have_uri(struct str content)
{
	content = http_map_trim_json(str_skip(http_map_trim_json(content), 1));
	return str_starts(content, STR("\"m2m:uri\"")) ||
	       str_starts(content, STR("\"m2m:rce\""));
}

/* TS-0009 6.4.4: the new resource's URI out of m2m:uri or m2m:rce. */
static void add_location(struct response_writer *w, struct str content)
{
	struct str rce, uri;

	if (!may_have_uri(content))
		return;
	uri = find_member(w, content, STR("m2m:uri"), JSCAN_STRING);
	rce = find_member(w, content, STR("m2m:rce"), JSCAN_OBJECT);
	if (uri.p == NULL && rce.p != NULL)
		uri = find_member(w, rce, STR("uri"), JSCAN_STRING);
	if (uri.p == NULL)
		return;
	uri = (struct str){ uri.p + 1, uri.len - 2 };
	uri = json_text(&w->scratch, uri,
			memchr(uri.p, '\\', uri.len) != NULL);
	write_header(w, STR("Content-Location: "), uri);
}

static void write_location(struct response_writer *w)
{
	const struct prim *p = w->p;
	struct buf json = { 0 };
	const char *why;

	if (p->rsc != RSC_CREATED)
		return;
	if (p->content_format == FORMAT_JSON)
		add_location(w, p->content);
	else if (transcode_content(&json, FORMAT_JSON, p->content_format,
				   p->op, p->content, &w->reply->codec,
				   &why) == 0)
		add_location(w, buf_str(&json));
	buf_deinit(&json);
}

/* A document of XML has one element around it all. */
static struct str wrap_tqf(struct response_writer *w, struct str tqf)
{
	buf_clear(&w->scratch);
	buf_add_lit(&w->scratch, "{\"m2m:tqf\":");
	buf_add_str(&w->scratch, tqf);
	buf_add_char(&w->scratch, '}');
	return w->scratch.failed ? tqf : buf_str(&w->scratch);
}

/* tqf goes as body, with 4103 only (6.5). */
static int make_body(struct response_writer *w, struct str *body,
		     const char **why)
{
	const struct prim *p = w->p;
	const struct value *tqf = &p->param[PARAM_TQF];
	enum prim_format format = p->content_format;
	int err;

	*body = p->content;
	if (p->content.len == 0 && prim_has(p, PARAM_TQF) &&
	    tqf->type == VALUE_JSON &&
	    p->rsc == RSC_ORIGINATOR_HAS_NO_PRIVILEGE) {
		*body = w->reply->format != FORMAT_XML ?
				tqf->text : wrap_tqf(w, tqf->text);
		format = FORMAT_JSON;
	}
	if (body->len == 0 || format == w->reply->format)
		return 0;
	err = transcode_content(&w->made, w->reply->format, format, OP_NONE,
				*body, &w->reply->codec, why);
	*body = buf_str(&w->made);
	return err;
}

static void write_status(struct response_writer *w)
{
	int status = http_map_status_of(w->p->rsc);

	buf_add_lit(w->out, "HTTP/1.1 ");
	buf_add_i64(w->out, status);
	buf_add_char(w->out, ' ');
	buf_add_str(w->out, str_of(http_status_text(status)));
	buf_add_lit(w->out, "\r\nX-M2M-RSC: ");
	buf_add_i64(w->out, w->p->rsc);
	buf_add_lit(w->out, "\r\n");
}

static void write_body(struct response_writer *w, struct str body)
{
	if (body.len > 0) {
		buf_add_lit(w->out, "Content-Type: ");
		buf_add_str(w->out, http_map_media(w->reply->format));
		buf_add_lit(w->out, "\r\n");
	}
	buf_add_lit(w->out, "Content-Length: ");
	buf_add_u64(w->out, body.len);
	if (w->reply->close)
		buf_add_lit(w->out, "\r\nConnection: close");
	buf_add_lit(w->out, "\r\n\r\n");
	buf_add_str(w->out, body);
}

int http_map_write_response(struct buf *out, const char **why,
			    const struct prim *p,
			    const struct http_map_reply *reply)
{
	struct response_writer w = { .out = out, .p = p, .reply = reply };
	size_t from = out->len;
	struct str body;
	int err = make_body(&w, &body, why);

	if (!err) {
		write_status(&w);
		write_params(&w);
		write_location(&w);
		write_body(&w, body);
	}
	buf_deinit(&w.scratch);
	buf_deinit(&w.made);
	if (!err && out->failed) {
		err = UV_ENOMEM;
		*why = "out of memory";
	}
	if (err)
		out->len = from;
	return err;
}
