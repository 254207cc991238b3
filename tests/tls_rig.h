#ifndef TESTS_TLS_RIG_H
#define TESTS_TLS_RIG_H

#include "unit.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <sys/stat.h>

#include "net/tls.h"
#include "tls_files.h"

/* A file of the test; a PEM text goes in. */
struct tls_file {
	char path[64];
};

static inline const char *tls_file_write(struct tls_file *f, const char *text)
{
	int fd;

	strcpy(f->path, "/tmp/test-tls-XXXXXX");
	fd = mkstemp(f->path);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
	return f->path;
}

/* A server's context of PEM texts; NULL with fault. */
static inline struct tls_context *tls_context_of(struct tls_fault *fault,
						 const char *cert,
						 const char *key,
						 struct tls_tickets *tickets)
{
	struct tls_file files[2];
	struct tls_conf conf = {
		.cert_file = tls_file_write(&files[0], cert),
		.key_file = tls_file_write(&files[1], key),
	};
	struct tls_context *c = NULL;
	int err = tls_context_create(&c, fault, &conf, tickets);

	unlink(files[0].path);
	unlink(files[1].path);
	return err ? NULL : c;
}

/* Text of that length that tells where one is. */
static inline struct str long_text(struct buf *b, size_t len)
{
	while (b->len < len)
		buf_add_u64(b, b->len);
	b->len = len;
	return buf_str(b);
}

/* A client without a socket: what it says gathers in `out`, what it is told
 * waits in `in`. It does not verify. */
struct tls_client {
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
	mbedtls_ssl_config conf;
	mbedtls_ssl_context ssl;
	struct buf in, out, heard;
	bool open;
	int code;			/* mbedTLS's last; 0: all is well */
};

static inline int tls_client_on_send(void *arg, const unsigned char *p,
				     size_t n)
{
	struct tls_client *c = arg;

	buf_add(&c->out, p, n);
	return (int)n;
}

static inline int tls_client_on_recv(void *arg, unsigned char *p, size_t n)
{
	struct tls_client *c = arg;

	if (c->in.len == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (n > c->in.len)
		n = c->in.len;
	memcpy(p, c->in.p, n);
	buf_consume(&c->in, n);
	return (int)n;
}

/* Between this and tls_client_start() the test changes c->conf. */
static inline void tls_client_init(struct tls_client *c)
{
	*c = (struct tls_client){ 0 };
	mbedtls_entropy_init(&c->entropy);
	mbedtls_ctr_drbg_init(&c->drbg);
	mbedtls_ssl_config_init(&c->conf);
	mbedtls_ssl_init(&c->ssl);
	if (mbedtls_ctr_drbg_seed(&c->drbg, mbedtls_entropy_func, &c->entropy,
				  NULL, 0) != 0 ||
	    mbedtls_ssl_config_defaults(&c->conf, MBEDTLS_SSL_IS_CLIENT,
					MBEDTLS_SSL_TRANSPORT_STREAM,
					MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		abort();
	mbedtls_ssl_conf_authmode(&c->conf, MBEDTLS_SSL_VERIFY_NONE);
#ifdef MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED
	/* else the client throws them away */
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
		&c->conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
	mbedtls_ssl_conf_rng(&c->conf, mbedtls_ctr_drbg_random, &c->drbg);
}

static inline void tls_client_only_1_2(struct tls_client *c)
{
#if MBEDTLS_VERSION_MAJOR >= 3
	mbedtls_ssl_conf_max_tls_version(&c->conf, MBEDTLS_SSL_VERSION_TLS1_2);
#else
	(void)c;
#endif
}

static inline void tls_client_start(struct tls_client *c)
{
	if (mbedtls_ssl_setup(&c->ssl, &c->conf) != 0 ||
	    mbedtls_ssl_set_hostname(&c->ssl, "localhost") != 0)
		abort();
	mbedtls_ssl_set_bio(&c->ssl, c, tls_client_on_send, tls_client_on_recv,
			    NULL);
}

/* A client's own certificate; NULL: it has none. */
struct tls_own {
	mbedtls_x509_crt cert;
	mbedtls_pk_context key;
};

static inline void tls_own_init(struct tls_own *o, struct tls_client *c,
				const char *cert, const char *key)
{
	const unsigned char *k = (const unsigned char *)key;
	int err;

	mbedtls_x509_crt_init(&o->cert);
	mbedtls_pk_init(&o->key);
	if (cert == NULL)
		return;
#if MBEDTLS_VERSION_MAJOR >= 3
	err = mbedtls_pk_parse_key(&o->key, k, strlen(key) + 1, NULL, 0,
				   mbedtls_ctr_drbg_random, &c->drbg);
#else
	err = mbedtls_pk_parse_key(&o->key, k, strlen(key) + 1, NULL, 0);
#endif
	if (err != 0 ||
	    mbedtls_x509_crt_parse(&o->cert, (const unsigned char *)cert,
				   strlen(cert) + 1) != 0 ||
	    mbedtls_ssl_conf_own_cert(&c->conf, &o->cert, &o->key) != 0)
		abort();
}

static inline void tls_own_deinit(struct tls_own *o)
{
	mbedtls_x509_crt_free(&o->cert);
	mbedtls_pk_free(&o->key);
}

static inline void tls_client_deinit(struct tls_client *c)
{
	mbedtls_ssl_free(&c->ssl);
	mbedtls_ssl_config_free(&c->conf);
	mbedtls_ctr_drbg_free(&c->drbg);
	mbedtls_entropy_free(&c->entropy);
	buf_deinit(&c->in);
	buf_deinit(&c->out);
	buf_deinit(&c->heard);
}

static inline bool tls_client_is_ticket(int code)
{
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
	return code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
	(void)code;
	return false;
#endif
}

/* Goes on as far as `in` allows: shakes hands, then hears. */
static inline void tls_client_turn(struct tls_client *c)
{
	unsigned char space[20000];
	int n = 0;

	if (c->code != 0)
		return;
	if (!c->open) {
		n = mbedtls_ssl_handshake(&c->ssl);
		c->open = n == 0;
	}
	while (c->open) {
		n = mbedtls_ssl_read(&c->ssl, space, sizeof(space));
		if (n > 0)
			buf_add(&c->heard, space, (size_t)n);
		else if (!tls_client_is_ticket(n))
			break;
	}
	c->code = n == MBEDTLS_ERR_SSL_WANT_READ ? 0 : n;
}

static inline void tls_client_say(struct tls_client *c, struct str text)
{
	while (text.len > 0) {
		int n = mbedtls_ssl_write(&c->ssl,
					  (const unsigned char *)text.p,
					  text.len);

		if (n <= 0)
			abort();
		text = str_skip(text, (size_t)n);
	}
}

#endif
