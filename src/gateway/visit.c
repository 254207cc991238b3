#include "visit.h"

static void end_all(struct visit_home *h)
{
	struct visit_list done = TAILQ_HEAD_INITIALIZER(done);
	struct visit *v;

	uv_mutex_lock(&h->lock);
	TAILQ_CONCAT(&done, &h->done, link);
	uv_mutex_unlock(&h->lock);
	while ((v = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, v, link);
		v->on_done(v);
	}
}

static void on_async(uv_async_t *async)
{
	end_all(container_of(async, struct visit_home, async));
}

int visit_home_init(struct visit_home *h, uv_loop_t *loop)
{
	int err = uv_mutex_init(&h->lock);

	if (err)
		return err;
	TAILQ_INIT(&h->done);
	err = uv_async_init(loop, &h->async, on_async);
	if (err)
		uv_mutex_destroy(&h->lock);
	else
		uv_unref((uv_handle_t *)&h->async);
	return err;
}

void visit_home_deinit(struct visit_home *h)
{
	end_all(h);
	uv_close((uv_handle_t *)&h->async, NULL);
	uv_mutex_destroy(&h->lock);
}

void visit_come_home(struct visit_home *h, struct visit *v)
{
	uv_mutex_lock(&h->lock);
	TAILQ_INSERT_TAIL(&h->done, v, link);
	uv_mutex_unlock(&h->lock);
	uv_async_send(&h->async);
}
