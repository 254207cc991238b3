#include <arpa/inet.h>
#include <stdio.h>
#include <sys/un.h>

#include "config_priv.h"

#define HOST_MAX    253		/* a name that DNS can hold (RFC 1035) */
#define HTTP_PORT   80
#define NO_MEMORY   ""
#define SYNTAX \
	"must be http://HOST[:PORT][/BASE] or unix:/PATH"

static bool is_name(struct str s)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-._";

	return s.len > 0 && s.len <= HOST_MAX && strspn(s.p, allowed) >= s.len;
}

static bool is_v6(struct str s)
{
	struct in6_addr addr;
	char text[INET6_ADDRSTRLEN];

	if (s.len >= sizeof(text))
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1;
}

/* Characters of a path (RFC 3986 3.3). */
static bool is_base(struct str s)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-._~!$&'()*+,;=:@/";
	static const char hex[] = "0123456789ABCDEFabcdef";

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '%' && i + 2 < s.len &&
		    strchr(hex, s.p[i + 1]) != NULL &&
		    strchr(hex, s.p[i + 2]) != NULL)
			i += 2;
		else if (strchr(allowed, s.p[i]) == NULL)
			return false;
	}
	return true;
}

/* host[:port] -> host without brackets, port. */
static const char *split_authority(struct str authority, struct str *host,
				   uint64_t *port)
{
	bool v6 = str_starts(authority, STR("["));
	struct str rest;

	*port = HTTP_PORT;
	if (v6) {
		if (!str_cut(str_skip(authority, 1), ']', host, &rest) ||
		    !is_v6(*host))
			return "has no IPv6 address in its brackets";
		if (rest.len == 0)
			return NULL;
		if (rest.p[0] != ':')
			return SYNTAX;
		rest = str_skip(rest, 1);
	} else if (!str_cut(authority, ':', host, &rest)) {
		return is_name(*host) ? NULL : SYNTAX;
	} else if (!is_name(*host)) {
		return SYNTAX;
	}
	if (!str_to_u64(port, rest) || *port == 0 || *port > UINT16_MAX)
		return "has no port from 1 to 65535";
	return NULL;
}

static char *write_authority(struct config_store *st, struct str host,
			     unsigned port)
{
	char text[HOST_MAX + sizeof("[]:65535")];
	bool v6 = memchr(host.p, ':', host.len) != NULL;
	int n = snprintf(text, sizeof(text), "%s%.*s%s", v6 ? "[" : "",
			 (int)host.len, host.p, v6 ? "]" : "");

	if (port != HTTP_PORT)
		snprintf(text + n, sizeof(text) - (size_t)n, ":%u", port);
	return config_keep(st, str_of(text));
}

static const char *parse_http(struct config_store *st,
			      struct upstream_conf *out, struct str rest)
{
	struct str authority, base, host;
	const char *slash, *why;
	uint64_t port;

	if (memchr(rest.p, '?', rest.len) || memchr(rest.p, '#', rest.len))
		return "must not have a query or a fragment";
	slash = memchr(rest.p, '/', rest.len);
	base = str_range(slash != NULL ? slash : rest.p + rest.len,
			 rest.p + rest.len);
	authority = str_range(rest.p, base.p);
	if (memchr(authority.p, '@', authority.len))
		return "must not hold a user or a password";
	why = split_authority(authority, &host, &port);
	if (why != NULL)
		return why;
	if (!is_base(base))
		return "has a path with characters that must be "
		       "percent-encoded";
	while (base.len > 0 && base.p[base.len - 1] == '/')
		base.len--;
	out->port = (unsigned)port;
	out->host = config_keep(st, host);
	out->base = config_keep(st, base);
	out->authority = write_authority(st, host, out->port);
	if (out->host == NULL || out->base == NULL || out->authority == NULL)
		return NO_MEMORY;
	return NULL;
}

static const char *parse_unix(struct upstream_conf *out, struct str path)
{
	if (path.len < 2 || path.p[0] != '/')
		return "must name an absolute path, as in unix:/run/cse.sock";
	if (path.len >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return "names a path too long for a socket";
	out->unix_path = path.p;
	out->base = "";
	out->authority = "localhost";
	return NULL;
}

/* url lives as long as the configuration. */
const char *config_url_parse(struct config_store *st,
			     struct upstream_conf *out, const char *url)
{
	struct str s = str_of(url);

	out->url = s;
	out->host = NULL;
	out->port = 0;
	out->unix_path = NULL;
	if (str_istarts(s, STR("unix:")))
		return parse_unix(out, str_skip(s, 5));
	if (str_istarts(s, STR("https://")))
		return "with https:// is not available yet";
	if (str_istarts(s, STR("http://")) && s.len > 7)
		return parse_http(st, out, str_skip(s, 7));
	return SYNTAX;
}
