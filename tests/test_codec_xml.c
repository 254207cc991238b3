#include "unit.h"

#include <jansson.h>

#include "codec_xml_rows.h"
#include "m2m/xml.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NS   " xmlns:m2m=\"http://www.onem2m.org/xml/protocols\""
#define URI  "http://www.onem2m.org/xml/protocols"

static const struct codec_conf limits = { .max_depth = 16,
					  .max_tokens = 400 };

static void check_text(struct str got, const char *want, const char *name)
{
	ck_assert_msg(str_eq(got, str_of(want)), "%s: %.*s", name,
		      (int)got.len, got.p);
}

static void check_equal(struct str got, const char *want, const char *name)
{
	json_t *a = json_loadb(got.p, got.len, 0, NULL);
	json_t *b = json_loads(want, 0, NULL);

	ck_assert_msg(a != NULL && b != NULL && json_equal(a, b), "%s: %.*s",
		      name, (int)got.len, got.p);
	json_decref(a);
	json_decref(b);
}

/* The message as a whole in JSON. */
static void check_decoded(const char *xml, const char *want, const char *name)
{
	struct buf json = { 0 }, content = { 0 };
	struct prim p = { 0 };
	const char *why = NULL;
	int err = codec_xml.decode(&p, &why, &limits, str_of(xml));

	ck_assert_msg(err == 0, "%s: %d %s", name, err, why);
	if (p.content_format == FORMAT_XML) {
		err = xml_to_json(&content, &limits, p.op, p.content, &why);
		ck_assert_msg(err == 0, "%s: %d %s", name, err, why);
		p.content = buf_str(&content);
		p.content_format = FORMAT_JSON;
	}
	ck_assert_int_eq(codec_json.encode(&json, &why, &limits, &p), 0);
	check_equal(buf_str(&json), want, name);
	buf_deinit(&json);
	buf_deinit(&content);
	prim_deinit(&p);
}

static void check_encoded(const char *json, const char *want, const char *name)
{
	struct prim p = { 0 };
	struct buf xml = { 0 };
	const char *why = NULL;
	int err = codec_json.decode(&p, &why, &limits, str_of(json));

	ck_assert_int_eq(err, 0);
	err = codec_xml.encode(&xml, &why, &limits, &p);
	ck_assert_msg(err == 0, "%s: %d %s", name, err, why);
	check_text(buf_str(&xml), want, name);
	buf_deinit(&xml);
	prim_deinit(&p);
}

/* As it goes over the wire: the row has no namespace. */
static void make_message(struct buf *out, const char *row)
{
	size_t name = sizeof("<m2m:rqp") - 1;

	buf_add_lit(out, HEAD);
	buf_add(out, row, name);
	buf_add_lit(out, NS);
	buf_add_str(out, str_of(row + name));
	buf_add_char(out, '\0');
}

START_TEST(test_example)
{
	struct buf xml = { 0 };

	make_message(&xml, examples[_i].xml);
	check_encoded(examples[_i].json, xml.p, examples[_i].name);
	check_decoded(xml.p, examples[_i].json, examples[_i].name);
	buf_deinit(&xml);
}
END_TEST

/* Envelopes that others may write, and what they say. */
static const struct {
	const char *name, *xml, *json;
} envelopes[] = {
	{ "all that a request can hold",
	  "<m2m:rqp" NS "><op>2</op><to>a</to><fr>C</fr><rqi>1</rqi>"
	  "<ty>1</ty><rids/><ot>t</ot><rqet>500</rqet><rset>PT1S</rset>"
	  "<oet>t</oet><rt><rtv>2</rtv><nu/></rt><rp>t</rp><rcn>1</rcn>"
	  "<ec>2</ec><da>false</da><gid>g</gid><fc/><drt>2</drt>"
	  "<tkns>x y</tkns><tids>5</tids><ltids/><tqi>1</tqi><grtm/>"
	  "<asi>true</asi><aus/><auri>0</auri><sqi>false</sqi><rvi>3</rvi>"
	  "<vsi> v </vsi></m2m:rqp>",
	  "{\"op\":2,\"to\":\"a\",\"fr\":\"C\",\"rqi\":\"1\",\"ty\":1,"
	  "\"rids\":[],\"ot\":\"t\",\"rqet\":\"500\",\"rset\":\"PT1S\","
	  "\"oet\":\"t\",\"rt\":{\"rtv\":2,\"nu\":[]},\"rp\":\"t\",\"rcn\":1,"
	  "\"ec\":2,\"da\":false,\"gid\":\"g\",\"fc\":{},\"drt\":2,"
	  "\"tkns\":[\"x\",\"y\"],\"tids\":[\"5\"],\"ltids\":[],\"tqi\":true,"
	  "\"grtm\":[],\"asi\":true,\"aus\":[],\"auri\":false,\"sqi\":false,"
	  "\"rvi\":\"3\",\"vsi\":\" v \"}" },
	{ "all that a response can hold",
	  "<m2m:rsp" NS "><rsc>4000</rsc><rqi>1</rqi><to>a</to><fr>b</fr>"
	  "<ot>t</ot><rset>t</rset><ec>3</ec><cnst>2</cnst><cnot>9</cnot>"
	  "<ati><ltia><lti>a</lti><tkid>1</tkid></ltia></ati><tqf><dasi>"
	  "<uri>u</uri><sdr>s</sdr></dasi></tqf><asri>true</asri>"
	  "<rvi>3</rvi><vsi>v</vsi></m2m:rsp>",
	  "{\"rsc\":4000,\"rqi\":\"1\",\"to\":\"a\",\"fr\":\"b\",\"ot\":\"t\","
	  "\"rset\":\"t\",\"ec\":3,\"cnst\":2,\"cnot\":9,\"ati\":{\"ltia\":[{"
	  "\"lti\":\"a\",\"tkid\":\"1\"}]},\"tqf\":{\"dasi\":[{\"uri\":\"u\","
	  "\"sdr\":\"s\"}]},\"asri\":true,\"rvi\":\"3\",\"vsi\":\"v\"}" },
	{ "another prefix, layout, another order",
	  "<x:rqp xmlns:x='" URI "'>\n\t<rqi>1</rqi>\n\t<pc>\n\t\t<x:cnt/>"
	  "<!-- c -->\n\t</pc>\n\t<op> 1 </op><ty>+3</ty>\n</x:rqp>",
	  "{\"op\":1,\"rqi\":\"1\",\"ty\":3,\"pc\":{\"m2m:cnt\":{}}}" },
	{ "default namespace",
	  "<rqp xmlns='" URI "'><op>3</op><rqi>1</rqi><pc><cnt><lbl/>"
	  "<mni>1</mni></cnt></pc></rqp>",
	  "{\"op\":3,\"rqi\":\"1\",\"pc\":{\"m2m:cnt\":{\"lbl\":null,"
	  "\"mni\":1}}}" },
	{ "references and CDATA in scalars",
	  "<m2m:rqp" NS "><op>2</op><to>a&amp;&#x62;</to>"
	  "<fr><![CDATA[<C>]]></fr><rqi>&#49;<!-- -->2</rqi></m2m:rqp>",
	  "{\"op\":2,\"to\":\"a&b\",\"fr\":\"<C>\",\"rqi\":\"12\"}" },
	{ "values of another kind than they should be are the CSE's to judge",
	  "<m2m:rqp" NS "><op>2</op><rqi>1</rqi><ec>x</ec><da>y</da>"
	  "<to><a>1</a></to><fc>z</fc><rcn>1 2</rcn></m2m:rqp>",
	  "{\"op\":2,\"rqi\":\"1\",\"ec\":\"x\",\"da\":\"y\",\"to\":{"
	  "\"a\":\"1\"},\"fc\":\"z\",\"rcn\":\"1 2\"}" },
	{ "empty parameters are as good as absent, but for rqi",
	  "<m2m:rqp" NS "><op>2</op><to/><fr></fr><rqi/><ty/><da/><pc/>"
	  "</m2m:rqp>", "{\"op\":2,\"rqi\":\"\"}" },
	{ "parameters of other releases",
	  "<m2m:rqp" NS "><op>2</op><rqi>1</rqi><gstn>5</gstn><omr>a b</omr>"
	  "<zz><a>1</a></zz><zy>7</zy></m2m:rqp>",
	  "{\"op\":2,\"rqi\":\"1\",\"gstn\":5,\"omr\":[\"a\",\"b\"],"
	  "\"zz\":{\"a\":\"1\"},\"zy\":\"7\"}" },
	{ "an answer without an element in pc",
	  "<m2m:rsp" NS "><rsc>2000</rsc><rqi>1</rqi><pc> </pc></m2m:rsp>",
	  "{\"rsc\":2000,\"rqi\":\"1\"}" },
	{ "attributes to retrieve are JSON already",
	  "<m2m:rqp" NS "><pc><m2m:atrl>a b</m2m:atrl></pc><op>2</op>"
	  "<rqi>1</rqi></m2m:rqp>",
	  "{\"op\":2,\"rqi\":\"1\",\"pc\":{\"m2m:atrl\":[\"a\",\"b\"]}}" },
	{ "an unknown op", "<m2m:rqp" NS "><op>9</op><rqi>1</rqi></m2m:rqp>",
	  "{\"op\":9,\"rqi\":\"1\"}" },
};

START_TEST(test_envelope)
{
	check_decoded(envelopes[_i].xml, envelopes[_i].json,
		      envelopes[_i].name);
}
END_TEST

/* pc, as it is cut out: it must stand alone. */
static const struct {
	const char *name, *xml, *content;
} contents[] = {
	{ "its own namespace: the very octets",
	  "<q:rqp xmlns:q='" URI "'><op>1</op><pc> <m2m:cnt" NS
	  "><mni> 1</mni></m2m:cnt ></pc></q:rqp>",
	  "<m2m:cnt xmlns:q='" URI "'" NS "><mni> 1</mni></m2m:cnt >" },
	{ "nothing declared around it",
	  "<rqp xmlns='" URI "'><op>1</op><pc><cnt xmlns='" URI "'/></pc>"
	  "</rqp>", "<cnt xmlns='" URI "'/>" },
	{ "the envelope's prefix",
	  "<m2m:rqp" NS "><op>1</op><pc><m2m:cnt rn=\"a\"/></pc></m2m:rqp>",
	  "<m2m:cnt" NS " rn=\"a\"/>" },
	{ "the envelope's default namespace",
	  "<rqp xmlns='" URI "'><op>1</op><pc><cnt><mni>1</mni></cnt></pc>"
	  "</rqp>", "<cnt xmlns='" URI "'><mni>1</mni></cnt>" },
	{ "pc goes before the envelope",
	  "<x:rqp xmlns:x='" URI "' xmlns:y='urn:y' xmlns='urn:z'><op xmlns=''>"
	  "1</op><x:pc xmlns='' xmlns:y=\"urn:&quot;\"><x:cnt/></x:pc></x:rqp>",
	  "<x:cnt xmlns='' xmlns:y=\"urn:&quot;\" xmlns:x='" URI "'/>" },
	{ "the element goes before pc",
	  "<x:rqp xmlns:x='" URI "'><op>1</op><pc xmlns:y='urn:y'>"
	  "<y:a xmlns:y='urn:w'/></pc></x:rqp>",
	  "<y:a xmlns:x='" URI "' xmlns:y='urn:w'/>" },
	{ "whatever is in it",
	  "<m2m:rqp" NS "><op>1</op><pc><m2m:cin><con><!-- </m2m:cin> -->"
	  "<![CDATA[</m2m:cin>]]></con><a b='>'/><?p </m2m:cin>?></m2m:cin>"
	  "</pc></m2m:rqp>",
	  "<m2m:cin" NS "><con><!-- </m2m:cin> --><![CDATA[</m2m:cin>]]></con>"
	  "<a b='>'/><?p </m2m:cin>?></m2m:cin>" },
};

START_TEST(test_content)
{
	struct prim p = { 0 };
	struct buf again = { 0 };
	const char *why = NULL, *name = contents[_i].name;
	int err = codec_xml.decode(&p, &why, &limits, str_of(contents[_i].xml));

	ck_assert_msg(err == 0, "%s: %d %s", name, err, why);
	ck_assert_int_eq(p.content_format, FORMAT_XML);
	check_text(p.content, contents[_i].content, name);
	ck_assert_int_eq(xml_check(&limits, p.content, &why), 0);
	ck_assert_int_eq(codec_xml.encode(&again, &why, &limits, &p), 0);
	ck_assert_int_eq(xml_check(&limits, buf_str(&again), &why), 0);
	buf_deinit(&again);
	prim_deinit(&p);
}
END_TEST

/* Not primitives; rqi is found where it stands. */
static const struct {
	const char *name, *xml, *rqi;
	enum prim_kind kind;
	int err;
} faults[] = {
	{ "another root", "<m2m:cnt" NS "/>", NULL, PRIM_REQUEST, ERR_PROTO },
	{ "the right root of another namespace",
	  "<rqp xmlns='urn:x' xmlns:x='urn:x'><x:rqi>1</x:rqi></rqp>", NULL,
	  PRIM_REQUEST, ERR_PROTO },
	{ "the right root of none", "<rqp><op>1</op><rqi>1</rqi></rqp>", "1",
	  PRIM_REQUEST, ERR_PROTO },
	{ "cut off behind rqi", "<m2m:rqp" NS "><op>1</op><rqi>a&amp;b</rqi><p",
	  "a&b", PRIM_REQUEST, ERR_PROTO },
	{ "cut off within rqi", "<m2m:rqp" NS "><op>1</op><rqi>a", NULL,
	  PRIM_REQUEST, ERR_PROTO },
	{ "what was to be a response", "<m2m:rsp" NS "><rqi>1</rqi><rsc>", "1",
	  PRIM_RESPONSE, ERR_PROTO },
	{ "a response without rsc", "<m2m:rsp" NS "><rqi>1</rqi></m2m:rsp>",
	  "1", PRIM_RESPONSE, ERR_PROTO },
	{ "rsc that is none",
	  "<m2m:rsp" NS "><rsc>2e9</rsc><rqi>1</rqi></m2m:rsp>", "1",
	  PRIM_RESPONSE, ERR_PROTO },
	{ "a request without op", "<m2m:rqp" NS "><rqi>1</rqi></m2m:rqp>",
	  "1", PRIM_REQUEST, ERR_PROTO },
	{ "rsc in a request",
	  "<m2m:rqp" NS "><op>1</op><rqi>1</rqi><rsc>2000</rsc></m2m:rqp>",
	  "1", PRIM_REQUEST, ERR_PROTO },
	{ "a parameter twice",
	  "<m2m:rqp" NS "><op>1</op><op>1</op><rqi>1</rqi></m2m:rqp>", "1",
	  PRIM_REQUEST, ERR_PROTO },
	{ "an empty one twice",
	  "<m2m:rqp" NS "><to/><to/><op>1</op><rqi>1</rqi></m2m:rqp>", "1",
	  PRIM_REQUEST, ERR_PROTO },
	{ "pc twice",
	  "<m2m:rqp" NS "><op>1</op><pc/><pc/><rqi>1</rqi></m2m:rqp>", "1",
	  PRIM_REQUEST, ERR_PROTO },
	{ "an unknown one twice",
	  "<m2m:rqp" NS "><op>1</op><z>1</z><z>1</z><rqi>1</rqi></m2m:rqp>",
	  "1", PRIM_REQUEST, ERR_PROTO },
	{ "many unknown ones",
	  "<m2m:rqp" NS "><op>1</op><a/><b/><c/><d/><e/><f/><g/><h/><i/><j/>"
	  "<k/><l/><m/><n/><o/><p/><q/><rqi>1</rqi></m2m:rqp>", "1",
	  PRIM_REQUEST, ERR_LIMIT },
	{ "two elements in pc",
	  "<m2m:rqp" NS "><op>1</op><pc><m2m:cnt/><m2m:ae/></pc><rqi>1</rqi>"
	  "</m2m:rqp>", "1", PRIM_REQUEST, ERR_PROTO },
	{ "text in pc",
	  "<m2m:rqp" NS "><op>1</op><pc>{}</pc><rqi>1</rqi></m2m:rqp>", "1",
	  PRIM_REQUEST, ERR_PROTO },
	{ "text between parameters",
	  "<m2m:rqp" NS "><op>1</op>x<rqi>1</rqi></m2m:rqp>", "1",
	  PRIM_REQUEST, ERR_PROTO },
	{ "a parameter of another namespace",
	  "<m2m:rqp" NS "><op>1</op><z:a xmlns:z='urn:z'/><rqi>1</rqi>"
	  "</m2m:rqp>", "1", PRIM_REQUEST, ERR_PROTO },
	{ "a list that is none",
	  "<m2m:rqp" NS "><op>1</op><tkns>a<b/></tkns><rqi>1</rqi></m2m:rqp>",
	  "1", PRIM_REQUEST, ERR_PROTO },
	{ "something follows",
	  "<m2m:rqp" NS "><op>1</op><rqi>1</rqi></m2m:rqp>{}", "1",
	  PRIM_REQUEST, ERR_PROTO },
	{ "JSON", "{\"op\":2,\"rqi\":\"1\"}", NULL, PRIM_REQUEST, ERR_PROTO },
	{ "nothing", "", NULL, PRIM_REQUEST, ERR_PROTO },
	{ "DOCTYPE", "<!DOCTYPE a><m2m:rqp" NS "/>", NULL, PRIM_REQUEST,
	  ERR_PROTO },
	{ "deep",
	  "<m2m:rqp" NS "><op>1</op><rqi>1</rqi><pc><a><a><a><a><a><a><a><a>"
	  "<a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></a></a></a>"
	  "</a></a></a></pc></m2m:rqp>", "1", PRIM_REQUEST, ERR_LIMIT },
};

START_TEST(test_fault)
{
	struct prim p = { 0 };
	const char *why = NULL, *name = faults[_i].name;
	int err = codec_xml.decode(&p, &why, &limits, str_of(faults[_i].xml));

	ck_assert_msg(err == faults[_i].err, "%s: %d %s", name, err, why);
	ck_assert(why != NULL);
	ck_assert_msg(prim_has(&p, PARAM_RQI) == (faults[_i].rqi != NULL),
		      "%s", name);
	if (faults[_i].rqi != NULL)
		check_text(prim_text(&p, PARAM_RQI), faults[_i].rqi, name);
	ck_assert_msg(p.kind == faults[_i].kind, "%s", name);
	prim_deinit(&p);
}
END_TEST

/* What has no form in XML is refused, and leaves nothing behind. */
static const char *const unwritable[] = {
	"{\"op\":2,\"rqi\":\"\\u0001\"}",
	"{\"op\":2,\"rqi\":\"1\",\"tkns\":[\"a b\"]}",
	"{\"op\":2,\"rqi\":\"1\",\"fc\":[1]}",
	"{\"op\":2,\"rqi\":\"1\",\"a b\":1}",
	"{\"op\":1,\"rqi\":\"1\",\"pc\":{\"a\":1,\"b\":2}}",
	"{\"op\":1,\"rqi\":\"1\",\"pc\":\"a\"}",
};

START_TEST(test_unwritable)
{
	struct prim p = { 0 };
	struct buf out = { 0 };
	const char *why = NULL;

	buf_add_lit(&out, "x");
	ck_assert_int_eq(codec_json.decode(&p, &why, &limits,
					   str_of(unwritable[_i])), 0);
	ck_assert_int_eq(codec_xml.encode(&out, &why, &limits, &p), ERR_PROTO);
	ck_assert(why != NULL);
	ck_assert_uint_eq(out.len, 1);
	prim_deinit(&p);
	buf_deinit(&out);
}
END_TEST

/* Content of an HTTP message, with all that may stand before it. */
START_TEST(test_prolog)
{
	static const char body[] =
		"\xef\xbb\xbf<?xml version='1.0'?><!-- <a> -->\n"
		"<m2m:uri" NS ">cb1/a</m2m:uri>\n<!-- b -->";
	struct prim p = { 0 };
	struct buf out = { 0 };
	const char *why = NULL;

	prim_reset(&p, PRIM_RESPONSE);
	p.rsc = 2001;
	prim_set_str(&p, PARAM_RQI, STR("1"));
	p.content = str_of(body);
	p.content_format = FORMAT_XML;
	ck_assert_int_eq(codec_xml.encode(&out, &why, &limits, &p), 0);
	check_text(buf_str(&out), HEAD "<m2m:rsp" NS "><rsc>2001</rsc>"
		   "<rqi>1</rqi><pc><m2m:uri>cb1/a</m2m:uri>\n<!-- b --></pc>"
		   "</m2m:rsp>", "prolog");
	prim_deinit(&p);
	buf_deinit(&out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("codec_xml");
	TCase *tc = tcase_create("codec_xml");

	tcase_add_loop_test(tc, test_example, 0, ARRAY_LEN(examples));
	tcase_add_loop_test(tc, test_envelope, 0, ARRAY_LEN(envelopes));
	tcase_add_loop_test(tc, test_content, 0, ARRAY_LEN(contents));
	tcase_add_loop_test(tc, test_fault, 0, ARRAY_LEN(faults));
	tcase_add_loop_test(tc, test_unwritable, 0, ARRAY_LEN(unwritable));
	tcase_add_test(tc, test_prolog);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
