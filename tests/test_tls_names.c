#include "tls_pair.h"

#include "net/tls_priv.h"

static void parse(mbedtls_x509_crt *out, const char *pem)
{
	mbedtls_x509_crt_init(out);
	ck_assert_int_eq(mbedtls_x509_crt_parse(out, (const unsigned char *)pem,
						strlen(pem) + 1), 0);
}

static const struct {
	const char *name;
	const char *cert;
	const char *host;
	bool is_for;
} name_rows[] = {
	{ "its name", NAMES_CERT, "a.example", true },
	{ "case does not count", NAMES_CERT, "A.eXample", true },
	{ "a part of it", NAMES_CERT, "a.exampl", false },
	{ "more than it", NAMES_CERT, "a.example.org", false },
	{ "below it", NAMES_CERT, "x.a.example", false },
	{ "a wildcard", NAMES_CERT, "x.w.example", true },
	{ "a wildcard's case", NAMES_CERT, "X.W.EXAMPLE", true },
	{ "a wildcard is one label", NAMES_CERT, "x.y.w.example", false },
	{ "a wildcard is a label", NAMES_CERT, "w.example", false },
	{ "no empty label", NAMES_CERT, ".w.example", false },
	{ "names hide the common name", NAMES_CERT, "ignored.example", false },
	{ "an address is no name", NAMES_CERT, "127.0.0.1", false },
	{ "nothing", NAMES_CERT, "", false },
	{ "a common name", COMMON_CERT, "b.example", true },
	{ "another common name", COMMON_CERT, "a.example", false },
	{ "a name that is no dNSName", METER_CERT, "urn:example:Cmeter7",
	  false },
};

START_TEST(test_names)
{
	mbedtls_x509_crt cert;

	parse(&cert, name_rows[_i].cert);
	ck_assert_msg(tls_cert_is_for(&cert, str_of(name_rows[_i].host)) ==
			      name_rows[_i].is_for,
		      "%s", name_rows[_i].name);
	mbedtls_x509_crt_free(&cert);
}
END_TEST

/* ---- what a client gets ---- */

#define ANY   0
#define ECDSA MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
#define RSA   MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256

static const struct {
	const char *name;
	const char *host;		/* NULL: none is named */
	int suite;
	const char *cert;		/* NULL: no agreement */
} sni_rows[] = {
	{ "none", NULL, ANY, NAMES_CERT },
	{ "none, and RSA", NULL, RSA, NAMES_RSA_CERT },
	{ "unknown", "z.example", ANY, NAMES_CERT },
	{ "unknown, and RSA", "z.example", RSA, NAMES_RSA_CERT },
	{ "the first", "a.example", ANY, NAMES_CERT },
	{ "its alternative", "a.example", RSA, NAMES_RSA_CERT },
	{ "a wildcard", "q.w.example", ANY, NAMES_CERT },
	{ "without an alternative", "q.w.example", RSA, NULL },
	{ "the last", "B.example", ANY, COMMON_CERT },
	{ "the last, ECDSA", "b.example", ECDSA, COMMON_CERT },
	{ "the last has no other", "b.example", RSA, NULL },
};

/* Pairs of a list; files are the test's. */
static void init_pairs(struct pair *p, const char *const pems[][2], size_t n)
{
	struct tls_file files[2 * TLS_PAIRS_MAX];
	struct buf certs = { 0 }, keys = { 0 };
	struct tls_conf conf;

	for (size_t i = 0; i < n; i++) {
		buf_add_str(&certs, str_of(tls_file_write(&files[2 * i],
							  pems[i][0])));
		buf_add_char(&certs, i % 2 == 0 ? ' ' : ',');
		buf_add_str(&keys, str_of(tls_file_write(&files[2 * i + 1],
							 pems[i][1])));
		buf_add_lit(&keys, ", ");
	}
	buf_add_char(&certs, '\0');
	buf_add_char(&keys, '\0');
	conf = (struct tls_conf){ .cert_file = certs.p, .key_file = keys.p };
	pair_init_conf(p, &conf, NULL);
	for (size_t i = 0; i < 2 * n; i++)
		unlink(files[i].path);
	buf_deinit(&certs);
	buf_deinit(&keys);
}

static void check_shown(const struct pair *p, const char *pem,
			const char *name)
{
	const mbedtls_x509_crt *got = mbedtls_ssl_get_peer_cert(&p->client.ssl);
	mbedtls_x509_crt want;

	parse(&want, pem);
	ck_assert_ptr_nonnull(got);
	ck_assert_msg(got->raw.len == want.raw.len &&
		      memcmp(got->raw.p, want.raw.p, want.raw.len) == 0, "%s",
		      name);
	mbedtls_x509_crt_free(&want);
}

START_TEST(test_sni)
{
	static const char *const pems[][2] = {
		{ NAMES_CERT, EC256_KEY },
		{ NAMES_RSA_CERT, RSA2048_KEY },
		{ COMMON_CERT, METER_KEY },
	};
	int only[] = { sni_rows[_i].suite, 0 };
	struct pair p;

	init_pairs(&p, pems, ARRAY_LEN(pems));
	if (only[0] != ANY) {
		tls_client_only_1_2(&p.client);
		mbedtls_ssl_conf_ciphersuites(&p.client.conf, only);
	}
	tls_client_start(&p.client);
	ck_assert_int_eq(mbedtls_ssl_set_hostname(&p.client.ssl,
						  sni_rows[_i].host), 0);
	talk(&p);
	ck_assert_msg(p.client.open == (sni_rows[_i].cert != NULL), "%s",
		      sni_rows[_i].name);
	ck_assert(tls_is_open(p.tls) == p.client.open);
	if (p.client.open)
		check_shown(&p, sni_rows[_i].cert, sni_rows[_i].name);
	pair_deinit(&p);
}
END_TEST

START_TEST(test_many)
{
	const char *pems[TLS_PAIRS_MAX][2];
	struct pair p;

	for (size_t i = 0; i < ARRAY_LEN(pems); i++) {
		pems[i][0] = EC256_CERT;
		pems[i][1] = EC256_KEY;
	}
	pems[TLS_PAIRS_MAX - 1][0] = COMMON_CERT;
	pems[TLS_PAIRS_MAX - 1][1] = METER_KEY;
	init_pairs(&p, pems, TLS_PAIRS_MAX);
	tls_client_start(&p.client);
	ck_assert_int_eq(mbedtls_ssl_set_hostname(&p.client.ssl, "b.example"),
			 0);
	talk(&p);
	check_shown(&p, COMMON_CERT, "the last of many");
	pair_deinit(&p);
}
END_TEST

/* ---- lists that are wrong ---- */

static const struct {
	const char *name;
	const char *certs, *keys;	/* @: a pair's own file */
	const char *member, *why;
} list_rows[] = {
	{ "none", "", "", "cert_file", "names no file" },
	{ "blanks", " ,", ",", "cert_file", "names no file" },
	{ "a key less", "@ @", "@", "key_file",
	  "must name as many files as cert_file, in its order" },
	{ "a key more", "@", "@,@", "key_file",
	  "must name as many files as cert_file, in its order" },
	{ "the second is missing", "@ /no/b.pem", "@ /no/k.pem", "cert_file",
	  "/no/b.pem cannot be read: no such file or directory" },
	{ "the second key is missing", "@,@", "@,/no/k.pem", "key_file",
	  "/no/k.pem cannot be read: no such file or directory" },
};

static char *expand(const char *list, const char *path)
{
	struct buf b = { 0 };

	for (; *list != '\0'; list++)
		if (*list == '@')
			buf_add_str(&b, str_of(path));
		else
			buf_add_char(&b, *list);
	buf_add_char(&b, '\0');
	return b.p;
}

START_TEST(test_lists)
{
	struct tls_file cert, key;
	struct tls_conf conf = {
		.cert_file = expand(list_rows[_i].certs,
				    tls_file_write(&cert, EC256_CERT)),
		.key_file = expand(list_rows[_i].keys,
				   tls_file_write(&key, EC256_KEY)),
	};
	struct tls_context *c;
	struct tls_fault fault;

	ck_assert_int_eq(tls_context_create(&c, &fault, &conf, NULL),
			 ERR_PROTO);
	ck_assert_str_eq(fault.member, list_rows[_i].member);
	ck_assert_str_eq(fault.why, list_rows[_i].why);
	unlink(cert.path);
	unlink(key.path);
	free((char *)conf.cert_file);
	free((char *)conf.key_file);
}
END_TEST

START_TEST(test_too_many)
{
	char list[4 * TLS_PAIRS_MAX + 8] = "";
	struct tls_conf conf = { .cert_file = list, .key_file = list };
	struct tls_context *c;
	struct tls_fault fault;

	for (int i = 0; i <= TLS_PAIRS_MAX; i++)
		strcat(list, "/x ");
	ck_assert_int_eq(tls_context_create(&c, &fault, &conf, NULL),
			 ERR_PROTO);
	ck_assert_str_eq(fault.why, "names too many files");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_names");
	TCase *tc = tcase_create("all");

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_names, 0, ARRAY_LEN(name_rows));
	tcase_add_loop_test(tc, test_sni, 0, ARRAY_LEN(sni_rows));
	tcase_add_test(tc, test_many);
	tcase_add_loop_test(tc, test_lists, 0, ARRAY_LEN(list_rows));
	tcase_add_test(tc, test_too_many);
	return unit_run(suite);
}
