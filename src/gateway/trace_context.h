#ifndef GATEWAY_TRACE_CONTEXT_H
#define GATEWAY_TRACE_CONTEXT_H

#include "http/http_msg.h"

/*
 * The trace that a client's handshake belongs to (W3C Trace Context): each of
 * the session's requests becomes a span below the client's.
 */
struct trace_context;

/* *out is NULL where req has no traceparent, or one that is to be ignored:
 * several, malformed, of zeros. UV_ENOMEM. */
MUST_CHECK int trace_context_create(struct trace_context **out,
				    const struct http_msg *req);
/* Accepts NULL. */
void trace_context_destroy(struct trace_context *t);

/* 32 hexadecimal digits; NULL: empty. */
struct str trace_context_id(const struct trace_context *t);

/* Header lines for one more request, good until the next call: traceparent with
 * a span of its own, and tracestate as the client sent it. NULL: empty. */
struct str trace_context_next(struct trace_context *t);

#endif
