#include <errno.h>
#include <limits.h>
#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "tls_priv.h"

#define FILE_MAX     (1024 * 1024)
#define RSA_MIN_BITS 2048

/* What mbedTLS finds in a file, in words that help whoever wrote it. */
static const struct {
	int code;
	const char *text;
} file_errors[] = {
	{ MBEDTLS_ERR_PK_PASSWORD_REQUIRED,
	  "is encrypted, which a daemon cannot open" },
	{ MBEDTLS_ERR_PK_KEY_INVALID_FORMAT, "holds no private key in PEM" },
	{ MBEDTLS_ERR_X509_INVALID_FORMAT, "holds no certificate in PEM" },
	{ MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT,
	  "holds no certificate in PEM" },
};

/* One file of an option. */
struct named {
	const char *member;
	struct str path;
};

static int fail(struct tls_fault *f, const struct named *file,
		const char *text)
{
	int shown = file->path.len < TLS_WHY_MAX / 2 ? (int)file->path.len :
						       TLS_WHY_MAX / 2;

	f->member = file->member;
	snprintf(f->why, sizeof(f->why), "%.*s %s", shown, file->path.p, text);
	return ERR_PROTO;
}

/* The code may be of a lower module, added to that of a higher one. */
static int fail_code(struct tls_fault *f, const struct named *file, int code)
{
	char why[128], text[160];

	for (size_t i = 0; i < ARRAY_LEN(file_errors); i++)
		if (-(-code & 0xff80) == file_errors[i].code)
			return fail(f, file, file_errors[i].text);
	mbedtls_strerror(code, why, sizeof(why));
	snprintf(text, sizeof(text), "is of no use: %s", why);
	return fail(f, file, text);
}

static FILE *open_file(const struct named *file)
{
	char path[PATH_MAX];

	if (file->path.len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	memcpy(path, file->path.p, file->path.len);
	path[file->path.len] = '\0';
	return fopen(path, "re");
}

/* All of it and a NUL, which mbedTLS wants behind PEM. One allocation, so
 * that no copy of a key is left behind. */
static int read_file(struct buf *out, struct tls_fault *f,
		     const struct named *name)
{
	FILE *file = open_file(name);
	int err = errno;
	char text[128];

	if (file != NULL) {
		err = buf_reserve(out, FILE_MAX) ? 0 : ENOMEM;
		if (!err)
			out->len = fread(out->p, 1, FILE_MAX, file);
		if (!err && ferror(file))
			err = errno;
		else if (!err && out->len == FILE_MAX)
			err = EFBIG;
		fclose(file);
	}
	if (!err) {
		buf_add_char(out, '\0');
		err = out->failed ? ENOMEM : 0;
	}
	if (!err)
		return 0;
	snprintf(text, sizeof(text), "cannot be read: %s",
		 err_text(uv_translate_sys_error(err)));
	return fail(f, name, text);
}

static void forget(struct buf *b)
{
	if (b->p != NULL)
		mbedtls_platform_zeroize(b->p, b->cap);
	buf_deinit(b);
}

int tls_load_chain(mbedtls_x509_crt *out, struct tls_fault *f,
		   const char *member, struct str path)
{
	struct named file = { member, path };
	struct buf text = { 0 };
	int err = read_file(&text, f, &file);
	int n;

	if (!err) {
		n = mbedtls_x509_crt_parse(out, (unsigned char *)text.p,
					   text.len);
		if (n > 0)
			err = fail(f, &file,
				   "holds a certificate that cannot be read");
		else if (n < 0)
			err = fail_code(f, &file, n);
	}
	forget(&text);
	return err;
}

int tls_load_crl(mbedtls_x509_crl *out, struct tls_fault *f,
		 const char *member, struct str path)
{
	struct named file = { member, path };
	struct buf text = { 0 };
	int err = read_file(&text, f, &file);

	if (!err && mbedtls_x509_crl_parse(out, (unsigned char *)text.p,
					   text.len) != 0)
		err = fail(f, &file, "holds no revocation list in PEM");
	buf_deinit(&text);
	return err;
}

/* ---- keys ---- */

static int parse_key(mbedtls_pk_context *out, const struct buf *text,
		     struct tls_random *random)
{
	const unsigned char *p = (const unsigned char *)text->p;

#if MBEDTLS_VERSION_MAJOR >= 3
	return mbedtls_pk_parse_key(out, p, text->len, NULL, 0,
				    mbedtls_ctr_drbg_random, &random->drbg);
#else
	(void)random;
	return mbedtls_pk_parse_key(out, p, text->len, NULL, 0);
#endif
}

static mbedtls_ecp_group_id curve_of(const mbedtls_pk_context *key)
{
#if MBEDTLS_VERSION_MAJOR >= 3
	return mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*key));
#else
	return mbedtls_pk_ec(*key)->grp.id;
#endif
}

static int load_key(mbedtls_pk_context *out, struct tls_fault *f,
		    const struct named *file, struct tls_random *random)
{
	struct buf text = { 0 };
	int err = read_file(&text, f, file);
	int n;

	if (!err) {
		n = parse_key(out, &text, random);
		err = n != 0 ? fail_code(f, file, n) : 0;
	}
	forget(&text);
	return err;
}

static int check_key(const mbedtls_pk_context *key, struct tls_fault *f,
		     const struct named *file)
{
	mbedtls_ecp_group_id curve;

	if (mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA) {
		if (mbedtls_pk_get_bitlen(key) < RSA_MIN_BITS)
			return fail(f, file, "holds an RSA key of less than "
					     "2048 bits");
		return 0;
	}
	if (mbedtls_pk_get_type(key) == MBEDTLS_PK_ECKEY) {
		curve = curve_of(key);
		if (curve == MBEDTLS_ECP_DP_SECP256R1 ||
		    curve == MBEDTLS_ECP_DP_SECP384R1)
			return 0;
	}
	return fail(f, file,
		    "must hold an RSA key, or ECDSA on P-256 or P-384");
}

static int check_pair(const struct tls_pair *p, struct tls_fault *f,
		      const struct named *file, struct tls_random *random)
{
	int n;

#if MBEDTLS_VERSION_MAJOR >= 3
	n = mbedtls_pk_check_pair(&p->chain.pk, &p->key,
				  mbedtls_ctr_drbg_random, &random->drbg);
#else
	(void)random;
	n = mbedtls_pk_check_pair(&p->chain.pk, &p->key);
#endif
	return n == 0 ? 0 : fail(f, file, "is not the key of the first "
					  "certificate in its cert_file");
}

/* ---- pairs ---- */

static int load_pair(struct tls_context *c, struct tls_fault *f,
		     struct str cert, struct str key)
{
	struct tls_pair *p = &c->pairs[c->pair_count++];
	struct named file = { "key_file", key };
	int err;

	mbedtls_x509_crt_init(&p->chain);
	mbedtls_pk_init(&p->key);
	err = tls_load_chain(&p->chain, f, "cert_file", cert);
	if (!err)
		err = load_key(&p->key, f, &file, &c->random);
	if (!err)
		err = check_key(&p->key, f, &file);
	return err ? err : check_pair(p, f, &file, &c->random);
}

static size_t count(const char *files)
{
	struct str rest = str_of(files), one;
	size_t n = 0;

	while (str_word(&one, &rest))
		n++;
	return n;
}

static int fail_count(struct tls_fault *f, const char *member,
		      const char *text)
{
	f->member = member;
	snprintf(f->why, sizeof(f->why), "%s", text);
	return ERR_PROTO;
}

int tls_load_pairs(struct tls_context *c, struct tls_fault *f,
		   const char *cert_files, const char *key_files, size_t max)
{
	struct str certs = str_of(cert_files), keys = str_of(key_files);
	struct str cert, key;
	size_t n = count(cert_files);
	int err = 0;

	if (n == 0)
		return fail_count(f, "cert_file", "names no file");
	if (n > max)
		return fail_count(f, "cert_file", "names too many files");
	if (count(key_files) != n)
		return fail_count(f, "key_file", "must name as many files as "
						 "cert_file, in its order");
	c->pairs = calloc(n, sizeof(*c->pairs));
	if (c->pairs == NULL)
		return UV_ENOMEM;
	while (!err && str_word(&cert, &certs) && str_word(&key, &keys))
		err = load_pair(c, f, cert, key);
	return err;
}

void tls_drop_pairs(struct tls_context *c)
{
	for (size_t i = 0; i < c->pair_count; i++) {
		mbedtls_x509_crt_free(&c->pairs[i].chain);
		mbedtls_pk_free(&c->pairs[i].key);
	}
	free(c->pairs);
}
