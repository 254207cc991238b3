#ifndef STORE_OP_H
#define STORE_OP_H

#include "store/resource.h"

/* Between the files that make up store_execute(). */

/* Status codes that only the operations give. */
enum {
	RSC_GROUP_REQUEST_IDENTIFIER_EXISTS = 4104,
	RSC_INVALID_CHILD_RESOURCE_TYPE = 4108,
	RSC_NO_MEMBERS = 4109,
	RSC_ORIGINATOR_HAS_ALREADY_REGISTERED = 4117,
};

/* Resource types (TS-0004 6.3.4.2.1) that the operations tell apart. */
enum {
	TYPE_ACP = 1,
	TYPE_AE = 2,
	TYPE_CNT = 3,
	TYPE_CIN = 4,
	TYPE_CB = 5,
	TYPE_GRP = 9,
	TYPE_PCH = 15,
	TYPE_CSR = 16,
	TYPE_REQ = 17,
	TYPE_SUB = 23,
	TYPE_FCNT = 28,
};

/* resultContent (TS-0004 6.3.4.2.7) */
enum {
	RCN_NOTHING = 0,
	RCN_ATTRIBUTES = 1,
	RCN_ADDRESS = 2,
	RCN_ADDRESS_ATTRIBUTES = 3,
	RCN_CHILDREN = 4,
	RCN_REFERENCES = 5,
	RCN_REFERENCES_ONLY = 6,
	RCN_CHILDREN_ONLY = 8,
	RCN_MODIFIED = 9,
};

/* The groups that a request has gone through. */
struct fanout {
	int64_t *group;		/* owned */
	size_t count, cap;
};

/* A request under way. */
struct operation {
	struct store_conn *c;
	struct store_events *events;
	const struct prim *request;
	struct str originator;		/* fr; empty: none */
	int64_t rcn;			/* the operation's default where none
					 * was asked for; not of RETRIEVE */
	uint64_t now_ms;
	struct fanout *fanout;
	size_t first_event;		/* of this operation in events */

	struct store_target target;	/* owned */
	json_t *content;		/* owned; pc of the request, or NULL */
	json_t *result;			/* owned; pc of the answer, or NULL */
};

/*
 * Each: 0, or an rsc with c->why, or negative, or an enum store_outcome: what
 * is to be done instead. Only of 0 is anything written. The target is resolved
 * and neither fopt nor expired.
 */
MUST_CHECK int op_create(struct operation *op);
MUST_CHECK int op_update(struct operation *op);
MUST_CHECK int op_delete(struct operation *op);

/* Keeps what was written since tree_mark(), or undoes it where rc says so or
 * somebody has to be asked first; what has become of rc. */
MUST_CHECK int op_settle(struct operation *op, int rc);

/* The one member of pc, an object. 0 or 4000. */
MUST_CHECK int op_content(struct operation *op, const char **member,
			  json_t **object);

/* Policies, or who is registered and how it is reached, have changed with a
 * resource of ty. */
void op_touch_access(struct store_conn *c, int ty);

/* Resolves and runs request within outer. The rsc of its answer, success or
 * not, with *pc, or an enum store_outcome other than STORE_ANSWERED, or
 * negative. */
MUST_CHECK int op_run(json_t **pc, const struct operation *outer,
		      const struct prim *request);

/* Of what op_run() returns: an rsc. */
static inline bool op_is_answer(int rc)
{
	return rc >= RSC_ACCEPTED;
}

/* The success code of an operation. */
int op_success(enum op op);

/* ---- store_forward.c ---- */

/* Where the request is for, if not for this CSE: STORE_FORWARD, or a refusal.
 * Of an unresolved target, which is another CSE's. */
MUST_CHECK int op_forward(struct operation *op);
MUST_CHECK int op_notify(struct operation *op);
/* A pcu: STORE_POLL, STORE_POLL_ANSWER, or a refusal. */
MUST_CHECK int op_poll(struct operation *op);

/* ---- store_asynch.c ---- */

/* Sends the answer to a request with rt 2 as notifications; the rsc to
 * acknowledge it with, or negative. result is taken over. */
MUST_CHECK int asynch_send(struct store_events *events, struct store_conn *c,
			   const struct prim *request, int rsc,
			   json_t *result);

/* ---- store_request.c ---- */

/* 4000, 4008: rp or rset is no time to come. */
MUST_CHECK int request_check(struct store_conn *c, const struct prim *request,
			     uint64_t now_ms);
/* Keeps the answer to a request with rt 1 as a <request>; the rsc to
 * acknowledge it with, and *pc, or negative. result is taken over. */
MUST_CHECK int request_keep(json_t **pc, struct store_conn *c,
			    struct store_events *events,
			    const struct prim *request, int rsc,
			    json_t *result, uint64_t now_ms);

/* ---- store_fanout.c ---- */

/* An answer as it stands within another primitive, with cnst and cnot, which
 * then are not the other's; pc is taken over. NULL: no memory. */
json_t *answer_wrap(struct store_conn *c, const struct prim *request, int rsc,
		    json_t *pc);

/* To every member of the group that is the target: m2m:agr. */
MUST_CHECK int op_fan_out(struct operation *op);

/* ---- store_register.c ---- */

/* 4108: parent cannot have a child of that type. Types that cannot be
 * created at all pass: the rules know why. */
MUST_CHECK int nesting_check(struct store_conn *c, int parent_ty, int ty);

/* The ids of a new AE or remoteCSE: r->ri and its aei or csi. Other types:
 * nothing. 4000, 4117. */
MUST_CHECK int register_entity(struct resource *r, struct store_conn *c,
			       struct str originator);

/* 4117: before the rules judge the rest of it. */
MUST_CHECK int register_check(struct store_conn *c, int ty,
			      struct str originator);

#endif
