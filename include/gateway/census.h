#ifndef GATEWAY_CENSUS_H
#define GATEWAY_CENSUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/*
 * Who is connected, for those who run the gateway: a look at every session,
 * worker by worker, each on its own thread. Looking at many keeps their worker
 * from serving meanwhile, at some microseconds each.
 */
struct gateway;
struct owner;

/* Slices are good for the call. */
struct session_view {
	uint64_t sid;
	unsigned worker;
	const char *listener;
	struct str peer;		/* ADDRESS:PORT */
	struct str credential;		/* its name; empty: none */
	struct str certificate;		/* whom it names; empty: none */
	struct str subprotocol;
	uint64_t opened_ms;		/* wall clock */
	uint64_t messages_in, messages_out;
	unsigned in_flight;		/* requests at the CSE */
	size_t waiting_octets;		/* and of those that wait for that */
	unsigned asked;			/* requests to it, unanswered */
	unsigned entities;
	const struct owner *owner;
};

/* The ids that it stands for, up to max. */
void session_view_entities(const struct session_view *v, unsigned max,
			   void (*on_id)(void *arg, struct str id), void *arg);

struct census_filter {
	uint64_t sid;			/* 0: any */
	struct str originator;		/* that it may speak for; empty: any */
	struct str peer;		/* ADDRESS or ADDRESS:PORT, likewise */
};

/*
 * On the loop given by gateway_reactor(). on_session() is called on the threads
 * of the workers, one call at a time, until it returns false; then on_done() on
 * that loop. filter is copied. UV_EINVAL: originator is no id. UV_ENOMEM,
 * UV_ECANCELED (it ends).
 */
MUST_CHECK int gateway_census(struct gateway *gw,
			      const struct census_filter *filter,
			      bool (*on_session)(void *owner,
						 const struct session_view *v),
			      void (*on_done)(void *owner), void *owner);

/* Closes that session with 1008. on_done() follows on the same loop. */
MUST_CHECK int gateway_kick(struct gateway *gw, uint64_t sid,
			    void (*on_done)(void *owner, bool found),
			    void *owner);

/* The session that stands for id looks into its inbox again. UV_ENOENT: nobody
 * of that id is known; UV_ENOTCONN: it has no session; UV_EINVAL: no id. */
MUST_CHECK int gateway_redeliver(struct gateway *gw, struct str id);

/* The one text of an id, as inboxes have it. UV_EINVAL, UV_ENOMEM. */
MUST_CHECK int gateway_canonical(struct buf *out, const struct gateway *gw,
				 struct str id);

#endif
