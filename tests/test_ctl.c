#include "unit.h"

#include "ctl/ctl_args.h"
#include "ctl/ctl_table.h"
#include "ctl/ctl_trace.h"
#include "ctl/ctl_ws.h"

#define WORDS 8

static struct ctl_args args;
static struct buf text;

static void setup(void)
{
	unsetenv("M2MWSCTL_SOCKET");
	unsetenv("M2MWSCTL_TOKEN");
}

static void teardown(void)
{
	buf_deinit(&text);
}

static bool parse(const char *const words[WORDS])
{
	char *argv[WORDS + 2] = { (char *)(uintptr_t)"m2mwsctl" };
	int argc = 1;

	for (; argc <= WORDS && words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	return ctl_args_parse(&args, &text, argc, argv);
}

/* NUL-terminated. */
static const char *said(void)
{
	buf_add_char(&text, '\0');
	ck_assert(!text.failed);
	return text.p;
}

static const struct {
	const char *words[WORDS];
	const char *path;
} asked[] = {
	{ { "status" }, "/api/status" },
	{ { "--json", "status" }, "/api/status" },
	{ { "sessions" }, "/api/sessions" },
	{ { "sessions", "--limit", "5", "-o", "/id-in/C a" },
	  "/api/sessions?originator=%2Fid-in%2FC%20a&limit=5" },
	{ { "--peer=::1", "sessions" }, "/api/sessions?peer=%3A%3A1" },
	{ { "session", "7" }, "/api/sessions/7" },
	{ { "kick", "7/../x" }, "/api/sessions/7%2F..%2Fx/kick" },
	{ { "log", "debug" }, "/api/log?level=debug" },
	{ { "inbox", "list" }, "/api/inbox" },
	{ { "inbox", "show", "/id-in/Cx" }, "/api/inbox/%2Fid-in%2FCx" },
	{ { "inbox", "drop", "Cx" }, "/api/inbox/Cx" },
	{ { "inbox", "drop", "Cx", "9" }, "/api/inbox/Cx/9" },
	{ { "inbox", "redeliver", "Cx" }, "/api/inbox/Cx/redeliver" },
};

START_TEST(test_path)
{
	ck_assert_msg(parse(asked[_i].words), "%s", said());
	ctl_args_write_path(&text, &args);
	ck_assert_str_eq(said(), asked[_i].path);
}
END_TEST

static const struct {
	const char *words[WORDS];
	const char *why;
} refused[] = {
	{ { NULL }, "a command is missing" },
	{ { "frob" }, "unknown command 'frob'" },
	{ { "inbox" }, "what to do is missing after 'inbox'" },
	{ { "inbox", "x" }, "what to do is missing after 'inbox'" },
	{ { "kick" }, "too little is said after 'kick'" },
	{ { "kick", "1", "2" }, "unexpected argument '2'" },
	{ { "kick", "1", "-o", "C" },
	  "an option that makes no sense with 'kick'" },
	{ { "status", "--frob" }, "unknown option '--frob'" },
	{ { "sessions", "--limit" }, "a value is missing for '--limit'" },
	{ { "listen", "ws://a", "-n", "x" },
	  "not a number that is possible: 'x'" },
	{ { "request", "ws://a", "1", "b", "-y", "-1" },
	  "not a number that is possible: '-1'" },
	{ { "request", "ws://a", "1", "b", "-y", "2147483648" },
	  "not a number that is possible: '2147483648'" },
};

START_TEST(test_refused)
{
	ck_assert(!parse(refused[_i].words));
	ck_assert_str_eq(said(), refused[_i].why);
}
END_TEST

START_TEST(test_environment)
{
	const char *const words[WORDS] = { "status" };
	const char *const with[WORDS] = { "status", "-s", "/b" };

	ck_assert(parse(words));
	ck_assert_str_eq(args.socket, "/run/m2mwsd/ctl");
	setenv("M2MWSCTL_SOCKET", "/a", 1);
	setenv("M2MWSCTL_TOKEN", "n.s", 1);
	ck_assert(parse(words));
	ck_assert_str_eq(args.socket, "/a");
	ck_assert_str_eq(args.token, "n.s");
	ck_assert(parse(with));
	ck_assert_str_eq(args.socket, "/b");
}
END_TEST

static const struct {
	const char *text;
	int op;
} ops[] = {
	{ "1", 1 }, { "5", 5 }, { "create", 1 }, { "RETRIEVE", 2 },
	{ "Update", 3 }, { "delete", 4 }, { "notify", 5 }, { "0", 0 },
	{ "6", 0 }, { "11", 0 }, { "", 0 }, { "?", 0 },
};

START_TEST(test_op)
{
	ck_assert_msg(ctl_ws_op(ops[_i].text) == ops[_i].op, "%s",
		      ops[_i].text);
}
END_TEST

static const struct {
	int64_t seconds;
	const char *text;
} durations[] = {
	{ -5, "0s" }, { 0, "0s" }, { 59, "59s" }, { 60, "1m" },
	{ 61, "1m1s" }, { 3600, "1h" }, { 3601, "1h" }, { 86399, "23h59m" },
	{ 90000, "1d1h" }, { 86400 + 60, "1d" },
};

START_TEST(test_duration)
{
	ctl_add_duration(&text, durations[_i].seconds);
	ck_assert_str_eq(said(), durations[_i].text);
}
END_TEST

static const struct {
	struct str in;
	const char *out;
} visible[] = {
	{ STR_INIT("Cmeter7"), "Cmeter7" },
	{ STR_INIT("a\x1b[2J\nb\x7f"), "a?[2J?b?" },
	{ STR_INIT("\xc3\xbc"), "\xc3\xbc" },
	{ STR_INIT("a\xc2\x9b" "31m"), "a?31m" },
	{ STR_INIT("\xc2\xa0"), "\xc2\xa0" },
	{ STR_INIT("a\xff\xc2"), "a??" },
};

START_TEST(test_visible)
{
	ctl_add_visible(&text, visible[_i].in);
	ck_assert_str_eq(said(), visible[_i].out);
}
END_TEST

static const struct ctl_column columns[] = {
	{ "ID", "id", CELL_NUMBER, NULL },
	{ "NAME", "name", CELL_TEXT, NULL },
	{ "AGE", "since", CELL_AGE, NULL },
	{ "LIST", "list", CELL_LIST, "all" },
};

static json_t *make_rows(void)
{
	json_t *rows = json_pack(
		"[{s:i,s:s,s:i,s:[s,s],s:i},{s:i,s:s,s:i,s:[],s:i},"
		"{s:i,s:s,s:[s]}]",
		"id", 7, "name", "\xc3\xbc", "since", 900, "list", "a", "b",
		"all", 5, "id", 1234, "name", "", "since", 0, "list", "all", 0,
		"id", 8, "name", "x\ny", "list", "c");

	ck_assert_ptr_nonnull(rows);
	return rows;
}

/* What write() wrote, to be freed. */
static char *written(void (*write)(FILE *to, json_t *rows), json_t *rows)
{
	char *out = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&out, &len);

	ck_assert_ptr_nonnull(to);
	write(to, rows);
	fclose(to);
	json_decref(rows);
	return out;
}

static void write_all(FILE *to, json_t *rows)
{
	ctl_table_write(to, columns, ARRAY_LEN(columns), rows, 1000);
}

static void write_sorted(FILE *to, json_t *rows)
{
	ctl_sort(rows, "id");
	ctl_table_write(to, columns, 1, rows, 1000);
	ctl_sort(rows, "name");
	ctl_table_write(to, columns, 1, rows, 1000);
}

static void write_one(FILE *to, json_t *rows)
{
	ctl_table_write_one(to, columns, ARRAY_LEN(columns),
			    json_array_get(rows, 2), 1000);
}

static const struct {
	void (*write)(FILE *to, json_t *rows);
	const char *want;
} tables[] = {
	{ write_all,
	  "  ID  NAME  AGE    LIST\n"
	  "   7  \xc3\xbc     1m40s  a b +3\n"
	  "1234  -     -      -\n"
	  "   8  x?y   -      c\n" },
	{ write_sorted, "  ID\n1234\n   8\n   7\n  ID\n1234\n   8\n   7\n" },
	{ write_one, "ID    8\nNAME  x?y\nLIST  c\n" },
};

START_TEST(test_table)
{
	char *out = written(tables[_i].write, make_rows());

	ck_assert_str_eq(out, tables[_i].want);
	free(out);
}
END_TEST

#define OK "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct {
	const char *name;
	struct str octets;
	int err;
	const char *lines;
	bool ended;
} streams[] = {
	{ "two", STR_INIT(OK "2\r\na\n\r\nB\r\n0123456789\n\r\n"), 0,
	  "a\n|0123456789\n|", false },
	{ "the last", STR_INIT(OK "2\r\na\n\r\n0\r\n\r\n"), 0, "a\n|", true },
	{ "a refusal", STR_INIT("HTTP/1.1 400 No\r\n\r\n5\r\n12345\r\n"), 0,
	  "", false },
	{ "no HTTP", STR_INIT("SSH-2.0-OpenSSH_9.2\r\n\r\n"), ERR_PROTO, "",
	  false },
	{ "no size", STR_INIT(OK "x\r\n"), ERR_PROTO, "", false },
	{ "an empty size", STR_INIT(OK "\r\n"), ERR_PROTO, "", false },
	{ "a size above all", STR_INIT(OK "fffffffffffffffff\r\n"), ERR_PROTO,
	  "", false },
	{ "a size without an end", STR_INIT(OK "000000000000000000000001"),
	  ERR_PROTO, "", false },
};

static void on_lines(void *arg, struct str lines)
{
	buf_add_str(arg, lines);
	buf_add_char(arg, '|');
}

/* Whole, and octet by octet. */
START_TEST(test_chunks)
{
	for (size_t step = 1; step < 1000; step += 998) {
		struct ctl_chunks c = { 0 };
		struct str rest = streams[_i].octets, part;
		int err = 0;

		buf_clear(&text);
		for (; rest.len > 0 && !err; rest = str_skip(rest, step)) {
			part = (struct str){ rest.p, rest.len < step ?
							     rest.len : step };
			err = ctl_chunks_feed(&c, part, on_lines, &text);
		}
		ck_assert_msg(err == streams[_i].err, "%s", streams[_i].name);
		ck_assert_str_eq(said(), streams[_i].lines);
		ck_assert_msg(c.ended == streams[_i].ended, "%s",
			      streams[_i].name);
		buf_deinit(&c.kept);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl");
	TCase *tc = tcase_create("ctl");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_path, 0, ARRAY_LEN(asked));
	tcase_add_loop_test(tc, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, test_environment);
	tcase_add_loop_test(tc, test_op, 0, ARRAY_LEN(ops));
	tcase_add_loop_test(tc, test_duration, 0, ARRAY_LEN(durations));
	tcase_add_loop_test(tc, test_visible, 0, ARRAY_LEN(visible));
	tcase_add_loop_test(tc, test_table, 0, ARRAY_LEN(tables));
	tcase_add_loop_test(tc, test_chunks, 0, ARRAY_LEN(streams));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
