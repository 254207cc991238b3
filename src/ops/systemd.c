#include "ops/systemd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

#define FIRST_FD 3

bool systemd_is_there(void)
{
	return getenv("NOTIFY_SOCKET") != NULL;
}

/* A path, or a name in the abstract namespace behind an @. 0: none. */
static socklen_t manager_address(struct sockaddr_un *out)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path != NULL ? strlen(path) : 0;

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len < 2 || len >= sizeof(out->sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return 0;
	memcpy(out->sun_path, path, len);
	if (path[0] == '@')
		out->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

void systemd_notify(const char *lines)
{
	struct sockaddr_un to;
	socklen_t len = manager_address(&to);
	int fd;

	if (len == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)!sendto(fd, lines, strlen(lines), MSG_NOSIGNAL,
		      (const struct sockaddr *)&to, len);
	close(fd);
}

/* A number that the manager has put there for this process. */
static bool number_of(uint64_t *out, const char *name, const char *pid_name)
{
	const char *text = getenv(name), *pid_text = getenv(pid_name);
	uint64_t pid;

	return text != NULL && str_to_u64(out, str_of(text)) &&
	       (pid_text == NULL || (str_to_u64(&pid, str_of(pid_text)) &&
				     pid == (uint64_t)getpid()));
}

uint64_t systemd_watchdog_ms(void)
{
	uint64_t us;

	return number_of(&us, "WATCHDOG_USEC", "WATCHDOG_PID") ? us / 1000 : 0;
}

static void take(struct systemd_socket *out, int fd, struct str name)
{
	size_t len = name.len < sizeof(out->name) ? name.len : 0;

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	out->fd = fd;
	if (len > 0)
		memcpy(out->name, name.p, len);
	out->name[len] = '\0';
}

size_t systemd_take_sockets(struct systemd_socket out[SYSTEMD_SOCKETS_MAX])
{
	const char *text = getenv("LISTEN_FDNAMES");
	struct str names = str_of(text != NULL ? text : ""), name;
	uint64_t count;

	if (getenv("LISTEN_PID") == NULL ||
	    !number_of(&count, "LISTEN_FDS", "LISTEN_PID"))
		count = 0;
	if (count > SYSTEMD_SOCKETS_MAX)
		count = SYSTEMD_SOCKETS_MAX;
	for (size_t i = 0; i < count; i++) {
		str_cut(names, ':', &name, &names);
		take(&out[i], FIRST_FD + (int)i, name);
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return count;
}
