#include "store/store_json.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

/* ---- numbers ---- */

/* A double holds 15 digits for sure, near zero fewer, and never needs more
 * than 17. */
static size_t print_shortest(char out[STORE_REAL_TEXT], double real)
{
	bool tiny = real > -DBL_MIN && real < DBL_MIN;

	for (int digits = tiny ? 1 : 15;; digits++) {
		int n = snprintf(out, STORE_REAL_TEXT, "%.*g", digits, real);

		if (digits == 17 || strtod(out, NULL) == real)
			return (size_t)n;
	}
}

/* e+05 to e5, e-07 to e-7; exponent is what follows the e. */
static size_t shorten_exponent(char *exponent)
{
	const char *from = exponent;
	char *to = exponent;

	if (*from == '-')
		*to++ = *from;
	from++;
	while (*from == '0')
		from++;
	while (*from != '\0')
		*to++ = *from++;
	*to = '\0';
	return (size_t)(to - exponent);
}

size_t store_json_real(char out[STORE_REAL_TEXT], double real)
{
	size_t n = print_shortest(out, real);
	char *e = memchr(out, 'e', n);

	if (e != NULL)
		return (size_t)(e + 1 - out) + shorten_exponent(e + 1);
	if (memchr(out, '.', n) == NULL) {
		memcpy(out + n, ".0", 3);
		n += 2;
	}
	return n;
}

/* ---- writing ---- */

static void add_real(struct buf *out, double real)
{
	char text[STORE_REAL_TEXT];

	buf_add(out, text, store_json_real(text, real));
}

static void add_array(struct buf *out, const json_t *array)
{
	size_t i;
	json_t *item;

	buf_add_char(out, '[');
	json_array_foreach(array, i, item) {
		if (i > 0)
			buf_add_char(out, ',');
		store_json_add(out, item);
	}
	buf_add_char(out, ']');
}

static void add_object(struct buf *out, json_t *object)
{
	void *at = json_object_iter(object);

	buf_add_char(out, '{');
	for (bool first = true; at != NULL; first = false) {
		if (!first)
			buf_add_char(out, ',');
		buf_add_json(out, str_of(json_object_iter_key(at)));
		buf_add_char(out, ':');
		store_json_add(out, json_object_iter_value(at));
		at = json_object_iter_next(object, at);
	}
	buf_add_char(out, '}');
}

void store_json_add(struct buf *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		add_object(out, (json_t *)value);
		break;
	case JSON_ARRAY:
		add_array(out, value);
		break;
	case JSON_STRING:
		buf_add_json(out, (struct str){ json_string_value(value),
						json_string_length(value) });
		break;
	case JSON_INTEGER:
		buf_add_i64(out, json_integer_value(value));
		break;
	case JSON_REAL:
		add_real(out, json_real_value(value));
		break;
	case JSON_TRUE:
		buf_add_lit(out, "true");
		break;
	case JSON_FALSE:
		buf_add_lit(out, "false");
		break;
	case JSON_NULL:
		buf_add_lit(out, "null");
		break;
	}
}

/* ---- reading ---- */

int store_json_read(json_t **out, struct store_conn *c, const char *what,
		    struct str text)
{
	json_error_t why;

	*out = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &why);
	if (*out != NULL)
		return 0;
	switch (json_error_code(&why)) {
	case json_error_out_of_memory:
		return UV_ENOMEM;
	case json_error_numeric_overflow:
		return store_refuse(c, RSC_BAD_REQUEST,
				    "%s: a number does not fit into 64 bits",
				    what);
	default:
		return store_refuse(c, RSC_BAD_REQUEST, "%s: %s", what,
				    why.text);
	}
}
