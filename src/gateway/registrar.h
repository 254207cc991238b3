#ifndef GATEWAY_REGISTRAR_H
#define GATEWAY_REGISTRAR_H

#include "dispatch.h"
#include "owner.h"

/*
 * Who may send what, and who is reached how, of one worker. It sees every
 * request before the CSE and every answer before the client: registrations
 * pass with the client's ws points of access replaced by a URL of ours, and
 * what comes back says again what the client had said; a session stands for
 * an originator from the first request on that the CSE accepted.
 */
struct registrar;

struct registrar_counters {
	uint64_t refused_originators;	/* fr that the session may not use */
	uint64_t refused_entities;	/* max_entities bit */
	uint64_t registrations;		/* AEs and CSEs, new or again */
	uint64_t deregistrations;
};

MUST_CHECK int registrar_create(struct registrar **out, struct worker *w);
void registrar_destroy(struct registrar *r);

/* What dispatch_create() takes, with the registrar as their arg. */
extern const struct dispatch_hooks registrar_hooks;

/* The session named its originator in the handshake. */
void registrar_handshake(struct registrar *r, struct owner *o,
			 struct str originator);

/* Whether the session may send p (TS-0004 7.3.2.1, TS-0020 6.4): 0, or the
 * rsc to refuse it with and *why. */
MUST_CHECK int registrar_admit(struct registrar *r, const struct owner *o,
			       const struct prim *p, const char **why);

/* p's content for a client: no URL of ours is left in it. True: *out, JSON,
 * good until the next call. */
bool registrar_restore(struct registrar *r, struct str *out,
		       const struct prim *p);

const struct registrar_counters *registrar_counters(const struct registrar *r);

#endif
