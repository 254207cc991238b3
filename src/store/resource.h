#ifndef STORE_RESOURCE_H
#define STORE_RESOURCE_H

#include <jansson.h>
#include <sqlite3.h>

#include "store/store.h"

/*
 * A resource as the layer passes it around. The row's columns are what is
 * searched and counted; all other attributes are in `attrs`. la, ol, fopt and
 * pcu are no resources: store_resolve() tells them by `virt`.
 */
struct resource {
	int64_t id;		/* row; grows with creation */
	int64_t parent;		/* row; 0: the CSEBase */
	int ty;
	char *ri;		/* owned; unstructured CSE-relative id */
	char *rn;		/* owned */
	uint64_t ct, lt, et;	/* ms since 1970; et 0: never */
	int64_t st;		/* stateTag where the type has one */
	int64_t size;		/* cs of a contentInstance */
	int64_t count, octets;	/* cni, cbs of a container */
	json_t *attrs;		/* owned; object without the columns above */
};

enum store_virtual {
	VIRT_NONE,
	VIRT_LATEST,
	VIRT_OLDEST,
	VIRT_FANOUT,
	VIRT_POLLING,
};

struct store_target {
	struct resource r;	/* the resource, or the virtual one's parent */
	enum store_virtual virt;
	char *rest;		/* owned; path below fopt, or NULL */
	char *attribute;	/* owned; of `to#attr`, or NULL */
};

void resource_deinit(struct resource *r);
void store_target_deinit(struct store_target *t);

/* ---- store_db.c: the connection, schema, statements (one page of comments
 * on the schema at its head) ---- */
struct store {
	const struct store_conf *conf;
	sqlite3 *memory;	/* ":memory:" only */
	uint64_t generation;	/* of policies and entities; writer bumps */
};

struct store_conn {
	struct store *store;
	sqlite3 *db;
	enum store_role role;
	bool in_transaction;
	struct store_statements *statements;	/* prepared; store_db.c */
	struct access_cache *access;		/* store_access.c */
	bool access_dirty;			/* likewise */
	uint64_t access_generation;		/* likewise */
	struct routes *routes;			/* store_route.c */
	struct store_pass *pass;		/* borrowed; of the request
						 * under way, or NULL */
	unsigned cnst;				/* of the last store_retrieve():
						 * 0 none, 1 PARTIAL, 2 FULL */
	uint64_t cnot;				/* next offset when PARTIAL */
	char why[256];				/* last m2m:dbg */
};

/* Writes c->why and returns rsc: `return store_refuse(c, 4000, "no %s", x)`. */
int store_refuse(struct store_conn *c, int rsc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- store_tree.c: rows ---- */

/* 0, or an rsc (4004, ...) with c->why, or negative (UV_EIO, UV_ENOMEM). */
MUST_CHECK int store_resolve(struct store_target *out, struct store_conn *c,
			     struct str to);
/* Without our CSE-ID before it: an AE may be named SP-relative. */
struct str store_stem(const struct store_conn *c, struct str id);
MUST_CHECK int tree_load(struct resource *out, struct store_conn *c,
			 int64_t id);
MUST_CHECK int tree_load_ri(struct resource *out, struct store_conn *c,
			    const char *ri);	/* 4004 */
/* The number of the next row; whoever is executed again gives its rows the
 * count numbers from first on before that one. */
int64_t tree_next(const struct store_conn *c);
void tree_take_again(struct store_conn *c, int64_t first, int64_t count);
/* Assigns r->id and, where NULL, r->ri and r->rn. 4105. */
MUST_CHECK int tree_insert(struct resource *r, struct store_conn *c);
MUST_CHECK int tree_update(const struct resource *r, struct store_conn *c);
/* st, count and octets only: what each new instance changes. */
MUST_CHECK int tree_update_counts(const struct resource *r,
				  struct store_conn *c);
/* With everything below it; counts of the parent follow. */
MUST_CHECK int tree_delete(struct store_conn *c, const struct resource *r);
/* The oldest child of a type; *id 0: none. */
MUST_CHECK int tree_first(int64_t *id, struct store_conn *c, int64_t parent,
			  int ty);
/* Latest or oldest contentInstance of a container; 4004. */
MUST_CHECK int tree_edge(struct resource *out, struct store_conn *c,
			 int64_t container, bool latest);
/* Removes a container's oldest instance if it came before a time in ms; its
 * *size, or -1: there was none. The container's row is left to the caller. */
MUST_CHECK int tree_drop_oldest(int64_t *size, struct store_conn *c,
				int64_t container, uint64_t before);
/* cse-in/ae/cnt, allocated; the structured CSE-relative id. */
MUST_CHECK int tree_path(char **out, struct store_conn *c,
			 const struct resource *r);
/* ri of a row, allocated; "" for 0. Cheap: it is pi of every answer. */
MUST_CHECK int tree_ri(char **out, struct store_conn *c, int64_t id);
/* Calls on_child for the children in order of creation; ty 0: any. */
MUST_CHECK int tree_children(struct store_conn *c, int64_t parent, int ty,
			     int (*on_child)(void *arg,
					     const struct resource *r),
			     void *arg);

/* What one request writes: mark before its first write, then keep or undo. */
MUST_CHECK int tree_mark(struct store_conn *c);
MUST_CHECK int tree_keep(struct store_conn *c);
void tree_undo(struct store_conn *c);

/* ---- store_rules.c: types and attributes (resources.md) ---- */
const char *type_name(int ty);			/* "m2m:cnt"; NULL: unknown */
/* Checks and completes a CREATE: in is the object inside pc, out is ready for
 * tree_insert() but for id, parent, ri, and rn where the request has none.
 * 0 or rsc with c->why. */
MUST_CHECK int rules_create(struct resource *out, struct store_conn *c,
			    const struct resource *parent, int ty,
			    const char *member, const json_t *in,
			    const struct prim *request, uint64_t now_ms);
/* After tree_insert(): counts child in parent, removes the oldest that no
 * longer fit (mni, mbs, mia) and writes parent where it has changed. */
MUST_CHECK int rules_child_added(struct store_conn *c, struct resource *parent,
				 const struct resource *child,
				 uint64_t now_ms);
/* Applies an UPDATE to r, for tree_update(); *changed: what the request set,
 * null for what it removed, lt and st. Removes instances that a smaller mni,
 * mbs or mia leaves no room for. */
MUST_CHECK int rules_update(struct resource *r, json_t **changed,
			    struct store_conn *c, const json_t *in,
			    const struct prim *request, uint64_t now_ms);
/* What rcn 9 and nct 2 show of `changed`: without the removed. NULL: no
 * memory. */
json_t *rules_modified(const json_t *changed);
/* The full representation: {"m2m:cnt":{...}} without children. */
MUST_CHECK int rules_represent(json_t **out, struct store_conn *c,
			       const struct resource *r);
/* The member name of r's representation, e.g. "m2m:cnt" or "cod:color". */
const char *rules_member(const struct resource *r);
/* A <subscription> of net 7, whose target is asked before an UPDATE. */
bool subscription_is_blocking(const json_t *attrs);
/* Resources of that type (0: of any) may have it; true for every name where
 * the type has custom attributes. */
bool rules_knows_attribute(int ty, const char *name);

/* ---- store_access.c ---- */
enum access_op {
	ACCESS_CREATE = 1, ACCESS_RETRIEVE = 2, ACCESS_UPDATE = 4,
	ACCESS_DELETE = 8, ACCESS_NOTIFY = 16, ACCESS_DISCOVER = 32,
};
/* 0, or 4103 with c->why. child_ty: of a CREATE, else 0. */
MUST_CHECK int access_check(struct store_conn *c, const struct resource *r,
			    struct str originator, enum access_op op,
			    int child_ty);
/* A pollingChannel is its AE's or CSE's alone (TS-0001 10.2.5.13): 4103 for
 * all others. */
MUST_CHECK int access_check_owner(struct store_conn *c,
				  const struct resource *channel,
				  struct str originator);
/* An UPDATE that holds acpi: the originator needs UPDATE in the pvs of one
 * of the policies that apply so far (TS-0001 9.6.1.3.2). */
MUST_CHECK int access_check_acpi(struct store_conn *c,
				 const struct resource *r,
				 struct str originator);
/* What goes through fopt of a group: by macp where it has one. */
MUST_CHECK int access_check_members(struct store_conn *c,
				    const struct resource *group,
				    struct str originator, enum access_op op);
/*
 * Decisions are kept by row until the generation moves, and so are routes.
 * Before a reader's snapshot: access_begin(). In the transaction that changed
 * a policy, a group, an acpi, an AE, a remoteCSE, a pollingChannel or deleted
 * what has children: access_invalidate(). After every COMMIT and ROLLBACK:
 * access_settle().
 */
uint64_t access_now(const struct store_conn *c);
void access_begin(struct store_conn *c);
void access_invalidate(struct store_conn *c);
void access_settle(struct store_conn *c);
void access_destroy(struct access_cache *cache);

/* ---- store_retrieve.c: RETRIEVE with rcn, filter criteria, discovery,
 * partial ---- */
MUST_CHECK int store_retrieve(json_t **pc, struct store_conn *c,
			      struct store_target *t,
			      const struct prim *request, uint64_t now_ms);
/* What a DELETE with rcn 1, 4, 5, 6 or 8 tells of r, before it goes. */
MUST_CHECK int store_describe(json_t **pc, struct store_conn *c,
			      const struct resource *r,
			      const struct prim *request, int64_t rcn,
			      uint64_t now_ms);
/* fc of UPDATE and DELETE: true when r matches (conditional). */
MUST_CHECK int filter_matches(bool *out, struct store_conn *c,
			      const struct resource *r, struct str fc);

/* ---- store_notify.c: which subscriptions hear of a change ---- */
enum store_change {
	CHANGE_UPDATE = 1, CHANGE_DELETE = 2, CHANGE_CREATE_CHILD = 3,
	CHANGE_DELETE_CHILD = 4,
};
/* Before tree_delete() and after tree_insert(), tree_update(). CHANGE_DELETE
 * also speaks for what is below subject, and for su of a <subscription>.
 * CHANGE_UPDATE may ask: op_settle() then undoes the update. */
MUST_CHECK int notify_change(struct store_events *out, struct store_conn *c,
			     const struct resource *subject,
			     const struct resource *child,
			     enum store_change change, const json_t *changed,
			     const struct prim *request);
/* Who is executed again has asked. */
static inline bool notify_asks(const struct store_conn *c)
{
	return c->pass == NULL || !c->pass->agreed;
}
/* The verification events of a new <subscription>, or of one whose nu was
 * old_nu before an UPDATE. 0 or 5204. */
MUST_CHECK int notify_verify(struct store_events *out, struct store_conn *c,
			     const struct resource *sub, const json_t *old_nu,
			     const struct prim *request);

#endif
