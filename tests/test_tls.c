#include "tls_pair.h"

/* ---- files ---- */

#define BROKEN_CERT                       \
	"-----BEGIN CERTIFICATE-----\n"   \
	"MIIBszCCAVmgAwIBAgIUZ0xMuL1Kfz\n" \
	"-----END CERTIFICATE-----\n"

static const struct {
	const char *name;
	const char *cert, *key;
	const char *member;		/* NULL: they are fine */
	const char *why;
} file_rows[] = {
	{ "P-256", EC256_CERT, EC256_KEY, NULL, NULL },
	{ "P-384", EC384_CERT, EC384_KEY, NULL, NULL },
	{ "RSA", RSA2048_CERT, RSA2048_KEY, NULL, NULL },
	{ "no certificate", "", EC256_KEY, "cert_file",
	  "holds no certificate in PEM" },
	{ "words", "hello", EC256_KEY, "cert_file",
	  "holds no certificate in PEM" },
	{ "a key for a certificate", EC256_KEY, EC256_KEY, "cert_file",
	  "holds no certificate in PEM" },
	{ "broken certificate", BROKEN_CERT, EC256_KEY, "cert_file", "" },
	{ "no key", EC256_CERT, "", "key_file",
	  "holds no private key in PEM" },
	{ "a certificate for a key", EC256_CERT, EC256_CERT, "key_file",
	  "holds no private key in PEM" },
	{ "encrypted key", EC256_CERT, EC256_LOCKED, "key_file",
	  "is encrypted, which a daemon cannot open" },
	{ "another's key", EC256_CERT, EC384_KEY, "key_file",
	  "is not the key of the first certificate in its cert_file" },
	{ "another kind of key", EC256_CERT, RSA2048_KEY, "key_file",
	  "is not the key of the first certificate in its cert_file" },
	{ "curve that is not offered", EC521_CERT, EC521_KEY, "key_file",
	  "must hold an RSA key, or ECDSA on P-256 or P-384" },
	{ "short RSA key", RSA1024_CERT, RSA1024_KEY, "key_file",
	  "holds an RSA key of less than 2048 bits" },
};

START_TEST(test_files)
{
	struct tls_fault fault = { 0 };
	struct tls_context *c = tls_context_of(&fault, file_rows[_i].cert,
					       file_rows[_i].key, NULL);
	const char *name = file_rows[_i].name;

	ck_assert_msg((c != NULL) == (file_rows[_i].member == NULL), "%s: %s",
		      name, fault.why);
	if (c == NULL) {
		ck_assert_str_eq(fault.member, file_rows[_i].member);
		/* behind the name of the file */
		ck_assert_msg(fault.why[0] == '/' &&
			      strstr(fault.why, file_rows[_i].why) != NULL,
			      "%s: %s", name, fault.why);
	}
	tls_context_destroy(c);
}
END_TEST

START_TEST(test_no_file)
{
	struct tls_conf conf = {
		.cert_file = "/nowhere/cert.pem",
		.key_file = "/nowhere/key.pem",
	};
	struct tls_context *c;
	struct tls_fault fault;

	ck_assert_int_eq(tls_context_create(&c, &fault, &conf, NULL),
			 ERR_PROTO);
	ck_assert_str_eq(fault.member, "cert_file");
	ck_assert_str_eq(fault.why,
			 "/nowhere/cert.pem cannot be read: "
			 "no such file or directory");
}
END_TEST

/* ---- a client and the filter ---- */

static const size_t pieces[] = { SIZE_MAX, 1, 2, 3, 5, 7, 100, 1000, 16384 };

START_TEST(test_pieces)
{
	struct buf space = { 0 };
	struct str text = long_text(&space, 50000);
	struct pair p;

	pair_init(&p, EC256_CERT, EC256_KEY, NULL);
	p.piece = pieces[_i];
	shake(&p);
	tls_client_say(&p.client, STR("first"));
	talk(&p);
	ck_assert(str_eq(buf_str(&p.heard), STR("first")));
	buf_clear(&p.heard);
	tls_client_say(&p.client, text);
	talk(&p);
	ck_assert(str_eq(buf_str(&p.heard), text));
	write_back(&p, text);
	ck_assert(str_eq(buf_str(&p.client.heard), text));
	pair_deinit(&p);
	buf_deinit(&space);
}
END_TEST

/* The peer goes after every step of the handshake and of a record. */
START_TEST(test_cut)
{
	size_t all;
	struct pair p;

	pair_init(&p, EC256_CERT, EC256_KEY, NULL);
	shake(&p);
	tls_client_say(&p.client, STR("hello"));
	talk(&p);
	all = p.told;
	pair_deinit(&p);
	for (size_t n = 0; n < all; n += 1 + all / 100) {
		pair_init(&p, EC256_CERT, EC256_KEY, NULL);
		tls_client_start(&p.client);
		talk_to(&p, n);
		ck_assert_int_eq(p.end, 0);
		ck_assert_uint_eq(p.heard.len, 0);
		pair_deinit(&p);
	}
}
END_TEST

START_TEST(test_peer_closes)
{
	struct pair p;

	pair_init(&p, EC256_CERT, EC256_KEY, NULL);
	shake(&p);
	tls_client_say(&p.client, STR("last"));
	mbedtls_ssl_close_notify(&p.client.ssl);
	talk(&p);
	ck_assert(str_eq(buf_str(&p.heard), STR("last")));
	ck_assert_int_eq(p.end, UV_EOF);
	/* and stays so */
	tell(&p, STR("\x17\x03\x03"));
	ck_assert_int_eq(p.end, UV_EOF);
	pair_deinit(&p);
}
END_TEST

START_TEST(test_we_close)
{
	struct pair p;
	size_t len;

	pair_init(&p, EC256_CERT, EC256_KEY, NULL);
	tls_close(p.tls, &p.out);	/* nobody is there yet */
	ck_assert_uint_eq(p.out.len, 0);
	shake(&p);
	tls_close(p.tls, &p.out);
	len = p.out.len;
	ck_assert_uint_gt(len, 0);
	tls_close(p.tls, &p.out);
	ck_assert_uint_eq(p.out.len, len);
	ck_assert_int_eq(tls_write(p.tls, STR("more"), &p.out), UV_EPIPE);
	ck_assert_uint_eq(p.out.len, len);
	carry(&p, SIZE_MAX);
	tls_client_turn(&p.client);
	ck_assert_int_eq(p.client.code, MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
	pair_deinit(&p);
}
END_TEST

/* ---- nonsense ---- */

#define BYTES(literal) STR_INIT(literal)

/* A ClientHello of one record: version, and 32 octets of randomness. */
#define HELLO(version)                                                      \
	"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b" version                      \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\x00\x00\x04\xc0\x2b\xc0\x09\x01\x00"

static const struct {
	const char *name;
	struct str in;
	int end;
	int alert;			/* its description; -1: any */
} garbage_rows[] = {
	{ "plain HTTP", BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ERR_PROTO,
	  -1 },
	{ "zeroes", BYTES("\0\0\0\0\0\0\0\0\0\0\0\0"), ERR_PROTO, -1 },
	{ "SSL 2 hello", BYTES("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"),
	  ERR_PROTO, -1 },
	{ "data before the handshake",
	  BYTES("\x17\x03\x03\x00\x05hello"), ERR_PROTO, -1 },
	{ "record of 65535", BYTES("\x16\x03\x03\xff\xff\x01\x00"), ERR_PROTO,
	  -1 },
	{ "hello of nothing", BYTES("\x16\x03\x01\x00\x04\x01\x00\x00\x00"),
	  ERR_PROTO, -1 },
	{ "SSL 3", BYTES(HELLO("\x03\x00")), ERR_PROTO, 70 },
	{ "TLS 1.0", BYTES(HELLO("\x03\x01")), ERR_PROTO, 70 },
	{ "TLS 1.1", BYTES(HELLO("\x03\x02")), ERR_PROTO, 70 },
};

START_TEST(test_garbage)
{
	const char *name = garbage_rows[_i].name;
	int alert = garbage_rows[_i].alert;
	char space[128];
	struct pair p;

	for (size_t piece = 1; piece < 100; piece += 98) {
		struct str rest = garbage_rows[_i].in;

		pair_init(&p, EC256_CERT, EC256_KEY, NULL);
		while (rest.len > 0 && p.end == 0) {
			size_t n = rest.len < piece ? rest.len : piece;

			tell(&p, (struct str){ rest.p, n });
			rest = str_skip(rest, n);
		}
		ck_assert_msg(p.end == garbage_rows[_i].end, "%s: %zd", name,
			      p.end);
		ck_assert_uint_gt(tls_why(p.tls, space, sizeof(space)).len, 0);
		ck_assert_msg(p.out.len == 7 && p.out.p[0] == 0x15, "%s: %zu",
			      name, p.out.len);
		if (alert >= 0)
			ck_assert_msg(p.out.p[6] == alert, "%s", name);
		pair_deinit(&p);
	}
}
END_TEST

/* A record that was changed on the way. */
START_TEST(test_forged)
{
	struct pair p;
	size_t len;

	pair_init(&p, EC256_CERT, EC256_KEY, NULL);
	shake(&p);
	tls_client_say(&p.client, STR("good"));
	len = p.client.out.len;
	tls_client_say(&p.client, STR("bad"));
	p.client.out.p[len + 15] ^= 1;
	tell(&p, buf_str(&p.client.out));
	ck_assert(str_eq(buf_str(&p.heard), STR("good")));
	ck_assert_int_eq(p.end, ERR_PROTO);
	ck_assert_uint_gt(p.out.len, 0);	/* bad_record_mac */
	ck_assert_int_eq(tls_write(p.tls, STR("x"), &p.out), UV_EPIPE);
	len = p.out.len;
	tls_close(p.tls, &p.out);
	ck_assert_uint_eq(p.out.len, len);
	pair_deinit(&p);
}
END_TEST

/* The peer's fatal alert is not answered. */
START_TEST(test_alert)
{
	struct pair p;

	pair_init(&p, EC256_CERT, EC256_KEY, NULL);
	shake(&p);
	mbedtls_ssl_send_alert_message(&p.client.ssl,
				       MBEDTLS_SSL_ALERT_LEVEL_FATAL,
				       MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
	tell(&p, buf_str(&p.client.out));
	ck_assert_int_eq(p.end, ERR_PROTO);
	ck_assert_uint_eq(p.out.len, 0);
	pair_deinit(&p);
}
END_TEST

/* ---- what is offered ---- */

#define RSA   RSA2048_CERT, RSA2048_KEY
#define ECDSA EC256_CERT, EC256_KEY

static const struct {
	const char *name;
	int id;
	const char *cert, *key;
	bool taken;
} suite_rows[] = {
#define ROW(kind, name, taken) \
	{ #kind " " #name, MBEDTLS_TLS_ECDHE_##kind##_WITH_##name, kind, taken }
	ROW(ECDSA, AES_128_GCM_SHA256, true),
	ROW(ECDSA, AES_256_GCM_SHA384, true),
	ROW(ECDSA, CHACHA20_POLY1305_SHA256, true),
	ROW(ECDSA, AES_128_CBC_SHA, false),
	ROW(ECDSA, AES_256_CBC_SHA384, false),
	ROW(ECDSA, AES_128_CCM, false),
	ROW(ECDSA, AES_128_CCM_8, false),
	ROW(RSA, AES_128_GCM_SHA256, true),
	ROW(RSA, AES_256_GCM_SHA384, true),
	ROW(RSA, CHACHA20_POLY1305_SHA256, true),
	ROW(RSA, AES_128_CBC_SHA, false),
	{ "RSA without ECDHE", MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256, RSA,
	  false },
	{ "DHE", MBEDTLS_TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, RSA, false },
};

START_TEST(test_suites)
{
	int only[] = { suite_rows[_i].id, 0 };
	struct pair p;

	pair_init(&p, suite_rows[_i].cert, suite_rows[_i].key, NULL);
	tls_client_only_1_2(&p.client);
	mbedtls_ssl_conf_ciphersuites(&p.client.conf, only);
	tls_client_start(&p.client);
	talk(&p);
	ck_assert_msg(tls_is_open(p.tls) == suite_rows[_i].taken, "%s",
		      suite_rows[_i].name);
	ck_assert(p.client.open == suite_rows[_i].taken);
	pair_deinit(&p);
}
END_TEST

/* ---- certificates of clients ---- */

static const struct {
	const char *name;
	enum tls_client_cert asked;
	const char *cert, *key;		/* NULL: the client has none */
	bool open;
	const char *peer;
} client_rows[] = {
	{ "not asked", TLS_CLIENT_NONE, METER_CERT, METER_KEY, true, "" },
	{ "optional, none", TLS_CLIENT_OPTIONAL, NULL, NULL, true, "" },
	{ "optional, good", TLS_CLIENT_OPTIONAL, METER_CERT, METER_KEY, true,
	  "urn:example:Cmeter7" },
	{ "optional, of nobody", TLS_CLIENT_OPTIONAL, EC384_CERT, EC384_KEY,
	  false, "" },
	{ "required, none", TLS_CLIENT_REQUIRED, NULL, NULL, false, "" },
	{ "required, good", TLS_CLIENT_REQUIRED, METER_CERT, METER_KEY, true,
	  "urn:example:Cmeter7" },
	{ "without a URI", TLS_CLIENT_REQUIRED, EC256_CERT, EC256_KEY, true,
	  "localhost" },
	{ "required, of nobody", TLS_CLIENT_REQUIRED, EC384_CERT, EC384_KEY,
	  false, "" },
};

/* Two who vouch for themselves; by 1.2 and by what else there is. */
START_TEST(test_client_cert)
{
	char both[4096];
	int row = _i / 2;
	struct tls_own own;
	struct pair p;

	snprintf(both, sizeof(both), "%s%s", METER_CERT, EC256_CERT);
	pair_init_asking(&p, client_rows[row].asked, both, NULL);
	if (_i % 2 == 0)
		tls_client_only_1_2(&p.client);
	tls_own_init(&own, &p.client, client_rows[row].cert,
		     client_rows[row].key);
	tls_client_start(&p.client);
	talk(&p);
	ck_assert_msg(tls_is_open(p.tls) == client_rows[row].open, "%s",
		      client_rows[row].name);
	ck_assert_msg(str_eq(tls_peer_name(p.tls),
			     str_of(client_rows[row].peer)),
		      "%s", client_rows[row].name);
	if (!client_rows[row].open) {
		ck_assert_int_eq(p.end, ERR_PROTO);
		/* mbedTLS 3.6 says some alerts with the wrong keys */
		ck_assert_int_ne(p.client.code, 0);
	}
	pair_deinit(&p);
	tls_own_deinit(&own);
}
END_TEST

static const struct {
	const char *name;
	const char *crl;		/* NULL: none is looked at */
	const char *cert, *key;
	bool open;
} revoked_rows[] = {
	{ "without a list", NULL, REVOKED_CERT, EC256_KEY, true },
	{ "revoked", CA_CRL, REVOKED_CERT, EC256_KEY, false },
	{ "not revoked", CA_CRL, GOOD_CERT, METER_KEY, true },
};

START_TEST(test_revoked)
{
	struct tls_own own;
	struct pair p;

	pair_init_asking(&p, TLS_CLIENT_OPTIONAL, CA_CERT,
			 revoked_rows[_i].crl);
	tls_own_init(&own, &p.client, revoked_rows[_i].cert,
		     revoked_rows[_i].key);
	tls_client_start(&p.client);
	talk(&p);
	ck_assert_msg(tls_is_open(p.tls) == revoked_rows[_i].open, "%s",
		      revoked_rows[_i].name);
	pair_deinit(&p);
	tls_own_deinit(&own);
}
END_TEST

#ifdef MBEDTLS_SSL_RENEGOTIATION
/* Refused; what was agreed on stays. */
START_TEST(test_renegotiation)
{
	struct pair p;

	pair_init(&p, EC256_CERT, EC256_KEY, NULL);
	tls_client_only_1_2(&p.client);
	mbedtls_ssl_conf_renegotiation(&p.client.conf,
				       MBEDTLS_SSL_RENEGOTIATION_ENABLED);
	shake(&p);
	ck_assert_int_eq(mbedtls_ssl_renegotiate(&p.client.ssl),
			 MBEDTLS_ERR_SSL_WANT_READ);
	carry(&p, SIZE_MAX);
	ck_assert_int_eq(p.end, 0);
	/* no_renegotiation, and no ServerHello */
	ck_assert_uint_gt(p.client.in.len, 0);
	ck_assert_uint_lt(p.client.in.len, 40);
	ck_assert_int_eq(p.client.in.p[0], 0x15);
	pair_deinit(&p);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("tls");
	TCase *tc = tcase_create("all");

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_files, 0, ARRAY_LEN(file_rows));
	tcase_add_test(tc, test_no_file);
	tcase_add_loop_test(tc, test_pieces, 0, ARRAY_LEN(pieces));
	tcase_add_test(tc, test_cut);
	tcase_add_test(tc, test_peer_closes);
	tcase_add_test(tc, test_we_close);
	tcase_add_loop_test(tc, test_garbage, 0, ARRAY_LEN(garbage_rows));
	tcase_add_test(tc, test_forged);
	tcase_add_test(tc, test_alert);
	tcase_add_loop_test(tc, test_suites, 0, ARRAY_LEN(suite_rows));
	tcase_add_loop_test(tc, test_client_cert, 0,
			    2 * ARRAY_LEN(client_rows));
	tcase_add_loop_test(tc, test_revoked, 0, ARRAY_LEN(revoked_rows));
#ifdef MBEDTLS_SSL_RENEGOTIATION
	tcase_add_test(tc, test_renegotiation);
#endif
	return unit_run(suite);
}
