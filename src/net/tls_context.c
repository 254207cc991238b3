/*
 * A context is one worker's: in mbedTLS 2.28 a signature may change the key's
 * precomputed points, and 3.6 takes a lock around each. Only the keys of
 * tickets are shared; mbedTLS locks those itself.
 */
#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "tls_priv.h"

#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

#ifndef MBEDTLS_THREADING_C
#error "mbedTLS without threads: workers could not share the ticket keys"
#endif

#define FILE_MAX	  (1024 * 1024)
#define RSA_MIN_BITS	  2048
#define TICKET_LIFETIME_S 86400

/* ---- randomness ---- */

static int random_init(struct random *r)
{
	mbedtls_entropy_init(&r->entropy);
	mbedtls_ctr_drbg_init(&r->drbg);
#if MBEDTLS_VERSION_MAJOR >= 3
	if (psa_crypto_init() != PSA_SUCCESS)
		return UV_EIO;
#endif
	return mbedtls_ctr_drbg_seed(&r->drbg, mbedtls_entropy_func,
				     &r->entropy, NULL, 0) == 0 ? 0 : UV_EIO;
}

static void random_deinit(struct random *r)
{
	mbedtls_ctr_drbg_free(&r->drbg);
	mbedtls_entropy_free(&r->entropy);
}

/* ---- tickets ---- */

struct tls_tickets {
	mbedtls_ssl_ticket_context ctx;
	struct random random;
};

int tls_tickets_create(struct tls_tickets **out)
{
	struct tls_tickets *t = calloc(1, sizeof(*t));
	int err;

	if (t == NULL)
		return UV_ENOMEM;
	mbedtls_ssl_ticket_init(&t->ctx);
	err = random_init(&t->random);
	if (!err && mbedtls_ssl_ticket_setup(&t->ctx, mbedtls_ctr_drbg_random,
					     &t->random.drbg,
					     MBEDTLS_CIPHER_AES_256_GCM,
					     TICKET_LIFETIME_S) != 0)
		err = UV_EIO;
	if (err) {
		tls_tickets_destroy(t);
		return err;
	}
	*out = t;
	return 0;
}

void tls_tickets_destroy(struct tls_tickets *t)
{
	if (t == NULL)
		return;
	mbedtls_ssl_ticket_free(&t->ctx);
	random_deinit(&t->random);
	free(t);
}

/* ---- files ---- */

/* What mbedTLS finds in a file, in words that help whoever wrote it. */
static const struct {
	int code;
	const char *text;
} file_errors[] = {
	{ MBEDTLS_ERR_PK_PASSWORD_REQUIRED,
	  "is encrypted, which a daemon cannot open" },
	{ MBEDTLS_ERR_PK_KEY_INVALID_FORMAT, "holds no private key in PEM" },
	{ MBEDTLS_ERR_X509_INVALID_FORMAT, "holds no certificate in PEM" },
	{ MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT,
	  "holds no certificate in PEM" },
};

static int fail(struct tls_fault *f, const char *member, const char *text)
{
	f->member = member;
	snprintf(f->why, sizeof(f->why), "%s", text);
	return ERR_PROTO;
}

/* The code may be of a lower module, added to that of a higher one. */
static int fail_code(struct tls_fault *f, const char *member, int code)
{
	char text[TLS_WHY_MAX];

	for (size_t i = 0; i < ARRAY_LEN(file_errors); i++)
		if (-(-code & 0xff80) == file_errors[i].code)
			return fail(f, member, file_errors[i].text);
	mbedtls_strerror(code, text, sizeof(text));
	f->member = member;
	snprintf(f->why, sizeof(f->why), "is of no use: %.200s", text);
	return ERR_PROTO;
}

/* All of it and a NUL, which mbedTLS wants behind PEM. One allocation, so
 * that no copy of a key is left behind. */
static int read_file(struct buf *out, struct tls_fault *f, const char *member,
		     const char *path)
{
	FILE *file = fopen(path, "re");
	int err = errno;

	if (file != NULL) {
		err = buf_reserve(out, FILE_MAX) ? 0 : ENOMEM;
		if (!err)
			out->len = fread(out->p, 1, FILE_MAX, file);
		if (!err && ferror(file))
			err = errno;
		else if (!err && out->len == FILE_MAX)
			err = EFBIG;
		fclose(file);
	}
	if (!err) {
		buf_add_char(out, '\0');
		err = out->failed ? ENOMEM : 0;
	}
	if (!err)
		return 0;
	f->member = member;
	snprintf(f->why, sizeof(f->why), "cannot be read: %s",
		 err_text(uv_translate_sys_error(err)));
	return ERR_PROTO;
}

static void forget(struct buf *b)
{
	if (b->p != NULL)
		mbedtls_platform_zeroize(b->p, b->cap);
	buf_deinit(b);
}

static int load_chain(mbedtls_x509_crt *out, struct tls_fault *f,
		      const char *member, const char *path)
{
	struct buf text = { 0 };
	int err = read_file(&text, f, member, path);
	int n;

	if (!err) {
		n = mbedtls_x509_crt_parse(out, (unsigned char *)text.p,
					   text.len);
		if (n > 0)
			err = fail(f, member,
				   "holds a certificate that cannot be read");
		else if (n < 0)
			err = fail_code(f, member, n);
	}
	forget(&text);
	return err;
}

static int parse_key(struct tls_context *c, const struct buf *text)
{
	const unsigned char *p = (const unsigned char *)text->p;

#if MBEDTLS_VERSION_MAJOR >= 3
	return mbedtls_pk_parse_key(&c->key, p, text->len, NULL, 0,
				    mbedtls_ctr_drbg_random, &c->random.drbg);
#else
	return mbedtls_pk_parse_key(&c->key, p, text->len, NULL, 0);
#endif
}

static mbedtls_ecp_group_id curve_of(const mbedtls_pk_context *key)
{
#if MBEDTLS_VERSION_MAJOR >= 3
	return mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*key));
#else
	return mbedtls_pk_ec(*key)->grp.id;
#endif
}

static int load_key(struct tls_context *c, struct tls_fault *f,
		    const char *path)
{
	struct buf text = { 0 };
	int err = read_file(&text, f, "key_file", path);
	int n;

	if (!err) {
		n = parse_key(c, &text);
		err = n != 0 ? fail_code(f, "key_file", n) : 0;
	}
	forget(&text);
	return err;
}

static int check_key(struct tls_context *c, struct tls_fault *f)
{
	mbedtls_ecp_group_id curve;

	if (mbedtls_pk_get_type(&c->key) == MBEDTLS_PK_RSA) {
		if (mbedtls_pk_get_bitlen(&c->key) < RSA_MIN_BITS)
			return fail(f, "key_file", "holds an RSA key of less "
						   "than 2048 bits");
		return 0;
	}
	if (mbedtls_pk_get_type(&c->key) == MBEDTLS_PK_ECKEY) {
		curve = curve_of(&c->key);
		if (curve == MBEDTLS_ECP_DP_SECP256R1 ||
		    curve == MBEDTLS_ECP_DP_SECP384R1)
			return 0;
	}
	return fail(f, "key_file",
		    "must hold an RSA key, or ECDSA on P-256 or P-384");
}

static int check_pair(struct tls_context *c, struct tls_fault *f)
{
	int n;

#if MBEDTLS_VERSION_MAJOR >= 3
	n = mbedtls_pk_check_pair(&c->chain.pk, &c->key,
				  mbedtls_ctr_drbg_random, &c->random.drbg);
#else
	n = mbedtls_pk_check_pair(&c->chain.pk, &c->key);
#endif
	return n == 0 ? 0 :
			fail(f, "key_file", "is not the key of the first "
					    "certificate in cert_file");
}

static int load_files(struct tls_context *c, struct tls_fault *f,
		      const struct tls_conf *conf)
{
	int err = load_chain(&c->chain, f, "cert_file", conf->cert_file);

	if (!err)
		err = load_key(c, f, conf->key_file);
	if (!err)
		err = check_key(c, f);
	if (!err)
		err = check_pair(c, f);
	if (!err && conf->client_cert != TLS_CLIENT_NONE)
		err = load_chain(&c->client_ca, f, "client_ca_file",
				 conf->client_ca_file);
	return err;
}

/* ---- what is offered ---- */

/* The server's order counts: what costs least first. */
static const int suites[] = {
#if MBEDTLS_VERSION_MAJOR >= 3
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	0,
};

#if MBEDTLS_VERSION_MAJOR >= 3
static const uint16_t groups[] = {
	MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

static void offer_versions(mbedtls_ssl_config *conf)
{
	mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_groups(conf, groups);
	mbedtls_ssl_conf_tls13_key_exchange_modes(
		conf, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
}
#else
static const mbedtls_ecp_group_id groups[] = {
	MBEDTLS_ECP_DP_CURVE25519,
	MBEDTLS_ECP_DP_SECP256R1,
	MBEDTLS_ECP_DP_SECP384R1,
	MBEDTLS_ECP_DP_NONE,
};

static const int hashes[] = {
	MBEDTLS_MD_SHA256,
	MBEDTLS_MD_SHA384,
	MBEDTLS_MD_SHA512,
	MBEDTLS_MD_NONE,
};

static void offer_versions(mbedtls_ssl_config *conf)
{
	mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3,
				     MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_curves(conf, groups);
	mbedtls_ssl_conf_sig_hashes(conf, hashes);
}
#endif

static const int auth_modes[] = {
	[TLS_CLIENT_NONE] = MBEDTLS_SSL_VERIFY_NONE,
	[TLS_CLIENT_OPTIONAL] = MBEDTLS_SSL_VERIFY_OPTIONAL,
	[TLS_CLIENT_REQUIRED] = MBEDTLS_SSL_VERIFY_REQUIRED,
};

static int configure(struct tls_context *c, enum tls_client_cert client_cert,
		     struct tls_tickets *tickets)
{
	if (mbedtls_ssl_config_defaults(&c->conf, MBEDTLS_SSL_IS_SERVER,
					MBEDTLS_SSL_TRANSPORT_STREAM,
					MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return UV_ENOMEM;
	offer_versions(&c->conf);
	mbedtls_ssl_conf_ciphersuites(&c->conf, suites);
	mbedtls_ssl_conf_rng(&c->conf, mbedtls_ctr_drbg_random,
			     &c->random.drbg);
	mbedtls_ssl_conf_authmode(&c->conf, auth_modes[client_cert]);
	c->wants_cert = client_cert != TLS_CLIENT_NONE;
	if (c->wants_cert)
		mbedtls_ssl_conf_ca_chain(&c->conf, &c->client_ca, NULL);
	mbedtls_ssl_conf_cert_profile(&c->conf,
				      &mbedtls_x509_crt_profile_next);
	mbedtls_ssl_conf_extended_master_secret(
		&c->conf, MBEDTLS_SSL_EXTENDED_MS_ENABLED);
#ifdef MBEDTLS_SSL_RENEGOTIATION
	mbedtls_ssl_conf_renegotiation(&c->conf,
				       MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
	/* tickets of TLS 1.3 forget the certificate */
	if (tickets != NULL && !c->wants_cert)
		mbedtls_ssl_conf_session_tickets_cb(
			&c->conf, mbedtls_ssl_ticket_write,
			mbedtls_ssl_ticket_parse, &tickets->ctx);
	return mbedtls_ssl_conf_own_cert(&c->conf, &c->chain, &c->key) == 0 ?
		       0 : UV_ENOMEM;
}

int tls_context_create(struct tls_context **out, struct tls_fault *fault,
		       const struct tls_conf *conf,
		       struct tls_tickets *tickets)
{
	struct tls_context *c = calloc(1, sizeof(*c));
	int err;

	if (c == NULL)
		return UV_ENOMEM;
	mbedtls_ssl_config_init(&c->conf);
	mbedtls_x509_crt_init(&c->chain);
	mbedtls_x509_crt_init(&c->client_ca);
	mbedtls_pk_init(&c->key);
	err = random_init(&c->random);
	if (!err)
		err = load_files(c, fault, conf);
	if (!err)
		err = configure(c, conf->client_cert, tickets);
	if (err) {
		tls_context_destroy(c);
		return err;
	}
	*out = c;
	return 0;
}

static void context_free(struct tls_context *c)
{
	mbedtls_ssl_config_free(&c->conf);
	mbedtls_pk_free(&c->key);
	mbedtls_x509_crt_free(&c->chain);
	mbedtls_x509_crt_free(&c->client_ca);
	random_deinit(&c->random);
	free(c);
}

void tls_context_leave(struct tls_context *c)
{
	if (--c->users == 0 && c->destroyed)
		context_free(c);
}

void tls_context_destroy(struct tls_context *c)
{
	if (c == NULL)
		return;
	c->destroyed = true;
	if (c->users == 0)
		context_free(c);
}
