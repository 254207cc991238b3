/*
 * A look at the sessions is made on their workers' threads, one after the
 * other, while the main thread waits for it to come home: what is found out
 * there is nobody else's until then. The connection, though, may end meanwhile:
 * it is only looked at at home.
 */
#include <stdlib.h>

#include "admin_priv.h"
#include "gateway/census.h"

#define LIMIT	    1000
#define LIMIT_MAX   10000
#define LIST_IDS    16		/* of each session in a list */

struct look {
	struct admin_conn *c;
	json_t *list;			/* owned */
	size_t limit;
	unsigned ids;			/* of each session */
	bool more;
};

static void on_id(void *arg, struct str id)
{
	json_array_append_new(arg, admin_json_str(id));
}

static json_t *session_json(const struct session_view *v, unsigned ids)
{
	json_t *obj = json_object(), *originators = json_array();

	session_view_entities(v, ids, on_id, originators);
	admin_set_u64(obj, "sid", v->sid);
	admin_set_str(obj, "peer", v->peer);
	admin_set_str(obj, "listener", str_of(v->listener));
	admin_set_u64(obj, "worker", v->worker);
	admin_set_str(obj, "credential", v->credential);
	admin_set_str(obj, "certificate", v->certificate);
	json_object_set_new(obj, "originators", originators);
	admin_set_u64(obj, "entities", v->entities);
	admin_set_str(obj, "subprotocol", v->subprotocol);
	admin_set_u64(obj, "opened", v->opened_ms / 1000);
	admin_set_u64(obj, "messages_in", v->messages_in);
	admin_set_u64(obj, "messages_out", v->messages_out);
	admin_set_u64(obj, "in_flight", v->in_flight);
	admin_set_u64(obj, "waiting_octets", v->waiting_octets);
	admin_set_u64(obj, "asked", v->asked);
	return obj;
}

static bool on_session(void *owner, const struct session_view *v)
{
	struct look *look = owner;

	if (json_array_size(look->list) == look->limit) {
		look->more = true;
		return false;
	}
	json_array_append_new(look->list, session_json(v, look->ids));
	return true;
}

static void on_list(void *owner)
{
	struct look *look = owner;
	struct admin_conn *c = look->c;

	if (admin_is_back(c))
		admin_respond_json(c, 200,
				   json_pack("{s:O,s:b}", "sessions",
					     look->list, "more", look->more));
	json_decref(look->list);
	free(look);
}

static void on_one(void *owner)
{
	struct look *look = owner;
	struct admin_conn *c = look->c;
	json_t *one = json_array_get(look->list, 0);

	if (admin_is_back(c)) {
		if (one != NULL)
			admin_respond_json(c, 200, json_incref(one));
		else
			admin_fail(c, 404, "no such session");
	}
	json_decref(look->list);
	free(look);
}

static void start(struct admin_conn *c, const struct census_filter *filter,
		  size_t limit, unsigned ids, void (*on_done)(void *owner))
{
	struct look *look = calloc(1, sizeof(*look));
	int err = UV_ENOMEM;

	if (look != NULL) {
		look->c = c;
		look->limit = limit;
		look->ids = ids;
		look->list = json_array();
	}
	if (look != NULL && look->list != NULL)
		err = gateway_census(c->admin->gw, filter, on_session, on_done,
				     look);
	if (!err) {
		c->waits = true;
		return;
	}
	if (look != NULL)
		json_decref(look->list);
	free(look);
	if (err == UV_EINVAL)
		admin_fail(c, 400, "originator is no id of an AE or CSE");
	else
		admin_fail_err(c, err);
}

void admin_show_sessions(struct admin_conn *c)
{
	struct census_filter filter = { 0 };
	struct buf originator = { 0 }, peer = { 0 };
	size_t limit;

	if (!admin_query_count(&limit, c, "limit", LIMIT, LIMIT_MAX))
		return;
	(void)admin_query(&filter.originator, &originator, c, "originator");
	(void)admin_query(&filter.peer, &peer, c, "peer");
	start(c, &filter, limit, LIST_IDS, on_list);
	buf_deinit(&originator);
	buf_deinit(&peer);
}

/* False: answered. */
static bool read_sid(uint64_t *out, struct admin_conn *c)
{
	if (str_to_u64(out, c->args[0]) && *out > 0)
		return true;
	admin_fail(c, 404, "no such session");
	return false;
}

void admin_show_session(struct admin_conn *c)
{
	struct census_filter filter = { 0 };

	if (read_sid(&filter.sid, c))
		start(c, &filter, 1, UINT32_MAX, on_one);
}

static void on_kicked(void *owner, bool found)
{
	struct admin_conn *c = owner;
	uint64_t sid;

	if (!admin_is_back(c))
		return;
	if (found && str_to_u64(&sid, c->args[0]))
		admin_respond_json(c, 200,
				   json_pack("{s:I}", "sid", (json_int_t)sid));
	else
		admin_fail(c, 404, "no such session");
}

void admin_kick(struct admin_conn *c)
{
	uint64_t sid;
	int err;

	if (!read_sid(&sid, c))
		return;
	err = gateway_kick(c->admin->gw, sid, on_kicked, c);
	if (err)
		admin_fail_err(c, err);
	else
		c->waits = true;
}
