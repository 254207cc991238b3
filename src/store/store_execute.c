#include <stdlib.h>
#include <uv.h>

#include "store/store_json.h"
#include "store/store_op.h"
#include "store/store_route.h"

/* ---- what an operation needs ---- */

int op_success(enum op op)
{
	static const int codes[] = {
		[OP_CREATE] = RSC_CREATED,
		[OP_RETRIEVE] = RSC_OK,
		[OP_UPDATE] = RSC_UPDATED,
		[OP_DELETE] = RSC_DELETED,
		[OP_NOTIFY] = RSC_OK,
	};

	return codes[op];
}

int op_content(struct operation *op, const char **member, json_t **object)
{
	void *only = json_object_iter(op->content);

	if (json_object_size(op->content) != 1)
		return store_refuse(op->c, RSC_BAD_REQUEST,
				    "pc does not have one member");
	*member = json_object_iter_key(only);
	*object = json_object_iter_value(only);
	if (!json_is_object(*object))
		return store_refuse(op->c, RSC_BAD_REQUEST,
				    "%.60s is no object", *member);
	return 0;
}

void op_touch_access(struct store_conn *c, int ty)
{
	if (ty == TYPE_ACP || ty == TYPE_GRP || ty == TYPE_AE ||
	    ty == TYPE_CSR || ty == TYPE_PCH)
		access_invalidate(c);
}

static int read_content(struct operation *op)
{
	struct str text = op->request->content;

	/* store_retrieve() reads its own, op_notify() passes it on */
	if (text.len == 0 || op->request->op == OP_RETRIEVE ||
	    op->request->op == OP_NOTIFY)
		return 0;
	return store_json_read(&op->content, op->c, "pc", text);
}

/* A bit per value (TS-0001 Table 8.1.2-1). */
static unsigned valid_rcn(enum op op)
{
	switch (op) {
	case OP_CREATE:
		return 1 << RCN_NOTHING | 1 << RCN_ATTRIBUTES |
		       1 << RCN_ADDRESS | 1 << RCN_ADDRESS_ATTRIBUTES |
		       1 << RCN_MODIFIED;
	case OP_UPDATE:
		return 1 << RCN_NOTHING | 1 << RCN_ATTRIBUTES |
		       1 << RCN_MODIFIED;
	default:
		return 1 << RCN_NOTHING | 1 << RCN_ATTRIBUTES |
		       1 << RCN_CHILDREN | 1 << RCN_REFERENCES |
		       1 << RCN_REFERENCES_ONLY | 1 << RCN_CHILDREN_ONLY;
	}
}

static int read_rcn(struct operation *op)
{
	enum op kind = op->request->op;

	op->rcn = kind == OP_DELETE ? RCN_NOTHING : RCN_ATTRIBUTES;
	if (kind == OP_RETRIEVE || kind == OP_NOTIFY ||
	    !prim_has(op->request, PARAM_RCN))
		return 0;
	if (prim_int(&op->rcn, op->request, PARAM_RCN) && op->rcn >= 0 &&
	    op->rcn < 32 && (valid_rcn(kind) >> op->rcn & 1) != 0)
		return 0;
	return store_refuse(op->c, RSC_BAD_REQUEST,
			    "rcn is not for this operation");
}

static int find_target(struct operation *op)
{
	struct store_target *t = &op->target;
	int rc = store_resolve(t, op->c, prim_text(op->request, PARAM_TO));

	if (rc != 0)
		return rc;
	if (t->attribute != NULL && op->request->op != OP_RETRIEVE)
		return store_refuse(op->c, RSC_BAD_REQUEST,
				    "an attribute can only be retrieved");
	/* not yet swept away */
	if (t->r.et != 0 && t->r.et <= op->now_ms)
		return store_refuse(op->c, RSC_NOT_FOUND, "it has expired");
	return 0;
}

static int perform(struct operation *op)
{
	if (op->target.virt == VIRT_FANOUT)
		return op_fan_out(op);
	if (op->target.virt == VIRT_POLLING)
		return op_poll(op);
	switch (op->request->op) {
	case OP_CREATE:
		return op_create(op);
	case OP_RETRIEVE:
		return store_retrieve(&op->result, op->c, &op->target,
				      op->request, op->now_ms);
	case OP_UPDATE:
		return op_update(op);
	case OP_DELETE:
		return op_delete(op);
	case OP_NOTIFY:
		return op_notify(op);
	case OP_NONE:
		break;
	}
	return store_refuse(op->c, RSC_BAD_REQUEST, "no such operation");
}

/* Another CSE judges what is for it. */
static int carry_out(struct operation *op)
{
	int rc;

	if (route_is_foreign(op->c, prim_text(op->request, PARAM_TO)))
		return op_forward(op);
	rc = read_rcn(op);
	if (rc == 0)
		rc = read_content(op);
	if (rc == 0)
		rc = find_target(op);
	return rc == 0 ? perform(op) : rc;
}

static bool has_asked(const struct operation *op)
{
	const struct store_events *e = op->events;

	for (size_t i = op->first_event; i < e->count; i++)
		if (e->list[i].ask != STORE_TELL)
			return true;
	return false;
}

int op_settle(struct operation *op, int rc)
{
	if (rc == 0 && has_asked(op))
		rc = STORE_ASKED;
	if (rc == 0)
		return tree_keep(op->c);
	tree_undo(op->c);
	return rc;
}

/* What did not happen is not told; the questions stay. */
static void drop_told(const struct operation *op)
{
	struct store_events *e = op->events;
	size_t kept = op->first_event;

	for (size_t i = kept; i < e->count; i++)
		if (e->list[i].ask != STORE_TELL)
			e->list[kept++] = e->list[i];
	e->count = kept;
}

/* *pc, which it may have: why it failed. */
static int refuse(json_t **pc, struct operation *op, int rc)
{
	json_decref(op->result);
	op->result = NULL;
	if (rc == STORE_ASKED)
		drop_told(op);
	else if (rc != STORE_FORWARD)
		op->events->count = op->first_event;
	if (op_is_answer(rc))
		*pc = json_pack("{s:s}", "m2m:dbg", op->c->why);
	return rc;
}

int op_run(json_t **pc, const struct operation *outer,
	   const struct prim *request)
{
	struct operation op = {
		.c = outer->c,
		.events = outer->events,
		.request = request,
		.originator = prim_text(request, PARAM_FR),
		.now_ms = outer->now_ms,
		.fanout = outer->fanout,
		.first_event = outer->events->count,
	};
	int rc = carry_out(&op);

	if (rc != 0) {
		rc = refuse(pc, &op, rc);
	} else {
		*pc = op.result;
		rc = op.target.virt == VIRT_FANOUT ? RSC_OK :
						     op_success(request->op);
	}
	json_decref(op.content);
	store_target_deinit(&op.target);
	return rc;
}

/* ---- the request itself ---- */

bool store_is_read(const struct prim *request)
{
	int rtv = prim_response_type(request);

	/* an answer that goes out as a notification is an event, one that
	 * waits a resource */
	return request->op == OP_RETRIEVE && rtv != 1 && rtv != 2;
}

/* Release 1 had no rvi; 2 itself was never one of the list. */
static bool is_release(struct str rvi)
{
	return str_eq(rvi, STR("2a")) || str_eq(rvi, STR("3")) ||
	       str_eq(rvi, STR("4")) || str_eq(rvi, STR("5"));
}

static int check_request(struct store_conn *c, const struct prim *request,
			 uint64_t now_ms)
{
	uint64_t wait;
	const char *why;
	int rsc = prim_check_request(&why, request, now_ms);

	if (rsc != 0)
		return store_refuse(c, rsc, "%s", why);
	/* the other CSE judges */
	if (route_is_foreign(c, prim_text(request, PARAM_TO)))
		return 0;
	if (!is_release(prim_text(request, PARAM_RVI)))
		return store_refuse(c, RSC_RELEASE_VERSION_NOT_SUPPORTED,
				    "rvi is none of 2a, 3, 4, 5");
	if (prim_time_left(&wait, request, PARAM_OET, now_ms) && wait > 0)
		return store_refuse(c, RSC_NOT_IMPLEMENTED,
				    "oet is not supported");
	return prim_response_type(request) == 1 ?
		       request_check(c, request, now_ms) : 0;
}

static int run_blocking(json_t **pc, struct store_conn *c,
			struct store_events *events,
			const struct prim *request, uint64_t now_ms)
{
	struct fanout fanout = { 0 };
	struct operation outer = {
		.c = c,
		.events = events,
		.now_ms = now_ms,
		.fanout = &fanout,
	};
	int rsc = op_run(pc, &outer, request);

	free(fanout.group);
	return rsc;
}

/* The answer goes another way; what was done does not stay without it. */
static int run_nonblocking(json_t **pc, struct store_conn *c,
			   struct store_events *events,
			   const struct prim *request, uint64_t now_ms)
{
	json_t *result = NULL;
	int rc = tree_mark(c);

	if (rc != 0)
		return rc;
	rc = run_blocking(&result, c, events, request, now_ms);
	if (!op_is_answer(rc))
		json_decref(result);
	else if (prim_response_type(request) == 1)
		rc = request_keep(pc, c, events, request, rc, result, now_ms);
	else
		rc = asynch_send(events, c, request, rc, result);
	if (op_is_answer(rc)) {
		int kept = tree_keep(c);

		return kept != 0 ? kept : rc;
	}
	tree_undo(c);
	return rc;
}

/* rsc with *pc, or the outcome, or negative. */
static int run(json_t **pc, struct store_conn *c, struct store_events *events,
	       const struct prim *request, uint64_t now_ms)
{
	int rtv = prim_response_type(request);

	return rtv == 1 || rtv == 2 ?
		       run_nonblocking(pc, c, events, request, now_ms) :
		       run_blocking(pc, c, events, request, now_ms);
}

/* A request of its own: a reader sees one state of the tree in it. */
static int run_snapshot(json_t **pc, struct store_conn *c,
			struct store_events *events,
			const struct prim *request, uint64_t now_ms)
{
	int rc;

	if (c->in_transaction)
		return run(pc, c, events, request, now_ms);
	access_begin(c);
	rc = store_begin(c);
	if (rc != 0)
		return rc;
	rc = run(pc, c, events, request, now_ms);
	store_rollback(c);
	return rc;
}

/* ---- the answer ---- */

/* Where text was added to the store, which moves while it grows. */
struct place {
	size_t at, len;
};

static struct place keep(struct prim *answer, struct str text)
{
	struct place p = { answer->store.len, text.len };

	buf_add_str(&answer->store, text);
	return p;
}

static struct place keep_json(struct prim *answer, const json_t *pc)
{
	struct place p = { answer->store.len, 0 };

	if (pc != NULL)
		store_json_add(&answer->store, pc);
	p.len = answer->store.len - p.at;
	return p;
}

static void put(struct prim *answer, enum prim_param id, enum value_type type,
		struct place p)
{
	if (p.len > 0)
		prim_set(answer, id, type,
			 (struct str){ answer->store.p + p.at, p.len });
}

static struct place keep_number(struct prim *answer, uint64_t n)
{
	struct place p = { answer->store.len, 0 };

	if (n > 0)
		buf_add_u64(&answer->store, n);
	p.len = answer->store.len - p.at;
	return p;
}

static int write_answer(struct prim *answer, const struct store_conn *c,
			const struct prim *request, const json_t *pc)
{
	struct place rqi = keep(answer, prim_text(request, PARAM_RQI));
	struct place rvi = keep(answer, prim_text(request, PARAM_RVI));
	struct place cnst = keep_number(answer, c->cnst);
	struct place cnot = keep_number(answer, c->cnot);
	struct place content = keep_json(answer, pc);

	if (answer->store.failed)
		return UV_ENOMEM;
	put(answer, PARAM_RQI, VALUE_STRING, rqi);
	put(answer, PARAM_RVI, VALUE_STRING, rvi);
	put(answer, PARAM_CNST, VALUE_NUMBER, cnst);
	put(answer, PARAM_CNOT, VALUE_NUMBER, cnot);
	if (content.len > 0)
		answer->content = (struct str){ answer->store.p + content.at,
						content.len };
	return 0;
}

/* rsc with *pc, or the outcome, or negative. */
static int execute(json_t **pc, struct store_conn *c,
		   struct store_events *events, const struct prim *request,
		   uint64_t now_ms)
{
	size_t before = events->count;
	int rc = check_request(c, request, now_ms);

	if (rc != 0) {
		*pc = json_pack("{s:s}", "m2m:dbg", c->why);
		return rc;
	}
	rc = run_snapshot(pc, c, events, request, now_ms);
	if (rc < 0)
		events->count = before;
	return rc;
}

/* The same request before: its rows had numbers that nobody else has got. */
static void begin_pass(struct store_conn *c, struct store_pass *pass)
{
	pass->outcome = STORE_ANSWERED;
	c->pass = pass;
	c->why[0] = '\0';
	c->cnst = 0;
	c->cnot = 0;
	if (pass->agreed)
		tree_take_again(c, pass->rows, pass->row_count);
	else
		pass->rows = tree_next(c);
}

static void end_pass(struct store_conn *c)
{
	struct store_pass *pass = c->pass;

	c->pass = NULL;
	tree_take_again(c, 0, 0);
	if (!pass->agreed)
		pass->row_count = tree_next(c) - pass->rows;
}

int store_execute(struct store_conn *c, struct prim *answer,
		  struct store_events *events, struct store_pass *pass,
		  const struct prim *request, uint64_t now_ms)
{
	json_t *pc = NULL;
	int rc;

	prim_reset(answer, PRIM_RESPONSE);
	begin_pass(c, pass);
	rc = execute(&pc, c, events, request, now_ms);
	end_pass(c);
	if (op_is_answer(rc)) {
		answer->rsc = rc;
		rc = write_answer(answer, c, request, pc);
	} else if (rc > 0) {
		pass->outcome = (enum store_outcome)rc;
		rc = 0;
	}
	json_decref(pc);
	return rc;
}
