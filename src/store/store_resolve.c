#include "store/store_db.h"

#include <stdlib.h>
#include <uv.h>

/*
 * From an identifier to a row (TS-0004 6.2.3, 6.2.4; TS-0001 7.2). Structured
 * ids are remembered by connection: see struct path_slot.
 */

void store_target_deinit(struct store_target *t)
{
	resource_deinit(&t->r);
	free(t->rest);
	free(t->attribute);
	*t = (struct store_target){ 0 };
}

/* ---- remembered paths ---- */

static struct path_slot *slot_of(const struct store_conn *c, struct str path)
{
	uint64_t hash = UINT64_C(14695981039346656037);	/* FNV-1a */

	for (size_t i = 0; i < path.len; i++)
		hash = (hash ^ (unsigned char)path.p[i]) *
		       UINT64_C(1099511628211);
	return &c->statements->paths[(hash ^ hash >> 32) & (DB_PATHS - 1)];
}

static int64_t recall(const struct store_conn *c, struct str path)
{
	const struct path_slot *slot = slot_of(c, path);
	bool same = slot->path != NULL &&
		    str_eq((struct str){ slot->path, slot->len }, path);

	return same ? slot->id : 0;
}

static void remember(const struct store_conn *c, struct str path, int64_t id)
{
	struct path_slot *slot = slot_of(c, path);
	char *copy = strndup(path.p, path.len);

	if (copy == NULL)
		return;
	free(slot->path);
	*slot = (struct path_slot){ copy, path.len, id };
}

/* ---- walking down ---- */

/* What a walk needs to know of a row. */
struct head {
	int64_t id;
	int ty;
};

/* 1: there; 0: gone; else negative. */
static int load_head(struct head *out, struct store_conn *c, int64_t id)
{
	sqlite3_stmt *stmt = db_statement(c, DB_HEAD);
	int rc;

	sqlite3_bind_int64(stmt, 1, id);
	rc = db_step(stmt);
	if (rc == 1) {
		*out = (struct head){ id, sqlite3_column_int(stmt, 0) };
		sqlite3_reset(stmt);
	}
	return rc;
}

static int find_child(struct head *out, struct store_conn *c, int64_t parent,
		      struct str name)
{
	sqlite3_stmt *stmt = db_statement(c, DB_CHILD);
	int rc;

	sqlite3_bind_int64(stmt, 1, parent);
	db_bind_text(stmt, 2, name);
	rc = db_step(stmt);
	if (rc == 1) {
		*out = (struct head){ sqlite3_column_int64(stmt, 0),
				      sqlite3_column_int(stmt, 1) };
		sqlite3_reset(stmt);
	}
	sqlite3_clear_bindings(stmt);
	return rc;
}

static enum store_virtual virtual_child(int ty, struct str name)
{
	static const struct {
		int ty;
		struct str name;
		enum store_virtual virt;
	} children[] = {
		{ 3, STR_INIT("la"), VIRT_LATEST },
		{ 3, STR_INIT("ol"), VIRT_OLDEST },
		{ 9, STR_INIT("fopt"), VIRT_FANOUT },
		{ 15, STR_INIT("pcu"), VIRT_POLLING },
	};

	for (size_t i = 0; i < ARRAY_LEN(children); i++)
		if (children[i].ty == ty && str_eq(children[i].name, name))
			return children[i].virt;
	return VIRT_NONE;
}

static int refuse_path(struct store_conn *c, struct str path)
{
	return store_refuse(c, RSC_NOT_FOUND, "not found: %.*s",
			    (int)(path.len < 128 ? path.len : 128),
			    path.len > 0 ? path.p : "");
}

/* A virtual child ends the walk; only fopt has something below it. */
static int enter_virtual(struct store_target *out, struct store_conn *c,
			 struct head at, struct str name, struct str below)
{
	out->virt = virtual_child(at.ty, name);
	if (out->virt == VIRT_NONE ||
	    (below.len > 0 && out->virt != VIRT_FANOUT))
		return refuse_path(c, name);
	if (below.len == 0)
		return 0;
	out->rest = strndup(below.p, below.len);
	return out->rest != NULL ? 0 : UV_ENOMEM;
}

/* From at along path; at is where it ended, the last resource. */
static int walk(struct store_target *out, struct store_conn *c,
		struct head *at, struct str path, bool structured)
{
	while (path.len > 0) {
		struct str name, below;
		struct head child;
		int rc;

		str_cut(path, '/', &name, &below);
		/* below an unstructured id only virtual children have names */
		rc = structured ? find_child(&child, c, at->id, name) : 0;
		if (rc < 0)
			return rc;
		if (rc == 0)
			return enter_virtual(out, c, *at, name, below);
		*at = child;
		path = below;
	}
	return 0;
}

/* ---- structured ids: path is what follows the CSEBase's name ---- */

static struct str without_last(struct str path)
{
	size_t n = path.len;

	while (n > 0 && path.p[n - 1] != '/')
		n--;
	return (struct str){ path.p, n > 0 ? n - 1 : 0 };
}

/* From the path's parent where that is known; *left remains to be walked. */
static int start(struct head *at, struct str *left, struct store_conn *c,
		 struct str path)
{
	struct str parent = without_last(path);
	int64_t id = parent.len > 0 ? recall(c, parent) : 0;
	int rc = id > 0 ? load_head(at, c, id) : 0;

	*left = str_skip(path, parent.len + 1);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	*left = path;
	*at = (struct head){ 1, 5 };
	return 0;
}

static int resolve_structured(struct store_target *out, struct store_conn *c,
			      struct str path)
{
	struct head at;
	struct str left;
	int64_t known = recall(c, path);
	int rc = known > 0 ? tree_load(&out->r, c, known) : RSC_NOT_FOUND;

	if (rc != RSC_NOT_FOUND)
		return rc;
	rc = start(&at, &left, c, path);
	if (rc == 0)
		rc = walk(out, c, &at, left, true);
	if (rc != 0)
		return rc;
	/* instances come and go: the container is worth a slot */
	if (out->rest == NULL && at.ty != 4 && at.id > 1)
		remember(c, out->virt == VIRT_NONE ? path :
						     without_last(path),
			 at.id);
	return tree_load(&out->r, c, at.id);
}

static int resolve_unstructured(struct store_target *out,
				struct store_conn *c, struct str id,
				struct str below)
{
	struct head at;
	char *ri = strndup(id.p, id.len);
	int rc = ri != NULL ? tree_load_ri(&out->r, c, ri) : UV_ENOMEM;

	free(ri);
	if (rc == RSC_NOT_FOUND)
		return refuse_path(c, id);
	if (rc != 0)
		return rc;
	at = (struct head){ out->r.id, out->r.ty };
	return walk(out, c, &at, below, false);
}

/* ---- what stands before the CSE-relative id ---- */

/* `//sp/cse/x` to `/cse/x`: this CSE serves whatever SP-ID it is given. */
static int drop_provider(struct str *to, struct store_conn *c)
{
	struct str sp, rest;

	if (!str_starts(*to, STR("//")))
		return 0;
	if (!str_cut(str_skip(*to, 2), '/', &sp, &rest) || sp.len == 0)
		return store_refuse(c, RSC_BAD_REQUEST, "to is no id");
	*to = str_skip(*to, 2 + sp.len);
	return 0;
}

/* `/cse/x` of this CSE to x. */
static int make_relative(struct str *to, struct store_conn *c)
{
	struct str csi = str_of(c->store->conf->cse_id);
	int rc = drop_provider(to, c);

	if (rc != 0 || !str_starts(*to, STR("/")))
		return rc;
	if (str_eq(*to, csi))
		return store_refuse(c, RSC_BAD_REQUEST,
				    "to is a CSE-ID, not a resource");
	if (!str_starts(*to, csi) || to->p[csi.len] != '/')
		return store_refuse(c, RSC_NOT_FOUND, "hosted by another CSE");
	*to = str_skip(*to, csi.len + 1);
	return 0;
}

static int take_attribute(struct store_target *out, struct str *to)
{
	struct str attribute;

	if (!str_cut(*to, '#', to, &attribute))
		return 0;
	out->attribute = strndup(attribute.len > 0 ? attribute.p : "",
				 attribute.len);
	return out->attribute != NULL ? 0 : UV_ENOMEM;
}

static int resolve(struct store_target *out, struct store_conn *c,
		   struct str to)
{
	struct str first, below;
	int rc = take_attribute(out, &to);

	if (rc == 0)
		rc = make_relative(&to, c);
	if (rc != 0)
		return rc;
	if (to.len == 0 || to.p[to.len - 1] == '/')
		return store_refuse(c, RSC_BAD_REQUEST,
				    "to is empty or ends in a slash");
	str_cut(to, '/', &first, &below);
	if (str_eq(first, STR("-")) ||
	    str_eq(first, str_of(c->store->conf->cse_name)))
		return resolve_structured(out, c, below);
	return resolve_unstructured(out, c, first, below);
}

struct str store_stem(const struct store_conn *c, struct str id)
{
	struct str csi = str_of(c->store->conf->cse_id);
	struct str rest = str_starts(id, csi) ? str_skip(id, csi.len) : id;

	return rest.len < id.len && str_starts(rest, STR("/")) ?
		       str_skip(rest, 1) : id;
}

int store_resolve(struct store_target *out, struct store_conn *c,
		  struct str to)
{
	int rc;

	*out = (struct store_target){ 0 };
	rc = resolve(out, c, to);
	if (rc != 0)
		store_target_deinit(out);
	return rc;
}
