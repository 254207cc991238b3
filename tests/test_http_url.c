#include "unit.h"

#include "http/http_url.h"

#define NONE(fault) NULL, 0, NULL, NULL, NULL, HTTP_URL_##fault

static const struct {
	const char *url;
	const char *host;
	unsigned port;
	const char *path, *query;
	const char *authority;
	enum http_url_fault fault;
} urls[] = {
	{ "http://gw", "gw", 80, "", NULL, "gw", HTTP_URL_FINE },
	{ "HTTP://gw:80/", "gw", 80, "/", NULL, "gw", HTTP_URL_FINE },
	{ "http://gw:8383/r/k3?a=b?c", "gw", 8383, "/r/k3", "a=b?c", "gw:8383",
	  HTTP_URL_FINE },
	{ "http://gw?ct=json", "gw", 80, "", "ct=json", "gw", HTTP_URL_FINE },
	{ "http://gw/a?", "gw", 80, "/a", "", "gw", HTTP_URL_FINE },
	{ "http://gw?/b", "gw", 80, "", "/b", "gw", HTTP_URL_FINE },
	{ "http://[2001:db8::1]:81/%20", "2001:db8::1", 81, "/%20", NULL,
	  "[2001:db8::1]:81", HTTP_URL_FINE },
	{ "https://gw/x", "gw", 443, "/x", NULL, "gw", HTTP_URL_FINE },
	{ "https://gw:80", "gw", 80, "", NULL, "gw:80", HTTP_URL_FINE },
	{ "", NONE(SYNTAX) },
	{ "http:", NONE(SYNTAX) },
	{ "http:/gw", NONE(SYNTAX) },
	{ "http://", NONE(SYNTAX) },
	{ "https://", NONE(SYNTAX) },
	{ "http:///a", NONE(SYNTAX) },
	{ "http://:80", NONE(SYNTAX) },
	{ "mqtt://gw", NONE(SYNTAX) },
	{ "http://g\r\nw/", NONE(SYNTAX) },
	{ "http://g\tw/", NONE(SYNTAX) },
	{ "http://g%41/", NONE(SYNTAX) },
	{ "http://[::1]x", NONE(SYNTAX) },
	{ "http://a@gw/", NONE(USER) },
	{ "http://a:b@gw/", NONE(USER) },
	{ "http://[::g]/", NONE(ADDRESS) },
	{ "http://[]/", NONE(ADDRESS) },
	{ "http://gw:/", NONE(PORT) },
	{ "http://gw:0/", NONE(PORT) },
	{ "http://gw:65536/", NONE(PORT) },
	{ "http://gw:8 0/", NONE(PORT) },
	{ "http://gw:80\r\nX: y/", NONE(PORT) },
	{ "http://gw/a b", NONE(CODED) },
	{ "http://gw/a\r\nX: y", NONE(CODED) },
	{ "http://gw/?a b", NONE(CODED) },
	{ "http://gw/?\x7f", NONE(CODED) },
	{ "http://gw/%4", NONE(CODED) },
	{ "http://gw/\xc3\xa9", NONE(CODED) },
	{ "http://gw/a#b", NONE(FRAGMENT) },
};

static void check(const char *url, struct str got, const char *want)
{
	ck_assert_msg(str_eq(got, str_of(want != NULL ? want : "")), "%s: %.*s",
		      url, (int)got.len, got.p);
}

START_TEST(test_url)
{
	const char *text = urls[_i].url;
	/* no octet behind it */
	char *copy = malloc(strlen(text) + (text[0] == '\0'));
	struct buf authority = { 0 };
	struct http_url url;

	memcpy(copy, text, strlen(text));
	ck_assert_msg(http_url_parse(&url, (struct str){ copy, strlen(text) }) ==
			      urls[_i].fault, "%s", text);
	ck_assert_uint_gt(strlen(http_url_why(urls[_i].fault)), 0);
	if (urls[_i].fault == HTTP_URL_FINE) {
		check(text, url.host, urls[_i].host);
		check(text, url.path, urls[_i].path);
		check(text, url.query, urls[_i].query);
		ck_assert_int_eq(url.has_query, urls[_i].query != NULL);
		ck_assert_uint_eq(url.port, urls[_i].port);
		ck_assert_int_eq(url.tls, text[4] == 's');
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
