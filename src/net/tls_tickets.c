#include <mbedtls/ssl_ticket.h>
#include <stdlib.h>
#include <uv.h>

#include "tls_priv.h"

#ifndef MBEDTLS_THREADING_C
#error "mbedTLS without threads: workers could not share the ticket keys"
#endif

#define TICKET_LIFETIME_S 86400

struct tls_tickets {
	mbedtls_ssl_ticket_context ctx;
	struct tls_random random;
};

int tls_tickets_create(struct tls_tickets **out)
{
	struct tls_tickets *t = calloc(1, sizeof(*t));
	int err;

	if (t == NULL)
		return UV_ENOMEM;
	mbedtls_ssl_ticket_init(&t->ctx);
	err = tls_random_init(&t->random);
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
	tls_random_deinit(&t->random);
	free(t);
}

void tls_tickets_use(struct tls_tickets *t, mbedtls_ssl_config *conf)
{
	mbedtls_ssl_conf_session_tickets_cb(conf, mbedtls_ssl_ticket_write,
					    mbedtls_ssl_ticket_parse, &t->ctx);
}
