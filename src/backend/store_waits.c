/* Jobs that wait for what others answer: to questions, or to a request that is
 * for another CSE. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store_delivery_priv.h"

#define QUESTIONS_MAX 512	/* of one request */
#define FORWARD_TIMES 3		/* another CSE may have to ask others */

/* TS-0004 6.6.3, beside those of prim.h */
enum {
	RSC_OPERATION_DENIED_BY_REMOTE_ENTITY = 4127,
	RSC_REMOTE_ENTITY_NOT_REACHABLE = 5107,
	RSC_VERIFICATION_FAILED = 5204,
};

struct question {
	struct wait *wait;
	const struct store_event *event;	/* the errand's */
	struct sending sending;
};

struct wait {
	struct store_delivery *d;
	TAILQ_ENTRY(wait) link;		/* in d->waits */
	struct store_errand *e;		/* owned */
	size_t count, left;		/* left: have no answer yet */
	struct question questions[];
};

typedef void on_sending_end(struct sending *s, const struct sending_end *end);

static struct wait *wait_create(struct store_delivery *d,
				struct store_errand *e, size_t count,
				on_sending_end *on_end)
{
	struct wait *w =
		calloc(1, sizeof(*w) + count * sizeof(w->questions[0]));

	if (w == NULL) {
		delivery_reply(d, e, RSC_INTERNAL_SERVER_ERROR,
			       "out of memory");
		return NULL;
	}
	w->d = d;
	w->e = e;
	w->count = count;
	w->left = count;
	for (size_t i = 0; i < count; i++) {
		w->questions[i].wait = w;
		w->questions[i].event = &e->events.list[i];
		w->questions[i].sending.d = d;
		w->questions[i].sending.on_end = on_end;
	}
	TAILQ_INSERT_TAIL(&d->waits, w, link);
	d->questions += count;
	return w;
}

/* Gives the errand back; nobody waits for what is still on its way. */
static struct store_errand *wait_end(struct wait *w)
{
	struct store_errand *e = w->e;

	TAILQ_REMOVE(&w->d->waits, w, link);
	w->d->questions -= w->count;
	for (size_t i = 0; i < w->count; i++) {
		sending_cancel(&w->questions[i].sending);
		sending_deinit(&w->questions[i].sending);
	}
	free(w);
	return e;
}

static struct question *question_of(struct sending *s)
{
	return container_of(s, struct question, sending);
}

/* ---- questions ---- */

/* A verification takes nothing but 2000 for a yes (TS-0004 7.5.1.2.3). */
static bool agrees(const struct store_event *event,
		   const struct sending_end *end)
{
	if (end->answer == NULL)
		return false;
	return event->ask == STORE_ASK_UPDATE ? end->answer->rsc / 1000 == 2 :
						end->answer->rsc == RSC_OK;
}

/* The target itself has spoken, and not a gateway on the way to it. */
static bool was_reached(const struct sending_end *end)
{
	return end->answer != NULL &&
	       end->answer->rsc != RSC_TARGET_NOT_REACHABLE &&
	       end->answer->rsc != RSC_REQUEST_TIMEOUT;
}

static int rsc_of_no(const struct store_event *event,
		     const struct sending_end *end)
{
	if (event->ask != STORE_ASK_UPDATE)
		return RSC_VERIFICATION_FAILED;
	return was_reached(end) ? RSC_OPERATION_DENIED_BY_REMOTE_ENTITY :
				  RSC_REMOTE_ENTITY_NOT_REACHABLE;
}

/* "http://x/y: no answer in time"; NUL-terminated. */
static void write_why(struct buf *out, const struct store_event *event,
		      const struct sending_end *end)
{
	buf_add_str(out, event->target);
	if (end->answer != NULL) {
		buf_add_lit(out, ": answered ");
		buf_add_i64(out, end->answer->rsc);
	} else {
		buf_add_lit(out, ": ");
		buf_add_str(out, str_of(end->why));
	}
	buf_add_char(out, '\0');
}

static void disagree(struct question *q, const struct sending_end *end)
{
	struct store_delivery *d = q->wait->d;
	struct buf why = { 0 };
	int rsc = rsc_of_no(q->event, end);

	d->counters.disagreed++;
	write_why(&why, q->event, end);
	delivery_reply(d, wait_end(q->wait), rsc,
		       why.failed ? end->why : why.p);
	buf_deinit(&why);
}

static void on_said(struct sending *s, const struct sending_end *end)
{
	struct question *q = question_of(s);
	struct wait *w = q->wait;
	struct store_delivery *d = w->d;

	if (!agrees(q->event, end))
		disagree(q, end);
	else if (--w->left == 0)
		delivery_again(d, wait_end(w));
}

void waits_ask(struct store_delivery *d, struct store_errand *e)
{
	struct wait *w;

	if (e->events.count > QUESTIONS_MAX) {
		delivery_reply(d, e, RSC_VERIFICATION_FAILED,
			       "too many targets are to be asked");
		return;
	}
	if (e->events.count == 0) {
		delivery_again(d, e);
		return;
	}
	if (d->questions + e->events.count > d->conf->max_pending) {
		delivery_refuse(d, e);
		return;
	}
	w = wait_create(d, e, e->events.count, on_said);
	for (size_t i = 0; w != NULL && i < w->count; i++) {
		struct question *q = &w->questions[i];

		delivery_write_notify(d, &q->sending.request, q->event);
		sending_start(&q->sending, &q->event->route,
			      d->conf->timeout_ms);
		d->counters.asked++;
	}
}

/* ---- requests for another CSE ---- */

/* The target's answer, as one to the job's own request. */
static void on_forwarded(struct sending *s, const struct sending_end *end)
{
	struct wait *w = question_of(s)->wait;
	struct store_delivery *d = w->d;
	struct store_errand *e = w->e;
	struct prim answer;		/* a look with another rqi */
	int err = 0;

	if (end->answer != NULL) {
		answer = *end->answer;
		prim_set_str(&answer, PARAM_RQI,
			     prim_text(&e->request, PARAM_RQI));
		err = prim_copy(&e->answer, &answer);
	}
	(void)wait_end(w);
	if (err)
		delivery_reply(d, e, RSC_INTERNAL_SERVER_ERROR,
			       "out of memory");
	else if (end->answer != NULL)
		delivery_answer(d, e);
	else
		delivery_reply(d, e, end->rsc, end->why);
}

static uint64_t forward_ms(const struct store_delivery *d,
			   const struct prim *request)
{
	uint64_t most = d->conf->timeout_ms * FORWARD_TIMES, left;

	if (prim_time_left(&left, request, PARAM_RQET, clock_wall_ms()) &&
	    left < most)
		return left;
	return most;
}

/* The next one gets less time than there is, counted from when it hears of it:
 * clocks may differ, and CSEs that send a request in a circle have to come to
 * an end. */
static void write_time_left(struct prim *request, char out[24], uint64_t ms)
{
	int len = snprintf(out, 24, "%" PRIu64, ms * 7 / 8);

	prim_set_str(request, PARAM_RQET, (struct str){ out, (size_t)len });
}

void waits_forward(struct store_delivery *d, struct store_errand *e)
{
	const struct store_event *event = e->events.list;
	struct prim request = e->request;	/* a look */
	uint64_t ms = forward_ms(d, &request);
	struct wait *w = NULL;
	char rqet[24];

	if (e->events.count == 0)
		delivery_reply(d, e, RSC_TARGET_NOT_REACHABLE,
			       "no way to the target");
	else
		w = wait_create(d, e, 1, on_forwarded);
	if (w == NULL)
		return;
	prim_set_str(&request, PARAM_TO, event->route.to);
	prim_set_str(&request, PARAM_FR, event->originator);
	write_time_left(&request, rqet, ms);
	/* without memory the sending says so */
	(void)!prim_copy(&w->questions[0].sending.request, &request);
	d->counters.forwarded++;
	sending_start(&w->questions[0].sending, &event->route, ms);
}

void waits_drop_all(struct store_delivery *d)
{
	while (!TAILQ_EMPTY(&d->waits))
		delivery_drop(d, wait_end(TAILQ_FIRST(&d->waits)));
}
