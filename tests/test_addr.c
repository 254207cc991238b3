#include "unit.h"

#include <uv.h>

#include "net/addr.h"

/* text -> address -> text; want NULL: it is none. */
static const struct {
	const char *text, *want;
} addresses[] = {
	{ "192.0.2.1:80", "192.0.2.1:80" },
	{ "127.0.0.1:0", "127.0.0.1:0" },
	{ "[2001:db8::1]:65535", "[2001:db8::1]:65535" },
	{ "[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.1]:80" },
	{ "*:80", "[::]:80" },
	{ ":80", "[::]:80" },
	{ "", NULL },
	{ "80", NULL },
	{ "localhost:80", NULL },
	{ "192.0.2.1", NULL },
	{ "192.0.2.1:", NULL },
	{ "192.0.2.1:x", NULL },
	{ "192.0.2.1:65536", NULL },
	{ "192.0.2.1:-1", NULL },
	{ "192.0.2.256:80", NULL },
	{ "192.0.2:80", NULL },
	{ "192.0.2.1:80:90", NULL },
	{ "2001:db8::1:80", NULL },
	{ "[2001:db8::1]", NULL },
	{ "[2001:db8::1]80", NULL },
	{ "[2001:db8::1:80", NULL },
	{ "[192.0.2.1]:80", NULL },
	{ "[]:80", NULL },
	{ "[2001:db8:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1]:80", NULL },
};

START_TEST(test_address)
{
	struct sockaddr_storage addr = { 0 };
	const char *want = addresses[_i].want;
	int err = addr_parse(&addr, str_of(addresses[_i].text));
	char space[64];

	ck_assert_msg((err == 0) == (want != NULL), "%s", addresses[_i].text);
	if (want == NULL) {
		ck_assert_int_eq(addr.ss_family, 0);	/* as it was */
		return;
	}
	addr_text((struct sockaddr *)&addr, space, sizeof(space));
	ck_assert_str_eq(space, want);
}
END_TEST

static bool has(const char *nets, const char *address)
{
	struct addr_net list[4];
	struct addr_nets all = { list, 0 };
	struct str rest = str_of(nets), one;
	struct sockaddr_storage addr;
	bool more = rest.len > 0;

	while (more) {
		more = str_cut(rest, ' ', &one, &rest);
		ck_assert_msg(addr_net_parse(&list[all.count++], one) == 0,
			      "%.*s", (int)one.len, one.p);
	}
	ck_assert_int_eq(addr_parse(&addr, str_of(address)), 0);
	return addr_nets_have(&all, (struct sockaddr *)&addr);
}

static const struct {
	const char *nets, *address;
	bool has;
} members[] = {
	{ "127.0.0.0/8", "127.0.0.1:1", true },
	{ "127.0.0.0/8", "127.255.255.255:1", true },
	{ "127.0.0.0/8", "126.255.255.255:1", false },
	{ "127.0.0.0/8", "128.0.0.0:1", false },
	{ "192.0.2.1", "192.0.2.1:1", true },
	{ "192.0.2.1", "192.0.2.0:1", false },
	{ "192.0.2.1/32", "192.0.2.1:1", true },
	{ "192.0.2.1/32", "192.0.2.3:1", false },
	/* bits behind those that count are not looked at */
	{ "192.0.2.77/24", "192.0.2.1:1", true },
	{ "192.0.2.0/23", "192.0.3.255:1", true },
	{ "192.0.2.0/23", "192.0.4.0:1", false },
	{ "192.0.2.128/25", "192.0.2.127:1", false },
	{ "192.0.2.128/25", "192.0.2.200:1", true },
	{ "192.0.2.0/31", "192.0.2.1:1", true },
	{ "192.0.2.0/31", "192.0.2.2:1", false },
	{ "128.0.0.0/1", "255.0.0.0:1", true },
	{ "128.0.0.0/1", "127.0.0.0:1", false },
	{ "0.0.0.0/0", "1.2.3.4:1", true },
	{ "0.0.0.0/0", "[2001:db8::1]:1", false },
	/* one listener for both families sees v4 as mapped */
	{ "127.0.0.0/8", "[::ffff:127.1.2.3]:1", true },
	{ "127.0.0.0/8", "[::ffff:128.0.0.1]:1", false },
	{ "127.0.0.0/8", "[::127.0.0.1]:1", false },
	{ "::ffff:192.0.2.0/120", "192.0.2.9:1", true },
	{ "::ffff:192.0.2.0/120", "192.0.3.9:1", false },
	{ "::1", "[::1]:1", true },
	{ "::1", "[::]:1", false },
	{ "::1", "127.0.0.1:1", false },
	{ "::/0", "[2001:db8::1]:1", true },
	{ "::/0", "192.0.2.1:1", true },
	{ "2001:db8::/32", "[2001:db8:ffff::1]:1", true },
	{ "2001:db8::/32", "[2001:db9::1]:1", false },
	{ "2001:db8::/127", "[2001:db8::1]:1", true },
	{ "2001:db8::/127", "[2001:db8::2]:1", false },
	{ "2001:db8::1/128", "[2001:db8::1]:1", true },
	{ "2001:db8::1/128", "[2001:db8::3]:1", false },
	{ "8000::/1", "[7fff::]:1", false },
	{ "127.0.0.0/8 ::1", "[::1]:1", true },
	{ "127.0.0.0/8 ::1", "127.0.0.1:1", true },
	{ "127.0.0.0/8 ::1", "192.0.2.1:1", false },
	{ "", "127.0.0.1:1", false },
};

START_TEST(test_member)
{
	ck_assert_msg(has(members[_i].nets, members[_i].address) ==
			      members[_i].has, "%s in %s", members[_i].address,
		      members[_i].nets);
}
END_TEST

/* Each number of bits: an address that differs in bit n is in the net of n
 * bits, and not in that of n + 1. */
START_TEST(test_all_bits)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	char text[16];
	struct addr_net net;
	struct addr_nets nets = { &net, 1 };

	snprintf(text, sizeof(text), "::/%d", _i);
	ck_assert_int_eq(addr_net_parse(&net, str_of(text)), 0);
	ck_assert_uint_eq(net.bits, (unsigned)_i);
	ck_assert(addr_nets_have(&nets, (struct sockaddr *)&in6));
	for (int bit = 0; bit < 128; bit++) {
		memset(&in6.sin6_addr, 0, 16);
		in6.sin6_addr.s6_addr[bit / 8] =
			(unsigned char)(0x80 >> bit % 8);
		ck_assert_int_eq(addr_nets_have(&nets, (struct sockaddr *)&in6),
				 bit >= _i);
	}
}
END_TEST

static const char *const bad_nets[] = {
	"", "/", "/8", "127.0.0.0/", "127.0.0.0/33", "127.0.0.0/-1",
	"127.0.0.0/8/8", "127.0.0.0/ 8", " 127.0.0.0/8", "127.0.0.0/8 ",
	"127.0.0.0/255.0.0.0", "127.0.0/8", "127.0.0.0:80", "256.0.0.0/8",
	"::/129", "::/", "[::1]", "[::1]/128", ":::/8", "fe80::1%lo/64",
	"localhost", "*", "::1/18446744073709551616",
	"2001:db8:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1/8",
};

START_TEST(test_bad_net)
{
	struct addr_net net;

	ck_assert_msg(addr_net_parse(&net, str_of(bad_nets[_i])) == UV_EINVAL,
		      "%s", bad_nets[_i]);
}
END_TEST

START_TEST(test_other_families)
{
	static const struct sockaddr local = { .sa_family = AF_UNIX };
	struct addr_net net;
	struct addr_nets nets = { &net, 1 };
	char space[64];

	ck_assert_int_eq(addr_net_parse(&net, STR("::/0")), 0);
	ck_assert(!addr_nets_have(&nets, &local));
	ck_assert(str_eq(addr_text(&local, space, sizeof(space)), STR("unix")));
}
END_TEST

START_TEST(test_text_of_little_room)
{
	struct sockaddr_storage addr;
	char space[8];
	struct str text;

	ck_assert_int_eq(addr_parse(&addr, STR("192.0.2.1:80")), 0);
	text = addr_text((struct sockaddr *)&addr, space, sizeof(space));
	ck_assert(str_eq(text, STR("192.0.2")));
	ck_assert_uint_eq(strlen(space), text.len);
}
END_TEST

/* Two addresses: of one group or not. */
static const struct {
	const char *a, *b;
	bool same;
} groups[] = {
	{ "192.0.2.1:1", "192.0.2.1:2", true },
	{ "192.0.2.1:1", "192.0.2.2:1", false },
	{ "192.0.2.1:1", "[::ffff:192.0.2.1]:1", true },
	{ "[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:1", false },
	{ "[2001:db8::1]:1", "[2001:db8::ffff:ffff:ffff:ffff]:2", true },
	{ "[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false },
	{ "[::1]:1", "[::ffff:0.0.0.0]:1", false },
	{ "[::1]:1", "0.0.0.0:1", false },
};

START_TEST(test_group)
{
	struct sockaddr_storage a, b;
	unsigned char group_a[16], group_b[16];

	ck_assert_int_eq(addr_parse(&a, str_of(groups[_i].a)), 0);
	ck_assert_int_eq(addr_parse(&b, str_of(groups[_i].b)), 0);
	ck_assert(addr_group(group_a, (struct sockaddr *)&a));
	ck_assert(addr_group(group_b, (struct sockaddr *)&b));
	ck_assert_msg((memcmp(group_a, group_b, 16) == 0) == groups[_i].same,
		      "%s %s", groups[_i].a, groups[_i].b);
}
END_TEST

START_TEST(test_no_group)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNIX };
	unsigned char group[16];

	ck_assert(!addr_group(group, (struct sockaddr *)&addr));
}
END_TEST

/* A peer's text, which may hold anything. */
START_TEST(test_host)
{
	struct sockaddr_storage addr;
	char space[64];

	ck_assert_int_eq(addr_parse_host(&addr, AF_INET6, STR("2001:db8::1"),
					 443), 0);
	addr_text((struct sockaddr *)&addr, space, sizeof(space));
	ck_assert_str_eq(space, "[2001:db8::1]:443");
	ck_assert_int_ne(addr_parse_host(&addr, AF_INET, STR("::1"), 1), 0);
	ck_assert_int_ne(addr_parse_host(&addr, AF_INET, STR(""), 1), 0);
	ck_assert_int_ne(addr_parse_host(&addr, AF_INET, STR("192.0.2.1\0"),
					 1), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("addr");
	TCase *tc = tcase_create("addr");

	tcase_add_loop_test(tc, test_address, 0, ARRAY_LEN(addresses));
	tcase_add_loop_test(tc, test_member, 0, ARRAY_LEN(members));
	tcase_add_loop_test(tc, test_all_bits, 0, 129);
	tcase_add_loop_test(tc, test_bad_net, 0, ARRAY_LEN(bad_nets));
	tcase_add_test(tc, test_other_families);
	tcase_add_test(tc, test_text_of_little_room);
	tcase_add_loop_test(tc, test_group, 0, ARRAY_LEN(groups));
	tcase_add_test(tc, test_no_group);
	tcase_add_test(tc, test_host);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
