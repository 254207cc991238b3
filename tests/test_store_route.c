#include "store_script.h"

#include "store/store_route.h"

/* Where targets of notifications and requests are reached. */

static struct rig rig;

#define AE_AT(rn, rr, more) "'pc':{'m2m:ae':{'rn':'" rn "','api':'Nx'," \
	"'rr':" rr ",'srv':['3']" more "}}"
#define CSR(rn, id, rr, more) "'pc':{'m2m:csr':{'rn':'" rn "','cb':'" id \
	"/cb','rr':" rr ",'srv':['3']" more "}}"

static const struct row entities[] = {
	{ "with poa", C("cse-in", "Ca", 2) AE_AT("a", "true",
	  ",'poa':['http://a/1','mqtt://a','HTTPS://a/2','http://a/x y']"),
	  2001, NULL, 0 },
	{ "not reachable", C("cse-in", "Cb", 2) AE_AT("b", "false",
	  ",'poa':['http://b/']"), 2001, NULL, 0 },
	{ "without poa", C("cse-in", "Cc", 2) AE_AT("c", "true", ""), 2001,
	  NULL, 0 },
	{ "polls", C("cse-in", "Cp", 2) AE_AT("p", "true",
	  ",'poa':['http://p/']"), 2001, NULL, 0 },
	{ "its channel", C("cse-in/p", "Cp", 15)
	  "'pc':{'m2m:pch':{'rn':'pch'}}", 2001, NULL, 0 },
	{ "no entity", C("cse-in/a", "Ca", 3) CNT("'rn':'t'"), 2001, NULL, 0 },
	{ "a CSE with one behind it", C("cse-in", "/id-mn", 16)
	  CSR("mn", "/id-mn", "true",
	      ",'poa':['http://mn/'],'dcse':['/id-x','/id-leaf']"), 2001,
	  NULL, 0 },
	{ "a CSE that polls", C("cse-in", "/id-far", 16)
	  CSR("far", "/id-far", "false", ",'dcse':['//sp/id-deep']"), 2001,
	  NULL, 0 },
	{ "its channel", C("cse-in/far", "/id-far", 15)
	  "'pc':{'m2m:pch':{'rn':'q'}}", 2001, NULL, 0 },
	{ "a CSE of both", C("cse-in", "/id-leaf2", 16)
	  CSR("leaf2", "/id-leaf2", "true",
	      ",'poa':['http://leaf2/'],'dcse':['/id-mn']"), 2001, NULL, 0 },
};

static void setup(void)
{
	rig_open(&rig);
	PLAY(entities);
}

static void teardown(void)
{
	rig_close(&rig);
}

#define A  "http://a/1\nHTTPS://a/2\n"
#define MN "http://mn/\n"

static const struct {
	const char *target;
	enum route_kind kind;
	const char *urls;
	const char *to;
	const char *channel;	/* of whose pollingChannel; NULL: of none */
} routes[] = {
	{ "http://h/x", ROUTE_URL, "http://h/x\n", "", NULL },
	{ "https://h", ROUTE_URL, "https://h\n", "", NULL },
	{ "http://h/x?ct=json", ROUTE_URL, "http://h/x\n", "", NULL },
	{ "http://h/x?a=b&ct=cbor", ROUTE_URL, "http://h/x?a=b\n", "", NULL },
	{ "http://h?ct=xml", ROUTE_URL, "http://h\n", "", NULL },
	{ "http://h/x?ct=5", ROUTE_URL, "http://h/x?ct=5\n", "", NULL },
	{ "http://h/ct=json", ROUTE_URL, "http://h/ct=json\n", "", NULL },
	{ "http://h/x\ny", ROUTE_URL, "", "", NULL },
	{ "mqtt://h/x", ROUTE_URL, "", "", NULL },
	{ "Ca", ROUTE_AE, A, "Ca", NULL },
	{ "Ca?ct=json", ROUTE_AE, A, "Ca", NULL },
	{ "/id-in/Ca", ROUTE_AE, A, "Ca", NULL },
	{ "//sp/id-in/Ca", ROUTE_AE, A, "Ca", NULL },
	{ "cse-in/a", ROUTE_AE, A, "Ca", NULL },
	{ "-/a", ROUTE_AE, A, "Ca", NULL },
	{ "/id-in/cse-in/a?ct=cbor", ROUTE_AE, A, "Ca", NULL },
	{ "Cb", ROUTE_AE, "", "Cb", NULL },
	{ "Cc", ROUTE_AE, "", "Cc", NULL },
	{ "Cp", ROUTE_AE, "", "Cp", "cse-in/p" },
	{ "cse-in/p/pch/pcu", ROUTE_AE, "", "Cp", "cse-in/p" },
	{ "cse-in/p/pch", ROUTE_NONE, "", "", NULL },
	{ "cse-in/mn", ROUTE_CSE, MN, "/id-mn", NULL },
	{ "id-mn", ROUTE_CSE, MN, "/id-mn", NULL },
	{ "/id-mn", ROUTE_CSE, MN, "/id-mn", NULL },
	{ "/id-mn/Cx", ROUTE_CSE, MN, "/id-mn/Cx", NULL },
	{ "/id-mn/cb/x?ct=json", ROUTE_CSE, MN, "/id-mn/cb/x", NULL },
	{ "//sp/id-mn/Cx", ROUTE_CSE, MN, "/id-mn/Cx", NULL },
	{ "/id-leaf/Cy", ROUTE_CSE, MN, "/id-leaf/Cy", NULL },
	{ "/id-leaf2/Cy", ROUTE_CSE, "http://leaf2/\n", "/id-leaf2/Cy",
	  NULL },
	{ "/id-far/Cz", ROUTE_CSE, "", "/id-far/Cz", "cse-in/far" },
	{ "/id-deep/Cz", ROUTE_CSE, "", "/id-deep/Cz", "cse-in/far" },
	{ "/id-m/Cx", ROUTE_NONE, "", "/id-m/Cx", NULL },
	{ "/Ca", ROUTE_NONE, "", "/Ca", NULL },
	{ "cse-in", ROUTE_SELF, "", "", NULL },
	{ "id-in", ROUTE_SELF, "", "", NULL },
	{ "/id-in", ROUTE_SELF, "", "", NULL },
	{ "//sp/id-in/-", ROUTE_SELF, "", "", NULL },
	{ "Cnobody", ROUTE_NONE, "", "", NULL },
	{ "cse-in/a/t", ROUTE_NONE, "", "", NULL },
	{ "cse-in/a/t/la", ROUTE_NONE, "", "", NULL },
	{ "", ROUTE_NONE, "", "", NULL },
	{ "/", ROUTE_NONE, "", "", NULL },
	{ "//", ROUTE_NONE, "", "//", NULL },
	{ "//sp", ROUTE_NONE, "", "//sp", NULL },
};

static int64_t channel_of(const char *path)
{
	struct store_target t;
	int64_t id;

	if (path == NULL)
		return 0;
	ck_assert_int_eq(store_resolve(&t, rig.c, str_of(path)), 0);
	ck_assert_int_eq(tree_first(&id, rig.c, t.r.id, 15), 0);
	store_target_deinit(&t);
	return id;
}

static bool str_is(struct str have, const char *want)
{
	return str_eq(have, str_of(want));
}

START_TEST(test_route)
{
	const char *target = routes[_i].target;
	struct route r = { 0 };

	/* the second time it is a kept one */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(route_find(&r, rig.c, str_of(target)), 0);
		ck_assert_msg(r.kind == routes[_i].kind, "%s: kind %d", target,
			      (int)r.kind);
		ck_assert_msg(str_is(r.at.urls, routes[_i].urls), "%s: %.*s",
			      target, (int)r.at.urls.len, r.at.urls.p);
		ck_assert_msg(str_is(r.at.to, routes[_i].to), "%s: %.*s",
			      target, (int)r.at.to.len, r.at.to.p);
		ck_assert(r.at.exact == (r.kind == ROUTE_URL));
		ck_assert_msg(r.at.channel == channel_of(routes[_i].channel),
			      "%s", target);
	}
}
END_TEST

/* All of them in a row, so that many meet in one slot. */
START_TEST(test_many_routes)
{
	struct route r = { 0 };
	char target[32];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 500; i++) {
			snprintf(target, sizeof(target), "http://h/%d\n", i);
			ck_assert_int_eq(route_find(&r, rig.c, (struct str){
					target, strlen(target) - 1 }), 0);
			ck_assert(str_is(r.at.urls, target));
		}
	}
}
END_TEST

static const struct {
	const char *what;
	int rsc;
	const char *change;
	const char *target;
	const char *urls;
} changes[] = {
	{ "poa", 2004, U("cse-in/a", "Ca")
	  "'pc':{'m2m:ae':{'poa':['http://new/']}}", "Ca", "http://new/\n" },
	{ "rr", 2004, U("cse-in/a", "Ca") "'pc':{'m2m:ae':{'rr':false}}",
	  "Ca", "" },
	{ "gone", 2002, D("cse-in/a", "Ca"), "Ca", "" },
	{ "by another id", 2002, D("cse-in/a", "Ca"), "cse-in/a", "" },
	{ "polls now", 2001, C("cse-in/a", "Ca", 15)
	  "'pc':{'m2m:pch':{'rn':'pch'}}", "Ca", "" },
	{ "polls no longer", 2002, D("cse-in/p/pch", "Cp"), "Cp",
	  "http://p/\n" },
	{ "registers", 2001, C("cse-in", "Cnobody", 2) AE_AT("n", "true",
	  ",'poa':['http://n/']"), "Cnobody", "http://n/\n" },
	{ "dcse", 2004, U("cse-in/mn", "/id-mn")
	  "'pc':{'m2m:csr':{'dcse':['/id-m']}}", "/id-m/x", MN },
	{ "dcse no longer", 2004, U("cse-in/mn", "/id-mn")
	  "'pc':{'m2m:csr':{'dcse':null}}", "/id-leaf/x", "" },
};

static void check_urls(const char *what, const char *target, const char *urls)
{
	struct route r = { 0 };

	ck_assert_int_eq(route_find(&r, rig.c, str_of(target)), 0);
	ck_assert_msg(str_is(r.at.urls, urls), "%s: %.*s", what,
		      (int)r.at.urls.len, r.at.urls.p);
}

START_TEST(test_change)
{
	struct route before = { 0 };
	char urls[64];

	ck_assert_int_eq(route_find(&before, rig.c,
				    str_of(changes[_i].target)), 0);
	snprintf(urls, sizeof(urls), "%.*s", (int)before.at.urls.len,
		 before.at.urls.p);
	ck_assert_int_eq(store_begin(rig.c), 0);
	ck_assert_int_eq(rig_within(&rig, changes[_i].change),
			 changes[_i].rsc);
	check_urls(changes[_i].what, changes[_i].target, changes[_i].urls);
	/* what never was leaves no route */
	store_rollback(rig.c);
	check_urls(changes[_i].what, changes[_i].target, urls);
	rig_must(&rig, changes[_i].rsc, changes[_i].change);
	check_urls(changes[_i].what, changes[_i].target, changes[_i].urls);
}
END_TEST

/* ---- events have theirs ---- */

#define SUB(nu, more) "'pc':{'m2m:sub':{'rn':'s','nu':[" nu \
	"],'enc':{'net':[3]},'nct':3" more "}}"

static const struct store_event *only_event(void)
{
	ck_assert_uint_eq(rig.events.count, 1);
	return &rig.events.list[0];
}

START_TEST(test_event)
{
	const struct store_event *e;

	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 23) SUB("'Ca'", ""));
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 4) CIN("1"));
	e = only_event();
	ck_assert(str_is(e->target, "Ca"));
	ck_assert(str_is(e->route.urls, A) && str_is(e->route.to, "Ca"));
	ck_assert(!e->route.exact && e->route.channel == 0);
	ck_assert_int_gt(e->subscription, 0);
	ck_assert_int_eq(e->ask, STORE_TELL);
}
END_TEST

/* What is for this CSE itself is not sent. */
START_TEST(test_own)
{
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 23)
		 SUB("'cse-in','Ca'", ",'su':'/id-in'"));
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 4) CIN("1"));
	ck_assert(str_is(only_event()->target, "Ca"));
	rig_must(&rig, 2002, D("cse-in/a/t/s", "Ca"));
	ck_assert_uint_eq(rig.events.count, 0);
}
END_TEST

START_TEST(test_end)
{
	rig_must(&rig, 2001, C("cse-in/a/t", "Ca", 23)
		 SUB("'Ca'", ",'su':'http://s/x?ct=json'"));
	rig_must(&rig, 2002, D("cse-in/a/t/s", "Ca"));
	ck_assert(str_is(only_event()->route.urls, "http://s/x\n"));
	ck_assert(only_event()->route.exact);
}
END_TEST

START_TEST(test_result)
{
	const struct store_event *e;

	rig_must(&rig, 1002, R("cse-in/a/t", "/id-in/Ca") ",'rt':{'rtv':2}");
	e = only_event();
	ck_assert(str_is(e->route.urls, A) && str_is(e->route.to, "Ca"));
	ck_assert_int_eq(e->subscription, 0);
	rig_must(&rig, 1002, R("cse-in/a/t", "Ca")
		 ",'rt':{'rtv':2,'nu':['Cp']}");
	ck_assert_int_eq(only_event()->route.channel, channel_of("cse-in/p"));
}
END_TEST

START_TEST(test_expired)
{
	rig_must(&rig, 2001, C("cse-in/a", "Ca", 3)
		 CNT("'rn':'u','et':'20260601T080010'"));
	rig_must(&rig, 2001, C("cse-in/a/u", "Ca", 23) SUB("'Ca'",
		 ",'su':'/id-mn/Cx'"));
	store_events_deinit(&rig.events);
	ck_assert_int_eq(store_begin(rig.c), 0);
	ck_assert_int_eq(store_expire(rig.c, &rig.events, RIG_NOW + 20000, 9),
			 1);
	ck_assert_int_eq(store_commit(rig.c), 0);
	ck_assert(str_is(only_event()->route.urls, MN));
	ck_assert(str_is(only_event()->route.to, "/id-mn/Cx"));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("store_route");
	TCase *tc = tcase_create("route");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_route, 0, (int)ARRAY_LEN(routes));
	tcase_add_test(tc, test_many_routes);
	tcase_add_loop_test(tc, test_change, 0, (int)ARRAY_LEN(changes));
	tcase_add_test(tc, test_event);
	tcase_add_test(tc, test_own);
	tcase_add_test(tc, test_end);
	tcase_add_test(tc, test_result);
	tcase_add_test(tc, test_expired);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return unit_run(suite());
}
