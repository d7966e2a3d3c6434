#include "unit.h"

#include "base/err.h"
#include "base/own.h"

#include <string.h>

static RESULT fails_with(enum err e)
{
	return FAIL(e);
}

static RESULT tries(enum err e, bool *ret_went_on)
{
	*ret_went_on = false;
	TRY(fails_with(e));
	*ret_went_on = true;
	return DONE;
}

static void try_returns_the_first_error(void **state)
{
	bool went_on;

	(void)state;
	assert_err(tries(ERR_LIMIT, &went_on), ERR_LIMIT);
	assert_false(went_on);
	assert_ok(tries(ERR_NONE, &went_on));
	assert_true(went_on);
}

static void every_error_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (int a = ERR_NONE; a <= ERR_UNSUPPORTED; a++) {
		assert_true(strlen(err_text((enum err)a)) > 3);
		assert_string_not_equal(err_text((enum err)a), "unknown error");
		for (int b = ERR_NONE; b < a; b++)
			assert_string_not_equal(err_text((enum err)a), err_text((enum err)b));
	}
	assert_string_equal(err_text((enum err)1000), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(try_returns_the_first_error),
		cmocka_unit_test(every_error_has_a_text_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
