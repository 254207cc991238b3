#include "config_util.h"

#include <sys/stat.h>

/* In line 7 and behind a good configuration. */
static const struct {
	const char *name;
	struct str body;
	const char *diag;
} bad_bodies[] = {
	{ "unknown key, with a guess",
	  STR_INIT("[listener \"main\"]\nlissten = [::1]:80\n"),
	  "t.conf:8:1: unknown key \"lissten\" in [listener \"main\"]; "
	  "did you mean \"listen\"?\n"
	  "lissten = [::1]:80\n^\n" },
	{ "letters swapped: one mistake",
	  STR_INIT("[log]\n  foramt = json\n"),
	  "t.conf:8:3: unknown key \"foramt\" in [log]; "
	  "did you mean \"format\"?\n"
	  "  foramt = json\n  ^\n" },
	{ "a key of another section", STR_INIT("[log]\nmax_depth = 3\n"),
	  "t.conf:8:1: unknown key \"max_depth\" in [log]; "
	  "it belongs to [limits]\nmax_depth = 3\n^\n" },
	{ "nothing is near", STR_INIT("[log]\ncolour = 3\n"),
	  "t.conf:8:1: unknown key \"colour\" in [log]\ncolour = 3\n^\n" },
	{ "a word too long to guess",
	  STR_INIT("[log]\nlevellevellevellevellevellevelle = 3\n"),
	  "t.conf:8:1: unknown key \"levellevellevellevellevellevelle\" in "
	  "[log]\nlevellevellevellevellevellevelle = 3\n^\n" },
	{ "unknown section; its keys are not looked at",
	  STR_INIT("[limts]\nx = 1\n"),
	  "t.conf:7:2: unknown section \"limts\"; did you mean \"limits\"?\n"
	  "[limts]\n ^\n" },
	{ "unknown section without a guess", STR_INIT("[ tls ]\n"),
	  "t.conf:7:3: unknown section \"tls\"\n[ tls ]\n  ^\n" },
	{ "a key twice",
	  STR_INIT("[log]\naccess = no\n[limits]\n[log]\naccess = yes\n"),
	  "t.conf:11:1: \"access\" is given twice; first at t.conf:8\n"
	  "access = yes\n^\n" },
	{ "a name where none belongs", STR_INIT("[log \"x\"]\n"),
	  "t.conf:7:7: [log] takes no name\n[log \"x\"]\n      ^\n" },
	{ "a name is missing", STR_INIT("[listener]\nlisten = 1\n"),
	  "t.conf:7:2: [listener] needs a name, as in [listener \"main\"]\n"
	  "[listener]\n ^\n" },
	{ "a required key is missing", STR_INIT("[listener \"b\"]\npath = /\n"),
	  "t.conf:7:2: [listener \"b\"] needs the key \"listen\"\n"
	  "[listener \"b\"]\n ^\n" },
	{ "two CSEs",
	  STR_INIT("[upstream \"b\"]\nurl = unix:/run/b\ncse_id = /b\n"),
	  "t.conf:9:1: [upstream \"b\"] cse_id differs from that of "
	  "[upstream \"cse\"]\ncse_id = /b\n^\n" },
	{ "two listeners on one address",
	  STR_INIT("[listener \"b\"]\nlisten = 127.0.0.1:8180\n"),
	  "t.conf:8:1: [listener \"main\"] listens there already\n"
	  "listen = 127.0.0.1:8180\n^\n" },
	{ "a comment behind a value", STR_INIT("[log]\nlevel = info # all\n"),
	  "t.conf:8:9: level must be error, warning, info, debug; "
	  "a comment needs a line of its own\n"
	  "level = info # all\n        ^\n" },
	{ "no equals sign", STR_INIT("[log]\nlevel info\n"),
	  "t.conf:8:7: expected \"=\"\nlevel info\n      ^\n" },
	{ "no key", STR_INIT("[log]\n= info\n"),
	  "t.conf:8:1: expected a key, a [section] or a comment\n"
	  "= info\n^\n" },
	{ "section without a name of its own", STR_INIT("[]\n"),
	  "t.conf:7:2: expected the name of a section\n[]\n ^\n" },
	{ "section not closed", STR_INIT("[log\nx = 1\n"),
	  "t.conf:7:5: expected \"]\"\n[log\n    ^\n" },
	{ "text after a section", STR_INIT("[log] x\n"),
	  "t.conf:7:7: text after \"]\"\n[log] x\n      ^\n" },
	{ "title not closed", STR_INIT("[listener \"b]\n"),
	  "t.conf:7:13: expected letters, digits, \"-\", \"_\", \".\" and a "
	  "closing quote\n[listener \"b]\n            ^\n" },
	{ "empty title", STR_INIT("[listener \"\"]\n"),
	  "t.conf:7:12: expected a name\n[listener \"\"]\n           ^\n" },
	{ "long title",
	  STR_INIT("[listener \"0123456789012345678901234567890123456789"
		   "0123456789012345678901234\"]\n"),
	  "t.conf:7:77: name longer than 64 characters\n"
	  "[listener \"0123456789012345678901234567890123456789"
	  "0123456789012345678901234\"]\n"
	  "                                                  "
	  "                          ^\n" },
	{ "quotes not closed", STR_INIT("[log]\nlevel = \"info\n"),
	  "t.conf:8:14: the quotes are not closed\nlevel = \"info\n"
	  "             ^\n" },
	{ "text after quotes", STR_INIT("[log]\nlevel = \"info\" x\n"),
	  "t.conf:8:16: text after the quotes\nlevel = \"info\" x\n"
	  "               ^\n" },
	{ "unknown escape", STR_INIT("[log]\nlevel = \"in\\fo\"\n"),
	  "t.conf:8:13: expected \\\" or \\\\ after \"\\\"\n"
	  "level = \"in\\fo\"\n            ^\n" },
	{ "a lone dollar", STR_INIT("[log]\nlevel = $info\n"),
	  "t.conf:8:10: expected \"{\" or a second \"$\" after \"$\"\n"
	  "level = $info\n         ^\n" },
	{ "variable not set", STR_INIT("[log]\nlevel = ${M2MWSD_NONE}\n"),
	  "t.conf:8:9: environment variable \"M2MWSD_NONE\" is not set\n"
	  "level = ${M2MWSD_NONE}\n        ^\n" },
	{ "variable with a control",
	  STR_INIT("[log]\nlevel = ${M2MWSD_BAD}\n"),
	  "t.conf:8:9: environment variable \"M2MWSD_BAD\" is not one line of "
	  "UTF-8\nlevel = ${M2MWSD_BAD}\n        ^\n" },
	{ "variable without a name", STR_INIT("[log]\nlevel = ${}\n"),
	  "t.conf:8:11: expected the name of a variable and \"}\"\n"
	  "level = ${}\n          ^\n" },
	{ "variable not closed", STR_INIT("[log]\nlevel = ${HOME\n"),
	  "t.conf:8:15: expected the name of a variable and \"}\"\n"
	  "level = ${HOME\n              ^\n" },
	{ "a wrong value from a variable is shown",
	  STR_INIT("[log]\nlevel = ${M2MWSD_WORD}\n"),
	  "t.conf:8:9: level must be error, warning, info, debug\n"
	  "level = ${M2MWSD_WORD}\n        ^\n"
	  "with the variables expanded: loud\n" },
	{ "NUL", STR_INIT("[log]\nlevel = in\0fo\n"),
	  "t.conf:8:11: control character\nlevel = in?fo\n          ^\n" },
	{ "a terminal escape is not shown as one",
	  STR_INIT("[log]\nlevel = \x1b[31m\n"),
	  "t.conf:8:9: control character\nlevel = ?[31m\n        ^\n" },
	{ "DEL", STR_INIT("[log]\n\x7f\n"),
	  "t.conf:8:1: control character\n?\n^\n" },
	{ "columns are characters; invalid UTF-8",
	  STR_INIT("[log]\nlevel = \xc3\xa9\xff\n"),
	  "t.conf:8:10: not UTF-8\nlevel = \xc3\xa9?\n         ^\n" },
	{ "UTF-8 cut off", STR_INIT("[log]\nlevel = \xe2\x82\n"),
	  "t.conf:8:11: not UTF-8\nlevel = ??\n          ^\n" },
	{ "a bad octet in a title hides the keys below it",
	  STR_INIT(" [log\x01]\nfoo = 1\n"),
	  "t.conf:7:6: control character\n [log?]\n     ^\n" },
	{ "carriage return inside a line", STR_INIT("[log]\nlevel = a\rb\n"),
	  "t.conf:8:10: control character\nlevel = a?b\n         ^\n" },
	{ "the caret stands below, tabs or not",
	  STR_INIT("[log]\n\tlevel\t= loud\n"),
	  "t.conf:8:10: level must be error, warning, info, debug\n"
	  "\tlevel\t= loud\n\t     \t  ^\n" },
	{ "all errors in one pass",
	  STR_INIT("[log]\nlevel = loud\nformat = jsn\naccess\n[nope]\n"),
	  "t.conf:8:9: level must be error, warning, info, debug\n"
	  "level = loud\n        ^\n"
	  "t.conf:9:10: format must be auto, logfmt, json, journal; "
	  "did you mean \"json\"?\n"
	  "format = jsn\n         ^\n"
	  "t.conf:10:7: expected \"=\"\naccess\n      ^\n"
	  "t.conf:11:2: unknown section \"nope\"\n[nope]\n ^\n" },
};

START_TEST(test_bad_body)
{
	struct buf text = { 0 };
	struct loaded l;

	setenv("M2MWSD_BAD", "a\033b", 1);
	setenv("M2MWSD_WORD", "loud", 1);
	buf_add_lit(&text, BASE);
	buf_add_str(&text, bad_bodies[_i].body);
	load_text(&l, buf_str(&text));
	ck_assert_msg(l.err == ERR_PROTO, "%s", bad_bodies[_i].name);
	ck_assert_str_eq(l.diag, bad_bodies[_i].diag);
	loaded_free(&l);
	buf_deinit(&text);
}
END_TEST

static const struct {
	const char *name;
	const char *text;
	const char *diag;
} bad_wholes[] = {
	{ "nothing at all", "",
	  "t.conf: needs a [listener \"NAME\"] section\n"
	  "t.conf: needs an [upstream \"NAME\"] section\n" },
	{ "a key before any section", "x = 1\ny = 2\n",
	  "t.conf:1:1: a key before the first [section]\nx = 1\n^\n" },
	{ "a mistake may be what is missing",
	  "[listener \"a\"]\nlistn = *:1\n[upstream \"b\"]\nurl\n"
	  "[auth]\nmod = open\n",
	  "t.conf:2:1: unknown key \"listn\" in [listener \"a\"]; "
	  "did you mean \"listen\"?\nlistn = *:1\n^\n"
	  "t.conf:4:4: expected \"=\"\nurl\n   ^\n"
	  "t.conf:6:1: unknown key \"mod\" in [auth]; "
	  "did you mean \"mode\"?\nmod = open\n^\n" },
};

START_TEST(test_bad_whole)
{
	struct loaded l;

	load_text(&l, str_of(bad_wholes[_i].text));
	ck_assert_msg(l.err == ERR_PROTO, "%s", bad_wholes[_i].name);
	ck_assert_str_eq(l.diag, bad_wholes[_i].diag);
	loaded_free(&l);
}
END_TEST

/* What is far to the right is shown with what stands before it. */
START_TEST(test_long_lines)
{
	char text[6000] = "[log]\n", *at = text + strlen(text);
	struct loaded l;

	memset(at, ' ', 300);
	strcpy(at + 300, "level = loud\n");
	load_text(&l, str_of(text));
	ck_assert_ptr_nonnull(strstr(l.diag, "t.conf:2:309: level must"));
	ck_assert_ptr_nonnull(strstr(l.diag, "    level = loud\n"));
	ck_assert_ptr_null(strstr(l.diag, "level = loud\n        ^"));
	loaded_free(&l);

	memset(at, '#', 5000);
	at[5000] = '\0';
	load_text(&l, str_of(text));
	ck_assert_ptr_nonnull(strstr(
		l.diag, "t.conf:2:4097: line longer than 4096 octets\n"));
	loaded_free(&l);

	strcpy(at, "level = ");
	memset(at + 8, 'x', 1025);
	at[8 + 1025] = '\0';
	load_text(&l, str_of(text));
	ck_assert_ptr_nonnull(strstr(
		l.diag, "t.conf:2:9: value longer than 1024 octets\n"));
	loaded_free(&l);
}
END_TEST

/* Read as [log] level = debug. */
static const struct {
	const char *name;
	const char *body;
} good_bodies[] = {
	{ "plain", "[log]\nlevel = debug\n" },
	{ "no line end at the end", "[log]\nlevel=debug" },
	{ "CRLF", "[log]\r\nlevel = debug\r\n" },
	{ "white space everywhere", " \t[ log ] \n\tlevel \t=\t debug \t\n" },
	{ "comments and empty lines", "\n# a\n ; b\n[log]\n\t#c\nlevel=debug" },
	{ "quoted", "[log]\nlevel = \"debug\" \n" },
	{ "a variable", "[log]\nlevel = ${M2MWSD_LEVEL}\n" },
	{ "a variable in quotes", "[log]\nlevel = \"de${M2MWSD_END}\"\n" },
	{ "a section in two places",
	  "[log]\nformat = json\n[limits]\n[log]\nlevel = debug\n" },
};

START_TEST(test_good_body)
{
	struct buf text = { 0 };
	struct loaded l;

	setenv("M2MWSD_LEVEL", "debug", 1);
	setenv("M2MWSD_END", "bug", 1);
	buf_add_lit(&text, "\xef\xbb\xbf" BASE);
	buf_add_str(&text, str_of(good_bodies[_i].body));
	load_text(&l, buf_str(&text));
	ck_assert_msg(l.err == 0, "%s: %s", good_bodies[_i].name, l.diag);
	ck_assert_int_eq(l.conf->log.level, LOG_LEVEL_DEBUG);
	loaded_free(&l);
	buf_deinit(&text);
}
END_TEST

START_TEST(test_quoted_value)
{
	struct loaded l;

	load_text(&l, STR(BASE "[listener \"main\"]\n"
			       "path = \"/a\\\"b\\\\c$$d\"\n"));
	ck_assert_int_eq(l.err, 0);
	ck_assert(str_eq(l.conf->gateway.listeners[0].handshake.path,
			 STR("/a\"b\\c$d")));
	loaded_free(&l);
}
END_TEST

START_TEST(test_defaults)
{
	const struct gateway_listener_conf *listener;
	const struct gateway_conf *gw;
	struct loaded l;

	load_text(&l, STR(BASE));
	ck_assert_int_eq(l.err, 0);
	gw = &l.conf->gateway;
	listener = &gw->listeners[0];
	ck_assert_uint_ge(gw->workers, 1);
	ck_assert_uint_eq(gw->drain_timeout_ms, 10000);
	ck_assert_uint_eq(gw->listener_count, 1);
	ck_assert_str_eq(listener->name, "main");
	ck_assert_int_eq(listener->addr.ss_family, AF_INET);
	ck_assert_uint_eq(listener->max_sessions, 100000);
	ck_assert_uint_eq(listener->handshake_timeout_ms, 10000);
	ck_assert_uint_eq(listener->handshake.formats,
			  1u << FORMAT_JSON | 1u << FORMAT_XML |
				  1u << FORMAT_CBOR);
	ck_assert_int_eq(listener->handshake.default_format, -1);
	ck_assert_uint_eq(listener->handshake.path.len, 0);
	ck_assert_uint_eq(listener->handshake.origin_count, 0);
	ck_assert_str_eq(gw->upstreams->name, "cse");
	ck_assert_str_eq(gw->upstreams->cse_id, "");
	ck_assert_int_eq(gw->upstreams->format, FORMAT_JSON);
	ck_assert_uint_eq(gw->upstreams->keepalive_ms, 4000);
	ck_assert_uint_eq(gw->upstreams->max_waiting, 32 << 20);
	ck_assert_uint_eq(gw->max_entities, 256);
	ck_assert_uint_eq(gw->max_registered, 256 << 20);
	ck_assert_uint_eq(gw->max_descendants, 1024);
	ck_assert_uint_eq(gw->notify.max_connections, 1024);
	ck_assert_int_eq(l.conf->log.level, LOG_LEVEL_INFO);
	ck_assert_int_eq(l.conf->log.format, LOG_FORMAT_AUTO);
	ck_assert(l.conf->log.access);
	loaded_free(&l);
}
END_TEST

/* A directory of its own for each test, as a service would have it. */
static char dir[] = "/tmp/test_config.XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void load_dir(struct loaded *l, const char *const *overrides,
		     size_t count)
{
	FILE *diag = loaded_diag(l);

	l->err = config_load(&l->conf, in_dir("a.conf"), overrides, count,
			     diag);
	loaded_check(l);
}

static void make_dir(void)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	write_file("a.conf", BASE "[limits]\nmax_depth = 1\nin_flight = 1\n");
	mkdir(in_dir("conf.d"), 0700);
}

static void remove_dir(void)
{
	static const char *const names[] = { "conf.d/9.conf", "conf.d/B.conf",
					     "conf.d/b.conf", "conf.d/.c.conf",
					     "conf.d/d.conf~", "conf.d",
					     "a.conf" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		remove(in_dir(names[i]));
	ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(test_order)
{
	static const char *const overrides[] = {
		"limits.in_flight=9", "listener.x.y.listen=*:0",
		"limits.in_flight=10", "listener.x.y.path=\"/ws\"",
	};
	struct loaded l;
	char *dump;

	write_file("conf.d/b.conf", "[limits]\nmax_depth = 4\n");
	write_file("conf.d/B.conf", "[limits]\nmax_depth = 3\n");
	write_file("conf.d/9.conf", "[limits]\nmax_depth=2\nin_flight=2\n");
	write_file("conf.d/.c.conf", "bad");
	write_file("conf.d/d.conf~", "bad");
	load_dir(&l, overrides, ARRAY_LEN(overrides));
	ck_assert_int_eq(l.err, 0);
	ck_assert_uint_eq(l.conf->gateway.codec.max_depth, 4);
	ck_assert_uint_eq(l.conf->gateway.in_flight, 10);
	ck_assert_uint_eq(l.conf->gateway.listener_count, 2);
	ck_assert_str_eq(l.conf->gateway.listeners[1].name, "x.y");
	ck_assert_uint_eq(l.conf->gateway.listeners[1].handshake.path.len, 3);
	dump = dump_of(l.conf);
	ck_assert_ptr_nonnull(strstr(dump, "# from -o\nin_flight = 10\n"));
	ck_assert_ptr_nonnull(
		strstr(dump, "/conf.d/b.conf:2\nmax_depth = 4\n"));
	ck_assert_ptr_nonnull(strstr(dump, "# default\nmax_tokens = 65536\n"));
	free(dump);
	loaded_free(&l);
}
END_TEST

/* Errors of every source in one pass, each under its own name. */
START_TEST(test_errors_of_all_sources)
{
	static const char *const overrides[] = { "limits.in_flight=0" };
	char want[1024];
	struct loaded l;

	write_file("a.conf", BASE "[limits]\nmax_depth = 0\n");
	write_file("conf.d/b.conf", "\nlevel = 1\n");
	load_dir(&l, overrides, 1);
	ck_assert_int_eq(l.err, ERR_PROTO);
	snprintf(want, sizeof(want),
		 "%s/a.conf:8:13: max_depth must be a number from 1 to 512\n"
		 "max_depth = 0\n            ^\n"
		 "%s/conf.d/b.conf:2:1: a key before the first [section]\n"
		 "level = 1\n^\n"
		 "-o limits.in_flight=...:1:18: in_flight must be a number "
		 "from 1 to 256\n"
		 "limits.in_flight=0\n                 ^\n",
		 dir, dir);
	ck_assert_str_eq(l.diag, want);
	loaded_free(&l);
}
END_TEST

START_TEST(test_unreadable)
{
	char want[1024];
	struct loaded l;
	FILE *big;

	ck_assert_int_eq(symlink("nowhere", in_dir("conf.d/b.conf")), 0);
	load_dir(&l, NULL, 0);
	snprintf(want, sizeof(want), "%s/conf.d/b.conf: cannot be read: "
		 "no such file or directory\n", dir);
	ck_assert_str_eq(l.diag, want);
	loaded_free(&l);

	remove_dir();
	make_dir();
	rmdir(in_dir("conf.d"));
	write_file("conf.d", "");
	load_dir(&l, NULL, 0);
	snprintf(want, sizeof(want),
		 "%s/conf.d: cannot be read: not a directory\n", dir);
	ck_assert_str_eq(l.diag, want);
	loaded_free(&l);

	big = fopen(in_dir("a.conf"), "w");
	for (int i = 0; i <= CONFIG_FILE_MAX; i++)
		fputc('\n', big);
	fclose(big);
	load_dir(&l, NULL, 0);
	snprintf(want, sizeof(want),
		 "%s/a.conf: cannot be read: file too large\n", dir);
	ck_assert_str_eq(l.diag, want);
	loaded_free(&l);

	remove(in_dir("a.conf"));
	load_dir(&l, NULL, 0);
	snprintf(want, sizeof(want), "%s/a.conf: cannot be read: "
		 "no such file or directory\n", dir);
	ck_assert_str_eq(l.diag, want);
	loaded_free(&l);
}
END_TEST

static const struct {
	const char *text, *diag;
} bad_overrides[] = {
	{ "foo", "-o foo:1:4: expected section.key=value\nfoo\n   ^\n" },
	{ "", "-o :1:1: expected section.key=value\n\n^\n" },
	{ "log.level",
	  "-o log.level:1:10: expected section.key=value\n"
	  "log.level\n         ^\n" },
	{ "log.=debug",
	  "-o log.=...:1:5: expected section.key=value\nlog.=debug\n    ^\n" },
	{ "listener..listen=*:1",
	  "-o listener..listen=...:1:10: expected a name of 1 to 64 "
	  "characters\nlistener..listen=*:1\n         ^\n" },
	{ "listener.main.listen=x",
	  "-o listener.main.listen=...:1:22: listen must be ADDRESS:PORT, such "
	  "as 127.0.0.1:8180, [::1]:8180 or *:8180\n"
	  "listener.main.listen=x\n                     ^\n" },
	{ "listener.main.lissten=x",
	  "-o listener.main.lissten=...:1:15: unknown key \"lissten\" in "
	  "[listener \"main\"]; did you mean \"listen\"?\n"
	  "listener.main.lissten=x\n              ^\n" },
	{ "logs.level=x",
	  "-o logs.level=...:1:1: unknown section \"logs\"; did you mean "
	  "\"log\"?\nlogs.level=x\n^\n" },
	{ "log.level=\x1b",
	  "-o log.level=...:1:11: control character\nlog.level=?\n"
	  "          ^\n" },
};

START_TEST(test_bad_override)
{
	const char *const overrides[] = { "listener.main.listen=*:0",
					  "upstream.cse.url=unix:/x",
					  "auth.mode=open",
					  bad_overrides[_i].text };
	struct loaded l;
	FILE *diag = loaded_diag(&l);

	l.err = config_load(&l.conf, NULL, overrides, 4, diag);
	loaded_check(&l);
	ck_assert_str_eq(l.diag, bad_overrides[_i].diag);
	loaded_free(&l);

	diag = loaded_diag(&l);
	l.err = config_load(&l.conf, NULL, overrides, 3, diag);
	loaded_check(&l);
	ck_assert_int_eq(l.err, 0);
	loaded_free(&l);
}
END_TEST

START_TEST(test_dump_loads_back)
{
	struct loaded l, again;
	char *first, *second;

	setenv("M2MWSD_BLANK", " https://a.example ", 1);
	load_text(&l, STR(BASE "[listener \"b.2\"]\nlisten = [::1]:0\n"
			       "path = \"/a\\\\$$b\"\n"
			       "origins = ${M2MWSD_BLANK}\n"
			       "[limits]\nping_interval = 0\n"));
	ck_assert_int_eq(l.err, 0);
	first = dump_of(l.conf);
	load_text(&again, str_of(first));
	ck_assert_msg(again.err == 0, "%s", again.diag);
	second = dump_of(again.conf);
	ck_assert_ptr_nonnull(strstr(first, "\npath = /a\\$$b\n"));
	ck_assert_ptr_nonnull(
		strstr(first, "\norigins = \" https://a.example \"\n"));
	strip_comments(first);
	strip_comments(second);
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
	loaded_free(&again);
	loaded_free(&l);
}
END_TEST

/* Each default is within its own range, unless it waits to be made. */
START_TEST(test_list)
{
	char *text = NULL;
	size_t len = 0, lines = 0;
	FILE *to = open_memstream(&text, &len);

	config_list(to);
	fclose(to);
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	ck_assert_uint_eq(lines, config_option_count);
	ck_assert_ptr_nonnull(strstr(text, "limits\tmax_message\t256k\n"));
	ck_assert_ptr_nonnull(strstr(text, "listener\tlisten\trequired\n"));
	ck_assert_ptr_nonnull(strstr(text, "listener\tpath\tempty\n"));
	free(text);
	config_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("text"), *files = tcase_create("files");

	tcase_add_loop_test(tc, test_bad_body, 0, ARRAY_LEN(bad_bodies));
	tcase_add_loop_test(tc, test_bad_whole, 0, ARRAY_LEN(bad_wholes));
	tcase_add_test(tc, test_long_lines);
	tcase_add_loop_test(tc, test_good_body, 0, ARRAY_LEN(good_bodies));
	tcase_add_test(tc, test_quoted_value);
	tcase_add_test(tc, test_defaults);
	tcase_add_loop_test(tc, test_bad_override, 0, ARRAY_LEN(bad_overrides));
	tcase_add_test(tc, test_dump_loads_back);
	tcase_add_test(tc, test_list);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(files, make_dir, remove_dir);
	tcase_add_test(files, test_order);
	tcase_add_test(files, test_errors_of_all_sources);
	tcase_add_test(files, test_unreadable);
	suite_add_tcase(suite, files);
	return unit_run(suite);
}
