/* HTTP response <-> response primitive (TS-0009 6.3, 6.4). */
#include "http_map_util.h"

static const struct {
	int rsc;
	int status;
} statuses[] = {
	{ 2000, 200 }, { 2002, 200 }, { 2004, 200 }, { 2001, 201 },
	{ 1000, 202 }, { 1001, 202 }, { 1002, 202 }, { 4000, 400 },
	{ 4102, 400 }, { 4110, 400 }, { 4120, 400 }, { 4122, 400 },
	{ 4123, 400 }, { 4143, 400 }, { 6010, 400 }, { 6022, 400 },
	{ 6023, 400 }, { 6024, 400 }, { 4101, 403 }, { 4103, 403 },
	{ 4106, 403 }, { 4107, 403 }, { 4108, 403 }, { 4109, 403 },
	{ 4111, 403 }, { 4112, 403 }, { 4113, 403 }, { 4114, 403 },
	{ 4115, 403 }, { 4116, 403 }, { 4117, 403 }, { 4126, 403 },
	{ 4127, 403 }, { 5105, 403 }, { 5203, 403 }, { 5205, 403 },
	{ 5208, 403 }, { 5214, 403 }, { 5215, 403 }, { 5218, 403 },
	{ 5222, 403 }, { 4004, 404 }, { 4118, 404 }, { 4119, 404 },
	{ 4121, 404 }, { 5103, 404 }, { 5107, 404 }, { 6003, 404 },
	{ 6005, 404 }, { 4005, 405 }, { 5207, 406 }, { 4104, 409 },
	{ 4105, 409 }, { 4124, 409 }, { 5106, 409 }, { 5219, 409 },
	{ 5220, 409 }, { 6028, 409 }, { 6029, 409 }, { 4015, 415 },
	{ 5000, 500 }, { 5204, 500 }, { 5209, 500 }, { 5210, 500 },
	{ 5211, 500 }, { 5212, 500 }, { 5216, 500 }, { 5217, 500 },
	{ 5221, 500 }, { 6020, 500 }, { 6021, 500 }, { 6025, 500 },
	{ 6026, 500 }, { 4001, 501 }, { 4125, 501 }, { 5001, 501 },
	{ 5206, 501 }, { 4008, 504 }, { 6030, 504 }, { 6031, 504 },
	{ 4128, 403 },		/* not in the table; as CSEs do */
	{ 1999, 202 }, { 2999, 200 }, { 4999, 400 },	/* by class */
	{ 5999, 500 }, { 6999, 500 }, { 0, 500 }, { 3000, 500 }, { -1, 500 },
};

START_TEST(test_status)
{
	ck_assert_int_eq(http_map_status_of(statuses[_i].rsc),
			 statuses[_i].status);
}
END_TEST

static const struct {
	int status;
	enum op op;
	int rsc;
} fallbacks[] = {
	{ 200, OP_CREATE, 2001 }, { 200, OP_RETRIEVE, 2000 },
	{ 200, OP_UPDATE, 2004 }, { 200, OP_DELETE, 2002 },
	{ 200, OP_NOTIFY, 2000 }, { 201, OP_NOTIFY, 2001 },
	{ 202, OP_CREATE, 1000 }, { 204, OP_DELETE, 2002 },
	{ 302, OP_RETRIEVE, 5103 }, { 400, OP_CREATE, 4000 },
	{ 401, OP_CREATE, 5105 }, { 403, OP_CREATE, 4103 },
	{ 404, OP_CREATE, 4004 }, { 405, OP_CREATE, 4005 },
	{ 406, OP_CREATE, 5207 }, { 408, OP_CREATE, 4008 },
	{ 409, OP_CREATE, 4105 }, { 413, OP_CREATE, 4000 },
	{ 415, OP_CREATE, 4015 }, { 418, OP_CREATE, 4000 },
	{ 429, OP_CREATE, 5103 }, { 500, OP_CREATE, 5000 },
	{ 501, OP_CREATE, 5001 }, { 502, OP_CREATE, 5103 },
	{ 503, OP_CREATE, 5103 }, { 504, OP_CREATE, 4008 },
	{ 599, OP_CREATE, 5000 }, { 101, OP_CREATE, 5000 },
};

START_TEST(test_fallback)
{
	ck_assert_int_eq(http_map_rsc_of(fallbacks[_i].status,
					 fallbacks[_i].op),
			 fallbacks[_i].rsc);
}
END_TEST

static const struct {
	const char *name;
	const char *text;	/* the answer to a RETRIEVE r-1, rvi 3 */
	const char *json;	/* NULL: ERR_PROTO */
} answers[] = {
	{ "all from headers",
	  "HTTP/1.1 201 Created\r\nX-M2M-RSC: 2001\r\nX-M2M-RI: r-1\r\n"
	  "X-M2M-RVI: 4\r\nX-M2M-OT: 20260601T080200,125\r\n"
	  "Content-Type: application/json\r\n\r\n{\"m2m:cin\":{\"con\":1E2}}",
	  "{\"rsc\":2001,\"rqi\":\"r-1\",\"rvi\":\"4\","
	  "\"ot\":\"20260601T080200,125\","
	  "\"pc\":{\"m2m:cin\":{\"con\":1E2}}}" },
	{ "no body, no pc; rvi of the request",
	  "HTTP/1.1 200 OK\r\nx-m2m-rsc: 2002\r\nContent-Length: 0\r\n\r\n",
	  "{\"rsc\":2002,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "the header wins over the status (tinyIoT)",
	  "HTTP/1.1 200 OK\r\nX-M2M-RSC: 5107\r\n\r\n",
	  "{\"rsc\":5107,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "a changed X-M2M-RI does not matter (Mobius, ACME)",
	  "HTTP/1.1 200 OK\r\nX-M2m-Rsc: 2000\r\nX-M2m-Ri: r-1, r-1\r\n\r\n",
	  "{\"rsc\":2000,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "every header",
	  "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\nX-M2M-Origin: /in\r\n"
	  "X-M2M-OT: 20260601T080000\r\nX-M2M-RST: 20260601T080200\r\n"
	  "X-M2M-EC: 4\r\nX-M2M-CTS: 1\r\nX-M2M-CTO: 3\r\n"
	  "X-M2M-ATI: l1:t1@h+l2:t2@h:8\r\nX-M2M-ASRI: 1\r\n"
	  "X-M2M-VSI: a b\r\nX-M2M-Unknown: 1\r\nServer: x\r\n\r\n",
	  "{\"rsc\":2000,\"rqi\":\"r-1\",\"rvi\":\"3\",\"fr\":\"/in\","
	  "\"ot\":\"20260601T080000\",\"rset\":\"20260601T080200\",\"ec\":4,"
	  "\"cnst\":1,\"cnot\":3,\"ati\":{\"ltia\":[{\"lti\":\"l1\",\"tkid\":"
	  "\"t1@h\"},{\"lti\":\"l2\",\"tkid\":\"t2@h:8\"}]},\"asri\":true,"
	  "\"vsi\":\"a b\"}" },
	{ "the first of several counts; empty ones do not",
	  "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2004\r\nX-M2M-RSC: 4000\r\n"
	  "X-M2M-EC:\r\nX-M2M-EC: x\r\nX-M2M-EC: 2\r\n\r\n",
	  "{\"rsc\":2004,\"rqi\":\"r-1\",\"rvi\":\"3\",\"ec\":\"x\"}" },
	{ "ati without a pair is no ati",
	  "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\nX-M2M-ATI: abc\r\n\r\n",
	  "{\"rsc\":2000,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "X-M2M-RSC as tinyIoT writes numbers",
	  "HTTP/1.1 200 OK\r\nX-M2M-RSC: 4004.0\r\n\r\n",
	  "{\"rsc\":4004,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "an empty Content-Type is none",
	  "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\nContent-Type:\r\n\r\n{}",
	  "{\"rsc\":2000,\"rqi\":\"r-1\",\"rvi\":\"3\",\"pc\":{}}" },
	{ "an unusable X-M2M-RSC: by the status",
	  "HTTP/1.1 404 Not Found\r\nX-M2M-RSC: abc\r\n\r\n",
	  "{\"rsc\":4004,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "X-M2M-RSC 0: by the status",
	  "HTTP/1.1 204 No Content\r\nX-M2M-RSC: 0\r\n\r\n",
	  "{\"rsc\":2000,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "X-M2M-RSC below all codes: by the status",
	  "HTTP/1.1 202 Accepted\r\nX-M2M-RSC: 999\r\n\r\n",
	  "{\"rsc\":1000,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "X-M2M-RSC beyond all codes: by the status",
	  "HTTP/1.1 202 Accepted\r\nX-M2M-RSC: 10000\r\n\r\n",
	  "{\"rsc\":1000,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "an error page of an intermediary: its code only",
	  "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html>",
	  "{\"rsc\":5103,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "the same after a redirect",
	  "HTTP/1.1 302 Found\r\nContent-Type: text/html\r\n\r\n<html>",
	  "{\"rsc\":5103,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "an error without X-M2M-RSC, in JSON (Mobius)",
	  "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; "
	  "charset=utf-8\r\n\r\n{\"m2m:dbg\":\"bad\"}",
	  "{\"rsc\":4000,\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"pc\":{\"m2m:dbg\":\"bad\"}}" },
	{ "an error that only says it were JSON",
	  "HTTP/1.1 500 x\r\nX-M2M-RSC: 5000\r\nContent-Type: application/json"
	  "\r\n\r\n<html>",
	  "{\"rsc\":5000,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "vendor media types, in any case",
	  "HTTP/1.1 200 OK\r\nContent-Type: Application/vnd.oneM2M-res+JSON\r\n"
	  "\r\n{}",
	  "{\"rsc\":2000,\"rqi\":\"r-1\",\"rvi\":\"3\",\"pc\":{}}" },
	{ "no media type: what looks like JSON",
	  "HTTP/1.1 200 OK\r\n\r\n[1]",
	  "{\"rsc\":2000,\"rqi\":\"r-1\",\"rvi\":\"3\",\"pc\":[1]}" },
	{ "white space is no content",
	  "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n\r\n ",
	  "{\"rsc\":2000,\"rqi\":\"r-1\",\"rvi\":\"3\"}" },
	{ "success that is not JSON",
	  "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", NULL },
	{ "success without media type that is not JSON",
	  "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n\r\n<html>", NULL },
	{ "success that is broken JSON",
	  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":",
	  NULL },
	{ "two values",
	  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}{}",
	  NULL },
	{ "tqf as body: prefixed",
	  "HTTP/1.1 403 x\r\nX-M2M-RSC: 4103\r\n\r\n"
	  "{\"m2m:tqf\":{\"dasi\":[]}}",
	  "{\"rsc\":4103,\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"tqf\":{\"dasi\":[]}}" },
	{ "tqf as body: bare name",
	  "HTTP/1.1 403 x\r\nX-M2M-RSC: 4103\r\n\r\n{\"tqf\":{\"a\":1}}",
	  "{\"rsc\":4103,\"rqi\":\"r-1\",\"rvi\":\"3\",\"tqf\":{\"a\":1}}" },
	{ "tqf as body: itself",
	  "HTTP/1.1 403 x\r\nX-M2M-RSC: 4103\r\n\r\n{\"x\":1,\"dasi\":[]}",
	  "{\"rsc\":4103,\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"tqf\":{\"x\":1,\"dasi\":[]}}" },
	{ "tqf beside something else is content",
	  "HTTP/1.1 403 x\r\nX-M2M-RSC: 4103\r\n\r\n{\"tqf\":{},\"b\":1}",
	  "{\"rsc\":4103,\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"pc\":{\"tqf\":{},\"b\":1}}" },
	{ "tqf that is no object is content",
	  "HTTP/1.1 403 x\r\nX-M2M-RSC: 4103\r\n\r\n{\"tqf\":1}",
	  "{\"rsc\":4103,\"rqi\":\"r-1\",\"rvi\":\"3\",\"pc\":{\"tqf\":1}}" },
	{ "4103 with a list as body",
	  "HTTP/1.1 403 x\r\nX-M2M-RSC: 4103\r\n\r\n[1]",
	  "{\"rsc\":4103,\"rqi\":\"r-1\",\"rvi\":\"3\",\"pc\":[1]}" },
	{ "dasi with another code is content",
	  "HTTP/1.1 404 x\r\nX-M2M-RSC: 4004\r\n\r\n{\"dasi\":[]}",
	  "{\"rsc\":4004,\"rqi\":\"r-1\",\"rvi\":\"3\",\"pc\":{\"dasi\":[]}}" },
};

static void check_params(const struct prim *got, const struct prim *want,
			 const char *name)
{
	for (int id = 0; id < PARAM_COUNT; id++) {
		struct str g = prim_text(got, (enum prim_param)id);
		struct str w = prim_text(want, (enum prim_param)id);

		if (id == PARAM_RSC)
			continue;
		ck_assert_msg(str_eq(g, w), "%s: param %d: %.*s, want %.*s",
			      name, id, (int)g.len, g.p, (int)w.len, w.p);
		if (prim_has(want, (enum prim_param)id))
			ck_assert_msg(got->param[id].type ==
					      want->param[id].type,
				      "%s: param %d: type", name, id);
	}
}

START_TEST(test_answer)
{
	static const struct http_map_request request = {
		.op = OP_RETRIEVE, .rqi = STR_INIT("r-1"), .rvi = STR_INIT("3"),
	};
	const char *why = NULL, *name = answers[_i].name;
	struct prim got = { 0 }, want = { 0 };
	struct test_head head;
	struct http_msg msg;
	int err;

	head_parse(&head, str_of(answers[_i].text));
	msg = head_response(&head);
	err = http_map_read_response(&got, &why, &msg, &request, &test_conf);
	if (answers[_i].json == NULL) {
		ck_assert_msg(err == ERR_PROTO, "%s: %d", name, err);
		ck_assert_ptr_nonnull(why);
	} else {
		ck_assert_msg(err == 0, "%s: %s", name, why);
		prim_of(&want, answers[_i].json, name);
		ck_assert_msg(got.kind == PRIM_RESPONSE, "%s", name);
		ck_assert_msg(got.rsc == want.rsc, "%s: %d", name, got.rsc);
		check_params(&got, &want, name);
		ck_assert_msg(str_eq(got.content, want.content), "%s: pc",
			      name);
	}
	prim_deinit(&got);
	prim_deinit(&want);
}
END_TEST

/* A primitive that comes from nowhere has no rvi; odd octets are dropped. */
START_TEST(test_answer_rest)
{
	static const struct http_header headers[] = {
		{ STR_INIT("X-M2M-RVI"), STR_INIT("\xff") },
	};
	const struct http_map_request request = { .op = OP_NOTIFY,
						  .rqi = STR("1") };
	struct http_msg msg = { .status = 200, .headers = headers,
				.header_count = 1 };
	struct http_map_conf conf = test_conf;
	struct prim got = { 0 };
	const char *why = NULL;

	ck_assert_int_eq(http_map_read_response(&got, &why, &msg, &request,
						&conf), 0);
	ck_assert(!prim_has(&got, PARAM_RVI));
	msg.body = STR("[[[1]]]");
	conf.codec.max_depth = 2;
	ck_assert_int_eq(http_map_read_response(&got, &why, &msg, &request,
						&conf), ERR_PROTO);
	prim_deinit(&got);
}
END_TEST

#define IDS "X-M2M-RI: r-1\r\nX-M2M-RVI: 3\r\n"

static const struct {
	const char *name;
	const char *json;
	bool close;
	const char *want;
} responses[] = {
	{ "no content", "{\"rsc\":2000,\"rqi\":\"r-1\",\"rvi\":\"3\"}", false,
	  "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n" IDS
	  "Content-Length: 0\r\n\r\n" },
	{ "close", "{\"rsc\":5103,\"rqi\":\"r-1\",\"rvi\":\"3\"}", true,
	  "HTTP/1.1 404 Not Found\r\nX-M2M-RSC: 5103\r\n" IDS
	  "Content-Length: 0\r\nConnection: close\r\n\r\n" },
	{ "content, counted in octets",
	  "{\"rsc\":2000,\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"pc\":{\"m2m:cin\":{\"con\":\"\u00b0\"}}}", false,
	  "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n" IDS
	  "Content-Type: application/json\r\nContent-Length: 24\r\n\r\n"
	  "{\"m2m:cin\":{\"con\":\"\u00b0\"}}" },
	{ "Content-Location of m2m:uri",
	  "{\"rsc\":2001,\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"pc\":{\"m2m:uri\":\"mcb\\/cmd\"}}", false,
	  "HTTP/1.1 201 Created\r\nX-M2M-RSC: 2001\r\n" IDS
	  "Content-Location: mcb/cmd\r\n"
	  "Content-Type: application/json\r\nContent-Length: 22\r\n\r\n"
	  "{\"m2m:uri\":\"mcb\\/cmd\"}" },
	{ "Content-Location of m2m:rce",
	  "{\"rsc\":2001,\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"pc\":{\"m2m:rce\":{\"m2m:cnt\":{},\"uri\":\"a/b\"}}}", false,
	  "HTTP/1.1 201 Created\r\nX-M2M-RSC: 2001\r\n" IDS
	  "Content-Location: a/b\r\n"
	  "Content-Type: application/json\r\nContent-Length: 38\r\n\r\n"
	  "{\"m2m:rce\":{\"m2m:cnt\":{},\"uri\":\"a/b\"}}" },
	{ "no Content-Location for other codes",
	  "{\"rsc\":1001,\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"pc\":{\"m2m:uri\":\"req1\"}}", false,
	  "HTTP/1.1 202 Accepted\r\nX-M2M-RSC: 1001\r\n" IDS
	  "Content-Type: application/json\r\nContent-Length: 18\r\n\r\n"
	  "{\"m2m:uri\":\"req1\"}" },
	{ "no Content-Location that ends a line",
	  "{\"rsc\":2001,\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"pc\":{\"m2m:uri\":\"a\\r\\nX: y\"}}", false,
	  "HTTP/1.1 201 Created\r\nX-M2M-RSC: 2001\r\n" IDS
	  "Content-Type: application/json\r\nContent-Length: 23\r\n\r\n"
	  "{\"m2m:uri\":\"a\\r\\nX: y\"}" },
	{ "no Content-Location in a whole resource",
	  "{\"rsc\":2001,\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"pc\":{\"m2m:rce\":{\"uri\":1}}}", false,
	  "HTTP/1.1 201 Created\r\nX-M2M-RSC: 2001\r\n" IDS
	  "Content-Type: application/json\r\nContent-Length: 21\r\n\r\n"
	  "{\"m2m:rce\":{\"uri\":1}}" },
	{ "content that is no object",
	  "{\"rsc\":2001,\"rqi\":\"r-1\",\"rvi\":\"3\",\"pc\":[]}", false,
	  "HTTP/1.1 201 Created\r\nX-M2M-RSC: 2001\r\n" IDS
	  "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]" },
	{ "every header",
	  "{\"vsi\":\"v\",\"asri\":true,\"cnot\":3,\"cnst\":1,\"ec\":4,"
	  "\"rset\":\"20260601T080200\",\"ot\":\"20260601T080000\","
	  "\"fr\":\"/mn\",\"to\":\"/in\",\"rvi\":\"3\",\"rqi\":\"r-1\","
	  "\"ati\":{\"x\":1,\"ltia\":[{\"lti\":\"l1\",\"tkid\":\"t@h:8\"},"
	  "{\"tkid\":\"u@h\",\"lti\":\"l2\"}]},\"rsc\":4128}", false,
	  "HTTP/1.1 403 Forbidden\r\nX-M2M-RSC: 4128\r\n" IDS
	  "X-M2M-Origin: /mn\r\nX-M2M-OT: 20260601T080000\r\n"
	  "X-M2M-RST: 20260601T080200\r\nX-M2M-EC: 4\r\nX-M2M-CTS: 1\r\n"
	  "X-M2M-CTO: 3\r\nX-M2M-ATI: l1:t@h:8+l2:u@h\r\n"
	  "X-M2M-ASRI: true\r\nX-M2M-VSI: v\r\nContent-Length: 0\r\n\r\n" },
	{ "what a header cannot carry, and what is empty, stays behind",
	  "{\"rsc\":2000,\"rqi\":\"a\\nb\",\"rvi\":\"3 \",\"vsi\":\"\","
	  "\"fr\":\"\u00e9\",\"ot\":\" x\"}", false,
	  "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\nContent-Length: 0\r\n\r\n" },
	{ "tqf is the body of 4103",
	  "{\"rsc\":4103,\"rqi\":\"r-1\",\"rvi\":\"3\",\"tqf\":{\"dasi\":[]}}",
	  false, "HTTP/1.1 403 Forbidden\r\nX-M2M-RSC: 4103\r\n" IDS
	  "Content-Type: application/json\r\nContent-Length: 11\r\n\r\n"
	  "{\"dasi\":[]}" },
	{ "tqf of other codes has no place",
	  "{\"rsc\":4004,\"rqi\":\"r-1\",\"rvi\":\"3\",\"tqf\":{\"dasi\":[]}}",
	  false, "HTTP/1.1 404 Not Found\r\nX-M2M-RSC: 4004\r\n" IDS
	  "Content-Length: 0\r\n\r\n" },
	{ "content goes before tqf",
	  "{\"rsc\":4103,\"rqi\":\"r-1\",\"rvi\":\"3\",\"tqf\":{},"
	  "\"pc\":{\"a\":1}}", false,
	  "HTTP/1.1 403 Forbidden\r\nX-M2M-RSC: 4103\r\n" IDS
	  "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n"
	  "{\"a\":1}" },
};

START_TEST(test_response)
{
	struct http_map_reply reply = test_reply;
	struct prim p = { 0 };
	struct buf out = { 0 };
	const char *why;

	prim_of(&p, responses[_i].json, responses[_i].name);
	buf_add_lit(&out, "before");
	reply.close = responses[_i].close;
	ck_assert_int_eq(http_map_write_response(&out, &why, &p, &reply), 0);
	check_text(str_skip(buf_str(&out), 6), responses[_i].want,
		   responses[_i].name);
	buf_deinit(&out);
	prim_deinit(&p);
}
END_TEST

/* ati that has no header form. */
static const char *const odd_atis[] = {
	"[]",
	"{}",
	"{\"ltia\":{}}",
	"{\"ltia\":[]}",
	"{\"ltia\":[1]}",
	"{\"ltia\":[{\"lti\":\"a\"}]}",
	"{\"ltia\":[{\"tkid\":\"a\"}]}",
	"{\"ltia\":[{\"lti\":1,\"tkid\":\"a\"}]}",
	"{\"ltia\":[{\"lti\":\"a:b\",\"tkid\":\"c\"}]}",
	"{\"ltia\":[{\"lti\":\"a+b\",\"tkid\":\"c\"}]}",
	"{\"ltia\":[{\"lti\":\"a\",\"tkid\":\"c d\"}]}",
	"{\"ltia\":[{\"lti\":\"a\\n\",\"tkid\":\"c\"}]}",
	"{\"ltia\":[{\"lti\":\"a\",\"tkid\":\"c\\r\\nX: y\"}]}",
	"{\"ltia\":[{\"lti\":\"a\",\"tkid\":\"\303\251\"}]}",
	"{\"ltia\":[{\"lti\":\"a\",\"tkid\":\"b\"},{\"lti\":\"c\"}]}",
};

START_TEST(test_odd_ati)
{
	struct prim p = { 0 };
	struct buf out = { 0 };
	const char *why;

	prim_reset(&p, PRIM_RESPONSE);
	p.rsc = 2000;
	prim_set(&p, PARAM_ATI, VALUE_JSON, str_of(odd_atis[_i]));
	prim_set(&p, PARAM_EC, VALUE_JSON, STR("[]"));
	ck_assert_int_eq(http_map_write_response(&out, &why, &p,
						 &test_reply), 0);
	check_text(buf_str(&out), "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n"
		   "Content-Length: 0\r\n\r\n", odd_atis[_i]);
	buf_clear(&out);
	prim_set_str(&p, PARAM_ATI, str_of(odd_atis[_i]));
	ck_assert_int_eq(http_map_write_response(&out, &why, &p,
						 &test_reply), 0);
	check_text(buf_str(&out), "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n"
		   "Content-Length: 0\r\n\r\n", odd_atis[_i]);
	buf_deinit(&out);
	prim_deinit(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_map_response");
	TCase *tc = tcase_create("response");

	tcase_add_loop_test(tc, test_status, 0, ARRAY_LEN(statuses));
	tcase_add_loop_test(tc, test_fallback, 0, ARRAY_LEN(fallbacks));
	tcase_add_loop_test(tc, test_answer, 0, ARRAY_LEN(answers));
	tcase_add_test(tc, test_answer_rest);
	tcase_add_loop_test(tc, test_response, 0, ARRAY_LEN(responses));
	tcase_add_loop_test(tc, test_odd_ati, 0, ARRAY_LEN(odd_atis));
	suite_add_tcase(s, tc);
	return unit_run(s);
}
