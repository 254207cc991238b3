#ifndef M2M_POA_H
#define M2M_POA_H

#include <stdbool.h>

#include "base/str.h"

/*
 * Points of access and notification targets in content. A client is reached
 * over its own WebSocket, the CSE knows only HTTP: what the client says of
 * itself as ws becomes a URL of the gateway (pointOfAccess) or the client's
 * own id (notificationURI), and results say again what the client had said.
 *
 * Content is valid JSON that a codec has checked. Only the entries in question
 * are exchanged; every other octet stays. True: out, which was empty and is
 * not where the content lies, holds the new content (out->failed: no memory).
 * False: nothing to do, out is untouched.
 *
 * A ws entry is any ws: or wss: URL, in any case, and the mere words ws and
 * wss: ws://default, ws:// and ws are markers in use.
 */

enum poa_rr {
	POA_RR_UNKNOWN,
	POA_RR_FALSE,
	POA_RR_TRUE,
};

/* What a registration says; the caller keeps it with the entity. A zeroed one
 * says that nothing is known. */
struct poa_state {
	bool known;		/* of poa and routed */
	bool routed;		/* the CSE's poa holds the gateway's URL, be
				 * rr what it may */
	enum poa_rr rr;
	struct str poa;		/* JSON text of the client's array, as it sent
				 * it; empty: it sent none */
};

/* A CREATE or UPDATE of an <AE> or <remoteCSE>. */
struct poa_request {
	struct str content;
	struct str member;	/* m2m:ae or m2m:csr */
	struct str url;		/* the gateway's, for this entity */
	bool is_create;
	struct poa_state before;	/* UPDATE: as far as it is known */
};

/*
 * The request as the CSE gets it:
 *
 *	ws entries in poa		one URL in place of the first
 *	none, rr true			CREATE: poa is added
 *	only others			as it is: the client wants them used
 *	empty list, rr true		CREATE: the URL
 *	empty list or null		UPDATE: the URL, for a client that
 *					names nothing is reached through us
 *	rr false, here or before	as it is: it polls
 *	UPDATE, rr becomes true, no poa	what CREATE would have made of the
 *					poa that is known
 *	odd types, members twice,
 *	content of several members	as it is: the CSE judges
 *
 * *after is what holds when the CSE agrees, its slices are of the content or
 * of before; on a refusal `before` still holds. It is set in any case.
 */
MUST_CHECK bool poa_rewrite(struct buf *out, struct poa_state *after,
			    const struct poa_request *r);

/* Whose URLs poa_restore() looks for. */
struct poa_routes {
	struct str prefix;	/* http://gw:8383/r/ ; a token follows */

	/* True: token is known; *poa is what poa_state.poa says. Good until
	 * the next call. */
	bool (*find)(void *arg, struct str *poa, struct str token);
	void *arg;
};

/*
 * Content for a client, of any shape (nested children, m2m:sgn, m2m:rsp, ...):
 * in each list `poa` the gateway's URL gives way to the entity's own entries,
 * in their order if the list is otherwise as the client had sent it. If it had
 * sent none and nothing else is in the list, the member goes. A URL with an
 * unknown token goes in any case. Strings elsewhere stay.
 *
 * Costs one search for the prefix's authority when that does not occur. (It
 * is searched as it stands: nobody escapes letters or digits.)
 */
MUST_CHECK bool poa_restore(struct buf *out, struct str content,
			    const struct poa_routes *routes);

/* False: poa_restore() would find nothing in content that is `octets` in
 * another serialisation, one where text stands as it is. */
bool poa_may_restore(struct str octets, const struct poa_routes *routes);

struct nu_rules {
	struct str originator;	/* takes the place of ws entries */

	/* Whether a URL (decoded, without its query) leads to the originator's
	 * own connection. NULL: each does. Not asked for the markers. */
	bool (*is_own)(void *arg, struct str url);
	void *arg;
};

enum nu_result {
	NU_SAME,		/* nothing to do */
	NU_CHANGED,		/* out holds the new text */
	NU_FOREIGN,		/* holds a ws URL of somebody else */
};

/*
 * Targets of notifications in the content of a CREATE or UPDATE of m2m:sub or
 * m2m:crs: the first ws entry of nu becomes the originator, with its hint
 * (?ct=...) if it has one, further ones go; likewise su. Any other member or
 * type stays.
 */
MUST_CHECK enum nu_result nu_rewrite(struct buf *out, struct str content,
				     const struct nu_rules *rules);

/* The same for nu of the parameter rt (an object). */
MUST_CHECK enum nu_result nu_rewrite_rt(struct buf *out, struct str rt,
					const struct nu_rules *rules);

#endif
