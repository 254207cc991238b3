#include "unit.h"

#include "m2m/entity_id.h"

#define S(literal) STR_INIT(literal)

#define NOWHERE { S(""), S("") }
#define CSE     { S("id-in"), S("") }
#define FULL    { S("id-in"), S("sp.example.org") }
#define S_CSE   { S("Scse"), S("sp.example.org") }

#define BYTES_16  "0123456789abcdef"
#define BYTES_64  BYTES_16 BYTES_16 BYTES_16 BYTES_16
#define BYTES_240 BYTES_64 BYTES_64 BYTES_64 BYTES_16 BYTES_16 BYTES_16

static const struct {
	const char *name;
	struct entity_home home;
	struct str id;
	enum entity_kind kind;
	struct str text;		/* canonical */
	struct str stem;
} reads[] = {
	{ "stem", FULL, S("Cx"), ENTITY_AE, S("/id-in/Cx"), S("Cx") },
	{ "stem, SP-relative", FULL, S("/id-in/Cx"), ENTITY_AE,
	  S("/id-in/Cx"), S("Cx") },
	{ "stem, absolute", FULL, S("//sp.example.org/id-in/Cx"), ENTITY_AE,
	  S("/id-in/Cx"), S("Cx") },
	{ "S-type stem", FULL, S("Sx"), ENTITY_AE, S("/Sx"), S("Sx") },
	{ "S-type, SP-relative", FULL, S("/Sx"), ENTITY_AE, S("/Sx"),
	  S("Sx") },
	{ "S-type, absolute", FULL, S("//sp.example.org/Sx"), ENTITY_AE,
	  S("/Sx"), S("Sx") },
	{ "S-type by its resource", FULL, S("/id-in/Sx"), ENTITY_AE,
	  S("/Sx"), S("Sx") },
	{ "S-type by its resource, absolute", FULL,
	  S("//sp.example.org/id-in/Sx"), ENTITY_AE, S("/Sx"), S("Sx") },
	{ "our CSE", FULL, S("/id-in"), ENTITY_CSE, S("/id-in"), S("") },
	{ "our CSE, absolute", FULL, S("//sp.example.org/id-in"), ENTITY_CSE,
	  S("/id-in"), S("") },
	{ "another CSE", FULL, S("/mn-cse7"), ENTITY_CSE, S("/mn-cse7"),
	  S("") },
	{ "another CSE, absolute", FULL, S("//sp.example.org/mn-cse7"),
	  ENTITY_CSE, S("/mn-cse7"), S("") },
	{ "a CSE-ID that begins with C", FULL, S("/Cse1"), ENTITY_CSE,
	  S("/Cse1"), S("") },
	{ "our CSE-ID begins with S", S_CSE, S("/Scse"), ENTITY_CSE,
	  S("/Scse"), S("") },
	{ "and its AE", S_CSE, S("/Scse/Cx"), ENTITY_AE, S("/Scse/Cx"),
	  S("Cx") },
	{ "no AE has the name of our CSE", S_CSE, S("Scse"), ENTITY_OTHER,
	  S("/Scse/Scse"), S("") },
	{ "nor as its resource", S_CSE, S("/Scse/Scse"), ENTITY_OTHER,
	  S("/Scse/Scse"), S("") },
	{ "AE of another CSE", FULL, S("/mn-cse7/Cabc"), ENTITY_REMOTE_AE,
	  S("/mn-cse7/Cabc"), S("Cabc") },
	{ "S-type at another CSE is not ours", FULL, S("/mn-cse7/Sx"),
	  ENTITY_REMOTE_AE, S("/mn-cse7/Sx"), S("Sx") },
	{ "AE of another CSE, absolute", FULL,
	  S("//sp.example.org/mn-cse7/Cabc"), ENTITY_REMOTE_AE,
	  S("/mn-cse7/Cabc"), S("Cabc") },

	/* nobody else becomes ours */
	{ "case of a stem", FULL, S("CX"), ENTITY_AE, S("/id-in/CX"),
	  S("CX") },
	{ "small c is a resource", FULL, S("cx"), ENTITY_OTHER,
	  S("/id-in/cx"), S("") },
	{ "case of the CSE-ID", FULL, S("/ID-IN/Cx"), ENTITY_REMOTE_AE,
	  S("/ID-IN/Cx"), S("Cx") },
	{ "longer CSE-ID", FULL, S("/id-inx/Cx"), ENTITY_REMOTE_AE,
	  S("/id-inx/Cx"), S("Cx") },
	{ "shorter CSE-ID", FULL, S("/id-i/Cx"), ENTITY_REMOTE_AE,
	  S("/id-i/Cx"), S("Cx") },
	{ "CSE-ID without slash is a resource", FULL, S("id-in/Cx"),
	  ENTITY_OTHER, S("/id-in/id-in/Cx"), S("") },
	{ "CSE-ID in place of an FQDN", FULL, S("//id-in/Cx"), ENTITY_CSE,
	  S("//id-in/Cx"), S("") },
	{ "foreign SP", FULL, S("//far.example.org/id-in/Cx"),
	  ENTITY_REMOTE_AE, S("//far.example.org/id-in/Cx"), S("Cx") },
	{ "foreign SP, S-type", FULL, S("//far.example.org/Sx"),
	  ENTITY_REMOTE_AE, S("//far.example.org/Sx"), S("Sx") },
	{ "foreign SP, CSE", FULL, S("//far.example.org/id-in"), ENTITY_CSE,
	  S("//far.example.org/id-in"), S("") },
	{ "longer FQDN", FULL, S("//sp.example.org.far/id-in/Cx"),
	  ENTITY_REMOTE_AE, S("//sp.example.org.far/id-in/Cx"), S("Cx") },
	{ "shorter FQDN", FULL, S("//sp.example/id-in/Cx"), ENTITY_REMOTE_AE,
	  S("//sp.example/id-in/Cx"), S("Cx") },
	{ "below an AE", FULL, S("/id-in/Cx/cnt"), ENTITY_OTHER,
	  S("/id-in/Cx/cnt"), S("") },
	{ "no more than a letter: give me one", FULL, S("C"), ENTITY_OTHER,
	  S("/id-in/C"), S("") },
	{ "likewise S", FULL, S("S"), ENTITY_OTHER, S("/id-in/S"), S("") },
	{ "UTF-8, composed", FULL, S("C\xc3\xa9"), ENTITY_AE,
	  S("/id-in/C\xc3\xa9"), S("C\xc3\xa9") },
	{ "UTF-8, decomposed", FULL, S("Ce\xcc\x81"), ENTITY_AE,
	  S("/id-in/Ce\xcc\x81"), S("Ce\xcc\x81") },
	{ "Cyrillic C is a resource", FULL, S("\xd0\xa1x"), ENTITY_OTHER,
	  S("/id-in/\xd0\xa1x"), S("") },
	{ "three points", FULL, S("/id-in/..."), ENTITY_OTHER,
	  S("/id-in/..."), S("") },
	{ "points within", FULL, S("C..x"), ENTITY_AE, S("/id-in/C..x"),
	  S("C..x") },

	/* resources */
	{ "structured", FULL, S("cse-in/meter7/temp"), ENTITY_OTHER,
	  S("/id-in/cse-in/meter7/temp"), S("") },
	{ "structured, from the base", FULL, S("-/meter7"), ENTITY_OTHER,
	  S("/id-in/-/meter7"), S("") },
	{ "unstructured", FULL, S("//sp.example.org/id-in/cnt4711"),
	  ENTITY_OTHER, S("/id-in/cnt4711"), S("") },

	/* what is not known joins nothing */
	{ "stem of a CSE not known", NOWHERE, S("Cx"), ENTITY_AE, S("Cx"),
	  S("Cx") },
	{ "S-type stem of a CSE not known", NOWHERE, S("Sx"), ENTITY_AE,
	  S("/Sx"), S("Sx") },
	{ "resource of a CSE not known", NOWHERE, S("cse-in/x"),
	  ENTITY_OTHER, S("cse-in/x"), S("") },
	{ "SP-relative while no CSE is known", NOWHERE, S("/id-in/Cx"),
	  ENTITY_REMOTE_AE, S("/id-in/Cx"), S("Cx") },
	{ "absolute while no SP is known", CSE, S("//sp.example.org/id-in/Cx"),
	  ENTITY_REMOTE_AE, S("//sp.example.org/id-in/Cx"), S("Cx") },
	{ "absolute S-type while no SP is known", CSE,
	  S("//sp.example.org/Sx"), ENTITY_REMOTE_AE,
	  S("//sp.example.org/Sx"), S("Sx") },

	{ "as long as may be", NOWHERE, S("C" BYTES_240 "0123456789abcde"),
	  ENTITY_AE, S("C" BYTES_240 "0123456789abcde"),
	  S("C" BYTES_240 "0123456789abcde") },
	{ "as long as may be with our CSE", CSE,
	  S("C" BYTES_240 "01234567"), ENTITY_AE,
	  S("/id-in/C" BYTES_240 "01234567"), S("C" BYTES_240 "01234567") },
};

static void check_text(const char *name, const struct entity_home *home,
		       struct str id, struct str want)
{
	struct buf text = { 0 };

	ck_assert_msg(entity_id_canonicalise(&text, home, id), "%s", name);
	ck_assert_msg(str_eq(buf_str(&text), want), "%s: %.*s", name,
		      (int)text.len, text.p);
	buf_deinit(&text);
}

START_TEST(test_read)
{
	const struct entity_home *home = &reads[_i].home;
	struct entity_id id;

	ck_assert_msg(entity_id_read(&id, home, reads[_i].id), "%s",
		      reads[_i].name);
	ck_assert_msg(id.kind == reads[_i].kind, "%s: kind %d",
		      reads[_i].name, (int)id.kind);
	ck_assert_msg(str_eq(entity_id_stem(&id), reads[_i].stem), "%s",
		      reads[_i].name);
	check_text(reads[_i].name, home, reads[_i].id, reads[_i].text);
	/* the one text stands for itself */
	check_text(reads[_i].name, home, reads[_i].text, reads[_i].text);
}
END_TEST

static const struct {
	const char *name;
	struct str id;
} refused[] = {
	{ "nothing", S("") },
	{ "slash", S("/") },
	{ "two slashes", S("//") },
	{ "three slashes", S("///") },
	{ "FQDN only", S("//sp.example.org") },
	{ "FQDN and slash", S("//sp.example.org/") },
	{ "empty FQDN", S("///id-in/Cx") },
	{ "empty segment", S("/id-in//Cx") },
	{ "empty segment, relative", S("cse-in//x") },
	{ "empty segment, absolute", S("//sp.example.org//Cx") },
	{ "slash behind a stem", S("Cx/") },
	{ "slash behind an AE-ID", S("/id-in/Cx/") },
	{ "slash behind a CSE-ID", S("/id-in/") },
	{ "point", S(".") },
	{ "point in the middle", S("/id-in/./Cx") },
	{ "two points", S("..") },
	{ "two points in the middle", S("/id-in/Cy/../Cx") },
	{ "two points at the end", S("/id-in/..") },
	{ "two points as CSE", S("/../id-in/Cx") },
	{ "percent sign", S("C%78") },
	{ "percent sign twice coded", S("C%2578") },
	{ "slash by percent", S("/id-in%2fCx") },
	{ "query", S("Cx?ct=json") },
	{ "attribute", S("Cx#lbl") },
	{ "wildcard", S("/id-in/C*") },
	{ "backslash", S("/id-in\\Cx") },
	{ "space", S("C x") },
	{ "space in front", S(" Cx") },
	{ "space behind", S("Cx ") },
	{ "quote", S("C\"x") },
	{ "NUL", S("Cx\0y") },
	{ "NUL behind", S("Cx\0") },
	{ "NUL in front", S("\0Cx") },
	{ "tab", S("C\tx") },
	{ "newline", S("Cx\n") },
	{ "CR LF", S("Cx\r\nX-M2M-Origin: CAdmin") },
	{ "DEL", S("C\x7fx") },
	{ "C1 control", S("C\xc2\x85x") },
	{ "not UTF-8", S("C\xe9x") },
	{ "overlong slash", S("/id-in\xc0\xaf" "Cx") },
	{ "raw surrogate", S("C\xed\xa0\x80") },
	{ "cut UTF-8", S("C\xc3") },
	{ "path of an SP-relative id", S("/~/id-in/Cx") },
	{ "path of an absolute id", S("/_/sp.example.org/id-in/Cx") },
	{ "the same without slash", S("~/id-in/Cx") },
	{ "path behind the FQDN", S("//sp.example.org/~/Cx") },
	{ "capitals in the FQDN", S("//SP.example.org/id-in/Cx") },
	{ "port behind the FQDN", S("//sp.example.org:80/id-in/Cx") },
	{ "user before the FQDN", S("//a@sp.example.org/id-in/Cx") },
	{ "FQDN ends in a point", S("//sp.example.org./id-in/Cx") },
	{ "FQDN begins with a point", S("//.example.org/id-in/Cx") },
	{ "empty label", S("//sp..org/id-in/Cx") },
	{ "UTF-8 in the FQDN", S("//sp.ex\xc3\xa4mple.org/id-in/Cx") },
	{ "URL", S("http://sp.example.org/id-in/Cx") },
	{ "too long", S("C" BYTES_240 BYTES_16) },
	{ "too long with our CSE", S("C" BYTES_240 "0123456789") },
};

START_TEST(test_refused)
{
	static const struct entity_home home = FULL;
	struct buf out = { 0 };

	buf_add_lit(&out, "before");
	ck_assert_msg(!entity_id_canonicalise(&out, &home, refused[_i].id),
		      "%s", refused[_i].name);
	ck_assert_msg(str_eq(buf_str(&out), STR("before")), "%s",
		      refused[_i].name);
	buf_deinit(&out);
}
END_TEST

START_TEST(test_form)
{
	static const struct entity_home home = FULL;
	struct entity_id id;

	ck_assert(entity_id_read(&id, &home, STR("Cx")));
	ck_assert_int_eq(id.form, ENTITY_RELATIVE);
	ck_assert(entity_id_read(&id, &home, STR("/id-in/Cx")));
	ck_assert_int_eq(id.form, ENTITY_SP_RELATIVE);
	ck_assert(entity_id_read(&id, &home, STR("//sp.example.org/Sx")));
	ck_assert_int_eq(id.form, ENTITY_ABSOLUTE);
}
END_TEST

static const struct {
	const char *name;
	const char *cse_id, *sp;
	bool ok;
	const char *want_cse, *want_sp;
} homes[] = {
	{ "nothing known", "", "", true, "", "" },
	{ "CSE-ID", "/id-in", "", true, "id-in", "" },
	{ "both", "/id-in", "sp.example.org", true, "id-in",
	  "sp.example.org" },
	{ "absolute CSE-ID", "//sp.example.org/id-in", "", true, "id-in",
	  "sp.example.org" },
	{ "the SP wins", "//sp.example.org/id-in", "far.org", true, "id-in",
	  "far.org" },
	{ "CSE-ID that looks like an AE-ID", "/Scse", "", true, "Scse", "" },
	{ "the same, absolute", "//sp.example.org/Scse", "", true, "Scse",
	  "sp.example.org" },
	{ "without slash", "id-in", "", false, "", "" },
	{ "with a resource", "/id-in/cse-in", "", false, "", "" },
	{ "an AE", "/id-in/Cx", "", false, "", "" },
	{ "slash at the end", "/id-in/", "", false, "", "" },
	{ "FQDN with a slash", "/id-in", "//sp.example.org", false, "", "" },
	{ "FQDN in capitals", "/id-in", "SP", false, "", "" },
};

START_TEST(test_home)
{
	struct entity_home home;
	bool ok = entity_home_init(&home, str_of(homes[_i].cse_id),
				   str_of(homes[_i].sp));

	ck_assert_msg(ok == homes[_i].ok, "%s", homes[_i].name);
	if (!ok)
		return;
	ck_assert_msg(str_eq(home.cse, str_of(homes[_i].want_cse)), "%s",
		      homes[_i].name);
	ck_assert_msg(str_eq(home.sp, str_of(homes[_i].want_sp)), "%s",
		      homes[_i].name);
}
END_TEST

static const struct {
	const char *name;
	struct str cse_id, id;
	bool under;
} unders[] = {
	{ "itself", S("/mn-cse7"), S("/mn-cse7"), true },
	{ "its AE", S("/mn-cse7"), S("/mn-cse7/Cabc"), true },
	{ "its resource", S("/mn-cse7"), S("/mn-cse7/base/x"), true },
	{ "S-type look", S("/Scse"), S("/Scse/Cabc"), true },
	{ "S-type look, itself", S("/Scse"), S("/Scse"), true },
	{ "foreign SP", S("//far.org/mn"), S("//far.org/mn/Cabc"), true },
	{ "longer name", S("/mn-cse7"), S("/mn-cse77"), false },
	{ "AE of a longer name", S("/mn-cse7"), S("/mn-cse77/Cabc"), false },
	{ "shorter name", S("/mn-cse7"), S("/mn-cse/Cabc"), false },
	{ "case", S("/mn-cse7"), S("/MN-cse7/Cabc"), false },
	{ "stem", S("/mn-cse7"), S("Cabc"), false },
	{ "S-type", S("/mn-cse7"), S("/Sabc"), false },
	{ "foreign SP is not ours", S("/mn"), S("//far.org/mn/Cabc"), false },
	{ "ours is not a foreign SP", S("//far.org/mn"), S("/mn/Cabc"),
	  false },
	{ "empty segment", S("/mn"), S("/mn//Cabc"), false },
	{ "slash at the end", S("/mn"), S("/mn/"), false },
	{ "two points", S("/mn"), S("/mn/../id-in/Cabc"), false },
	{ "no CSE-ID", S(""), S("/mn/Cabc"), false },
	{ "slash as CSE-ID", S("/"), S("/mn/Cabc"), false },
	{ "SP as CSE-ID", S("//far.org"), S("//far.org/mn"), false },
	{ "AE in place of a CSE", S("/mn/Cabc"), S("/mn/Cabc/cnt"), false },
	{ "stem in place of a CSE", S("Sabc"), S("Sabc/cnt"), false },
	{ "foreign AE in place of a CSE", S("//far.org/mn/Cabc"),
	  S("//far.org/mn/Cabc"), false },
};

START_TEST(test_is_under)
{
	ck_assert_msg(entity_id_is_under(unders[_i].cse_id, unders[_i].id) ==
			      unders[_i].under, "%s", unders[_i].name);
}
END_TEST

static const struct {
	const char *name;
	struct str path;
	bool ok;
	struct str id;
} paths[] = {
	{ "nothing", S(""), true, S("") },
	{ "slash", S("/"), true, S("") },
	{ "slashes", S("///"), true, S("") },
	{ "stem", S("/Cx"), true, S("Cx") },
	{ "stem without slash", S("Cx"), true, S("Cx") },
	{ "slashes at the end", S("/Cx//"), true, S("Cx") },
	{ "percent signs", S("/%43%78"), true, S("Cx") },
	{ "small hexadecimal", S("/C%6a%6B"), true, S("Cjk") },
	{ "SP-relative", S("/~/id-in/Cx"), true, S("/id-in/Cx") },
	{ "SP-relative, tilde by percent", S("/%7E/id-in/Cx"), true,
	  S("/id-in/Cx") },
	{ "SP-relative, slash doubled", S("//id-in/Cx"), true,
	  S("/id-in/Cx") },
	{ "SP-relative, short", S("/~/Sx"), true, S("/Sx") },
	{ "absolute", S("/_/sp.org/id-in/Cx"), true, S("//sp.org/id-in/Cx") },
	{ "absolute, slash doubled", S("/_//sp.org/id-in/Cx"), true,
	  S("//sp.org/id-in/Cx") },
	{ "absolute as it stands", S("///sp.org/id-in/Cx"), true,
	  S("//sp.org/id-in/Cx") },
	{ "structured", S("/cse-in/disp"), true, S("cse-in/disp") },
	{ "UTF-8", S("/C%C3%A9"), true, S("C\xc3\xa9") },
	{ "decoded once", S("/C%2578"), true, S("C%78") },
	{ "tilde only", S("/~/"), true, S("~") },
	{ "tilde of a name", S("/~x/Cx"), true, S("~x/Cx") },
	{ "empty segment does not make an FQDN", S("/~//sp.org/id-in/Cx"),
	  false, S("") },
	{ "slash by percent", S("/id-in%2FCx"), false, S("") },
	{ "slash by percent in front", S("/%2Fid-in/Cx"), false, S("") },
	{ "NUL", S("/C%00"), false, S("") },
	{ "cut", S("/C%7"), false, S("") },
	{ "percent sign only", S("/C%"), false, S("") },
	{ "no digits", S("/C%zz"), false, S("") },
	{ "sign in place of a digit", S("/C%+7"), false, S("") },
};

START_TEST(test_from_path)
{
	struct buf out = { 0 };
	bool ok;

	buf_add_lit(&out, "before");
	ok = entity_id_from_path(&out, paths[_i].path);
	ck_assert_msg(ok == paths[_i].ok, "%s", paths[_i].name);
	ck_assert(str_starts(buf_str(&out), STR("before")));
	ck_assert_msg(str_eq(str_skip(buf_str(&out), 6), paths[_i].id),
		      "%s: %.*s", paths[_i].name, (int)out.len, out.p);
	buf_deinit(&out);
}
END_TEST

/* No octet after the text is looked at. */
START_TEST(test_cut_anywhere)
{
	static const struct entity_home home = FULL;
	struct str all = STR("//sp.example.org/id-in/C%78\xc3\xa9");

	for (size_t n = 0; n <= all.len; n++) {
		char *copy = malloc(n > 0 ? n : 1);
		struct entity_id id;
		struct buf out = { 0 };

		memcpy(copy, all.p, n);
		(void)!entity_id_read(&id, &home, (struct str){ copy, n });
		(void)!entity_id_from_path(&out, (struct str){ copy, n });
		(void)entity_id_is_under((struct str){ copy, n },
					 (struct str){ copy, n });
		buf_deinit(&out);
		free(copy);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("entity_id");
	TCase *tc = tcase_create("entity_id");

	tcase_add_loop_test(tc, test_read, 0, ARRAY_LEN(reads));
	tcase_add_loop_test(tc, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, test_form);
	tcase_add_loop_test(tc, test_home, 0, ARRAY_LEN(homes));
	tcase_add_loop_test(tc, test_is_under, 0, ARRAY_LEN(unders));
	tcase_add_loop_test(tc, test_from_path, 0, ARRAY_LEN(paths));
	tcase_add_test(tc, test_cut_anywhere);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
