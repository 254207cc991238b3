#ifndef STANDIN_CSE_OPERATIONS_H
#define STANDIN_CSE_OPERATIONS_H

#include <jansson.h>

#include "m2m/prim.h"
#include "tree.h"

/* What a request comes to. */
struct answer {
	int rsc;
	json_t *content;		/* owned; NULL: none */
};

void answer_refuse(struct answer *a, int rsc, const char *why);

/* Does what req asks for; a is zeroed before. */
void operation_perform(struct answer *a, struct tree *t,
		       const struct prim *req);

#endif
