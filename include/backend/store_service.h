#ifndef BACKEND_STORE_SERVICE_H
#define BACKEND_STORE_SERVICE_H

#include <sys/queue.h>
#include <uv.h>

#include "backend/backend.h"
#include "store/store.h"

/*
 * The embedded CSE with its threads: one writer that commits many requests at
 * a time and answers after the commit, and readers that do not wait for it.
 * One per process; every loop has a mailbox to it. Only messages pass between
 * threads: a request goes as the JSON of its primitive, so does the answer.
 */
struct store_service;

struct store_service_conf {
	struct store_conf store;
	unsigned readers;
	size_t max_waiting;		/* octets of requests not yet begun */
};

/* *why tells what was wrong with the database. conf is borrowed. */
MUST_CHECK int store_service_create(struct store_service **out,
				    const char **why,
				    const struct store_service_conf *conf);
void store_service_destroy(struct store_service *s);	/* after mailboxes */

/* One request on its way; embedded in what the caller keeps. Its memory stays
 * put until on_done() or store_mailbox_destroy(). */
struct store_job {
	TAILQ_ENTRY(store_job) link;
	struct store_mailbox *mailbox;
	struct buf request;		/* JSON of the primitive */
	struct buf answer;
};

TAILQ_HEAD(store_jobs, store_job);

/* One loop's end. */
struct store_mailbox {
	struct store_service *service;
	uv_async_t async;
	void (*on_done)(struct store_job *job);	/* on the loop */
	void (*on_closed)(struct store_mailbox *m);	/* memory is free */

	/* under the service's lock */
	struct store_jobs done;
	size_t pending;			/* queued or being executed */
};

MUST_CHECK int store_mailbox_init(struct store_mailbox *m,
				  struct store_service *s, uv_loop_t *loop,
				  void (*on_done)(struct store_job *job));

/* Waits for what is being executed, forgets the rest; on_closed() follows.
 * The jobs are the caller's again at once. */
void store_mailbox_close(struct store_mailbox *m,
			 void (*on_closed)(struct store_mailbox *m));

/* job->request is filled. ERR_LIMIT: max_waiting. */
MUST_CHECK int store_mailbox_submit(struct store_mailbox *m,
				    struct store_job *job, bool read);

/* The backend on top, for one worker. */
MUST_CHECK int backend_store_create(struct backend **out,
				    struct store_service *s, uv_loop_t *loop);

#endif
