#include "cscan.h"

#include <cbor.h>
#include <math.h>

#include "base/utf8.h"

/*
 * libcbor tells what one head says and whether its octets are there; it keeps
 * no state. Everything above a head is done here: nesting, counts, limits.
 */
enum item_kind {
	ITEM_UINT,
	ITEM_NINT,
	ITEM_FLOAT,
	ITEM_BYTES,
	ITEM_TEXT,
	ITEM_BYTES_START,
	ITEM_TEXT_START,
	ITEM_ARRAY,
	ITEM_MAP,
	ITEM_ARRAY_START,
	ITEM_MAP_START,
	ITEM_TAG,
	ITEM_FALSE,
	ITEM_TRUE,
	ITEM_NULL,
	ITEM_UNDEFINED,
	ITEM_BREAK,
};

struct item {
	enum item_kind kind;
	uint64_t n;		/* number, count or tag */
	double number;
	struct str text;
};

static void set_kind(struct item *i, enum item_kind kind)
{
	*i = (struct item){ .kind = kind };
}

static void on_uint(void *arg, uint64_t n)
{
	*(struct item *)arg = (struct item){ .kind = ITEM_UINT, .n = n };
}

static void on_uint8(void *arg, uint8_t n)
{
	on_uint(arg, n);
}

static void on_uint16(void *arg, uint16_t n)
{
	on_uint(arg, n);
}

static void on_uint32(void *arg, uint32_t n)
{
	on_uint(arg, n);
}

static void on_nint(void *arg, uint64_t n)
{
	*(struct item *)arg = (struct item){ .kind = ITEM_NINT, .n = n };
}

static void on_nint8(void *arg, uint8_t n)
{
	on_nint(arg, n);
}

static void on_nint16(void *arg, uint16_t n)
{
	on_nint(arg, n);
}

static void on_nint32(void *arg, uint32_t n)
{
	on_nint(arg, n);
}

static void on_double(void *arg, double x)
{
	*(struct item *)arg = (struct item){ .kind = ITEM_FLOAT, .number = x };
}

static void on_float(void *arg, float x)
{
	on_double(arg, x);
}

static void set_text(struct item *i, enum item_kind kind, cbor_data p,
		     size_t len)
{
	*i = (struct item){ .kind = kind, .text = { (const char *)p, len } };
}

static void on_bytes(void *arg, cbor_data p, size_t len)
{
	set_text(arg, ITEM_BYTES, p, len);
}

static void on_text(void *arg, cbor_data p, size_t len)
{
	set_text(arg, ITEM_TEXT, p, len);
}

static void on_bytes_start(void *arg)
{
	set_kind(arg, ITEM_BYTES_START);
}

static void on_text_start(void *arg)
{
	set_kind(arg, ITEM_TEXT_START);
}

static void on_array(void *arg, size_t n)
{
	*(struct item *)arg = (struct item){ .kind = ITEM_ARRAY, .n = n };
}

static void on_map(void *arg, size_t n)
{
	*(struct item *)arg = (struct item){ .kind = ITEM_MAP, .n = n };
}

static void on_array_start(void *arg)
{
	set_kind(arg, ITEM_ARRAY_START);
}

static void on_map_start(void *arg)
{
	set_kind(arg, ITEM_MAP_START);
}

static void on_tag(void *arg, uint64_t n)
{
	*(struct item *)arg = (struct item){ .kind = ITEM_TAG, .n = n };
}

static void on_bool(void *arg, bool is_true)
{
	set_kind(arg, is_true ? ITEM_TRUE : ITEM_FALSE);
}

static void on_null(void *arg)
{
	set_kind(arg, ITEM_NULL);
}

static void on_undefined(void *arg)
{
	set_kind(arg, ITEM_UNDEFINED);
}

static void on_break(void *arg)
{
	set_kind(arg, ITEM_BREAK);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint,
	.negint8 = on_nint8,
	.negint16 = on_nint16,
	.negint32 = on_nint32,
	.negint64 = on_nint,
	.byte_string_start = on_bytes_start,
	.byte_string = on_bytes,
	.string = on_text,
	.string_start = on_text_start,
	.indef_array_start = on_array_start,
	.array_start = on_array,
	.indef_map_start = on_map_start,
	.map_start = on_map,
	.tag = on_tag,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_undefined,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = on_break,
};

static int fail(struct cscan *s, int err, const char *why)
{
	s->err = err;
	s->why = why;
	return err;
}

static int broken(struct cscan *s, const char *why)
{
	return fail(s, ERR_PROTO, why);
}

static int read_item(struct item *out, struct cscan *s)
{
	struct cbor_decoder_result r =
		cbor_stream_decode((cbor_data)s->p, (size_t)(s->end - s->p),
				   &callbacks, out);

	if (r.status == CBOR_DECODER_NEDATA)
		return broken(s, "CBOR is cut off");
	if (r.status != CBOR_DECODER_FINISHED)
		return broken(s, "not valid CBOR");
	s->p += r.read;
	if (out->kind == ITEM_BREAK)
		return 0;
	if (s->tokens == 0)
		return fail(s, ERR_LIMIT, "too many values");
	s->tokens--;
	return 0;
}

/* Those that leave a value what it is in JSON: date and time, URI, base64
 * (of text), regular expression, MIME, "this is CBOR". */
static bool is_comment(uint64_t tag)
{
	return tag <= 1 || (tag >= 32 && tag <= 36) || tag == 55799;
}

static int check_tag(struct cscan *s, uint64_t tag)
{
	if (is_comment(tag))
		return 0;
	return broken(s, tag == 2 || tag == 3 ? "integer above 64 bits" :
						"unknown tag");
}

/* An item without the tags before it. */
static int read_untagged(struct item *out, struct cscan *s)
{
	bool tagged = false;
	int err;

	for (;; tagged = true) {
		err = read_item(out, s);
		if (!err && out->kind == ITEM_TAG)
			err = check_tag(s, out->n);
		else if (!err && out->kind == ITEM_BREAK && tagged)
			return broken(s, "tag without a value");
		else
			return err;
		if (err)
			return err;
	}
}

static int check_text(struct cscan *s, struct str text)
{
	return utf8_valid(text) ? 0 : broken(s, "text is not UTF-8");
}

/* An endless string: definite ones of its kind until a break. */
static int read_pieces(struct cscan_token *out, struct cscan *s,
		       enum item_kind kind)
{
	const char *from = s->p, *to;
	struct item piece;
	int err;

	for (;;) {
		to = s->p;
		err = read_item(&piece, s);
		if (err)
			return err;
		if (piece.kind == ITEM_BREAK)
			break;
		if (piece.kind != kind)
			return broken(s, "wrong piece of a string");
		err = check_text(s, piece.text);
		if (err)
			return err;
	}
	out->type = CSCAN_TEXT;
	out->text = str_range(from, to);
	out->pieces = true;
	return 0;
}

static int read_text(struct cscan_token *out, struct cscan *s,
		     struct str text)
{
	out->type = CSCAN_TEXT;
	out->text = text;
	out->pieces = false;
	return check_text(s, text);
}

static int open_level(struct cscan *s, uint64_t count, bool map, bool endless)
{
	size_t rest = (size_t)(s->end - s->p);

	if (s->depth == s->max_depth)
		return fail(s, ERR_LIMIT, "nested too deeply");
	/* an octet each at least; so 2 * count cannot overflow either */
	if (!endless && count > (map ? rest / 2 : rest))
		return broken(s, "CBOR is cut off");
	s->levels[s->depth++] = (struct cscan_level){
		.left = map ? 2 * count : count,
		.endless = endless,
		.map = map,
	};
	return 0;
}

static int read_number(struct cscan_token *out, struct cscan *s,
		       const struct item *item)
{
	out->n = item->n;
	out->number = item->number;
	switch (item->kind) {
	case ITEM_UINT:
		out->type = CSCAN_UINT;
		return 0;
	case ITEM_NINT:
		out->type = CSCAN_NINT;
		return item->n <= INT64_MAX ?
			       0 : broken(s, "integer above 64 bits");
	default:
		out->type = CSCAN_FLOAT;
		return isfinite(item->number) ?
			       0 : broken(s, "number is not finite");
	}
}

static int read_value(struct cscan_token *out, struct cscan *s,
		      const struct item *item)
{
	switch (item->kind) {
	case ITEM_UINT:
	case ITEM_NINT:
	case ITEM_FLOAT:
		return read_number(out, s, item);
	case ITEM_BYTES:
	case ITEM_TEXT:
		return read_text(out, s, item->text);
	case ITEM_BYTES_START:
		return read_pieces(out, s, ITEM_BYTES);
	case ITEM_TEXT_START:
		return read_pieces(out, s, ITEM_TEXT);
	case ITEM_ARRAY:
	case ITEM_ARRAY_START:
		out->type = CSCAN_ARRAY;
		return open_level(s, item->n, false,
				  item->kind == ITEM_ARRAY_START);
	case ITEM_MAP:
	case ITEM_MAP_START:
		out->type = CSCAN_MAP;
		return open_level(s, item->n, true,
				  item->kind == ITEM_MAP_START);
	case ITEM_FALSE:
		out->type = CSCAN_FALSE;
		return 0;
	case ITEM_TRUE:
		out->type = CSCAN_TRUE;
		return 0;
	case ITEM_NULL:
		out->type = CSCAN_NULL;
		return 0;
	case ITEM_TAG:
	case ITEM_UNDEFINED:
	case ITEM_BREAK:
		break;
	}
	return broken(s, "undefined or misplaced");
}

static struct cscan_level *top(struct cscan *s)
{
	return s->depth > 0 ? &s->levels[s->depth - 1] : NULL;
}

/* Where the next item of l stands; l goes on behind it. */
static void take_place(struct cscan_token *out, struct cscan_level *l)
{
	out->place = CSCAN_ELEMENT;
	out->first = true;
	if (l == NULL)
		return;
	out->first = !l->started;
	l->started = true;
	l->left--;
	if (!l->map)
		return;
	out->place = l->value ? CSCAN_VALUE : CSCAN_NAME;
	l->value = !l->value;
}

static int close_level(struct cscan_token *out, struct cscan *s)
{
	out->type = CSCAN_END;
	out->map = top(s)->map;
	s->depth--;
	return 0;
}

int cscan_next(struct cscan_token *out, struct cscan *s)
{
	struct cscan_level *l = top(s);
	struct item item = { 0 };
	int err;

	if (l != NULL && !l->endless && l->left == 0)
		return close_level(out, s);
	err = read_untagged(&item, s);
	if (err)
		return err;
	if (item.kind == ITEM_BREAK && l != NULL && l->endless && !l->value)
		return close_level(out, s);
	take_place(out, l);
	err = read_value(out, s, &item);
	if (!err && out->place == CSCAN_NAME && out->type != CSCAN_TEXT)
		err = broken(s, "a name is not text");
	return err;
}

int cscan_skip(struct cscan *s, const struct cscan_token *first)
{
	unsigned depth = s->depth;
	struct cscan_token t;
	int err = 0;

	if (first->type != CSCAN_ARRAY && first->type != CSCAN_MAP)
		return 0;
	while (!err && s->depth >= depth)
		err = cscan_next(&t, s);
	return err;
}

/* The head has been read once: it is whole. */
bool cscan_cut_piece(struct str *pieces, struct str *piece)
{
	unsigned more, head = 1;
	uint64_t len;

	if (pieces->len == 0)
		return false;
	len = (unsigned char)pieces->p[0] & 0x1f;
	if (len >= 24) {
		more = 1u << (len - 24);
		len = 0;
		for (; head <= more; head++)
			len = len << 8 | (unsigned char)pieces->p[head];
	}
	*piece = (struct str){ pieces->p + head, (size_t)len };
	*pieces = str_skip(*pieces, head + (size_t)len);
	return true;
}

struct str cscan_text(const struct cscan_token *t, struct buf *store)
{
	struct str rest = t->text, piece;
	size_t from = store->len;

	if (!t->pieces)
		return t->text;
	while (cscan_cut_piece(&rest, &piece))
		buf_add_str(store, piece);
	return str_skip(buf_str(store), from);
}

void cscan_init(struct cscan *s, struct str cbor, unsigned max_depth,
		unsigned max_tokens)
{
	s->p = cbor.p;
	s->end = cbor.len > 0 ? cbor.p + cbor.len : cbor.p;
	s->depth = 0;
	s->max_depth = max_depth < CSCAN_DEPTH_MAX ? max_depth :
						     CSCAN_DEPTH_MAX;
	s->tokens = max_tokens;
	s->err = 0;
	s->why = NULL;
}
