#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/str.h"

/*
 * `192.0.2.1:80`, `[2001:db8::1]:80`, `*:80` (any, IPv6 with IPv4) or
 * `:80` -> socket address. UV_EINVAL: not an address and port.
 */
MUST_CHECK int addr_parse(struct sockaddr_storage *out, struct str text);

/* The address alone, of AF_INET or AF_INET6, without brackets. UV_EINVAL. */
MUST_CHECK int addr_parse_host(struct sockaddr_storage *out, int family,
			       struct str host, uint16_t port);

/* The text of an address, as above; NUL-terminated in space. */
struct str addr_text(const struct sockaddr *addr, char *space, size_t len);

/* Whose an address is: an IPv4 address, as it is when mapped into IPv6, or the
 * /64 of an IPv6 one, of which a single peer has all. False: neither. */
bool addr_group(unsigned char out[16], const struct sockaddr *addr);

/* An address with how many bits of it count; v4 also as mapped into v6. */
struct addr_net {
	unsigned char octets[16];	/* v6, or v4 mapped */
	unsigned bits;			/* of 128 */
};

struct addr_nets {
	const struct addr_net *list;	/* borrowed */
	size_t count;
};

/* `192.0.2.0/24`, `2001:db8::/32`, `::1`: without bits, one address.
 * UV_EINVAL. */
MUST_CHECK int addr_net_parse(struct addr_net *out, struct str text);

bool addr_nets_have(const struct addr_nets *nets, const struct sockaddr *addr);

#endif
