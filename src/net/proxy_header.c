#include "net/proxy_header.h"

#include <netinet/in.h>

#include "net/addr.h"

#define V1_MAX  107		/* with CRLF */
#define V2_HEAD 16

static const struct str v1_begin = STR_INIT("PROXY ");
static const struct str v2_begin = STR_INIT("\r\n\r\n\0\r\nQUIT\n");

/* s is the beginning of whole, or the other way round. */
static bool agrees(struct str s, struct str whole)
{
	size_t n = s.len < whole.len ? s.len : whole.len;

	return n == 0 || memcmp(s.p, whole.p, n) == 0;
}

/* Decimal, and no leading zeros (2.1). */
static bool read_port(uint16_t *out, struct str s)
{
	uint64_t n;

	if (s.len > 5 || (s.len > 1 && s.p[0] == '0') || !str_to_u64(&n, s) ||
	    n > UINT16_MAX)
		return false;
	*out = (uint16_t)n;
	return true;
}

/* "SOURCE DESTINATION PORT PORT", with one space between. */
static int read_v1_addresses(struct sockaddr_storage *out, int family,
			     struct str rest)
{
	struct sockaddr_storage to;
	struct str field[3];
	uint16_t from_port, to_port;

	for (size_t i = 0; i < ARRAY_LEN(field); i++)
		if (!str_cut(rest, ' ', &field[i], &rest))
			return ERR_PROTO;
	if (!read_port(&from_port, field[2]) || !read_port(&to_port, rest) ||
	    addr_parse_host(&to, family, field[1], to_port) != 0 ||
	    addr_parse_host(out, family, field[0], from_port) != 0)
		return ERR_PROTO;
	return 0;
}

static int parse_v1(struct proxy_header *out, struct str octets)
{
	struct str window = {
		octets.p, octets.len < V1_MAX ? octets.len : V1_MAX
	};
	struct proxy_header h = { 0 };
	struct str line, protocol, rest;
	int err = 0;

	if (!str_cut(window, '\n', &line, &rest))
		return octets.len < V1_MAX ? 0 : ERR_PROTO;
	h.len = line.len + 1;
	if (line.p[line.len - 1] != '\r')
		return ERR_PROTO;
	line.len--;
	str_cut(str_skip(line, v1_begin.len), ' ', &protocol, &rest);
	if (str_eq(protocol, STR("TCP4")))
		err = read_v1_addresses(&h.from, AF_INET, rest);
	else if (str_eq(protocol, STR("TCP6")))
		err = read_v1_addresses(&h.from, AF_INET6, rest);
	else if (!str_eq(protocol, STR("UNKNOWN")))
		err = ERR_PROTO;
	if (err)
		return err;
	*out = h;
	return 1;
}

static void take_v4(struct sockaddr_storage *out, const char *p)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	in->sin_family = AF_INET;
	memcpy(&in->sin_addr, p, 4);
	memcpy(&in->sin_port, p + 8, 2);
}

static void take_v6(struct sockaddr_storage *out, const char *p)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	in6->sin6_family = AF_INET6;
	memcpy(&in6->sin6_addr, p, 16);
	memcpy(&in6->sin6_port, p + 32, 2);
}

/* The addresses of a PROXY command (2.2); TLVs may follow them. What is not
 * TCP over IP names nobody that counts here. */
static int read_v2_addresses(struct sockaddr_storage *out, unsigned family,
			     struct str s)
{
	if (family >> 4 > 3 || (family & 0x0f) > 2)
		return ERR_PROTO;	/* reserved */
	if (family == 0x11 && s.len >= 12)
		take_v4(out, s.p);
	else if (family == 0x21 && s.len >= 36)
		take_v6(out, s.p);
	else if (family == 0x11 || family == 0x21)
		return ERR_PROTO;
	return 0;
}

static int parse_v2(struct proxy_header *out, struct str octets)
{
	const unsigned char *p = (const unsigned char *)octets.p;
	struct proxy_header h = { 0 };
	bool local;
	int err = 0;

	if (octets.len > 12 && p[12] != 0x20 && p[12] != 0x21)
		return ERR_PROTO;	/* version, command */
	if (octets.len < V2_HEAD)
		return 0;
	h.len = V2_HEAD + ((size_t)p[14] << 8 | p[15]);
	if (h.len > PROXY_HEADER_MAX)
		return ERR_PROTO;
	if (octets.len < h.len)
		return 0;
	local = p[12] == 0x20;		/* the proxy's own: a health check */
	if (!local)
		err = read_v2_addresses(&h.from, p[13],
					(struct str){ octets.p + V2_HEAD,
						      h.len - V2_HEAD });
	if (err)
		return err;
	*out = h;
	return 1;
}

int proxy_header_parse(struct proxy_header *out, struct str octets)
{
	if (agrees(octets, v2_begin))
		return parse_v2(out, octets);
	if (agrees(octets, v1_begin))
		return parse_v1(out, octets);
	return ERR_PROTO;
}
