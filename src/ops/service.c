#include "ops/service.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <uv.h>

#include "base/log.h"
#include "gateway/gateway.h"
#include "ops/reload.h"

static const int watched[] = { SIGTERM, SIGINT, SIGHUP };

struct service {
	struct gateway *gw;		/* borrowed */
	struct reloader *reloader;	/* likewise */
	uv_signal_t signals[ARRAY_LEN(watched)];
	unsigned open;			/* handles not closed yet */
};

static void on_signal(uv_signal_t *handle, int number)
{
	struct service *s = handle->data;

	log_info("signal", LOG_INT("number", number));
	if (number == SIGHUP)
		reloader_run(s->reloader);
	else
		gateway_stop(s->gw);
	log_flush();
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

int service_create(struct service **out, struct gateway *gw,
		   struct reloader *reloader)
{
	struct service *s = calloc(1, sizeof(*s));
	int err = 0;

	if (s == NULL)
		return UV_ENOMEM;
	s->gw = gw;
	s->reloader = reloader;
	for (size_t i = 0; i < ARRAY_LEN(watched) && !err; i++) {
		err = uv_signal_init(gateway_loop(gw), &s->signals[i]);
		if (err)
			break;
		s->signals[i].data = s;
		s->open++;
		err = uv_signal_start(&s->signals[i], on_signal, watched[i]);
	}
	if (err) {
		service_destroy(s);
		return err;
	}
	hold_back(SIG_UNBLOCK);
	*out = s;
	return 0;
}

void service_destroy(struct service *s)
{
	unsigned open;

	if (s == NULL)
		return;
	open = s->open;
	if (open == 0)
		free(s);
	for (unsigned i = 0; i < open; i++) {
		uv_close((uv_handle_t *)&s->signals[i], on_closed);
		/* it is ending; not by a signal that comes too late */
		signal(watched[i], SIG_IGN);
	}
}

void service_prepare(void)
{
	struct rlimit files;

	hold_back(SIG_BLOCK);
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}
