#include "http/http_url.h"

#include <arpa/inet.h>

#define HTTP_PORT  80
#define HTTPS_PORT 443

/* Of a path (RFC 3986 3.3); a query may hold ? too. */
static const char pchars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz"
			     "0123456789-._~!$&'()*+,;=:@/";
static const char name_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz"
				 "0123456789-._";
static const char hex[] = "0123456789ABCDEFabcdef";

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_one_of(s.p[i], name_chars))
			return false;
	return s.len > 0 && s.len <= HTTP_URL_HOST_MAX;
}

static bool is_v6(struct str s)
{
	struct in6_addr addr;
	char text[INET6_ADDRSTRLEN];

	/* what follows a NUL would not be looked at */
	if (s.len == 0 || s.len >= sizeof(text) ||
	    memchr(s.p, '\0', s.len) != NULL)
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1;
}

static bool is_coded(struct str s, const char *more)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '%' && i + 2 < s.len &&
		    is_one_of(s.p[i + 1], hex) && is_one_of(s.p[i + 2], hex))
			i += 2;
		else if (!is_one_of(s.p[i], pchars) &&
			 !is_one_of(s.p[i], more))
			return false;
	}
	return true;
}

static enum http_url_fault read_port(struct http_url *out, struct str text)
{
	uint64_t port;

	if (!str_to_u64(&port, text) || port == 0 || port > UINT16_MAX)
		return HTTP_URL_PORT;
	out->port = (unsigned)port;
	return HTTP_URL_FINE;
}

static enum http_url_fault read_v6(struct http_url *out, struct str authority)
{
	struct str rest;

	if (!str_cut(str_skip(authority, 1), ']', &out->host, &rest) ||
	    !is_v6(out->host))
		return HTTP_URL_ADDRESS;
	if (rest.len == 0)
		return HTTP_URL_FINE;
	return rest.p[0] == ':' ? read_port(out, str_skip(rest, 1)) :
				  HTTP_URL_SYNTAX;
}

static enum http_url_fault read_authority(struct http_url *out,
					  struct str authority)
{
	struct str rest;
	bool has_port;

	if (str_cut(authority, '@', &out->host, &rest))
		return HTTP_URL_USER;
	if (str_starts(authority, STR("[")))
		return read_v6(out, authority);
	has_port = str_cut(authority, ':', &out->host, &rest);
	if (!is_name(out->host))
		return HTTP_URL_SYNTAX;
	return has_port ? read_port(out, rest) : HTTP_URL_FINE;
}

/* What follows the scheme. */
static enum http_url_fault read_rest(struct http_url *out, struct str text)
{
	struct str authority, rest;
	enum http_url_fault fault;

	if (str_cut(text, '#', &rest, &authority))
		return HTTP_URL_FRAGMENT;
	out->has_query = str_cut(text, '?', &rest, &out->query);
	(void)str_cut(rest, '/', &authority, &out->path);
	out->path = str_skip(rest, authority.len);
	fault = read_authority(out, authority);
	if (fault == HTTP_URL_FINE &&
	    (!is_coded(out->path, "") || !is_coded(out->query, "?")))
		fault = HTTP_URL_CODED;
	return fault;
}

enum http_url_fault http_url_parse(struct http_url *out, struct str text)
{
	*out = (struct http_url){ .port = HTTP_PORT };
	if (str_istarts(text, STR("http://")))
		return read_rest(out, str_skip(text, 7));
	if (!str_istarts(text, STR("https://")))
		return HTTP_URL_SYNTAX;
	out->tls = true;
	out->port = HTTPS_PORT;
	return read_rest(out, str_skip(text, 8));
}

const char *http_url_why(enum http_url_fault fault)
{
	static const char *const texts[] = {
		[HTTP_URL_FINE] = "is fine",
		[HTTP_URL_SYNTAX] = "is no HTTP URL",
		[HTTP_URL_USER] = "must not hold a user or a password",
		[HTTP_URL_ADDRESS] = "has no IPv6 address in its brackets",
		[HTTP_URL_PORT] = "has no port from 1 to 65535",
		[HTTP_URL_CODED] = ("has a path with characters that must be "
				    "percent-encoded"),
		[HTTP_URL_FRAGMENT] = "must not have a fragment",
	};

	return texts[fault];
}

void http_url_write_authority(struct buf *out, const struct http_url *url)
{
	bool v6 = memchr(url->host.p, ':', url->host.len) != NULL;

	if (v6)
		buf_add_char(out, '[');
	buf_add_str(out, url->host);
	if (v6)
		buf_add_char(out, ']');
	if (url->port == (url->tls ? HTTPS_PORT : HTTP_PORT))
		return;
	buf_add_char(out, ':');
	buf_add_u64(out, url->port);
}
