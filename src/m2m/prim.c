#include "m2m/prim.h"

#include <assert.h>
#include <uv.h>

#include "m2m/json.h"

/* TS-0004 6.4.1, 6.4.2: where a parameter may stand. */
#define REQUEST  true, false
#define RESPONSE false, true
#define BOTH     true, true

const struct prim_param_info prim_params[PARAM_COUNT] = {
	[PARAM_RQI] = { STR_INIT("rqi"), TYPE_STRING, BOTH },
	[PARAM_TO] = { STR_INIT("to"), TYPE_STRING, BOTH },
	[PARAM_FR] = { STR_INIT("fr"), TYPE_STRING, BOTH },
	[PARAM_OT] = { STR_INIT("ot"), TYPE_STRING, BOTH },
	[PARAM_RSET] = { STR_INIT("rset"), TYPE_TIME, BOTH },
	[PARAM_EC] = { STR_INIT("ec"), TYPE_NUMBER, BOTH },
	[PARAM_RVI] = { STR_INIT("rvi"), TYPE_STRING, BOTH },
	[PARAM_VSI] = { STR_INIT("vsi"), TYPE_STRING, BOTH },
	[PARAM_OP] = { STR_INIT("op"), TYPE_NUMBER, REQUEST },
	[PARAM_TY] = { STR_INIT("ty"), TYPE_NUMBER, REQUEST },
	[PARAM_RIDS] = { STR_INIT("rids"), TYPE_STRINGS, REQUEST },
	[PARAM_RQET] = { STR_INIT("rqet"), TYPE_TIME, REQUEST },
	[PARAM_OET] = { STR_INIT("oet"), TYPE_TIME, REQUEST },
	[PARAM_RT] = { STR_INIT("rt"), TYPE_OBJECT, REQUEST },
	[PARAM_RP] = { STR_INIT("rp"), TYPE_TIME, REQUEST },
	[PARAM_RCN] = { STR_INIT("rcn"), TYPE_NUMBER, REQUEST },
	[PARAM_DA] = { STR_INIT("da"), TYPE_BOOL, REQUEST },
	[PARAM_GID] = { STR_INIT("gid"), TYPE_STRING, REQUEST },
	[PARAM_FC] = { STR_INIT("fc"), TYPE_OBJECT, REQUEST },
	[PARAM_DRT] = { STR_INIT("drt"), TYPE_NUMBER, REQUEST },
	[PARAM_TKNS] = { STR_INIT("tkns"), TYPE_STRINGS, REQUEST },
	[PARAM_TIDS] = { STR_INIT("tids"), TYPE_STRINGS, REQUEST },
	[PARAM_LTIDS] = { STR_INIT("ltids"), TYPE_STRINGS, REQUEST },
	[PARAM_TQI] = { STR_INIT("tqi"), TYPE_BOOL, REQUEST },
	[PARAM_GRTM] = { STR_INIT("grtm"), TYPE_STRINGS, REQUEST },
	[PARAM_ASI] = { STR_INIT("asi"), TYPE_BOOL, REQUEST },
	[PARAM_AUS] = { STR_INIT("aus"), TYPE_STRINGS, REQUEST },
	[PARAM_AURI] = { STR_INIT("auri"), TYPE_BOOL, REQUEST },
	[PARAM_SQI] = { STR_INIT("sqi"), TYPE_BOOL, REQUEST },
	[PARAM_RSC] = { STR_INIT("rsc"), TYPE_NUMBER, RESPONSE },
	[PARAM_CNST] = { STR_INIT("cnst"), TYPE_NUMBER, RESPONSE },
	[PARAM_CNOT] = { STR_INIT("cnot"), TYPE_NUMBER, RESPONSE },
	[PARAM_ATI] = { STR_INIT("ati"), TYPE_OBJECT, RESPONSE },
	[PARAM_TQF] = { STR_INIT("tqf"), TYPE_OBJECT, RESPONSE },
	[PARAM_ASRI] = { STR_INIT("asri"), TYPE_BOOL, RESPONSE },
};

/* A name as a number: its length, then its octets. */
#define KEY1(len, a)    ((uint64_t)(len) << 8 | (a))
#define KEY2(a, b)      (KEY1(2, a) << 8 | (b))
#define KEY3(a, b, c)   ((KEY1(3, a) << 8 | (b)) << 8 | (c))
#define KEY4(a, b, c, d) \
	(((KEY1(4, a) << 8 | (b)) << 8 | (c)) << 8 | (d))
#define KEY5(a, b, c, d, e) \
	((((KEY1(5, a) << 8 | (b)) << 8 | (c)) << 8 | (d)) << 8 | (e))

static uint64_t key_of(struct str name)
{
	uint64_t key = name.len;

	for (size_t i = 0; i < name.len; i++)
		key = key << 8 | (unsigned char)name.p[i];
	return key;
}

enum prim_param prim_find_param(struct str name)
{
	if (name.len < 2 || name.len > 5)
		return PARAM_COUNT;
	switch (key_of(name)) {
	case KEY2('t', 'o'):			return PARAM_TO;
	case KEY2('f', 'r'):			return PARAM_FR;
	case KEY2('o', 't'):			return PARAM_OT;
	case KEY2('e', 'c'):			return PARAM_EC;
	case KEY2('o', 'p'):			return PARAM_OP;
	case KEY2('t', 'y'):			return PARAM_TY;
	case KEY2('r', 't'):			return PARAM_RT;
	case KEY2('r', 'p'):			return PARAM_RP;
	case KEY2('d', 'a'):			return PARAM_DA;
	case KEY2('f', 'c'):			return PARAM_FC;
	case KEY3('r', 'q', 'i'):		return PARAM_RQI;
	case KEY3('r', 'v', 'i'):		return PARAM_RVI;
	case KEY3('v', 's', 'i'):		return PARAM_VSI;
	case KEY3('o', 'e', 't'):		return PARAM_OET;
	case KEY3('r', 'c', 'n'):		return PARAM_RCN;
	case KEY3('g', 'i', 'd'):		return PARAM_GID;
	case KEY3('d', 'r', 't'):		return PARAM_DRT;
	case KEY3('t', 'q', 'i'):		return PARAM_TQI;
	case KEY3('a', 's', 'i'):		return PARAM_ASI;
	case KEY3('a', 'u', 's'):		return PARAM_AUS;
	case KEY3('s', 'q', 'i'):		return PARAM_SQI;
	case KEY3('r', 's', 'c'):		return PARAM_RSC;
	case KEY3('a', 't', 'i'):		return PARAM_ATI;
	case KEY3('t', 'q', 'f'):		return PARAM_TQF;
	case KEY4('r', 's', 'e', 't'):		return PARAM_RSET;
	case KEY4('r', 'i', 'd', 's'):		return PARAM_RIDS;
	case KEY4('r', 'q', 'e', 't'):		return PARAM_RQET;
	case KEY4('t', 'k', 'n', 's'):		return PARAM_TKNS;
	case KEY4('t', 'i', 'd', 's'):		return PARAM_TIDS;
	case KEY4('g', 'r', 't', 'm'):		return PARAM_GRTM;
	case KEY4('a', 'u', 'r', 'i'):		return PARAM_AURI;
	case KEY4('c', 'n', 's', 't'):		return PARAM_CNST;
	case KEY4('c', 'n', 'o', 't'):		return PARAM_CNOT;
	case KEY4('a', 's', 'r', 'i'):		return PARAM_ASRI;
	case KEY5('l', 't', 'i', 'd', 's'):	return PARAM_LTIDS;
	default:				return PARAM_COUNT;
	}
}

void prim_deinit(struct prim *p)
{
	buf_deinit(&p->store);
	prim_reset(p, PRIM_REQUEST);
}

void prim_reset(struct prim *p, enum prim_kind kind)
{
	p->kind = kind;
	p->op = OP_NONE;
	p->rsc = 0;
	p->present = 0;		/* param[] means nothing without it */
	p->content = (struct str){ NULL, 0 };
	p->content_format = FORMAT_JSON;
	p->extra_count = 0;
	buf_clear(&p->store);
}

void prim_set(struct prim *p, enum prim_param id, enum value_type type,
	      struct str text)
{
	assert(id < PARAM_COUNT);
	p->param[id] = (struct value){ type, text };
	p->present |= UINT64_C(1) << id;
}

void prim_set_str(struct prim *p, enum prim_param id, struct str text)
{
	prim_set(p, id, VALUE_STRING, text);
}

void prim_refuse(struct prim *out, struct str rqi, struct str rvi, int rsc,
		 const char *why)
{
	prim_reset(out, PRIM_RESPONSE);
	out->rsc = rsc;
	prim_set_str(out, PARAM_RQI, rqi);
	if (rvi.len > 0)
		prim_set_str(out, PARAM_RVI, rvi);
	if (why == NULL)
		return;
	buf_add_lit(&out->store, "{\"m2m:dbg\":");
	buf_add_json(&out->store, str_of(why));
	buf_add_char(&out->store, '}');
	if (!out->store.failed)
		out->content = buf_str(&out->store);
}

static size_t text_len(const struct prim *p)
{
	size_t len = p->content.len;

	for (uint64_t rest = p->present; rest != 0; rest &= rest - 1)
		len += p->param[__builtin_ctzll(rest)].text.len;
	for (unsigned i = 0; i < p->extra_count; i++)
		len += p->extra[i].name.len + p->extra[i].json.len;
	return len;
}

/* text at the end of a store that has the room. */
static struct str keep(struct buf *store, struct str text)
{
	char *at = store->p + store->len;

	if (text.len > 0)
		memcpy(at, text.p, text.len);
	store->len += text.len;
	return (struct str){ at, text.len };
}

int prim_copy(struct prim *to, const struct prim *from)
{
	assert(to != from);
	prim_reset(to, from->kind);
	/* one octet more: also empty content has an address */
	if (!buf_reserve(&to->store, text_len(from) + 1))
		return UV_ENOMEM;
	to->op = from->op;
	to->rsc = from->rsc;
	to->present = from->present;
	for (uint64_t rest = from->present; rest != 0; rest &= rest - 1) {
		int id = __builtin_ctzll(rest);

		to->param[id].type = from->param[id].type;
		to->param[id].text = keep(&to->store, from->param[id].text);
	}
	to->extra_count = from->extra_count;
	for (unsigned i = 0; i < from->extra_count; i++) {
		to->extra[i].name = keep(&to->store, from->extra[i].name);
		to->extra[i].json = keep(&to->store, from->extra[i].json);
	}
	to->content_format = from->content_format;
	if (from->content.p != NULL)
		to->content = keep(&to->store, from->content);
	return 0;
}

/* 3.0 is the number 3: some CSEs write every number so. */
static bool cut_zero_fraction(struct str *number)
{
	struct str fraction;

	if (!str_cut(*number, '.', number, &fraction))
		return true;
	for (size_t i = 0; i < fraction.len; i++)
		if (fraction.p[i] != '0')
			return false;
	return true;
}

bool prim_int(int64_t *out, const struct prim *p, enum prim_param id)
{
	struct str text = prim_text(p, id);
	bool negative;
	uint64_t n;

	if (!prim_has(p, id) || p->param[id].type == VALUE_BOOL ||
	    p->param[id].type == VALUE_JSON)
		return false;
	if (p->param[id].type == VALUE_NUMBER && !cut_zero_fraction(&text))
		return false;
	negative = text.len > 0 && text.p[0] == '-';
	if (!str_to_u64(&n, negative ? str_skip(text, 1) : text) ||
	    n > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)n : (int64_t)n;
	return true;
}

/* A request identifier is text; a bare number is tolerated as such. */
static bool has_text(const struct prim *p, enum prim_param id)
{
	return prim_text(p, id).len > 0 &&
	       (p->param[id].type == VALUE_STRING ||
		p->param[id].type == VALUE_NUMBER);
}

static bool is_member(const struct jscan_value *name, struct str want)
{
	struct buf decoded = { 0 };
	bool same;

	if (!name->escaped)
		return str_eq(name->raw, want);
	jscan_unescape(&decoded, name->raw);
	same = !decoded.failed && str_eq(buf_str(&decoded), want);
	buf_deinit(&decoded);
	return same;
}

/* Text was validated when it came; its cost was bounded there. */
static bool walk(struct jscan *s, struct str text, enum jscan_type type)
{
	jscan_init(s, text, JSCAN_DEPTH_MAX, UINT32_MAX);
	return jscan_enter(s, type) == 0;
}

static bool is_array_of_strings(struct str text)
{
	struct jscan_value name, value;
	struct jscan s;
	int more;

	if (!walk(&s, text, JSCAN_ARRAY))
		return false;
	for (bool first = true;; first = false) {
		more = jscan_next(&name, &value, &s, first);
		if (more <= 0)
			return more == 0;
		if (value.type != JSCAN_STRING)
			return false;
	}
}

/* {"m2m:atrl":["a","b"]}: all that a RETRIEVE may carry (TS-0004 7.2.1.1). */
static bool is_attribute_list(struct str content)
{
	struct jscan_value name, value, more;
	struct jscan s;

	return walk(&s, content, JSCAN_OBJECT) &&
	       jscan_next(&name, &value, &s, true) == 1 &&
	       is_member(&name, STR("m2m:atrl")) &&
	       is_array_of_strings(value.raw) &&
	       jscan_next(&name, &more, &s, false) == 0;
}

/* Some clients write pc where there is nothing to say. */
static bool is_empty_object(struct str content)
{
	struct jscan_value name, value;
	struct jscan s;

	return walk(&s, content, JSCAN_OBJECT) &&
	       jscan_next(&name, &value, &s, true) == 0;
}

/* TS-0004 7.2.1.1: which operations carry content. NULL: all is well. */
static const char *fault_of_content(const struct prim *p)
{
	bool present = p->content.p != NULL;

	switch (p->op) {
	case OP_RETRIEVE:
		if (present && !is_attribute_list(p->content) &&
		    !is_empty_object(p->content))
			return "pc of a RETRIEVE is not an m2m:atrl";
		return NULL;
	case OP_DELETE:
		return present && !is_empty_object(p->content) ?
			       "pc in a DELETE" : NULL;
	case OP_CREATE:
	case OP_UPDATE:
	case OP_NOTIFY:
	case OP_NONE:
		break;
	}
	return present ? NULL : "pc is missing";
}

/* Only an AE that registers may leave out who it is (TS-0004 7.3.2.1). */
static bool may_be_anonymous(const struct prim *p)
{
	int64_t ty;

	return p->op == OP_CREATE && prim_int(&ty, p, PARAM_TY) && ty == 2;
}

static const char *fault_of(const struct prim *p)
{
	if (!has_text(p, PARAM_RQI))
		return prim_text(p, PARAM_RQI).len > 0 ?
			       "rqi is not a string" : "rqi is missing";
	if (p->op == OP_NONE)
		return prim_has(p, PARAM_OP) ? "op is unknown" :
					       "op is missing";
	if (prim_text(p, PARAM_TO).len == 0)
		return "to is missing";
	if (prim_text(p, PARAM_FR).len == 0 && !may_be_anonymous(p))
		return "fr is missing";
	if (p->op == OP_CREATE && prim_text(p, PARAM_TY).len == 0)
		return "ty is missing";
	return fault_of_content(p);
}

int prim_check_request(const char **why, const struct prim *p,
		       uint64_t now_ms)
{
	const char *fault = fault_of(p);
	uint64_t left;

	if (fault != NULL) {
		*why = fault;
		return RSC_BAD_REQUEST;
	}
	if (prim_time_left(&left, p, PARAM_RQET, now_ms) && left == 0) {
		*why = "rqet has passed";
		return RSC_REQUEST_TIMEOUT;
	}
	return 0;
}

/* From 1 to 5, bare or in quotes. */
static int rtv_of(const struct jscan_value *v)
{
	struct str text = v->type == JSCAN_STRING ? jscan_inside(v) : v->raw;

	if (cut_zero_fraction(&text) && text.len == 1 && text.p[0] >= '1' &&
	    text.p[0] <= '5')
		return text.p[0] - '0';
	return 3;
}

int prim_response_type(const struct prim *p)
{
	struct jscan_value name, value;
	struct jscan s;

	if (!prim_has(p, PARAM_RT) || p->param[PARAM_RT].type != VALUE_JSON ||
	    !walk(&s, p->param[PARAM_RT].text, JSCAN_OBJECT))
		return 3;
	for (bool first = true; jscan_next(&name, &value, &s, first) > 0;
	     first = false)
		if (is_member(&name, STR("rtv")))
			return rtv_of(&value);
	return 3;
}

const char *op_name(enum op op)
{
	switch (op) {
	case OP_CREATE:
		return "CREATE";
	case OP_RETRIEVE:
		return "RETRIEVE";
	case OP_UPDATE:
		return "UPDATE";
	case OP_DELETE:
		return "DELETE";
	case OP_NOTIFY:
		return "NOTIFY";
	case OP_NONE:
		break;
	}
	return "?";
}
