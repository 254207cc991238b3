#include "gateway/gateway.h"

#include <stdlib.h>

#include "base/log.h"
#include "worker.h"

struct worker_thread {
	struct gateway *gw;
	struct worker *worker;		/* owned */
	uv_thread_t thread;
	bool started;
};

struct gateway {
	const struct gateway_conf *conf;	/* borrowed */
	uv_loop_t loop;				/* main thread's, for signals */
	uv_async_t ended;			/* a worker has */
	atomic_uint running;

	struct store_service *store;		/* or NULL */
	struct listener_shared *shared;		/* one per listener */
	struct worker_thread *threads;		/* conf->workers of them */
};

static void thread_main(void *arg)
{
	struct worker_thread *t = arg;

	worker_run(t->worker);
	atomic_fetch_sub(&t->gw->running, 1);
	uv_async_send(&t->gw->ended);
}

static void on_ended(uv_async_t *async)
{
	struct gateway *gw = async->data;

	if (atomic_load(&gw->running) == 0)
		uv_stop(&gw->loop);
	else
		worker_wake(gw->threads[0].worker);
}

static int open_store(struct gateway *gw)
{
	const char *why;
	int err;

	if (!gw->conf->has_store)
		return 0;
	err = store_service_create(&gw->store, &why, &gw->conf->store);
	if (err)
		log_error("store_failed",
			  LOG_TEXT("path", gw->conf->store.store.path),
			  LOG_TEXT("why", why));
	return err;
}

static int create_workers(struct gateway *gw)
{
	for (unsigned i = 0; i < gw->conf->workers; i++) {
		struct worker_thread *t = &gw->threads[i];
		int err;

		t->gw = gw;
		err = worker_create(&t->worker, gw->conf, gw->shared,
				    gw->store, &gw->running, i);
		if (err)
			return err;
	}
	return 0;
}

int gateway_create(struct gateway **out, const struct gateway_conf *conf)
{
	struct gateway *gw = calloc(1, sizeof(*gw));
	int err;

	if (gw == NULL)
		return UV_ENOMEM;
	err = uv_loop_init(&gw->loop);
	if (err) {
		free(gw);
		return err;
	}
	gw->conf = conf;
	gw->ended.data = gw;
	gw->shared = calloc(conf->listener_count, sizeof(*gw->shared));
	gw->threads = calloc(conf->workers, sizeof(*gw->threads));
	err = gw->shared == NULL || gw->threads == NULL ?
		      UV_ENOMEM :
		      uv_async_init(&gw->loop, &gw->ended, on_ended);
	if (!err)
		err = open_store(gw);
	if (!err)
		err = create_workers(gw);
	if (err) {
		gateway_destroy(gw);
		return err;
	}
	*out = gw;
	return 0;
}

int gateway_run(struct gateway *gw)
{
	int err = 0;

	for (unsigned i = 0; i < gw->conf->workers && !err; i++) {
		struct worker_thread *t = &gw->threads[i];

		atomic_fetch_add(&gw->running, 1);
		err = uv_thread_create(&t->thread, thread_main, t);
		t->started = err == 0;
		if (err)
			atomic_fetch_sub(&gw->running, 1);
	}
	if (err)
		gateway_stop(gw);
	if (atomic_load(&gw->running) > 0)
		uv_run(&gw->loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < gw->conf->workers; i++)
		if (gw->threads[i].started)
			uv_thread_join(&gw->threads[i].thread);
	return err;
}

void gateway_stop(struct gateway *gw)
{
	for (unsigned i = 0; i < gw->conf->workers; i++)
		worker_stop(gw->threads[i].worker);
}

struct uv_loop_s *gateway_loop(struct gateway *gw)
{
	return &gw->loop;
}

unsigned gateway_store_port(const struct gateway *gw)
{
	const struct mca_server *mca = gw->threads[0].worker->mca;

	return mca != NULL ? mca_server_port(mca) : 0;
}

unsigned gateway_port(const struct gateway *gw, size_t listener)
{
	return listener_port(
		gw->threads[0].worker->listeners[listener].listener);
}

void gateway_destroy(struct gateway *gw)
{
	if (gw == NULL)
		return;
	for (unsigned i = 0; gw->threads != NULL && i < gw->conf->workers; i++)
		worker_destroy(gw->threads[i].worker);
	if (gw->ended.type == UV_ASYNC)
		uv_close((uv_handle_t *)&gw->ended, NULL);
	uv_run(&gw->loop, UV_RUN_DEFAULT);
	uv_loop_close(&gw->loop);
	store_service_destroy(gw->store);
	free(gw->threads);
	free(gw->shared);
	free(gw);
}
