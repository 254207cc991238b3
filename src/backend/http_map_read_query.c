/*
 * The query of a request (TS-0009 6.2.2.2) backwards. A list may come joined
 * with +, as white space, as repeated fields (ACME), or as a JSON array
 * (tinyIoT); all places of one name make one list. Of a scalar the first
 * place counts.
 */
#include "backend/http_map_priv.h"

struct field {
	struct str name, value;			/* raw */
	const struct http_map_field *info;
};

static bool fail(struct request_reader *r, const char *why)
{
	return request_fail(r, ERR_PROTO, why);
}

/* Known names are short and ASCII; with percent signs they are still those. */
static const struct http_map_field *find_info(struct request_reader *r,
					      struct str raw)
{
	struct str name;

	if (!request_decode(r, &name, raw, true))
		return NULL;
	return http_map_find_field(name);
}

/* 1: the next field that has a name; 0: none; -1: failed. */
static int next_field(struct field *f, struct str *rest,
		      struct request_reader *r)
{
	while (rest->len > 0) {
		struct str one;

		(void)str_cut(*rest, '&', &one, rest);
		(void)str_cut(one, '=', &f->name, &f->value);
		if (f->name.len == 0)
			continue;
		f->info = find_info(r, f->name);
		return f->info != NULL ? 1 : -1;
	}
	return 0;
}

/* The first time that this name, or this kind of condition, is met. */
static bool is_first(uint64_t *seen, const struct field *f)
{
	uint64_t bit = UINT64_C(1) << (f->info - http_map_fields);
	bool first = (*seen & bit) == 0;

	*seen |= bit;
	return first;
}

/* What is added is a run of members, each but the first with its comma. */
static bool add_array(struct request_reader *r, struct str json, bool numeric,
		      bool *more)
{
	struct buf scratch = { 0 };
	struct json_walk walk;
	struct str text;
	bool ok = json_walk_begin(&walk, json, '[');

	while (ok && json_walk_next(&walk)) {
		ok = json_scalar(&text, &scratch, &walk.value);
		if (!ok)
			break;
		if (*more)
			buf_add_char(&r->out->store, ',');
		request_add_json(r, text, numeric);
		*more = true;
	}
	ok = ok && walk.err == 0 && !scratch.failed;
	buf_deinit(&scratch);
	return ok || fail(r, "a list in the query is malformed");
}

static bool is_json_array(struct str raw, struct str text)
{
	const char *why;

	return raw.len > 0 && raw.p[0] == '[' &&
	       jscan_check(text, 2, 4096, &why) == 0;
}

static bool add_members(struct request_reader *r, struct str raw, bool numeric,
			bool *more)
{
	struct str text;

	if (!request_decode(r, &text, raw, true))
		return false;
	if (is_json_array(raw, text))
		return add_array(r, text, numeric, more);
	*more = request_add_list(r, text, numeric, *more);
	return true;
}

/* [members of f and of all later fields of that name] */
static bool add_list(struct request_reader *r, struct field f, struct str rest,
		     bool numeric)
{
	const struct http_map_field *info = f.info;
	bool more = false;
	int got = 1;

	buf_add_char(&r->out->store, '[');
	for (; got > 0; got = next_field(&f, &rest, r))
		if (f.info == info &&
		    !add_members(r, f.value, numeric, &more))
			return false;
	buf_add_char(&r->out->store, ']');
	return got == 0;
}

static bool add_pair(struct request_reader *r, const struct field *f)
{
	size_t prefix = f->info->kind == FIELD_FC_ATR ? 0 : 2;
	struct str text;

	if (!request_decode(r, &text, f->name, true))
		return false;
	buf_add_lit(&r->out->store, "{\"nm\":");
	request_add_json(r, str_skip(text, prefix), false);
	buf_add_lit(&r->out->store, ",\"val\":");
	if (!request_decode(r, &text, f->value, true))
		return false;
	request_add_json(r, text, false);
	buf_add_char(&r->out->store, '}');
	return true;
}

/* [{"nm":name,"val":value}] of f and of all later conditions of its kind */
static bool add_conditions(struct request_reader *r, struct field f,
			   struct str rest)
{
	const struct http_map_field *info = f.info;
	bool more = false;
	int got = 1;

	buf_add_char(&r->out->store, '[');
	for (; got > 0; got = next_field(&f, &rest, r)) {
		if (f.info != info)
			continue;
		if (more)
			buf_add_char(&r->out->store, ',');
		if (!add_pair(r, &f))
			return false;
		more = true;
	}
	buf_add_char(&r->out->store, ']');
	return got == 0;
}

static struct str made(const struct request_reader *r, size_t from)
{
	return str_skip(buf_str(&r->out->store), from);
}

static bool read_scalar(struct request_reader *r, const struct field *f)
{
	size_t from = r->out->store.len;
	struct str text;

	if (!request_decode(r, &text, f->value, true))
		return false;
	buf_add_str(&r->out->store, text);
	http_map_set_text(r->out, f->info->id, made(r, from));
	return true;
}

static bool read_list(struct request_reader *r, const struct field *f,
		      struct str rest)
{
	size_t from = r->out->store.len;

	if (!add_list(r, *f, rest, false))
		return false;
	prim_set(r->out, f->info->id, VALUE_JSON, made(r, from));
	return true;
}

static bool read_atrl(struct request_reader *r, const struct field *f,
		      struct str rest)
{
	size_t from = r->out->store.len;

	if (r->out->op != OP_RETRIEVE)
		return fail(r, "atrl is for RETRIEVE only");
	buf_add_lit(&r->out->store, "{\"m2m:atrl\":");
	if (!add_list(r, *f, rest, false))
		return false;
	buf_add_char(&r->out->store, '}');
	r->out->content = made(r, from);
	return true;
}

static bool read_param(struct request_reader *r, const struct field *f,
		       struct str rest)
{
	switch (f->info->kind) {
	case FIELD_SCALAR:
		return read_scalar(r, f);
	case FIELD_LIST:
		return read_list(r, f, rest);
	case FIELD_ATRL:
		return read_atrl(r, f, rest);
	case FIELD_RT:
		r->rtv = f->value;
		return true;
	default:
		return true;
	}
}

static bool read_params(struct request_reader *r)
{
	struct str rest = r->query;
	uint64_t seen = 0;
	struct field f;
	int got;

	while ((got = next_field(&f, &rest, r)) > 0)
		if (is_first(&seen, &f) && !read_param(r, &f, rest))
			return false;
	return got == 0;
}

static bool add_fc_scalar(struct request_reader *r, const struct field *f)
{
	struct str text;

	if (!request_decode(r, &text, f->value, true))
		return false;
	request_add_json(r, text, f->info->kind == FIELD_FC_NUMBER);
	return true;
}

static bool add_fc_member(struct request_reader *r, const struct field *f,
			  struct str rest)
{
	buf_add_json(&r->out->store, f->info->name);
	buf_add_char(&r->out->store, ':');
	switch (f->info->kind) {
	case FIELD_FC_STRINGS:
	case FIELD_FC_NUMBERS:
		return add_list(r, *f, rest,
				f->info->kind == FIELD_FC_NUMBERS);
	case FIELD_FC_ATR:
	case FIELD_FC_CATR:
	case FIELD_FC_PATR:
		return add_conditions(r, *f, rest);
	default:
		return add_fc_scalar(r, f);
	}
}

static bool read_fc(struct request_reader *r)
{
	size_t from = r->out->store.len;
	struct str rest = r->query;
	bool more = false;
	uint64_t seen = 0;
	struct field f;
	int got;

	while ((got = next_field(&f, &rest, r)) > 0) {
		if (f.info->kind < FIELD_FC_STRING || !is_first(&seen, &f))
			continue;
		buf_add_char(&r->out->store, more ? ',' : '{');
		if (!add_fc_member(r, &f, rest))
			return false;
		more = true;
	}
	if (got < 0)
		return false;
	if (!more)
		return true;
	buf_add_char(&r->out->store, '}');
	prim_set(r->out, PARAM_FC, VALUE_JSON, made(r, from));
	return true;
}

bool request_read_query(struct request_reader *r)
{
	return read_params(r) && read_fc(r);
}
