/*
 * The opening handshake from the first octet on: what gets a 101 has all that
 * RFC 6455 4.2.1 asks for, however the octets were cut.
 */
#include "http_fuzz.h"
#include "ws/ws_handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str origins[] = { STR_INIT("https://good.example") };

static const struct ws_handshake_conf confs[] = {
	{ .formats = 7, .default_format = -1, .path = STR_INIT("/"),
	  .origins = origins, .origin_count = ARRAY_LEN(origins) },
	{ .formats = 1u << FORMAT_JSON, .default_format = FORMAT_JSON },
	{ .default_format = -1, .any_subprotocol = true },
};

static void check_101(const struct ws_handshake *h, const struct http_msg *m,
		      const struct ws_handshake_conf *conf)
{
	fuzz_need(str_eq(m->method, STR("GET")) && m->minor == 1);
	fuzz_need(m->body.len == 0 && !m->has_body);
	fuzz_need(http_msg_has_token(m, STR("upgrade"), STR("websocket")));
	fuzz_need(http_msg_has_token(m, STR("connection"), STR("upgrade")));
	fuzz_need(http_msg_count(m, STR("sec-websocket-key")) == 1);
	fuzz_need(http_msg_header(m, STR("sec-websocket-key")).len == 24);
	fuzz_need(str_eq(http_msg_header(m, STR("sec-websocket-version")),
			 STR("13")));
	fuzz_need(strlen(h->accept) == 28);
	if (conf->any_subprotocol) {
		fuzz_need(h->subprotocol.len == 0);
		return;
	}
	fuzz_need((conf->formats >> h->format & 1) == 1);
	fuzz_need(h->subprotocol.len > 0 || conf->default_format >= 0);
	fuzz_need(h->subprotocol.len == 0 ||
		  http_msg_has_token(m, STR("sec-websocket-protocol"),
				     h->subprotocol));
}

static void judge(struct buf *record, const struct http_msg *m)
{
	for (size_t i = 0; i < ARRAY_LEN(confs); i++) {
		struct ws_handshake h = { 0 };
		const char *why = NULL;
		int status = ws_handshake_check(&h, &why, m, &confs[i]);

		buf_add_i64(record, status);
		if (status == 101) {
			check_101(&h, m, &confs[i]);
			ws_handshake_write(record, &h);
		} else {
			fuzz_need(status >= 400 && status <= 426);
			fuzz_line(record, str_of(why));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_fuzz fuzz = { HTTP_KIND_REQUEST, judge };

	fuzz_compare(&fuzz, (struct str){ (const char *)data, size });
	return 0;
}
