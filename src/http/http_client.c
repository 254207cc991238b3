/*
 * The pool. A connection's state is the set it stands in. A request that
 * finds no idle connection waits; a connection that opens or frees takes one
 * of a sender that has few others pending, and of these the one that is due
 * first when all pay for the octets they send and are sent (fair.h). The more
 * others a sender has pending, the less of the connections and of the room to
 * wait its next one may use, down to the half: what never gets an answer does
 * not keep out those who have none pending. Only a repeated request is promised
 * to a connection of its own while that one opens, for it needs a fresh one.
 *
 * Whoever calls an owner does so last, with everything put in order before:
 * the owner may send, cancel or destroy. Where several owners must hear, the
 * client stays until the last has (`telling`).
 */
#include "http/http_client.h"

#include <assert.h>
#include <stdlib.h>

#include "http_conn.h"

#define KEPT_CAPACITY 1024	/* octets a finished call may keep */
#define RANKS	      5		/* others pending: 0, 1, 3, 7, 15 or more */
#define CALL_COST     2048	/* octets that a call without any counts as */

TAILQ_HEAD(http_call_list, http_call);

struct http_client {
	struct reactor *r;			/* borrowed, as is conf */
	const struct http_client_conf *conf;

	struct http_resolver *resolver;		/* owned; NULL: Unix socket */
	struct http_conn_set opening, idle, busy;	/* owned */

	struct fair_account account;		/* in octets */
	struct fair_queue waiting[RANKS];	/* owned; by rank */
	struct http_call_list failing;
	size_t waiting_octets;
	bool telling;				/* fail_all() is running */
	bool destroyed;

	struct http_client_counters counters;
};

static const struct http_conn_ops conn_ops;

static void count(struct http_client *c)
{
	c->counters.idle = c->idle.count;
	c->counters.open = c->idle.count + c->busy.count;
}

static size_t total(const struct http_client *c)
{
	return c->opening.count + c->idle.count + c->busy.count;
}

static void leave_set(struct http_conn *conn)
{
	TAILQ_REMOVE(&conn->set->list, conn, link);
	conn->set->count--;
	conn->set = NULL;
}

static void enter_set(struct http_client *c, struct http_conn *conn,
		      struct http_conn_set *set)
{
	if (conn->set != NULL)
		leave_set(conn);
	TAILQ_INSERT_HEAD(&set->list, conn, link);
	conn->set = set;
	set->count++;
	count(c);
}

static void drop_conn(struct http_client *c, struct http_conn *conn)
{
	leave_set(conn);
	count(c);
	http_conn_destroy(conn);
}

/* Of what there is n of, for a sender of that rank; at least one. */
static size_t share(size_t n, unsigned rank)
{
	size_t rest = n - n * rank / (2 * (RANKS - 1));

	return rest > 0 ? rest : 1;
}

static bool may_work(const struct http_client *c, unsigned rank)
{
	return c->busy.count < share(c->conf->connections, rank);
}

static struct http_call *first_waiting(const struct http_client *c)
{
	for (size_t i = 0; i < RANKS; i++)
		if (fair_first(&c->waiting[i]) != NULL)
			return container_of(fair_first(&c->waiting[i]),
					    struct http_call, turn);
	return NULL;
}

static unsigned rank_of(unsigned others)
{
	unsigned rank = 0;

	while (others >= (2u << rank) - 1 && rank < RANKS - 1)
		rank++;
	return rank;
}

/* A small buffer stays for the next use. */
static void forget_bytes(struct http_call *call)
{
	if (call->bytes.cap > KEPT_CAPACITY)
		buf_deinit(&call->bytes);
	else
		buf_clear(&call->bytes);
}

/* Not pending any more. */
static void call_finish(struct http_call *call)
{
	call->state = HTTP_CALL_NONE;
	call->conn = NULL;
	forget_bytes(call);
}

static void call_unwait(struct http_client *c, struct http_call *call)
{
	fair_remove(&c->waiting[call->rank], &call->turn);
	c->waiting_octets -= call->bytes.len;
	c->counters.waiting--;
}

/* The call that this connection carried, which now is free for another. */
static struct http_call *take_call(struct http_conn *conn)
{
	struct http_call *call = conn->call;

	conn->call = NULL;
	return call;
}

static void bind_call(struct http_conn *conn, struct http_call *call)
{
	call->state = HTTP_CALL_SENT;
	call->conn = conn;
	conn->call = call;
}

static void send_kept(struct http_client *c, struct http_conn *conn)
{
	struct http_call *call = conn->call;

	call->sent = true;
	fair_begin(&c->account, &call->turn);
	enter_set(c, conn, &c->busy);
	http_conn_send(conn, buf_str(&call->bytes), (struct str){ NULL, 0 },
		       call->echo_hash);
	if (!call->repeatable)
		forget_bytes(call);
}

static int open_conn(struct http_client *c, struct http_call *promised)
{
	struct http_conn *conn;
	int err = http_conn_create(&conn, c->r, c->conf, c->resolver,
				   &conn_ops, &c->counters);

	if (err)
		return err;
	conn->pool = c;
	enter_set(c, conn, &c->opening);
	if (promised != NULL)
		bind_call(conn, promised);
	return 0;
}

/* The next one that may use a connection. */
static struct http_call *next_to_work(const struct http_client *c)
{
	struct http_call *call = first_waiting(c);

	return call != NULL && may_work(c, call->rank) ? call : NULL;
}

/* A connection that may carry a request gets the next one, or idles. */
static void put_to_work(struct http_client *c, struct http_conn *conn)
{
	struct http_call *call;

	enter_set(c, conn, &c->idle);
	call = next_to_work(c);
	if (call == NULL)
		return;
	if (!http_conn_is_quiet(conn)) {
		http_conn_poisoned(conn, "octets or end while idle");
		drop_conn(c, conn);
		return;
	}
	call_unwait(c, call);
	bind_call(conn, call);
	send_kept(c, conn);
}

/* Idle connections, where a busy one was in the way; then one more for each
 * call that waits, up to the limit. Without memory the calls go on waiting for
 * what is there. */
static void serve_waiting(struct http_client *c)
{
	const struct http_call *call;

	while (next_to_work(c) != NULL && c->idle.count > 0)
		put_to_work(c, TAILQ_FIRST(&c->idle.list));
	call = first_waiting(c);
	if (call == NULL)
		return;
	while (c->opening.count < c->counters.waiting &&
	       c->opening.count + c->busy.count <
		       share(c->conf->connections, call->rank) &&
	       total(c) < c->conf->connections)
		if (open_conn(c, NULL) != 0)
			break;
}

static void fail_next(struct http_client *c, struct http_call *call)
{
	if (call->state == HTTP_CALL_WAITING)
		call_unwait(c, call);
	call->state = HTTP_CALL_FAILING;
	call->conn = NULL;
	TAILQ_INSERT_TAIL(&c->failing, call, link);
}

static void client_free(struct http_client *c)
{
	for (size_t i = 0; i < RANKS; i++)
		fair_queue_deinit(&c->waiting[i]);
	fair_account_deinit(&c->account);
	http_resolver_destroy(c->resolver);
	free(c);
}

/* Each of `failing` hears err. New ones can only come on a later turn. */
static void fail_all(struct http_client *c, int err)
{
	struct http_call *call;

	c->telling = true;
	while ((call = TAILQ_FIRST(&c->failing)) != NULL) {
		TAILQ_REMOVE(&c->failing, call, link);
		call_finish(call);
		call->ops->on_fail(call, err);
	}
	c->telling = false;
	if (c->destroyed)
		client_free(c);
}

/*
 * Each refused connection costs one call, the next that waits, unless there
 * are others enough to serve all; the last one costs all, as any does where
 * calls have other servers to go to.
 */
static void on_refused(struct http_conn *conn, int err)
{
	struct http_client *c = conn->pool;
	struct http_call *call = take_call(conn);

	c->counters.connect_failed++;
	drop_conn(c, conn);
	if (call != NULL)
		fail_next(c, call);
	else if (c->counters.waiting > total(c))
		fail_next(c, first_waiting(c));
	while ((total(c) == 0 || c->conf->has_others) &&
	       c->counters.waiting > 0)
		fail_next(c, first_waiting(c));
	fail_all(c, err);
}

/* A server that speaks first is none of HTTP, or answers what nobody asked. */
static void on_open(struct http_conn *conn)
{
	struct http_client *c = conn->pool;

	if (!http_conn_is_quiet(conn)) {
		http_conn_poisoned(conn, "octets or end before a request");
		on_refused(conn, ERR_PROTO);
		return;
	}
	c->counters.opened++;
	if (conn->call != NULL)
		send_kept(c, conn);
	else
		put_to_work(c, conn);
	serve_waiting(c);
}

static void on_answer(struct http_conn *conn, const struct http_msg *msg)
{
	struct http_client *c = conn->pool;
	struct http_call *call = take_call(conn);

	if (conn->state == HTTP_CONN_IDLE)
		put_to_work(c, conn);
	else
		drop_conn(c, conn);
	fair_settle(&c->account, &call->turn, call->sender,
		    call->octets + msg->body.len);
	serve_waiting(c);
	call_finish(call);
	call->ops->on_response(call, msg);
}

/* A kept-alive connection that the server closed just when we sent. What is
 * repeated gets a fresh one, which has served nobody: so never twice. */
static bool may_repeat(const struct http_conn *conn)
{
	return conn->call != NULL && conn->call->repeatable &&
	       conn->served > 0 && !conn->heard;
}

static void on_end(struct http_conn *conn, int err)
{
	struct http_client *c = conn->pool;
	bool repeat = may_repeat(conn);
	struct http_call *call = take_call(conn);

	drop_conn(c, conn);
	if (repeat && open_conn(c, call) == 0) {
		c->counters.retried++;
		call = NULL;
	}
	serve_waiting(c);
	if (call == NULL)
		return;
	call_finish(call);
	call->ops->on_fail(call, err);
}

static bool set_asked(const struct http_conn_set *set, uint64_t echo)
{
	const struct http_conn *conn;

	TAILQ_FOREACH(conn, &set->list, link)
		if (http_conn_asked(conn, echo))
			return true;
	return false;
}

static bool is_others(const struct http_conn *conn, uint64_t echo)
{
	const struct http_client *c = conn->pool;

	return set_asked(&c->busy, echo) || set_asked(&c->idle, echo);
}

static const struct http_conn_ops conn_ops = {
	.on_open = on_open,
	.on_refused = on_refused,
	.on_answer = on_answer,
	.on_end = on_end,
	.is_others = is_others,
};

/* The one used last, if its peer has been silent since. */
static struct http_conn *pick_idle(struct http_client *c)
{
	struct http_conn *conn;

	while ((conn = TAILQ_FIRST(&c->idle.list)) != NULL) {
		if (http_conn_is_quiet(conn))
			return conn;
		http_conn_poisoned(conn, "octets or end while idle");
		drop_conn(c, conn);
	}
	return NULL;
}

static bool keep_bytes(struct http_call *call, struct str head,
		       struct str body)
{
	buf_clear(&call->bytes);
	if (!buf_reserve(&call->bytes, head.len + body.len))
		return false;
	buf_add_str(&call->bytes, head);
	buf_add_str(&call->bytes, body);
	return true;
}

static void send_now(struct http_client *c, struct http_conn *conn,
		     struct http_call *call, struct str head, struct str body)
{
	/* without memory for a copy there is no repetition */
	if (call->repeatable)
		call->repeatable = keep_bytes(call, head, body);
	bind_call(conn, call);
	call->sent = true;
	fair_begin(&c->account, &call->turn);
	enter_set(c, conn, &c->busy);
	http_conn_send(conn, head, body, call->echo_hash);
}

/* Half of what is left: what a few large ones want leaves room for many small
 * ones. */
static bool has_room(const struct http_client *c, const struct http_call *call,
		     size_t octets)
{
	size_t max = share(c->conf->max_waiting, call->rank);

	return c->waiting_octets < max &&
	       octets <= (max - c->waiting_octets) / 2;
}

static int wait_for_conn(struct http_client *c, struct http_call *call,
			 struct str head, struct str body)
{
	if (!has_room(c, call, head.len + body.len)) {
		c->counters.refused_waiting++;
		return ERR_LIMIT;
	}
	if (!keep_bytes(call, head, body))
		return UV_ENOMEM;
	if (fair_add(&c->waiting[call->rank], &call->turn) != 0) {
		call_finish(call);
		return UV_ENOMEM;
	}
	call->state = HTTP_CALL_WAITING;
	call->since = reactor_now(c->r);
	c->waiting_octets += call->bytes.len;
	c->counters.waiting++;
	serve_waiting(c);
	if (total(c) > 0)
		return 0;
	call_unwait(c, call);		/* no memory for a connection */
	call_finish(call);
	return UV_ENOMEM;
}

static void set_init(struct http_conn_set *set)
{
	TAILQ_INIT(&set->list);
}

int http_client_create(struct http_client **out, struct reactor *r,
		       const struct http_client_conf *conf)
{
	struct http_client *c = calloc(1, sizeof(*c));
	int err;

	assert(conf->connections > 0);
	if (c == NULL)
		return UV_ENOMEM;
	c->r = r;
	c->conf = conf;
	set_init(&c->opening);
	set_init(&c->idle);
	set_init(&c->busy);
	TAILQ_INIT(&c->failing);
	if (conf->host != NULL) {
		err = http_resolver_create(&c->resolver, r, conf->host,
					   conf->port);
		if (err) {
			free(c);
			return err;
		}
	}
	*out = c;
	return 0;
}

static void drop_set(struct http_client *c, struct http_conn_set *set)
{
	struct http_conn *conn;

	while ((conn = TAILQ_FIRST(&set->list)) != NULL) {
		if (conn->call != NULL)
			call_finish(take_call(conn));
		drop_conn(c, conn);
	}
}

void http_client_destroy(struct http_client *c)
{
	if (c == NULL)
		return;
	while (c->counters.waiting > 0)
		http_client_cancel(c, first_waiting(c));
	while (!TAILQ_EMPTY(&c->failing))
		http_client_cancel(c, TAILQ_FIRST(&c->failing));
	drop_set(c, &c->opening);
	drop_set(c, &c->idle);
	drop_set(c, &c->busy);
	c->destroyed = true;
	if (!c->telling)			/* else fail_all() frees */
		client_free(c);
}

int http_client_send(struct http_client *c, struct http_call *call,
		     struct str head, struct str body, bool repeatable)
{
	struct http_conn *conn;

	assert(call->state == HTTP_CALL_NONE);
	call->repeatable = repeatable;
	call->sent = false;
	call->echo_hash = http_conn_hash(call->echo);
	call->echo = (struct str){ NULL, 0 };
	call->rank = rank_of(call->others);
	call->octets = CALL_COST + head.len + body.len;
	fair_price(&c->account, &call->turn, call->sender, call->octets);
	conn = may_work(c, call->rank) ? pick_idle(c) : NULL;
	if (conn == NULL)
		return wait_for_conn(c, call, head, body);
	send_now(c, conn, call, head, body);
	return 0;
}

void http_client_cancel(struct http_client *c, struct http_call *call)
{
	struct http_conn *conn = call->conn;

	switch (call->state) {
	case HTTP_CALL_NONE:
		return;
	case HTTP_CALL_WAITING:
		call_unwait(c, call);
		break;
	case HTTP_CALL_FAILING:
		TAILQ_REMOVE(&c->failing, call, link);
		break;
	case HTTP_CALL_SENT:
		take_call(conn);
		drop_conn(c, conn);
		serve_waiting(c);
		break;
	}
	call_finish(call);
}

const struct http_client_counters *http_client_counters(
	const struct http_client *c)
{
	return &c->counters;
}

uint64_t http_client_waiting_since(const struct http_client *c)
{
	uint64_t since = 0;

	for (size_t i = 0; i < RANKS; i++)
		for (size_t j = 0; j < c->waiting[i].count; j++) {
			const struct http_call *call =
				container_of(c->waiting[i].heap[j],
					     struct http_call, turn);

			if (since == 0 || call->since < since)
				since = call->since;
		}
	return since;
}
