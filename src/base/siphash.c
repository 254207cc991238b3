#include "base/siphash.h"

#include <errno.h>
#include <sys/random.h>
#include <uv.h>

struct lanes {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void mix(struct lanes *l, int rounds)
{
	while (rounds-- > 0) {
		l->v0 += l->v1;
		l->v2 += l->v3;
		l->v1 = rotate(l->v1, 13) ^ l->v0;
		l->v3 = rotate(l->v3, 16) ^ l->v2;
		l->v0 = rotate(l->v0, 32) + l->v3;
		l->v2 += l->v1;
		l->v1 = rotate(l->v1, 17) ^ l->v2;
		l->v3 = rotate(l->v3, 21) ^ l->v0;
		l->v2 = rotate(l->v2, 32);
	}
}

static void add(struct lanes *l, uint64_t word)
{
	l->v3 ^= word;
	mix(l, 2);
	l->v0 ^= word;
}

/* Little-endian, on any machine. */
static uint64_t word_of(const char *p, size_t len)
{
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return word;
}

int siphash_key_random(struct siphash_key *out)
{
	ssize_t n;

	do
		n = getrandom(out, sizeof(*out), 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*out) ? 0 : UV_EIO;
}

uint64_t siphash(const struct siphash_key *key, struct str s)
{
	struct lanes l = {
		.v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = key->k1 ^ UINT64_C(0x7465646279746573),
	};
	uint64_t length = (uint64_t)s.len << 56;

	for (; s.len >= 8; s = str_skip(s, 8))
		add(&l, word_of(s.p, 8));
	add(&l, length | word_of(s.p, s.len));
	l.v2 ^= 0xff;
	mix(&l, 4);
	return l.v0 ^ l.v1 ^ l.v2 ^ l.v3;
}
