#ifndef BACKEND_MCA_CLIENT_H
#define BACKEND_MCA_CLIENT_H

#include "backend/backend.h"
#include "m2m/codec.h"
#include "net/addr.h"

/*
 * Sends request primitives to points of access over TS-0009, wherever these
 * are: a pool of connections for each authority. When others need the place,
 * one that idles goes, or else the one that was used longest ago. Loop thread
 * only. Deadlines are the caller's.
 */
struct mca_client;

struct mca_client_conf {
	size_t authorities;		/* at most, at the same time */
	size_t connections;		/* at most, to each */
	uint64_t connect_timeout_ms;
	uint64_t keepalive_ms;
	size_t max_waiting;		/* octets of requests, for each */
	size_t max_answer;		/* octets of a response body */
	struct addr_nets deny;		/* addresses never connected to */
	struct codec_conf codec;	/* what an answer may cost */
};

/* conf is borrowed and outlives the client. Without randomness it fails. */
MUST_CHECK int mca_client_create(struct mca_client **out, struct reactor *r,
				 const struct mca_client_conf *conf);

/* Pending exchanges hear nothing. Accepts NULL. */
void mca_client_destroy(struct mca_client *c);

/*
 * url: http://HOST[:PORT][/PATH][?QUERY]. exact: that is all of the address;
 * else `to`, as TS-0009 6.2.2.1 maps it, follows the path, as in
 * http://gw/r/k3/~/in/Cx. An item `ct` of the query is a hint to the sender
 * and left out (TS-0004 7.5.1.2.2). A NOTIFY is repeated where RETRIEVE is:
 * to hear it twice does less harm than not at all.
 *
 * 0: x hears, later; ERR_DENIED where every address of the host is denied,
 * UV_ECANCELED when its authority lost its place while it waited. UV_EINVAL:
 * the URL is of no use, and *why goes with it as "has a fragment" would. Else
 * as submit of backend.h; ERR_PROTO and ERR_UNSUPPORTED are p's fault.
 */
MUST_CHECK int mca_client_submit(struct mca_client *c, struct exchange *x,
				 struct str url, bool exact,
				 const struct prim *p, const char **why);

/* The answer is not wanted any more; nothing is called for x. */
void mca_client_cancel(struct mca_client *c, struct exchange *x);

#endif
