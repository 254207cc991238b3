#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "m2m/codec.h"

/*
 * The embedded CSE: a resource tree (TS-0001, TS-0004) on SQLite. This layer
 * is a function from request primitives to response primitives; it knows no
 * loop, no thread and no network. Whoever uses it owns the threads: one
 * store_conn per thread, of which one is the writer.
 */
struct store;

struct store_conf {
	const char *path;		/* database file, or ":memory:" */
	const char *cse_id;		/* "/id-in" */
	const char *cse_name;		/* resource name of the CSEBase */
	const char *admin;		/* originator that may do everything */
	const char *poa;		/* of the CSEBase, or NULL */
	struct codec_conf codec;
	uint64_t default_lifetime_s;	/* et of what comes without one */
	uint64_t max_instances;		/* of containers without mni */
	unsigned max_results;		/* of a discovery, whatever its lim;
					 * 0: no bound */
};

/* Opens or creates the database and its CSEBase. *why tells what was wrong
 * (static or owned by the store layer until the next call). conf is borrowed
 * and outlives the store. */
MUST_CHECK int store_create(struct store **out, const char **why,
			    const struct store_conf *conf);
void store_destroy(struct store *s);	/* after its connections */

enum store_role {
	STORE_WRITER,		/* exactly one */
	STORE_READER,		/* sees the last commit; not with ":memory:",
				 * where the writer's connection does all */
};

/* One thread's view. */
struct store_conn;

MUST_CHECK int store_conn_create(struct store_conn **out, struct store *s,
				 enum store_role role);
void store_conn_destroy(struct store_conn *c);

/* True: a reader may execute it. False: only the writer. */
bool store_is_read(const struct prim *request);

/* Group commit: what is executed between begin and commit becomes durable
 * together; until commit returned 0, no answer may leave. A failed commit
 * (disk full) undid all of it: answer 5000. Writer only. */
MUST_CHECK int store_begin(struct store_conn *c);
MUST_CHECK int store_commit(struct store_conn *c);
void store_rollback(struct store_conn *c);

/* Where an entity is reached. */
struct store_route {
	struct str urls;	/* http: and https: points of access to try in
				 * this order, each followed by a line feed */
	bool exact;		/* the URL is all of the address (nu was one);
				 * else `to` follows its path */
	struct str to;		/* `to` of the request for it */
	int64_t channel;	/* row of its <pollingChannel>, which then is
				 * the only way to it; 0: none */
};

enum store_ask {
	STORE_TELL,		/* nobody waits for the target's answer */
	STORE_ASK_SUBSCRIBE,	/* vrq: 2000 or the request fails with 5204 */
	STORE_ASK_UPDATE,	/* net 7: success, or it fails with 4127, with
				 * 5107 where the target is not reached */
};

/* A notification that the request caused (TS-0004 7.5.1.2). */
struct store_event {
	struct str target;		/* nu as it stands: id or URL */
	struct store_route route;	/* where that is */
	struct str originator;		/* fr of the NOTIFY: the CSE-ID */
	struct str content;		/* pc: {"m2m:sgn":...} as JSON */
	enum store_ask ask;
	int ec;				/* event category; 0: none */
	int64_t subscription;		/* row; 0: of none */
	unsigned batch_num;		/* bn: so many in one m2m:agn; 0: no;
					 * UINT_MAX: any number */
	uint64_t batch_ms;		/* or what came in this time; 0: any */
};

/* Filled by store_execute(); slices point into `store`. */
struct store_events {
	struct store_event *list;
	size_t count;
	struct buf store;		/* owned, as is list */
};

void store_events_deinit(struct store_events *e);

/* What became of a request. */
enum store_outcome {
	STORE_ANSWERED,		/* answer is complete, events are to be sent */
	STORE_ASKED,		/* nothing was done, answer is empty: events
				 * are questions; once all are agreed to, the
				 * same request is executed again with
				 * pass->agreed */
	STORE_FORWARD,		/* nothing was done, answer is empty: the
				 * request is for the one event's route, with
				 * its originator as fr and its own content;
				 * its answer is the target's */
	STORE_POLL,		/* RETRIEVE of pcu: the answer is the next
				 * request for pass->channel, or 4008 */
	STORE_POLL_ANSWER,	/* NOTIFY to pcu: content is the m2m:rsp to a
				 * request that pass->channel gave */
};

/* What an execution knows beside its request, and leaves for the next one of
 * the same request. A zeroed one is a first execution. */
struct store_pass {
	bool agreed;			/* every question was */
	enum store_outcome outcome;	/* out */
	int64_t channel;		/* out; of STORE_POLL and _ANSWER */
	int64_t rows, row_count;	/* the numbers that the rows of a
					 * STORE_ASKED had: the same ones when
					 * it is executed again, so that sur
					 * stays what the targets were told */
};

/*
 * Executes one request: answer becomes the response primitive (its slices
 * live in answer->store). Within begin and commit for the writer. Errors of
 * the request are answers, not return values. UV_ENOMEM, UV_EIO: answer 5000;
 * nothing of the request is left in the transaction.
 */
MUST_CHECK int store_execute(struct store_conn *c, struct prim *answer,
			     struct store_events *events,
			     struct store_pass *pass,
			     const struct prim *request, uint64_t now_ms);

/* Deletes what has expired by now_ms, at most max resources; returns how many.
 * Writer, within a transaction. */
MUST_CHECK int store_expire(struct store_conn *c, struct store_events *events,
			    uint64_t now_ms, unsigned max);

#endif
