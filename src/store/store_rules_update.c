#include <uv.h>

#include "store/store_rules.h"

/* An UPDATE under way; the resource changes only when all of it is good. */
struct update {
	struct store_conn *c;
	const struct type_info *type;
	const struct resource *r;	/* as it was */
	const json_t *in;
	struct str originator;
	json_t *attrs;		/* owned; what r->attrs becomes */
	uint64_t et;
	uint64_t now_ms;
};

/* No longer than the parent, as with a CREATE. */
static int apply_et(struct update *u, const json_t *value)
{
	struct resource parent = { 0 };
	int rc = 0;

	u->et = attr_default_et(u->c, u->now_ms);
	if (!json_is_null(value))
		rc = attr_read_et(&u->et, u->c, value, u->now_ms);
	if (rc == 0)
		rc = tree_load(&parent, u->c, u->r->parent);
	if (rc == 0)
		attr_limit_et(&u->et, parent.et);
	resource_deinit(&parent);
	return rc;
}

static int check_member(struct update *u, const char *name,
			const json_t *value)
{
	const struct attr_info *attr = type_attribute(u->type, name);

	if (attr == NULL && !attr_is_custom(u->type, name))
		return attr_refuse(u->c, name, "unknown attribute");
	if (attr == NULL)
		return 0;
	if (attr->update == ATTR_NP)
		return attr_refuse(u->c, name, "not permitted in an UPDATE");
	if (!json_is_null(value))
		return attr_check(u->c, attr, value);
	if (attr->update == ATTR_M)
		return attr_refuse(u->c, name, "cannot be removed");
	return 0;
}

static int apply_member(struct update *u, const char *name, json_t *value)
{
	int rc = check_member(u, name, value);

	if (rc != 0)
		return rc;
	if (strcmp(name, "et") == 0)
		return apply_et(u, value);
	if (json_is_null(value))
		json_object_del(u->attrs, name);
	else if (json_object_set(u->attrs, name, value) != 0)
		return UV_ENOMEM;
	return 0;
}

static int apply_members(struct update *u)
{
	const char *name;
	json_t *value;
	int rc = 0;

	/* TS-0001 Table 9.6.1.3.2-1: by other rights than the rest */
	if (json_object_get(u->in, "acpi") != NULL &&
	    json_object_size(u->in) > 1)
		return attr_refuse(u->c, "acpi",
				   "must be the only attribute in an UPDATE");
	json_object_foreach((json_t *)u->in, name, value) {
		rc = apply_member(u, name, value);
		if (rc != 0)
			break;
	}
	return rc;
}

static int check_group(struct update *u)
{
	int rc = 0;

	if (json_object_get(u->in, "mid") != NULL)
		rc = group_check(u->c, u->attrs, u->originator);
	return rc != 0 ? rc : group_check_size(u->c, u->attrs);
}

/* What a table cannot say, on the whole of what the resource becomes. */
static int check_result(struct update *u)
{
	int rc = attr_check_acpi(u->c, json_object_get(u->in, "acpi"));

	if (rc == 0 && u->type->ty == 9)
		rc = check_group(u);
	if (rc == 0 && u->type->ty == 23)
		rc = subscription_check(u->c, u->attrs, u->r->parent,
					u->r->id);
	return rc;
}

static int put_time(json_t *changed, const char *name, uint64_t ms)
{
	char text[PRIM_TIME_TEXT];

	prim_write_time(text, ms);
	return json_object_set_new(changed, name, json_string(text));
}

/* As it stands now; null where it went. */
static int note_changed(json_t *changed, const struct resource *r,
			const char *name)
{
	json_t *value = json_object_get(r->attrs, name);

	if (strcmp(name, "et") == 0 && r->et > 0)
		return put_time(changed, name, r->et);
	if (value == NULL)
		return json_object_set_new(changed, name, json_null());
	return json_object_set(changed, name, value);
}

static int list_changed(json_t **out, const struct update *u,
			const struct resource *r)
{
	json_t *changed = json_object();
	const char *name;
	json_t *value;
	int rc = put_time(changed, "lt", r->lt);

	json_object_foreach((json_t *)u->in, name, value)
		if (rc == 0)
			rc = note_changed(changed, r, name);
	if (rc == 0 && (u->type->common & TYPE_STATE) != 0)
		rc = json_object_set_new(changed, "st", json_integer(r->st));
	if (rc == 0) {
		*out = changed;
		return 0;
	}
	json_decref(changed);
	return UV_ENOMEM;
}

static int finish(struct resource *r, json_t **changed, struct update *u)
{
	int rc = 0;

	json_decref(r->attrs);
	r->attrs = u->attrs;
	u->attrs = NULL;
	r->et = u->et;
	r->lt = u->now_ms;
	if ((u->type->common & TYPE_STATE) != 0)
		r->st++;
	if (r->ty == 28)
		r->size = attr_custom_size(u->type, r->attrs);
	if (r->ty == 3)
		rc = container_trim(r, u->c, u->now_ms);
	return rc != 0 ? rc : list_changed(changed, u, r);
}

int rules_update(struct resource *r, json_t **changed, struct store_conn *c,
		 const json_t *in, const struct prim *request, uint64_t now_ms)
{
	struct update u = {
		.c = c,
		.type = type_find(r->ty),
		.r = r,
		.in = in,
		.originator = prim_text(request, PARAM_FR),
		.attrs = json_copy(r->attrs),
		.et = r->et,
		.now_ms = now_ms,
	};
	int rc = 0;

	if (u.attrs == NULL)
		return UV_ENOMEM;
	if (u.type->fixed || u.type->constant)
		rc = store_refuse(c, RSC_OPERATION_NOT_ALLOWED,
				  "no UPDATE of %s", u.type->name);
	if (rc == 0)
		rc = apply_members(&u);
	if (rc == 0)
		rc = check_result(&u);
	if (rc == 0)
		rc = finish(r, changed, &u);
	json_decref(u.attrs);
	return rc;
}
