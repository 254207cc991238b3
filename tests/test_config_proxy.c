#include "config_util.h"

/* The keys of [listener "main"]; a body starts in line 7. */
static const struct {
	const char *name;
	const char *keys;
	const char *diag;
} bad[] = {
	{ "from nobody", "proxy_protocol = yes\n",
	  "t.conf:8:1: [listener \"main\"] proxy_protocol needs proxy_from\n"
	  "proxy_protocol = yes\n^\n" },
	{ "from an empty list", "proxy_protocol = yes\nproxy_from =\n",
	  "t.conf:8:1: [listener \"main\"] proxy_protocol needs proxy_from\n"
	  "proxy_protocol = yes\n^\n" },
	{ "not asked for", "proxy_from = 10.0.0.1\n",
	  "t.conf:8:1: [listener \"main\"] proxy_from needs "
	  "proxy_protocol = yes\nproxy_from = 10.0.0.1\n^\n" },
	{ "turned off", "proxy_protocol = no\nproxy_from = 10.0.0.1\n",
	  "t.conf:9:1: [listener \"main\"] proxy_from needs "
	  "proxy_protocol = yes\nproxy_from = 10.0.0.1\n^\n" },
	{ "no network", "proxy_protocol = yes\nproxy_from = lb.example\n",
	  "t.conf:9:14: proxy_from must be addresses or networks, such as "
	  "192.0.2.7 10.0.0.0/8 ::1\nproxy_from = lb.example\n"
	  "             ^\n" },
};

static void load_keys(struct loaded *l, const char *keys)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s[listener \"main\"]\n%s", BASE, keys);
	load_text(l, str_of(text));
}

START_TEST(test_bad)
{
	struct loaded l;

	load_keys(&l, bad[_i].keys);
	ck_assert_msg(strcmp(l.diag, bad[_i].diag) == 0, "%s: %s",
		      bad[_i].name, l.diag);
	loaded_free(&l);
}
END_TEST

START_TEST(test_good)
{
	const struct gateway_listener_conf *listener;
	struct loaded l;

	load_keys(&l, "proxy_protocol = yes\nproxy_from = 10.0.0.0/8 ::1\n"
		      "[limits]\nsessions_per_ip = 7\nhandshake_rate = 3\n");
	ck_assert_msg(l.err == 0, "%s", l.diag);
	listener = &l.conf->gateway.listeners[0];
	ck_assert(listener->proxy_protocol);
	ck_assert_uint_eq(listener->proxy_from.count, 2);
	ck_assert_uint_eq(l.conf->gateway.sessions_per_ip, 7);
	ck_assert_uint_eq(l.conf->gateway.handshake_rate, 3);
	loaded_free(&l);
}
END_TEST

START_TEST(test_defaults)
{
	const struct gateway_listener_conf *listener;
	struct loaded l;

	load_keys(&l, "");
	ck_assert_msg(l.err == 0, "%s", l.diag);
	listener = &l.conf->gateway.listeners[0];
	ck_assert(!listener->proxy_protocol);
	ck_assert_uint_eq(listener->proxy_from.count, 0);
	ck_assert_uint_eq(l.conf->gateway.sessions_per_ip, 0);
	ck_assert_uint_eq(l.conf->gateway.handshake_rate, 0);
	loaded_free(&l);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_proxy");
	TCase *tc = tcase_create("config_proxy");

	tcase_add_loop_test(tc, test_bad, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, test_good);
	tcase_add_test(tc, test_defaults);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
