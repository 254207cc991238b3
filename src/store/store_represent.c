#include <stdlib.h>
#include <uv.h>

#include "store/store_rules.h"

const char *type_name(int ty)
{
	const struct type_info *type = type_find(ty);

	return type != NULL ? type->name : NULL;
}

const char *rules_member(const struct resource *r)
{
	const char *own = json_string_value(json_object_get(r->attrs,
							    MEMBER_KEY));

	return own != NULL ? own : type_name(r->ty);
}

bool rules_knows_attribute(int ty, const char *name)
{
	const struct type_info *type = type_find(ty);

	if (type == NULL)
		return type_any_has(name);
	return type->open || type_attribute(type, name) != NULL;
}

static bool put(json_t *body, const char *name, json_t *value)
{
	return json_object_set_new_nocheck(body, name, value) == 0;
}

static bool put_time(json_t *body, const char *name, uint64_t ms)
{
	char text[PRIM_TIME_TEXT];

	prim_write_time(text, ms);
	return put(body, name, json_string_nocheck(text));
}

/* In the order of Table 6.3.6-2. */
static bool put_common(json_t *body, const struct resource *r, const char *pi)
{
	return put(body, "rn", json_string_nocheck(r->rn)) &&
	       put(body, "ty", json_integer(r->ty)) &&
	       put(body, "ri", json_string_nocheck(r->ri)) &&
	       put(body, "pi", json_string_nocheck(pi)) &&
	       put_time(body, "ct", r->ct) && put_time(body, "lt", r->lt) &&
	       (r->et == 0 || put_time(body, "et", r->et));
}

/* What the row keeps outside attrs, or attrs only imply. */
static bool put_counted(json_t *body, const struct resource *r)
{
	const struct type_info *type = type_find(r->ty);
	const json_t *mid = json_object_get(r->attrs, "mid");
	bool good = true;

	if ((type->common & TYPE_STATE) != 0)
		good = put(body, "st", json_integer(r->st));
	if (good && r->ty == 3)
		good = put(body, "cni", json_integer(r->count)) &&
		       put(body, "cbs", json_integer(r->octets));
	if (good && (r->ty == 4 || r->ty == 28))
		good = put(body, "cs", json_integer(r->size));
	if (good && r->ty == 9)
		good = put(body, "cnm",
			   json_integer((json_int_t)json_array_size(mid)));
	return good;
}

static bool put_attrs(json_t *body, const json_t *attrs)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)attrs, name, value)
		if (strcmp(name, MEMBER_KEY) != 0 &&
		    !put(body, name, json_incref(value)))
			return false;
	return true;
}

int rules_represent(json_t **out, struct store_conn *c,
		    const struct resource *r)
{
	json_t *body = json_object(), *whole;
	char *pi = NULL;
	int rc = tree_ri(&pi, c, r->parent);

	if (rc == 0 && !(put_common(body, r, pi) && put_counted(body, r) &&
			 put_attrs(body, r->attrs)))
		rc = UV_ENOMEM;
	free(pi);
	if (rc != 0) {
		json_decref(body);
		return rc;
	}
	whole = json_object();
	/* takes body even where it fails */
	if (json_object_set_new(whole, rules_member(r), body) != 0) {
		json_decref(whole);
		return UV_ENOMEM;
	}
	*out = whole;
	return 0;
}

json_t *rules_modified(const json_t *changed)
{
	json_t *out = json_object();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)changed, name, value)
		if (!json_is_null(value) &&
		    json_object_set(out, name, value) != 0) {
			json_decref(out);
			return NULL;
		}
	return out;
}
