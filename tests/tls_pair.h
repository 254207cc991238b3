#ifndef TESTS_TLS_PAIR_H
#define TESTS_TLS_PAIR_H

#include <uv.h>

#include "tls_rig.h"

/* A client of mbedTLS, and the filter as its server. */
struct pair {
	struct tls_context *ctx;
	struct tls *tls;
	struct tls_client client;
	struct buf heard;		/* by the server */
	struct buf out;			/* of the server, not delivered */
	size_t piece;			/* octets the server gets at a time */
	size_t told, said;		/* octets in all, to and by it */
	ssize_t end;			/* of tls_read(); 0: goes on */
};

static inline void pair_init_conf(struct pair *p, const struct tls_conf *conf,
				  struct tls_tickets *tickets)
{
	struct tls_fault fault = { 0 };

	*p = (struct pair){ .piece = SIZE_MAX };
	ck_assert_msg(tls_context_create(&p->ctx, &fault, conf, tickets) == 0,
		      "%s %s", fault.member, fault.why);
	ck_assert_int_eq(tls_create(&p->tls, p->ctx), 0);
	tls_client_init(&p->client);
}

static inline void pair_init(struct pair *p, const char *cert, const char *key,
			     struct tls_tickets *tickets)
{
	struct tls_file files[2];
	struct tls_conf conf = {
		.cert_file = tls_file_write(&files[0], cert),
		.key_file = tls_file_write(&files[1], key),
	};

	pair_init_conf(p, &conf, tickets);
	unlink(files[0].path);
	unlink(files[1].path);
}

static inline void pair_deinit(struct pair *p)
{
	tls_client_deinit(&p->client);
	tls_destroy(p->tls);
	tls_context_destroy(p->ctx);
	buf_deinit(&p->heard);
	buf_deinit(&p->out);
}

/* Of a server that asks its clients who they are. crl may be NULL. */
static inline void pair_init_asking(struct pair *p, enum tls_client_cert asked,
				    const char *ca, const char *crl)
{
	struct tls_file files[4];
	struct tls_conf conf = {
		.cert_file = tls_file_write(&files[0], EC256_CERT),
		.key_file = tls_file_write(&files[1], EC256_KEY),
		.client_cert = asked,
		.client_ca_file = tls_file_write(&files[2], ca),
		.crl_file = tls_file_write(&files[3], crl != NULL ? crl : ""),
	};

	if (crl == NULL)
		conf.crl_file = NULL;

	pair_init_conf(p, &conf, NULL);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(files[i].path);
}

/* Octets for the server, as they are. */
static inline void tell(struct pair *p, struct str in)
{
	char plain[4096];
	ssize_t n;

	p->told += in.len;
	do {
		n = tls_read(p->tls, &in, plain, sizeof(plain), &p->out);
		if (n > 0)
			buf_add(&p->heard, plain, (size_t)n);
	} while (n > 0);
	ck_assert(n < 0 || in.len == 0);
	p->end = n;
}

/* What the client has said, but no more than `limit` octets. */
static inline void carry(struct pair *p, size_t limit)
{
	struct str in = buf_str(&p->client.out);
	struct str rest;

	if (in.len > limit)
		in.len = limit;
	rest = in;
	while (rest.len > 0 && p->end == 0) {
		size_t n = rest.len < p->piece ? rest.len : p->piece;

		tell(p, (struct str){ rest.p, n });
		rest = str_skip(rest, n);
	}
	buf_consume(&p->client.out, in.len);
	p->said += p->out.len;
	buf_add_str(&p->client.in, buf_str(&p->out));
	buf_clear(&p->out);
}

/* Until neither has anything to say, or the server heard `limit` octets. */
static inline void talk_to(struct pair *p, size_t limit)
{
	for (;;) {
		tls_client_turn(&p->client);
		if (p->client.out.len == 0 || p->told == limit)
			return;
		carry(p, limit - p->told);
	}
}

static inline void talk(struct pair *p)
{
	talk_to(p, SIZE_MAX);
}

static inline void shake(struct pair *p)
{
	tls_client_start(&p->client);
	talk(p);
	ck_assert_msg(p->client.open && tls_is_open(p->tls), "client: -0x%x",
		      (unsigned)-p->client.code);
	ck_assert_int_eq(p->end, 0);
}

static inline void write_back(struct pair *p, struct str text)
{
	ck_assert_int_eq(tls_write(p->tls, text, &p->out), 0);
	carry(p, SIZE_MAX);
	talk(p);
}

#endif
