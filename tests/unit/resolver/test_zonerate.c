/* How often the servers of single zones are asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolver/core/zonerate.h"

static const struct hash_key key = { { 1, 2 } };
#define ROOMY 1000000

static enum token_verdict take(struct zonerate *z, const char *zone, const struct token_rate *r, size_t octets, uint64_t now_ms)
{
	struct name_buf nb;

	assert_true(OK(name_from_text(zone, NULL, &nb)));
	return zonerate_take(z, name_of(&nb), r, octets, now_ms);
}

static unsigned int taken(struct zonerate *z, const char *zone, const struct token_rate *r, uint64_t from_ms, uint64_t to_ms, uint64_t step)
{
	unsigned int n = 0;

	for (uint64_t t = from_ms; t < to_ms; t += step)
		n += take(z, zone, r, ROOMY, t) != TOKEN_NONE;
	return n;
}

static void each_zone_has_a_rate_of_its_own_whatever_its_case(void **state)
{
	struct token_rate r = { 10, 0, false };
	AUTO(zonerate_free) struct zonerate *z = zonerate_new(&key);

	(void)state;
	assert_non_null(z);
	assert_in_range(taken(z, "example.", &r, 1000, 11000, 1), 105, 111);
	assert_int_equal(take(z, "EXAMPLE.", &r, ROOMY, 10999), TOKEN_NONE);
	assert_int_equal(take(z, "a.example.", &r, ROOMY, 10999), TOKEN_TAKEN);
	assert_int_equal(zonerate_entries(z), 2);
	assert_int_equal(taken(z, "slow.", &r, 0, 10000, 100), 100);
}

static void over_the_limit_one_in_a_factor_passes(void **state)
{
	struct token_rate r = { 1, 10, false };
	AUTO(zonerate_free) struct zonerate *z = zonerate_new(&key);
	unsigned int passed = 0;

	(void)state;
	assert_non_null(z);
	assert_int_equal(take(z, "example.", &r, ROOMY, 1000), TOKEN_TAKEN);
	for (unsigned int i = 0; i < 100; i++)
		passed += take(z, "example.", &r, ROOMY, 1000) == TOKEN_PASSED;
	assert_int_equal(passed, 10);
}

static void with_backoff_demand_has_to_fall_first(void **state)
{
	struct token_rate r = { 10, 0, true };
	AUTO(zonerate_free) struct zonerate *z = zonerate_new(&key);

	(void)state;
	assert_non_null(z);
	assert_in_range(taken(z, "example.", &r, 1000, 11000, 50), 10, 21); /* twice the rate, for ten seconds */
	assert_in_range(taken(z, "example.", &r, 11000, 21000, 200), 49, 50);
}

/* Those of several threads are not quite the same. */
static void times_that_run_backwards_refill_nothing(void **state)
{
	struct token_rate r = { 1, 0, false };
	AUTO(zonerate_free) struct zonerate *z = zonerate_new(&key);

	(void)state;
	assert_non_null(z);
	assert_int_equal(take(z, "example.", &r, ROOMY, 5000), TOKEN_TAKEN);
	assert_int_equal(take(z, "example.", &r, ROOMY, 4000), TOKEN_NONE);
	assert_int_equal(take(z, "example.", &r, ROOMY, 5001), TOKEN_NONE);
	assert_int_equal(take(z, "example.", &r, ROOMY, 6000), TOKEN_TAKEN);
}

static void memory_is_bounded_also_when_the_bound_is_lowered(void **state)
{
	struct token_rate r = { 1, 0, false };
	AUTO(zonerate_free) struct zonerate *z = zonerate_new(&key);
	struct mem_usage before = mem_usage();
	char zone[20];
	size_t many;

	(void)state;
	assert_non_null(z);
	for (int i = 0; i < 10000; i++) {
		snprintf(zone, sizeof zone, "z%d.", i);
		(void)take(z, zone, &r, 100000, 1000);
	}
	many = zonerate_entries(z);
	assert_in_range(many, 500, 2000);
	assert_in_range(mem_usage().octets - before.octets, 30000, 130000);
	for (int i = 0; i < 1000; i++) {
		snprintf(zone, sizeof zone, "z%d.", i);
		(void)take(z, zone, &r, 0, 1000);
	}
	assert_int_equal(zonerate_entries(z), 16); /* one of each shard */
}

static void without_memory_nothing_is_limited(void **state)
{
	struct token_rate r = { 1, 0, false };
	AUTO(zonerate_free) struct zonerate *z = zonerate_new(&key), *none = NULL;

	(void)state;
	assert_non_null(z);
	for (uint64_t n = 1; n <= 2; n++) {
		mem_fail_at(n, false);
		assert_int_equal(take(z, "example.", &r, ROOMY, 1000), TOKEN_TAKEN);
		mem_fail_at(0, false);
		assert_int_equal(zonerate_entries(z), 0);
	}
	mem_fail_at(1, false);
	none = zonerate_new(&key);
	mem_fail_at(0, false);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_zone_has_a_rate_of_its_own_whatever_its_case),
		cmocka_unit_test(over_the_limit_one_in_a_factor_passes),
		cmocka_unit_test(with_backoff_demand_has_to_fall_first),
		cmocka_unit_test(times_that_run_backwards_refill_nothing),
		cmocka_unit_test(memory_is_bounded_also_when_the_bound_is_lowered),
		cmocka_unit_test(without_memory_nothing_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
