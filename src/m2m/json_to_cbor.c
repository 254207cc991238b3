#include <float.h>
#include <math.h>
#include <uv.h>

#include "cbor_priv.h"
#include "decimal.h"
#include "m2m/codec.h"

/*
 * A container's head says how many members follow, which its end only tells.
 * One octet is kept for it; where the count needs more, what has been written
 * behind it moves, once for each container of 24 members and more.
 */
struct writer {
	struct buf *out;
	const char *p, *end;	/* of JSON that has been validated */
	const char *why;
	unsigned depth;
	struct {
		size_t head;
		uint64_t count;
		bool map;
	} levels[JSCAN_DEPTH_MAX];
};

#define HEAD_MAX 9

static size_t make_head(unsigned char head[HEAD_MAX], enum cbor_major major,
			uint64_t n)
{
	unsigned more = n < 24 ? 0 : n <= UINT8_MAX ? 1 : n <= UINT16_MAX ? 2 :
			n <= UINT32_MAX ? 4 : 8;
	unsigned info = more == 0 ? (unsigned)n :
				    24 + (unsigned)__builtin_ctz(more);

	head[0] = (unsigned char)((unsigned)major << 5 | info);
	for (unsigned i = 0; i < more; i++)
		head[1 + i] = (unsigned char)(n >> 8 * (more - 1 - i));
	return 1 + more;
}

void cbor_add_head(struct buf *out, enum cbor_major major, uint64_t n)
{
	unsigned char head[HEAD_MAX];

	buf_add(out, head, make_head(head, major, n));
}

void cbor_add_text(struct buf *out, struct str text)
{
	cbor_add_head(out, CBOR_TEXT, text.len);
	buf_add_str(out, text);
}

/* Of `had` octets at `at`. */
static void replace_head(struct buf *out, size_t at, size_t had,
			 enum cbor_major major, uint64_t n)
{
	unsigned char head[HEAD_MAX];
	size_t len = make_head(head, major, n);

	if (len > had && !buf_reserve(out, len - had))
		return;
	if (len != had)
		memmove(out->p + at + len, out->p + at + had,
			out->len - at - had);
	memcpy(out->p + at, head, len);
	out->len = out->len - had + len;
}

/* ---- numbers ---- */

static void add_octets(struct buf *out, unsigned char first, uint64_t bits,
		       unsigned count)
{
	unsigned char text[HEAD_MAX] = { first };

	for (unsigned i = 0; i < count; i++)
		text[1 + i] = (unsigned char)(bits >> 8 * (count - 1 - i));
	buf_add(out, text, 1 + count);
}

/* IEEE 754 binary16 of a binary32; false: it is not the same number. */
static bool half_of(uint16_t *out, uint32_t single)
{
	uint32_t sign = single >> 16 & 0x8000, fraction = single & 0x7fffff;
	int exponent = (int)(single >> 23 & 0xff) - 127;
	uint32_t all = fraction | 0x800000, drop;

	if ((single & 0x7fffffff) == 0) {
		*out = (uint16_t)sign;
		return true;
	}
	if (exponent < -24 || exponent > 15)
		return false;
	if (exponent >= -14) {
		*out = (uint16_t)(sign | (uint32_t)(exponent + 15) << 10 |
				  fraction >> 13);
		return (fraction & 0x1fff) == 0;
	}
	drop = (uint32_t)(-1 - exponent);	/* units of 2^-24 remain */
	*out = (uint16_t)(sign | all >> drop);
	return (all & ((1u << drop) - 1)) == 0;
}

static void add_double(struct buf *out, double x)
{
	bool small = fabs(x) <= (double)FLT_MAX && (double)(float)x == x;
	float single = small ? (float)x : 0;
	uint64_t wide;
	uint32_t bits;
	uint16_t half;

	memcpy(&wide, &x, sizeof(wide));
	memcpy(&bits, &single, sizeof(bits));
	if (small && half_of(&half, bits))
		add_octets(out, 0xf9, half, 2);
	else if (small)
		add_octets(out, 0xfa, bits, 4);
	else
		add_octets(out, 0xfb, wide, 8);
}

int cbor_add_number(struct buf *out, struct str text, const char **why)
{
	struct decimal d;
	uint64_t n;
	double x;

	*why = "a number that cannot be carried exactly";
	if (!decimal_read(&d, text))
		return ERR_PROTO;
	if (d.count > 0 || !d.negative) {	/* -0 is a float only */
		bool whole = decimal_to_u64(&n, &d);

		if (whole && !d.negative) {
			cbor_add_head(out, CBOR_UINT, n);
			return 0;
		}
		if (whole && n <= (uint64_t)INT64_MAX + 1) {
			cbor_add_head(out, CBOR_NINT, n - 1);
			return 0;
		}
	}
	if (!decimal_to_double(&x, &d))
		return ERR_PROTO;
	add_double(out, x);
	return 0;
}

/* ---- values ---- */

static void count_item(struct writer *w)
{
	if (w->depth > 0)
		w->levels[w->depth - 1].count++;
}

static void open_level(struct writer *w, bool map)
{
	count_item(w);
	w->levels[w->depth].head = w->out->len;
	w->levels[w->depth].count = 0;
	w->levels[w->depth].map = map;
	w->depth++;
	buf_add_char(w->out, 0);
}

static void close_level(struct writer *w)
{
	uint64_t count;
	bool map;

	w->depth--;
	map = w->levels[w->depth].map;
	count = w->levels[w->depth].count;
	if (w->out->failed)
		return;
	replace_head(w->out, w->levels[w->depth].head, 1,
		     map ? CBOR_MAP : CBOR_ARRAY, map ? count / 2 : count);
}

static const char *string_end(const char *p, bool *escaped)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\') {
			*escaped = true;
			p++;
		}
	}
	return p;
}

static void add_string(struct writer *w)
{
	size_t at = w->out->len, head;
	bool escaped = false;
	const char *to = string_end(w->p, &escaped);
	struct str inside = str_range(w->p + 1, to);

	count_item(w);
	w->p = to + 1;
	if (!escaped) {
		cbor_add_text(w->out, inside);
		return;
	}
	cbor_add_head(w->out, CBOR_TEXT, inside.len);
	head = w->out->len - at;
	jscan_unescape(w->out, inside);
	if (!w->out->failed)
		replace_head(w->out, at, head, CBOR_TEXT,
			     w->out->len - at - head);
}

static bool ends_number(char c)
{
	return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\t' ||
	       c == '\n' || c == '\r';
}

static int add_number(struct writer *w)
{
	const char *from = w->p;

	count_item(w);
	while (w->p < w->end && !ends_number(*w->p))
		w->p++;
	return cbor_add_number(w->out, str_range(from, w->p), &w->why);
}

static void add_word(struct writer *w, char cbor, size_t len)
{
	count_item(w);
	buf_add_char(w->out, cbor);
	w->p += len;
}

/* One step; names and values alike are items, the punctuation between them
 * has been checked. */
static int add_token(struct writer *w)
{
	switch (*w->p) {
	case '{':
	case '[':
		open_level(w, *w->p++ == '{');
		return 0;
	case '}':
	case ']':
		close_level(w);
		w->p++;
		return 0;
	case '"':
		add_string(w);
		return 0;
	case 'f':
		add_word(w, CBOR_FALSE, 5);
		return 0;
	case 't':
		add_word(w, CBOR_TRUE, 4);
		return 0;
	case 'n':
		add_word(w, CBOR_NULL, 4);
		return 0;
	case ',':
	case ':':
	case ' ':
	case '\t':
	case '\n':
	case '\r':
		w->p++;
		return 0;
	default:
		return add_number(w);
	}
}

/* An element of three characters and its comma, 9e9, can take nine octets;
 * nothing takes more for what it is. */
static size_t room_for(size_t json)
{
	return json > SIZE_MAX / 4 ? SIZE_MAX : json / 4 * 9 + 32;
}

int json_to_cbor(struct buf *out, const struct codec_conf *conf,
		 struct str json, const char **why)
{
	struct writer w = { .out = out, .p = json.p };
	size_t from = out->len;
	int err = jscan_check(json, conf->max_depth, conf->max_tokens, why);

	if (err)
		return err;
	w.end = json.p + json.len;
	if (!buf_reserve_exact(out, room_for(json.len))) {
		*why = "out of memory";
		return UV_ENOMEM;
	}
	while (!err && w.p < w.end)
		err = add_token(&w);
	if (!err && !out->failed)
		return 0;
	*why = err ? w.why : "out of memory";
	out->len = from;
	return err ? err : UV_ENOMEM;
}
