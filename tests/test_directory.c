#include "unit.h"

#include "../src/gateway/directory.h"

static const struct entity_home home = { STR_INIT("id-in"), STR_INIT("") };
static struct directory_conf conf;
static struct directory *directory;

/* Presence, a line for each event. */
static struct buf events;

static void note_event(char sign, const struct entity *e, struct place at)
{
	buf_add_char(&events, sign);
	buf_add_str(&events, e->id);
	buf_add_char(&events, ' ');
	buf_add_u64(&events, at.sid);
	buf_add_char(&events, '\n');
}

static void on_online(void *owner, struct entity *e, struct place at)
{
	ck_assert_ptr_eq(owner, &events);
	note_event('+', e, at);
}

static void on_offline(void *owner, struct entity *e, struct place at)
{
	ck_assert_ptr_eq(owner, &events);
	note_event('-', e, at);
}

static const struct directory_ops ops = { on_online, on_offline };

static void check_events(const char *want)
{
	ck_assert_msg(str_eq(buf_str(&events), str_of(want)), "%.*s",
		      (int)events.len, events.p);
	buf_clear(&events);
}

static void setup(void)
{
	conf = (struct directory_conf){
		.home = &home,
		.max_octets = 1 << 20,
		.max_descendants = 100,
	};
	ck_assert_int_eq(directory_create(&directory, &conf, &ops, &events),
			 0);
}

static void teardown(void)
{
	directory_destroy(directory);
	buf_deinit(&events);
}

#define TOKEN_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TOKEN_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* "" is no token, NULL no dcse. */
static struct entity *enter(const char *id, bool is_cse, const char *token,
			    const char *dcse)
{
	struct entity_data data = { 0 };
	struct entity *e;

	if (dcse != NULL)
		data.dcse = str_of(dcse);
	e = directory_register(directory, str_of(id), is_cse, str_of(token),
			       &data);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void enter_ae(const char *id)
{
	entity_unref(enter(id, false, "", NULL));
}

static struct entity *find(const char *id)
{
	return directory_find(directory, str_of(id));
}

static struct place place(unsigned worker, uint64_t sid)
{
	return (struct place){ worker, sid };
}

START_TEST(test_register)
{
	struct entity_data data = {
		.rn = STR_INIT("lamp"),
		.poa = { .known = true, .routed = true, .rr = POA_RR_TRUE,
			 .poa = STR_INIT("[\"ws://x\"]") },
	};
	struct entity_data got;
	struct buf store = { 0 };
	struct entity *e, *same;

	ck_assert_ptr_null(find("/id-in/Cx"));
	e = directory_register(directory, STR("/id-in/Cx"), false,
			       STR(TOKEN_A), &data);
	ck_assert_ptr_nonnull(e);
	ck_assert(!entity_is_cse(e));
	ck_assert(directory_is_registered(directory, e));
	ck_assert(directory_read(&got, &store, directory, e));
	ck_assert(str_eq(got.rn, STR("lamp")));
	ck_assert(str_eq(got.poa.poa, STR("[\"ws://x\"]")));
	ck_assert(got.poa.known && got.poa.routed);
	ck_assert_int_eq(got.poa.rr, POA_RR_TRUE);
	ck_assert_ptr_null(got.dcse.p);
	/* once more: all that is known is replaced */
	data = (struct entity_data){ .rn = STR_INIT("") };
	same = directory_register(directory, STR("/id-in/Cx"), false,
				  STR(TOKEN_A), &data);
	ck_assert_ptr_eq(same, e);
	ck_assert(directory_read(&got, &store, directory, e));
	ck_assert(got.rn.p != NULL && got.rn.len == 0);
	ck_assert_ptr_null(got.poa.poa.p);
	ck_assert(!got.poa.known && !got.poa.routed);
	ck_assert_uint_eq(directory_counters(directory).entities, 1);
	entity_unref(e);
	entity_unref(same);
	buf_deinit(&store);
}
END_TEST

START_TEST(test_reference_outlives_removal)
{
	struct entity *e = enter("/id-in/Cx", false, TOKEN_A, NULL), *again;
	char token[TOKEN_LEN + 1];
	struct entity_data data;
	struct buf store = { 0 };

	directory_remove(directory, e);
	directory_remove(directory, e);		/* twice is once */
	ck_assert_ptr_null(find("/id-in/Cx"));
	ck_assert_ptr_null(directory_find_token(directory, STR(TOKEN_A)));
	ck_assert(!directory_is_registered(directory, e));
	ck_assert(!directory_read(&data, &store, directory, e));
	ck_assert(!directory_token(directory, e, token));
	ck_assert(str_eq(e->id, STR("/id-in/Cx")));
	again = enter("/id-in/Cx", false, TOKEN_A, NULL);
	ck_assert_ptr_ne(again, e);
	ck_assert_uint_eq(directory_counters(directory).entities, 1);
	entity_unref(again);
	entity_unref(e);
	buf_deinit(&store);
}
END_TEST

START_TEST(test_token)
{
	struct entity *e = enter("/id-in/Cx", false, TOKEN_A, NULL), *got;
	char token[TOKEN_LEN + 1];

	ck_assert(directory_token(directory, e, token));
	ck_assert_str_eq(token, TOKEN_A);
	got = directory_find_token(directory, STR(TOKEN_A));
	ck_assert_ptr_eq(got, e);
	entity_unref(got);
	entity_unref(enter("/id-in/Cx", false, TOKEN_B, NULL));
	ck_assert_ptr_null(directory_find_token(directory, STR(TOKEN_A)));
	got = directory_find_token(directory, STR(TOKEN_B));
	ck_assert_ptr_eq(got, e);
	entity_unref(got);
	/* what is no token changes nothing */
	entity_unref(enter("/id-in/Cx", false, "bb", NULL));
	ck_assert(directory_token(directory, e, token));
	ck_assert_str_eq(token, TOKEN_B);
	ck_assert_ptr_null(directory_find_token(directory, STR("")));
	entity_unref(e);
}
END_TEST

START_TEST(test_made_tokens)
{
	char one[TOKEN_LEN + 1], two[TOKEN_LEN + 1];

	ck_assert_int_eq(directory_make_token(one), 0);
	ck_assert_int_eq(directory_make_token(two), 0);
	ck_assert_uint_eq(strlen(one), TOKEN_LEN);
	ck_assert_uint_eq(strspn(one, "0123456789abcdef"), TOKEN_LEN);
	ck_assert_str_ne(one, two);
}
END_TEST

/* Two sessions: the second one with `then` where the first came with `first`.
 */
static const struct {
	const char *name;
	bool registered;
	enum strength first, then;
	int err;
} takeovers[] = {
	{ "as strong", true, STRENGTH_FROM, STRENGTH_FROM, 0 },
	{ "stronger", true, STRENGTH_CREATED, STRENGTH_HANDSHAKE, 0 },
	{ "weaker", true, STRENGTH_HANDSHAKE, STRENGTH_FROM, UV_EACCES },
	{ "with a credential", true, STRENGTH_HANDSHAKE, STRENGTH_CREDENTIAL,
	  0 },
	{ "without that one", true, STRENGTH_CREDENTIAL, STRENGTH_HANDSHAKE,
	  UV_EACCES },
	{ "unregistered, with a credential", false, STRENGTH_CREDENTIAL,
	  STRENGTH_CREDENTIAL, 0 },
	{ "unregistered, without that one", false, STRENGTH_CREDENTIAL,
	  STRENGTH_HANDSHAKE, UV_EBUSY },
	{ "weakest", true, STRENGTH_FROM, STRENGTH_CREATED, UV_EACCES },
	{ "unregistered, as strong", false, STRENGTH_FROM, STRENGTH_FROM,
	  UV_EBUSY },
	{ "unregistered, stronger", false, STRENGTH_FROM, STRENGTH_HANDSHAKE,
	  UV_EBUSY },
};

START_TEST(test_takeover)
{
	struct entity *e = directory_open(directory, STR("/id-in/Cx"), false);
	struct directory_counters c;
	struct place replaced;
	int err = takeovers[_i].err;

	ck_assert_ptr_nonnull(e);
	if (takeovers[_i].registered)
		enter_ae("/id-in/Cx");
	ck_assert_uint_eq(directory_place(directory, e).sid, 0);
	ck_assert_int_eq(directory_claim(directory, e, place(1, 7),
					 takeovers[_i].first, &replaced), 0);
	ck_assert_uint_eq(replaced.sid, 0);
	check_events("+/id-in/Cx 7\n");
	if (takeovers[_i].registered)
		ck_assert_int_eq(directory_may_claim(directory, e,
						     takeovers[_i].then),
				 err == 0);
	ck_assert_msg(directory_claim(directory, e, place(2, 8),
				      takeovers[_i].then, &replaced) == err,
		      "%s", takeovers[_i].name);
	c = directory_counters(directory);
	ck_assert_uint_eq(replaced.sid, err == 0 ? 7 : 0);
	ck_assert_uint_eq(replaced.worker, err == 0 ? 1 : 0);
	ck_assert_uint_eq(directory_place(directory, e).sid, err == 0 ? 8 : 7);
	ck_assert_uint_eq(c.online, 1);
	ck_assert_uint_eq(c.replaced, err == 0);
	ck_assert_uint_eq(c.takeovers_refused, err == UV_EACCES);
	check_events(err == 0 ? "+/id-in/Cx 8\n" : "");
	/* who was replaced has nothing to give up */
	directory_leave(directory, e, place(1, err == 0 ? 7 : 9));
	ck_assert_uint_eq(directory_counters(directory).online, 1);
	check_events("");
	directory_leave(directory, e, directory_place(directory, e));
	check_events(err == 0 ? "-/id-in/Cx 8\n" : "-/id-in/Cx 7\n");
	ck_assert_uint_eq(directory_counters(directory).online, 0);
	directory_close(directory, e);
}
END_TEST

/* The same session again is no other one; it only grows stronger. */
START_TEST(test_claim_again)
{
	struct entity *e = enter("/id-in/Cx", false, "", NULL);
	struct place replaced;

	ck_assert_int_eq(directory_claim(directory, e, place(0, 1),
					 STRENGTH_CREATED, &replaced), 0);
	ck_assert_int_eq(directory_claim(directory, e, place(0, 1),
					 STRENGTH_HANDSHAKE, &replaced), 0);
	ck_assert_int_eq(directory_claim(directory, e, place(0, 1),
					 STRENGTH_FROM, &replaced), 0);
	ck_assert_uint_eq(replaced.sid, 0);
	check_events("+/id-in/Cx 1\n");
	ck_assert(!directory_may_claim(directory, e, STRENGTH_FROM));
	/* the next session is judged by its own strength */
	directory_leave(directory, e, place(0, 1));
	ck_assert_int_eq(directory_claim(directory, e, place(0, 2),
					 STRENGTH_CREATED, &replaced), 0);
	ck_assert(directory_may_claim(directory, e, STRENGTH_CREATED));
	entity_unref(e);
}
END_TEST

/* It stays while its session does; then nothing is left of it. */
START_TEST(test_removed_while_online)
{
	struct entity *e = enter("/id-in/Cx", false, TOKEN_A, NULL), *got;
	struct place replaced;

	ck_assert_int_eq(directory_claim(directory, e, place(0, 1),
					 STRENGTH_FROM, &replaced), 0);
	directory_remove(directory, e);
	got = find("/id-in/Cx");
	ck_assert_ptr_eq(got, e);
	entity_unref(got);
	ck_assert_ptr_null(directory_find_token(directory, STR(TOKEN_A)));
	directory_leave(directory, e, place(0, 1));
	ck_assert_ptr_null(find("/id-in/Cx"));
	ck_assert_uint_eq(directory_counters(directory).octets, 0);
	entity_unref(e);
}
END_TEST

/* An old reference must not bring back what was removed: the tables would
 * hold two of one id. */
START_TEST(test_claim_of_a_removed_one)
{
	struct entity *old = enter("/id-in/Cx", false, "", NULL), *fresh;
	struct place replaced;

	directory_remove(directory, old);
	ck_assert_int_eq(directory_claim(directory, old, place(0, 1),
					 STRENGTH_FROM, &replaced), 0);
	directory_leave(directory, old, place(0, 1));
	fresh = enter("/id-in/Cx", false, "", NULL);
	ck_assert_ptr_ne(fresh, old);
	ck_assert_int_eq(directory_claim(directory, old, place(0, 1),
					 STRENGTH_FROM, &replaced), UV_EBUSY);
	directory_remove(directory, fresh);
	ck_assert_ptr_null(find("/id-in/Cx"));
	entity_unref(old);
	entity_unref(fresh);
}
END_TEST

START_TEST(test_close)
{
	struct entity *e = directory_open(directory, STR("/id-in/Cx"), false);
	struct place replaced;

	ck_assert(!directory_is_registered(directory, e));
	directory_close(directory, e);
	ck_assert_ptr_null(find("/id-in/Cx"));
	ck_assert_uint_eq(directory_counters(directory).octets, 0);
	/* one that has a session, or has registered, stays */
	e = directory_open(directory, STR("/id-in/Cx"), false);
	ck_assert_int_eq(directory_claim(directory, e, place(0, 1),
					 STRENGTH_FROM, &replaced), 0);
	directory_close(directory, e);
	e = find("/id-in/Cx");
	ck_assert_ptr_nonnull(e);
	enter_ae("/id-in/Cx");
	directory_leave(directory, e, place(0, 1));
	directory_close(directory, e);
	e = find("/id-in/Cx");
	ck_assert_ptr_nonnull(e);
	entity_unref(e);
	directory_close(directory, NULL);
}
END_TEST

/* ---- routes ---- */

static const struct {
	const char *name;
	const char *to;
	const char *want;		/* id; NULL: nobody */
} routes[] = {
	{ "itself", "/id-in/Cx", "/id-in/Cx" },
	{ "a CSE", "/mn", "/mn" },
	{ "below a CSE", "/mn/Cy", "/mn" },
	{ "further below", "/mn/base/c/d", "/mn" },
	{ "a longer name", "/mnx", NULL },
	{ "a shorter name", "/m", NULL },
	{ "announced", "/asn1", "/mn" },
	{ "below what is announced", "/asn1/Cz", "/mn" },
	{ "announced in the form of the SP", "/asn2/Cz", "/mn" },
	{ "an AE is no way", "/id-in/Cx/y", NULL },
	{ "of the CSE behind us", "/id-in/Cnew", NULL },
	{ "an AE of the SP", "/Snew", NULL },
	{ "announced by both: the first has it", "/both", "/mn" },
	{ "of the second", "/asn3", "/other" },
	{ "a CSE that is there itself", "/other/Cx", "/other" },
	{ "a number is no id", "/5", NULL },
	{ "relative", "Cx", NULL },
	{ "nothing", "", NULL },
	{ "a slash", "/", NULL },
};

START_TEST(test_route)
{
	static const struct entity_home sp_home = { STR_INIT("id-in"),
						    STR_INIT("sp.org") };
	struct entity *e;
	const char *want = routes[_i].want;

	directory_destroy(directory);
	conf.home = &sp_home;
	ck_assert_int_eq(directory_create(&directory, &conf, NULL, NULL), 0);
	enter_ae("/id-in/Cx");
	entity_unref(enter("/mn", true, "", "[\"/asn1\", \"\\u002fboth\",5,"
			   "\"//sp.org/asn2\",\"/id-in\",\"/Snew\",\"/other\","
			   "\"\",\"x\",[\"/a\"]]"));
	entity_unref(enter("/other", true, "", "[\"/both\",\"/asn3\"]"));
	e = directory_find_route(directory, str_of(routes[_i].to));
	ck_assert_msg((e == NULL) == (want == NULL), "%s", routes[_i].name);
	if (want != NULL)
		ck_assert_msg(str_eq(e->id, str_of(want)), "%s: %.*s",
			      routes[_i].name, (int)e->id.len, e->id.p);
	entity_unref(e);
}
END_TEST

static void check_route(const char *to, const struct entity *want)
{
	struct entity *e = directory_find_route(directory, str_of(to));

	ck_assert_msg(e == want, "%s", to);
	entity_unref(e);
}

START_TEST(test_descendants_come_and_go)
{
	struct entity *one = enter("/one", true, "", "[\"/a\",\"/b\"]");
	struct entity *two = enter("/two", true, "", "[\"/b\",\"/c\"]");

	check_route("/b/Cx", one);
	/* an update without /b gives it up; the other one has to say it again */
	entity_unref(enter("/one", true, "", "[\"/a\"]"));
	check_route("/a", one);
	check_route("/b", NULL);
	entity_unref(enter("/two", true, "", "[\"/b\",\"/c\",\"/c\"]"));
	check_route("/b", two);
	check_route("/c", two);
	entity_unref(enter("/two", true, "", NULL));
	check_route("/c", NULL);
	entity_unref(enter("/two", true, "", "{\"/c\":1}"));
	check_route("/c", NULL);
	directory_remove(directory, one);
	check_route("/a", NULL);
	check_route("/one", NULL);
	directory_remove(directory, two);
	ck_assert_uint_eq(directory_counters(directory).octets, 0);
	entity_unref(one);
	entity_unref(two);
}
END_TEST

START_TEST(test_descendants_are_bounded)
{
	struct buf dcse = { 0 };
	struct entity *e;

	for (int i = 0; i < 150; i++) {
		char member[24];

		snprintf(member, sizeof(member), "%c\"/d%d\"",
			 i == 0 ? '[' : ',', i);
		buf_add_str(&dcse, str_of(member));
	}
	buf_add_lit(&dcse, "]\0");
	e = enter("/mn", true, "", dcse.p);
	check_route("/d99", e);
	check_route("/d100", NULL);
	ck_assert_uint_eq(directory_counters(directory).many_descendants, 1);
	entity_unref(e);
	buf_deinit(&dcse);
}
END_TEST

START_TEST(test_room)
{
	char text[2000];
	struct entity_data small = { .rn = STR_INIT("x") }, large = { 0 };
	size_t before;

	memset(text, 'p', sizeof(text));
	large.poa.poa = (struct str){ text, sizeof(text) };
	enter_ae("/id-in/Cx");
	before = directory_counters(directory).octets;
	directory_destroy(directory);
	conf.max_octets = before + sizeof(text);
	ck_assert_int_eq(directory_create(&directory, &conf, NULL, NULL), 0);
	ck_assert(directory_has_room(directory, STR("/id-in/Cx"), &large));
	enter_ae("/id-in/Cx");
	/* of the same one, it replaces what is there */
	ck_assert(directory_has_room(directory, STR("/id-in/Cx"), &large));
	ck_assert(!directory_has_room(directory, STR("/id-in/Cy"), &large));
	ck_assert(directory_has_room(directory, STR("/id-in/Cy"), &small));
	entity_unref(directory_register(directory, STR("/id-in/Cx"), false,
					STR(""), &large));
	ck_assert(!directory_has_room(directory, STR(""), &small));
	ck_assert(directory_has_room(directory, STR("/id-in/Cx"), &small));
	ck_assert_uint_eq(directory_counters(directory).full, 2);
}
END_TEST

/* ---- targets ---- */

static const struct {
	const char *to;
	bool ae, cse;			/* is it the resource of which */
} targets[] = {
	{ "Cx", true, false },
	{ "/id-in/Cx", true, false },
	{ "cse-in/lamp", true, false },
	{ "-/lamp", true, false },
	{ "/id-in/-/lamp", true, false },
	{ "cse-in/lamp/c", false, false },
	{ "cse-in/lam", false, false },
	{ "lamp", false, false },
	{ "Cy", false, false },
	{ "/mn/Cx", false, false },
	{ "mn", false, true },
	{ "/id-in/mn", false, true },
	{ "cse-in/csr1", false, true },
	{ "", false, false },
};

START_TEST(test_target)
{
	struct entity_data ae_data = { .rn = STR_INIT("lamp") };
	struct entity_data cse_data = { .rn = STR_INIT("csr1") };
	struct entity *ae = directory_register(
		directory, STR("/id-in/Cx"), false, STR(""), &ae_data);
	struct entity *cse = directory_register(directory, STR("/mn"), true,
						STR(""), &cse_data);
	struct str to = str_of(targets[_i].to);

	ck_assert_msg(directory_is_target(directory, ae, to) ==
			      targets[_i].ae, "%s", targets[_i].to);
	ck_assert_msg(directory_is_target(directory, cse, to) ==
			      targets[_i].cse, "%s", targets[_i].to);
	entity_unref(ae);
	entity_unref(cse);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("directory");
	TCase *tc = tcase_create("directory");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_register);
	tcase_add_test(tc, test_reference_outlives_removal);
	tcase_add_test(tc, test_token);
	tcase_add_test(tc, test_made_tokens);
	tcase_add_loop_test(tc, test_takeover, 0, ARRAY_LEN(takeovers));
	tcase_add_test(tc, test_claim_again);
	tcase_add_test(tc, test_removed_while_online);
	tcase_add_test(tc, test_claim_of_a_removed_one);
	tcase_add_test(tc, test_close);
	tcase_add_loop_test(tc, test_route, 0, ARRAY_LEN(routes));
	tcase_add_test(tc, test_descendants_come_and_go);
	tcase_add_test(tc, test_descendants_are_bounded);
	tcase_add_test(tc, test_room);
	tcase_add_loop_test(tc, test_target, 0, ARRAY_LEN(targets));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
