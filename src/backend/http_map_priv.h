#ifndef BACKEND_HTTP_MAP_PRIV_H
#define BACKEND_HTTP_MAP_PRIV_H

#include "backend/http_map.h"
#include "m2m/json.h"

/*
 * What the four directions of http_map share: the tables of TS-0009 6.2 and
 * 6.4, the octets that each place in a message may hold, and steps through
 * JSON that a codec has validated before.
 */

/* How a parameter's value stands in its header. */
enum header_shape {
	HEADER_SCALAR,
	HEADER_JOINED,		/* list, members joined with + */
	HEADER_TARGETS,		/* rt: the members of nu joined with & */
	HEADER_TOKEN_IDS,	/* ati: lti:tkid pairs joined with + */
};

struct http_map_header {
	enum prim_param id;
	enum header_shape shape;
	struct str line;		/* name, colon, space */
	const char *why_type;		/* the refusal of a wrong type, */
	const char *why_octets;		/* of octets no header carries */
};

struct http_map_headers {
	const struct http_map_header *rows;	/* in the order of sending */
	size_t count;
};

extern const struct http_map_headers http_map_request_headers;
extern const struct http_map_headers http_map_response_headers;

/* The row for a received header, in any case; NULL: not a parameter. */
const struct http_map_header *http_map_find_header(
	const struct http_map_headers *headers, struct str name);

/* What a field of the query stands for. */
enum field_kind {
	FIELD_SCALAR,		/* parameter `id` */
	FIELD_LIST,		/* list parameter `id` */
	FIELD_RT,		/* rt.rtv */
	FIELD_ATRL,		/* content m2m:atrl */
	FIELD_CT,		/* serialisation hint of a target: no filter */

	FIELD_FC_STRING,	/* members of fc */
	FIELD_FC_NUMBER,
	FIELD_FC_STRINGS,
	FIELD_FC_NUMBERS,
	FIELD_FC_ATR,		/* any other name: a condition ... */
	FIELD_FC_CATR,		/* ... on a child, prefix c. */
	FIELD_FC_PATR,		/* ... on the parent, prefix p. */
};

struct http_map_field {
	struct str name;
	enum field_kind kind;
	enum prim_param id;	/* FIELD_SCALAR, FIELD_LIST */
};

#define HTTP_MAP_FIELDS 48

extern const struct http_map_field http_map_fields[HTTP_MAP_FIELDS];

/* Never NULL: any other name is a condition on an attribute. */
const struct http_map_field *http_map_find_field(struct str name);

/* Octets that stand in a path or a query value as they are. */
extern const bool http_map_path_keep[256];
extern const bool http_map_query_keep[256];

/* Visible ASCII and inner spaces: nothing that ends a header or that a
 * recipient would strip. Empty is fine. */
bool http_map_is_header_value(struct str s);

/* What a body is in, by its media type: application/json,
 * application/vnd.onem2m-*+json and the like, whose parameters are ignored; or,
 * where content_type.p == NULL, by its first octet. False: nothing that is
 * known here. */
bool http_map_find_format(enum prim_format *out, struct str content_type,
			  struct str body);

/* application/json and so on, for what we send. */
struct str http_map_media(enum prim_format format);

struct str http_map_trim_json(struct str body);

/* All of s is one JSON number. */
bool http_map_is_number(struct str s);

/* Sets a parameter from its text with the type that it has in JSON, or as a
 * string where the text does not allow that type. */
void http_map_set_text(struct prim *p, enum prim_param id, struct str text);

/* Steps through an array or object. */
struct json_walk {
	struct jscan scan;
	bool first;
	int err;		/* the steps ended too early */

	struct jscan_value name;	/* of the member stepped to */
	struct jscan_value value;
};

/* False: text is no array or object, as `bracket` says. */
bool json_walk_begin(struct json_walk *w, struct str text, char bracket);
bool json_walk_next(struct json_walk *w);

/* The inside of a string or name; in scratch if it has escapes. An
 * allocation failure leaves scratch failed. */
struct str json_text(struct buf *scratch, struct str inside, bool escaped);

/* A scalar's text, strings decoded. False: array, object or null. */
bool json_scalar(struct str *out, struct buf *scratch,
		 const struct jscan_value *v);

bool json_name_is(struct buf *scratch, const struct jscan_value *name,
		  struct str want);

/* The request writer's state. */
struct request_writer {
	struct buf *head;
	struct buf *made;
	const struct prim *p;
	const struct http_map_conf *conf;

	struct buf scratch;	/* strings with escapes */
	bool has_query;
	struct str attribute;	/* #attr of `to` */

	const char *why;	/* set: p has no HTTP form */
	int err;
};

/* False, so that a step can return it. The first reason stays. */
bool request_refuse(struct request_writer *w, int err, const char *why);

bool request_write_query(struct request_writer *w);

/* The request reader's state. */
struct request_reader {
	struct prim *out;
	const struct http_msg *msg;
	struct str base;
	struct str query;
	struct str rtv;		/* field rt, raw; p == NULL: absent */
	const struct str *targets;	/* X-M2M-RTU, or NULL */

	struct buf scratch;	/* text with percent signs */
	const char *why;
	int err;
};

bool request_fail(struct request_reader *r, int err, const char *why);

/* raw without its percent signs, in scratch if it had any. plus: + stands
 * for a space. */
bool request_decode(struct request_reader *r, struct str *out, struct str raw,
		    bool plus);

/* Appends a JSON value to the store: a number where numeric allows it. */
void request_add_json(struct request_reader *r, struct str text, bool numeric);

/* Appends the members of a list, without brackets; true: the list goes on. */
bool request_add_list(struct request_reader *r, struct str text, bool numeric,
		      bool more);

bool request_read_query(struct request_reader *r);

#endif
