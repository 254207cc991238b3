/* Which serialisation a body is in, and which one is wanted. */
#include "backend/http_map_priv.h"

static const struct media {
	struct str name;	/* of any content */
	struct str suffix;	/* of application/vnd.onem2m-res+json, ... */
} media[] = {
	[FORMAT_JSON] = { STR_INIT("application/json"), STR_INIT("+json") },
	[FORMAT_XML] = { STR_INIT("application/xml"), STR_INIT("+xml") },
	[FORMAT_CBOR] = { STR_INIT("application/cbor"), STR_INIT("+cbor") },
};

struct str http_map_media(enum prim_format format)
{
	return media[format].name;
}

static bool is_media(const struct media *m, struct str type)
{
	if (str_ieq(type, m->name))
		return true;
	return type.len > m->suffix.len &&
	       memchr(type.p, '/', type.len) != NULL &&
	       str_ieq(str_skip(type, type.len - m->suffix.len), m->suffix);
}

/* The media type without parameters. */
static bool find_media(enum prim_format *out, struct str type)
{
	for (size_t i = 0; i < ARRAY_LEN(media); i++) {
		if (!is_media(&media[i], type))
			continue;
		*out = (enum prim_format)i;
		return codec_of(*out) != NULL;
	}
	return false;
}

/* A map, or the tag that says "this is CBOR": no text begins so. */
static bool looks_cbor(struct str body)
{
	unsigned char first = (unsigned char)body.p[0];

	return first >> 5 == 5 || str_starts(body, STR("\xd9\xd9\xf7"));
}

static bool guess(enum prim_format *out, struct str body)
{
	struct str text = http_map_trim_json(body);

	if (text.len == 0)
		return false;
	if (text.p[0] == '{' || text.p[0] == '[')
		*out = FORMAT_JSON;
	else if (text.p[0] == '<')
		*out = FORMAT_XML;
	else if (looks_cbor(body))
		*out = FORMAT_CBOR;
	else
		return false;
	return codec_of(*out) != NULL;
}

bool http_map_find_format(enum prim_format *out, struct str content_type,
			  struct str body)
{
	struct str type, params;

	if (content_type.p == NULL)
		return guess(out, body);
	(void)str_cut(content_type, ';', &type, &params);
	return find_media(out, str_trim(type));
}

/* ---- Accept (RFC 9110 12.5.1) ---- */

/* 0 to 1000 of a qvalue; what is none counts as 1. */
static unsigned weight_of(struct str params)
{
	struct str one, name, value;
	unsigned weight = 0;

	while (params.len > 0) {
		(void)str_cut(params, ';', &one, &params);
		(void)str_cut(one, '=', &name, &value);
		value = str_trim(value);
		if (!str_ieq(str_trim(name), STR("q")) || value.len == 0)
			continue;
		if (value.p[0] != '0')
			return 1000;
		for (size_t i = 2; i < 5; i++)
			weight = weight * 10 +
				 (i < value.len && value.p[i] >= '0' &&
						  value.p[i] <= '9' ?
					  (unsigned)(value.p[i] - '0') : 0);
		return weight;
	}
	return 1000;
}

struct choice {
	enum prim_format format, other;
	unsigned weight;	/* 0: none yet */
};

static void consider(struct choice *c, struct str range)
{
	struct str type, params;
	enum prim_format format;
	unsigned weight;

	(void)str_cut(range, ';', &type, &params);
	type = str_trim(type);
	if (str_eq(type, STR("*/*")) || str_ieq(type, STR("application/*")))
		format = c->other;
	else if (!find_media(&format, type))
		return;
	weight = weight_of(params);
	if (weight > c->weight) {
		c->weight = weight;
		c->format = format;
	}
}

enum prim_format http_map_pick_format(const struct http_msg *request,
				      enum prim_format other)
{
	struct str type = http_msg_header(request, STR("Content-Type"));
	struct choice c = { .other = other };
	struct str rest, one;

	if (request->body.len > 0)
		(void)http_map_find_format(&c.other, type, request->body);
	for (size_t i = 0; i < request->header_count; i++) {
		if (!str_ieq(request->headers[i].name, STR("Accept")))
			continue;
		rest = request->headers[i].value;
		while (rest.len > 0) {
			(void)str_cut(rest, ',', &one, &rest);
			consider(&c, one);
		}
	}
	return c.weight > 0 ? c.format : c.other;
}
