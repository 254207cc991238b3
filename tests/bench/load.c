/*
 * The load generator: N connections, K requests in flight on each, a closed
 * loop, one thread. Every request has its own rqi; every answer must be the
 * success that was asked for, carry the rqi of a request that waits for it
 * and, over HTTP, come in the order of the requests. Anything else is an error
 * and makes the exit status 1.
 *
 *	load --ws|--http --target ADDR:PORT --connections N --in-flight K
 *	     --requests TOTAL [--active A] [--idle SECONDS] [--op KIND]
 *	     [--to ID] [--fc JSON] [--content JSON] [--numbers FROM-TO]
 *	     [--answer OCTETS]
 *
 * It prints one line of key=value; times are in microseconds, bytes are those
 * of the application's messages. Over HTTP "in flight" is pipelining. With
 * --active only A connections work at one time, each until its share is done.
 * With --idle the connections then stay open, which a line "idle" announces,
 * until stdin ends or the time is over.
 *
 * KIND is create (of a <contentInstance>), retrieve (of one), discover or
 * delete. {c} in ID is the connection, {n} in ID, JSON is a number: FROM, the
 * next one, until TO; for retrieve and discover any of them, at random.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

#define SILENCE_MS    10000	/* a server that answers nothing is broken */
#define IN_FLIGHT_MAX 256	/* two hexadecimal digits of the rqi */
#define ANSWER_MAX    (1u << 20)
#define DEFAULT_TO    "cb1/meter7/temp"

struct slot {
	uint64_t sent_ns;
	uint32_t seq;
	bool waits;
};

struct conn {
	struct load *load;
	unsigned index;
	int fd;			/* -1: given up */
	bool wants_out;		/* EPOLLOUT is armed */

	uint64_t quota;		/* requests of this connection */
	uint64_t sent;
	uint64_t done;
	struct slot *slots;

	size_t in_len;
	size_t out_len;
	char *in;
	char *out;
};

struct load {
	const struct wire *wire;
	struct ask ask;
	struct sockaddr_in target;
	unsigned connections;
	unsigned in_flight;
	unsigned active;
	unsigned idle_s;
	uint64_t requests;
	uint64_t from, to;	/* --numbers */
	size_t answer_max;

	int epoll;
	struct conn *conns;	/* owned */
	uint32_t *latency_us;	/* owned; one per answer */
	size_t in_size;
	size_t out_size;

	uint64_t number;	/* the next one, or the state of a generator */
	unsigned started;
	unsigned finished;
	uint64_t done;
	uint64_t errors;
	uint64_t bytes_out;
	uint64_t bytes_in;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* One connection */

/* Reads go anywhere (xorshift64), writes go on. */
static uint64_t load_number(struct load *l)
{
	uint64_t n = l->number;

	if (l->ask.kind->op != 2)
		return l->from + l->number++;
	n ^= n << 13;
	n ^= n >> 7;
	n ^= n << 17;
	l->number = n;
	return l->from + n % (l->to - l->from + 1);
}

static void conn_request(struct conn *c, unsigned slot)
{
	struct load *l = c->load;
	struct slot *s = &c->slots[slot];
	struct ask_copy copy = { .conn = c->index, .slot = slot };
	char text[ASK_TEXT_MAX];
	struct span request = { text, 0 };

	if (c->sent == c->quota)
		return;
	s->waits = true;
	s->seq = copy.seq = (uint32_t)c->sent++;
	s->sent_ns = now_ns();
	copy.number = load_number(l);
	request.len = ask_fill(text, &l->ask, &copy);
	c->out_len += l->wire->put(c->out + c->out_len, request);
}

/* The next connection may work when one is done; see --active. */
static void load_start(struct load *l);

static void conn_finish(struct conn *c)
{
	c->load->finished++;
	load_start(c->load);
}

static void conn_fail(struct conn *c, const char *why)
{
	uint64_t left = c->quota - c->done;

	if (c->load->errors == 0)
		fprintf(stderr, "connection %u, answer %llu: %s\n", c->index,
			(unsigned long long)c->done, why);
	c->load->errors += left ? left : 1;
	close(c->fd);
	c->fd = -1;
	c->in_len = c->out_len = 0;
	if (left > 0)
		conn_finish(c);
}

static bool conn_flush(struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	ssize_t n = 0;

	if (c->out_len > 0)
		n = write(c->fd, c->out, c->out_len);
	if (n < 0 && errno != EAGAIN)
		return false;
	if (n > 0) {
		c->load->bytes_out += (size_t)n;
		c->out_len -= (size_t)n;
		memmove(c->out, c->out + n, c->out_len);
	}
	if (c->wants_out == (c->out_len > 0))
		return true;
	c->wants_out = c->out_len > 0;
	if (c->wants_out)
		ev.events |= EPOLLOUT;
	return epoll_ctl(c->load->epoll, EPOLL_CTL_MOD, c->fd, &ev) == 0;
}

/* The slot whose request has this rqi, or -1. */
static int conn_match(const struct conn *c, struct span rqi)
{
	int slot = ask_rqi_slot(rqi);
	char want[ASK_RQI_LEN];

	if (slot < 0 || (unsigned)slot >= c->load->in_flight ||
	    !c->slots[slot].waits)
		return -1;
	ask_rqi(want, c->index, (unsigned)slot, c->slots[slot].seq);
	return memcmp(want, rqi.p, sizeof(want)) == 0 ? slot : -1;
}

static const char *conn_accept(struct conn *c, const struct wire_answer *a,
			       uint64_t now)
{
	struct load *l = c->load;
	int slot = conn_match(c, a->rqi);

	if (a->wrong)
		return a->wrong;
	if (slot < 0)
		return "an rqi that nobody waits for";
	/* Slots are taken in turn and again as soon as they are free. */
	if (l->wire->in_order && (uint64_t)slot != c->done % l->in_flight)
		return "an answer out of order";
	c->slots[slot].waits = false;
	l->latency_us[l->done++] =
		(uint32_t)((now - c->slots[slot].sent_ns) / 1000);
	c->done++;
	conn_request(c, (unsigned)slot);
	return NULL;
}

static const char *conn_pong(struct conn *c, struct span ping)
{
	if (c->load->out_size - c->out_len < WIRE_CONTROL_MAX)
		return "more than one Ping at a time";
	c->out_len += wire_ws_frame(c->out + c->out_len, WIRE_PONG, ping);
	return NULL;
}

/* NULL, or what the server did wrong. */
static const char *conn_take_all(struct conn *c)
{
	struct span in = { c->in, c->in_len };
	uint64_t now = now_ns();
	const char *wrong = NULL;
	struct wire_answer a;

	while (in.len > 0 && wrong == NULL) {
		a = c->load->wire->take(in, c->load->ask.kind);
		if (a.len == 0 && a.wrong == NULL)
			break;
		wrong = a.ping.p ? conn_pong(c, a.ping) :
				   conn_accept(c, &a, now);
		in.p += a.len;
		in.len -= a.len;
	}
	memmove(c->in, in.p, in.len);
	c->in_len = in.len;
	if (wrong == NULL && in.len == c->load->in_size)
		wrong = "an answer that is too long";
	return wrong;
}

static void on_event(struct conn *c, uint32_t events)
{
	size_t room = c->load->in_size - c->in_len;
	bool worked = c->done < c->quota;
	const char *wrong = NULL;
	ssize_t n;

	if (events & ~(uint32_t)EPOLLOUT) {
		n = read(c->fd, c->in + c->in_len, room);
		if (n <= 0 && (n == 0 || errno != EAGAIN)) {
			conn_fail(c, n ? strerror(errno) : "closed by peer");
			return;
		}
		c->in_len += n > 0 ? (size_t)n : 0;
		c->load->bytes_in += n > 0 ? (size_t)n : 0;
		wrong = conn_take_all(c);
	}
	if (wrong == NULL && !conn_flush(c))
		wrong = strerror(errno);
	if (wrong)
		conn_fail(c, wrong);
	else if (worked && c->done == c->quota)
		conn_finish(c);
}

static void conn_hello(struct conn *c)
{
	struct span hello = c->load->wire->hello, in = { c->in, 0 };
	ssize_t n;

	if (hello.len == 0)
		return;
	if (write(c->fd, hello.p, hello.len) != (ssize_t)hello.len)
		bench_die("handshake", strerror(errno));
	while (bench_head(in).p == NULL) {
		n = read(c->fd, c->in + in.len, c->load->in_size - in.len);
		if (n <= 0)
			bench_die("handshake", n ? strerror(errno) : "closed");
		in.len += (size_t)n;
	}
	if (!wire_ws_accepted(in))
		bench_die("handshake", "refused");
}

static void conn_open(struct conn *c)
{
	struct timeval limit = { .tv_sec = SILENCE_MS / 1000 };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	struct load *l = c->load;

	c->in = malloc(l->in_size);
	c->out = malloc(l->out_size);
	c->slots = calloc(l->in_flight, sizeof(*c->slots));
	if (c->in == NULL || c->out == NULL || c->slots == NULL)
		bench_die("connection", "out of memory");
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0)
		bench_die("socket", strerror(errno));
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(c->fd, (struct sockaddr *)&l->target,
		    sizeof(l->target)) != 0)
		bench_die("connect", strerror(errno));
	bench_no_delay(c->fd);
	conn_hello(c);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		bench_die("epoll", strerror(errno));
}

/* All connections */

static void load_start(struct load *l)
{
	struct conn *c;

	while (l->started < l->connections &&
	       l->started < l->finished + l->active) {
		c = &l->conns[l->started++];
		if (c->fd < 0)
			continue;
		for (unsigned i = 0; i < l->in_flight; i++)
			conn_request(c, i);
		if (!conn_flush(c)) {
			conn_fail(c, strerror(errno));
			return;
		}
	}
}

static void load_open(struct load *l)
{
	l->epoll = epoll_create1(0);
	l->conns = calloc(l->connections, sizeof(*l->conns));
	l->latency_us = calloc(l->requests, sizeof(*l->latency_us));
	if (l->epoll < 0 || l->conns == NULL || l->latency_us == NULL)
		bench_die("start", strerror(errno));
	l->wire->make(&l->ask);
	l->number = l->ask.kind->op == 2;
	l->in_size = l->in_flight * l->answer_max;
	l->out_size = l->in_flight * WIRE_REQUEST_MAX + WIRE_CONTROL_MAX;
	for (unsigned i = 0; i < l->connections; i++) {
		l->conns[i].load = l;
		l->conns[i].index = i;
		l->conns[i].quota = l->requests / l->connections +
				    (i < l->requests % l->connections);
		conn_open(&l->conns[i]);
	}
}

/* False: nothing happened for wait_ms, or stdin, if watched, has ended. */
static bool load_turn(struct load *l, int wait_ms)
{
	struct epoll_event ready[256];
	struct conn *c;
	char byte;
	int n = epoll_wait(l->epoll, ready, 256, wait_ms);

	for (int i = 0; i < n; i++) {
		c = ready[i].data.ptr;
		if (c == NULL && read(STDIN_FILENO, &byte, 1) <= 0)
			return false;
		if (c != NULL && c->fd >= 0)
			on_event(c, ready[i].events);
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

static void load_run(struct load *l)
{
	load_start(l);
	while (l->finished < l->connections)
		if (!load_turn(l, SILENCE_MS))
			break;
	if (l->finished == l->connections)
		return;
	l->errors = l->requests - l->done;
	fprintf(stderr, "no answer for %d ms\n", SILENCE_MS);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static unsigned load_percentile(const struct load *l, unsigned percent)
{
	if (l->done == 0)
		return 0;
	return l->latency_us[(l->done - 1) * percent / 100];
}

static void load_report(struct load *l, uint64_t wall_ns)
{
	double wall = (double)wall_ns / 1e9;

	qsort(l->latency_us, l->done, sizeof(*l->latency_us), by_value);
	printf("requests=%llu errors=%llu wall=%.3f rate=%.0f p50=%u p99=%u "
	       "max=%u bytes_out=%llu bytes_in=%llu\n",
	       (unsigned long long)l->done, (unsigned long long)l->errors,
	       wall, (double)l->done / wall, load_percentile(l, 50),
	       load_percentile(l, 99), load_percentile(l, 100),
	       (unsigned long long)l->bytes_out,
	       (unsigned long long)l->bytes_in);
	fflush(stdout);
}

static void load_idle(struct load *l)
{
	struct epoll_event ev = { .events = EPOLLIN };
	uint64_t end = now_ns() + l->idle_s * UINT64_C(1000000000), now;

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &ev) != 0)
		bench_die("--idle", "stdin must be a pipe or a terminal");
	puts("idle");
	fflush(stdout);
	while ((now = now_ns()) < end)
		if (!load_turn(l, (int)((end - now) / 1000000 + 1)))
			break;
}

static void load_close(struct load *l)
{
	for (unsigned i = 0; i < l->connections; i++) {
		if (l->conns[i].fd >= 0)
			close(l->conns[i].fd);
		free(l->conns[i].slots);
		free(l->conns[i].in);
		free(l->conns[i].out);
	}
	close(l->epoll);
	free(l->latency_us);
	free(l->conns);
}

static unsigned count(const char *name, const char *text, unsigned max)
{
	long n = bench_number((struct span){ text, strlen(text) });

	if (n < 1 || (unsigned long)n > max)
		bench_die(name, "out of range");
	return (unsigned)n;
}

static const struct option options[] = {
	{ "ws",		 no_argument,	    NULL, 'w' },
	{ "http",	 no_argument,	    NULL, 'h' },
	{ "target",	 required_argument, NULL, 't' },
	{ "connections", required_argument, NULL, 'c' },
	{ "in-flight",	 required_argument, NULL, 'f' },
	{ "requests",	 required_argument, NULL, 'r' },
	{ "active",	 required_argument, NULL, 'a' },
	{ "idle",	 required_argument, NULL, 'i' },
	{ "op",		 required_argument, NULL, 'o' },
	{ "to",		 required_argument, NULL, 'T' },
	{ "fc",		 required_argument, NULL, 'F' },
	{ "content",	 required_argument, NULL, 'p' },
	{ "numbers",	 required_argument, NULL, 'n' },
	{ "answer",	 required_argument, NULL, 'b' },
	{ NULL,		 0,		    NULL, 0 },
};

static void load_numbers(struct load *l, const char *text)
{
	char *dash, *end;

	l->from = strtoull(text, &dash, 10);
	if (*dash != '-')
		bench_die("--numbers", "want FROM-TO");
	l->to = strtoull(dash + 1, &end, 10);
	if (*end != '\0' || l->to < l->from)
		bench_die("--numbers", "want FROM-TO");
}

static void load_option(struct load *l, int opt)
{
	switch (opt) {
	case 'w':
		l->wire = &wire_ws;
		break;
	case 'h':
		l->wire = &wire_http;
		break;
	case 't':
		l->target = bench_addr(optarg);
		break;
	case 'c':
		l->connections = count("--connections", optarg, 65535);
		break;
	case 'f':
		l->in_flight = count("--in-flight", optarg, IN_FLIGHT_MAX);
		break;
	case 'r':
		l->requests = count("--requests", optarg, 100000000);
		break;
	case 'a':
		l->active = count("--active", optarg, 65535);
		break;
	case 'i':
		l->idle_s = count("--idle", optarg, 86400);
		break;
	case 'o':
		l->ask.kind = ask_find(optarg);
		break;
	case 'T':
		l->ask.to = optarg;
		break;
	case 'F':
		l->ask.fc = optarg;
		break;
	case 'p':
		l->ask.content = optarg;
		break;
	case 'n':
		load_numbers(l, optarg);
		break;
	case 'b':
		l->answer_max = count("--answer", optarg, ANSWER_MAX);
		break;
	default:
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct load l = {
		.ask = { .kind = ask_find("create"), .to = DEFAULT_TO },
		.connections = 1,
		.in_flight = 1,
		.active = 65535,
		.to = UINT32_MAX,
		.answer_max = 1024,
	};
	uint64_t start;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		load_option(&l, opt);
	if (l.wire == NULL || l.target.sin_port == 0 ||
	    l.requests < l.connections)
		bench_die(argv[0], "want --ws or --http, --target and at least "
				   "as many --requests as --connections");
	signal(SIGPIPE, SIG_IGN);
	load_open(&l);
	start = now_ns();
	load_run(&l);
	load_report(&l, now_ns() - start);
	if (l.idle_s > 0)
		load_idle(&l);
	load_close(&l);
	return l.errors > 0;
}
