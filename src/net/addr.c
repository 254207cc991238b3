#include "net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <uv.h>

static int parse_v6(struct sockaddr_storage *out, struct str host,
		    uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	char text[INET6_ADDRSTRLEN];

	if (host.len >= sizeof(text))
		return UV_EINVAL;
	memcpy(text, host.p, host.len);
	text[host.len] = '\0';
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1 ? 0 : UV_EINVAL;
}

static int parse_v4(struct sockaddr_storage *out, struct str host,
		    uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	char text[INET_ADDRSTRLEN];

	if (host.len >= sizeof(text))
		return UV_EINVAL;
	memcpy(text, host.p, host.len);
	text[host.len] = '\0';
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	return inet_pton(AF_INET, text, &in->sin_addr) == 1 ? 0 : UV_EINVAL;
}

int addr_parse_host(struct sockaddr_storage *out, int family, struct str host,
		    uint16_t port)
{
	struct sockaddr_storage addr = { 0 };
	int err;

	if (host.len == 0 || memchr(host.p, '\0', host.len) != NULL)
		return UV_EINVAL;
	err = family == AF_INET6 ? parse_v6(&addr, host, port) :
				   parse_v4(&addr, host, port);
	if (err)
		return err;
	*out = addr;
	return 0;
}

int addr_parse(struct sockaddr_storage *out, struct str text)
{
	struct sockaddr_storage addr = { 0 };
	struct str host, rest;
	uint64_t port;
	int err;

	if (text.len > 0 && text.p[0] == '[') {
		if (!str_cut(str_skip(text, 1), ']', &host, &rest) ||
		    rest.len < 2 || rest.p[0] != ':')
			return UV_EINVAL;
		rest = str_skip(rest, 1);
	} else if (!str_cut(text, ':', &host, &rest)) {
		return UV_EINVAL;
	}
	if (!str_to_u64(&port, rest) || port > UINT16_MAX)
		return UV_EINVAL;
	if (text.p[0] == '[')
		err = parse_v6(&addr, host, (uint16_t)port);
	else if (host.len == 0 || str_eq(host, STR("*")))
		err = parse_v6(&addr, STR("::"), (uint16_t)port);
	else
		err = parse_v4(&addr, host, (uint16_t)port);
	if (err)
		return err;
	*out = addr;
	return 0;
}

struct str addr_text(const struct sockaddr *addr, char *space, size_t len)
{
	char host[INET6_ADDRSTRLEN] = "?";
	int n;

	if (addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)addr;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		n = snprintf(space, len, "%s:%u", host, ntohs(in->sin_port));
	} else if (addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)addr;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		n = snprintf(space, len, "[%s]:%u", host,
			     ntohs(in6->sin6_port));
	} else {
		n = snprintf(space, len, "unix");
	}
	if (n < 0)
		n = 0;
	return (struct str){ space, (size_t)n < len ? (size_t)n : len - 1 };
}

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool as_v6(unsigned char out[16], const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET6) {
		memcpy(out, &((const struct sockaddr_in6 *)addr)->sin6_addr,
		       16);
		return true;
	}
	if (addr->sa_family != AF_INET)
		return false;
	memcpy(out, mapped, sizeof(mapped));
	memcpy(out + sizeof(mapped),
	       &((const struct sockaddr_in *)addr)->sin_addr, 4);
	return true;
}

bool addr_group(unsigned char out[16], const struct sockaddr *addr)
{
	if (!as_v6(out, addr))
		return false;
	if (memcmp(out, mapped, sizeof(mapped)) != 0)
		memset(out + 8, 0, 8);
	return true;
}

int addr_net_parse(struct addr_net *out, struct str text)
{
	struct sockaddr_storage addr = { 0 };
	struct str host, bits;
	bool given = str_cut(text, '/', &host, &bits);
	bool v6 = memchr(text.len > 0 ? text.p : "", ':', text.len) != NULL;
	uint64_t n = 0, most = v6 ? 128 : 32;
	int err = v6 ? parse_v6(&addr, host, 0) : parse_v4(&addr, host, 0);

	if (err || (given && (!str_to_u64(&n, bits) || n > most)) ||
	    !as_v6(out->octets, (const struct sockaddr *)&addr))
		return UV_EINVAL;
	out->bits = (unsigned)(128 - most + (given ? n : most));
	return 0;
}

static bool is_in(const struct addr_net *net, const unsigned char octets[16])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;
	unsigned mask = rest > 0 ? 0xffu << (8 - rest) & 0xffu : 0;

	return memcmp(net->octets, octets, whole) == 0 &&
	       (rest == 0 || ((net->octets[whole] ^ octets[whole]) & mask) == 0);
}

bool addr_nets_have(const struct addr_nets *nets, const struct sockaddr *addr)
{
	unsigned char octets[16];

	if (!as_v6(octets, addr))
		return false;
	for (size_t i = 0; i < nets->count; i++)
		if (is_in(&nets->list[i], octets))
			return true;
	return false;
}
