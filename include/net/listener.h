#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include "base/base.h"
#include "net/reactor.h"

/*
 * A listening socket on one loop. Running out of descriptors is survived: the
 * listener pauses a moment, connections wait in the kernel's backlog, and
 * on_refused() is told once per pause.
 */
struct listener;

struct listener_ops {
	/* The owner takes fd, with stream_accept() or close(). */
	void (*on_connection)(void *owner, int fd);
	void (*on_refused)(void *owner, int err);
};

/* Binds and listens. shared: other loops listen on the same address too
 * (SO_REUSEPORT). UV_EADDRINUSE and the like pass through. */
MUST_CHECK int listener_create(struct listener **out, struct reactor *r,
			       const struct sockaddr *addr, bool shared,
			       const struct listener_ops *ops, void *owner);

/* Its steps, for who must know that they work before others go. */
MUST_CHECK int listener_bind(int *out, const struct sockaddr *addr,
			     bool shared);
MUST_CHECK int listener_listen(int fd);

/* Takes a socket that already listens (systemd), also on failure. */
MUST_CHECK int listener_create_fd(struct listener **out, struct reactor *r,
				  int fd, const struct listener_ops *ops,
				  void *owner);

/* From now on an eighth of the descriptors that the process may have, or 256,
 * is left to others: connections that would use these are closed, and the
 * listener pauses as without any. */
void listener_leave_some(struct listener *l);

/* A Unix socket of that mode, whatever the umask. One that nobody listens on
 * any more is replaced; UV_EADDRINUSE: somebody does; UV_EEXIST: it is no
 * socket; UV_ENAMETOOLONG. */
MUST_CHECK int listener_create_unix(struct listener **out, struct reactor *r,
				    const char *path, mode_t mode,
				    const struct listener_ops *ops,
				    void *owner);

/* Stops; waiting connections are refused by the kernel, and a Unix socket is
 * removed. Accepts NULL. */
void listener_destroy(struct listener *l);

/* Its socket once more, which so outlives it, with the connections that wait
 * there. */
MUST_CHECK int listener_share(int *out, const struct listener *l);

/* The port a socket is bound to, or 0. */
unsigned listener_port_of(int fd);

/* The port it is bound to: of use after binding to port 0. */
unsigned listener_port(const struct listener *l);

#endif
