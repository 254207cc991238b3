#include "peers.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <uv.h>

#include "base/table.h"
#include "net/addr.h"

#define BURST_US  UINT64_C(2000000)
#define SECOND_US UINT64_C(1000000)
#define SWEEP	  2		/* looked at per connection: more than come */

/*
 * A token bucket needs one number, when it will be full again: each connection
 * moves that by its cost, and never further than a burst from now.
 */
struct peer {
	UT_hash_handle hh;		/* in peers, by group */
	TAILQ_ENTRY(peer) link;		/* in idle, while open is 0 */
	unsigned char group[16];
	unsigned open;			/* connections */
	uint64_t full_us;
};

struct peers {
	struct siphash_key key;
	atomic_bool bounded;
	uv_mutex_t lock;		/* for all below */
	struct peers_conf conf;
	struct peer *table;		/* owned */
	TAILQ_HEAD(, peer) idle;	/* who left first comes first */
	size_t idle_count;
	uint64_t forgotten;
	uint64_t now_us;
};

/* The workers' clocks differ by what their loops take for a turn. */
static uint64_t latest(struct peers *p, uint64_t now_ms)
{
	if (now_ms * 1000 > p->now_us)
		p->now_us = now_ms * 1000;
	return p->now_us;
}

static void drop(struct peers *p, struct peer *peer)
{
	TAILQ_REMOVE(&p->idle, peer, link);
	p->idle_count--;
	HASH_DELETE(hh, p->table, peer);
	free(peer);
}

/* Not in strict order of time; who is not first in line waits a little. */
static void sweep(struct peers *p, uint64_t now_us)
{
	struct peer *first;

	for (int i = 0; i < SWEEP; i++) {
		first = TAILQ_FIRST(&p->idle);
		if (first == NULL || first->full_us > now_us)
			return;
		drop(p, first);
	}
}

static unsigned hash_of(const struct peers *p, const unsigned char group[16])
{
	return table_hash_keyed(&p->key,
				(struct str){ (const char *)group, 16 });
}

static struct peer *find(struct peers *p, const unsigned char group[16])
{
	unsigned hash = hash_of(p, group);
	struct peer *peer;

	HASH_FIND_BYHASHVALUE(hh, p->table, group, 16, hash, peer);
	return peer;
}

/* Idle, as all without connections. NULL: no memory. */
static struct peer *add(struct peers *p, const unsigned char group[16])
{
	struct peer *peer = calloc(1, sizeof(*peer));
	unsigned hash = hash_of(p, group);

	if (peer == NULL)
		return NULL;
	memcpy(peer->group, group, sizeof(peer->group));
	HASH_ADD_BYHASHVALUE(hh, p->table, group, sizeof(peer->group), hash,
			     peer);
	if (table_added(&peer->hh) != 0) {
		free(peer);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&p->idle, peer, link);
	p->idle_count++;
	return peer;
}

static bool take_token(struct peer *peer, unsigned rate, uint64_t now_us)
{
	uint64_t from = peer->full_us > now_us ? peer->full_us : now_us;

	if (rate == 0)
		return true;
	if (from + SECOND_US / rate > now_us + BURST_US)
		return false;
	peer->full_us = from + SECOND_US / rate;
	return true;
}

static enum peers_verdict enter(struct peer **out, struct peers *p,
				const unsigned char group[16], uint64_t now_us)
{
	struct peer *peer;

	sweep(p, now_us);
	peer = find(p, group);
	if (peer == NULL)
		peer = add(p, group);
	if (peer == NULL)
		return PEERS_NO_MEMORY;
	if (p->conf.sessions > 0 && peer->open >= p->conf.sessions)
		return PEERS_TOO_MANY;
	if (!take_token(peer, p->conf.rate, now_us))
		return PEERS_TOO_FAST;
	if (peer->open++ == 0) {
		TAILQ_REMOVE(&p->idle, peer, link);
		p->idle_count--;
	}
	*out = peer;
	return PEERS_IN;
}

enum peers_verdict peers_enter(struct peer **out, struct peers *p,
			       const struct sockaddr *addr, uint64_t now_ms)
{
	unsigned char group[16];
	enum peers_verdict verdict;

	*out = NULL;
	if (!peers_are_bounded(p) || !addr_group(group, addr))
		return PEERS_IN;
	uv_mutex_lock(&p->lock);
	verdict = enter(out, p, group, latest(p, now_ms));
	uv_mutex_unlock(&p->lock);
	return verdict;
}

static void leave(struct peers *p, struct peer *peer, uint64_t now_us)
{
	assert(peer->open > 0);
	if (--peer->open > 0)
		return;
	TAILQ_INSERT_TAIL(&p->idle, peer, link);
	p->idle_count++;
	if (peer->full_us <= now_us) {
		drop(p, peer);
	} else if (p->idle_count > p->conf.max_idle) {
		drop(p, TAILQ_FIRST(&p->idle));
		p->forgotten++;
	}
}

void peers_leave(struct peers *p, struct peer *peer, uint64_t now_ms)
{
	if (peer == NULL)
		return;
	uv_mutex_lock(&p->lock);
	leave(p, peer, latest(p, now_ms));
	uv_mutex_unlock(&p->lock);
}

size_t peers_count(struct peers *p)
{
	size_t count;

	uv_mutex_lock(&p->lock);
	count = HASH_COUNT(p->table);
	uv_mutex_unlock(&p->lock);
	return count;
}

uint64_t peers_forgotten(struct peers *p)
{
	uint64_t forgotten;

	uv_mutex_lock(&p->lock);
	forgotten = p->forgotten;
	uv_mutex_unlock(&p->lock);
	return forgotten;
}

void peers_set_limits(struct peers *p, unsigned sessions, unsigned rate)
{
	uv_mutex_lock(&p->lock);
	p->conf.sessions = sessions;
	p->conf.rate = rate;
	uv_mutex_unlock(&p->lock);
	atomic_store(&p->bounded, sessions > 0 || rate > 0);
}

bool peers_are_bounded(const struct peers *p)
{
	return atomic_load(&p->bounded);
}

int peers_create(struct peers **out, const struct peers_conf *conf)
{
	struct peers *p = calloc(1, sizeof(*p));
	int err;

	if (p == NULL)
		return UV_ENOMEM;
	p->conf = *conf;
	atomic_init(&p->bounded, conf->sessions > 0 || conf->rate > 0);
	TAILQ_INIT(&p->idle);
	err = siphash_key_random(&p->key);
	if (!err)
		err = uv_mutex_init(&p->lock);
	if (err) {
		free(p);
		return err;
	}
	*out = p;
	return 0;
}

void peers_destroy(struct peers *p)
{
	if (p == NULL)
		return;
	while (!TAILQ_EMPTY(&p->idle))
		drop(p, TAILQ_FIRST(&p->idle));
	assert(p->table == NULL);
	uv_mutex_destroy(&p->lock);
	free(p);
}
