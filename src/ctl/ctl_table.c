#include "ctl_table.h"

#include <stdlib.h>

#include "base/utf8.h"

#define GAP 2			/* between columns */

/* C0, DEL and the C1 controls, U+0080 to U+009F in two octets. */
void ctl_add_visible(struct buf *out, struct str text)
{
	bool is_utf8 = utf8_valid(text);

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < ' ' || c == 0x7f || (c >= 0x80 && !is_utf8)) {
			buf_add_char(out, '?');
		} else if (c == 0xc2 && (unsigned char)text.p[i + 1] < 0xa0) {
			buf_add_char(out, '?');
			i++;
		} else {
			buf_add_char(out, (char)c);
		}
	}
}

void ctl_add_duration(struct buf *out, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	unsigned shown = 0;

	if (seconds <= 0) {
		buf_add_lit(out, "0s");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(units) && shown < 2; i++) {
		int64_t n = seconds / units[i].seconds;

		seconds %= units[i].seconds;
		if (n == 0 && shown == 0)
			continue;
		shown++;
		if (n == 0)
			continue;
		buf_add_i64(out, n);
		buf_add_char(out, units[i].unit);
	}
}

static struct str text_of(const json_t *value)
{
	return (struct str){ json_string_value(value),
			     json_string_length(value) };
}

static void add_list(struct buf *out, const struct ctl_column *column,
		     const json_t *value, const json_t *row)
{
	json_int_t left = column->total == NULL ? 0 :
		json_integer_value(json_object_get(row, column->total)) -
			(json_int_t)json_array_size(value);
	size_t i;
	json_t *one;

	json_array_foreach(value, i, one) {
		if (i > 0)
			buf_add_char(out, ' ');
		ctl_add_visible(out, text_of(one));
	}
	if (left > 0) {
		buf_add_lit(out, " +");
		buf_add_i64(out, left);
	}
}

static void add_scalar(struct buf *out, const json_t *value)
{
	if (json_is_string(value))
		ctl_add_visible(out, text_of(value));
	else if (json_is_integer(value))
		buf_add_i64(out, json_integer_value(value));
	else if (json_is_boolean(value))
		buf_add_str(out, json_is_true(value) ? STR("yes") : STR("no"));
}

static void add_cell(struct buf *out, const struct ctl_column *column,
		     const json_t *row, int64_t now)
{
	const json_t *value = json_object_get(row, column->member);
	size_t from = out->len;

	if (json_is_array(value))
		add_list(out, column, value, row);
	else if (column->kind == CELL_AGE && json_integer_value(value) > 0)
		ctl_add_duration(out, now - json_integer_value(value));
	else if (column->kind != CELL_AGE)
		add_scalar(out, value);
	if (out->len == from)
		buf_add_char(out, '-');
}

/* Characters, each of which is taken to be as wide as any other. */
static size_t width_of(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return n;
}

static void pad(FILE *to, size_t n)
{
	fprintf(to, "%*s", (int)n, "");
}

/* What is last needs no blanks behind it. */
static void write_cell(FILE *to, struct str text, size_t width, bool right,
		       bool last)
{
	size_t room = width - width_of(text);

	if (right)
		pad(to, room);
	fwrite(text.p, 1, text.len, to);
	if (!right && !last)
		pad(to, room);
	if (!last)
		pad(to, GAP);
}

static void grow(size_t *width, struct str text)
{
	size_t n = width_of(text);

	if (n > *width)
		*width = n;
}

static void measure(size_t *widths, const struct ctl_column *columns,
		    size_t count, const json_t *rows, int64_t now)
{
	struct buf cell = { 0 };
	size_t i;
	json_t *row;

	for (size_t c = 0; c < count; c++)
		grow(&widths[c], str_of(columns[c].title));
	json_array_foreach(rows, i, row)
		for (size_t c = 0; c < count; c++) {
			buf_clear(&cell);
			add_cell(&cell, &columns[c], row, now);
			grow(&widths[c], buf_str(&cell));
		}
	buf_deinit(&cell);
}

static void write_row(FILE *to, const struct ctl_column *columns,
		      const size_t *widths, size_t count, const json_t *row,
		      int64_t now)
{
	struct buf cell = { 0 };

	for (size_t c = 0; c < count; c++) {
		buf_clear(&cell);
		if (row != NULL)
			add_cell(&cell, &columns[c], row, now);
		else
			buf_add_str(&cell, str_of(columns[c].title));
		write_cell(to, buf_str(&cell), widths[c],
			   columns[c].kind == CELL_NUMBER, c + 1 == count);
	}
	fputc('\n', to);
	buf_deinit(&cell);
}

void ctl_table_write(FILE *to, const struct ctl_column *columns, size_t count,
		     const json_t *rows, int64_t now)
{
	size_t *widths = calloc(count, sizeof(*widths));
	size_t i;
	json_t *row;

	if (widths == NULL)
		return;
	measure(widths, columns, count, rows, now);
	write_row(to, columns, widths, count, NULL, now);
	json_array_foreach(rows, i, row)
		write_row(to, columns, widths, count, row, now);
	free(widths);
}

void ctl_table_write_one(FILE *to, const struct ctl_column *columns,
			 size_t count, const json_t *row, int64_t now)
{
	struct buf cell = { 0 };
	size_t width = 0;

	for (size_t c = 0; c < count; c++)
		grow(&width, str_of(columns[c].title));
	for (size_t c = 0; c < count; c++) {
		if (json_object_get(row, columns[c].member) == NULL)
			continue;
		buf_clear(&cell);
		add_cell(&cell, &columns[c], row, now);
		write_cell(to, str_of(columns[c].title), width, false, false);
		write_cell(to, buf_str(&cell), 0, false, true);
		fputc('\n', to);
	}
	buf_deinit(&cell);
}

/* ---- order ---- */

struct sortable {
	json_t *row;			/* borrowed */
	const json_t *key;
};

static int compare(const void *a, const void *b)
{
	const struct sortable *x = a, *y = b;
	json_int_t m = json_integer_value(x->key);
	json_int_t n = json_integer_value(y->key);

	if (json_is_array(x->key) && json_is_array(y->key))
		return (int)json_array_size(y->key) -
		       (int)json_array_size(x->key);
	if (json_is_string(x->key) && json_is_string(y->key))
		return strcmp(json_string_value(x->key),
			      json_string_value(y->key));
	return m < n ? 1 : m > n ? -1 : 0;
}

void ctl_sort(json_t *rows, const char *member)
{
	size_t count = json_array_size(rows), i;
	struct sortable *list = calloc(count + 1, sizeof(*list));
	json_t *row;

	if (list == NULL)
		return;
	json_array_foreach(rows, i, row)
		list[i] = (struct sortable){ json_incref(row),
					     json_object_get(row, member) };
	qsort(list, count, sizeof(*list), compare);
	json_array_clear(rows);
	for (i = 0; i < count; i++)
		json_array_append_new(rows, list[i].row);
	free(list);
}
