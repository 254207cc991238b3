/*
 * A trace has references: of the main thread until its async is closed, of the
 * visit that brings the taps, and of each tap. The main thread only marks it
 * as over; a worker lets go of it when it next looks at its taps, which is also
 * when another trace begins, so that at most one generation lingers.
 */
#include "tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "census.h"
#include "m2m/codec.h"
#include "owner.h"
#include "worker.h"

#define LINES_MAX (1u << 20)	/* octets that wait to be taken */

struct trace {
	atomic_uint refs;
	uv_async_t async;		/* main loop's */
	struct visit visit;
	void (*on_lines)(void *owner);
	void *owner;
	struct buf originator;		/* owned; canonical */
	struct buf asked;		/* owned; as it was given */

	uv_mutex_t lock;
	/* under the lock */
	bool over;
	struct buf lines;		/* owned */
	uint64_t dropped;		/* since the last line */

	struct tap taps[];		/* by worker; of their threads */
};

static void trace_unref(struct trace *t)
{
	if (atomic_fetch_sub(&t->refs, 1) > 1)
		return;
	uv_mutex_destroy(&t->lock);
	buf_deinit(&t->originator);
	buf_deinit(&t->asked);
	buf_deinit(&t->lines);
	free(t);
}

static bool is_over(struct trace *t)
{
	bool over;

	uv_mutex_lock(&t->lock);
	over = t->over;
	uv_mutex_unlock(&t->lock);
	return over;
}

/* ---- workers ---- */

static void sweep(struct tap_list *taps)
{
	struct tap *tap = SLIST_FIRST(taps), *next;

	for (; tap != NULL; tap = next) {
		next = SLIST_NEXT(tap, link);
		if (!is_over(tap->trace))
			continue;
		SLIST_REMOVE(taps, tap, tap, link);
		trace_unref(tap->trace);
	}
}

void tap_end_all(struct tap_list *taps)
{
	struct tap *tap;

	while ((tap = SLIST_FIRST(taps)) != NULL) {
		SLIST_REMOVE_HEAD(taps, link);
		trace_unref(tap->trace);
	}
}

static void on_worker(struct visit *v, struct worker *w)
{
	struct trace *t = container_of(v, struct trace, visit);
	struct tap *tap = &t->taps[w->index];

	sweep(&w->taps);
	tap->trace = t;
	atomic_fetch_add(&t->refs, 1);
	SLIST_INSERT_HEAD(&w->taps, tap, link);
}

/* Who registers stands for nobody yet, but says as whom. */
static bool concerns(const struct trace *t, const struct owner *owner,
		     const struct prim *p)
{
	struct str fr = prim_text(p, PARAM_FR);

	if (owner_speaks_for(owner, buf_str(&t->originator)))
		return true;
	return p->kind == PRIM_REQUEST &&
	       (str_eq(fr, buf_str(&t->originator)) ||
		str_eq(fr, buf_str(&t->asked)));
}

static void write_head(struct buf *out, uint64_t sid, const char *dir,
		       uint64_t dropped)
{
	uint64_t now = clock_wall_ms();
	char head[128];
	int len = snprintf(head, sizeof(head),
			   "{\"at\":%" PRIu64 ".%03u,\"sid\":%" PRIu64
			   ",\"dir\":\"%s\",",
			   now / 1000, (unsigned)(now % 1000), sid, dir);

	buf_add(out, head, (size_t)len);
	if (dropped > 0) {
		buf_add_lit(out, "\"dropped\":");
		buf_add_u64(out, dropped);
		buf_add_char(out, ',');
	}
	buf_add_lit(out, "\"prim\":");
}

static void add_line(struct trace *t, uint64_t sid, const char *dir,
		     struct str prim)
{
	struct buf head = { 0 };

	uv_mutex_lock(&t->lock);
	write_head(&head, sid, dir, t->dropped);
	if (t->over || head.failed ||
	    t->lines.len + head.len + prim.len + 2 > LINES_MAX ||
	    !buf_reserve(&t->lines, head.len + prim.len + 2)) {
		t->dropped++;
	} else {
		buf_add_str(&t->lines, buf_str(&head));
		buf_add_str(&t->lines, prim);
		buf_add_lit(&t->lines, "}\n");
		t->dropped = 0;
	}
	if (!t->over)
		uv_async_send(&t->async);
	uv_mutex_unlock(&t->lock);
	buf_deinit(&head);
}

void tap_note(struct worker *w, const struct owner *owner, uint64_t sid,
	      const char *dir, const struct prim *p)
{
	struct buf text = { 0 };
	struct tap *tap;
	const char *why;
	int err = 0;

	sweep(&w->taps);
	SLIST_FOREACH(tap, &w->taps, link) {
		if (!concerns(tap->trace, owner, p))
			continue;
		if (text.len == 0 && !err)
			err = codec_json.encode(&text, &why, &w->conf->codec,
						p);
		if (!err)
			add_line(tap->trace, sid, dir, buf_str(&text));
	}
	buf_deinit(&text);
}

/* ---- the main thread ---- */

static void on_home(struct visit *v)
{
	trace_unref(container_of(v, struct trace, visit));
}

static void on_async(uv_async_t *async)
{
	struct trace *t = container_of(async, struct trace, async);

	t->on_lines(t->owner);
}

static void on_closed(uv_handle_t *handle)
{
	trace_unref(container_of((uv_async_t *)handle, struct trace, async));
}

int tap_start(struct trace **out, struct worker_shared *shared,
	      uv_loop_t *loop, struct str originator,
	      void (*on_lines)(void *owner), void *owner)
{
	size_t taps = shared->conf->workers * sizeof(struct tap);
	struct trace *t = calloc(1, sizeof(*t) + taps);
	int err = UV_ENOMEM;

	if (t == NULL)
		return UV_ENOMEM;
	atomic_store(&t->refs, 1);
	t->visit.on_worker = on_worker;
	t->visit.on_done = on_home;
	t->on_lines = on_lines;
	t->owner = owner;
	if (uv_mutex_init(&t->lock) != 0)
		abort();		/* only by lack of memory */
	buf_add_str(&t->asked, originator);
	if (!t->asked.failed)
		err = census_canonical(&t->originator, shared, originator);
	if (!err)
		err = uv_async_init(loop, &t->async, on_async);
	if (err) {
		trace_unref(t);
		return err;
	}
	uv_unref((uv_handle_t *)&t->async);
	atomic_fetch_add(&t->refs, 1);		/* of the visit */
	post_visit(shared, &t->visit);
	*out = t;
	return 0;
}

void trace_destroy(struct trace *t)
{
	if (t == NULL)
		return;
	uv_mutex_lock(&t->lock);
	t->over = true;
	uv_mutex_unlock(&t->lock);
	uv_close((uv_handle_t *)&t->async, on_closed);
}

void trace_take(struct trace *t, struct buf *out)
{
	uv_mutex_lock(&t->lock);
	buf_add_str(out, buf_str(&t->lines));
	buf_clear(&t->lines);
	uv_mutex_unlock(&t->lock);
}
