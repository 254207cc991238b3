#ifndef HTTP_HTTP_RESOLVE_H
#define HTTP_HTTP_RESOLVE_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "net/reactor.h"

/*
 * Host and port -> socket addresses. An address needs no look-up; the answer
 * for a name is kept for a while. The address that worked last comes first.
 */
struct http_resolver;

/* Somebody who waits for the answer. Zero it before use. */
struct http_lookup {
	LIST_ENTRY(http_lookup) link;
	bool pending;
	void (*on_done)(struct http_lookup *l, int err);
};

/* UV_EINVAL: host can be no name. */
MUST_CHECK int http_resolver_create(struct http_resolver **out,
				    struct reactor *r, const char *host,
				    unsigned port);
/* Nobody may be waiting any more. Accepts NULL. */
void http_resolver_destroy(struct http_resolver *res);

/* Addresses are known and fresh: no look-up is needed. */
bool http_resolver_ready(const struct http_resolver *res);

/* on_done() follows, later. A failure to begin is returned, then it does
 * not. */
MUST_CHECK int http_resolver_ask(struct http_resolver *res,
				 struct http_lookup *l);
void http_lookup_cancel(struct http_lookup *l);

/* Where to begin, and the nth address from there; NULL: there are no more. */
size_t http_resolver_first(const struct http_resolver *res);
const struct sockaddr *http_resolver_addr(const struct http_resolver *res,
					  size_t first, size_t n);

/* What became of the nth address; when all failed, the next one to connect
 * looks the name up again. */
void http_resolver_worked(struct http_resolver *res, size_t first, size_t n);
void http_resolver_failed(struct http_resolver *res);

#endif
