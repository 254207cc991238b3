#ifndef NET_PREFACE_H
#define NET_PREFACE_H

#include <sys/socket.h>

#include "base/base.h"
#include "net/reactor.h"

/*
 * A connection whose proxy has yet to tell whose it is (net/proxy_header.h).
 * It takes the header's octets off the socket and no others, so that whoever
 * reads next finds TLS or HTTP. Loop thread only.
 */
struct preface;

/* Either is the last word: the preface is gone by then. */
struct preface_ops {
	/* fd is the owner's. from: whose it is; NULL: the header names nobody,
	 * and the connection's own address is right. */
	void (*on_header)(void *owner, int fd, const struct sockaddr *from);

	/* Closed. ERR_PROTO: no such header; UV_ETIMEDOUT: none in time;
	 * UV_EOF and the like: the peer has gone. */
	void (*on_end)(void *owner, int err);
};

/* Takes fd, a connected socket that does not block, also on failure. */
MUST_CHECK int preface_create(struct preface **out, struct reactor *r, int fd,
			      uint64_t timeout_ms,
			      const struct preface_ops *ops, void *owner);

/* Closes the connection; nothing is called back. Accepts NULL. */
void preface_destroy(struct preface *p);

#endif
