#include "unit.h"

#include "base/epoch.h"

struct object {
	struct retired r;
	unsigned int *destroyed BORROWED_FIELD;
	struct epoch_member *m BORROWED_FIELD; /* not NULL: retires `next` when destroyed */
	struct object *next BORROWED_FIELD;
};

static void destroy(struct retired *r)
{
	struct object *o = (struct object *)(void *)r;

	(*o->destroyed)++;
	if (o->next != NULL)
		epoch_retire(o->m, &o->next->r, 1, destroy);
}

static void alone_it_is_freed_at_the_end_of_the_turn(void **state)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	AUTO(epoch_leave) struct epoch_member *m = epoch_join(e);
	unsigned int n = 0;
	struct object o = { .destroyed = &n };

	(void)state;
	epoch_online(m);
	epoch_retire(m, &o.r, 100, destroy);
	assert_int_equal(n, 0);
	assert_true(epoch_pending(m));
	assert_int_equal(epoch_retired_octets(e), 100);
	epoch_quiesce(m);
	assert_int_equal(n, 1);
	assert_false(epoch_pending(m));
	assert_int_equal(epoch_retired_octets(e), 0);
}

static void every_online_member_must_have_passed(void **state)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	struct epoch_member *a = epoch_join(e), *b = epoch_join(e), *c = epoch_join(e);
	unsigned int n = 0;
	struct object o = { .destroyed = &n };

	(void)state;
	epoch_online(a);
	epoch_online(b); /* c stays offline and holds nothing up */
	epoch_retire(a, &o.r, 1, destroy);
	epoch_quiesce(a);
	epoch_quiesce(a);
	assert_int_equal(n, 0);
	epoch_quiesce(b);
	assert_int_equal(n, 0); /* freed by its own member */
	epoch_quiesce(a);
	assert_int_equal(n, 1);
	epoch_leave(a);
	epoch_leave(b);
	epoch_leave(c);
}

static void going_offline_lets_go(void **state)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	struct epoch_member *a = epoch_join(e), *b = epoch_join(e);
	unsigned int n = 0;
	struct object o = { .destroyed = &n };

	(void)state;
	epoch_online(a);
	epoch_online(b);
	epoch_retire(a, &o.r, 1, destroy);
	epoch_offline(b);
	epoch_quiesce(a);
	assert_int_equal(n, 1);
	epoch_leave(a);
	epoch_leave(b);
}

static void who_comes_online_later_does_not_hold_up(void **state)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	struct epoch_member *a = epoch_join(e), *b = epoch_join(e);
	unsigned int n = 0;
	struct object o = { .destroyed = &n };

	(void)state;
	epoch_online(a);
	epoch_retire(a, &o.r, 1, destroy);
	epoch_online(b);
	epoch_online(b); /* twice is fine, and does not count as an end of turn */
	epoch_quiesce(a);
	assert_int_equal(n, 1);
	epoch_leave(a);
	epoch_leave(b);
}

static void online_twice_is_no_end_of_turn(void **state)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	struct epoch_member *a = epoch_join(e), *b = epoch_join(e);
	unsigned int n = 0;
	struct object o = { .destroyed = &n };

	(void)state;
	epoch_online(b);
	epoch_online(a);
	epoch_retire(a, &o.r, 1, destroy);
	epoch_online(b);
	epoch_quiesce(a);
	assert_int_equal(n, 0);
	epoch_leave(b);
	epoch_leave(a);
	assert_int_equal(n, 1);
}

static void what_a_member_left_behind_is_adopted(void **state)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	struct epoch_member *a = epoch_join(e), *b = epoch_join(e), *c;
	unsigned int n = 0;
	struct object o = { .destroyed = &n }, p = { .destroyed = &n };

	(void)state;
	epoch_online(a);
	epoch_online(b);
	epoch_retire(a, &o.r, 10, destroy);
	epoch_retire(b, &p.r, 10, destroy);
	epoch_leave(a);
	assert_int_equal(n, 0);
	assert_int_equal(epoch_retired_octets(e), 20);
	c = epoch_join(e);
	assert_ptr_equal(c, a); /* used again */
	epoch_quiesce(b);
	assert_int_equal(n, 2);
	assert_int_equal(epoch_retired_octets(e), 0);
	epoch_leave(b);
	epoch_leave(c);
}

static void the_last_to_leave_and_the_epoch_free_the_rest(void **state)
{
	struct epoch *e = epoch_new();
	struct epoch_member *a = epoch_join(e), *b = epoch_join(e);
	unsigned int n = 0;
	struct object o = { .destroyed = &n }, p = { .destroyed = &n };

	(void)state;
	epoch_online(a);
	epoch_online(b);
	epoch_retire(a, &o.r, 1, destroy);
	epoch_leave(a);
	assert_int_equal(n, 0);
	epoch_retire(b, &p.r, 1, destroy);
	epoch_leave(b);
	assert_int_equal(n, 1); /* p: nobody was left to look at it */
	epoch_free(e);
	assert_int_equal(n, 2);
}

static void destroying_may_retire_more(void **state)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	struct epoch_member *a = epoch_join(e);
	unsigned int n = 0;
	struct object inner = { .destroyed = &n }, outer = { .destroyed = &n, .m = a, .next = &inner };

	(void)state;
	epoch_online(a);
	epoch_retire(a, &outer.r, 1, destroy);
	epoch_quiesce(a);
	assert_in_range(n, 1, 2);
	epoch_offline(a);
	assert_int_equal(n, 2);
	assert_int_equal(epoch_retired_octets(e), 0);
	epoch_leave(a);
}

static void a_long_list_keeps_its_order(void **state)
{
	enum { MANY = 1000 };
	static struct object o[MANY];
	AUTO(epoch_free) struct epoch *e = epoch_new();
	struct epoch_member *a = epoch_join(e), *b = epoch_join(e);
	unsigned int n = 0;

	(void)state;
	epoch_online(a);
	for (unsigned int i = 0; i < MANY; i++) {
		o[i] = (struct object){ .destroyed = &n };
		if (i == MANY / 2)
			epoch_online(b); /* holds up the second half only */
		epoch_retire(a, &o[i].r, 1, destroy);
	}
	epoch_quiesce(a);
	assert_int_equal(n, MANY / 2);
	epoch_quiesce(a);
	assert_int_equal(n, MANY / 2);
	epoch_quiesce(b);
	epoch_quiesce(a);
	assert_int_equal(n, MANY);
	epoch_leave(a);
	epoch_leave(b);
}

static bool make(void)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	AUTO(epoch_leave) struct epoch_member *m = e != NULL ? epoch_join(e) : NULL;
	AUTO(epoch_leave) struct epoch_member *n = m != NULL ? epoch_join(e) : NULL;

	return n != NULL;
}

static void memory_may_run_out(void **state)
{
	(void)state;
	epoch_leave(NULL);
	assert_int_equal(for_each_failing_allocation(make), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone_it_is_freed_at_the_end_of_the_turn),
		cmocka_unit_test(every_online_member_must_have_passed),
		cmocka_unit_test(going_offline_lets_go),
		cmocka_unit_test(who_comes_online_later_does_not_hold_up),
		cmocka_unit_test(online_twice_is_no_end_of_turn),
		cmocka_unit_test(what_a_member_left_behind_is_adopted),
		cmocka_unit_test(the_last_to_leave_and_the_epoch_free_the_rest),
		cmocka_unit_test(destroying_may_retire_more),
		cmocka_unit_test(a_long_list_keeps_its_order),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
