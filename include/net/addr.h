#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <sys/socket.h>

#include "base/str.h"

/*
 * `192.0.2.1:80`, `[2001:db8::1]:80`, `*:80` (any, IPv6 with IPv4) or
 * `:80` -> socket address. UV_EINVAL: not an address and port.
 */
MUST_CHECK int addr_parse(struct sockaddr_storage *out, struct str text);

/* The text of an address, as above; NUL-terminated in space. */
struct str addr_text(const struct sockaddr *addr, char *space, size_t len);

#endif
