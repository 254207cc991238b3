/*
 * A context is one worker's: in mbedTLS 2.28 a signature may change the key's
 * precomputed points, and 3.6 takes a lock around each. Only the keys of
 * tickets are shared, and have a lock.
 */
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
		mbedtls_ssl_conf_ca_chain(&c->conf, &c->client_ca, &c->crl);
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
		tls_tickets_use(tickets, &c->conf);
	return show_certs(c);
}

static int load_files(struct tls_context *c, struct tls_fault *f,
		      const struct tls_conf *conf)
{
	int err = tls_load_pairs(c, f, conf->cert_file, conf->key_file);

	if (!err && conf->client_cert != TLS_CLIENT_NONE)
		err = tls_load_chain(&c->client_ca, f, "client_ca_file",
				     str_of(conf->client_ca_file));
	if (!err && conf->crl_file != NULL && conf->crl_file[0] != '\0')
		err = tls_load_crl(&c->crl, f, "crl_file",
				   str_of(conf->crl_file));
	return err;
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
	mbedtls_x509_crt_init(&c->client_ca);
	mbedtls_x509_crl_init(&c->crl);
	err = tls_random_init(&c->random);
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
	tls_drop_pairs(c);
	mbedtls_x509_crt_free(&c->client_ca);
	mbedtls_x509_crl_free(&c->crl);
	tls_random_deinit(&c->random);
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
