#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <uv.h>

#include "base/str.h"
#include "net/handshaker.h"
#include "net/reactor.h"
#include "net/tls.h"

/*
 * A byte stream over TCP or a Unix socket. Loop thread only. The owner may
 * destroy it from any of its callbacks.
 *
 * Output is appended and leaves at the end of the loop turn. While more than
 * half of max_queue waits, reading pauses by itself; an append that would go
 * above max_queue fails.
 */
struct stream;

struct stream_ops {
	/* Bytes arrived; good for the call only. */
	void (*on_data)(void *owner, const char *data, size_t len);

	/* The peer closed (UV_EOF), the connection broke, or output could not
	 * be written. Nothing follows; the owner destroys the stream. */
	void (*on_end)(void *owner, int err);

	/* All output has been handed to the kernel. May be NULL. */
	void (*on_drain)(void *owner);

	/* stream_connect() succeeded, and with TLS the handshake, too. May be
	 * NULL for accepted ones. */
	void (*on_connect)(void *owner);
};

/* Takes a connected TCP socket, also on failure. */
MUST_CHECK int stream_accept(struct stream **out, struct reactor *r,
			     int fd, size_t max_queue,
			     const struct stream_ops *ops, void *owner);

/* Connects: on_connect or on_end follows, later. */
MUST_CHECK int stream_connect_tcp(struct stream **out, struct reactor *r,
				  const struct sockaddr *to, size_t max_queue,
				  const struct stream_ops *ops, void *owner);
MUST_CHECK int stream_connect_unix(struct stream **out, struct reactor *r,
				   const char *path, size_t max_queue,
				   const struct stream_ops *ops, void *owner);

/* From the first octet on everything goes through tls; nothing was written
 * yet. The owner sees no difference: what it writes waits for the handshake,
 * a peer that cuts the connection instead of closing it is UV_ECONNABORTED,
 * and released streams say close_notify. A client's tls comes before
 * on_connect. h is borrowed and does the handshake; NULL: that is done here. */
void stream_take_tls(struct stream *s, struct tls *tls, struct handshaker *h);

/* Drops unsent output. Accepts NULL. */
void stream_destroy(struct stream *s);

/* Like destroy, but what is queued is still sent, then the stream half-closes
 * and waits a moment for the peer's end, so that no last word is lost. */
void stream_release(struct stream *s);

/* From now on another owner hears. */
void stream_set_owner(struct stream *s, const struct stream_ops *ops,
		      void *owner);
void stream_set_max_queue(struct stream *s, size_t max_queue);

/* Appends. ERR_LIMIT: above max_queue, nothing was appended. UV_ENOMEM. */
MUST_CHECK int stream_write(struct stream *s, struct str bytes);

/* Makes sure that appending n octets in all cannot fail in this call of the
 * owner. ERR_LIMIT, UV_ENOMEM, UV_EPIPE (the stream has ended). */
MUST_CHECK int stream_reserve(struct stream *s, size_t n);

/* Octets appended and not yet taken by the kernel. */
size_t stream_queued(const struct stream *s);

/* Loop time (ms) at which the peer last sent, or took, a byte. */
uint64_t stream_last_active(const struct stream *s);

/* False when input has come already, or an end, that the owner has not heard
 * of: such a connection must not carry a new request, and the owner may never
 * hear. */
bool stream_is_quiet(struct stream *s);

/* Whom a proxy in front speaks for: the peer's address from now on.
 * UV_ENOMEM. */
MUST_CHECK int stream_set_peer(struct stream *s, const struct sockaddr *addr);

/* Peer's address as text, e.g. 192.0.2.1:4711 or [2001:db8::1]:80. */
struct str stream_peer(struct stream *s, char *space, size_t len);

/* The same as an address; UV_ENOTSUP: a Unix socket has none. */
MUST_CHECK int stream_peer_address(struct stream *s,
				   struct sockaddr_storage *out);

/* Whom the peer's certificate names (tls_peer_name()); empty without TLS. */
struct str stream_peer_name(const struct stream *s);

/* Why a client's TLS ended it, in on_end(); empty: it did not. */
struct str stream_tls_why(const struct stream *s, char *space, size_t len);

struct reactor *stream_reactor(const struct stream *s);

#endif
