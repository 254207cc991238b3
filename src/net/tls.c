/*
 * mbedTLS calls back for ciphertext and with it; both are slices that the
 * caller of tls_read() or tls_write() holds, so nothing is kept here but the
 * record that mbedTLS is about to complete, of 16k at most.
 */
#include "net/tls.h"

#include <assert.h>
#include <mbedtls/error.h>
#include <stdlib.h>
#include <uv.h>

#include "tls_priv.h"

struct tls {
	struct tls_context *ctx;	/* borrowed */
	mbedtls_ssl_context ssl;
	struct str *in;			/* of the call at hand, or NULL */
	struct buf *out;		/* likewise */
	bool is_begun;
	bool is_open;
	bool is_closed;			/* we have said the last word */
	int code;			/* mbedTLS's, that ended it; or 0 */
};

static int on_send(void *arg, const unsigned char *p, size_t n)
{
	struct tls *t = arg;

	buf_add(t->out, p, n);
	return t->out->failed ? MBEDTLS_ERR_SSL_ALLOC_FAILED : (int)n;
}

static int on_recv(void *arg, unsigned char *p, size_t n)
{
	struct tls *t = arg;

	if (t->in == NULL || t->in->len == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (n > t->in->len)
		n = t->in->len;
	memcpy(p, t->in->p, n);
	*t->in = str_skip(*t->in, n);
	return (int)n;
}

int tls_create(struct tls **out, struct tls_context *c)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return UV_ENOMEM;
	mbedtls_ssl_init(&t->ssl);
	t->ctx = c;
	c->users++;
	*out = t;
	return 0;
}

void tls_destroy(struct tls *t)
{
	if (t == NULL)
		return;
	mbedtls_ssl_free(&t->ssl);
	tls_context_leave(t->ctx);
	free(t);
}

bool tls_is_open(const struct tls *t)
{
	return t->is_open;
}

bool tls_is_client(const struct tls *t)
{
	return t->ctx->is_client;
}

static int err_of(int code)
{
	switch (code) {
	case 0:
		return 0;
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		return UV_EOF;
	case MBEDTLS_ERR_SSL_ALLOC_FAILED:
		return UV_ENOMEM;
	default:
		return ERR_PROTO;
	}
}

/* What made no sense at all mbedTLS leaves without an answer. */
static void end(struct tls *t, int code, size_t said)
{
	t->code = code;
	if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return;
	t->is_closed = true;
	if (code != MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE &&
	    code != MBEDTLS_ERR_SSL_ALLOC_FAILED && t->out->len == said)
		(void)mbedtls_ssl_send_alert_message(
			&t->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
			MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE);
}

/* Of a certificate that is optional mbedTLS only notes what is wrong. Without
 * one, it notes that as well. */
static bool is_welcome(struct tls *t)
{
	return mbedtls_ssl_get_peer_cert(&t->ssl) == NULL ||
	       mbedtls_ssl_get_verify_result(&t->ssl) == 0 ||
	       !t->ctx->wants_cert;
}

/* A connection that says nothing costs none of the 40k of this. */
static int begin(struct tls *t)
{
	int n = mbedtls_ssl_setup(&t->ssl, &t->ctx->conf);

	/* none is a decision, too, that 3.6 asks for */
	if (n == 0 && t->ctx->is_client)
		n = mbedtls_ssl_set_hostname(&t->ssl, t->ctx->host);
	mbedtls_ssl_set_bio(&t->ssl, t, on_send, on_recv, NULL);
	t->is_begun = n == 0;
	return n;
}

static int shake_hands(struct tls *t)
{
	int n = mbedtls_ssl_handshake(&t->ssl);

	if (n != 0)
		return n;
	if (!is_welcome(t)) {
		(void)mbedtls_ssl_send_alert_message(
			&t->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
			MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
		return MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
	}
	t->is_open = true;
	return 0;
}

/* The octets read, 0: more input is needed, or mbedTLS's code. */
static int step(struct tls *t, char *plain, size_t len)
{
	int n = 0;

	if (!t->is_begun)
		n = begin(t);
	if (n == 0 && !t->is_open)
		n = shake_hands(t);
	if (n == 0)
		n = mbedtls_ssl_read(&t->ssl, (unsigned char *)plain, len);
	return n == MBEDTLS_ERR_SSL_WANT_READ ? 0 : n;
}

ssize_t tls_read(struct tls *t, struct str *in, char *plain, size_t len,
		 struct buf *out)
{
	size_t got = 0;

	t->in = in;
	t->out = out;
	while (t->code == 0 && got < len) {
		size_t said = out->len;
		int n = step(t, plain + got, len - got);

		if (n > 0)
			got += (size_t)n;
		else if (n < 0)
			end(t, n, said);
		else if (in->len == 0)
			break;
	}
	t->in = NULL;
	t->out = NULL;
	return got > 0 ? (ssize_t)got : err_of(t->code);
}

int tls_shake(struct tls *t, struct str *in, struct buf *out)
{
	size_t said;
	int n = 0;

	t->in = in;
	t->out = out;
	while (t->code == 0 && !t->is_open && n == 0) {
		said = out->len;
		n = t->is_begun ? shake_hands(t) : begin(t);
		if (n == MBEDTLS_ERR_SSL_WANT_READ && in->len > 0)
			n = 0;
		else if (n < 0 && n != MBEDTLS_ERR_SSL_WANT_READ)
			end(t, n, said);
	}
	t->in = NULL;
	t->out = NULL;
	return err_of(t->code);
}

int tls_write(struct tls *t, struct str plain, struct buf *out)
{
	int n = 0;

	assert(t->is_open);
	if (t->is_closed)
		return plain.len == 0 ? 0 : UV_EPIPE;
	t->out = out;
	while (plain.len > 0 && n >= 0) {
		n = mbedtls_ssl_write(&t->ssl, (const unsigned char *)plain.p,
				      plain.len);
		if (n > 0)
			plain = str_skip(plain, (size_t)n);
	}
	t->out = NULL;
	return n >= 0 ? 0 : err_of(n);
}

void tls_close(struct tls *t, struct buf *out)
{
	if (!t->is_open || t->is_closed)
		return;
	t->is_closed = true;
	t->out = out;
	(void)mbedtls_ssl_close_notify(&t->ssl);
	t->out = NULL;
}

struct str tls_peer_name(const struct tls *t)
{
	const mbedtls_x509_crt *cert = NULL;
	struct str name = STR("");

	if (t->is_open && t->ctx->wants_cert)
		cert = mbedtls_ssl_get_peer_cert(&t->ssl);
	if (cert == NULL)
		return name;
	name = tls_uri_of(cert);
	return name.len > 0 ? name : tls_common_name_of(cert);
}

/* Of what is wrong with a certificate the first is enough. */
struct str tls_why(const struct tls *t, char *space, size_t len)
{
	uint32_t flags = t->code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ?
				 mbedtls_ssl_get_verify_result(&t->ssl) : 0;
	struct str first, rest;

	if (t->code == 0 || t->code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return STR("");
	if (flags == 0 || mbedtls_x509_crt_verify_info(space, len, "",
						       flags) <= 0)
		mbedtls_strerror(t->code, space, len);
	(void)str_cut(str_of(space), '\n', &first, &rest);
	return first;
}
