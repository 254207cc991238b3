#ifndef OPS_METRICS_H
#define OPS_METRICS_H

#include "base/str.h"
#include "gateway/stats.h"

/* Prometheus' text format 0.0.4. Check out->failed. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

void metrics_write(struct buf *out, const struct gateway_stats *s);

#endif
