#ifndef NET_TLS_TICKET_FILE_H
#define NET_TLS_TICKET_FILE_H

#include <stdint.h>

#include "tls_priv.h"

/* The keys of tickets, and the file that they outlive the process in. */
#define TLS_TICKET_LIFETIME_S UINT64_C(86400)
#define TLS_TICKET_NAME_LEN   16

struct tls_ticket_key {
	uint64_t made_s;		/* wall clock; 0: there is none */
	unsigned char name[TLS_TICKET_NAME_LEN];
	unsigned char secret[32];
};

struct tls_ticket_keys {
	struct tls_ticket_key current, previous;
};

/* Big endian. */
void tls_ticket_put_u64(unsigned char *p, uint64_t n);
uint64_t tls_ticket_get_u64(const unsigned char *p);

/* False: there is none, it is of no use, or others could have read it. */
bool tls_ticket_file_read(struct tls_ticket_keys *out, const char *path,
			  uint64_t now_s);

/* Replaces it whole; for the owner's eyes only. UV_E*. */
MUST_CHECK int tls_ticket_file_write(const char *path,
				     const struct tls_ticket_keys *keys);

#endif
