/* [auth], [notify] and [inbox], and what follows from them. */
#include "config_util.h"

#define NOTIFY "[notify]\nlisten = "

static void load_more(struct loaded *l, const char *more)
{
	struct buf text = { 0 };

	buf_add_lit(&text, BASE);
	buf_add_str(&text, str_of(more));
	load_text(l, buf_str(&text));
	buf_deinit(&text);
}

START_TEST(test_defaults)
{
	const struct gateway_conf *gw;
	const struct notify_conf *notify;
	struct loaded l;

	load_text(&l, STR("[listener \"main\"]\nlisten = 127.0.0.1:8180\n"
			  "[upstream \"cse\"]\nurl = http://127.0.0.1:8080\n"));
	ck_assert_int_eq(l.err, 0);
	gw = &l.conf->gateway;
	notify = &gw->notify;
	ck_assert_int_eq(gw->auth, AUTH_REGISTERED);
	ck_assert_str_eq(gw->reserved, "CAdmin");
	ck_assert_int_eq(notify->addr.ss_family, 0);
	ck_assert_uint_eq(notify->prefix.len, 0);
	ck_assert_str_eq(notify->originator, "/-");
	ck_assert_str_eq(notify->release, "3");
	ck_assert_uint_eq(notify->timeout_ms, 2000);
	ck_assert_int_eq(notify->offline, OFFLINE_HOLD);
	ck_assert_int_eq(notify->offline_cse, OFFLINE_HOLD);
	ck_assert_uint_eq(notify->in_flight, 32);
	ck_assert_uint_eq(notify->max_connections, 1024);
	ck_assert_uint_eq(notify->max_held, 16 << 20);
	ck_assert_uint_eq(notify->allow.count, 2);
	ck_assert_uint_eq(notify->allow.list[0].bits, 96 + 8);
	ck_assert_uint_eq(notify->allow.list[1].bits, 128);
	ck_assert_uint_eq(gw->delivery.client.deny.count, 12);
	ck_assert_uint_eq(gw->delivery.client.deny.list[0].bits, 96 + 8);
	ck_assert_uint_eq(notify->http.limits.max_head, 16384);
	ck_assert_uint_eq(notify->http.limits.max_headers, 100);
	ck_assert_uint_eq(notify->http.limits.max_body, 256 << 10);
	ck_assert_uint_eq(notify->http.head_timeout_ms, 30000);
	ck_assert_uint_gt(notify->http.idle_timeout_ms, 0);
	ck_assert_ptr_null(gw->state.dir);
	ck_assert_ptr_nonnull(gw->state.now_ms);
	ck_assert_uint_gt(gw->state.max_waiting, 0);
	ck_assert_uint_eq(gw->state.inbox.max_count, 1000);
	ck_assert_uint_eq(gw->state.inbox.max_bytes, 4 << 20);
	ck_assert_uint_eq(gw->state.inbox.max_total_bytes, UINT64_C(4) << 30);
	ck_assert_uint_eq(gw->state.inbox.max_age_ms, 86400000);
	ck_assert_int_eq(gw->state.inbox.overflow, INBOX_OLDEST);
	ck_assert_uint_eq(gw->home.cse.len, 0);
	loaded_free(&l);
}
END_TEST

START_TEST(test_all_set)
{
	const struct gateway_conf *gw;
	struct loaded l;

	load_more(&l, "[upstream \"cse\"]\ncse_id = /id-in\nrelease = 2a\n"
		      "[auth]\nreserved = CAdmin,CSuper\n"
		      "[notify]\nlisten = *:8383\nadvertise = gw:80\n"
		      "timeout = 500ms\noffline = store\n"
		      "offline_cse = reject\nallow = 192.0.2.0/24, ::1\n"
		      "[inbox]\nmax_count = 3\noverflow = refuse\n"
		      "[gateway]\nstate_dir = /var/x\n");
	ck_assert_msg(l.err == 0, "%s", l.diag);
	gw = &l.conf->gateway;
	ck_assert_str_eq(gw->reserved, "CAdmin,CSuper");
	ck_assert_str_eq(gw->notify.originator, "/id-in");
	ck_assert_str_eq(gw->notify.release, "2a");
	ck_assert(str_eq(gw->notify.prefix, STR("http://gw:80/r/")));
	ck_assert_uint_eq(gw->notify.timeout_ms, 500);
	ck_assert_int_eq(gw->notify.offline, OFFLINE_STORE);
	ck_assert_int_eq(gw->notify.offline_cse, OFFLINE_REJECT);
	ck_assert_uint_eq(gw->notify.allow.count, 2);
	ck_assert_uint_eq(gw->state.inbox.max_count, 3);
	ck_assert_int_eq(gw->state.inbox.overflow, INBOX_REFUSE);
	ck_assert_str_eq(gw->state.dir, "/var/x");
	ck_assert(str_eq(gw->home.cse, STR("id-in")));
	loaded_free(&l);
}
END_TEST

#define ANY    "t.conf: [notify] listen on every address needs advertise = " \
	       "HOST:PORT\n"
#define NEITHER "t.conf: [notify] advertise must be HOST:PORT\n"

static const struct {
	const char *listen, *advertise;
	const char *prefix;		/* or */
	const char *diag;
} prefixes[] = {
	{ "127.0.0.1:8383", "", "http://127.0.0.1:8383/r/", NULL },
	{ "[::1]:8383", "", "http://[::1]:8383/r/", NULL },
	{ "[2001:db8::1]:80", "", "http://[2001:db8::1]:80/r/", NULL },
	{ "*:8383", "gw.example.org:8383", "http://gw.example.org:8383/r/",
	  NULL },
	{ "*:8383", "[2001:db8::1]:8383", "http://[2001:db8::1]:8383/r/",
	  NULL },
	{ "127.0.0.1:8383", "gw", "http://gw/r/", NULL },
	{ "*:8383", "", NULL, ANY },
	{ ":8383", "", NULL, ANY },
	{ "0.0.0.0:8383", "", NULL, ANY },
	{ "[::]:8383", "", NULL, ANY },
	{ "*:8383", "gw:", NULL, NEITHER },
	{ "*:8383", "gw:0", NULL, NEITHER },
	{ "*:8383", "gw:65536", NULL, NEITHER },
	{ "*:8383", "gw:x", NULL, NEITHER },
	{ "*:8383", ":8383", NULL, NEITHER },
	{ "*:8383", "gw:80/", NULL, NEITHER },
	{ "*:8383", "gw:80/path", NULL, NEITHER },
	{ "*:8383", "gw:80?x", NULL, NEITHER },
	{ "*:8383", "gw:80#x", NULL, NEITHER },
	{ "*:8383", "me@gw:80", NULL, NEITHER },
	{ "*:8383", "http://gw:80", NULL, NEITHER },
	{ "*:8383", "2001:db8::1", NULL, NEITHER },
	{ "*:8383", "[2001:db8::1", NULL, NEITHER },
	{ "*:8383", "g w:80", NULL,
	  "t.conf:9:13: advertise must have no spaces\n"
	  "advertise = \"g w:80\"\n            ^\n" },
	{ "*:8383", "gw:80\\\"", NULL, NEITHER },
};

START_TEST(test_prefix)
{
	const char *want = prefixes[_i].prefix;
	char text[256];
	struct loaded l;

	snprintf(text, sizeof(text),
		 "[notify]\nlisten = %s\nadvertise = \"%s\"\n",
		 prefixes[_i].listen, prefixes[_i].advertise);
	load_more(&l, text);
	ck_assert_msg((l.err == 0) == (want != NULL), "%s %s: %s",
		      prefixes[_i].listen, prefixes[_i].advertise, l.diag);
	if (want != NULL)
		ck_assert_msg(str_eq(l.conf->gateway.notify.prefix,
				     str_of(want)), "%s",
			      prefixes[_i].listen);
	else
		ck_assert_str_eq(l.diag, prefixes[_i].diag);
	loaded_free(&l);
}
END_TEST

/* Without a reverse channel, advertise means nothing. */
START_TEST(test_no_listen)
{
	struct loaded l;

	load_more(&l, "[notify]\nadvertise = gw:80\n");
	ck_assert_int_eq(l.err, 0);
	ck_assert_uint_eq(l.conf->gateway.notify.prefix.len, 0);
	loaded_free(&l);
}
END_TEST

/* What the CSE sends must fit into the queue of a session. */
START_TEST(test_body_fits_the_queue)
{
	struct loaded l;

	load_more(&l, "[limits]\nmax_message = 1m\nmax_queue = 64k\n");
	ck_assert_int_eq(l.err, 0);
	ck_assert_uint_eq(l.conf->gateway.notify.http.limits.max_body,
			  56 << 10);
	loaded_free(&l);
}
END_TEST

/* The CSE behind the gateway gives the names. */
START_TEST(test_embedded_cse)
{
	struct loaded l;

	load_text(&l, STR("[listener \"main\"]\nlisten = 127.0.0.1:8180\n"
			  "[gateway]\nbackend = store\n"
			  "[store]\npath = :memory:\ncse_id = /id-x\n"
			  NOTIFY "127.0.0.1:8383\n"));
	ck_assert_msg(l.err == 0, "%s", l.diag);
	ck_assert(str_eq(l.conf->gateway.home.cse, STR("id-x")));
	ck_assert_str_eq(l.conf->gateway.notify.originator, "/id-x");
	ck_assert_str_eq(l.conf->gateway.notify.release, "3");
	loaded_free(&l);
}
END_TEST

static const struct {
	const char *text, *diag;
} refused[] = {
	{ "[notify]\nallow = 127.0.0.0/8 foo\n", "t.conf:8:9: allow must be" },
	{ "[notify]\nallow = ::1/129\n", "t.conf:8:9: allow must be" },
	{ "[notify]\noffline = keep\n",
	  "t.conf:8:11: offline must be hold, store, reject" },
	{ "[notify]\nin_flight = 0\n",
	  "t.conf:8:13: in_flight must be a number from 1 to 1024" },
	{ "[notify]\nmax_connections = 0\n",
	  "t.conf:8:19: max_connections must be a number from 1 to 1000000" },
	{ "[notify]\ntimeout = 0\n", "t.conf:8:11: timeout must be a time" },
	{ "[notify]\nmax_held = 1\n", "t.conf:8:12: max_held must be a size" },
	{ "[inbox]\noverflow = newest\n",
	  "t.conf:8:12: overflow must be oldest, refuse" },
	{ "[inbox]\nmax_count = 0\n", "t.conf:8:13: max_count must be" },
	{ "[inbox]\nmax_age = 1ms\n", "t.conf:8:11: max_age must be" },
	{ "[limits]\nmax_entities = 0\n", "t.conf:8:16: max_entities must be" },
	{ "[limits]\nmax_registered = 1k\n",
	  "t.conf:8:18: max_registered must be" },
	{ "[limits]\nmax_descendants = 65537\n",
	  "t.conf:8:19: max_descendants must be" },
};

START_TEST(test_refused)
{
	struct loaded l;

	load_more(&l, refused[_i].text);
	ck_assert_int_eq(l.err, ERR_PROTO);
	ck_assert_msg(strncmp(l.diag, refused[_i].diag,
			      strlen(refused[_i].diag)) == 0, "%s is not %s",
		      l.diag, refused[_i].diag);
	loaded_free(&l);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_notify");
	TCase *tc = tcase_create("config_notify");

	tcase_add_test(tc, test_defaults);
	tcase_add_test(tc, test_all_set);
	tcase_add_loop_test(tc, test_prefix, 0, ARRAY_LEN(prefixes));
	tcase_add_test(tc, test_no_listen);
	tcase_add_test(tc, test_body_fits_the_queue);
	tcase_add_test(tc, test_embedded_cse);
	tcase_add_loop_test(tc, test_refused, 0, ARRAY_LEN(refused));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
