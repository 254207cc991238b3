#ifndef M2M_CBOR_PRIV_H
#define M2M_CBOR_PRIV_H

#include "cscan.h"
#include "m2m/cbor.h"

/* Between cbor_to_json(), json_to_cbor() and codec_cbor. */

/* Where JSON is made. It has its room from the start, and never moves. */
struct json_sink {
	struct buf *out;
	size_t limit;		/* of out->len */
	const char *why;	/* of the failure */
};

/* UV_ENOMEM. n: octets of what comes in. */
MUST_CHECK int json_sink_init(struct json_sink *sink, struct buf *out,
			      size_t n);

/* The item whose first token has been read. ERR_LIMIT; or as cscan_next(). */
MUST_CHECK int json_sink_add_item(struct json_sink *sink, struct cscan *s,
				  const struct cscan_token *first);

/* Text as it is, of CSCAN_TEXT; and the digits of a number. */
MUST_CHECK int json_sink_add_text(struct str *out, struct json_sink *sink,
				  const struct cscan_token *t);
MUST_CHECK int json_sink_add_number(struct str *out, struct json_sink *sink,
				    const struct cscan_token *t);

enum cbor_major {
	CBOR_UINT = 0,
	CBOR_NINT = 1,
	CBOR_TEXT = 3,
	CBOR_ARRAY = 4,
	CBOR_MAP = 5,
};

#define CBOR_FALSE '\xf4'
#define CBOR_TRUE  '\xf5'
#define CBOR_NULL  '\xf6'

void cbor_add_head(struct buf *out, enum cbor_major major, uint64_t n);
void cbor_add_text(struct buf *out, struct str text);

/* text is a valid JSON number. ERR_PROTO: it would not come back equal. */
MUST_CHECK int cbor_add_number(struct buf *out, struct str text,
			       const char **why);

#endif
