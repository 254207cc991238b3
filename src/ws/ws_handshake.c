#include "ws/ws_handshake.h"

#include <assert.h>
#include <mbedtls/base64.h>
#include <mbedtls/md.h>

#define GUID       "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_LEN   20
#define KEY_LEN    24	/* base64 of 16 octets */
#define ACCEPT_LEN 28	/* base64 of 20 octets */

/* TS-0020 6.2.2.9, then the names of release 2 that IANA lists. */
static const struct {
	struct str name;
	enum prim_format format;
} subprotocols[] = {
	{ STR_INIT("oneM2M.json"), FORMAT_JSON },
	{ STR_INIT("oneM2M.xml"), FORMAT_XML },
	{ STR_INIT("oneM2M.cbor"), FORMAT_CBOR },
	{ STR_INIT("oneM2M.R2.0.json"), FORMAT_JSON },
	{ STR_INIT("oneM2M.R2.0.xml"), FORMAT_XML },
	{ STR_INIT("oneM2M.R2.0.cbor"), FORMAT_CBOR },
};

static int refuse(const char **why, int status, const char *text)
{
	*why = text;
	return status;
}

static bool is_base64_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* The spare bits of the last character may be set: nobody reads them. */
static bool is_key(struct str key)
{
	if (key.len != KEY_LEN || key.p[KEY_LEN - 2] != '=' ||
	    key.p[KEY_LEN - 1] != '=')
		return false;
	for (size_t i = 0; i < KEY_LEN - 2; i++)
		if (!is_base64_char(key.p[i]))
			return false;
	return true;
}

static bool path_matches(struct str target, struct str path)
{
	struct str own, query;

	str_cut(target, '?', &own, &query);
	return path.len == 0 || str_eq(own, path);
}

/* A token in quotes, where a backslash may stand before any octet. */
static bool is_quoted_token(struct str s)
{
	struct str part;
	bool more;

	if (s.len < 3 || s.p[0] != '"' || s.p[s.len - 1] != '"')
		return false;
	s = (struct str){ s.p + 1, s.len - 2 };
	if (s.p[0] == '\\')
		s = str_skip(s, 1);
	do {
		more = str_cut(s, '\\', &part, &s);
		if (!http_is_token(part))
			return false;
	} while (more);
	return true;
}

static bool is_extension_param(struct str s)
{
	struct str name, value;

	if (!str_cut(s, '=', &name, &value))
		return http_is_token(str_trim(name));
	value = str_trim(value);
	return http_is_token(str_trim(name)) &&
	       (http_is_token(value) || is_quoted_token(value));
}

static bool is_extension(struct str s)
{
	struct str part;
	bool more = str_cut(s, ';', &part, &s);

	if (!http_is_token(str_trim(part)))
		return false;
	while (more) {
		more = str_cut(s, ';', &part, &s);
		if (!is_extension_param(part))
			return false;
	}
	return true;
}

static bool is_extension_list(struct str list)
{
	struct str one;
	bool more;

	do {
		more = str_cut(list, ',', &one, &list);
		one = str_trim(one);
		if (one.len > 0 && !is_extension(one))
			return false;
	} while (more);
	return true;
}

/* None is taken, but RFC 6455 9.1 fails what is no offer at all. */
static bool extensions_well_formed(const struct http_msg *req)
{
	for (size_t i = 0; i < req->header_count; i++)
		if (str_ieq(req->headers[i].name,
			    STR("Sec-WebSocket-Extensions")) &&
		    !is_extension_list(req->headers[i].value))
			return false;
	return true;
}

/* RFC 6455 4.2.1 */
static int check_upgrade(const char **why, const struct http_msg *req)
{
	if (req->has_body)
		return refuse(why, 400, "body on the handshake");
	if (!http_msg_has_token(req, STR("Upgrade"), STR("websocket")))
		return refuse(why, 400, "no Upgrade to websocket");
	if (!http_msg_has_token(req, STR("Connection"), STR("Upgrade")))
		return refuse(why, 400, "no Connection: Upgrade");
	if (http_msg_count(req, STR("Sec-WebSocket-Version")) != 1)
		return refuse(why, 400, "not one Sec-WebSocket-Version");
	if (!str_eq(http_msg_header(req, STR("Sec-WebSocket-Version")),
		    STR("13")))
		return refuse(why, 426, "WebSocket version");
	if (http_msg_count(req, STR("Sec-WebSocket-Key")) != 1)
		return refuse(why, 400, "not one Sec-WebSocket-Key");
	if (!is_key(http_msg_header(req, STR("Sec-WebSocket-Key"))))
		return refuse(why, 400, "malformed Sec-WebSocket-Key");
	if (!extensions_well_formed(req))
		return refuse(why, 400, "malformed Sec-WebSocket-Extensions");
	return 101;
}

static bool is_port(struct str s)
{
	uint64_t n;

	return s.len <= 5 && str_to_u64(&n, s) && n <= UINT16_MAX;
}

static bool is_host_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* HOST, HOST:PORT, [IPV6] or [IPV6]:PORT, no user before and nothing behind.
 * The host with its brackets; empty: it is something else. */
static struct str host_of(struct str authority)
{
	static const char v6[] = "0123456789ABCDEFabcdef:.";
	const struct str none = { NULL, 0 };
	bool literal = authority.len > 0 && authority.p[0] == '[';
	size_t n = literal;

	if (literal) {
		while (n < authority.len && authority.p[n] != '\0' &&
		       strchr(v6, authority.p[n]) != NULL)
			n++;
		if (n == authority.len || authority.p[n++] != ']')
			return none;
	} else {
		while (n < authority.len && is_host_char(authority.p[n]))
			n++;
	}
	if (n < authority.len &&
	    (authority.p[n] != ':' || !is_port(str_skip(authority, n + 1))))
		return none;
	return (struct str){ authority.p, n };
}

/* A page of the host that it talks to is no foreign one, whatever its port: a
 * proxy in front may serve both. */
static bool is_same_host(struct str origin, const struct http_msg *req)
{
	struct str host = host_of(http_msg_header(req, STR("Host")));

	if (str_istarts(origin, STR("http://")))
		origin = str_skip(origin, sizeof("http://") - 1);
	else if (str_istarts(origin, STR("https://")))
		origin = str_skip(origin, sizeof("https://") - 1);
	else
		return false;
	return host.len > 0 && str_ieq(host_of(origin), host);
}

static bool origin_allowed(const struct http_msg *req,
			   const struct ws_handshake_conf *conf)
{
	struct str origin = http_msg_header(req, STR("Origin"));
	size_t count = http_msg_count(req, STR("Origin"));

	if (count != 1)
		return count == 0;	/* devices send none */
	for (size_t i = 0; i < conf->origin_count; i++)
		if (str_eq(conf->origins[i], STR("*")) ||
		    str_ieq(conf->origins[i], origin))
			return true;
	return is_same_host(origin, req);
}

/* Is the name one of ours, and enabled? */
static bool find_subprotocol(struct ws_handshake *h, struct str name,
			     const struct ws_handshake_conf *conf)
{
	for (size_t i = 0; i < ARRAY_LEN(subprotocols); i++) {
		if (!str_ieq(subprotocols[i].name, name))
			continue;
		if ((conf->formats >> subprotocols[i].format & 1) == 0)
			return false;
		h->format = subprotocols[i].format;
		h->subprotocol = name;
		return true;
	}
	return false;
}

/* What a client has offered so far, over all headers. */
struct offers {
	size_t names;
	bool malformed;
	bool found;
};

static void read_offers(struct offers *o, struct ws_handshake *h,
			struct str list, const struct ws_handshake_conf *conf)
{
	struct str name;
	bool more;

	do {
		more = str_cut(list, ',', &name, &list);
		name = str_trim(name);
		if (name.len == 0)
			continue;	/* RFC 9110 5.6.1.2 */
		o->names++;
		o->malformed |= !http_is_token(name);
		if (!o->found)
			o->found = find_subprotocol(h, name, conf);
	} while (more);
}

static int pick_subprotocol(struct ws_handshake *h, const char **why,
			    const struct http_msg *req,
			    const struct ws_handshake_conf *conf)
{
	struct offers o = { 0 };

	if (conf->any_subprotocol)
		return 101;
	for (size_t i = 0; i < req->header_count; i++)
		if (str_ieq(req->headers[i].name,
			    STR("Sec-WebSocket-Protocol")))
			read_offers(&o, h, req->headers[i].value, conf);
	if (o.malformed)
		return refuse(why, 400, "malformed Sec-WebSocket-Protocol");
	if (o.found)
		return 101;
	if (o.names > 0)
		return refuse(why, 400, "no sub-protocol that is served");
	if (conf->default_format < 0)
		return refuse(why, 400, "no Sec-WebSocket-Protocol");
	h->format = (enum prim_format)conf->default_format;
	return 101;
}

void ws_handshake_accept(char out[29], struct str key)
{
	const mbedtls_md_info_t *sha1 =
		mbedtls_md_info_from_type(MBEDTLS_MD_SHA1);
	unsigned char text[KEY_LEN + sizeof(GUID) - 1];
	unsigned char digest[SHA1_LEN];
	size_t len;
	int err;

	assert(key.len == KEY_LEN);
	memcpy(text, key.p, KEY_LEN);
	memcpy(text + KEY_LEN, GUID, sizeof(GUID) - 1);
	err = mbedtls_md(sha1, text, sizeof(text), digest);
	assert(err == 0);
	err = mbedtls_base64_encode((unsigned char *)out, ACCEPT_LEN + 1, &len,
				    digest, sizeof(digest));
	assert(err == 0 && len == ACCEPT_LEN);
}

int ws_handshake_check(struct ws_handshake *out, const char **why,
		       const struct http_msg *req,
		       const struct ws_handshake_conf *conf)
{
	struct ws_handshake h = { 0 };
	int status;

	if (!str_eq(req->method, STR("GET")))
		return refuse(why, 405, "method");
	if (req->minor < 1)
		return refuse(why, 400, "HTTP/1.0");
	if (!path_matches(req->target, conf->path))
		return refuse(why, 404, "path");
	status = check_upgrade(why, req);
	if (status != 101)
		return status;
	if (!origin_allowed(req, conf))
		return refuse(why, 403, "Origin");
	status = pick_subprotocol(&h, why, req, conf);
	if (status != 101)
		return status;
	ws_handshake_accept(h.accept,
			    http_msg_header(req, STR("Sec-WebSocket-Key")));
	*out = h;
	return 101;
}

struct str ws_handshake_subprotocol(enum prim_format format)
{
	for (size_t i = 0; i < ARRAY_LEN(subprotocols); i++)
		if (subprotocols[i].format == format)
			return subprotocols[i].name;
	return STR("");
}

void ws_handshake_write(struct buf *out, const struct ws_handshake *h)
{
	buf_add_lit(out, "HTTP/1.1 101 Switching Protocols\r\n"
			 "Upgrade: websocket\r\n"
			 "Connection: Upgrade\r\n"
			 "Sec-WebSocket-Accept: ");
	buf_add(out, h->accept, ACCEPT_LEN);
	if (h->subprotocol.len > 0) {
		buf_add_lit(out, "\r\nSec-WebSocket-Protocol: ");
		buf_add_str(out, h->subprotocol);
	}
	buf_add_lit(out, "\r\n\r\n");
}

struct str ws_handshake_refusal_headers(int status)
{
	switch (status) {
	case 401:		/* RFC 9110 15.5.2: a challenge must be there */
		return STR("WWW-Authenticate: Bearer realm=\"m2mwsd\"\r\n"
			   "WWW-Authenticate: Basic realm=\"m2mwsd\", "
			   "charset=\"UTF-8\"\r\n");
	case 405:
		return STR("Allow: GET\r\n");
	case 426:		/* RFC 9110 15.5.22: names the protocol, too */
		return STR("Upgrade: websocket\r\n"
			   "Connection: Upgrade\r\n"
			   "Sec-WebSocket-Version: 13\r\n");
	default:
		return (struct str){ NULL, 0 };
	}
}
