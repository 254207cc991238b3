#ifndef GATEWAY_CENSUS_PRIV_H
#define GATEWAY_CENSUS_PRIV_H

#include "gateway/census.h"

struct worker_shared;

/* As gateway_census() and its like. */
MUST_CHECK int census_start(struct worker_shared *shared,
			    const struct census_filter *filter,
			    bool (*on_session)(void *owner,
					       const struct session_view *v),
			    void (*on_done)(void *owner), void *owner);
MUST_CHECK int census_kick(struct worker_shared *shared, uint64_t sid,
			   void (*on_done)(void *owner, bool found),
			   void *owner);
MUST_CHECK int census_redeliver(struct worker_shared *shared, struct str id);
MUST_CHECK int census_canonical(struct buf *out,
				const struct worker_shared *shared,
				struct str id);

#endif
