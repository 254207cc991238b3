#ifndef M2M_PRIM_H
#define M2M_PRIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/*
 * A request or response primitive (TS-0004 6.4) as a plain value, the same
 * whatever serialisation it came in.
 *
 * Scalars are text plus the type they arrived with, because HTTP carries text
 * only and the CSE, not the gateway, judges odd values. Lists and objects
 * (fc, rt, tkns, ...) are validated JSON. The content is validated, too, in
 * content_format: it passes as it came where both sides speak that; of a
 * RETRIEVE and a DELETE it is always JSON. Slices point into the received
 * message or into `store`; a prim is good while both live.
 */
enum op {
	OP_NONE = 0,
	OP_CREATE = 1,
	OP_RETRIEVE = 2,
	OP_UPDATE = 3,
	OP_DELETE = 4,
	OP_NOTIFY = 5,
};

/* Response status codes that the gateway itself gives or looks at (TS-0004
 * 6.6.3). The set is open: any integer passes. */
enum rsc {
	RSC_ACCEPTED = 1000,
	RSC_ACCEPTED_SYNCH = 1001,
	RSC_ACCEPTED_ASYNCH = 1002,
	RSC_OK = 2000,
	RSC_CREATED = 2001,
	RSC_DELETED = 2002,
	RSC_UPDATED = 2004,
	RSC_BAD_REQUEST = 4000,
	RSC_RELEASE_VERSION_NOT_SUPPORTED = 4001,
	RSC_NOT_FOUND = 4004,
	RSC_OPERATION_NOT_ALLOWED = 4005,
	RSC_REQUEST_TIMEOUT = 4008,
	RSC_UNSUPPORTED_MEDIA_TYPE = 4015,
	RSC_ORIGINATOR_HAS_NO_PRIVILEGE = 4103,
	RSC_CONFLICT = 4105,
	RSC_ORIGINATOR_NOT_AUTHENTICATED = 4106,
	RSC_INTERNAL_SERVER_ERROR = 5000,
	RSC_NOT_IMPLEMENTED = 5001,
	RSC_TARGET_NOT_REACHABLE = 5103,
	RSC_RECEIVER_HAS_NO_PRIVILEGE = 5105,
	RSC_NOT_ACCEPTABLE = 5207,
};

enum prim_param {
	/* both kinds */
	PARAM_RQI, PARAM_TO, PARAM_FR, PARAM_OT, PARAM_RSET, PARAM_EC,
	PARAM_RVI, PARAM_VSI,
	/* requests */
	PARAM_OP, PARAM_TY, PARAM_RIDS, PARAM_RQET, PARAM_OET, PARAM_RT,
	PARAM_RP, PARAM_RCN, PARAM_DA, PARAM_GID, PARAM_FC, PARAM_DRT,
	PARAM_TKNS, PARAM_TIDS, PARAM_LTIDS, PARAM_TQI, PARAM_GRTM, PARAM_ASI,
	PARAM_AUS, PARAM_AURI, PARAM_SQI,
	/* responses */
	PARAM_RSC, PARAM_CNST, PARAM_CNOT, PARAM_ATI, PARAM_TQF, PARAM_ASRI,
	PARAM_COUNT,
};

/* What TS-0004 8.2.2 and 8.4.2 say about the JSON type of a parameter. */
enum prim_type {
	TYPE_STRING,
	TYPE_NUMBER,
	TYPE_BOOL,
	TYPE_STRINGS,	/* array of strings */
	TYPE_OBJECT,
	TYPE_TIME,	/* string; a number (relative) is tolerated */
};

struct prim_param_info {
	struct str name;	/* short name on the wire */
	enum prim_type type;
	bool request;
	bool response;
};

extern const struct prim_param_info prim_params[PARAM_COUNT];

/* The parameter of that short name; PARAM_COUNT when there is none. */
enum prim_param prim_find_param(struct str name);

/* How a value stood on the wire. */
enum value_type {
	VALUE_STRING,		/* text: decoded, without quotes */
	VALUE_NUMBER,		/* text: the digits as they were written */
	VALUE_BOOL,		/* text: true or false */
	VALUE_JSON,		/* text: a JSON array or object */
};

struct value {
	enum value_type type;
	struct str text;
};

enum prim_kind {
	PRIM_REQUEST,
	PRIM_RESPONSE,
};

enum prim_format {
	FORMAT_JSON,
	FORMAT_XML,
	FORMAT_CBOR,
};

/* A member that this release does not know. */
struct prim_extra {
	struct str name;	/* decoded */
	struct str json;
};

#define PRIM_MAX_EXTRAS 16

struct prim {
	enum prim_kind kind;
	enum op op;			/* requests, else OP_NONE */
	int rsc;			/* responses, else 0 */

	uint64_t present;		/* a bit per enum prim_param */
	struct value param[PARAM_COUNT];	/* where present */
	struct str content;		/* pc; p == NULL: absent */
	enum prim_format content_format;	/* of its octets */

	unsigned extra_count;
	struct prim_extra extra[PRIM_MAX_EXTRAS];

	struct buf store;		/* owned: text that had to be made */
};

/* A zeroed prim is an empty one. */
void prim_deinit(struct prim *p);

/* Empty again; keeps the memory of the store. */
void prim_reset(struct prim *p, enum prim_kind kind);

static inline bool prim_has(const struct prim *p, enum prim_param id)
{
	return (p->present >> id & 1) != 0;
}

/* The text of a scalar; empty when absent. */
static inline struct str prim_text(const struct prim *p, enum prim_param id)
{
	return prim_has(p, id) ? p->param[id].text : (struct str){ NULL, 0 };
}

void prim_set(struct prim *p, enum prim_param id, enum value_type type,
	      struct str text);
void prim_set_str(struct prim *p, enum prim_param id, struct str text);

/* to becomes a copy of from that lives on its own: all text is in its store.
 * UV_ENOMEM. */
MUST_CHECK int prim_copy(struct prim *to, const struct prim *from);

/* Makes out an answer that no CSE gave: rsc, the request's rqi and, unless it
 * is empty, rvi, and why (may be NULL) as m2m:dbg (TS-0004 7.2.1.2). */
void prim_refuse(struct prim *out, struct str rqi, struct str rvi, int rsc,
		 const char *why);

/* The whole number a scalar holds, written as number or as digit string; false
 * when absent or something else. */
MUST_CHECK bool prim_int(int64_t *out, const struct prim *p,
			 enum prim_param id);

/*
 * What a gateway judges in a request (TS-0004 7.3.2.1 as far as it does not
 * need the resource tree): op, to, rqi, fr, ty and pc are there where they
 * must be and rqet has not passed. now_ms is UTC in ms since 1970.
 * 0, or the rsc to answer with *why set.
 */
MUST_CHECK int prim_check_request(const char **why, const struct prim *p,
				  uint64_t now_ms);

/*
 * rqet (TS-0004 6.3.3, TS-0001 8.1.2) as ms from now: a timestamp
 * `YYYYMMDDThhmmss[,fff]` in UTC, relative milliseconds, or a duration such
 * as PT2S. 0 when it has passed, and at most what lies between 1970 and the
 * year 10000, so that adding the present to it never wraps. False when absent
 * or not understood: the CSE judges that.
 */
MUST_CHECK bool prim_time_left(uint64_t *left_ms, const struct prim *p,
			       enum prim_param id, uint64_t now_ms);

/* m2m:timestamp `YYYYMMDDThhmmss[,f]` (TS-0004 6.3.3) as ms since 1970; false
 * when it is none. */
MUST_CHECK bool prim_read_time(uint64_t *out, struct str s);

#define PRIM_TIME_TEXT 20	/* octets of a timestamp with its NUL */

/* YYYYMMDDThhmmss,fff in UTC; the year 9999 ends it. */
void prim_write_time(char out[PRIM_TIME_TEXT], uint64_t ms);

/* xs:duration `PnYnMnDTnHnMnS`, without a sign, in ms; a month has 30 days, a
 * year 365. False when it is none. */
MUST_CHECK bool prim_read_duration(uint64_t *out, struct str s);

/* rt.rtv (TS-0004 6.3.4.2.6), 3 (blocking) where absent or odd. */
int prim_response_type(const struct prim *p);

/* CREATE, RETRIEVE, ...; "?" for anything else. For logs. */
const char *op_name(enum op op);

#endif
