/*
 * A URL that a peer gave: what is read from it lies in it, may stand in a
 * request line and in a Host header as it is, and names the same place when it
 * is written again.
 */
#include "http/http_url.h"
#include "http_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need_within(struct str part, struct str text)
{
	fuzz_need(part.len == 0 || (part.p >= text.p &&
				    part.p + part.len <= text.p + text.len));
	for (size_t i = 0; i < part.len; i++)
		fuzz_need(part.p[i] > 0x20 && part.p[i] < 0x7f);
}

static void need_same(const struct http_url *url)
{
	struct http_url again;
	struct buf text = { 0 };

	buf_add_str(&text, url->tls ? STR("https://") : STR("http://"));
	http_url_write_authority(&text, url);
	buf_add_str(&text, url->path);
	if (url->has_query) {
		buf_add_char(&text, '?');
		buf_add_str(&text, url->query);
	}
	fuzz_need(http_url_parse(&again, buf_str(&text)) == HTTP_URL_FINE);
	fuzz_need(str_eq(again.host, url->host) && again.port == url->port);
	fuzz_need(str_eq(again.path, url->path));
	fuzz_need(str_eq(again.query, url->query));
	fuzz_need(again.tls == url->tls && again.has_query == url->has_query);
	buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct http_url url;
	enum http_url_fault fault = http_url_parse(&url, text);

	fuzz_need(strlen(http_url_why(fault)) > 0);
	if (fault != HTTP_URL_FINE)
		return 0;
	need_within(url.host, text);
	need_within(url.path, text);
	need_within(url.query, text);
	fuzz_need(url.host.len > 0 && url.host.len <= HTTP_URL_HOST_MAX);
	fuzz_need(url.port > 0 && url.port <= UINT16_MAX);
	fuzz_need(url.path.len == 0 || url.path.p[0] == '/');
	need_same(&url);
	return 0;
}
