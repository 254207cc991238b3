#include "backend_rig.h"

/*
 * Two places, the first of which nobody listens at unless a test says so; what
 * an owner does while it hears must not matter.
 */

#define GOOD "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\nContent-Length: 0\r\n\r\n"

static const struct step good[] = { READ, SAY(GOOD), AGAIN };
static const struct step cut[] = { READ, RST, { ACT_END, NULL, 0 } };

static struct upstream_conf confs[2];
static struct tls_context *contexts[2];
static unsigned spare_port;		/* nobody listens */

static unsigned find_spare_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	close(fd);
	return ntohs(addr.sin_port);
}

/* The server is the second one of both. */
static void two_init(struct rig *rig, const struct step *const *scripts,
		     size_t count)
{
	rig_init(rig);
	rig->server.scripts = scripts;
	rig->server.count = count;
	spare_port = find_spare_port();
	confs[0] = confs[1] = rig->conf;
	confs[0].name = "dead";
	confs[0].port = spare_port;
	confs[1].name = "cse";
	ck_assert_int_eq(backend_http_create(&rig->b, rig->r, confs, 2,
					     &codec_conf), 0);
}

static void on_upstream(void *arg, const struct upstream_view *v)
{
	struct buf *out = arg;
	char text[128];

	snprintf(text, sizeof(text), "%s %s %d/%d/%d; ", v->name,
		 v->up ? "up" : "down", (int)v->requests, (int)v->failures,
		 (int)v->moved);
	buf_add_str(out, str_of(text));
}

/* Sorted by who was asked last. */
static void check_views(struct rig *rig, const char *want)
{
	struct buf got = { 0 };

	rig->b->ops->each(rig->b, on_upstream, &got);
	buf_add_char(&got, '\0');
	ck_assert_str_eq(got.p, want);
	buf_deinit(&got);
}

START_TEST(test_moved)
{
	const struct step *const scripts[] = { good };
	struct rig rig;

	two_init(&rig, scripts, 1);
	submit_ok(&rig, 0, OP_CREATE, "q1");
	rig_run(&rig, 1);
	submit_ok(&rig, 1, OP_CREATE, "q2");
	rig_run(&rig, 2);
	check_log("moved", &rig, "q1=2000/200:3 q2=2000/200:3");
	check_views(&rig, "dead down 1/1/1; cse up 2/0/0; ");
	ck_assert(rig.b->ops->healthy(rig.b));
	ck_assert_uint_eq(backend_count(rig.b).moved, 1);
	rig_end(&rig);
}
END_TEST

/* What both refuse fails once. */
START_TEST(test_nowhere)
{
	struct rig rig;

	two_init(&rig, NULL, 0);
	server_stop_listening(&rig.server);
	submit_ok(&rig, 0, OP_RETRIEVE, "q1");
	rig_run(&rig, 1);
	check_log("nowhere", &rig, "q1!ECONNREFUSED/0");
	ck_assert(!rig.b->ops->healthy(rig.b));
	rig_end(&rig);
}
END_TEST

/* Sent, and the connection breaks: only a RETRIEVE may be sent again, and here
 * the other place is dead. */
START_TEST(test_sent)
{
	const struct step *const scripts[] = { cut, good };
	struct rig rig;

	two_init(&rig, scripts, 2);
	submit_ok(&rig, 0, OP_CREATE, "q1");
	rig_run(&rig, 1);
	submit_ok(&rig, 1, OP_CREATE, "q2");
	rig_run(&rig, 2);
	check_log("sent", &rig, "q1!ECONNRESET/0 q2=2000/200:3");
	rig_end(&rig);
}
END_TEST

START_TEST(test_cancelled)
{
	const struct step *const scripts[] = { good };
	struct rig rig;

	two_init(&rig, scripts, 1);
	submit_ok(&rig, 0, OP_CREATE, "q1");
	backend_cancel(rig.b, &rig.ones[0].x);
	ck_assert_ptr_null(rig.ones[0].x.impl);
	backend_cancel(rig.b, &rig.ones[0].x);
	submit_ok(&rig, 1, OP_CREATE, "q2");
	rig_run(&rig, 1);
	check_log("cancelled", &rig, "q2=2000/200:3");
	rig_end(&rig);
}
END_TEST

static void take_the_dead(struct rig *rig)
{
	ck_assert_int_eq(rig->b->ops->take(rig->b, confs, 1, contexts), 0);
}

static void take_the_other(struct rig *rig)
{
	ck_assert_int_eq(rig->b->ops->take(rig->b, &confs[1], 1, contexts), 0);
}

static void take_changed(struct rig *rig)
{
	confs[1].weight++;
	ck_assert_int_eq(rig->b->ops->take(rig->b, confs, 2, contexts), 0);
}

static const struct {
	const char *name;
	void (*then)(struct rig *rig);
	bool refused;
	const char *views;		/* afterwards; NULL: it is gone */
} heard[] = {
	{ "destroys from an answer", destroy_backend, false, NULL },
	{ "destroys from a failure", destroy_backend, true, NULL },
	{ "leaves only the dead one", take_the_dead, false,
	  "dead down 1/1/1; " },
	{ "leaves only the other", take_the_other, false, "cse up 1/0/0; " },
	{ "changes one", take_changed, false,
	  "dead down 1/1/1; cse up 0/0/0; " },
	{ "changes one from a failure", take_changed, true,
	  "dead down 1/1/1; cse up 0/0/0; " },
};

START_TEST(test_then)
{
	const struct step *const scripts[] = { good };
	struct rig rig;

	two_init(&rig, scripts, 1);
	if (heard[_i].refused)
		server_stop_listening(&rig.server);
	rig.then = heard[_i].then;
	submit_ok(&rig, 0, OP_CREATE, "q1");
	rig_run(&rig, 1);
	check_log(heard[_i].name, &rig, heard[_i].refused ?
			"q1!ECONNREFUSED/0" : "q1=2000/200:3");
	if (heard[_i].views != NULL)
		check_views(&rig, heard[_i].views);
	rig_end(&rig);
}
END_TEST

/* What one that went has pending is finished there, and counts ever after. */
START_TEST(test_retired)
{
	const struct step *const scripts[] = { good };
	struct rig rig;

	two_init(&rig, scripts, 1);
	submit_ok(&rig, 0, OP_CREATE, "q1");
	rig_run(&rig, 1);
	submit_ok(&rig, 1, OP_CREATE, "q2");
	take_the_dead(&rig);
	ck_assert_ptr_nonnull(rig.ones[1].x.impl);
	rig_run(&rig, 2);
	check_log("retired", &rig, "q1=2000/200:3 q2=2000/200:3");
	while (backend_count(rig.b).open > 0)
		rig_run(&rig, 0);
	ck_assert_uint_eq(backend_count(rig.b).opened, 1);
	rig_end(&rig);
}
END_TEST

START_TEST(test_destroyed_with_both)
{
	const struct step hang[] = { READ, { ACT_END, NULL, 0 } };
	const struct step *const scripts[] = { hang };
	struct rig rig;

	two_init(&rig, scripts, 1);
	submit_ok(&rig, 0, OP_CREATE, "q1");
	while (rig.server.requests == 0)
		rig_run(&rig, 0);
	take_changed(&rig);
	submit_ok(&rig, 1, OP_CREATE, "q2");
	destroy_backend(&rig);
	ck_assert_ptr_null(rig.ones[0].x.impl);
	ck_assert_ptr_null(rig.ones[1].x.impl);
	ck_assert_uint_eq(rig.heard, 0);
	rig_end(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("backend_upstreams");
	TCase *tc = tcase_create("upstreams");

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_moved);
	tcase_add_test(tc, test_nowhere);
	tcase_add_test(tc, test_sent);
	tcase_add_test(tc, test_cancelled);
	tcase_add_loop_test(tc, test_then, 0, (int)ARRAY_LEN(heard));
	tcase_add_test(tc, test_retired);
	tcase_add_test(tc, test_destroyed_with_both);
	return unit_run(s);
}
