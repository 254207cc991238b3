#include "store/store_types.h"

#include <stddef.h>
#include <string.h>

#include "base/base.h"

#define ATTR(name, kind, create, update) \
	{ name, ATTR_##kind, ATTR_##create, ATTR_##update, 0, 0, NULL }
#define ATTR_RANGE(name, kind, create, update, min, max) \
	{ name, ATTR_##kind, ATTR_##create, ATTR_##update, min, max, NULL }
#define ATTR_NESTED(name, kind, create, update, members) \
	{ name, ATTR_##kind, ATTR_##create, ATTR_##update, 0, 0, members }
#define ATTR_END { NULL, ATTR_ANY, ATTR_NP, ATTR_NP, 0, 0, NULL }

/* ---- Table 6.3.6-1 ---- */

static const struct attr_info of_all[] = {
	ATTR("rn", STRING, O, NP),
	ATTR("lbl", LABELS, O, O),
	ATTR("et", TIME, O, O),
	ATTR("ri", STRING, NP, NP),
	ATTR("ty", INT, NP, NP),
	ATTR("pi", STRING, NP, NP),
	ATTR("ct", TIME, NP, NP),
	ATTR("lt", TIME, NP, NP),
	ATTR("cstn", STRING, O, O),
	ATTR_END
};

static const struct {
	enum type_common common;
	struct attr_info attr;
} of_some[] = {
	{ TYPE_CREATOR, ATTR("cr", STRING, O, NP) },
	{ TYPE_STATE, ATTR("st", INT, NP, NP) },
	{ TYPE_ACPI, ATTR("acpi", STRINGS, O, O) },
	{ TYPE_ACPI, ATTR("daci", STRINGS, O, O) },
	{ TYPE_ANNOUNCE, ATTR("at", STRINGS, O, O) },
	{ TYPE_ANNOUNCE, ATTR("aa", STRINGS, O, O) },
	{ TYPE_ANNOUNCE, ATTR("ast", INT, O, O) },
	{ TYPE_ANNOUNCE, ATTR("loc", OBJECT, O, O) },
};

/* ---- accessControlPolicy, 7.4.2 and 6.3.5.27 ---- */

static const struct attr_info acod_members[] = {
	ATTR("ty", ANY, O, O),		/* ACME's clients send a list */
	ATTR("spty", OBJECT, O, O),
	ATTR("chty", INTS, O, O),
	ATTR_END
};

static const struct attr_info acip_members[] = {
	ATTR("ipv4", STRINGS, O, O),
	ATTR("ipv6", STRINGS, O, O),
	ATTR_END
};

static const struct attr_info acco_members[] = {
	ATTR("actw", STRINGS, O, O),
	ATTR_NESTED("acip", OBJECT, O, O, acip_members),
	ATTR("aclr", OBJECT, O, O),
	ATTR_END
};

static const struct attr_info acr_members[] = {
	ATTR("acor", STRINGS, M, M),
	ATTR_RANGE("acop", INT, M, M, 0, 63),
	ATTR_NESTED("acco", OBJECTS, O, O, acco_members),
	ATTR("acaf", BOOL, O, O),
	ATTR_NESTED("acod", OBJECTS, O, O, acod_members),
	ATTR_END
};

static const struct attr_info acrs_members[] = {
	ATTR_NESTED("acr", OBJECTS, O, O, acr_members),
	ATTR_END
};

static const struct attr_info acp_attributes[] = {
	ATTR_NESTED("pv", OBJECT, M, M, acrs_members),
	ATTR_NESTED("pvs", OBJECT, M, M, acrs_members),
	ATTR("adri", STRINGS, O, O),
	ATTR("apri", STRINGS, O, O),
	ATTR("airi", STRINGS, O, O),
	ATTR_END
};

/* ---- entities ---- */

static const struct attr_info ae_attributes[] = {
	ATTR("apn", STRING, O, O),
	ATTR("api", STRING, M, NP),
	ATTR("aei", STRING, NP, NP),
	ATTR("poa", STRINGS, O, O),
	ATTR("or", STRING, O, O),
	ATTR("nl", STRING, O, O),
	ATTR("rr", BOOL, M, M),
	ATTR("csz", STRINGS, O, O),
	ATTR("esi", OBJECT, O, O),
	ATTR("mei", STRING, O, O),
	ATTR("srv", STRINGS, M, M),
	ATTR("regs", ANY, O, O),
	ATTR("trps", BOOL, O, O),
	ATTR("scp", ANY, O, O),
	ATTR("tren", BOOL, O, O),
	ATTR("ape", OBJECTS, O, O),
	ATTR("tri", STRING, O, O),
	ATTR("trn", INT, O, O),
	ATTR_END
};

static const struct attr_info cb_attributes[] = {
	ATTR("cst", INT, NP, NP),
	ATTR("csi", STRING, NP, NP),
	ATTR("srt", INTS, NP, NP),
	ATTR("poa", STRINGS, NP, NP),
	ATTR("nl", STRING, NP, NP),
	ATTR("csz", STRINGS, NP, NP),
	ATTR("esi", OBJECT, NP, NP),
	ATTR("srv", STRINGS, NP, NP),
	ATTR_END
};

static const struct attr_info csr_attributes[] = {
	ATTR_RANGE("cst", INT, O, NP, 1, 3),
	ATTR("poa", STRINGS, O, O),
	ATTR("cb", STRING, M, NP),
	ATTR("csi", STRING, O, NP),
	ATTR("mei", STRING, O, O),
	ATTR("tri", STRING, O, O),
	ATTR("rr", BOOL, M, M),
	ATTR("nl", STRING, O, O),
	ATTR("trn", INT, O, O),
	ATTR("csz", STRINGS, O, O),
	ATTR("esi", OBJECT, O, O),
	ATTR("dcse", STRINGS, O, O),
	ATTR("srv", STRINGS, M, M),
	ATTR("mtcc", INT, O, O),
	ATTR("egid", STRING, O, O),
	ATTR("tren", BOOL, O, O),
	ATTR("ape", OBJECTS, O, O),
	ATTR_END
};

/* ---- data ---- */

static const struct attr_info cnt_attributes[] = {
	ATTR("mni", INT, O, O),
	ATTR("mbs", INT, O, O),
	ATTR("mia", INT, O, O),
	ATTR("cni", INT, NP, NP),
	ATTR("cbs", INT, NP, NP),
	ATTR("li", STRING, O, O),
	ATTR("or", STRING, O, O),
	ATTR("disr", BOOL, O, O),
	ATTR_END
};

static const struct attr_info urir_members[] = {
	ATTR("nm", STRING, O, O),
	ATTR("uri", STRING, M, M),
	ATTR_END
};

static const struct attr_info conr_members[] = {
	ATTR_NESTED("urir", OBJECTS, M, M, urir_members),
	ATTR_END
};

static const struct attr_info cin_attributes[] = {
	ATTR("con", ANY, M, NP),
	ATTR("cnf", STRING, O, NP),
	ATTR("cs", INT, NP, NP),
	ATTR_NESTED("conr", OBJECT, O, NP, conr_members),
	ATTR("or", STRING, O, NP),
	ATTR("dcnt", INT, O, NP),
	ATTR("dgt", TIME, O, NP),
	ATTR_END
};

static const struct attr_info fcnt_attributes[] = {
	ATTR("cnd", STRING, M, NP),
	ATTR("or", STRING, O, O),
	ATTR("cs", INT, NP, NP),
	ATTR("nl", STRING, O, O),
	ATTR("dgt", TIME, O, O),
	ATTR_END
};

/* ---- group, 7.4.13 ---- */

static const struct attr_info grp_attributes[] = {
	ATTR("mt", INT, O, NP),
	ATTR("spty", OBJECT, O, O),
	ATTR("cnm", INT, NP, NP),
	ATTR_RANGE("mnm", INT, M, M, 1, 0),
	ATTR("mid", STRINGS, M, M),
	ATTR("macp", STRINGS, O, O),
	ATTR("mtv", BOOL, NP, NP),
	ATTR_RANGE("csy", INT, O, NP, 1, 3),
	ATTR("gn", STRING, O, O),
	ATTR("ssi", BOOL, NP, NP),
	ATTR("nar", UNSERVED, O, O),
	ATTR_END
};

/* ---- subscription, 7.4.8 and 6.3.5.7 ---- */

static const struct attr_info om_members[] = {
	ATTR_RANGE("ops", INT, O, O, 1, 63),
	ATTR("or", STRING, O, O),
	ATTR_END
};

static const struct attr_info enc_members[] = {
	ATTR("crb", TIME, O, O),
	ATTR("cra", TIME, O, O),
	ATTR("ms", TIME, O, O),
	ATTR("us", TIME, O, O),
	ATTR_RANGE("sts", INT, O, O, 1, 0),
	ATTR("stb", INT, O, O),
	ATTR("exb", TIME, O, O),
	ATTR("exa", TIME, O, O),
	ATTR("sza", INT, O, O),
	ATTR_RANGE("szb", INT, O, O, 1, 0),
	ATTR_NESTED("om", OBJECTS, O, O, om_members),
	ATTR("atr", STRINGS, O, O),
	ATTR_RANGE("net", INTS, O, O, 1, 8),
	ATTR("chty", INTS, O, O),
	ATTR_RANGE("fo", INT, O, O, 1, 3),
	ATTR("md", UNSERVED, O, O),
	ATTR_END
};

static const struct attr_info bn_members[] = {
	ATTR_RANGE("num", INT, O, O, 1, 0),
	ATTR("dur", DURATION, O, O),
	ATTR_END
};

static const struct attr_info sub_attributes[] = {
	ATTR_NESTED("enc", OBJECT, O, O, enc_members),
	ATTR_RANGE("exc", INT, O, O, 1, 0),
	ATTR("nu", STRINGS, M, M),
	ATTR("gpi", STRING, O, O),
	ATTR("nfu", ANY, O, O),		/* TS-0001: a list; TS-0004: one */
	ATTR_RANGE("pn", INT, O, O, 1, 2),
	ATTR("psn", UNSERVED, O, NP),
	ATTR_NESTED("bn", OBJECT, O, O, bn_members),
	ATTR("rl", UNSERVED, O, O),
	ATTR("nsp", INT, O, O),
	ATTR("ln", BOOL, O, O),
	ATTR_RANGE("nct", INT, O, O, 1, 5),
	ATTR_RANGE("nec", INT, O, O, 1, 999),
	ATTR("su", STRING, O, NP),
	ATTR("acrs", STRINGS, O, O),
	ATTR_END
};

/* ---- reachability ---- */

static const struct attr_info pch_attributes[] = {
	ATTR("rqag", BOOL, O, O),
	ATTR_END
};

static const struct attr_info req_attributes[] = {
	ATTR("op", INT, NP, NP),
	ATTR("tg", STRING, NP, NP),
	ATTR("org", STRING, NP, NP),
	ATTR("rid", STRING, NP, NP),
	ATTR("mi", OBJECT, NP, NP),
	ATTR("pc", OBJECT, NP, NP),
	ATTR("rs", INT, NP, NP),
	ATTR("ors", OBJECT, NP, NP),
	ATTR_END
};

/* The most created one first: it is looked up first. */
static const struct type_info types[] = {
	{ .ty = 4, .name = "m2m:cin", .attributes = cin_attributes,
	  .common = TYPE_CREATOR | TYPE_STATE | TYPE_ANNOUNCE,
	  .constant = true },
	{ .ty = 3, .name = "m2m:cnt", .attributes = cnt_attributes,
	  .common = TYPE_ACPI | TYPE_CREATOR | TYPE_STATE | TYPE_ANNOUNCE },
	{ .ty = 28, .name = "m2m:fcnt", .attributes = fcnt_attributes,
	  .common = TYPE_ACPI | TYPE_CREATOR | TYPE_STATE | TYPE_ANNOUNCE,
	  .open = true },
	{ .ty = 23, .name = "m2m:sub", .attributes = sub_attributes,
	  .common = TYPE_ACPI | TYPE_CREATOR },
	{ .ty = 2, .name = "m2m:ae", .attributes = ae_attributes,
	  .common = TYPE_ACPI | TYPE_ANNOUNCE },
	{ .ty = 1, .name = "m2m:acp", .attributes = acp_attributes,
	  .common = TYPE_ANNOUNCE },
	{ .ty = 9, .name = "m2m:grp", .attributes = grp_attributes,
	  .common = TYPE_ACPI | TYPE_CREATOR | TYPE_ANNOUNCE },
	{ .ty = 15, .name = "m2m:pch", .attributes = pch_attributes,
	  .common = TYPE_ACPI },
	{ .ty = 16, .name = "m2m:csr", .attributes = csr_attributes,
	  .common = TYPE_ACPI | TYPE_ANNOUNCE },
	{ .ty = 17, .name = "m2m:req", .attributes = req_attributes,
	  .common = TYPE_ACPI | TYPE_STATE, .fixed = true },
	{ .ty = 5, .name = "m2m:cb", .attributes = cb_attributes,
	  .common = TYPE_ACPI, .fixed = true },
};

const struct type_info *type_find(int ty)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].ty == ty)
			return &types[i];
	return NULL;
}

const struct type_info *type_find_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

bool type_is_assigned(int ty)
{
	static const struct {
		int from, to;
	} ranges[] = {
		{ 1, 32 }, { 34, 51 }, { 58, 58 }, { 60, 60 }, { 62, 66 },
		{ 10001, 10066 },
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (ty >= ranges[i].from && ty <= ranges[i].to)
			return true;
	return false;
}

const struct attr_info *attr_find(const struct attr_info *table,
				  const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

const struct attr_info *type_attribute(const struct type_info *type,
				       const char *name)
{
	const struct attr_info *attr = attr_find(type->attributes, name);

	if (attr == NULL)
		attr = attr_find(of_all, name);
	for (size_t i = 0; attr == NULL && i < ARRAY_LEN(of_some); i++)
		if ((type->common & of_some[i].common) != 0 &&
		    strcmp(of_some[i].attr.name, name) == 0)
			attr = &of_some[i].attr;
	return attr;
}

bool type_any_has(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (type_attribute(&types[i], name) != NULL)
			return true;
	return false;
}
