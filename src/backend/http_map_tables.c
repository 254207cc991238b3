#include "backend/http_map_priv.h"

#define ROW(id, shape, line, name)                                       \
	{ PARAM_##id, HEADER_##shape, STR_INIT(line ": "),               \
	  name " has no HTTP form: wrong type",                          \
	  name " has no HTTP form: octets that a header cannot carry" }

static const struct http_map_header request_rows[] = {
	ROW(FR,   SCALAR,  "X-M2M-Origin",  "fr"),
	ROW(RQI,  SCALAR,  "X-M2M-RI",      "rqi"),
	ROW(RVI,  SCALAR,  "X-M2M-RVI",     "rvi"),
	ROW(RQET, SCALAR,  "X-M2M-RET",     "rqet"),
	ROW(RSET, SCALAR,  "X-M2M-RST",     "rset"),
	ROW(OET,  SCALAR,  "X-M2M-OET",     "oet"),
	ROW(OT,   SCALAR,  "X-M2M-OT",      "ot"),
	ROW(EC,   SCALAR,  "X-M2M-EC",      "ec"),
	ROW(GID,  SCALAR,  "X-M2M-GID",     "gid"),
	ROW(RT,   TARGETS, "X-M2M-RTU",     "rt.nu"),
	ROW(VSI,  SCALAR,  "X-M2M-VSI",     "vsi"),
	ROW(AUS,  JOINED,  "X-M2M-AS",      "aus"),
	ROW(TKNS, JOINED,  "Authorization", "tkns"),
};

static const struct http_map_header response_rows[] = {
	ROW(RQI,  SCALAR,    "X-M2M-RI",     "rqi"),
	ROW(RVI,  SCALAR,    "X-M2M-RVI",    "rvi"),
	ROW(FR,   SCALAR,    "X-M2M-Origin", "fr"),
	ROW(OT,   SCALAR,    "X-M2M-OT",     "ot"),
	ROW(RSET, SCALAR,    "X-M2M-RST",    "rset"),
	ROW(EC,   SCALAR,    "X-M2M-EC",     "ec"),
	ROW(CNST, SCALAR,    "X-M2M-CTS",    "cnst"),
	ROW(CNOT, SCALAR,    "X-M2M-CTO",    "cnot"),
	ROW(ATI,  TOKEN_IDS, "X-M2M-ATI",    "ati"),
	ROW(ASRI, SCALAR,    "X-M2M-ASRI",   "asri"),
	ROW(VSI,  SCALAR,    "X-M2M-VSI",    "vsi"),
};

const struct http_map_headers http_map_request_headers = {
	request_rows, ARRAY_LEN(request_rows),
};

const struct http_map_headers http_map_response_headers = {
	response_rows, ARRAY_LEN(response_rows),
};

#define PARAM(name, kind, id) { STR_INIT(name), FIELD_##kind, PARAM_##id }
#define OTHER(name, kind)     { STR_INIT(name), FIELD_##kind, PARAM_COUNT }

/* TS-0009 6.2.2.2; below the blank line names of fc that it forgot or that
 * came with Release 4. The last three stand for any other name. */
const struct http_map_field http_map_fields[HTTP_MAP_FIELDS] = {
	OTHER("rt", RT),
	PARAM("rp", SCALAR, RP),
	PARAM("rcn", SCALAR, RCN),
	PARAM("da", SCALAR, DA),
	PARAM("drt", SCALAR, DRT),
	PARAM("rids", LIST, RIDS),
	PARAM("tids", LIST, TIDS),
	PARAM("ltids", LIST, LTIDS),
	PARAM("tqi", SCALAR, TQI),
	PARAM("asi", SCALAR, ASI),
	PARAM("auri", SCALAR, AURI),
	PARAM("sqi", SCALAR, SQI),
	OTHER("atrl", ATRL),
	OTHER("ct", CT),
	OTHER("fu", FC_NUMBER),
	OTHER("ty", FC_NUMBERS),
	OTHER("lbl", FC_STRINGS),
	OTHER("lim", FC_NUMBER),
	OTHER("lvl", FC_NUMBER),
	OTHER("ofst", FC_NUMBER),
	OTHER("fo", FC_NUMBER),
	OTHER("crb", FC_STRING),
	OTHER("cra", FC_STRING),
	OTHER("ms", FC_STRING),
	OTHER("us", FC_STRING),
	OTHER("exb", FC_STRING),
	OTHER("exa", FC_STRING),
	OTHER("sts", FC_NUMBER),
	OTHER("stb", FC_NUMBER),
	OTHER("sza", FC_NUMBER),
	OTHER("szb", FC_NUMBER),
	OTHER("cty", FC_STRINGS),
	OTHER("smf", FC_STRINGS),
	OTHER("cfs", FC_NUMBER),
	OTHER("cfq", FC_STRING),

	OTHER("lbq", FC_STRING),
	OTHER("chty", FC_NUMBERS),
	OTHER("pty", FC_NUMBERS),
	OTHER("clbl", FC_STRINGS),
	OTHER("palb", FC_STRINGS),
	OTHER("arp", FC_STRING),
	OTHER("aq", FC_STRING),
	OTHER("gmty", FC_NUMBER),
	OTHER("geom", FC_STRING),
	OTHER("gsf", FC_NUMBER),

	OTHER("atr", FC_ATR),
	OTHER("catr", FC_CATR),
	OTHER("patr", FC_PATR),
};

#define UNRESERVED                                                       \
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, \
	['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true

/* pchar of RFC 3986 and `/`, but neither `;` (a path parameter to Java
 * servers) nor `+` (a space to careless ones). */
const bool http_map_path_keep[256] = {
	UNRESERVED,
	['/'] = true, [':'] = true, ['@'] = true, ['!'] = true, ['$'] = true,
	['&'] = true, ['\''] = true, ['('] = true, [')'] = true, ['*'] = true,
	[','] = true, ['='] = true,
};

/* `*`, the wildcard of discovery, stays readable. */
const bool http_map_query_keep[256] = { UNRESERVED, ['*'] = true };

/* TS-0009 Table 6.3.2-1. 4128 is missing there; CSEs use 403. */
static const struct {
	int status;
	short rsc[31];		/* ends with 0 */
} statuses[] = {
	{ 200, { 2000, 2002, 2004 } },
	{ 201, { 2001 } },
	{ 202, { 1000, 1001, 1002 } },
	{ 400, { 4000, 4102, 4110, 4120, 4122, 4123, 4143, 6010, 6022, 6023,
		 6024 } },
	{ 403, { 4101, 4103, 4106, 4107, 4108, 4109, 4111, 4112, 4113, 4114,
		 4115, 4116, 4117, 4126, 4127, 4128, 5105, 5203, 5205, 5208,
		 5214, 5215, 5218, 5222 } },
	{ 404, { 4004, 4118, 4119, 4121, 5103, 5107, 6003, 6005 } },
	{ 405, { 4005 } },
	{ 406, { 5207 } },
	{ 409, { 4104, 4105, 4124, 5106, 5219, 5220, 6028, 6029 } },
	{ 415, { 4015 } },
	{ 500, { 5000, 5204, 5209, 5210, 5211, 5212, 5216, 5217, 5221, 6020,
		 6021, 6025, 6026 } },
	{ 501, { 4001, 4125, 5001, 5206 } },
	{ 504, { 4008, 6030, 6031 } },
};

static const struct {
	int status;
	int rsc;
} fallbacks[] = {
	{ 201, RSC_CREATED },
	{ 202, RSC_ACCEPTED },
	/* the CSE does not know the gateway: not its client's fault */
	{ 401, RSC_RECEIVER_HAS_NO_PRIVILEGE },
	{ 403, RSC_ORIGINATOR_HAS_NO_PRIVILEGE },
	{ 404, RSC_NOT_FOUND },
	{ 405, RSC_OPERATION_NOT_ALLOWED },
	{ 406, RSC_NOT_ACCEPTABLE },
	{ 408, RSC_REQUEST_TIMEOUT },
	{ 409, RSC_CONFLICT },
	{ 415, RSC_UNSUPPORTED_MEDIA_TYPE },
	{ 429, RSC_TARGET_NOT_REACHABLE },
	{ 501, RSC_NOT_IMPLEMENTED },
	{ 502, RSC_TARGET_NOT_REACHABLE },
	{ 503, RSC_TARGET_NOT_REACHABLE },
	{ 504, RSC_REQUEST_TIMEOUT },
};

const struct http_map_header *http_map_find_header(
	const struct http_map_headers *headers, struct str name)
{
	for (size_t i = 0; i < headers->count; i++) {
		const struct http_map_header *row = &headers->rows[i];
		struct str want = { row->line.p, row->line.len - 2 };

		if (name.len == want.len && str_ieq(name, want))
			return row;
	}
	return NULL;
}

const struct http_map_field *http_map_find_field(struct str name)
{
	const struct http_map_field *atr =
		&http_map_fields[HTTP_MAP_FIELDS - 3];

	if (name.len == 0)
		return atr;
	for (const struct http_map_field *f = http_map_fields; f < atr; f++)
		if (name.p[0] == f->name.p[0] && str_eq(name, f->name))
			return f;
	if (str_starts(name, STR("c.")))
		return atr + 1;
	if (str_starts(name, STR("p.")))
		return atr + 2;
	return atr;
}

int http_map_status_of(int rsc)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		for (const short *r = statuses[i].rsc; *r != 0; r++)
			if (*r == rsc)
				return statuses[i].status;
	switch (rsc / 1000) {
	case 1:
		return 202;
	case 2:
		return 200;
	case 4:
		return 400;
	default:
		return 500;
	}
}

static int success_of(enum op op)
{
	switch (op) {
	case OP_CREATE:
		return RSC_CREATED;
	case OP_UPDATE:
		return RSC_UPDATED;
	case OP_DELETE:
		return RSC_DELETED;
	default:
		return RSC_OK;
	}
}

int http_map_rsc_of(int status, enum op op)
{
	for (size_t i = 0; i < ARRAY_LEN(fallbacks); i++)
		if (fallbacks[i].status == status)
			return fallbacks[i].rsc;
	switch (status / 100) {
	case 2:
		return success_of(op);
	case 3:
		return RSC_TARGET_NOT_REACHABLE;	/* never followed */
	case 4:
		return RSC_BAD_REQUEST;
	default:
		return RSC_INTERNAL_SERVER_ERROR;
	}
}
