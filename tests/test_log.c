#define _GNU_SOURCE	/* F_SETPIPE_SZ */
#include "unit.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <regex.h>
#include <sys/stat.h>
#include <uv.h>

#include "base/log.h"

#define S(literal) STR_INIT(literal)

/* Where the log goes; what it holds. */
struct sink {
	FILE *file;
	char text[65536];
};

static void sink_open(struct sink *s, enum log_level level,
		      enum log_format format)
{
	struct log_conf conf = { level, format, true, NULL };

	s->file = tmpfile();
	ck_assert_ptr_nonnull(s->file);
	log_setup(&conf, fileno(s->file));
}

static const char *sink_read(struct sink *s)
{
	ssize_t n = pread(fileno(s->file), s->text, sizeof(s->text) - 1, 0);

	ck_assert_int_ge(n, 0);
	s->text[n] = '\0';
	return s->text;
}

static void sink_close(struct sink *s)
{
	fclose(s->file);
}

static bool matches(const char *text, const char *pattern)
{
	regex_t re;
	int err;

	ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	err = regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	return err == 0;
}

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256 X64 X64 X64 X64

static const struct {
	const char *name;
	struct str value;
	const char *logfmt, *json;
} values[] = {
	{ "plain", S("cse-in/ae1"), "cse-in/ae1", "cse-in/ae1" },
	{ "empty", S(""), "\"\"", "" },
	{ "space", S("a b"), "\"a b\"", "a b" },
	{ "equals sign", S("a=b"), "\"a=b\"", "a=b" },
	{ "quote", S("a\"b"), "\"a\\\"b\"", "a\"b" },
	{ "backslash needs no quotes", S("a\\b"), "a\\b", "a\\b" },
	{ "backslash in quotes", S("a \\b"), "\"a \\\\b\"", "a \\b" },
	{ "line ends forge no line", S("a\r\nlevel=error"),
	  "\"a\\x0d\\nlevel=error\"", "a\r\nlevel=error" },
	{ "tab", S("a\tb"), "\"a\\tb\"", "a\tb" },
	{ "NUL", S("a\0b"), "\"a\\x00b\"", NULL },
	{ "terminal escape", S("\x1b[31m"), "\"\\x1b[31m\"", "\x1b[31m" },
	{ "DEL", S("\x7f"), "\"\\x7f\"", "\x7f" },
	{ "UTF-8", S("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
	  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
	  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "UTF-8 in quotes", S("\xc3\xa9 x"), "\"\xc3\xa9 x\"", "\xc3\xa9 x" },
	{ "C1 control", S("\xc2\x9b" "31m"), "\"\\xc2\\x9b31m\"",
	  "\xc3\x82\xc2\x9b" "31m" },
	{ "not UTF-8", S("\xff"), "\"\\xff\"", "\xc3\xbf" },
	{ "overlong", S("\xc0\xaf"), "\"\\xc0\\xaf\"", "\xc3\x80\xc2\xaf" },
	{ "UTF-8 cut off", S("a\xe2\x82"), "\"a\\xe2\\x82\"",
	  "a\xc3\xa2\xc2\x82" },
	{ "256 octets are whole", S(X256), X256, X256 },
	{ "more are cut", S(X256 "x"), X256 "...", X256 "..." },
};

START_TEST(test_logfmt)
{
	struct sink s;
	char want[2048];

	sink_open(&s, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_warning("test", LOG_STR("v", values[_i].value), LOG_UINT("n", 1));
	snprintf(want, sizeof(want), " level=warning event=test v=%s n=1\n",
		 values[_i].logfmt);
	sink_read(&s);
	ck_assert_msg(strcmp(strchr(s.text, ' '), want) == 0, "%s: %s",
		      values[_i].name, s.text);
	sink_close(&s);
}
END_TEST

START_TEST(test_json)
{
	const char *text;
	json_t *line;
	struct sink s;

	sink_open(&s, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_error("test", LOG_STR("v", values[_i].value), LOG_INT("n", -1));
	sink_read(&s);
	ck_assert_ptr_eq(strchr(s.text, '\n'), s.text + strlen(s.text) - 1);
	line = json_loads(s.text, JSON_ALLOW_NUL, NULL);
	ck_assert_msg(line != NULL, "%s: %s", values[_i].name, s.text);
	text = json_string_value(json_object_get(line, "v"));
	if (values[_i].json != NULL)
		ck_assert_str_eq(text, values[_i].json);
	ck_assert_int_eq(json_integer_value(json_object_get(line, "n")), -1);
	text = json_string_value(json_object_get(line, "level"));
	ck_assert_str_eq(text, "error");
	text = json_string_value(json_object_get(line, "event"));
	ck_assert_str_eq(text, "test");
	text = json_string_value(json_object_get(line, "ts"));
	ck_assert(matches(text, "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}"
				":[0-9]{2}\\.[0-9]{3}Z$"));
	json_decref(line);
	sink_close(&s);
}
END_TEST

START_TEST(test_cut_between_characters)
{
	char space[258];		/* the euro sign is octets 255 to 257 */
	struct sink s;

	memset(space, 'x', 255);
	memcpy(space + 255, "\xe2\x82\xac", 3);
	sink_open(&s, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_error("test",
		  LOG_STR("v", ((struct str){ space, sizeof(space) })));
	ck_assert(matches(sink_read(&s), "v=x{255}\\.\\.\\.\n$"));
	sink_close(&s);
}
END_TEST

START_TEST(test_numbers)
{
	struct sink s;

	sink_open(&s, LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	log_error("test", LOG_UINT("a", 0), LOG_UINT("b", UINT64_MAX),
		  LOG_INT("c", INT64_MIN), LOG_INT("d", 42),
		  LOG_ERRNO(UV_EPIPE));
	ck_assert(matches(sink_read(&s),
			  "^ts=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:"
			  "[0-9]{2}\\.[0-9]{3}Z level=error event=test a=0 "
			  "b=18446744073709551615 c=-9223372036854775808 d=42 "
			  "why=\"broken pipe\"\n$"));
	sink_close(&s);
}
END_TEST

/* The clock runs between two lines; neither may show what never was. */
START_TEST(test_time_is_now)
{
	struct timespec before, after;
	struct sink s;
	struct tm tm = { 0 };
	int ms;

	setenv("TZ", "Asia/Kolkata", 1);
	sink_open(&s, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_error("warm-up", LOG_UINT("n", 1));
	clock_gettime(CLOCK_REALTIME, &before);
	log_error("test", LOG_UINT("n", 1));
	clock_gettime(CLOCK_REALTIME, &after);
	sink_read(&s);
	ck_assert_int_eq(sscanf(strchr(s.text, '\n'),
				"\nts=%d-%d-%dT%d:%d:%d.%dZ", &tm.tm_year,
				&tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
				&tm.tm_min, &tm.tm_sec, &ms), 7);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	ms += (int)(timegm(&tm) - before.tv_sec) * 1000;
	ck_assert_int_ge(ms, (int)(before.tv_nsec / 1000000));
	ck_assert_int_le(ms, (int)((after.tv_sec - before.tv_sec) * 1000 +
				   after.tv_nsec / 1000000));
	sink_close(&s);
}
END_TEST

static const struct {
	enum log_level level;
	const char *prefix;
} journal[] = {
	{ LOG_LEVEL_ERROR, "<3>level=error event=test x=1\n" },
	{ LOG_LEVEL_WARNING, "<4>level=warning event=test x=1\n" },
	{ LOG_LEVEL_INFO, "<6>level=info event=test x=1\n" },
	{ LOG_LEVEL_DEBUG, "<7>level=debug event=test x=1\n" },
};

START_TEST(test_journal)
{
	struct log_conf conf = { LOG_LEVEL_DEBUG, LOG_FORMAT_AUTO, true, NULL };
	struct stat st;
	struct sink s;
	char name[64];

	sink_open(&s, LOG_LEVEL_DEBUG, LOG_FORMAT_AUTO);
	ck_assert_int_eq(fstat(fileno(s.file), &st), 0);
	snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", name, 1);
	log_setup(&conf, fileno(s.file));
	log_event(journal[_i].level, "test", LOG_UINT("x", 1));
	log_flush();
	ck_assert_str_eq(sink_read(&s), journal[_i].prefix);
	sink_close(&s);
}
END_TEST

/* A shell below a service inherits the variable, not the stream. */
START_TEST(test_journal_of_others)
{
	static const char *const streams[] = { "1:1", "", "x", "8:x" };

	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		struct sink s;

		setenv("JOURNAL_STREAM", streams[i], 1);
		sink_open(&s, LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
		log_error("test", LOG_UINT("n", 1));
		ck_assert(matches(sink_read(&s), "^ts="));
		sink_close(&s);
	}
}
END_TEST

START_TEST(test_level)
{
	struct log_conf conf = { LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, false, NULL };
	struct sink s;

	sink_open(&s, LOG_LEVEL_WARNING, LOG_FORMAT_LOGFMT);
	log_info("hidden", LOG_UINT("n", 1));
	log_flush();
	ck_assert_str_eq(sink_read(&s), "");
	ck_assert(log_enabled(LOG_LEVEL_WARNING));
	ck_assert(!log_enabled(LOG_LEVEL_INFO));
	ck_assert(!log_access_enabled());
	log_setup(&conf, fileno(s.file));
	ck_assert(!log_access_enabled());
	conf.access = true;
	log_setup(&conf, fileno(s.file));
	ck_assert(log_access_enabled());
	sink_close(&s);
}
END_TEST

START_TEST(test_when_written)
{
	struct sink s;

	sink_open(&s, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_info("first", LOG_UINT("n", 1));
	ck_assert_str_eq(sink_read(&s), "");
	log_warning("second", LOG_UINT("n", 2));	/* takes it along */
	ck_assert(matches(sink_read(&s),
			  "event=first n=1\n.*event=second n=2\n$"));
	log_info("third", LOG_UINT("n", 1));
	log_flush();
	ck_assert(matches(sink_read(&s), "event=third n=1\n$"));
	sink_close(&s);

	sink_open(&s, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	for (int i = 0; i < 16384 / 311; i++)
		log_info("filler", LOG_TEXT("v", X256));
	ck_assert_uint_eq(strlen(sink_read(&s)), 0);
	log_info("filler", LOG_TEXT("v", X256));
	ck_assert_uint_ge(strlen(sink_read(&s)), 16384);
	sink_close(&s);
}
END_TEST

/* As many hostile fields as one likes: one line, ended. */
START_TEST(test_wide_line)
{
	struct log_field fields[101] = { 0 };
	char space[256];
	struct sink s;

	memset(space, 1, sizeof(space));
	for (int i = 0; i < 100; i++)
		fields[i] = (struct log_field)LOG_STR(
			"v", ((struct str){ space, sizeof(space) }));
	sink_open(&s, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_write(LOG_LEVEL_ERROR, "test", fields);
	sink_read(&s);
	ck_assert_uint_gt(strlen(s.text), 32768);
	ck_assert(strcmp(s.text + strlen(s.text) - 3, "\"}\n") == 0);
	sink_close(&s);
}
END_TEST

static void *read_slowly(void *arg)
{
	int fd = *(int *)arg;
	size_t total = 0;
	char space[512];
	ssize_t n;

	while ((n = read(fd, space, sizeof(space))) > 0)
		total += (size_t)n;
	return (void *)total;
}

/* A pipe that fills up: nothing is lost or doubled. */
START_TEST(test_partial_writes)
{
	struct log_conf conf = { LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, true, NULL };
	size_t lines = 1000, line;
	pthread_t reader;
	void *total;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	log_setup(&conf, fds[1]);
	pthread_create(&reader, NULL, read_slowly, &fds[0]);
	for (size_t i = 0; i < lines; i++)
		log_info("filler", LOG_TEXT("v", X256));
	log_flush();
	close(fds[1]);
	pthread_join(reader, &total);
	line = strlen("ts=2026-11-23T22:34:20.123Z level=info event=filler v=")
	       + 256 + 1;
	ck_assert_uint_eq((size_t)total, lines * line);
	close(fds[0]);
}
END_TEST

struct heard {
	size_t lines, dropped;
	bool whole;			/* every line is of one piece */
};

/* What is in a pipe now. */
static struct heard read_lines(int fd)
{
	static char text[262144];
	struct heard heard = { .whole = true };
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *line = text, *end;

	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		if (matches(line, "event=log_dropped n=[0-9]+$"))
			heard.dropped += (size_t)atoi(strstr(line, " n=") + 3);
		else if (matches(line, "^ts=[^ ]+ level=info event=[a-z]+ "
				       "v=x{256}$"))
			heard.lines++;
		else
			heard.whole = false;
	}
	heard.whole &= *line == '\0';
	return heard;
}

static void open_stuck_pipe(int fds[2])
{
	struct log_conf conf = { LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, true, NULL };

	ck_assert_int_eq(pipe(fds), 0);		/* writing blocks */
	log_setup(&conf, fds[1]);
}

/* A pipe that nobody reads: no wait without end, whole lines, and every one
 * of them is there or counted. */
START_TEST(test_stuck_pipe)
{
	size_t lines = 0, dropped = 0;
	int fds[2];

	open_stuck_pipe(fds);
	for (size_t i = 0; i < 1000; i++)
		log_info("stuck", LOG_TEXT("v", X256));
	log_flush();
	for (int i = 0; i < 3; i++) {
		struct heard heard = read_lines(fds[0]);

		ck_assert(heard.whole);
		lines += heard.lines;
		dropped += heard.dropped;
		log_flush();
		log_info("again", LOG_TEXT("v", X256));
		log_flush();
	}
	ck_assert_uint_gt(lines, 200);
	ck_assert_uint_gt(dropped, 500);
	ck_assert_uint_eq(lines + dropped, 1002);	/* the last is unread */
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static pthread_barrier_t at_once;

static void *log_one(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&at_once);
	log_info("thread", LOG_TEXT("v", X256));
	log_flush();
	return NULL;
}

/* The room that one thread saw must not be taken by another. */
START_TEST(test_stuck_pipe_of_threads)
{
	for (int round = 0; round < 20; round++) {
		pthread_t threads[8];
		struct heard heard;
		int fds[2];

		open_stuck_pipe(fds);
		ck_assert_int_eq(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
		pthread_barrier_init(&at_once, NULL, ARRAY_LEN(threads));
		for (size_t i = 0; i < ARRAY_LEN(threads); i++)
			pthread_create(&threads[i], NULL, log_one, NULL);
		for (size_t i = 0; i < ARRAY_LEN(threads); i++)
			pthread_join(threads[i], NULL);
		pthread_barrier_destroy(&at_once);
		heard = read_lines(fds[0]);
		ck_assert(heard.whole);
		ck_assert_uint_eq(heard.lines, 1);
		close(fds[0]);
		close(fds[1]);
	}
}
END_TEST

/* A log that cannot be written harms nobody. */
START_TEST(test_write_errors)
{
	struct log_conf conf = { LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, true, NULL };
	struct sink s;
	int fds[2];

	log_setup(&conf, -1);
	log_error("lost", LOG_UINT("n", 1));
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	log_setup(&conf, fds[1]);
	for (size_t i = 0; i < 300; i++)
		log_info("stuck", LOG_TEXT("v", X256));
	log_flush();
	sink_open(&s, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_error("alive", LOG_UINT("n", 1));
	ck_assert(matches(sink_read(&s),
			  "^ts=[^ ]* level=error event=alive n=1\n"));
	sink_close(&s);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_loop_test(tc, test_logfmt, 0, ARRAY_LEN(values));
	tcase_add_loop_test(tc, test_json, 0, ARRAY_LEN(values));
	tcase_add_test(tc, test_cut_between_characters);
	tcase_add_test(tc, test_numbers);
	tcase_add_test(tc, test_time_is_now);
	tcase_add_loop_test(tc, test_journal, 0, ARRAY_LEN(journal));
	tcase_add_test(tc, test_journal_of_others);
	tcase_add_test(tc, test_level);
	tcase_add_test(tc, test_when_written);
	tcase_add_test(tc, test_wide_line);
	tcase_add_test(tc, test_partial_writes);
	tcase_add_test(tc, test_stuck_pipe);
	tcase_add_test(tc, test_stuck_pipe_of_threads);
	tcase_add_test(tc, test_write_errors);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
