#ifndef HTTP_HTTP_HEAD_H
#define HTTP_HTTP_HEAD_H

#include "http/http_msg.h"

/*
 * The checks of a message head that llhttp leaves to its user; pure
 * functions. Each returns false with *f saying what is wrong.
 */
struct http_fault {
	int err;		/* ERR_PROTO, ERR_LIMIT, UV_ENOMEM; 0: none */
	int status;		/* what a server answers */
	const char *why;
};

/*
 * Cuts octets into lines wherever they are cut in pieces: every line ends
 * with CR LF, holds no other control than HTAB, and does not continue the one
 * before it (obs-fold). A zeroed one is at the start.
 */
struct head_scan {
	enum {
		SCAN_LINE_START,
		SCAN_LINE,
		SCAN_CR,	/* of a line with text */
		SCAN_EMPTY_CR,	/* of the empty line */
	} state;
	size_t lines;		/* complete, without the empty one */
	bool done;		/* the empty line is complete */
};

/* Takes octets up to the end of the current line at most. */
bool head_scan_line(struct head_scan *scan, struct str octets, size_t *taken,
		    struct http_fault *f);

/*
 * The line before a chunk: hexadecimal digits, then CR LF or `;` and text that
 * nobody reads. No more digits than every reader can count, no white space
 * that some take for the end of the number. A zeroed one is at the start.
 */
struct chunk_scan {
	unsigned digits;
	bool extended;		/* behind the `;` */
	bool cr;
	bool done;		/* the line is complete */
};

/* Takes octets up to the end of the line at most. */
bool chunk_scan_line(struct chunk_scan *scan, struct str octets,
		     size_t *taken, struct http_fault *f);

/* The request line or status line without its CR LF, into m. */
bool head_check_start_line(struct http_msg *m, struct str line,
			   struct http_fault *f);

/* How the message goes on behind its head. */
struct head_framing {
	bool chunked;
	uint64_t length;	/* Content-Length, else 0 */
	bool has_length;
};

/*
 * m's start line and headers are there; sets what follows from them
 * (keep_alive, has_body, expect_continue) and *out. no_body: the message has
 * none whatever its head says (an answer to HEAD).
 */
bool head_check_fields(struct head_framing *out, struct http_msg *m,
		       bool no_body, struct http_fault *f);

/* A field that says where a body ends; none of a trailer (RFC 9110 6.5.1). */
bool head_is_framing(struct str name);

/* For `return head_fault(f, ...)`: fills *f, false. */
static inline bool head_fault(struct http_fault *f, int status,
			      const char *why)
{
	*f = (struct http_fault){ ERR_PROTO, status, why };
	return false;
}

#endif
