#include "registrar_priv.h"
#include "session.h"

/* Who may send what (TS-0004 7.3.2.1, TS-0020 6.4). */

static bool is_reserved(const struct registrar *r, struct str fr)
{
	struct str rest = str_of(r->w->conf->reserved), one;
	bool more = fr.len > 0;

	while (more) {
		more = str_cut(rest, ',', &one, &rest);
		if (str_eq(one, fr))
			return true;
	}
	return false;
}

/* The CSE behind us speaks for itself. */
static bool is_home(const struct registrar *r, const struct entity_id *id)
{
	return id->kind == ENTITY_CSE && id->path.len == 0 &&
	       id->cse.len > 0 && str_eq(id->cse, r->w->conf->home.cse);
}

bool registrar_is_privileged(const struct registrar *r, struct str fr,
			     const struct entity_id *id)
{
	return is_reserved(r, fr) || is_reserved(r, entity_id_stem(id)) ||
	       is_home(r, id);
}

static int refuse(struct registrar *r, int rsc, const char **why,
		  const char *text)
{
	r->counters.refused_originators++;
	*why = text;
	return rsc;
}

/* An entity that the session does not stand for, or not yet. */
static int admit_other(struct registrar *r, const struct owner *o,
		       const struct entity *e, const char **why)
{
	struct directory *d = registrar_directory(r);

	if (!directory_is_registered(d, e))
		return refuse(r, RSC_ORIGINATOR_NOT_AUTHENTICATED, why,
			      "fr has not registered here");
	if (!owner_is_empty(o) && (entity_is_cse(e) || owner_cse(o) != NULL))
		return refuse(r, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, why,
			      "fr is not of this connection");
	if (owner_is_full(o)) {
		r->counters.refused_entities++;
		*why = "too many entities on this connection";
		return RSC_TARGET_NOT_REACHABLE;
	}
	if (!directory_may_claim(d, e, STRENGTH_FROM))
		return refuse(r, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, why,
			      "fr is of another connection");
	return 0;
}

/* An AE that has no id may ask for one: as C or S, or without fr. */
static bool may_ask_for_id(const struct credential *c)
{
	static const struct entity_id none = { .kind = ENTITY_OTHER };

	return credential_allows(c, STR("C"), &none, STR("")) ||
	       credential_allows(c, STR("S"), &none, STR(""));
}

/* A session stands for AEs or for one CSE, and for not too many; a CSE also
 * forwards for AEs below it whose ids (S) do not tell where they are. */
static int admit_kind(struct registrar *r, const struct owner *o,
		      const struct entity_id *id, const char **why)
{
	bool is_cse = id->kind == ENTITY_CSE, is_ae = id->kind == ENTITY_AE;

	if (!is_cse && (!is_ae || (owner_cse(o) != NULL &&
				   id->path.p[0] == 'S')))
		return 0;
	if (owner_cse(o) != NULL || (is_cse && !owner_is_empty(o)))
		return refuse(r, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, why,
			      "fr is not of this connection");
	if (!owner_is_full(o))
		return 0;
	r->counters.refused_entities++;
	*why = "too many entities on this connection";
	return RSC_TARGET_NOT_REACHABLE;
}

static bool is_listed(const struct registrar *r, const struct credential *c,
		      struct str fr, const struct entity_id *parts,
		      struct str id)
{
	return registrar_is_privileged(r, fr, parts) ?
		       credential_is_administrator(c, fr, parts, id) :
		       credential_allows(c, fr, parts, id);
}

/* What the credential lists, and what the CSE has given to this session. What
 * a CSE announces to be below it (dcse) is its own word and proves nothing. */
static int admit_credential(struct registrar *r, const struct owner *o,
			    const struct prim *p, const char **why)
{
	const struct credential *c = o->credential;
	struct str fr = prim_text(p, PARAM_FR), id;
	struct entity_id parts;
	bool registers, is_cse;

	registers = registrar_is_registration(p, &is_cse);
	if (fr.len == 0 && (!registers || is_cse || may_ask_for_id(c)))
		return 0;
	if (!entity_id_read(&parts, &r->w->conf->home, fr))
		return refuse(r, RSC_ORIGINATOR_NOT_AUTHENTICATED, why,
			      "fr is none of the credential's");
	id = registrar_canonical(r, &parts, fr);
	if (!registrar_is_privileged(r, fr, &parts) && owner_has(o, id))
		return 0;
	if (!is_listed(r, c, fr, &parts, id))
		return refuse(r, RSC_ORIGINATOR_NOT_AUTHENTICATED, why,
			      "fr is none of the credential's");
	if (registers || registrar_is_privileged(r, fr, &parts))
		return 0;
	return admit_kind(r, o, &parts, why);
}

int registrar_admit(struct registrar *r, const struct owner *o,
		    const struct prim *p, const char **why)
{
	struct str fr = prim_text(p, PARAM_FR), id;
	struct entity_id parts = { 0 };
	struct entity *e;
	bool is_cse;
	int rsc;

	if (r->w->conf->auth == AUTH_OPEN || owner_knows(o, fr))
		return 0;
	if (o->credential != NULL)
		return admit_credential(r, o, p, why);
	/* whether fr may be missing is checked with the rest of p */
	if (fr.len == 0)
		return 0;
	id = registrar_canonical(r, &parts, fr);
	if (registrar_is_privileged(r, fr, &parts))
		return refuse(r, RSC_ORIGINATOR_NOT_AUTHENTICATED, why,
			      "fr needs a credential");
	if (registrar_is_registration(p, &is_cse) || owner_speaks_for(o, id))
		return 0;
	e = directory_find(registrar_directory(r), id);
	if (e == NULL)
		return refuse(r, RSC_ORIGINATOR_NOT_AUTHENTICATED, why,
			      "fr has not registered here");
	rsc = admit_other(r, o, e, why);
	entity_unref(e);
	return rsc;
}

/* In modes other than open: the entity that the handshake may name. */
static bool may_name(const struct registrar *r, const struct owner *o,
		     struct str originator, const struct entity_id *parts,
		     struct str id)
{
	return o->credential == NULL ||
	       (!registrar_is_privileged(r, originator, parts) &&
		credential_allows(o->credential, originator, parts, id));
}

void registrar_handshake(struct registrar *r, struct owner *o,
			 struct str originator)
{
	struct directory *d = registrar_directory(r);
	struct entity_id parts;
	struct str id = registrar_canonical(r, &parts, originator);
	bool any = r->w->conf->auth == AUTH_OPEN || o->credential != NULL;
	struct entity *e;
	int err;

	if (id.len == 0 || is_reserved(r, originator))
		return;
	if (!may_name(r, o, originator, &parts, id)) {
		r->counters.refused_originators++;
		return;
	}
	e = any ? directory_open(d, id, parts.kind == ENTITY_CSE) :
		  directory_find(d, id);
	if (e == NULL && any)
		session_fail(o);
	if (e == NULL)
		return;
	err = any || directory_is_registered(d, e) ?
		      owner_claim(o, e, STRENGTH_HANDSHAKE) : 0;
	if (err == UV_ENOMEM)
		session_fail(o);
	else if (err)	/* it may still send what its requests prove */
		r->counters.refused_originators++;
	directory_close(d, e);
}
