#include "ctl_args.h"

#include <getopt.h>
#include <stdlib.h>

#define DEFAULT_SOCKET "/run/m2mwsd/ctl"

enum {
	OPT_JSON = 256, OPT_PEER, OPT_SORT, OPT_LIMIT, OPT_CA, OPT_VERSION,
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "originator", required_argument, NULL, 'o' },
	{ "peer", required_argument, NULL, OPT_PEER },
	{ "sort", required_argument, NULL, OPT_SORT },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "token", required_argument, NULL, 't' },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "type", required_argument, NULL, 'y' },
	{ "content", required_argument, NULL, 'p' },
	{ "count", required_argument, NULL, 'n' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct parse {
	struct ctl_args *out;
	struct buf *why;
	unsigned given;			/* CTL_* */
	int value_of;			/* 'y' and the like */
};

static bool fail(struct buf *why, const char *what, const char *which)
{
	buf_clear(why);
	buf_add_str(why, str_of(what));
	buf_add_lit(why, " '");
	buf_add_str(why, str_of(which));
	buf_add_char(why, '\'');
	return false;
}

static bool take_number(struct buf *why, uint64_t *out, uint64_t max)
{
	if (str_to_u64(out, str_of(optarg)) && *out <= max)
		return true;
	return fail(why, "not a number that is possible:", optarg);
}

static bool take_type(struct parse *p)
{
	uint64_t n;

	if (!take_number(p->why, &n, INT32_MAX))
		return false;
	p->out->type = (int64_t)n;
	return true;
}

/* Where the option's text goes, and which one it is. */
static const char **text_of(struct parse *p, int c, unsigned *bit)
{
	struct ctl_args *a = p->out;

	switch (c) {
	case 'o':	*bit = CTL_ORIGINATOR; return &a->originator;
	case OPT_PEER:	*bit = CTL_PEER; return &a->peer;
	case OPT_SORT:	*bit = CTL_SORT; return &a->sort;
	case OPT_LIMIT:	*bit = CTL_LIMIT; return &a->limit;
	case 't':	*bit = CTL_TOKEN; return &a->token;
	case OPT_CA:	*bit = CTL_CA; return &a->ca;
	case 'p':	*bit = CTL_CONTENT; return &a->content;
	case 's':	*bit = 0; return &a->socket;
	default:	return NULL;
	}
}

static bool take_option(struct parse *p, int c, const char *word)
{
	unsigned bit;
	const char **text = text_of(p, c, &bit);

	if (text != NULL) {
		*text = optarg;
		p->given |= bit;
		return true;
	}
	switch (c) {
	case OPT_JSON:
		p->out->json = true;
		return true;
	case OPT_VERSION:
		p->out->version = true;
		return true;
	case 'h':
		p->out->help = true;
		return true;
	case 'y':
		p->given |= CTL_TYPE;
		return take_type(p);
	case 'n':
		p->given |= CTL_COUNT;
		return take_number(p->why, &p->out->count, UINT64_MAX);
	case ':':
		return fail(p->why, "a value is missing for", word);
	default:
		return fail(p->why, "unknown option", word);
	}
}

/* argv[optind] and the words behind it. *rest: where operands begin. */
static bool find_command(struct parse *p, int argc, char **argv, int *rest)
{
	bool is_name = false;

	if (optind == argc) {
		buf_clear(p->why);
		buf_add_lit(p->why, "a command is missing");
		return false;
	}
	for (size_t i = 0; i < ctl_command_count; i++) {
		const struct ctl_command *c = &ctl_commands[i];

		if (strcmp(c->name, argv[optind]) != 0)
			continue;
		is_name = true;
		if (c->sub != NULL && (optind + 1 == argc ||
				       strcmp(c->sub, argv[optind + 1]) != 0))
			continue;
		p->out->command = c;
		*rest = optind + (c->sub != NULL ? 2 : 1);
		return true;
	}
	return fail(p->why, is_name ? "what to do is missing after" :
				      "unknown command", argv[optind]);
}

static bool take_operands(struct parse *p, char **from, unsigned count)
{
	const struct ctl_command *c = p->out->command;

	if (count > c->max)
		return fail(p->why, "unexpected argument", from[c->max]);
	if (count < c->min)
		return fail(p->why, "too little is said after", c->name);
	for (unsigned i = 0; i < count; i++)
		p->out->operands[i] = from[i];
	if ((p->given & ~c->options) != 0)
		return fail(p->why, "an option that makes no sense with",
			    c->name);
	return true;
}

bool ctl_args_parse(struct ctl_args *out, struct buf *why, int argc,
		    char **argv)
{
	struct parse p = { .out = out, .why = why };
	const char *env = getenv("M2MWSCTL_SOCKET");
	int c, rest = 0;

	buf_clear(why);
	*out = (struct ctl_args){
		.socket = env != NULL ? env : DEFAULT_SOCKET,
		.token = getenv("M2MWSCTL_TOKEN"),
		.type = -1,
	};
	optind = 0;			/* glibc: from the start, each time */
	while ((c = getopt_long(argc, argv, ":s:o:t:y:p:n:h", options,
				NULL)) != -1)
		if (!take_option(&p, c, argv[optind - 1]))
			return false;
	if (out->help || out->version)
		return true;
	return find_command(&p, argc, argv, &rest) &&
	       take_operands(&p, argv + rest, (unsigned)(argc - rest));
}

/* ---- what the daemon is asked ---- */

static void add_coded(struct buf *out, const char *text)
{
	static const bool keep[256] = {
		['0' ... '9'] = true, ['A' ... 'Z'] = true,
		['a' ... 'z'] = true, ['-'] = true, ['.'] = true,
		['_'] = true,
	};

	buf_add_percent(out, str_of(text), keep);
}

static void add_query(struct buf *out, const char *name, const char *value,
		      char *before)
{
	if (value == NULL)
		return;
	buf_add_char(out, *before);
	*before = '&';
	buf_add_str(out, str_of(name));
	buf_add_char(out, '=');
	add_coded(out, value);
}

void ctl_args_write_path(struct buf *out, const struct ctl_args *args)
{
	const char *p = args->command->path;
	char before = '?';
	unsigned at = 0;

	for (; *p != '\0'; p++) {
		if (*p == '*')
			add_coded(out, args->operands[at++]);
		else if (*p != '/' || p[1] != '*' ||
			 args->operands[at] != NULL)
			buf_add_char(out, *p);
		else
			break;		/* one that may be left out */
	}
	add_query(out, "originator", args->originator, &before);
	add_query(out, "peer", args->peer, &before);
	add_query(out, "limit", args->limit, &before);
}

void ctl_args_help(FILE *to)
{
	fputs("Usage: m2mwsctl [-s SOCKET] [--json] COMMAND ...\n\n", to);
	for (size_t i = 0; i < ctl_command_count; i++) {
		const struct ctl_command *c = &ctl_commands[i];

		fprintf(to, "  %s%s%s%s%s\n      %s\n", c->name,
			c->sub != NULL ? " " : "",
			c->sub != NULL ? c->sub : "",
			c->usage[0] != '\0' ? " " : "", c->usage, c->help);
	}
	fputs("\n"
	      "  -s, --socket PATH   of the daemon [M2MWSCTL_SOCKET, or "
	      DEFAULT_SOCKET "]\n"
	      "      --json          what was answered, not a table of it\n"
	      "  -o, --originator ID   -t, --token NAME.SECRET "
	      "[M2MWSCTL_TOKEN]\n"
	      "  -y, --type TYPE       -p, --content JSON   "
	      "-n, --count COUNT\n"
	      "      --version\n"
	      "      --help\n\n"
	      "Exits with 0: fine, 1: refused or failed, 2: a command line "
	      "that makes no sense.\nSee m2mwsctl(1).\n", to);
}
