#ifndef OPS_CONFIG_H
#define OPS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/log.h"
#include "gateway/gateway.h"
#include "ops/admin.h"

/*
 * The configuration: files, conf.d and -o options read into one value that
 * never changes afterwards. The option table in config_options.c is the only
 * place that knows names, types, ranges and defaults.
 */
struct config {
	struct log_conf log;
	struct admin_conf admin;
	struct gateway_conf gateway;

	/* owned, the rest is private to config*.c */
	struct config_store *store;
};

/*
 * Reads file, then conf.d beside it (*.conf, by name), then the overrides
 * ("section.key=value" or "section.NAME.key=value"). file may be NULL: only
 * overrides. On failure every error found has been written to diag as
 * `file:line:column: message` with the line and a caret, and ERR_PROTO (or
 * UV_ENOMEM) is returned. No side effects beyond reading files.
 */
MUST_CHECK int config_load(struct config **out, const char *file,
			   const char *const *overrides, size_t count,
			   FILE *diag);
/* The same for the log: each error is one line, without that of the file. */
MUST_CHECK int config_load_again(struct config **out, const char *file,
				 const char *const *overrides, size_t count,
				 FILE *diag);
void config_destroy(struct config *c);

/* Calls on_change for every option that a and b say differently and that takes
 * a restart: option is section.key, or section.NAME.key. */
void config_compare(const struct config *a, const struct config *b,
		    void (*on_change)(void *arg, struct str option),
		    void *arg);

/* Every option with its value and where it came from, in a form that
 * config_load() reads back. Secrets are not shown. */
void config_dump(const struct config *c, FILE *to);

/* The option table as `section<TAB>key<TAB>default` lines, for the check that
 * compares it with the sample file and the manual. */
void config_list(FILE *to);

#endif
