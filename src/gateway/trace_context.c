#include "trace_context.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/siphash.h"

/* version-trace-parent-flags (W3C Trace Context 3.2) */
#define TRACEPARENT_LEN 55
#define TRACE_AT	3
#define PARENT_AT	36
#define FLAGS_AT	53
#define STATE_MAX	512		/* what 3.3.1.5 asks for */

struct trace_context {
	struct siphash_key key;		/* makes spans that nobody guesses */
	uint64_t count;			/* of them */
	struct str id;			/* in lines */
	char *span;			/* in lines: 16 digits */
	size_t len;
	char lines[];
};

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return true;
}

static bool is_zero(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != '0')
			return false;
	return true;
}

static struct str part(struct str s, size_t at, size_t len)
{
	return (struct str){ s.p + at, len };
}

/* A later version may have more behind a dash. */
static bool is_valid(struct str s)
{
	struct str version;

	if (s.len < TRACEPARENT_LEN)
		return false;
	version = part(s, 0, 2);
	if (!is_hex(version) || str_eq(version, STR("ff")) ||
	    (s.len > TRACEPARENT_LEN &&
	     (is_zero(version) || s.p[TRACEPARENT_LEN] != '-')))
		return false;
	return s.p[TRACE_AT - 1] == '-' && s.p[PARENT_AT - 1] == '-' &&
	       s.p[FLAGS_AT - 1] == '-' && is_hex(part(s, TRACE_AT, 32)) &&
	       !is_zero(part(s, TRACE_AT, 32)) &&
	       is_hex(part(s, PARENT_AT, 16)) &&
	       !is_zero(part(s, PARENT_AT, 16)) && is_hex(part(s, FLAGS_AT, 2));
}

/* What is not well-formed, too long or in several headers is left out. */
static struct str state_of(const struct http_msg *req)
{
	struct str s = http_msg_header(req, STR("tracestate"));

	if (http_msg_count(req, STR("tracestate")) != 1 || s.len > STATE_MAX)
		return STR("");
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return STR("");
	return s;
}

/* We speak version 00, which knows of one flag: sampled. */
static void write_lines(struct trace_context *t, struct str parent, struct str state,
			size_t room)
{
	char flags = part(parent, FLAGS_AT + 1, 1).p[0];
	bool sampled = flags <= '9' ? flags % 2 : (flags - 'a') % 2;
	int n = snprintf(t->lines, room, "traceparent: 00-%.32s-%.16s-0%d\r\n",
			 parent.p + TRACE_AT, parent.p + PARENT_AT, sampled);

	t->id = part(str_of(t->lines), strlen("traceparent: 00-"), 32);
	t->span = t->lines + strlen("traceparent: 00-") + 33;
	if (state.len > 0)
		n += snprintf(t->lines + n, room - (size_t)n,
			      "tracestate: %.*s\r\n", (int)state.len, state.p);
	t->len = (size_t)n;
}

int trace_context_create(struct trace_context **out,
			 const struct http_msg *req)
{
	struct str parent = http_msg_header(req, STR("traceparent"));
	struct str state = state_of(req);
	size_t room = 100 + state.len;
	struct trace_context *t;

	*out = NULL;
	if (http_msg_count(req, STR("traceparent")) != 1 || !is_valid(parent))
		return 0;
	t = calloc(1, sizeof(*t) + room);
	if (t == NULL)
		return UV_ENOMEM;
	if (siphash_key_random(&t->key) != 0) {
		free(t);
		return UV_ENOMEM;
	}
	write_lines(t, parent, state, room);
	*out = t;
	return 0;
}

void trace_context_destroy(struct trace_context *t)
{
	free(t);
}

struct str trace_context_id(const struct trace_context *t)
{
	return t != NULL ? t->id : STR("");
}

struct str trace_context_next(struct trace_context *t)
{
	char digits[17];
	uint64_t span;

	if (t == NULL)
		return STR("");
	t->count++;
	span = siphash(&t->key, (struct str){ (const char *)&t->count,
					      sizeof(t->count) });
	snprintf(digits, sizeof(digits), "%016llx",
		 (unsigned long long)(span != 0 ? span : 1));
	memcpy(t->span, digits, 16);
	return (struct str){ t->lines, t->len };
}
