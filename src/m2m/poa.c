#include "m2m/poa_priv.h"

/* What a registration holds of what matters here. */
struct attrs {
	struct jscan_value poa, rr;
	unsigned poa_count, rr_count;
	const char *end;		/* of the last member */
};

enum plan {
	KEEP,
	REPLACE_ENTRIES,		/* of the client's list */
	REPLACE_VALUE,			/* all of it */
	ADD_MEMBER,
};

static void read_attrs(struct attrs *out, struct buf *scratch,
		       struct str resource)
{
	struct poa_walk w;

	*out = (struct attrs){ 0 };
	poa_walk_begin(&w, resource, JSCAN_OBJECT);
	while (poa_walk_next(&w)) {
		if (poa_name_is(scratch, &w, STR("poa"))) {
			out->poa = w.value;
			out->poa_count++;
		} else if (poa_name_is(scratch, &w, STR("rr"))) {
			out->rr = w.value;
			out->rr_count++;
		}
		out->end = w.value.raw.p + w.value.raw.len;
	}
}

/* after->rr as the request leaves it. */
static enum poa_rr merge_rr(const struct attrs *a, enum poa_rr before)
{
	if (a->rr_count == 0)
		return before;
	if (a->rr_count == 1 && a->rr.type == JSCAN_TRUE)
		return POA_RR_TRUE;
	if (a->rr_count == 1 && a->rr.type == JSCAN_FALSE)
		return POA_RR_FALSE;
	return POA_RR_UNKNOWN;
}

static enum poa_list sent_kind(struct buf *scratch, struct str sent)
{
	struct jscan_value v = { .type = JSCAN_ARRAY, .raw = sent };

	return sent.len == 0 ? POA_LIST_EMPTY : poa_list_kind(scratch, &v);
}

/* No poa here: is one to be added, made of the one that the client has sent
 * before? An UPDATE that says nothing of reachability changes nothing. */
static enum plan plan_absent(struct buf *scratch, const struct attrs *a,
			     const struct poa_request *r)
{
	enum poa_list kind;

	if (a->rr_count == 0 || a->rr.type != JSCAN_TRUE)
		return KEEP;
	if (r->is_create)
		return ADD_MEMBER;
	if (!r->before.known || r->before.routed)
		return KEEP;
	kind = sent_kind(scratch, r->before.poa);
	return kind == POA_LIST_EMPTY || kind == POA_LIST_WS ? ADD_MEMBER :
							       KEEP;
}

static enum plan plan_present(enum poa_list kind, bool is_null,
			      enum poa_rr rr, bool is_create)
{
	if (rr == POA_RR_FALSE)
		return KEEP;
	if (kind == POA_LIST_WS)
		return REPLACE_ENTRIES;
	if (is_create && (is_null || rr != POA_RR_TRUE))
		return KEEP;
	return is_null || kind == POA_LIST_EMPTY ? REPLACE_VALUE : KEEP;
}

/* Sets all of after but rr. */
static enum plan make_plan(struct poa_state *after, struct buf *scratch,
			   const struct attrs *a, const struct poa_request *r)
{
	bool is_null = a->poa.type == JSCAN_NULL;
	enum poa_list kind;
	enum plan plan;

	if (a->poa_count > 1 || a->rr_count > 1) {
		*after = (struct poa_state){ .rr = after->rr };
		return KEEP;
	}
	if (a->poa_count == 0) {
		plan = plan_absent(scratch, a, r);
		if (r->is_create)
			after->known = true;
		if (plan != KEEP)
			after->routed = true;
		return plan;
	}
	kind = poa_list_kind(scratch, &a->poa);
	plan = plan_present(kind, is_null, after->rr, r->is_create);
	after->known = is_null || kind != POA_LIST_ODD;
	after->routed = plan != KEEP;
	after->poa = kind != POA_LIST_ODD ? a->poa.raw :
					    (struct str){ NULL, 0 };
	return plan;
}

static void add_value(struct buf *out, struct buf *scratch, struct str sent,
		      struct str url)
{
	if (sent_kind(scratch, sent) == POA_LIST_WS) {
		poa_add_list(out, scratch, sent, url);
		return;
	}
	buf_add_char(out, '[');
	buf_add_json(out, url);
	buf_add_char(out, ']');
}

/* sent: the list that the new value is made of. */
static void splice(struct buf *out, struct buf *scratch, enum plan plan,
		   const struct attrs *a, const struct poa_request *r,
		   struct str sent)
{
	const char *end = r->content.p + r->content.len;
	const char *from = a->end, *to = a->end;

	if (plan != ADD_MEMBER) {
		from = a->poa.raw.p;
		to = from + a->poa.raw.len;
	}
	buf_add_str(out, str_range(r->content.p, from));
	if (plan == ADD_MEMBER)
		buf_add_lit(out, ",\"poa\":");
	add_value(out, scratch, sent, r->url);
	buf_add_str(out, str_range(to, end));
}

bool poa_rewrite(struct buf *out, struct poa_state *after,
		 const struct poa_request *r)
{
	struct buf scratch = { 0 };
	struct jscan_value resource;
	enum plan plan = KEEP;
	struct attrs a;

	*after = r->is_create ? (struct poa_state){ 0 } : r->before;
	if (poa_find_resource(&resource, &scratch, r->content, r->member)) {
		read_attrs(&a, &scratch, resource.raw);
		after->rr = merge_rr(&a, after->rr);
		plan = make_plan(after, &scratch, &a, r);
	}
	if (plan != KEEP)
		splice(out, &scratch, plan, &a, r, after->poa);
	if (scratch.failed)
		out->failed = true;
	buf_deinit(&scratch);
	return plan != KEEP || out->failed;
}
