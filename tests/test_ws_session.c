#include "ws_rig.h"

#define BYTES(literal) STR_INIT(literal)
#define K "\0\0\0\0"			/* a mask that changes nothing */

/* What the peer sends, what the owner hears, what goes back, and the code
 * that on_close() is given (0: still open). */
static const struct script {
	const char *name;
	struct str in;
	struct str heard;
	struct str out;
	unsigned code;
} scripts[] = {
	{ "5.6: a masked text frame is a message",
	  BYTES("\x81\x82" K "{}"), BYTES("T:{}|"), BYTES(""), 0 },
	{ "5.6: binary", BYTES("\x82\x83" K "\xff\0\x01"),
	  BYTES("B:\xff\0\x01|"), BYTES(""), 0 },
	{ "5.3: the mask is taken off",
	  BYTES("\x81\x96\x37\xfa\x21\x3d\x4c\xd8\x53\x4e\x54\xd8\x1b\x0f\x07"
		"\xca\x11\x11\x15\x88\x50\x54\x15\xc0\x03\x5c\x15\x87"),
	  BYTES("T:{\"rsc\":2000,\"rqi\":\"a\"}|"), BYTES(""), 0 },
	{ "5.6: empty text", BYTES("\x81\x80" K), BYTES("T:|"), BYTES(""), 0 },
	{ "5.6: empty binary", BYTES("\x82\x80" K), BYTES("B:|"), BYTES(""),
	  0 },
	{ "two messages in one read", BYTES("\x81\x81" K "a\x81\x81" K "b"),
	  BYTES("T:a|T:b|"), BYTES(""), 0 },
	{ "5.2: 16 bit length, shortest form",
	  BYTES("\x82\xfe\x00\x7e" K
		"0123456789012345678901234567890123456789012345678901234567"
		"8901234567890123456789012345678901234567890123456789012345"
		"6789012345"),
	  BYTES("B:012345678901234567890123456789012345678901234567890123456"
		"78901234567890123456789012345678901234567890123456789012345"
		"6789012345|"),
	  BYTES(""), 0 },
	{ "5.2: 16 bit length not in the shortest form",
	  BYTES("\x82\xfe\x00\x7d" K), BYTES(""),
	  BYTES("\x88\x11\x03\xeamalformed frame"), 1002 },
	{ "5.2: 64 bit length not in the shortest form",
	  BYTES("\x82\xff\0\0\0\0\0\0\xff\xff" K), BYTES(""),
	  BYTES("\x88\x11\x03\xeamalformed frame"), 1002 },
	{ "5.2: 64 bit length with its top bit set",
	  BYTES("\x82\xff\x80\0\0\0\0\0\0\0" K), BYTES(""),
	  BYTES("\x88\x11\x03\xeamalformed frame"), 1002 },
	{ "5.1: an unmasked frame", BYTES("\x81\x02{}"), BYTES(""),
	  BYTES("\x88\x12\x03\xea" "frame not masked"), 1002 },
	{ "5.2: RSV1 without an extension", BYTES("\xc1\x81" K "a"), BYTES(""),
	  BYTES("\x88\x12\x03\xeareserved bit set"), 1002 },
	{ "5.2: RSV2", BYTES("\xa1\x81" K "a"), BYTES(""),
	  BYTES("\x88\x12\x03\xeareserved bit set"), 1002 },
	{ "5.2: RSV3 on a control frame", BYTES("\x99\x80" K), BYTES(""),
	  BYTES("\x88\x12\x03\xeareserved bit set"), 1002 },
	{ "5.2: opcode 3", BYTES("\x83\x80" K), BYTES(""),
	  BYTES("\x88\x11\x03\xeareserved opcode"), 1002 },
	{ "5.2: opcode 7", BYTES("\x87\x81" K "a"), BYTES(""),
	  BYTES("\x88\x11\x03\xeareserved opcode"), 1002 },
	{ "5.2: opcode 11", BYTES("\x8b\x80" K), BYTES(""),
	  BYTES("\x88\x11\x03\xeareserved opcode"), 1002 },
	{ "5.2: opcode 15", BYTES("\x8f\x80" K), BYTES(""),
	  BYTES("\x88\x11\x03\xeareserved opcode"), 1002 },
	{ "5.4: fragments make one message",
	  BYTES("\x01\x81" K "a\x00\x81" K "b\x80\x81" K "c"), BYTES("T:abc|"),
	  BYTES(""), 0 },
	{ "5.4: empty fragments", BYTES("\x01\x80" K "\x00\x80" K "\x80\x80" K),
	  BYTES("T:|"), BYTES(""), 0 },
	{ "5.4: a control frame between fragments",
	  BYTES("\x01\x81" K "a\x89\x82" K "hi\x80\x81" K "b"), BYTES("T:ab|"),
	  BYTES("\x8a\x02hi"), 0 },
	{ "5.4: continuation without a start", BYTES("\x80\x81" K "a"),
	  BYTES(""), BYTES("\x88\x15\x03\xeanothing to continue"), 1002 },
	{ "5.4: continuation after a finished message",
	  BYTES("\x81\x81" K "a\x80\x81" K "b"), BYTES("T:a|"),
	  BYTES("\x88\x15\x03\xeanothing to continue"), 1002 },
	{ "5.4: a message within a message",
	  BYTES("\x01\x81" K "a\x81\x81" K "b"), BYTES(""),
	  BYTES("\x88\x1a\x03\xeamessage within a message"), 1002 },
	{ "limit: fragments",
	  BYTES("\x01\x80" K "\x00\x80" K "\x00\x80" K "\x00\x80" K
		"\x00\x80" K "\x00\x80" K "\x00\x80" K "\x00\x80" K
		"\x80\x80" K),
	  BYTES(""), BYTES("\x88\x14\x03\xf0too many fragments"), 1008 },
	{ "limit: exactly as many fragments",
	  BYTES("\x01\x80" K "\x00\x80" K "\x00\x80" K "\x00\x80" K
		"\x00\x80" K "\x00\x80" K "\x00\x80" K "\x80\x80" K),
	  BYTES("T:|"), BYTES(""), 0 },
	{ "limit: size, told by the header",
	  BYTES("\x81\xfe\x03\xe9" K "a"), BYTES(""),
	  BYTES("\x88\x11\x03\xf1message too big"), 1009 },
	{ "limit: size, told by a huge header",
	  BYTES("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff" K "a"), BYTES(""),
	  BYTES("\x88\x11\x03\xf1message too big"), 1009 },
	{ "limit: size, over fragments",
	  BYTES("\x01\x81" K "a\x80\xfe\x03\xe8" K "b"), BYTES(""),
	  BYTES("\x88\x11\x03\xf1message too big"), 1009 },
	{ "8.1: invalid UTF-8", BYTES("\x81\x82" K "\xc0\x80"), BYTES(""),
	  BYTES("\x88\x0b\x03\xefnot UTF-8"), 1007 },
	{ "8.1: a character over two fragments",
	  BYTES("\x01\x81" K "\xc3\x80\x81" K "\xa9"), BYTES("T:\xc3\xa9|"),
	  BYTES(""), 0 },
	{ "8.1: half a character at the end", BYTES("\x81\x81" K "\xc3"),
	  BYTES(""), BYTES("\x88\x0b\x03\xefnot UTF-8"), 1007 },
	{ "8.1: half a character at the end of fragments",
	  BYTES("\x01\x81" K "\xc3\x80\x80" K), BYTES(""),
	  BYTES("\x88\x0b\x03\xefnot UTF-8"), 1007 },
	{ "8.1: told before the message ends",
	  BYTES("\x01\x83" K "\xed\xa0\x80"), BYTES(""),
	  BYTES("\x88\x0b\x03\xefnot UTF-8"), 1007 },
	{ "8.1: binary need not be UTF-8", BYTES("\x82\x82" K "\xc0\x80"),
	  BYTES("B:\xc0\x80|"), BYTES(""), 0 },
	{ "8.1: state does not leak into the next message",
	  BYTES("\x82\x81" K "\xc3\x81\x81" K "a"), BYTES("B:\xc3|T:a|"),
	  BYTES(""), 0 },
	{ "5.5.2: a ping is answered with its payload",
	  BYTES("\x89\x83" K "abc"), BYTES(""), BYTES("\x8a\x03" "abc"), 0 },
	{ "5.5.2: an empty ping", BYTES("\x89\x80" K), BYTES(""),
	  BYTES("\x8a\x00"), 0 },
	{ "5.5.3: an unasked pong is ignored", BYTES("\x8a\x81" K "x"),
	  BYTES(""), BYTES(""), 0 },
	{ "5.5: a fragmented control frame", BYTES("\x09\x80" K), BYTES(""),
	  BYTES("\x88\x11\x03\xeamalformed frame"), 1002 },
	{ "5.5: a control frame above 125 octets",
	  BYTES("\x89\xfe\x00\x7e" K), BYTES(""),
	  BYTES("\x88\x11\x03\xeamalformed frame"), 1002 },
	{ "5.5.1: Close is echoed", BYTES("\x88\x82" K "\x03\xe8"), BYTES(""),
	  BYTES("\x88\x02\x03\xe8"), 1000 },
	{ "5.5.1: Close with a reason",
	  BYTES("\x88\x85" K "\x03\xe9" "bye"), BYTES(""),
	  BYTES("\x88\x02\x03\xe9"), 1001 },
	{ "7.1.5: Close without a code", BYTES("\x88\x80" K), BYTES(""),
	  BYTES("\x88\x00"), 1005 },
	{ "5.5.1: half a code", BYTES("\x88\x81" K "\x03"), BYTES(""),
	  BYTES("\x88\x13\x03\xeahalf a close code"), 1002 },
	{ "5.5.1: nothing is heard after Close",
	  BYTES("\x88\x82" K "\x03\xe8\x81\x81" K "a"), BYTES(""),
	  BYTES("\x88\x02\x03\xe8"), 1000 },
	{ "7.4.1: 1004 is reserved", BYTES("\x88\x82" K "\x03\xec"), BYTES(""),
	  BYTES("\x88\x0c\x03\xea" "close code"), 1002 },
	{ "7.4.1: 1005 is not sent", BYTES("\x88\x82" K "\x03\xed"), BYTES(""),
	  BYTES("\x88\x0c\x03\xea" "close code"), 1002 },
	{ "7.4.1: 1006 is not sent", BYTES("\x88\x82" K "\x03\xee"), BYTES(""),
	  BYTES("\x88\x0c\x03\xea" "close code"), 1002 },
	{ "7.4.1: 1015 is not sent", BYTES("\x88\x82" K "\x03\xf7"), BYTES(""),
	  BYTES("\x88\x0c\x03\xea" "close code"), 1002 },
	{ "7.4.2: 999", BYTES("\x88\x82" K "\x03\xe7"), BYTES(""),
	  BYTES("\x88\x0c\x03\xea" "close code"), 1002 },
	{ "7.4.2: 2999", BYTES("\x88\x82" K "\x0b\xb7"), BYTES(""),
	  BYTES("\x88\x0c\x03\xea" "close code"), 1002 },
	{ "7.4.2: 5000", BYTES("\x88\x82" K "\x13\x88"), BYTES(""),
	  BYTES("\x88\x0c\x03\xea" "close code"), 1002 },
	{ "7.4.2: 3000", BYTES("\x88\x82" K "\x0b\xb8"), BYTES(""),
	  BYTES("\x88\x02\x0b\xb8"), 3000 },
	{ "7.4.2: 4999", BYTES("\x88\x82" K "\x13\x87"), BYTES(""),
	  BYTES("\x88\x02\x13\x87"), 4999 },
	{ "IANA: 1012", BYTES("\x88\x82" K "\x03\xf4"), BYTES(""),
	  BYTES("\x88\x02\x03\xf4"), 1012 },
	{ "IANA: 1014", BYTES("\x88\x82" K "\x03\xf6"), BYTES(""),
	  BYTES("\x88\x02\x03\xf6"), 1014 },
	{ "8.1: a reason that is not UTF-8",
	  BYTES("\x88\x83" K "\x03\xe8\xff"), BYTES(""),
	  BYTES("\x88\x0e\x03\xef" "close reason"), 1007 },
};

static struct ws_rig rig;

static void setup(void)
{
	rig_init(&rig);
}

static void teardown(void)
{
	rig_deinit(&rig);
}

static void check_outcome(const struct script *s, const char *how)
{
	ck_assert_msg(str_eq(buf_str(&rig.heard), s->heard), "%s, %s: heard %.*s",
		      s->name, how, (int)rig.heard.len, rig.heard.p);
	ck_assert_msg(str_eq(buf_str(&rig.out), s->out),
		      "%s, %s: got %zu octets: %.*s", s->name, how,
		      rig.out.len, (int)rig.out.len, rig.out.p);
	ck_assert_msg(rig.code == s->code, "%s, %s: code %u", s->name, how,
		      rig.code);
	ck_assert_msg(rig.ended == (s->code != 0), "%s, %s: end", s->name,
		      how);
}

START_TEST(test_script_whole)
{
	const struct script *s = &scripts[_i];

	rig_connect(&rig);
	unit_send(rig.fd, s->in);
	rig_turn(&rig, 3);
	check_outcome(s, "whole");
}
END_TEST

START_TEST(test_script_octets)
{
	const struct script *s = &scripts[_i];

	rig_connect(&rig);
	for (size_t i = 0; i < s->in.len; i++) {
		unit_send(rig.fd, (struct str){ s->in.p + i, 1 });
		rig_turn(&rig, 1);
	}
	rig_turn(&rig, 2);
	check_outcome(s, "octet by octet");
}
END_TEST

/* The peer vanishes after every octet: no more is heard than of the whole,
 * and the session ends. */
START_TEST(test_script_cut)
{
	const struct script *s = &scripts[_i];

	for (size_t cut = 0; cut < s->in.len; cut++) {
		rig_connect(&rig);
		unit_send(rig.fd, (struct str){ s->in.p, cut });
		rig_turn(&rig, 2);
		ck_assert_msg(str_starts(s->heard, buf_str(&rig.heard)),
			      "%s, cut at %zu", s->name, cut);
		close(rig.fd);
		rig.fd = -1;
		rig_turn(&rig, 3);
		ck_assert_msg(rig.code != 0 && rig.ws == NULL,
			      "%s, cut at %zu: open", s->name, cut);
	}
}
END_TEST

static const size_t lengths[] = { 0, 1, 125, 126, 127, 4081, 4082, 4083, 4096,
				  65535, 65536, 200000 };

/* Lengths around the steps of the header and of wslay's buffer, both ways. */
START_TEST(test_length)
{
	size_t len = lengths[_i];
	struct buf in = { 0 }, want = { 0 };
	char head[10] = { '\x82' };
	size_t head_len = 2;

	rig.conf.max_message = 200000;
	rig_connect(&rig);
	rig.echo = true;
	if (len < 126) {
		head[1] = (char)len;
	} else if (len <= 65535) {
		head[1] = 126;
		head[2] = (char)(len >> 8);
		head[3] = (char)len;
		head_len = 4;
	} else {
		head[1] = 127;
		for (unsigned i = 0; i < 8; i++)
			head[2 + i] = (char)(len >> (56 - 8 * i));
		head_len = 10;
	}
	buf_add(&want, head, head_len);
	head[1] |= '\x80';
	buf_add(&in, head, head_len);
	buf_add_lit(&in, "\x01\x02\x03\x04");
	for (size_t i = 0; i < len; i++) {
		buf_add_char(&want, (char)(i * 7));
		buf_add_char(&in, (char)((char)(i * 7) ^ (char)(i % 4 + 1)));
	}
	for (size_t at = 0; at < in.len; at += 30000) {
		size_t n = in.len - at < 30000 ? in.len - at : 30000;

		unit_send(rig.fd, (struct str){ in.p + at, n });
		rig_turn(&rig, 2);
	}
	for (int i = 0; i < 1000 && rig.out.len < want.len; i++)
		rig_turn(&rig, 1);
	ck_assert_uint_eq(rig.out.len, want.len);
	ck_assert(str_eq(buf_str(&rig.out), buf_str(&want)));
	buf_deinit(&in);
	buf_deinit(&want);
}
END_TEST

START_TEST(test_close_handshake)
{
	rig_connect(&rig);
	ws_session_close(rig.ws, WS_CLOSE_RESTART, STR("later"));
	ws_session_close(rig.ws, WS_CLOSE_NORMAL, STR("once only"));
	ck_assert_int_eq(ws_session_send(rig.ws, STR("x"), true), UV_EPIPE);
	rig_turn(&rig, 1);
	ck_assert(str_eq(buf_str(&rig.out), STR("\x88\x07\x03\xf4later")));
	/* what comes before the peer's Close is dropped, pings too */
	unit_send(rig.fd, STR("\x81\x81" K "a\x89\x80" K "\x88\x82" K
			      "\x03\xf4"));
	rig_turn(&rig, 3);
	ck_assert_uint_eq(rig.heard.len, 0);
	ck_assert_uint_eq(rig.code, 1012);
	ck_assert_uint_eq(rig.out.len, 9);
	ck_assert(rig.ended);
}
END_TEST

START_TEST(test_close_unanswered)
{
	rig.conf.close_timeout_ms = 10;
	rig_connect(&rig);
	ws_session_close(rig.ws, WS_CLOSE_NORMAL, STR(""));
	while (rig.code == 0)
		uv_run(reactor_loop(rig.reactor), UV_RUN_ONCE);
	ck_assert_uint_eq(rig.code, 1000);
	ck_assert_uint_eq(ws_pool_counters(rig.pool)->no_close, 1);
	rig_turn(&rig, 2);
	ck_assert(rig.ended);
}
END_TEST

/* What was on its way is read, a flood is not. */
START_TEST(test_flood_while_closing)
{
	static const struct str empty = BYTES("\x81\x80" K);
	struct buf flood = { 0 };

	for (int i = 0; i < 10000; i++)
		buf_add_str(&flood, empty);
	rig_connect(&rig);
	ws_session_close(rig.ws, WS_CLOSE_POLICY, STR(""));
	for (size_t sent = 0; rig.code == 0; sent += flood.len) {
		ck_assert_uint_lt(sent, 5u << 20);
		unit_send(rig.fd, buf_str(&flood));
		rig_turn(&rig, 3);
		ck_assert(rig.code == 0 || sent > 3u << 20);
	}
	ck_assert_uint_eq(rig.code, 1008);
	buf_deinit(&flood);
}
END_TEST

START_TEST(test_garbage_while_closing)
{
	rig_connect(&rig);
	ws_session_close(rig.ws, WS_CLOSE_NORMAL, STR(""));
	unit_send(rig.fd, STR("\xff\xff"));
	rig_turn(&rig, 3);
	ck_assert_uint_eq(rig.code, 1002);
	ck_assert(str_eq(buf_str(&rig.out), STR("\x88\x02\x03\xe8")));
}
END_TEST

START_TEST(test_long_reason_is_cut)
{
	char reason[200];

	memset(reason, 'r', sizeof(reason));
	rig_connect(&rig);
	ws_session_close(rig.ws, WS_CLOSE_POLICY,
			 (struct str){ reason, sizeof(reason) });
	rig_turn(&rig, 1);
	ck_assert_uint_eq(rig.out.len, 2 + 125);
}
END_TEST

static const struct str slow_starts[] = {
	BYTES("\x81"),			/* half a header */
	BYTES("\x81\x83" K "a"),	/* half a frame */
	BYTES("\x01\x81" K "a"),	/* half a message */
	BYTES("\x81\x81" K "x\x89\x83" K "a"),	/* half a ping */
};

START_TEST(test_slow_message)
{
	rig.conf.message_timeout_ms = 10;
	rig_connect(&rig);
	unit_send(rig.fd, slow_starts[_i]);
	while (rig.code == 0)
		uv_run(reactor_loop(rig.reactor), UV_RUN_ONCE);
	ck_assert_uint_eq(rig.code, 1008);
	ck_assert_uint_eq(ws_pool_counters(rig.pool)->too_slow, 1);
}
END_TEST

/* One read, so all of them come at one time of the loop. */
static void send_controls(size_t count, bool ping)
{
	struct buf all = { 0 };

	while (count-- > 0)
		buf_add(&all, ping ? "\x89\x80" K : "\x8a\x80" K, 6);
	unit_send(rig.fd, buf_str(&all));
	rig_turn(&rig, 3);
	buf_deinit(&all);
}

START_TEST(test_control_flood)
{
	const struct ws_counters *c = ws_pool_counters(rig.pool);
	bool ping = _i == 0;

	rig_connect(&rig);
	send_controls(1000, ping);
	ck_assert_uint_eq(rig.code, 0);
	ck_assert_uint_eq(rig.out.len, ping ? 2000 : 0);
	ck_assert_uint_eq(c->too_many_controls, 0);
	rig_disconnect(&rig);

	rig_connect(&rig);
	send_controls(1001, ping);
	ck_assert_uint_eq(rig.code, 1008);
	ck_assert_uint_eq(c->too_many_controls, 1);
	ck_assert(rig.ended);
}
END_TEST

/* Data in between, or a message that has begun, makes no difference. */
START_TEST(test_control_flood_within_a_message)
{
	rig_connect(&rig);
	unit_send(rig.fd, STR("\x01\x81" K "a"));
	send_controls(1001, true);
	ck_assert_uint_eq(rig.code, 1008);
}
END_TEST

/* Of all sessions together; what is kept of one that ends counts no more. */
START_TEST(test_unfinished_messages)
{
	rig.conf.max_unfinished = 10;
	for (int i = 0; i < 3; i++) {
		rig_connect(&rig);
		unit_send(rig.fd, STR("\x01\x86" K "aaaaaa"));
		rig_turn(&rig, 3);
		ck_assert_uint_eq(rig.code, 0);
		unit_send(rig.fd, STR("\x80\x84" K "aaaa"));
		rig_turn(&rig, 3);
		ck_assert_uint_eq(rig.code, 0);
		unit_send(rig.fd, STR("\x01\x86" K "aaaaaa"
				      "\x80\x85" K "aaaaa"));
		rig_turn(&rig, 3);
		ck_assert_uint_eq(rig.code, 1013);
		ck_assert_uint_eq(ws_pool_counters(rig.pool)->unfinished,
				  (uint64_t)i + 1);
		rig_disconnect(&rig);
	}
}
END_TEST

START_TEST(test_ping_unanswered)
{
	rig.conf.ping_interval_ms = 10;
	rig.conf.pong_timeout_ms = 10;
	rig_connect(&rig);
	while (rig.code == 0)
		uv_run(reactor_loop(rig.reactor), UV_RUN_ONCE);
	ck_assert_uint_eq(rig.code, 1006);
	ck_assert_uint_eq(ws_pool_counters(rig.pool)->no_pong, 1);
	unit_drain(rig.fd, &rig.out);
	ck_assert(str_eq(buf_str(&rig.out), STR("\x89\x00")));
}
END_TEST

/* as long as pongs come it lives: five rounds are five pings */
START_TEST(test_ping_answered)
{
	rig.conf.ping_interval_ms = 10;
	rig.conf.pong_timeout_ms = 100;
	rig_connect(&rig);
	for (size_t pings = 0; pings < 5 && rig.code == 0;) {
		uv_run(reactor_loop(rig.reactor), UV_RUN_ONCE);
		rig_turn(&rig, 1);
		if (rig.out.len / 2 > pings) {
			unit_send(rig.fd, STR("\x8a\x80" K));
			pings++;
		}
	}
	rig_turn(&rig, 2);
	ck_assert_uint_eq(rig.code, 0);
	ck_assert_uint_eq(ws_pool_counters(rig.pool)->pongs_in, 5);
}
END_TEST

START_TEST(test_destroy_in_message)
{
	rig_connect(&rig);
	rig.destroys = true;
	unit_send(rig.fd, STR("\x81\x81" K "a\x81\x81" K "b"));
	rig_turn(&rig, 3);
	ck_assert(str_eq(buf_str(&rig.heard), STR("T:a|")));
	ck_assert(rig.ended);
}
END_TEST

START_TEST(test_feed_behind_the_handshake)
{
	rig_connect(&rig);
	ws_session_feed(rig.ws, STR("\x81\x82" K "a"));
	ws_session_feed(rig.ws, STR(""));
	unit_send(rig.fd, STR("b"));
	rig_turn(&rig, 2);
	ck_assert(str_eq(buf_str(&rig.heard), STR("T:ab|")));
}
END_TEST

/* A peer that never reads: sending ends with ERR_LIMIT, queued frames stay
 * whole. */
START_TEST(test_send_limit)
{
	static char block[50000];
	struct str message = { block, sizeof(block) };
	size_t sent = 0;
	int err;

	rig_connect(&rig);
	while ((err = ws_session_send(rig.ws, message, false)) == 0) {
		sent += sizeof(block) + 4;
		uv_run(reactor_loop(rig.reactor), UV_RUN_NOWAIT);
	}
	ck_assert_int_eq(err, ERR_LIMIT);
	for (int i = 0; i < 100000 && rig.out.len < sent; i++)
		rig_turn(&rig, 1);
	ck_assert_uint_eq(rig.out.len, sent);
	for (size_t at = 0; at < sent; at += sizeof(block) + 4)
		ck_assert_int_eq(memcmp(rig.out.p + at, "\x82\x7e\xc3\x50", 4),
				 0);
}
END_TEST

/* Partly received frames of many sessions at once: each keeps its own. */
START_TEST(test_interleaved_sessions)
{
	struct ws_rig other;

	rig_init(&other);
	rig_connect(&rig);
	rig_connect(&other);
	unit_send(rig.fd, STR("\x81\x84" K "on"));
	rig_turn(&rig, 1);
	unit_send(other.fd, STR("\x81\x84" K "tw"));
	rig_turn(&other, 1);
	unit_send(rig.fd, STR("e!"));
	rig_turn(&rig, 1);
	unit_send(other.fd, STR("o!"));
	rig_turn(&other, 1);
	ck_assert(str_eq(buf_str(&rig.heard), STR("T:one!|")));
	ck_assert(str_eq(buf_str(&other.heard), STR("T:two!|")));
	rig_deinit(&other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ws_session");
	TCase *tc = tcase_create("ws_session");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_script_whole, 0, ARRAY_LEN(scripts));
	tcase_add_loop_test(tc, test_script_octets, 0, ARRAY_LEN(scripts));
	tcase_add_loop_test(tc, test_script_cut, 0, ARRAY_LEN(scripts));
	tcase_add_loop_test(tc, test_length, 0, ARRAY_LEN(lengths));
	tcase_add_test(tc, test_close_handshake);
	tcase_add_test(tc, test_close_unanswered);
	tcase_add_test(tc, test_flood_while_closing);
	tcase_add_test(tc, test_garbage_while_closing);
	tcase_add_test(tc, test_long_reason_is_cut);
	tcase_add_loop_test(tc, test_slow_message, 0, ARRAY_LEN(slow_starts));
	tcase_add_loop_test(tc, test_control_flood, 0, 2);
	tcase_add_test(tc, test_control_flood_within_a_message);
	tcase_add_test(tc, test_unfinished_messages);
	tcase_add_test(tc, test_ping_unanswered);
	tcase_add_test(tc, test_ping_answered);
	tcase_add_test(tc, test_destroy_in_message);
	tcase_add_test(tc, test_feed_behind_the_handshake);
	tcase_add_test(tc, test_send_limit);
	tcase_add_test(tc, test_interleaved_sessions);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
