/*
 * The first octet says what follows: P a primitive in JSON, which goes to
 * HTTP and back; Q an HTTP request, R an HTTP response, which become
 * primitives and are written and read again as JSON.
 */
#include <assert.h>
#include <stdlib.h>

#include "backend/http_map.h"
#include "m2m/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_map_conf conf = {
	.host = STR_INIT("h:1"),
	.base = STR_INIT("/b"),
	.cse_id = STR_INIT("/in"),
	.codec = { .max_depth = 16, .max_tokens = 256 },
};

static const struct http_limits limits = { 1 << 16, 64, 1 << 16 };

/* The whole message in text; NULL: it is none. */
static const struct http_msg *parse(struct http_parser *parser,
				    struct str text)
{
	ssize_t n = http_parser_feed(parser, text.p, text.len);

	if (n < 0)
		return NULL;
	if (http_parser_message(parser) == NULL &&
	    http_parser_finish(parser) != 0)
		return NULL;
	return http_parser_message(parser);
}

/* What a parser understands is what the lines say when simply cut. */
static void check_lines(const struct http_msg *msg, struct str head)
{
	size_t count = 0;

	for (size_t line = 0;; line++) {
		const char *end = memchr(head.p, '\r', head.len);
		struct str one, name, value;

		assert(end != NULL && end[1] == '\n');
		one = str_range(head.p, end);
		head = str_skip(head, one.len + 2);
		if (one.len == 0)
			break;
		for (size_t i = 0; i < one.len; i++)
			assert(one.p[i] >= 0x20 && one.p[i] <= 0x7e);
		if (line == 0)
			continue;
		assert(str_cut(one, ':', &name, &value));
		assert(count < msg->header_count);
		assert(str_eq(name, msg->headers[count].name));
		assert(str_eq(str_trim(value), msg->headers[count].value));
		count++;
	}
	assert(count == msg->header_count);
}

static void check_same(const struct prim *a, const struct prim *b,
		       const enum prim_param *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (prim_text(a, ids[i]).len > 0)
			assert(str_eq(prim_text(a, ids[i]),
				      prim_text(b, ids[i])));
}

static bool is_plain_target(struct str to)
{
	return to.len > 0 && to.p[to.len - 1] != '/' &&
	       memchr(to.p, '#', to.len) == NULL && !str_eq(to, conf.cse_id) &&
	       !str_starts(to, STR("///"));
}

static void check_request(const struct prim *p, const struct http_msg *msg)
{
	static const enum prim_param ids[] = {
		PARAM_FR, PARAM_RQI, PARAM_RVI, PARAM_RQET, PARAM_RSET,
		PARAM_OET, PARAM_OT, PARAM_EC, PARAM_GID, PARAM_VSI, PARAM_RP,
		PARAM_RCN, PARAM_DRT,
	};
	static const enum prim_param to = PARAM_TO;
	struct prim back = { 0 };
	const char *why;

	if (http_map_read_request(&back, &why, msg, &conf) == 0) {
		assert(back.op == p->op);
		check_same(p, &back, ids, ARRAY_LEN(ids));
		if (is_plain_target(prim_text(p, PARAM_TO)))
			check_same(p, &back, &to, 1);
		if (p->op != OP_RETRIEVE && p->op != OP_DELETE)
			assert(str_eq(p->content, back.content));
	}
	prim_deinit(&back);
}

static void check_response(const struct prim *p, const struct http_msg *msg)
{
	const struct http_map_request request = { OP_RETRIEVE, STR_INIT("1"),
						  { NULL, 0 } };
	struct prim back = { 0 };
	const char *why;

	if (http_map_read_response(&back, &why, msg, &request, &conf) == 0) {
		if (p->rsc >= 1000 && p->rsc <= 9999)
			assert(back.rsc == p->rsc);
		if (!prim_has(p, PARAM_TQF) && !prim_has(&back, PARAM_TQF))
			assert(str_eq(p->content, back.content));
	}
	prim_deinit(&back);
}

static void fuzz_primitive(struct str text)
{
	struct http_map_reply reply = { .codec = conf.codec };
	struct buf out = { 0 };
	struct str body = { NULL, 0 };
	struct http_parser *parser;
	const struct http_msg *msg;
	struct prim p = { 0 };
	const char *why;
	bool request;

	if (codec_json.decode(&p, &why, &conf.codec, text) != 0)
		goto deinit_prim;
	request = p.kind == PRIM_REQUEST;
	if (request ? http_map_write_request(&out, &body, NULL, &why, &p,
					     &conf) :
		      http_map_write_response(&out, &why, &p, &reply))
		goto deinit_out;
	buf_add_str(&out, body);
	if (http_parser_create(&parser,
			       request ? HTTP_KIND_REQUEST :
					 HTTP_KIND_RESPONSE, &limits) != 0)
		abort();
	msg = parse(parser, buf_str(&out));
	assert(msg != NULL || out.len > limits.max_head);
	if (msg != NULL) {
		check_lines(msg, buf_str(&out));
		if (request)
			check_request(&p, msg);
		else
			check_response(&p, msg);
	}
	http_parser_destroy(parser);
deinit_out:
	buf_deinit(&out);
deinit_prim:
	prim_deinit(&p);
}

/* Whatever HTTP said, the primitive is one that a client can read. */
static void check_primitive(const struct prim *p)
{
	static const struct codec_conf wide = { 64, 1 << 20 };
	struct prim back = { 0 };
	struct buf json = { 0 };
	const char *why;

	assert(codec_json.encode(&json, &why, &wide, p) == 0);
	assert(codec_json.decode(&back, &why, &wide, buf_str(&json)) == 0);
	assert(back.kind == p->kind);
	assert(str_eq(prim_text(&back, PARAM_TO), prim_text(p, PARAM_TO)));
	assert(str_eq(prim_text(&back, PARAM_FC), prim_text(p, PARAM_FC)));
	assert(str_eq(prim_text(&back, PARAM_RT), prim_text(p, PARAM_RT)));
	assert(str_eq(prim_text(&back, PARAM_ATI), prim_text(p, PARAM_ATI)));
	prim_deinit(&back);
	buf_deinit(&json);
}

static void fuzz_http(struct str text, enum http_kind kind)
{
	const struct http_map_request request = { OP_CREATE, STR_INIT("1"),
						  STR_INIT("3") };
	struct http_parser *parser;
	const struct http_msg *msg;
	struct prim p = { 0 };
	const char *why;
	int err;

	if (http_parser_create(&parser, kind, &limits) != 0)
		abort();
	msg = parse(parser, text);
	if (msg != NULL) {
		err = kind == HTTP_KIND_REQUEST ?
			      http_map_read_request(&p, &why, msg, &conf) :
			      http_map_read_response(&p, &why, msg, &request,
						     &conf);
		if (err == 0)
			check_primitive(&p);
	}
	prim_deinit(&p);
	http_parser_destroy(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text;

	if (size == 0)
		return 0;
	text = str_skip((struct str){ (const char *)data, size }, 1);
	switch (data[0]) {
	case 'P':
		fuzz_primitive(text);
		break;
	case 'Q':
		fuzz_http(text, HTTP_KIND_REQUEST);
		break;
	case 'R':
		fuzz_http(text, HTTP_KIND_RESPONSE);
		break;
	default:
		break;
	}
	return 0;
}
