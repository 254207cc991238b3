#include "ws/ws_ask.h"

#include <mbedtls/base64.h>
#include <sys/random.h>
#include <uv.h>

#include "ws/ws_handshake.h"

int ws_ask_key(char out[WS_KEY_LEN + 1])
{
	unsigned char nonce[16];
	size_t len;

	if (getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce))
		return UV_EIO;
	return mbedtls_base64_encode((unsigned char *)out, WS_KEY_LEN + 1,
				     &len, nonce, sizeof(nonce)) == 0 ?
		       0 : UV_EIO;
}

static bool is_target(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.len == 0 || s.p[0] == '/';
}

static void add_header(struct buf *out, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	buf_add_str(out, str_of(name));
	buf_add_str(out, value);
	buf_add_lit(out, "\r\n");
}

int ws_ask_write(struct buf *out, const struct ws_ask *ask, const char *key)
{
	if (!is_target(ask->target) || !http_is_field_value(ask->originator) ||
	    !http_is_field_value(ask->token) ||
	    !http_is_field_value(ask->authority))
		return ERR_PROTO;
	buf_add_lit(out, "GET ");
	buf_add_str(out, ask->target.len > 0 ? ask->target : STR("/"));
	buf_add_lit(out, " HTTP/1.1\r\n"
			 "Upgrade: websocket\r\n"
			 "Connection: Upgrade\r\n"
			 "Sec-WebSocket-Version: 13\r\n");
	add_header(out, "Host: ", ask->authority);
	add_header(out, "Sec-WebSocket-Key: ", str_of(key));
	add_header(out, "Sec-WebSocket-Protocol: ", ask->subprotocol);
	add_header(out, "X-M2M-Origin: ", ask->originator);
	add_header(out, "Authorization: Bearer ", ask->token);
	buf_add_lit(out, "\r\n");
	return out->failed ? UV_ENOMEM : 0;
}

const char *ws_ask_fault(const struct http_msg *answer,
			 const struct ws_ask *ask, const char *key)
{
	char accept[29];

	ws_handshake_accept(accept, str_of(key));
	if (answer->status != 101)
		return "the answer is not 101";
	if (!http_msg_has_token(answer, STR("Upgrade"), STR("websocket")) ||
	    !http_msg_has_token(answer, STR("Connection"), STR("Upgrade")))
		return "the answer is no upgrade to WebSocket";
	if (!str_eq(http_msg_header(answer, STR("Sec-WebSocket-Accept")),
		    str_of(accept)))
		return "Sec-WebSocket-Accept is wrong";
	if (!str_eq(http_msg_header(answer, STR("Sec-WebSocket-Protocol")),
		    ask->subprotocol))
		return "the sub-protocol is not the one asked for";
	if (http_msg_count(answer, STR("Sec-WebSocket-Extensions")) > 0)
		return "an extension that was not asked for";
	return NULL;
}
