/*
 * A ticket is the session as mbedTLS saves it, behind the time, under
 * AES-256-GCM. It is made here since mbedTLS 2.28 has no way to bring keys
 * along from an earlier life.
 *
 *	name of the key 16, iv 12, { time 8, session }, tag 16
 *
 * A key makes tickets for LIFETIME_S and opens them for as long again; only
 * then nobody who learns it can read what was said before (forward secrecy).
 */
#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>
#include <stdlib.h>
#include <uv.h>

#include "base/log.h"
#include "tls_ticket_file.h"

#define LIFETIME_S TLS_TICKET_LIFETIME_S
#define IV_LEN	   12
#define TIME_LEN   8
#define TAG_LEN	   16
#define HEAD_LEN   (TLS_TICKET_NAME_LEN + IV_LEN)
#define OVERHEAD   (HEAD_LEN + TIME_LEN + TAG_LEN)

struct tls_tickets {
	uint64_t (*now_ms)(void);
	char *file;			/* owned, or NULL */
	struct tls_random random;	/* has a lock of its own */

	uv_mutex_t lock;		/* of the keys */
	struct tls_ticket_keys keys;
};

static uint64_t now_s(const struct tls_tickets *t)
{
	return t->now_ms() / 1000;
}

static bool get_random(struct tls_tickets *t, unsigned char *p, size_t n)
{
	return mbedtls_ctr_drbg_random(&t->random.drbg, p, n) == 0;
}

static void keep(struct tls_tickets *t)
{
	int err = t->file != NULL ? tls_ticket_file_write(t->file, &t->keys) :
				    0;

	if (err)
		log_warning("tickets_not_kept", LOG_TEXT("file", t->file),
			    LOG_ERRNO(err));
}

/* False: there is no randomness. */
static bool rotate(struct tls_tickets *t, uint64_t now)
{
	struct tls_ticket_key fresh = { .made_s = now };
	bool ok = get_random(t, fresh.name, sizeof(fresh.name)) &&
		  get_random(t, fresh.secret, sizeof(fresh.secret));

	if (ok) {
		t->keys.previous = t->keys.current;
		t->keys.current = fresh;
		keep(t);
	}
	mbedtls_platform_zeroize(&fresh, sizeof(fresh));
	return ok;
}

/* The one to make tickets with. */
static bool take_current(struct tls_ticket_key *out, struct tls_tickets *t)
{
	uint64_t now = now_s(t);
	bool ok;

	uv_mutex_lock(&t->lock);
	/* a clock that was set back makes the difference huge */
	ok = now - t->keys.current.made_s < LIFETIME_S || rotate(t, now);
	*out = t->keys.current;
	uv_mutex_unlock(&t->lock);
	return ok;
}

static bool take_named(struct tls_ticket_key *out, struct tls_tickets *t,
		       const unsigned char *name)
{
	const struct tls_ticket_key *keys[] = { &t->keys.current,
						&t->keys.previous };
	uint64_t now = now_s(t);
	bool found = false;

	uv_mutex_lock(&t->lock);
	for (size_t i = 0; i < ARRAY_LEN(keys) && !found; i++) {
		*out = *keys[i];
		found = memcmp(out->name, name, sizeof(out->name)) == 0 &&
			now - out->made_s < 2 * LIFETIME_S;
	}
	uv_mutex_unlock(&t->lock);
	return found;
}

/* In place; the tag is written behind it, or compared. */
static bool crypt(const struct tls_ticket_key *key, int mode,
		  unsigned char *ticket, size_t len)
{
	unsigned char *iv = ticket + TLS_TICKET_NAME_LEN;
	unsigned char *text = ticket + HEAD_LEN, *tag = text + len;
	mbedtls_gcm_context gcm;
	int n;

	mbedtls_gcm_init(&gcm);
	n = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key->secret,
			       8 * sizeof(key->secret));
	if (n == 0 && mode == MBEDTLS_GCM_ENCRYPT)
		n = mbedtls_gcm_crypt_and_tag(&gcm, mode, len, iv, IV_LEN,
					      ticket, TLS_TICKET_NAME_LEN,
					      text, text, TAG_LEN, tag);
	else if (n == 0)
		n = mbedtls_gcm_auth_decrypt(&gcm, len, iv, IV_LEN, ticket,
					     TLS_TICKET_NAME_LEN, tag, TAG_LEN,
					     text, text);
	mbedtls_gcm_free(&gcm);
	return n == 0;
}

static int on_write(void *arg, const mbedtls_ssl_session *session,
		    unsigned char *start, const unsigned char *end, size_t *len,
		    uint32_t *lifetime)
{
	struct tls_tickets *t = arg;
	struct tls_ticket_key key;
	unsigned char *text = start + HEAD_LEN;
	size_t saved;
	int n;

	if ((size_t)(end - start) < OVERHEAD)
		return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	n = mbedtls_ssl_session_save(session, text + TIME_LEN,
				     (size_t)(end - start) - OVERHEAD, &saved);
	if (n != 0)
		return n;
	n = MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	tls_ticket_put_u64(text, now_s(t));
	if (take_current(&key, t) &&
	    get_random(t, start + TLS_TICKET_NAME_LEN, IV_LEN)) {
		memcpy(start, key.name, sizeof(key.name));
		n = crypt(&key, MBEDTLS_GCM_ENCRYPT, start, TIME_LEN + saved) ?
			    0 : n;
	}
	mbedtls_platform_zeroize(&key, sizeof(key));
	*len = OVERHEAD + saved;
	*lifetime = LIFETIME_S;
	return n;
}

/* Of what is no ticket of ours mbedTLS makes a full handshake. */
static int on_parse(void *arg, mbedtls_ssl_session *session,
		    unsigned char *ticket, size_t len)
{
	struct tls_tickets *t = arg;
	struct tls_ticket_key key;
	unsigned char *text = ticket + HEAD_LEN;
	bool ok;

	if (len < OVERHEAD)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	len -= HEAD_LEN + TAG_LEN;
	ok = take_named(&key, t, ticket) &&
	     crypt(&key, MBEDTLS_GCM_DECRYPT, ticket, len);
	mbedtls_platform_zeroize(&key, sizeof(key));
	if (!ok)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	if (now_s(t) - tls_ticket_get_u64(text) > LIFETIME_S)
		return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
	/* another version of mbedTLS may have saved it */
	ok = mbedtls_ssl_session_load(session, text + TIME_LEN,
				      len - TIME_LEN) == 0;
	mbedtls_platform_zeroize(text, len);
	return ok ? 0 : MBEDTLS_ERR_SSL_INVALID_MAC;
}

void tls_tickets_use(struct tls_tickets *t, mbedtls_ssl_config *conf)
{
	mbedtls_ssl_conf_session_tickets_cb(conf, on_write, on_parse, t);
}

/* From the file, or new ones. */
static int find_keys(struct tls_tickets *t)
{
	if (t->file != NULL && tls_ticket_file_read(&t->keys, t->file,
						    now_s(t)))
		return 0;
	return rotate(t, now_s(t)) ? 0 : UV_EIO;
}

int tls_tickets_create(struct tls_tickets **out,
		       const struct tls_tickets_conf *conf)
{
	struct tls_tickets *t = calloc(1, sizeof(*t));
	int err;

	if (t == NULL)
		return UV_ENOMEM;
	err = uv_mutex_init(&t->lock);
	if (err) {
		free(t);
		return err;
	}
	t->now_ms = conf->now_ms;
	if (conf->file != NULL)
		t->file = strdup(conf->file);
	err = tls_random_init(&t->random);
	if (!err && conf->file != NULL && t->file == NULL)
		err = UV_ENOMEM;
	if (!err)
		err = find_keys(t);
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
	mbedtls_platform_zeroize(&t->keys, sizeof(t->keys));
	tls_random_deinit(&t->random);
	uv_mutex_destroy(&t->lock);
	free(t->file);
	free(t);
}
