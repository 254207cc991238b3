#ifndef CTL_CTL_SHOW_H
#define CTL_CTL_SHOW_H

#include "ctl_args.h"

/* What the daemon answered, for people. Each gives the status to exit with. */
int ctl_show_status(FILE *to, json_t *answer, const struct ctl_args *args);
int ctl_show_sessions(FILE *to, json_t *answer, const struct ctl_args *args);
int ctl_show_session(FILE *to, json_t *answer, const struct ctl_args *args);
int ctl_show_kick(FILE *to, json_t *answer, const struct ctl_args *args);
int ctl_show_drain(FILE *to, json_t *answer, const struct ctl_args *args);
int ctl_show_reload(FILE *to, json_t *answer, const struct ctl_args *args);
int ctl_show_log(FILE *to, json_t *answer, const struct ctl_args *args);
int ctl_show_inboxes(FILE *to, json_t *answer, const struct ctl_args *args);
int ctl_show_inbox(FILE *to, json_t *answer, const struct ctl_args *args);
int ctl_show_dropped(FILE *to, json_t *answer, const struct ctl_args *args);
int ctl_show_redeliver(FILE *to, json_t *answer, const struct ctl_args *args);

/* `m2mwsctl: what: why` to standard error; why may be NULL. */
void ctl_complain(const char *what, const char *why);

#endif
