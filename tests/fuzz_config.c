/*
 * Whatever a configuration file holds: it loads or is refused with a message;
 * what loads is dumped, and the dump loads to the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *devnull;

static int load(struct config **out, struct str text)
{
	return config_load_text(out, "fuzz", text, devnull);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *first, *second;
	char *before, *after;

	if (devnull == NULL) {
		devnull = fopen("/dev/null", "w");
		setenv("VAR", " \"a\\b$c\t", 1);
	}
	if (load(&first, (struct str){ (const char *)data, size }) != 0)
		return 0;
	before = dump_of(first);
	if (load(&second, str_of(before)) != 0)
		abort();
	after = dump_of(second);
	strip_comments(before);
	strip_comments(after);
	if (strcmp(before, after) != 0)
		abort();
	free(before);
	free(after);
	config_destroy(first);
	config_destroy(second);
	return 0;
}
