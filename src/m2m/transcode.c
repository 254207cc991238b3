#include "m2m/transcode.h"

#include <uv.h>

#include "m2m/cbor.h"
#include "m2m/json.h"
#include "m2m/xml.h"

static const char not_known[] = "this serialization is not known here";

/* What is no row goes by JSON. */
static const struct {
	enum prim_format from, to;
	int (*make)(struct buf *out, const struct codec_conf *conf,
		    struct str content, const char **why);
} directions[] = {
	{ FORMAT_JSON, FORMAT_CBOR, json_to_cbor },
	{ FORMAT_CBOR, FORMAT_JSON, cbor_to_json },
	{ FORMAT_JSON, FORMAT_XML, json_to_xml },
};

static int make(struct buf *out, enum prim_format to, enum prim_format from,
		enum op op, struct str content,
		const struct codec_conf *conf, const char **why)
{
	if (from == FORMAT_XML && to == FORMAT_JSON)
		return xml_to_json(out, conf, op, content, why);
	for (size_t i = 0; i < ARRAY_LEN(directions); i++)
		if (directions[i].from == from && directions[i].to == to)
			return directions[i].make(out, conf, content, why);
	*why = not_known;
	return ERR_UNSUPPORTED;
}

static int make_by_json(struct buf *out, enum prim_format to,
			enum prim_format from, enum op op, struct str content,
			const struct codec_conf *conf, const char **why)
{
	struct buf json = { 0 };
	int err = make(&json, FORMAT_JSON, from, op, content, conf, why);

	if (!err)
		err = make(out, to, FORMAT_JSON, op, buf_str(&json), conf,
			   why);
	buf_deinit(&json);
	return err;
}

int transcode_content(struct buf *out, enum prim_format to,
		      enum prim_format from, enum op op, struct str content,
		      const struct codec_conf *conf, const char **why)
{
	if (from == to) {
		buf_add_str(out, content);
		*why = "out of memory";
		return out->failed ? UV_ENOMEM : 0;
	}
	if (from != FORMAT_JSON && to != FORMAT_JSON)
		return make_by_json(out, to, from, op, content, conf, why);
	return make(out, to, from, op, content, conf, why);
}

int transcode_prim(struct prim *p, enum prim_format to, struct buf *made,
		   const struct codec_conf *conf, const char **why)
{
	int err = 0;

	if (p->content_format == to)
		return 0;
	buf_clear(made);
	if (p->content.len > 0) {
		err = transcode_content(made, to, p->content_format,
					p->op, p->content, conf, why);
		if (err)
			return err;
		p->content = buf_str(made);
	}
	p->content_format = to;
	return 0;
}

int transcode_check(enum prim_format format, struct str content,
		    const struct codec_conf *conf, const char **why)
{
	switch (format) {
	case FORMAT_JSON:
		return jscan_check(content, conf->max_depth, conf->max_tokens,
				   why);
	case FORMAT_CBOR:
		return cbor_check(conf, content, why);
	case FORMAT_XML:
		return xml_check(conf, content, why);
	}
	*why = not_known;
	return ERR_UNSUPPORTED;
}
