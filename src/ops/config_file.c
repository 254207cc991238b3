#include <ctype.h>
#include <stdlib.h>
#include <uv.h>

#include "base/utf8.h"
#include "config_priv.h"

/*
 * The grammar, one line at a time:
 *
 *	line     = blank | comment | section | key "=" value
 *	comment  = ("#" | ";") anything		at the start of a line only
 *	section  = "[" word [ '"' NAME '"' ] "]"
 *	value    = anything | '"' quoted '"'	${VAR}, $$; in quotes \" and \\
 */
#define BOM STR("\xef\xbb\xbf")

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static bool is_title(char c)
{
	return is_word(c) || c == '.';
}

/* A look at one line. */
struct cursor {
	struct config_parser *parser;
	size_t at;
};

static struct config_place place_at(const struct cursor *c, size_t at)
{
	struct config_place place = c->parser->place;

	place.at = at;
	return place;
}

static struct str line_of(const struct cursor *c)
{
	return c->parser->place.text;
}

static bool at_end(const struct cursor *c)
{
	return c->at == line_of(c).len;
}

static char peek(const struct cursor *c)
{
	return at_end(c) ? '\0' : line_of(c).p[c->at];
}

static void skip_blanks(struct cursor *c)
{
	while (is_blank(peek(c)))
		c->at++;
}

static bool skip_char(struct cursor *c, char expected)
{
	if (peek(c) != expected)
		return false;
	c->at++;
	return true;
}

static struct str take(struct cursor *c, bool (*belongs)(char))
{
	size_t from = c->at;

	while (!at_end(c) && belongs(peek(c)))
		c->at++;
	return (struct str){ line_of(c).p + from, c->at - from };
}

/* Reports at the cursor; returns false for the caller to pass on. */
static bool fail(const struct cursor *c, const char *message)
{
	struct config_place at = place_at(c, c->at);

	config_report(c->parser->load, &at, "%s", message);
	return false;
}

/* Where and why s is not one line of text, or NULL. */
static const char *find_bad_octet(struct str s, size_t *at)
{
	struct utf8 u = { 0 };

	for (*at = 0; *at < s.len; ++*at) {
		unsigned char c = (unsigned char)s.p[*at];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "control character";
		if (!utf8_feed(&u, (struct str){ s.p + *at, 1 }))
			return "not UTF-8";
	}
	return utf8_done(&u) ? NULL : "not UTF-8";
}

static bool check_octets(struct cursor *c)
{
	const char *why;

	if (line_of(c).len > CONFIG_LINE_MAX) {
		c->at = CONFIG_LINE_MAX;
		return fail(c, "line longer than 4096 octets");
	}
	why = find_bad_octet(line_of(c), &c->at);
	if (why != NULL)
		return fail(c, why);
	c->at = 0;
	return true;
}

static bool expand_variable(struct cursor *c, struct buf *value)
{
	size_t dollar = c->at - 1;
	char name[CONFIG_NAME_MAX + 1];
	const char *text;
	struct str word;
	struct config_place at;
	size_t bad;

	c->at++;
	word = take(c, is_word);
	if (word.len == 0 || word.len > CONFIG_NAME_MAX || peek(c) != '}')
		return fail(c, "expected the name of a variable and \"}\"");
	c->at++;
	memcpy(name, word.p, word.len);
	name[word.len] = '\0';
	text = getenv(name);
	if (text != NULL && find_bad_octet(str_of(text), &bad) == NULL) {
		buf_add_str(value, str_of(text));
		return true;
	}
	at = place_at(c, dollar);
	config_report(c->parser->load, &at, "environment variable \"%s\" %s",
		      name, text == NULL ? "is not set" :
					   "is not one line of UTF-8");
	return false;
}

/* One character of a value, whatever it stands for. */
static bool take_value_char(struct cursor *c, struct buf *value, bool quoted)
{
	char ch = peek(c);

	c->at++;
	if (ch == '$') {
		if (peek(c) == '{')
			return expand_variable(c, value);
		if (!skip_char(c, '$'))
			return fail(c, "expected \"{\" or a second \"$\" "
				       "after \"$\"");
	} else if (quoted && ch == '\\') {
		ch = peek(c);
		if (ch != '"' && ch != '\\')
			return fail(c, "expected \\\" or \\\\ after \"\\\"");
		c->at++;
	}
	buf_add_char(value, ch);
	return true;
}

static bool take_quoted(struct cursor *c, struct buf *value)
{
	c->at++;
	while (!at_end(c) && peek(c) != '"')
		if (!take_value_char(c, value, true))
			return false;
	if (!skip_char(c, '"'))
		return fail(c, "the quotes are not closed");
	skip_blanks(c);
	return at_end(c) || fail(c, "text after the quotes");
}

static bool take_unquoted(struct cursor *c, struct buf *value)
{
	struct str line = line_of(c);
	size_t end = line.len;

	while (end > c->at && is_blank(line.p[end - 1]))
		end--;
	while (c->at < end)
		if (!take_value_char(c, value, false))
			return false;
	return true;
}

static bool take_value(struct cursor *c, struct config_item *out)
{
	struct buf *value = &c->parser->value;
	size_t from;
	bool ok;

	skip_blanks(c);
	from = c->at;
	out->value_at = place_at(c, from);
	buf_clear(value);
	ok = peek(c) == '"' ? take_quoted(c, value) : take_unquoted(c, value);
	if (!ok)
		return false;
	if (value->failed) {
		c->parser->load->err = UV_ENOMEM;
		return false;
	}
	c->at = from;
	if (value->len > CONFIG_VALUE_MAX)
		return fail(c, "value longer than 1024 octets");
	out->value = buf_str(value);
	out->expanded = memchr(line_of(c).p + from, '$',
			       line_of(c).len - from) != NULL;
	return true;
}

static bool take_title(struct cursor *c, struct config_item *out)
{
	c->at++;
	out->has_title = true;
	out->title_at = place_at(c, c->at);
	out->title = take(c, is_title);
	if (peek(c) != '"')
		return fail(c, "expected letters, digits, \"-\", \"_\", "
			       "\".\" and a closing quote");
	if (out->title.len == 0)
		return fail(c, "expected a name");
	if (out->title.len > CONFIG_NAME_MAX)
		return fail(c, "name longer than 64 characters");
	c->at++;
	return true;
}

static bool take_section(struct cursor *c, struct config_item *out)
{
	c->at++;
	skip_blanks(c);
	out->section_at = place_at(c, c->at);
	out->section = take(c, is_word);
	if (out->section.len == 0)
		return fail(c, "expected the name of a section");
	skip_blanks(c);
	if (peek(c) == '"' && !take_title(c, out))
		return false;
	skip_blanks(c);
	if (!skip_char(c, ']'))
		return fail(c, "expected \"]\"");
	skip_blanks(c);
	return at_end(c) || fail(c, "text after \"]\"");
}

static bool take_key(struct cursor *c, struct config_item *out)
{
	out->key_at = place_at(c, c->at);
	out->key = take(c, is_word);
	if (out->key.len == 0)
		return fail(c, "expected a key, a [section] or a comment");
	skip_blanks(c);
	if (!skip_char(c, '='))
		return fail(c, "expected \"=\"");
	return take_value(c, out);
}

static bool next_line(struct config_parser *p)
{
	struct str line;

	if (p->rest.len == 0)
		return false;
	str_cut(p->rest, '\n', &line, &p->rest);
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	p->place.line++;
	p->place.text = line;
	return true;
}

/* False: the line holds nothing. */
static bool read_line(struct config_parser *p, struct config_item *out)
{
	struct cursor c = { .parser = p };
	bool ok = check_octets(&c);

	if (!ok) {
		out->kind = CONFIG_ITEM_BAD;
		out->starts_section = str_starts(str_trim(line_of(&c)),
						 STR("["));
		return true;
	}
	skip_blanks(&c);
	if (at_end(&c) || peek(&c) == '#' || peek(&c) == ';')
		return false;
	out->starts_section = peek(&c) == '[';
	out->kind = out->starts_section ? CONFIG_ITEM_SECTION : CONFIG_ITEM_KEY;
	ok = out->starts_section ? take_section(&c, out) : take_key(&c, out);
	if (!ok)
		out->kind = CONFIG_ITEM_BAD;
	return true;
}

void config_parser_init(struct config_parser *p, struct config_load *l,
			const struct config_source *source)
{
	*p = (struct config_parser){ .load = l };
	p->rest = (struct str){ source->text, source->len };
	p->place.source = source;
	if (str_starts(p->rest, BOM))
		p->rest = str_skip(p->rest, BOM.len);
}

void config_parser_deinit(struct config_parser *p)
{
	buf_deinit(&p->value);
}

void config_parser_next(struct config_parser *p, struct config_item *out)
{
	*out = (struct config_item){ .kind = CONFIG_ITEM_END };
	while (next_line(p))
		if (read_line(p, out))
			return;
}

/* The part before "=" is split at its first and its last dot. */
static bool read_override(struct cursor *c, struct config_item *out)
{
	out->section_at = place_at(c, 0);
	out->section = take(c, is_word);
	if (out->section.len == 0 || !skip_char(c, '.'))
		return fail(c, "expected section.key=value");
	out->title_at = place_at(c, c->at);
	out->key_at = out->title_at;
	out->key = take(c, is_title);
	for (size_t i = out->key.len; i > 0 && !out->has_title; i--) {
		if (out->key.p[i - 1] != '.')
			continue;
		out->has_title = true;
		out->title = (struct str){ out->key.p, i - 1 };
		out->key = str_skip(out->key, i);
		out->key_at.at += i;
	}
	if (out->has_title &&
	    (out->title.len == 0 || out->title.len > CONFIG_NAME_MAX)) {
		c->at = out->title_at.at;
		return fail(c, "expected a name of 1 to 64 characters");
	}
	if (out->key.len == 0 || !skip_char(c, '='))
		return fail(c, "expected section.key=value");
	return take_value(c, out);
}

void config_parser_override(struct config_parser *p, struct config_item *out)
{
	struct cursor c = { .parser = p };

	*out = (struct config_item){ .kind = CONFIG_ITEM_KEY };
	p->place.line = 1;
	p->place.text = p->rest;
	if (!check_octets(&c) || !read_override(&c, out))
		out->kind = CONFIG_ITEM_BAD;
}
