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
	uint64_t count;				/* that succeeded */
};

static void log_lines(struct str text)
{
	struct str line;

	while (text.len > 0) {
		str_cut(text, '\n', &line, &text);
		log_error("reload_failed", LOG_STR("why", line));
	}
}

/* NULL: logged. */
static struct config *load(const struct config_origin *o)
{
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
		log_lines((struct str){ said, len });
	else if (err)
		log_error("reload_failed", LOG_ERRNO(err));
	free(said);
	return err ? NULL : conf;
}

static void on_change(void *arg, struct str option)
{
	(void)arg;
	log_warning("restart_needed", LOG_STR("option", option));
}

static void on_done(void *owner)
{
	struct reloader *r = owner;

	config_destroy(r->current);
	r->current = r->next;
	r->next = NULL;
	log_info("reloaded", LOG_UINT("count", ++r->count));
	if (r->again) {
		r->again = false;
		reloader_run(r);
	}
	log_flush();
}

/* Another mode would let in, or keep out, those who are here already. */
static bool is_possible(const struct reloader *r, const struct config *next)
{
	if (next->gateway.auth == r->conf->gateway.auth)
		return true;
	log_error("reload_failed",
		  LOG_TEXT("why", "[auth] mode takes a restart"));
	return false;
}

void reloader_run(struct reloader *r)
{
	struct config *next;
	int err;

	if (r->next != NULL) {
		r->again = true;
		return;
	}
	next = load(r->origin);
	if (next == NULL)
		return;
	if (!is_possible(r, next)) {
		config_destroy(next);
		return;
	}
	err = gateway_reload(r->gw, &next->gateway, on_done, r);
	if (err) {
		log_error("reload_failed", LOG_ERRNO(err));
		config_destroy(next);
		return;
	}
	log_change(&next->log);
	config_compare(r->conf, next, on_change, NULL);
	r->next = next;
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
	*out = r;
	return 0;
}

void reloader_destroy(struct reloader *r)
{
	if (r == NULL)
		return;
	config_destroy(r->current);
	config_destroy(r->next);
	free(r);
}
