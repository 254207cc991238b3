#include <uv.h>

#include "store/store_rules.h"

/*
 * What notification event types, contents and conditions go together
 * (TS-0001 Tables 9.6.8-3 and 9.6.8-4). Served are the types 1 to 4.
 */
enum {
	NET_UPDATE = 1,
	NET_CREATE_CHILD = 3,
	NET_DELETE_CHILD = 4,
	NET_LAST_SERVED = 4,
	NCT_ALL = 1,
	NCT_MODIFIED = 2,
	NCT_ID = 3,
};

static int check_targets(struct store_conn *c, const json_t *nu)
{
	size_t i;
	json_t *item;

	if (json_array_size(nu) == 0)
		return store_refuse(c, RSC_BAD_REQUEST, "nu is empty");
	json_array_foreach(nu, i, item)
		if (json_string_length(item) == 0)
			return store_refuse(c, RSC_BAD_REQUEST,
					    "nu holds an empty target");
	return 0;
}

static bool has_event(const json_t *net, int event)
{
	size_t i;
	json_t *item;

	json_array_foreach(net, i, item)
		if (json_integer_value(item) == event)
			return true;
	return false;
}

static int check_events(struct store_conn *c, const json_t *net)
{
	size_t i;
	json_t *item;

	if (json_array_size(net) == 0)
		return store_refuse(c, RSC_BAD_REQUEST, "net is empty");
	json_array_foreach(net, i, item)
		if (json_integer_value(item) > NET_LAST_SERVED)
			return store_refuse(c, RSC_NOT_IMPLEMENTED,
					    "net %lld is not supported",
					    (long long)json_integer_value(
						    item));
	return 0;
}

/* Only operations that change something are monitored. */
static int check_monitors(struct store_conn *c, const json_t *om)
{
	const int64_t served = ACCESS_CREATE | ACCESS_UPDATE | ACCESS_DELETE;
	size_t i;
	json_t *item;

	json_array_foreach(om, i, item)
		if ((value_int(item, "ops", served) & ~served) != 0)
			return store_refuse(c, RSC_NOT_IMPLEMENTED,
					    "om.ops may hold CREATE, UPDATE "
					    "and DELETE only");
	return 0;
}

static int check_conditions(struct store_conn *c, const json_t *enc,
			    const json_t *net)
{
	if (json_object_get(enc, "chty") != NULL &&
	    !has_event(net, NET_CREATE_CHILD) &&
	    !has_event(net, NET_DELETE_CHILD))
		return store_refuse(c, RSC_BAD_REQUEST,
				    "chty goes with net 3 and 4");
	if (json_object_get(enc, "atr") != NULL && !has_event(net, NET_UPDATE))
		return store_refuse(c, RSC_BAD_REQUEST,
				    "atr goes with net 1");
	return 0;
}

static int check_content(struct store_conn *c, const json_t *net, int64_t nct)
{
	bool fits = nct == NCT_ALL || nct == NCT_ID;

	if (nct == NCT_MODIFIED)
		fits = json_array_size(net) == 1 && has_event(net, NET_UPDATE);
	if (fits)
		return 0;
	return store_refuse(c, RSC_BAD_REQUEST,
			    "nct %lld does not go with these events",
			    (long long)nct);
}

/* enc with net 1 where it names no event; a new reference. */
static json_t *complete_criteria(const json_t *enc)
{
	json_t *out = enc != NULL ? json_copy((json_t *)enc) : json_object();

	if (json_object_get(out, "net") != NULL ||
	    json_object_get(out, "om") != NULL)
		return out;
	if (json_object_set_new(out, "net", json_pack("[i]", NET_UPDATE)) ==
	    0)
		return out;
	json_decref(out);
	return NULL;
}

static int check_criteria(struct store_conn *c, const json_t *enc, int64_t nct)
{
	const json_t *net = json_object_get(enc, "net");
	const json_t *om = json_object_get(enc, "om");
	int rc;

	if (net != NULL && om != NULL)
		return store_refuse(c, RSC_BAD_REQUEST,
				    "net and om exclude each other");
	rc = net != NULL ? check_events(c, net) : check_monitors(c, om);
	if (rc == 0 && net != NULL)
		rc = check_conditions(c, enc, net);
	return rc != 0 ? rc : check_content(c, net, nct);
}

int subscription_check(struct store_conn *c, json_t *attrs)
{
	int64_t nct = value_int(attrs, "nct", NCT_ALL);
	json_t *enc;
	int rc = check_targets(c, json_object_get(attrs, "nu"));

	if (rc != 0)
		return rc;
	enc = complete_criteria(json_object_get(attrs, "enc"));
	if (enc == NULL)
		return UV_ENOMEM;
	rc = check_criteria(c, enc, nct);
	if (json_object_set_new(attrs, "enc", enc) != 0 ||
	    json_object_set_new(attrs, "nct", json_integer(nct)) != 0)
		return UV_ENOMEM;
	return rc;
}
