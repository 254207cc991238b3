#include <netinet/in.h>
#include <uv.h>

#include "config_priv.h"

#define WORKERS_MAX 256

#define STORE_TIMEOUT_MS  30000
#define STORE_IDLE_MS     60000
#define STORE_LIFETIME_S  (5 * 365 * UINT64_C(86400))
#define STORE_MAX_RESULTS 1000
#define STORE_READERS     2
#define STORE_MAX_WAITING (64u << 20)
#define STORE_MAX_LEAVING (64u << 20)

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

/* Two listeners on one address would each get a part of the connections,
 * since workers share addresses (SO_REUSEPORT). */
static void check_address(struct config_load *l, struct config_instance *inst)
{
	const struct config_option *o =
		config_find_option("listener", STR("listen"));
	const struct gateway_listener_conf *conf = inst->fields, *other;
	struct config_instance *i;

	STAILQ_FOREACH(i, &l->store->instances, link) {
		if (i == inst)
			return;
		other = i->fields;
		if (!is(i, "listener") || conf->addr.ss_family == 0 ||
		    !same_address(&conf->addr, &other->addr))
			continue;
		config_report(l, &inst->slots[o - config_options].place,
			      "[listener \"%s\"] listens there already",
			      i->name);
		return;
	}
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
		list->handshake.formats = 1u << FORMAT_JSON;
		list++;
	}
}

static void take_upstream(struct config_load *l, struct config_instance *inst)
{
	struct upstream_conf *u = inst->fields;

	u->name = inst->name;
	if (l->conf->gateway.upstream != NULL)
		config_report(l, &inst->place,
			      "several upstreams are not available yet");
	l->conf->gateway.upstream = u;
}

static void check_backend(struct config_load *l)
{
	struct gateway_conf *gw = &l->conf->gateway;

	if (gw->backend == BACKEND_HTTP && gw->upstream == NULL)
		config_report(l, NULL, "needs an [upstream \"NAME\"] section");
	if (gw->backend == BACKEND_STORE && !gw->has_store)
		config_report(l, NULL, "backend = store needs [store] path");
	if (gw->mca.addr.ss_family != 0 && !gw->has_store)
		config_report(l, NULL, "[store] http_listen needs path");
}

/* What the embedded CSE takes over from [limits]. */
static void fill_store(struct gateway_conf *gw)
{
	gw->timeout_ms = gw->upstream != NULL ? gw->upstream->timeout_ms :
						STORE_TIMEOUT_MS;
	gw->has_store = gw->store.store.path != NULL &&
			gw->store.store.path[0] != '\0';
	gw->store.store.codec = gw->codec;
	gw->store.store.default_lifetime_s = STORE_LIFETIME_S;
	gw->store.store.max_results = STORE_MAX_RESULTS;
	gw->store.readers = STORE_READERS;
	gw->store.max_waiting = STORE_MAX_WAITING;
	gw->store.max_leaving = STORE_MAX_LEAVING;
	gw->mca.http.limits.max_head = gw->max_head;
	gw->mca.http.limits.max_headers = gw->max_headers;
	gw->mca.http.limits.max_body = gw->ws.max_message;
	gw->mca.http.head_timeout_ms = gw->ws.message_timeout_ms;
	gw->mca.http.idle_timeout_ms = STORE_IDLE_MS;
	gw->mca.map.codec = gw->codec;
	gw->mca.max_queue = gw->max_queue;
}

static void check_sections(struct config_load *l)
{
	struct config_instance *i;
	size_t listeners = 0;

	STAILQ_FOREACH(i, &l->store->instances, link) {
		if (is(i, "listener")) {
			listeners++;
			check_address(l, i);
		} else if (is(i, "upstream")) {
			take_upstream(l, i);
		}
	}
	gather_listeners(l, listeners);
	fill_store(&l->conf->gateway);
	if (l->has_bad_section)
		return;
	if (listeners == 0)
		config_report(l, NULL, "needs a [listener \"NAME\"] section");
	check_backend(l);
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
