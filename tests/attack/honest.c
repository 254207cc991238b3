/*
 * The honest clients beside an attack: N WebSockets that each retrieve the AE
 * they stand for every so often, and a newcomer now and then that connects,
 * asks once and goes.
 *
 *	honest --target ADDR:PORT --connections N --every MS --newcomer MS
 *	       --authorization TEXT
 *
 * Requests leave when they are due, whatever has become of those before them,
 * and their latency counts from then: a server that stands still for a second
 * is seen by all that were due in it. `late` is by how much they left late: what
 * the machine itself made them wait. Each octet on stdin asks for a line about
 * the time since the last one; its end is ours. Times are in microseconds.
 * `refused` are answers that say no, `errors` is what an honest client must
 * never see: a connection lost or refused, no answer, or one that is not its.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "bench/wire.h"

#define IN_FLIGHT   64		/* of a client; more without answer: lost */
#define LATENCY_MAX (1u << 20)	/* of one line; later ones are not counted */
#define IN_SIZE     16384
#define HOME        0x7f020001	/* 127.2.0.1 and on: an address for each */
#define HELLO_SIZE  512
#define PATIENCE_NS UINT64_C(15000000000)	/* with an answer */

struct client {
	struct honest *h;
	unsigned index;
	bool newcomer;
	int fd;			/* -1: none */
	bool upgraded;
	uint32_t seq;
	uint64_t since;			/* ns; a newcomer's arrival */
	uint64_t due[IN_FLIGHT];	/* ns, of what is not answered; or 0 */
	size_t in_len;
	char in[IN_SIZE];
};

struct window {
	unsigned long answers, refused, errors;
	unsigned long arrivals, turned_away;	/* newcomers */
	uint64_t slowest_arrival_us;
	unsigned count;
	uint32_t latency_us[LATENCY_MAX];
	unsigned late_count;
	uint32_t late_us[LATENCY_MAX];
};

struct honest {
	struct sockaddr_in target;
	unsigned connections;
	uint64_t every_ns, newcomer_ns;
	char hello[HELLO_SIZE];
	size_t hello_len;

	int epoll;
	struct client *clients;		/* owned; the last is the newcomer */
	uint64_t next_ns, next_newcomer_ns;
	unsigned turn;
	struct window window;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->upgraded = false;
	c->in_len = 0;
	memset(c->due, 0, sizeof(c->due));
}

static void client_fail(struct client *c, const char *why)
{
	struct window *w = &c->h->window;

	if (w->errors + w->turned_away == 0)
		fprintf(stderr, "%s %u: %s\n",
			c->newcomer ? "newcomer" : "client", c->index, why);
	if (c->newcomer)
		w->turned_away++;
	else
		w->errors++;
	client_close(c);
}

static bool client_send(struct client *c, const char *p, size_t len)
{
	if (write(c->fd, p, len) == (ssize_t)len)
		return true;
	client_fail(c, "cannot send");
	return false;
}

static size_t client_name(char *to, size_t size, const struct client *c)
{
	int n = c->newcomer ? snprintf(to, size, "Cnewcomer") :
			      snprintf(to, size, "Chonest%u", c->index);

	return (size_t)n;
}

static void client_say(struct client *c, const char *more)
{
	char text[512], name[32], frame[600];
	size_t len;

	client_name(name, sizeof(name), c);
	len = (size_t)snprintf(text, sizeof(text),
			       "{\"fr\":\"%s\",\"rvi\":\"3\",%s}", name, more);
	len = wire_ws_put(frame, (struct span){ text, len });
	client_send(c, frame, len);
}

static void client_ask(struct client *c, uint64_t due)
{
	uint64_t *slot = &c->due[++c->seq % IN_FLIGHT];
	char name[32], more[128];

	if (*slot != 0) {
		client_fail(c, "no answer");
		return;
	}
	*slot = due;
	client_name(name, sizeof(name), c);
	snprintf(more, sizeof(more), "\"op\":2,\"to\":\"cse-in/%s\","
				     "\"rqi\":\"%u\"", name + 1, c->seq);
	client_say(c, more);
}

static void client_register(struct client *c)
{
	char name[32], more[256];

	client_name(name, sizeof(name), c);
	snprintf(more, sizeof(more),
		 "\"op\":1,\"to\":\"cse-in\",\"rqi\":\"reg\",\"ty\":2,"
		 "\"rcn\":0,\"pc\":{\"m2m:ae\":{\"rn\":\"%s\","
		 "\"api\":\"N1\",\"rr\":true,\"srv\":[\"3\"]}}", name + 1);
	client_say(c, more);
}

/* Since when a request was due. */
static uint32_t passed_us(uint64_t due)
{
	uint64_t us = (now_ns() - due) / 1000;

	return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void note_latency(struct client *c, uint64_t due)
{
	struct window *w = &c->h->window;
	uint32_t us = passed_us(due);

	if (c->newcomer) {
		w->arrivals++;
		if (us > w->slowest_arrival_us)
			w->slowest_arrival_us = us;
		client_close(c);
		return;
	}
	w->answers++;
	if (w->count < LATENCY_MAX)
		w->latency_us[w->count++] = us;
}

static void client_hear(struct client *c, struct span message)
{
	struct span rqi = wire_json_string(message, SPAN("\"rqi\":\""));
	long seq = bench_number(rqi);
	uint64_t *slot;

	if (bench_starts(rqi, SPAN("reg"))) {
		if (c->newcomer)
			client_close(c);
		return;
	}
	slot = &c->due[(unsigned long)seq % IN_FLIGHT];
	if (seq < 0 || *slot == 0) {
		client_fail(c, "an answer to nothing");
		return;
	}
	if (!wire_json_has(message, SPAN("\"rsc\":"), SPAN("2000")))
		c->h->window.refused++;
	note_latency(c, *slot);
	*slot = 0;
}

static void client_frame(struct client *c, unsigned char op,
			 struct span payload)
{
	char pong[WIRE_CONTROL_MAX];

	if (op == WIRE_PING)
		client_send(c, pong, wire_ws_frame(pong, WIRE_PONG, payload));
	else if (op == WIRE_TEXT)
		client_hear(c, payload);
	else
		client_fail(c, "closed");
}

static void client_frames(struct client *c, struct span in)
{
	struct span payload;

	while (c->fd >= 0 && (payload = wire_ws_payload(in)).p != NULL) {
		const char *next = payload.p + payload.len;

		client_frame(c, (unsigned char)in.p[0], payload);
		in.len -= (size_t)(next - in.p);
		in.p = next;
	}
	if (c->fd < 0)
		return;
	memmove(c->in, in.p, in.len);
	c->in_len = in.len;
}

static void client_read(struct client *c)
{
	ssize_t n = read(c->fd, c->in + c->in_len, IN_SIZE - c->in_len);
	struct span in = { c->in, c->in_len + (n > 0 ? (size_t)n : 0) }, head;

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			client_fail(c, n ? strerror(errno) : "end");
		return;
	}
	c->in_len = in.len;
	if (!c->upgraded) {
		head = bench_head(in);
		if (head.p == NULL)
			return;
		if (!wire_ws_accepted(head)) {
			client_fail(c, "handshake refused");
			return;
		}
		c->upgraded = true;
		in = (struct span){ in.p + head.len, in.len - head.len };
		if (c->newcomer)
			client_ask(c, c->since);
	}
	client_frames(c, in);
}

/* The hello leaves with the connection, when that is made. */
static void client_open(struct client *c)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT,
				  .data.ptr = c };
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(HOME + c->index),
	};
	struct honest *h = c->h;
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0 ||
	    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		       sizeof(on)) != 0 ||
	    bind(c->fd, (struct sockaddr *)&from, sizeof(from)) != 0)
		bench_die("socket", strerror(errno));
	bench_no_delay(c->fd);
	if (connect(c->fd, (struct sockaddr *)&h->target,
		    sizeof(h->target)) != 0 && errno != EINPROGRESS)
		client_fail(c, strerror(errno));
	else if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		bench_die("epoll", strerror(errno));
}

static void on_event(struct client *c, uint32_t events)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	struct honest *h = c->h;

	if (c->fd >= 0 && (events & EPOLLOUT)) {
		epoll_ctl(h->epoll, EPOLL_CTL_MOD, c->fd, &ev);
		client_send(c, h->hello, h->hello_len);
	}
	if (c->fd >= 0 && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		client_read(c);
}

/* The one before it is given up when its time is over. */
static void next_newcomer(struct honest *h, uint64_t now)
{
	struct client *c = &h->clients[h->connections];

	h->next_newcomer_ns += h->newcomer_ns;
	if (c->fd >= 0 && now - c->since < PATIENCE_NS)
		return;
	if (c->fd >= 0)
		client_fail(c, "no answer");
	client_open(c);
	c->since = now;
}

static void ask_what_is_due(struct honest *h, uint64_t now)
{
	struct window *w = &h->window;
	struct client *c;

	for (; h->next_ns <= now; h->next_ns += h->every_ns / h->connections) {
		c = &h->clients[h->turn++ % h->connections];
		if (w->late_count < LATENCY_MAX)
			w->late_us[w->late_count++] = passed_us(h->next_ns);
		if (c->fd >= 0)
			client_ask(c, h->next_ns);
		else
			w->errors++;
	}
	if (h->next_newcomer_ns <= now)
		next_newcomer(h, now);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static unsigned percentile(uint32_t *us, unsigned n, unsigned percent)
{
	qsort(us, n, sizeof(*us), by_value);
	return n ? us[(n - 1) * percent / 100] : 0;
}

static void report(struct honest *h)
{
	struct window *w = &h->window;

	printf("answers=%lu refused=%lu errors=%lu p50=%u p99=%u late=%u "
	       "arrivals=%lu turned_away=%lu slowest_arrival=%llu\n",
	       w->answers, w->refused, w->errors,
	       percentile(w->latency_us, w->count, 50),
	       percentile(w->latency_us, w->count, 99),
	       percentile(w->late_us, w->late_count, 99), w->arrivals,
	       w->turned_away, (unsigned long long)w->slowest_arrival_us);
	fflush(stdout);
	memset(w, 0, sizeof(*w));
}

/* False: stdin has ended. */
static bool turn(struct honest *h, uint64_t wait_ns)
{
	struct timespec wait = {
		.tv_sec = (time_t)(wait_ns / 1000000000u),
		.tv_nsec = (long)(wait_ns % 1000000000u),
	};
	struct epoll_event ready[256];
	int n = epoll_pwait2(h->epoll, ready, 256, &wait, NULL);
	char byte;

	for (int i = 0; i < n; i++) {
		if (ready[i].data.ptr != NULL) {
			on_event(ready[i].data.ptr, ready[i].events);
			continue;
		}
		if (read(STDIN_FILENO, &byte, 1) <= 0)
			return false;
		report(h);
	}
	return true;
}

/* All are connected and have an AE before the first request is due. */
static void start(struct honest *h)
{
	struct epoll_event ev = { .events = EPOLLIN };
	unsigned upgraded = 0;

	h->epoll = epoll_create1(0);
	h->clients = calloc(h->connections + 1, sizeof(*h->clients));
	if (h->epoll < 0 || h->clients == NULL)
		bench_die("start", strerror(errno));
	for (unsigned i = 0; i <= h->connections; i++) {
		h->clients[i].h = h;
		h->clients[i].index = i;
		h->clients[i].fd = -1;
		client_open(&h->clients[i]);
	}
	while (upgraded <= h->connections && h->window.errors == 0) {
		turn(h, 100000000);
		upgraded = 0;
		for (unsigned i = 0; i <= h->connections; i++)
			upgraded += h->clients[i].upgraded;
	}
	h->clients[h->connections].newcomer = true;
	for (unsigned i = 0; i <= h->connections; i++)
		client_register(&h->clients[i]);
	if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &ev) != 0)
		bench_die("stdin", "must be a pipe or a terminal");
	puts("ready");
	fflush(stdout);
}

static void run(struct honest *h)
{
	uint64_t now = now_ns();

	h->next_ns = h->next_newcomer_ns = now + h->every_ns;
	while (turn(h, h->next_ns > now ? h->next_ns - now : 0)) {
		now = now_ns();
		ask_what_is_due(h, now);
	}
}

static void make_hello(struct honest *h, const char *authorization)
{
	struct span usual = wire_ws.hello;

	h->hello_len = (size_t)snprintf(
		h->hello, HELLO_SIZE, "%.*sAuthorization: %s\r\n\r\n",
		(int)usual.len - 2, usual.p, authorization);
	if (h->hello_len >= HELLO_SIZE)
		bench_die("--authorization", "too long");
}

static uint64_t milliseconds(const char *text)
{
	long n = bench_number((struct span){ text, strlen(text) });

	if (n < 1)
		bench_die(text, "want milliseconds");
	return (uint64_t)n * 1000000;
}

static const struct option options[] = {
	{ "target",	   required_argument, NULL, 't' },
	{ "connections",   required_argument, NULL, 'c' },
	{ "every",	   required_argument, NULL, 'e' },
	{ "newcomer",	   required_argument, NULL, 'n' },
	{ "authorization", required_argument, NULL, 'a' },
	{ NULL,		   0,		      NULL, 0 },
};

int main(int argc, char **argv)
{
	struct honest *h = calloc(1, sizeof(*h));
	int opt;

	if (h == NULL)
		return 2;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (opt) {
		case 't':
			h->target = bench_addr(optarg);
			break;
		case 'c':
			h->connections = (unsigned)bench_number(
				(struct span){ optarg, strlen(optarg) });
			break;
		case 'e':
			h->every_ns = milliseconds(optarg);
			break;
		case 'n':
			h->newcomer_ns = milliseconds(optarg);
			break;
		case 'a':
			make_hello(h, optarg);
			break;
		default:
			return 2;
		}
	if (h->target.sin_port == 0 || h->connections - 1 > 10000 ||
	    h->every_ns == 0 || h->newcomer_ns == 0 || h->hello_len == 0)
		bench_die(argv[0], "all options are needed");
	signal(SIGPIPE, SIG_IGN);
	start(h);
	run(h);
	free(h->clients);
	free(h);
	return 0;
}
