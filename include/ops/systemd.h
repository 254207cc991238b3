#ifndef OPS_SYSTEMD_H
#define OPS_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/*
 * What a service manager is told, and what it hands over: sd_notify(3),
 * sd_watchdog_enabled(3) and sd_listen_fds(3) as protocols. Main thread only.
 */

/* Somebody listens to systemd_notify(). */
bool systemd_is_there(void);

/* One datagram, lines of NAME=VALUE. Without a manager: nothing. */
void systemd_notify(const char *lines);

/* How often the manager wants to hear WATCHDOG=1, in ms; 0: not at all. */
uint64_t systemd_watchdog_ms(void);

/* Sockets that the manager has opened, by FileDescriptorName. */
struct systemd_socket {
	int fd;
	char name[64];
};

#define SYSTEMD_SOCKETS_MAX 64

/* The caller owns their descriptors. Later calls find none: children of ours
 * must not take them for theirs. */
size_t systemd_take_sockets(struct systemd_socket out[SYSTEMD_SOCKETS_MAX]);

#endif
