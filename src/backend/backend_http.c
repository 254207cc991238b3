/*
 * Forwards to a CSE over TS-0009, which may answer at several places. Each
 * request is an attempt at one of them; what could not be sent there, or does
 * no harm twice, goes to the next one.
 */
#include "backend/backend.h"

#include <stdlib.h>

#include "base/log.h"
#include "upstreams.h"

#define MAX_SPARE 64		/* attempts kept for reuse */

struct attempt {
	struct exchange x;		/* at the upstream */
	struct exchange *owner;		/* borrowed */
	struct backend_http *h;
	LIST_ENTRY(attempt) link;	/* in pending or spare */
	struct upstream *u;		/* asked now */
	uint64_t downs;			/* of it, then */
	uint64_t tried;			/* bits of upstreams */
	struct prim *again;		/* owned, for others; NULL: this is the
					 * only try */
	struct buf lines;		/* owner's, for again */
};

LIST_HEAD(attempt_list, attempt);

struct backend_http {
	struct backend base;
	struct upstreams upstreams;
	struct attempt_list pending, spare;
	size_t spare_count;
};

static struct backend_http *of_base(struct backend *b)
{
	return container_of(b, struct backend_http, base);
}

static const struct backend_http *of_const(const struct backend *b)
{
	return container_of(b, const struct backend_http, base);
}

static void forget_again(struct attempt *a)
{
	if (a->again == NULL)
		return;
	prim_deinit(a->again);
	free(a->again);
	a->again = NULL;
	buf_deinit(&a->lines);
}

static void attempt_free(struct attempt *a)
{
	forget_again(a);
	free(a);
}

static void give_back(struct backend_http *h, struct attempt *a)
{
	LIST_REMOVE(a, link);
	if (h->spare_count == MAX_SPARE) {
		attempt_free(a);
		return;
	}
	forget_again(a);
	LIST_INSERT_HEAD(&h->spare, a, link);
	h->spare_count++;
}

/* It is the owner's again, who hears next; nothing else may follow. */
static struct exchange *conclude(struct attempt *a)
{
	struct backend_http *h = a->h;
	struct exchange *owner = a->owner;

	owner->impl = NULL;
	owner->status = a->x.status;
	upstreams_tidy(&h->upstreams);
	give_back(h, a);
	return owner;
}

/* To an upstream that was not tried yet; negative: none takes it. */
static int try_next(struct attempt *a, const struct prim *p, const char **why)
{
	int err = UV_EHOSTUNREACH;
	struct upstream *u;

	*why = "no upstream is up";
	while ((u = upstreams_choose(&a->h->upstreams, a->tried)) != NULL) {
		a->tried |= u->bit;
		a->u = u;
		a->downs = u->downs;
		err = upstream_submit(u, &a->x, p, why);
		if (err != ERR_LIMIT)	/* another one may have room */
			break;
	}
	return err;
}

static void on_answer(struct exchange *x, const struct prim *answer)
{
	struct attempt *a = container_of(x, struct attempt, x);
	struct exchange *owner;

	upstream_answered(a->u, a->downs);
	owner = conclude(a);
	owner->ops->on_answer(owner, answer);
}

/* The server has not acted, or acts twice without harm. */
static bool may_move(const struct attempt *a, int err)
{
	if (a->again == NULL)
		return false;
	return a->x.unsent ||
	       (a->again->op == OP_RETRIEVE && err != ERR_PROTO &&
		err != ERR_LIMIT && err != UV_ENOMEM);
}

static void on_fail(struct exchange *x, int err, const char *why)
{
	struct attempt *a = container_of(x, struct attempt, x);
	struct upstream *from = a->u;
	struct exchange *owner;
	const char *refusal;

	from->failures++;
	if (x->unsent)
		upstream_unreachable(from, err);
	else if (err == ERR_PROTO || err == ERR_LIMIT)
		upstream_answered(from, a->downs);	/* but wrongly */
	if (may_move(a, err)) {
		x->lines = buf_str(&a->lines);
		if (try_next(a, a->again, &refusal) == 0) {
			from->moved++;
			return;
		}
	}
	owner = conclude(a);
	owner->ops->on_fail(owner, err, why);
}

static const struct exchange_ops attempt_ops = {
	.on_answer = on_answer,
	.on_fail = on_fail,
};

static struct attempt *take_attempt(struct backend_http *h)
{
	struct attempt *a = LIST_FIRST(&h->spare);

	if (a != NULL) {
		LIST_REMOVE(a, link);
		h->spare_count--;
	} else {
		a = calloc(1, sizeof(*a));
		if (a == NULL)
			return NULL;
		a->h = h;
	}
	LIST_INSERT_HEAD(&h->pending, a, link);
	return a;
}

/* For a second try; without memory there is none. */
static void keep(struct attempt *a, const struct prim *p)
{
	a->again = calloc(1, sizeof(*a->again));
	if (a->again == NULL)
		return;
	buf_add_str(&a->lines, a->owner->lines);
	if (a->lines.failed || prim_copy(a->again, p) != 0)
		forget_again(a);
}

static int http_submit(struct backend *b, struct exchange *x,
		       const struct prim *p, const char **why)
{
	struct backend_http *h = of_base(b);
	struct attempt *a = take_attempt(h);
	int err;

	*why = "out of memory";
	if (a == NULL)
		return UV_ENOMEM;
	a->owner = x;
	a->tried = 0;
	if (h->upstreams.count > 1)
		keep(a, p);
	a->x = (struct exchange){
		.ops = &attempt_ops,
		.sender = x->sender,
		.others = x->others,
		.lines = x->lines,
	};
	err = try_next(a, p, why);
	if (err) {
		give_back(h, a);
		return err;
	}
	x->impl = a;
	x->status = 0;
	return 0;
}

static void http_cancel(struct backend *b, struct exchange *x)
{
	struct attempt *a = x->impl;

	(void)b;
	if (a == NULL)
		return;
	mca_pool_cancel(&a->x);
	(void)conclude(a);
}

static bool http_healthy(const struct backend *b)
{
	return upstreams_up(&of_const(b)->upstreams);
}

static int http_take(struct backend *b, const struct upstream_conf *list,
		     size_t count, struct tls_context **contexts)
{
	return upstreams_take(&of_base(b)->upstreams, list, count, contexts);
}

static void http_count(const struct backend *b, struct backend_counters *out)
{
	upstreams_count(&of_const(b)->upstreams, out);
}

static void http_each(const struct backend *b,
		      void (*on_upstream)(void *arg,
					  const struct upstream_view *v),
		      void *arg)
{
	upstreams_each(&of_const(b)->upstreams, on_upstream, arg);
}

static void free_list(struct attempt_list *list)
{
	struct attempt *a;

	while ((a = LIST_FIRST(list)) != NULL) {
		LIST_REMOVE(a, link);
		attempt_free(a);
	}
}

static void http_destroy(struct backend *b)
{
	struct backend_http *h = of_base(b);
	struct attempt *a;

	upstreams_deinit(&h->upstreams);
	LIST_FOREACH(a, &h->pending, link)
		a->owner->impl = NULL;
	free_list(&h->pending);
	free_list(&h->spare);
	free(h);
}

static const struct backend_ops http_ops = {
	.submit = http_submit,
	.cancel = http_cancel,
	.healthy = http_healthy,
	.take = http_take,
	.count = http_count,
	.each = http_each,
	.destroy = http_destroy,
};

int backend_http_context(struct tls_context **out,
			 const struct upstream_conf *conf)
{
	struct tls_fault fault = { .member = "tls", .why = "failed" };
	int err;

	*out = NULL;
	if (!conf->tls)
		return 0;
	err = tls_context_create_client(out, &fault, &conf->tls_conf);
	if (err)
		log_error("tls_failed", LOG_TEXT("upstream", conf->name),
			  LOG_TEXT("option", fault.member),
			  LOG_TEXT("why", fault.why));
	return err;
}

/* Contexts are NULL where there are none. */
static int open_all(struct backend_http *h, const struct upstream_conf *list,
		    size_t count)
{
	struct tls_context *contexts[UPSTREAMS_MAX] = { NULL };
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = backend_http_context(&contexts[i], &list[i]);
	if (!err)
		return upstreams_take(&h->upstreams, list, count, contexts);
	for (size_t i = 0; i < count; i++)
		tls_context_destroy(contexts[i]);
	return err;
}

int backend_http_create(struct backend **out, struct reactor *r,
			const struct upstream_conf *list, size_t count,
			const struct codec_conf *codec)
{
	struct backend_http *h = calloc(1, sizeof(*h));
	int err;

	if (h == NULL)
		return UV_ENOMEM;
	h->base.ops = &http_ops;
	LIST_INIT(&h->pending);
	LIST_INIT(&h->spare);
	upstreams_init(&h->upstreams, r, codec);
	err = open_all(h, list, count);
	if (err)
		http_destroy(&h->base);
	else
		*out = &h->base;
	return err;
}
