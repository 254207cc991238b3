#include "worker_conf.h"

#include <stdlib.h>

#include "worker_listener.h"

/* What others keep of it in a form of their own. */
static void spread(struct worker *w)
{
	const struct gateway_conf *conf = w->conf;

	w->dispatch_conf = (struct dispatch_conf){
		.in_flight = conf->in_flight,
		.max_queue = conf->max_queue,
		.timeout_ms = conf->timeout_ms,
		.codec = conf->codec,
	};
	w->channel_conf = (struct channel_conf){
		.in_flight = conf->notify.in_flight,
		.max_queue = conf->max_queue,
	};
	for (size_t i = 0; w->listeners != NULL && i < conf->listener_count;
	     i++)
		worker_listener_spread(&w->listeners[i]);
}

int worker_conf_init(struct worker *w)
{
	const struct gateway_conf *shared = w->shared->conf;
	struct gateway_listener_conf *listeners =
		calloc(shared->listener_count, sizeof(*listeners));

	if (listeners == NULL)
		return UV_ENOMEM;
	memcpy(listeners, shared->listeners,
	       shared->listener_count * sizeof(*listeners));
	w->own_conf = *shared;
	w->own_conf.listeners = w->own_listeners = listeners;
	w->conf = &w->own_conf;
	spread(w);
	return 0;
}

void worker_conf_deinit(struct worker *w)
{
	free(w->own_listeners);
}

static void take_limits(struct gateway_conf *to,
			const struct gateway_conf *from)
{
	to->drain_timeout_ms = from->drain_timeout_ms;
	to->timeout_ms = from->timeout_ms;
	if (from->upstream_count > 0) {
		to->upstreams = from->upstreams;
		to->upstream_count = from->upstream_count;
	}
	to->reserved = from->reserved;
	to->ws = from->ws;
	to->codec = from->codec;
	to->in_flight = from->in_flight;
	to->max_head = from->max_head;
	to->max_headers = from->max_headers;
	to->max_entities = from->max_entities;
}

static void take_notify(struct notify_conf *to, const struct notify_conf *from)
{
	to->allow = from->allow;
	to->timeout_ms = from->timeout_ms;
	to->offline = from->offline;
	to->offline_cse = from->offline_cse;
	to->in_flight = from->in_flight;
	to->max_connections = from->max_connections;
	to->max_held = from->max_held;
}

static void take_listener(struct gateway_listener_conf *to,
			  const struct gateway_listener_conf *from)
{
	to->max_sessions = from->max_sessions;
	to->handshake_timeout_ms = from->handshake_timeout_ms;
	to->handshake = from->handshake;
	to->proxy_from = from->proxy_from;
}

void worker_conf_take(struct worker *w, const struct gateway_conf *next)
{
	take_limits(&w->own_conf, next);
	take_notify(&w->own_conf.notify, &next->notify);
	for (size_t i = 0; i < w->conf->listener_count; i++) {
		struct gateway_listener_conf *own = &w->own_listeners[i];
		const struct gateway_listener_conf *from =
			gateway_find_listener(next, own->name);

		if (from != NULL)
			take_listener(own, from);
	}
	spread(w);
}
