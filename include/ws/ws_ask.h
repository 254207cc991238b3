#ifndef WS_WS_ASK_H
#define WS_WS_ASK_H

#include "http/http_msg.h"

/*
 * The client's side of the opening handshake (RFC 6455 4.1, TS-0020 6.2); pure
 * functions but for the key.
 */
#define WS_KEY_LEN 24

struct ws_ask {
	struct str authority;		/* for Host */
	struct str target;		/* path and query; empty: / */
	struct str subprotocol;		/* the one offered */
	struct str originator;		/* X-M2M-Origin; empty: none */
	struct str token;		/* a bearer's; empty: none */
};

/* A key that no other handshake has, with NUL. UV_EIO. */
MUST_CHECK int ws_ask_key(char out[WS_KEY_LEN + 1]);

/* ERR_PROTO: something in it cannot stand in a request; nothing is added. */
MUST_CHECK int ws_ask_write(struct buf *out, const struct ws_ask *ask,
			    const char *key);

/* NULL: it is the 101 that was asked for. Else what is wrong with it; what is
 * no 101 at all is for the caller to see. */
const char *ws_ask_fault(const struct http_msg *answer,
			 const struct ws_ask *ask, const char *key);

#endif
