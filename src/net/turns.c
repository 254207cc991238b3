/*
 * Who sends much waits for the others who do, and so do those who have come
 * only now and may: in one turn of the loop some reads of them are worked off,
 * whatever number of peers have more. Who sends little in every turn waits for
 * the others who do once the turn has taken long. Those who send little, and
 * only now and then, are read at once, so that what they wait for is that and not
 * one read of each peer that floods, nor all handshakes of a crowd. Of whom the
 * octets take long, fewer are read at a time, as of whom nothing is known yet.
 * The servers that we have asked do not flood.
 *
 * A stream whose turn was not now stands in `flooding` or in `fresh` and is not
 * watched. The loop does not sleep while there are any (`busy`).
 */
#include "stream_priv.h"

#define LARGE_READ 8192		/* octets; more than requests of one go */
#define FIRST_SHIFT 5		/* from the whole space to what is less */
#define PROVEN	   4		/* smaller reads in a row */
#define NEW_NS	   500000	/* of a turn, for those who are not; and for */
#define BUSY_NS	   1500000	/* those who are, but have been read lately */
#define LATELY	   2		/* turns before */
#define READ_NS	   1000000	/* what is read should take no longer */
#define RELEASED   8		/* of the fresh, read in the next turn as far as
				 * there is time for more than one, beside one
				 * that sends much */

static void on_busy(uv_idle_t *handle)
{
	(void)handle;
}

void turns_init(struct reactor *r)
{
	TAILQ_INIT(&r->flooding);
	TAILQ_INIT(&r->fresh);
	uv_idle_init(&r->loop, &r->busy);	/* cannot fail */
}

static bool are_held(const struct reactor *r)
{
	return !TAILQ_EMPTY(&r->flooding) || !TAILQ_EMPTY(&r->fresh);
}

static bool is_proven(const struct stream *s)
{
	return s->small_reads >= PROVEN;
}

static bool is_busy(const struct stream *s)
{
	return is_proven(s) && !s->is_asked &&
	       s->last_read + LATELY >= s->r->turn;
}

static void hold(struct stream *s)
{
	struct reactor *r = s->r;

	if (!are_held(r))
		uv_idle_start(&r->busy, on_busy);
	s->held_in = s->sends_much || is_proven(s) ? &r->flooding : &r->fresh;
	if (s->is_due)		/* and was to no avail */
		TAILQ_INSERT_HEAD(s->held_in, s, held_link);
	else
		TAILQ_INSERT_TAIL(s->held_in, s, held_link);
	s->is_due = false;
	stream_watch(s);
}

void turns_forget(struct stream *s)
{
	struct reactor *r = s->r;

	if (s->held_in == NULL)
		return;
	TAILQ_REMOVE(s->held_in, s, held_link);
	s->held_in = NULL;
	if (!are_held(r))
		uv_idle_stop(&r->busy);
}

void turns_begin(struct stream *s, bool is_asked)
{
	_Static_assert(REACTOR_READ_SIZE >> FIRST_SHIFT < LARGE_READ, "");
	s->is_asked = is_asked;
	s->read_shift = FIRST_SHIFT;
}

size_t turns_read_size(const struct stream *s)
{
	return sizeof(s->r->read_space) >> s->read_shift;
}

void turns_worked(struct stream *s, uint64_t ns)
{
	if (ns > READ_NS && turns_read_size(s) > LARGE_READ)
		s->read_shift++;
	else if (ns < READ_NS / 4 && s->read_shift > 0)
		s->read_shift--;
}

/* This turn has been reading for longer. The clock is asked last of all: this is
 * on the way of every message. */
static bool took_longer(const struct reactor *r, uint64_t ns)
{
	return uv_hrtime() - r->reading_since > ns;
}

bool turns_deny(struct stream *s)
{
	struct reactor *r = s->r;

	if (r->reading_turn != r->turn) {
		r->reading_turn = r->turn;
		r->reading_since = uv_hrtime();
	}
	if (is_proven(s))
		s->is_denied = is_busy(s) && !s->is_due &&
			       took_longer(r, BUSY_NS);
	else if (s->is_due)
		s->is_denied = !s->sends_much && r->fresh_reads > 0 &&
			       took_longer(r, NEW_NS);
	else
		s->is_denied = are_held(r) || took_longer(r, NEW_NS);
	return s->is_denied;
}

void turns_took_none(struct stream *s)
{
	if (s->is_denied && s->held_in == NULL)
		hold(s);
	s->is_denied = false;
}

void turns_took(struct stream *s, size_t n)
{
	struct reactor *r = s->r;
	bool was_busy = is_busy(s);

	r->fresh_reads += s->is_due && !s->sends_much && !is_proven(s);
	s->is_due = false;
	s->last_read = r->turn;
	s->sends_much = n >= LARGE_READ || n == turns_read_size(s);
	if (s->sends_much)
		s->small_reads = 0;
	else if (!is_proven(s))
		s->small_reads++;
	if (s->held_in != NULL)
		return;
	if (s->sends_much ? r->large_reads++ > 0 || are_held(r) :
			    was_busy && !TAILQ_EMPTY(&r->flooding))
		hold(s);
}

static void release_first(struct stream_list *list)
{
	struct stream *s = TAILQ_FIRST(list);

	if (s == NULL)
		return;
	turns_forget(s);
	s->is_due = true;
	stream_watch(s);
}

void turns_next(struct reactor *r)
{
	r->turn++;
	r->large_reads = r->fresh_reads = 0;
	release_first(&r->flooding);
	for (int i = 0; i < RELEASED; i++)
		release_first(&r->fresh);
}
