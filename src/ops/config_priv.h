#ifndef OPS_CONFIG_PRIV_H
#define OPS_CONFIG_PRIV_H

#include <sys/queue.h>

#include "ops/config.h"

/*
 * How a configuration comes to be:
 *
 *	config_file.c	text -> sections and keys, each with its place
 *	config_apply.c	looks them up and remembers the text of every value
 *	config_options.c	the table of what exists
 *	config_value.c	text of a value -> field of a struct; config_url.c
 *	config_finish.c	defaults, and what no single option can know
 *	config_tls.c	the same of TLS
 *	config_originators.c	the file of credentials
 *	config.c	files in their order, memory
 *	config_diag.c	messages
 *	config_dump.c	the way back
 *	config_compare.c	what two of them do not have in common
 */
#define CONFIG_LINE_MAX  4096	/* octets of a line */
#define CONFIG_VALUE_MAX 1024	/* octets of a value; its dump fits a line */
#define CONFIG_FILE_MAX  (1024 * 1024)
#define CONFIG_NAME_MAX  64	/* of a titled section */

/* One file, or one -o. Lives as long as the configuration: places point
 * into it. */
struct config_source {
	const char *name;		/* as messages show it */
	bool is_override;
	const char *text;
	size_t len;
};

/* Where something stands; without a source: nowhere; without a line: the
 * source as a whole. */
struct config_place {
	const struct config_source *source;
	unsigned line;			/* from 1 */
	struct str text;		/* the whole line */
	size_t at;			/* octets before it in the line */
};

enum config_type {
	CONFIG_BOOL,
	CONFIG_WORD,			/* one of the words */
	CONFIG_COUNT,			/* or one of the words */
	CONFIG_SIZE,			/* octets, or with k, m, g */
	CONFIG_DURATION,		/* milliseconds */
	CONFIG_ADDR,			/* struct sockaddr_storage */
	CONFIG_PATH,			/* struct str */
	CONFIG_ORIGINS,			/* struct ws_handshake_conf */
	CONFIG_NETS,			/* struct addr_nets */
	CONFIG_CSE_ID,			/* const char * */
	CONFIG_TEXT,			/* const char *, visible octets */
	CONFIG_FILES,			/* the same, and blanks between */
	CONFIG_URL,			/* struct upstream_conf */
};

struct config_word {
	const char *text;
	int value;
};

/* A row of the option table: all there is to know. A width of 0 is an option
 * that has only one value so far, so that nobody asks for it. */
struct config_option {
	const char *section;
	const char *key;
	enum config_type type;
	size_t offset, width;		/* of the field */
	uint64_t min, max;
	const char *preset;		/* default; NULL: the key is required */
	const char *help;
	const struct config_word *words;	/* ends with a NULL text */
	bool live;			/* a reload changes it */
};

struct config_section {
	const char *name;
	bool titled;			/* [name "NAME"], any number of them */
	size_t size;			/* of the struct of a titled one */
	bool live;			/* a reload adds and removes them */
};

extern const struct config_option config_options[];
extern const size_t config_option_count;
extern const struct config_section config_sections[];
extern const size_t config_section_count;

const struct config_section *config_find_section(struct str name);
const struct config_option *config_find_option(const char *section,
					       struct str key);

/* The value of one option of one section as it was last given. */
struct config_slot {
	const char *text;		/* NULL: not given */
	struct config_place place;
};

/* [gateway] and its like, or one [listener "NAME"]. */
struct config_instance {
	STAILQ_ENTRY(config_instance) link;
	const struct config_section *section;
	const char *name;		/* "" when not titled */
	struct config_place place;	/* of its first title, or nowhere */
	void *fields;			/* what offsets count from */
	bool has_errors;		/* so that what is missing in it may be
					 * what is wrong in it */
	struct config_slot slots[];	/* as config_options */
};

struct config_memory {
	SLIST_ENTRY(config_memory) link;
	max_align_t bytes[];
};

struct config_store {
	STAILQ_HEAD(config_instances, config_instance) instances;
	SLIST_HEAD(, config_memory) memory;
	struct credential_set credentials;	/* its entries lie in memory */
};

/* Zeroed; freed with the configuration. NULL: no memory. */
void *config_alloc(struct config_store *st, size_t size);
char *config_keep(struct config_store *st, struct str text);

/* A load under way. */
struct config_load {
	struct config *conf;
	struct config_store *store;
	FILE *diag;
	bool bare;			/* errors without their lines */
	const char *name;		/* of the whole, where no place fits */
	struct config_instance *current;	/* NULL: keys are skipped */
	bool has_bad_section;
	unsigned errors;
	int err;			/* UV_ENOMEM ends the load */
};

/* Reports an error: message, line, caret. */
__attribute__((format(printf, 3, 4)))
void config_report(struct config_load *l, const struct config_place *at,
		   const char *fmt, ...);

/* Text as it may be shown: no controls, nothing that is not UTF-8. */
void config_print_text(FILE *to, struct str text);

/* The candidate that word was probably meant to be. */
struct config_guess {
	struct str word;
	const char *best;		/* NULL: none is near */
	size_t distance;
};

void config_guess_try(struct config_guess *g, const char *candidate);

/* Reads text line by line; errors are reported and skipped. */
struct config_parser {
	struct config_load *load;
	struct str rest;
	struct config_place place;	/* of the line */
	struct buf value;
};

enum config_item_kind {
	CONFIG_ITEM_END,
	CONFIG_ITEM_SECTION,
	CONFIG_ITEM_KEY,
	CONFIG_ITEM_BAD,		/* reported */
};

/* Slices are good until the next item. */
struct config_item {
	enum config_item_kind kind;
	bool starts_section;		/* a bad one: its keys are skipped */
	struct str section, title;	/* of a section or an override */
	bool has_title;
	struct config_place section_at, title_at;
	struct str key, value;
	struct config_place key_at, value_at;
	bool expanded;			/* the value differs from the line */
};

void config_parser_init(struct config_parser *p, struct config_load *l,
			const struct config_source *source);
void config_parser_deinit(struct config_parser *p);
void config_parser_next(struct config_parser *p, struct config_item *out);

/* The only item of an override: section[.NAME].key=value. */
void config_parser_override(struct config_parser *p, struct config_item *out);

/*
 * Converts text into the fields of a section. False: it is not a value of
 * this option, and why tells what would be ("must be ..."); or the memory is
 * out, and why is empty.
 */
#define CONFIG_WHY_MAX 256
bool config_value_set(struct config_store *st, const struct config_option *o,
		      void *fields, const char *text,
		      char why[CONFIG_WHY_MAX]);

/* url -> host, port, unix_path, base, authority; NULL or why not. */
const char *config_url_parse(struct config_store *st,
			     struct upstream_conf *out, const char *url);

/* The sections without a name exist without being mentioned. */
void config_apply_none(struct config_load *l);

/* What a file or an override says. */
void config_apply_text(struct config_load *l,
		       const struct config_source *source);
void config_apply_override(struct config_load *l,
			   const struct config_source *source);

/* Reads originators_file; its errors are reported with the rest. */
void config_read_originators(struct config_load *l, const char *path);
void config_apply_originators(struct config_load *l,
			      const struct config_source *source);

/* A whole file, or NULL: reported. max: octets. */
struct config_source *config_read_file(struct config_load *l, const char *path,
				       size_t max);

/* Of a key of the section, as it was last given. */
const struct config_place *config_place_of(const struct config_instance *inst,
					   const char *key);

/* What of the keys for TLS does not go together, and what is wrong with the
 * files. */
void config_check_listener_tls(struct config_load *l,
			       const struct config_instance *inst);
void config_check_notify_tls(struct config_load *l,
			     const struct config_instance *inst);
void config_check_upstream_tls(struct config_load *l,
			       const struct config_instance *inst);

/* Defaults, and what no single option can know. */
void config_finish(struct config_load *l);

/* As config_load(), of one text without a conf.d. */
MUST_CHECK int config_load_text(struct config **out, const char *name,
				struct str text, FILE *diag);

#endif
