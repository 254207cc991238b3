#include "registrar.h"

#include <stdlib.h>

#include "base/log.h"
#include "m2m/cbor.h"
#include "m2m/transcode.h"
#include "m2m/xml.h"
#include "registrar_priv.h"
#include "session.h"
#include "state/entities.h"

struct str registrar_canonical(struct registrar *r, struct entity_id *id,
			       struct str text)
{
	*id = (struct entity_id){ .kind = ENTITY_OTHER };
	buf_clear(&r->id);
	if (!entity_id_read(id, &r->w->conf->home, text))
		return STR("");
	if (id->kind == ENTITY_OTHER)
		return STR("");
	entity_id_write(&r->id, id);
	return r->id.failed ? STR("") : buf_str(&r->id);
}

bool registrar_is_registration(const struct prim *p, bool *is_cse)
{
	int64_t ty;

	if (p->op != OP_CREATE || !prim_int(&ty, p, PARAM_TY))
		return false;
	*is_cse = ty == TY_CSR;
	return ty == TY_AE || ty == TY_CSR;
}

/* ---- what is on the disk ---- */

/* An answer that waits until the disk knows of its registration. */
struct held_answer {
	struct state_call call;
	struct worker *w;		/* borrowed */
	uint64_t sid;
	LIST_ENTRY(held_answer) link;	/* in w's */
	struct prim answer;		/* owned */
};

static void held_free(struct held_answer *h)
{
	prim_deinit(&h->answer);
	free(h);
}

static void held_drop(struct held_answer *h)
{
	LIST_REMOVE(h, link);
	held_free(h);
}

static void on_written(struct state_call *call, int err)
{
	struct held_answer *h = container_of(call, struct held_answer, call);
	struct session *s = session_find(h->w, h->sid);

	LIST_REMOVE(h, link);
	/* it is registered at the CSE: the client has to know, whatever the
	 * disk says */
	if (err)
		log_error("registration_not_written", LOG_ERRNO(err));
	if (s != NULL)
		session_give_answer(s, &h->answer);
	held_free(h);
}

static struct held_answer *hold(struct registrar *r, struct owner *o,
				const struct prim *answer)
{
	struct held_answer *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->call.on_done = on_written;
	h->w = r->w;
	h->sid = o->at.sid;
	LIST_INSERT_HEAD(&r->held, h, link);
	if (prim_copy(&h->answer, answer) == 0) {
		o->owed++;
		return h;
	}
	held_drop(h);
	return NULL;
}

static int write_row(struct registrar *r, struct state_call *call,
		     struct str id, const struct note *n)
{
	struct entity_row row = {
		.id = id,
		.token = str_of(n->token),
		.ty = n->is_cse ? TY_CSR : TY_AE,
		.rn = n->data.rn,
		.poa = n->data.poa.poa,
		.rr = (int)n->data.poa.rr,
		.routed = n->data.poa.routed,
		.dcse = n->data.dcse,
	};

	return entities_put(r->w->mailbox, call, &row);
}

static void log_not_written(struct str id, int err)
{
	if (err)
		log_error("registration_not_written",
			  LOG_STR("originator", id), LOG_ERRNO(err));
}

/* ---- what the client is shown ---- */

static bool find_poa(void *arg, struct str *poa, struct str token)
{
	struct registrar *r = arg;
	struct entity *e = directory_find_token(registrar_directory(r), token);
	struct entity_data data;
	bool found = e != NULL && directory_read(&data, &r->known,
						 registrar_directory(r), e);

	if (found)
		*poa = data.poa.poa;
	entity_unref(e);
	return found;
}

int registrar_json(struct str *out, struct registrar *r, struct buf *scratch,
		   const struct prim *p, const char **why)
{
	int err;

	*out = p->content;
	if (p->content_format == FORMAT_JSON || p->content.len == 0)
		return 0;
	buf_clear(scratch);
	err = transcode_content(scratch, FORMAT_JSON, p->content_format,
				p->op, p->content, &r->w->conf->codec, why);
	*out = buf_str(scratch);
	return err;
}

/* Whether a URL of ours may be in what is not JSON. */
static bool may_restore(const struct prim *p, const struct poa_routes *routes)
{
	if (poa_may_restore(p->content, routes))
		return true;
	return p->content_format == FORMAT_CBOR ?
		       cbor_may_have_pieces(p->content) :
		       xml_may_have_pieces(p->content);
}

bool registrar_restore(struct registrar *r, struct str *out,
		       const struct prim *p)
{
	struct poa_routes routes = {
		.prefix = r->w->conf->notify.prefix,
		.find = find_poa,
		.arg = r,
	};
	struct str content = p->content;
	const char *why;

	if (routes.prefix.len == 0 || content.len == 0)
		return false;
	buf_clear(&r->shown);
	if (p->content_format != FORMAT_JSON) {
		if (!may_restore(p, &routes))
			return false;
		if (registrar_json(&content, r, &r->json, p, &why) != 0) {
			*out = (struct str){ NULL, 0 };
			return poa_may_restore(p->content, &routes);
		}
	}
	if (!poa_restore(&r->shown, content, &routes))
		return false;
	/* rather nothing than the URL */
	*out = r->shown.failed ? (struct str){ NULL, 0 } : buf_str(&r->shown);
	return true;
}

static const struct prim *shown_of(struct registrar *r,
				   const struct prim *answer)
{
	struct str content;

	if (!registrar_restore(r, &content, answer))
		return answer;
	r->answer = *answer;
	r->answer.content = content;
	r->answer.content_format = FORMAT_JSON;
	return &r->answer;
}

/* ---- what the CSE has agreed to ---- */

static struct str inside(struct str raw)
{
	return raw.len >= 2 && raw.p[0] == '"' ?
		       (struct str){ raw.p + 1, raw.len - 2 } : STR("");
}

/* The id that an AE was given; empty where the answer does not tell. */
static struct str new_id(struct registrar *r, const struct note *n,
			 struct str content)
{
	struct str aei = inside(note_member(content, "m2m:ae", "aei"));
	struct entity_id id;

	if (n->is_cse || aei.len == 0)
		return n->id;
	return registrar_canonical(r, &id, aei);
}

/* 0, or why the session does not stand for e. Where many may use an id, and
 * where there are too many, that is nothing new. */
static int claim(struct owner *o, struct entity *e, enum strength strength)
{
	int err = e != NULL && o != NULL ? owner_claim(o, e, strength) : 0;

	if (err == 0 || err == UV_EBUSY || err == ERR_LIMIT)
		return err;
	if (err == UV_ENOMEM)
		session_fail(o);
	log_info("not_associated", LOG_UINT("sid", o->at.sid),
		 LOG_STR("originator", e->id), LOG_ERRNO(err));
	return err;
}

/* What was stored for an entity of that id that the CSE has forgotten is not
 * for the new one, and a point of access that it does not know any more must
 * not be there after a restart. */
static void drop_former(struct registrar *r, struct str id,
			const struct note *n)
{
	struct directory *d = registrar_directory(r);
	struct entity *e = directory_find(d, id);
	char token[TOKEN_LEN + 1];
	int err = 0;

	if (e != NULL && directory_is_registered(d, e))
		err = inbox_drop(r->w->mailbox, NULL, id);
	if (!err && e != NULL && directory_token(d, e, token) &&
	    strcmp(token, n->token) != 0)
		err = entities_remove(r->w->mailbox, NULL, str_of(token));
	log_not_written(id, err);
	entity_unref(e);
}

/* True: the answer is held until the row is written. */
static bool created(struct registrar *r, struct owner *o, struct note *n,
		    const struct prim *answer)
{
	struct held_answer *h;
	struct str content, id, rn;
	struct entity *e;
	const char *why;
	int err = registrar_json(&content, r, &r->agreed, answer,
				 &why);

	if (err)	/* as if it said nothing: fr may tell the id */
		content = STR("");
	id = new_id(r, n, content);
	if (id.len == 0) {
		log_warning("registration_unknown",
			    LOG_TEXT("why", "the answer names no id"));
		return false;
	}
	rn = inside(note_member(content, n->is_cse ? "m2m:csr" : "m2m:ae",
				"rn"));
	if (rn.len > 0)
		n->data.rn = rn;
	drop_former(r, id, n);
	e = directory_register(registrar_directory(r), id, n->is_cse,
			       str_of(n->token), &n->data);
	if (e == NULL) {
		log_not_written(id, UV_ENOMEM);
		if (o != NULL)
			session_fail(o);
		return false;
	}
	r->counters.registrations++;
	log_info("registered", LOG_UINT("sid", o != NULL ? o->at.sid : 0),
		 LOG_STR("originator", e->id));
	(void)claim(o, e, STRENGTH_CREATED);
	h = o != NULL ? hold(r, o, shown_of(r, answer)) : NULL;
	err = write_row(r, h != NULL ? &h->call : NULL, e->id, n);
	log_not_written(e->id, err);
	entity_unref(e);
	if (err && h != NULL) {
		o->owed--;
		held_drop(h);
	}
	return !err && h != NULL;
}

static void updated(struct registrar *r, struct note *n)
{
	struct directory *d = registrar_directory(r);
	struct entity *e;

	/* the answer to its DELETE may have come first */
	if (!directory_is_registered(d, n->e))
		return;
	e = directory_register(d, n->e->id, n->is_cse, str_of(n->token),
			       &n->data);
	if (e != NULL)
		log_not_written(e->id, write_row(r, NULL, e->id, n));
	entity_unref(e);
}

/* It is no entity of the CSE any more. */
static void deleted(struct registrar *r, struct owner *o, struct entity *e)
{
	char token[TOKEN_LEN + 1];
	int err = 0;

	entity_ref(e);
	if (directory_token(registrar_directory(r), e, token))
		err = entities_remove(r->w->mailbox, NULL, str_of(token));
	if (!err)
		err = inbox_drop(r->w->mailbox, NULL, e->id);
	log_not_written(e->id, err);
	log_info("deregistered", LOG_UINT("sid", o != NULL ? o->at.sid : 0),
		 LOG_STR("originator", e->id));
	r->counters.deregistrations++;
	directory_remove(registrar_directory(r), e);
	if (o != NULL)
		owner_drop(o, e);
	entity_unref(e);
}

static bool is_success(int rsc)
{
	return rsc >= 1000 && rsc < 3000;
}

/* fr of a request that the CSE accepted: the session's from now on. */
static void claimed(struct registrar *r, struct owner *o, const struct note *n,
		    struct str fr)
{
	struct directory *d = registrar_directory(r);
	bool open = r->w->conf->auth == AUTH_OPEN || o->credential != NULL;
	struct entity *e;
	int err;

	if (n->e != NULL)
		e = entity_ref(n->e);
	else if (open)
		e = directory_open(d, n->id, n->is_cse);
	else
		e = directory_find(d, n->id);
	if (e == NULL && open)
		session_fail(o);
	err = e == NULL ? UV_ENOENT : claim(o, e, STRENGTH_FROM);
	if (err == 0 || (open && (err == UV_EBUSY || err == ERR_LIMIT)))
		owner_know(o, fr);
	directory_close(d, e);
}

/* True: the answer is held. */
static bool take_note(struct registrar *r, struct owner *o, struct note *n,
		      const struct dispatch_about *about,
		      const struct prim *answer)
{
	bool held = false;

	if (n->claim && o != NULL && is_success(answer->rsc) &&
	    n->kind != NOTE_DELETE)
		claimed(r, o, n, about->fr);
	if (n->kind == NOTE_CREATE && answer->rsc == RSC_CREATED)
		held = created(r, o, n, answer);
	else if (n->kind == NOTE_UPDATE && answer->rsc == RSC_UPDATED)
		updated(r, n);
	else if (n->e != NULL && (answer->rsc == RSC_DELETED ||
				  answer->rsc == RSC_NOT_FOUND))
		deleted(r, o, n->e);
	return held;
}

/* ---- hooks ---- */

static int on_request(void *arg, struct dispatch_peer *peer, struct prim *p,
		      void **note, const char **why)
{
	struct registrar *r = arg;
	struct note *n;
	int rsc = note_make(&n, r, session_owner(peer), p, why);

	*note = n;
	return rsc;
}

static const struct prim *on_answer(void *arg, struct dispatch_peer *peer,
				    const struct dispatch_about *about,
				    void *note, const struct prim *answer)
{
	struct registrar *r = arg;
	struct owner *o = peer != NULL ? session_owner(peer) : NULL;
	const struct prim *shown = NULL;
	struct note *n = note;
	struct entity *gone = NULL;
	bool held = false;

	/* while the entity is known: before it goes, after it has come */
	if (n == NULL || n->kind == NOTE_NONE || n->kind == NOTE_DELETE)
		shown = shown_of(r, answer);
	if (n != NULL)
		held = take_note(r, o, n, about, answer);
	else if (answer->rsc == RSC_NOT_FOUND && o != NULL)
		gone = owner_find_target(o, about->to);
	if (gone != NULL)
		deleted(r, o, gone);
	note_free(n);
	if (held)
		return NULL;
	return shown != NULL ? shown : shown_of(r, answer);
}

static void on_forgotten(void *arg, void *note)
{
	(void)arg;
	note_free(note);
}

const struct dispatch_hooks registrar_hooks = {
	.on_request = on_request,
	.on_answer = on_answer,
	.on_forgotten = on_forgotten,
};

const struct registrar_counters *registrar_counters(const struct registrar *r)
{
	return &r->counters;
}

int registrar_create(struct registrar **out, struct worker *w)
{
	struct registrar *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return UV_ENOMEM;
	r->w = w;
	LIST_INIT(&r->held);
	*out = r;
	return 0;
}

void registrar_destroy(struct registrar *r)
{
	struct held_answer *h;

	if (r == NULL)
		return;
	while ((h = LIST_FIRST(&r->held)) != NULL) {
		state_call_cancel(&h->call);
		held_drop(h);
	}
	buf_deinit(&r->id);
	buf_deinit(&r->content);
	buf_deinit(&r->json);
	buf_deinit(&r->agreed);
	buf_deinit(&r->nu);
	buf_deinit(&r->rt);
	buf_deinit(&r->shown);
	buf_deinit(&r->known);
	buf_deinit(&r->poa);
	free(r);
}
