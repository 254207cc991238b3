/*
 * The server's side of TLS is fed what no client says. The first octet cuts
 * the rest into pieces: whole and in pieces it must come to the same end.
 */
#include "tls_rig.h"

#include "base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tls_context *ctx;
static struct tls_tickets *tickets;

/* How far it came, as tls_read() says. */
static ssize_t play(struct str in, size_t piece)
{
	struct buf out = { 0 };
	char plain[512], why[128];
	struct tls *tls;
	ssize_t n = 0;

	if (tls_create(&tls, ctx) != 0)
		abort();
	while (in.len > 0 && n >= 0) {
		struct str some = { in.p, in.len < piece ? in.len : piece };

		in = str_skip(in, some.len);
		n = tls_read(tls, &some, plain, sizeof(plain), &out);
		/* nobody who has not the keys gets a word across */
		if (n > 0 || (n == 0 && some.len > 0) || tls_is_open(tls))
			abort();
	}
	if (n < 0)
		(void)tls_why(tls, why, sizeof(why));
	tls_close(tls, &out);
	buf_deinit(&out);
	tls_destroy(tls);
	return n;
}

static void setup(void)
{
	const struct tls_tickets_conf conf = { .now_ms = clock_wall_ms };
	struct tls_fault fault;

	if (tls_tickets_create(&tickets, &conf) != 0)
		abort();
	ctx = tls_context_of(&fault, EC256_CERT, EC256_KEY, tickets);
	if (ctx == NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };

	if (size < 2)
		return 0;
	if (ctx == NULL)
		setup();
	in = str_skip(in, 1);
	if (play(in, in.len) != play(in, data[0] % 32 + 1u))
		abort();
	return 0;
}
