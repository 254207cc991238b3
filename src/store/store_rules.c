#include "store/store_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <uv.h>


static int check_type(const struct type_info **out, struct store_conn *c,
		      int ty, const char *member)
{
	const struct type_info *type = type_find(ty);
	const struct type_info *named = type_find_name(member);

	*out = type;
	if (type == NULL)
		return type_is_assigned(ty) ?
			       store_refuse(c, RSC_NOT_IMPLEMENTED,
					    "type %d is not supported", ty) :
			       store_refuse(c, RSC_BAD_REQUEST,
					    "no such type: %d", ty);
	if (type->fixed)
		return store_refuse(c, RSC_OPERATION_NOT_ALLOWED,
				    "no CREATE of %s", type->name);
	if (named == type ||
	    (type->open && named == NULL && strchr(member, ':') != NULL))
		return 0;
	return store_refuse(c, RSC_BAD_REQUEST, "ty %d, but content is %s", ty,
			    member);
}

/* unreserved of TS-0004 6.2.3, beginning with a letter or digit. */
static bool is_name(const char *rn)
{
	if (!isalnum((unsigned char)*rn))
		return false;
	for (; *rn != '\0'; rn++)
		if (!isalnum((unsigned char)*rn) && strchr("-._", *rn) == NULL)
			return false;
	return true;
}

/* A virtual child has that name already (TS-0004 6.8). */
static bool is_taken(int parent_ty, const char *rn)
{
	static const struct {
		int parent_ty;
		const char *rn;
	} virtuals[] = {
		{ 3, "la" }, { 3, "ol" }, { 9, "fopt" }, { 15, "pcu" },
	};

	for (size_t i = 0; i < ARRAY_LEN(virtuals); i++)
		if (virtuals[i].parent_ty == parent_ty &&
		    strcmp(virtuals[i].rn, rn) == 0)
			return true;
	return false;
}

static int check_name(struct store_conn *c, int parent_ty, const json_t *rn)
{
	const char *name = json_string_value(rn);

	if (name == NULL)
		return 0;
	if (!is_name(name))
		return store_refuse(c, RSC_BAD_REQUEST, "illegal name");
	if (is_taken(parent_ty, name))
		return store_refuse(c, RSC_CONFLICT, "%s exists already",
				    name);
	return 0;
}

static int check_new_attr(struct store_conn *c, const struct type_info *type,
			  const char *name, const json_t *value)
{
	const struct attr_info *attr = type_attribute(type, name);
	bool creator = strcmp(name, "cr") == 0;

	if (attr == NULL && !attr_is_custom(type, name))
		return attr_refuse(c, name, "unknown attribute");
	if (attr != NULL && attr->create == ATTR_NP)
		return attr_refuse(c, name, "not permitted in a CREATE");
	/* cr asks for itself by being null (TS-0001 9.6.1.3.2) */
	if (attr != NULL && creator && !json_is_null(value))
		return attr_refuse(c, name, "must be null");
	if (attr != NULL && creator)
		return 0;
	if (json_is_null(value))
		return attr_refuse(c, name, "null in a CREATE");
	return attr != NULL ? attr_check(c, attr, value) : 0;
}

static int check_new_attrs(struct store_conn *c, const struct type_info *type,
			   const json_t *in)
{
	const struct attr_info *attr;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)in, name, value) {
		int rc = check_new_attr(c, type, name, value);

		if (rc != 0)
			return rc;
	}
	for (attr = type->attributes; attr->name != NULL; attr++)
		if (attr->create == ATTR_M &&
		    json_object_get(in, attr->name) == NULL)
			return attr_refuse(c, attr->name, "is mandatory");
	return 0;
}

static int copy_attr(struct resource *out, const char *name, json_t *value,
		     const struct prim *request)
{
	struct str fr = prim_text(request, PARAM_FR);

	if (strcmp(name, "rn") == 0) {
		out->rn = strdup(json_string_value(value));
		return out->rn != NULL ? 0 : UV_ENOMEM;
	}
	if (strcmp(name, "et") == 0)
		return 0;
	if (json_is_null(value))
		value = json_stringn(fr.p != NULL ? fr.p : "", fr.len);
	else
		json_incref(value);
	if (json_object_set_new_nocheck(out->attrs, name, value) != 0)
		return UV_ENOMEM;
	return 0;
}

static int copy_attrs(struct resource *out, const struct type_info *type,
		      const char *member, const json_t *in,
		      const struct prim *request)
{
	const char *name;
	json_t *value;

	out->attrs = json_object();
	if (out->attrs == NULL)
		return UV_ENOMEM;
	json_object_foreach((json_t *)in, name, value) {
		int rc = copy_attr(out, name, value, request);

		if (rc != 0)
			return rc;
	}
	if (type->open && strcmp(member, type->name) != 0 &&
	    json_object_set_new(out->attrs, MEMBER_KEY,
				json_string(member)) != 0)
		return UV_ENOMEM;
	return 0;
}

/* No longer than the parent, and an instance no longer than its container's
 * maxInstanceAge allows. */
static int set_times(struct resource *out, struct store_conn *c,
		     const struct resource *parent, const json_t *in,
		     uint64_t now_ms)
{
	const json_t *et = json_object_get(in, "et");
	int64_t mia = out->ty == 4 ? value_int(parent->attrs, "mia", -1) : -1;

	out->ct = now_ms;
	out->lt = now_ms;
	out->et = attr_default_et(c, now_ms);
	if (et != NULL) {
		int rc = attr_read_et(&out->et, c, et, now_ms);

		if (rc != 0)
			return rc;
	}
	attr_limit_et(&out->et, parent->et);
	if (mia >= 0 && mia < INT64_MAX / 2000)
		attr_limit_et(&out->et, now_ms + (uint64_t)mia * 1000);
	return 0;
}

/* App-ID: N... is not registered, R... is; r was legal up to Release 3
 * (TS-0001 Table 7.2-1). */
static int check_app_id(struct store_conn *c, const json_t *attrs)
{
	const char *api = json_string_value(json_object_get(attrs, "api"));

	if (api[0] != '\0' && strchr("NRr", api[0]) != NULL)
		return 0;
	return attr_refuse(c, "api", "begins with N or R");
}

/* What a table cannot say. */
static int check_new(struct resource *out, struct store_conn *c,
		     const struct resource *parent, const struct prim *request)
{
	int rc = attr_check_acpi(c, json_object_get(out->attrs, "acpi"));

	if (rc != 0)
		return rc;
	switch (out->ty) {
	case 2:
		return check_app_id(c, out->attrs);
	case 4:
		out->size = value_size(json_object_get(out->attrs, "con"));
		out->st = parent->st + 1;
		return container_check_fit(c, parent, out);
	case 9:
		rc = group_check(c, out->attrs, prim_text(request, PARAM_FR));
		return rc != 0 ? rc : group_check_size(c, out->attrs);
	case 23:
		return subscription_check(c, out->attrs, parent->id, 0);
	case 28:
		out->size = attr_custom_size(type_find(28), out->attrs);
		return 0;
	default:
		return 0;
	}
}

int rules_create(struct resource *out, struct store_conn *c,
		 const struct resource *parent, int ty, const char *member,
		 const json_t *in, const struct prim *request, uint64_t now_ms)
{
	const struct type_info *type;
	int rc = check_type(&type, c, ty, member);

	*out = (struct resource){ .ty = ty };
	if (rc == 0)
		rc = check_new_attrs(c, type, in);
	if (rc == 0)
		rc = check_name(c, parent->ty, json_object_get(in, "rn"));
	if (rc == 0)
		rc = set_times(out, c, parent, in, now_ms);
	if (rc == 0)
		rc = copy_attrs(out, type, member, in, request);
	if (rc == 0)
		rc = check_new(out, c, parent, request);
	if (rc != 0)
		resource_deinit(out);
	return rc;
}
