#include "store/store_route.h"

#include <stdlib.h>
#include <uv.h>

#include "store/store_events.h"
#include "store/store_op.h"

/*
 * Routes are asked for with every notification, and change rarely: they are
 * kept per connection, in a direct-mapped table that forgets all when the
 * generation of the entities moves. A key is a URL, an id of this CSE, or the
 * CSE-ID of another one; a slot is also where a route that is not worth
 * keeping has its text.
 */

#define SLOTS 64
#define KEPT  4096	/* octets of text; longer routes are not kept */

struct route_slot {
	struct buf text;	/* owned: key, urls, to, one after the other */
	size_t key, urls;	/* octets of them */
	enum route_kind kind;
	bool exact;
	bool kept;
	int64_t channel;
};

struct routes {
	uint64_t generation;
	struct route_slot slots[SLOTS];
};

void routes_destroy(struct routes *routes)
{
	if (routes == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		buf_deinit(&routes->slots[i].text);
	free(routes);
}

static struct routes *routes_of(struct store_conn *c)
{
	uint64_t now = access_now(c);

	if (c->routes == NULL)
		c->routes = calloc(1, sizeof(*c->routes));
	if (c->routes == NULL || c->routes->generation == now)
		return c->routes;
	for (size_t i = 0; i < SLOTS; i++)
		c->routes->slots[i].kept = false;
	c->routes->generation = now;
	return c->routes;
}

static struct route_slot *slot_of(struct routes *routes, struct str key)
{
	uint64_t hash = UINT64_C(14695981039346656037);	/* FNV-1a */

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.p[i]) *
		       UINT64_C(1099511628211);
	return &routes->slots[(hash ^ hash >> 32) % SLOTS];
}

/* ---- what a target is ---- */

/* Ids begin with a slash at most; what names a protocol is a URL. */
bool route_is_url(struct str target)
{
	size_t i = 0;

	while (i < target.len && target.p[i] != ':' && target.p[i] != '/')
		i++;
	return i > 0 && str_starts(str_skip(target, i), STR("://"));
}

/* `//sp/cse/x` to `/cse/x`: whatever SP-ID is given, it is ours. */
static struct str without_provider(struct str id)
{
	struct str sp, rest;

	if (!str_starts(id, STR("//")) ||
	    !str_cut(str_skip(id, 2), '/', &sp, &rest))
		return id;
	return str_skip(id, 2 + sp.len);
}

/* `/cse` of `/cse/x` */
static struct str cse_of(struct str id)
{
	struct str first, rest;

	str_cut(str_skip(id, 1), '/', &first, &rest);
	return (struct str){ id.p, 1 + first.len };
}

bool route_is_foreign(const struct store_conn *c, struct str id)
{
	id = without_provider(id);
	return id.len > 1 && id.p[0] == '/' &&
	       !str_eq(cse_of(id), str_of(c->store->conf->cse_id));
}

/* The serialisation hint is no part of the id (TS-0004 7.5.1.2.2). */
static struct str id_without_hint(struct str target)
{
	struct str id, hint;

	return str_cut(target, '?', &id, &hint) ? id : target;
}

static bool is_hint(struct str item)
{
	return str_eq(item, STR("ct=json")) || str_eq(item, STR("ct=xml")) ||
	       str_eq(item, STR("ct=cbor"));
}

/* As the last item of the query, where notifiers look for it. */
static struct str url_without_hint(struct str url)
{
	size_t at = url.len;

	while (at > 0 && url.p[at - 1] != '?' && url.p[at - 1] != '&' &&
	       url.p[at - 1] != '/')
		at--;
	if (at == 0 || url.p[at - 1] == '/' || !is_hint(str_skip(url, at)))
		return url;
	return (struct str){ url.p, at - 1 };
}

/* ---- the text of a route ---- */

static bool is_served(struct str url)
{
	if (!str_istarts(url, STR("http://")) &&
	    !str_istarts(url, STR("https://")))
		return false;
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.p[i] <= ' ')
			return false;
	return true;
}

static void add_url(struct route_slot *s, struct str url)
{
	if (!is_served(url))
		return;
	buf_add_str(&s->text, url);
	buf_add_char(&s->text, '\n');
	s->urls += url.len + 1;
}

static struct str attribute(const struct resource *r, const char *name)
{
	json_t *value = json_object_get(r->attrs, name);

	return (struct str){ json_string_value(value),
			     json_string_length(value) };
}

static void add_poa(struct route_slot *s, const struct resource *r)
{
	size_t i;
	json_t *item;

	if (!json_is_true(json_object_get(r->attrs, "rr")))
		return;
	json_array_foreach(json_object_get(r->attrs, "poa"), i, item)
		add_url(s, (struct str){ json_string_value(item),
					 json_string_length(item) });
}

/* A pollingChannel is the only way where there is one. */
static int fill_entity(struct route_slot *s, struct store_conn *c,
		       const struct resource *r)
{
	int rc = tree_first(&s->channel, c, r->id, TYPE_PCH);

	if (rc != 0)
		return rc;
	s->kind = r->ty == TYPE_AE ? ROUTE_AE : ROUTE_CSE;
	if (s->channel == 0)
		add_poa(s, r);
	buf_add_str(&s->text, r->ty == TYPE_AE ? str_of(r->ri) :
						 attribute(r, "csi"));
	return 0;
}

/* ---- another CSE ---- */

struct find_csr {
	struct str csi;
	int64_t id;
};

static int on_csr(void *arg, const struct resource *r)
{
	struct find_csr *f = arg;
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(r->attrs, "dcse"), i, item) {
		struct str id = { json_string_value(item),
				  json_string_length(item) };

		if (f->id == 0 && str_eq(without_provider(id), f->csi))
			f->id = r->id;
	}
	return 0;
}

/* The <remoteCSE> of that CSE, or of the one behind which it is. */
static int load_csr(struct resource *out, struct store_conn *c,
		    struct str csi)
{
	struct find_csr f = { .csi = csi };
	char *ri = strndup(csi.p + 1, csi.len - 1);
	int rc = ri != NULL ? tree_load_ri(out, c, ri) : UV_ENOMEM;

	free(ri);
	if (rc < 0 || (rc == 0 && out->ty == TYPE_CSR))
		return rc;
	resource_deinit(out);
	rc = tree_children(c, 1, TYPE_CSR, on_csr, &f);
	return rc != 0 ? rc : tree_load(out, c, f.id);
}

static int fill_foreign(struct route_slot *s, struct store_conn *c,
			struct str csi)
{
	struct resource r = { 0 };
	int rc = load_csr(&r, c, csi);

	if (rc == 0)
		rc = fill_entity(s, c, &r);
	resource_deinit(&r);
	return rc == RSC_NOT_FOUND ? 0 : rc;
}

/* ---- this CSE ---- */

/* pcu is its owner's. */
static int fill_channel(struct route_slot *s, struct store_conn *c,
			const struct resource *channel)
{
	struct resource owner = { 0 };
	int rc = tree_load(&owner, c, channel->parent);

	if (rc == 0)
		rc = fill_entity(s, c, &owner);
	s->channel = channel->id;
	resource_deinit(&owner);
	return rc;
}

static int fill_target(struct route_slot *s, struct store_conn *c,
		       const struct store_target *t)
{
	if (t->virt == VIRT_POLLING)
		return fill_channel(s, c, &t->r);
	if (t->virt != VIRT_NONE)
		return 0;
	if (t->r.ty == TYPE_CB)
		s->kind = ROUTE_SELF;
	if (t->r.ty == TYPE_AE || t->r.ty == TYPE_CSR)
		return fill_entity(s, c, &t->r);
	return 0;
}

static int fill_local(struct route_slot *s, struct store_conn *c,
		      struct str id)
{
	struct store_target t = { 0 };
	int rc;

	if (str_eq(id, str_of(c->store->conf->cse_id))) {
		s->kind = ROUTE_SELF;
		return 0;
	}
	rc = store_resolve(&t, c, id);
	if (rc == 0)
		rc = fill_target(s, c, &t);
	store_target_deinit(&t);
	return rc > 0 ? 0 : rc;
}

/* ---- the table ---- */

static int fill(struct route_slot *s, struct store_conn *c, struct str key)
{
	struct buf text = s->text;
	int rc = 0;

	buf_clear(&text);
	*s = (struct route_slot){ .text = text, .key = key.len };
	buf_add_str(&s->text, key);
	if (route_is_url(key)) {
		s->kind = ROUTE_URL;
		s->exact = true;
		add_url(s, url_without_hint(key));
	} else if (route_is_foreign(c, key)) {
		rc = fill_foreign(s, c, key);
	} else {
		rc = fill_local(s, c, key);
	}
	if (rc == 0 && s->text.failed)
		rc = UV_ENOMEM;
	s->kept = rc == 0 && s->text.len <= KEPT;
	return rc;
}

static bool slot_answers(const struct route_slot *s, struct str key)
{
	return s->kept && str_eq((struct str){ s->text.p, s->key }, key);
}

static void show(struct route *out, const struct route_slot *s)
{
	struct str rest = str_skip(buf_str(&s->text), s->key);

	*out = (struct route){
		.kind = s->kind,
		.at = {
			.urls = { rest.p, s->urls },
			.exact = s->exact,
			.to = str_skip(rest, s->urls),
			.channel = s->channel,
		},
	};
}

static int find(struct route *out, struct store_conn *c, struct str key)
{
	struct routes *routes = routes_of(c);
	struct route_slot *s;
	int rc = 0;

	if (routes == NULL)
		return UV_ENOMEM;
	s = slot_of(routes, key);
	if (!slot_answers(s, key))
		rc = fill(s, c, key);
	if (rc == 0)
		show(out, s);
	return rc;
}

int route_find(struct route *out, struct store_conn *c, struct str target)
{
	struct str id;
	int rc;

	if (route_is_url(target))
		return find(out, c, target);
	id = without_provider(id_without_hint(target));
	if (!route_is_foreign(c, id))
		return find(out, c, id);
	/* the other CSE knows which of its resources that is */
	rc = find(out, c, cse_of(id));
	if (rc == 0)
		out->at.to = id;
	return rc;
}

bool route_is_of(const struct store_conn *c, const struct route *route,
		 struct str originator)
{
	return originator.len > 0 &&
	       (str_eq(route->at.to, originator) ||
		str_eq(route->at.to, store_stem(c, originator)));
}

int route_send(struct store_events *out, struct store_conn *c,
	       const struct store_event *event)
{
	struct store_event copy = *event;
	struct route route;
	int rc = route_find(&route, c, event->target);

	if (rc != 0 || route.kind == ROUTE_SELF)
		return rc;
	copy.route = route.at;
	return events_add(out, &copy);
}
