#include "config_priv.h"

/*
 * The one place that knows which options exist. conf/m2mwsd.conf and
 * m2mwsd.conf(5) tell the same; scripts/check-options compares them.
 */
#define FIELD(type, member) \
	offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define TOP(member)      FIELD(config, member)
#define GATEWAY(member)  FIELD(config, gateway.member)
#define LISTENER(member) FIELD(gateway_listener_conf, member)
#define UPSTREAM(member) FIELD(upstream_conf, member)
#define NO_FIELD         0, 0
#define WHOLE            0, 0

#define KB   UINT64_C(1024)
#define MB   (1024 * KB)
#define GB   (1024 * MB)
#define MS   UINT64_C(1)
#define SEC  (1000 * MS)
#define HOUR (3600 * SEC)

static const struct config_word backends[] = {
	{ "http", BACKEND_HTTP },
	{ "store", BACKEND_STORE },
	{ 0 },
};

static const struct config_word all_cores[] = {
	{ "cores", 0 },
	{ 0 },
};

static const struct config_word subprotocols[] = {
	{ "none", -1 },
	{ "oneM2M.json", FORMAT_JSON },
	{ "oneM2M.xml", FORMAT_XML },
	{ "oneM2M.cbor", FORMAT_CBOR },
	{ 0 },
};

static const struct config_word client_certs[] = {
	{ "none", TLS_CLIENT_NONE },
	{ "optional", TLS_CLIENT_OPTIONAL },
	{ "required", TLS_CLIENT_REQUIRED },
	{ 0 },
};

static const struct config_word serializations[] = {
	{ "json", FORMAT_JSON },
	{ "xml", FORMAT_XML },
	{ "cbor", FORMAT_CBOR },
	{ 0 },
};

static const struct config_word auth_modes[] = {
	{ "registered", AUTH_REGISTERED },
	{ "open", AUTH_OPEN },
	{ "credential", AUTH_CREDENTIAL },
	{ 0 },
};

static const struct config_word offline_policies[] = {
	{ "hold", OFFLINE_HOLD },
	{ "store", OFFLINE_STORE },
	{ "reject", OFFLINE_REJECT },
	{ 0 },
};

static const struct config_word overflows[] = {
	{ "oldest", INBOX_OLDEST },
	{ "refuse", INBOX_REFUSE },
	{ 0 },
};

static const struct config_word levels[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ 0 },
};

static const struct config_word formats[] = {
	{ "auto", LOG_FORMAT_AUTO },
	{ "logfmt", LOG_FORMAT_LOGFMT },
	{ "json", LOG_FORMAT_JSON },
	{ "journal", LOG_FORMAT_JOURNAL },
	{ 0 },
};

static const struct config_word consoles[] = {
	{ "no", ADMIN_CONSOLE_NONE },
	{ "yes", ADMIN_CONSOLE_LOCAL },
	{ "anywhere", ADMIN_CONSOLE_ANYWHERE },
	{ 0 },
};

const struct config_section config_sections[] = {
	{ "gateway", false, 0, false },
	{ "listener", true, sizeof(struct gateway_listener_conf), true },
	{ "limits", false, 0, false },
	{ "upstream", true, sizeof(struct upstream_conf), true },
	{ "store", false, 0, false },
	{ "auth", false, 0, false },
	{ "notify", false, 0, false },
	{ "inbox", false, 0, false },
	{ "admin", false, 0, false },
	{ "log", false, 0, false },
};

const size_t config_section_count = ARRAY_LEN(config_sections);

/* section, key, type, field, min, max, default, help, words, live */
const struct config_option config_options[] = {
	{ "gateway", "backend", CONFIG_WORD, GATEWAY(backend), 0, 0, "http",
	  "what answers requests", backends, false },
	{ "gateway", "workers", CONFIG_COUNT, GATEWAY(workers), 1, 256, "cores",
	  "threads that serve", all_cores, false },
	{ "gateway", "state_dir", CONFIG_TEXT, GATEWAY(state.dir), 0, 0, "",
	  "what outlives the process is here", NULL, false },
	{ "gateway", "drain_timeout", CONFIG_DURATION,
	  GATEWAY(drain_timeout_ms), 0, HOUR, "10s",
	  "what is in flight may take this long at the end", NULL, true },

	{ "listener", "listen", CONFIG_ADDR, LISTENER(addr), 0, 0, NULL,
	  "address and port", NULL, true },
	{ "listener", "tls", CONFIG_BOOL, LISTENER(tls), 0, 0, "no",
	  "wss: instead of ws:", NULL, true },
	{ "listener", "cert_file", CONFIG_FILES, LISTENER(tls_conf.cert_file),
	  0, 0, "", "its certificates, each with those that vouch for it",
	  NULL, true },
	{ "listener", "key_file", CONFIG_FILES, LISTENER(tls_conf.key_file), 0,
	  0, "", "their private keys, in the same order", NULL, true },
	{ "listener", "client_ca_file", CONFIG_TEXT,
	  LISTENER(tls_conf.client_ca_file), 0, 0, "",
	  "those who vouch for clients", NULL, true },
	{ "listener", "crl_file", CONFIG_TEXT, LISTENER(tls_conf.crl_file), 0,
	  0, "", "clients that they no longer vouch for", NULL, true },
	{ "listener", "client_cert", CONFIG_WORD,
	  LISTENER(tls_conf.client_cert), 0, 0, "none",
	  "whether clients show a certificate", client_certs, true },
	{ "listener", "proxy_protocol", CONFIG_BOOL, LISTENER(proxy_protocol),
	  0, 0, "no", "a proxy in front tells whose each connection is",
	  NULL, true },
	{ "listener", "proxy_from", CONFIG_NETS, LISTENER(proxy_from), 0, 0, "",
	  "where such proxies connect from", NULL, true },
	{ "listener", "max_sessions", CONFIG_COUNT, LISTENER(max_sessions), 1,
	  10000000, "100000", "open WebSockets", NULL, true },
	{ "listener", "handshake_timeout", CONFIG_DURATION,
	  LISTENER(handshake_timeout_ms), MS, HOUR, "10s",
	  "from connection to upgrade", NULL, true },
	{ "listener", "default_subprotocol", CONFIG_WORD,
	  LISTENER(handshake.default_format), 0, 0, "none",
	  "for clients that offer none", subprotocols, true },
	{ "listener", "path", CONFIG_PATH, LISTENER(handshake.path), 0, 0, "",
	  "the only request target served", NULL, true },
	{ "listener", "origins", CONFIG_ORIGINS, LISTENER(handshake), 0, 0, "",
	  "web origins whose pages may connect", NULL, true },

	{ "limits", "sessions_per_ip", CONFIG_COUNT, GATEWAY(sessions_per_ip),
	  0, 10000000, "0", "connections of one address; 0: any number",
	  NULL, true },
	{ "limits", "handshake_rate", CONFIG_COUNT, GATEWAY(handshake_rate), 0,
	  1000000, "0", "connections a second of one address; 0: any", NULL,
	  true },
	{ "limits", "max_message", CONFIG_SIZE, GATEWAY(ws.max_message), KB,
	  64 * MB, "256k", "of one message from a client", NULL, true },
	{ "limits", "max_unfinished", CONFIG_SIZE,
	  GATEWAY(ws.max_unfinished), 64 * KB, 64 * GB, "64m",
	  "of messages that have not ended, in each worker", NULL, true },
	{ "limits", "max_fragments", CONFIG_COUNT, GATEWAY(ws.max_fragments), 1,
	  1000000, "1024", "frames of one message", NULL, true },
	{ "limits", "max_depth", CONFIG_COUNT, GATEWAY(codec.max_depth), 1, 512,
	  "64", "nesting in a primitive", NULL, true },
	{ "limits", "max_tokens", CONFIG_COUNT, GATEWAY(codec.max_tokens), 16,
	  16777216, "65536", "names and values in a primitive", NULL, true },
	{ "limits", "in_flight", CONFIG_COUNT, GATEWAY(in_flight), 1, 256, "32",
	  "requests of one session at the CSE", NULL, true },
	{ "limits", "max_queue", CONFIG_SIZE, GATEWAY(max_queue), 16 * KB, GB,
	  "1m", "what waits for one session", NULL, false },
	{ "limits", "ping_interval", CONFIG_DURATION,
	  GATEWAY(ws.ping_interval_ms), 0, 24 * HOUR, "25s",
	  "of silence before a Ping; 0: no Pings", NULL, true },
	{ "limits", "pong_timeout", CONFIG_DURATION,
	  GATEWAY(ws.pong_timeout_ms), MS, HOUR, "20s",
	  "a Pong may take this long", NULL, true },
	{ "limits", "message_timeout", CONFIG_DURATION,
	  GATEWAY(ws.message_timeout_ms), MS, HOUR, "30s",
	  "first to last octet of a message", NULL, true },
	{ "limits", "close_timeout", CONFIG_DURATION,
	  GATEWAY(ws.close_timeout_ms), MS, HOUR, "5s",
	  "the client's Close may take this long", NULL, true },
	{ "limits", "max_head", CONFIG_SIZE, GATEWAY(max_head), KB, MB, "16k",
	  "of an HTTP head", NULL, true },
	{ "limits", "max_headers", CONFIG_COUNT, GATEWAY(max_headers), 8, 1000,
	  "100", "lines of an HTTP head", NULL, true },
	{ "limits", "max_handshakes", CONFIG_COUNT, GATEWAY(max_handshakes), 1,
	  1000000, "1024", "of TLS, that wait for their turn", NULL, true },

	{ "limits", "max_entities", CONFIG_COUNT, GATEWAY(max_entities), 1,
	  65536, "256", "AEs that one session stands for", NULL, true },
	{ "limits", "max_registered", CONFIG_SIZE, GATEWAY(max_registered),
	  16 * KB, 64 * GB, "256m", "of what all registrations say",
	  NULL, true },
	{ "limits", "max_descendants", CONFIG_COUNT, GATEWAY(max_descendants),
	  0, 65536, "1024", "CSEs that one registered CSE announces",
	  NULL, true },

	{ "upstream", "url", CONFIG_URL, WHOLE, 0, 0, NULL,
	  "where the CSE listens", NULL, true },
	{ "upstream", "ca_file", CONFIG_TEXT, UPSTREAM(tls_conf.ca_file), 0, 0,
	  "", "who vouch for the CSE", NULL, true },
	{ "upstream", "cert_file", CONFIG_TEXT, UPSTREAM(tls_conf.cert_file), 0,
	  0, "", "our certificate towards the CSE", NULL, true },
	{ "upstream", "key_file", CONFIG_TEXT, UPSTREAM(tls_conf.key_file), 0,
	  0, "", "its private key", NULL, true },
	{ "upstream", "cse_id", CONFIG_CSE_ID, UPSTREAM(cse_id), 0, 0, "",
	  "CSE-ID of the CSE", NULL, false },
	{ "upstream", "release", CONFIG_TEXT, UPSTREAM(release), 0, 0, "3",
	  "rvi of requests from a CSE that sends none", NULL, false },
	{ "upstream", "serialization", CONFIG_WORD, UPSTREAM(format), 0, 0,
	  "json",
	  "of content towards the CSE", serializations, true },
	{ "upstream", "connections", CONFIG_COUNT, UPSTREAM(connections), 1,
	  65536, "64", "kept by each worker, at most", NULL, true },
	{ "upstream", "pipeline", CONFIG_COUNT, NO_FIELD, 1, 1, "1",
	  "requests on one connection at a time", NULL, false },
	{ "upstream", "connect_timeout", CONFIG_DURATION,
	  UPSTREAM(connect_timeout_ms), MS, HOUR, "3s",
	  "for a connection to be made", NULL, true },
	{ "upstream", "timeout", CONFIG_DURATION, UPSTREAM(timeout_ms), MS,
	  HOUR, "30s", "an answer may take this long", NULL, true },
	{ "upstream", "keepalive", CONFIG_DURATION, UPSTREAM(keepalive_ms), MS,
	  HOUR, "4s", "an idle connection is kept this long", NULL, true },
	{ "upstream", "max_waiting", CONFIG_SIZE, UPSTREAM(max_waiting), KB, GB,
	  "32m", "of requests that wait for a connection", NULL, true },
	{ "upstream", "max_answer", CONFIG_SIZE, UPSTREAM(max_answer), KB, GB,
	  "1m", "of an answer's content", NULL, true },
	{ "upstream", "weight", CONFIG_COUNT, UPSTREAM(weight), 1, 1000, "1",
	  "its share of the requests", NULL, true },
	{ "upstream", "backup", CONFIG_BOOL, UPSTREAM(backup), 0, 0, "no",
	  "only while no other one is up", NULL, true },
	{ "upstream", "health", CONFIG_PATH, UPSTREAM(health), 0, 0, "",
	  "path that is asked for to see whether it is up", NULL, true },
	{ "upstream", "health_interval", CONFIG_DURATION,
	  UPSTREAM(health_interval_ms), 100 * MS, HOUR, "5s",
	  "between two of that", NULL, true },
	{ "upstream", "slow_start", CONFIG_DURATION, UPSTREAM(slow_start_ms),
	  0, HOUR, "10s", "after it came back, until it has its whole share",
	  NULL, true },

	{ "store", "path", CONFIG_TEXT, GATEWAY(store.store.path), 0, 0, "",
	  "database of the embedded CSE", NULL, false },
	{ "store", "cse_id", CONFIG_CSE_ID, GATEWAY(store.store.cse_id), 0, 0,
	  "/id-in", "its CSE-ID", NULL, false },
	{ "store", "cse_name", CONFIG_TEXT, GATEWAY(store.store.cse_name), 0,
	  0, "cse-in", "resource name of its CSEBase", NULL, false },
	{ "store", "admin", CONFIG_TEXT, GATEWAY(store.store.admin), 0, 0,
	  "CAdmin", "originator that may do everything", NULL, false },
	{ "store", "http_listen", CONFIG_ADDR, GATEWAY(mca.addr), 0, 0, "",
	  "where it serves Mca over HTTP", NULL, false },
	{ "store", "max_connections", CONFIG_COUNT,
	  GATEWAY(mca.max_connections), 1, 1000000, "4096",
	  "there", NULL, false },
	{ "store", "max_instances", CONFIG_COUNT,
	  GATEWAY(store.store.max_instances), 1, 1000000000, "10000",
	  "of a container without mni", NULL, false },
	{ "store", "notify_timeout", CONFIG_DURATION,
	  GATEWAY(delivery.timeout_ms), MS, HOUR, "10s",
	  "whom it notifies or asks may take this long", NULL, false },
	{ "store", "notify_deny", CONFIG_NETS,
	  GATEWAY(delivery.client.deny), 0, 0,
	  "0.0.0.0/8 100.100.100.200 168.63.129.16 169.254.0.0/16 "
	  "192.0.0.0/24 224.0.0.0/3 :: 64:ff9b::a9fe:0/112 fd00:ec2::/32 "
	  "fd20:ce::254 fe80::/10 ff00::/8",
	  "addresses that it never notifies or asks", NULL, false },
	{ "store", "notify_servers", CONFIG_COUNT,
	  GATEWAY(delivery.client.authorities), 1, 65536, "4096",
	  "that it waits for at a time", NULL, false },
	{ "store", "notify_queue", CONFIG_SIZE, GATEWAY(delivery.max_queue),
	  KB, GB, "8m", "of notifications that wait for one target",
	  NULL, false },
	{ "store", "notify_memory", CONFIG_SIZE,
	  GATEWAY(delivery.max_memory), KB, 64 * GB, "64m",
	  "of those for all targets", NULL, false },
	{ "store", "max_pending", CONFIG_COUNT,
	  GATEWAY(delivery.max_pending), 1, 1000000, "10000",
	  "requests that wait for what others answer", NULL, false },

	{ "auth", "mode", CONFIG_WORD, GATEWAY(auth), 0, 0, "registered",
	  "who may send what", auth_modes, false },
	{ "auth", "reserved", CONFIG_TEXT, GATEWAY(reserved), 0, 0, "CAdmin",
	  "originators that need a credential", NULL, true },
	{ "auth", "originators_file", CONFIG_TEXT, GATEWAY(originators_file),
	  0, 0, "", "credentials, and who may be whom", NULL, true },

	{ "notify", "listen", CONFIG_ADDR, GATEWAY(notify.addr), 0, 0, "",
	  "where the CSE reaches entities", NULL, false },
	{ "notify", "tls", CONFIG_BOOL, GATEWAY(notify.tls), 0, 0, "no",
	  "https: instead of http:", NULL, false },
	{ "notify", "cert_file", CONFIG_FILES,
	  GATEWAY(notify.tls_conf.cert_file), 0, 0, "",
	  "its certificates, each with those that vouch for it", NULL, true },
	{ "notify", "key_file", CONFIG_FILES,
	  GATEWAY(notify.tls_conf.key_file), 0, 0, "",
	  "their private keys, in the same order", NULL, true },
	{ "notify", "client_ca_file", CONFIG_TEXT,
	  GATEWAY(notify.tls_conf.client_ca_file), 0, 0, "",
	  "those who vouch for the CSE", NULL, true },
	{ "notify", "crl_file", CONFIG_TEXT, GATEWAY(notify.tls_conf.crl_file),
	  0, 0, "", "certificates that they no longer vouch for", NULL, true },
	{ "notify", "client_cert", CONFIG_WORD,
	  GATEWAY(notify.tls_conf.client_cert), 0, 0, "none",
	  "whether the CSE shows a certificate", client_certs, true },
	{ "notify", "advertise", CONFIG_TEXT, GATEWAY(notify.advertise), 0, 0,
	  "", "HOST:PORT that the CSE calls", NULL, false },
	{ "notify", "allow", CONFIG_NETS, GATEWAY(notify.allow), 0, 0,
	  "127.0.0.0/8 ::1", "who may name entities by their ids",
	  NULL, true },
	{ "notify", "timeout", CONFIG_DURATION, GATEWAY(notify.timeout_ms), MS,
	  HOUR, "2s", "an entity's answer may take this long", NULL, true },
	{ "notify", "offline", CONFIG_WORD, GATEWAY(notify.offline), 0, 0,
	  "hold", "notifications for AEs that are away",
	  offline_policies, true },
	{ "notify", "offline_cse", CONFIG_WORD, GATEWAY(notify.offline_cse), 0,
	  0, "hold", "and for CSEs that are away", offline_policies, true },
	{ "notify", "in_flight", CONFIG_COUNT, GATEWAY(notify.in_flight), 1,
	  1024, "32", "requests that one session has not answered",
	  NULL, true },
	{ "notify", "max_connections", CONFIG_COUNT,
	  GATEWAY(notify.max_connections), 1, 1000000, "1024",
	  "of the CSE, to each worker", NULL, true },
	{ "notify", "max_held", CONFIG_SIZE, GATEWAY(notify.max_held), KB, GB,
	  "16m", "of requests that wait for entities", NULL, true },

	{ "inbox", "max_count", CONFIG_COUNT,
	  GATEWAY(state.inbox.max_count), 1, 1000000000, "1000",
	  "notifications stored for an entity", NULL, true },
	{ "inbox", "max_bytes", CONFIG_SIZE, GATEWAY(state.inbox.max_bytes), KB,
	  GB, "4m", "of an entity's stored notifications", NULL, true },
	{ "inbox", "max_total", CONFIG_SIZE,
	  GATEWAY(state.inbox.max_total_bytes), KB, 1024 * GB, "4g",
	  "of all that is stored", NULL, true },
	{ "inbox", "max_age", CONFIG_DURATION, GATEWAY(state.inbox.max_age_ms),
	  SEC, 365 * 24 * HOUR, "24h", "then a notification is dropped",
	  NULL, true },
	{ "inbox", "overflow", CONFIG_WORD, GATEWAY(state.inbox.overflow), 0, 0,
	  "oldest", "what gives way when it is full", overflows, true },

	{ "admin", "listen", CONFIG_ADDR, TOP(admin.addr), 0, 0, "",
	  "where operators see what goes on", NULL, false },
	{ "admin", "console", CONFIG_WORD, TOP(admin.console), 0, 0, "no",
	  "a page for browsers there", consoles, false },
	{ "admin", "socket", CONFIG_TEXT, TOP(admin.socket), 0, 0, "",
	  "where m2mwsctl sees and changes it", NULL, false },

	{ "log", "level", CONFIG_WORD, TOP(log.level), 0, 0, "info",
	  "the least important line that is written", levels, true },
	{ "log", "format", CONFIG_WORD, TOP(log.format), 0, 0, "auto",
	  "shape of a line", formats, false },
	{ "log", "access", CONFIG_BOOL, TOP(log.access), 0, 0, "yes",
	  "a line for each primitive", NULL, true },
};

const size_t config_option_count = ARRAY_LEN(config_options);

const struct config_section *config_find_section(struct str name)
{
	for (size_t i = 0; i < config_section_count; i++)
		if (str_eq(name, str_of(config_sections[i].name)))
			return &config_sections[i];
	return NULL;
}

const struct config_option *config_find_option(const char *section,
					       struct str key)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];

		if (strcmp(o->section, section) == 0 &&
		    str_eq(key, str_of(o->key)))
			return o;
	}
	return NULL;
}

void config_list(FILE *to)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];

		fprintf(to, "%s\t%s\t%s\n", o->section, o->key,
			o->preset == NULL    ? "required" :
			o->preset[0] == '\0' ? "empty" :
					       o->preset);
	}
}
