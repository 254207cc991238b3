#include <sys/stat.h>
#include <uv.h>

#include "config_priv.h"

/*
 * The file of credentials: sections and keys as in the configuration.
 *
 *	[credential "NAME"]
 *	token = HASH		a client says NAME.SECRET
 *	user = USER		[NAME]
 *	password = HASH		a client says USER and SECRET
 *	certificate = NAME	a client's certificate names it
 *	originators = ...	patterns
 *	administrators = ...
 */
#define FILE_MAX (256 * 1024 * 1024)

enum key {
	KEY_TOKEN,
	KEY_USER,
	KEY_PASSWORD,
	KEY_CERTIFICATE,
	KEY_ORIGINATORS,
	KEY_ADMINISTRATORS,
	KEY_COUNT,
};

static const char *const keys[] = {
	[KEY_TOKEN] = "token",
	[KEY_USER] = "user",
	[KEY_PASSWORD] = "password",
	[KEY_CERTIFICATE] = "certificate",
	[KEY_ORIGINATORS] = "originators",
	[KEY_ADMINISTRATORS] = "administrators",
};

/* One section. */
struct entry {
	struct credential *credential;	/* NULL: none, or a bad one */
	struct config_place place;
	struct config_place places[KEY_COUNT];	/* source NULL: not given */
	struct str user, certificate;	/* kept */
	struct secret_hash token, password;
	bool has_errors;
};

struct reader {
	struct config_load *l;
	struct entry entry;
};

static bool has(const struct entry *e, enum key key)
{
	return e->places[key].source != NULL;
}

static void report(struct reader *r, const struct config_place *at,
		   enum key key, const char *why)
{
	r->entry.has_errors = true;
	config_report(r->l, at, "%s %s", keys[key], why);
}

static struct str keep(struct reader *r, struct str text)
{
	const char *kept = config_keep(r->l->store, text);

	if (kept == NULL) {
		r->l->err = UV_ENOMEM;
		return STR("");
	}
	return (struct str){ kept, text.len };
}

/* ---- a section is complete ---- */

static void add_proof(struct reader *r, enum credential_kind kind, enum key key,
		      struct str name, const struct secret_hash *hash)
{
	struct credential_proof *p = config_alloc(r->l->store, sizeof(*p));
	int err;

	if (p == NULL) {
		r->l->err = UV_ENOMEM;
		return;
	}
	p->kind = kind;
	p->name = name;
	p->hash = *hash;
	p->credential = r->entry.credential;
	err = credential_set_add(&r->l->store->credentials, p);
	if (err == UV_EEXIST)
		report(r, &r->entry.places[key], key,
		       "is of a name that another credential has");
	else if (err)
		r->l->err = UV_ENOMEM;
}

static void check_whole(struct reader *r)
{
	const struct entry *e = &r->entry;
	const char *why = NULL;

	if (!has(e, KEY_TOKEN) && !has(e, KEY_PASSWORD) &&
	    !has(e, KEY_CERTIFICATE))
		why = "needs token, password or certificate";
	else if (!has(e, KEY_ORIGINATORS) && !has(e, KEY_ADMINISTRATORS))
		why = "needs originators or administrators";
	else if (has(e, KEY_USER) && !has(e, KEY_PASSWORD))
		why = "has a user, but no password";
	else if (has(e, KEY_TOKEN) && strchr(e->credential->name, '.') != NULL)
		why = "has a token, so there must be no dot in its name";
	if (why == NULL)
		return;
	config_report(r->l, &e->place, "[credential \"%s\"] %s",
		      e->credential->name, why);
	r->entry.has_errors = true;
}

static void end_section(struct reader *r)
{
	static const struct secret_hash none;
	const struct entry *e = &r->entry;

	if (e->credential == NULL || r->l->err)
		return;
	if (!e->has_errors)
		check_whole(r);
	if (e->has_errors)
		return;
	if (has(e, KEY_TOKEN))
		add_proof(r, CREDENTIAL_TOKEN, KEY_TOKEN,
			  str_of(e->credential->name), &e->token);
	if (has(e, KEY_PASSWORD))
		add_proof(r, CREDENTIAL_PASSWORD, KEY_PASSWORD,
			  has(e, KEY_USER) ? e->user :
					     str_of(e->credential->name),
			  &e->password);
	if (has(e, KEY_CERTIFICATE))
		add_proof(r, CREDENTIAL_CERTIFICATE, KEY_CERTIFICATE,
			  e->certificate, &none);
}

/* ---- sections and keys ---- */

static void enter_section(struct reader *r, const struct config_item *item)
{
	struct credential *c;

	r->entry = (struct entry){ .place = item->section_at };
	if (!str_eq(item->section, STR("credential"))) {
		config_report(r->l, &item->section_at,
			      "expected [credential \"NAME\"]");
		return;
	}
	if (!item->has_title) {
		config_report(r->l, &item->section_at,
			      "[credential] needs a name, as in "
			      "[credential \"meter-7\"]");
		return;
	}
	c = config_alloc(r->l->store, sizeof(*c));
	if (c == NULL) {
		r->l->err = UV_ENOMEM;
		return;
	}
	c->name = keep(r, item->title).p;
	r->entry.credential = c;
}

static bool find_key(enum key *out, struct str name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (str_eq(name, str_of(keys[i]))) {
			*out = (enum key)i;
			return true;
		}
	return false;
}

static void report_unknown(struct reader *r, const struct config_item *item)
{
	struct config_guess guess = { .word = item->key };

	for (size_t i = 0; i < KEY_COUNT; i++)
		config_guess_try(&guess, keys[i]);
	config_report(r->l, &item->key_at,
		      "unknown key \"%.*s\" in [credential \"%s\"]%s%s%s",
		      (int)item->key.len, item->key.p,
		      r->entry.credential->name,
		      guess.best ? "; did you mean \"" : "",
		      guess.best ? guess.best : "", guess.best ? "\"?" : "");
	r->entry.has_errors = true;
}

static const char *set_list(struct reader *r, struct str *out, struct str value,
			    bool patterns)
{
	struct str rest = value, one;
	const char *why = "must not be empty";

	while (str_word(&one, &rest)) {
		why = credential_check_pattern(one);
		if (why == NULL && !patterns &&
		    memchr(one.p, '*', one.len) != NULL)
			why = "must be named one by one, without *";
		if (why != NULL)
			return why;
	}
	*out = keep(r, value);
	return why;
}

static const char *set_user(struct reader *r, struct str value)
{
	if (value.len == 0 || memchr(value.p, ':', value.len) != NULL)
		return "must be a name without a colon";
	r->entry.user = keep(r, value);
	return NULL;
}

static const char *set_certificate(struct reader *r, struct str value)
{
	if (value.len == 0)
		return "must be the name that the certificate gives";
	r->entry.certificate = keep(r, value);
	return NULL;
}

/* NULL, or why value is none. */
static const char *set(struct reader *r, enum key key, struct str value)
{
	struct entry *e = &r->entry;

	switch (key) {
	case KEY_TOKEN:
		return secret_hash_read(&e->token, value);
	case KEY_USER:
		return set_user(r, value);
	case KEY_PASSWORD:
		return secret_hash_read(&e->password, value);
	case KEY_CERTIFICATE:
		return set_certificate(r, value);
	case KEY_ORIGINATORS:
		return set_list(r, &e->credential->originators, value, true);
	case KEY_ADMINISTRATORS:
		return set_list(r, &e->credential->administrators, value,
				false);
	case KEY_COUNT:
		break;
	}
	return NULL;
}

static void enter_key(struct reader *r, const struct config_item *item)
{
	const char *why;
	enum key key;

	if (r->entry.credential == NULL)
		return;
	if (!find_key(&key, item->key)) {
		report_unknown(r, item);
		return;
	}
	if (has(&r->entry, key)) {
		report(r, &item->key_at, key, "is given twice");
		return;
	}
	r->entry.places[key] = item->value_at;
	why = set(r, key, item->value);
	if (why != NULL)
		report(r, &item->value_at, key, why);
}

static void enter_bad(struct reader *r, const struct config_item *item)
{
	if (item->starts_section)
		r->entry.credential = NULL;
	r->entry.has_errors = true;
}

static void read_items(struct reader *r, struct config_parser *parser)
{
	struct config_item item;
	bool has_section = false;

	do {
		config_parser_next(parser, &item);
		if (item.kind == CONFIG_ITEM_KEY && !has_section) {
			config_report(r->l, &item.key_at,
				      "a key before the first [credential]");
			has_section = true;
		}
		if (item.starts_section || item.kind == CONFIG_ITEM_END)
			end_section(r);
		has_section |= item.starts_section;
		if (item.kind == CONFIG_ITEM_SECTION)
			enter_section(r, &item);
		else if (item.kind == CONFIG_ITEM_KEY)
			enter_key(r, &item);
		else if (item.kind == CONFIG_ITEM_BAD)
			enter_bad(r, &item);
	} while (item.kind != CONFIG_ITEM_END && !r->l->err);
}

void config_apply_originators(struct config_load *l,
			      const struct config_source *source)
{
	struct reader r = { .l = l };
	struct config_parser parser;

	if (credential_set_init(&l->store->credentials) != 0) {
		l->err = UV_ENOMEM;
		return;
	}
	config_parser_init(&parser, l, source);
	read_items(&r, &parser);
	config_parser_deinit(&parser);
	l->conf->gateway.credentials = &l->store->credentials;
}

/* Not an error: whoever reads it still has to guess the secrets. */
static void warn_readable(struct config_load *l, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_IROTH) != 0)
		fprintf(l->diag, "%s: warning: others may read it (chmod o-r)\n",
			path);
}

void config_read_originators(struct config_load *l, const char *path)
{
	struct config_source *s = config_read_file(l, path, FILE_MAX);

	if (s == NULL)
		return;
	warn_readable(l, path);
	config_apply_originators(l, s);
}
