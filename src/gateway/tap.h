#ifndef GATEWAY_TAP_H
#define GATEWAY_TAP_H

#include <sys/queue.h>
#include <uv.h>

#include "gateway/trace.h"
#include "m2m/prim.h"

struct owner;
struct worker;
struct worker_shared;

/* One worker's end of a trace. */
struct tap {
	SLIST_ENTRY(tap) link;		/* in the worker's */
	struct trace *trace;		/* a reference */
};

SLIST_HEAD(tap_list, tap);

/* As gateway_trace(). */
MUST_CHECK int tap_start(struct trace **out, struct worker_shared *shared,
			 uv_loop_t *loop, struct str originator,
			 void (*on_lines)(void *owner), void *owner);

/* A primitive of the session sid that owner is of; worker thread. dir: in or
 * out. Asked only where w has taps. */
void tap_note(struct worker *w, const struct owner *owner, uint64_t sid,
	      const char *dir, const struct prim *p);

/* The worker goes. */
void tap_end_all(struct tap_list *taps);

#endif
