#include <uv.h>

#include "store/store_op.h"
#include "store/store_types.h"

/* UPDATE and DELETE: what is done to a resource that exists. */

static int check_condition(struct operation *op, const struct resource *r)
{
	struct str fc = prim_text(op->request, PARAM_FC);
	bool match = true;
	int rc = fc.len > 0 ? filter_matches(&match, op->c, r, fc) : 0;

	if (rc != 0 || match)
		return rc;
	return store_refuse(op->c, RSC_NOT_FOUND,
			    "the filter criteria do not match");
}

/* ---- UPDATE ---- */

static int refuse_update(struct operation *op)
{
	const struct type_info *type = type_find(op->target.r.ty);

	if (op->target.virt == VIRT_NONE && !type->fixed && !type->constant)
		return 0;
	return store_refuse(op->c, RSC_OPERATION_NOT_ALLOWED, "no UPDATE of %s",
			    op->target.virt == VIRT_NONE ? type->name :
			    "a virtual resource");
}

static bool sets_acpi(const struct operation *op)
{
	const json_t *body =
		json_object_get(op->content, rules_member(&op->target.r));

	return json_object_get(body, "acpi") != NULL;
}

static int judge_update(struct operation *op, json_t **object)
{
	struct resource *r = &op->target.r;
	const char *member;
	int rc = refuse_update(op);

	if (rc == 0)
		rc = sets_acpi(op) ?
			     access_check_acpi(op->c, r, op->originator) :
			     access_check(op->c, r, op->originator,
					  ACCESS_UPDATE, 0);
	if (rc == 0)
		rc = check_condition(op, r);
	if (rc == 0)
		rc = op_content(op, &member, object);
	if (rc == 0 && strcmp(member, rules_member(r)) != 0)
		rc = store_refuse(op->c, RSC_BAD_REQUEST,
				  "content is no %s", rules_member(r));
	return rc;
}

static int tell_update(struct operation *op, const json_t *changed)
{
	const struct resource *r = &op->target.r;

	if (op->rcn == RCN_NOTHING)
		return 0;
	if (op->rcn != RCN_MODIFIED)
		return rules_represent(&op->result, op->c, r);
	op->result = json_pack("{s:o}", rules_member(r),
			       rules_modified(changed));
	return op->result != NULL ? 0 : UV_ENOMEM;
}

static int update(struct operation *op, const json_t *object,
		  const json_t *old_nu)
{
	struct resource *r = &op->target.r;
	json_t *changed = NULL;
	int rc = rules_update(r, &changed, op->c, object, op->request,
			      op->now_ms);

	if (rc == 0)
		rc = tree_update(r, op->c);
	if (rc == 0 && r->ty == TYPE_SUB)
		rc = notify_verify(op->events, op->c, r, old_nu, op->request);
	if (rc == 0)
		rc = notify_change(op->events, op->c, r, NULL, CHANGE_UPDATE,
				   changed, op->request);
	if (rc == 0)
		rc = tell_update(op, changed);
	json_decref(changed);
	return rc;
}

int op_update(struct operation *op)
{
	json_t *object, *old_nu;
	int rc = judge_update(op, &object);

	if (rc == 0)
		rc = tree_mark(op->c);
	if (rc != 0)
		return rc;
	old_nu = json_incref(json_object_get(op->target.r.attrs, "nu"));
	rc = op_settle(op, update(op, object, old_nu));
	json_decref(old_nu);
	op_touch_access(op->c, op->target.r.ty);
	if (sets_acpi(op))
		access_invalidate(op->c);
	return rc;
}

/* ---- DELETE ---- */

/* DELETE of la and ol is one of the instance behind them. */
static int find_instance(struct operation *op)
{
	struct store_target *t = &op->target;
	struct resource edge = { 0 };
	int rc;

	if (t->virt == VIRT_NONE)
		return 0;
	if (t->virt != VIRT_LATEST && t->virt != VIRT_OLDEST)
		return store_refuse(op->c, RSC_OPERATION_NOT_ALLOWED,
				    "no DELETE of a virtual resource");
	rc = tree_edge(&edge, op->c, t->r.id, t->virt == VIRT_LATEST);
	/* an empty container tells strangers nothing either */
	if (rc == RSC_NOT_FOUND) {
		int denied = access_check(op->c, &t->r, op->originator,
					  ACCESS_DELETE, 0);

		return denied != 0 ? denied :
				     store_refuse(op->c, rc, "no instance");
	}
	if (rc != 0)
		return rc;
	resource_deinit(&t->r);
	t->r = edge;
	t->virt = VIRT_NONE;
	return 0;
}

static int judge_delete(struct operation *op)
{
	const struct resource *r = &op->target.r;
	int rc = find_instance(op);

	if (rc == 0 && r->ty == TYPE_CB)
		rc = store_refuse(op->c, RSC_OPERATION_NOT_ALLOWED,
				  "no DELETE of the CSEBase");
	if (rc == 0)
		rc = access_check(op->c, r, op->originator, ACCESS_DELETE, 0);
	if (rc == 0)
		rc = check_condition(op, r);
	if (rc == 0 && op->rcn != RCN_NOTHING)
		rc = store_describe(&op->result, op->c, r, op->request,
				    op->rcn, op->now_ms);
	return rc;
}

static int notify_deletion(struct operation *op)
{
	const struct resource *r = &op->target.r;
	struct resource parent = { 0 };
	int rc = notify_change(op->events, op->c, r, NULL, CHANGE_DELETE, NULL,
			       op->request);

	if (rc == 0)
		rc = tree_load(&parent, op->c, r->parent);
	if (rc == 0)
		rc = notify_change(op->events, op->c, &parent, r,
				   CHANGE_DELETE_CHILD, NULL, op->request);
	resource_deinit(&parent);
	return rc;
}

int op_delete(struct operation *op)
{
	const struct resource *r = &op->target.r;
	int rc = judge_delete(op);

	if (rc == 0)
		rc = tree_mark(op->c);
	if (rc != 0)
		return rc;
	rc = notify_deletion(op);
	if (rc == 0)
		rc = tree_delete(op->c, r);
	rc = op_settle(op, rc);
	/* rows below it may have had policies */
	if (r->ty != TYPE_CIN && r->ty != TYPE_REQ && r->ty != TYPE_SUB)
		access_invalidate(op->c);
	return rc;
}
