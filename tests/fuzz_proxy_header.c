/*
 * The PROXY protocol's header: what it is does not depend on how its octets
 * arrive, nor on what comes behind it.
 */
#include "net/proxy_header.h"
#include "http_fuzz.h"

#include <netinet/in.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of its own, so that a step too far is seen. */
static int parse(struct proxy_header *out, const uint8_t *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);
	int got;

	fuzz_need(copy != NULL);
	memcpy(copy, data, size);
	got = proxy_header_parse(out, (struct str){ copy, size });
	free(copy);
	return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header whole = { 0 }, part;
	int got, now = 0;

	got = parse(&whole, data, size);
	if (got > 0) {
		fuzz_need(whole.len > 0 && whole.len <= size);
		fuzz_need(whole.len <= PROXY_HEADER_MAX);
		fuzz_need(whole.from.ss_family == 0 ||
			  whole.from.ss_family == AF_INET ||
			  whole.from.ss_family == AF_INET6);
	}
	for (size_t n = 0; n <= size && now == 0; n++) {
		now = parse(&part, data, n);
		if (now == 0)
			fuzz_need(n < PROXY_HEADER_MAX);
		if (now > 0)
			fuzz_need(n == whole.len && part.len == whole.len &&
				  memcmp(&part.from, &whole.from,
					 sizeof(part.from)) == 0);
	}
	fuzz_need(now == got);
	return 0;
}
