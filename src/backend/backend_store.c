/*
 * The embedded CSE as a backend: requests of one worker go to the store's
 * threads by its mailbox. A cancelled request is still executed, its answer
 * dropped, as it would be at a CSE behind a network.
 */
#include <stdlib.h>

#include "backend/store_service.h"
#include "base/siphash.h"
#include "m2m/transcode.h"

#define MAX_SPARE     256	/* job structs kept for reuse */
#define KEPT_CAPACITY 4096

struct store_pending {
	struct store_job job;
	struct exchange *x;		/* NULL: cancelled */
	TAILQ_ENTRY(store_pending) link;	/* in pending or spare */
};

TAILQ_HEAD(store_pendings, store_pending);

struct backend_store {
	struct backend base;
	struct store_mailbox mailbox;
	struct codec_conf codec;
	struct siphash_key key;		/* of originators */
	struct buf json;		/* scratch */
	struct store_pendings pending, spare;
	size_t spare_count;
	bool destroyed;
	bool telling;			/* an owner is on the stack */
	bool closed;			/* the mailbox has */
};

static void pending_free(struct store_pending *p)
{
	store_job_deinit(&p->job);
	free(p);
}

static void free_list(struct store_pendings *list)
{
	struct store_pending *p;

	while ((p = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, p, link);
		pending_free(p);
	}
}

static void store_backend_free(struct backend_store *b)
{
	free_list(&b->pending);
	free_list(&b->spare);
	buf_deinit(&b->json);
	free(b);
}

static void give_back(struct backend_store *b, struct store_pending *p)
{
	TAILQ_REMOVE(&b->pending, p, link);
	if (b->spare_count == MAX_SPARE) {
		pending_free(p);
		return;
	}
	if (p->job.request.store.cap > KEPT_CAPACITY)
		prim_deinit(&p->job.request);
	if (p->job.answer.store.cap > KEPT_CAPACITY)
		prim_deinit(&p->job.answer);
	TAILQ_INSERT_HEAD(&b->spare, p, link);
	b->spare_count++;
}

static struct store_pending *take_pending(struct backend_store *b)
{
	struct store_pending *p = TAILQ_FIRST(&b->spare);

	if (p != NULL) {
		TAILQ_REMOVE(&b->spare, p, link);
		b->spare_count--;
	} else {
		p = calloc(1, sizeof(*p));
	}
	if (p != NULL)
		TAILQ_INSERT_TAIL(&b->pending, p, link);
	return p;
}

static void on_done(struct store_job *job)
{
	struct store_pending *p =
		container_of(job, struct store_pending, job);
	struct backend_store *b = container_of(job->mailbox,
					       struct backend_store, mailbox);
	struct exchange *x = p->x;

	if (x == NULL || b->destroyed) {
		give_back(b, p);
		return;
	}
	x->impl = NULL;
	b->telling = true;
	x->ops->on_answer(x, &job->answer);
	b->telling = false;
	give_back(b, p);
	if (b->closed)
		store_backend_free(b);
}

/* Codes as submit has them. */
static int copy_request(struct backend_store *b, struct prim *out,
			const struct prim *prim, const char **why)
{
	struct prim plain;
	int err;

	if (prim->content_format == FORMAT_JSON)
		return prim_copy(out, prim);
	plain = *prim;
	err = transcode_prim(&plain, FORMAT_JSON, &b->json, &b->codec, why);
	if (err)
		return err == UV_ENOMEM ? err : ERR_PROTO;
	*why = "out of memory";
	return prim_copy(out, &plain);
}

/* Where nobody says whose they are, requests are their originator's. */
static uint64_t sender_of(const struct backend_store *b,
			  const struct exchange *x, const struct prim *prim)
{
	return x->sender != 0 ? x->sender :
				siphash(&b->key, prim_text(prim, PARAM_FR));
}

static int store_submit(struct backend *base, struct exchange *x,
			const struct prim *prim, const char **why)
{
	struct backend_store *b =
		container_of(base, struct backend_store, base);
	struct store_pending *p = take_pending(b);
	int err;

	*why = "out of memory";
	if (p == NULL)
		return UV_ENOMEM;
	p->job.sender = sender_of(b, x, prim);
	err = copy_request(b, &p->job.request, prim, why);
	if (!err)
		err = store_mailbox_submit(&b->mailbox, &p->job,
					   store_is_read(prim));
	if (err) {
		if (err == ERR_LIMIT)
			*why = "too much is waiting for the store";
		give_back(b, p);
		return err;
	}
	p->x = x;
	x->impl = p;
	x->status = 0;
	return 0;
}

static void store_cancel(struct backend *base, struct exchange *x)
{
	struct store_pending *p = x->impl;

	(void)base;
	if (p == NULL)
		return;
	p->x = NULL;
	x->impl = NULL;
	store_job_forget(&p->job);
}

static bool store_healthy(const struct backend *base)
{
	(void)base;
	return true;
}

static void on_mailbox_closed(struct store_mailbox *m)
{
	struct backend_store *b =
		container_of(m, struct backend_store, mailbox);

	b->closed = true;
	if (!b->telling)
		store_backend_free(b);
}

static void store_destroy_backend(struct backend *base)
{
	struct backend_store *b =
		container_of(base, struct backend_store, base);
	struct store_pending *p;

	TAILQ_FOREACH(p, &b->pending, link)
		if (p->x != NULL)
			p->x->impl = NULL;
	b->destroyed = true;
	store_mailbox_close(&b->mailbox, on_mailbox_closed);
}

static const struct backend_ops store_ops = {
	.submit = store_submit,
	.cancel = store_cancel,
	.healthy = store_healthy,
	.destroy = store_destroy_backend,
};

int backend_store_create(struct backend **out, struct store_service *s,
			 uv_loop_t *loop, const struct codec_conf *codec)
{
	struct backend_store *b = calloc(1, sizeof(*b));
	int err;

	if (b == NULL)
		return UV_ENOMEM;
	b->base.ops = &store_ops;
	b->codec = *codec;
	TAILQ_INIT(&b->pending);
	TAILQ_INIT(&b->spare);
	err = siphash_key_random(&b->key);
	if (!err)
		err = store_mailbox_init(&b->mailbox, s, loop, on_done);
	if (err) {
		free(b);
		return err;
	}
	*out = &b->base;
	return 0;
}
