#include "cache_unit.h"

#include "resolver/cache/flushes.h"

static bool covers(const struct flushes *f, struct turn *t, const char *name, uint64_t count)
{
	struct name n = nm(t, name);

	return flushes_cover(f, n.wire, n.len, n.labels, count);
}

#define BEGIN \
	struct turn t = turn_begin(); \
	struct flushes f; \
	(void)state; \
	flushes_init(&f, &test_key)
#define END \
	flushes_done(&f); \
	turn_end(&t)

static void a_flush_covers_what_is_older_and_at_or_below_it(void **state)
{
	BEGIN;
	assert_false(covers(&f, &t, "a.example.", 0));
	assert_true(flushes_add(&f, t.m, nm(&t, "Example."), 100, 10));
	assert_int_equal(flushes_count(&f), 1);
	assert_true(covers(&f, &t, "a.example.", 0));
	assert_true(covers(&f, &t, "example.", 0));
	assert_false(covers(&f, &t, "xexample.", 0));
	assert_false(covers(&f, &t, ".", 0));
	assert_false(covers(&f, &t, "a.example.", 1));
	END;
}

static void the_root_covers_everything(void **state)
{
	BEGIN;
	assert_true(flushes_add(&f, t.m, name_root, 100, 10));
	assert_true(covers(&f, &t, ".", 0));
	assert_true(covers(&f, &t, "a.b.", 0));
	END;
}

static void the_same_zone_is_remembered_once_with_its_last_flush(void **state)
{
	BEGIN;
	for (int i = 0; i < 5; i++)
		assert_true(flushes_add(&f, t.m, nm(&t, "example."), 100, 10));
	assert_int_equal(flushes_remembered(&f), 1);
	assert_true(covers(&f, &t, "example.", 4));
	assert_false(covers(&f, &t, "example.", 5));
	END;
}

static void the_oldest_goes_when_there_are_too_many(void **state)
{
	char zone[16];
	BEGIN;

	for (int i = 0; i < 20; i++) {
		snprintf(zone, sizeof(zone), "z%d.", i);
		assert_true(flushes_add(&f, t.m, nm(&t, zone), 100, 8));
	}
	assert_int_equal(flushes_remembered(&f), 8);
	for (int i = 0; i < 20; i++) {
		snprintf(zone, sizeof(zone), "a.z%d.", i);
		assert_int_equal(covers(&f, &t, zone, 0), i >= 12);
	}
	END;
}

static void they_are_forgotten_when_all_that_is_older_has_expired(void **state)
{
	BEGIN;
	assert_true(flushes_add(&f, t.m, nm(&t, "a."), 100, 8));
	assert_true(flushes_add(&f, t.m, nm(&t, "b."), 50, 8));
	flushes_age(&f, t.m, 100);
	assert_int_equal(flushes_remembered(&f), 2);
	flushes_age(&f, t.m, 101);
	assert_int_equal(flushes_remembered(&f), 0);
	assert_int_equal(flushes_count(&f), 2);
	END;
}

static void without_memory_it_says_so(void **state)
{
	BEGIN;
	struct name z = nm(&t, "a.");

	assert_true(flushes_add(&f, t.m, nm(&t, "b."), 50, 8));
	mem_fail_at(1, false);
	assert_false(flushes_add(&f, t.m, z, 100, 8));
	mem_fail_at(0, false);
	assert_int_equal(flushes_count(&f), 1);
	assert_true(covers(&f, &t, "b.", 0));
	assert_false(covers(&f, &t, "a.", 0));
	END;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flush_covers_what_is_older_and_at_or_below_it),
		cmocka_unit_test(the_root_covers_everything),
		cmocka_unit_test(the_same_zone_is_remembered_once_with_its_last_flush),
		cmocka_unit_test(the_oldest_goes_when_there_are_too_many),
		cmocka_unit_test(they_are_forgotten_when_all_that_is_older_has_expired),
		cmocka_unit_test(without_memory_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
