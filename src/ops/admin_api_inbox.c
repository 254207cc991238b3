#include <stdlib.h>

#include "admin_priv.h"
#include "gateway/census.h"

#define ENTITIES     1000
#define ENTITIES_MAX 10000
#define ITEMS	     100
#define ITEMS_MAX    1000
#define OCTETS_MAX   (4u << 20)	/* of an answer's messages */

/*
 * The inbox is read item by item, each a question to its thread: a long answer
 * holds nobody up. Entities are known without asking, but not the age of what
 * they have.
 */
struct admin_listing {
	json_t *list;			/* owned */
	json_t *one;			/* borrowed: the entity that is asked
					 * about, of list */
	size_t at;			/* of it in list */
	size_t limit;
	size_t octets;			/* of messages so far */
	uint64_t after;			/* seq of the last one */
	bool more;
	struct buf entity;		/* owned; canonical */
};

void admin_listing_destroy(struct admin_listing *l)
{
	if (l == NULL)
		return;
	json_decref(l->list);
	buf_deinit(&l->entity);
	free(l);
}

/* NULL: answered. */
static struct admin_listing *begin(struct admin_conn *c, size_t limit)
{
	struct admin_listing *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->list = json_array();
	if (l == NULL || l->list == NULL) {
		free(l);
		admin_fail_err(c, UV_ENOMEM);
		return NULL;
	}
	l->limit = limit;
	c->listing = l;
	return l;
}

static void finish(struct admin_conn *c, int status, json_t *body)
{
	admin_listing_destroy(c->listing);
	c->listing = NULL;
	admin_respond_json(c, status, body);
}

static void give_up(struct admin_conn *c, int err)
{
	admin_listing_destroy(c->listing);
	c->listing = NULL;
	admin_fail_err(c, err);
}

static struct str text_of(const json_t *obj, const char *name)
{
	const json_t *value = json_object_get(obj, name);

	return (struct str){ json_string_value(value),
			     json_string_length(value) };
}

/* ---- all entities ---- */

static bool on_entity(void *arg, struct str entity, uint64_t items,
		      uint64_t octets)
{
	struct admin_listing *l = arg;
	json_t *obj;

	if (json_array_size(l->list) == l->limit) {
		l->more = true;
		return false;
	}
	obj = json_object();
	admin_set_str(obj, "entity", entity);
	admin_set_u64(obj, "items", items);
	admin_set_u64(obj, "octets", octets);
	json_array_append_new(l->list, obj);
	return true;
}

static void ask_oldest(struct admin_conn *c);

static void on_oldest(struct state_call *call, int err)
{
	struct admin_conn *c = container_of(call, struct admin_conn, call);

	if (err) {
		give_up(c, err);
		return;
	}
	if (call->item != NULL)
		admin_set_u64(c->listing->one, "oldest",
			      call->item->stored_ms / 1000);
	c->listing->at++;
	ask_oldest(c);
}

static void ask_oldest(struct admin_conn *c)
{
	struct admin_listing *l = c->listing;
	int err;

	l->one = json_array_get(l->list, l->at);
	if (l->one == NULL) {
		finish(c, 200, json_pack("{s:O,s:b}", "entities", l->list,
					 "more", l->more));
		return;
	}
	c->call.on_done = on_oldest;
	err = inbox_peek(c->admin->mailbox, &c->call,
			 text_of(l->one, "entity"), 0);
	if (err)
		give_up(c, err);
}

void admin_show_inboxes(struct admin_conn *c)
{
	struct admin_listing *l;
	size_t limit;

	if (!admin_query_count(&limit, c, "limit", ENTITIES, ENTITIES_MAX))
		return;
	l = begin(c, limit);
	if (l == NULL)
		return;
	inbox_each(gateway_state(c->admin->gw), on_entity, l);
	ask_oldest(c);
}

/* ---- one entity ---- */

/* args[0] in its one form; false: answered. */
static bool read_entity(struct buf *out, struct admin_conn *c)
{
	int err = gateway_canonical(out, c->admin->gw, c->args[0]);

	if (err == UV_EINVAL)
		admin_fail(c, 400, "no id of an AE or CSE");
	else if (err)
		admin_fail_err(c, err);
	return err == 0;
}

/* As it stands there; what was damaged is shown as a text. */
static json_t *message_of(struct str message)
{
	json_t *value = json_loadb(message.p, message.len,
				   JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK,
				   NULL);

	return value != NULL ? value : admin_json_str(message);
}

static json_t *item_json(const struct inbox_item *item)
{
	json_t *obj = json_object();

	admin_set_u64(obj, "seq", item->seq);
	admin_set_str(obj, "sur", item->sur);
	admin_set_u64(obj, "ec", item->ec);
	admin_set_u64(obj, "stored", item->stored_ms / 1000);
	admin_set_u64(obj, "expires", item->expires_ms / 1000);
	admin_set_u64(obj, "octets", item->message.len);
	json_object_set_new(obj, "message", message_of(item->message));
	return obj;
}

static bool is_full(const struct admin_listing *l)
{
	return json_array_size(l->list) == l->limit || l->octets > OCTETS_MAX;
}

static void ask_item(struct admin_conn *c);

static void on_item(struct state_call *call, int err)
{
	struct admin_conn *c = container_of(call, struct admin_conn, call);
	struct admin_listing *l = c->listing;

	if (err) {
		give_up(c, err);
		return;
	}
	l->more = call->item != NULL && is_full(l);
	if (call->item == NULL || l->more) {
		json_t *obj = json_object();

		admin_set_str(obj, "entity", buf_str(&l->entity));
		json_object_set(obj, "items", l->list);
		json_object_set_new(obj, "more", json_boolean(l->more));
		finish(c, 200, obj);
		return;
	}
	json_array_append_new(l->list, item_json(call->item));
	l->octets += call->item->message.len;
	l->after = call->item->seq;
	ask_item(c);
}

static void ask_item(struct admin_conn *c)
{
	struct admin_listing *l = c->listing;
	int err;

	c->call.on_done = on_item;
	err = inbox_peek(c->admin->mailbox, &c->call, buf_str(&l->entity),
			 l->after);
	if (err)
		give_up(c, err);
}

void admin_show_inbox(struct admin_conn *c)
{
	struct admin_listing *l = NULL;
	struct buf entity = { 0 };
	size_t limit, after;

	if (admin_query_count(&limit, c, "limit", ITEMS, ITEMS_MAX) &&
	    admin_query_count(&after, c, "after", 0, SIZE_MAX) &&
	    read_entity(&entity, c))
		l = begin(c, limit);
	if (l == NULL) {
		buf_deinit(&entity);
		return;
	}
	l->after = after;
	l->entity = entity;
	ask_item(c);
}

/* ---- changes ---- */

static void tell_dropped(struct admin_conn *c, uint64_t n)
{
	admin_respond_json(c, 200,
			   json_pack("{s:I}", "dropped", (json_int_t)n));
}

static void on_dropped(struct state_call *call, int err)
{
	struct admin_conn *c = container_of(call, struct admin_conn, call);

	if (err)
		admin_fail_err(c, err);
	else
		tell_dropped(c, call->count);
}

static void on_item_dropped(struct state_call *call, int err)
{
	struct admin_conn *c = container_of(call, struct admin_conn, call);

	if (err)
		admin_fail_err(c, err);
	else if (call->count == 0)
		admin_fail(c, 404, "no such item");
	else
		tell_dropped(c, call->count);
}

void admin_drop_inbox(struct admin_conn *c)
{
	struct buf entity = { 0 };
	int err;

	if (read_entity(&entity, c)) {
		c->call.on_done = on_dropped;
		err = inbox_drop(c->admin->mailbox, &c->call,
				 buf_str(&entity));
		if (err)
			admin_fail_err(c, err);
	}
	buf_deinit(&entity);
}

void admin_drop_item(struct admin_conn *c)
{
	struct buf entity = { 0 };
	uint64_t seq;
	int err;

	if (!str_to_u64(&seq, c->args[1])) {
		admin_fail(c, 404, "no such item");
		return;
	}
	if (read_entity(&entity, c)) {
		c->call.on_done = on_item_dropped;
		err = inbox_discard(c->admin->mailbox, &c->call,
				    buf_str(&entity), seq);
		if (err)
			admin_fail_err(c, err);
	}
	buf_deinit(&entity);
}

void admin_redeliver(struct admin_conn *c)
{
	struct buf entity = { 0 };
	uint64_t items;
	int err;

	if (!read_entity(&entity, c)) {
		buf_deinit(&entity);
		return;
	}
	items = inbox_count(gateway_state(c->admin->gw), buf_str(&entity));
	err = gateway_redeliver(c->admin->gw, buf_str(&entity));
	buf_deinit(&entity);
	if (err == UV_ENOTCONN)
		admin_fail(c, 409, "it is not connected");
	else if (err == UV_ENOENT)
		admin_fail(c, 404, "nobody of that id is known");
	else if (err)
		admin_fail_err(c, err);
	else
		admin_respond_json(c, 202, json_pack("{s:I}", "items",
						     (json_int_t)items));
}
