#include "m2m/xml_types.h"

#include <assert.h>

/*
 * TS-0004 by short names. Rows stand in the order of the schema, as far as it
 * is known (7.4, Annex C, Table 6.3.6-2); readers do not mind the order.
 */
#define TEXT(n)	     { STR_INIT(n), XML_TEXT, 0, NULL }
#define TEXTS(n)     { STR_INIT(n), XML_TEXT, XML_MANY, NULL }
#define NUMBER(n)    { STR_INIT(n), XML_NUMBER, 0, NULL }
#define BOOL(n)	     { STR_INIT(n), XML_BOOL, 0, NULL }
#define WORDS(n)     { STR_INIT(n), XML_WORDS, 0, NULL }
#define NUMBERS(n)   { STR_INIT(n), XML_NUMBERS, 0, NULL }
#define ANY(n)	     { STR_INIT(n), XML_ANY, 0, NULL }
#define OBJECT(n, t) { STR_INIT(n), XML_OBJECT, 0, &(t) }
#define OBJECTS(n, t) { STR_INIT(n), XML_OBJECT, XML_MANY, &(t) }
#define TAG(n, form) { STR_INIT(n), form, XML_TAG, NULL }
#define INSIDE(n)    { STR_INIT(n), XML_TEXT, XML_INSIDE, NULL }

#define ROWS(list) .attrs = list, .count = ARRAY_LEN(list)
#define PLAIN(list) { ROWS(list) }
#define RESOURCE(list) \
	{ ROWS(list), .globals = XML_GLOBALS_MANY, .resource = true }

const struct xml_type xml_unknown = { .count = 0 };
const struct xml_type xml_custom = { .guess = true };

/* pc, rep: one global element and nothing else. */
static const struct xml_type content = { .globals = XML_GLOBALS_ONE };

/* 6.3.5: complex types that several resources share */
static const struct xml_attr ref_rows[] = {
	TAG("nm", XML_TEXT), TAG("typ", XML_NUMBER), TAG("spty", XML_TEXT),
	INSIDE("val"),
};
static const struct xml_type ref = { ROWS(ref_rows), .inside = true };

static const struct xml_attr location_rows[] = {
	NUMBER("typ"), TEXT("crd"),
};
static const struct xml_type location = PLAIN(location_rows);

static const struct xml_attr batch_rows[] = { NUMBER("num"), TEXT("dur") };
static const struct xml_type batch = PLAIN(batch_rows);

static const struct xml_attr rate_rows[] = { NUMBER("mnn"), TEXT("tww") };
static const struct xml_type rate = PLAIN(rate_rows);

static const struct xml_attr special_rows[] = { TEXT("cnd"), NUMBER("mgd") };
static const struct xml_type special = PLAIN(special_rows);

static const struct xml_attr security_rows[] = {
	NUMBERS("esf"), WORDS("escert"), OBJECT("esro", xml_unknown),
};
static const struct xml_type security = PLAIN(security_rows);

static const struct xml_attr times_rows[] = { TEXTS("sce") };
static const struct xml_type times = PLAIN(times_rows);

static const struct xml_attr pattern_rows[] = {
	OBJECTS("se", times), NUMBER("sti"), NUMBER("dsi"),
};
static const struct xml_type pattern = PLAIN(pattern_rows);

static const struct xml_attr action_rows[] = { TEXT("acn"), NUMBER("sus") };
static const struct xml_type action = PLAIN(action_rows);

/* Table 6.3.6-2, then what most types have before their own */
static const struct xml_attr common[] = {
	TAG("rn", XML_TEXT), NUMBER("ty"), TEXT("ri"), TEXT("pi"), TEXT("ct"),
	TEXT("lt"), WORDS("lbl"), WORDS("acpi"), TEXT("et"), TEXT("lnk"),
	WORDS("daci"), WORDS("at"), WORDS("aa"), NUMBER("st"), TEXT("cr"),
	TEXT("cstn"), NUMBER("ast"), OBJECT("loc", location), WORDS("subi"),
	TEXT("ctm"),
};
static const struct xml_attr child_refs = OBJECTS("ch", ref);

/* 7.4.3 */
static const struct xml_attr cb_rows[] = {
	WORDS("acpi"), NUMBER("cst"), TEXT("csi"), NUMBERS("srt"),
	WORDS("poa"), TEXT("nl"), WORDS("daci"), WORDS("csz"),
	OBJECT("esi", security), WORDS("srv"),
};
static const struct xml_type cb = RESOURCE(cb_rows);

/* 7.4.5 */
static const struct xml_attr ae_rows[] = {
	TEXT("apn"), TEXT("api"), TEXT("aei"), WORDS("poa"), TEXT("or"),
	TEXT("nl"), BOOL("rr"), WORDS("csz"), OBJECT("esi", security),
	TEXT("mei"), WORDS("srv"), TEXT("regs"), BOOL("trps"), WORDS("scp"),
	BOOL("tren"), OBJECTS("ape", pattern), TEXT("tri"), NUMBER("trn"),
};
static const struct xml_type ae = RESOURCE(ae_rows);

/* 7.4.4 */
static const struct xml_attr csr_rows[] = {
	NUMBER("cst"), WORDS("poa"), TEXT("cb"), TEXT("csi"), TEXT("mei"),
	TEXT("tri"), BOOL("rr"), TEXT("nl"), NUMBER("trn"), WORDS("csz"),
	OBJECT("esi", security), WORDS("dcse"), WORDS("srv"), NUMBER("mtcc"),
	TEXT("egid"), BOOL("tren"), OBJECTS("ape", pattern),
};
static const struct xml_type csr = RESOURCE(csr_rows);

/* 7.4.6, Annex C.1 */
static const struct xml_attr cnt_rows[] = {
	NUMBER("mni"), NUMBER("mbs"), NUMBER("mia"), NUMBER("cni"),
	NUMBER("cbs"), TEXT("li"), TEXT("or"), BOOL("disr"),
};
static const struct xml_type cnt = RESOURCE(cnt_rows);

/* 7.4.7 */
static const struct xml_attr urir_rows[] = {
	TAG("nm", XML_TEXT), TEXT("uri"),
};
static const struct xml_type urir = PLAIN(urir_rows);
static const struct xml_attr conr_rows[] = { OBJECTS("urir", urir) };
static const struct xml_type conr = PLAIN(conr_rows);
static const struct xml_attr cin_rows[] = {
	TEXT("cnf"), NUMBER("cs"), OBJECT("conr", conr), TEXT("or"),
	ANY("con"), NUMBER("dcnt"), TEXT("dgt"),
};
static const struct xml_type cin = RESOURCE(cin_rows);

/* 7.4.8 */
static const struct xml_attr enc_om_rows[] = { NUMBER("ops"), TEXT("or") };
static const struct xml_type enc_om = PLAIN(enc_om_rows);
static const struct xml_attr enc_rows[] = {
	TEXT("crb"), TEXT("cra"), TEXT("ms"), TEXT("us"), NUMBER("sts"),
	NUMBER("stb"), TEXT("exb"), TEXT("exa"), NUMBER("sza"), NUMBER("szb"),
	OBJECTS("om", enc_om), WORDS("atr"), NUMBERS("net"), NUMBERS("chty"),
	OBJECT("md", batch), NUMBER("fo"),
};
static const struct xml_type enc = PLAIN(enc_rows);
static const struct xml_attr sub_rows[] = {
	OBJECT("enc", enc), NUMBER("exc"), WORDS("nu"), TEXT("gpi"),
	TEXT("nfu"), OBJECT("bn", batch), OBJECT("rl", rate), NUMBER("psn"),
	NUMBER("pn"), NUMBER("nsp"), BOOL("ln"), NUMBER("nct"), NUMBER("nec"),
	TEXT("su"), WORDS("acrs"), BOOL("nse"), OBJECTS("nsi", xml_unknown),
	TEXT("ma"), BOOL("eeno"),
};
static const struct xml_type sub = RESOURCE(sub_rows);

/* 7.4.2, 6.3.5.27; some CSEs have a list in acod.ty */
static const struct xml_attr acip_rows[] = { WORDS("ipv4"), WORDS("ipv6") };
static const struct xml_type acip = PLAIN(acip_rows);
static const struct xml_attr aclr_rows[] = { WORDS("accc"), NUMBERS("accr") };
static const struct xml_type aclr = PLAIN(aclr_rows);
static const struct xml_attr acco_rows[] = {
	TEXTS("actw"), OBJECT("acip", acip), OBJECT("aclr", aclr),
};
static const struct xml_type acco = PLAIN(acco_rows);
static const struct xml_attr acod_rows[] = {
	NUMBER("ty"), OBJECT("spty", special), NUMBERS("chty"),
};
static const struct xml_type acod = PLAIN(acod_rows);
static const struct xml_attr acr_rows[] = {
	WORDS("acor"), NUMBER("acop"), OBJECTS("acco", acco), BOOL("acaf"),
	OBJECTS("acod", acod),
};
static const struct xml_type acr = PLAIN(acr_rows);
static const struct xml_attr rules_rows[] = { OBJECTS("acr", acr) };
static const struct xml_type rules = PLAIN(rules_rows);
static const struct xml_attr acp_rows[] = {
	OBJECT("pv", rules), OBJECT("pvs", rules), WORDS("adri"),
	WORDS("apri"), WORDS("airi"),
};
static const struct xml_type acp = RESOURCE(acp_rows);

/* 7.4.13 */
static const struct xml_attr grp_rows[] = {
	NUMBER("mt"), OBJECT("spty", special), NUMBER("cnm"), NUMBER("mnm"),
	WORDS("mid"), WORDS("macp"), BOOL("mtv"), NUMBER("csy"), TEXT("gn"),
	BOOL("ssi"), OBJECT("nar", batch),
};
static const struct xml_type grp = RESOURCE(grp_rows);

/* 7.4.21, 7.4.18 */
static const struct xml_attr pch_rows[] = { BOOL("rqag") };
static const struct xml_type pch = RESOURCE(pch_rows);
static const struct xml_attr nod_rows[] = {
	TEXT("ni"), TEXT("hcl"), WORDS("hael"), WORDS("hsl"), TEXT("mgca"),
	BOOL("rms"), TEXT("nid"),
};
static const struct xml_type nod = RESOURCE(nod_rows);

/* 6.3.5.34, Annex D */
#define MANAGED \
	NUMBER("mgd"), WORDS("obis"), WORDS("obps"), TEXT("dc"), TEXT("mgs")
static const struct xml_attr mgo_rows[] = {
	MANAGED, OBJECTS("cmlk", xml_unknown),
};
static const struct xml_type mgo = RESOURCE(mgo_rows);
static const struct xml_attr fwr_rows[] = {
	MANAGED, TEXT("vr"), TEXT("fwn"), TEXT("url"), BOOL("ud"),
	OBJECT("uds", action),
};
static const struct xml_type fwr = RESOURCE(fwr_rows);
static const struct xml_attr swr_rows[] = {
	MANAGED, TEXT("vr"), TEXT("swn"), TEXT("url"), BOOL("in"), BOOL("un"),
	OBJECT("ins", action), BOOL("act"), BOOL("dea"),
	OBJECT("acts", action),
};
static const struct xml_type swr = RESOURCE(swr_rows);
static const struct xml_attr mem_rows[] = {
	MANAGED, NUMBER("mma"), NUMBER("mmt"),
};
static const struct xml_type mem = RESOURCE(mem_rows);
static const struct xml_attr ani_rows[] = {
	MANAGED, TEXT("ant"), WORDS("ldv"),
};
static const struct xml_type ani = RESOURCE(ani_rows);
static const struct xml_attr andi_rows[] = {
	MANAGED, TEXT("dvd"), TEXT("dvt"), TEXT("awi"), NUMBER("sli"),
	NUMBER("sld"), TEXT("ss"), WORDS("lnh"),
};
static const struct xml_type andi = RESOURCE(andi_rows);
static const struct xml_attr bat_rows[] = {
	MANAGED, NUMBER("btl"), NUMBER("bts"),
};
static const struct xml_type bat = RESOURCE(bat_rows);
static const struct xml_attr dvi_rows[] = {
	MANAGED, TEXT("dlb"), TEXT("man"), TEXT("mod"), TEXT("dty"),
	TEXT("fwv"), TEXT("swv"), TEXT("hwv"), TEXT("loc"), WORDS("ptl"),
	TEXT("rest"),
};
static const struct xml_type dvi = RESOURCE(dvi_rows);
static const struct xml_attr dvc_rows[] = {
	MANAGED, TEXT("can"), BOOL("att"), OBJECT("cas", action), BOOL("cus"),
	BOOL("ena"), BOOL("dis"),
};
static const struct xml_type dvc = RESOURCE(dvc_rows);
static const struct xml_attr rbo_rows[] = { MANAGED, BOOL("rbo"), BOOL("far") };
static const struct xml_type rbo = RESOURCE(rbo_rows);
static const struct xml_attr evl_rows[] = {
	MANAGED, NUMBER("lgt"), TEXT("lgd"), NUMBER("lgst"), BOOL("lga"),
	BOOL("lgo"),
};
static const struct xml_type evl = RESOURCE(evl_rows);

/* 6.3.5.8 */
static const struct xml_attr condition_rows[] = { TEXT("nm"), ANY("val") };
static const struct xml_type condition = PLAIN(condition_rows);
static const struct xml_attr fc_rows[] = {
	TEXT("crb"), TEXT("cra"), TEXT("ms"), TEXT("us"), NUMBER("sts"),
	NUMBER("stb"), TEXT("exb"), TEXT("exa"), WORDS("lbl"), TEXT("lbq"),
	WORDS("clbl"), WORDS("palb"), NUMBERS("ty"), NUMBERS("chty"),
	NUMBERS("pty"), NUMBER("sza"), NUMBER("szb"), TEXTS("cty"),
	OBJECTS("atr", condition), OBJECTS("catr", condition),
	OBJECTS("patr", condition), NUMBER("fu"), NUMBER("lim"), TEXTS("smf"),
	NUMBER("fo"), NUMBER("cfs"), TEXT("cfq"), NUMBER("lvl"),
	NUMBER("ofst"), TEXT("arp"),
};
static const struct xml_type fc = PLAIN(fc_rows);

/* 6.4; then what later releases add */
static const struct xml_attr rt_rows[] = { NUMBER("rtv"), WORDS("nu") };
static const struct xml_type rt = PLAIN(rt_rows);
static const struct xml_attr request_rows[] = {
	NUMBER("op"), TEXT("to"), TEXT("fr"), TEXT("rqi"), NUMBER("ty"),
	OBJECT("pc", content), WORDS("rids"), TEXT("ot"), TEXT("rqet"),
	TEXT("rset"), TEXT("oet"), OBJECT("rt", rt), TEXT("rp"),
	NUMBER("rcn"), NUMBER("ec"), BOOL("da"), TEXT("gid"),
	OBJECT("fc", fc), NUMBER("drt"), WORDS("tkns"), WORDS("tids"),
	WORDS("ltids"), BOOL("tqi"), WORDS("grtm"), BOOL("asi"), WORDS("aus"),
	BOOL("auri"), BOOL("sqi"), TEXT("rvi"), TEXT("vsi"), TEXT("prpi"),
	TEXT("msu"), NUMBER("gstn"), WORDS("omr"), TEXT("ma"),
};
const struct xml_type xml_request = PLAIN(request_rows);

static const struct xml_attr ltia_rows[] = { TEXT("lti"), TEXT("tkid") };
static const struct xml_type ltia = PLAIN(ltia_rows);
static const struct xml_attr ati_rows[] = { OBJECTS("ltia", ltia) };
static const struct xml_type ati = PLAIN(ati_rows);
static const struct xml_attr dasi_rows[] = {
	TEXT("uri"), OBJECT("dreq", xml_unknown), TEXT("sdr"),
};
static const struct xml_type dasi = PLAIN(dasi_rows);
static const struct xml_attr tqf_rows[] = { OBJECTS("dasi", dasi) };
static const struct xml_type tqf = PLAIN(tqf_rows);
static const struct xml_attr response_rows[] = {
	NUMBER("rsc"), TEXT("rqi"), OBJECT("pc", content), TEXT("to"),
	TEXT("fr"), TEXT("ot"), TEXT("rset"), NUMBER("ec"), NUMBER("cnst"),
	NUMBER("cnot"), OBJECT("ati", ati), OBJECT("tqf", tqf), BOOL("asri"),
	TEXT("rvi"), TEXT("vsi"), TEXT("msu"),
};
const struct xml_type xml_response = PLAIN(response_rows);

/* 7.4.12 */
static const struct xml_attr req_rows[] = {
	NUMBER("op"), TEXT("tg"), TEXT("org"), TEXT("rid"),
	OBJECT("mi", xml_request), OBJECT("pc", content), NUMBER("rs"),
	OBJECT("ors", xml_response),
};
static const struct xml_type req = RESOURCE(req_rows);

/* a schedule has blanks in each sce */
static const struct xml_attr sch_rows[] = { OBJECT("se", times), BOOL("nco") };
static const struct xml_type sch = RESOURCE(sch_rows);
static const struct xml_attr ts_rows[] = {
	NUMBER("mni"), NUMBER("mbs"), NUMBER("mia"), NUMBER("cni"),
	NUMBER("cbs"), NUMBER("pei"), NUMBER("peid"), BOOL("mdd"),
	NUMBER("mdn"), WORDS("mdlt"), NUMBER("mdc"), NUMBER("mdt"),
	TEXT("or"), TEXT("cnf"),
};
static const struct xml_type ts = RESOURCE(ts_rows);
static const struct xml_attr tsi_rows[] = {
	TEXT("dgt"), ANY("con"), NUMBER("snr"), NUMBER("cs"),
};
static const struct xml_type tsi = RESOURCE(tsi_rows);
static const struct xml_attr fcnt_rows[] = {
	TEXT("cnd"), TEXT("or"), NUMBER("cs"), TEXT("nl"), NUMBER("cni"),
	NUMBER("cbs"), NUMBER("mni"), NUMBER("mbs"), NUMBER("mia"),
	BOOL("fcied"), TEXT("dgt"),
};
static const struct xml_type fcnt = {
	ROWS(fcnt_rows), .globals = XML_GLOBALS_MANY, .resource = true,
	.guess = true,
};
static const struct xml_attr smd_rows[] = {
	NUMBER("dcrp"), TEXT("soe"), TEXT("dsp"), TEXT("or"), WORDS("rels"),
	BOOL("svd"), BOOL("vlde"),
};
static const struct xml_type smd = RESOURCE(smd_rows);
static const struct xml_attr lcp_rows[] = {
	NUMBER("los"), NUMBER("lit"), WORDS("lou"), TEXT("lot"), TEXT("lor"),
	TEXT("lost"), TEXT("loi"), TEXT("lon"), NUMBER("luec"),
};
static const struct xml_type lcp = RESOURCE(lcp_rows);
static const struct xml_attr tk_rows[] = { OBJECTS("tkps", xml_unknown) };
static const struct xml_type tk = RESOURCE(tk_rows);

/* Types of which the common attributes are all that is known. */
static const struct xml_type other = {
	.globals = XML_GLOBALS_MANY, .resource = true,
};

/* 6.3.5.13 */
static const struct xml_attr nev_om_rows[] = { NUMBER("op"), TEXT("or") };
static const struct xml_type nev_om = PLAIN(nev_om_rows);
static const struct xml_attr nev_rows[] = {
	OBJECT("rep", content), OBJECT("om", nev_om), NUMBER("net"),
};
static const struct xml_type nev = PLAIN(nev_rows);
static const struct xml_attr idr_rows[] = { TEXT("or"), OBJECT("fc", fc) };
static const struct xml_type idr = PLAIN(idr_rows);
static const struct xml_attr sgn_rows[] = {
	OBJECT("nev", nev), BOOL("vrq"), BOOL("sud"), TEXT("sur"), TEXT("cr"),
	TEXT("nfu"), TEXT("ntt"), BOOL("trr"), BOOL("tra"),
	OBJECT("idr", idr), BOOL("aerp"), BOOL("aerid"), TEXT("tid1"),
	TEXT("tid2"),
};
static const struct xml_type sgn = PLAIN(sgn_rows);
static const struct xml_attr tsn_rows[] = { WORDS("mdlt"), NUMBER("mdc") };
static const struct xml_type tsn = PLAIN(tsn_rows);
static const struct xml_type agn = { .globals = XML_GLOBALS_MANY };
static const struct xml_attr agr_rows[] = { TEXT("ri") };
static const struct xml_type agr = {
	ROWS(agr_rows), .globals = XML_GLOBALS_MANY,
};
static const struct xml_attr rce_rows[] = { TEXT("uri") };
static const struct xml_type rce = {
	ROWS(rce_rows), .globals = XML_GLOBALS_ONE,
};
static const struct xml_attr rrl_rows[] = { OBJECTS("rrf", ref) };
static const struct xml_type rrl = PLAIN(rrl_rows);

/* Tables 6.3.4.2.1 and 7.2.1: what has a prefix in JSON */
static const struct xml_attr globals[] = {
	OBJECT("cin", cin), OBJECT("cnt", cnt), OBJECT("sgn", sgn),
	OBJECT("ae", ae), OBJECT("sub", sub), OBJECT("csr", csr),
	OBJECT("cb", cb), OBJECT("acp", acp), OBJECT("grp", grp),
	OBJECT("pch", pch), OBJECT("nod", nod), OBJECT("req", req),
	OBJECT("sch", sch), OBJECT("ts", ts), OBJECT("tsi", tsi),
	OBJECT("fcnt", fcnt), OBJECT("fci", fcnt), OBJECT("fcin", fcnt),
	OBJECT("smd", smd), OBJECT("lcp", lcp), OBJECT("tk", tk),
	/* what primitives and notifications carry */
	TEXT("uri"), WORDS("uril"), WORDS("atrl"), TEXT("dbg"), TEXT("qres"),
	OBJECT("rqp", xml_request), OBJECT("rsp", xml_response),
	OBJECT("agn", agn), OBJECT("agr", agr), OBJECT("rce", rce),
	OBJECT("rrl", rrl), OBJECT("seci", xml_unknown), OBJECT("tsn", tsn),
	OBJECT("tgp", xml_unknown), OBJECT("tqf", tqf),
	/* mgmtObj specialisations */
	OBJECT("fwr", fwr), OBJECT("swr", swr), OBJECT("mem", mem),
	OBJECT("ani", ani), OBJECT("andi", andi), OBJECT("bat", bat),
	OBJECT("dvi", dvi), OBJECT("dvc", dvc), OBJECT("rbo", rbo),
	OBJECT("evl", evl), OBJECT("cmp", mgo), OBJECT("acmp", mgo),
	OBJECT("cmdf", mgo), OBJECT("cmdv", mgo), OBJECT("cmpv", mgo),
	OBJECT("cml", mgo), OBJECT("cmnr", mgo), OBJECT("cmwr", mgo),
	OBJECT("cmbf", mgo),
	/* types with strings only, or of later releases */
	OBJECT("dlv", other), OBJECT("evcg", other), OBJECT("exin", other),
	OBJECT("mssp", other), OBJECT("mgc", other), OBJECT("asar", other),
	OBJECT("svsn", other), OBJECT("stcl", other), OBJECT("stcg", other),
	OBJECT("ntpr", other), OBJECT("ntp", other), OBJECT("pdr", other),
	OBJECT("rol", other), OBJECT("dac", other), OBJECT("auds", other),
	OBJECT("aupy", other), OBJECT("auif", other), OBJECT("ontr", other),
	OBJECT("ont", other), OBJECT("smjp", other), OBJECT("smi", other),
	OBJECT("smr", other), OBJECT("alst", other), OBJECT("alpc", other),
	OBJECT("lmg", other), OBJECT("mms", other), OBJECT("tgr", other),
	OBJECT("crs", other), OBJECT("bdt", other), OBJECT("tram", other),
	OBJECT("trac", other), OBJECT("tsb", other), OBJECT("prp", other),
	OBJECT("prmr", other), OBJECT("stte", other), OBJECT("actr", other),
	OBJECT("depr", other),
};
static const struct xml_attr some_resource = OBJECT("", other);
static const struct xml_attr some_fcnt = OBJECT("", fcnt);

/* Where a name is looked up that neither its type nor the common attributes
 * have; the first wins. */
static const struct xml_type *const loose[] = {
	&ae, &csr, &cnt, &cin, &sub, &enc, &acp, &acr, &acco, &acip,
	&aclr, &grp, &pch, &nod, &mgo, &fwr, &swr, &mem, &ani, &andi, &bat,
	&dvc, &rbo, &evl, &ts, &tsi, &smd, &lcp, &tk, &cb, &sch, &req,
	&xml_request, &xml_response, &fc, &rt, &sgn, &nev, &batch, &rate,
	&special, &security, &pattern, &times, &action, &conr, &ati, &tqf,
	&rules, &acod, &rrl,
};

/* TS-0023: domains of flexContainer specialisations; hd is what Release 2
 * called the home domain. */
static const struct {
	struct str prefix, uri;
} domains[] = {
	{ STR_INIT("m2m"), STR_INIT(XML_NS) },
	{ STR_INIT("agd"), STR_INIT(XML_NS "/agriculturedomain") },
	{ STR_INIT("cid"), STR_INIT(XML_NS "/citydomain") },
	{ STR_INIT("cod"), STR_INIT(XML_NS "/commondomain") },
	{ STR_INIT("hed"), STR_INIT(XML_NS "/healthdomain") },
	{ STR_INIT("hod"), STR_INIT(XML_NS "/homedomain") },
	{ STR_INIT("hd"), STR_INIT(XML_NS "/homedomain") },
	{ STR_INIT("ind"), STR_INIT(XML_NS "/industrydomain") },
	{ STR_INIT("mad"), STR_INIT(XML_NS "/managementdomain") },
	{ STR_INIT("rad"), STR_INIT(XML_NS "/railwaydomain") },
	{ STR_INIT("ved"), STR_INIT(XML_NS "/vehiculardomain") },
};

static int find_in(const struct xml_attr *rows, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].name.len == name.len &&
		    rows[i].name.p[0] == name.p[0] &&
		    str_eq(rows[i].name, name))
			return (int)i;
	return -1;
}

static unsigned rows_before(const struct xml_type *t)
{
	return t->resource ? (unsigned)ARRAY_LEN(common) : 0;
}

unsigned xml_row_count(const struct xml_type *t)
{
	return rows_before(t) + t->count + (t->resource ? 1 : 0);
}

int xml_find_row(const struct xml_type *t, struct str name)
{
	int row = find_in(t->attrs, t->count, name);

	if (row >= 0)
		return (int)rows_before(t) + row;
	if (!t->resource)
		return -1;
	if (str_eq(name, child_refs.name))
		return (int)xml_row_count(t) - 1;
	return find_in(common, ARRAY_LEN(common), name);
}

const struct xml_attr *xml_row(const struct xml_type *t, int row)
{
	unsigned i = (unsigned)row, before = rows_before(t);

	assert(row >= 0 && i < xml_row_count(t));
	if (i < before)
		return &common[i];
	return i - before < t->count ? &t->attrs[i - before] : &child_refs;
}

const struct xml_attr *xml_find_loose(const struct xml_type *t,
				      struct str name)
{
	int row;

	if (t->globals == XML_GLOBALS_ONE)
		return xml_find_global(name);
	if (t->guess)
		return NULL;
	row = xml_find_row(&other, name);
	if (row > 0)		/* rn is none, elsewhere */
		return xml_row(&other, row);
	for (size_t i = 0; i < ARRAY_LEN(loose); i++) {
		row = find_in(loose[i]->attrs, loose[i]->count, name);
		if (row >= 0 && (loose[i]->attrs[row].flags & XML_TAG) == 0)
			return &loose[i]->attrs[row];
	}
	return NULL;
}

const struct xml_attr *xml_find_global(struct str local)
{
	int i = find_in(globals, ARRAY_LEN(globals), local);

	if (i < 0 && local.len > 1 && local.p[local.len - 1] == 'A') {
		local.len--;
		i = find_in(globals, ARRAY_LEN(globals), local);
		if (i >= 0 && (globals[i].type == NULL ||
			       !globals[i].type->resource))
			return NULL;
	}
	return i >= 0 ? &globals[i] : NULL;
}

const struct xml_attr *xml_global(struct str prefix, struct str local)
{
	const struct xml_attr *a;

	if (!str_eq(prefix, STR("m2m")))
		return &some_fcnt;
	a = xml_find_global(local);
	return a != NULL ? a : &some_resource;
}

void xml_uri_of_prefix(struct str *head, struct str *tail, struct str prefix)
{
	for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
		if (str_eq(domains[i].prefix, prefix)) {
			*head = domains[i].uri;
			*tail = STR("");
			return;
		}
	}
	*head = STR(XML_NS "/");
	*tail = prefix;
}

static bool is_uri_of(struct str uri, struct str prefix)
{
	struct str head, tail;

	xml_uri_of_prefix(&head, &tail, prefix);
	return str_starts(uri, head) && str_eq(str_skip(uri, head.len), tail);
}

struct str xml_prefix_of_uri(struct str uri, struct str own)
{
	struct str rest = str_skip(uri, sizeof(XML_NS "/") - 1);

	if (is_uri_of(uri, own))
		return own;
	for (size_t i = 0; i < ARRAY_LEN(domains); i++)
		if (str_eq(domains[i].uri, uri))
			return domains[i].prefix;
	return is_uri_of(uri, rest) ? rest : own;
}

bool xml_is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i], low = (char)(c | 0x20);

		if ((low >= 'a' && low <= 'z') || c == '_')
			continue;
		if (i == 0 || ((c < '0' || c > '9') && c != '.' && c != '-'))
			return false;
	}
	return s.len > 0;
}
