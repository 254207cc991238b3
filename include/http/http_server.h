#ifndef HTTP_HTTP_SERVER_H
#define HTTP_HTTP_SERVER_H

#include "http/http_msg.h"
#include "net/stream.h"

/*
 * One inbound HTTP connection: requests in, one at a time, responses out;
 * or the stream is given away after an upgrade. What is not HTTP is answered
 * here and the connection closed.
 */
struct http_server;

struct http_server_conf {
	struct http_limits limits;
	uint64_t head_timeout_ms;	/* from connect, or from the first octet
					 * of a later request, to its end */
	uint64_t idle_timeout_ms;	/* between requests */
	struct str refusal;		/* header lines, each with CRLF, of what
					 * a bad request is answered; or empty */
};

struct http_server_ops {
	/* A whole request; borrowed for the call, or until the response. The
	 * owner answers with http_server_respond(), now or later, or takes
	 * the stream. */
	void (*on_request)(void *owner, const struct http_msg *req);

	/* The connection is over; the owner destroys the server. status is
	 * what was answered to a bad request, or 0. */
	void (*on_end)(void *owner, int status);
};

/* Takes stream, also on failure. conf is borrowed and outlives it. */
MUST_CHECK int http_server_create(struct http_server **out,
				  struct stream *stream,
				  const struct http_server_conf *conf,
				  const struct http_server_ops *ops,
				  void *owner);
/* What was answered is still sent. Accepts NULL. */
void http_server_destroy(struct http_server *s);

/* A whole response, head and body, made by the caller. close: nothing more
 * is read and on_end() follows. ERR_LIMIT: the peer reads too slowly. */
MUST_CHECK int http_server_respond(struct http_server *s, struct str response,
				   bool close);

/* An answer without content beyond its status. extra: header lines, each with
 * CRLF, or empty. */
MUST_CHECK int http_server_respond_status(struct http_server *s, int status,
					  struct str extra, bool close);

/* Instead of a response. The caller owns the stream now; what the peer sent
 * after the request is in *rest until it destroys the server, which is good
 * for nothing else. */
struct stream *http_server_give_stream(struct http_server *s,
				       struct str *rest);

#endif
