#include <limits.h>
#include <uv.h>

#include "backend/http_map_priv.h"
#include "base/utf8.h"
#include "m2m/transcode.h"

/* The codes of all releases have four digits. */
#define MIN_RSC 1000
#define MAX_RSC 9999

struct response_reader {
	struct prim *out;
	const struct http_msg *msg;
	const struct http_map_conf *conf;
	struct str content_type;	/* p == NULL: none */
	struct str ati;		/* X-M2M-ATI, read at the end */
	const char *why;
};

/* Octets of store that an octet of X-M2M-ATI can take, and all of it. */
#define ATI_GROWTH 9
#define ATI_SPARE  64

/* tinyIoT is one of those that write whole numbers as 3.0. */
static void read_rsc(struct prim *out, struct str text)
{
	struct str fraction;
	uint64_t rsc, zero = 0;

	if (str_cut(text, '.', &text, &fraction) &&
	    (!str_to_u64(&zero, fraction) || zero != 0))
		return;
	if (out->rsc == 0 && str_to_u64(&rsc, text) && rsc >= MIN_RSC &&
	    rsc <= MAX_RSC)
		out->rsc = (int)rsc;
}

/* lti:tkid+lti:tkid -> {"ltia":[{"lti":lti,"tkid":tkid}]} */
static void read_ati(struct prim *out, struct str text)
{
	struct str pair, lti, tkid, rest = text;
	size_t from = out->store.len, count = 0;
	bool more;

	buf_add_lit(&out->store, "{\"ltia\":[");
	do {
		more = str_cut(rest, '+', &pair, &rest);
		if (!str_cut(str_trim(pair), ':', &lti, &tkid))
			continue;
		if (count++ > 0)
			buf_add_char(&out->store, ',');
		buf_add_lit(&out->store, "{\"lti\":");
		buf_add_json(&out->store, lti);
		buf_add_lit(&out->store, ",\"tkid\":");
		buf_add_json(&out->store, tkid);
		buf_add_char(&out->store, '}');
	} while (more);
	buf_add_lit(&out->store, "]}");
	if (count > 0 && !out->store.failed)
		prim_set(out, PARAM_ATI, VALUE_JSON,
			 str_skip(buf_str(&out->store), from));
}

/* A value that JSON could not carry, or an empty one, is as good as none. */
static void read_header(struct response_reader *r, const struct http_header *h)
{
	const struct http_map_header *row;

	if (str_ieq(h->name, STR("Content-Type"))) {
		if (r->content_type.p == NULL && h->value.len > 0)
			r->content_type = h->value;
		return;
	}
	if (!str_istarts(h->name, STR("X-M2M-")))
		return;
	if (str_ieq(h->name, STR("X-M2M-RSC"))) {
		read_rsc(r->out, h->value);
		return;
	}
	row = http_map_find_header(&http_map_response_headers, h->name);
	if (row == NULL || row->id == PARAM_RQI || prim_has(r->out, row->id) ||
	    h->value.len == 0 || !utf8_valid(h->value))
		return;
	if (row->shape == HEADER_TOKEN_IDS)
		r->ati = r->ati.p == NULL ? h->value : r->ati;
	else
		http_map_set_text(r->out, row->id, h->value);
}

/* What the request knows: requests are told apart by the HTTP exchange, since
 * CSEs have been seen to change X-M2M-RI. */
static void complete(struct response_reader *r,
		     const struct http_map_request *request)
{
	if (r->out->rsc == 0)
		r->out->rsc = http_map_rsc_of(r->msg->status, request->op);
	prim_set_str(r->out, PARAM_RQI, request->rqi);
	if (!prim_has(r->out, PARAM_RVI) && request->rvi.len > 0)
		prim_set_str(r->out, PARAM_RVI, request->rvi);
}

static bool check_body(struct response_reader *r, enum prim_format *format)
{
	struct str body = r->msg->body;

	if (!http_map_find_format(format, r->content_type, body)) {
		r->why = "the answer's body is in no known serialization";
		return false;
	}
	return transcode_check(*format, body, &r->conf->codec, &r->why) == 0;
}

/*
 * The object that stands for tqf in a body: {"m2m:tqf":{...}} or {"tqf":...},
 * or the body itself, known by its member dasi (TS-0009 6.5 does not say
 * which). p == NULL: it is something else.
 */
static struct str find_tqf(struct buf *scratch, struct str body)
{
	struct str tqf = { NULL, 0 };
	struct json_walk walk;
	size_t count = 0;

	if (!json_walk_begin(&walk, body, '{'))
		return tqf;
	for (; json_walk_next(&walk); count++) {
		if (json_name_is(scratch, &walk.name, STR("dasi")))
			return body;
		if (walk.value.type == JSCAN_OBJECT &&
		    (json_name_is(scratch, &walk.name, STR("m2m:tqf")) ||
		     json_name_is(scratch, &walk.name, STR("tqf"))))
			tqf = walk.value.raw;
	}
	return count == 1 ? tqf : (struct str){ NULL, 0 };
}

/* The body to be looked into; in the store, which has the room for what comes
 * after it, where it had to be made. */
static bool body_as_json(struct response_reader *r, struct str *json,
			 enum prim_format format)
{
	struct buf *store = &r->out->store;
	const char *why;

	*json = r->msg->body;
	if (format == FORMAT_JSON)
		return true;
	if (transcode_content(store, FORMAT_JSON, format, OP_NONE,
			      r->msg->body, &r->conf->codec, &why) != 0 ||
	    !buf_reserve(store, ATI_SPARE + ATI_GROWTH * r->ati.len))
		return false;
	*json = buf_str(store);
	return true;
}

static void set_content(struct response_reader *r, enum prim_format format)
{
	struct buf scratch = { 0 };
	struct str tqf = { NULL, 0 }, json;

	if (r->out->rsc == RSC_ORIGINATOR_HAS_NO_PRIVILEGE &&
	    body_as_json(r, &json, format))
		tqf = find_tqf(&scratch, json);
	if (tqf.p != NULL) {
		prim_set(r->out, PARAM_TQF, VALUE_JSON, tqf);
	} else {
		r->out->content = r->msg->body;
		r->out->content_format = format;
	}
	buf_deinit(&scratch);
}

static int read_body(struct response_reader *r)
{
	enum prim_format format = FORMAT_JSON;

	if (http_map_trim_json(r->msg->body).len == 0)
		return 0;
	if (check_body(r, &format)) {
		set_content(r, format);
		return 0;
	}
	/* an error page of whatever stands between still means its code */
	return r->out->rsc >= RSC_BAD_REQUEST ? 0 : ERR_PROTO;
}

int http_map_read_response(struct prim *out, const char **why,
			   const struct http_msg *msg,
			   const struct http_map_request *request,
			   const struct http_map_conf *conf)
{
	struct response_reader r = { .out = out, .msg = msg, .conf = conf };
	int err;

	prim_reset(out, PRIM_RESPONSE);
	for (size_t i = 0; i < msg->header_count; i++)
		read_header(&r, &msg->headers[i]);
	complete(&r, request);
	err = read_body(&r);
	if (r.ati.p != NULL)
		read_ati(out, r.ati);
	*why = r.why;
	if (out->store.failed) {
		*why = "out of memory";
		return UV_ENOMEM;
	}
	return err;
}
