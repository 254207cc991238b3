#ifndef GATEWAY_VERIFY_H
#define GATEWAY_VERIFY_H

#include <uv.h>

#include "proof.h"

/*
 * Whether a proof is right, for one worker. Hashing takes long and is done by
 * libuv's thread pool; what was right is remembered, so that a fleet that
 * comes back pays once. What is remembered is a keyed digest of the secret,
 * with a key that nobody has outside of this process.
 */
struct verifier;

/* One that is being hashed. The pool's until it is done. */
struct verification;

enum verdict {
	VERDICT_RIGHT,
	VERDICT_WRONG,
	VERDICT_BUSY,			/* too many are being hashed */
	VERDICT_LATER,			/* on_verified() follows */
};

/* known: NULL unless RIGHT. The verification is dead at once. */
typedef void verified_fn(void *owner, enum verdict verdict,
			 const struct credential_proof *known);

/* Borrows set, which outlives it. */
MUST_CHECK int verifier_create(struct verifier **out, uv_loop_t *loop,
			       const struct credential_set *set);
/* Before the loop closes; nobody hears of what is being hashed, and none of it
 * is there to be cancelled any more. */
void verifier_destroy(struct verifier *v);

/* What the set knows of a certificate that TLS has verified, or NULL. */
const struct credential_proof *
verifier_find_certificate(const struct verifier *v, struct str name);

/* What proves as much by the same means as p, which may be of an earlier set;
 * NULL: nothing any more. v may be NULL: it knows nothing. */
const struct credential_proof *
verifier_find_same(const struct verifier *v, const struct credential_proof *p);

/* from: whose turn it uses; where many want to be hashed, each address has its
 * own. *known: when RIGHT. *later: when LATER, until on_verified() or
 * verification_cancel(). */
enum verdict verifier_ask(struct verifier *v,
			  const struct credential_proof **known,
			  struct verification **later,
			  const struct proof *proof,
			  const struct sockaddr *from,
			  verified_fn *on_verified, void *owner);
/* Accepts NULL. */
void verification_cancel(struct verification *job);

#endif
