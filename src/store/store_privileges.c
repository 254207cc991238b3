#include <uv.h>

#include "base/glob.h"
#include "store/store_privileges.h"

enum { TY_ACP = 1, TY_GRP = 9 };

#define LIST_MAX 100	/* policies in one acpi, groups in one acor */

void who_init(struct who *w, const struct store_conn *c,
	      struct str originator)
{
	struct str csi = str_of(c->store->conf->cse_id);
	size_t len;

	memset(w, 0, sizeof(*w));
	w->given = originator;
	if (originator.len == 0)
		return;
	if (originator.p[0] != '/')
		w->stem = originator;
	else if (str_starts(originator, csi) && originator.len > csi.len &&
		 originator.p[csi.len] == '/')
		w->stem = str_skip(originator, csi.len + 1);
	else
		return;
	len = csi.len + 1 + w->stem.len;
	if (len > sizeof(w->space))
		return;
	memcpy(w->space, csi.p, csi.len);
	w->space[csi.len] = '/';
	memcpy(w->space + csi.len + 1, w->stem.p, w->stem.len);
	w->full = (struct str){ w->space, len };
}

bool who_is(const struct who *w, struct str id)
{
	return id.len > 0 && (str_eq(w->given, id) || str_eq(w->stem, id) ||
			      str_eq(w->full, id));
}

static bool who_matches(const struct who *w, struct str pattern)
{
	return w->given.len > 0 && pattern.len > 0 &&
	       (glob_matches(pattern, w->given) ||
		(w->stem.len > 0 && glob_matches(pattern, w->stem)) ||
		(w->full.len > 0 && glob_matches(pattern, w->full)));
}

static struct str text_of(const json_t *string)
{
	return (struct str){ json_string_value(string),
			     json_string_length(string) };
}

static struct str attribute(const struct resource *r, const char *name)
{
	return text_of(json_object_get(r->attrs, name));
}

static bool has_integer(const json_t *list_or_one, json_int_t n)
{
	size_t i;
	json_t *one;

	if (json_is_integer(list_or_one))
		return json_integer_value(list_or_one) == n;
	json_array_foreach(list_or_one, i, one) {
		if (json_is_integer(one) && json_integer_value(one) == n)
			return true;
	}
	return false;
}

/* ---- one rule ---- */

/* accessControlObjectDetails: what kind of target and of child. */
static bool detail_matches(const json_t *acod, const struct question *q)
{
	json_t *ty = json_object_get(acod, "ty");
	json_t *chty = json_object_get(acod, "chty");
	struct str cnd =
		text_of(json_object_get(json_object_get(acod, "spty"), "cnd"));

	if (ty != NULL && !has_integer(ty, q->subject->ty))
		return false;
	if (cnd.len > 0 && !str_eq(cnd, attribute(q->subject, "cnd")))
		return false;
	return chty == NULL || q->op != ACCESS_CREATE ||
	       has_integer(chty, q->child_ty);
}

static bool details_match(const json_t *acod, const struct question *q)
{
	size_t i;
	json_t *one;

	if (acod == NULL)
		return true;
	if (json_is_object(acod))
		return detail_matches(acod, q);
	json_array_foreach(acod, i, one) {
		if (detail_matches(one, q))
			return true;
	}
	return false;
}

/* A member is the id of an AE or CSE resource, in any form. */
static int group_has(bool *out, struct store_conn *c, struct str id,
		     const struct who *who)
{
	struct store_target t = { 0 };
	size_t i;
	json_t *one;
	int rc = store_resolve(&t, c, id);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (t.virt == VIRT_NONE && t.r.ty == TY_GRP) {
		json_array_foreach(json_object_get(t.r.attrs, "mid"), i, one)
			*out = *out || who_is(who, text_of(one));
	}
	store_target_deinit(&t);
	return 0;
}

static int originators_match(bool *out, struct store_conn *c,
			     const json_t *acor, const struct who *who)
{
	size_t i;
	json_t *one;
	int rc = 0;

	json_array_foreach(acor, i, one) {
		struct str s = text_of(one);

		if (str_eq(s, STR("all")) || who_matches(who, s)) {
			*out = true;
			return 0;
		}
	}
	json_array_foreach(acor, i, one) {
		struct str s = text_of(one);

		if (i < LIST_MAX && s.len > 0 && rc == 0 && !*out &&
		    memchr(s.p, '*', s.len) == NULL)
			rc = group_has(out, c, s, who);
	}
	return rc;
}

int privileges_grant(bool *out, struct store_conn *c,
		     const json_t *privileges, const struct question *q)
{
	size_t i;
	json_t *rule;
	int rc = 0;

	json_array_foreach(json_object_get(privileges, "acr"), i, rule) {
		json_int_t acop =
			json_integer_value(json_object_get(rule, "acop"));

		if ((acop & (json_int_t)q->op) == 0 ||
		    json_object_get(rule, "acco") != NULL ||
		    json_is_true(json_object_get(rule, "acaf")) ||
		    !details_match(json_object_get(rule, "acod"), q))
			continue;
		rc = originators_match(out, c, json_object_get(rule, "acor"),
				       &q->who);
		if (rc != 0 || *out)
			break;
	}
	return rc;
}

/* Policies that are gone or elsewhere grant nothing. */
int policies_grant(bool *out, struct store_conn *c, const json_t *ids,
		   const char *which, const struct question *q)
{
	size_t i;
	json_t *id;
	int rc = 0;

	json_array_foreach(ids, i, id) {
		struct store_target t = { 0 };

		if (i == LIST_MAX || rc != 0 || *out)
			break;
		rc = store_resolve(&t, c, text_of(id));
		if (rc > 0) {
			rc = 0;
			continue;
		}
		if (rc < 0)
			break;
		if (t.virt == VIRT_NONE && t.r.ty == TY_ACP)
			rc = privileges_grant(
				out, c, json_object_get(t.r.attrs, which), q);
		store_target_deinit(&t);
	}
	return rc;
}
