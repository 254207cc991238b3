/* The file of credentials: every error with its place, and what it makes. */
#include "config_util.h"

#include <sys/stat.h>

#define HASH "pbkdf2-sha256:1000:000102030405060708090a0b0c0d0e0f:" \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TOKEN "token = " HASH "\n"
#define CREDENTIAL(name) "[credential \"" name "\"]\n"
#define WHO "originators = C*\n"
#define OF_A CREDENTIAL("a")

static char folder[] = "/tmp/m2mwsd-test-XXXXXX";

/* BASE is in mode open: nobody needs the file, but it is read. */
static void load_file(struct loaded *l, const char *text, const char *more)
{
	char conf[1024], path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/o", folder);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
	snprintf(conf, sizeof(conf), BASE "originators_file = %s\n%s", path,
		 more);
	load_text(l, str_of(conf));
}

/* want: the first line behind the name of the file; NULL: a good one. */
static const struct {
	const char *text, *want;
} files[] = {
	{ "", NULL },
	{ "# nothing\n", NULL },
	{ OF_A TOKEN WHO, NULL },
	{ OF_A "user = u@x\npassword = " HASH "\n" WHO, NULL },
	{ CREDENTIAL("a.b") "password = " HASH "\nadministrators = CAdmin\n",
	  NULL },
	{ OF_A TOKEN WHO CREDENTIAL("b") TOKEN WHO, NULL },
	{ OF_A TOKEN "password = " HASH "\n" WHO, NULL },
	{ WHO OF_A TOKEN WHO, ":1:1: a key before the first [credential]" },
	{ OF_A WHO, ":1:2: [credential \"a\"] needs token, password or certificate" },
	{ OF_A "certificate = urn:dev:7\n" WHO, NULL },
	{ OF_A "certificate = a b, c\n" WHO CREDENTIAL("b")
	  "certificate = a b\n" WHO, NULL },
	{ OF_A "certificate =\n" WHO,
	  ":2:14: certificate must be the name that the certificate gives" },
	{ OF_A "certificate = x\n" WHO CREDENTIAL("b") "certificate = x\n" WHO,
	  ":5:15: certificate is of a name that another credential has" },
	{ OF_A TOKEN,
	  ":1:2: [credential \"a\"] needs originators or administrators" },
	{ OF_A TOKEN WHO "user = u\n",
	  ":1:2: [credential \"a\"] has a user, but no password" },
	{ CREDENTIAL("a.b") TOKEN WHO,
	  ":1:2: [credential \"a.b\"] has a token, so there must be no dot in "
	  "its name" },
	{ OF_A TOKEN WHO OF_A TOKEN WHO,
	  ":5:9: token is of a name that another credential has" },
	{ OF_A "password = " HASH "\n" WHO CREDENTIAL("b") "user = a\n"
	  "password = " HASH "\n" WHO,
	  ":6:12: password is of a name that another credential has" },
	{ "[credential]\n", ":1:2: [credential] needs a name, as in "
	  "[credential \"meter-7\"]" },
	{ "[credentials \"a\"]\nx = 1\n",
	  ":1:2: expected [credential \"NAME\"]" },
	{ "[credential \"a\n", ":1:15: expected letters, digits, \"-\", \"_\", "
	  "\".\" and a closing quote" },
	{ OF_A TOKEN WHO TOKEN, ":4:1: token is given twice" },
	{ OF_A "tokn = x\n", ":2:1: unknown key \"tokn\" in "
	  "[credential \"a\"]; did you mean \"token\"?" },
	{ OF_A "colour = x\n",
	  ":2:1: unknown key \"colour\" in [credential \"a\"]" },
	{ OF_A "token = x\n",
	  ":2:9: token must be what m2mwsd --hash-token prints" },
	{ OF_A "user = a:b\n", ":2:8: user must be a name without a colon" },
	{ OF_A "user =\n", ":2:7: user must be a name without a colon" },
	{ OF_A "originators = \n", ":2:15: originators must not be empty" },
	{ OF_A "originators = C* C?\n", ":2:15: originators must be of "
	  "identifiers, such as Cmeter* or /mn-cse7/*" },
	{ OF_A "administrators = C*\n",
	  ":2:18: administrators must be named one by one, without *" },
};

START_TEST(test_files)
{
	const char *want = files[_i].want;
	struct loaded l;
	size_t len = strlen(folder) + 2;

	load_file(&l, files[_i].text, "");
	if (want == NULL) {
		ck_assert_msg(l.err == 0, "%s: %s", files[_i].text, l.diag);
	} else {
		ck_assert_msg(l.err != 0, "%s", files[_i].text);
		ck_assert_msg(strncmp(l.diag + len, want, strlen(want)) == 0 &&
			      l.diag[len + strlen(want)] == '\n', "%s",
			      l.diag);
	}
	loaded_free(&l);
}
END_TEST

START_TEST(test_what_it_makes)
{
	const struct credential_proof *token, *password;
	const struct credential_set *set;
	struct loaded l;

	load_file(&l, OF_A TOKEN "user = u@x\npassword = " HASH "\n"
		  "originators = C*, /mn/*\nadministrators = CAdmin\n", "");
	ck_assert_int_eq(l.err, 0);
	set = l.conf->gateway.credentials;
	ck_assert_ptr_nonnull(set);
	token = credential_set_find(set, CREDENTIAL_TOKEN, STR("a"));
	password = credential_set_find(set, CREDENTIAL_PASSWORD, STR("u@x"));
	ck_assert_ptr_nonnull(token);
	ck_assert_ptr_nonnull(password);
	ck_assert_ptr_eq(token->credential, password->credential);
	ck_assert_str_eq(token->credential->name, "a");
	ck_assert(str_eq(token->credential->originators, STR("C*, /mn/*")));
	ck_assert(str_eq(token->credential->administrators, STR("CAdmin")));
	ck_assert_uint_eq(token->hash.count, 1000);
	ck_assert_int_eq(token->hash.digest[31], 31);
	ck_assert_ptr_null(credential_set_find(set, CREDENTIAL_TOKEN,
					       STR("u@x")));
	loaded_free(&l);
}
END_TEST

/* A second error is found, and one of the configuration itself. */
START_TEST(test_all_errors_in_one_pass)
{
	struct loaded l;

	load_file(&l, OF_A "tokn = x\n" CREDENTIAL("b") "token = y\n[\n"
		  CREDENTIAL("c") TOKEN, "[log]\nlevel = x\n");
	ck_assert_int_eq(l.err, ERR_PROTO);
	ck_assert_ptr_nonnull(strstr(l.diag, "t.conf:9:9: "));
	ck_assert_ptr_nonnull(strstr(l.diag, "/o:2:1: "));
	ck_assert_ptr_nonnull(strstr(l.diag, "/o:4:9: "));
	ck_assert_ptr_nonnull(strstr(l.diag, "/o:5:2: "));
	ck_assert_ptr_nonnull(strstr(l.diag, "/o:6:2: "));
	loaded_free(&l);
}
END_TEST

START_TEST(test_mode_credential)
{
	struct loaded l;

	load_file(&l, OF_A TOKEN WHO, "[gateway]\n");
	ck_assert_int_eq(l.err, 0);
	loaded_free(&l);
	load_text(&l, STR("[listener \"main\"]\nlisten = 127.0.0.1:1\n"
			  "[upstream \"cse\"]\nurl = http://h\n"
			  "[auth]\nmode = credential\n"));
	ck_assert_str_eq(l.diag, "t.conf: [auth] mode = credential needs "
				 "originators_file\n");
	loaded_free(&l);
	load_text(&l, STR(BASE "originators_file = /nowhere/at/all\n"));
	ck_assert_str_eq(l.diag, "/nowhere/at/all: cannot be read: no such "
				 "file or directory\n");
	loaded_free(&l);
}
END_TEST

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/o", folder);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	Suite *suite = suite_create("config_originators");
	TCase *tc = tcase_create("config_originators");

	tcase_add_unchecked_fixture(tc, make_folder, remove_folder);
	tcase_add_loop_test(tc, test_files, 0, ARRAY_LEN(files));
	tcase_add_test(tc, test_what_it_makes);
	tcase_add_test(tc, test_all_errors_in_one_pass);
	tcase_add_test(tc, test_mode_credential);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
