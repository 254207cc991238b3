#ifndef M2M_XML_DOC_H
#define M2M_XML_DOC_H

#include <stdint.h>

#include "m2m/codec.h"
#include "m2m/xml_scan.h"

/*
 * An index of the elements of one XML document, in the order of their start
 * tags. expat reads the document once and judges it: well formed, namespaces
 * declared, UTF-8, no DTD, within the limits. The index only says where each
 * element is; names and text are cut out of the document (xml_scan.h), which
 * must live as long.
 */
struct xml_node {
	uint64_t at : 26;	/* of the '<' in the document */
	uint64_t size : 24;	/* elements in it, itself too; 0: cut off */
	uint64_t ns : 5;	/* which namespace, below */
	uint64_t text : 1;	/* holds more than blanks beside elements */
	uint64_t group : 8;	/* a reader's; see xml_group.h */
};

#define XML_MAX_TEXT (1u << 26)	/* octets of a document */

/* Namespaces of a document: none, oneM2M's, others as they come. */
#define XML_NS_NONE 0
#define XML_NS_M2M  1
#define XML_MAX_NS  16

struct xml_ns {
	size_t uri, uri_len;		/* in names */
	size_t prefix, prefix_len;	/* likewise: what JSON calls it */
};

struct xml_doc {
	struct str text;
	struct xml_node *nodes;	/* owned; at most one per 4 octets of text */
	uint32_t count, cap;
	unsigned ns_count;	/* of the others */
	struct xml_ns ns[XML_MAX_NS];
	struct buf names;	/* owned */
};

/*
 * d is zeroed. ERR_PROTO, ERR_LIMIT with *why a static text, UV_ENOMEM: d then
 * holds what was read until there, with size 0 for what had not ended.
 */
MUST_CHECK int xml_doc_read(struct xml_doc *d, const struct codec_conf *conf,
			    struct str text, const char **why);
void xml_doc_deinit(struct xml_doc *d);

/* The start tag of element i; what JSON calls its namespace. */
void xml_doc_tag(struct xml_tag *out, const struct xml_doc *d, uint32_t i);
struct str xml_doc_prefix(const struct xml_doc *d, uint32_t i);

/* Its name without prefix, and whether it has one. */
struct str xml_doc_local(bool *prefixed, const struct xml_doc *d, uint32_t i);

/* Children of i: from i + 1, each is followed by its size, to the end. */
static inline uint32_t xml_doc_end(const struct xml_doc *d, uint32_t i)
{
	uint32_t size = d->nodes[i].size;

	return size > 0 ? i + size : d->count;
}

#endif
