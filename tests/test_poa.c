#include "unit.h"

#include "m2m/poa.h"

#define GW  "http://gw:8383/r/"
#define URL GW "t1"
#define AE(inside) "{\"m2m:ae\":{" inside "}}"

/* In an allocation of its own: one octet too many is seen by the sanitizer. */
static struct str copy_of(const char *text)
{
	size_t n = strlen(text);
	char *p = malloc(n > 0 ? n : 1);

	ck_assert_ptr_nonnull(p);
	memcpy(p, text, n);
	return (struct str){ p, n };
}

static void check_out(const char *name, const struct buf *out, bool changed,
		      const char *want)
{
	ck_assert(!out->failed);
	ck_assert_msg(changed == (want != NULL), "%s: %.*s", name,
		      (int)out->len, out->p);
	ck_assert_msg(str_eq(buf_str(out), str_of(want != NULL ? want : "")),
		      "%s: %.*s", name, (int)out->len, out->p);
}

/* after, as four letters: known, routed, rr (t, f, -), and the poa. */
static void check_after(const char *name, const struct poa_state *s,
			const char *want)
{
	char flags[4] = { s->known ? 'k' : '-', s->routed ? 'r' : '-',
			  "-ft"[s->rr], '\0' };

	ck_assert_msg(strncmp(flags, want, 3) == 0, "%s: %s", name, flags);
	ck_assert_msg(str_eq(s->poa, str_of(want + 3)), "%s: %.*s", name,
		      (int)s->poa.len, s->poa.p);
}

static const struct {
	const char *name;
	const char *content;
	const char *want;		/* NULL: as it is */
	const char *after;
} creates[] = {
	{ "none, rr true", AE("\"rr\":true"),
	  AE("\"rr\":true,\"poa\":[\"" URL "\"]"), "krt" },
	{ "none, space behind the last member",
	  "{ \"m2m:ae\" : { \"rr\" : true , \"api\" : \"N1\" } } ",
	  "{ \"m2m:ae\" : { \"rr\" : true , \"api\" : \"N1\""
	  ",\"poa\":[\"" URL "\"] } } ", "krt" },
	{ "none, rr false", AE("\"rr\":false"), NULL, "k-f" },
	{ "none, no rr", AE("\"api\":\"N1\""), NULL, "k--" },
	{ "no attribute", AE(""), NULL, "k--" },
	{ "none, rr is a string", AE("\"rr\":\"true\""), NULL, "k--" },
	{ "none, rr twice", AE("\"rr\":true,\"rr\":true"), NULL, "---" },
	{ "marker", AE("\"poa\":[\"ws://default\"],\"rr\":true"),
	  AE("\"poa\":[\"" URL "\"],\"rr\":true"), "krt[\"ws://default\"]" },
	{ "marker without host", AE("\"poa\":[\"ws://\"]"),
	  AE("\"poa\":[\"" URL "\"]"), "kr-[\"ws://\"]" },
	{ "marker without anything", AE("\"poa\":[\"ws\"]"),
	  AE("\"poa\":[\"" URL "\"]"), "kr-[\"ws\"]" },
	{ "capitals", AE("\"poa\":[\"WSS://h:1/x\"]"),
	  AE("\"poa\":[\"" URL "\"]"), "kr-[\"WSS://h:1/x\"]" },
	{ "no ws: other words begin so", AE("\"poa\":[\"wsx://h\",\"wss2\"]"),
	  NULL, "k--[\"wsx://h\",\"wss2\"]" },
	{ "ws further on", AE("\"poa\":[\"http://ws://default\"]"), NULL,
	  "k--[\"http://ws://default\"]" },
	{ "others only", AE("\"poa\":[\"http://a\",\"mqtt://b\"],\"rr\":true"),
	  NULL, "k-t[\"http://a\",\"mqtt://b\"]" },
	{ "mixed, in their order",
	  AE("\"poa\":[\"http://a\", \"ws://b\" ,\"coap://c\"]"),
	  AE("\"poa\":[\"http://a\", \"" URL "\" ,\"coap://c\"]"),
	  "kr-[\"http://a\", \"ws://b\" ,\"coap://c\"]" },
	{ "one URL only",
	  AE("\"poa\":[\"ws://a\", \"wss://b\" , \"http://c\" ,\"ws\" ]"),
	  AE("\"poa\":[\"" URL "\" , \"http://c\" ]"),
	  "kr-[\"ws://a\", \"wss://b\" , \"http://c\" ,\"ws\" ]" },
	{ "three in a row", AE("\"poa\":[\"ws:a\",\"ws:b\",\"ws:c\",\"d\"]"),
	  AE("\"poa\":[\"" URL "\",\"d\"]"),
	  "kr-[\"ws:a\",\"ws:b\",\"ws:c\",\"d\"]" },
	{ "rr false keeps ws", AE("\"poa\":[\"ws://default\"],\"rr\":false"),
	  NULL, "k-f[\"ws://default\"]" },
	{ "escaped name and value",
	  AE("\"p\\u006fa\":[\"w\\u0073:\\/\\/default\"]"),
	  AE("\"p\\u006fa\":[\"" URL "\"]"),
	  "kr-[\"w\\u0073:\\/\\/default\"]" },
	{ "escaped resource",
	  "{\"m2m\\u003aae\":{\"\\u0072r\":true}}",
	  "{\"m2m\\u003aae\":{\"\\u0072r\":true,\"poa\":[\"" URL "\"]}}",
	  "krt" },
	{ "empty list, rr true", AE("\"poa\":[ ],\"rr\":true"),
	  AE("\"poa\":[\"" URL "\"],\"rr\":true"), "krt[ ]" },
	{ "empty list, no rr", AE("\"poa\":[]"), NULL, "k--[]" },
	{ "null", AE("\"poa\":null,\"rr\":true"), NULL, "k-t" },
	{ "a string", AE("\"poa\":\"ws://default\",\"rr\":true"), NULL,
	  "--t" },
	{ "a number among them", AE("\"poa\":[\"ws://default\",1]"), NULL,
	  "---" },
	{ "a list among them", AE("\"poa\":[[\"ws://default\"]]"), NULL,
	  "---" },
	{ "an object", AE("\"poa\":{\"a\":\"ws://\"}"), NULL, "---" },
	{ "twice", AE("\"poa\":[\"ws:\"],\"rr\":true,\"poa\":[]"), NULL,
	  "--t" },
	{ "twice, one escaped", AE("\"poa\":[\"ws:\"],\"po\\u0061\":[]"),
	  NULL, "---" },
	{ "deeper is somebody else's",
	  AE("\"x\":{\"poa\":[\"ws://default\"],\"rr\":true}"), NULL, "k--" },
	{ "another resource", "{\"m2m:cnt\":{\"poa\":[\"ws\"],\"rr\":true}}",
	  NULL, "---" },
	{ "resource twice", "{\"m2m:ae\":{\"rr\":true},\"m2m:ae\":{}}", NULL,
	  "---" },
	{ "and another", "{\"m2m:sub\":{},\"m2m:ae\":{\"poa\":[\"ws\"]}}",
	  NULL, "---" },
	{ "resource is a list", "{\"m2m:ae\":[{\"rr\":true}]}", NULL, "---" },
	{ "no object", "[\"m2m:ae\",{\"rr\":true}]", NULL, "---" },
	{ "no content", "", NULL, "---" },
};

static void check_rewrite(const char *name, const char *content,
			  const struct poa_request *r, const char *want,
			  const char *want_after)
{
	struct poa_request request = *r;
	struct poa_state after;
	struct buf out = { 0 };
	bool changed;

	request.content = copy_of(content);
	changed = poa_rewrite(&out, &after, &request);
	check_out(name, &out, changed, want);
	check_after(name, &after, want_after);
	buf_deinit(&out);
	free((char *)request.content.p);
}

START_TEST(test_create)
{
	struct poa_request r = {
		.member = STR("m2m:ae"),
		.url = STR(URL),
		.is_create = true,
		.before = { true, true, POA_RR_TRUE, STR("[\"ws:b\"]") },
	};

	check_rewrite(creates[_i].name, creates[_i].content, &r,
		      creates[_i].want, creates[_i].after);
}
END_TEST

#define UNKNOWN	   { 0 }
#define NONE(r)	   { true, r, POA_RR_TRUE, { NULL, 0 } }
#define SENT(rr, r, list) { true, r, rr, STR_INIT(list) }

static const struct {
	const char *name;
	struct poa_state before;
	const char *content;
	const char *want;
	const char *after;
} updates[] = {
	{ "says nothing", NONE(true), AE("\"lbl\":[]"), NULL, "krt" },
	{ "says nothing, nothing known", UNKNOWN, AE("\"lbl\":[]"), NULL,
	  "---" },
	{ "ws", NONE(true), AE("\"poa\":[\"ws\"]"),
	  AE("\"poa\":[\"" URL "\"]"), "krt[\"ws\"]" },
	{ "ws, nothing known", UNKNOWN, AE("\"poa\":[\"ws\"]"),
	  AE("\"poa\":[\"" URL "\"]"), "kr-[\"ws\"]" },
	{ "ws of one that polls", SENT(POA_RR_FALSE, false, ""),
	  AE("\"poa\":[\"ws\"]"), NULL, "k-f[\"ws\"]" },
	{ "ws of one that no longer polls", SENT(POA_RR_FALSE, false, ""),
	  AE("\"rr\":true,\"poa\":[\"ws\"]"),
	  AE("\"rr\":true,\"poa\":[\"" URL "\"]"), "krt[\"ws\"]" },
	{ "others", NONE(true), AE("\"poa\":[\"http://a\"]"), NULL,
	  "k-t[\"http://a\"]" },
	{ "null", SENT(POA_RR_TRUE, true, "[\"ws\"]"), AE("\"poa\":null"),
	  AE("\"poa\":[\"" URL "\"]"), "krt" },
	{ "null of direct delivery", SENT(POA_RR_TRUE, false, "[\"http:\"]"),
	  AE("\"poa\": null "), AE("\"poa\": [\"" URL "\"] "), "krt" },
	{ "null, nothing known", UNKNOWN, AE("\"poa\":null"),
	  AE("\"poa\":[\"" URL "\"]"), "kr-" },
	{ "null and rr false", NONE(true), AE("\"poa\":null,\"rr\":false"),
	  NULL, "k-f" },
	{ "null of one that polls", SENT(POA_RR_FALSE, false, ""),
	  AE("\"poa\":null"), NULL, "k-f" },
	{ "empty", SENT(POA_RR_TRUE, true, "[\"ws\"]"), AE("\"poa\":[]"),
	  AE("\"poa\":[\"" URL "\"]"), "krt[]" },
	{ "rr false: the URL stays behind", SENT(POA_RR_TRUE, true, "[\"ws\"]"),
	  AE("\"rr\":false"), NULL, "krf[\"ws\"]" },
	{ "rr true again", SENT(POA_RR_FALSE, true, "[\"ws\"]"),
	  AE("\"rr\":true"), NULL, "krt[\"ws\"]" },
	{ "rr true for the first time", SENT(POA_RR_FALSE, false, ""),
	  AE("\"rr\":true"), AE("\"rr\":true,\"poa\":[\"" URL "\"]"), "krt" },
	{ "rr true, ws sent before",
	  SENT(POA_RR_FALSE, false, "[\"http:a\",\"ws\"]"), AE("\"rr\":true"),
	  AE("\"rr\":true,\"poa\":[\"http:a\",\"" URL "\"]"),
	  "krt[\"http:a\",\"ws\"]" },
	{ "rr true, empty list sent before", SENT(POA_RR_FALSE, false, "[]"),
	  AE("\"rr\":true"), AE("\"rr\":true,\"poa\":[\"" URL "\"]"),
	  "krt[]" },
	{ "rr true, others sent before",
	  SENT(POA_RR_FALSE, false, "[\"http:a\"]"), AE("\"rr\":true"), NULL,
	  "k-t[\"http:a\"]" },
	{ "rr true, nothing known", UNKNOWN, AE("\"rr\":true"), NULL, "--t" },
	{ "odd type", NONE(true), AE("\"poa\":7"), NULL, "--t" },
	{ "rr null", NONE(true), AE("\"rr\":null"), NULL, "kr-" },
	{ "another resource", NONE(true), "{\"m2m:cnt\":{\"poa\":null}}",
	  NULL, "krt" },
};

START_TEST(test_update)
{
	struct poa_request r = {
		.member = STR("m2m:ae"),
		.url = STR(URL),
		.before = updates[_i].before,
	};

	check_rewrite(updates[_i].name, updates[_i].content, &r,
		      updates[_i].want, updates[_i].after);
}
END_TEST

START_TEST(test_remote_cse)
{
	struct poa_request r = {
		.member = STR("m2m:csr"),
		.url = STR("http://gw/r/\"q\\"),
		.is_create = true,
	};

	check_rewrite("csr", "{\"m2m:csr\":{\"poa\":[\"ws://h\"]}}", &r,
		      "{\"m2m:csr\":{\"poa\":[\"http://gw/r/\\\"q\\\\\"]}}",
		      "kr-[\"ws://h\"]");
	check_rewrite("ae", AE("\"rr\":true"), &r, NULL, "---");
}
END_TEST

static const struct {
	const char *token;
	const char *poa;
} entities[] = {
	{ "t0", "" },
	{ "t1", "[\"ws://default\"]" },
	{ "t2", "[ \"http://a\" , \"wss:\\/\\/b\", \"ws://c\" ]" },
	{ "t3", "[]" },
	{ "t4", "[\"http://a\"]" },		/* of another time */
	{ "", "[\"ws://none\"]" },
};

static bool find(void *arg, struct str *poa, struct str token)
{
	unsigned *asked = arg;

	(*asked)++;
	for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
		if (!str_eq(token, str_of(entities[i].token)))
			continue;
		*poa = str_of(entities[i].poa);
		return true;
	}
	return false;
}

#define T0 "\"" GW "t0\""
#define T1 "\"" GW "t1\""
#define T2 "\"" GW "t2\""
#define T3 "\"" GW "t3\""
#define T4 "\"" GW "t4\""
#define T9 "\"" GW "t9\""

static const struct {
	const char *name;
	const char *content;
	const char *want;
} restores[] = {
	{ "its own list", AE("\"poa\":[" T1 "],\"rr\":true"),
	  AE("\"poa\":[\"ws://default\"],\"rr\":true") },
	{ "several, as they were",
	  AE("\"poa\":[\"http://a\"," T2 "]"),
	  AE("\"poa\":[ \"http://a\" , \"wss:\\/\\/b\", \"ws://c\" ]") },
	{ "the CSE writes slashes otherwise",
	  AE("\"poa\":[\"http:\\/\\/a\",\"http:\\/\\/gw:8383\\/r\\/t2\"]"),
	  AE("\"poa\":[ \"http://a\" , \"wss:\\/\\/b\", \"ws://c\" ]") },
	{ "other escapes", AE("\"p\\u006fa\":[\"\\u0068ttp://gw:8383/r/t1\"]"),
	  AE("\"p\\u006fa\":[\"ws://default\"]") },
	{ "the CSE has turned them", AE("\"poa\":[" T2 ",\"http://a\"]"),
	  AE("\"poa\":[\"wss:\\/\\/b\",\"ws://c\",\"http://a\"]") },
	{ "the CSE has one more",
	  AE("\"poa\":[\"http://a\"," T2 ",\"x\"]"),
	  AE("\"poa\":[\"http://a\",\"wss:\\/\\/b\",\"ws://c\",\"x\"]") },
	{ "the CSE has one less", AE("\"poa\":[ " T2 " ]"),
	  AE("\"poa\":[ \"wss:\\/\\/b\",\"ws://c\" ]") },
	{ "the CSE has another", AE("\"poa\":[\"http://b\"," T2 "]"),
	  AE("\"poa\":[\"http://b\",\"wss:\\/\\/b\",\"ws://c\"]") },
	{ "twice the same", AE("\"poa\":[" T1 " , " T1 "]"),
	  AE("\"poa\":[\"ws://default\"]") },
	{ "what the CSE has added to the URL",
	  AE("\"poa\":[\"" GW "t1/\",\"" GW "t1?x\",\"" GW "t1#y\"]"),
	  AE("\"poa\":[\"ws://default\"]") },
	{ "empty token", AE("\"poa\":[\"" GW "\"]"),
	  AE("\"poa\":[\"ws://none\"]") },
	{ "an empty list", AE("\"poa\":[" T3 "]"), AE("\"poa\":[]") },
	{ "an empty list and another", AE("\"poa\":[" T3 ",\"x\"]"),
	  AE("\"poa\":[\"x\"]") },
	{ "of another time", AE("\"poa\":[" T4 "]"), AE("\"poa\":[]") },
	{ "of another time, with others",
	  AE("\"poa\":[\"http://a\"," T4 "]"), AE("\"poa\":[\"http://a\"]") },

	{ "none sent: first member", AE("\"poa\":[" T0 "],\"rr\":true"),
	  AE("\"rr\":true") },
	{ "none sent: last member", AE("\"rr\":true , \"poa\" : [" T0 "] "),
	  AE("\"rr\":true ") },
	{ "none sent: in the middle",
	  AE("\"a\":1,\n\t\"poa\":[" T0 "],\n\t\"b\":2"),
	  AE("\"a\":1,\n\t\"b\":2") },
	{ "none sent: first, with space",
	  AE("\n\t\"poa\" :\n [ " T0 " ] ,\n\t\"b\":2"), AE("\n\t\"b\":2") },
	{ "none sent: the only member", AE("\"poa\":[" T0 "]"), AE("") },
	{ "none sent: member twice",
	  AE("\"poa\":[" T0 "],\"poa\":[" T0 "],\"b\":2"), AE("\"b\":2") },
	{ "none sent: member twice, behind another",
	  AE("\"b\":2,\"poa\":[" T0 "],\"poa\":[" T0 "]"), AE("\"b\":2") },
	{ "none sent, but another is there",
	  AE("\"poa\":[" T0 ",\"http://x\"]"), AE("\"poa\":[\"http://x\"]") },

	{ "unknown", AE("\"poa\":[" T9 "]"), AE("\"poa\":[]") },
	{ "unknown first", AE("\"poa\":[ " T9 " , \"x\"]"),
	  AE("\"poa\":[ \"x\"]") },
	{ "unknown last", AE("\"poa\":[\"x\" , " T9 " ]"),
	  AE("\"poa\":[\"x\" ]") },
	{ "unknown in the middle", AE("\"poa\":[\"x\"," T9 ",\"y\"]"),
	  AE("\"poa\":[\"x\",\"y\"]") },
	{ "unknown before known", AE("\"poa\":[" T9 "," T1 "]"),
	  AE("\"poa\":[\"ws://default\"]") },
	{ "all unknown", AE("\"poa\":[" T9 "," T9 ", " T9 "]"),
	  AE("\"poa\":[]") },
	{ "unknown around another", AE("\"poa\":[" T9 ",\"x\"," T9 "]"),
	  AE("\"poa\":[\"x\"]") },

	{ "nested children",
	  "{\"m2m:cb\":{\"poa\":[\"http://cse\"],\"m2m:ae\":[{\"poa\":[" T1
	  "]},{\"rn\":\"a\",\"poa\":[" T0 "]}],\"m2m:csr\":[{\"poa\":["
	  "\"http://a\"," T2 "]}]}}",
	  "{\"m2m:cb\":{\"poa\":[\"http://cse\"],\"m2m:ae\":[{\"poa\":["
	  "\"ws://default\"]},{\"rn\":\"a\"}],\"m2m:csr\":[{\"poa\":[ \""
	  "http://a\" , \"wss:\\/\\/b\", \"ws://c\" ]}]}}" },
	{ "notification",
	  "{\"m2m:sgn\":{\"nev\":{\"rep\":" AE("\"poa\":[" T1 "]")
	  ",\"net\":3},\"sur\":\"/id-in/s\"}}",
	  "{\"m2m:sgn\":{\"nev\":{\"rep\":" AE("\"poa\":[\"ws://default\"]")
	  ",\"net\":3},\"sur\":\"/id-in/s\"}}" },
	{ "notifications in a batch",
	  "{\"m2m:agn\":{\"m2m:sgn\":[{\"nev\":{\"rep\":"
	  AE("\"poa\":[" T1 "]") "}}]}}",
	  "{\"m2m:agn\":{\"m2m:sgn\":[{\"nev\":{\"rep\":"
	  AE("\"poa\":[\"ws://default\"]") "}}]}}" },
	{ "a group's answers",
	  "{\"m2m:agr\":{\"m2m:rsp\":[{\"rsc\":2000,\"pc\":"
	  AE("\"poa\":[" T0 "]") "}]}}",
	  "{\"m2m:agr\":{\"m2m:rsp\":[{\"rsc\":2000,\"pc\":" AE("") "}]}}" },
	{ "an address with its resource",
	  "{\"m2m:rce\":{\"m2m:ae\":{\"poa\":[" T0 "]},\"uri\":\"" GW "t0\"}}",
	  "{\"m2m:rce\":{\"m2m:ae\":{},\"uri\":\"" GW "t0\"}}" },
	{ "a stored request", "{\"m2m:req\":{\"pc\":" AE("\"poa\":[" T1 "]")
	  "}}", "{\"m2m:req\":{\"pc\":" AE("\"poa\":[\"ws://default\"]")
	  "}}" },

	{ "no URL of ours", AE("\"poa\":[\"http://x\"]"), NULL },
	{ "another path on our host", AE("\"poa\":[\"http://gw:8383/x\"]"),
	  NULL },
	{ "our URL elsewhere", "{\"m2m:cin\":{\"con\":\"" GW "t1\"}}", NULL },
	{ "text that looks like a member",
	  "{\"m2m:cin\":{\"con\":\"\\\"poa\\\":[\\\"" GW "t1\\\"]\"}}", NULL },
	{ "a value that is called so",
	  "{\"m2m:cin\":{\"lbl\":[\"poa\",\"" GW "t1\"]}}", NULL },
	{ "longer name", AE("\"poax\":[" T1 "],\"xpoa\":[" T1 "]"), NULL },
	{ "capitals", AE("\"POA\":[" T1 "]"), NULL },
	{ "no list", AE("\"poa\":" T1), NULL },
	{ "within a list of lists", AE("\"poa\":[[" T1 "],1]"), NULL },
	{ "deeper than a list that is none of ours",
	  AE("\"poa\":[\"x\",{\"poa\":[" T1 "]}]"),
	  AE("\"poa\":[\"x\",{\"poa\":[\"ws://default\"]}]") },
	{ "backslash before a quote",
	  AE("\"a\":\"\\\\\",\"poa\":[" T1 "]"),
	  AE("\"a\":\"\\\\\",\"poa\":[\"ws://default\"]") },
	{ "quote in a string before",
	  AE("\"a\":\"x\\\"\",\"poa\":[" T1 "]"),
	  AE("\"a\":\"x\\\"\",\"poa\":[\"ws://default\"]") },
	{ "no content", "", NULL },
};

START_TEST(test_restore)
{
	unsigned asked = 0;
	struct poa_routes routes = { STR(GW), find, &asked };
	struct str content = copy_of(restores[_i].content);
	struct buf out = { 0 };
	bool changed = poa_restore(&out, content, &routes);

	check_out(restores[_i].name, &out, changed, restores[_i].want);
	ck_assert_msg((asked > 0) == changed, "%s", restores[_i].name);
	buf_deinit(&out);
	free((char *)content.p);
}
END_TEST

/* What a client has sent is what it gets, when the CSE answers with what it
 * got. The entities t1 to t3 have sent what find() says. */
START_TEST(test_there_and_back)
{
	struct buf sent = { 0 }, url = { 0 }, there = { 0 }, back = { 0 };
	unsigned asked = 0;
	struct poa_routes routes = { STR(GW), find, &asked };
	struct poa_request r = { .member = STR("m2m:ae"), .is_create = true };
	struct poa_state after;

	buf_add_lit(&sent, "{\"m2m:ae\":{\"rr\":true,\"poa\":");
	buf_add_str(&sent, str_of(entities[_i].poa));
	buf_add_lit(&sent, "}}");
	buf_add_lit(&url, GW);
	buf_add_str(&url, str_of(entities[_i].token));
	r.content = buf_str(&sent);
	r.url = buf_str(&url);
	ck_assert(poa_rewrite(&there, &after, &r));
	ck_assert(after.routed);
	ck_assert(str_eq(after.poa, str_of(entities[_i].poa)));
	ck_assert(poa_restore(&back, buf_str(&there), &routes));
	ck_assert(str_eq(buf_str(&back), r.content));
	buf_deinit(&sent);
	buf_deinit(&url);
	buf_deinit(&there);
	buf_deinit(&back);
}
END_TEST

/* A host without a port, an IPv6 address, a prefix that is no URL. */
static const struct {
	const char *prefix;
	const char *content;
	bool changed;
} prefixes[] = {
	{ "http://gw/r/", AE("\"poa\":[\"http://gw/r/t1\"]"), true },
	{ "http://gw/r/", AE("\"poa\":[\"http:\\/\\/gw\\/r\\/t1\"]"), true },
	{ "http://gw/r/", AE("\"poa\":[\"http://gw2/r/t1\"]"), false },
	{ "http://gw/r/", AE("\"poa\":[\"https://gw/r/t1\"]"), false },
	{ "https://[::1]:8383/r/", AE("\"poa\":[\"https://[::1]:8383/r/t1\"]"),
	  true },
	{ "gw:", AE("\"poa\":[\"gw:t1\"]"), true },
};

START_TEST(test_prefix)
{
	unsigned asked = 0;
	struct poa_routes routes = { str_of(prefixes[_i].prefix), find,
				     &asked };
	struct buf out = { 0 };

	ck_assert_msg(poa_restore(&out, str_of(prefixes[_i].content),
				  &routes) == prefixes[_i].changed,
		      "%s", prefixes[_i].content);
	buf_deinit(&out);
}
END_TEST

#define SUB(inside) "{\"m2m:sub\":{" inside "}}"

static const struct {
	const char *name;
	const char *content;
	enum nu_result result;
	const char *want;
} targets[] = {
	{ "marker", SUB("\"nu\":[\"ws://default\"]"), NU_CHANGED,
	  SUB("\"nu\":[\"Cx\"]") },
	{ "markers", SUB("\"nu\":[\"ws\"],\"su\":\"WSS://\""), NU_CHANGED,
	  SUB("\"nu\":[\"Cx\"],\"su\":\"Cx\"") },
	{ "marker and slash", SUB("\"nu\":[\"ws://default/\"]"), NU_CHANGED,
	  SUB("\"nu\":[\"Cx\"]") },
	{ "hint of a marker", SUB("\"nu\":[\"ws://default?ct=cbor\"]"),
	  NU_CHANGED, SUB("\"nu\":[\"Cx?ct=cbor\"]") },
	{ "own URL", SUB("\"nu\":[\"ws://me:1/x\"]"), NU_CHANGED,
	  SUB("\"nu\":[\"Cx\"]") },
	{ "own URL with a hint among others",
	  SUB("\"nu\":[\"ws://me:1/x?a=b&ct=json\"]"), NU_CHANGED,
	  SUB("\"nu\":[\"Cx?ct=json\"]") },
	{ "no hint", SUB("\"nu\":[\"ws://me:1/x?act=json\"]"), NU_CHANGED,
	  SUB("\"nu\":[\"Cx\"]") },
	{ "a hint is no shelter",
	  SUB("\"nu\":[\"ws://default?ct=\\\"\"]"), NU_CHANGED,
	  SUB("\"nu\":[\"Cx?ct=\\\"\"]") },
	{ "one of each", SUB("\"nu\":[\"Cy\" , \"ws\", \"ws://me:1/x\" ,"
			     "\"http://h\"],\"enc\":{\"net\":[3]}"),
	  NU_CHANGED, SUB("\"nu\":[\"Cy\" , \"Cx\" ,\"http://h\"],"
			  "\"enc\":{\"net\":[3]}") },
	{ "su first", SUB("\"su\":\"ws?ct=xml\",\"nu\":[\"ws://default\"]"),
	  NU_CHANGED, SUB("\"su\":\"Cx?ct=xml\",\"nu\":[\"Cx\"]") },
	{ "su only", SUB("\"nu\":[\"Cy?ct=cbor\"],\"su\":\"ws://\""),
	  NU_CHANGED, SUB("\"nu\":[\"Cy?ct=cbor\"],\"su\":\"Cx\"") },
	{ "escapes", "{\"m2m:su\\u0062\":{\"n\\u0075\":[\"w\\u0073:\"]}}",
	  NU_CHANGED, "{\"m2m:su\\u0062\":{\"n\\u0075\":[\"Cx\"]}}" },
	{ "cross-resource", "{\"m2m:crs\":{\"nu\":[\"ws\"]}}", NU_CHANGED,
	  "{\"m2m:crs\":{\"nu\":[\"Cx\"]}}" },
	{ "somebody else's", SUB("\"nu\":[\"ws://far:1\"]"), NU_FOREIGN,
	  NULL },
	{ "somebody else's behind a marker",
	  SUB("\"nu\":[\"ws\",\"ws://far:1\"]"), NU_FOREIGN, NULL },
	{ "somebody else's in su", SUB("\"nu\":[\"ws\"],\"su\":\"wss://far\""),
	  NU_FOREIGN, NULL },
	{ "a host that begins like a marker",
	  SUB("\"nu\":[\"ws://defaults\"]"), NU_FOREIGN, NULL },
	{ "ids and URLs", SUB("\"nu\":[\"/id-in/Cy\",\"http://h\"]"), NU_SAME,
	  NULL },
	{ "nu is a string", SUB("\"nu\":\"ws\""), NU_SAME, NULL },
	{ "nu with a number", SUB("\"nu\":[\"ws\",1]"), NU_SAME, NULL },
	{ "nu twice", SUB("\"nu\":[\"ws\"],\"nu\":[\"ws\"]"), NU_SAME, NULL },
	{ "su is a list", SUB("\"su\":[\"ws\"]"), NU_SAME, NULL },
	{ "null", SUB("\"nu\":null,\"su\":null"), NU_SAME, NULL },
	{ "another resource", "{\"m2m:cnt\":{\"nu\":[\"ws\"]}}", NU_SAME,
	  NULL },
	{ "resource twice", "{\"m2m:sub\":{\"nu\":[\"ws\"]},\"m2m:sub\":1}",
	  NU_SAME, NULL },
	{ "and another", "{\"m2m:sub\":{\"nu\":[\"ws\"]},\"m2m:ae\":{}}",
	  NU_SAME, NULL },
	{ "a list of names", "[\"m2m:sub\",{\"nu\":[\"ws\"]}]", NU_SAME,
	  NULL },
	{ "no content", "", NU_SAME, NULL },
};

static bool is_own(void *arg, struct str url)
{
	return str_eq(url, *(const struct str *)arg);
}

START_TEST(test_nu)
{
	struct str own = STR("ws://me:1/x");
	struct nu_rules rules = { STR("Cx"), is_own, &own };
	struct str content = copy_of(targets[_i].content);
	struct buf out = { 0 };
	enum nu_result result = nu_rewrite(&out, content, &rules);

	ck_assert_msg(result == targets[_i].result, "%s", targets[_i].name);
	check_out(targets[_i].name, &out, result == NU_CHANGED,
		  targets[_i].want);
	buf_deinit(&out);
	free((char *)content.p);
}
END_TEST

START_TEST(test_nu_of_anybody)
{
	struct nu_rules rules = { .originator = STR("/id-in/Cx") };
	struct buf out = { 0 };

	ck_assert_int_eq(nu_rewrite(&out, STR(SUB("\"nu\":[\"ws://far:1\"]")),
				    &rules), NU_CHANGED);
	check_out("any", &out, true, SUB("\"nu\":[\"/id-in/Cx\"]"));
	buf_deinit(&out);
}
END_TEST

START_TEST(test_nu_of_rt)
{
	struct nu_rules rules = { .originator = STR("Cx") };
	struct buf out = { 0 };

	ck_assert_int_eq(nu_rewrite_rt(&out, STR("{\"rtv\":2,\"su\":\"ws\","
						 "\"nu\":[\"ws\"]}"),
				       &rules), NU_CHANGED);
	check_out("rt", &out, true,
		  "{\"rtv\":2,\"su\":\"ws\",\"nu\":[\"Cx\"]}");
	buf_clear(&out);
	ck_assert_int_eq(nu_rewrite_rt(&out, STR("{\"rtv\":2,\"nu\":[]}"),
				       &rules), NU_SAME);
	ck_assert_int_eq(nu_rewrite_rt(&out, STR("3"), &rules), NU_SAME);
	check_out("rt", &out, false, NULL);
	buf_deinit(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("poa");
	TCase *tc = tcase_create("poa");

	tcase_add_loop_test(tc, test_create, 0, ARRAY_LEN(creates));
	tcase_add_loop_test(tc, test_update, 0, ARRAY_LEN(updates));
	tcase_add_test(tc, test_remote_cse);
	tcase_add_loop_test(tc, test_restore, 0, ARRAY_LEN(restores));
	tcase_add_loop_test(tc, test_there_and_back, 1, 4);
	tcase_add_loop_test(tc, test_prefix, 0, ARRAY_LEN(prefixes));
	tcase_add_loop_test(tc, test_nu, 0, ARRAY_LEN(targets));
	tcase_add_test(tc, test_nu_of_anybody);
	tcase_add_test(tc, test_nu_of_rt);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
