/* Bodies in more than one serialisation. */
#include "http_map_util.h"

/* {"m2m:cin":{"con":"5"}} */
#define CIN_JSON "{\"m2m:cin\":{\"con\":\"5\"}}"
#define CIN_CBOR "\xa1\x67m2m:cin\xa1\x63" "con\x61" "5"

static const struct {
	const char *name;
	const char *type;		/* NULL: no header */
	struct str body;
	int format;			/* -1: refused with 4015 */
} bodies[] = {
	{ "JSON", "application/json", STR_INIT(CIN_JSON), FORMAT_JSON },
	{ "parameters", "application/json;charset=utf-8 ; ty=4",
	  STR_INIT(CIN_JSON), FORMAT_JSON },
	{ "CBOR", "application/cbor", STR_INIT(CIN_CBOR), FORMAT_CBOR },
	{ "case and blanks", " Application/CBOR ; ty=4", STR_INIT(CIN_CBOR),
	  FORMAT_CBOR },
	{ "a resource", "application/vnd.onem2m-res+cbor;ty=4",
	  STR_INIT(CIN_CBOR), FORMAT_CBOR },
	{ "a notification", "application/vnd.onem2m-ntfy+cbor",
	  STR_INIT(CIN_CBOR), FORMAT_CBOR },
	{ "a request", "application/vnd.onem2m-preq+json", STR_INIT(CIN_JSON),
	  FORMAT_JSON },
	{ "a response", "application/vnd.onem2m-prsp+cbor", STR_INIT(CIN_CBOR),
	  FORMAT_CBOR },
	{ "JSON that nobody names", NULL, STR_INIT(" \r\n" CIN_JSON),
	  FORMAT_JSON },
	{ "CBOR that nobody names", NULL, STR_INIT(CIN_CBOR), FORMAT_CBOR },
	{ "an endless map", NULL, STR_INIT("\xbf\xff"), FORMAT_CBOR },
	{ "CBOR that says so", NULL, STR_INIT("\xd9\xd9\xf7" CIN_CBOR),
	  FORMAT_CBOR },
	{ "a number is no content", NULL, STR_INIT("0"), -1 },
	{ "text is none", NULL, STR_INIT("not found"), -1 },
	{ "XML", "application/xml", STR_INIT("<a/>"), FORMAT_XML },
	{ "a resource in XML", "application/vnd.onem2m-res+xml;ty=4",
	  STR_INIT("<a/>"), FORMAT_XML },
	{ "XML that nobody names", NULL, STR_INIT("\r\n<a/>"), FORMAT_XML },
	{ "text", "text/plain", STR_INIT(CIN_JSON), -1 },
	{ "no media type", "cbor", STR_INIT(CIN_CBOR), -1 },
	{ "only a suffix", "+cbor", STR_INIT(CIN_CBOR), -1 },
	{ "empty", "", STR_INIT(CIN_JSON), -1 },
};

static struct http_msg post(struct http_header *header, const char *type,
			    struct str body)
{
	*header = (struct http_header){ STR("Content-Type"),
					str_of(type != NULL ? type : "") };
	return (struct http_msg){
		.kind = HTTP_KIND_REQUEST,
		.method = STR("POST"),
		.target = STR("/cse/a"),
		.headers = header,
		.header_count = type != NULL,
		.body = body,
		.has_body = true,
	};
}

START_TEST(test_body)
{
	struct http_header header;
	struct http_msg msg = post(&header, bodies[_i].type, bodies[_i].body);
	struct prim p = { 0 };
	const char *why = "";
	int err = http_map_read_request(&p, &why, &msg, &test_conf);

	if (bodies[_i].format < 0) {
		ck_assert_msg(err == ERR_UNSUPPORTED, "%s", bodies[_i].name);
	} else {
		ck_assert_msg(err == 0, "%s: %s", bodies[_i].name, why);
		ck_assert_int_eq((int)p.content_format, bodies[_i].format);
		ck_assert(str_eq(p.content, bodies[_i].body));
	}
	prim_deinit(&p);
}
END_TEST

START_TEST(test_body_is_checked)
{
	struct http_header header;
	struct http_msg msg = post(&header, "application/cbor",
				   STR(CIN_CBOR "\x00"));
	struct prim p = { 0 };
	const char *why = "";

	ck_assert_int_eq(http_map_read_request(&p, &why, &msg, &test_conf),
			 ERR_PROTO);
	ck_assert_str_eq(why, "octets follow");
	msg = post(&header, "application/cbor", STR(CIN_JSON));
	ck_assert_int_eq(http_map_read_request(&p, &why, &msg, &test_conf),
			 ERR_PROTO);
	msg = post(&header, "application/json", STR(CIN_CBOR));
	ck_assert_int_eq(http_map_read_request(&p, &why, &msg, &test_conf),
			 ERR_PROTO);
	prim_deinit(&p);
}
END_TEST

static const struct {
	const char *accept;		/* NULL: none */
	const char *accept_more;	/* a second header */
	const char *type;
	enum prim_format other, want;
} accepts[] = {
	{ NULL, NULL, NULL, FORMAT_JSON, FORMAT_JSON },
	{ NULL, NULL, NULL, FORMAT_CBOR, FORMAT_CBOR },
	{ NULL, NULL, "application/cbor", FORMAT_JSON, FORMAT_CBOR },
	{ NULL, NULL, "application/json", FORMAT_CBOR, FORMAT_JSON },
	{ NULL, NULL, "text/plain", FORMAT_CBOR, FORMAT_CBOR },
	{ "application/cbor", NULL, "application/json", FORMAT_JSON,
	  FORMAT_CBOR },
	{ "application/json", NULL, "application/cbor", FORMAT_CBOR,
	  FORMAT_JSON },
	{ "application/vnd.onem2m-res+cbor", NULL, NULL, FORMAT_JSON,
	  FORMAT_CBOR },
	{ "*/*", NULL, "application/cbor", FORMAT_JSON, FORMAT_CBOR },
	{ "application/*", NULL, NULL, FORMAT_CBOR, FORMAT_CBOR },
	{ "application/yaml", NULL, "application/cbor", FORMAT_JSON,
	  FORMAT_CBOR },
	{ "application/xml", NULL, "application/cbor", FORMAT_JSON,
	  FORMAT_XML },
	{ "application/vnd.onem2m-prsp+xml", NULL, NULL, FORMAT_JSON,
	  FORMAT_XML },
	{ "text/html, application/xml;q=0.4, application/cbor;q=0.5, */*;q=0.1",
	  NULL, NULL, FORMAT_JSON, FORMAT_CBOR },
	{ "application/json;q=0.5,application/cbor;q=0.75", NULL, NULL,
	  FORMAT_JSON, FORMAT_CBOR },
	{ "application/json;q=0.5 , application/cbor ; Q = 0.501", NULL, NULL,
	  FORMAT_JSON, FORMAT_CBOR },
	{ "application/cbor;q=0,application/json", NULL, NULL, FORMAT_CBOR,
	  FORMAT_JSON },
	{ "application/json;q=0.1", "application/cbor", NULL, FORMAT_JSON,
	  FORMAT_CBOR },
	{ "application/cbor,application/json", NULL, NULL, FORMAT_JSON,
	  FORMAT_CBOR },
	{ "application/cbor;q=1.000;x=y", NULL, NULL, FORMAT_JSON,
	  FORMAT_CBOR },
	{ "application/cbor;q=", NULL, NULL, FORMAT_JSON, FORMAT_CBOR },
	{ ",;,=;q", NULL, NULL, FORMAT_CBOR, FORMAT_CBOR },
};

START_TEST(test_accept)
{
	struct http_header headers[3];
	struct http_msg msg = post(headers, accepts[_i].type, STR(""));

	if (accepts[_i].type != NULL)
		msg.body = STR("\xa0");
	if (accepts[_i].accept != NULL)
		headers[msg.header_count++] = (struct http_header){
			STR("accept"), str_of(accepts[_i].accept) };
	if (accepts[_i].accept_more != NULL)
		headers[msg.header_count++] = (struct http_header){
			STR("Accept"), str_of(accepts[_i].accept_more) };
	ck_assert_msg(http_map_pick_format(&msg, accepts[_i].other) ==
			      accepts[_i].want, "row %d", _i);
}
END_TEST

START_TEST(test_write_request)
{
	struct http_map_conf conf = test_conf;
	struct buf head = { 0 }, made = { 0 };
	struct prim p = { 0 };
	struct test_head h;
	const char *why;
	struct str body;

	prim_of(&p, "{\"op\":1,\"to\":\"cse\",\"fr\":\"C\",\"rqi\":\"1\","
		    "\"ty\":4,\"pc\":" CIN_JSON "}", "create");
	conf.format = FORMAT_CBOR;
	ck_assert_int_eq(http_map_write_request(&head, &body, &made, &why, &p,
						&conf), 0);
	check_text(body, CIN_CBOR, "body");
	head_parse(&h, buf_str(&head));
	check_text(http_msg_header(&(struct http_msg){
			.headers = h.headers, .header_count = h.count },
			STR("Content-Type")), "application/cbor;ty=4", "type");
	check_text(http_msg_header(&(struct http_msg){
			.headers = h.headers, .header_count = h.count },
			STR("Accept")), "application/cbor", "accept");
	/* what is in it already passes */
	p.content = STR(CIN_CBOR);
	p.content_format = FORMAT_CBOR;
	buf_clear(&head);
	ck_assert_int_eq(http_map_write_request(&head, &body, NULL, &why, &p,
						&conf), 0);
	ck_assert_ptr_eq(body.p, p.content.p);
	conf.format = FORMAT_JSON;
	buf_clear(&head);
	ck_assert_int_eq(http_map_write_request(&head, &body, &made, &why, &p,
						&conf), 0);
	check_text(body, CIN_JSON, "JSON");
	prim_deinit(&p);
	buf_deinit(&head);
	buf_deinit(&made);
}
END_TEST

START_TEST(test_unwritten_request)
{
	struct http_map_conf conf = test_conf;
	struct buf head = { 0 }, made = { 0 };
	struct prim p = { 0 };
	const char *why;
	struct str body;

	prim_of(&p, "{\"op\":3,\"to\":\"cse\",\"fr\":\"C\",\"rqi\":\"1\","
		    "\"pc\":{\"m2m:cnt\":{\"mbs\":1180591620717411303424}}}",
		"update");
	conf.format = FORMAT_CBOR;
	ck_assert_int_eq(http_map_write_request(&head, &body, &made, &why, &p,
						&conf), ERR_PROTO);
	ck_assert_str_eq(why, "a number that cannot be carried exactly");
	ck_assert_uint_eq(head.len, 0);
	/* so deep that only the limit of what is sent refuses it */
	conf.codec.max_depth = 1;
	p.content = STR("{\"a\":{}}");
	ck_assert_int_eq(http_map_write_request(&head, &body, &made, &why, &p,
						&conf), ERR_PROTO);
	prim_deinit(&p);
	buf_deinit(&head);
	buf_deinit(&made);
}
END_TEST

static const struct http_map_request request = { OP_CREATE, STR_INIT("1"),
						 STR_INIT("3") };

static struct http_msg answer_of(struct http_header *headers, int rsc,
				 struct str body)
{
	static char text[8];

	snprintf(text, sizeof(text), "%d", rsc);
	headers[0] = (struct http_header){ STR("X-M2M-RSC"), str_of(text) };
	headers[1] = (struct http_header){ STR("Content-Type"),
					   STR("application/cbor") };
	headers[2] = (struct http_header){ STR("X-M2M-ATI"), STR("l:t") };
	return (struct http_msg){
		.kind = HTTP_KIND_RESPONSE,
		.status = http_map_status_of(rsc),
		.headers = headers,
		.header_count = 3,
		.body = body,
		.has_body = true,
	};
}

START_TEST(test_read_response)
{
	struct http_header headers[3];
	struct http_msg msg = answer_of(headers, RSC_CREATED, STR(CIN_CBOR));
	struct prim p = { 0 };
	const char *why = "";

	ck_assert_int_eq(http_map_read_response(&p, &why, &msg, &request,
						&test_conf), 0);
	check_text(p.content, CIN_CBOR, "content");
	ck_assert_int_eq(p.content_format, FORMAT_CBOR);
	msg.body = STR(CIN_JSON);	/* whatever its header says */
	ck_assert_int_eq(http_map_read_response(&p, &why, &msg, &request,
						&test_conf), ERR_PROTO);
	msg = answer_of(headers, RSC_NOT_FOUND, STR(CIN_JSON));
	ck_assert_int_eq(http_map_read_response(&p, &why, &msg, &request,
						&test_conf), 0);
	ck_assert_ptr_null(p.content.p);
	prim_deinit(&p);
}
END_TEST

/* A tqf is looked into, and stays good when ati is made behind it. */
START_TEST(test_read_tqf)
{
	struct http_header headers[3];
	struct http_msg msg = answer_of(headers,
					RSC_ORIGINATOR_HAS_NO_PRIVILEGE,
					STR("\xa1\x63tqf\xa1\x64" "dasi\x80"));
	struct buf ati = { 0 };
	struct prim p = { 0 };
	const char *why = "";

	for (int i = 0; i < 20000; i++)
		buf_add_lit(&ati, "lti:tkid+");
	buf_add_lit(&ati, "l:t");
	headers[2].value = buf_str(&ati);
	ck_assert_int_eq(http_map_read_response(&p, &why, &msg, &request,
						&test_conf), 0);
	check_text(prim_text(&p, PARAM_TQF), "{\"dasi\":[]}", "tqf");
	ck_assert(str_starts(prim_text(&p, PARAM_ATI), STR("{\"ltia\":[{")));
	ck_assert_ptr_null(p.content.p);
	prim_deinit(&p);
	buf_deinit(&ati);
}
END_TEST

START_TEST(test_write_response)
{
	struct http_map_reply reply = test_reply;
	struct prim p = { 0 };
	struct buf out = { 0 };
	const char *why = "";

	reply.format = FORMAT_CBOR;
	prim_of(&p, "{\"rsc\":2001,\"rqi\":\"1\",\"pc\":{\"m2m:uri\":\"a/b\"}}",
		"uri");
	ck_assert_int_eq(http_map_write_response(&out, &why, &p, &reply), 0);
	check_text(buf_str(&out),
		   "HTTP/1.1 201 Created\r\nX-M2M-RSC: 2001\r\nX-M2M-RI: 1\r\n"
		   "Content-Location: a/b\r\nContent-Type: application/cbor\r\n"
		   "Content-Length: 13\r\n\r\n\xa1\x67m2m:uri\x63" "a/b",
		   "to CBOR");
	p.content = STR("\xa1\x67m2m:uri\x63" "a/b");
	p.content_format = FORMAT_CBOR;
	reply.format = FORMAT_JSON;
	buf_clear(&out);
	ck_assert_int_eq(http_map_write_response(&out, &why, &p, &reply), 0);
	check_text(buf_str(&out),
		   "HTTP/1.1 201 Created\r\nX-M2M-RSC: 2001\r\nX-M2M-RI: 1\r\n"
		   "Content-Location: a/b\r\nContent-Type: application/json\r\n"
		   "Content-Length: 17\r\n\r\n{\"m2m:uri\":\"a/b\"}",
		   "to JSON");
	prim_deinit(&p);
	buf_deinit(&out);
}
END_TEST

/* As the body, and back. */
START_TEST(test_tqf_in_xml)
{
	static const char tqf[] = "{\"dasi\":[{\"uri\":\"u\"},{\"uri\":\"7\"}]}";
	struct http_map_reply reply = test_reply;
	struct http_header headers[3];
	struct buf out = { 0 };
	struct prim p = { 0 };
	const char *why = "";
	struct http_msg msg;
	struct str head, body;

	prim_reset(&p, PRIM_RESPONSE);
	p.rsc = RSC_ORIGINATOR_HAS_NO_PRIVILEGE;
	prim_set(&p, PARAM_TQF, VALUE_JSON, str_of(tqf));
	reply.format = FORMAT_XML;
	ck_assert_int_eq(http_map_write_response(&out, &why, &p, &reply), 0);
	ck_assert(str_cut(buf_str(&out), '<', &head, &body));
	body = str_range(body.p - 1, body.p + body.len);
	check_text(body, "<m2m:tqf xmlns:m2m=\"http://www.onem2m.org/xml/"
		   "protocols\"><dasi><uri>u</uri></dasi><dasi><uri>7</uri>"
		   "</dasi></m2m:tqf>", "body");
	msg = answer_of(headers, p.rsc, body);
	headers[1].value = STR("application/xml");
	ck_assert_int_eq(http_map_read_response(&p, &why, &msg, &request,
						&test_conf), 0);
	check_text(prim_text(&p, PARAM_TQF), tqf, "tqf");
	prim_deinit(&p);
	buf_deinit(&out);
}
END_TEST

START_TEST(test_unwritten_response)
{
	struct http_map_reply reply = test_reply;
	struct prim p = { 0 };
	struct buf out = { 0 };
	const char *why = "";

	reply.format = FORMAT_CBOR;
	prim_of(&p, "{\"rsc\":2000,\"rqi\":\"1\",\"pc\":{\"a\":1e400}}", "no");
	buf_add_lit(&out, "before");
	ck_assert_int_eq(http_map_write_response(&out, &why, &p, &reply),
			 ERR_PROTO);
	check_text(buf_str(&out), "before", why);
	prim_deinit(&p);
	buf_deinit(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_map_media");
	TCase *tc = tcase_create("http_map_media");

	tcase_add_loop_test(tc, test_body, 0, ARRAY_LEN(bodies));
	tcase_add_test(tc, test_body_is_checked);
	tcase_add_loop_test(tc, test_accept, 0, ARRAY_LEN(accepts));
	tcase_add_test(tc, test_write_request);
	tcase_add_test(tc, test_unwritten_request);
	tcase_add_test(tc, test_read_response);
	tcase_add_test(tc, test_read_tqf);
	tcase_add_test(tc, test_tqf_in_xml);
	tcase_add_test(tc, test_write_response);
	tcase_add_test(tc, test_unwritten_response);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
