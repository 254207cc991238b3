#include <netinet/in.h>
#include <uv.h>

#include "base/clock.h"
#include "config_priv.h"

#define WORKERS_MAX 256

#define STORE_TIMEOUT_MS  30000
#define STORE_IDLE_MS     60000
#define STORE_LIFETIME_S  (5 * 365 * UINT64_C(86400))
#define STORE_MAX_RESULTS 1000
#define STORE_READERS     2
#define STORE_MAX_WAITING (64u << 20)

/* Towards those that it notifies. */
#define TARGET_CONNECTIONS	  256
#define TARGET_CONNECT_TIMEOUT_MS 3000
#define TARGET_KEEPALIVE_MS	  4000
#define TARGET_MAX_WAITING	  (16u << 20)
#define TARGET_MAX_ANSWER	  (1u << 20)
#define POLL_MS			  60000

/* Options that were not given. */
static void set_defaults(struct config_load *l, struct config_instance *inst)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];
		char why[CONFIG_WHY_MAX];

		if (strcmp(o->section, inst->section->name) != 0 ||
		    inst->slots[i].text != NULL || inst->has_errors)
			continue;
		if (o->preset == NULL)
			config_report(l, &inst->place,
				      "[%s \"%s\"] needs the key \"%s\"",
				      o->section, inst->name, o->key);
		else if (config_value_set(l->store, o, inst->fields, o->preset,
					  why))
			continue;
		else if (why[0] == '\0')
			l->err = UV_ENOMEM;
		else
			config_report(l, &inst->place, "[%s] %s %s", o->section,
				      o->key, why);
	}
}

/* Port 0 is a new port each time. */
static bool same_address(const struct sockaddr_storage *a,
			 const struct sockaddr_storage *b)
{
	const struct sockaddr_in *in = (const void *)a;

	return memcmp(a, b, sizeof(*a)) == 0 && in->sin_port != 0;
}

static bool is(const struct config_instance *i, const char *section)
{
	return strcmp(i->section->name, section) == 0;
}

const struct config_place *config_place_of(const struct config_instance *inst,
					   const char *key)
{
	const struct config_option *o =
		config_find_option(inst->section->name, str_of(key));

	return &inst->slots[o - config_options].place;
}

/* Two listeners on one address would each get a part of the connections,
 * since workers share addresses (SO_REUSEPORT). */
static void check_address(struct config_load *l, struct config_instance *inst)
{
	const struct gateway_listener_conf *conf = inst->fields, *other;
	struct config_instance *i;

	STAILQ_FOREACH(i, &l->store->instances, link) {
		if (i == inst)
			return;
		other = i->fields;
		if (!is(i, "listener") || conf->addr.ss_family == 0 ||
		    !same_address(&conf->addr, &other->addr))
			continue;
		config_report(l, config_place_of(inst, "listen"),
			      "[listener \"%s\"] listens there already",
			      i->name);
		return;
	}
}

/* Whoever may name anybody gets round the limits per peer, so nobody may
 * unless he is listed. */
static void check_proxy(struct config_load *l, struct config_instance *inst)
{
	const struct gateway_listener_conf *conf = inst->fields;
	bool listed = conf->proxy_from.count > 0;

	if (inst->has_errors || conf->proxy_protocol == listed)
		return;
	if (listed)
		config_report(l, config_place_of(inst, "proxy_from"),
			      "[listener \"%s\"] proxy_from needs "
			      "proxy_protocol = yes", inst->name);
	else
		config_report(l, config_place_of(inst, "proxy_protocol"),
			      "[listener \"%s\"] proxy_protocol needs "
			      "proxy_from", inst->name);
}

/* Each that there is a codec for. */
static unsigned all_formats(void)
{
	static const enum prim_format formats[] = {
		FORMAT_JSON, FORMAT_XML, FORMAT_CBOR,
	};
	unsigned all = 0;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (codec_of(formats[i]) != NULL)
			all |= 1u << formats[i];
	return all;
}

static void gather_listeners(struct config_load *l, size_t count)
{
	struct gateway_listener_conf *list =
		config_alloc(l->store, count * sizeof(*list));
	struct config_instance *i;

	if (list == NULL) {
		l->err = UV_ENOMEM;
		return;
	}
	l->conf->gateway.listeners = list;
	l->conf->gateway.listener_count = count;
	STAILQ_FOREACH(i, &l->store->instances, link) {
		if (!is(i, "listener"))
			continue;
		*list = *(struct gateway_listener_conf *)i->fields;
		list->name = i->name;
		list->handshake.formats = all_formats();
		list++;
	}
}

/* They are one CSE, for which one timeout has to do. */
static void take_upstream(struct config_load *l, struct config_instance *inst,
			  struct upstream_conf *list)
{
	struct gateway_conf *gw = &l->conf->gateway;
	struct upstream_conf *u = &list[gw->upstream_count];
	const struct config_place *at;

	if (gw->upstream_count == UPSTREAMS_MAX) {
		config_report(l, &inst->place, "is one [upstream] too many");
		return;
	}
	*u = *(struct upstream_conf *)inst->fields;
	u->name = inst->name;
	gw->upstream_count++;
	if (inst->has_errors || u->cse_id == NULL || list->cse_id == NULL)
		return;		/* reported already */
	at = config_place_of(inst, "cse_id");
	if (strcmp(u->cse_id, list->cse_id) != 0)
		config_report(l, u->cse_id[0] != '\0' ? at : &inst->place,
			      "[upstream \"%s\"] cse_id differs from that of "
			      "[upstream \"%s\"]", u->name, list->name);
	if (u->timeout_ms > gw->timeout_ms)
		gw->timeout_ms = u->timeout_ms;
}

static void gather_upstreams(struct config_load *l)
{
	struct upstream_conf *list =
		config_alloc(l->store, UPSTREAMS_MAX * sizeof(*list));
	struct config_instance *i;

	if (list == NULL) {
		l->err = UV_ENOMEM;
		return;
	}
	l->conf->gateway.upstreams = list;
	STAILQ_FOREACH(i, &l->store->instances, link)
		if (is(i, "upstream"))
			take_upstream(l, i, list);
}

static void check_backend(struct config_load *l)
{
	struct gateway_conf *gw = &l->conf->gateway;

	if (gw->backend == BACKEND_HTTP && gw->upstream_count == 0)
		config_report(l, NULL, "needs an [upstream \"NAME\"] section");
	if (gw->backend == BACKEND_STORE && !gw->has_store)
		config_report(l, NULL, "backend = store needs [store] path");
	if (gw->mca.addr.ss_family != 0 && !gw->has_store)
		config_report(l, NULL, "[store] http_listen needs path");
}

/* ---- the reverse channel ---- */

#define NOTIFY_IDLE_MS    60000
#define STATE_MAX_WAITING (64u << 20)

/* "": none; a section with errors has no defaults. */
static const char *cse_id_of(const struct gateway_conf *gw)
{
	const char *id = NULL;

	if (gw->backend == BACKEND_STORE)
		id = gw->store.store.cse_id;
	else if (gw->upstream_count > 0)
		id = gw->upstreams->cse_id;
	return id != NULL ? id : "";
}

/* The address that it listens on, where others can call that. */
static const char *default_advertise(struct config_load *l)
{
	const struct sockaddr_storage *addr = &l->conf->gateway.notify.addr;
	const struct sockaddr_in *in = (const void *)addr;
	const struct sockaddr_in6 *in6 = (const void *)addr;
	bool any = addr->ss_family == AF_INET ?
			   in->sin_addr.s_addr == INADDR_ANY :
			   IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
	char space[64];

	return any ? NULL :
		     config_keep(l->store,
				 addr_text((const struct sockaddr *)addr,
					   space, sizeof(space)));
}

static void set_prefix(struct config_load *l)
{
	struct notify_conf *notify = &l->conf->gateway.notify;
	struct buf text = { 0 };
	char *kept;

	buf_add_str(&text, notify->tls ? STR("https://") : STR("http://"));
	buf_add_str(&text, str_of(notify->advertise));
	buf_add_lit(&text, "/r/");
	kept = text.failed ? NULL : config_keep(l->store, buf_str(&text));
	if (kept == NULL)
		l->err = UV_ENOMEM;
	else
		notify->prefix = str_of(kept);
	buf_deinit(&text);
}

static void check_notify(struct config_load *l)
{
	struct gateway_conf *gw = &l->conf->gateway;
	struct notify_conf *notify = &gw->notify;
	struct upstream_conf probe = { 0 };
	char url[CONFIG_VALUE_MAX + 16];

	if (notify->addr.ss_family == 0 || notify->advertise == NULL)
		return;		/* none, or reported already */
	if (notify->advertise[0] == '\0')
		notify->advertise = default_advertise(l);
	if (notify->advertise == NULL) {
		config_report(l, NULL, "[notify] listen on every address "
				       "needs advertise = HOST:PORT");
		return;
	}
	snprintf(url, sizeof(url), "http://%s", notify->advertise);
	if (config_url_parse(l->store, &probe, url) != NULL ||
	    strchr(notify->advertise, '/') != NULL)
		config_report(l, NULL, "[notify] advertise must be HOST:PORT");
	else
		set_prefix(l);
}

/* What of it follows from other sections. */
static void fill_notify(struct config_load *l)
{
	struct gateway_conf *gw = &l->conf->gateway;
	struct notify_conf *notify = &gw->notify;

	if (!entity_home_init(&gw->home, str_of(cse_id_of(gw)), STR("")))
		gw->home = (struct entity_home){ 0 };
	notify->originator = cse_id_of(gw)[0] != '\0' ? cse_id_of(gw) : "/-";
	notify->release =
		gw->upstream_count > 0 ? gw->upstreams->release : "3";
	/* a CSE takes an answer without rsc for anything */
	notify->http.refusal = STR("X-M2M-RSC: 4000\r\n");
	notify->http.limits.max_head = gw->max_head;
	notify->http.limits.max_headers = gw->max_headers;
	/* what no session's queue can hold would wait, or be stored, in vain;
	 * an eighth is for what surrounds the content */
	notify->http.limits.max_body = gw->max_queue - gw->max_queue / 8;
	if (notify->http.limits.max_body > gw->ws.max_message)
		notify->http.limits.max_body = gw->ws.max_message;
	notify->http.head_timeout_ms = gw->ws.message_timeout_ms;
	notify->http.idle_timeout_ms = NOTIFY_IDLE_MS;
	gw->state.max_waiting = STATE_MAX_WAITING;
	gw->state.now_ms = clock_wall_ms;
	if (gw->state.dir != NULL && gw->state.dir[0] == '\0')
		gw->state.dir = NULL;
}

static void fill_delivery(struct gateway_conf *gw)
{
	struct mca_client_conf *client = &gw->delivery.client;

	gw->delivery.poll_ms = POLL_MS;
	client->connections = TARGET_CONNECTIONS;
	client->connect_timeout_ms = TARGET_CONNECT_TIMEOUT_MS;
	client->keepalive_ms = TARGET_KEEPALIVE_MS;
	client->max_waiting = TARGET_MAX_WAITING;
	client->max_answer = TARGET_MAX_ANSWER;
	client->codec = gw->codec;
	gw->store.max_leaving = gw->delivery.max_memory;
}

/* What the embedded CSE takes over from [limits]. */
static void fill_store(struct gateway_conf *gw)
{
	if (gw->upstream_count == 0)
		gw->timeout_ms = STORE_TIMEOUT_MS;
	gw->has_store = gw->store.store.path != NULL &&
			gw->store.store.path[0] != '\0';
	gw->store.store.codec = gw->codec;
	gw->store.store.default_lifetime_s = STORE_LIFETIME_S;
	gw->store.store.max_results = STORE_MAX_RESULTS;
	gw->store.readers = STORE_READERS;
	gw->store.max_waiting = STORE_MAX_WAITING;
	gw->mca.http.refusal = STR("X-M2M-RSC: 4000\r\n");
	gw->mca.http.limits.max_head = gw->max_head;
	gw->mca.http.limits.max_headers = gw->max_headers;
	gw->mca.http.limits.max_body = gw->ws.max_message;
	gw->mca.http.head_timeout_ms = gw->ws.message_timeout_ms;
	gw->mca.http.idle_timeout_ms = STORE_IDLE_MS;
	gw->mca.map.codec = gw->codec;
	gw->mca.max_queue = gw->max_queue;
	fill_delivery(gw);
}

static void check_auth(struct config_load *l)
{
	struct gateway_conf *gw = &l->conf->gateway;
	const char *path = gw->originators_file;

	if (path == NULL)
		return;		/* reported already */
	if (path[0] != '\0')
		config_read_originators(l, path);
	else if (gw->auth == AUTH_CREDENTIAL)
		config_report(l, NULL, "[auth] mode = credential needs "
				       "originators_file");
}

static bool is_loopback(const struct sockaddr_storage *addr)
{
	struct addr_net list[2];
	struct addr_nets nets = { list, ARRAY_LEN(list) };

	return addr_net_parse(&list[0], STR("127.0.0.0/8")) == 0 &&
	       addr_net_parse(&list[1], STR("::1")) == 0 &&
	       addr_nets_have(&nets, (const struct sockaddr *)addr);
}

/* A page in which anybody may send requests is not offered to a network by
 * mistake. */
static void check_console(struct config_load *l, struct config_instance *inst)
{
	const struct admin_conf *conf = &l->conf->admin;

	if (inst->has_errors || conf->console == ADMIN_CONSOLE_NONE)
		return;
	if (conf->addr.ss_family == 0)
		config_report(l, config_place_of(inst, "console"),
			      "[admin] console needs listen");
	else if (conf->console == ADMIN_CONSOLE_LOCAL &&
		 !is_loopback(&conf->addr))
		config_report(l, config_place_of(inst, "listen"),
			      "[admin] listen is not on a loopback address: "
			      "console = anywhere allows that");
}

static void check_sections(struct config_load *l)
{
	struct config_instance *i;
	size_t listeners = 0;

	STAILQ_FOREACH(i, &l->store->instances, link) {
		if (is(i, "listener")) {
			listeners++;
			check_address(l, i);
			config_check_listener_tls(l, i);
			check_proxy(l, i);
		} else if (is(i, "admin")) {
			check_console(l, i);
		} else if (is(i, "upstream")) {
			config_check_upstream_tls(l, i);
		} else if (is(i, "notify")) {
			config_check_notify_tls(l, i);
		}
	}
	gather_listeners(l, listeners);
	gather_upstreams(l);
	fill_store(&l->conf->gateway);
	fill_notify(l);
	if (l->has_bad_section)
		return;
	if (listeners == 0)
		config_report(l, NULL, "needs a [listener \"NAME\"] section");
	check_backend(l);
	check_notify(l);
	check_auth(l);
}

static unsigned cores(void)
{
	unsigned n = uv_available_parallelism();

	return n < WORKERS_MAX ? n : WORKERS_MAX;
}

void config_finish(struct config_load *l)
{
	struct gateway_conf *gw = &l->conf->gateway;
	struct config_instance *i;

	STAILQ_FOREACH(i, &l->store->instances, link)
		set_defaults(l, i);
	check_sections(l);
	if (gw->workers == 0)
		gw->workers = cores();
}
