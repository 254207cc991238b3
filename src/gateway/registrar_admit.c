#include "registrar_priv.h"

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

int registrar_admit(struct registrar *r, const struct owner *o,
		    const struct prim *p, const char **why)
{
	struct str fr = prim_text(p, PARAM_FR), id;
	struct entity_id parts = { 0 };
	struct entity *e;
	bool is_cse;
	int rsc;

	/* whether fr may be missing is checked with the rest of p */
	if (r->w->conf->auth == AUTH_OPEN || fr.len == 0 ||
	    owner_knows(o, fr))
		return 0;
	id = registrar_canonical(r, &parts, fr);
	if (is_reserved(r, fr) || is_reserved(r, entity_id_stem(&parts)) ||
	    is_home(r, &parts))
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

void registrar_handshake(struct registrar *r, struct owner *o,
			 struct str originator)
{
	struct directory *d = registrar_directory(r);
	struct entity_id parts;
	struct str id = registrar_canonical(r, &parts, originator);
	struct entity *e;

	if (id.len == 0 || is_reserved(r, originator))
		return;
	e = r->w->conf->auth == AUTH_OPEN ?
		    directory_open(d, id, parts.kind == ENTITY_CSE) :
		    directory_find(d, id);
	if (e == NULL)
		return;
	/* refused: it may still send what its requests prove */
	if ((r->w->conf->auth == AUTH_OPEN || directory_is_registered(d, e)) &&
	    owner_claim(o, e, STRENGTH_HANDSHAKE) != 0)
		r->counters.refused_originators++;
	directory_close(d, e);
}
