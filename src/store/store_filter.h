#ifndef STORE_STORE_FILTER_H
#define STORE_STORE_FILTER_H

#include "store/resource.h"

/*
 * Filter criteria (TS-0004 6.3.5.8, 7.3.3.17) in a form that is quick to
 * compare with many resources. The same condition several times means one of
 * them; different conditions are joined by fo.
 */
enum filter_usage {
	FILTER_DISCOVERY = 1,
	FILTER_CONDITIONAL = 2,
};

enum filter_join {
	JOIN_AND = 1,
	JOIN_OR = 2,
	JOIN_XOR = 3, /* true of an odd number of conditions */
};

struct filter_term;

/* How the value of a condition is written. */
enum filter_shape {
	SHAPE_TIME, /* number: ms since 1970 */
	SHAPE_NUMBER,
	SHAPE_NUMBERS, /* values */
	SHAPE_STRINGS, /* values */
	SHAPE_PAIRS,   /* {nm,val}: an attribute each */
	SHAPE_UNSUPPORTED,
};

typedef int filter_match_fn(bool *out, const struct filter_term *t,
			    struct store_conn *c, const struct resource *r);

struct filter_kind {
	const char *name;
	enum filter_shape shape;
	filter_match_fn *match;
	const char *sql; /* for a contentInstance; may be NULL */
};

bool filter_has_number(const json_t *values, int n);

/* NULL: none of that name. The others are of one attribute each. */
const struct filter_kind *filter_find_kind(const char *name);
extern const struct filter_kind filter_attribute;
extern const struct filter_kind filter_parent_attribute;
extern const struct filter_kind filter_child_attribute;

struct filter_term {
	const struct filter_kind *kind;
	uint64_t number;  /* a time, a size, a stateTag */
	json_t *values;	  /* owned array; one of them; else NULL */
	const char *name; /* of the attribute; points into root */
};

#define FILTER_TERMS 64
#define FILTER_NONE  UINT64_MAX /* lim, lvl: not given */

struct filter {
	json_t *root; /* owned */
	int usage;
	int join;
	uint64_t lim, lvl;
	uint64_t ofst; /* of the first result, from 1 */
	struct str arp; /* from each result to what is told instead; points
			 * into root; empty: none */
	struct filter_term terms[FILTER_TERMS];
	size_t count;
};

/* fc may be empty. 0, or 4000, 5001 with c->why; UV_ENOMEM. */
MUST_CHECK int filter_read(struct filter *f, struct store_conn *c,
			   struct str fc);
void filter_deinit(struct filter *f); /* fine on a zeroed one */

MUST_CHECK int filter_test(bool *out, const struct filter *f,
			   struct store_conn *c, const struct resource *r);

/* False: no resource of that type can pass. */
bool filter_wants_type(const struct filter *f, int ty);

/* The labels of which a resource must have one to pass; NULL: any or none. */
const json_t *filter_labels(const struct filter *f);

/* Whether filter_add_sql() appends anything. */
bool filter_has_sql(const struct filter *f);

/* Appends ` AND <column><op>?` for what SQLite can compare itself in a row of
 * a contentInstance, and binds the numbers in the same order from index at
 * on. The rows still have to pass filter_test(). */
void filter_add_sql(struct buf *sql, const struct filter *f);
MUST_CHECK int filter_bind_sql(sqlite3_stmt *stmt, const struct filter *f,
			       int at);

#endif
