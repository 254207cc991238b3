#include <inttypes.h>
#include <stdio.h>
#include <uv.h>

#include "cbor_priv.h"
#include "decimal.h"
#include "m2m/codec.h"

int json_sink_init(struct json_sink *sink, struct buf *out, size_t n)
{
	size_t room = n > (SIZE_MAX - CBOR_SPARE) / CBOR_GROWTH ?
			      SIZE_MAX : CBOR_GROWTH * n + CBOR_SPARE;

	sink->out = out;
	sink->why = "out of memory";
	if (!buf_reserve_exact(out, room))
		return UV_ENOMEM;
	sink->limit = out->len + room;
	return 0;
}

static int need(struct json_sink *sink, size_t n)
{
	if (n <= sink->limit - sink->out->len)
		return 0;
	sink->why = "grows too much as JSON";
	return ERR_LIMIT;
}

static int add(struct json_sink *sink, const char *p, size_t n)
{
	int err = need(sink, n);

	if (!err)
		buf_add(sink->out, p, n);
	return err;
}

int json_sink_add_text(struct str *out, struct json_sink *sink,
		       const struct cscan_token *t)
{
	int err = t->pieces ? need(sink, t->text.len) : 0;

	if (!err)
		*out = cscan_text(t, sink->out);
	return err;
}

static size_t number_text(char out[DECIMAL_TEXT], const struct cscan_token *t)
{
	int n;

	if (t->type == CSCAN_FLOAT)
		return decimal_write_double(out, t->number);
	if (t->type == CSCAN_UINT)
		n = snprintf(out, DECIMAL_TEXT, "%" PRIu64, t->n);
	else
		n = snprintf(out, DECIMAL_TEXT, "-%" PRIu64, t->n + 1);
	return (size_t)n;
}

int json_sink_add_number(struct str *out, struct json_sink *sink,
			 const struct cscan_token *t)
{
	char text[DECIMAL_TEXT];
	size_t len = number_text(text, t);
	int err = add(sink, text, len);

	if (!err)
		*out = str_skip(buf_str(sink->out), sink->out->len - len);
	return err;
}

static int add_piece(struct json_sink *sink, struct str piece)
{
	size_t room = sink->limit - sink->out->len;
	int err = 0;

	if (piece.len > room / 6)	/* even if all were \u00XX */
		err = need(sink, str_json_len(piece));
	if (!err)
		buf_add_json_inside(sink->out, piece);
	return err;
}

static int add_string(struct json_sink *sink, const struct cscan_token *t)
{
	struct str rest = t->text, piece;
	int err = add(sink, "\"", 1);

	if (!t->pieces)
		err = err ? err : add_piece(sink, rest);
	while (!err && t->pieces && cscan_cut_piece(&rest, &piece))
		err = add_piece(sink, piece);
	return err ? err : add(sink, "\"", 1);
}

static int add_token(struct json_sink *sink, const struct cscan_token *t)
{
	struct str number;

	switch (t->type) {
	case CSCAN_UINT:
	case CSCAN_NINT:
	case CSCAN_FLOAT:
		return json_sink_add_number(&number, sink, t);
	case CSCAN_TEXT:
		return add_string(sink, t);
	case CSCAN_FALSE:
		return add(sink, "false", 5);
	case CSCAN_TRUE:
		return add(sink, "true", 4);
	case CSCAN_NULL:
		return add(sink, "null", 4);
	case CSCAN_ARRAY:
		return add(sink, "[", 1);
	case CSCAN_MAP:
		return add(sink, "{", 1);
	case CSCAN_END:
		break;
	}
	return add(sink, t->map ? "}" : "]", 1);
}

static int add_separator(struct json_sink *sink, const struct cscan_token *t)
{
	if (t->type == CSCAN_END)
		return 0;
	if (t->place == CSCAN_VALUE)
		return add(sink, ":", 1);
	return t->first ? 0 : add(sink, ",", 1);
}

int json_sink_add_item(struct json_sink *sink, struct cscan *s,
		       const struct cscan_token *first)
{
	bool open = first->type == CSCAN_ARRAY || first->type == CSCAN_MAP;
	unsigned depth = s->depth;
	struct cscan_token t;
	int err = add_token(sink, first);

	while (!err && open && s->depth >= depth) {
		err = cscan_next(&t, s);
		if (err)
			sink->why = s->why;
		else
			err = add_separator(sink, &t);
		if (!err)
			err = add_token(sink, &t);
	}
	return err;
}

/* The head of an endless string, and behind it one of its kind or a break. */
static bool has_pieces(struct str cbor, unsigned char head)
{
	struct str before, rest = cbor;

	while (str_cut(rest, (char)head, &before, &rest)) {
		unsigned char next = rest.len > 0 ?
					     (unsigned char)rest.p[0] : 0;

		if (next == 0xff || next >> 5 == head >> 5)
			return true;
	}
	return false;
}

bool cbor_may_have_pieces(struct str cbor)
{
	return has_pieces(cbor, 0x5f) || has_pieces(cbor, 0x7f);
}

static int fail_at_end(const struct cscan *s, const char **why)
{
	if (s->p == s->end)
		return 0;
	*why = "octets follow";
	return ERR_PROTO;
}

int cbor_check(const struct codec_conf *conf, struct str cbor,
	       const char **why)
{
	struct cscan_token first;
	struct cscan s;
	int err;

	cscan_init(&s, cbor, conf->max_depth, conf->max_tokens);
	err = cscan_next(&first, &s);
	if (!err)
		err = cscan_skip(&s, &first);
	if (err)
		*why = s.why;
	return err ? err : fail_at_end(&s, why);
}

int cbor_to_json(struct buf *out, const struct codec_conf *conf,
		 struct str cbor, const char **why)
{
	size_t from = out->len;
	struct cscan_token first;
	struct json_sink sink;
	struct cscan s;
	int err = json_sink_init(&sink, out, cbor.len);

	cscan_init(&s, cbor, conf->max_depth, conf->max_tokens);
	*why = sink.why;
	if (err)
		return err;
	err = cscan_next(&first, &s);
	*why = s.why;
	if (!err) {
		err = json_sink_add_item(&sink, &s, &first);
		*why = sink.why;
	}
	if (!err)
		err = fail_at_end(&s, why);
	if (err)
		out->len = from;
	return err;
}
