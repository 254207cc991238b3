#ifndef STORE_TYPES_H
#define STORE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* The attributes of the resource types (TS-0004 6.3.6, 7.4, 8.2) as const
 * tables: what a CREATE and an UPDATE may hold, and of which JSON type. */
enum attr_kind {
	ATTR_STRING,
	ATTR_INT,		/* from min to max; max 0: no bound above */
	ATTR_BOOL,
	ATTR_TIME,		/* m2m:timestamp */
	ATTR_DURATION,		/* xs:duration above 0 */
	ATTR_STRINGS,
	ATTR_INTS,		/* each from min to max */
	ATTR_LABELS,		/* tokens without blanks */
	ATTR_OBJECT,		/* of `members` where given */
	ATTR_OBJECTS,		/* list of them */
	ATTR_ANY,
	ATTR_UNSERVED,		/* of the standard, not done here: 5001 */
};

enum attr_presence {
	ATTR_NP,		/* not permitted */
	ATTR_O,			/* optional; null removes it in an UPDATE */
	ATTR_M,			/* CREATE: mandatory; UPDATE: never null */
};

struct attr_info {
	const char *name;	/* NULL ends a table */
	enum attr_kind kind;
	enum attr_presence create;	/* of nested members: always */
	enum attr_presence update;
	int64_t min, max;
	const struct attr_info *members;
};

/* Which common attributes (Table 6.3.6-1) a type has beside those of all. */
enum type_common {
	TYPE_ACPI = 1,		/* acpi, daci */
	TYPE_CREATOR = 2,	/* cr */
	TYPE_STATE = 4,		/* st */
	TYPE_ANNOUNCE = 8,	/* at, aa */
};

struct type_info {
	int ty;
	const char *name;	/* "m2m:cnt" */
	unsigned common;
	bool fixed;		/* no request creates or changes it */
	bool constant;		/* no UPDATE */
	bool open;		/* custom attributes, own member name */
	const struct attr_info *attributes;
};

/* NULL: not served here. */
const struct type_info *type_find(int ty);
const struct type_info *type_find_name(const char *name);

/* The standard knows it, served or not (TS-0004 6.3.4.2.1). */
bool type_is_assigned(int ty);

/* NULL: the type has no such attribute. */
const struct attr_info *type_attribute(const struct type_info *type,
				       const char *name);
/* Some type has it; custom ones do not count. */
bool type_any_has(const char *name);
const struct attr_info *attr_find(const struct attr_info *table,
				  const char *name);

#endif
