#include "arrival.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "net/addr.h"
#include "net/preface.h"
#include "peers.h"
#include "upgrade.h"
#include "worker_listener.h"

/* A flood of connections that never shake hands must not use up what sessions
 * need: above twice max_sessions the oldest of them gives way. Who means it is
 * done in a moment. */
#define UNHEARD_FACTOR 2

#define REFUSALS_LOGGED 1	/* a second */

struct arrival {
	struct worker_listener *l;	/* borrowed */
	LIST_ENTRY(arrival) link;	/* in l->w->arrivals */
	struct preface *preface;	/* owned */
	struct sockaddr_storage proxy;
};

static void log_refused(struct worker_listener *l, const struct sockaddr *peer,
			const char *why)
{
	char space[64];

	if (!log_limit_allows(&l->log_arrivals, reactor_now(l->w->reactor),
			      REFUSALS_LOGGED))
		return;
	log_info("connection_refused", LOG_TEXT("listener", l->conf.name),
		 LOG_STR("peer", addr_text(peer, space, sizeof(space))),
		 LOG_TEXT("why", why),
		 LOG_UINT("unlogged", log_limit_missed(&l->log_arrivals)));
}

/* False: there are too many, on all workers. */
static bool take_place(struct worker_listener *l)
{
	if (atomic_fetch_add(&l->shared->connections, 1) <
	    l->conf.max_sessions * UNHEARD_FACTOR) {
		worker_listener_enter(l);
		return true;
	}
	atomic_fetch_sub(&l->shared->connections, 1);
	return false;
}

static void give_place_back(struct worker_listener *l)
{
	atomic_fetch_sub(&l->shared->connections, 1);
	worker_listener_leave(l);
}

void arrival_leave(struct worker_listener *l, struct peer *peer)
{
	peers_leave(l->w->shared->peers, peer, reactor_now(l->w->reactor));
	give_place_back(l);
}

static void refuse(struct worker_listener *l, int fd,
		   const struct sockaddr *peer, const char *why)
{
	close(fd);
	give_place_back(l);
	log_refused(l, peer, why);
}

/* NULL, or why not. */
static const char *enter(struct peer **out, struct worker_listener *l,
			 const struct sockaddr *from)
{
	struct worker *w = l->w;

	switch (peers_enter(out, w->shared->peers, from,
			    reactor_now(w->reactor))) {
	case PEERS_IN:
		return NULL;
	case PEERS_TOO_MANY:
		w->counters.refused_per_ip++;
		return "sessions_per_ip";
	case PEERS_TOO_FAST:
		w->counters.refused_rate++;
		return "handshake_rate";
	case PEERS_NO_MEMORY:
		break;
	}
	return "out of memory";
}

/* told: whom a proxy named, or NULL. */
static void let_in(struct worker_listener *l, int fd,
		   const struct sockaddr *from, const struct sockaddr *told)
{
	struct peer *peer;
	const char *why = enter(&peer, l, from);
	int err;

	if (why != NULL) {
		refuse(l, fd, from, why);
		return;
	}
	err = upgrade_accept(l, fd, told, peer);
	if (!err)
		return;
	arrival_leave(l, peer);
	log_warning("accept_failed", LOG_TEXT("listener", l->conf.name),
		    LOG_ERRNO(err));
}

static void arrival_free(struct arrival *a)
{
	struct worker *w = a->l->w;

	LIST_REMOVE(a, link);
	free(a);
	worker_check_drained(w);
}

void arrival_destroy(struct arrival *a)
{
	struct worker_listener *l = a->l;

	preface_destroy(a->preface);
	arrival_free(a);
	give_place_back(l);
}

void arrival_end_all(struct worker_listener *l)
{
	struct arrival *a, *next;

	for (a = LIST_FIRST(&l->w->arrivals); a != NULL; a = next) {
		next = LIST_NEXT(a, link);
		if (a->l == l)
			arrival_destroy(a);
	}
}

static void on_header(void *owner, int fd, const struct sockaddr *told)
{
	struct arrival *a = owner;
	const struct sockaddr *proxy = (const struct sockaddr *)&a->proxy;

	/* a health check of the proxy itself tells nobody */
	let_in(a->l, fd, told != NULL ? told : proxy, told);
	arrival_free(a);
}

static void on_no_header(void *owner, int err)
{
	struct arrival *a = owner;
	const char *why = err == UV_ETIMEDOUT ? "no PROXY header in time" :
						"no PROXY header";

	/* who just goes has asked for nothing */
	if (err == UV_ETIMEDOUT || err == ERR_PROTO) {
		a->l->w->counters.refused_proxy++;
		log_refused(a->l, (const struct sockaddr *)&a->proxy, why);
	}
	give_place_back(a->l);
	arrival_free(a);
}

static const struct preface_ops preface_ops = { on_header, on_no_header };

static void await_header(struct worker_listener *l, int fd,
			 const struct sockaddr_storage *proxy)
{
	struct arrival *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		refuse(l, fd, (const struct sockaddr *)proxy, "out of memory");
		return;
	}
	a->l = l;
	a->proxy = *proxy;
	LIST_INSERT_HEAD(&l->w->arrivals, a, link);
	if (preface_create(&a->preface, l->w->reactor, fd,
			   l->conf.handshake_timeout_ms, &preface_ops, a) == 0)
		return;
	give_place_back(l);
	arrival_free(a);
}

void arrival_accept(struct worker_listener *l, int fd)
{
	struct sockaddr_storage addr = { 0 };
	const struct sockaddr *from = (const struct sockaddr *)&addr;
	socklen_t len = sizeof(addr);

	if (!take_place(l) && !(upgrade_displace(l) && take_place(l))) {
		l->w->counters.refused_sessions++;
		close(fd);
		return;
	}
	if ((l->conf.proxy_protocol || peers_are_bounded(l->w->shared->peers)) &&
	    getpeername(fd, (struct sockaddr *)&addr, &len) != 0) {
		close(fd);		/* it has gone already */
		give_place_back(l);
		return;
	}
	if (!l->conf.proxy_protocol) {
		let_in(l, fd, from, NULL);
	} else if (addr_nets_have(&l->conf.proxy_from, from)) {
		await_header(l, fd, &addr);
	} else {
		l->w->counters.refused_proxy++;
		refuse(l, fd, from, "not in proxy_from");
	}
}
