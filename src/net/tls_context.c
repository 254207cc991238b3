/*
 * A context is one worker's: in mbedTLS 2.28 a signature may change the key's
 * precomputed points, and 3.6 takes a lock around each. Only the keys of
 * tickets are shared, and have a lock.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <uv.h>

#include "tls_priv.h"

#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

/* ---- randomness ---- */

int tls_random_init(struct tls_random *r)
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

void tls_random_deinit(struct tls_random *r)
{
	mbedtls_ctr_drbg_free(&r->drbg);
	mbedtls_entropy_free(&r->entropy);
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

/* Alternatives for one name: mbedTLS picks what suits the client. Without any,
 * the default stays. */
static int on_server_name(void *arg, mbedtls_ssl_context *ssl,
			  const unsigned char *p, size_t len)
{
	struct tls_context *c = arg;
	struct str host = { (const char *)p, len };
	int n = 0;

	for (size_t i = 0; i < c->pair_count && n == 0; i++)
		if (tls_cert_is_for(&c->pairs[i].chain, host))
			n = mbedtls_ssl_set_hs_own_cert(ssl,
							&c->pairs[i].chain,
							&c->pairs[i].key);
	return n;
}

/* By default the first, and its alternatives. */
static int show_certs(struct tls_context *c)
{
	struct str first = tls_first_host(&c->pairs[0].chain);
	int n = 0;

	for (size_t i = 0; i < c->pair_count && n == 0; i++)
		if (i == 0 || tls_cert_is_for(&c->pairs[i].chain, first))
			n = mbedtls_ssl_conf_own_cert(&c->conf,
						      &c->pairs[i].chain,
						      &c->pairs[i].key);
	if (c->pair_count > 1)
		mbedtls_ssl_conf_sni(&c->conf, on_server_name, c);
	return n == 0 ? 0 : UV_ENOMEM;
}

/* What both sides have in common. */
static int configure(struct tls_context *c, int side, int verify)
{
	if (mbedtls_ssl_config_defaults(&c->conf, side,
					MBEDTLS_SSL_TRANSPORT_STREAM,
					MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return UV_ENOMEM;
	offer_versions(&c->conf);
	mbedtls_ssl_conf_ciphersuites(&c->conf, suites);
	mbedtls_ssl_conf_rng(&c->conf, mbedtls_ctr_drbg_random,
			     &c->random.drbg);
	mbedtls_ssl_conf_authmode(&c->conf, verify);
	c->wants_cert = verify != MBEDTLS_SSL_VERIFY_NONE;
	if (c->wants_cert)
		mbedtls_ssl_conf_ca_chain(&c->conf, &c->ca, &c->crl);
	mbedtls_ssl_conf_cert_profile(&c->conf,
				      &mbedtls_x509_crt_profile_next);
	mbedtls_ssl_conf_extended_master_secret(
		&c->conf, MBEDTLS_SSL_EXTENDED_MS_ENABLED);
#ifdef MBEDTLS_SSL_RENEGOTIATION
	mbedtls_ssl_conf_renegotiation(&c->conf,
				       MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
	return 0;
}

static int context_new(struct tls_context **out)
{
	struct tls_context *c = calloc(1, sizeof(*c));
	int err;

	if (c == NULL)
		return UV_ENOMEM;
	mbedtls_ssl_config_init(&c->conf);
	mbedtls_x509_crt_init(&c->ca);
	mbedtls_x509_crl_init(&c->crl);
	err = tls_random_init(&c->random);
	if (err)
		tls_context_destroy(c);
	else
		*out = c;
	return err;
}

static bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* ---- a server's ---- */

static int load_server(struct tls_context *c, struct tls_fault *f,
		       const struct tls_conf *conf)
{
	int err = tls_load_pairs(c, f, conf->cert_file, conf->key_file,
				 TLS_PAIRS_MAX);

	if (!err && conf->client_cert != TLS_CLIENT_NONE)
		err = tls_load_chain(&c->ca, f, "client_ca_file",
				     str_of(conf->client_ca_file));
	if (!err && is_given(conf->crl_file))
		err = tls_load_crl(&c->crl, f, "crl_file",
				   str_of(conf->crl_file));
	return err;
}

int tls_context_create(struct tls_context **out, struct tls_fault *fault,
		       const struct tls_conf *conf,
		       struct tls_tickets *tickets)
{
	struct tls_context *c;
	int err = context_new(&c);

	if (err)
		return err;
	err = load_server(c, fault, conf);
	if (!err)
		err = configure(c, MBEDTLS_SSL_IS_SERVER,
				auth_modes[conf->client_cert]);
	if (!err)
		err = show_certs(c);
	if (err) {
		tls_context_destroy(c);
		return err;
	}
	/* tickets of TLS 1.3 forget the certificate */
	if (tickets != NULL && !c->wants_cert)
		tls_tickets_use(tickets, &c->conf);
	*out = c;
	return 0;
}

/* ---- a client's ---- */

static int set_host(struct tls_context *c, const char *host)
{
	if (inet_pton(AF_INET, host, c->address) == 1)
		c->address_len = 4;
	else if (inet_pton(AF_INET6, host, c->address) == 1)
		c->address_len = 16;
	else
		c->host = strdup(host);
	return c->address_len > 0 || c->host != NULL ? 0 : UV_ENOMEM;
}

/* mbedTLS looks for the name; an address it would take for one, before 3.6. */
static int on_verify(void *arg, mbedtls_x509_crt *cert, int depth,
		     uint32_t *flags)
{
	const struct tls_context *c = arg;

	if (depth == 0 && c->address_len > 0 &&
	    !tls_cert_has_address(cert, c->address, c->address_len))
		*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	return 0;
}

static int load_client(struct tls_context *c, struct tls_fault *f,
		       const struct tls_client_conf *conf)
{
	int err = tls_load_chain(&c->ca, f, "ca_file", str_of(conf->ca_file));

	if (!err && is_given(conf->cert_file))
		err = tls_load_pairs(c, f, conf->cert_file, conf->key_file, 1);
	return err;
}

int tls_context_create_client(struct tls_context **out,
			      struct tls_fault *fault,
			      const struct tls_client_conf *conf)
{
	struct tls_context *c;
	int err = context_new(&c);

	if (err)
		return err;
	c->is_client = true;
	err = set_host(c, conf->host);
	if (!err)
		err = load_client(c, fault, conf);
	if (!err)
		err = configure(c, MBEDTLS_SSL_IS_CLIENT,
				MBEDTLS_SSL_VERIFY_REQUIRED);
	if (!err && c->pair_count > 0)
		err = show_certs(c);
	if (err) {
		tls_context_destroy(c);
		return err;
	}
	mbedtls_ssl_conf_verify(&c->conf, on_verify, c);
	/* connections are kept, and few */
	mbedtls_ssl_conf_session_tickets(&c->conf,
					 MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	*out = c;
	return 0;
}

/* ---- their end ---- */

static void context_free(struct tls_context *c)
{
	mbedtls_ssl_config_free(&c->conf);
	tls_drop_pairs(c);
	mbedtls_x509_crt_free(&c->ca);
	mbedtls_x509_crl_free(&c->crl);
	tls_random_deinit(&c->random);
	free(c->host);
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
