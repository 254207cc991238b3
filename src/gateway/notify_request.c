#include "notify_priv.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "m2m/transcode.h"
#include "registrar.h"

#define PATH_MARK "/r/"

/* ---- answers ---- */

/* Instead of an answer that the serialisation of the CSE cannot carry. */
static int write_instead(struct notify_conn *c, const struct prim *answer,
			 const char *why)
{
	struct prim instead = { 0 };
	int err;

	prim_refuse(&instead, prim_text(answer, PARAM_RQI),
		    prim_text(answer, PARAM_RVI), RSC_INTERNAL_SERVER_ERROR,
		    why);
	err = http_map_write_response(&c->n->out, &why, &instead, &c->reply);
	prim_deinit(&instead);
	return err;
}

static void respond(struct notify_conn *c, const struct prim *answer)
{
	struct notify *n = c->n;
	const char *why;
	int err;

	c->call = NULL;
	buf_clear(&n->out);
	err = http_map_write_response(&n->out, &why, answer, &c->reply);
	if (err) {
		n->counters.unconvertible++;
		err = write_instead(c, answer, why);
	}
	if (err == 0)
		err = http_server_respond(c->http, buf_str(&n->out),
					  c->reply.close);
	if (err)
		notify_conn_destroy(c);
}

static struct str call_rqi(const struct notify_call *call)
{
	return (struct str){ call->text.p, call->rqi_len };
}

static struct str call_rvi(const struct notify_call *call)
{
	return (struct str){ call->text.p + call->rqi_len, call->rvi_len };
}

static void log_access(const struct notify_call *call, int rsc)
{
	const struct delivery *d = &call->reach.d;

	if (!log_access_enabled())
		return;
	log_info("delivery", LOG_STR("rqi", call_rqi(call)),
		 LOG_UINT("sid", d->at.sid), LOG_STR("entity", d->entity->id),
		 LOG_STR("originator", prim_text(&d->request, PARAM_FR)),
		 LOG_TEXT("op", op_name(d->request.op)), LOG_INT("rsc", rsc),
		 LOG_UINT("dur_us", (uv_hrtime() - call->started) / 1000),
		 LOG_UINT("bytes_in", call->octets_in));
}

static void call_free(struct notify_call *call)
{
	LIST_REMOVE(call, link);
	delivery_deinit(&call->reach.d);
	buf_deinit(&call->text);
	free(call);
}

/* The entity's answer as the CSE gets it: under its own id. */
static void fill_answer(struct notify_call *call, struct prim *answer)
{
	struct str rqi = call_rqi(call), rvi = call_rvi(call);

	*answer = call->reach.d.answer;
	answer->store = (struct buf){ 0 };
	answer->present &= ~(UINT64_C(1) << PARAM_RQI);
	if (rqi.len > 0)
		prim_set_str(answer, PARAM_RQI, rqi);
	if (!prim_has(answer, PARAM_RVI) && rvi.len > 0)
		prim_set_str(answer, PARAM_RVI, rvi);
}

static void make_answer(struct notify_call *call, struct prim *answer)
{
	const struct delivery *d = &call->reach.d;
	const char *why = NULL;
	int rsc = call->reach.was_stored ? RSC_OK : delivery_rsc(d, &why);

	if (!call->reach.was_stored && d->end == DELIVERY_ANSWERED)
		fill_answer(call, answer);
	else
		prim_refuse(answer, call_rqi(call), call_rvi(call), rsc, why);
}

static void on_end(struct reach_call *reach)
{
	struct notify_call *call =
		container_of(reach, struct notify_call, reach);
	struct notify_conn *conn = call->conn;
	struct worker *w = call->n->w;
	struct prim answer = { 0 };

	make_answer(call, &answer);
	log_access(call, answer.rsc);
	if (conn != NULL)
		respond(conn, &answer);
	prim_deinit(&answer);
	call_free(call);
	worker_check_drained(w);
}

static void refuse(struct notify_conn *c, int rsc, const char *why)
{
	struct notify *n = c->n;

	n->counters.refused++;
	prim_refuse(&n->answer, prim_text(&n->request, PARAM_RQI),
		    prim_text(&n->request, PARAM_RVI), rsc, why);
	log_info("delivery_refused", LOG_INT("rsc", rsc), LOG_TEXT("why", why));
	respond(c, &n->answer);
}

/* ---- who is meant ---- */

/* "/r/TOKEN/..." -> "/r/TOKEN" and TOKEN. */
static bool cut_token(struct str *base, struct str *token, struct str target)
{
	struct str mark = STR(PATH_MARK);
	size_t n = mark.len;

	if (!str_starts(target, mark))
		return false;
	while (n < target.len && target.p[n] != '/' && target.p[n] != '?')
		n++;
	*base = (struct str){ target.p, n };
	*token = str_skip(*base, mark.len);
	return true;
}

static bool is_allowed(const struct notify_conn *c)
{
	struct sockaddr_storage peer;

	return stream_peer_address(c->stream, &peer) == 0 &&
	       addr_nets_have(&notify_conf_of(c->n)->allow,
			      (const struct sockaddr *)&peer);
}

/* By the id that the path names. */
static struct entity *find_by_id(struct notify *n, struct str to)
{
	buf_clear(&n->id);
	if (!entity_id_canonicalise(&n->id, &n->w->conf->home, to) ||
	    n->id.failed)
		return NULL;
	return directory_find_route(n->w->shared->directory, buf_str(&n->id));
}

/* A reference, or NULL with the refusal made. */
static struct entity *find_entity(struct notify_conn *c, struct str token)
{
	struct notify *n = c->n;
	struct entity *e;

	if (token.len == 0 && !is_allowed(c)) {
		n->counters.forbidden++;
		refuse(c, RSC_ORIGINATOR_HAS_NO_PRIVILEGE,
		       "only by the point of access from this address");
		return NULL;
	}
	e = token.len > 0 ?
		    directory_find_token(n->w->shared->directory, token) :
		    find_by_id(n, prim_text(&n->request, PARAM_TO));
	if (e == NULL)
		refuse(c, RSC_NOT_FOUND, "no entity is reached here");
	return e;
}

/* ---- the request as the entity gets it ---- */

/* An AE is named by its stem, a CSE by its id (TS-0001 7.2). */
static struct str default_to(const struct notify *n, const struct entity *e)
{
	struct entity_id id;

	if (entity_is_cse(e) ||
	    !entity_id_read(&id, &n->w->conf->home, e->id))
		return e->id;
	return entity_id_stem(&id);
}

/* What is relative to now would be late by the time it takes to travel. */
static void make_absolute(struct notify *n, struct prim *p, enum prim_param id)
{
	static const size_t len = PRIM_TIME_TEXT - 1;
	uint64_t now = clock_wall_ms(), left, at;
	char text[PRIM_TIME_TEXT];
	struct str from = prim_text(p, id);

	if (!prim_has(p, id) || prim_read_time(&at, from) ||
	    !prim_time_left(&left, p, id, now))
		return;
	prim_write_time(text, now + left);
	buf_add(&n->text, text, len);
	if (!n->text.failed)
		prim_set_str(p, id, (struct str){ n->text.p + n->text.len - len,
						  len });
}

static void complete(struct notify *n, const struct entity *e)
{
	struct prim *p = &n->request;
	const struct notify_conf *conf = notify_conf_of(n);
	struct str content;

	if (!prim_has(p, PARAM_TO))
		prim_set_str(p, PARAM_TO, default_to(n, e));
	if (!prim_has(p, PARAM_FR))
		prim_set_str(p, PARAM_FR, str_of(conf->originator));
	if (!prim_has(p, PARAM_RVI))
		prim_set_str(p, PARAM_RVI, str_of(conf->release));
	buf_clear(&n->text);
	if (buf_reserve(&n->text, 3 * PRIM_TIME_TEXT)) {
		make_absolute(n, p, PARAM_RQET);
		make_absolute(n, p, PARAM_RSET);
		make_absolute(n, p, PARAM_OET);
	}
	if (registrar_restore(n->w->registrar, &content, p)) {
		p->content = content;
		p->content_format = FORMAT_JSON;
	}
}

static int check(const struct notify *n, const struct entity *e,
		 const char **why)
{
	const struct prim *p = &n->request;

	if (!entity_is_cse(e) && p->op != OP_NOTIFY) {
		*why = "an AE takes notifications only";
		return RSC_OPERATION_NOT_ALLOWED;
	}
	return prim_check_request(why, p, clock_wall_ms());
}

/* ---- the call ---- */

/* What must be known of it. What grows too much as JSON is never stored, and
 * nobody asks how it is delivered. */
static void read_content(struct notification *out, struct notify *n,
			 struct buf *text, const struct prim *p)
{
	const char *why;

	*out = (struct notification){ .kind = NOTIFICATION_NONE };
	if (p->content_format == FORMAT_JSON) {
		notification_read(out, text, p->content);
		return;
	}
	buf_clear(&n->json);
	if (transcode_content(&n->json, FORMAT_JSON, p->content_format,
			      p->op, p->content, &n->w->conf->codec,
			      &why) == 0)
		notification_read(out, text, buf_str(&n->json));
}

static bool fill_call(struct notify_call *call, const struct prim *p,
		      struct str rqi, struct str rvi)
{
	struct notification content;
	struct buf text = { 0 };
	size_t at;

	read_content(&content, call->n, &text, p);
	buf_add_str(&call->text, rqi);
	buf_add_str(&call->text, rvi);
	at = call->text.len;
	buf_add_str(&call->text, content.sur);
	buf_deinit(&text);
	call->rqi_len = rqi.len;
	call->rvi_len = rvi.len;
	call->reach.kind = p->op == OP_NOTIFY ? content.kind :
						NOTIFICATION_NONE;
	call->reach.sur = str_skip(buf_str(&call->text), at);
	call->reach.on_end = on_end;
	return !call->text.failed &&
	       prim_copy(&call->reach.d.request, p) == 0;
}

static uint64_t due(const struct notify *n)
{
	uint64_t wait = notify_conf_of(n)->timeout_ms, left;

	if (prim_time_left(&left, &n->request, PARAM_RQET, clock_wall_ms()) &&
	    left < wait)
		wait = left;
	return reactor_now(n->w->reactor) + wait;
}

/* Takes the reference e. */
static void call_send(struct notify_conn *c, struct entity *e, struct str rqi,
		 struct str rvi)
{
	struct notify *n = c->n;
	struct notify_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		entity_unref(e);
		refuse(c, RSC_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	call->n = n;
	LIST_INSERT_HEAD(&n->calls, call, link);
	delivery_init(&call->reach.d, n->w, e, due(n), reach_on_return);
	call->started = uv_hrtime();
	call->octets_in = n->request.content.len;
	if (!fill_call(call, &n->request, rqi, rvi)) {
		call_free(call);
		refuse(c, RSC_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	if (prim_response_type(&n->request) == 5) {	/* nobody waits */
		prim_refuse(&n->answer, rqi, rvi, RSC_OK, NULL);
		respond(c, &n->answer);
	} else {
		c->call = call;
		call->conn = c;
	}
	reach_send(n->w->reach, &call->reach);
}

/* For a CSE that says nothing of it. */
static enum prim_format default_format(const struct notify *n)
{
	const struct gateway_conf *conf = n->w->conf;

	return conf->upstream_count > 0 ?
		       (enum prim_format)conf->upstreams->format :
		       FORMAT_JSON;
}

void notify_on_request(void *owner, const struct http_msg *msg)
{
	struct notify_conn *c = owner;
	struct notify *n = c->n;
	struct http_map_conf map = { .codec = n->w->conf->codec };
	struct str token = { NULL, 0 };
	struct str rqi, rvi;
	struct entity *e;
	const char *why = NULL;
	int err, rsc;

	n->counters.requests++;
	c->reply = (struct http_map_reply){
		.format = http_map_pick_format(msg, default_format(n)),
		.close = !msg->keep_alive,
		.codec = map.codec,
	};
	(void)cut_token(&map.base, &token, msg->target);
	err = http_map_read_request(&n->request, &why, msg, &map);
	if (err) {
		c->reply.close = true;	/* a wrong length cuts anywhere */
		refuse(c, err == ERR_UNSUPPORTED ? RSC_UNSUPPORTED_MEDIA_TYPE :
						   RSC_BAD_REQUEST, why);
		return;
	}
	e = find_entity(c, token);
	if (e == NULL)
		return;
	rqi = prim_text(&n->request, PARAM_RQI);
	rvi = prim_text(&n->request, PARAM_RVI);
	complete(n, e);
	if (rqi.len == 0)	/* the channel gives it one */
		prim_set_str(&n->request, PARAM_RQI, STR("0"));
	rsc = check(n, e, &why);
	if (rsc == 0) {
		call_send(c, e, rqi, rvi);
		return;
	}
	entity_unref(e);
	if (rqi.len == 0)
		prim_set_str(&n->request, PARAM_RQI, rqi);
	if (rsc == RSC_BAD_REQUEST)
		c->reply.close = true;
	refuse(c, rsc, why);
}
