/*
 * What a peer writes stays inside its place in an HTTP message, whatever
 * octets it holds; and what can be carried comes back as it was.
 */
#include "http_map_util.h"
#include "m2m/json.h"

/* A place for a peer's text: a parameter, or a string within its JSON. */
struct place {
	const char *name;
	enum prim_param id;
	const char *before;	/* NULL: the parameter's own text */
	const char *after;
};

#define SCALAR(id) { #id, PARAM_##id, NULL, NULL }

static const struct place request_places[] = {
	SCALAR(TO), SCALAR(FR), SCALAR(RQI), SCALAR(RVI), SCALAR(VSI),
	SCALAR(OT), SCALAR(RQET), SCALAR(RSET), SCALAR(OET), SCALAR(EC),
	SCALAR(GID), SCALAR(TY), SCALAR(RP), SCALAR(RCN), SCALAR(DA),
	SCALAR(DRT), SCALAR(TQI), SCALAR(ASI), SCALAR(AURI), SCALAR(SQI),
	SCALAR(RT), SCALAR(TKNS), SCALAR(RIDS),
	{ "rt.rtv", PARAM_RT, "{\"rtv\":", "}" },
	{ "rt.nu", PARAM_RT, "{\"nu\":[", ",\"z\"]}" },
	{ "rt.nu last", PARAM_RT, "{\"nu\":[\"z\",", "]}" },
	{ "rt.nu alone", PARAM_RT, "{\"nu\":", "}" },
	{ "rids", PARAM_RIDS, "[\"z\",", "]" },
	{ "tids", PARAM_TIDS, "[", "]" },
	{ "ltids", PARAM_LTIDS, "[", ",\"z\"]" },
	{ "tkns", PARAM_TKNS, "[\"z\",", "]" },
	{ "aus", PARAM_AUS, "[", ",\"z\"]" },
	{ "fc member", PARAM_FC, "{", ":1}" },
	{ "fc value", PARAM_FC, "{\"lbq\":", "}" },
	{ "fc unknown value", PARAM_FC, "{\"zz\":", "}" },
	{ "fc list", PARAM_FC, "{\"lbl\":[\"z\",", "]}" },
	{ "fc.atr nm", PARAM_FC, "{\"atr\":[{\"nm\":", ",\"val\":1}]}" },
	{ "fc.atr val", PARAM_FC, "{\"atr\":[{\"nm\":\"z\",\"val\":", "}]}" },
	{ "fc.catr nm", PARAM_FC, "{\"catr\":[{\"nm\":", ",\"val\":1}]}" },
	{ "fc.patr val", PARAM_FC, "{\"patr\":{\"nm\":\"z\",\"val\":", "}}" },
	{ "pc m2m:atrl", PARAM_COUNT, "{\"m2m:atrl\":[\"z\",", "]}" },
};

static const struct place response_places[] = {
	SCALAR(RQI), SCALAR(RVI), SCALAR(FR), SCALAR(OT), SCALAR(RSET),
	SCALAR(EC), SCALAR(CNST), SCALAR(CNOT), SCALAR(ASRI), SCALAR(VSI),
	{ "ati lti", PARAM_ATI, "{\"ltia\":[{\"lti\":", ",\"tkid\":\"z\"}]}" },
	{ "ati tkid", PARAM_ATI, "{\"ltia\":[{\"tkid\":", ",\"lti\":\"z\"}]}" },
	{ "m2m:uri", PARAM_COUNT, "{\"m2m:uri\":", "}" },
	{ "m2m:rce", PARAM_COUNT, "{\"m2m:rce\":{\"uri\":", "}}" },
};

/* "ab" with an octet at one of its three places; in JSON octets above ASCII
 * become code points. */
static void fill(struct prim *p, const struct place *at, struct buf *text,
		 int octet, int where)
{
	char raw[5] = { 'a', 'b' };
	size_t len = 2;

	if (octet >= 0) {
		bool wide = at->before != NULL && octet > 0x7f;
		char utf8[2] = { (char)(0xc0 | (octet >> 6)),
				 (char)(0x80 | (octet & 0x3f)) };
		char one = (char)octet;
		size_t n = wide ? 2 : 1;

		memmove(raw + where + n, raw + where, 2 - (size_t)where);
		memcpy(raw + where, wide ? utf8 : &one, n);
		len += n;
	}
	buf_clear(text);
	if (at->before != NULL) {
		buf_add_str(text, str_of(at->before));
		buf_add_json(text, (struct str){ raw, len });
		buf_add_str(text, str_of(at->after));
	} else {
		buf_add(text, raw, len);
	}
	if (at->id == PARAM_COUNT)
		p->content = buf_str(text);
	else
		prim_set(p, at->id,
			 at->before != NULL ? VALUE_JSON : VALUE_STRING,
			 buf_str(text));
}

static void request_begin(struct prim *p, const struct place *at)
{
	prim_reset(p, PRIM_REQUEST);
	p->op = at->id == PARAM_TY ? OP_CREATE : OP_RETRIEVE;
	prim_set_str(p, PARAM_TO, STR("cb1"));
	prim_set_str(p, PARAM_FR, STR("Cm"));
	prim_set_str(p, PARAM_RQI, STR("1"));
}

static size_t count_of(struct str s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == c;
	return n;
}

/* The same lines, of which at most one differs and that in its value. */
static void check_same_lines(const struct test_head *got,
			     const struct test_head *plain, const char *name,
			     int octet)
{
	size_t changed = !str_eq(got->start, plain->start);

	unit_must_msg(got->count == plain->count, "%s: octet %d: %zu lines",
		      name, octet, got->count);
	for (size_t i = 0; i < got->count; i++) {
		unit_must_msg(str_eq(got->headers[i].name,
				     plain->headers[i].name),
			      "%s: octet %d: line %zu", name, octet, i);
		changed += !str_eq(got->headers[i].value,
				   plain->headers[i].value);
	}
	unit_must_msg(changed <= 1, "%s: octet %d: %zu changes", name, octet,
		      changed);
}

static void check_same_target(struct str got, struct str plain,
			      const struct place *at, int octet)
{
	struct str path[2], query[2];

	unit_must_msg(count_of(got, ' ') == 2, "%s: octet %d: %.*s",
		      at->name, octet, (int)got.len, got.p);
	unit_must_msg(count_of(got, '#') == 0, "%s: octet %d", at->name,
		      octet);
	if (at->id == PARAM_TO && octet == '#')
		return;			/* is meant to begin a query */
	unit_must_msg(count_of(got, '?') == count_of(plain, '?'),
		      "%s: octet %d", at->name, octet);
	(void)str_cut(got, '?', &path[0], &query[0]);
	(void)str_cut(plain, '?', &path[1], &query[1]);
	unit_must_msg(count_of(query[0], '&') == count_of(query[1], '&') &&
			      count_of(query[0], '=') ==
				      count_of(query[1], '=') &&
			      count_of(query[0], '+') ==
				      count_of(query[1], '+'),
		      "%s: octet %d: %.*s", at->name, octet, (int)got.len,
		      got.p);
}

/* Where encoding would not be enough: CSEs decode and pass on. */
static bool must_refuse(const struct place *at, int octet)
{
	if (at->id == PARAM_TO)
		return octet < 0x20 || octet == 0x7f;
	return octet == 0 || octet == '\r' || octet == '\n';
}

START_TEST(test_request_octets)
{
	const struct place *at = &request_places[_i];
	struct buf text = { 0 }, plain_text = { 0 }, out = { 0 };
	struct test_head head, plain;
	struct prim p = { 0 };
	const char *why;
	struct str body;

	request_begin(&p, at);
	fill(&p, at, &text, -1, 0);
	ck_assert_int_eq(http_map_write_request(&plain_text, &body, NULL, &why, &p,
						&test_conf), 0);
	head_parse(&plain, buf_str(&plain_text));
	for (int i = 0; i < 256 * 3; i++) {
		int octet = i / 3;

		request_begin(&p, at);
		fill(&p, at, &text, octet, i % 3);
		buf_clear(&out);
		if (http_map_write_request(&out, &body, NULL, &why, &p,
					   &test_conf) != 0) {
			unit_must(out.len == 0);
			unit_must_msg(octet != 'x', "%s: %s", at->name, why);
			continue;
		}
		unit_must_msg(!must_refuse(at, octet), "%s: octet %d",
			      at->name, octet);
		head_parse(&head, buf_str(&out));
		unit_must(head.body.len == 0);
		check_same_lines(&head, &plain, at->name, octet);
		check_same_target(head.start, plain.start, at, octet);
	}
	buf_deinit(&text);
	buf_deinit(&plain_text);
	buf_deinit(&out);
	prim_deinit(&p);
}
END_TEST

/* Of a response an unsafe header is missing, nothing else changes. */
static void check_fewer_lines(const struct test_head *got,
			      const struct test_head *plain, const char *name)
{
	size_t from = 0;

	unit_must_msg(got->count + 1 >= plain->count, "%s", name);
	for (size_t i = 0; i < got->count; i++) {
		while (from < plain->count &&
		       !str_eq(got->headers[i].name,
			       plain->headers[from].name))
			from++;
		unit_must_msg(from < plain->count, "%s: %.*s", name,
			      (int)got->headers[i].name.len,
			      got->headers[i].name.p);
		unit_must_msg(got->headers[i].value.len > 0, "%s", name);
		from++;
	}
}

START_TEST(test_response_octets)
{
	const struct place *at = &response_places[_i];
	struct buf text = { 0 }, plain_text = { 0 }, out = { 0 };
	struct test_head head, plain;
	struct prim p = { 0 };
	const char *why;

	for (int i = -1; i < 256 * 3; i++) {
		struct buf *to = i < 0 ? &plain_text : &out;

		prim_reset(&p, PRIM_RESPONSE);
		p.rsc = RSC_CREATED;
		fill(&p, at, &text, i < 0 ? -1 : i / 3, i < 0 ? 0 : i % 3);
		buf_clear(to);
		ck_assert_int_eq(http_map_write_response(to, &why, &p,
							 &test_reply), 0);
		head_parse(i < 0 ? &plain : &head, buf_str(to));
		if (i < 0)
			continue;
		unit_must(str_eq(head.body, p.content));
		check_fewer_lines(&head, &plain, at->name);
	}
	buf_deinit(&text);
	buf_deinit(&plain_text);
	buf_deinit(&out);
	prim_deinit(&p);
}
END_TEST

/* A generator of primitives whose HTTP form loses nothing. */
struct random {
	uint64_t state;
	struct buf text;	/* all that the primitive's slices point to */
};

static unsigned pick(struct random *r, unsigned below)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (unsigned)(r->state >> 33) % below;
}

static struct str since(const struct random *r, size_t from)
{
	return (struct str){ r->text.p + from, r->text.len - from };
}

/* Visible ASCII without what separates members in headers. */
static struct str word(struct random *r)
{
	size_t from = r->text.len;

	for (unsigned n = 1 + pick(r, 12); n > 0; n--) {
		char c = (char)(0x21 + pick(r, 0x5e));

		buf_add_char(&r->text, c == '&' || c == '+' ? 'x' : c);
	}
	return since(r, from);
}

/* Any characters but NUL, CR and LF; the last two only within text. */
static struct str wide(struct random *r, bool spaces)
{
	static const char *const parts[] = {
		"a", "Z", "0", "%", "+", "&", "=", "#", "?", "/", "\"", "\\",
		"\t", "\x01", "\x7f", "\302\260", "\342\202\254",
		"\360\237\230\200", "[", "]", ",", "%41", "..", "*", " ",
	};
	size_t from = r->text.len;

	for (unsigned n = 1 + pick(r, 8); n > 0; n--)
		buf_add_str(&r->text, str_of(parts[pick(r, ARRAY_LEN(parts) -
						       (spaces ? 0 : 1))]));
	return since(r, from);
}

static struct str number(struct random *r)
{
	static const char *const forms[] = {
		"0", "3", "-1", "5.0", "1e5", "12345678901234567890",
	};
	size_t from = r->text.len;

	buf_add_str(&r->text, str_of(forms[pick(r, ARRAY_LEN(forms))]));
	return since(r, from);
}

/* A JSON string of what make() gives. */
static void add_string(struct random *r, struct buf *json, bool spaces)
{
	buf_add_json(json, wide(r, spaces));
}

static void add_strings(struct random *r, struct buf *json)
{
	buf_add_char(json, '[');
	for (unsigned n = 1 + pick(r, 3); n > 0; n--) {
		add_string(r, json, false);
		buf_add_char(json, n > 1 ? ',' : ']');
	}
}

static void add_words(struct random *r, struct buf *json)
{
	buf_add_char(json, '[');
	for (unsigned n = 1 + pick(r, 3); n > 0; n--) {
		buf_add_json(json, word(r));
		buf_add_char(json, n > 1 ? ',' : ']');
	}
}

static void add_conditions(struct random *r, struct buf *json)
{
	buf_add_char(json, '[');
	for (unsigned n = 1 + pick(r, 3); n > 0; n--) {
		buf_add_lit(json, "{\"nm\":\"q");	/* no known name */
		buf_add_u64(json, pick(r, 100));
		buf_add_lit(json, "\",\"val\":");
		add_string(r, json, true);
		buf_add_str(json, n > 1 ? STR("},") : STR("}]"));
	}
}

/* Members in any order, some of them missing. */
static void add_fc(struct random *r, struct buf *json)
{
	static const struct {
		const char *name;
		char kind;
	} members[] = {
		{ "fu", 'n' }, { "lbl", 'l' }, { "lim", 'n' }, { "ty", 't' },
		{ "crb", 's' }, { "atr", 'a' }, { "lbq", 's' },
		{ "catr", 'a' }, { "smf", 'l' }, { "patr", 'a' },
	};
	unsigned at = pick(r, ARRAY_LEN(members)), step = pick(r, 3) + 1;
	bool first = true;

	for (; at < ARRAY_LEN(members); at += step, first = false) {
		buf_add_char(json, first ? '{' : ',');
		buf_add_json(json, str_of(members[at].name));
		buf_add_char(json, ':');
		if (members[at].kind == 'n')
			buf_add_str(json, number(r));
		else if (members[at].kind == 's')
			add_string(r, json, true);
		else if (members[at].kind == 'l')
			add_strings(r, json);
		else if (members[at].kind == 'a')
			add_conditions(r, json);
		else
			buf_add_lit(json, "[3,4]");
	}
	buf_add_char(json, '}');
}

static void set_json(struct random *r, struct prim *p, enum prim_param id,
		     void (*add)(struct random *r, struct buf *json))
{
	struct buf json = { 0 };
	size_t from;

	if (pick(r, 2) == 0)
		return;
	add(r, &json);
	from = r->text.len;
	buf_add_str(&r->text, buf_str(&json));
	prim_set(p, id, VALUE_JSON, since(r, from));
	buf_deinit(&json);
}

static void add_rt(struct random *r, struct buf *json)
{
	buf_add_lit(json, "{\"rtv\":");
	buf_add_str(json, number(r));
	buf_add_lit(json, ",\"nu\":");
	if (pick(r, 4) == 0)
		buf_add_lit(json, "[]");
	else
		add_words(r, json);
	buf_add_char(json, '}');
}

static void set_to(struct random *r, struct prim *p)
{
	static const char *const starts[] = { "", "/", "//" };
	size_t from = r->text.len;

	buf_add_str(&r->text, str_of(starts[pick(r, 3)]));
	for (unsigned n = 1 + pick(r, 3); n > 0; n--) {
		struct str segment;
		size_t at = r->text.len;

		buf_add_char(&r->text, 'n');
		segment = wide(r, true);
		for (size_t i = 0; i < segment.len; i++) {
			char *c = &r->text.p[at + 1 + i];

			if (*c == '#' || *c == '/' || *c == 0x7f ||
			    *c == '\t' || *c == 0x01)
				*c = '-';
		}
		if (n > 1)
			buf_add_char(&r->text, '/');
	}
	prim_set_str(p, PARAM_TO, since(r, from));
}

static void set_scalars(struct random *r, struct prim *p)
{
	static const enum prim_param in_header[] = {
		PARAM_FR, PARAM_RQI, PARAM_RVI, PARAM_RQET, PARAM_RSET,
		PARAM_OET, PARAM_OT, PARAM_GID, PARAM_VSI,
	};
	static const enum prim_param numbers[] = {
		PARAM_EC, PARAM_RCN, PARAM_DRT,
	};
	static const enum prim_param flags[] = {
		PARAM_DA, PARAM_TQI, PARAM_ASI, PARAM_AURI, PARAM_SQI,
	};

	for (size_t i = 0; i < ARRAY_LEN(in_header); i++)
		if (pick(r, 2) == 0)
			prim_set_str(p, in_header[i], word(r));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (pick(r, 2) == 0)
			prim_set(p, numbers[i], VALUE_NUMBER, number(r));
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (pick(r, 2) == 0)
			prim_set(p, flags[i], VALUE_BOOL,
				 pick(r, 2) ? STR("true") : STR("false"));
	if (pick(r, 2) == 0)
		prim_set_str(p, PARAM_RP, wide(r, true));
}

static void make_request(struct random *r, struct prim *p)
{
	buf_clear(&r->text);
	unit_must(buf_reserve(&r->text, 1 << 16));	/* slices stay good */
	prim_reset(p, PRIM_REQUEST);
	p->op = (enum op)(OP_CREATE + pick(r, 5));
	set_to(r, p);
	set_scalars(r, p);
	set_json(r, p, PARAM_RT, add_rt);
	set_json(r, p, PARAM_FC, add_fc);
	set_json(r, p, PARAM_RIDS, add_strings);
	set_json(r, p, PARAM_TIDS, add_strings);
	set_json(r, p, PARAM_LTIDS, add_strings);
	set_json(r, p, PARAM_TKNS, add_words);
	set_json(r, p, PARAM_AUS, add_words);
	if (p->op == OP_CREATE)
		prim_set(p, PARAM_TY, VALUE_NUMBER, STR("4"));
	if (p->op == OP_RETRIEVE && pick(r, 2) == 0)
		p->content = STR("{\"m2m:atrl\":[\"a\",\"b\"]}");
	else if (p->op != OP_RETRIEVE && p->op != OP_DELETE)
		p->content = STR("{\"m2m:cnt\":{}}");
	unit_must(!r->text.failed && r->text.cap == 1 << 16);
}

static void check_equal(const struct prim *got, const struct prim *want,
			int round, struct str head)
{
	unit_must_msg(got->op == want->op, "round %d: op %d", round, got->op);
	for (int id = 0; id < PARAM_COUNT; id++) {
		const struct value *g = &got->param[id];
		const struct value *w = &want->param[id];

		if (!prim_has(want, (enum prim_param)id) &&
		    !prim_has(got, (enum prim_param)id))
			continue;
		unit_must_msg(prim_has(want, (enum prim_param)id) &&
				      prim_has(got, (enum prim_param)id) &&
				      g->type == w->type &&
				      str_eq(g->text, w->text),
			      "round %d: %.*s: %.*s, want %.*s\n%.*s", round,
			      (int)prim_params[id].name.len,
			      prim_params[id].name.p, (int)g->text.len,
			      g->text.p, (int)w->text.len, w->text.p,
			      (int)head.len, head.p);
	}
	unit_must_msg(str_eq(got->content, want->content), "round %d: pc",
		      round);
}

START_TEST(test_round_trip)
{
	struct random r = { .state = 0x9e3779b97f4a7c15u };
	struct prim made = { 0 }, read = { 0 };
	struct buf out = { 0 };
	struct test_head head;
	const char *why = "";
	struct http_msg msg;
	struct str body;

	for (int round = 0; round < 10000; round++) {
		make_request(&r, &made);
		buf_clear(&out);
		unit_must_msg(http_map_write_request(&out, &body, NULL, &why, &made,
						     &test_conf) == 0,
			      "round %d: %s", round, why);
		head_parse(&head, buf_str(&out));
		msg = head_request(&head);
		msg.body = body;
		unit_must_msg(http_map_read_request(&read, &why, &msg,
						    &test_conf) == 0,
			      "round %d: %s", round, why);
		check_equal(&read, &made, round, buf_str(&out));
	}
	buf_deinit(&out);
	buf_deinit(&r.text);
	prim_deinit(&made);
	prim_deinit(&read);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_map_inert");
	TCase *tc = tcase_create("inert");

	tcase_set_timeout(tc, 120);	/* sanitizers on a busy machine */
	tcase_add_loop_test(tc, test_request_octets, 0,
			    ARRAY_LEN(request_places));
	tcase_add_loop_test(tc, test_response_octets, 0,
			    ARRAY_LEN(response_places));
	tcase_add_test(tc, test_round_trip);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
