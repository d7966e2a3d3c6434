#include "unit.h"

#include "base/rng.h"
#include "base/timerq.h"

static const struct timer_call none = { NULL, 0, NULL };

static struct timer_call call_for(uint64_t who)
{
	return (struct timer_call){ NULL, who, NULL };
}

static void timers_come_in_order_of_time_and_asking(void **state)
{
	AUTO(timerq_free) struct timerq *q = timerq_new();
	struct timer_call c;
	timer_h t;

	(void)state;
	assert_true(timerq_next(q) == UINT64_MAX);
	for (uint64_t i = 0; i < 1000; i++) {
		c = call_for(i);
		assert_ok(timerq_add(q, 5000 - i % 10 * 100, &c, &t));
	}
	assert_int_equal(timerq_next(q), 4100);
	assert_false(timerq_pop(q, 4099, UINT64_MAX, &c));
	for (uint64_t slot = 0; slot < 10; slot++) {
		for (uint64_t i = 0; i < 100; i++) {
			assert_true(timerq_pop(q, 5000, UINT64_MAX, &c));
			assert_int_equal(c.who, i * 10 + (9 - slot));
		}
	}
	assert_false(timerq_pop(q, UINT64_MAX, UINT64_MAX, &c));
}

static void the_mark_keeps_new_timers_for_later(void **state)
{
	AUTO(timerq_free) struct timerq *q = timerq_new();
	uint64_t mark;
	struct timer_call c;
	timer_h t;

	(void)state;
	assert_ok(timerq_add(q, 10, &none, &t));
	mark = timerq_mark(q);
	assert_ok(timerq_add(q, 10, &none, &t));
	assert_true(timerq_pop(q, 10, mark, &c));
	assert_false(timerq_pop(q, 10, mark, &c));
	assert_true(timerq_pop(q, 10, timerq_mark(q), &c));
}

static void a_stopped_or_fired_timer_cannot_be_stopped(void **state)
{
	AUTO(timerq_free) struct timerq *q = timerq_new();
	struct timer_call c;
	timer_h a, b;

	(void)state;
	assert_ok(timerq_add(q, 1, &none, &a));
	assert_true(timerq_stop(q, a));
	assert_false(timerq_stop(q, a));
	assert_ok(timerq_add(q, 1, &none, &b)); /* in the same place */
	assert_true((uint32_t)a.v == (uint32_t)b.v);
	assert_false(timerq_stop(q, a));
	assert_true(timerq_pop(q, 1, UINT64_MAX, &c));
	assert_false(timerq_stop(q, b));
	assert_false(timerq_stop(q, (timer_h){ 0 }));
	assert_false(timerq_stop(q, (timer_h){ UINT64_MAX }));
}

/* Against an array that is searched each time. */
static void random_work_agrees_with_a_list(void **state)
{
	enum { MAX = 500 };
	static struct {
		uint64_t due, who;
		timer_h t;
	} list[MAX];
	AUTO(timerq_free) struct timerq *q = timerq_new();
	AUTO(rng_free) struct rng *r = rng_new_seeded(11);
	size_t n = 0;
	uint64_t who = 0;

	(void)state;
	for (unsigned int step = 0; step < 100000; step++) {
		size_t best = 0;
		uint32_t what = rng_below(r, 100);
		struct timer_call c;

		if (what < 45 && n < MAX) {
			c = call_for(who);
			list[n].due = rng_below(r, 300);
			list[n].who = who++;
			assert_ok(timerq_add(q, list[n].due, &c, &list[n].t));
			n++;
		} else if (what < 75 && n > 0) {
			size_t i = rng_below(r, (uint32_t)n);

			assert_true(timerq_stop(q, list[i].t));
			list[i] = list[--n];
		} else if (n > 0) {
			for (size_t i = 1; i < n; i++)
				if (list[i].due < list[best].due || (list[i].due == list[best].due && list[i].who < list[best].who))
					best = i;
			assert_int_equal(timerq_next(q), list[best].due);
			assert_true(timerq_pop(q, list[best].due, UINT64_MAX, &c));
			assert_int_equal(c.who, list[best].who);
			list[best] = list[--n];
		}
		assert_int_equal(timerq_count(q), n);
	}
}

static bool add_many(void)
{
	AUTO(timerq_free) struct timerq *q = timerq_new();
	timer_h t;

	if (q == NULL)
		return false;
	for (uint64_t i = 0; i < 300; i++)
		if (!OK(timerq_add(q, i, &none, &t)))
			return false;
	return true;
}

static void memory_may_run_out(void **state)
{
	(void)state;
	assert_int_equal(for_each_failing_allocation(add_many), 1 + 2 * 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_come_in_order_of_time_and_asking),
		cmocka_unit_test(the_mark_keeps_new_timers_for_later),
		cmocka_unit_test(a_stopped_or_fired_timer_cannot_be_stopped),
		cmocka_unit_test(random_work_agrees_with_a_list),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
