#include "m2m/xml_scan.h"

#include "base/utf8.h"
#include "m2m/xml_types.h"

#define COMMENT STR("<!--")
#define CDATA	STR("<![CDATA[")

static const char *skip_space(const char *p)
{
	while (xml_is_space(*p))
		p++;
	return p;
}

static bool ends_name(char c)
{
	return c == '/' || c == '>' || c == '=' || xml_is_space(c);
}

/* Looks no further than the first difference. */
static bool starts(const char *p, struct str word)
{
	for (size_t i = 0; i < word.len; i++)
		if (p[i] != word.p[i])
			return false;
	return true;
}

/* To the character, which does occur. */
static const char *find(const char *p, char c)
{
	while (*p != c)
		p++;
	return p;
}

static const char *skip_plain(const char *p)
{
	while (*p != '<' && *p != '&' && *p != '\r')
		p++;
	return p;
}

/* Behind the mark, which does occur. */
static const char *skip_to(const char *p, struct str mark)
{
	while (!starts(p, mark))
		p++;
	return p + mark.len;
}

static const char *skip_name(const char *p)
{
	while (!ends_name(*p))
		p++;
	return p;
}

bool xml_next_attr(struct str *name, struct str *value, const char **at)
{
	const char *p = skip_space(*at), *end;

	if (*p == '/' || *p == '>')
		return false;
	end = skip_name(p);
	*name = str_range(p, end);
	p = skip_space(skip_space(end) + 1);	/* the equals sign */
	end = find(p + 1, *p);
	*value = str_range(p + 1, end);
	*at = end + 1;
	return true;
}

struct str xml_cut_name(const char *p)
{
	return str_range(p + 1, skip_name(p + 1));
}

void xml_cut_tag(struct xml_tag *out, const char *p)
{
	struct str name = xml_cut_name(p), value;
	const char *end = name.p + name.len, *at = end;

	if (!str_cut(name, ':', &out->prefix, &out->local)) {
		out->local = name;
		out->prefix = STR("");
	}
	out->attrs = end;
	while (xml_next_attr(&name, &value, &at))
		;
	at = skip_space(at);
	out->empty = *at == '/';
	out->end = out->empty ? at + 2 : at + 1;
}

const char *xml_skip_aside(const char *p)
{
	if (starts(p, COMMENT))
		return skip_to(p + COMMENT.len, STR("-->"));
	if (starts(p, CDATA))
		return skip_to(p + CDATA.len, STR("]]>"));
	if (starts(p, STR("<?")))
		return skip_to(p + 2, STR("?>"));
	return p;
}

const char *xml_skip_element(const char *p)
{
	unsigned open = 0;
	struct xml_tag tag;

	do {
		const char *aside;

		p = find(p, '<');
		aside = xml_skip_aside(p);
		if (aside != p) {
			p = aside;
		} else if (p[1] == '/') {
			p = find(p, '>') + 1;
			open--;
		} else {
			xml_cut_tag(&tag, p);
			p = tag.end;
			open += tag.empty ? 0 : 1;
		}
	} while (open > 0);
	return p;
}

struct str xml_inside(const struct xml_tag *tag, const char *p)
{
	const char *end;

	if (tag->empty)
		return (struct str){ tag->end, 0 };
	end = xml_skip_element(p);
	while (*--end != '<')
		;
	return str_range(tag->end, end);
}

/* The character that a reference names, in UTF-8; gives what is behind it. */
static const char *add_reference(struct buf *out, const char *p)
{
	static const struct {
		struct str name;
		char c;
	} entities[] = {
		{ STR_INIT("&lt;"), '<' },     { STR_INIT("&gt;"), '>' },
		{ STR_INIT("&amp;"), '&' },    { STR_INIT("&quot;"), '"' },
		{ STR_INIT("&apos;"), '\'' },
	};
	uint32_t c = 0;
	bool hex;

	for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
		if (starts(p, entities[i].name)) {
			buf_add_char(out, entities[i].c);
			return p + entities[i].name.len;
		}
	}
	hex = p[2] == 'x';
	for (p += hex ? 3 : 2; *p != ';'; p++) {
		uint32_t digit = (uint32_t)(*p & 15);

		if (*p > '9')
			digit += 9;
		c = c * (hex ? 16 : 10) + digit;
	}
	utf8_add(out, c);
	return p + 1;
}

/* Line ends are LF for whoever reads XML (2.11). */
static const char *add_line_end(struct buf *out, const char *p)
{
	buf_add_char(out, '\n');
	return p[0] == '\r' && p[1] == '\n' ? p + 2 : p + 1;
}

/* CDATA; of the other asides nothing remains. */
static const char *add_aside(struct buf *out, const char *p)
{
	const char *end = xml_skip_aside(p), *last = end - 3;

	if (!starts(p, CDATA))
		return end;
	for (p += CDATA.len; p < last;) {
		if (*p == '\r')
			p = add_line_end(out, p);
		else
			buf_add_char(out, *p++);
	}
	return end;
}

/* Where the end tag of an element without children starts. */
static const char *skip_text(const char *p)
{
	while (p[0] != '<' || p[1] != '/')
		p = *p == '<' ? xml_skip_aside(p) : p + 1;
	return p;
}

static struct str decode(struct buf *scratch, const char *p)
{
	const char *end = skip_text(p);

	buf_clear(scratch);
	buf_reserve_exact(scratch, (size_t)(end - p));	/* it only shrinks */
	while (p < end) {
		const char *from = p;

		p = skip_plain(p);
		buf_add_str(scratch, str_range(from, p));
		if (*p == '&')
			p = add_reference(scratch, p);
		else if (*p == '\r')
			p = add_line_end(scratch, p);
		else if (p < end)
			p = add_aside(scratch, p);
	}
	return buf_str(scratch);
}

struct str xml_text(const struct xml_tag *tag, struct buf *scratch)
{
	const char *end;

	if (tag->empty)
		return (struct str){ tag->end, 0 };
	end = skip_plain(tag->end);
	if (*end == '<' && end[1] == '/')
		return str_range(tag->end, end);
	return decode(scratch, tag->end);
}

struct str xml_attr_text(struct str value, struct buf *scratch)
{
	const char *p = value.p, *end = value.p + value.len;

	buf_clear(scratch);
	buf_reserve_exact(scratch, value.len);
	while (p < end) {
		if (*p == '&') {
			p = add_reference(scratch, p);
		} else if (xml_is_space(*p)) {
			p += p[0] == '\r' && p[1] == '\n' ? 2 : 1;
			buf_add_char(scratch, ' ');
		} else {
			buf_add_char(scratch, *p++);
		}
	}
	return buf_str(scratch);
}
