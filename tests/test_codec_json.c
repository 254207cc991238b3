#include "unit.h"

#include "m2m/codec.h"

static const struct codec_conf limits = { .max_depth = 16,
					  .max_tokens = 200 };

static int decode(struct prim *p, const char **why, const char *text)
{
	return codec_json.decode(p, why, &limits, str_of(text));
}

static void check_encoded(const struct prim *p, const char *want,
			  const char *name)
{
	struct buf out = { 0 };
	const char *why;

	buf_add_lit(&out, "<");		/* it appends */
	ck_assert_int_eq(codec_json.encode(&out, &why, &limits, p), 0);
	ck_assert_msg(str_eq(str_skip(buf_str(&out), 1), str_of(want)),
		      "%s: %.*s", name, (int)out.len, out.p);
	buf_deinit(&out);
}

/*
 * One exchange after the other, as clients and CSEs write them. `out` is what
 * is written again; NULL: the same octets.
 */
static const struct {
	const char *name;
	enum prim_kind kind;
	int code;		/* op or rsc */
	const char *in, *out;
} examples[] = {
	{ "CREATE of an AE", PRIM_REQUEST, OP_CREATE,
	  "{\"op\":1,\"to\":\"base\",\"fr\":\"C\",\"rqi\":\"q1\","
	  "\"rvi\":\"3\",\"ty\":2,\"pc\":{\"m2m:ae\":{\"rn\":\"pump\","
	  "\"api\":\"Npump\",\"rr\":true,\"srv\":[\"3\"],"
	  "\"poa\":[\"ws://default\"],\"lbl\":[\"hall:2\"]}}}", NULL },
	{ "CREATE of an AE without fr", PRIM_REQUEST, OP_CREATE,
	  "{\"op\":1,\"to\":\"base\",\"rqi\":\"q1\",\"rvi\":\"3\",\"ty\":2,"
	  "\"pc\":{\"m2m:ae\":{\"api\":\"Npump\",\"rr\":false}}}", NULL },
	{ "AE created", PRIM_RESPONSE, 2001,
	  "{\"rsc\":2001,\"rqi\":\"q1\",\"rvi\":\"3\",\"to\":\"C\","
	  "\"fr\":\"/in-1\",\"pc\":{\"m2m:ae\":{\"rn\":\"pump\",\"ty\":2,"
	  "\"ri\":\"Cpump\",\"aei\":\"Cpump\",\"ct\":\"20260301T070000\"}}}",
	  NULL },
	{ "registered already", PRIM_RESPONSE, 4117,
	  "{\"rsc\":4117,\"rqi\":\"q1\",\"rvi\":\"3\","
	  "\"pc\":{\"m2m:dbg\":\"known\"}}", NULL },
	{ "CREATE with rcn and rqet", PRIM_REQUEST, OP_CREATE,
	  "{\"op\":1,\"to\":\"base/pump\",\"fr\":\"Cpump\",\"rqi\":\"q2\","
	  "\"rvi\":\"3\",\"ty\":3,\"rqet\":\"20260301T070130\",\"rcn\":0,"
	  "\"pc\":{\"m2m:cnt\":{\"rn\":\"rpm\",\"mni\":10,\"cr\":null}}}",
	  NULL },
	{ "no content, no pc", PRIM_RESPONSE, 2001,
	  "{\"rsc\":2001,\"rqi\":\"q2\",\"rvi\":\"3\"}", NULL },
	{ "content stays as it was written", PRIM_REQUEST, OP_CREATE,
	  "{\"op\":1,\"to\":\"base/pump/rpm\",\"fr\":\"Cpump\","
	  "\"rqi\":\"q3\",\"rvi\":\"3\",\"ty\":4,\"pc\":{ \"m2m:cin\" : {"
	  "\"con\":\"007.10\",\"n\":1.10,\"u\":\"\\u00b0\xc2\xb0\"}}}",
	  NULL },
	{ "timestamp with milliseconds", PRIM_RESPONSE, 2001,
	  "{\"rsc\":2001,\"rqi\":\"q3\",\"rvi\":\"3\","
	  "\"ot\":\"20260301T070200,125\",\"pc\":{\"m2m:cin\":{}}}", NULL },
	{ "RETRIEVE of the latest", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"to\":\"/in-1/base/pump/rpm/la\",\"fr\":\"Cpump\","
	  "\"rqi\":\"q4\",\"rvi\":\"3\"}", NULL },
	{ "RETRIEVE of attributes", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"to\":\"base/pump\",\"fr\":\"Cpump\",\"rqi\":\"q5\","
	  "\"rvi\":\"3\",\"pc\":{\"m2m:atrl\":[\"rr\",\"poa\"]}}", NULL },
	{ "RETRIEVE with children", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"to\":\"base/pump\",\"fr\":\"Cpump\",\"rqi\":\"q5\","
	  "\"rcn\":4,\"fc\":{\"lvl\":2}}", NULL },
	{ "discovery", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"to\":\"base\",\"fr\":\"Cpanel\",\"rqi\":\"q6\","
	  "\"rvi\":\"3\",\"drt\":1,\"fc\":{\"fu\":1,\"ty\":[3,4],"
	  "\"lbl\":[\"hall:2\",\"unit:\xc2\xb0\"],\"atr\":[{\"nm\":\"cr\","
	  "\"val\":\"Cpump\"}],\"lim\":2}}",
	  "{\"op\":2,\"to\":\"base\",\"fr\":\"Cpanel\",\"rqi\":\"q6\","
	  "\"rvi\":\"3\",\"fc\":{\"fu\":1,\"ty\":[3,4],"
	  "\"lbl\":[\"hall:2\",\"unit:\xc2\xb0\"],\"atr\":[{\"nm\":\"cr\","
	  "\"val\":\"Cpump\"}],\"lim\":2},\"drt\":1}" },
	{ "part of what was found", PRIM_RESPONSE, 2000,
	  "{\"rsc\":2000,\"rqi\":\"q6\",\"rvi\":\"3\",\"cnst\":1,"
	  "\"cnot\":3,\"pc\":{\"m2m:uril\":[\"base/pump\"]}}", NULL },
	{ "UPDATE with a null", PRIM_REQUEST, OP_UPDATE,
	  "{\"op\":3,\"to\":\"base/pump/rpm\",\"fr\":\"Cpump\","
	  "\"rqi\":\"q7\",\"rvi\":\"3\",\"rcn\":9,"
	  "\"pc\":{\"m2m:cnt\":{\"mni\":5,\"lbl\":null}}}", NULL },
	{ "updated", PRIM_RESPONSE, 2004,
	  "{\"rsc\":2004,\"rqi\":\"q7\",\"rvi\":\"3\","
	  "\"pc\":{\"m2m:cnt\":{\"mni\":5,\"st\":3.0}}}", NULL },
	{ "DELETE", PRIM_REQUEST, OP_DELETE,
	  "{\"op\":4,\"to\":\"cnt12\",\"fr\":\"Cpump\",\"rqi\":\"q8\","
	  "\"rvi\":\"3\"}", NULL },
	{ "deleted", PRIM_RESPONSE, 2002, "{\"rsc\":2002,\"rqi\":\"q8\"}",
	  NULL },
	{ "subscription", PRIM_REQUEST, OP_CREATE,
	  "{\"op\":1,\"to\":\"base/pump/rpm\",\"fr\":\"Cpanel\","
	  "\"rqi\":\"w1\",\"rvi\":\"3\",\"ty\":23,\"pc\":{\"m2m:sub\":{"
	  "\"nu\":[\"/in-1/Cwall\"],\"enc\":{\"net\":[3]},\"nct\":1}}}",
	  NULL },
	{ "verification", PRIM_REQUEST, OP_NOTIFY,
	  "{\"op\":5,\"to\":\"/in-1/Cwall\",\"fr\":\"/in-1\","
	  "\"rqi\":\"gw-1\",\"rvi\":\"3\",\"ot\":\"20260301T081000\","
	  "\"pc\":{\"m2m:sgn\":{\"vrq\":true,\"sur\":\"/in-1/sub7\"}}}",
	  NULL },
	{ "verified", PRIM_RESPONSE, 2000,
	  "{\"rsc\":2000,\"rqi\":\"gw-1\",\"rvi\":\"3\"}", NULL },
	{ "verification refused", PRIM_RESPONSE, 4101,
	  "{\"rsc\":4101,\"rqi\":\"gw-1\",\"rvi\":\"3\"}", NULL },
	{ "batch of notifications", PRIM_REQUEST, OP_NOTIFY,
	  "{\"op\":5,\"to\":\"Cwall\",\"fr\":\"/in-1\",\"rqi\":\"gw-2\","
	  "\"rvi\":\"3\",\"ec\":4,\"pc\":{\"m2m:agn\":{\"m2m:sgn\":["
	  "{\"nev\":{\"rep\":{},\"net\":3}},{\"sud\":true}]}}}", NULL },
	{ "retargeted CREATE", PRIM_REQUEST, OP_CREATE,
	  "{\"op\":1,\"to\":\"/mn-9/mb/s\",\"fr\":\"/in-1/Cpanel\","
	  "\"rqi\":\"gw-9\",\"rvi\":\"3\",\"ty\":3,"
	  "\"rqet\":\"20260301T093010\",\"rcn\":2,"
	  "\"pc\":{\"m2m:cnt\":{\"rn\":\"cmd\"}}}", NULL },
	{ "content need not be an object", PRIM_RESPONSE, 2001,
	  "{\"rsc\":2001,\"rqi\":\"gw-9\",\"pc\":\"mb/s/cmd\"}", NULL },
	{ "non-blocking", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"to\":\"base/pump/rpm\",\"fr\":\"Cpanel\","
	  "\"rqi\":\"q20\",\"rvi\":\"3\",\"rt\":{\"rtv\":2,"
	  "\"nu\":[\"/in-1/Cpanel\"]},\"rp\":\"20260301T120000\"}", NULL },
	{ "acknowledged", PRIM_RESPONSE, 1002,
	  "{\"rsc\":1002,\"rqi\":\"q20\",\"rvi\":\"3\","
	  "\"pc\":{\"m2m:uri\":\"req3\"}}", NULL },
	{ "a response within a request", PRIM_REQUEST, OP_NOTIFY,
	  "{\"op\":5,\"to\":\"/in-1/Cpanel\",\"fr\":\"/in-1\","
	  "\"rqi\":\"gw-3\",\"rvi\":\"3\",\"pc\":{\"m2m:rsp\":{"
	  "\"rsc\":2000,\"rqi\":\"q20\",\"pc\":{\"m2m:cnt\":{}}}}}", NULL },
	{ "all that a request can hold", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"to\":\"a\",\"fr\":\"C\",\"rqi\":\"1\",\"rvi\":\"3\","
	  "\"ty\":1,\"ot\":\"t\",\"rset\":\"PT1S\",\"ec\":2,\"vsi\":\"v\","
	  "\"rids\":[],\"rqet\":500,\"oet\":\"t\",\"rt\":{},\"rp\":\"t\","
	  "\"rcn\":1,\"da\":false,\"gid\":\"g\",\"fc\":{},\"drt\":2,"
	  "\"tkns\":[\"x\"],\"tids\":[],\"ltids\":[],\"tqi\":true,"
	  "\"grtm\":[],\"asi\":true,\"aus\":[],\"auri\":true,"
	  "\"sqi\":false}", NULL },
	{ "all that a response can hold", PRIM_RESPONSE, 4000,
	  "{\"rsc\":4000,\"rqi\":\"1\",\"rvi\":\"3\",\"to\":\"a\","
	  "\"fr\":\"b\",\"ot\":\"t\",\"rset\":\"t\",\"ec\":3,\"cnst\":2,"
	  "\"cnot\":9,\"ati\":{\"ltia\":[]},\"tqf\":{\"dasi\":[]},"
	  "\"asri\":true,\"vsi\":\"v\",\"pc\":{}}", NULL },
	{ "members in any order", PRIM_REQUEST, OP_UPDATE,
	  "{\"pc\":{\"b\":1,\"a\":2},\"rqi\":\"1\",\"x\":0,\"op\":3,"
	  "\"fr\":\"C\",\"to\":\"a\"}",
	  "{\"op\":3,\"to\":\"a\",\"fr\":\"C\",\"rqi\":\"1\",\"x\":0,"
	  "\"pc\":{\"b\":1,\"a\":2}}" },
	{ "white space goes, but for the content's", PRIM_REQUEST, OP_NOTIFY,
	  "\r\n { \"op\" : 5 ,\t\"fc\" : { \"a\" : 1 } , \"pc\" : [ 1 ] } \n",
	  "{\"op\":5,\"fc\":{ \"a\" : 1 },\"pc\":[ 1 ]}" },
	{ "later releases' members are kept", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"prpi\":\"p\",\"omr\":[\"x\"],\"gstn\":3,"
	  "\"x y\\u0022\":null}",
	  "{\"op\":2,\"prpi\":\"p\",\"omr\":[\"x\"],\"gstn\":3,"
	  "\"x y\\\"\":null}" },
	{ "escapes in names and values", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"\\u006fp\":2,\"t\\u006f\":\"b\\/c\\u00e9\\ud83d\\ude00\","
	  "\"fr\":\"a\\\"b\\\\c\\n\\u0000\",\"p\\u0063\":\"\\u0041\"}",
	  "{\"op\":2,\"to\":\"b/c\xc3\xa9\xf0\x9f\x98\x80\","
	  "\"fr\":\"a\\\"b\\\\c\\n\\u0000\",\"pc\":\"\\u0041\"}" },
	{ "rqi is a string however it came", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"rqi\":12e0}", "{\"op\":2,\"rqi\":\"12e0\"}" },
	{ "nothing else changes its type", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"to\":1,\"fr\":true,\"rvi\":3,\"ty\":\"4\","
	  "\"rt\":2,\"da\":\"true\",\"gid\":[\"g\"],\"fc\":\"fu=1\"}", NULL },
	{ "null is absent", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"rsc\":null,\"to\":null,\"rqi\":null,\"pc\":null}",
	  "{\"op\":2}" },
	{ "a response whatever else it holds", PRIM_RESPONSE, 2000,
	  "{\"op\":1,\"rsc\":2000,\"rqi\":\"1\",\"ty\":2}",
	  "{\"rsc\":2000,\"rqi\":\"1\",\"op\":1,\"ty\":2}" },
	{ "codes as text", PRIM_RESPONSE, 2000,
	  "{\"rsc\":\"2000\",\"rqi\":\"1\"}", "{\"rsc\":2000,\"rqi\":\"1\"}" },
	{ "codes with a fraction of zero", PRIM_RESPONSE, 2000,
	  "{\"rsc\":2000.0,\"rqi\":\"1\"}", "{\"rsc\":2000,\"rqi\":\"1\"}" },
	{ "any code", PRIM_RESPONSE, -1, "{\"rsc\":-1}", NULL },
	{ "op as text", PRIM_REQUEST, OP_DELETE, "{\"op\":\"4\"}",
	  "{\"op\":4}" },
	{ "op unknown", PRIM_REQUEST, OP_NONE, "{\"op\":9}", NULL },
	{ "op negative", PRIM_REQUEST, OP_NONE, "{\"op\":-1}", NULL },
	{ "op is a word", PRIM_REQUEST, OP_NONE, "{\"op\":\"R\"}", NULL },
	{ "op is a list", PRIM_REQUEST, OP_NONE, "{\"op\":[2]}", NULL },
	{ "wrapper beside op is an unknown member", PRIM_REQUEST, OP_RETRIEVE,
	  "{\"op\":2,\"m2m:rqp\":{\"rqi\":\"1\"}}", NULL },
};

START_TEST(test_example)
{
	const char *name = examples[_i].name;
	const char *again = examples[_i].out;
	const char *why = "";
	struct prim p = { 0 };
	int err = decode(&p, &why, examples[_i].in);

	ck_assert_msg(err == 0, "%s: %s", name, why);
	ck_assert_msg(p.kind == examples[_i].kind, "%s", name);
	ck_assert_msg((p.kind == PRIM_REQUEST ? (int)p.op : p.rsc) ==
			      examples[_i].code, "%s", name);
	ck_assert_msg(p.op == OP_NONE || p.rsc == 0, "%s", name);
	check_encoded(&p, again != NULL ? again : examples[_i].in, name);
	prim_deinit(&p);
}
END_TEST

static const struct {
	const char *name, *text;
	int err;
	const char *why;
	const char *rqi;		/* read all the same */
} faults[] = {
	{ "truncated", "{\"op\":2,\"to\":", ERR_PROTO,
	  "text ends where a value is expected", "" },
	{ "truncated behind rqi", "{\"rqi\":\"7\",\"op\":2", ERR_PROTO,
	  "comma or closing bracket expected", "7" },
	{ "bad escape behind rqi", "{\"rqi\":\"\\u0037\",\"a\":\"\\x\"}",
	  ERR_PROTO, "unknown escape", "7" },
	{ "nothing", "", ERR_PROTO, "not an object", "" },
	{ "batch", "[{\"op\":2,\"rqi\":\"7\"}]", ERR_PROTO, "not an object",
	  "" },
	{ "text", "\"op\"", ERR_PROTO, "not an object", "" },
	{ "BOM", "\xef\xbb\xbf{\"op\":2}", ERR_PROTO, "not an object", "" },
	{ "two primitives", "{\"op\":2,\"rqi\":\"7\"}{}", ERR_PROTO,
	  "text goes on after the primitive", "7" },
	{ "empty object", "{}", ERR_PROTO, "neither op nor rsc", "" },
	{ "neither op nor rsc", "{\"to\":\"a\",\"rqi\":\"7\"}", ERR_PROTO,
	  "neither op nor rsc", "7" },
	{ "op null", "{\"op\":null,\"rqi\":7}", ERR_PROTO,
	  "neither op nor rsc", "7" },
	{ "rsc with a fraction", "{\"rsc\":2000.5,\"rqi\":\"7\"}", ERR_PROTO,
	  "rsc is not an integer", "7" },
	{ "rsc is a word", "{\"rsc\":\"OK\",\"rqi\":\"7\"}", ERR_PROTO,
	  "rsc is not an integer", "7" },
	{ "rsc too large", "{\"rsc\":2147483648,\"rqi\":\"7\"}", ERR_PROTO,
	  "rsc is not an integer", "7" },
	{ "rsc too small", "{\"rsc\":-2147483649,\"rqi\":\"7\"}", ERR_PROTO,
	  "rsc is not an integer", "7" },
	{ "twice, rqi behind",
	  "{\"op\":2,\"to\":\"a\",\"to\":\"b\",\"rqi\":\"7\"}", ERR_PROTO,
	  "duplicate member", "7" },
	{ "twice by an escape", "{\"op\":2,\"\\u006fp\":2,\"rqi\":\"7\"}",
	  ERR_PROTO, "duplicate member", "7" },
	{ "twice, once null", "{\"op\":2,\"to\":null,\"to\":\"b\"}",
	  ERR_PROTO, "duplicate member", "" },
	{ "content twice", "{\"op\":3,\"pc\":{},\"pc\":{}}", ERR_PROTO,
	  "duplicate member", "" },
	{ "unknown member twice", "{\"op\":3,\"y\":1,\"x\":1,\"\\u0078\":2}",
	  ERR_PROTO, "duplicate member", "" },
	{ "rqi twice: the first", "{\"op\":2,\"rqi\":\"7\",\"rqi\":\"8\"}",
	  ERR_PROTO, "duplicate member", "7" },
	{ "the first fault is named",
	  "{\"rsc\":true,\"to\":\"a\",\"to\":\"b\"}", ERR_PROTO,
	  "duplicate member", "" },
	{ "request in a wrapper",
	  "{\"m2m:rqp\":{\"op\":2,\"to\":\"a\",\"rqi\":\"7\",\"x\":1}}",
	  ERR_PROTO, "primitive within a wrapper", "7" },
	{ "request in a wrapper, escapes",
	  "{\"m2m\\u003arqp\":{\"\\u0072qi\":\"\\u0037\"}}", ERR_PROTO,
	  "primitive within a wrapper", "7" },
	{ "response in a wrapper",
	  "{\"x\":1,\"m2m:rsp\":{\"rsc\":2000,\"rqi\":7}}", ERR_PROTO,
	  "primitive within a wrapper", "7" },
	{ "wrapper without rqi", "{\"m2m:rqp\":{\"op\":2}}", ERR_PROTO,
	  "primitive within a wrapper", "" },
	{ "rqi beside a wrapper", "{\"rqi\":\"7\",\"m2m:rqp\":{\"rqi\":8}}",
	  ERR_PROTO, "primitive within a wrapper", "7" },
	{ "wrapper round a list", "{\"m2m:rqp\":[{\"rqi\":\"7\"}]}",
	  ERR_PROTO, "primitive within a wrapper", "" },
	{ "too deep, rqi before",
	  "{\"rqi\":\"7\",\"op\":5,\"pc\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
	  ERR_LIMIT, "nested too deeply", "7" },
	{ "too many unknown members",
	  "{\"op\":2,\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,"
	  "\"h\":0,\"i\":0,\"j\":0,\"k\":0,\"l\":0,\"m\":0,\"n\":0,\"o\":0,"
	  "\"p\":0,\"q\":0,\"rqi\":\"7\"}",
	  ERR_LIMIT, "too many unknown members", "7" },
};

START_TEST(test_fault)
{
	const char *name = faults[_i].name;
	const char *why = "";
	struct prim p = { 0 };
	int err = decode(&p, &why, faults[_i].text);

	ck_assert_msg(err == faults[_i].err, "%s: %d", name, err);
	ck_assert_msg(strcmp(why, faults[_i].why) == 0, "%s: %s", name, why);
	ck_assert_msg(str_eq(prim_text(&p, PARAM_RQI),
			     str_of(faults[_i].rqi)), "%s", name);
	prim_deinit(&p);
}
END_TEST

START_TEST(test_too_many_values)
{
	struct codec_conf few = { .max_depth = 9, .max_tokens = 5 };
	struct prim p = { 0 };
	const char *why;

	ck_assert_int_eq(codec_json.decode(&p, &why, &few,
					   STR("{\"op\":2,\"rqi\":\"7\"}")),
			 0);
	ck_assert_int_eq(codec_json.decode(&p, &why, &few,
					   STR("{\"rqi\":\"7\",\"op\":2,"
					       "\"to\":1}")),
			 ERR_LIMIT);
	ck_assert_str_eq(why, "too many values");
	ck_assert(str_eq(prim_text(&p, PARAM_RQI), STR("7")));
}
END_TEST

START_TEST(test_types)
{
	static const struct {
		enum prim_param id;
		enum value_type type;
		const char *text;
	} want[] = {
		{ PARAM_TO, VALUE_STRING, "a/b" },
		{ PARAM_RQI, VALUE_NUMBER, "7" },
		{ PARAM_TQI, VALUE_BOOL, "true" },
		{ PARAM_DA, VALUE_BOOL, "false" },
		{ PARAM_FC, VALUE_JSON, "{ \"ty\":[3] }" },
		{ PARAM_RIDS, VALUE_JSON, "[]" },
		{ PARAM_TY, VALUE_STRING, "3" },
		{ PARAM_OP, VALUE_NUMBER, "1.0" },
	};
	struct prim p = { 0 };
	const char *why;
	uint64_t present = 0;

	ck_assert_int_eq(decode(&p, &why,
				"{\"op\":1.0,\"to\":\"a\\/b\",\"rqi\":7,"
				"\"tqi\":true,\"da\":false,\"rids\":[],"
				"\"fc\":{ \"ty\":[3] },\"ty\":\"3\","
				"\"gid\":null,\"pc\": [ ] ,\"new\":{\"\":0}}"),
			 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct value *v = &p.param[want[i].id];

		ck_assert_int_eq(v->type, want[i].type);
		ck_assert(str_eq(v->text, str_of(want[i].text)));
		present |= UINT64_C(1) << want[i].id;
	}
	ck_assert_uint_eq(p.present, present);
	ck_assert_int_eq(p.op, OP_CREATE);
	ck_assert(str_eq(p.content, STR("[ ]")));
	ck_assert_uint_eq(p.extra_count, 1);
	ck_assert(str_eq(p.extra[0].name, STR("new")));
	ck_assert(str_eq(p.extra[0].json, STR("{\"\":0}")));
	prim_deinit(&p);
}
END_TEST

/* Without escapes nothing is allocated; with them, what was made stays where
 * it is while more is made, and the next message starts anew. */
START_TEST(test_store)
{
	struct prim p = { 0 };
	struct buf text = { 0 };
	const char *why;

	ck_assert_int_eq(decode(&p, &why, "{\"op\":2,\"to\":\"a\"}"), 0);
	ck_assert_ptr_null(p.store.p);

	buf_add_lit(&text, "{\"op\":2,\"to\":\"\\u0061\",\"fr\":\"\\n");
	for (int i = 0; i < 5000; i++)
		buf_add_char(&text, 'x');
	buf_add_lit(&text, "\",\"rqi\":\"\\u00e9\"}");
	ck_assert_int_eq(codec_json.decode(&p, &why, &limits, buf_str(&text)),
			 0);
	ck_assert(prim_text(&p, PARAM_TO).p == p.store.p);
	ck_assert(str_eq(prim_text(&p, PARAM_TO), STR("a")));
	ck_assert_uint_eq(prim_text(&p, PARAM_FR).len, 5001);
	ck_assert(str_eq(prim_text(&p, PARAM_RQI), STR("\xc3\xa9")));

	ck_assert_int_eq(decode(&p, &why, "{\"op\":2,\"to\":\"\\u0062\"}"), 0);
	ck_assert(str_eq(prim_text(&p, PARAM_TO), STR("b")));
	ck_assert(!prim_has(&p, PARAM_FR));
	buf_deinit(&text);
	prim_deinit(&p);
}
END_TEST

START_TEST(test_wrapped_kind)
{
	struct prim p = { 0 };
	const char *why;

	ck_assert_int_ne(decode(&p, &why, "{\"m2m:rsp\":{\"rsc\":2000}}"), 0);
	ck_assert_int_eq(p.kind, PRIM_RESPONSE);
	ck_assert_int_ne(decode(&p, &why, "{\"m2m:rqp\":{\"op\":2}}"), 0);
	ck_assert_int_eq(p.kind, PRIM_REQUEST);
}
END_TEST

/* A response that breaks off is none that could be answered. */
START_TEST(test_broken_kind)
{
	struct prim p = { 0 };
	const char *why;

	ck_assert_int_ne(decode(&p, &why, "{\"rsc\":2000,\"rqi\":\"a\",}"), 0);
	ck_assert_int_eq(p.kind, PRIM_RESPONSE);
	ck_assert_int_ne(decode(&p, &why, "{\"op\":2,\"rqi\":\"a\",}"), 0);
	ck_assert_int_eq(p.kind, PRIM_REQUEST);
}
END_TEST

/* What the gateway makes itself has op and rsc as numbers only. */
START_TEST(test_encode_own)
{
	struct prim p = { 0 };

	prim_reset(&p, PRIM_REQUEST);
	check_encoded(&p, "{}", "empty request");
	p.op = OP_NOTIFY;
	prim_set_str(&p, PARAM_TO, STR("C\"1"));
	prim_set_str(&p, PARAM_RQI, STR(""));
	prim_set(&p, PARAM_EC, VALUE_NUMBER, STR("4"));
	p.content = STR("{\"m2m:sgn\":{}}");
	check_encoded(&p, "{\"op\":5,\"to\":\"C\\\"1\",\"rqi\":\"\","
			  "\"ec\":4,\"pc\":{\"m2m:sgn\":{}}}", "NOTIFY");

	prim_reset(&p, PRIM_RESPONSE);
	p.rsc = RSC_NOT_FOUND;
	check_encoded(&p, "{\"rsc\":4004}", "response");
	prim_set_str(&p, PARAM_RQI, STR("1"));
	prim_set_str(&p, PARAM_VSI, STR("v"));
	prim_set(&p, PARAM_CNOT, VALUE_NUMBER, STR("1"));
	check_encoded(&p, "{\"rsc\":4004,\"rqi\":\"1\",\"cnot\":1,"
			  "\"vsi\":\"v\"}", "response with more");
}
END_TEST

START_TEST(test_codec_of)
{
	ck_assert_ptr_eq(codec_of(FORMAT_JSON), &codec_json);
	ck_assert_int_eq(codec_json.format, FORMAT_JSON);
	ck_assert_ptr_eq(codec_of(FORMAT_CBOR), &codec_cbor);
	ck_assert_ptr_eq(codec_of(FORMAT_XML), &codec_xml);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec_json");
	TCase *tc = tcase_create("codec_json");

	tcase_add_loop_test(tc, test_example, 0, ARRAY_LEN(examples));
	tcase_add_loop_test(tc, test_fault, 0, ARRAY_LEN(faults));
	tcase_add_test(tc, test_too_many_values);
	tcase_add_test(tc, test_types);
	tcase_add_test(tc, test_store);
	tcase_add_test(tc, test_wrapped_kind);
	tcase_add_test(tc, test_broken_kind);
	tcase_add_test(tc, test_encode_own);
	tcase_add_test(tc, test_codec_of);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
