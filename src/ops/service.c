#include "ops/service.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <uv.h>

#include "base/log.h"
#include "gateway/gateway.h"
#include "net/reactor.h"
#include "ops/reload.h"
#include "ops/systemd.h"

#define STATUS_MS 10000

/* glibc raises this when such a block is freed, up to 32 MB, and what peers
 * made grow for a minute then stays in the heap for good. Below the size of a
 * usual message most of the time goes into pages that come and go. */
#define RETURN_SIZE (512 * 1024)

static const int watched[] = { SIGTERM, SIGINT, SIGHUP };

struct service {
	struct gateway *gw;		/* borrowed */
	struct reloader *reloader;	/* likewise */
	uv_async_t caught;		/* a signal was */
	uv_timer_t timer;		/* where a service manager listens */
	bool feeds_watchdog;
	unsigned open;			/* handles not closed yet */
};

/* Not uv_signal_t: as that ends, for a moment the signal does what it does by
 * default, and kills who is about to end well. */
static atomic_uint pending[ARRAY_LEN(watched)];
static _Atomic(uv_async_t *) wakes;

static uv_loop_t *loop_of(struct gateway *gw)
{
	return reactor_loop(gateway_reactor(gw));
}

static void say_status(const struct service *s, const char *before)
{
	char text[128];

	snprintf(text, sizeof(text), "%sSTATUS=%" PRIu64 " sessions", before,
		 gateway_sessions(s->gw));
	systemd_notify(text);
}

/* sd_notify(3): by this the manager knows which of its reloads is meant. */
static void say_reloading(void)
{
	struct timespec now;
	char text[128];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	systemd_notify(text);
}

static void obey(struct service *s, int number)
{
	log_info("signal", LOG_INT("number", number));
	if (number == SIGHUP) {
		say_reloading();
		reloader_run(s->reloader);
		say_status(s, "READY=1\n");
	} else {
		systemd_notify("STOPPING=1\nSTATUS=draining");
		gateway_stop(s->gw);
	}
	log_flush();
}

static void on_caught(uv_async_t *async)
{
	struct service *s = container_of(async, struct service, caught);

	for (size_t i = 0; i < ARRAY_LEN(watched); i++)
		for (unsigned n = atomic_exchange(&pending[i], 0); n > 0; n--)
			obey(s, watched[i]);
}

/* On any thread, at any time. */
static void on_signal(int number)
{
	uv_async_t *async = atomic_load(&wakes);
	int err = errno;

	for (size_t i = 0; i < ARRAY_LEN(watched); i++)
		if (watched[i] == number)
			atomic_fetch_add(&pending[i], 1);
	if (async != NULL)
		uv_async_send(async);
	errno = err;
}

static void set_handlers(void (*handler)(int number))
{
	struct sigaction action = { .sa_handler = handler,
				    .sa_flags = SA_RESTART };

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(watched); i++)
		sigaction(watched[i], &action, NULL);
}

static void on_timer(uv_timer_t *timer)
{
	struct service *s = timer->data;
	bool feeds = s->feeds_watchdog && gateway_is_alive(s->gw);

	say_status(s, feeds ? "WATCHDOG=1\n" : "");
}

static void on_closed(uv_handle_t *handle)
{
	struct service *s = handle->data;

	if (--s->open == 0)
		free(s);
}

/* Who listens already is ended well, too. */
static void hold_back(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(watched); i++)
		sigaddset(&set, watched[i]);
	pthread_sigmask(how, &set, NULL);
}

int service_create(struct service **out, struct gateway *gw,
		   struct reloader *reloader)
{
	struct service *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return UV_ENOMEM;
	s->gw = gw;
	s->reloader = reloader;
	err = uv_async_init(loop_of(gw), &s->caught, on_caught);
	if (err) {
		free(s);
		return err;
	}
	uv_timer_init(loop_of(gw), &s->timer);	/* cannot fail */
	s->timer.data = s->caught.data = s;
	s->open = 2;
	uv_unref((uv_handle_t *)&s->timer);
	atomic_store(&wakes, &s->caught);
	set_handlers(on_signal);
	hold_back(SIG_UNBLOCK);
	*out = s;
	return 0;
}

/* Three times within what the watchdog allows, or else it is a busy machine
 * that bites us. */
void service_ready(struct service *s)
{
	uint64_t period = systemd_watchdog_ms() / 3;

	s->feeds_watchdog = period > 0;
	if (period == 0 || period > STATUS_MS)
		period = STATUS_MS;
	if (s->feeds_watchdog)
		(void)gateway_is_alive(s->gw);
	if (systemd_is_there())
		uv_timer_start(&s->timer, on_timer, period, period);
	say_status(s, "READY=1\n");
}

void service_destroy(struct service *s)
{
	if (s == NULL)
		return;
	/* it is ending; not by a signal that comes too late */
	set_handlers(SIG_IGN);
	atomic_store(&wakes, NULL);
	uv_close((uv_handle_t *)&s->timer, on_closed);
	uv_close((uv_handle_t *)&s->caught, on_closed);
}

static void return_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, RETURN_SIZE);
	mallopt(M_TRIM_THRESHOLD, RETURN_SIZE);
}

void service_prepare(void)
{
	struct rlimit files;

	hold_back(SIG_BLOCK);
	return_memory();
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}
