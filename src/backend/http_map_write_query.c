/*
 * The query of a request (TS-0009 6.2.2.2): rt, rp, rcn, da, then the members
 * of fc in the client's order, then the rest. A `+` that stands as it is
 * separates the members of a list; everything else that could be read
 * differently is percent-encoded.
 */
#include "backend/http_map_priv.h"

struct scalar {
	enum prim_param id;
	const char *why;	/* why an array or object is refused */
};

#define SCALAR(id, name) { PARAM_##id, name " has no HTTP form: wrong type" }

static const struct scalar before_fc[] = {
	SCALAR(RP, "rp"),
	SCALAR(RCN, "rcn"),
	SCALAR(DA, "da"),
};
static const struct scalar drt = SCALAR(DRT, "drt");
static const struct scalar after_lists[] = {
	SCALAR(TQI, "tqi"),
	SCALAR(ASI, "asi"),
	SCALAR(AURI, "auri"),
	SCALAR(SQI, "sqi"),
};

static bool refuse(struct request_writer *w, const char *why)
{
	return request_refuse(w, ERR_PROTO, why);
}

static void add_separator(struct request_writer *w)
{
	buf_add_char(w->head, w->has_query ? '&' : '?');
	w->has_query = true;
}

static void add_name(struct request_writer *w, struct str name)
{
	add_separator(w);
	buf_add_str(w->head, name);
	buf_add_char(w->head, '=');
}

/* NUL, CR and LF stay out even when encoded: CSEs decode and pass them on. */
static bool add_text(struct request_writer *w, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] == 0 || text.p[i] == '\r' || text.p[i] == '\n')
			return refuse(w, "NUL, CR or LF in a query value");
	buf_add_percent(w->head, text, http_map_query_keep);
	return true;
}

static bool add_list(struct request_writer *w, struct str json, size_t *count)
{
	struct json_walk walk;
	struct str text;

	*count = 0;
	if (!json_walk_begin(&walk, json, '['))
		return refuse(w, "a list was expected in the query");
	while (json_walk_next(&walk)) {
		if (!json_scalar(&text, &w->scratch, &walk.value))
			return refuse(w, "a list holds more than scalars");
		if (text.len == 0)
			return refuse(w, "a list has an empty member");
		if ((*count)++ > 0)
			buf_add_char(w->head, '+');
		if (!add_text(w, text))
			return false;
	}
	return walk.err == 0 || refuse(w, "a list is nested too deeply");
}

/* Back to where nothing of a field without members was written. */
static void drop_field(struct request_writer *w, size_t from, bool had_query)
{
	w->head->len = from;
	w->has_query = had_query;
}

static bool write_list(struct request_writer *w, enum prim_param id)
{
	const struct value *v = &w->p->param[id];
	size_t from = w->head->len, count;
	bool had = w->has_query;

	if (!prim_has(w->p, id))
		return true;
	add_name(w, prim_params[id].name);
	if (v->type != VALUE_JSON)
		return add_text(w, v->text);
	if (!add_list(w, v->text, &count))
		return false;
	if (count == 0)
		drop_field(w, from, had);
	return true;
}

static bool write_scalar(struct request_writer *w, const struct scalar *row)
{
	const struct value *v = &w->p->param[row->id];

	if (!prim_has(w->p, row->id))
		return true;
	if (v->type == VALUE_JSON)
		return refuse(w, row->why);
	add_name(w, prim_params[row->id].name);
	return add_text(w, v->text);
}

static bool write_rtv(struct request_writer *w, const struct jscan_value *v)
{
	struct str text;

	if (v->type == JSCAN_NULL)
		return true;
	if (!json_scalar(&text, &w->scratch, v))
		return refuse(w, "rt.rtv has no HTTP form: wrong type");
	add_name(w, STR("rt"));
	return add_text(w, text);
}

static bool write_rt(struct request_writer *w)
{
	const struct value *rt = &w->p->param[PARAM_RT];
	struct json_walk walk;
	bool seen = false;

	if (!prim_has(w->p, PARAM_RT))
		return true;
	if (rt->type != VALUE_JSON) {
		add_name(w, STR("rt"));
		return add_text(w, rt->text);
	}
	if (!json_walk_begin(&walk, rt->text, '{'))
		return refuse(w, "rt has no HTTP form: wrong type");
	while (json_walk_next(&walk)) {
		if (!json_name_is(&w->scratch, &walk.name, STR("rtv")))
			continue;
		if (seen)
			return refuse(w, "rt has two members rtv");
		seen = true;
		if (!write_rtv(w, &walk.value))
			return false;
	}
	return walk.err == 0 || refuse(w, "rt is nested too deeply");
}

/* A condition must not become a parameter that nobody has judged. */
static bool add_condition_name(struct request_writer *w, struct str prefix,
			       struct str name)
{
	if (name.len == 0)
		return refuse(w, "fc has a member without name");
	if (prefix.len == 0 && http_map_find_field(name)->kind <= FIELD_ATRL)
		return refuse(w, "fc names a request parameter");
	add_separator(w);
	buf_add_str(w->head, prefix);
	if (!add_text(w, name))
		return false;
	buf_add_char(w->head, '=');
	return true;
}

static bool write_condition(struct request_writer *w, struct str prefix,
			    const struct jscan_value *name,
			    const struct jscan_value *value)
{
	size_t from = w->head->len, count;
	bool had = w->has_query;
	struct str text;

	if (!add_condition_name(w, prefix, json_text(&w->scratch, name->raw,
						     name->escaped)))
		return false;
	if (json_scalar(&text, &w->scratch, value))
		return add_text(w, text);
	if (value->type != JSCAN_ARRAY)
		return refuse(w, "a member of fc has no HTTP form");
	if (!add_list(w, value->raw, &count))
		return false;
	if (count == 0)
		drop_field(w, from, had);
	return true;
}

/* {"nm":name,"val":value} */
static bool write_attribute(struct request_writer *w, struct str prefix,
			    struct str json)
{
	struct json_walk walk;
	struct jscan_value nm = { .type = JSCAN_NULL };
	struct jscan_value val = { .type = JSCAN_NULL };

	if (!json_walk_begin(&walk, json, '{'))
		return refuse(w, "fc.atr holds more than nm and val");
	while (json_walk_next(&walk)) {
		if (json_name_is(&w->scratch, &walk.name, STR("nm")))
			nm = walk.value;
		else if (json_name_is(&w->scratch, &walk.name, STR("val")))
			val = walk.value;
	}
	if (walk.err != 0 || nm.type != JSCAN_STRING || val.type == JSCAN_NULL)
		return refuse(w, "fc.atr lacks nm or val");
	nm.raw = jscan_inside(&nm);
	return write_condition(w, prefix, &nm, &val);
}

static bool write_attributes(struct request_writer *w, struct str prefix,
			     const struct jscan_value *list)
{
	struct json_walk walk;

	if (list->type == JSCAN_OBJECT)
		return write_attribute(w, prefix, list->raw);
	if (!json_walk_begin(&walk, list->raw, '['))
		return refuse(w, "fc.atr is not a list");
	while (json_walk_next(&walk))
		if (!write_attribute(w, prefix, walk.value.raw))
			return false;
	return walk.err == 0 || refuse(w, "fc.atr is nested too deeply");
}

static bool write_fc_member(struct request_writer *w,
			    const struct json_walk *at)
{
	if (at->value.type == JSCAN_NULL)
		return true;
	if (json_name_is(&w->scratch, &at->name, STR("atr")))
		return write_attributes(w, STR(""), &at->value);
	if (json_name_is(&w->scratch, &at->name, STR("catr")))
		return write_attributes(w, STR("c."), &at->value);
	if (json_name_is(&w->scratch, &at->name, STR("patr")))
		return write_attributes(w, STR("p."), &at->value);
	return write_condition(w, STR(""), &at->name, &at->value);
}

static bool write_fc(struct request_writer *w)
{
	struct json_walk walk;

	if (!prim_has(w->p, PARAM_FC))
		return true;
	if (w->p->param[PARAM_FC].type != VALUE_JSON ||
	    !json_walk_begin(&walk, w->p->param[PARAM_FC].text, '{'))
		return refuse(w, "fc has no HTTP form: wrong type");
	while (json_walk_next(&walk))
		if (!write_fc_member(w, &walk))
			return false;
	return walk.err == 0 || refuse(w, "fc is nested too deeply");
}

/* The value of {"m2m:atrl":[...]}. */
static bool find_atrl(struct request_writer *w, struct str *list)
{
	struct json_walk walk;
	bool found = false;

	if (!json_walk_begin(&walk, w->p->content, '{'))
		return refuse(w, "pc is not an attribute list");
	while (json_walk_next(&walk)) {
		if (found || !json_name_is(&w->scratch, &walk.name,
					   STR("m2m:atrl")))
			return refuse(w, "pc is not an attribute list");
		*list = walk.value.raw;
		found = true;
	}
	return walk.err == 0 || refuse(w, "pc is nested too deeply");
}

/*
 * What a RETRIEVE asks for, as query. An empty content is what some libraries
 * send with every primitive; any other has no place in HTTP.
 */
static bool write_atrl(struct request_writer *w)
{
	struct str list = { NULL, 0 };
	size_t from = w->head->len, count;
	bool had = w->has_query;

	if (w->p->content.len > 0 && !find_atrl(w, &list))
		return false;
	if (list.p == NULL && w->attribute.len == 0)
		return true;
	if (w->p->op != OP_RETRIEVE)
		return refuse(w, "pc has no HTTP form in a DELETE");
	if (list.p != NULL && w->attribute.len > 0)
		return refuse(w, "to#attribute beside an attribute list");
	add_name(w, STR("atrl"));
	if (list.p == NULL)
		return add_text(w, w->attribute);
	if (!add_list(w, list, &count))
		return false;
	if (count == 0)
		drop_field(w, from, had);
	return true;
}

static bool write_scalars(struct request_writer *w, const struct scalar *rows,
			  size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!write_scalar(w, &rows[i]))
			return false;
	return true;
}

bool request_write_query(struct request_writer *w)
{
	if (!write_rt(w) ||
	    !write_scalars(w, before_fc, ARRAY_LEN(before_fc)) ||
	    !write_fc(w) || !write_scalar(w, &drt) ||
	    !write_list(w, PARAM_RIDS) || !write_list(w, PARAM_TIDS) ||
	    !write_list(w, PARAM_LTIDS) ||
	    !write_scalars(w, after_lists, ARRAY_LEN(after_lists)))
		return false;
	if (w->p->op != OP_RETRIEVE && w->p->op != OP_DELETE)
		return true;	/* content is the body */
	return write_atrl(w);
}
