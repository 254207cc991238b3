#ifndef CTL_CTL_ARGS_H
#define CTL_CTL_ARGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

enum ctl_status {
	CTL_FINE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
};

#define CTL_OPERANDS 3

/* Options that a command takes, beside --socket, --json and --help. */
enum {
	CTL_ORIGINATOR = 1 << 0,
	CTL_PEER = 1 << 1,
	CTL_SORT = 1 << 2,
	CTL_LIMIT = 1 << 3,
	CTL_TOKEN = 1 << 4,
	CTL_CA = 1 << 5,
	CTL_TYPE = 1 << 6,
	CTL_CONTENT = 1 << 7,
	CTL_COUNT = 1 << 8,
};

struct ctl_args;

/* A row of the table: all there is to know. */
struct ctl_command {
	const char *name;
	const char *sub;		/* second word, or NULL */
	const char *usage;		/* operands and options */
	const char *help;
	unsigned min, max;		/* operands */
	unsigned options;		/* CTL_* */
	const char *method, *path;	/* `*` is an operand, coded */
	/* What was answered; NULL: run() does it all. */
	int (*show)(FILE *to, json_t *answer, const struct ctl_args *args);
	int (*run)(const struct ctl_args *args);
};

/* Borrowed from argv and the environment. */
struct ctl_args {
	const struct ctl_command *command;
	const char *operands[CTL_OPERANDS];	/* NULL: not given */
	const char *socket;
	bool json;
	bool help, version;		/* then nothing else counts */
	const char *originator, *peer, *sort, *limit;	/* or NULL */
	const char *token, *ca, *content;
	int64_t type;			/* -1: none */
	uint64_t count;			/* 0: no end */
};

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_command_count;

/* False: it makes no sense, and why is in *why, which is cleared first. */
bool ctl_args_parse(struct ctl_args *out, struct buf *why, int argc,
		    char **argv);

/* What the daemon is asked for: the path with its operands and query. */
void ctl_args_write_path(struct buf *out, const struct ctl_args *args);

void ctl_args_help(FILE *to);

#endif
