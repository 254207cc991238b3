#ifndef NET_PROXY_HEADER_H
#define NET_PROXY_HEADER_H

#include <sys/socket.h>

#include "base/str.h"

/*
 * The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): what a
 * proxy sends before the first octet of a connection tells whose it is.
 */
#define PROXY_HEADER_MAX 536	/* octets; a longer one is malformed */

struct proxy_header {
	size_t len;			/* its octets */
	struct sockaddr_storage from;	/* ss_family 0: it names nobody, and the
					 * connection's own address is right */
};

/* 1: out is filled. 0: it goes on, and all of these octets are its own.
 * ERR_PROTO: it is none. */
MUST_CHECK int proxy_header_parse(struct proxy_header *out, struct str octets);

#endif
