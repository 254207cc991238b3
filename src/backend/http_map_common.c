#include "backend/http_map_priv.h"

#include <limits.h>

static bool is_json_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool http_map_is_header_value(struct str s)
{
	if (s.len > 0 && (s.p[0] == ' ' || s.p[s.len - 1] == ' '))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return true;
}

struct str http_map_trim_json(struct str body)
{
	while (body.len > 0 && is_json_space(body.p[0]))
		body = str_skip(body, 1);
	while (body.len > 0 && is_json_space(body.p[body.len - 1]))
		body.len--;
	return body;
}

bool http_map_is_number(struct str s)
{
	const char *why;
	char first = s.len > 0 ? s.p[0] : 0;

	if (first != '-' && (first < '0' || first > '9'))
		return false;
	return !is_json_space(s.p[s.len - 1]) &&
	       jscan_check(s, 1, 1, &why) == 0;
}

static bool is_bool(struct str *out, struct str s)
{
	if (str_eq(s, STR("true")) || str_eq(s, STR("1")))
		*out = STR("true");
	else if (str_eq(s, STR("false")) || str_eq(s, STR("0")))
		*out = STR("false");
	else
		return false;
	return true;
}

void http_map_set_text(struct prim *p, enum prim_param id, struct str text)
{
	enum prim_type type = prim_params[id].type;

	if (type == TYPE_NUMBER && http_map_is_number(text))
		prim_set(p, id, VALUE_NUMBER, text);
	else if (type == TYPE_BOOL && is_bool(&text, text))
		prim_set(p, id, VALUE_BOOL, text);
	else
		prim_set_str(p, id, text);
}

bool json_walk_begin(struct json_walk *w, struct str text, char bracket)
{
	text = http_map_trim_json(text);
	if (text.len == 0 || text.p[0] != bracket)
		return false;
	w->first = true;
	jscan_init(&w->scan, text, JSCAN_DEPTH_MAX, UINT_MAX);
	w->err = jscan_enter(&w->scan,
			     bracket == '{' ? JSCAN_OBJECT : JSCAN_ARRAY);
	return w->err == 0;
}

bool json_walk_next(struct json_walk *w)
{
	int got = jscan_next(&w->name, &w->value, &w->scan, w->first);

	w->first = false;
	if (got < 0)
		w->err = got;
	return got > 0;
}

struct str json_text(struct buf *scratch, struct str inside, bool escaped)
{
	if (!escaped)
		return inside;
	scratch->len = 0;
	jscan_unescape(scratch, inside);
	return buf_str(scratch);
}

bool json_scalar(struct str *out, struct buf *scratch,
		 const struct jscan_value *v)
{
	switch (v->type) {
	case JSCAN_STRING:
		*out = json_text(scratch, jscan_inside(v), v->escaped);
		return true;
	case JSCAN_NUMBER:
	case JSCAN_TRUE:
	case JSCAN_FALSE:
		*out = v->raw;
		return true;
	default:
		return false;
	}
}

bool json_name_is(struct buf *scratch, const struct jscan_value *name,
		  struct str want)
{
	return str_eq(json_text(scratch, name->raw, name->escaped), want);
}
