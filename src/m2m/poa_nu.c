#include "m2m/poa_priv.h"

/* Resources that have targets of notifications. */
static const struct str subscriptions[] = {
	STR_INIT("m2m:sub"),
	STR_INIT("m2m:crs"),
};

struct nu_writer {
	const struct nu_rules *rules;
	struct buf *out;
	const char *from;	/* the text is written up to here */
	struct buf scratch;
	struct buf target;	/* what takes the place of a ws entry */
	bool changed;
	bool foreign;
};

/* ws://default and the like, which name no host. url has no query. */
static bool is_marker(struct str url)
{
	static const struct str markers[] = {
		STR_INIT("ws"), STR_INIT("ws:"), STR_INIT("ws://default"),
		STR_INIT("wss"), STR_INIT("wss:"), STR_INIT("wss://default"),
	};

	while (url.len > 0 && url.p[url.len - 1] == '/')
		url.len--;
	for (size_t i = 0; i < ARRAY_LEN(markers); i++)
		if (str_ieq(url, markers[i]))
			return true;
	return false;
}

/* The item ct=... of a query (TS-0004 7.5.1.2.2), or nothing. */
static struct str find_hint(struct str query)
{
	struct str item;

	while (query.len > 0) {
		(void)str_cut(query, '&', &item, &query);
		if (str_starts(item, STR("ct=")))
			return item;
	}
	return (struct str){ NULL, 0 };
}

/* Judges a decoded target; makes the new one of the first that is ws. */
static bool take_target(struct nu_writer *w, struct str text)
{
	struct str url, query, hint;

	if (!poa_is_ws(text))
		return false;
	(void)str_cut(text, '?', &url, &query);
	if (!is_marker(url) && w->rules->is_own != NULL &&
	    !w->rules->is_own(w->rules->arg, url))
		w->foreign = true;
	if (w->target.len > 0)
		return true;
	buf_add_str(&w->target, w->rules->originator);
	hint = find_hint(query);
	if (hint.len > 0) {
		buf_add_char(&w->target, '?');
		buf_add_str(&w->target, hint);
	}
	return true;
}

static void copy_to(struct nu_writer *w, const char *to)
{
	buf_add_str(w->out, str_range(w->from, to));
	w->from = to;
}

static void replace_list(struct nu_writer *w, const struct jscan_value *v)
{
	struct poa_walk walk;

	if (poa_list_kind(&w->scratch, v) != POA_LIST_WS)
		return;
	poa_walk_begin(&walk, v->raw, JSCAN_ARRAY);
	while (poa_walk_next(&walk))
		(void)take_target(w, poa_text(&w->scratch, &walk.value));
	copy_to(w, v->raw.p);
	poa_add_list(w->out, &w->scratch, v->raw, buf_str(&w->target));
	w->from = v->raw.p + v->raw.len;
	w->changed = true;
}

static void replace_string(struct nu_writer *w, const struct jscan_value *v)
{
	if (!take_target(w, poa_text(&w->scratch, v)))
		return;
	copy_to(w, v->raw.p);
	buf_add_json(w->out, buf_str(&w->target));
	w->from = v->raw.p + v->raw.len;
	w->changed = true;
}

/* The members of an object, in the order in which they stand. */
static void replace_members(struct nu_writer *w, struct str object,
			    bool with_su)
{
	struct jscan_value nu, su;
	bool has_nu = poa_find(&nu, &w->scratch, object, STR("nu")) == 1;
	bool has_su = with_su &&
		      poa_find(&su, &w->scratch, object, STR("su")) == 1;
	bool su_first = has_nu && has_su && su.raw.p < nu.raw.p;

	if (su_first)
		replace_string(w, &su);
	w->target.len = 0;
	if (has_nu)
		replace_list(w, &nu);
	w->target.len = 0;
	if (has_su && !su_first)
		replace_string(w, &su);
}

static enum nu_result finish(struct nu_writer *w, struct str text)
{
	enum nu_result result = NU_SAME;

	if (w->scratch.failed || w->target.failed) {
		w->out->failed = true;
		result = NU_CHANGED;
	} else if (w->foreign) {
		w->out->len = 0;
		result = NU_FOREIGN;
	} else if (w->changed) {
		copy_to(w, text.p + text.len);
		result = NU_CHANGED;
	}
	buf_deinit(&w->scratch);
	buf_deinit(&w->target);
	return result;
}

enum nu_result nu_rewrite(struct buf *out, struct str content,
			  const struct nu_rules *rules)
{
	struct nu_writer w = { .rules = rules, .out = out, .from = content.p };
	struct jscan_value resource;

	for (size_t i = 0; i < ARRAY_LEN(subscriptions); i++)
		if (poa_find_resource(&resource, &w.scratch, content,
				      subscriptions[i])) {
			replace_members(&w, resource.raw, true);
			break;
		}
	return finish(&w, content);
}

enum nu_result nu_rewrite_rt(struct buf *out, struct str rt,
			     const struct nu_rules *rules)
{
	struct nu_writer w = { .rules = rules, .out = out, .from = rt.p };

	replace_members(&w, rt, false);
	return finish(&w, rt);
}
