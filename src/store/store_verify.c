#include <uv.h>

#include "store/store_events.h"
#include "store/store_route.h"
#include "store/store_rules.h"

/*
 * Verification of the targets of a subscription (TS-0004 7.4.8.2.1): everyone
 * but the subscriber is asked. What cannot be asked fails at once.
 */

enum target {
	TARGET_ASK,
	TARGET_TRUST,		/* the subscriber, or this CSE */
	TARGET_BAD,
};

static enum target judge(const struct store_conn *c, const struct route *route,
			 struct str target, struct str originator)
{
	if (route->kind == ROUTE_SELF || route_is_of(c, route, originator))
		return TARGET_TRUST;
	/* another CSE's: whoever delivers finds that nobody leads there */
	if (route->kind != ROUTE_NONE || route_is_foreign(c, target))
		return TARGET_ASK;
	return TARGET_BAD;
}

static int ask(struct store_events *out, const struct store_conn *c,
	       const struct resource *sub, struct store_event event,
	       struct str originator)
{
	struct buf pc = { 0 };
	struct buf sur = { 0 };
	int rc = UV_ENOMEM;

	event.originator = str_of(c->store->conf->cse_id);
	event.ask = STORE_ASK_SUBSCRIBE;
	event.subscription = sub->id;
	buf_add_str(&sur, event.originator);
	buf_add_char(&sur, '/');
	buf_add_str(&sur, str_of(sub->ri));
	buf_add_lit(&pc, "{\"m2m:sgn\":{\"vrq\":true,\"sur\":");
	buf_add_json(&pc, buf_str(&sur));
	buf_add_lit(&pc, ",\"cr\":");
	buf_add_json(&pc, originator);
	buf_add_lit(&pc, "}}");
	event.content = buf_str(&pc);
	if (!pc.failed && !sur.failed)
		rc = events_add(out, &event);
	buf_deinit(&sur);
	buf_deinit(&pc);
	return rc;
}

static bool holds(const json_t *list, const json_t *target)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
		if (json_equal(item, target))
			return true;
	return false;
}

static int verify(struct store_events *out, struct store_conn *c,
		  const struct resource *sub, const json_t *item,
		  struct str originator)
{
	struct str target = { json_string_value(item),
			      json_string_length(item) };
	struct route route;
	int rc = route_find(&route, c, target);

	if (rc != 0)
		return rc;
	switch (judge(c, &route, target, originator)) {
	case TARGET_TRUST:
		return 0;
	case TARGET_ASK:
		return !notify_asks(c) ? 0 :
		       ask(out, c, sub,
			   (struct store_event){ .target = target,
						 .route = route.at },
			   originator);
	case TARGET_BAD:
		break;
	}
	return store_refuse(c, RSC_SUBSCRIPTION_VERIFICATION_FAILED,
			    "cannot notify %s", target.p);
}

int notify_verify(struct store_events *out, struct store_conn *c,
		  const struct resource *sub, const json_t *old_nu,
		  const struct prim *request)
{
	struct str originator = prim_text(request, PARAM_FR);
	size_t i;
	json_t *item;
	int rc = 0;

	json_array_foreach(json_object_get(sub->attrs, "nu"), i, item) {
		if (holds(old_nu, item))
			continue;
		rc = verify(out, c, sub, item, originator);
		if (rc != 0)
			break;
	}
	return rc;
}
