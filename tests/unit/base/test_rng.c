#include "unit.h"

#include <string.h>

#include "base/chacha.h"
#include "base/hash.h"
#include "base/rng.h"

static void a_seed_replays(void **state)
{
	AUTO(rng_free) struct rng *a = rng_new_seeded(7);
	AUTO(rng_free) struct rng *b = rng_new_seeded(7);
	AUTO(rng_free) struct rng *c = rng_new_seeded(8);
	unsigned int same = 0;

	(void)state;
	for (unsigned int i = 0; i < 5000; i++) {
		uint32_t x = rng32(a);

		assert_int_equal(x, rng32(b));
		same += x == rng32(c);
	}
	assert_true(same < 3);
}

/* The first draws are the key stream behind the 32 octets that became the next key. */
static void draws_are_the_key_stream(void **state)
{
	AUTO(rng_free) struct rng *r = rng_new_seeded(0x0102);
	uint8_t key[CHACHA_KEY] = { 2, 1 }, next[CHACHA_KEY], stream[768], got[736 + 10];
	static const uint8_t nonce[CHACHA_NONCE];

	(void)state;
	for (uint32_t i = 0; i < 12; i++)
		chacha20_block(key, i, nonce, stream + i * 64);
	memcpy(next, stream, 32);
	rng_fill(r, got, sizeof(got));
	assert_memory_equal(got, stream + 32, 736);
	for (uint32_t i = 0; i < 12; i++)
		chacha20_block(next, i, nonce, stream + i * 64);
	assert_memory_equal(got + 736, stream + 32, 10);
}

static void the_width_of_a_draw_does_not_lose_octets(void **state)
{
	AUTO(rng_free) struct rng *a = rng_new_seeded(1);
	AUTO(rng_free) struct rng *b = rng_new_seeded(1);
	uint8_t all[2 + 4 + 8 + 3];
	uint16_t x16;
	uint32_t x32;
	uint64_t x64;

	(void)state;
	rng_fill(a, all, sizeof(all));
	x16 = rng16(b);
	x32 = rng32(b);
	x64 = rng64(b);
	assert_int_equal(x16, all[0] | all[1] << 8);
	assert_int_equal(x32 & 0xff, all[2]);
	assert_int_equal(x32 >> 24, all[5]);
	assert_int_equal(x64 & 0xff, all[6]);
	assert_int_equal(x64 >> 56, all[13]);
}

static void bounded_draws_are_even(void **state)
{
	AUTO(rng_free) struct rng *r = rng_new_seeded(3);
	unsigned int count[6] = { 0 };

	(void)state;
	assert_int_equal(rng_below(r, 0), 0);
	assert_int_equal(rng_below(r, 1), 0);
	for (unsigned int i = 0; i < 60000; i++) {
		uint32_t x = rng_below(r, 6);

		assert_true(x < 6);
		count[x]++;
	}
	for (unsigned int i = 0; i < 6; i++)
		assert_in_range(count[i], 9500, 10500);
	for (unsigned int i = 0; i < 1000; i++) /* a bound where many words are refused */
		assert_true(rng_below(r, 0x80000001u) < 0x80000001u);
}

static void generators_of_the_system_differ(void **state)
{
	AUTO(rng_free) struct rng *a = rng_new();
	AUTO(rng_free) struct rng *b = rng_new();
	struct hash_key x, y;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	x = rng_hash_key(a);
	y = rng_hash_key(b);
	assert_memory_not_equal(&x, &y, sizeof(x));
}

static bool make(void)
{
	AUTO(rng_free) struct rng *a = rng_new();
	AUTO(rng_free) struct rng *b = a != NULL ? rng_new_seeded(1) : NULL;

	return b != NULL;
}

static void memory_may_run_out(void **state)
{
	(void)state;
	assert_int_equal(for_each_failing_allocation(make), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_replays),
		cmocka_unit_test(draws_are_the_key_stream),
		cmocka_unit_test(the_width_of_a_draw_does_not_lose_octets),
		cmocka_unit_test(bounded_draws_are_even),
		cmocka_unit_test(generators_of_the_system_differ),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
