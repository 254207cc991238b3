#include "reactor_priv.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "net/stream.h"
#include "stream_priv.h"

struct buf reactor_take_buf(struct reactor *r)
{
	if (r->spare_count == 0)
		return (struct buf){ 0 };
	return r->spare[--r->spare_count];
}

void reactor_give_buf(struct reactor *r, struct buf *b)
{
	if (b->cap == 0 || b->cap > REACTOR_SPARE_SIZE ||
	    r->spare_count == REACTOR_SPARE_MAX) {
		buf_deinit(b);
		return;
	}
	buf_clear(b);
	r->spare[r->spare_count++] = *b;
	*b = (struct buf){ 0 };
}

/* Flushing may make others dirty, which then are written in the same turn. */
static void flush_all(struct reactor *r)
{
	struct stream *s;

	while ((s = TAILQ_FIRST(&r->dirty)) != NULL)
		stream_flush(s);
	log_flush();
}

/* Nothing is left to do but to wait. */
static void on_prepare(uv_prepare_t *handle)
{
	flush_all(handle->data);
}

/* At work since the last time; what it slept does not count. */
static void note_turn(struct reactor *r)
{
	uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(&r->loop);
	uint64_t took = now - r->turn_began - (idle - r->turn_idle);

	if (r->turn_began != 0 && took > r->longest_turn)
		r->longest_turn = took;
	r->turn_began = now;
	r->turn_idle = idle;
}

static void on_check(uv_check_t *handle)
{
	struct reactor *r = handle->data;

	note_turn(r);
	turns_next(r);
	flush_all(r);
}

static void on_tick(uv_timer_t *timer)
{
	struct reactor *r = timer->data;

	wheel_advance(&r->wheel, uv_now(&r->loop));
	if (r->wheel.armed == 0) {
		uv_timer_stop(&r->tick);
		r->ticking = false;
	}
}

static void on_no_work(uv_work_t *req)
{
	(void)req;
}

int reactor_start_pool(void)
{
	uv_work_t req;
	uv_loop_t loop;
	int err = uv_loop_init(&loop);

	if (err)
		return err;
	err = uv_queue_work(&loop, &req, on_no_work, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return err;
}

static void on_no_event(uv_poll_t *handle, int status, int events)
{
	(void)handle;
	(void)status;
	(void)events;
}

/* The table is as long as the highest descriptor that was ever watched. */
static void watch_once(struct reactor *r, int fd)
{
	if (uv_poll_init(&r->loop, &r->highest, fd) != 0)
		return;
	uv_poll_start(&r->highest, UV_READABLE, on_no_event);
	uv_close((uv_handle_t *)&r->highest, NULL);
}

void reactor_reserve(struct reactor *r, unsigned files)
{
	struct rlimit limit;
	int fd = eventfd(0, EFD_CLOEXEC), high;

	if (fd < 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && files > limit.rlim_cur)
		files = (unsigned)limit.rlim_cur;
	high = files > 0 ? fcntl(fd, F_DUPFD_CLOEXEC, (int)files - 1) : -1;
	if (high >= 0) {
		watch_once(r, high);
		close(high);
	}
	close(fd);
}

int reactor_create(struct reactor **out)
{
	struct reactor *r = calloc(1, sizeof(*r));
	int err;

	if (r == NULL)
		return UV_ENOMEM;
	/* libuv writes without MSG_NOSIGNAL; a peer that goes is an error
	 * code, not our end */
	signal(SIGPIPE, SIG_IGN);
	TAILQ_INIT(&r->streams);
	TAILQ_INIT(&r->dirty);
	err = uv_loop_init(&r->loop);
	if (err) {
		free(r);
		return err;
	}
	(void)uv_loop_configure(&r->loop, UV_METRICS_IDLE_TIME);
	wheel_init(&r->wheel, uv_now(&r->loop));
	r->turn = 1;
	turns_init(r);
	/* these three cannot fail */
	uv_timer_init(&r->loop, &r->tick);
	uv_prepare_init(&r->loop, &r->prepare);
	uv_check_init(&r->loop, &r->check);
	r->tick.data = r->prepare.data = r->check.data = r;
	uv_prepare_start(&r->prepare, on_prepare);
	uv_check_start(&r->check, on_check);
	uv_unref((uv_handle_t *)&r->prepare);
	uv_unref((uv_handle_t *)&r->check);
	*out = r;
	return 0;
}

static void close_stray(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void reactor_destroy(struct reactor *r)
{
	struct stream *s;

	if (r == NULL)
		return;
	while ((s = TAILQ_FIRST(&r->streams)) != NULL)
		stream_destroy(s);
	uv_walk(&r->loop, close_stray, NULL);
	/* a reactor_stop() of an owner's destructor ends one round only */
	while (uv_run(&r->loop, UV_RUN_DEFAULT) != 0)
		continue;
	if (uv_loop_close(&r->loop) != 0)
		abort();		/* a handle was forgotten */
	while (r->spare_count > 0)
		buf_deinit(&r->spare[--r->spare_count]);
	free(r);
}

uv_loop_t *reactor_loop(struct reactor *r)
{
	return &r->loop;
}

void reactor_run(struct reactor *r)
{
	uv_run(&r->loop, UV_RUN_DEFAULT);
}

void reactor_stop(struct reactor *r)
{
	uv_stop(&r->loop);
}

uint64_t reactor_now(const struct reactor *r)
{
	return uv_now(&r->loop);
}

uint64_t reactor_take_lag(struct reactor *r)
{
	uint64_t longest = r->longest_turn;

	r->longest_turn = 0;
	return longest / 1000000;
}

void reactor_arm(struct reactor *r, struct timeout *t, uint64_t delay_ms)
{
	wheel_arm(&r->wheel, t, uv_now(&r->loop), delay_ms);
	if (r->ticking)
		return;
	r->ticking = true;
	uv_timer_start(&r->tick, on_tick, WHEEL_TICK_MS, WHEEL_TICK_MS);
}

void reactor_disarm(struct reactor *r, struct timeout *t)
{
	wheel_disarm(&r->wheel, t);
}
