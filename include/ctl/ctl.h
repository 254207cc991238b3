#ifndef CTL_CTL_H
#define CTL_CTL_H

/*
 * m2mwsctl: asks a running m2mwsd by its Unix socket, and is a small WebSocket
 * client. Gives the status to exit with: 0 fine, 1 refused or failed, 2 a
 * command line that makes no sense.
 */
int ctl_run(int argc, char **argv);

#endif
