/*
 * One at a time is hashed, so that who guesses passwords keeps busy no more
 * than one processor for each worker; the others wait, and pay with the rounds
 * they need for what their address asks (fair.h). The one that is hashed is the
 * thread pool's until its callback: who cancels it takes the owner away, a
 * verifier that ends takes itself away, and the callback frees.
 */
#include "verify.h"

#include <mbedtls/md.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/fair.h"
#include "base/siphash.h"
#include "net/addr.h"

#define WAITING_MAX 256
#define SLOT_COUNT  4096	/* a power of two */
#define DIGEST_LEN  32

struct verification {
	uv_work_t req;
	struct verifier *v;		/* NULL: it has ended */
	struct fair_item turn;		/* while it waits */
	verified_fn *on_verified;
	void *owner;			/* NULL: cancelled */
	const struct credential_proof *proof;	/* v's */
	struct secret_hash hash;	/* its copy, the pool's */
	bool right;
	unsigned char digest[DIGEST_LEN];
	size_t len;
	char secret[SECRET_MAX];
};

struct slot {
	const struct credential_proof *proof;	/* NULL: empty */
	unsigned char digest[DIGEST_LEN];
};

struct verifier {
	uv_loop_t *loop;		/* borrowed, as set */
	const struct credential_set *set;
	struct fair_account account;	/* in rounds of hashing */
	struct fair_queue waiting;	/* owned */
	struct verification *at_work;	/* or NULL */
	struct siphash_key hash_key;	/* of addresses */
	unsigned char key[32];		/* of secrets */
	struct slot *slots;		/* owned; what was right */
};

/* False: no memory. */
static bool digest_of(unsigned char out[DIGEST_LEN], const struct verifier *v,
		      const struct credential_proof *p, struct str secret)
{
	unsigned char text[sizeof(p) + SECRET_MAX];
	bool done;

	memcpy(text, &p, sizeof(p));
	memcpy(text + sizeof(p), secret.p, secret.len);
	done = mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
			       v->key, sizeof(v->key), text,
			       sizeof(p) + secret.len, out) == 0;
	secret_wipe(text, sizeof(text));
	return done;
}

static struct slot *slot_of(const struct verifier *v,
			    const unsigned char digest[DIGEST_LEN])
{
	uint32_t n;

	memcpy(&n, digest, sizeof(n));
	return &v->slots[n % SLOT_COUNT];
}

static void work_on_next(struct verifier *v);

static void on_work(uv_work_t *req)
{
	struct verification *job = container_of(req, struct verification, req);

	job->right = secret_hash_matches(
		&job->hash, (struct str){ job->secret, job->len });
}

static void job_free(struct verification *job)
{
	secret_wipe(job, sizeof(*job));
	free(job);
}

static void remember(struct verifier *v, const struct verification *job)
{
	struct slot *slot = slot_of(v, job->digest);

	slot->proof = job->proof;
	memcpy(slot->digest, job->digest, sizeof(slot->digest));
}

static void on_done(uv_work_t *req, int status)
{
	struct verification *job = container_of(req, struct verification, req);
	bool right = status == 0 && job->right;
	const struct credential_proof *known = right ? job->proof : NULL;
	verified_fn *on_verified = job->on_verified;
	void *owner = job->owner;

	if (job->v != NULL) {
		job->v->at_work = NULL;
		if (right)
			remember(job->v, job);
		work_on_next(job->v);
	}
	job_free(job);
	if (owner != NULL)
		on_verified(owner, right ? VERDICT_RIGHT : VERDICT_WRONG, known);
}

static void work_on_next(struct verifier *v)
{
	struct fair_item *turn = fair_first(&v->waiting);
	struct verification *job;

	if (turn == NULL || v->at_work != NULL)
		return;
	job = container_of(turn, struct verification, turn);
	fair_begin(&v->account, turn);
	fair_remove(&v->waiting, turn);
	v->at_work = job;
	/* it only fails without a function to call */
	(void)uv_queue_work(v->loop, &job->req, on_work, on_done);
}

static uint64_t sender_of(const struct verifier *v, const struct sockaddr *from)
{
	unsigned char group[16];

	if (!addr_group(group, from))
		return 1;	/* they share one */
	return siphash(&v->hash_key, (struct str){ (const char *)group,
						   sizeof(group) });
}

static enum verdict start(struct verification **out, struct verifier *v,
			  const struct credential_proof *p, struct str secret,
			  const unsigned char digest[DIGEST_LEN],
			  const struct sockaddr *from)
{
	struct verification *job = v->waiting.count < WAITING_MAX ?
					   calloc(1, sizeof(*job)) : NULL;

	if (job == NULL)
		return VERDICT_BUSY;
	job->v = v;
	job->proof = p;
	job->hash = p->hash;
	job->len = secret.len;
	memcpy(job->digest, digest, DIGEST_LEN);
	memcpy(job->secret, secret.p, secret.len);
	fair_price(&v->account, &job->turn, sender_of(v, from), p->hash.count);
	if (fair_add(&v->waiting, &job->turn) != 0) {
		job_free(job);
		return VERDICT_BUSY;
	}
	work_on_next(v);
	*out = job;
	return VERDICT_LATER;
}

const struct credential_proof *
verifier_find_certificate(const struct verifier *v, struct str name)
{
	return credential_set_find(v->set, CREDENTIAL_CERTIFICATE, name);
}

const struct credential_proof *
verifier_find_same(const struct verifier *v, const struct credential_proof *p)
{
	const struct credential_proof *known = NULL;

	if (v != NULL)
		known = credential_set_find(v->set, p->kind, p->name);
	return known != NULL && credential_proof_same(known, p) ? known : NULL;
}

enum verdict verifier_ask(struct verifier *v,
			  const struct credential_proof **known,
			  struct verification **later,
			  const struct proof *proof,
			  const struct sockaddr *from,
			  verified_fn *on_verified, void *owner)
{
	const struct credential_proof *p =
		credential_set_find(v->set, proof->kind, proof->name);
	unsigned char digest[DIGEST_LEN];
	const struct slot *slot;
	enum verdict verdict;

	if (p == NULL)
		return VERDICT_WRONG;
	if (!digest_of(digest, v, p, proof->secret))
		return VERDICT_BUSY;
	slot = slot_of(v, digest);
	if (slot->proof == p &&
	    secret_equal(slot->digest, digest, sizeof(digest))) {
		*known = p;
		return VERDICT_RIGHT;
	}
	verdict = start(later, v, p, proof->secret, digest, from);
	if (verdict == VERDICT_LATER) {
		(*later)->on_verified = on_verified;
		(*later)->owner = owner;
	}
	return verdict;
}

void verification_cancel(struct verification *job)
{
	if (job == NULL)
		return;
	if (job->v != NULL && job->v->at_work != job) {
		fair_remove(&job->v->waiting, &job->turn);
		job_free(job);
		return;
	}
	job->owner = NULL;
	uv_cancel((uv_req_t *)&job->req);	/* its callback comes anyway */
}

int verifier_create(struct verifier **out, uv_loop_t *loop,
		    const struct credential_set *set)
{
	struct verifier *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return UV_ENOMEM;
	v->loop = loop;
	v->set = set;
	v->slots = calloc(SLOT_COUNT, sizeof(*v->slots));
	if (v->slots == NULL || siphash_key_random(&v->hash_key) != 0 ||
	    getrandom(v->key, sizeof(v->key), 0) != sizeof(v->key)) {
		free(v->slots);
		free(v);
		return UV_ENOMEM;
	}
	*out = v;
	return 0;
}

void verifier_destroy(struct verifier *v)
{
	if (v == NULL)
		return;
	while (fair_first(&v->waiting) != NULL)
		verification_cancel(container_of(fair_first(&v->waiting),
						 struct verification, turn));
	if (v->at_work != NULL) {
		v->at_work->v = NULL;
		verification_cancel(v->at_work);
	}
	fair_queue_deinit(&v->waiting);
	fair_account_deinit(&v->account);
	secret_wipe(v->key, sizeof(v->key));
	free(v->slots);
	free(v);
}
