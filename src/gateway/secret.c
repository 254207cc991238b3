#include "gateway/secret.h"

#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/version.h>
#include <sys/random.h>
#include <uv.h>

#define PREFIX STR("pbkdf2-sha256:")

/* base64url, six bits a character (RFC 4648 5) */
static const char digits64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(unsigned char *out, size_t len, struct str text)
{
	if (text.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = digit_of(text.p[2 * i]);
		int low = digit_of(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static void write_hex(struct buf *out, const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		buf_add_char(out, "0123456789abcdef"[p[i] >> 4]);
		buf_add_char(out, "0123456789abcdef"[p[i] & 15]);
	}
}

const char *secret_hash_read(struct secret_hash *out, struct str text)
{
	struct str count, salt, digest, rest;
	struct secret_hash h;
	uint64_t n;

	if (!str_starts(text, PREFIX))
		return "must be what m2mwsd --hash-token prints";
	str_cut(str_skip(text, PREFIX.len), ':', &count, &rest);
	str_cut(rest, ':', &salt, &digest);
	if (!str_to_u64(&n, count) || n < SECRET_COUNT_MIN ||
	    n > SECRET_COUNT_MAX)
		return "must have a count from 1000 to 10000000";
	h.count = (unsigned)n;
	if (!read_hex(h.salt, sizeof(h.salt), salt) ||
	    !read_hex(h.digest, sizeof(h.digest), digest))
		return "must be 32 and 64 hexadecimal digits behind the count";
	*out = h;
	return NULL;
}

void secret_hash_write(struct buf *out, const struct secret_hash *h)
{
	buf_add_str(out, PREFIX);
	buf_add_u64(out, h->count);
	buf_add_char(out, ':');
	write_hex(out, h->salt, sizeof(h->salt));
	buf_add_char(out, ':');
	write_hex(out, h->digest, sizeof(h->digest));
}

static int derive(unsigned char out[SECRET_DIGEST_LEN],
		  const struct secret_hash *h, struct str secret)
{
	const unsigned char *text = (const unsigned char *)secret.p;
#if MBEDTLS_VERSION_NUMBER >= 0x03030000
	return mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA256, text,
					     secret.len, h->salt,
					     sizeof(h->salt), h->count,
					     SECRET_DIGEST_LEN, out);
#else
	mbedtls_md_context_t md;
	int err;

	mbedtls_md_init(&md);
	err = mbedtls_md_setup(&md,
			       mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1);
	if (!err)
		err = mbedtls_pkcs5_pbkdf2_hmac(&md, text, secret.len, h->salt,
						sizeof(h->salt), h->count,
						SECRET_DIGEST_LEN, out);
	mbedtls_md_free(&md);
	return err;
#endif
}

int secret_hash_make(struct secret_hash *out, struct str secret, unsigned count)
{
	struct secret_hash h = { .count = count };

	if (getrandom(h.salt, sizeof(h.salt), 0) != sizeof(h.salt))
		return UV_EIO;
	if (derive(h.digest, &h, secret) != 0)
		return UV_ENOMEM;
	*out = h;
	return 0;
}

bool secret_hash_matches(const struct secret_hash *h, struct str secret)
{
	unsigned char digest[SECRET_DIGEST_LEN];

	return derive(digest, h, secret) == 0 &&
	       secret_equal(digest, h->digest, sizeof(digest));
}

int secret_random(char out[SECRET_TEXT_LEN + 1])
{
	unsigned char chance[SECRET_TEXT_LEN];

	if (getrandom(chance, sizeof(chance), 0) != sizeof(chance))
		return UV_EIO;
	for (size_t i = 0; i < SECRET_TEXT_LEN; i++)
		out[i] = digits64[chance[i] & 63];
	out[SECRET_TEXT_LEN] = '\0';
	secret_wipe(chance, sizeof(chance));
	return 0;
}

bool secret_equal(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= (unsigned)(x[i] ^ y[i]);
	return differ == 0;
}

void secret_wipe(void *p, size_t len)
{
	mbedtls_platform_zeroize(p, len);
}
