/*
 * A lamp as an AE on a small device: it registers, reports that it is off, and
 * waits until somebody switches it on.
 *
 *	cc -o lamp lamp.c && ./lamp [HOST [PORT [NAME]]]
 *
 * Sockets and fixed buffers are all that it takes, as lwIP on an ESP32 has
 * them; there is no heap and no library. On an ESP32, esp_fill_random() stands
 * for getrandom(), and mbedTLS between this and the socket makes it wss:.
 */
#define _DEFAULT_SOURCE

#include <netdb.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };

enum { CREATED = 2001, DELETED = 2002 };

/* The key of RFC 6455 1.3: its answer is known, so that no SHA-1 is needed. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

struct lamp {
	int fd;
	const char *name;
	unsigned last;			/* rqi of the last request */
	char in[2048];			/* one message, as a string */
	char out[768];
};

static void fail(const char *why)
{
	fprintf(stderr, "lamp: %s\n", why);
	exit(1);
}

static void write_all(int fd, const void *data, size_t len)
{
	for (const char *p = data; len > 0;) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			fail("the connection is lost");
		p += n;
		len -= (size_t)n;
	}
}

static void read_all(int fd, void *data, size_t len)
{
	for (char *p = data; len > 0;) {
		ssize_t n = recv(fd, p, len, 0);

		if (n <= 0)
			fail("the connection is lost");
		p += n;
		len -= (size_t)n;
	}
}

static int connect_to(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int fd;

	if (getaddrinfo(host, port, &hints, &list) != 0)
		fail("no such host");
	fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
	if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) != 0)
		fail("nobody listens there");
	freeaddrinfo(list);
	return fd;
}

/* By single octets: what follows the head is a frame already. */
static void open_websocket(struct lamp *l, const char *host, const char *port)
{
	size_t n = 0;
	int len = snprintf(l->out, sizeof(l->out),
			   "GET / HTTP/1.1\r\nHost: %s:%s\r\n"
			   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			   "Sec-WebSocket-Key: " KEY "\r\n"
			   "Sec-WebSocket-Version: 13\r\n"
			   "Sec-WebSocket-Protocol: oneM2M.json\r\n\r\n",
			   host, port);

	if (len < 0 || (size_t)len >= sizeof(l->out))
		fail("the host's name is too long");
	write_all(l->fd, l->out, (size_t)len);
	while (n < 4 || memcmp(l->in + n - 4, "\r\n\r\n", 4) != 0) {
		if (n == sizeof(l->in) - 1)
			fail("the answer is too long");
		read_all(l->fd, l->in + n++, 1);
	}
	l->in[n] = '\0';
	if (strncmp(l->in, "HTTP/1.1 101 ", 13) != 0 ||
	    strstr(l->in, ": " ACCEPT "\r\n") == NULL)
		fail("refused");
}

/* A client's frames are masked, here in place; a message of ours is one. */
static void send_frame(struct lamp *l, int opcode, char *data, size_t len)
{
	uint8_t head[8] = { (uint8_t)(0x80 | opcode) }, *mask;
	size_t n = 2;

	head[1] = (uint8_t)(0x80 | (len < 126 ? len : 126));
	if (len >= 126) {
		head[n++] = (uint8_t)(len >> 8);
		head[n++] = (uint8_t)len;
	}
	mask = head + n;
	if (getrandom(mask, 4, 0) != 4)
		fail("no random octets");
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(data[i] ^ mask[i % 4]);
	write_all(l->fd, head, n + 4);
	write_all(l->fd, data, len);
}

__attribute__((format(printf, 2, 3)))
static void send_text(struct lamp *l, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(l->out, sizeof(l->out), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(l->out))
		fail("a message is too long");
	send_frame(l, TEXT, l->out, (size_t)len);
}

/* Of a control frame, or a piece of a message; at `at` of the buffer. */
static int read_frame(struct lamp *l, size_t at, size_t *len, bool *last)
{
	uint8_t head[2], more[2];

	read_all(l->fd, head, 2);
	*last = (head[0] & 0x80) != 0;
	*len = head[1];
	if (*len == 126) {
		read_all(l->fd, more, 2);
		*len = (size_t)more[0] << 8 | more[1];
	}
	/* 127 and a masked one are above this, too */
	if (head[1] > 126 || *len >= sizeof(l->in) - at)
		fail("a message is larger than the buffer");
	read_all(l->fd, l->in + at, *len);
	return head[0] & 0x0f;
}

/* The next whole message, in l->in. */
static void receive(struct lamp *l)
{
	size_t n = 0, len;
	bool last;
	int opcode;

	for (;;) {
		opcode = read_frame(l, n, &len, &last);
		if (opcode == CLOSE)
			fail("the gateway closed the WebSocket");
		if (opcode == PING)
			send_frame(l, PONG, l->in + n, len);
		if (opcode >= CLOSE)
			continue;
		n += len;
		if (last)
			break;
	}
	l->in[n] = '\0';
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p)
{
	for (p++; *p != '\0' && *p != '"'; p++)
		if (*p == '\\' && p[1] != '\0')
			p++;
	return *p == '"' ? p + 1 : p;
}

/* The value of a member of the object at p; NULL: it has none, or is none. */
static const char *member(const char *p, const char *name)
{
	size_t len = strlen(name);
	int depth = 0;

	for (const char *from = p; p != NULL && *p != '\0'; from = p) {
		if (*p != '"') {
			depth += (*p == '{' || *p == '[') -
				 (*p == '}' || *p == ']');
			if (depth == 0)
				return NULL;
			p++;
			continue;
		}
		p = skip_string(p);
		if (depth == 1 && (size_t)(p - from) == len + 2 &&
		    memcmp(from + 1, name, len) == 0 && *skip_space(p) == ':')
			return skip_space(skip_space(p) + 1);
	}
	return NULL;
}

/* A request is answered: it has arrived. True: that was one. */
static bool answer(struct lamp *l)
{
	const char *rqi = member(l->in, "rqi");

	if (member(l->in, "op") == NULL)
		return false;
	if (rqi != NULL && *rqi == '"')
		send_text(l, "{\"rsc\":2000,\"rqi\":%.*s,\"rvi\":\"3\"}",
			  (int)(skip_string(rqi) - rqi), rqi);
	return true;
}

/* more: the members of the request beside those that all have. */
__attribute__((format(printf, 4, 5)))
static void ask(struct lamp *l, int op, int want, const char *more, ...)
{
	char text[512];
	const char *rsc;
	va_list args;

	va_start(args, more);
	vsnprintf(text, sizeof(text), more, args);
	va_end(args);
	send_text(l, "{\"op\":%d,\"fr\":\"C%s\",\"rqi\":\"%u\",\"rvi\":\"3\","
		  "\"rcn\":0,%s}", op, l->name, ++l->last, text);
	do
		receive(l);
	while (answer(l));
	rsc = member(l->in, "rsc");
	if (rsc == NULL || atoi(rsc) != want)
		fail(l->in);
}

static void live(struct lamp *l)
{
	static const char *const path[] = {
		"pc", "m2m:sgn", "nev", "rep", "m2m:cin", "con",
	};
	const char *n = l->name, *con = NULL;

	ask(l, 1, CREATED, "\"to\":\"cse-in\",\"ty\":2,\"pc\":{\"m2m:ae\":{"
	    "\"rn\":\"%s\",\"api\":\"N.lamp\",\"rr\":true,"
	    "\"srv\":[\"3\"]}}", n);
	printf("registered C%s\n", n);
	ask(l, 1, CREATED, "\"to\":\"cse-in/%s\",\"ty\":3,\"pc\":{\"m2m:cnt\":{"
	    "\"rn\":\"switch\"}}", n);
	ask(l, 1, CREATED, "\"to\":\"cse-in/%s/switch\",\"ty\":4,\"pc\":{"
	    "\"m2m:cin\":{\"con\":\"off\"}}", n);
	puts("reported off");
	ask(l, 1, CREATED, "\"to\":\"cse-in/%s/switch\",\"ty\":23,\"pc\":{"
	    "\"m2m:sub\":{\"nu\":[\"C%s\"],\"enc\":{\"net\":[3]}}}", n, n);
	puts("listening");
	while (con == NULL) {
		receive(l);
		con = l->in;
		for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
			con = member(con, path[i]);
		answer(l);
	}
	printf("heard %.*s\n", (int)(skip_string(con) - con) - 2, con + 1);
	ask(l, 4, DELETED, "\"to\":\"cse-in/%s\"", n);
	puts("gone");
	send_frame(l, CLOSE, (char[]){ 0x03, (char)0xe8 }, 2);
}

int main(int argc, char **argv)
{
	static struct lamp l;
	const char *host = argc > 1 ? argv[1] : "127.0.0.1";
	const char *port = argc > 2 ? argv[2] : "8180";

	setvbuf(stdout, NULL, _IOLBF, 0);
	l.name = argc > 3 ? argv[3] : "lamp";
	l.fd = connect_to(host, port);
	open_websocket(&l, host, port);
	live(&l);
	return 0;
}
