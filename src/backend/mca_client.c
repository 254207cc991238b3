/*
 * Servers that do not answer must not keep others from being asked: where the
 * places are out, the one that was asked longest ago gives its up, so who
 * answers is never in the way of who does not. Its exchanges hear of that one
 * at a time, each on a turn of its own, as what they do next may be to ask
 * another server.
 */
#include "backend/mca_client.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/table.h"
#include "http/http_url.h"
#include "mca_pool.h"

#define IDLE_SOUGHT 64		/* servers looked at for one that is idle */

/* A server that points of access name. */
struct authority {
	struct mca_client *client;	/* borrowed */
	UT_hash_handle hh;		/* in its table, by key */
	TAILQ_ENTRY(authority) link;	/* in its list or displaced */
	char host[HTTP_URL_HOST_MAX + 1];
	struct buf key;			/* lower case; also of Host */
	struct http_client_conf conf;
	struct mca_pool *pool;		/* owned */
	struct timeout displaced;	/* while it is */
};

TAILQ_HEAD(authorities, authority);

struct mca_client {
	struct reactor *r;		/* borrowed, as is conf */
	const struct mca_client_conf *conf;
	struct siphash_key hash_key;
	struct authority *table;
	struct authorities list;	/* the one used last comes first */
	struct authorities displaced;
	size_t count;			/* of list */
	struct buf key, query;		/* scratch */
};

static void authority_free(struct authority *a)
{
	reactor_disarm(a->client->r, &a->displaced);
	mca_pool_destroy(a->pool);
	buf_deinit(&a->key);
	free(a);
}

static void leave(struct mca_client *c, struct authority *a)
{
	HASH_DELETE(hh, c->table, a);
	TAILQ_REMOVE(&c->list, a, link);
	c->count--;
}

static void on_displaced(struct timeout *t)
{
	struct authority *a = container_of(t, struct authority, displaced);
	struct mca_client *c = a->client;
	struct exchange *x = mca_pool_withdraw(a->pool);

	if (x == NULL) {
		TAILQ_REMOVE(&c->displaced, a, link);
		authority_free(a);
		return;
	}
	reactor_arm(c->r, t, 0);
	x->ops->on_fail(x, UV_ECANCELED, "others are waited for instead");
}

static void displace(struct mca_client *c, struct authority *a)
{
	leave(c, a);
	TAILQ_INSERT_TAIL(&c->displaced, a, link);
	a->displaced.on_timeout = on_displaced;
	reactor_arm(c->r, &a->displaced, 0);
}

/* Of those used longest ago one that is idle, or else the very last. */
static void make_room(struct mca_client *c)
{
	struct authority *a;
	size_t looked_at = 0;

	TAILQ_FOREACH_REVERSE(a, &c->list, authorities, link) {
		if (mca_pool_pending(a->pool) == 0) {
			leave(c, a);
			authority_free(a);
			return;
		}
		if (++looked_at == IDLE_SOUGHT)
			break;
	}
	displace(c, TAILQ_LAST(&c->list, authorities));
}

static void fill_conf(struct authority *a, const struct mca_client_conf *conf,
		      const struct http_url *url)
{
	memcpy(a->host, url->host.p, url->host.len);
	a->conf = (struct http_client_conf){
		.host = a->host,
		.port = url->port,
		.connections = conf->connections,
		.connect_timeout_ms = conf->connect_timeout_ms,
		.keepalive_ms = conf->keepalive_ms,
		.max_waiting = conf->max_waiting,
		.deny = conf->deny,
	};
	mca_pool_fill_conf(&a->conf, conf->max_answer);
}

static int put(struct mca_client *c, struct authority *a, unsigned hash)
{
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, c->table, a->key.p, a->key.len, hash,
				    a);
	if (table_added(&a->hh) != 0)
		return UV_ENOMEM;
	TAILQ_INSERT_HEAD(&c->list, a, link);
	c->count++;
	return 0;
}

static int add(struct authority **out, struct mca_client *c,
	       const struct http_url *url, unsigned hash, const char **why)
{
	struct authority *a = calloc(1, sizeof(*a));
	int err;

	if (a == NULL)
		return UV_ENOMEM;
	a->client = c;
	fill_conf(a, c->conf, url);
	buf_add_str(&a->key, buf_str(&c->key));
	err = a->key.failed ? UV_ENOMEM :
			      mca_pool_create(&a->pool, c->r, &a->conf,
					      &c->conf->codec);
	if (err == UV_EINVAL)
		*why = "has a host that can be no name";
	if (!err && c->count == c->conf->authorities)
		make_room(c);
	if (!err)
		err = put(c, a, hash);
	if (err) {
		authority_free(a);
		return err;
	}
	*out = a;
	return 0;
}

/* What is one server has one key. */
static bool write_key(struct buf *out, const struct http_url *url)
{
	buf_clear(out);
	http_url_write_authority(out, url);
	if (out->failed)
		return false;
	for (size_t i = 0; i < out->len; i++)
		if (out->p[i] >= 'A' && out->p[i] <= 'Z')
			out->p[i] = (char)(out->p[i] - 'A' + 'a');
	return true;
}

static int find(struct authority **out, struct mca_client *c,
		const struct http_url *url, const char **why)
{
	struct authority *a;
	unsigned hash;

	*why = "out of memory";
	if (!write_key(&c->key, url))
		return UV_ENOMEM;
	hash = table_hash_keyed(&c->hash_key, buf_str(&c->key));
	HASH_FIND_BYHASHVALUE(hh, c->table, c->key.p, c->key.len, hash, a);
	if (a == NULL)
		return add(out, c, url, hash, why);
	TAILQ_REMOVE(&c->list, a, link);
	TAILQ_INSERT_HEAD(&c->list, a, link);
	*out = a;
	return 0;
}

static bool is_hint(struct str item)
{
	struct str name, value;

	(void)str_cut(item, '=', &name, &value);
	return str_eq(name, STR("ct"));
}

/* False: no memory. */
static bool copy_query(struct buf *out, struct str query)
{
	struct str item;

	buf_clear(out);
	while (query.len > 0) {
		(void)str_cut(query, '&', &item, &query);
		if (is_hint(item))
			continue;
		if (out->len > 0)
			buf_add_char(out, '&');
		buf_add_str(out, item);
	}
	return !out->failed;
}

static int read_url(struct http_url *out, struct str text, const char **why)
{
	enum http_url_fault fault = http_url_parse(out, text);

	if (fault != HTTP_URL_FINE) {
		*why = http_url_why(fault);
		return UV_EINVAL;
	}
	*why = "https: is not available yet";
	return out->tls ? UV_EINVAL : 0;
}

/* Where `to` follows, its slash comes with it. */
static struct str base_of(const struct http_url *url, bool exact)
{
	struct str base = url->path;

	while (!exact && base.len > 0 && base.p[base.len - 1] == '/')
		base.len--;
	return base;
}

int mca_client_submit(struct mca_client *c, struct exchange *x,
		      struct str text, bool exact, const struct prim *p,
		      const char **why)
{
	struct http_map_conf map = { .exact = exact };
	struct authority *a;
	struct http_url url;
	int err = read_url(&url, text, why);

	if (!err)
		err = find(&a, c, &url, why);
	if (err)
		return err;
	*why = "out of memory";
	if (!copy_query(&c->query, url.query))
		return UV_ENOMEM;
	map.host = buf_str(&a->key);
	map.base = base_of(&url, exact);
	map.query = buf_str(&c->query);
	return mca_pool_submit(a->pool, x, p, &map,
			       p->op == OP_RETRIEVE || p->op == OP_NOTIFY,
			       why);
}

void mca_client_cancel(struct mca_client *c, struct exchange *x)
{
	(void)c;
	mca_pool_cancel(x);
}

int mca_client_create(struct mca_client **out, struct reactor *r,
		      const struct mca_client_conf *conf)
{
	struct mca_client *c = calloc(1, sizeof(*c));
	int err;

	if (c == NULL)
		return UV_ENOMEM;
	err = siphash_key_random(&c->hash_key);
	if (err) {
		free(c);
		return err;
	}
	c->r = r;
	c->conf = conf;
	TAILQ_INIT(&c->list);
	TAILQ_INIT(&c->displaced);
	*out = c;
	return 0;
}

void mca_client_destroy(struct mca_client *c)
{
	struct authority *a;

	if (c == NULL)
		return;
	while ((a = TAILQ_FIRST(&c->list)) != NULL) {
		leave(c, a);
		authority_free(a);
	}
	while ((a = TAILQ_FIRST(&c->displaced)) != NULL) {
		TAILQ_REMOVE(&c->displaced, a, link);
		authority_free(a);
	}
	buf_deinit(&c->key);
	buf_deinit(&c->query);
	free(c);
}
