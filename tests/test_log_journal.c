#include "unit.h"

#include "base/log.h"

/* The journal's own protocol, towards a socket that stands for it. */
static char journal_path[] = "/tmp/test_log-XXXXXX";

static int journal_open(struct log_conf *conf)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	strcpy(journal_path, "/tmp/test_log-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(journal_path));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", journal_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	*conf = (struct log_conf){ LOG_LEVEL_DEBUG, LOG_FORMAT_JOURNAL, true,
				   "" };
	return fd;
}

static void journal_setup(struct log_conf *conf)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/socket", journal_path);
	conf->journal = path;
	log_setup(conf, STDERR_FILENO);
}

static void journal_close(int fd)
{
	struct log_conf conf = { LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, true, NULL };
	char path[64];

	snprintf(path, sizeof(path), "%s/socket", journal_path);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(journal_path), 0);
	close(fd);
	log_setup(&conf, STDERR_FILENO);
}

/* The next datagram, or "". */
static const char *journal_read(int fd)
{
	static char text[8192];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

START_TEST(test_fields)
{
	struct log_conf conf;
	int fd = journal_open(&conf);

	journal_setup(&conf);
	log_info("one", LOG_TEXT("to", "cse-in/a b"), LOG_UINT("dur_us", 7),
		 LOG_INT("rsc", -1), LOG_TEXT("none", ""));
	log_info("two", LOG_TEXT("x", "evil\nPRIORITY=0\n\nMESSAGE=\"q\""));
	log_warning("three", LOG_UINT("n", 1));
	ck_assert_str_eq(journal_read(fd),
			 "PRIORITY=6\nSYSLOG_IDENTIFIER=m2mwsd\n"
			 "MESSAGE=one to=\"cse-in/a b\" dur_us=7 rsc=-1 "
			 "none=\"\"\n"
			 "M2MWSD_EVENT=one\nM2MWSD_TO=cse-in/a b\n"
			 "M2MWSD_DUR_US=7\nM2MWSD_RSC=-1\nM2MWSD_NONE=\n");
	ck_assert_str_eq(journal_read(fd),
			 "PRIORITY=6\nSYSLOG_IDENTIFIER=m2mwsd\n"
			 "MESSAGE=two x=\"evil\\nPRIORITY=0\\n\\nMESSAGE="
			 "\\\"q\\\"\"\nM2MWSD_EVENT=two\n"
			 "M2MWSD_X=evil\\nPRIORITY=0\\n\\nMESSAGE="
			 "\\\"q\\\"\n");
	ck_assert_str_eq(journal_read(fd),
			 "PRIORITY=4\nSYSLOG_IDENTIFIER=m2mwsd\n"
			 "MESSAGE=three n=1\nM2MWSD_EVENT=three\nM2MWSD_N=1\n");
	ck_assert_str_eq(journal_read(fd), "");
	journal_close(fd);
}
END_TEST

/* What is too much is dropped and told, and nobody waits for it for long. */
START_TEST(test_full)
{
	struct log_conf conf;
	int fd = journal_open(&conf);
	unsigned count = 0;
	const char *text;

	journal_setup(&conf);
	for (unsigned i = 0; i < 5000; i++)
		log_info("many", LOG_UINT("n", i));
	log_flush();
	while (strstr(text = journal_read(fd), "MESSAGE=many") != NULL)
		count++;
	ck_assert_uint_gt(count, 0);
	ck_assert_uint_lt(count, 5000);
	ck_assert_str_eq(text, "");
	for (unsigned i = 0; i < 1000 && *text == '\0'; i++) {
		log_info("later", LOG_UINT("n", 0));
		log_flush();
		while (strstr(text = journal_read(fd), "MESSAGE=many") != NULL)
			;
	}
	ck_assert_ptr_nonnull(strstr(text, "PRIORITY=4\nSYSLOG_IDENTIFIER="
					   "m2mwsd\nMESSAGE=log_dropped n="));
	journal_close(fd);
}
END_TEST

START_TEST(test_without_a_journal)
{
	struct log_conf conf = { LOG_LEVEL_INFO, LOG_FORMAT_JOURNAL, true,
				 "/nowhere/socket" };
	FILE *file = tmpfile();
	char text[512];
	ssize_t n;

	ck_assert_ptr_nonnull(file);
	log_setup(&conf, fileno(file));
	log_error("test", LOG_UINT("n", 1));
	n = pread(fileno(file), text, sizeof(text) - 1, 0);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert(strncmp(text, "ts=", 3) == 0);
	ck_assert_ptr_nonnull(strstr(text, " level=warning "
					   "event=journal_failed why="));
	ck_assert_ptr_nonnull(strstr(text, " level=error event=test n=1\n"));
	fclose(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_journal");
	TCase *tc = tcase_create("log_journal");

	tcase_add_test(tc, test_fields);
	tcase_add_test(tc, test_full);
	tcase_add_test(tc, test_without_a_journal);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
