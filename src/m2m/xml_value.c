#include "m2m/xml_value.h"

#include "m2m/xml_types.h"

static struct str skip_zeros(struct str s)
{
	while (s.len > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9')
		s = str_skip(s, 1);
	return s;
}

static struct str cut_digits(struct str *s)
{
	struct str all = *s;

	while (s->len > 0 && s->p[0] >= '0' && s->p[0] <= '9')
		*s = str_skip(*s, 1);
	return (struct str){ all.p, all.len - s->len };
}

static struct str trim(struct str s)
{
	while (s.len > 0 && xml_is_space(s.p[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && xml_is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* [eE][+-]?[0-9]+, all of s; true also for an empty one. */
static bool is_exponent(struct str s)
{
	if (s.len == 0)
		return true;
	if ((s.p[0] | 0x20) != 'e')
		return false;
	s = str_skip(s, 1);
	if (s.len > 0 && (s.p[0] == '+' || s.p[0] == '-'))
		s = str_skip(s, 1);
	return cut_digits(&s).len > 0 && s.len == 0;
}

/* xs:decimal and xs:double have signs, zeros and points that JSON has not. */
bool xml_add_number(struct buf *out, struct str text)
{
	struct str rest = trim(text), whole, fraction = STR("");
	bool negative = rest.len > 0 && rest.p[0] == '-';

	if (negative || (rest.len > 0 && rest.p[0] == '+'))
		rest = str_skip(rest, 1);
	whole = cut_digits(&rest);
	if (rest.len > 0 && rest.p[0] == '.') {
		rest = str_skip(rest, 1);
		fraction = cut_digits(&rest);
	}
	if (whole.len + fraction.len == 0 || !is_exponent(rest))
		return false;
	if (negative)
		buf_add_char(out, '-');
	buf_add_str(out, whole.len > 0 ? skip_zeros(whole) : STR("0"));
	if (fraction.len > 0)
		buf_add_char(out, '.');
	buf_add_str(out, fraction);
	buf_add_str(out, rest);
	return true;
}

const char *xml_bool(struct str text)
{
	struct str word = trim(text);

	if (str_eq(word, STR("true")) || str_eq(word, STR("1")))
		return "true";
	if (str_eq(word, STR("false")) || str_eq(word, STR("0")))
		return "false";
	return NULL;
}

bool xml_looks_typed(struct str s)
{
	struct str rest = s, digits;

	if (str_eq(s, STR("true")) || str_eq(s, STR("false")))
		return true;
	if (rest.len > 0 && rest.p[0] == '-')
		rest = str_skip(rest, 1);
	if (rest.len > 16)
		return false;
	digits = cut_digits(&rest);
	if (digits.len == 0 || skip_zeros(digits).len != digits.len)
		return false;
	if (rest.len == 0)
		return digits.len <= 15;
	if (rest.p[0] != '.')
		return false;
	rest = str_skip(rest, 1);
	return cut_digits(&rest).len > 0 && rest.len == 0;
}

bool xml_cut_word(struct str *word, struct str *rest)
{
	struct str s = *rest;
	size_t len = 0;

	while (s.len > 0 && xml_is_space(s.p[0]))
		s = str_skip(s, 1);
	while (len < s.len && !xml_is_space(s.p[len]))
		len++;
	*word = (struct str){ s.p, len };
	*rest = str_skip(s, len);
	return len > 0;
}

