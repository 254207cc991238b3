/*
 * Credentials of a handshake: the first line is an Authorization header, or
 * empty, the rest, line by line, sub-protocols. What is taken has two parts, in one of
 * the three forms, and what is refused leaves nothing behind.
 */
#include "gateway/proof.h"
#include "http_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(const struct proof *p, struct str s)
{
	return s.p >= p->text && s.p + s.len <= p->text + PROOF_MAX;
}

static void check(const struct proof *p)
{
	char separator = p->kind == CREDENTIAL_TOKEN ? '.' : ':';

	fuzz_need(p->kind == CREDENTIAL_TOKEN ||
		  p->kind == CREDENTIAL_PASSWORD);
	fuzz_need(is_inside(p, p->name) && is_inside(p, p->secret));
	fuzz_need(p->name.len > 0 && p->secret.len > 0);
	fuzz_need(p->secret.len <= SECRET_MAX);
	fuzz_need(memchr(p->name.p, separator, p->name.len) == NULL);
	fuzz_need(p->secret.p == p->name.p + p->name.len + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, line;
	struct http_header headers[9];
	struct http_msg req = { .headers = headers };
	struct str name = STR("Authorization");
	struct proof p;
	bool more;

	do {
		more = str_cut(rest, '\n', &line, &rest);
		headers[req.header_count].name = name;
		headers[req.header_count].value = str_trim(line);
		req.header_count += line.len > 0;
		name = STR("Sec-WebSocket-Protocol");
	} while (more && req.header_count < ARRAY_LEN(headers));
	if (proof_read(&p, &req) != 0) {
		for (size_t i = 0; i < sizeof(p); i++)
			fuzz_need(((const char *)&p)[i] == 0);
	} else if (p.given) {
		check(&p);
	} else {
		fuzz_need(p.name.len == 0 && p.secret.len == 0);
	}
	return 0;
}
