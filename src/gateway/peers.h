#ifndef GATEWAY_PEERS_H
#define GATEWAY_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/base.h"

/*
 * What each peer has open, and how fast it comes; addr_group() says whose an
 * address is. Shared by all workers, under a lock that is taken twice for each
 * connection.
 *
 * A peer is known while it has connections, which the listeners bound, and
 * until it may come as often as one that never came: two seconds at most. Of
 * those that have only been, max_idle are kept. Above that the one that left
 * first is forgotten, and counted: newcomers do not pay for a flood of
 * addresses.
 */
struct peers;

/* One that is known. */
struct peer;

struct peers_conf {
	unsigned sessions;	/* open connections of one peer; 0: any */
	unsigned rate;		/* connections a second; 0: any. Twice as many
				 * may come at once. */
	size_t max_idle;
};

enum peers_verdict {
	PEERS_IN,
	PEERS_TOO_MANY,
	PEERS_TOO_FAST,
	PEERS_NO_MEMORY,
};

MUST_CHECK int peers_create(struct peers **out, const struct peers_conf *conf);
/* After everybody has left. Accepts NULL. */
void peers_destroy(struct peers *p);

/* From now on; who is there stays. */
void peers_set_limits(struct peers *p, unsigned sessions, unsigned rate);

/* There is a limit: peers_enter() looks at addresses. */
bool peers_are_bounded(const struct peers *p);

/* A connection comes; on PEERS_IN *out is for peers_leave(), or NULL. now_ms:
 * monotonic. */
enum peers_verdict peers_enter(struct peer **out, struct peers *p,
			       const struct sockaddr *addr, uint64_t now_ms);
void peers_leave(struct peers *p, struct peer *peer, uint64_t now_ms);

/* How many are known; how many were forgotten for max_idle. */
size_t peers_count(struct peers *p);
uint64_t peers_forgotten(struct peers *p);

#endif
