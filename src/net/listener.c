#define _GNU_SOURCE	/* accept4 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG  4096
#define BATCH    16	/* connections taken per event, then others' turn */
#define PAUSE_MS 100
#define LEFT_MAX 256	/* descriptors that are left to others */

/*
 * libuv's own accept loop never comes back when descriptors run out in a
 * process with several loops, so it only watches the socket here.
 */
struct listener {
	uv_poll_t poll;
	struct reactor *r;		/* borrowed */
	const struct listener_ops *ops;
	void *owner;
	int fd;				/* owned */
	unsigned port;
	bool leaves_some;
	char *path;			/* owned; of a Unix socket, or NULL */
	struct timeout pause;
};

static void on_closed(uv_handle_t *handle)
{
	struct listener *l = container_of(handle, struct listener, poll);

	free(l->path);
	free(l);
}

/* The limit may be changed from outside (prlimit(1)). */
static bool is_one_of_the_last(int fd)
{
	struct rlimit files;
	rlim_t left;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return false;
	left = files.rlim_cur / 8 < LEFT_MAX ? files.rlim_cur / 8 : LEFT_MAX;
	return (rlim_t)fd >= files.rlim_cur - left;
}

/* As accept(2), but for those that are left to others. */
static int accept_some(struct listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 || !l->leaves_some || !is_one_of_the_last(fd))
		return fd;
	close(fd);
	errno = EMFILE;
	return -1;
}

/* True: there may be more to accept. */
static bool accept_one(struct listener *l)
{
	int fd = accept_some(l);

	if (fd >= 0) {
		l->ops->on_connection(l->owner, fd);
		return !uv_is_closing((uv_handle_t *)&l->poll);
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return false;
	if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS &&
	    errno != ENOMEM)
		return true;		/* that one is gone (accept(2)) */
	uv_poll_stop(&l->poll);
	reactor_arm(l->r, &l->pause, PAUSE_MS);
	l->ops->on_refused(l->owner, -errno);
	return false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = container_of(poll, struct listener, poll);

	(void)status;
	(void)events;
	for (int i = 0; i < BATCH && accept_one(l); i++)
		continue;
}

static void on_pause(struct timeout *t)
{
	struct listener *l = container_of(t, struct listener, pause);

	uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

unsigned listener_port_of(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
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
	l->r = r;
	l->ops = ops;
	l->owner = owner;
	l->fd = fd;
	l->port = listener_port_of(fd);
	l->pause.on_timeout = on_pause;
	err = uv_poll_init(reactor_loop(r), &l->poll, fd);
	if (err) {
		close(fd);
		free(l);
		return err;
	}
	err = uv_poll_start(&l->poll, UV_READABLE, on_readable);
	if (err) {
		listener_destroy(l);
		return err;
	}
	*out = l;
	return 0;
}

/* IPv6 sockets take IPv4 too, so that `*` is everything. */
int listener_bind(int *out, const struct sockaddr *addr, bool shared)
{
	bool v6 = addr->sa_family == AF_INET6;
	socklen_t len = v6 ? sizeof(struct sockaddr_in6) :
			     sizeof(struct sockaddr_in);
	int on = 1, off = 0, many = shared, fd, err;

	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &many, sizeof(many));
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

int listener_listen(int fd)
{
	return listen(fd, BACKLOG) == 0 ? 0 : -errno;
}

int listener_share(int *out, const struct listener *l)
{
	int fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	*out = fd;
	return 0;
}

int listener_create(struct listener **out, struct reactor *r,
		    const struct sockaddr *addr, bool shared,
		    const struct listener_ops *ops, void *owner)
{
	int fd = -1, err;

	err = listener_bind(&fd, addr, shared);
	if (err)
		return err;
	err = listener_listen(fd);
	if (err) {
		close(fd);
		return err;
	}
	return listener_create_fd(out, r, fd, ops, owner);
}

/* ---- Unix sockets ---- */

/* Nobody listens there any more: who did has gone without a word. */
static bool is_stale(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) !=
			0 && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

/* What is no socket is somebody's file. */
static int clear_path(const struct sockaddr_un *addr)
{
	struct stat st;

	if (lstat(addr->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return UV_EEXIST;
	if (!is_stale(addr))
		return UV_EADDRINUSE;
	return unlink(addr->sun_path) == 0 ? 0 : -errno;
}

/* Before bind() the mode is that of the socket that appears, less the umask:
 * so there is no moment at which more than mode is allowed. */
static int open_unix(int *out, const struct sockaddr_un *addr, mode_t mode)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (fchmod(fd, mode) != 0 ||
	    bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	if (chmod(addr->sun_path, mode) != 0 || listen(fd, BACKLOG) != 0) {
		err = -errno;
		unlink(addr->sun_path);
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

int listener_create_unix(struct listener **out, struct reactor *r,
			 const char *path, mode_t mode,
			 const struct listener_ops *ops, void *owner)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char *copy;
	int fd = -1, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return UV_ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	copy = strdup(path);
	if (copy == NULL)
		return UV_ENOMEM;
	err = clear_path(&addr);
	if (!err)
		err = open_unix(&fd, &addr, mode);
	if (err)
		goto free_copy;
	err = listener_create_fd(out, r, fd, ops, owner);
	if (err)
		goto unlink_path;
	(*out)->path = copy;
	return 0;

unlink_path:
	unlink(path);
free_copy:
	free(copy);
	return err;
}

void listener_destroy(struct listener *l)
{
	if (l == NULL)
		return;
	reactor_disarm(l->r, &l->pause);
	if (l->path != NULL)
		unlink(l->path);
	uv_close((uv_handle_t *)&l->poll, on_closed);
	close(l->fd);
}

void listener_leave_some(struct listener *l)
{
	l->leaves_some = true;
}

unsigned listener_port(const struct listener *l)
{
	return l->port;
}
