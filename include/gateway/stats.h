#ifndef GATEWAY_STATS_H
#define GATEWAY_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/base.h"

/*
 * What a gateway has counted, summed over its workers: one row of stat_infos
 * for each value, by which it is shown (Prometheus).
 */
struct gateway;

/* As stat_infos, so that rows of one name stand together. */
enum gateway_stat {
	STAT_CONNECTIONS,
	STAT_SESSIONS_OPENED,
	STAT_SESSIONS,
	STAT_REVOKED,
	STAT_REFUSED_SESSIONS,
	STAT_DISPLACED,
	STAT_REFUSED_PER_IP,
	STAT_REFUSED_RATE,
	STAT_REFUSED_PROXY,
	STAT_REFUSED_TLS,
	STAT_REFUSED_HANDSHAKES,
	STAT_REFUSED_CREDENTIALS,
	STAT_UNCHECKED_CREDENTIALS,
	STAT_REFUSED_ORIGINS,
	STAT_LARGE_HEADS,
	STAT_SLOW_HANDSHAKES,
	STAT_PAUSED_ACCEPTING,
	STAT_MESSAGES_IN,
	STAT_MESSAGES_OUT,
	STAT_OCTETS_IN,
	STAT_OCTETS_OUT,
	STAT_PINGS_IN,
	STAT_PONGS_IN,
	STAT_MALFORMED,
	STAT_TOO_COMPLEX,
	STAT_UNCONVERTIBLE,
	STAT_NOTIFY_UNCONVERTIBLE,
	STAT_BAD_FRAMES,
	STAT_BAD_UTF8,
	STAT_TOO_BIG,
	STAT_TOO_MANY_FRAGMENTS,
	STAT_TOO_SLOW,
	STAT_NO_PONG,
	STAT_NO_CLOSE,
	STAT_TOO_MANY_CONTROLS,
	STAT_UNFINISHED,
	STAT_NO_PRIMITIVES,
	STAT_SLOW_READERS,
	STAT_REQUESTS,
	STAT_ANSWERED,
	STAT_REFUSED_REQUESTS,
	STAT_FAILED,
	STAT_TIMED_OUT,
	STAT_QUEUE_FULL,
	STAT_ORPHANED,
	STAT_FORGOTTEN,
	STAT_UPSTREAM_OPENED,
	STAT_UPSTREAM_FAILED,
	STAT_UPSTREAM_POISONED,
	STAT_UPSTREAM_RETRIED,
	STAT_UPSTREAM_MOVED,
	STAT_UPSTREAM_REFUSED,
	STAT_UPSTREAM_OPEN,
	STAT_UPSTREAM_IDLE,
	STAT_UPSTREAM_WAITING,
	STAT_UPSTREAM_UP,
	STAT_NOTIFY_REQUESTS,
	STAT_NOTIFY_REFUSED,
	STAT_NOTIFY_FORBIDDEN,
	STAT_NOTIFY_REFUSED_CONNECTIONS,
	STAT_NOTIFY_ABANDONED,
	STAT_DELIVERIES,
	STAT_DELIVERED,
	STAT_UNDELIVERED,
	STAT_UNANSWERED,
	STAT_LOST,
	STAT_CHANNEL_FULL,
	STAT_HELD_FULL,
	STAT_STORED,
	STAT_NOT_STORED,
	STAT_HELD,
	STAT_LATE_ANSWERS,
	STAT_REDELIVERED,
	STAT_REGISTRATIONS,
	STAT_DEREGISTRATIONS,
	STAT_REFUSED_ORIGINATORS,
	STAT_REFUSED_ENTITIES,
	STAT_REGISTERED_FULL,
	STAT_MANY_DESCENDANTS,
	STAT_ENTITIES,
	STAT_ENTITIES_ONLINE,
	STAT_ENTITIES_OCTETS,
	STAT_CAME,
	STAT_WENT,
	STAT_REPLACED,
	STAT_TAKEOVERS_REFUSED,
	STAT_INBOX_ITEMS,
	STAT_INBOX_OCTETS,
	STAT_INBOX_STORED,
	STAT_INBOX_DELIVERED,
	STAT_INBOX_DROPPED_OLDEST,
	STAT_INBOX_REFUSED,
	STAT_INBOX_EXPIRED,
	STAT_INBOX_REPLACED,
	STAT_INBOX_DROPPED,
	STAT_FAILED_COMMITS,

	STAT_COUNT,
};

struct stat_info {
	/* as in Prometheus, less the prefix `m2mwsd_`; rows of one name that
	 * differ in their label stand together */
	const char *name;
	const char *label;		/* name="value"; NULL: none */
	const char *help;
	bool now;			/* goes up and down */
};

extern const struct stat_info stat_infos[STAT_COUNT];

/* As upstream_stat_infos. */
enum upstream_stat {
	UPSTREAM_STAT_WORKERS,		/* for which it is up */
	UPSTREAM_STAT_PENDING,
	UPSTREAM_STAT_CONNECTIONS,
	UPSTREAM_STAT_REQUESTS,
	UPSTREAM_STAT_FAILURES,
	UPSTREAM_STAT_MOVED,
	UPSTREAM_STAT_DOWNS,
	UPSTREAM_STAT_FAILED_PROBES,
	UPSTREAM_STAT_COUNT,
};

/* Without labels. */
extern const struct stat_info upstream_stat_infos[UPSTREAM_STAT_COUNT];

/* How long requests of clients took. */
#define LATENCY_BUCKETS 16
#define LATENCY_CLASSES 3

/* Upper bounds of the buckets in microseconds; the last one has none. */
extern const uint32_t latency_bounds[LATENCY_BUCKETS - 1];

/* By the first digit of rsc: 2xxx (1xxx, too), 4xxx, 5xxx (6xxx, too). */
extern const char *const latency_classes[LATENCY_CLASSES];

struct latency {
	uint64_t buckets[LATENCY_BUCKETS];
	uint64_t sum_us;
};

/* By op - 1 and class. */
struct latencies {
	struct latency of[5][LATENCY_CLASSES];
};

/* op: 1 to 5, others are left out. */
void latency_note(struct latencies *l, int op, int rsc, uint64_t us);

/* Where something may wait. */
enum gateway_queue {
	QUEUE_SESSION,			/* requests above in_flight */
	QUEUE_UPSTREAM,			/* for a connection to the CSE */
	QUEUE_INBOX,			/* for an entity that is away */
	QUEUE_COUNT,
};

extern const char *const queue_names[QUEUE_COUNT];

/* Of one [upstream "NAME"], over all workers. */
struct upstream_stats {
	char name[65];			/* as long as one may be */
	uint64_t values[UPSTREAM_STAT_COUNT];
};

struct gateway_stats {
	uint64_t values[STAT_COUNT];
	struct upstream_stats upstreams[UPSTREAMS_MAX];
	size_t upstream_count;
	struct latencies latencies;
	/* milliseconds by which the slowest turn of a loop was late, since the
	 * last collection */
	uint64_t loop_lag_ms;
	uint64_t ages_ms[QUEUE_COUNT];	/* of the oldest in each; 0: none */
};

/* On the loop given by gateway_reactor(): on_done() follows there, s is good
 * for the call. UV_ENOMEM, UV_ECANCELED (it ends). */
MUST_CHECK int gateway_collect(struct gateway *gw,
			       void (*on_done)(void *owner,
					       const struct gateway_stats *s),
			       void *owner);

#endif
