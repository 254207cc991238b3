#ifndef GATEWAY_TRACE_H
#define GATEWAY_TRACE_H

#include "base/str.h"

/*
 * The primitives of one originator as they pass: those of sessions that may
 * speak for it, and requests that name it as fr. Workers write lines of JSON
 * into a bounded buffer, the main loop takes them from there; what finds no
 * room is counted, and nobody waits.
 *
 *	{"at":SECONDS,"sid":N,"dir":"in" or "out","prim":{...}}
 *
 * in: from the client. "dropped":N in front of prim: so many are missing before
 * this one.
 */
struct gateway;
struct trace;

/* On the loop given by gateway_reactor(), where on_lines() is called, too, when
 * there is something to take. UV_EINVAL: originator is no id. UV_ENOMEM,
 * UV_ECANCELED (it ends). */
MUST_CHECK int gateway_trace(struct trace **out, struct gateway *gw,
			     struct str originator,
			     void (*on_lines)(void *owner), void *owner);
/* Nothing is heard any more. Accepts NULL. */
void trace_destroy(struct trace *t);

/* Appends the whole lines that are there. */
void trace_take(struct trace *t, struct buf *out);

#endif
