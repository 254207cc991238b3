#include "unit.h"

#include <uv.h>

#include "gateway/credential.h"

static const struct {
	const char *name;
	const char *originators;
	const char *allowed, *refused;	/* with blanks between them */
} lists[] = {
	{ "one AE, however it is written", "Cmeter",
	  "Cmeter /id-in/Cmeter //sp/id-in/Cmeter",
	  "Cmeter2 Cmete /mn/Cmeter //far/id-in/Cmeter cmeter /Cmeter" },
	{ "any form of it in the list", "/id-in/Cmeter", "Cmeter /id-in/Cmeter",
	  "/mn/Cmeter Cmeter2" },
	{ "a stem and more", "Cmeter*", "Cmeter Cmeter7 /id-in/Cmeter7",
	  "Cmete xCmeter7 /mn/Cmeter7 Cmeter/x /id-in/Cmeter/x C" },
	{ "stars", "C*-*z", "C-z Ca-bz Ca-b-zz", "C-za Caz" },
	{ "an id of the SP", "Stemp*", "Stemp /Stemp1 /id-in/Stemp2",
	  "/mn/Stemp S" },
	{ "a CSE with all that is under it", "/mn/*",
	  "/mn /mn/Cx /mn/Sx //sp/mn/Cx",
	  "/mnx /mnx/Cx /m Cx //far/mn/Cx /mn/Cx/y /mn/res" },
	{ "a CSE alone", "/mn", "/mn //sp/mn", "/mn/Cx /mnx" },
	{ "CSEs", "/mn-*/*", "/mn-1 /mn-1/Cx", "/mn /mn/Cx" },
	{ "of another SP", "//far/mn/*", "//far/mn/Cx //far/mn", "/mn/Cx" },
	{ "who may ask for an id", "C", "C", "S Cx" },
	{ "and be whatever it is given", "C*", "C Cx", "S Sx" },
	{ "several", " Ca,,\tCb , Sc ", "Ca Cb Sc", "Ca, Cc b" },
	{ "no list", "", "", "C Cx /mn" },
};

static bool allows(const char *list, struct str fr, bool administrator)
{
	struct credential c = { .name = "x" };
	struct entity_home home;
	struct entity_id id;
	struct buf canonical = { 0 };
	bool is;

	if (administrator)
		c.administrators = str_of(list);
	else
		c.originators = str_of(list);
	ck_assert(entity_home_init(&home, STR("/id-in"), STR("sp")));
	if (!entity_id_read(&id, &home, fr))
		return false;
	entity_id_write(&canonical, &id);
	is = administrator ? credential_is_administrator(&c, fr, &id,
							 buf_str(&canonical)) :
			     credential_allows(&c, fr, &id,
					       buf_str(&canonical));
	buf_deinit(&canonical);
	return is;
}

static void check_each(size_t i, const char *ids, bool want)
{
	struct str rest = str_of(ids), one;

	while (rest.len > 0) {
		str_cut(rest, ' ', &one, &rest);
		ck_assert_msg(allows(lists[i].originators, one, false) == want,
			      "%s: %.*s", lists[i].name, (int)one.len, one.p);
	}
}

START_TEST(test_lists)
{
	check_each((size_t)_i, lists[_i].allowed, true);
	check_each((size_t)_i, lists[_i].refused, false);
}
END_TEST

START_TEST(test_administrators)
{
	ck_assert(allows("CAdmin /id-in", STR("CAdmin"), true));
	ck_assert(allows("CAdmin /id-in", STR("/id-in/CAdmin"), true));
	ck_assert(allows("CAdmin /id-in", STR("/id-in"), true));
	ck_assert(allows("admin:admin", STR("admin:admin"), true));
	ck_assert(!allows("CAdmin", STR("CAdmin2"), true));
	ck_assert(!allows("CAdmin", STR("/mn/CAdmin"), true));
	ck_assert(!allows("C*", STR("CAdmin"), true));
	ck_assert(!allows("", STR("CAdmin"), true));
}
END_TEST

static const struct {
	const char *text;
	bool good;
} patterns[] = {
	{ "C*", true }, { "*", true }, { "/mn-cse7/*", true }, { "C", true },
	{ "//sp.example.org/mn/C*", true }, { "/*/C*", true },
	{ "", false }, { "/", false }, { "//", false }, { "Ca/", false },
	{ "C?", false }, { "C%41", false }, { "/mn//C*", false },
	{ "/mn/../C*", false }, { "C\x01", false },
};

START_TEST(test_patterns)
{
	const char *why = credential_check_pattern(str_of(patterns[_i].text));

	ck_assert_msg((why == NULL) == patterns[_i].good, "%s",
		      patterns[_i].text);
}
END_TEST

START_TEST(test_set)
{
	static const struct credential c = { .name = "c" };
	struct credential_proof a = { .kind = CREDENTIAL_TOKEN,
				      .name = STR("a"), .credential = &c };
	struct credential_proof b = { .kind = CREDENTIAL_PASSWORD,
				      .name = STR("a"), .credential = &c };
	struct credential_proof again = a;
	struct credential_set set;

	ck_assert_int_eq(credential_set_init(&set), 0);
	ck_assert_ptr_null(credential_set_find(&set, CREDENTIAL_TOKEN,
					       STR("a")));
	ck_assert_int_eq(credential_set_add(&set, &a), 0);
	ck_assert_int_eq(credential_set_add(&set, &b), 0);
	ck_assert_int_eq(credential_set_add(&set, &again), UV_EEXIST);
	ck_assert_ptr_eq(credential_set_find(&set, CREDENTIAL_TOKEN, STR("a")),
			 &a);
	ck_assert_ptr_eq(credential_set_find(&set, CREDENTIAL_PASSWORD,
					     STR("a")), &b);
	ck_assert_ptr_null(credential_set_find(&set, CREDENTIAL_TOKEN,
					       STR("A")));
	credential_set_deinit(&set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("credential");
	TCase *tc = tcase_create("credential");

	tcase_add_loop_test(tc, test_lists, 0, ARRAY_LEN(lists));
	tcase_add_test(tc, test_administrators);
	tcase_add_loop_test(tc, test_patterns, 0, ARRAY_LEN(patterns));
	tcase_add_test(tc, test_set);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
