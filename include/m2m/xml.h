#ifndef M2M_XML_H
#define M2M_XML_H

#include "m2m/codec.h"

/*
 * Content (what pc, or the body of an HTTP message, holds) from XML to JSON
 * and back, by the types of TS-0004 (its 8.3, 8.4). Pure functions; they
 * append to out, and the JSON that they append is within the limits of conf
 * again. ERR_PROTO, ERR_LIMIT with *why (static), UV_ENOMEM: out is as it was.
 * The room that is taken is bounded, all in all: XML_GROWTH times the octets
 * that come in, and XML_SPARE; what would grow beyond that is ERR_LIMIT, and so
 * is XML of more than 64 MB or an element with more than 128 names in it that
 * its type does not know.
 *
 * Names: a member with prefix m2m is an element of oneM2M's namespace, one
 * without is unqualified, another prefix is a domain of TS-0023 or else bound
 * to http://www.onem2m.org/xml/protocols/PREFIX. Read are names by their URI,
 * whatever prefix or default namespace stands for it; a URI that is none of
 * these keeps the prefix its writer gave it. Names are ASCII.
 *
 * Values: text for strings, numbers as they are written (leading zeros and
 * plus signs, which JSON has not, go), true and false, also read as 1 and 0.
 * A number that is none, a boolean that is none become strings: the CSE
 * judges. A list of the standard is one element with blanks between, or
 * repeated elements; it is read in either form. A value of another JSON type
 * than the standard says is written as it looks and comes back with the
 * standard's type.
 *
 * What has no type there is looked up by its name alone. What is not known at
 * all is a string when it is text, an object when it has elements or XML
 * attributes (the text beside these is its `val`), an array when it is
 * repeated; in a flexContainer specialisation true, false and numbers of up to
 * 15 digits are taken for what they look like. Arrays of such members are
 * written as one element when no blank is in them and are then read as a
 * string, else as repeated elements. con is text whatever its JSON type is,
 * objects as JSON, and is always read as a string; elements within it stay as
 * they are written.
 *
 * Nothing: XML has an empty element for null, "" and [] alike. It is read as
 * null where it is an attribute of what an UPDATE carries, a number, a boolean
 * or cr; else as [] for a list, {} for an object, "" for text. An empty list
 * of repeated elements is not written at all.
 *
 * Refused with ERR_PROTO: control characters and other text that XML cannot
 * carry, blanks in or empty members of a list that is one element, null in a
 * list, arrays where the standard has a single value, one name twice, names
 * that the other side cannot have.
 */
#define XML_GROWTH 4
#define XML_SPARE  65536

/* op: of the request that carries it; OP_NONE: a response. */
MUST_CHECK int xml_to_json(struct buf *out, const struct codec_conf *conf,
			   enum op op, struct str xml, const char **why);

/* json is an object with one member; `{}` is nothing and appends nothing. */
MUST_CHECK int json_to_xml(struct buf *out, const struct codec_conf *conf,
			   struct str json, const char **why);

/* False: all text in it stands as it is, without references, comments or CDATA
 * sections, so that what it says is found where it stands. */
bool xml_may_have_pieces(struct str xml);

/* xml is one document, UTF-8, without DTD, within the limits. */
MUST_CHECK int xml_check(const struct codec_conf *conf, struct str xml,
			 const char **why);

#endif
