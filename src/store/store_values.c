#include "store/store_json.h"
#include "store/store_rules.h"

#include <ctype.h>

static bool in_range(const struct attr_info *attr, const json_t *value)
{
	json_int_t n;

	if (!json_is_integer(value))
		return false;
	n = json_integer_value(value);
	return n >= attr->min && (attr->max == 0 || n <= attr->max);
}

/* `key` or `key:value`, one word (Table 6.3.6-1). */
static bool is_label(const json_t *value)
{
	const char *text = json_string_value(value);

	if (text == NULL || *text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (isspace((unsigned char)*text))
			return false;
	return true;
}

static bool is_time(const json_t *value)
{
	uint64_t ms;

	return json_is_string(value) &&
	       prim_read_time(&ms, (struct str){ json_string_value(value),
						 json_string_length(value) });
}

static bool is_duration(const json_t *value)
{
	uint64_t ms;

	return json_is_string(value) &&
	       prim_read_duration(&ms,
				  (struct str){ json_string_value(value),
						json_string_length(value) }) &&
	       ms > 0;
}

static bool is_scalar_of(const struct attr_info *attr, const json_t *value)
{
	switch (attr->kind) {
	case ATTR_STRING:
	case ATTR_STRINGS:
		return json_is_string(value);
	case ATTR_INT:
	case ATTR_INTS:
		return in_range(attr, value);
	case ATTR_BOOL:
		return json_is_boolean(value);
	case ATTR_TIME:
		return is_time(value);
	case ATTR_DURATION:
		return is_duration(value);
	case ATTR_LABELS:
		return is_label(value);
	default:
		return true;
	}
}

static bool is_list_of(const struct attr_info *attr, const json_t *value)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value))
		return false;
	json_array_foreach(value, i, item)
		if (!is_scalar_of(attr, item))
			return false;
	return true;
}

/* Each member known, of its type, and the mandatory ones there. */
static int check_members(struct store_conn *c, const struct attr_info *attr,
			 const json_t *value)
{
	const struct attr_info *member;
	const char *name;
	json_t *item;
	int rc;

	json_object_foreach((json_t *)value, name, item) {
		member = attr_find(attr->members, name);
		if (member == NULL)
			return store_refuse(c, RSC_BAD_REQUEST,
					    "unknown member of %s: %s",
					    attr->name, name);
		rc = attr_check(c, member, item);
		if (rc != 0)
			return rc;
	}
	for (member = attr->members; member->name != NULL; member++)
		if (member->create == ATTR_M &&
		    json_object_get(value, member->name) == NULL)
			return store_refuse(c, RSC_BAD_REQUEST,
					    "%s without %s", attr->name,
					    member->name);
	return 0;
}

static int check_object(struct store_conn *c, const struct attr_info *attr,
			const json_t *value)
{
	if (!json_is_object(value))
		return store_refuse(c, RSC_BAD_REQUEST, "%s must be an object",
				    attr->name);
	return attr->members != NULL ? check_members(c, attr, value) : 0;
}

static int check_objects(struct store_conn *c, const struct attr_info *attr,
			 const json_t *value)
{
	size_t i;
	json_t *item;
	int rc = 0;

	if (!json_is_array(value))
		return store_refuse(c, RSC_BAD_REQUEST, "%s must be a list",
				    attr->name);
	json_array_foreach(value, i, item) {
		rc = check_object(c, attr, item);
		if (rc != 0)
			break;
	}
	return rc;
}

int attr_check(struct store_conn *c, const struct attr_info *attr,
	       const json_t *value)
{
	bool good;

	switch (attr->kind) {
	case ATTR_ANY:
		return 0;
	case ATTR_UNSERVED:
		return store_refuse(c, RSC_NOT_IMPLEMENTED,
				    "not supported: %s", attr->name);
	case ATTR_OBJECT:
		return check_object(c, attr, value);
	case ATTR_OBJECTS:
		return check_objects(c, attr, value);
	case ATTR_STRINGS:
	case ATTR_INTS:
	case ATTR_LABELS:
		good = is_list_of(attr, value);
		break;
	default:
		good = is_scalar_of(attr, value);
		break;
	}
	if (good)
		return 0;
	return store_refuse(c, RSC_BAD_REQUEST, "bad value of %s", attr->name);
}

int64_t value_size(const json_t *value)
{
	struct buf text = { 0 };
	int64_t size;

	if (json_is_string(value))
		return (int64_t)json_string_length(value);
	store_json_add(&text, value);
	size = (int64_t)text.len;
	buf_deinit(&text);
	return size;
}

int64_t value_int(const json_t *object, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

/* The name of a custom attribute; any other resource has a table. */
bool attr_is_custom(const struct type_info *type, const char *name)
{
	return type->open && isalpha((unsigned char)name[0]) &&
	       strchr(name, ':') == NULL;
}

/* Bytes of the custom attributes: cs of a flexContainer. */
int64_t attr_custom_size(const struct type_info *type, const json_t *attrs)
{
	const char *name;
	json_t *value;
	int64_t size = 0;

	json_object_foreach((json_t *)attrs, name, value)
		if (type_attribute(type, name) == NULL &&
		    attr_is_custom(type, name))
			size += value_size(value);
	return size;
}

/* Only what exists can decide; a reference to nothing would lock out all. */
int attr_check_acpi(struct store_conn *c, const json_t *acpi)
{
	size_t i;
	json_t *item;

	json_array_foreach(acpi, i, item) {
		struct str id = { json_string_value(item),
				  json_string_length(item) };
		struct store_target t = { 0 };
		int rc = store_resolve(&t, c, id);
		int ty = t.virt == VIRT_NONE ? t.r.ty : 0;

		store_target_deinit(&t);
		if (rc < 0)
			return rc;
		if (rc != 0 || ty != 1)
			return store_refuse(c, RSC_BAD_REQUEST,
					    "no access control policy: %s",
					    json_string_value(item));
	}
	return 0;
}

int attr_read_et(uint64_t *out, struct store_conn *c, const json_t *value,
		   uint64_t now_ms)
{
	struct str text = { json_string_value(value),
			    json_string_length(value) };

	if (prim_read_time(out, text) && *out > now_ms)
		return 0;
	return store_refuse(c, RSC_BAD_REQUEST, "et is in the past");
}

uint64_t attr_default_et(const struct store_conn *c, uint64_t now_ms)
{
	uint64_t lifetime_s = c->store->conf->default_lifetime_s;

	return lifetime_s > 0 ? now_ms + lifetime_s * 1000 : 0;
}

void attr_limit_et(uint64_t *et, uint64_t limit)
{
	if (limit > 0 && (*et == 0 || *et > limit))
		*et = limit;
}

int attr_refuse(struct store_conn *c, const char *name,
			const char *what)
{
	return store_refuse(c, RSC_BAD_REQUEST, "%s: %s", name, what);
}
