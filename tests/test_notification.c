#include "unit.h"

#include "m2m/notification.h"

#define SGN(inside) "{\"m2m:sgn\":{" inside "}}"

static const struct {
	const char *name;
	const char *content;
	enum notification_kind kind;
	const char *sur;
} notifications[] = {
	{ "event", SGN("\"nev\":{\"rep\":{\"m2m:cin\":{}},\"net\":3},\"sur\":"
		       "\"/id-in/sub1\""), NOTIFICATION_EVENT, "/id-in/sub1" },
	{ "white space", " { \"m2m:sgn\" : { \"sur\" : \"s\" } } ",
	  NOTIFICATION_EVENT, "s" },
	{ "sur before the rest", SGN("\"sur\":\"s\",\"nev\":{\"net\":1}"),
	  NOTIFICATION_EVENT, "s" },
	{ "no sur", SGN("\"nev\":{}"), NOTIFICATION_EVENT, "" },
	{ "empty", SGN(""), NOTIFICATION_EVENT, "" },
	{ "sur with escapes", SGN("\"sur\":\"\\/id-in\\/s\\u00fcb\\\"\""),
	  NOTIFICATION_EVENT, "/id-in/s\xc3\xbc" "b\"" },
	{ "sur is no string", SGN("\"sur\":[\"s\"]"), NOTIFICATION_EVENT, "" },
	{ "the last sur counts", SGN("\"sur\":\"a\",\"sur\":\"b\""),
	  NOTIFICATION_EVENT, "b" },
	{ "sur of an inner one is not it",
	  SGN("\"nev\":{\"sur\":\"x\",\"rep\":{\"sur\":\"y\"}}"),
	  NOTIFICATION_EVENT, "" },
	{ "deleted subscription", SGN("\"sud\":true,\"sur\":\"s\""),
	  NOTIFICATION_EVENT, "s" },
	{ "verification", SGN("\"vrq\":true,\"sur\":\"s\",\"cr\":\"C\""),
	  NOTIFICATION_VERIFY, "s" },
	{ "no verification", SGN("\"vrq\":false"), NOTIFICATION_EVENT, "" },
	{ "vrq is a string", SGN("\"vrq\":\"true\""), NOTIFICATION_EVENT, "" },
	{ "vrq is a number", SGN("\"vrq\":1"), NOTIFICATION_EVENT, "" },
	{ "vrq once is enough", SGN("\"vrq\":true,\"vrq\":false"),
	  NOTIFICATION_VERIFY, "" },
	{ "vrq of an inner one is not it", SGN("\"nev\":{\"vrq\":true}"),
	  NOTIFICATION_EVENT, "" },
	{ "blocking update", SGN("\"nev\":{\"net\":7},\"sur\":\"s\""),
	  NOTIFICATION_BLOCKING, "s" },
	{ "verification of a blocking one",
	  SGN("\"vrq\":true,\"nev\":{\"net\":7}"), NOTIFICATION_VERIFY, "" },
	{ "net is a string", SGN("\"nev\":{\"net\":\"7\"}"),
	  NOTIFICATION_EVENT, "" },
	{ "blocking update (tinyIoT)", SGN("\"nev\":{\"net\":7.0}"),
	  NOTIFICATION_BLOCKING, "" },
	{ "more zeros", SGN("\"nev\":{\"net\":7.000}"),
	  NOTIFICATION_BLOCKING, "" },
	{ "hardly more than 7", SGN("\"nev\":{\"net\":7.01}"),
	  NOTIFICATION_EVENT, "" },
	{ "net of more digits", SGN("\"nev\":{\"net\":77}"),
	  NOTIFICATION_EVENT, "" },
	{ "net in another place", SGN("\"net\":7,\"nev\":{\"rep\":{\"net\":7}}"),
	  NOTIFICATION_EVENT, "" },
	{ "nev is a list", SGN("\"nev\":[{\"net\":7}]"), NOTIFICATION_EVENT,
	  "" },
	{ "aggregated", "{\"m2m:agn\":{\"m2m:sgn\":[{\"sur\":\"s\"}]}}",
	  NOTIFICATION_EVENT, "" },
	{ "result", "{\"m2m:rsp\":{\"rsc\":2000,\"rqi\":\"r\"}}",
	  NOTIFICATION_RESULT, "" },
	{ "security information", "{\"m2m:seci\":{}}", NOTIFICATION_NONE, "" },
	{ "a request", "{\"m2m:rqp\":{}}", NOTIFICATION_NONE, "" },
	{ "no prefix", "{\"sgn\":{\"sur\":\"s\"}}", NOTIFICATION_NONE, "" },
	{ "sgn is a list", "{\"m2m:sgn\":[]}", NOTIFICATION_NONE, "" },
	{ "not first", "{\"x\":1,\"m2m:sgn\":{\"sur\":\"s\"}}",
	  NOTIFICATION_NONE, "" },
	{ "a name with escapes", "{\"m2m\\u003asgn\":{\"sur\":\"s\"}}",
	  NOTIFICATION_NONE, "" },
	{ "empty object", "{}", NOTIFICATION_NONE, "" },
	{ "a list", "[]", NOTIFICATION_NONE, "" },
	{ "a string", "\"m2m:sgn\"", NOTIFICATION_NONE, "" },
	{ "nothing", "", NOTIFICATION_NONE, "" },
};

START_TEST(test_read)
{
	/* in an allocation of its own, and text that was used before */
	char *content = strdup(notifications[_i].content);
	struct buf text = { 0 };
	struct notification got;

	buf_add_lit(&text, "before");
	notification_read(&got, &text,
			  (struct str){ content, strlen(content) });
	ck_assert_msg(got.kind == notifications[_i].kind, "%s: %d",
		      notifications[_i].name, got.kind);
	ck_assert_msg(str_eq(got.sur, str_of(notifications[_i].sur)),
		      "%s: %.*s", notifications[_i].name, (int)got.sur.len,
		      got.sur.len > 0 ? got.sur.p : "");
	buf_deinit(&text);
	free(content);
}
END_TEST

START_TEST(test_no_content)
{
	struct buf text = { 0 };
	struct notification got = { .kind = NOTIFICATION_EVENT };

	notification_read(&got, &text, (struct str){ NULL, 0 });
	ck_assert_int_eq(got.kind, NOTIFICATION_NONE);
	ck_assert_uint_eq(got.sur.len, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notification");
	TCase *tc = tcase_create("notification");

	tcase_add_loop_test(tc, test_read, 0, ARRAY_LEN(notifications));
	tcase_add_test(tc, test_no_content);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
