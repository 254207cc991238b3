#include <stdlib.h>
#include <uv.h>

#include "store/store_op.h"
#include "store/store_rules.h"

/*
 * nonBlockingRequestSynch (TS-0004 7.3.2.3, 7.4.12): the request is carried
 * out at once; its answer waits in a <request> for the originator to fetch it.
 */

#define LIFETIME_MS UINT64_C(300000)	/* without rp and rset */

enum request_status {
	STATUS_COMPLETED = 1,
	STATUS_FAILED = 2,
};

/* ---- how long it is kept ---- */

static int refuse_time(struct store_conn *c, const struct prim *request,
		       enum prim_param id, uint64_t now_ms, int rsc)
{
	uint64_t left;

	if (!prim_has(request, id) ||
	    (prim_time_left(&left, request, id, now_ms) && left > 0))
		return 0;
	return store_refuse(c, rsc, "%s has passed, or is no time",
			    prim_params[id].name.p);
}

int request_check(struct store_conn *c, const struct prim *request,
		  uint64_t now_ms)
{
	int rc = refuse_time(c, request, PARAM_RSET, now_ms,
			     RSC_REQUEST_TIMEOUT);

	return rc != 0 ? rc : refuse_time(c, request, PARAM_RP, now_ms,
					  RSC_BAD_REQUEST);
}

static uint64_t expiration(const struct store_conn *c,
			   const struct prim *request, uint64_t now_ms)
{
	uint64_t last = attr_default_et(c, now_ms), left;

	if (!prim_time_left(&left, request, PARAM_RP, now_ms) &&
	    !prim_time_left(&left, request, PARAM_RSET, now_ms))
		left = LIFETIME_MS;
	if (left > INT64_MAX - now_ms)
		left = INT64_MAX - now_ms;
	return last > 0 && now_ms + left > last ? last : now_ms + left;
}

/* ---- what it holds ---- */

static json_t *text(struct str s)
{
	return json_stringn(s.len > 0 ? s.p : "", s.len);
}

static json_t *parse(struct str s)
{
	return json_loadb(s.p, s.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

/* Of its type by TS-0004 8.2.2, however it came: HTTP knows only text. */
static json_t *parameter(const struct prim *request, enum prim_param id)
{
	const struct value *v = &request->param[id];
	int64_t n;

	switch (prim_params[id].type) {
	case TYPE_NUMBER:
		if (prim_int(&n, request, id))
			return json_integer(n);
		break;
	case TYPE_BOOL:
		if (str_eq(v->text, STR("true")) || str_eq(v->text, STR("1")))
			return json_true();
		if (str_eq(v->text, STR("false")) || str_eq(v->text, STR("0")))
			return json_false();
		break;
	case TYPE_STRING:
		return text(v->text);
	case TYPE_STRINGS:
	case TYPE_OBJECT:
	case TYPE_TIME:
		break;
	}
	return v->type == VALUE_STRING ? text(v->text) : parse(v->text);
}

/* metaInformation: all parameters that have no attribute of their own. */
static json_t *meta_information(const struct prim *request)
{
	const uint64_t own = UINT64_C(1) << PARAM_OP |
			     UINT64_C(1) << PARAM_TO |
			     UINT64_C(1) << PARAM_FR |
			     UINT64_C(1) << PARAM_RQI;
	json_t *mi = json_object();

	for (int i = 0; i < PARAM_COUNT; i++) {
		enum prim_param id = (enum prim_param)i;

		if (!prim_has(request, id) || (own >> i & 1) != 0)
			continue;
		if (json_object_set_new(mi, prim_params[id].name.p,
					parameter(request, id)) != 0) {
			json_decref(mi);
			return NULL;
		}
	}
	return mi;
}

/* ors is taken over. */
static json_t *attributes(const struct prim *request, int rsc, json_t *ors)
{
	enum request_status status = rsc < RSC_BAD_REQUEST ? STATUS_COMPLETED :
							     STATUS_FAILED;
	struct str content = request->content;

	return json_pack("{s:i,s:o,s:o,s:o,s:o,s:o*,s:i,s:o}",
			 "op", (int)request->op,
			 "tg", text(prim_text(request, PARAM_TO)),
			 "org", text(prim_text(request, PARAM_FR)),
			 "rid", text(prim_text(request, PARAM_RQI)),
			 "mi", meta_information(request),
			 "pc", content.len > 0 ? parse(content) : NULL,
			 "rs", (int)status, "ors", ors);
}

/* ---- the resource ---- */

static int insert(struct store_conn *c, struct store_events *events,
		  struct resource *r, const struct prim *request)
{
	struct resource base = { 0 };
	int rc = tree_insert(r, c);

	if (rc == 0)
		rc = tree_load(&base, c, 1);
	if (rc == 0)
		rc = notify_change(events, c, &base, r, CHANGE_CREATE_CHILD,
				   NULL, request);
	resource_deinit(&base);
	return rc;
}

static int tell_address(json_t **pc, struct store_conn *c,
			const struct resource *r)
{
	char *path;
	int rc = tree_path(&path, c, r);

	if (rc != 0)
		return rc;
	*pc = json_pack("{s:s}", "m2m:uri", path);
	free(path);
	return *pc != NULL ? 0 : UV_ENOMEM;
}

int request_keep(json_t **pc, struct store_conn *c,
		 struct store_events *events, const struct prim *request,
		 int rsc, json_t *result, uint64_t now_ms)
{
	struct resource r = {
		.ty = TYPE_REQ,
		.parent = 1,
		.ct = now_ms,
		.lt = now_ms,
		.et = expiration(c, request, now_ms),
		.attrs = attributes(request, rsc,
				    answer_wrap(c, request, rsc, result)),
	};
	int rc = r.attrs != NULL ? insert(c, events, &r, request) : UV_ENOMEM;

	if (rc == 0)
		rc = tell_address(pc, c, &r);
	resource_deinit(&r);
	if (rc != 0)
		return rc < 0 ? rc : UV_EIO;
	return RSC_ACCEPTED_SYNCH;
}
