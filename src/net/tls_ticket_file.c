/*
 * The file: MAGIC, and of each key the time that it was made at, its name and
 * its secret.
 */
#include "tls_ticket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#define MAGIC	  "m2mwsd tickets 1\n"
#define MAGIC_LEN (sizeof(MAGIC) - 1)
#define NAME_LEN  TLS_TICKET_NAME_LEN
#define KEY_LEN	  (8 + NAME_LEN + 32)
#define FILE_LEN  (MAGIC_LEN + 2 * KEY_LEN)

void tls_ticket_put_u64(unsigned char *p, uint64_t n)
{
	for (int i = 7; i >= 0; i--, n >>= 8)
		p[i] = (unsigned char)n;
}

uint64_t tls_ticket_get_u64(const unsigned char *p)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | p[i];
	return n;
}

static void put_key(unsigned char *p, const struct tls_ticket_key *key)
{
	tls_ticket_put_u64(p, key->made_s);
	memcpy(p + 8, key->name, NAME_LEN);
	memcpy(p + 8 + NAME_LEN, key->secret, sizeof(key->secret));
}

static void get_key(struct tls_ticket_key *out, const unsigned char *p)
{
	out->made_s = tls_ticket_get_u64(p);
	memcpy(out->name, p + 8, NAME_LEN);
	memcpy(out->secret, p + 8 + NAME_LEN, sizeof(out->secret));
}

/* One octet more than there should be tells that it is none of ours. */
static bool read_octets(unsigned char octets[FILE_LEN + 1], const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 077) == 0 && st.st_uid == geteuid())
		n = read(fd, octets, FILE_LEN + 1);
	close(fd);
	return n == FILE_LEN;
}

bool tls_ticket_file_read(struct tls_ticket_keys *out, const char *path,
			  uint64_t now_s)
{
	unsigned char octets[FILE_LEN + 1];
	struct tls_ticket_keys keys;
	bool ok = read_octets(octets, path) &&
		  memcmp(octets, MAGIC, MAGIC_LEN) == 0;

	if (ok) {
		get_key(&keys.current, octets + MAGIC_LEN);
		get_key(&keys.previous, octets + MAGIC_LEN + KEY_LEN);
		/* one of the future is huge */
		ok = now_s - keys.current.made_s < 2 * TLS_TICKET_LIFETIME_S;
		if (ok)
			*out = keys;
		mbedtls_platform_zeroize(&keys, sizeof(keys));
	}
	mbedtls_platform_zeroize(octets, sizeof(octets));
	return ok;
}

/* errno, or 0. */
static int write_octets(const char *path, const unsigned char *p, size_t len)
{
	int fd, err = 0;

	(void)unlink(path);		/* of a life that was cut off */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	if (write(fd, p, len) != (ssize_t)len)
		err = errno != 0 ? errno : ENOSPC;
	else if (fsync(fd) != 0)
		err = errno;
	close(fd);
	return err;
}

int tls_ticket_file_write(const char *path, const struct tls_ticket_keys *keys)
{
	unsigned char octets[FILE_LEN];
	char draft[PATH_MAX];
	int err;

	if (snprintf(draft, sizeof(draft), "%s.new", path) >=
	    (int)sizeof(draft))
		return UV_ENAMETOOLONG;
	memcpy(octets, MAGIC, MAGIC_LEN);
	put_key(octets + MAGIC_LEN, &keys->current);
	put_key(octets + MAGIC_LEN + KEY_LEN, &keys->previous);
	errno = 0;
	err = write_octets(draft, octets, sizeof(octets));
	mbedtls_platform_zeroize(octets, sizeof(octets));
	if (!err && rename(draft, path) != 0)
		err = errno;
	if (err)
		(void)unlink(draft);
	return err ? uv_translate_sys_error(err) : 0;
}
