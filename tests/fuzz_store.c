/*
 * Requests to the embedded CSE. The first octet says what follows: J
 * primitives in JSON, one a line; H HTTP requests, one behind the other. They
 * are carried out in one transaction that is then undone, so that each input
 * finds the same tree, and the same privileges as before.
 */
#include <assert.h>
#include <stdlib.h>

#include "backend/http_map.h"
#include "m2m/json.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS UINT64_C(1780300800000)	/* 2026-06-01 08:00:00 UTC */
#define REQUESTS_MAX 20

static const struct http_limits limits = { 1 << 14, 64, 1 << 14 };

static const struct http_map_conf map = {
	.host = STR_INIT("h:1"),
	.cse_id = STR_INIT("/id-in"),
	.codec = { .max_depth = 16, .max_tokens = 1000 },
};

static const struct store_conf conf = {
	.path = ":memory:",
	.cse_id = "/id-in",
	.cse_name = "cse-in",
	.admin = "CAdmin",
	.codec = { .max_depth = 16, .max_tokens = 1000 },
	.default_lifetime_s = 86400,
	.max_instances = 100,
	.max_results = 50,
};

#define HEAD(op, to, fr) "{\"rqi\":\"1\",\"rvi\":\"3\",\"op\":" op \
	",\"to\":\"" to "\",\"fr\":\"" fr "\""
#define CREATE(to, fr, ty, pc) HEAD("1", to, fr) ",\"ty\":" ty ",\"pc\":{" pc \
	"}}"

static const struct str tree[] = {
	STR_INIT(CREATE("cse-in", "Ca", "2", "\"m2m:ae\":{\"rn\":\"a\","
		"\"api\":\"Nx\",\"rr\":true,\"srv\":[\"3\"]}")),
	STR_INIT(CREATE("cse-in", "Cb", "2", "\"m2m:ae\":{\"rn\":\"b\","
		"\"api\":\"Nx\",\"rr\":false,\"srv\":[\"3\"]}")),
	STR_INIT(CREATE("cse-in/a", "Ca", "1", "\"m2m:acp\":{\"rn\":\"p\","
		"\"pv\":{\"acr\":[{\"acor\":[\"Cb\"],\"acop\":2},{\"acor\":"
		"[\"Ca\"],\"acop\":63}]},\"pvs\":"
		"{\"acr\":[{\"acor\":[\"Ca\"],\"acop\":63}]}}")),
	STR_INIT(CREATE("cse-in/a", "Ca", "3", "\"m2m:cnt\":{\"rn\":\"c\","
		"\"mni\":3,\"lbl\":[\"k:v\",\"x\"]}")),
	STR_INIT(CREATE("cse-in/a/c", "Ca", "4", "\"m2m:cin\":{\"rn\":\"i\","
		"\"con\":\"1\",\"cnf\":\"text/plain:0\"}")),
	STR_INIT(CREATE("cse-in/a", "Ca", "3", "\"m2m:cnt\":{\"rn\":\"d\","
		"\"acpi\":[\"cse-in/a/p\"]}")),
	STR_INIT(CREATE("cse-in/a/c", "Ca", "23", "\"m2m:sub\":{\"rn\":\"s\","
		"\"nu\":[\"http://h/x\"],\"enc\":{\"net\":[1,2,3,4]},"
		"\"nct\":1}")),
	STR_INIT(CREATE("cse-in/a", "Ca", "9", "\"m2m:grp\":{\"rn\":\"g\","
		"\"mnm\":5,\"mid\":[\"cse-in/a/c\",\"cse-in/a/d\"]}")),
	STR_INIT(CREATE("cse-in/a", "Ca", "15", "\"m2m:pch\":{\"rn\":\"q\"}")),
};

static struct store *store;
static struct store_conn *conn;

static void check_json(struct str text)
{
	const char *why;
	int err = jscan_check(text, JSCAN_DEPTH_MAX, UINT32_MAX, &why);

	assert(err == 0);
}

static void check_events(const struct store_events *events)
{
	for (size_t i = 0; i < events->count; i++)
		if (events->list[i].content.len > 0)
			check_json(events->list[i].content);
}

/* What the CSE says, a client can read, in both bindings. */
static void check_answer(const struct prim *answer)
{
	static const struct codec_conf wide = { JSCAN_DEPTH_MAX, UINT32_MAX };
	static const struct http_map_reply reply = { .format = FORMAT_JSON };
	struct buf text = { 0 }, http = { 0 };
	struct prim back = { 0 };
	const char *why;
	int err;

	assert(answer->kind == PRIM_RESPONSE);
	assert(answer->rsc >= RSC_ACCEPTED && answer->rsc < 7000);
	assert(answer->rsc != RSC_INTERNAL_SERVER_ERROR);
	if (answer->content.len > 0)
		check_json(answer->content);
	err = codec_json.encode(&text, &why, &wide, answer);
	assert(err == 0);
	err = codec_json.decode(&back, &why, &wide, buf_str(&text));
	assert(err == 0 && back.rsc == answer->rsc);
	err = http_map_write_response(&http, &why, answer, &reply);
	assert(err == 0);
	prim_deinit(&back);
	buf_deinit(&text);
	buf_deinit(&http);
}

/* The rsc, or 0 where others are to answer. */
static int execute(const struct prim *request)
{
	struct store_events events = { 0 };
	struct store_pass pass = { 0 };
	struct prim answer = { 0 };
	int err, rsc, turns = 0;

	do {
		store_events_deinit(&events);
		events = (struct store_events){ 0 };
		err = store_execute(conn, &answer, &events, &pass, request,
				    NOW_MS);
		assert(err == 0);
		check_events(&events);
		assert(turns++ < 2);
		pass.agreed = pass.outcome == STORE_ASKED;
	} while (pass.agreed);
	if (pass.outcome == STORE_ANSWERED)
		check_answer(&answer);
	rsc = pass.outcome == STORE_ANSWERED ? answer.rsc : 0;
	store_events_deinit(&events);
	prim_deinit(&answer);
	return rsc;
}

/* As the server does with what it got: 0 where it never comes to the store. */
static int submit(const struct prim *request)
{
	const char *why;

	return request->kind == PRIM_REQUEST &&
	       prim_check_request(&why, request, NOW_MS) == 0 ?
		       execute(request) : 0;
}

static int submit_json(struct str line)
{
	struct prim p = { 0 };
	const char *why;
	int rsc = 0;

	if (codec_json.decode(&p, &why, &conf.codec, line) == 0)
		rsc = submit(&p);
	prim_deinit(&p);
	return rsc;
}

static void fuzz_json(struct str text)
{
	struct str line;
	int count = 0;
	bool more;

	do {
		more = str_cut(text, '\n', &line, &text);
		(void)submit_json(line);
	} while (more && ++count < REQUESTS_MAX);
}

static void submit_http(const struct http_msg *msg)
{
	struct prim p = { 0 };
	const char *why;

	if (http_map_read_request(&p, &why, msg, &map) == 0)
		(void)submit(&p);
	prim_deinit(&p);
}

static void fuzz_http(struct str text)
{
	struct http_parser *parser;
	ssize_t n;

	if (http_parser_create(&parser, HTTP_KIND_REQUEST, &limits) != 0)
		abort();
	for (int count = 0; text.len > 0 && count < REQUESTS_MAX; count++) {
		n = http_parser_feed(parser, text.p, text.len);
		if (n < 0 || http_parser_message(parser) == NULL)
			break;
		submit_http(http_parser_message(parser));
		http_parser_next(parser);
		text = str_skip(text, (size_t)n);
	}
	http_parser_destroy(parser);
}

static void begin(void)
{
	int err = store_begin(conn);

	assert(err == 0);
}

static void setup(void)
{
	const char *why;
	int err = store_create(&store, &why, &conf);

	assert(err == 0);
	err = store_conn_create(&conn, store, STORE_WRITER);
	assert(err == 0);
	begin();
	for (size_t i = 0; i < ARRAY_LEN(tree); i++) {
		int rsc = submit_json(tree[i]);

		assert(rsc == RSC_CREATED);
	}
	err = store_commit(conn);
	assert(err == 0);
}

/* Nothing of what was undone is remembered. */
static void check_undone(void)
{
	static const struct {
		struct str request;
		int rsc;
	} asked[] = {
		{ STR_INIT(HEAD("2", "cse-in/a/c", "Ca") "}"), RSC_OK },
		{ STR_INIT(HEAD("2", "cse-in/a/c", "Cb") "}"),
		  RSC_ORIGINATOR_HAS_NO_PRIVILEGE },
		{ STR_INIT(HEAD("2", "cse-in/a/d", "Cb") "}"), RSC_OK },
		{ STR_INIT(HEAD("4", "cse-in/a/d", "Cb") "}"),
		  RSC_ORIGINATOR_HAS_NO_PRIVILEGE },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		int rsc = submit_json(asked[i].request);

		assert(rsc == asked[i].rsc);
	}
	store_rollback(conn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text;

	if (size == 0)
		return 0;
	if (conn == NULL)
		setup();
	text = str_skip((struct str){ (const char *)data, size }, 1);
	begin();
	if (data[0] == 'J')
		fuzz_json(text);
	else if (data[0] == 'H')
		fuzz_http(text);
	store_rollback(conn);
	check_undone();
	return 0;
}
