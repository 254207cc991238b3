#ifndef CTL_CTL_WS_H
#define CTL_CTL_WS_H

#include "ctl_args.h"

/* A primitive out, its answer in; requests that come meanwhile are answered
 * 2000. CTL_FAILED also when the answer is no success. */
int ctl_ws_request(const struct ctl_args *args);

/* Prints requests and answers them 2000. */
int ctl_ws_listen(const struct ctl_args *args);

/* OP as a number or a name; OP_NONE: neither. */
int ctl_ws_op(const char *text);

#endif
