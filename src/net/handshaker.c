/*
 * The lock guards the two lists and `stops`. A step is the thread's while it is
 * in neither: it has been taken from `waiting` and not been put into `done`.
 * Whoever drops it then leaves it, with its tls, to the end of that.
 */
#include "handshaker_priv.h"

#include <assert.h>
#include <stdlib.h>

struct handshaker {
	uv_async_t async;
	uv_thread_t thread;
	uv_mutex_t lock;
	uv_cond_t wake;
	struct handshakes waiting, done;
	bool stops;

	size_t max_waiting;
	size_t count;			/* waiting or at hand; the loop's */
	uint64_t refused;		/* likewise */
};

static void step_free(struct handshake *step)
{
	if (step->owner == NULL)
		tls_destroy(step->tls);
	buf_deinit(&step->in);
	buf_deinit(&step->out);
	free(step);
}

/* Back to the loop with the one that is done. */
static void hand_back(struct handshaker *h, struct handshake *step)
{
	TAILQ_INSERT_TAIL(&h->done, step, link);
	uv_async_send(&h->async);
}

/* NULL: it is time to stop. */
static struct handshake *take_next(struct handshaker *h)
{
	struct handshake *step;

	while (TAILQ_EMPTY(&h->waiting) && !h->stops)
		uv_cond_wait(&h->wake, &h->lock);
	if (h->stops)
		return NULL;
	step = TAILQ_FIRST(&h->waiting);
	TAILQ_REMOVE(&h->waiting, step, link);
	step->is_waiting = false;
	return step;
}

static void thread_main(void *arg)
{
	struct handshaker *h = arg;
	struct handshake *step;

	uv_mutex_lock(&h->lock);
	while ((step = take_next(h)) != NULL) {
		uv_mutex_unlock(&h->lock);
		step->left = buf_str(&step->in);
		step->err = tls_shake(step->tls, &step->left, &step->out);
		uv_mutex_lock(&h->lock);
		hand_back(h, step);
	}
	uv_mutex_unlock(&h->lock);
}

static void on_async(uv_async_t *async)
{
	struct handshaker *h = container_of(async, struct handshaker, async);
	struct handshakes done = TAILQ_HEAD_INITIALIZER(done);
	struct handshake *step;

	uv_mutex_lock(&h->lock);
	TAILQ_CONCAT(&done, &h->done, link);
	uv_mutex_unlock(&h->lock);
	while ((step = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, step, link);
		h->count--;
		if (step->owner != NULL)
			step->on_done(step->owner, step);
		step_free(step);
	}
}

static struct handshake *step_create(struct tls *tls, struct str octets)
{
	struct handshake *step = calloc(1, sizeof(*step));

	if (step == NULL)
		return NULL;
	step->tls = tls;
	buf_add_str(&step->in, octets);
	if (!step->in.failed)
		return step;
	free(step);
	return NULL;
}

int handshaker_start(struct handshake **out, struct handshaker *h,
		     struct tls *tls, struct str octets,
		     void (*on_done)(void *owner, struct handshake *step),
		     void *owner)
{
	struct handshake *step;

	if (h->count >= h->max_waiting) {
		h->refused++;
		return ERR_LIMIT;
	}
	step = step_create(tls, octets);
	if (step == NULL)
		return UV_ENOMEM;
	step->h = h;
	step->on_done = on_done;
	step->owner = owner;
	step->is_waiting = true;
	h->count++;
	uv_mutex_lock(&h->lock);
	TAILQ_INSERT_TAIL(&h->waiting, step, link);
	uv_cond_signal(&h->wake);
	uv_mutex_unlock(&h->lock);
	*out = step;
	return 0;
}

void handshaker_drop(struct handshake *step)
{
	struct handshaker *h = step->h;
	bool was_waiting;

	uv_mutex_lock(&h->lock);
	was_waiting = step->is_waiting;
	if (was_waiting)
		TAILQ_REMOVE(&h->waiting, step, link);
	uv_mutex_unlock(&h->lock);
	step->owner = NULL;
	if (!was_waiting)
		return;			/* on_async() frees it */
	h->count--;
	step_free(step);
}

static int start(struct handshaker *h, uv_loop_t *loop)
{
	int err = uv_mutex_init(&h->lock);

	if (err)
		return err;
	err = uv_cond_init(&h->wake);
	if (err)
		goto destroy_lock;
	err = uv_async_init(loop, &h->async, on_async);
	if (err)
		goto destroy_cond;
	uv_unref((uv_handle_t *)&h->async);
	err = uv_thread_create(&h->thread, thread_main, h);
	if (err)
		goto close_async;
	return 0;

close_async:
	uv_close((uv_handle_t *)&h->async, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
destroy_cond:
	uv_cond_destroy(&h->wake);
destroy_lock:
	uv_mutex_destroy(&h->lock);
	return err;
}

void handshaker_set_max(struct handshaker *h, size_t max_waiting)
{
	h->max_waiting = max_waiting;
}

int handshaker_create(struct handshaker **out, struct reactor *r,
		      size_t max_waiting)
{
	struct handshaker *h = calloc(1, sizeof(*h));
	int err;

	if (h == NULL)
		return UV_ENOMEM;
	h->max_waiting = max_waiting;
	TAILQ_INIT(&h->waiting);
	TAILQ_INIT(&h->done);
	err = start(h, reactor_loop(r));
	if (err) {
		free(h);
		return err;
	}
	*out = h;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(container_of((uv_async_t *)handle, struct handshaker, async));
}

void handshaker_destroy(struct handshaker *h)
{
	if (h == NULL)
		return;
	uv_mutex_lock(&h->lock);
	h->stops = true;
	uv_cond_signal(&h->wake);
	uv_mutex_unlock(&h->lock);
	uv_thread_join(&h->thread);
	on_async(&h->async);
	assert(h->count == 0);		/* the streams dropped theirs */
	uv_cond_destroy(&h->wake);
	uv_mutex_destroy(&h->lock);
	uv_close((uv_handle_t *)&h->async, on_closed);
}

size_t handshaker_waiting(const struct handshaker *h)
{
	return h->count;
}

uint64_t handshaker_refused(const struct handshaker *h)
{
	return h->refused;
}
