/*
 * Who sends much waits for the others who do: in one turn of the loop about one
 * large read is worked off, whatever number of peers have more. Those who send
 * little are read in every turn, so that what they wait for is one large read
 * and not one of each peer that floods.
 *
 * A stream whose turn was not now stands in `held` and is not watched. The loop
 * does not sleep while there are any (`busy`).
 */
#include "stream_priv.h"

#define LARGE_READ 8192		/* octets; more than requests of one go */

static void on_busy(uv_idle_t *handle)
{
	(void)handle;
}

void turns_init(struct reactor *r)
{
	TAILQ_INIT(&r->held);
	uv_idle_init(&r->loop, &r->busy);	/* cannot fail */
}

static void hold(struct stream *s)
{
	struct reactor *r = s->r;

	if (TAILQ_EMPTY(&r->held))
		uv_idle_start(&r->busy, on_busy);
	TAILQ_INSERT_TAIL(&r->held, s, held_link);
	s->is_held = true;
	stream_watch(s);
}

void turns_forget(struct stream *s)
{
	struct reactor *r = s->r;

	if (!s->is_held)
		return;
	TAILQ_REMOVE(&r->held, s, held_link);
	s->is_held = false;
	if (TAILQ_EMPTY(&r->held))
		uv_idle_stop(&r->busy);
}

void turns_took(struct stream *s, size_t n)
{
	struct reactor *r = s->r;

	if (n < LARGE_READ || s->is_held)
		return;
	if (r->large_reads++ > 0 || !TAILQ_EMPTY(&r->held))
		hold(s);
}

void turns_next(struct reactor *r)
{
	struct stream *s = TAILQ_FIRST(&r->held);

	r->turn++;
	r->large_reads = 0;
	if (s == NULL)
		return;
	turns_forget(s);
	stream_watch(s);
}
