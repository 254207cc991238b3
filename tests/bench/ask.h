#ifndef BENCH_ASK_H
#define BENCH_ASK_H

/*
 * What the load generator asks for: an operation as a request in TS-0009 HTTP
 * and as a TS-0020 JSON primitive, and what a good answer to it says. A
 * request is a text with marks, which each copy of it fills in:
 *
 *	{c}	the connection, four hexadecimal digits
 *	{r}	the rqi
 *	{n}	a number of --numbers
 */

#include "bench.h"

#define ASK_TEXT_MAX 512	/* of a request, with its marks filled in */
#define ASK_PIECES   16

/* Each connection is another AE, as one entity has one session. */
#define ASK_FR	     "Cm{c}"
#define ASK_RQI_LEN  18

/* An operation. */
struct ask_kind {
	const char *name;
	int op;
	const char *method;
	const char *ty;			/* of a CREATE, else "" */
	struct span rsc, status;	/* of a good answer */
	struct span has;		/* its content begins like that */
	const char *content;		/* as long as no other is given */
};

static const struct ask_kind ask_kinds[] = {
	{ "create", 1, "POST", "4", SPAN_INIT("2001"), SPAN_INIT("201"),
	  SPAN_INIT("{\"m2m:cin\":"),
	  "{\"m2m:cin\":{\"cnf\":\"text/plain:0\",\"con\":\"021.50\","
	  "\"lbl\":[\"unit:\302\260C\"]}}" },
	{ "retrieve", 2, "GET", "", SPAN_INIT("2000"), SPAN_INIT("200"),
	  SPAN_INIT("{\"m2m:cin\":"), "" },
	{ "discover", 2, "GET", "", SPAN_INIT("2000"), SPAN_INIT("200"),
	  SPAN_INIT("{\"m2m:uril\":["), "" },
	{ "delete", 4, "DELETE", "", SPAN_INIT("2002"), SPAN_INIT("200"),
	  SPAN_INIT(""), "" },
};

/* A span of the text, and the mark behind it; '\0': none. */
struct ask_piece {
	struct span text;
	char mark;
};

struct ask {
	const struct ask_kind *kind;
	const char *to;
	const char *content;		/* NULL: the kind's */
	const char *fc;			/* of a RETRIEVE, JSON; or NULL */

	char text[ASK_TEXT_MAX];
	struct ask_piece pieces[ASK_PIECES];
	size_t count;
};

static inline const struct ask_kind *ask_find(const char *name)
{
	size_t n = sizeof(ask_kinds) / sizeof(ask_kinds[0]);

	for (size_t i = 0; i < n; i++)
		if (strcmp(ask_kinds[i].name, name) == 0)
			return &ask_kinds[i];
	bench_die(name, "no such --op");
}

/* ---- the marks ---- */

static inline void ask_hex(char *to, uint32_t value, unsigned digits)
{
	while (digits-- > 0) {
		to[digits] = "0123456789abcdef"[value & 15];
		value >>= 4;
	}
}

/* -1: not hexadecimal. */
static inline int ask_hex_value(const char *p, unsigned digits)
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

static inline void ask_rqi(char *to, unsigned conn, unsigned slot,
			   uint32_t seq)
{
	memcpy(to, "r-0000-00-", 10);
	ask_hex(to + 2, conn, 4);
	ask_hex(to + 7, slot, 2);
	ask_hex(to + 10, seq, 8);
}

/* The slot that an ask_rqi() names, or -1. */
static inline int ask_rqi_slot(struct span rqi)
{
	if (rqi.p == NULL || rqi.len != ASK_RQI_LEN)
		return -1;
	return ask_hex_value(rqi.p + 7, 2);
}

static inline size_t ask_number(char *to, uint64_t n)
{
	char digits[20];
	size_t len = 0;

	do
		digits[len++] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	for (size_t i = 0; i < len; i++)
		to[i] = digits[len - 1 - i];
	return len;
}

/* What the copies of a request differ in. */
struct ask_copy {
	unsigned conn, slot;
	uint32_t seq;
	uint64_t number;
};

static inline size_t ask_mark(char *to, char mark, const struct ask_copy *x)
{
	switch (mark) {
	case 'c':
		ask_hex(to, x->conn, 4);
		return 4;
	case 'r':
		ask_rqi(to, x->conn, x->slot, x->seq);
		return ASK_RQI_LEN;
	case 'n':
		return ask_number(to, x->number);
	default:
		return 0;
	}
}

/* to has room for ASK_TEXT_MAX. */
static inline size_t ask_fill(char *to, const struct ask *a,
			      const struct ask_copy *x)
{
	size_t len = 0;

	for (size_t i = 0; i < a->count; i++) {
		const struct ask_piece *p = &a->pieces[i];

		memcpy(to + len, p->text.p, p->text.len);
		len += p->text.len;
		len += ask_mark(to + len, p->mark, x);
	}
	return len;
}

/* ---- the text ---- */

static inline const char *ask_content(const struct ask *a)
{
	return a->content ? a->content : a->kind->content;
}

/* From the text to its pieces. */
static inline void ask_cut(struct ask *a)
{
	const char *from = a->text, *p;
	struct ask_piece *piece;

	for (p = a->text; *p != '\0'; p++) {
		if (p[0] != '{' || p[1] == '\0' || p[2] != '}' ||
		    strchr("crn", p[1]) == NULL)
			continue;
		if (a->count == ASK_PIECES - 1)
			bench_die(a->to, "too many marks");
		piece = &a->pieces[a->count++];
		piece->text = (struct span){ from, (size_t)(p - from) };
		piece->mark = p[1];
		p += 2;
		from = p + 1;
	}
	piece = &a->pieces[a->count++];
	piece->text = (struct span){ from, (size_t)(p - from) };
}

static inline void ask_make_ws(struct ask *a)
{
	const char *ty = a->kind->ty, *pc = ask_content(a);
	int n = snprintf(a->text, sizeof(a->text),
			 "{\"op\":%d,\"to\":\"%s\",\"fr\":\"" ASK_FR
			 "\",\"rqi\":\"{r}\",\"rvi\":\"3\"%s%s%s%s%s%s}",
			 a->kind->op, a->to, *ty ? ",\"ty\":" : "", ty,
			 a->fc ? ",\"fc\":" : "", a->fc ? a->fc : "",
			 *pc ? ",\"pc\":" : "", pc);

	/* a mark may become longer than it is by some digits */
	if (n < 0 || (size_t)n + 64 > sizeof(a->text))
		bench_die(a->to, "the request is too long");
	ask_cut(a);
}

static inline void ask_make_http(struct ask *a)
{
	const char *ty = a->kind->ty, *pc = ask_content(a);
	char body[96] = "";
	int n;

	if (a->fc || strstr(pc, "{n}") || strstr(pc, "{c}"))
		bench_die(a->to, "--fc, and marks in --content, need --ws");
	if (*pc)
		snprintf(body, sizeof(body),
			 "Content-Type: application/json%s%s\r\n"
			 "Content-Length: %zu\r\n",
			 *ty ? ";ty=" : "", ty, strlen(pc));
	n = snprintf(a->text, sizeof(a->text),
		     "%s /%s HTTP/1.1\r\n"
		     "Host: localhost\r\n"
		     "X-M2M-Origin: " ASK_FR "\r\n"
		     "X-M2M-RI: {r}\r\n"
		     "X-M2M-RVI: 3\r\n"
		     "Accept: application/json\r\n"
		     "%s\r\n%s",
		     a->kind->method, a->to, body, pc);
	if (n < 0 || (size_t)n + 64 > sizeof(a->text))
		bench_die(a->to, "the request is too long");
	ask_cut(a);
}

#endif
