#ifndef NET_TLS_PRIV_H
#define NET_TLS_PRIV_H

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#include "net/tls.h"

struct tls_random {
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
};

/* UV_EIO: the system has none. */
MUST_CHECK int tls_random_init(struct tls_random *r);
void tls_random_deinit(struct tls_random *r);

/* A certificate, those that vouch for it, and its key. */
struct tls_pair {
	mbedtls_x509_crt chain;
	mbedtls_pk_context key;
};

struct tls_context {
	mbedtls_ssl_config conf;
	struct tls_pair *pairs;		/* owned; the first is the default */
	size_t pair_count;
	mbedtls_x509_crt ca;		/* who vouch for peers */
	mbedtls_x509_crl crl;
	struct tls_random random;
	bool wants_cert;		/* of peers */
	bool is_client;
	char *host;			/* a client's server; owned; or NULL: */
	unsigned char address[16];	/* it is an address, of 4 or 16 */
	size_t address_len;
	size_t users;			/* connections */
	bool destroyed;			/* the last of them frees it */
};

/* A connection of c ends. */
void tls_context_leave(struct tls_context *c);

/* tls_files.c. ERR_PROTO: fault tells what is wrong with which file. */
MUST_CHECK int tls_load_pairs(struct tls_context *c, struct tls_fault *fault,
			      const char *cert_files, const char *key_files,
			      size_t max);
void tls_drop_pairs(struct tls_context *c);
MUST_CHECK int tls_load_chain(mbedtls_x509_crt *out, struct tls_fault *fault,
			      const char *member, struct str path);
MUST_CHECK int tls_load_crl(mbedtls_x509_crl *out, struct tls_fault *fault,
			    const char *member, struct str path);

/* Sessions of conf are resumed by tickets, which are borrowed. */
void tls_tickets_use(struct tls_tickets *t, mbedtls_ssl_config *conf);

/* tls_names.c. Whether a host of that name may show the certificate: a dNSName
 * of it, or its common name where it has no other names (RFC 6125 6.4). */
bool tls_cert_is_for(const mbedtls_x509_crt *cert, struct str host);

/* The same of an address of 4 or 16 octets, which must be an iPAddress. */
bool tls_cert_has_address(const mbedtls_x509_crt *cert,
			  const unsigned char *address, size_t len);

/* The name that stands first in it; empty: it has none. */
struct str tls_first_host(const mbedtls_x509_crt *cert);

/* Empty where there is none. */
struct str tls_uri_of(const mbedtls_x509_crt *cert);
struct str tls_common_name_of(const mbedtls_x509_crt *cert);

#endif
