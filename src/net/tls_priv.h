#ifndef NET_TLS_PRIV_H
#define NET_TLS_PRIV_H

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "net/tls.h"

struct random {
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
};

struct tls_context {
	mbedtls_ssl_config conf;
	mbedtls_x509_crt chain;
	mbedtls_x509_crt client_ca;
	mbedtls_pk_context key;
	struct random random;
	bool wants_cert;		/* of clients */
	size_t users;			/* connections */
	bool destroyed;			/* the last of them frees it */
};

/* A connection of c ends. */
void tls_context_leave(struct tls_context *c);

#endif
