/*
 * Either side of TLS is fed what its peer does not say. The first octet picks
 * the side, and cuts the rest into pieces: whole and in pieces it must come to
 * the same end.
 */
#include "tls_rig.h"

#include "base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tls_context *sides[2];	/* the server's, the client's */
static struct tls_tickets *tickets;

/* How far it came, as tls_read() says. */
static ssize_t play(struct tls_context *ctx, struct str in, size_t piece)
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
	struct tls_client_conf client = { .host = "localhost" };
	struct tls_file ca;
	struct tls_fault fault;

	if (tls_tickets_create(&tickets, &conf) != 0)
		abort();
	client.ca_file = tls_file_write(&ca, EC256_CERT);
	sides[0] = tls_context_of(&fault, EC256_CERT, EC256_KEY, tickets);
	if (sides[0] == NULL ||
	    tls_context_create_client(&sides[1], &fault, &client) != 0)
		abort();
	unlink(ca.path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };
	struct tls_context *ctx;

	if (size < 2)
		return 0;
	if (sides[0] == NULL)
		setup();
	ctx = sides[data[0] >> 7];
	in = str_skip(in, 1);
	if (play(ctx, in, in.len) != play(ctx, in, data[0] % 32 + 1u))
		abort();
	return 0;
}
