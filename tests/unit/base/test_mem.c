#include "unit.h"

#include <pthread.h>
#include <string.h>

static void memory_is_zeroed_and_counted(void **state)
{
	struct mem_usage before = mem_usage(), during;
	unsigned char *p = mem_alloc(1000);

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(p[i], 0);
	during = mem_usage();
	assert_int_equal(during.objects, before.objects + 1);
	assert_true(during.octets >= before.octets + 1000);
	mem_free(p);
	assert_int_equal(mem_usage().objects, before.objects);
	assert_int_equal(mem_usage().octets, before.octets);
	mem_free(NULL);
	assert_int_equal(mem_usage().objects, before.objects);
}

static void size_zero_is_an_object(void **state)
{
	void *p = mem_alloc(0), *q = mem_alloc_raw(0), *r = mem_alloc_array(0, 8), *s = mem_alloc_aligned(8, 0);

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	assert_non_null(r);
	assert_non_null(s);
	mem_free(p);
	mem_free(q);
	mem_free(r);
	mem_free(s);
}

static void array_overflow_is_refused(void **state)
{
	(void)state;
	AUTO(mem_free) void *p = mem_alloc_array(SIZE_MAX / 2, 3);

	assert_null(p);
}

static void aligned_memory_is_aligned(void **state)
{
	(void)state;
	for (size_t align = 1; align <= 4096; align *= 2) {
		unsigned char *p = mem_alloc_aligned(align, 100);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % align, 0);
		assert_int_equal(p[99], 0);
		mem_free(p);
	}
}

static void strings_are_copied(void **state)
{
	char *a = mem_strdup("hello"), *b = mem_strndup("hello", 3), *c = mem_strndup("hi", 100), *d = mem_printf("%d-%s", 42, "x");

	(void)state;
	assert_string_equal(a, "hello");
	assert_string_equal(b, "hel");
	assert_string_equal(c, "hi");
	assert_string_equal(d, "42-x");
	mem_free(a);
	mem_free(b);
	mem_free(c);
	mem_free(d);
}

static void resize_keeps_zeroes_and_fails_cleanly(void **state)
{
	struct mem_usage before = mem_usage();
	uint32_t *v = NULL;

	(void)state;
	assert_ok(mem_resize((void **)&v, 0, 4, sizeof(*v)));
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(v[i], 0);
		v[i] = i + 1;
	}
	assert_ok(mem_resize((void **)&v, 4, 1000, sizeof(*v)));
	assert_int_equal(v[3], 4);
	for (uint32_t i = 4; i < 1000; i++)
		assert_int_equal(v[i], 0);
	assert_int_equal(mem_usage().objects, before.objects + 1);
	mem_fail_at(1, false);
	assert_err(mem_resize((void **)&v, 1000, 2000, sizeof(*v)), ERR_NOMEM);
	mem_fail_at(0, false);
	assert_int_equal(v[3], 4);
	assert_err(mem_resize((void **)&v, 1000, SIZE_MAX / 2, sizeof(*v)), ERR_NOMEM);
	assert_int_equal(v[3], 4);
	mem_free(v);
	assert_int_equal(mem_usage().objects, before.objects);
	assert_int_equal(mem_usage().octets, before.octets);
}

static void the_asked_for_allocation_fails(void **state)
{
	(void)state;
	mem_fail_at(3, false);
	for (unsigned int n = 1; n <= 5; n++) {
		void *p = mem_alloc(1);

		assert_int_equal(p == NULL, n == 3);
		assert_int_equal(mem_failed(), n >= 3);
		mem_free(p);
	}
	mem_fail_at(2, true);
	for (unsigned int n = 1; n <= 5; n++) {
		void *p = mem_alloc_raw(1);

		assert_int_equal(p == NULL, n >= 2);
		mem_free(p);
	}
	mem_fail_at(0, false);
	assert_false(mem_failed());
}

static bool every_third(void *ctx)
{
	unsigned int *n = ctx;
	void *mine;

	mem_fail_hold(true);
	mine = mem_alloc(1); /* asks nobody */
	mem_fail_hold(false);
	assert_non_null(mine);
	mem_free(mine);
	return ++*n % 3 == 0;
}

static void somebody_is_asked(void **state)
{
	unsigned int asked = 0;

	(void)state;
	mem_fail_ask(every_third, &asked);
	for (unsigned int n = 1; n <= 6; n++) {
		void *p = mem_alloc(1);

		assert_int_equal(p == NULL, n % 3 == 0);
		assert_int_equal(mem_failed(), n >= 3);
		mem_free(p);
	}
	mem_fail_ask(NULL, NULL);
	assert_false(mem_failed());
	mem_free(mem_alloc(1));
	assert_int_equal(asked, 6);
}

static void *other_thread(void *p)
{
	void **ret = p;
	void *mine = mem_alloc(10); /* does not fail: failing is this thread's own */

	mem_free(*ret);
	*ret = mine;
	return NULL;
}

static void counts_add_up_across_threads(void **state)
{
	struct mem_usage before = mem_usage();
	void *p = mem_alloc(500);
	pthread_t t;

	(void)state;
	mem_fail_at(1, true);
	assert_int_equal(pthread_create(&t, NULL, other_thread, &p), 0);
	pthread_join(t, NULL);
	mem_fail_at(0, false);
	assert_non_null(p);
	assert_int_equal(mem_usage().objects, before.objects + 1);
	mem_free(p);
	assert_int_equal(mem_usage().objects, before.objects);
	assert_int_equal(mem_usage().octets, before.octets);
}

static bool three_strings(void)
{
	AUTO_CHARS char *a = mem_strdup("a");
	AUTO_CHARS char *b = a != NULL ? mem_printf("%s", a) : NULL;
	AUTO_CHARS char *c = b != NULL ? mem_strndup(b, 1) : NULL;

	return c != NULL;
}

static void failing_loops_count_failures(void **state)
{
	(void)state;
	assert_int_equal(for_each_failing_allocation(three_strings), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_counted),
		cmocka_unit_test(size_zero_is_an_object),
		cmocka_unit_test(array_overflow_is_refused),
		cmocka_unit_test(aligned_memory_is_aligned),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(resize_keeps_zeroes_and_fails_cleanly),
		cmocka_unit_test(the_asked_for_allocation_fails),
		cmocka_unit_test(somebody_is_asked),
		cmocka_unit_test(counts_add_up_across_threads),
		cmocka_unit_test(failing_loops_count_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
