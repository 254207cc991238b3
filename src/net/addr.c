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
