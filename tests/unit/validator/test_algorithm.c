#include "tests/unit/base/unit.h"

#include "validator/algorithm.h"

static bool one_of(unsigned int n, const uint8_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == n)
			return true;
	return false;
}

static void the_table_is_that_of_the_registry(void **state)
{
	static const uint8_t algs[] = { 5, 7, 8, 10, 13, 14, 15, 16 };
	static const uint8_t digests[] = { 1, 2, 4 };

	(void)state;
	for (unsigned int n = 0; n < 256; n++) {
		assert_int_equal(algorithm_usable(NULL, (uint8_t)n), one_of(n, algs, sizeof algs));
		assert_int_equal(digest_usable(NULL, (uint8_t)n), one_of(n, digests, sizeof digests));
	}
}

static void one_can_be_switched_off_alone(void **state)
{
	struct algorithm_policy p = { { 0 }, { 0 } };

	(void)state;
	algorithm_switch_off(&p, ALG_RSASHA1);
	digest_switch_off(&p, DIGEST_SHA1);
	algorithm_switch_off(&p, 255);
	assert_false(algorithm_usable(&p, ALG_RSASHA1));
	assert_true(algorithm_usable(&p, ALG_RSASHA1_NSEC3));
	assert_true(algorithm_usable(&p, ALG_ED448));
	assert_false(algorithm_usable(&p, 255));
	assert_false(digest_usable(&p, DIGEST_SHA1));
	assert_true(digest_usable(&p, DIGEST_SHA256));
	assert_non_null(algorithm_find(ALG_RSASHA1)); /* still known, for messages */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_that_of_the_registry),
		cmocka_unit_test(one_can_be_switched_off_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
