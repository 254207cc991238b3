#ifndef HTTP_HTTP_MSG_H
#define HTTP_HTTP_MSG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

/*
 * HTTP/1.1 messages (RFC 9112): llhttp in strict mode plus the checks that it
 * does not make, so that no two parties can read a message differently:
 * obs-fold, bare CR or LF, NUL, missing or repeated Host, repeated or
 * malformed Content-Length, Content-Length beside Transfer-Encoding, either
 * with `_` for `-` or in a trailer, a transfer coding other than chunked, a
 * chunk size with anything behind it but `;`, versions other than 1.0 and 1.1,
 * absolute- and authority-form targets, bytes outside VCHAR in a target,
 * status below 100, a body where none may be.
 */
enum http_kind {
	HTTP_KIND_REQUEST,
	HTTP_KIND_RESPONSE,
};

struct http_header {
	struct str name;
	struct str value;	/* without white space at its ends */
};

/* Borrowed from the parser until http_parser_next() or the next feed. */
struct http_msg {
	enum http_kind kind;
	struct str method;	/* requests */
	struct str target;
	int status;		/* responses */
	int minor;		/* HTTP/1.minor */

	const struct http_header *headers;
	size_t header_count;
	struct str body;

	bool keep_alive;	/* another message may follow */
	bool has_body;		/* Content-Length > 0 or chunked */
	bool expect_continue;
};

struct http_limits {
	size_t max_head;	/* octets of start line and headers */
	size_t max_headers;
	size_t max_body;
};

/* Opaque to users; a value so that it needs no allocation of its own. */
struct http_parser;

MUST_CHECK int http_parser_create(struct http_parser **out,
				  enum http_kind kind,
				  const struct http_limits *limits);
void http_parser_destroy(struct http_parser *p);

/*
 * Feeds bytes; returns how many were taken: fewer than len only when a
 * message is complete, the rest then belongs to whatever follows. Negative:
 * ERR_PROTO (malformed), ERR_LIMIT (head or body too large), UV_ENOMEM; the
 * parser is then dead and http_parser_why() tells what was wrong.
 */
MUST_CHECK ssize_t http_parser_feed(struct http_parser *p, const char *data,
				    size_t len);

/* The peer will send nothing more. 0: fine (a response delimited by the end
 * of the connection is complete now, or nothing had begun); ERR_PROTO: cut
 * off in the middle. */
MUST_CHECK int http_parser_finish(struct http_parser *p);

/* The complete message, or NULL. 1xx responses are skipped inside, but for a
 * 101 that is expected. */
const struct http_msg *http_parser_message(const struct http_parser *p);

/* Forgets the message; ready for the next one. */
void http_parser_next(struct http_parser *p);

/* For responses: the next one answers a HEAD or has no body for another
 * reason. */
void http_parser_expect_no_body(struct http_parser *p);

/* For responses: an upgrade was asked for, so that a 101 may come. What is
 * behind its head is no HTTP any more. */
void http_parser_expect_upgrade(struct http_parser *p);

/* A request's head is complete and asks for 100-continue; told once. */
bool http_parser_wants_continue(struct http_parser *p);

/* True between the first byte of a message and its end. */
bool http_parser_busy(const struct http_parser *p);

/* The HTTP status that fits the last error: 400, 413, 414, 431, 501, 505. */
int http_parser_status(const struct http_parser *p);
const char *http_parser_why(const struct http_parser *p);

/* First header of that name (any case), value trimmed; p == NULL: none. */
struct str http_msg_header(const struct http_msg *m, struct str name);

/* How many headers of that name there are. */
size_t http_msg_count(const struct http_msg *m, struct str name);

/* The comma-separated lists of all headers of that name hold token, in any
 * case. */
bool http_msg_has_token(const struct http_msg *m, struct str name,
			struct str token);

/* "Bad Request" and the like; never NULL. */
const char *http_status_text(int status);

/* RFC 9110 5.6.2 token characters; field values: VCHAR, SP and HTAB. */
bool http_is_token(struct str s);
bool http_is_field_value(struct str s);

#endif
