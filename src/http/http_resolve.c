/*
 * A look-up runs in libuv's thread pool and may outlive the resolver: then it
 * has no owner (`res` is NULL) and is freed by its own callback.
 */
#include "http_resolve.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME  253		/* RFC 1035, without the final dot */
#define MAX_ADDRS 8
#define FRESH_MS  10000

union any_addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct query {
	uv_getaddrinfo_t req;
	struct http_resolver *res;
};

LIST_HEAD(http_lookup_list, http_lookup);

struct http_resolver {
	struct reactor *r;		/* borrowed, as is host */
	const char *host;
	uint16_t port;
	bool is_numeric;

	struct query *query;		/* while one runs */
	struct http_lookup_list waiting;

	union any_addr addrs[MAX_ADDRS];
	size_t count;
	size_t first;			/* worked last */
	uint64_t fresh_until;
};

static bool parse_numeric(struct http_resolver *res)
{
	union any_addr *a = &res->addrs[0];

	return uv_ip4_addr(res->host, res->port, &a->in) == 0 ||
	       uv_ip6_addr(res->host, res->port, &a->in6) == 0;
}

static bool take_addr(struct http_resolver *res, const struct addrinfo *ai)
{
	union any_addr *a = &res->addrs[res->count];

	if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
		return false;
	memcpy(a, ai->ai_addr, ai->ai_addrlen);
	if (ai->ai_family == AF_INET)
		a->in.sin_port = htons(res->port);
	else
		a->in6.sin6_port = htons(res->port);
	return true;
}

static int take_addrs(struct http_resolver *res, const struct addrinfo *ai)
{
	res->count = res->first = 0;
	for (; ai != NULL && res->count < MAX_ADDRS; ai = ai->ai_next)
		if (take_addr(res, ai))
			res->count++;
	res->fresh_until = reactor_now(res->r) + FRESH_MS;
	return res->count > 0 ? 0 : UV_EAI_NODATA;
}

/* The resolver may be destroyed by any of those who hear, so they are moved
 * to a list of this frame's first; who is cancelled leaves it. */
static void tell_all(struct http_resolver *res, int err)
{
	struct http_lookup_list told = LIST_HEAD_INITIALIZER(told);
	struct http_lookup *l;

	while ((l = LIST_FIRST(&res->waiting)) != NULL) {
		LIST_REMOVE(l, link);
		LIST_INSERT_HEAD(&told, l, link);
	}
	while ((l = LIST_FIRST(&told)) != NULL) {
		http_lookup_cancel(l);
		l->on_done(l, err);
	}
}

static void on_addrinfo(uv_getaddrinfo_t *req, int err, struct addrinfo *ai)
{
	struct query *q = container_of(req, struct query, req);
	struct http_resolver *res = q->res;

	if (res != NULL) {
		res->query = NULL;
		if (err == 0)
			err = take_addrs(res, ai);
	}
	uv_freeaddrinfo(ai);
	free(q);
	if (res != NULL)
		tell_all(res, err);
}

static int start_query(struct http_resolver *res)
{
	static const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	struct query *q = calloc(1, sizeof(*q));
	int err;

	if (q == NULL)
		return UV_ENOMEM;
	q->res = res;
	err = uv_getaddrinfo(reactor_loop(res->r), &q->req, on_addrinfo,
			     res->host, NULL, &hints);
	if (err) {
		free(q);
		return err;
	}
	res->query = q;
	return 0;
}

int http_resolver_create(struct http_resolver **out, struct reactor *r,
			 const char *host, unsigned port)
{
	size_t len = strlen(host);
	struct http_resolver *res;

	if (len == 0 || len > MAX_NAME || port > UINT16_MAX)
		return UV_EINVAL;
	res = calloc(1, sizeof(*res));
	if (res == NULL)
		return UV_ENOMEM;
	res->r = r;
	res->host = host;
	res->port = (uint16_t)port;
	LIST_INIT(&res->waiting);
	res->is_numeric = parse_numeric(res);
	res->count = res->is_numeric;
	*out = res;
	return 0;
}

void http_resolver_destroy(struct http_resolver *res)
{
	if (res == NULL)
		return;
	if (res->query != NULL) {
		res->query->res = NULL;
		uv_cancel((uv_req_t *)&res->query->req);
	}
	assert(LIST_EMPTY(&res->waiting));
	free(res);
}

bool http_resolver_ready(const struct http_resolver *res)
{
	return res->is_numeric ||
	       (res->count > 0 && reactor_now(res->r) < res->fresh_until);
}

int http_resolver_ask(struct http_resolver *res, struct http_lookup *l)
{
	int err = res->query == NULL ? start_query(res) : 0;

	if (err)
		return err;
	l->pending = true;
	LIST_INSERT_HEAD(&res->waiting, l, link);
	return 0;
}

void http_lookup_cancel(struct http_lookup *l)
{
	if (!l->pending)
		return;
	LIST_REMOVE(l, link);
	l->pending = false;
}

size_t http_resolver_first(const struct http_resolver *res)
{
	return res->first;
}

const struct sockaddr *http_resolver_addr(const struct http_resolver *res,
					  size_t first, size_t n)
{
	if (n >= res->count)
		return NULL;
	return &res->addrs[(first + n) % res->count].any;
}

void http_resolver_worked(struct http_resolver *res, size_t first, size_t n)
{
	if (res->count > 0)
		res->first = (first + n) % res->count;
}

void http_resolver_failed(struct http_resolver *res)
{
	res->fresh_until = 0;
}
