#include <sys/un.h>

#include "config_priv.h"
#include "http/http_url.h"

#define NO_MEMORY ""
#define SYNTAX	  "must be http(s)://HOST[:PORT][/BASE] or unix:/PATH"
#define BARE	  "must not have a query or a fragment"

static char *keep_authority(struct config_store *st,
			    const struct http_url *url)
{
	struct buf text = { 0 };
	char *kept = NULL;

	http_url_write_authority(&text, url);
	if (!text.failed)
		kept = config_keep(st, buf_str(&text));
	buf_deinit(&text);
	return kept;
}

static const char *parse_http(struct config_store *st,
			      struct upstream_conf *out, struct str text)
{
	struct http_url url;
	enum http_url_fault fault = http_url_parse(&url, text);
	struct str base = url.path;

	if (fault == HTTP_URL_FRAGMENT || url.has_query)
		return BARE;
	if (fault == HTTP_URL_SYNTAX)
		return SYNTAX;
	if (fault != HTTP_URL_FINE)
		return http_url_why(fault);
	while (base.len > 0 && base.p[base.len - 1] == '/')
		base.len--;
	out->port = url.port;
	out->tls = url.tls;
	out->host = config_keep(st, url.host);
	out->base = config_keep(st, base);
	out->authority = keep_authority(st, &url);
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
	out->tls = false;
	if (str_istarts(s, STR("unix:")))
		return parse_unix(out, str_skip(s, 5));
	return parse_http(st, out, s);
}
