#include "worker_conf.h"

#include "net/handshaker.h"

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
	if (w->handshaker != NULL)
		handshaker_set_max(w->handshaker, conf->max_handshakes);
}

void worker_conf_init(struct worker *w)
{
	w->own_conf = *w->shared->conf;
	w->own_conf.listeners = NULL;
	w->own_conf.listener_count = 0;
	w->conf = &w->own_conf;
	spread(w);
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
	to->max_handshakes = from->max_handshakes;
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

void worker_conf_take(struct worker *w, const struct gateway_conf *next)
{
	take_limits(&w->own_conf, next);
	take_notify(&w->own_conf.notify, &next->notify);
	spread(w);
}
