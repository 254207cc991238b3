#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

/*
 * The messages of the load generator, bytes to bytes: requests as they are in
 * HTTP or in a masked frame, and what the answers to them say.
 */

#include "ask.h"

#define WIRE_REQUEST_MAX (ASK_TEXT_MAX + 8)	/* a frame has a head */
#define WIRE_CONTROL_MAX 131	/* a masked control frame */

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
	void (*make)(struct ask *a);
	/* Bytes written; to has room for WIRE_REQUEST_MAX. */
	size_t (*put)(char *to, struct span request);
	struct wire_answer (*take)(struct span in, const struct ask_kind *k);
};

static inline size_t wire_http_put(char *to, struct span request)
{
	memcpy(to, request.p, request.len);
	return request.len;
}

static inline const char *wire_http_wrong(struct span head,
					  const struct ask_kind *k)
{
	struct span rsc = bench_header(head, SPAN("X-M2M-RSC"));

	if (!bench_starts(head, SPAN("HTTP/1.1 ")) ||
	    !bench_starts((struct span){ head.p + 9, head.len - 9 },
			  k->status))
		return "not the status of a success";
	if (rsc.len != k->rsc.len || !bench_starts(rsc, k->rsc))
		return "not the X-M2M-RSC of a success";
	return NULL;
}

static inline struct wire_answer wire_http_take(struct span in,
						const struct ask_kind *k)
{
	struct span head = bench_head(in), body;
	struct wire_answer a = { 0 };
	long length;

	if (head.p == NULL)
		return a;
	length = bench_number(bench_header(head, SPAN("Content-Length")));
	a.wrong = wire_http_wrong(head, k);
	if (a.wrong == NULL && length < 0)
		a.wrong = "the length of the content is not stated";
	if (a.wrong == NULL && in.len < head.len + (size_t)length)
		return a;
	body = (struct span){ in.p + head.len, (size_t)length };
	if (a.wrong == NULL && !bench_starts(body, k->has))
		a.wrong = "not the content that was asked for";
	a.len = a.wrong ? in.len : head.len + (size_t)length;
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

static inline bool wire_json_has(struct span in, struct span name,
				 struct span value)
{
	struct span at = bench_find(in, name);

	if (at.p == NULL)
		return value.len == 0;
	at.p += name.len;
	at.len = in.len - (size_t)(at.p - in.p);
	return bench_starts(at, value);
}

static inline const char *wire_ws_wrong(unsigned char op, struct span msg,
					const struct ask_kind *k)
{
	if (op != WIRE_TEXT)
		return "a frame that is no whole text message";
	if (!wire_json_has(msg, SPAN("\"rsc\":"), k->rsc))
		return "not the rsc of a success";
	if (!wire_json_has(msg, SPAN("\"pc\":"), k->has))
		return "not the content that was asked for";
	return NULL;
}

static inline struct wire_answer wire_ws_take(struct span in,
					      const struct ask_kind *k)
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
	a.wrong = wire_ws_wrong((unsigned char)in.p[0], msg, k);
	a.rqi = wire_json_string(msg, SPAN("\"rqi\":\""));
	return a;
}

static const struct wire wire_http = {
	.in_order = true,
	.make = ask_make_http,
	.put = wire_http_put,
	.take = wire_http_take,
};

static const struct wire wire_ws = {
	.hello = SPAN_INIT("GET / HTTP/1.1\r\n"
			   "Host: localhost\r\n"
			   "Upgrade: websocket\r\n"
			   "Connection: Upgrade\r\n"
			   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			   "Sec-WebSocket-Version: 13\r\n"
			   "Sec-WebSocket-Protocol: oneM2M.json\r\n"
			   "\r\n"),
	.make = ask_make_ws,
	.put = wire_ws_put,
	.take = wire_ws_take,
};

#endif
