#include "store/store_notify.h"

#include <limits.h>
#include <stdlib.h>
#include <uv.h>

#include "store/store_json.h"
#include "store/store_route.h"
#include "store/store_rules.h"

#define NCT_MODIFIED 2
#define NCT_ID 3
#define EC_LATEST 4

/* ---- lists of resources; a walk of the tree must not change it ---- */

struct list {
	struct resource *r;	/* owned */
	size_t count, cap;
};

static void list_deinit(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		resource_deinit(&l->r[i]);
	free(l->r);
}

static bool list_reserve(struct list *l)
{
	size_t cap = l->cap > 0 ? 2 * l->cap : 4;
	struct resource *r;

	if (l->count < l->cap)
		return true;
	r = realloc(l->r, cap * sizeof(*r));
	if (r == NULL)
		return false;
	l->r = r;
	l->cap = cap;
	return true;
}

/* attrs are shared: whoever changes them takes a copy. */
static int list_add(void *arg, const struct resource *r)
{
	struct list *l = arg;
	struct resource *copy;

	if (!list_reserve(l))
		return UV_ENOMEM;
	copy = &l->r[l->count++];
	*copy = *r;
	copy->ri = strdup(r->ri);
	copy->rn = strdup(r->rn);
	copy->attrs = json_incref(r->attrs);
	return copy->ri != NULL && copy->rn != NULL ? 0 : UV_ENOMEM;
}

/* ---- m2m:sgn (TS-0004 6.3.5.13) ---- */

static bool put(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0;
}

/* What has not been done yet has no time and no state. */
static json_t *modified_content(const struct resource *sub,
				const struct occasion *o)
{
	json_t *rep = json_object(), *changed = rules_modified(o->changed);

	if (subscription_is_blocking(sub->attrs)) {
		json_object_del(changed, "lt");
		json_object_del(changed, "st");
	}
	if (put(rep, rules_member(o->subject), changed))
		return rep;
	json_decref(rep);
	return NULL;
}

static int make_rep(json_t **out, const struct resource *sub,
		    const struct occasion *o)
{
	const struct resource *about = occasion_about(o);
	int64_t nct = value_int(sub->attrs, "nct", 1);

	if (nct == NCT_ID)
		*out = json_pack("{s:s}", "m2m:uri", about->ri);
	else if (nct == NCT_MODIFIED && o->changed != NULL)
		*out = modified_content(sub, o);
	else
		return rules_represent(out, o->c, about);
	return *out != NULL ? 0 : UV_ENOMEM;
}

static enum op change_op(enum store_change change)
{
	return change == CHANGE_CREATE_CHILD ? OP_CREATE :
	       change == CHANGE_UPDATE	     ? OP_UPDATE :
					       OP_DELETE;
}

/* What let the occasion through: an event type or a monitored operation. */
static bool put_event(json_t *nev, const struct resource *sub,
		      const struct occasion *o)
{
	int net = subscription_is_blocking(sub->attrs) ? NET_BLOCKING :
							 (int)o->change;

	if (json_object_get(json_object_get(sub->attrs, "enc"), "om") == NULL)
		return put(nev, "net", json_integer(net));
	return put(nev, "om",
		   json_pack("{s:i, s:s%}", "op", change_op(o->change), "or",
			     o->originator.p != NULL ? o->originator.p : "",
			     o->originator.len));
}

static int make_nev(json_t **out, const struct resource *sub,
		    const struct occasion *o)
{
	json_t *rep;
	int rc = make_rep(&rep, sub, o);

	if (rc != 0)
		return rc;
	*out = json_object();
	if (put(*out, "rep", rep) && put_event(*out, sub, o))
		return 0;
	json_decref(*out);
	return UV_ENOMEM;
}

/* SP-relative; cr only where the subscription shows it. */
static bool put_source(json_t *sgn, const struct store_conn *c,
		       const struct resource *sub)
{
	json_t *cr = json_object_get(sub->attrs, "cr");

	return put(sgn, "sur",
		   json_pack("s++", c->store->conf->cse_id, "/", sub->ri)) &&
	       (cr == NULL || json_object_set(sgn, "cr", cr) == 0);
}

static int event_category(const struct resource *sub)
{
	if (json_is_true(json_object_get(sub->attrs, "ln")))
		return EC_LATEST;
	return (int)value_int(sub->attrs, "nec", 0);
}

/* ---- sending: sgn is taken over ---- */

/* To each of targets (a string or a list), one event. */
static int send_text(struct store_events *out, struct store_conn *c,
		     struct store_event *event, const json_t *targets)
{
	size_t i;
	json_t *item;
	int rc = 0;

	json_array_foreach(targets, i, item) {
		event->target = (struct str){ json_string_value(item),
					      json_string_length(item) };
		rc = route_send(out, c, event);
		if (rc != 0)
			break;
	}
	return rc;
}

static int send_sgn(struct store_events *out, struct store_conn *c,
		    const struct resource *sub, json_t *sgn,
		    struct store_event event, const json_t *targets)
{
	struct buf text = { 0 };
	int rc = UV_ENOMEM;

	if (put_source(sgn, c, sub)) {
		buf_add_lit(&text, "{\"m2m:sgn\":");
		store_json_add(&text, sgn);
		buf_add_char(&text, '}');
	}
	if (text.len > 0 && !text.failed) {
		event.originator = str_of(c->store->conf->cse_id);
		event.content = buf_str(&text);
		event.subscription = sub->id;
		rc = send_text(out, c, &event, targets);
	}
	buf_deinit(&text);
	json_decref(sgn);
	return rc;
}

/* bn: collected into one m2m:agn by who sends. Its two limits stand beside
 * each other; of one that is not given there is no end. */
static void put_batch(struct store_event *event, const struct resource *sub)
{
	const json_t *bn = json_object_get(sub->attrs, "bn");
	const json_t *dur = json_object_get(bn, "dur");
	int64_t num = value_int(bn, "num", UINT_MAX);

	if (bn == NULL || event->ask != STORE_TELL)
		return;
	event->batch_num = num > UINT_MAX ? UINT_MAX : (unsigned)num;
	if (!prim_read_duration(&event->batch_ms,
				(struct str){ json_string_value(dur),
					      json_string_length(dur) }))
		event->batch_ms = 0;
}

static int send_event(struct store_events *out, const struct resource *sub,
		      const struct occasion *o, enum store_ask ask)
{
	struct store_event event = { .ec = event_category(sub), .ask = ask };
	json_t *sgn = json_object(), *nev;
	int rc = make_nev(&nev, sub, o);

	if (rc == 0 && !put(sgn, "nev", nev))
		rc = UV_ENOMEM;
	put_batch(&event, sub);
	if (rc == 0)
		return send_sgn(out, o->c, sub, sgn, event,
				json_object_get(sub->attrs, "nu"));
	json_decref(sgn);
	return rc;
}

/* su learns that the subscription is gone (TS-0004 7.4.8.2.4). */
static int send_end(struct store_events *out, struct store_conn *c,
		    const struct resource *sub)
{
	struct store_event event = { 0 };
	json_t *su = json_object_get(sub->attrs, "su");
	json_t *targets;
	int rc;

	if (su == NULL)
		return 0;
	targets = json_pack("[O]", su);
	rc = send_sgn(out, c, sub, json_pack("{s:b}", "sud", 1), event,
		      targets);
	json_decref(targets);
	return rc;
}

/* ---- who hears of it ---- */

/* exc counts down; at 0 the subscription has done its work. */
static int count_down(struct store_events *out, struct store_conn *c,
		      struct resource *sub)
{
	int64_t left = value_int(sub->attrs, "exc", 0) - 1;
	json_t *attrs;
	int rc;

	if (left < 0)
		return 0;
	if (left == 0) {
		rc = send_end(out, c, sub);
		return rc != 0 ? rc : tree_delete(c, sub);
	}
	attrs = json_copy(sub->attrs);
	if (!put(attrs, "exc", json_integer(left))) {
		json_decref(attrs);
		return UV_ENOMEM;
	}
	json_decref(sub->attrs);
	sub->attrs = attrs;
	return tree_update(sub, c);
}

/* net 7 holds the UPDATE of a third party, not that of its own target. */
static int is_held(bool *out, const struct resource *sub,
		   const struct occasion *o)
{
	const json_t *nu = json_array_get(json_object_get(sub->attrs, "nu"),
					  0);
	struct route route;
	int rc = route_find(&route, o->c,
			    (struct str){ json_string_value(nu),
					  json_string_length(nu) });

	*out = rc == 0 && !route_is_of(o->c, &route, o->originator);
	return rc;
}

static int send_or_ask(struct store_events *out, const struct resource *sub,
		       const struct occasion *o)
{
	if (!subscription_is_blocking(sub->attrs))
		return send_event(out, sub, o, STORE_TELL);
	return notify_asks(o->c) ?
		       send_event(out, sub, o, STORE_ASK_UPDATE) : 0;
}

static int notify_sub(struct store_events *out, struct resource *sub,
		      const struct occasion *o)
{
	bool fits, own = o->child != NULL && o->child->id == sub->id;
	int rc = 0;

	/* its own coming and going is no event to it */
	if (own)
		return 0;
	fits = criteria_match(json_object_get(sub->attrs, "enc"), o);
	if (fits && subscription_is_blocking(sub->attrs))
		rc = is_held(&fits, sub, o);
	if (rc == 0 && fits)
		rc = send_or_ask(out, sub, o);
	if (rc != 0)
		return rc;
	/* gone with its subject */
	if (o->change == CHANGE_DELETE)
		return send_end(out, o->c, sub);
	return fits ? count_down(out, o->c, sub) : 0;
}

static int notify_subs(struct store_events *out, const struct occasion *o)
{
	struct list subs = { 0 };
	int rc = tree_children(o->c, o->subject->id, 23, list_add, &subs);

	for (size_t i = 0; rc == 0 && i < subs.count; i++)
		rc = notify_sub(out, &subs.r[i], o);
	list_deinit(&subs);
	return rc;
}

/* Children that may have subscriptions or children of their own. */
static int list_inner(struct list *l, struct store_conn *c, int64_t parent)
{
	static const int types[] = { 1, 2, 3, 9, 15, 16, 28 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(types); i++)
		rc = tree_children(c, parent, types[i], list_add, l);
	return rc;
}

/* All below goes too, breadth first; instances hear nothing. */
static int notify_subtree(struct store_events *out, const struct occasion *o)
{
	struct list all = { 0 };
	int rc = list_add(&all, o->subject);

	for (size_t i = 0; rc == 0 && i < all.count; i++) {
		struct occasion own = *o;

		own.subject = &all.r[i];
		rc = notify_subs(out, &own);
		if (rc == 0)
			rc = list_inner(&all, o->c, all.r[i].id);
	}
	list_deinit(&all);
	return rc;
}

int notify_change(struct store_events *out, struct store_conn *c,
		  const struct resource *subject, const struct resource *child,
		  enum store_change change, const json_t *changed,
		  const struct prim *request)
{
	struct occasion o = {
		.c = c,
		.subject = subject,
		.child = child,
		.change = change,
		.changed = changed,
	};

	if (request != NULL)
		o.originator = prim_text(request, PARAM_FR);
	if (subject->ty == 4)
		return 0;
	if (subject->ty == 23)
		return change == CHANGE_DELETE ? send_end(out, c, subject) : 0;
	return change == CHANGE_DELETE ? notify_subtree(out, &o) :
					 notify_subs(out, &o);
}
