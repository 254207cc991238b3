/*
 * The HTTP server behind every proxy that the bench measures: one thread, one
 * epoll, keep-alive, pipelining, and to each request the same small answer of
 * a CSE that has created a <contentInstance>, with the request's X-M2M-RI in
 * it. It does as little as an honest server can, so that the proxies dominate.
 *
 *	upstream --listen ADDR:PORT		until SIGTERM
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench.h"

#define BUF_SIZE   (64 * 1024)
#define ANSWER_MAX 1024
#define RI_MAX	   128

#define BODY                                                                  \
	"{\"m2m:cin\":{\"rn\":\"cin_9\",\"ty\":4,\"ri\":\"cin9\",\"pi\":\"c"  \
	"nt4711\",\"ct\":\"20260601T080200\",\"lt\":\"20260601T080200\",\"et" \
	"\":\"20270601T080000\",\"st\":0,\"cnf\":\"text/plain:0\",\"cs\":6,"  \
	"\"con\":\"021.50\",\"lbl\":[\"unit:\302\260C\"]}}"
#define BODY_LENGTH "198"

_Static_assert(sizeof(BODY) - 1 == 198, "BODY_LENGTH differs from BODY");

static const char answer_before[] = "HTTP/1.1 201 Created\r\n"
				    "X-M2M-RSC: 2001\r\n"
				    "X-M2M-RI: ";

static const char answer_after[] = "\r\n"
				   "X-M2M-RVI: 3\r\n"
				   "X-M2M-OT: 20260601T080200,125\r\n"
				   "Content-Type: application/json\r\n"
				   "Content-Length: " BODY_LENGTH "\r\n"
				   "\r\n" BODY;

static const char answer_bad[] = "HTTP/1.1 400 Bad Request\r\n"
				 "Connection: close\r\n"
				 "Content-Length: 0\r\n"
				 "\r\n";

struct conn {
	int fd;
	bool last;		/* close when out is written */
	bool wants_out;		/* EPOLLOUT is armed */

	size_t in_len;
	size_t out_len;
	size_t out_sent;
	char in[BUF_SIZE];
	char out[BUF_SIZE];
};

static void conn_put(struct conn *c, const char *p, size_t len)
{
	memcpy(c->out + c->out_len, p, len);
	c->out_len += len;
}

static void conn_refuse(struct conn *c)
{
	conn_put(c, answer_bad, sizeof(answer_bad) - 1);
	c->last = true;
}

/* Bytes of the first request in in; 0: not whole yet. */
static size_t conn_answer(struct conn *c, struct span in)
{
	struct span head = bench_head(in), length, ri;
	long body = 0;

	if (head.p == NULL)
		return 0;
	length = bench_header(head, SPAN("Content-Length"));
	if (length.p != NULL)
		body = bench_number(length);
	ri = bench_header(head, SPAN("X-M2M-RI"));
	if (body < 0 || ri.p == NULL || ri.len > RI_MAX) {
		conn_refuse(c);
		return in.len;
	}
	if (in.len < head.len + (size_t)body)
		return 0;
	conn_put(c, answer_before, sizeof(answer_before) - 1);
	conn_put(c, ri.p, ri.len);
	conn_put(c, answer_after, sizeof(answer_after) - 1);
	return head.len + (size_t)body;
}

/* False: there was nothing to answer, or no room for it. */
static bool conn_answer_all(struct conn *c)
{
	size_t done = 0, n;

	while (!c->last && BUF_SIZE - c->out_len >= ANSWER_MAX) {
		n = conn_answer(c, (struct span){ c->in + done,
						  c->in_len - done });
		if (n == 0)
			break;
		done += n;
	}
	c->in_len -= done;
	memmove(c->in, c->in + done, c->in_len);
	return done > 0;
}

/* False: the connection is of no more use. */
static bool conn_flush(struct conn *c)
{
	ssize_t n;

	if (c->out_sent == c->out_len)
		return true;
	n = write(c->fd, c->out + c->out_sent, c->out_len - c->out_sent);
	if (n < 0)
		return errno == EAGAIN;
	c->out_sent += (size_t)n;
	if (c->out_sent < c->out_len)
		return true;
	c->out_sent = 0;
	c->out_len = 0;
	return !c->last;
}

static void conn_arm(struct conn *c, int epoll)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	bool wants_out = c->out_len > 0;

	if (wants_out == c->wants_out)
		return;
	/* While the peer does not read, nothing more is taken from it. */
	if (wants_out)
		ev.events = EPOLLOUT;
	epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &ev);
	c->wants_out = wants_out;
}

static bool conn_read(struct conn *c)
{
	ssize_t n = read(c->fd, c->in + c->in_len, BUF_SIZE - c->in_len);

	if (n < 0)
		return errno == EAGAIN;
	c->in_len += (size_t)n;
	return n > 0;
}

static void on_event(struct conn *c, int epoll, uint32_t events)
{
	bool ok = (events & EPOLLOUT) ? conn_flush(c) : conn_read(c);

	while (ok && conn_answer_all(c))
		ok = conn_flush(c);
	if (ok) {
		conn_arm(c, epoll);
		return;
	}
	close(c->fd);
	free(c);
}

static void on_accept(int listener, int epoll)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct conn *c;
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	c = malloc(sizeof(*c));
	if (c == NULL) {
		close(fd);
		return;
	}
	c->fd = fd;
	c->last = c->wants_out = false;
	c->in_len = c->out_len = c->out_sent = 0;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	bench_no_delay(fd);
	ev.data.ptr = c;
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int listen_at(const char *where)
{
	struct sockaddr_in sa = bench_addr(where);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		bench_die("socket", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    listen(fd, 4096) != 0)
		bench_die(where, strerror(errno));
	return fd;
}

int main(int argc, char **argv)
{
	struct epoll_event ev = { .events = EPOLLIN }, ready[256];
	int listener, epoll, n;

	if (argc != 3 || strcmp(argv[1], "--listen") != 0)
		bench_die(argv[0], "want --listen ADDR:PORT");
	signal(SIGPIPE, SIG_IGN);
	listener = listen_at(argv[2]);
	epoll = epoll_create1(0);
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev) != 0)
		bench_die("epoll", strerror(errno));
	for (;;) {
		n = epoll_wait(epoll, ready, 256, -1);
		for (int i = 0; i < n; i++) {
			if (ready[i].data.ptr == NULL)
				on_accept(listener, epoll);
			else
				on_event(ready[i].data.ptr, epoll,
					 ready[i].events);
		}
	}
}
