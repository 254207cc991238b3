#define _GNU_SOURCE	/* memmem */
#include "m2m/poa_priv.h"

/*
 * One pass over text that is valid JSON: only strings matter, and a string
 * before a colon is a name, so no level is counted. What goes is taken back
 * from the end of out, where the comma or the bracket in front of it stands.
 */
struct restorer {
	const struct poa_routes *routes;
	struct buf *out;
	const char *from;	/* the content is written up to here */
	const char *end;
	struct buf scratch;
	struct buf other;	/* a second string, to compare */
	bool changed;
};

/* What a list holds. */
struct list {
	struct str raw;
	bool has_ours;		/* a URL of the gateway */
	bool has_others;
	bool found;		/* ours, and the token is known */
	struct str sent;	/* then: the client's own list, or empty */
};

/* The host of http://host/..., or all of it. */
static struct str authority(struct str url)
{
	const char *mark = memmem(url.p, url.len, "://", 3);
	struct str host;

	if (mark == NULL)
		return url;
	url = str_range(mark + 3, url.p + url.len);
	(void)str_cut(url, '/', &host, &url);
	return host;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	return p;
}

/* From an opening quote to the closing one. */
static const char *string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p;
}

/* All of the array at p if it holds only strings; else nothing. */
static struct str string_list(const char *p, const char *end)
{
	const char *from = p;

	do {
		p = skip_space(p + 1, end);
		if (p >= end || *p != '"')
			break;
		p = skip_space(string_end(p, end) + 1, end);
	} while (p < end && *p == ',');
	if (p >= end || *p != ']')
		return (struct str){ NULL, 0 };
	return str_range(from, p + 1);
}

static bool is_ours(struct str entry, const struct poa_routes *routes)
{
	return str_starts(entry, routes->prefix);
}

/* The token of a URL of ours: up to whatever a CSE may have added. */
static struct str token_of(struct str entry, const struct poa_routes *routes)
{
	struct str token = str_skip(entry, routes->prefix.len);

	for (size_t i = 0; i < token.len; i++)
		if (strchr("/?#", token.p[i]) != NULL)
			token.len = i;
	return token;
}

static void read_list(struct list *out, struct restorer *r, struct str raw)
{
	struct poa_walk w;

	*out = (struct list){ .raw = raw };
	poa_walk_begin(&w, raw, JSCAN_ARRAY);
	while (poa_walk_next(&w)) {
		struct str entry = poa_text(&r->scratch, &w.value);

		if (!is_ours(entry, r->routes)) {
			out->has_others = true;
			continue;
		}
		out->has_ours = true;
		if (!out->found)
			out->found = r->routes->find(r->routes->arg, &out->sent,
						     token_of(entry,
							      r->routes));
	}
}

/* The next entry as poa_rewrite() leaves it: of the ws ones only the first
 * counts. */
static bool next_sent(struct poa_walk *sent, struct restorer *r, bool *is_ws,
		      bool *had_ws)
{
	while (poa_walk_next(sent)) {
		*is_ws = poa_is_ws(poa_text(&r->other, &sent->value));
		if (*is_ws && *had_ws)
			continue;
		*had_ws = *had_ws || *is_ws;
		return true;
	}
	return false;
}

/* The list is what poa_rewrite() has made of the one that the client had
 * sent. */
static bool is_as_sent(struct restorer *r, const struct list *l)
{
	bool is_ws = false, had_ws = false;
	struct poa_walk here, sent;

	poa_walk_begin(&here, l->raw, JSCAN_ARRAY);
	poa_walk_begin(&sent, l->sent, JSCAN_ARRAY);
	while (poa_walk_next(&here)) {
		struct str entry = poa_text(&r->scratch, &here.value);
		bool ours = is_ours(entry, r->routes);

		if (!next_sent(&sent, r, &is_ws, &had_ws)) {
			/* what stands for an empty list */
			if (!ours || had_ws)
				return false;
			had_ws = true;
		} else if (ours != is_ws) {
			return false;
		} else if (!ours && !str_eq(entry, poa_text(&r->other,
							   &sent.value))) {
			return false;
		}
	}
	return !next_sent(&sent, r, &is_ws, &had_ws);
}

static void copy_to(struct restorer *r, const char *to)
{
	buf_add_str(r->out, str_range(r->from, to));
	r->from = to;
	r->changed = true;
}

static void trim_end(struct buf *out)
{
	while (out->len > 0 && is_space(out->p[out->len - 1]))
		out->len--;
}

/* Leaves out a member or an entry, and the comma in front of it or, when it
 * is the first, the one behind. */
static void drop(struct restorer *r, const char *from, const char *to)
{
	struct buf *out = r->out;

	copy_to(r, from);
	r->from = to;
	if (out->failed)
		return;
	trim_end(out);
	if (out->p[out->len - 1] == ',') {
		out->len--;
		trim_end(out);
		return;
	}
	to = skip_space(to, r->end);
	if (to < r->end && *to == ',')
		r->from = to + 1;
}

static void replace(struct restorer *r, struct str old, struct str text)
{
	copy_to(r, old.p);
	buf_add_str(r->out, text);
	r->from = old.p + old.len;
}

/* The ws entries of a list, as they were written, in place of one entry. */
static bool replace_by_ws(struct restorer *r, struct str old, struct str sent)
{
	bool any = false;
	struct poa_walk w;

	poa_walk_begin(&w, sent, JSCAN_ARRAY);
	while (poa_walk_next(&w)) {
		if (!poa_is_ws(poa_text(&r->other, &w.value)))
			continue;
		if (any)
			buf_add_char(r->out, ',');
		else
			copy_to(r, old.p);
		buf_add_str(r->out, w.value.raw);
		any = true;
	}
	if (any)
		r->from = old.p + old.len;
	return any;
}

/* The CSE has made something of its own of the list. */
static void edit_list(struct restorer *r, const struct list *l)
{
	bool done = !l->found;
	struct poa_walk w;

	poa_walk_begin(&w, l->raw, JSCAN_ARRAY);
	while (poa_walk_next(&w)) {
		struct str raw = w.value.raw;

		if (!is_ours(poa_text(&r->scratch, &w.value), r->routes))
			continue;
		if (done || !replace_by_ws(r, raw, l->sent))
			drop(r, raw.p, raw.p + raw.len);
		done = true;
	}
}

/* A member poa, its name at `name`. */
static void restore(struct restorer *r, const char *name, struct str raw)
{
	struct list l;

	read_list(&l, r, raw);
	if (!l.has_ours)
		return;
	if (l.found && l.sent.len == 0 && !l.has_others)
		drop(r, name, raw.p + raw.len);
	else if (l.found && l.sent.len > 0 && is_as_sent(r, &l))
		replace(r, raw, l.sent);
	else
		edit_list(r, &l);
}

static bool is_poa(struct restorer *r, const char *quote, const char *close)
{
	struct str name = str_range(quote + 1, close);

	return str_eq(poa_decode(&r->scratch, name,
				 memchr(name.p, '\\', name.len) != NULL),
		      STR("poa"));
}

/* Looks at the string that begins at p; gives where to go on. */
static const char *step(struct restorer *r, const char *p)
{
	const char *close = string_end(p, r->end), *value;
	struct str list;

	if (close >= r->end)
		return r->end;
	value = skip_space(close + 1, r->end);
	if (value >= r->end || *value != ':' || !is_poa(r, p, close))
		return value;
	value = skip_space(value + 1, r->end);
	if (value >= r->end || *value != '[')
		return value;
	list = string_list(value, r->end);
	if (list.len == 0)
		return value;
	restore(r, p, list);
	return list.p + list.len;
}

bool poa_may_restore(struct str octets, const struct poa_routes *routes)
{
	struct str host = authority(routes->prefix);

	return octets.len > 0 &&
	       memmem(octets.p, octets.len, host.p, host.len) != NULL;
}

bool poa_restore(struct buf *out, struct str content,
		 const struct poa_routes *routes)
{
	struct restorer r = {
		.routes = routes,
		.out = out,
		.from = content.p,
		.end = content.p + content.len,
	};
	const char *p = content.p;

	if (!poa_may_restore(content, routes))
		return false;
	while ((p = memchr(p, '"', (size_t)(r.end - p))) != NULL)
		p = step(&r, p);
	if (r.scratch.failed || r.other.failed)
		out->failed = r.changed = true;
	if (r.changed)
		copy_to(&r, r.end);
	buf_deinit(&r.scratch);
	buf_deinit(&r.other);
	return r.changed;
}
