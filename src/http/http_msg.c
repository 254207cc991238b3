#include "http/http_msg.h"

/* RFC 9110 5.6.2 */
static const bool token_octet[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true,
	['\''] = true, ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
	['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
};

static const struct {
	int status;
	const char *text;
} status_texts[] = {
	{ 100, "Continue" },
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 302, "Found" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

/* By the first digit, which is all that a recipient must understand. */
static const char *const class_texts[] = {
	"Unknown", "Informational", "Success", "Redirection", "Client Error",
	"Server Error",
};

static bool list_has(struct str list, struct str token)
{
	struct str one, rest = list;
	bool more;

	do {
		more = str_cut(rest, ',', &one, &rest);
		if (str_ieq(str_trim(one), token))
			return true;
	} while (more);
	return false;
}

struct str http_msg_header(const struct http_msg *m, struct str name)
{
	for (size_t i = 0; i < m->header_count; i++)
		if (str_ieq(m->headers[i].name, name))
			return m->headers[i].value;
	return (struct str){ NULL, 0 };
}

size_t http_msg_count(const struct http_msg *m, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < m->header_count; i++)
		n += str_ieq(m->headers[i].name, name);
	return n;
}

bool http_msg_has_token(const struct http_msg *m, struct str name,
			struct str token)
{
	for (size_t i = 0; i < m->header_count; i++)
		if (str_ieq(m->headers[i].name, name) &&
		    list_has(m->headers[i].value, token))
			return true;
	return false;
}

const char *http_status_text(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(status_texts); i++)
		if (status_texts[i].status == status)
			return status_texts[i].text;
	return class_texts[status >= 100 && status <= 599 ? status / 100 : 0];
}

bool http_is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!token_octet[(unsigned char)s.p[i]])
			return false;
	return s.len > 0;
}

bool http_is_field_value(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c != '\t' && (c < ' ' || c > '~'))
			return false;
	}
	return true;
}
