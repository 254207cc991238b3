#include "unit.h"

#include "gateway/proof.h"

#define AUTH(value) { STR_INIT("Authorization"), STR_INIT(value) }
#define OFFER(value) { STR_INIT("sec-websocket-protocol"), STR_INIT(value) }
#define TOKEN "base64url.bearer.authorization.m2m."

/* name NULL: it is refused; "": none was given. */
static const struct {
	const char *rule;
	struct http_header headers[2];
	const char *name, *secret;
	enum credential_kind kind;
} rows[] = {
	{ "none", { OFFER("oneM2M.json, chat") }, "", "", 0 },
	{ "bearer", { AUTH("Bearer me.x_y-z") }, "me", "x_y-z",
	  CREDENTIAL_TOKEN },
	{ "any case, more blanks", { AUTH("bEARER   me.x") }, "me", "x",
	  CREDENTIAL_TOKEN },
	{ "the first dot parts", { AUTH("Bearer me.a.b") }, "me", "a.b",
	  CREDENTIAL_TOKEN },
	{ "no dot", { AUTH("Bearer me") }, NULL, NULL, 0 },
	{ "no name", { AUTH("Bearer .x") }, NULL, NULL, 0 },
	{ "no secret", { AUTH("Bearer me.") }, NULL, NULL, 0 },
	{ "two words", { AUTH("Bearer me.x y") }, NULL, NULL, 0 },
	{ "no ASCII", { AUTH("Bearer me.\xc3\xa4") }, NULL, NULL, 0 },
	{ "no value", { AUTH("Bearer") }, NULL, NULL, 0 },
	{ "empty", { AUTH("") }, NULL, NULL, 0 },
	{ "another scheme", { AUTH("Digest me.x") }, NULL, NULL, 0 },
	{ "basic (RFC 7617 2)", { AUTH("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") },
	  "Aladdin", "open sesame", CREDENTIAL_PASSWORD },
	{ "basic: UTF-8, colons", { AUTH("basic w7xAaDphOmIgw6Q=") },
	  "ü@h", "a:b ä", CREDENTIAL_PASSWORD },
	{ "basic: no colon", { AUTH("Basic bWU=") }, NULL, NULL, 0 },
	{ "basic: no name", { AUTH("Basic Ong=") }, NULL, NULL, 0 },
	{ "basic: no secret", { AUTH("Basic bWU6") }, NULL, NULL, 0 },
	{ "basic: no base64", { AUTH("Basic me:x") }, NULL, NULL, 0 },
	{ "basic: cut off", { AUTH("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=") },
	  NULL, NULL, 0 },
	{ "basic: more behind it", { AUTH("Basic bWU6eA== x") }, NULL, NULL,
	  0 },
	{ "sub-protocol", { OFFER(TOKEN "bWUueA") }, "me", "x",
	  CREDENTIAL_TOKEN },
	{ "among others, of any case",
	  { OFFER("oneM2M.json ,\tBASE64URL.bearer.authorization.m2m.bWUueHg , chat") },
	  "me", "xx", CREDENTIAL_TOKEN },
	{ "the other alphabet", { OFFER(TOKEN "bWUufn5-Pj4-Pz8_") }, "me",
	  "~~~>>>???", CREDENTIAL_TOKEN },
	{ "not that of basic", { OFFER(TOKEN "bWUufn5+Pj4+Pz8/") }, NULL,
	  NULL, 0 },
	{ "padding", { OFFER(TOKEN "bWUueA====") }, NULL, NULL, 0 },
	{ "no token", { OFFER(TOKEN) }, NULL, NULL, 0 },
	{ "one octet too many", { OFFER(TOKEN "bWUueA123") }, NULL, NULL, 0 },
	{ "not encoded", { OFFER(TOKEN "me.x") }, NULL, NULL, 0 },
	{ "a NUL inside", { OFFER(TOKEN "bWUuAA") }, NULL, NULL, 0 },
	{ "another name", { OFFER("base64url.bearer.authorization.k8s.io.bWUueA") },
	  "", "", 0 },
	{ "two headers", { AUTH("Bearer me.x"), AUTH("Bearer me.x") }, NULL,
	  NULL, 0 },
	{ "two sub-protocols", { OFFER(TOKEN "bWUueA," TOKEN "bWUueA") }, NULL,
	  NULL, 0 },
	{ "one of each", { AUTH("Bearer me.x"), OFFER(TOKEN "bWUueA") }, NULL,
	  NULL, 0 },
	{ "one of each, the other way round",
	  { OFFER(TOKEN "bWUueA"), AUTH("Bearer me.x") }, NULL, NULL, 0 },
};

static int read_proof(struct proof *p, const struct http_header *headers)
{
	struct http_msg req = { .headers = headers, .header_count = 2 };

	return proof_read(p, &req);
}

START_TEST(test_rows)
{
	const char *rule = rows[_i].rule;
	struct proof p;
	int err = read_proof(&p, rows[_i].headers);

	ck_assert_msg((err != 0) == (rows[_i].name == NULL), "%s", rule);
	if (err) {
		ck_assert_int_eq(err, ERR_PROTO);
		for (size_t i = 0; i < sizeof(p); i++)
			ck_assert_msg(((char *)&p)[i] == 0, "%s: left", rule);
		return;
	}
	ck_assert_msg(p.given == (rows[_i].name[0] != '\0'), "%s", rule);
	ck_assert_msg(str_eq(p.name, str_of(rows[_i].name)), "%s", rule);
	ck_assert_msg(str_eq(p.secret, str_of(rows[_i].secret)), "%s", rule);
	ck_assert_msg(!p.given || p.kind == rows[_i].kind, "%s", rule);
	proof_wipe(&p);
	ck_assert(!p.given && p.text[0] == '\0');
}
END_TEST

/* Each limit, and one more. */
START_TEST(test_limits)
{
	struct buf text = { 0 };
	struct proof p;

	for (size_t len = SECRET_MAX; len <= SECRET_MAX + 1; len++) {
		struct http_header headers[2] = { AUTH(""), OFFER("") };

		buf_clear(&text);
		buf_add_lit(&text, "Bearer me.");
		for (size_t i = 0; i < len; i++)
			buf_add_char(&text, 'x');
		headers[0].value = buf_str(&text);
		ck_assert_int_eq(read_proof(&p, headers),
				 len == SECRET_MAX ? 0 : ERR_PROTO);
	}
	for (size_t len = 0; len < 3 * PROOF_MAX; len++) {
		static const char *const fronts[] = { "Basic ", TOKEN };

		for (size_t k = 0; k < ARRAY_LEN(fronts); k++) {
			struct http_header headers[2] = { OFFER(""),
							  OFFER("") };

			if (k == 0)
				headers[0].name = STR("Authorization");
			buf_clear(&text);
			buf_add_str(&text, str_of(fronts[k]));
			for (size_t i = 0; i < len; i++)
				buf_add_char(&text, 'a');
			headers[0].value = buf_str(&text);
			ck_assert_int_eq(read_proof(&p, headers), ERR_PROTO);
		}
	}
	buf_deinit(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proof");
	TCase *tc = tcase_create("proof");

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, test_limits);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
