#include <uv.h>

#include "m2m/json.h"
#include "store/store_events.h"
#include "store/store_op.h"
#include "store/store_route.h"

/*
 * What is for somebody else: a NOTIFY to an AE or a remoteCSE, a request to a
 * resource of another CSE (TS-0004 7.3.2.6), and the two ends of a
 * pollingChannel. The store only says where to.
 */

/* A group's request is one of many, and cannot wait for their answers; of a
 * NOTIFY there is none worth it. */
static bool is_one_of_many(const struct operation *op)
{
	return op->fanout->count > 0;
}

static bool has_way(const struct store_route *at)
{
	return at->urls.len > 0 || at->channel != 0;
}

/* An AE-ID stem says nothing outside of this CSE. */
static int add_event(struct operation *op, const struct route *route,
		     struct str target)
{
	struct store_event event = {
		.target = target,
		.route = route->at,
		.originator = op->originator,
	};
	struct buf full = { 0 };
	int rc = UV_ENOMEM;

	if (is_one_of_many(op))
		event.content = op->request->content;
	if (route->kind == ROUTE_CSE && op->originator.len > 0 &&
	    op->originator.p[0] != '/') {
		buf_add_str(&full, str_of(op->c->store->conf->cse_id));
		buf_add_char(&full, '/');
		buf_add_str(&full, op->originator);
		event.originator = buf_str(&full);
	}
	if (!full.failed)
		rc = events_add(op->events, &event);
	buf_deinit(&full);
	return rc;
}

static int forward(struct operation *op, struct str target)
{
	bool told = is_one_of_many(op) && op->request->op == OP_NOTIFY;
	struct route route;
	int rc = route_find(&route, op->c, target);

	if (rc != 0)
		return rc;
	if (route.kind == ROUTE_NONE)
		return store_refuse(op->c, RSC_NOT_FOUND,
				    "no way to that CSE is known");
	if (!has_way(&route.at))
		return store_refuse(op->c, RSC_TARGET_NOT_REACHABLE,
				    "the target has no point of access");
	if (is_one_of_many(op) && !told)
		return store_refuse(op->c, RSC_NOT_IMPLEMENTED,
				    "a member of another CSE can only be "
				    "notified");
	rc = add_event(op, &route, target);
	return rc != 0 || told ? rc : STORE_FORWARD;
}

/* Who registers does so where it is: no CSE on the way may take it on
 * (TS-0004 7.3.2.6). */
int op_forward(struct operation *op)
{
	int64_t ty;

	if (op->request->op == OP_CREATE &&
	    prim_int(&ty, op->request, PARAM_TY) &&
	    (ty == TYPE_AE || ty == TYPE_CSR))
		return store_refuse(op->c, RSC_BAD_REQUEST,
				    "a registration cannot be forwarded");
	return forward(op, prim_text(op->request, PARAM_TO));
}

/* ---- NOTIFY to who is registered here ---- */

/* The name of the one member of pc; empty: not one. pc is passed on as it
 * came, so no tree is made of it. */
static struct str member_of(struct str content)
{
	struct jscan_value name, value, more;
	struct jscan s;

	jscan_init(&s, content, JSCAN_DEPTH_MAX, UINT32_MAX);
	if (jscan_enter(&s, JSCAN_OBJECT) == 0 &&
	    jscan_next(&name, &value, &s, true) == 1 &&
	    jscan_next(&more, &value, &s, false) == 0)
		return name.raw;
	return (struct str){ NULL, 0 };
}

static int check_notification(struct operation *op)
{
	static const struct str members[] = {
		STR_INIT("m2m:sgn"), STR_INIT("m2m:agn"), STR_INIT("m2m:rsp"),
		STR_INIT("m2m:seci"),
	};
	struct str member = member_of(op->request->content);

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (str_eq(member, members[i]))
			return 0;
	return store_refuse(op->c, RSC_BAD_REQUEST,
			    "content is no notification");
}

int op_notify(struct operation *op)
{
	const struct resource *r = &op->target.r;
	int rc;

	if (op->target.virt != VIRT_NONE ||
	    (r->ty != TYPE_AE && r->ty != TYPE_CSR))
		return store_refuse(op->c, RSC_OPERATION_NOT_ALLOWED,
				    "no NOTIFY to this resource");
	rc = check_notification(op);
	if (rc == 0)
		rc = access_check(op->c, r, op->originator, ACCESS_NOTIFY, 0);
	return rc == 0 ? forward(op, str_of(r->ri)) : rc;
}

/* ---- a pollingChannel's pcu (TS-0001 10.2.5.15 and 10.2.5.19) ---- */

static int check_poll_answer(struct operation *op)
{
	if (str_eq(member_of(op->request->content), STR("m2m:rsp")))
		return STORE_POLL_ANSWER;
	return store_refuse(op->c, RSC_BAD_REQUEST,
			    "content is no m2m:rsp");
}

int op_poll(struct operation *op)
{
	enum op kind = op->request->op;
	int rc;

	if ((kind != OP_RETRIEVE && kind != OP_NOTIFY) || is_one_of_many(op))
		return store_refuse(op->c, RSC_OPERATION_NOT_ALLOWED,
				    "pcu takes RETRIEVE and NOTIFY only");
	rc = access_check_owner(op->c, &op->target.r, op->originator);
	if (rc != 0)
		return rc;
	op->c->pass->channel = op->target.r.id;
	return kind == OP_RETRIEVE ? STORE_POLL : check_poll_answer(op);
}
