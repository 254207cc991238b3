#include <stdarg.h>

#include "base/utf8.h"
#include "config_priv.h"

#define SHOWN_MAX   160		/* characters of a line that are shown */
#define SHOWN_AHEAD 60		/* of them before the place, in a long line */
#define GUESS_MAX   31		/* octets of a word worth a guess */

/* Octets of the character at the front of s; a bad octet is one character. */
static size_t character(struct str s)
{
	unsigned char lead = (unsigned char)s.p[0];
	size_t n = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	return n <= s.len && utf8_valid((struct str){ s.p, n }) ? n : 1;
}

/* Controls (C1, in two octets, too) and bad octets would act on, or hide in, a
 * terminal. */
static void print_character(FILE *to, const char *p, size_t n)
{
	unsigned char c = (unsigned char)p[0];

	if (c < 0x20 || c == 0x7f || (n == 1 && c >= 0x80) ||
	    (c == 0xc2 && (unsigned char)p[1] < 0xa0))
		fputc('?', to);
	else
		fwrite(p, 1, n, to);
}

void config_print_text(FILE *to, struct str text)
{
	for (size_t n; text.len > 0; text = str_skip(text, n)) {
		n = character(text);
		print_character(to, text.p, n);
	}
}

static size_t count_characters(struct str s)
{
	size_t count = 0;

	for (; s.len > 0; count++)
		s = str_skip(s, character(s));
	return count;
}

/* A tab stays one, so that the caret stands below what it points at. */
static void print_line(FILE *to, struct str line, size_t from, bool blank)
{
	for (size_t i = 0, n; line.len > 0; line = str_skip(line, n), i++) {
		n = character(line);
		if (i < from)
			continue;
		if (i - from == SHOWN_MAX)
			break;
		if (line.p[0] == '\t')
			fputc('\t', to);
		else if (blank)
			fputc(' ', to);
		else
			print_character(to, line.p, n);
	}
}

static void print_caret(FILE *to, const struct config_place *at, size_t column)
{
	size_t from = column > SHOWN_MAX ? column - SHOWN_AHEAD : 0;

	print_line(to, at->text, from, false);
	fputc('\n', to);
	print_line(to, (struct str){ at->text.p, at->at }, from, true);
	fputs("^\n", to);
}

void config_report(struct config_load *l, const struct config_place *at,
		   const char *fmt, ...)
{
	bool named = at != NULL && at->source != NULL;
	bool placed = named && at->line > 0;
	size_t column = 0;
	va_list args;

	l->errors++;
	config_print_text(l->diag, str_of(named ? at->source->name : l->name));
	if (placed) {
		column = count_characters(
			(struct str){ at->text.p, at->at });
		fprintf(l->diag, ":%u:%zu", at->line, column + 1);
	}
	fputs(": ", l->diag);
	va_start(args, fmt);
	vfprintf(l->diag, fmt, args);
	va_end(args);
	fputc('\n', l->diag);
	if (placed && !l->bare)
		print_caret(l->diag, at, column);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn a
 * into b (optimal string alignment). Neither is longer than GUESS_MAX. */
static size_t distance(struct str a, struct str b)
{
	size_t rows[3][GUESS_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b.len; j++)
		now[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *spare = before;

		before = last;
		last = now;
		now = spare;
		now[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t change = a.p[i - 1] != b.p[j - 1];

			now[j] = least(least(last[j], now[j - 1]) + 1,
				       last[j - 1] + change);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return now[b.len];
}

/* Near: at most one in three letters is wrong. */
void config_guess_try(struct config_guess *g, const char *candidate)
{
	struct str c = str_of(candidate);
	size_t d;

	if (g->word.len > GUESS_MAX || c.len > GUESS_MAX)
		return;
	d = distance(g->word, c);
	if (d * 3 > c.len || (g->best != NULL && d >= g->distance))
		return;
	g->best = candidate;
	g->distance = d;
}
