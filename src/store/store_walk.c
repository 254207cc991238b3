#include <stdlib.h>
#include <uv.h>

#include "store/store_db.h"
#include "store/store_labels.h"
#include "store/store_walk.h"

/*
 * The tree may be deep, so the way down is a list of frames, not the C stack.
 * A frame goes through the children of one resource in stages, each along the
 * index (parent, ty, id); its statements are prepared once per depth and used
 * again, also by the next walk. contentInstances are a stage of their own:
 * they are the many, have no children, and what SQLite can compare it
 * compares, in a statement that serves this walk alone.
 *
 * A discovery by labels starts at the labels instead, unless they are as
 * common as to be worth a walk; from the CSEBase, by one label alone, always.
 */

enum { TY_CNT = 3, TY_CIN = 4, TY_CB = 5, TY_SUB = 23, TY_FCNT = 28 };

#define STAGES	    3
#define STAGE_CIN   2
#define FILTERED    STAGES  /* in place of STAGE_CIN, with conditions */
#define FRAMES_KEPT 32	    /* for the next walk */
#define TREE_LEVELS 200	    /* more is no JSON a peer would read */

struct walk_frame {
	int64_t id; /* whose children */
	int ty;
	bool closed;	 /* disr: its contentInstances are not shown */
	size_t path_len; /* of the parent */
	unsigned stage;
	bool running;
	sqlite3_stmt *stages[STAGES + 1]; /* owned; prepared on first use */
};

static bool is_expired(const struct resource *r, uint64_t now_ms)
{
	return r->et != 0 && r->et <= now_ms;
}

/* ---- what passes ---- */

static int may_see(bool *out, const struct walk *w, const struct resource *r)
{
	int rc = access_check(w->c, r, w->originator, w->op, 0);

	*out = rc == 0;
	return rc < 0 ? rc : 0;
}

static int passes(bool *out, const struct walk *w, const struct resource *r)
{
	int rc = filter_test(out, w->filter, w->c, r);

	return rc == 0 && *out ? may_see(out, w, r) : rc;
}

/* Counts; hands over what lies between ofst and lim. */
static int found(struct walk *w, const struct resource *r, uint64_t level)
{
	struct walk_item item = { r, buf_str(&w->path), level, false };

	if (w->seen + 1 >= w->filter->ofst &&
	    w->seen + 1 - w->filter->ofst >= w->lim) {
		w->partial = w->done = true;
		w->next = w->seen + 1;
		return 0;
	}
	item.skipped = ++w->seen < w->filter->ofst;
	return item.skipped && !w->tree ? 0 : w->on_item(w->arg, &item);
}

/* ---- frames ---- */

static void path_push(struct walk *w, const struct resource *r)
{
	buf_add_char(&w->path, '/');
	buf_add_str(&w->path, str_of(r->rn));
}

static int push(struct walk *w, const struct resource *r)
{
	struct walk_frame *f;

	if (w->depth == w->room) {
		size_t room = w->room == 0 ? 8 : w->room * 2;

		f = realloc(w->frames, room * sizeof(*f));
		if (f == NULL)
			return UV_ENOMEM;
		memset(f + w->room, 0, (room - w->room) * sizeof(*f));
		w->frames = f;
		w->room = room;
	}
	f = &w->frames[w->depth++];
	f->id = r->id;
	f->ty = r->ty;
	f->closed = json_is_true(json_object_get(r->attrs, "disr"));
	f->stage = 0;
	f->running = false;
	f->path_len = w->path.len;
	return 0;
}

static int prepare(sqlite3_stmt **out, const struct walk *w, unsigned stage)
{
	static const char *const where[] = { "< 4", "> 4", "= 4", "= 4" };
	struct buf sql = { 0 };
	int rc;

	buf_add_lit(&sql, "SELECT id, ty FROM resource WHERE parent = ? "
			  "AND ty ");
	buf_add_str(&sql, str_of(where[stage]));
	if (stage == FILTERED)
		filter_add_sql(&sql, w->filter);
	buf_add_lit(&sql, " ORDER BY ty, id");
	if (sql.failed)
		return UV_ENOMEM;
	rc = sqlite3_prepare_v3(w->c->db, sql.p, (int)sql.len,
				stage == FILTERED ? 0 :
						    SQLITE_PREPARE_PERSISTENT,
				out, NULL);
	buf_deinit(&sql);
	return rc == SQLITE_OK ? 0 : UV_EIO;
}

static unsigned statement_of(const struct walk *w, const struct walk_frame *f)
{
	return f->stage == STAGE_CIN && filter_has_sql(w->filter) ? FILTERED :
								    f->stage;
}

static int start(struct walk *w, struct walk_frame *f)
{
	unsigned which = statement_of(w, f);
	sqlite3_stmt **stmt = &f->stages[which];
	int rc = 0;

	if (*stmt == NULL)
		rc = prepare(stmt, w, which);
	if (rc == 0 && which == FILTERED)
		rc = filter_bind_sql(*stmt, w->filter, 2);
	if (rc == 0 && sqlite3_bind_int64(*stmt, 1, f->id) != SQLITE_OK)
		rc = UV_EIO;
	f->running = rc == 0;
	return rc;
}

static bool is_worthwhile(const struct walk *w, const struct walk_frame *f)
{
	if (f->stage != STAGE_CIN)
		return true;
	return f->ty == TY_CNT && !f->closed &&
	       filter_wants_type(w->filter, TY_CIN);
}

/* The next child of a frame; id 0 at its end. */
static int next_child(int64_t *id, int *ty, struct walk *w,
		      struct walk_frame *f)
{
	*id = 0;
	for (; f->stage < STAGES; f->stage++, f->running = false) {
		sqlite3_stmt *stmt;
		int rc = 0;

		if (!is_worthwhile(w, f))
			continue;
		if (!f->running)
			rc = start(w, f);
		if (rc != 0)
			return rc;
		stmt = f->stages[statement_of(w, f)];
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW) {
			*id = sqlite3_column_int64(stmt, 0);
			*ty = sqlite3_column_int(stmt, 1);
			return 0;
		}
		sqlite3_reset(stmt);
		if (rc != SQLITE_DONE)
			return UV_EIO;
	}
	return 0;
}

void walk_free_frames(struct walk_frame *frames, size_t room)
{
	for (size_t i = 0; i < room; i++) {
		for (size_t s = 0; s <= STAGES; s++)
			sqlite3_finalize(frames[i].stages[s]);
	}
	free(frames);
}

static void take_frames(struct walk *w)
{
	struct store_statements *s = w->c->statements;

	w->frames = s->frames;
	w->room = s->frame_room;
	s->frames = NULL;
	s->frame_room = 0;
}

static void leave_frames(struct walk *w)
{
	struct store_statements *s = w->c->statements;

	if (w->room > FRAMES_KEPT) {
		walk_free_frames(w->frames, w->room);
		return;
	}
	for (size_t i = 0; i < w->room; i++) {
		struct walk_frame *f = &w->frames[i];

		for (size_t k = 0; k < STAGES; k++)
			sqlite3_reset(f->stages[k]);
		sqlite3_finalize(f->stages[FILTERED]);
		f->stages[FILTERED] = NULL;
	}
	walk_free_frames(s->frames, s->frame_room);
	s->frames = w->frames;
	s->frame_room = w->room;
}

/* ---- down the tree ---- */

/* Whether resources of a wanted type can be below one of type ty. */
static bool leads_on(const struct walk *w, int ty)
{
	static const int below_container[] = { TY_CNT, TY_FCNT, TY_SUB, 24,
					       29,     30,	58 };

	if (ty == TY_CIN)
		return false;
	if (ty != TY_CNT && ty != TY_FCNT)
		return true; /* few, or may hold anything */
	for (size_t i = 0; i < ARRAY_LEN(below_container); i++) {
		if (filter_wants_type(w->filter, below_container[i]))
			return true;
	}
	return filter_wants_type(w->filter, TY_CIN);
}

static int visit(struct walk *w, const struct resource *r)
{
	uint64_t level = w->depth;
	bool pass;
	int rc;

	if (is_expired(r, w->now_ms))
		return 0;
	rc = passes(&pass, w, r);
	if (rc != 0)
		return rc;
	path_push(w, r);
	if (pass)
		rc = found(w, r, level);
	if (rc == 0 && !w->done && (pass || !w->tree) && level < w->lvl &&
	    leads_on(w, r->ty))
		return push(w, r);
	w->path.len = w->frames[level - 1].path_len;
	return rc;
}

static void pop(struct walk *w)
{
	w->depth--;
	if (w->depth > 0)
		w->path.len = w->frames[w->depth - 1].path_len;
}

static int step(struct walk *w)
{
	struct resource r = { 0 };
	int64_t id;
	int ty = 0, rc;

	rc = next_child(&id, &ty, w, &w->frames[w->depth - 1]);
	if (rc != 0)
		return rc;
	if (id == 0) {
		pop(w);
		return 0;
	}
	/* nothing to see, nothing below: do not even load it */
	if (!filter_wants_type(w->filter, ty) && (w->tree || !leads_on(w, ty)))
		return 0;
	rc = tree_load(&r, w->c, id);
	if (rc != 0)
		return rc > 0 ? UV_EIO : rc;
	rc = visit(w, &r);
	resource_deinit(&r);
	return rc;
}

static int walk_down(struct walk *w)
{
	int rc;

	take_frames(w);
	rc = push(w, w->root);
	while (rc == 0 && w->depth > 0 && !w->done)
		rc = step(w);
	leave_frames(w);
	return rc == 0 && w->path.failed ? UV_ENOMEM : rc;
}

/* ---- from the labels ---- */

/* All that has the label is the result: it costs no more than that. */
static bool wants_all_labelled(const struct walk *w, const json_t *labels)
{
	return w->root->ty == TY_CB && w->filter->count == 1 &&
	       w->lvl == FILTER_NONE && json_array_size(labels) == 1;
}

/* The same for all pages of a result, as the order depends on it. */
static int is_by_label(bool *out, const struct walk *w)
{
	const json_t *labels = filter_labels(w->filter);

	*out = false;
	if (w->tree || labels == NULL || json_array_size(labels) == 0 ||
	    json_array_size(labels) > 100)
		return 0;
	*out = wants_all_labelled(w, labels);
	return *out ? 0 : labels_are_rare(out, w->c, labels, w->now_ms);
}

/* The last parent that was asked for: siblings follow each other. */
struct where {
	int64_t parent;
	uint64_t level; /* of its children; 0: not below the root */
	bool closed;
	size_t path_len; /* in the walk's path, with `/`; 0: not yet known */
};

static int climb(struct where *out, const struct walk *w, int64_t parent)
{
	struct resource r = { 0 };
	uint64_t level = 1;
	int rc = 0;

	*out = (struct where){ .parent = parent };
	while (parent != w->root->id) {
		rc = parent == 0 ? RSC_NOT_FOUND : tree_load(&r, w->c, parent);
		if (rc != 0)
			return rc > 0 ? 0 : rc;
		if (parent == out->parent)
			out->closed =
				json_is_true(json_object_get(r.attrs, "disr"));
		if (r.ty == TY_CB || is_expired(&r, w->now_ms)) {
			resource_deinit(&r);
			return 0;
		}
		parent = r.parent;
		level++;
		resource_deinit(&r);
	}
	if (parent == out->parent)
		out->closed =
			json_is_true(json_object_get(w->root->attrs, "disr"));
	out->level = level;
	return 0;
}

static int place(struct walk *w, struct where *at, const struct resource *r)
{
	char *path;
	int rc;

	if (at->path_len == 0) {
		rc = tree_path(&path, w->c, r);
		if (rc != 0)
			return rc;
		at->path_len = strlen(path) - strlen(r->rn);
		buf_clear(&w->path);
		buf_add(&w->path, path, at->path_len);
		free(path);
	}
	w->path.len = at->path_len;
	buf_add_str(&w->path, str_of(r->rn));
	return w->path.failed ? UV_ENOMEM : 0;
}

static int visit_labelled(struct walk *w, struct where *at,
			  const struct resource *r)
{
	bool pass = false;
	int rc = 0;

	if (is_expired(r, w->now_ms) || r->ty == TY_CB || r->id == w->root->id)
		return 0;
	if (at->parent != r->parent)
		rc = climb(at, w, r->parent);
	if (rc != 0 || at->level == 0 || at->level > w->filter->lvl ||
	    (at->closed && r->ty == TY_CIN))
		return rc;
	rc = passes(&pass, w, r);
	if (rc == 0 && pass)
		rc = place(w, at, r);
	return rc == 0 && pass ? found(w, r, at->level) : rc;
}

static int walk_labels(struct walk *w)
{
	struct where at = { .parent = -1 };
	sqlite3_stmt *stmt = NULL;
	int rc = labels_open(&stmt, w->c, filter_labels(w->filter));

	while (rc == 0 && !w->done) {
		struct resource r = { 0 };
		int step = sqlite3_step(stmt);

		if (step != SQLITE_ROW) {
			rc = step == SQLITE_DONE ? 0 : UV_EIO;
			break;
		}
		rc = tree_load(&r, w->c, sqlite3_column_int64(stmt, 0));
		if (rc > 0)
			rc = UV_EIO;
		if (rc == 0)
			rc = visit_labelled(w, &at, &r);
		resource_deinit(&r);
	}
	labels_close(stmt, w->c);
	return rc;
}

int walk_run(struct walk *w)
{
	unsigned most = w->c->store->conf->max_results;
	bool by_label;
	char *path;
	int rc;

	w->lim = w->filter->lim;
	/* a hosting CSE may lower lim (TS-0001 Table 8.1.2-3) */
	if (most > 0 && w->lim > most)
		w->lim = most;
	w->lvl = w->filter->lvl;
	if (w->tree && w->lvl > TREE_LEVELS)
		w->lvl = TREE_LEVELS;
	rc = is_by_label(&by_label, w);
	if (rc != 0)
		return rc;
	rc = tree_path(&path, w->c, w->root);
	if (rc != 0)
		return rc;
	buf_add_str(&w->path, str_of(path));
	free(path);
	rc = by_label ? walk_labels(w) : walk_down(w);
	buf_deinit(&w->path);
	return rc;
}
