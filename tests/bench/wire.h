#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

/*
 * The messages of the load generator, bytes to bytes: one operation, CREATE
 * <contentInstance>, as a TS-0009 HTTP request and as a TS-0020 JSON
 * primitive in a masked frame, and what the answers to it say.
 */

#include "bench.h"

#define WIRE_REQUEST_MAX 512
#define WIRE_ANSWER_MAX	 1024
#define WIRE_CONTROL_MAX 131	/* a masked control frame */

/* Fields of fixed width, written over these marks. */
#define WIRE_FR	 "CCCCCC"
#define WIRE_RQI "RRRRRRRRRRRRRRRRRR"

#define WIRE_FR_LEN  (sizeof(WIRE_FR) - 1)
#define WIRE_RQI_LEN (sizeof(WIRE_RQI) - 1)

/* What one message of the server says. */
struct wire_answer {
	size_t len;		/* bytes to take; 0: not whole yet */
	const char *wrong;	/* why it is none that was asked for */
	struct span rqi;
	struct span ping;	/* p is not NULL: a Ping, and no answer */
};

struct wire {
	bool in_order;		/* answers come as the requests went */
	struct span hello;	/* sent first, unless it is empty */
	struct span request;
	/* Bytes written; to has room for WIRE_REQUEST_MAX. */
	size_t (*put)(char *to, struct span request);
	struct wire_answer (*take)(struct span in);
};

#define WIRE_CONTENT                                           \
	"{\"m2m:cin\":{\"cnf\":\"text/plain:0\",\"con\":\"02"  \
	"1.50\",\"lbl\":[\"unit:\302\260C\"]}}"
#define WIRE_CONTENT_LENGTH "68"

_Static_assert(sizeof(WIRE_CONTENT) - 1 == 68, "WIRE_CONTENT_LENGTH differs");

static inline void wire_hex(char *to, uint32_t value, unsigned digits)
{
	while (digits-- > 0) {
		to[digits] = "0123456789abcdef"[value & 15];
		value >>= 4;
	}
}

/* -1: not hexadecimal. */
static inline int wire_hex_value(const char *p, unsigned digits)
{
	int value = 0;

	while (digits-- > 0) {
		if (*p >= '0' && *p <= '9')
			value = value * 16 + (*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			value = value * 16 + (*p - 'a') + 10;
		else
			return -1;
		p++;
	}
	return value;
}

/* Each connection is another AE, as one entity has one session. */
static inline void wire_fr(char *to, unsigned conn)
{
	memcpy(to, "Cm", 2);
	wire_hex(to + 2, conn, 4);
}

static inline void wire_rqi(char *to, unsigned conn, unsigned slot,
			    uint32_t seq)
{
	memcpy(to, "r-0000-00-", 10);
	wire_hex(to + 2, conn, 4);
	wire_hex(to + 7, slot, 2);
	wire_hex(to + 10, seq, 8);
}

/* The slot that a wire_rqi() names, or -1. */
static inline int wire_rqi_slot(struct span rqi)
{
	if (rqi.p == NULL || rqi.len != WIRE_RQI_LEN)
		return -1;
	return wire_hex_value(rqi.p + 7, 2);
}

static inline size_t wire_http_put(char *to, struct span request)
{
	memcpy(to, request.p, request.len);
	return request.len;
}

static inline struct wire_answer wire_http_take(struct span in)
{
	struct span head = bench_head(in), status, rsc;
	struct wire_answer a = { 0 };
	long body;

	if (head.p == NULL)
		return a;
	status = bench_find(head, SPAN("HTTP/1.1 201"));
	rsc = bench_header(head, SPAN("X-M2M-RSC"));
	body = bench_number(bench_header(head, SPAN("Content-Length")));
	if (status.p != head.p)
		a.wrong = "the status is not 201";
	else if (bench_number(rsc) != 2001)
		a.wrong = "X-M2M-RSC is not 2001";
	else if (body <= 0)
		a.wrong = "no content, or its length is not stated";
	else if (in.len < head.len + (size_t)body)
		return a;
	a.len = a.wrong ? in.len : head.len + (size_t)body;
	a.rqi = bench_header(head, SPAN("X-M2M-RI"));
	return a;
}

#define WIRE_TEXT 0x81		/* FIN, opcode 1 */
#define WIRE_PING 0x89
#define WIRE_PONG 0x8a

/* One key is enough: to unmask costs the same for each. */
static const unsigned char wire_mask[4] = { 0x5a, 0x17, 0xc3, 0x9e };

/* The answer that RFC 6455, 1.3 gives for the key of the hello below. */
#define WIRE_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static inline bool wire_ws_accepted(struct span head)
{
	struct span accept = bench_header(head, SPAN("Sec-WebSocket-Accept"));

	return bench_find(head, SPAN("HTTP/1.1 101")).p == head.p &&
	       accept.len == sizeof(WIRE_ACCEPT) - 1 &&
	       memcmp(accept.p, WIRE_ACCEPT, accept.len) == 0;
}

static inline size_t wire_ws_frame(char *out, unsigned char op,
				   struct span data)
{
	unsigned char *to = (unsigned char *)out;
	size_t head = data.len < 126 ? 2 : 4;

	to[0] = op;
	to[1] = (unsigned char)(0x80 | (data.len < 126 ? data.len : 126));
	if (data.len >= 126) {
		to[2] = (unsigned char)(data.len >> 8);
		to[3] = (unsigned char)data.len;
	}
	memcpy(to + head, wire_mask, 4);
	to += head + 4;
	for (size_t i = 0; i < data.len; i++)
		to[i] = (unsigned char)data.p[i] ^ wire_mask[i & 3];
	return head + 4 + data.len;
}

static inline size_t wire_ws_put(char *to, struct span request)
{
	return wire_ws_frame(to, WIRE_TEXT, request);
}

/* A frame's payload; p is NULL until it is whole. */
static inline struct span wire_ws_payload(struct span in)
{
	const unsigned char *p = (const unsigned char *)in.p;
	struct span none = { NULL, 0 };
	size_t len, head = 2;

	if (in.len < 2)
		return none;
	len = p[1];
	if (len == 126) {
		if (in.len < 4)
			return none;
		len = (size_t)p[2] << 8 | p[3];
		head = 4;
	}
	if (in.len < head + len)
		return none;
	return (struct span){ in.p + head, len };
}

/* A member's string value, without escapes, as no rqi of ours needs one. */
static inline struct span wire_json_string(struct span in, struct span before)
{
	struct span at = bench_find(in, before);
	const char *p, *end;

	if (at.p == NULL)
		return at;
	p = at.p + at.len;
	end = memchr(p, '"', in.len - (size_t)(p - in.p));
	return (struct span){ end ? p : NULL, end ? (size_t)(end - p) : 0 };
}

static inline const char *wire_ws_wrong(unsigned char op, struct span msg)
{
	if (op != WIRE_TEXT)
		return "a frame that is no whole text message";
	if (bench_find(msg, SPAN("\"rsc\":2001")).p == NULL)
		return "rsc is not 2001";
	if (bench_find(msg, SPAN("\"pc\":{\"m2m:cin\"")).p == NULL)
		return "no content";
	return NULL;
}

static inline struct wire_answer wire_ws_take(struct span in)
{
	struct wire_answer a = { 0 };
	struct span msg;

	if (in.len >= 2 && (unsigned char)in.p[1] > 126) {
		a.wrong = "a frame that is masked or above 64 KiB";
		return a;
	}
	msg = wire_ws_payload(in);
	if (msg.p == NULL)
		return a;
	a.len = (size_t)(msg.p - in.p) + msg.len;
	if ((unsigned char)in.p[0] == WIRE_PING) {
		a.ping = msg;
		return a;
	}
	a.wrong = wire_ws_wrong((unsigned char)in.p[0], msg);
	a.rqi = wire_json_string(msg, SPAN("\"rqi\":\""));
	return a;
}

static const struct wire wire_http = {
	.in_order = true,
	.request = SPAN("POST /cb1/meter7/temp HTTP/1.1\r\n"
			"Host: localhost\r\n"
			"X-M2M-Origin: " WIRE_FR "\r\n"
			"X-M2M-RI: " WIRE_RQI "\r\n"
			"X-M2M-RVI: 3\r\n"
			"Accept: application/json\r\n"
			"Content-Type: application/json;ty=4\r\n"
			"Content-Length: " WIRE_CONTENT_LENGTH "\r\n"
			"\r\n" WIRE_CONTENT),
	.put = wire_http_put,
	.take = wire_http_take,
};

static const struct wire wire_ws = {
	.hello = SPAN("GET / HTTP/1.1\r\n"
		      "Host: localhost\r\n"
		      "Upgrade: websocket\r\n"
		      "Connection: Upgrade\r\n"
		      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		      "Sec-WebSocket-Version: 13\r\n"
		      "Sec-WebSocket-Protocol: oneM2M.json\r\n"
		      "\r\n"),
	.request = SPAN("{\"op\":1,\"to\":\"cb1/meter7/temp\","
			"\"fr\":\"" WIRE_FR "\",\"rqi\":\"" WIRE_RQI "\","
			"\"rvi\":\"3\",\"ty\":4,\"pc\":" WIRE_CONTENT "}"),
	.put = wire_ws_put,
	.take = wire_ws_take,
};

#endif
