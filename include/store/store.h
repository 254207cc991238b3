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

/* A notification that the request caused (TS-0004 7.5.1.2). */
struct store_event {
	struct str target;		/* nu as it stands: id or URL */
	struct str originator;		/* fr of the NOTIFY: the CSE-ID */
	struct str content;		/* pc: {"m2m:sgn":...} as JSON */
	bool verification;		/* vrq: the answer decides */
	int ec;				/* event category; 0: none */
};

/* Filled by store_execute(); slices point into `store`. */
struct store_events {
	struct store_event *list;
	size_t count;
	struct buf store;		/* owned, as is list */
};

void store_events_deinit(struct store_events *e);

/*
 * Executes one request: answer becomes the response primitive (its slices
 * live in answer->store). Within begin and commit for the writer. Errors of
 * the request are answers, not return values. UV_ENOMEM, UV_EIO: answer 5000;
 * nothing of the request is left in the transaction.
 */
MUST_CHECK int store_execute(struct store_conn *c, struct prim *answer,
			     struct store_events *events,
			     const struct prim *request, uint64_t now_ms);

/* Deletes what has expired by now_ms, at most max resources; returns how many.
 * Writer, within a transaction. */
MUST_CHECK int store_expire(struct store_conn *c, struct store_events *events,
			    uint64_t now_ms, unsigned max);

#endif
