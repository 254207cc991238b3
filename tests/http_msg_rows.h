#ifndef TESTS_HTTP_MSG_ROWS_H
#define TESTS_HTTP_MSG_ROWS_H

#include "base/str.h"

#define OCTETS(s) STR_INIT(s)

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define H "Host: h\r\n"
#define CHUNKED "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"

/*
 * A row is what a peer sends until it closes. want has, for each message that
 * came out, `METHOD target` or the status, then `1.0` or `1.1`, `keep` or
 * `close` and the body in brackets; then, for an error, its name and the
 * status a server answers with.
 */
struct row {
	const char *name;
	struct str in;
	const char *want;
};

static const struct row requests[] = {
	{ "GET", OCTETS("GET /a?b=c HTTP/1.1\r\n" H "\r\n"),
	  "GET /a?b=c 1.1 keep [];" },
	{ "body by Content-Length",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"),
	  "POST /a 1.1 keep [abc];" },
	{ "leading zeros are digits",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 003\r\n\r\nabc"),
	  "POST /a 1.1 keep [abc];" },
	{ "GET with a body, as some CSEs retarget",
	  OCTETS("GET /a HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}"),
	  "GET /a 1.1 keep [{}];" },
	{ "chunks", OCTETS(CHUNKED "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
	  "POST /a 1.1 keep [abc];" },
	{ "no chunk", OCTETS(CHUNKED "0\r\n\r\n"),
	  "POST /a 1.1 keep [];" },
	{ "chunk extensions are skipped",
	  OCTETS(CHUNKED "2;a=\"d\"\r\nab\r\n0;x\r\n\r\n"),
	  "POST /a 1.1 keep [ab];" },
	{ "trailers are dropped",
	  OCTETS(CHUNKED "2\r\nab\r\n0\r\nX-M2M-RSC: 2000\r\nA:\r\n\r\n"),
	  "POST /a 1.1 keep [ab];" },
	{ "coding in any case",
	  OCTETS("POST /a HTTP/1.1\r\n" H
		 "transfer-encoding:\t \tCHUNKED \r\n\r\n0\r\n\r\n"),
	  "POST /a 1.1 keep [];" },
	{ "Connection: close",
	  OCTETS("GET /a HTTP/1.1\r\n" H "Connection: x, Close\r\n\r\n"),
	  "GET /a 1.1 close [];" },
	{ "other connection options",
	  OCTETS("GET /a HTTP/1.1\r\n" H "Connection: closed\r\n\r\n"),
	  "GET /a 1.1 keep [];" },
	{ "HTTP/1.0 closes and needs no Host",
	  OCTETS("GET /a HTTP/1.0\r\n\r\n"), "GET /a 1.0 close [];" },
	{ "HTTP/1.0 keep-alive",
	  OCTETS("GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
	  "GET /a 1.0 keep [];" },
	{ "close beats keep-alive",
	  OCTETS("GET /a HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"),
	  "GET /a 1.0 close [];" },
	{ "two requests in one segment",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx"
		 "GET /b HTTP/1.1\r\n" H "\r\n"),
	  "POST /a 1.1 keep [x];GET /b 1.1 keep [];" },
	{ "empty lines before a request (RFC 9112 2.2)",
	  OCTETS("\r\n\r\nGET /a HTTP/1.1\r\n" H "\r\n\r\n"),
	  "GET /a 1.1 keep [];" },
	{ "only empty lines", OCTETS("\r\n\r\n"), "" },
	{ "half an empty line", OCTETS("\r"), "" },
	{ "nothing", OCTETS(""), "" },
	{ "obs-text in a value",
	  OCTETS("GET /a HTTP/1.1\r\n" H "X: \xc3\xa4\r\n\r\n"),
	  "GET /a 1.1 keep [];" },
	{ "an upgrade ends with its head",
	  OCTETS("GET / HTTP/1.1\r\n" H "Upgrade: websocket\r\n"
		 "Connection: Upgrade\r\n\r\n"),
	  "GET / 1.1 keep [];" },
	{ "h2c offered beside a body is no upgrade of ours",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Upgrade: h2c\r\nConnection: "
		 "Upgrade\r\nContent-Length: 1\r\n\r\nx"
		 "GET /b HTTP/1.1\r\n" H "\r\n"),
	  "POST /a 1.1 keep [x];GET /b 1.1 keep [];" },

	/* start line */
	{ "HTTP/0.9", OCTETS("GET /a\r\n"), "ERR_PROTO 400" },
	{ "HTTP/0.9 in words", OCTETS("GET /a HTTP/0.9\r\n"),
	  "ERR_PROTO 505" },
	{ "HTTP/2.0", OCTETS("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	  "ERR_PROTO 505" },
	{ "HTTP/1.2", OCTETS("GET /a HTTP/1.2\r\n"), "ERR_PROTO 505" },
	{ "HTTP/1.10", OCTETS("GET /a HTTP/1.10\r\n"), "ERR_PROTO 400" },
	{ "HTTP/1", OCTETS("GET /a HTTP/1\r\n"), "ERR_PROTO 400" },
	{ "HTTP/1,1", OCTETS("GET /a HTTP/1,1\r\n"), "ERR_PROTO 400" },
	{ "HTTP/x.1", OCTETS("GET /a HTTP/x.1\r\n"), "ERR_PROTO 400" },
	{ "HTTP/1.x", OCTETS("GET /a HTTP/1.x\r\n"), "ERR_PROTO 400" },
	{ "http/1.1", OCTETS("GET /a http/1.1\r\n"), "ERR_PROTO 400" },
	{ "RTSP", OCTETS("PLAY /a RTSP/1.0\r\n"), "ERR_PROTO 400" },
	{ "no target", OCTETS("GET HTTP/1.1\r\n"), "ERR_PROTO 400" },
	{ "two spaces", OCTETS("GET  /a HTTP/1.1\r\n"), "ERR_PROTO 400" },
	{ "space behind", OCTETS("GET /a HTTP/1.1 \r\n"), "ERR_PROTO 400" },
	{ "space in the target", OCTETS("GET /a b HTTP/1.1\r\n"),
	  "ERR_PROTO 400" },
	{ "tab for a space", OCTETS("GET\t/a HTTP/1.1\r\n"),
	  "ERR_PROTO 400" },
	{ "one word", OCTETS("GET\r\n"), "ERR_PROTO 400" },
	{ "unknown method",
	  OCTETS("FROB /a HTTP/1.1\r\n" H "\r\n"), "ERR_PROTO 501" },
	{ "methods have a case",
	  OCTETS("get /a HTTP/1.1\r\n" H "\r\n"), "ERR_PROTO 501" },
	{ "method is no token", OCTETS("G(T /a HTTP/1.1\r\n"),
	  "ERR_PROTO 400" },
	{ "CONNECT", OCTETS("CONNECT h:80 HTTP/1.1\r\n"), "ERR_PROTO 501" },
	{ "absolute-form", OCTETS("GET http://h/a HTTP/1.1\r\n"),
	  "ERR_PROTO 400" },
	{ "authority-form", OCTETS("GET h:80 HTTP/1.1\r\n"),
	  "ERR_PROTO 400" },
	{ "asterisk-form", OCTETS("OPTIONS * HTTP/1.1\r\n"),
	  "ERR_PROTO 400" },
	{ "no leading slash", OCTETS("POST cse-in/ae HTTP/1.1\r\n"),
	  "ERR_PROTO 400" },
	{ "empty target", OCTETS("GET  HTTP/1.1\r\n"), "ERR_PROTO 400" },
	{ "fragment", OCTETS("GET /a#b HTTP/1.1\r\n"), "ERR_PROTO 400" },
	{ "tab in the target", OCTETS("GET /a\tb HTTP/1.1\r\n"),
	  "ERR_PROTO 400" },
	{ "raw non-ASCII in the target",
	  OCTETS("GET /\xc3\xa4 HTTP/1.1\r\n"), "ERR_PROTO 400" },
	{ "DEL in the target", OCTETS("GET /\x7f HTTP/1.1\r\n"),
	  "ERR_PROTO 400" },
	{ "TLS", OCTETS("\x16\x03\x01\x02"), "ERR_PROTO 400" },
	{ "space first", OCTETS(" GET /a HTTP/1.1\r\n"), "ERR_PROTO 400" },

	/* lines */
	{ "obs-fold", OCTETS("GET /a HTTP/1.1\r\nX: a\r\n b\r\n"),
	  "ERR_PROTO 400" },
	{ "obs-fold by tab", OCTETS("GET /a HTTP/1.1\r\nX: a\r\n\tb\r\n"),
	  "ERR_PROTO 400" },
	{ "fold behind the start line",
	  OCTETS("GET /a HTTP/1.1\r\n Host: h\r\n"), "ERR_PROTO 400" },
	{ "bare LF behind the start line",
	  OCTETS("GET /a HTTP/1.1\nHost: h\r\n\r\n"), "ERR_PROTO 400" },
	{ "bare LF behind a header",
	  OCTETS("GET /a HTTP/1.1\r\nHost: h\n\r\n"), "ERR_PROTO 400" },
	{ "bare LF for the empty line",
	  OCTETS("GET /a HTTP/1.1\r\n" H "\n"), "ERR_PROTO 400" },
	{ "bare LF first", OCTETS("\nGET /a HTTP/1.1\r\n" H "\r\n"),
	  "ERR_PROTO 400" },
	{ "bare CR in a value",
	  OCTETS("GET /a HTTP/1.1\r\nX: a\rb\r\n"), "ERR_PROTO 400" },
	{ "bare CR for the empty line (CVE-2023-30589)",
	  OCTETS("GET /a HTTP/1.1\r\n" H "\rX"), "ERR_PROTO 400" },
	{ "CR CR LF", OCTETS("GET /a HTTP/1.1\r\nX: a\r\r\n"),
	  "ERR_PROTO 400" },
	{ "NUL", OCTETS("GET /a HTTP/1.1\r\nX: a\0b\r\n"),
	  "ERR_PROTO 400" },
	{ "control", OCTETS("GET /a HTTP/1.1\r\nX: a\x01\r\n"),
	  "ERR_PROTO 400" },
	{ "DEL", OCTETS("GET /a HTTP/1.1\r\nX: a\x7f\r\n"),
	  "ERR_PROTO 400" },

	/* header names */
	{ "no colon", OCTETS("GET /a HTTP/1.1\r\n" H "abc\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "no name", OCTETS("GET /a HTTP/1.1\r\n" H ": x\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "space before the colon",
	  OCTETS("GET /a HTTP/1.1\r\nHost : h\r\n\r\n"), "ERR_PROTO 400" },
	{ "name is no token",
	  OCTETS("GET /a HTTP/1.1\r\n" H "A(b: x\r\n\r\n"),
	  "ERR_PROTO 400" },

	/* Host (RFC 9112 3.2) */
	{ "no Host", OCTETS("GET /a HTTP/1.1\r\n\r\n"), "ERR_PROTO 400" },
	{ "two Hosts", OCTETS("GET /a HTTP/1.1\r\n" H H "\r\n"),
	  "ERR_PROTO 400" },
	{ "two Hosts in HTTP/1.0", OCTETS("GET /a HTTP/1.0\r\n" H H "\r\n"),
	  "ERR_PROTO 400" },

	/* framing */
	{ "Content-Length repeated",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 1\r\n"
		 "Content-Length: 1\r\n\r\nx"), "ERR_PROTO 400" },
	{ "Content-Length as list",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "Content-Length with plus",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "Content-Length with minus",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "Content-Length with a space inside",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "Content-Length in hex",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "Content-Length empty",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length:\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "Content-Length above 2^64",
	  OCTETS("POST /a HTTP/1.1\r\n" H
		 "Content-Length: 18446744073709551617\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "Content-Length, then Transfer-Encoding",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 5\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "Transfer-Encoding, then Content-Length",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		 "Content-Length: 5\r\n\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "Transfer-Encoding beside Content-Length: 0",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 0\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "gzip", OCTETS("POST /a HTTP/1.1\r\n" H
			 "Transfer-Encoding: gzip\r\n\r\n"),
	  "ERR_PROTO 501" },
	{ "gzip, chunked",
	  OCTETS("POST /a HTTP/1.1\r\n" H
		 "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
	  "ERR_PROTO 501" },
	{ "chunked, gzip",
	  OCTETS("POST /a HTTP/1.1\r\n" H
		 "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "xchunked",
	  OCTETS("POST /a HTTP/1.1\r\n" H
		 "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
	  "ERR_PROTO 501" },
	{ "empty coding",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n"),
	  "ERR_PROTO 501" },
	{ "chunked twice",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "gzip, then chunked in a header of its own",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	  "ERR_PROTO 501" },
	{ "chunked in HTTP/1.0",
	  OCTETS("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "0\r\n\r\n"), "ERR_PROTO 400" },
	{ "upgrade to WebSocket with a body",
	  OCTETS("GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\n"
		 "Upgrade: x, WebSocket\r\nContent-Length: 1\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "upgrade to WebSocket with chunks",
	  OCTETS("GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: "
		 "websocket\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  "ERR_PROTO 400" },

	/* chunks and trailers */
	{ "chunk size in words", OCTETS(CHUNKED "0x2\r\nab\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "chunk size empty", OCTETS(CHUNKED "\r\nab\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "chunk size negative", OCTETS(CHUNKED "-2\r\nab\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "chunk size above 2^64",
	  OCTETS(CHUNKED "10000000000000002\r\nab\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "chunk line by bare LF", OCTETS(CHUNKED "2\nab\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "extension by bare LF", OCTETS(CHUNKED "2;a\nab\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "extension with CR", OCTETS(CHUNKED "2;a\rX\r\nab\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "chunk without CRLF (CVE-2025-23167)",
	  OCTETS(CHUNKED "2\r\nabXX0\r\n\r\n"), "ERR_PROTO 400" },
	{ "chunk ended by bare LF", OCTETS(CHUNKED "2\r\nab\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "trailers ended by bare LF",
	  OCTETS(CHUNKED "0\r\nA: b\r\n\nGET /b HTTP/1.1\r\n" H "\r\n"),
	  "ERR_PROTO 400" },
	{ "last chunk ended by bare LF", OCTETS(CHUNKED "0\r\n\n"),
	  "ERR_PROTO 400" },
	{ "trailer by bare LF", OCTETS(CHUNKED "0\r\nA: b\n\r\n"),
	  "ERR_PROTO 400" },
	{ "trailer folded", OCTETS(CHUNKED "0\r\nA: b\r\n c\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "trailer without a name", OCTETS(CHUNKED "0\r\n: b\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "trailer without a colon", OCTETS(CHUNKED "0\r\nab\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "trailer with NUL", OCTETS(CHUNKED "0\r\nA: \0\r\n\r\n"),
	  "ERR_PROTO 400" },

	/* limits */
	{ "target fills the head",
	  OCTETS("GET /" A64 A64 A64 A64), "ERR_LIMIT 414" },
	{ "headers fill the head",
	  OCTETS("GET /a HTTP/1.1\r\nA: " A64 A64 A64 A64),
	  "ERR_LIMIT 431" },
	{ "empty lines fill the head",
	  OCTETS("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
		 "GET /a HTTP/1.1\r\nA: " A64 A64 A64 A64 "\r\n\r\n"),
	  "ERR_LIMIT 431" },
	{ "six headers",
	  OCTETS("GET /a HTTP/1.1\r\n" H
		 "A: \r\nB:\r\nC:\r\nD:\r\nE:\r\n\r\n"),
	  "GET /a 1.1 keep [];" },
	{ "seven headers",
	  OCTETS("GET /a HTTP/1.1\r\n" H
		 "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\n"), "ERR_LIMIT 431" },
	{ "body of 32",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 32\r\n\r\n"
		 "abcdefghijklmnopqrstuvwxyzabcdef"),
	  "POST /a 1.1 keep [abcdefghijklmnopqrstuvwxyzabcdef];" },
	{ "33 announced",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 33\r\n\r\n"),
	  "ERR_LIMIT 413" },
	{ "33 in a chunk announced", OCTETS(CHUNKED "21\r\n"),
	  "ERR_LIMIT 413" },
	{ "33 in two chunks announced",
	  OCTETS(CHUNKED "1\r\na\r\n20\r\n"), "ERR_LIMIT 413" },
	{ "chunk size of many zeros",
	  OCTETS(CHUNKED "00000000000000000000000000000000000000000000000000"
		 "00000000000000000000000000000000000000000000000000000000"
		 "00000000000000000000000000000000000000000000000000000000"
		 "00000000000000000000000000000000000000000000000002"),
	  "ERR_LIMIT 431" },
	{ "chunk extensions without end",
	  OCTETS(CHUNKED "1;" A64 A64 A64 A64), "ERR_LIMIT 431" },
	{ "too long comes before malformed",
	  OCTETS(CHUNKED "1;" A64 A64 A64 A64 "\r\naXX"), "ERR_LIMIT 431" },
	{ "trailers without end",
	  OCTETS(CHUNKED "0\r\nA: " A64 A64 A64 A64), "ERR_LIMIT 431" },

	/* cut off */
	{ "cut off in the head", OCTETS("GET /a HTTP/1.1\r\nHo"),
	  "ERR_PROTO 400" },
	{ "cut off in the body",
	  OCTETS("POST /a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab"),
	  "ERR_PROTO 400" },
	{ "cut off in a chunk", OCTETS(CHUNKED "3\r\nab"), "ERR_PROTO 400" },
	{ "cut off in the trailers", OCTETS(CHUNKED "0\r\n"),
	  "ERR_PROTO 400" },
};

static const struct row responses[] = {
	{ "an answer", OCTETS("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
	  "200 1.1 keep [{}];" },
	{ "no reason", OCTETS("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
	  "200 1.1 keep [];" },
	{ "empty reason", OCTETS("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"),
	  "200 1.1 keep [];" },
	{ "reason with spaces, tab and obs-text",
	  OCTETS("HTTP/1.1 400 Gr\xc3\xbc\xc3\x9f e\t!\r\n"
		 "Content-Length: 0\r\n\r\n"), "400 1.1 keep [];" },
	{ "read until close", OCTETS("HTTP/1.1 200 OK\r\n\r\nabc"),
	  "200 1.1 close [abc];" },
	{ "204", OCTETS("HTTP/1.1 204 No Content\r\n\r\n"),
	  "204 1.1 keep [];" },
	{ "304", OCTETS("HTTP/1.1 304 Not Modified\r\n\r\n"),
	  "304 1.1 keep [];" },
	{ "interim answers are skipped",
	  OCTETS("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
		 "Link: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n"
		 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
	  "200 1.1 keep [x];" },
	{ "two answers in one segment",
	  OCTETS("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
		 "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
	  "200 1.1 keep [x];201 1.1 keep [];" },
	{ "HTTP/1.0", OCTETS("HTTP/1.0 200 OK\r\n\r\nx"),
	  "200 1.0 close [x];" },
	{ "HTTP/1.0 keep-alive",
	  OCTETS("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n"
		 "Connection: keep-alive\r\n\r\nx"), "200 1.0 keep [x];" },
	{ "keep-alive without a length closes",
	  OCTETS("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"),
	  "200 1.1 close [];" },
	{ "Upgrade outside 101 is information",
	  OCTETS("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\nContent-Length: 1\r\n\r\nx"),
	  "426 1.1 keep [x];" },

	/* in the manner of running CSEs */
	{ "WSGI server capitalises",
	  OCTETS("HTTP/1.1 201 Created\r\nContent-Length: 14\r\nContent-Type: "
		 "application/json\r\nDate: Mon, 02 Nov 2026 08:00:00 GMT\r\n"
		 "Via: w\r\nX-M2m-Ri: q1\r\nX-M2m-Rsc: 2001\r\n\r\n"
		 "{\"m2m:cnt\":{}}"), "201 1.1 keep [{\"m2m:cnt\":{}}];" },
	{ "CRLF behind the body",
	  OCTETS("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2"
		 "\r\nX-M2M-RSC: 2000\r\n\r\n{}\r\n"), "200 1.1 close [{}];" },
	{ "Connection: Close, no length, no body",
	  OCTETS("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Type: "
		 "application/json\r\nX-M2M-RSC: 2002\r\n\r\n"),
	  "200 1.1 close [];" },
	{ "chunked JSON",
	  OCTETS("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		 "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n"
		 "e\r\n{\"m2m:cnt\":{}}\r\n0\r\n\r\n"),
	  "200 1.1 keep [{\"m2m:cnt\":{}}];" },
	{ "100, then the answer, in one segment",
	  OCTETS("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 CREATED\r\n"
		 "Server: dev/2\r\nContent-Length: 2\r\nConnection: close"
		 "\r\n\r\n{}"), "201 1.1 close [{}];" },
	{ "no body for the error",
	  OCTETS("HTTP/1.1 500 Internal Server Error\r\nServer: n\r\n"
		 "Content-Length: 0\r\n\r\n"), "500 1.1 keep [];" },

	{ "unexpected 101",
	  OCTETS("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\n\r\nHTTP/1.1 200 OK\r\n"
		 "Content-Length: 0\r\n\r\n"), "ERR_PROTO 400" },
	{ "interim without a final answer",
	  OCTETS("HTTP/1.1 100 Continue\r\n\r\n"), "ERR_PROTO 400" },
	{ "100 with a body",
	  OCTETS("HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "204 with a body",
	  OCTETS("HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "204 with chunks",
	  OCTETS("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n"
		 "\r\n0\r\n\r\n"), "ERR_PROTO 400" },
	{ "304 with a body",
	  OCTETS("HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\n\r\nx"),
	  "ERR_PROTO 400" },
	{ "status 99", OCTETS("HTTP/1.1 099 X\r\n"), "ERR_PROTO 400" },
	{ "status 600", OCTETS("HTTP/1.1 600 X\r\n"), "ERR_PROTO 400" },
	{ "status of two digits", OCTETS("HTTP/1.1 20 X\r\n"),
	  "ERR_PROTO 400" },
	{ "status of four digits", OCTETS("HTTP/1.1 2000 X\r\n"),
	  "ERR_PROTO 400" },
	{ "status in letters", OCTETS("HTTP/1.1 2oo OK\r\n"),
	  "ERR_PROTO 400" },
	{ "no status", OCTETS("HTTP/1.1\r\n"), "ERR_PROTO 400" },
	{ "two spaces", OCTETS("HTTP/1.1  200 OK\r\n"), "ERR_PROTO 400" },
	{ "HTTP/2.0", OCTETS("HTTP/2.0 200 OK\r\n"), "ERR_PROTO 505" },
	{ "HTTP/1.2", OCTETS("HTTP/1.2 200 OK\r\n"), "ERR_PROTO 505" },
	{ "a request", OCTETS("GET /a HTTP/1.1\r\n"), "ERR_PROTO 400" },
	{ "obs-fold", OCTETS("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n"),
	  "ERR_PROTO 400" },
	{ "bare CR", OCTETS("HTTP/1.1 200 OK\r\nA: b\rc\r\n"),
	  "ERR_PROTO 400" },
	{ "NUL in the reason", OCTETS("HTTP/1.1 200 O\0K\r\n"),
	  "ERR_PROTO 400" },
	{ "Content-Length repeated",
	  OCTETS("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
		 "Content-Length: 1\r\n\r\nx"), "ERR_PROTO 400" },
	{ "Content-Length beside Transfer-Encoding",
	  OCTETS("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "gzip", OCTETS("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx"),
	  "ERR_PROTO 501" },
	{ "chunked in HTTP/1.0",
	  OCTETS("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  "ERR_PROTO 400" },
	{ "33 octets until close",
	  OCTETS("HTTP/1.1 200 OK\r\n\r\nabcdefghijklmnopqrstuvwxyzabcdefg"),
	  "ERR_LIMIT 413" },
	{ "status line fills the head",
	  OCTETS("HTTP/1.1 200 " A64 A64 A64 A64), "ERR_LIMIT 431" },
	{ "interim answers without end",
	  OCTETS("HTTP/1.1 102 " A64 "\r\n\r\nHTTP/1.1 102 " A64 "\r\n\r\n"
		 "HTTP/1.1 102 " A64 "\r\n\r\nHTTP/1.1 102 " A64 "\r\n\r\n"),
	  "ERR_LIMIT 431" },
	{ "cut off in the body",
	  OCTETS("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"),
	  "ERR_PROTO 400" },
};

#endif
