#ifndef GATEWAY_REGISTRAR_PRIV_H
#define GATEWAY_REGISTRAR_PRIV_H

#include "m2m/entity_id.h"
#include "registrar.h"
#include "worker.h"

/* Between the files that make up registrar_*(). */
struct registrar {
	struct worker *w;		/* borrowed */
	struct registrar_counters counters;
	LIST_HEAD(, held_answer) held;	/* owned; for the disk */
	struct buf id;			/* scratch, as all that follow */
	struct buf content, nu, rt, shown;
	struct buf json, agreed;	/* content that came otherwise */
	struct buf known;
	struct buf poa;
	struct prim answer;		/* with its content restored */
};

#define TY_AE  2
#define TY_SUB 23
#define TY_CSR 16

static inline struct directory *registrar_directory(const struct registrar *r)
{
	return r->w->shared->directory;
}

/* text as the one id of an AE or CSE, good until the next call; empty: it is
 * none. *id has its parts. */
struct str registrar_canonical(struct registrar *r, struct entity_id *id,
			       struct str text);

/* fr is an administrator's, or the CSE's that is behind us. */
bool registrar_is_privileged(const struct registrar *r, struct str fr,
			     const struct entity_id *id);

/* p registers an AE or, *is_cse, a CSE. */
bool registrar_is_registration(const struct prim *p, bool *is_cse);

/* p's content as JSON, made in scratch where it has to be. Fails as
 * transcode_content(). */
MUST_CHECK int registrar_json(struct str *out, struct registrar *r,
			      struct buf *scratch, const struct prim *p,
			      const char **why);

/* ---- registrar_note.c ---- */

enum note_kind {
	NOTE_NONE,
	NOTE_CREATE,		/* of an AE or CSE */
	NOTE_UPDATE,		/* of one of the session's */
	NOTE_DELETE,
};

/* What comes back with the answer to a request that matters here. */
struct note {
	enum note_kind kind;
	bool claim;		/* fr is not the session's yet: id is */
	bool is_cse;
	struct entity *e;	/* a reference; of an UPDATE, a DELETE */
	struct str id;		/* canonical; empty: the CSE gives it */
	char token[TOKEN_LEN + 1];
	struct entity_data data;	/* holds when the CSE agrees */
	struct buf text;	/* owned; what id and data point to */
};

/* Looks at p and rewrites it; *out may stay NULL. 0, or the rsc to refuse p
 * with and *why. */
MUST_CHECK int note_make(struct note **out, struct registrar *r,
			 struct owner *o, struct prim *p, const char **why);
void note_free(struct note *n);

/* A member of the one resource in pc, raw; its p NULL: there is none. */
struct str note_member(struct str content, const char *root, const char *name);

#endif
