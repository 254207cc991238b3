#include <stdlib.h>
#include <uv.h>

#include "store/store_privileges.h"

/*
 * Who may do what (TS-0001 9.6.1, 11.3.4), in this order:
 *
 *   1. the administrator: everything;
 *   2. an accessControlPolicy: what its own pvs says; a <request>: its
 *      originator everything, a pollingChannel: its AE or CSE;
 *   3. a resource with acpi: what the pv of one of those policies says;
 *   4. without acpi: its creator (cr), or the AE or CSE that it represents;
 *   5. else what holds for its parent, up to the CSEBase, where everybody may
 *      register and who is registered may read.
 *
 * Step 5 would read all ancestors for each request; so decisions are kept,
 * by row, in a direct-mapped table that forgets all when the generation of
 * the policies moves. contentInstances are not kept: they are many, and one
 * step up is their container.
 */

enum { TY_ACP = 1, TY_AE = 2, TY_CIN = 4, TY_CB = 5, TY_PCH = 15,
       TY_CSR = 16, TY_REQ = 17, TY_FCNT = 28 };

#define SLOTS  1024
#define ID_MAX 80		/* longer originators are not kept */

struct access_slot {
	int64_t id;		/* row; 0: empty */
	int ty;			/* of the subject, for acod */
	int child_ty;
	enum access_op op;
	bool granted;
	unsigned char len;
	char originator[ID_MAX];
};

struct access_cache {
	uint64_t generation;
	struct access_slot slots[SLOTS];
};

static struct str attribute(const struct resource *r, const char *name)
{
	json_t *value = json_object_get(r->attrs, name);

	return (struct str){ json_string_value(value),
			     json_string_length(value) };
}

static bool owns(const struct who *who, const struct resource *r)
{
	switch (r->ty) {
	case TY_AE:
		return who_is(who, str_of(r->ri)) ||
		       who_is(who, attribute(r, "aei"));
	case TY_CSR:
		return who_is(who, attribute(r, "csi"));
	default:
		return who_is(who, attribute(r, "cr"));
	}
}

struct find_csr {
	const struct who *who;
	bool found;
};

static int on_csr(void *arg, const struct resource *r)
{
	struct find_csr *f = arg;

	f->found = f->found || owns(f->who, r);
	return 0;
}

static int is_registered(bool *out, struct store_conn *c,
			 const struct resource *base, const struct who *who)
{
	struct find_csr f = { .who = who };
	struct resource r = { 0 };
	char *ri;
	int rc;

	if (who->stem.len == 0) {
		rc = tree_children(c, base->id, TY_CSR, on_csr, &f);
		*out = f.found;
		return rc;
	}
	ri = strndup(who->stem.p, who->stem.len);
	if (ri == NULL)
		return UV_ENOMEM;
	rc = tree_load_ri(&r, c, ri);
	free(ri);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	*out = r.ty == TY_AE;
	resource_deinit(&r);
	return 0;
}

/* An id such as /mn-1 */
static bool is_cse_id(struct str s)
{
	return s.len > 1 && s.p[0] == '/' &&
	       memchr(s.p + 1, '/', s.len - 1) == NULL;
}

static int base_grants(bool *out, struct store_conn *c,
		       const struct resource *base, const struct question *q)
{
	if (q->subject->ty != TY_CB)
		return 0;
	if (q->op == ACCESS_CREATE) {
		*out = q->child_ty == TY_AE ||
		       (q->child_ty == TY_CSR && is_cse_id(q->who.given));
		return 0;
	}
	if (q->op == ACCESS_RETRIEVE || q->op == ACCESS_DISCOVER)
		return is_registered(out, c, base, &q->who);
	return 0;
}

static bool has_ids(const json_t *list)
{
	return json_is_array(list) && json_array_size(list) > 0;
}

/* True: this level has decided. False: ask the parent. */
static int level_decides(bool *decided, bool *granted, struct store_conn *c,
			 const struct resource *at, const struct question *q)
{
	json_t *acpi = json_object_get(at->attrs, "acpi");

	*decided = true;
	if (at->ty == TY_ACP)
		return privileges_grant(granted, c,
				   json_object_get(at->attrs, "pvs"), q);
	/* an answer is for who has asked */
	if (at->ty == TY_REQ) {
		*granted = who_is(&q->who, attribute(at, "org"));
		return 0;
	}
	/* a pollingChannel serves its AE or CSE alone (TS-0001 10.2.5.13) */
	if (q->child_ty == TY_PCH) {
		*granted = owns(&q->who, at);
		return 0;
	}
	if (q->subject->ty == TY_PCH) {
		*granted = at->ty != TY_PCH && owns(&q->who, at);
		*decided = at->ty != TY_PCH;
		return 0;
	}
	if (has_ids(acpi))
		return policies_grant(granted, c, acpi, "pv", q);
	*granted = owns(&q->who, at);
	if (!*granted && at->ty == TY_CB)
		return base_grants(granted, c, at, q);
	*decided = *granted || at->ty == TY_CB || at->parent == 0;
	return 0;
}

/* ---- kept decisions ---- */

static bool may_keep(const struct question *q)
{
	/* acod of a flexContainer looks into the subject itself */
	return q->subject->ty != TY_FCNT && q->who.given.len <= ID_MAX;
}

static bool is_kept(const struct question *q, const struct resource *at)
{
	return at->ty != TY_CIN && may_keep(q);
}

static struct access_slot *slot_of(struct access_cache *cache, int64_t id,
				   const struct question *q)
{
	uint64_t h = (uint64_t)id * 64 + (uint64_t)q->op +
		     (uint64_t)q->child_ty * 7919;

	for (size_t i = 0; i < q->who.given.len; i++)
		h = (h ^ (unsigned char)q->who.given.p[i]) *
		    UINT64_C(0x100000001b3);
	/* so far the slots of ids in a row lie in a row of few */
	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return &cache->slots[(h ^ h >> 32) % SLOTS];
}

static bool slot_answers(const struct access_slot *s, int64_t id,
			 const struct question *q)
{
	return s->id == id && s->op == q->op && s->ty == q->subject->ty &&
	       s->child_ty == q->child_ty &&
	       str_eq((struct str){ s->originator, s->len }, q->who.given);
}

static void keep(struct access_cache *cache, int64_t id,
		 const struct question *q, bool granted)
{
	struct access_slot *s;

	if (cache == NULL || id == 0)
		return;
	s = slot_of(cache, id, q);
	s->id = id;
	s->op = q->op;
	s->ty = q->subject->ty;
	s->child_ty = q->child_ty;
	s->granted = granted;
	s->len = (unsigned char)q->who.given.len;
	if (s->len > 0)
		memcpy(s->originator, q->who.given.p, s->len);
}

uint64_t access_now(const struct store_conn *c)
{
	/* a reader's snapshot may be older than what the writer has done */
	return c->role == STORE_READER ? c->access_generation
				       : __atomic_load_n(&c->store->generation,
							 __ATOMIC_ACQUIRE);
}

/* NULL: no memory, so nothing is kept. */
static struct access_cache *cache_of(struct store_conn *c)
{
	uint64_t now = access_now(c);

	if (c->access == NULL) {
		c->access = calloc(1, sizeof(*c->access));
		if (c->access != NULL)
			c->access->generation = now;
	} else if (c->access->generation != now) {
		memset(c->access, 0, sizeof(*c->access));
		c->access->generation = now;
	}
	return c->access;
}

void access_begin(struct store_conn *c)
{
	c->access_generation =
		__atomic_load_n(&c->store->generation, __ATOMIC_ACQUIRE);
}

void access_invalidate(struct store_conn *c)
{
	c->access_dirty = true;
	__atomic_add_fetch(&c->store->generation, 1, __ATOMIC_RELEASE);
}

void access_settle(struct store_conn *c)
{
	/* again: a reader may have looked before the commit, and after a
	 * rollback the writer has kept what never was */
	if (c->access_dirty)
		access_invalidate(c);
	c->access_dirty = false;
}

void access_destroy(struct access_cache *cache)
{
	free(cache);
}

/* ---- the way up ---- */

/* Replaces *at by its parent. */
static int step_up(struct resource *at, struct store_conn *c)
{
	struct resource parent = { 0 };
	int rc = tree_load(&parent, c, at->parent);

	resource_deinit(at);
	*at = parent;
	return rc > 0 ? UV_EIO : rc; /* the parent is there */
}

struct way {
	struct resource above; /* owned; the level after the first */
	int64_t kept[2];       /* lowest levels worth keeping */
	size_t count;
};

/* Kept of that row; no row that has children is left out by its type. */
static bool recall(bool *granted, struct access_cache *cache, int64_t id,
		   const struct question *q)
{
	const struct access_slot *s;

	if (cache == NULL || !may_keep(q))
		return false;
	s = slot_of(cache, id, q);
	if (!slot_answers(s, id, q))
		return false;
	*granted = s->granted;
	return true;
}

static bool look_up(bool *granted, struct access_cache *cache, struct way *w,
		    const struct resource *at, const struct question *q)
{
	if (!is_kept(q, at))
		return false;
	if (recall(granted, cache, at->id, q))
		return true;
	if (w->count < ARRAY_LEN(w->kept))
		w->kept[w->count++] = at->id;
	return false;
}

static int decide(bool *granted, struct store_conn *c, const struct question *q)
{
	struct access_cache *cache = cache_of(c);
	struct way w = { .above.parent = q->subject->parent };
	const struct resource *at = q->subject;
	bool decided = false;
	int rc = 0;

	*granted = false;
	while (!look_up(granted, cache, &w, at, q)) {
		rc = level_decides(&decided, granted, c, at, q);
		if (rc != 0 || decided ||
		    recall(granted, cache, w.above.parent, q))
			break;
		rc = step_up(&w.above, c);
		if (rc != 0)
			break;
		at = &w.above;
	}
	for (size_t i = 0; rc == 0 && i < w.count; i++)
		keep(cache, w.kept[i], q, *granted);
	resource_deinit(&w.above);
	return rc;
}

static bool is_admin(const struct store_conn *c, const struct who *who)
{
	const char *admin = c->store->conf->admin;

	return admin != NULL && who_is(who, str_of(admin));
}

static const char *op_text(enum access_op op)
{
	switch (op) {
	case ACCESS_CREATE:
		return "CREATE";
	case ACCESS_RETRIEVE:
		return "RETRIEVE";
	case ACCESS_UPDATE:
		return "UPDATE";
	case ACCESS_DELETE:
		return "DELETE";
	case ACCESS_NOTIFY:
		return "NOTIFY";
	case ACCESS_DISCOVER:
		return "DISCOVERY";
	}
	return "?";
}

static int verdict(struct store_conn *c, const struct question *q, int rc,
		   bool granted)
{
	if (rc != 0 || granted)
		return rc;
	return store_refuse(
		c, RSC_ORIGINATOR_HAS_NO_PRIVILEGE,
		"originator %.*s has no %s privilege for %s",
		(int)(q->who.given.len > 80 ? 80 : q->who.given.len),
		q->who.given.len > 0 ? q->who.given.p : "", op_text(q->op),
		q->subject->ri);
}

int access_check(struct store_conn *c, const struct resource *r,
		 struct str originator, enum access_op op, int child_ty)
{
	struct question q = { .subject = r, .op = op, .child_ty = child_ty };
	bool granted = false;
	int rc;

	who_init(&q.who, c, originator);
	if (is_admin(c, &q.who))
		return 0;
	rc = decide(&granted, c, &q);
	return verdict(c, &q, rc, granted);
}

int access_check_owner(struct store_conn *c, const struct resource *channel,
		       struct str originator)
{
	struct question q = { .subject = channel, .op = ACCESS_RETRIEVE };
	bool granted = false;
	int rc;

	who_init(&q.who, c, originator);
	rc = decide(&granted, c, &q);
	return verdict(c, &q, rc, granted);
}

int access_check_acpi(struct store_conn *c, const struct resource *r,
		      struct str originator)
{
	struct question q = { .subject = r, .op = ACCESS_UPDATE };
	json_t *acpi = json_object_get(r->attrs, "acpi");
	bool granted = false;
	int rc;

	who_init(&q.who, c, originator);
	if (is_admin(c, &q.who))
		return 0;
	if (!has_ids(acpi))
		return access_check(c, r, originator, ACCESS_UPDATE, 0);
	rc = policies_grant(&granted, c, acpi, "pvs", &q);
	return verdict(c, &q, rc, granted);
}

int access_check_members(struct store_conn *c, const struct resource *group,
			 struct str originator, enum access_op op)
{
	struct question q = { .subject = group, .op = op };
	json_t *macp = json_object_get(group->attrs, "macp");
	bool granted = false;
	int rc;

	who_init(&q.who, c, originator);
	if (is_admin(c, &q.who))
		return 0;
	if (!has_ids(macp))
		return access_check(c, group, originator, op, 0);
	rc = policies_grant(&granted, c, macp, "pv", &q);
	return verdict(c, &q, rc, granted);
}
