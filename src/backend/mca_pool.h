#ifndef BACKEND_MCA_POOL_H
#define BACKEND_MCA_POOL_H

#include "backend/backend.h"
#include "backend/http_map.h"
#include "http/http_client.h"

/*
 * Exchanges of primitives with one HTTP server (TS-0009) through one pool of
 * connections; exchanges hear as backend.h says.
 */
struct mca_pool;

/* conf is borrowed and outlives the pool, codec is copied. UV_EINVAL: the host
 * can be no name. */
MUST_CHECK int mca_pool_create(struct mca_pool **out, struct reactor *r,
			       const struct http_client_conf *conf,
			       const struct codec_conf *codec);

/* Pending exchanges hear nothing. Safe from within their callbacks. Accepts
 * NULL. */
void mca_pool_destroy(struct mca_pool *pool);

/* p and where it goes, map, are borrowed for the call; repeatable is
 * http_client_send()'s. Fails as submit of backend.h does. */
MUST_CHECK int mca_pool_submit(struct mca_pool *pool, struct exchange *x,
			       const struct prim *p,
			       const struct http_map_conf *map,
			       bool repeatable, const char **why);

/* Does nothing for an exchange that is not pending. */
void mca_pool_cancel(struct exchange *x);

/* One that is pending, as if cancelled: its owner's again; NULL: none is. */
struct exchange *mca_pool_withdraw(struct mca_pool *pool);

/* Exchanges that have not heard yet. */
size_t mca_pool_pending(const struct mca_pool *pool);

const struct http_client_counters *mca_pool_counters(
	const struct mca_pool *pool);

/* http_client_waiting_since() of it. */
uint64_t mca_pool_waiting_since(const struct mca_pool *pool);

/* Sets what is the same for every server: limits of answers, the echo. */
void mca_pool_fill_conf(struct http_client_conf *conf, size_t max_answer);

#endif
