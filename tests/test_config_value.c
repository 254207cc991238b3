#include "config_util.h"
#include "tls_rig.h"

#define TOP(member) \
	offsetof(struct config, member), sizeof(((struct config *)0)->member)

/* One option of a section without a name. */
static const struct {
	const char *section, *key, *value;
	size_t offset, width;
	uint64_t want;
} numbers[] = {
	{ "limits", "max_message", "64k", TOP(gateway.ws.max_message), 65536 },
	{ "limits", "max_message", "1k", TOP(gateway.ws.max_message), 1024 },
	{ "limits", "max_message", "64m", TOP(gateway.ws.max_message),
	  64 << 20 },
	{ "limits", "max_message", "2000", TOP(gateway.ws.max_message), 2000 },
	{ "limits", "max_queue", "1g", TOP(gateway.max_queue), 1 << 30 },
	{ "limits", "max_unfinished", "64k", TOP(gateway.ws.max_unfinished),
	  65536 },
	{ "limits", "max_fragments", "7", TOP(gateway.ws.max_fragments), 7 },
	{ "limits", "max_depth", "512", TOP(gateway.codec.max_depth), 512 },
	{ "limits", "max_tokens", "16", TOP(gateway.codec.max_tokens), 16 },
	{ "limits", "in_flight", "256", TOP(gateway.in_flight), 256 },
	{ "limits", "max_head", "1m", TOP(gateway.max_head), 1 << 20 },
	{ "limits", "max_headers", "8", TOP(gateway.max_headers), 8 },
	{ "limits", "ping_interval", "0", TOP(gateway.ws.ping_interval_ms), 0 },
	{ "limits", "ping_interval", "0s", TOP(gateway.ws.ping_interval_ms),
	  0 },
	{ "limits", "ping_interval", "24h", TOP(gateway.ws.ping_interval_ms),
	  86400000 },
	{ "limits", "pong_timeout", "500ms", TOP(gateway.ws.pong_timeout_ms),
	  500 },
	{ "limits", "message_timeout", "2m",
	  TOP(gateway.ws.message_timeout_ms), 120000 },
	{ "limits", "close_timeout", "1h", TOP(gateway.ws.close_timeout_ms),
	  3600000 },
	{ "limits", "max_entities", "65536", TOP(gateway.max_entities), 65536 },
	{ "limits", "max_registered", "16k", TOP(gateway.max_registered),
	  16384 },
	{ "limits", "max_descendants", "0", TOP(gateway.max_descendants), 0 },
	{ "notify", "max_connections", "1", TOP(gateway.notify.max_connections),
	  1 },
	{ "gateway", "drain_timeout", "0", TOP(gateway.drain_timeout_ms), 0 },
	{ "gateway", "workers", "256", TOP(gateway.workers), 256 },
	{ "log", "access", "Yes", TOP(log.access), 1 },
	{ "log", "access", "true", TOP(log.access), 1 },
	{ "log", "access", "on", TOP(log.access), 1 },
	{ "log", "access", "no", TOP(log.access), 0 },
	{ "log", "access", "FALSE", TOP(log.access), 0 },
	{ "log", "access", "off", TOP(log.access), 0 },
	{ "log", "level", "error", TOP(log.level), LOG_LEVEL_ERROR },
	{ "log", "level", "warning", TOP(log.level), LOG_LEVEL_WARNING },
	{ "log", "format", "logfmt", TOP(log.format), LOG_FORMAT_LOGFMT },
	{ "log", "format", "json", TOP(log.format), LOG_FORMAT_JSON },
};

static void load_line(struct loaded *l, const char *section, const char *key,
		      const char *value)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s%s\n%s = %s\n", BASE, section, key,
		 value);
	load_text(l, str_of(text));
}

START_TEST(test_number)
{
	char section[32];
	uint64_t got = 0;
	struct loaded l;

	snprintf(section, sizeof(section), "[%s]", numbers[_i].section);
	load_line(&l, section, numbers[_i].key, numbers[_i].value);
	ck_assert_msg(l.err == 0, "%s", l.diag);
	memcpy(&got, (char *)l.conf + numbers[_i].offset, numbers[_i].width);
	ck_assert_msg(got == numbers[_i].want, "%s = %s", numbers[_i].key,
		      numbers[_i].value);
	loaded_free(&l);
}
END_TEST

#define MESSAGE_RANGE "max_message must be a size from 1k to 64m, such as 256k"
#define PING_RANGE    "ping_interval must be a time from 0 to 24h, such as 25s"
#define WORKERS       "workers must be a number from 1 to 256 or cores"
#define LISTEN \
	"listen must be ADDRESS:PORT, such as 127.0.0.1:8180, [::1]:8180 or " \
	"*:8180"
#define PATH    "path must be an absolute path without a query"
#define ORIGINS \
	"origins must be web origins without a path, such as " \
	"https://app.example.org"
#define CSE_ID  "cse_id must be a CSE-ID, such as /id-in"
#define CLOSED " is not available yet"

static const struct {
	const char *section, *key, *value, *why;
} refused[] = {
	{ "[limits]", "max_message", "1023", MESSAGE_RANGE },
	{ "[limits]", "max_message", "65m", MESSAGE_RANGE },
	{ "[limits]", "max_message", "64K", MESSAGE_RANGE },
	{ "[limits]", "max_message", "64kb", MESSAGE_RANGE },
	{ "[limits]", "max_message", "64 k", MESSAGE_RANGE },
	{ "[limits]", "max_message", "-1k", MESSAGE_RANGE },
	{ "[limits]", "max_message", "", MESSAGE_RANGE },
	{ "[limits]", "max_message", "k", MESSAGE_RANGE },
	{ "[limits]", "max_message", "18446744073709551616", MESSAGE_RANGE },
	{ "[limits]", "max_message", "18014398509481985k", MESSAGE_RANGE },
	{ "[limits]", "ping_interval", "10",
	  "ping_interval needs a unit: ms, s, m or h" },
	{ "[limits]", "ping_interval", "25h", PING_RANGE },
	{ "[limits]", "ping_interval", "1d", PING_RANGE },
	{ "[limits]", "ping_interval", "1.5s", PING_RANGE },
	{ "[limits]", "pong_timeout", "0",
	  "pong_timeout must be a time from 1ms to 1h, such as 20s" },
	{ "[limits]", "max_depth", "0x10",
	  "max_depth must be a number from 1 to 512" },
	{ "[gateway]", "workers", "0", WORKERS },
	{ "[gateway]", "workers", "257", WORKERS },
	{ "[gateway]", "workers", "core", WORKERS },
	{ "[gateway]", "backend", "htp",
	  "backend must be http, store; did you mean \"http\"?" },
	{ "[store]", "admin", "C Admin", "admin must have no spaces" },
	{ "[store]", "cse_id", "id-in",
	  "cse_id must be a CSE-ID, such as /id-in" },
	{ "[store]", "max_instances", "0",
	  "max_instances must be a number from 1 to 1000000000" },
	{ "[log]", "access", "maybe", "access must be yes or no" },
	{ "[log]", "format", "syslog",
	  "format must be auto, logfmt, json, journal" },
	{ "[listener \"b\"]", "listen", "8180", LISTEN },
	{ "[listener \"b\"]", "listen", "localhost:8180", LISTEN },
	{ "[listener \"b\"]", "listen", "127.0.0.1:65536", LISTEN },
	{ "[listener \"main\"]", "default_subprotocol", "onem2m.json",
	  "default_subprotocol must be none, oneM2M.json, oneM2M.xml, "
	  "oneM2M.cbor; "
	  "did you mean \"oneM2M.json\"?" },
	{ "[listener \"main\"]", "path", "ws", PATH },
	{ "[listener \"main\"]", "path", "/a?b", PATH },
	{ "[listener \"main\"]", "path", "/a#b", PATH },
	{ "[listener \"main\"]", "path", "/a b", PATH },
	{ "[listener \"main\"]", "path", "/\xc3\xa9", PATH },
	{ "[listener \"main\"]", "origins", "https://a.example/", ORIGINS },
	{ "[listener \"main\"]", "origins", "a.example", ORIGINS },
	{ "[listener \"main\"]", "origins", "https:a.example", ORIGINS },
	{ "[listener \"main\"]", "origins", "://a.example", ORIGINS },
	{ "[listener \"main\"]", "origins", "https://", ORIGINS },
	{ "[listener \"main\"]", "origins", "https://\xc3\xa9", ORIGINS },
	{ "[upstream \"cse\"]", "pipeline", "2",
	  "pipeline other than 1 is not available yet" },
	{ "[upstream \"cse\"]", "cse_id", "id-in", CSE_ID },
	{ "[upstream \"cse\"]", "cse_id", "/", CSE_ID },
	{ "[upstream \"cse\"]", "cse_id", "/id in", CSE_ID },
	{ "[upstream \"cse\"]", "cse_id", "/id-in/cse-in", CSE_ID },
	{ "[upstream \"cse\"]", "cse_id", "//sp.example", CSE_ID },
	{ "[upstream \"cse\"]", "cse_id", "///id-in", CSE_ID },
	{ "[upstream \"cse\"]", "cse_id", "//s p/id-in", CSE_ID },
};

START_TEST(test_refused)
{
	const char *key = refused[_i].key, *value = refused[_i].value;
	char want[4096];
	struct loaded l;

	load_line(&l, refused[_i].section, key, value);
	ck_assert_msg(l.err == ERR_PROTO, "%s = %s", key, value);
	snprintf(want, sizeof(want), "t.conf:8:%zu: %s\n%s = %s\n%*s^\n",
		 strlen(key) + 4, refused[_i].why, key, value,
		 (int)strlen(key) + 3, "");
	if (strcmp(key, "listen") == 0)		/* nothing else is wrong */
		ck_assert_str_eq(l.diag, want);
	else
		ck_assert_msg(strncmp(l.diag, want, strlen(want)) == 0,
			      "%s is not %s", l.diag, want);
	loaded_free(&l);
}
END_TEST

#define NOTHING NULL, 0, NULL, NULL, NULL
#define SYNTAX  "must be http(s)://HOST[:PORT][/BASE] or unix:/PATH"
#define PORT    "has no port from 1 to 65535"
#define V6      "has no IPv6 address in its brackets"
#define CODED   "has a path with characters that must be percent-encoded"
#define NAME64 \
	"0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *url;
	const char *host;
	unsigned port;
	const char *unix_path, *base, *authority;
	const char *why;
} urls[] = {
	{ "http://cse", "cse", 80, NULL, "", "cse", NULL },
	{ "HTTP://cse.example.org:80/", "cse.example.org", 80, NULL, "",
	  "cse.example.org", NULL },
	{ "http://127.0.0.1:8080", "127.0.0.1", 8080, NULL, "",
	  "127.0.0.1:8080", NULL },
	{ "http://[2001:db8::1]", "2001:db8::1", 80, NULL, "",
	  "[2001:db8::1]", NULL },
	{ "http://[::1]:8080/a/b//", "::1", 8080, NULL, "/a/b", "[::1]:8080",
	  NULL },
	{ "http://cse:65535/a%20b", "cse", 65535, NULL, "/a%20b", "cse:65535",
	  NULL },
	{ "unix:/run/cse.sock", NULL, 0, "/run/cse.sock", "", "localhost",
	  NULL },
	{ "https://cse", "cse", 443, NULL, "", "cse", NULL },
	{ "HTTPS://[::1]:80/a/", "::1", 80, NULL, "/a", "[::1]:80", NULL },
	{ "https://cse:0", NOTHING, PORT },
	{ "", NOTHING, SYNTAX },
	{ "cse:8080", NOTHING, SYNTAX },
	{ "ftp://cse", NOTHING, SYNTAX },
	{ "http://", NOTHING, SYNTAX },
	{ "http:///base", NOTHING, SYNTAX },
	{ "http://:8080", NOTHING, SYNTAX },
	{ "http://a b/", NOTHING, SYNTAX },
	{ "http://\xc3\xa9/", NOTHING, SYNTAX },
	{ "http://" NAME64 NAME64 NAME64 NAME64, NOTHING, SYNTAX },
	{ "http://[::1]8080", NOTHING, SYNTAX },
	{ "http://[::1", NOTHING, V6 },
	{ "http://[", NOTHING, V6 },
	{ "http://[127.0.0.1]", NOTHING, V6 },
	{ "http://[fe80::1%25lo]", NOTHING, V6 },
	{ "http://[" NAME64 "]", NOTHING, V6 },
	{ "http://cse:", NOTHING, PORT },
	{ "http://cse:0", NOTHING, PORT },
	{ "http://cse:65536", NOTHING, PORT },
	{ "http://cse:http", NOTHING, PORT },
	{ "http://[::1]:", NOTHING, PORT },
	{ "http://user@cse/", NOTHING, "must not hold a user or a password" },
	{ "http://u:p@cse/", NOTHING, "must not hold a user or a password" },
	{ "http://cse/?a", NOTHING, "must not have a query or a fragment" },
	{ "http://cse#a", NOTHING, "must not have a query or a fragment" },
	{ "http://cse/a b", NOTHING, CODED },
	{ "http://cse/%2", NOTHING, CODED },
	{ "http://cse/%g0", NOTHING, CODED },
	{ "http://cse/%0g", NOTHING, CODED },
	{ "http://cse/\xc3\xa9", NOTHING, CODED },
	{ "unix:", NOTHING,
	  "must name an absolute path, as in unix:/run/cse.sock" },
	{ "unix:/", NOTHING,
	  "must name an absolute path, as in unix:/run/cse.sock" },
	{ "unix:run/cse.sock", NOTHING,
	  "must name an absolute path, as in unix:/run/cse.sock" },
	{ "unix:/" NAME64 NAME64, NOTHING,
	  "names a path too long for a socket" },
};

static void check_text(const char *got, const char *want)
{
	if (want == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_str_eq(got, want);
}

START_TEST(test_url)
{
	const char *const overrides[] = { "listener.a.listen=*:0",
					  "auth.mode=open" };
	const struct upstream_conf *u;
	const char *all[4] = { overrides[0], overrides[1] };
	char option[1024], ca_option[128];
	size_t count = 3;
	struct tls_file ca;
	struct loaded l;
	FILE *diag = loaded_diag(&l);

	snprintf(option, sizeof(option), "upstream.cse.url=%s", urls[_i].url);
	all[2] = option;
	tls_file_write(&ca, EC256_CERT);
	if (strncasecmp(urls[_i].url, "https:", 6) == 0) {
		snprintf(ca_option, sizeof(ca_option),
			 "upstream.cse.ca_file=%s", ca.path);
		all[count++] = ca_option;
	}
	l.err = config_load(&l.conf, NULL, all, count, diag);
	unlink(ca.path);
	loaded_check(&l);
	if (urls[_i].why != NULL) {
		char want[512];

		snprintf(want, sizeof(want),
			 "-o upstream.cse.url=...:1:18: url %s\n",
			 urls[_i].why);
		ck_assert_msg(strncmp(l.diag, want, strlen(want)) == 0,
			      "%s: %s", urls[_i].url, l.diag);
		loaded_free(&l);
		return;
	}
	ck_assert_msg(l.err == 0, "%s", l.diag);
	u = l.conf->gateway.upstreams;
	ck_assert(str_eq(u->url, str_of(urls[_i].url)));
	ck_assert(u->tls == (strncasecmp(urls[_i].url, "https:", 6) == 0));
	check_text(u->host, urls[_i].host);
	ck_assert_uint_eq(u->port, urls[_i].port);
	check_text(u->unix_path, urls[_i].unix_path);
	check_text(u->base, urls[_i].base);
	check_text(u->authority, urls[_i].authority);
	loaded_free(&l);
}
END_TEST

/* An override may change the kind of the upstream. */
START_TEST(test_url_replaced)
{
	const char *const overrides[] = {
		"listener.a.listen=*:0", "auth.mode=open",
		"upstream.cse.url=http://cse/base",
		"upstream.cse.url=unix:/run/cse",
		"upstream.cse.cse_id=//sp.example/id-in",
	};
	struct loaded l;
	FILE *diag = loaded_diag(&l);

	l.err = config_load(&l.conf, NULL, overrides, 5, diag);
	loaded_check(&l);
	ck_assert_int_eq(l.err, 0);
	ck_assert_ptr_null(l.conf->gateway.upstreams->host);
	ck_assert_str_eq(l.conf->gateway.upstreams->base, "");
	ck_assert_str_eq(l.conf->gateway.upstreams->unix_path, "/run/cse");
	ck_assert_str_eq(l.conf->gateway.upstreams->cse_id,
			 "//sp.example/id-in");
	loaded_free(&l);
}
END_TEST

START_TEST(test_origins)
{
	const struct ws_handshake_conf *h;
	struct loaded l;

	load_line(&l, "[listener \"main\"]", "origins",
		  "https://a.example, http://[::1]:8000\tnull,,*,");
	ck_assert_msg(l.err == 0, "%s", l.diag);
	h = &l.conf->gateway.listeners[0].handshake;
	ck_assert_uint_eq(h->origin_count, 4);
	ck_assert(str_eq(h->origins[0], STR("https://a.example")));
	ck_assert(str_eq(h->origins[1], STR("http://[::1]:8000")));
	ck_assert(str_eq(h->origins[2], STR("null")));
	ck_assert(str_eq(h->origins[3], STR("*")));
	loaded_free(&l);

	load_line(&l, "[listener \"main\"]", "default_subprotocol",
		  "oneM2M.json");
	ck_assert_int_eq(
		l.conf->gateway.listeners[0].handshake.default_format,
		FORMAT_JSON);
	loaded_free(&l);
}
END_TEST

/* The row of every default must pass its own check, or say "not yet". */
START_TEST(test_presets)
{
	struct config_store st = { 0 };
	union {
		struct config config;
		struct gateway_listener_conf listener;
		struct upstream_conf upstream;
	} fields = { 0 };

	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];
		char why[CONFIG_WHY_MAX];
		bool ok = o->preset == NULL ||
			  config_value_set(&st, o, &fields, o->preset, why);

		ck_assert_msg(ok || strstr(why, "not available yet"), "%s: %s",
			      o->key, ok ? "" : why);
	}
	while (!SLIST_EMPTY(&st.memory)) {
		struct config_memory *m = SLIST_FIRST(&st.memory);

		SLIST_REMOVE_HEAD(&st.memory, link);
		free(m);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_value");
	TCase *tc = tcase_create("config_value");

	tcase_add_loop_test(tc, test_number, 0, ARRAY_LEN(numbers));
	tcase_add_loop_test(tc, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, test_url, 0, ARRAY_LEN(urls));
	tcase_add_test(tc, test_url_replaced);
	tcase_add_test(tc, test_origins);
	tcase_add_test(tc, test_presets);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
