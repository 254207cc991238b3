#ifndef OPS_RELOAD_H
#define OPS_RELOAD_H

#include <sys/queue.h>

#include "ops/config.h"

/* Where the configuration comes from. */
struct config_origin {
	const char *file;
	const char *const *overrides;
	size_t override_count;
};

/* What came of a reload; good for the call. */
struct reload_outcome {
	bool ok;
	struct str errors;		/* lines; empty when ok */
	struct str restart_needed;	/* lines: section.key */
};

/* Who wants to hear of it; embedded, zeroed before use. */
struct reload_ask {
	TAILQ_ENTRY(reload_ask) link;
	struct reload_asks *list;	/* ours; NULL: not in use */
	void (*on_done)(struct reload_ask *ask,
			const struct reload_outcome *outcome);
};

TAILQ_HEAD(reload_asks, reload_ask);

/*
 * Reads the configuration again and puts into force what can change while the
 * gateway serves (gateway_reload()). A configuration with a mistake changes
 * nothing, and the log says what is wrong; options that take a restart are
 * logged, too. Main loop only.
 */
struct reloader;

/* All is borrowed and outlives it; conf is what gw was made of. */
MUST_CHECK int reloader_create(struct reloader **out, struct gateway *gw,
			       const struct config_origin *origin,
			       const struct config *conf);
/* After the gateway, which uses what was loaded last. Accepts NULL. */
void reloader_destroy(struct reloader *r);

/* While one is under way, another one follows it. */
void reloader_run(struct reloader *r);

/* The same; ask->on_done() comes, perhaps within the call, when the one that
 * began no earlier than now is over. */
void reloader_ask(struct reloader *r, struct reload_ask *ask);
/* It does not come any more. */
void reload_ask_cancel(struct reload_ask *ask);

/* As it was read last; good until the loop's next turn. */
const struct config *reloader_config(const struct reloader *r);

#endif
