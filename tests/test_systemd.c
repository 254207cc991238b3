#include "unit.h"

#include <stddef.h>
#include <sys/un.h>

#include "ops/systemd.h"

static char folder[] = "/tmp/m2mwsd-test-XXXXXX";
static char path[64];
static int manager = -1;

/* A manager that listens there; an @ is the abstract namespace. */
static void listen_at(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	memcpy(addr.sun_path, name, len);
	if (name[0] == '@')
		addr.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&addr,
			      (socklen_t)(offsetof(struct sockaddr_un,
						   sun_path) + len)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void setup(void)
{
	strcpy(folder, "/tmp/m2mwsd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void teardown(void)
{
	if (manager >= 0)
		close(manager);
	manager = -1;
	unlink(path);
	rmdir(folder);
}

static void check_heard(const char *want)
{
	char text[256] = "";
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	ck_assert_int_eq(n, (ssize_t)strlen(want));
	ck_assert_str_eq(text, want);
}

START_TEST(test_path)
{
	listen_at(path);
	ck_assert(systemd_is_there());
	systemd_notify("READY=1\nSTATUS=fine");
	check_heard("READY=1\nSTATUS=fine");
	systemd_notify("STOPPING=1");
	check_heard("STOPPING=1");
}
END_TEST

START_TEST(test_abstract)
{
	char name[sizeof(path) + 1];

	snprintf(name, sizeof(name), "@%s", path);
	listen_at(name);
	systemd_notify("READY=1");
	check_heard("READY=1");
}
END_TEST

/* None of them may be an error, or where the message goes. */
START_TEST(test_nobody)
{
	static const char *const names[] = { "", "@", "relative", "/", "x:y" };
	char long_one[256];

	ck_assert(!systemd_is_there());
	systemd_notify("READY=1");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		systemd_notify("READY=1");
	}
	memset(long_one, '/', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	setenv("NOTIFY_SOCKET", long_one, 1);
	systemd_notify("READY=1");
}
END_TEST

static const struct {
	const char *usec, *pid;		/* pid "": this process */
	uint64_t want;
} watchdogs[] = {
	{ NULL, NULL, 0 },
	{ "30000000", NULL, 30000 },
	{ "30000000", "", 30000 },
	{ "30000000", "1", 0 },
	{ "30000000", "x", 0 },
	{ "1500", NULL, 1 },
	{ "0", NULL, 0 },
	{ "-5", NULL, 0 },
	{ "5s", NULL, 0 },
};

static void set_pid(const char *name, const char *pid)
{
	char own[16];

	snprintf(own, sizeof(own), "%ld", (long)getpid());
	setenv(name, pid[0] != '\0' ? pid : own, 1);
}

START_TEST(test_watchdog)
{
	if (watchdogs[_i].usec != NULL)
		setenv("WATCHDOG_USEC", watchdogs[_i].usec, 1);
	if (watchdogs[_i].pid != NULL)
		set_pid("WATCHDOG_PID", watchdogs[_i].pid);
	ck_assert_uint_eq(systemd_watchdog_ms(), watchdogs[_i].want);
}
END_TEST

static const struct {
	const char *pid, *fds, *names;
	size_t want;
	const char *first, *second;
} handed[] = {
	{ NULL, NULL, NULL, 0, "", "" },
	{ "", "2", "main:more", 2, "main", "more" },
	{ "", "2", "main", 2, "main", "" },
	{ "", "1", NULL, 1, "", "" },
	{ "", "2", NULL, 2, "", "" },
	{ "", "0", "main", 0, "", "" },
	{ "1", "2", "main:more", 0, "", "" },
	{ NULL, "2", "main:more", 0, "", "" },
	{ "", "-1", "main", 0, "", "" },
	{ "", "x", "main", 0, "", "" },
	{ "", "1", "a-name-that-is-longer-than-systemd-would-give-to-a-socket-"
	  "of-its-own", 1, "", "" },
};

START_TEST(test_sockets)
{
	struct systemd_socket out[SYSTEMD_SOCKETS_MAX];
	size_t count;

	if (handed[_i].pid != NULL)
		set_pid("LISTEN_PID", handed[_i].pid);
	if (handed[_i].fds != NULL)
		setenv("LISTEN_FDS", handed[_i].fds, 1);
	if (handed[_i].names != NULL)
		setenv("LISTEN_FDNAMES", handed[_i].names, 1);
	count = systemd_take_sockets(out);
	ck_assert_uint_eq(count, handed[_i].want);
	if (count > 0) {
		ck_assert_int_eq(out[0].fd, 3);
		ck_assert_str_eq(out[0].name, handed[_i].first);
	}
	if (count > 1) {
		ck_assert_int_eq(out[1].fd, 4);
		ck_assert_str_eq(out[1].name, handed[_i].second);
	}
	ck_assert_uint_eq(systemd_take_sockets(out), 0);
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("systemd");
	TCase *tc = tcase_create("all");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_path);
	tcase_add_test(tc, test_abstract);
	tcase_add_test(tc, test_nobody);
	tcase_add_loop_test(tc, test_watchdog, 0, ARRAY_LEN(watchdogs));
	tcase_add_loop_test(tc, test_sockets, 0, ARRAY_LEN(handed));
	return unit_run(suite);
}
