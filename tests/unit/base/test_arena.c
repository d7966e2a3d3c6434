#include "unit.h"

#include <string.h>

#include "base/arena.h"
#include "base/poison.h"

static void memory_is_zeroed_aligned_and_apart(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	unsigned char *last = NULL;

	(void)state;
	assert_non_null(a);
	for (size_t n = 0; n < 3000; n++) {
		unsigned char *p = arena_alloc(a, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
		if (last != NULL && n > 1)
			assert_int_equal(last[0], 0xff);
		last = n != 0 ? p : NULL;
	}
}

static void reset_gives_zeroed_memory_again(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < 200; i++) {
			unsigned char *p = arena_alloc(a, 100);

			for (unsigned int j = 0; j < 100; j++)
				assert_int_equal(p[j], 0);
			memset(p, 0xee, 100);
		}
		assert_true(arena_used(a) >= 200 * 100);
		arena_reset(a);
		assert_int_equal(arena_used(a), 0);
	}
}

static void one_block_is_kept_by_reset(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	uint64_t objects;

	(void)state;
	assert_non_null(arena_alloc(a, 100));
	objects = mem_usage().objects;
	for (unsigned int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(a, 1000));
	arena_reset(a);
	assert_int_equal(mem_usage().objects, objects);
	assert_non_null(arena_alloc(a, 1000000));
	arena_reset(a); /* a huge block is given back */
	assert_int_equal(mem_usage().objects, objects - 1);
}

static void the_limit_holds_and_is_told_from_lack_of_memory(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(1024);

	(void)state;
	assert_non_null(arena_alloc(a, 1000));
	assert_false(arena_exhausted(a));
	assert_null(arena_alloc(a, 100));
	assert_true(arena_exhausted(a));
	assert_non_null(arena_alloc(a, 1)); /* what fits still fits */
	arena_reset(a);
	assert_false(arena_exhausted(a));
	assert_non_null(arena_alloc(a, 1024));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 8));
	arena_reset(a);
	assert_null(arena_alloc_array(a, SIZE_MAX / 2, 3));
	assert_false(arena_exhausted(a));
}

static void copies_and_text(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);

	(void)state;
	assert_string_equal(arena_strdup(a, "hello"), "hello");
	assert_memory_equal(arena_dup(a, "a\0b", 3), "a\0b", 3);
	assert_non_null(arena_dup(a, "", 0));
	assert_string_equal(arena_printf(a, "%s=%d", "x", 7), "x=7");
	assert_int_equal(strlen(arena_printf(a, "%5000d", 1)), 5000);
}

static bool some_allocations(void)
{
	AUTO(arena_free) struct arena *a = arena_new(0);

	if (a == NULL)
		return false;
	for (unsigned int i = 0; i < 20; i++) {
		if (arena_alloc(a, 1000) == NULL) {
			assert_false(arena_exhausted(a));
			return false;
		}
	}
	return arena_printf(a, "%d", 1) != NULL && arena_strdup(a, "x") != NULL;
}

static void memory_may_run_out(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(some_allocations) >= 3);
}

#ifdef BASE_HAVE_ASAN
static void what_is_not_handed_out_is_poisoned(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	unsigned char *p = arena_alloc(a, 13);

	(void)state;
	assert_false(__asan_address_is_poisoned(p + 12));
	assert_true(__asan_address_is_poisoned(p + 13));
	assert_true(__asan_address_is_poisoned(p + 16));
	arena_reset(a);
	assert_true(__asan_address_is_poisoned(p));
}
#else
static void what_is_not_handed_out_is_poisoned(void **state)
{
	(void)state;
	skip();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(reset_gives_zeroed_memory_again),
		cmocka_unit_test(one_block_is_kept_by_reset),
		cmocka_unit_test(the_limit_holds_and_is_told_from_lack_of_memory),
		cmocka_unit_test(copies_and_text),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(what_is_not_handed_out_is_poisoned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
