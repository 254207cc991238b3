#ifndef GATEWAY_OWNER_H
#define GATEWAY_OWNER_H

#include "channel.h"

/*
 * The entities that one session stands for: AEs of one node, or one CSE with
 * all that is under it (TS-0020 5.2). Requests towards them come to it, and it
 * may speak for them.
 */
struct credential;
struct credential_proof;
struct owner;
struct ownership;

/* Embedded in the session. */
struct owner {
	struct worker *w;		/* borrowed */
	struct place at;
	struct channel *channel;	/* borrowed */
	const struct credential_proof *proof;	/* borrowed; or NULL */
	const struct credential *credential;	/* that it proves; or NULL */
	LIST_HEAD(, ownership) list;	/* owned */
	unsigned count;			/* in list */
	unsigned owed;			/* answers that wait for the disk */
	char *known;			/* owned; fr of the last request that
					 * was judged, as it was written */
	size_t known_len;
};

void owner_init(struct owner *o, struct worker *w, uint64_t sid,
		struct channel *channel);
/* Gives up all. After channel_end(). */
void owner_deinit(struct owner *o);

/* id, canonical, is one of its entities or something under its CSE. */
bool owner_speaks_for(const struct owner *o, struct str id);

/* id, canonical, is one of its entities. */
bool owner_has(const struct owner *o, struct str id);

/* Its entities, until on_entity() returns false. */
void owner_each(const struct owner *o,
		bool (*on_entity)(void *arg, const struct entity *e),
		void *arg);

/* It stands for as many as it may. */
bool owner_is_full(const struct owner *o);

/* fr need not be looked at again, until another one comes or goes. */
void owner_know(struct owner *o, struct str fr);
static inline bool owner_knows(const struct owner *o, struct str fr)
{
	return fr.len > 0 &&
	       str_eq(fr, (struct str){ o->known, o->known_len });
}

/* The CSE that it stands for, or NULL. */
struct entity *owner_cse(const struct owner *o);
static inline bool owner_is_empty(const struct owner *o)
{
	return LIST_EMPTY(&o->list);
}

/*
 * It stands for e from now on; requests that wait for e follow. A session with
 * a credential is as strong as one can be. UV_EACCES: a
 * stronger session does. ERR_PROTO: a CSE beside AEs, or beside another CSE.
 * ERR_LIMIT: owner_is_full(). UV_EBUSY: as directory_claim(). UV_ENOMEM: it
 * may or may not; the session must not go on like that.
 */
MUST_CHECK int owner_claim(struct owner *o, struct entity *e,
			   enum strength strength);
/* It gives e up. */
void owner_drop(struct owner *o, struct entity *e);
/* Another session has claimed e already. */
void owner_forget(struct owner *o, struct entity *e);

/* Something is stored for e; for any of its entities. UV_ENOMEM: it waits
 * there. */
MUST_CHECK int owner_redeliver(struct owner *o, struct entity *e);
MUST_CHECK int owner_redeliver_all(struct owner *o);

/* One of its entities that another session stands for by now, or NULL. */
struct entity *owner_find_replaced(const struct owner *o);

/* The entity of its own whose resource `to` is, or NULL. */
struct entity *owner_find_target(const struct owner *o, struct str to);

#endif
