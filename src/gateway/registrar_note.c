#include <stdlib.h>

#include "m2m/json.h"
#include "registrar_priv.h"

#define RSC_SUBSCRIPTION_VERIFICATION_FAILED 5204

/* ---- a look into content that has been validated ---- */

static bool find(struct jscan_value *value, struct str object,
		 const char *wanted)
{
	struct jscan_value name;
	struct jscan scan;

	jscan_init(&scan, object, JSCAN_DEPTH_MAX, UINT32_MAX);
	if (jscan_enter(&scan, JSCAN_OBJECT) != 0)
		return false;
	for (bool first = true; jscan_next(&name, value, &scan, first) == 1;
	     first = false)
		if (str_eq(name.raw, str_of(wanted)))
			return true;
	return false;
}

struct str note_member(struct str content, const char *root, const char *name)
{
	struct jscan_value value;

	if (find(&value, content, "m2m:rce") &&
	    value.type == JSCAN_OBJECT)
		content = value.raw;
	if (!find(&value, content, root) || value.type != JSCAN_OBJECT ||
	    !find(&value, value.raw, name))
		return (struct str){ NULL, 0 };
	return value.raw;
}

static const char *root_of(bool is_cse)
{
	return is_cse ? "m2m:csr" : "m2m:ae";
}

/* ---- notes ---- */

void note_free(struct note *n)
{
	if (n == NULL)
		return;
	entity_unref(n->e);
	buf_deinit(&n->text);
	free(n);
}

static struct note *note_new(enum note_kind kind, struct entity *e)
{
	struct note *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->kind = kind;
	n->e = entity_ref(e);
	return n;
}

/* Text of the note's own; slices of it move until all is kept. */
struct kept {
	struct str *slice;
	size_t at;
};

static struct kept keep(struct note *n, struct str *slice)
{
	struct kept k = { slice, n->text.len };

	buf_add_str(&n->text, *slice);
	return k;
}

static void settle(const struct note *n, const struct kept *kept, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (kept[i].slice->len > 0)
			kept[i].slice->p = n->text.p + kept[i].at;
		else if (kept[i].slice->p != NULL)
			kept[i].slice->p = "";
}

/* Copies all that the note points to. False: no memory. */
static bool own_text(struct note *n)
{
	struct kept kept[] = {
		keep(n, &n->id),
		keep(n, &n->data.rn),
		keep(n, &n->data.poa.poa),
		keep(n, &n->data.dcse),
	};

	if (n->text.failed)
		return false;
	settle(n, kept, ARRAY_LEN(kept));
	return true;
}

/* ---- points of access ---- */

static void set_content(struct prim *p, const struct buf *json)
{
	p->content = buf_str(json);
	p->content_format = FORMAT_JSON;
}

/* 0, or an rsc: what cannot be read as JSON is the client's fault. */
static int read_content(struct str *out, struct registrar *r,
			const struct prim *p, const char **why)
{
	int err = registrar_json(out, r, &r->json, p, why);

	return err == 0 || err == UV_ENOMEM ? err : RSC_BAD_REQUEST;
}

/* content is p's, as JSON; where nothing changes, p keeps its own. */
static void rewrite_poa(struct registrar *r, struct note *n, struct prim *p,
			struct str content, const struct poa_state *before)
{
	struct str prefix = r->w->conf->notify.prefix;
	struct poa_request request = {
		.content = content,
		.member = str_of(root_of(n->is_cse)),
		.is_create = n->kind == NOTE_CREATE,
		.before = *before,
	};

	buf_clear(&r->content);
	if (prefix.len == 0)
		return;		/* no reverse channel: none is offered */
	buf_clear(&r->poa);
	buf_add_str(&r->poa, prefix);
	buf_add_str(&r->poa, str_of(n->token));
	request.url = buf_str(&r->poa);
	if (poa_rewrite(&r->content, &n->data.poa, &request))
		set_content(p, &r->content);
}

static int find_token(struct registrar *r, struct note *n)
{
	struct entity *e = n->id.len > 0 ?
				   directory_find(registrar_directory(r),
						  n->id) :
				   NULL;
	bool known = e != NULL && directory_token(registrar_directory(r), e,
						  n->token);

	entity_unref(e);
	return known ? 0 : directory_make_token(n->token);
}

static struct str without_quotes(struct str raw)
{
	return raw.len >= 2 && raw.p[0] == '"' ?
		       (struct str){ raw.p + 1, raw.len - 2 } :
		       (struct str){ NULL, 0 };
}

/* Before the CSE sees it: what it has agreed to cannot be refused. 0, or an
 * rsc. */
static int check_room(struct registrar *r, const struct owner *o,
		      const struct note *n, const char **why)
{
	struct str id = n->e != NULL ? n->e->id : n->id;

	if (n->kind == NOTE_CREATE && owner_is_full(o) &&
	    !owner_speaks_for(o, id)) {
		r->counters.refused_entities++;
		*why = "too many entities on this connection";
		return RSC_TARGET_NOT_REACHABLE;
	}
	if (!directory_has_room(registrar_directory(r), id, &n->data)) {
		*why = "too many registrations";
		return RSC_TARGET_NOT_REACHABLE;
	}
	return 0;
}

static int make_create(struct note **out, struct registrar *r,
		       const struct owner *o, struct prim *p, bool is_cse,
		       const char **why)
{
	struct note *n = note_new(NOTE_CREATE, NULL);
	struct poa_state before = { 0 };
	struct entity_id id;
	struct str content;
	int err;

	if (n == NULL)
		return UV_ENOMEM;
	err = read_content(&content, r, p, why);
	if (err) {
		note_free(n);
		return err;
	}
	n->is_cse = is_cse;
	n->id = registrar_canonical(r, &id, prim_text(p, PARAM_FR));
	if (n->id.len > 0 && id.kind != (is_cse ? ENTITY_CSE : ENTITY_AE))
		n->id = STR("");
	n->data.rn = without_quotes(
		note_member(content, root_of(is_cse), "rn"));
	n->data.dcse = note_member(content, root_of(is_cse), "dcse");
	err = find_token(r, n);
	if (!err) {
		rewrite_poa(r, n, p, content, &before);
		err = r->content.failed || !own_text(n) ?
			      UV_ENOMEM : check_room(r, o, n, why);
	}
	if (err)
		note_free(n);
	else
		*out = n;
	return err;
}

static int make_update(struct note **out, struct registrar *r,
		       const struct owner *o, struct prim *p, struct entity *e,
		       const char **why)
{
	struct note *n = note_new(NOTE_UPDATE, e);
	struct entity_data before = { 0 };
	struct directory *d = registrar_directory(r);
	struct str content, dcse;
	int err;

	if (n == NULL)
		return UV_ENOMEM;
	n->is_cse = entity_is_cse(e);
	if (!directory_read(&before, &r->known, d, e) ||
	    !directory_token(d, e, n->token)) {
		note_free(n);	/* not registered through us */
		return 0;
	}
	err = read_content(&content, r, p, why);
	if (err) {
		note_free(n);
		return err;
	}
	n->data = before;
	dcse = note_member(content, root_of(n->is_cse), "dcse");
	if (dcse.p != NULL)
		n->data.dcse = str_eq(dcse, STR("null")) ?
				       (struct str){ NULL, 0 } : dcse;
	rewrite_poa(r, n, p, content, &before.poa);
	err = r->content.failed || !own_text(n) ? UV_ENOMEM :
						  check_room(r, o, n, why);
	if (err)
		note_free(n);
	else
		*out = n;
	return err;
}

/* ---- notification targets ---- */

static bool may_hold_nu(const struct prim *p)
{
	int64_t ty;

	return p->op == OP_UPDATE ||
	       (p->op == OP_CREATE && prim_int(&ty, p, PARAM_TY) &&
		ty == TY_SUB);
}

static int rewrite_nu(struct registrar *r, struct prim *p, const char **why)
{
	struct nu_rules rules = { .originator = prim_text(p, PARAM_FR) };
	enum nu_result result = NU_SAME;
	struct str content;
	int err;

	buf_clear(&r->nu);
	buf_clear(&r->rt);
	if (may_hold_nu(p)) {
		err = read_content(&content, r, p, why);
		if (err)
			return err;
		result = nu_rewrite(&r->nu, content, &rules);
		if (result == NU_CHANGED)
			set_content(p, &r->nu);
	}
	if (result != NU_FOREIGN && prim_has(p, PARAM_RT) &&
	    p->param[PARAM_RT].type == VALUE_JSON) {
		result = nu_rewrite_rt(&r->rt, p->param[PARAM_RT].text, &rules);
		if (result == NU_CHANGED)
			prim_set(p, PARAM_RT, VALUE_JSON, buf_str(&r->rt));
	}
	if (r->nu.failed || r->rt.failed)
		return UV_ENOMEM;
	if (result != NU_FOREIGN)
		return 0;
	*why = "nu is somebody else's WebSocket";
	return RSC_SUBSCRIPTION_VERIFICATION_FAILED;
}

/* ---- all of it ---- */

/* The session's entity whose resource p changes, or fr's. */
static struct entity *find_target(struct registrar *r, struct owner *o,
				  const struct prim *p, struct str id)
{
	struct directory *d = registrar_directory(r);
	struct str to = prim_text(p, PARAM_TO);
	struct entity *e = owner_find_target(o, to);

	if (e != NULL)
		return entity_ref(e);
	e = id.len > 0 ? directory_find(d, id) : NULL;
	if (e != NULL && directory_is_target(d, e, to))
		return e;
	entity_unref(e);
	return NULL;
}

static int make_change(struct note **out, struct registrar *r, struct owner *o,
		       struct prim *p, struct str id, const char **why)
{
	struct entity *e = find_target(r, o, p, id);
	int err = 0;

	if (e == NULL)
		return 0;
	if (p->op == OP_UPDATE) {
		err = make_update(out, r, o, p, e, why);
	} else {
		*out = note_new(NOTE_DELETE, e);
		err = *out == NULL ? UV_ENOMEM : 0;
	}
	entity_unref(e);
	return err;
}

static int make_claim(struct note **out, struct str id, bool is_cse)
{
	struct note *n = *out;

	if (n != NULL) {		/* of the originator's own resource */
		n->claim = true;
		return 0;
	}
	n = note_new(NOTE_NONE, NULL);
	if (n == NULL)
		return UV_ENOMEM;
	*out = n;
	n->is_cse = is_cse;
	n->claim = true;
	n->id = id;
	return own_text(n) ? 0 : UV_ENOMEM;
}

/* What fr is: the session stands for it once the CSE has accepted p. */
static int make_originator(struct note **out, struct registrar *r,
			   struct owner *o, struct str fr, struct str id,
			   const struct entity_id *parts)
{
	/* a credential has judged: many may speak as an administrator, and
	 * what is below a CSE is reached through the CSE */
	bool judged = o->credential != NULL &&
		      (parts->kind == ENTITY_REMOTE_AE || id.len == 0 ||
		       owner_cse(o) != NULL ||
		       registrar_is_privileged(r, fr, parts));

	if (judged || owner_speaks_for(o, id)) {
		owner_know(o, fr);
		return 0;
	}
	return id.len > 0 && parts->kind != ENTITY_OTHER ?
		       make_claim(out, id, parts->kind == ENTITY_CSE) : 0;
}

static int make(struct note **out, struct registrar *r, struct owner *o,
		struct prim *p, const char **why)
{
	struct str fr = prim_text(p, PARAM_FR), id;
	struct entity_id parts;
	bool is_cse, known;
	int rc;

	if (registrar_is_registration(p, &is_cse))
		return make_create(out, r, o, p, is_cse, why);
	rc = rewrite_nu(r, p, why);
	known = owner_knows(o, fr);
	if (rc != 0 || (known && p->op != OP_UPDATE && p->op != OP_DELETE))
		return rc;
	id = registrar_canonical(r, &parts, fr);
	if (p->op == OP_UPDATE || p->op == OP_DELETE)
		rc = make_change(out, r, o, p, id, why);
	if (rc != 0 || known)
		return rc;
	return make_originator(out, r, o, fr, id, &parts);
}

int note_make(struct note **out, struct registrar *r, struct owner *o,
	      struct prim *p, const char **why)
{
	int rc;

	*out = NULL;
	*why = "out of memory";
	rc = make(out, r, o, p, why);
	if (rc == 0)
		return 0;
	note_free(*out);
	*out = NULL;
	return rc > 0 ? rc : RSC_INTERNAL_SERVER_ERROR;
}
