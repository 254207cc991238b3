/*
 * In what order many peers are read, and how much of each: net/turns.c.
 */
#include "unit.h"

#include "net/addr.h"
#include "net/listener.h"
#include "net/stream.h"

#define PEERS	  24
#define MAX_QUEUE 100000

static struct peer {
	struct stream *stream;
	int fd;
	size_t heard, first, reads;
} peers[PEERS];
static size_t accepted;

static struct reactor *reactor;
static struct listener *listener;
static size_t heard_in_turn, reads_in_turn;
static bool is_slow;		/* what is read takes long to work off */

static void on_data(void *owner, const char *data, size_t len)
{
	struct peer *p = owner;
	uint64_t began = uv_hrtime();

	(void)data;
	if (p->reads++ == 0)
		p->first = len;
	p->heard += len;
	heard_in_turn += len;
	reads_in_turn++;
	while (is_slow && uv_hrtime() - began < 2000000)
		continue;
}

static const struct stream_ops ops = { on_data, NULL, NULL, NULL };

static void on_connection(void *owner, int fd)
{
	struct peer *p = &peers[accepted++];

	(void)owner;
	ck_assert_int_eq(stream_accept(&p->stream, reactor, fd, MAX_QUEUE,
				       &ops, p), 0);
}

static void on_refused(void *owner, int err)
{
	(void)owner;
	ck_abort_msg("refused: %s", err_text(err));
}

static const struct listener_ops listener_ops = { on_connection, on_refused };

static void setup(void)
{
	struct sockaddr_storage any;

	memset(peers, 0, sizeof(peers));
	accepted = 0;
	is_slow = false;
	ck_assert_int_eq(reactor_create(&reactor), 0);
	ck_assert_int_eq(addr_parse(&any, STR("127.0.0.1:0")), 0);
	ck_assert_int_eq(listener_create(&listener, reactor,
					 (struct sockaddr *)&any, false,
					 &listener_ops, NULL), 0);
}

static void teardown(void)
{
	for (size_t i = 0; i < accepted; i++)
		close(peers[i].fd);
	listener_destroy(listener);
	reactor_destroy(reactor);
}

static void turn(void)
{
	heard_in_turn = reads_in_turn = 0;
	uv_run(reactor_loop(reactor), UV_RUN_NOWAIT);
}

static struct peer *connected(void)
{
	struct peer *p = &peers[accepted];

	p->fd = unit_connect(listener_port(listener));
	for (int i = 0; i < 100 && p->stream == NULL; i++)
		turn();
	ck_assert_ptr_nonnull(p->stream);
	return p;
}

/* Nobody sends. */
static void pause_turns(void)
{
	for (int i = 0; i < 4; i++)
		turn();
}

/* One who has sent little for a while. */
static struct peer *proven(void)
{
	struct peer *p = connected();

	for (size_t i = 0; i < 8; i++) {
		unit_send(p->fd, STR("x"));
		turn();
		ck_assert_uint_eq(p->heard, i + 1);
	}
	return p;
}

/* Whatever number of peers send without end, one turn works off about one read
 * of them, each gets its own, and who has sent little is heard at once. */
START_TEST(test_floods_share_a_turn)
{
	static char much[512 * 1024];
	struct peer *known = proven(), *floods[8];
	ssize_t sent[ARRAY_LEN(floods)];
	size_t before = known->heard;

	for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
		floods[i] = connected();
		sent[i] = send(floods[i]->fd, much, sizeof(much),
			       MSG_DONTWAIT);
		ck_assert_int_gt(sent[i], 4 * 65536);
	}
	for (size_t i = 0; i < 2000; i++) {
		/* now and then */
		if (i % 4 == 0)
			unit_send(known->fd, STR("x"));
		turn();
		/* once they are known to send much */
		if (i > 4)
			ck_assert_uint_le(heard_in_turn, 2 * 65536);
		ck_assert_uint_eq(known->heard - before, i / 4 + 1);
		if (i == 30)
			for (size_t j = 1; j < ARRAY_LEN(floods); j++)
				ck_assert_uint_gt(floods[j]->heard, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(floods); i++)
		ck_assert_uint_eq(floods[i]->heard, (size_t)sent[i]);
}
END_TEST

/* Of whom nothing is known, little is read first, and more later. */
START_TEST(test_first_read_is_small)
{
	static char much[256 * 1024];
	struct peer *p = connected();
	ssize_t sent = send(p->fd, much, sizeof(much), MSG_DONTWAIT);

	ck_assert_int_gt(sent, 65536);
	for (int i = 0; i < 1000 && p->heard < (size_t)sent; i++)
		turn();
	ck_assert_uint_eq(p->heard, (size_t)sent);
	ck_assert_uint_le(p->first, 4096);
	ck_assert_uint_lt(p->reads, (size_t)sent / 4096);
}
END_TEST

/* A crowd of them, each of which costs much: in a turn one is heard, beside
 * those who are known, and in the end all are. */
START_TEST(test_a_crowd_of_new_ones)
{
	struct peer *known = proven();
	size_t crowd = PEERS - 1, before = known->heard;

	for (size_t i = 0; i < crowd; i++)
		connected();
	for (size_t i = 1; i < PEERS; i++)
		unit_send(peers[i].fd, STR("x"));
	is_slow = true;
	for (size_t i = 0; i <= crowd; i++) {
		if (i % 4 == 0)
			unit_send(known->fd, STR("x"));
		turn();
		ck_assert_uint_le(reads_in_turn, 2);
		ck_assert_uint_eq(known->heard - before, i / 4 + 1);
	}
	for (size_t i = 1; i < PEERS; i++)
		ck_assert_uint_eq(peers[i].heard, 1);
}
END_TEST

/* Who sends little, but in every turn, is heard as often as the others who do;
 * who does not, at once. */
START_TEST(test_busy_ones_share_a_turn)
{
	struct peer *known = proven(), *busy[8];
	size_t before = known->heard, least = SIZE_MAX, most = 0, in_all = 0;

	for (size_t i = 0; i < ARRAY_LEN(busy); i++)
		busy[i] = proven();
	pause_turns();
	is_slow = true;
	for (size_t i = 0; i < 64; i++) {
		for (size_t j = 0; j < ARRAY_LEN(busy); j++)
			unit_send(busy[j]->fd, STR("x"));
		if (i % 4 == 0)
			unit_send(known->fd, STR("x"));
		turn();
		in_all += reads_in_turn;
		ck_assert_uint_eq(known->heard - before, i / 4 + 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(busy); i++) {
		least = busy[i]->reads < least ? busy[i]->reads : least;
		most = busy[i]->reads > most ? busy[i]->reads : most;
	}
	ck_assert_uint_le(in_all, 3 * 64);
	ck_assert_uint_gt(least, 8 + 2);
	ck_assert_uint_le(most, 3 * least);
	is_slow = false;
	for (int i = 0; i < 100; i++)
		turn();
	for (size_t i = 0; i < ARRAY_LEN(busy); i++)
		ck_assert_uint_eq(busy[i]->heard, 8 + 64);
}
END_TEST

/* Nor do those who flood keep new ones waiting. */
START_TEST(test_new_ones_beside_floods)
{
	static char much[512 * 1024];
	struct peer *last;

	for (size_t i = 0; i < 8; i++)
		ck_assert_int_gt(send(connected()->fd, much, sizeof(much),
				      MSG_DONTWAIT), 4 * 65536);
	for (int i = 0; i < 20; i++)
		turn();
	is_slow = true;
	last = connected();
	unit_send(last->fd, STR("x"));
	for (int i = 0; i < 4; i++)
		turn();
	ck_assert_uint_eq(last->heard, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("turns");
	TCase *tc = tcase_create("turns");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_floods_share_a_turn);
	tcase_add_test(tc, test_first_read_is_small);
	tcase_add_test(tc, test_a_crowd_of_new_ones);
	tcase_add_test(tc, test_busy_ones_share_a_turn);
	tcase_add_test(tc, test_new_ones_beside_floods);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
