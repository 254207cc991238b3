#include "backend/mca_client.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "http/http_url.h"
#include "mca_pool.h"

/* A server that points of access name. */
struct authority {
	TAILQ_ENTRY(authority) link;
	char host[HTTP_URL_HOST_MAX + 1];
	struct buf header;		/* of Host */
	struct http_client_conf conf;
	struct mca_pool *pool;		/* owned */
};

TAILQ_HEAD(authorities, authority);

struct mca_client {
	struct reactor *r;		/* borrowed, as is conf */
	const struct mca_client_conf *conf;
	struct authorities list;	/* the one used last comes first */
	size_t count;
	struct buf query;		/* scratch */
};

static void authority_free(struct authority *a)
{
	mca_pool_destroy(a->pool);
	buf_deinit(&a->header);
	free(a);
}

static void drop(struct mca_client *c, struct authority *a)
{
	TAILQ_REMOVE(&c->list, a, link);
	c->count--;
	authority_free(a);
}

/* Used longest ago and idle now; false: all are busy. */
static bool drop_one(struct mca_client *c)
{
	struct authority *a;

	TAILQ_FOREACH_REVERSE(a, &c->list, authorities, link) {
		if (mca_pool_pending(a->pool) == 0) {
			drop(c, a);
			return true;
		}
	}
	return false;
}

static bool is_authority(const struct authority *a, const struct http_url *url)
{
	return a->conf.port == url->port &&
	       str_ieq(str_of(a->host), url->host);
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

static int add(struct authority **out, struct mca_client *c,
	       const struct http_url *url, const char **why)
{
	struct authority *a;
	int err;

	*why = "too many servers are waited for";
	if (c->count == c->conf->authorities && !drop_one(c))
		return ERR_LIMIT;
	*why = "out of memory";
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return UV_ENOMEM;
	fill_conf(a, c->conf, url);
	http_url_write_authority(&a->header, url);
	err = a->header.failed ? UV_ENOMEM :
				 mca_pool_create(&a->pool, c->r, &a->conf,
						 &c->conf->codec, NULL, NULL);
	if (err) {
		if (err == UV_EINVAL)
			*why = "has a host that can be no name";
		authority_free(a);
		return err;
	}
	TAILQ_INSERT_HEAD(&c->list, a, link);
	c->count++;
	*out = a;
	return 0;
}

/* A walk, but a short one: whoever is notified often stands in front. */
static int find(struct authority **out, struct mca_client *c,
		const struct http_url *url, const char **why)
{
	struct authority *a;

	TAILQ_FOREACH(a, &c->list, link) {
		if (!is_authority(a, url))
			continue;
		TAILQ_REMOVE(&c->list, a, link);
		TAILQ_INSERT_HEAD(&c->list, a, link);
		*out = a;
		return 0;
	}
	return add(out, c, url, why);
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
	map.host = buf_str(&a->header);
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

	if (c == NULL)
		return UV_ENOMEM;
	c->r = r;
	c->conf = conf;
	TAILQ_INIT(&c->list);
	*out = c;
	return 0;
}

void mca_client_destroy(struct mca_client *c)
{
	if (c == NULL)
		return;
	while (!TAILQ_EMPTY(&c->list))
		drop(c, TAILQ_FIRST(&c->list));
	buf_deinit(&c->query);
	free(c);
}
