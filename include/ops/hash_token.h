#ifndef OPS_HASH_TOKEN_H
#define OPS_HASH_TOKEN_H

#include <stdio.h>

#include "base/base.h"

/*
 * One line of `in` is a secret; none, or an empty one, has one made by chance,
 * which is shown on diag. Its hash goes to out as a line for originators_file.
 * A secret that somebody chose is hashed slowly. ERR_PROTO: it is none;
 * UV_EIO, UV_ENOMEM. diag tells why.
 */
MUST_CHECK int hash_token(FILE *in, FILE *out, FILE *diag);

#endif
