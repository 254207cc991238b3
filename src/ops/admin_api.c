#include <stdlib.h>

#include "admin_priv.h"
#include "base/log.h"
#include "config_priv.h"
#include "gateway/stats.h"
#include "ops/systemd.h"

/* ---- status ---- */

static const struct config_word *log_levels(void)
{
	return config_find_option("log", STR("level"))->words;
}

static const char *log_level_now(void)
{
	const struct config_word *w = log_levels();

	while (w[1].text != NULL && log_enabled((enum log_level)w[1].value))
		w++;
	return w->text;
}

/* name{label} as Prometheus has it, less what all have in common. */
static void set_counter(json_t *obj, const struct stat_info *info, uint64_t n)
{
	struct buf name = { 0 };

	buf_add_str(&name, str_of(info->name));
	if (info->label != NULL) {
		buf_add_char(&name, '{');
		buf_add_str(&name, str_of(info->label));
		buf_add_char(&name, '}');
	}
	buf_add_char(&name, '\0');
	if (!name.failed)
		admin_set_u64(obj, name.p, n);
	buf_deinit(&name);
}

static json_t *counters_of(const struct gateway_stats *s)
{
	json_t *obj = json_object();

	for (size_t i = 0; i < STAT_COUNT; i++)
		if (!stat_infos[i].now)
			set_counter(obj, &stat_infos[i], s->values[i]);
	return obj;
}

static json_t *upstream_of(const uint64_t *v)
{
	json_t *obj = json_object();

	admin_set_u64(obj, "up", v[STAT_UPSTREAM_UP]);
	admin_set_u64(obj, "open", v[STAT_UPSTREAM_OPEN]);
	admin_set_u64(obj, "idle", v[STAT_UPSTREAM_IDLE]);
	admin_set_u64(obj, "waiting", v[STAT_UPSTREAM_WAITING]);
	return obj;
}

static json_t *upstreams_of(const struct gateway_stats *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->upstream_count; i++) {
		const struct upstream_stats *u = &s->upstreams[i];
		json_t *obj = json_object();

		admin_set_str(obj, "name", str_of(u->name));
		admin_set_u64(obj, "up", u->values[UPSTREAM_STAT_WORKERS]);
		admin_set_u64(obj, "open",
			      u->values[UPSTREAM_STAT_CONNECTIONS]);
		admin_set_u64(obj, "pending", u->values[UPSTREAM_STAT_PENDING]);
		admin_set_u64(obj, "requests",
			      u->values[UPSTREAM_STAT_REQUESTS]);
		admin_set_u64(obj, "failures",
			      u->values[UPSTREAM_STAT_FAILURES]);
		admin_set_u64(obj, "moved", u->values[UPSTREAM_STAT_MOVED]);
		admin_set_u64(obj, "downs", u->values[UPSTREAM_STAT_DOWNS]);
		admin_set_u64(obj, "failed_probes",
			      u->values[UPSTREAM_STAT_FAILED_PROBES]);
		json_array_append_new(list, obj);
	}
	return list;
}

static json_t *inbox_of(const uint64_t *v)
{
	json_t *obj = json_object();

	admin_set_u64(obj, "items", v[STAT_INBOX_ITEMS]);
	admin_set_u64(obj, "octets", v[STAT_INBOX_OCTETS]);
	return obj;
}

static json_t *listeners_of(const struct gateway *gw)
{
	json_t *list = json_array();
	struct gateway_listener l;

	for (size_t i = 0; gateway_listener(&l, gw, i); i++) {
		json_t *obj = json_object();

		admin_set_str(obj, "name", str_of(l.name));
		admin_set_u64(obj, "port", l.port);
		json_object_set_new(obj, "tls", json_boolean(l.tls));
		json_array_append_new(list, obj);
	}
	return list;
}

static json_t *status_of(const struct admin *a, const struct gateway_stats *s)
{
	uint64_t now = reactor_now(gateway_reactor(a->gw));
	json_t *obj = json_object();

	admin_set_str(obj, "version", STR(M2MWSD_VERSION));
	admin_set_u64(obj, "uptime", (now - a->started_ms) / 1000);
	json_object_set_new(obj, "draining",
			    json_boolean(gateway_is_stopping(a->gw)));
	admin_set_u64(obj, "workers",
		      reloader_config(a->reloader)->gateway.workers);
	admin_set_str(obj, "log", str_of(log_level_now()));
	admin_set_u64(obj, "sessions", s->values[STAT_SESSIONS]);
	admin_set_u64(obj, "entities", s->values[STAT_ENTITIES]);
	admin_set_u64(obj, "online", s->values[STAT_ENTITIES_ONLINE]);
	json_object_set_new(obj, "listeners", listeners_of(a->gw));
	json_object_set_new(obj, "inbox", inbox_of(s->values));
	json_object_set_new(obj, "upstream", upstream_of(s->values));
	json_object_set_new(obj, "upstreams", upstreams_of(s));
	json_object_set_new(obj, "counters", counters_of(s));
	return obj;
}

static void on_collected(void *owner, const struct gateway_stats *s)
{
	struct admin_conn *c = owner;

	if (admin_is_back(c))
		admin_respond_json(c, 200, status_of(c->admin, s));
}

void admin_show_status(struct admin_conn *c)
{
	int err = gateway_collect(c->admin->gw, on_collected, c);

	if (err)
		admin_fail_err(c, err);
	else
		c->waits = true;
}

/* ---- configuration ---- */

void admin_show_config(struct admin_conn *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (to == NULL) {
		admin_fail_err(c, UV_ENOMEM);
		return;
	}
	config_dump(reloader_config(c->admin->reloader), to);
	if (fclose(to) == 0)
		admin_respond(c, 200, "text/plain", (struct str){ text, len });
	else
		admin_fail_err(c, UV_ENOMEM);
	free(text);
}

static json_t *lines_of(struct str text)
{
	json_t *list = json_array();
	struct str line;

	while (text.len > 0) {
		(void)str_cut(text, '\n', &line, &text);
		json_array_append_new(list, admin_json_str(line));
	}
	return list;
}

static void on_reloaded(struct reload_ask *ask,
			const struct reload_outcome *outcome)
{
	struct admin_conn *c = container_of(ask, struct admin_conn, reload);
	json_t *obj = json_object();

	json_object_set_new(obj, "ok", json_boolean(outcome->ok));
	json_object_set_new(obj, "errors", lines_of(outcome->errors));
	json_object_set_new(obj, "restart_needed",
			    lines_of(outcome->restart_needed));
	admin_respond_json(c, outcome->ok ? 200 : 409, obj);
}

void admin_reload(struct admin_conn *c)
{
	c->reload.on_done = on_reloaded;
	reloader_ask(c->admin->reloader, &c->reload);
}

static const struct config_word *find_level(struct str text)
{
	const struct config_word *w;

	for (w = log_levels(); w->text != NULL; w++)
		if (str_eq(text, str_of(w->text)))
			return w;
	return NULL;
}

void admin_set_log(struct admin_conn *c)
{
	struct log_conf conf = reloader_config(c->admin->reloader)->log;
	const struct config_word *w = NULL;
	struct buf space = { 0 };
	struct str text;

	if (admin_query(&text, &space, c, "level"))
		w = find_level(text);
	buf_deinit(&space);
	if (w == NULL) {
		admin_fail(c, 400, "level is error, warning, info or debug");
		return;
	}
	conf.level = (enum log_level)w->value;
	log_change(&conf);
	log_info("log_level", LOG_TEXT("level", w->text));
	admin_respond_json(c, 200, json_pack("{s:s}", "level", w->text));
}

/* ---- the end ---- */

/* Asking twice would end those who are being served. */
void admin_drain(struct admin_conn *c)
{
	struct gateway *gw = c->admin->gw;
	json_t *obj = json_object();

	if (!gateway_is_stopping(gw)) {
		log_info("drain", LOG_UINT("sessions", gateway_sessions(gw)));
		systemd_notify("STOPPING=1\nSTATUS=draining");
		gateway_stop(gw);
	}
	json_object_set_new(obj, "draining", json_true());
	admin_set_u64(obj, "sessions", gateway_sessions(gw));
	admin_respond_json(c, 202, obj);
}
