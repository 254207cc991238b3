#include "config_priv.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A value that the reader would trim, or take for a quoted one. */
static bool needs_quotes(struct str s)
{
	return s.len > 0 && (is_blank(s.p[0]) || is_blank(s.p[s.len - 1]) ||
			     s.p[0] == '"');
}

static void dump_value(FILE *to, struct str s)
{
	bool quotes = needs_quotes(s);

	if (quotes)
		fputc('"', to);
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '$')
			fputc('$', to);
		else if (quotes && (s.p[i] == '"' || s.p[i] == '\\'))
			fputc('\\', to);
		fputc(s.p[i], to);
	}
	if (quotes)
		fputc('"', to);
}

static void dump_origin(FILE *to, const struct config_slot *slot)
{
	const struct config_source *source = slot->place.source;

	if (slot->text == NULL) {
		fputs("# default\n", to);
	} else if (source->is_override) {
		fputs("# from -o\n", to);
	} else {
		fputs("# from ", to);
		config_print_text(to, str_of(source->name));
		fprintf(to, ":%u\n", slot->place.line);
	}
}

static void dump_option(FILE *to, const struct config_option *o,
			const struct config_slot *slot)
{
	struct str value = str_of(slot->text != NULL ? slot->text : o->preset);

	fprintf(to, "# %s\n", o->help);
	dump_origin(to, slot);
	fprintf(to, value.len > 0 ? "%s = " : "%s =", o->key);
	dump_value(to, value);
	fputc('\n', to);
}

static void dump_instance(FILE *to, const struct config_instance *inst)
{
	if (inst->section->titled)
		fprintf(to, "[%s \"%s\"]\n", inst->section->name, inst->name);
	else
		fprintf(to, "[%s]\n", inst->section->name);
	for (size_t i = 0; i < config_option_count; i++)
		if (strcmp(config_options[i].section, inst->section->name) == 0)
			dump_option(to, &config_options[i], &inst->slots[i]);
}

void config_dump(const struct config *c, FILE *to)
{
	const struct config_instance *inst;
	const char *gap = "";

	for (size_t i = 0; i < config_section_count; i++) {
		STAILQ_FOREACH(inst, &c->store->instances, link) {
			if (inst->section != &config_sections[i])
				continue;
			fputs(gap, to);
			dump_instance(to, inst);
			gap = "\n";
		}
	}
}
