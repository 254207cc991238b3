/*
 * The way of a request of the CSE to an entity. The first octet says what
 * follows: H an HTTP request, which becomes a primitive and, as it is sent and
 * stored, JSON again; J content, of which a JSON library tells the same.
 */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "backend/http_map.h"
#include "m2m/entity_id.h"
#include "m2m/json.h"
#include "m2m/notification.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE "/r/0123456789abcdef0123456789abcdef"

static const struct http_limits limits = { 1 << 16, 64, 1 << 16 };
static const struct codec_conf codec = { .max_depth = 16, .max_tokens = 256 };
static const struct entity_home home = { STR_INIT("id-in"), STR_INIT("") };

/* ---- content ---- */

static bool is_true(const json_t *sgn, const char *name)
{
	return json_is_true(json_object_get(sgn, name));
}

static const json_t *net_of(const json_t *sgn)
{
	return json_object_get(json_object_get(sgn, "nev"), "net");
}

static void check_sur(const struct notification *got, const json_t *sgn)
{
	const json_t *sur = json_object_get(sgn, "sur");
	struct str want = { NULL, 0 };

	if (json_is_string(sur))
		want = (struct str){ json_string_value(sur),
				     json_string_length(sur) };
	assert(str_eq(got->sur, want));
}

/* Names that come twice, or with escapes, are read by each in its way. */
static void check_content(struct str content)
{
	struct buf text = { 0 };
	struct notification got;
	json_error_t why;
	json_t *root = json_loadb(content.p, content.len,
				  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
				  &why);
	const json_t *sgn = json_object_get(root, "m2m:sgn");

	notification_read(&got, &text, content);
	if (root != NULL && json_object_size(root) == 1 &&
	    memchr(content.p, '\\', content.len) == NULL) {
		if (!json_is_object(sgn))
			assert(got.sur.len == 0);
		else if (is_true(sgn, "vrq"))
			assert(got.kind == NOTIFICATION_VERIFY);
		else if (json_is_real(net_of(sgn)))
			;	/* 7.0 is 7, whether 70e-1 is nobody asks */
		else if (json_integer_value(net_of(sgn)) == 7)
			assert(got.kind == NOTIFICATION_BLOCKING);
		else
			assert(got.kind == NOTIFICATION_EVENT);
		if (json_is_object(sgn))
			check_sur(&got, sgn);
	}
	json_decref(root);
	buf_deinit(&text);
}

static void fuzz_content(struct str content)
{
	const char *why;

	if (jscan_check(content, codec.max_depth, codec.max_tokens, &why) == 0)
		check_content(content);
}

/* ---- requests ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str without_blanks(struct str s)
{
	while (s.len > 0 && is_blank(s.p[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* What goes into the inbox is what comes out of it, less what is around it. */
static void check_stored(struct prim *p)
{
	static const struct codec_conf wide = { 64, 1 << 20 };
	struct prim copy = { 0 }, back = { 0 };
	struct buf text = { 0 }, again = { 0 };
	const char *why;
	int err;

	if (p->content_format == FORMAT_JSON)
		p->content = without_blanks(p->content);
	err = prim_copy(&copy, p);
	assert(err == 0);
	err = codec_json.encode(&text, &why, &wide, &copy);
	assert(err == 0);
	err = codec_json.decode(&back, &why, &wide, buf_str(&text));
	assert(err == 0 && back.kind == PRIM_REQUEST && back.op == p->op);
	assert(str_eq(back.content, p->content) ||
	       p->content_format != FORMAT_JSON);
	err = codec_json.encode(&again, &why, &wide, &back);
	assert(err == 0);
	/* null in CBOR is no content in JSON */
	assert(str_eq(buf_str(&text), buf_str(&again)) ||
	       (p->content_format == FORMAT_CBOR && back.content.len == 0));
	prim_deinit(&copy);
	prim_deinit(&back);
	buf_deinit(&text);
	buf_deinit(&again);
}

/* An entity by its id: what names one names it in one text. */
static void check_id(const struct prim *p)
{
	struct buf id = { 0 }, same = { 0 };

	if (entity_id_canonicalise(&id, &home, prim_text(p, PARAM_TO))) {
		bool ok = entity_id_canonicalise(&same, &home, buf_str(&id));

		assert(ok && str_eq(buf_str(&id), buf_str(&same)));
	}
	buf_deinit(&id);
	buf_deinit(&same);
}

static void check_request(struct prim *p)
{
	const char *why = NULL;
	uint64_t left;
	int rsc;

	if (p->content.len > 0)
		check_content(p->content);
	check_id(p);
	if (!prim_has(p, PARAM_RQI))
		prim_set_str(p, PARAM_RQI, STR("0"));
	rsc = prim_check_request(&why, p, 1);
	assert(rsc == 0 || why != NULL);
	(void)prim_time_left(&left, p, PARAM_RQET, 1);
	(void)prim_response_type(p);
	check_stored(p);
}

static void fuzz_request(struct str text)
{
	struct http_map_conf conf = { .codec = codec };
	struct http_parser *parser;
	const struct http_msg *msg;
	struct prim p = { 0 };
	const char *why;

	if (http_parser_create(&parser, HTTP_KIND_REQUEST, &limits) != 0)
		abort();
	if (http_parser_feed(parser, text.p, text.len) >= 0) {
		msg = http_parser_message(parser);
		if (msg != NULL && str_starts(msg->target, STR(BASE)))
			conf.base = STR(BASE);
		if (msg != NULL &&
		    http_map_read_request(&p, &why, msg, &conf) == 0)
			check_request(&p);
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
	if (data[0] == 'H')
		fuzz_request(text);
	else if (data[0] == 'J')
		fuzz_content(text);
	return 0;
}
