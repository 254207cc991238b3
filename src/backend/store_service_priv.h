#ifndef BACKEND_STORE_SERVICE_PRIV_H
#define BACKEND_STORE_SERVICE_PRIV_H

#include "backend/store_service.h"

/*
 * What threads, mailboxes and the outlet of the service share. The lock guards
 * all lists, and is held for pointer moves only.
 */
#define STORE_READERS_MAX 16
#define STORE_OCTET_NS	  10	/* what an octet is thought to cost */

/* What one committed request, or an expiration, leaves for the world. */
struct store_parcel {
	TAILQ_ENTRY(store_parcel) link;
	struct store_events events;	/* owned */
};

struct store_thread {
	struct store_service *service;
	struct store_conn *conn;	/* owned */
	uv_thread_t thread;
	bool started;
	uint64_t commit_ns;		/* what the last commit took */
};

struct store_service {
	const struct store_service_conf *conf;	/* borrowed */
	struct store *store;			/* owned */

	uv_mutex_t lock;
	uv_cond_t writes_wait, reads_wait;	/* something is queued */
	uv_cond_t settled;			/* a mailbox has nothing left */
	struct fair_account account;		/* in nanoseconds */
	struct fair_queue writes, reads;	/* of jobs */
	size_t waiting;				/* octets queued */
	bool ending;
	struct store_outlet *outlet;		/* borrowed, or NULL */

	struct store_thread writer;
	struct store_thread readers[STORE_READERS_MAX];
	unsigned reader_count;
};

/* What a queued job counts for in max_waiting. */
size_t store_job_octets(const struct store_job *job);

/* What a job is thought to cost, in nanoseconds, before it is executed. */
uint64_t store_job_price(const struct store_job *job);

/* An answer that the store did not give. */
void store_job_refuse(struct store_job *job, int rsc, const char *why);

/* Moves what the job's execution left into a parcel or an errand; without
 * memory events are lost, an errand is answered 5000. Without the lock. */
void store_job_pack(struct store_job *job);

/* A parcel of events, which it takes; NULL: lost, or there are none. */
struct store_parcel *store_parcel_create(struct store_events *events);

/* The rest is with the lock held. */
void store_outlet_send(struct store_service *s, struct store_parcel *p);

/* To its mailbox or, when it is an errand, to the outlet. */
void store_job_hand_out(struct store_service *s, struct store_job *job);

/* False: no memory, nothing happened. */
bool store_queue_write(struct store_service *s, struct store_job *job);

/* The answer is there. */
void store_mailbox_deliver(struct store_mailbox *m, struct store_job *job);

#endif
