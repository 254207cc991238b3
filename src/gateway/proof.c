#include "proof.h"

#include <mbedtls/base64.h>

#define SUBPROTOCOL STR("base64url.bearer.authorization.m2m.")

void proof_wipe(struct proof *p)
{
	secret_wipe(p, sizeof(*p));
}

/* Behind the first separator is the secret; neither part is empty. */
static int split(struct proof *p, enum credential_kind kind, size_t len,
		 char separator)
{
	if (!str_cut((struct str){ p->text, len }, separator, &p->name,
		     &p->secret) ||
	    p->name.len == 0 || p->secret.len == 0 ||
	    p->secret.len > SECRET_MAX)
		return ERR_PROTO;
	p->kind = kind;
	p->given = true;
	return 0;
}

static bool is_visible(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

static int read_bearer(struct proof *p, struct str token)
{
	if (token.len == 0 || token.len > PROOF_MAX || !is_visible(token))
		return ERR_PROTO;
	memcpy(p->text, token.p, token.len);
	return split(p, CREDENTIAL_TOKEN, token.len, '.');
}

/* Strict: one text, one credential. */
static bool decode(struct proof *p, size_t *len, struct str base64)
{
	return base64.len % 4 == 0 &&
	       mbedtls_base64_decode((unsigned char *)p->text, PROOF_MAX, len,
				     (const unsigned char *)base64.p,
				     base64.len) == 0;
}

static int read_basic(struct proof *p, struct str base64)
{
	size_t len;

	return is_visible(base64) && decode(p, &len, base64) ?
		       split(p, CREDENTIAL_PASSWORD, len, ':') : ERR_PROTO;
}

/* The other alphabet, and without padding. */
static int read_base64url(struct proof *p, struct str name)
{
	char base64[PROOF_MAX + 4];
	size_t len = name.len;
	int err = ERR_PROTO;

	if (name.len > PROOF_MAX || name.len % 4 == 1)
		return ERR_PROTO;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		base64[i] = c == '-' ? '+' : c == '_' ? '/' : c;
		if (c == '+' || c == '/' || c == '=')
			return ERR_PROTO;
	}
	while (len % 4 != 0)
		base64[len++] = '=';
	if (decode(p, &len, (struct str){ base64, len }) &&
	    is_visible((struct str){ p->text, len }))
		err = split(p, CREDENTIAL_TOKEN, len, '.');
	secret_wipe(base64, sizeof(base64));
	return err;
}

static int read_authorization(struct proof *p, struct str value)
{
	struct str scheme, rest;

	str_cut(value, ' ', &scheme, &rest);
	rest = str_trim(rest);
	if (p->given)
		return ERR_PROTO;
	if (str_ieq(scheme, STR("Bearer")))
		return read_bearer(p, rest);
	return str_ieq(scheme, STR("Basic")) ? read_basic(p, rest) : ERR_PROTO;
}

static int read_subprotocols(struct proof *p, struct str list)
{
	struct str one;
	bool more;

	do {
		more = str_cut(list, ',', &one, &list);
		one = str_trim(one);
		if (!str_istarts(one, SUBPROTOCOL))
			continue;
		if (p->given ||
		    read_base64url(p, str_skip(one, SUBPROTOCOL.len)) != 0)
			return ERR_PROTO;
	} while (more);
	return 0;
}

int proof_read(struct proof *out, const struct http_msg *req)
{
	int err = 0;

	*out = (struct proof){ 0 };
	for (size_t i = 0; i < req->header_count && !err; i++) {
		struct str name = req->headers[i].name;
		struct str value = req->headers[i].value;

		if (str_ieq(name, STR("Authorization")))
			err = read_authorization(out, value);
		else if (str_ieq(name, STR("Sec-WebSocket-Protocol")))
			err = read_subprotocols(out, value);
	}
	if (err)
		proof_wipe(out);
	return err;
}
