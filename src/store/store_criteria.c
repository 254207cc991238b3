#include "store/store_notify.h"
#include "store/store_rules.h"

enum field {
	FIELD_CT,
	FIELD_LT,
	FIELD_ET,
	FIELD_ST,
	FIELD_SIZE,
};

/* TS-0001 Table 9.6.8-3. Where a resource has no such attribute the condition
 * does not hold. */
static const struct condition {
	const char *name;
	enum field field;
	enum { BELOW, ABOVE, FROM } than;
} conditions[] = {
	{ "crb", FIELD_CT, BELOW },
	{ "cra", FIELD_CT, ABOVE },
	{ "ms", FIELD_LT, ABOVE },
	{ "us", FIELD_LT, BELOW },
	{ "exb", FIELD_ET, BELOW },
	{ "exa", FIELD_ET, ABOVE },
	{ "sts", FIELD_ST, BELOW },
	{ "stb", FIELD_ST, ABOVE },
	{ "sza", FIELD_SIZE, FROM },
	{ "szb", FIELD_SIZE, BELOW },
};

static int64_t field_of(const struct resource *r, enum field field)
{
	switch (field) {
	case FIELD_CT:
		return (int64_t)r->ct;
	case FIELD_LT:
		return (int64_t)r->lt;
	case FIELD_ET:
		return r->et > 0 ? (int64_t)r->et : -1;
	case FIELD_ST:
		return r->ty == 3 || r->ty == 4 || r->ty == 28 ? r->st : -1;
	case FIELD_SIZE:
		return r->ty == 4 || r->ty == 28 ? r->size : -1;
	}
	return -1;
}

static int64_t bound_of(const json_t *value)
{
	struct str text = { json_string_value(value),
			    json_string_length(value) };
	uint64_t ms;

	if (json_is_integer(value))
		return json_integer_value(value);
	return prim_read_time(&ms, text) ? (int64_t)ms : 0;
}

static bool holds(const struct condition *condition, const json_t *value,
		  const struct resource *r)
{
	int64_t has = field_of(r, condition->field);
	int64_t bound = bound_of(value);

	if (has < 0)
		return false;
	switch (condition->than) {
	case BELOW:
		return has < bound;
	case ABOVE:
		return has > bound;
	case FROM:
		return has >= bound;
	}
	return false;
}

/* By fo: 1 all, 2 any, 3 exactly one. */
static bool conditions_hold(const json_t *enc, const struct resource *r)
{
	int64_t fo = value_int(enc, "fo", 1);
	size_t given = 0, good = 0;

	for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
		const json_t *value = json_object_get(enc,
						      conditions[i].name);

		if (value == NULL)
			continue;
		given++;
		good += holds(&conditions[i], value, r);
	}
	if (given == 0)
		return true;
	return fo == 1 ? good == given : fo == 2 ? good > 0 : good == 1;
}

static bool has_int(const json_t *list, int n)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
		if (json_integer_value(item) == n)
			return true;
	return false;
}

/* The operation that `om` sees: one on the subject itself. */
static int monitored(enum store_change change)
{
	switch (change) {
	case CHANGE_UPDATE:
		return ACCESS_UPDATE;
	case CHANGE_DELETE:
		return ACCESS_DELETE;
	case CHANGE_CREATE_CHILD:
		return ACCESS_CREATE;
	case CHANGE_DELETE_CHILD:
		return 0;
	}
	return 0;
}

static bool monitors_match(const json_t *om, const struct occasion *o)
{
	int op = monitored(o->change);
	size_t i;
	json_t *item;

	json_array_foreach(om, i, item) {
		const json_t *or = json_object_get(item, "or");
		struct str id = { json_string_value(or),
				  json_string_length(or) };

		if ((value_int(item, "ops", ~INT64_C(0)) & op) != 0 &&
		    (or == NULL || str_eq(id, o->originator)))
			return true;
	}
	return false;
}

static bool event_matches(const json_t *enc, const struct occasion *o)
{
	const json_t *om = json_object_get(enc, "om");

	const json_t *net = json_object_get(enc, "net");

	if (om != NULL)
		return monitors_match(om, o);
	return has_int(net, (int)o->change) ||
	       (o->change == CHANGE_UPDATE && has_int(net, NET_BLOCKING));
}

static bool child_matches(const json_t *enc, const struct occasion *o)
{
	const json_t *chty = json_object_get(enc, "chty");

	return chty == NULL || o->child == NULL || has_int(chty, o->child->ty);
}

/* One of atr was in the UPDATE. */
static bool attributes_match(const json_t *enc, const struct occasion *o)
{
	const json_t *atr = json_object_get(enc, "atr");
	size_t i;
	json_t *item;

	if (atr == NULL || o->change != CHANGE_UPDATE)
		return true;
	json_array_foreach(atr, i, item)
		if (json_object_get(o->changed, json_string_value(item)) !=
		    NULL)
			return true;
	return false;
}

bool criteria_match(const json_t *enc, const struct occasion *o)
{
	return event_matches(enc, o) && child_matches(enc, o) &&
	       attributes_match(enc, o) &&
	       conditions_hold(enc, occasion_about(o));
}
