#ifndef GATEWAY_DISPATCH_REQUEST_H
#define GATEWAY_DISPATCH_REQUEST_H

#include "dispatch.h"

/*
 * One request, from its arrival to its answer. It is on its peer's at_cse or
 * waiting list; once the peer has left, on the dispatcher's orphans.
 */
struct request {
	struct exchange x;		/* the backend's end */
	struct dispatch *d;		/* borrowed */
	struct dispatch_peer *peer;	/* borrowed; NULL: has left */
	TAILQ_ENTRY(request) link;
	struct timeout deadline;

	enum op op;
	bool silent;			/* rt 5: no answer is wanted */
	bool waiting;
	void *note;			/* the hooks' */
	uint64_t started;		/* ns */
	size_t octets_in;

	/* rqi, rvi, fr, to one after the other; then, while it waits, the
	 * message */
	struct buf text;
	size_t rqi_len, rvi_len, fr_len, to_len;
	uint64_t id;			/* while waiting: in waiting_ids */
};

/* What a waiting request counts for in max_queue: small ones must not get by
 * with their octets alone. */
size_t request_waiting_cost(size_t message);

/* Fills rq from p; wait: the message is kept with it. False: no memory. */
bool request_fill(struct request *rq, const struct prim *p,
		  struct str message, bool wait);

/* Of what it was filled with. */
struct str request_rqi(const struct request *rq);
struct str request_rvi(const struct request *rq);
struct str request_fr(const struct request *rq);
struct str request_to(const struct request *rq);
struct str request_message(const struct request *rq);

/* It waits at the CSE for long; and as its answer is a request (TS-0001
 * 10.2.5), that would be lost when the peer has left. */
bool request_is_poll(const struct request *rq);

/* One with p's originator and rqi is there. */
bool request_is_listed(const struct request_list *list, const struct prim *p);

/* Of a parameter that names something: a list or an object does not. */
struct str request_scalar(const struct prim *p, enum prim_param id);

#endif
