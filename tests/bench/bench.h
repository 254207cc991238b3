#ifndef BENCH_H
#define BENCH_H

/*
 * What the load generator and the upstream share. Nothing of the repository's
 * own libraries: the ruler must not be made of what it measures.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* Bytes of a buffer; p is NULL where something was not found. */
struct span {
	const char *p;
	size_t len;
};

#define SPAN_INIT(literal) { literal, sizeof(literal) - 1 }
#define SPAN(literal)	   ((struct span)SPAN_INIT(literal))

_Noreturn static inline void bench_die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(2);
}

/* ADDR:PORT, IPv4 and numeric. */
static inline struct sockaddr_in bench_addr(const char *text)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	unsigned long port;
	char *end;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		bench_die(text, "want ADDR:PORT");
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	port = strtoul(colon + 1, &end, 10);
	if (inet_pton(AF_INET, host, &sa.sin_addr) != 1 || *end != '\0' ||
	    port == 0 || port > 65535)
		bench_die(text, "want ADDR:PORT");
	sa.sin_port = htons((in_port_t)port);
	return sa;
}

/* Without it the last short segment of a batch waits for an ACK. */
static inline void bench_no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static inline struct span bench_find(struct span in, struct span what)
{
	const char *p = in.p, *end = in.p + in.len;

	while ((size_t)(end - p) >= what.len) {
		p = memchr(p, what.p[0], (size_t)(end - p) - what.len + 1);
		if (p == NULL)
			break;
		if (memcmp(p, what.p, what.len) == 0)
			return (struct span){ p, what.len };
		p++;
	}
	return (struct span){ NULL, 0 };
}

static inline bool bench_starts(struct span in, struct span with)
{
	return in.p != NULL && in.len >= with.len &&
	       memcmp(in.p, with.p, with.len) == 0;
}

/* The head of an HTTP message with its empty line; p is NULL until whole. */
static inline struct span bench_head(struct span in)
{
	struct span end = bench_find(in, SPAN("\r\n\r\n"));

	if (end.p == NULL)
		return end;
	return (struct span){ in.p, (size_t)(end.p - in.p) + end.len };
}

/* A header's value; the name is in any letter case (HAProxy writes lower). */
static inline struct span bench_header(struct span head, struct span name)
{
	const char *line = head.p, *end = head.p + head.len, *eol, *value;

	for (; line < end; line = eol + 1) {
		eol = memchr(line, '\n', (size_t)(end - line));
		if (eol == NULL)
			break;
		if ((size_t)(eol - line) <= name.len ||
		    line[name.len] != ':' ||
		    strncasecmp(line, name.p, name.len) != 0)
			continue;
		value = line + name.len + 1;
		while (*value == ' ')
			value++;
		return (struct span){ value, (size_t)(eol - value) - 1 };
	}
	return (struct span){ NULL, 0 };
}

/* -1: not a number. */
static inline long bench_number(struct span s)
{
	long n = 0;

	if (s.p == NULL || s.len == 0 || s.len > 9)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		n = n * 10 + (s.p[i] - '0');
	}
	return n;
}

#endif
