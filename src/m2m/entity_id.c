#include "m2m/entity_id.h"

#include "base/utf8.h"

/*
 * What a segment may hold: the octets that stand in the path of a URL as they
 * are (RFC 3986 pchar, which is more than TS-0004 allows: real CSEs are lax),
 * without * as it is the wildcard of access rules. The rest of UTF-8 passes.
 */
static const bool segment_octets[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true, ['!'] = true,
	['$'] = true, ['&'] = true, ['\''] = true, ['('] = true, [')'] = true,
	['+'] = true, [','] = true, [';'] = true, ['='] = true, [':'] = true,
	['@'] = true,
	[0x80 ... 0xff] = true,
};

/* U+0080 to U+009F, controls in two octets. */
static bool has_c1_control(struct str s)
{
	for (size_t i = 0; i + 1 < s.len; i++)
		if ((unsigned char)s.p[i] == 0xc2 &&
		    (unsigned char)s.p[i + 1] < 0xa0)
			return true;
	return false;
}

static bool is_segment(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!segment_octets[(unsigned char)s.p[i]])
			return false;
	return s.len > 0 && !str_eq(s, STR(".")) && !str_eq(s, STR(".."));
}

static bool is_path(struct str path)
{
	struct str segment, rest;

	while (str_cut(path, '/', &segment, &rest)) {
		if (!is_segment(segment))
			return false;
		path = rest;
	}
	return is_segment(segment);
}

/* A first segment that TS-0009 uses for the form of the id: as an id it could
 * only be confused with a path. */
static bool is_marker(struct str segment)
{
	return str_eq(segment, STR("~")) || str_eq(segment, STR("_"));
}

static bool is_fqdn(struct str s)
{
	char last = '.';

	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-' && (c != '.' || last == '.'))
			return false;
		last = c;
	}
	return last != '.';
}

static bool is_single(struct str path)
{
	return memchr(path.p, '/', path.len) == NULL;
}

/* A whole stem: C or S alone asks for one. */
static bool is_stem(struct str path, char first)
{
	return path.len > 1 && path.p[0] == first && is_single(path);
}

static bool is_any_stem(struct str path)
{
	return is_stem(path, 'C') || is_stem(path, 'S');
}

/* An S-type stem of our SP. The name of our CSE is none: both would be /Sx. */
static bool is_sp_stem(struct str path, const struct entity_home *home)
{
	return is_stem(path, 'S') && !str_eq(path, home->cse);
}

/* A path within our CSE. */
static void read_ours(struct entity_id *out, const struct entity_home *home)
{
	out->kind = ENTITY_AE;
	out->cse = home->cse;
	if (is_sp_stem(out->path, home))
		out->cse = (struct str){ NULL, 0 };
	else if (!is_stem(out->path, 'C'))
		out->kind = ENTITY_OTHER;
}

/* rest: what follows the slash. */
static void read_sp_relative(struct entity_id *out,
			     const struct entity_home *home, struct str rest)
{
	bool single = !str_cut(rest, '/', &out->cse, &out->path);
	bool ours = out->sp.len == 0 && home->cse.len > 0 &&
		    str_eq(out->cse, home->cse);
	enum entity_kind ae = out->sp.len == 0 ? ENTITY_AE : ENTITY_REMOTE_AE;

	out->kind = ENTITY_OTHER;
	if (single && !ours && is_stem(rest, 'S')) {
		out->kind = ae;
		out->cse = (struct str){ NULL, 0 };
		out->path = rest;
	} else if (single) {
		out->kind = ENTITY_CSE;
	} else if (ours) {
		read_ours(out, home);
	} else if (is_any_stem(out->path)) {
		out->kind = ENTITY_REMOTE_AE;
	}
}

/* The slash before the path; a C-type stem of a CSE that is not known, and a
 * resource of it, have none. */
static bool has_slash(const struct entity_id *id)
{
	return id->path.len > 0 &&
	       (id->sp.len > 0 || id->cse.len > 0 ||
		(id->kind == ENTITY_AE && id->path.p[0] == 'S'));
}

static size_t length(const struct entity_id *id)
{
	return (id->sp.len > 0 ? 2 + id->sp.len : 0) +
	       (id->cse.len > 0 ? 1 + id->cse.len : 0) +
	       (has_slash(id) ? 1 : 0) + id->path.len;
}

/* Cuts the SP off an absolute id; what is left follows a slash. */
static bool cut_sp(struct str *sp, struct str *rest)
{
	return str_cut(str_skip(*rest, 2), '/', sp, rest) && is_fqdn(*sp);
}

bool entity_id_read(struct entity_id *out, const struct entity_home *home,
		    struct str id)
{
	struct entity_id got = { .form = ENTITY_RELATIVE };
	struct str rest = id, first, more;

	if (id.len == 0 || id.len > ENTITY_ID_MAX || !utf8_valid(id) ||
	    has_c1_control(id))
		return false;
	if (str_starts(id, STR("//"))) {
		got.form = ENTITY_ABSOLUTE;
		if (!cut_sp(&got.sp, &rest))
			return false;
		if (str_eq(got.sp, home->sp))
			got.sp = (struct str){ NULL, 0 };
	} else if (id.p[0] == '/') {
		got.form = ENTITY_SP_RELATIVE;
		rest = str_skip(id, 1);
	}
	(void)str_cut(rest, '/', &first, &more);
	if (!is_path(rest) || is_marker(first))
		return false;
	got.path = rest;
	if (got.form == ENTITY_RELATIVE)
		read_ours(&got, home);
	else
		read_sp_relative(&got, home, rest);
	if (length(&got) > ENTITY_ID_MAX)
		return false;
	*out = got;
	return true;
}

bool entity_home_init(struct entity_home *out, struct str cse_id,
		      struct str sp)
{
	static const struct entity_home nowhere = { 0 };
	struct entity_home home = { 0 };
	struct str rest = cse_id;
	struct entity_id id;

	if (sp.len > 0 && !is_fqdn(sp))
		return false;
	if (cse_id.len > 0) {
		if (!entity_id_read(&id, &nowhere, cse_id) ||
		    id.form == ENTITY_RELATIVE)
			return false;
		if (id.form == ENTITY_ABSOLUTE)
			(void)cut_sp(&home.sp, &rest);
		else
			rest = str_skip(rest, 1);
		if (!is_single(rest))
			return false;
		home.cse = rest;
	}
	if (sp.len > 0)
		home.sp = sp;
	*out = home;
	return true;
}

struct str entity_id_stem(const struct entity_id *id)
{
	if (id->kind != ENTITY_AE && id->kind != ENTITY_REMOTE_AE)
		return (struct str){ NULL, 0 };
	return id->path;
}

void entity_id_write(struct buf *out, const struct entity_id *id)
{
	if (id->sp.len > 0) {
		buf_add_lit(out, "//");
		buf_add_str(out, id->sp);
	}
	if (id->cse.len > 0) {
		buf_add_char(out, '/');
		buf_add_str(out, id->cse);
	}
	if (has_slash(id))
		buf_add_char(out, '/');
	buf_add_str(out, id->path);
}

bool entity_id_canonicalise(struct buf *out, const struct entity_home *home,
			    struct str id)
{
	struct entity_id got;

	if (!entity_id_read(&got, home, id))
		return false;
	entity_id_write(out, &got);
	return true;
}

bool entity_id_is_under(struct str cse_id, struct str id)
{
	static const struct entity_home nowhere = { 0 };
	struct entity_id cse, got;

	if (!entity_id_read(&cse, &nowhere, cse_id) ||
	    !entity_id_read(&got, &nowhere, id))
		return false;
	/* one segment: by its path alone, /Sx looks like an AE */
	if (cse.form == ENTITY_RELATIVE ||
	    (cse.path.len > 0 && cse.cse.len > 0))
		return false;
	return str_starts(id, cse_id) &&
	       (id.len == cse_id.len || id.p[cse_id.len] == '/');
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

/* The octet of %XX at the front of s. */
static bool percent_octet(char *out, struct str s)
{
	unsigned high, low;

	if (s.len < 3 || !hex_digit(&high, s.p[1]) || !hex_digit(&low, s.p[2]))
		return false;
	*out = (char)(high << 4 | low);
	return true;
}

/* Appends path without its percent signs. */
static bool add_decoded(struct buf *out, struct str path)
{
	struct str plain, code;
	char c;

	while (str_cut(path, '%', &plain, &code)) {
		buf_add_str(out, plain);
		code = str_skip(path, plain.len);
		if (!percent_octet(&c, code) || c == '\0' || c == '/')
			return false;
		buf_add_char(out, c);
		path = str_skip(code, 3);
	}
	buf_add_str(out, plain);
	return true;
}

/* Octets of a path that say what form the id has and are not part of it. */
struct form_mark {
	struct str start;	/* how such a path begins */
	size_t at, len;		/* what goes */
};

static const struct form_mark form_marks[] = {
	{ STR_INIT("/_//"), 0, 2 },	/* tinyIoT writes it so */
	{ STR_INIT("/_/"), 1, 1 },
	{ STR_INIT("/~/"), 0, 2 },
	{ STR_INIT("/"), 0, 1 },
};

static void drop_form_mark(struct buf *out, size_t from)
{
	struct str path = str_skip(buf_str(out), from);

	for (size_t i = 0; i < ARRAY_LEN(form_marks); i++) {
		const struct form_mark *mark = &form_marks[i];
		size_t end = from + mark->at + mark->len;

		if (!str_starts(path, mark->start))
			continue;
		memmove(out->p + from + mark->at, out->p + end, out->len - end);
		out->len -= mark->len;
		return;
	}
}

bool entity_id_from_path(struct buf *out, struct str path)
{
	size_t from = out->len;

	while (path.len > 0 && path.p[path.len - 1] == '/')
		path.len--;
	/* an empty segment must not make an absolute id of /~//x */
	if (!add_decoded(out, path) ||
	    str_starts(str_skip(buf_str(out), from), STR("/~//"))) {
		out->len = from;
		return false;
	}
	drop_form_mark(out, from);
	return true;
}
