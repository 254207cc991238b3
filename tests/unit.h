#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

/* What every unit test ends with. */
static inline int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

/* For what is asserted millions of times: Check writes into a file at each
 * ck_assert(), this only speaks to it when it fails. */
#define unit_must(expr) unit_must_msg(expr, "%s", #expr)
#define unit_must_msg(expr, ...)                                               \
	do {                                                                   \
		if (!(expr))                                                   \
			ck_abort_msg(__VA_ARGS__);                             \
	} while (0)

/*
 * First of all in a process that the test forks to kill it: each ck_assert()
 * writes into a file that Check shares with it, and of half a message Check
 * itself exits. An open file without a name is that one.
 */
static inline void unit_detach(void)
{
	int null = open("/dev/null", O_WRONLY);
	struct stat st;

	for (int fd = 3; fd < null; fd++)
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    st.st_nlink == 0)
			dup2(null, fd);
	close(null);
}

/* A blocking client socket, connected to 127.0.0.1. */
static inline int unit_connect(unsigned port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		abort();	/* no ck_assert: fuzzers call this too */
	return fd;
}

/* All of bytes; the peer may have gone already. */
static inline void unit_send(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(fd, bytes.p, bytes.len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes = str_skip(bytes, (size_t)n);
	}
}

/* Appends what has arrived, without waiting. True at the end of the stream,
 * orderly or not. */
static inline bool unit_drain(int fd, struct buf *out)
{
	char space[65536];
	ssize_t n;

	while ((n = recv(fd, space, sizeof(space), MSG_DONTWAIT)) > 0)
		buf_add(out, space, (size_t)n);
	return n == 0 || (n < 0 && errno != EAGAIN);
}

#endif
