#ifndef STORE_STORE_PRIVILEGES_H
#define STORE_STORE_PRIVILEGES_H

#include "store/resource.h"

/*
 * The rules of accessControlPolicies (TS-0001 9.6.2), without the way from a
 * resource to its policy. A rule with acco or acaf depends on what is not
 * known here (the address, how the originator was authenticated): it grants
 * nothing.
 */

/* The forms in which one originator may stand in a list. */
struct who {
	struct str given;
	struct str stem; /* CSE-relative; empty: of another CSE */
	struct str full; /* SP-relative; likewise */
	char space[256];
};

struct question {
	const struct resource *subject;
	struct who who;
	enum access_op op;
	int child_ty;
};

void who_init(struct who *w, const struct store_conn *c,
	      struct str originator);
/* id is this originator's, in any form. */
bool who_is(const struct who *w, struct str id);

/* privileges is a pv or pvs. *out is set when it grants. */
MUST_CHECK int privileges_grant(bool *out, struct store_conn *c,
				const json_t *privileges,
				const struct question *q);

/* Likewise one of the policies of those ids; which: "pv" or "pvs". Policies
 * that are gone or elsewhere grant nothing. */
MUST_CHECK int policies_grant(bool *out, struct store_conn *c,
			      const json_t *ids, const char *which,
			      const struct question *q);

#endif
