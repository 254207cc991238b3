#ifndef WS_WS_HANDSHAKE_H
#define WS_WS_HANDSHAKE_H

#include "http/http_msg.h"
#include "m2m/prim.h"

/*
 * The server's side of the opening handshake (RFC 6455 4.2, TS-0020 6.2);
 * pure functions.
 */
struct ws_handshake_conf {
	unsigned formats;		/* bit 1 << enum prim_format: enabled */
	int default_format;		/* for a client that offers no
					 * sub-protocol; -1: refuse it */
	bool any_subprotocol;		/* raw use: none needed, none chosen */
	struct str path;		/* the only path served; empty: any */
	const struct str *origins;	/* pages allowed beside those of the
					 * host in Host; "*" allows all */
	size_t origin_count;
};

struct ws_handshake {
	enum prim_format format;
	struct str subprotocol;		/* as the client spelt it; empty: none */
	char accept[29];		/* Sec-WebSocket-Accept, with NUL */
};

/*
 * 101, or the HTTP status to refuse with: 400, 403 (Origin), 404 (path), 405
 * (method), 426 (version; answer with Sec-WebSocket-Version: 13), and *why.
 * out's slices point into req.
 */
int ws_handshake_check(struct ws_handshake *out, const char **why,
		       const struct http_msg *req,
		       const struct ws_handshake_conf *conf);

/* The sub-protocol of a serialisation. */
struct str ws_handshake_subprotocol(enum prim_format format);

/* The 101 response. */
void ws_handshake_write(struct buf *out, const struct ws_handshake *h);

/* Header lines that a refusal with this status needs; 401, too. */
struct str ws_handshake_refusal_headers(int status);

/* Sec-WebSocket-Accept for a key; out takes 29 octets with the NUL. */
void ws_handshake_accept(char out[29], struct str key);

#endif
