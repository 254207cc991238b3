#ifndef GATEWAY_DIRECTORY_H
#define GATEWAY_DIRECTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "base/table.h"
#include "m2m/entity_id.h"
#include "m2m/poa.h"

/*
 * Who can be reached, and where: the AEs and CSEs that registered through this
 * gateway, and those that are connected, by entity id (entity_id.h) and by the
 * token of their point of access. One for the process. Every worker asks it
 * about requests towards an entity; about a request from one only when the
 * session does not know the originator yet. All functions are for any thread.
 */
struct directory;

/* How an entity was told to be who it is; a later one takes over only if it
 * is no weaker. */
enum strength {
	STRENGTH_NONE,
	STRENGTH_CREATED,	/* by the answer to its CREATE */
	STRENGTH_FROM,		/* by fr of a request that the CSE accepted */
	STRENGTH_HANDSHAKE,	/* by X-M2M-Origin of the handshake */
	STRENGTH_CREDENTIAL,	/* by a credential that lists it */
};

/* What a registration says of an entity. Slices with p NULL: absent. */
struct entity_data {
	struct str rn;			/* of its resource below the CSEBase */
	struct poa_state poa;		/* what it said of how to reach it */
	struct str dcse;		/* JSON array, of a CSE */
};

/* One session of one worker; sid 0: nowhere. */
struct place {
	unsigned worker;
	uint64_t sid;
};

#define TOKEN_LEN 32

/*
 * One AE or CSE. Sessions, requests on their way and the directory each hold a
 * reference: it outlives its registration until the last of them is gone.
 */
struct entity {
	atomic_uint refs;
	bool is_cse;			/* for ever */
	struct str id;			/* owned; canonical */
	char token[TOKEN_LEN + 1];	/* "": has none */
	atomic_uint held;		/* requests that wait for it */
	atomic_uint storing;		/* on their way into its inbox */

	/* under the directory's lock, for directory_*() only */
	struct entity_data data;	/* its text is owned */
	LIST_HEAD(, descendant) descendants;	/* owned; of dcse */
	struct place at;
	enum strength strength;
	bool registered;
	bool listed;			/* still in the tables */
	UT_hash_handle by_id, by_token;
};

struct entity *entity_ref(struct entity *e);	/* accepts NULL, as does unref */
void entity_unref(struct entity *e);

static inline bool entity_is_cse(const struct entity *e)
{
	return e->is_cse;
}

struct directory_conf {
	const struct entity_home *home;	/* borrowed: no dcse may name it */
	size_t max_octets;		/* of all that registrations say */
	unsigned max_descendants;	/* of one CSE; more are not reached */
};

struct directory_counters {
	uint64_t octets;		/* of memory, about; now */
	uint64_t entities;		/* registered; now */
	uint64_t online;		/* entities with a session; now */
	uint64_t came, went;		/* online, offline */
	uint64_t replaced;		/* by another session */
	uint64_t takeovers_refused;
	uint64_t full;			/* max_octets bit */
	uint64_t many_descendants;	/* max_descendants bit */
};

/* Presence: called on the thread of the worker that the session belongs to,
 * after the change, without the lock. */
struct directory_ops {
	void (*on_online)(void *owner, struct entity *e, struct place at);
	void (*on_offline)(void *owner, struct entity *e, struct place at);
};

/* What registrations took before stays. */
void directory_set_limits(struct directory *d, size_t max_octets,
			  unsigned max_descendants);

/* Copies conf. */
MUST_CHECK int directory_create(struct directory **out,
				const struct directory_conf *conf,
				const struct directory_ops *ops, void *owner);
void directory_destroy(struct directory *d);

/* Each gives a reference, or NULL. */
struct entity *directory_find(struct directory *d, struct str id);
struct entity *directory_find_token(struct directory *d, struct str token);
/* The entity that requests `to` go through: itself, or the CSE that hosts or
 * announces (dcse) the CSE part of the id. */
struct entity *directory_find_route(struct directory *d, struct str to);
/* A registered one or one that is only known while it is connected. NULL: no
 * memory. Given back with directory_close(). */
struct entity *directory_open(struct directory *d, struct str id, bool is_cse);
/* Takes the reference; NULL is accepted. Who neither registered nor has a
 * session is forgotten. */
void directory_close(struct directory *d, struct entity *e);

/* Whether there is room for data of that entity. Asked before the CSE is: what
 * it has agreed to is registered in any case. */
bool directory_has_room(struct directory *d, struct str id,
			const struct entity_data *data);

/* Registers id, or replaces all that is known of it but its session; token is
 * its point of access. A reference, or NULL: no memory. */
struct entity *directory_register(struct directory *d, struct str id,
				  bool is_cse, struct str token,
				  const struct entity_data *data);
/* It is no entity of this gateway any more. */
void directory_remove(struct directory *d, struct entity *e);

/* What is known of e; *out points into store, which is cleared first. False:
 * it is not registered (or no memory, store->failed). */
bool directory_read(struct entity_data *out, struct buf *store,
		    struct directory *d, const struct entity *e);

/* The token of its point of access; false: it has none. */
bool directory_token(struct directory *d, const struct entity *e,
		     char out[TOKEN_LEN + 1]);
bool directory_is_registered(struct directory *d, const struct entity *e);

/* to, an id of any form, is the resource of e: unstructured, or structured as
 * BASE/rn, however the CSEBase is called. */
bool directory_is_target(struct directory *d, const struct entity *e,
			 struct str to);

/* Its session, or sid 0. */
struct place directory_place(struct directory *d, const struct entity *e);

/*
 * The session at `at` stands for e from now on. *replaced is the one that did
 * until now and has to be closed, or sid 0. UV_EACCES: that one is stronger.
 * UV_EBUSY: there is one, and e has neither registered here nor is proved by a
 * credential: nobody loses his connection for an id that others use as well; or
 * e was removed, and another one of that id has come. UV_ENOMEM.
 */
MUST_CHECK int directory_claim(struct directory *d, struct entity *e,
			       struct place at, enum strength strength,
			       struct place *replaced);
/* Whether a claim of that strength would succeed now. */
bool directory_may_claim(struct directory *d, const struct entity *e,
			 enum strength strength);
/* The session ends, or gives e up; nothing if another one has claimed e. */
void directory_leave(struct directory *d, struct entity *e, struct place at);

/* 128 bits by chance, as text. UV_EIO. */
MUST_CHECK int directory_make_token(char out[TOKEN_LEN + 1]);

struct directory_counters directory_counters(struct directory *d);

#endif
