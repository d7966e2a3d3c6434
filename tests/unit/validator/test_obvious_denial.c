/* Denials by the validator against the second implementation (obvious_denial.h). */
#include "tests/unit/dns/dns_test.h"
#include "tests/unit/validator/denial_draw.h"

static uint64_t seed = 3;
static uint8_t draw_octet(void) /* the same octets in each run */
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint8_t)(seed >> 40);
}

static void both_say_the_same(void **state)
{
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new();
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct draw d = { 0 };

	(void)state;
	for (unsigned int run = 0; run < 2000; run++) {
		uint8_t octets[200];

		for (size_t i = 0; i < sizeof octets; i++)
			octets[i] = draw_octet();
		arena_reset(a);
		draw_run(&d, a, h, span_of(octets, sizeof octets));
	}
	print_message("%u questions", d.asked);
	for (int v = DENIAL_NOT_PROVEN; v <= DENIAL_ITERATIONS_INSECURE; v++)
		print_message(", %s: %u", denial_text((enum denial)v), d.proven[v]);
	print_message("\n");
	for (int v = DENIAL_NOT_PROVEN; v <= DENIAL_ITERATIONS_INSECURE; v++)
		assert_true(d.proven[v] > 3);
	assert_int_equal(d.proven[DENIAL_TOO_MUCH_WORK] + d.proven[DENIAL_FAILED], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_say_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
