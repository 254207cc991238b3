#include "unit.h"

#include "base/base.h"
#include "net/wheel.h"

struct probe {
	struct timeout t;
	struct wheel *w;
	struct probe *disarms;		/* when it fires */
	uint64_t rearm_ms;
	uint64_t now;
	int fired;
};

static struct wheel wheel;

static void on_timeout(struct timeout *t)
{
	struct probe *p = container_of(t, struct probe, t);

	p->fired++;
	if (p->disarms != NULL)
		wheel_disarm(p->w, &p->disarms->t);
	if (p->rearm_ms > 0)
		wheel_arm(p->w, &p->t, p->now, p->rearm_ms);
}

static void probe_init(struct probe *p)
{
	*p = (struct probe){ .t.on_timeout = on_timeout, .w = &wheel };
}

static const struct {
	const char *name;
	uint64_t armed_at, delay;
	uint64_t not_before, by;
} delays[] = {
	{ "zero: the next tick", 1000, 0, 1001, 1050 },
	{ "within a tick", 1000, 1, 1001, 1050 },
	{ "a whole tick", 1000, 50, 1050, 1100 },
	{ "armed between ticks", 1049, 50, 1099, 1150 },
	{ "a round", 1000, 51200, 52200, 52250 },
	{ "several rounds", 1000, 1000000, 1001000, 1001050 },
};

START_TEST(test_never_early)
{
	struct probe p;
	uint64_t now = delays[_i].armed_at;

	wheel_init(&wheel, 1000);
	probe_init(&p);
	wheel_arm(&wheel, &p.t, now, delays[_i].delay);
	for (; now < delays[_i].not_before; now++)
		wheel_advance(&wheel, now);
	ck_assert_msg(p.fired == 0, "%s: early", delays[_i].name);
	for (; now <= delays[_i].by; now++)
		wheel_advance(&wheel, now);
	ck_assert_msg(p.fired == 1, "%s: fired %d", delays[_i].name, p.fired);
	ck_assert_uint_eq(wheel.armed, 0);
}
END_TEST

START_TEST(test_disarm)
{
	struct probe p;

	wheel_init(&wheel, 0);
	probe_init(&p);
	wheel_arm(&wheel, &p.t, 0, 100);
	wheel_disarm(&wheel, &p.t);
	wheel_disarm(&wheel, &p.t);
	wheel_advance(&wheel, 1000);
	ck_assert_int_eq(p.fired, 0);
	ck_assert_uint_eq(wheel.armed, 0);
}
END_TEST

START_TEST(test_rearm_moves)
{
	struct probe p;

	wheel_init(&wheel, 0);
	probe_init(&p);
	wheel_arm(&wheel, &p.t, 0, 100);
	wheel_arm(&wheel, &p.t, 0, 500);
	wheel_advance(&wheel, 400);
	ck_assert_int_eq(p.fired, 0);
	wheel_advance(&wheel, 600);
	ck_assert_int_eq(p.fired, 1);
}
END_TEST

/* whichever of the two fires first takes the other away */
START_TEST(test_callback_disarms_its_neighbour)
{
	struct probe a, b;

	wheel_init(&wheel, 0);
	probe_init(&a);
	probe_init(&b);
	a.disarms = &b;
	b.disarms = &a;
	wheel_arm(&wheel, &a.t, 0, 100);
	wheel_arm(&wheel, &b.t, 0, 100);
	wheel_advance(&wheel, 200);
	ck_assert_int_eq(a.fired + b.fired, 1);
	ck_assert_uint_eq(wheel.armed, 0);
}
END_TEST

START_TEST(test_callback_rearms_itself)
{
	struct probe p;

	wheel_init(&wheel, 0);
	probe_init(&p);
	p.rearm_ms = 100;
	wheel_arm(&wheel, &p.t, 0, 100);
	for (p.now = 0; p.now <= 1000; p.now += 10)
		wheel_advance(&wheel, p.now);
	ck_assert_int_ge(p.fired, 6);
	ck_assert_int_le(p.fired, 10);
	wheel_disarm(&wheel, &p.t);
}
END_TEST

START_TEST(test_long_sleep)
{
	struct probe near, far;

	wheel_init(&wheel, 0);
	probe_init(&near);
	probe_init(&far);
	wheel_arm(&wheel, &near.t, 0, 100);
	wheel_arm(&wheel, &far.t, 0, 10 * 3600 * 1000);
	wheel_advance(&wheel, 9 * 3600 * 1000);		/* suspended */
	ck_assert_int_eq(near.fired, 1);
	ck_assert_int_eq(far.fired, 0);
	wheel_advance(&wheel, 11 * 3600 * 1000);
	ck_assert_int_eq(far.fired, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wheel");
	TCase *tc = tcase_create("wheel");

	tcase_add_loop_test(tc, test_never_early, 0, ARRAY_LEN(delays));
	tcase_add_test(tc, test_disarm);
	tcase_add_test(tc, test_rearm_moves);
	tcase_add_test(tc, test_callback_disarms_its_neighbour);
	tcase_add_test(tc, test_callback_rearms_itself);
	tcase_add_test(tc, test_long_sleep);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
