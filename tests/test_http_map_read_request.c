/* HTTP request -> request primitive (TS-0009 6.2, 6.4 backwards). */
#include "http_map_util.h"

/* Checks a primitive against its JSON, member by member. */
static void check_param(const struct prim *got, const struct prim *want,
			enum prim_param id, const char *name)
{
	const struct value *g = &got->param[id], *w = &want->param[id];

	ck_assert_msg(prim_has(got, id) == prim_has(want, id), "%s: %.*s %s",
		      name, (int)prim_params[id].name.len,
		      prim_params[id].name.p,
		      prim_has(got, id) ? "is there" : "is missing");
	if (!prim_has(want, id))
		return;
	ck_assert_msg(g->type == w->type && str_eq(g->text, w->text),
		      "%s: %.*s: type %d %.*s, want %d %.*s", name,
		      (int)prim_params[id].name.len, prim_params[id].name.p,
		      g->type, (int)g->text.len, g->text.p, w->type,
		      (int)w->text.len, w->text.p);
}

static void check_prim(const struct prim *got, const char *json,
		       const char *name)
{
	struct prim want = { 0 };

	prim_of(&want, json, name);
	ck_assert_msg(got->kind == PRIM_REQUEST, "%s", name);
	ck_assert_msg(got->op == want.op, "%s: op %d", name, got->op);
	for (int id = 0; id < PARAM_COUNT; id++)
		if (id != PARAM_OP)
			check_param(got, &want, (enum prim_param)id, name);
	ck_assert_msg(str_eq(got->content, want.content), "%s: pc %.*s", name,
		      (int)got->content.len, got->content.p);
	prim_deinit(&want);
}

static int read_text(struct prim *p, const char **why, const char *text,
		     const struct http_map_conf *conf)
{
	static struct test_head head;	/* out's slices point into text */
	struct http_msg msg;

	head_parse(&head, str_of(text));
	msg = head_request(&head);
	return http_map_read_request(p, why, &msg, conf);
}

static const struct {
	const char *name;
	const char *text;
	const char *json;
} whole[] = {
	{ "POST with ty is a CREATE",
	  "POST /~/mn-cse7/mcb/sensor1?rcn=2 HTTP/1.1\r\nHost: gw\r\n"
	  "X-M2M-Origin: /in-cse1/Cd\r\nX-M2M-RI: 5521\r\nX-M2M-RVI: 3\r\n"
	  "X-M2M-RET: 20260601T093010\r\nContent-Type: application/json;ty=3"
	  "\r\nAccept: application/json\r\n\r\n{\"m2m:cnt\":{\"rn\":\"c\"}}",
	  "{\"op\":1,\"to\":\"/mn-cse7/mcb/sensor1\",\"fr\":\"/in-cse1/Cd\","
	  "\"rqi\":\"5521\",\"rvi\":\"3\",\"rqet\":\"20260601T093010\","
	  "\"ty\":3,\"rcn\":2,\"pc\":{\"m2m:cnt\":{\"rn\":\"c\"}}}" },
	{ "POST without ty is a NOTIFY",
	  "POST /in-cse1/Cp HTTP/1.1\r\nHost: gw\r\nx-m2m-origin: /in-cse1\r\n"
	  "x-m2m-ri: 88213\r\nX-M2M-OT: 20260601T091000\r\n"
	  "Content-Type: application/vnd.onem2m-ntfy+json\r\n\r\n"
	  "{\"m2m:sgn\":{}}",
	  "{\"op\":5,\"to\":\"in-cse1/Cp\",\"fr\":\"/in-cse1\","
	  "\"rqi\":\"88213\",\"ot\":\"20260601T091000\","
	  "\"pc\":{\"m2m:sgn\":{}}}" },
	{ "ty anywhere among the parameters",
	  "POST /a HTTP/1.1\r\nContent-Type: application/json ; charset=utf-8;"
	  " TY=\"4\" \r\n\r\n{}",
	  "{\"op\":1,\"to\":\"a\",\"ty\":4,\"pc\":{}}" },
	{ "ty that is no number stays text",
	  "POST /a HTTP/1.1\r\nContent-Type: application/json;x=1;ty=abc\r\n"
	  "\r\n{}",
	  "{\"op\":1,\"to\":\"a\",\"ty\":\"abc\",\"pc\":{}}" },
	{ "GET with the body {} of Mobius",
	  "GET /a HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{}",
	  "{\"op\":2,\"to\":\"a\"}" },
	{ "PUT; a ty there means nothing",
	  "PUT /a HTTP/1.1\r\nContent-Type: application/json;ty=3\r\n\r\n[1]",
	  "{\"op\":3,\"to\":\"a\",\"pc\":[1]}" },
	{ "DELETE", "DELETE /a HTTP/1.1\r\nX-M2M-RI: 7\r\n\r\n",
	  "{\"op\":4,\"to\":\"a\",\"rqi\":\"7\"}" },
	{ "no media type: what looks like JSON is JSON",
	  "POST /a HTTP/1.1\r\n\r\n{\"a\":1}",
	  "{\"op\":5,\"to\":\"a\",\"pc\":{\"a\":1}}" },
	{ "white space is no content",
	  "POST /a HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n \r\n\t",
	  "{\"op\":5,\"to\":\"a\"}" },
	{ "every header",
	  "GET /a?rt=2 HTTP/1.1\r\nX-M2M-Origin: C\r\nX-M2M-RI: 1\r\n"
	  "X-M2M-RVI: 3\r\nX-M2M-RET: 3000\r\nX-M2M-RST: 4000\r\n"
	  "X-M2M-OET: PT1S\r\nX-M2M-OT: 20260601T080000\r\nX-M2M-EC: 4\r\n"
	  "X-M2M-GID: g\r\nX-M2M-RTU: http://h/a?b=c&/in-cse1/Ca\r\n"
	  "X-M2M-VSI: v w\r\nX-M2M-AS: QQ==+Qg==\r\n"
	  "Authorization: a.b.c+d.e.f\r\n\r\n",
	  "{\"op\":2,\"to\":\"a\",\"fr\":\"C\",\"rqi\":\"1\",\"rvi\":\"3\","
	  "\"rqet\":\"3000\",\"rset\":\"4000\",\"oet\":\"PT1S\","
	  "\"ot\":\"20260601T080000\",\"ec\":4,\"gid\":\"g\",\"vsi\":\"v w\","
	  "\"rt\":{\"rtv\":2,\"nu\":[\"http://h/a?b=c\",\"/in-cse1/Ca\"]},"
	  "\"aus\":[\"QQ==\",\"Qg==\"],\"tkns\":[\"a.b.c\",\"d.e.f\"]}" },
	{ "the first of several lists counts",
	  "GET /a HTTP/1.1\r\nX-M2M-RI:\r\nX-M2M-RI: 2\r\n"
	  "X-M2M-RTU: a\r\nX-M2M-RTU: b\r\n\r\n",
	  "{\"op\":2,\"to\":\"a\",\"rqi\":\"2\",\"rt\":{\"nu\":[\"a\"]}}" },
	{ "empty values: fr and the list of targets mean something",
	  "GET /a HTTP/1.1\r\nX-M2M-Origin:\r\nX-M2M-RVI:\r\nX-M2M-RTU:\r\n"
	  "\r\n",
	  "{\"op\":2,\"to\":\"a\",\"fr\":\"\","
	  "\"rt\":{\"nu\":[]}}" },
	{ "HTTP's own credentials are no tokens",
	  "GET /a HTTP/1.1\r\nAuthorization: bearer abc\r\n\r\n",
	  "{\"op\":2,\"to\":\"a\"}" },
	{ "HTTP's own credentials are no tokens: Basic",
	  "GET /a HTTP/1.1\r\nAuthorization: Basic YTpi\r\n\r\n",
	  "{\"op\":2,\"to\":\"a\"}" },
	{ "numbers that are none stay text",
	  "GET /a?rcn=abc&lim=01&da=maybe HTTP/1.1\r\nX-M2M-EC: 2 3\r\n\r\n",
	  "{\"op\":2,\"to\":\"a\",\"rcn\":\"abc\","
	  "\"da\":\"maybe\",\"ec\":\"2 3\",\"fc\":{\"lim\":\"01\"}}" },
};

START_TEST(test_whole)
{
	const char *why = "", *name = whole[_i].name;
	struct prim p = { 0 };

	ck_assert_msg(read_text(&p, &why, whole[_i].text, &test_conf) == 0,
		      "%s: %s", name, why);
	check_prim(&p, whole[_i].json, name);
	prim_deinit(&p);
}
END_TEST

static const struct {
	const char *name;
	const char *target;
	const char *to;		/* NULL: absent */
} paths[] = {
	{ "CSE-relative", "/cb1/meter7", "cb1/meter7" },
	{ "SP-relative", "/~/in-cse1/Cmeter7", "/in-cse1/Cmeter7" },
	{ "absolute", "/_/sp.example.org/in-cse1", "//sp.example.org/in-cse1" },
	{ "below the base", "/r/k3/~/in-cse1/Cm", "/in-cse1/Cm" },
	{ "CSE-relative below the base", "/r/k3/Cm", "Cm" },
	{ "the base alone names nobody", "/r/k3", NULL },
	{ "the base with a slash", "/r/k3/", NULL },
	{ "what only begins like the base", "/r/k34", "r/k34" },
	{ "trailing slashes", "/cb1/a//", "cb1/a" },
	{ "root", "/", NULL },
	{ "only the mark of SP-relative", "/~", NULL },
	{ "only the mark of absolute", "/_/", "/" },
	{ "doubled slash of some clients", "//in-cse1/x", "/in-cse1/x" },
	{ "tinyIoT: absolute", "/_//sp.example.org/mn", "//sp.example.org/mn" },
	{ "tinyIoT: no slash", "TinyIoT/myAE", "TinyIoT/myAE" },
	{ "percent-encoded", "/a%20b/%c3%A9%2F", "a b/\303\251/" },
	{ "plus is no space in a path", "/a+b", "a+b" },
	{ "a name that begins with ~", "/~a/b", "~a/b" },
	{ "encoded mark", "/%7E/in-cse1/x", "/in-cse1/x" },
};

START_TEST(test_path)
{
	struct http_map_conf conf = test_conf;
	const char *why = "";
	struct prim p = { 0 };
	char text[256];

	conf.base = STR("/r/k3");
	snprintf(text, sizeof(text), "GET %s?rcn=4 HTTP/1.1\r\n\r\n",
		 paths[_i].target);
	ck_assert_msg(read_text(&p, &why, text, &conf) == 0, "%s: %s",
		      paths[_i].name, why);
	ck_assert_msg(prim_has(&p, PARAM_TO) == (paths[_i].to != NULL),
		      "%s", paths[_i].name);
	check_text(prim_text(&p, PARAM_TO),
		   paths[_i].to != NULL ? paths[_i].to : "", paths[_i].name);
	check_text(prim_text(&p, PARAM_RCN), "4", paths[_i].name);
	prim_deinit(&p);
}
END_TEST

static const struct {
	const char *name;
	const char *query;
	const char *members;
} queries[] = {
	{ "discovery", "fu=1&ty=3+4&lbl=a%3Ab+c&cr=Cx&or=urn%3At%2F*&lim=5",
	  "\"fc\":{\"fu\":1,\"ty\":[3,4],\"lbl\":[\"a:b\",\"c\"],\"atr\":"
	  "[{\"nm\":\"cr\",\"val\":\"Cx\"},{\"nm\":\"or\",\"val\":"
	  "\"urn:t/*\"}],\"lim\":5}" },
	{ "every parameter", "rt=3&rp=P1Y&rcn=4&da=1&drt=2&rids=a+b&tids=t@h&"
	  "ltids=l&tqi=0&asi=true&auri=false&sqi=x",
	  "\"rt\":{\"rtv\":3},\"rp\":\"P1Y\",\"rcn\":4,\"da\":true,\"drt\":2,"
	  "\"rids\":[\"a\",\"b\"],\"tids\":[\"t@h\"],\"ltids\":[\"l\"],"
	  "\"tqi\":false,\"asi\":true,\"auri\":false,\"sqi\":\"x\"" },
	{ "repeated fields make one list (ACME)",
	  "drt=2&fu=1&ty=3&lbl=a&ty=4&lbl=b",
	  "\"drt\":2,\"fc\":{\"fu\":1,\"ty\":[3,4],\"lbl\":[\"a\",\"b\"]}" },
	{ "JSON arrays and decimals (tinyIoT)",
	  "fu=1.0&ty=[\"3\",\"4\"]&lbl=[\"a:b\"]&drt=2.0&fo=1.0",
	  "\"drt\":2.0,\"fc\":{\"fu\":1.0,\"ty\":[3,4],\"lbl\":[\"a:b\"],"
	  "\"fo\":1.0}" },
	{ "an encoded bracket is a label", "lbl=%5B%22a%22%5D",
	  "\"fc\":{\"lbl\":[\"[\\\"a\\\"]\"]}" },
	{ "a bracket that begins no array", "lbl=[a",
	  "\"fc\":{\"lbl\":[\"[a\"]}" },
	{ "lists split at white space too", "ty=3%204&lbl=+a++b+",
	  "\"fc\":{\"ty\":[3,4],\"lbl\":[\"a\",\"b\"]}" },
	{ "an encoded plus is a plus", "lbl=a%2Bb&cr=c%2Bd",
	  "\"fc\":{\"lbl\":[\"a+b\"],\"atr\":[{\"nm\":\"cr\",\"val\":\"c+d\"}"
	  "]}" },
	{ "a plus in a scalar is a space", "lbq=a+b&cr=c+d",
	  "\"fc\":{\"lbq\":\"a b\",\"atr\":[{\"nm\":\"cr\",\"val\":"
	  "\"c d\"}]}" },
	{ "conditions on children and parent, mixed",
	  "c.cr=a&cr=b&p.rr=true&c.x=1&y=021.50",
	  "\"fc\":{\"catr\":[{\"nm\":\"cr\",\"val\":\"a\"},{\"nm\":\"x\","
	  "\"val\":\"1\"}],\"atr\":[{\"nm\":\"cr\",\"val\":\"b\"},{\"nm\":"
	  "\"y\",\"val\":\"021.50\"}],\"patr\":[{\"nm\":\"rr\",\"val\":"
	  "\"true\"}]}" },
	{ "every member of fc",
	  "crb=1&cra=2&ms=3&us=4&sts=5&stb=6&exb=7&exa=8&sza=9&szb=10&cty=a&"
	  "fo=2&lvl=3&ofst=4&cfs=1&cfq=q&smf=s&lbq=l&chty=2&pty=3&clbl=c&"
	  "palb=p&arp=la&aq=x&gmty=1&geom=g&gsf=2",
	  "\"fc\":{\"crb\":\"1\",\"cra\":\"2\",\"ms\":\"3\",\"us\":\"4\","
	  "\"sts\":5,\"stb\":6,\"exb\":\"7\",\"exa\":\"8\",\"sza\":9,"
	  "\"szb\":10,\"cty\":[\"a\"],\"fo\":2,\"lvl\":3,\"ofst\":4,"
	  "\"cfs\":1,\"cfq\":\"q\",\"smf\":[\"s\"],\"lbq\":\"l\","
	  "\"chty\":[2],\"pty\":[3],\"clbl\":[\"c\"],\"palb\":[\"p\"],"
	  "\"arp\":\"la\",\"aq\":\"x\",\"gmty\":1,\"geom\":\"g\",\"gsf\":2}" },
	{ "the serialisation hint is no filter", "ct=cbor", "" },
	{ "attribute list", "atrl=ri+lbl&atrl=rr",
	  "\"pc\":{\"m2m:atrl\":[\"ri\",\"lbl\",\"rr\"]}" },
	{ "attribute list of tinyIoT", "atrl=[\"rn\",\"lbl\"]&fo=1.0",
	  "\"fc\":{\"fo\":1.0},\"pc\":{\"m2m:atrl\":[\"rn\",\"lbl\"]}" },
	{ "the first scalar counts", "rcn=1&rcn=2&lim=3&lim=4&rt=1&rt=2",
	  "\"rcn\":1,\"fc\":{\"lim\":3},\"rt\":{\"rtv\":1}" },
	{ "odd fields", "&&=x&lim&cr&", "\"fc\":{\"lim\":\"\",\"atr\":"
	  "[{\"nm\":\"cr\",\"val\":\"\"}]}" },
	{ "a name with percent signs", "%6cim=2&%63.a%3db=1",
	  "\"fc\":{\"lim\":2,\"catr\":[{\"nm\":\"a=b\",\"val\":\"1\"}]}" },
	{ "a value with = and ?", "cr=a=b?c",
	  "\"fc\":{\"atr\":[{\"nm\":\"cr\",\"val\":\"a=b?c\"}]}" },
	{ "controls become escapes", "cr=%01%0a%22",
	  "\"fc\":{\"atr\":[{\"nm\":\"cr\",\"val\":\"\\u0001\\n\\\"\"}]}" },
	{ "UTF-8", "lbl=%C2%B0C", "\"fc\":{\"lbl\":[\"\302\260C\"]}" },
	{ "an empty list", "ty=", "\"fc\":{\"ty\":[]}" },
};

START_TEST(test_query)
{
	const char *why = "", *name = queries[_i].name;
	struct prim p = { 0 };
	char text[512], json[1024];

	snprintf(text, sizeof(text),
		 "GET /a?%s HTTP/1.1\r\nX-M2M-RI: 1\r\n\r\n",
		 queries[_i].query);
	snprintf(json, sizeof(json),
		 "{\"op\":2,\"to\":\"a\",\"rqi\":\"1\"%s%s}",
		 queries[_i].members[0] != '\0' ? "," : "",
		 queries[_i].members);
	ck_assert_msg(read_text(&p, &why, text, &test_conf) == 0, "%s: %s",
		      name, why);
	check_prim(&p, json, name);
	prim_deinit(&p);
}
END_TEST

static const struct {
	const char *name;
	const char *text;
	int err;
} refusals[] = {
	{ "a method without operation", "PATCH /a HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "methods have one case", "get /a HTTP/1.1\r\n\r\n", ERR_PROTO },
	{ "bad percent-encoding in the path", "GET /a%2 HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "bad digits in the path", "GET /a%g0 HTTP/1.1\r\n\r\n", ERR_PROTO },
	{ "bad second digit", "GET /a%0/ HTTP/1.1\r\n\r\n", ERR_PROTO },
	{ "NUL in the path", "GET /a%00 HTTP/1.1\r\n\r\n", ERR_PROTO },
	{ "path that is not UTF-8", "GET /a%FF HTTP/1.1\r\n\r\n", ERR_PROTO },
	{ "bad percent-encoding in a name", "GET /a?b%=1 HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "the same behind a list", "GET /a?ty=1&b%=1 HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "bad percent-encoding in rcn", "GET /a?rcn=% HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "bad percent-encoding in rids", "GET /a?rids=% HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "bad percent-encoding in atrl", "GET /a?atrl=% HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "bad percent-encoding in rt", "GET /a?rt=% HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "bad percent-encoding in lim", "GET /a?lim=% HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "bad percent-encoding in a condition",
	  "GET /a?cr=%00 HTTP/1.1\r\n\r\n", ERR_PROTO },
	{ "value that is not UTF-8", "GET /a?cr=%C0%80 HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "nested array in a list", "GET /a?ty=[[1]] HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "attributes of a DELETE", "DELETE /a?atrl=lbl HTTP/1.1\r\n\r\n",
	  ERR_PROTO },
	{ "two originators",
	  "GET /a HTTP/1.1\r\nX-M2M-Origin: Ca\r\nX-M2M-Origin: Cb\r\n\r\n",
	  ERR_PROTO },
	{ "the same id twice",
	  "GET /a HTTP/1.1\r\nX-M2M-RI: 1\r\nX-M2M-RI: 1\r\n\r\n",
	  ERR_PROTO },
	{ "two media types",
	  "POST /a HTTP/1.1\r\nContent-Type: application/json\r\n"
	  "Content-Type: application/json;ty=3\r\n\r\n{}", ERR_PROTO },
	{ "body that is not JSON",
	  "POST /a HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{",
	  ERR_PROTO },
	{ "another media type",
	  "POST /a HTTP/1.1\r\nContent-Type: application/yaml\r\n\r\na",
	  ERR_UNSUPPORTED },
	{ "body that is not XML",
	  "POST /a HTTP/1.1\r\nContent-Type: application/xml\r\n\r\n<a>",
	  ERR_PROTO },
	{ "a media type that only ends like JSON",
	  "POST /a HTTP/1.1\r\nContent-Type: +json\r\n\r\n{}",
	  ERR_UNSUPPORTED },
	{ "no media type, nothing known", "POST /a HTTP/1.1\r\n\r\na",
	  ERR_UNSUPPORTED },
};

START_TEST(test_refusal)
{
	const char *why = NULL;
	struct prim p = { 0 };
	int err = read_text(&p, &why, refusals[_i].text, &test_conf);

	ck_assert_msg(err == refusals[_i].err, "%s: %d", refusals[_i].name,
		      err);
	ck_assert_ptr_nonnull(why);
	prim_deinit(&p);
}
END_TEST

/* Octets that no test text can hold. */
START_TEST(test_not_utf8)
{
	static const struct http_header headers[] = {
		{ STR_INIT("X-M2M-Origin"), STR_INIT("\xff") },
		{ STR_INIT("Content-Type"),
		  STR_INIT("application/json;ty=\xff") },
	};
	struct http_msg msg = {
		.method = STR("GET"), .target = STR("/a"),
		.headers = headers, .header_count = 1,
	};
	const char *why;
	struct prim p = { 0 };

	ck_assert_int_eq(http_map_read_request(&p, &why, &msg, &test_conf),
			 ERR_PROTO);
	msg.method = STR("POST");
	msg.headers++;
	ck_assert_int_eq(http_map_read_request(&p, &why, &msg, &test_conf),
			 ERR_PROTO);
	prim_deinit(&p);
}
END_TEST

/* White space is looked through, but the body stays what it is. */
START_TEST(test_white_space)
{
	struct http_msg msg = {
		.method = STR("PUT"), .target = STR("/a"),
		.body = STR(" \r\n\t{} \n"),
	};
	const char *why;
	struct prim p = { 0 };

	ck_assert_int_eq(http_map_read_request(&p, &why, &msg, &test_conf), 0);
	check_text(p.content, " \r\n\t{} \n", "pc");
	prim_deinit(&p);
}
END_TEST

/* Slices into the store stay good however much goes into it. */
START_TEST(test_large)
{
	struct buf text = { 0 };
	struct test_head head;
	const char *why = "";
	struct prim p = { 0 };
	struct http_msg msg;

	buf_add_lit(&text, "GET /%41?rp=%42&rt=%33&atrl=%43");
	for (int i = 0; i < 3000; i++)
		buf_add_lit(&text, "&%01=%22&ty=+1&c.=&p.%22=%22&lbl=a+b");
	buf_add_lit(&text, " HTTP/1.1\r\nX-M2M-RTU: \"&\"\r\n\r\n");
	head_parse(&head, buf_str(&text));
	msg = head_request(&head);
	ck_assert_int_eq(http_map_read_request(&p, &why, &msg, &test_conf), 0);
	check_text(prim_text(&p, PARAM_TO), "A", "to");
	check_text(prim_text(&p, PARAM_RP), "B", "rp");
	check_text(prim_text(&p, PARAM_RT), "{\"rtv\":3,\"nu\":[\"\\\"\","
					    "\"\\\"\"]}", "rt");
	check_text(p.content, "{\"m2m:atrl\":[\"C\"]}", "pc");
	ck_assert(str_starts(prim_text(&p, PARAM_FC), STR("{\"atr\":[{\"nm\":"
		"\"\\u0001\",\"val\":\"\\\"\"},{\"nm\"")));
	prim_deinit(&p);
	buf_deinit(&text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_map_read_request");
	TCase *tc = tcase_create("read_request");

	tcase_add_loop_test(tc, test_whole, 0, ARRAY_LEN(whole));
	tcase_add_loop_test(tc, test_path, 0, ARRAY_LEN(paths));
	tcase_add_loop_test(tc, test_query, 0, ARRAY_LEN(queries));
	tcase_add_loop_test(tc, test_refusal, 0, ARRAY_LEN(refusals));
	tcase_add_test(tc, test_not_utf8);
	tcase_add_test(tc, test_white_space);
	tcase_add_test(tc, test_large);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
