#include <uv.h>

#include "store/store_route.h"
#include "store/store_rules.h"

/*
 * What notification event types, contents and conditions go together
 * (TS-0001 Tables 9.6.8-3 and 9.6.8-4). Served are the types 1 to 4 and 7.
 */
enum {
	NET_UPDATE = 1,
	NET_CREATE_CHILD = 3,
	NET_DELETE_CHILD = 4,
	NET_RETRIEVE = 5,
	NET_TRIGGER = 6,
	NET_BLOCKING = 7,
	NET_MISSING_DATA = 8,
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
	json_array_foreach(net, i, item) {
		json_int_t n = json_integer_value(item);

		if (n == NET_RETRIEVE || n == NET_TRIGGER ||
		    n == NET_MISSING_DATA)
			return store_refuse(c, RSC_NOT_IMPLEMENTED,
					    "net %lld is not supported",
					    (long long)n);
	}
	return 0;
}

struct find_blocking {
	int64_t self;
	bool found;
};

static int on_sibling(void *arg, const struct resource *r)
{
	struct find_blocking *f = arg;

	f->found = f->found ||
		   (r->id != f->self &&
		    subscription_is_blocking(r->attrs));
	return 0;
}

/* One voice decides over an UPDATE (TS-0004 7.4.8.2.1). */
static int check_blocking(struct store_conn *c, const json_t *attrs,
			  int64_t parent, int64_t self)
{
	const json_t *nu = json_object_get(attrs, "nu");
	const json_t *net = json_object_get(json_object_get(attrs, "enc"),
					    "net");
	const json_t *target = json_array_get(nu, 0);
	struct find_blocking f = { .self = self };
	int rc;

	if (json_array_size(net) != 1)
		return store_refuse(c, RSC_BAD_REQUEST,
				    "net 7 goes with no other");
	if (json_array_size(nu) != 1 ||
	    route_is_url((struct str){ json_string_value(target),
				       json_string_length(target) }))
		return store_refuse(c, RSC_BAD_REQUEST,
				    "net 7 takes one target, by its id");
	rc = tree_children(c, parent, 23, on_sibling, &f);
	if (rc != 0 || !f.found)
		return rc;
	return store_refuse(c, RSC_BLOCKING_SUBSCRIPTION_ALREADY_EXISTS,
			    "there is a subscription of net 7 already");
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
	if (json_object_get(enc, "atr") != NULL &&
	    !has_event(net, NET_UPDATE) && !has_event(net, NET_BLOCKING))
		return store_refuse(c, RSC_BAD_REQUEST,
				    "atr goes with net 1 and 7");
	return 0;
}

static int check_content(struct store_conn *c, const json_t *net, int64_t nct)
{
	bool blocking = has_event(net, NET_BLOCKING);
	bool fits = nct == NCT_ALL || (nct == NCT_ID && !blocking);

	if (nct == NCT_MODIFIED)
		fits = json_array_size(net) == 1 &&
		       (has_event(net, NET_UPDATE) || blocking);
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

bool subscription_is_blocking(const json_t *attrs)
{
	return has_event(json_object_get(json_object_get(attrs, "enc"), "net"),
			 NET_BLOCKING);
}

/* Where bn says only how many: what came waits no longer than this. */
#define BATCH_DURATION "PT1H"

static int complete_batch(struct store_conn *c, json_t *attrs)
{
	json_t *bn = json_object_get(attrs, "bn");

	if (bn == NULL || json_object_get(bn, "dur") != NULL)
		return 0;
	if (json_object_get(bn, "num") == NULL)
		return store_refuse(c, RSC_BAD_REQUEST,
				    "bn without num and dur");
	/* attrs may share it with what the request holds */
	bn = json_copy(bn);
	if (bn == NULL ||
	    json_object_set_new(bn, "dur", json_string(BATCH_DURATION)) != 0) {
		json_decref(bn);
		return UV_ENOMEM;
	}
	return json_object_set_new(attrs, "bn", bn) != 0 ? UV_ENOMEM : 0;
}

/* enc and nct are in attrs afterwards, whatever they are worth. */
static int complete(json_t *attrs)
{
	json_t *enc = complete_criteria(json_object_get(attrs, "enc"));
	int64_t nct;

	if (json_object_set_new(attrs, "enc", enc) != 0)
		return UV_ENOMEM;
	nct = value_int(attrs, "nct", subscription_is_blocking(attrs) ?
					      NCT_MODIFIED : NCT_ALL);
	return json_object_set_new(attrs, "nct", json_integer(nct)) != 0 ?
		       UV_ENOMEM : 0;
}

int subscription_check(struct store_conn *c, json_t *attrs, int64_t parent,
		       int64_t self)
{
	int rc = check_targets(c, json_object_get(attrs, "nu"));

	if (rc == 0)
		rc = complete(attrs);
	if (rc == 0)
		rc = check_criteria(c, json_object_get(attrs, "enc"),
				    value_int(attrs, "nct", NCT_ALL));
	if (rc == 0)
		rc = complete_batch(c, attrs);
	if (rc == 0 && subscription_is_blocking(attrs))
		rc = check_blocking(c, attrs, parent, self);
	return rc;
}
