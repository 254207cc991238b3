/*
 * A verification is the thread pool's until its callback: who cancels it takes
 * the owner away, a verifier that ends takes itself away, and the callback
 * frees.
 */
#include "verify.h"

#include <mbedtls/md.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/random.h>

#define JOBS_MAX   256
#define SLOT_COUNT 4096		/* a power of two */
#define DIGEST_LEN 32

struct verification {
	uv_work_t req;
	struct verifier *v;		/* NULL: it has ended */
	LIST_ENTRY(verification) link;	/* in v's jobs */
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
	LIST_HEAD(, verification) jobs;
	unsigned count;			/* in jobs */
	unsigned char key[32];
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

static void on_work(uv_work_t *req)
{
	struct verification *job = container_of(req, struct verification, req);

	job->right = secret_hash_matches(
		&job->hash, (struct str){ job->secret, job->len });
}

static void forget(struct verification *job)
{
	if (job->v == NULL)
		return;
	LIST_REMOVE(job, link);
	job->v->count--;
}

static void job_free(struct verification *job)
{
	secret_wipe(job, sizeof(*job));
	free(job);
}

static void on_done(uv_work_t *req, int status)
{
	struct verification *job = container_of(req, struct verification, req);
	bool right = status == 0 && job->right;
	const struct credential_proof *known = right ? job->proof : NULL;
	verified_fn *on_verified = job->on_verified;
	void *owner = job->owner;

	if (right && job->v != NULL) {
		struct slot *slot = slot_of(job->v, job->digest);

		slot->proof = job->proof;
		memcpy(slot->digest, job->digest, sizeof(slot->digest));
	}
	forget(job);
	job_free(job);
	if (owner != NULL)
		on_verified(owner, right ? VERDICT_RIGHT : VERDICT_WRONG, known);
}

static enum verdict start(struct verification **out, struct verifier *v,
			  const struct credential_proof *p, struct str secret,
			  const unsigned char digest[DIGEST_LEN])
{
	struct verification *job =
		v->count < JOBS_MAX ? calloc(1, sizeof(*job)) : NULL;

	if (job == NULL)
		return VERDICT_BUSY;
	job->v = v;
	job->proof = p;
	job->hash = p->hash;
	job->len = secret.len;
	memcpy(job->digest, digest, DIGEST_LEN);
	memcpy(job->secret, secret.p, secret.len);
	if (uv_queue_work(v->loop, &job->req, on_work, on_done) != 0) {
		job_free(job);
		return VERDICT_BUSY;
	}
	LIST_INSERT_HEAD(&v->jobs, job, link);
	v->count++;
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
			  const struct proof *proof, verified_fn *on_verified,
			  void *owner)
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
	verdict = start(later, v, p, proof->secret, digest);
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
	LIST_INIT(&v->jobs);
	v->slots = calloc(SLOT_COUNT, sizeof(*v->slots));
	if (v->slots == NULL ||
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
	struct verification *job;

	if (v == NULL)
		return;
	while ((job = LIST_FIRST(&v->jobs)) != NULL) {
		LIST_REMOVE(job, link);
		job->v = NULL;
		verification_cancel(job);
	}
	secret_wipe(v->key, sizeof(v->key));
	free(v->slots);
	free(v);
}
