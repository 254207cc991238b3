#ifndef M2M_XML_OUT_H
#define M2M_XML_OUT_H

#include <stdbool.h>

#include "base/str.h"

/*
 * A buffer that grows up to a bound and not an octet further, whatever is put
 * there: names that repeat, characters that become five. Once it is full or
 * failed, additions are ignored; a writer looks once, at its end.
 */
struct xml_out {
	struct buf *buf;	/* borrowed */
	size_t bound;		/* of its length */
	bool full;
};

void xml_put(struct xml_out *o, struct str s);

static inline void xml_put_char(struct xml_out *o, char c)
{
	xml_put(o, (struct str){ &c, 1 });
}

/* A JSON string with its quotes. */
void xml_put_json(struct xml_out *o, struct str s);

/* An xs:decimal or xs:double as a JSON number; false: it is none. */
bool xml_put_number(struct xml_out *o, struct str text);

/* Text of an element or an attribute so that a reader finds it again; false:
 * it holds what XML cannot carry (control characters, U+FFFE, U+FFFF). */
MUST_CHECK bool xml_put_text(struct xml_out *o, struct str text);
MUST_CHECK bool xml_put_attr_text(struct xml_out *o, struct str text);

/* 0; ERR_LIMIT with *why, or UV_ENOMEM. */
MUST_CHECK int xml_out_fault(const struct xml_out *o, const char **why);

#endif
