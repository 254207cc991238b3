#include "unit.h"

#include "http/http_url.h"

#define NONE(fault) NULL, 0, NULL, NULL, NULL, HTTP_URL_##fault

static const struct {
	struct str url;
	const char *host;
	unsigned port;
	const char *path, *query;
	const char *authority;
	enum http_url_fault fault;
} urls[] = {
	{ STR_INIT("http://gw"), "gw", 80, "", NULL, "gw", HTTP_URL_FINE },
	{ STR_INIT("HTTP://gw:80/"), "gw", 80, "/", NULL, "gw", HTTP_URL_FINE },
	{ STR_INIT("http://gw:8383/r/k3?a=b?c"), "gw", 8383, "/r/k3", "a=b?c",
	  "gw:8383", HTTP_URL_FINE },
	{ STR_INIT("http://gw?ct=json"), "gw", 80, "", "ct=json", "gw",
	  HTTP_URL_FINE },
	{ STR_INIT("http://gw/a?"), "gw", 80, "/a", "", "gw", HTTP_URL_FINE },
	{ STR_INIT("http://gw?/b"), "gw", 80, "", "/b", "gw", HTTP_URL_FINE },
	{ STR_INIT("http://[2001:db8::1]:81/%20"), "2001:db8::1", 81, "/%20",
	  NULL, "[2001:db8::1]:81", HTTP_URL_FINE },
	{ STR_INIT("https://gw/x"), "gw", 443, "/x", NULL, "gw",
	  HTTP_URL_FINE },
	{ STR_INIT("https://gw:80"), "gw", 80, "", NULL, "gw:80",
	  HTTP_URL_FINE },
	{ STR_INIT(""), NONE(SYNTAX) },
	{ STR_INIT("http:"), NONE(SYNTAX) },
	{ STR_INIT("http:/gw"), NONE(SYNTAX) },
	{ STR_INIT("http://"), NONE(SYNTAX) },
	{ STR_INIT("https://"), NONE(SYNTAX) },
	{ STR_INIT("http:///a"), NONE(SYNTAX) },
	{ STR_INIT("http://:80"), NONE(SYNTAX) },
	{ STR_INIT("mqtt://gw"), NONE(SYNTAX) },
	{ STR_INIT("http://g\r\nw/"), NONE(SYNTAX) },
	{ STR_INIT("http://g\tw/"), NONE(SYNTAX) },
	{ STR_INIT("http://g\0w/"), NONE(SYNTAX) },
	{ STR_INIT("http://gw\0"), NONE(SYNTAX) },
	{ STR_INIT("http://g%41/"), NONE(SYNTAX) },
	{ STR_INIT("http://[::1]x"), NONE(SYNTAX) },
	{ STR_INIT("http://a@gw/"), NONE(USER) },
	{ STR_INIT("http://a:b@gw/"), NONE(USER) },
	{ STR_INIT("http://[::g]/"), NONE(ADDRESS) },
	{ STR_INIT("http://[]/"), NONE(ADDRESS) },
	{ STR_INIT("http://[::1\0\r\nX: y]/"), NONE(ADDRESS) },
	{ STR_INIT("http://gw:/"), NONE(PORT) },
	{ STR_INIT("http://gw:0/"), NONE(PORT) },
	{ STR_INIT("http://gw:65536/"), NONE(PORT) },
	{ STR_INIT("http://gw:8 0/"), NONE(PORT) },
	{ STR_INIT("http://gw:80\0/"), NONE(PORT) },
	{ STR_INIT("http://gw:80\r\nX: y/"), NONE(PORT) },
	{ STR_INIT("http://gw/a b"), NONE(CODED) },
	{ STR_INIT("http://gw/a\0b"), NONE(CODED) },
	{ STR_INIT("http://gw/a\r\nX: y"), NONE(CODED) },
	{ STR_INIT("http://gw/?a b"), NONE(CODED) },
	{ STR_INIT("http://gw/?\x7f"), NONE(CODED) },
	{ STR_INIT("http://gw/%4"), NONE(CODED) },
	{ STR_INIT("http://gw/\xc3\xa9"), NONE(CODED) },
	{ STR_INIT("http://gw/a#b"), NONE(FRAGMENT) },
};

static void check(struct str url, struct str got, const char *want)
{
	ck_assert_msg(str_eq(got, str_of(want != NULL ? want : "")),
		      "%.*s: %.*s", (int)url.len, url.p, (int)got.len, got.p);
}

START_TEST(test_url)
{
	struct str text = urls[_i].url;
	/* no octet behind it */
	char *copy = malloc(text.len + (text.len == 0));
	struct buf authority = { 0 };
	struct http_url url;

	memcpy(copy, text.p, text.len);
	ck_assert_msg(http_url_parse(&url, (struct str){ copy, text.len }) ==
			      urls[_i].fault, "%.*s", (int)text.len, text.p);
	ck_assert_uint_gt(strlen(http_url_why(urls[_i].fault)), 0);
	if (urls[_i].fault == HTTP_URL_FINE) {
		check(text, url.host, urls[_i].host);
		check(text, url.path, urls[_i].path);
		check(text, url.query, urls[_i].query);
		ck_assert_int_eq(url.has_query, urls[_i].query != NULL);
		ck_assert_uint_eq(url.port, urls[_i].port);
		ck_assert_int_eq(url.tls, text.p[4] == 's');
		http_url_write_authority(&authority, &url);
		check(text, buf_str(&authority), urls[_i].authority);
	}
	buf_deinit(&authority);
	free(copy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_url");
	TCase *tc = tcase_create("http_url");

	tcase_add_loop_test(tc, test_url, 0, ARRAY_LEN(urls));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
