/*
 * What m2mwsctl reads as a trace: how its octets arrive changes nothing, and no
 * more is kept than what is not whole.
 */
#include "ctl/ctl_trace.h"
#include "http_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_lines(void *arg, struct str lines)
{
	fuzz_need(lines.len > 0);
	buf_add_str(arg, lines);
}

static int feed(struct buf *lines, const uint8_t *data, size_t size,
		size_t step)
{
	struct ctl_chunks c = { 0 };
	int err = 0;

	for (size_t at = 0; at < size && !err; at += step) {
		size_t n = size - at < step ? size - at : step;

		err = ctl_chunks_feed(&c, (struct str){ (const char *)data + at,
							n }, on_lines, lines);
		fuzz_need(c.kept.len <= size);
	}
	buf_deinit(&c.kept);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = { 0 }, parts = { 0 };
	int err = feed(&whole, data, size, size + 1);

	fuzz_need(feed(&parts, data, size, 1) == err);
	fuzz_need(str_eq(buf_str(&whole), buf_str(&parts)));
	buf_deinit(&whole);
	buf_deinit(&parts);
	return 0;
}
