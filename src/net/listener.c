#include "net/listener.h"

#include <errno.h>
#include <stdbool.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

struct listener {
	uv_tcp_t tcp;
	const struct listener_ops *ops;
	void *owner;
	unsigned port;
};

static void on_closed(uv_handle_t *handle)
{
	free(container_of(handle, struct listener, tcp));
}

static void on_connection(uv_stream_t *handle, int status)
{
	struct listener *l = container_of(handle, struct listener, tcp);

	if (status < 0)
		l->ops->on_refused(l->owner, status);
	else
		l->ops->on_connection(l->owner, handle);
}

static unsigned port_of(uv_tcp_t *tcp)
{
	struct sockaddr_storage addr;
	int len = sizeof(addr);

	if (uv_tcp_getsockname(tcp, (struct sockaddr *)&addr, &len) != 0)
		return 0;
	if (addr.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
	return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

int listener_create_fd(struct listener **out, struct reactor *r, int fd,
		       const struct listener_ops *ops, void *owner)
{
	struct listener *l = calloc(1, sizeof(*l));
	int err;

	if (l == NULL) {
		close(fd);
		return UV_ENOMEM;
	}
	l->ops = ops;
	l->owner = owner;
	err = uv_tcp_init(reactor_loop(r), &l->tcp);
	if (err) {
		close(fd);
		free(l);
		return err;
	}
	err = uv_tcp_open(&l->tcp, fd);
	if (err)
		close(fd);
	else
		err = uv_listen((uv_stream_t *)&l->tcp, BACKLOG,
				on_connection);
	if (err) {
		listener_destroy(l);
		return err;
	}
	l->port = port_of(&l->tcp);
	*out = l;
	return 0;
}

/* libuv has no SO_REUSEPORT before 1.49 and binds `::` without IPv4 only by a
 * flag, so the socket is made here. */
static int open_socket(int *out, const struct sockaddr *addr, bool shared)
{
	bool v6 = addr->sa_family == AF_INET6;
	socklen_t len = v6 ? sizeof(struct sockaddr_in6) :
			     sizeof(struct sockaddr_in);
	int on = 1, off = 0, many = shared, fd, err;

	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &many,
		   sizeof(many));
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, addr, len) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

int listener_create(struct listener **out, struct reactor *r,
		    const struct sockaddr *addr, bool shared,
		    const struct listener_ops *ops, void *owner)
{
	int fd = -1, err;

	err = open_socket(&fd, addr, shared);
	if (err)
		return err;
	return listener_create_fd(out, r, fd, ops, owner);
}

void listener_destroy(struct listener *l)
{
	if (l != NULL)
		uv_close((uv_handle_t *)&l->tcp, on_closed);
}

unsigned listener_port(const struct listener *l)
{
	return l->port;
}
