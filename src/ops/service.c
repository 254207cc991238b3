#include "ops/service.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
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
#define RETURN_SIZE (1024 * 1024)

static const int watched[] = { SIGTERM, SIGINT, SIGHUP };

struct service {
	struct gateway *gw;		/* borrowed */
	struct reloader *reloader;	/* likewise */
	uv_signal_t signals[ARRAY_LEN(watched)];
	uv_timer_t timer;		/* where a service manager listens */
	bool feeds_watchdog;
	unsigned open;			/* handles not closed yet */
};

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

static void on_signal(uv_signal_t *handle, int number)
{
	struct service *s = handle->data;

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

static void hold_back(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(how, &set, NULL);
}

static int watch(struct service *s, size_t i)
{
	int err = uv_signal_init(loop_of(s->gw), &s->signals[i]);

	if (err)
		return err;
	s->signals[i].data = s;
	s->open++;
	return uv_signal_start(&s->signals[i], on_signal, watched[i]);
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
	err = uv_timer_init(loop_of(gw), &s->timer);
	if (err) {
		free(s);
		return err;
	}
	s->timer.data = s;
	s->open++;
	uv_unref((uv_handle_t *)&s->timer);
	for (size_t i = 0; i < ARRAY_LEN(watched) && !err; i++)
		err = watch(s, i);
	if (err) {
		service_destroy(s);
		return err;
	}
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
	unsigned count;

	if (s == NULL)
		return;
	count = s->open - 1;
	uv_close((uv_handle_t *)&s->timer, on_closed);
	for (unsigned i = 0; i < count; i++) {
		uv_close((uv_handle_t *)&s->signals[i], on_closed);
		/* it is ending; not by a signal that comes too late */
		signal(watched[i], SIG_IGN);
	}
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
