#include <assert.h>
#include <stdio.h>
#include <uv.h>

#include "config_priv.h"
#include "net/addr.h"

static const struct unit {
	const char *name;
	uint64_t factor;
} size_units[] = {
	{ "g", 1024 * 1024 * 1024 },
	{ "m", 1024 * 1024 },
	{ "k", 1024 },
	{ "", 1 },
	{ 0 },
}, time_units[] = {
	{ "h", 3600 * 1000 },
	{ "m", 60 * 1000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ 0 },
};

static const char *const yes_words[] = { "yes", "true", "on" };
static const char *const no_words[] = { "no", "false", "off" };

/* The fields' types differ in width only: bool, int, unsigned, enum, size_t,
 * uint64_t. */
static void put(void *fields, const struct config_option *o, uint64_t value)
{
	char *field = (char *)fields + o->offset;
	bool flag = value != 0;
	uint32_t small = (uint32_t)value;

	switch (o->width) {
	case 0:
		break;
	case sizeof(bool):
		memcpy(field, &flag, sizeof(flag));
		break;
	case sizeof(uint32_t):
		memcpy(field, &small, sizeof(small));
		break;
	default:
		assert(o->width == sizeof(uint64_t));
		memcpy(field, &value, sizeof(value));
	}
}

static bool read_units(uint64_t *out, struct str text, const struct unit *units)
{
	size_t digits = 0;
	uint64_t n;

	while (digits < text.len && text.p[digits] >= '0' &&
	       text.p[digits] <= '9')
		digits++;
	if (!str_to_u64(&n, (struct str){ text.p, digits }))
		return false;
	text = str_skip(text, digits);
	for (; units->name != NULL; units++) {
		if (!str_eq(text, str_of(units->name)))
			continue;
		if (n > UINT64_MAX / units->factor)
			return false;
		*out = n * units->factor;
		return true;
	}
	return false;
}

/* In the largest unit that leaves no rest, as a user would write it. */
static const char *write_units(char *space, size_t len, uint64_t n,
			       const struct unit *units)
{
	while (units[1].name != NULL && n % units->factor != 0)
		units++;
	snprintf(space, len, "%llu%s", (unsigned long long)(n / units->factor),
		 n == 0 ? "" : units->name);
	return space;
}

static bool in_range(const struct config_option *o, uint64_t n)
{
	return n >= o->min && n <= o->max;
}

static bool is_one_of(struct str text, const char *const words[3])
{
	for (size_t i = 0; i < 3; i++)
		if (str_ieq(text, str_of(words[i])))
			return true;
	return false;
}

static bool set_bool(const struct config_option *o, void *fields,
		     struct str text, char *why)
{
	bool yes = is_one_of(text, yes_words);

	if (!yes && !is_one_of(text, no_words)) {
		snprintf(why, CONFIG_WHY_MAX, "must be yes or no");
		return false;
	}
	put(fields, o, yes);
	return true;
}

static const struct config_word *find_word(const struct config_option *o,
					   struct str text)
{
	const struct config_word *w = o->words;

	for (; w != NULL && w->text != NULL; w++)
		if (str_eq(text, str_of(w->text)))
			return w;
	return NULL;
}

static void explain_words(const struct config_option *o, struct str text,
			  char *why)
{
	struct config_guess guess = { .word = text };
	int n = snprintf(why, CONFIG_WHY_MAX, "must be");
	const char *sep = " ";

	for (const struct config_word *w = o->words; w->text != NULL; w++) {
		n += snprintf(why + n, CONFIG_WHY_MAX - (size_t)n, "%s%s", sep,
			      w->text);
		sep = ", ";
		config_guess_try(&guess, w->text);
	}
	if (guess.best != NULL)
		snprintf(why + n, CONFIG_WHY_MAX - (size_t)n,
			 "; did you mean \"%s\"?", guess.best);
}

static bool set_word(const struct config_option *o, void *fields,
		     struct str text, char *why)
{
	const struct config_word *w = find_word(o, text);

	if (w == NULL) {
		explain_words(o, text, why);
		return false;
	}
	put(fields, o, (uint64_t)w->value);
	return true;
}

static bool set_count(const struct config_option *o, void *fields,
		      struct str text, char *why)
{
	const struct config_word *w = find_word(o, text);
	uint64_t n = w != NULL ? (uint64_t)w->value : 0;

	if (w != NULL || (str_to_u64(&n, text) && in_range(o, n))) {
		put(fields, o, n);
		return true;
	}
	if (o->min == o->max)
		snprintf(why, CONFIG_WHY_MAX,
			 "other than %s is not available yet", o->preset);
	else
		snprintf(why, CONFIG_WHY_MAX,
			 "must be a number from %llu to %llu%s%s",
			 (unsigned long long)o->min, (unsigned long long)o->max,
			 o->words != NULL ? " or " : "",
			 o->words != NULL ? o->words->text : "");
	return false;
}

static bool set_units(const struct config_option *o, void *fields,
		      struct str text, char *why)
{
	bool size = o->type == CONFIG_SIZE;
	const struct unit *units = size ? size_units : time_units;
	char min[32], max[32];
	uint64_t n;
	bool ok = read_units(&n, text, units);

	if (!size && str_to_u64(&n, text)) {
		if (n > 0) {
			snprintf(why, CONFIG_WHY_MAX,
				 "needs a unit: ms, s, m or h");
			return false;
		}
		ok = true;
	}
	if (ok && in_range(o, n)) {
		put(fields, o, n);
		return true;
	}
	snprintf(why, CONFIG_WHY_MAX, "must be a %s from %s to %s, such as %s",
		 size ? "size" : "time",
		 write_units(min, sizeof(min), o->min, units),
		 write_units(max, sizeof(max), o->max, units), o->preset);
	return false;
}

static bool set_addr(const struct config_option *o, void *fields,
		     struct str text, char *why)
{
	struct sockaddr_storage addr;

	if (text.len == 0 && o->preset != NULL)
		return true;		/* none */
	if (addr_parse(&addr, text) != 0) {
		snprintf(why, CONFIG_WHY_MAX,
			 "must be ADDRESS:PORT, such as 127.0.0.1:8180, "
			 "[::1]:8180 or *:8180");
		return false;
	}
	memcpy((char *)fields + o->offset, &addr, sizeof(addr));
	return true;
}

static bool is_visible(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	return true;
}

/* text lives as long as the configuration. */
static bool set_path(const struct config_option *o, void *fields,
		     struct str text, char *why)
{
	if (text.len > 0 &&
	    (text.p[0] != '/' || !is_visible(text) ||
	     memchr(text.p, '?', text.len) || memchr(text.p, '#', text.len))) {
		snprintf(why, CONFIG_WHY_MAX,
			 "must be an absolute path without a query");
		return false;
	}
	memcpy((char *)fields + o->offset, &text, sizeof(text));
	return true;
}

/* `/id` or `//sp-id/id`; the ids are unreserved characters (TS-0001 7.2). */
static bool is_cse_id(struct str s)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-._~";
	struct str sp, rest;

	if (str_starts(s, STR("//"))) {
		if (!str_cut(str_skip(s, 2), '/', &sp, &rest) || sp.len == 0 ||
		    strspn(sp.p, allowed) != sp.len)
			return false;
		s = rest;
	} else if (str_starts(s, STR("/"))) {
		s = str_skip(s, 1);
	} else {
		return false;
	}
	return s.len > 0 && strspn(s.p, allowed) == s.len;
}

static bool set_cse_id(const struct config_option *o, void *fields,
		       const char *text, char *why)
{
	if (text[0] != '\0' && !is_cse_id(str_of(text))) {
		snprintf(why, CONFIG_WHY_MAX,
			 "must be a CSE-ID, such as /id-in");
		return false;
	}
	memcpy((char *)fields + o->offset, &text, sizeof(text));
	return true;
}

static bool set_text(const struct config_option *o, void *fields,
		     const char *text, char *why)
{
	if (text[0] != '\0' && !is_visible(str_of(text))) {
		snprintf(why, CONFIG_WHY_MAX, "must have no spaces");
		return false;
	}
	memcpy((char *)fields + o->offset, &text, sizeof(text));
	return true;
}

static bool set_files(const struct config_option *o, void *fields,
		      const char *text, char *why)
{
	struct str rest = str_of(text), one;

	while (str_word(&one, &rest))
		if (!is_visible(one)) {
			snprintf(why, CONFIG_WHY_MAX,
				 "must name files in plain ASCII");
			return false;
		}
	memcpy((char *)fields + o->offset, &text, sizeof(text));
	return true;
}

/* As a browser sends it (RFC 6454 6.1): without a path, not even a slash. */
static bool is_origin(struct str s)
{
	const char *sep;

	if (str_eq(s, STR("*")) || str_eq(s, STR("null")))
		return true;
	sep = memchr(s.p, ':', s.len);
	if (sep == NULL || sep == s.p || !is_visible(s))
		return false;
	s = str_range(sep, s.p + s.len);
	return s.len > 3 && str_starts(s, STR("://")) &&
	       memchr(s.p + 3, '/', s.len - 3) == NULL;
}

static bool set_origins(struct config_store *st, const struct config_option *o,
			void *fields, struct str text, char *why)
{
	struct ws_handshake_conf *conf =
		(void *)((char *)fields + o->offset);
	struct str rest = text, one, *list;
	size_t count = 0;

	while (str_word(&one, &rest)) {
		if (is_origin(one)) {
			count++;
			continue;
		}
		snprintf(why, CONFIG_WHY_MAX,
			 "must be web origins without a path, such as "
			 "https://app.example.org");
		return false;
	}
	list = config_alloc(st, count * sizeof(*list));
	if (list == NULL)
		return false;
	conf->origins = list;
	conf->origin_count = count;
	while (str_word(&one, &text))
		*list++ = one;
	return true;
}

static bool set_nets(struct config_store *st, const struct config_option *o,
		     void *fields, struct str text, char *why)
{
	struct addr_nets *nets = (void *)((char *)fields + o->offset);
	struct str rest = text, one;
	struct addr_net *list;
	size_t count = 0;

	while (str_word(&one, &rest))
		count++;
	list = config_alloc(st, count * sizeof(*list));
	if (list == NULL)
		return false;
	*nets = (struct addr_nets){ list, count };
	while (str_word(&one, &text)) {
		if (addr_net_parse(list++, one) == 0)
			continue;
		snprintf(why, CONFIG_WHY_MAX,
			 "must be addresses or networks, such as "
			 "192.0.2.7 10.0.0.0/8 ::1");
		return false;
	}
	return true;
}

static bool set_url(struct config_store *st, void *fields, const char *text,
		    char *why)
{
	struct upstream_conf *u = fields;
	const char *bad = config_url_parse(st, u, text);

	if (bad != NULL)
		snprintf(why, CONFIG_WHY_MAX, "%s", bad);
	return bad == NULL;
}

bool config_value_set(struct config_store *st, const struct config_option *o,
		      void *fields, const char *text,
		      char why[CONFIG_WHY_MAX])
{
	struct str s = str_of(text);

	why[0] = '\0';
	switch (o->type) {
	case CONFIG_BOOL:
		return set_bool(o, fields, s, why);
	case CONFIG_WORD:
		return set_word(o, fields, s, why);
	case CONFIG_COUNT:
		return set_count(o, fields, s, why);
	case CONFIG_SIZE:
	case CONFIG_DURATION:
		return set_units(o, fields, s, why);
	case CONFIG_ADDR:
		return set_addr(o, fields, s, why);
	case CONFIG_PATH:
		return set_path(o, fields, s, why);
	case CONFIG_ORIGINS:
		return set_origins(st, o, fields, s, why);
	case CONFIG_NETS:
		return set_nets(st, o, fields, s, why);
	case CONFIG_CSE_ID:
		return set_cse_id(o, fields, text, why);
	case CONFIG_TEXT:
		return set_text(o, fields, text, why);
	case CONFIG_FILES:
		return set_files(o, fields, text, why);
	case CONFIG_URL:
		return set_url(st, fields, text, why);
	}
	return false;
}
