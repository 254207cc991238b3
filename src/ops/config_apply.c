#include <uv.h>

#include "config_priv.h"

static const char *shown_title(const struct config_instance *i)
{
	return i->section->titled ? i->name : NULL;
}

static void report_unknown_section(struct config_load *l,
				   const struct config_item *item)
{
	struct config_guess guess = { .word = item->section };

	for (size_t i = 0; i < config_section_count; i++)
		config_guess_try(&guess, config_sections[i].name);
	config_report(l, &item->section_at,
		      "unknown section \"%.*s\"%s%s%s", (int)item->section.len,
		      item->section.p, guess.best ? "; did you mean \"" : "",
		      guess.best ? guess.best : "", guess.best ? "\"?" : "");
}

/* The section that has the key, when it is not this one. */
static const char *home_of(struct str key)
{
	for (size_t i = 0; i < config_option_count; i++)
		if (str_eq(key, str_of(config_options[i].key)))
			return config_options[i].section;
	return NULL;
}

static void report_unknown_key(struct config_load *l,
			       const struct config_item *item)
{
	const struct config_instance *inst = l->current;
	const char *section = inst->section->name, *title = shown_title(inst);
	const char *home = home_of(item->key);
	struct config_guess guess = { .word = item->key };
	char hint[128] = "";

	for (size_t i = 0; i < config_option_count; i++)
		if (strcmp(config_options[i].section, section) == 0)
			config_guess_try(&guess, config_options[i].key);
	if (guess.best != NULL)
		snprintf(hint, sizeof(hint), "; did you mean \"%s\"?",
			 guess.best);
	else if (home != NULL)
		snprintf(hint, sizeof(hint), "; it belongs to [%s]", home);
	config_report(l, &item->key_at, "unknown key \"%.*s\" in [%s%s%s%s]%s",
		      (int)item->key.len, item->key.p, section,
		      title ? " \"" : "", title ? title : "", title ? "\"" : "",
		      hint);
}

static struct config_instance *find_instance(const struct config_store *st,
					     const struct config_section *s,
					     struct str title)
{
	struct config_instance *i;

	STAILQ_FOREACH(i, &st->instances, link)
		if (i->section == s && str_eq(title, str_of(i->name)))
			return i;
	return NULL;
}

static struct config_instance *add_instance(struct config_load *l,
					    const struct config_section *s,
					    struct str title)
{
	struct config_store *st = l->store;
	struct config_instance *i = config_alloc(
		st, sizeof(*i) + config_option_count * sizeof(i->slots[0]));

	if (i == NULL)
		return NULL;
	i->section = s;
	i->name = config_keep(st, title);
	i->fields = s->titled ? config_alloc(st, s->size) : l->conf;
	if (i->name == NULL || i->fields == NULL)
		return NULL;
	STAILQ_INSERT_TAIL(&st->instances, i, link);
	return i;
}

static const struct config_section *
check_section(struct config_load *l, const struct config_item *item)
{
	const struct config_section *s = config_find_section(item->section);

	if (s == NULL)
		report_unknown_section(l, item);
	else if (s->titled && !item->has_title)
		config_report(l, &item->section_at,
			      "[%s] needs a name, as in [%s \"main\"]", s->name,
			      s->name);
	else if (!s->titled && item->has_title)
		config_report(l, &item->title_at, "[%s] takes no name",
			      s->name);
	else
		return s;
	return NULL;
}

static void enter_section(struct config_load *l, const struct config_item *item)
{
	const struct config_section *s = check_section(l, item);

	l->current = NULL;
	if (s == NULL) {
		l->has_bad_section = true;
		return;
	}
	l->current = find_instance(l->store, s, item->title);
	if (l->current == NULL)
		l->current = add_instance(l, s, item->title);
	if (l->current == NULL)
		l->err = UV_ENOMEM;
	else if (l->current->place.source == NULL)
		l->current->place = item->section_at;
}

/* A later source may say it again, the same file may not. */
static bool is_repeated(struct config_load *l, const struct config_slot *slot,
			const struct config_item *item)
{
	const struct config_source *source = item->key_at.source;

	if (slot->text == NULL || slot->place.source != source)
		return false;
	config_report(l, &item->key_at,
		      "\"%.*s\" is given twice; first at %s:%u",
		      (int)item->key.len, item->key.p, source->name,
		      slot->place.line);
	return true;
}

/* The commonest reasons why a value that looks right is none. */
static const char *hint_of(const struct config_item *item)
{
	static const char *const comments[] = { " #", " ;", "\t#", "\t;" };

	for (size_t i = 0; i < ARRAY_LEN(comments); i++)
		for (size_t at = 0; at + 1 < item->value.len; at++)
			if (memcmp(item->value.p + at, comments[i], 2) == 0)
				return "; a comment needs a line of its own";
	return "";
}

static void report_value(struct config_load *l, const struct config_item *item,
			 const char *why)
{
	if (why[0] == '\0') {
		l->err = UV_ENOMEM;
		return;
	}
	config_report(l, &item->value_at, "%.*s %s%s", (int)item->key.len,
		      item->key.p, why, hint_of(item));
	if (!item->expanded || l->bare)
		return;
	fputs("with the variables expanded: ", l->diag);
	config_print_text(l->diag, item->value);
	fputc('\n', l->diag);
}

static void set_value(struct config_load *l, const struct config_option *o,
		      const struct config_item *item)
{
	struct config_instance *inst = l->current;
	struct config_slot *slot = &inst->slots[o - config_options];
	char why[CONFIG_WHY_MAX];

	if (is_repeated(l, slot, item))
		return;
	slot->place = item->key_at;
	slot->text = config_keep(l->store, item->value);
	if (slot->text == NULL)
		l->err = UV_ENOMEM;
	else if (!config_value_set(l->store, o, inst->fields, slot->text, why))
		report_value(l, item, why);
}

static void enter_key(struct config_load *l, const struct config_item *item)
{
	const struct config_option *o;

	if (l->current == NULL)
		return;
	o = config_find_option(l->current->section->name, item->key);
	if (o != NULL) {
		set_value(l, o, item);
		return;
	}
	l->current->has_errors = true;
	report_unknown_key(l, item);
}

static void enter_bad(struct config_load *l, const struct config_item *item)
{
	if (item->starts_section) {
		l->current = NULL;
		l->has_bad_section = true;
	} else if (l->current != NULL) {
		l->current->has_errors = true;
	}
}

void config_apply_none(struct config_load *l)
{
	for (size_t i = 0; i < config_section_count; i++) {
		const struct config_section *s = &config_sections[i];

		if (!s->titled && add_instance(l, s, STR("")) == NULL)
			l->err = UV_ENOMEM;
	}
}

void config_apply_text(struct config_load *l,
		       const struct config_source *source)
{
	struct config_parser parser;
	struct config_item item;
	bool has_section = false;

	l->current = NULL;
	config_parser_init(&parser, l, source);
	while (!l->err) {
		config_parser_next(&parser, &item);
		if (item.kind == CONFIG_ITEM_END)
			break;
		if (item.kind == CONFIG_ITEM_KEY && !has_section) {
			config_report(l, &item.key_at,
				      "a key before the first [section]");
			item.starts_section = true;
			item.kind = CONFIG_ITEM_BAD;
		}
		has_section |= item.starts_section;
		if (item.kind == CONFIG_ITEM_BAD)
			enter_bad(l, &item);
		else if (item.kind == CONFIG_ITEM_SECTION)
			enter_section(l, &item);
		else
			enter_key(l, &item);
	}
	config_parser_deinit(&parser);
}

void config_apply_override(struct config_load *l,
			   const struct config_source *source)
{
	struct config_parser parser;
	struct config_item item;

	config_parser_init(&parser, l, source);
	config_parser_override(&parser, &item);
	if (item.kind == CONFIG_ITEM_KEY) {
		enter_section(l, &item);
		enter_key(l, &item);
	} else {
		l->has_bad_section = true;
	}
	config_parser_deinit(&parser);
}
