#include "m2m/xml_doc.h"

#include <assert.h>
#include <expat.h>
#include <limits.h>
#include <stdlib.h>
#include <uv.h>

#include "m2m/json.h"
#include "m2m/xml_types.h"

/* Between URI and name in what expat reports; in neither of them. */
#define SEPARATOR '\n'

/* expat copies what it is fed and keeps what is not a whole token. */
#define PIECE 8192

#define MAX_NODES ((1u << 24) - 1)

struct reading {
	struct xml_doc *d;
	XML_Parser parser;
	unsigned max_depth;	/* at most JSCAN_DEPTH_MAX */
	unsigned tokens;	/* still allowed */

	unsigned depth;
	uint32_t open[JSCAN_DEPTH_MAX];	/* elements that have not ended */
	int err;
	const char *why;
};

static void stop(struct reading *r, int err, const char *why)
{
	if (r->err == 0) {
		r->err = err;
		r->why = why;
	}
	XML_StopParser(r->parser, XML_FALSE);
}

static size_t keep(struct buf *names, struct str s)
{
	size_t at = names->len;

	buf_add_str(names, s);
	return at;
}

static struct str kept(const struct xml_doc *d, size_t at, size_t len)
{
	return (struct str){ d->names.p + at, len };
}

/* XML_NS_M2M + 1 and on; 0: refused. */
static unsigned add_ns(struct reading *r, struct str uri, struct str own)
{
	struct xml_doc *d = r->d;
	struct str prefix = xml_prefix_of_uri(uri, own);
	struct xml_ns *n = &d->ns[d->ns_count];

	if (d->ns_count == XML_MAX_NS) {
		stop(r, ERR_LIMIT, "too many namespaces");
		return 0;
	}
	if (!xml_is_name(prefix) || str_eq(prefix, STR("m2m"))) {
		stop(r, ERR_PROTO, "namespace that JSON has no prefix for");
		return 0;
	}
	for (unsigned i = 0; i < d->ns_count; i++) {
		if (str_eq(kept(d, d->ns[i].prefix, d->ns[i].prefix_len),
			   prefix)) {
			stop(r, ERR_PROTO, "one prefix for two namespaces");
			return 0;
		}
	}
	n->uri = keep(&d->names, uri);
	n->uri_len = uri.len;
	n->prefix = keep(&d->names, prefix);
	n->prefix_len = prefix.len;
	if (d->names.failed) {
		stop(r, UV_ENOMEM, "out of memory");
		return 0;
	}
	return XML_NS_M2M + ++d->ns_count;
}

static unsigned ns_of(struct reading *r, const char *name,
		      const struct xml_tag *tag)
{
	const struct xml_doc *d = r->d;
	const char *end = strchr(name, SEPARATOR);
	struct str uri;

	if (end == NULL)
		return XML_NS_NONE;
	uri = str_range(name, end);
	if (str_eq(uri, STR(XML_NS)))
		return XML_NS_M2M;
	for (unsigned i = 0; i < d->ns_count; i++)
		if (str_eq(kept(d, d->ns[i].uri, d->ns[i].uri_len), uri))
			return XML_NS_M2M + 1 + i;
	return add_ns(r, uri, tag->prefix);
}

/* Doubles, up to what the text can hold: the shortest start tag is <a>. */
static bool make_room(struct xml_doc *d)
{
	uint32_t most = (uint32_t)(d->text.len / 3 + 1);
	uint32_t cap = d->cap > 0 ? d->cap * 2 : 64;
	struct xml_node *nodes;

	if (d->count < d->cap)
		return true;
	if (cap > most)
		cap = most;
	nodes = realloc(d->nodes, cap * sizeof(*nodes));
	if (nodes == NULL)
		return false;
	d->nodes = nodes;
	d->cap = cap;
	return true;
}

static unsigned count_tokens(const char **attrs)
{
	unsigned n = 1;

	for (; *attrs != NULL; attrs += 2)
		n += 2;
	return n;
}

static void on_start(void *arg, const char *name, const char **attrs)
{
	struct reading *r = arg;
	struct xml_doc *d = r->d;
	uint32_t at = (uint32_t)XML_GetCurrentByteIndex(r->parser);
	unsigned tokens = count_tokens(attrs);
	struct xml_tag tag;

	if (r->err)
		return;
	if (r->depth == r->max_depth) {
		stop(r, ERR_LIMIT, "nested too deeply");
		return;
	}
	if (tokens > r->tokens || d->count == MAX_NODES) {
		stop(r, ERR_LIMIT, "too many values");
		return;
	}
	r->tokens -= tokens;
	if (!make_room(d)) {
		stop(r, UV_ENOMEM, "out of memory");
		return;
	}
	xml_cut_tag(&tag, d->text.p + at);
	if (!xml_is_name(tag.local)) {
		stop(r, ERR_PROTO, "element name that JSON has no use for");
		return;
	}
	r->open[r->depth++] = d->count;
	d->nodes[d->count++] = (struct xml_node){
		.at = at & (XML_MAX_TEXT - 1),
		.ns = ns_of(r, name, &tag) & 0x1f,
	};
}

static void on_end(void *arg, const char *name)
{
	struct reading *r = arg;
	struct xml_doc *d = r->d;
	uint32_t i;

	(void)name;
	if (r->err)
		return;
	i = r->open[--r->depth];
	d->nodes[i].size = (d->count - i) & MAX_NODES;
}

static void on_text(void *arg, const char *p, int len)
{
	struct reading *r = arg;

	if (r->err)
		return;
	for (int i = 0; i < len; i++) {
		if (xml_is_space(p[i]))
			continue;
		r->d->nodes[r->open[r->depth - 1]].text = 1;
		return;
	}
}

/* No DTD, no entities: neither files nor floods (TS-0004 has no use for
 * them). */
static void on_doctype(void *arg, const char *name, const char *sysid,
		       const char *pubid, int has_subset)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)has_subset;
	stop(arg, ERR_PROTO, "DOCTYPE");
}

/* TS-0004 8.3: XML 1.0, UTF-8. expat was told the encoding and does not look
 * at what is declared. */
static void on_declaration(void *arg, const char *version,
			   const char *encoding, int standalone)
{
	(void)standalone;
	if (version != NULL && strcmp(version, "1.0") != 0)
		stop(arg, ERR_PROTO, "not XML 1.0");
	else if (encoding != NULL &&
		 !str_ieq(str_of(encoding), STR("UTF-8")) &&
		 !str_ieq(str_of(encoding), STR("US-ASCII")))
		stop(arg, ERR_PROTO, "encoding is not UTF-8");
}

static void set_handlers(struct reading *r)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	XML_SetXmlDeclHandler(r->parser, on_declaration);
}

static void parse(struct reading *r, struct str text)
{
	enum XML_Status status;
	bool last;

	do {
		size_t n = text.len < PIECE ? text.len : PIECE;

		last = n == text.len;
		status = XML_Parse(r->parser, text.p, (int)n, last);
		text = str_skip(text, n);
	} while (status == XML_STATUS_OK && !last);
	if (status == XML_STATUS_OK || r->err)
		return;
	r->err = ERR_PROTO;
	r->why = XML_ErrorString(XML_GetErrorCode(r->parser));
	if (XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY)
		r->err = UV_ENOMEM;
}

int xml_doc_read(struct xml_doc *d, const struct codec_conf *conf,
		 struct str text, const char **why)
{
	struct reading r = {
		.d = d,
		.max_depth = conf->max_depth < JSCAN_DEPTH_MAX ?
				     conf->max_depth : JSCAN_DEPTH_MAX,
		.tokens = conf->max_tokens,
	};

	assert(d->nodes == NULL);
	*why = "out of memory";
	d->text = text;
	if (text.len > XML_MAX_TEXT) {
		*why = "too long";
		return ERR_LIMIT;
	}
	/* expat takes "<" with a NUL beside it for UTF-16, whatever it was
	 * told, and what is looked at afterwards is octets */
	if (memchr(text.p, '\0', text.len) != NULL) {
		*why = "a NUL";
		return ERR_PROTO;
	}
	r.parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
	if (r.parser == NULL)
		return UV_ENOMEM;
	set_handlers(&r);
	parse(&r, text);
	XML_ParserFree(r.parser);
	if (r.err)
		*why = r.why;
	return r.err;
}

void xml_doc_deinit(struct xml_doc *d)
{
	free(d->nodes);
	buf_deinit(&d->names);
	*d = (struct xml_doc){ .count = 0 };
}

void xml_doc_tag(struct xml_tag *out, const struct xml_doc *d, uint32_t i)
{
	assert(i < d->count);
	xml_cut_tag(out, d->text.p + d->nodes[i].at);
}

struct str xml_doc_local(bool *prefixed, const struct xml_doc *d, uint32_t i)
{
	struct str name = xml_cut_name(d->text.p + d->nodes[i].at), prefix;

	*prefixed = str_cut(name, ':', &prefix, &name);
	return *prefixed ? name : prefix;
}

struct str xml_doc_prefix(const struct xml_doc *d, uint32_t i)
{
	unsigned ns = d->nodes[i].ns;

	switch (ns) {
	case XML_NS_NONE:
		return STR("");
	case XML_NS_M2M:
		return STR("m2m");
	default:
		ns -= XML_NS_M2M + 1;
		return kept(d, d->ns[ns].prefix, d->ns[ns].prefix_len);
	}
}
