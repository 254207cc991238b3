#include "m2m/notification.h"

#include "m2m/json.h"

#define NET_BLOCKING_UPDATE 7

/* Every step looks into a value that has been validated with its message. */
#define DEPTH  JSCAN_DEPTH_MAX
#define TOKENS UINT32_MAX

struct member {
	struct jscan scan;
	bool first;
	struct jscan_value name, value;
};

static bool enter(struct member *m, struct str text, enum jscan_type type)
{
	jscan_init(&m->scan, text, DEPTH, TOKENS);
	m->first = true;
	return jscan_enter(&m->scan, type) == 0;
}

static bool next(struct member *m)
{
	bool more = jscan_next(&m->name, &m->value, &m->scan, m->first) == 1;

	m->first = false;
	return more;
}

/* Names of the standard need no escapes; who writes them so is not read. */
static bool is(const struct member *m, const char *name)
{
	return str_eq(m->name.raw, str_of(name));
}

/* 7; or 7.0, as tinyIoT writes its numbers. */
static bool is_blocking(struct str net)
{
	struct str whole, fraction;
	uint64_t n;

	(void)str_cut(net, '.', &whole, &fraction);
	while (str_starts(fraction, STR("0")))
		fraction = str_skip(fraction, 1);
	return fraction.len == 0 && str_to_u64(&n, whole) &&
	       n == NET_BLOCKING_UPDATE;
}

static void read_event(struct notification *out, struct str nev)
{
	struct member m;

	if (!enter(&m, nev, JSCAN_OBJECT))
		return;
	while (next(&m))
		if (is(&m, "net") && m.value.type == JSCAN_NUMBER &&
		    is_blocking(m.value.raw))
			out->kind = NOTIFICATION_BLOCKING;
}

static struct str string_of(struct buf *text, const struct jscan_value *v)
{
	if (!v->escaped)
		return jscan_inside(v);
	buf_clear(text);
	jscan_unescape(text, jscan_inside(v));
	return text->failed ? (struct str){ NULL, 0 } : buf_str(text);
}

static void read_sgn(struct notification *out, struct buf *text,
		     struct str sgn)
{
	bool verify = false;
	struct member m;

	if (!enter(&m, sgn, JSCAN_OBJECT))
		return;
	while (next(&m)) {
		if (is(&m, "vrq"))
			verify |= m.value.type == JSCAN_TRUE;
		else if (is(&m, "sur") && m.value.type == JSCAN_STRING)
			out->sur = string_of(text, &m.value);
		else if (is(&m, "nev") && m.value.type == JSCAN_OBJECT)
			read_event(out, m.value.raw);
	}
	if (verify)
		out->kind = NOTIFICATION_VERIFY;
}

void notification_read(struct notification *out, struct buf *text,
		       struct str content)
{
	struct member m;

	*out = (struct notification){ .kind = NOTIFICATION_NONE };
	if (!enter(&m, content, JSCAN_OBJECT) || !next(&m))
		return;
	if (is(&m, "m2m:sgn") && m.value.type == JSCAN_OBJECT) {
		out->kind = NOTIFICATION_EVENT;
		read_sgn(out, text, m.value.raw);
	} else if (is(&m, "m2m:agn")) {
		out->kind = NOTIFICATION_EVENT;
	} else if (is(&m, "m2m:rsp")) {
		out->kind = NOTIFICATION_RESULT;
	}
}
