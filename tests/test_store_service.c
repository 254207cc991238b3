#include "backend/store_service.h"

#include "m2m/codec.h"
#include "unit.h"

/*
 * The service with a mailbox and an outlet on one loop. What comes out is
 * written down one line each: "q1 2001" an answer, "q1 forward" an errand,
 * "events 2" what a commit left.
 */
#define JOBS 600

struct rig {
	struct store_service_conf conf;
	struct store_service *s;
	uv_loop_t loop;
	struct store_mailbox mailbox;
	struct store_outlet outlet;
	bool has_outlet, has_mailbox;
	struct store_job jobs[JOBS];
	size_t submitted;
	unsigned lines;
	struct buf log;

	struct store_errand *errand;	/* on loan */
};

static struct rig rig;

static void note(struct str who, const char *what, int64_t n)
{
	buf_add_str(&rig.log, who);
	buf_add_char(&rig.log, ' ');
	buf_add_str(&rig.log, str_of(what));
	if (n >= 0)
		buf_add_i64(&rig.log, n);
	buf_add_char(&rig.log, '\n');
	rig.lines++;
}

static void on_done(struct store_job *job)
{
	ck_assert_int_eq(job->answer.kind, PRIM_RESPONSE);
	note(prim_text(&job->answer, PARAM_RQI), "", job->answer.rsc);
}

static void on_events(struct store_outlet *o, const struct store_events *events)
{
	(void)o;
	note(STR("events"), "", (int64_t)events->count);
}

static void on_errand(struct store_outlet *o, struct store_errand *e)
{
	static const char *const outcomes[] = {
		[STORE_ANSWERED] = "answered",
		[STORE_ASKED] = "asked",
		[STORE_FORWARD] = "forward",
		[STORE_POLL] = "poll",
		[STORE_POLL_ANSWER] = "poll answer",
	};

	ck_assert_ptr_eq(o, &rig.outlet);
	ck_assert_ptr_null(rig.errand);
	rig.errand = e;
	note(prim_text(&e->request, PARAM_RQI), outcomes[e->pass.outcome], -1);
}

static void open_rig(const char *path)
{
	const char *why = "";

	rig = (struct rig){
		.conf = {
			.store = {
				.path = path,
				.cse_id = "/id-in",
				.cse_name = "cse-in",
				.admin = "CAdmin",
				.codec = { 64, 10000 },
				.default_lifetime_s = 86400,
				.max_instances = 1000,
				.max_results = 1000,
			},
			.readers = 2,
			.max_waiting = 1 << 24,
			.max_leaving = 1 << 20,
		},
	};
	ck_assert_msg(store_service_create(&rig.s, &why, &rig.conf) == 0, "%s",
		      why);
	uv_loop_init(&rig.loop);
	ck_assert_int_eq(store_mailbox_init(&rig.mailbox, rig.s, &rig.loop,
					    on_done), 0);
	rig.has_mailbox = true;
	rig.outlet.on_events = on_events;
	rig.outlet.on_errand = on_errand;
}

static void open_outlet(void)
{
	ck_assert_int_eq(store_outlet_init(&rig.outlet, rig.s, &rig.loop), 0);
	rig.has_outlet = true;
}

static void setup(void)
{
	open_rig(":memory:");
	open_outlet();
}

static void on_mailbox_closed(struct store_mailbox *m)
{
	ck_assert_ptr_eq(m, &rig.mailbox);
}

static void on_outlet_closed(struct store_outlet *o)
{
	ck_assert_ptr_eq(o, &rig.outlet);
}

static void close_mailbox(void)
{
	if (rig.has_mailbox)
		store_mailbox_close(&rig.mailbox, on_mailbox_closed);
	rig.has_mailbox = false;
}

static void close_outlet(void)
{
	if (rig.has_outlet)
		store_outlet_close(&rig.outlet, on_outlet_closed);
	rig.has_outlet = false;
}

static void teardown(void)
{
	if (rig.errand != NULL)
		store_errand_drop(rig.errand);
	close_outlet();
	close_mailbox();
	uv_run(&rig.loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&rig.loop), 0);
	store_service_destroy(rig.s);
	for (size_t i = 0; i < JOBS; i++)
		store_job_deinit(&rig.jobs[i]);
	buf_deinit(&rig.log);
}

/* request with ' for ", without rqi; its number is that of the job. */
static int submit(const char *request)
{
	struct store_job *job = &rig.jobs[rig.submitted];
	struct buf text = { 0 };
	struct prim p = { 0 };
	const char *why = "";
	int err;

	buf_add_lit(&text, "{'rvi':'3','rqi':'q");
	buf_add_u64(&text, rig.submitted + 1);
	buf_add_lit(&text, "',");
	buf_add_str(&text, str_of(request));
	buf_add_char(&text, '}');
	for (size_t i = 0; i < text.len; i++)
		text.p[i] = text.p[i] == '\'' ? '"' : text.p[i];
	ck_assert_msg(codec_json.decode(&p, &why, &rig.conf.store.codec,
					buf_str(&text)) == 0, "%s: %s",
		      request, why);
	ck_assert_int_eq(prim_copy(&job->request, &p), 0);
	err = store_mailbox_submit(&rig.mailbox, job, store_is_read(&p));
	rig.submitted += err == 0;
	prim_deinit(&p);
	buf_deinit(&text);
	return err;
}

static void must_submit(const char *request)
{
	ck_assert_int_eq(submit(request), 0);
}

static void run_until(unsigned lines)
{
	while (rig.lines < lines)
		uv_run(&rig.loop, UV_RUN_ONCE);
}

static void check(const char *want)
{
	buf_add_char(&rig.log, '\0');
	ck_assert_msg(strcmp(rig.log.p, want) == 0, "got:\n%swant:\n%s",
		      rig.log.p, want);
	rig.log.len--;
}

#define BOX  "'op':1,'to':'cse-in','fr':'CAdmin','ty':3," \
	     "'pc':{'m2m:cnt':{'rn':'box'}}"
#define CIN  "'op':1,'to':'cse-in/box','fr':'CAdmin','ty':4," \
	     "'pc':{'m2m:cin':{'con':'1'}}"
#define SUB  "'op':1,'to':'cse-in/box','fr':'CAdmin','ty':23," \
	     "'pc':{'m2m:sub':{'nu':['http://h/'],'enc':{'net':[3]}}}"
#define CSR  "'op':1,'to':'cse-in','fr':'/mn','ty':16," \
	     "'pc':{'m2m:csr':{'rn':'mn','csi':'/mn','cb':'/mn/cb'," \
	     "'rr':true,'srv':['3'],'poa':['http://h/']}}"
#define READ "'op':2,'to':'cse-in/box','fr':'CAdmin'"
#define BASE "'op':2,'to':'cse-in','fr':'CAdmin'"
#define FAR  "'op':2,'to':'/mn/cb/x','fr':'CAdmin'"

/* ---- answers ---- */

START_TEST(test_answers)
{
	must_submit(BOX);
	must_submit(READ);
	must_submit(CIN);
	run_until(3);
	check("q1 2001\nq2 2000\nq3 2001\n");
	ck_assert(str_starts(rig.jobs[1].answer.content, STR("{\"m2m:cnt\":")));
}
END_TEST

/* More than one transaction takes, in their order; jobs are used again. */
START_TEST(test_many)
{
	for (unsigned round = 0; round < 2; round++) {
		rig.submitted = 0;
		rig.lines = 0;
		buf_clear(&rig.log);
		for (unsigned i = 0; i < JOBS; i++)
			must_submit(i > 0 ? CIN : BOX);
		run_until(JOBS);
		ck_assert(str_starts(buf_str(&rig.log),
				     round == 0 ? STR("q1 2001\nq2 2001\n") :
						  STR("q1 4105\nq2 2001\n")));
	}
}
END_TEST

/* Who asks once does not wait for all that another has asked before; what one
 * asks is answered in order. */
START_TEST(test_senders)
{
	const struct str alone = STR("q600 2000\n");
	struct str rest;
	char line[32];

	for (unsigned i = 0; i < JOBS; i++) {
		rig.jobs[i].sender = i < JOBS - 1 ? 1 : 2;
		must_submit(i == 0 ? BOX : i < JOBS - 1 ? CIN : BASE);
	}
	run_until(JOBS);
	rest = buf_str(&rig.log);
	for (unsigned i = 1; i < JOBS; i++) {
		if (str_starts(rest, alone))
			rest = str_skip(rest, alone.len);
		snprintf(line, sizeof(line), "q%u 2001\n", i);
		ck_assert_msg(str_starts(rest, str_of(line)), "no %s", line);
		rest = str_skip(rest, strlen(line));
	}
	ck_assert_uint_eq(rest.len, 0);
}
END_TEST

/* Readers see what was answered before. */
START_TEST(test_readers)
{
	char path[] = "/tmp/test_store_service-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(path));
	ck_assert_int_eq(chdir(path), 0);
	open_rig("cse.db");
	must_submit(BOX);
	run_until(1);
	for (unsigned i = 0; i < 50; i++)
		must_submit(READ);
	run_until(51);
	for (unsigned i = 1; i <= 50; i++)
		ck_assert_int_eq(rig.jobs[i].answer.rsc, RSC_OK);
	teardown();
	ck_assert_int_eq(unlink("cse.db"), 0);
	(void)unlink("cse.db-wal");
	(void)unlink("cse.db-shm");
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(test_too_much)
{
	/* one costs more, whatever it says */
	rig.conf.max_waiting = 1000;
	ck_assert_int_eq(submit(BOX), ERR_LIMIT);
	rig.conf.max_waiting = 10000;
	must_submit(BOX);
	run_until(1);
	check("q1 2001\n");
}
END_TEST

START_TEST(test_close_mailbox)
{
	for (unsigned i = 0; i < JOBS; i++)
		must_submit(i > 0 ? CIN : BOX);
	close_mailbox();
	/* the jobs are ours: nobody looks at them any more */
	for (size_t i = 0; i < JOBS; i++)
		store_job_deinit(&rig.jobs[i]);
	uv_run(&rig.loop, UV_RUN_NOWAIT);
	check("");
}
END_TEST

/* ---- what leaves ---- */

static void subscribe(void)
{
	must_submit(BOX);
	must_submit(SUB);
	run_until(2);
	ck_assert_ptr_nonnull(rig.errand);
	rig.errand->pass.agreed = true;
	store_errand_again(rig.errand);
	rig.errand = NULL;
	run_until(3);
	check("q1 2001\nq2 asked\nq2 2001\n");
	buf_clear(&rig.log);
	rig.lines = 0;
}

START_TEST(test_events)
{
	subscribe();
	must_submit(CIN);
	must_submit(READ);
	must_submit(CIN);
	run_until(5);
	ck_assert(store_outlet_is_empty(&rig.outlet));
	/* after the answer or before: both have been committed */
	ck_assert_uint_eq(rig.outlet.dropped, 0);
	ck_assert_uint_eq(rig.outlet.octets, 0);
}
END_TEST

START_TEST(test_events_bound)
{
	subscribe();
	rig.conf.max_leaving = 10;
	must_submit(CIN);
	run_until(1);
	check("q3 2001\n");
	ck_assert_uint_eq(rig.outlet.dropped, 1);
}
END_TEST

static void forward(void)
{
	must_submit(CSR);
	must_submit(FAR);
	run_until(2);
	check("q1 2001\nq2 forward\n");
	ck_assert(store_errand_is_wanted(rig.errand));
	ck_assert_uint_eq(rig.errand->events.count, 1);
}

static void answer_errand(void)
{
	prim_refuse(&rig.errand->answer,
		    prim_text(&rig.errand->request, PARAM_RQI), STR("3"),
		    RSC_OK, "found");
	store_errand_answer(rig.errand);
	rig.errand = NULL;
}

START_TEST(test_forward)
{
	forward();
	answer_errand();
	run_until(3);
	check("q1 2001\nq2 forward\nq2 2000\n");
	ck_assert(str_eq(rig.jobs[1].answer.content,
			 STR("{\"m2m:dbg\":\"found\"}")));
}
END_TEST

/* Whom nobody waits for hears of it; on_done() follows as ever. */
START_TEST(test_forgotten)
{
	forward();
	store_job_forget(&rig.jobs[1]);
	ck_assert(!store_errand_is_wanted(rig.errand));
	answer_errand();
	run_until(3);
	rig.submitted = 1;
	must_submit(FAR);
	run_until(4);
	ck_assert(store_errand_is_wanted(rig.errand));
}
END_TEST

/* What its owner has forgotten comes back to it all the same. */
START_TEST(test_forgotten_and_dropped)
{
	forward();
	store_job_forget(&rig.jobs[1]);
	store_errand_drop(rig.errand);
	rig.errand = NULL;
	run_until(3);
	check("q1 2001\nq2 forward\nq2 4008\n");
}
END_TEST

/* The job's owner goes, its errand ends without it. */
START_TEST(test_close_away)
{
	void (*const ends[])(struct store_errand *e) = {
		store_errand_answer,
		store_errand_again,
		store_errand_drop,
	};

	forward();
	close_mailbox();
	for (size_t i = 0; i < JOBS; i++)
		store_job_deinit(&rig.jobs[i]);
	ck_assert(!store_errand_is_wanted(rig.errand));
	ends[_i](rig.errand);
	rig.errand = NULL;
	uv_run(&rig.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(rig.lines, 2);
}
END_TEST

/* The outlet goes: nobody answers, and nothing is lost of the job. */
START_TEST(test_close_outlet)
{
	must_submit(CSR);
	run_until(1);
	must_submit(FAR);
	while (store_outlet_is_empty(&rig.outlet))
		;
	close_outlet();
	uv_run(&rig.loop, UV_RUN_NOWAIT);
	check("q1 2001\n");
	ck_assert(str_eq(prim_text(&rig.jobs[1].request, PARAM_TO),
			 STR("/mn/cb/x")));
	must_submit(FAR);
	run_until(2);
	check("q1 2001\nq3 5103\n");
}
END_TEST

START_TEST(test_no_outlet)
{
	open_rig(":memory:");
	must_submit(BOX);
	must_submit(SUB);
	must_submit(CSR);
	must_submit(FAR);
	run_until(4);
	check("q1 2001\nq2 5103\nq3 2001\nq4 5103\n");
	teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_service");
	TCase *tc = tcase_create("store_service");
	TCase *other = tcase_create("others");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_answers);
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_senders);
	tcase_add_test(tc, test_too_much);
	tcase_add_test(tc, test_close_mailbox);
	tcase_add_test(tc, test_events);
	tcase_add_test(tc, test_events_bound);
	tcase_add_test(tc, test_forward);
	tcase_add_test(tc, test_forgotten);
	tcase_add_test(tc, test_forgotten_and_dropped);
	tcase_add_loop_test(tc, test_close_away, 0, 3);
	tcase_add_test(tc, test_close_outlet);
	tcase_add_test(other, test_readers);
	tcase_add_test(other, test_no_outlet);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, other);
	return unit_run(suite);
}
