#ifndef GATEWAY_CREDENTIAL_H
#define GATEWAY_CREDENTIAL_H

#include "base/table.h"
#include "gateway/secret.h"
#include "m2m/entity_id.h"

/*
 * Who may connect, and as which originators. The configuration fills a set
 * once; afterwards nobody changes it and any thread reads it.
 */

/* How a client proves that it is one. */
enum credential_kind {
	CREDENTIAL_TOKEN,		/* bearer NAME.SECRET */
	CREDENTIAL_PASSWORD,		/* basic USER:SECRET */
	CREDENTIAL_CERTIFICATE,		/* of TLS, verified; nothing to hash */
	CREDENTIAL_KINDS,
};

struct credential {
	const char *name;		/* for the log */
	struct str originators;		/* patterns, blanks or commas between */
	struct str administrators;	/* ids, likewise */
};

/* One way to prove one credential. */
struct credential_proof {
	UT_hash_handle hh;		/* in the set, by name */
	enum credential_kind kind;
	struct str name;		/* what the client calls itself, or its
					 * certificate calls it */
	struct secret_hash hash;
	const struct credential *credential;
};

/* Borrows all that is added, until its end; a zeroed one is empty but has no
 * key. */
struct credential_set {
	struct credential_proof *proofs[CREDENTIAL_KINDS];
	struct siphash_key key;
};

MUST_CHECK int credential_set_init(struct credential_set *set);
void credential_set_deinit(struct credential_set *set);

/* UV_EEXIST: the set has one of that kind and name. UV_ENOMEM. */
MUST_CHECK int credential_set_add(struct credential_set *set,
				  struct credential_proof *p);
const struct credential_proof *
credential_set_find(const struct credential_set *set,
		    enum credential_kind kind, struct str name);

/* Of the same kind and name: the secret and what it allows are the same. */
bool credential_proof_same(const struct credential_proof *a,
			   const struct credential_proof *b);

/* NULL, or why text is no pattern: "must be ...". */
const char *credential_check_pattern(struct str text);

/*
 * Whether it may speak as fr, which was read as id and is written out in
 * canonical. A pattern is matched against that, for an AE of our CSE against
 * its stem too, for a name that is no entity's against fr itself (a mere C or
 * S, which asks for an id). `*` stands for any octets; what ends in a slash
 * and `*` is also what comes before the slash: a CSE with all that is under
 * it.
 */
bool credential_allows(const struct credential *c, struct str fr,
		       const struct entity_id *id, struct str canonical);

/* The same for administrators: no pattern gives these away. */
bool credential_is_administrator(const struct credential *c, struct str fr,
				 const struct entity_id *id,
				 struct str canonical);

#endif
