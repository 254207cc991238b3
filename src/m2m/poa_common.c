#include "m2m/poa_priv.h"

#include <limits.h>

void poa_walk_begin(struct poa_walk *w, struct str text, enum jscan_type type)
{
	char bracket = type == JSCAN_OBJECT ? '{' : '[';

	while (text.len > 0 && memchr(" \t\n\r", text.p[0], 4) != NULL)
		text = str_skip(text, 1);
	if (text.len == 0 || text.p[0] != bracket)
		text = type == JSCAN_OBJECT ? STR("{}") : STR("[]");
	w->first = true;
	jscan_init(&w->scan, text, JSCAN_DEPTH_MAX, UINT_MAX);
	(void)!jscan_enter(&w->scan, type);	/* it begins with its bracket */
}

bool poa_walk_next(struct poa_walk *w)
{
	int got = jscan_next(&w->name, &w->value, &w->scan, w->first);

	w->first = false;
	return got > 0;
}

struct str poa_decode(struct buf *scratch, struct str inside, bool escaped)
{
	if (!escaped)
		return inside;
	scratch->len = 0;
	jscan_unescape(scratch, inside);
	return buf_str(scratch);
}

struct str poa_text(struct buf *scratch, const struct jscan_value *v)
{
	if (v->type != JSCAN_STRING)
		return (struct str){ NULL, 0 };
	return poa_decode(scratch, jscan_inside(v), v->escaped);
}

bool poa_name_is(struct buf *scratch, const struct poa_walk *w,
		 struct str want)
{
	return str_eq(poa_decode(scratch, w->name.raw, w->name.escaped), want);
}

unsigned poa_find(struct jscan_value *out, struct buf *scratch,
		  struct str object, struct str name)
{
	struct poa_walk w;
	unsigned count = 0;

	poa_walk_begin(&w, object, JSCAN_OBJECT);
	while (count < 2 && poa_walk_next(&w)) {
		if (!poa_name_is(scratch, &w, name))
			continue;
		if (count++ == 0)
			*out = w.value;
	}
	return count;
}

bool poa_find_resource(struct jscan_value *out, struct buf *scratch,
		       struct str content, struct str name)
{
	struct poa_walk w;

	poa_walk_begin(&w, content, JSCAN_OBJECT);
	if (!poa_walk_next(&w) || w.value.type != JSCAN_OBJECT ||
	    !poa_name_is(scratch, &w, name))
		return false;
	*out = w.value;
	return !poa_walk_next(&w);
}

bool poa_is_ws(struct str entry)
{
	struct str query;

	(void)str_cut(entry, '?', &entry, &query);
	return str_ieq(entry, STR("ws")) || str_ieq(entry, STR("wss")) ||
	       str_istarts(entry, STR("ws:")) ||
	       str_istarts(entry, STR("wss:"));
}

enum poa_list poa_list_kind(struct buf *scratch, const struct jscan_value *v)
{
	enum poa_list kind = POA_LIST_EMPTY;
	struct poa_walk w;

	if (v->type != JSCAN_ARRAY)
		return POA_LIST_ODD;
	poa_walk_begin(&w, v->raw, JSCAN_ARRAY);
	while (poa_walk_next(&w)) {
		if (w.value.type != JSCAN_STRING)
			return POA_LIST_ODD;
		if (kind == POA_LIST_EMPTY)
			kind = POA_LIST_OTHERS;
		if (poa_is_ws(poa_text(scratch, &w.value)))
			kind = POA_LIST_WS;
	}
	return kind;
}

void poa_add_list(struct buf *out, struct buf *scratch, struct str list,
		  struct str text)
{
	const char *from = list.p;	/* not yet written */
	const char *kept = NULL;	/* end of the last entry that stays */
	bool replaced = false;
	struct poa_walk w;

	poa_walk_begin(&w, list, JSCAN_ARRAY);
	while (poa_walk_next(&w)) {
		struct str raw = w.value.raw;
		bool is_ws = poa_is_ws(poa_text(scratch, &w.value));

		if (is_ws && !replaced) {
			buf_add_str(out, str_range(from, raw.p));
			buf_add_json(out, text);
			from = raw.p + raw.len;
			replaced = true;
		} else if (is_ws) {
			/* with the comma in front of it */
			if (kept > from)
				buf_add_str(out, str_range(from, kept));
			from = raw.p + raw.len;
		}
		kept = is_ws ? from : raw.p + raw.len;
	}
	buf_add_str(out, str_range(from, list.p + list.len));
}
