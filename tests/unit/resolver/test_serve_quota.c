/* What is remembered of single clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolver/serve/quota.h"

static const struct hash_key key = { { 1, 2 } };

static struct addr v4(unsigned int n)
{
	return (struct addr){ ADDR_V4, { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

static unsigned int taken(
    struct quota *q, unsigned int client, const struct quota_rate *r, uint64_t from_ms, uint64_t to_ms, uint64_t step)
{
	unsigned int n = 0;
	struct addr a = v4(client);

	for (uint64_t t = from_ms; t < to_ms; t += step)
		n += quota_take_token(q, &a, r, t);
	return n;
}

static void a_slow_client_is_never_refused(void **state)
{
	struct quota_rate r = { 10, 0, false };
	AUTO(quota_free) struct quota *q = quota_new(&key, 100000);

	(void)state;
	assert_int_equal(taken(q, 1, &r, 0, 10000, 100), 100);
}

static void a_fast_client_gets_its_rate_and_one_second_more(void **state)
{
	struct quota_rate r = { 10, 0, false };
	AUTO(quota_free) struct quota *q = quota_new(&key, 100000);
	unsigned int n = taken(q, 1, &r, 1000, 11000, 1);

	(void)state;
	assert_in_range(n, 105, 111);
}

static void one_in_a_factor_passes_over_the_limit(void **state)
{
	struct quota_rate r = { 1, 10, false };
	AUTO(quota_free) struct quota *q = quota_new(&key, 100000);
	unsigned int n = taken(q, 1, &r, 1000, 1000 + 101, 1);

	(void)state;
	assert_int_equal(n, 1 + 10);
}

static void with_backoff_only_who_slows_down_passes(void **state)
{
	struct quota_rate r = { 10, 0, true };
	AUTO(quota_free) struct quota *q = quota_new(&key, 100000);

	(void)state;
	assert_int_equal(taken(q, 1, &r, 1000, 1100, 1), 10);
	assert_int_equal(taken(q, 1, &r, 1100, 5000, 10), 0);
	assert_int_equal(taken(q, 1, &r, 6000, 7000, 200), 5);
}

static void clients_do_not_pay_for_each_other(void **state)
{
	struct quota_rate r = { 5, 0, false };
	AUTO(quota_free) struct quota *q = quota_new(&key, 100000);

	(void)state;
	(void)taken(q, 1, &r, 1000, 2000, 1);
	assert_int_equal(taken(q, 2, &r, 1999, 2000, 1), 1);
}

static void a_slash_64_is_one_client_and_a_mapped_address_is_its_ipv4(void **state)
{
	AUTO(quota_free) struct quota *q = quota_new(&key, 100000);
	struct addr a, b, c, mapped, plain;

	(void)state;
	assert_true(OK(addr_parse("2001:db8:1:2::1", &a)));
	assert_true(OK(addr_parse("2001:db8:1:2:ffff::2", &b)));
	assert_true(OK(addr_parse("2001:db8:1:3::1", &c)));
	assert_true(OK(addr_parse("::ffff:192.0.2.1", &mapped)));
	assert_true(OK(addr_parse("192.0.2.1", &plain)));
	assert_true(quota_open(q, &a, QUOTA_WAITING, 1));
	assert_false(quota_open(q, &b, QUOTA_WAITING, 1));
	assert_true(quota_open(q, &c, QUOTA_WAITING, 1));
	assert_true(quota_open(q, &mapped, QUOTA_SESSIONS, 1));
	assert_false(quota_open(q, &plain, QUOTA_SESSIONS, 1));
}

static void what_is_closed_may_be_opened_again(void **state)
{
	AUTO(quota_free) struct quota *q = quota_new(&key, 100000);
	struct addr a = v4(1);

	(void)state;
	assert_true(quota_open(q, &a, QUOTA_WAITING, 2));
	assert_true(quota_open(q, &a, QUOTA_WAITING, 2));
	assert_false(quota_open(q, &a, QUOTA_WAITING, 2));
	assert_true(quota_open(q, &a, QUOTA_SESSIONS, 2)); /* another kind */
	quota_close(q, &a, QUOTA_WAITING);
	assert_int_equal(quota_count(q, &a, QUOTA_WAITING), 1);
	assert_true(quota_open(q, &a, QUOTA_WAITING, 2));
}

static void the_table_is_bounded_and_keeps_what_is_open(void **state)
{
	struct quota_rate r = { 10, 0, false };
	AUTO(quota_free) struct quota *q = quota_new(&key, 100 * 128);
	struct addr busy = v4(0xffffff);

	(void)state;
	assert_true(quota_open(q, &busy, QUOTA_WAITING, 0));
	for (unsigned int i = 0; i < 5000; i++) {
		struct addr a = v4(i);

		(void)quota_take_token(q, &a, &r, 1000 + i);
	}
	assert_in_range(quota_entries(q), 50, 200);
	assert_int_equal(quota_count(q, &busy, QUOTA_WAITING), 1);
	quota_set_size(q, 0);
	assert_int_equal(quota_entries(q), 2);
	quota_close(q, &busy, QUOTA_WAITING);
	assert_int_equal(quota_entries(q), 1);
}

static void many_open_entries_make_it_grow(void **state)
{
	AUTO(quota_free) struct quota *q = quota_new(&key, 1000);

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) {
		struct addr a = v4(i);

		assert_true(quota_open(q, &a, QUOTA_WAITING, 1));
	}
	for (unsigned int i = 0; i < 3000; i++) {
		struct addr a = v4(i);

		assert_int_equal(quota_count(q, &a, QUOTA_WAITING), 1);
		quota_close(q, &a, QUOTA_WAITING);
	}
	assert_in_range(quota_entries(q), 1, 20);
}

static void out_of_memory_refuses_a_place_but_no_question(void **state)
{
	struct quota_rate r = { 10, 0, false };
	AUTO(quota_free) struct quota *q = quota_new(&key, 100000);
	struct addr a = v4(1);

	(void)state;
	mem_fail_at(1, true);
	assert_true(quota_take_token(q, &a, &r, 5));
	assert_false(quota_open(q, &a, QUOTA_WAITING, 0));
	mem_fail_at(0, false);
	assert_true(quota_open(q, &a, QUOTA_WAITING, 0));
	mem_fail_at(1, false);
	assert_null(quota_new(&key, 5));
	mem_fail_at(2, false);
	assert_null(quota_new(&key, 5));
	mem_fail_at(0, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_client_is_never_refused),
		cmocka_unit_test(a_fast_client_gets_its_rate_and_one_second_more),
		cmocka_unit_test(one_in_a_factor_passes_over_the_limit),
		cmocka_unit_test(with_backoff_only_who_slows_down_passes),
		cmocka_unit_test(clients_do_not_pay_for_each_other),
		cmocka_unit_test(a_slash_64_is_one_client_and_a_mapped_address_is_its_ipv4),
		cmocka_unit_test(what_is_closed_may_be_opened_again),
		cmocka_unit_test(the_table_is_bounded_and_keeps_what_is_open),
		cmocka_unit_test(many_open_entries_make_it_grow),
		cmocka_unit_test(out_of_memory_refuses_a_place_but_no_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
