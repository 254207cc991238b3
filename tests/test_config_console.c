#include "config_util.h"

/* The section begins in line 7. */
#define AT(place) "t.conf:" place ": [admin] "
#define LOOPBACK_ONLY \
	"listen is not on a loopback address: console = anywhere allows that\n"

static const struct {
	const char *name;
	const char *keys;
	const char *diag;	/* "": fine */
} rows[] = {
	{ "off", "listen = *:8181\n", "" },
	{ "off, said so", "listen = *:8181\nconsole = no\n", "" },
	{ "IPv4", "listen = 127.0.0.1:8181\nconsole = yes\n", "" },
	{ "also IPv4", "listen = 127.9.9.9:8181\nconsole = yes\n", "" },
	{ "IPv6", "listen = [::1]:8181\nconsole = yes\n", "" },
	{ "mapped", "listen = [::ffff:127.0.0.1]:8181\nconsole = yes\n", "" },
	{ "any", "listen = *:8181\nconsole = anywhere\n", "" },
	{ "every address", "listen = *:8181\nconsole = yes\n",
	  AT("8:1") LOOPBACK_ONLY "listen = *:8181\n^\n" },
	{ "another one", "console = yes\nlisten = 10.0.0.1:8181\n",
	  AT("9:1") LOOPBACK_ONLY "listen = 10.0.0.1:8181\n^\n" },
	{ "another one, IPv6", "listen = [fe80::1]:8181\nconsole = yes\n",
	  AT("8:1") LOOPBACK_ONLY "listen = [fe80::1]:8181\n^\n" },
	{ "nowhere", "console = yes\n",
	  AT("8:1") "console needs listen\nconsole = yes\n^\n" },
	{ "nowhere, open", "console = anywhere\n",
	  AT("8:1") "console needs listen\nconsole = anywhere\n^\n" },
};

START_TEST(test_row)
{
	struct loaded l;
	char text[1024];

	snprintf(text, sizeof(text), "%s[admin]\n%s", BASE, rows[_i].keys);
	load_text(&l, str_of(text));
	ck_assert_msg(strcmp(l.diag, rows[_i].diag) == 0, "%s: %s",
		      rows[_i].name, l.diag);
	ck_assert((l.err == 0) == (rows[_i].diag[0] == '\0'));
	loaded_free(&l);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_console");
	TCase *tc = tcase_create("config_console");

	tcase_add_loop_test(tc, test_row, 0, ARRAY_LEN(rows));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
