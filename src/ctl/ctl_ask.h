#ifndef CTL_CTL_ASK_H
#define CTL_CTL_ASK_H

#include "base/str.h"

/* What the daemon answered. */
struct ctl_answer {
	int status;			/* of HTTP */
	struct buf body;		/* owned */
};

/* Asks and waits. UV_E*: nobody answers there. out is zeroed and is deinited
 * by the caller in any case. */
MUST_CHECK int ctl_ask(struct ctl_answer *out, const char *socket,
		       const char *method, struct str path);

/* Says why that failed, with what may help. */
void ctl_ask_complain(const char *socket, int err);

#endif
