/* Request primitive -> HTTP request (TS-0009 6.2, 6.4). */
#include "http_map_util.h"

#define HOST   "Host: " TEST_HOST "\r\n"
#define IDS    "X-M2M-Origin: Cmeter7\r\nX-M2M-RI: r-1\r\nX-M2M-RVI: 3\r\n"
#define ACCEPT "Accept: application/json\r\n"
#define PRIM   "\"fr\":\"Cmeter7\",\"rqi\":\"r-1\",\"rvi\":\"3\""

static const struct {
	const char *name;
	const char *json;
	const char *head;
	const char *body;
} whole[] = {
	{ "CREATE: POST with ty in the media type",
	  "{\"op\":1,\"to\":\"cb1\",\"fr\":\"C\",\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"ty\":2,\"pc\":{\"m2m:ae\":{\"rn\":\"meter7\",\"rr\":true}}}",
	  "POST /cb1 HTTP/1.1\r\n" HOST
	  "X-M2M-Origin: C\r\nX-M2M-RI: r-1\r\nX-M2M-RVI: 3\r\n" ACCEPT
	  "Content-Type: application/json;ty=2\r\nContent-Length: 36\r\n\r\n",
	  "{\"m2m:ae\":{\"rn\":\"meter7\",\"rr\":true}}" },
	{ "CREATE of an AE without fr: no X-M2M-Origin",
	  "{\"op\":1,\"to\":\"cb1\",\"rqi\":\"r-1\",\"rvi\":\"3\","
	  "\"ty\":2,\"pc\":{\"m2m:ae\":{}}}",
	  "POST /cb1 HTTP/1.1\r\n" HOST
	  "X-M2M-RI: r-1\r\nX-M2M-RVI: 3\r\n" ACCEPT
	  "Content-Type: application/json;ty=2\r\nContent-Length: 13\r\n\r\n",
	  "{\"m2m:ae\":{}}" },
	{ "CREATE with an empty fr keeps the header",
	  "{\"op\":1,\"to\":\"cb1\",\"fr\":\"\",\"rqi\":\"r-1\","
	  "\"ty\":2,\"pc\":{\"m2m:ae\":{}}}",
	  "POST /cb1 HTTP/1.1\r\n" HOST
	  "X-M2M-Origin:\r\nX-M2M-RI: r-1\r\n" ACCEPT
	  "Content-Type: application/json;ty=2\r\nContent-Length: 13\r\n\r\n",
	  "{\"m2m:ae\":{}}" },
	{ "CREATE without pc still says ty",
	  "{\"op\":1,\"to\":\"cb1\"," PRIM ",\"ty\":3}",
	  "POST /cb1 HTTP/1.1\r\n" HOST IDS ACCEPT
	  "Content-Type: application/json;ty=3\r\nContent-Length: 0\r\n\r\n",
	  "" },
	{ "CREATE with rcn and rqet; null stays in the body",
	  "{\"op\":1,\"to\":\"cb1/meter7\"," PRIM ",\"ty\":3,\"rcn\":0,"
	  "\"rqet\":\"20260601T080130\","
	  "\"pc\":{\"m2m:cnt\":{\"mni\":100,\"cr\":null}}}",
	  "POST /cb1/meter7?rcn=0 HTTP/1.1\r\n" HOST IDS
	  "X-M2M-RET: 20260601T080130\r\n" ACCEPT
	  "Content-Type: application/json;ty=3\r\nContent-Length: 33\r\n\r\n",
	  "{\"m2m:cnt\":{\"mni\":100,\"cr\":null}}" },
	{ "a body counts in octets and is not rewritten",
	  "{\"op\":1,\"to\":\"cb1/meter7/temp\"," PRIM ",\"ty\":4,"
	  "\"pc\": {\"m2m:cin\" : {\"con\":\"21.50 \u00b0C\", \"x\":1E2}} }",
	  "POST /cb1/meter7/temp HTTP/1.1\r\n" HOST IDS ACCEPT
	  "Content-Type: application/json;ty=4\r\nContent-Length: 42\r\n\r\n",
	  "{\"m2m:cin\" : {\"con\":\"21.50 \u00b0C\", \"x\":1E2}}" },
	{ "RETRIEVE: GET without body headers",
	  "{\"op\":2,\"to\":\"/in-cse1/cb1/meter7/temp/la\"," PRIM "}",
	  "GET /~/in-cse1/cb1/meter7/temp/la HTTP/1.1\r\n" HOST IDS ACCEPT
	  "\r\n", "" },
	{ "RETRIEVE of an attribute list: query, no body",
	  "{\"op\":2,\"to\":\"cb1/meter7\"," PRIM ","
	  "\"pc\":{\"m2m:atrl\":[\"rr\",\"poa\"]}}",
	  "GET /cb1/meter7?atrl=rr+poa HTTP/1.1\r\n" HOST IDS ACCEPT "\r\n",
	  "" },
	{ "UPDATE: PUT without ty, even when the client sends one",
	  "{\"op\":3,\"to\":\"cb1/meter7/temp\"," PRIM ",\"rcn\":9,\"ty\":3,"
	  "\"pc\":{\"m2m:cnt\":{\"mni\":50,\"lbl\":null}}}",
	  "PUT /cb1/meter7/temp?rcn=9 HTTP/1.1\r\n" HOST IDS ACCEPT
	  "Content-Type: application/json\r\nContent-Length: 33\r\n\r\n",
	  "{\"m2m:cnt\":{\"mni\":50,\"lbl\":null}}" },
	{ "UPDATE without pc: a length and no media type",
	  "{\"op\":3,\"to\":\"cb1\"," PRIM "}",
	  "PUT /cb1 HTTP/1.1\r\n" HOST IDS ACCEPT
	  "Content-Length: 0\r\n\r\n", "" },
	{ "DELETE",
	  "{\"op\":4,\"to\":\"cnt4711\"," PRIM "}",
	  "DELETE /cnt4711 HTTP/1.1\r\n" HOST IDS ACCEPT "\r\n", "" },
	{ "DELETE with an empty pc, as some libraries send it",
	  "{\"op\":4,\"to\":\"cnt4711\"," PRIM ",\"pc\":{}}",
	  "DELETE /cnt4711 HTTP/1.1\r\n" HOST IDS ACCEPT "\r\n", "" },
	{ "NOTIFY: POST without ty",
	  "{\"op\":5,\"to\":\"/in-cse1/Cpanel\"," PRIM ",\"ty\":3,"
	  "\"pc\":{\"m2m:sgn\":{\"sur\":\"x\"}}}",
	  "POST /~/in-cse1/Cpanel HTTP/1.1\r\n" HOST IDS ACCEPT
	  "Content-Type: application/json\r\nContent-Length: 23\r\n\r\n",
	  "{\"m2m:sgn\":{\"sur\":\"x\"}}" },
	{ "every header, in one order whatever the client's",
	  "{\"vsi\":\"v 1\",\"tkns\":[\"a.b.c\",\"d.e.f\"],\"aus\":[\"QQ==\"],"
	  "\"gid\":\"g1\",\"ec\":4,\"ot\":\"20260601T080000\",\"oet\":1000,"
	  "\"rset\":\"20260601T080200\",\"rqet\":\"PT10S\",\"rvi\":\"2a\","
	  "\"rqi\":\"r-1\",\"fr\":\"Cmeter7\",\"to\":\"cb1\",\"op\":2,"
	  "\"rt\":{\"nu\":[\"/in-cse1/Ca\",\"http://h/p?q=1\"],\"rtv\":2}}",
	  "GET /cb1?rt=2 HTTP/1.1\r\n" HOST
	  "X-M2M-Origin: Cmeter7\r\nX-M2M-RI: r-1\r\nX-M2M-RVI: 2a\r\n"
	  "X-M2M-RET: PT10S\r\nX-M2M-RST: 20260601T080200\r\n"
	  "X-M2M-OET: 1000\r\nX-M2M-OT: 20260601T080000\r\nX-M2M-EC: 4\r\n"
	  "X-M2M-GID: g1\r\nX-M2M-RTU: /in-cse1/Ca&http://h/p?q=1\r\n"
	  "X-M2M-VSI: v 1\r\nX-M2M-AS: QQ==\r\n"
	  "Authorization: a.b.c+d.e.f\r\n" ACCEPT "\r\n", "" },
	{ "an empty list of targets: header without value",
	  "{\"op\":2,\"to\":\"cb1\"," PRIM ",\"rt\":{\"rtv\":2,\"nu\":[]}}",
	  "GET /cb1?rt=2 HTTP/1.1\r\n" HOST IDS "X-M2M-RTU:\r\n" ACCEPT
	  "\r\n", "" },
	{ "nu null: no header",
	  "{\"op\":2,\"to\":\"cb1\"," PRIM ",\"rt\":{\"rtv\":2,\"nu\":null}}",
	  "GET /cb1?rt=2 HTTP/1.1\r\n" HOST IDS ACCEPT "\r\n", "" },
	{ "nu as one string",
	  "{\"op\":2,\"to\":\"cb1\"," PRIM ",\"rt\":{\"nu\":\"\\u0043a\"}}",
	  "GET /cb1 HTTP/1.1\r\n" HOST IDS "X-M2M-RTU: Ca\r\n" ACCEPT "\r\n",
	  "" },
	{ "empty token lists: no header",
	  "{\"op\":2,\"to\":\"cb1\"," PRIM ",\"tkns\":[],\"aus\":[]}",
	  "GET /cb1 HTTP/1.1\r\n" HOST IDS ACCEPT "\r\n", "" },
	{ "unknown members are advisory and stay behind",
	  "{\"op\":2,\"to\":\"cb1\"," PRIM ","
	  "\"x1\":\"a\\r\\nb\",\"msu\":\"m\"}",
	  "GET /cb1 HTTP/1.1\r\n" HOST IDS ACCEPT "\r\n", "" },
};

START_TEST(test_whole)
{
	struct prim p = { 0 };
	struct buf head = { 0 };
	struct str body = { "?", 1 };
	const char *why = "", *name = whole[_i].name;

	prim_of(&p, whole[_i].json, name);
	buf_add_lit(&head, "before");
	ck_assert_msg(http_map_write_request(&head, &body, NULL, &why, &p,
					     &test_conf) == 0,
		      "%s: %s", name, why);
	check_text(str_skip(buf_str(&head), 6), whole[_i].head, name);
	check_text(body, whole[_i].body, name);
	buf_deinit(&head);
	prim_deinit(&p);
}
END_TEST

static const struct {
	const char *name;
	const char *to;		/* inside of a JSON string */
	const char *want;
} targets[] = {
	{ "CSE-relative structured", "cb1/meter7", "/cb1/meter7" },
	{ "CSE-relative unstructured", "Cmeter7", "/Cmeter7" },
	{ "hyphen for the CSEBase", "-/meter7/temp/la", "/-/meter7/temp/la" },
	{ "SP-relative", "/in-cse1/Cmeter7", "/~/in-cse1/Cmeter7" },
	{ "absolute", "//sp.example.org/in-cse1/cb1",
	  "/_/sp.example.org/in-cse1/cb1" },
	{ "an attribute", "cb1/meter7#rr", "/cb1/meter7?atrl=rr" },
	{ "only the first # begins it", "cb1#a#b", "/cb1?atrl=a%23b" },
	{ "the backend's CSE-ID is its CSEBase", "/in-cse1", "/~/in-cse1/-" },
	{ "the same with an attribute", "/in-cse1#csi",
	  "/~/in-cse1/-?atrl=csi" },
	{ "another CSE-ID stays", "/in-cse12", "/~/in-cse12" },
	{ "a query is no query", "cb1?rcn=4&x", "/cb1%3Frcn=4&x" },
	{ "spaces and percent signs", "a b%2e%2e/%", "/a%20b%252e%252e/%25" },
	{ "path parameters of Java servers", "..;/x+y", "/..%3B/x%2By" },
	{ "backslash", "a\\\\..\\\\b", "/a%5C..%5Cb" },
	{ "UTF-8", "cb1/\\u00b0", "/cb1/%C2%B0" },
	{ "what may stand in a path", "a:@!$&'()*,=-._~b",
	  "/a:@!$&'()*,=-._~b" },
	{ "a URL as target is a path", "http://h/p", "/http://h/p" },
	{ "dots within names", "a.b/..c/d..", "/a.b/..c/d.." },
	{ "~ inside is a name", "cb1/~/x", "/cb1/~/x" },
};

static void check_target(const char *json, const struct http_map_conf *conf,
			 const char *want, const char *name)
{
	struct prim p = { 0 };
	struct buf head = { 0 };
	struct str body, target, rest;
	const char *why = "";

	prim_of(&p, json, name);
	ck_assert_msg(http_map_write_request(&head, &body, NULL, &why, &p, conf) ==
			      0,
		      "%s: %s", name, why);
	ck_assert(str_cut(buf_str(&head), ' ', &rest, &target));
	ck_assert(str_cut(target, ' ', &target, &rest));
	ck_assert(str_starts(rest, STR("HTTP/1.1\r\n")));
	check_text(target, want, name);
	buf_deinit(&head);
	prim_deinit(&p);
}

START_TEST(test_target)
{
	struct http_map_conf conf = test_conf;
	char json[512], want[512];

	snprintf(json, sizeof(json), "{\"op\":2,\"to\":\"%s\"," PRIM "}",
		 targets[_i].to);
	conf.cse_id = STR("/in-cse1");
	check_target(json, &conf, targets[_i].want, targets[_i].name);
	conf.base = STR("/oneM2M/v1");
	snprintf(want, sizeof(want), "/oneM2M/v1%s", targets[_i].want);
	check_target(json, &conf, want, targets[_i].name);
}
END_TEST

/* Where a URL says more than its authority. */
static const struct {
	const char *base, *query;
	bool exact;
	const char *to, *members;
	const char *want;
} places[] = {
	{ "/r/k3", "", false, "Cx", "", "/r/k3/Cx" },
	{ "/r/k3", "", false, "/in/Cx", "", "/r/k3/~/in/Cx" },
	{ "/r/k3", "t=1", false, "Cx", "", "/r/k3/Cx?t=1" },
	{ "/r/k3", "t=1", false, "Cx", ",\"rcn\":4", "/r/k3/Cx?t=1&rcn=4" },
	{ "/r/k3", "", true, "Cx", "", "/r/k3" },
	{ "", "", true, "Cx", "", "/" },
	{ "/a/", "t=1&u", true, "//sp/in/..", "", "/a/?t=1&u" },
	{ "/a", "t=1", true, "Cx", ",\"rcn\":4", "/a?t=1&rcn=4" },
};

START_TEST(test_place)
{
	struct http_map_conf conf = test_conf;
	char json[512];

	snprintf(json, sizeof(json), "{\"op\":2,\"to\":\"%s\"," PRIM "%s}",
		 places[_i].to, places[_i].members);
	conf.base = str_of(places[_i].base);
	conf.query = str_of(places[_i].query);
	conf.exact = places[_i].exact;
	check_target(json, &conf, places[_i].want, places[_i].want);
}
END_TEST

static const struct {
	const char *name;
	const char *members;
	const char *want;
} queries[] = {
	{ "all parameters, in one order",
	  "\"sqi\":true,\"auri\":false,\"asi\":1,\"tqi\":\"true\","
	  "\"ltids\":[\"l1\"],\"tids\":[\"t1@h\",\"t2@h\"],"
	  "\"rids\":[\"r1\",\"r2\"],\"drt\":2,\"fc\":{\"fu\":1},\"da\":true,"
	  "\"rcn\":4,\"rp\":\"P1Y\",\"rt\":{\"rtv\":3}",
	  "?rt=3&rp=P1Y&rcn=4&da=true&fu=1&drt=2&rids=r1+r2"
	  "&tids=t1%40h+t2%40h&ltids=l1&tqi=true&asi=1&auri=false&sqi=true" },
	{ "discovery",
	  "\"drt\":1,\"fc\":{\"fu\":1,\"ty\":[3,4],\"lbl\":[\"site:north\","
	  "\"unit:\u00b0C\"],\"crb\":\"20260701T000000\",\"atr\":[{\"nm\":"
	  "\"cr\",\"val\":\"Cmeter7\"},{\"nm\":\"or\",\"val\":\"urn:t/*\"}],"
	  "\"fo\":1,\"lim\":2,\"ofst\":1}",
	  "?fu=1&ty=3+4&lbl=site%3Anorth+unit%3A%C2%B0C&crb=20260701T000000"
	  "&cr=Cmeter7&or=urn%3At%2F*&fo=1&lim=2&ofst=1&drt=1" },
	{ "fc keeps the client's order",
	  "\"fc\":{\"lim\":1,\"fu\":2,\"aaa\":3}",
	  "?lim=1&fu=2&aaa=3" },
	{ "flat attribute conditions", "\"fc\":{\"fu\":1,\"cr\":\"Cm\"}",
	  "?fu=1&cr=Cm" },
	{ "catr and patr", "\"fc\":{\"catr\":[{\"nm\":\"cr\",\"val\":\"a\"}],"
	  "\"patr\":{\"val\":true,\"nm\":\"rr\"}}", "?c.cr=a&p.rr=true" },
	{ "an attribute of any of several values",
	  "\"fc\":{\"atr\":[{\"nm\":\"cr\",\"val\":[\"a\",\"b\"]}]}",
	  "?cr=a+b" },
	{ "numbers keep their digits",
	  "\"fc\":{\"lim\":5.0,\"x\":1E+2,\"y\":-0,\"z\":[1.10,2]}",
	  "?lim=5.0&x=1E%2B2&y=-0&z=1.10+2" },
	{ "booleans; null is no condition",
	  "\"fc\":{\"a\":true,\"b\":false,\"c\":null,\"atr\":null}",
	  "?a=true&b=false" },
	{ "empty lists and empty fc",
	  "\"fc\":{\"lbl\":[],\"atr\":[]},\"rids\":[]",
	  "" },
	{ "an empty list keeps the next field first",
	  "\"fc\":{\"lbl\":[],\"fu\":1}", "?fu=1" },
	{ "an empty string is a value", "\"fc\":{\"lbq\":\"\"}", "?lbq=" },
	{ "what could be read differently is encoded",
	  "\"fc\":{\"lbl\":[\"a&b=c\",\"d+e\",\"f g\",\"#?%\"],"
	  "\"x\\u003dy\":\"/:@!$'(),;\\\"<>\"}",
	  "?lbl=a%26b%3Dc+d%2Be+f%20g+%23%3F%25"
	  "&x%3Dy=%2F%3A%40%21%24%27%28%29%2C%3B%22%3C%3E" },
	{ "controls other than NUL, CR and LF are encoded",
	  "\"fc\":{\"x\":\"\\u0001\\t\\u007f\"}", "?x=%01%09%7F" },
	{ "escapes are resolved before",
	  "\"fc\":{\"\\u006c\\u0062l\":[\"\\u0061\\/b\",\"\\ud83d\\ude00\"]}",
	  "?lbl=a%2Fb+%F0%9F%98%80" },
	{ "escaped names of the members of fc.atr",
	  "\"fc\":{\"\\u0061tr\":[{\"n\\u006d\":\"c\\u0072\","
	  "\"v\\u0061l\":1}]}",
	  "?cr=1" },
	{ "rt as a bare number", "\"rt\":2", "?rt=2" },
	{ "odd rtv are the CSE's to judge", "\"rt\":{\"rtv\":99999}",
	  "?rt=99999" },
	{ "odd rtv: text", "\"rt\":{\"r\\u0074v\":\"x&y\",\"z\":1}",
	  "?rt=x%26y" },
	{ "rtv null", "\"rt\":{\"rtv\":null}", "" },
	{ "a flag as number", "\"da\":0", "?da=0" },
	{ "an empty attribute list asks for all", "\"pc\":{\"m2m:atrl\":[]}",
	  "" },
	{ "attribute list behind other fields",
	  "\"rcn\":1,\"pc\":{\"m2m\\u003aatrl\":[\"a\"]}", "?rcn=1&atrl=a" },
	{ "pc without members", "\"pc\":{}", "" },
};

START_TEST(test_query)
{
	char json[1024], want[512];

	snprintf(json, sizeof(json), "{\"op\":2,\"to\":\"cb1\"," PRIM ",%s}",
		 queries[_i].members);
	snprintf(want, sizeof(want), "/cb1%s", queries[_i].want);
	check_target(json, &test_conf, want, queries[_i].name);
}
END_TEST

static const struct {
	const char *name;
	int op;
	const char *members;	/* `to` is cb1 unless given here */
	int err;
	const char *why;	/* part of it */
} refusals[] = {
	{ "grtm has no place in TS-0009", 2, "\"grtm\":[\"a\"]",
	  ERR_UNSUPPORTED, "grtm" },
	{ "dot segment", 2, "\"to\":\"cb1/../x\"", ERR_PROTO, "segment" },
	{ "dot segment at the end", 2, "\"to\":\"cb1/.\"", ERR_PROTO,
	  "segment" },
	{ "dot segment first", 2, "\"to\":\"/..\"", ERR_PROTO, "segment" },
	{ "CSE-relative that looks SP-relative in HTTP", 2,
	  "\"to\":\"~/in-cse1/x\"", ERR_PROTO, "~" },
	{ "CSE-relative that looks absolute in HTTP", 2, "\"to\":\"_\"",
	  ERR_PROTO, "_" },
	{ "to empty", 2, "\"to\":\"\"", ERR_PROTO, "to" },
	{ "to with nothing before the attribute", 2, "\"to\":\"#rr\"",
	  ERR_PROTO, "to" },
	{ "to with an empty attribute", 2, "\"to\":\"cb1#\"", ERR_PROTO,
	  "#" },
	{ "an attribute of DELETE would take the resource", 4,
	  "\"to\":\"cb1#lbl\"", ERR_PROTO, "RETRIEVE" },
	{ "two ways to say attributes", 2,
	  "\"to\":\"cb1#a\",\"pc\":{\"m2m:atrl\":[\"b\"]}", ERR_PROTO,
	  "attribute list" },
	{ "LF in to", 2, "\"to\":\"a\\nb\"", ERR_PROTO, "to" },
	{ "DEL in to", 2, "\"to\":\"a\\u007fb\"", ERR_PROTO, "to" },
	{ "CREATE without ty would be a NOTIFY", 1, "\"pc\":{\"a\":1}",
	  ERR_PROTO, "ty" },
	{ "ty that is no token", 1, "\"ty\":\"3;x\",\"pc\":{\"a\":1}",
	  ERR_PROTO, "ty" },
	{ "ty empty", 1, "\"ty\":\"\",\"pc\":{\"a\":1}", ERR_PROTO, "ty" },
	{ "RETRIEVE with a resource as content", 2,
	  "\"pc\":{\"m2m:cnt\":{}}", ERR_PROTO, "pc" },
	{ "RETRIEVE with more than an attribute list", 2,
	  "\"pc\":{\"m2m:atrl\":[\"a\"],\"m2m:cnt\":{}}", ERR_PROTO, "pc" },
	{ "an attribute list that is none", 2, "\"pc\":{\"m2m:atrl\":\"a\"}",
	  ERR_PROTO, "list" },
	{ "DELETE with content", 4, "\"pc\":{\"m2m:atrl\":[\"a\"]}",
	  ERR_PROTO, "pc" },
	{ "header: leading space", 2, "\"vsi\":\" a\"", ERR_PROTO, "vsi" },
	{ "header: trailing space", 2, "\"gid\":\"a \"", ERR_PROTO, "gid" },
	{ "header: tab", 2, "\"ot\":\"a\\tb\"", ERR_PROTO, "ot" },
	{ "header: CR LF", 2, "\"ec\":\"1\\r\\nX: y\"", ERR_PROTO, "ec" },
	{ "header: NUL", 2, "\"rset\":\"\\u0000\"", ERR_PROTO, "rset" },
	{ "header: not ASCII", 2, "\"oet\":\"\u00e9\"", ERR_PROTO, "oet" },
	{ "token with +", 2, "\"tkns\":[\"a+b\"]", ERR_PROTO, "tkns" },
	{ "token with space: Basic credentials", 2,
	  "\"tkns\":[\"Basic YTpi\"]", ERR_PROTO, "tkns" },
	{ "empty token", 2, "\"tkns\":[\"a\",\"\"]", ERR_PROTO, "tkns" },
	{ "token that is no string", 2, "\"aus\":[1]", ERR_PROTO, "aus" },
	{ "target with &", 2, "\"rt\":{\"nu\":[\"http://h/?a=1&b=2\"]}",
	  ERR_PROTO, "rt.nu" },
	{ "target that is no string", 2, "\"rt\":{\"nu\":[1]}", ERR_PROTO,
	  "rt.nu" },
	{ "targets that are an object", 2, "\"rt\":{\"nu\":{}}", ERR_PROTO,
	  "rt.nu" },
	{ "target with LF", 2, "\"rt\":{\"nu\":\"a\\nb\"}", ERR_PROTO,
	  "rt.nu" },
	{ "rtv that is a list", 2, "\"rt\":{\"rtv\":[2]}", ERR_PROTO, "rtv" },
	{ "two rtv", 2, "\"rt\":{\"rtv\":1,\"rtv\":2}", ERR_PROTO, "rtv" },
	{ "two nu", 2, "\"rt\":{\"nu\":[],\"nu\":[]}", ERR_PROTO, "nu" },
	{ "fc: nested object", 2, "\"fc\":{\"x\":{\"y\":1}}", ERR_PROTO,
	  "fc" },
	{ "fc: array of arrays", 2, "\"fc\":{\"ty\":[[3]]}", ERR_PROTO,
	  "scalars" },
	{ "fc: null in a list", 2, "\"fc\":{\"ty\":[3,null]}", ERR_PROTO,
	  "scalars" },
	{ "fc: an empty member would vanish", 2, "\"fc\":{\"lbl\":[\"\"]}",
	  ERR_PROTO, "empty" },
	{ "fc: member without name", 2, "\"fc\":{\"\":1}", ERR_PROTO,
	  "name" },
	{ "fc: a request parameter in disguise", 2, "\"fc\":{\"rt\":5}",
	  ERR_PROTO, "parameter" },
	{ "fc.atr: a request parameter in disguise", 2,
	  "\"fc\":{\"atr\":[{\"nm\":\"atrl\",\"val\":\"x\"}]}", ERR_PROTO,
	  "parameter" },
	{ "fc.atr without val", 2, "\"fc\":{\"atr\":[{\"nm\":\"a\"}]}",
	  ERR_PROTO, "atr" },
	{ "fc.atr with a null condition", 2,
	  "\"fc\":{\"atr\":[{\"nm\":\"a\",\"val\":null}]}", ERR_PROTO,
	  "atr" },
	{ "fc.atr without nm", 2, "\"fc\":{\"atr\":[{\"val\":\"a\"}]}",
	  ERR_PROTO, "atr" },
	{ "fc.atr as in enc: names only", 2, "\"fc\":{\"atr\":[\"a\"]}",
	  ERR_PROTO, "atr" },
	{ "fc.atr scalar", 2, "\"fc\":{\"atr\":\"a\"}", ERR_PROTO, "atr" },
	{ "fc.catr with a nested val", 2,
	  "\"fc\":{\"catr\":[{\"nm\":\"a\",\"val\":{}}]}", ERR_PROTO, "fc" },
	{ "query: NUL", 2, "\"fc\":{\"x\":\"a\\u0000\"}", ERR_PROTO, "NUL" },
	{ "query: CR", 2, "\"rp\":\"a\\rb\"", ERR_PROTO, "CR" },
	{ "query: LF in a name", 2, "\"fc\":{\"a\\nb\":1}", ERR_PROTO, "LF" },
	{ "query: LF in a list", 2, "\"rids\":[\"a\\nb\"]", ERR_PROTO, "LF" },
};

START_TEST(test_refusal)
{
	bool has_to = strstr(refusals[_i].members, "\"to\":") != NULL;
	const char *why = "", *name = refusals[_i].name;
	struct prim p = { 0 };
	struct buf head = { 0 };
	struct str body = { "untouched", 9 };
	char json[512];
	int err;

	snprintf(json, sizeof(json), "{\"op\":%d,%s\"rqi\":\"r-1\",%s}",
		 refusals[_i].op, has_to ? "" : "\"to\":\"cb1\",",
		 refusals[_i].members);
	prim_of(&p, json, name);
	buf_add_lit(&head, "before");
	err = http_map_write_request(&head, &body, NULL, &why, &p, &test_conf);
	ck_assert_msg(err == refusals[_i].err, "%s: %d", name, err);
	ck_assert_msg(strstr(why, refusals[_i].why) != NULL, "%s: %s", name,
		      why);
	check_text(buf_str(&head), "before", name);
	check_text(body, "untouched", name);
	buf_deinit(&head);
	prim_deinit(&p);
}
END_TEST

/* A codec may refuse these itself; the map must not rely on that. */
static const struct {
	enum prim_param id;
	enum value_type type;
	const char *text;
	int err;
	const char *why;
} odd_types[] = {
	{ PARAM_TO, VALUE_JSON, "[]", ERR_PROTO, "to" },
	{ PARAM_TO, VALUE_NUMBER, "12", 0, "" },
	{ PARAM_FR, VALUE_JSON, "[]", ERR_PROTO, "fr" },
	{ PARAM_FR, VALUE_NUMBER, "12", 0, "" },
	{ PARAM_RQI, VALUE_JSON, "{}", ERR_PROTO, "rqi" },
	{ PARAM_RVI, VALUE_NUMBER, "3", 0, "" },
	{ PARAM_RCN, VALUE_JSON, "[1]", ERR_PROTO, "rcn" },
	{ PARAM_RP, VALUE_JSON, "[1]", ERR_PROTO, "rp" },
	{ PARAM_DA, VALUE_JSON, "{}", ERR_PROTO, "da" },
	{ PARAM_DRT, VALUE_JSON, "{}", ERR_PROTO, "drt" },
	{ PARAM_TQI, VALUE_JSON, "[]", ERR_PROTO, "tqi" },
	{ PARAM_ASI, VALUE_JSON, "[]", ERR_PROTO, "asi" },
	{ PARAM_AURI, VALUE_JSON, "[]", ERR_PROTO, "auri" },
	{ PARAM_SQI, VALUE_JSON, "[]", ERR_PROTO, "sqi" },
	{ PARAM_DA, VALUE_STRING, "maybe", 0, "" },
	{ PARAM_FC, VALUE_STRING, "x", ERR_PROTO, "fc" },
	{ PARAM_FC, VALUE_JSON, "[]", ERR_PROTO, "fc" },
	{ PARAM_RT, VALUE_STRING, "x", 0, "" },
	{ PARAM_RT, VALUE_JSON, "[]", ERR_PROTO, "rt" },
	{ PARAM_RIDS, VALUE_STRING, "r", 0, "" },
	{ PARAM_RIDS, VALUE_JSON, "{}", ERR_PROTO, "list" },
	{ PARAM_TKNS, VALUE_STRING, "a.b.c", 0, "" },
	{ PARAM_TKNS, VALUE_STRING, "a b", ERR_PROTO, "tkns" },
	{ PARAM_TKNS, VALUE_NUMBER, "1", ERR_PROTO, "tkns" },
	{ PARAM_AUS, VALUE_JSON, "{}", ERR_PROTO, "aus" },
};

START_TEST(test_odd_type)
{
	struct prim p = { 0 };
	struct buf head = { 0 };
	struct str body;
	const char *why = "";
	int err;

	prim_reset(&p, PRIM_REQUEST);
	p.op = OP_RETRIEVE;
	prim_set_str(&p, PARAM_TO, STR("cb1"));
	prim_set(&p, odd_types[_i].id, odd_types[_i].type,
		 str_of(odd_types[_i].text));
	err = http_map_write_request(&head, &body, NULL, &why, &p, &test_conf);
	ck_assert_msg(err == odd_types[_i].err, "row %d: %s", _i, why);
	ck_assert_msg(strstr(why, odd_types[_i].why) != NULL, "row %d: %s",
		      _i, why);
	buf_deinit(&head);
	prim_deinit(&p);
}
END_TEST

START_TEST(test_no_op)
{
	struct prim p = { 0 };
	struct buf head = { 0 };
	struct str body;
	const char *why = "";

	prim_reset(&p, PRIM_REQUEST);
	ck_assert_int_eq(http_map_write_request(&head, &body, NULL, &why, &p,
						&test_conf), ERR_PROTO);
	p.op = OP_RETRIEVE;
	ck_assert_int_eq(http_map_write_request(&head, &body, NULL, &why, &p,
						&test_conf), ERR_PROTO);
	ck_assert_str_eq(why, "to is missing");
	buf_deinit(&head);
	prim_deinit(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_map_request");
	TCase *tc = tcase_create("write_request");

	tcase_add_loop_test(tc, test_whole, 0, ARRAY_LEN(whole));
	tcase_add_loop_test(tc, test_target, 0, ARRAY_LEN(targets));
	tcase_add_loop_test(tc, test_place, 0, ARRAY_LEN(places));
	tcase_add_loop_test(tc, test_query, 0, ARRAY_LEN(queries));
	tcase_add_loop_test(tc, test_refusal, 0, ARRAY_LEN(refusals));
	tcase_add_loop_test(tc, test_odd_type, 0, ARRAY_LEN(odd_types));
	tcase_add_test(tc, test_no_op);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
