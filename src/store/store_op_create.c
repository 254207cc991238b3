#include <stdlib.h>
#include <uv.h>

#include "store/store_op.h"

/* A CREATE under way: parent is the operation's target. */
struct creation {
	struct operation *op;
	int ty;
	const char *member;		/* of pc */
	json_t *object;
	struct resource r;		/* owned */
};

/* TS-0001 Tables 9.6.4-1 and 9.6.5-1: one, which stays the way to it. */
static int check_channel(const struct creation *n)
{
	int64_t id = 0;
	int rc = n->ty == TYPE_PCH ? tree_first(&id, n->op->c,
						n->op->target.r.id, TYPE_PCH) :
				     0;

	if (rc != 0 || id == 0)
		return rc;
	return store_refuse(n->op->c, RSC_CONFLICT,
			    "it has a pollingChannel already");
}

/* In the order in which they are answered where several apply. */
static int judge(struct creation *n)
{
	struct operation *op = n->op;
	const struct resource *parent = &op->target.r;
	int rc;

	if (op->target.virt != VIRT_NONE)
		return store_refuse(op->c, RSC_OPERATION_NOT_ALLOWED,
				    "no CREATE below a virtual resource");
	rc = access_check(op->c, parent, op->originator, ACCESS_CREATE, n->ty);
	/* whoever subscribes reads (TS-0004 7.4.8.2.1) */
	if (rc == 0 && n->ty == TYPE_SUB)
		rc = access_check(op->c, parent, op->originator,
				  ACCESS_RETRIEVE, 0);
	if (rc == 0)
		rc = nesting_check(op->c, parent->ty, n->ty);
	if (rc == 0)
		rc = op_content(op, &n->member, &n->object);
	if (rc == 0)
		rc = check_channel(n);
	if (rc == 0)
		rc = register_check(op->c, n->ty, op->originator);
	return rc;
}

static int build(struct creation *n)
{
	struct operation *op = n->op;
	int rc = rules_create(&n->r, op->c, &op->target.r, n->ty, n->member,
			      n->object, op->request, op->now_ms);

	n->r.parent = op->target.r.id;
	return rc == 0 ? register_entity(&n->r, op->c, op->originator) : rc;
}

static int store(struct creation *n)
{
	struct operation *op = n->op;
	int rc = tree_insert(&n->r, op->c);

	if (rc == 0)
		rc = rules_child_added(op->c, &op->target.r, &n->r,
				       op->now_ms);
	if (rc == 0 && n->ty == TYPE_SUB)
		rc = notify_verify(op->events, op->c, &n->r, NULL,
				   op->request);
	if (rc == 0)
		rc = notify_change(op->events, op->c, &op->target.r, &n->r,
				   CHANGE_CREATE_CHILD, NULL, op->request);
	return rc;
}

/* rcn 9: what the CSE has set beyond what the originator sent. */
static void remove_known(json_t *pc, const struct creation *n)
{
	json_t *body = json_object_get(pc, rules_member(&n->r));
	const char *name;
	json_t *value;

	json_object_foreach(n->object, name, value)
		if (json_equal(json_object_get(body, name), value))
			json_object_del(body, name);
}

/* The address alone, or wrapped around body, which is taken over. */
static int tell_address(struct creation *n, json_t *body)
{
	char *path;
	int rc = tree_path(&path, n->op->c, &n->r);

	if (rc != 0) {
		json_decref(body);
		return rc;
	}
	if (body == NULL) {
		n->op->result = json_pack("{s:s}", "m2m:uri", path);
	} else {
		json_object_set_new(body, "uri", json_string(path));
		n->op->result = json_pack("{s:o}", "m2m:rce", body);
	}
	free(path);
	return n->op->result != NULL ? 0 : UV_ENOMEM;
}

static int tell(struct creation *n)
{
	struct operation *op = n->op;
	json_t *pc = NULL;
	int rc;

	if (op->rcn == RCN_NOTHING)
		return 0;
	if (op->rcn == RCN_ADDRESS)
		return tell_address(n, NULL);
	rc = rules_represent(&pc, op->c, &n->r);
	if (rc != 0)
		return rc;
	if (op->rcn == RCN_ADDRESS_ATTRIBUTES)
		return tell_address(n, pc);
	if (op->rcn == RCN_MODIFIED)
		remove_known(pc, n);
	op->result = pc;
	return 0;
}

static int store_and_tell(struct creation *n)
{
	int rc = store(n);

	return rc == 0 ? tell(n) : rc;
}

/*
 * Without a mark, which costs a fifth of the whole CREATE: an instance is
 * refused by tree_insert(), before anything is written, or not at all. Where
 * memory or the disk fails, the transaction goes, and the commit of all its
 * requests fails.
 */
static int create_instance(struct creation *n)
{
	int rc = store_and_tell(n);

	if (rc < 0)
		store_rollback(n->op->c);
	return rc;
}

static int create(struct creation *n)
{
	struct store_conn *c = n->op->c;
	int rc;

	if (n->ty == TYPE_CIN)
		return create_instance(n);
	rc = tree_mark(c);
	if (rc != 0)
		return rc;
	rc = op_settle(n->op, store_and_tell(n));
	op_touch_access(c, n->ty);
	return rc;
}

int op_create(struct operation *op)
{
	struct creation n = { .op = op };
	int64_t ty;
	int rc;

	if (!prim_int(&ty, op->request, PARAM_TY) || ty < 1 || ty > INT32_MAX)
		return store_refuse(op->c, RSC_BAD_REQUEST,
				    "ty is no resource type");
	if (prim_has(op->request, PARAM_FC))
		return store_refuse(op->c, RSC_BAD_REQUEST, "fc in a CREATE");
	n.ty = (int)ty;
	rc = judge(&n);
	if (rc == 0)
		rc = build(&n);
	if (rc == 0)
		rc = create(&n);
	resource_deinit(&n.r);
	return rc;
}
