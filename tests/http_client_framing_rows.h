#ifndef TESTS_HTTP_CLIENT_FRAMING_ROWS_H
#define TESTS_HTTP_CLIENT_FRAMING_ROWS_H

#include "http_client_row.h"

/* How the server frames and ends its answers. */
static const struct row framing_rows[] = {
	{
		.name = "a kept-alive connection is used again",
		.program = "+a =1 *b =2 +c",
		.heard = "a=200:<a> b=200:<b> c=200:<c>",
		.seen = "0a 0b 0c",
		.opened = 1,
	},
	{
		.name = "the connection used last is used next",
		.program = "+a +b =2 +c =3 +d",
		.scripts = {
			SCRIPT(READ, SAY(ANSWER), READ, SAY(ANSWER)),
			SCRIPT(READ, HEARD(1), SAY(ANSWER), READ, SAY(ANSWER),
			       READ, SAY(ANSWER)),
		},
		.heard = "a=200:<a> b=200:<b> c=200:<c> d=200:<d>",
		.seen = "0a 1b 1c 1d",
		.opened = 2,
	},
	{
		.name = "Connection: close after every answer",
		.program = "+a =1 +b =2 *c",
		.scripts = {
			SCRIPT(READ, SAY(CLOSE_ANSWER), FIN),
			SCRIPT(READ, SAY(CLOSE_ANSWER), FIN),
			SCRIPT(READ, SAY(CLOSE_ANSWER), FIN),
		},
		.heard = "a=200:<a> b=200:<b> c=200:<c>",
		.seen = "0a 1b 2c",
		.opened = 3,
	},
	{
		.name = "Connection: close, though the server does not",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY(CLOSE_ANSWER), READ) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 1b",
		.opened = 2,
	},
	{
		.name = "HTTP/1.0 closes by itself",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY("HTTP/1.0 200 OK\r\n"
					      "Content-Length: 3\r\n\r\n<%I>"),
				    READ) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 1b",
		.opened = 2,
	},
	{
		.name = "the end of the connection ends the body",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY("HTTP/1.1 200 OK\r\n\r\n<%I>"),
				    SAY("more"), FIN) },
		.heard = "a=200:<a>more b=200:<b>",
		.seen = "0a 1b",
		.opened = 2,
	},
	{
		.name = "an older answer, ended by the end, is refused too",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY(ANSWER), READ,
				    SAY("HTTP/1.1 200 OK\r\nX-M2M-RI: %P\r\n"
					"\r\n<%P>"), FIN) },
		.heard = "a=200:<a> b!PROTO",
		.opened = 1,
		.poisoned = 1,
	},
	{
		.name = "a reset does not end a body",
		.program = "+a",
		.scripts = { SCRIPT(READ, SAY("HTTP/1.1 200 OK\r\n\r\n<%I>"),
				    RST) },
		.heard = "a!PROTO",
		.opened = 1,
		.poisoned = 1,
	},
	{
		.name = "chunked",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ,
				    SAY("HTTP/1.1 200 OK\r\nX-M2M-RI: %I\r\n"
					"Transfer-Encoding: chunked\r\n\r\n"
					"1\r\n<\r\n"), SAY("2;x=y\r\n%I>\r\n"),
				    SAY("0\r\n\r\n"), READ, SAY(ANSWER)) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 0b",
		.opened = 1,
	},
	{
		.name = "interim responses are skipped",
		.program = "*a =1 +b",
		.scripts = { SCRIPT(READ, SAY("HTTP/1.1 100 Continue\r\n\r\n"),
				    SAY("HTTP/1.1 103 Early Hints\r\n"
					"Link: <x>\r\n\r\n"), SAY(ANSWER),
				    READ, SAY(ANSWER)) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 0b",
		.opened = 1,
	},
	{
		.name = "an interim response is a beginning: no repetition",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY(ANSWER), READ,
				    SAY("HTTP/1.1 100 Continue\r\n\r\n"),
				    FIN) },
		.heard = "a=200:<a> b!PROTO",
		.opened = 1,
		.poisoned = 1,
	},
	{
		.name = "204 has no body",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY("HTTP/1.1 204 None\r\n\r\n"),
				    READ, SAY(ANSWER)) },
		.heard = "a=204: b=200:<b>",
		.seen = "0a 0b",
		.opened = 1,
	},
	{
		.name = "101 was not asked for",
		.program = "+a",
		.scripts = { SCRIPT(READ,
				    SAY("HTTP/1.1 101 Switching Protocols\r\n"
					"Upgrade: x\r\nConnection: upgrade\r\n"
					"\r\n")) },
		.heard = "a!PROTO",
		.opened = 1,
		.poisoned = 1,
	},
	{
		.name = "octet by octet",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, DRIP(ANSWER), READ, DRIP(ANSWER)) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 0b",
		.opened = 1,
	},
	{
		.name = "CRLF after the body (tinyIoT)",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY(ANSWER "\r\n"), READ) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 1b",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "a second response in the same segment",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY(ANSWER ANSWER), READ) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 1b",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "a second response while idle",
		.program = "+a =1 . +b",
		.scripts = { SCRIPT(READ, SAY(ANSWER), HEARD(1), SAY(ANSWER),
				    READ) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 1b",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "a second response in the kernel when we send",
		.program = "+a =1 *b",
		.scripts = { SCRIPT(READ, SAY(ANSWER), HEARD(1), SAY(ANSWER),
				    READ) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 1b",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "a second response after the next request: echo",
		.program = "+a =1 +b =2 +c",
		.scripts = { SCRIPT(READ, SAY(ANSWER), READ, SAY(OLD_ANSWER)) },
		.heard = "a=200:<a> b!PROTO c=200:<c>",
		.seen = "0a 0b 1c",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "the echo of a request on another connection",
		.program = "+a ~1 +b =2 +c",
		.scripts = {
			SCRIPT(READ, HEARD(1),
			       SAY("HTTP/1.1 200 OK\r\nX-M2M-RI: b\r\n"
				   "Content-Length: 3\r\n\r\n<b>")),
			SCRIPT(READ, SAY(ANSWER), READ, SAY(ANSWER)),
		},
		.heard = "b=200:<b> a!PROTO c=200:<c>",
		.seen = "0a 1b 1c",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "an echo nobody sent: taken, but once",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ,
				    SAY("HTTP/1.1 200 OK\r\nX-M2M-RI: zz\r\n"
					"Content-Length: 3\r\n\r\n<%I>"),
				    READ) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 1b",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "an echo from two answers ago",
		.program = "+a =1 +b =2 +c",
		.scripts = { SCRIPT(READ, SAY(ANSWER), READ, SAY(ANSWER), READ,
				    SAY("HTTP/1.1 200 OK\r\nX-M2M-RI: a\r\n"
					"Content-Length: 3\r\n\r\n<a>")) },
		.heard = "a=200:<a> b=200:<b> c!PROTO",
		.seen = "0a 0b 0c",
		.opened = 1,
		.poisoned = 1,
	},
	{
		.name = "an echo nobody sent, after good ones: taken",
		.program = "+a =1 +b =2 +c",
		.scripts = { SCRIPT(READ, SAY(ANSWER), READ,
				    SAY("HTTP/1.1 400 Bad\r\nX-M2M-RI: None\r\n"
					"Content-Length: 3\r\n\r\n<%I>")) },
		.heard = "a=200:<a> b=400:<b> c=200:<c>",
		.seen = "0a 0b 1c",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "no echo is no sign",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY("HTTP/1.1 200 OK\r\n"
					      "Content-Length: 3\r\n\r\n<%I>"),
				    READ, SAY(ANSWER)) },
		.heard = "a=200:<a> b=200:<b>",
		.seen = "0a 0b",
		.opened = 1,
	},
	{
		.name = "the same id twice is its own echo",
		.program = "+a =1 +a",
		.heard = "a=200:<a> a=200:<a>",
		.seen = "0a 0a",
		.opened = 1,
	},
	{
		.name = "a short body",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY("HTTP/1.1 200 OK\r\n"
					      "Content-Length: 9\r\n\r\n<%I>"),
				    FIN) },
		.heard = "a!PROTO b=200:<b>",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "a head cut off",
		.program = "+a",
		.scripts = { SCRIPT(READ, SAY("HTTP/1.1 200"), FIN) },
		.heard = "a!PROTO",
		.opened = 1,
		.poisoned = 1,
	},
	{
		.name = "garbage",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY("\x15\x03\x01\r\n\r\n")) },
		.heard = "a!PROTO b=200:<b>",
		.seen = "0a 1b",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "two lengths",
		.program = "+a",
		.scripts = { SCRIPT(READ, SAY(HEAD_WITH(
						"Content-Length: 9\r\n"))) },
		.heard = "a!PROTO",
		.opened = 1,
		.poisoned = 1,
	},
	{
		.name = "the head is too large",
		.program = "+a =1 +b",
		.scripts = { SCRIPT(READ, SAY(HEAD_WITH(
					"X: " TEN(TEN("01234567")) "\r\n"))) },
		.heard = "a!LIMIT b=200:<b>",
		.opened = 2,
		.poisoned = 1,
	},
	{
		.name = "too many headers",
		.program = "+a",
		.scripts = { SCRIPT(READ, SAY(HEAD_WITH(TEN("X: 1\r\n")
							TEN("Y: 1\r\n")))) },
		.heard = "a!LIMIT",
		.opened = 1,
		.poisoned = 1,
	},
	{
		.name = "the body is too large",
		.program = "+a",
		.scripts = { SCRIPT(READ, SAY("HTTP/1.1 200 OK\r\n"
					      "Content-Length: 101\r\n\r\n")) },
		.heard = "a!LIMIT",
		.opened = 1,
		.poisoned = 1,
	},
	{
		.name = "the body grows too large in chunks",
		.program = "+a",
		.scripts = { SCRIPT(READ, SAY("HTTP/1.1 200 OK\r\n"
					      "Transfer-Encoding: chunked\r\n"
					      "\r\n3c\r\n" TEN("123456") "\r\n"
					      "3c\r\n" TEN("123456")
					      "\r\n")) },
		.heard = "a!LIMIT",
		.opened = 1,
		.poisoned = 1,
	},
};

#endif
