/* The announced routes as they are and will be: changes of many turns are made known together, in time. */
#include "tests/unit/resolver/routes_world.h"

#include "resolver/routes/live.h"

static void announce(struct route_live *l, const char *prefix, uint32_t origin)
{
	struct announced_edit *e = route_live_edit(l);
	struct announced_route r = { .origin = origin, .source = 1, .path = origin };
	struct prefix p;

	assert_non_null(e);
	assert_true(OK(prefix_parse(prefix, &p)));
	assert_true(OK(announced_set(e, &p, &r)));
}

static void changes_are_gathered_and_told_in_time(void **state)
{
	struct routes_world w;
	AUTO(route_live_free) struct route_live *l = NULL;
	AUTO(announced_unref) struct announced *held = NULL;

	(void)state;
	world_open(&w);
	l = route_live_new(w.loop, world_changed, &w);
	assert_non_null(l);
	held = announced_ref(route_live_now(l));
	world_pass(&w, 1000);
	assert_int_equal(w.changed, 0);
	announce(l, "10.0.0.0/8", 1);
	assert_int_equal(announced_count(route_live_now(l)), 0);
	world_turn(&w); /* the first after a quiet time waits for nobody */
	assert_int_equal(w.changed, 1);
	assert_int_equal(announced_count(route_live_now(l)), 1);
	for (uint32_t i = 0; i < 10; i++) {
		announce(l, "11.0.0.0/8", i);
		world_pass(&w, ROUTE_LIVE_MS / 20);
	}
	assert_int_equal(w.changed, 1);
	world_pass(&w, ROUTE_LIVE_MS / 2);
	assert_int_equal(w.changed, 2);
	assert_int_equal(announced_count(route_live_now(l)), 11);
	assert_int_equal(announced_count(held), 0); /* who holds a state keeps it */
	world_pass(&w, 10000);
	assert_int_equal(w.changed, 2);
	route_live_free(MOVE(l));
	world_close(&w);
}

static void what_is_settled_is_not_told(void **state)
{
	struct routes_world w;
	AUTO(route_live_free) struct route_live *l = NULL;
	AUTO(announced_edit_free) struct announced_edit *e = NULL;
	struct announced *a = NULL;
	struct prefix p;

	(void)state;
	world_open(&w);
	l = route_live_new(w.loop, world_changed, &w);
	assert_non_null(l);
	announce(l, "10.0.0.0/8", 1);
	assert_true(OK(route_live_settle(l)));
	assert_int_equal(announced_count(route_live_now(l)), 1);
	e = announced_edit_new(route_live_now(l));
	assert_non_null(e);
	assert_true(OK(prefix_parse("10.0.0.0/8", &p)));
	assert_true(OK(announced_remove(e, &p, 1, 1)));
	assert_true(OK(announced_edit_publish(MOVE(e), 0, &a)));
	route_live_replace(l, a);
	assert_int_equal(announced_count(route_live_now(l)), 0);
	world_pass(&w, 1000);
	assert_int_equal(w.changed, 0);
	announce(l, "12.0.0.0/8", 1); /* goes on from what was put there */
	world_pass(&w, ROUTE_LIVE_MS);
	assert_int_equal(w.changed, 1);
	assert_int_equal(announced_count(route_live_now(l)), 1);
	assert_int_not_equal(route_live_source(l), route_live_source(l));
	route_live_free(MOVE(l));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_gathered_and_told_in_time),
		cmocka_unit_test(what_is_settled_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
