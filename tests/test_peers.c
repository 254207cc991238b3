#include "unit.h"

#include <pthread.h>
#include <sys/un.h>

#include "../src/gateway/peers.h"
#include "net/addr.h"

#define A	 "192.0.2.1:1"
#define A_MAPPED "[::ffff:192.0.2.1]:2"
#define B	 "192.0.2.2:1"
#define V6	 "[2001:db8::1]:1"
#define V6_NEAR	 "[2001:db8::2]:1"
#define V6_FAR	 "[2001:db8:0:1::1]:1"

enum what { END, COMES, GOES };

/* COMES: from where and what is said. GOES: the nth that came, from 0. */
struct step {
	enum what what;
	uint64_t at_ms;
	const char *from;
	enum peers_verdict said;
	size_t nth;
};

#define IN(at, from)	   { COMES, at, from, PEERS_IN, 0 }
#define MANY(at, from)	   { COMES, at, from, PEERS_TOO_MANY, 0 }
#define FAST(at, from)	   { COMES, at, from, PEERS_TOO_FAST, 0 }
#define OUT(at, nth)	   { GOES, at, NULL, PEERS_IN, nth }

/* known, forgotten: in the end. */
static const struct row {
	const char *name;
	struct peers_conf conf;
	size_t known;
	uint64_t forgotten;
	struct step steps[16];
} rows[] = {
	{ "as many as may be", { 2, 0, 100 }, 1, 0, {
	  IN(0, A), IN(0, A), MANY(0, A), MANY(9000, A_MAPPED) } },
	{ "others are not concerned", { 1, 0, 100 }, 2, 0, {
	  IN(0, A), MANY(0, A), IN(0, B), MANY(0, B) } },
	{ "who leaves makes room", { 1, 0, 100 }, 1, 0, {
	  IN(0, A), MANY(0, A), OUT(1, 0), IN(1, A), MANY(1, A) } },
	{ "nobody is known who has left", { 1, 0, 100 }, 0, 0, {
	  IN(0, A), IN(0, B), OUT(0, 0), OUT(0, 1) } },
	{ "a /64 is one", { 1, 0, 100 }, 2, 0, {
	  IN(0, V6), MANY(0, V6_NEAR), IN(0, V6_FAR) } },
	{ "IPv4 in IPv6 is IPv4", { 1, 0, 100 }, 1, 0, {
	  IN(0, A_MAPPED), MANY(0, A) } },

	{ "two seconds' worth at once", { 0, 3, 100 }, 1, 0, {
	  IN(0, A), IN(0, A), IN(0, A), IN(0, A), IN(0, A), IN(0, A),
	  FAST(0, A), FAST(333, A), IN(334, A), FAST(334, A) } },
	{ "then one at a time", { 0, 1, 100 }, 1, 0, {
	  IN(0, A), IN(0, A), FAST(999, A), IN(1000, A), FAST(1999, A),
	  IN(2000, A) } },
	{ "a rest fills it, no further", { 0, 1, 100 }, 1, 0, {
	  IN(0, A), IN(9000, A), IN(9000, A), FAST(9000, A) } },
	{ "who is refused loses nothing", { 0, 1, 100 }, 1, 0, {
	  IN(0, A), IN(0, A), FAST(100, A), FAST(200, A), FAST(300, A),
	  IN(1000, A) } },
	{ "leaving does not help", { 0, 1, 100 }, 1, 0, {
	  IN(0, A), IN(0, A), OUT(0, 0), OUT(0, 1), FAST(0, A) } },
	{ "nor does coming from the same /64", { 0, 1, 100 }, 1, 0, {
	  IN(0, V6), IN(0, V6_NEAR), FAST(0, V6) } },
	{ "others have their own", { 0, 1, 100 }, 2, 0, {
	  IN(0, A), IN(0, A), FAST(0, A), IN(0, B), IN(0, B), FAST(0, B) } },
	{ "too many costs no token", { 1, 1, 100 }, 1, 0, {
	  IN(0, A), MANY(0, A), MANY(0, A), OUT(0, 0), IN(0, A) } },
	{ "a clock that is a little behind", { 0, 1, 100 }, 1, 0, {
	  IN(50, A), IN(40, A), FAST(30, A), IN(1050, A) } },

	{ "known until the bucket is full", { 0, 1, 100 }, 2, 0, {
	  IN(0, A), OUT(0, 0), IN(999, B) } },
	{ "and no longer", { 0, 1, 100 }, 1, 0, {
	  IN(0, A), OUT(0, 0), IN(1000, B) } },
	{ "the first to leave is forgotten", { 0, 1, 1 }, 2, 1, {
	  IN(0, A), IN(0, A), IN(0, B), IN(0, B), OUT(0, 0), OUT(0, 1),
	  OUT(0, 2), OUT(0, 3), IN(0, A), FAST(0, B) } },
	{ "who is here is not forgotten", { 1, 1, 1 }, 3, 1, {
	  IN(0, V6), IN(0, A), IN(0, B), IN(0, V6_FAR), OUT(0, 1), OUT(0, 2),
	  MANY(0, V6) } },
};

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage addr;

	ck_assert_int_eq(addr_parse(&addr, str_of(text)), 0);
	return addr;
}

static enum peers_verdict come(struct peer **out, struct peers *p,
			       const struct step *s)
{
	struct sockaddr_storage from = address(s->from);

	return peers_enter(out, p, (struct sockaddr *)&from, s->at_ms);
}

static void play(struct peers *p, const struct row *row, struct peer **came,
		 size_t *count)
{
	for (size_t i = 0; row->steps[i].what != END; i++) {
		const struct step *s = &row->steps[i];
		enum peers_verdict said;

		if (s->what == GOES) {
			peers_leave(p, came[s->nth], s->at_ms);
			came[s->nth] = NULL;
			continue;
		}
		said = come(&came[*count], p, s);
		ck_assert_msg(said == s->said, "%s, step %zu: %d", row->name,
			      i, (int)said);
		ck_assert((came[*count] != NULL) == (said == PEERS_IN));
		*count += said == PEERS_IN;
	}
}

START_TEST(test_row)
{
	const struct row *row = &rows[_i];
	struct peer *came[16] = { NULL };
	size_t count = 0;
	struct peers *p;

	ck_assert_int_eq(peers_create(&p, &row->conf), 0);
	play(p, row, came, &count);
	ck_assert_msg(peers_count(p) == row->known, "%s: %zu", row->name,
		      peers_count(p));
	ck_assert_msg(peers_forgotten(p) == row->forgotten, "%s", row->name);
	while (count > 0)
		peers_leave(p, came[--count], 1000000);
	peers_destroy(p);
}
END_TEST

START_TEST(test_no_limits)
{
	const struct peers_conf none = { 0, 0, 100 };
	struct sockaddr_storage from = address(A);
	struct peers *p;
	struct peer *peer;

	ck_assert_int_eq(peers_create(&p, &none), 0);
	ck_assert(!peers_are_bounded(p));
	ck_assert_int_eq(peers_enter(&peer, p, (struct sockaddr *)&from, 0),
			 PEERS_IN);
	ck_assert_ptr_null(peer);
	peers_leave(p, peer, 0);
	ck_assert_uint_eq(peers_count(p), 0);
	ck_assert_uint_eq(peers_forgotten(p), 0);
	peers_destroy(p);
}
END_TEST

/* Limits come, change and go; who is there stays, and leaves as it came. */
START_TEST(test_other_limits)
{
	const struct peers_conf none = { 0, 0, 100 };
	struct sockaddr_storage space = address(A);
	const struct sockaddr *from = (struct sockaddr *)&space;
	struct peer *came[5];
	struct peers *p;

	ck_assert_int_eq(peers_create(&p, &none), 0);
	ck_assert_int_eq(peers_enter(&came[0], p, from, 0), PEERS_IN);
	peers_set_limits(p, 2, 0);
	ck_assert(peers_are_bounded(p));
	ck_assert_int_eq(peers_enter(&came[1], p, from, 0), PEERS_IN);
	ck_assert_int_eq(peers_enter(&came[2], p, from, 0), PEERS_IN);
	ck_assert_int_eq(peers_enter(&came[3], p, from, 0), PEERS_TOO_MANY);
	peers_set_limits(p, 3, 0);
	ck_assert_int_eq(peers_enter(&came[3], p, from, 0), PEERS_IN);
	peers_set_limits(p, 1, 0);
	peers_leave(p, came[1], 0);
	ck_assert_int_eq(peers_enter(&came[1], p, from, 0), PEERS_TOO_MANY);
	peers_set_limits(p, 0, 0);
	ck_assert_int_eq(peers_enter(&came[4], p, from, 0), PEERS_IN);
	peers_leave(p, came[0], 0);
	peers_leave(p, came[2], 0);
	peers_leave(p, came[3], 0);
	peers_leave(p, came[4], 0);
	ck_assert_uint_eq(peers_count(p), 0);
	peers_destroy(p);
}
END_TEST

/* As many addresses as there are: what is kept stays bounded. */
START_TEST(test_flood_of_addresses)
{
	const struct peers_conf conf = { 0, 1, 50 };
	struct sockaddr_storage from = address(A);
	struct sockaddr_in *in = (struct sockaddr_in *)&from;
	struct peers *p;
	struct peer *peer;

	ck_assert_int_eq(peers_create(&p, &conf), 0);
	for (uint32_t i = 0; i < 10000; i++) {
		in->sin_addr.s_addr = htonl(i);
		ck_assert_int_eq(peers_enter(&peer, p,
					     (struct sockaddr *)&from, 0),
				 PEERS_IN);
		peers_leave(p, peer, 0);
		ck_assert_uint_le(peers_count(p), 50);
	}
	ck_assert_uint_eq(peers_forgotten(p), 10000 - 50);
	peers_destroy(p);
}
END_TEST

static void *hammer(void *arg)
{
	struct peers *p = arg;
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct peer *peer;

	for (uint32_t i = 0; i < 20000; i++) {
		from.sin_addr.s_addr = htonl(i % 7);
		if (peers_enter(&peer, p, (struct sockaddr *)&from, i) ==
		    PEERS_IN)
			peers_leave(p, peer, i);
	}
	return NULL;
}

START_TEST(test_two_threads)
{
	const struct peers_conf conf = { 1, 1000, 3 };
	struct peers *p;
	pthread_t other;

	ck_assert_int_eq(peers_create(&p, &conf), 0);
	ck_assert_int_eq(pthread_create(&other, NULL, hammer, p), 0);
	hammer(p);
	pthread_join(other, NULL);
	ck_assert_uint_le(peers_count(p), 3);
	peers_destroy(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("peers");
	TCase *tc = tcase_create("peers");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_row, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, test_no_limits);
	tcase_add_test(tc, test_other_limits);
	tcase_add_test(tc, test_flood_of_addresses);
	tcase_add_test(tc, test_two_threads);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
