#ifndef OPS_RELOAD_H
#define OPS_RELOAD_H

#include "ops/config.h"

/* Where the configuration comes from. */
struct config_origin {
	const char *file;
	const char *const *overrides;
	size_t override_count;
};

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

#endif
