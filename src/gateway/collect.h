#ifndef GATEWAY_COLLECT_H
#define GATEWAY_COLLECT_H

#include "gateway/stats.h"

struct worker_shared;

/* As gateway_collect(). */
MUST_CHECK int collect_start(struct worker_shared *shared,
			     void (*on_done)(void *owner,
					     const struct gateway_stats *s),
			     void *owner);

#endif
