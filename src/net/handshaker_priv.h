#ifndef NET_HANDSHAKER_PRIV_H
#define NET_HANDSHAKER_PRIV_H

#include <stdbool.h>
#include <sys/queue.h>

#include "net/handshaker.h"
#include "net/tls.h"

/* What has come of one connection until now, on its way through the thread. */
struct handshake {
	TAILQ_ENTRY(handshake) link;
	struct handshaker *h;
	void (*on_done)(void *owner, struct handshake *step);
	void *owner;			/* NULL: gone; the loop's thread only */
	struct tls *tls;		/* the owner's; owned without one */
	bool is_waiting;
	struct buf in;			/* from the peer */
	struct str left;		/* of it, when the handshake is over */
	struct buf out;			/* for the peer */
	int err;			/* tls_shake()'s */
};

TAILQ_HEAD(handshakes, handshake);

/* Copies octets; tls is the thread's until on_done(), a later turn of the loop,
 * and *out good until then. ERR_LIMIT: max_waiting. UV_ENOMEM. */
MUST_CHECK int handshaker_start(struct handshake **out, struct handshaker *h,
				struct tls *tls, struct str octets,
				void (*on_done)(void *owner,
						struct handshake *step),
				void *owner);

/* Nobody waits for it any more: tls is destroyed when the thread is done. */
void handshaker_drop(struct handshake *step);

#endif
