#include "m2m/json.h"

#include <assert.h>
#include <endian.h>

#include "base/utf8.h"

/*
 * No recursion: each level that a peer opens costs one octet of a fixed stack,
 * the bracket that closes it. The scanning functions take the place to go on
 * from and return the place behind what they have read, NULL after a failure:
 * it stays in a register, which is what makes them fast.
 */

#define EACH(octet) (UINT64_C(0x0101010101010101) * (octet))
#define HIGH_BITS   EACH(0x80)

static const char *fail(struct jscan *s, int err, const char *why)
{
	s->err = err;
	s->why = why;
	return NULL;
}

static const char *broken(struct jscan *s, const char *why)
{
	return fail(s, ERR_PROTO, why);
}

static bool take_token(struct jscan *s)
{
	if (s->tokens == 0) {
		fail(s, ERR_LIMIT, "too many values");
		return false;
	}
	s->tokens--;
	return true;
}

/* The octet at p; -1 at the end. */
static int peek(const struct jscan *s, const char *p)
{
	return p < s->end ? (unsigned char)*p : -1;
}

static bool is_bracket(int c)
{
	return c == '{' || c == '[';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *skip_space(const struct jscan *s, const char *p)
{
	while (p < s->end && is_space(*p))
		p++;
	return p;
}

/*
 * The high bit of each octet that a string cannot just step over. x ^ 2 is at
 * most 0x20 for a quote and the controls only. A borrow may mark octets after
 * the first one wrongly, so only the first mark counts.
 */
static uint64_t stops_in(uint64_t word)
{
	return (((word ^ EACH(2)) - EACH(0x21)) |
		((word ^ EACH('\\')) - EACH(1))) & ~word & HIGH_BITS;
}

static bool is_stop(char c)
{
	return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

/* To the first stop or the end; gathers the octets seen on the way. */
static inline const char *skip_plain(const char *p, const char *end,
				     uint64_t *seen)
{
	while (end - p >= 8) {
		uint64_t word, stops;

		memcpy(&word, p, sizeof(word));
		*seen |= word;
		stops = stops_in(le64toh(word));
		if (stops != 0)
			return p + (__builtin_ctzll(stops) >> 3);
		p += 8;
	}
	while (p < end && !is_stop(*p))
		*seen |= (unsigned char)*p++;
	return p;
}

static bool hex_digit(unsigned *out, char c)
{
	if (c >= '0' && c <= '9')
		*out = (unsigned)(c - '0');
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		*out = (unsigned)((c | 0x20) - 'a') + 10;
	else
		return false;
	return true;
}

/* The UTF-16 code unit of \uXXXX at the front of text. */
static bool escaped_unit(unsigned *out, struct str text)
{
	unsigned unit = 0;

	if (text.len < 6 || text.p[0] != '\\' || text.p[1] != 'u')
		return false;
	for (int i = 2; i < 6; i++) {
		unsigned digit;

		if (!hex_digit(&digit, text.p[i]))
			return false;
		unit = unit << 4 | digit;
	}
	*out = unit;
	return true;
}

static bool is_high_surrogate(unsigned unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(unsigned unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

static const char *scan_unicode(struct jscan *s, const char *p)
{
	unsigned unit, low;

	if (!escaped_unit(&unit, str_range(p, s->end)))
		return broken(s, "\\u without four hexadecimal digits");
	if (is_low_surrogate(unit))
		return broken(s, "lone surrogate");
	p += 6;
	if (!is_high_surrogate(unit))
		return p;
	if (!escaped_unit(&low, str_range(p, s->end)) ||
	    !is_low_surrogate(low))
		return broken(s, "lone surrogate");
	return p + 6;
}

static const char *scan_escape(struct jscan *s, const char *p)
{
	switch (peek(s, p + 1)) {
	case 'u':
		return scan_unicode(s, p);
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return p + 2;
	case -1:
		return broken(s, "text ends within a string");
	default:
		return broken(s, "unknown escape");
	}
}

/* With escapes, text that is not ASCII, or a fault. */
static const char *scan_odd_string(struct jscan_value *out, struct jscan *s,
				   const char *from)
{
	const char *p = from + 1;
	uint64_t seen = 0;

	while ((p = skip_plain(p, s->end, &seen)) < s->end && *p == '\\') {
		p = scan_escape(s, p);
		if (p == NULL)
			return NULL;
		out->escaped = true;
	}
	if (p == s->end)
		return broken(s, "text ends within a string");
	if (*p != '"')
		return broken(s, "control character in a string");
	out->raw = str_range(from, p + 1);
	if ((seen & HIGH_BITS) && !utf8_valid(out->raw))
		return broken(s, "not UTF-8");
	return p + 1;
}

/* Most strings are plain: for them no call, no register saved. */
static const char *scan_string(struct jscan_value *out, struct jscan *s,
			       const char *from)
{
	uint64_t seen = 0;
	const char *p = skip_plain(from + 1, s->end, &seen);

	out->type = JSCAN_STRING;
	out->escaped = false;
	if (peek(s, p) != '"' || (seen & HIGH_BITS))
		return scan_odd_string(out, s, from);
	out->raw = str_range(from, p + 1);
	return p + 1;
}

/* NULL: not one digit at p. */
static const char *skip_digits(const struct jscan *s, const char *p)
{
	const char *from = p;

	while (p < s->end && *p >= '0' && *p <= '9')
		p++;
	return p > from ? p : NULL;
}

static const char *scan_number(struct jscan_value *out, struct jscan *s,
			       const char *p)
{
	const char *from = p;
	const char *whole = *p == '-' ? p + 1 : p;

	p = skip_digits(s, whole);
	if (p == NULL)
		return broken(s, "number without digits");
	if (*whole == '0' && p - whole > 1)
		return broken(s, "number with a leading zero");
	if (peek(s, p) == '.') {
		p = skip_digits(s, p + 1);
		if (p == NULL)
			return broken(s, "number ends after its point");
	}
	if (peek(s, p) == 'e' || peek(s, p) == 'E') {
		p++;
		if (peek(s, p) == '+' || peek(s, p) == '-')
			p++;
		p = skip_digits(s, p);
		if (p == NULL)
			return broken(s, "number without an exponent");
	}
	out->type = JSCAN_NUMBER;
	out->raw = str_range(from, p);
	out->escaped = false;
	return p;
}

static const char *scan_word(struct jscan_value *out, struct jscan *s,
			     const char *p, struct str word,
			     enum jscan_type type)
{
	if (!str_starts(str_range(p, s->end), word))
		return broken(s, "value expected");
	out->type = type;
	out->raw = (struct str){ p, word.len };
	out->escaped = false;
	return p + word.len;
}

static const char *scan_scalar(struct jscan_value *out, struct jscan *s,
			       const char *p)
{
	if (!take_token(s))
		return NULL;
	switch (peek(s, p)) {
	case '"':
		return scan_string(out, s, p);
	case 't':
		return scan_word(out, s, p, STR("true"), JSCAN_TRUE);
	case 'f':
		return scan_word(out, s, p, STR("false"), JSCAN_FALSE);
	case 'n':
		return scan_word(out, s, p, STR("null"), JSCAN_NULL);
	case '-':
	case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return scan_number(out, s, p);
	case -1:
		return broken(s, "text ends where a value is expected");
	default:
		return broken(s, "value expected");
	}
}

/* Steps over the opening bracket at p. depth: what is open already. */
static const char *open_bracket(char *close, struct jscan *s, const char *p,
				unsigned depth)
{
	if (!take_token(s))
		return NULL;
	if (depth == s->max_depth)
		return fail(s, ERR_LIMIT, "nested too deeply");
	*close = *p == '{' ? '}' : ']';
	return p + 1;
}

/* A member's name and its colon. */
static const char *scan_name(struct jscan_value *out, struct jscan *s,
			     const char *p)
{
	if (!take_token(s))
		return NULL;
	if (peek(s, p) != '"')
		return broken(s, "member name expected");
	p = scan_string(out, s, p);
	if (p == NULL)
		return NULL;
	p = skip_space(s, p);
	if (peek(s, p) != ':')
		return broken(s, "colon expected");
	return p + 1;
}

/* From behind a bracket or a member to the value of the next member. */
static const char *scan_to_value(struct jscan_value *name, struct jscan *s,
				 const char *p, char close, bool first)
{
	if (!first) {
		if (peek(s, p) != ',')
			return broken(s, "comma or closing bracket expected");
		p = skip_space(s, p + 1);
	}
	if (close == '}') {
		p = scan_name(name, s, p);
		if (p == NULL)
			return NULL;
	}
	return skip_space(s, p);
}

/* All of an array or object. */
static const char *scan_nested(struct jscan *s, const char *p)
{
	char close[JSCAN_DEPTH_MAX + 1];
	unsigned depth = 0;
	struct jscan_value v;

	do {
		bool first = is_bracket(peek(s, p));

		p = first ? open_bracket(&close[depth], s, p,
					 s->depth + depth) :
			    scan_scalar(&v, s, p);
		if (p == NULL)
			return NULL;
		if (first)
			depth++;
		p = skip_space(s, p);
		while (peek(s, p) == close[depth - 1]) {
			p++;
			if (--depth == 0)
				return p;
			first = false;
			p = skip_space(s, p);
		}
		p = scan_to_value(&v, s, p, close[depth - 1], first);
	} while (p != NULL);
	return NULL;
}

static const char *scan_value(struct jscan_value *out, struct jscan *s,
			      const char *p)
{
	const char *from = p;

	if (!is_bracket(peek(s, p)))
		return scan_scalar(out, s, p);
	p = scan_nested(s, p);
	if (p == NULL)
		return NULL;
	out->type = *from == '{' ? JSCAN_OBJECT : JSCAN_ARRAY;
	out->raw = str_range(from, p);
	out->escaped = false;
	return p;
}

/* What the public functions end with. */
static int step_to(struct jscan *s, const char *p)
{
	if (p == NULL)
		return s->err;
	s->p = p;
	return 0;
}

/* Decodes one escape at the front of text; gives its length. */
static size_t unescape_one(struct buf *out, struct str text)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	unsigned unit, low;
	const char *at;
	bool paired;

	if (text.p[1] != 'u') {
		at = memchr(from, text.p[1], sizeof(from) - 1);
		buf_add_char(out, at != NULL ? to[at - from] : text.p[1]);
		return 2;
	}
	paired = escaped_unit(&unit, text);
	assert(paired);
	if (!is_high_surrogate(unit)) {
		utf8_add(out, unit);
		return 6;
	}
	paired = escaped_unit(&low, str_skip(text, 6));
	assert(paired);
	utf8_add(out, 0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00)));
	return 12;
}

void jscan_init(struct jscan *s, struct str text, unsigned max_depth,
		unsigned max_tokens)
{
	*s = (struct jscan){
		.p = text.p,
		.end = text.len > 0 ? text.p + text.len : text.p,
		.max_depth = max_depth < JSCAN_DEPTH_MAX ? max_depth :
							   JSCAN_DEPTH_MAX,
		.tokens = max_tokens,
	};
}

int jscan_value(struct jscan_value *out, struct jscan *s)
{
	return step_to(s, scan_value(out, s, skip_space(s, s->p)));
}

bool jscan_at_end(struct jscan *s)
{
	s->p = skip_space(s, s->p);
	return s->p == s->end;
}

int jscan_enter(struct jscan *s, enum jscan_type type)
{
	const char *p = skip_space(s, s->p);

	assert(type == JSCAN_OBJECT || type == JSCAN_ARRAY);
	if (type == JSCAN_OBJECT && peek(s, p) != '{')
		p = broken(s, "not an object");
	else if (type == JSCAN_ARRAY && peek(s, p) != '[')
		p = broken(s, "not an array");
	else
		p = open_bracket(&s->close, s, p, s->depth++);
	return step_to(s, p);
}

int jscan_next(struct jscan_value *name, struct jscan_value *value,
	       struct jscan *s, bool first)
{
	const char *p = skip_space(s, s->p);
	int err;

	if (peek(s, p) == s->close) {
		s->depth--;
		return step_to(s, p + 1);
	}
	p = scan_to_value(name, s, p, s->close, first);
	if (p == NULL)
		return s->err;
	if (s->close == '}')
		name->raw = jscan_inside(name);
	err = step_to(s, scan_value(value, s, p));
	return err ? err : 1;
}

void jscan_unescape(struct buf *out, struct str text)
{
	while (text.len > 0) {
		const char *at = memchr(text.p, '\\', text.len);
		size_t plain = at != NULL ? (size_t)(at - text.p) : text.len;

		buf_add(out, text.p, plain);
		text = str_skip(text, plain);
		if (text.len > 0)
			text = str_skip(text, unescape_one(out, text));
	}
}

int jscan_check(struct str text, unsigned max_depth, unsigned max_tokens,
		const char **why)
{
	struct jscan_value v;
	struct jscan s;
	int err;

	jscan_init(&s, text, max_depth, max_tokens);
	err = jscan_value(&v, &s);
	if (err == 0 && !jscan_at_end(&s))
		err = step_to(&s, broken(&s, "text goes on after the value"));
	if (err)
		*why = s.why;
	return err;
}
