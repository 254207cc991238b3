#ifndef GATEWAY_LISTENER_SHARED_H
#define GATEWAY_LISTENER_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/base.h"

struct gateway_listener_conf;

/*
 * What the workers share of one listener. The main thread's, but for what is
 * atomic; the workers' parts of it hold it.
 */
struct listener_shared {
	TAILQ_ENTRY(listener_shared) link;	/* in the gateway's */
	char *name;				/* owned */
	struct sockaddr_storage addr;		/* as configured */
	unsigned port;				/* of the first worker's */
	bool tls;
	bool inherited;		/* its socket, which stays where it is */
	int fd;			/* that one, borrowed, at the start; or -1 */
	bool retired;		/* a reload took it away: its sessions are left */

	atomic_uint holders;			/* workers' parts */
	atomic_bool broken;			/* a worker could not open it */
	atomic_uint_fast64_t connections;	/* sessions, and what is not
						 * one yet */
	atomic_uint_fast64_t sessions;
};

TAILQ_HEAD(listener_list, listener_shared);

/* Copies the name. UV_ENOMEM. */
MUST_CHECK int listener_shared_create(struct listener_shared **out,
				      const struct gateway_listener_conf *conf);
/* Nobody holds it. Accepts NULL. */
void listener_shared_destroy(struct listener_shared *s);

/* NULL: there is none of that name that is not retired. */
struct listener_shared *listener_shared_find(const struct listener_list *list,
					     const char *name);

/* Open WebSockets, of all. */
uint64_t listener_shared_sessions(const struct listener_list *list);

/* Frees those that are retired and that nobody holds any more. */
void listener_shared_sweep(struct listener_list *list);

#endif
