#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

/*
 * TLS as a filter: bytes to bytes, no I/O, no clock but that of certificates.
 * TLS 1.2 or later, only ephemeral ECDH with AEAD ciphers.
 */

/* Keys of session tickets. Any thread: who resumes a session may come to
 * another worker than the one that began it. */
struct tls_tickets;

/* A certificate with its key, and what is offered. One thread at a time does
 * handshakes with it; others may use connections that are open. */
struct tls_context;

/* One connection. */
struct tls;

/* Whether clients are asked for a certificate. One that client_ca_file does not
 * vouch for is refused in either case. */
enum tls_client_cert {
	TLS_CLIENT_NONE,
	TLS_CLIENT_OPTIONAL,
	TLS_CLIENT_REQUIRED,
};

/*
 * Files in PEM. A chain begins with the server's own certificate; keys are RSA
 * from 2048 bits on, or ECDSA on P-256 or P-384. There may be several of both,
 * in the same order, with spaces or commas between: a client gets those of the
 * name that it asks for (SNI), or the first. Of several for one name, the first
 * that it understands.
 */
#define TLS_PAIRS_MAX 64
struct tls_conf {
	const char *cert_file;
	const char *key_file;
	enum tls_client_cert client_cert;
	const char *client_ca_file;	/* unless TLS_CLIENT_NONE */
	const char *crl_file;		/* clients that these no longer vouch
					 * for; NULL or empty: none */
};

/* What is wrong: of which member (cert_file, ...), and a sentence that begins
 * with the file, or with its verb where it is said of the member. */
#define TLS_WHY_MAX 512
struct tls_fault {
	const char *member;
	char why[TLS_WHY_MAX];
};

struct tls_tickets_conf {
	uint64_t (*now_ms)(void);	/* wall clock */
	const char *file;		/* keeps the keys, for the next process;
					 * NULL: nothing does */
};

/* A file that is of no use, or cannot be written, is only a warning in the
 * log. UV_EIO: the system has no randomness. */
MUST_CHECK int tls_tickets_create(struct tls_tickets **out,
				  const struct tls_tickets_conf *conf);
void tls_tickets_destroy(struct tls_tickets *t);

/* Reads the files. tickets are borrowed, NULL: no session is resumed, as is the
 * case where clients are asked for certificates.
 * ERR_PROTO: fault tells what is wrong. */
MUST_CHECK int tls_context_create(struct tls_context **out,
				  struct tls_fault *fault,
				  const struct tls_conf *conf,
				  struct tls_tickets *tickets);

/* The other side: towards one server, that is always verified. */
struct tls_client_conf {
	const char *host;		/* a name or an address, which the
					 * server's certificate must give */
	const char *ca_file;		/* who vouch for it */
	const char *cert_file;		/* our own, and its key; NULL or */
	const char *key_file;		/* empty: we have none */
};

/* Likewise. */
MUST_CHECK int tls_context_create_client(struct tls_context **out,
					 struct tls_fault *fault,
					 const struct tls_client_conf *conf);

/* Its connections keep what they need of it until the last one ends. */
void tls_context_destroy(struct tls_context *c);

/* On the thread that destroys the context. */
MUST_CHECK int tls_create(struct tls **out, struct tls_context *c);
void tls_destroy(struct tls *t);

/* The handshake is done: plaintext may be written. */
bool tls_is_open(const struct tls *t);

/* It has the first word: tls_read() or tls_shake() of nothing begins. */
bool tls_is_client(const struct tls *t);

/*
 * The handshake alone, with what the peer sent in the front of in, which
 * shrinks. 0: it is open, or all of in is taken and more is needed. Errors and
 * out as tls_read(). The thread may be another one than that of other calls.
 */
MUST_CHECK int tls_shake(struct tls *t, struct str *in, struct buf *out);

/*
 * Decrypts from the front of in, which shrinks, to plain: gives the number of
 * octets there; 0: all of in is taken and more is needed. UV_EOF: the peer has
 * closed in order. ERR_PROTO, UV_ENOMEM: the connection is over. What is to be
 * sent meanwhile (handshake, alerts) is appended to out, in any case.
 */
MUST_CHECK ssize_t tls_read(struct tls *t, struct str *in, char *plain,
			    size_t len, struct buf *out);

/* Encrypts all of plain to the end of out; the handshake is done. */
MUST_CHECK int tls_write(struct tls *t, struct str plain, struct buf *out);

/* Appends the close_notify to out, once and if there is anybody to hear it. */
void tls_close(struct tls *t, struct buf *out);

/* Whom the peer's certificate names: its first URI (subjectAltName), or else
 * its common name; empty without a certificate. Good as long as t. */
struct str tls_peer_name(const struct tls *t);

/* Why tls_read() failed; empty: it did not. */
struct str tls_why(const struct tls *t, char *space, size_t len);

#endif
