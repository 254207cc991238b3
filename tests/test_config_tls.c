#include "config_util.h"
#include "tls_rig.h"

/* The keys of a listener; @C and @K are files of a pair, @X another key's,
 * @L a revocation list. */
static const struct {
	const char *name;
	const char *keys;
	const char *diag;		/* without the paths; "": it loads */
} rows[] = {
	{ "neither", "", "" },
	{ "off", "tls = no\n", "" },
	{ "a pair", "tls = yes\ncert_file = @C\nkey_file = @K\n", "" },
	{ "no files", "tls = yes\n",
	  "t.conf:7:1: [listener \"main\"] tls needs cert_file and key_file\n"
	  "tls = yes\n^\n" },
	{ "no key", "tls = yes\ncert_file = @C\n",
	  "t.conf:7:1: [listener \"main\"] tls needs cert_file and key_file\n"
	  "tls = yes\n^\n" },
	{ "another's key", "tls = yes\ncert_file = @C\nkey_file = @X\n",
	  "t.conf:9:1: [listener \"main\"] key_file @X is not the key of the "
	  "first certificate in its cert_file\nkey_file = @X\n^\n" },
	{ "no such file", "tls = yes\ncert_file = /no/cert\nkey_file = @K\n",
	  "t.conf:8:1: [listener \"main\"] cert_file /no/cert cannot be read: "
	  "no such file or directory\n"
	  "cert_file = /no/cert\n^\n" },
	{ "no such key", "tls = yes\ncert_file = @C\nkey_file = /no/key\n",
	  "t.conf:9:1: [listener \"main\"] key_file /no/key cannot be read: "
	  "no such file or directory\nkey_file = /no/key\n^\n" },
	{ "a certificate without TLS", "cert_file = @C\n",
	  "t.conf:7:1: [listener \"main\"] has no use for this without "
	  "tls = yes\ncert_file = @C\n^\n" },
	{ "a key without TLS", "tls = no\nkey_file = @K\n",
	  "t.conf:8:1: [listener \"main\"] has no use for this without "
	  "tls = yes\nkey_file = @K\n^\n" },
	{ "a client's certificate",
	  "tls = yes\ncert_file = @C\nkey_file = @K\nclient_cert = required\n"
	  "client_ca_file = @C\n", "" },
	{ "nobody vouches",
	  "tls = yes\ncert_file = @C\nkey_file = @K\nclient_cert = required\n",
	  "t.conf:10:1: [listener \"main\"] client_cert needs "
	  "client_ca_file\nclient_cert = required\n^\n" },
	{ "nobody is asked",
	  "tls = yes\ncert_file = @C\nkey_file = @K\nclient_ca_file = @C\n",
	  "t.conf:10:1: [listener \"main\"] client_ca_file needs "
	  "client_cert = optional or required\nclient_ca_file = @C\n^\n" },
	{ "asked in the clear",
	  "client_cert = optional\nclient_ca_file = @C\n",
	  "t.conf:7:1: [listener \"main\"] has no use for this without "
	  "tls = yes\nclient_cert = optional\n^\n" },
	{ "a key that vouches",
	  "tls = yes\ncert_file = @C\nkey_file = @K\nclient_cert = optional\n"
	  "client_ca_file = @K\n",
	  "t.conf:11:1: [listener \"main\"] client_ca_file @K holds no "
	  "certificate in PEM\nclient_ca_file = @K\n^\n" },
	{ "a revocation list",
	  "tls = yes\ncert_file = @C\nkey_file = @K\nclient_cert = required\n"
	  "client_ca_file = @C\ncrl_file = @L\n", "" },
	{ "no such list",
	  "tls = yes\ncert_file = @C\nkey_file = @K\nclient_cert = required\n"
	  "client_ca_file = @C\ncrl_file = /no/crl\n",
	  "t.conf:12:1: [listener \"main\"] crl_file /no/crl cannot be read: "
	  "no such file or directory\ncrl_file = /no/crl\n^\n" },
	{ "a list that is none",
	  "tls = yes\ncert_file = @C\nkey_file = @K\nclient_cert = required\n"
	  "client_ca_file = @C\ncrl_file = @C\n",
	  "t.conf:12:1: [listener \"main\"] crl_file @C holds no revocation "
	  "list in PEM\ncrl_file = @C\n^\n" },
	{ "a list of nobody",
	  "tls = yes\ncert_file = @C\nkey_file = @K\ncrl_file = @L\n",
	  "t.conf:10:1: [listener \"main\"] crl_file needs client_ca_file\n"
	  "crl_file = @L\n^\n" },
	{ "who vouches for a CSE that speaks in the clear",
	  "[upstream \"cse\"]\nca_file = @C\n",
	  "t.conf:8:1: [upstream \"cse\"] has no use for this without an "
	  "https: url\nca_file = @C\n^\n" },
	{ "two pairs",
	  "tls = yes\ncert_file = @C @C\nkey_file = @K, @K\n", "" },
	{ "a key less", "tls = yes\ncert_file = @C @C\nkey_file = @K\n",
	  "t.conf:9:1: [listener \"main\"] key_file must name as many files "
	  "as cert_file, in its order\nkey_file = @K\n^\n" },
	{ "the second of another",
	  "tls = yes\ncert_file = @C @C\nkey_file = @K @X\n",
	  "t.conf:9:1: [listener \"main\"] key_file @X is not the key of the "
	  "first certificate in its cert_file\nkey_file = @K @X\n^\n" },
	{ "not a path", "tls = yes\ncert_file = \xc3\xa9\nkey_file = @K\n",
	  "t.conf:8:13: cert_file must name files in plain ASCII\n"
	  "cert_file = \xc3\xa9\n            ^\n" },
};

static struct tls_file cert, key, other, crl;

/* @C -> the path; or the other way round. */
static void replace(struct buf *b, const char *from, const char *to)
{
	struct buf out = { 0 };
	size_t n = strlen(from);

	for (size_t i = 0; i < b->len; i++) {
		if (b->len - i >= n && memcmp(b->p + i, from, n) == 0) {
			buf_add_str(&out, str_of(to));
			i += n - 1;
		} else {
			buf_add_char(&out, b->p[i]);
		}
	}
	buf_deinit(b);
	*b = out;
}

START_TEST(test_rows)
{
	struct buf text = { 0 }, diag = { 0 };
	struct loaded l;

	tls_file_write(&cert, EC256_CERT);
	tls_file_write(&key, EC256_KEY);
	tls_file_write(&other, EC384_KEY);
	tls_file_write(&crl, CA_CRL);
	buf_add_lit(&text, "[upstream \"cse\"]\nurl = http://127.0.0.1:8080\n"
			   "[auth]\nmode = open\n"
			   "[listener \"main\"]\nlisten = 127.0.0.1:8180\n");
	buf_add_str(&text, str_of(rows[_i].keys));
	replace(&text, "@C", cert.path);
	replace(&text, "@K", key.path);
	replace(&text, "@X", other.path);
	replace(&text, "@L", crl.path);
	load_text(&l, buf_str(&text));
	buf_add(&diag, l.diag, l.diag_len);
	replace(&diag, cert.path, "@C");
	replace(&diag, key.path, "@K");
	replace(&diag, other.path, "@X");
	replace(&diag, crl.path, "@L");
	ck_assert_msg(str_eq(buf_str(&diag), str_of(rows[_i].diag)),
		      "%s: %.*s", rows[_i].name, (int)diag.len, diag.p);
	if (rows[_i].diag[0] == '\0')
		ck_assert_int_eq(l.err, 0);
	loaded_free(&l);
	buf_deinit(&text);
	buf_deinit(&diag);
	unlink(cert.path);
	unlink(key.path);
	unlink(other.path);
	unlink(crl.path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_tls");
	TCase *tc = tcase_create("all");

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, test_rows, 0, ARRAY_LEN(rows));
	return unit_run(suite);
}
