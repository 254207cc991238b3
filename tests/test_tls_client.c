#include "tls_rig.h"

#include <uv.h>

/* Both sides are the filter. */
struct side {
	struct tls_context *ctx;
	struct tls *tls;
	struct buf out, heard;
	ssize_t end;			/* of tls_read(); 0: goes on */
};

static void side_deinit(struct side *s)
{
	tls_destroy(s->tls);
	tls_context_destroy(s->ctx);
	buf_deinit(&s->out);
	buf_deinit(&s->heard);
}

/* asks: clients for a certificate of CA_CERT's. */
static void init_server(struct side *s, const char *cert, const char *key,
			bool asks)
{
	struct tls_file files[3];
	struct tls_conf conf = {
		.cert_file = tls_file_write(&files[0], cert),
		.key_file = tls_file_write(&files[1], key),
		.client_cert = asks ? TLS_CLIENT_REQUIRED : TLS_CLIENT_NONE,
		.client_ca_file = tls_file_write(&files[2], CA_CERT),
	};
	struct tls_fault fault;

	*s = (struct side){ 0 };
	ck_assert_int_eq(tls_context_create(&s->ctx, &fault, &conf, NULL), 0);
	ck_assert_int_eq(tls_create(&s->tls, s->ctx), 0);
	ck_assert(!tls_is_client(s->tls));
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(files[i].path);
}

/* NULL with fault. cert may be NULL. */
static struct tls_context *client_of(struct tls_fault *fault, const char *host,
				     const char *ca, const char *cert,
				     const char *key)
{
	struct tls_file files[3];
	struct tls_client_conf conf = {
		.host = host,
		.ca_file = tls_file_write(&files[0], ca),
	};
	struct tls_context *c = NULL;
	size_t n = 1;
	int err;

	if (cert != NULL) {
		conf.cert_file = tls_file_write(&files[n++], cert);
		conf.key_file = tls_file_write(&files[n++], key);
	}
	err = tls_context_create_client(&c, fault, &conf);
	while (n > 0)
		unlink(files[--n].path);
	return err ? NULL : c;
}

static void init_client(struct side *s, const char *host, const char *ca,
			const char *cert, const char *key)
{
	struct tls_fault fault = { 0 };

	*s = (struct side){ 0 };
	s->ctx = client_of(&fault, host, ca, cert, key);
	ck_assert_msg(s->ctx != NULL, "%s", fault.why);
	ck_assert_int_eq(tls_create(&s->tls, s->ctx), 0);
	ck_assert(tls_is_client(s->tls));
}

/* What the other side has said. */
static void hear(struct side *to, struct side *from)
{
	struct str in = buf_str(&from->out);
	char plain[4096];
	ssize_t n;

	do {
		n = tls_read(to->tls, &in, plain, sizeof(plain), &to->out);
		if (n > 0)
			buf_add(&to->heard, plain, (size_t)n);
	} while (n > 0);
	if (to->end == 0)
		to->end = n;
	buf_clear(&from->out);
}

static void talk(struct side *client, struct side *server)
{
	hear(client, server);		/* of nothing: it begins */
	while (client->out.len > 0 || server->out.len > 0) {
		hear(server, client);
		hear(client, server);
	}
}

#define NAMES  NAMES_CERT, EC256_KEY
#define COMMON COMMON_CERT, METER_KEY
#define NOBODY NULL, NULL
#define NAME   "does not match with the expected CN"
#define SIGNER "not correctly signed by the trusted CA"

static const struct {
	const char *name;
	const char *server, *server_key;
	bool asks;
	const char *host;
	const char *ca;
	const char *cert, *key;
	const char *why;		/* part of it; NULL: it opens */
} rows[] = {
	{ "its name", NAMES, false, "a.example", NAMES_CERT, NOBODY, NULL },
	{ "in capitals", NAMES, false, "A.Example", NAMES_CERT, NOBODY, NULL },
	{ "a wildcard", NAMES, false, "x.w.example", NAMES_CERT, NOBODY,
	  NULL },
	{ "another name", NAMES, false, "b.example", NAMES_CERT, NOBODY,
	  NAME },
	{ "a hidden common name", NAMES, false, "ignored.example", NAMES_CERT,
	  NOBODY, NAME },
	{ "a common name", COMMON, false, "b.example", COMMON_CERT, NOBODY,
	  NULL },
	{ "an address", NAMES, false, "127.0.0.1", NAMES_CERT, NOBODY, NULL },
	{ "an address of 16", NAMES, false, "::1", NAMES_CERT, NOBODY, NULL },
	{ "another address", NAMES, false, "127.0.0.2", NAMES_CERT, NOBODY,
	  NAME },
	{ "another address of 16", NAMES, false, "::2", NAMES_CERT, NOBODY,
	  NAME },
	{ "no address", COMMON, false, "127.0.0.1", COMMON_CERT, NOBODY,
	  NAME },
	{ "unknown", NAMES, false, "a.example", EC384_CERT, NOBODY, SIGNER },
	{ "expired", EXPIRED_CERT, EC256_KEY, false, "a.example", CA_CERT,
	  NOBODY, "validity has expired" },
	{ "we are asked, and good", NAMES, true, "a.example", NAMES_CERT,
	  GOOD_CERT, METER_KEY, NULL },
	{ "we are not asked", NAMES, false, "a.example", NAMES_CERT,
	  GOOD_CERT, METER_KEY, NULL },
};

START_TEST(test_rows)
{
	const char *why = rows[_i].why;
	struct side client, server;
	char space[128] = "";
	struct str said;

	init_server(&server, rows[_i].server, rows[_i].server_key,
		    rows[_i].asks);
	init_client(&client, rows[_i].host, rows[_i].ca, rows[_i].cert,
		    rows[_i].key);
	talk(&client, &server);
	said = tls_why(client.tls, space, sizeof(space));
	ck_assert_msg(tls_is_open(client.tls) == (why == NULL), "%s: %.*s",
		      rows[_i].name, (int)said.len, said.p);
	if (why == NULL) {
		ck_assert_uint_eq(said.len, 0);
		ck_assert_int_eq(tls_write(client.tls, STR("hello"),
					   &client.out), 0);
		hear(&server, &client);
		ck_assert(str_eq(buf_str(&server.heard), STR("hello")));
	} else {
		ck_assert_int_eq(client.end, ERR_PROTO);
		ck_assert_msg(strstr(space, why) != NULL, "%s: %s",
			      rows[_i].name, space);
		/* and the server is told */
		ck_assert_int_eq(server.end, ERR_PROTO);
	}
	side_deinit(&client);
	side_deinit(&server);
}
END_TEST

/* By 1.2 the handshake fails, by 1.3 what follows it. */
START_TEST(test_refused_by_the_server)
{
	struct side client, server;
	char why[128];

	init_server(&server, NAMES, true);
	if (_i == 0)
		init_client(&client, "a.example", NAMES_CERT, NOBODY);
	else
		init_client(&client, "a.example", NAMES_CERT, EC384_CERT,
			    EC384_KEY);
	talk(&client, &server);
	ck_assert(!tls_is_open(server.tls));
	ck_assert_int_eq(client.end, ERR_PROTO);
	ck_assert_uint_gt(tls_why(client.tls, why, sizeof(why)).len, 0);
	side_deinit(&client);
	side_deinit(&server);
}
END_TEST

START_TEST(test_closes)
{
	struct side client, server;
	char why[128];

	init_server(&server, NAMES, false);
	init_client(&client, "a.example", NAMES_CERT, NOBODY);
	talk(&client, &server);
	tls_close(server.tls, &server.out);
	hear(&client, &server);
	ck_assert_int_eq(client.end, UV_EOF);
	ck_assert_uint_eq(tls_why(client.tls, why, sizeof(why)).len, 0);
	side_deinit(&client);
	side_deinit(&server);
}
END_TEST

static const struct {
	const char *name;
	const char *ca, *cert, *key;
	const char *member, *why;	/* part of it */
} file_rows[] = {
	{ "no authority", "", NOBODY, "ca_file",
	  "holds no certificate in PEM" },
	{ "another's key", CA_CERT, GOOD_CERT, EC384_KEY, "key_file",
	  "is not the key of" },
	{ "no key", CA_CERT, GOOD_CERT, "", "key_file",
	  "holds no private key in PEM" },
};

START_TEST(test_files)
{
	struct tls_fault fault = { 0 };
	struct tls_context *c = client_of(&fault, "h", file_rows[_i].ca,
					  file_rows[_i].cert,
					  file_rows[_i].key);

	ck_assert_msg(c == NULL, "%s", file_rows[_i].name);
	ck_assert_str_eq(fault.member, file_rows[_i].member);
	ck_assert_msg(strstr(fault.why, file_rows[_i].why) != NULL, "%s: %s",
		      file_rows[_i].name, fault.why);
}
END_TEST

/* A list is a server's. */
START_TEST(test_one_pair)
{
	struct tls_file ca;
	struct tls_client_conf conf = {
		.host = "h",
		.ca_file = tls_file_write(&ca, CA_CERT),
		.cert_file = "/a,/b",
		.key_file = "/a,/b",
	};
	struct tls_fault fault;
	struct tls_context *c;

	ck_assert_int_eq(tls_context_create_client(&c, &fault, &conf),
			 ERR_PROTO);
	ck_assert_str_eq(fault.why, "names too many files");
	unlink(ca.path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_client");
	TCase *tc = tcase_create("all");

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_rows, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(tc, test_refused_by_the_server, 0, 2);
	tcase_add_test(tc, test_closes);
	tcase_add_loop_test(tc, test_files, 0, ARRAY_LEN(file_rows));
	tcase_add_test(tc, test_one_pair);
	return unit_run(suite);
}
