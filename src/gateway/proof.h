#ifndef GATEWAY_PROOF_H
#define GATEWAY_PROOF_H

#include "gateway/credential.h"
#include "http/http_msg.h"

#define PROOF_MAX 512		/* octets of what a client sends */

/*
 * What a client shows in its handshake: Authorization with Bearer (RFC 6750)
 * or Basic (RFC 7617), or, since browsers cannot set that, a sub-protocol of
 * the name base64url.bearer.authorization.m2m.TOKEN, where TOKEN is the token
 * in base64url. It holds a secret: wiped by its owner, never logged.
 */
struct proof {
	bool given;			/* else the rest is empty */
	enum credential_kind kind;
	struct str name, secret;	/* of text */
	char text[PROOF_MAX + 1];
};

/* ERR_PROTO: it is none, or there are several; *out is wiped then. */
MUST_CHECK int proof_read(struct proof *out, const struct http_msg *req);
void proof_wipe(struct proof *p);

#endif
