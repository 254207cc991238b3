#ifndef TESTS_HTTP_CLIENT_ROW_H
#define TESTS_HTTP_CLIENT_ROW_H

#include "scripted_server.h"

/* What the server does, what the caller orders (see test_http_client.c), and
 * what both then saw. */
struct row {
	const char *name;
	const char *program;
	const struct step *scripts[4];
	const char *heard;
	const char *seen;		/* NULL: not looked at */
	uint64_t opened, connect_failed, poisoned, retried, refused_waiting;
	size_t connections;		/* 0: 4 */
	size_t max_waiting;		/* 0: much */
	uint64_t keepalive_ms;		/* 0: a minute */
};

#endif
