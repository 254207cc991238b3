#include "admin_priv.h"
#include "net/addr.h"

static const struct admin_route routes[] = {
	{ "GET", "/metrics", false, admin_show_metrics },
	{ "GET", "/healthz", false, admin_show_health },
	{ "GET", "/readyz", false, admin_show_readiness },
	{ "GET", "/", false, admin_show_console },
	{ "GET", "/console/*", false, admin_show_console },
	{ "GET", "/api/status", false, admin_show_status },
	{ "GET", "/api/sessions", false, admin_show_sessions },
	{ "GET", "/api/sessions/*", false, admin_show_session },
	{ "POST", "/api/sessions/*/kick", true, admin_kick },
	{ "POST", "/api/drain", true, admin_drain },
	{ "POST", "/api/reload", true, admin_reload },
	{ "POST", "/api/log", true, admin_set_log },
	{ "GET", "/api/inbox", false, admin_show_inboxes },
	{ "GET", "/api/inbox/*", false, admin_show_inbox },
	{ "DELETE", "/api/inbox/*", true, admin_drop_inbox },
	{ "DELETE", "/api/inbox/*/*", true, admin_drop_item },
	{ "POST", "/api/inbox/*/redeliver", true, admin_redeliver },
	{ "GET", "/api/config", false, admin_show_config },
	{ "GET", "/api/trace", false, admin_trace },
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: a percent sign that stands for no octet, or a NUL. */
static bool add_decoded(struct buf *out, struct str coded)
{
	for (size_t i = 0; i < coded.len; i++) {
		int high, low;

		if (coded.p[i] != '%') {
			buf_add_char(out, coded.p[i]);
			continue;
		}
		if (coded.len - i < 3)
			return false;
		high = hex(coded.p[i + 1]);
		low = hex(coded.p[i + 2]);
		if (high < 0 || low < 0 || high + low == 0)
			return false;
		buf_add_char(out, (char)(high << 4 | low));
		i += 2;
	}
	return !out->failed;
}

/* Segments are compared one by one, so that a coded slash is none. */
static bool matches(struct admin_conn *c, struct str pattern, struct str path)
{
	struct str want, got;
	size_t args = 0;
	bool more, same;

	do {
		more = str_cut(path, '/', &got, &path);
		same = str_cut(pattern, '/', &want, &pattern) == more;
		if (same && str_eq(want, STR("*")) && got.len > 0)
			c->args[args++] = got;
		else if (!str_eq(want, got))
			return false;
	} while (same && more);
	return same;
}

/* What has been matched is decoded in place of what it was. */
static bool decode_args(struct admin_conn *c)
{
	size_t room = c->args[0].len + c->args[1].len;

	buf_clear(&c->text);
	if (!buf_reserve(&c->text, room))
		return false;
	for (size_t i = 0; i < ADMIN_ARGS; i++) {
		size_t from = c->text.len;

		if (c->args[i].len == 0)
			continue;
		if (!add_decoded(&c->text, c->args[i]))
			return false;
		c->args[i] = (struct str){ c->text.p + from,
					   c->text.len - from };
	}
	return true;
}

static void follow(struct admin_conn *c, const struct admin_route *route)
{
	if (route->changes && !c->is_local)
		admin_fail(c, 403, "only by [admin] socket");
	else if (!decode_args(c))
		admin_fail(c, 400, "a path that cannot be decoded");
	else
		route->serve(c);
}

/* An address, or a name that nobody else can have. A page of somebody else
 * whose name leads here (DNS rebinding) asks under that name. */
static bool is_own_host(struct str host)
{
	struct sockaddr_storage addr;
	struct str name, port;

	(void)str_cut(host, ':', &name, &port);
	return str_istarts(host, STR("[")) || str_ieq(name, STR("localhost")) ||
	       addr_parse_host(&addr, AF_INET, name, 0) == 0;
}

static bool is_for_us(const struct admin_conn *c, const struct http_msg *req)
{
	return c->is_local || c->admin->console != ADMIN_CONSOLE_LOCAL ||
	       is_own_host(http_msg_header(req, STR("Host")));
}

void admin_route(struct admin_conn *c, const struct http_msg *req)
{
	bool is_there = false;
	struct str path;

	if (!is_for_us(c, req)) {
		admin_fail(c, 403, "Host is no address");
		return;
	}
	(void)str_cut(req->target, '?', &path, &c->query);
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		c->args[0] = c->args[1] = STR("");
		if (!matches(c, str_of(routes[i].path), path))
			continue;
		is_there = true;
		if (!str_eq(req->method, str_of(routes[i].method)))
			continue;
		follow(c, &routes[i]);
		return;
	}
	if (is_there)
		admin_respond_text(c, 405, "not by this method\n");
	else
		admin_respond_text(c, 404, "see m2mwsd(8) for what there is\n");
}

bool admin_query(struct str *out, struct buf *space,
		 const struct admin_conn *c, const char *name)
{
	struct str rest = c->query, one, key, value;

	while (rest.len > 0) {
		(void)str_cut(rest, '&', &one, &rest);
		(void)str_cut(one, '=', &key, &value);
		if (!str_eq(key, str_of(name)))
			continue;
		buf_clear(space);
		if (!add_decoded(space, value))
			return false;
		*out = buf_str(space);
		return true;
	}
	return false;
}

bool admin_query_count(size_t *out, struct admin_conn *c, const char *name,
		       size_t preset, size_t max)
{
	struct buf space = { 0 };
	struct str text;
	uint64_t n = preset;
	bool ok = !admin_query(&text, &space, c, name) ||
		  (str_to_u64(&n, text) && n > 0 && n <= max);

	buf_deinit(&space);
	*out = (size_t)n;
	if (!ok)
		admin_fail(c, 400, "a number is out of its range");
	return ok;
}
