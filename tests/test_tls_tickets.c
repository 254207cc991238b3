#include "tls_pair.h"

#include <fcntl.h>

#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member
#endif

#define DAY_MS (UINT64_C(86400) * 1000)

static uint64_t now = UINT64_C(1700000000) * 1000;

static uint64_t now_ms(void)
{
	return now;
}

static struct tls_tickets *open_tickets(const char *file)
{
	const struct tls_tickets_conf conf = { now_ms, file };
	struct tls_tickets *t;

	ck_assert_int_eq(tls_tickets_create(&t, &conf), 0);
	return t;
}

/* Octets that the server says until the client is served, in a session that
 * may resume an earlier one. */
static size_t session(mbedtls_ssl_session *saved, bool resume,
		      struct tls_tickets *tickets, bool only_1_2)
{
	struct pair p;
	size_t said;

	pair_init(&p, RSA2048_CERT, RSA2048_KEY, tickets);
	if (only_1_2)
		tls_client_only_1_2(&p.client);
	tls_client_start(&p.client);
	if (resume)
		ck_assert_int_eq(mbedtls_ssl_set_session(&p.client.ssl, saved),
				 0);
	talk(&p);
	ck_assert(p.client.open && tls_is_open(p.tls));
	write_back(&p, STR("hello"));
	ck_assert(str_eq(buf_str(&p.client.heard), STR("hello")));
	if (!resume)
		ck_assert_int_eq(mbedtls_ssl_get_session(&p.client.ssl, saved),
				 0);
	said = p.said;
	pair_deinit(&p);
	return said;
}

/* The octets of a full handshake, which leaves a session. */
static size_t begin(mbedtls_ssl_session *saved, struct tls_tickets *t)
{
	mbedtls_ssl_session_init(saved);
	return session(saved, false, t, true);
}

/* It takes a certificate less. */
static bool resumes(mbedtls_ssl_session *saved, struct tls_tickets *t,
		    size_t full)
{
	return session(saved, true, t, true) + 700 < full;
}

/* With the tickets of one, another context resumes; by each version. */
START_TEST(test_resume)
{
	struct tls_tickets *tickets = open_tickets(NULL);
	struct tls_tickets *others = open_tickets(NULL);
	mbedtls_ssl_session saved;
	bool only = _i == 0;
	size_t full;

	mbedtls_ssl_session_init(&saved);
	full = session(&saved, false, tickets, only);
	ck_assert_uint_lt(session(&saved, true, tickets, only) + 700, full);
	ck_assert_uint_gt(session(&saved, true, others, only) + 700, full);
	ck_assert_uint_gt(session(&saved, true, NULL, only) + 700, full);
	mbedtls_ssl_session_free(&saved);
	tls_tickets_destroy(tickets);
	tls_tickets_destroy(others);
}
END_TEST

/* Somebody else comes in between, in whose handshake the keys may rotate. */
static const struct {
	const char *name;
	uint64_t before;		/* age of the key, ms */
	uint64_t between, later;	/* after the ticket was made */
	bool resumes;
} age_rows[] = {
	{ "at once", 0, 0, 0, true },
	{ "before its day is over", 0, 0, DAY_MS - 1000, true },
	{ "a day later", 0, 0, DAY_MS + 1000, false },
	{ "of the key before", DAY_MS - 2000, 3000, DAY_MS - 1000, true },
	{ "of a key long ago", DAY_MS - 2000, 2 * DAY_MS, 2 * DAY_MS, false },
	{ "the clock was set back", 0, 0, -DAY_MS, false },
};

START_TEST(test_age)
{
	struct tls_tickets *t = open_tickets(NULL);
	mbedtls_ssl_session saved, other;
	size_t full;

	now += age_rows[_i].before;
	full = begin(&saved, t);
	now += age_rows[_i].between;
	begin(&other, t);
	now += age_rows[_i].later - age_rows[_i].between;
	ck_assert_msg(resumes(&saved, t, full) == age_rows[_i].resumes, "%s",
		      age_rows[_i].name);
	mbedtls_ssl_session_free(&saved);
	mbedtls_ssl_session_free(&other);
	tls_tickets_destroy(t);
}
END_TEST

/* Each octet of a ticket counts; one of them is wrong, or they end there. */
START_TEST(test_forged)
{
	struct tls_tickets *t = open_tickets(NULL);
	mbedtls_ssl_session saved;
	size_t full = begin(&saved, t);
	unsigned char *ticket = saved.MBEDTLS_PRIVATE(ticket);
	size_t len = saved.MBEDTLS_PRIVATE(ticket_len);

	ck_assert_uint_gt(len, 60);
	for (size_t i = 0; i < len; i += i < 50 || len - i < 20 ? 1 : 7) {
		ticket[i] ^= 1;
		ck_assert_msg(!resumes(&saved, t, full), "octet %zu", i);
		ticket[i] ^= 1;
		saved.MBEDTLS_PRIVATE(ticket_len) = i;
		ck_assert_msg(!resumes(&saved, t, full), "%zu octets", i);
		saved.MBEDTLS_PRIVATE(ticket_len) = len;
	}
	ck_assert(resumes(&saved, t, full));
	mbedtls_ssl_session_free(&saved);
	tls_tickets_destroy(t);
}
END_TEST

/* ---- the file ---- */

static char dir[] = "/tmp/test-tickets-XXXXXX";
static char file[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/test-tickets-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/tickets", dir);
}

static void drop_dir(void)
{
	unlink(file);
	ck_assert_int_eq(rmdir(dir), 0);	/* nothing else is there */
}

static void nothing(void)
{
}

static void cut_off(void)
{
	ck_assert_int_eq(truncate(file, 100), 0);
}

static void put(off_t at, const char *octets, size_t n)
{
	int fd = open(file, O_WRONLY);

	ck_assert(pwrite(fd, octets, n, at) == (ssize_t)n);
	close(fd);
}

static void longer(void)
{
	struct stat st;

	ck_assert_int_eq(stat(file, &st), 0);
	put(st.st_size, "x", 1);
}

static void other_kind(void)
{
	put(0, "n", 1);
}

static void of_the_future(void)
{
	put(17, "\1", 1);
}

static void other_secret(void)
{
	put(17 + 8 + 16, "0123456789abcdef0123456789abcdef", 32);
}

static void readable(void)
{
	ck_assert_int_eq(chmod(file, 0640), 0);
}

static void a_link(void)
{
	char other[80];

	snprintf(other, sizeof(other), "%s.other", file);
	ck_assert_int_eq(rename(file, other), 0);
	ck_assert_int_eq(symlink(other, file), 0);
}

static void gone(void)
{
	unlink(file);
}

static void hours(void)
{
	now += DAY_MS / 2;
}

static void two_days(void)
{
	now += 2 * DAY_MS;
}

static const struct {
	const char *name;
	void (*happens)(void);		/* between two lives */
	bool resumes;
} file_rows[] = {
	{ "nothing", nothing, true },
	{ "some hours", hours, true },
	{ "two days", two_days, false },
	{ "gone", gone, false },
	{ "cut off", cut_off, false },
	{ "longer", longer, false },
	{ "another kind of file", other_kind, false },
	{ "of the future", of_the_future, false },
	{ "another secret", other_secret, false },
	{ "readable by a group", readable, false },
	{ "a symbolic link", a_link, false },
};

START_TEST(test_file)
{
	const char *name = file_rows[_i].name;
	mbedtls_ssl_session saved;
	struct tls_tickets *t;
	struct stat st;
	char other[80];
	size_t full;

	make_dir();
	t = open_tickets(file);
	full = begin(&saved, t);
	tls_tickets_destroy(t);
	file_rows[_i].happens();
	t = open_tickets(file);
	ck_assert_msg(resumes(&saved, t, full) == file_rows[_i].resumes, "%s",
		      name);
	/* in any case, the next life finds what this one uses */
	ck_assert_int_eq(lstat(file, &st), 0);
	ck_assert_msg(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600, "%s",
		      name);
	mbedtls_ssl_session_free(&saved);
	begin(&saved, t);
	tls_tickets_destroy(t);
	t = open_tickets(file);
	ck_assert_msg(resumes(&saved, t, full), "%s, once more", name);
	mbedtls_ssl_session_free(&saved);
	tls_tickets_destroy(t);
	snprintf(other, sizeof(other), "%s.other", file);
	unlink(other);
	drop_dir();
}
END_TEST

/* What rotates is kept as well. */
START_TEST(test_file_rotates)
{
	mbedtls_ssl_session before, after;
	struct tls_tickets *t;
	size_t full;

	make_dir();
	t = open_tickets(file);
	now += DAY_MS - 1000;
	begin(&before, t);
	now += 2000;
	full = begin(&after, t);
	tls_tickets_destroy(t);
	t = open_tickets(file);
	ck_assert(resumes(&before, t, full));
	ck_assert(resumes(&after, t, full));
	mbedtls_ssl_session_free(&before);
	mbedtls_ssl_session_free(&after);
	tls_tickets_destroy(t);
	drop_dir();
}
END_TEST

START_TEST(test_file_nowhere)
{
	struct tls_tickets *t = open_tickets("/nowhere/tickets");
	mbedtls_ssl_session saved;
	size_t full = begin(&saved, t);

	ck_assert(resumes(&saved, t, full));
	mbedtls_ssl_session_free(&saved);
	tls_tickets_destroy(t);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_tickets");
	TCase *tc = tcase_create("all");

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_resume, 0, 2);
	tcase_add_loop_test(tc, test_age, 0, ARRAY_LEN(age_rows));
	tcase_add_test(tc, test_forged);
	tcase_add_loop_test(tc, test_file, 0, ARRAY_LEN(file_rows));
	tcase_add_test(tc, test_file_rotates);
	tcase_add_test(tc, test_file_nowhere);
	return unit_run(suite);
}
