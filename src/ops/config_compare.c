#include "config_priv.h"

struct comparison {
	void (*on_change)(void *arg, struct str option);
	void *arg;
};

static const struct config_instance *find(const struct config *c,
					  const struct config_instance *like)
{
	const struct config_instance *i;

	STAILQ_FOREACH(i, &c->store->instances, link)
		if (i->section == like->section &&
		    strcmp(i->name, like->name) == 0)
			return i;
	return NULL;
}

static void tell(const struct comparison *c, const struct config_instance *i,
		 const char *key)
{
	struct buf text = { 0 };

	buf_add_str(&text, str_of(i->section->name));
	if (i->section->titled) {
		buf_add_char(&text, '.');
		buf_add_str(&text, str_of(i->name));
	}
	if (key != NULL) {
		buf_add_char(&text, '.');
		buf_add_str(&text, str_of(key));
	}
	if (!text.failed)
		c->on_change(c->arg, buf_str(&text));
	buf_deinit(&text);
}

/* As it was given, or its default. */
static const char *value_of(const struct config_instance *i, size_t option)
{
	const char *text = i->slots[option].text;

	return text != NULL ? text : config_options[option].preset;
}

static void compare(const struct comparison *c,
		    const struct config_instance *a,
		    const struct config_instance *b)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];

		if (strcmp(o->section, a->section->name) == 0 && !o->live &&
		    strcmp(value_of(a, i), value_of(b, i)) != 0)
			tell(c, a, o->key);
	}
}

void config_compare(const struct config *a, const struct config *b,
		    void (*on_change)(void *arg, struct str option), void *arg)
{
	struct comparison c = { on_change, arg };
	const struct config_instance *i, *other;

	STAILQ_FOREACH(i, &a->store->instances, link) {
		other = find(b, i);
		if (other != NULL)
			compare(&c, i, other);
		else if (!i->section->live)
			tell(&c, i, NULL);
	}
	STAILQ_FOREACH(i, &b->store->instances, link)
		if (!i->section->live && find(a, i) == NULL)
			tell(&c, i, NULL);
}
