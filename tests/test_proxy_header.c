#include "unit.h"

#include "net/addr.h"
#include "net/proxy_header.h"

#define BYTES(literal) STR_INIT(literal)

#define V2       "\r\n\r\n\0\r\nQUIT\n"
#define V4_ADDRS "\xc0\0\2\1" "\x7f\0\0\1" "\x12\x67" "\1\xbb"
#define V6_ADDRS "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" \
		 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1" "\x12\x67" "\1\xbb"
#define TLV      "\x04\0\x05" "xxxxx"
#define X10      "xxxxxxxxxx"
#define UNIX216  X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 \
		 X10 X10 X10 X10 X10 X10 "xxxxxx"

/* from: whom it tells of, "": nobody; NULL: it is malformed. behind: what of
 * the octets is no part of it. */
static const struct row {
	const char *name;
	struct str octets;
	const char *from;
	size_t behind;
} rows[] = {
	{ "TCP4", BYTES("PROXY TCP4 192.0.2.1 127.0.0.1 4711 443\r\n"),
	  "192.0.2.1:4711", 0 },
	{ "TCP6", BYTES("PROXY TCP6 2001:db8::1 ::1 4711 443\r\n"),
	  "[2001:db8::1]:4711", 0 },
	{ "the longest TCP6", BYTES(
	  "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", 0 },
	{ "UNKNOWN", BYTES("PROXY UNKNOWN\r\n"), "", 0 },
	{ "the longest UNKNOWN", BYTES(
	  "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"), "", 0 },
	{ "port 0", BYTES("PROXY TCP4 192.0.2.1 127.0.0.1 0 0\r\n"),
	  "192.0.2.1:0", 0 },
	{ "something behind it",
	  BYTES("PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\n"),
	  "192.0.2.1:1", 16 },
	{ "one line feed only", BYTES("PROXY UNKNOWN\nGET"), NULL, 0 },
	{ "carriage return within", BYTES("PROXY UNKNOWN\rx\n"), NULL, 0 },
	{ "no protocol", BYTES("PROXY \r\n"), NULL, 0 },
	{ "another protocol",
	  BYTES("PROXY UDP4 192.0.2.1 127.0.0.1 1 2\r\n"), NULL, 0 },
	{ "small letters", BYTES("PROXY tcp4 192.0.2.1 127.0.0.1 1 2\r\n"),
	  NULL, 0 },
	{ "proxy", BYTES("proxy TCP4 192.0.2.1 127.0.0.1 1 2\r\n"), NULL, 0 },
	{ "two spaces", BYTES("PROXY TCP4  192.0.2.1 127.0.0.1 1 2\r\n"),
	  NULL, 0 },
	{ "a space at the end",
	  BYTES("PROXY TCP4 192.0.2.1 127.0.0.1 1 2 \r\n"), NULL, 0 },
	{ "a tab", BYTES("PROXY TCP4\t192.0.2.1 127.0.0.1 1 2\r\n"), NULL, 0 },
	{ "a field too many",
	  BYTES("PROXY TCP4 192.0.2.1 127.0.0.1 1 2 3\r\n"), NULL, 0 },
	{ "a field too few", BYTES("PROXY TCP4 192.0.2.1 127.0.0.1 1\r\n"),
	  NULL, 0 },
	{ "a port too high",
	  BYTES("PROXY TCP4 192.0.2.1 127.0.0.1 65536 2\r\n"), NULL, 0 },
	{ "a leading zero", BYTES("PROXY TCP4 192.0.2.1 127.0.0.1 01 2\r\n"),
	  NULL, 0 },
	{ "a sign", BYTES("PROXY TCP4 192.0.2.1 127.0.0.1 -1 2\r\n"), NULL, 0 },
	{ "no port", BYTES("PROXY TCP4 192.0.2.1 127.0.0.1  2\r\n"), NULL, 0 },
	{ "a name", BYTES("PROXY TCP4 localhost 127.0.0.1 1 2\r\n"), NULL, 0 },
	{ "half an address", BYTES("PROXY TCP4 192.0.2 127.0.0.1 1 2\r\n"),
	  NULL, 0 },
	{ "an octet with a zero",
	  BYTES("PROXY TCP4 192.0.2.01 127.0.0.1 1 2\r\n"), NULL, 0 },
	{ "NUL behind the address",
	  BYTES("PROXY TCP4 192.0.2.1\0x 127.0.0.1 1 2\r\n"), NULL, 0 },
	{ "IPv6 as TCP4", BYTES("PROXY TCP4 ::1 ::1 1 2\r\n"), NULL, 0 },
	{ "IPv4 as TCP6", BYTES("PROXY TCP6 192.0.2.1 ::1 1 2\r\n"), NULL, 0 },
	{ "brackets", BYTES("PROXY TCP6 [::1] ::1 1 2\r\n"), NULL, 0 },
	{ "a bad destination", BYTES("PROXY TCP4 192.0.2.1 x 1 2\r\n"), NULL,
	  0 },
	{ "longer than 107", BYTES("PROXY UNKNOWN " X10 X10 X10 X10 X10 X10 X10
	  X10 X10 "xx\r\n"), NULL, 0 },

	{ "v2 TCP4", BYTES(V2 "\x21\x11\0\x0c" V4_ADDRS), "192.0.2.1:4711", 0 },
	{ "v2 TCP6", BYTES(V2 "\x21\x21\0\x24" V6_ADDRS),
	  "[2001:db8::1]:4711", 0 },
	{ "v2 with something behind it",
	  BYTES(V2 "\x21\x11\0\x0c" V4_ADDRS "\x16\3\1"), "192.0.2.1:4711",
	  3 },
	{ "v2 with TLVs", BYTES(V2 "\x21\x11\0\x14" V4_ADDRS TLV),
	  "192.0.2.1:4711", 0 },
	{ "v2 with what is no TLV", BYTES(V2 "\x21\x11\0\x0d" V4_ADDRS "x"),
	  "192.0.2.1:4711", 0 },
	{ "v2 LOCAL", BYTES(V2 "\x20\0\0\0"), "", 0 },
	{ "v2 LOCAL with addresses", BYTES(V2 "\x20\x11\0\x0c" V4_ADDRS), "",
	  0 },
	{ "v2 LOCAL, family reserved", BYTES(V2 "\x20\xff\0\1x"), "", 0 },
	{ "v2 UNSPEC", BYTES(V2 "\x21\0\0\0"), "", 0 },
	{ "v2 UNSPEC with octets", BYTES(V2 "\x21\0\0\3xxx"), "", 0 },
	{ "v2 Unix", BYTES(V2 "\x21\x31\0\xd8" UNIX216), "", 0 },
	{ "v2 UDP4", BYTES(V2 "\x21\x12\0\x0c" V4_ADDRS), "", 0 },
	{ "v2 the longest", BYTES(V2 "\x21\x11\2\x08" V4_ADDRS UNIX216 UNIX216
	  X10 X10 X10 X10 X10 X10 X10 "xxxxxx"), "192.0.2.1:4711", 0 },
	{ "v2 one octet longer", BYTES(V2 "\x21\x11\2\x09"), NULL, 0 },
	{ "v2 far longer", BYTES(V2 "\x21\x11\xff\xff"), NULL, 0 },
	{ "v2 TCP4 cut", BYTES(V2 "\x21\x11\0\x0b" V4_ADDRS), NULL, 0 },
	{ "v2 TCP6 cut", BYTES(V2 "\x21\x21\0\x23" V6_ADDRS), NULL, 0 },
	{ "v2 TCP4 without addresses", BYTES(V2 "\x21\x11\0\0"), NULL, 0 },
	{ "v2 family reserved", BYTES(V2 "\x21\x41\0\0"), NULL, 0 },
	{ "v2 transport reserved", BYTES(V2 "\x21\x13\0\x0c" V4_ADDRS), NULL,
	  0 },
	{ "v2 command reserved", BYTES(V2 "\x22\x11\0\x0c" V4_ADDRS), NULL, 0 },
	{ "version 1 in the binary form",
	  BYTES(V2 "\x11\x11\0\x0c" V4_ADDRS), NULL, 0 },
	{ "version 3", BYTES(V2 "\x31\x11\0\x0c" V4_ADDRS), NULL, 0 },
	{ "a signature that is wrong", BYTES("\r\n\r\n\0\r\nQUIT\r"), NULL,
	  0 },

	{ "HTTP", BYTES("GET / HTTP/1.1\r\n"), NULL, 0 },
	{ "TLS", BYTES("\x16\3\1\2\0\1"), NULL, 0 },
	{ "POST, which begins alike", BYTES("POST / HTTP/1.1\r\n"), NULL, 0 },
	{ "an empty line", BYTES("\r\nGET"), NULL, 0 },
};

static void check(const struct row *row, const struct proxy_header *h)
{
	char space[64] = "";

	if (h->from.ss_family != 0)
		addr_text((const struct sockaddr *)&h->from, space,
			  sizeof(space));
	ck_assert_msg(strcmp(space, row->from) == 0, "%s: %s", row->name,
		      space);
	ck_assert_msg(h->len == row->octets.len - row->behind, "%s: %zu",
		      row->name, h->len);
}

/* What is not all there goes on; each step more, up to all. */
START_TEST(test_row)
{
	const struct row *row = &rows[_i];
	struct proxy_header h = { 0 };
	size_t n = 0;
	int got = 0;

	while (got == 0 && n <= row->octets.len)
		got = proxy_header_parse(&h, (struct str){ row->octets.p,
							   n++ });
	ck_assert_msg(got == (row->from == NULL ? ERR_PROTO : 1), "%s: %d",
		      row->name, got);
	ck_assert_msg(got == proxy_header_parse(&h, row->octets), "%s",
		      row->name);
	if (got > 0) {
		check(row, &h);
		ck_assert_msg(n - 1 == h.len, "%s", row->name);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy_header");
	TCase *tc = tcase_create("proxy_header");

	tcase_add_loop_test(tc, test_row, 0, ARRAY_LEN(rows));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
