#include <uv.h>

#include "store/store_rules.h"

/* Member types that are no resource types (TS-0004 6.3.4.2.1). */
enum {
	MEMBER_MIXED = 0,
	MEMBER_OLDEST = 20001,
	MEMBER_LATEST = 20002,
};

enum consistency {
	ABANDON_MEMBER = 1,
	ABANDON_GROUP = 2,
	SET_MIXED = 3,
};

struct members {
	struct store_conn *c;
	struct str originator;	/* who must see them */
	int64_t type;		/* mt */
	int64_t consistency;	/* csy */
	bool verified;		/* mtv */
	json_t *seen;		/* owned; set of ids */
	json_t *list;		/* owned; what becomes mid */
};

/* Hosted by another CSE: taken as it is. */
static bool is_remote(const struct store_conn *c, struct str id)
{
	struct str own = str_of(c->store->conf->cse_id);

	return str_starts(id, STR("/")) &&
	       !(str_starts(id, own) &&
		 (id.len == own.len || id.p[own.len] == '/'));
}

static int64_t member_type(const struct store_target *t)
{
	switch (t->virt) {
	case VIRT_LATEST:
		return MEMBER_LATEST;
	case VIRT_OLDEST:
		return MEMBER_OLDEST;
	case VIRT_FANOUT:
		return value_int(t->r.attrs, "mt", MEMBER_MIXED);
	default:
		return t->r.ty;
	}
}

static const char *virtual_name(enum store_virtual virt)
{
	static const char *const names[] = {
		[VIRT_NONE] = "",
		[VIRT_LATEST] = "/la",
		[VIRT_OLDEST] = "/ol",
		[VIRT_FANOUT] = "/fopt",
		[VIRT_POLLING] = "/pcu",
	};

	return names[virt];
}

/* Once, however often and by whatever id it was named. */
static int add_member(struct members *m, const char *id)
{
	if (json_object_get(m->seen, id) != NULL)
		return 0;
	if (json_object_set_new(m->seen, id, json_true()) != 0 ||
	    json_array_append_new(m->list, json_string(id)) != 0)
		return UV_ENOMEM;
	return 0;
}

/* By its unstructured id, which no later change of names moves. */
static int add_local(struct members *m, const struct store_target *t)
{
	struct buf id = { 0 };
	int rc = UV_ENOMEM;

	buf_add_str(&id, str_of(t->r.ri));
	buf_add_str(&id, str_of(virtual_name(t->virt)));
	buf_add_char(&id, '\0');
	if (!id.failed)
		rc = add_member(m, id.p);
	buf_deinit(&id);
	return rc;
}

/* What does not fit mt goes by csy (TS-0004 7.4.13.2.1). */
static int judge_local(struct members *m, const struct store_target *t)
{
	int rc = access_check(m->c, &t->r, m->originator, ACCESS_RETRIEVE, 0);

	if (rc != 0)
		return rc;
	if (m->type == MEMBER_MIXED || member_type(t) == m->type)
		return add_local(m, t);
	if (m->consistency == ABANDON_MEMBER)
		return 0;
	if (m->consistency == ABANDON_GROUP)
		return store_refuse(m->c, RSC_GROUP_MEMBER_TYPE_INCONSISTENT,
				    "%s is not of type %lld", t->r.ri,
				    (long long)m->type);
	m->type = MEMBER_MIXED;
	return add_local(m, t);
}

static int judge_member(struct members *m, const json_t *item)
{
	struct str id = { json_string_value(item), json_string_length(item) };
	struct store_target t = { 0 };
	int rc = store_resolve(&t, m->c, id);

	if (rc == 0) {
		rc = judge_local(m, &t);
	} else if (rc > 0 && is_remote(m->c, id)) {
		m->verified = false;
		rc = add_member(m, id.p);
	}
	store_target_deinit(&t);
	return rc;
}

static int judge_members(struct members *m, const json_t *attrs)
{
	size_t i;
	json_t *item;
	int rc = 0;

	m->seen = json_object();
	m->list = json_array();
	if (m->seen == NULL || m->list == NULL)
		return UV_ENOMEM;
	json_array_foreach(json_object_get(attrs, "mid"), i, item) {
		rc = judge_member(m, item);
		if (rc != 0)
			break;
	}
	return rc;
}

static int store_members(json_t *attrs, const struct members *m)
{
	if (json_object_set(attrs, "mid", m->list) != 0 ||
	    json_object_set_new(attrs, "mt", json_integer(m->type)) != 0 ||
	    json_object_set_new(attrs, "mtv", json_boolean(m->verified)) != 0 ||
	    json_object_set_new(attrs, "csy",
				json_integer(m->consistency)) != 0 ||
	    json_object_set_new(attrs, "ssi", json_false()) != 0)
		return UV_ENOMEM;
	return 0;
}

int group_check(struct store_conn *c, json_t *attrs, struct str originator)
{
	struct members m = {
		.c = c,
		.originator = originator,
		.type = value_int(attrs, "mt", MEMBER_MIXED),
		.consistency = value_int(attrs, "csy", ABANDON_MEMBER),
		.verified = true,
	};
	int rc = judge_members(&m, attrs);

	if (rc == 0)
		rc = store_members(attrs, &m);
	json_decref(m.seen);
	json_decref(m.list);
	return rc;
}

int group_check_size(struct store_conn *c, const json_t *attrs)
{
	size_t members = json_array_size(json_object_get(attrs, "mid"));
	int64_t limit = value_int(attrs, "mnm", 0);

	if ((int64_t)members <= limit)
		return 0;
	return store_refuse(c, RSC_MAX_NUMBER_OF_MEMBER_EXCEEDED,
			    "%zu members, mnm is %lld", members,
			    (long long)limit);
}
