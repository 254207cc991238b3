#include "store/store_events.h"

#include <stdlib.h>
#include <uv.h>

void store_events_deinit(struct store_events *e)
{
	free(e->list);
	buf_deinit(&e->store);
	*e = (struct store_events){ 0 };
}

/* s, which lies in the old memory, at the same place of the new. */
static void move_slice(struct str *s, const char *from, const char *to)
{
	if (s->p != NULL)
		s->p = to + (s->p - from);
}

/* Room for n more bytes; the slices of the events move with them. */
static bool reserve_text(struct store_events *e, size_t n)
{
	struct buf larger = { 0 };

	if (e->store.cap - e->store.len >= n)
		return true;
	if (!buf_reserve(&larger, 2 * e->store.len + n))
		return false;
	buf_add_str(&larger, buf_str(&e->store));
	for (size_t i = 0; i < e->count; i++) {
		struct store_event *event = &e->list[i];

		move_slice(&event->target, e->store.p, larger.p);
		move_slice(&event->route.urls, e->store.p, larger.p);
		move_slice(&event->route.to, e->store.p, larger.p);
		move_slice(&event->originator, e->store.p, larger.p);
		move_slice(&event->content, e->store.p, larger.p);
	}
	buf_deinit(&e->store);
	e->store = larger;
	return true;
}

/* The list's memory holds the next power of two above count. */
static bool reserve_event(struct store_events *e)
{
	size_t n = e->count > 0 ? 2 * e->count : 1;
	struct store_event *list;

	if ((e->count & (e->count - 1)) != 0)
		return true;
	list = realloc(e->list, n * sizeof(*list));
	if (list == NULL)
		return false;
	e->list = list;
	return true;
}

static struct str keep(struct store_events *e, struct str text)
{
	size_t at = e->store.len;

	buf_add_str(&e->store, text);
	return (struct str){ e->store.p + at, text.len };
}

int events_add(struct store_events *e, const struct store_event *event)
{
	size_t bytes = event->target.len + event->route.urls.len +
		       event->route.to.len + event->originator.len +
		       event->content.len;
	struct store_event *added;

	if (!reserve_event(e) || !reserve_text(e, bytes))
		return UV_ENOMEM;
	added = &e->list[e->count++];
	*added = *event;
	added->target = keep(e, event->target);
	added->route.urls = keep(e, event->route.urls);
	added->route.to = keep(e, event->route.to);
	added->originator = keep(e, event->originator);
	added->content = keep(e, event->content);
	return 0;
}
