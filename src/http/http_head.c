#include "http_head.h"

/* VCHAR, SP, HTAB and obs-text: what a line may hold. */
static const bool line_octet[256] = {
	['\t'] = true,
	[' ' ... '~'] = true,
	[0x80 ... 0xff] = true,
};

/* reg-name without its exotic half (RFC 3986 3.2.2): no Host that somebody
 * needs has percent codes or sub-delims, but some attacks do. */
static const bool host_octet[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true,
};

static const bool ipv6_octet[256] = {
	['0' ... '9'] = true, ['A' ... 'F'] = true, ['a' ... 'f'] = true,
	[':'] = true, ['.'] = true,
};

/* The fields that decide on framing and connection. */
enum field {
	FIELD_CONNECTION,
	FIELD_CONTENT_LENGTH,
	FIELD_EXPECT,
	FIELD_HOST,
	FIELD_TRANSFER_ENCODING,
	FIELD_UPGRADE,
	FIELD_COUNT,
};

static const struct str field_names[FIELD_COUNT] = {
	[FIELD_CONNECTION] = STR_INIT("Connection"),
	[FIELD_CONTENT_LENGTH] = STR_INIT("Content-Length"),
	[FIELD_EXPECT] = STR_INIT("Expect"),
	[FIELD_HOST] = STR_INIT("Host"),
	[FIELD_TRANSFER_ENCODING] = STR_INIT("Transfer-Encoding"),
	[FIELD_UPGRADE] = STR_INIT("Upgrade"),
};

struct fields {
	size_t count[FIELD_COUNT];
	struct str value[FIELD_COUNT];		/* of the last one */
};

#define CHUNK_DIGITS_MAX 16	/* of 64 bits */

static bool consists_of(struct str s, const bool set[256])
{
	for (size_t i = 0; i < s.len; i++)
		if (!set[(unsigned char)s.p[i]])
			return false;
	return s.len > 0;
}

static bool is_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static bool scan_text(struct head_scan *scan, unsigned char c,
		      struct http_fault *f)
{
	if (c != '\r' && !line_octet[c])
		return head_fault(f, 400, "control or bare LF");
	scan->state = c == '\r' ? SCAN_CR : SCAN_LINE;
	return true;
}

static bool scan_first(struct head_scan *scan, unsigned char c,
		       struct http_fault *f)
{
	if (c == ' ' || c == '\t')
		return head_fault(f, 400, "line folding");
	if (c == ':')
		return head_fault(f, 400, "header without a name");
	if (c != '\r')
		return scan_text(scan, c, f);
	scan->state = SCAN_EMPTY_CR;
	return true;
}

static bool scan_lf(struct head_scan *scan, unsigned char c,
		    struct http_fault *f)
{
	if (c != '\n')
		return head_fault(f, 400, "bare CR");
	if (scan->state == SCAN_EMPTY_CR)
		scan->done = true;
	else
		scan->lines++;
	scan->state = SCAN_LINE_START;
	return true;
}

static bool scan_octet(struct head_scan *scan, unsigned char c,
		       struct http_fault *f)
{
	switch (scan->state) {
	case SCAN_LINE_START:
		return scan_first(scan, c, f);
	case SCAN_LINE:
		return scan_text(scan, c, f);
	default:
		return scan_lf(scan, c, f);
	}
}

#define EIGHT(octet) (0x0101010101010101u * (octet))

/* Most of a head is plain text: eight octets at a time while none is below SP
 * and none is DEL. */
static const unsigned char *skip_text(const unsigned char *at,
				      const unsigned char *end)
{
	while (end - at >= 8) {
		uint64_t w, del;

		memcpy(&w, at, sizeof(w));
		del = w ^ EIGHT(0x7f);
		if ((((w - EIGHT(' ')) & ~w) | ((del - EIGHT(1)) & ~del)) &
		    EIGHT(0x80))
			break;
		at += 8;
	}
	while (at < end && line_octet[*at])
		at++;
	return at;
}

bool head_scan_line(struct head_scan *scan, struct str octets, size_t *taken,
		    struct http_fault *f)
{
	const unsigned char *start = (const unsigned char *)octets.p;
	const unsigned char *end = start + octets.len;
	const unsigned char *at = start;

	while (at < end) {
		if (!scan_octet(scan, *at++, f))
			return false;
		if (scan->state == SCAN_LINE_START)
			break;
		if (scan->state == SCAN_LINE)
			at = skip_text(at, end);
	}
	*taken = (size_t)(at - start);
	return true;
}

static bool is_hex(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') ||
	       (c >= 'a' && c <= 'f');
}

static bool scan_chunk_octet(struct chunk_scan *scan, unsigned char c,
			     struct http_fault *f)
{
	if (scan->cr) {
		scan->done = c == '\n';
		return scan->done || head_fault(f, 400, "bare CR");
	}
	if (!scan->extended && is_hex(c))
		return ++scan->digits <= CHUNK_DIGITS_MAX ||
		       head_fault(f, 400, "chunk size too long");
	if (scan->digits == 0)
		return head_fault(f, 400, "no chunk size");
	scan->cr = c == '\r';
	scan->extended |= c == ';';
	if (!scan->cr && (!scan->extended || !line_octet[c]))
		return head_fault(f, 400, "malformed chunk size");
	return true;
}

bool chunk_scan_line(struct chunk_scan *scan, struct str octets,
		     size_t *taken, struct http_fault *f)
{
	*taken = 0;
	while (*taken < octets.len && !scan->done)
		if (!scan_chunk_octet(scan,
				      (unsigned char)octets.p[(*taken)++], f))
			return false;
	return true;
}

static bool check_version(struct http_msg *m, struct str version,
			  struct http_fault *f)
{
	if (version.len != 8 || !str_starts(version, STR("HTTP/")) ||
	    version.p[6] != '.' ||
	    !is_digits((struct str){ version.p + 5, 1 }) ||
	    !is_digits((struct str){ version.p + 7, 1 }))
		return head_fault(f, 400, "malformed version");
	if (version.p[5] != '1' || version.p[7] > '1')
		return head_fault(f, 505, "version other than 1.0 and 1.1");
	m->minor = version.p[7] - '0';
	return true;
}

/* origin-form only (RFC 9112 3.2.1) */
static bool check_target(struct str target, struct http_fault *f)
{
	if (target.len == 0 || target.p[0] != '/')
		return head_fault(f, 400, "target is not a path");
	for (size_t i = 0; i < target.len; i++)
		if (target.p[i] <= ' ' || target.p[i] > '~' ||
		    target.p[i] == '#')
			return head_fault(f, 400, "octet in the target");
	return true;
}

static bool check_request_line(struct http_msg *m, struct str line,
			       struct http_fault *f)
{
	struct str rest, version;

	if (!str_cut(line, ' ', &m->method, &rest) ||
	    !str_cut(rest, ' ', &m->target, &version))
		return head_fault(f, 400, "not a request line");
	if (!check_version(m, version, f))
		return false;
	if (!http_is_token(m->method))
		return head_fault(f, 400, "malformed method");
	if (str_eq(m->method, STR("CONNECT")))
		return head_fault(f, 501, "CONNECT");
	return check_target(m->target, f);
}

static bool check_status_line(struct http_msg *m, struct str line,
			      struct http_fault *f)
{
	struct str version, code, rest;
	uint64_t status;

	str_cut(line, ' ', &version, &rest);
	if (!check_version(m, version, f))
		return false;
	str_cut(rest, ' ', &code, &rest);
	if (code.len != 3 || !str_to_u64(&status, code))
		return head_fault(f, 400, "malformed status");
	if (status < 100 || status > 599)
		return head_fault(f, 400, "status out of range");
	m->status = (int)status;
	return true;
}

bool head_check_start_line(struct http_msg *m, struct str line,
			   struct http_fault *f)
{
	if (m->kind == HTTP_KIND_REQUEST)
		return check_request_line(m, line, f);
	return check_status_line(m, line, f);
}

/* What becomes a variable of CGI has `_` for `-`. */
static bool looks_like(struct str name, struct str field)
{
	if (name.len != field.len || memchr(name.p, '_', name.len) == NULL)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!str_ieq((struct str){ name.p + i, 1 },
			     (struct str){ field.p + i, 1 }) &&
		    (name.p[i] != '_' || field.p[i] != '-'))
			return false;
	return true;
}

bool head_is_framing(struct str name)
{
	return str_ieq(name, field_names[FIELD_CONTENT_LENGTH]) ||
	       str_ieq(name, field_names[FIELD_TRANSFER_ENCODING]);
}

static bool note_field(struct fields *fields, const struct http_header *h,
		       struct http_fault *f)
{
	for (int i = 0; i < FIELD_COUNT; i++) {
		if (looks_like(h->name, field_names[i]))
			return head_fault(f, 400, "framing in disguise");
		if (!str_ieq(h->name, field_names[i]))
			continue;
		fields->count[i]++;
		fields->value[i] = h->value;
	}
	return true;
}

static bool is_host(struct str s)
{
	struct str name, port;

	if (str_starts(s, STR("["))) {
		if (!str_cut(str_skip(s, 1), ']', &name, &port) ||
		    !consists_of(name, ipv6_octet))
			return false;
		if (port.len == 0)
			return true;
		return port.p[0] == ':' && port.len <= 6 &&
		       is_digits(str_skip(port, 1));
	}
	str_cut(s, ':', &name, &port);
	return consists_of(name, host_octet) && port.len <= 5 &&
	       is_digits(port);
}

static bool check_host(const struct http_msg *m, const struct fields *fields,
		       struct http_fault *f)
{
	if (m->kind == HTTP_KIND_RESPONSE)
		return true;
	if (fields->count[FIELD_HOST] > 1)
		return head_fault(f, 400, "two Hosts");
	if (fields->count[FIELD_HOST] == 0)
		return m->minor == 0 ? true : head_fault(f, 400, "no Host");
	if (!is_host(fields->value[FIELD_HOST]))
		return head_fault(f, 400, "malformed Host");
	return true;
}

/* RFC 9112 6: one way to find the end of a body, or none. */
static bool check_framing(struct head_framing *out, const struct http_msg *m,
			  const struct fields *fields, struct http_fault *f)
{
	size_t lengths = fields->count[FIELD_CONTENT_LENGTH];
	size_t codings = fields->count[FIELD_TRANSFER_ENCODING];

	if (lengths > 0 && codings > 0)
		return head_fault(f, 400,
				  "Content-Length and Transfer-Encoding");
	if (codings > 0 && m->minor == 0)
		return head_fault(f, 400, "Transfer-Encoding in HTTP/1.0");
	if (codings > 1 ||
	    (codings == 1 && !str_ieq(fields->value[FIELD_TRANSFER_ENCODING],
				      STR("chunked"))))
		return head_fault(f, 501, "transfer coding");
	if (lengths > 1)
		return head_fault(f, 400, "Content-Length repeated");
	if (lengths == 1 &&
	    !str_to_u64(&out->length, fields->value[FIELD_CONTENT_LENGTH]))
		return head_fault(f, 400, "malformed Content-Length");
	out->has_length = lengths == 1;
	out->chunked = codings == 1;
	return true;
}

/* What would be read as a body by some and as the next message, or as
 * WebSocket frames, by others. */
static bool check_body(const struct http_msg *m, const struct fields *fields,
		       struct http_fault *f)
{
	bool bodiless = m->status / 100 == 1 || m->status == 204 ||
			m->status == 304;

	if (m->kind == HTTP_KIND_RESPONSE)
		return m->has_body && bodiless ?
			head_fault(f, 400, "body where none may be") : true;
	if (m->has_body && fields->count[FIELD_UPGRADE] > 0 &&
	    http_msg_has_token(m, STR("Upgrade"), STR("websocket")))
		return head_fault(f, 400, "upgrade with a body");
	return true;
}

static bool keeps_alive(const struct http_msg *m, const struct fields *fields)
{
	if (fields->count[FIELD_CONNECTION] == 0)
		return m->minor == 1;
	if (http_msg_has_token(m, STR("Connection"), STR("close")))
		return false;
	return m->minor == 1 || http_msg_has_token(m, STR("Connection"),
						   STR("keep-alive"));
}

bool head_check_fields(struct head_framing *out, struct http_msg *m,
		       bool no_body, struct http_fault *f)
{
	struct fields fields = { 0 };
	struct head_framing framing = { 0 };

	for (size_t i = 0; i < m->header_count; i++)
		if (!note_field(&fields, &m->headers[i], f))
			return false;
	if (!check_host(m, &fields, f) ||
	    !check_framing(&framing, m, &fields, f))
		return false;
	m->has_body = !no_body && (framing.chunked || framing.length > 0);
	m->keep_alive = keeps_alive(m, &fields);
	m->expect_continue = m->kind == HTTP_KIND_REQUEST && m->minor == 1 &&
			     fields.count[FIELD_EXPECT] > 0 &&
			     http_msg_has_token(m, STR("Expect"),
						STR("100-continue"));
	*out = framing;
	return check_body(m, &fields, f);
}
