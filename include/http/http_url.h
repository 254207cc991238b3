#ifndef HTTP_HTTP_URL_H
#define HTTP_HTTP_URL_H

#include <stdbool.h>

#include "base/str.h"

#define HTTP_URL_HOST_MAX 253	/* a name that DNS can hold (RFC 1035) */

/*
 * http://HOST[:PORT][/PATH][?QUERY], or https: (RFC 3986, RFC 9110 4.2), as a
 * peer may give it: what has been read holds no octet that would mean anything
 * to a resolver, in a request line or in a header. Slices point into the text.
 */
struct http_url {
	bool tls;
	struct str host;	/* a name or address, without brackets */
	unsigned port;
	struct str path;	/* empty, or begins with a slash */
	struct str query;	/* without its question mark */
	bool has_query;
};

enum http_url_fault {
	HTTP_URL_FINE,
	HTTP_URL_SYNTAX,
	HTTP_URL_USER,
	HTTP_URL_ADDRESS,
	HTTP_URL_PORT,
	HTTP_URL_CODED,
	HTTP_URL_FRAGMENT,
};

MUST_CHECK enum http_url_fault http_url_parse(struct http_url *out,
					      struct str text);

/* What to say of the URL; it begins with a verb. */
const char *http_url_why(enum http_url_fault fault);

/* Appends host, and the port unless the scheme implies it: a Host header. */
void http_url_write_authority(struct buf *out, const struct http_url *url);

#endif
