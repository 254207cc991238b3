#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdbool.h>
#include <uv.h>

#include "base/base.h"
#include "net/reactor.h"

/*
 * A listening socket on one loop. on_connection() is called once per waiting
 * connection and takes it with stream_accept(). Running out of descriptors
 * is survived: such connections are closed by libuv, on_refused() counts.
 */
struct listener;

struct listener_ops {
	void (*on_connection)(void *owner, uv_stream_t *from);
	void (*on_refused)(void *owner, int err);
};

/* Binds and listens. shared: other loops listen on the same address too
 * (SO_REUSEPORT). UV_EADDRINUSE and the like pass through. */
MUST_CHECK int listener_create(struct listener **out, struct reactor *r,
			       const struct sockaddr *addr, bool shared,
			       const struct listener_ops *ops, void *owner);

/* Takes a socket that already listens (systemd), also on failure. */
MUST_CHECK int listener_create_fd(struct listener **out, struct reactor *r,
				  int fd, const struct listener_ops *ops,
				  void *owner);

/* Stops; waiting connections are refused by the kernel. Accepts NULL. */
void listener_destroy(struct listener *l);

/* The port it is bound to: of use after binding to port 0. */
unsigned listener_port(const struct listener *l);

#endif
