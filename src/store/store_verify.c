#include <uv.h>

#include "store/store_events.h"
#include "store/store_rules.h"

/*
 * Verification of the targets of a subscription (TS-0004 7.4.8.2.1): everyone
 * but the subscriber is asked. What cannot be asked fails at once.
 */

/* Ids begin with a slash at most; what names a protocol is a URL. */
static bool is_url(const char *target)
{
	return strstr(target, "://") != NULL;
}

/* The serialisation hint is no part of the id (TS-0004 7.5.1.2.2). */
static struct str without_hint(struct str target)
{
	struct str id, hint;

	return str_cut(target, '?', &id, &hint) ? id : target;
}

/* Without our own CSE-ID before it. */
static struct str own_stem(const struct store_conn *c, struct str id)
{
	struct str csi = str_of(c->store->conf->cse_id);
	struct str rest = str_starts(id, csi) ? str_skip(id, csi.len) : id;

	return rest.len < id.len && str_starts(rest, STR("/")) ?
		       str_skip(rest, 1) : id;
}

enum target {
	TARGET_ASK,
	TARGET_TRUST,		/* the subscriber, or this CSE */
	TARGET_BAD,
};

static enum target judge_resource(const struct store_conn *c,
				  const struct store_target *t,
				  struct str originator)
{
	struct str fr = own_stem(c, originator);

	if (t->virt == VIRT_POLLING)
		return TARGET_ASK;
	if (t->virt != VIRT_NONE)
		return TARGET_BAD;
	switch (t->r.ty) {
	case 2:
		return str_eq(str_of(t->r.ri), fr) ? TARGET_TRUST :
						     TARGET_ASK;
	case 5:
		return TARGET_TRUST;
	case 16:
		return TARGET_ASK;
	default:
		return TARGET_BAD;
	}
}

static int judge(enum target *out, struct store_conn *c, const char *target,
		 struct str originator)
{
	struct store_target t = { 0 };
	struct str id = without_hint(str_of(target));
	int rc;

	*out = TARGET_ASK;
	/* another CSE's: whoever delivers finds it */
	if (is_url(target) ||
	    (str_starts(id, STR("/")) && own_stem(c, id).len == id.len))
		return 0;
	rc = store_resolve(&t, c, id);
	*out = rc == 0 ? judge_resource(c, &t, originator) : TARGET_BAD;
	store_target_deinit(&t);
	return rc < 0 ? rc : 0;
}

static int ask(struct store_events *out, struct store_conn *c,
	       const struct resource *sub, struct str target,
	       struct str originator)
{
	struct store_event event = {
		.target = target,
		.originator = str_of(c->store->conf->cse_id),
		.ask = STORE_ASK_SUBSCRIBE,
	};
	struct buf pc = { 0 };
	struct buf sur = { 0 };
	int rc = UV_ENOMEM;

	buf_add_str(&sur, event.originator);
	buf_add_char(&sur, '/');
	buf_add_str(&sur, str_of(sub->ri));
	buf_add_lit(&pc, "{\"m2m:sgn\":{\"vrq\":true,\"sur\":");
	buf_add_json(&pc, buf_str(&sur));
	buf_add_lit(&pc, ",\"cr\":");
	buf_add_json(&pc, originator);
	buf_add_lit(&pc, "}}");
	event.content = buf_str(&pc);
	if (!pc.failed && !sur.failed)
		rc = events_add(out, &event);
	buf_deinit(&sur);
	buf_deinit(&pc);
	return rc;
}

static bool holds(const json_t *list, const json_t *target)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
		if (json_equal(item, target))
			return true;
	return false;
}

static int verify(struct store_events *out, struct store_conn *c,
		  const struct resource *sub, const json_t *item,
		  struct str originator)
{
	struct str target = { json_string_value(item),
			      json_string_length(item) };
	enum target kind;
	int rc = judge(&kind, c, target.p, originator);

	if (rc != 0)
		return rc;
	if (kind == TARGET_BAD)
		return store_refuse(c, RSC_SUBSCRIPTION_VERIFICATION_FAILED,
				    "cannot notify %s", target.p);
	return kind == TARGET_ASK ? ask(out, c, sub, target, originator) : 0;
}

int notify_verify(struct store_events *out, struct store_conn *c,
		  const struct resource *sub, const json_t *old_nu,
		  const struct prim *request)
{
	struct str originator = prim_text(request, PARAM_FR);
	size_t i;
	json_t *item;
	int rc = 0;

	json_array_foreach(json_object_get(sub->attrs, "nu"), i, item) {
		if (holds(old_nu, item))
			continue;
		rc = verify(out, c, sub, item, originator);
		if (rc != 0)
			break;
	}
	return rc;
}
