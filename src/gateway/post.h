#ifndef GATEWAY_POST_H
#define GATEWAY_POST_H

#include "delivery.h"
#include "visit.h"

struct worker_shared;

/*
 * Messages between workers, and the only thing that passes between them:
 * deliveries on their way out and home, notices, and visits of the main thread.
 * A delivery of one's own is carried out at once, a notice in the next turn of
 * the loop.
 */
enum notice_kind {
	NOTICE_REPLACED,	/* another session stands for the entity */
	NOTICE_INBOX,		/* something is stored for the entity */
	NOTICE_ONLINE,		/* the entity has a session: to those who hold
				 * requests for it */
};

struct notice;

TAILQ_HEAD(notice_list, notice);

/* Embedded in the worker; everything under its lock. */
struct post {
	uv_mutex_t lock;
	struct delivery_list deliveries;
	struct notice_list notices;
	struct visit_list visits;
	bool ended;			/* visits pass by */
	bool lost;			/* a notice, for lack of memory */
};

MUST_CHECK int post_init(struct post *p);
void post_deinit(struct post *p);	/* what is left is dropped */

/* d goes out to the session d->at, or, when it has ended, home. */
void post_delivery(struct worker *from, unsigned to, struct delivery *d);
void post_home(struct worker *from, struct delivery *d);

/* e gets a reference of its own. Without memory for a notice, the worker looks
 * through all that it has for what the notice would have told. */
void post_notice(struct worker *from, unsigned to, enum notice_kind kind,
		 uint64_t sid, struct entity *e);
void post_notice_all(struct worker *from, enum notice_kind kind,
		     struct entity *e);

/* Any thread: v sets out. */
void post_visit(struct worker_shared *shared, struct visit *v);

/* The last of w's thread. */
void post_end(struct worker *w);

/* Carries out what has come for w. */
void post_run(struct worker *w);

#endif
