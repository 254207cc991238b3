#ifndef STORE_RULES_H
#define STORE_RULES_H

#include "store/resource.h"
#include "store/store_types.h"

/* Between the files that make up rules_*(); others take resource.h. */

/* Status codes that only the rules give. */
enum {
	RSC_GROUP_MEMBER_TYPE_INCONSISTENT = 4110,
	RSC_BLOCKING_SUBSCRIPTION_ALREADY_EXISTS = 4124,
	RSC_SUBSCRIPTION_VERIFICATION_FAILED = 5204,
	RSC_MAX_NUMBER_OF_MEMBER_EXCEEDED = 6010,
};

/* Where a flexContainer keeps the name of its member in pc; no attribute can
 * have that name. */
#define MEMBER_KEY ":"

/* ---- store_values.c ---- */

/* 0, or 4000 or 5001 with c->why: value is not one of that attribute. */
MUST_CHECK int attr_check(struct store_conn *c, const struct attr_info *attr,
			  const json_t *value);

/* The bytes of a value: of a string its own, else of its JSON. */
int64_t value_size(const json_t *value);

/* An integer member, or otherwise. */
int64_t value_int(const json_t *object, const char *name, int64_t otherwise);

/* A custom attribute of a flexContainer; all others are in tables. */
bool attr_is_custom(const struct type_info *type, const char *name);
/* Their bytes: cs of a flexContainer. */
int64_t attr_custom_size(const struct type_info *type, const json_t *attrs);

/* 4000: one of acpi is no accessControlPolicy. */
MUST_CHECK int attr_check_acpi(struct store_conn *c, const json_t *acpi);

/* 4000: in the past. */
MUST_CHECK int attr_read_et(uint64_t *out, struct store_conn *c,
			    const json_t *value, uint64_t now_ms);
uint64_t attr_default_et(const struct store_conn *c, uint64_t now_ms);
/* Lowers et to limit; 0 is never. */
void attr_limit_et(uint64_t *et, uint64_t limit);

/* 4000 with "name: what" in c->why. */
int attr_refuse(struct store_conn *c, const char *name, const char *what);

/* ---- store_container.c ---- */

/* 5207: instance cannot fit into container, however much is removed. */
MUST_CHECK int container_check_fit(struct store_conn *c,
				   const struct resource *container,
				   const struct resource *instance);
/* Removes the oldest until container's limits hold; its count and octets
 * follow, in memory. */
MUST_CHECK int container_trim(struct resource *container, struct store_conn *c,
			      uint64_t now_ms);

/* ---- store_group.c ---- */

/* 6010: more of mid than mnm. */
MUST_CHECK int group_check_size(struct store_conn *c, const json_t *attrs);
/* Judges and normalises mid in attrs; sets mt, mtv and csy. 4103: of a member
 * that originator may not retrieve. */
MUST_CHECK int group_check(struct store_conn *c, json_t *attrs,
			   struct str originator);

/* ---- store_subscription.c ---- */

/* Judges nu, enc, nct and bn together and fills in their defaults. parent is
 * the row subscribed to; self that of the subscription, 0 before it has one. */
MUST_CHECK int subscription_check(struct store_conn *c, json_t *attrs,
				  int64_t parent, int64_t self);

#endif
