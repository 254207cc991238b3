#ifndef BACKEND_UPSTREAMS_H
#define BACKEND_UPSTREAMS_H

#include "upstream.h"

TAILQ_HEAD(upstream_list, upstream);

/*
 * The places at which one CSE answers, of one worker: which of them is asked
 * next, and which ones they are after a reload.
 */
struct upstreams {
	struct reactor *r;		/* borrowed */
	struct codec_conf codec;
	struct upstream_list list;	/* owned; the one asked last is last */
	struct upstream_list retired;	/* owned; have requests pending yet */
	size_t count;			/* of list */
	uint64_t next_bit;
	struct timeout sweep;		/* looks at retired */
	struct backend_counters past;	/* of those that went */
};

void upstreams_init(struct upstreams *s, struct reactor *r,
		    const struct codec_conf *codec);
/* What is pending hears nothing. */
void upstreams_deinit(struct upstreams *s);

/* As take of backend.h. */
MUST_CHECK int upstreams_take(struct upstreams *s,
			      const struct upstream_conf *list, size_t count,
			      struct tls_context **contexts);

/* Who gets the next request, without those whose bits are in tried; NULL:
 * there is no use in asking any. */
struct upstream *upstreams_choose(struct upstreams *s, uint64_t tried);

/* One of them has less to do. */
void upstreams_tidy(struct upstreams *s);

bool upstreams_up(const struct upstreams *s);
void upstreams_count(const struct upstreams *s, struct backend_counters *out);
void upstreams_each(const struct upstreams *s,
		    void (*on_upstream)(void *arg,
					const struct upstream_view *v),
		    void *arg);

#endif
