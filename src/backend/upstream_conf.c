#include <stdlib.h>

#include "upstream.h"

#define TEXT(member) offsetof(struct upstream_conf, member)

/* Its texts that are const char *, which may be NULL. */
static const size_t texts[] = {
	TEXT(name), TEXT(host), TEXT(unix_path), TEXT(base), TEXT(authority),
	TEXT(cse_id), TEXT(release), TEXT(tls_conf.ca_file),
	TEXT(tls_conf.cert_file), TEXT(tls_conf.key_file), TEXT(tls_conf.host),
};

static const char **text_at(struct upstream_conf *c, size_t i)
{
	return (const char **)((char *)c + texts[i]);
}

static const char *text_of(const struct upstream_conf *c, size_t i)
{
	return *(const char *const *)((const char *)c + texts[i]);
}

void upstream_conf_deinit(struct upstream_conf *c)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free((char *)*text_at(c, i));
	free((char *)c->url.p);
	free((char *)c->health.p);
	*c = (struct upstream_conf){ 0 };
}

/* False: no memory. */
static bool copy_str(struct str *to, struct str from)
{
	char *p = malloc(from.len + 1);

	*to = (struct str){ p, from.len };
	if (p == NULL)
		return false;
	if (from.len > 0)
		memcpy(p, from.p, from.len);
	p[from.len] = '\0';
	return true;
}

int upstream_conf_copy(struct upstream_conf *to,
		       const struct upstream_conf *from)
{
	bool complete;

	*to = *from;
	complete = copy_str(&to->url, from->url);
	complete = copy_str(&to->health, from->health) && complete;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text = text_of(from, i);
		char *copy = text != NULL ? strdup(text) : NULL;

		*text_at(to, i) = copy;
		complete = complete && (copy != NULL || text == NULL);
	}
	if (complete)
		return 0;
	upstream_conf_deinit(to);
	return UV_ENOMEM;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool upstream_conf_equal(const struct upstream_conf *a,
			 const struct upstream_conf *b)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!same_text(text_of(a, i), text_of(b, i)))
			return false;
	return str_eq(a->url, b->url) && str_eq(a->health, b->health) &&
	       a->port == b->port && a->tls == b->tls &&
	       a->format == b->format && a->connections == b->connections &&
	       a->connect_timeout_ms == b->connect_timeout_ms &&
	       a->timeout_ms == b->timeout_ms &&
	       a->keepalive_ms == b->keepalive_ms &&
	       a->max_waiting == b->max_waiting &&
	       a->max_answer == b->max_answer && a->weight == b->weight &&
	       a->backup == b->backup &&
	       a->health_interval_ms == b->health_interval_ms &&
	       a->slow_start_ms == b->slow_start_ms;
}
