#ifndef BACKEND_HTTP_MAP_H
#define BACKEND_HTTP_MAP_H

#include "http/http_msg.h"
#include "m2m/codec.h"

/*
 * Primitive <-> HTTP message as TS-0009 says, both ways; pure functions.
 * Nothing that a peer wrote reaches a start line or a header unless it is
 * visible ASCII there; targets and queries are percent-encoded.
 */
struct http_map_conf {
	struct str host;	/* Host header: authority of the next hop */
	struct str base;	/* path before the mapped target, may be empty */
	struct str query;	/* before what the request has, may be empty */
	bool exact;		/* base is all of the path, `to` is not sent */
	enum prim_format format;	/* of what is sent, and wanted */
	struct str cse_id;	/* backend's CSE-ID, or empty: no rewrite of
				 * `to` = CSE-ID to CSE-ID/- */
	struct codec_conf codec;
	struct str lines;	/* more headers, each with its end; or empty */
};

/* What an answer takes from the request that it belongs to. */
struct http_map_request {
	enum op op;
	struct str rqi;
	struct str rvi;		/* empty: the request had none */
};

/* How an answer is written. */
struct http_map_reply {
	enum prim_format format;
	bool close;		/* adds Connection: close */
	struct codec_conf codec;
};

/*
 * Request primitive -> HTTP request head (with the empty line) appended to
 * head; the body is p->content (empty for RETRIEVE with atrl, which goes to
 * the query) and is returned as a slice of it, byte for byte, or, where
 * conf->format is another one, of made, which was somebody's scratch.
 * 0, or a negative code with *why (static) when p has no HTTP form: ERR_PROTO
 * (answer 4000: forbidden octets, a list where a scalar belongs, content that
 * the other serialisation cannot carry, ...), ERR_UNSUPPORTED (5001: grtm,
 * TS-0009 has no place for it), UV_ENOMEM.
 */
MUST_CHECK int http_map_write_request(struct buf *head, struct str *body,
				      struct buf *made, const char **why,
				      const struct prim *p,
				      const struct http_map_conf *conf);

/*
 * HTTP response -> response primitive. rsc from X-M2M-RSC, else from the
 * status by op (http-binding 7); rqi and, where the CSE gives none, rvi are
 * taken from request. out's slices point into msg, request and out->store;
 * the content is what its Content-Type says, tqf is JSON.
 * ERR_PROTO with *why: the body is not what it says (answer 5000).
 */
MUST_CHECK int http_map_read_response(struct prim *out, const char **why,
				      const struct http_msg *msg,
				      const struct http_map_request *request,
				      const struct http_map_conf *conf);

/*
 * HTTP request -> request primitive (TS-0009 6.2, 6.4 backwards): method,
 * target, query and headers. rqi stays absent when the header is; `to` when
 * nothing follows conf->base. A body of GET or DELETE is ignored.
 * ERR_PROTO (4000), ERR_UNSUPPORTED (4015: media type) with *why.
 */
MUST_CHECK int http_map_read_request(struct prim *out, const char **why,
				     const struct http_msg *msg,
				     const struct http_map_conf *conf);

/*
 * Response primitive -> whole HTTP response appended to out: mapped status,
 * X-M2M-* headers, Content-Type and Content-Length, the body. Never an empty
 * header value. ERR_PROTO, ERR_LIMIT with *why: the content has no form in
 * reply->format; UV_ENOMEM.
 */
MUST_CHECK int http_map_write_response(struct buf *out, const char **why,
				       const struct prim *p,
				       const struct http_map_reply *reply);

/* What to answer a request in: what its Accept likes best of what we know, or
 * what its body is in, or `other`. */
enum prim_format http_map_pick_format(const struct http_msg *request,
				      enum prim_format other);

/* RSC -> HTTP status (TS-0009 Table 6.3.2-1, by class where it is silent). */
int http_map_status_of(int rsc);

/* HTTP status -> RSC, for an answer without X-M2M-RSC. */
int http_map_rsc_of(int status, enum op op);

#endif
