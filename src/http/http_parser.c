/*
 * A head is cut into lines, checked and gathered by http_head; llhttp sees it
 * once, when it is complete. So its spans are whole, they are good as slices
 * of `head`, and where the network cut the octets makes no difference. What
 * follows the head goes to llhttp as it comes, but the lines between chunks
 * and those of the trailers pass http_head first: llhttp 8 takes white space
 * behind a chunk's size, and a bare LF for the end of a trailer.
 *
 * llhttp is paused at the end of each message and starts anew for the next,
 * so it never sees an octet behind a message.
 */
#include <llhttp.h>
#include <stdlib.h>
#include <uv.h>

#include "http_head.h"

/* 8.1 has a loose mode in which a bare CR ends a line: request smuggling
 * (CVE-2023-30589). From 9 on the strict mode is the only one. */
#if LLHTTP_VERSION_MAJOR < 8
#error "llhttp 8 or later is needed"
#elif LLHTTP_VERSION_MAJOR == 8 && LLHTTP_STRICT_MODE != 1
#error "llhttp 8 must be compiled with -DLLHTTP_STRICT_MODE=1"
#endif

#define KEEP_OCTETS  2048	/* of each buffer of an idle parser */
#define KEEP_HEADERS 32

enum parser_state {
	PARSER_HEAD,
	PARSER_CHUNK_LINE,
	PARSER_BODY,		/* whole or a chunk, with the latter's CR LF */
	PARSER_TRAILERS,
	PARSER_DONE,		/* the message is complete */
	PARSER_DEAD,		/* fault says why */
};

struct http_parser {
	struct http_limits limits;
	bool no_body;			/* the next message has none */
	bool upgrades;			/* a 101 was asked for */

	struct buf head;
	struct buf body;
	struct buf name;		/* of a trailer, as far as it came */
	struct http_header *headers;
	size_t header_cap;

	enum parser_state state;
	llhttp_t ll;
	struct head_scan scan;
	struct chunk_scan chunk_scan;
	struct head_framing framing;
	struct http_msg msg;
	struct http_fault fault;
	size_t overhead;		/* octets taken that are no body */
	bool begun;
	bool head_done;
	bool continue_told;
};

static struct http_parser *parser_of(llhttp_t *ll)
{
	return ll->data;
}

/* For `return stop(p, ...)` in llhttp's callbacks. */
static int stop(struct http_parser *p, int err, int status, const char *why)
{
	p->fault = (struct http_fault){ err, status, why };
	return -1;
}

static int on_header_field(llhttp_t *ll, const char *at, size_t len)
{
	struct http_parser *p = parser_of(ll);
	size_t n = p->msg.header_count;

	if (p->state != PARSER_HEAD) {	/* trailers are dropped */
		buf_add(&p->name, at, len);
		return 0;
	}
	if (n == p->header_cap) {
		size_t cap = n > 0 ? 2 * n : 16;
		struct http_header *h = realloc(p->headers, cap * sizeof(*h));

		if (h == NULL)
			return stop(p, UV_ENOMEM, 503, "out of memory");
		p->headers = h;
		p->header_cap = cap;
	}
	p->headers[n] = (struct http_header){ { at, len }, { NULL, 0 } };
	p->msg.headers = p->headers;
	p->msg.header_count = n + 1;
	return 0;
}

/* llhttp 8 takes a length where llhttp 9 does not. */
static int on_header_field_complete(llhttp_t *ll)
{
	struct http_parser *p = parser_of(ll);
	bool framing = head_is_framing(buf_str(&p->name));

	if (p->name.failed)
		return stop(p, UV_ENOMEM, 503, "out of memory");
	buf_clear(&p->name);
	return framing ? stop(p, ERR_PROTO, 400, "framing in a trailer") : 0;
}

static int on_header_value(llhttp_t *ll, const char *at, size_t len)
{
	struct http_parser *p = parser_of(ll);

	if (p->state == PARSER_HEAD)
		p->headers[p->msg.header_count - 1].value =
			str_trim((struct str){ at, len });
	return 0;
}

/* 1: llhttp is to expect no body. */
static int on_headers_complete(llhttp_t *ll)
{
	struct http_parser *p = parser_of(ll);

	if (p->msg.status == 101 && !p->upgrades)
		return stop(p, ERR_PROTO, 400, "unexpected 101");
	if (!head_check_fields(&p->framing, &p->msg, p->no_body, &p->fault))
		return -1;
	if (llhttp_message_needs_eof(ll) && !p->no_body)
		p->msg.keep_alive = false;
	if (!p->no_body && p->framing.length > p->limits.max_body)
		return stop(p, ERR_LIMIT, 413, "body too large");
	p->head_done = true;
	return p->no_body ? 1 : 0;
}

static int on_chunk_header(llhttp_t *ll)
{
	struct http_parser *p = parser_of(ll);

	if (ll->content_length > p->limits.max_body - p->body.len)
		return stop(p, ERR_LIMIT, 413, "body too large");
	p->state = ll->content_length > 0 ? PARSER_BODY : PARSER_TRAILERS;
	p->scan = (struct head_scan){ 0 };
	return HPE_PAUSED;
}

static int on_chunk_complete(llhttp_t *ll)
{
	struct http_parser *p = parser_of(ll);

	if (p->state != PARSER_BODY)	/* the last one ends with the trailers */
		return 0;
	p->state = PARSER_CHUNK_LINE;
	p->chunk_scan = (struct chunk_scan){ 0 };
	return HPE_PAUSED;
}

static int on_body(llhttp_t *ll, const char *at, size_t len)
{
	struct http_parser *p = parser_of(ll);

	if (len > p->limits.max_body - p->body.len)
		return stop(p, ERR_LIMIT, 413, "body too large");
	buf_add(&p->body, at, len);
	if (p->body.failed)
		return stop(p, UV_ENOMEM, 503, "out of memory");
	p->overhead -= len;
	return 0;
}

static int on_message_complete(llhttp_t *ll)
{
	struct http_parser *p = parser_of(ll);

	p->state = PARSER_DONE;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_header_field = on_header_field,
	.on_header_field_complete = on_header_field_complete,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_chunk_header = on_chunk_header,
	.on_chunk_complete = on_chunk_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

static int fail(struct http_parser *p)
{
	p->state = PARSER_DEAD;
	return p->fault.err;
}

static int fail_limit(struct http_parser *p)
{
	bool in_target = p->msg.kind == HTTP_KIND_REQUEST &&
			 p->state == PARSER_HEAD && p->scan.lines == 0;

	stop(p, ERR_LIMIT, in_target ? 414 : 431,
	     in_target ? "target too long" : "head too large");
	return fail(p);
}

/* The number of octets taken, or a negative code. */
static ssize_t execute(struct http_parser *p, const char *data, size_t len)
{
	enum llhttp_errno err;
	size_t taken = len;

	p->overhead += len;
	err = llhttp_execute(&p->ll, data, len);
	if (err == HPE_PAUSED) {
		taken = (size_t)(llhttp_get_error_pos(&p->ll) - data);
		p->overhead -= len - taken;
		llhttp_resume(&p->ll);
	} else if (err != HPE_OK) {
		if (p->fault.err == 0)
			stop(p, ERR_PROTO,
			     err == HPE_INVALID_METHOD ? 501 : 400,
			     llhttp_get_error_reason(&p->ll));
		return fail(p);
	}
	return (ssize_t)taken;
}

static void head_restart(struct http_parser *p)
{
	enum http_kind kind = p->msg.kind;

	buf_clear(&p->head);
	p->scan = (struct head_scan){ 0 };
	p->msg = (struct http_msg){ .kind = kind };
	p->chunk_scan = (struct chunk_scan){ 0 };
	p->head_done = false;
	p->state = PARSER_HEAD;
}

/* The head may have moved since its first line was read. */
static void find_start_line(struct http_parser *p)
{
	if (p->msg.kind == HTTP_KIND_RESPONSE)
		return;
	p->msg.method.p = p->head.p;
	p->msg.target.p = p->head.p + p->msg.method.len + 1;
}

/* The head is whole: what does it say? */
static int head_end(struct http_parser *p)
{
	ssize_t n;

	find_start_line(p);
	llhttp_init(&p->ll, p->msg.kind == HTTP_KIND_REQUEST ? HTTP_REQUEST :
							      HTTP_RESPONSE,
		    &settings);
	p->ll.data = p;
	p->overhead -= p->head.len;	/* execute() counts it again */
	n = execute(p, p->head.p, p->head.len);
	if (n < 0)
		return (int)n;
	/* two readings of one head */
	if (!p->head_done || (size_t)n != p->head.len) {
		stop(p, ERR_PROTO, 400, "malformed head");
		return fail(p);
	}
	if (p->msg.kind == HTTP_KIND_RESPONSE && p->msg.status < 200 &&
	    p->msg.status != 101)
		head_restart(p);
	else if (p->state == PARSER_HEAD)
		p->state = p->framing.chunked && !p->no_body ?
				   PARSER_CHUNK_LINE : PARSER_BODY;
	return 0;
}

/* A line of the head has ended. */
static int head_line_end(struct http_parser *p)
{
	struct str line = { p->head.p, p->head.len - 2 };

	if (p->scan.done && p->scan.lines == 0) {
		head_restart(p);	/* RFC 9112 2.2: empty lines before */
		return 0;
	}
	if (p->scan.done)
		return head_end(p);
	if (p->scan.lines == 1 &&
	    !head_check_start_line(&p->msg, line, &p->fault))
		return fail(p);
	if (p->scan.lines - 1 > p->limits.max_headers) {
		stop(p, ERR_LIMIT, 431, "too many headers");
		return fail(p);
	}
	return 0;
}

static ssize_t feed_head(struct http_parser *p, const char *data, size_t len)
{
	size_t room = p->limits.max_head - p->overhead;
	struct str octets = { data, len < room ? len : room };
	size_t taken;
	int err;

	if (room == 0)
		return fail_limit(p);
	if (!head_scan_line(&p->scan, octets, &taken, &p->fault))
		return fail(p);
	buf_add(&p->head, data, taken);
	if (p->head.failed) {
		stop(p, UV_ENOMEM, 503, "out of memory");
		return fail(p);
	}
	p->overhead += taken;
	if (p->head.p[0] != '\r')
		p->begun = true;
	err = p->scan.state == SCAN_LINE_START ? head_line_end(p) : 0;
	return err ? err : (ssize_t)taken;
}

/* The CR LF behind a chunk may have passed the limit. */
static ssize_t feed_chunk_line(struct http_parser *p, const char *data,
			       size_t len)
{
	struct str octets = { data, len };
	size_t taken, room;
	ssize_t n;

	if (p->overhead >= p->limits.max_head)
		return fail_limit(p);
	room = p->limits.max_head - p->overhead;
	if (octets.len > room)
		octets.len = room;
	if (!chunk_scan_line(&p->chunk_scan, octets, &taken, &p->fault))
		return fail(p);
	n = execute(p, data, taken);
	if (n < 0)
		return n;
	/* two readings of one line */
	if ((size_t)n != taken ||
	    p->chunk_scan.done != (p->state != PARSER_CHUNK_LINE)) {
		stop(p, ERR_PROTO, 400, "malformed chunk size");
		return fail(p);
	}
	return n;
}

static ssize_t feed_trailers(struct http_parser *p, const char *data,
			     size_t len)
{
	size_t room = p->limits.max_head - p->overhead;
	struct str octets = { data, len < room ? len : room };
	size_t taken;
	ssize_t n;

	if (room == 0)
		return fail_limit(p);
	if (!head_scan_line(&p->scan, octets, &taken, &p->fault))
		return fail(p);
	n = execute(p, data, taken);
	if (n < 0)
		return n;
	if ((size_t)n != taken || p->scan.done != (p->state == PARSER_DONE)) {
		stop(p, ERR_PROTO, 400, "malformed trailers");
		return fail(p);
	}
	return n;
}

static ssize_t feed_some(struct http_parser *p, const char *data, size_t len)
{
	switch (p->state) {
	case PARSER_HEAD:
		return feed_head(p, data, len);
	case PARSER_CHUNK_LINE:
		return feed_chunk_line(p, data, len);
	case PARSER_BODY:
		return execute(p, data, len);
	case PARSER_TRAILERS:
		return feed_trailers(p, data, len);
	default:
		return p->fault.err;
	}
}

ssize_t http_parser_feed(struct http_parser *p, const char *data, size_t len)
{
	size_t taken = 0;

	while (taken < len && p->state != PARSER_DONE) {
		ssize_t n = feed_some(p, data + taken, len - taken);

		if (n < 0)
			return n;
		taken += (size_t)n;
	}
	if (p->state == PARSER_DONE)
		p->msg.body = buf_str(&p->body);
	return (ssize_t)taken;
}

int http_parser_finish(struct http_parser *p)
{
	if (p->state == PARSER_DEAD)
		return p->fault.err;
	if (p->state == PARSER_DONE || !p->begun)
		return 0;
	if (p->state == PARSER_BODY && !p->framing.chunked &&
	    !p->framing.has_length) {
		p->state = PARSER_DONE;
		p->msg.body = buf_str(&p->body);
		return 0;
	}
	stop(p, ERR_PROTO, 400, "cut off");
	return fail(p);
}

const struct http_msg *http_parser_message(const struct http_parser *p)
{
	return p->state == PARSER_DONE ? &p->msg : NULL;
}

static void shrink(struct buf *b)
{
	if (b->cap > KEEP_OCTETS)
		buf_deinit(b);
	else
		buf_clear(b);
}

void http_parser_next(struct http_parser *p)
{
	if (p->state == PARSER_DEAD)
		return;
	shrink(&p->head);
	shrink(&p->body);
	shrink(&p->name);
	if (p->header_cap > KEEP_HEADERS) {
		free(p->headers);
		p->headers = NULL;
		p->header_cap = 0;
	}
	head_restart(p);
	p->no_body = false;
	p->overhead = 0;
	p->begun = false;
	p->continue_told = false;
}

void http_parser_expect_no_body(struct http_parser *p)
{
	p->no_body = true;
}

void http_parser_expect_upgrade(struct http_parser *p)
{
	p->upgrades = true;
}

bool http_parser_wants_continue(struct http_parser *p)
{
	bool wants = (p->state == PARSER_BODY ||
		      p->state == PARSER_CHUNK_LINE) &&
		     p->msg.expect_continue && !p->continue_told;

	p->continue_told |= wants;
	return wants;
}

bool http_parser_busy(const struct http_parser *p)
{
	return p->begun && p->state != PARSER_DONE;
}

int http_parser_status(const struct http_parser *p)
{
	return p->fault.status;
}

const char *http_parser_why(const struct http_parser *p)
{
	return p->fault.why;
}

int http_parser_create(struct http_parser **out, enum http_kind kind,
		       const struct http_limits *limits)
{
	struct http_parser *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return UV_ENOMEM;
	p->limits = *limits;
	p->msg.kind = kind;
	*out = p;
	return 0;
}

void http_parser_destroy(struct http_parser *p)
{
	if (p == NULL)
		return;
	buf_deinit(&p->head);
	buf_deinit(&p->body);
	buf_deinit(&p->name);
	free(p->headers);
	free(p);
}
