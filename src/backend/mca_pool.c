/*
 * An answer points into the HTTP message, into what was kept of the request
 * and into `answer`, so these stay until the owner has heard, even when it
 * destroys the pool while it hears.
 */
#include "mca_pool.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/log.h"

#define MAX_ANSWER_HEAD    65536	/* a long rqi comes back in it */
#define MAX_ANSWER_HEADERS 100
#define MAX_SPARE          64		/* pending structs kept for reuse */
#define KEPT_CAPACITY      1024		/* octets of ids kept with each */

/* What belongs to one exchange while it is submitted. */
struct pending {
	struct http_call call;
	struct mca_pool *pool;
	struct exchange *x;		/* NULL once it has been told */
	LIST_ENTRY(pending) link;	/* in pending or spare */
	struct buf ids;			/* what request points to */
	struct http_map_request request;
};

LIST_HEAD(pending_list, pending);

struct mca_pool {
	struct http_map_conf reading;	/* codec of answers */

	struct http_client *client;	/* owned */
	struct pending_list pending, spare;
	size_t pending_count, spare_count;
	struct prim answer;
	struct buf head, body;		/* scratch */

	bool telling;			/* an owner is on the stack */
	bool destroyed;
};

static void pending_free(struct pending *p)
{
	http_call_deinit(&p->call);
	buf_deinit(&p->ids);
	free(p);
}

static void free_list(struct pending_list *list)
{
	struct pending *p;

	while ((p = LIST_FIRST(list)) != NULL) {
		LIST_REMOVE(p, link);
		pending_free(p);
	}
}

static void pool_free(struct mca_pool *pool)
{
	free_list(&pool->pending);
	free_list(&pool->spare);
	prim_deinit(&pool->answer);
	buf_deinit(&pool->head);
	buf_deinit(&pool->body);
	free(pool);
}

static void give_back(struct mca_pool *pool, struct pending *p)
{
	LIST_REMOVE(p, link);
	if (pool->spare_count == MAX_SPARE) {
		pending_free(p);
		return;
	}
	if (p->ids.cap > KEPT_CAPACITY)
		buf_deinit(&p->ids);
	LIST_INSERT_HEAD(&pool->spare, p, link);
	pool->spare_count++;
}

/* The exchange is its owner's again; the owner hears next. */
static struct exchange *give_exchange(struct pending *p)
{
	struct exchange *x = p->x;

	p->x = NULL;
	x->impl = NULL;
	p->pool->pending_count--;
	return x;
}

static void tell_failed(struct pending *p, int err, const char *why)
{
	struct exchange *x = give_exchange(p);

	give_back(p->pool, p);
	x->ops->on_fail(x, err, why);
}

static void tell_answer(struct pending *p)
{
	struct mca_pool *pool = p->pool;
	struct exchange *x = give_exchange(p);

	pool->telling = true;
	x->ops->on_answer(x, &pool->answer);
	pool->telling = false;
	if (pool->destroyed)
		pool_free(pool);
	else
		give_back(pool, p);
}

/* The answer belongs to the request by its connection; a CSE that does not
 * repeat the id well is only remarked (http-binding 9). */
static void check_id(const struct pending *p, const struct http_msg *msg)
{
	struct str rqi = http_msg_header(msg, STR("X-M2M-RI"));

	if (!str_eq(rqi, p->request.rqi))
		log_debug("upstream_other_id", LOG_STR("rqi", p->request.rqi),
			  LOG_STR("answered", rqi));
}

static void on_response(struct http_call *call, const struct http_msg *msg)
{
	struct pending *p = container_of(call, struct pending, call);
	struct mca_pool *pool = p->pool;
	const char *why = "";
	int err;

	check_id(p, msg);
	p->x->status = msg->status;
	err = http_map_read_response(&pool->answer, &why, msg, &p->request,
				     &pool->reading);
	if (err)
		tell_failed(p, err, why);
	else
		tell_answer(p);
}

static const char *why_failed(int err)
{
	switch (err) {
	case ERR_PROTO:
		return "the target's answer is no HTTP or cut off";
	case ERR_LIMIT:
		return "the target's answer is too large";
	case UV_ECONNRESET:
		return "the target closed the connection without an answer";
	default:
		return "the target cannot be reached";
	}
}

static void on_fail(struct http_call *call, int err)
{
	struct pending *p = container_of(call, struct pending, call);

	p->x->unsent = !call->sent;
	tell_failed(p, err, why_failed(err));
}

static const struct http_call_ops call_ops = {
	.on_response = on_response,
	.on_fail = on_fail,
};

static struct pending *take_pending(struct mca_pool *pool)
{
	struct pending *p = LIST_FIRST(&pool->spare);

	if (p != NULL) {
		LIST_REMOVE(p, link);
		pool->spare_count--;
	} else {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return NULL;
		p->pool = pool;
		p->call.ops = &call_ops;
	}
	LIST_INSERT_HEAD(&pool->pending, p, link);
	return p;
}

/* False: no memory. */
static bool keep_request(struct pending *p, const struct prim *prim)
{
	struct str rqi = prim_text(prim, PARAM_RQI);
	struct str rvi = prim_text(prim, PARAM_RVI);

	buf_clear(&p->ids);
	buf_add_str(&p->ids, rqi);
	buf_add_str(&p->ids, rvi);
	if (p->ids.failed)
		return false;
	p->request.op = prim->op;
	p->request.rqi = (struct str){ p->ids.p, rqi.len };
	p->request.rvi = str_skip(buf_str(&p->ids), rqi.len);
	return true;
}

int mca_pool_submit(struct mca_pool *pool, struct exchange *x,
		    const struct prim *prim, const struct http_map_conf *map,
		    bool repeatable, const char **why)
{
	struct pending *p;
	struct str body;
	int err;

	buf_clear(&pool->head);
	err = http_map_write_request(&pool->head, &body, &pool->body, why,
				     prim, map);
	if (err)
		return err;
	*why = "out of memory";
	p = take_pending(pool);
	if (p == NULL)
		return UV_ENOMEM;
	err = UV_ENOMEM;
	if (!keep_request(p, prim))
		goto give_pending;
	p->call.echo = p->request.rqi;
	p->call.sender = x->sender;
	p->call.others = x->others;
	err = http_client_send(pool->client, &p->call, buf_str(&pool->head),
			       body, repeatable);
	if (err)
		goto give_pending;
	p->x = x;
	x->impl = p;
	x->status = 0;
	x->unsent = false;
	pool->pending_count++;
	return 0;

give_pending:
	if (err == ERR_LIMIT)
		*why = "too much is waiting for the target";
	give_back(pool, p);
	return err;
}

void mca_pool_cancel(struct exchange *x)
{
	struct pending *p = x->impl;
	struct mca_pool *pool;

	if (p == NULL)
		return;
	pool = p->pool;
	(void)give_exchange(p);
	http_client_cancel(pool->client, &p->call);
	give_back(pool, p);
}

struct exchange *mca_pool_withdraw(struct mca_pool *pool)
{
	struct exchange *x;
	struct pending *p;

	LIST_FOREACH(p, &pool->pending, link) {
		x = p->x;
		if (x == NULL)
			continue;
		mca_pool_cancel(x);
		return x;
	}
	return NULL;
}

size_t mca_pool_pending(const struct mca_pool *pool)
{
	return pool->pending_count;
}

const struct http_client_counters *mca_pool_counters(
	const struct mca_pool *pool)
{
	return http_client_counters(pool->client);
}

uint64_t mca_pool_waiting_since(const struct mca_pool *pool)
{
	return http_client_waiting_since(pool->client);
}

void mca_pool_fill_conf(struct http_client_conf *conf, size_t max_answer)
{
	conf->echo_header = "X-M2M-RI";
	conf->limits = (struct http_limits){
		.max_head = MAX_ANSWER_HEAD,
		.max_headers = MAX_ANSWER_HEADERS,
		.max_body = max_answer,
	};
}

int mca_pool_create(struct mca_pool **out, struct reactor *r,
		    const struct http_client_conf *conf,
		    const struct codec_conf *codec)
{
	struct mca_pool *pool = calloc(1, sizeof(*pool));
	int err;

	if (pool == NULL)
		return UV_ENOMEM;
	pool->reading.codec = *codec;
	LIST_INIT(&pool->pending);
	LIST_INIT(&pool->spare);
	err = http_client_create(&pool->client, r, conf);
	if (err) {
		free(pool);
		return err;
	}
	*out = pool;
	return 0;
}

void mca_pool_destroy(struct mca_pool *pool)
{
	struct pending *p;

	if (pool == NULL)
		return;
	http_client_destroy(pool->client);
	pool->client = NULL;
	LIST_FOREACH(p, &pool->pending, link)
		if (p->x != NULL)
			p->x->impl = NULL;
	pool->destroyed = true;
	if (!pool->telling)			/* else tell_answer() frees */
		pool_free(pool);
}
