#ifndef M2M_ENTITY_ID_H
#define M2M_ENTITY_ID_H

#include <stdbool.h>

#include "base/str.h"

/*
 * Identifiers of AEs and CSEs (TS-0004 6.2.3, TS-0001 7.2), so that one entity
 * has one text and two entities never share one.
 *
 *	Cx  /id-in/Cx  //sp/id-in/Cx	an AE of our CSE -> /id-in/Cx
 *	Sx  /Sx  //sp/Sx  /id-in/Sx	an AE with an id of the SP -> /Sx
 *	/mn  //sp/mn			a CSE -> /mn
 *	/mn/Cx  //sp/mn/Cx		an AE of another CSE -> /mn/Cx
 *	//far/...			of another SP: stays as it is
 *
 * While our CSE-ID is not known, Cx stays Cx and /id-in/Cx is somebody else;
 * likewise all absolute ids while our SP is not known. Comparing is by octets:
 * ids are case-sensitive and nothing is decoded.
 *
 * The syntax leaves two doubts. /Sx may be a CSE-ID: it is taken as one when
 * it is ours, else as an AE-ID, and the SP gives no name twice. A bare Cx may
 * be a resource or a CSEBase of that name: only the CSE knows.
 */

#define ENTITY_ID_MAX 256	/* octets, in any form */

/* The CSE behind the gateway. */
struct entity_home {
	struct str cse;		/* without slash; empty: not known */
	struct str sp;		/* FQDN; likewise */
};

/* cse_id: empty, /id-in or //sp.example.org/id-in; sp: empty or the FQDN,
 * which wins over the one in cse_id. Borrows both. False: no such ids. */
MUST_CHECK bool entity_home_init(struct entity_home *out, struct str cse_id,
				 struct str sp);

enum entity_kind {
	ENTITY_AE,		/* of our CSE, or S-type of our SP */
	ENTITY_REMOTE_AE,	/* of another CSE or SP */
	ENTITY_CSE,
	ENTITY_OTHER,		/* a resource; also a mere C or S, which asks
				 * for an id */
};

enum entity_form {
	ENTITY_RELATIVE,	/* Cx */
	ENTITY_SP_RELATIVE,	/* /id-in/Cx, /Sx */
	ENTITY_ABSOLUTE,	/* //sp/... */
};

/* An id taken to pieces; all slices are of the text read or of the home. */
struct entity_id {
	enum entity_kind kind;
	enum entity_form form;	/* how it was written */
	struct str sp;		/* empty: ours */
	struct str cse;		/* empty: S-type AE, or ours and not known */
	struct str path;	/* within the CSE; empty: the CSE itself */
};

/* False: not an identifier. Empty or longer than ENTITY_ID_MAX, an empty
 * segment (so also a trailing slash), `.`, `..`, octets that mean something
 * in a URL or a pattern (% ? # * \ and the like), controls, not UTF-8, capital
 * letters in the FQDN. */
MUST_CHECK bool entity_id_read(struct entity_id *out,
			       const struct entity_home *home, struct str id);

/* The AE-ID-Stem; empty when it is no AE. */
struct str entity_id_stem(const struct entity_id *id);

/* Appends the one text of the entity. */
void entity_id_write(struct buf *out, const struct entity_id *id);

/* Both in one step; on false nothing is appended. */
MUST_CHECK bool entity_id_canonicalise(struct buf *out,
				       const struct entity_home *home,
				       struct str id);

/* id is the CSE itself or something of it: /mn, /mn/Cx, not /mnx. Both are
 * canonical; anything else is under nothing. */
bool entity_id_is_under(struct str cse_id, struct str id);

/*
 * The id that the path of a URL stands for (TS-0009 6.2.2.1): /Cx -> Cx,
 * /~/id-in/Cx and //id-in/Cx -> /id-in/Cx, /_/sp/id-in/Cx -> //sp/id-in/Cx.
 * Percent signs are decoded once, slashes at the end are dropped, an empty
 * path gives an empty id. path has no query. False: a percent sign that
 * stands for no octet, for a NUL or for a slash; nothing is appended.
 */
MUST_CHECK bool entity_id_from_path(struct buf *out, struct str path);

#endif
