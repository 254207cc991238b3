#include "store_rig.h"

/*
 * Random requests, to the store and to a plain model of what it should do:
 * the status codes and the resources must be the same. STORE_MODEL_STEPS and
 * STORE_MODEL_SEED change the length and the sequence.
 */

enum { CB = 5, ACP = 1, AE = 2, CNT = 3, CIN = 4 };

struct node {
	int ty;
	int parent; /* index; the CSEBase is 0 */
	char rn[8];
	int mni;      /* 0: none */
	unsigned lbl; /* a bit per label; 0: none */
	int policy;   /* of acpi; 0: none */
	int con;      /* contentInstance: length of the text */
	bool alive;
};

static struct rig rig;
static struct node *nodes; /* in order of creation */
static int count, room;
static uint64_t seed;

static const char *const people[] = { "CAdmin", "Ca", "Cb" };

/* What the policies /a/p1 and /a/p2 let people do. */
static const int policies[3][3] = {
	{ 63, 0, 0 },
	{ 63, 0, 2 + 32 },
	{ 63, 63, 1 + 2 },
};

/* ---- chance ---- */

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* ---- the model ---- */

static int add(struct node n)
{
	if (count == room) {
		room = room == 0 ? 256 : room * 2;
		nodes = realloc(nodes, (size_t)room * sizeof(*nodes));
		ck_assert_ptr_nonnull(nodes);
	}
	n.alive = true;
	nodes[count] = n;
	return count++;
}

static int children(int parent, int ty)
{
	int n = 0;

	for (int i = parent + 1; i < count; i++)
		n += nodes[i].alive && nodes[i].parent == parent &&
		     nodes[i].ty == ty;
	return n;
}

static int bytes(int parent)
{
	int n = 0;

	for (int i = parent + 1; i < count; i++)
		n += nodes[i].alive && nodes[i].parent == parent &&
				     nodes[i].ty == CIN
			     ? nodes[i].con
			     : 0;
	return n;
}

static int edge(int parent, bool latest)
{
	int found = -1;

	for (int i = parent + 1; i < count; i++) {
		if (nodes[i].alive && nodes[i].parent == parent &&
		    nodes[i].ty == CIN && (latest || found < 0))
			found = i;
	}
	return found;
}

static int named(int parent, const char *rn)
{
	for (int i = parent + 1; i < count; i++) {
		if (nodes[i].alive && nodes[i].parent == parent &&
		    strcmp(nodes[i].rn, rn) == 0)
			return i;
	}
	return -1;
}

static void kill_tree(int at)
{
	nodes[at].alive = false;
	for (int i = at + 1; i < count; i++) {
		if (nodes[i].alive && nodes[i].parent == at)
			kill_tree(i);
	}
}

static void evict(int container)
{
	while (nodes[container].mni > 0 &&
	       children(container, CIN) > nodes[container].mni)
		nodes[edge(container, false)].alive = false;
}

static bool may(int who, int at, int op)
{
	if (at == 0) /* AEs may see the CSEBase */
		return who == 0 || (op & (2 + 32)) != 0;
	for (; who != 0 && at != 0; at = nodes[at].parent) {
		if (nodes[at].policy != 0)
			return (policies[nodes[at].policy][who] & op) != 0;
		if (nodes[at].ty == AE)
			return nodes[at].rn[0] == people[who][1];
	}
	return who == 0;
}

static int depth(int at, int above)
{
	int n = 0;

	for (; at != above; at = nodes[at].parent, n++) {
		if (at == 0)
			return -1;
	}
	return n;
}

/* ---- texts ---- */

static void path_of(struct buf *out, int at)
{
	if (at == 0) {
		buf_add_lit(out, "cse-in");
		return;
	}
	path_of(out, nodes[at].parent);
	buf_add_lit(out, "/");
	buf_add_str(out, str_of(nodes[at].rn));
}

static void labels_of(struct buf *out, unsigned lbl)
{
	bool first = true;

	buf_add_lit(out, "[");
	for (unsigned i = 0; i < 3; i++) {
		if ((lbl >> i & 1) == 0)
			continue;
		if (!first)
			buf_add_lit(out, ",");
		first = false;
		buf_add_lit(out, "'l:");
		buf_add_u64(out, i);
		buf_add_lit(out, "'");
	}
	buf_add_lit(out, "]");
}

static void start(struct buf *b, int op, int at, const char *rest, int who)
{
	buf_clear(b);
	buf_add_lit(b, "'op':");
	buf_add_i64(b, op);
	buf_add_lit(b, ",'to':'");
	path_of(b, at);
	buf_add_str(b, str_of(rest));
	buf_add_lit(b, "','fr':'");
	buf_add_str(b, str_of(people[who]));
	buf_add_lit(b, "'");
}

static void expect(struct buf *b, int rsc)
{
	buf_add_char(b, '\0');
	rig_must(&rig, rsc, b->p);
}

/* ---- comparing ---- */

static void same_resource(int at)
{
	const struct node *n = &nodes[at];
	const char *name;
	json_t *have, *lbl;

	json_object_foreach(rig.pc, name, have)
		break;
	ck_assert_str_eq(name, n->ty == CIN ? "m2m:cin" : "m2m:cnt");
	ck_assert_str_eq(json_string_value(json_object_get(have, "rn")), n->rn);
	if (n->ty == CIN) {
		ck_assert_int_eq(
			(int)json_string_length(json_object_get(have, "con")),
			n->con);
		ck_assert_int_eq(
			json_integer_value(json_object_get(have, "cs")),
			n->con);
		return;
	}
	ck_assert_int_eq(json_integer_value(json_object_get(have, "cni")),
			 children(at, CIN));
	ck_assert_int_eq(json_integer_value(json_object_get(have, "cbs")),
			 bytes(at));
	/* without mni of its own it has one from the configuration, or none */
	if (n->mni > 0)
		ck_assert_int_eq(
			json_integer_value(json_object_get(have, "mni")),
			n->mni);
	lbl = json_object_get(have, "lbl");
	ck_assert_int_eq((int)json_array_size(lbl), __builtin_popcount(n->lbl));
	ck_assert((json_object_get(have, "acpi") != NULL) == (n->policy != 0));
}

static void check_node(struct buf *b, int at)
{
	start(b, 2, at, "", 0);
	expect(b, 2000);
	same_resource(at);
}

static void check_all(struct buf *b)
{
	int alive = 0;

	for (int i = 0; i < count; i++) {
		if (nodes[i].alive &&
		    (nodes[i].ty == CNT || nodes[i].ty == CIN))
			check_node(b, i);
		alive += nodes[i].alive;
	}
	start(b, 2, 0, "", 0);
	buf_add_lit(b, ",'fc':{'fu':1}");
	expect(b, 2000);
	ck_assert_int_eq(
		(int)json_array_size(json_object_get(rig.pc, "m2m:uril")),
		alive - 1);
}

/* ---- steps ---- */

static int any_node(void)
{
	int at;

	do
		at = (int)below((unsigned)count);
	while (!nodes[at].alive || nodes[at].ty == ACP);
	return at;
}

static int any_container(void)
{
	int at = any_node();

	for (int i = 0; i < 20 && nodes[at].ty != CNT; i++)
		at = any_node();
	return at;
}

static void add_members(struct buf *b, const struct node *n)
{
	if (n->mni > 0) {
		buf_add_lit(b, ",'mni':");
		buf_add_i64(b, n->mni);
	}
	if (n->lbl != 0) {
		buf_add_lit(b, ",'lbl':");
		labels_of(b, n->lbl);
	}
	if (n->policy != 0) {
		buf_add_lit(b, ",'acpi':['cse-in/a/p");
		buf_add_i64(b, n->policy);
		buf_add_lit(b, "']");
	}
	if (n->ty == CIN) {
		buf_add_lit(b, ",'con':'");
		for (int i = 0; i < n->con; i++)
			buf_add_char(b, 'x');
		buf_add_lit(b, "'");
	}
}

static int create_rsc(int parent, int who, const struct node *n)
{
	if (!may(who, parent, 1) || (parent == 0 && who != 0))
		return 4103;
	if (nodes[parent].ty == CIN ||
	    (n->ty == CIN && nodes[parent].ty != CNT))
		return 4108;
	return named(parent, n->rn) >= 0 ? 4105 : 2001;
}

static void step_create(struct buf *b, int who, int ty)
{
	int parent = ty == CIN ? any_container() : any_node();
	struct node n = { .ty = ty, .parent = parent };
	int rsc;

	snprintf(n.rn, sizeof(n.rn), "%c%u", ty == CIN ? 'i' : 'n',
		 below(ty == CIN ? 40 : 6));
	if (ty == CIN) {
		n.con = (int)below(9);
	} else {
		n.mni = below(2) ? (int)below(4) + 1 : 0;
		n.policy = below(4) == 0 ? (int)below(2) + 1 : 0;
	}
	n.lbl = below(8);
	rsc = create_rsc(parent, who, &n);
	start(b, 1, parent, "", who);
	buf_add_lit(b, ",'ty':");
	buf_add_i64(b, ty);
	buf_add_str(b, ty == CIN ? STR(",'pc':{'m2m:cin':{'rn':'")
				 : STR(",'pc':{'m2m:cnt':{'rn':'"));
	buf_add_str(b, str_of(n.rn));
	buf_add_lit(b, "'");
	add_members(b, &n);
	buf_add_lit(b, "}}");
	expect(b, rsc);
	if (rsc != 2001)
		return;
	same_resource(add(n));
	evict(parent);
}

static void step_retrieve(struct buf *b, int who)
{
	int at = any_node();
	bool ok = may(who, at, 2);

	if (nodes[at].ty == CB || nodes[at].ty == AE)
		return;
	start(b, 2, at, "", who);
	expect(b, ok ? 2000 : 4103);
	if (ok)
		same_resource(at);
}

static void step_edge(struct buf *b, int who)
{
	int at = any_container();
	bool latest = below(2) == 0;
	int found = edge(at, latest);

	if (nodes[at].ty != CNT)
		return;
	start(b, 2, at, latest ? "/la" : "/ol", who);
	expect(b, !may(who, at, 2) ? 4103 : found < 0 ? 4004 : 2000);
	if (may(who, at, 2) && found >= 0)
		same_resource(found);
}

static void step_update(struct buf *b, int who)
{
	int at = any_node();
	struct node *n = &nodes[at];
	int rsc = n->ty == CIN ? 4005 : may(who, at, 4) ? 2004 : 4103;
	unsigned lbl = below(8);
	int mni = (int)below(4) + 1;

	if (n->ty != CNT && n->ty != CIN)
		return;
	start(b, 3, at, "", who);
	buf_add_str(b, n->ty == CIN ? STR(",'pc':{'m2m:cin':{'lbl':")
				    : STR(",'pc':{'m2m:cnt':{'lbl':"));
	if (lbl == 0)
		buf_add_lit(b, "null");
	else
		labels_of(b, lbl);
	if (mni < 3) {
		buf_add_lit(b, ",'mni':");
		buf_add_i64(b, mni);
	}
	buf_add_lit(b, "}}");
	expect(b, rsc);
	if (rsc != 2004)
		return;
	n->lbl = lbl;
	n->mni = mni < 3 ? mni : n->mni;
	evict(at);
	check_node(b, at);
}

static void step_delete(struct buf *b, int who)
{
	int at = any_node();
	bool ok = may(who, at, 8);

	if (nodes[at].ty == CB || nodes[at].ty == AE)
		return;
	start(b, 4, at, "", who);
	expect(b, ok ? 2002 : 4103);
	if (!ok)
		return;
	kill_tree(at);
	start(b, 2, at, "", 0);
	expect(b, named(nodes[at].parent, nodes[at].rn) < 0 ? 4004 : 2000);
}

static void step_missing(struct buf *b, int who)
{
	static const char *const rest[] = {
		",'ty':3,'pc':{'m2m:cnt':{}}",
		"",
		",'pc':{'m2m:cnt':{}}",
		"",
	};
	unsigned op = below(4);

	start(b, (int)op + 1, any_node(), "/none/such", who);
	buf_add_str(b, str_of(rest[op]));
	expect(b, 4004);
}

struct question {
	int root, who;
	int ty;	      /* 0: any */
	unsigned lbl; /* 0: any */
	int lvl;      /* 0: any */
	int lim;      /* 0: none */
};

static bool answers(const struct question *q, int at)
{
	int level = depth(at, q->root);

	return nodes[at].alive && level > 0 && nodes[at].ty != ACP &&
	       (q->lvl == 0 || level <= q->lvl) &&
	       (q->ty == 0 || nodes[at].ty == q->ty) &&
	       (q->lbl == 0 || (nodes[at].lbl & q->lbl) != 0) &&
	       may(q->who, at, 32);
}

static bool is_listed(struct buf *b, const json_t *list, int at)
{
	size_t i;
	json_t *one;

	buf_clear(b);
	path_of(b, at);
	json_array_foreach(list, i, one) {
		if (json_string_length(one) == b->len &&
		    memcmp(json_string_value(one), b->p, b->len) == 0)
			return true;
	}
	return false;
}

static void same_answer(struct buf *b, const struct question *q)
{
	json_t *list = json_object_get(rig.pc, "m2m:uril");
	int all = 0, listed = 0;

	for (int i = 0; i < count; i++) {
		if (!answers(q, i))
			continue;
		all++;
		listed += is_listed(b, list, i);
	}
	if (q->lim > 0 && all > q->lim)
		ck_assert(prim_has(&rig.answer, PARAM_CNOT));
	if (q->lim > 0 && all > q->lim)
		all = q->lim;
	ck_assert_int_eq((int)json_array_size(list), all);
	ck_assert_int_eq(listed, all);
}

static void step_discover(struct buf *b, int who)
{
	struct question q = {
		.root = any_node(),
		.who = who,
		.ty = below(2) ? 0 : 3 + (int)below(2),
		.lbl = below(8),
		.lvl = below(2) ? 0 : 1 + (int)below(3),
		.lim = below(3) ? 0 : 1 + (int)below(5),
	};

	start(b, 2, q.root, "", who);
	/* the policies are not in the model */
	buf_add_lit(b, ",'fc':{'fu':1,'ty':");
	if (q.ty == 0)
		buf_add_lit(b, "[2,3,4]");
	else
		buf_add_i64(b, q.ty);
	if (q.lbl != 0) {
		buf_add_lit(b, ",'lbl':");
		labels_of(b, q.lbl);
	}
	if (q.lvl > 0) {
		buf_add_lit(b, ",'lvl':");
		buf_add_i64(b, q.lvl);
	}
	if (q.lim > 0) {
		buf_add_lit(b, ",'lim':");
		buf_add_i64(b, q.lim);
	}
	buf_add_lit(b, "}");
	expect(b, may(who, q.root, 32) ? 2000 : 4103);
	if (may(who, q.root, 32))
		same_answer(b, &q);
}

static void step_container(struct buf *b, int who)
{
	step_create(b, who, CNT);
}

static void step_instance(struct buf *b, int who)
{
	step_create(b, who, CIN);
}

static void (*const steps[])(struct buf *b, int who) = {
	step_container, step_container, step_instance, step_instance,
	step_instance, step_update, step_delete, step_edge, step_discover,
	step_discover, step_missing, step_retrieve,
};

static void plant(void)
{
	static const char *const requests[] = {
		"'op':1,'to':'cse-in','fr':'Ca','ty':2,'pc':{'m2m:ae':{'rn':"
		"'a','api':'Nx','rr':true,'srv':['3']}}",
		"'op':1,'to':'cse-in','fr':'Cb','ty':2,'pc':{'m2m:ae':{'rn':"
		"'b','api':'Nx','rr':true,'srv':['3']}}",
		"'op':1,'to':'cse-in/a','fr':'Ca','ty':1,'pc':{'m2m:acp':{"
		"'rn':'p1','pv':{'acr':[{'acor':['Cb'],'acop':34}]},'pvs':{"
		"'acr':[]}}}",
		"'op':1,'to':'cse-in/a','fr':'Ca','ty':1,'pc':{'m2m:acp':{"
		"'rn':'p2','pv':{'acr':[{'acor':['Ca'],'acop':63},{'acor':["
		"'Cb'],'acop':3}]},'pvs':{'acr':[]}}}",
	};

	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		rig_must(&rig, 2001, requests[i]);
	add((struct node){ .ty = CB, .parent = -1 });
	add((struct node){ .ty = AE, .rn = "a" });
	add((struct node){ .ty = AE, .rn = "b" });
	add((struct node){ .ty = ACP, .parent = 1, .rn = "p1" });
	add((struct node){ .ty = ACP, .parent = 1, .rn = "p2" });
}

static unsigned long number(const char *name, unsigned long fallback)
{
	const char *text = getenv(name);

	return text == NULL ? fallback : strtoul(text, NULL, 10);
}

START_TEST(test_model)
{
	unsigned long many = number("STORE_MODEL_STEPS", 10000);
	struct buf b = { 0 };

	seed = number("STORE_MODEL_SEED", 88172645463325252UL);
	rig_open(&rig);
	rig.conf.max_results = 0;
	plant();
	for (unsigned long i = 1; i <= many; i++) {
		rig.now += below(3);
		steps[below(ARRAY_LEN(steps))](&b,
					       (int)below(ARRAY_LEN(people)));
		if (i % 1000 == 0)
			check_all(&b);
	}
	check_all(&b);
	buf_deinit(&b);
	free(nodes);
	rig_close(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("store_model");
	TCase *tc = tcase_create("model");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, test_model);
	return unit_run(s);
}
