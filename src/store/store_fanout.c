#include <stdlib.h>
#include <uv.h>

#include "store/store_op.h"

/*
 * Requests to all members of a group (TS-0004 7.4.14). A group that is a
 * member of another one is gone through once per request, however it is
 * reached: a second time is 4104, and no loop of groups has an end otherwise.
 */

static bool has_seen(const struct fanout *f, int64_t group)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->group[i] == group)
			return true;
	return false;
}

static int remember(struct fanout *f, int64_t group)
{
	if (f->count == f->cap) {
		size_t cap = f->cap > 0 ? 2 * f->cap : 4;
		int64_t *list = realloc(f->group, cap * sizeof(*list));

		if (list == NULL)
			return UV_ENOMEM;
		f->group = list;
		f->cap = cap;
	}
	f->group[f->count++] = group;
	return 0;
}

static int check_group(struct operation *op)
{
	static const enum access_op rights[] = {
		[OP_CREATE] = ACCESS_CREATE,
		[OP_RETRIEVE] = ACCESS_RETRIEVE,
		[OP_UPDATE] = ACCESS_UPDATE,
		[OP_DELETE] = ACCESS_DELETE,
		[OP_NOTIFY] = ACCESS_NOTIFY,
	};
	const struct resource *group = &op->target.r;
	int rc = access_check_members(op->c, group, op->originator,
				      rights[op->request->op]);

	if (rc != 0)
		return rc;
	if (prim_has(op->request, PARAM_GRTM))
		return store_refuse(op->c, RSC_NOT_IMPLEMENTED,
				    "grtm is not supported");
	if (json_array_size(json_object_get(group->attrs, "mid")) == 0)
		return store_refuse(op->c, RSC_NO_MEMBERS,
				    "the group has no members");
	if (has_seen(op->fanout, group->id))
		return store_refuse(op->c, RSC_GROUP_REQUEST_IDENTIFIER_EXISTS,
				    "the request came by this group before");
	return remember(op->fanout, group->id);
}

json_t *answer_wrap(struct store_conn *c, const struct prim *request, int rsc,
		    json_t *pc)
{
	struct str rqi = prim_text(request, PARAM_RQI);
	struct str rvi = prim_text(request, PARAM_RVI);
	json_int_t cnst = (json_int_t)c->cnst, cnot = (json_int_t)c->cnot;

	c->cnst = 0;
	c->cnot = 0;
	return json_pack("{s:i,s:s%,s:s%,s:o*,s:o*,s:o*}", "rsc", rsc, "rqi",
			 rqi.len > 0 ? rqi.p : "", rqi.len, "rvi",
			 rvi.len > 0 ? rvi.p : "", rvi.len, "pc", pc,
			 "cnst", cnst > 0 ? json_integer(cnst) : NULL,
			 "cnot", cnot > 0 ? json_integer(cnot) : NULL);
}

static int ask_member(json_t *list, struct operation *op, struct str to)
{
	struct prim request = *op->request;
	json_t *pc = NULL;
	int rsc;

	prim_set_str(&request, PARAM_TO, to);
	rsc = op_run(&pc, op, &request);
	/* the others are asked what they ask too */
	if (rsc == STORE_ASKED)
		return 0;
	if (rsc < 0)
		return rsc;
	return json_array_append_new(list, answer_wrap(op->c, &request, rsc,
						       pc)) ?
		       UV_ENOMEM : 0;
}

/* What stood after fopt stands after the member's id. */
static int ask_by_id(json_t *list, struct operation *op, const json_t *id)
{
	struct buf to = { 0 };
	int rc = UV_ENOMEM;

	buf_add(&to, json_string_value(id), json_string_length(id));
	if (op->target.rest != NULL) {
		buf_add_char(&to, '/');
		buf_add_str(&to, str_of(op->target.rest));
	}
	if (!to.failed)
		rc = ask_member(list, op, buf_str(&to));
	buf_deinit(&to);
	return rc;
}

static int ask_all(json_t *list, struct operation *op)
{
	json_t *id;
	size_t i;
	int rc = 0;

	json_array_foreach(json_object_get(op->target.r.attrs, "mid"), i, id) {
		rc = ask_by_id(list, op, id);
		if (rc != 0)
			break;
	}
	return rc;
}

/* Each member's part is done or refused by itself; a failure of the store
 * takes all of them back. */
static int ask_marked(json_t *list, struct operation *op)
{
	int rc;

	if (op->request->op == OP_RETRIEVE)
		return ask_all(list, op);
	rc = tree_mark(op->c);
	if (rc != 0)
		return rc;
	return op_settle(op, ask_all(list, op));
}

int op_fan_out(struct operation *op)
{
	json_t *list;
	int rc = check_group(op);

	if (rc != 0)
		return rc;
	list = json_array();
	rc = ask_marked(list, op);
	if (rc != 0) {
		json_decref(list);
		return rc;
	}
	op->result = json_pack("{s:{s:o}}", "m2m:agr", "m2m:rsp", list);
	return op->result != NULL ? 0 : UV_ENOMEM;
}
