#include "ops/reload.h"

#include <stdlib.h>
#include <uv.h>

#include "base/log.h"

struct reloader {
	struct gateway *gw;			/* borrowed, as the next two */
	const struct config_origin *origin;
	const struct config *conf;		/* that it started with */
	struct config *current;			/* owned; of the last reload */
	struct config *next;			/* owned; under way */
	bool again;				/* asked for meanwhile */
	struct reload_asks asks;		/* of the one under way */
	struct reload_asks later;		/* of the one after it */
	struct buf errors, restarts;		/* lines, of this one */
	uint64_t count;				/* that succeeded */
};

static void add_line(struct buf *lines, struct str line)
{
	buf_add_str(lines, line);
	buf_add_char(lines, '\n');
}

static void fail(struct reloader *r, struct str why)
{
	log_error("reload_failed", LOG_STR("why", why));
	add_line(&r->errors, why);
}

static void fail_lines(struct reloader *r, struct str text)
{
	struct str line;

	while (text.len > 0) {
		str_cut(text, '\n', &line, &text);
		fail(r, line);
	}
}

/* NULL: logged. */
static struct config *load(struct reloader *r)
{
	const struct config_origin *o = r->origin;
	struct config *conf = NULL;
	char *said = NULL;
	size_t len = 0;
	FILE *diag = open_memstream(&said, &len);
	int err = UV_ENOMEM;

	if (diag != NULL) {
		err = config_load_again(&conf, o->file, o->overrides,
					o->override_count, diag);
		fclose(diag);
	}
	if (err && len > 0)
		fail_lines(r, (struct str){ said, len });
	else if (err)
		fail(r, str_of(err_text(err)));
	free(said);
	return err ? NULL : conf;
}

static void on_change(void *arg, struct str option)
{
	struct reloader *r = arg;

	log_warning("restart_needed", LOG_STR("option", option));
	add_line(&r->restarts, option);
}

/* A socket that the service manager opened stays where it is. */
static void compare_inherited(struct reloader *r,
			      const struct gateway_conf *next)
{
	char option[512];

	for (size_t i = 0; i < next->listener_count; i++) {
		const struct gateway_listener_conf *b = &next->listeners[i];
		const struct gateway_listener_conf *a =
			gateway_find_listener(&r->conf->gateway, b->name);

		if (a == NULL || !gateway_is_inherited(r->gw, b->name) ||
		    memcmp(&a->addr, &b->addr, sizeof(a->addr)) == 0)
			continue;
		snprintf(option, sizeof(option), "listener.%s.listen", b->name);
		on_change(r, str_of(option));
	}
}

/* Nobody asks again from within. */
static void tell(struct reloader *r, bool ok)
{
	const struct reload_outcome outcome = {
		.ok = ok,
		.errors = buf_str(&r->errors),
		.restart_needed = buf_str(&r->restarts),
	};
	struct reload_ask *ask;

	while ((ask = TAILQ_FIRST(&r->asks)) != NULL) {
		reload_ask_cancel(ask);
		ask->on_done(ask, &outcome);
	}
}

static void move_later(struct reloader *r)
{
	struct reload_ask *ask;

	while ((ask = TAILQ_FIRST(&r->later)) != NULL) {
		reload_ask_cancel(ask);
		ask->list = &r->asks;
		TAILQ_INSERT_TAIL(&r->asks, ask, link);
	}
}

static void on_done(void *owner)
{
	struct reloader *r = owner;

	config_destroy(r->current);
	r->current = r->next;
	r->next = NULL;
	log_info("reloaded", LOG_UINT("count", ++r->count));
	tell(r, true);
	if (r->again) {
		r->again = false;
		move_later(r);
		reloader_run(r);
	}
	log_flush();
}

/* Another mode would let in, or keep out, those who are here already; to
 * another CSE, nobody is registered. */
static bool is_possible(struct reloader *r, const struct config *next)
{
	const struct gateway_conf *a = &r->conf->gateway, *b = &next->gateway;

	if (b->auth != a->auth) {
		fail(r, STR("[auth] mode takes a restart"));
		return false;
	}
	if (a->upstream_count > 0 && b->upstream_count > 0 &&
	    strcmp(a->upstreams->cse_id, b->upstreams->cse_id) != 0) {
		fail(r, STR("[upstream] cse_id takes a restart"));
		return false;
	}
	return true;
}

/* False: it is over already, and changed nothing. */
static bool start(struct reloader *r)
{
	struct config *next = load(r);
	struct buf why = { 0 };
	int err;

	if (next == NULL)
		return false;
	if (!is_possible(r, next)) {
		config_destroy(next);
		return false;
	}
	err = gateway_reload(r->gw, &next->gateway, &why, on_done, r);
	if (err) {
		fail(r, why.len > 0 ? buf_str(&why) : str_of(err_text(err)));
		buf_deinit(&why);
		config_destroy(next);
		return false;
	}
	buf_deinit(&why);
	log_change(&next->log);
	config_compare(r->conf, next, on_change, r);
	compare_inherited(r, &next->gateway);
	r->next = next;
	return true;
}

void reloader_run(struct reloader *r)
{
	if (r->next != NULL) {
		r->again = true;
		return;
	}
	buf_clear(&r->errors);
	buf_clear(&r->restarts);
	if (!start(r))
		tell(r, false);
}

void reloader_ask(struct reloader *r, struct reload_ask *ask)
{
	ask->list = r->next != NULL ? &r->later : &r->asks;
	TAILQ_INSERT_TAIL(ask->list, ask, link);
	reloader_run(r);
}

void reload_ask_cancel(struct reload_ask *ask)
{
	if (ask->list != NULL)
		TAILQ_REMOVE(ask->list, ask, link);
	ask->list = NULL;
}

const struct config *reloader_config(const struct reloader *r)
{
	return r->current != NULL ? r->current : r->conf;
}

int reloader_create(struct reloader **out, struct gateway *gw,
		    const struct config_origin *origin,
		    const struct config *conf)
{
	struct reloader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return UV_ENOMEM;
	r->gw = gw;
	r->origin = origin;
	r->conf = conf;
	TAILQ_INIT(&r->asks);
	TAILQ_INIT(&r->later);
	*out = r;
	return 0;
}

void reloader_destroy(struct reloader *r)
{
	if (r == NULL)
		return;
	config_destroy(r->current);
	config_destroy(r->next);
	buf_deinit(&r->errors);
	buf_deinit(&r->restarts);
	free(r);
}
