#include "m2m/xml_out.h"

#include <uv.h>

#include "m2m/xml_types.h"
#include "m2m/xml_value.h"

/* Doubles, but does not pass the bound. */
static bool make_room(struct xml_out *o, size_t n)
{
	struct buf *b = o->buf;
	size_t left = o->bound - b->len;
	size_t more = b->len > 256 ? b->len : 256;

	if (o->full || b->failed)
		return false;
	if (n > left) {
		o->full = true;
		return false;
	}
	if (b->cap - b->len >= n)
		return true;
	if (more > left)
		more = left;
	return buf_reserve_exact(b, more > n ? more : n);
}

void xml_put(struct xml_out *o, struct str s)
{
	if (make_room(o, s.len))
		buf_add_str(o->buf, s);
}

void xml_put_json(struct xml_out *o, struct str s)
{
	if (make_room(o, str_json_len(s) + 2))
		buf_add_json(o->buf, s);
}

bool xml_put_number(struct xml_out *o, struct str text)
{
	/* 1 becomes 1, .5 becomes 0.5 */
	if (!make_room(o, text.len + 1))
		return true;
	return xml_add_number(o->buf, text);
}

/* What cannot stand for itself. TAB and LF can, but for attributes. */
static struct str escape_of(char c, bool attr)
{
	switch (c) {
	case '<':	return STR("&lt;");
	case '>':	return STR("&gt;");
	case '&':	return STR("&amp;");
	case '\r':	return STR("&#13;");
	case '"':	return attr ? STR("&quot;") : STR("");
	case '\t':	return attr ? STR("&#9;") : STR("");
	case '\n':	return attr ? STR("&#10;") : STR("");
	default:	return STR("");
	}
}

static bool is_forbidden(struct str at)
{
	unsigned char c = (unsigned char)at.p[0];

	return (c < 0x20 && !xml_is_space(at.p[0])) ||
	       str_starts(at, STR("\xef\xbf\xbe")) ||
	       str_starts(at, STR("\xef\xbf\xbf"));
}

static bool put_escaped(struct xml_out *o, struct str s, bool attr)
{
	static const bool special[256] = {
		[0 ... 0x1f] = true, ['<'] = true, ['>'] = true, ['&'] = true,
		['"'] = true, [0xef] = true,
	};
	size_t from = 0;

	for (size_t i = 0; i < s.len; i++) {
		struct str escape;

		if (!special[(unsigned char)s.p[i]])
			continue;
		if (is_forbidden(str_skip(s, i)))
			return false;
		escape = escape_of(s.p[i], attr);
		if (escape.len == 0)
			continue;
		xml_put(o, (struct str){ s.p + from, i - from });
		xml_put(o, escape);
		from = i + 1;
	}
	xml_put(o, str_skip(s, from));
	return true;
}

bool xml_put_text(struct xml_out *o, struct str text)
{
	return put_escaped(o, text, false);
}

bool xml_put_attr_text(struct xml_out *o, struct str text)
{
	return put_escaped(o, text, true);
}

int xml_out_fault(const struct xml_out *o, const char **why)
{
	if (o->buf->failed) {
		*why = "out of memory";
		return UV_ENOMEM;
	}
	if (!o->full)
		return 0;
	*why = "grows too much";
	return ERR_LIMIT;
}
