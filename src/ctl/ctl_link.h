#ifndef CTL_CTL_LINK_H
#define CTL_CTL_LINK_H

#include "base/str.h"
#include "net/reactor.h"

/*
 * A WebSocket to a gateway, as a client: connected, with the sub-protocol
 * oneM2M.json.
 */
struct ctl_link;

struct ctl_link_conf {
	const char *url;		/* ws://HOST:PORT/PATH, or wss: */
	const char *originator;		/* for the handshake; or NULL */
	const char *token;		/* likewise */
	const char *ca;			/* file of those who vouch for the
					 * server; NULL: the system's */
};

struct ctl_link_ops {
	void (*on_open)(void *owner);
	void (*on_message)(void *owner, struct str message);

	/* It is over, or never came to be: why is for people. The owner
	 * destroys it, here or later. */
	void (*on_end)(void *owner, const char *why);
};

/* conf is borrowed and outlives it. Nothing is called back within the call. On
 * failure why tells why. */
#define CTL_LINK_WHY_MAX 512
MUST_CHECK int ctl_link_create(struct ctl_link **out,
			       char why[CTL_LINK_WHY_MAX], struct reactor *r,
			       const struct ctl_link_conf *conf,
			       const struct ctl_link_ops *ops, void *owner);
void ctl_link_destroy(struct ctl_link *l);	/* accepts NULL */

MUST_CHECK int ctl_link_send(struct ctl_link *l, struct str message);

/* With 1000; on_end() follows. */
void ctl_link_close(struct ctl_link *l);

#endif
